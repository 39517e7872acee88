"""Does the score predict? Customers as they looked on a day, and what they bought afterwards (chapter 3).

The orders are split in two: scores are made from what was known on the day of the split and compared with what
happened later. A gain curve says which share of the later orders comes from the customers ranked first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.rfm.measures import order_rule, table
from crmlab.transactions import to_frame
from crmlab.transactions.fields import day_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from crmlab.transactions import Transactions

#: Shares of the customers at which :func:`compare` reads the gain curve.
TOP = (0.1, 0.2, 0.5)


@dataclass(frozen=True, eq=False)
class Holdout:
    """Customers as known on the day of a split, and what they did afterwards.

    Attributes
    ----------
    split, until : last day of the known part, and of the later part.
    customers : DataFrame, one row per customer with an order up to the split
        customer_id, recency_days, frequency, monetary (as from `rfm.table`, whose `attrs` it has); repeats (days with
        an order after the first), weeks_to_last (from first to last order), weeks (from the first order to the split);
        later_orders, later_amount.
    problems : list of str
    """

    split: Date
    until: Date
    customers: pd.DataFrame
    problems: list[str]

    @property
    def later_weeks(self) -> float:
        """Length of the later part."""
        return (self.until - self.split).days / 7


def holdout(
    transactions: Transactions, split: Date | str, until: Date | str | None = None, *, orders: str = "auto"
) -> Holdout:
    """Split orders on a day, for scores to be made before and checked after it.

    Parameters
    ----------
    transactions : Transactions
    split : date or text
        Last day that the scores may know.
    until : date or text
        Last day of the later part; default the last day of the transactions.
    orders : "auto", "line" or "day"
        As for :func:`crmlab.rfm.table`.

    Raises
    ------
    InputError
        If there are no orders before, or no days after the split.

    Examples
    --------
    >>> from crmlab.datasets import load_cdnow
    >>> from crmlab.transactions import Transactions
    >>> parts = holdout(Transactions(load_cdnow(sample=True)), "1997-09-30")
    >>> parts.customers[["customer_id", "repeats", "weeks_to_last", "weeks", "later_orders"]].head(2).round(2)
       customer_id  repeats  weeks_to_last  weeks  later_orders
    0            4        2          30.43  38.86             1
    1           18        0           0.00  38.43             0
    """
    known = table(transactions, split, orders=orders)
    first_day = day_of(split, "split")
    lines = transactions.table
    last_day = day_of(until, "until") if until is not None else to_frame(lines.agg(d=lines.date.max()))["d"][0].date()
    if last_day <= first_day:
        raise InputError(f"split: {first_day} leaves no day up to {last_day} to predict. Give an earlier day.")
    history = to_frame(_history(lines.filter(lines.date <= ibis.literal(first_day)), first_day))
    period = (lines.date > ibis.literal(first_day)) & (lines.date <= ibis.literal(last_day))
    after = to_frame(_later(lines.filter(period), order_rule(transactions, orders)))
    customers = known.merge(history, on="customer_id").merge(after, on="customer_id", how="left")
    customers = customers.fillna({"later_orders": 0, "later_amount": 0.0}).astype({"later_orders": "int64"})
    left_out = len(set(after["customer_id"]) - set(customers["customer_id"]))
    problems = [problem for problem in known.attrs["problems"] if "were left out" not in problem]
    customers.attrs = {**known.attrs, "problems": problems}
    if left_out:
        problems = [*problems, f"{left_out:,} customers bought first after {first_day}: no score knows them."]
    return Holdout(first_day, last_day, customers, problems)


def gain_curve(outcome: ArrayLike, score: ArrayLike, points: int = 100) -> pd.DataFrame:
    """Share of an outcome that comes from the customers with the highest scores.

    Parameters
    ----------
    outcome : what happened later to each customer, 0 or more, such as orders
    score : what ranks the customers, higher first; customers with the same score are reached in random order
    points : number of steps from no to all customers

    Returns
    -------
    DataFrame share (of the customers reached), gain (share of the outcome), lift (gain / share)

    Raises
    ------
    InputError
        If lengths differ, a score is missing, or the outcome is negative or 0 for everybody.

    Examples
    --------
    >>> gain_curve([4, 0, 1, 0], [9, 1, 5, 1], points=4).round(2)
       share  gain  lift
    0   0.00   0.0   NaN
    1   0.25   0.8  3.20
    2   0.50   1.0  2.00
    3   0.75   1.0  1.33
    4   1.00   1.0  1.00
    """
    reached, gained = _cumulated(outcome, score)
    share = np.linspace(0, 1, points + 1)
    gain = np.interp(share, reached, gained)
    lift = np.divide(gain, share, out=np.full_like(gain, np.nan), where=share > 0)
    return pd.DataFrame({"share": share, "gain": gain, "lift": lift})


def compare(outcome: ArrayLike, scores: Mapping[str, ArrayLike], top: Sequence[float] = TOP) -> pd.DataFrame:
    """Gain of several scores side by side.

    Parameters
    ----------
    outcome, scores : as for :func:`gain_curve`, the scores by name
    top : shares of the customers

    Returns
    -------
    DataFrame, one row per score: gain_10, gain_20 … (share in percent), and accuracy_ratio: the area between curve and
        diagonal as a share of what a perfect ranking has; 1 is perfect, 0 is chance.

    Examples
    --------
    >>> compare([4, 0, 1, 0], {"score": [9, 1, 5, 1], "turned round": [1, 9, 5, 9]}, top=[0.5])
                  gain_50  accuracy_ratio
    score             1.0             1.0
    turned round      0.0            -1.0
    """
    perfect = _area(outcome, outcome)
    rows = {}
    for name, score in scores.items():
        reached, gained = _cumulated(outcome, score)
        gains = {f"gain_{100 * share:g}": float(np.interp(share, reached, gained)) for share in top}
        # Nobody can do better than chance where all customers have the same outcome.
        rows[name] = {**gains, "accuracy_ratio": _area(outcome, score) / perfect if perfect > 0 else 0.0}
    return pd.DataFrame.from_dict(rows, orient="index")


def grid(scored: pd.DataFrame, later: str | None = None) -> pd.DataFrame:
    """Customers, revenue and later purchases by recency and frequency score.

    Parameters
    ----------
    scored : DataFrame
        From :func:`crmlab.rfm.score`.
    later : str, optional
        Column with the orders of a later period, as `later_orders` of a :class:`Holdout`.

    Returns
    -------
    DataFrame, one row per pair of scores that a customer has: r, f, customers, share, revenue, revenue_share, and with
        `later` also later_mean (orders per customer) and later_buyers (share of customers with one or more).

    Examples
    --------
    >>> scored = pd.DataFrame({"r": [1, 1, 2], "f": [1, 1, 3], "frequency": [1, 1, 4], "monetary": [5.0, 15.0, 80.0]})
    >>> grid(scored)
       r  f  customers     share  revenue  revenue_share
    0  1  1          2  0.666667     20.0            0.2
    1  2  3          1  0.333333     80.0            0.8
    """
    revenue = revenue_of(scored)
    columns: dict[str, Any] = {"r": scored["r"], "f": scored["f"], "revenue": revenue}
    if later is not None:
        columns |= {"later_mean": scored[later], "later_buyers": (scored[later] > 0).astype(float)}
    cells = pd.DataFrame(columns).groupby(["r", "f"])
    found = pd.DataFrame({"customers": cells.size(), "revenue": cells["revenue"].sum()})
    found.insert(1, "share", found["customers"] / len(scored))
    found["revenue_share"] = found["revenue"] / revenue.sum() if revenue.sum() else np.nan
    for name in ("later_mean", "later_buyers") if later is not None else ():
        found[name] = cells[name].mean()
    return found.reset_index()


def revenue_of(table: pd.DataFrame) -> pd.Series:
    """What each customer paid in all, whether monetary is a sum or a mean."""
    return table["monetary"] * (table["frequency"] if table.attrs.get("monetary") == "mean" else 1)


def _history(lines: ibis.Table, split: Date) -> ibis.Table:
    """Repeat purchases and times in weeks, as the models of purchases want them: one a day, the first not counted."""
    days = lines.select("customer_id", "date").distinct()
    seen = days.group_by("customer_id").agg(n=days.count(), first=days.date.min(), last=days.date.max())
    return seen.select(
        "customer_id",
        repeats=(seen.n - 1).cast("int64"),
        weeks_to_last=seen["last"].delta(seen["first"], unit="day") / 7.0,
        weeks=ibis.literal(split).delta(seen["first"], unit="day") / 7.0,
    )


def _later(lines: ibis.Table, how: str) -> ibis.Table:
    key = {"order": ["order_id"], "day": ["date"], "line": []}[how]
    orders = lines.group_by("customer_id", *key).agg(n=lines.count(), amount=lines.amount.sum())
    count = orders.count() if key else orders.n.sum()
    return orders.group_by("customer_id").agg(later_orders=count.cast("int64"), later_amount=orders.amount.sum())


def _cumulated(outcome: ArrayLike, score: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Shares of customers and of the outcome reached, at the end of every group of customers with the same score."""
    happened, ranked = np.asarray(outcome, dtype=float), np.asarray(score, dtype=float)
    if happened.shape != ranked.shape or not len(happened):
        raise InputError(f"gain: {len(happened)} outcomes and {len(ranked)} scores; expected one of each per customer.")
    if np.isnan(ranked).any() or not (happened >= 0).all() or happened.sum() == 0:
        raise InputError("gain: a score is missing, an outcome is below 0, or nothing happened later to anybody.")
    groups = pd.DataFrame({"n": 1.0, "outcome": happened}).groupby(-ranked, sort=True).sum().cumsum()
    start = np.zeros((1, 2))
    both = np.vstack([start, groups.to_numpy()]) / groups.to_numpy()[-1]
    return both[:, 0], both[:, 1]


def _area(outcome: ArrayLike, score: ArrayLike) -> float:
    """Area between gain curve and diagonal."""
    reached, gained = _cumulated(outcome, score)
    return float(np.trapezoid(gained, reached) - 0.5)
