# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # RFM study RFM 客户分析
#
# One file of orders goes in; out come a report, the customers with their scores and segments, and the key numbers.
# `crmlab rfm` runs this notebook with your file and keeps the executed copy beside the report; or change the next cell
# and run all cells here. Paths start from the folder the notebook is run in.

# %% tags=["parameters"]
data: str = "cdnow"  # path of a CSV, XLSX or Parquet file, or the data set cdnow of the course
customer: str = "customer_id"  # column of the customer's id
date: str = "date"  # column of the day of the order
amount: str = "amount"  # column of the amount
order: str = ""  # column of the order number, where lines are articles; empty if a line is an order
only: str = ""  # keep some lines only: a column, an equals sign, its value; empty for all
as_of: str = ""  # the day that looks back, such as 2026-01-31; empty for the last day of the orders
scheme: str = "quantile"  # one of rubric, quantile: the course's bands, or equal shares of the customers
bins: int = 5  # scores of the quantile scheme
unit: float = 0.0  # money that the rubric calls 1; 0 leaves it as in the data and says so
engine: str = "duckdb"  # one of duckdb, spark: where the orders are counted
sheet: str = ""  # worksheet of a workbook; empty for the first
encoding: str = ""  # encoding of a CSV; empty to find out
language: str = "en"  # one of en, zh: language of figures and report
out: str = "rfm-study"  # folder for the results

# %%
from crmlab import rfm
from crmlab.studies import read_orders, write_rfm_study
from crmlab.teaching import figure, show

# %% [markdown]
# ## The orders 交易数据
#
# Every line that could not be used is listed.

# %%
orders = read_orders(
    data, customer, date, amount, order=order, engine=engine, sheet=sheet, encoding=encoding, only=only
)  # fmt: skip
show({"lines": orders.n, "customers": orders.customers, "first": str(orders.period[0]), "last": str(orders.period[1])})

# %% [markdown]
# ## Scores and segments 评分与细分
#
# Recency, frequency and monetary value of every customer, their scores, and the segment that the rules give.

# %%
study = rfm.analyse(orders, as_of or None, scheme=scheme, bins=bins, unit=unit or None)
print(study.headline)

# %%
print("\n".join(study.problems) or "A careful analyst would not object.")

# %% [markdown]
# ## Segments 客户细分
#
# How many customers each segment has, and what they bring.

# %%
figure(study.plot("segments", language=language))
show(study.segments, digits=2)

# %% [markdown]
# ## Recency and frequency 近度与频度
#
# The best customers stand at the top right.

# %%
figure(study.plot("customers", language=language))

# %% [markdown]
# ## The bands 评分区间
#
# Which values get which score.

# %%
show(study.bands.table[["measure", "band", "unit", "score"]])

# %% [markdown]
# ## Report, customers, numbers 报告

# %%
write_rfm_study(study, out, language, data=data)
