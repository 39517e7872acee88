"""Purchase histories as the models of repeat buying read them: frequency, recency, T, and mean spend (chapter 4).

Purchases of one day count as one. `frequency` counts the days with a purchase after the first one, `recency` is the
time of the last purchase and `T` the time observed, both since the first purchase (Fader, Hardie & Lee 2005).
"""

from __future__ import annotations

from datetime import date as Date
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from crmlab.errors import InputError
from crmlab.transactions import to_frame
from crmlab.transactions.fields import day_of

from .told import Array, at_least, number, numbers

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.transactions import Transactions


def purchase_summary(
    transactions: Transactions,
    *,
    end: Date | str | None = None,
    holdout_end: Date | str | None = None,
    unit_days: float = 7,
) -> pd.DataFrame:
    """Frequency, recency, T and mean spend of every customer, with purchases of a later period to check against.

    Parameters
    ----------
    transactions : Transactions
        Spend is `amount`; several lines of one day are one purchase.
    end : date or text such as "1997-09-30"
        Last day of the calibration period; default the last day of the transactions.
    holdout_end : date or text
        Last day of the holdout period, which begins the day after `end`.
    unit_days : float
        Days in a unit of time: 7 for weeks.

    Returns
    -------
    DataFrame, one row per customer with a purchase up to `end`, by customer_id
        customer_id, frequency, recency and T (units), monetary_value (mean spend of the repeat purchases; 0 without
        one), and with `holdout_end` holdout_purchases and holdout_spend.

    Raises
    ------
    InputError
        A date that is none, an order of dates that cannot be, or nothing bought up to `end`.

    References
    ----------
    Fader, P. S., Hardie, B. G. S., & Lee, K. L. (2005). "Counting your customers" the easy way: An alternative to the
    Pareto/NBD model. Marketing Science, 24(2), 275–284.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.transactions import Transactions
    >>> orders = pd.DataFrame({"customer_id": [1, 1, 2], "date": ["2026-01-01", "2026-01-15", "2026-01-08"],
    ...                        "amount": [10.0, 30.0, 20.0]})
    >>> purchase_summary(Transactions(orders), end="2026-01-29")
       customer_id  frequency  recency    T  monetary_value
    0            1          1      2.0  4.0            30.0
    1            2          0      0.0  3.0             0.0
    """
    number(unit_days, "unit_days", 0, above=True)
    last = transactions.period[1]
    day = last if end is None else day_of(end, "end")
    table = transactions.table
    days = table.group_by("customer_id", "date").agg(spend=table.amount.sum())
    first = days.group_by("customer_id").agg(first=days.date.min())
    days = days.join(first, "customer_id").select("customer_id", "date", "spend", "first")
    calibration = days.filter(days.date <= ibis.literal(day))
    repeat = calibration.date > calibration.first
    summary = calibration.group_by("customer_id").agg(
        frequency=ibis.coalesce(repeat.sum(), 0),
        last=calibration.date.max(),
        first=calibration.first.min(),
        spent=ibis.coalesce(calibration.spend.sum(where=repeat), 0.0),
    )
    summary = summary.mutate(
        recency=summary["last"].delta(summary["first"], unit="day"),
        T=ibis.literal(day).delta(summary["first"], unit="day"),
    )
    found = to_frame(summary.order_by("customer_id"))
    if found.empty:
        raise InputError(
            f"purchase_summary: nothing was bought up to {day}; the first order is of {transactions.period[0]}."
        )
    frequency = found["frequency"].astype("int64")
    result = found[["customer_id"]].assign(
        frequency=frequency,
        recency=found["recency"] / unit_days,
        T=found["T"] / unit_days,
        monetary_value=(found["spent"] / frequency.clip(lower=1)).round(9),
    )
    return (
        result
        if holdout_end is None
        else result.merge(_later(days, day, day_of(holdout_end, "holdout_end")), how="left")
        .fillna({"holdout_purchases": 0, "holdout_spend": 0.0})
        .astype({"holdout_purchases": "int64"})
    )


def _later(days: Any, end: Date, holdout_end: Date) -> pd.DataFrame:
    if holdout_end <= end:
        raise InputError(f"holdout_end: {holdout_end} is not after end, {end}. Give a later day.")
    held = days.filter((days.date > ibis.literal(end)) & (days.date <= ibis.literal(holdout_end)))
    counted = held.group_by("customer_id").agg(holdout_purchases=held.count(), holdout_spend=held.spend.sum())
    return to_frame(counted)


def history(frequency: Any, recency: Any, T: Any) -> tuple[Array, Array, Array]:
    """The three columns of a history, checked for what no purchase history can be."""
    x, t_x, observed = numbers(frequency, "frequency"), numbers(recency, "recency"), numbers(T, "T")
    if not len(x) == len(t_x) == len(observed):
        raise InputError(
            f"frequency, recency, T: {len(x)}, {len(t_x)} and {len(observed)} values; expected one of each for "
            "every customer."
        )
    at_least(x, 0, "frequency", "It counts repeat purchases.")
    at_least(t_x, 0, "recency", "It is the time from the first to the last purchase.")
    rules = (
        (x != np.floor(x), "frequency", "is no whole number. It counts repeat purchases"),
        (
            t_x > observed + 1e-9,
            "recency",
            "is after the end of the observation T. Check units: both run from the first purchase",
        ),
        ((x == 0) & (t_x > 0), "recency", "is above 0 without a repeat purchase; it must be 0"),
        (
            (x > 0) & (t_x <= 0),
            "recency",
            "is 0 in spite of a repeat purchase. Count several purchases of a day as one",
        ),
        (observed < 0, "T", "is negative"),
    )
    for wrong, name, reason in rules:
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"{name}: {int(wrong.sum())} of {len(x)} customers cannot be: in row {row} (frequency {x[row]:g}, "
                "recency "
                f"{t_x[row]:g}, T {observed[row]:g}) it {reason}."
            )
    if not x.any():
        raise InputError(
            "frequency: nobody bought a second time, so nothing can be learnt about repeat buying. Use a longer "
            "period, or "
            "keep customers' ids across orders."
        )
    return x, t_x, observed
