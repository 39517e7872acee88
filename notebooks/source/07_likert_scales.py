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
# # 7 · Likert scales: what the answers say before any model
#
# *Two agencies ask the same customers and disagree. Who is right, and which question should we trust?*
#
# **For** students of customer relationship management, and for analysts who get a file of ticked boxes and must say
# something true about it.
#
# **You should know** what a mean, a standard deviation and a correlation are, and how a questionnaire is built
# (chapter 6).
#
# **Objectives.** After this chapter you can
#
# 1. draw and read distributions of Likert items 李克特量表, with intervals for top-2-box and net promoter score;
# 2. judge an item within its construct, and find one that points the wrong way 反向题;
# 3. say when answers may be treated as measurements and when order is all they have;
# 4. count the factors behind a set of items, and tell two constructs apart or admit that you cannot;
# 5. recognise habits of answering, and say what a correction for them takes away;
# 6. tell hygiene factors 保健因素 from motivators 激励因素, and compare what was expected with what was found.
#
# **Time:** 30 minutes.
#
# These are the settings of this page. `points` is the number of boxes that respondents can tick; try 5, 7 and 10.
# `missing` removes that share of the answers at random. `language` is that of the figures, en or zh.

# %% tags=["parameters"]
seed: int = 2026  # everything random follows from it
points: int = 10  # boxes on the scale: 5, 7 or 10
missing: float = 0.0  # share of answers removed at random, 0 to 0.2
respondents: int = 1000  # people in each simulated survey
bootstrap: int = 500  # resamples behind each interval
language: str = "en"  # of the figures: en or zh

# %% [markdown] lang="en"
# One cell brings all tools. `likert` reads items, `sem` holds reliability and factors, the simulated surveys have a
# truth that we know.

# %%
import numpy as np
import pandas as pd

from crmlab import Questionnaire, likert, sem
from crmlab.datasets import load_mobi, simulate_kano, simulate_response_style
from crmlab.plots import csi as maps
from crmlab.plots import likert as figures
from crmlab.teaching import figure, record, show

# %% [markdown] lang="en"
# ## The question
#
# A mobile-phone company hires two agencies. Agency A reports: *nine in ten customers tick the two best boxes.*
# Agency B reports: *one in four does.* Both asked the same people, in the same week, the same question. The director
# wants to know which of them cannot count.
#
# The story is invented, the answers are real: 250 customers of the European satisfaction survey (Tenenhaus and others,
# 2005). They answered from 1 to 10. Where this page needs fewer boxes, neighbouring points are merged.

# %%
questionnaire = Questionnaire.shipped("ecsi")
ten = load_mobi()
holes = np.random.default_rng(seed).random(ten.shape) < missing
answers = np.ceil(ten * points / 10).mask(holes)
blocks = {name: items for name, items in questionnaire.blocks.items() if len(items) > 1}

# %% [markdown] lang="en"
# ## The model before the method
#
# Behind a ticked box stands an inclination that nobody sees. Call it $y^*$. The respondent compares it with
# **thresholds** 阈值 $\tau_1 < \tau_2 < \dots$ and ticks the box whose limits it falls between:
#
# $$y = j \quad\text{if}\quad \tau_{j-1} < y^* \le \tau_j .$$
#
# (Olsson, 1979). The boxes have an *order*. That the steps between them are equally long is something we assume when
# we take a mean. Often the assumption does little harm. This chapter shows where it does.
#
# ## Look first
#
# Each row of the figure is a question. Answers below the middle of the scale reach to the left, answers above it to
# the right; the darker, the further from the middle. A level that nobody chose would still have its place.

# %%
satisfaction = [*questionnaire.blocks["Satisfaction"], *questionnaire.blocks["Loyalty"]]
scale = (1, points)
found = likert.distribution(answers, satisfaction, scale=scale)
labels = {item: questionnaire.label(item, language) for item in questionnaire.items.index}
figure(figures.diverging_bars(found.counts, found.ordered(), labels=labels, language=language))

# %% [markdown] lang="en"
# Almost everybody sits on the right: satisfaction surveys look like that. One question stands out. CUSL2 asks how much
# cheaper a competitor would have to be, and its answers spread over the whole scale.
#
# **Predict, then run.** The **top-2-box** 前两项占比 is the share of the two best boxes. Here it is for the question
# "how satisfied are you overall" (CUSA1), asked on 10, 7 and 5 boxes. Which will be largest?

# %%
boxes = pd.concat(
    [likert.top2box(np.ceil(ten * k / 10), ["CUSA1"], scale=(1, k)).assign(boxes=k) for k in (10, 7, 5)]
).set_index("boxes")
show(boxes[["n", "share", "ci_lower", "ci_upper", "interval"]])

# %% [markdown] lang="en"
# Both agencies can count. Two boxes of ten are a fifth of the scale, two of five are two fifths. The share rises from
# 0.27 to 0.90 and no customer has changed. **A top-2-box means nothing without its scale**, and never compare two
# across scales.
#
# The interval is Wilson's (1927). The textbook's $p \pm 1.96\sqrt{p(1-p)/n}$ fails near 0 and 1, which is where
# satisfaction lives.
#
# The **net promoter score** 净推荐值 is stricter still: it is defined on 0 to 10, as the share of 9–10 minus the share
# of 0–6, and `likert.nps` refuses any other scale. Its interval is usually wide: 100 promoters and 75 detractors among
# 250 customers give a score of 10, and an interval from about 0 to 20. Most changes that make headlines are smaller.
#
# ## Is each item worth its place?
#
# An item should agree with the others of its construct. The **corrected item–total correlation** 校正题总相关 sets it
# against the sum of the others; $\alpha$ without the item says what the construct loses.

# %%
analysis = likert.item_analysis(answers, blocks, scale=scale)
columns = ["mean", "sd", "skew", "floor", "ceiling", "item_total", "alpha_if_dropped"]
loyalty = analysis.table.loc[questionnaire.blocks["Loyalty"], columns]
show(loyalty, digits=2)

# %% [markdown] lang="en"
# CUSL2 hardly agrees with the other two loyalty items, and $\alpha$ would rise a good deal without it. Statistics say
# *suspect*, not *guilty*: the question about a competitor's discount may measure price, not loyalty. Read the wording
# before you drop anything. `analysis.problems` lists all suspects in words.
#
# ### An item that points the wrong way
#
# "I often think of leaving" is a fine loyalty item, if somebody remembers to turn it round. Suppose nobody did. Below
# we turn one quality item the wrong way and say nothing.

# %%
mistaken = likert.reverse(answers, ["PERQ3"], items=blocks, scale=scale)
keying = likert.reverse_keyed(mistaken, {"Quality": blocks["Quality"]}, scale=scale)
show(keying.table[["direction", "item_rest", "ci_upper", "suggestion"]], digits=2)

# %% [markdown] lang="en"
# The culprit is found: it moves against all others, and its interval lies below zero. The program *suggests*; it never
# turns an item round by itself. A negative correlation can also come from a misread question.
#
# ## How sure are we of α?
#
# **Cronbach's α** 信度 is printed with three decimals and seldom with an interval. It is an estimate like any other.

# %%
alphas = sem.reliability_intervals(answers, blocks, measures=["alpha"], resamples=bootstrap, seed=seed)
show(alphas.set_index("construct")[["estimate", "ci_lower", "ci_upper"]], digits=2)

# %% [markdown] lang="en"
# Quality and value are measured reliably. Expectation and loyalty are not: their whole intervals lie below the
# customary 0.70.
#
# Reliable is not enough. Are two constructs *different*? The **HTMT** 异质—单质比率 compares correlations between two
# blocks with those within them; near 1 they are answered as one thing. Let us read the interval against 0.85, and 0.90
# for constructs that are close by theory (Henseler and others, 2015).

# %%
htmt = sem.htmt_intervals(answers, blocks, resamples=bootstrap, seed=seed)
pairs = htmt[htmt["construct"].eq("Quality") | htmt["other"].eq("Quality")]
show(pairs[["construct", "other", "estimate", "ci_lower", "ci_upper", "reading"]], digits=2)

# %% [markdown] lang="en"
# Quality and value can be told apart. Quality and satisfaction cannot with any safety: the data do not show that
# customers answer these as two things. Keep that in mind when a path diagram (chapter 9) draws an arrow between them.
#
# ## Order or measurement?
#
# Cutting an inclination into boxes throws information away, and correlations shrink. The **polychoric correlation**
# 多分格相关 estimates what they were before the cut. We test it where the truth is known: simulated customers whose
# items of one construct correlate $0.75^2 = 0.5625$.
#
# **Predict, then run.** At how many boxes does the ordinary (Pearson) correlation become useless: 7, 5 or 3?

# %%
rows = {}
for boxes_now in (10, 7, 5, 3):
    clean = simulate_response_style(4 * respondents, seed=seed, points=boxes_now, level_sd=0)
    block = clean.data[clean.blocks["Quality"]]
    kinds = {"Pearson": block.corr(), "polychoric": sem.polychoric(block).correlations}
    rows[boxes_now] = {name: np.mean(r.to_numpy()[np.triu_indices(4, 1)]) for name, r in kinds.items()}
cut = pd.DataFrame(rows).T.rename_axis("boxes")
show(cut.assign(truth=0.5625))

# %% [markdown] lang="en"
# With ten or seven boxes the loss is small. With three, about half of the correlation is gone, and with it much of any
# path that a model would build on it. The polychoric correlation stays near the truth on every scale; with few boxes
# it only becomes less precise.
#
# ### A regression on boxes
#
# What moves overall satisfaction? The straight line takes the boxes as numbers. The **ordinal logit** 有序 logit takes
# them as ordered boxes: $P(y \le j) = 1/(1+e^{-(\tau_j - \beta x)})$ (McCullagh, 1980). Same customers, same question.
#
# **Predict, then run.** Both models are then asked for the share of customers in each box. Which one gets it wrong?

# %%
both = likert.against_linear(answers, "CUSA1", ["PERQ1", "PERV1"])
show(both.table, digits=2)
show(both.shares)

# %% [markdown] lang="en"
# The units differ, so the coefficients do. The story is the same: quality matters much, value little, as the ratios to
# the standard error ($z$ and $t$) show. For the *direction* and *importance* of causes the line will usually do.
#
# The shares are another matter. The ordinal logit reproduces them almost to the last customer. The line
# spreads its answers as a bell, which the boxes need not follow; how far it misses depends on the number of boxes.
# **Means and slopes: the line is fine. Shares and boxes: use the ordinal model.** The same holds when answers crowd
# at one end, or when two groups differ in spread (Liddell and Kruschke, 2018).
#
# ## How many things did we measure?
#
# **Exploratory factor analysis** 探索性因子分析 asks the items themselves. First the number of factors: an eigenvalue
# counts if it is larger than those of answers that were shuffled, so that nothing is related to anything
# (**parallel analysis** 平行分析; Horn, 1965). We begin where we know the answer: four constructs, four items each.

# %%
known = simulate_response_style(respondents, seed=seed, points=points, level_sd=0, missing=missing / 10)
items = [item for block in known.blocks.values() for item in block]
parallel = sem.parallel_analysis(known.data[items], samples=200, seed=seed)
figure(figures.scree(parallel.table, factors=parallel.factors, language=language))

# %% [markdown] lang="en"
# Four eigenvalues rise above chance: as many as there are constructs. The old rule "larger than 1" compares with an
# infinite sample and often keeps too many. Now the loadings, turned so that each item belongs to as few factors as
# possible while factors may correlate (**oblimin** 斜交旋转).

# %%
pattern = sem.efa(known.data[items], parallel.factors)
figure(figures.loadings_map(pattern.sorted.drop(columns="communality"), language=language))

# %% [markdown] lang="en"
# Every item finds its own factor. The factors correlate with each other, near the true 0.3, and a rotation that
# forbids that (varimax) would smear the pattern. Now the real survey: image, quality, value and satisfaction, four
# constructs by design.

# %%
real = [item for name in ("Image", "Quality", "Value", "Satisfaction") for item in blocks[name]]
counted = sem.parallel_analysis(answers[real].dropna(), samples=200, seed=seed)
show({"constructs by design": 4, "factors above chance": counted.factors})

# %% [markdown] lang="en"
# Fewer than four. It is what HTMT told us: these customers hold one overall opinion, with nuances. A questionnaire
# cannot force people to distinguish what they do not distinguish.
#
# ## What can go wrong: habits of answering
#
# Some people tick high boxes whatever the question. Their habit adds the same amount to every answer, and all items
# correlate for no other reason: **common method bias** 共同方法偏差. We give our simulated customers such a habit,
# strong enough to matter. In the first survey half of the items are asked the other way round; in the second, none.
#
# **Predict, then run.** The true correlation of the constructs is 0.3. The table shows their mean correlation as
# observed, with a method factor in the model, and with the correlation of an unrelated marker item taken out (Lindell
# and Whitney, 2001). In which survey does the method factor find the truth?

# %%
habit = {
    name: simulate_response_style(respondents, seed=seed, points=points, balanced=balanced)
    for name, balanced in {"half turned round": True, "all one way": False}.items()
}
checks = {
    name: likert.method_check(survey.data, survey.blocks, scale=scale, turned=survey.turned, marker="marker")
    for name, survey in habit.items()
}
methods = pd.DataFrame(
    {name: check.correlations[["observed", "latent_method", "marker"]].mean() for name, check in checks.items()}
).T
first = pd.Series({name: check.harman["first_component"] for name, check in checks.items()})
show(methods.assign(harman=first), digits=2)

# %% [markdown] lang="en"
# With half of the items turned round, the habit cancels in the sums, and the method factor finds the constructs near
# 0.3 (their observed correlation is a little smaller: unreliability). With all items one way, habit and opinion look
# alike. The observed correlation is far too large. The method factor has nothing to hold on to: its solution is
# impossible (a dash) or arbitrary. The marker repairs a part at best, and only because we *know* that it is
# unrelated. **Harman's** share of the first component, which papers like to quote, cannot separate a habit from
# constructs that are truly related. The cure is the questionnaire: turn some items round.
#
# ### Does centring help?
#
# A popular correction subtracts each respondent's own mean from all answers.

# %%
centred = {
    name: likert.scale_use(survey.data, survey.blocks, scale=scale, turned=survey.turned)
    for name, survey in habit.items()
}
effect = pd.DataFrame({name: c.correlations[["before", "after"]].mean() for name, c in centred.items()}).T
show(effect.assign(forced=centred["all one way"].floor), digits=2)

# %% [markdown] lang="en"
# Where all items point one way, centring turns a positive relation into a negative one: four constructs whose sum is
# held constant *must* correlate at $-1/3$ on average, whatever the truth. The correction removed the habit and the
# opinion together. And since it removes every respondent's level, it also removes the difference between a satisfied
# and a dissatisfied customer: never compute a satisfaction index from centred answers.
#
# ## Absence and presence: two factors
#
# Herzberg and Kano teach that the opposite of satisfaction is not dissatisfaction. A car without safety angers; a safe
# car delights nobody. Kano's questionnaire asks twice: how do you feel *with* the feature, and how *without*? The pair
# decides:
#
# | with ↓ · without → | like | must be | neutral | live with | dislike |
# | --- | --- | --- | --- | --- | --- |
# | like | Q | A | A | A | O |
# | must be | R | I | I | I | M |
# | neutral | R | I | I | I | M |
# | live with | R | I | I | I | M |
# | dislike | R | R | R | R | Q |
#
# M must-be (必备型, hygiene), O one-dimensional (期望型, both), A attractive (魅力型, motivator), I indifferent, R
# reverse, Q questionable. The eight values of the course are asked of simulated car owners whose truth we know.

# %%
survey = simulate_kano(respondents, seed=seed, points=points, missing=missing)
kano = likert.kano(survey.data, survey.pairs, seed=seed)
facts = ["category", "factor", "second", "fong", "certainty", "better", "worse"]
show(kano.table[facts].assign(truth=survey.truth["category"]), digits=2)
figure(kano.plot(language=language))

# %% [markdown] lang="en"
# The classes found are those we built in. `fong` says whether the first category is ahead of the second by more
# than chance, `certainty` how often resamples agree. `better` is the share that presence satisfies, `worse`
# (negative) the share that absence dissatisfies.
#
# Kano's pairs double the length of a questionnaire. Brandt's (1987) way needs only ratings: compare satisfaction of
# those who rate a feature low, and of those who rate it high, with those in between.
#
# **Predict, then run.** What will a *high* rating of safety add to satisfaction?

# %%
contrast = likert.penalty_reward(survey.data, "satisfaction", survey.features, scale=scale)
figure(contrast.plot(language=language))

# %% [markdown] lang="en"
# Close to nothing: safety punishes and does not reward. Joy rewards and hardly punishes. Economy does both. A manager
# who looks at one average importance per feature sees none of this.
#
# ## Expected, found, and paid for
#
# The **gap** 差距 is what was found minus what was expected, of the same customers (Parasuraman and others, 1988). The
# phone survey asked both for overall quality, for the fit to personal needs, and for trouble-free service.

# %%
asked = {"overall quality": ("PERQ1", "CUEX1"), "fits my needs": ("PERQ2", "CUEX2"), "no trouble": ("PERQ4", "CUEX3")}
gaps = likert.gaps(answers, asked)
show(gaps.table[["n", "expectation", "perception", "gap", "ci_lower", "ci_upper", "p_holm"]], digits=2)

# %% [markdown] lang="en"
# Only one gap is negative: the phone fits personal needs less well than hoped. Look at its interval before you act on
# it; `p_holm` allows for having looked at three gaps. And remember that expectations were asked *afterwards*: people
# adjust them to what they got.
#
# **Perceived value** 感知价值 sets total benefit (product, service, people, image) against total cost (money, time,
# energy, effort). The survey has a product, a service, an image and a price item. The price item is high when the
# price is good, so we turn it round to make a cost.

# %%
priced = likert.reverse(answers, ["PERV1"], items=blocks, scale=scale)
benefits = {"product": ["PERQ1"], "service": ["PERQ3"], "image": ["IMAG5"]}
value = likert.perceived_value(priced, benefits, {"money": ["PERV1"]}, scale=scale, seed=seed)
show(value.totals, digits=2)

# %% [markdown] lang="en"
# Customers feel that they get more than they give. The *ratio* of two indices depends on where the scale starts, so
# compare it only with ratios from the same questions; the difference `net` is the safer number.
#
# Last, where to act: **importance** (correlation of each quality item with overall satisfaction) against
# **performance**.

# %%
quality = answers[[*blocks["Quality"], "CUSA1"]].dropna()
priority = likert.importance_performance(quality, blocks["Quality"], scale=scale, outcome="CUSA1")
figure(maps.priority_map(priority, importance="correlation", labels=labels, language=language))

# %% [markdown] lang="en"
# Items in the hatched corner matter and lag behind. The lines are the means of the items shown: some item will always
# be below them. The map ranks; it does not say that anything is bad.
#
# ## From numbers to decisions
#
# | What the numbers say | How to read it | What to do |
# | --- | --- | --- |
# | Top-2-box differs between two surveys | Scales may differ | Compare the number of boxes first |
# | More than 15 % at the highest point | Ceiling: improvement cannot show | More points, or a harder question |
# | Item–total below 0.30 | The item measures something else | Read the wording, then decide |
# | Item–rest negative | Reversed, or misread | Mark it in the questionnaire, never in the data |
# | HTMT interval above 0.90 | Two names, one opinion | Merge, or ask better questions |
# | Fewer factors than constructs | Customers do not distinguish them | Report one index, not four |
# | All items point one way | Habit and opinion are one | Turn some items round next time |
# | Must-be weak | It angers now | Mend it first |
# | Attractive weak | It delights nobody yet | Invest once the must-bes are in order |
#
# We keep the key numbers of this chapter where a program can find them.

# %%
record(
    {
        "top2box": boxes["share"],
        "alpha": alphas.set_index("construct")["estimate"],
        "alpha_interval": alphas.set_index("construct").loc["Quality", ["ci_lower", "ci_upper"]].astype(float).tolist(),
        "loyalty_item_total": loyalty["item_total"],
        "suggested": keying.suggested,
        "cut": {str(k): row.to_dict() for k, row in cut.iterrows()},
        "shares_missed": both.shares.sub(both.shares["observed"], axis=0).abs().max()[["ordinal", "linear"]],
        "factors": {"known": parallel.factors, "mobi": counted.factors},
        "methods": methods[["observed", "marker"]].T.to_dict(),
        "method_factor": methods.loc["half turned round", "latent_method"],
        "centred": effect["after"],
        "kano_right": int((kano.table["category"] == survey.truth["category"]).sum()),
        "safety": contrast.table.loc["safety", ["penalty", "reward"]].astype(float),
        "gaps": gaps.table["gap"],
    }
)

# %% [markdown] lang="en"
# ## Recap
#
# 1. **Look first.** Distributions before means; every share with its scale and its interval.
# 2. **Items.** Item–total and α point to suspects; the wording decides. Reversed items are found, never silently
#    turned.
# 3. **Order or measurement.** Means and slopes may treat boxes as numbers; shares and coarse scales need the ordinal
#    view.
# 4. **Factors.** Parallel analysis counts, HTMT with its interval separates, or shows that nothing can.
# 5. **Habits.** Items asked both ways make habits visible. Centring answers that all point one way destroys what it
#    should save.
# 6. **Two factors.** Hygiene factors punish, motivators reward; gaps and the priority map say where to begin.
#
# ## On your own data
#
# Read your answers with the questionnaire (chapter 6); every function of `likert` takes both:
#
# ```
# questionnaire = Questionnaire.read("my_survey.yaml")
# responses = read_responses("answers.csv", questionnaire)
# likert.distribution(responses, questionnaire).plot(language="zh")
# likert.item_analysis(responses, questionnaire).problems
# ```
#
# ## Exercises and references
#
# Open `exercises/07_likert_scales.ipynb`: three questions with hints, and one open task.
#
# * Brandt, D. R. (1987). A procedure for identifying value-enhancing service components. In *Add value to your
#   service*, 61–65. American Marketing Association.
# * Henseler, J., Ringle, C. M., & Sarstedt, M. (2015). A new criterion for assessing discriminant validity. *Journal
#   of the Academy of Marketing Science* 43, 115–135.
# * Horn, J. L. (1965). A rationale and test for the number of factors in factor analysis. *Psychometrika* 30, 179–185.
# * Kano, N., Seraku, N., Takahashi, F., & Tsuji, S. (1984). Attractive quality and must-be quality. *Hinshitsu* 14(2),
#   39–48.
# * Liddell, T. M., & Kruschke, J. K. (2018). Analyzing ordinal data with metric models: what could possibly go wrong?
#   *Journal of Experimental Social Psychology* 79, 328–348.
# * Lindell, M. K., & Whitney, D. J. (2001). Accounting for common method variance in cross-sectional research designs.
#   *Journal of Applied Psychology* 86, 114–121.
# * Parasuraman, A., Zeithaml, V. A., & Berry, L. L. (1988). SERVQUAL. *Journal of Retailing* 64, 12–40.
