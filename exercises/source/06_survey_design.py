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
# # Exercises 6 · Survey design 调查设计
#
# Three questions and one open task, about 40 minutes. Write your answer in place of the dots, run the cell, then run
# the check below it. A wrong answer is no harm: the check says what it looks like and gives a hint, and the next hint
# is plainer.

# %%
import pandas as pd

from crmlab import Questionnaire, sampling
from crmlab.teaching import check, show

# %% [markdown] lang="en"
# ## Question 1 · A small population
#
# A furniture dealer has 900 business customers. Last year the standard deviation of their satisfaction index was 18
# points. **How many must answer, so that the mean index is known to ± 1.5 points at 95 % confidence?** (A whole number;
# the sample is drawn at random from the list.)

# %% tags=["solution"]
q1 = sampling.size_for_mean(1.5, sd=18, population=900)

# %%
check("06.q1", q1)

# %% [markdown] lang="en"
# ## Question 2 · Three kinds of customer
#
# The dealer groups its customers. `sd` is the standard deviation of last year's spend, in thousand yuan. Two hundred
# answers are planned, to estimate the mean spend of all customers. **How many belong in each group by Neyman's
# allocation 内曼分配?** Give a Series or dict with the labels offices, hotels and schools.

# %%
groups = pd.DataFrame({"population": [600, 100, 200], "sd": [20, 180, 50]}, index=["offices", "hotels", "schools"])
show(groups)

# %% tags=["solution"]
wanted = groups["population"] * groups["sd"]
q2 = (200 * wanted / wanted.sum()).round()

# %%
check("06.q2", q2)

# %% [markdown] lang="en"
# ## Question 3 · The price of a usable answer
#
# By telephone 60 % of those called are reached, 40 % of these respond, and 90 % of the responses are usable. The study
# costs 1,200 yuan at once and 3 yuan for each person called. Three hundred usable answers are wanted. **What does one
# usable answer cost, in yuan?**

# %% tags=["solution"]
invited = 300 / (0.60 * 0.40 * 0.90)
q3 = (1200 + 3 * invited) / 300

# %%
check("06.q3", q3)

# %% [markdown] lang="en"
# ## Open task · Design a survey
#
# Choose a place you know: a canteen, a library, a bus line.
#
# 1. State the object of measurement in one sentence. Whom does it leave out?
# 2. Copy the file of a shipped design, change facets and questions to your place, and read it with
#    `Questionnaire.read`. Run `lint` until nothing is left, or say why you keep what is left.
# 3. Print the form and let two people fill it in while they think aloud 出声思维. What did they understand differently
#    from what you meant?
# 4. Plan the sample: size, strata, mode and cost. What can your survey *not* tell?

# %% tags=["solution"]
canteen = Questionnaire.shipped("loyalty_value")

# %% [markdown] tags=["solution"] lang="en"
# *One way to answer.* A canteen: people who ate there in the last month; those who bring their lunch are left out, and
# they are the ones who left. Price and service stay as facets, brand gives way to taste, look and sound to noise. Two
# hundred answers at the exit over ten lunch hours are clusters of twenty, so the design effect belongs in the margin.
# The survey cannot tell why others stay away: ask them separately.
