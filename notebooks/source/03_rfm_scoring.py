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
# # 3 · RFM scoring
#
# *Which customers deserve a letter, a call, or nothing at all (RFM 评分), and does the score know more than chance?*
#
# **For** students of customer relationship management, and for analysts who have to choose whom to write to.
#
# **You should know** what an order file looks like (chapter 2), and what a median and a quantile 分位数 are.
#
# **Objectives.** After this chapter you can
#
# 1. compute recency 近度, frequency 频度 and monetary value 消费额 of every customer, and say what counts as an order;
# 2. read a published rubric 评分标准 with care: find its contradictions, gaps and missing units;
# 3. score by quantiles with a stated rule for ties, and know what happens to customers who bought once;
# 4. turn scores into segments 客户细分 by rules that leave nobody out and put nobody in twice;
# 5. test whether a score predicts later orders, and against what it must be tested.
#
# **Time:** 30 minutes.

# %% [markdown] lang="en"
# These are the settings of this page. The split is the day up to which the scores may know anything; what came after
# it is kept for the test.

# %% tags=["parameters"]
sample: bool = False  # only the tenth of the customers that the published models use
bins: int = 5  # scores of the quantile scheme, 4 to 9
split: str = "1997-09-30"  # last day that the scores may know

# %% [markdown] lang="en"
# One cell brings all tools. `rfm` measures, scores and tests; `Transactions` reads orders; `value` holds the models of
# chapter 4.

# %%
import pandas as pd

from crmlab import Transactions, rfm, value
from crmlab.datasets import load_cdnow
from crmlab.plots.rfm import gain_curves, heat_map
from crmlab.teaching import figure, record, show

# %% [markdown] lang="en"
# ## The question
#
# An online music shop has won many customers in one quarter. The catalogue is expensive, and the marketing manager
# can afford to send it to one customer in ten.
#
# > *Whom shall we write to, and how do you know that your list is better than one drawn by lot?*
#
# The story is invented, the customers are real: CDNOW, whose orders of 1997 and 1998 were published for research
# (Fader and Hardie, 2001).

# %%
orders = Transactions(load_cdnow(sample=sample), name="CDNOW")
show({"lines": orders.n, "customers": orders.customers, "from": str(orders.period[0]), "to": str(orders.period[1])})

# %% [markdown] lang="en"
# ## Three numbers for each customer
#
# Direct marketers found long before computers that three facts about a customer tell most about the next order
# (Hughes, 1994). For customer $i$ and a day $D$ that looks back:
#
# * **recency** 近度, $D - \max_j d_{ij}$: days since the last order; small is good;
# * **frequency** 频度, $n_i$: number of orders, not of lines;
# * **monetary value** 消费额, $\sum_j a_{ij}$: what was paid in all.
#
# The course calls such facts *behaviour* 行为分析, in contrast to *opinion* 意见分析, which chapters 6 to 10 measure.

# %%
table = rfm.table(orders)
show(table.head(), digits=2)
show(table.attrs["problems"])

# %% [markdown] lang="en"
# One row per customer. Two choices were made for us: the day that looks back is the last day of the file, and each
# line counts as an order, since the file has no order numbers.
#
# Whoever bought twice in one day is counted with two orders here. If your lines are articles of an order, name the
# order column, or count days. Always say which.
#
# **Predict, then run.** How large is the share of customers who bought exactly once: a tenth, a quarter, a half?

# %%
once = (table["frequency"] == 1).mean()
show({"share of customers who bought once": once, "median days since last order": table["recency_days"].median()})

# %% [markdown] lang="en"
# About half. Keep that number: it will make trouble when we cut customers into five equal parts.
#
# ## The course's rubric
#
# A **rubric** 评分标准 is a table of fixed bands. This is the one of the course, exactly as published.

# %%
rubric = rfm.course_rubric()
show(rubric.table.pivot(index="measure", columns="score", values="band"))

# %% [markdown] lang="en"
# Recency is in months, and R1 is the *most* recent; F1 and M1 are the *lowest*. So R1F4M4 is the best customer. The
# publication adds an example: "R4F3M2 means 4–6 months, 3–5 purchases, 3–5 money".
#
# **Predict, then run.** Read the example against the table. What is wrong with it? And which customers find no band?

# %%
check = rubric.check()
show(check.problems)

# %% [markdown] lang="en"
# The program went through the table as you did. The example contradicts the bands: it must read R2F2M2. Zero and 2.5
# have no band, and nobody has said whether the money is in yuan, in hundreds, or in dollars. A rubric must state its
# unit, the direction of every code, and what happens between its bands.
#
# Now we use it. We have to supply what it lacks: months are counted as they begin (day 0 to 30 is month 1), a value
# between two bands goes to the upper one, and we choose the unit of money. Ten dollars is about the price of a CD.

# %%
by_rubric = rfm.score(table, "rubric", unit=10)
show(by_rubric[["customer_id", "recency_days", "frequency", "monetary", "code"]].head(), digits=2)
shares = pd.DataFrame({name: by_rubric[name].value_counts(normalize=True) for name in "rfm"})
show(shares)

# %% [markdown] lang="en"
# Most customers sit in R4 and F1: fixed bands were made for some other shop. They have one great merit, though: they
# mean the same next year. Quantiles do not.
#
# ## Scores by quantile
#
# A **quantile score** 分位数得分 compares customers with each other. Ours says how large a share of the customers
# somebody is strictly ahead of:
#
# $$\text{score}(x) = 1 + \#\{k : x > Q(k/B)\}, \qquad k = 1, \dots, B - 1,$$
#
# where $B$ is the number of scores and $Q$ the inverse distribution function. With $B = 5$, a 4 stands for at least
# 60 % and less than 80 %. The highest score is best for all three measures, recency turned round.
#
# The rule has a consequence that many programs hide: **the same value gets the same score**. No customer is placed
# ahead of another who did exactly the same.
#
# **Predict, then run.** Half of the customers bought once. Which frequency scores will nobody have?

# %%
scored = rfm.score(table, "quantile", bins=bins)
show(pd.DataFrame({name: scored[name].value_counts(normalize=True) for name in "rfm"}))

# %% [markdown] lang="en"
# Recency and money come out nearly even. Frequency cannot: all customers with one order share the score 1, and the
# score that would have split them is given to nobody. That is the honest answer. Breaking such ties by the order of
# rows in the file would give equal groups, and different letters to equal customers.
#
# If you want to use all scores, set the one-time buyers apart and divide the others.

# %%
apart = rfm.score(table, "quantile", bins=bins, one_time_apart=True)
show(apart["f"].value_counts(normalize=True).sort_index())

# %% [markdown] lang="en"
# ## From scores to segments
#
# A hundred codes are too many to act upon. A table of rules gathers them into **segments** 客户细分. "Low" are the
# worst scores, "high" the best, whatever their number.
#
# Such tables are written by people, and people forget cases. So the program goes through every combination of scores.
# Let us drop the rule about customers who cannot be lost, and ask.

# %%
rules = rfm.Segments.default()
show(rules.rules)
forgetful = rfm.Segments.of(rules.rules[rules.rules["segment"] != "Cannot lose"])
show(forgetful.check(scored.attrs["scale"]))
show({"faults of the full table": len(rules.check(scored.attrs["scale"]))})

# %% [markdown] lang="en"
# The counter-example names a code that would have fallen through. The full table is complete and disjoint 完备且互斥:
# each customer belongs to exactly one segment.

# %%
analysis = rfm.analyse(orders, scheme="quantile", bins=bins)
figure(analysis.plot("segments"))
show(analysis.segments[["share", "revenue_share", "recency_days", "frequency"]].join(rules.about["action_en"]))

# %% [markdown] lang="en"
# The largest bar of revenue belongs to a minority of the customers, and each segment suggests something else to do.
#
# The course also sorts customers into **tiers** 等级: gold, silver, regular, potential. That needs one number per
# customer: the weighted mean of the three scores, 0 for the worst and 100 for the best. The weights are a decision;
# chapter 8 is about making it.

# %%
weighed = rfm.weigh(scored, {"r": 0.4, "f": 0.4, "m": 0.2})
tiers = rfm.tier(weighed)
show(tiers["tier"].value_counts(normalize=True))

# %% [markdown] lang="en"
# Gold was meant for 5 % of the customers. It comes out larger when many share the top score, and they stay together:
# no two customers with the same score get different cards.
#
# ## Does the score predict?
#
# So far we have described the past. The manager wants the next order. We turn the clock back: scores may know the
# orders up to the split, and then we see what the customers did.
#
# **Predict, then run.** The map shows later orders per customer by recency and frequency score. Where is it darkest,
# and which matters more: a step up, or a step to the right?

# %%
parts = rfm.holdout(orders, split)
known = rfm.score(parts.customers, "quantile", bins=bins)
show({"weeks to predict": parts.later_weeks, "bought later": (known["later_orders"] > 0).mean()})
figure(heat_map(rfm.grid(known, later="later_orders"), value="later_mean"))

# %% [markdown] lang="en"
# Top right, by far: customers who bought often and lately buy again. White cells have no customers.
#
# Now the manager's question. We rank the customers by their score and ask which share of the later orders the first
# tenth made: the **gain** 增益. A list drawn by lot has 10 %. A fair test also needs strong opponents: recency alone,
# frequency alone, and a model made for the purpose, **BG/NBD** (Fader, Hardie and Lee, 2005). It supposes that each
# customer buys at a rate of her own until she leaves for good, and works out how many orders are still to come.

# %%
model = value.bg_nbd(known["repeats"], known["weeks_to_last"], known["weeks"])
show(model.params)

# %% [markdown] lang="en"
# In words: $r$ and $\alpha$ describe how differently fast customers buy, $a$ and $b$ how easily they leave. The authors
# fitted a tenth of these customers up to 30 September 1997 and printed 0.243, 4.414, 0.793 and 2.426: a sample comes
# close.

# %%
scores = {
    "BG/NBD": model.expected_purchases(parts.later_weeks),
    "RFM score": rfm.weigh(known)["rfm_score"],
    "frequency": known["frequency"],
    "recency": -known["recency_days"],
}
curves = {name: rfm.gain_curve(known["later_orders"], values) for name, values in scores.items()}
figure(gain_curves(curves))
gains = rfm.compare(known["later_orders"], scores, top=[0.05, 0.1, 0.2])
show(gains)

# %% [markdown] lang="en"
# All curves lie far above the diagonal. Read the column of the tenth: the best tenth by RFM made more than four times
# the orders of a tenth drawn by lot. That is the answer to the manager. Read downwards too: over the tenth and the
# fifth, the simple mean of three scores does about as well as the model, and hardly better than one measure alone. At
# the very top the model is ahead: too many customers share the best score, and the score cannot say who is best among
# the best (with fewer scores it gets worse). For *how much* they will buy, in orders and money, only a model has an
# answer: chapter 4.
#
# ## New orders
#
# Orders come every day, late ones among them. `rfm.update` adds them to an old table without reading the old orders.

# %%
data = load_cdnow(sample=sample)
old, new = data[data.index % 10 > 0], data[data.index % 10 == 0]
updated = rfm.update(rfm.table(Transactions(old)), Transactions(new))
show({"same as computed anew": updated.equals(table)})

# %% [markdown] lang="en"
# The same to the last cent, although the new orders were scattered over the whole period and brought customers the
# old table had not seen.
#
# ## What can go wrong
#
# A score needs *spread*. Here is the rubric with the unit left as in the data: a dollar.

# %%
careless = rfm.score(table, "rubric")
show([problem for problem in careless.attrs["problems"] if "m = " in problem or "unit" in problem])

# %% [markdown] lang="en"
# Nearly everybody gets M4, the score says nothing, and no error was raised. And a second trap: we may not test a score
# on the days it was made from. Let us rank the customers by all their orders and "predict" the later ones with that.

# %%
cheat = table.set_index("customer_id").loc[known["customer_id"], "frequency"].to_numpy()
show(rfm.compare(known["later_orders"], {"honest": known["frequency"], "knows the future": cheat}))

# %% [markdown] lang="en"
# The cheating score looks better because it contains the answer. Whenever a score does wonders, ask which days it
# was made from.
#
# ## From numbers to decisions
#
# | What the numbers say | How to read it | What to do |
# | --- | --- | --- |
# | r, f and m high | They buy often, lately, for much | Thank them; do not waste discounts on them |
# | r high, f low | New: the second order is open | Lead them to it in the first weeks |
# | r low, m high | Good customers who stay away | Call; ask why |
# | r, f and m low | Little came, little will come | Newsletter at most |
# | One score holds most customers | The bands do not fit this shop | Change the unit or the bands |
# | Gain of the score ≈ gain of recency | Three numbers tell no more than one | Use the simpler list |
#
# We keep the key numbers of this chapter where a program can find them.

# %%
record(
    {
        "customers": len(table),
        "orders": int(table["frequency"].sum()),
        "revenue": table["monetary"].sum(),
        "once": once,
        "contradictions": check.contradictions["reads"].tolist(),
        "gain_10": gains["gain_10"],
        "params": model.params,
        "segments": analysis.segments["share"],
        "top_20": analysis.pareto["top_20"],
        "updated": bool(updated.equals(table)),
        "cheat": rfm.compare(known["later_orders"], {"cheat": cheat})["gain_10"],
    }
)

# %% [markdown] lang="en"
# ## Recap
#
# 1. **Measure.** Days since the last order, number of orders, money. Say what an order is and which day looks back.
# 2. **Rubric.** Check examples against bands; ask for unit, direction and gaps. R4F3M2 must read R2F2M2.
# 3. **Quantiles.** Same value, same score. One-time buyers share the lowest frequency score, and some scores stay
#    empty.
# 4. **Segments.** A table of rules, complete and disjoint, checked over every combination of scores.
# 5. **Test.** Rank on the past, count on the future, compare with recency, frequency and a model. The score is a good
#    list, and hardly better than its simplest part.

# %% [markdown] lang="en"
# ## On your own data
#
# ```
# crmlab rfm --data orders.csv --customer client --date day --amount eur --scheme quantile --out report
# ```
#
# leaves a report, the customers with scores and segments, and the executed notebook of the template `rfm_study` in the
# folder `report`. Add `--order` if your lines are articles, and `--engine spark` if one machine is too small.
#
# ## Exercises and references
#
# Open `exercises/03_rfm_scoring.ipynb`: three questions with hints, and one open task.
#
# * Fader, P. S., & Hardie, B. G. S. (2001). Forecasting repeat sales at CDNOW: A case study. *Interfaces* 31(3),
#   S94–S107.
# * Fader, P. S., Hardie, B. G. S., & Lee, K. L. (2005). "Counting your customers" the easy way: An alternative to the
#   Pareto/NBD model. *Marketing Science* 24(2), 275–284.
# * Hughes, A. M. (1994). *Strategic Database Marketing*. Probus.
