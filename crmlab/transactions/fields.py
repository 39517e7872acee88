"""What one cell of an order file means: customer ids, dates, amounts and currencies, each as an Ibis expression.

A format is a row of a table: a regular expression and what to write in its place. Python, DuckDB (RE2) and Spark (Java)
read these expressions alike; the result is cast with `try_cast`, so that a cell that fits no row becomes missing.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from datetime import date as Date
from datetime import datetime
from functools import reduce
from string import Formatter
from typing import Any, NamedTuple

import ibis

from crmlab.errors import InputError

_TIME = r"([ T].*)?"


def day_of(given: Date | str, name: str = "as_of") -> Date:
    """A day from a date, a time or a text such as "2026-01-31"; InputError, with the argument's name, for another.

    Examples
    --------
    >>> day_of("2026-01-31"), day_of(datetime(2026, 1, 31, 18, 30))
    (datetime.date(2026, 1, 31), datetime.date(2026, 1, 31))
    """
    try:
        return datetime.fromisoformat(str(given)).date()
    except ValueError:
        raise InputError(f"{name}: {given!r} is no day; expected a date such as 2026-01-31.") from None


class Format(NamedTuple):
    """A way of writing: its name, the regular expression of the whole cell, and what its groups are put together to."""

    name: str
    pattern: str
    meaning: str


#: Years first, and days before a point, can be read in one way only.
DATE_FORMATS = (
    Format("year-month-day", rf"^(\d{{4}})-(\d{{1,2}})-(\d{{1,2}}){_TIME}$", "{1}-{2}-{3}"),
    Format("year/month/day", rf"^(\d{{4}})[/.](\d{{1,2}})[/.](\d{{1,2}}){_TIME}$", "{1}-{2}-{3}"),
    Format("yearmonthday", r"^(\d{4})(\d{2})(\d{2})$", "{1}-{2}-{3}"),
    Format("年月日", r"^(\d{4})年(\d{1,2})月(\d{1,2})日.*$", "{1}-{2}-{3}"),
    Format("day.month.year", rf"^(\d{{1,2}})\.(\d{{1,2}})\.(\d{{4}}){_TIME}$", "{3}-{2}-{1}"),
)
_SLASHED = rf"^(\d{{1,2}})[/-](\d{{1,2}})[/-](\d{{4}}){_TIME}$"
MONTH_FIRST = Format("month/day/year", _SLASHED, "{3}-{1}-{2}")
DAY_FIRST = Format("day/month/year", _SLASHED, "{3}-{2}-{1}")

NUMBER_FORMATS = (
    Format("1234.5", r"^([+-]?\d*\.?\d+\.?(E[+-]?\d+)?)$", "{1}"),
    Format("1,234.5", r"^([+-]?\d{1,3}(,\d{3})+(\.\d*)?)$", "{1}"),
    Format("1234,5", r"^([+-]?\d+),(\d{1,2})$", "{1}.{2}"),
    Format("(1234.5)", r"^\(([\d,]*\.?\d+)\)$", "-{1}"),
)

#: Symbol or code, as a regular expression, and the code of ISO 4217.
CURRENCIES = {
    "HK\\$|HKD": "HKD",
    "US\\$|USD|\\$": "USD",
    "¥|￥|CNY|RMB|元": "CNY",
    "€|EUR": "EUR",
    "£|GBP": "GBP",
}
_SYMBOLS = "(" + "|".join(CURRENCIES) + ")"

WHOLE_FLOAT = r"^(\d+)\.0+$"
CANONICAL_INTEGER = r"^(0|[1-9]\d{0,17})$"


def is_typed(column: ibis.Column, role: str) -> bool:
    """Whether a column holds what its role needs as values, not as text to be read."""
    kind = column.type()
    return bool(kind.is_temporal() if role == "date" else kind.is_integer() or kind.is_floating() or kind.is_decimal())


def as_customer_id(column: ibis.Column, *, whole: bool = False) -> ibis.Column:
    """Ids as whole numbers or as text; `whole` says that all texts of the column are whole numbers as a computer writes
    them. A spreadsheet's `123.0` becomes 123; blank cells become missing; spaces around an id stay for `clean`."""
    kind = column.type()
    if kind.is_integer():
        return column.cast("int64")
    if kind.is_floating():
        return without_nan(column).try_cast("int64")
    text = column.cast("string")
    text = ibis.cases(
        (text.strip() == "", ibis.null("string")),
        (text.re_search(WHOLE_FLOAT), text.re_extract(WHOLE_FLOAT, 1)),
        else_=text,
    )
    return text.try_cast("int64") if whole else text


def as_date(column: ibis.Column, role: str, *, day_first: bool) -> ibis.Column:
    """Calendar days; a time of day is left out, a time with a zone counts in UTC."""
    kind = column.type()
    if kind.is_date():
        return column
    if kind.is_timestamp():
        return column.cast("date")
    if not (kind.is_string() or kind.is_integer()):
        raise InputError(f"{role}: the column is of type {kind}; expected dates, or texts such as 2026-01-31.")
    text = column.cast("string").strip()
    ambiguous = (DAY_FIRST, MONTH_FIRST) if day_first else (MONTH_FIRST, DAY_FIRST)
    return ibis.coalesce(_read(text, DATE_FORMATS, "date"), *(_read(text, [form], "date") for form in ambiguous))


def as_number(column: ibis.Column, role: str) -> ibis.Column:
    """Numbers as float64; infinite ones and texts that are none become missing."""
    kind = column.type()
    if kind.is_numeric() and not kind.is_boolean():
        return without_nan(column.cast("float64"))
    if not kind.is_string():
        raise InputError(f"{role}: the column is of type {kind}; expected numbers, or texts such as 1,234.50.")
    bare = column.strip().upper().re_replace(rf"^{_SYMBOLS}\s*|\s*{_SYMBOLS}$", "")
    negative = bare.re_replace(rf"^-\s*{_SYMBOLS}\s*", "-")
    return without_nan(_read(negative, NUMBER_FORMATS, "float64", dropped=","))


def as_currency(column: ibis.Column) -> ibis.Column:
    """ISO code of the currency sign that stands in the text of an amount; missing where there is none."""
    found = column.cast("string").upper().re_extract(_SYMBOLS, 1)
    return ibis.cases(*((found.re_search(f"^({signs})$"), code) for signs, code in CURRENCIES.items()))


def without_nan(column: ibis.Column) -> ibis.Column:
    """Numbers with "not a number" and infinity made missing."""
    if not column.type().is_floating():
        return column
    return ibis.cases((column.isnan() | column.isinf(), ibis.null(column.type())), else_=column)


def date_format(column: ibis.Column) -> ibis.Column:
    """Name of the format a date is written in; missing where it fits none."""
    text = column.cast("string").strip()
    return ibis.cases(*((text.re_search(form.pattern), form.name) for form in (*DATE_FORMATS, MONTH_FIRST)))


def order_of_day_and_month(column: ibis.Column) -> dict[str, ibis.Scalar]:
    """How many dates written 5/1/2026 can only be read day first, only month first, or both ways."""
    first, second = day_and_month(column)
    in_year = {"day_first": (first > 12) & (second <= 12), "month_first": (second > 12) & (first <= 12)}
    in_year["either"] = (first <= 12) & (second <= 12) & (first != second)
    return {name: ibis.coalesce(holds.sum(), 0) for name, holds in in_year.items()}


def day_and_month(column: ibis.Column) -> tuple[ibis.Column, ibis.Column]:
    """The first two numbers of dates written 5/1/2026; missing for other texts."""
    text = column.cast("string").strip()
    first, second = (text.re_extract(_SLASHED, part).try_cast("int64") for part in (1, 2))
    return first, second


def _read(text: ibis.Column, formats: Iterable[Format], kind: str, dropped: str = "") -> ibis.Column:
    written = ibis.cases(*((text.re_search(form.pattern), _meaning(text, form)) for form in formats))
    return (written.replace(dropped, "") if dropped else written).try_cast(kind)


def _meaning(text: ibis.Column, form: Format) -> ibis.Column:
    """The groups of a format put together. Extracted one by one: DuckDB and Spark write back-references differently."""
    parts: list[Any] = []
    for literal, group, *_ in Formatter().parse(form.meaning):
        parts += [ibis.literal(literal)] * bool(literal) + [text.re_extract(form.pattern, int(group or 0))]
    return reduce(operator.add, parts)
