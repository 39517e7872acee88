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
# # Exercises 9 · The customer satisfaction index 顾客满意度指数
#
# Four questions and one open task, about 50 minutes. Write your answer in place of the dots, run the cell, then run
# the check below it. A wrong answer is no harm: the check says what it looks like and gives a hint, and the next hint
# is plainer.

# %%
import pandas as pd

from crmlab import Questionnaire, csi
from crmlab.datasets import load_mobi, load_survey
from crmlab.teaching import check, show

# %% [markdown] lang="en"
# The first three questions are about the mobile-phone survey of the chapter: 250 respondents, three satisfaction items,
# each answered from 1 to 10.

# %%
answers = load_mobi()
items = ["CUSA1", "CUSA2", "CUSA3"]
survey = csi.estimate(Questionnaire.shipped("ecsi"), answers)
show(survey.loadings.set_index("item").loc[items, ["loading", "weight"]])

# %% [markdown] lang="en"
# ## Question 1 · By hand
#
# The company's newsletter wants an index that anybody can check with a pocket calculator: the three satisfaction
# items with equal weights. **What is it, on the scale of 0 to 100, to two decimals?**

# %% tags=["solution"]
mean = answers[items].to_numpy().mean()
q1 = 100 * (mean - 1) / (10 - 1)

# %%
check("09.q1", q1)

# %% [markdown] lang="en"
# ## Question 2 · What one answer is worth
#
# PLS gives weights 权重 for standardised items (column `weight` above). The newsletter's readers answer in scale
# points. **What share of the index does one point on each item carry?** Give a Series with the labels CUSA1, CUSA2
# and CUSA3 whose values sum to 1.

# %% tags=["solution"]
per_point = survey.loadings.set_index("item").loc[items, "weight"] / answers[items].std()
q2 = per_point / per_point.sum()

# %%
check("09.q2", q2)

# %% [markdown] lang="en"
# ## Question 3 · The price of precision
#
# The board wants the newsletter's equally weighted index with a margin of ± 1 point at 95 % confidence (1.96 standard
# errors). Each respondent has an own index by the same formula. **How many respondents does the company have to
# ask?**

# %% tags=["solution"]
own_index = 100 * (answers[items].mean(axis=1) - 1) / 9
q3 = (1.96 * own_index.std() / 1) ** 2

# %%
check("09.q3", q3)

# %% [markdown] lang="en"
# ## Question 4 · Three branches, three pairs
#
# Three branches asked customers of their own. **Is A better than B?** Give the p-value of this pair, corrected by Holm
# for the three pairs that the branches make.

# %%
branches = pd.DataFrame({"group": ["A", "B", "C"], "index": [78.0, 73.2, 72.5], "se": [1.2, 1.5, 1.4]})
show(branches, digits=1)

# %% tags=["solution"]
pairs = csi.differences(branches).set_index(["group_a", "group_b"])
q4 = pairs.loc[("A", "B"), "pvalue_adjusted"]

# %%
check("09.q4", q4)

# %% [markdown] lang="en"
# ## Open task · Advice to a chain of shops
#
# The classroom survey has customers of three stores. Estimate the index by store, and write half a page for the
# director:
#
# 1. Which store is ahead, which behind, and which differences are more than noise?
# 2. On what should the weakest store work first? Use the priority map 重要性—绩效图.
# 3. Estimate the model again with `engine="cbsem"`. What changes, and would your advice change?
# 4. Take the mobile survey and `csi.estimate(..., consistent=True)`, PLS corrected for measurement error. Why does it
#    fail where CB-SEM must be refused too?
# 5. What can this survey *not* tell the director? Read `problems` before you write.

# %%
course = Questionnaire.shipped("course_csi")
shops = load_survey().data
show(shops.groupby("store").size().rename("respondents"))

# %% tags=["solution"]
result = csi.estimate(course, shops, by="store")
differences = result.group_differences().drop(columns=["z", "interval"])
factors = csi.estimate(course, shops, by="store", engine="cbsem")
corrected = csi.estimate(Questionnaire.shipped("ecsi"), answers, consistent=True, bootstrap=200)
advice = {"differences": differences, "importance": factors.importance, "problems": corrected.problems}

# %% [markdown] tags=["solution"] lang="en"
# *One way to answer.* With Holm's correction only Old Town and Station are shown to differ. Station is behind; its
# quality was lowered when the survey was made, and quality matters most, so it is the place to begin. CB-SEM gives
# nearly the same indices and somewhat larger importances, as it takes measurement error away; the advice stays. On the
# mobile survey both corrections fail for one reason: once error is taken away, image, expectation and quality are one
# thing, and no method can split it. The survey cannot say why quality is felt to be lower, whether the same customers
# would answer alike next month, or what those think who no longer come.
