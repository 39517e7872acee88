"""Questions on acting: a customer's net gain, who is persuadable in a pilot, a small knapsack (chapter 11)."""

from __future__ import annotations

import itertools

from crmlab.teaching.answers import Mistake, Question

#: Question 1: chance to stay alone and treated, margin at stake, cost.
ALONE, TREATED, STAKE, COST = 0.60, 0.72, 250.0, 18.0
#: Question 2: customers and stayers of a pilot by (stake, arm).
PILOT = {
    ("high", "control"): (400, 240),
    ("high", "treated"): (400, 292),
    ("low", "control"): (600, 420),
    ("low", "treated"): (600, 390),
}
GAIN, PRICE = 150.0, 10.0
#: Question 3: net gain and cost of five customers on two levels, and the budget.
GAINS = ((30, 44), (25, 27), (18, 40), (12, 13), (-4, 6))
COSTS = ((10, 25), (10, 25), (10, 25), (10, 25), (10, 25))
BUDGET = 45


def effect(stake: str) -> float:
    """Share that stays, treated less control."""
    return PILOT[stake, "treated"][1] / PILOT[stake, "treated"][0] - (
        PILOT[stake, "control"][1] / PILOT[stake, "control"][0]
    )


def total(*stakes: str) -> float:
    """Net gain of treating a thousand customers of the pilot's mix, only those of the stakes named."""
    return sum(PILOT[stake, "control"][0] * (effect(stake) * GAIN - PRICE) for stake in stakes)


def pooled() -> float:
    """Everybody treated: the mean effect for all."""
    mean = (292 + 390) / 1000 - (240 + 420) / 1000
    return 1000 * (mean * GAIN - PRICE)


def plans() -> list[tuple[int, ...]]:
    """All plans within the budget: −1 none, 0 and 1 the levels."""
    return [
        plan
        for plan in itertools.product((-1, 0, 1), repeat=len(GAINS))
        if sum(COSTS[who][level] for who, level in enumerate(plan) if level >= 0) <= BUDGET
    ]


def worth(plan: tuple[int, ...]) -> float:
    return float(sum(GAINS[who][level] for who, level in enumerate(plan) if level >= 0))


def best() -> float:
    return max(map(worth, plans()))


def by_gain() -> float:
    """Down the list of largest gains, without a look at the cost."""
    done: set[int] = set()
    spent, gain = 0, 0.0
    for value, who, level in sorted(((GAINS[w][k], w, k) for w in range(5) for k in (0, 1)), reverse=True):
        if who not in done and spent + COSTS[who][level] <= BUDGET:
            spent, gain, done = spent + COSTS[who][level], gain + value, done | {who}
    return gain


def first_level_only() -> float:
    return max(worth(plan) for plan in plans() if 1 not in plan)


QUESTIONS = (
    Question(
        name="11.q1",
        asks="an amount of money, with its sign",
        solution=lambda: (TREATED - ALONE) * STAKE - COST,
        tolerance=0.05,
        mistakes=(
            Mistake(
                "the chance to stay when treated, as if she would leave for certain otherwise",
                lambda: TREATED * STAKE - COST,
                (
                    "What happens to this customer if you do nothing?",
                    "She stays with 60 % anyway. Only the difference is your doing.",
                ),
            ),
            Mistake(
                "the risk of losing her taken for what a treatment saves",
                lambda: (1 - ALONE) * STAKE - COST,
                (
                    "Does the treatment keep everybody who would leave?",
                    "Risk is 40 %; the treatment moves 12 points of it.",
                ),
            ),
            Mistake(
                "the gain without the cost",
                lambda: (TREATED - ALONE) * STAKE,
                ("Is it free?", "Take off what the treatment costs."),
            ),
        ),
        hints=(
            "Compare her with herself, left alone.",
            "Change of the chance to stay × margin at stake − cost.",
            "(0.72 − 0.60) × 250 − 18",
        ),
    ),
    Question(
        name="11.q2",
        asks="an amount of money, for a thousand customers of the pilot's mix",
        solution=lambda: total("high"),
        tolerance=0.5,
        mistakes=(
            Mistake(
                "everybody treated, by one mean effect",
                pooled,
                (
                    "The mean hides two groups. What is the effect in each?",
                    "High stake: 73 % against 60 %. Low stake: 65 % against 70 %.",
                ),
            ),
            Mistake(
                "the gain without the cost",
                lambda: 400 * effect("high") * GAIN,
                ("Is a treatment free?", "Each treated customer costs 10."),
            ),
            Mistake(
                "the gain for each of a thousand, but only 400 are treated",
                lambda: 1000 * (effect("high") * GAIN - PRICE),
                ("How many of the thousand have a high stake?", "400 of them."),
            ),
        ),
        hints=(
            "Compute the effect in each group, then decide whom to treat.",
            "Net gain of a customer: effect × 150 − 10. Who has a negative one is left alone.",
            "400 × (0.13 × 150 − 10)",
        ),
    ),
    Question(
        name="11.q3",
        asks="the largest sum of net gains",
        solution=best,
        tolerance=0.05,
        mistakes=(
            Mistake(
                "the customers with the largest gains first, whatever they cost",
                by_gain,
                (
                    "The largest gain may be a dear one. What does each bring for its money?",
                    "For the 25 of a second level you get two first levels and something back.",
                ),
            ),
            Mistake(
                "first levels only",
                first_level_only,
                (
                    "How much of the budget is left over?",
                    "Somebody's second level brings much more than her first.",
                ),
            ),
        ),
        hints=(
            "There are 3⁵ plans; a computer tries them all.",
            "action.optimise(gains, costs, budget)",
            "action.optimise(gains, costs, 45).value",
        ),
    ),
)
