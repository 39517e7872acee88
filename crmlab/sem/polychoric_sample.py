"""A sample with ordinal and continuous columns: its margins first, then the correlation of every pair given them.

Step 1 and step 2 of Muthén (1984). Two-way tables of all pairs of ordinal columns come from one matrix product; the
likelihoods stand in `polychoric_likelihood`.

References
----------
Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika 49, 115–132.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .moments import Array
from .polychoric_answers import Answers
from .polychoric_likelihood import (
    BEYOND,
    POLYCHORIC_BOUND,
    POLYSERIAL_BOUND,
    Estimate,
    Index,
    PairTables,
    PolychoricLikelihood,
    code_correlation,
    maximise,
    pair_tables,
    pearson_given_margins,
    polyserial_likelihood,
    thresholds_of,
    univariate_density,
    with_half_answer,
)


@dataclass(frozen=True)
class Pairs:
    """The P = p(p − 1)/2 pairs of columns below the diagonal, column by column: (2,1), (3,1), …, (p,1), (3,2), …

    Attributes
    ----------
    first, second : integer arrays (P,)
        Column and row of the correlation matrix; the first comes earlier in the table.
    ordinal, mixed, continuous : integer arrays
        Where the pairs of two ordinal, of one ordinal and one continuous, of two continuous columns stand among the P.
    """

    first: Index
    second: Index
    ordinal: Index
    mixed: Index
    continuous: Index

    @classmethod
    def of(cls, answers: Answers) -> Pairs:
        """The pairs of a table."""
        first, second = np.triu_indices(len(answers.names), 1)
        continuous = np.isin(np.arange(len(answers.names)), answers.continuous)
        number = continuous[first].astype(int) + continuous[second]
        return cls(first, second, *(np.flatnonzero(number == count) for count in range(3)))


@dataclass(frozen=True)
class Sample:
    """Answers with what is known of each column by itself (step 1) and of each pair of ordinal columns (tables).

    The stacked statistics begin with the margins: by column, the thresholds of an ordinal one or the mean of a
    continuous one; then the variances of the continuous ones. Correlations follow.

    Attributes
    ----------
    answers : Answers
    pairs : Pairs
    thresholds : list of arrays, one for each ordinal column
    mean, sd : arrays (m,)
        Of the continuous columns; the sd divides by the number of answers.
    joint : array (C, C)
        How many respondents chose each category of one ordinal column with each category of another.
    """

    answers: Answers
    pairs: Pairs
    thresholds: list[Array]
    mean: Array
    sd: Array
    joint: Array

    @classmethod
    def of(cls, answers: Answers) -> Sample:
        """Thresholds, means, standard deviations and two-way tables of a table of answers."""
        joint = _joint_counts(answers)
        chosen = np.split(np.diagonal(joint), np.cumsum([len(level) for level in answers.levels])[:-1])
        thresholds = [thresholds_of(counts) for counts in chosen] if len(answers.levels) else []
        mean, sd = np.nanmean(answers.values, axis=0), np.nanstd(answers.values, axis=0)
        return cls(answers, Pairs.of(answers), thresholds, mean, sd, joint)

    @cached_property
    def start(self) -> Index:
        """Where the thresholds or the mean of each column begin, (p + 1,); the last one ends them all."""
        width = np.ones(len(self.answers.names), dtype=np.intp)
        width[self.answers.ordinal] = [len(cut) for cut in self.thresholds]
        return np.concatenate([[0], np.cumsum(width)])

    @property
    def n_margins(self) -> int:
        """Number of thresholds, means and variances."""
        return int(self.start[-1]) + len(self.mean)

    @cached_property
    def cuts(self) -> Array:
        """Thresholds between which each category lies, padded, array (q, most categories + 1)."""
        most = max((len(cut) for cut in self.thresholds), default=0)
        cuts = np.full((len(self.thresholds), most + 2), BEYOND)
        cuts[:, 0] = -BEYOND
        for row, cut in zip(cuts, self.thresholds, strict=True):
            row[1 : len(cut) + 1] = cut
        return cuts

    def place(self, columns: Index) -> Index:
        """Where columns stand among their kind, ordinal or continuous."""
        place = np.empty(len(self.answers.names), dtype=np.intp)
        place[self.answers.ordinal] = np.arange(len(self.answers.ordinal))
        place[self.answers.continuous] = np.arange(len(self.answers.continuous))
        return place[columns]

    def tables(self) -> Iterator[PairTables]:
        """Two-way tables of all pairs of ordinal columns."""
        first, second = (self.place(side[self.pairs.ordinal]) for side in (self.pairs.first, self.pairs.second))
        return pair_tables(self.joint, self.thresholds, first, second)

    @cached_property
    def mixed_sides(self) -> tuple[Index, Index]:
        """Which continuous and which ordinal column each mixed pair joins, by their place among their kind."""
        first, second = self.pairs.first[self.pairs.mixed], self.pairs.second[self.pairs.mixed]
        continuous_first = np.isin(first, self.answers.continuous)
        continuous = self.place(np.where(continuous_first, first, second))
        return continuous, self.place(np.where(continuous_first, second, first))

    def standardised(self, rows: slice) -> Array:
        """Continuous answers with mean 0 and variance 1, (r, m); nan where missing."""
        return (self.answers.values[rows] - self.mean) / self.sd

    def mixed_block(self, which: Index, rows: slice) -> tuple[Array, Array, Array]:
        """z and the thresholds around the category, (r, A) each, for some mixed pairs; z is nan where one lacks."""
        continuous, ordinal = (side[which] for side in self.mixed_sides)
        codes = self.answers.codes[rows][:, ordinal].astype(np.intp)
        z = np.where(codes < 0, np.nan, self.standardised(rows)[:, continuous])
        return z, self.cuts[ordinal, codes + 1], self.cuts[ordinal, np.maximum(codes, 0)]


def _joint_counts(answers: Answers) -> Array:
    """Counts of every two categories, (C, C), from blocks of 0/1 columns, one a category."""
    size = np.array([len(level) for level in answers.levels], dtype=np.intp)
    offset = np.concatenate([[0], np.cumsum(size)]).astype(np.intp)
    joint = np.zeros((offset[-1], offset[-1]))
    for rows in answers.blocks(int(offset[-1])):
        codes = answers.codes[rows]
        chosen = np.empty((len(codes), offset[-1]))
        for item, categories in enumerate(size):
            chosen[:, offset[item] : offset[item + 1]] = codes[:, [item]] == np.arange(categories)
        joint += chosen.T @ chosen
    return joint


def answered_both(answers: Answers, pairs: Pairs) -> Array:
    """Respondents who gave both answers of each pair, (P,)."""
    if answers.complete:
        return np.full(len(pairs.first), float(answers.n))
    both = np.zeros((len(answers.names), len(answers.names)))
    for rows in answers.blocks(len(answers.names)):
        present = np.empty((len(answers.codes[rows]), len(answers.names)))
        present[:, answers.ordinal] = answers.codes[rows] >= 0
        present[:, answers.continuous] = ~np.isnan(answers.values[rows])
        both += present.T @ present
    return both[pairs.first, pairs.second]


@dataclass(frozen=True)
class Correlations:
    """Step 2: correlations of all P pairs, and the pairs about which something must be said.

    Attributes
    ----------
    rho : array (P,)
    at_bound, unconverged, empty_cell, half_answer, improbable : integer arrays
        Pairs that stopped at the bound; that did not converge; whose table has an empty cell; whose 2 × 2 table got
        half an answer in it; with answers so improbable at ρ that they do not count.
    """

    rho: Array
    at_bound: Index
    unconverged: Index
    empty_cell: Index
    half_answer: Index
    improbable: Index


def correlate(sample: Sample) -> Correlations:
    """Correlation of every pair given the margins."""
    pairs = sample.pairs
    rho, converged, at_bound = np.zeros(len(pairs.first)), *np.zeros((2, len(pairs.first)), dtype=bool)
    empty, half, improbable = np.zeros((3, len(pairs.first)), dtype=bool)

    def keep(members: Index, found: Estimate) -> None:
        rho[members], converged[members], at_bound[members] = found.rho, found.converged, found.at_bound

    for counted in sample.tables():
        members = pairs.ordinal[counted.pairs]
        tables, changed = with_half_answer(counted)
        likelihood = PolychoricLikelihood(tables)
        keep(members, maximise(likelihood, code_correlation(tables.counts), POLYCHORIC_BOUND))
        empty[members] = (counted.counts == 0).any(axis=(1, 2))
        half[pairs.ordinal[changed]] = True
        improbable[members] = likelihood.ignored
    if len(pairs.mixed):
        keep(pairs.mixed, _polyserial(sample))
    if len(pairs.continuous):
        keep(pairs.continuous, _pearson(sample))
    return Correlations(rho, *(np.flatnonzero(found) for found in (at_bound, ~converged, empty, half, improbable)))


def _polyserial(sample: Sample) -> Estimate:
    """Correlations of the pairs of a continuous and an ordinal column."""
    answers, (continuous, ordinal) = sample.answers, sample.mixed_sides

    def blocks(which: Index) -> Iterator[tuple[Array, Array, Array]]:
        return (sample.mixed_block(which, rows) for rows in answers.blocks(16 * len(which)))

    # Start: ρ = r·s_c / Σφ(τ_k), with r the correlation of z with the category number (Olsson et al. 1982).
    products, count = np.zeros((2, len(sample.mean), len(sample.thresholds)))
    for rows in answers.blocks(2 * len(answers.names)):
        z, codes = sample.standardised(rows), answers.codes[rows].astype(float)
        there = ~np.isnan(z)
        count += there.T.astype(float) @ (codes >= 0)
        products += np.where(there, z, 0.0).T @ np.where(codes >= 0, codes, 0.0)
    heights = np.array([univariate_density(cut).sum() for cut in sample.thresholds])
    start = products[continuous, ordinal] / count[continuous, ordinal] / heights[ordinal]
    return maximise(polyserial_likelihood(blocks), np.clip(start, -0.9, 0.9), POLYSERIAL_BOUND)


def _pearson(sample: Sample) -> Estimate:
    """Correlations of the pairs of two continuous columns."""
    m = len(sample.mean)
    count, squares, products = np.zeros((3, m, m))
    for rows in sample.answers.blocks(3 * max(m, 1)):
        z = sample.standardised(rows)
        there = (~np.isnan(z)).astype(float)
        z = np.nan_to_num(z)
        count += there.T @ there
        squares += (z**2).T @ there  # Σ zᵢ² over those who also answered j
        products += z.T @ z
    pairs = sample.pairs
    i, j = sample.place(pairs.first[pairs.continuous]), sample.place(pairs.second[pairs.continuous])
    return pearson_given_margins(count[i, j], squares[i, j], squares[j, i], products[i, j])
