"""Differences between groups in a report: a row each, in numbers and in words; the clearest pairs first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from crmlab.studies.page import StudyPage, Table
from crmlab.studies.texts import interval, number

if TYPE_CHECKING:
    import pandas as pd

#: Pairs shown on a page, the clearest first; the workbook holds all.
SHOWN = 45
_ALIGN = "llrrrl"
_READ = ("together", "p_adjusted", "reading")


def of_pairs(page: StudyPage, table: pd.DataFrame, workbook: str) -> Table:
    """Every two groups, the clearest difference first; ``workbook`` is the file that holds those for which no room is.

    ``table`` is as of :func:`crmlab.csi.differences`.
    """
    ordered = table.sort_values("pvalue", kind="stable", na_position="last")
    shown = _rows(page, ordered.head(SHOWN), "group_a", "group_b", "difference")
    more = len(table) - len(shown)
    note = page.t("differences.more", more=more, workbook=workbook) if more > 0 else ""
    header = page.columns("group_a", "group_b", "a_minus_b", *_READ)
    return Table(page.t("differences.caption"), header, _ALIGN, shown, note)


def of_changes(page: StudyPage, table: pd.DataFrame) -> Table:
    """Each wave with the one before it."""
    header = page.columns("before", "after", "change", *_READ)
    return Table(page.t("changes.caption"), header, _ALIGN, _rows(page, table, "before", "after", "change"))


def about_pairs(page: StudyPage, table: pd.DataFrame) -> dict[str, Any]:
    """What the sentence on comparing many pairs names: how many, and the risk that is kept."""
    return {"pairs": int(table["pvalue"].notna().sum()), "risk": f"{100 * (1 - page.result.level):g}%"}


def _rows(page: StudyPage, table: pd.DataFrame, first: str, second: str, value: str) -> list[list[str]]:
    return [
        [
            str(row[first]),
            str(row[second]),
            number(row[value], 1),
            interval(row["ci_lower"], row["ci_upper"], 1),
            number(row["pvalue_adjusted"], 3),
            page.t(f"differences.{_reading(row['pvalue_adjusted'], 1 - page.result.level)}"),
        ]
        for _, row in table.iterrows()
    ]


def _reading(pvalue: float, limit: float) -> str:
    if math.isnan(pvalue):
        return "unknown"
    return "clear" if pvalue < limit else "unclear"
