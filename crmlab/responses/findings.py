"""What does not fit in a file of answers, told twice: cell by cell as a table, and as one sentence per column and kind.

`KINDS` is the table of rules: what happens to such a cell, whether it blocks an estimate, and the words.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd


class Kind(NamedTuple):
    """What is done with a cell, whether it blocks an estimate, and the sentence for its column."""

    action: str
    blocks: bool
    sentence: str


KINDS = {
    "outside the scale": Kind(
        "read as missing",
        True,
        "item {column} has {values} in {rows}; the questionnaire says {detail}. Correct the file, set the item's scale "
        "in the questionnaire, or name the code under missing.",
    ),
    "unreadable": Kind(
        "read as missing",
        True,
        "item {column} has {values} in {rows}, neither a number nor a label of its scale {detail}. Correct the file, "
        "or name the text in the questionnaire, under scale labels or under missing.",
    ),
    "infinite": Kind(
        "read as missing",
        True,
        "item {column} has an infinite value in {rows}; the questionnaire says {detail}. Correct the file.",
    ),
    "between scale points": Kind(
        "used as found",
        False,
        "item {column} has {values} in {rows}, between the points of its scale {detail}; used as found. People choose "
        "whole numbers: check the file unless the answers were computed.",
    ),
    "computed answers": Kind("used as found", False, ""),
    "duplicate id": Kind(
        "kept",
        True,
        "id column {column} has the same id more than once: {detail}. Delete the repeated answers or correct the ids.",
    ),
    "no id": Kind("kept", False, "id column {column} is empty in {rows}; repeated answers cannot be found there."),
    "no group": Kind(
        "kept", False, "group column {column} is empty in {rows}; no result by group holds these answers."
    ),
    "no answer": Kind("kept", False, "No item is answered in {rows}; kept, with every answer missing."),
    "empty row": Kind("left out", False, "Wholly empty and left out: {rows}."),
    "too many cells": Kind(
        "left out",
        True,
        "More cells than the header ({detail}) in {rows}; answers may have shifted there, so nothing of it is used. "
        "Put texts and numbers that contain the delimiter between quotation marks.",
    ),
    "too few cells": Kind(
        "read as missing",
        False,
        "Fewer cells than the header ({detail}) in {rows}; the others are read as missing. Check that the file is "
        "whole.",
    ),
    "totals row": Kind(
        "left out", False, "Totals or means of the rows above, not a respondent, left out: {rows} ({values})."
    ),
    "beyond the header": Kind("not used", False, "Cells to the right of the header, not used: {values} in {rows}."),
}


class Finding(NamedTuple):
    """Cells of one column that share one problem, a key of `KINDS`; `detail` is what its sentence says beside them.

    Examples
    --------
    >>> Finding("outside the scale", "PERQ7", np.array([18, 20, 31]), ["11", "11", "12"], "1–10").sentence()
    "item PERQ7 has 11 and 12 in 3 rows (first: row 18); the questionnaire says 1–10. Correct the file, set the item's
    scale in the questionnaire, or name the code under missing."
    """

    problem: str
    column: str
    rows: np.ndarray
    values: Sequence[str]
    detail: str = ""

    @property
    def blocks(self) -> bool:
        return KINDS[self.problem].blocks

    def among(self, rows: np.ndarray) -> Finding | None:
        """What remains of the finding when only these rows remain."""
        kept = np.isin(self.rows, rows)
        values = [value for value, stays in zip(self.values, kept, strict=True) if stays]
        return self._replace(rows=self.rows[kept], values=values) if kept.any() else None

    def sentence(self) -> str:
        frequent = sorted(Counter(self.values).items(), key=lambda pair: (-pair[1], pair[0]))
        first = f"row {self.rows[0]}"
        return KINDS[self.problem].sentence.format(
            column=self.column,
            values=listed([shortened(value) or "nothing" for value, _ in frequent], 3),
            rows=first if len(self.rows) == 1 else f"{counted(len(self.rows), 'row')} (first: {first})",
            detail=self.detail,
        )


def found(
    problem: str, column: str, rows: Iterable[int], values: Sequence[str] = (), detail: str = ""
) -> list[Finding]:
    """A finding about these rows, or none when there are no rows."""
    rows = np.array([*rows], dtype=int)
    return [Finding(problem, column, rows, values or [""] * len(rows), detail)] if len(rows) else []


def rows_of(findings: Iterable[Finding]) -> np.ndarray:
    return np.concatenate([np.array([], dtype=int), *(finding.rows for finding in findings)])


def cell_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Every cell of the findings: row, column, value, problem, action; by row, then in the order of the findings."""
    columns = {"row": "int64", "column": "str", "value": "str", "problem": "str", "action": "str"}
    parts = [
        pd.DataFrame(
            {
                "row": finding.rows,
                "column": finding.column,
                "value": finding.values,
                "problem": finding.problem,
                "action": KINDS[finding.problem].action,
            }
        )
        for finding in findings
    ]
    table = pd.concat(parts) if parts else pd.DataFrame(columns=[*columns])
    return table.astype(columns).sort_values("row", kind="stable", ignore_index=True)


def counted(n: int, noun: str) -> str:
    """A number with its noun: `1 row`, `1,200 rows`."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def listed(words: Iterable[str], limit: int, separator: str = ", ") -> str:
    """The words in a row, the end of a long row only counted.

    Examples
    --------
    >>> listed("abc", 3), listed("abcde", 3)
    ('a, b and c', 'a, b, c and 2 more')
    """
    words = list(words)
    shown = words if len(words) <= limit else [*words[:limit], f"{len(words) - limit} more"]
    return " and ".join(part for part in (separator.join(shown[:-1]), *shown[-1:]) if part)


def shortened(text: str) -> str:
    """At most forty characters of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint such as ` (did you mean PERQ7?)`, or nothing; upper and lower case count as alike."""
    alike = {word.casefold(): word for word in reversed([*known])}
    close = difflib.get_close_matches(name.casefold(), alike, n=1)
    return f" (did you mean {alike[close[0]]}?)" if close else ""
