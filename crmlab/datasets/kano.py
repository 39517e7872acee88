"""A simulated survey of product features whose Kano classes, penalties and rewards are known (chapter 7).

The eight values are the course's: comfort, safety and convenience are hygiene values 保健因素; economy, durability,
joy, individuality and pride motivator values 激励因素. Each respondent belongs, feature by feature, to one Kano class, and
answers the pair of questions as that class does; a share answers carelessly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.datasets.design import check_whole

LETTERS = ("M", "O", "A", "I", "R", "Q")

#: Answers (with, without) that a respondent of a class may give: 1 like, 2 must be, 3 neutral, 4 live with, 5 dislike.
PAIRS: dict[str, tuple[tuple[int, int], ...]] = {
    "M": ((2, 5), (3, 5), (4, 5)),
    "O": ((1, 5),),
    "A": ((1, 2), (1, 3), (1, 4)),
    "I": tuple((x, y) for x in (2, 3, 4) for y in (2, 3, 4)),
    "R": ((2, 1), (3, 1), (4, 1), (5, 1), (5, 2), (5, 3), (5, 4)),
    "Q": ((1, 1), (5, 5)),
}

#: Share of each class, and what a low or high rating does to satisfaction (points of 1–10), for the course's values.
FEATURES: dict[str, dict[str, float]] = {
    "comfort": {"M": 0.60, "O": 0.20, "I": 0.20, "penalty": -1.2, "reward": 0.0},
    "safety": {"M": 0.75, "O": 0.15, "I": 0.10, "penalty": -1.8, "reward": 0.0},
    "convenience": {"M": 0.45, "O": 0.40, "I": 0.15, "penalty": -0.9, "reward": 0.0},
    "economy": {"O": 0.60, "M": 0.20, "A": 0.20, "penalty": -0.8, "reward": 0.8},
    "durability": {"O": 0.55, "A": 0.35, "I": 0.10, "penalty": -0.6, "reward": 0.7},
    "joy": {"A": 0.65, "O": 0.20, "I": 0.15, "penalty": 0.0, "reward": 1.4},
    "individuality": {"A": 0.50, "I": 0.40, "R": 0.10, "penalty": 0.0, "reward": 0.9},
    "pride": {"I": 0.55, "A": 0.35, "R": 0.10, "penalty": 0.0, "reward": 0.0},
}


@dataclass(frozen=True, eq=False, repr=False)
class KanoSurvey:
    """A simulated Kano survey beside its truth.

    Attributes
    ----------
    data : DataFrame
        For each feature `<feature>_with`, `<feature>_without` (1–5) and `<feature>` (a rating 1 … points of how the
        product does); `satisfaction` (a number).
    pairs : dict of feature to (column with, column without)
    features : list of str
    points : int
        Of the ratings.
    truth : DataFrame, index feature
        M, O, A, I, R, Q: probabilities of the answers' classes, careless respondents included; category: the largest;
        penalty, reward: effect of a rating in the lowest and highest third on satisfaction.
    """

    data: pd.DataFrame
    pairs: dict[str, tuple[str, str]]
    features: list[str]
    points: int
    truth: pd.DataFrame

    def __repr__(self) -> str:
        return f"KanoSurvey({len(self.data)} rows, {len(self.features)} features)"


def simulate_kano(
    n: int = 300,
    *,
    seed: int = 0,
    points: int = 10,
    features: Mapping[str, Mapping[str, float]] = FEATURES,
    careless: float = 0.05,
    missing: float = 0.0,
    noise: float = 1.0,
) -> KanoSurvey:
    """Draw a survey on features whose classes are known.

    Parameters
    ----------
    n : int
        Respondents, 2 or more.
    seed : int
        The same seed gives the same bytes.
    points : int
        Of the ratings, 3 or more.
    features : mapping of feature to mapping
        Shares of the classes M O A I R Q (sum 1; absent: 0), and optionally penalty and reward.
    careless : float
        Share of pairs answered at random, all 25 alike.
    missing : float
        Probability that an answer is missing, completely at random.
    noise : float
        Standard deviation of what satisfaction does not owe to the features.

    Returns
    -------
    KanoSurvey

    Raises
    ------
    ValueError
        An argument out of range, or shares that do not sum to 1.

    Examples
    --------
    >>> survey = simulate_kano(50, seed=1)
    >>> survey.truth.loc["safety", ["M", "O", "penalty"]].astype(float).round(4).tolist()
    [0.7185, 0.1445, -1.8]
    """
    check_whole("n", n, 2, "the number of respondents")
    check_whole("points", points, 3, "the number of scale points")
    for name, value in (("careless", careless), ("missing", missing)):
        if not 0 <= value < 1:
            raise ValueError(f"{name}: found {value!r}; expected a share from 0 to less than 1.")
    shares = _shares(features)
    for_pairs, for_ratings, for_missing = np.random.default_rng(seed).spawn(3)
    columns = {}
    for feature, of in shares.items():
        answers = _pairs(n, of, careless, for_pairs)
        columns[f"{feature}_with"], columns[f"{feature}_without"] = answers.T
    ratings = _ratings(n, len(shares), points, for_ratings)
    effects = pd.DataFrame(
        {name: {key: of.get(key, 0.0) for key in ("penalty", "reward")} for name, of in features.items()}
    )
    third = (points - 1) / 3
    low, high = ratings <= 1 + third, ratings >= points - third
    satisfaction = 7 + low @ effects.loc["penalty"].to_numpy() + high @ effects.loc["reward"].to_numpy()
    satisfaction = satisfaction + noise * for_ratings.normal(size=n)
    data = pd.DataFrame(columns | dict(zip(shares, ratings.T, strict=True)))
    if missing > 0:
        data = data.astype(float).mask(for_missing.random(data.shape) < missing)
    data["satisfaction"] = satisfaction.round(6)
    pairs = {feature: (f"{feature}_with", f"{feature}_without") for feature in shares}
    return KanoSurvey(data, pairs, list(shares), points, _truth(shares, careless, effects))


def _shares(features: Mapping[str, Mapping[str, float]]) -> dict[str, np.ndarray]:
    shares = {name: np.array([of.get(letter, 0.0) for letter in LETTERS]) for name, of in features.items()}
    for name, of in shares.items():
        if (of < 0).any() or abs(of.sum() - 1) > 1e-9:
            raise ValueError(f"features: the shares of {name} sum to {of.sum():g}; expected shares that sum to 1.")
    return shares


def _pairs(n: int, shares: np.ndarray, careless: float, rng: np.random.Generator) -> np.ndarray:
    """Answers (n, 2): a pair of the respondent's class, all its pairs alike, or any of the 25."""
    letters, pick, astray = rng.choice(len(LETTERS), size=n, p=shares), rng.random(n), rng.random(n) < careless
    answers = rng.integers(1, 6, size=(n, 2))
    for number, letter in enumerate(LETTERS):
        cells = np.array(PAIRS[letter])
        rows = (letters == number) & ~astray
        answers[rows] = cells[(pick[rows] * len(cells)).astype(int)]
    return answers


def _ratings(n: int, k: int, points: int, rng: np.random.Generator) -> np.ndarray:
    """Ratings (n, k) from 1 to points, every point alike often, correlated about 0.3 through a common opinion."""
    from scipy.special import ndtr

    latent = np.sqrt(0.3) * rng.normal(size=(n, 1)) + np.sqrt(0.7) * rng.normal(size=(n, k))
    return np.minimum((ndtr(latent) * points).astype(int) + 1, points)


def _truth(shares: dict[str, np.ndarray], careless: float, effects: pd.DataFrame) -> pd.DataFrame:
    at_random = np.array([len(PAIRS[letter]) for letter in LETTERS]) / 25
    answered = {name: (1 - careless) * of + careless * at_random for name, of in shares.items()}
    table = pd.DataFrame(answered, index=pd.Index(LETTERS)).T.rename_axis("feature")
    return table.assign(category=table.idxmax(axis=1)).join(effects.T)
