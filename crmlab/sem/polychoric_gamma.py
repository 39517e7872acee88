"""Asymptotic covariance Γ of thresholds, means, variances and polychoric correlations, for weighted least squares.

The statistics s solve estimating equations one after the other: each margin its own, then each correlation given its
two margins. Their influence on one respondent is B⁻¹ times the scores, with B the block-triangular matrix

    [A₁₁  0 ]     A₁₁: outer products of the scores of each margin,
    [A₂₁ A₂₂]     A₂₂: of the score of each correlation, A₂₁: of it with the scores in the pair's own margins,

and Γ = n·B⁻¹(Σ score score')B⁻¹' (Muthén 1984; Muthén & Satorra 1995), the variance of √n·(s − σ). A missing answer
has score 0. Order, signs and outer products are those of lavaan 0.6 (`lavInspect(fit, "gamma")`).

References
----------
Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika 49, 115–132.
Muthén, B. & Satorra, A. (1995). Technical aspects of Muthén's LISCOMP approach to estimation of latent variable
relations with a comprehensive measurement model. Psychometrika 60, 489–503.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from .moments import Array
from .polychoric_answers import Codes
from .polychoric_likelihood import (
    SMALLEST_PROBABILITY,
    ConditionalCategory,
    Index,
    PairTables,
    cell_probabilities,
    cell_slopes,
    conditional_category,
    univariate_density,
)
from .polychoric_sample import Sample

NO_INFORMATION = 1e-10


def asymptotic_covariance(sample: Sample, rho: Array) -> Array:
    """Γ of the stacked statistics, (s, s); ρ (P,) are the correlations of all pairs.

    A correlation that the answers say nothing about (perfect association: flat likelihood) has a variance of 0, as its
    generalised inverse has in lavaan.
    """
    margins, n_margins = _MarginScores(sample), sample.n_margins
    kinds: list[_PairScores] = [_OrdinalScores(sample, rho), _MixedScores(sample, rho), _ContinuousScores(sample, rho)]
    members = [sample.pairs.ordinal, sample.pairs.mixed, sample.pairs.continuous]
    a22, a21 = np.zeros(len(rho)), np.zeros((len(rho), n_margins))
    for kind, pairs in zip(kinds, members, strict=True):
        a22[pairs], a21[pairs] = kind.outer_products()
    sd_product, turn = _covariance_units(sample, rho)
    told = a22 > NO_INFORMATION
    scale = np.where(told, sd_product / np.where(told, a22, 1.0), 0.0)
    through_margins = (turn - scale[:, None] * a21).T
    size = n_margins + len(rho)
    gamma = np.zeros((size, size))
    for rows in sample.answers.blocks(size + 12 * len(rho)):
        influence = np.empty((len(sample.answers.codes[rows]), size))
        influence[:, :n_margins] = margins.influence(rows)
        for kind, pairs in zip(kinds, members, strict=True):
            influence[:, n_margins + pairs] = kind.scores(rows)
        influence[:, n_margins:] *= scale
        influence[:, n_margins:] += influence[:, :n_margins] @ through_margins
        gamma += influence.T @ influence
    means = sample.start[sample.answers.continuous]
    gamma[means] *= -1  # lavaan stacks −mean beside the thresholds
    gamma[:, means] *= -1
    gamma *= sample.answers.n
    return gamma


def _covariance_units(sample: Sample, rho: Array) -> tuple[Array, Array]:
    """Slopes of σ_ij = ρ·s_i·s_j: in ρ (P,), and in the variances of continuous columns, ρ·s_j/(2s_i), (P, margins)."""
    answers, pairs = sample.answers, sample.pairs
    sd = np.ones(len(answers.names))
    sd[answers.continuous] = sample.sd
    turn, row = np.zeros((len(rho), sample.n_margins)), np.arange(len(rho))
    for one, other in ((pairs.first, pairs.second), (pairs.second, pairs.first)):
        scaled = np.isin(one, answers.continuous)
        variance = sample.start[-1] + sample.place(one[scaled])
        turn[row[scaled], variance] = (rho * sd[other] / (2 * sd[one]))[scaled]
    return sd[pairs.first] * sd[pairs.second], turn


class _PairScores(Protocol):
    """Scores of the correlations of one kind of pairs."""

    def outer_products(self) -> tuple[Array, Array]:
        """A₂₂ (P,) and A₂₁ (P, margins); called before `scores`."""

    def scores(self, rows: slice) -> Array:
        """Score of each respondent of a block for each pair, (r, P); 0 where an answer is missing."""


class _MarginScores:
    """Influence of respondents on thresholds, means and variances: A₁₁⁻¹ times the score of each margin."""

    def __init__(self, sample: Sample):
        self.sample = sample
        codes = sample.answers.codes
        self.by_category = [_threshold_influence(codes[:, i], cut) for i, cut in enumerate(sample.thresholds)]
        outer = np.zeros((len(sample.sd), 2, 2))
        for rows in sample.answers.blocks(4 * len(sample.sd)):
            score = self._continuous(rows)
            outer += np.einsum("rmi,rmj->mij", score, score)
        self.inverse = np.linalg.pinv(outer, rcond=NO_INFORMATION, hermitian=True)  # two-valued columns are singular

    def influence(self, rows: slice) -> Array:
        """Influence of a block of respondents, (r, margins)."""
        sample, answers = self.sample, self.sample.answers
        codes = answers.codes[rows]
        out = np.empty((len(codes), sample.n_margins))
        for i, (column, table) in enumerate(zip(answers.ordinal, self.by_category, strict=True)):
            out[:, sample.start[column] : sample.start[column + 1]] = table[codes[:, i]]
        both = np.einsum("rmi,mij->rmj", self._continuous(rows), self.inverse)
        out[:, sample.start[answers.continuous]] = sample.sd * both[:, :, 0]
        out[:, sample.start[-1] :] = sample.sd**2 * both[:, :, 1]
        return out

    def _continuous(self, rows: slice) -> Array:
        """Slopes of ln φ in mean and variance of the standardised answer, z and (z² − 1)/2, (r, m, 2); 0 where missing.

        In the column's own units they are z/s and (z² − 1)/2s².
        """
        z = self.sample.standardised(rows)
        return np.nan_to_num(np.stack([z, (z**2 - 1) / 2], axis=2))


def _threshold_influence(codes: Codes, cut: Array) -> Array:
    """Influence of an answer in category c on threshold τ_k, (1[c ≤ k] − Φ(τ_k))/(n·φ(τ_k)); (K + 1, K − 1).

    This is A₁₁⁻¹ times the score: thresholds fit their shares exactly. The last row, of a missing answer, is 0.
    """
    counts = np.bincount(codes[codes >= 0], minlength=len(cut) + 1)
    share = np.cumsum(counts[:-1]) / counts.sum()
    below = np.arange(len(counts))[:, None] <= np.arange(len(cut))
    influence = (below - share) / (counts.sum() * univariate_density(cut))
    return np.vstack([influence, np.zeros(len(cut))])


class _OrdinalScores:
    """Scores π'/π of the correlations of two ordinal columns; they depend on the cell only."""

    def __init__(self, sample: Sample, rho: Array):
        pairs = sample.pairs
        self.sample, self.rho = sample, rho[pairs.ordinal]
        self.first, self.second = (sample.place(side[pairs.ordinal]) for side in (pairs.first, pairs.second))
        size = np.array([len(cut) + 1 for cut in sample.thresholds], dtype=np.intp)
        self.width = size[self.second]
        self.base = np.concatenate([[0], np.cumsum(size[self.first] * self.width)])
        self.by_cell = np.zeros(self.base[-1] + 1)  # cells of all tables in a row; the last one is for missing answers

    def outer_products(self) -> tuple[Array, Array]:
        """A₂₂ (P,) and A₂₁ (P, margins), summed over cells; keeps the scores of the cells."""
        start, ordinal = self.sample.start, self.sample.answers.ordinal
        a22, a21 = np.zeros(len(self.rho)), np.zeros((len(self.rho), self.sample.n_margins))
        for tables in self.sample.tables():
            pairs, rho = tables.pairs, self.rho[tables.pairs]
            score, over = _cell_scores(tables, rho)
            self.by_cell[self.base[pairs][:, None] + np.arange(score[0].size)] = score.reshape(len(pairs), -1)
            a22[pairs] = np.sum(tables.counts * score**2, axis=(1, 2))
            weight = tables.counts * score * over
            for side, items in enumerate((self.first, self.second)):
                sums = _threshold_sums(tables, rho, weight, side)
                a21[pairs[:, None], start[ordinal[items[pairs]]][:, None] + np.arange(sums.shape[1])] = sums
        return a22, a21

    def scores(self, rows: slice) -> Array:
        """Score of each respondent for each pair, (r, P); 0 where an answer is missing."""
        codes = self.sample.answers.codes[rows].astype(np.intp)
        first, second = codes[:, self.first], codes[:, self.second]
        cell = self.base[:-1] + first * self.width + second
        return self.by_cell[np.where((first < 0) | (second < 0), len(self.by_cell) - 1, cell)]


def _cell_scores(tables: PairTables, rho: Array) -> tuple[Array, Array]:
    """π'/π and 1/π of every cell; 0 where π is under `SMALLEST_PROBABILITY`, as in the likelihood; each (P, K, L)."""
    probability = cell_probabilities(tables, rho)
    told = probability > SMALLEST_PROBABILITY
    over = np.where(told, 1 / np.where(told, probability, 1.0), 0.0)
    return cell_slopes(tables, rho)[0] * over, over


def _threshold_sums(tables: PairTables, rho: Array, weight: Array, side: int) -> Array:
    """Σ over cells of weight·∂π/∂τ for the thresholds of one side, (P, K − 1) or (P, L − 1).

    Raising τ_a moves φ(τ_a)·[Φ((κ_b − ρτ_a)/R) − Φ((κ_{b−1} − ρτ_a)/R)] of probability from cell (a + 1, b) to (a, b).
    """
    from scipy.special import ndtr

    own, other = (tables.h, tables.k) if side == 0 else (tables.k, tables.h)
    weight = weight if side == 0 else weight.transpose(0, 2, 1)
    r = rho[:, None, None]
    below = np.ones((*own.shape, other.shape[1] + 2))
    below[:, :, 0] = 0.0
    below[:, :, 1:-1] = ndtr((other[:, None, :] - r * own[:, :, None]) / np.sqrt((1 - r) * (1 + r)))
    moved = univariate_density(own)[:, :, None] * np.diff(below, axis=2)
    return np.sum((weight[:, :-1] - weight[:, 1:]) * moved, axis=2)


class _MixedScores:
    """Scores of the correlations of a continuous and an ordinal column."""

    def __init__(self, sample: Sample, rho: Array):
        self.sample, self.rho = sample, rho[sample.pairs.mixed]

    def scores(self, rows: slice) -> Array:
        """Score ∂ ln P(category | z)/∂ρ of each respondent for each pair, (r, P); 0 where an answer is missing."""
        part = self._categories(rows)
        return part.slope / part.probability

    def _categories(self, rows: slice) -> ConditionalCategory:
        return conditional_category(*self.sample.mixed_block(np.arange(len(self.rho)), rows), self.rho)

    def outer_products(self) -> tuple[Array, Array]:
        """A₂₂ (P,) and A₂₁ (P, margins), summed over blocks of respondents.

        Beside the score in ρ: with q = (ρ/R)(φ(a) − φ(b))/P, slopes (z + q)/s in the mean, (z² − 1 + qz)/2s² in the
        variance, φ(a)/RP in the threshold above the category and −φ(b)/RP in the one below.
        """
        sample, answers, pairs = self.sample, self.sample.answers, np.arange(len(self.rho))
        a22, a21 = np.zeros(len(pairs)), np.zeros((len(pairs), sample.n_margins))
        continuous, ordinal = sample.mixed_sides
        mean_at, variance_at = sample.start[answers.continuous[continuous]], sample.start[-1] + continuous
        sd = sample.sd[continuous]
        for rows in answers.blocks(16 * len(pairs)):
            part = self._categories(rows)
            score = part.slope / part.probability
            pull = self.rho / part.root * (part.density_upper - part.density_lower) / part.probability
            a22 += np.sum(score**2, axis=0)
            a21[pairs, mean_at] += np.sum(score * (part.z + pull), axis=0) / sd
            a21[pairs, variance_at] += np.sum(score * (part.z**2 - 1 + pull * part.z), axis=0) / (2 * sd**2)
            weight = score / (part.root * part.probability)
            self._add_thresholds(a21, ordinal, answers.codes[rows], weight, part)
        return a22, a21

    def _add_thresholds(
        self, a21: Array, ordinal: Index, codes: Codes, weight: Array, part: ConditionalCategory
    ) -> None:
        """Add score·∂ ln P/∂τ of a block to the thresholds of the ordinal columns."""
        sample = self.sample
        for item, (cut, column) in enumerate(zip(sample.thresholds, sample.answers.ordinal, strict=True)):
            pairs, begin = np.flatnonzero(ordinal == item), sample.start[column]
            for k in range(len(cut)):
                above, below = codes[:, item] == k, codes[:, item] == k + 1
                a21[pairs, begin + k] += above @ (weight * part.density_upper)[:, pairs]
                a21[pairs, begin + k] -= below @ (weight * part.density_lower)[:, pairs]


class _ContinuousScores:
    """Scores of the correlations of two continuous columns."""

    def __init__(self, sample: Sample, rho: Array):
        pairs = sample.pairs
        self.sample, self.rho = sample, rho[pairs.continuous]
        self.sides = [sample.place(side[pairs.continuous]) for side in (pairs.first, pairs.second)]

    def scores(self, rows: slice) -> Array:
        """Score ρ/R² + (z₁z₂R² − ρ(z₁² − 2ρz₁z₂ + z₂²))/R⁴ of each respondent for each pair, R² = 1 − ρ², (r, P)."""
        return self._scores_and_answers(rows)[0]

    def _scores_and_answers(self, rows: slice) -> tuple[Array, Array, Array]:
        """Scores and both standardised answers, (r, P) each; 0 where one is missing."""
        z = self.sample.standardised(rows)
        first, second = (z[:, side] for side in self.sides)
        present = ~np.isnan(first + second)
        first, second = np.where(present, first, 0.0), np.where(present, second, 0.0)
        rho, r2 = self.rho, (1 - self.rho) * (1 + self.rho)
        distance = first**2 - 2 * rho * first * second + second**2
        return rho * present / r2 + (first * second * r2 - rho * distance) / r2**2, first, second

    def outer_products(self) -> tuple[Array, Array]:
        """A₂₂ (P,) and A₂₁ (P, margins); slopes (z₁ − ρz₂)/s₁R² in the mean, (z₁(z₁ − ρz₂)/R² − 1)/2s₁² in variance."""
        sample, pairs, r2 = self.sample, np.arange(len(self.rho)), (1 - self.rho) * (1 + self.rho)
        a22, a21 = np.zeros(len(pairs)), np.zeros((len(pairs), sample.n_margins))
        for rows in sample.answers.blocks(8 * len(pairs)):
            score, first, second = self._scores_and_answers(rows)
            a22 += np.sum(score**2, axis=0)
            for item, own, other in ((self.sides[0], first, second), (self.sides[1], second, first)):
                sd, pull = sample.sd[item], (own - self.rho * other) / r2
                a21[pairs, sample.start[sample.answers.continuous[item]]] += np.sum(score * pull, axis=0) / sd
                a21[pairs, sample.start[-1] + item] += np.sum(score * (own * pull - 1), axis=0) / (2 * sd**2)
        return a22, a21
