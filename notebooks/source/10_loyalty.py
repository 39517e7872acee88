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
# # 10 · Loyalty
#
# *Who stays, why, and does a more satisfied customer (满意) become a more loyal one (忠诚)?*
#
# **For** students of customer relationship management, and for analysts whose index rises while sales do not.
#
# **You should know** what a mean, a correlation and an interval are. Chapters 7 (items), 8 (weights) and 9 (the index)
# help; nothing of them is needed to follow.
#
# **Objectives.** After this chapter you can
#
# 1. say which loyalty you mean: behaviour 行为, intention 意向 or affect 情感, and how far the three agree;
# 2. sort customers into the types of the textbooks, and say what your thresholds have decided;
# 3. fit how loyalty follows satisfaction, find the insensitive zone 不敏感区, and say when there is none to be found;
# 4. say what the net promoter score 净推荐值 throws away, and what the customer gets for what the customer gives;
# 5. test honestly whether making good 服务补救 wins more than it lost.
#
# **Time:** 30 minutes.

# %% [markdown] lang="en"
# These are the settings of this page. Everything random follows from the seed 随机种子.

# %% tags=["parameters"]
seed: int = 2026  # everything random follows from it
customers: int = 1200  # simulated customers of the club
hold: float = 30.0  # points of intention that the highest switching cost adds, 10 to 40
slope_share: float = 0.5  # below this share of the steepest slope, satisfaction hardly counts; 0.3 to 0.6
language: str = "en"  # one of en, zh: language of the figures

# %% [markdown] lang="en"
# `loyalty` holds the methods of this chapter; `simulate_loyalty` invents customers whose inner life we know.

# %%
import numpy as np
import pandas as pd

from crmlab import likert, loyalty, weighting
from crmlab.datasets import load_mobi, simulate_loyalty
from crmlab.teaching import figure, record, show

# %% [markdown] lang="en"
# ## The question
#
# A sports club has spent a year and much money on its changing rooms. Satisfaction rose by half a point. At the end of
# the year as many members left as ever. The manager asks:
#
# > *They say they are happier, and they go all the same. Did we spend on the wrong people, or on the wrong thing?*
#
# ## Loyal in which sense?
#
# Dick and Basu, Jones and Sasser, Gremler and Brown all write of loyalty and do not mean the same. Gremler and Brown
# (1996) keep three things apart: what customers *do* (orders), what they *intend* (to stay), and what they *feel*
# (attachment). We have all three of every member.
#
# **Predict, then run.** How high are the three correlations? Who is loyal in deed but not at heart?

# %%
drawn = simulate_loyalty(customers, hold=hold, seed=seed)
data = drawn.data
three = loyalty.gremler_brown(data["purchases"], data["intention"], data["affect"], thresholds=(6, 60, 55))
show(three.pairs[["first", "second", "pearson", "ci_lower", "ci_upper", "agree", "kappa"]], digits=2)
figure(three.plot(language))
deed_alone = (data["purchases"] >= 6) & (data["intention"] < 60) & (data["affect"] < 55)
ties = pd.crosstab(data["constraint"], deed_alone.map({True: "deed alone", False: "others"}), normalize="columns")
show(ties, digits=2)

# %% [markdown] lang="en"
# Intention and affect go together; behaviour follows neither closely. Kappa takes off what chance alone would agree on.
# Look at the fourth bar: much behaviour, little intention, little affect. A report of orders calls these members loyal.
# The last table says what most of them are: tied, by contract (law 法律), by being the only club nearby (place 地点),
# or because they know no other (knowledge 知识).
#
# ## Types 忠诚类型: the map
#
# Dick and Basu (1994) cross the attitude to us, *compared with the rivals*, with repeat patronage; Jones and Sasser
# (1995) cross satisfaction with loyalty. Both give
#
# $$\text{type} = \big(\,[x \ge c_x],\; [y \ge c_y]\,\big),$$
#
# and neither says where the lines $c_x$, $c_y$ are. For Dick and Basu we take the lines of above, 55 of 100 for affect
# and 6 orders. (Ours is an attitude without rivals; on your own survey ask how you compare.) For Jones and Sasser we
# choose 7 of 10 for satisfaction, 60 of 100 for intention, and mark their two extremes: *apostles* 传道者 and
# *terrorists* 破坏者.

# %%
attitude = loyalty.dick_basu(data["affect"], data["purchases"], thresholds=(55, 6))
show(attitude.table[["n", "share", "ci_lower", "ci_upper"]], digits=2)
lines = {"thresholds": (7, 60), "extremes": ((9, 80), (4, 30)), "scales": ((1, 10), (0, 100))}
types = loyalty.jones_sasser(data["satisfaction"], data["intention"], **lines)
figure(types.plot("map", language))

# %% [markdown] lang="en"
# Each member has one type: the rules are a decision table, proved complete and disjoint (chapter 5). *Spurious*
# loyalty 虚假忠诚 is the deed without the heart, second and fourth bar of the first figure together; *latent* 潜在忠诚
# the heart without the deed.
#
# **Predict, then run.** We move the line of satisfaction from 7 up to 7.9. How many members change their type?

# %%
figure(types.plot("moves", language))
show(types.problems or "nothing to object to")

# %% [markdown] lang="en"
# About one in five. Nothing has happened to any of them: only our line has moved. So a share of "hostages" 人质型 is
# worth no more than the sentence that says where high begins; and a median, which many programs take, makes half of all
# customers high whatever they think.
#
# ### Why do they buy? 依恋与重复购买
#
# The course names five kinds by attachment and repeat purchase. Three of them share one quadrant: monopoly 垄断,
# inertia 惰性 and incentive 激励 are all (low, high). Only the *reason* can tell them apart, so the rule asks for it.

# %%
kinds = loyalty.attachment(data["affect"], data["purchases"], data["reason"], thresholds=(50, 6))
show(kinds.rules.rules)
show(kinds.explain().iloc[:3].tolist())
figure(kinds.plot("shares", language))

# %% [markdown] lang="en"
# Every row can be read, and every member can be told why. Rules 2, 7 and 8 are ours, because the course leaves these
# cells open; and rule 6 is wider than the course, which has price 价格 at (low, low) only. Monopoly, inertia, incentive
# and price are members who come for another reason than the club itself. They may go when that reason goes.
#
# ## Loyalty as one number 综合指数
#
# The course also adds loyalty up: trust, contact, outcome of service, satisfaction, will to stay (items LY1 to LY5, in
# this order). With parts $p_{k}$ on 0–100 and weights $w_k$,
#
# $$L = \sum_k w_k\, p_k, \qquad \sum_k w_k = 1 .$$
#
# Whose weights? The manager ranks the parts and says how many times as important each is as the next (直接比较法,
# chapter 8).

# %%
weights = weighting.direct_comparison({"LY5": 1.5, "LY1": 1.5, "LY4": 1.0, "LY3": 2.0, "LY2": None})
parts = data[[*weights.index]]
index = loyalty.composite_index(parts, [*parts], scale=(1, 10), weights=weights, satisfaction=["LY4"], seed=seed)
show({"index": index.index, "from": index.ci_lower, "to": index.ci_upper}, digits=1)
show(index.parts, digits=2)
show(index.sensitivity.noise, digits=2)
show(index.problems)

# %% [markdown] lang="en"
# Each row's contribution is weight times mean, and they add up to the index. Random weights around the manager's (the
# small table) move it by a fraction of a point: not worth a quarrel. The objection is that satisfaction is *in* the
# index. If you then correlate the index with satisfaction, it meets itself.
#
# ## Does loyalty follow satisfaction?
#
# A straight line says: every point of satisfaction is worth the same. The course says: not so. There is a zone where
# better quality hardly moves loyalty. A **sigmoid** S 形曲线 can say that:
#
# $$\hat y(x) = a + \frac{b - a}{1 + e^{-k(x-m)}} .$$
#
# Its slope is steepest at $m$. It falls to a share $q$ of that at $m \pm \frac{2}{k}\,\mathrm{artanh}\sqrt{1-q}$: these
# are the two **thresholds** 阈值, and beyond them lie the insensitive zones. **Loess** 局部回归 (Cleveland, 1979)
# supposes no shape at all. AIC (Akaike, 1974) compares models with a likelihood; cross-validation 交叉验证
# compares all three by how well they predict members they have not seen.
#
# **Predict, then run.** Real people first: 250 customers of mobile-phone firms. Which model wins?

# %%
mobi = load_mobi()
satisfied, stays = (mobi[[f"{name}{k}" for k in (1, 2, 3)]].mean(axis=1) for name in ("CUSA", "CUSL"))
settings = {"slope_share": slope_share, "bootstrap": 200, "seed": seed}
real = loyalty.link_function(satisfied, stays, **settings)
show(real.models[["parameters", "r_squared", "aic", "cv_rmse", "cv_difference", "cv_se"]], digits=2)
show([real.problems[0], real.problems[-1]])

# %% [markdown] lang="en"
# The straight line. The sigmoid gains nothing, and its parameters run off to where no customer is. Hardly anybody here
# is dissatisfied, and 250 answers are few: these data **cannot** show a threshold. That is not the same as: there is
# none. Nobody should draw an S through them.
#
# Now our club, where we know the truth.

# %%
link = loyalty.link_function(data["satisfaction"], data["intention"], **settings)
figure(link.plot(language))

# %% [markdown] lang="en"
# The means bend at both ends, and so does loess, which was not told to. Compare with what the members were made of:

# %%
reach = 2 * np.arctanh(np.sqrt(1 - slope_share)) / drawn.link["steepness"]
truth = {"midpoint": drawn.link["midpoint"], "steepness": drawn.link["steepness"]}
truth |= {"threshold_lower": truth["midpoint"] - reach, "threshold_upper": truth["midpoint"] + reach}
show(link.parameters.loc[list(truth)].assign(truth=truth), digits=2)
show(link.models[["r_squared", "aic_difference", "cv_rmse"]], digits=2)
show(link.zones, digits=2)

# %% [markdown] lang="en"
# The estimates lie close to the truth, and all criteria prefer the sigmoid to the line. And the manager? A large part
# of the members is below the lower or above the upper threshold (the last column). Half a point more does little there:
# less than the share `slope_share` of what it does at the midpoint. The reasons are opposite: the first are still
# unhappy, the second were won already. The money belongs to those *in between*.
#
# ## Does it work for everybody? 转换成本
#
# **Predict, then run.** Where it is costly to leave, does satisfaction gain more loyalty, less, or as much? (*high* in
# the figure: a switching cost of 6 of 10 or more.)

# %%
measured = (data["satisfaction"], data["intention"], data["switching_cost"])
moved = loyalty.moderation(*measured, cut=6, **settings)
figure(moved.plot(language))
show(moved.differences.query("measure in ['lower', 'upper', 'gain']"), digits=1)

# %% [markdown] lang="en"
# Less. Who cannot leave says "I stay" even when unhappy: the curve begins higher (*lower* is the loyalty of the least
# satisfied), ends at about the same height, and gains less. A club that watches only intention among tied members sees
# nothing until the tie breaks.
#
# ## What can go wrong
#
# **Satisfaction measured badly.** The same club, but with an error of 1.2 points in every answer on satisfaction.

# %%
blurred = simulate_loyalty(customers, hold=hold, error=1.2, seed=seed).data
worse = loyalty.link_function(blurred["satisfaction"], blurred["intention"], **settings)
estimates = {"clean": link.parameters["estimate"], "with error": worse.parameters["estimate"], "truth": truth}
show(pd.DataFrame(estimates).loc[list(truth)], digits=2)

# %% [markdown] lang="en"
# The curve is flattened and the thresholds drift apart: steepness is cut to less than half. No interval warns of it,
# since the error is in $x$. Ask several questions about satisfaction, and use their mean.
#
# **Another shape.** Suppose that very low and very high satisfaction move people, and the middle does not: a zone of
# tolerance 容忍区.

# %%
other = simulate_loyalty(2500, shape="tolerance", seed=seed).data
bent = loyalty.link_function(other["satisfaction"], other["intention"], span=0.3, **settings)
show(bent.models[["aic_difference", "cv_rmse", "cv_difference", "cv_se"]], digits=2)
show(bent.problems)
show(bent.zones, digits=1)

# %% [markdown] lang="en"
# AIC had a straight line and a sigmoid to choose from, and both are wrong. Loess finds the flat middle, and
# cross-validation says by more than two standard errors that it is real. Always look at a curve that nobody has given a
# shape.
#
# ## One number to grow? 净推荐值
#
# Would you recommend us, 0 to 10? Reichheld (2003) turns eleven answers into three: $\mathrm{NPS} = 100\,(p - d)$, with
# $p$ the share of 9–10 and $d$ the share of 0–6; its variance is $100^2\big(p + d - (p-d)^2\big)/n$.
#
# **Predict, then run.** Which interval is wider on its own scale: that of the NPS, or that of the mean answer?

# %%
promoters = loyalty.nps(data["recommend"], data["satisfaction"], scale=(1, 10), bootstrap=300, seed=seed)
figure(promoters.plot(language))
show(promoters.lost, digits=2)
show(promoters.problems)

# %% [markdown] lang="en"
# From 0 to 6 all are alike, and so are 7 and 8, 9 and 10; what people said within these bands is gone. To see the same
# shift, the score needs about 1.4 times the respondents. It is easy to remember, and that is its merit. Keep the
# answers.
#
# ## What do they get for what they give? 感知价值
#
# Total value 总价值 (product, service, people, image) against total cost 总成本 (money, time, energy, effort), and what
# was found against what was expected.

# %%
benefits = {name: [f"value_{name}"] for name in ("product", "service", "people", "image")}
costs = {name: [f"cost_{name}"] for name in ("money", "time", "energy", "effort")}
value = likert.perceived_value(data, benefits, costs, scale=(1, 10), seed=seed)
show(value.totals, digits=2)
gaps = likert.gaps(data, {name: (f"value_{name}", f"expected_{name}") for name in benefits})
figure(gaps.plot(language=language))

# %% [markdown] lang="en"
# Members rate what they get higher than what they give. Against what they *expected*, image is the widest gap. Changing
# rooms are product, and there hardly any gap was left.
#
# ## When something goes wrong 顾客抱怨
#
# What are complaints about? A table of words, which you can open and change, reads the letters; a person has read them
# too.

# %%
letters = loyalty.code_complaints(drawn.complaints["text"], hand=drawn.complaints["cause"])
show(letters.confusion)
show(letters.problems)

# %% [markdown] lang="en"
# Rows are the person's, columns the words'. The mistakes have a system: 我自己洗坏了 ("I broke it in the wash")
# holds words of two causes, 坏了 and 自己, and the cause that stands first in the table wins. A late parcel *and* a
# rude hotline likewise. Uncoded letters are named, not guessed.

# %%
handled = loyalty.handling(drawn.complaints, ["acknowledged", "investigated", "resolved", "followed_up"])
figure(handled.plot(language))

# %% [markdown] lang="en"
# The median counts open complaints for as long as they have been open (Kaplan & Meier, 1958). A mean over finished ones
# would praise a department that finishes only the easy cases.
#
# ### The recovery paradox 服务补救悖论
#
# It is said that a customer whose complaint was made good is *more* satisfied than one who never had to complain. If
# that were so, clubs should make mistakes.
#
# **Predict, then run.** We compare satisfaction a year later. Is there a paradox?

# %%
asked = (data["satisfaction_after"], data["complained"], data["recovered"])
plain = loyalty.recovery(*asked)
show(plain.groups, digits=2)
show(plain.contrasts[["against", "difference", "ci_lower", "ci_upper"]], digits=2)
show({"paradox": plain.paradox})
show(plain.problems)

# %% [markdown] lang="en"
# Yes, by a good margin, and the interval of the difference leaves out zero. A meta-analysis found the same for
# satisfaction, though not for the intention to buy again (de Matos and others, 2007). But read the objections. We have
# the same members' satisfaction from before, and a question whether anything went wrong at all. Both were cheap to ask.

# %%
honest = loyalty.recovery(*asked, before=data["satisfaction"], problem=data["problem"], stake=data["stake"])
figure(honest.plot(language))
show({"paradox": honest.paradox, "true effect": drawn.paradox, "its true change by stake": drawn.stake_effect})
show(honest.stake)
show(honest.problems)

# %% [markdown] lang="en"
# There is none. Two things made it: the club makes good to its *happier* members more often, and among those who "never
# complained" many had suffered in silence 沉默. Against members without a problem, and as a change, recovered members
# end **lower**, near the true effect. But against the unrecovered, making good is worth more than a point. That,
# not the paradox, is the case for doing it.
#
# The more was at stake 利害, the less is restored: the row *difference*. For small matters making good may be enough;
# for great ones it must not go wrong in the first place.
#
# ## From numbers to decisions
#
# | What you see | How to read it | What to do |
# | --- | --- | --- |
# | Orders without affect | Tied, not loyal | Find the tie; earn affection before it breaks |
# | Many change type when a line moves | The line decides, not the customer | Report the line; show the map |
# | A straight line does as well | No evidence for thresholds | Do not draw an S; ask more dissatisfied people |
# | Most are beyond the thresholds | Half a point more buys little there | Spend on those in between |
# | Loess predicts better | Another shape | Read the flat stretch of loess |
# | A smaller gain among the tied | Intention hides anger | Watch affect and complaints |
# | An NPS moved by 5 points | Often within its interval | Look at the mean answer and at $n$ |
# | A paradox without a before | Selection, regression to the mean, silence | Ask before, and ask who had a problem |
# | High stakes | Recovery restores less | Prevent first |
#
# We keep the key numbers of this chapter where a program can find them.

# %%
change = honest.contrasts.query("way == 'change'").set_index("against")["difference"]
away = link.parameters.loc[list(truth)].assign(truth=truth).eval("(estimate - truth) / (ci_upper - ci_lower)").abs()
found = {"pearson": three.pairs["pearson"], "types": types.table["share"], "kinds": kinds.table["share"]}
found |= {"ties": ties["deed alone"], "attitude": attitude.table["share"], "patterns": three.patterns["share"]}
found |= {"moved": types.sensitivity["share"], "index": index.index, "noise": index.sensitivity.noise["sd"]}
found |= {"mobi": real.best, "r_squared": real.models["r_squared"]["linear"], "best": link.best, "bent": bent.best}
found |= {"truth": truth, "estimate": link.parameters["estimate"], "away": away.max()}
found |= {"blurred": worse.parameters["estimate"]["steepness"], "gain": moved.differences["difference"].iloc[-1]}
found |= {"nps": promoters.nps, "lost": promoters.lost, "value": value.totals["ratio"], "gaps": gaps.table["gap"]}
found |= {"kappa": letters.agreement.kappa, "plain": plain.paradox, "honest": honest.paradox, "change": change}
found |= {"paradox": drawn.paradox, "stake": honest.stake["slope"]["difference"], "stake_truth": drawn.stake_effect}
record(found)

# %% [markdown] lang="en"
# ## Recap
#
# 1. **Which loyalty?** Behaviour, intention and affect are three measures; say which one you mean, and look at who has
#    one without the others.
# 2. **Types.** Quadrants with chosen lines; the sensitivity says what the lines decide, reasons what quadrants cannot.
# 3. **The link.** Line, sigmoid and loess, compared by AIC and cross-validation; thresholds with intervals, or the
#    sentence that the data show none.
# 4. **One number.** The NPS keeps three of eleven answers; value is what one gets for what one gives, and against what
#    one expected.
# 5. **Recovery.** Compare changes, with those who had no problem; the paradox goes, the case for making good stays.
#
# ## On your own data
#
# ```python
# from crmlab import loyalty
# link = loyalty.link_function(answers["satisfaction"], answers["stay"])
# print(link.best, *link.problems, sep="\n")
# types = loyalty.jones_sasser(answers["satisfaction"], answers["stay"], thresholds=(8, 7), scales=((1, 10), (1, 10)))
# codes = loyalty.code_complaints(letters["text"], words="my_words.yaml")
# ```
#
# The table of words for complaints and the rules of the types are short files in `crmlab/loyalty/rules`: copy, change,
# and name your copy in `words=` or `rules=`.
#
# ## Exercises and references
#
# Open `exercises/10_loyalty.ipynb`: three questions with hints, and one open task.
#
# * Akaike, H. (1974). A new look at the statistical model identification. *IEEE Transactions on Automatic Control* 19,
#   716–723.
# * Cleveland, W. S. (1979). Robust locally weighted regression. *Journal of the American Statistical Association* 74,
#   829–836.
# * Dick, A. S., & Basu, K. (1994). Customer loyalty. *Journal of the Academy of Marketing Science* 22, 99–113.
# * Gremler, D. D., & Brown, S. W. (1996). Service loyalty. In Edvardsson et al. (eds.), *Advancing service quality: a
#   global perspective*, 171–180.
# * Jones, T. O., & Sasser, W. E. (1995). Why satisfied customers defect. *Harvard Business Review* 73(6), 88–99.
# * Kaplan, E. L., & Meier, P. (1958). Nonparametric estimation from incomplete observations. *Journal of the American
#   Statistical Association* 53, 457–481.
# * de Matos, C. A., Henrique, J. L., & Rossi, C. A. V. (2007). Service recovery paradox: a meta-analysis. *Journal of
#   Service Research* 10, 60–77.
# * Reichheld, F. F. (2003). The one number you need to grow. *Harvard Business Review* 81(12), 46–54.
