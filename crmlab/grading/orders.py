"""What the rules over orders ask for: largest purchase, longest run, bonus claims (chapter 5, course row B5).

Several lines of one customer on one day are one purchase.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

from crmlab.errors import InputError
from crmlab.transactions import to_frame

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.transactions import Transactions


def order_measures(transactions: Transactions, *, gap_days: int = 30) -> pd.DataFrame:
    """Measures of every customer that the rubric shop_customer asks for, but for potential, which staff must judge.

    Parameters
    ----------
    transactions : Transactions
    gap_days : int, at least 1
        Purchases at most so many days apart are consecutive.

    Returns
    -------
    DataFrame, one row per customer, by customer_id
        customer_id, purchases (days with a purchase), largest_purchase and total (money), consecutive_purchases
        (purchases in the longest run).

    Raises
    ------
    InputError
        For a gap below one day.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.transactions import Transactions
    >>> days = ["2025-01-01", "2025-01-20", "2025-06-30", "2025-03-01"]
    >>> orders = pd.DataFrame({"customer_id": [1, 1, 1, 2], "date": days, "amount": [500.0, 600.0, 100.0, 4000.0]})
    >>> order_measures(Transactions(orders))
       customer_id  purchases  largest_purchase   total  consecutive_purchases
    0            1          3             600.0  1200.0                      2
    1            2          1            4000.0  4000.0                      1
    """
    if not gap_days >= 1:
        raise InputError(f"order_measures: gap_days is {gap_days}; expected a number of days, at least 1.")
    days = _purchases(transactions.table)
    in_order = ibis.window(group_by="customer_id", order_by="date")
    before = days.mutate(before=days.date.lag().over(in_order))
    gap = before.date.delta(before.before, unit="day")
    begun = before.mutate(begins=ibis.coalesce((gap > gap_days).cast("int64"), 1))
    so_far = ibis.window(group_by="customer_id", order_by="date", preceding=None, following=0)
    runs = begun.mutate(run=begun.begins.sum().over(so_far))
    longest = runs.group_by("customer_id", "run").agg(
        length=runs.count(), largest=runs.amount.max(), spent=runs.amount.sum()
    )
    found = longest.group_by("customer_id").agg(
        purchases=longest.length.sum(),
        largest_purchase=longest.largest.max(),
        total=longest.spent.sum(),
        consecutive_purchases=longest.length.max(),
    )
    return to_frame(found.order_by("customer_id"))


def bonus_claims(transactions: Transactions, *, staff: str = "staff") -> pd.DataFrame:
    """Claims that the rubric staff_bonus pays, one row each; their sum by staff and year is what staff get.

    A customer belongs to the member of staff of the first purchase, and is developed in the year of it.

    Parameters
    ----------
    transactions : Transactions
        With the column of `staff`, kept by ``Transactions(..., keep=("staff",))``.
    staff : name of the column.

    Returns
    -------
    DataFrame, by year, staff, claim, customer_id
        year, staff, claim, customer_id, purchases, customers, total. For a customer's year there are two claims,
        three_purchases and customer_year; for a year of a member of staff one, staff_year, without customer_id.

    Raises
    ------
    InputError
        If there is no such column.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.grading import rubric
    >>> from crmlab.transactions import Transactions
    >>> days = ["2025-01-01", "2025-02-01", "2025-03-01"]
    >>> orders = pd.DataFrame({"customer_id": 1, "date": days, "amount": 20000.0, "staff": "Li"})
    >>> claims = bonus_claims(Transactions(orders, keep=("staff",)))
    >>> claims.assign(bonus=rubric("staff_bonus").grade(claims).astype(int))[["claim", "total", "bonus"]]
                 claim    total  bonus
    0    customer_year  60000.0    200
    1       staff_year  60000.0      0
    2  three_purchases  60000.0    200
    """
    import pandas as pd

    table = transactions.table
    if staff not in table.columns:
        raise InputError(
            f"bonus_claims: the orders have no column {staff!r}; they have {', '.join(table.columns)}. "
            f'Keep it with Transactions(..., keep=("{staff}",)).'
        )
    years = to_frame(_customer_years(table, staff).order_by("year", "staff", "customer_id"))
    of_customers = [years.assign(claim=claim) for claim in ("three_purchases", "customer_year")]
    developed = years[years["year"] == years["since"]].groupby(["year", "staff"], as_index=False)
    of_staff = developed.agg(customers=("customer_id", "size"), total=("total", "sum")).assign(claim="staff_year")
    columns = ["year", "staff", "claim", "customer_id", "purchases", "customers", "total"]
    claims = pd.concat([*of_customers, of_staff], ignore_index=True)[columns]
    whole = {column: claims[column].astype("Int64") for column in ("purchases", "customers")}
    return claims.assign(**whole).sort_values(columns[:4], kind="stable", ignore_index=True)


def _purchases(table: Any) -> Any:
    return table.group_by("customer_id", "date").agg(amount=table.amount.sum())


def _customer_years(table: Any, staff: str) -> Any:
    """Every customer's years: customer_id, year, purchases, total, since (year of the first purchase), staff."""
    place = ibis.row_number().over(ibis.window(group_by="customer_id", order_by=["date", staff]))
    firsts = table.mutate(place=place).filter(lambda t: t.place == 0)
    owners = firsts.select("customer_id", since=firsts.date.year().cast("int64"), staff=firsts[staff])
    days = _purchases(table).mutate(year=lambda t: t.date.year().cast("int64"))
    years = days.group_by("customer_id", "year").agg(purchases=days.count(), total=days.amount.sum())
    return years.join(owners, "customer_id").select("customer_id", "year", "purchases", "total", "since", "staff")
