"""Trying a planned survey out: samples drawn from a known population, a path model estimated in each.

A formula for the size of a sample (`sizes.pls_size`) knows one path and nothing else. Here the whole plan is tried:
the model, the scale, the number of items and their errors. Covariance-based models have `crmlab.sem.power`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.sem import Model, SemError, pls

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Progress = Callable[[int, int], None]


def path_power(
    model: Model | str,
    population: pd.DataFrame,
    n: int | Sequence[int],
    *,
    reps: int = 200,
    bootstrap: int = 200,
    level: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> PathPower:
    """The share of surveys of n people in which the interval of a path leaves out zero, by simulation.

    Parameters
    ----------
    model : Model or text
        Estimated by partial least squares in every survey.
    population : DataFrame
        Answers of all people, many more than n: a large simulated survey, or last year's answers.
    n : int or sequence of int
        Respondents of the planned survey; several give a curve.
    reps, bootstrap : int, at least 2
        Surveys for each n, drawn without replacement, and resamples behind each interval. A share p is known to about
        ±2√(p(1 − p)/reps).
    level : float in (0, 1)
        Of the percentile intervals.
    seed : int
        The same seed gives the same surveys.
    progress : callable, optional
        progress(done, total).

    Returns
    -------
    PathPower

    Raises
    ------
    InputError
        A number is out of range, or n is above a fifth of the population (surveys would repeat the same people).
    SemError
        As of `crmlab.sem.pls`.

    Examples
    --------
    >>> from crmlab import sem
    >>> people = sem.simulate("y ~ x", 20000, truth={"y ~ x": 0.3}, seed=1, standardised=True)
    >>> planned = path_power("X =~ x; Y =~ y; Y ~ X", people, [30, 200], reps=40, bootstrap=100)
    >>> planned.table[["n", "from", "to", "power"]].round(1)
         n from to  power
    0   30    X  Y    0.5
    1  200    X  Y    1.0
    """
    sizes = [n] if isinstance(n, int | np.integer) else list(n)
    _check(population, sizes, reps, bootstrap)
    model = Model(model) if isinstance(model, str) else model
    truth = pls(model, population).paths["estimate"].to_numpy()
    tables, lost = [], 0
    for position, size in enumerate(sizes):
        rng = np.random.default_rng([seed, size])
        found = []
        for rep in range(reps):
            chosen = rng.choice(len(population), size, replace=False)
            found.append(_paths(model, population.iloc[chosen], bootstrap, level, int(rng.integers(2**31))))
            if progress is not None:
                progress(position * reps + rep + 1, len(sizes) * reps)
        usable = [paths for paths in found if paths is not None]
        lost += reps - len(usable)
        tables.append(_summary(usable, truth, size, reps))
    return PathPower(pd.concat(tables, ignore_index=True), reps, level, seed, _problems(lost, reps * len(sizes), reps))


@dataclass(frozen=True)
class PathPower:
    """What a planned survey would find.

    Attributes
    ----------
    table : DataFrame: n, from, to, truth, mean, sd, power
        `truth` is the path when everybody is asked, `mean` and `sd` are those of the estimates, `power` the share of
        surveys whose interval leaves out zero on the side of the truth.
    reps : int
        Surveys for each n.
    level : float
        Of the intervals.
    seed : int
    problems : list of str
    """

    table: pd.DataFrame
    reps: int
    level: float
    seed: int
    problems: list[str]

    def smallest(self, power: float = 0.8) -> int | None:
        """The smallest n tried at which every path reaches this power; None if there is none."""
        weakest = self.table.groupby("n")["power"].min()
        enough = weakest[weakest >= power]
        return None if enough.empty else int(enough.index[0])

    def plot(self, language: str = "en", ax: Axes | None = None) -> Axes:
        """Power against the number of respondents, a line for each path."""
        from crmlab.plots.sampling import power_curve

        return power_curve(self.table, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"paths": self.table.to_dict("records"), "reps": self.reps, "level": self.level, "seed": self.seed}

    def _repr_html_(self) -> str:
        return self.table.round(3).to_html(index=False)


def _check(population: pd.DataFrame, sizes: list[int], reps: int, bootstrap: int) -> None:
    for name, value in {"reps": reps, "bootstrap": bootstrap}.items():
        if value < 2:
            raise InputError(f"{name}: found {value}; expected 2 or more, a share takes several tries. Raise it.")
    if not sizes or min(sizes) < 2 or max(sizes) > len(population) / 5:
        raise InputError(
            f"n: found {', '.join(map(str, sizes)) or 'nothing'}; expected from 2 to a fifth of the population's "
            f"{len(population)} rows, for surveys of other people each time. Draw a larger population or fewer people."
        )


def _paths(model: Model, answers: pd.DataFrame, bootstrap: int, level: float, seed: int) -> pd.DataFrame | None:
    """Estimates and limits of one survey; None if it cannot be estimated."""
    try:
        fit = pls(model, answers)
    except SemError:
        return None
    return fit.bootstrap(bootstrap, seed, statistics=["paths"]).table("paths", level=level) if fit.converged else None


def _summary(found: list[pd.DataFrame], truth: np.ndarray, n: int, reps: int) -> pd.DataFrame:
    if not found:
        raise InputError(
            f"n: no survey of {n} people could be estimated; expected items with at least two different "
            "answers. Ask more people."
        )
    estimates = np.array([paths["estimate"] for paths in found])
    lower, upper = (np.array([paths[limit] for paths in found]) for limit in ("ci_lower", "ci_upper"))
    right_side = np.where(truth >= 0, lower > 0, upper < 0)
    return (
        found[0][["from", "to"]]
        .assign(truth=truth, mean=estimates.mean(axis=0), sd=estimates.std(axis=0), power=right_side.sum(axis=0) / reps)
        .pipe(lambda table: table.assign(n=n)[["n", *table.columns]])
    )


def _problems(lost: int, total: int, reps: int) -> list[str]:
    said = []
    if lost:
        said.append(
            f"{lost} of {total} surveys could not be estimated (an item without variation, or no convergence) and "
            "count as finding nothing: the real survey may meet the same fate. Ask more people or simplify the model."
        )
    if reps < 100:
        said.append(f"{reps} surveys for each n: a power near 0.8 is known to about ±{2 * (0.16 / reps) ** 0.5:.2f}.")
    return said
