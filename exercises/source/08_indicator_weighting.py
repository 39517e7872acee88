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
# # Exercises 8 · Indicator weighting 指标权重
#
# Three questions and one open task, about 40 minutes. Write your answer in place of the dots, run the cell, then run
# the check below it. A wrong answer is no harm: the check says what it looks like and gives a hint, and the next hint
# is plainer.

# %%
import numpy as np
import pandas as pd

from crmlab import Questionnaire, weighting
from crmlab.datasets import load_survey
from crmlab.teaching import check, show

# %% [markdown] lang="en"
# ## Question 1 · A chain of comparisons
#
# The sales director ranks the three satisfaction items of the classroom survey: SA2 first, then SA1, then SA3. SA2 is
# 1.5 times as important as SA1, and SA1 is twice as important as SA3. **What are the weights by direct comparison
# 直接比较法?** Give labelled values that sum to 1.

# %% tags=["solution"]
q1 = weighting.direct_comparison({"SA2": 1.5, "SA1": 2, "SA3": None})

# %%
check("08.q1", q1)

# %% [markdown] lang="en"
# ## Question 2 · Does this judge contradict himself?
#
# A judge has compared four items; row against column. **What is the consistency ratio 一致性比率**, with Saaty's
# table of 1980 (0.90 for four items)?

# %%
matrix = np.array([[1, 3, 1 / 2, 5], [1 / 3, 1, 1 / 4, 2], [2, 4, 1, 2], [1 / 5, 1 / 2, 1 / 2, 1]])
show(pd.DataFrame(matrix), digits=2)

# %% tags=["solution"]
largest = np.linalg.eigvals(matrix).real.max()
q2 = (largest - 4) / (4 - 1) / 0.90

# %%
check("08.q2", q2)

# %% [markdown] lang="en"
# ## Question 3 · From six constructs to twenty-two items
#
# The board wants an index in which perceived quality counts 40 %, satisfaction 20 %, and each of the other four
# constructs 10 %. The items of a construct share its weight equally. **What is the index of the classroom survey,
# from 0 to 100?**

# %%
course = Questionnaire.shipped("course_csi")
answers = load_survey().data[list(course.items.index)]
board = pd.Series(0.1, course.constructs.index)
board[["PerceivedQuality", "Satisfaction"]] = 0.4, 0.2
show(board)

# %% tags=["solution"]
weights = weighting.roll_down({"index": board}, course)
q3 = 100 * (weights * (answers.mean() - 1) / 9).sum()

# %%
check("08.q3", q3)

# %% [markdown] lang="en"
# ## Open task · A bonus for the best store
#
# The chain pays a bonus to the store with the highest index. Compare all weightings of the classroom survey by store,
# and write half a page for the chair:
#
# 1. How far apart are the indices under the different weightings, and how far apart are the stores?
# 2. Does the order of the stores depend on the weights? Use `sensitivity`.
# 3. Which weights would you propose, who should decide on them, and when?

# %%
shops = load_survey().data
show(shops.groupby("store").size().rename("respondents"))

# %% tags=["solution"]
found = weighting.compare(course, shops, by="store")
ranks = found.ranks()
shaken = found.sensitivity("equal")

# %% [markdown] tags=["solution"] lang="en"
# *One way to answer.* The weightings move the index by a few points, about as much as the stores differ, but they
# move all stores together: the order is the same under every method, and under practically all random weights. So the
# bonus does not depend on the weights here, and the simplest ones, equal weights, will do. They should be fixed
# before the survey by somebody who does not get the bonus, and kept from year to year. Whether the first two stores
# differ by more than chance is another question: compare their intervals.
