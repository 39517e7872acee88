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
Conn, A. R., Gould, N. I. M. & Toint, P. L. (2000). Trust-Region Methods. SIAM.
Jöreskog, K. G. (1967). Some contributions to maximum likelihood factor analysis. Psychometrika 32, 443–482.
Nocedal, J. & Wright, S. J. (2006). Numerical Optimization, second edition. Springer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from .curvature import curvature
from .matrices import Differentials, Structure
from .moments import Array, definite_inverse, inverse

_DECREMENT = 1e-13  # at n = 1,000 it leaves every estimate within 1e-5 standard errors of the optimum
_HESSIAN_STEP = 1e-4  # in units of a parameter's own precision
_SHORTEST_STEP = 1e-6
_QUASI_NEWTON = 40  # quasi-Newton steps before the information is computed again
_SCORING = 60  # Fisher steps
_NEWTON = 100  # Newton steps after them
_STUCK = 1e8
_RADIUS = 0.3  # first radius of the trust region, in units of the parameters' own precision
_CONVERGED = "converged"
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


@dataclass(frozen=True)
class SampleSummary:
    """Moments of one group without its answers: n, covariance (p, p) with divisor n, mean (p,)."""

    n: int
    cov: Array
    mean: Array


Metric = Callable[[Array], Array]


class Objective(Protocol):
    """What the minimiser and the inference ask of a discrepancy."""

    @property
    def structure(self) -> Structure: ...

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

    def __init__(self, structure: Structure, samples: Sequence[GroupSample | SampleSummary], means: bool):
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
            found = definite_inverse(cov)
            if found is None:
                return np.inf
            trace = float(np.vdot(found[0], self._about(sample, mean)))
            total += weight * (found[1] + trace - self._log_det[group] - len(cov))
        return total

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
        """Observed information of one observation, half the Hessian of F.

        It is the information in the moments carried over by their derivatives, and ½ tr(Ω d²Σ) − d²μ'V(m − μ).
        """
        total = np.zeros((self.structure.n_free, self.structure.n_free))
        for number, (group, weight) in enumerate(zip(self._at(theta), self.weights, strict=True)):
            d, sample = group.moments, group.sample
            about = group.inverse @ self._about(sample, d.mean) @ group.inverse
            pull = group.inverse @ (sample.mean - d.mean) * self.means
            bent = curvature(self.structure, theta, number, (group.inverse - about) / 2, -pull)
            total += weight * (observed_information(d, group.inverse, about, pull, self.means) + bent)
        return total

    def _about(self, sample: GroupSample | SampleSummary, mean: Array) -> Array:
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
    sample: GroupSample | SampleSummary
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


def observed_information(d: Differentials, weight: Array, about: Array, pull: Array, means: bool) -> Array:
    """Half the second differential of one group's F in the moments, taken along their derivatives, (q, q).

    With M = V T V − V/2 for second moments T about the model's mean, and y = V(m − μ) it is
    tr(V dΣ M dΣ*) + dμ'V dμ* + dμ'V dΣ*y + dμ*'V dΣ y. For two cells with dΣ = uv' + vu' and wz' + zw' the trace is
    (u'Vw)(v'Mz) + (v'Vz)(u'Mw) + (u'Vz)(v'Mw) + (v'Vw)(u'Mz).

    Parameters
    ----------
    d : Differentials
    weight, about : arrays (p, p)
        V and V T V.
    pull : array (p,)
        y.
    means : bool
    """
    inner = about - weight / 2
    by_weight, by_inner = ((d.u @ one @ d.u.T, d.v @ one @ d.v.T, d.u @ one @ d.v.T) for one in (weight, inner))
    crossed = by_weight[2] * by_inner[2].T
    cells = by_weight[0] * by_inner[1] + by_weight[1] * by_inner[0] + crossed + crossed.T
    cells *= np.outer(d.share, d.share)
    if means:
        level = d.level @ weight
        mixed = ((level @ d.u.T) * (d.v @ pull) + (level @ d.v.T) * (d.u @ pull)) * d.share
        cells += level @ d.level.T + mixed + mixed.T
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

    As in lavaan, covariances have divisor n − 1 and a group counts with (n_g − 1)/N, in the expected information with
    n_g/N.

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
        self.counts = [sample.n / total for sample in samples]

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
        """Expected information of one observation, Δ'Δ, groups by their share of the respondents."""
        return self._squared(theta, self.counts)

    def _squared(self, theta: Array, shares: Sequence[float]) -> Array:
        """Δ'Δ over the groups, (q, q)."""
        total = np.zeros((self.structure.n_free, self.structure.n_free))
        for group, share in enumerate(shares):
            delta = stacked_derivatives(self.structure.differentials(theta, group), self.means)
            total += share * (delta.T @ delta)
        return total

    def observed_information(self, theta: Array) -> Array:
        """Observed information of one observation, half the Hessian of F: Δ'Δ − Σ_k (s_k − σ_k) d²σ_k."""
        total = self._squared(theta, self.weights)
        for group, (sample, weight) in enumerate(zip(self.samples, self.weights, strict=True)):
            cov, mean = self.structure.implied(theta, group)
            away = sample.cov * sample.n / (sample.n - 1) - cov
            once = (away + np.diag(np.diagonal(away))) / 2  # every covariance stands twice in the matrix
            total -= weight * curvature(self.structure, theta, group, once, (sample.mean - mean) * self.means)
        return total

    def _away(self, sample: GroupSample, cov: Array, mean: Array) -> Array:
        return stacked(sample.mean - mean, sample.cov * sample.n / (sample.n - 1) - cov, self.means)


def half_hessian(objective: Objective, theta: Array) -> Array:
    """Observed information of one observation, (q, q): half the Hessian of F by central differences of its gradient."""
    precision = np.maximum(np.diagonal(objective.information(theta)), 1e-12)
    result = np.empty((len(theta), len(theta)))
    for k, step in enumerate(_HESSIAN_STEP / np.sqrt(precision)):
        away = np.zeros(len(theta))
        away[k] = step
        result[k] = (objective.gradient(theta + away) - objective.gradient(theta - away)) / (4 * step)
    return (result + result.T) / 2


def minimise(
    objective: Objective,
    theta: Array,
    K: Array | None = None,
    offset: Array | None = None,
    patient: bool = True,
) -> Optimum:
    """Minimise a discrepancy by Fisher scoring; where that is slow, by Newton steps with the observed information.

    An objective whose attribute `newton` is true, because its Hessian costs no more than its expected information, is
    tried by Newton steps within a trust region first.

    Parameters
    ----------
    objective : Objective
    theta : array (q,)
        Starting values.
    K, offset : array (q, u) and (q,), optional
        Linear constraints theta = offset + K u; none: every parameter is free.
    patient : bool
        Whether to go on with Newton steps.

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
    if not K.shape[1]:
        return Optimum(offset, objective.value(offset), True, 0, _CONVERGED)
    if getattr(objective, "newton", False):
        found = _trust_region(objective, offset + K @ u, K, _SCORING)
        if found.converged:
            return found
    first = _score(objective, u, K, offset, _SCORING, objective.information)
    if first.converged or not patient:
        return first
    u = K.T @ (first.theta - offset)
    second = _score(objective, u, K, offset, _NEWTON, objective.observed_information)
    return replace(second, iterations=first.iterations + second.iterations)


def _score(objective: Objective, u: Array, K: Array, offset: Array, max_iterations: int, metric: Metric) -> Optimum:
    """Scoring in u: damped as in Levenberg and Marquardt far from the optimum, quasi-Newton near it."""
    theta = offset + K @ u
    used, message = 0, ""
    while used < max_iterations:
        theta, carried, iterations, message = _approach(objective, theta, K, max_iterations - used, metric)
        used += iterations
        if carried is None:
            break
        theta, iterations, message = _finish(objective, theta, K, carried, max_iterations - used)
        used += iterations
        if message:
            break
    message = message or f"no optimum after {max_iterations} iterations"
    return Optimum(theta, objective.value(theta), message == _CONVERGED, used, message)


def _approach(
    objective: Objective, theta: Array, K: Array, max_iterations: int, metric: Metric
) -> tuple[Array, Array | None, int, str]:
    """Damped scoring until the optimum is reached, or so near that its curvature is steady.

    A step that does not lower F by a tenth of what the quadratic model promises is tried again, damped more: this turns
    it towards the steepest descent and keeps it away from impossible covariance matrices.

    Returns
    -------
    theta, inverse of the metric to go on with (None: stop here), iterations, message
    """
    damping, value = 0.0, objective.value(theta)
    slope, information = K.T @ objective.gradient(theta), K.T @ metric(theta) @ K
    for iteration in range(max_iterations):
        carried, sound = _inverse(information, damping)
        step = -carried @ slope / 2
        decrement = float(-slope @ step)
        if decrement < _DECREMENT * (1 + damping) and damping < _STUCK:
            return theta, None, iteration, _CONVERGED
        if decrement < _FAR and sound and damping == 0:
            return theta, carried, iteration, ""
        trial = objective.value(theta + K @ step)
        gain = (value - trial) / max(decrement - float(step @ information @ step), 1e-300)
        if not gain > 0.1:
            if decrement < _STALLED and damping == 0:
                return theta, None, iteration, _CONVERGED
            damping = max(4 * damping, 1e-2)
            if damping > _STUCK:
                return theta, None, iteration, "no step lowers the discrepancy any further"
            continue
        theta, value = theta + K @ step, trial
        slope, information = K.T @ objective.gradient(theta), K.T @ metric(theta) @ K
        if gain > 0.5:
            damping = damping / 10 if damping > 1e-3 else 0.0
    return theta, None, max_iterations, ""


def _finish(
    objective: Objective, theta: Array, K: Array, carried: Array, max_iterations: int
) -> tuple[Array, int, str]:
    """BFGS near the optimum: the metric learns the curvature that the expected information leaves out.

    Returns
    -------
    theta, iterations, message (empty: the metric went astray, score again)
    """
    value, slope = objective.value(theta), K.T @ objective.gradient(theta)
    for iteration in range(min(max_iterations, _QUASI_NEWTON)):
        step = -carried @ slope / 2
        decrement = float(-slope @ step)
        if 0 <= decrement < _DECREMENT:
            return theta, iteration, _CONVERGED
        length, value = _line_search(objective, theta, K @ step, value, decrement)
        if length == 0.0:
            return theta, iteration, _CONVERGED if 0 <= decrement < _STALLED else ""
        theta = theta + length * (K @ step)
        change = K.T @ objective.gradient(theta) - slope
        slope = slope + change
        carried = _bfgs(carried, length * step, change / 2)
    return theta, min(max_iterations, _QUASI_NEWTON), ""


def _trust_region(objective: Objective, theta: Array, K: Array, max_iterations: int) -> Optimum:
    """Newton steps no longer than a radius that follows how well the last one was foreseen (Conn, Gould & Toint 2000).

    Length is measured in units of each parameter's own precision. On curved valleys, as of surveys whose causes are
    nearly collinear, this needs a tenth of the steps that scoring does.
    """
    value, radius, message = objective.value(theta), _RADIUS, ""
    iteration, state = 0, None
    while iteration < max_iterations and not message:
        iteration += 1
        state = state or _Quadratic.at(objective, theta, K)
        if state.decrement < _DECREMENT:
            message = _CONVERGED
            break
        step, foreseen = state.step(radius)
        trial = objective.value(theta + step)
        length, gain = state.length(step, K), (value - trial) / max(foreseen, 1e-300)
        if not gain > 1e-4:
            if foreseen < _STALLED / 100:
                message = _CONVERGED if state.decrement < _STALLED else "no step lowers the discrepancy any further"
            radius = min(radius, length) / 4
            continue
        theta, value, state = theta + step, trial, None
        if gain < 0.25:
            radius = length / 4
        elif gain > 0.75 and length > 0.9 * radius:
            radius *= 2
    message = message or f"no optimum after {max_iterations} iterations"
    return Optimum(theta, value, message == _CONVERGED, iteration, message)


@dataclass(frozen=True)
class _Quadratic:
    """F/2 near theta = offset + K u as g's + ½ s'Hs, in the eigenvectors of the scaled Hessian.

    Attributes
    ----------
    slope, sizes : arrays (u,)
        g in the eigenvectors, and the eigenvalues.
    directions : array (q, u)
        Directions of theta of unit length.
    scale : array (u,)
        Root of the expected information about each u: what lengths are measured in.
    """

    slope: Array
    sizes: Array
    directions: Array
    scale: Array

    @classmethod
    def at(cls, objective: Objective, theta: Array, K: Array) -> _Quadratic:
        hessian = K.T @ objective.observed_information(theta) @ K
        precision = np.einsum("qu,qr,ru->u", K, objective.information(theta), K)
        # Items may be of any size; what moves nothing at this point has no size, and 1 serves.
        scale = np.sqrt(np.where(precision > 1e-200, precision, 1.0))
        sizes, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
        slope = vectors.T @ (K.T @ objective.gradient(theta) / (2 * scale))
        return cls(slope, sizes, K @ (vectors / scale[:, None]), scale)

    @property
    def decrement(self) -> float:
        """By how much a full Newton step would lower F; infinite where F is not convex."""
        known = np.abs(self.sizes) > 1e-10
        if (self.sizes[known] < 0).any():
            return np.inf
        return float(2 * np.sum(self.slope[known] ** 2 / self.sizes[known]))

    def step(self, radius: float) -> tuple[Array, float]:
        """The step of theta with the lowest quadratic within the radius, and by how much that lowers F.

        It is −(H + λI)⁻¹g with the smallest λ ≥ 0 that makes H + λI positive and the step short enough.
        """
        lowest = max(0.0, 1e-10 - float(self.sizes.min(initial=1.0)))

        def along(damping: float) -> Array:
            return -self.slope / (self.sizes + damping)

        low = high = lowest
        while np.linalg.norm(along(high)) > radius:
            low, high = high, 2 * high + 1e-6
        while high - low > 1e-3 * high:
            middle = (low + high) / 2
            low, high = (middle, high) if np.linalg.norm(along(middle)) > radius else (low, middle)
        found = along(high)
        return self.directions @ found, -float(2 * self.slope @ found + found @ (self.sizes * found))

    def length(self, step: Array, K: Array) -> float:
        return float(np.linalg.norm(self.scale * (K.T @ step)))


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


def _bfgs(metric: Array, step: Array, change: Array) -> Array:
    """Inverse metric that agrees with the change of the gradient along the last step (Nocedal & Wright 2006, 6.17)."""
    along = float(step @ change)
    if along <= 1e-10 * np.sqrt((step @ step) * (change @ change)):
        return metric
    carried = metric @ change
    crossed = np.outer(carried, step)
    return metric + (1 + change @ carried / along) * np.outer(step, step) / along - (crossed + crossed.T) / along


def _inverse(information: Array, damping: float = 0.0) -> tuple[Array, bool]:
    """Inverse of the damped information, and whether it is well conditioned.

    Directions in which the information is negative (the observed one, far from an optimum) count with its size;
    directions in which it is 0 are left out.
    """
    scale = np.sqrt(np.maximum(np.abs(np.diagonal(information)), 1e-300))
    scaled = information / np.outer(scale, scale) + damping * np.eye(len(scale))
    root = _cholesky(scaled)
    pivot = 0.0 if root is None else float(np.diagonal(root).min(initial=1.0))
    if pivot > 1e-5:
        return inverse(scaled) / np.outer(scale, scale), pivot > _SOUND
    sizes, vectors = np.linalg.eigh(scaled)
    known = np.abs(sizes) > 1e-10
    found = (vectors[:, known] / np.abs(sizes[known])) @ vectors[:, known].T
    return found / np.outer(scale, scale), False


def _cholesky(matrix: Array) -> Array | None:
    """Lower Cholesky factor, or None where the matrix is not positive definite."""
    try:
        return np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
