"""What an engine of the index has to give, and the ruler that turns it into points from 0 to 100 (chapter 9).

An engine estimates the model once and again in resamples, and says each time what one scale point of every item weighs
and how the constructs depend on each other. All else, the index with its groups and importances, is the ruler's, which
reads every engine alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .. import index_formula
from ..results import in_order
from ..sem.bootstrap import Bootstrap, Progress
from ..sem.moments import Array
from ..sem.path_tables import PathTables
from ..sem.pls_algorithm import PathModel

if TYPE_CHECKING:
    import pandas as pd

    from ..questionnaire import Questionnaire

TOGETHER, ALONE = 1000, 200  # usual resamples: estimated all together, or one by one


@dataclass(frozen=True)
class Reading:
    """One estimate, or b resamples of it, before it is put on the scale.

    Attributes
    ----------
    weights : array (b, p)
        What one scale point of every indicator weighs in its composite of unit variance.
    means : array (b, 1 + groups, p)
        Item means of all respondents, then of each group.
    total : array (b, routes)
        Standardised total effects.
    accuracy : array (b, k)
        Correlation of each composite with the construct whose effects `total` holds; 1 where that is the composite.
    """

    weights: Array
    means: Array
    total: Array
    accuracy: Array


Statistic = Callable[[Reading], dict[str, Array]]


class Engine(Protocol):
    """An estimated model, whoever estimated it.

    Attributes
    ----------
    shape : PathModel
    rows : Index (n,)
        Respondents used.
    answers : array (n, p)
        Their answers to each indicator, nan where missing.
    filled : array (n, p)
        The same with a number for each missing one: what a respondent's index is computed from.
    values : dict of str to array (1, ·)
        Statistics as in `crmlab.sem.pls_algorithm`.
    refusals : list of str
        Why the solution must not be used, to be told before anything else.
    problems : list of str
        All other objections.
    stand_in, impossible : str
        What stands where a group gave no answer at all, and what is wrong with an inadmissible resample, in words.
    resamples : int
        How many are usual: as many as nobody has to wait for.
    tables : PathTables
        Reliability, loadings, effects and the like.
    """

    @property
    def shape(self) -> PathModel: ...
    @property
    def rows(self) -> pd.Index: ...
    @property
    def answers(self) -> Array: ...
    @property
    def filled(self) -> Array: ...
    @property
    def values(self) -> dict[str, Array]: ...
    @property
    def converged(self) -> bool: ...
    @property
    def refusals(self) -> list[str]: ...
    @property
    def problems(self) -> list[str]: ...
    @property
    def resamples(self) -> int: ...
    @property
    def stand_in(self) -> str: ...
    @property
    def impossible(self) -> str: ...
    @property
    def admissible(self) -> bool: ...
    @property
    def tables(self) -> PathTables: ...

    def method(self, interval: str) -> dict[str, Any]:
        """Plain facts: estimator, scheme, iterations, index_weights, missing, interval, fit (its measures, or None)."""

    def draw(self, n: int, seed: int, member: Array, statistic: Statistic, progress: Progress | None) -> Bootstrap:
        """Estimate n resamples; `member` (n, groups) holds 0/1, `statistic` is what the ruler reads from each."""


@dataclass(frozen=True)
class Ruler:
    """What turns answers into index points: the ends of every indicator's scale (p,) and each respondent's group.

    `member` (n, groups) holds 0/1.
    """

    shape: PathModel
    target: int
    minimum: Array
    maximum: Array
    groups: tuple[Any, ...]
    member: Array

    @classmethod
    def of(cls, questionnaire: Questionnaire, engine: Engine, values: pd.Series | None = None) -> Ruler:
        """The ruler of an estimate; `values` is the grouping column, if any."""
        shape = engine.shape
        minimum, maximum = scale_ends(questionnaire, shape)
        target = shape.constructs.index(questionnaire.index)
        if values is None:
            return cls(shape, target, minimum, maximum, (), np.empty((len(engine.rows), 0)))
        own = values.loc[engine.rows]
        groups = tuple(sorted(own.dropna().unique(), key=in_order))
        member = np.column_stack([(own == group).to_numpy(dtype=float) for group in groups])
        return cls(shape, target, minimum, maximum, groups, member)

    @property
    def sizes(self) -> dict[Any, int]:
        """Respondents of each group."""
        return dict(zip(self.groups, self.member.sum(axis=0).astype(int), strict=True))

    @property
    def drivers(self) -> list[tuple[int, int]]:
        """Constructs with a route to the index, as (position among the routes, position among the constructs)."""
        routes = np.argwhere(self.shape.reachable)
        return [(route, source) for route, (source, target) in enumerate(routes) if target == self.target]

    def statistics(self, reading: Reading) -> dict[str, Array]:
        """Everything on the 0–100 scale, for a batch of b samples.

        points (b, k): index points for one standard deviation of the composite, 100 / Σ w(max − min);
        per_point (b, p): index points for one scale point of the item; share (b, p): w / Σ w; index (b, k);
        group_index (b, groups·k); importance (b, drivers): index points of the target for one of the driver.
        """
        membership, block = self.shape.membership, self.shape.block
        points = index_formula.points(reading.weights, self.minimum, self.maximum, membership)
        per_point = reading.weights * points[:, block]
        every = index_formula.index(reading.means, per_point[:, None, :], self.minimum, membership)
        spread = points * reading.accuracy
        importance = [
            reading.total[:, route] * spread[:, self.target] / spread[:, source] for route, source in self.drivers
        ]
        return {
            "index": every[:, 0],
            "points": points,
            "per_point": per_point,
            "share": reading.weights / (reading.weights @ membership)[:, block],
            "group_index": every[:, 1:].reshape(len(every), (every.shape[1] - 1) * every.shape[2]),
            "importance": np.stack(importance, axis=1) if importance else np.empty((len(every), 0)),
        }


def scale_ends(questionnaire: Questionnaire, shape: PathModel) -> Array:
    """Lowest and highest answer to each indicator, (2, p)."""
    items = [item for _, item in shape.indicators]
    return questionnaire.items.loc[items, ["min", "max"]].to_numpy(dtype=float).T


def told_of_resamples(draws: Bootstrap) -> Mapping[str, Any]:
    """What a method says of its resamples."""
    return {
        "seed": draws.seed,
        "resamples": draws.n_requested,
        "resamples_used": draws.n_used,
        "resamples_not_converged": draws.not_converged,
        "resamples_inadmissible": draws.inadmissible,
        "sign_changes": draws.sign_changes,
    }
