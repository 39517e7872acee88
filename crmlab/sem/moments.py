"""Means and covariances of a table, of many resamples of it, and of the table with each row left out.

All of them are sums of row features weighted by how often a row is drawn, so one matrix product serves a whole batch of
resamples. Missing answers are replaced by the mean of the answers present *in the resample* (mean replacement): in
these sums a missing answer deviates from the mean by nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .errors import SemError

Array = NDArray[np.float64]

MISSING = ("mean", "listwise")
_FEATURE_BYTES = 64_000_000


@dataclass(frozen=True)
class Moments:
    """Moments of a batch of b samples over p items.

    Attributes
    ----------
    mean : array (b, p)
    cov : array (b, p, p)
        Covariances with divisor n − 1.
    """

    mean: Array
    cov: Array

    @cached_property
    def sd(self) -> Array:
        """Standard deviations, array (b, p), divisor n − 1."""
        return np.sqrt(np.diagonal(self.cov, axis1=1, axis2=2))

    @cached_property
    def correlation(self) -> Array:
        """Correlations, array (b, p, p); rows and columns of a constant item are nan."""
        scale = np.where(self.sd > 0, self.sd, np.nan)
        return self.cov / (scale[:, :, None] * scale[:, None, :])

    def take(self, rows: NDArray[np.bool_]) -> Moments:
        """The moments of some of the samples."""
        return Moments(self.mean[rows], self.cov[rows])


class SampleMoments:
    """Moments of an n × p table, of its resamples and of its leave-one-out samples.

    Parameters
    ----------
    values : array (n, p)
        Answers; nan where missing.

    Examples
    --------
    >>> sample = SampleMoments(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 9.0]]))
    >>> sample.full.mean
    array([[2., 5.]])
    >>> sample.resampled(np.array([[0.0, 0.0, 3.0]])).mean      # the third row drawn three times
    array([[3., 9.]])
    """

    def __init__(self, values: Array):
        self.values = np.asarray(values, dtype=float)
        self.n, self.p = self.values.shape
        present = ~np.isnan(self.values)
        if not present.any(axis=0).all():
            raise SemError(f"column {int(np.argmin(present.any(axis=0))) + 1} holds no answer at all")
        self.center = np.nanmean(self.values, axis=0)
        self._deviation = np.where(present, self.values - self.center, 0.0)
        self._present = None if present.all() else present.astype(float)
        self._spread = np.mean(self._deviation**2, axis=0)
        self._upper = np.triu_indices(self.p)

    @cached_property
    def full(self) -> Moments:
        """Moments of the table itself, as a batch of one."""
        return self._moments(self._total[None], self.n)

    def resampled(self, counts: Array) -> Moments:
        """Moments of b resamples; `counts` (b, n) says how often each row was drawn (n draws in each row)."""
        size = max(1, _FEATURE_BYTES // (8 * len(self._total)))
        blocks = (slice(i, i + size) for i in range(0, self.n, size))
        sums = sum(counts[:, rows] @ self._features(rows) for rows in blocks)
        return self._moments(np.asarray(sums), self.n)

    def leave_one_out(self, rows: slice) -> Moments:
        """Moments of the samples that lack one of `rows` each, for the jackknife."""
        return self._moments(self._total - self._features(rows), self.n - 1)

    @cached_property
    def _total(self) -> Array:
        """The features summed over all rows, (q,)."""
        z, m = self._deviation, self._present
        if m is None:
            return np.concatenate([z.sum(axis=0), (z.T @ z)[self._upper]])
        return np.concatenate(
            [z.sum(axis=0), (z.T @ z)[self._upper], m.sum(axis=0), (m.T @ m)[self._upper], (z.T @ m).ravel()]
        )

    def _features(self, rows: slice) -> Array:
        """Row features whose weighted sums give the moments, (r, q): z, zz'; with missing answers also m, mm', zm'."""
        i, j = self._upper
        z = self._deviation[rows]
        if self._present is None:
            return np.hstack([z, z[:, i] * z[:, j]])
        m = self._present[rows]
        crossed = (z[:, :, None] * m[:, None, :]).reshape(len(z), -1)
        return np.hstack([z, z[:, i] * z[:, j], m, m[:, i] * m[:, j], crossed])

    def _moments(self, sums: Array, n: int) -> Moments:
        p, pairs = self.p, len(self._upper[0])
        if self._present is None:
            shift = sums[:, :p] / n
            cov = self._square(sums[:, p:]) - n * shift[:, :, None] * shift[:, None, :]
        else:
            z, zz, m, mm, zm = np.split(sums, np.cumsum([p, pairs, p, pairs]), axis=1)
            with np.errstate(invalid="ignore", divide="ignore"):
                shift = z / m  # mean of the answers present
            cross = zm.reshape(-1, p, p) * shift[:, None, :]
            both = shift[:, :, None] * shift[:, None, :]
            cov = self._square(zz) - cross - cross.transpose(0, 2, 1) + both * self._square(mm)
        # What rounding leaves of the variance of an item that is constant in a resample is no variance.
        constant = np.diagonal(cov, axis1=1, axis2=2) <= 1e-12 * n * self._spread
        cov = np.where(constant[:, :, None] | constant[:, None, :], 0.0, cov)
        return Moments(self.center + shift, cov / (n - 1))

    def _square(self, triangle: Array) -> Array:
        full = np.empty((len(triangle), self.p, self.p))
        i, j = self._upper
        full[:, i, j] = triangle
        full[:, j, i] = triangle
        return full


def draw_counts(rng: np.random.Generator, n_resamples: int, n: int) -> Array:
    """Draw resamples with replacement; how often each of n rows appears in each, array (n_resamples, n).

    The stream of draws does not depend on how the resamples are split into batches.

    Examples
    --------
    >>> draw_counts(np.random.default_rng(1), 2, 4).sum(axis=1)
    array([4., 4.])
    """
    drawn = rng.integers(0, n, size=(n_resamples, n))
    offset = np.arange(n_resamples)[:, None] * n
    return np.bincount((drawn + offset).ravel(), minlength=n_resamples * n).reshape(n_resamples, n).astype(float)


def inverse(matrix: Array) -> Array:
    """Inverse of a symmetric matrix, by its Cholesky factor where it is positive definite."""
    found = definite_inverse(matrix)
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64) if found is None else found[0]


def definite_inverse(matrix: Array) -> tuple[Array, float] | None:
    """Inverse and log-determinant of a symmetric positive definite matrix, None where it is not positive definite.

    Examples
    --------
    >>> found = definite_inverse(np.diag([1.0, 4.0]))
    >>> found[0].tolist(), round(found[1], 4)
    ([[1.0, 0.0], [0.0, 0.25]], 1.3863)
    >>> definite_inverse(np.diag([1.0, -1.0])) is None
    True
    """
    from scipy.linalg.lapack import dpotrf, dpotri

    root, failed = dpotrf(matrix.T, lower=1, clean=1)
    if failed:
        return None
    log_det = 2 * float(np.log(root.diagonal()).sum())
    lower, _ = dpotri(root, lower=1, overwrite_c=1)
    full = lower + lower.T
    full.flat[:: len(full) + 1] /= 2
    return full, log_det
