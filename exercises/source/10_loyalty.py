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
# # Exercises 10 · Loyalty 顾客忠诚
#
# Three questions and one open task, about 40 minutes. Write your answer in place of the dots, run the cell, then run
# the check below it. A wrong answer is no harm: the check says what it looks like and gives a hint, and the next hint
# is plainer.

# %%
import numpy as np

from crmlab import loyalty
from crmlab.datasets import load_mobi, simulate_loyalty
from crmlab.teaching import check, show

# %% [markdown] lang="en"
# ## Question 1 · How many hostages?
#
# The 250 customers of the mobile-phone survey answered three questions on satisfaction (CUSA1 to CUSA3) and three on
# loyalty (CUSL1 to CUSL3), from 1 to 10. Take the mean of each three. High begins at 8 on both.
#
# **How many customers are hostages 人质型: loyal, and not satisfied?**

# %%
mobi = load_mobi()
satisfaction, stay = (mobi[[f"{name}{k}" for k in (1, 2, 3)]].mean(axis=1) for name in ("CUSA", "CUSL"))
show({"satisfaction": satisfaction.mean(), "loyalty": stay.mean()}, digits=2)

# %% tags=["solution"]
q1 = int((loyalty.jones_sasser(satisfaction, stay, thresholds=(8, 8)).classes == "hostage").sum())

# %%
check("10.q1", q1)

# %% [markdown] lang="en"
# ## Question 2 · How wide is the insensitive zone?
#
# A sigmoid has its midpoint at 6 and the steepness 1.2, on a scale of satisfaction from 1 to 10.
#
# **From which satisfaction on is its slope below a quarter of its maximum?** (The upper threshold.)

# %% tags=["solution"]
q2 = 6 + 2 * np.arctanh(np.sqrt(1 - 0.25)) / 1.2

# %%
check("10.q2", q2)

# %% [markdown] lang="en"
# ## Question 3 · What did making good do?
#
# Here are 3,000 members of another club. Some had a problem; some of these complained; some complaints were made good.
#
# **By how many points do the recovered members differ from those who had no problem, once it is taken into account that
# they were happier before?** Use the change from `satisfaction` to `satisfaction_after`.

# %%
club = simulate_loyalty(3000, seed=10, favour=1.5).data
show(club[["satisfaction", "satisfaction_after", "problem", "complained", "recovered"]].head(4), digits=1)

# %% tags=["solution"]
change = club["satisfaction_after"] - club["satisfaction"]
q3 = change[club["recovered"] == "yes"].mean() - change[club["problem"] == "no"].mean()

# %%
check("10.q3", q3)

# %% [markdown] lang="en"
# ## Open task · Loyal to what?
#
# Take a service that you use yourself: a canteen, a phone contract, a shop. Then
#
# 1. write down one question each for behaviour, intention and affect, with its scale, and say which of the three your
#    reader would call loyalty;
# 2. ask ten people for all three and for their reason, and classify them with `loyalty.attachment`;
# 3. move each threshold by a tenth of its scale, and say which of your sentences survive.

# %%
drawn = simulate_loyalty(10, seed=4).data
show(drawn[["purchases", "intention", "affect", "reason"]], digits=0)

# %% tags=["solution"]
ten = loyalty.attachment(drawn["affect"], drawn["purchases"], drawn["reason"], thresholds=(50, 5))
moved = ten.sensitivity

# %% [markdown] tags=["solution"] lang="en"
# *One way to answer.* For a canteen: "How often did you eat here last week?" (0 to 5), "Will you eat here next week?"
# (0 to 10), "How fond are you of it compared with the other places?" (0 to 10). With ten people a single one is a tenth
# of the total, so no share survives a moved threshold; what survives are the reasons. "There is no other place within
# ten minutes" tells more than any quadrant.
