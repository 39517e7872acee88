"""Questions on customer value: a lifetime value, a share of profit, a customer who may have left (chapter 4)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from crmlab.teaching.answers import Mistake, Question

if TYPE_CHECKING:
    import pandas as pd

#: The mobile-phone contract of question 1: per year.
MARGIN, RETENTION, DISCOUNT, ACQUISITION = 180.0, 0.8, 0.1, 250.0
#: Costs to serve of question 2.
PER_ORDER, PER_CUSTOMER = 4.0, 5.0
TOP = 0.2


def contract(retention: float = RETENTION) -> float:
    """m r/(1 + d − r) less what it cost to win the customer."""
    return MARGIN * retention / (1 + DISCOUNT - retention) - ACQUISITION


@functools.cache
def profits() -> pd.DataFrame:
    """Profit of every customer of the exercise's shop, and what it is made of."""
    from crmlab import Transactions, value
    from crmlab.datasets import simulate_buyers

    orders = Transactions(simulate_buyers(1500, seed=44).orders, cost="cost")
    return value.customer_profit(orders, {"order": PER_ORDER, "customer": PER_CUSTOMER})


def top_share(column: str) -> float:
    """Share of a column's total that the best fifth of the customers bring."""
    ranked = profits()[column].sort_values(ascending=False)
    return float(ranked.iloc[: int(TOP * len(ranked))].sum() / ranked.sum())


def losing(column: str) -> float:
    """Share of the customers below 0."""
    return float((profits()[column] < 0).mean())


@functools.cache
def expected(frequency: float, recency: float, alive: bool = True) -> float:
    """Purchases BG/NBD expects within 26 weeks of a customer of CDNOW observed for 39."""
    from crmlab import Transactions, value
    from crmlab.datasets import load_cdnow

    bought = value.purchase_summary(Transactions(load_cdnow(sample=True)), end="1997-09-30")
    fit = value.bg_nbd(bought["frequency"], bought["recency"], bought["T"])
    many = float(fit.expected_purchases(26, frequency, recency, 39)[0])
    return many if alive else many / float(fit.probability_alive(frequency, recency, 39)[0])


QUESTIONS = (
    Question(
        name="04.q1",
        asks="an amount of money",
        solution=contract,
        tolerance=0.005,
        mistakes=(
            Mistake(
                "the share who leave taken for the share who stay",
                lambda: contract(retention=1 - RETENTION),
                (
                    "Of 100 customers, how many are left after a year? In your answer 20.",
                    "20 % cancel, so retention is 0.8.",
                ),
            ),
            Mistake(
                "a first margin that everybody pays at once",
                lambda: contract() + MARGIN,
                (
                    "When does the first margin come, and from whom?",
                    "It comes after a year, and only from those who renew: m r/(1 + d − r), not m (1 + d)/(1 + d − r).",
                ),
            ),
            Mistake(
                "margins that are not discounted",
                lambda: MARGIN * RETENTION / (1 - RETENTION) - ACQUISITION,
                ("Is money in ten years as good as money now?", "The denominator is 1 + d − r, with d = 0.1."),
            ),
        ),
        hints=(
            "Without end and with constant retention the sum has a closed form.",
            "m r/(1 + d − r), less the cost of winning.",
            "value.retention_clv(180, 0.8, 0.1, acquisition=250)",
        ),
    ),
    Question(
        name="04.q2",
        asks="a share between 0 and 1",
        solution=lambda: losing("profit"),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                "a contribution, from which the cost to serve is not yet taken",
                lambda: losing("contribution"),
                (
                    "Whose parcels are packed for nothing in your answer?",
                    "Profit is contribution less 4 for each order and 5 for each customer.",
                ),
            ),
            Mistake(
                "the share of profit of the best fifth",
                lambda: top_share("profit"),
                ("This says something about the best customers. The question asks about the worst.", "Count losses."),
            ),
            Mistake(
                "the share of customers who do bring a profit",
                lambda: 1 - losing("profit"),
                ("Which side of the curve have you counted?", "The others: those with a profit below 0."),
            ),
        ),
        hints=(
            "First a table of profit by customer.",
            "value.customer_profit(orders, {'order': 4, 'customer': 5}) has a column profit.",
            "The share of rows in which it is below 0; value.whale_curve(profit).losing.",
        ),
    ),
    Question(
        name="04.q3",
        asks="a number of purchases",
        solution=lambda: expected(4, 30),
        tolerance=0.005,
        mistakes=(
            Mistake(
                "what she would buy if she were certainly still a customer",
                lambda: expected(4, 30, alive=False),
                (
                    "Is she still a customer for certain?",
                    "Multiply by the probability that she is; expected_purchases has done so.",
                ),
            ),
            Mistake(
                "her old pace, as if nothing could end",
                lambda: 4 / 39 * 26,
                (
                    "4 purchases in 39 weeks, carried on for 26. What does the model know that this rule does not?",
                    "She may have left, and her pace was partly luck. Ask the fitted model.",
                ),
            ),
            Mistake(
                "the time since the last purchase taken for recency",
                lambda: expected(4, 9),
                (
                    "From when does recency run in this model?",
                    "From the first purchase to the last: she last bought in week 30, so recency is 30.",
                ),
            ),
        ),
        hints=(
            "Fit value.bg_nbd to frequency, recency and T of the summary.",
            "Then expected_purchases(26, frequency, recency, T) for her.",
            "frequency 4, recency 30, T 39.",
        ),
    ),
)
