"""How far each respondent's answers lie from everybody's: means and covariances of incomplete answers, Mahalanobis D².

Everything runs over blocks of rows, so that a survey of a million respondents needs no second copy of its numbers.
"""

from __future__ import annotations

import numpy as np

from crmlab.responses.answers import CodedAnswers

_INDEPENDENT = 1e-8  # share of an item's variance that must not follow from the items before it


def moments(answers: CodedAnswers) -> tuple[np.ndarray, np.ndarray]:
    """Means of all answers to an item, and covariances of all respondents who answered both items (divisor n − 1).

    Examples
    --------
    >>> column = np.array([0, 1, 2, -1])
    >>> mean, covariance = moments(CodedAnswers([column, column], [np.arange(3.0), np.arange(3.0)]))
    >>> mean.tolist(), covariance.tolist()
    ([1.0, 1.0], [[1.0, 1.0], [1.0, 1.0]])
    """
    k = len(answers.codes)
    given = np.array([answers.counts(place).sum() for place in range(k)])
    totals = np.array([answers.counts(place) @ answers.values[place] for place in range(k)])
    mean = np.divide(totals, given, out=np.zeros(k), where=given > 0)
    pairs, sums, products = np.zeros((3, k, k))
    for _, block in answers.blocks():
        there = (~np.isnan(block)).astype(float)
        deviations = np.nan_to_num(block - mean, copy=False)
        pairs += there.T @ there
        sums += deviations.T @ there  # of item i over those who answered item j
        products += deviations.T @ deviations
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = (products - sums * sums.T / pairs) / (pairs - 1)
    return mean, np.where(pairs > 1, covariance, 0.0)


def independent(covariance: np.ndarray) -> list[int]:
    """Places of items none of which follows from the others, most telling first (Cholesky with pivoting).

    Examples
    --------
    >>> independent(np.array([[1.0, 1.0, 0.5], [1.0, 1.0, 0.5], [0.5, 0.5, 1.0]]))
    [0, 2]
    """
    sd = np.sqrt(np.maximum(np.diag(covariance), 0))
    scale = np.where(sd > 0, sd, 1.0)
    left = covariance / np.outer(scale, scale)
    chosen: list[int] = []
    while True:
        variances = np.diag(left).copy()
        variances[chosen] = 0
        if variances.max(initial=0) <= _INDEPENDENT:
            return chosen
        pivot = int(variances.argmax())
        chosen.append(pivot)
        left = left - np.outer(left[:, pivot], left[pivot]) / left[pivot, pivot]


def mahalanobis(answers: CodedAnswers, places: list[int], mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """D² of the items a respondent answered, among `places`; NaN for one who answered none. Rounded to 32 bits.

    With P the inverse of the covariances Σ and q = P d, where d is 0 for the missing answers m, D² of the observed
    part, d_o' (Σ_oo)⁻¹ d_o, is d'q − q_m' (P_mm)⁻¹ q_m (inverse of a partitioned matrix).
    """
    squared = np.full(len(answers), np.nan, dtype=np.float32)
    if not places:
        return squared
    precision = np.linalg.inv(covariance[np.ix_(places, places)])
    chosen = CodedAnswers([answers.codes[place] for place in places], [answers.values[place] for place in places])
    for rows, block in chosen.blocks():
        missing = np.isnan(block)
        deviations = np.where(missing, 0.0, block - mean[places])
        q = deviations @ precision
        d2 = (deviations * q).sum(axis=1)
        gaps = missing.sum(axis=1)
        for count in np.unique(gaps[(gaps > 0) & (gaps < len(places))]):
            of_count = np.flatnonzero(gaps == count)
            where = np.nonzero(missing[of_count])[1].reshape(-1, count)
            q_m = q[of_count[:, None], where]
            p_mm = precision[where[:, :, None], where[:, None, :]]
            d2[of_count] -= (q_m * np.linalg.solve(p_mm, q_m[:, :, None])[:, :, 0]).sum(axis=1)
        squared[rows] = np.where(gaps < len(places), d2, np.nan)
    return squared


def probability(squared: np.ndarray, answers: CodedAnswers, places: list[int]) -> np.ndarray:
    """P(χ² ≥ D²) with as many degrees of freedom as items answered among `places`; NaN where D² is."""
    from scipy.special import chdtrc

    freedom = np.zeros(len(squared), dtype=np.int16)
    for place in places:
        freedom += answers.answered(place)
    return chdtrc(np.maximum(freedom, 1).astype(np.float32), np.maximum(squared, 0)).astype(np.float32)
