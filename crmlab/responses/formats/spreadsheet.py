"""What people do to a table by hand: a second header row, merged headings, totals in the last row, empty columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from crmlab.responses.cells import as_text, plain
from crmlab.responses.findings import found
from crmlab.responses.formats.headers import read_header
from crmlab.responses.formats.platforms import first_rows
from crmlab.responses.table import Column, RawTable

_TOTALS = frozenset(
    [
        *("合计", "总计", "小计", "共计", "平均", "平均值", "平均分", "均值", "标准差", "total", "totals", "sum"),
        *("grand total", "average", "averages", "mean", "means", "standard deviation"),
    ]
)
_LAST = 5  # rows at the end that may hold totals


def header_rows(table: RawTable, known: Collection[str]) -> int:
    """How many rows the header has: up to the row, of the first three, that names most items.

    `known` holds the items' names and wordings, squeezed. The first row may hold wordings or merged headings, the
    second the names; a first row of wordings counts as well as one of names.
    """
    named = [sum(_is_known(cell, known) for cell in cells if cell) for cells in first_rows(table)]
    return max((place + 1 for place, count in enumerate(named) if count >= max(2, len(known) / 10)), default=1)


def _is_known(cell: str, known: Collection[str]) -> bool:
    header = read_header(cell)
    if header.number is not None and not header.wordings:
        return not cell[:1].isdecimal()  # Q1 and 第1题 are headers, 1 may be an answer
    return any(text in known for text in (*header.codes, *header.wordings))


def without_header_rows(table: RawTable, count: int) -> tuple[RawTable, list[list[str]]]:
    """The table below its header, and for every column the texts of its header rows; the lowest text is its name."""
    rows = first_rows(table)[:count]
    texts = [[cells[place] for cells in rows] for place in range(len(table.header))]
    if count == 1:
        return table, texts
    columns = [below(column, count - 1) for column in table.columns]
    names = [next((text for text in reversed(each) if text), "") for each in texts]
    return replace(table, header=names, columns=columns, rows=table.rows[count - 1 :]), texts


def below(column: Column, count: int) -> Column:
    return column[count:].occurring()


def without_totals(table: RawTable, items: Sequence[int]) -> RawTable:
    """The table without totals and means at its end: rows that say so, or that are the sums or means of the others.

    `items` holds the places of the item columns.
    """
    n = len(table.rows)
    named = [row for row in range(max(1, n - _LAST), n) if _label(table, row, items)]
    first = named[0] if named and named == [*range(named[0], n)] else n
    if first == n and n > 3 and _is_computed(table, items):
        first = n - 1
    if first == n:
        return table
    what = [_label(table, row, items) or "sums or means" for row in range(first, n)]
    return replace(
        table,
        columns=[column[:first].occurring() for column in table.columns],
        rows=table.rows[:first],
        findings=[*table.findings, *found("totals row", "", table.rows[first:], what)],
    )


def _label(table: RawTable, row: int, items: Sequence[int]) -> str:
    """The word for totals, if it is all that the row holds beside the items; a shop may be called Total."""
    texts = [as_text(column.cell(row)) for place, column in enumerate(table.columns) if place not in items]
    filled = [text for text in texts if text]
    return filled[0] if len(filled) == 1 and plain(filled[0]).rstrip(":") in _TOTALS else ""


def _is_computed(table: RawTable, items: Sequence[int]) -> bool:
    """Whether the last row holds, for at least three items and for all it fills, the sum or the mean of the others."""
    kinds = set()
    filled = [place for place in items if table.columns[place].codes[-1] >= 0]
    for place in filled:
        codes, values = table.columns[place].codes, table.columns[place].numbers()
        last, counts = values[codes[-1]], np.bincount(codes[:-1][codes[:-1] >= 0], minlength=len(values))
        read = ~np.isnan(values) & (counts > 0)
        values, counts = values[read], counts[read]
        if len(values) < 2 or not np.isfinite([*values, last]).all():
            return False
        total = counts @ values
        kinds.add("sum" if np.isclose(last, total) else "mean" if abs(last - total / counts.sum()) < 0.006 else "")
    return len(filled) >= 3 and kinds in ({"sum"}, {"mean"})
