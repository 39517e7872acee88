"""The PLS path-modelling algorithm on correlation matrices, for a whole batch of samples together.

Everything PLS computes from data is a function of the item correlations, so one sample is a batch of one and a
bootstrap is a batch of thousands: weights are iterated for all samples at once, and every statistic is an array with
the batch in front. `PathModel` holds the shape of the model, `solve_weights` iterates, `statistics` derives all that
is reported.

References
----------
Dijkstra, T. K. & Henseler, J. (2015). Consistent partial least squares path modeling. MIS Quarterly 39, 297–316.
Lohmöller, J.-B. (1989). Latent variable path modeling with partial least squares. Physica.
Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M. & Lauro, C. (2005). PLS path modeling. Computational Statistics &
Data Analysis 48, 159–205.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .errors import SemError
from .moments import Array
from .reliability import alpha_of, ave_of, htmt_of, omega_of, rho_a_of, rho_c_of

SCHEMES = ("path", "centroid", "factorial")
Keys = Mapping[str, Sequence[tuple[str, ...]]]
_SINGULAR = 1e10  # an entry of an inverse correlation matrix this large leaves no digits to trust
RELIABILITY = ("alpha", "alpha_std", "omega", "rho_a", "rho_c", "ave")
# Together these take longer than the weights and all other statistics.
COSTLY = ("htmt", "item_vif", "alpha", "alpha_std", "omega", "rho_c", "ave")


@dataclass(frozen=True)
class PathModel:
    """Shape of a path model: k constructs, p indicators (one for each membership of an item in a block), m paths."""

    constructs: tuple[str, ...]
    blocks: Mapping[str, Sequence[str]]
    modes: Mapping[str, str]
    paths: tuple[tuple[str, str], ...]
    consistent: bool = False

    @cached_property
    def indicators(self) -> list[tuple[str, str]]:
        """(construct, item) for each indicator."""
        return [(construct, item) for construct in self.constructs for item in self.blocks[construct]]

    @cached_property
    def block(self) -> NDArray[np.intp]:
        """Position of each indicator's construct, (p,)."""
        return np.array([self.constructs.index(construct) for construct, _ in self.indicators])

    @cached_property
    def membership(self) -> Array:
        """Which indicator belongs to which construct, 0/1, (p, k)."""
        return np.eye(len(self.constructs))[self.block]

    @cached_property
    def adjacency(self) -> NDArray[np.bool_]:
        """Whether a path leads from the row's construct to the column's, (k, k)."""
        matrix = np.zeros((len(self.constructs), len(self.constructs)), dtype=bool)
        for source, target in self.paths:
            matrix[self.constructs.index(source), self.constructs.index(target)] = True
        return matrix

    @cached_property
    def reachable(self) -> NDArray[np.bool_]:
        """Whether any directed route leads from the row's construct to the column's, (k, k)."""
        routes = self.adjacency.copy()
        for _ in self.constructs:
            routes |= (routes.astype(int) @ self.adjacency.astype(int)) > 0
        return routes

    @cached_property
    def equations(self) -> list[tuple[int, NDArray[np.intp]]]:
        """(position of the endogenous construct, positions of its predecessors), one for each structural equation."""
        return [(j, np.flatnonzero(column)) for j, column in enumerate(self.adjacency.T) if column.any()]

    def members(self, construct: int) -> NDArray[np.intp]:
        """Positions of the indicators of a construct."""
        return np.flatnonzero(self.block == construct)

    def is_formative(self, construct: int) -> bool:
        return self.modes[self.constructs[construct]] == "B"


@dataclass(frozen=True)
class Weights:
    """Outer weights of a batch, scaled to composites of unit variance.

    Attributes
    ----------
    values : array (b, p)
    iterations : array (b,) of int
    converged : array (b,) of bool
    """

    values: Array
    iterations: NDArray[np.intp]
    converged: NDArray[np.bool_]


def solve_weights(
    model: PathModel, correlation: Array, scheme: str, tolerance: float = 1e-7, max_iterations: int = 300
) -> Weights:
    """Iterate outer and inner estimation until no weight moves by `tolerance` (Tenenhaus et al. 2005, section 3).

    Parameters
    ----------
    model : PathModel
    correlation : array (b, p, p)
        Correlations of the indicators, finite: see `estimable`.
    scheme : {"path", "centroid", "factorial"}
    """
    if scheme not in SCHEMES:
        raise SemError(f"scheme {scheme!r} is unknown; choose one of {', '.join(SCHEMES)}")
    b, p = correlation.shape[:2]
    values, iterations, converged = np.full((b, p), np.nan), np.zeros(b, dtype=np.intp), np.zeros(b, dtype=bool)
    active, r = np.arange(b), correlation
    inverses = _formative_inverses(model, r)
    w, to_composites = _start(model, r)
    for iteration in range(1, max_iterations + 1):
        if not len(active):
            break
        inner = _inner_weights(model, composite_correlation(model, to_composites, w), scheme)
        new = np.einsum("bpl,blp->bp", to_composites, inner[:, :, model.block])
        for j, inverse in inverses.items():
            members = model.members(j)
            new[:, members] = np.einsum("bij,bj->bi", inverse, new[:, members])
        to_composites, variance = item_composite_covariance(model, r, new)
        new, to_composites = _rescaled(model, new, to_composites, variance)
        done = np.abs(new - w).max(axis=1) < tolerance
        w = new
        iterations[active] = iteration
        if done.any():
            values[active[done]], converged[active[done]] = w[done], True
            active, r, w, to_composites = active[~done], r[~done], w[~done], to_composites[~done]
            inverses = {j: inverse[~done] for j, inverse in inverses.items()}
    values[active] = w
    return Weights(values, iterations, converged)


def estimable(model: PathModel, correlation: Array) -> NDArray[np.bool_]:
    """Which samples can be estimated at all, (b,): no constant item, no collinear items in a formative block."""
    possible = np.asarray(np.isfinite(correlation).all(axis=(1, 2)))
    regular = np.ones(int(possible.sum()), dtype=bool)
    for inverse in _formative_inverses(model, correlation[possible]).values():
        regular &= np.isfinite(inverse).all(axis=(1, 2))
    possible[possible] = regular
    return possible


def _start(model: PathModel, r: Array) -> tuple[Array, Array]:
    """Equal weights; where they cancel out (opposed items), the first item of the block alone."""
    w = np.ones(r.shape[:2])
    _, variance = item_composite_covariance(model, r, w)
    cancelled = (variance < 1e-8)[:, model.block]
    later = np.ones(len(model.block), dtype=bool)
    later[_first_of_blocks(model)] = False
    w = np.where(cancelled & later, 0.0, w)
    to_composites, variance = item_composite_covariance(model, r, w)
    return _rescaled(model, w, to_composites, variance)


def item_composite_covariance(model: PathModel, r: Array, w: Array) -> tuple[Array, Array]:
    """cov(item, composite) for all pairs, (b, p, k), and the composites' variances, (b, k)."""
    b, p = w.shape
    covariance: Array = ((r * w[:, None, :]).reshape(b * p, p) @ model.membership).reshape(b, p, len(model.constructs))
    return covariance, (w * own_block(model, covariance)) @ model.membership


def composite_correlation(model: PathModel, to_composites: Array, w: Array) -> Array:
    """Correlations of composites of unit variance, (b, k, k)."""
    return np.matmul(model.membership.T, to_composites * w[:, :, None])


def _rescaled(model: PathModel, w: Array, to_composites: Array, variance: Array) -> tuple[Array, Array]:
    """Scale weights so that every composite has unit variance."""
    scale = 1 / np.sqrt(variance)
    return w * scale[:, model.block], to_composites * scale[:, None, :]


def _formative_inverses(model: PathModel, r: Array) -> dict[int, Array]:
    """Inverse item correlations of each Mode B block."""
    formative = [j for j in range(len(model.constructs)) if model.is_formative(j)]
    return {j: _inverse(r[:, model.members(j)[:, None], model.members(j)]) for j in formative}


def _inner_weights(model: PathModel, c: Array, scheme: str) -> Array:
    """Weight of each construct (row) in the inner proxy of each (column), (b, k, k), from their correlations c."""
    linked = model.adjacency | model.adjacency.T
    alone = np.diag(~linked.any(axis=0))  # a construct without a path is its own proxy
    if scheme == "centroid":
        signs: Array = np.sign(c) * linked + alone
        return signs
    inner: Array = c * linked + alone
    if scheme == "path":  # predecessors enter with their regression coefficients
        for j, predecessors in model.equations:
            coefficients, _ = _regression(c, j, predecessors)
            inner[:, predecessors, j] = coefficients
    return inner


def _regression(c: Array, target: int, predictors: NDArray[np.intp]) -> tuple[Array, Array]:
    """Standardised coefficients and variance inflation factors of one equation, both (b, q)."""
    with_target = c[:, predictors, target]
    if len(predictors) == 1:
        return with_target, np.ones_like(with_target)
    inverse = _inverse(c[:, predictors[:, None], predictors])
    coefficients = np.einsum("bij,bj->bi", inverse, with_target)
    return coefficients, np.diagonal(inverse, axis1=1, axis2=2)


def _inverse(matrices: Array) -> Array:
    """Inverses of correlation matrices of a batch; nan where a matrix is singular but for rounding."""
    try:
        inverses = np.asarray(np.linalg.inv(matrices), dtype=float)
    except np.linalg.LinAlgError:
        regular = np.abs(np.linalg.det(matrices)) > 0
        inverses = np.full_like(matrices, np.nan)
        inverses[regular] = np.linalg.inv(matrices[regular])
    inverses[np.abs(inverses).max(axis=(1, 2), initial=0) > _SINGULAR] = np.nan
    return inverses


def majority_signs(model: PathModel, to_composites: Array, anchors: Mapping[str, str]) -> Array:
    """±1 for each construct so that most of its loadings (or its anchor item's) are positive, (b, k).

    A tie goes to the sum of the loadings; where that cancels out too, the first item decides.
    """
    loadings = own_block(model, to_composites)
    votes = np.sign(loadings) @ model.membership
    votes = np.where(votes == 0, loadings @ model.membership, votes)
    votes = np.where(np.abs(votes) < 1e-9, loadings[:, _first_of_blocks(model)], votes)
    for construct, item in anchors.items():
        votes[:, model.constructs.index(construct)] = loadings[:, model.indicators.index((construct, item))]
    return np.where(votes < 0, -1.0, 1.0)


def _first_of_blocks(model: PathModel) -> NDArray[np.intp]:
    """Position of the first indicator of each construct, (k,)."""
    return np.flatnonzero(np.diff(model.block, prepend=-1))


def own_block(model: PathModel, to_composites: Array) -> Array:
    """Covariance of each indicator with its own composite, (b, p): the loadings."""
    index = np.broadcast_to(model.block[None, :, None], (*to_composites.shape[:2], 1))
    return np.take_along_axis(to_composites, index, axis=2)[:, :, 0]


def statistics(
    model: PathModel, correlation: Array, sd: Array, weights: Array, costly: Collection[str] = COSTLY
) -> dict[str, Array]:
    """Everything reported, as arrays (b, ·) in the order of `statistic_keys`.

    Parameters
    ----------
    model : PathModel
        With `consistent=True` reflective constructs are corrected for attenuation by ρ_A (Dijkstra & Henseler 2015).
    correlation : array (b, p, p)
    sd : array (b, p)
        Standard deviations of the indicators, for the raw α and ω.
    weights : array (b, p)
        Oriented weights of composites with unit variance.
    costly : collection of str
        Which of `COSTLY` to compute; the other statistics are always given. Other names are passed over.
    """
    cross, _ = item_composite_covariance(model, correlation, weights)
    composites = composite_correlation(model, cross, weights)
    loadings = own_block(model, cross)
    rho_a = _per_construct(model, lambda i: rho_a_of(correlation[:, i[:, None], i], weights[:, i]))
    if model.consistent:
        loadings, cross, composites = _disattenuated(model, weights, loadings, cross, composites, rho_a)
    found = {"weights": weights, "loadings": loadings, "rho_a": rho_a}
    return structural(model, found, cross, composites, correlation, sd, costly)


def structural(
    model: PathModel,
    measured: Mapping[str, Array],
    cross: Array,
    constructs: Array,
    correlation: Array,
    sd: Array,
    costly: Collection[str] = COSTLY,
) -> dict[str, Array]:
    """All statistics that follow from how items and constructs correlate, whatever made the constructs.

    Parameters
    ----------
    model : PathModel
    measured : mapping
        "weights" and "loadings" (b, p), "rho_a" (b, k); handed on.
    cross : array (b, p, k)
        Correlations of the indicators with the constructs.
    constructs : array (b, k, k)
        Correlations of the constructs. A path is a regression coefficient among them.
    correlation, sd : arrays (b, p, p) and (b, p)
        Of the indicators, for what only they decide.
    costly : collection of str
        As in `statistics`.
    """
    b, k = len(cross), len(model.constructs)
    paths, vif, r_squared = _structure(model, constructs)
    direct = np.zeros((b, k, k))
    source, target = _path_positions(model)
    direct[:, source, target] = paths
    total = _total_effects(direct)
    i, j = np.nonzero(model.reachable)
    upper = np.triu_indices(k, 1)
    own = _costly(model, correlation, sd, measured["loadings"])
    return {
        **measured,
        "cross_loadings": cross.reshape(b, cross.shape[1] * k),
        "paths": paths,
        "vif": vif,
        "r_squared": r_squared,
        "direct": direct[:, i, j],
        "indirect": (total - direct)[:, i, j],
        "total": total[:, i, j],
        "correlations": constructs[:, upper[0], upper[1]],
        **{name: formula() for name, formula in own.items() if name in costly},
    }


def is_admissible(model: PathModel, values: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Whether a population can have these estimates, (b,): finite paths; when corrected, also true correlations,
    reliabilities and R² of at most 1.
    """
    finite = np.asarray(np.isfinite(values["paths"]).all(axis=1))
    if not model.consistent:
        return finite
    k = len(model.constructs)
    matrices = np.tile(np.eye(k), (len(finite), 1, 1))
    i, j = np.triu_indices(k, 1)
    matrices[:, i, j] = matrices[:, j, i] = np.where(finite[:, None], values["correlations"], 0.0)
    possible = np.linalg.eigvalsh(matrices)[:, 0] > -1e-9
    reliable = ~(values["rho_a"] > 1 + 1e-9).any(axis=1)  # nan: formative, nothing to correct
    return finite & possible & reliable & (values["r_squared"] <= 1 + 1e-9).all(axis=1)


def _per_construct(model: PathModel, formula: Callable[[NDArray[np.intp]], Array]) -> Array:
    """Apply a formula to the indicator positions of each construct; (b, k), nan for formative ones."""
    columns = [formula(model.members(j)) for j in range(len(model.constructs))]
    for j in range(len(columns)):
        if model.is_formative(j):
            columns[j] = np.full_like(columns[j], np.nan)
    return np.stack(columns, axis=1)


def _costly(model: PathModel, correlation: Array, sd: Array, loadings: Array) -> dict[str, Callable[[], Array]]:
    """How each of `COSTLY` is computed, should it be asked for."""
    upper = np.triu_indices(len(model.constructs), 1)

    def r(i: NDArray[np.intp]) -> Array:
        return correlation[:, i[:, None], i]

    def cov(i: NDArray[np.intp]) -> Array:
        return r(i) * sd[:, i, None] * sd[:, None, i]

    return {
        "htmt": lambda: _htmt(model, correlation)[:, upper[0], upper[1]],
        "item_vif": lambda: _item_vif(model, correlation),
        "alpha": lambda: _per_construct(model, lambda i: alpha_of(cov(i))),
        "alpha_std": lambda: _per_construct(model, lambda i: alpha_of(r(i))),
        "omega": lambda: _per_construct(model, lambda i: omega_of(cov(i))),
        "rho_c": lambda: _per_construct(model, lambda i: rho_c_of(loadings[:, i])),
        "ave": lambda: _per_construct(model, lambda i: ave_of(loadings[:, i])),
    }


def _htmt(model: PathModel, correlation: Array) -> Array:
    ratio = htmt_of(correlation, model.membership)
    formative = [j for j in range(len(model.constructs)) if model.is_formative(j)]
    ratio[:, formative, :] = np.nan
    ratio[:, :, formative] = np.nan
    return ratio


def _item_vif(model: PathModel, correlation: Array) -> Array:
    """Variance inflation of each item by the others of its block, (b, p)."""
    vif = np.ones(correlation.shape[:2])
    for j in range(len(model.constructs)):
        i = model.members(j)
        if len(i) > 1:
            vif[:, i] = np.diagonal(_inverse(correlation[:, i[:, None], i]), axis1=1, axis2=2)
    return vif


def _disattenuated(
    model: PathModel, weights: Array, loadings: Array, cross: Array, composites: Array, rho_a: Array
) -> tuple[Array, Array, Array]:
    """Correct reflective constructs for measurement error (Dijkstra & Henseler 2015, eqs. 4–6).

    Loadings become w·√ρ_A/(w'w); correlations with a construct are divided by √ρ_A.
    """
    with np.errstate(invalid="ignore"):
        quality = np.sqrt(np.where(np.isnan(rho_a), 1.0, rho_a))  # formative constructs need no correction
    reflective = np.array(
        [not model.is_formative(j) and len(model.members(j)) > 1 for j in range(len(model.constructs))]
    )
    squared = (weights**2) @ model.membership
    corrected = weights * (quality / squared)[:, model.block]
    loadings = np.where(reflective[model.block], corrected, loadings)
    cross = cross / quality[:, None, :]
    own = np.arange(len(model.block)), model.block
    cross[:, own[0], own[1]] = loadings
    composites = composites / (quality[:, :, None] * quality[:, None, :])
    k = np.arange(composites.shape[1])
    composites[:, k, k] = 1.0
    return loadings, cross, composites


def _structure(model: PathModel, c: Array) -> tuple[Array, Array, Array]:
    """Path coefficients (b, m), their VIF (b, m) and R² (b, equations) from construct correlations."""
    none = np.empty((len(c), 0))
    coefficients, inflation, r_squared = [none], [none], [none]
    for j, predictors in model.equations:
        beta, vif = _regression(c, j, predictors)
        coefficients.append(beta)
        inflation.append(vif)
        r_squared.append(np.sum(beta * c[:, predictors, j], axis=1, keepdims=True))
    return np.hstack(coefficients), np.hstack(inflation), np.hstack(r_squared)


def _path_positions(model: PathModel) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """From and to of each path, in the order of the equations."""
    target, source = np.nonzero(model.adjacency.T)
    return source, target


def _total_effects(direct: Array) -> Array:
    """Sum over all directed routes, B + B² + … (finite: the structure has no cycle)."""
    total, power = direct.copy(), direct
    for _ in range(direct.shape[1] - 2):
        power = power @ direct
        if not power.any():
            break
        total = total + power
    return total


def statistic_keys(model: PathModel) -> Keys:
    """What each entry of each statistic speaks of: its construct, item, or (from, to)."""
    names = model.constructs
    each = [(name,) for name in names]
    source, target = _path_positions(model)
    paths = [(names[i], names[j]) for i, j in zip(source, target, strict=True)]
    routes = [(names[i], names[j]) for i, j in zip(*np.nonzero(model.reachable), strict=True)]
    pairs = [(names[i], names[j]) for i, j in zip(*np.triu_indices(len(names), 1), strict=True)]
    return {
        "weights": model.indicators,
        "loadings": model.indicators,
        "cross_loadings": [(item, name) for _, item in model.indicators for name in names],
        "paths": paths,
        "vif": paths,
        "r_squared": [(names[j],) for j, _ in model.equations],
        "direct": routes,
        "indirect": routes,
        "total": routes,
        "correlations": pairs,
        "htmt": pairs,
        "item_vif": model.indicators,
        **dict.fromkeys(RELIABILITY, each),
    }
