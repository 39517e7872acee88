"""A table as found: columns as distinct values and where they stand; work is done value by value, not by cell."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype

from crmlab.responses.cells import AROUND, as_text, is_blank, number, plain
from crmlab.responses.findings import Finding

_MANY = 65_536  # distinct texts beyond which a column is kept as text until it is whole


@dataclass(frozen=True, eq=False)
class Column:
    """The distinct values of a column that are not blank, and for every row the place of its value; −1 for a blank.

    Examples
    --------
    >>> column = Column.of(pd.Series(["a", " ", "b", "a"]))
    >>> column.codes.tolist(), [*column.values]
    ([0, -1, 1, 0], ['a', 'b'])
    """

    codes: np.ndarray
    values: pd.Index

    @classmethod
    def of(cls, cells: pd.Series) -> Column:
        """A column from its cells."""
        codes, distinct = pd.factorize(cells)
        return cls._without_blanks(codes, pd.Index(distinct))

    @classmethod
    def _without_blanks(cls, codes: np.ndarray, values: pd.Index) -> Column:
        if not _are_numbers(values):
            blank = _blank(values)
            if blank.any():
                codes = np.append(np.where(blank, -1, np.cumsum(~blank) - 1), -1)[codes]
                values = values[~blank]
        return cls(codes.astype(np.min_scalar_type(-max(len(values), 1))), values)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: slice | np.ndarray) -> Column:
        """The same column in some rows only."""
        return Column(self.codes[rows], self.values)

    def cell(self, row: int) -> Any:
        """The value in a row, None for a blank."""
        return self.values[self.codes[row]] if self.codes[row] >= 0 else None

    def occurring(self) -> Column:
        """The column without values that no row has."""
        present = np.bincount(self.codes[self.codes >= 0], minlength=len(self.values)) > 0
        if present.all():
            return self
        codes = np.append(np.cumsum(present) - 1, -1)[self.codes]
        return Column(codes.astype(self.codes.dtype), self.values[present])

    def renamed(self, names: dict[Any, Any]) -> Column:
        """The column with other values in place of some; two values may become one."""
        return Column.of(pd.Series([*(names.get(value, value) for value in self.values)], dtype=object))._spread(self)

    def _spread(self, over: Column) -> Column:
        return Column(np.append(self.codes, np.int8(-1))[over.codes], self.values)

    @property
    def holds_numbers(self) -> bool:
        """Whether the values are stored as numbers, and none needs to be read as one."""
        return _are_numbers(self.values)

    @cached_property
    def plain_values(self) -> list[str]:
        """The distinct values as plain text."""
        return [plain(value) for value in self.values]

    def numbers(self) -> np.ndarray:
        """The number that each distinct value is or says, NaN where it says none.

        Examples
        --------
        >>> Column.of(pd.Series(["7,5", "seven", "７"])).numbers()
        array([7.5, nan, 7. ])
        """
        if self.holds_numbers:
            return self.values.to_numpy(dtype=float, copy=True)
        return np.array([number(text) for text in self.plain_values], dtype=float)

    @property
    def all_differ(self) -> bool:
        """Whether no two rows have the same value; known, without another look at them, of columns kept as text."""
        return isinstance(self.values.dtype, pd.StringDtype) and len(self.values) == len(self)

    def texts(self) -> Any:
        """For every row its value as text, in an array of texts; missing for a blank."""
        if self.all_differ and (self.codes == np.arange(len(self))).all():
            return self.values.str.strip(AROUND).array
        return pd.array([*map(as_text, self.values)], dtype="str").take(self.codes, allow_fill=True)


def _are_numbers(values: pd.Index) -> bool:
    return bool(is_integer_dtype(values) or is_float_dtype(values))


def _blank(values: pd.Index) -> np.ndarray:
    if isinstance(values.dtype, pd.StringDtype):  # without making a Python object of each
        return np.asarray(values.str.strip() == "", dtype=bool)
    return np.fromiter(map(is_blank, values), dtype=bool, count=len(values))


class Gathering:
    """A column while a file is read, block by block of rows.

    Every new value gets the next number. A column of texts that nearly all differ, such as ids, would fill the memory
    with Python objects; from `_MANY` on its texts are kept in arrays, and numbered when all are there.
    """

    def __init__(self) -> None:
        self._numbers: defaultdict[Any, int] = defaultdict(itertools.count().__next__)
        self._codes: list[np.ndarray] = []
        self._texts: list[Any] = []

    def add(self, cells: Sequence[Any]) -> None:
        if self._texts:
            self._texts.append(pd.array(cells, dtype="str"))
            return
        codes = np.fromiter(map(self._numbers.__getitem__, cells), dtype=np.int32, count=len(cells))
        self._codes.append(codes.astype(np.min_scalar_type(-len(self._numbers))))
        if len(self._numbers) > _MANY and all(isinstance(value, str) for value in self._numbers if value is not None):
            distinct = np.array([*self._numbers], dtype=object)
            self._texts = [pd.array(distinct[codes], dtype="str") for codes in self._codes]
            self._numbers.clear()
            self._codes.clear()

    def column(self) -> Column:
        if self._texts:
            whole = pd.concat([pd.Series(texts) for texts in self._texts], ignore_index=True)
            self._texts.clear()
            return Column.of(whole.str.strip(AROUND))
        codes = np.concatenate(self._codes) if self._codes else np.array([], dtype=np.int8)
        return Column._without_blanks(codes, pd.Index([*self._numbers], dtype=object))


@dataclass(frozen=True, eq=False)
class RawTable:
    """A table as found.

    Attributes
    ----------
    name : file name.
    header : one name per column, "" where there is none.
    columns : one Column each, in the order of the header.
    rows : row numbers, the header of a file being in row 1 unless blank rows stand above it.
    sha256, encoding : checksum of the file and encoding of its text; None where there is none.
    remarks, findings : what the reading already has to say, in sentences and as cells.
    recoded : dict column -> what the reading did to its values.
    kind : text, workbook, sav or frame.
    labels, value_labels : dict column -> its label, and the labels of its values, from an SPSS file.
    format, evidence, matching, meta, personal, hints : what the recogniser of formats adds, as in `Responses`; hints
        says for an item without a column which header comes nearest.
    """

    name: str
    header: list[str]
    columns: list[Column]
    rows: np.ndarray
    sha256: str | None = None
    encoding: str | None = None
    remarks: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    recoded: dict[str, str] = field(default_factory=dict)
    kind: str = "text"
    labels: dict[str, str] = field(default_factory=dict)
    value_labels: dict[str, dict[float, str]] = field(default_factory=dict)
    format: str = "plain"
    evidence: list[str] = field(default_factory=list)
    hints: dict[str, str] = field(default_factory=dict)
    matching: pd.DataFrame | None = None
    meta: pd.DataFrame | None = None
    personal: pd.DataFrame | None = None
