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
# # 9 · The customer satisfaction index
#
# *How satisfied are our customers (顾客满意度指数), how sure are we, and what should we work on first?*
#
# **For** students of customer relationship management, and for analysts who have to defend a number in front of a
# board.
#
# **You should know** what a mean, a standard deviation and a correlation are, and how a Likert item 李克特量表 is
# answered (chapter 7). No knowledge of structural models is needed.
#
# **Objectives.** After this chapter you can
#
# 1. write down the index formula and compute it by hand from the answers;
# 2. estimate the index and its confidence interval 置信区间 from a questionnaire and a data file;
# 3. say whether a change between two surveys is real or noise;
# 4. read the model: which part of the experience moves satisfaction, and which only looks bad;
# 5. tell when plain and when consistent partial least squares is right, and recognise when neither can answer.
#
# **Time:** 30 minutes.
#
# These are the settings of this page. Everything random follows from the seed 随机种子, so you will see the numbers
# we see. Change one and run the page again: that is the best way to get a feeling for what matters.

# %% tags=["parameters"]
seed: int = 2026  # everything random follows from it
bootstrap: int = 500  # resamples behind each interval
respondents: int = 1000  # people in each simulated survey
scheme: str = "path"  # one of path, centroid, factorial: how neighbouring constructs are weighed

# %% [markdown] lang="en"
# One cell brings all tools. `csi` estimates the index, `sem` is the engine below it, `simulate_survey` invents
# customers whose true feelings we know.

# %%
import matplotlib.pyplot as plt
import pandas as pd

from crmlab import Questionnaire, csi, sem
from crmlab.datasets import load_mobi, simulate_survey
from crmlab.sem.second_opinion import reported
from crmlab.teaching import figure, record, show

# %% [markdown] lang="en"
# ## The question
#
# A mobile-phone company asks 250 of its customers every year. Last year the satisfaction index was 74.5; this year it
# is 72.5. The board is alarmed. The head of service says that nothing has changed, the head of marketing wants lower
# prices, and the chair asks you one thing:
#
# > *Our index fell by two points. Is it real, and what should we do?*
#
# You need three things for an honest answer: the number, its uncertainty, and the reasons behind it. The story is
# invented, but this year's answers are real: they come from the European customer satisfaction survey of mobile-phone
# users that Tenenhaus and others published in 2005.
#
# ## The model before the method
#
# Satisfaction cannot be read off a thermometer. It is a **latent variable** 潜变量: we see only answers to questions,
# called **items** 题项. So we ask several questions about each thing that we cannot see, and we say which thing leads
# to which. The survey has seven such constructs. Four are **antecedents** 前因 of satisfaction, two are its
# **outcomes** 结果.

# %%
questionnaire = Questionnaire.shipped("ecsi")
show(questionnaire.constructs[["en", "zh", "n_items", "role"]])

# %% [markdown] lang="en"
# The course's own model has six constructs: expected quality 预期质量, perceived quality 感知质量, perceived value
# 感知价格, satisfaction 顾客满意度, complaints 顾客抱怨 and loyalty 顾客忠诚度. The European model adds the image of
# the company 企业形象. The logic is the same: what I expected and what I got make me satisfied or not, and that
# decides whether I complain and whether I stay.
#
# ### The formula
#
# Let $\bar x_i$ be the mean answer to item $i$ of the satisfaction block, on a scale from $\min_i$ to $\max_i$, and
# $w_i > 0$ its weight 权重. The **index** is the weighted mean, moved and stretched so that 0 is the worst and 100
# the best that anybody can answer:
#
# $$\mathrm{CSI} = 100 \cdot \frac{\sum_i w_i \bar x_i - \sum_i w_i \min_i}{\sum_i w_i \max_i - \sum_i w_i \min_i}$$
#
# (Fornell and others, 1996). It is no percentage of satisfied customers: 72 means that the average answer lies at 72 %
# of the way from worst to best.
#
# Here are the three satisfaction items, answered from 1 to 10: how satisfied overall (CUSA1), how well expectations
# were met (CUSA2), and how close the company comes to the ideal (CUSA3).

# %%
answers = load_mobi()
items = ["CUSA1", "CUSA2", "CUSA3"]
show(answers[items].agg(["mean", "std", "min", "max"]).T, digits=2)

# %% [markdown] lang="en"
# The means lie between 7 and 8. Note that the three items do not spread equally: CUSA1 varies least. That will matter
# for the weights.
#
# **Predict, then run.** With three equal weights the formula becomes $100\,(\bar x - 1)/9$. Is the result nearer to
# 70, to 75 or to 80?

# %%
equal_weights = 100 * (answers[items].mean().mean() - 1) / 9
show(equal_weights)

# %% [markdown] lang="en"
# Nearly 72. If you predicted 75, you probably divided the mean by ten: a frequent slip, because the scale starts at 1
# and not at 0. Somebody who answers 1 everywhere must get 0.
#
# ## Where the weights come from
#
# Equal weights say that all questions are equally good at showing satisfaction. **Partial least squares** 偏最小二乘
# (PLS) lets the survey decide. It goes round in three steps until nothing moves any more:
#
# 1. each construct is a weighted sum of its own items;
# 2. each construct is also guessed from its neighbours in the model;
# 3. an item gets a larger weight if it agrees better with that guess.
#
# An item that tells us much about the causes and consequences of satisfaction counts more. One call does all of it,
# and repeats it on 500 resampled surveys (自助法, bootstrap) to see how much the result would vary.

# %%
options = {"scheme": scheme, "bootstrap": bootstrap, "seed": seed}
survey = csi.estimate(questionnaire, answers, **options)
show(survey.index, digits=1)

# %% [markdown] lang="en"
# The index of Satisfaction is the one we came for; every other construct is read on the same scale of 0 to 100.
# `ci_lower` and `ci_upper` are the ends of the 95 % confidence interval, `se` is the standard error 标准误. Perceived
# value is the weakest point and perceived quality the strongest. Resist the conclusion that value must be improved
# first: we come back to it.
#
# Is there any magic in it? Let us compute the index by hand. PLS works with standardised items, so each weight is
# divided by the standard deviation of its item before it meets the raw answers.

# %%
weights = survey.loadings.set_index("item").loc[items, "weight"] / answers[items].std()
by_hand = 100 * (weights * (answers[items].mean() - 1)).sum() / (weights * 9).sum()
index = survey.index.loc["Satisfaction", "index"]
show({"by hand": by_hand, "by crmlab": index, "equal weights": equal_weights})

# %% [markdown] lang="en"
# The same to the last digit shown. Half a point separates the weighted from the equally weighted index: weights
# matter for the reasons behind the index more than for the index itself. But **never compare two indices that were
# weighted in different ways**. Half a point of "change" would be nothing but a change of recipe.
#
# Here is the table as a picture for the board.

# %%
figure(survey.plot("constructs"))

# %% [markdown] lang="en"
# Five of the seven indices lie within a few points of each other. Only value, and perhaps the handling of complaints,
# fall behind by more than their intervals.
#
# ## Is the fall of two points real?
#
# Both surveys are samples. If each index has standard error $s$, and different people were asked, the difference has
# standard error $\sqrt{s^2 + s^2} = \sqrt 2\, s$: two uncertain numbers make a more uncertain difference.
#
# **Predict, then run.** The interval of this year's index reaches less than two points to either side. Does that mean
# that a fall of two points is real?

# %%
se = survey.index.loc["Satisfaction", "se"]
change_margin = 1.96 * 2**0.5 * se
needed = round(survey.n * (change_margin / 2) ** 2)
show({"margin of one index": 1.96 * se, "margin of a change": change_margin}, digits=1)
show({"respondents needed a year": needed})

# %% [markdown] lang="en"
# No. Between two surveys of this size, changes of up to about two and a half points come and go by chance alone. The
# chair's answer is: *the data cannot tell the fall from no change at all.* They do not prove that nothing happened
# either. If two points matter to the company, the last line says how many customers it has to ask every year.
#
# ## What moves satisfaction?
#
# The arrows of the model carry **path coefficients** 路径系数: by how many standard deviations the next construct
# rises if this one rises by one, the others being held still. $R^2$ is the share of a construct's variation that its
# arrows explain; dashed arrows have intervals that include zero.

# %%
figure(survey.plot("paths"))

# %% [markdown] lang="en"
# Perceived quality has by far the strongest arrow into satisfaction. The dashed arrows, such as the one from
# expectation to satisfaction, may just as well not be there: this survey cannot say in which direction they work.
#
# For decisions we need two things together: how **important** a construct is (by how many index points satisfaction
# rises if the construct rises by one, along all arrows) and how well we **perform** on it already. This is the
# **priority map** 重要性—绩效图.
#
# **Predict, then run.** Value has the lowest index of all. Where on the map will it be?

# %%
figure(survey.plot("priority"))

# %% [markdown] lang="en"
# Value is weak *and unimportant* here: ten points more in value would lift satisfaction by little more than one
# point. Ten points more in quality would lift it by about six. The head of marketing wants lower prices because that
# index looks bad; the model says that the money works harder in quality. What looks worst is not always what matters
# most.
#
# ## Can we trust the method? Customers whose truth we know
#
# With real customers we never learn whether an estimate was right. So we invent some. `simulate_survey` draws
# customers from a population in which every path is known. It can build the link between a construct and its items in
# two ways:
#
# * **composite** 合成变量: the construct *is* the weighted sum of its items, as a shopping basket is its contents;
# * **common factor** 公因子: the construct *causes* the answers, and each answer adds its own error, as a fever shows
#   on several imperfect thermometers.

# %%
course = Questionnaire.shipped("course_csi")
surveys = {
    "composite": simulate_survey(respondents, points=None, measurement="composite", seed=seed),
    "factor": simulate_survey(respondents, points=None, measurement="factor", seed=seed),
}

# %% [markdown] lang="en"
# First the simple case: plain PLS on composites. Does it find the nine paths that we have built in?

# %%
recovered = csi.estimate(course, surveys["composite"].data, **options).paths
recovered["truth"] = surveys["composite"].truth.paths["path"]
recovered["inside"] = recovered["truth"].between(recovered["ci_lower"], recovered["ci_upper"])
show(recovered.drop(columns="se"))

# %% [markdown] lang="en"
# Every estimate is near its truth, and here all nine intervals hold it. They need not: of many 95 % intervals, one in
# twenty misses. An interval that never missed would be too wide to be of use.
#
# ### Two truths, two methods
#
# Plain PLS treats a construct as the sum of its items, errors included. **Consistent PLS** (Dijkstra and Henseler,
# 2015) estimates how reliable 信度 that sum is and corrects for the error. Each is right in its own world.
#
# **Predict, then run.** The true path from satisfaction to complaints is 0.50 in both worlds. What will plain PLS
# find where the truth is a common factor? And consistent PLS where it is a composite?

# %%
rows = []
for kind, simulated in surveys.items():
    for method, consistent in {"plain": False, "consistent": True}.items():
        paths = csi.estimate(course, simulated.data, consistent=consistent, **options).paths
        rows.append(paths[paths["to"] == "Complaints"].assign(truth=kind, method=method))
confusion = pd.concat(rows).set_index(["truth", "method"])[["estimate", "ci_lower", "ci_upper"]]
show(confusion)

# %% [markdown] lang="en"
# The same four results as a picture. The dashed line is the truth.

# %%
ax = plt.subplots(figsize=(6.5, 2.6))[1]
names = [f"{kind} truth, {method} PLS" for kind, method in confusion.index]
ax.hlines(names, confusion["ci_lower"], confusion["ci_upper"], linewidth=3)
ax.plot(confusion["estimate"], names, "o", color="black")
ax.axvline(0.5, linestyle="--", color="black")
ax.set_title("Each method is right in its own world")
ax.set_xlabel("path satisfaction → complaints (standard deviations)")
ax.invert_yaxis()
seen = "; ".join(f"{name}: {confusion['estimate'].iloc[row]:.2f}" for row, name in enumerate(names))
figure(ax, alt=f"Four estimates with 95 % intervals; the true path is 0.50. {seen}.")

# %% [markdown] lang="en"
# Where method and truth fit, the interval holds 0.50. Where they are confused, it does not:
#
# * plain PLS on factors is too **small**. Measurement error hides part of every relation: this is **attenuation**
#   衰减;
# * consistent PLS on composites is too **large**. It removes an error that was never there.
#
# More respondents do not help. They make the interval narrower around the wrong value.
#
# Attenuation can be computed. If $Q$ is the reliability of a score (the squared correlation of the score with the
# construct), the path from a single cause shrinks by the factor $\sqrt{Q_1 Q_2}$.

# %%
reliability = surveys["factor"].truth.reliability
attenuated = 0.5 * (reliability["Satisfaction"] * reliability["Complaints"]) ** 0.5
found = confusion.loc[("factor", "plain"), "estimate"]
show({"predicted by the formula": attenuated, "found by plain PLS": found})

# %% [markdown] lang="en"
# The formula and the estimate agree within the sampling error. Attenuation is not bad luck but arithmetic.
#
# ### Answers in five points
#
# So far our simulated customers could answer in decimals. Real ones tick boxes. Below, the feelings of the first
# world (composites) are answered on ever coarser scales.
#
# **Predict, then run.** What suffers when ten points become five: the index, the path, or both?

# %%
rows = []
for points in (10, 7, 5, 3):
    data = simulate_survey(respondents, points=points, seed=seed).data
    fit = sem.pls(course.model(), data, scheme=scheme)
    path = fit.paths.set_index(["from", "to"]).loc[("Satisfaction", "Complaints"), "estimate"]
    mean = data[["SA1", "SA2", "SA3"]].mean().mean()
    rows.append([points, fit.loadings["loading"].mean(), path, 100 * (mean - 1) / (points - 1)])
coarse = pd.DataFrame(rows, columns=["scale points", "mean loading", "path", "index"])
show(coarse)

# %% [markdown] lang="en"
# The index hardly moves: rounding errors cancel in a mean. But they are noise in every single answer, so **loadings**
# 载荷 (how closely an item follows its construct) and paths shrink: with decimals this path was estimated at 0.48,
# with five points at 0.44, with three at 0.40. If a company changes its scale from one year to the next, its paths
# change with it. Do not read that as a change of the customers.
#
# ## What can go wrong
#
# Consistent PLS sounds like the better tool: who would not want errors removed? Let us use it on our real survey.

# %%
corrected = csi.estimate(questionnaire, answers, consistent=True, **options)
into_satisfaction = corrected.paths["to"] == "Satisfaction"
show(corrected.paths[into_satisfaction], digits=2)
show(corrected.problems)

# %% [markdown] lang="en"
# Look at the intervals: they reach far beyond −1 and 1. The data have nothing to say about these paths any more, and
# the list of problems says why. Customers answer about image, quality and satisfaction almost as if they were one
# thing (an HTMT near 1 means just that). After the correction nothing is left to tell them apart, and in most of the
# resamples the corrected correlations cannot all be true together. More computing does not mend this; better
# questions would. Plain PLS gives calm numbers on the same survey. They describe the *scores* honestly, but **calm is
# not the same as correct**: if a common factor is the truth, they are attenuated. Always read `problems` before you
# read results.
#
# ### A second opinion
#
# If the constructs are common factors, there is a third method: **maximum likelihood** 最大似然 for the covariances
# of all items, the classical structural equation model 结构方程模型. Here we also meet a second program. semopy
# (Igolkina and Meshcheryakov, 2020) is written by other people; two programs that share no code and agree are worth
# more than one. First our simulated customers of the factor world.

# %%
well_behaved = surveys["factor"].data
ours = sem.fit(course.model(), well_behaved)
theirs = sem.fit(course.model(), well_behaved, engine="semopy")
gap = (ours.estimates["est"] - theirs.estimates["est"]).abs()[ours.estimates["se"] > 0]
show({"estimates compared": len(gap), "equal to 0.0001": int((gap < 1e-4).sum())})
show({"χ² of crmlab": ours.test.chisq, "χ² of semopy": theirs.test.chisq, "degrees of freedom": ours.df})

# %% [markdown] lang="en"
# They agree on every single estimate, and on $\chi^2$, which says how far the model is from the data. Where the model
# is true, as it is here, $\chi^2$ is about as large as its degrees of freedom 自由度.
#
# Fit is often judged by two numbers from 0 (as bad as no relations at all) to 1: CFI and TLI; 0.90 is the least that
# most journals accept. They compare the model with a **baseline** 基准模型 in which all items are unrelated.
#
# **Predict, then run.** Now the real survey, in which complaints are one single question (CUSCO). Will the programs
# agree again?

# %%
ours = sem.fit(questionnaire.model(), answers)
theirs = sem.fit(questionnaire.model(), answers, engine="semopy")
said = {"crmlab": ours.fit_measures, "semopy": reported(theirs.structure, theirs.samples[0])}
said = pd.DataFrame(said).T[["chisq", "df", "baseline_chisq", "cfi", "tli", "logl", "aic"]]
show(said)

# %% [markdown] lang="en"
# The same $\chi^2$ on the same degrees of freedom: both found the same solution, and `ours.problems` would repeat that
# it cannot tell image, expectation and quality apart. The rest differs, and the table shows why.
#
# * **CFI and TLI.** A single question cannot show its own error, so the model fixes that error at 0. semopy carries
#   the 0 over into the baseline, where it is all that CUSCO has: an item without variance. No data can be like that:
#   the baseline's $\chi^2$ is infinite, and beside infinitely bad every model is perfect: CFI 1.000, and TLI cannot be
#   computed. In truth the fit is below 0.90.
# * **AIC.** An information criterion rests on the log-likelihood. semopy has $\chi^2/n$ in its place, which *grows* as
#   the fit gets worse. Do not choose models by it.
# * **Missing answers** 缺失值. semopy computes each covariance from whoever answered both questions and does not tell.
#   Ours says how many respondents it left out, or keeps them all with `missing="fiml"`.
#
# semopy is a good program, and our second opinion on every estimate. But a measure of fit that looks too good is a
# reason to look at $\chi^2$, the degrees of freedom and the baseline first.

# %% [markdown] lang="en"
# ## From numbers to decisions
#
# | What the numbers say | How to read it | What to do |
# | --- | --- | --- |
# | Index changed by less than the margin of a change | Noise is enough to explain it | Report "no change shown" |
# | Index changed by more than the margin | Customers changed, or the survey did | Compare questions and scales first |
# | High importance, low performance | Customers care, and we are weak | Act now |
# | High importance, high performance | This keeps them satisfied | Keep it up; do not save here |
# | Low importance, low performance | It looks bad and moves little | Low priority, however loud the complaint |
# | The interval of a path includes 0 | The direction is unknown | Build no plan on this arrow |
# | HTMT above 0.90 among the problems | Two constructs are answered as one | Ask better questions next year |
# | Two programs give different fit | They compare with different baselines | Look at $\chi^2$ and the baseline first |
#
# We keep the key numbers of this chapter where a program can find them. Tests compare them with published values.

# %%
record(
    {
        "index": index,
        "ci": survey.index.loc["Satisfaction", ["ci_lower", "ci_upper"]].tolist(),
        "equal_weights": equal_weights,
        "change_margin": change_margin,
        "paths": survey.paths.set_index(survey.paths["from"] + " → " + survey.paths["to"])["estimate"],
        "covered": int(recovered["inside"].sum()),
        "confusion": confusion["estimate"].set_axis(names),
        "attenuated": attenuated,
        "coarse": coarse.set_index("scale points")["mean loading"],
        "maximum_likelihood": said.loc["crmlab"],
        "semopy": {"equal": int((gap < 1e-4).sum()), **said.loc["semopy", ["chisq", "cfi", "aic"]]},
    }
)

# %% [markdown] lang="en"
# ## Recap
#
# 1. **Formula.** The index is a weighted mean, moved and stretched to 0–100. Subtract the minimum first.
# 2. **Estimate.** A questionnaire and a data file go into `csi.estimate`; out come indices with intervals, and
#    problems in words.
# 3. **Change.** The margin of a change is $\sqrt 2$ times the margin of one index. Two points were less than that.
# 4. **Reasons.** Importance and performance together set priorities. The lowest index need not come first.
# 5. **Method.** Plain PLS for composites, consistent PLS for common factors; confused, they shrink or inflate paths.
#    Where constructs cannot be told apart, no method can answer, and the problems say so.

# %% [markdown] lang="en"
# ## On your own data
#
# Write your survey's design into one file (copy `ecsi.yaml` and change the words), export the answers as CSV or
# Excel, and run
#
# ```
# crmlab check --questionnaire my_survey.yaml --data answers.csv
# crmlab csi --questionnaire my_survey.yaml --data answers.csv --out report
# ```
#
# The first command says what is wrong with the files and where. The second leaves a report, a workbook and the
# executed notebook of the template `csi_study` in the folder `report`.
#
# ## Exercises and references
#
# Open `exercises/09_satisfaction_index.ipynb`: three questions with hints, and one open task.
#
# * Dijkstra, T. K., & Henseler, J. (2015). Consistent partial least squares path modeling. *MIS Quarterly* 39,
#   297–316.
# * Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., & Bryant, B. E. (1996). The American customer satisfaction
#   index: nature, purpose, and findings. *Journal of Marketing* 60(4), 7–18.
# * Igolkina, A. A., & Meshcheryakov, G. (2020). semopy: A Python package for structural equation modeling. *Structural
#   Equation Modeling* 27, 952–963.
# * Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M., & Lauro, C. (2005). PLS path modeling. *Computational
#   Statistics & Data Analysis* 48, 159–205.
