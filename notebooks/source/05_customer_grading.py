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
# # 5 · Customer grading
#
# *Who is an A customer (客户分级), by which rule, and is the rule any good?*
#
# **For** students of customer relationship management, and for whoever must hand a list of names to the sales team.
#
# **You should know** what a mean and an interval are. Weights (chapter 8) help, and are not needed.
#
# **Objectives.** After this chapter you can
#
# 1. write a grading rule as a decision table 决策表, and prove that it is complete and without contradiction;
# 2. say why a customer has a grade, and what happens when something about the customer is not known;
# 3. build a scorecard 评分卡 and a two-way grid, and say who changes grade when a threshold moves;
# 4. test a grade against what customers did later, and compare two graders;
# 5. find out whether a grade treats groups unequally though nobody asked for the group.
#
# **Time:** 30 minutes.

# %% [markdown] lang="en"
# These are the settings of this page. Everything random follows from the seed 随机种子.

# %% tags=["parameters"]
seed: int = 2026  # everything random follows from it
prospects: int = 3000  # simulated prospects of the developer
noise: float = 0.1  # share of answers that the second salesperson sees differently, 0 to 0.3
quantile: float = 0.8  # share of the music shop's customers below "high" spending
language: str = "en"  # one of en, zh: language of the figures

# %% [markdown] lang="en"
# `grading` holds the rules, their proof and their tests. `simulate_prospects` invents buyers whose chance we know.

# %%
import pandas as pd

from crmlab import grading
from crmlab.datasets import load_cdnow, simulate_prospects
from crmlab.plots.grading import grade_shares, moved_thresholds
from crmlab.teaching import figure, record, show

# %% [markdown] lang="en"
# ## The question
#
# A developer sells flats. Thousands of people have left their number at the gate, and there are six salespeople. The
# sales manager wants five grades, A to E, and says:
#
# > *Tell me whom to call this week. And tell the one who is graded D why, because he will ask.*
#
# The procedure 分级步骤 has four steps: choose the **dimensions** (value, need, loyalty, behaviour), collect the
# **data**, set **criteria** that one can operate and understand, and give each grade its **strategy**. Most arguments
# are about the third step. So we begin there.
#
# ## A rule is a table
#
# A **decision table** lists conditions row by row, and what follows. Here is one of the course: two necessary
# conditions, five signals of intent, each rated A or B.

# %%
buyers = grading.rubric("property_buyers")
show(buyers.rules)
show(buyers.inputs[["type", "domain", "of"]])

# %% [markdown] lang="en"
# A cell reads `3-4` (from 3 to 4), `[3, 5)` (from 3 to below 5), `A|B`, or `-` (whatever it is). Let $R_j$ be the set
# of customers that row $j$ takes, and $\Omega$ the set of all customers there could ever be. The table is *complete*
# and *disjoint* if
#
# $$\bigcup_j R_j = \Omega \qquad \text{and} \qquad R_i \cap R_j = \emptyset \text{ for } i \ne j.$$
#
# Only then has everybody exactly one grade. It sounds as if one would have to try everybody. One need not: the rows can
# only tell apart finitely many **cells** (two values on the same side of every boundary are alike), so a program can go
# through all of them (Pooch, 1974). That is a proof, not a sample.
#
# **Predict, then run.** Read the seven rows again. Is there a gap? A contradiction? A row too many?

# %%
checked = buyers.check()
show({"combinations": checked.combinations, "complete": checked.complete, "disjoint": checked.disjoint})
show(checked.problems)
show(buyers.simplified().rules[["conditions", "signals", "grade"]])

# %% [markdown] lang="en"
# Complete and disjoint; but the two rows that give D are one row in two halves. Merged, the table is shorter and grades
# everybody as before.
#
# ## Three faults that look harmless
#
# A colleague writes a rule for time to close from memory.
#
# **Predict, then run.** Which customers does it forget, and which does it grade twice?

# %%
months = {"months": {"type": "number", "domain": ">= 0", "unit": "month"}}
rows = [["<= 1 month", "A"], ["[1, 3]", "B"], ["(3, 6)", "C"], ["> 180 days", "D"]]
memory = grading.DecisionTable(pd.DataFrame(rows, columns=["months", "grade"]), inputs=months)
show(memory.check().problems)
show(memory.check().overlaps[["first", "second", "months"]])

# %% [markdown] lang="en"
# Each fault comes with a customer who shows it. Exactly one month is both A and B. The last row counts in days, the
# others in months: 180 days are 5.91 months of mean length, so the unit 单位 hides another overlap, just below 6. And 6
# months exactly is no gap only because of that accident. Such a table must not grade anybody, and `crmlab` refuses to.
#
# Here are all rubrics of the course, as shipped, and the notes of one of them.

# %%
proofs = {name: grading.rubric(name).check() for name in grading.RUBRICS}
columns = ["combinations", "complete", "disjoint"]
show(pd.DataFrame({name: {column: getattr(p, column) for column in columns} for name, p in proofs.items()}).T)
show(grading.rubric("car_buyers").notes)

# %% [markdown] lang="en"
# All can be used, but some only because a choice was made. The course calls a car buyer's cycle short within one year
# and long over three. What is two years? The notes say what was chosen. A rule that hides its choices is not objective;
# it is only silent.
#
# ## Why this grade?
#
# Three deals in the pipeline 销售漏斗. The second has no date; the third has no date either.

# %%
pipeline = grading.rubric("pipeline")
deals = pd.DataFrame({"need": ["real", "latent", "real"], "chance": "yes", "months_to_close": [2, None, None]})
show(pipeline.explain(deals))
show(pipeline.grade(deals, faults="missing"))

# %% [markdown] lang="en"
# The second deal is graded, because for a latent need 潜在需求 nobody asks for the date. The third is not, and the
# sentence says what is missing. Without `faults="missing"` the call would stop there: a grade must never be made up
# quietly.
#
# ## Prospects whose chance we know
#
# Now the people at the gate. We invent them, so that we know what nobody in sales can know: everybody's true
# probability to buy.

# %%
drawn = simulate_prospects(prospects, noise=noise, seed=seed)
grades = buyers.grade(drawn.data)
figure(grade_shares(grades, language=language))

# %% [markdown] lang="en"
# D is the largest group: to fail one of two conditions is easy. What are the letters worth? The **back-test** 回测
# compares each grade with what happened *later*. Its **lift** 提升度 is the mean of a grade over the mean of all:
#
# $$\mathrm{lift}_g = \bar y_g / \bar y .$$
#
# **Predict, then run.** How many times as often as the average prospect does an A buy: 1.5, 3 or 10 times?

# %%
sales = grading.backtest(grades, drawn.truth["bought"])
truth = drawn.truth["probability"].groupby(grades, observed=True).mean()
show(sales.table[["n", "mean", "ci_lower", "ci_upper", "lift"]].assign(true_probability=truth), digits=2)

# %% [markdown] lang="en"
# About three times. The share who bought falls from grade to grade, and lies close to the true probability, which the
# rule has never seen. Note what the rule does *not* say: far from all A customers buy. A grade is a bet.
#
# ## Two salespeople, one prospect
#
# The rule is exact; the answers that go into it are not. A colleague rates the same prospects and sees some of the
# answers the other way round. **Cohen's kappa** asks how far two graders agree beyond chance; with weights a
# disagreement by one grade counts less than one by four (Cohen, 1968):
#
# $$\kappa = \frac{p_o - p_c}{1 - p_c}, \qquad p_o = \sum v_{ij}\, p_{ij}, \quad p_c = \sum v_{ij}\, p_i q_j ,$$
#
# where $p_{ij}$ is the share of prospects with grade $i$ by the one and $j$ by the other, $p_i$ and $q_j$ are the
# shares of each alone, and $v_{ij}$ is 1 for the same grade and falls with the square of the distance.

# %%
second = buyers.grade(drawn.second)
agreed = grading.agreement(grades, second, order="ABCDE")
plain = grading.agreement(grades, second, order="ABCDE", weights="none")
show(pd.DataFrame({"weighted": agreed.to_dict(), "plain": plain.to_dict()}).loc[["kappa", "ci_lower", "ci_upper"]], 2)

# %% [markdown] lang="en"
# The interval is that of Fleiss, Cohen and Everitt (1969). Plain kappa is lower: most quarrels are about neighbouring
# grades, and the plain one counts them in full. A single answer in seven is enough for another letter.
#
# ## Is it fair?
#
# Some attributes a grade may not depend on: sex 性别, origin 籍贯, religion 宗教, and others. The first check reads the
# names of the inputs.

# %%
show(grading.protected_inputs(buyers) or "no protected input")
show(grading.protected_inputs(["monthly_income", "gender", "籍贯"]))

# %% [markdown] lang="en"
# The rubric asks for nothing of the kind. But look at where prospects live. In truth those from far away 外地 wish to
# buy just as much as those from nearby.
#
# **Predict, then run.** Do they get an A or B as often?

# %%
far = grading.disparity(grades, drawn.data["home"], favourable=["A", "B"])
show(far.table[["n", "share", "ci_lower", "ci_upper", "ratio", "ratio_lower", "ratio_upper"]], digits=2)
show(drawn.truth["probability"].groupby(drawn.data["home"]).mean().rename("true probability"), digits=2)

# %% [markdown] lang="en"
# They do not. Two of the five signals, return visits and site visits, cost a journey. Nobody asked where people live,
# and yet the grade knows: visits are a **proxy** 代理变量. The true probabilities show that this is no insight but a
# fault of the rule. The remedy is to ask for something that costs both groups the same, a video call, say.
#
# ## Scorecards
#
# Where criteria trade off against each other, points and weights are more natural than rows. A **scorecard** adds
# $S = \sum_k w_k p_k$ with points $p_k$ from 0 to 100, and cuts the sum into grades. Six questions 询盘六问 qualify an
# enquiry from abroad:

# %%
lead = grading.scorecard("lead")
known = {"in_trade": "yes", "years_in_trade": 12, "customers_named": "yes", "annual_sales": 5e6, "website": "yes"}
enquiries = pd.DataFrame([{**known, "contact_complete": "yes"}, {**known, "years_in_trade": 2}])
scored = {way: lead.score(enquiries, missing=way) for way in ("none", "worst", "reweight")}
show(pd.DataFrame({way: result.grade for way, result in scored.items()}))

# %% [markdown] lang="en"
# The second enquiry left one question open, and the three honest ways to treat it need not agree. So the card refuses
# to choose for you. The six weights are equal until you say otherwise, with `lead.with_weights(weights)`. Whose weights
# are right? Chapter 8 shows how to ask, and how much it matters.
#
# ## A grid on real customers
#
# The music shop CDNOW won 23,570 customers early in 1997. We stand at the end of September and grade by **present
# value** 当前价值 (spent so far) and a sign of **future value** 未来价值 (bought on two days or more). A threshold can
# come by value, by quantile 分位数, or by optimum 最优.

# %%
orders = load_cdnow()
before, after = orders[orders["date"] <= "1997-09-30"], orders[orders["date"] > "1997-09-30"]
shop = before.groupby("customer_id").agg(spent=("amount", "sum"), days=("date", "nunique"))
shop["later"] = after.groupby("customer_id")["amount"].sum().reindex(shop.index, fill_value=0.0)
cuts = {"present": grading.Cut("spent", quantiles=[quantile]), "future": grading.Cut("days", values=[2])}
grid = grading.Grid("present_future", cuts).fit(shop)
units = {"spent": "Spent so far (US dollars)", "days": "Days with a purchase"}
figure(grid.plot(shop[shop["spent"] > 0], log=(True, True), labels=units, language=language))

# %% [markdown] lang="en"
# A is upper right. Fitted, the grid is again a decision table, only over numbers, and proved like any other. Do its
# letters say anything about the nine months that followed?

# %%
abc = grid.grade(shop)
tested = grading.backtest(abc, shop["later"])
figure(tested.plot(language=language))

# %% [markdown] lang="en"
# They do: from A to C the later revenue falls steeply, and no interval touches the next. How much does each grade
# **deserve** to be invested in it? In proportion to the value it still holds, of a budget of 10,000 dollars:

# %%
deserved = grading.deserved_investment(abc, shop["later"], 10_000)
show(deserved[["n", "share", "investment", "per_customer"]], digits=2)

# %% [markdown] lang="en"
# For an A customer many times as much as for a C customer. (We used what really came later. At the end of September one
# would need a forecast: chapter 4.)
#
# ### What if the threshold moves?

# %%
moved = grid.sensitivity(shop, moves=[-0.2, -0.1, 0.1, 0.2])
figure(moved_thresholds(moved, language=language))

# %% [markdown] lang="en"
# The two lines are quite different. Spending is fine-grained: a tenth more or less moves few customers. Days are whole
# numbers: from 2 down to 1.6 nothing happens, and from 2 up to 2.2 everybody with exactly two days falls at once. Ask
# this before somebody's bonus depends on it.
#
# ### Tiers by share
#
# Gold, silver, regular and potential 金银普潜 for 5, 15, 50 and 30 % of the customers: a table as well.

# %%
tiers = grading.tiers(shop["spent"])
show(tiers.rules)
show(grading.backtest(tiers.grade(shop), shop["later"]).table[["n", "share", "mean", "lift"]], digits=2)

# %% [markdown] lang="en"
# A share promises sizes, not quality: even if all customers became better, five per cent would be gold. A score
# promises quality, not sizes.
#
# ## What can go wrong
#
# **Grading with the answer.** Thresholds chosen on the very customers on whom they are tested flatter themselves, and a
# grade tested on the spending it was *made of* is no test at all.

# %%
best = {"present": grading.Cut("spent", best_for="later"), "future": grading.Cut("days", best_for="later")}
used, kept = shop.iloc[::2], shop.iloc[1::2]
optimum = grading.Grid("present_future", best).fit(used)
show(optimum.thresholds[["column", "threshold", "gain"]])
halves = {"used": used, "kept": kept}
gains = {name: grading.backtest(optimum.grade(half), half["later"]).table for name, half in halves.items()}
show(pd.concat({name: table[["share", "mean", "lift"]] for name, table in gains.items()}, axis=1).T, digits=3)

# %% [markdown] lang="en"
# The thresholds that explain most of the later revenue (Fisher, 1958) are very high: they split off a handful of large
# buyers. Even on the half that was not used this gives an enormous lift, for a grade that hardly anybody has. "Optimal"
# answers the question it was asked, variance explained, and not yours: how many customers can your salespeople visit?
# Start from the capacity, then take the quantile.

# %% [markdown] lang="en"
# ## From numbers to decisions
#
# | What you see | How to read it | What to do |
# | --- | --- | --- |
# | A gap, with an example | Somebody real will fall into it | Add a row; ask who decides, and write it down |
# | An overlap with different grades | Two colleagues grade differently | Separate the rows, or say which goes first |
# | Rows that can be merged | The rule is simpler than it looks | Merge them |
# | Cells in different units | A hidden gap or overlap | One unit per column |
# | "No grade because … is missing" | The answer matters | Ask the customer; do not guess |
# | Low kappa | Answers depend on who asks | Define the answers, train, grade again |
# | A ratio below 0.8 between groups | The rule works through a proxy | Find the input; compare with the later truth |
# | Neighbouring grades "not shown" to differ | Too many grades | Merge them |
# | Many customers near a threshold | The grade is a coin toss there | Show the score beside the grade |
#
# We keep the key numbers of this chapter where a program can find them.

# %%
record(
    {
        **{"combinations": checked.combinations, "memory": len(memory.check().overlaps), "lift": sales.table["lift"]},
        "complete": {name: proof.complete and proof.disjoint for name, proof in proofs.items()},
        "mergeable": {name: len(proof.redundant) for name, proof in proofs.items()},
        **{"rules": len(buyers.rules), "simplified": len(buyers.simplified().rules), "far": far.table["ratio"]["far"]},
        **{"bought": sales.table["mean"], "truth": truth, "kappa": agreed.kappa, "kappa_plain": plain.kappa},
        "lead": {way: [*result.grade.astype(object).fillna("none")] for way, result in scored.items()},
        **{"customers": len(shop), "later": tested.table["mean"], "steps": list(tested.steps["verdict"])},
        **{"invested": deserved["investment"].sum(), "days_moved": moved[moved["input"] == "days"]["share"]},
        **{"spent_moved": moved[moved["input"] == "spent"]["share"].max(), "best_share": gains["kept"]["share"]["A"]},
    }
)

# %% [markdown] lang="en"
# ## Recap
#
# 1. **Prove it.** A rule is a table; complete and disjoint can be proved, and faults come with an example.
# 2. **Explain it.** "Grade B because …"; what is not known is named, and matters only where it is asked.
# 3. **Score and grid.** Points, weights and thresholds; say who changes grade when one moves.
# 4. **Test it.** Later revenue by grade, with lift and interval, on customers who were not used; kappa between graders.
# 5. **Be fair.** Protected inputs are found by name, proxies by comparing groups with what really happened.
#
# ## On your own data
#
# ```python
# from crmlab import grading
# table = grading.DecisionTable("my_rules.xlsx")     # or YAML; sheets "rules" and "inputs"
# print(*table.check().problems, sep="\n")
# graded = table.grade(customers, faults="missing")
# ```
#
# For rules over orders, `grading.order_measures` and `grading.bonus_claims` compute the columns that the rubrics
# `shop_customer` and `staff_bonus` ask for.
#
# ## Exercises and references
#
# Open `exercises/05_customer_grading.ipynb`: three questions with hints, and one open task.
#
# * Cohen, J. (1968). Weighted kappa. *Psychological Bulletin* 70, 213–220.
# * Fisher, W. D. (1958). On grouping for maximum homogeneity. *Journal of the American Statistical Association* 53,
#   789–798.
# * Fleiss, J. L., Cohen, J., & Everitt, B. S. (1969). Large sample standard errors of kappa and weighted kappa.
#   *Psychological Bulletin* 72, 323–327.
# * Pooch, U. W. (1974). Translation of decision tables. *ACM Computing Surveys* 6, 125–151.
# * Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. *Journal of the American
#   Statistical Association* 22, 209–212.
