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
# # Exercises 1 · The customer lifecycle 客户生命周期
#
# Three questions and one open task, about 40 minutes. Write your answer in place of the dots, run the cell, then run
# the check below it. A wrong answer is no harm: the check says what it looks like and gives a hint, and the next hint
# is plainer.

# %%
from crmlab import Transactions, lifecycle
from crmlab.datasets import load_cdnow, simulate_lifecycles
from crmlab.teaching import check, show

# %% [markdown] lang="en"
# The questions are about one customer in ten of the chapter's shop. We ask by the quarter 季度, because three months
# say more about such customers than one. Here are the steps from each quarter to the next.

# %%
sample = Transactions(load_cdnow(sample=True))
quarters = {"period": "quarter", "window": 2, "trial_periods": 1, "trial_purchases": 2, "lapsed_after": 3}
steps = lifecycle.trace(sample, margin_rate=0.3, **quarters).transitions()
show(steps.counts)
show(steps.probabilities)

# %% [markdown] lang="en"
# ## Question 1 · How long does it last?
#
# **How many quarters does a customer who has just entered build-up 形成期 spend there in the mean?** Use the
# probabilities above.

# %% tags=["solution"]
stay = steps.probabilities.loc["build-up", "build-up"]
q1 = 1 / (1 - stay)

# %%
check("01.q1", q1)

# %% [markdown] lang="en"
# ## Question 2 · Two steps ahead
#
# The shop has 1,000 customers in exploration 考察期. **How many of them will be in decline 退化期 two quarters from
# now, if the chain holds?** They may get there in several ways: count all of them.

# %% tags=["solution"]
two_steps = steps.probabilities @ steps.probabilities
q2 = 1000 * two_steps.loc["exploration", "decline"]

# %%
check("01.q2", q2)

# %% [markdown] lang="en"
# ## Question 3 · The funnel
#
# A purchase is a day with a paid order. **Of the customers of this sample who came to a second purchase, what share
# came to a third?** Give a share between 0 and 1.

# %%
reached = lifecycle.steps_by_purchase(sample, most=4)
show(reached)

# %% tags=["solution"]
q3 = reached[3] / reached[2]

# %%
check("01.q3", q3)

# %% [markdown] lang="en"
# ## Open task · A tuning of your own
#
# Below is an invented shop whose true phases are known. Find thresholds that recover them better than the default
# ones, and then write half a page:
#
# 1. Which thresholds did you change, and by how much did kappa 卡帕系数 rise?
# 2. Try your thresholds on a second shop (`seed=8`). Is the gain still there? Why may it shrink?
# 3. Which mistakes are left, and could any threshold mend them?

# %%
shop = simulate_lifecycles(seed=7)
found = lifecycle.trace(Transactions(shop.data, cost="cost"), complete_to="2025-12-31")
show(lifecycle.agreement(found.phases, shop.phases).kappa)

# %% tags=["solution"]
tuned = found.revised(lapsed_after=3, window=2)
kappa = lifecycle.agreement(tuned.phases, shop.phases).kappa

# %% [markdown] tags=["solution"] lang="en"
# *One way to answer.* Customers of this shop buy twice a week, so three silent months already mean the end: a smaller
# `lapsed_after` gives most of the gain, a smaller `window` sees changes sooner. On the second shop most of the gain
# remains, because the shops are alike; a part tuned to the accidents of the first one is lost. No threshold lets the
# rules see a change before it shows in orders: some lateness always remains.
