"""An input cut into the elementary cells that a table of rules can tell apart, and a customer's cell.

Two values in one cell meet the same conditions in every rule. So a finite number of combinations stands for all the
customers there can ever be: that is what makes a proof possible, and grading fast.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .conditions import ANY, Condition, Input, Span, end_of, number_text, span_text, texts

if TYPE_CHECKING:
    import pandas as pd

#: Rows of a column coded at a time: the block and its codes stay in the processor's cache.
BLOCK = 1 << 16
#: More cuts than this are searched for, fewer are compared one after the other.
MANY_CUTS = 24
#: A boundary with more characters was converted from another unit, and is no example a person would choose.
LONGEST_EXAMPLE = 12


@dataclass(frozen=True)
class Axis:
    """An input and the cuts between its cells; a category is its own cell.

    Attributes
    ----------
    input : the input.
    cuts : rising numbers; cell i holds the values from cuts[i - 1] up to, not including, cuts[i], within the domain.
    """

    input: Input
    cuts: tuple[float, ...] = ()

    @staticmethod
    def of(asked: Input, conditions: Iterable[Condition]) -> Axis:
        """The axis that tells apart what the conditions tell apart."""
        if asked.kind == "category":
            return Axis(asked)
        ends = {end for condition in conditions for span in condition.spans for end in span}
        low, high = asked.domain
        return Axis(asked, tuple(sorted(end for end in ends if low < end < high)))

    @property
    def size(self) -> int:
        """Number of cells."""
        return len(self.input.values) if self.input.kind == "category" else len(self.cuts) + 1

    @property
    def full(self) -> int:
        """The bit mask of all cells."""
        return (1 << self.size) - 1

    @cached_property
    def spans(self) -> list[Span]:
        """The span of each cell of a number or count."""
        ends = [self.input.domain.low, *self.cuts, self.input.domain.high]
        return [Span(low, high) for low, high in pairwise(ends)]

    def mask(self, condition: Condition) -> int:
        """The bit mask of the cells that a condition takes."""
        if condition.anything:
            return self.full
        if self.input.kind == "category":
            taken: Iterable[bool] = (value in condition.values for value in self.input.values)
        else:
            taken = (any(_inside(cell, span) for span in condition.spans) for cell in self.spans)
        return sum(1 << place for place, take in enumerate(taken) if take)

    def condition(self, mask: int) -> Condition:
        """The condition that takes exactly the cells of a bit mask."""
        if mask == self.full:
            return Condition(ANY, anything=True)
        if self.input.kind == "category":
            values = [value for place, value in enumerate(self.input.values) if mask >> place & 1]
            return Condition(texts(values), values=frozenset(values))
        spans: list[Span] = []
        for place, span in enumerate(self.spans):
            if mask >> place & 1:
                joined = spans and spans[-1].high == span.low
                spans[-1:] = [Span(spans[-1].low, span.high)] if joined else [*spans[-1:], span]
        open_ends = [self._beyond_domain(span) for span in spans]
        return Condition("|".join(span_text(span, self.input.kind) for span in open_ends), spans=tuple(open_ends))

    def _beyond_domain(self, span: Span) -> Span:
        """A span that reaches an end of the domain, written without that end: "up to 2", not "0 to 2"."""
        if self.input.kind == "count":
            return span
        low, high = self.input.domain
        return Span(-math.inf if span.low == low else span.low, math.inf if span.high == high else span.high)

    def example(self, mask: int) -> Any:
        """A value in the first cell of a bit mask: its lower end if that belongs to it, else a round number inside."""
        place = (mask & -mask).bit_length() - 1
        if self.input.kind == "category":
            return self.input.values[place]
        value = example_in(self.spans[place])
        return int(value) if self.input.kind == "count" else value

    def codes(self, column: pd.Series) -> np.ndarray:
        """The cell of every value of a column; `size` where the value is missing or outside the domain.

        Returns
        -------
        array (n,) of uint8, or uint16 for more than 254 cells
        """
        kind = np.uint8 if self.size < 255 else np.uint16
        if self.input.kind == "category":
            return _category_codes(column, self.input, self.size).astype(kind, copy=False)
        values = numbers(column)
        codes = np.empty(len(values), kind)
        for start in range(0, len(values), BLOCK):
            block = values[start : start + BLOCK]
            codes[start : start + BLOCK] = self._place(block, kind)
        return codes

    def _place(self, values: np.ndarray, kind: Any) -> np.ndarray:
        if len(self.cuts) > MANY_CUTS:
            codes = np.searchsorted(np.array(self.cuts), values, side="right").astype(kind)
        else:
            codes = np.zeros(len(values), kind)
            for cut in self.cuts:
                codes += values >= cut
        low, high = self.input.domain
        inside = (values >= low) & (values < high) if math.isfinite(low) else (values > low) & (values < high)
        if self.input.kind == "count":
            inside &= np.floor(values) == values
        if not inside.all():
            codes[~inside] = self.size
        return codes


def _inside(cell: Span, span: Span) -> bool:
    return span.low <= cell.low and cell.high <= span.high


def numbers(column: pd.Series) -> np.ndarray:
    """A column as floats; what is no number, such as a date, is missing."""
    import pandas as pd

    if column.dtype == np.float64:
        return column.to_numpy()
    if column.dtype.kind in "mM":  # to_numeric would count nanoseconds
        return np.full(len(column), np.nan)
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.to_numeric(column, errors="coerce")
    return column.to_numpy(dtype=float, na_value=np.nan)


def _category_codes(column: pd.Series, asked: Input, unknown: int) -> np.ndarray:
    import pandas as pd

    from .conditions import plain

    names = asked.categories
    place = {value: number for number, value in enumerate(asked.values)}
    if isinstance(column.dtype, pd.CategoricalDtype):
        found, levels = column.cat.codes.to_numpy(), column.cat.categories
    else:
        found, levels = pd.factorize(column)
    cells = [place[names[text]] if (text := plain(level)) in names else unknown for level in levels]
    # pandas codes a missing value -1, which looks up the last entry.
    return np.array([*cells, unknown])[found]


def example_in(span: Span) -> float:
    """A number in a span: its lower end if a person could have written it, else the roundest number near the middle.

    Examples
    --------
    >>> example_in(Span(3.0, 5.0)), example_in(Span(-math.inf, 5.0)), example_in(Span(math.nextafter(2.9, 9), 3.0))
    (3.0, 4.0, 2.95)
    """
    low, high = span
    if math.isfinite(low) and not end_of(low)[1] and len(repr(low)) <= LONGEST_EXAMPLE:
        return low
    if not math.isfinite(low) and not math.isfinite(high):
        return 0.0
    if not math.isfinite(low):
        return min(math.floor(high) - 1.0, math.nextafter(high, -math.inf))
    if not math.isfinite(high):
        return max(math.floor(low) + 1.0, low)
    # From hundreds to the last decimal: the first rounding of the middle that is still inside.
    rounded = (round((low + high) / 2, digits) for digits in range(-12, 18))
    return next((value for value in rounded if low <= value < high), low)


def example_text(value: Any) -> str:
    """An example value as text."""
    return number_text(value) if isinstance(value, (int, float)) else str(value)
