"""Orders added up by customer and period (chapter 1): one Ibis expression, the same on DuckDB and Spark.

A period is a calendar week (Monday to Sunday), month, quarter or year; it has a number, counted so that consecutive
periods have consecutive numbers, and is named by its first day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date as Date
from typing import TYPE_CHECKING, NamedTuple

import ibis
import numpy as np
import pandas as pd

from crmlab.errors import InputError

if TYPE_CHECKING:
    from crmlab.transactions import Transactions

#: A Monday before any order.
_MONDAY = Date(1900, 1, 1)


class Calendar(NamedTuple):
    """How the periods of a kind are numbered on an engine, and the first day that belongs to a number."""

    number: Callable[[ibis.expr.types.DateColumn], ibis.expr.types.IntegerColumn]
    first_day: Callable[[np.ndarray], np.ndarray]


def _months(each: int) -> Calendar:
    """Periods of so many calendar months, numbered from year 0."""
    per_year = 12 // each
    return Calendar(
        number=lambda date: (date.year() * per_year + (date.month() - 1) // each).cast("int64"),
        first_day=lambda number: ((number * each) - 1970 * 12).astype("datetime64[M]").astype("datetime64[D]"),
    )


CALENDARS: Mapping[str, Calendar] = {
    "week": Calendar(
        number=lambda date: (date.delta(ibis.literal(_MONDAY), unit="day") // 7).cast("int64"),
        first_day=lambda number: np.datetime64(_MONDAY, "D") + 7 * number,
    ),
    "month": _months(1),
    "quarter": _months(3),
    "year": _months(12),
}


def calendar(period: str) -> Calendar:
    """The calendar of a kind of period; InputError for an unknown one."""
    if period not in CALENDARS:
        raise InputError(f"period: {period!r} is not known; expected one of {', '.join(CALENDARS)}.")
    return CALENDARS[period]


def by_period(transactions: Transactions, period: str = "month") -> ibis.Table:
    """What every customer bought in every period with an order.

    Parameters
    ----------
    transactions : Transactions
    period : "week", "month", "quarter" or "year"

    Returns
    -------
    Ibis table on the engine of the transactions, one row per customer and period with at least one line
        customer_id, number (int64, of the period), amount, purchases (days on which something was paid for, int64),
        and cost if the transactions have it (what the lines without a cost lack counts as 0).

    Raises
    ------
    InputError
        For another kind of period.

    Examples
    --------
    >>> from crmlab.transactions import Transactions, to_frame
    >>> days = ["2026-01-05", "2026-01-30", "2026-03-01"]
    >>> orders = Transactions(pd.DataFrame({"customer_id": 1, "date": days, "amount": [20.0, 5.0, 9.0]}))
    >>> to_frame(by_period(orders).order_by("number"))
       customer_id  number  amount  purchases
    0            1   24312    25.0          2
    1            1   24314     9.0          1
    """
    lines = transactions.table.mutate(number=calendar(period).number(transactions.table.date))
    paid = lines.amount > 0
    sums = {"amount": lines.amount.sum(), "purchases": lines.date.nunique(where=paid).cast("int64")}
    if "cost" in lines.columns:
        sums["cost"] = ibis.coalesce(lines.cost.sum(), 0.0)
    return lines.group_by("customer_id", "number").agg(**sums)


def number_of(day: Date | pd.Timestamp | np.datetime64 | str, period: str) -> int:
    """Number of the period a day lies in: the same as on the engines.

    Examples
    --------
    >>> [number_of("2026-03-01", period) for period in CALENDARS]
    [6582, 24314, 8104, 2026]
    """
    calendar(period)
    try:
        stamp = pd.Timestamp(day)
    except ValueError as error:
        raise InputError(f"{day!r} is no day; expected a date or text such as '2026-01-31' or '2026-01'.") from error
    if period == "week":
        return (stamp.normalize() - pd.Timestamp(_MONDAY)).days // 7
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    return int(stamp.year * (12 // months) + (stamp.month - 1) // months)


def first_day(number: int | np.ndarray, period: str) -> pd.DatetimeIndex:
    """First days of periods with these numbers.

    Examples
    --------
    >>> [str(first_day(number_of("2026-05-13", period), period)[0].date()) for period in CALENDARS]
    ['2026-05-11', '2026-05-01', '2026-04-01', '2026-01-01']
    """
    days = calendar(period).first_day(np.atleast_1d(np.asarray(number, dtype=np.int64)))
    return pd.DatetimeIndex(days.astype("datetime64[s]"))
