"""Questions on RFM: reading a rubric, quantile scores with ties, and the gain of a list (chapter 3).

The second and third are about the tenth of CDNOW's customers that published models use.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from crmlab.teaching.answers import Mistake, Question

if TYPE_CHECKING:
    import pandas as pd

#: Lower ends of the rubric's bands 2, 3 and 4: recency in months, frequency in orders, money in units.
STARTS = {"r": (4, 7, 13), "f": (3, 6, 11), "m": (3, 6, 11)}
#: The customer of question 1.
MONTHS, ORDERS, MONEY = 8, 12, 4
SPLIT = "1997-09-30"


def scores() -> pd.Series:
    """The scores of the customer of question 1."""
    import pandas as pd

    values = {"r": MONTHS, "f": ORDERS, "m": MONEY}
    return pd.Series({name: 1 + sum(value >= start for start in STARTS[name]) for name, value in values.items()})


def recency_turned_round() -> pd.Series:
    """The same, the oldest band of recency called 1."""
    turned = scores()
    turned["r"] = 5 - turned["r"]
    return turned


def values() -> pd.Series:
    """What the customer did, in place of its scores."""
    import pandas as pd

    return pd.Series({"r": MONTHS, "f": ORDERS, "m": MONEY})


@functools.cache
def orders() -> pd.DataFrame:
    """All orders of the sample."""
    from crmlab.datasets import load_cdnow

    return load_cdnow(sample=True)


@functools.cache
def frequency() -> pd.Series:
    """Orders per customer."""
    return orders().groupby("customer_id").size()


def share_with_score(score: int, bins: int = 5) -> float:
    """Share of customers who are strictly ahead of score − 1 bins, and not of score bins, of the others."""
    ahead = (frequency().rank(method="min") - 1) * bins // len(frequency()) + 1
    return float((ahead == score).mean())


def gain(top: float, *, later: bool = True) -> float:
    """Share of the orders after the split, or of all orders, made by those with most orders before the split."""
    known = orders()["date"] <= SPLIT
    before = orders()[known].groupby("customer_id").size()
    counted = orders()[~known] if later else orders()
    outcome = counted.groupby("customer_id").size().reindex(before.index, fill_value=0)
    groups = outcome.groupby(-before).agg(["size", "sum"]).cumsum() / [len(before), outcome.sum()]
    below = groups[groups["size"] <= top].iloc[-1:]
    start = (float(below["size"].iloc[0]), float(below["sum"].iloc[0])) if len(below) else (0.0, 0.0)
    end = groups[groups["size"] > top].iloc[0]
    return start[1] + (top - start[0]) / (end["size"] - start[0]) * (end["sum"] - start[1])


QUESTIONS = (
    Question(
        name="03.q1",
        asks="three labelled whole numbers, one for each of r, f and m",
        solution=scores,
        tolerance=0.01,
        mistakes=(
            Mistake(
                "recency turned round",
                recency_turned_round,
                (
                    "Which recency band does the rubric call R1: the most recent or the oldest?",
                    "In the published rubric R1 is the most recent. Count the bands from 1–3 months on.",
                ),
            ),
            Mistake(
                "bands counted from 0",
                lambda: scores() - 1,
                (
                    "What is the number of the first band?",
                    "The bands are numbered from 1, so the first frequency band is F1.",
                ),
            ),
            Mistake(
                "what the customer did in place of its scores",
                values,
                (
                    "These are months, orders and money. A score is the number of a band.",
                    "Look each value up in the table of the rubric and give the number of its band.",
                ),
            ),
        ),
        hints=(
            "Find the band of each value in the table of the rubric.",
            "Eight months lie in 7–12, the third band of recency.",
            "Twelve orders are 11+, four units of money lie in 3–5.",
        ),
    ),
    Question(
        name="03.q2",
        asks="a share between 0 and 1",
        solution=lambda: share_with_score(1),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                "equal parts, as if no two customers had the same value",
                lambda: 0.2,
                (
                    "Can two customers with one order each have different scores?",
                    "Everybody with the lowest value is ahead of nobody, so all of them share the score 1.",
                ),
            ),
            Mistake(
                "the share of the customers who have another score",
                lambda: 1 - share_with_score(1),
                (
                    "Whose share is this: of those with f = 1, or of the others?",
                    "Take the complement.",
                ),
            ),
            Mistake(
                "a number of customers",
                lambda: share_with_score(1) * len(frequency()),
                (
                    "The number is right. What is it a share of?",
                    "Divide by the number of customers.",
                ),
            ),
        ),
        hints=(
            "Score the sample with the quantile scheme and look at the column f.",
            "rfm.score(table, 'quantile') gives f; value_counts(normalize=True) gives shares.",
            "All customers with exactly one order have f = 1.",
        ),
    ),
    Question(
        name="03.q3",
        asks="a share between 0 and 1",
        solution=lambda: gain(0.2),
        tolerance=0.002,
        mistakes=(
            Mistake(
                "the gain of a list drawn by lot",
                lambda: 0.2,
                (
                    "This is what a fifth of the customers would bring if frequency told nothing.",
                    "Rank the customers by their frequency before the split, and count what they did after it.",
                ),
            ),
            Mistake(
                "orders counted that the score already knew",
                lambda: gain(0.2, later=False),
                (
                    "Which orders may be counted to judge a score that was made on the day of the split?",
                    "Count only orders after the split: the others made the score.",
                ),
            ),
            Mistake(
                "the lift in place of the gain",
                lambda: gain(0.2) / 0.2,
                (
                    "A gain is a share of the later orders; it cannot be above 1.",
                    "Lift is gain divided by the share of customers. Multiply by 0.2.",
                ),
            ),
        ),
        hints=(
            "rfm.holdout(orders, split).customers has frequency and later_orders.",
            "rfm.compare(later_orders, {'frequency': frequency}, top=[0.2]) has the gain of the first fifth.",
            "Use the column gain_20.",
        ),
    ),
)
