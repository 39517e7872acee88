"""Answers of a survey with ordinal and continuous columns, read for estimation: codes, values, who answered what.

Every fault that would make a correlation meaningless (text, infinite values, a constant column, an empty category where
categories were promised) is an error that names the column; what was done about missing answers is told in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import SemError
from .moments import Array
from .samples import told_of_left_out

if TYPE_CHECKING:
    import pandas as pd

Codes = NDArray[np.int16]
Counts = NDArray[np.signedinteger]

MISSING = ("listwise", "pairwise")
MOST_CATEGORIES = 101  # a slider from 0 to 100
_CELLS_AT_ONCE = 2**21
_FEWEST_ROWS = 256


@dataclass(frozen=True)
class Answers:
    """A table of n respondents and p columns, q of them ordinal and m continuous.

    Attributes
    ----------
    names : tuple of str
        The p columns in order.
    ordinal, continuous : integer arrays (q,), (m,)
        Where the ordinal and the continuous columns stand among the p.
    levels : list of array
        The answers of each ordinal column that count as its categories, ascending.
    codes : array (n, q)
        Category of each answer, from 0; −1 where missing.
    values : array (n, m)
        Continuous answers; nan where missing.
    notes : tuple of str
        What was done about missing answers and gaps, in words.
    """

    names: tuple[str, ...]
    ordinal: NDArray[np.intp]
    continuous: NDArray[np.intp]
    levels: list[Array]
    codes: Codes
    values: Array
    notes: tuple[str, ...]

    @property
    def n(self) -> int:
        """Respondents used."""
        return len(self.codes)

    @property
    def complete(self) -> bool:
        """Whether no answer is missing."""
        return bool((self.codes >= 0).all() and not np.isnan(self.values).any())

    def blocks(self, width: int) -> Iterator[slice]:
        """Slices of rows, small enough that a block of `width` numbers a row stays bounded in memory."""
        rows = max(_FEWEST_ROWS, _CELLS_AT_ONCE // max(width, 1))
        return (slice(begin, begin + rows) for begin in range(0, self.n, rows))


def read_answers(
    data: pd.DataFrame | ArrayLike,
    ordered: Sequence[str] | None,
    names: Sequence[str] | None,
    missing: str,
    levels: Mapping[str, Sequence[float]] | None,
    fewest: int = 2,
) -> Answers:
    """Check a table and bring it into the form of `Answers`; arguments as of `ordinal_moments`, `fewest` columns."""
    if missing not in MISSING:
        raise SemError(f"missing {missing!r} is unknown; choose one of {', '.join(MISSING)}")
    names, columns = _columns(data, names, fewest)
    kinds = _kinds(names, ordered)
    table = np.column_stack([_numbers(name, column) for name, column in zip(names, columns, strict=True)])
    _check_whole(names, columns, table, kinds)
    table, notes = _usable_rows(table, missing, names)
    ordinal, continuous = np.flatnonzero(kinds), np.flatnonzero(~kinds)
    codes, found = np.empty((len(table), len(ordinal)), dtype=np.int16), []
    for position, i in enumerate(ordinal):
        column = table[:, i]
        categories, note = _categories(names[i], column, None if levels is None else levels.get(names[i]))
        codes[:, position] = np.where(np.isnan(column), -1, np.searchsorted(categories, column))
        found.append(categories)
        notes += note
    for i in continuous:
        _check_varies(names[i], table[:, i])
        _check_scale(names[i], table[:, i])
        notes += _two_valued(names[i], table[:, i])
    return Answers(names, ordinal, continuous, found, codes, table[:, continuous], tuple(notes))


def _columns(
    data: pd.DataFrame | ArrayLike, names: Sequence[str] | None, fewest: int
) -> tuple[tuple[str, ...], list[Any]]:
    """Names and columns of a DataFrame, or of an array with names."""
    if hasattr(data, "columns") and hasattr(data, "items"):
        labels, columns = tuple(str(label) for label in data.columns), [column for _, column in data.items()]
    else:
        table = np.asarray(data)
        if table.ndim != 2:
            raise SemError(f"the data have {table.ndim} dimension(s); expected a table of respondents × items")
        labels = tuple(f"x{i + 1}" for i in range(table.shape[1])) if names is None else tuple(map(str, names))
        if len(labels) != table.shape[1]:
            raise SemError(f"{len(labels)} names were given for {table.shape[1]} columns. Give one name a column")
        columns = list(table.T)
    if len(labels) < fewest:
        raise SemError(f"the data have {len(labels)} column(s); a correlation needs two")
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        raise SemError(f"column {twice[0]} occurs {labels.count(twice[0])} times. Keep one of them or rename")
    return labels, columns


def _kinds(names: tuple[str, ...], ordered: Sequence[str] | None) -> NDArray[np.bool_]:
    """Which columns are ordinal, bool (p,)."""
    if ordered is None:
        return np.ones(len(names), dtype=bool)
    chosen = {ordered} if isinstance(ordered, str) else {str(name) for name in ordered}
    unknown = sorted(chosen - set(names))
    if unknown:
        raise SemError(f"ordered: {unknown[0]} is not a column of the data; the columns are {', '.join(names)}")
    return np.array([name in chosen for name in names])


def _numbers(name: str, column: Any) -> Array:
    """One column as floats; nan where missing. Text, infinite values and an empty column are errors."""
    dtype = getattr(column, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        numbers = np.asarray(column, dtype=float)
    else:
        numbers = _parsed(name, column)
    if np.isinf(numbers).any():
        raise SemError(f"column {name}, row {_row(column, np.isinf(numbers))}: the value is infinite. Correct it first")
    if np.isnan(numbers).all():
        raise SemError(f"column {name} has no answer in any row. Drop it")
    return numbers


def _check_whole(names: tuple[str, ...], columns: list[Any], table: Array, kinds: NDArray[np.bool_]) -> None:
    broken = np.isfinite(table) & (table != np.round(table)) & kinds
    if broken.any():
        at = int(np.argmax(broken.any(axis=0)))
        found, row = table[broken[:, at], at][0], _row(columns[at], broken[:, at])
        raise SemError(
            f"column {names[at]}, row {row}: {found:g} is no category; an ordinal item is coded in whole numbers. "
            "Recode it or leave it out of `ordered`"
        )


def _parsed(name: str, column: Any) -> Array:
    import pandas as pd

    series = pd.Series(column)
    if getattr(series.dtype, "kind", "") in "cMm":
        raise SemError(f"column {name} holds {series.dtype} values, not answers. Recode it or leave it out")
    if isinstance(series.dtype, pd.CategoricalDtype) and series.cat.ordered:
        codes = series.cat.codes.to_numpy()
        return np.where(codes < 0, np.nan, codes + 1.0)
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    unreadable = np.isnan(numbers) & series.notna().to_numpy()
    if unreadable.any():
        found = repr(series.iloc[int(np.argmax(unreadable))])
        raise SemError(
            f"column {name}, row {_row(column, unreadable)}: {found} is not a number. Recode the answers first"
        )
    return numbers


def _row(column: Any, found: NDArray[np.bool_]) -> object:
    """The name of the first row found: the index label of a Series, else its number counted from 1."""
    first = int(np.argmax(found))
    return column.index[first] if hasattr(column, "index") and hasattr(column, "iloc") else first + 1


def _usable_rows(table: Array, missing: str, names: tuple[str, ...]) -> tuple[Array, list[str]]:
    """The rows that enter, and what was done about the others."""
    absent = np.isnan(table)
    emptiest = names[int(np.argmax(absent.sum(axis=0)))]
    left_out = absent.any(axis=1) if missing == "listwise" else absent.all(axis=1)
    what = "at least one answer missing" if missing == "listwise" else "no answer at all"
    notes = told_of_left_out(int(left_out.sum()), len(table), [what])
    if left_out.any():
        table, absent = table[~left_out], absent[~left_out]
    if len(table) < 3:
        why = f"; column {emptiest} lacks most answers" if left_out.any() else f" (columns {', '.join(names)})"
        who = "1 respondent" if len(table) == 1 else f"{len(table)} respondents"
        raise SemError(f"{who} with usable answers{why}. A correlation needs at least 3")
    if absent.any():
        notes.append(
            f"{absent.sum()} missing answers of {absent.any(axis=1).sum()} respondents: each correlation comes from "
            "those who gave both answers, which is right only if answers are missing completely at random."
        )
    return table, notes


def _categories(name: str, column: Array, promised: Sequence[float] | None) -> tuple[Array, list[str]]:
    """The categories of an ordinal column, ascending, and a note when some lie empty between the others."""
    answers, counts = _distinct(column[~np.isnan(column)])
    if promised is not None:
        return _promised_categories(name, answers, counts, promised), []
    _check_varies(name, column)
    if len(answers) > MOST_CATEGORIES:
        raise SemError(
            f"column {name} has {len(answers)} different answers; an ordinal item may have {MOST_CATEGORIES}. "
            "Leave it out of `ordered` or group the answers"
        )
    if len(answers) == answers[-1] - answers[0] + 1:
        return answers, []
    gaps = np.setdiff1d(np.arange(answers[0], min(answers[-1], answers[0] + 2 * MOST_CATEGORIES)), answers)
    return answers, [
        f"{name}: nobody answered {', '.join(f'{gap:g}' for gap in gaps[:5])}{' …' if len(gaps) > 5 else ''}; its "
        f"{len(answers) - 1} thresholds lie between the answers {', '.join(f'{answer:g}' for answer in answers[:12])}."
    ]


def _distinct(answers: Array) -> tuple[Array, Counts]:
    """Different whole numbers among the answers, ascending, and how often each occurs."""
    low = answers.min()
    if answers.max() - low > 10 * MOST_CATEGORIES:
        return np.unique(answers, return_counts=True)
    counts = np.bincount((answers - low).astype(np.intp))  # many times faster than sorting a million answers
    found = np.flatnonzero(counts)
    return low + found, counts[found]


def _promised_categories(name: str, answers: Array, counts: Counts, promised: Sequence[float]) -> Array:
    levels = np.unique(np.asarray(promised, dtype=float))
    strange = np.setdiff1d(answers, levels)
    if len(strange):
        raise SemError(
            f"column {name} has the answer {strange[0]:g}, which is none of its categories "
            f"({', '.join(f'{level:g}' for level in levels)}). Correct the answer or the categories"
        )
    empty = np.setdiff1d(levels, answers)
    if len(empty):
        found = dict(zip(answers, counts, strict=True))
        frequencies = ", ".join(f"{level:g}: {found.get(level, 0)}" for level in levels)
        raise SemError(
            f"column {name}: category {empty[0]:g} is empty (answers {frequencies}), so its thresholds cannot be "
            "estimated. Merge it with its neighbour in every group"
        )
    if len(levels) < 2:
        raise SemError(f"column {name} has one category; it tells nothing. Drop it")
    return levels


def _check_varies(name: str, column: Array) -> None:
    if np.nanmin(column) == np.nanmax(column):
        raise SemError(f"column {name} is constant (every answer is {np.nanmin(column):g}); it tells nothing. Drop it")


def _check_scale(name: str, column: Array) -> None:
    """The covariance of variances needs fourth powers, which must neither vanish nor overflow."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        fourth = float(np.nanstd(column)) ** 4 if np.nanmax(np.abs(column)) < 1e70 else np.inf
    if not 0 < fourth < np.inf:
        raise SemError(f"column {name} has values of size {np.nanmax(np.abs(column)):.0e}. Choose another unit for it")


def _two_valued(name: str, column: Array) -> list[str]:
    low, high = np.nanmin(column), np.nanmax(column)
    if not (np.isnan(column) | (column == low) | (column == high)).all():
        return []
    return [
        f"{name} has only the two values {low:g} and {high:g} but counts as continuous: its mean fixes its variance. "
        "Declare it ordinal."
    ]
