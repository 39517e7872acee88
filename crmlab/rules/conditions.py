"""Inputs of a decision table, and the conditions that stand in its cells.

A cell reads ``A``, ``A|B``, ``>= 3``, ``< 1 year``, ``[3, 5)``, ``3-5`` (both ends included), ``11+``, ``3``, or ``-``
for anything. Nothing is evaluated as a program: each alternative must have one of these forms.

Every condition on a number is kept as half-open spans [low, high) of floating-point numbers: "up to 3" ends at the next
number after 3. So open and closed ends need no flags, and no two spans can leave an empty crack between them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crmlab.errors import InputError

from .units import ratio

KINDS = ("category", "number", "count")
ANY = "-"

_NUMBER = r"([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|inf|∞))"
_UNIT = r"\s*([^\W\d_]+|%|¥)?"
_COMPARISON = re.compile(rf"(>=|<=|≥|≤|>|<|=)\s*{_NUMBER}{_UNIT}")
_INTERVAL = re.compile(rf"([\[(])\s*{_NUMBER}\s*,\s*{_NUMBER}\s*([\])]){_UNIT}")
_RANGE = re.compile(rf"{_NUMBER}\s*(?:\.\.|-|–)\s*{_NUMBER}{_UNIT}")
_ONWARDS = re.compile(rf"{_NUMBER}\s*\+{_UNIT}")
_EXACT = re.compile(rf"{_NUMBER}{_UNIT}")
_FORMS = "a number, >= 3, < 3, [3, 5), 3-5, 11+, several of them with | between, or - for any"


class Span(NamedTuple):
    """The numbers from `low` up to, not including, `high`."""

    low: float
    high: float


EVERYTHING = Span(-math.inf, math.inf)


class Place(NamedTuple):
    """Where in a table a cell stands, for messages: "rubric.yaml, rule 3, months"."""

    source: str
    row: str
    column: str

    def fault(self, value: Any, expected: str, remedy: str) -> InputError:
        """The error of a cell that cannot be used."""
        return InputError(
            f"{self.source}, {self.row}, column {self.column}: {value!r} is found; expected {expected}. {remedy}"
        )


@dataclass(frozen=True)
class Input:
    """One input of a decision table: what is asked about a customer, and which answers there are.

    Attributes
    ----------
    name : column of the customers' table.
    kind : "category", "number", or "count" (a whole number).
    values : names of the categories; for a count `of` other columns, the categories those columns have.
    labels : category → Chinese name, which cells and data may use instead.
    domain : the numbers there can be.
    unit : unit of the column's numbers, None if it has none.
    counted, of : a count may be made from other columns: in how many of the columns `of` does `counted` stand?
    title : language → what the input is called on paper.
    inferred : the answers were not declared but gathered from the rules.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    domain: Span = EVERYTHING
    unit: str | None = None
    counted: str | None = None
    of: tuple[str, ...] = ()
    title: Mapping[str, str] = field(default_factory=dict)
    inferred: bool = False

    @property
    def categories(self) -> dict[str, str]:
        """Every way to write a category, with the category."""
        return {**{value: value for value in self.values}, **{zh: value for value, zh in self.labels.items()}}

    def described(self) -> str:
        """The domain in words: "A|B", ">= 0 months"."""
        if self.kind == "category":
            return "|".join(self.values)
        return " ".join(filter(None, (span_text(self.domain, self.kind), self.unit)))


@dataclass(frozen=True)
class Condition:
    """What a cell asks: one of some categories, or a number in one of some spans; `anything` if it does not ask.

    `units` lists the units it was written in, with how many of the input's unit each is.
    """

    text: str
    anything: bool = False
    values: frozenset[str] = frozenset()
    spans: tuple[Span, ...] = ()
    units: tuple[tuple[str, float], ...] = ()


def plain(value: Any) -> str:
    """A cell as text: YAML's and Excel's truths are yes and no, 3.0 is 3.

    Examples
    --------
    >>> plain(True), plain(3.0), plain(" >= 3 ")
    ('yes', '3', '>= 3')
    """
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None or value != value else str(value).strip()


def parse(cell: Any, asked: Input, place: Place) -> Condition:
    """The condition that a cell states about an input.

    Raises
    ------
    InputError
        If the cell is empty, has none of the known forms, names an unknown category, an empty interval, or a unit that
        cannot be converted into the input's; the message names file, row, column and value.

    Examples
    --------
    >>> months = Input("months", "number", domain=Span(0, math.inf), unit="month")
    >>> parse("[3, 6)", months, Place("table", "rule 1", "months")).spans
    (Span(low=3.0, high=6.0),)
    >>> parse("3 元", months, Place("table", "rule 1", "months"))
    Traceback (most recent call last):
    crmlab.errors.InputError: table, rule 1, column months: '3 元' is found; expected month or a unit that converts \
into it. Change the unit or the input's.
    """
    text = plain(cell)
    if not text:
        raise place.fault(cell, "a condition", "Write - if the rule does not ask about it.")
    if text == ANY:
        return Condition(ANY, anything=True)
    alternatives = [part.strip() for part in text.split("|")]
    if asked.kind == "category":
        return Condition(text, values=frozenset(_category(part, asked, place) for part in alternatives))
    read = [_span(part, asked, place) for part in alternatives]
    return Condition(text, spans=tuple(span for span, _ in read), units=tuple(unit for _, unit in read if unit))


def _category(text: str, asked: Input, place: Place) -> str:
    if text not in asked.categories:
        raise place.fault(
            text, f"one of {', '.join(asked.values)}", "Correct the cell, or add the value to the input's values."
        )
    return asked.categories[text]


def _span(text: str, asked: Input, place: Place) -> tuple[Span, tuple[str, float] | None]:
    """The span of one alternative in the input's unit, and the unit it was written in."""
    bounds = _bounds(text)
    if bounds is None:
        raise place.fault(text, _FORMS, "Write the cell in one of these forms.")
    low, low_open, high, high_open, unit = bounds
    factor = 1.0
    if unit:
        known = ratio(unit, asked.unit) if asked.unit else 1.0
        if known is None:
            raise place.fault(text, f"{asked.unit} or a unit that converts into it", "Change the unit or the input's.")
        factor = known
    span = span_between(low * factor, low_open, high * factor, high_open, asked.kind)
    if not span.low < span.high:
        raise place.fault(text, "an interval that holds a value", "Put the lower end first, and close an end.")
    return span, (unit, factor) if unit else None


def _bounds(text: str) -> tuple[float, bool, float, bool, str | None] | None:
    """Lower end, whether it is open, upper end, whether it is open, unit; None if the text has no known form."""
    if found := _COMPARISON.fullmatch(text):
        sign, number, unit = found.groups()
        value = _number(number)
        if sign in (">", ">=", "≥"):
            return value, sign == ">", math.inf, True, unit
        if sign in ("<", "<=", "≤"):
            return -math.inf, True, value, sign == "<", unit
        return value, False, value, False, unit
    if found := _INTERVAL.fullmatch(text):
        left, low, high, right, unit = found.groups()
        return _number(low), left == "(", _number(high), right == ")", unit
    if found := _ONWARDS.fullmatch(text):
        return _number(found[1]), False, math.inf, True, found[2]
    if found := _RANGE.fullmatch(text):
        return _number(found[1]), False, _number(found[2]), False, found[3]
    if found := _EXACT.fullmatch(text):
        return _number(found[1]), False, _number(found[1]), False, found[2]
    return None


def is_numeric(text: str) -> bool:
    """Whether every alternative of a cell is a condition on a number."""
    return all(_bounds(part.strip()) is not None for part in text.split("|"))


def _number(text: str) -> float:
    return float(text.replace("∞", "inf"))


def span_between(low: float, low_open: bool, high: float, high_open: bool, kind: str) -> Span:
    """The half-open span of an interval; for counts, of the whole numbers in it."""
    first = math.nextafter(low, math.inf) if low_open and math.isfinite(low) else low
    beyond = high if high_open or not math.isfinite(high) else math.nextafter(high, math.inf)
    if kind == "count":
        return Span(_ceiling(first), _ceiling(beyond))
    return Span(first, beyond)


def _ceiling(value: float) -> float:
    return float(math.ceil(value)) if math.isfinite(value) else value


def span_text(span: Span, kind: str) -> str:
    """A span as a cell would write it.

    Examples
    --------
    >>> span_text(Span(3.0, 5.0), "number"), span_text(Span(3.0, 5.0), "count"), span_text(Span(0.0, math.inf), "count")
    ('[3, 5)', '3-4', '0+')
    >>> span_text(span_between(3, True, 5, False, "number"), "number")
    '(3, 5]'
    """
    if span == EVERYTHING:
        return ANY
    if kind == "count":
        return _count_text(span)
    low, low_open = end_of(span.low)
    high, high_closed = end_of(span.high)
    if not math.isfinite(span.low):
        return f"{'<=' if high_closed else '<'} {number_text(high)}"
    if not math.isfinite(span.high):
        return f"{'>' if low_open else '>='} {number_text(low)}"
    if low == high:
        return number_text(low)
    return f"{'(' if low_open else '['}{number_text(low)}, {number_text(high)}{']' if high_closed else ')'}"


def _count_text(span: Span) -> str:
    if not math.isfinite(span.low):
        return f"<= {number_text(span.high - 1)}"
    if not math.isfinite(span.high):
        return f"{number_text(span.low)}+"
    last = span.high - 1
    return number_text(span.low) if last == span.low else f"{number_text(span.low)}-{number_text(last)}"


def end_of(cut: float) -> tuple[float, bool]:
    """The number a person wrote at a cut, and whether the cut lies just after it.

    Examples
    --------
    >>> end_of(3.0), end_of(math.nextafter(3.0, math.inf))
    ((3.0, False), (3.0, True))
    """
    if not math.isfinite(cut):
        return cut, False
    before = math.nextafter(cut, -math.inf)
    return (before, True) if len(repr(before)) < len(repr(cut)) else (cut, False)


def number_text(value: float) -> str:
    """A number without needless zeros, all its digits kept."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def texts(values: Sequence[str]) -> str:
    """Several category names as one cell."""
    return "|".join(values)
