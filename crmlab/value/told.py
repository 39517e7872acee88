"""What every function of this room refuses, and how it says so: numbers that are none, out of range, or too few."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from crmlab.errors import InputError

Array = npt.NDArray[Any]


def numbers(values: Any, name: str) -> Array:
    """A one-dimensional float array without gaps, or an error that names the first faulty place."""
    try:
        found = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise InputError(
            f"{name}: the values are no numbers. Expected a list, array or column of plain numbers."
        ) from None
    if found.ndim != 1 or not len(found):
        raise InputError(
            f"{name}: expected a list, array or column of numbers, one or more; found shape {found.shape}."
        )
    bad = np.flatnonzero(~np.isfinite(found))
    if len(bad):
        label = values.index[bad[0]] if hasattr(values, "index") and hasattr(values, "iloc") else int(bad[0])
        raise InputError(
            f"{name}: {len(bad)} of {len(found)} values are missing or infinite (first: {found[bad[0]]} at {label!r}). "
            "Fill them in or leave these customers out."
        )
    return found


def at_least(values: Array, minimum: float, name: str, reason: str) -> Array:
    """The values, or an error that names the first one below the minimum."""
    low = np.flatnonzero(values < minimum)
    if len(low):
        raise InputError(
            f"{name}: {len(low)} of {len(values)} values are below {minimum:g} (first: {values[low[0]]:g} in place "
            f"{low[0]}). {reason}"
        )
    return values


def number(value: Any, name: str, low: float = -np.inf, high: float = np.inf, *, above: bool = False) -> float:
    """One finite number in [low, high], or in (low, high] with `above`."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = np.nan
    if np.isfinite(found) and (found > low or (found == low and not above)) and found <= high:
        return found
    limits = [f"{'above' if above else 'at least'} {low:g}"] if np.isfinite(low) else []
    limits += [f"at most {high:g}"] if np.isfinite(high) else []
    raise InputError(f"{name}: found {value!r}; expected a number{' ' if limits else ''}{' and '.join(limits)}.")


def discount_rate(value: Any) -> float:
    """A discount rate per period as a share, above −1; 12 for 12 % is refused."""
    found = number(value, "discount", -1, above=True)
    if found > 1:
        raise InputError(
            f"discount: found {value!r}, that is {100 * found:,.6g} % a period; expected a share above −1 and at most "
            "1. Write 12 % as 0.12."
        )
    return found


def whole(value: Any, name: str, low: int) -> int:
    """A whole number of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
        raise InputError(f"{name}: found {value!r}; expected a whole number of at least {low}.")
    return int(value)


def one_of(value: Any, known: Iterable[str], name: str) -> str:
    """A known word."""
    known = list(known)
    if value not in known:
        raise InputError(f"{name}: {value!r} is not known; expected one of {', '.join(known)}.")
    return str(value)


def percentiles(draws: Array, level: float) -> tuple[Array, Array]:
    """Lower and upper limit of the middle `level` of the draws, over the first axis."""
    lower, upper = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return lower, upper
