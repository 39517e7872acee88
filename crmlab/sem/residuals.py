"""Where a covariance structure does not fit, and what it says of respondents and scales.

Serves the chapters that repair a measurement model: residuals with standard errors, what would be gained by freeing a
parameter, factor scores and the reliability of each scale. All are functions of a `Structure`, its estimates and sample
moments; moments are stacked as `GroupMoments.stacked` stacks them (means, then vech Σ by columns).

References
----------
Bollen, K. A. (1989). Structural equations with latent variables. Wiley.
Maydeu-Olivares, A. (2017). Assessing the size of model misfit in structural equation models. Psychometrika 82, 533–558.
Sörbom, D. (1989). Model modification. Psychometrika 54, 371–384.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .corrected import block_diagonal, normal_information, stacked_derivatives
from .errors import SemError
from .matrices import Parameter, Structure
from .measures import GroupMoments
from .moments import Array

if TYPE_CHECKING:
    import pandas as pd

RESIDUALS = ("raw", "cor_bollen", "cor_bentler")
SCORES = ("regression", "bartlett")
_LOST = 1e-8  # share of its information below which a parameter is not identified beside the free ones


class Objective(Protocol):
    """What `modification_indices` asks of an estimator's objective F = 2 × lavaan's fmin."""

    def gradient(self, theta: Array) -> Array:
        """∂F/∂θ, array (q,)."""

    def information(self, theta: Array) -> Array:
        """Information of one observation, array (q, q)."""


@dataclass(frozen=True)
class NormalObjective:
    """Complete-data normal-theory F = 2 × lavaan's fmin, with expected information.

    Attributes
    ----------
    structure : Structure
    samples : sequence of GroupMoments
    n : sequence of int
        Respondents in each group.
    """

    structure: Structure
    samples: Sequence[GroupMoments]
    n: Sequence[int]

    def gradient(self, theta: Array) -> Array:
        """Σ_g (n_g/N) {tr[Σ⁻¹(Σ − T)Σ⁻¹ dΣ] − 2 d'Σ⁻¹ dμ}, T = S + dd', d = x̄ − μ."""
        total = np.zeros(self.structure.n_free)
        for g, (sample, n) in enumerate(zip(self.samples, self.n, strict=True)):
            implied = self.structure.derivatives(theta, g)
            w, about = np.linalg.inv(implied.cov), sample.cov
            slope = np.zeros(self.structure.n_free)
            if sample.mean is not None:
                gap = sample.mean - implied.mean
                about = about + np.outer(gap, gap)
                slope = -2 * implied.d_mean @ (w @ gap)
            total += n / sum(self.n) * (slope + np.tensordot(implied.d_cov, w @ (implied.cov - about) @ w, 2))
        return total

    def information(self, theta: Array) -> Array:
        """Σ_g (n_g/N) Δ'VΔ with V the expected normal information at the implied moments."""
        total = np.zeros((self.structure.n_free,) * 2)
        for g, (sample, n) in enumerate(zip(self.samples, self.n, strict=True)):
            implied = self.structure.derivatives(theta, g)
            delta = stacked_derivatives(implied, means=sample.mean is not None)
            v = normal_information(GroupMoments(implied.cov, sample.mean))
            total += n / sum(self.n) * delta.T @ v @ delta
        return total


@dataclass(frozen=True)
class Residuals:
    """Residuals of one group with standard errors and z-values; nan where the standard error is 0.

    Attributes
    ----------
    cov, cov_se, cov_z : array (p, p)
    mean, mean_se, mean_z : array (p,) or None
        nan for ordinal items, whose y* has no observed mean.
    threshold, threshold_se, threshold_z : array (t,) or None
        Of ordinal items, item by item.
    """

    cov: Array
    cov_se: Array
    cov_z: Array
    mean: Array | None
    mean_se: Array | None
    mean_z: Array | None
    threshold: Array | None = None
    threshold_se: Array | None = None
    threshold_z: Array | None = None


def residuals(
    n: Sequence[int],
    sample: Sequence[GroupMoments],
    implied: Sequence[GroupMoments],
    derivatives: Sequence[Array],
    *,
    kind: str = "raw",
    weights: Sequence[Array] | None = None,
    acov: Sequence[Array] | None = None,
) -> list[Residuals]:
    """Residual moments of each group and their standard errors, as lavaan's `lavResiduals`.

    With A = Δ(Δ'VΔ)⁻¹Δ'V the residuals have covariance (I − A)Γ(I − A)'/n (Maydeu-Olivares 2017, eq. 13): V the normal
    information at the implied moments, Γ the inverse of that at the observed ones. Correlation residuals take them
    through the derivatives of the correlations at the observed moments. Where groups share parameters Δ'VΔ is that of
    all groups; what the sampling errors of the other groups add is left out, as in lavaan.

    Parameters
    ----------
    n, sample, implied : sequences
        One entry for each group; means where the model has a mean structure.
    derivatives : sequence of arrays (k, q)
        Δ of each group by the unconstrained free parameters, see `corrected.stacked_derivatives`.
    kind : {"raw", "cor_bollen", "cor_bentler"}
        Covariances; correlations observed minus implied (Bollen 1989); covariances divided by the observed standard
        deviations (Bentler 1995).
    weights, acov : sequences of arrays (k, k), optional
        V and Γ of each group where answers are not complete and normal, such as `corrected.pattern_information`.

    Raises
    ------
    SemError
        For an unknown kind.

    Examples
    --------
    >>> sample, implied = GroupMoments(np.array([[1.0, 0.3], [0.3, 1.0]])), GroupMoments(np.eye(2))
    >>> delta = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])          # two free variances
    >>> one = residuals([100], [sample], [implied], [delta])[0]
    >>> round(float(one.cov_z[0, 1]), 4)                                # 0.3 / √(1.09/100)
    2.8735
    """
    check_kind(kind)
    if weights is None:
        weights = [normal_information(GroupMoments(i.cov, s.mean)) for s, i in zip(sample, implied, strict=True)]
    if acov is None:
        acov = [np.asarray(np.linalg.inv(normal_information(s)), dtype=float) for s in sample]
    spread = residual_spread(n, derivatives, weights, acov)
    return [group_residuals(s, i, block, kind) for s, i, block in zip(sample, implied, spread, strict=True)]


def check_kind(kind: str) -> None:
    """SemError for an unknown kind of residuals."""
    if kind not in RESIDUALS:
        raise SemError(f"residuals of kind {kind!r} are unknown; choose from {', '.join(RESIDUALS)}")


def residual_spread(
    n: Sequence[int], derivatives: Sequence[Array], weights: Sequence[Array], acov: Sequence[Array]
) -> list[Array]:
    """(I − A)Γ(I − A)'/n of each group, (k, k), see `residuals`."""
    shares = np.asarray(n, dtype=float) / sum(n)
    information = sum((s * d.T @ v @ d for s, d, v in zip(shares, derivatives, weights, strict=True)), np.zeros(()))
    inverse = np.linalg.pinv(information, hermitian=True)
    blocks = []
    for share, size, delta, v, gamma in zip(shares, n, derivatives, weights, acov, strict=True):
        rest = np.eye(len(v)) - share * delta @ inverse @ delta.T @ v
        blocks.append(rest @ gamma @ rest.T / size)
    return blocks


def group_residuals(sample: GroupMoments, implied: GroupMoments, spread: Array, kind: str) -> Residuals:
    """Residuals of one group from the covariance matrix of its raw ones, stacked (means, vech Σ)."""
    p = len(sample.cov)
    sd, sd_implied = np.sqrt(np.diag(sample.cov)), np.sqrt(np.diag(implied.cov))
    if kind == "raw":
        cov, by = sample.cov - implied.cov, np.ones(p)
    elif kind == "cor_bentler":
        cov, by = (sample.cov - implied.cov) / np.outer(sd, sd), sd
    else:
        cov, by = sample.cov / np.outer(sd, sd) - implied.cov / np.outer(sd_implied, sd_implied), sd
    with_means = sample.mean is not None and implied.mean is not None
    change = _correlation_derivatives(sample.cov, by, clean=kind == "cor_bollen")
    jacobian = block_diagonal([np.diag(1 / by), change]) if with_means else change
    variance = np.einsum("ij,jk,ik->i", jacobian, spread, jacobian)
    floor = np.einsum("ij,ij->i", jacobian, jacobian) * np.abs(np.diag(spread)).max(initial=0.0) * 1e-12
    se = np.sqrt(np.where(variance > floor, variance, 0.0))
    j, i = np.triu_indices(p)
    cov_se = np.zeros((p, p))
    cov_se[i, j] = cov_se[j, i] = se[len(se) - len(i) :]
    if not with_means or sample.mean is None or implied.mean is None:
        return Residuals(cov, cov_se, ratio(cov, cov_se), None, None, None)
    mean = (sample.mean - implied.mean) / by
    return Residuals(cov, cov_se, ratio(cov, cov_se), mean, se[:p], ratio(mean, se[:p]))


def ratio(value: Array, se: Array) -> Array:
    """z-values; nan where the standard error is 0."""
    return np.where(se > 0, value / np.where(se > 0, se, 1.0), np.nan)


def _correlation_derivatives(cov: Array, by: Array, clean: bool) -> Array:
    """∂vech(D⁻¹SD⁻¹)/∂vech(S)' at S; with `clean` D follows the variances, otherwise it is held."""
    j, i = np.triu_indices(len(cov))
    jacobian = np.diag(1 / (by[i] * by[j]))
    if clean:
        diagonal = np.flatnonzero(i == j)
        half = cov[i, j] / (by[i] * by[j]) / 2
        for ends in (i, j):
            jacobian[np.arange(len(i)), diagonal[ends]] -= half / np.diag(cov)[ends]
    return jacobian


def modification_indices(
    structure: Structure,
    theta: Array,
    samples: Sequence[GroupMoments],
    n: Sequence[int],
    *,
    objective: Callable[[Structure], Objective] | None = None,
    constraints: Array | None = None,
) -> pd.DataFrame:
    """What freeing each fixed or absent parameter would gain, as lavaan's `modindices`.

    With score s, information I (whole sample) and V = I_jj − I_jθ I_θθ⁻¹ I_θj: MI = s²/V is about the fall in χ², and
    EPC = s/V about what the parameter would move by (Sörbom 1989, eqs. 5–6). What is not identified beside the free
    parameters is left out, and nothing that would explain
    given covariates.

    Parameters
    ----------
    structure, theta, samples, n
        The fitted model and its estimates; moments and size of each group.
    objective : callable or None
        Makes the estimator's objective of a structure; None: `NormalObjective`. Its information is the expected one,
        also where standard errors come from the observed (MLR): so does lavaan.
    constraints : array (q, r) or None
        Basis of the free directions under linear constraints (θ = offset + K u).

    Returns
    -------
    DataFrame
        lhs, op, rhs, group, mi, epc, sepc_lv, sepc_all; in the order of lavaan's default set: fixed parameters,
        loadings, covariances of items, of constructs, paths.
    """
    import pandas as pd

    extended, extra = _extended(structure)
    point = _extended_values(structure, extended, theta)
    goal = (objective or (lambda s: NormalObjective(s, samples, n)))(extended)
    q, total = structure.n_free, sum(n)
    score, information = -total / 2 * goal.gradient(point), total * goal.information(point)
    basis = np.eye(q) if constraints is None else constraints
    inside = basis.T @ information[:q, :q] @ basis
    cross = basis.T @ information[:q, q:]
    own = np.diag(information)[q:]
    left = own - np.einsum("ij,ij->j", cross, np.linalg.pinv(inside, hermitian=True) @ cross)
    kept = np.flatnonzero(left > _LOST * np.maximum(own, 1e-300))
    epc = score[q:][kept] / left[kept]
    rows = [extra[k] for k in kept]
    scales = [_scales(structure, theta, row) for row in rows]
    return pd.DataFrame(
        {
            "lhs": [row.lhs for row in rows],
            "op": [row.op for row in rows],
            "rhs": [row.rhs for row in rows],
            "group": [row.group for row in rows],
            "mi": score[q:][kept] ** 2 / left[kept],
            "epc": epc,
            "sepc_lv": epc * np.array([lv for lv, _ in scales]),
            "sepc_all": epc * np.array([every for _, every in scales]),
        }
    )


def _extended(structure: Structure) -> tuple[Structure, list[Parameter]]:
    """The structure with every candidate free, after the parameters that already are, and the candidates."""
    fixed = [
        row for row in structure.table if row.fixed is not None and not row.covariate and not structure.follows(row)
    ]
    left = {id(row) for row in fixed}
    free = [row for row in structure.table if id(row) not in left]
    known = {row.key for row in structure.table}
    absent = list(dict.fromkeys(row for row in _candidates(structure) if row.key not in known))
    extra = [replace(row, fixed=None, label=None) for row in (*fixed, *absent)]
    return replace(structure, table=[*free, *extra]), extra


def _extended_values(structure: Structure, extended: Structure, theta: Array) -> Array:
    values = dict(zip((row.key for row in structure.table), structure.values(theta), strict=True))
    point = np.zeros(extended.n_free)
    for row, k in zip(extended.table, extended.position, strict=True):
        if k >= 0:
            point[k] = values.get(row.key, 0.0)
    return point


def _candidates(structure: Structure) -> Iterator[Parameter]:
    """Loadings of the items on every construct, covariances of items and of constructs, paths among what paths connect.

    As in lavaan, loadings are of variables that stand in no path, covariances of those that measure a construct.
    """
    given = {structure.observed[i] for i in structure.covariates}
    paths = [row for row in structure.table if row.op == "~"]
    connected = list(dict.fromkeys([*(row.lhs for row in paths), *(row.rhs for row in paths)]))
    items = [name for name in structure.observed if name not in given and name not in connected]
    measured = {row.rhs for row in structure.table if row.op == "=~"}
    indicators = [name for name in structure.observed if name in measured]
    for group in range(structure.groups):
        for construct in structure.latent:
            yield from (Parameter(construct, "=~", item, group) for item in items)
        yield from (Parameter(a, "~~", b, group) for a, b in combinations(indicators, 2))
        yield from (Parameter(a, "~~", b, group) for a, b in combinations(structure.latent, 2))
        yield from (Parameter(a, "~", b, group) for a, b in permutations(connected, 2) if a not in given)


def _scales(structure: Structure, theta: Array, row: Parameter) -> tuple[float, float]:
    """Factors from EPC to its value with latent, and with all, variables of unit variance.

    A covariance is standardised by the residual variances of its two ends, as lavaan does; a variance by its total.
    """
    place = {name: i for i, name in enumerate((*structure.observed, *structure.latent))}
    total = structure.all_moments(theta, row.group)[0]
    residual = structure.matrices(theta, row.group)[1]
    variances = np.abs(np.diag(residual if row.op == "~~" and row.lhs != row.rhs else total))
    sd = {name: float(np.sqrt(variances[place[name]])) for name in (row.lhs, row.rhs) if name in place}
    latent = {name: value if name in structure.latent else 1.0 for name, value in sd.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        lv, every = (np.float64(_scale(row, by)) for by in (latent, sd))
    return float(lv), float(every)


def _scale(row: Parameter, sd: dict[str, float]) -> float:
    left, right = np.float64(sd[row.lhs]), np.float64(sd.get(row.rhs, 1.0))
    if row.op == "=~":
        return float(left / right)
    if row.op == "~":
        return float(right / left)
    if row.op == "~*~":
        return float("nan")  # a scale has no standardised form
    return float(1 / left) if row.op in ("~1", "|") else float(1 / (left * right))


def factor_scores(
    structure: Structure, theta: Array, values: Array, *, group: int = 0, method: str = "regression"
) -> Array:
    """Scores of the constructs for each respondent of a group, array (n, constructs), as lavaan's `lavPredict`.

    regression: E(η | y) = μ_η + cov(η, y)Σ⁻¹(y − μ) (Thurstone 1935). bartlett: (Λ'Θ⁻¹Λ)⁻¹Λ'Θ⁻¹(y − ν), weighted least
    squares that takes the scores as fixed (Bartlett 1937). Missing answers are left out of each respondent's equations;
    who has too few answers for Bartlett's, or none at all, gets nan. Without a mean structure the
    answers are centred at their means.

    Parameters
    ----------
    values : array (n, p)
        Answers in the order of `structure.observed`, nan where missing.
    method : {"regression", "bartlett"}

    Raises
    ------
    SemError
        For an unknown method.
    """
    if method not in SCORES:
        raise SemError(f"factor scores by {method!r} are unknown; choose from {', '.join(SCORES)}")
    p = len(structure.observed)
    cov, mean = structure.all_moments(theta, group)
    if not any(row.op == "~1" for row in structure.table):
        mean = _centre(structure, theta, values, group)
    loadings, errors = _measurement(structure, theta, group)
    level = mean[:p] - loadings @ mean[p:]
    scores = np.full((len(values), len(structure.latent)), np.nan)
    present = ~np.isnan(values)
    patterns, member = np.unique(present, axis=0, return_inverse=True)
    for k, pattern in enumerate(patterns):
        here, rows = np.flatnonzero(pattern), member.ravel() == k
        if not len(here):
            continue
        y = values[np.ix_(rows, here)]
        if method == "regression":
            weights = np.linalg.solve(cov[np.ix_(here, here)], cov[here, p:])
            scores[rows] = mean[p:] + (y - mean[here]) @ weights
        elif np.linalg.matrix_rank(loadings[here]) == loadings.shape[1]:
            scores[rows] = (y - level[here]) @ _bartlett(loadings[here], errors[np.ix_(here, here)])
    return scores


def _centre(structure: Structure, theta: Array, values: Array, group: int) -> Array:
    """Without a mean structure: answers at their means, constructs where the means of given covariates put them."""
    p, given = len(structure.observed), structure.covariates
    a = structure.matrices(theta, group)[0]
    level = np.nanmean(values, axis=0)
    return np.concatenate([level, np.linalg.inv(np.eye(len(a)) - a)[p:, given] @ level[given]])


def _measurement(structure: Structure, theta: Array, group: int) -> tuple[Array, Array]:
    """Λ and Θ of y = ν + Λη + ε, paths among observed variables worked in."""
    p = len(structure.observed)
    a, s, _ = structure.matrices(theta, group)
    b = np.linalg.inv(np.eye(p) - a[:p, :p])
    return b @ a[:p, p:], b @ s[:p, :p] @ b.T


def _bartlett(loadings: Array, errors: Array) -> Array:
    """Θ⁻¹Λ(Λ'Θ⁻¹Λ)⁻¹; Θ + ΛΛ' in place of Θ gives the same and is regular where an item has no error."""
    w = np.linalg.solve(errors + loadings @ loadings.T, loadings)
    return w @ np.linalg.inv(loadings.T @ w)


def model_reliability(
    structure: Structure, theta: Array, samples: Sequence[GroupMoments] | None = None
) -> pd.DataFrame:
    """Reliability of each scale's unit-weighted sum from the fitted model.

    omega = (Σλ)²φ / 1'Σ1 over the items of the construct, φ its variance: the share of the sum's implied variance that
    is the construct's (McDonald 1999; Bollen 1980 with correlated errors); omega_observed the same of the observed
    variance 1'S1 (semTools' `compRelSEM` default); ave = Σλ²φ / Σσ_ii (Fornell & Larcker 1981);
    ave_observed = Σλ²φ / Σs_ii (semTools' `AVE` default).

    Returns
    -------
    DataFrame
        group, construct, n_items, omega, omega_observed, ave, ave_observed; the observed ones are nan without samples.
    """
    import pandas as pd

    place = {name: i for i, name in enumerate((*structure.observed, *structure.latent))}
    rows = []
    for group in range(structure.groups):
        a = structure.matrices(theta, group)[0]
        cov = structure.all_moments(theta, group)[0]
        for construct in structure.latent:
            k = place[construct]
            items = np.flatnonzero(a[: len(structure.observed), k])
            if not len(items):
                continue
            loadings, box = a[items, k], np.ix_(items, items)
            common = loadings.sum() ** 2 * cov[k, k]
            variance = (loadings**2).sum() * cov[k, k]
            denominators = [cov[box], np.full((1, 1), np.nan) if samples is None else samples[group].cov[box]]
            omega = [common / one.sum() for one in denominators]
            ave = [variance / np.trace(one) for one in denominators]
            rows.append((group, construct, len(items), *omega, *ave))
    columns = ["group", "construct", "n_items", "omega", "omega_observed", "ave", "ave_observed"]
    return pd.DataFrame(rows, columns=columns)
