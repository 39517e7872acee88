"""Questions on loyalty: types by thresholds, the insensitive zone, what recovery does (chapter 10)."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from crmlab.teaching.answers import Mistake, Question

if TYPE_CHECKING:
    import pandas as pd

HIGH = 8.0
MIDPOINT, STEEPNESS, SHARE = 6.0, 1.2, 0.25


@functools.cache
def phone_customers() -> pd.DataFrame:
    """Mean satisfaction and loyalty of each customer of the mobile-phone survey."""
    import pandas as pd

    from crmlab.datasets import load_mobi

    mobi = load_mobi()
    items = {"satisfaction": "CUSA", "loyalty": "CUSL"}
    return pd.DataFrame({name: mobi[[f"{of}{k}" for k in (1, 2, 3)]].mean(axis=1) for name, of in items.items()})


def customers(satisfied: bool, loyal: bool) -> int:
    """How many are on this side of both thresholds."""
    of = phone_customers()
    return int((((of["satisfaction"] >= HIGH) == satisfied) & ((of["loyalty"] >= HIGH) == loyal)).sum())


def hostages_by_the_median() -> int:
    of = phone_customers()
    low, high = of["satisfaction"] < of["satisfaction"].median(), of["loyalty"] >= of["loyalty"].median()
    return int((low & high).sum())


def threshold(share: float, side: int = 1) -> float:
    """Where the slope of the sigmoid has fallen to a share of its maximum: 4p(1 − p) = share."""
    p = (1 + math.sqrt(1 - share)) / 2
    return MIDPOINT + side * math.log(p / (1 - p)) / STEEPNESS


def threshold_of_the_curve() -> float:
    """Where the curve itself has a quarter of its rise to go."""
    return MIDPOINT + math.log(0.75 / 0.25) / STEEPNESS


@functools.cache
def club() -> pd.DataFrame:
    from crmlab.datasets import simulate_loyalty

    data = simulate_loyalty(3000, seed=10, favour=1.5).data
    return data.assign(change=data["satisfaction_after"] - data["satisfaction"])


def recovered_minus(others: pd.Series, measure: str) -> float:
    """Mean of the recovered minus that of others."""
    of = club()
    return float(of.loc[of["recovered"] == "yes", measure].mean() - of.loc[others, measure].mean())


QUESTIONS = (
    Question(
        name="10.q1",
        asks="a whole number of customers, from 0 to 250",
        solution=lambda: customers(satisfied=False, loyal=True),
        tolerance=0.1,
        mistakes=(
            Mistake(
                "the mercenaries: satisfied, and not loyal",
                lambda: customers(satisfied=True, loyal=False),
                (
                    "Would these customers stay against their will, or leave in spite of their content?",
                    "Hostages are low on satisfaction and high on loyalty.",
                ),
            ),
            Mistake(
                "thresholds at the medians",
                hostages_by_the_median,
                (
                    "Where does high begin in your answer? The question says where.",
                    "Say thresholds=(8, 8): without it, the medians are taken.",
                ),
            ),
            Mistake(
                "the defectors: neither satisfied nor loyal",
                lambda: customers(satisfied=False, loyal=False),
                ("Hostages stay.", "Of the two measures, only satisfaction is low."),
            ),
        ),
        hints=(
            "Two conditions: one on satisfaction, one on loyalty. Which is high?",
            "satisfaction < 8 and loyalty >= 8; a mean of exactly 8 is high.",
            'loyalty.jones_sasser(satisfaction, stay, thresholds=(8, 8)).classes == "hostage", then the sum.',
        ),
    ),
    Question(
        name="10.q2",
        asks="a satisfaction, to two decimals",
        solution=lambda: threshold(SHARE),
        tolerance=0.006,
        mistakes=(
            Mistake(
                "the lower threshold",
                lambda: threshold(SHARE, side=-1),
                ("From which satisfaction *on*: is that left or right of the midpoint?", "Add the distance to 6."),
            ),
            Mistake(
                "half of the maximum, not a quarter",
                lambda: threshold(0.5),
                ("Which share stands in the question?", "q is 0.25: artanh of the root of 0.75."),
            ),
            Mistake(
                "where the curve has a quarter of its rise to go, not where its slope is a quarter",
                threshold_of_the_curve,
                (
                    "You looked at the height of the curve. The question asks for its slope.",
                    "The slope is proportional to p(1 − p), with its maximum of 1/4 at p = 1/2.",
                ),
            ),
        ),
        hints=(
            "The slope of the sigmoid over its maximum is 4p(1 − p), with p between 0 and 1.",
            "Set 4p(1 − p) = 0.25 and solve for p above one half; then k(x − m) = ln(p / (1 − p)).",
            "6 + 2 · artanh(√0.75) / 1.2",
        ),
    ),
    Question(
        name="10.q3",
        asks="points of satisfaction, with their sign, to two decimals",
        solution=lambda: recovered_minus(club()["problem"] == "no", "change"),
        tolerance=0.006,
        mistakes=(
            Mistake(
                "satisfaction afterwards, not the change",
                lambda: recovered_minus(club()["problem"] == "no", "satisfaction_after"),
                (
                    "Were the two groups equally satisfied before?",
                    "Take satisfaction_after − satisfaction of each member first.",
                ),
            ),
            Mistake(
                "all who never complained, with those who suffered in silence among them",
                lambda: recovered_minus(club()["complained"] == "no", "change"),
                (
                    "Did nothing go wrong for everybody you compare with?",
                    'Compare with problem == "no", not with complained == "no".',
                ),
            ),
            Mistake(
                "the unrecovered as the group to compare with",
                lambda: recovered_minus(club()["recovered"] == "no", "change"),
                (
                    "That is what making good is worth. The question asks whether it wins more than was lost.",
                    "Compare with members who had no problem.",
                ),
            ),
        ),
        hints=(
            "Two groups, and for each the mean of the same quantity.",
            "The quantity is the change; the groups are recovered == yes and problem == no.",
            'change[club["recovered"] == "yes"].mean() - change[club["problem"] == "no"].mean()',
        ),
    ),
)
