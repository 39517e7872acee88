"""Maximum likelihood from incomplete answers: every respondent counts with the items answered (full information ML).

Respondents who left out the same items form a pattern. A pattern with n rows, mean ȳ and scatter S (divisor n) of its
answered items o adds to the log-likelihood (Arbuckle 1996, eq. 10, summed over the rows of the pattern)

    log L = −n/2 · [ |o| log 2π + log|Σ_oo| + tr(Σ_oo⁻¹ C) ],    C = S + d d',   d = ȳ − μ_o,

so the cost depends on the number of patterns, not of rows. All patterns are computed at once: matrices of the answered
items are kept at full size with zeros in the rows and columns of the items left out. With W = Σ_oo⁻¹ so padded, the
first and second derivatives by the moments are

    ∂ log L/∂μ = n W d,    ∂ log L/∂Σ = −n/2 · (W − W C W),
    −d² log L  = n δμ'Wδμ + 2 n δμ'W δΣ W d + tr(δΣ W δΣ B),    B = n (W C W − W/2),

with expectations under the model d → 0, W C W → W. A model's own derivatives follow by the chain rule. Moments are
stacked as means first, then the covariance by columns of its lower triangle. Missing answers may depend on answers
that were given, not on those withheld (missing at random).

References
----------
Arbuckle, J. L. (1996). Full information estimation in the presence of incomplete data. In Marcoulides & Schumacker
(eds.), Advanced Structural Equation Modeling, 243–277.
Jamshidian, M. & Jennrich, R. I. (1997). Acceleration of the EM algorithm by using quasi-Newton methods. Journal of the
Royal Statistical Society B 59, 569–587.
Savalei, V. & Bentler, P. M. (2009). A two-stage approach to missing data. Structural Equation Modeling 16, 477–497.
Varadhan, R. & Roland, C. (2008). Simple and globally convergent methods for accelerating the convergence of any EM
algorithm. Scandinavian Journal of Statistics 35, 335–353.
Yuan, K.-H. & Bentler, P. M. (2000). Three likelihood-based methods for mean and covariance structure analysis with
nonnormal missing data. Sociological Methodology 30, 165–200.
Zhang, X. & Savalei, V. (2023). New computations for RMSEA and CFI following FIML and TS estimation with missing data.
Psychological Methods 28, 263–283.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .curvature import curvature
from .errors import SemError
from .estimators import stacked_derivatives
from .matrices import Structure
from .moments import Array, inverse

Positions = NDArray[np.intp]

_LOG_2PI = math.log(2 * math.pi)
_SINGULAR = 1e-9  # smallest eigenvalue of a correlation matrix that still counts as positive


class Sample(Protocol):
    """What this module asks of the sample of one group: a name and answers (n, p), nan where missing."""

    @property
    def name(self) -> str: ...

    @property
    def values(self) -> Array: ...


@dataclass(frozen=True)
class Patterns:
    """Rows of a table grouped by which of its p items are answered; patterns with most rows come first.

    Attributes
    ----------
    values : array (n, p)
        The rows that hold at least one answer.
    kept : bool array
        Which rows of the table these are.
    observed : bool array (K, p)
        Items answered in each pattern.
    rows : int array (n,)
        Pattern of each row.
    n_rows : array (K,)
    mean : array (K, p)
        Means of each pattern, 0 where missing.
    """

    values: Array
    kept: NDArray[np.bool_]
    observed: NDArray[np.bool_]
    rows: Positions
    n_rows: Array
    mean: Array

    @property
    def n(self) -> int:
        """Number of rows that hold an answer."""
        return len(self.values)

    @property
    def left_out(self) -> int:
        """Number of rows without any answer."""
        return len(self.kept) - len(self.values)

    @cached_property
    def members(self) -> list[Positions]:
        """Positions of the rows of each pattern."""
        return np.split(np.argsort(self.rows, kind="stable"), np.cumsum(self.n_rows[:-1]).astype(np.intp))

    @cached_property
    def scatter(self) -> Array:
        """Covariances with divisor n_rows of the R patterns that hold more than one row, (R, p, p), 0 where missing."""
        repeated = int((self.n_rows > 1).sum())
        scatter = np.zeros((repeated, *self.observed.shape[1:], *self.observed.shape[1:]))
        for k, members in enumerate(self.members[:repeated]):
            deviation = np.where(self.observed[k], self.values[members] - self.mean[k], 0.0)
            scatter[k] = deviation.T @ deviation / len(members)
        return scatter

    @cached_property
    def missing(self) -> tuple[Positions, NDArray[np.bool_]]:
        """Positions of the missing items of each pattern, (K, M), filled up to equal length, and which are real."""
        absent = ~self.observed
        count = absent.sum(axis=1)
        widest = int(count.max(initial=0))
        return np.argsort(~absent, axis=1, kind="stable")[:, :widest], np.arange(widest) < count[:, None]

    @cached_property
    def coverage(self) -> Array:
        """Share of the rows in which two items are both answered, (p, p)."""
        return (self.observed * self.n_rows[:, None]).T @ self.observed / self.n


def patterns(values: Array, names: Sequence[str] | None = None) -> Patterns:
    """Group the rows of a table by the items they answer.

    Parameters
    ----------
    values : array (n, p)
        Answers; nan where missing.
    names : sequence of str, optional
        Names of the items, for errors.

    Raises
    ------
    SemError
        An infinite value, or an item that nobody answered.

    Examples
    --------
    >>> found = patterns(np.array([[1.0, 2.0], [3.0, np.nan], [3.0, 4.0], [np.nan, np.nan]]))
    >>> found.observed.tolist(), found.n_rows, found.left_out
    ([[True, True], [True, False]], array([2., 1.]), 1)
    """
    values = np.asarray(values, dtype=float)
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise SemError(f"{_name(names, column)} is infinite in row {row + 1}; answers are finite numbers or missing")
    present = ~np.isnan(values)
    if not present.any(axis=0).all():
        column = int(np.argmin(present.any(axis=0)))
        raise SemError(f"{_name(names, column)} holds no answer at all; leave it out of the model")
    kept = np.asarray(present.any(axis=1))
    values, present = values[kept], present[kept]
    _, first, rows, count = np.unique(
        np.packbits(present, axis=1), axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(-count, kind="stable")
    rows = np.argsort(order)[rows.reshape(-1)]
    observed, n_rows = present[first[order]], count[order].astype(float)
    mean = np.zeros(observed.shape)
    np.add.at(mean, rows, np.where(present, values, 0.0))
    return Patterns(values, kept, observed, rows, n_rows, mean / n_rows[:, None])


def _name(names: Sequence[str] | None, column: int) -> str:
    return f"column {column + 1}" if names is None else str(names[column])


@dataclass(frozen=True)
class _Fitted:
    """A table's patterns at moments (μ, Σ): W (K, p, p), log|Σ_oo| (K,), d (K, p) and y = W d (K, p) of the module."""

    patterns: Patterns
    precision: Array
    log_det: Array
    deviation: Array
    weighted: Array

    @classmethod
    def at(cls, patterns: Patterns, mean: Array, cov: Array) -> _Fitted:
        """Raises LinAlgError where Σ is not positive definite.

        With Ω = Σ⁻¹ and the missing items m, Σ_oo⁻¹ = Ω_oo − Ω_om Ω_mm⁻¹ Ω_mo and |Σ_oo| = |Σ| |Ω_mm|: matrices of the
        size of the few missing items are inverted, not of the many answered ones.
        """
        root = np.linalg.cholesky(cov)
        omega = np.linalg.inv(cov)
        missing, real = patterns.missing
        cross = omega[missing] * real[:, :, None]
        inner = np.take_along_axis(cross, missing[:, None, :], axis=2) * real[:, None, :]
        inner += np.eye(missing.shape[1]) * ~real[:, :, None]
        precision = omega - cross.transpose(0, 2, 1) @ np.linalg.solve(inner, cross)
        precision *= patterns.observed[:, :, None] & patterns.observed[:, None, :]
        log_det = 2 * np.log(np.diagonal(root)).sum() + np.linalg.slogdet(inner)[1]
        deviation = np.where(patterns.observed, patterns.mean - mean, 0.0)
        weighted = (precision @ deviation[:, :, None])[:, :, 0]
        return cls(patterns, precision, log_det, deviation, weighted)

    @property
    def log_likelihood(self) -> float:
        """Arbuckle (1996), eq. 10."""
        found = self.patterns
        repeated = len(found.scatter)
        distance = (self.deviation * self.weighted).sum(axis=1)
        distance[:repeated] += (self.precision[:repeated] * found.scatter).sum(axis=(1, 2))
        return float(-0.5 * found.n_rows @ (found.observed.sum(axis=1) * _LOG_2PI + self.log_det + distance))

    @cached_property
    def _weighted_scatter(self) -> Array:
        """W S W of the patterns of more than one row, (R, p, p)."""
        w = self.precision[: len(self.patterns.scatter)]
        return w @ self.patterns.scatter @ w

    @cached_property
    def gradient(self) -> tuple[Array, Array]:
        """∂ log L/∂μ (p,) and ∂ log L/∂Σ (p, p), the latter with every cell of Σ on its own."""
        n, y, repeated = self.patterns.n_rows, self.weighted, len(self.patterns.scatter)
        inner = np.tensordot(n, self.precision, 1) - (y * n[:, None]).T @ y
        inner -= np.tensordot(n[:repeated], self._weighted_scatter, 1)
        return n @ y, -0.5 * inner

    def information(self, expected: bool) -> Array:
        """−∂² log L by the stacked moments, (p + p*, p + p*), p* = p(p + 1)/2; `expected` takes it under the model."""
        n, w, y = self.patterns.n_rows, self.precision, self.weighted
        p = w.shape[1]
        i, j = np.triu_indices(p)
        cross = np.zeros((p, len(i)))
        if expected:
            half = w[:, i, j] * np.sqrt(n / 2)[:, None]
            sums = half.T @ half
        else:
            inner = y[:, :, None] * y[:, None, :] - 0.5 * w
            inner[: len(self._weighted_scatter)] += self._weighted_scatter
            third = np.tensordot(w, y * n[:, None], axes=(0, 0))
            cross = (third[:, i, j] + third[:, j, i]) / np.where(i == j, 2, 1)
            sums = (w[:, i, j] * n[:, None]).T @ inner[:, i, j]
        return np.block([[np.tensordot(n, w, 1), cross], [cross.T, _kronecker_block(sums, p)]])

    def scores(self) -> Array:
        """∂ log L of each row by the stacked moments, (n, p + p*)."""
        found = self.patterns
        i, j = np.triu_indices(found.values.shape[1])
        mean = found.mean - self.deviation  # the model's mean of the answered items
        y = np.where(found.observed[found.rows], found.values - mean[found.rows], 0.0)
        for members, w in zip(found.members, self.precision, strict=True):
            y[members] = y[members] @ w
        inner = self.precision[:, i, j][found.rows] - y[:, i] * y[:, j]
        return np.hstack([y, -np.where(i == j, 0.5, 1.0) * inner])


def moment_fit(table: Array | Patterns, mean: Array, cov: Array) -> _Fitted:
    """An incomplete table at given moments, with its `.log_likelihood`, `.gradient`, `.information` and `.scores`."""
    return _Fitted.at(table if isinstance(table, Patterns) else patterns(table), mean, cov)


def _kronecker_block(sums: Array, p: int) -> Array:
    """From Σ_k vech(W_k) vech(B_k)' to the matrix of Σ_k tr(E_r W_k E_s B_k), E_r = ∂Σ/∂σ_r, both (p*, p*)."""
    one, other, once = _kronecker_cells(p)
    both = np.ravel(sums + sums.T)  # the two orders of E_r and of E_s at once: W and B are symmetric
    block = both.take(one)
    block += both.take(other)
    return block * once[:, None] * once


@lru_cache(maxsize=4)
def _kronecker_cells(p: int) -> tuple[Positions, Positions, Array]:
    """Where `_kronecker_block` reads its two terms in the flattened sums, and what the diagonal counts for."""
    i, j = np.triu_indices(p)
    place = np.empty((p, p), dtype=np.intp)
    place[i, j] = place[j, i] = np.arange(len(i))
    one = place[np.ix_(j, i)] * len(i) + place[np.ix_(i, j)]
    other = place[np.ix_(j, j)] * len(i) + place[np.ix_(i, i)]
    return one, other, np.where(i == j, 0.5, 1.0)


@dataclass(frozen=True)
class SaturatedMoments:
    """Maximum likelihood means (p,) and covariances (p, p) without a model, their log-likelihood and how EM ended."""

    mean: Array
    cov: Array
    log_likelihood: float
    converged: bool
    iterations: int


def saturated(
    table: Array | Patterns,
    names: Sequence[str] | None = None,
    *,
    tolerance: float = 1e-10,
    max_iterations: int = 1000,
) -> SaturatedMoments:
    """Maximum likelihood moments of an incomplete table by the EM algorithm, from available-case moments.

    An EM step is a step along the gradient, with N the rows and L log-likelihood (Jamshidian & Jennrich 1997, sec. 5):
    μ⁺ = μ + δ, Σ⁺ = Σ + 2 Σ (∂L/∂Σ) Σ / N − δ δ' with δ = Σ (∂L/∂μ) / N. Steps are lengthened by the third scheme of
    Varadhan & Roland (2008) where that does not lower the likelihood.

    Parameters
    ----------
    table : array (n, p) or Patterns
        Answers, nan where missing.
    names : sequence of str, optional
        Names of the items, for errors.
    tolerance : float
        EM has converged when no moment moves by more than this many standard deviations (squared for covariances).
    max_iterations : int
        EM steps.

    Raises
    ------
    SemError
        As `patterns`; two items that nobody answered both of, a constant item, or linearly dependent items.

    Examples
    --------
    >>> table = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 5.0], [4.0, np.nan]])
    >>> saturated(table).mean.round(3)                    # the fourth answer is expected at 5.667
    array([2.5  , 3.417])
    """
    found = table if isinstance(table, Patterns) else patterns(table, names)
    _check_coverage(found, names)
    moments = _available_case_moments(found, names)
    sd = np.sqrt(np.diagonal(moments[1:]))
    unit = np.vstack([sd, np.outer(sd, sd)])
    iterations, converged = 0, False
    try:
        fitted = _Fitted.at(found, moments[0], moments[1:])
        while not converged and iterations < max_iterations:
            one = _em_step(fitted, moments)
            after = _Fitted.at(found, one[0], one[1:])
            two = _em_step(after, one)
            iterations += 2
            converged = bool(np.abs((two - one) / unit).max() < tolerance)
            moments, fitted = _lengthened(after, (moments, one, two), unit)
    except np.linalg.LinAlgError:
        raise _dependent(one[1:] if iterations else moments[1:], found.n, names) from None
    scale = np.sqrt(np.diagonal(moments[1:]))
    if np.linalg.eigvalsh(moments[1:] / np.outer(scale, scale))[0] < _SINGULAR:
        raise _dependent(moments[1:], found.n, names)
    return SaturatedMoments(moments[0], moments[1:], fitted.log_likelihood, converged, iterations)


def _check_coverage(found: Patterns, names: Sequence[str] | None) -> None:
    never = np.argwhere(np.triu(found.coverage == 0))
    if len(never):
        pairs = [f"{_name(names, i)} and {_name(names, j)}" for i, j in never[:3]]
        more = f" and {len(never) - 3} more pairs" if len(never) > 3 else ""
        raise SemError(
            f"{', '.join(pairs)}{more} are never both answered by the same respondent, so that the data say nothing of "
            "their covariance. Leave out one of them, or collect answers to both"
        )


def _available_case_moments(found: Patterns, names: Sequence[str] | None) -> Array:
    """Means (first row) and covariances of the answers present; covariances 0 where pairs together are not definite."""
    values = found.values
    mean = np.nanmean(values, axis=0)
    deviation = np.where(np.isnan(values), 0.0, values - mean)
    cov = deviation.T @ deviation / found.n / np.where(found.coverage > 0, found.coverage, 1.0)
    variance = np.diagonal(cov)
    constant = variance <= (np.finfo(float).eps * np.abs(mean)) ** 2
    if constant.any():
        raise SemError(
            f"{_name(names, int(np.argmax(constant)))} has the same value in every row that answers it; leave it out"
        )
    sd = np.sqrt(variance)
    definite = np.linalg.eigvalsh(cov / np.outer(sd, sd))[0] > _SINGULAR
    if not definite and found.observed.all():
        raise _dependent(cov, found.n, names)
    return np.vstack([mean, cov if definite else np.diag(variance)])


def _em_step(fitted: _Fitted, moments: Array) -> Array:
    n, cov = fitted.patterns.n, moments[1:]
    by_mean, by_cov = fitted.gradient
    shift = cov @ by_mean / n
    after = cov + 2 * cov @ by_cov @ cov / n - np.outer(shift, shift)
    return np.vstack([moments[0] + shift, (after + after.T) / 2])


def _lengthened(middle: _Fitted, steps: tuple[Array, Array, Array], unit: Array) -> tuple[Array, _Fitted]:
    """From three successive EM moments the extrapolated ones, or the last where the likelihood would fall."""
    zero, one, two = steps
    r, v = one - zero, two - 2 * one + zero
    size = np.linalg.norm(v / unit)
    alpha = -max(1.0, float(np.linalg.norm(r / unit) / size)) if size > 0 else -1.0
    if alpha < -1:
        beyond = zero - 2 * alpha * r + alpha**2 * v
        try:
            fitted = _Fitted.at(middle.patterns, beyond[0], beyond[1:])
        except np.linalg.LinAlgError:
            pass
        else:
            if fitted.log_likelihood >= middle.log_likelihood:
                return beyond, fitted
    return two, _Fitted.at(middle.patterns, two[0], two[1:])


def _dependent(cov: Array, n: int, names: Sequence[str] | None) -> SemError:
    sd = np.sqrt(np.diagonal(cov))
    weights = np.abs(np.linalg.eigh(cov / np.outer(sd, sd))[1][:, 0])
    listed = ", ".join(_name(names, int(k)) for k in np.flatnonzero(weights > 0.2 * weights.max())[:8])
    return SemError(
        f"the covariance matrix of the {len(cov)} items over {n} rows is singular: {listed} depend linearly on each "
        "other. Leave out the item that repeats the others, or collect more answers"
    )


@dataclass(frozen=True)
class IndependenceMoments:
    """Means (p,), covariances (p, p), 0 but among covariates, and log-likelihood of the baseline model."""

    mean: Array
    cov: Array
    log_likelihood: float


def independence(table: Array | Patterns, covariates: Sequence[int] | Positions = ()) -> IndependenceMoments:
    """The baseline model: items are independent, save those at the positions `covariates`, which covary freely.

    Independent items have separate likelihoods, each at its maximum at the moments of the answers present.

    Examples
    --------
    >>> independence(np.array([[1.0, 2.0], [3.0, np.nan], [2.0, 6.0]])).cov.round(3)
    array([[0.667, 0.   ],
           [0.   , 4.   ]])
    """
    values = (table if isinstance(table, Patterns) else patterns(table)).values
    mean, variance = np.nanmean(values, axis=0), np.nanvar(values, axis=0)
    cov = np.diag(variance)
    alone = np.ones(len(mean), dtype=bool)
    total = 0.0
    if len(covariates):
        together = list(covariates)
        free = saturated(values[:, together])
        mean[together], cov[np.ix_(together, together)], total = free.mean, free.cov, free.log_likelihood
        alone[together] = False
    answered = (~np.isnan(values)).sum(axis=0)
    total += float(-0.5 * answered[alone] @ (_LOG_2PI + np.log(variance[alone]) + 1))
    return IndependenceMoments(mean, cov, total)


@dataclass(frozen=True)
class CompleteDataTest:
    """N times the complete-data discrepancy of the saturated from the implied moments, and its mean under the model."""

    statistic: float
    expectation: float


def _discrepancy(moments: SaturatedMoments, cov: Array, mean: Array) -> float:
    """F = log|Σ| − log|S| + tr(S Σ⁻¹) − p + (m − μ)'Σ⁻¹(m − μ) of saturated (m, S) from implied (μ, Σ) moments."""
    away = moments.mean - mean
    ratio = np.linalg.solve(cov, moments.cov + np.outer(away, away))
    log_det = np.linalg.slogdet(cov)[1] - np.linalg.slogdet(moments.cov)[1]
    return float(log_det + np.trace(ratio) - len(cov))


def _complete_information(cov: Array) -> Array:
    """Information of one complete observation on the stacked moments, at the moments themselves."""
    precision = inverse(cov)
    p = len(cov)
    packed = precision[np.triu_indices(p)]
    block = _kronecker_block(np.outer(packed, packed) / 2, p)
    none = np.zeros((p, len(block)))
    return np.block([[precision, none], [none.T, block]])


class SaturatedInformation:
    """What the answers of one group tell about its stacked moments, at the saturated ones, of one observation.

    Moments of given covariates are not estimated, so that nothing is told of them: they are left out. Everything is
    computed when it is asked for, and kept: the tests of the model and of its baseline ask for the same.

    Parameters
    ----------
    patterns : Patterns
    moments : SaturatedMoments
    given : sequence of int
        Positions of the given covariates.
    """

    def __init__(self, patterns: Patterns, moments: SaturatedMoments, given: Sequence[int] | Positions = ()):
        self._patterns, self._moments = patterns, moments
        fixed = np.isin(np.arange(len(moments.mean)), given)
        i, j = np.triu_indices(len(fixed))
        self.estimated = np.flatnonzero(~np.concatenate([fixed, fixed[i] & fixed[j]]))

    def _estimated(self, full: Array) -> Array:
        return full if len(full) == len(self.estimated) else full[np.ix_(self.estimated, self.estimated)]

    @property
    def _fitted(self) -> _Fitted:
        return _Fitted.at(self._patterns, self._moments.mean, self._moments.cov)

    @property
    def scores(self) -> Array:
        """∂ log L of each row by the stacked moments, (n, k)."""
        return self._fitted.scores()[:, self.estimated]

    @cached_property
    def observed(self) -> Array:
        """W̃, the observed information of the incomplete answers, (k, k)."""
        return self._estimated(self._fitted.information(expected=False)) / self._patterns.n

    @cached_property
    def expected(self) -> Array:
        """The expected information of the incomplete answers, (k, k)."""
        return self._estimated(self._fitted.information(expected=True)) / self._patterns.n

    @cached_property
    def inverse(self) -> Array:
        """W̃⁻¹, (k, k)."""
        return inverse(self.observed)

    @cached_property
    def products(self) -> Array:
        """J, the mean product of the casewise scores, (k, k)."""
        scores = self.scores
        return scores.T @ scores / len(scores)

    @cached_property
    def complete(self) -> Array:
        """W, the information of complete normal answers, (k, k)."""
        return self._estimated(_complete_information(self._moments.cov))

    @cached_property
    def trace(self) -> float:
        """tr(W̃⁻¹J)."""
        return float(np.vdot(self.inverse, self.products))

    @cached_property
    def expected_trace(self) -> float:
        """tr(W̃⁻¹J) with the expected information in place of the observed one."""
        return float(np.vdot(inverse(self.expected), self.products))

    @cached_property
    def normal_ratio(self) -> float:
        """tr(W W̃⁻¹)."""
        return float(np.vdot(self.complete, self.inverse))

    @cached_property
    def robust_ratio(self) -> float:
        """tr(W W̃⁻¹J W̃⁻¹)."""
        return float(np.vdot((self.complete @ self.inverse).T, self.products @ self.inverse))


def _expected_discrepancy(
    groups: Sequence[SaturatedInformation],
    shares: Sequence[float],
    derivatives: Sequence[Array],
    robust: bool,
    expected: bool,
) -> float:
    """tr(W W̃⁻¹U Γ U W̃⁻¹) over groups that share parameters, without a product of matrices as large as the moments.

    With A = (Δ'W̃Δ)⁻¹ the residual maker is W̃⁻¹U = I − ΔAΔ'W̃, so that with Γ = W̃⁻¹JW̃⁻¹ the trace is
    tr(WΓ) − 2 tr(A Δ'JW̃⁻¹WΔ) + tr(AΔ'JΔ AΔ'WΔ); for normal answers, J = W̃, it is tr(WW̃⁻¹) − tr(AΔ'WΔ). With
    `expected`, A is that of the expected information.
    """
    weighted = list(zip(shares, groups, derivatives, strict=True))

    def summed(part: Callable[[SaturatedInformation, Array], Array]) -> Array:
        return np.sum([share * part(group, delta) for share, group, delta in weighted], axis=0)

    a = np.linalg.pinv(summed(lambda group, delta: delta.T @ (group.expected if expected else group.observed) @ delta))
    complete = summed(lambda group, delta: delta.T @ group.complete @ delta)
    if not robust:
        return sum(group.normal_ratio for group in groups) - float(np.vdot(a, complete))
    products = summed(lambda group, delta: delta.T @ group.products @ delta)
    mixed = summed(lambda group, delta: delta.T @ (group.products @ (group.inverse @ (group.complete @ delta))))
    ratio = sum(group.robust_ratio for group in groups)
    return ratio - 2 * float(np.vdot(a, mixed)) + float(np.vdot(complete @ a, a @ products))


class FIMLObjective:
    """Full information maximum likelihood of a structure over the samples of its groups.

    Its value is F(θ) = −2/N · (log L(θ) − log L of the saturated model), so that N F is the likelihood ratio statistic.
    Rows without any answer are left out of N.

    Parameters
    ----------
    structure : Structure
        With means.
    samples : sequence of Sample
        One for each group; columns of `values` in the order of `structure.observed`.

    Attributes
    ----------
    patterns : list of Patterns
    saturated : list of SaturatedMoments
    n : int
        Rows with at least one answer.
    left_out : int
        Rows without.

    Raises
    ------
    SemError
        See `saturated`; with the name of the group where there are several.
    """

    newton = True  # its Hessian costs what its expected information does

    def __init__(self, structure: Structure, samples: Sequence[Sample]):
        self.structure = structure
        self.patterns: list[Patterns] = []
        self.saturated: list[SaturatedMoments] = []
        for sample in samples:
            try:
                self.patterns.append(patterns(sample.values, structure.observed))
                self.saturated.append(saturated(self.patterns[-1], structure.observed))
            except SemError as error:
                raise SemError(f"group {sample.name}: {error}" if len(samples) > 1 else str(error)) from None
        self.n = sum(found.n for found in self.patterns)
        self.left_out = sum(found.left_out for found in self.patterns)
        self._cached: tuple[bytes | None, list[_Fitted]] = (None, [])
        self._observed: tuple[bytes, Array] = (b"", np.empty((0, 0)))
        self._known: dict[tuple[int, ...], SaturatedInformation] = {}  # shared with the objectives made by `of`

    def of(self, structure: Structure) -> FIMLObjective:
        """The objective of another structure over the same samples, such as the baseline model."""
        other = copy(self)
        other.structure, other._cached = structure, (None, [])
        return other

    @property
    def saturated_log_likelihood(self) -> float:
        """Log-likelihood of the unrestricted model, all groups."""
        return sum(moments.log_likelihood for moments in self.saturated)

    def log_likelihood(self, theta: Array) -> float:
        """log L(θ), all groups; LinAlgError where an implied covariance matrix is not positive definite."""
        return sum(fitted.log_likelihood for fitted in self._fitted(theta))

    def value(self, theta: Array) -> float:
        """F(θ); infinite where an implied covariance matrix is not positive definite."""
        try:
            return 2 / self.n * (self.saturated_log_likelihood - self.log_likelihood(theta))
        except np.linalg.LinAlgError:
            return math.inf

    def gradient(self, theta: Array) -> Array:
        """∂F/∂θ (q,)."""
        return -2 / self.n * self._chain(theta, [fitted.gradient for fitted in self._fitted(theta)])

    def information(self, theta: Array) -> Array:
        """Expected information of one observation (q, q), Δ'I Δ averaged over the patterns that occurred."""
        return self._from_moments(theta, expected=True)

    def observed_information(self, theta: Array) -> Array:
        """Observed information of one observation (q, q): half the matrix of second derivatives of F.

        −d²log L/dθ² = Δ' I Δ − Σ_m (∂log L/∂m) ∂²m/∂θ², m the moments.
        """
        key = np.asarray(theta, dtype=float).tobytes()
        if self._observed[0] != key:
            self._observed = key, self._second_derivatives(theta)
        return self._observed[1]

    def _second_derivatives(self, theta: Array) -> Array:
        bent = np.zeros((len(theta), len(theta)))
        for group, fitted in enumerate(self._fitted(theta)):
            by_mean, by_cov = fitted.gradient
            bent += curvature(self.structure, theta, group, by_cov, by_mean)
        return self._from_moments(theta, expected=False) - bent / self.n

    def casewise_scores(self, theta: Array) -> Array:
        """∂ log L/∂θ of each row with an answer (n, q), groups one below the other."""
        fitted = self._fitted(theta)
        return np.vstack([one.scores() @ self.jacobian(theta, group) for group, one in enumerate(fitted)])

    def saturated_information(self, group: int) -> SaturatedInformation:
        """What the answers of a group tell about the moments, at the saturated ones."""
        key = (group, *self.structure.covariates.tolist())
        if key not in self._known:
            self._known[key] = SaturatedInformation(self.patterns[group], self.saturated[group], key[1:])
        return self._known[key]

    def jacobian(self, theta: Array, group: int) -> Array:
        """Δ: derivatives of the stacked implied moments of a group by θ, (p + p*, q)."""
        return stacked_derivatives(self.structure.differentials(theta, group), means=True)

    def complete_data_test(
        self, theta: Array, K: Array | None = None, *, robust: bool = False, expected: bool = False
    ) -> CompleteDataTest:
        """What the likelihood ratio statistic would be without missing answers, for robust CFI and RMSEA.

        With W̃ the observed information of the incomplete data on the saturated moments, W that of complete data, J the
        mean product of casewise scores, all of one observation, and U = W̃ − W̃Δ(Δ'W̃Δ)⁻¹Δ'W̃, the saturated moments
        depart from the model's by W̃⁻¹U times their own error, with asymptotic covariance Γ = W̃⁻¹JW̃⁻¹. The quadratic
        form W of complete data in these departures has the mean tr(W W̃⁻¹U Γ U W̃⁻¹); for normal answers J = W̃
        (Zhang & Savalei 2023: FIML-C, versions 6 and, robust, 3).

        Parameters
        ----------
        theta : array (q,)
            The estimates.
        K : array (q, u), optional
            Directions left free by linear constraints.
        robust : bool
            Take J from the casewise scores (goes with MLR), not from normality (goes with ML).
        expected : bool
            Take (Δ'W̃Δ)⁻¹ from the expected information, as errors are then made, not from the observed one.
        """
        statistic = 0.0
        shares, derivatives = [], []
        groups = [self.saturated_information(group) for group in range(len(self.patterns))]
        for group, (found, moments) in enumerate(zip(self.patterns, self.saturated, strict=True)):
            statistic += found.n * _discrepancy(moments, *self.structure.implied(theta, group))
            delta = self.jacobian(theta, group)[groups[group].estimated]
            shares.append(found.n / self.n)
            derivatives.append(delta if K is None else delta @ K)
        return CompleteDataTest(statistic, _expected_discrepancy(groups, shares, derivatives, robust, expected))

    def _fitted(self, theta: Array) -> list[_Fitted]:
        """The groups at θ; value, gradient and information ask for the same θ in turn."""
        key = np.asarray(theta, dtype=float).tobytes()
        if self._cached[0] != key:
            fitted = []
            for group, found in enumerate(self.patterns):
                cov, mean = self.structure.implied(theta, group)
                fitted.append(_Fitted.at(found, mean, cov))
            self._cached = key, fitted
        return self._cached[1]

    def _chain(self, theta: Array, by_moments: Sequence[tuple[Array, Array]]) -> Array:
        """Σ over groups and moments of (∂ log L/∂m) ∂m/∂θ, (q,)."""
        total = np.zeros(len(theta))
        for group, (by_mean, by_cov) in enumerate(by_moments):
            d = self.structure.differentials(theta, group)
            cells = d.level @ by_mean + 2 * d.share * np.einsum("rp,rp->r", d.u @ by_cov, d.v)
            total += d.gather @ cells
        return total

    def _from_moments(self, theta: Array, expected: bool) -> Array:
        total = np.zeros((len(theta), len(theta)))
        for group, fitted in enumerate(self._fitted(theta)):
            jacobian = self.jacobian(theta, group)
            total += jacobian.T @ fitted.information(expected) @ jacobian
        return total / self.n
