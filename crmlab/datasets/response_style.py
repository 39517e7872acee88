"""A simulated survey in which each respondent has a habit of answering, high or low, wide or narrow (chapter 7).

The habit works on raw answers: somebody who likes high answers gives them to "I am content" and to "I regret it" alike.
The same respondents are also shown as they would answer without any habit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.datasets.design import check_whole

CONSTRUCTS = ("Quality", "Service", "Value", "Image")


@dataclass(frozen=True, eq=False, repr=False)
class ResponseStyleSurvey:
    """A simulated survey with habits of answering beside its truth.

    Attributes
    ----------
    data : DataFrame
        Answers 1 … points, items that were asked the other way round turned back; `marker`, an item that has nothing
        to do with the constructs; `group`, whose second half of respondents has a higher level if asked for.
    clean : DataFrame
        The same respondents' items without their habits.
    blocks : dict of construct to items
    turned : tuple of items
        Those asked the other way round.
    points : int
    correlations : DataFrame (constructs × constructs)
    respondents : DataFrame: level, spread
        What is added to the raw answers in scale points, and the factor that widens them around the middle.
    """

    data: pd.DataFrame
    clean: pd.DataFrame
    blocks: dict[str, list[str]]
    turned: tuple[str, ...]
    points: int
    correlations: pd.DataFrame
    respondents: pd.DataFrame

    def __repr__(self) -> str:
        return f"ResponseStyleSurvey({len(self.data)} rows, {len(self.clean.columns)} items)"


def simulate_response_style(
    n: int = 400,
    *,
    seed: int = 0,
    points: int = 7,
    correlation: float = 0.3,
    loading: float = 0.75,
    items: int = 4,
    balanced: bool = True,
    level_sd: float = 0.8,
    spread_sd: float = 0.0,
    group_level: float = 0.0,
    missing: float = 0.0,
) -> ResponseStyleSurvey:
    """Draw a survey of four constructs with habits of answering.

    Parameters
    ----------
    n : int
        Respondents, 2 or more.
    seed : int
        The same seed gives the same bytes.
    points : int
        Scale points, 3 or more.
    correlation : float, −0.3 to less than 1
        Between every two constructs.
    loading : float in (0, 1)
        Of every item.
    items : int
        For each construct, 2 or more.
    balanced : bool
        True: half of the items (rounded down) are asked the other way round. False: none.
    level_sd : float
        Standard deviation between respondents of what they add to every raw answer, in sixths of the scale's length.
    spread_sd : float
        Standard deviation of the logarithm of how widely they use the scale.
    group_level : float
        What group B adds to every raw answer on top, in sixths of the scale's length.
    missing : float
        Probability that an answer is missing, completely at random.

    Returns
    -------
    ResponseStyleSurvey

    Raises
    ------
    ValueError
        An argument out of range.

    Examples
    --------
    >>> survey = simulate_response_style(100, seed=1)
    >>> survey.blocks["Quality"], survey.turned[:2]
    (['Quality1', 'Quality2', 'Quality3', 'Quality4'], ('Quality2', 'Quality4'))
    """
    check_whole("n", n, 2, "the number of respondents")
    check_whole("points", points, 3, "the number of scale points")
    check_whole("items", items, 2, "items of each construct")
    if not -0.3 <= correlation < 1 or not 0 < loading < 1 or not 0 <= missing < 1:
        raise ValueError(
            f"correlation, loading, missing: found {correlation:g}, {loading:g}, {missing:g}; expected −0.3 to less "
            "than 1, 0 to 1, and 0 to less than 1."
        )
    for_answers, for_habits, for_missing = np.random.default_rng(seed).spawn(3)
    blocks = {name: [f"{name}{i + 1}" for i in range(items)] for name in CONSTRUCTS}
    names = [item for block in blocks.values() for item in block]
    turned = tuple(item for block in blocks.values() for item in block[1::2]) if balanced else ()
    phi = np.full((len(CONSTRUCTS), len(CONSTRUCTS)), correlation) + (1 - correlation) * np.eye(len(CONSTRUCTS))
    constructs = for_answers.normal(size=(n, len(CONSTRUCTS))) @ np.linalg.cholesky(phi).T
    noise = for_answers.normal(size=(n, len(names)))
    opinion = loading * np.repeat(constructs, items, axis=1) + np.sqrt(1 - loading**2) * noise
    opinion = np.column_stack([opinion, for_answers.normal(size=n)])  # and the marker
    direction = np.array([-1.0 if item in turned else 1.0 for item in [*names, "marker"]])
    second = np.arange(n) >= n / 2
    step = (points - 1) / 6
    level = step * (level_sd * for_habits.normal(size=n) + group_level * second)
    spread = np.exp(spread_sd * for_habits.normal(size=n))
    plain = _answers(opinion, direction, np.zeros(n), np.ones(n), points)
    given = _answers(opinion, direction, level, spread, points)
    data = pd.DataFrame(given, columns=[*names, "marker"])
    if missing > 0:
        data = data.astype(float).mask(for_missing.random(data.shape) < missing)
    return ResponseStyleSurvey(
        data=data.assign(group=np.where(second, "B", "A")),
        clean=pd.DataFrame(plain, columns=[*names, "marker"])[names],
        blocks=blocks,
        turned=turned,
        points=points,
        correlations=pd.DataFrame(phi, index=list(CONSTRUCTS), columns=list(CONSTRUCTS)),
        respondents=pd.DataFrame({"level": level, "spread": spread}),
    )


def _answers(
    opinion: np.ndarray, direction: np.ndarray, level: np.ndarray, spread: np.ndarray, points: int
) -> np.ndarray:
    """Whole answers (n, p) after turning back: the habit is added to what the question asked for."""
    middle, step = (points + 1) / 2, (points - 1) / 6
    raw = middle + step * spread[:, None] * opinion * direction + level[:, None]
    raw = np.clip(np.floor(raw + 0.5), 1, points).astype(int)
    return np.where(direction < 0, points + 1 - raw, raw)
