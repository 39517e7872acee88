"""Simulated surveys and the power of a planned one (chapter on the index by SEM, planning).

`simulate` draws respondents from the multivariate normal population of a model; `power` draws many surveys, estimates
each and tells how often every parameter was found and how well its interval kept its promise (Muthén & Muthén 2002).
Population values that nobody gives are, as in lavaan's `simulateData`,

==================  ==========================================  =================================
parameter           by default                                  with `standardised=True`
==================  ==========================================  =================================
loading             1                                           0.7 (1 for a single item)
path, covariance    0                                           0
intercept, mean     0                                           0
variance            1 (what is left, where it is explained)     what makes the total variance 1
==================  ==========================================  =================================

except that a single item has no error and a composite no residual.

References
----------
Muthén, L. K. & Muthén, B. O. (2002). How to use a Monte Carlo study to decide on sample size and determine power.
Structural Equation Modeling 9, 599–620.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import expressions
from .continuous import estimate
from .errors import SemError
from .estimators import GroupSample
from .fit import Choices, Fit
from .matrices import Defaults, Parameter, Structure, structure
from .moments import Array
from .syntax import Model

if TYPE_CHECKING:
    import pandas as pd

Truth = Mapping[str, float]
Progress = Callable[[int, int], None]

_LOADING = 0.7  # of an item in a standardised population
_IMPOSSIBLE = 1e-10  # an eigenvalue below this, relative to the largest variance, is no variance
_MISFIT = 1e-8  # discrepancy in the population above which the model is called wrong


def simulate(
    model: Model | str, n: int, truth: Truth | None = None, *, seed: int = 0, standardised: bool = False
) -> pd.DataFrame:
    """Draw respondents from the multivariate normal population of a model.

    Parameters
    ----------
    model : Model or text
        Its fixed values are population values, as in `Satisfaction ~ 0.4*Quality`.
    n : int
        Respondents, at least 1.
    truth : mapping of str to float, optional
        Further population values by relation (`"Satisfaction ~ Quality"`, `"q1 ~~ q1"`, `"q1 ~1"`) or by label. What
        nobody gives takes the default of the module's table.
    seed : int
    standardised : bool
        Whether variables whose variance nobody gives get variance 1 in the population.

    Returns
    -------
    DataFrame (n, items)

    Raises
    ------
    SemError
        A value for what the model does not hold, two values for one parameter, a population that is not positive
        definite, n below 1.

    Examples
    --------
    >>> survey = simulate("Q =~ 0.8*q1 + 0.8*q2 + 0.8*q3", 9000, seed=1, standardised=True)
    >>> survey.shape, float(survey["q1"].corr(survey["q2"]).round(1))  # 0.8 × 0.8 in the population
    ((9000, 3), 0.6)
    """
    import pandas as pd

    population = _Population.of(model, truth, standardised)
    _check_size(n, 1, "a survey has at least one respondent")
    return pd.DataFrame(population.draw(n, np.random.default_rng(seed)), columns=list(population.structure.observed))


@dataclass(frozen=True)
class Power:
    """What a planned survey would find.

    Attributes
    ----------
    table : DataFrame
        One row for each sample size and free or defined parameter: n, parameter, truth (the value it takes when the
        model is fitted to the population itself, in the model's own scaling), mean (of the estimates), bias
        (mean − truth), se_mean, sd (of the estimates), coverage (share of the intervals that hold the truth), power
        (share of the surveys in which the parameter differs from 0; the error of the first kind where it is 0).
    surveys : DataFrame
        For each n: reps, converged (these count in `table`), inadmissible (converged, but with problems such as a
        Heywood case; they count as well, since leaving them out would flatter the estimates).
    alpha : float
        Two-sided level of the tests; intervals have level 1 − alpha.
    seed : int
    problems : list of str
    """

    table: pd.DataFrame
    surveys: pd.DataFrame
    alpha: float
    seed: int
    problems: list[str]


def power(
    model: Model | str,
    truth: Truth | Model | str | None,
    n: int | Sequence[int],
    reps: int = 500,
    *,
    alpha: float = 0.05,
    seed: int = 0,
    standardised: bool = False,
    std_lv: bool = False,
    progress: Progress | None = None,
) -> Power:
    """Power, bias and coverage of a model at one or several sample sizes, by simulation and maximum likelihood.

    Parameters
    ----------
    model : Model or text
        The model that is estimated.
    truth : mapping of str to float, or Model or text
        Population values of this model as in `simulate`, or another model as the population.
    n : int or sequence of int
        Respondents; several give a curve. The rows of one n do not depend on the others.
    reps : int
        Surveys for each n, at least 2. A share p is known to about ±2√(p(1 − p)/reps).
    alpha : float in (0, 1)
    seed : int
    standardised : bool
        As in `simulate`.
    std_lv : bool
        Estimate with constructs of variance 1, as in `fit`.
    progress : callable, optional
        Called as progress(done, total) after each survey.

    Raises
    ------
    SemError
        As in `simulate`; the model is not identified in this population; an option is out of range.

    Examples
    --------
    >>> planned = power("y ~ x", {"y ~ x": 0.3}, [50, 200], reps=200, standardised=True)
    >>> path = planned.table.query("parameter == 'y ~ x'")
    >>> path["n"].tolist(), [float(round(p, 1)) for p in path["power"]]
    ([50, 200], [0.6, 1.0])
    """
    model = Model(model) if isinstance(model, str) else model
    other = isinstance(truth, Model | str)
    population = _Population.of(truth if other else model, None if other else truth, standardised)  # type: ignore[arg-type]
    study = _Study(model, population, alpha, std_lv)
    sizes = [n] if isinstance(n, int | np.integer) else list(n)
    p = len(study.structure.observed)
    for size in sizes:
        _check_size(size, p + 1, f"{p} items need at least {p + 1} respondents")
    _check_size(reps, 2, "a standard deviation takes at least two surveys", "reps")
    replications = []
    for position, size in enumerate(sizes):
        told = None if progress is None else _shifted(progress, position * reps, len(sizes) * reps)
        replications.append(study.replicate(int(size), reps, np.random.default_rng([seed, int(size)]), told))
    return _summary(study, sizes, replications, seed)


# ---------------------------------------------------------------------------------------------- population


@dataclass(frozen=True)
class _Population:
    """Moments of a multivariate normal population and the value of every row of the parameter table."""

    structure: Structure
    values: Array
    cov: Array
    mean: Array

    @classmethod
    def of(cls, model: Model | str, truth: Truth | None, standardised: bool) -> _Population:
        model = Model(model) if isinstance(model, str) else model
        # std_lv leaves first loadings unfixed unless the text fixes them
        free = structure(model, Defaults(means=True, fixed_x=False, std_lv=True))
        given = _given(free.table, truth or {})
        values = np.array([_default(row, free.table, standardised) if v is None else v for row, v in given])
        if standardised:
            values = _with_unit_variances(free, values, [k for k, (row, v) in enumerate(given) if _open(row, v)])
        known = _at(free, values)
        _check_population(known)
        return cls(known, values, *known.implied(np.empty(0), 0))

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """n respondents, (n, p)."""
        return self.mean + rng.standard_normal((n, len(self.mean))) @ np.linalg.cholesky(self.cov).T

    @property
    def itself(self) -> GroupSample:
        """A sample that has exactly the moments of the population."""
        p = len(self.mean)
        raw = np.random.default_rng(0).standard_normal((10 * p, p))
        orthonormal = np.linalg.qr(raw - raw.mean(axis=0))[0]
        return GroupSample("", self.mean + np.sqrt(10 * p) * orthonormal @ np.linalg.cholesky(self.cov).T)


def _given(table: Sequence[Parameter], truth: Truth) -> list[tuple[Parameter, float | None]]:
    """Each row with the value that the text or the mapping gives it, None where nobody does."""
    by_relation = {_written(row): row for row in table}
    by_relation |= {f"{row.rhs} ~~ {row.lhs}": row for row in table if row.op == "~~"}
    labels = {row.label for row in table if row.label}
    found: dict[str, float] = {}  # by label or, where there is none, by relation
    for row in table:
        if row.user and row.fixed is not None:
            found[row.label or _written(row)] = row.fixed
    for key, value in truth.items():
        name = key.strip() if key.strip() in labels else _spaced(key)
        if name not in labels and name not in by_relation:
            known = ", ".join([*sorted(labels), *dict.fromkeys(_written(row) for row in table)][:10])
            raise SemError(f"truth: the model holds no parameter {key!r}; it holds {known} …")
        if not np.isfinite(value):
            raise SemError(f"truth: {key!r} is {value}, expected a finite number")
        name = name if name in labels else by_relation[name].label or _written(by_relation[name])
        if found.setdefault(name, float(value)) != value:
            raise SemError(f"truth: {key!r} is {value}, but {name} has the value {found[name]} already; give one value")
    return [(row, found.get(row.label or _written(row))) for row in table]


def _written(row: Parameter) -> str:
    return f"{row.lhs} {row.op} {row.rhs}".strip()


def _spaced(key: str) -> str:
    """A relation with one space on each side of its operator; `x ~ 1` is `x ~1`."""
    for operator in ("=~", "<~", "~~", "~"):
        if operator in key:
            lhs, rhs = (side.strip() for side in key.split(operator, 1))
            return f"{lhs} ~1" if (operator, rhs) == ("~", "1") else f"{lhs} {operator} {rhs}"
    return key.strip()


def _default(row: Parameter, table: Sequence[Parameter], standardised: bool) -> float:
    """The module's table."""
    if row.op in ("=~", "<~"):
        alone = sum(other.op == "=~" and other.lhs == row.lhs for other in table) == 1
        return _LOADING if standardised and row.op == "=~" and not alone else 1.0
    if row.op == "~~" and row.lhs == row.rhs:
        return 0.0 if row.fixed == 0 else 1.0
    return 0.0


def _open(row: Parameter, value: float | None) -> bool:
    """Whether a row is a variance that nobody gives."""
    return value is None and row.op == "~~" and row.lhs == row.rhs and row.fixed != 0


def _with_unit_variances(free: Structure, values: Array, unknown: Sequence[int]) -> Array:
    """Solve diag(B S B') = 1 for the variances that nobody gives, linear in the diagonal of S."""
    names = [*free.observed, *free.latent]
    places = [names.index(free.table[k].lhs) for k in unknown]
    rest = values.copy()
    rest[list(unknown)] = 0.0
    known = _at(free, rest)
    _check_solvable(known)
    b = np.linalg.inv(np.eye(len(names)) - known.matrices(np.empty(0), 0)[0])
    room = 1 - np.diagonal(known.all_moments(np.empty(0), 0)[0])[places]
    rest[list(unknown)] = np.linalg.solve(b[np.ix_(places, places)] ** 2, room)
    if full := [names[i] for i, k in zip(places, unknown, strict=True) if rest[k] <= 0]:
        raise SemError(
            f"the population is not positive definite: what explains {', '.join(full)} leaves no room for a residual "
            "within a variance of 1. Give smaller loadings or paths, give its variance, or use standardised=False"
        )
    return rest


def _at(free: Structure, values: Array) -> Structure:
    """The structure with every row fixed at its value."""
    table = [replace(row, fixed=float(value), covariate=False) for row, value in zip(free.table, values, strict=True)]
    return Structure(table, free.observed, free.latent, 1)


def _check_solvable(known: Structure) -> None:
    a = known.matrices(np.empty(0), 0)[0]
    if abs(np.linalg.det(np.eye(len(a)) - a)) < _IMPOSSIBLE:
        raise SemError("the population does not exist: its paths go round in a circle that never comes to rest")


def _check_population(known: Structure) -> None:
    """Refuse residual covariances that are impossible and items that determine each other."""
    _check_solvable(known)
    names = (*known.observed, *known.latent)
    cov = known.implied(np.empty(0), 0)[0]
    for matrix, what, least in (
        (known.matrices(np.empty(0), 0)[1], "variances and residual covariances", -_IMPOSSIBLE),
        (cov, "implied covariances of the items", _IMPOSSIBLE),
    ):
        sizes, vectors = np.linalg.eigh(matrix)
        if sizes[0] < least * max(1.0, sizes[-1]):
            involved = [names[i] for i in np.flatnonzero(np.abs(vectors[:, 0]) > 0.1)]
            raise SemError(
                f"the population is not positive definite: no {what} such as these exist among {', '.join(involved)}. "
                "Give larger variances or smaller covariances"
            )


# ------------------------------------------------------------------------------------------- replications


@dataclass(frozen=True)
class _Replications:
    """Estimates and errors (reps, parameters), whether each survey converged, and whether it was inadmissible."""

    est: Array
    se: Array
    converged: NDArray[np.bool_]
    inadmissible: NDArray[np.bool_]


@dataclass(frozen=True)
class _Study:
    """A model to be estimated again and again on surveys from one population."""

    model: Model
    population: _Population
    alpha: float
    std_lv: bool

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise SemError(f"alpha must lie between 0 and 1, found {self.alpha}")
        if absent := [x for x in self.structure.observed if x not in self.population.structure.observed]:
            raise SemError(f"the population holds no variable {', '.join(absent)}; add it to the text of the truth")
        fitted = self.fitted
        if not fitted.converged:
            raise SemError(f"the model cannot be fitted even to the population itself: {fitted.optimum.message}")
        if not np.isfinite(fitted.vcov).all() or fitted.df < 0:
            raise SemError(f"no power without identification. {' '.join(fitted.problems)}")

    @cached_property
    def defaults(self) -> Defaults:
        return Defaults(means=any(term.rhs == "1" for term in self.model.terms), std_lv=self.std_lv)

    @cached_property
    def structure(self) -> Structure:
        return structure(self.model, self.defaults)

    @cached_property
    def columns(self) -> list[int]:
        """Where the model's items stand in the population."""
        return [self.population.structure.observed.index(name) for name in self.structure.observed]

    @cached_property
    def fitted(self) -> Fit:
        """The model fitted to the population itself: its estimates are the truth."""
        values = dict(zip((row.key for row in self.population.structure.table), self.population.values, strict=True))
        start = np.full(self.structure.n_free, np.nan)
        for row, k in zip(self.structure.table, self.structure.position, strict=True):
            if k >= 0:
                start[k] = values.get(row.key, np.nan)
        return self.estimate(self.population.itself.values, start if np.isfinite(start).all() else None)

    def estimate(self, values: Array, start: Array | None) -> Fit:
        """Maximum likelihood from a starting point; where that fails, from starting values made of the data."""
        choice = Choices("ML", "listwise", "expected", "standard", None, 1 - self.alpha)
        sample = [GroupSample("", values[:, self.columns])]
        found = estimate(self.model, self.structure, sample, self.defaults, choice, start=start)
        if found.converged or start is None:
            return found
        return estimate(self.model, self.structure, sample, self.defaults, choice)

    @cached_property
    def names(self) -> list[str]:
        """Free parameters, equal ones apart, then defined ones."""
        free = [_written(row) for row, k in zip(self.structure.table, self.structure.position, strict=True) if k >= 0]
        return [*free, *(definition.lhs for definition in self.model.definitions)]

    def results(self, fitted: Fit) -> tuple[Array, Array]:
        """Estimates and errors in the order of `names`."""
        position = self.structure.position[self.structure.position >= 0]
        est, variance = fitted.theta[position], np.diagonal(fitted.vcov)[position]
        if self.model.definitions:
            rows = zip(self.structure.table, self.structure.position, strict=True)
            labels = {r.label: int(k) if k >= 0 else float(r.fixed or 0.0) for r, k in rows if r.label}
            value, slope = expressions.defined(self.model.definitions, labels, fitted.theta)
            est = np.concatenate([est, value])
            variance = np.concatenate([variance, np.einsum("dq,qr,dr->d", slope, fitted.vcov, slope)])
        return est, np.sqrt(np.where(variance >= 0, variance, np.nan))

    def replicate(self, n: int, reps: int, rng: np.random.Generator, progress: Progress | None) -> _Replications:
        est, se = np.full((2, reps, len(self.names)), np.nan)
        converged, inadmissible = np.zeros((2, reps), dtype=bool)
        start = self.fitted.theta
        for r in range(reps):
            fitted = self.estimate(self.population.draw(n, rng), start)
            if fitted.converged:
                est[r], se[r] = self.results(fitted)
                converged[r] = np.isfinite(se[r]).all()
                inadmissible[r] = bool(fitted.problems)
            if progress is not None:
                progress(r + 1, reps)
        return _Replications(est, se, converged, inadmissible)


def _summary(study: _Study, sizes: Sequence[int], replications: Sequence[_Replications], seed: int) -> Power:
    import pandas as pd

    truth = study.results(study.fitted)[0]
    tables = [_table(study, truth, n, found) for n, found in zip(sizes, replications, strict=True)]
    surveys = pd.DataFrame(
        {
            "n": list(sizes),
            "reps": [len(found.converged) for found in replications],
            "converged": [int(found.converged.sum()) for found in replications],
            "inadmissible": [int((found.inadmissible & found.converged).sum()) for found in replications],
        }
    )
    return Power(pd.concat(tables, ignore_index=True), surveys, study.alpha, seed, _problems(study, surveys))


def _table(study: _Study, truth: Array, n: int, found: _Replications) -> pd.DataFrame:
    """What the converged surveys of one size say; nan where fewer than two converged."""
    import pandas as pd
    from scipy.special import ndtri

    est, se = found.est[found.converged], found.se[found.converged]
    columns = {name: np.full(len(truth), np.nan) for name in ("mean", "bias", "se_mean", "sd", "coverage", "power")}
    if len(est) > 1:
        reach = float(ndtri(1 - study.alpha / 2)) * se
        columns = {
            "mean": est.mean(axis=0),
            "bias": est.mean(axis=0) - truth,
            "se_mean": se.mean(axis=0),
            "sd": est.std(axis=0, ddof=1),
            "coverage": (np.abs(est - truth) <= reach).mean(axis=0),
            "power": (np.abs(est) > reach).mean(axis=0),
        }
    return pd.DataFrame({"n": n, "parameter": study.names, "truth": truth, **columns})


def _problems(study: _Study, surveys: pd.DataFrame) -> list[str]:
    found = [f"In the population: {problem}" for problem in study.fitted.problems]
    misfit = study.fitted.optimum.value
    if misfit > _MISFIT:
        found.append(
            f"The model is wrong in this population (discrepancy {misfit:.4f}): truth is what it comes to with endless "
            "answers, and coverage may fall short."
        )
    counts = (surveys[name].tolist() for name in ("n", "reps", "converged", "inadmissible"))
    for n, reps, converged, inadmissible in zip(*counts, strict=True):
        if converged < reps:
            found.append(f"At n = {n}, {reps - converged} of {reps} surveys gave no estimates.")
        if inadmissible:
            found.append(f"At n = {n}, {inadmissible} of {reps} solutions are inadmissible.")
    return found


def _shifted(progress: Progress, done_before: int, total: int) -> Progress:
    return lambda done, _: progress(done_before + done, total)


def _check_size(size: object, least: int, why: str, what: str = "n") -> None:
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < least:
        raise SemError(f"{what} is {size!r}, expected a whole number of at least {least}: {why}")
