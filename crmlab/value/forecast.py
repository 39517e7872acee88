"""From models of repeat buying to money: lifetime value, its parts, and a test against what customers did (chapter 4).

A customer's value is historical + current + potential (course row D3): what she brought before the last year, in it,
and what is to be expected. The expectation is the purchases of BG/NBD times the spend of Gamma–Gamma, discounted. A
model is believed after it has foretold a period it has not seen: `back_test`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from crmlab.errors import InputError
from crmlab.transactions import to_frame
from crmlab.transactions.fields import day_of

from .buying import BgNbd, BuyingModel, bg_nbd
from .histories import purchase_summary
from .spending import GammaGamma, gamma_gamma
from .told import Array, discount_rate, number, percentiles, whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from crmlab.transactions import Transactions

YEAR = 365.25
#: Steps in which expected purchases are discounted.
_STEPS_PER_YEAR = 12


def expected_clv(
    buying: BuyingModel,
    spending: GammaGamma,
    summary: pd.DataFrame,
    *,
    horizon: float,
    discount: float,
    margin_rate: float = 1.0,
    unit_days: float = 7,
) -> pd.Series:
    """Expected present value of every customer's purchases to come.

    CLV = margin rate · E(spend per purchase) · Σ (purchases expected in a month) / (1 + d)^(years to its middle).

    Parameters
    ----------
    buying : BgNbd or ParetoNbd
    spending : GammaGamma
    summary : DataFrame of `purchase_summary`
        Customers to value; columns frequency, recency, T, monetary_value.
    horizon : float, more than 0
        Units of time ahead.
    discount : float
        Per year.
    margin_rate : float
        Share of the spend that is margin.
    unit_days : float
        Days in a unit of time, as in the summary.

    Returns
    -------
    Series "clv", index customer_id if there is one

    Raises
    ------
    InputError
        Numbers out of range, or columns missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.datasets import load_cdnow
    >>> from crmlab.transactions import Transactions
    >>> bought = purchase_summary(Transactions(load_cdnow(sample=True)), end="1997-09-30")
    >>> fit = bg_nbd(bought["frequency"], bought["recency"], bought["T"])
    >>> spend = gamma_gamma(bought["frequency"], bought["monetary_value"])
    >>> round(float(expected_clv(fit, spend, bought, horizon=52, discount=0.15).sum()), -3)
    71000.0
    """
    import pandas as pd

    ahead, d = number(horizon, "horizon", 0, above=True), discount_rate(discount)
    rate, days = number(margin_rate, "margin_rate"), number(unit_days, "unit_days", 0, above=True)
    lacking = [column for column in ("frequency", "recency", "T", "monetary_value") if column not in summary.columns]
    if lacking:
        raise InputError(f"summary: it lacks {', '.join(lacking)}; expected the table of purchase_summary.")
    history = tuple(summary[column].to_numpy(dtype=float) for column in ("frequency", "recency", "T"))
    spend = spending.expected_spend(history[0], summary["monetary_value"])
    years = ahead * days / YEAR
    steps = max(1, int(np.ceil(years * _STEPS_PER_YEAR)))
    step = np.arange(1, steps + 1)
    bought = np.diff(buying.expected_purchases(ahead * step / steps, *history), axis=0, prepend=0.0)
    present = (1 + d) ** (-years * (step - 0.5) / steps) @ bought
    index = pd.Index(summary["customer_id"]) if "customer_id" in summary.columns else summary.index
    return pd.Series(rate * spend * present, index=index, name="clv")


# --- Historical, current, potential -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class ValueParts:
    """Historical, current and potential value of every customer.

    Attributes
    ----------
    table : DataFrame by customer_id
        customer_id, historical, current, potential, total, probability_alive.
    totals : Series: historical, current, potential, total of all
    as_of : date
    buying : BgNbd
    spending : GammaGamma
    problems : list of str
    """

    table: pd.DataFrame
    totals: pd.Series
    as_of: Date
    buying: BgNbd
    spending: GammaGamma
    problems: list[str]

    def plot(self, language: str = "en") -> Axes:
        """Draw the three parts by tenth of the customers."""
        from crmlab.plots.value import value_parts_bars

        return value_parts_bars(self.table, language=language)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            "as_of": self.as_of.isoformat(),
            "totals": {str(name): float(value) for name, value in self.totals.items()},
            "problems": list(self.problems),
        }


def value_parts(
    transactions: Transactions,
    *,
    as_of: Date | str | None = None,
    current_days: int = 365,
    horizon_days: int = 365,
    discount: float = 0.1,
    margin_rate: float | None = None,
) -> ValueParts:
    """Split each customer's value into historical, current and potential.

    Parameters
    ----------
    transactions : Transactions
    as_of : date or text
        Default the last day of the transactions; later lines do not count.
    current_days : int
        Contribution of the last so many days is current, what came before is historical.
    horizon_days : int
        Days ahead that potential value looks.
    discount : float
        Per year, of potential value.
    margin_rate : float, optional
        Contribution as a share of the amount. Default what amounts and costs of the transactions say; 1 without costs.

    Returns
    -------
    ValueParts

    Raises
    ------
    InputError
        What `bg_nbd` and `gamma_gamma` refuse.

    Examples
    --------
    >>> from crmlab.datasets import load_cdnow
    >>> from crmlab.transactions import Transactions
    >>> found = value_parts(Transactions(load_cdnow(sample=True)), as_of="1997-12-31", current_days=92)
    >>> found.totals.round(-3).astype(int).to_dict()
    {'historical': 173000, 'current': 28000, 'potential': 76000, 'total': 277000}
    """
    import pandas as pd

    day = transactions.period[1] if as_of is None else day_of(as_of, "as_of")
    whole(current_days, "current_days", 1)
    whole(horizon_days, "horizon_days", 1)
    table = transactions.table
    known = table.filter(table.date <= ibis.literal(day))
    cost = ibis.coalesce(known["cost"], 0.0) if "cost" in known.columns else ibis.literal(0.0)
    earned = known.amount * margin_rate if margin_rate is not None else known.amount - cost
    is_current = known.date > ibis.literal(day - timedelta(days=current_days))
    sums = known.mutate(earned=earned, current=is_current).group_by("customer_id").agg(
        historical=_part(False),
        current=_part(True),
        revenue=lambda t: t.amount.sum(),
    )  # fmt: skip
    past = to_frame(sums.order_by("customer_id"))
    bought = purchase_summary(transactions, end=day)
    buying = bg_nbd(bought["frequency"], bought["recency"], bought["T"])
    spending = gamma_gamma(bought["frequency"], bought["monetary_value"].clip(lower=0))
    rate = float((past["historical"].sum() + past["current"].sum()) / past["revenue"].sum())
    potential = expected_clv(buying, spending, bought, horizon=horizon_days / 7, discount=discount, margin_rate=rate)
    parts = past[["customer_id", "historical", "current"]].assign(potential=potential.to_numpy())
    parts["total"] = parts[["historical", "current", "potential"]].sum(axis=1)
    parts["probability_alive"] = buying.probability_alive()
    names = ["historical", "current", "potential", "total"]
    told = [*buying.problems, *spending.problems]
    if margin_rate is None and "cost" not in table.columns:
        told.append("There are no costs, so value here is revenue. Give the role cost, or a margin_rate.")
    return ValueParts(parts, pd.Series(parts[names].sum(), name="value"), day, buying, spending, told)


def _part(current: bool) -> Any:
    """What was earned in the current period, or before it."""
    return lambda t: ibis.coalesce(t.earned.sum(where=t.current if current else ~t.current), 0.0)


# --- Told before, seen after ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BackTest:
    """A model fitted to a calibration period, and what customers did in the holdout period after it.

    Attributes
    ----------
    summary : DataFrame of `purchase_summary`, with holdout purchases and what was expected of each customer
    fit : BgNbd
    tracking : DataFrame, index time (units since the first day): actual, expected (cumulative repeat purchases),
        holdout (whether the time lies in it)
    frequency : DataFrame, index repeat purchases in calibration, the last one "n+": actual, expected customers
    conditional : DataFrame, index repeat purchases in calibration: customers, actual, expected mean holdout purchases
    end, holdout_end : date
    unit_days : days in a unit of time
    problems : list of str
    """

    summary: pd.DataFrame
    fit: BgNbd
    tracking: pd.DataFrame
    frequency: pd.DataFrame
    conditional: pd.DataFrame
    end: Date
    holdout_end: Date
    unit_days: float
    problems: list[str]

    def plot(self, what: str = "tracking", language: str = "en") -> Axes:
        """Draw "tracking", "frequency" or "conditional"."""
        from crmlab.plots import value as draw

        figures = {
            "tracking": lambda: draw.tracking(self.tracking, self.unit_days, language=language),
            "frequency": lambda: draw.frequency_bars(self.frequency, language=language),
            "conditional": lambda: draw.conditional_means(self.conditional, language=language),
        }
        if what not in figures:
            raise InputError(f"plot: {what!r} is not known; expected one of {', '.join(figures)}.")
        return figures[what]()

    @property
    def error(self) -> float:
        """Expected holdout purchases of all customers, as a share of the actual ones, minus 1."""
        return float(self.summary["expected"].sum() / self.summary["holdout_purchases"].sum() - 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            **self.fit.to_dict(),
            "holdout_purchases": int(self.summary["holdout_purchases"].sum()),
            "expected_purchases": float(self.summary["expected"].sum()),
            "problems": list(self.problems),
        }


def back_test(
    transactions: Transactions,
    end: Date | str,
    holdout_end: Date | str | None = None,
    *,
    unit_days: float = 7,
    most: int = 7,
) -> BackTest:
    """Fit BG/NBD up to a day and compare its expectations with what came after.

    Parameters
    ----------
    transactions : Transactions
    end, holdout_end : date or text
        Last days of calibration and holdout; the holdout ends by default with the transactions.
    unit_days : float
        Days in a unit of time.
    most : int
        Customers with so many repeat purchases or more form the last class.

    Returns
    -------
    BackTest

    Raises
    ------
    InputError
        What `purchase_summary` and `bg_nbd` refuse, or a holdout without a purchase.

    Examples
    --------
    >>> from crmlab.datasets import load_cdnow
    >>> from crmlab.transactions import Transactions
    >>> found = back_test(Transactions(load_cdnow(sample=True)), "1997-09-30")
    >>> int(found.summary["holdout_purchases"].sum()), round(float(found.summary["expected"].sum()))
    (1882, 1653)
    """
    last = day_of(end, "end")
    until = transactions.period[1] if holdout_end is None else day_of(holdout_end, "holdout_end")
    whole(most, "most", 1)
    summary = purchase_summary(transactions, end=last, holdout_end=until, unit_days=unit_days)
    if not summary["holdout_purchases"].sum():
        raise InputError(
            f"back_test: none of the customers bought between {last} and {until}; there is nothing to compare with."
        )
    fit = bg_nbd(summary["frequency"], summary["recency"], summary["T"])
    ahead = (until - last).days / unit_days
    summary = summary.assign(expected=fit.expected_purchases(ahead), probability_alive=fit.probability_alive())
    tracking = _tracking(transactions, summary, fit, last, until, unit_days)
    found = BackTest(
        summary,
        fit,
        tracking,
        _frequencies(summary, fit, most),
        _conditional(summary, most),
        last,
        until,
        unit_days,
        list(fit.problems),
    )
    if abs(found.error) > 0.15:
        found.problems.append(
            f"The model expects {100 * found.error:+.0f} % purchases in the holdout period. Something has changed "
            "since, such as a season or a campaign, or customers are not as the model takes them."
        )
    return found


def _tracking(
    transactions: Transactions, summary: pd.DataFrame, fit: BgNbd, last: Date, until: Date, unit_days: float
) -> pd.DataFrame:
    import pandas as pd

    table = transactions.table
    first = table.group_by("customer_id").agg(first=table.date.min())
    won = first.filter(first["first"] <= ibis.literal(last))
    days = (
        table.filter(table.date <= ibis.literal(until))
        .select("customer_id", "date")
        .distinct()
        .join(won, "customer_id")
    )
    repeat = days.filter(days.date > days["first"])
    daily = to_frame(repeat.group_by("date").agg(n=repeat.count()).order_by("date")).set_index("date")["n"]
    start = last - timedelta(days=round(float(summary["T"].max()) * unit_days))
    times = np.arange(1, int(((until - start).days + 1) // unit_days) + 1)
    ends = pd.Timestamp(start) + pd.to_timedelta(times * unit_days - 1, unit="D")
    counted = daily.cumsum()
    place = np.searchsorted(counted.index.to_numpy(), ends.to_numpy(), side="right")
    actual = np.r_[0, counted.to_numpy()][place]
    age, customers = np.unique(summary["T"].to_numpy(), return_counts=True)
    since = np.maximum(times[:, None] - 1 / unit_days - (age.max() - age)[None, :], 0.0)
    expected = fit.expected_purchases_new(since.ravel()).reshape(since.shape) @ customers
    return pd.DataFrame(
        {"actual": actual, "expected": expected, "holdout": ends > pd.Timestamp(last)},
        index=pd.Index(times, name="time"),
    )


def _frequencies(summary: pd.DataFrame, fit: BgNbd, most: int) -> pd.DataFrame:
    import pandas as pd

    age, customers = np.unique(summary["T"].to_numpy(), return_counts=True)
    expected = customers @ fit.purchase_distribution(age, most - 1)
    actual = np.bincount(np.minimum(summary["frequency"], most), minlength=most + 1)
    return pd.DataFrame(
        {"actual": actual, "expected": np.r_[expected, len(summary) - expected.sum()]}, index=_classes(most)
    )


def _conditional(summary: pd.DataFrame, most: int) -> pd.DataFrame:
    grouped = summary.groupby(np.minimum(summary["frequency"], most))
    found = grouped.agg(
        customers=("frequency", "size"), actual=("holdout_purchases", "mean"), expected=("expected", "mean")
    ).reindex(range(most + 1))
    return found.set_axis(_classes(most), axis=0).fillna({"customers": 0}).astype({"customers": int})


def _classes(most: int) -> pd.Index:
    import pandas as pd

    return pd.Index([*map(str, range(most)), f"{most}+"], name="frequency")


def clv_intervals(
    buying: BuyingModel,
    spending: GammaGamma,
    summary: pd.DataFrame,
    *,
    horizon: float,
    discount: float,
    resamples: int = 100,
    level: float = 0.95,
    seed: int = 0,
    **terms: Any,
) -> pd.DataFrame:
    """Total and mean lifetime value with an interval for the uncertainty of both models' parameters.

    Both models are bootstrapped, and all customers are valued anew with each pair of parameters. The interval is that
    of the expectation; what customers will do varies more.

    Returns
    -------
    DataFrame, index total and mean: estimate, lower, upper

    Examples
    --------
    >>> from crmlab.datasets import load_cdnow
    >>> from crmlab.transactions import Transactions
    >>> bought = purchase_summary(Transactions(load_cdnow(sample=True)), end="1997-09-30")
    >>> fit = bg_nbd(bought["frequency"], bought["recency"], bought["T"])
    >>> spend = gamma_gamma(bought["frequency"], bought["monetary_value"])
    >>> found = clv_intervals(fit, spend, bought, horizon=13, discount=0.1, resamples=20)
    >>> bool(found.loc["total", "lower"] < found.loc["total", "estimate"] < found.loc["total", "upper"])
    True
    """
    import dataclasses

    import pandas as pd

    def total(one: BuyingModel, other: GammaGamma) -> float:
        return float(expected_clv(one, other, summary, horizon=horizon, discount=discount, **terms).sum())

    draws = []
    pairs = zip(
        buying.bootstrap(resamples, seed=seed).iterrows(),
        spending.bootstrap(resamples, seed=seed + 1).iterrows(),
        strict=True,
    )
    for (_, own), (_, spend) in pairs:
        if own.notna().all() and spend.notna().all():
            draws.append(total(dataclasses.replace(buying, params=own), dataclasses.replace(spending, params=spend)))
    lower, upper = percentiles(np.array(draws), level)
    found: Array = np.array([[total(buying, spending), lower, upper]])
    rows = np.vstack([found, found / len(summary)])
    return pd.DataFrame(rows, index=pd.Index(["total", "mean"], name="clv"), columns=["estimate", "lower", "upper"])
