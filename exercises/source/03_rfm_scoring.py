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

# %% [markdown] lang="en"
# # Exercises 3 · RFM scoring RFM 评分
#
# Three questions and one open task, about 40 minutes. Write your answer in place of the dots, run the cell, then run
# the check below it. A wrong answer is no harm: the check says what it looks like and gives a hint, and the next hint
# is plainer.

# %%
import pandas as pd

from crmlab import Transactions, rfm
from crmlab.datasets import load_cdnow
from crmlab.teaching import check, show

# %% [markdown] lang="en"
# Questions 2 and 3 are about the tenth of CDNOW's customers that published models use.

# %%
orders = Transactions(load_cdnow(sample=True))
table = rfm.table(orders)
show(table.describe().loc[["mean", "50%", "max"]], digits=1)

# %% [markdown] lang="en"
# ## Question 1 · Reading the rubric
#
# A customer bought last eight months ago, has bought 12 times, and spent 4 units of money. **Which scores does the
# course's rubric 评分标准 give?** Answer with a Series of three whole numbers with the labels r, f and m.

# %% tags=["solution"]
q1 = pd.Series({"r": 3, "f": 4, "m": 2})

# %%
check("03.q1", q1)

# %% [markdown] lang="en"
# ## Question 2 · Ties
#
# Score the customers by quantiles 分位数 with five scores. **Which share of them has the frequency score 1?**

# %% tags=["solution"]
q2 = (rfm.score(table, "quantile")["f"] == 1).mean()

# %%
check("03.q2", q2)

# %% [markdown] lang="en"
# ## Question 3 · A list for the catalogue
#
# On 30 September 1997 the shop wants to write to the fifth of its customers with the most orders so far. **Which share
# of the orders after that day did this fifth make?** Customers with the same number of orders are drawn by lot.

# %% tags=["solution"]
parts = rfm.holdout(orders, "1997-09-30").customers
q3 = rfm.compare(parts["later_orders"], {"frequency": parts["frequency"]}, top=[0.2])["gain_20"].iloc[0]

# %%
check("03.q3", q3)

# %% [markdown] lang="en"
# ## Open task · A rubric that fits
#
# The course's bands do not fit this shop. Make bands that do, and write half a page for the manager:
#
# 1. Which bands did you choose, in which units, and why? Use `rfm.Bands.from_limits`.
# 2. Does your rubric predict later orders as well as quantile scores do? Test it on a holdout 留出样本.
# 3. What will your bands say next year, and what would quantiles say?

# %%
show(table.quantile([0.2, 0.4, 0.6, 0.8])[["recency_days", "frequency", "monetary"]], digits=1)

# %% tags=["solution"]
bands = rfm.Bands.from_limits(recency_days=[60, 180], frequency=[1, 3], monetary=[30, 100])
known = rfm.holdout(orders, "1997-09-30").customers
scores = {
    "my bands": rfm.weigh(rfm.score(known, "bands", bands=bands))["rfm_score"],
    "quantiles": rfm.weigh(rfm.score(known, "quantile"))["rfm_score"],
}
result = rfm.compare(known["later_orders"], scores)

# %% [markdown] tags=["solution"] lang="en"
# *One way to answer.* Two months, half a year; one order, two or three, more; 30 and 100 dollars: numbers the staff can
# remember. Nine groups of scores rank the customers nearly as well as fifteen quantiles do. Next year the same customer
# with the same behaviour keeps the same code, so that a growing share of R3 is news. Quantiles always put a fifth of
# the customers on top, in a good year and in a bad one.
