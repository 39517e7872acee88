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
# # 8 · Indicator weighting
#
# *Which question should count how much (指标权重), who decides, and what difference does it make?*
#
# **For** students of customer relationship management, and for analysts whose index decides about somebody's bonus.
#
# **You should know** what a mean, a standard deviation and a correlation are, and how a questionnaire is built in four
# levels 四级指标体系 (chapter 6).
#
# **Objectives.** After this chapter you can
#
# 1. turn what judges say into weights: by points, by direct comparison 直接比较法, and by pairs 对偶比较法;
# 2. tell a judge who knows from a judge who contradicts himself;
# 3. let the answers speak, by entropy 熵权法 and CRITIC, and say what these methods cannot see;
# 4. show which methods change their mind when 1–5 is written as 0–4;
# 5. carry weights through the four levels, and test whether the quarrel about weights is worth having.
#
# **Time:** 30 minutes.

# %% [markdown] lang="en"
# These are the settings of this page. Everything random follows from the seed 随机种子. Try a scale with fewer
# points, or let some answers be missing.

# %% tags=["parameters"]
seed: int = 2026  # everything random follows from it
respondents: int = 900  # people in the simulated survey
points: int = 10  # of the rating scale: 5, 7 or 10
missing: float = 0.0  # share of answers that are missing
language: str = "en"  # one of en, zh: language of the figures

# %% [markdown] lang="en"
# `weighting` holds every method of this chapter; `simulate_survey` invents customers whose true feelings we know.

# %%
import pandas as pd

from crmlab import Questionnaire, weighting
from crmlab.datasets import load_mobi, simulate_survey
from crmlab.teaching import figure, record, show

# %% [markdown] lang="en"
# ## The question
#
# A chain of shops has three branches: Harbour, Market and Station. The best one gets a bonus, and "best" is the
# branch with the highest satisfaction index. Before the survey is out, two directors quarrel about the weights. The
# director of purchasing says that prices decide. The director of service says that complaints 顾客抱怨 decide. The
# chair asks:
#
# > *Whose weights are right, and does it matter?*
#
# Keep the second half of the question in mind. It has an answer; the first half may not.
#
# ## What a weight is
#
# Let $w_i$ be the **weight** 权重 of item $i$, with $w_i \ge 0$ and $\sum_i w_i = 1$. The index is
#
# $$\mathrm{CSI} = 100 \sum_i w_i\, \frac{\bar x_i - \min_i}{\max_i - \min_i}$$
#
# (Fornell and others, 1996; chapter 9). So a weight is a **share**: of the 100 points by which the index can move, item
# $i$ moves $100\,w_i$. There are three sources of weights: people, answers, and a model. We take them in turn.
#
# ## Asking people 主观赋权
#
# **Direct comparison** 直接比较法 is the quickest honest method. Rank the items. Then say how many times as important
# each is as *the next one*, and multiply along the chain.

# %%
chain = {"quality": 1.5, "price": 2, "service": None}
direct = weighting.direct_comparison(chain)
show(direct)

# %% [markdown] lang="en"
# Read it backwards: service is 1, price is twice that, quality is 1.5 times price, so 3 : 2 : 1. Two numbers were
# enough for three weights. The price of this economy: one careless ratio bends everything before it, and nobody would
# notice.
#
# ### Pairs, so that errors show
#
# The **analytic hierarchy process** 层次分析法 (AHP; Saaty, 1980) asks about *every* pair. If $a_{ij}$ says how many
# times as important $i$ is as $j$, then a judge who never contradicts himself has $a_{ij} = w_i / w_j$. The weights
# are the principal eigenvector 主特征向量 of the matrix; its eigenvalue $\lambda$ equals $n$ when there is no
# contradiction, and exceeds it otherwise:
#
# $$\mathrm{CR} = \frac{(\lambda - n)/(n - 1)}{\mathrm{RI}}$$
#
# RI is what random numbers would give; Saaty accepts a **consistency ratio** 一致性比率 up to 0.10.
#
# Can people do this at all? Saaty asked a class which of seven drinks Americans drink more of, pair by pair. Here the
# truth is known, from statistics of consumption.

# %%
drinks = ["coffee", "wine", "tea", "beer", "soda", "milk", "water"]
rows = [
    [1, 9, 5, 2, 1, 1, "1/2"],
    [None, 1, "1/3", "1/9", "1/9", "1/9", "1/9"],
    [None, None, 1, "1/3", "1/4", "1/3", "1/9"],
    [None, None, None, 1, "1/2", 1, "1/3"],
    [None, None, None, None, 1, 2, "1/2"],
    [None, None, None, None, None, 1, "1/3"],
    [None, None, None, None, None, None, 1],
]
judged = weighting.ahp(pd.DataFrame(rows, drinks, drinks))

# %% [markdown] lang="en"
# **Predict, then run.** Nobody in the class knew a single figure. How far from the truth will the shares be: 20
# points, 5 points, or 1?

# %%
truth = pd.Series([0.18, 0.01, 0.04, 0.12, 0.18, 0.14, 0.33], drinks)
show(pd.DataFrame({"judged": judged.weights, "truth": truth}))
show({"lambda": judged.lambda_max, "consistency ratio": judged.consistency_ratio})

# %% [markdown] lang="en"
# Within about one point everywhere. Twenty-one rough comparisons, each wrong in its own way, correct each other. That
# is what pairs are good for. The consistency ratio of 0.02 says that they hardly contradict each other. It uses the
# table of random indices of 1980; with the one of 2005 the third decimal differs, so name the table.
#
# ### A judge who contradicts himself
#
# Now somebody turns one comparison round: "service 1/4 as important as price" becomes 4.

# %%
items = ["quality", "price", "service", "choice"]
careless = weighting.ahp(
    pd.DataFrame([[1, 2, 8, 4], [None, 1, "1/4", 2], [None, None, 1, "1/2"], [None, None, None, 1]], items, items)
)
show(careless.judgements.head(3), digits=2)
show(careless.problems)

# %% [markdown] lang="en"
# The other five comparisons agree on what this one should have been. The program *proposes* a repair and changes
# nothing: the judge may be right and the others wrong. Ask.
#
# Shorter questions work too. In **forced choice** 对偶比较法 the judge only says which of two matters more (0–1), or
# shares out four points (0–4). The share of judges who prefer A to B becomes a distance (Thurstone, 1927). Three judges
# on three pairs: quality or price, quality or service, price or service.

# %%
wins = {"Li": (1, 1, 1), "Wang": (1, 1, 0), "Zhao": (0, 1, 1)}
three = ["quality", "price", "service"]
sheets = {who: [[None, a, b], [None, None, c], [None] * 3] for who, (a, b, c) in wins.items()}
panel = {who: pd.DataFrame(sheet, three, three) for who, sheet in sheets.items()}
forced = weighting.forced_choice(panel, add=1)
distance = weighting.thurstone_case_v(forced.proportions)
show(pd.DataFrame({"points": forced.scores.sum(), "weight": forced.weights, "distance": distance}), digits=2)

# %% [markdown] lang="en"
# One point added to each item (修正得分) leaves some weight to an item that loses every pair. The distances have no
# zero, so they are no weights. All three put quality above service: that distance would be endless, and `crmlab` takes
# 99 % for 100 %. Thirty judges would tell more than three. All of these questions can be collected in one file, and
# `crmlab` prints the sheets to hand out.

# %% [markdown] lang="en"
# ## Asking the answers 客观赋权
#
# Objective methods need no judges. They look at the table of answers:
#
# * **entropy** 熵权法, $w_i \propto 1 + \sum p \ln p / \ln n$ with $p = x / \sum x$, and the **coefficient of
#   variation** 变异系数法, $w_i \propto s_i / \bar x_i$: an item counts more if people differ on it;
# * **CRITIC** (Diakoulaki and others, 1995), $w_i \propto s_i \sum_k (1 - r_{ik})$ on 0–1: it also counts more if no
#   other item says the same;
# * **principal components** 主成分法: it counts more if it *agrees* with the others.
#
# "Objective" means that no person chose the numbers. It does not mean that they measure importance. Here is what they
# say of the three satisfaction items of the mobile-phone survey (Tenenhaus and others, 2005).

# %%
mobi = load_mobi()
satisfaction = ["CUSA1", "CUSA2", "CUSA3"]
methods = {
    "entropy": weighting.entropy,
    "variation": weighting.coefficient_of_variation,
    "CRITIC": weighting.critic,
    "PCA": weighting.pca,
}
show(pd.DataFrame({name: method(mobi[satisfaction]) for name, method in methods.items()}))

# %% [markdown] lang="en"
# They do not agree. CUSA1 asks for overall satisfaction. It is the item a manager would want most, and on it people
# differ least: entropy gives it the smallest weight of the three, CRITIC the largest.
#
# ### Does the zero matter?
#
# A colleague codes the same answers from 0 to 9 instead of 1 to 10. No customer has changed his mind.
#
# **Predict, then run.** Which of the four methods will give other weights?

# %%
moved = {
    name: (method(mobi[satisfaction] - 1) - method(mobi[satisfaction])).abs().max() for name, method in methods.items()
}
show({name: 100 * change for name, change in moved.items()}, digits=2)

# %% [markdown] lang="en"
# In points of per cent: entropy and variation move, the other two do not move at all. Both divide by a mean or a sum,
# and that needs a zero with a meaning. A rating scale has none: its 1 is a label. Below we look again at all
# items of another survey, one whose truth we know.
#
# ## Customers whose truth we know
#
# We invent the chain's customers. At Harbour people find the **prices** better than elsewhere, at Market they find
# **complaints** handled better, at Station nothing is better. All else is equal in the population, save for what
# follows from these along the paths of the model.

# %%
shipped = Questionnaire.shipped("course_csi").text.replace(
    "store: {en: Store, zh: 门店}", "branch: {en: Branch, zh: 分店}"
)
course = Questionnaire.from_text(shipped.replace("10", str(points)), "course_csi.yaml")
better = {"Harbour": {"PerceivedValue": 1.0}, "Market": {"Complaints": 1.5}}
answers = simulate_survey(
    respondents, points=points, missing=missing, seed=seed,
    segments=dict.fromkeys(["Harbour", "Market", "Station"], 1 / 3), shifts=better, segment_column="branch",
).data  # fmt: skip

# %% [markdown] lang="en"
# First the zero again, on all 22 items: the largest change of a weight, in per cent *of that weight*.

# %%
table = answers[list(course.items.index)]
origin = {name: 100 * (method(table - 1) / method(table) - 1).abs().max() for name, method in methods.items()}
show(origin, digits=1)

# %% [markdown] lang="en"
# Weights change by several per cent of themselves, only because the spreadsheet starts at 0. Set `points` to 5 and run
# the page again: the shorter the scale, the nearer the zero, and the larger the change. If you use entropy, say which
# numbers stood in the file.
#
# ## Four levels
#
# Nobody can compare 22 items pair by pair: that would be 231 questions. So judges compare within **levels** 层级: the
# six constructs with each other, and if need be the items of one construct. A **local** weight is a share of the
# level above; a **global** weight is the product of the local ones on the way down. Both sum to 1 where they should.
#
# The two directors compare the six constructs. Their matrices are the same but for two names: what one says about
# value, the other says about complaints.

# %%
views = [[1, "1/2", "1/3", "1/2", 3, 1], [2, 1, "1/2", 1, 4, 2], [3, 2, 1, 2, 5, 3],
         [2, 1, "1/2", 1, 4, 2], ["1/3", "1/4", "1/5", "1/4", 1, "1/2"], [1, "1/2", "1/3", "1/2", 2, 1]]  # fmt: skip
names = ["ExpectedQuality", "PerceivedQuality", "PerceivedValue", "Satisfaction", "Complaints", "Loyalty"]
turned = ["ExpectedQuality", "PerceivedQuality", "Complaints", "Satisfaction", "PerceivedValue", "Loyalty"]
directors = {
    "purchasing": weighting.ahp(pd.DataFrame(views, names, names)),
    "service": weighting.ahp(pd.DataFrame(views, turned, turned)),
}
show(pd.DataFrame({name: result.weights for name, result in directors.items()}))

# %% [markdown] lang="en"
# Both are consistent (the ratio is below 0.01), so neither can be sent home. Rolled down, each gives 22 weights. Items
# that nobody compared share their construct's weight equally.

# %%
rolled = {name: weighting.roll_down({"index": result.weights}, course) for name, result in directors.items()}
levels = weighting.roll_up(rolled["purchasing"], course)
show(levels.groupby("level")["global"].agg(["size", "sum"]))

# %% [markdown] lang="en"
# Six constructs, 17 facets, 22 items, and a sum of 1 on every level.
#
# ## All weightings on one survey
#
# One call adds the objective methods and the weights of the model (chapter 9), and computes the index under each.

# %%
found = weighting.compare(course, answers, by="branch", extra=rolled)
figure(found.plot("weights", language=language))

# %% [markdown] lang="en"
# Each row is an item, each mark a method. The disagreement is large: some items weigh three times as much under one
# method as under another. Surely the index depends on it?
#
# **Predict, then run.** How far apart are the indices of the two directors: 10 points, 3 points, or less than 1?

# %%
show(found.index[["index", "ci_lower", "ci_upper", "difference"]], digits=1)
figure(found.plot("index", language=language))

# %% [markdown] lang="en"
# The two directors are within a point of each other, and all weightings within a few. An index is a mean of items that
# are positively correlated; moving weight from one to another changes little. If the chain only wants to know *how
# satisfied its customers are*, the quarrel is not worth an afternoon.
#
# Entropy puts the index below that of equal weights, and not by accident: items with low means have, other things
# equal, larger relative spread, so it gives weight to where the answers are worst.
#
# **Predict, then run.** And the bonus? Which branch wins under which weights?

# %%
figure(found.plot("groups", language=language))
show(found.ranks())

# %% [markdown] lang="en"
# Harbour wins by the weights of purchasing, Market by those of service. **The index hardly moved; the ranking turned
# over.** There is no contradiction. What one branch gains by a change of weights the other loses, and in the mean of
# all customers the two cancel.
#
# So the answer to the chair is: for the index it does not matter, for the bonus it decides everything. Therefore the
# weights must be fixed *before* the survey, by people who do not get the bonus.
#
# ## How firm is a ranking?
#
# Instead of arguing about two sets of weights, try a thousand. `sensitivity` moves each weight by a fifth, and draws
# random weights around the equal ones.

# %%
shaken = found.sensitivity("equal", seed=seed)
show(shaken.ranks, digits=2)
show(shaken.noise, digits=1)

# %% [markdown] lang="en"
# Each row of the first table says how often a branch has which rank. Station is last whatever we do: *that* is a
# finding. Where first place is shared between two branches, report a tie.
#
# The tornado 龙卷风图 shows the constructs one by one: what the index becomes when one weighs a fifth less or more.

# %%
figure(shaken.plot(level=2, language=language))

# %% [markdown] lang="en"
# The bars are tenths of a point. No single weight is worth a fight about the index.
#
# ## What can go wrong
#
# **An item that everybody answers alike.** Suppose every customer of a branch gives 7 to "the shop is clean".

# %%
same = table.assign(PQ5=float(min(7, points)))
weights = weighting.entropy(same)
show({"weight of PQ5": weights["PQ5"]})
show(weighting.problems(weights)[:1])

# %% [markdown] lang="en"
# Entropy gives it no weight at all, and says so. For telling customers apart that is right. For the *level* of
# satisfaction it is absurd: cleanliness that everybody praises drops out of the index. Objective weights answer the
# question "where do people differ?" Do not use them for "what matters?".

# %% [markdown] lang="en"
# ## From numbers to decisions
#
# | What you see | How to read it | What to do |
# | --- | --- | --- |
# | Consistency ratio above 0.10 | The judge contradicts himself | Show him the pair; never repair it for him |
# | Judges agree little (low Kendall's W) | Their mean speaks for nobody | Let them talk, judge again |
# | Weights differ, index does not | Items are positively correlated | Take the simplest weights, keep them for years |
# | Ranking differs between weightings | Groups are good at different things | Report a tie, or the profile |
# | A group is last under all weights | A finding | Act on it |
# | Entropy or variation was used | The origin of the scale mattered | State the codes, or use CRITIC |
# | Index changed, and so did the weights | A change of recipe | Recompute last year with this year's weights |
#
# We keep the key numbers of this chapter where a program can find them. Tests compare them with published values.

# %%
index = found.index["index"]
record(
    {
        **{"drinks": judged.weights, "lambda": judged.lambda_max, "consistency_ratio": judged.consistency_ratio},
        **{"direct": direct, "forced": forced.weights, "level_sums": levels.groupby("level")["global"].sum()},
        "moved_by_origin": {name: round(change, 9) for name, change in moved.items()},
        "origin": {name: round(change, 9) for name, change in origin.items()},
        **{"spread": found.spread, "directors_apart": abs(index["purchasing"] - index["service"])},
        "entropy_below": index["equal"] - index["entropy"],
        "winner": {name: found.ranks()[name].idxmin() for name in rolled},
        **{"last": found.ranks().loc["Station", list(rolled)], "station_last": shaken.ranks.loc["Station", 3]},
        "constant_item": weights["PQ5"],
    }
)

# %% [markdown] lang="en"
# ## Recap
#
# 1. **People.** Points, a chain of ratios, or pairs. Pairs cost more questions and show errors.
# 2. **Trust.** The consistency ratio finds contradictions within a judge, Kendall's W between judges.
# 3. **Answers.** Entropy and variation see spread, CRITIC also sees repetition. None sees importance.
# 4. **Origin.** Entropy and variation change when 1–5 becomes 0–4; CRITIC and PCA do not.
# 5. **Levels and sensitivity.** Local times local is global. The index hardly depends on weights, a ranking may.
#
# ## On your own data
#
# ```
# crmlab weights --questionnaire my_survey.yaml --data answers.csv --by branch --out weights
# crmlab weights --questionnaire my_survey.yaml --data answers.csv --judgements judges.xlsx --out weights
# ```
#
# `weighting.write_judgement_workbook` makes the workbook for your judges, `weighting.write_judgement_sheet` a page to
# print. The template of this study is `weights_study`.
#
# ## Exercises and references
#
# Open `exercises/08_indicator_weighting.ipynb`: three questions with hints, and one open task.
#
# * Diakoulaki, D., Mavrotas, G., & Papayannakis, L. (1995). Determining objective weights in multiple criteria
#   problems: the CRITIC method. *Computers & Operations Research* 22, 763–770.
# * Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., & Bryant, B. E. (1996). The American customer satisfaction
#   index. *Journal of Marketing* 60(4), 7–18.
# * Saaty, T. L. (1980). *The Analytic Hierarchy Process*. McGraw-Hill.
# * Saaty, T. L. (2008). Decision making with the analytic hierarchy process. *International Journal of Services
#   Sciences* 1, 83–98 (the seven drinks and their actual consumption).
# * Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M., & Lauro, C. (2005). PLS path modeling. *Computational
#   Statistics & Data Analysis* 48, 159–205.
# * Thurstone, L. L. (1927). A law of comparative judgment. *Psychological Review* 34, 273–286.
