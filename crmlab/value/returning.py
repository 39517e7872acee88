"""Both of Dwyer's models on the same customers: who comes back, and what it is worth (chapter 4).

Time runs in periods since a customer's first purchase. The share of those last seen j periods ago who buy in the next
period is the return rate p_j. "Lost for good" keeps only p₁, the retention rate, and takes everybody who pauses for
gone; "always a share" keeps all p_j. Intervals come from resampling customers, each with all her periods.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from crmlab.errors import InputError
from crmlab.transactions import to_frame
from crmlab.transactions.fields import day_of

from .dwyer import clv_sensitivity, migration_clv, retention_clv
from .told import Array, discount_rate, number, percentiles, whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from crmlab.transactions import Transactions

MODELS = ("lost for good", "always a share")


def purchase_periods(
    transactions: Transactions, *, period_days: int = 91, end: Date | str | None = None
) -> pd.DataFrame:
    """What each customer brought in each period since her first purchase.

    Parameters
    ----------
    transactions : Transactions
        Amount − cost, if there is a role cost.
    period_days : int
        Length of a period.
    end : date or text
        Last day that counts; default the last day of the transactions. A period that ends later is missing.

    Returns
    -------
    DataFrame, index customer_id, columns period 0, 1, …
        0.0 without a purchase, missing where the period was not observed to its end. A purchase that brings exactly
        nothing is not seen.

    Raises
    ------
    InputError
        No customer was observed for two periods.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.transactions import Transactions
    >>> orders = pd.DataFrame({"customer_id": [1, 1, 2], "date": ["2026-01-01", "2026-02-15", "2026-02-01"],
    ...                        "amount": [10.0, 30.0, 20.0]})
    >>> purchase_periods(Transactions(orders), period_days=30, end="2026-03-01")
    period          0     1
    customer_id
    1            10.0  30.0
    2             NaN   NaN
    """
    import pandas as pd

    days = whole(period_days, "period_days", 1)
    last = transactions.period[1] if end is None else day_of(end, "end")
    table = transactions.table
    table = table.filter(table.date <= ibis.literal(last))
    value = table.amount - ibis.coalesce(table["cost"], 0.0) if "cost" in table.columns else table.amount
    first = table.group_by("customer_id").agg(first=table.date.min())
    lines = table.mutate(value=value).join(first, "customer_id")
    lines = lines.mutate(period=lines.date.delta(lines["first"], unit="day") // days)
    sums = lines.group_by("customer_id", "period").agg(value=lines.value.sum())
    found = to_frame(sums.order_by("customer_id", "period"))
    starts = to_frame(first.order_by("customer_id")).set_index("customer_id")["first"]
    observed = ((pd.Timestamp(last) - starts).dt.days + 1) // days
    if found.empty or observed.max() < 2:
        raise InputError(
            f"purchase_periods: nobody was observed for two periods of {days} days up to {last}. Use shorter periods."
        )
    wide = found.astype({"period": int}).pivot(index="customer_id", columns="period", values="value")
    wide = wide.reindex(index=starts.index, columns=range(int(observed.max()))).fillna(0.0)
    unseen = wide.columns.to_numpy()[None, :] >= observed.to_numpy()[:, None]
    return wide.mask(unseen).rename_axis(index="customer_id", columns="period")


def return_rates(periods: pd.DataFrame, cells: int = 4) -> pd.DataFrame:
    """Share of the customers last seen j periods ago who buy in the next period.

    Parameters
    ----------
    periods : DataFrame of `purchase_periods`
    cells : int
        Largest j; who stays away longer counts as lost.

    Returns
    -------
    DataFrame, index recency 1 … cells: at_risk, returned, probability, lower, upper (95 %, Wilson)
        At risk are customer-periods.

    Raises
    ------
    InputError
        A table without two periods.

    Examples
    --------
    >>> import pandas as pd
    >>> bought = pd.DataFrame([[5.0, 5.0, 0.0], [5.0, 0.0, 5.0], [5.0, 0.0, 0.0]])
    >>> return_rates(bought, cells=2)[["at_risk", "returned"]].to_dict("list")
    {'at_risk': [4, 2], 'returned': [1, 1]}
    """
    import pandas as pd

    sums = _statistics(periods, whole(cells, "cells", 1)).sum(axis=0)
    at_risk, returned = sums[:cells].astype(int), sums[cells : 2 * cells].astype(int)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = returned / at_risk
        z, n = 1.959963984540054, at_risk
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return pd.DataFrame(
        {
            "at_risk": at_risk,
            "returned": returned,
            "probability": share,
            "lower": centre - half,
            "upper": centre + half,
        },
        index=pd.RangeIndex(1, cells + 1, name="recency"),
    )


def _statistics(periods: pd.DataFrame, cells: int) -> Array:
    """Per customer: periods at risk by recency, returns by recency, periods with a purchase, their sum."""
    table = periods.to_numpy(dtype=float)
    if table.ndim != 2 or table.shape[1] < 2:
        raise InputError("periods: expected a table with two periods or more, as purchase_periods makes it.")
    seen = np.isfinite(table)
    bought = seen & (table != 0)
    found = np.zeros((len(table), 2 * cells + 2))
    recency = np.zeros(len(table), dtype=int)  # 0: not yet a customer
    for t in range(table.shape[1]):
        for j in range(1, cells + 1):
            here = (recency == j) & seen[:, t]
            found[:, j - 1] += here
            found[:, cells + j - 1] += here & bought[:, t]
        recency = np.where(bought[:, t], 1, np.where(recency > 0, recency + 1, 0))
    found[:, -2] = bought.sum(axis=1)
    found[:, -1] = np.where(bought, table, 0.0).sum(axis=1)
    return found


@dataclass(frozen=True)
class CustomerValues:
    """Dwyer's two models on the same customers.

    Attributes
    ----------
    values : DataFrame, index model ("lost for good", "always a share"): clv, lower, upper
        Present value of the purchases after the first, per new customer.
    rates : DataFrame of `return_rates`
    margin : float
        Mean of what a period with a purchase brought, times the margin rate.
    retention, discount : float
    by_recency : Series, value of a customer in each recency cell ("always a share")
    difference : DataFrame, one row: clv, lower, upper of the difference of the models
    terms : dict, the conventions used
    problems : list of str
    """

    values: pd.DataFrame
    rates: pd.DataFrame
    margin: float
    retention: float
    discount: float
    by_recency: pd.Series
    difference: pd.DataFrame
    terms: dict[str, Any]
    problems: list[str]

    def sensitivity(self, change: float = 0.1) -> pd.DataFrame:
        """How far the value of "lost for good" moves with margin, retention and discount; see `clv_sensitivity`."""
        return clv_sensitivity(self.margin, self.retention, self.discount, change=change, **self.terms)

    def plot(self, what: str = "values", language: str = "en") -> Axes:
        """Draw the two values ("values"), the return rates ("rates") or the tornado ("sensitivity")."""
        from crmlab.plots import value as draw

        figures = {
            "values": lambda: draw.model_values(self.values, language=language),
            "rates": lambda: draw.return_bars(self.rates, language=language),
            "sensitivity": lambda: draw.clv_tornado(
                self.sensitivity(), float(self.values["clv"].iloc[0]), language=language
            ),
        }
        if what not in figures:
            raise InputError(f"plot: {what!r} is not known; expected one of {', '.join(figures)}.")
        return figures[what]()

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            "values": {str(name): {str(k): float(v) for k, v in row.items()} for name, row in self.values.iterrows()},
            **{"margin": self.margin, "retention": self.retention, "discount": self.discount},
            "return_rates": [float(rate) for rate in self.rates["probability"]],
            "problems": list(self.problems),
        }


def compare_models(
    periods: pd.DataFrame,
    discount: float,
    *,
    cells: int = 4,
    margin_rate: float = 1.0,
    promotion: float = 0.0,
    horizon: int | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> CustomerValues:
    """Value the same customers as lost for good and as always a share, with bootstrap intervals over customers.

    Parameters
    ----------
    periods : DataFrame of `purchase_periods`
    discount : float
        Per period.
    cells : int
        Recency cells of "always a share".
    margin_rate : float
        Share of the amounts that is margin; 1 if the table holds margins.
    promotion : float
        Spent at the start of a period on each customer who is not lost.
    horizon : int, optional
        Periods counted; default without end.
    resamples, level, seed
        Of the bootstrap.

    Returns
    -------
    CustomerValues

    Raises
    ------
    InputError
        Nobody bought again, a recency cell nobody was observed in, or what the models refuse.

    Examples
    --------
    >>> import pandas as pd
    >>> bought = pd.DataFrame([[9.0, 9, 0, 0, 9], [9, 0, 9, 0, 0], [9, 0, 0, 0, 0], [9, 9, 9, 0, 0]])
    >>> found = compare_models(bought, 0.05, cells=2, resamples=50)
    >>> found.values["clv"].round(2).tolist(), round(found.retention, 2)
    ([5.0, 8.0], 0.38)
    """
    import pandas as pd

    d, rate = discount_rate(discount), number(margin_rate, "margin_rate")
    number(level, "level", 0, 1, above=True)
    own = _statistics(periods, whole(cells, "cells", 1))
    sums = own.sum(axis=0)
    if not sums[cells : 2 * cells].any():
        raise InputError(
            "compare_models: nobody bought again in any period, so there is no return rate. Use longer periods."
        )
    if not sums[:cells].all():
        empty = int(np.flatnonzero(sums[:cells] == 0)[0]) + 1
        raise InputError(
            f"compare_models: nobody was observed {empty} periods after a purchase; expected customers in each of "
            f"{cells} "
            f"recency cells. Use cells={empty - 1} or shorter periods."
        )
    terms: dict[str, Any] = {"periods": horizon, "promotion": number(promotion, "promotion"), "first_margin": "renewal"}

    def both(total: Array) -> tuple[float, float, float, pd.Series]:
        p = total[cells : 2 * cells] / total[:cells]
        margin = rate * total[-1] / total[-2]
        lost = retention_clv(margin, p[0], d, promotion_time=0.0, **terms)
        return margin, lost, p[0], migration_clv(margin, p, d, **terms)

    margin, lost, retention, share = both(sums)
    draws = _draws(own, cells, both, whole(resamples, "resamples", 2), np.random.default_rng(seed))
    draws = np.column_stack([draws, draws[:, 1] - draws[:, 0]])
    lower, upper = percentiles(draws, level)
    values = pd.DataFrame(
        {"clv": [lost, share[1], share[1] - lost], "lower": lower, "upper": upper}, index=[*MODELS, "difference"]
    ).rename_axis("model")
    rates = return_rates(periods, cells)
    told = [*share.attrs["problems"], *_about(margin, rates, retention, lost, share[1])]
    return CustomerValues(
        values.iloc[:2], rates, float(margin), float(retention), d, share, values.iloc[2:],
        {**terms, "promotion_time": 0.0}, told,
    )  # fmt: skip


def _draws(own: Array, cells: int, both: Any, resamples: int, rng: np.random.Generator) -> Array:
    """The two values in each resample; customers with the same periods at risk are still drawn one by one."""
    found: list[tuple[float, float]] = []
    while len(found) < resamples:
        total = own[rng.integers(0, len(own), len(own))].sum(axis=0)
        if total[:cells].all() and total[-2]:
            _, lost, _, share = both(total)
            found.append((lost, share[1]))
    return np.array(found)


def _about(margin: float, rates: pd.DataFrame, retention: float, lost: float, share: float) -> list[str]:
    told = []
    if margin < 0:
        told.append(
            f"The mean margin is negative ({margin:,.2f}): the more loyal these customers are, the more they cost."
        )
    returning = rates["probability"].iloc[1:]
    if len(returning) and returning.max() > 0.25 * retention:
        told.append(
            f"Customers who pause come back: {100 * returning.iloc[0]:.0f} % of those away for one period. Taking "
            "them for lost "
            f"makes a customer worth {lost:,.2f} instead of {share:,.2f}."
        )
    thin = rates.index[rates["at_risk"] < 30]
    if len(thin):
        told.append(
            f"Fewer than 30 customer-periods stand behind recency {', '.join(map(str, thin))}; its return rate is "
            "loose."
        )
    return told
