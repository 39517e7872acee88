"""`Transactions`: order lines with named roles, the way into chapters 1 to 4.

Two views of the same lines: `lines`, every one of them with its cells read, and `table`, those that say who bought,
when and for how much. `problems` tells what lies between the two.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import date as Date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import ibis

from crmlab.errors import InputError
from crmlab.transactions import engines, fields, findings
from crmlab.transactions.sources import Source, check_names, open_source

if TYPE_CHECKING:
    import pandas as pd

#: The roles a column can have, in the order of the table, and what it holds.
ROLES = {
    "customer_id": "who bought: whole number or text",
    "date": "the day of the order",
    "amount": "what was paid for the line, in one currency",
    "order_id": "number of the order the line belongs to",
    "quantity": "pieces",
    "cost": "what the line cost the shop, in the currency of amount",
    "product": "what was bought",
    "channel": "where it was bought: shop, web, telephone",
    "region": "where the customer lives",
    "currency": "currency of amount",
}
REQUIRED = ("customer_id", "date", "amount")


class Transactions:
    """Orders, or lines of orders, with named roles: who bought, when, for how much.

    Parameters
    ----------
    data : DataFrame, path, DuckDB relation, Spark DataFrame or Ibis table
        A path leads to a CSV (any usual delimiter and encoding, also gzip), XLSX or Parquet file, or to a folder of
        Parquet files. Tables of Ibis and Spark are computed where they live; everything else on `engine`.
    customer, date, amount : str
        Names of the columns that hold the customer's id, the day of the order, and the amount of the line.
    order, quantity, cost, product, channel, region, currency : str, optional
        Names of further columns, for the analyses that use them.
    keep : sequence of str
        Further columns to carry along unchanged, under their own names.
    engine : "duckdb" or "spark", optional
        DuckDB runs in this process and is the default; Spark serves what one machine cannot hold. Both give the same.
    day_first : bool, optional
        How to read 5/1/2026: True, 5 January; False, 1 May. Default: as the dates that can be read in one way only
        show.
    encoding, sheet : str, optional
        Encoding of a text file and sheet of a workbook; default detected, and the first.
    name : str, optional
        What messages call the data; default the name of the file.

    Attributes
    ----------
    table : Ibis table, one row per line that has a customer, a date and an amount
        customer_id (int64, or string), date (date), amount (float64), then the other roles given: order_id, quantity,
        cost, product, channel, region, currency, then the columns of `keep`.
    lines : the same for every line of the source, missing where a cell cannot be read; where a column was text, the
        columns customer_id_found, date_found and amount_found hold it as it stood; `row`, where lines have an
        order, is the row of the file, its header being row 1.
    engine : "duckdb" or "spark" (or Ibis' name of another engine).

    Raises
    ------
    InputError
        No such file or column; columns that differ by case only; no line at all, or none with customer, date and
        amount.

    Notes
    -----
    Whole numbers stay whole numbers; ids in a text file become whole numbers when all of them are written as such,
    without leading zeros, and stay text otherwise. A spreadsheet's `123.0` becomes 123, which is listed.

    Examples
    --------
    >>> import pandas as pd
    >>> days = ["2026-01-05", "2026-02-01", "2026-01-20"]
    >>> orders = pd.DataFrame({"who": [7, 7, 9], "day": days, "eur": [20.0, 35.0, 12.0]})
    >>> transactions = Transactions(orders, customer="who", date="day", amount="eur")
    >>> transactions.n, transactions.customers, transactions.period
    (3, 2, (datetime.date(2026, 1, 5), datetime.date(2026, 2, 1)))
    >>> transactions.table.columns
    ('customer_id', 'date', 'amount')
    >>> transactions.problems
    []
    """

    def __init__(
        self,
        data: Any,
        customer: str = "customer_id",
        date: str = "date",
        amount: str = "amount",
        *,
        order: str | None = None,
        quantity: str | None = None,
        cost: str | None = None,
        product: str | None = None,
        channel: str | None = None,
        region: str | None = None,
        currency: str | None = None,
        keep: Sequence[str] = (),
        engine: str | None = None,
        day_first: bool | None = None,
        encoding: str | None = None,
        sheet: str | None = None,
        name: str | None = None,
    ) -> None:
        given = (customer, date, amount, order, quantity, cost, product, channel, region, currency)
        self.roles = {role: column for role, column in zip(ROLES, given, strict=True) if column is not None}
        self.keep = tuple(keep)
        found = open_source(data, engine, encoding, sheet)
        self.name = name or found.name
        self.engine = engines.engine_of(found.table)
        source = _with_roles(found, self.roles, self.keep)
        self._remarks = [*found.remarks, *_about_decimal_ids(source, self.name)]
        self.day_first = _day_first(source) if day_first is None else day_first
        self.lines = _read(source, [*self.roles], [*self.keep], self.day_first)
        self._require_lines()

    @property
    def table(self) -> ibis.Table:
        """Lines with a customer, a date and an amount; the columns as named in the class."""
        complete = self.lines.filter(*(self.lines[role].notnull() for role in REQUIRED))
        return complete.select(*self.roles, *self.keep)

    def to_pandas(self) -> pd.DataFrame:
        """`table` as a DataFrame: all of it in memory, on Spark in no particular order."""
        return engines.to_frame(self.table)

    def replaced(self, lines: ibis.Table, what: str, keep: Sequence[str] = ()) -> Transactions:
        """Transactions with the same roles and kept columns, and those of `keep`, on other lines of the same engine."""
        optional = {role.removesuffix("_id"): role for role in [*self.roles][len(REQUIRED) :]}
        kept: Any = {**optional, "keep": [*self.keep, *keep], "name": f"{self.name}, {what}"}
        return Transactions(lines, **kept)

    @property
    def n(self) -> int:
        """Number of lines of `table`."""
        return int(self._summary["n"])

    @property
    def customers(self) -> int:
        """Number of customers of `table`."""
        return int(self._summary["customers"])

    @property
    def period(self) -> tuple[Date, Date]:
        """First and last date of `table`."""
        return self._summary["first"].date(), self._summary["last"].date()

    @cached_property
    def _summary(self) -> dict[str, Any]:
        table = self.table
        return engines.row(
            table.agg(
                n=table.count(),
                customers=table.customer_id.nunique(),
                first=table.date.min(),
                last=table.date.max(),
                amount=table.amount.sum(),
            )
        )

    @cached_property
    def problems(self) -> list[str]:
        """What a careful analyst would object to: what, where, and what was done; one pass over all lines."""
        return [*self._remarks, *findings.about_lines(self.lines, self.day_first), *self._about_table()]

    def _about_table(self) -> list[str]:
        first, last = self.period
        said = []
        if self.customers == 1:
            said.append("All lines belong to one customer: customers cannot be compared. Check the customer column.")
        if first == last:
            said.append(
                f"All lines are of {first}: nothing can be said about recency or change. Check the date column."
            )
        return said

    def _require_lines(self) -> None:
        if not engines.count(self.table.limit(1)):
            if not engines.count(self.lines.limit(1)):
                raise InputError(f"{self.name} has column names but no line. Expected one line per order or article.")
            raise InputError(
                f"{self.name}: no line has a customer, a date and an amount that can be read. "
                f"{' '.join(findings.about_lines(self.lines, self.day_first))} Correct the file, or name other columns."
            )

    def __repr__(self) -> str:
        first, last = self.period
        lines = f"{self.n:,} lines, {self.customers:,} customers, {first} to {last}"
        return f"<Transactions {self.name}: {lines}, {self.engine}>"

    def _repr_html_(self) -> str:
        first, last = self.period
        total = self._summary["amount"]
        roles = ", ".join(f"{role} ← {column}" for role, column in self.roles.items())
        said = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems) or "<li>No problem found.</li>"
        return (
            f"<p><b>Transactions</b>: {html.escape(self.name)} on {html.escape(self.engine)}<br>{self.n:,} lines, "
            f"{self.customers:,} customers, {first} to {last}, amount "
            f"{total:,.2f}<br>{html.escape(roles)}</p><ul>{said}</ul>"
        )


def _with_roles(found: Source, roles: dict[str, str], keep: tuple[str, ...]) -> ibis.Table:
    """The columns with a role, under the role's name, those of `keep`, and the number of the row where there is one."""
    missing = [column for column in (*roles.values(), *keep) if column not in found.table.columns]
    if missing:
        known = list(found.table.columns)
        raise InputError(
            f"{found.name} has no column {missing[0]!r}{findings.did_you_mean(missing[0], known)}; its columns are "
            f"{', '.join(known[:20])}. Name the columns of customer, date and amount."
        )
    check_names([*roles, *keep], f"{found.name}, roles and keep")
    columns = {role: found.table[column] for role, column in roles.items()}
    row = {"row": found.table.rowid() + 2} if found.is_ordered else {}
    return found.table.select(**columns, **{name: found.table[name] for name in keep}, **row)


def _about_decimal_ids(source: ibis.Table, name: str) -> list[str]:
    """What is to be said of a column of floats, as pandas makes of whole numbers when one is missing."""
    ids = source.customer_id
    if not ids.type().is_floating():
        return []
    broken = engines.to_frame(source.filter(fields.without_nan(ids) % 1 != 0).select("customer_id").limit(1))
    if len(broken):
        raise InputError(
            f"{name}: the customer id {broken['customer_id'].iloc[0]} is no whole number. Ids are whole numbers or "
            "texts: name another column."
        )
    return ["Customer ids are decimal numbers in the source; they were read as whole numbers."]


def _day_first(source: ibis.Table) -> bool:
    """Whether dates such as 5/1/2026 are read day first: what those that can be read in one way only show."""
    if not source.date.type().is_string():
        return False
    shown = engines.row(source.agg(**fields.order_of_day_and_month(source.date)))
    return bool(shown["day_first"] > shown["month_first"])


def _read(source: ibis.Table, roles: list[str], keep: list[str], day_first: bool) -> ibis.Table:
    """The lines with the cells of every role read; a text is parsed once, and kept as found beside what it means."""
    found = {f"{role}_found": source[role] for role in REQUIRED if not fields.is_typed(source[role], role)}
    read = {role: source[role] for role in roles}
    read["customer_id"] = fields.as_customer_id(source.customer_id, whole=_all_whole(source.customer_id))
    read["date"] = fields.as_date(source.date, "date", day_first=day_first)
    for role in {"amount", "quantity", "cost"} & read.keys():
        read[role] = fields.as_number(source[role], role)
    rest = {name: source[name] for name in (*keep, "row") if name in source.columns}
    lines = source.select(**read, **rest, **found)
    return engines.kept(lines) if found else lines


def _all_whole(ids: ibis.Column) -> bool:
    """Whether every id of a text column is a whole number as a computer writes it."""
    if not ids.type().is_string():
        return False
    text = fields.as_customer_id(ids)
    table = text.as_table().filter(text.notnull())
    return not engines.count(table.filter(~table[0].re_search(fields.CANONICAL_INTEGER)).limit(1))
