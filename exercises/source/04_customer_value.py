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
# # Exercises 4 · Customer value 客户价值
#
# Three questions and one open task, about 45 minutes. Write your answer in place of the dots, run the cell, then run
# the check below it. A wrong answer is no harm: the check says what it looks like and gives a hint, and the next hint
# is plainer.

# %%
from crmlab import Transactions, value
from crmlab.datasets import load_cdnow, simulate_buyers
from crmlab.teaching import check, show

# %% [markdown] lang="en"
# ## Question 1 · What a contract is worth
#
# A telephone company earns a margin of 180 a year on a contract. Each year 20 % of the customers cancel; who cancels
# is lost for good. The discount rate is 10 %, and winning a customer costs 250. The first margin comes after one year,
# from those who renew. **What is a customer worth at the moment she is won, the cost of winning her taken off?**

# %% tags=["solution"]
q1 = value.retention_clv(180, 0.8, 0.1, acquisition=250)

# %%
check("04.q1", q1)

# %% [markdown] lang="en"
# ## Question 2 · Who costs more than she brings
#
# Here are the orders of a shop, with the cost of the goods. Each order costs another 4 to pack and send, and each
# customer 5 to keep on file. **What share of the customers brings a loss?**

# %%
orders = Transactions(simulate_buyers(1500, seed=44).orders, cost="cost")
show(orders.to_pandas().head(3))

# %% tags=["solution"]
served = value.customer_profit(orders, {"order": 4, "customer": 5})
q2 = value.whale_curve(served["profit"]).losing

# %%
check("04.q2", q2)

# %% [markdown] lang="en"
# ## Question 3 · What she will buy
#
# A customer of CDNOW was observed for 39 weeks. After her first purchase she bought four times more, the last time in
# week 30 since the first. **How many purchases does BG/NBD expect of her in the next 26 weeks?** Fit it to the
# customers below.

# %%
bought = value.purchase_summary(Transactions(load_cdnow(sample=True)), end="1997-09-30")
show(bought.head(3), digits=2)

# %% tags=["solution"]
fit = value.bg_nbd(bought["frequency"], bought["recency"], bought["T"])
q3 = fit.expected_purchases(26, 4, 30, 39)[0]

# %%
check("04.q3", q3)

# %% [markdown] lang="en"
# ## Open task · A budget for keeping customers
#
# The shop of question 2 has 2,000 to spend on keeping customers. Write half a page for its owner:
#
# 1. Whose **potential** value is highest, and how does this list differ from that of the best customers so far?
# 2. Value the customers as "lost for good" and as "always a share". Which model fits this shop, and why?
# 3. Whom would you spend the money on, and what is the most you would spend on one customer?

# %% tags=["solution"]
parts = value.value_parts(orders)
ranked = parts.table.sort_values("potential", ascending=False)
models = value.compare_models(value.purchase_periods(orders), 0.025, resamples=200)

# %% [markdown] tags=["solution"] lang="en"
# *One way to answer.* The two lists share many names, but not all: some customers who brought most have been silent
# for so long that the model gives them little chance, and their potential is small. The shop has no contracts, and
# customers who pause for a quarter come back, so "always a share" fits; "lost for good" undervalues a new customer. I
# would spend the money where potential value is high *and* the probability of being alive is in the middle: those who
# are certainly there need no persuading, those who are certainly gone will not come back. The most to spend on one
# customer is the potential value that the spending saves, which is less than her potential value.
