"""Reliability and validity of blocks of items, for one sample or a batch of samples; serves chapters 7 and 9.

Every function takes correlation or covariance matrices with a leading batch axis b, so that one sample and thousands of
resamples share the same formula.

References
----------
Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika 16, 297–334.
Dijkstra, T. K. & Henseler, J. (2015). Consistent partial least squares path modeling. MIS Quarterly 39, 297–316.
Fornell, C. & Larcker, D. F. (1981). Evaluating structural equation models with unobservable variables and measurement
error. Journal of Marketing Research 18, 39–50.
Henseler, J., Ringle, C. M. & Sarstedt, M. (2015). A new criterion for assessing discriminant validity in variance-based
structural equation modeling. Journal of the Academy of Marketing Science 43, 115–135.
Lawley, D. N. & Maxwell, A. E. (1971). Factor analysis as a statistical method, 2nd ed. Butterworths.
McDonald, R. P. (1999). Test theory: A unified treatment. Erlbaum.
"""

from __future__ import annotations

import numpy as np

from .moments import Array

_POWER_ITERATIONS = 10


def alpha_of(cov: Array) -> Array:
    """Cronbach's α of one block, k/(k−1)·(1 − Σsᵢ²/s_T²); (b, k, k) → (b,). Of correlations: the standardised α.

    A single item has no internal consistency: nan.

    Examples
    --------
    >>> alpha_of(np.array([[[1.0, 0.5], [0.5, 1.0]]])).round(4)     # 2·½/(1 + ½)
    array([0.6667])
    """
    k = cov.shape[-1]
    if k == 1:
        return np.full(len(cov), np.nan)
    total = cov.sum(axis=(1, 2))
    return k / (k - 1) * (1 - np.trace(cov, axis1=1, axis2=2) / total)


def omega_of(cov: Array) -> Array:
    """McDonald's ω = (Σλ)²/((Σλ)² + Σψ) from a one-factor maximum-likelihood model; (b, k, k) → (b,).

    Two items do not identify a factor: equal loadings are assumed, which gives α. A single item: nan. A block whose
    factor model has no proper solution (a unique variance at zero) is reported as nan.

    Examples
    --------
    >>> loading, unique = np.array([0.8, 0.7, 0.6, 0.5]), 1 - np.array([0.8, 0.7, 0.6, 0.5]) ** 2
    >>> omega_of((np.outer(loading, loading) + np.diag(unique))[None]).round(6)   # 2.6² / (2.6² + 2.26)
    array([0.749446])
    """
    if cov.shape[-1] < 3:
        return alpha_of(cov)
    loadings, unique = one_factor(cov)
    common = loadings.sum(axis=1) ** 2
    return common / (common + unique.sum(axis=1))


def one_factor(cov: Array, tolerance: float = 1e-5, max_iterations: int = 60) -> tuple[Array, Array]:
    """Loadings and unique variances of the one-factor model by maximum likelihood; (b, k, k) → (b, k), (b, k).

    Three items determine the loadings exactly, λ₁² = r₁₂r₁₃/r₂₃. With more, the likelihood is minimised over the
    logarithms of the unique variances by Newton steps with approximate second derivatives (Lawley & Maxwell 1971,
    chapter 4): with u the leading eigenvector of Ψ^(−½)RΨ^(−½) and γ its eigenvalue, gradient (1 − u²) − (1/ψ − γu²)
    and second derivatives (I − uu')² element by element. A few power steps from the last u serve most samples; those
    that linger get their exact eigenvectors. Samples that do not converge, or whose solution is improper (a unique
    variance at or below zero), are nan.
    """
    sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = cov / (sd[:, :, None] * sd[:, None, :])
    loadings = np.full(sd.shape, np.nan)
    usable = np.flatnonzero(np.isfinite(correlation).all(axis=(1, 2)))
    if cov.shape[-1] == 3:
        loadings[usable] = _three_item_loadings(correlation[usable])
    else:
        loadings[usable] = _likelihood_loadings(correlation[usable], tolerance, max_iterations)
    return loadings * sd, (1 - loadings**2) * sd**2


def _three_item_loadings(r: Array) -> Array:
    """λᵢ = √(rᵢⱼrᵢₖ/rⱼₖ) with the signs of the correlations with the first item; nan unless 0 < λ² < 1."""
    one_two, one_three, two_three = r[:, 0, 1], r[:, 0, 2], r[:, 1, 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = np.stack(
            [one_two * one_three / two_three, one_two * two_three / one_three, one_three * two_three / one_two], axis=1
        )
        proper = ((squared > 0) & (squared < 1)).all(axis=1, keepdims=True)
        signs = np.stack([np.ones_like(one_two), np.sign(one_two), np.sign(one_three)], axis=1)
        return np.where(proper, signs * np.sqrt(squared), np.nan)


def _likelihood_loadings(r: Array, tolerance: float, max_iterations: int) -> Array:
    b, k = r.shape[:2]
    loadings, active, diagonal = np.full((b, k), np.nan), np.arange(b), np.arange(k)
    log_unique, u = np.full((b, k), np.log(0.5)), np.full((b, k), 1 / np.sqrt(k))
    for iteration in range(max_iterations):
        if not len(active):
            break
        scale = np.exp(-log_unique / 2)
        scaled = r * scale[:, :, None] * scale[:, None, :]
        u, gamma = _leading(scaled, u) if iteration < _POWER_ITERATIONS else _leading_exactly(scaled)
        gradient = (1 - u**2) - (scale**2 - gamma * u**2)
        second = -u[:, :, None] * u[:, None, :]
        second[:, diagonal, diagonal] += 1
        step = np.clip(np.linalg.solve(second**2, gradient[:, :, None])[:, :, 0], -1, 1)
        log_unique = log_unique - step
        done = np.abs(step).max(axis=1) < tolerance
        if done.any():
            common = np.sqrt(np.maximum(gamma - 1, 0))
            loadings[active[done]] = (np.exp(log_unique / 2) * u * common)[done]
            active, r, log_unique, u = active[~done], r[~done], log_unique[~done], u[~done]
        improper = log_unique.min(axis=1, initial=0) < np.log(1e-4)
        if improper.any():
            active, r, log_unique, u = active[~improper], r[~improper], log_unique[~improper], u[~improper]
    return loadings


def _leading_exactly(matrices: Array) -> tuple[Array, Array]:
    """Leading eigenvectors (b, k), the sum of each positive, and eigenvalues (b, 1)."""
    values, vectors = np.linalg.eigh(matrices)
    vector = vectors[:, :, -1]
    return vector * np.where(vector.sum(axis=1, keepdims=True) < 0, -1.0, 1.0), values[:, -1:]


def _leading(matrices: Array, start: Array, power: int = 4) -> tuple[Array, Array]:
    """Leading eigenvectors (b, k) and eigenvalues (b, 1) by power steps from a start near them."""
    vector = start
    for _ in range(power):
        product = np.matmul(matrices, vector[:, :, None])[:, :, 0]
        value = np.sqrt(np.sum(product**2, axis=1, keepdims=True))
        vector = product / value
    return vector, value


def rho_a_of(correlation: Array, weights: Array) -> Array:
    """ρ_A of a Mode A block (Dijkstra & Henseler 2015, eq. 3), weights scaled to a composite of unit variance.

    ρ_A = (w'w)² · w'(S − diag S)w / w'(ww' − diag ww')w; (b, k, k), (b, k) → (b,). A single item counts 1.

    Examples
    --------
    >>> w = np.full((1, 2), 1 / np.sqrt(3))      # two items correlated at ½: composite variance 1
    >>> rho_a_of(np.array([[[1.0, 0.5], [0.5, 1.0]]]), w).round(4)
    array([0.6667])
    """
    if correlation.shape[-1] == 1:
        return np.ones(len(correlation))
    squared = np.sum(weights**2, axis=1)
    within = np.einsum("bi,bi->b", weights, np.einsum("bij,bj->bi", correlation, weights)) - squared
    return squared**2 * within / (squared**2 - np.sum(weights**4, axis=1))


def rho_c_of(loadings: Array) -> Array:
    """Composite reliability ρ_C = (Σλ)²/((Σλ)² + Σ(1 − λ²)); (b, k) → (b,)."""
    common = loadings.sum(axis=1) ** 2
    return common / (common + np.sum(1 - loadings**2, axis=1))


def ave_of(loadings: Array) -> Array:
    """Average variance extracted, Σλ²/k (Fornell & Larcker 1981); (b, k) → (b,)."""
    return np.mean(loadings**2, axis=1)


def htmt_of(correlation: Array, membership: Array) -> Array:
    """Heterotrait–monotrait ratios (Henseler et al. 2015); (b, p, p) and membership (p, k) of 0/1 → (b, k, k).

    The mean absolute correlation between two blocks over the geometric mean of the mean absolute correlations within
    them; a single item counts 1 within. The diagonal is 1.
    """
    size = membership.sum(axis=0)
    sums = membership.T @ np.abs(correlation) @ membership
    pairs = size * (size - 1)
    diagonal = np.diagonal(sums, axis1=1, axis2=2)
    within = np.where(size > 1, (diagonal - size) / np.maximum(pairs, 1), 1.0)
    ratio = sums / np.outer(size, size) / np.sqrt(within[:, :, None] * within[:, None, :])
    k = np.arange(len(size))
    ratio[:, k, k] = 1.0
    return ratio
