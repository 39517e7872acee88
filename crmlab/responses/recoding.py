"""Answers as numbers on the scales of the questionnaire, with everything that does not fit listed (chapter 6).

All work on an item is done on the distinct values of its column, not on its cells.
"""

from __future__ import annotations

import html
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype

from crmlab.errors import InputError
from crmlab.responses.cells import NO_ANSWER, as_text, number, plain, usual_labels
from crmlab.responses.files import RawTable, read_table
from crmlab.responses.findings import (
    KINDS,
    Finding,
    cell_table,
    counted,
    did_you_mean,
    found,
    listed,
    rows_of,
    shortened,
)

if TYPE_CHECKING:
    from crmlab.questionnaire import Questionnaire


@dataclass(frozen=True, eq=False)
class Responses:
    """Answers as numbers, with everything a careful analyst would object to.

    Attributes
    ----------
    data : DataFrame, one row per respondent; the items as float in scale units after reverse coding (NaN: no answer),
        then the grouping columns as text. The index "row" is the row of the file, its header being row 1.
    items : the names of the item columns, in the questionnaire's order.
    ids : Series of the id column as text, same index; None when there is no such column.
    problems : list of sentences, one per column and kind of problem.
    cells : DataFrame row, column, value, problem, action: every cell the sentences speak of.
    source, sha256, encoding : file name, checksum of the file, and encoding of its text (None where there is none).
    recoded : dict item -> what was done to its answers, for items that did not already hold numbers of the scale.
    """

    data: pd.DataFrame
    items: tuple[str, ...]
    ids: pd.Series | None
    problems: list[str]
    cells: pd.DataFrame
    source: str
    sha256: str | None
    encoding: str | None
    recoded: dict[str, str]

    @property
    def n(self) -> int:
        """Number of respondents, those without any answer included."""
        return len(self.data)

    @property
    def faults(self) -> pd.DataFrame:
        """The rows of `cells` that block an estimate."""
        blocking = [problem for problem, kind in KINDS.items() if kind.blocks]
        return self.cells[self.cells["problem"].isin(blocking)]

    def require_usable(self) -> None:
        """Raise `InputError` when a cell blocks an estimate: one paragraph that names the first five."""
        faults = self.faults
        if faults.empty:
            return
        first = [
            f"row {row}{f', {column}' if column else ''}: {shortened(value)} ({problem})"
            for row, column, value, problem, _ in faults.head(5).itertuples(index=False)
        ]
        more = [f"and {len(faults) - len(first)} more"] if len(faults) > len(first) else []
        raise InputError(
            f"{self.source}: {counted(len(faults), 'cell')} cannot be used as found: {'; '.join([*first, *more])}. "
            "Correct the file or the questionnaire, or have such answers read as missing (faults='missing', on the "
            "command line --faults missing)."
        )

    def summary(self) -> pd.DataFrame:
        """The items, one a row: n answers, missing, mean, sd (divisor n − 1), min, max, in scale units."""
        answers = self.data[list(self.items)]
        table = answers.agg(["count", "mean", "std", "min", "max"]).T.rename(columns={"count": "n", "std": "sd"})
        table.insert(1, "missing", self.n - table["n"])
        return table.astype({"n": int, "missing": int}).rename_axis(index="item", columns=None)

    def _repr_html_(self) -> str:
        facts = [self.source, counted(self.n, "respondent"), counted(len(self.items), "item"), self.encoding]
        heading = html.escape(", ".join(str(fact) for fact in facts if fact))
        sentences = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems)
        return f"<p><b>{heading}</b></p><ul>{sentences}</ul>{self.summary().round(2).to_html()}"


def read_responses(
    source: str | Path | pd.DataFrame,
    questionnaire: Questionnaire,
    *,
    sheet: str | None = None,
    encoding: str | None = None,
) -> Responses:
    """Read the answers to a questionnaire.

    Parameters
    ----------
    source : path of a CSV (comma, semicolon or tab), XLSX or SAV file, or a DataFrame; one column per item, named as in
        the questionnaire. Rows are numbered as in a spreadsheet: the header is row 1, also for a DataFrame and a SAV.
    questionnaire : Questionnaire
    sheet : name of the worksheet of a workbook; default the first visible one.
    encoding : of a CSV or SAV; default is what a CSV's bytes say: a byte-order mark, else UTF-8, else GBK or GB18030.

    Notes
    -----
    Read as answers: numbers, also as text, in full-width digits, with blanks around, with ".0" or a decimal comma; the
    labels of the item's own scale in either language; and the usual agreement and satisfaction labels, English or
    Chinese, of a set with as many labels as the scale has points. Missing: blanks, the questionnaire's codes, the
    user-missing values of a SAV, and phrases such as "don't know" or "不适用". Reverse coding is min + max − answer.

    Raises
    ------
    InputError
        The file cannot be opened or decoded, an item's column is missing or there twice, or nobody answered.

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
    return recode(table, questionnaire)


def recode(table: RawTable, questionnaire: Questionnaire) -> Responses:
    """Answers as numbers on the questionnaire's scales: `read_responses` without the reading."""
    places, remarks = _places(table, questionnaire)
    table = _without_empty_rows(table)
    index = pd.Index(table.rows, name="row")
    scales = _scales(questionnaire)
    answers = np.empty((len(scales), len(index)))  # filled in place: a million respondents are held only once
    recoded: dict[str, str] = {}
    findings: list[Finding] = []
    for place, (item, scale) in enumerate(scales.items()):
        answers[place], done, objections = _recoded(item, table.columns[places[item]], scale, table.rows)
        findings += objections
        if told := [what for what in (table.recoded.get(item), *done) if what]:
            recoded[item] = "; ".join(told)
    items = pd.DataFrame(answers.T, index=index, columns=[*scales], copy=False)
    others = [name for name in places if name not in scales]
    texts = {name: _text_column(table.columns[places[name]], index, name) for name in others}
    ids = texts.pop(str(questionnaire.id), None)
    if not findings and items.isna().all(axis=None):
        raise InputError(
            f"{table.name} holds no answer to any of the {counted(len(scales), 'item')}: every cell is blank or "
            "missing. Check the columns, and the missing codes of the questionnaire."
        )
    findings = [*table.findings, *_about_ids(ids), *_about_groups(texts), *_about_silence(items, findings), *findings]
    return Responses(
        data=items.assign(**texts),
        items=tuple(scales),
        ids=ids,
        problems=[*table.remarks, *remarks, *_sentences(findings), *_about_items(items)],
        cells=cell_table(findings),
        source=table.name,
        sha256=table.sha256,
        encoding=table.encoding,
        recoded=recoded,
    )


# Columns and rows ---------------------------------------------------------------------------------------------------


def _places(table: RawTable, questionnaire: Questionnaire) -> tuple[dict[str, int], list[str]]:
    """Where each column of the questionnaire stands, and remarks on columns that are not there or not used."""
    items = list(questionnaire.items.index)
    others = [name for name in (questionnaire.id, *questionnaire.groups) if name is not None]
    if absent := [item + did_you_mean(item, table.header) for item in items if item not in table.header]:
        columns = listed([shortened(name) for name in table.header if name], 12) or "without names"
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
        if name not in places and (name or len(column.categories))
    ]
    remarks = [f"Columns the questionnaire does not name, not used: {listed(unused, 20)}."] if unused else []
    for name in others:
        if name not in places:
            loss = "repeated answers cannot be found" if name == questionnaire.id else "there are no results by it"
            remarks.append(f"{table.name} has no column {name}{did_you_mean(name, unused)}; {loss}.")
    return places, remarks


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


def _text_column(column: pd.Categorical, index: pd.Index, name: str) -> pd.Series:
    texts = np.array([*map(as_text, column.categories), None], dtype=object)
    return pd.Series(texts[column.codes], index=index, name=name, dtype="str")


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
        labels = _labels(questionnaire.scale_labels(name))
        scales[name] = _Scale(float(low), float(high), bool(reverse), labels, codes | (NO_ANSWER - labels.keys()))
    return scales


def _labels(by_point: dict[Any, dict[str, str]]) -> dict[str, float]:
    """Label -> answer; a label that stands at two points says nothing and is not used."""
    points: dict[str, set[float]] = {}
    for point, label in by_point.items():
        for text in label.values():
            points.setdefault(plain(text), set()).add(float(point))
    return {text: min(answers) for text, answers in points.items() if len(answers) == 1}


def _recoded(
    item: str, column: pd.Categorical, scale: _Scale, rows: np.ndarray
) -> tuple[np.ndarray, list[str], list[Finding]]:
    """An item's answers, what was done to them, and what does not fit; the work is done on the distinct values."""
    distinct, codes = column.categories, column.codes
    value, texts = _numbers(distinct)
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
    return np.append(value, np.nan)[codes], done, findings


def _numbers(distinct: pd.Index) -> tuple[np.ndarray, dict[int, str]]:
    """The values as numbers, NaN for what is none; and the plain text of those that were not stored as numbers."""
    if is_integer_dtype(distinct) or is_float_dtype(distinct):
        return distinct.to_numpy(dtype=float, copy=True), {}
    texts = {i: plain(value) for i, value in enumerate(distinct)}
    return np.array([number(text) for text in texts.values()], dtype=float), texts


def _is_rewritten(text: str, value: Any) -> bool:
    return "," in text or text != str(value).strip()


def _done(distinct: pd.Index, codes: np.ndarray, value: np.ndarray, missing: np.ndarray, read: set[int]) -> list[str]:
    counts = np.bincount(codes + 1, minlength=len(distinct) + 1)[1:]
    read_as = [f"{as_text(distinct[i])} → {value[i]:g} ({counts[i]})" for i in read if not missing[i]]
    as_missing = [f"{as_text(distinct[i])} ({counts[i]})" for i in map(int, np.flatnonzero(missing))]
    both = {"read as": read_as, "missing": as_missing}
    return [f"{what}: {', '.join(sorted(cells))}" for what, cells in both.items() if cells]


def _objections(item: str, column: pd.Categorical, problem: np.ndarray, rows: np.ndarray, scale: str) -> list[Finding]:
    findings = []
    for kind in (kind for kind in KINDS if kind in problem):
        cells = np.flatnonzero(np.isin(column.codes, np.flatnonzero(problem == kind)))
        if kind == "between scale points" and len(cells) > len(rows) / 2:  # a continuous item: one example will do
            kind, cells = "computed answers", cells[:1]
        shown = {code: as_text(column.categories[code]) for code in {*column.codes[cells].tolist()}}
        findings += found(kind, item, rows[cells], [shown[code] for code in column.codes[cells]], scale)
    return findings


# What there is to say -----------------------------------------------------------------------------------------------


def _about_ids(ids: pd.Series | None) -> list[Finding]:
    if ids is None:
        return []
    repeated = ids[ids.notna() & ids.duplicated(keep=False)]
    places = [
        f"{shortened(str(respondent))} in rows {listed(map(str, same.index), 5)}"
        for respondent, same in repeated.groupby(repeated, sort=False)
    ]
    name = str(ids.name)
    return [
        *found("duplicate id", name, repeated.index, [*repeated], listed(places, 5, "; ")),
        *found("no id", name, ids.index[ids.isna()]),
    ]


def _about_groups(groups: dict[str, pd.Series]) -> list[Finding]:
    return [finding for name, texts in groups.items() for finding in found("no group", name, texts.index[texts.isna()])]


def _about_silence(items: pd.DataFrame, findings: list[Finding]) -> list[Finding]:
    """Respondents without any answer, unless their answers are faults and told of as such."""
    silent = items.index[items.isna().all(axis=1)]
    return found("no answer", "", np.setdiff1d(silent, rows_of(finding for finding in findings if finding.blocks)))


def _about_items(items: pd.DataFrame) -> list[str]:
    sentences = []
    for item, answers in items.items():
        distinct = answers.dropna().unique()
        if len(distinct) == 0:
            sentences.append(f"item {item} has no usable answer. Check its column, or take the item out.")
        elif len(distinct) == 1 and len(items) > 1:
            sentences.append(
                f"item {item} has the answer {distinct[0]:g} from everyone who answered; what does not vary explains "
                "nothing. Check its column, or take the item out."
            )
    return sentences


def _sentences(findings: list[Finding]) -> list[str]:
    """One for each column and kind; continuous items, legal and often all of them, share one."""
    computed = [finding for finding in findings if finding.problem == "computed answers"]
    sentences = [finding.sentence() for finding in findings if finding.problem != "computed answers"]
    for first in computed[:1]:
        sentences.append(
            f"Most answers to {listed([finding.column for finding in computed], 5)} lie between the points of the "
            f"scale (first: row {first.rows[0]}, {first.column}: {first.values[0]}); used as found. People choose "
            "whole numbers: check the file unless the answers were computed."
        )
    return sentences
