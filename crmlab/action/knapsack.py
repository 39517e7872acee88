"""The knapsack with choices: one level or none for each customer, within a budget and each level's capacity.

Kellerer, Pferschy & Pisinger (2004), chapter 11. `optimise` searches by branch and bound on linear programmes, until no
plan can be better by more than a ten-thousandth, and says how far the answer can be from the best. The dual values of
the first programme are the prices of one more unit of money and of one more place.
"""

from __future__ import annotations

import heapq
import itertools
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from crmlab.errors import InputError
from crmlab.value.told import number

Array = npt.NDArray[np.float64]
Choice = npt.NDArray[np.int64]

#: Relative distance from the best at which the search stops.
_GAP = 1e-4
#: Distance from a whole number that counts as none, and relaxations that are solved at most.
_WHOLE, _NODES = 1e-7, 300


class Optimum(NamedTuple):
    """A choice of one level for each customer, and how good it is.

    Attributes
    ----------
    choice : array (customers,), position of the level, −1 for none
    value, cost : float, sums over the chosen
    bound : float, no choice can bring more than this (value of the relaxation)
    gap : float, (bound − value) / bound; 0 where there is nothing to gain
    budget_price : float, what one more unit of money would bring
    place_prices : array (levels,), what one more place would bring
    """

    choice: Choice
    value: float
    cost: float
    bound: float
    gap: float
    budget_price: float
    place_prices: Array


def optimise(gains: Any, costs: Any, budget: float, capacity: Any = None) -> Optimum:
    """Choose at most one level for each customer so that the sum of net gains is largest.

    max Σ g_ik x_ik  subject to  Σ_k x_ik ≤ 1,  Σ c_ik x_ik ≤ budget,  Σ_i x_ik ≤ capacity_k,  x_ik ∈ {0, 1}

    Parameters
    ----------
    gains : array (customers, levels), net of cost, in money
    costs : array (customers, levels), 0 or more
    budget : float, 0 or more
    capacity : array (levels,), optional; default no limit. Of a place that is not whole nothing can be used.

    Returns
    -------
    Optimum

    Raises
    ------
    InputError
        Shapes that do not fit, text, values that are missing or infinite, or negative costs, budget or capacity.

    References
    ----------
    Kellerer, H., Pferschy, U., & Pisinger, D. (2004). Knapsack Problems. Springer.

    Examples
    --------
    >>> best = optimise([[5, 8], [4, 9]], [[1, 3], [1, 3]], budget=4)
    >>> best.choice.tolist(), best.value
    ([0, 1], 14.0)
    """
    g, c, places = _checked(gains, costs, budget, capacity)
    budget = float(budget)
    who, level = np.nonzero((g > 0) & (c <= budget) & (places >= 1))
    choice = np.full(len(g), -1, dtype=np.int64)
    if not len(who):
        return Optimum(choice, 0.0, 0.0, 0.0, 0.0, 0.0, np.zeros(g.shape[1]))
    rows, limits = _constraints(who, level, c[who, level], budget, places)
    relaxed = _relaxation(g[who, level], rows, limits)
    choice = _extended(choice, g, c, budget, places)
    value, cost = sums(choice, g, c)
    if relaxed is None:
        raise InputError("optimise: the solver found no plan for these numbers. Look for gains or costs of odd size.")
    # A pair on which the relaxation gives up more than separates it from the greedy plan is in no better plan.
    open_ = relaxed.value + relaxed.reduced > value
    programme = _Programme(g, c, budget, places, who[open_], level[open_], rows[:, open_], limits)
    choice, bound = programme.solved(choice, value)
    value, cost = sums(choice, g, c)
    prices = relaxed.prices
    bound = max(bound, value)
    return Optimum(
        choice, value, cost, bound, 1 - value / bound, float(prices[0] / (budget or 1.0)), prices[1 : 1 + g.shape[1]]
    )


def greedy(gains: Any, costs: Any, budget: float, capacity: Any = None) -> Choice:
    """Take the step that brings most for its money, again and again: a customer's first level, or the next better one.

    Quick and mostly close; `optimise` is never worse by more than its gap. Parameters as there.

    Examples
    --------
    >>> greedy([[5, 8], [4, 9]], [[1, 3], [1, 3]], budget=4).tolist()
    [0, 1]
    """
    g, c, places = _checked(gains, costs, budget, capacity)
    budget = float(budget)
    return _extended(np.full(len(g), -1, dtype=np.int64), g, c, budget, places)


def _extended(choice: Choice, g: Array, c: Array, budget: float, places: Array) -> Choice:
    """A plan, and the steps on top of it that bring most for their money."""
    choice, taken = choice.copy(), choice >= 0
    now_g, now_c = np.zeros(len(g)), np.zeros(len(g))
    now_g[taken], now_c[taken] = g[taken, choice[taken]], c[taken, choice[taken]]
    spent, used = now_c.sum(), np.bincount(choice[taken], minlength=g.shape[1]).astype(float)
    more, dearer = g - now_g[:, None], c - now_c[:, None]
    while True:
        possible = (more > _WHOLE) & (spent + dearer <= budget * (1 + 1e-12)) & (used < places)
        if not possible.any():
            return choice
        rate = np.where(possible, more / np.maximum(dearer, 1e-9), -np.inf)
        who, level = np.unravel_index(int(rate.argmax()), g.shape)
        if choice[who] >= 0:
            used[choice[who]] -= 1
        spent, used[level] = spent + dearer[who, level], used[level] + 1
        choice[who] = level
        more[who], dearer[who] = g[who] - g[who, level], c[who] - c[who, level]


def _checked(gains: Any, costs: Any, budget: float, capacity: Any) -> tuple[Array, Array, Array]:
    g, c = _numbers(gains, "gains"), _numbers(costs, "costs")
    if g.ndim != 2 or g.shape != c.shape or not g.size:
        raise InputError(
            f"gains, costs: shapes {g.shape} and {c.shape}; expected one row a customer, one column a level."
        )
    for name, values in (("gains", g), ("costs", c)):
        wrong = np.argwhere(~np.isfinite(values) | ((values < 0) & (name == "costs")))
        if len(wrong):
            row, column = wrong[0]
            raise InputError(
                f"{name}: {len(wrong)} of {values.size} are missing, infinite, or negative costs (first: "
                f"{values[row, column]:g} in row {row}, column {column}). Correct them or leave these customers out."
            )
    number(budget, "budget", 0)
    places = np.full(g.shape[1], np.inf) if capacity is None else np.floor(_numbers(capacity, "capacity"))
    if places.shape != (g.shape[1],) or not (places >= 0).all():
        raise InputError(f"capacity: found {capacity!r}; expected {g.shape[1]} numbers of 0 or more, one a level.")
    return g, c, places


def _numbers(values: Any, name: str) -> Array:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name}: these are no numbers in rows of one length; expected a table of numbers.") from None


def _constraints(who: Choice, level: Choice, cost: Array, budget: float, places: Array) -> tuple[Any, Array]:
    """Rows of the programme: the budget, the places of each level, one level a customer."""
    from scipy.sparse import csr_array

    columns, first = np.arange(len(who)), 1 + len(places)
    customers, position = np.unique(who, return_inverse=True)
    row = np.concatenate([np.zeros(len(who), dtype=np.int64), 1 + level, first + position])
    # Costs as shares of the budget: the solver's tolerance for whole numbers is then one for money too.
    entries = np.concatenate([cost / (budget or 1.0), np.ones(2 * len(who))])
    shape = (first + len(customers), len(who))
    rows = csr_array((entries, (row, np.concatenate([columns] * 3))), shape=shape)
    # More places than customers bind nobody; the solver wants a finite number.
    return rows, np.concatenate([[float(budget > 0)], np.minimum(places, len(customers)), np.ones(len(customers))])


class _Relaxed(NamedTuple):
    """The programme without whole numbers: value, shares, prices of the rows, and what a unit of a column gives up."""

    value: float
    shares: Array
    prices: Array
    reduced: Array


def _relaxation(gains: Array, rows: Any, limits: Array, low: Any = 0.0, high: Any = np.inf) -> _Relaxed | None:
    """None where no shares between `low` and `high` keep to the limits."""
    from scipy.optimize import linprog

    ends = np.column_stack(np.broadcast_arrays(low, high, gains)[:2])
    solved = linprog(-gains, A_ub=rows, b_ub=limits, bounds=ends, method="highs")
    if solved.x is None:
        return None
    prices = np.asarray(-solved.ineqlin.marginals, dtype=float)
    return _Relaxed(float(-solved.fun), solved.x, prices, gains - prices @ rows)


class _Programme(NamedTuple):
    """Pairs of customer and level among which the best plan in whole numbers is looked for."""

    g: Array
    c: Array
    budget: float
    places: Array
    who: Choice
    level: Choice
    rows: Any
    limits: Array

    def solved(self, choice: Choice, value: float) -> tuple[Choice, float]:
        """Branch and bound from a known plan: the best one found, and a bound no plan exceeds.

        A node is a relaxation with some pairs taken or refused; its shares cut to whole numbers and completed greedily
        are a plan. The node with the highest bound is divided at its most undecided pair.
        """
        gains = self.g[self.who, self.level]
        count = itertools.count()
        nodes: list[tuple[float, int, Array, Array]] = [
            (-np.inf, next(count), np.zeros(len(gains)), np.ones(len(gains)))
        ]
        solved = 0
        while len(gains) and nodes and solved < _NODES:
            above, _, low, high = heapq.heappop(nodes)
            if -above <= value * (1 + _GAP):
                return choice, max(value, -above)
            solved += 1
            relaxed = _relaxation(gains, self.rows, self.limits, low, high)
            if relaxed is None or relaxed.value <= value:
                continue
            plan = self._completed(relaxed.shares)
            reached = sums(plan, self.g)[0]
            if reached > value:
                choice, value = plan, reached
            undecided = np.abs(relaxed.shares - np.round(relaxed.shares))
            split = int(undecided.argmax())
            if undecided[split] > _WHOLE:
                for end in (0.0, 1.0):
                    new_low, new_high = low.copy(), high.copy()
                    new_low[split], new_high[split] = (0.0, 0.0) if end == 0 else (1.0, 1.0)
                    heapq.heappush(nodes, (-relaxed.value, next(count), new_low, new_high))
        return choice, max([value, *(-node[0] for node in nodes)]) if solved else value

    def _completed(self, shares: Array) -> Choice:
        taken = shares > 1 - _WHOLE
        start = np.full(len(self.g), -1, dtype=np.int64)
        start[self.who[taken]] = self.level[taken]
        return _extended(start, self.g, self.c, self.budget, self.places)


def sums(choice: Choice, *tables: Array) -> list[float]:
    """What the chosen levels add up to in each table (customers, levels)."""
    treated = np.flatnonzero(choice >= 0)
    return [float(table[treated, choice[treated]].sum()) for table in tables]
