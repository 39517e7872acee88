"""Test statistics for the robust fit measures where answers are missing or ordinal.

The plain χ² of FIML or of weighted least squares is not what RMSEA and CFI are defined on. Both corrections evaluate
the complete-data normal-theory discrepancy at the estimates in hand and find its mean under the model, c per degree of
freedom, so that `measures.fit_measures` can speak of the complete, normal population.

References
----------
Savalei, V. (2021). Improving fit indices in structural equation modeling with categorical data. Multivariate Behavioral
Research 56, 390–407.
Zhang, X. & Savalei, V. (2023). New computations for RMSEA and CFI following FIML and TS estimation with missing data.
Psychological Methods 28, 263–283.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import fiml
from .matrices import Implied
from .measures import Corrected, GroupMoments
from .moments import Array


def stacked_derivatives(implied: Implied, means: bool = True) -> Array:
    """∂(μ, vech Σ)/∂θ', array (p + p(p+1)/2, q), vech by columns; without means the covariance rows only."""
    j, i = np.triu_indices(len(implied.cov))
    d_cov = implied.d_cov[:, i, j].T
    return np.vstack([implied.d_mean.T, d_cov]) if means else d_cov


def discrepancy(sample: GroupMoments, implied: GroupMoments) -> float:
    """Normal-theory F = ln|Σ| − ln|S| + tr(SΣ⁻¹) − p + (x̄−μ)'Σ⁻¹(x̄−μ) of one group; nan where Σ or S is not positive.

    Examples
    --------
    >>> round(discrepancy(GroupMoments(np.eye(2)), GroupMoments(2 * np.eye(2))), 4)     # 2 (ln 2 + 1/2 − 1)
    0.3863
    """
    (sign, log_det), (sign_s, log_det_s) = np.linalg.slogdet(implied.cov), np.linalg.slogdet(sample.cov)
    if sign <= 0 or sign_s <= 0:
        return float("nan")
    about = sample.cov
    if sample.mean is not None and implied.mean is not None:
        about = about + np.outer(sample.mean - implied.mean, sample.mean - implied.mean)
    return float(log_det - log_det_s + np.trace(np.linalg.solve(implied.cov, about)) - len(about))


def missing_data(test: fiml.CompleteDataTest, df: int, baseline: fiml.CompleteDataTest, baseline_df: int) -> Corrected:
    """What robust measures under FIML are computed from, see `fiml.FIMLObjective.complete_data_test`.

    Examples
    --------
    >>> missing_data(fiml.CompleteDataTest(24.0, 22.0), 20, fiml.CompleteDataTest(90.0, 33.0), 30).c_hat
    1.1
    """
    c_hat, baseline_c_hat = (
        one.expectation / degrees if degrees else 1.0 for one, degrees in ((test, df), (baseline, baseline_df))
    )
    return Corrected(test.statistic, c_hat, baseline.statistic, baseline_c_hat)


def pattern_information(values: Array, moments: GroupMoments, kind: str) -> Array:
    """Information per respondent about (μ, vech Σ) in incomplete answers, array (k, k), k = p + p(p+1)/2.

    For the answers o of a pattern with W = Σ_oo⁻¹, d the mean and T the mean square of y − μ:

    - "observed", minus the Hessian: W for μ; tr[W dΣ (W T W − W/2) dΣ*] for Σ; W dΣ W d between them;
    - "expected": W and ½ tr(W dΣ W dΣ*), nothing between them;
    - "scores": mean cross-product of the scores W(y − μ) and ½ tr[dΣ (W(y−μ)(y−μ)'W − W)].

    Examples
    --------
    >>> answers = np.array([[1.0], [-1.0], [np.nan]])
    >>> pattern_information(answers[:2], GroupMoments(np.eye(1), np.zeros(1)), "observed")
    array([[1. , 0. ],
           [0. , 0.5]])
    """
    if moments.mean is None:
        raise ValueError("information in incomplete answers needs the means; pass GroupMoments with mean")
    found = fiml.moment_fit(values, moments.mean, moments.cov)
    if kind == "scores":
        scores = found.scores()
        return scores.T @ scores / len(values)
    return found.information(kind == "expected") / len(values)


def pairwise_moments(values: Array) -> GroupMoments:
    """Means of the answers present, and covariances of the pairs present (divisor n_pair − 1) times (n − 1)/n.

    GFI under FIML is computed from these in lavaan 0.6-14; nothing else is.

    Examples
    --------
    >>> pairwise_moments(np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 4.0]])).cov.round(3)
    array([[2.667, 2.667],
           [2.667, 1.333]])
    """
    present = (~np.isnan(values)).astype(float)
    z = np.where(present > 0, values - np.nanmean(values, axis=0), 0.0)
    pairs = present.T @ present
    shift = z.T @ present / pairs  # mean of the row's item where the column's item is present
    cov = (z.T @ z - pairs * shift * shift.T) / (pairs - 1)
    return GroupMoments(cov * (len(values) - 1) / len(values), np.nanmean(values, axis=0))


def _linear(w: Array, v: Array) -> Array:
    """W dΣ v for each element of vech Σ, array (p, p(p+1)/2)."""
    j, i = np.triu_indices(len(w))
    both = w[:, i] * v[j] + w[:, j] * v[i]
    return np.where(i == j, both / 2, both)


def bilinear(w: Array, m: Array) -> Array:
    """tr(W dΣ M dΣ*) for each pair of elements of vech Σ by columns, array (k, k), symmetrised; W, M symmetric."""
    j, i = np.triu_indices(len(w))
    a, b, c, d = i[:, None], j[:, None], i[None], j[None]
    total = w[a, c] * m[b, d] + w[a, d] * m[b, c] + w[b, c] * m[a, d] + w[b, d] * m[a, c]
    half = np.where(i == j, 0.5, 1.0)
    total *= half[:, None] * half
    return (total + total.T) / 2


def normal_information(moments: GroupMoments, sample: GroupMoments | None = None) -> Array:
    """Information per respondent about (μ, vech Σ) in complete normal answers, at `moments`; about vech Σ without mean.

    Expected; with a `sample` observed, see `pattern_information`, T = S + dd' and d = x̄ − μ.

    Examples
    --------
    >>> normal_information(GroupMoments(np.eye(1)))
    array([[0.5]])
    """
    w: Array = np.asarray(np.linalg.inv(moments.cov), dtype=float)
    m, cross = 0.5 * w, np.zeros((len(w), len(w) * (len(w) + 1) // 2))
    if sample is not None:
        gap = np.zeros(len(w))
        if sample.mean is not None and moments.mean is not None:
            gap = sample.mean - moments.mean
        m, cross = w @ (sample.cov + np.outer(gap, gap)) @ w - m, _linear(w, w @ gap)
    covariances = bilinear(w, m)
    return covariances if moments.mean is None else np.block([[w, cross], [cross.T, covariances]])


def block_diagonal(blocks: Sequence[Array]) -> Array:
    """The matrix with these blocks along its diagonal."""
    rows, columns = (np.cumsum([0, *(block.shape[k] for block in blocks)]) for k in (0, 1))
    total = np.zeros((rows[-1], columns[-1]))
    for k, block in enumerate(blocks):
        total[rows[k] : rows[k + 1], columns[k] : columns[k + 1]] = block
    return total


def ordinal(
    n: Sequence[int],
    sample: Sequence[GroupMoments],
    implied: Sequence[GroupMoments],
    derivatives: Sequence[Array],
    weights: Sequence[Array],
    gamma: Sequence[Array],
    df: int,
) -> Corrected | None:
    """What robust measures of an all-ordinal model by DWLS or ULS are computed from (Savalei 2021, eqs. 9–14).

    The statistic is N F_ML of the polychoric correlations at the least-squares estimates, and
    c = tr[(I − A)'V(I − A)Γ]/df with A = Δ(Δ'WΔ)⁻¹Δ'W and V the normal-theory weights of correlations at the implied
    ones; for the baseline V = I and A = 0. As lavaan 0.6-14 computes it, V = I is not weighted by the groups' shares.

    Parameters
    ----------
    n : sequence of int
    sample, implied : sequences of GroupMoments
        Polychoric and implied correlations.
    derivatives, weights, gamma : sequences of arrays
        Of each group, rows in the order of `GroupMoments.stacked` (thresholds, then correlations): Δ (k, q), the
        diagonal of W (k,) and Γ (k, k).
    df : int

    Returns
    -------
    Corrected, or None where a correlation matrix is not positive definite and nothing can be said.
    """
    if min(np.linalg.eigvalsh(one.cov)[0] for one in (*sample, *implied)) < 1.5e-8 or not df:
        return None
    shares, p = np.asarray(n, dtype=float) / sum(n), len(sample[0].cov)
    below = p * (p - 1) // 2
    rows = [slice(len(delta) - below, None) for delta in derivatives]
    information = sum(s * d.T @ (w[:, None] * d) for s, d, w in zip(shares, derivatives, weights, strict=True))
    delta = np.vstack([d[r] for d, r in zip(derivatives, rows, strict=True)])
    w = np.concatenate([s * w[r] for s, w, r in zip(shares, weights, rows, strict=True)])
    acov = block_diagonal([g[r, r] / s for s, g, r in zip(shares, gamma, rows, strict=True)])
    v = block_diagonal([s * _correlation_weights(one.cov) for s, one in zip(shares, implied, strict=True)])
    rest = np.eye(len(w)) - delta @ np.linalg.pinv(np.asarray(information)) @ (delta.T * w)
    chisq = sum(k * discrepancy(_plain(s), _plain(i)) for k, s, i in zip(n, sample, implied, strict=True))
    free = [GroupMoments(np.eye(p))] * len(n)
    baseline = sum(k * discrepancy(_plain(s), i) for k, s, i in zip(n, sample, free, strict=True))
    c = np.trace(rest.T @ v @ rest @ acov) / df
    return Corrected(float(chisq), float(c), float(baseline), float(np.trace(acov) / len(w)))


def _plain(moments: GroupMoments) -> GroupMoments:
    return GroupMoments(moments.cov)


def _correlation_weights(cov: Array) -> Array:
    """½ tr(Σ⁻¹ dΣ Σ⁻¹ dΣ*) for the elements below the diagonal, by columns."""
    inverse: Array = np.asarray(np.linalg.inv(cov), dtype=float)
    j, i = np.triu_indices(len(cov))
    off = i != j
    return bilinear(inverse, 0.5 * inverse)[np.ix_(off, off)]
