"""The nonparametric bootstrap of a covariance-based fit: respondents drawn again, the model estimated again.

Errors and intervals that lean neither on normal answers nor on symmetric estimates: what an indirect effect or a
variance near zero needs (chapter on the index by SEM). Resamples are drawn within groups. By maximum likelihood on
complete data all resamples are estimated together: their moments come from draw counts, and quasi-Newton steps start
at the estimates of the sample with its information as the first metric. Other estimators go one resample at a time.

References
----------
Efron, B. & Tibshirani, R. J. (1993). An introduction to the bootstrap. Chapman & Hall.
Bollen, K. A. & Stine, R. A. (1990). Direct and indirect effects: classical and bootstrap estimates of variability.
Sociological Methodology 20, 115–140.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .errors import SemError
from .estimators import GroupSample, Objective, minimise
from .inference import inverse_information
from .matrices import Structure
from .moments import Array, SampleMoments, draw_counts

if TYPE_CHECKING:
    import pandas as pd

INTERVALS = ("percentile", "bias_corrected")
_BATCH = 256
_ITERATIONS = 150
_DECREMENT = 1e-11  # at n = 1,000 it leaves an estimate within 1e-4 standard errors of the optimum
_HALVINGS = 12
_STALLED = 1e-8  # decrement at which rounding may keep the line search from improving
_TOLERANCE = 1e-6  # below 0 by more than this a variance or an eigenvalue is negative

Progress = Callable[[int, int], None]
Flags = NDArray[np.bool_]
Statistic = Callable[[Sequence[Array], Array], dict[str, Array]]


@dataclass(frozen=True)
class FitBootstrap:
    """Draws of every parameter of a fit.

    Attributes
    ----------
    draws : array (n_used, k)
        Rows as in `.estimates` of the fit: every parameter, then the defined ones.
    estimates : array (k,)
        The values of the sample itself.
    keys : list of (lhs, op, rhs, group)
    theta : array (n_used, q)
        Free parameters of each resample.
    n_requested, not_converged, inadmissible : int
        Resamples asked for; left out because their estimation did not converge; used although their solution is
        impossible (a negative variance, a covariance matrix of the constructs that is not positive definite): an
        interval over the possible ones alone would look calm where the estimates are not.
    seed : int
    further : dict of str to array (n_used, ·)
        What the caller computed from each resample.
    """

    draws: Array
    estimates: Array
    keys: list[tuple[str, str, str, int]]
    theta: Array
    n_requested: int
    not_converged: int
    inadmissible: int
    seed: int
    further: dict[str, Array] = field(default_factory=dict)

    @property
    def n_used(self) -> int:
        """Resamples behind errors and intervals."""
        return self.n_requested - self.not_converged

    @property
    def se(self) -> Array:
        """Standard deviations of the draws, (k,); 0 where a parameter is fixed."""
        return self.draws.std(axis=0, ddof=1) * (np.ptp(self.draws, axis=0) > 0)

    @property
    def problems(self) -> list[str]:
        """What speaks against the draws, in words."""
        found = []
        if self.not_converged:
            found.append(
                f"{self.not_converged} of {self.n_requested} bootstrap resamples did not converge and are left out of "
                "errors and intervals; where they are many, the sample is too small for the model."
            )
        if self.inadmissible:
            found.append(
                f"{self.inadmissible} of {self.n_requested} bootstrap resamples have an impossible solution (a "
                "negative variance, or constructs that overlap more than is possible); they are kept, as leaving "
                "them out would narrow the intervals."
            )
        return found

    def interval(self, kind: str = "percentile", level: float = 0.95) -> tuple[Array, Array]:
        """Lower and upper ends, (k,) each.

        Parameters
        ----------
        kind : {"percentile", "bias_corrected"}
            Quantiles of the draws; the same at shares Φ(2z₀ ± z), where Φ(z₀) is the share of draws below the estimate
            (Efron & Tibshirani 1993, eq. 14.10 without acceleration).
        level : float in (0, 1)

        Raises
        ------
        SemError
            The kind is unknown or the level is not between 0 and 1.
        """
        from scipy.special import ndtr, ndtri

        if kind not in INTERVALS:
            raise SemError(f"interval {kind!r} is unknown; choose one of {', '.join(INTERVALS)}")
        if not 0 < level < 1:
            raise SemError(f"level must lie between 0 and 1, found {level}")
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        if kind == "percentile":
            lower, upper = np.quantile(self.draws, tails, axis=0)
            return lower, upper
        below = np.mean(self.draws < self.estimates, axis=0) + np.mean(self.draws == self.estimates, axis=0) / 2
        least = 1 / (2 * self.n_used)
        z0 = ndtri(np.clip(below, least, 1 - least))
        shares = ndtr(2 * z0 + ndtri(tails)[:, None])
        ends = np.array([np.quantile(draw, share) for draw, share in zip(self.draws.T, shares.T, strict=True)])
        return ends[:, 0], ends[:, 1]

    def table(self, interval: str = "percentile", level: float = 0.95) -> pd.DataFrame:
        """lhs, op, rhs, group, est, bias (mean draw − estimate), se, ci_lower, ci_upper."""
        import pandas as pd

        lower, upper = self.interval(interval, level)
        bias = self.draws.mean(axis=0) - self.estimates
        table = pd.DataFrame(self.keys, columns=["lhs", "op", "rhs", "group"])
        return table.assign(est=self.estimates, bias=bias, se=self.se, ci_lower=lower, ci_upper=upper)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON; without the draws."""
        counts = {name: getattr(self, name) for name in ("n_requested", "n_used", "not_converged", "inadmissible")}
        return {**counts, "seed": self.seed, "estimates": self.table().to_dict("records"), "problems": self.problems}

    def __repr__(self) -> str:
        return f"FitBootstrap: {self.n_used} of {self.n_requested} resamples of {len(self.keys)} parameters used"

    def _repr_html_(self) -> str:
        from html import escape

        told = "".join(f"<p>{escape(text)}</p>" for text in (repr(self), *self.problems))
        return self.table().round(3).to_html(index=False) + told


@dataclass(frozen=True)
class Origin:
    """The fit that is resampled.

    Attributes
    ----------
    structure : Structure
    samples : sequence of GroupSample
    means : bool
    theta : array (q,)
    K : array (q, u)
    information : array (q, q)
        Expected information of one observation at theta.
    objective : callable
        Makes the estimator's discrepancy of the samples of a resample.
    together : bool
        Whether the estimator is maximum likelihood on complete data, so that resamples go together.
    """

    structure: Structure
    samples: Sequence[GroupSample]
    means: bool
    theta: Array
    K: Array
    information: Array
    objective: Callable[[list[GroupSample]], Objective]
    together: bool

    @property
    def offset(self) -> Array:
        """The part of theta that linear constraints fix."""
        return self.theta - self.K @ (self.K.T @ self.theta)


def draw(
    origin: Origin, n: int, seed: int, progress: Progress | None = None, statistic: Statistic | None = None
) -> tuple[Array, Flags, Flags, dict[str, Array]]:
    """Estimate n resamples.

    Returns
    -------
    theta : array (n, q)
    converged, admissible : array (n,) of bool
    further : dict of str to array (converged, ·)
        What `statistic` gives.

    Raises
    ------
    SemError
        n is below 2, the seed is negative, or fewer than 2 resamples converged.
    """
    if n < 2:
        raise SemError(f"a bootstrap needs at least 2 resamples, found {n}; 1000 or more give a steady interval")
    if seed < 0:
        raise SemError(f"seed must be 0 or more, found {seed}")
    rngs = np.random.default_rng(seed).spawn(len(origin.samples))
    tables = [SampleMoments(sample.values) for sample in origin.samples] if origin.together else []
    found, converged, admissible = [], [], []
    further: list[dict[str, Array]] = []
    size = _BATCH if origin.together else 1
    for start in range(0, n, size):
        counts = [draw_counts(rng, min(size, n - start), s.n) for rng, s in zip(rngs, origin.samples, strict=True)]
        theta, settled = np.tile(origin.theta, (len(counts[0]), 1)), np.zeros(len(counts[0]), dtype=bool)
        if origin.together:
            batch = _batch(origin, tables, counts)
            theta, settled = _minimise(batch, origin)
        for k in np.flatnonzero(~settled):
            theta[k], settled[k] = _alone(origin, [count[k] for count in counts])
        found.append(theta)
        converged.append(settled)
        admissible.append(_admissible(origin.structure, theta))
        if statistic is not None and settled.any():
            further.append(statistic([count[settled] for count in counts], theta[settled]))
        if progress is not None:
            progress(start + len(theta), n)
    settled = np.concatenate(converged)
    if settled.sum() < 2:
        raise SemError(
            f"only {int(settled.sum())} of {n} resamples gave an estimate; the sample is too small for the model, and "
            "no interval can be stated"
        )
    told = {name: np.concatenate([batch[name] for batch in further]) for name in (further[0] if further else ())}
    return np.concatenate(found), settled, np.concatenate(admissible), told


def _alone(origin: Origin, counts: Sequence[Array]) -> tuple[Array, bool]:
    """One resample by the estimator's own search."""
    drawn = [np.repeat(s.values, count.astype(int), axis=0) for s, count in zip(origin.samples, counts, strict=True)]
    samples = [GroupSample(s.name, values) for s, values in zip(origin.samples, drawn, strict=True)]
    try:
        with np.errstate(all="ignore"):
            optimum = minimise(origin.objective(samples), origin.theta, origin.K, origin.offset)
    except (np.linalg.LinAlgError, SemError):  # a resample in which an item is constant
        return origin.theta, False
    return optimum.theta, optimum.converged and bool(np.isfinite(optimum.value))


def _admissible(structure: Structure, theta: Array) -> Flags:
    """Whether the variances are positive and the covariance matrix of the constructs positive definite, (b,)."""
    position = structure.position
    rows = [k for k, row in enumerate(structure.table) if row.op == "~~" and row.lhs == row.rhs and position[k] >= 0]
    result = np.all(theta[:, position[rows]] > -_TOLERANCE, axis=1)
    p, whole = len(structure.observed), _Moved(structure, theta, _fixed(structure, len(theta)))
    for group in range(structure.groups):
        b, s, _ = whole.matrices(group)
        latent = (b @ s @ b.transpose(0, 2, 1))[:, p:, p:]
        if latent.shape[1]:
            result &= np.linalg.eigvalsh(latent)[:, 0] > -_TOLERANCE
    return result


def _fixed(structure: Structure, b: int) -> Array:
    """Values of the fixed rows of the table, (b, rows); nan where a row is free."""
    return np.tile([np.nan if row.fixed is None else row.fixed for row in structure.table], (b, 1))


@dataclass(frozen=True)
class _Moved:
    """A structure at b values of theta."""

    structure: Structure
    theta: Array
    fixed: Array

    def matrices(self, group: int) -> tuple[Array, Array, Array]:
        """B = (I − A)⁻¹ (b, m, m), S (b, m, m) and m (b, m)."""
        structure = self.structure
        size, b = len(structure.observed) + len(structure.latent), len(self.theta)
        values = np.where(structure.position >= 0, self.theta[:, structure.position], self.fixed)
        a, s, m = np.zeros((b, size, size)), np.zeros((b, size, size)), np.zeros((b, size))
        places = structure.places[group]
        rows, i, j, _ = places["A"]
        a[:, i, j] = values[:, rows]
        rows, i, j, _ = places["S"]
        s[:, i, j] = s[:, j, i] = values[:, rows]
        rows, i, _, _ = places["m"]
        m[:, i] = values[:, rows]
        return np.asarray(np.linalg.inv(np.eye(size) - a), dtype=np.float64), s, m


@dataclass(frozen=True)
class _Batch:
    """Moments of b resamples of every group: cov (b, p, p) with divisor n, mean (b, p); shares n_g/N; fixed rows."""

    structure: Structure
    cov: list[Array]
    mean: list[Array]
    shares: list[float]
    means: bool
    fixed: Array

    def take(self, rows: NDArray[Any]) -> _Batch:
        return _Batch(
            self.structure,
            [cov[rows] for cov in self.cov],
            [mean[rows] for mean in self.mean],
            self.shares,
            self.means,
            self.fixed[rows],
        )

    def evaluate(self, theta: Array) -> tuple[Array, Array]:
        """log|Σ| + tr(VT), T = S + (m − μ)(m − μ)', and its gradient as in `MLObjective`; (b,) and (b, q).

        The value is infinite where an implied covariance is not positive definite.
        """
        moved, p = _Moved(self.structure, theta, self.fixed), len(self.structure.observed)
        value, gradient = np.zeros(len(theta)), np.zeros(theta.shape)
        for group, share in enumerate(self.shares):
            b, s, m = moved.matrices(group)
            ft = b[:, :p].transpose(0, 2, 1)
            g = b @ s @ ft
            cov, level = g[:, :p], np.einsum("bij,bj->bi", b, m)
            possible = _positive(cov)
            cov = np.where(possible[:, None, None], cov, np.eye(p))
            v, about = np.linalg.inv(cov), self.cov[group]
            away = (self.mean[group] - level[:, :p]) * self.means
            about = about + away[:, :, None] * away[:, None, :]
            va = v @ about
            f_part = np.linalg.slogdet(cov)[1] + np.trace(va, axis1=1, axis2=2)
            value += share * np.where(possible, f_part, np.inf)
            omega = v - va @ v
            gradient += share * self._gathered(group, ft, omega, g, level, np.einsum("bij,bj->bi", v, away))
        return value, gradient

    def _gathered(self, group: int, ft: Array, omega: Array, g: Array, level: Array, pull: Array) -> Array:
        """The gradient by cells of A, S and m, summed up for each parameter, (b, q)."""
        (a_i, a_j, s_i, s_j, m_i), gather = self.structure.free_cells[group]
        half = ft @ omega
        by_a, by_s = 2 * (half @ g.transpose(0, 2, 1)), 2 * (half @ ft.transpose(0, 2, 1))
        lift = 2 * np.einsum("bij,bj->bi", ft, pull)
        cells = np.concatenate(
            [
                by_a[:, a_i, a_j] - lift[:, a_i] * level[:, a_j],
                by_s[:, s_i, s_j] * np.where(s_i == s_j, 0.5, 1.0),
                -lift[:, m_i],
            ],
            axis=1,
        )
        return cells @ gather.T


def _batch(origin: Origin, tables: Sequence[SampleMoments], counts: Sequence[Array]) -> _Batch:
    """The moments of resamples, those of given covariates filled in."""
    structure, total = origin.structure, sum(sample.n for sample in origin.samples)
    moments = [table.resampled(count) for table, count in zip(tables, counts, strict=True)]
    cov = [m.cov * ((table.n - 1) / table.n) for m, table in zip(moments, tables, strict=True)]
    mean = [m.mean for m in moments]
    fixed = _fixed(structure, len(counts[0]))
    index = {name: i for i, name in enumerate(structure.observed)}
    for k, row in enumerate(structure.table):
        if row.covariate:
            i, j = index[row.lhs], index.get(row.rhs, 0)
            fixed[:, k] = mean[row.group][:, i] if row.op == "~1" else cov[row.group][:, i, j]
    return _Batch(structure, cov, mean, [table.n / total for table in tables], origin.means, fixed)


def _positive(cov: Array) -> Flags:
    """Which matrices of a stack are positive definite."""
    try:
        np.linalg.cholesky(cov)
    except np.linalg.LinAlgError:
        return np.linalg.eigvalsh(cov)[:, 0] > 0
    return np.ones(len(cov), dtype=bool)


def _minimise(batch: _Batch, origin: Origin) -> tuple[Array, Flags]:
    """Quasi-Newton steps (BFGS) of every resample until each has settled; theta (b, q) and whether it converged."""
    b = len(batch.fixed)
    theta, converged = np.tile(origin.theta, (b, 1)), np.zeros(b, dtype=bool)
    K = origin.K
    start = K.T @ inverse_information(origin.information, K) @ K
    metric, active = np.tile(start, (b, 1, 1)), np.arange(b)
    value, gradient = batch.evaluate(theta)
    slope, here, part = gradient @ K, theta.copy(), batch
    for _ in range(_ITERATIONS):
        step = -np.einsum("bij,bj->bi", metric, slope) / 2
        decrement = -np.einsum("bi,bi->b", slope, step)
        settled = np.abs(decrement) < _DECREMENT
        theta[active], converged[active[settled]] = here, True
        going = ~settled & (decrement > 0) & np.isfinite(value)
        if not going.all():
            active, part = active[going], part.take(going)
            here, value, slope, metric = here[going], value[going], slope[going], metric[going]
            step, decrement = step[going], decrement[going]
        if not len(active):
            break
        length, value, gradient = _lengths(part, here, step @ K.T, value, decrement)
        here = here + length[:, None] * (step @ K.T)
        change = gradient @ K - slope
        slope = slope + change
        metric = _bfgs(metric, length[:, None] * step, change / 2)
        if (stuck := length == 0).any():  # rounding keeps the search from improving, or it went astray
            theta[active[stuck]], converged[active[stuck]] = here[stuck], decrement[stuck] < _STALLED
            active, part, here = active[~stuck], part.take(~stuck), here[~stuck]
            value, slope, metric = value[~stuck], slope[~stuck], metric[~stuck]
    return theta, converged


def _lengths(batch: _Batch, theta: Array, step: Array, value: Array, decrement: Array) -> tuple[Array, Array, Array]:
    """For each resample the first of the lengths 1, ½, ¼ … that lowers F enough (0: none); F and gradient there."""
    length = np.ones(len(theta))
    new, gradient = batch.evaluate(theta + step)
    for halving in range(_HALVINGS):
        short = np.flatnonzero(~(new <= value - 1e-4 * length * decrement + 1e-14 * np.abs(value)))
        if not len(short):
            break
        length[short] = 0.0 if halving == _HALVINGS - 1 else length[short] / 2
        new[short], gradient[short] = batch.take(short).evaluate(theta[short] + length[short, None] * step[short])
    return length, new, gradient


def _bfgs(metric: Array, step: Array, change: Array) -> Array:
    """Inverse metrics that agree with the last change of the slope (Nocedal & Wright 2006, 6.17); kept where flat."""
    along = np.einsum("bi,bi->b", step, change)
    sizes = np.sqrt(np.einsum("bi,bi->b", step, step) * np.einsum("bi,bi->b", change, change))
    sound = along > 1e-10 * sizes
    along = np.where(sound, along, 1.0)[:, None, None]
    carried = np.einsum("bij,bj->bi", metric, change)
    crossed = carried[:, :, None] * step[:, None, :]
    bend = 1 + np.einsum("bi,bi->b", change, carried)[:, None, None] / along
    update = bend * step[:, :, None] * step[:, None, :] / along - (crossed + crossed.transpose(0, 2, 1)) / along
    return metric + np.where(sound[:, None, None], update, 0.0)
