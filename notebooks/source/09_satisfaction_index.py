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
# **You should know** what a mean, a standard deviation and a correlation are, how a Likert item 李克特量表 is answered
# (chapter 7), and what a weight is (chapter 8). No knowledge of structural models is needed.
#
# **Objectives.** After this chapter you can
#
# 1. write down the index formula, and say what the course's model, the European and the American one have in common;
# 2. judge the measurement before the structure, and estimate both by PLS and by CB-SEM;
# 3. say when the two agree, and recognise when CB-SEM must be refused;
# 4. treat missing and ordered answers so that the index stays near the truth;
# 5. compare weights, groups and years without taking noise for news;
# 6. turn importance, performance and mediation into advice.
#
# **Time:** 30 minutes.
#
# These are the settings of this page. Everything random follows from the seed 随机种子. Change one and run the page
# again: that is the best way to get a feeling for what matters.

# %% tags=["parameters"]
seed: int = 2026  # everything random follows from it
bootstrap: int = 300  # resamples behind each interval
respondents: int = 600  # people in each simulated survey
language: str = "en"  # one of en, zh: language of the figures

# %% [markdown] lang="en"
# `csi` estimates the index, `sem` is the engine below it, `weighting` is chapter 8, and `simulate_survey` invents
# customers whose true feelings we know.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from crmlab import Questionnaire, csi, sem, weighting
from crmlab.datasets import load_mobi, load_survey, simulate_survey
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
# The story is invented, but this year's answers are real: they come from the European survey of mobile-phone users
# that Tenenhaus and others published in 2005.
#
# ## One idea, three models
#
# Satisfaction cannot be read off a thermometer. It is a **latent variable** 潜变量: we see only answers to questions,
# called **items** 题项. A model says which construct leads to which. Here are the course's own model, the European one
# (ECSI) and the American one (ACSI), with the number of items of each construct.

# %%
models = {name: Questionnaire.shipped(name) for name in ("course_csi", "ecsi", "acsi")}
for name, model in models.items():
    told = model.constructs["en"] + " (" + model.constructs["n_items"].astype(str) + ")"
    print(f"{name}: {', '.join(told)}")

# %% [markdown] lang="en"
# Expected quality 预期质量, perceived quality 感知质量 and perceived value 感知价格 make satisfaction 顾客满意度, and
# satisfaction decides about complaints 顾客抱怨 and loyalty 顾客忠诚度. ECSI adds the image 企业形象 of the company.
# The logic is the same everywhere, and so is the **formula** (Fornell and others, 1996). Let $\bar x_i$ be the mean
# answer to item $i$ of the satisfaction block, $w_i > 0$ what one scale point of it weighs, and $\min_i$, $\max_i$
# the ends of its scale:
#
# $$\mathrm{CSI} = 100 \cdot \frac{\sum_i w_i \bar x_i - \sum_i w_i \min_i}{\sum_i w_i \max_i - \sum_i w_i \min_i}$$
#
# It is no percentage of satisfied customers: 72 means that the average answer lies at 72 % of the way from worst to
# best.
#
# **Predict, then run.** The three satisfaction items of the survey, answered from 1 to 10, have a mean of 7.48. With
# equal weights, is the index nearer to 70, to 72 or to 75?

# %%
ecsi, answers = models["ecsi"], load_mobi()
items = ["CUSA1", "CUSA2", "CUSA3"]
equal_weights = 100 * (answers[items].mean().mean() - 1) / 9
show({"mean answer": answers[items].mean().mean(), "index with equal weights": equal_weights}, digits=2)

# %% [markdown] lang="en"
# Nearly 72. If you predicted 75, you divided the mean by ten: a frequent slip, because the scale starts at 1 and not
# at 0.
#
# ## Measurement first, then structure
#
# Before we ask what drives satisfaction, we ask whether the questions measure anything. **Partial least squares**
# 偏最小二乘 (PLS) makes each construct a weighted sum of its items, with weights that fit its own items and its
# neighbours in the model. One call estimates measurement and structure, and repeats both on resampled surveys
# (自助法, bootstrap).

# %%
options = {"bootstrap": bootstrap, "seed": seed}
survey = csi.estimate(ecsi, answers, **options)
index = survey.index.loc["Satisfaction", "index"]
show(survey.reliability[["n_items", "alpha", "rho_c", "ave"]], digits=2)
show(survey.problems)

# %% [markdown] lang="en"
# **Reliability** 信度 says whether the items of a construct agree: $\alpha$ and $\rho_C$ should reach 0.70, and AVE,
# the share of the items' variance that the construct takes up, 0.50. By $\alpha$ expectation and loyalty fall far
# short ($\rho_C$ is kinder: it does not ask that all items be equally good), and by AVE image and expectation just do.
# **Discriminant validity** 区分效度 asks whether two constructs are two. HTMT near 1 says that they are answered as one
# thing, and four pairs here come close. Keep this in mind: PLS will go on calmly. Not every method can.
#
# Now the structure. An arrow carries a **path coefficient** 路径系数: by how many standard deviations the next
# construct rises if this one rises by one, the others held still. $R^2$ is the share of a construct's variation that
# its arrows explain. Dashed arrows have intervals that include zero.

# %%
figure(survey.plot("paths", language=language))

# %% [markdown] lang="en"
# Perceived quality has by far the strongest arrow into satisfaction. The arrow from expectation to satisfaction may
# just as well not be there.
#
# ## Two methods on one survey
#
# There are two ideas of what a construct *is*. For PLS it is a **composite** 合成变量, the sum of its items with all
# their errors, as a basket is its contents. For **covariance-based SEM** 协方差结构方程模型 (CB-SEM) it is a **common
# factor** 公因子: what the items have in common, as one fever shows on several imperfect thermometers. What an item
# has for itself is error, and the paths are those between constructs *without* error.
#
# With real customers we never learn who was right. So we invent some: `simulate_survey` draws them from a population
# of common factors in which every path is known and the constructs are well apart.
#
# **Predict, then run.** Which of the two finds the true paths? And which finds the true *index*?

# %%
course = models["course_csi"]
factors = simulate_survey(respondents, points=None, measurement="factor", seed=seed)
both = {engine: csi.estimate(course, factors.data, engine=engine, **options) for engine in ("pls", "cbsem")}
paths = pd.DataFrame({engine: result.paths["estimate"] for engine, result in both.items()})
paths = paths.assign(truth=factors.truth.paths["path"], plain_pls=factors.truth.paths["plain_pls"])
levels = pd.DataFrame({engine: result.index["index"] for engine, result in both.items()})
show(levels.assign(truth=factors.truth.index), digits=1)

# %% [markdown] lang="en"
# On the **index** the two agree within about a point, and both are near the truth: a mean does not care much how its
# items are weighed. Now the **paths**.

# %%
ends = [f"{row['from']} → {row['to']}" for row in both["cbsem"].paths.to_dict("records")]
ax = plt.subplots(figsize=(7, 3.6))[1]
for shift, (engine, result) in zip((-0.15, 0.15), both.items(), strict=True):
    rows = np.arange(len(ends)) + shift
    marker, colour = {"pls": ("s", "tab:orange"), "cbsem": ("o", "tab:blue")}[engine]
    ax.hlines(rows, result.paths["ci_lower"], result.paths["ci_upper"], color=colour, linewidth=2)
    ax.plot(result.paths["estimate"], rows, marker, color=colour, label=engine)
ax.plot(paths["truth"], range(len(ends)), "|", color="black", markersize=16, label="truth")
ax.set_yticks(range(len(ends)), ends)
ax.invert_yaxis()
ax.set(title="Paths without error, and paths between sums", xlabel="path (standard deviations), 95 % interval")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
figure(ax, alt="Nine true paths with estimates and 95 % intervals by PLS and CB-SEM. Most PLS estimates are smaller.")

# %% [markdown] lang="en"
# They differ, and not by accident. PLS keeps the error in its sums, and error hides part of every strong relation:
# **attenuation** 衰减. If $Q$ is the reliability of a sum (its squared correlation with the construct), a path from a
# single cause is multiplied by $\sqrt{Q_1 Q_2}$; the last column shows what plain PLS must find in this population.

# %%
reliability = factors.truth.reliability
attenuated = 0.5 * (reliability["Satisfaction"] * reliability["Complaints"]) ** 0.5
show(paths.set_index(pd.Index(ends, name="path")), digits=2)
show({"a path of 0.50 shrinks to": attenuated})
ends_of = {engine: (result.paths["ci_lower"], result.paths["ci_upper"]) for engine, result in both.items()}
covered = {engine: int(paths["truth"].between(*interval).sum()) for engine, interval in ends_of.items()}
show({f"true paths within the intervals of {engine}": number for engine, number in covered.items()})

# %% [markdown] lang="en"
# No single survey hits every path: CB-SEM's estimate of perceived quality on satisfaction is further off than that of
# PLS here. Look at the intervals. Those of CB-SEM hold eight of the nine true paths, and to miss one of nine at 95 % is
# no surprise. Those of PLS hold six, and with more people they would hold fewer.
#
# Each method is right about its own idea. If you want to *report a number* for satisfaction, either will do. If you
# want to know how strongly quality acts on satisfaction, and you believe that quality causes the answers, use CB-SEM.
# More respondents do not cure attenuation: they make the interval narrower around the smaller value.
#
# ## What can go wrong
#
# ### CB-SEM must be refused
#
# So why not always use it? Let us ask it about the real survey.
#
# **Predict, then run.** Image and quality, quality and satisfaction were hard to tell apart. What will a method do that
# takes all errors away before it compares them?

# %%
refused = csi.estimate(ecsi, answers, engine="cbsem", **options)
show(refused.refusals[:3])
show(refused.paths[refused.paths["to"] == "Satisfaction"], digits=2)

# %% [markdown] lang="en"
# The search ends, and the numbers are nonsense: paths beyond 1 that cancel each other. Without error, expectation and
# quality correlate at 0.995. In these answers they are one thing, and which half of one thing moves satisfaction, no
# method can say.
# The program shows the numbers, refuses them at the top of the report, and states no interval. **Look at `admissible`
# before you look at a path.**
#
# What helps is a smaller question. Keep two causes that can be told apart, quality and value, and satisfaction.

# %%
text = """
Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Value ~ Quality
Satisfaction ~ Quality + Value
"""
reduced = sem.fit(text, answers)
by_pls = sem.pls(text, answers).paths["estimate"]
by_cbsem = reduced.standardised().query("op == '~'")
show(by_cbsem[["rhs", "lhs", "est", "se"]].assign(pls=by_pls.to_numpy()), digits=2)
show({"problems": len(reduced.problems), "CFI": reduced.fit_measures["cfi"], "RMSEA": reduced.fit_measures["rmsea"]})
to_value, direct, by_value = by_cbsem["est"]
show({"quality and satisfaction correlate, without error, at": direct + to_value * by_value}, digits=2)

# %% [markdown] lang="en"
# No problem left, and a sensible answer: quality counts, and value adds a little. CFI (0 as bad as no relations at
# all, 1 perfect; 0.90 is the least most journals accept) passes, RMSEA (0 perfect, 0.08 the usual limit) just misses.
# PLS says the same in smaller numbers. One thing stays: quality and satisfaction themselves are nearly one (the last
# line, as HTMT said). That spoils no path here, since only *causes* of the same thing compete, but do not build on the
# difference between the two. A reduced model is no defeat: it says what these data can say.
#
# ### Ordered answers
#
# People tick boxes. On five points, and most of them at the upper end, answers are hardly normal numbers. **WLSMV**
# takes them as ordered categories 有序类别: it imagines a feeling behind each answer that was cut at thresholds.
#
# **Predict, then run.** What will suffer if we treat boxes as numbers (ML): loadings 载荷, paths, or the index?

# %%
five_points = Questionnaire.from_text(course.text.replace("max: 10", "max: 5").replace(" 10: {", " 5: {"))
boxes = simulate_survey(respondents, points=5, measurement="factor", seed=seed)
compared = {"truth": [boxes.truth.items["loading"], boxes.truth.paths["path"], boxes.truth.index["Satisfaction"]]}
for name in ("ML", "WLSMV"):
    result = csi.estimate(five_points, boxes.data, engine="cbsem", estimator=name, bootstrap=2)
    satisfaction = result.index.loc["Satisfaction", "index"]
    compared[name] = [result.loadings["loading"], result.paths["estimate"], satisfaction]
rows = ["mean loading", "mean path", "index of satisfaction"]
ordinal = pd.DataFrame({name: map(np.mean, values) for name, values in compared.items()}, index=rows)
show(ordinal)

# %% [markdown] lang="en"
# The loadings suffer: a coarse answer follows its construct less closely, and ML counts the rounding as error. WLSMV
# finds the loadings of the feeling itself. Paths and index hardly care. So use WLSMV to judge *items*, and do not fear
# ML for the index.
#
# ### Missing answers
#
# Unhappy customers skip questions. Here each answer is the likelier to be missing the lower a person's first answer on
# satisfaction (missing at random, MAR 随机缺失). We know the complete survey, so we know the truth. **Listwise**
# 列表删除 keeps only those who answered everything; **FIML** 完全信息最大似然 lets each person count with what was
# answered.
#
# **Predict, then run.** By how many points does the index miss when we keep only complete respondents?

# %%
complete = simulate_survey(respondents, measurement="factor", seed=seed).data
holes = simulate_survey(respondents, measurement="factor", seed=seed, missing_mar=0.08).data
treated = {
    "complete": csi.estimate(course, complete, engine="cbsem", bootstrap=2),
    "listwise": csi.estimate(course, holes, engine="cbsem", missing="listwise", bootstrap=2),
    "fiml": csi.estimate(course, holes, engine="cbsem", bootstrap=2),
    "mean, by PLS": csi.estimate(course, holes, bootstrap=2),
}
gaps = pd.DataFrame({name: result.index["index"] for name, result in treated.items()}).T
show(gaps.assign(respondents=[result.n for result in treated.values()]), digits=1)

# %% [markdown] lang="en"
# Only 8 % of the answers are missing, yet three respondents in four have a gap somewhere. Keeping the complete ones
# keeps the happy ones: satisfaction looks fourteen points better than it is. FIML stays within a fraction of a point.
# The item's mean in each gap (usual in PLS) errs little on the index here, but it pulls relations towards zero.
#
# ## Whose weights?
#
# Back to the real survey. We now have many recipes for the three satisfaction items: equal weights, the objective
# weights of chapter 8 客观赋权, PLS weights, and factor-score weights of CB-SEM (for a construct alone, which is
# admissible).

# %%
recipes = weighting.compare(ecsi, answers, construct="Satisfaction").index
spread = recipes["index"].max() - recipes["index"].min()
show(recipes[["index", "ci_lower", "ci_upper", "difference"]], digits=1)

# %% [markdown] lang="en"
# Two points lie between the lowest and the highest: **as much as the fall that alarmed the board.** Nobody changed
# their mind but the weights. So choose one recipe, write it down, and never compare two indices weighed in different
# ways. The two model weights lie within one point of equal ones. Weights matter for the reasons behind the index more
# than for the index itself.
#
# ## A second opinion
#
# Two programs that share no code and agree are worth more than one. **seminr** (its numbers, computed with version
# 0.2.1, are typed in below) also does PLS; **semopy** (Igolkina & Meshcheryakov, 2020) also does CB-SEM. The last table
# asks both programs how well the *full* European model fits the real survey.

# %%
seminr = {"Image": 0.178740, "Expectation": 0.062523, "Quality": 0.512024, "Value": 0.194765}
ours = survey.paths[survey.paths["to"] == "Satisfaction"].set_index("from")["estimate"]
beside = pd.DataFrame({"crmlab, PLS": ours, "seminr, PLS": pd.Series(seminr)})
semopy = csi.estimate(course, factors.data, engine="semopy", **options)
gap = (semopy.paths["estimate"] - both["cbsem"].paths["estimate"]).abs().max()
show(beside, digits=4)
show({"paths by semopy and by us differ at most by": gap}, digits=4)
full = sem.fit(ecsi.model(), answers, engine="semopy")
told = {"crmlab": refused.method["fit"], "semopy": reported(full.structure, full.samples[0])}
said = pd.DataFrame(told).loc[["chisq", "df", "cfi", "tli", "rmsea"]].T.astype(float)
show(said)

# %% [markdown] lang="en"
# Every estimate agrees to the last digit shown, and so does $\chi^2$ with its degrees of freedom. And yet semopy
# reports a perfect CFI of 1.000. CFI compares the model with a **baseline** 基准模型 in which all items are unrelated.
# Complaints is one single question, whose error the model fixes at 0; semopy carries that 0 into its baseline, where
# the item then has no variance at all. Beside an impossible baseline every model is perfect. In truth the fit is below
# 0.90. semopy is a good program and our second opinion on every estimate; a measure that looks too good is a reason to
# look at $\chi^2$ first.
#
# ## Comparing groups
#
# A chain has three stores. Before we compare them we must know that the questions mean the same in each: **measurement
# invariance** 测量不变性. Equal loadings (metric) and equal intercepts (scalar) are what a comparison of means needs.

# %%
shops = load_survey().data
blocks = "PerceivedQuality =~ PQ1 + PQ2 + PQ3 + PQ4\nSatisfaction =~ SA1 + SA2 + SA3"
ladder = sem.invariance(blocks, shops, "store").table
show(ladder[["model", "chisq", "df", "cfi", "pvalue", "verdict"]])

# %% [markdown] lang="en"
# Metric and scalar hold, so the stores may be compared; equal error variances (strict) would be nice, and are not
# needed. Three stores make three pairs, ten would make 45, and at the 5 % level two of these would "differ" by chance.
# Holm's correction 多重比较校正 keeps the risk of even one false alarm at 5 %. The intervals are widened likewise
# (Bonferroni): in 95 % of surveys or more all three hold the truth at once.
#
# **Predict, then run.** Station is four points behind Riverside, with p = 0.048. Does that survive the correction?

# %%
stores = csi.estimate(course, shops, by="store", **options)
differences = stores.group_differences()
show(differences.drop(columns=["z", "interval"]))

# %% [markdown] lang="en"
# It does not. Only Old Town and Station are shown to differ. The honest sentence about Riverside is "not shown", not
# "equal": with more respondents it may well appear.
#
# ## Comparing years
#
# Now the chair's question. Two waves with **different people** are two samples, and their errors add: the margin of a
# change is $\sqrt 2$ times that of one index. If the **same people** answer twice, what they have in common cancels:
#
# $$\mathrm{Var}(\bar x_2 - \bar x_1) = s_1^2 + s_2^2 - 2\, r\, s_1 s_2$$
#
# with $s$ the standard error of each index and $r$ the correlation of a person's two answers.
#
# We let 300 shoppers answer, and everybody's answers rise by a little next year. Once we ask the same 300 again, once
# 300 others.

# %%
change_margin = 1.96 * 2**0.5 * survey.index.loc["Satisfaction", "se"]
people, rng = load_survey(600).data, np.random.default_rng(seed)
later = people.copy()
questions = list(course.items.index)
later[questions] = (people[questions] + rng.normal(0.25, 1, (600, len(questions)))).round().clip(1, 10)
waves = [csi.estimate(course, table, **options) for table in (people[:300], later[:300], later[300:])]
changes = {"same people": csi.change(waves[0], waves[1]), "others": csi.change(waves[0], waves[2])}
moved = pd.DataFrame({name: change.table.loc["Satisfaction"] for name, change in changes.items()}).T
show(moved[["before", "after", "change", "se", "ci_lower", "ci_upper"]].astype(float), digits=2)
show({"margin of a change between two years of the mobile survey": change_margin}, digits=1)

# %% [markdown] lang="en"
# The same rise, twice. Asked of the same people it is plain to see. Asked of others it drowns in the difference
# between the people: here it even looks like a fall. (These intervals allow for the six constructs that changed, so
# they reach beyond 1.96 standard errors.) A panel must use **ids that name people**, not row numbers:
# whoever has the same id is taken for the same person.
#
# And the chair's answer: between two surveys of 250 different customers, chance alone makes differences of up to about
# two and a half points, and in one of twenty even larger ones. *The data cannot tell the fall from no change at all.*
# They do not prove that nothing happened either.
#
# ## What should we work on?
#
# For decisions we need two things together: how **important** a construct is (by how many index points satisfaction
# rises if the construct rises by one, along all arrows) and how well we **perform**. This is the **priority map**
# 重要性—绩效图. Value has the lowest index of all. Where will it be?

# %%
figure(survey.plot("priority", language=language))

# %% [markdown] lang="en"
# Value is weak *and unimportant* here: ten points more in value would lift satisfaction by little more than one. Ten
# more in quality would lift it by about six. What looks worst is not always what matters most. "Would lift" takes the
# arrows for causes. The model supposes that; a survey at one time cannot prove it. So try it in one branch first.
#
# "Along all arrows" is the second half of the story. An effect that goes through another construct is **mediated**
# 中介. Expectation hardly touches satisfaction directly; does it matter at all?

# %%
onto = survey.effects[survey.effects["to"] == "Satisfaction"].set_index("from")
mediation = onto[["direct", "indirect", "indirect_ci_lower", "indirect_ci_upper", "total"]]
show(mediation, digits=2)

# %% [markdown] lang="en"
# It does. Its direct effect is near zero, but through quality (and a little through value) it counts, and the interval
# of the indirect effect, which bootstrapping gives without assuming a normal distribution, lies clear of zero. Promise
# nothing you do not keep: expectation works by way of what people then find. Quality itself acts mostly directly.
#
# ## From numbers to decisions
#
# | What the numbers say | How to read it | What to do |
# | --- | --- | --- |
# | HTMT above 0.90, or CB-SEM refused | Two constructs are answered as one | Reduce the model, ask better questions |
# | PLS and CB-SEM: one index, other paths | Sums with error, constructs without | Report the index; say which paths |
# | Many respondents with gaps | Complete ones may be the happy ones | FIML, and ask why they skip |
# | Index changed by less than the margin of a change | Noise is enough to explain it | Report "no change shown" |
# | Change small beside the margin, but important | The sample is too small | Ask more people, or the same again |
# | Index changed with the recipe | Weights changed, not customers | Keep one recipe |
# | A pair of branches differs before the correction only | A false alarm is likely | No prize, no blame |
# | High importance, low performance | Customers care, and we are weak | Act now |
# | Low importance, low performance | It looks bad and moves little | Low priority, however loud the complaint |
# | Direct effect near 0, indirect effect clear of 0 | It works through something else | Manage both together |
#
# For the board: *the fall is not shown; put money into quality; leave prices alone until quality is better; ask 800
# customers a year, so that a fall of two points is shown four times out of five, or the same 250 again.*
#
# We keep the key numbers of this chapter where a program can find them. Tests compare them with published values.

# %%
ways, pairs = survey.paths["from"] + " → " + survey.paths["to"], differences["group_a"] + " – " + differences["group_b"]
numbers = {"index": index, "equal_weights": equal_weights, "attenuated": attenuated, "spread": spread}
numbers |= {"change_margin": change_margin, "apart": (levels["pls"] - levels["cbsem"]).abs().max()}
numbers |= {"covered": covered}
numbers |= {"paths": survey.paths["estimate"].set_axis(ways), "missing": gaps["Satisfaction"].dropna()}
numbers |= {"unbroken": treated["listwise"].n}
numbers |= {"two_methods": paths[["pls", "cbsem"]].set_axis(ends).to_dict(), "ordinal": ordinal.to_dict()}
numbers |= {"refused": {"admissible": refused.admissible, **said.loc["crmlab"]}}
numbers |= {"reduced": by_cbsem["est"].set_axis(by_cbsem["lhs"] + " ~ " + by_cbsem["rhs"])}
numbers |= {"semopy": {"gap": gap < 1e-4, **said.loc["semopy", ["chisq", "cfi"]]}}
numbers |= {"pairs": differences["pvalue_adjusted"].set_axis(pairs), "invariance": ladder["verdict"].tolist()}
numbers |= {"moved": moved[["change", "se"]].astype(float).T.to_dict()}
record(numbers | {"mediation": mediation.loc["Expectation"].to_dict()})

# %% [markdown] lang="en"
# ## Recap
#
# 1. **Formula and models.** A weighted mean, moved and stretched to 0–100. Subtract the minimum first. The three
#    models differ in causes, not in logic.
# 2. **Measurement, then structure.** Reliability and HTMT first. `csi.estimate(..., engine=...)` does both, by PLS or
#    CB-SEM.
# 3. **Agreement and refusal.** They agree on the index, and on paths but for attenuation. Where constructs cannot be
#    told apart, CB-SEM is refused: look at `admissible`.
# 4. **Answers as they are.** FIML for gaps, WLSMV for the loadings of coarse answers. Listwise can cost many points.
# 5. **Comparisons.** One recipe; invariance first; Holm for many pairs; $\sqrt 2$ for two years, less for a panel.
# 6. **Advice.** Importance and performance set priorities; indirect effects say through what.

# %% [markdown] lang="en"
# ## On your own data
#
# Write your survey's design into one file (copy `ecsi.yaml` and change the words), export the answers as CSV or
# Excel, and run
#
# ```
# crmlab check --questionnaire my_survey.yaml --data answers.csv
# crmlab csi --questionnaire my_survey.yaml --data answers.csv --engine cbsem --out report
# ```
#
# The first command says what is wrong with the files and where. The second leaves a report, a workbook and the
# executed notebook of the template `csi_study` in the folder `report`; leave `--engine` out for PLS.
#
# ## Exercises and references
#
# Open `exercises/09_satisfaction_index.ipynb`: four questions with hints, and one open task.
#
# * Dijkstra, T. K., & Henseler, J. (2015). Consistent partial least squares path modeling. *MIS Quarterly* 39,
#   297–316.
# * Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., & Bryant, B. E. (1996). The American customer satisfaction
#   index: nature, purpose, and findings. *Journal of Marketing* 60(4), 7–18.
# * Holm, S. (1979). A simple sequentially rejective multiple test procedure. *Scandinavian Journal of Statistics* 6,
#   65–70.
# * Igolkina, A. A., & Meshcheryakov, G. (2020). semopy: A Python package for structural equation modeling. *Structural
#   Equation Modeling* 27, 952–963.
# * Jöreskog, K. G. (1969). A general approach to confirmatory maximum likelihood factor analysis. *Psychometrika* 34,
#   183–202.
# * Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
#   variable indicators. *Psychometrika* 49, 115–132.
# * Rubin, D. B. (1976). Inference and missing data. *Biometrika* 63, 581–592.
# * Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M., & Lauro, C. (2005). PLS path modeling. *Computational
#   Statistics & Data Analysis* 48, 159–205.
