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
# # 11 · From index to action
#
# *Who is at risk, who is worth keeping, and what do we do on Monday (从指数到行动)?*
#
# **For** students of customer relationship management, and for analysts who have an index, a customer list and a
# budget, and are asked what to do.
#
# **You should know** the phases of the lifecycle (chapter 1), RFM (3), customer value (4) and the satisfaction index
# (9).
#
# **Objectives.** After this chapter you can
#
# 1. join orders and survey by a pseudonymous id 假名编号, and say what the join leaves open;
# 2. tell who is at risk from who is worth keeping, and check that the risk is right;
# 3. tell risk from response: whom does a treatment keep, and whom does it wake?
# 4. share a budget 预算 out among levels of retention, with its uncertainty;
# 5. write the one page that a manager reads.
#
# **Time:** 30 minutes.

# %% [markdown] lang="en"
# These are the settings of this page. Everything random follows from the seed 随机种子. Try half the budget, or another
# company.

# %% tags=["parameters"]
seed: int = 2026  # everything random follows from it
customers: int = 1500  # customers of the company
budget: float = 4000.0  # money for all treatments of the year
draws: int = 400  # simulated truths behind each interval
language: str = "en"  # one of en, zh: language of the figures and the brief

# %% [markdown] lang="en"
# `action` holds the methods of this chapter; they build on all chapters before it. `simulate_company` invents a company
# of which we know the truth. We shall not look at it until the plan is made.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from crmlab import action
from crmlab.datasets import simulate_company
from crmlab.lifecycle import guide
from crmlab.studies import action_brief
from crmlab.teaching import figure, record, show

# %% [markdown] lang="en"
# ## The question
#
# A chain of shops has two years of orders. It has asked all its customers about their satisfaction; fewer than half
# answered. The marketing manager has money for the year to come:
#
# > *Who is at risk? Who of them is worth keeping? And what do we do on Monday with this budget?*
#
# The usual answer is quick: "take the best 20 %, and be nice to them". Hold on to it. It is what we have to beat.

# %%
company = simulate_company(customers, seed=seed)
show(
    {
        "customers": company.orders["customer_id"].nunique(),
        "orders": len(company.orders),
        "answers": len(company.survey),
    }
)
show(company.survey[["customer_id", "SA1", "SA2", "SA3", "stake"]].head(3))

# %% [markdown] lang="en"
# The ids are keyed hashes 加密编号 (chapter 2): the same customer has the same id in both tables, and nobody can read a
# name from it. `stake` is a further question: *it would be hard for me to do without this shop*.
#
# ## One row a customer
#
# Five views of a customer come together: **phase × RFM × value × satisfaction × loyalty**. Before you trust a join,
# count what it lost.
#
# **Predict, then run.** Are those who answered like those who did not?

# %%
today = action.link(company.orders, company.survey, measures=["stake"])
show(today.counts)
views = ["phase", "segment", "current", "potential", "satisfaction", "loyalty"]
show(today.customers[views].head(6), digits=0)
figure(today.plot(language=language))

# %% [markdown] lang="en"
# Each row of the second table is a customer: the phase, the RFM segment, the margin of the last year (current value)
# and of the year to come (potential value), and the two scores; a dash says that she did not answer.
#
# And no, they are not alike. Who is leaving answers less. The mean of the answers is the mean of those who still care:
# **non-response 无应答** that depends on what is asked. Some ids of the survey belong to nobody; they are counted and
# left out.
#
# What of the others? We can guess their satisfaction from their orders. How good is the guess?

# %%
show(today.prediction, digits=2)
show(today.by("phase")[["customers", "surveyed", "potential", "satisfaction", "loyalty"]], digits=2)

# %% [markdown] lang="en"
# $R^2$ is measured on customers the model has not seen (cross-validation 交叉验证). Orders explain hardly a seventh of
# the differences in satisfaction, and nothing of loyalty. **What people do does not tell how they feel.** So the
# unknown stays unknown: the guess helps to judge risk, and no more.
#
# ## What has been tried: the pilot
#
# A year ago the company ran an experiment. Customers were drawn by lot: half were left alone, the others got one of the
# three levels of retention 维系层级 (chapter 1). Each level includes the one before it.

# %%
show(guide("strategies", language))
show(company.levels)

# %% [markdown] lang="en"
# The lot makes the groups alike but for chance, in what we know of them and in what we do not. So the difference of the
# shares that stayed is an effect of the treatment, give or take its interval, and not of who was chosen.
#
# **Predict, then run.** By how many percentage points do the levels raise the share who stay?

# %%
before = action.link(company.pilot.orders, company.pilot.survey, measures=["stake"])
lessons = action.learn(before, company.pilot.outcomes)
figure(lessons.plot("effects", language=language))
show(lessons.effects, digits=3)

# %% [markdown] lang="en"
# A few points, with intervals that nearly touch zero or hold it. Somebody will say: "it does not work". But a mean of
# few points can hide a group that is helped and a group that is harmed.
#
# ## Risk, and whether it is right
#
# A logistic regression 逻辑回归 of having stayed on what was known before:
#
# $$\mathrm{logit}\,P(\text{stay}) = \alpha + x'\beta + \gamma_k + \sum_m(\delta_m z_m + \varepsilon_m z_m^2)$$
#
# $x$ are recency, frequency, P(alive), phase, satisfaction; the terms with Greek $\gamma, \delta, \varepsilon$ count
# for treated customers only and say on whom a treatment acts ($z$: satisfaction and stake). Each of them is held back
# by a prior 先验 around zero: otherwise chance makes some effects look large, and a plan picks exactly those.

# %%
show(lessons.params[["estimate", "low", "high"]], digits=2)

# %% [markdown] lang="en"
# Read two groups of rows. *Risk:* satisfied customers stay; those who did not answer (`unknown`) leave more often. The
# time since the last order stands in two rows, `silence` and its square, which only mean something together:
# after the first month, the longer the worse. *Response:* `treated:stake` is positive. Who has something to lose by
# leaving listens; who has nothing to lose does not.
#
# A risk is right if of the customers to whom it says 30 %, about 30 % leave. This is the control group, each customer
# judged by a model that had not seen her.

# %%
figure(lessons.plot("calibration", language=language))
show(lessons.accuracy)

# %% [markdown] lang="en"
# ## At risk, and worth keeping
#
# Two questions, four answers. At stake 可能失去的毛利 is the margin of the year that a customer brings more if she
# stays than if she leaves. High risk begins at 30 %, a high stake at the median: both are our choice.

# %%
risk = action.at_risk(today, lessons)
figure(risk.plot(language=language))
show(risk.quadrants, digits=0)

# %% [markdown] lang="en"
# The upper right is what a list of "top customers" does not show and a list of "churners" does not either: **save**
# 挽留. But do not send the money there at once. *Being at risk* is one thing, *being kept by a treatment* another
# (Ascarza, 2018):
#
# | | stays if left alone | leaves if left alone |
# | --- | --- | --- |
# | **stays if treated** | sure thing 必留者 | **persuadable 可说服者** |
# | **leaves if treated** | sleeping dog 不可惊动者 | lost cause 必失者 |
#
# Nobody is seen both treated and untreated, so nobody carries a label. Only a randomised pilot shows the shares.
#
# ## The plan
#
# For customer $i$ on level $k$ the expected net gain is
#
# $$g_{ik} = \Delta P_{ik}(\text{stay}) \times \text{at stake}_i - c_{ik}$$
#
# and the plan solves a knapsack with choices 多选背包问题 (Kellerer et al., 2004):
#
# $$\max \sum g_{ik}x_{ik} \quad\text{with}\quad \sum_k x_{ik} \le 1,\; \sum c_{ik}x_{ik} \le B,\; \sum_i x_{ik} \le
# n_k,\; x_{ik} \in \{0,1\}$$
#
# **Predict, then run.** How many of all customers get nothing: a tenth, a third, or more than half?

# %%
plan = action.allocate(risk, budget, company.levels, draws=draws, seed=seed)
show(plan.by_level, digits=0)
show({"treated": len(plan.treated), "cost": plan.cost, "no level pays, or none is known to": plan.negative}, digits=0)
show({"most the plan can be below the best, %": 100 * plan.optimum.gap, "price of money": plan.optimum.budget_price})

# %% [markdown] lang="en"
# Most are left alone: no level is expected to bring more than it costs, or they have been silent for longer than
# anybody in the pilot, so that nothing is known of what would help. Only a few go without because the money ran out.
# All of it goes to the cheapest level: the dearer ones kept hardly more in the pilot, at several times the price. The
# **price of money** 影子价格 says what one more unit of budget is expected to bring on top of itself; as long as it is
# positive, it is worth asking for more budget. `low` and `high` enclose 90 % of the simulated truths.
#
# ## Beside the naive plans
#
# Same budget, same pilot, same draws. Each naive plan may choose the level that suits it best. Two rows are yardsticks:
# `greedy` goes down the list by gain per cost, and `everybody` takes no notice of the budget.

# %%
show(plan.comparison[["level", "customers", "cost", "gain", "low", "high", "beaten"]], digits=2)
figure(plan.plot("comparison", language=language))

# %% [markdown] lang="en"
# Many of "the best 20 %" would stay anyway, and to them the bonus is a present (a dear one: the money does not reach
# half of them). "At risk only" spends on lost causes. `beaten` is the share of simulated truths in which the linked
# plan brings more. Read its last row too: *do nothing* costs nothing and brings nothing, and against it stands the
# chance that the plan pays at all. It is far surer that the plan is *better* than that it *pays*.
#
# ### How sure is each name on the list?
#
# In every simulated truth somebody else would be the best choice.

# %%
figure(plan.plot("chosen", language=language))
show(plan.treated[["level", "p_lost", "at_stake", "gain", "cost", "chosen", "harmed"]].head(5), digits=2)

# %% [markdown] lang="en"
# On the right stand customers who would be treated in nearly every truth; begin with them. Those in the middle could be
# exchanged for one another at little loss.
#
# ## Opening the envelope
#
# Now the truth. In this company we know what every plan really brings, as an exact expectation.
#
# **Predict, then run.** The plan promises the `gain` above. Will it keep the promise?

# %%
naive = action.naive_plans(risk, company.costs, company.levels, budget, seed=seed)
kinds = ["top 20 % by value", "at risk only", "random"]
real = pd.Series({kind: max(company.gain(naive[kind, level]) for level in company.levels.index) for kind in kinds})
real["do nothing"], real["linked plan"] = 0.0, company.gain(plan.plan)
oracle = action.optimise(company.net, company.costs, budget, company.levels["capacity"])
real["one who knows everything"] = oracle.value
show(real.rename("true net gain"), digits=0)

# %% [markdown] lang="en"
# The order holds: the linked plan earns money where the naive ones lose it, even though each naive plan got here the
# level that was best *in truth*. But it brings less than promised, and far less than one who knows everything. A plan
# picks the customers whose effects look largest, and part of that is luck: the **winner's curse** 赢家诅咒.
#
# One company proves little. Over 100 companies with seeds that nobody had looked at (`benchmarks/bench_action.py`, this
# budget), to do nothing brings 0. The linked plan brings 1,542 on average, half of the 3,221 it promises; the three
# naive plans within the budget lose 1,292 to 1,804. In 11 of the 100 companies the linked plan loses too. It had said
# 12 %.
#
# ## What can go wrong
#
# **Sleeping dogs.** Whom do the plans touch?

# %%
top = naive["top 20 % by value", "financial"]
touched = {"linked plan": plan.plan != "none", "top 20 % by value": top != "none"}
types = pd.DataFrame(
    {name: company.truth["type"][who[who].index].value_counts(normalize=True) for name, who in touched.items()}
)
types["all customers"] = company.truth["type"].value_counts(normalize=True)
types = types.fillna(0.0)  # nobody of this type, or nobody treated at all
show(types, digits=2)

# %% [markdown] lang="en"
# Of those whom "the best 20 %" touches, more than every fourth is a sleeping dog. The plan touches mostly persuadables
# and still wakes some dogs: what is at stake for a customer is known only of those who answered.
#
# **Non-response.** Here is the true satisfaction (mean 0, standard deviation 1) of those who answered and of those who
# did not.

# %%
answered = today.customers["surveyed"].reindex(company.truth.index)
felt = company.truth.groupby(answered.map({True: "answered", False: "did not answer"}))["satisfaction"].mean()
show(felt, digits=2)

# %% [markdown] lang="en"
# No formula mends that; a guess from orders supposes that both feel alike. Ask again, or treat the silent by what the
# pilot saw of the silent: that is what the plan does.
#
# **Effects off by a factor of two.** A pilot is a year old, its customers were another year's, the rival has woken up.

# %%
halved = pd.DataFrame({f"effects × {factor}": plan.revalued(factor) for factor in (0.5, 1.0, 2.0)}).T
show(halved, digits=0)
try:
    action.link(company.orders.assign(customer_id="Li Na"), company.survey)
except ValueError as error:
    print(error)

# %% [markdown] lang="en"
# With half the effects the plan is near to earning nothing. So leave one in five of the plan alone, by lot. Do not
# expect much of them in one year: some seventy customers show an effect of a dozen points and more, not one of five.
# Keep at it, and count the years together. The last lines show another fault the program does not let pass: a name
# where a hash belongs.
#
# ## The brief
#
# A manager reads one page: question, number with interval, who, what, cost, what we do not know, next step.

# %%
with TemporaryDirectory() as folder:
    page = action_brief.write(plan, Path(folder) / "brief.html", language)
    text = page.read_text(encoding="utf-8")
show({"characters": len(text), "figures": text.count("<svg"), "scripts": text.count("<script")})

# %% [markdown] lang="en"
# Write it beside your data, open it in a browser and print it: it is one sheet, in English or Chinese, and holds no
# customer's name.
#
# ## From numbers to decisions
#
# | What you see | How to read it | What to do |
# | --- | --- | --- |
# | Many ids without a partner | Two systems, two keys, or old ids | Repair the key before any analysis |
# | Few answers in decline | The unhappy are silent | Ask them by another way; never average over them |
# | Low cross-validated $R^2$ | Orders do not tell feelings | Treat the unknown as unknown |
# | Risk off the diagonal | Said chances are not chances | Refit, or use the order of the customers only |
# | High risk, no response | Lost cause | A fair goodbye; learn why |
# | Low risk, high value | Sure thing, perhaps a sleeping dog | Leave in peace; serve well |
# | Interval reaches below zero, plan better in 95 % | Better, and may still lose | Begin small, keep a control group |
# | Budget left over | Nobody else pays | Give it back |
# | High price of a place | Capacity binds, not money | Train another account manager |
#
# We keep the key numbers of this chapter where a program can find them.

# %%
record({
    **{"counts": today.counts, "r_squared": today.prediction["r_squared"], "accuracy": lessons.accuracy},
    **{"effects": lessons.effects["difference"], "quadrants": risk.quadrants["customers"]},
    **{"gain": plan.gain, "low": plan.low, "high": plan.high, "cost": plan.cost},
    **{"gap": plan.optimum.gap, "price": plan.optimum.budget_price, "negative": plan.negative},
    **{"beaten": plan.comparison["beaten"].drop("linked plan"), "promised": plan.comparison["gain"], "real": real},
    **{"halved": halved["gain"].to_list(), "felt": felt, "treated": len(plan.treated)},
    **{"persuadable": types.loc["persuadable"], "dogs": types.loc["sleeping dog"]},
    **{"by_level": plan.by_level["customers"], "touched": plan.comparison["customers"]},
    **{"seen": lessons.calibration[["said", "lost"]].to_dict("list")},
})  # fmt: skip

# %% [markdown] lang="en"
# ## Recap
#
# 1. **Linking.** One row a customer by a keyed hash; count what has no partner, both ways. The unknown stays unknown.
# 2. **Risk and worth.** Two questions, four quadrants. A risk is believed when said and seen agree.
# 3. **Response.** Risk is not response. Only a randomised pilot tells persuadables from sleeping dogs.
# 4. **The budget.** A knapsack of expected net gains; who is expected to bring a loss gets nothing. The interval is
#    wide; the lead over naive plans is not.
# 5. **The page.** Number with interval, who, what, cost, what is not known, next step.
#
# ## On your own data
#
# ```python
# linked = action.link("my_orders.csv", my_survey, key=my_secret_key)  # the same key for both tables
# lessons = action.learn(linked_pilot, my_pilot_outcomes, key=my_secret_key)  # customer_id, level, stayed, margin
# plan = action.allocate(action.at_risk(linked, lessons), budget=10_000, levels=my_levels)
# action_brief.write(plan, "brief.html", "zh")
# ```
#
# Without a pilot there is no plan: draw one by lot this year, and have it the next.
#
# ## Exercises and references
#
# Open `exercises/11_from_index_to_action.ipynb`: three questions with hints, and one open task.
#
# * Ascarza, E. (2018). Retention futility: Targeting high-risk customers might be ineffective. *Journal of Marketing
#   Research* 55(1), 80–98.
# * Gelman, A., & Carlin, J. (2014). Beyond power calculations: Assessing type S (sign) and type M (magnitude) errors.
#   *Perspectives on Psychological Science* 9(6), 641–651.
# * Kellerer, H., Pferschy, U., & Pisinger, D. (2004). *Knapsack Problems*. Springer.
# * Radcliffe, N. J., & Surry, P. D. (1999). Differential response analysis: Modeling true response by isolating the
#   effect of a single action. *Credit Scoring and Credit Control* VI.
