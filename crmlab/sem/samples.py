"""From a table to the samples of a covariance structure model: one for each group, checked before anything is computed.

What cannot be analysed (a missing column, text, infinities, an item without variance or without answers, items that
repeat each other, fewer respondents than items) is refused by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .errors import SemError
from .estimators import GroupSample
from .moments import Array

if TYPE_CHECKING:
    import pandas as pd

Rows = NDArray[np.bool_]

_DEPENDENT = 1e-10  # smallest eigenvalue of a correlation matrix that still counts as positive


def read_samples(
    data: pd.DataFrame, observed: Sequence[str], group: str | None, missing: str, given: Sequence[str] = ()
) -> tuple[list[GroupSample], list[str]]:
    """The samples of a table, and what has to be told about them.

    Parameters
    ----------
    data : DataFrame (n, columns)
    observed : sequence of str
        Columns of the model.
    group : str or None
        Column that divides the respondents; groups come in order of first appearance, as in lavaan.
    missing : {"listwise", "fiml"}
        Whether a respondent with a missing answer is left out or kept.
    given : sequence of str
        Covariates whose moments are taken as given: the model says nothing of them, so it cannot speak for a respondent
        whose covariates are unknown, who is left out.

    Returns
    -------
    samples : list of GroupSample
    problems : list of str

    Raises
    ------
    SemError
    """
    check_columns(data, observed, group)
    values = _values(data, observed)
    absent = np.isnan(values)
    needed = [name in given for name in observed]
    unusable = absent.any(axis=1) if missing == "listwise" else absent.all(axis=1) | absent[:, needed].any(axis=1)
    kept: Rows = np.logical_not(unusable)
    if group is None:
        names, whole = [""], [np.ones(len(values), dtype=bool)]
    else:
        names = [str(name) for name in dict.fromkeys(data[group].dropna())]
        labels = data[group].astype(str).to_numpy()
        whole = [(labels == name) & data[group].notna().to_numpy() for name in names]
    for name, of_group in zip(names, whole, strict=True):
        _check_rows(values, of_group, kept, observed, name, missing)
    members = [of_group & kept for of_group in whole]
    samples = [
        GroupSample(name, values if rows.all() else values[rows]) for name, rows in zip(names, members, strict=True)
    ]
    for sample in samples:
        check_sample(sample, observed, missing)
    left_out = len(values) - sum(sample.n for sample in samples)
    why = ["at least one answer missing" if missing == "listwise" else "no answer at all"]
    if missing == "fiml" and absent[:, needed].any():
        why.append(f"no value of a covariate ({_listed([name for name in observed if name in given])})")
    return samples, told_of_left_out(left_out, len(values), [*why, *(["no group"] if group else [])])


def told_of_left_out(left_out: int, n: int, why: Sequence[str]) -> list[str]:
    """The sentence on respondents who do not count, none where there are none.

    Examples
    --------
    >>> told_of_left_out(1, 200, ["no answer at all", "no group"])
    ['1 of 200 respondents has no answer at all or no group and is left out.']
    """
    if not left_out:
        return []
    has, is_ = ("has", "is") if left_out == 1 else ("have", "are")
    return [f"{left_out} of {n} respondents {has} {' or '.join(why)} and {is_} left out."]


def told_of_names(data: pd.DataFrame, latent: Sequence[str]) -> list[str]:
    """The sentence on constructs that bear the name of a column, none where there are none."""
    if not (both := [name for name in latent if name in data.columns]):
        return []
    return [
        f"The data hold columns with the names of constructs: {_listed(both)}. They are not used, as the model says "
        "what measures a construct; rename the construct if the column was meant."
    ]


def check_sample(sample: GroupSample, observed: Sequence[str], missing: str) -> None:
    """Refuse constant and linearly dependent items and samples that are too small."""
    place = f" in group {sample.name}" if sample.name else ""
    if constant := [name for name, column in zip(observed, sample.values.T, strict=True) if _is_constant(column)]:
        raise SemError(
            f"{_listed(constant)} took one value only{place}; an item without variance cannot be modelled. Leave it out"
        )
    p = len(observed)
    if sample.n <= p and missing == "listwise":
        raise SemError(
            f"{sample.n} complete respondents{place} for {p} items: the covariance matrix is singular below {p + 1}. "
            "Gather more answers, use fewer items, or estimate by PLS"
        )
    if missing == "listwise":
        _check_dependence(sample.cov, observed, place)


def _is_constant(column: Array) -> bool:
    """Whether all answers given are the same; most often two of them settle it."""
    if column[0] != column[-1] and not np.isnan(column[0] + column[-1]):
        return False
    answered = column[~np.isnan(column)]
    return bool((answered == answered[0]).all())


def _check_dependence(cov: Array, observed: Sequence[str], place: str) -> None:
    spread = np.sqrt(np.diagonal(cov))
    sizes, vectors = np.linalg.eigh(cov / np.outer(spread, spread))
    if sizes[0] < _DEPENDENT:
        involved = [name for name, share in zip(observed, np.abs(vectors[:, 0]), strict=True) if share > 1e-3]
        raise SemError(
            f"{_listed(involved)} determine each other exactly{place} (their covariance matrix is singular). Leave one "
            "of them out"
        )


def check_columns(data: pd.DataFrame, observed: Sequence[str], group: str | None) -> None:
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        raise SemError(f"data must be a pandas DataFrame with one column per item, found {type(data).__name__}")
    wanted = [*observed, *([group] if group is not None else [])]
    count = Counter(data.columns)
    if absent := [name for name in wanted if name not in count]:
        known = ", ".join(map(str, data.columns[:12])) + ("…" if len(data.columns) > 12 else "")
        raise SemError(f"the data hold no column {_listed(absent)}; columns: {known}")
    if doubled := [name for name in wanted if count[name] > 1]:
        raise SemError(f"the data hold column {_listed(doubled)} more than once; names must be unique")
    if group is not None and not data[group].notna().any():
        raise SemError(f"the group column {group} is empty")


def _values(data: pd.DataFrame, observed: Sequence[str]) -> Array:
    """The columns of the model as floats, (n, p), nan where missing; an item's answers lie together in memory.

    A table of plain numbers is read in one go; any other column by column, so that an error can say where.
    """
    columns = data[list(observed)]
    if all(isinstance(kind, np.dtype) and kind.kind in "iuf" for kind in columns.dtypes):
        values = np.asfortranarray(columns.to_numpy(dtype=float))
        if not np.isinf(values).any():
            return values
    return np.asfortranarray(np.column_stack([numbers(columns[name], name) for name in observed]))


def numbers(column: pd.Series, name: str) -> Array:
    """A column as floats, nan where missing."""
    if column.dtype.kind in "mMc":
        raise SemError(f"column {name} holds {column.dtype} values, expected numbers")
    try:
        values = column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        found = next((value for value in column.dropna() if not _is_number(value)), column.iloc[0])
        row = next((label for label, value in column.items() if value is found), column.index[0])
        raise SemError(f"column {name}, row {row}: found {found!r}, expected a number") from None
    if np.isinf(values).any():
        row = column.index[int(np.flatnonzero(np.isinf(values))[0])]
        raise SemError(f"column {name}, row {row}: found an infinite value, expected a finite number or nothing")
    return values


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _check_rows(values: Array, of_group: Rows, kept: Rows, observed: Sequence[str], group: str, missing: str) -> None:
    """Refuse a group in which an item holds no answer, or that has fewer than two usable respondents."""
    place = f" in group {group}" if group else ""
    absent = np.isnan(values[of_group if missing == "listwise" else of_group & kept]).all(axis=0)
    if empty := [observed[i] for i in np.flatnonzero(absent).tolist()]:
        one = len(empty) == 1
        remedy = "Leave the item out or correct the column" if one else "Leave the items out or correct the columns"
        raise SemError(f"{_listed(empty)} {'holds' if one else 'hold'} no answer at all{place}. {remedy}")
    if (n := int((of_group & kept).sum())) < 2:
        usable = "complete answers" if missing == "listwise" else "answers"
        remedy = " Use missing='fiml' to keep respondents with missing answers" if missing == "listwise" else ""
        raise SemError(
            f"{n} {'respondent' if n == 1 else 'respondents'} with {usable}{place}, and a model needs several." + remedy
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(str, names[:6])) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
