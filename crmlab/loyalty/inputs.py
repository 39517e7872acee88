"""What a function of the room is given, one column per role: numbers of the same customers, or answers yes and no."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.likert.battery import numbers

#: What counts as yes and as no, in lower case.
YES = ("yes", "y", "true", "1", "1.0", "是", "有")
NO = ("no", "n", "false", "0", "0.0", "否", "无")


def aligned(where: str, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Columns side by side, each a Series or a sequence of the same length; Series must have one index.

    Raises
    ------
    InputError
        For different lengths or indexes, or no rows at all.
    """
    given = {name: _series(where, name, values) for name, values in columns.items()}
    lengths = {name: len(column) for name, column in given.items()}
    if len(set(lengths.values())) > 1 or not all(lengths.values()):
        told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise InputError(f"{where}: {told} values; expected one value per customer in each, and some customers.")
    named = {name: values.index for name, values in columns.items() if isinstance(values, pd.Series)}
    first = next(iter(named.values()), pd.RangeIndex(next(iter(lengths.values()))))
    odd = [name for name, index in named.items() if not index.equals(first)]
    if odd:
        raise InputError(
            f"{where}: {odd[0]} has another index than {next(iter(named))}; expected the same customers in the same "
            "order. Take both from one table, or use .reindex."
        )
    return pd.DataFrame({name: column.set_axis(first) for name, column in given.items()})


def _series(where: str, name: str, values: Any) -> pd.Series:
    if isinstance(values, pd.Series):
        return values
    try:
        return pd.Series(values)
    except (TypeError, ValueError):
        raise InputError(
            f"{where}: {name} is a {type(values).__name__} that is no column; expected one value per customer."
        ) from None


def measured(where: str, columns: Mapping[str, Any]) -> pd.DataFrame:
    """As `aligned`, every column as finite numbers, nan where missing.

    Raises
    ------
    InputError
        Also for text and for infinite values, with row and value.
    """
    table = aligned(where, columns)
    found = pd.DataFrame({name: numbers(table[name], name) for name in table.columns}, index=table.index)
    endless = np.isinf(found.to_numpy())
    if endless.any():
        row, place = (int(at[0]) for at in np.nonzero(endless))
        raise InputError(
            f"{where}: {found.columns[place]} is infinite in row {found.index[row]}; expected a number. Correct it."
        )
    return found


def answered(where: str, column: pd.Series) -> pd.Series:
    """Answers yes and no as True, False and missing.

    Raises
    ------
    InputError
        For any other answer, with row and value.
    """
    words = column.astype("string").str.strip().str.lower()
    yes, no = words.isin(YES).fillna(False), words.isin(NO).fillna(False)
    odd = column[column.notna() & ~(yes | no)]
    if len(odd):
        raise InputError(
            f"{where}: {column.name} is {odd.iloc[0]!r} in row {odd.index[0]}; expected yes or no, true or false, 1 "
            "or 0."
        )
    return yes.astype("boolean").mask(column.isna())


def check_thresholds(where: str, thresholds: Any, columns: Iterable[str]) -> None:
    names = [*columns]
    fits = isinstance(thresholds, tuple | list) and len(thresholds) == len(names)
    if not fits or not all(limit is None or isinstance(limit, Real) for limit in thresholds):
        raise InputError(
            f"{where}: thresholds are {thresholds!r}; expected a number, or None for the median, for each of "
            f"{', '.join(names)}."
        )


def check_level(where: str, level: float) -> None:
    if not isinstance(level, Real) or not 0 < level < 1:
        raise InputError(f"{where}: level is {level!r}; expected a number between 0 and 1, such as 0.95.")


def check_resamples(where: str, bootstrap: int, seed: int) -> None:
    for name, given, least in (("bootstrap", bootstrap, 20), ("seed", seed, 0)):
        if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least:
            raise InputError(f"{where}: {name} is {given!r}; expected a whole number of {least} or more.")


def check_pairs(where: str, name: str, pairs: Any, count: int) -> None:
    fits = isinstance(pairs, tuple | list) and len(pairs) == count
    if not fits or not all(
        isinstance(pair, tuple | list) and len(pair) == 2 and all(isinstance(end, Real) for end in pair)
        for pair in pairs
    ):
        raise InputError(
            f"{where}: {name} {'is' if count == 1 else 'are'} {pairs!r}; expected {count} of two numbers each."
        )


def worded(n: int, one: str, many: str) -> str:
    """The words that go with so many: "customer lacks" for one, "customers lack" otherwise."""
    return one if n == 1 else many
