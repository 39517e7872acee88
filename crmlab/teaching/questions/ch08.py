"""Questions on weights: a chain of comparisons, a consistency ratio, weights carried down the levels (chapter 8)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from crmlab.teaching.answers import Mistake, Question

if TYPE_CHECKING:
    import pandas as pd

MINIMUM, MAXIMUM = 1, 10
#: Ranked items, each with the ratio to the next.
CHAIN = {"SA2": 1.5, "SA1": 2.0, "SA3": 1.0}
JUDGED = [[1, 3, 1 / 2, 5], [1 / 3, 1, 1 / 4, 2], [2, 4, 1, 2], [1 / 5, 1 / 2, 1 / 2, 1]]
#: Saaty's random index for four items, 1980 and 2005.
RANDOM_INDEX = {"1980": 0.90, "2005": 0.89}
BOARD = {"PerceivedQuality": 0.4, "Satisfaction": 0.2}
OTHERS = 0.1


def chained() -> dict[str, float]:
    """Values along the chain, the last item 1."""
    return {"SA2": 1.5 * 2.0, "SA1": 2.0, "SA3": 1.0}


def shares(values: dict[str, float]) -> dict[str, float]:
    """Values divided by their sum."""
    return {item: value / sum(values.values()) for item, value in values.items()}


def largest_eigenvalue() -> float:
    """λ of the judged matrix."""
    import numpy as np

    return float(np.linalg.eigvals(np.array(JUDGED)).real.max())


def consistency_index() -> float:
    """(λ − n)/(n − 1)."""
    return (largest_eigenvalue() - 4) / 3


@functools.cache
def means() -> pd.Series:
    """Mean answer to each item of the classroom survey."""
    from crmlab import Questionnaire
    from crmlab.datasets import load_survey

    return load_survey().data[list(Questionnaire.shipped("course_csi").items.index)].mean()


@functools.cache
def constructs() -> pd.Series:
    """The construct of each item."""
    from crmlab import Questionnaire

    return Questionnaire.shipped("course_csi").items["construct"]


def index(weights: pd.Series) -> float:
    """0–100 with weights that need not sum to 1 yet."""
    own = weights / weights.sum()
    return float(100 * (own * (means() - MINIMUM)).sum() / (MAXIMUM - MINIMUM))


def of_construct() -> pd.Series:
    """The board's weight of the construct that each item belongs to."""
    return constructs().map(lambda name: BOARD.get(name, OTHERS))


def per_item() -> pd.Series:
    """The construct's weight shared equally among its items."""
    return of_construct() / constructs().map(constructs().value_counts())


QUESTIONS = (
    Question(
        name="08.q1",
        asks="three labelled values that sum to 1, one for each of SA1, SA2 and SA3",
        solution=lambda: shares(chained()),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                "ratios taken for values, without multiplying along the chain",
                lambda: shares(dict(CHAIN)),
                (
                    "SA2 is 1.5 times as important as SA1. Is it, in your answer?",
                    "Begin at the end: SA3 is 1, SA1 is 2 · 1, SA2 is 1.5 times SA1.",
                ),
            ),
            Mistake(
                "values that do not sum to 1 yet",
                chained,
                ("The proportions are right. What is their sum?", "Divide the three values by their sum."),
            ),
            Mistake(
                "the chain multiplied in the wrong direction",
                lambda: shares({item: 1 / value for item, value in chained().items()}),
                (
                    "The director put SA2 first. Which item has the largest weight in your answer?",
                    "A ratio says how many times as important an item is as the next: multiply, going up from SA3.",
                ),
            ),
        ),
        hints=(
            "Give the least important item the value 1.",
            "Every other item is its ratio times the value of the item after it.",
            "SA3 is 1, SA1 is 2, SA2 is 3; divide by 6.",
        ),
    ),
    Question(
        name="08.q2",
        asks="a number, 0 for a judge without contradictions",
        solution=lambda: consistency_index() / RANDOM_INDEX["1980"],
        tolerance=0.0004,
        mistakes=(
            Mistake(
                "the consistency index, not yet compared with random judgements",
                consistency_index,
                (
                    "How large would this number be if the judge had thrown dice?",
                    "Divide by the random index: 0.90 for four items.",
                ),
            ),
            Mistake(
                "a division by n where n − 1 belongs",
                lambda: (largest_eigenvalue() - 4) / 4 / RANDOM_INDEX["1980"],
                (
                    "How many of the n eigenvalues are left when the largest is taken away?",
                    "Divide λ − n by n − 1 = 3.",
                ),
            ),
            Mistake(
                "the random index of 2005",
                lambda: consistency_index() / RANDOM_INDEX["2005"],
                (
                    "Right formula, other table. Which one does the question name?",
                    "Saaty's table of 1980 has 0.90 for four items; 0.89 stands in that of 2005.",
                ),
            ),
        ),
        hints=(
            "First the largest eigenvalue λ of the matrix; numpy.linalg.eigvals gives all of them.",
            "Consistency index (λ − n)/(n − 1), with n = 4.",
            "Divide the index by the random index 0.90. weighting.ahp(matrix).consistency_ratio does all of it.",
        ),
    ),
    Question(
        name="08.q3",
        asks="a number between 0 and 100",
        solution=lambda: index(per_item()),
        tolerance=0.005,
        mistakes=(
            Mistake(
                "the whole weight of its construct given to every item",
                lambda: index(of_construct()),
                (
                    "Perceived quality has seven items. What do their weights add up to?",
                    "Divide a construct's weight by the number of its items.",
                ),
            ),
            Mistake(
                "equal weights for all items, without the board's wishes",
                lambda: index(per_item() * 0 + 1),
                (
                    "What share of this index does perceived quality have? The board wants 40 %.",
                    "weighting.roll_down({'index': board}, course) gives the weights of the items.",
                ),
            ),
            Mistake(
                "a mean answer as a share of the highest answer",
                lambda: float(100 * (per_item() * means()).sum() / MAXIMUM),
                (
                    "What would a survey get in which everybody gives the worst answer? It should be 0.",
                    "Subtract 1 from each mean and divide by 9.",
                ),
            ),
        ),
        hints=(
            "First a weight for each of the 22 items; together they sum to 1.",
            "An item of perceived quality weighs 0.4 / 7.",
            "Index = 100 · Σ weight · (mean − 1) / 9.",
        ),
    ),
)
