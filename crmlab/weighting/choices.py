"""Forced choices between pairs 对偶比较法: which of the two matters more (chapter 8).

The quickest question one can ask a judge. `forced_choice` counts points, 0–1 or 0–4 a pair; `thurstone_case_v` turns
the shares of many judges who prefer one thing to another into distances on a scale.

References
----------
Gulliksen, H. (1956). A least squares solution for paired comparisons with incomplete data. Psychometrika 21, 125–134.
Kendall, M. G. & Babington Smith, B. (1940). On the method of paired comparisons. Biometrika 31, 324–345.
Thurstone, L. L. (1927). A law of comparative judgment. Psychological Review 34, 273–286.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError

from .scaling import connected, least_squares
from .told import ROUNDING, Array, as_weights

if TYPE_CHECKING:
    import pandas as pd

POINTS = (1, 4)


@dataclass(frozen=True)
class ForcedChoice:
    """Weights from forced choices.

    Attributes
    ----------
    weights : Series (n,)
        Points of each item as a share of all, averaged over judges; sum 1.
    points : int
        Points shared out in a pair, 1 or 4.
    scores : DataFrame (judges × items)
        Points each judge gave.
    proportions : DataFrame (n, n)
        Share of the judges (half for a tie) who prefer the column to the row, as `thurstone_case_v` reads it.
    judges : DataFrame, index judge: circular_triads, consistence
        Triples in which A beats B, B beats C and C beats A; ζ is 1 without any and 0 with as many as there can be
        (Kendall & Babington Smith 1940). Nan for a judge with ties.
    agreement : float
        Coefficient of agreement u: 1 when all judges choose alike, 0 by chance; nan for a single judge.
    problems : list of str
    """

    weights: pd.Series
    points: int
    scores: pd.DataFrame
    proportions: pd.DataFrame
    judges: pd.DataFrame
    agreement: float
    problems: list[str]


def forced_choice(choices: Any, *, points: int = 1, add: float = 0.0) -> ForcedChoice:
    """Weights from which of two items matters more, pair by pair.

    Parameters
    ----------
    choices : DataFrame or array (n, n), or mapping of judge to such a matrix
        Entry (i, j): the points that i got against j; those of j are the rest. One of the two is enough. The diagonal
        is not read.
    points : {1, 4}
        0–1 scoring (the winner takes the point; 0.5 for a tie) or 0–4 scoring (4:0 far more important, 3:1 more
        important, 2:2 equal).
    add : float
        Points added to every item before the shares are taken. With 0–1 scoring, 1 is customary (修正得分): an item
        that loses every pair keeps some weight.

    Returns
    -------
    ForcedChoice

    Raises
    ------
    InputError
        Not square, a pair without a choice, points outside 0 … `points`, or two entries that do not share them out.

    Examples
    --------
    >>> import pandas as pd
    >>> items = ["quality", "price", "service"]
    >>> result = forced_choice(pd.DataFrame([[0, 1, 1], [0, 0, 1], [0, 0, 0]], items, items), add=1)
    >>> result.weights.round(3).to_dict()
    {'quality': 0.5, 'price': 0.333, 'service': 0.167}
    """
    import pandas as pd

    if points not in POINTS:
        raise InputError(f"forced choice: points is {points!r}; choose 1 (0–1 scoring) or 4 (0–4 scoring).")
    given = choices if isinstance(choices, Mapping) else {"one judge": choices}
    if not given:
        raise InputError("forced choice: found no judge; expected at least one matrix.")
    tables = {str(judge): _read(one, str(judge), points) for judge, one in given.items()}
    items = list(next(iter(tables.values())).index)
    for judge, table in tables.items():
        if set(table.index) != set(items):
            raise InputError(f"forced choice: judge {judge} judges other items than the first judge.")
    stack = np.stack([table.loc[items, items].to_numpy() for table in tables.values()])
    scores = pd.DataFrame(np.nansum(stack, axis=2), index=pd.Index(tables, name="judge"), columns=items)
    shares = (scores + add).div((scores + add).sum(axis=1), axis=0)
    wins = np.where(np.isnan(stack), np.nan, (np.sign(stack - points / 2) + 1) / 2)
    judges = pd.DataFrame([_circular(one) for one in wins], scores.index, ["circular_triads", "consistence"])
    agreement = _agreement(wins)
    proportions = pd.DataFrame(wins.mean(axis=0).T, items, items)
    problems = _problems(shares.mean(), judges, agreement, add)
    return ForcedChoice(
        weights=as_weights(shares.mean().to_numpy(), items, f"forced choice 0–{points}", problems),
        points=points,
        scores=scores,
        proportions=_with_halves(proportions),
        judges=judges,
        agreement=agreement,
        problems=problems,
    )


def thurstone_case_v(proportions: Any, *, clip: float = 0.01) -> pd.Series:
    """Thurstone's law of comparative judgement, Case V: distances from the shares of people who prefer each to each.

    The normal deviate Φ⁻¹ of the share who prefer j to i is the distance of j above i; an item's value is the mean of
    its column, moved so that the lowest is 0. Pairs that nobody compared may be nan: then the values are the least
    squares ones (Gulliksen 1956).

    Parameters
    ----------
    proportions : DataFrame or array (n, n)
        Entry (i, j): share, 0 to 1, who prefer the column j to the row i. The diagonal is not read.
    clip : float in (0, 0.5)
        Shares nearer than this to 0 or 1 have an endless distance and are moved to `clip` or 1 − `clip`; the problems
        say which.

    Returns
    -------
    Series (n,)
        Scale values in standard deviations of a comparison, minimum 0. They are no weights: an interval scale has no
        zero, and a share of its sum means nothing.

    Raises
    ------
    InputError
        Not square, a share outside 0 … 1, two shares of a pair that do not add up to 1, items that no pair connects.

    Examples
    --------
    >>> import pandas as pd
    >>> shares = pd.DataFrame([[0.5, 0.7, 0.9], [0.3, 0.5, 0.8], [0.1, 0.2, 0.5]], list("abc"), list("abc"))
    >>> thurstone_case_v(shares).round(3).to_dict()
    {'a': 0.0, 'b': 0.496, 'c': 1.31}
    """
    import pandas as pd
    from scipy.stats import norm

    if not 0 < clip < 0.5:
        raise InputError(f"Thurstone: clip is {clip!r}; expected a share between 0 and 0.5.")
    table = _square(proportions, "Thurstone", "the shares")
    shares = table.to_numpy(dtype=float, copy=True)
    items = list(table.index)
    _require_shares(shares, items)
    np.fill_diagonal(shares, 0.5)
    extreme = (shares < clip) | (shares > 1 - clip)
    if not (reached := connected(~np.isnan(shares))).all():
        apart = items[int(np.argmin(reached))]
        raise InputError(f"Thurstone: no chain of compared pairs connects {apart} with {items[0]}; compare the two.")
    values = least_squares(norm.ppf(np.clip(shares, clip, 1 - clip)).T)
    scale = pd.Series(values - values.min(), index=pd.Index(items, name="item"), name="Thurstone Case V")
    scale.attrs["problems"] = [
        f"Everybody, or nearly everybody, prefers {items[j]} to {items[i]} ({shares[i, j]:.3g}): the distance is "
        f"endless, and the share was taken as {1 - clip:g}. More judges would tell."
        for i, j in zip(*np.nonzero(extreme & (shares > 0.5)), strict=True)
    ]
    return scale


def _square(matrix: Any, method: str, what: str) -> pd.DataFrame:
    import pandas as pd

    table = matrix if isinstance(matrix, pd.DataFrame) else pd.DataFrame(np.asarray(matrix, dtype=float))
    if set(table.columns) == set(table.index):
        table = table[list(table.index)]
    if table.shape[0] != table.shape[1] or list(table.index) != list(table.columns) or len(table) < 2:
        raise InputError(
            f"{method}: {what} are {table.shape[0]} × {table.shape[1]}; expected as many columns as rows, with the "
            "same names, two or more."
        )
    return table


def _require_shares(shares: Array, items: Sequence[str]) -> None:
    for i, j in combinations(range(len(items)), 2):
        for one, other, share in ((i, j, shares[i, j]), (j, i, shares[j, i])):
            if share < 0 or share > 1:
                raise InputError(
                    f"Thurstone: row {items[one]}, column {items[other]}: found {share:g}; expected a share from 0 to "
                    "1. Divide percentages by 100."
                )
        if abs(shares[i, j] + shares[j, i] - 1) > ROUNDING or np.isnan(shares[i, j]) != np.isnan(shares[j, i]):
            raise InputError(
                f"Thurstone: {items[i]} and {items[j]}: the shares {shares[i, j]:g} and {shares[j, i]:g} do not add up "
                "to 1. Correct one of the two."
            )


def _read(matrix: Any, judge: str, points: int) -> pd.DataFrame:
    table = _square(matrix, "forced choice", f"the choices of {judge}").astype(float)
    values, items = table.to_numpy(copy=True), list(table.index)
    for i, j in combinations(range(len(items)), 2):
        pair = f"forced choice: {judge}, {items[i]} against {items[j]}"
        one, other = values[i, j], values[j, i]
        if np.isnan(one) and np.isnan(other):
            raise InputError(f"{pair}: found nothing; expected points from 0 to {points}. Ask the judge to choose.")
        one = points - other if np.isnan(one) else one
        other = points - one if np.isnan(other) else other
        if not 0 <= one <= points:
            raise InputError(f"{pair}: found {one:g}; expected points from 0 to {points}. Correct the choice.")
        if abs(one + other - points) > 1e-9:
            raise InputError(
                f"{pair}: found {one:g} and {other:g} points; expected the two to share {points}. Correct one of them."
            )
        values[i, j], values[j, i] = one, other
    np.fill_diagonal(values, np.nan)
    table.iloc[:, :] = values
    return table


def _circular(wins: Array) -> tuple[float, float]:
    """Circular triads of one judge, and ζ = 1 − d / most (Kendall & Babington Smith 1940)."""
    n = len(wins)
    scores = np.nansum(wins, axis=1)
    if n < 3 or (wins == 0.5).any():
        return float("nan"), float("nan")
    triads = n * (n - 1) * (2 * n - 1) / 12 - (scores**2).sum() / 2
    most = (n**3 - n) / 24 if n % 2 else (n**3 - 4 * n) / 24
    return float(triads), float(1 - triads / most)


def _agreement(wins: Array) -> float:
    """u = 8 Σ C(γ_ij, 2) / (m (m − 1) n (n − 1)) − 1 with γ_ij judges preferring i to j (same source)."""
    judges, n, _ = wins.shape
    if judges < 2:
        return float("nan")
    preferring = wins.sum(axis=0)
    pairs = np.nansum(preferring * (preferring - 1) / 2)
    return float(8 * pairs / (judges * (judges - 1) * n * (n - 1)) - 1)


def _with_halves(proportions: pd.DataFrame) -> pd.DataFrame:
    values = proportions.to_numpy(copy=True)
    np.fill_diagonal(values, 0.5)
    proportions = proportions.copy()
    proportions.iloc[:, :] = values
    return proportions


def _problems(shares: pd.Series, judges: pd.DataFrame, agreement: float, add: float) -> list[str]:
    told = [
        f"{item} loses every pair and gets the weight 0; add=1 gives every item one point more."
        for item in shares.index[shares == 0]
        if not add
    ]
    told += [
        f"Judge {judge} chooses in circles: {row['circular_triads']:.0f} circular triads (coefficient of consistence "
        f"{row['consistence']:.2f})."
        for judge, row in judges.iterrows()
        if row["consistence"] < 0.75
    ]
    if agreement < 0.2:
        told.append(
            f"The {len(judges)} judges hardly choose alike (coefficient of agreement {agreement:.2f}; 0 is chance, 1 "
            "all alike); their mean speaks for nobody in particular."
        )
    return told
