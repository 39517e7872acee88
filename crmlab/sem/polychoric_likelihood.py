"""The likelihood of a correlation given its margins: of two ordinal items, two continuous ones, or one of each.

An ordinal answer is a standard normal variable cut at thresholds (Pearson 1900; Olsson 1979). The margins come first
(thresholds, means, variances), then each correlation by maximum likelihood with the margins held fixed, the two-step
estimate of Olsson (1979) and Muthén (1984). Pairs are worked on all together: two ordinal items through their
contingency tables, so that the number of respondents does not matter; a continuous item through blocks of rows.

References
----------
Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika 49, 115–132.
Olsson, U. (1979). Maximum likelihood estimation of the polychoric correlation coefficient. Psychometrika 44, 443–460.
Olsson, U., Drasgow, F. & Dorans, N. J. (1982). The polyserial correlation coefficient. Psychometrika 47, 337–347.
Owen, D. B. (1956). Tables for computing bivariate normal probabilities. Annals of Mathematical Statistics 27,
1075–1090.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .moments import Array

Index = NDArray[np.intp]
Likelihood = Callable[[Array, Index], tuple[Array, Array, Array]]

# Differences of four probabilities near one carry no more than this; lavaan 0.6 draws the line at the same place.
SMALLEST_PROBABILITY = float(np.sqrt(np.finfo(float).eps))
POLYCHORIC_BOUND = 0.999
POLYSERIAL_BOUND = 0.995
PEARSON_BOUND = 1 - 1e-10
BEYOND = 1e10  # stands for an infinite threshold: finite, so that 0 · BEYOND is 0
_CELLS_AT_ONCE = 2**19
_LARGEST_STEP = 0.3
_LAST_STEP = 1e-5  # in units of 1 − ρ²; Newton steps square the error, so after this one it is near 1e-10
_FLAT = 1e-8
_MAX_ITERATIONS = 100


# ----------------------------------------------------------------------------------------------- bivariate normal


def thresholds_of(counts: Array) -> Array:
    """Thresholds τ_k = Φ⁻¹(share of answers in categories 1…k); counts (K,) → (K − 1,).

    Examples
    --------
    >>> thresholds_of(np.array([25.0, 50.0, 25.0])).round(4)
    array([-0.6745,  0.6745])
    """
    from scipy.special import ndtri

    return ndtri(np.cumsum(counts[:-1]) / counts.sum())


def bivariate_cdf(h: Array, k: Array, rho: Array) -> Array:
    """Φ₂(h, k; ρ) = P(X ≤ h, Y ≤ k) of two standard normal variables, |ρ| < 1; arguments broadcast.

    By Owen's T (Owen 1956, eq. 2.1), R² = 1 − ρ²: ½Φ(h) + ½Φ(k) − T(h, (k − ρh)/hR) − T(k, (h − ρk)/kR) − ½·[hk < 0].

    Examples
    --------
    >>> bivariate_cdf(np.array([0.0]), np.array([0.0]), np.array([0.5])).round(6)    # ¼ + arcsin(½)/2π = ⅓
    array([0.333333])
    """
    from scipy.special import ndtr, owens_t

    h, k = np.where(h == 0, 1e-200, h), np.where(k == 0, 1e-200, k)  # the limit at 0 from above
    root = np.sqrt((1 - rho) * (1 + rho))
    tails = owens_t(h, (k / h - rho) / root) + owens_t(k, (h / k - rho) / root)
    return 0.5 * (ndtr(h) + ndtr(k) - ((h < 0) != (k < 0))) - tails


def bivariate_density(h: Array, k: Array, rho: Array) -> tuple[Array, Array]:
    """φ₂(h, k; ρ) = ∂Φ₂/∂ρ and its derivative ∂φ₂/∂ρ; arguments broadcast.

    With R² = 1 − ρ²: φ₂ = exp(−(h² − 2ρhk + k²)/2R²)/(2πR), ∂φ₂/∂ρ = φ₂·(ρR² + (1 + ρ²)hk − ρ(h² + k²))/R⁴.

    Examples
    --------
    >>> density, slope = bivariate_density(np.zeros(1), np.zeros(1), np.full(1, 0.6))
    >>> density.round(6), slope.round(6)                                              # 1/(2π·0.8), ·0.6/0.64
    (array([0.198944]), array([0.18651]))
    """
    r2 = (1 - rho) * (1 + rho)
    product, squares = h * k, h**2 + k**2
    density = np.exp((rho * product - squares / 2) / r2) / (2 * np.pi * np.sqrt(r2))
    return density, density * (rho * r2 + (1 + rho**2) * product - rho * squares) / r2**2


def univariate_density(x: Array) -> Array:
    """φ(x), the standard normal density."""
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


# ---------------------------------------------------------------------------------------------------- maximisation


@dataclass(frozen=True)
class Estimate:
    """Correlations of P pairs: rho (P,), whether each converged (P,) and whether it stopped at the bound (P,)."""

    rho: Array
    converged: NDArray[np.bool_]
    at_bound: NDArray[np.bool_]


def maximise(likelihood: Likelihood, start: Array, bound: float) -> Estimate:
    """Maximise P likelihoods of one correlation each by Newton steps, side by side, |ρ| ≤ bound.

    Parameters
    ----------
    likelihood : function of (ρ (A,), which pairs (A,))
        Log-likelihood, its slope in ρ and a negative curvature, each (A,).
    start : array (P,)
    bound : float

    Notes
    -----
    A step that lowers the likelihood is halved; a pair that has arrived is not evaluated again. The bounds are the
    ones of lavaan 0.6: where the likelihood rises or stays flat all the way, the estimate is the bound.
    """
    rho = np.clip(start, -bound, bound)
    converged = np.zeros(len(rho), dtype=bool)
    active = np.arange(len(rho))
    height, slope, curvature = likelihood(rho, active)
    step = _newton_step(slope, curvature)
    for _ in range(_MAX_ITERATIONS):
        trial = np.clip(rho[active] + step, -bound, bound)
        done = np.abs(trial - rho[active]) < _LAST_STEP * (1 - trial**2)
        rho[active[done]], converged[active[done]] = trial[done], True
        active, trial, height, step = active[~done], trial[~done], height[~done], step[~done]
        if not len(active):
            break
        new_height, slope, curvature = likelihood(trial, active)
        uphill = new_height >= height - 1e-12 * np.abs(height)
        rho[active[uphill]] = trial[uphill]
        height = np.where(uphill, new_height, height)
        step = np.where(uphill, _newton_step(slope, curvature), step / 2)
    flat = _flat_to_the_bound(likelihood, rho, np.flatnonzero(~converged | (np.abs(rho) > 0.9)), bound)
    rho[flat], converged[flat] = np.copysign(bound, rho[flat]), True
    return Estimate(rho, converged, np.abs(rho) >= bound)


def _flat_to_the_bound(likelihood: Likelihood, rho: Array, which: Index, bound: float) -> Index:
    """The pairs among `which` whose likelihood does not fall on the way to the bound: association is perfect."""
    if not len(which):
        return which
    here, _, _ = likelihood(rho[which], which)
    there, _, _ = likelihood(np.copysign(bound, rho[which]), which)
    return which[there >= here - _FLAT]


def _newton_step(slope: Array, curvature: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        step = np.where(slope == 0, 0.0, -slope / curvature)
    return np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)


# ----------------------------------------------------------------------------------------- two ordinal items


@dataclass(frozen=True)
class PairTables:
    """Contingency tables of P pairs of ordinal items that have K and L categories.

    Attributes
    ----------
    pairs : array (P,)
        Where each pair stands among all pairs of ordinal items.
    counts : array (P, K, L)
    h : array (P, K − 1), k : array (P, L − 1)
        Thresholds of the first and of the second item.
    """

    pairs: Index
    counts: Array
    h: Array
    k: Array

    def __getitem__(self, which: Index) -> PairTables:
        if len(which) == len(self.pairs):
            return self
        return PairTables(self.pairs[which], self.counts[which], self.h[which], self.k[which])


def pair_tables(joint: Array, thresholds: list[Array], first: Index, second: Index) -> Iterator[PairTables]:
    """Tables of pairs in batches of equal shape and bounded size.

    Parameters
    ----------
    joint : array (C, C)
        How many respondents chose each category of one item with each category of another, items one after the other.
    thresholds : list of array
        One array an item; item i has one category more than thresholds.
    first, second : array (P,)
        The items of each pair.
    """
    size = np.array([len(cut) + 1 for cut in thresholds], dtype=np.intp)
    offset = np.concatenate([[0], np.cumsum(size)[:-1]])
    shapes = size[first] * (size.max(initial=0) + 1) + size[second]
    for shape in np.unique(shapes):
        same = np.flatnonzero(shapes == shape)
        K, L = size[first[same[0]]], size[second[same[0]]]
        at_once = max(1, int(_CELLS_AT_ONCE // (K * L)))
        for begin in range(0, len(same), at_once):
            pairs = same[begin : begin + at_once]
            rows = offset[first[pairs]][:, None] + np.arange(K)
            columns = offset[second[pairs]][:, None] + np.arange(L)
            h = np.array([thresholds[i] for i in first[pairs]])
            k = np.array([thresholds[i] for i in second[pairs]])
            yield PairTables(pairs, joint[rows[:, :, None], columns[:, None, :]], h, k)


def with_half_answer(tables: PairTables) -> tuple[PairTables, Index]:
    """2 × 2 tables with exactly one empty cell get half an answer there, margins kept; which pairs were changed.

    Without it the likelihood of such a table has no maximum inside (−1, 1). lavaan's zero.add = c(0.5, 0) with
    zero.keep.margins = TRUE: larger tables are left as they are.
    """
    if tables.counts.shape[1:] != (2, 2):
        return tables, np.empty(0, dtype=np.intp)
    empty = tables.counts == 0
    single = empty.sum(axis=(1, 2)) == 1
    on_diagonal = empty[:, 0, 0] | empty[:, 1, 1]
    half = np.where(single, np.where(on_diagonal, 0.5, -0.5), 0.0)
    counts = tables.counts + half[:, None, None] * np.array([[1.0, -1.0], [-1.0, 1.0]])
    return PairTables(tables.pairs, counts, tables.h, tables.k), tables.pairs[single]


def cell_probabilities(tables: PairTables, rho: Array) -> Array:
    """Probability of every cell: the bivariate normal over the rectangle between thresholds; (P, K, L)."""
    from scipy.special import ndtr

    P, K, L = tables.counts.shape
    corners = np.zeros((P, K + 1, L + 1))
    corners[:, 1:-1, 1:-1] = bivariate_cdf(tables.h[:, :, None], tables.k[:, None, :], rho[:, None, None])
    corners[:, 1:-1, -1], corners[:, -1, 1:-1], corners[:, -1, -1] = ndtr(tables.h), ndtr(tables.k), 1.0
    return _rectangles(corners)


def cell_slopes(tables: PairTables, rho: Array) -> tuple[Array, Array]:
    """First and second derivative in ρ of every cell's probability; each (P, K, L)."""
    P, K, L = tables.counts.shape
    corners = np.zeros((2, P, K + 1, L + 1))
    corners[:, :, 1:-1, 1:-1] = bivariate_density(tables.h[:, :, None], tables.k[:, None, :], rho[:, None, None])
    return _rectangles(corners[0]), _rectangles(corners[1])


class PolychoricLikelihood:
    """ℓ(ρ) = Σ n_ab ln π_ab(ρ) of every table (Olsson 1979), with slope and curvature.

    Cells whose probability falls under `SMALLEST_PROBABILITY` count with that probability and without slope; `ignored`
    (P,) tells which tables had answers in such cells when last evaluated. Where the second derivative is not negative
    the curvature is minus the expected information, n·Σ π'²/π.
    """

    def __init__(self, tables: PairTables):
        self.tables = tables
        self.ignored = np.zeros(len(tables.pairs), dtype=bool)

    def __call__(self, rho: Array, which: Index) -> tuple[Array, Array, Array]:
        """Height, slope and curvature of some of the tables, (A,) each."""
        part = self.tables[which]
        probability = cell_probabilities(part, rho)
        told = probability > SMALLEST_PROBABILITY
        self.ignored[which] = (~told & (part.counts > 0)).any(axis=(1, 2))
        probability = np.maximum(probability, SMALLEST_PROBABILITY)
        first, second = cell_slopes(part, rho)
        height = np.einsum("pab,pab->p", part.counts, np.log(probability))
        score, counts = np.where(told, first / probability, 0.0), part.counts
        slope = np.einsum("pab,pab->p", counts, score)
        observed = np.einsum("pab,pab->p", counts * told, second / probability) - np.einsum(
            "pab,pab,pab->p", counts, score, score
        )
        expected = -counts.sum(axis=(1, 2)) * np.einsum("pab,pab->p", first, score)
        return height, slope, np.where(observed < 0, observed, expected)


def code_correlation(counts: Array) -> Array:
    """Pearson correlation of the category numbers of each table, the start of the search; 0 where undefined."""
    total = counts.sum(axis=(1, 2))
    a, b = np.arange(counts.shape[1]), np.arange(counts.shape[2])
    rows, columns = counts.sum(axis=2), counts.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_a, mean_b = rows @ a / total, columns @ b / total
        product = np.einsum("pab,a,b->p", counts, a, b) / total - mean_a * mean_b
        variance = (rows @ a**2 / total - mean_a**2) * (columns @ b**2 / total - mean_b**2)
        correlation = product / np.sqrt(np.maximum(variance, 0))
    return np.where(np.abs(correlation) < 1, correlation, 0.0)


def _rectangles(corners: Array) -> Array:
    """Second differences of values at the corners of a grid; (P, K + 1, L + 1) → (P, K, L)."""
    strips = corners[:, 1:, :] - corners[:, :-1, :]
    return strips[:, :, 1:] - strips[:, :, :-1]


# --------------------------------------------------------------------------- an ordinal and a continuous item


@dataclass(frozen=True)
class ConditionalCategory:
    """P(category | z) of ordinal answers given standardised continuous ones, for r respondents and P pairs.

    With R = √(1 − ρ²), a = (τ_c − ρz)/R and b = (τ_{c−1} − ρz)/R it is Φ(a) − Φ(b) (Olsson et al. 1982).
    All arrays are (r, P); a respondent who lacks one of the two answers has probability 1 and densities 0.
    """

    z: Array
    upper: Array  # τ_c
    lower: Array  # τ_{c−1}
    rho: Array
    probability: Array
    density_upper: Array  # φ(a)
    density_lower: Array  # φ(b)
    present: NDArray[np.bool_]

    @property
    def root(self) -> Array:
        """R = √(1 − ρ²), (P,)."""
        return np.sqrt((1 - self.rho) * (1 + self.rho))

    @property
    def slope(self) -> Array:
        """∂P/∂ρ = φ(a)·a' − φ(b)·b' with a' = (ρτ_c − z)/R³."""
        turn_a, turn_b = self.rho * self.upper - self.z, self.rho * self.lower - self.z
        return (self.density_upper * turn_a - self.density_lower * turn_b) / self.root**3

    @property
    def second_slope(self) -> Array:
        """∂²P/∂ρ² = φ(a)(a'' − a·a'²) − φ(b)(b'' − b·b'²) with a'' = (τR² + 3ρ(ρτ − z))/R⁵."""
        return self._bend(self.upper, self.density_upper) - self._bend(self.lower, self.density_lower)

    def _bend(self, cut: Array, density: Array) -> Array:
        root, turn = self.root, self.rho * cut - self.z
        a = (cut - self.rho * self.z) / root
        return density * ((cut * root**2 + 3 * self.rho * turn) / root**5 - a * (turn / root**3) ** 2)


def conditional_category(z: Array, upper: Array, lower: Array, rho: Array) -> ConditionalCategory:
    """Assemble the probabilities of `ConditionalCategory`; z is nan where one of the two answers is missing."""
    from scipy.special import ndtr

    present = ~np.isnan(z)
    z = np.where(present, z, 0.0)
    root = np.sqrt((1 - rho) * (1 + rho))
    a, b = (upper - rho * z) / root, (lower - rho * z) / root
    mirrored = a + b > 0  # Φ(a) − Φ(b) = Φ(−b) − Φ(−a), without cancellation in the upper tail
    low, high = np.where(mirrored, -a, b), np.where(mirrored, -b, a)
    probability = np.where(present, np.maximum(ndtr(high) - ndtr(low), 1e-300), 1.0)
    return ConditionalCategory(
        z, upper, lower, rho, probability, univariate_density(a) * present, univariate_density(b) * present, present
    )


def polyserial_likelihood(blocks: Callable[[Index], Iterator[tuple[Array, Array, Array]]]) -> Likelihood:
    """ℓ(ρ) = Σ ln P(category | z; ρ) of pairs of a continuous and an ordinal item, with slope and curvature.

    Parameters
    ----------
    blocks : function of which pairs (A,)
        Yields z, upper and lower thresholds of blocks of respondents, each (r, A).
    """

    def likelihood(rho: Array, which: Index) -> tuple[Array, Array, Array]:
        height, slope, observed, outer = np.zeros((4, len(which)))
        for z, upper, lower in blocks(which):
            part = conditional_category(z, upper, lower, rho)
            score = part.slope / part.probability
            height += np.log(part.probability).sum(axis=0)
            slope += score.sum(axis=0)
            outer += np.sum(score**2, axis=0)
            observed += np.sum(part.second_slope / part.probability - score**2, axis=0)
        return height, slope, np.where(observed < 0, observed, -outer)

    return likelihood


# ---------------------------------------------------------------------------------------- two continuous items


def pearson_given_margins(n: Array, squares_1: Array, squares_2: Array, products: Array) -> Estimate:
    """Maximum-likelihood correlation of standardised continuous items whose means and variances are held fixed.

    Over the n respondents who answered both, with A = Σz₁², B = Σz₂², C = Σz₁z₂, the likelihood equation is
    nρ(1 − ρ²) + C(1 + ρ²) − ρ(A + B) = 0. With no answers missing A = B = n, and ρ = C/n, Pearson's.

    Examples
    --------
    >>> pearson_given_margins(np.array([10.0]), np.array([10.0]), np.array([10.0]), np.array([4.0])).rho
    array([0.4])
    """

    def likelihood(rho: Array, which: Index) -> tuple[Array, Array, Array]:
        m, s, c, r2 = n[which], (squares_1 + squares_2)[which], products[which], (1 - rho) * (1 + rho)
        height = -m / 2 * np.log(r2) - (s - 2 * rho * c) / (2 * r2)
        equation = m * rho * r2 + c * (1 + rho**2) - rho * s
        observed = (m * (1 - 3 * rho**2) + 2 * c * rho - s + 4 * rho * equation / r2) / r2**2
        return height, equation / r2**2, np.where(observed < 0, observed, -m * (1 + rho**2) / r2**2)

    start = 2 * products / (squares_1 + squares_2)
    complete = np.isclose(squares_1, n, rtol=1e-12) & np.isclose(squares_2, n, rtol=1e-12)
    bounded = np.clip(start, -PEARSON_BOUND, PEARSON_BOUND)
    rho, converged = bounded.copy(), complete.copy()
    rest = np.flatnonzero(~complete)
    if len(rest):
        searched = maximise(lambda r, which: likelihood(r, rest[which]), bounded[rest], PEARSON_BOUND)
        rho[rest], converged[rest] = searched.rho, searched.converged
    return Estimate(rho, converged, np.abs(rho) >= PEARSON_BOUND)
