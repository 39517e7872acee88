"""Questions on the design of a survey: a finite population, Neyman's allocation, the price of an answer (chapter 6).

All are about a furniture dealer and computed from the few numbers below.
"""

from __future__ import annotations

import math

import pandas as pd

from crmlab import sampling
from crmlab.teaching.answers import Mistake, Question

POPULATION, SD, MARGIN = 900, 18, 1.5
GROUPS = pd.DataFrame({"population": [600, 100, 200], "sd": [20, 180, 50]}, index=["offices", "hotels", "schools"])
RESPONDENTS = 200
CONTACT, RESPONSE, USABLE = 0.60, 0.40, 0.90
FIXED, PER_CALL, WANTED = 1200, 3, 300


def shared_out(weights: pd.Series) -> pd.Series:
    """Respondents in proportion to weights, in whole numbers."""
    return (RESPONDENTS * weights / weights.sum()).round()


def price(answers_per_call: float, paid_for: float = WANTED) -> float:
    """The bill for so many answers a call yields, divided by what is taken for paid for."""
    return (FIXED + PER_CALL * WANTED / answers_per_call) / paid_for


QUESTIONS = (
    Question(
        name="06.q1",
        asks="a number of respondents",
        solution=lambda: sampling.size_for_mean(MARGIN, sd=SD, population=POPULATION),
        tolerance=1,
        mistakes=(
            Mistake(
                "the size for an endless population",
                lambda: sampling.size_for_mean(MARGIN, sd=SD),
                (
                    "You would ask more than half of all customers. Does each of them still tell as much that is new?",
                    "With N = 900 customers the sample shrinks to n₀/(1 + n₀/N).",
                ),
            ),
            Mistake(
                "one standard error where a 95 % margin is asked for",
                lambda: math.ceil((SD / MARGIN) ** 2 / (1 + (SD / MARGIN) ** 2 / POPULATION)),
                (
                    "How often does the truth lie within one standard error of the estimate?",
                    "A 95 % interval reaches 1.96 standard errors to either side: n₀ = (1.96 · 18/1.5)².",
                ),
            ),
            Mistake(
                "the whole width of the interval taken for its margin",
                lambda: sampling.size_for_mean(MARGIN / 2, sd=SD, population=POPULATION),
                (
                    "An interval has two sides. Which of them does ± 1.5 points describe?",
                    "The margin is half the width: 1.96 standard errors shall be 1.5 points, not 0.75.",
                ),
            ),
        ),
        hints=(
            "First the size for an endless population, then the correction for 900 customers.",
            "n₀ = (z · s/e)² with z = 1.96, s = 18 and e = 1.5; then n = n₀/(1 + n₀/N), rounded up.",
            "sampling.size_for_mean takes margin, sd and population.",
        ),
    ),
    Question(
        name="06.q2",
        asks="three labelled whole numbers that sum to 200, one for each of offices, hotels and schools",
        solution=lambda: shared_out(GROUPS["population"] * GROUPS["sd"]),
        tolerance=0.5,
        mistakes=(
            Mistake(
                "proportional allocation",
                lambda: shared_out(GROUPS["population"].astype(float)),
                (
                    "All groups are asked at the same rate here. In which of them do customers differ most?",
                    "Neyman's allocation multiplies the number of people by their standard deviation first.",
                ),
            ),
            Mistake(
                "an allocation by the standard deviations alone",
                lambda: shared_out(GROUPS["sd"].astype(float)),
                (
                    "The hotels differ most, but they are few. How much do they weigh in the mean of all?",
                    "Multiply each standard deviation by the number of people in its group.",
                ),
            ),
            Mistake(
                "variances in place of standard deviations",
                lambda: shared_out(GROUPS["population"] * GROUPS["sd"] ** 2),
                (
                    "You have squared the spread. What is it that Neyman multiplies by the number of people?",
                    "The best n_h is in proportion to N_h · S_h, with S_h in thousand yuan, not in squares of them.",
                ),
            ),
        ),
        hints=(
            "Which two columns decide how many belong in a group?",
            "Compute population · sd for each group and divide the 200 in that proportion.",
            "Round to whole numbers, and keep the labels offices, hotels and schools.",
        ),
    ),
    Question(
        name="06.q3",
        asks="a price in yuan",
        solution=lambda: price(CONTACT * RESPONSE * USABLE),
        tolerance=0.01,
        mistakes=(
            Mistake(
                "a response rate that leaves out those who are not reached",
                lambda: price(RESPONSE * USABLE),
                (
                    "Do you pay for calls that nobody answers?",
                    "All three rates multiply: 0.60 · 0.40 · 0.90 usable answers for each call.",
                ),
            ),
            Mistake(
                "the price of a response, usable or not",
                lambda: price(CONTACT * RESPONSE),
                (
                    "Some responses go into the bin. Who pays for them?",
                    "Divide the 300 by all three rates to get the calls.",
                ),
            ),
            Mistake(
                "the price without the fixed cost",
                lambda: price(CONTACT * RESPONSE * USABLE) - FIXED / WANTED,
                (
                    "You have counted the calls only. What else is on the bill?",
                    "Add the 1,200 yuan before you divide by the usable answers.",
                ),
            ),
        ),
        hints=(
            "How many calls lead to 300 usable answers?",
            "Each call gives 0.60 · 0.40 · 0.90 usable answers; divide the 300 by that.",
            "Add fixed cost and calls, then divide by 300.",
        ),
    ),
)
