"""The satisfaction–loyalty curve, fitted by least squares to many resamples at once (chapter 10, row E10).

The sigmoid is the four-parameter logistic: loyalty = lower + (upper − lower) / (1 + exp(−steepness·(x − midpoint))).
Given midpoint and steepness it is a straight line in the logistic, so a grid of these two is searched in closed form,
and the best point is the start of a Levenberg–Marquardt search in all four. Answers with the same satisfaction are
summed up by their number and mean, which loses nothing and makes a resample a vector of counts.

References
----------
Cleveland, W. S. (1979). Robust locally weighted regression and smoothing scatterplots. Journal of the American
Statistical Association 74, 829–836.
Golub, G. H. & Pereyra, V. (1973). The differentiation of pseudo-inverses and nonlinear least squares problems whose
variables separate. SIAM Journal on Numerical Analysis 10, 413–432.
Marquardt, D. W. (1963). An algorithm for least-squares estimation of nonlinear parameters. Journal of the Society for
Industrial and Applied Mathematics 11, 431–441.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Search of midpoint and steepness, on satisfaction running from 0 to 1.
_MIDPOINTS = np.linspace(-0.25, 1.25, 31)
_STEEPNESS = np.geomspace(1.5, 150.0, 24)
#: A steepness at these ends is no estimate: the curve is a straight line, or a step between two answers.
EDGES = (1.0, 300.0)
_REACH = (-1.0, 2.0)  # where a midpoint may lie
_ITERATIONS = 200
_PRECISION = 1e-9


@dataclass(frozen=True, eq=False)
class Tally:
    """Answers summed up by satisfaction, for one or many samples.

    Attributes
    ----------
    x : (u,) satisfaction, rising.
    counts, sums : (b, u) customers, and the sum of their loyalty, in each of b samples.
    """

    x: Array
    counts: Array
    sums: Array

    @property
    def means(self) -> Array:
        """Mean loyalty (b, u), 0 where nobody is."""
        means: Array = self.sums / np.maximum(self.counts, 1)
        return means

    def line(self) -> Array:
        """Intercept and slope (b, 2) of the straight line."""
        n, total = self.counts.sum(axis=1), self.sums.sum(axis=1)
        mean_x, mean_y = (self.counts @ self.x) / n, total / n
        away = self.x[None, :] - mean_x[:, None]
        spread = (self.counts * away**2).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = (self.sums * away).sum(axis=1) / spread
        return np.stack([mean_y - slope * mean_x, slope], axis=1)


@dataclass(frozen=True, eq=False)
class SigmoidFits:
    """Sigmoids of b samples.

    Attributes
    ----------
    params : (b, 4) lower (loyalty at low satisfaction), upper (at high), midpoint, steepness (above 0).
    converged : (b,) the search came to rest.
    inside : (b,) midpoint and steepness lie within the limits of the search.
    """

    params: Array
    converged: NDArray[np.bool_]
    inside: NDArray[np.bool_]


def tally(x: Array, y: Array, samples: NDArray[np.int64] | None = None) -> Tally:
    """Sum up customers (n,), or b samples of them given by row numbers (b, m).

    Examples
    --------
    >>> tally(np.array([1.0, 2.0, 2.0]), np.array([5.0, 6.0, 8.0])).means.tolist()
    [[5.0, 7.0]]
    """
    values, code = np.unique(x, return_inverse=True)
    rows = np.arange(len(x))[None, :] if samples is None else samples
    b, u = len(rows), len(values)
    cell = (code[rows] + u * np.arange(b)[:, None]).ravel()
    counts = np.bincount(cell, minlength=b * u).reshape(b, u).astype(float)
    sums: Array = np.bincount(cell, y[rows].ravel(), minlength=b * u).reshape(b, u).astype(float)
    return Tally(values, counts, sums)


def resamples(n: int, b: int, seed: int) -> NDArray[np.int64]:
    """Row numbers (b, n) of b samples of n customers, drawn with replacement."""
    return np.random.default_rng(seed).integers(0, n, size=(b, n))


def sigmoid(x: Array, params: Array) -> Array:
    """Values (…, len(x)) of the sigmoid for parameters (…, 4).

    Examples
    --------
    >>> sigmoid(np.array([5.0, 100.0]), np.array([20.0, 80.0, 5.0, 2.0])).tolist()
    [50.0, 80.0]
    """
    from scipy.special import expit

    lower, upper, midpoint, steepness = np.moveaxis(params[..., None, :], -1, 0)
    return cast(Array, lower + (upper - lower) * expit(steepness * (x - midpoint)))


def half_width(share: float) -> float:
    """How far from the midpoint, times the steepness, the slope has fallen to a share of its maximum.

    With p the logistic, slope / maximum = 4p(1 − p) = 1 − tanh²(z/2), z the distance times the steepness.

    Examples
    --------
    >>> round(half_width(0.5), 4)
    1.7627
    """
    return float(2 * np.arctanh(np.sqrt(1 - share)))


def fit_sigmoid(data: Tally) -> SigmoidFits:
    """Least squares in every sample.

    Satisfaction is moved to 0–1 and loyalty to mean 0 and standard deviation 1 before, and the answer back after, so
    that the fit does not depend on the units.
    """
    start, length = float(data.x[0]), float(data.x[-1] - data.x[0])
    n = data.counts.sum(axis=1, keepdims=True)
    centre = data.sums.sum(axis=1, keepdims=True) / n
    between = np.where(data.counts > 0, data.means - centre, 0.0)
    spread = np.sqrt((data.counts * between**2).sum(axis=1, keepdims=True) / n)
    spread = np.where(spread > 0, spread, 1.0)
    x, weight, y = (data.x - start) / length, data.counts / n, between / spread
    theta, converged = _search(x, weight, y, _starts(x, weight, y))
    steepness = np.exp(theta[:, 3])
    inside = (steepness > EDGES[0] * 1.001) & (steepness < EDGES[1] / 1.001)
    inside &= (theta[:, 2] > _REACH[0] + 0.001) & (theta[:, 2] < _REACH[1] - 0.001)
    lower = centre[:, 0] + spread[:, 0] * theta[:, 0]
    upper = lower + spread[:, 0] * theta[:, 1]
    params = np.stack([lower, upper, start + length * theta[:, 2], steepness / length], axis=1)
    return SigmoidFits(params, converged, inside)


def loess(data: Tally, at: Array, span: float) -> Array:
    """Local straight lines (b, len(at)) with tricube weights, without robustness steps (Cleveland 1979).

    A neighbourhood holds the nearest `span` of the customers. Where too many of them gave one answer, it is widened
    until two different answers lie inside; at an answer whose neighbours have no weight the mean of that answer stands.

    Examples
    --------
    >>> straight = tally(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 4.0, 6.0, 8.0]))
    >>> loess(straight, np.array([2.5]), span=1.0).round(9).tolist()
    [[5.0]]
    """
    nearest = np.maximum(np.floor(span * data.counts.sum(axis=1, keepdims=True) + 1e-10), 2)
    length = float(data.x[-1] - data.x[0])
    found = np.empty((len(data.counts), len(at)))
    for place, value in enumerate(at):
        distance = np.abs(data.x - value)
        order = np.argsort(distance, kind="stable")
        counts = data.counts[:, order]
        # A weight is 0 at the very edge, so that a third answer has to reach it before two lie inside.
        inside = (counts.cumsum(axis=1) >= nearest) & ((counts > 0).cumsum(axis=1) >= min(3, len(order)))
        edge = np.where(inside.any(axis=1), inside.argmax(axis=1), len(order) - 1)
        radius = np.maximum(distance[order][edge], 1e-12 * length)[:, None]
        weight = data.counts * np.clip(1 - (distance / radius) ** 3, 0, None) ** 3
        total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
        share = weight / total
        mean_x, mean_y = (share * data.x).sum(axis=1), (share * data.means).sum(axis=1)
        away = data.x - mean_x[:, None]
        spread = (share * away**2).sum(axis=1)
        slope = np.where(spread > (1e-3 * length) ** 2, (share * away * data.means).sum(axis=1), 0.0)
        found[:, place] = mean_y + slope / np.where(spread > 0, spread, 1.0) * (value - mean_x)
    return found


def _starts(x: Array, weight: Array, y: Array) -> Array:
    """The best (lower, rise, midpoint, log steepness) of the grid, (b, 4): a regression on each logistic."""
    from scipy.special import expit

    midpoint, steepness = (axis.ravel() for axis in np.meshgrid(_MIDPOINTS, _STEEPNESS))
    curves = expit(steepness[:, None] * (x[None, :] - midpoint[:, None]))  # (g, u)
    mean_p, mean_pp = weight @ curves.T, weight @ (curves**2).T
    mean_y, mean_py = (weight * y).sum(axis=1, keepdims=True), (weight * y) @ curves.T
    spread, shared = mean_pp - mean_p**2, mean_py - mean_p * mean_y
    usable = spread > 1e-8
    gain = np.where(usable, shared**2 / np.where(usable, spread, 1.0), -np.inf)
    best, row = gain.argmax(axis=1), np.arange(len(y))
    rise = shared[row, best] / np.where(usable[row, best], spread[row, best], 1.0)
    lower = mean_y[:, 0] - rise * mean_p[row, best]
    return np.stack([lower, rise, midpoint[best], np.log(steepness[best])], axis=1)


def _search(x: Array, weight: Array, y: Array, theta: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Levenberg–Marquardt in all samples at once; those at rest are left out of the next step."""
    theta, damping = theta.copy(), np.full(len(theta), 1e-3)
    value = _misfit(x, weight, y, theta)
    converged = np.zeros(len(theta), dtype=bool)
    stuck = np.zeros(len(theta), dtype=bool)
    for _ in range(_ITERATIONS):
        live = np.flatnonzero(~converged & ~stuck)
        if not len(live):
            break
        step = _step(x, weight[live], y[live], theta[live], damping[live])
        tried = _bounded(theta[live] + step)
        reached = _misfit(x, weight[live], y[live], tried)
        better = reached <= value[live]
        small = np.abs(tried - theta[live]).max(axis=1) < _PRECISION * (1 + np.abs(theta[live]).max(axis=1))
        flat = better & (value[live] - reached <= 1e-13 * np.maximum(value[live], 1e-12))
        theta[live[better]], value[live[better]] = tried[better], reached[better]
        damping[live] = np.where(better, np.maximum(damping[live] / 5, 1e-12), damping[live] * 4)
        converged[live] = small | flat
        stuck[live] = ~converged[live] & (damping[live] > 1e12)
    return theta, converged


def _parts(x: Array, theta: Array) -> tuple[Array, Array]:
    """The logistic (b, u) and its argument."""
    from scipy.special import expit

    z = np.exp(theta[:, 3:4]) * (x[None, :] - theta[:, 2:3])
    return cast(Array, expit(z)), z


def _misfit(x: Array, weight: Array, y: Array, theta: Array) -> Array:
    p, _ = _parts(x, theta)
    return cast(Array, (weight * (y - theta[:, :1] - theta[:, 1:2] * p) ** 2).sum(axis=1))


def _step(x: Array, weight: Array, y: Array, theta: Array, damping: Array) -> Array:
    """(J'WJ + λ·diag)⁻¹ J'Wr, with the derivatives by lower, rise, midpoint and log steepness."""
    p, z = _parts(x, theta)
    rise = theta[:, 1:2]
    bend = rise * p * (1 - p)
    jacobian = np.stack([np.ones_like(p), p, -np.exp(theta[:, 3:4]) * bend, z * bend], axis=2)  # (b, u, 4)
    weighted = jacobian * weight[:, :, None]
    normal: Any = np.matmul(weighted.transpose(0, 2, 1), jacobian)
    score = np.matmul(weighted.transpose(0, 2, 1), (y - theta[:, :1] - rise * p)[:, :, None])
    scale = np.maximum(np.einsum("bii->bi", normal), 1e-10)
    normal = normal + (damping[:, None] * scale + 1e-14)[:, :, None] * np.eye(4)
    return cast(Array, np.linalg.solve(normal, score)[:, :, 0])


def _bounded(theta: Array) -> Array:
    bounded = theta.copy()
    bounded[:, 2] = np.clip(theta[:, 2], *_REACH)
    bounded[:, 3] = np.clip(theta[:, 3], *np.log(EDGES))
    return bounded
