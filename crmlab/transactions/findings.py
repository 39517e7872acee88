"""What is wrong with order lines, in sentences: one row of a table of rules each, all counted in one pass."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import NamedTuple

import ibis

from crmlab.transactions import engines, fields

EXAMPLES = 3


class Rule(NamedTuple):
    """Which lines it speaks of (a condition on the lines, None where it cannot hold), by which column the examples are
    shown, and the sentence."""

    holds: Callable[[ibis.Table], ibis.Column | None]
    shown: str
    sentence: str


RULES = (
    Rule(
        lambda lines: lines.customer_id.isnull(),
        "",
        "{n} without a customer id{where}; left out.",
    ),
    Rule(lambda lines: _blank(lines, "date"), "", "{n} without a date{where}; left out."),
    Rule(
        lambda lines: _unreadable(lines, "date"),
        "date_found",
        "{n} with a date that cannot be read{where}; left out. Expected days such as 2026-01-31, 31.01.2026 or "
        "20260131.",
    ),
    Rule(lambda lines: _blank(lines, "amount"), "", "{n} without an amount{where}; left out."),
    Rule(
        lambda lines: _unreadable(lines, "amount"),
        "amount_found",
        "{n} with an amount that cannot be read{where}; left out. Expected numbers such as 1234.50 or 1,234.50.",
    ),
    Rule(
        lambda lines: _found(lines, "customer_id", lambda text: text.re_search(fields.WHOLE_FLOAT)),
        "customer_id_found",
        "{n} with a customer id that a spreadsheet turned into a decimal number{where}; read without the decimals.",
    ),
    Rule(
        lambda lines: _found(lines, "customer_id", lambda text: (text != text.strip()) & (text.strip() != "")),
        "customer_id_found",
        "{n} with spaces around the customer id{where}; taken as other customers than those without. Use clean().",
    ),
    Rule(
        lambda lines: lines.amount < 0,
        "amount",
        "{n} with a negative amount{where}: returns or cancellations? They count as they are. Use clean() to take "
        "them out.",
    ),
    Rule(
        lambda lines: _found(lines, "date", _is_ambiguous),
        "date_found",
        "{n} with a date that can be read day first or month first{where}; read {order}. Say day_first if that is "
        "wrong.",
    ),
)


def about_lines(lines: ibis.Table, day_first: bool) -> list[str]:
    """The sentences that hold for these lines, most serious first; `day_first` is how ambiguous dates were read."""
    conditions = {rule: rule.holds(lines) for rule in RULES}
    holding = {rule: condition for rule, condition in conditions.items() if condition is not None}
    numbers = engines.row(
        lines.agg(**{f"n{place}": ibis.coalesce(holds.sum(), 0) for place, holds in enumerate(holding.values())})
    )
    order = "day first" if day_first else "month first"
    said = []
    for n, (rule, condition) in zip(numbers.values(), holding.items(), strict=True):
        if n:
            many = f"{int(n):,} line{'' if n == 1 else 's'}"
            said.append(rule.sentence.format(n=many, where=_where(lines, rule, condition), order=order))
    return [*said, *_about_formats(lines), *_about_currencies(lines)]


def _where(lines: ibis.Table, rule: Rule, condition: ibis.Column) -> str:
    """The first lines a rule speaks of: ` (row 7: '31.2.2026')`; on engines without an order only their values."""
    if "row" not in lines.columns:
        if not rule.shown:
            return ""
        first = engines.to_frame(
            lines.filter(condition).select(rule.shown).distinct().order_by(rule.shown).limit(EXAMPLES)
        )
        return f" ({', '.join(repr(value) for value in first[rule.shown].tolist())})"
    first = engines.to_frame(lines.filter(condition).order_by("row").limit(EXAMPLES))
    values = first[rule.shown].tolist() if rule.shown else [None] * len(first)
    rows = [
        f"row {row}" + (f": {value!r}" if value is not None else "")
        for row, value in zip(first["row"], values, strict=True)
    ]
    return f" ({', '.join(rows)})"


def _found(lines: ibis.Table, role: str, holds: Callable[[ibis.Column], ibis.Column]) -> ibis.Column | None:
    column = f"{role}_found"
    return holds(lines[column].cast("string")) if column in lines.columns else None


def _blank(lines: ibis.Table, role: str) -> ibis.Column:
    blank = _found(lines, role, lambda text: text.isnull() | (text.strip() == ""))
    return lines[role].isnull() if blank is None else lines[role].isnull() & blank


def _unreadable(lines: ibis.Table, role: str) -> ibis.Column | None:
    written = _found(lines, role, lambda text: text.strip() != "")
    return None if written is None else lines[role].isnull() & written


def _is_ambiguous(text: ibis.Column) -> ibis.Column:
    first, second = fields.day_and_month(text)
    return (first <= 12) & (second <= 12) & (first != second)


def _about_formats(lines: ibis.Table) -> list[str]:
    if "date_found" not in lines.columns:
        return []
    counts = _counts(fields.date_format(lines.date_found.cast("string")))
    if len(counts) < 2:
        return []
    return [
        f"Dates are written in {len(counts)} ways: {_listed(counts)}. Each was read in its own way; check their order."
    ]


def _about_currencies(lines: ibis.Table) -> list[str]:
    if "currency" in lines.columns:
        counts = _counts(lines.currency.cast("string").strip().upper().nullif(""))
    elif "amount_found" in lines.columns:
        counts = _counts(ibis.coalesce(fields.as_currency(lines.amount_found), "no sign"))
    else:
        return []
    if len(counts) < 2:
        return []
    return [
        f"Amounts are in more than one currency: {_listed(counts)}. They are not converted: adding them up means "
        "nothing."
    ]


def _counts(column: ibis.Column) -> dict[str, int]:
    table = column.name("value").as_table()
    counted = table.filter(table.value.notnull()).group_by("value").agg(n=lambda group: group.count())
    frame = engines.to_frame(counted.order_by(ibis.desc("n"), "value").limit(20))
    return dict(zip(frame["value"].tolist(), frame["n"].tolist(), strict=True))


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} ({n:,})" for name, n in counts.items())


def did_you_mean(name: str, known: list[str]) -> str:
    """A hint such as ` (did you mean order_date?)`, or nothing; upper and lower case count as alike."""
    alike = {word.casefold(): word for word in reversed(known)}
    close = difflib.get_close_matches(name.casefold(), alike, n=1)
    return f" (did you mean {alike[close[0]]}?)" if close else ""
