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
# # 6 · Survey design
#
# *What do we ask, whom do we ask, how many, what does it cost, and can we trust what comes back?* 调查设计
#
# **For** students of customer relationship management, and for everybody who is about to send a questionnaire to
# customers.
#
# **You should know** what a mean and a standard deviation are. Nothing else.
#
# **Objectives.** After this chapter you can
#
# 1. lead from the object of measurement 测评对象 through four levels of indicators 四级指标体系 to a questionnaire;
# 2. find the faults of a question before a customer does, and make form and codebook from one file;
# 3. say how many people to ask, how to divide them among strata 分层抽样, and what such a survey can find;
# 4. compare modes of survey by the price of a usable answer;
# 5. run a pilot 预调查, read what a survey tool exports, and check it;
# 6. explain why ten thousand answers can be worse than four hundred.
#
# **Time:** 30 minutes.
#
# The next cell holds the settings of this page. The scale may have 5, 7 or 10 points, the pilot may come back with
# gaps, and labels may be English or Chinese. Change one and run the page again.

# %% tags=["parameters"]
seed: int = 2026  # everything random follows from it
points: int = 10  # of the rating scale: 5, 7 or 10
missing: float = 0.04  # share of answers left blank, 0 or more
language: str = "en"  # of labels, forms and figures: en or zh
surveys: int = 60  # simulated surveys behind each power

# %% [markdown] lang="en"
# One cell brings all tools. `Questionnaire` reads the design of a survey, `sampling` holds the calculators,
# `simulate_survey` invents customers whose true feelings we know.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from crmlab import Questionnaire, read_responses, sampling
from crmlab.datasets import simulate_survey
from crmlab.likert import item_analysis
from crmlab.plots.sampling import precision_curve
from crmlab.teaching import figure, record, show

# %% [markdown] lang="en"
# ## The question
#
# A chain of three shops wants to know how satisfied its customers are. The director has 6,000 yuan and six weeks, and
# one more thing on the desk: the head of marketing has put a poll on the shop's fan page, and *ten thousand people have
# answered it already*.
#
# > *Ten thousand answers, for nothing! Why should I pay for four hundred?*
#
# You will be able to answer at the end of this chapter. Start at the beginning: what is it that we want to know?
#
# ## From the object to the questions
#
# A survey is designed in three steps: the **object of measurement** 测评对象, the **sampling design** 抽样设计, the
# **questionnaire** 问卷设计. The object here is the satisfaction of people who bought in one of the three shops during
# the last three months. Note what this excludes: those who stopped coming, and those who never came.
#
# Satisfaction cannot be seen, so it is taken apart until only things are left that people can be asked. That takes
# **four levels**: the index (level 1), six latent variables 潜变量 (level 2), their facets in this trade 维度 (level
# 3), and the questions 题项 (level 4). All four stand in one file. Here the scale is set to the points of this page.

# %%
shipped = Questionnaire.shipped("course_csi")
course = Questionnaire.from_text(shipped.text.replace("10", str(points)), "course_csi.yaml")
figure(course.plot(language))

# %% [markdown] lang="en"
# The six latent variables are those of every satisfaction index (chapter 9): expectation, quality and value come
# before satisfaction, complaints and loyalty after it. Levels 3 and 4 belong to the trade: a bank would have other
# facets than a shop. Read the tree from right to left as a test: each question must belong to exactly one facet, each
# facet to one latent variable. A question that fits in two places measures neither well. A facet without questions is
# a promise that the survey does not keep.
#
# ### Where do facets come from?
#
# From customers, not from the meeting room. Qualitative methods 定性方法 find out *what* matters; quantitative ones
# 定量方法 find out *how much* and *to how many*. Do them in this order.
#
# | Way to learn needs | Kind | It tells | It cannot tell |
# | --- | --- | --- | --- |
# | Meetings with customers 座谈会 | qualitative | their words for things | what the silent think |
# | Focus group 焦点小组 | qualitative | why people disagree | how many hold a view |
# | Watching customers shop (ethnography 民族志) | qualitative | what they do, not what they say | what they feel |
# | Analogy with another trade 行业类比 | qualitative | facets you had not thought of | whether they matter here |
# | Comment cards 意见卡 | both | what is fresh in mind | the mean: the angry and the delighted write |
# | Complaints and service calls | both | what goes wrong | how often it goes right |
# | Customer database 客户数据库 | quantitative | who buys what, how often | why |
# | Survey of a sample 抽样调查 | quantitative | levels and reasons, with a margin | what nobody thought to ask |
#
# The same four levels hold other ideas as well. The file `loyalty_value.yaml` has three groups of items: the **seven
# measures of value** to the customer (quality, price, innovation, brand, service, experience, attachment);
# **satisfaction** with ideas 理念, behaviour 行为, look and sound 视听; and **loyalty as a composite** of trust,
# contact, outcome of service, satisfaction and willingness to stay.

# %%
value = Questionnaire.shipped("loyalty_value")
show(value.table(language).drop(columns="index"))

# %% [markdown] lang="en"
# Loyalty is marked `formative` in the file: its five parts *make up* loyalty, as goods make up a shopping basket. Trust
# may be high and contact low. The items of satisfaction, by contrast, should rise and fall together, for they show the
# same feeling. Chapter 8 is about the weights such a composite needs.
#
# ## Faults of a question
#
# Most damage is done before anybody answers. Below is a draft as it is often written. **Predict, then run:** one fault
# sits in each of the first four items, and four more in the file as a whole. How many do you see?

# %%
draft = Questionnaire.from_text("""
crmlab_questionnaire: 1
name: draft
index: Joy
scale: {min: 1, max: 5, labels: {1: disagree, 5: agree}}
constructs:
  Joy:
    label: Joy of shopping
    facets:
    - {label: Staff, items: {J1: The staff are quick and friendly, J2: "Don't you like our staff?"}}
    - {label: Visit, items: {J3: I do not dislike my visits, J4: The shop is always clean}}
""")
show(draft.lint_table()[["rule", "finding"]])

# %% [markdown] lang="en"
# Each finding says what, why and what to do; the column `reference`, not shown, says who has studied it. Lint reads
# words and not minds: it says "may", and it will miss a question that is polite, short and about nothing. The shipped
# design of the course is not without fault either: it asks for agreement with favourable sentences only. Somebody who
# nods to everything looks like a satisfied customer. We come back to this in the pilot.
#
# ## One file, three products
#
# The form for respondents, the codebook for whoever opens the data in five years, and the model of chapter 9 all follow
# from the file. Nothing is typed twice, so nothing can disagree.

# %%
folder = Path(tempfile.mkdtemp())
value.write_form(folder / f"form_{language}.html", language)
value.write_codebook(folder / "codebook.xlsx")
codebook = value.codebook()
show({name: f"{len(sheet)} rows" for name, sheet in codebook.items()})

# %% [markdown] lang="en"
# The form prints on A4, in English or Chinese, with a circle for each answer and a box for who cannot say. Open it in a
# browser: it shows numbers and wordings, but neither the names of the constructs nor those of the columns. A heading
# "Loyalty" above the last questions would tell people what kind of customer they ought to be.
#
# ## How many to ask
#
# Let $s$ be the standard deviation between people, $e$ the margin of error 误差范围 we can live with, and $z = 1.96$
# for 95 % confidence. A simple random sample 简单随机抽样 of an endless population needs
#
# $$n_0 = \left(\frac{z\,s}{e}\right)^2 \qquad\text{and for a share } p\text{:}\quad n_0 = \frac{z^2\,p(1-p)}{e^2}$$
#
# people (Cochran, 1977). Of a finite population of $N$ people it needs a little less, $n = n_0/(1 + n_0/N)$. For $s$ we
# use last year's survey; here we invent the customers, so that the truth is known.

# %%
stores = {"Riverside": 0.45, "Station": 0.35, "Old Town": 0.20}
people = simulate_survey(50_000, points=points, seed=seed, segments=stores).data
people["index"] = 100 * (people[course.blocks["Satisfaction"]].mean(axis=1) - 1) / (points - 1)
truth, sd = people["index"].mean(), people["index"].sample(400, random_state=seed).std()
show({"customers": len(people), "true index": truth, "sd last year": sd}, digits=1)

# %% [markdown] lang="en"
# Each of the 50,000 customers has an index of their own, from 0 to 100. Their mean is the truth that a survey tries to
# find; the director will never see it.
#
# **Predict, then run.** A margin of ± 2 points needs about three hundred people. How many does ± 1 point need?

# %%
needed = {margin: sampling.size_for_mean(margin, sd=sd) for margin in (2, 1)}
finite = sampling.size_for_mean(2, sd=sd, population=600)
show({"± 2 points": needed[2], "± 1 point": needed[1], "± 2 points of 600 customers": finite})
curve = sampling.precision(range(50, 1501, 10), sd=sd)
unit = {"en": "index points", "zh": "指数点"}[language]
figure(precision_curve(curve, chosen=400, unit=unit, language=language))

# %% [markdown] lang="en"
# Four times as many, not twice: the margin shrinks with the *root* of $n$, so the curve is steep at first and flat
# later. And the size of the population hardly matters until the sample is a good part of it: 50,000 customers or 50
# million, the answer is the same. A spoonful tells how salty the soup is, however large the pot, *if it is stirred*.
# Keep that "if" in mind.
#
# ### Strata: whom to ask
#
# A list of customers by store lets us draw from each store separately. With $N_h$ people and spread $S_h$ in stratum
# $h$, **proportional** allocation takes $n_h \propto N_h$; **Neyman's** takes $n_h \propto N_h S_h$, more where people
# differ more, and has the smallest variance of all. How much does it gain? We try two targets: the mean satisfaction
# index, whose spread is alike in all stores, and the mean monthly spend (in yuan, from the tills), whose spread is not.

# %%
strata = pd.DataFrame({"population": people.groupby("store").size()}).loc[list(stores)]
targets = {"index": people.groupby("store")["index"].std(), "spend": pd.Series([60, 110, 480], list(stores))}
plans = {
    (target, method): sampling.allocate(strata.assign(sd=spread), 400, method=method)
    for target, spread in targets.items()
    for method in ("proportional", "neyman")
}
rows = {key: {store: str(n) for store, n in plan.table["n"].items()} for key, plan in plans.items()}
show(pd.DataFrame(rows).T.assign(margin=[plan.margin() for plan in plans.values()]), digits=2)
figure(plans["spend", "neyman"].plot(language))

# %% [markdown] lang="en"
# For the index the two plans are nearly the same, and so are their margins: take the simple one. For spend, Neyman's
# plan asks far more people in the Old Town, where a few customers spend very much, and the margin falls by more
# than a quarter for the same money.
#
# Such a sample is not a small copy of the customers any more. Every figure about all of them must use the **weights**
# 权数 $N_h/n_h$ that the plan's table holds, or the Old Town would count several times.
#
# ### Clusters: the price of convenience
#
# Interviewing twenty people at each of twenty tills is cheap, but people at one till on one morning are alike. The
# **design effect** 设计效应 $1 + (m - 1)\rho$ says by how much the variance grows with $m$ people in a cluster and an
# intraclass correlation $\rho$ (Kish, 1965).

# %%
effect = sampling.cluster_design_effect(20, icc=0.05)
show({"design effect": effect, "400 interviews count as": 400 / effect}, digits=2)

# %% [markdown] lang="en"
# A correlation of 0.05, far too small to notice, makes four hundred interviews worth about two hundred.
#
# ### What a model needs
#
# A director wants reasons, not only a level. The weakest path of interest decides. Kock and Hadaya (2018) give two
# quick rules for partial least squares, at 5 % (one-sided) and a power 检验功效 of 80 %: the **inverse square root**,
# $n > (2.486/|\beta|)^2$, and the **gamma-exponential**. If nothing is known of the path they advise to assume .197.

# %%
rules = ("inverse_square_root", "gamma_exponential")
paths = {"unknown (.197)": 0.197, "our weakest (.15)": 0.15}
show(pd.DataFrame({name: [sampling.pls_size(b, method=r) for r in rules] for name, b in paths.items()}, index=rules))

# %% [markdown] lang="en"
# Both rules know one path and nothing else: not that causes are correlated, not how coarse the scale is. So we try the
# plan out: we draw many surveys from our invented customers and estimate the model in each.
#
# **Predict, then run.** The rule says that 275 people find a path of .15 in 80 % of all surveys. Will they?

# %%
model = course.model()
power = sampling.path_power(model, people, [100, 275, 600], reps=surveys, bootstrap=100, seed=seed)
figure(power.plot(language))

# %% [markdown] lang="en"
# Strong paths are found by a hundred people. The two weakest start at *expected quality*, and the one to perceived
# value keeps the rule's promise barely or not at all at 275: what expectation adds must be told apart from what quality
# adds, and the two go together. The intervals used here are two-sided as well, which asks for a little more. A rule of
# thumb is a beginning; a plan that has been tried is better.
#
# ## What it costs
#
# People are invited, some are reached, some of these respond, some responses can be used. The rates multiply. What
# counts is not the price of an invitation but the price of a **usable answer** 有效答卷.

# %%
modes = pd.DataFrame({"contact": [0.90, 0.60, 0.95], "response": [0.10, 0.35, 0.55], "usable": [0.85, 0.98, 0.96]})
modes[["fixed", "per_invitation", "per_response"]] = [[800, 0.05, 1], [1500, 3, 5], [900, 0.5, 8]]
modes.index = {"en": ["online", "telephone", "in the shop"], "zh": ["网上", "电话", "店内"]}[language]
field = sampling.fieldwork(modes, usable=400)
show(field.table[["invited", "response_rate", "cost", "cost_per_usable"]], digits=2)
figure(field.plot(language))
show(field.problems)

# %% [markdown] lang="en"
# Online is cheapest by far, and nine of ten stay silent. In the shop an answer costs about three times as much, half of
# those asked respond, and the bill still stays within 6,000 yuan. Cheap answers from few are not the same thing as
# dear answers from many; the section "What can go wrong" says why.
#
# ## The pilot
#
# Before four hundred people, ask sixty. A pilot 预调查 does not measure satisfaction; it measures the questionnaire. We
# took lint's advice and turned item PQ7 round, from *rarely* to *often have to wait long*, on the form. In the haste
# the file was forgotten.

# %%
pilot = simulate_survey(60, points=points, missing=missing, seed=seed + 1, segments=stores).data
pilot["PQ7"] = points + 1 - pilot["PQ7"]
quality_items = course.blocks["PerceivedQuality"]
before = item_analysis(read_responses(pilot, course), course)
show(before.table.loc[quality_items, ["mean", "sd", "missing", "item_total", "alpha_if_dropped"]], digits=2)

# %% [markdown] lang="en"
# `item_total` is the correlation of an item with the sum of the other items of its construct; chapter 7 treats it in
# full. Six items agree. PQ7 runs *against* them: who praises the shop disagrees that the wait is long. That is no bad
# question, it is a file that does not know the direction. We correct the wording and say `reverse: true`.

# %%
text = course.text.replace("I rarely have to wait long", "I often have to wait long")
text = text.replace("我结账时很少需要久等}", "我结账时经常需要久等, reverse: true}")
revised = Questionnaire.from_text(text, "course_csi.yaml")
after = item_analysis(read_responses(pilot, revised), revised)
alphas = {"alpha before": before.alpha["PerceivedQuality"], "alpha after": after.alpha["PerceivedQuality"]}
show({**alphas, "PQ7 with the others": after.table.loc["PQ7", "item_total"]}, digits=2)
show({"findings of lint before": len(course.lint()), "findings of lint after": len(revised.lint())})

# %% [markdown] lang="en"
# The same sixty sheets, read rightly: the items agree, and the internal consistency (α) of the construct rises. Had the
# error gone into the main survey, quality would have looked unreliable and unimportant. Lint is content as well.
# ## What comes back
#
# Survey tools export files in ways of their own. Below is one as 问卷星 (Wenjuanxing) writes it, from simulated
# people: serial number, times, source and IP address first, then each question by number and wording, in a Chinese
# encoding. Among the three hundred, some answered without looking, and some sheets came in twice.

# %%
defects = {"careless": 0.04, "straightlining": 0.04, "duplicate_answers": 0.02, "missing": missing}
answers = simulate_survey(300, points=points, seed=seed + 2, segments=stores, **defects).data
seconds = np.random.default_rng(seed).integers(20, 400, len(answers))
export = pd.DataFrame({"序号": range(1, len(answers) + 1), "提交答卷时间": "2026/09/03 12:00:00"})
export["所用时间"] = [f"{s}秒" for s in seconds]
export[["来源", "来自IP"]] = ["微信", "127.0.0.1(本地)"]
for number, column in enumerate(["store", *course.items.index], start=1):
    export[f"{number}、{course.label(column, language)}"] = answers[column].array
export.to_csv(folder / "answers.csv", index=False, encoding="gb18030", float_format="%.0f")

# %% [markdown] lang="en"
# One call reads it. The format is recognised from its marks and stated; it can also be forced with `format=`.

# %%
responses = read_responses(folder / "answers.csv", course)
show({"format": responses.format, "encoding": responses.encoding, "respondents": responses.n})
show(responses.matching[["header", "item", "matched_by", "use"]].head(10))

# %% [markdown] lang="en"
# Every column is accounted for: questions were matched to items by their wording, the store to its group, and the IP
# address was recognised as **personal data** 个人信息 and dropped on load. Nobody needs it to compute an index. Next:
# who answered with care?

# %%
quality = responses.quality()
show(quality.checks[["check", "count", "of", "threshold"]])
figure(quality.plot(language)[0])
kept = quality.exclude("straight-lining", "duplicate answers")
show(kept.problems[-1])

# %% [markdown] lang="en"
# A dash means that a check could not be made and is not the same as zero. In the map a dark column is a question that
# many skip, a dark band a bad batch of sheets. No check proves anything: a straight line may
# be conviction, and a fast reader may be a good one. So the checks mark rows and delete nobody. Deleting is *your*
# decision, and it stays on record: that is the last line.
#
# ## What can go wrong: ten thousand answers
#
# Back to the fan page. Those who follow a shop like it better than others do. Suppose that the chance to answer the
# poll grows with a customer's satisfaction. We compare polls with random samples of the same sizes; we know the
# truth, so we can see who is right.
#
# **Predict, then run.** The error of a random sample of 400 is a point or so. That of a poll of 10,000?

# %%
liking = np.exp(people["index"] / 25)  # who is 25 points more satisfied is 2.7 times as likely to answer
rows = []
for n in (400, 2000, 10_000):
    for kind, weights in {"random": None, "poll": liking}.items():
        drawn = people["index"].sample(n, weights=weights, random_state=seed)
        rows.append([kind, n, drawn.mean(), sampling.margin_of_mean(n, sd=drawn.std()), drawn.mean() - truth])
bias = pd.DataFrame(rows, columns=["sample", "n", "estimate", "margin", "error"])
show(bias.sort_values(["sample", "n"], ascending=[False, True]), digits=2)

# %% [markdown] lang="en"
# The same as a picture: lines are the intervals that each sample claims for itself, the dashed line is the truth.

# %%
names = [f"{row.sample}, {row.n:,}" for row in bias.itertuples()]
ax = plt.subplots(figsize=(6.5, 2.8))[1]
ax.errorbar(bias["estimate"], names, xerr=bias["margin"], fmt="o", color="black", linewidth=2)
ax.axvline(truth, linestyle="--", color="black")
ax.set_title("More of the wrong people: surer, and just as wrong")
ax.set(xlabel="satisfaction index (0–100)", ylabel="sample and its size")
ax.invert_yaxis()
seen = "; ".join(f"{name}: {value:.1f}" for name, value in zip(names, bias["estimate"], strict=True))
figure(ax, alt=f"Estimates with 95 % intervals; the truth is {truth:.1f}. {seen}.")

# %% [markdown] lang="en"
# Random samples scatter around the truth, and larger ones lie closer. The poll is high by many points *at every size*.
# With ten thousand answers its interval is so narrow that nobody would doubt it, and it does not come near the truth.
# **Bias does not shrink with n.** The soup was not stirred. That is what to tell the director.
#
# Low response is the same trouble in a respectable dress. If a share $r$ of those invited answer, and 80 % of them say
# yes, all we *know* is that the share among all lies between $0.8\,r$ and $0.8\,r + 1 - r$.

# %%
rates = field.table["response_rate"]
show(pd.DataFrame([sampling.nonresponse_bounds(0.8, r) for r in rates], rates.index, ["lowest", "highest"]), digits=2)

# %% [markdown] lang="en"
# These bounds are wide because they assume nothing. They narrow with the *rate*, never with the number. So spend on
# reminders and on asking a few of the silent again before you spend on more invitations; and compare early with late
# answers.
#
# ## From numbers to decisions
#
# | What the numbers say | How to read it | What to do |
# | --- | --- | --- |
# | Lint says "may ask two things" | Answers will mix two opinions | Split the item before the pilot |
# | Negative item–total correlation in the pilot | Direction not stated, or misread | Fix file or wording; test again |
# | Halving the margin costs four times as much | Precision is bought by the root | Ask what decision needs it |
# | Spreads differ much between strata | Neyman's plan pays | Use it, and always use the weights |
# | Design effect near 2 | Half the interviews tell nothing new | More clusters, fewer people in each |
# | Power of a path below 80 % | A missing arrow will prove nothing | More people, better items, or a simpler model |
# | Response rate below 20 % | The silent may differ; n cannot tell | Remind, follow up, change the mode |
# | Large convenience sample | Narrow interval around the wrong value | Do not project it to all customers |
#
# We keep the key numbers of this chapter where a program can find them.

# %%
estimates = bias.set_index(bias["sample"] + " " + bias["n"].astype(str))
record(
    {
        "sizes": {"share ± 5 points": sampling.size_for_proportion(0.05), "± 2": needed[2], "± 1": needed[1]},
        "pls": {rule: sampling.pls_size(0.197, method=rule) for rule in rules},
        "margins": {" ".join(key): plan.margin() for key, plan in plans.items()},
        "weakest_power": power.table.groupby("n")["power"].min(),
        "cost_per_usable": field.table["cost_per_usable"].to_list(),
        "pilot": [found.table.loc["PQ7", "item_total"] for found in (before, after)],
        "export": [responses.format, len(course.items), responses.n, kept.n],
        "truth": truth,
        "estimates": estimates["estimate"],
        "claimed_margins": estimates["margin"],
    }
)

# %% [markdown] lang="en"
# ## Recap
#
# 1. **Levels.** Index, latent variables, facets, questions: one file holds all four, and customers supply the facets.
# 2. **Questions.** One thing at a time, plainly, without *not* and *always*. Form and codebook follow from the file.
# 3. **Numbers.** The margin shrinks with the root of n. Strata help where spreads differ, clusters cost, and a model
#    needs a plan that has been tried.
# 4. **Cost.** Compare the price of a usable answer, with the response rate beside it.
# 5. **Pilot and data.** Sixty answers test the questionnaire. Exports are recognised, matched and checked; deleting is
#    your decision, on record.
# 6. **Bias.** It does not shrink with n. Four hundred stirred spoonfuls beat ten thousand from the top of the pot.
#
# ## On your own data
#
# Copy `loyalty_value.yaml` or `course_csi.yaml`, change the words, and run
#
# ```
# crmlab questionnaire --questionnaire my_survey.yaml --out field
# crmlab check --questionnaire my_survey.yaml --data answers.csv
# ```
#
# The first command prints lint's findings and leaves the form in both languages and the codebook in the folder `field`.
# The second says whose export the file is, what was matched, and who may have answered without care.
#
# ## Exercises and references
#
# Open `exercises/06_survey_design.ipynb`: three questions with hints, and one open task.
#
# * Cochran, W. G. (1977). *Sampling techniques* (3rd ed.). Wiley.
# * Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., & Bryant, B. E. (1996). The American customer satisfaction
#   index: nature, purpose, and findings. *Journal of Marketing* 60(4), 7–18.
# * Kish, L. (1965). *Survey sampling*. Wiley.
# * Kock, N., & Hadaya, P. (2018). Minimum sample size estimation in PLS-SEM: the inverse square root and
#   gamma-exponential methods. *Information Systems Journal* 28(1), 227–261.
# * Meng, X.-L. (2018). Statistical paradises and paradoxes in big data (I). *Annals of Applied Statistics* 12(2),
#   685–726.
# * Payne, S. L. (1951). *The art of asking questions*. Princeton University Press.
