"""Answers held small: per item one array of codes and the few values they stand for.

A million respondents and thirty items take 30 MB as codes of one byte, and 240 MB as the 64-bit numbers that estimates
are made from; those are built when they are asked for, whole or in blocks of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

BLOCK = 16_384  # rows that are held as 64-bit numbers at a time


@dataclass(frozen=True, eq=False)
class CodedAnswers:
    """Answers of n respondents to k items.

    Attributes
    ----------
    codes : k integer arrays of length n; −1 where there is no answer.
    values : k arrays; `values[item][codes[item]]` are the answers, in scale units after reverse coding.

    Examples
    --------
    >>> answers = CodedAnswers([np.array([0, 1, -1], dtype=np.int8)], [np.array([4.0, 5.0])])
    >>> answers.block().tolist()
    [[4.0], [5.0], [nan]]
    """

    codes: Sequence[np.ndarray]
    values: Sequence[np.ndarray]

    def __len__(self) -> int:
        return len(self.codes[0]) if self.codes else 0

    def column(self, place: int, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """The answers to one item as 64-bit numbers, NaN for none."""
        return np.append(self.values[place], np.nan)[self.codes[place][rows]]

    def block(self, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """The answers of some rows as 64-bit numbers: rows × items."""
        columns = [self.column(place, rows) for place in range(len(self.codes))]
        return np.array(columns).T

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """All answers, a slice of rows at a time."""
        for start in range(0, len(self), BLOCK):
            rows = slice(start, start + BLOCK)
            yield rows, self.block(rows)

    def counts(self, place: int) -> np.ndarray:
        """How often each value of an item occurs."""
        codes = self.codes[place]
        return np.bincount(codes[codes >= 0], minlength=len(self.values[place]))

    def answered(self, place: int) -> np.ndarray:
        return self.codes[place] >= 0

    def kept(self, rows: np.ndarray) -> CodedAnswers:
        """The answers of the rows where `rows` is true."""
        return CodedAnswers([codes[rows] for codes in self.codes], self.values)


def coded(values: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes and values without NaN among the values and with every value once, in ascending order.

    Examples
    --------
    >>> codes, values = coded(np.array([5.0, np.nan, 4.0, 5.0]), np.array([0, 1, 2, 3, -1], dtype=np.int8))
    >>> codes.tolist(), values.tolist()
    ([1, -1, 0, 1, -1], [4.0, 5.0])
    """
    distinct, places = np.unique(values, return_inverse=True)
    there = ~np.isnan(distinct)
    renumbered = np.where(there[places], places, -1)
    size = np.min_scalar_type(-max(int(there.sum()), 1))
    return np.append(renumbered, -1).astype(size)[codes], distinct[there]
