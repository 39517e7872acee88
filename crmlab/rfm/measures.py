"""Recency, frequency and monetary value of every customer: one Ibis expression, and its update by new orders.

The sum of money does not depend on the order of the lines: every amount is counted in whole billionths, whose sum a
float64 holds exactly up to nine million. So both engines agree, and an updated table equals a recomputed one.
"""

from __future__ import annotations

from datetime import date as Date
from typing import TYPE_CHECKING, Any

import ibis

from crmlab.errors import InputError
from crmlab.transactions import engines, to_frame
from crmlab.transactions.fields import day_of

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.transactions import Transactions

COLUMNS = ("customer_id", "recency_days", "frequency", "monetary")
MONETARY = ("sum", "mean")
ORDERS = ("auto", "line", "day")

_BILLION = 1e9
#: Lines looked at for articles of one order that stand in lines of their own.
_LOOKED_AT = 100_000


def table(
    transactions: Transactions,
    as_of: Date | str | None = None,
    *,
    monetary: str = "sum",
    orders: str = "auto",
) -> pd.DataFrame:
    """Recency, frequency and monetary value of every customer on a day.

    Parameters
    ----------
    transactions : Transactions
        Cleaned: returns and cancellations count as they stand.
    as_of : date or text such as "2026-01-31"
        The day that looks back; lines after it are left out. Default the last day of the transactions.
    monetary : "sum" or "mean"
        What the customer paid in all, or on average per order.
    orders : "auto", "line" or "day"
        What one order is. "auto": all lines with the same order number, if `transactions` has order numbers, otherwise
        each line. "day": all lines of one customer and day.

    Returns
    -------
    DataFrame, one row per customer with a line up to `as_of`, by customer_id
        customer_id; recency_days (int, days from the last order to `as_of`, 0 or more); frequency (int, orders, 1 or
        more); monetary (float, in the currency of the amounts). `attrs` holds as_of, monetary, orders, left_out (lines
        after `as_of`) and problems, a list of sentences.

    Raises
    ------
    InputError
        For an unknown option, a day that is none, or when nothing was bought up to `as_of`.

    Notes
    -----
    Frequency counts orders, not lines of orders (Hughes 1994). For more customers than fit into memory, `expression`
    gives the same table on its engine.

    References
    ----------
    Hughes, A. M. (1994). Strategic Database Marketing. Probus.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.transactions import Transactions
    >>> days = ["2026-01-05", "2026-01-31", "2026-01-20"]
    >>> orders = pd.DataFrame({"customer_id": [7, 7, 9], "date": days, "amount": [20.0, 35.0, 12.0]})
    >>> table(Transactions(orders))
       customer_id  recency_days  frequency  monetary
    0            7             0          2      55.0
    1            9            11          1      12.0
    """
    how = order_rule(transactions, orders)
    _require_kind(monetary)
    given = None if as_of is None else day_of(as_of)
    added = to_frame(_added_up(transactions, given, how))
    seen = _seen(transactions, given, added)
    _require_lines(seen, transactions)
    found = _measured(added, seen["as_of"], monetary).sort_values("customer_id", ignore_index=True)
    problems = [*_about_lines(seen, transactions), *_about_orders(transactions, how)]
    return _described(found, seen["as_of"], monetary, how, seen["later"], problems)


def expression(
    transactions: Transactions,
    as_of: Date | str | None = None,
    *,
    monetary: str = "sum",
    orders: str = "auto",
) -> ibis.Table:
    """The expression behind :func:`table`, with the same columns, on the engine of the transactions.

    Takes what :func:`table` takes, and goes wherever a frame of customers may go in this module. Rows have no order.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.transactions import Transactions
    >>> orders = pd.DataFrame({"customer_id": [7, 9], "date": "2026-01-20", "amount": [20.0, 12.0]})
    >>> expression(Transactions(orders)).columns
    ('customer_id', 'recency_days', 'frequency', 'monetary')
    """
    how = order_rule(transactions, orders)
    _require_kind(monetary)
    day = _last_day(transactions) if as_of is None else day_of(as_of)
    _require_lines(_seen(transactions, day), transactions)
    customers = _added_up(transactions, day, how)
    paid = customers.billionths / _BILLION
    return customers.select(
        "customer_id",
        recency_days=ibis.literal(day).delta(customers["last"], unit="day").cast("int64"),
        frequency=customers.frequency,
        monetary=paid / customers.frequency if monetary == "mean" else paid,
    )


def update(
    table: pd.DataFrame,
    new_transactions: Transactions,
    as_of: Date | str | None = None,
) -> pd.DataFrame:
    """The table of :func:`table` after further orders, without reading the old ones again.

    The result is the one :func:`table` gives for old and new orders together, to the last digit: late orders of days
    long past, customers who come back and new customers included.

    Parameters
    ----------
    table : DataFrame
        From :func:`table` or from here, with its `attrs`.
    new_transactions : Transactions
        Orders that the table does not hold yet; with order numbers if the old ones had them, and no order that is
        partly in the table already.
    as_of : date or text
        The day that looks back, not before that of the table. Default: the later one of the table's day and the last
        day of the new orders.

    Returns
    -------
    DataFrame
        As from :func:`table`.

    Raises
    ------
    InputError
        For a table without its `attrs`, with orders counted by day (a further line of a known day cannot be told from
        a new order), for customers of another type, or a day before that of the table.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.transactions import Transactions
    >>> january = Transactions(pd.DataFrame({"customer_id": [7, 9], "date": "2026-01-20", "amount": [20.0, 12.0]}))
    >>> february = Transactions(pd.DataFrame({"customer_id": [9], "date": ["2026-02-01"], "amount": [30.0]}))
    >>> update(table(january), february)
       customer_id  recency_days  frequency  monetary
    0            7            12          1      20.0
    1            9             0          2      42.0
    """
    before, monetary, how = _state(table)
    if order_rule(new_transactions, "auto") != how:
        raise InputError(
            f"update: the table counts orders by {how}, the new transactions would be counted by "
            f"{order_rule(new_transactions, 'auto')}. Name the order column in both or in neither."
        )
    day = max(before, _last_day(new_transactions)) if as_of is None else day_of(as_of)
    if day < before:
        raise InputError(f"update: as_of {day} lies before the table's day {before}. Compute the table anew.")
    added = to_frame(_added_up(new_transactions, day, how))
    seen, new = _seen(new_transactions, day, added), _measured(added, day, "sum")
    _require_same_ids(table, new)
    old = table[[*COLUMNS]].assign(recency_days=table["recency_days"] + (day - before).days)
    if monetary == "mean":
        old["monetary"] *= old["frequency"]
    found = _added(old, new)
    if monetary == "mean":
        found["monetary"] /= found["frequency"]
    problems = _about_lines(seen, new_transactions)
    left_out = table.attrs["left_out"]
    if left_out and day > before:
        problems.append(
            f"The table had left out {left_out:,} lines after {before}; unless they are among the new transactions, "
            "they are missing still."
        )
    return _described(found, day, monetary, how, left_out + seen["later"], problems)


def _added(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Two tables of one day with sums of money, as one."""
    import pandas as pd

    both = pd.concat([old, new], ignore_index=True)
    both["monetary"] = (both["monetary"] * _BILLION).round()
    found = both.groupby("customer_id", as_index=False).agg(
        recency_days=("recency_days", "min"), frequency=("frequency", "sum"), monetary=("monetary", "sum")
    )
    found["monetary"] /= _BILLION
    return found


def order_rule(transactions: Transactions, orders: str) -> str:
    """What one order is: "order" (all lines with its number), "line" or "day"."""
    if orders not in ORDERS:
        raise InputError(f"orders: {orders!r} is not known; expected one of {', '.join(ORDERS)}.")
    has_number = "order_id" in transactions.table.columns
    return orders if orders != "auto" else "order" if has_number else "line"


@ibis.udf.scalar.builtin(name="round")
def _rounded(value: float) -> float:  # type: ignore[empty-body]
    """The whole number nearest to a value, as a float: Ibis' own round makes an int64, which large amounts overflow."""


def _require_kind(monetary: str) -> None:
    if monetary not in MONETARY:
        raise InputError(f"monetary: {monetary!r} is not known; expected 'sum' or 'mean'.")


def _added_up(transactions: Transactions, day: Date | None, how: str) -> ibis.Table:
    """One pass over the lines up to a day (None: all of them), one row per customer: customer_id, last, frequency,
    billionths."""
    orders = _orders(_up_to(day, transactions.table), how)
    return orders.group_by("customer_id").agg(
        last=orders.day.max(),
        frequency=orders.count().cast("int64"),
        billionths=orders.billionths.sum(),
    )


def _up_to(day: Date | None, lines: ibis.Table) -> ibis.Table:
    return lines if day is None else lines.filter(lines.date <= ibis.literal(day))


def _measured(added: pd.DataFrame, day: Date, monetary: str) -> pd.DataFrame:
    """The measures on a day, of what was added up."""
    import pandas as pd

    paid = added["billionths"] / _BILLION
    return pd.DataFrame(
        {
            "customer_id": added["customer_id"],
            "recency_days": (pd.Timestamp(day) - added["last"]).dt.days,
            "frequency": added["frequency"],
            "monetary": paid / added["frequency"] if monetary == "mean" else paid,
        }
    )


def _orders(lines: ibis.Table, how: str) -> ibis.Table:
    """One row per order: customer_id, day, billionths. Lines without an order number are one order a day."""
    billionths = _rounded(lines.amount * _BILLION)
    if how == "line":
        return lines.select("customer_id", day=lines.date, billionths=billionths)
    numbered = {"number": lines.order_id} if how == "order" else {}
    day = lines.order_id.isnull().ifelse(lines.date, None) if numbered else lines.date
    lines = lines.select("customer_id", **numbered, own_day=day, day=lines.date, billionths=billionths)
    # Grouped twice: that needs less memory than counting distinct values.
    return lines.group_by("customer_id", *numbered, "own_day").agg(
        day=lines.day.max(), billionths=lines.billionths.sum()
    )


def _last_day(transactions: Transactions) -> Date:
    last: Date = engines.row(transactions.table.agg(last=transactions.table.date.max()))["last"].date()
    return last


def _seen(transactions: Transactions, day: Date | None, added: pd.DataFrame | None = None) -> dict[str, Any]:
    """as_of, and what is to be told of the lines: n, later ones, the first day; of those added up the last day and how
    many are below zero. Without a day nothing is later, and only the amounts are read again."""
    seen: dict[str, Any] = {"later": 0, "n": None, "as_of": day}
    lines = transactions.table
    if day is not None:
        later = ibis.coalesce((lines.date > ibis.literal(day)).cast("int64").sum(), 0)
        seen |= engines.row(lines.agg(first=lines.date.min(), n=lines.count(), later=later))
        seen["first"] = seen["first"].date()
    if added is not None and len(added):
        below_zero = lines.filter(lines.amount < 0)
        seen |= {"last": added["last"].max().date(), "negative": engines.count(_up_to(day, below_zero))}
        seen["as_of"] = day or seen["last"]
    return seen


def _require_lines(seen: dict[str, Any], transactions: Transactions) -> None:
    if seen["later"] == seen["n"]:
        raise InputError(
            f"as_of: {transactions.name} has no line up to {seen['as_of']}; its first is of {seen['first']}. "
            "Give a later day."
        )


def _about_lines(seen: dict[str, Any], transactions: Transactions) -> list[str]:
    said = []
    if seen["later"]:
        said.append(
            f"{seen['later']:,} of {seen['n']:,} lines are later than {seen['as_of']} and were left out, with the "
            "customers who have no other line."
        )
    if seen.get("negative"):
        said.append(
            f"{seen['negative']:,} lines have an amount below zero: each counts as an order and lowers monetary. "
            "Remove returns and cancellations with transactions.clean()."
        )
    if "last" in seen and (gap := (seen["as_of"] - seen["last"]).days) > 31 and not seen["later"]:
        said.append(
            f"The last order of {transactions.name} is of {seen['last']}, {gap} days before {seen['as_of']}: every "
            "customer looks that much less recent."
        )
    return said


def _about_orders(transactions: Transactions, how: str) -> list[str]:
    """Whether lines look like articles of orders rather than like orders, going by the first lines."""
    if how != "line":
        return []
    head = transactions.table.select("customer_id", "date").limit(_LOOKED_AT)
    days = head.group_by("customer_id", "date").agg(n=head.count())
    seen = engines.row(days.agg(lines=days.n.sum(), shared=ibis.coalesce(days.n.sum(where=days.n > 1), 0)))
    share = seen["shared"] / seen["lines"]
    if share < 0.01:
        return []
    looked_at = f"the first {seen['lines']:,.0f}" if seen["lines"] == _LOOKED_AT else f"{seen['lines']:,.0f}"
    return [
        f"{seen['shared']:,.0f} of {looked_at} lines ({share:.1%}) share their day with another line of the same "
        "customer, and each counts as an order. If lines are articles of an order, name the order column, or count "
        'days with orders="day".'
    ]


def _about_customers(found: pd.DataFrame) -> list[str]:
    said = []
    unpaid = int((found["monetary"] <= 0).sum())
    if unpaid:
        said.append(f"{unpaid:,} customers paid nothing in all, or less: monetary is zero or negative.")
    for column, meaning in {"recency_days": "bought last on the same day", "frequency": "have as many orders"}.items():
        if len(found) > 1 and found[column].min() == found[column].max():
            said.append(f"All customers {meaning}: {column} cannot tell them apart.")
    return said


def _described(found: pd.DataFrame, day: Date, kind: str, how: str, left_out: Any, problems: list[str]) -> pd.DataFrame:
    """The frame with its attrs, in which only types of JSON stand, since Parquet keeps them."""
    problems = [*problems, *_about_customers(found)]
    found.attrs = {
        "as_of": str(day),
        "monetary": kind,
        "orders": how,
        "left_out": int(left_out),
        "problems": problems,
    }
    return found


def _state(table: pd.DataFrame) -> tuple[Date, str, str]:
    """Day, kind of money and order rule of a table that is to be updated."""
    if not {"as_of", "monetary", "orders", "left_out"} <= table.attrs.keys():
        raise InputError(
            "update: the table does not say its day and how it was counted (attrs as_of, monetary, orders, left_out); "
            "give one from rfm.table or rfm.update, or read back from Parquet with pandas."
        )
    how = table.attrs["orders"]
    if how == "day":
        raise InputError(
            "update: orders of the table were counted by day, so that a further line of a known day cannot be told "
            "from a new order. Compute the table anew."
        )
    return day_of(table.attrs["as_of"]), table.attrs["monetary"], how


def _require_same_ids(old: pd.DataFrame, new: pd.DataFrame) -> None:
    from pandas.api.types import is_numeric_dtype

    if len(new) and is_numeric_dtype(new["customer_id"]) != is_numeric_dtype(old["customer_id"]):
        raise InputError(
            "update: customer ids are numbers in one table and texts in the other. Give both as text, or as numbers."
        )
