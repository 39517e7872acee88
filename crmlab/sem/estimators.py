"""Discrepancies between sample and implied moments, and their minimisation (chapter on the satisfaction index by SEM).

Groups g = 1 … G with n_g of N respondents, covariance S_g (divisor n_g) and mean m_g contribute with weight n_g/N. With
V = Σ⁻¹ the discrepancies of one group are (Jöreskog 1967; Browne 1982)

    maximum likelihood      F = log|Σ| + tr(V S) − log|S| − p + (m − μ)'V(m − μ),
    unweighted squares      F = |vech(S − Σ)|² + |m − μ|²,

and N·F is the test statistic. Every objective offers `value`, `gradient` of F and `information`, the expected
information of one observation, so that a Fisher step solves information · step = −gradient/2. Linear constraints are
carried by theta = offset + K u.

References
----------
Browne, M. W. (1982). Covariance structures. In Hawkins (ed.), Topics in Applied Multivariate Analysis, 72–141.
Hägglund, G. (1982). Factor analysis by instrumental variables methods. Psychometrika 47, 209–222.
Jöreskog, K. G. (1967). Some contributions to maximum likelihood factor analysis. Psychometrika 32, 443–482.
Nocedal, J. & Wright, S. J. (2006). Numerical Optimization, second edition. Springer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from .matrices import Differentials, Structure
from .moments import Array, inverse

MAX_ITERATIONS = 500
_DECREMENT = 1e-13  # at n = 1,000 it leaves every estimate within 1e-5 standard errors of the optimum
_HESSIAN_STEP = 1e-4  # in units of a parameter's own precision
_SHORTEST_STEP = 1e-8
_FAR = 1e-3  # decrement above which the expected information is the better metric
_SOUND = 0.05  # smallest share of a parameter's standardised information (its root) that the others leave
_STALLED = 1e-9  # decrement at which rounding may keep the line search from improving


@dataclass(frozen=True)
class GroupSample:
    """The answers of one group.

    Attributes
    ----------
    name : str
    values : array (n, p)
        Columns in the order of the structure's observed variables; nan where missing.
    """

    name: str
    values: Array

    @property
    def n(self) -> int:
        return len(self.values)

    @cached_property
    def mean(self) -> Array:
        """Means, (p,)."""
        return self.values.mean(axis=0)

    @cached_property
    def cov(self) -> Array:
        """Covariances with divisor n, (p, p)."""
        centred = self.values - self.mean
        return centred.T @ centred / self.n


class Objective(Protocol):
    """What the minimiser and the inference ask of a discrepancy."""

    structure: Structure

    def value(self, theta: Array) -> float: ...

    def gradient(self, theta: Array) -> Array: ...

    def information(self, theta: Array) -> Array: ...

    def observed_information(self, theta: Array) -> Array: ...


@dataclass(frozen=True)
class Optimum:
    """Where a minimisation ended.

    Attributes
    ----------
    theta : array (q,)
    value : float
        The discrepancy F.
    converged : bool
    iterations : int
    message : str
        Why it stopped.
    """

    theta: Array
    value: float
    converged: bool
    iterations: int
    message: str


class MLObjective:
    """Normal-theory maximum likelihood on complete data.

    Parameters
    ----------
    structure : Structure
    samples : sequence of GroupSample
    means : bool
        Whether means are part of the model.
    """

    def __init__(self, structure: Structure, samples: Sequence[GroupSample], means: bool):
        self.structure, self.samples, self.means = structure, samples, means
        total = sum(sample.n for sample in samples)
        self.weights = [sample.n / total for sample in samples]
        self._log_det = [float(np.linalg.slogdet(sample.cov)[1]) for sample in samples]
        self._theta: Array | None = None
        self._groups: list[_MLGroup] = []

    def value(self, theta: Array) -> float:
        """F at theta; infinite where an implied covariance is not positive definite."""
        total = 0.0
        for group, (sample, weight) in enumerate(zip(self.samples, self.weights, strict=True)):
            cov, mean = self.structure.implied(theta, group)
            root = _cholesky(cov)
            if root is None:
                return np.inf
            moments = self._about(sample, mean)
            log_det = 2 * np.log(np.diagonal(root)).sum()
            trace = np.sum(inverse(cov) * moments)
            total += weight * (log_det + trace - self._log_det[group] - len(cov))
        return float(total)

    def gradient(self, theta: Array) -> Array:
        """dF/dθ = tr(Ω dΣ) − 2 dμ'V(m − μ) with Ω = V(Σ − S − (m − μ)(m − μ)')V."""
        total = np.zeros(self.structure.n_free)
        for group, weight in zip(self._at(theta), self.weights, strict=True):
            d, sample = group.moments, group.sample
            omega = group.inverse @ (d.cov - self._about(sample, d.mean)) @ group.inverse
            cells = 2 * d.share * np.einsum("rp,rp->r", d.u @ omega, d.v)
            if self.means:
                cells -= 2 * d.level @ (group.inverse @ (sample.mean - d.mean))
            total += weight * (d.gather @ cells)
        return total

    def information(self, theta: Array) -> Array:
        """Expected information of one observation: ½ tr(V dΣ V dΣ) + dμ'V dμ."""
        total = np.zeros((self.structure.n_free, self.structure.n_free))
        for group, weight in zip(self._at(theta), self.weights, strict=True):
            total += weight * expected_information(group.moments, group.inverse, self.means)
        return total

    def observed_information(self, theta: Array) -> Array:
        """Observed information of one observation, half the Hessian of F."""
        return _half_hessian(self, theta)

    def _about(self, sample: GroupSample, mean: Array) -> Array:
        """Second moments about the implied mean where means are modelled, else covariances."""
        if not self.means:
            return sample.cov
        away = sample.mean - mean
        return sample.cov + np.outer(away, away)

    def _at(self, theta: Array) -> list[_MLGroup]:
        """Derivatives and inverse of every group, kept for the next question about the same theta."""
        if self._theta is None or not np.array_equal(theta, self._theta):
            self._theta = theta.copy()
            moments = [self.structure.differentials(theta, g) for g in range(self.structure.groups)]
            self._groups = [
                _MLGroup(sample, d, inverse(d.cov)) for sample, d in zip(self.samples, moments, strict=True)
            ]
        return self._groups


@dataclass(frozen=True)
class _MLGroup:
    sample: GroupSample
    moments: Differentials
    inverse: Array


def expected_information(d: Differentials, weight: Array, means: bool) -> Array:
    """½ tr(V dΣ V dΣ) + dμ'V dμ of one group for a weight V (p, p), (q, q).

    For two cells with dΣ = uv' + vu' and wz' + zw' the trace term is (u'Vw)(v'Vz) + (u'Vz)(v'Vw).
    """
    uv, vv = d.u @ weight, d.v @ weight
    crossed = uv @ d.v.T
    cells = np.outer(d.share, d.share) * ((uv @ d.u.T) * (vv @ d.v.T) + crossed * crossed.T)
    if means:
        cells += d.level @ weight @ d.level.T
    return d.gather @ cells @ d.gather.T


def stacked(mean: Array, cov: Array, means: bool) -> Array:
    """Means (where modelled), then the lower triangle of the covariance by columns."""
    j, i = np.triu_indices(len(cov))
    return np.concatenate([mean, cov[i, j]]) if means else cov[i, j]


def stacked_derivatives(d: Differentials, means: bool) -> Array:
    """Derivatives of the stacked moments by the free parameters, (statistics, q)."""
    j, i = np.triu_indices(len(d.cov))
    cells = d.share[:, None] * (d.u[:, i] * d.v[:, j] + d.u[:, j] * d.v[:, i])
    rows = np.concatenate([d.level, cells], axis=1) if means else cells
    return (d.gather @ rows).T


class ULSObjective:
    """Unweighted least squares on complete data: every variance and covariance counts once.

    As in lavaan, covariances have divisor n − 1 and a group counts with (n_g − 1)/N.

    Parameters
    ----------
    structure : Structure
    samples : sequence of GroupSample
    means : bool
    """

    def __init__(self, structure: Structure, samples: Sequence[GroupSample], means: bool):
        self.structure, self.samples, self.means = structure, samples, means
        total = sum(sample.n for sample in samples)
        self.weights = [(sample.n - 1) / total for sample in samples]

    def value(self, theta: Array) -> float:
        total = 0.0
        for group, (sample, weight) in enumerate(zip(self.samples, self.weights, strict=True)):
            away = self._away(sample, *self.structure.implied(theta, group))
            total += weight * float(away @ away)
        return float(total)

    def gradient(self, theta: Array) -> Array:
        total = np.zeros(self.structure.n_free)
        for group, (sample, weight) in enumerate(zip(self.samples, self.weights, strict=True)):
            d = self.structure.differentials(theta, group)
            total -= 2 * weight * (stacked_derivatives(d, self.means).T @ self._away(sample, d.cov, d.mean))
        return total

    def information(self, theta: Array) -> Array:
        total = np.zeros((self.structure.n_free, self.structure.n_free))
        for group, weight in enumerate(self.weights):
            delta = stacked_derivatives(self.structure.differentials(theta, group), self.means)
            total += weight * (delta.T @ delta)
        return total

    def observed_information(self, theta: Array) -> Array:
        """Observed information of one observation, half the Hessian of F."""
        return _half_hessian(self, theta)

    def _away(self, sample: GroupSample, cov: Array, mean: Array) -> Array:
        return stacked(sample.mean - mean, sample.cov * sample.n / (sample.n - 1) - cov, self.means)


def _half_hessian(objective: Objective, theta: Array) -> Array:
    """Observed information of one observation, (q, q): half the Hessian of F by central differences of its gradient."""
    precision = np.maximum(np.diagonal(objective.information(theta)), 1e-12)
    result = np.empty((len(theta), len(theta)))
    for k, step in enumerate(_HESSIAN_STEP / np.sqrt(precision)):
        away = np.zeros(len(theta))
        away[k] = step
        result[k] = (objective.gradient(theta + away) - objective.gradient(theta - away)) / (4 * step)
    return (result + result.T) / 2


def starting_values(structure: Structure, samples: Sequence[GroupSample]) -> Array:
    """Where the search begins: loadings by instrumental variables, half of each variance left unexplained.

    A loading relative to the marker item is the share of covariances with the block's other items (Hägglund 1982):
    λ_j = Σ_k s_jk s_1k / Σ_k s_1k². Paths and covariances between constructs begin at 0. Values written with `start()`
    are taken as they are.
    """
    theta = np.zeros(structure.n_free)
    index = {name: i for i, name in enumerate(structure.observed)}
    for group in range(structure.groups - 1, -1, -1):  # equal parameters begin where the first group does
        _start_group(structure, samples[group], group, index, theta)
    return theta


def _start_group(structure: Structure, sample: GroupSample, group: int, index: dict[str, int], theta: Array) -> None:
    """Fill in the starting values of the free parameters of one group."""
    rows = [(row, k) for row, k in zip(structure.table, structure.position, strict=True) if row.group == group]
    blocks: dict[str, list[str]] = {}
    for row, _ in rows:
        if row.op == "=~" and row.rhs in index:
            blocks.setdefault(row.lhs, []).append(row.rhs)
    fixed_variance = {row.lhs for row, k in rows if row.op == "~~" and row.lhs == row.rhs and k < 0 and row.fixed}
    loading, variance = {}, {}
    for construct, items in blocks.items():
        relative, common = _block_start(sample.cov, [index[item] for item in items])
        unit = np.sqrt(common) if construct in fixed_variance else 1.0
        loading.update({(construct, item): value * unit for item, value in zip(items, relative, strict=True)})
        variance[construct] = common
    for row, k in rows:
        if k < 0:
            continue
        own = index.get(row.lhs)
        if row.start is not None:
            theta[k] = row.start
        elif row.op == "=~":
            theta[k] = loading.get((row.lhs, row.rhs), 1.0)
        elif row.op == "~1":
            theta[k] = 0.0 if own is None else sample.mean[own]
        elif row.op == "~~" and row.lhs == row.rhs:
            theta[k] = variance.get(row.lhs, 0.1) if own is None else 0.5 * sample.cov[own, own]
        elif row.op == "<~":
            theta[k] = 1.0
        else:
            theta[k] = 0.0


def _block_start(cov: Array, items: list[int]) -> tuple[Array, float]:
    """Loadings of a block relative to its first item, and the variance of what the items share."""
    block = cov[np.ix_(items, items)]
    marker = block[0, 0]
    if len(items) < 3:
        shared = block[0, -1] if len(items) == 2 and 0 < block[0, 1] < marker else 0.5 * marker
        return np.ones(len(items)), float(shared)
    loadings = np.ones(len(items))
    for item in range(1, len(items)):
        others = [k for k in range(1, len(items)) if k != item]
        loadings[item] = block[item, others] @ block[0, others] / max(float(block[0, others] @ block[0, others]), 1e-12)
    ratio = loadings * np.sqrt(marker / np.diagonal(block))
    loadings = np.where((np.abs(ratio) > 0.1) & (np.abs(ratio) < 10), loadings, np.sqrt(np.diagonal(block) / marker))
    i, j = np.triu_indices(len(items), 1)
    products = loadings[i] * loadings[j]
    shared = block[i, j] @ products / (products @ products)
    return loadings, float(np.clip(shared, 0.1 * marker, 0.9 * marker))


def minimise(
    objective: Objective,
    theta: Array,
    K: Array | None = None,
    offset: Array | None = None,
    max_iterations: int = MAX_ITERATIONS,
) -> Optimum:
    """Minimise a discrepancy by Fisher scoring with a safe line search; where that stalls, by BFGS and scoring again.

    Parameters
    ----------
    objective : Objective
    theta : array (q,)
        Starting values.
    K, offset : array (q, u) and (q,), optional
        Linear constraints theta = offset + K u; none: every parameter is free.
    max_iterations : int

    Returns
    -------
    Optimum
        Converged when the step of one more iteration would lower F by less than 1e-13.
    """
    q = len(theta)
    K = np.eye(q) if K is None else K
    offset = np.zeros(q) if offset is None else offset
    u = K.T @ (theta - offset)  # the columns of K are orthonormal
    if not np.isfinite(objective.value(offset + K @ u)):
        return Optimum(offset + K @ u, np.inf, False, 0, "the starting values imply an impossible covariance matrix")
    first = _score(objective, u, K, offset, max_iterations)
    if first.converged or not K.shape[1]:
        return first
    from scipy.optimize import minimize

    found = minimize(
        lambda v: min(objective.value(offset + K @ v), 1e10),
        K.T @ (first.theta - offset),
        jac=lambda v: K.T @ objective.gradient(offset + K @ v),
        method="BFGS",
        options={"gtol": 1e-6, "maxiter": 10 * max_iterations},
    )
    second = _score(objective, np.asarray(found.x), K, offset, max_iterations)
    best = second if second.value <= first.value else first
    return Optimum(best.theta, best.value, best.converged, first.iterations + second.iterations, best.message)


def _score(objective: Objective, u: Array, K: Array, offset: Array, max_iterations: int) -> Optimum:
    """Fisher scoring in u; a step is halved until F falls enough and every implied covariance is possible.

    Far from the optimum the expected information is the metric. Near it the curvature that the expectation leaves out
    slows scoring down; there the metric learns it from the gradients (BFGS update of its inverse), unless parameters
    are so hard to tell apart that it would learn rounding errors.
    """
    theta = offset + K @ u
    value, slope = objective.value(theta), K.T @ objective.gradient(theta)
    (inverse, sound), far = _inverse(K.T @ objective.information(theta) @ K), True
    for iteration in range(max_iterations):
        step = -inverse @ slope / 2
        decrement = float(-slope @ step)
        if 0 <= decrement < _DECREMENT:
            return Optimum(theta, value, True, iteration, "converged")
        length, reached = _line_search(objective, theta, K @ step, value, decrement)
        if length == 0.0:
            if far:
                near = 0 <= decrement < _STALLED
                why = "converged" if near else "no step lowers the discrepancy any further"
                return Optimum(theta, value, near, iteration, why)
            (inverse, sound), far = _inverse(K.T @ objective.information(theta) @ K), True
            continue
        theta, value = theta + length * (K @ step), reached
        change = K.T @ objective.gradient(theta) - slope
        slope = slope + change
        far = decrement > _FAR or length < 1 or not sound
        if far:
            inverse, sound = _inverse(K.T @ objective.information(theta) @ K)
        else:
            inverse = _bfgs(inverse, length * step, change / 2)
    return Optimum(theta, value, False, max_iterations, f"no optimum after {max_iterations} iterations")


def _line_search(
    objective: Objective, theta: Array, step: Array, value: float, decrement: float
) -> tuple[float, float]:
    """The first of the lengths 1, ½, ¼ … that lowers F by a fair part of what the slope promises, and F there."""
    length = 1.0
    while decrement > 0 and length > _SHORTEST_STEP:
        trial = objective.value(theta + length * step)
        if trial <= value - 1e-4 * length * decrement:
            return length, trial
        length /= 2
    return 0.0, value


def _bfgs(inverse: Array, step: Array, change: Array) -> Array:
    """Inverse metric that agrees with the change of the gradient along the last step (Nocedal & Wright 2006, 6.17)."""
    along = float(step @ change)
    if along <= 1e-10 * np.sqrt((step @ step) * (change @ change)):
        return inverse
    carried = inverse @ change
    crossed = np.outer(carried, step)
    return inverse + (1 + change @ carried / along) * np.outer(step, step) / along - (crossed + crossed.T) / along


def _inverse(information: Array) -> tuple[Array, bool]:
    """information⁻¹ and whether it is well conditioned; where parameters cannot be told apart, the pseudo-inverse."""
    scale = np.sqrt(np.maximum(np.diagonal(information), 1e-300))
    scaled = information / np.outer(scale, scale)
    root = _cholesky(scaled)
    pivot = 0.0 if root is None else float(np.diagonal(root).min(initial=1.0))
    inverse = np.linalg.inv(scaled) if pivot > 1e-6 else np.linalg.pinv(scaled, rcond=1e-10, hermitian=True)
    return inverse / np.outer(scale, scale), pivot > _SOUND


def _cholesky(matrix: Array) -> Array | None:
    """Lower Cholesky factor, or None where the matrix is not positive definite."""
    try:
        return np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
