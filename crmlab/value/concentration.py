"""Few customers, most of the revenue: Pareto curve, ABC classes, contribution, cost to serve, whale curve (chapter 4).

Course rows C2, D1, E12. Revenue can only be shared out while nobody's is negative; profit may be, and then the curve
rises above 100 % before it falls: a whale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from crmlab.errors import InputError
from crmlab.transactions import to_frame

from .told import Array, at_least, number, numbers, percentiles, whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from crmlab.transactions import Transactions

#: Resampled values held at once.
_BLOCK = 8_000_000
#: Points of a curve that is kept for drawing.
_POINTS = 501


def pareto_share(values: Any, top: float = 0.2) -> float:
    """Share of the total that the best `top` of the customers bring.

    Parameters
    ----------
    values : array
        Revenue by customer, 0 or more.
    top : float in (0, 1]
        Share of the customers. Where it falls within a customer, that part of her revenue counts.

    Returns
    -------
    float, `top` … 1

    Raises
    ------
    InputError
        Missing or negative values, all values 0, or a share out of range.

    Examples
    --------
    >>> pareto_share([80, 5, 5, 5, 5])
    0.8
    >>> pareto_share([10, 10, 10, 10], top=0.5)
    0.5
    """
    share = number(top, "top", 0, 1, above=True)
    ranked = _revenue(values)[None, :]
    return float(_top_shares(ranked, share)[0])


@dataclass(frozen=True)
class Pareto:
    """How concentrated revenue is.

    Attributes
    ----------
    top, share : float
        The best `top` of the customers bring `share` of the revenue.
    gini : float
        0 when all bring the same, near 1 when one brings all.
    intervals : DataFrame, index share and gini: estimate, lower, upper
    curve : DataFrame: customer_share, value_share, from the best customer on
    n : int
    level : float
    problems : list of str
    """

    top: float
    share: float
    gini: float
    intervals: pd.DataFrame
    curve: pd.DataFrame
    n: int
    level: float
    problems: list[str]

    def plot(self, language: str = "en") -> Axes:
        """Draw the Pareto curve with the point of the top share."""
        from crmlab.plots.value import pareto_curve

        low, high = (float(self.intervals[end].loc["share"]) for end in ("lower", "upper"))
        return pareto_curve(self.curve, top=self.top, share=self.share, interval=(low, high), language=language)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        intervals = {str(name): [float(row["lower"]), float(row["upper"])] for name, row in self.intervals.iterrows()}
        return {
            **{"n": self.n, "top": self.top, "share": self.share, "gini": self.gini, "level": self.level},
            **{"intervals": intervals, "problems": list(self.problems)},
        }


def pareto(values: Any, top: float = 0.2, *, resamples: int = 1000, level: float = 0.95, seed: int = 0) -> Pareto:
    """Pareto curve, top share and Gini coefficient, with bootstrap intervals over customers.

    Parameters
    ----------
    values, top
        As for `pareto_share`.
    resamples : int
        Bootstrap resamples of the customers.
    level : float in (0, 1)
    seed : int

    Returns
    -------
    Pareto

    Raises
    ------
    InputError
        What `pareto_share` refuses.

    Examples
    --------
    >>> found = pareto([80, 5, 5, 5, 5, 0, 0, 0, 0, 0], resamples=200)
    >>> found.share, round(found.gini, 2)
    (0.85, 0.8)
    """
    import pandas as pd

    share = number(top, "top", 0, 1, above=True)
    whole(resamples, "resamples", 2)
    number(level, "level", 0, 1, above=True)
    ranked = _revenue(values)
    n = len(ranked)
    draws = _resampled(ranked, share, resamples, np.random.default_rng(seed))
    lower, upper = percentiles(draws, level)
    estimates = [float(_top_shares(ranked[None, :], share)[0]), float(_gini(ranked[None, :])[0])]
    intervals = pd.DataFrame(
        {"estimate": estimates, "lower": lower, "upper": upper}, index=pd.Index(["share", "gini"], name="measure")
    )
    told = []
    free = int((ranked == 0).sum())
    if free:
        told.append(
            f"{free} of {n} customers brought nothing; they count among the customers. Leave them out to compare "
            "buyers only."
        )
    if ranked[0] > 0.1 * ranked.sum():
        told.append(
            f"One customer alone brings {100 * ranked[0] / ranked.sum():.0f} % of the revenue; bootstrap intervals "
            "are then too narrow."
        )
    return Pareto(share, estimates[0], estimates[1], intervals, _curve(ranked, "value_share"), n, level, told)


def _revenue(values: Any) -> Array:
    found = at_least(
        numbers(values, "values"),
        0,
        "values",
        "Shares of revenue need values of 0 or more; for profits use whale_curve.",
    )
    if not found.sum() > 0:
        raise InputError("values: they sum to 0, so there is nothing to share out.")
    return np.sort(found)[::-1]


def _top_shares(ranked: Array, top: float) -> Array:
    """Of each row, sorted from the best: the share of its first `top`."""
    n = ranked.shape[1]
    many = int(np.floor(top * n + 1e-9))
    part = max(top * n - many, 0.0)
    best = ranked[:, :many].sum(axis=1) + (part * ranked[:, many] if many < n else 0)
    share: Array = best / ranked.sum(axis=1)
    return share


def _gini(ranked: Array) -> Array:
    n = ranked.shape[1]
    place = np.arange(n, 0, -1)
    gini: Array = 2 * (ranked @ place) / (n * ranked.sum(axis=1)) - (n + 1) / n
    return gini


def _resampled(ranked: Array, top: float, resamples: int, rng: np.random.Generator) -> Array:
    n = len(ranked)
    rows = max(1, _BLOCK // n)
    found = []
    for first in range(0, resamples, rows):
        places = rng.integers(0, n, size=(min(rows, resamples - first), n), dtype=np.int32)
        places.sort(axis=1)
        drawn = ranked[places]
        drawn = drawn[drawn[:, 0] > 0]
        found.append(np.column_stack([_top_shares(drawn, top), _gini(drawn)]))
    return np.concatenate(found)


def _curve(ranked: Array, name: str) -> pd.DataFrame:
    """Cumulative share over customers, from the best on, at no more points than a figure needs."""
    import pandas as pd

    n = len(ranked)
    summed = np.r_[0.0, np.cumsum(ranked)]
    peak = int(summed.argmax())
    at = np.unique(np.r_[np.linspace(0, n, min(n + 1, _POINTS)).round().astype(int), peak])
    return pd.DataFrame({"customer_share": at / n, name: summed[at] / summed[-1]})


# --- ABC --------------------------------------------------------------------------------------------------------------


def abc(values: Any, shares: Sequence[float] = (0.8, 0.95), names: Sequence[str] = ("A", "B", "C")) -> pd.Series:
    """ABC class of every customer: A bring the first 80 % of the revenue, B the next 15 %, C the rest.

    Parameters
    ----------
    values : Series or array
        Revenue by customer, 0 or more.
    shares : rising numbers in (0, 1)
        Cumulative shares that end a class. The customer who crosses one belongs to the better class; equal customers
        share a class.
    names : one more than shares

    Returns
    -------
    Series of names, with the index of `values`

    Raises
    ------
    InputError
        What `pareto_share` refuses, or shares that do not rise or fit the names.

    Examples
    --------
    >>> abc([70, 20, 6, 3, 1]).tolist()
    ['A', 'A', 'B', 'C', 'C']
    """
    import pandas as pd

    limits = numbers(list(shares), "shares")
    if (np.diff(limits) <= 0).any() or limits[0] <= 0 or limits[-1] >= 1 or len(names) != len(limits) + 1:
        raise InputError(
            f"abc: shares {[float(limit) for limit in limits]} with names {list(names)}; expected rising shares "
            "between 0 and 1 and one name more than shares."
        )
    _revenue(values)
    found = pd.Series(np.asarray(values, dtype=float), index=values.index if isinstance(values, pd.Series) else None)
    total = found.sum()
    distinct = found.groupby(found).sum().sort_index(ascending=False)
    before = found.map(distinct.cumsum() - distinct) / total
    place = np.searchsorted(limits, before.to_numpy() + 1e-12, side="right")
    return pd.Series(np.asarray(names, dtype=object)[place], index=found.index, name="abc").astype(str)


def abc_table(values: Any, classes: pd.Series) -> pd.DataFrame:
    """What each class is: customers, customer_share, value, value_share, value_per_customer, by class.

    Examples
    --------
    >>> revenue = [70, 20, 6, 3, 1]
    >>> abc_table(revenue, abc(revenue))[["customers", "value_share"]].to_dict("list")
    {'customers': [2, 1, 2], 'value_share': [0.9, 0.06, 0.04]}
    """
    import pandas as pd

    found = pd.Series(np.asarray(values, dtype=float), index=classes.index).groupby(classes).agg(["size", "sum"])
    found.columns = pd.Index(["customers", "value"])
    return found.assign(
        customer_share=found["customers"] / found["customers"].sum(),
        value_share=found["value"] / found["value"].sum(),
        value_per_customer=found["value"] / found["customers"],
    )[["customers", "customer_share", "value", "value_share", "value_per_customer"]]


# --- Contribution and profit ------------------------------------------------------------------------------------------


def contribution(transactions: Transactions, by: str | Sequence[str]) -> pd.DataFrame:
    """Revenue and contribution by region, product, channel or any other column, the largest contribution first.

    Parameters
    ----------
    transactions : Transactions
        Contribution is amount − cost; without the role cost it is the amount.
    by : column or columns
        Roles or kept columns, such as "region" or ["region", "product"].

    Returns
    -------
    DataFrame: the columns of `by`, then customers, lines, revenue, cost, contribution, margin (contribution/revenue),
    revenue_share, contribution_share, cumulative_share

    Raises
    ------
    InputError
        A column that the transactions do not have.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.transactions import Transactions
    >>> orders = pd.DataFrame({"customer_id": [1, 2, 3], "date": "2026-01-05", "amount": [60.0, 20.0, 20.0],
    ...                        "cost": [50.0, 5.0, 5.0], "region": ["north", "south", "south"]})
    >>> found = contribution(Transactions(orders, cost="cost", region="region"), "region")
    >>> found[["region", "revenue_share", "contribution_share", "margin"]].round(2).to_dict("list")
    {'region': ['south', 'north'], 'revenue_share': [0.4, 0.6], 'contribution_share': [0.75, 0.25],
     'margin': [0.75, 0.17]}
    """
    table = transactions.table
    columns = [by] if isinstance(by, str) else list(by)
    lacking = [column for column in columns if column not in table.columns]
    if lacking or not columns:
        raise InputError(
            f"contribution: the transactions have no column {', '.join(map(repr, lacking)) or 'to group by'}; they "
            "have "
            f"{', '.join(table.columns)}. Name it when you make the Transactions, as region=, product= or keep=."
        )
    found = to_frame(
        table.group_by(*columns)
        .agg(
            customers=table.customer_id.nunique(),
            lines=table.count(),
            revenue=table.amount.sum(),
            cost=_cost(table).sum(),
        )
        .order_by(*columns)
    )
    found["contribution"] = found["revenue"] - found["cost"]
    # Sums of two engines differ in the last bits: the order of groups must not.
    found = found.iloc[np.argsort(-found["contribution"].round(6).to_numpy(), kind="stable")].reset_index(drop=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        found["margin"] = found["contribution"] / found["revenue"].where(found["revenue"] != 0)
    found["revenue_share"] = found["revenue"] / found["revenue"].sum()
    found["contribution_share"] = found["contribution"] / found["contribution"].sum()
    return found.assign(cumulative_share=found["contribution_share"].cumsum())


def _cost(table: ibis.Table) -> Any:
    return ibis.coalesce(table["cost"], 0.0) if "cost" in table.columns else table.amount * 0.0


#: What an activity is counted by.
DRIVERS = ("order", "line", "unit", "customer", "revenue")


def customer_profit(transactions: Transactions, cost_to_serve: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Profit of every customer: revenue − cost of the goods − cost to serve her.

    Parameters
    ----------
    transactions : Transactions
        Role `cost` is the cost of the goods of a line (0 without the role).
    cost_to_serve : mapping, driver → cost
        Activity-based costs: per "order" (order_id, or a day with a purchase), per "line", per "unit" (quantity; needs
        the role), per "customer", and as a share of "revenue".

    Returns
    -------
    DataFrame by customer_id: customer_id, orders, lines, revenue, cost, contribution, cost_to_serve, profit

    Raises
    ------
    InputError
        An unknown driver, a negative cost, or a driver whose column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.transactions import Transactions
    >>> orders = pd.DataFrame({"customer_id": [1, 2, 2], "date": ["2026-01-05", "2026-01-05", "2026-01-09"],
    ...                        "amount": [100.0, 9.0, 9.0]})
    >>> customer_profit(Transactions(orders), {"order": 12.0})["profit"].tolist()
    [88.0, -6.0]
    """
    table = transactions.table
    costs = {driver: number(cost, f"cost_to_serve[{driver!r}]", 0) for driver, cost in (cost_to_serve or {}).items()}
    unknown = [driver for driver in costs if driver not in DRIVERS]
    if unknown:
        raise InputError(f"cost_to_serve: {unknown[0]!r} is not known; expected some of {', '.join(DRIVERS)}.")
    if "unit" in costs and "quantity" not in table.columns:
        raise InputError(
            "cost_to_serve: a cost per unit needs the role quantity. Name it when you make the Transactions."
        )
    order = table["order_id"] if "order_id" in table.columns else table.date
    units = table["quantity"].sum().cast("float64") if "unit" in costs else ibis.literal(0.0)
    found = to_frame(
        table.group_by("customer_id")
        .agg(
            orders=order.nunique(),
            lines=table.count(),
            units=units,
            revenue=table.amount.sum(),
            cost=_cost(table).sum(),
        )
        .order_by("customer_id")
    )
    counts: dict[str, Any] = {
        "order": found["orders"],
        "line": found["lines"],
        "unit": found["units"],
        "customer": 1,
        "revenue": found["revenue"],
    }
    found["contribution"] = found["revenue"] - found["cost"]
    found["cost_to_serve"] = sum((cost * counts[driver] for driver, cost in costs.items()), 0.0 * found["revenue"])
    found["profit"] = found["contribution"] - found["cost_to_serve"]
    return found.drop(columns="units")


@dataclass(frozen=True)
class WhaleCurve:
    """Cumulative profit from the best customer to the worst.

    Attributes
    ----------
    curve : DataFrame: customer_share, profit_share (1 is the profit of all)
    total, peak : float
        Profit of all customers, and of those who bring any.
    peak_customers : float
        Share of the customers at the peak.
    losing : float
        Share of the customers with a loss.
    deciles : DataFrame, index decile 1 (best) … 10: customers, profit, profit_share
    n : int
    problems : list of str
    """

    curve: pd.DataFrame
    total: float
    peak: float
    peak_customers: float
    losing: float
    deciles: pd.DataFrame
    n: int
    problems: list[str]

    def plot(self, language: str = "en") -> Axes:
        """Draw the curve with its peak."""
        from crmlab.plots.value import whale

        return whale(self.curve, losing=self.losing, language=language)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        names = ("total", "peak", "peak_customers", "losing", "n")
        return {**{name: getattr(self, name) for name in names}, "problems": list(self.problems)}


def whale_curve(values: Any) -> WhaleCurve:
    """Cumulative profit of the customers, from the best to the worst (Kaplan & Cooper 1998).

    Parameters
    ----------
    values : array
        Profit by customer; losses are negative.

    Returns
    -------
    WhaleCurve

    Raises
    ------
    InputError
        Missing values, or a total of 0 or less, of which there are no shares.

    Examples
    --------
    >>> found = whale_curve([100, 50, 10, 0, -60])
    >>> found.total, found.peak, found.losing
    (100.0, 160.0, 0.2)
    """
    import pandas as pd

    profit = np.sort(numbers(values, "values"))[::-1]
    total, peak = float(profit.sum()), float(profit[profit > 0].sum())
    if total <= 0:
        raise InputError(
            f"whale_curve: the profits sum to {total:,.2f}; shares of a total that is not above 0 mean nothing. "
            "Look at the "
            "customers with losses first."
        )
    n = len(profit)
    losing = float((profit < 0).mean())
    decile = np.minimum(np.arange(n) * 10 // n, 9) + 1
    deciles = pd.Series(profit).groupby(decile).agg(["size", "sum"]).rename_axis("decile")
    deciles.columns = pd.Index(["customers", "profit"])
    told = []
    if losing:
        told.append(
            f"{100 * losing:.0f} % of the customers cost more than they bring, together {peak - total:,.2f}. Before "
            "letting "
            "one go, ask which cost would really fall, and what the customer may become."
        )
    return WhaleCurve(
        _curve(profit, "profit_share"), total, peak, float((profit > 0).mean()), losing,
        deciles.assign(profit_share=deciles["profit"] / total), n, told,
    )  # fmt: skip
