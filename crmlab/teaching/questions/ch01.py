"""Questions on the lifecycle: how long a phase lasts, two steps of a chain, the funnel (chapter 1).

All are about the sample of CDNOW (2,357 customers), by the quarter.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from crmlab.teaching.answers import Mistake, Question

if TYPE_CHECKING:
    import pandas as pd

QUARTERS = {"period": "quarter", "window": 2, "trial_periods": 1, "trial_purchases": 2, "lapsed_after": 3}
CUSTOMERS = 1000


@functools.cache
def probabilities() -> pd.DataFrame:
    """Probabilities of the steps from quarter to quarter."""
    from crmlab import Transactions, lifecycle
    from crmlab.datasets import load_cdnow

    sample = Transactions(load_cdnow(sample=True))
    return lifecycle.trace(sample, margin_rate=0.3, **QUARTERS).transitions().probabilities  # type: ignore[arg-type]


@functools.cache
def purchases() -> pd.Series:
    """Days with a paid order, by customer."""
    from crmlab.datasets import load_cdnow

    orders = load_cdnow(sample=True)
    paid = orders[orders["amount"] > 0]
    return paid.groupby("customer_id")["date"].nunique()


def stay() -> float:
    """Probability to stay in build-up."""
    return float(probabilities()["build-up"]["build-up"])


def step(start: str = "exploration", end: str = "decline", steps: int = 1) -> float:
    """Probability to be in a phase after so many steps."""
    chain = probabilities()
    ahead = chain
    for _ in range(steps - 1):
        ahead = ahead @ chain
    return float(ahead[end][start])


def reached(number: int) -> int:
    """Customers with at least so many purchases."""
    return int((purchases() >= number).sum())


QUESTIONS = (
    Question(
        name="01.q1",
        asks="a number of quarters, at least 1",
        solution=lambda: 1 / (1 - stay()),
        tolerance=0.005,
        mistakes=(
            Mistake(
                "the inverse of the probability to stay",
                lambda: 1 / stay(),
                (
                    "If nearly everybody stays, should the time be long or short? Try your formula with 0.99.",
                    "What ends the time in a phase is leaving: the probability to leave is 1 − p.",
                ),
            ),
            Mistake(
                "the quarters after the first one only",
                lambda: stay() / (1 - stay()),
                (
                    "Does the quarter in which she enters count as well?",
                    "You have counted the further quarters. Add the first one.",
                ),
            ),
            Mistake(
                "the probability to leave",
                lambda: 1 - stay(),
                (
                    "This is a probability; the question asks for a number of quarters.",
                    "If one in four leaves each quarter, the mean time is four quarters. Turn your number over.",
                ),
            ),
        ),
        hints=(
            "The probability to stay stands on the diagonal of the table, in the row build-up.",
            "In each quarter the chance to leave is 1 − p. What is the mean time until it happens?",
            "The expected time in a phase is 1 / (1 − p).",
        ),
    ),
    Question(
        name="01.q2",
        asks="a number of customers between 0 and 1,000",
        solution=lambda: CUSTOMERS * step(steps=2),
        tolerance=0.5,
        mistakes=(
            Mistake(
                "one step where two are asked for",
                lambda: CUSTOMERS * step(),
                (
                    "So many are in decline after one quarter. What happens in the second one?",
                    "Add over all phases of the first quarter: there first, then to decline.",
                ),
            ),
            Mistake(
                "one step, doubled",
                lambda: 2 * CUSTOMERS * step(),
                (
                    "Do those who are in decline after one quarter all stay there, and do all others wait their turn?",
                    "Follow the 1,000 to their phases after one quarter, and each of these groups one quarter further.",
                ),
            ),
            Mistake(
                "the probability of one step, squared",
                lambda: CUSTOMERS * step() ** 2,
                (
                    "Nobody goes from exploration to decline twice in a row: after the first step she is elsewhere.",
                    "Σ over phases k of p(exploration, k) · p(k, decline): a product of matrices, not of one cell.",
                ),
            ),
        ),
        hints=(
            "Where are the 1,000 after one quarter? Read the row exploration.",
            "From each of these phases some go to decline, or stay in it, in the second quarter. Add them up.",
            "In one line: (probabilities @ probabilities), row exploration, column decline, times 1,000.",
        ),
    ),
    Question(
        name="01.q3",
        asks="a share between 0 and 1",
        solution=lambda: reached(3) / reached(2),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                "a share of all customers",
                lambda: reached(3) / reached(1),
                (
                    "Of whom is it a share: of all customers, or of those who came a second time?",
                    "Divide by the number of customers with at least two purchases.",
                ),
            ),
            Mistake(
                "the share that was lost",
                lambda: 1 - reached(3) / reached(2),
                (
                    "You have the share of those who stayed away; the question is about those who came.",
                    "Conversion and loss add up to 1.",
                ),
            ),
            Mistake(
                "the step from the first to the second purchase",
                lambda: reached(2) / reached(1),
                (
                    "This is one step too early.",
                    "The step asked for leads from the second purchase to the third.",
                ),
            ),
        ),
        hints=(
            "The table shows how many customers came to at least 1, 2, 3 and 4 purchases.",
            "Conversion is the number at a step divided by the number at the step before.",
            "The step is the third, the one before it is the second.",
        ),
    ),
)
