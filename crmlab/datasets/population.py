"""What is true of a simulated satisfaction survey before anyone is asked: population moments, derived for chapter 9.

Constructs have unit variance and follow a recursive path model; items are standardised and hang on one construct
each. A block of items is either a **common factor** with its loadings or a **composite** of its items. Both give the
same covariance formula, Σ = Λ P Λ' + Θ, and differ only in Θ: diagonal under the factor model, singular along the
weights under the composite model. Cutting standardised items at thresholds gives ordinal answers, whose probabilities,
means and covariances follow from the normal distribution. Nothing here draws a random number.

References
----------
Dijkstra, T. K., & Henseler, J. (2015). Consistent and asymptotically normal PLS estimators for linear structural
equations. Computational Statistics & Data Analysis, 81, 10–23.
Schuberth, F., Henseler, J., & Dijkstra, T. K. (2018). Confirmatory composite analysis. Frontiers in Psychology, 9,
2541.
Schlittgen, R., Sarstedt, M., & Ringle, C. M. (2020). Data generation for composite-based structural equation modeling
methods. Advances in Data Analysis and Classification, 14, 747–757.
Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., & Bryant, B. E. (1996). The American Customer Satisfaction Index.
Journal of Marketing, 60(4), 7–18.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def construct_correlations(coefficients: ArrayLike, names: Sequence[str] | None = None) -> Array:
    """Correlations of constructs that follow a recursive path model with unit variances.

    Taken in causal order, construct j correlates with those before it by P_j· = b_j' P and has the disturbance variance
    ψ_j = 1 − b_j' P b_j, so that its own variance is 1. Constructs without a predecessor are uncorrelated.

    Parameters
    ----------
    coefficients : array (J, J)
        Standardised path coefficients; row = the construct explained, column = the one that explains it.
    names : sequence of str, length J, optional
        What error messages call the constructs; their positions counted from 0 without it.

    Returns
    -------
    array (J, J)
        P, symmetric and positive definite, ones on the diagonal.

    Raises
    ------
    ValueError
        If the paths run in a circle, or explain all the variance of a construct or more.

    Examples
    --------
    >>> construct_correlations([[0, 0, 0], [0.5, 0, 0], [0.2, 0.4, 0]])
    array([[1. , 0.5, 0.4],
           [0.5, 1. , 0.5],
           [0.4, 0.5, 1. ]])
    """
    b = np.asarray(coefficients, dtype=float)
    correlations = np.eye(len(b))
    for j in causal_order(b, names):
        explained = b[j] @ correlations @ b[j]
        if not explained < 1:
            raise ValueError(
                f"paths: the predictors of {names[j] if names else j} explain {explained:.0%} of its variance; a "
                "construct of unit variance leaves room for less than 100 %. Make the paths into it smaller."
            )
        correlations[j] = correlations[:, j] = correlations @ b[j]
        correlations[j, j] = 1.0
    return correlations


def causal_order(coefficients: ArrayLike, names: Sequence[str] | None = None) -> list[int]:
    """Positions of the constructs, causes before effects.

    Parameters
    ----------
    coefficients : array (J, J)
        Row = effect, column = cause; non-zero where there is a path.
    names : sequence of str, length J, optional
        What error messages call the constructs.

    Raises
    ------
    ValueError
        If the paths run in a circle.

    Examples
    --------
    >>> causal_order([[0, 0.5], [0, 0]])
    [1, 0]
    """
    causes = {j: np.flatnonzero(row).tolist() for j, row in enumerate(np.asarray(coefficients, dtype=float))}
    try:
        return list(TopologicalSorter(causes).static_order())
    except CycleError as error:
        circle = " → ".join(str(names[j] if names else j) for j in error.args[1])
        raise ValueError(
            f"paths: {circle} is a circle of causes; the generator needs a model without circles. Remove one of "
            "these paths."
        ) from None


@dataclass(frozen=True, eq=False)
class Block:
    """The items of one construct, standardised: what holds inside the block.

    Attributes
    ----------
    correlations : array (k, k)
        R, correlations of the items with each other.
    loadings : array (k,)
        λ, correlation of each item with the construct.
    weights : array (k,)
        w, population weights of PLS Mode A, scaled so that the score w'x has unit variance (w' R w = 1).
    """

    correlations: Array
    loadings: Array
    weights: Array

    @property
    def residuals(self) -> Array:
        """Θ = R − λλ': covariance of what the construct leaves unexplained in its items, array (k, k)."""
        return self.correlations - np.outer(self.loadings, self.loadings)

    @property
    def reliability(self) -> float:
        """(w'λ)²: squared correlation of the score w'x with the construct; 1 when the construct *is* the score."""
        return float(self.weights @ self.loadings) ** 2


def factor_block(loadings: ArrayLike) -> Block:
    """A common factor: items correlate only because they share the construct, R = λλ' + diag(1 − λ²).

    Between blocks Σ_ij = λ_i ρ_ij λ_j', so Mode A weights, being proportional to Σ_j Σ_ij w_j, are proportional to λ_i
    whatever the inner scheme (Dijkstra & Henseler 2015). Their score measures the construct with error: plain PLS
    attenuates, consistent PLS divides by √((w'λ)²).

    Parameters
    ----------
    loadings : array (k,)
        λ, between 0 and 1.

    Examples
    --------
    >>> block = factor_block([0.8, 0.6])
    >>> block.correlations
    array([[1.  , 0.48],
           [0.48, 1.  ]])
    >>> round(block.reliability, 4)
    0.6846
    """
    lam = np.asarray(loadings, dtype=float)
    correlations = np.outer(lam, lam)
    np.fill_diagonal(correlations, 1.0)
    return Block(correlations, lam, lam / np.sqrt(lam @ correlations @ lam))


def composite_block(correlations: ArrayLike) -> Block:
    """A composite: the construct is the score w'x itself, w the leading eigenvector of R scaled to w' R w = 1.

    In a composite model Σ_ij = λ_i ρ_ij λ_j' with λ_i = R_ii w_i (Schuberth, Henseler & Dijkstra 2018). One step of
    Mode A turns the weights of block i into Σ_j c_ij Σ_ij w_j = λ_i · Σ_j c_ij ρ_ij, a multiple of λ_i, for any inner
    weights c. The true weights are therefore a fixed point of plain PLS exactly when R_ii w_i is proportional to w_i:
    w_i must be an eigenvector of R_ii. The leading one is taken, since it is positive when all correlations are.

    Parameters
    ----------
    correlations : array (k, k)
        R, correlations of the items inside the block, all positive.

    Examples
    --------
    >>> block = composite_block([[1, 0.5], [0.5, 1]])
    >>> block.weights.round(4), block.loadings.round(4), round(block.reliability, 4)
    (array([0.5774, 0.5774]), array([0.866, 0.866]), 1.0)
    """
    r = np.asarray(correlations, dtype=float)
    eigenvalues, eigenvectors = np.linalg.eigh(r)
    direction = np.abs(eigenvectors[:, -1])
    weights = direction / np.sqrt(eigenvalues[-1])
    return Block(r, r @ weights, weights)


def survey_covariance(blocks: Sequence[Block], correlations: ArrayLike) -> Array:
    """Covariance of all standardised items: Σ = Λ P Λ' + Θ, that is R_ii inside blocks and λ_i ρ_ij λ_j' between them.

    It is positive definite whenever every R_ii and P are: Θ is positive semidefinite (the Schur complement of the score
    in its block), and the directions in which it vanishes are those of the scores, where Λ P Λ' does not.

    Parameters
    ----------
    blocks : sequence of Block, length J
    correlations : array (J, J)
        P, covariance of the constructs.

    Returns
    -------
    array (K, K)
        Σ, items in the order of the blocks.

    Raises
    ------
    ValueError
        If Σ is not positive definite: no survey can have these moments.

    Examples
    --------
    >>> survey_covariance([factor_block([0.8, 0.6]), factor_block([0.5])], [[1, 0.5], [0.5, 1]])
    array([[1.  , 0.48, 0.2 ],
           [0.48, 1.  , 0.15],
           [0.2 , 0.15, 1.  ]])
    """
    covariance = _block_diagonal([block.residuals for block in blocks])
    loadings = loading_matrix(blocks)
    covariance += loadings @ np.asarray(correlations, dtype=float) @ loadings.T
    smallest = np.linalg.eigvalsh(covariance)[0]
    if smallest <= 1e-10:
        raise ValueError(
            f"covariance: the items' covariance matrix is not positive definite (smallest eigenvalue {smallest:.3g}); "
            "no population has it. Make loadings or construct correlations smaller."
        )
    return covariance


def loading_matrix(blocks: Sequence[Block]) -> Array:
    """Λ, items by constructs: each item's loading in the column of its construct, 0 elsewhere.

    Examples
    --------
    >>> loading_matrix([factor_block([0.8, 0.6]), factor_block([0.5])])
    array([[0.8, 0. ],
           [0.6, 0. ],
           [0. , 0.5]])
    """
    return _block_diagonal([block.loadings[:, None] for block in blocks])


def attenuated_paths(paths: ArrayLike, correlations: ArrayLike, reliability: ArrayLike) -> Array:
    """Path coefficients that plain PLS converges to: regressions among scores instead of constructs.

    Scores correlate by ρ_ij √(Q_i Q_j), Q the reliability (Dijkstra & Henseler 2015); with Q = 1 nothing changes.

    Parameters
    ----------
    paths : array (J, J) of bool
        Row = effect, column = cause; true where the model has a path.
    correlations : array (J, J)
        P, correlations of the constructs.
    reliability : array (J,)
        Q, between 0 and 1.

    Examples
    --------
    >>> attenuated_paths([[False, False], [True, False]], [[1, 0.5], [0.5, 1]], [0.64, 0.81])
    array([[0.  , 0.  ],
           [0.36, 0.  ]])
    """
    root = np.sqrt(np.asarray(reliability, dtype=float))
    observed = np.asarray(correlations, dtype=float) * np.outer(root, root)
    np.fill_diagonal(observed, 1.0)
    result = np.zeros_like(observed)
    for effect, row in enumerate(np.asarray(paths, dtype=bool)):
        causes = np.flatnonzero(row)
        result[effect, causes] = np.linalg.solve(observed[np.ix_(causes, causes)], observed[causes, effect])
    return result


def even_thresholds(mean: float, sd: float, points: int) -> Array:
    """Cuts halfway between the scale points: mean + sd·z rounded to the nearest point, the ends collecting the rest.

    τ_c = (c + ½ − mean) / sd for c = 1 … points − 1, in units of the standardised item z.

    Parameters
    ----------
    mean, sd : float
        Mean and standard deviation of the answer before it is rounded, in scale points. What remains after rounding and
        collecting differs; ``ordinal_moments`` says by how much.
    points : int
        Scale points, 2 or more.

    Examples
    --------
    >>> even_thresholds(3.0, 1.0, 5)
    array([-1.5, -0.5,  0.5,  1.5])
    """
    return np.asarray((np.arange(1, points) + 0.5 - mean) / sd, dtype=np.float64)


def skewed_thresholds(mean: float, sd: float, points: int) -> Array:
    """Cuts that give answers the shape of real satisfaction surveys: crowded near the top, a long tail to the bottom.

    The scale is cut into ``points`` equal bins of a beta distribution on ½ … points + ½ with the given mean and
    standard deviation; τ_c = Φ⁻¹(I_{c/points}(a, b)), I the regularised incomplete beta function. With
    m = (mean − ½)/points and s = sd/points the moments give a = m·ν, b = (1 − m)·ν, ν = m(1 − m)/s² − 1. Above
    mid-scale the shape is skewed to the left, below it to the right.

    Parameters
    ----------
    mean, sd : float
        Target mean and standard deviation in scale points; the answers come close, ``ordinal_moments`` says how close.
    points : int
        Scale points, 2 or more.

    Raises
    ------
    ValueError
        If no beta distribution has these moments (sd too large for the mean).

    Examples
    --------
    >>> skewed_thresholds(7.5, 1.8, 10).round(2)
    array([-3.34, -2.54, -1.96, -1.48, -1.03, -0.59, -0.13,  0.4 ,  1.11])
    """
    from scipy.special import betainc, ndtri

    m, s = (mean - 0.5) / points, sd / points
    concentration = m * (1 - m) / s**2 - 1
    if concentration <= 0:
        raise ValueError(
            f"sds: {sd:g} is too large for the mean {mean:g} on {points} points; skewed answers need an sd below "
            f"{points * np.sqrt(m * (1 - m)):.2f}. Choose a smaller sd or thresholds='even'."
        )
    cumulative: Array = betainc(m * concentration, (1 - m) * concentration, np.arange(1, points) / points)
    return np.asarray(ndtri(cumulative), dtype=float)


def category_probabilities(thresholds: ArrayLike, mean: ArrayLike = 0.0, sd: ArrayLike = 1.0) -> Array:
    """Probability of every scale point: P(y = c) = Φ((τ_c − μ)/σ) − Φ((τ_{c−1} − μ)/σ), with τ_0 = −∞ and τ_points = ∞.

    Parameters
    ----------
    thresholds : array (K, points − 1)
        Ascending, in units of the standardised item.
    mean, sd : float or array (K,)
        μ and σ of the item before it is cut: 0 and 1 in the whole population, others inside a segment.

    Returns
    -------
    array (K, points)
        Rows sum to 1.

    Examples
    --------
    >>> category_probabilities([[-1.0, 0.0, 1.0]]).round(4)
    array([[0.1587, 0.3413, 0.3413, 0.1587]])
    """
    from scipy.special import ndtr

    tau = np.asarray(thresholds, dtype=float)
    ends = np.ones((len(tau), 1))
    cumulative = ndtr((tau - np.reshape(mean, (-1, 1))) / np.reshape(sd, (-1, 1)))
    return np.diff(np.hstack([0 * ends, cumulative, ends]), axis=1)


def ordinal_moments(probabilities: ArrayLike) -> tuple[Array, Array]:
    """Mean and standard deviation of answers 1 … points with the given probabilities.

    Parameters
    ----------
    probabilities : array (K, points)

    Returns
    -------
    mean, sd : arrays (K,)

    Examples
    --------
    >>> mean, sd = ordinal_moments([[0.25, 0.5, 0.25]])
    >>> mean, sd.round(4)
    (array([2.]), array([0.7071]))
    """
    p = np.asarray(probabilities, dtype=float)
    scale = np.arange(1, p.shape[1] + 1)
    mean = p @ scale
    return mean, np.sqrt(np.sum(p * (scale - mean[:, None]) ** 2, axis=1))


def ordinal_covariance(thresholds: ArrayLike, covariance: ArrayLike, mean: ArrayLike = 0.0) -> Array:
    """Covariance of the ordinal answers that thresholds make of normal items.

    An answer is 1 + Σ_c 1(z > τ_c), so Cov(y_k, y_l) = Σ_a Σ_b [Φ₂(τ_a, τ_b; ρ) − Φ(τ_a)Φ(τ_b)]. Since ∂Φ₂/∂ρ is the
    bivariate normal density φ₂ (Plackett 1954, Biometrika 41, 351–360), this equals ∫₀^ρ Σ_a Σ_b φ₂(τ_a, τ_b; r) dr;
    with r = sin θ the integrand is smooth, and 24 Gauss–Legendre nodes leave no error above 1e-10 for |ρ| ≤ 0.9.

    Parameters
    ----------
    thresholds : array (K, points − 1)
        Ascending, in units of the standardised item.
    covariance : array (K, K)
        Covariance of the items before they are cut.
    mean : float or array (K,)
        Their means.

    Returns
    -------
    array (K, K)
        In squared scale points; the diagonal holds the variances.

    Examples
    --------
    Cut in the middle, two items with correlation ρ agree with probability ½ + arcsin(ρ)/π:

    >>> ordinal_covariance([[0.0], [0.0]], [[1, 0.5], [0.5, 1]]).round(6)
    array([[0.25    , 0.083333],
           [0.083333, 0.25    ]])
    """
    covariance = np.asarray(covariance, dtype=float)
    sd = np.sqrt(np.diag(covariance))
    tau = (np.asarray(thresholds, dtype=float) - np.reshape(mean, (-1, 1))) / sd[:, None]
    k, l = np.triu_indices(len(tau), 1)
    angle = np.arcsin((covariance / np.outer(sd, sd))[k, l])
    squares = tau[k, :, None] ** 2 + tau[l, None, :] ** 2
    products = tau[k, :, None] * tau[l, None, :]
    total = np.zeros(len(k))
    for node, weight in zip(*np.polynomial.legendre.leggauss(24), strict=True):
        theta = (angle * (node + 1) / 2)[:, None, None]
        density = np.exp(-(squares - 2 * products * np.sin(theta)) / (2 * np.cos(theta) ** 2))
        total += weight * density.sum(axis=(1, 2))
    result = np.diag(ordinal_moments(category_probabilities(tau))[1] ** 2)
    result[k, l] = result[l, k] = total * angle / (4 * np.pi)
    return result


def satisfaction_index(weights: ArrayLike, mean: ArrayLike, sd: ArrayLike, minimum: float, maximum: float) -> float:
    """Index of one construct, 0–100: 100 · Σ ω_k (x̄_k − min) / Σ ω_k (max − min) with ω_k = w_k / sd_k.

    The weights ω are the unstandardised ones (Fornell et al. 1996).

    Parameters
    ----------
    weights : array (k,)
        w, standardised outer weights.
    mean, sd : arrays (k,)
        Of the items, in scale points.
    minimum, maximum : float
        Ends of the scale.

    Examples
    --------
    >>> round(satisfaction_index([0.6, 0.4], [8.0, 7.0], [2.0, 2.0], 1, 10), 4)
    73.3333
    """
    omega = np.asarray(weights, dtype=float) / np.asarray(sd, dtype=float)
    return float(100 * (omega @ (np.asarray(mean, dtype=float) - minimum)) / (omega.sum() * (maximum - minimum)))


def symmetric_root(matrix: ArrayLike) -> Array:
    """The symmetric square root of a positive semidefinite matrix.

    It is unique, and exists when the matrix is singular, where a Cholesky factor does not.

    Examples
    --------
    >>> symmetric_root([[4.0, 0.0], [0.0, 9.0]])
    array([[2., 0.],
           [0., 3.]])
    """
    values, vectors = np.linalg.eigh(np.asarray(matrix, dtype=float))
    return (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T


def _block_diagonal(blocks: Sequence[Array]) -> Array:
    heights, widths = zip(*(block.shape for block in blocks), strict=True)
    result = np.zeros((sum(heights), sum(widths)))
    row = column = 0
    for block in blocks:
        result[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return result
