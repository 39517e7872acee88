"""Questions on customer data: what cleaning leaves, the odds of one person, a member's activity (chapter 2)."""

from __future__ import annotations

import functools

from crmlab.teaching.answers import Mistake, Question

#: Question 2: how often fields agree among pairs of one person (m) and of two (u), and the odds before looking.
PHONE = (0.90, 0.0005)
CITY = (0.80, 0.15)
PRIOR = 1 / 1000
#: Question 3: days since each purchase, the club's pace and the half-life.
DAYS = (0, 90, 270)
PACE, HALF_LIFE = 90, 180


@functools.cache
def customers_left(*skipped: str, cleaned: bool = True) -> int:
    """Customer ids of the three small shops after cleaning, without some of the rules or not at all."""
    from crmlab.datasets import simulate_orders
    from crmlab.transactions import Transactions, clean

    shops = simulate_orders(persons=60, seed=7)
    orders = Transactions(shops.data, order="order_id", product="product")
    if not cleaned:
        return orders.customers
    return clean(orders, as_of=shops.as_of, blacklist=shops.blacklist, skip=skipped)[0].customers


def probability(odds: float) -> float:
    """From odds to probability."""
    return odds / (1 + odds)


def evidence() -> float:
    """How much the telephone that agrees and the city that does not multiply the odds."""
    return PHONE[0] / PHONE[1] * (1 - CITY[0]) / (1 - CITY[1])


def points(base: float = 2.0) -> float:
    """Points of the member today."""
    return sum(base ** (-days / HALF_LIFE) for days in DAYS)


def index(held: float) -> float:
    """Points as a share of those of a member who always bought at the pace, times 100."""
    return 100 * held * (1 - 2 ** (-PACE / HALF_LIFE))


QUESTIONS = (
    Question(
        name="02.q1",
        asks="a whole number of customers",
        solution=customers_left,
        tolerance=0,
        mistakes=(
            Mistake(
                "the ids before cleaning",
                lambda: customers_left(cleaned=False),
                (
                    "Is ' 7' another customer than '7'? And '00007'?",
                    "Count the customers of what clean() returns, not of the orders you put in.",
                ),
            ),
            Mistake(
                "a count with ids that differ by spaces",
                lambda: customers_left("padded_ids"),
                (
                    "Look at the step 'match' of the report: was every rule applied?",
                    "Leave skip out, so that padded_ids is applied.",
                ),
            ),
            Mistake(
                "a count with ids that differ by zeros in front",
                lambda: customers_left("zero_padded_ids"),
                (
                    "Is '00007' another customer than '7'? The step 'match' of the report knows a rule for it.",
                    "Leave skip out, so that zero_padded_ids is applied.",
                ),
            ),
        ),
        hints=(
            "clean(orders, ...) returns the cleaned orders and a report.",
            "Give it as_of=shops.as_of and blacklist=shops.blacklist.",
            "The first of the two results has the property customers.",
        ),
    ),
    Question(
        name="02.q2",
        asks="a probability between 0 and 1",
        solution=lambda: probability(PRIOR * evidence()),
        tolerance=0.0005,
        mistakes=(
            Mistake(
                "an answer without the odds before looking",
                lambda: probability(evidence()),
                (
                    "How likely is it that two entries drawn blindly are one person?",
                    "Multiply the evidence by the prior odds, 1/1000, before you turn odds into a probability.",
                ),
            ),
            Mistake(
                "a city that agrees",
                lambda: probability(PRIOR * PHONE[0] / PHONE[1] * CITY[0] / CITY[1]),
                (
                    "The cities differ; does that speak for one person or against it?",
                    "Where a field differs, take (1 − m)/(1 − u) instead of m/u.",
                ),
            ),
            Mistake(
                "the odds instead of the probability",
                lambda: PRIOR * evidence(),
                (
                    "Odds of 1 to 1 are a probability of one half.",
                    "Probability = odds / (1 + odds).",
                ),
            ),
        ),
        hints=(
            "Each field multiplies the odds by m/u if it agrees, and by (1 − m)/(1 − u) if it differs.",
            "Start from odds of 1/1000; the telephone agrees, the city differs.",
            "Turn odds into a probability at the end: odds / (1 + odds).",
        ),
    ),
    Question(
        name="02.q3",
        asks="a number above 0",
        solution=lambda: index(points()),
        tolerance=0.05,
        mistakes=(
            Mistake(
                "points that fade by a factor e in each half-life",
                lambda: index(points(base=2.718281828459045)),
                (
                    "What is a point worth after exactly one half-life?",
                    "Half: the points are 2 to the power −d/h.",
                ),
            ),
            Mistake(
                "points times 100, without the pace of the club",
                lambda: 100 * points(),
                (
                    "100 stands for a member who has always bought at the club's pace.",
                    "Multiply by 1 − 2^(−p/h), with p the pace.",
                ),
            ),
            Mistake(
                "three points that do not fade",
                lambda: index(len(DAYS)),
                (
                    "Is a purchase of 270 days ago worth as much as today's?",
                    "Each purchase counts 2 to the power −d/h points, d days after it.",
                ),
            ),
        ),
        hints=(
            "Add up the points first: one for today, less for the others.",
            "A = 1 + 2^(−90/180) + 2^(−270/180).",
            "The index is 100 · A · (1 − 2^(−90/180)).",
        ),
    ),
)
