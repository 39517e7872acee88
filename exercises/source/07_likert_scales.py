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
# # Exercises 7 · Likert scales 李克特量表
#
# Three questions and one open task, about 40 minutes. Write your answer in place of the dots, run the cell, then run
# the check below it. A wrong answer is no harm: the check says what it looks like and gives a hint, and the next hint
# is plainer.

# %%
import pandas as pd

from crmlab import likert
from crmlab.datasets import load_mobi, simulate_kano
from crmlab.teaching import check, show

# %% [markdown] lang="en"
# ## Question 1 · A habit of clicking
#
# A colleague recodes the three satisfaction items of the phone survey (1 to 10) and turns CUSA2 round by mistake. The
# table shows the first rows of the damaged file. **What is Cronbach's α of the three items once the damage is
# repaired?**

# %%
items = ["CUSA1", "CUSA2", "CUSA3"]
damaged = load_mobi()[items].assign(CUSA2=11 - load_mobi()["CUSA2"])
show(damaged.head())

# %% tags=["solution"]
repaired = likert.reverse(damaged, ["CUSA2"], items=items, scale=(1, 10))
cov = repaired.cov()
q1 = 3 / 2 * (1 - sum(cov.loc[item, item] for item in items) / cov.to_numpy().sum())

# %%
check("07.q1", q1)

# %% [markdown] lang="en"
# ## Question 2 · Would you recommend us?
#
# 120 customers answered from 0 to 10; the table shows how many gave each answer. **What is the net promoter score
# 净推荐值, from −100 to 100?**

# %%
given = pd.Series([2, 0, 1, 3, 4, 12, 10, 18, 25, 26, 19], index=range(11), name="customers").rename_axis("answer")
show(given)

# %% tags=["solution"]
q2 = 100 * (given[9:].sum() - given[:7].sum()) / given.sum()

# %%
check("07.q2", q2)

# %% [markdown] lang="en"
# ## Question 3 · What absence does
#
# A hotel asked 200 guests about breakfast, once with it and once without. The table counts the Kano classes: M
# must-be, O one-dimensional, A attractive, I indifferent, R reverse, Q questionable. **What is the coefficient
# *worse*, the (negative) share of guests that a missing breakfast dissatisfies?**

# %%
counts = pd.Series({"M": 62, "O": 48, "A": 30, "I": 40, "R": 12, "Q": 8}, name="guests")
show(counts)

# %% tags=["solution"]
q3 = -(counts["O"] + counts["M"]) / counts[["A", "O", "M", "I"]].sum()

# %%
check("07.q3", q3)

# %% [markdown] lang="en"
# ## Open task · Advice to a car maker
#
# A car maker asked 400 owners about eight values. Use Kano's pairs and the ratings, and write half a page:
#
# 1. Which values are hygiene factors 保健因素, which are motivators 激励因素? Where do the two methods differ, and why
#    might they?
# 2. The maker has money for one improvement. Which, and what does that depend on?
# 3. Which of your classes would you not defend in front of a board? Read `problems` and the certainty.

# %%
survey = simulate_kano(400, seed=7)
show(survey.data.iloc[:5, :6])

# %% tags=["solution"]
classes = likert.kano(survey.data, survey.pairs)
contrast = likert.penalty_reward(survey.data, "satisfaction", survey.features, scale=(1, 10))

# %% [markdown] tags=["solution"] lang="en"
# *One way to answer.* Comfort, safety and convenience are must-be: where they are weak, they come first, because no
# motivator makes up for them. Joy and individuality are attractive. Pairs ask what people *say* they would feel,
# ratings show what goes along with satisfaction; the two can differ. Economy and durability work both ways and are a
# safe investment. Classes whose runner-up is close should be reported with both letters.
