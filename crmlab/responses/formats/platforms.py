"""The marks of each survey tool: which headers its exports carry, and how many rows its header has.

`FORMATS` is the table of rules. A format is recognised by marks that no other tool leaves; how many there must be is
part of the rule. Sources: the manuals of Wenjuanxing 问卷星, Qualtrics and LimeSurvey, and exports seen in the wild.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crmlab.responses.cells import as_text, plain
from crmlab.responses.findings import listed
from crmlab.responses.table import RawTable


@dataclass(frozen=True)
class Format:
    """One kind of export.

    Attributes
    ----------
    name, title : what `format=` takes, and what people call it.
    headers : headers, in plain form, that its exports carry beside the questions.
    needed : how many of them tell it from any other table.
    marks : other marks, found in the table: sentences of evidence.
    header_rows : how many rows the header has in this table.
    looks_for : what it is recognised by, in words, for the error when a forced format does not fit.
    """

    name: str
    title: str
    looks_for: str
    headers: frozenset[str] = frozenset()
    needed: int = 3
    marks: Callable[[RawTable], list[str]] = lambda table: []
    header_rows: Callable[[RawTable], int] = lambda table: 1

    def evidence(self, table: RawTable) -> list[str]:
        """What in the table says that it is of this format, in sentences; empty for nothing or too little."""
        best = max((_among(row, self.headers) for row in first_rows(table)), key=len)
        columns = [f"the columns {listed(best, 4)}"] if self.headers and len(best) >= self.needed else []
        return [*columns, *self.marks(table)]


def first_rows(table: RawTable) -> list[list[str]]:
    """The header and the two rows below it as texts: as many as any header has."""
    count = min(2, len(table.rows))
    return [table.header, *([as_text(column.cell(row)) for column in table.columns] for row in range(count))]


def _among(cells: Sequence[str], headers: frozenset[str]) -> list[str]:
    return [cell for cell in cells if plain(cell) in headers]


# 问卷星 -------------------------------------------------------------------------------------------------------------

_WENJUANXING = frozenset(["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自ip", "总分"])
_NUMBERED = re.compile(r"\d{1,4}、\s*\S.*", re.DOTALL)


def _numbered_questions(table: RawTable) -> list[str]:
    named = [name for name in table.header if name]
    numbered = [name for name in named if _NUMBERED.fullmatch(plain(name))]
    if len(numbered) < 2 or len(numbered) < len(named) / 2:
        return []
    return [f"{len(numbered)} headers numbered as in {_cut(numbered[0])}"]


def _cut(text: str) -> str:
    return text if len(text) <= 24 else text[:23] + "…"


# Qualtrics ----------------------------------------------------------------------------------------------------------

_QUALTRICS = frozenset(
    [
        *("startdate", "enddate", "status", "ipaddress", "progress", "duration (in seconds)", "finished"),
        *("recordeddate", "responseid", "recipientlastname", "recipientfirstname", "recipientemail"),
        *("externalreference", "externaldatareference", "locationlatitude", "locationlongitude"),
        *("distributionchannel", "userlanguage", "responseset", "emailaddress"),
    ]
)
_DATED = ("startdate", "enddate", "recordeddate", "duration (in seconds)", "progress")


def _import_ids(table: RawTable) -> list[str]:
    row = _import_row(table)
    return [f"the row of import ids, row {table.rows[row]}"] if row is not None else []


def _import_row(table: RawTable) -> int | None:
    """The data row that holds {"ImportId": …} in most cells, if one of the first two does."""
    for place, cells in enumerate(first_rows(table)[1:]):
        filled = [cell for cell in cells if cell]
        if filled and sum(map(_is_import_id, filled)) > len(filled) / 2:
            return place
    return None


def _is_import_id(cell: str) -> bool:
    try:
        return "ImportId" in json.loads(cell)
    except (ValueError, TypeError):
        return False


def _qualtrics_rows(table: RawTable) -> int:
    """Three with import ids; two in the legacy export, and where the third was deleted; one where two were."""
    row = _import_row(table)
    if row is not None:
        return row + 2
    header, *below = first_rows(table)
    if not below or len(_among(below[0], _QUALTRICS)) >= 3:
        return 2 if below else 1
    dated = [cell for name, cell in zip(header, below[0], strict=True) if plain(name) in _DATED and cell]
    return 2 if dated and not any(re.search(r"\d", cell) for cell in dated) else 1


# LimeSurvey ---------------------------------------------------------------------------------------------------------

_LIMESURVEY = frozenset(
    [
        *("submitdate", "lastpage", "startlanguage", "seed", "datestamp", "ipaddr", "refurl"),
        *("date submitted", "last page", "start language", "date last action", "referrer url"),
    ]
)


def _spss(table: RawTable) -> list[str]:
    return ["the bytes of an SPSS file"] if table.kind == "sav" else []


FORMATS = {
    each.name: each
    for each in (
        Format("plain", "a plain table", "one row of column names"),
        Format("spreadsheet", "a spreadsheet kept by hand", "two rows of headers, or totals in the last row"),
        Format(
            "wenjuanxing",
            "an export of 问卷星 (Wenjuanxing)",
            "the columns 序号, 提交答卷时间, 所用时间 and 来源, or headers numbered as in 1、…",
            _WENJUANXING,
            marks=_numbered_questions,
        ),
        Format(
            "qualtrics",
            "an export of Qualtrics",
            "the columns StartDate, EndDate and Finished, or a row of import ids",
            _QUALTRICS,
            marks=_import_ids,
            header_rows=_qualtrics_rows,
        ),
        Format(
            "limesurvey",
            "an export of LimeSurvey",
            "the columns submitdate, lastpage and startlanguage",
            _LIMESURVEY,
        ),
        Format("spss", "an SPSS file", "the bytes of a .sav file", marks=_spss),
    )
}
