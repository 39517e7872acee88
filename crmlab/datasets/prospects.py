"""Simulated prospects of a property developer, whose chance to buy is known (chapter 5).

Every prospect has a hidden wish z ~ N(0, 1). The two necessary conditions and the five intent signals of the course's
rubric are answers A with probability 1 / (1 + exp(−(a + b z))). A prospect buys with probability
q / (1 + exp(1.2 − 1.5 z)), where q is 1, 0.35 or 0.03 if none, one or both conditions are missing. Who lives far away
wishes to buy just as much, but comes to see the site less often. A second salesperson rates the same prospects, and
sees some answers the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Answers of the rubric with their a and b.
CONDITIONS = {"ability_to_pay": (0.9, 0.6), "satisfaction": (0.7, 0.9)}
SIGNALS = {
    "return_visits": (0.3, 1.5),
    "own_calls": (0.2, 1.4),
    "site_visits": (0.4, 1.5),
    "asks_about_process": (0.1, 1.3),
    "tolerates_price_change": (-0.3, 1.2),
}
#: Signals that cost a journey.
TRAVELS = ("return_visits", "site_visits")
_SHARE_FAR = 0.35
_STILL_BUYS = np.array([0.03, 0.35, 1.0])


@dataclass(frozen=True, eq=False)
class SimulatedProspects:
    """Prospects as two salespeople see them, and what nobody sees.

    Attributes
    ----------
    data : DataFrame, index prospect (1 to n): the seven answers (A or B) and home (near or far).
    second : DataFrame, the seven answers as the second salesperson rates them.
    truth : DataFrame: wish, probability (to buy), bought (0 or 1) and revenue (10,000 CNY; 0 for who did not buy).
    """

    data: pd.DataFrame
    second: pd.DataFrame
    truth: pd.DataFrame


def simulate_prospects(
    n: int = 3000, *, distance: float = 2.5, noise: float = 0.1, seed: int = 2026
) -> SimulatedProspects:
    """Draw prospects.

    Parameters
    ----------
    n : number of prospects, at least 1.
    distance : by how much the log-odds of the two signals that cost a journey are lower for who lives far away; 0 or
        more.
    noise : share of answers that the second salesperson sees the other way round, 0 to 0.5.
    seed : same seed, same prospects.

    Raises
    ------
    ValueError
        For numbers out of range.

    Examples
    --------
    >>> drawn = simulate_prospects(500, seed=1)
    >>> drawn.data.columns.tolist()[:3], sorted(drawn.data["home"].unique())
    (['ability_to_pay', 'satisfaction', 'return_visits'], ['far', 'near'])
    """
    if n < 1 or distance < 0 or not 0 <= noise <= 0.5:
        raise ValueError(
            f"simulate_prospects: n is {n}, distance {distance}, noise {noise}; expected at least one prospect, a "
            "distance of 0 or more and a noise from 0 to 0.5."
        )
    rng = np.random.default_rng(seed)
    wish = rng.standard_normal(n)
    far = rng.random(n) < _SHARE_FAR
    index = pd.RangeIndex(1, n + 1, name="prospect")
    is_a = pd.DataFrame(
        {
            name: rng.random(n) < _logistic(a + b * wish - distance * far * (name in TRAVELS))
            for name, (a, b) in {**CONDITIONS, **SIGNALS}.items()
        },
        index=index,
    )
    met = is_a[[*CONDITIONS]].sum(axis=1).to_numpy()
    probability = _STILL_BUYS[met] * _logistic(1.5 * wish - 1.2)
    bought = (rng.random(n) < probability).astype(int)
    revenue = bought * rng.lognormal(4.5, 0.4, n)
    flipped = rng.random(is_a.shape) < noise
    data = _letters(is_a).assign(home=np.where(far, "far", "near"))
    truth = pd.DataFrame(
        {"wish": wish, "probability": probability, "bought": bought, "revenue": revenue}, index=index
    )  # fmt: skip
    return SimulatedProspects(data, _letters(is_a ^ flipped), truth)


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _letters(is_a: pd.DataFrame) -> pd.DataFrame:
    return is_a.apply(lambda column: pd.Series(np.where(column, "A", "B"), column.index))
