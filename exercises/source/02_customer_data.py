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
# # Exercises 2 · Customer data 客户数据
#
# Three questions and one open task, about 40 minutes. Write your answer in place of the dots, run the cell, then run
# the check below it. A wrong answer is no harm: the check says what it looks like and gives a hint, and the next hint
# is plainer.

# %%
from crmlab import Transactions, customers
from crmlab.datasets import simulate_orders
from crmlab.teaching import check, show
from crmlab.transactions import clean

# %% [markdown] lang="en"
# The first question is about three small shops, smaller than those of the chapter.

# %%
shops = simulate_orders(persons=60, seed=7)
orders = Transactions(shops.data, order="order_id", product="product")
show(orders.problems)

# %% [markdown] lang="en"
# ## Question 1 · How many customers?
#
# Clean the orders with all rules; the analysis is of the day `shops.as_of`, and the blacklist is `shops.blacklist`.
# **How many different customer ids are left?**

# %% tags=["solution"]
cleaned, report = clean(orders, as_of=shops.as_of, blacklist=shops.blacklist)
q1 = cleaned.customers

# %%
check("02.q1", q1)

# %% [markdown] lang="en"
# ## Question 2 · One person or two?
#
# Two entries have the **same telephone** and **different cities**. Among pairs of one person, the telephone agrees in
# 90 % and the city in 80 %; among pairs of two persons, the telephone agrees in 0.05 % and the city in 15 %. Before
# looking, the odds that a pair is one person are 1 to 1000. **What is the probability that these two are one person?**

# %% tags=["solution"]
odds = (1 / 1000) * (0.90 / 0.0005) * ((1 - 0.80) / (1 - 0.15))
q2 = odds / (1 + odds)

# %%
check("02.q2", q2)

# %% [markdown] lang="en"
# ## Question 3 · The book club
#
# A member bought today, 90 days ago and 270 days ago. The club's pace is 90 days, the half-life 180 days. **What is
# the activity index 活跃度指数?**

# %% tags=["solution"]
points = sum(2 ** (-days / 180) for days in (0, 90, 270))
q3 = 100 * points * (1 - 2 ** (-90 / 180))

# %%
check("02.q3", q3)

# %% [markdown] lang="en"
# ## Open task · A policy for duplicates
#
# The merchant wants to write to all customers whose tea has to be called back. Link the register of these shops, and
# write half a page:
#
# 1. Which threshold do you choose for this letter, and which for counting customers? What does each error cost?
# 2. Look at the pairs between 0.3 and 0.9. Which would you link by eye, and what tells you so?
# 3. Which fields of the register does the letter need, and which must the analyst never see?

# %%
links = customers.link_customers(shops.register, exact=["birth_year"])
show(links.pairs.query("0.3 < probability < 0.9")[["probability", "name_l", "name_r", "email_l", "email_r"]])

# %% tags=["solution"]
policy = links.accuracy(shops.persons, [0.1, 0.5, 0.9, 0.99])

# %% [markdown] tags=["solution"] lang="en"
# *One way to answer.* In a recall of goods a person who is missed may be hurt, and a second letter to the same person
# costs a stamp: do not merge at all, or only what is certain (0.99). For counting, 0.5 makes the two errors about
# equally many. By eye, one changed digit or letter looks like one person; equal names with different telephones *and*
# birth years look like two. The letter needs name and address, which stay with the shop; the analyst needs none of
# them.
