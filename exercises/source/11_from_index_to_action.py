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
# # Exercises 11 · From index to action 从指数到行动
#
# Three questions and one open task, about 40 minutes. Write your answer in place of the dots, run the cell, then run
# the check below it. A wrong answer is no harm: the check says what it looks like and gives a hint, and the next hint
# is plainer.

# %%
import pandas as pd

from crmlab import action
from crmlab.datasets import simulate_company
from crmlab.teaching import check, show

# %% [markdown] lang="en"
# ## Question 1 · One customer
#
# Left alone, Ms Chen is a customer in a year with 60 %; with a named contact (social level) with 72 %. If she stays she
# brings 250 more margin than if she leaves. The contact costs 18. **What is the expected net gain 期望净收益 of
# treating her?**

# %% tags=["solution"]
q1 = (0.72 - 0.60) * 250 - 18

# %%
check("11.q1", q1)

# %% [markdown] lang="en"
# ## Question 2 · Whom does the pilot tell you to treat?
#
# A pilot has drawn its groups by lot. `stake` says whether a customer would find it hard to do without the shop.

# %%
pilot = pd.DataFrame(
    {"customers": [400, 400, 600, 600], "stayed": [240, 292, 420, 390]},
    index=pd.MultiIndex.from_product([["high", "low"], ["control", "treated"]], names=["stake", "arm"]),
)
show(pilot)

# %% [markdown] lang="en"
# A treatment costs 10; a customer who stays brings 150 more than one who leaves. You have 1,000 customers, 400 of high
# and 600 of low stake, and you may treat whom you like. **What is the largest expected net gain 最大期望净收益?**

# %% tags=["solution"]
share = (pilot["stayed"] / pilot["customers"]).unstack("arm")
each = (share["treated"] - share["control"]) * 150 - 10
q2 = (each.clip(lower=0) * pd.Series({"high": 400, "low": 600})).sum()

# %%
check("11.q2", q2)

# %% [markdown] lang="en"
# ## Question 3 · A small budget
#
# Five customers, two levels; each may get one level or none. Gains are net of cost. The budget is 45. **What is the
# largest sum of net gains 最大净收益之和?**

# %%
gains = pd.DataFrame({"financial": [30, 25, 18, 12, -4], "social": [44, 27, 40, 13, 6]}, index=list("ABCDE"))
costs = pd.DataFrame({"financial": [10] * 5, "social": [25] * 5}, index=list("ABCDE"))
show(gains)

# %% tags=["solution"]
q3 = action.optimise(gains, costs, budget=45).value

# %%
check("11.q3", q3)

# %% [markdown] lang="en"
# ## Open task · The plan for another company
#
# Draw a company with another seed, or with other settings (`dogs=2`, `answering=0.8`, `pilot=1000`). Then
#
# 1. make a plan for a budget of your choice, and write down what you promise, with an interval;
# 2. open the envelope (`company.gain(plan.plan)`), and say why it brought more or less than promised;
# 3. say which of three things you would buy with 1,000 more: budget, answers to the survey, or a larger pilot.

# %%
company = simulate_company(600, seed=11, pilot=1500)
show(company.levels)

# %% tags=["solution"]
today = action.link(company.orders, company.survey, measures=["stake"])
lessons = action.learn(
    action.link(company.pilot.orders, company.pilot.survey, measures=["stake"]), company.pilot.outcomes
)
plan = action.allocate(action.at_risk(today, lessons), 1500, company.levels)
mine = {"promised": plan.gain, "low": plan.low, "high": plan.high, "true": company.gain(plan.plan)}

# %% [markdown] tags=["solution"] lang="en"
# *One way to answer.* With a pilot of 1,500 the promise has a wide interval, and the truth lies mostly below the middle
# of it: the plan has picked the effects that luck made large. The price of money says what more budget would bring; it
# is seldom above one half. More answers show whose stake is high; a larger pilot makes every later plan better. It is
# usually the pilot that is worth most, and the budget that is asked for.
