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
# # 4 · Customer value
#
# *What is a customer worth (客户价值), who says so, and how sure can we be?*
#
# **For** students of customer relationship management, and for analysts who must decide whom to spend money on.
#
# **You should know** what a mean and a probability are, and how orders become one table (chapter 2).
#
# **Objectives.** After this chapter you can
#
# 1. say how concentrated revenue is, and why revenue is not profit: Pareto curve 帕累托曲线 and whale curve 鲸鱼曲线;
# 2. compute customer lifetime value 客户终身价值 for customers who are lost for good and for those who come back;
# 3. turn foreseen events into a profit-and-loss table with an interval;
# 4. read BG/NBD: who is still a customer, and what will she buy;
# 5. test a forecast on a period it has not seen, and a cluster on customers it has not seen.
#
# **Time:** 30 minutes.

# %% [markdown] lang="en"
# These are the settings of this page. Everything random follows from the seed 随机种子. Try another discount rate
# 贴现率, or fewer simulated customers.

# %% tags=["parameters"]
seed: int = 2026  # everything random follows from it
customers: int = 3000  # buyers in the simulated shop
discount: float = 0.12  # discount rate per year
margin_rate: float = 0.3  # share of CDNOW's revenue that is margin (assumed; the shop does not tell)
resamples: int = 100  # bootstrap samples behind each interval
language: str = "en"  # one of en, zh: language of the figures

# %% [markdown] lang="en"
# `value` holds every method of this chapter. `simulate_buyers` invents a shop whose truth we know.

# %%
import numpy as np
import pandas as pd

from crmlab import Transactions, value
from crmlab.datasets import load_cdnow, simulate_buyers
from crmlab.plots.value import clv_tornado
from crmlab.teaching import figure, record, show
from crmlab.transactions import to_frame

# %% [markdown] lang="en"
# ## The question
#
# CDNOW sold CDs on the internet. In the first twelve weeks of 1997 it won 23,570 customers, and we know every order
# they placed until June 1998. Put yourself into October 1997, when the marketing manager asks:
#
# > *Which of these customers should I spend money on, and how much at most?*
#
# "Those who bought most" is the usual answer. It looks back. The money is spent on what comes.
#
# ## Few bring much: the Pareto curve
#
# Sort customers from the best to the worst, and add up their revenue. The 80/20 rule 二八法则 says that 20 % of the
# customers bring 80 % of the revenue. The **Gini coefficient** 基尼系数 is 0 if all bring the same, and near 1 if one
# brings all.
#
# **ABC classes** ABC 分类 cut the curve into three: A are the customers who bring the first 80 %, B the next 15 %,
# C the rest.
#
# **Predict, then run.** How much do the best 20 % of CDNOW's customers bring, in all eighteen months: 50, 70 or 80 %?

# %%
cdnow = Transactions(load_cdnow())
spent = to_frame(cdnow.table.group_by("customer_id").agg(spent=cdnow.table.amount.sum()).order_by("customer_id"))
pareto = value.pareto(spent["spent"], resamples=resamples, seed=seed)
figure(pareto.plot(language=language))
show(pareto.intervals)
show(value.abc_table(spent["spent"], value.abc(spent["spent"])))

# %% [markdown] lang="en"
# About two thirds. The rule is a slogan, the curve is a fact. With so many customers the interval is narrow.
#
# ## Revenue is not profit
#
# CDNOW does not tell its costs, so we open a shop of our own. Its customers, regions, products and costs are
# simulated. Its truth will serve us again below.

# %%
shop = simulate_buyers(customers, seed=seed)
orders = Transactions(shop.orders, cost="cost", region="region", product="product")
by_product = value.contribution(orders, "product")
show(by_product[["product", "revenue", "contribution", "margin", "revenue_share", "contribution_share"]])
show(value.contribution(orders, "region")[["region", "margin", "revenue_share", "contribution_share"]])

# %% [markdown] lang="en"
# Music brings far more of the **contribution** 贡献毛利 than of the revenue; devices are the reverse, they are sold
# almost at cost. Regions differ because they prefer different products.
#
# Then there is the **cost to serve** 服务成本: packing an order, answering a call. It falls on customers, not on
# products. Say 3 for each order and 4 for each customer.

# %%
served = value.customer_profit(orders, {"order": 3, "customer": 4})
whale = value.whale_curve(served["profit"])
figure(whale.plot(language=language))
show({"peak, % of profit": 100 * whale.peak / whale.total, "with a loss, %": 100 * whale.losing}, digits=0)
show(whale.problems)

# %% [markdown] lang="en"
# The curve rises *above* 100 % and comes down again: a whale 鲸鱼曲线 (Kaplan & Cooper, 1998). The customers on its
# back earned the shop money; those on its tail lost some of it.
#
# ## Lifetime value: lost for good
#
# What comes? Dwyer (1989) asks first what happens to a customer who does *not* buy. In a contract (telephone,
# insurance) she is **lost for good**. With margin $m$ per period, retention 保持率 $r$ and discount rate $d$ her value
# is
#
# $$\mathrm{CLV} = \sum_{t=1}^{\infty} \frac{m\,r^t}{(1+d)^t} = \frac{m\,r}{1 + d - r}$$
#
# Here the first margin comes one period from now, and only if she renews. Others count a margin at once, or pay a
# promotion in the middle of the period. **Always say which.** This is case 1 of Berger & Nasr (1998): margin 260,
# promotion 50, $r = 0.75$, $d = 0.2$, ten years.

# %%
berger = value.retention_clv(260, 0.75, 0.2, periods=10, promotion=50, first_margin="now")
later = value.retention_clv(260, 0.75, 0.2, periods=10, promotion=50, first_margin="renewal")
show({"first margin now": berger, "first margin at renewal": later}, digits=2)

# %% [markdown] lang="en"
# The same customer, 568.78 or 260 less, by a convention. If you read a lifetime value without its convention, you have
# read nothing.
#
# **Predict, then run.** You may improve one thing by a tenth: the margin, the retention rate, or the discount rate.
# Which moves the value most?

# %%
swings = value.clv_sensitivity(260, 0.75, 0.2, periods=10, promotion=50, first_margin="now")
figure(clv_tornado(swings, berger, language=language))
show(swings[["low", "high", "clv_low", "clv_high"]], digits=2)
show({"break-even retention, winning cost 400": value.break_even_retention(260, 0.2, acquisition=400, promotion=50)})

# %% [markdown] lang="en"
# Retention and margin move it far more than the discount rate. The last line turns the question round: if winning a
# customer costs 400 and the first margin comes with the first renewal, this is the loyalty at which she just pays.
#
# One number $r$ for all is itself a simplification. Fader & Hardie (2007) followed 1,000 subscribers: 631 renewed once,
# 468 twice, 382 three times. The rate rises from 63 % to 74 % to 82 %. Nobody need have grown fonder: those who leave
# easily are gone, and the loyal are left. Their **sBG** model gives every customer her own chance to leave, drawn from
# a Beta($\alpha$, $\beta$) distribution.
#
# **Predict, then run.** A margin of 100 a year: is a new subscriber worth more or less than the first rate, used for
# ever, would say?

# %%
left = value.sbg([1000, 631, 468, 382, 326, 289, 262, 241])
show(left.params)
forever = {"the first rate": left.retention(1)[0], "the rates of sBG": left.retention(40)}
subscriber = {name: value.retention_clv(100, rates, discount) for name, rates in forever.items()}
show(subscriber, digits=1)

# %% [markdown] lang="en"
# Far more. (The parameters are the published ones, .704 and 1.182.)
#
# ## Lifetime value: always a share
#
# In a shop nobody cancels. A customer who did not buy last quarter may buy in this one. Dwyer's second model sorts
# customers into **recency cells** 最近购买期: cell $j$ holds those who last bought $j$ periods ago, and $p_j$ of them
# buy in the next one. Pfeifer & Carraway (2000) write it as a Markov chain 马尔可夫链 with transition matrix $P$ and
# rewards $R$:
#
# $$V = \Bigl(I - \tfrac{1}{1+d}\,P\Bigr)^{-1} R$$

# %%
chances = [0.3, 0.2, 0.15, 0.05]
show(value.migration_matrix(chances), digits=2)
chain = value.migration_clv(40, chances, 0.2, promotion=4)
markov, tree = (value.migration_clv(40, chances, 0.2, promotion=4, periods=12, method=m) for m in ("markov", "tree"))
show(pd.DataFrame({"without end": chain, "12 periods": markov, "12 periods, tree": tree}))

# %% [markdown] lang="en"
# The first column holds the five values of their paper. Look at the fourth: a customer not seen for four periods is
# worth *less than nothing*, because the promotion costs more than her rare return brings. Stop writing to her. Dwyer
# drew the same model as a tree 决策树 of all buying histories, which has an end: two ways to write one sum.
#
# ### Both models on the same customers
#
# Now CDNOW: its tenth that researchers use, in quarters since each customer's first order. "Lost for good" only knows
# the first return rate and takes everybody who skips a quarter for gone.

# %%
sample = Transactions(load_cdnow(sample=True))
quarters = value.purchase_periods(sample, period_days=91)
quarterly = (1 + discount) ** 0.25 - 1
dwyer = value.compare_models(quarters, quarterly, margin_rate=margin_rate, resamples=resamples, seed=seed)
figure(dwyer.plot("rates", language=language))

# %% [markdown] lang="en"
# **Predict, then run.** How much does it matter for the value of a new customer that some who pause come back: a
# tenth, a third, or a factor of two?

# %%
show(dwyer.values, digits=2)
figure(dwyer.plot("values", language=language))

# %% [markdown] lang="en"
# About a factor of two, and the intervals do not even touch. **A model for contracts, used on a shop, undervalues
# every customer.** And it is no remedy to call a customer lost later: then those who have really left are overvalued.
#
# ## What you know of single customers: events
#
# A company with forty large customers needs no statistics of thousands. Its account managers know what is coming. They
# write it into a **ledger of events** 客户事件: what, when, how likely, what it brings and costs.

# %%
columns = ["customer", "event", "date", "probability", "revenue", "cost"]
ledger = pd.DataFrame([
    ["Li", "visit", "2026-03-10", 1, 0, 300], ["Li", "renewal", "2026-06-30", 0.7, 12000, 4000],
    ["Wang", "fair", "2026-04-30", 1, 0, 600], ["Wang", "service", "2026-09-30", 0.5, 2000, 1900],
    ["Zhao", "new machine", "2027-03-31", 0.3, 60000, 45000]], columns=columns)  # fmt: skip
foreseen = value.event_value(ledger, discount, as_of="2026-01-01", seed=seed)
show(foreseen.profit_and_loss[["revenue", "cost", "profit", "npv", "chance_of_loss"]], digits=1)
figure(foreseen.plot(language=language))

# %% [markdown] lang="en"
# The **net present value** 净现值 of each customer, and the middle 90 % of simulated futures. Zhao's expected value
# comes from one unlikely sale: most futures bring nothing. Wang is a loss in every future. An expectation alone would
# not have told you.
#
# ## Still there? BG/NBD
#
# Back to the 2,357 of CDNOW. Nobody tells the shop when she leaves. Who bought every week and has been silent for
# three months is probably gone; who buys once a year may just be between two purchases. The **BG/NBD** model (Fader,
# Hardie & Lee, 2005) says it in numbers. While alive, a customer buys at her own rate $\lambda$; after each purchase
# she leaves with her own probability $p$:
#
# $$\lambda \sim \mathrm{Gamma}(r, \alpha), \qquad p \sim \mathrm{Beta}(a, b)$$
#
# It needs three numbers of each customer: **frequency** $x$ (repeat purchases), **recency** $t_x$ (time of the last
# one), and $T$ (time observed). We fit it to the first 39 weeks and keep the next 39 hidden.

# %%
test = value.back_test(sample, "1997-09-30")
show(test.fit.params)
expected = test.fit.expected_purchases(39, 2, 30.43, 38.86)[0]
show({"log-likelihood": test.fit.log_likelihood, "expected in 39 weeks, x = 2": expected})

# %% [markdown] lang="en"
# These are the published numbers: .243, 4.414, .793, 2.426, and 1.226 purchases expected of a customer with $x = 2$
# and $t_x = 30.43$.
#
# **Predict, then run.** Two customers, both observed for 39 weeks, both silent since week 20. Anna bought once more,
# Ben ten times. Who is more likely still a customer?

# %%
alive = test.fit.probability_alive([1, 10], [20, 20], [39, 39])
rival = value.pareto_nbd(*(test.summary[name] for name in ("frequency", "recency", "T")))
other = rival.probability_alive([1, 10], [20, 20], [39, 39])
show(pd.DataFrame({"BG/NBD": alive, "Pareto/NBD": other}, ["Anna", "Ben"]))
show({"log-likelihood, Pareto/NBD": rival.log_likelihood})

# %% [markdown] lang="en"
# Anna. For her 19 weeks of silence are nothing unusual; for Ben they are. **The best customers of yesterday give the
# clearest sign of leaving.** The older **Pareto/NBD** model (Schmittlein, Morrison & Colombo, 1987) lets customers
# leave at any time, not only after a purchase. It says the same of both, and fits CDNOW a little less well.
#
# ### Does the forecast hold?
#
# The grey area is what the model has not seen.

# %%
figure(test.plot("tracking", language=language))
figure(test.plot("frequency", language=language))
figure(test.plot("conditional", language=language))

# %% [markdown] lang="en"
# It follows the sum well and falls somewhat short of it: CDNOW's customers bought more in the second year than the
# first nine months promised. And it ranks: who bought more before bought more after, about as much as expected.
#
# ## Customers whose truth we know
#
# In our own shop we know every $\lambda$ and every leaving. Is $P(\mathrm{alive})$ right? Take all customers to whom
# the model gives about the same probability, and count.

# %%
ours = value.back_test(orders, "2024-12-29")
truth = pd.Series({name: shop.params[name] for name in ("r", "alpha", "a", "b")})
recovered = ours.fit.intervals(resamples, level=0.99, seed=seed).assign(truth=truth)
show(recovered, digits=2)
said = ours.summary.set_index("customer_id")["probability_alive"]
there = ~(shop.customers["last_alive"].reindex(said.index) <= "2024-12-29")
bands = pd.cut(said, [0, 0.2, 0.4, 0.6, 0.8, 1.001], labels=["0–20 %", "20–40 %", "40–60 %", "60–80 %", "80–100 %"])
calibration = pd.DataFrame({"said": said, "true": there}).groupby(bands, observed=True).mean()
show(calibration, digits=2)

# %% [markdown] lang="en"
# The intervals are wide for $a$ and $b$: leaving is never seen, so it is hard to measure. But look at the second table:
# of the customers whom the model calls alive with 50 %, about half are. That is what a probability is for.
#
# ## From purchases to money
#
# How much will she spend each time? One purchase of 200 does not make a 200-dollar customer. The **Gamma–Gamma** model
# (Fader & Hardie, 2013) draws each mean towards that of all, the more the fewer purchases there are. Then
#
# $$\mathrm{CLV} = \text{margin rate} \times E(\text{spend}) \times \sum_t \frac{E(\text{purchases in } t)}{(1+d)^t}$$

# %%
spend = value.gamma_gamma(test.summary["frequency"], test.summary["monetary_value"])
show(spend.params, digits=2)
terms = {"horizon": 52, "discount": discount, "margin_rate": margin_rate}
show(value.clv_intervals(test.fit, spend, test.summary, resamples=resamples, seed=seed, **terms), digits=2)

# %% [markdown] lang="en"
# The mean is what an average customer's next year is worth: that is the most the manager may spend on one of them. The
# parameters are again the published ones (6.25, 3.74, 15.44).
#
# The course splits value into **historical, current and potential** 历史价值、当前价值、潜在价值: before the last
# quarter, in it, and expected in the year to come.

# %%
parts = value.value_parts(sample, as_of="1997-12-31", current_days=92, discount=discount, margin_rate=margin_rate)
figure(parts.plot(language=language))

# %% [markdown] lang="en"
# The best tenth of the customers hold half of all value. So the answer to the manager is a list: customers by
# *potential* value, and none of them for more than that.
#
# ## Groups of customers
#
# Clusters 聚类 describe customers to people who do not read lists. The number of clusters is the one with the best
# **silhouette** 轮廓系数. Any method finds clusters in anything, so each is looked for again in resampled customers;
# the share that it has in common with its nearest likeness (Jaccard) is its **stability** 稳定性 (Hennig, 2007).

# %%
table = ours.summary.merge(shop.customers[["region"]], on="customer_id")
found = value.clusters(table, ["frequency", "recency"], log=["frequency"], resamples=20, seed=seed)
show(found.profile[["customers", "frequency", "recency", "T", "region: north", "holdout_purchases"]], digits=2)
show(found.stability, digits=2)

# %% [markdown] lang="en"
# Read the last column of the profile first. It was not used to form the clusters, and it shows whether they are good
# for anything: they foretell what came after. The region does not differ; a cluster of customers is not a place.
#
# ## What can go wrong
#
# **Customers who do not differ.** BG/NBD lives from differences between customers. Here everybody buys at the same
# rate and nobody leaves.
#
# **A customer without end.** With $r = 1$ and $d = 0$ the sum has no end. No program should give a number for it.

# %%
same = np.random.default_rng(seed).poisson(3, 500)
stuck = value.bg_nbd(same, 37.0 * (same > 0), [39.0] * 500)
show(stuck.problems)
try:
    value.retention_clv(100, 1.0, 0.0)
except ValueError as error:
    print(error)

# %% [markdown] lang="en"
# The program says both times that there is no answer. Many do not, and print a number. Always look at `converged`
# before you look at the parameters.
#
# ## From numbers to decisions
#
# | What you see | How to read it | What to do |
# | --- | --- | --- |
# | Few bring most of the revenue | Concentrated, and exposed | Know these customers by name |
# | Whale far above 100 % | Many customers cost more than they bring | Make serving cheaper before letting anyone go |
# | A cell of negative value | The promotion costs more than it brings | Stop it for this cell |
# | The two models of Dwyer differ | Many pause and come back | Use "always a share" outside contracts |
# | High frequency, low P(alive) | A good customer is leaving | Call today |
# | Low frequency, high P(alive) | A slow customer, not a lost one | Leave in peace |
# | Holdout off by more than 15 % | The world has changed, or the model is wrong | Find out why before using it |
# | An unstable cluster | An accident of this sample | Do not give it a name |
#
# We keep the key numbers of this chapter where a program can find them. Tests compare them with published values.

# %%
record({
    **{"pareto_share": pareto.share, "gini": pareto.gini, "berger": berger, "later": later, "swing": swings["swing"]},
    **{"chain": chain.to_list(), "markov": markov.to_list(), "tree": tree.to_list(), "dwyer": dwyer.values["clv"]},
    **{"rates": dwyer.rates["probability"].to_list(), "difference": dwyer.difference["lower"].iloc[0]},
    **{"npv": foreseen.profit_and_loss["npv"], "loss": foreseen.profit_and_loss["chance_of_loss"]},
    **{"bg_nbd": test.fit.params, "log_likelihood": test.fit.log_likelihood, "gamma_gamma": spend.params},
    **{"alive": list(alive), "holdout_error": test.error, "recovered": recovered.T.to_dict("list")},
    **{"said": calibration["said"].to_list(), "true": calibration["true"].to_list(), "stuck": bool(stuck.converged)},
    **{"peak": whale.peak / whale.total, "losing": whale.losing, "expected": expected},
    "best_tenth": parts.table["total"].nlargest(236).sum() / parts.totals["total"],
    **{"margins": by_product.set_index("product")["margin"], "clusters": found.profile["holdout_purchases"].to_list()},
    **{"expected_spend": spend.mean, "sbg": left.params, "subscriber": subscriber, "rival": list(other)},
    **{"rival_log_likelihood": rival.log_likelihood},
})  # fmt: skip

# %% [markdown] lang="en"
# ## Recap
#
# 1. **Concentration.** The Pareto curve shows revenue, the whale curve profit. They need not name the same customers.
# 2. **Lifetime value.** Lost for good, $mr/(1+d-r)$; always a share, a Markov chain. On a shop's customers they differ
#    by a factor of two. State the convention.
# 3. **Events.** Probability, revenue and cost of what is foreseen give a value, an interval and a chance of loss.
# 4. **BG/NBD.** Silence means more the more often somebody bought.
# 5. **Tests.** A forecast is believed after a holdout period, a cluster after it was found again.
#
# ## On your own data
#
# ```python
# orders = Transactions("my_orders.csv", customer="client", date="day", amount="total", cost="goods", region="region")
# value.back_test(orders, "2025-12-31").plot()
# value.value_parts(orders).table.sort_values("potential", ascending=False).to_excel("list.xlsx")
# value.event_value("my_events.csv", discount=0.1).profit_and_loss
# ```
#
# ## Exercises and references
#
# Open `exercises/04_customer_value.ipynb`: three questions with hints, and one open task.
#
# * Berger, P. D., & Nasr, N. I. (1998). Customer lifetime value: Marketing models and applications. *Journal of
#   Interactive Marketing* 12(1), 17–30.
# * Dwyer, F. R. (1989). Customer lifetime valuation to support marketing decision making. *Journal of Direct
#   Marketing* 3(4), 8–15.
# * Fader, P. S., & Hardie, B. G. S. (2013). The Gamma–Gamma model of monetary value.
# * Fader, P. S., & Hardie, B. G. S. (2007). How to project customer retention. *Journal of Interactive Marketing*
#   21(1), 76–90.
# * Fader, P. S., Hardie, B. G. S., & Lee, K. L. (2005). "Counting your customers" the easy way. *Marketing Science*
#   24(2), 275–284.
# * Hennig, C. (2007). Cluster-wise assessment of cluster stability. *Computational Statistics & Data Analysis* 52(1),
#   258–271.
# * Kaplan, R. S., & Cooper, R. (1998). *Cost & Effect*. Harvard Business School Press.
# * Pfeifer, P. E., & Carraway, R. L. (2000). Modeling customer relationships as Markov chains. *Journal of Interactive
#   Marketing* 14(2), 43–55.
# * Schmittlein, D. C., Morrison, D. G., & Colombo, R. (1987). Counting your customers: Who are they and what will they
#   do next? *Management Science* 33(1), 1–24.
