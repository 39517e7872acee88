"""Questions on grading: customers a rule forgets, weighted kappa, the lift of a grade (chapter 5)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from crmlab.teaching.answers import Mistake, Question

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MOST_ORDERS = 12
BOTH = ((20, 5, 1), (8, 30, 6), (2, 4, 24))
SPLIT = "1997-09-30"
GOLD = 100.0


def grade(orders: int, member: bool) -> str | None:
    """The shop's rule, read row by row."""
    if orders > 6 and member:
        return "A"
    if 3 <= orders <= 6:
        return "B"
    return "C" if orders < 3 and not member else None


def without_grade(counts: range) -> list[tuple[int, bool]]:
    """Combinations that no row takes."""
    return [(n, member) for n in counts for member in (True, False) if grade(n, member) is None]


def kappa(power: float) -> float:
    """Weighted kappa with disagreements of |i − j| to a power; 0 is the plain one."""
    import numpy as np

    p = np.array(BOTH, float) / np.sum(BOTH)
    apart = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    cost: np.ndarray = np.where(apart > 0, apart**power, 0.0)
    return float(1 - (cost * p).sum() / (cost * np.outer(p.sum(axis=1), p.sum(axis=0))).sum())


def observed_agreement() -> float:
    """Share of customers with the same grade by both."""
    return sum(BOTH[i][i] for i in range(3)) / sum(map(sum, BOTH))


@functools.cache
def revenue() -> pd.DataFrame:
    """What each customer of the CDNOW sample spent up to the split, and later."""
    from crmlab.datasets import load_cdnow

    orders = load_cdnow(sample=True)
    early = orders["date"] <= SPLIT
    spent = orders[early].groupby("customer_id")["amount"].sum().rename("spent")
    later = orders[~early].groupby("customer_id")["amount"].sum().reindex(spent.index)
    return spent.to_frame().assign(later=later)


def means(later: pd.Series) -> tuple[float, float, float]:
    """Mean later revenue of gold customers, of others, and of all."""
    gold = revenue()["spent"] >= GOLD
    return float(later[gold].mean()), float(later[~gold].mean()), float(later.mean())


def lift_over_all() -> float:
    gold, _, everybody = means(revenue()["later"].fillna(0.0))
    return gold / everybody


def lift_over_others() -> float:
    gold, others, _ = means(revenue()["later"].fillna(0.0))
    return gold / others


def lift_of_returners() -> float:
    gold, _, everybody = means(revenue()["later"])
    return gold / everybody


QUESTIONS = (
    Question(
        name="05.q1",
        asks="a whole number of combinations, from 0 to 26",
        solution=lambda: len(without_grade(range(MOST_ORDERS + 1))),
        tolerance=0.1,
        mistakes=(
            Mistake(
                "a count of the gaps, not of the combinations in them",
                lambda: 2,
                ("A gap can hold many combinations. How many orders lie in each?", "Count 7 to 12, and 0 to 2."),
            ),
            Mistake(
                "orders counted from 1, so that customers without an order are forgotten",
                lambda: len(without_grade(range(1, MOST_ORDERS + 1))),
                ("Where does the count of orders begin?", "A member with 0 orders has no grade either."),
            ),
            Mistake(
                "only the customers with many orders",
                lambda: len([n for n, _ in without_grade(range(MOST_ORDERS + 1)) if n > 6]),
                (
                    "Those with many orders and no membership are right. Who else has no grade?",
                    "Look at the last row: what of a member with fewer than 3 orders?",
                ),
            ),
        ),
        hints=(
            "Go through members and others separately.",
            "Who is no member and has 7 to 12 orders? Who is a member and has 0 to 2?",
            "6 + 3. grading.DecisionTable(rows, inputs=...).check().gaps shows both gaps.",
        ),
    ),
    Question(
        name="05.q2",
        asks="a number, 1 for complete agreement and 0 for chance",
        solution=lambda: kappa(2),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                "kappa without weights",
                lambda: kappa(0),
                (
                    "Is a quarrel between A and B as bad here as one between A and C?",
                    "Disagreements count (i − j)²: one step 1, two steps 4.",
                ),
            ),
            Mistake(
                "linear weights",
                lambda: kappa(1),
                ("Two steps apart: how many times as bad as one step?", "Quadratic means four times as bad."),
            ),
            Mistake(
                "the share of equal grades, without chance taken off",
                observed_agreement,
                (
                    "How many would agree if both graded by drawing lots?",
                    "Divide the observed disagreement by that expected from the margins, and subtract from 1.",
                ),
            ),
        ),
        hints=(
            "Kappa is 1 minus observed over expected disagreement.",
            "Disagreement: Σ (i − j)² p_ij; expected: the same with the product of the margins.",
            'grading.agreement(first, second, order="ABC").kappa, from the hundred pairs of grades.',
        ),
    ),
    Question(
        name="05.q3",
        asks="a number, 1 for a grade that says nothing",
        solution=lift_over_all,
        tolerance=0.005,
        mistakes=(
            Mistake(
                "gold compared with the other customers, not with all",
                lift_over_others,
                ("What stands below the line of a lift?", "Divide by the mean of all 2,357 customers."),
            ),
            Mistake(
                "only the customers who returned",
                lift_of_returners,
                (
                    "How many customers are in your means? There are 2,357.",
                    "Who did not return brought 0: reindex(spent.index, fill_value=0.0).",
                ),
            ),
        ),
        hints=(
            "First what each customer spent up to the day, and what each brought after it.",
            "later = …reindex(spent.index, fill_value=0.0)",
            "later[spent >= 100].mean() / later.mean()",
        ),
    ),
)
