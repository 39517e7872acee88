"""Sharing a budget out among customers and levels of retention, with what is not known carried through (row E13).

Each customer gets one level or none: a knapsack with choices (Kellerer, Pferschy & Pisinger 2004, chapter 11), with a
budget in money and a capacity for each level. `optimise` solves it by branch and bound on linear programmes and says how far the
answer can be from the best; the dual values of its relaxation are the prices of one more unit of money and of one more
place. `allocate` puts in what a pilot taught: the expected gain of each customer on each level, over draws of effects,
satisfaction, value at stake and costs.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crmlab.errors import InputError
from crmlab.results import page, plain, rows_by_name
from crmlab.value.told import number, whole

from .levels import retention_levels
from .naive import naive_plans
from .pilot import design_of
from .risk import AtRisk

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]
Choice = npt.NDArray[np.int64]

#: Relative distance from the best at which the search stops, and draws that are taken through at once.
_GAP, _BLOCK, _HALVINGS = 1e-4, 50, 40
#: Distance from a whole number that counts as none, and relaxations that are solved at most.
_WHOLE, _NODES = 1e-7, 300
NONE = "none"


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
    capacity : array (levels,), optional; default no limit

    Returns
    -------
    Optimum

    Raises
    ------
    InputError
        Shapes that do not fit, values that are missing or infinite, or negative costs, budget or capacity.

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
    who, level = np.nonzero((g > 0) & (c <= budget) & (places >= 1))
    choice = np.full(len(g), -1, dtype=np.int64)
    if not len(who):
        return Optimum(choice, 0.0, 0.0, 0.0, 0.0, 0.0, np.zeros(g.shape[1]))
    rows, limits = _constraints(who, level, c[who, level], budget, places)
    relaxed = _relaxation(g[who, level], rows, limits)
    choice = greedy(g, c, budget, places)
    value, cost = _sums(choice, g, c)
    # A pair on which the relaxation gives up more than separates it from the greedy plan is in no better plan.
    open_ = relaxed.value + relaxed.reduced > value
    programme = _Programme(g, c, budget, places, who[open_], level[open_], rows[:, open_], limits)
    choice, bound = programme.solved(choice, value)
    value, cost = _sums(choice, g, c)
    prices = relaxed.prices
    bound = max(bound, value)
    return Optimum(choice, value, cost, bound, 1 - value / bound, float(prices[0] / (budget or 1.0)), prices[1 : 1 + g.shape[1]])


def greedy(gains: Any, costs: Any, budget: float, capacity: Any = None) -> Choice:
    """Take the step that brings most for its money, again and again: a customer's first level, or the next better one.

    Quick and mostly close; `optimise` is never worse by more than its gap. Parameters as there.

    Examples
    --------
    >>> greedy([[5, 8], [4, 9]], [[1, 3], [1, 3]], budget=4).tolist()
    [0, 1]
    """
    g, c, places = _checked(gains, costs, budget, capacity)
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
    g, c = np.asarray(gains, dtype=float), np.asarray(costs, dtype=float)
    if g.ndim != 2 or g.shape != c.shape or not g.size:
        raise InputError(f"gains, costs: shapes {g.shape} and {c.shape}; expected one row a customer, one column a level.")
    for name, values in (("gains", g), ("costs", c)):
        wrong = np.argwhere(~np.isfinite(values) | ((values < 0) & (name == "costs")))
        if len(wrong):
            row, column = wrong[0]
            raise InputError(
                f"{name}: {len(wrong)} of {values.size} are missing, infinite or negative costs (first: "
                f"{values[row, column]:g} of customer {row} on level {column}). Correct them or leave these customers out."
            )
    number(budget, "budget", 0)
    places = np.full(g.shape[1], np.inf) if capacity is None else np.asarray(capacity, dtype=float)
    if places.shape != (g.shape[1],) or not (places >= 0).all():
        raise InputError(f"capacity: found {capacity!r}; expected {g.shape[1]} numbers of 0 or more, one a level.")
    return g, c, places


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
        nodes: list[tuple[float, int, Array, Array]] = [(-np.inf, next(count), np.zeros(len(gains)), np.ones(len(gains)))]
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
            reached = _sums(plan, self.g)[0]
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


def _sums(choice: Choice, *tables: Array) -> list[float]:
    treated = np.flatnonzero(choice >= 0)
    return [float(table[treated, choice[treated]].sum()) for table in tables]


# --- The plan -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Allocation:
    """What to do on Monday.

    Attributes
    ----------
    plan : Series by customer_id: a level of retention, or "none"
    customers : DataFrame by customer_id: level, p_lost, at_stake, gain (expected, net), cost, chosen (share of the draws
        in which the customer would be treated, were the draw the truth), harmed (share in which this treatment loses
        more customers than it keeps); the best level stands where level is "none".
    by_level : DataFrame, index level: customers, cost, gain, low, high, capacity, place_price
    comparison : DataFrame, index plan ("linked plan", "greedy", naive plans): level, customers, cost, gain, low, high (net,
        over the draws), beaten (share of draws in which the linked plan brings more), within_budget
    gain, low, high : float, expected net gain of the plan and its interval
    budget, cost : float
    optimum : Optimum
    negative : int, customers whom every level is expected to cost more than it brings
    draws, seed, level
    risk : AtRisk
    problems : list of str
    """

    plan: pd.Series
    customers: pd.DataFrame
    by_level: pd.DataFrame
    comparison: pd.DataFrame
    gain: float
    low: float
    high: float
    budget: float
    cost: float
    optimum: Optimum
    negative: int
    draws: int
    seed: int
    level: float
    risk: AtRisk
    problems: list[str]

    @property
    def treated(self) -> pd.DataFrame:
        """The rows of `customers` that are treated, the largest gain first."""
        return self.customers[self.customers["level"] != NONE].sort_values("gain", ascending=False, kind="stable")

    def plot(self, kind: str = "comparison", language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Draw the "comparison" of plans, or how often customers are "chosen"."""
        from crmlab.plots import action as draw

        if kind == "comparison":
            return draw.plan_gains(self.comparison, language=language, ax=ax)
        if kind == "chosen":
            return draw.chosen_shares(self.customers, language=language, ax=ax)
        raise InputError(f"plot: {kind!r} is not known; expected comparison or chosen.")

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            "budget": self.budget, "cost": self.cost, "gain": self.gain, "low": self.low, "high": self.high,
            "treated": len(self.treated), "gap": self.optimum.gap, "budget_price": self.optimum.budget_price,
            "by_level": rows_by_name(self.by_level), "comparison": rows_by_name(self.comparison),
            "problems": list(self.problems),
        }  # fmt: skip

    def _repr_html_(self) -> str:
        return page(self.comparison.round(2).to_html(), problems=self.problems, heading="Allocation")


def allocate(
    risk: AtRisk,
    budget: float,
    levels: pd.DataFrame | None = None,
    *,
    draws: int = 400,
    seed: int = 0,
    level: float = 0.9,
    effect_factor: float = 1.0,
) -> Allocation:
    """Share a budget out so that the expected net gain of the year is largest.

    Gain of customer i on level k: change of P(stay) × value at stake − cost. A customer for whom no level is expected
    to bring more than it costs is left alone, however much budget is left.

    Parameters
    ----------
    risk : AtRisk
    budget : float, 0 or more
        Money for all treatments.
    levels : DataFrame, optional
        See `retention_levels`; its index are levels of the pilot.
    draws : int, 20 or more
        Simulated truths, each with other effects, satisfactions of those who did not answer, values and costs.
    seed : int
    level : float, 0 to 1
        Of the intervals.
    effect_factor : float, 0 or more
        Multiplies every effect in log-odds: what if the pilot promised too much?

    Returns
    -------
    Allocation

    Raises
    ------
    InputError
        Numbers out of range, faulty levels, or levels that the pilot did not try.

    Examples
    --------
    >>> from crmlab.action import at_risk, learn, link
    >>> from crmlab.datasets import simulate_company
    >>> company = simulate_company(300, seed=1, pilot=600)
    >>> pilot = link(company.pilot.orders, company.pilot.survey)
    >>> risk = at_risk(link(company.orders, company.survey), learn(pilot, company.pilot.outcomes))
    >>> found = allocate(risk, 500, company.levels, draws=50)
    >>> found.cost <= 500, found.low <= found.gain <= found.high
    (True, True)
    """
    number(budget, "budget", 0)
    number(effect_factor, "effect_factor", 0)
    whole(draws, "draws", 20)
    if not 0 < level < 1:
        raise InputError(f"level: {level!r}; expected a number between 0 and 1.")
    table = retention_levels(levels)
    untried = [name for name in table.index if name not in risk.lessons.levels]
    if untried:
        raise InputError(f"levels: the pilot did not try {', '.join(untried)}; it tried {', '.join(risk.lessons.levels)}.")
    costs = np.add.outer(risk.linked.customers["revenue"].clip(lower=0).to_numpy(), np.zeros(len(table)))
    costs = costs * table["share"].to_numpy() + table["cost"].to_numpy()
    simulated = _simulated(risk, table, costs, draws, seed, effect_factor)
    expected = simulated.mean(axis=0, dtype=float)
    allowed = np.where(risk.table["in_pilot"].to_numpy()[:, None], expected, -1.0)
    capacity = table["capacity"].to_numpy()
    best = optimise(allowed, costs, float(budget), capacity)
    names = np.array([*table.index])
    plans = {"linked plan": best.choice, "greedy": greedy(allowed, costs, float(budget), capacity)}
    plans |= _best_naive(naive_plans(risk, costs, table, budget, seed=seed), names, expected)
    comparison = _compared(plans, simulated, costs, names, budget, level)
    chosen = _chosen(simulated, np.where(allowed > 0, 1.0, -1.0), allowed, costs, best, budget)
    customers = _by_customer(risk, best.choice, names, expected, costs, simulated, chosen)
    row, negative = comparison.loc["linked plan"], int((allowed <= 0).all(axis=1).sum())
    found = Allocation(
        customers["level"].rename("plan"), customers, _by_level(best, simulated, costs, table, level), comparison,
        float(row["gain"]), float(row["low"]), float(row["high"]), float(budget), best.cost, best, negative, draws, seed,
        level, risk, [],
    )  # fmt: skip
    found.problems.extend([*risk.problems, *_about(found)])
    return found


def _simulated(
    risk: AtRisk, table: pd.DataFrame, costs: Array, draws: int, seed: int, factor: float
) -> npt.NDArray[np.float32]:
    """Net gains (draws, customers, levels), each draw another truth that the pilot and the survey allow."""
    rng = np.random.default_rng(seed)
    lessons, linked = risk.lessons, risk.linked
    params = rng.multivariate_normal(lessons.params["estimate"], lessons.covariance, draws, method="cholesky")
    z = lessons.standardised(linked.customers)
    share = np.maximum(rng.normal(lessons.stake["share"], lessons.stake["se"], draws), 0.0)
    rate = linked.customers["rate"].to_numpy(dtype=float)
    factors = _cost_factors(table, draws, rng)
    net = np.empty((draws, *costs.shape), dtype=np.float32)
    untreated = design_of(z, lessons.measures, lessons.levels, np.zeros((len(z), len(lessons.levels)))).to_numpy()
    for place, level in enumerate(table.index):
        arm = np.zeros((len(z), len(lessons.levels)))
        arm[:, lessons.levels.index(str(level))] = 1.0
        treatment = design_of(z, lessons.measures, lessons.levels, arm).to_numpy() - untreated
        for start in range(0, draws, _BLOCK):
            block = slice(start, min(start + _BLOCK, draws))
            alone = params[block] @ untreated.T
            kept = _chance(alone + factor * (params[block] @ treatment.T)) - _chance(alone)
            paid = costs[:, place] * factors[block, place][:, None]
            net[block, :, place] = kept * share[block, None] * rate - paid
    return net


def _chance(logit: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-logit)))


def _cost_factors(table: pd.DataFrame, draws: int, rng: np.random.Generator) -> Array:
    """What a level costs over what was planned: triangular over the range, shifted so that the mean is the plan."""
    low, cost, high = (table[name].to_numpy() for name in ("cost_low", "cost", "cost_high"))
    peak = np.clip(3 * cost - low - high, low, high)
    spread = np.where(high > low, high - low, 1.0)
    u = rng.random((draws, len(table)))
    cut = (peak - low) / spread
    left, right = low + np.sqrt(u * spread * (peak - low)), high - np.sqrt((1 - u) * spread * (high - peak))
    drawn = np.where(high > low, np.where(u < cut, left, right), cost)
    return np.asarray(drawn / np.where(cost > 0, cost, 1.0))


def _best_naive(plans: Mapping[tuple[str, str], pd.Series], names: Any, expected: Array) -> dict[str, Choice]:
    """Every naive plan with the level that suits it best as far as the pilot tells."""
    found: dict[str, tuple[float, Choice]] = {}
    for (kind, _), plan in plans.items():
        choice = pd.Index(names).get_indexer(plan).astype(np.int64)
        gain = _sums(choice, expected)[0]
        if kind not in found or gain > found[kind][0]:
            found[kind] = (gain, choice)
    return {kind: choice for kind, (_, choice) in found.items()}


def _compared(
    plans: Mapping[str, Choice], simulated: Any, costs: Array, names: Any, budget: float, level: float
) -> pd.DataFrame:
    """Gains of the plans over the same draws."""
    gains = {}
    for name, choice in plans.items():
        treated = np.flatnonzero(choice >= 0)
        gains[name] = simulated[:, treated, choice[treated]].sum(axis=1, dtype=float)
    rows = []
    for name, choice in plans.items():
        cost, used = _sums(choice, costs)[0], np.unique(choice[choice >= 0])
        low, high = np.quantile(gains[name], [(1 - level) / 2, (1 + level) / 2])
        rows.append(
            {
                "plan": name,
                "level": names[used[0]] if len(used) == 1 else "mixed" if len(used) else NONE,
                "customers": int((choice >= 0).sum()),
                "cost": cost,
                "gain": float(gains[name].mean()),
                "low": float(low),
                "high": float(high),
                "beaten": float((gains["linked plan"] > gains[name]).mean()),
                "within_budget": bool(cost <= budget + 1e-6),
            }
        )
    found = pd.DataFrame(rows).set_index("plan")
    found.loc["linked plan", "beaten"] = np.nan
    return found


def _chosen(
    simulated: Any, sign: Array, expected: Array, costs: Array, best: Optimum, budget: float
) -> Array:
    """Share of the draws in which each customer would be treated, were the draw the truth.

    Each draw has its own price of money, found by halving; the prices of places are those of the plan.
    """
    pilot_knows = (expected > -1.0).any(axis=1)
    chosen = np.zeros(len(costs))
    for start in range(0, len(simulated), _BLOCK):
        net = simulated[start : start + _BLOCK] - best.place_prices.astype(np.float32)
        low, high = np.zeros(len(net)), np.full(len(net), 1e3)
        treated = np.zeros(net.shape[:2], dtype=bool)
        for _ in range(_HALVINGS):
            price = (low + high) / 2
            worth = net - price[:, None, None] * costs
            level = worth.argmax(axis=2)
            treated = (np.take_along_axis(worth, level[..., None], 2)[..., 0] > 0) & pilot_knows
            spent = (np.take_along_axis(np.broadcast_to(costs, net.shape), level[..., None], 2)[..., 0] * treated).sum(1)
            low, high = np.where(spent > budget, price, low), np.where(spent > budget, high, price)
        chosen += treated.sum(axis=0)
    return chosen / len(simulated)


def _by_customer(
    risk: AtRisk, choice: Choice, names: Any, expected: Array, costs: Array, simulated: Any, chosen: Array
) -> pd.DataFrame:
    who = np.arange(len(choice))
    level = np.where(choice >= 0, choice, expected.argmax(axis=1))
    planned = np.array([simulated[:, person, each].astype(float) for person, each in zip(who, level, strict=True)])
    harmed = (planned + costs[who, level][:, None] < 0).mean(axis=1)
    columns = {
        "level": pd.Series(np.where(choice >= 0, names[level], NONE), index=risk.table.index, dtype="str"),
        "p_lost": risk.table["p_lost"],
        "at_stake": risk.table["at_stake"],
        "gain": expected[who, level],
        "cost": costs[who, level],
        "chosen": chosen,
        "harmed": harmed,
    }
    return pd.DataFrame(columns, index=risk.table.index)


def _by_level(best: Optimum, simulated: Any, costs: Array, table: pd.DataFrame, level: float) -> pd.DataFrame:
    rows = []
    for place, name in enumerate(table.index):
        taken = np.flatnonzero(best.choice == place)
        gains = simulated[:, taken, place].sum(axis=1, dtype=float)
        low, high = np.quantile(gains, [(1 - level) / 2, (1 + level) / 2])
        rows.append(
            {
                "level": name,
                "customers": len(taken),
                "cost": float(costs[taken, place].sum()),
                "gain": float(gains.mean()),
                "low": float(low),
                "high": float(high),
                "capacity": table["capacity"].iloc[place],
                "place_price": float(best.place_prices[place]),
            }
        )
    return pd.DataFrame(rows).set_index("level")


def _about(found: Allocation) -> list[str]:
    """What the plan leaves open."""
    said = [
        f"{found.negative:,} of {len(found.plan):,} customers are left alone because no level is expected to bring more "
        "than it costs, or because the pilot does not speak of them."
    ]
    if found.low < 0:
        said.append(f"The {found.level:.0%} interval of the gain begins below zero ({found.low:,.0f}): it may be a loss.")
    if found.cost < 0.95 * found.budget:
        said.append(
            f"{found.budget - found.cost:,.0f} of the budget of {found.budget:,.0f} stay unspent: nobody is left for whom "
            "spending is expected to pay."
        )
    if found.optimum.gap > 10 * _GAP:
        said.append(f"The plan may be {found.optimum.gap:.1%} below the best one; customers cannot be divided.")
    if "greedy" in found.comparison.index and not len(found.treated):
        said.append("Nobody is treated.")
    return said
