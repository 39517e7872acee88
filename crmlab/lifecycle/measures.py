"""What the rules look at, for every customer and period (chapter 1): level, trend, volatility, contribution.

Everything is one flat run of periods, relationship after relationship, so that each measure is a handful of passes over
arrays: a look `k` periods back is a shift by `k` places, and `age` tells whether it stays within the relationship.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from crmlab.lifecycle.observation import Economics, Observed
    from crmlab.lifecycle.rules import Thresholds

Array = npt.NDArray[np.float64]

#: Ratios are compared with thresholds to so many decimals, so that 0.1 + 0.2 does not miss 0.3.
_DECIMALS = 9


#: The thresholds that change what is measured; the others only change what follows from it.
MEASURED_BY = ("window", "lapsed_after")


def measured(observed: Observed, thresholds: Thresholds, economics: Economics) -> pd.DataFrame:
    """Every period of every relationship with its measures.

    Returns
    -------
    DataFrame, one row per customer and period
        customer_id, number, relationship, amount, purchases, margin, and the measures of `rules.MEASURES`.
    """
    table = _every_period(observed, thresholds.lapsed_after)
    age = table["age"].to_numpy()
    amount = table["amount"].to_numpy()
    contribution = table["margin"].to_numpy() - economics.cost_to_serve
    groups = table["start"]
    window = thresholds.window

    level = _trailing_mean(amount, age, window)
    full = age >= window
    long_level = _trailing_mean(amount, age, 2 * window)
    best_level = _best_so_far(np.where(full, long_level, np.nan), groups)
    mean_contribution = _trailing_mean(contribution, age, window)
    measures = {
        "silent": _silent(table["purchases"].to_numpy()),
        "purchases_so_far": table["purchases"].groupby(groups).cumsum(),
        "level": level,
        "best_level": best_level,
        "level_share": _ratio(level, best_level),
        "trend": _trend(level, age, window),
        "volatility": _volatility(amount, age, 2 * window),
        "contribution": mean_contribution,
        "best_contribution": _best_so_far(mean_contribution, groups),
        "earned": pd.Series(contribution).groupby(groups).cumsum() - economics.acquisition_cost,
    }
    rounded = {name: np.round(np.asarray(values, dtype=float), _DECIMALS) for name, values in measures.items()}
    counts = {name: rounded.pop(name).astype(np.int64) for name in ("silent", "purchases_so_far")}
    return table.drop(columns="start").assign(**counts, **rounded)


def _every_period(observed: Observed, lapsed_after: int) -> pd.DataFrame:
    """Periods with and without an order, from the first of each relationship to the last before the next one."""
    seen = observed.table
    customer, number = pd.factorize(seen["customer_id"])[0], seen["number"].to_numpy()
    paid = seen["purchases"].to_numpy() > 0
    bought = pd.Series(np.where(paid, number, np.nan))
    last_before = bought.groupby(customer).ffill().groupby(customer).shift()
    gap = number - last_before.to_numpy(dtype=float)
    begins = paid & ((gap > lapsed_after) | np.isnan(gap))

    starts = np.flatnonzero(begins)
    first = number[starts]
    follows = np.append(customer[starts][1:] == customer[starts][:-1], False)
    end = np.where(follows, np.append(first[1:], 0) - 1, observed.last)
    length = end - first + 1
    offset = np.cumsum(length) - length

    rows_seen = np.diff(np.append(starts, len(seen)))
    place = number - np.repeat(first - offset, rows_seen)
    return _laid_out(seen, place, starts, offset, length)


def _laid_out(
    seen: pd.DataFrame, place: np.ndarray, starts: np.ndarray, offset: np.ndarray, length: np.ndarray
) -> pd.DataFrame:
    rows = int(length.sum())
    age = np.arange(rows) - np.repeat(offset, length) + 1
    whose = seen["customer_id"].iloc[starts]
    relationship = whose.groupby(whose).cumcount().to_numpy() + 1
    table = pd.DataFrame(
        {
            "customer_id": np.repeat(whose.to_numpy(), length),
            "number": np.repeat(seen["number"].to_numpy()[starts], length) + age - 1,
            "relationship": np.repeat(relationship, length),
            "start": np.repeat(offset, length),
            "age": age,
        }
    )
    for name in ("amount", "purchases", "margin"):
        found = seen[name].to_numpy()
        values = np.zeros(rows, dtype=found.dtype)
        values[place] = found
        table[name] = values
    return table


def _trailing_sum(values: Array, age: np.ndarray, periods: int) -> Array:
    """Sum over a period and those before it in the relationship, `periods` at most."""
    total = values.copy()
    for back in range(1, min(periods, len(values))):
        total[back:] += np.where(age[back:] > back, values[:-back], 0.0)
    return total


def _trailing_mean(values: Array, age: np.ndarray, periods: int) -> Array:
    return _trailing_sum(values, age, periods) / np.minimum(age, periods)


def _volatility(values: Array, age: np.ndarray, periods: int) -> Array:
    """Standard deviation over mean of the last periods; missing with fewer than three, or where the mean is not > 0."""
    mean = _trailing_mean(values, age, periods)
    squares = np.zeros_like(values)
    for back in range(min(periods, len(values))):
        earlier = values[: len(values) - back]
        squares[back:] += np.where(age[back:] > back, (earlier - mean[back:]) ** 2, 0.0)
    n = np.minimum(age, periods)
    spread = np.sqrt(squares / np.maximum(n - 1, 1))
    return np.where(n >= 3, _ratio(spread, mean), np.nan)


def _trend(level: Array, age: np.ndarray, window: int) -> Array:
    """Change of the level over one window, as a share of the higher of the two levels."""
    before = np.full(len(level), np.nan)
    before[window:] = np.where(age[window:] > window, level[: max(len(level) - window, 0)], np.nan)
    return np.clip(_ratio(level - before, np.maximum(level, before)), -1, 1)


def _best_so_far(values: Array, groups: pd.Series) -> Array:
    return np.asarray(pd.Series(values).groupby(groups).cummax(), dtype=np.float64)


def _silent(purchases: np.ndarray) -> np.ndarray:
    """Periods since the last one with a purchase; every relationship begins with one."""
    place = np.arange(len(purchases))
    return place - np.maximum.accumulate(np.where(purchases > 0, place, 0))


def _ratio(part: Array, whole: Array) -> Array:
    """Part over whole, missing where the whole is not above zero."""
    positive = whole > 0
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=positive)
