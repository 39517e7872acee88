"""How alive a customer is: an index that rises with every purchase and fades in between (chapter 2, course row C3).

A book club expects a member to buy one book a quarter. Every day with a purchase earns a point, and a point loses half
of its worth in each half-life h; so a member holds A = Σ 2^(−days since purchase / h) points. Who has always bought at
the club's pace p holds A* = 1 / (1 − 2^(−p/h)) right after a purchase. The index is 100·A/A*.
"""

from __future__ import annotations

from datetime import date as Date
from typing import TYPE_CHECKING

import ibis

from crmlab.errors import InputError
from crmlab.transactions import to_frame
from crmlab.transactions.fields import day_of

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.transactions import Transactions


def activity_index(
    transactions: Transactions,
    *,
    as_of: Date | str | None = None,
    pace_days: float = 90,
    half_life_days: float = 180,
) -> pd.DataFrame:
    """Activity of every customer on a day.

    Parameters
    ----------
    transactions : Transactions
        Several lines of one day are one purchase; goods sent back (amounts below zero) and lines after `as_of` do not
        count.
    as_of : date or text such as "2026-01-31"
        Default the last day of the transactions.
    pace_days, half_life_days : float, more than 0
        Days between two purchases of a customer with index 100, and days in which a point loses half of its worth.

    Returns
    -------
    DataFrame, one row per customer with a purchase up to `as_of`, by customer_id
        customer_id, purchases (days with a purchase), last (date), activity (100: as a customer who has always bought
        at the pace, on the day of a purchase; no upper end).

    Raises
    ------
    InputError
        For a pace or half-life that is not positive, or when nothing was bought up to `as_of`.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.transactions import Transactions
    >>> days = ["2025-01-01", "2025-06-30", "2025-01-01"]
    >>> orders = pd.DataFrame({"customer_id": [1, 1, 2], "date": days, "amount": 20.0})
    >>> activity_index(Transactions(orders), as_of="2025-06-30").round({"activity": 1})
       customer_id  purchases       last  activity
    0            1          2 2025-06-30      43.9
    1            2          1 2025-01-01      14.6
    """
    for name, value in {"pace_days": pace_days, "half_life_days": half_life_days}.items():
        if not value > 0:
            raise InputError(f"activity_index: {name} is {value}; expected a number of days above 0.")
    day = transactions.period[1] if as_of is None else day_of(as_of)
    table = transactions.table
    days = table.filter(table.amount >= 0, table.date <= ibis.literal(day)).select("customer_id", "date").distinct()
    ago = ibis.literal(day).delta(days.date, unit="day").cast("float64")
    points = days.mutate(points=ibis.literal(2.0).pow(ago / -float(half_life_days)))
    full = 1 / (1 - 2 ** (-pace_days / half_life_days))
    index = points.group_by("customer_id").agg(
        purchases=points.count(), last=points.date.max(), activity=points.points.sum() * (100 / full)
    )
    found = to_frame(index.order_by("customer_id"))
    if found.empty:
        raise InputError(
            f"activity_index: nothing was bought up to {day}. The first order is of {transactions.period[0]}."
        )
    return found
