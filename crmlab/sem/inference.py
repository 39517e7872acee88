"""Standard errors and test statistics of a fitted covariance structure.

With E the information of one observation at the estimate and B the mean outer product of the respondents' scores
s_i = Δ'V w_i, where w_i stacks z_i and vech(z_i z_i' − C) and V is the normal-theory weight, the errors are

    standard          E⁻¹/N          (expected information, or observed: the Hessian of the discrepancy)
    robust (MLM)      E⁻¹ B E⁻¹/N    (E expected, z and C about the sample's moments; Satorra & Bentler 1994)
    robust (MLR)      H⁻¹ B H⁻¹/N    (H observed, z and C about the implied moments; Huber 1967, White 1982)

and the scaled tests are T/c with c = (t₁ − t₀)/df, where t₁ = tr(V Γ) belongs to the saturated model and
t₀ = tr(E⁻¹ B) to the model (Satorra & Bentler 1994; Yuan & Bentler 2000 in the form that Mplus prints). Γ, the
covariance of the w_i, is never formed.

References
----------
Huber, P. J. (1967). The behavior of maximum likelihood estimates under nonstandard conditions. Fifth Berkeley Symposium
1, 221–233.
Satorra, A. & Bentler, P. M. (1994). Corrections to test statistics and standard errors in covariance structure
analysis. In von Eye & Clogg (eds.), Latent Variables Analysis, 399–419.
White, H. (1982). Maximum likelihood estimation of misspecified models. Econometrica 50, 1–25.
Yuan, K.-H. & Bentler, P. M. (2000). Three likelihood-based methods for mean and covariance structure analysis with
nonnormal missing data. Sociological Methodology 30, 165–200.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .estimators import GroupSample, Objective
from .fiml import FIMLObjective
from .matrices import Differentials, Structure
from .moments import Array, definite_inverse, inverse

_NULL = 1e-10  # eigenvalue of the standardised information below which a direction carries none
_BLOCK = 1024  # respondents whose scores are computed at once
_PART = 0.1  # share of a null direction from which a parameter is named


@dataclass(frozen=True)
class Scaling:
    """The scaling of a test.

    Attributes
    ----------
    factor : float or None
        c; None where df is 0.
    model, saturated : float
        t₀ and t₁.
    """

    factor: float | None
    model: float
    saturated: float


def inverse_information(information: Array, K: Array) -> Array:
    """K (K'EK)⁻¹ K', (q, q), under the constraints theta = offset + K u; pseudo-inverse where directions are empty."""
    if not K.shape[1]:
        return np.zeros_like(information)
    scaled, scale = _standardised(information, K)
    sound = _sound_inverse(scaled)
    if sound is None:
        sound = np.asarray(np.linalg.pinv(scaled, rcond=_NULL, hermitian=True), dtype=np.float64)
    return K @ (sound / np.outer(scale, scale)) @ K.T


def _standardised(information: Array, K: Array) -> tuple[Array, Array]:
    """K'EK with a unit diagonal, and the roots of what its diagonal was."""
    reduced = K.T @ information @ K
    scale = np.sqrt(np.maximum(np.abs(np.diagonal(reduced)), 1e-300))
    return reduced / np.outer(scale, scale), scale


def _sound_inverse(scaled: Array) -> Array | None:
    """The inverse of a standardised information matrix, None unless it is certain that no direction is empty.

    Column sums bound the eigenvalues: |A⁻¹|⁻¹ is below the smallest and |A| above the largest.
    """
    found = definite_inverse(scaled)
    if found is None or np.linalg.norm(scaled, 1) * np.linalg.norm(found[0], 1) > 1 / _NULL:
        return None
    return found[0]


def empty_directions(information: Array, K: Array) -> list[Array]:
    """Directions of theta along which the data say nothing, each a vector (q,) of standardised changes."""
    scaled, scale = _standardised(information, K)
    if not len(scaled) or _sound_inverse(scaled) is not None:
        return []
    sizes, vectors = np.linalg.eigh(scaled)
    empty = sizes < _NULL * max(1.0, sizes.max(initial=1.0))
    spread = np.sqrt(np.maximum(np.diagonal(information), 1e-300))
    return [spread * (K @ (vector / scale)) for vector in vectors[:, empty].T]


def identified(information: Array, K: Array) -> Array:
    """The directions of K about which the data say something, (q, u'): K itself where that is true of all of them."""
    scaled, scale = _standardised(information, K)
    if not len(scaled) or _sound_inverse(scaled) is not None:
        return K
    sizes, vectors = np.linalg.eigh(scaled)
    known = sizes >= _NULL * max(1.0, sizes.max(initial=1.0))
    return K if known.all() else K @ (vectors[:, known] / scale[:, None])


def unidentified(information: Array, K: Array) -> list[int]:
    """Positions of the parameters that take part in an empty direction."""
    directions = empty_directions(information, K)
    if not directions:
        return []
    part = np.linalg.norm(np.array(directions), axis=0)
    return np.flatnonzero(part > _PART * part.max(initial=0.0)).tolist()


def condition_number(information: Array, K: Array) -> float:
    """Ratio of the largest to the smallest eigenvalue of the information, standardised to a unit diagonal."""
    reduced = K.T @ information @ K
    scale = np.sqrt(np.maximum(np.diagonal(reduced), 1e-300))
    sizes = np.linalg.eigvalsh(reduced / np.outer(scale, scale))
    if not len(sizes):
        return 1.0
    return float(sizes[-1] / sizes[0]) if sizes[0] > 0 else float("inf")


@dataclass(frozen=True)
class Deviations:
    """What the products z z' of a group are taken about: w_i = z_i z_i' − ẑ_i ẑ_i' − C, and z_i − ẑ_i for the means.

    Attributes
    ----------
    z : array (n, p)
        Answers about a mean.
    expected : array (n, p) or None
        ẑ, their regression on the given covariates; None: 0.
    centre : array (p, p)
        C, the covariance of z − ẑ.
    """

    z: Array
    expected: Array | None
    centre: Array


def sample_deviations(sample: GroupSample, given: Sequence[int]) -> Deviations:
    """Deviations from the sample's own moments; where covariates are given, from their regression on them."""
    z = sample.values - sample.mean
    if not len(given):
        return Deviations(z, None, sample.cov)
    x = list(given)
    slopes = np.linalg.solve(sample.cov[np.ix_(x, x)], sample.cov[x])
    expected = z[:, x] @ slopes
    rest = sample.cov - slopes.T @ sample.cov[x]
    return Deviations(z, expected, (rest + rest.T) / 2)


def _cell_scores(d: Differentials, weight: Array, about: Deviations, means: bool) -> Array:
    """Scores Δ'V w_i of the respondents of one group by the single cells of the matrices, (n, r), V the weight."""
    u, v = (d.share[:, None] * d.u) @ weight, d.v @ weight
    cells = about.z @ u.T
    cells *= about.z @ v.T
    cells -= np.einsum("rp,rp->r", u @ about.centre, v)
    if about.expected is not None:
        cells -= (about.expected @ u.T) * (about.expected @ v.T)
    if means:
        y = about.z if about.expected is None else about.z - about.expected
        cells += y @ (d.level @ weight).T
    return cells


def _summed_products(d: Differentials, weight: Array, about: Deviations, means: bool) -> Array:
    """Σ_i s_i s_i' over the respondents of one group, (q, q), in blocks that stay in the processor's cache."""
    total = np.zeros((len(d.share), len(d.share)))
    for start in range(0, len(about.z), _BLOCK):
        rows = slice(start, start + _BLOCK)
        expected = None if about.expected is None else about.expected[rows]
        cells = _cell_scores(d, weight, Deviations(about.z[rows], expected, about.centre), means)
        total += cells.T @ cells
    return d.gather @ total @ d.gather.T


def outer_scores(structure: Structure, samples: Sequence[GroupSample], theta: Array, means: bool, about: str) -> Array:
    """B, the mean outer product of the scores, (q, q).

    V is the inverse of the implied covariance; z and C are about the implied moments (`about` "model") or about those
    of the sample ("mixed").
    """
    total = sum(sample.n for sample in samples)
    result = np.zeros((structure.n_free, structure.n_free))
    for group, sample in enumerate(samples):
        d = structure.differentials(theta, group)
        if about == "model":
            deviations = Deviations(sample.values - (d.mean if means else sample.mean), None, d.cov)
        else:
            deviations = sample_deviations(sample, structure.covariates.tolist())
        result += _summed_products(d, inverse(d.cov), deviations, means) / total
    return result


def saturated_trace(deviations: Sequence[Deviations], weights: Sequence[Array], means: bool) -> float:
    """t₁ = Σ_g tr(V Γ) of the saturated model for a weight V (p, p) in each group.

    It is ½(mean[(z'Vz)² − 2(z'Vẑ)² + (ẑ'Vẑ)²] − tr(V C V C)), and tr(V C) more with means.
    """
    total = 0.0
    for about, weight in zip(deviations, weights, strict=True):
        y = about.z @ weight
        squares = np.einsum("np,np->n", y, about.z) ** 2
        if about.expected is not None:
            squares -= 2 * np.einsum("np,np->n", y, about.expected) ** 2
            squares += np.einsum("np,np->n", about.expected @ weight, about.expected) ** 2
        relative = weight @ about.centre
        total += (squares.mean() - np.sum(relative * relative.T)) / 2 + means * np.trace(relative)
    return float(total)


def satorra_bentler(
    objective: Objective, samples: Sequence[GroupSample], theta: Array, K: Array, means: bool, df: int
) -> Scaling:
    """The test scaled for non-normal answers with expected information (MLM); V is taken at the implied covariance."""
    structure = objective.structure
    weights = [inverse(structure.implied(theta, g)[0]) for g in range(structure.groups)]
    model = _model_trace(
        structure, samples, theta, means, "mixed", inverse_information(objective.information(theta), K)
    )
    given = structure.covariates.tolist()
    return _scaling(df, model, saturated_trace([sample_deviations(s, given) for s in samples], weights, means))


def yuan_bentler(
    structure: Structure,
    samples: Sequence[GroupSample],
    theta: Array,
    K: Array,
    means: bool,
    df: int,
    information: Array,
) -> Scaling:
    """The test scaled as Mplus prints it for MLR (observed information as a rule); V of the saturated model is S⁻¹."""
    model = _model_trace(structure, samples, theta, means, "model", inverse_information(information, K))
    saturated, given = _normal_trace(samples, means), structure.covariates
    if len(given):  # nothing is estimated about given covariates
        saturated -= _normal_trace([GroupSample(s.name, s.values[:, given]) for s in samples], means)
    return _scaling(df, model, saturated)


def yuan_bentler_incomplete(
    objective: FIMLObjective, theta: Array, K: Array, df: int, information: Array, expected: bool = False
) -> Scaling:
    """The same with missing answers: information and scores of the observed patterns."""
    scores = objective.casewise_scores(theta)
    model = float(np.sum(inverse_information(information, K) * (scores.T @ scores / objective.n)))
    groups = [objective.saturated_information(group) for group in range(objective.structure.groups)]
    saturated = sum(group.expected_trace if expected else group.trace for group in groups)
    return _scaling(df, model, saturated)


def _model_trace(
    structure: Structure, samples: Sequence[GroupSample], theta: Array, means: bool, about: str, bread: Array
) -> float:
    return float(np.sum(bread * outer_scores(structure, samples, theta, means, about)))


def _normal_trace(samples: Sequence[GroupSample], means: bool) -> float:
    """t₁ with V = S⁻¹."""
    deviations = [sample_deviations(sample, ()) for sample in samples]
    return saturated_trace(deviations, [inverse(sample.cov) for sample in samples], means)


def _scaling(df: int, model: float, saturated: float) -> Scaling:
    return Scaling((saturated - model) / df if df > 0 else None, model, saturated)


def log_likelihood(cov: Array, mean: Array, sample: GroupSample, covariates: Sequence[int] = ()) -> float:
    """Normal log-likelihood of one group at given moments; that of given covariates is taken off (it is constant)."""
    away = sample.mean - mean
    precision = inverse(cov)
    per_row = len(cov) * np.log(2 * np.pi) + np.linalg.slogdet(cov)[1] + np.sum(precision * sample.cov)
    result = -sample.n / 2 * (per_row + away @ precision @ away)
    if len(covariates):
        block = sample.cov[np.ix_(list(covariates), list(covariates))]
        k = len(covariates)
        result += sample.n / 2 * (k * np.log(2 * np.pi) + np.linalg.slogdet(block)[1] + k)
    return float(result)
