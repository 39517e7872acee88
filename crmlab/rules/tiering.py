"""Tiers such as gold, silver, regular and potential, as a decision table over a score (course row B10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from crmlab.errors import InputError

from .axes import numbers
from .conditions import number_text, plain
from .decisions import DecisionTable

if TYPE_CHECKING:
    import pandas as pd

#: Tiers by the share of the customers they are meant for, best first.
TIERS: Mapping[str, float] = {"gold": 0.05, "silver": 0.15, "regular": 0.50, "potential": 0.30}


def tiers(
    score: pd.Series, *, shares: Mapping[str, float] | None = None, scores: Mapping[str, float] | None = None
) -> DecisionTable:
    """Tiers such as gold, silver, regular and potential as a decision table over the score (course row B10).

    Parameters
    ----------
    score : Series; more is better. Its name is the table's input, "score" without one.
    shares : tier → share of the customers it is meant for, best first; default `TIERS`
        Customers with one score stay together in the better tier, so a tier can be larger than meant.
    scores : tier → lowest score of it, best first; the last tier takes all the rest. Instead of shares.

    Raises
    ------
    InputError
        For both, for shares that do not sum to 1 or scores that do not fall, or if no score is known.

    Examples
    --------
    >>> import pandas as pd
    >>> points = pd.Series([90.0, 40.0, 70.0, 10.0], name="points")
    >>> table = tiers(points, scores={"gold": 80, "silver": 60, "regular": 30, "potential": 0})
    >>> table.grade(points.to_frame()).tolist()
    ['gold', 'regular', 'silver', 'potential']
    """
    if shares is not None and scores is not None:
        raise InputError("tiers: give shares or scores, not both.")
    import pandas as pd

    name = str(score.name or "score")
    if scores is not None:
        names, limits = [*scores], [*numbers(pd.Series([*scores.values()]))]
        if len(names) < 2 or any(not above > below for above, below in pairwise(limits)):
            raise InputError(f"tiers: scores are {dict(scores)}; expected at least two tiers with falling scores.")
        del limits[-1]
    else:
        names, limits = _share_limits(TIERS if shares is None else shares, score)
    rules = [{name: text, "grade": tier} for tier, text in level_conditions(names, limits[::-1]).items()]
    return DecisionTable(
        {"name": "tiers", "inputs": {name: {"type": "number"}}, "rules": rules, "grades": dict.fromkeys(names)}
    )


def _share_limits(shares: Mapping[str, float], score: pd.Series) -> tuple[list[str], list[float]]:
    """Tiers that get anybody, and the lowest score of each but the last."""
    if any(not share > 0 for share in shares.values()) or not abs(sum(shares.values()) - 1) < 1e-9:
        raise InputError(f"tiers: shares are {dict(shares)}; expected shares above 0 that sum to 1.")
    known = score.dropna()
    values = numbers(known)
    if not np.isfinite(values).all():
        row = known.index[~np.isfinite(values)][0]
        raise InputError(f"tiers: the score is {plain(known[row])!r} in row {row}; expected a number. Correct it.")
    falling = np.sort(values)[::-1]
    if not len(falling):
        raise InputError("tiers: no score is known.")
    # The last customer a tier is meant for; rounding must not add another one.
    ends = [int(np.ceil(end * len(falling) - 1e-9)) for end in accumulate(shares.values())]
    limits: dict[float, str] = {}
    for tier, end in zip(list(shares)[:-1], ends[:-1], strict=True):
        limits.setdefault(float(falling[max(end, 1) - 1]), tier)
    return [*limits.values(), list(shares)[-1]], [*limits]


def level_conditions(levels: Sequence[str], limits: Sequence[float]) -> dict[str, str]:
    """The condition of every level, highest first, from rising thresholds."""
    if not limits:
        return {levels[0]: "-"}
    falling = [number_text(limit) for limit in limits][::-1]
    between = [f"[{low}, {high})" for high, low in pairwise(falling)]
    return dict(zip(levels, [f">= {falling[0]}", *between, f"< {falling[-1]}"], strict=True))
