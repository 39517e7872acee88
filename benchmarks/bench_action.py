"""What linking is worth: 100 simulated companies, the linked plan beside plans that link nothing, gains from the truth.

Run `python benchmarks/bench_action.py [companies] [budget]` (default 100 and 4,000). For each company the plan is made
from orders, survey and pilot alone. Then the generator says what each plan really brings over the year, an expectation
free of noise. Naive plans go down their list with the level that turned out best for them in that very company, which
no manager could know. The oracle is the best plan for one who knows every customer's true gain. To do nothing brings 0.

The seeds are `FIRST` and the next: none of them was looked at while the generator's numbers and the prior were set.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from crmlab import action
from crmlab.datasets import simulate_company

CUSTOMERS, DRAWS, FIRST = 1500, 100, 1001


def one(seed: int, budget: float) -> dict[str, float]:
    """True gains of all plans of one company, what the linked plan promised, and the seconds it took."""
    company = simulate_company(CUSTOMERS, seed=seed)
    start = time.perf_counter()
    today = action.link(company.orders, company.survey, measures=["stake"])
    before = action.link(company.pilot.orders, company.pilot.survey, measures=["stake"])
    risk = action.at_risk(today, action.learn(before, company.pilot.outcomes))
    found = action.allocate(risk, budget, company.levels, draws=DRAWS, seed=seed)
    seconds = time.perf_counter() - start
    gains = {"linked plan": company.gain(found.plan), "do nothing": company.gain(found.plan.head(0))}
    for (kind, _), plan in action.naive_plans(risk, company.costs, company.levels, budget, seed=seed).items():
        gains[kind] = max(gains.get(kind, -np.inf), company.gain(plan))
    oracle = action.optimise(company.net, company.costs, budget, company.levels["capacity"])
    told = {"promised": found.gain, "chance_of_loss": found.chance_of_loss}
    told |= {"inside": float(found.low <= gains["linked plan"] <= found.high)}
    return gains | {"oracle": oracle.value} | told | {"seconds": seconds}


def main(companies: int, budget: float) -> None:
    rows = [one(seed, budget) for seed in range(FIRST, FIRST + companies)]
    gains = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    ours = gains["linked plan"]
    print(
        f"{companies} companies of {CUSTOMERS:,} customers (seeds {FIRST} to {FIRST + companies - 1}), budget "
        f"{budget:,.0f}, net gain of a year"
    )
    print(f"{'plan':<22}{'mean gain':>12}{'s.e.':>8}{'linked plan better in':>24}{'share of the oracle':>22}")
    for name in ("linked plan", "do nothing", "top 20 % by value", "at risk only", "random", "everybody", "oracle"):
        values = gains[name]
        better = "" if name == "linked plan" else f"{np.mean(ours > values):.0%} of companies"
        error = values.std(ddof=1) / np.sqrt(companies)
        share = values.mean() / gains["oracle"].mean()
        print(f"{name:<22}{values.mean():>12,.0f}{error:>8,.0f}{better:>24}{share:>22.0%}")
    print(
        f"the linked plan promised {gains['promised'].mean():,.0f} on average; what it brought lay within its 90 % "
        f"interval in {gains['inside'].mean():.0%} of the companies, and was a loss in {np.mean(ours < 0):.0%}, where "
        f"it said {gains['chance_of_loss'].mean():.0%} on average"
    )
    print(f"{gains['seconds'].mean():.1f} s a company, from orders, survey and pilot to the plan")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 100, float(given[1]) if len(given) > 1 else 4000.0)
