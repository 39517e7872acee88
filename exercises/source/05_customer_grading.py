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
# # Exercises 5 · Customer grading 客户分级
#
# Three questions and one open task, about 40 minutes. Write your answer in place of the dots, run the cell, then run
# the check below it. A wrong answer is no harm: the check says what it looks like and gives a hint, and the next hint
# is plainer.

# %%
import numpy as np
import pandas as pd

from crmlab import grading
from crmlab.datasets import load_cdnow
from crmlab.teaching import check, show

# %% [markdown] lang="en"
# ## Question 1 · How many customers fall through?
#
# A shop grades by the number of orders (0, 1, 2, …, at most 12) and by membership 会员 (yes or no):
#
# | orders | member | grade |
# | --- | --- | --- |
# | more than 6 | yes | A |
# | 3 to 6 | yes or no | B |
# | fewer than 3 | no | C |
#
# **How many of the 26 combinations of orders and membership have no grade?**

# %% tags=["solution"]
rows = [["> 6", "yes", "A"], ["3-6", "-", "B"], ["< 3", "no", "C"]]
asked = {"orders": {"type": "count", "domain": "0-12"}, "member": {"values": ["yes", "no"]}}
table = grading.DecisionTable(pd.DataFrame(rows, columns=["orders", "member", "grade"]), inputs=asked)
possible = pd.DataFrame([(n, m) for n in range(13) for m in ("yes", "no")], columns=["orders", "member"])
q1 = int(table.grade(possible, faults="missing").isna().sum())

# %%
check("05.q1", q1)

# %% [markdown] lang="en"
# ## Question 2 · Do the two managers agree?
#
# Two managers have graded the same hundred customers A, B or C; rows are the grades by the first, columns those by the
# second. **What is kappa with quadratic weights 加权 κ 系数?**

# %%
both = pd.DataFrame([[20, 5, 1], [8, 30, 6], [2, 4, 24]], index=list("ABC"), columns=list("ABC"))
show(both)

# %% tags=["solution"]
first = np.repeat(np.repeat(list("ABC"), 3), both.to_numpy().ravel())
second = np.repeat(np.tile(list("ABC"), 3), both.to_numpy().ravel())
q2 = grading.agreement(first, second, order="ABC").kappa

# %%
check("05.q2", q2)

# %% [markdown] lang="en"
# ## Question 3 · The lift of gold
#
# Call the 2,357 customers of the CDNOW sample *gold* if they spent at least 100 dollars up to 30 September 1997, and
# *other* if not. **What is the lift 提升度 of gold: the mean later revenue of gold customers over the mean of all?**
# Customers who did not return count with 0.

# %%
orders = load_cdnow(sample=True)
show(orders.head(3))

# %% tags=["solution"]
before, after = orders[orders["date"] <= "1997-09-30"], orders[orders["date"] > "1997-09-30"]
spent = before.groupby("customer_id")["amount"].sum()
later = after.groupby("customer_id")["amount"].sum().reindex(spent.index, fill_value=0.0)
q3 = later[spent >= 100].mean() / later.mean()

# %%
check("05.q3", q3)

# %% [markdown] lang="en"
# ## Open task · A rule for your own firm
#
# Write a decision table with two or three inputs for customers you know: a club, a shop, your own contacts. Then
#
# 1. prove it complete and disjoint, and write down every choice you had to make to get there;
# 2. grade twenty customers, let somebody else answer the inputs for the same twenty, and compute kappa;
# 3. say which group of customers your rule might treat unequally without asking for the group, and through which input.

# %%
show(pd.Series(grading.RUBRICS, name="course row"))

# %% tags=["solution"]
mine = grading.rubric("intent_capacity")
found = mine.check()

# %% [markdown] tags=["solution"] lang="en"
# *One way to answer.* The nine cells of intent by capacity are complete as soon as every pair is written down; what had
# to be chosen is the grade of the cells off the diagonal. With twenty customers kappa has a wide interval: between 0.5
# and 0.9 is common, and the disagreements sit where "medium" begins. Capacity is often read from clothing, address or
# accent. It may then stand for origin or age, which nobody meant to ask.
