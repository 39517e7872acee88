"""Answers as numbers on the scales of the questionnaire, with everything that does not fit listed (chapter 6).

All work on an item is done on the distinct values of its column, not on its cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.responses.answers import CodedAnswers, coded
from crmlab.responses.cells import NO_ANSWER, as_text, number, own_labels, plain, usual_labels
from crmlab.responses.files import read_table
from crmlab.responses.findings import (
    KINDS,
    Finding,
    counted,
    did_you_mean,
    found,
    listed,
    rows_of,
    shortened,
)
from crmlab.responses.formats import recognise
from crmlab.responses.result import MATCHING, Responses, about_respondents, empty
from crmlab.responses.table import Column, RawTable

if TYPE_CHECKING:
    from crmlab.questionnaire import Questionnaire


def read_responses(
    source: str | Path | pd.DataFrame,
    questionnaire: Questionnaire,
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    keep_personal: bool = False,
) -> Responses:
    """Read the answers to a questionnaire, from whatever the survey tool exports.

    Parameters
    ----------
    source : path of a CSV (comma, semicolon or tab), XLSX or SAV file, or a DataFrame; one column per item, its header
        the item's name or wording. Rows are numbered as in a spreadsheet: the header is row 1, also for a DataFrame
        and a SAV.
    questionnaire : Questionnaire
    sheet : name of the worksheet of a workbook; default the first visible one.
    encoding : of a CSV or SAV; default is what a CSV's bytes say: a byte-order mark, else UTF-8, else GBK or GB18030.
    format : plain, spreadsheet (kept by hand), wenjuanxing (问卷星), qualtrics, limesurvey or spss; default is what its
        marks say, stated in `Responses.format` and `Responses.evidence`.
    columns : item, group or id -> header, where neither name nor wording tells which column is which; goes before what
        is found.
    keep_personal : keep columns of personal data (names, addresses, telephone, e-mail, IP, …) in `Responses.personal`;
        otherwise they are dropped on load, and an id column that holds such data is numbered instead.

    Notes
    -----
    Columns are matched to items by name, by code (`EQ1. …`, `EQ[EQ1]`), by wording in either language, by similar
    wording, and by question number alone where there is no wording; `Responses.matching` tells of every column.

    Read as answers: numbers, also as text, in full-width digits, with blanks around, with ".0" or a decimal comma; the
    labels of the item's own scale in either language; and the usual agreement and satisfaction labels, English or
    Chinese, of a set with as many labels as the scale has points. Missing: blanks, the questionnaire's codes, the
    user-missing values of a SAV, and phrases such as "don't know" or "不适用". Reverse coding is min + max − answer.

    Raises
    ------
    InputError
        The file cannot be opened or decoded, is not of the format named or carries the marks of two, an item's column
        is missing or there twice, or nobody answered.

    Examples
    --------
    >>> from crmlab.questionnaire import Questionnaire
    >>> questionnaire = Questionnaire.from_text('''
    ... crmlab_questionnaire: 1
    ... name: tea
    ... title: {en: Tea, zh: 茶}
    ... index: Satisfaction
    ... scale: {min: 1, max: 5}
    ... constructs:
    ...   Satisfaction:
    ...     label: {en: Satisfaction, zh: 满意}
    ...     facets:
    ...       - label: {en: Overall, zh: 总体}
    ...         items:
    ...           S1: {en: The tea is good, zh: 茶好}
    ...           S2: {en: The tea is too expensive, zh: 茶太贵, reverse: true}
    ... ''')
    >>> answers = pd.DataFrame({"S1": ["非常满意", "４", 9], "S2": [1, 2, "n/a"]})
    >>> responses = read_responses(answers, questionnaire)
    >>> responses.data
          S1   S2
    row
    2    5.0  5.0
    3    4.0  4.0
    4    NaN  NaN
    >>> print(responses.problems[0])
    item S1 has 9 in row 4; the questionnaire says 1–5. Correct the file, set the item's scale in the questionnaire, or
    name the code under missing.
    """
    table = read_table(source, sheet=sheet, encoding=encoding)
    table = recognise(table, questionnaire, format=format, columns=columns, keep_personal=keep_personal)
    return recode(table, questionnaire)


def recode(table: RawTable, questionnaire: Questionnaire) -> Responses:
    """Answers as numbers on the questionnaire's scales: `read_responses` without the reading."""
    places, remarks = _places(table, questionnaire)
    table = _without_empty_rows(table)
    index = pd.Index(table.rows, name="row")
    scales = _scales(questionnaire)
    answers = []
    recoded: dict[str, str] = {}
    findings: list[Finding] = []
    for item, scale in scales.items():
        column = table.columns[places[item]]
        value, done, objections = _recoded(item, column, scale, table.rows)
        answers.append(coded(value, column.codes))
        findings += objections
        if told := [what for what in (table.recoded.get(item), *done) if what]:
            recoded[item] = "; ".join(told)
    items = CodedAnswers(*map(list, zip(*answers, strict=True)))
    others = [name for name in places if name not in scales]
    texts = {name: _text_column(table.columns[places[name]], index, name) for name in others}
    ids = texts.pop(str(questionnaire.id), None)
    if not findings and not any(len(values) for values in items.values):
        raise InputError(
            f"{table.name} holds no answer to any of the {counted(len(scales), 'item')}: every cell is blank or "
            "missing. Check the columns, and the missing codes of the questionnaire."
        )
    all_differ = ids is not None and table.columns[places[str(questionnaire.id)]].all_differ
    about_ids = about_respondents(ids, all_differ=all_differ)
    silence = _about_silence(items, index, findings)
    return Responses(
        answers=items,
        scales=questionnaire.items[["construct", "min", "max", "reverse"]],
        texts=pd.DataFrame(texts, index=index),
        ids=ids,
        source=table.name,
        sha256=table.sha256,
        encoding=table.encoding,
        recoded=recoded,
        remarks=[*table.remarks, *remarks],
        findings=[*table.findings, *about_ids, *_about_groups(texts), *silence, *findings],
        format=table.format,
        evidence=table.evidence,
        matching=empty(MATCHING) if table.matching is None else table.matching,
        meta=pd.DataFrame(index=index) if table.meta is None else table.meta.loc[index],
        personal=pd.DataFrame(index=index) if table.personal is None else table.personal.loc[index],
    )


# Columns and rows ---------------------------------------------------------------------------------------------------


def _places(table: RawTable, questionnaire: Questionnaire) -> tuple[dict[str, int], list[str]]:
    """Where each column of the questionnaire stands, and remarks on columns that are not there or not used."""
    items = list(questionnaire.items.index)
    others = [name for name in (questionnaire.id, *questionnaire.groups) if name is not None]
    if absent := [item + _hint(item, table) for item in items if item not in table.header]:
        headers = table.header if table.matching is None else table.matching["header"]
        columns = listed([shortened(name) for name in headers if name], 12) or "without names"
        raise InputError(
            f"{table.name} has no column for {len(absent)} of the {counted(len(items), 'item')} of the questionnaire "
            f"{questionnaire.name}: {listed(absent, 5)}. Its columns are {columns}. "
            + " ".join([*table.remarks, "Name the columns in the first row as in the questionnaire."])
        )
    places = {name: table.header.index(name) for name in [*items, *others] if name in table.header}
    for name, count in Counter(table.header).items():
        if count > 1 and name in places:
            where = [str(place) for place, other in enumerate(table.header, start=1) if other == name]
            raise InputError(
                f"{table.name} has the column name {name} {count} times: columns {listed(where, 9)}. Delete or rename "
                "all but one."
            )
    unused = [
        shortened(name) or f"column {place} (without a name)"
        for place, (name, column) in enumerate(zip(table.header, table.columns, strict=True), start=1)
        if name not in places and (name or len(column.values))
    ]
    remarks = [f"Columns the questionnaire does not name, not used: {listed(unused, 20)}."] if unused else []
    for name in others:
        if name not in places:
            loss = "repeated answers cannot be found" if name == questionnaire.id else "there are no results by it"
            remarks.append(f"{table.name} has no column {name}{did_you_mean(name, unused)}; {loss}.")
    return places, remarks


def _hint(item: str, table: RawTable) -> str:
    return table.hints.get(item) or did_you_mean(item, table.header)


def _without_empty_rows(table: RawTable) -> RawTable:
    filled = np.zeros(len(table.rows), dtype=bool)
    for column in table.columns:
        filled |= column.codes >= 0
    if not filled.any():
        raise InputError(f"{table.name} has no row of answers below its header. Expected one row per respondent.")
    if filled.all():
        return table
    empty = np.setdiff1d(table.rows[~filled], rows_of(table.findings))
    return replace(
        table,
        columns=[column[filled] for column in table.columns],
        rows=table.rows[filled],
        findings=[*table.findings, *found("empty row", "", empty)],
    )


def _text_column(column: Column, index: pd.Index, name: str) -> pd.Series:
    return pd.Series(column.texts(), index=index, name=name, dtype="str")


# Answers ------------------------------------------------------------------------------------------------------------


class _Scale(NamedTuple):
    """An item's scale, its labels in plain text with their answers, and the plain texts that mean no answer."""

    min: float
    max: float
    reverse: bool
    labels: dict[str, float]
    missing: set[str]


def _scales(questionnaire: Questionnaire) -> dict[str, _Scale]:
    codes = {plain(code) for code in questionnaire.missing_codes}
    scales = {}
    for name, low, high, reverse in questionnaire.items[["min", "max", "reverse"]].itertuples():
        labels = own_labels(questionnaire.scale_labels(name))
        scales[name] = _Scale(float(low), float(high), bool(reverse), labels, codes | (NO_ANSWER - labels.keys()))
    return scales


def _recoded(item: str, column: Column, scale: _Scale, rows: np.ndarray) -> tuple[np.ndarray, list[str], list[Finding]]:
    """An item's answers, what was done to them, and what does not fit; the work is done on the distinct values."""
    distinct, codes = column.values, column.codes
    value, texts = column.numbers(), {} if column.holds_numbers else dict(enumerate(column.plain_values))
    missing = np.isin(value, [number(code) for code in scale.missing])
    missing[[i for i, text in texts.items() if text in scale.missing]] = True
    rewritten = {i for i, text in texts.items() if np.isfinite(value[i]) and _is_rewritten(text, distinct[i])}
    words = {i: text for i, text in texts.items() if np.isnan(value[i]) and not missing[i]}
    labels = usual_labels(set(words.values()), scale.min, scale.max, scale.labels) | scale.labels
    labelled = {i: labels[text] for i, text in words.items() if text in labels}
    value[[*labelled]] = [*labelled.values()]

    outside = (value < scale.min) | (value > scale.max)
    problem = np.select(
        [missing, np.isnan(value), np.isinf(value), outside, value != np.round(value)],
        ["", "unreadable", "infinite", "outside the scale", "between scale points"],
        "",
    )
    done = _done(distinct, codes, value, missing, rewritten | labelled.keys())
    findings = _objections(item, column, problem, rows, f"{scale.min:g}–{scale.max:g}")
    value[missing | np.isin(problem, ["unreadable", "infinite", "outside the scale"])] = np.nan
    if scale.reverse:
        value = scale.min + scale.max - value
        done.append(f"reversed: {scale.min + scale.max:g} − answer")
    return value, done, findings


def _is_rewritten(text: str, value: Any) -> bool:
    return "," in text or text != str(value).strip()


def _done(distinct: pd.Index, codes: np.ndarray, value: np.ndarray, missing: np.ndarray, read: set[int]) -> list[str]:
    counts = np.bincount(codes + 1, minlength=len(distinct) + 1)[1:]
    read_as = [f"{as_text(distinct[i])} → {value[i]:g} ({counts[i]})" for i in read if not missing[i]]
    as_missing = [f"{as_text(distinct[i])} ({counts[i]})" for i in map(int, np.flatnonzero(missing))]
    both = {"read as": read_as, "missing": as_missing}
    return [f"{what}: {', '.join(sorted(cells))}" for what, cells in both.items() if cells]


def _objections(item: str, column: Column, problem: np.ndarray, rows: np.ndarray, scale: str) -> list[Finding]:
    findings = []
    for kind in (kind for kind in KINDS if kind in problem):
        cells = np.flatnonzero(np.isin(column.codes, np.flatnonzero(problem == kind)))
        if kind == "between scale points" and len(cells) > len(rows) / 2:  # a continuous item: one example will do
            kind, cells = "computed answers", cells[:1]
        shown = {code: as_text(column.values[code]) for code in {*column.codes[cells].tolist()}}
        findings += found(kind, item, rows[cells], [shown[code] for code in column.codes[cells]], scale)
    return findings


# What there is to say -----------------------------------------------------------------------------------------------


def _about_groups(groups: dict[str, pd.Series]) -> list[Finding]:
    return [finding for name, texts in groups.items() for finding in found("no group", name, texts.index[texts.isna()])]


def _about_silence(items: CodedAnswers, index: pd.Index, findings: list[Finding]) -> list[Finding]:
    """Respondents without any answer, unless their answers are faults and told of as such."""
    spoken = np.zeros(len(index), dtype=bool)
    for place in range(len(items.codes)):
        spoken |= items.answered(place)
    silent = index[~spoken]
    return found("no answer", "", np.setdiff1d(silent, rows_of(finding for finding in findings if finding.blocks)))
