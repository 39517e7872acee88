"""Sharing a budget out among customers and levels of retention, with what is not known carried through (row E13).

The expected gain of each customer on each level, over draws of effects, value at stake and costs, goes into the
knapsack of `knapsack`; the same draws say how sure the plan is, and how it stands beside plans that link nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crmlab.errors import InputError
from crmlab.loyalty.inputs import check_level, worded
from crmlab.results import page, rows_by_name
from crmlab.value.told import number, whole

from .knapsack import Array, Choice, Optimum, greedy, optimise, sums
from .levels import retention_levels
from .naive import naive_plans
from .pilot import design_of
from .risk import AtRisk

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Draws that are taken through at once, and halvings in the search for the price of money.
_BLOCK, _HALVINGS = 50, 40
NONE = "none"


@dataclass(frozen=True, eq=False)
class Allocation:
    """What to do on Monday.

    Attributes
    ----------
    plan : Series by customer_id: a level of retention, or "none"
    customers : DataFrame by customer_id: level, p_lost, at_stake, gain (expected, net), cost, chosen (share of draws in
        which the customer would be treated, were the draw the truth), harmed (share in which the treatment makes her
        likelier to leave, whatever it costs); gain, cost and harmed are those of the best level where level is "none".
    by_level : DataFrame, index level: customers, cost, gain, low, high, capacity, place_price
    comparison : DataFrame, index plan ("linked plan", "greedy", naive plans, "do nothing"): level, customers, cost,
        gain, low, high (net, over the draws), beaten (share of draws in which the linked plan brings more),
        within_budget
    gain, low, high : float, expected net gain of the plan and its interval: of what is not known of effects, values and
        costs. The luck of each customer comes on top.
    chance_of_loss : float, share of draws in which the plan brings less than doing nothing
    budget, cost : float
    over_budget : float, share of draws in which the plan costs more than the budget, since costs are not certain
    optimum : Optimum
    negative : int, customers whom every level is expected to cost more than it brings, or of whom the pilot does not
        speak
    draws, seed, level
    levels : DataFrame of `retention_levels`
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
    chance_of_loss: float
    budget: float
    cost: float
    over_budget: float
    optimum: Optimum
    negative: int
    draws: int
    seed: int
    level: float
    levels: pd.DataFrame
    risk: AtRisk
    problems: list[str]

    @property
    def treated(self) -> pd.DataFrame:
        """The rows of `customers` that are treated, the largest gain first."""
        return self.customers[self.customers["level"] != NONE].sort_values("gain", ascending=False, kind="stable")

    def revalued(self, effect_factor: float) -> pd.Series:
        """Net gain of this very plan (gain, low, high) if every effect were so many times what the pilot says.

        Raises
        ------
        InputError
            For a factor that is no number of 0 or more.
        """
        effect_factor = number(effect_factor, "effect_factor", 0)
        costs = _costs(self.risk, self.levels)
        simulated = _simulated(self.risk, self.levels, costs, self.draws, self.seed, effect_factor)
        gains = _gains(self.optimum.choice, simulated.net)
        low, high = np.quantile(gains, [(1 - self.level) / 2, (1 + self.level) / 2])
        return pd.Series({"gain": gains.mean(), "low": low, "high": high}, name="plan")

    def plot(self, kind: str = "comparison", language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Draw the "comparison" of plans, or how often customers are "chosen"."""
        from crmlab.plots import action as draw

        if kind == "comparison":
            return draw.plan_gains(self.comparison, level=self.level, language=language, ax=ax)
        if kind == "chosen":
            return draw.chosen_shares(self.customers, language=language, ax=ax)
        raise InputError(f"plot: {kind!r} is not known; expected comparison or chosen.")

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            "budget": self.budget, "cost": self.cost, "gain": self.gain, "low": self.low, "high": self.high,
            "chance_of_loss": self.chance_of_loss, "over_budget": self.over_budget,
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
        Simulated truths, each with other effects, values at stake and costs.
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
    budget = number(budget, "budget", 0)
    effect_factor = number(effect_factor, "effect_factor", 0)
    whole(draws, "draws", 20)
    whole(seed, "seed", 0)
    check_level("allocate", level)
    table = retention_levels(levels)
    untried = [name for name in table.index if name not in risk.lessons.levels]
    if untried:
        raise InputError(
            f"levels: the pilot did not try {', '.join(untried)}; it tried {', '.join(risk.lessons.levels)}."
        )
    costs = _costs(risk, table)
    simulated = _simulated(risk, table, costs, draws, seed, effect_factor)
    expected = simulated.net.mean(axis=0, dtype=float)
    allowed = np.where(risk.table["in_pilot"].to_numpy()[:, None], expected, -1.0)
    capacity = table["capacity"].to_numpy()
    best = optimise(allowed, costs, budget, capacity)
    names = np.array([*table.index])
    plans = {"linked plan": best.choice, "greedy": greedy(allowed, costs, budget, capacity)}
    plans |= _best_naive(naive_plans(risk, costs, table, budget, seed=seed), names, expected)
    plans["do nothing"] = np.full(len(costs), -1, dtype=np.int64)
    comparison = _compared(plans, simulated.net, costs, names, budget, level)
    chosen = _chosen(simulated.net, risk.table["in_pilot"].to_numpy(), costs, best, budget)
    customers = _by_customer(risk, best.choice, names, expected, costs, simulated.harmed, chosen)
    row, negative = comparison[["gain", "low", "high"]].to_numpy()[0], int((allowed <= 0).all(axis=1).sum())
    found = Allocation(
        plan=customers["level"].rename("plan"),
        customers=customers,
        by_level=_by_level(best, simulated.net, costs, table, level),
        comparison=comparison,
        gain=float(row[0]),
        low=float(row[1]),
        high=float(row[2]),
        chance_of_loss=float((_gains(best.choice, simulated.net) < 0).mean()),
        budget=budget,
        cost=best.cost,
        over_budget=float((_spent(best, simulated.amounts, table) > budget * (1 + 1e-9)).mean()),
        optimum=best,
        negative=negative,
        draws=draws,
        seed=seed,
        level=level,
        levels=table,
        risk=risk,
        problems=[],
    )
    found.problems.extend([*risk.problems, *_about(found)])
    return found


def _costs(risk: AtRisk, table: pd.DataFrame) -> Array:
    """What each customer costs on each level: an amount, and a share of her revenue of the last year."""
    revenue = risk.linked.customers["revenue"].clip(lower=0).to_numpy(dtype=float)
    return np.asarray(np.outer(revenue, table["share"]) + table["cost"].to_numpy())


class _Simulated(NamedTuple):
    """Truths that the pilot and the survey allow.

    Attributes
    ----------
    net : array (draws, customers, levels), net gains
    harmed : array (customers, levels), share of draws in which the level makes the customer likelier to leave
    amounts : array (draws, levels), what a treated customer costs besides her bonus
    """

    net: npt.NDArray[np.float32]
    harmed: Array
    amounts: Array


def _simulated(risk: AtRisk, table: pd.DataFrame, costs: Array, draws: int, seed: int, factor: float) -> _Simulated:
    """Draws of effects, of the value at stake and of costs, taken through to every customer and level."""
    rng = np.random.default_rng(seed)
    lessons, linked = risk.lessons, risk.linked
    params = rng.multivariate_normal(lessons.params["estimate"], lessons.covariance, draws, method="cholesky")
    z = lessons.standardised(linked.customers)
    share = np.maximum(rng.normal(lessons.stake["share"], lessons.stake["se"], draws), 0.0)
    rate = linked.customers["rate"].to_numpy(dtype=float)
    amounts = _amounts(table, draws, rng)
    net, harmed = np.empty((draws, *costs.shape), dtype=np.float32), np.zeros(costs.shape)
    untreated = design_of(z, lessons.measures, lessons.levels, np.zeros((len(z), len(lessons.levels)))).to_numpy()
    for place, level in enumerate(table.index):
        arm = np.zeros((len(z), len(lessons.levels)))
        arm[:, lessons.levels.index(str(level))] = 1.0
        treatment = design_of(z, lessons.measures, lessons.levels, arm).to_numpy() - untreated
        for start in range(0, draws, _BLOCK):
            block = slice(start, min(start + _BLOCK, draws))
            alone = params[block] @ untreated.T
            kept = _chance(alone + factor * (params[block] @ treatment.T)) - _chance(alone)
            dearer = amounts[block, [place]] - table["cost"].iloc[place]
            net[block, :, place] = kept * share[block, None] * rate - (costs[:, place] + dearer)
            harmed[:, place] += (kept < 0).sum(axis=0)
    return _Simulated(net, harmed / draws, amounts)


def _chance(logit: Array) -> Array:
    from scipy.special import expit

    return np.asarray(expit(logit))


def _gains(choice: Choice, net: npt.NDArray[np.float32]) -> Array:
    """What a plan brings in each draw."""
    treated = np.flatnonzero(choice >= 0)
    return np.asarray(net[:, treated, choice[treated]].sum(axis=1, dtype=float))


def _spent(best: Optimum, amounts: Array, table: pd.DataFrame) -> Array:
    """What a plan costs in each draw."""
    served = np.bincount(best.choice[best.choice >= 0], minlength=len(table))
    return np.asarray(best.cost + (amounts - table["cost"].to_numpy()) @ served)


def _peaks(table: pd.DataFrame) -> Array:
    """Where triangles over the ranges of costs have their peaks so that the means are the costs, or come near."""
    low, cost, high = (table[name].to_numpy() for name in ("cost_low", "cost", "cost_high"))
    return np.asarray(np.clip(3 * cost - low - high, low, high))


def _amounts(table: pd.DataFrame, draws: int, rng: np.random.Generator) -> Array:
    """Money that a treated customer costs on each level (draws, levels): triangular over the range thought possible."""
    low, cost, high = (table[name].to_numpy() for name in ("cost_low", "cost", "cost_high"))
    peak = _peaks(table)
    spread = np.where(high > low, high - low, 1.0)
    u = rng.random((draws, len(table)))
    cut = (peak - low) / spread
    left, right = low + np.sqrt(u * spread * (peak - low)), high - np.sqrt((1 - u) * spread * (high - peak))
    return np.asarray(np.where(high > low, np.where(u < cut, left, right), cost))


def _best_naive(plans: Mapping[tuple[str, str], pd.Series], names: Any, expected: Array) -> dict[str, Choice]:
    """Every naive plan with the level that suits it best as far as the pilot tells."""
    found: dict[str, tuple[float, Choice]] = {}
    for (kind, _), plan in plans.items():
        choice = pd.Index(names).get_indexer(plan).astype(np.int64)
        gain = sums(choice, expected)[0]
        if kind not in found or gain > found[kind][0]:
            found[kind] = (gain, choice)
    return {kind: choice for kind, (_, choice) in found.items()}


def _compared(
    plans: Mapping[str, Choice], simulated: Any, costs: Array, names: Any, budget: float, level: float
) -> pd.DataFrame:
    """Gains of the plans over the same draws."""
    gains = {name: _gains(choice, simulated) for name, choice in plans.items()}
    rows = []
    for name, choice in plans.items():
        cost, used = sums(choice, costs)[0], np.unique(choice[choice >= 0])
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


def _chosen(simulated: Any, in_pilot: npt.NDArray[np.bool_], costs: Array, best: Optimum, budget: float) -> Array:
    """Share of the draws in which each customer would be treated, were the draw the truth.

    Each draw has its own price of money, found by halving; the prices of places are those of the plan.
    """
    chosen = np.zeros(len(costs))
    for start in range(0, len(simulated), _BLOCK):
        net = simulated[start : start + _BLOCK] - best.place_prices.astype(np.float32)
        # At a price above the best rate of gain to cost nobody who costs anything is treated.
        low, high = np.zeros(len(net)), (net / np.where(costs > 0, costs, np.inf)).max(axis=(1, 2)).clip(0) + 1
        for _ in range(_HALVINGS):
            price = (low + high) / 2
            over = _at_price(net, costs, price, in_pilot)[1] > budget
            low, high = np.where(over, price, low), np.where(over, high, price)
        chosen += _at_price(net, costs, high, in_pilot)[0].sum(axis=0)
    return chosen / len(simulated)


def _at_price(
    net: npt.NDArray[np.float32], costs: Array, price: Array, in_pilot: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], Array]:
    """Who is worth treating in each draw if money costs so much, and what they cost together."""
    worth = net - price[:, None, None] * costs
    level = worth.argmax(axis=2)[..., None]
    treated = (np.take_along_axis(worth, level, 2)[..., 0] > 0) & in_pilot
    paid = np.take_along_axis(np.broadcast_to(costs, net.shape), level, 2)[..., 0]
    return treated, (paid * treated).sum(axis=1)


def _by_customer(
    risk: AtRisk, choice: Choice, names: Any, expected: Array, costs: Array, harmed: Array, chosen: Array
) -> pd.DataFrame:
    who = np.arange(len(choice))
    level = np.where(choice >= 0, choice, expected.argmax(axis=1))
    columns = {
        "level": pd.Series(np.where(choice >= 0, names[level], NONE), index=risk.table.index, dtype="str"),
        "p_lost": risk.table["p_lost"],
        "at_stake": risk.table["at_stake"],
        "gain": expected[who, level],
        "cost": costs[who, level],
        "chosen": chosen,
        "harmed": harmed[who, level],
    }
    return pd.DataFrame(columns, index=risk.table.index)


def _by_level(best: Optimum, simulated: Any, costs: Array, table: pd.DataFrame, level: float) -> pd.DataFrame:
    rows = []
    for place, name in enumerate(table.index):
        taken = np.flatnonzero(best.choice == place)
        gains = _gains(np.where(best.choice == place, place, -1), simulated)
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
        f"{found.negative:,} of {len(found.plan):,} customers {worded(found.negative, 'is', 'are')} left alone because "
        "no level is expected to bring more than it costs, or because the pilot does not speak of them."
    ]
    if found.low < 0:
        said.append(
            f"The {found.level:.0%} interval of the gain begins below zero ({found.low:,.0f}): in "
            f"{found.chance_of_loss:.0%} of the simulated truths the plan is a loss, and doing nothing would be better."
        )
    if found.over_budget > 0:
        said.append(
            f"Costs are not certain: in {found.over_budget:.0%} of the simulated truths the plan costs more than the "
            f"budget of {found.budget:,.0f}."
        )
    means = (found.levels["cost_low"] + _peaks(found.levels) + found.levels["cost_high"]) / 3
    for name in means.index[(means - found.levels["cost"]).abs() > 1e-9 * means]:
        said.append(
            f"The range of costs of {name} lies so much to one side of {found.levels.loc[name, 'cost']:,.2f} that "
            f"{means[name]:,.2f} must be expected; the gain counts with that, the budget with what was planned."
        )
    if found.cost < 0.95 * found.budget:
        taken = [str(name) for name in found.by_level.index[found.by_level["place_price"] > 1e-9]]
        full = f"the places of {', '.join(taken)} are taken, and " if taken else ""
        said.append(
            f"{found.budget - found.cost:,.0f} of the budget of {found.budget:,.0f} stay unspent: {full}nobody is left "
            "for whom spending is expected to pay."
        )
    if found.optimum.gap > 0.001:
        said.append(f"The plan may be {found.optimum.gap:.1%} below the best one; customers cannot be divided.")
    return said
