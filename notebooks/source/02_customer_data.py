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
# # 2 · Customer data
#
# *From raw exports to one table of customers (客户数据): what to repair, what to remove, who is who, and what may be
# kept.*
#
# **For** students of customer relationship management, and for analysts who were handed three files and one question.
#
# **You should know** what a table, a mean and a probability are. No database language is needed.
#
# **Objectives.** After this chapter you can
#
# 1. read order files with named roles and say what is wrong with them, row by row;
# 2. clean orders rule by rule 数据清洗 and account for every line and every yuan that goes;
# 3. find customers who stand in the files twice 客户去重, and choose a threshold by what an error costs;
# 4. sort customers in five ways 客户分类, and measure how active each one is 活跃度;
# 5. hand on a table that holds no more about people than its purpose needs 隐私保护.
#
# **Time:** 30 minutes.
#
# The settings of this page. The shops and their customers are invented, so that the truth is known; everything random
# follows from the seed 随机种子.

# %% tags=["parameters"]
seed: int = 2026  # everything random follows from it
persons: int = 300  # people who buy at the three shops
mess: float = 1.0  # 0 to 1: how likely a second shop writes a name, telephone or e-mail in another way
threshold: float = 0.9  # probability from which two ids count as one person

# %% [markdown] lang="en"
# One cell brings all tools. `Transactions` and `clean` look after orders, `customers` after people, `simulate_orders`
# invents the three shops, and `load_cdnow` reads a real one.

# %%
import hashlib

import pandas as pd

from crmlab import Transactions, customers
from crmlab.datasets import load_cdnow, simulate_orders
from crmlab.datasets.orders import HEADERS
from crmlab.teaching import figure, record, show
from crmlab.transactions import clean

# %% [markdown] lang="en"
# ## The question
#
# A tea merchant has bought two competitors. There are now three shops, North, Web and West, with three cash systems.
# Before the first board meeting the managing director wants to know two numbers:
#
# > *How many customers do we have, and how much did they buy?*
#
# Three files arrive by e-mail. Here is the first line of each.

# %%
shops = simulate_orders(persons, seed, mess=mess)
for export in shops.exports.values():
    show(export.head(1))

# %% [markdown] lang="en"
# Three systems, three headers, two languages. So the first step is dull and decisive: give every column its **role**
# 字段角色. Each shop's header becomes the common one, and the files are stacked.

# %%
parts = []
for shop, export in shops.exports.items():
    common = {name: role for role, name in HEADERS[shop].items()}
    parts.append(export.rename(columns=common).assign(shop=shop))
raw = pd.concat(parts, ignore_index=True)

# %% [markdown] lang="en"
# An answer in one minute: count the different ids, add up every amount that is a number.

# %%
hasty = {
    "customers": raw["customer_id"].nunique(),
    "revenue": pd.to_numeric(raw["amount"], errors="coerce").sum(),
}
show(hasty, digits=0)

# %% [markdown] lang="en"
# **Predict, then run.** Is the hasty number of customers too high, too low or about right? And the revenue? Write
# your guess down; the answer comes at the end of the chapter, because only invented shops can tell us the truth.
#
# ## Reading: say what each column is
#
# `Transactions` needs three roles: who bought, when, and for how much. Further roles are optional. It changes
# nothing silently: what it cannot read it lists under `problems`, with the row, the header being row 1.

# %%
orders = Transactions(raw, order="order_id", product="product", quantity="quantity", channel="shop")
show(orders.problems)

# %% [markdown] lang="en"
# Every sentence says what was found, where, and what was done about it. Dates in several formats 日期格式不一 were
# read, each in its own way. Dates that do not exist, such as 30 February, were not.
#
# The lines with customer, date and amount are the **table**; on these, and only on these, later chapters compute.
#
# ## The pipeline
#
# Readable is not yet right. A cancelled order has a customer, a date and an amount. The course's pipeline 数据处理流程
# has six steps, in this order:
#
# | step | 步骤 | question |
# | --- | --- | --- |
# | fields | 核对字段 | Is each cell written as it should be? |
# | match | 匹配 | Which ids mean the same customer? |
# | duplicates | 去重 | Which lines stand there twice? |
# | errors | 剔除错误 | Which lines are no purchase at all? |
# | blacklist | 黑名单 | Whom must no analysis hold? |
# | enrich | 补充 | What else do we know about the customer? |
#
# Each step consists of named **rules**. A rule repairs lines or removes them, and what one rule has removed the next
# does not count. The order matters: ids are made alike *before* duplicates are sought, or " 7" and "7" would hide a
# copy from each other.
#
# **Predict, then run.** About every seventh line will go. Which rules will take out most?

# %%
cleaned, report = clean(orders, as_of=shops.as_of, blacklist=shops.blacklist)
show(report.steps[["step", "rule", "applied", "lines_in", "removed", "changed", "amount"]], digits=0)

# %% [markdown] lang="en"
# Read it from top to bottom: `lines_in` shrinks by what the rule above removed. Lines that were repaired stand under
# `changed`. Copies and postage take out most. Two rules were not applied, because we have given them nothing yet:
# they say what they need.
#
# Now as a picture, and with the first example of each rule, the cells as they were found.

# %%
figure(report.plot())
seen = report.examples.groupby("rule", sort=False).head(1)
show(seen[["rule", "row", "customer_id_found", "date_found", "amount_found"]])

# %% [markdown] lang="en"
# The stream hardly narrows, and that is the danger: no single rule looks important. Nobody should have to believe
# such a picture; that is what the examples are for.
#
# Go back to the file, look up the row, and judge for yourself. If you disagree with a rule, switch it off by name:
# `skip=["zero_amount"]`.
#
# ### Did it find what was wrong?
#
# With real files nobody knows. These shops were damaged on purpose, and the list of damaged lines was kept. How many
# lines of each kind were damaged, and how many did the rule of that name find?

# %%
damaged = shops.defects["defect"].value_counts().rename("damaged")
found = report.steps.set_index("rule").eval("removed + changed").rename("found")
compared = pd.concat([damaged, found], axis=1, join="inner").rename_axis("rule")
show(compared)

# %% [markdown] lang="en"
# Every damaged line was found, and no sound one was blamed. This is easier than life: here a line has at most one
# defect, and each kind has a rule. On real files, expect defects for which there is no rule yet.
#
# ### What can go wrong: a copy, or two purchases?
#
# Time for a real file. CDNOW, a shop for music, published all orders of the customers it won in early 1997. It has
# no order numbers. **Predict, then run.** How many of 69,659 lines are equal to another one in customer, day and
# amount?

# %%
cdnow = Transactions(load_cdnow(), quantity="quantity")
_, cdnow_report = clean(cdnow, as_of="1998-07-01")
show(cdnow_report.steps.query("removed > 0")[["rule", "lines_in", "removed", "amount"]], digits=0)

# %% [markdown] lang="en"
# Some two hundred and fifty lines are equal to another one: same customer, same day, same number of discs, same
# price. A copying error, or two orders in one evening? **No rule can know.** With an order number it could. So decide,
# write the decision down, and compute the result both ways; where the two differ, say so. Most of the literature keeps
# these lines, and chapters 3 and 4 do too.
#
# The free orders are a decision as well: a gift is no revenue, but it is a sign of life.
#
# ## Who is who?
#
# The lines are clean, but the number of customers is not: who bought at two shops has two ids. Nobody gave us a
# table that says which. All we have is what each shop wrote down at the counter.

# %%
show(shops.register[["customer_id", "shop", "name", "phone", "email", "birth_year"]].head(6))

# %% [markdown] lang="en"
# Names with their parts exchanged, capitals, misspelt e-mails, telephones with and without +86, and empty cells. To
# ask for *equal* entries would find few; to ask for *similar* names would marry strangers.
#
# **The model** (Fellegi and Sunter, 1969) weighs the evidence. Let two entries agree on a field with probability $m$
# if they are one person, and with probability $u$ if they are two. Then agreement speaks for one person with weight
# 权重
#
# $$w = \log_2 \frac{m}{u},$$
#
# and the weights of the fields add up. Two persons hardly ever have the same telephone, so $u$ is small and $w$
# large; they often live in the same city, so that agreement says little. `splink` learns $u$ from random pairs and
# $m$ from the entries themselves, without being told a single true pair.

# %%
links = customers.link_customers(shops.register, exact=["birth_year"], threshold=threshold, seed=seed)
show(links.weights)

# %% [markdown] lang="en"
# Positive weights speak for one person, negative ones against. Equal telephones are worth about nine doublings of the
# odds, a factor of five hundred. That is what it takes: a pair drawn at random is one person only once in some hundred
# times. A telephone that *differs* says little: people have two.
#
# ### The threshold is a decision
#
# A **threshold** 阈值 turns probabilities into yes and no. Two kinds of error follow:
#
# * **precision** 查准率: of the pairs we put together, how many are right? An error sends Ms Wang's offers to Mr Wang.
# * **recall** 查全率: of the true pairs, how many did we find? An error counts one person as two.

# %%
accuracy = links.accuracy(shops.persons)
show(accuracy)
figure(links.plot(shops.persons))

# %% [markdown] lang="en"
# Every row is a possible policy. A strict threshold is nearly always right and leaves many persons double; a lenient
# one finds nearly all and marries some strangers. For a count of customers, a few wrong pairs do little harm. For a
# letter about somebody's debts, one is too many.
#
# What did the birth year do? Link again without it.

# %%
poorer = customers.link_customers(shops.register, threshold=threshold, seed=seed)
both = pd.concat({"with birth year": accuracy, "without": poorer.accuracy(shops.persons)}, names=["fields"])
show(both.query("threshold == 0.5").droplevel(1)[["found", "right", "missed", "precision", "recall"]])

# %% [markdown] lang="en"
# One more field, and a dull one, finds more true pairs at the same threshold, and marries hardly more strangers for it.
# Good linkage begins at the counter: with what is asked, and how carefully it is written down.
#
# ## The answer
#
# Now the pipeline once more, with the links and with the city of each customer. `same` replaces ids, `attributes` joins
# what the register knows.

# %%
links_used = {"same": links.same(), "attributes": shops.register[["customer_id", "city"]]}
final, final_report = clean(orders, as_of=shops.as_of, blacklist=shops.blacklist, **links_used)
show(final_report.problems)

# %% [markdown] lang="en"
# The report ends with what a careful analyst would object to. Note the first objection: cancellations were removed,
# but the sales that they cancel are still there.
#
# And here is the truth of the three shops beside three answers.

# %%
truth = shops.clean.merge(shops.persons, on="customer_id")
answers = {
    "hasty": hasty,
    "cleaned": {"customers": cleaned.customers, "revenue": cleaned.to_pandas()["amount"].sum()},
    "cleaned and linked": {"customers": final.customers, "revenue": final.to_pandas()["amount"].sum()},
    "truth": {"customers": truth["person"].nunique(), "revenue": truth["amount"].sum()},
}
answers = pd.DataFrame(answers).T.rename_axis("answer")
show(answers, digits=0)

# %% [markdown] lang="en"
# The hasty count is far too high: every padded, zero-filled or decimal id was a customer of its own. Cleaning brings
# it down to the ids of the registers, linking to nearly the number of people. Revenue was wrong by less, and by luck:
# copies and postage added what cancellations took away. **Errors that cancel each other are still errors**: they will
# not cancel in each shop, or in each customer.
#
# ## Five ways to sort customers
#
# With one row per person we can sort. The course knows five taxonomies 客户分类, and `customers.label` has a rule for
# each:
#
# | taxonomy | 中文 | labels | from |
# | --- | --- | --- | --- |
# | stage | 成交阶段 | potential, interested, closed, after-sale | enquiries, orders, days since the last |
# | tier | 消费档次 | small, medium, large | amount |
# | temperament | 气质类型 | sanguine, choleric, phlegmatic, melancholic | an adviser's note |
# | age_band | 年龄段 | from under 18 to 65 and over | birth year |
# | membership | 会员 | guest, member | the register |
#
# Three follow from data by a rule, two must be written down by somebody. Our files allow two: spend tier and age band.

# %%
spent = final.to_pandas().groupby("customer_id")["amount"].sum()
born = shops.register.astype({"customer_id": "int64"}).set_index("customer_id")["birth_year"]
labels = customers.label(pd.DataFrame({"amount": spent, "birth_year": born.reindex(spent.index)}), as_of=shops.as_of)
show(labels.cross_tab("age_band", "tier", share="rows"), digits=2)

# %% [markdown] lang="en"
# Each row adds up to one: of the customers of an age, this share are small, medium and large. The tiers are cut by
# rank, the largest tenth, the next three tenths, and the rest, so the row "all" is no finding, it is the rule. A
# finding is a row that differs from it by more than chance, and with so few people per row chance is large. (In these
# shops age has no influence on spending: whatever you see *is* chance.)
#
# ## How alive is a customer?
#
# A book club expects its members to buy a book a quarter. Its **activity index** 活跃度指数 gives a point for every
# purchase; a point loses half of its worth in each half-life $h$ 半衰期:
#
# $$A = \sum_i 2^{-d_i / h}, \qquad \text{index} = 100 \cdot A \,\bigl(1 - 2^{-p/h}\bigr),$$
#
# where $d_i$ are the days since purchase $i$ and $p$ the pace of the club, 90 days. A member who has always bought at
# this pace stands at 100 on the day of a purchase.
#
# **Predict, then run.** Anna bought every quarter for years, then stopped a year ago. Ben bought his first three
# books this month. Who is more active?

# %%
anna = pd.date_range("2019-01-01", "2024-12-31", freq="90D")
ben = pd.to_datetime(["2025-12-10", "2025-12-18", "2025-12-27"])
members = pd.DataFrame({"customer_id": ["Anna"] * len(anna) + ["Ben"] * 3, "date": [*anna, *ben], "amount": 30.0})
club = customers.activity_index(Transactions(members), as_of="2025-12-31")
show(club[["customer_id", "purchases", "activity"]], digits=0)

# %% [markdown] lang="en"
# Ben, with an eighth of Anna's purchases. An index that only counts would call Anna the best member, a year after she
# left. But look at the other side too: nobody knows yet whether Ben will come back. Chapter 3 takes recency and
# frequency apart, chapter 4 turns them into probabilities.
#
# ## What may be kept
#
# The analysis is done with ids, days and amounts. It needs no names. First try what many do: replace each id by its
# **hash** 哈希, a number that cannot be computed backwards.

# %%
stolen = hashlib.sha256(b"20007").hexdigest()
guesses = {hashlib.sha256(str(number).encode()).hexdigest(): number for number in range(100_000)}
show({"the id behind the hash": guesses[stolen]})

# %% [markdown] lang="en"
# No computation backwards is needed: there are only a hundred thousand ids of five digits, and hashing all of them
# took a moment. Telephone numbers take longer, but not long. A **keyed** hash (HMAC) cannot be tried out without the
# key.
# The key stays with you, apart from the data; nothing here stores it.

# %%
key = "the key of a lesson is known to everybody"
shared = customers.minimise(shops.register, key)
show(shared.head(3))
show(customers.what_to_keep(shops.register))

# %% [markdown] lang="en"
# The same key gives the same pseudonym 假名, so that orders and register can still be joined. The second table says
# what happened to each field, and why.
#
# **Pseudonymous is not anonymous.** Whoever holds the key can go back, so the law still speaks of personal data
# 个人信息. And people can be recognised by what is left: how many are alone in their shop, city and decade?

# %%
groups = shared.groupby(["shop", "city", "birth_year"]).size()
alone = int((groups == 1).sum())
show({"persons alone in their group": alone, "of": len(shared)})

# %% [markdown] lang="en"
# Each of them can be found by a neighbour who knows three harmless things. Make the groups coarser, or leave a column
# out, until the smallest group is large enough for your purpose.
#
# ## From numbers to decisions
#
# | what you see | what it means | what to do |
# | --- | --- | --- |
# | one rule removes a fifth of the lines | a column has the wrong role, or an export is broken | look at its examples |
# | many padded or decimal ids | somebody opened the export in a spreadsheet | ask for the file as the system wrote it |
# | equal lines, no order number | copies or real purchases: unknown | compute both ways, ask for the number |
# | many pairs between 0.5 and the threshold | the register lacks a field that tells people apart | ask for birth year |
# | precision matters more (letters, debts) | a wrong link hurts a person | threshold 0.99, read the rest by eye |
# | recall matters more (counts, shares) | a missed link distorts a total | threshold 0.5 |
# | small groups in the shared table | persons can be recognised | coarsen or drop |
#
# The chapter's key numbers, for the record.

# %%
at_threshold = links.accuracy(shops.persons, [threshold]).iloc[0]
record(
    {
        "answers": {name: row.to_dict() for name, row in answers.iterrows()},
        "rules_wrong": int((compared["damaged"] != compared["found"]).sum()),
        "cdnow_repeated": int(cdnow_report.steps.set_index("rule").loc["repeated_lines", "removed"]),
        "cdnow_free": int(cdnow_report.steps.set_index("rule").loc["zero_amount", "removed"]),
        "precision": at_threshold["precision"],
        "recall": at_threshold["recall"],
        "recalls": accuracy["recall"].tolist(),
        "activity": club.set_index("customer_id")["activity"].to_dict(),
        "alone": alone,
    }
)

# %% [markdown] lang="en"
# ## Recap
#
# 1. **Read.** Give columns roles; read the problems; never let a program guess in silence.
# 2. **Clean.** Six steps, named rules, and a report in which every line is accounted for. Where a rule cannot know,
#    decide and say so.
# 3. **Link.** Each field adds its weight $\log_2(m/u)$. The threshold weighs two kinds of error; a further field
#    makes both rarer.
# 4. **Sort and measure.** A label is as good as its rule. Activity rises with purchases and fades without them.
# 5. **Protect.** Keyed hashes, fewer fields, coarser values; and look at the smallest groups.
#
# ## On your own data
#
# ```python
# from crmlab import Transactions
# from crmlab.transactions import clean
#
# orders = Transactions("orders.csv", customer="member", date="paid_on", amount="total", order="invoice")
# cleaned, report = clean(orders)
# report.steps.to_excel("what_was_removed.xlsx")
# ```
#
# CSV, Excel and Parquet files are read, in UTF-8, GBK or UTF-16, also compressed. With `engine="spark"` the same lines
# run on a cluster.
#
# ## Exercises and references
#
# Open `exercises/02_customer_data.ipynb`: three questions with hints, and one open task.
#
# * Fader, P. S., & Hardie, B. G. S. (2001). Forecasting repeat sales at CDNOW: a case study. *Interfaces* 31(3),
#   S94–S107.
# * Fellegi, I. P., & Sunter, A. B. (1969). A theory for record linkage. *Journal of the American Statistical
#   Association* 64, 1183–1210.
# * Krawczyk, H., Bellare, M., & Canetti, R. (1997). *HMAC: keyed-hashing for message authentication* (RFC 2104).
# * Linacre, R., Lindsay, S., Manassis, T., Slade, Z., & Hepworth, T. (2022). Splink: free software for probabilistic
#   record linkage at scale. *International Journal of Population Data Science* 7(3).
