"""Questions on the satisfaction index: the formula, the weights, the price of precision, and many pairs (chapter 9).

The first three are about the mobile-phone survey: 250 respondents, three satisfaction items, scale 1 to 10.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from crmlab.teaching.answers import Mistake, Question

if TYPE_CHECKING:
    import pandas as pd

SATISFACTION = ["CUSA1", "CUSA2", "CUSA3"]
MINIMUM, MAXIMUM = 1, 10
#: 97.5 % point of the normal distribution.
Z = 1.96
#: Index and standard error of three branches with customers of their own.
BRANCHES = {"A": (78.0, 1.2), "B": (73.2, 1.5), "C": (72.5, 1.4)}


@functools.cache
def answers() -> pd.DataFrame:
    """The respondents' answers to the three satisfaction items."""
    from crmlab.datasets import load_mobi

    return load_mobi()[SATISFACTION]


@functools.cache
def outer_weights() -> pd.Series:
    """Standardised PLS outer weights of the three items, path scheme."""
    from crmlab import Questionnaire, sem
    from crmlab.datasets import load_mobi

    weights = sem.pls(Questionnaire.shipped("ecsi").model(), load_mobi()).weights
    return weights.set_index("item")["weight"].loc[SATISFACTION]


def unstandardised() -> pd.Series:
    """Outer weights per scale point: each divided by the standard deviation of its item."""
    return outer_weights() / answers().std()


def shares(weights: pd.Series) -> pd.Series:
    """Weights as shares of their sum."""
    return weights / weights.sum()


def mean_answer() -> float:
    """Mean over respondents and items."""
    return float(answers().to_numpy().mean())


def standard_error(respondents: int = 250) -> float:
    """Standard error of the equally weighted index when so many are asked."""
    scores = 100 * (answers().mean(axis=1) - MINIMUM) / (MAXIMUM - MINIMUM)
    return float(scores.std() / respondents**0.5)


def respondents_for(margin: float, z: float = Z) -> float:
    """Respondents that make z standard errors equal to the margin: n = (z·sd / margin)²."""
    return (z * standard_error(respondents=1) / margin) ** 2


def pair_pvalue(one: str, other: str, *, added: bool = False) -> float:
    """Two-sided normal p of the difference of two branches; with `added` the errors are added, not their squares."""
    from scipy.special import ndtr

    (first, se_first), (second, se_second) = BRANCHES[one], BRANCHES[other]
    se = se_first + se_second if added else (se_first**2 + se_second**2) ** 0.5
    return float(2 * ndtr(-abs(first - second) / se))


QUESTIONS = (
    Question(
        name="09.q1",
        asks="a number between 0 and 100, to two decimals",
        solution=lambda: 100 * (mean_answer() - MINIMUM) / (MAXIMUM - MINIMUM),
        tolerance=0.005,
        mistakes=(
            Mistake(
                "the mean as a share of the highest answer",
                lambda: 100 * mean_answer() / MAXIMUM,
                (
                    "What would a survey get in which everybody gives the worst answer? It should be 0.",
                    "Subtract the lowest possible answer, 1, from the mean before you divide.",
                ),
            ),
            Mistake(
                "a division by the highest answer where the length of the scale belongs",
                lambda: 100 * (mean_answer() - MINIMUM) / MAXIMUM,
                (
                    "What would a survey get in which everybody gives the best answer? It should be 100.",
                    "From 1 to 10 there are nine steps: divide by max − min.",
                ),
            ),
            Mistake(
                "the mean answer on its own scale",
                mean_answer,
                (
                    "This is still a number from 1 to 10; the index runs from 0 to 100.",
                    "Move the scale so that it starts at 0, divide by its length, and multiply by 100.",
                ),
            ),
        ),
        hints=(
            "Take the mean of all three items over all respondents first.",
            "The formula with equal weights is 100 · (mean − min) / (max − min).",
            "Here min is 1 and max is 10; the items are CUSA1, CUSA2 and CUSA3.",
        ),
    ),
    Question(
        name="09.q2",
        asks="three labelled values that sum to 1, one for each of CUSA1, CUSA2 and CUSA3, to three decimals",
        solution=lambda: shares(unstandardised()),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                "shares of the standardised weights",
                lambda: shares(outer_weights()),
                (
                    "These weights belong to items in standard deviations, but the answers are in scale points.",
                    "Divide each outer weight by the standard deviation of its item, then make them sum to 1.",
                ),
            ),
            Mistake(
                "weights multiplied by the standard deviations",
                lambda: shares(outer_weights() * answers().std()),
                (
                    "You went from scale points to standard deviations; the way leads in the other direction.",
                    "A standardised item is (x − mean)/sd, so one scale point counts weight/sd. Divide.",
                ),
            ),
            Mistake(
                "unstandardised weights that do not sum to 1 yet",
                unstandardised,
                (
                    "The proportions are right. What is their sum?",
                    "Divide the three weights by their sum.",
                ),
            ),
        ),
        hints=(
            "Begin with survey.loadings: it has an outer weight for each item.",
            "The weight of one scale point is the outer weight divided by the item's standard deviation.",
            "Keep the labels: a Series with the index CUSA1, CUSA2, CUSA3, divided by its sum.",
        ),
    ),
    Question(
        name="09.q3",
        asks="a number of respondents",
        solution=lambda: respondents_for(margin=1),
        tolerance=4,  # a standard deviation that divides by n, not n − 1, asks for three respondents fewer
        mistakes=(
            Mistake(
                "a margin that shrinks in proportion to the number of respondents",
                lambda: 250 * Z * standard_error(),
                (
                    "If you ask twice as many people, does the margin halve?",
                    "The standard error is sd/√n: to halve the margin you need four times as many.",
                ),
            ),
            Mistake(
                "one standard error where a 95 % margin is asked for",
                lambda: respondents_for(margin=1, z=1),
                (
                    "How often does the truth lie within one standard error of the estimate?",
                    "A 95 % interval reaches 1.96 standard errors to either side.",
                ),
            ),
            Mistake(
                "the whole width of the interval taken for its margin",
                lambda: respondents_for(margin=0.5),
                (
                    "An interval has two sides. Which of them does ± 1 point describe?",
                    "The margin is half the width: 1.96 standard errors shall be 1 point, not half a point.",
                ),
            ),
        ),
        hints=(
            "First the respondents' own indices, then their standard deviation sd.",
            "The margin is 1.96 · sd/√n. Which n makes it 1?",
            "Solve for n: (1.96 · sd / 1)².",
        ),
    ),
    Question(
        name="09.q4",
        asks="a number between 0 and 1, to three decimals",
        solution=lambda: 2 * pair_pvalue("A", "B"),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                "a p-value without any correction",
                lambda: pair_pvalue("A", "B"),
                (
                    "How many pairs do three branches make, and how many of them do you look at?",
                    "Holm: order the three p-values and multiply the smallest by 3, the next by 2, the last by 1.",
                ),
            ),
            Mistake(
                "Bonferroni's correction, which multiplies every p-value by the number of pairs",
                lambda: 3 * pair_pvalue("A", "B"),
                (
                    "That is safe, but harder than need be. Which place does this pair take among the three?",
                    "It is the second smallest of three p-values, so Holm multiplies it by 2.",
                ),
            ),
            Mistake(
                "standard errors that were added",
                lambda: 2 * pair_pvalue("A", "B", added=True),
                (
                    "Two independent errors do not always point the same way.",
                    "Their squares add: the error of the difference is √(1.2² + 1.5²).",
                ),
            ),
        ),
        hints=(
            "First the p-value of each of the three pairs: z is the difference over its standard error.",
            "Independent errors add by their squares: √(se₁² + se₂²).",
            "Order the p-values. A and B come second of three, so Holm multiplies theirs by 2.",
        ),
    ),
)
