"""Patterns in one respondent's answers: how many, how varied, how long the same, equal to whose, in keeping or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crmlab.responses.answers import CodedAnswers


def answered(answers: CodedAnswers) -> np.ndarray:
    """Number of items each respondent answered."""
    count = np.zeros(len(answers), dtype=np.int32)
    for place in range(len(answers.codes)):
        count += answers.answered(place)
    return count


def as_given(answers: CodedAnswers, scales: pd.DataFrame) -> CodedAnswers:
    """The answers before reverse coding: what the respondent's hand did."""
    turned = zip(answers.values, scales[["min", "max", "reverse"]].itertuples(index=False), strict=True)
    return CodedAnswers(
        answers.codes, [low + high - value if reverse else value for value, (low, high, reverse) in turned]
    )


def spread(answers: CodedAnswers) -> np.ndarray:
    """Standard deviation of each respondent's own answers (divisor the number of answers); NaN without any.

    Examples
    --------
    >>> codes, values = np.array([0, 1]), np.array([1.0, 3.0])
    >>> spread(CodedAnswers([codes, codes[::-1]], [values, values])).tolist()
    [1.0, 1.0]
    """
    sd = np.full(len(answers), np.nan, dtype=np.float32)
    for rows, block in answers.blocks():
        there = ~np.isnan(block)
        n = np.maximum(there.sum(axis=1), 1)
        centred = np.where(there, block - (np.where(there, block, 0).sum(axis=1) / n)[:, None], 0.0)
        sd[rows] = np.where(there.any(axis=1), np.sqrt((centred**2).sum(axis=1) / n), np.nan)
    return sd


def longest_run(answers: CodedAnswers) -> np.ndarray:
    """Most answers in a row, in the questionnaire's order, that are the same; items without an answer are passed over.

    Examples
    --------
    >>> values = np.array([1.0, 2.0])
    >>> longest_run(CodedAnswers([np.array([code]) for code in (0, 1, -1, 1, 1, 0)], [values] * 6)).tolist()
    [3]
    """
    n = len(answers)
    longest, run, last = np.zeros(n, np.int16), np.zeros(n, np.int16), np.full(n, np.nan, np.float32)
    for place in range(len(answers.codes)):
        answer = np.append(answers.values[place], np.nan).astype(np.float32)[answers.codes[place]]
        there = answers.answered(place)
        run = np.where(there, np.where(answer == last, run + 1, 1), run).astype(np.int16)
        last = np.where(there, answer, last)
        np.maximum(longest, run, out=longest)
    return longest


def earlier_equal(answers: CodedAnswers) -> np.ndarray:
    """Position of the first respondent with the same answers and gaps, if that is an earlier one; else −1.

    Examples
    --------
    >>> earlier_equal(CodedAnswers([np.array([0, 1, 0]), np.array([1, 1, 1])], [np.arange(2.0)] * 2)).tolist()
    [-1, -1, 0]
    """
    mark = np.zeros(len(answers), dtype=np.uint64)
    for codes in answers.codes:
        mark = (mark ^ (codes.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
        mark ^= mark >> np.uint64(29)
    _, first, group = np.unique(mark, return_index=True, return_inverse=True)
    first = first[group]
    later = np.flatnonzero(first != np.arange(len(mark)))
    for codes in answers.codes:  # two different patterns may share a mark
        later = later[codes[later] == codes[first[later]]]
    equal = np.full(len(mark), -1)
    equal[later] = first[later]
    return equal


def pair_distance(answers: CodedAnswers, scales: pd.DataFrame, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Mean distance between the answers to the two items of a pair, as a share of the scale; NaN without any pair."""
    total, count = np.zeros(len(answers), dtype=np.float32), np.zeros(len(answers), dtype=np.int16)
    low, width = scales["min"].to_numpy(), (scales["max"] - scales["min"]).to_numpy()
    for one, other in pairs:
        apart = (answers.column(one) - low[one]) / width[one] - (answers.column(other) - low[other]) / width[other]
        there = ~np.isnan(apart)
        total[there] += np.abs(apart[there])
        count += there
    return np.divide(total, count, out=np.full(len(answers), np.nan, dtype=np.float32), where=count > 0)
