"""Questions on Likert items: alpha after reversing, the net promoter score, a Kano coefficient (chapter 7).

The first is about the mobile-phone survey (250 respondents, three satisfaction items, 1 to 10); the others about the
counts that the exercise prints.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from crmlab.teaching.answers import Mistake, Question

if TYPE_CHECKING:
    import pandas as pd

SATISFACTION = ["CUSA1", "CUSA2", "CUSA3"]
REVERSED = "CUSA2"
MINIMUM, MAXIMUM = 1, 10
#: Customers who gave each answer from 0 to 10.
RECOMMEND = (2, 0, 1, 3, 4, 12, 10, 18, 25, 26, 19)
#: Guests in each Kano class.
BREAKFAST = {"M": 62, "O": 48, "A": 30, "I": 40, "R": 12, "Q": 8}


@functools.cache
def answers() -> pd.DataFrame:
    """The answers to the three satisfaction items, undamaged."""
    from crmlab.datasets import load_mobi

    return load_mobi()[SATISFACTION]


def damaged() -> pd.DataFrame:
    """The same with one item turned round by mistake."""
    return answers().assign(**{REVERSED: MINIMUM + MAXIMUM - answers()[REVERSED]})


def alpha(table: pd.DataFrame) -> float:
    """Cronbach's α, k/(k − 1)·(1 − Σsᵢ²/s_T²)."""
    k = table.shape[1]
    return float(k / (k - 1) * (1 - table.var().sum() / table.sum(axis=1).var()))


def standardised_alpha(table: pd.DataFrame) -> float:
    """α of standardised items."""
    return alpha((table - table.mean()) / table.std())


def promoter_score(lowest_promoter: int = 9, highest_detractor: int = 6) -> float:
    """100 · (share of promoters − share of detractors)."""
    promoters, detractors = sum(RECOMMEND[lowest_promoter:]), sum(RECOMMEND[: highest_detractor + 1])
    return 100 * (promoters - detractors) / sum(RECOMMEND)


def guests(letters: str) -> int:
    """Guests in some of the classes."""
    return sum(BREAKFAST[letter] for letter in letters)


QUESTIONS = (
    Question(
        name="07.q1",
        asks="a number, at most 1",
        solution=lambda: alpha(answers()),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                "alpha of the damaged file",
                lambda: alpha(damaged()),
                (
                    "One item still moves against the other two. Which?",
                    "Turn CUSA2 round first: the answer becomes 11 − answer.",
                ),
            ),
            Mistake(
                "alpha of the two sound items",
                lambda: alpha(answers().drop(columns=REVERSED)),
                (
                    "You left the damaged item out. Nothing in it is lost: it can be repaired.",
                    "Use likert.reverse, then all three items.",
                ),
            ),
            Mistake(
                "the standardised alpha",
                lambda: standardised_alpha(answers()),
                (
                    "This is alpha of correlations. The question asks about the answers in scale points.",
                    "Use covariances: 3/2 · (1 − sum of the variances / variance of the sum).",
                ),
            ),
        ),
        hints=(
            "On 1 to 10 an answer is turned round by 11 − answer.",
            "α = k/(k − 1) · (1 − sum of the item variances / variance of the sum), with k = 3.",
            "likert.reverse(damaged, ['CUSA2'], items=items, scale=(1, 10)) repairs the file; .cov() gives the rest.",
        ),
    ),
    Question(
        name="07.q2",
        asks="a number between −100 and 100",
        solution=promoter_score,
        tolerance=0.05,
        mistakes=(
            Mistake(
                "the share of promoters alone",
                lambda: 100 * sum(RECOMMEND[9:]) / sum(RECOMMEND),
                (
                    "And those who would warn their friends? The score is net of them.",
                    "Subtract the share of those who answered 0 to 6.",
                ),
            ),
            Mistake(
                "promoters counted from 8",
                lambda: promoter_score(lowest_promoter=8),
                (
                    "Somebody who answers 8 is content and silent. From which answer on does one promote?",
                    "Promoters answered 9 or 10; 7 and 8 count for neither side.",
                ),
            ),
            Mistake(
                "detractors counted to 5 only",
                lambda: promoter_score(highest_detractor=5),
                (
                    "A six out of ten looks friendly. The definition does not treat it so.",
                    "Detractors answered 0 to 6, seven of the eleven points.",
                ),
            ),
        ),
        hints=(
            "Promoters answered 9 or 10, detractors 0 to 6.",
            "The score is the share of promoters minus the share of detractors, times 100.",
            "There are 45 promoters among 120 customers.",
        ),
    ),
    Question(
        name="07.q3",
        asks="a number between −1 and 0",
        solution=lambda: -guests("OM") / guests("AOMI"),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                "all guests in the denominator",
                lambda: -guests("OM") / guests("MOAIRQ"),
                (
                    "Can those who contradict themselves, or want no breakfast, tell what its absence does?",
                    "The denominator holds A, O, M and I only.",
                ),
            ),
            Mistake(
                "the must-be guests alone",
                lambda: -guests("M") / guests("AOMI"),
                (
                    "Another class is dissatisfied by absence as well. What does 'one-dimensional' mean?",
                    "One-dimensional features satisfy when present and dissatisfy when absent: add O.",
                ),
            ),
            Mistake(
                "the coefficient better with a minus sign",
                lambda: -guests("AO") / guests("AOMI"),
                (
                    "This counts guests whom the presence of breakfast delights.",
                    "Absence dissatisfies M and O.",
                ),
            ),
        ),
        hints=(
            "worse counts those whom absence dissatisfies, with a minus sign.",
            "Absence dissatisfies must-be and one-dimensional: −(O + M).",
            "Divide by A + O + M + I, which is 180.",
        ),
    ),
)
