"""The recogniser between `read_table` and `recode`: states the format, matches the columns, drops personal data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.responses.cells import plain
from crmlab.responses.findings import counted, listed, shortened
from crmlab.responses.formats import columns as known
from crmlab.responses.formats import spreadsheet, values
from crmlab.responses.formats.headers import read_header, squeezed
from crmlab.responses.formats.matching import Matches, match, told_place
from crmlab.responses.formats.platforms import FORMATS
from crmlab.responses.result import MATCHING
from crmlab.responses.table import Column, RawTable

if TYPE_CHECKING:
    from crmlab.questionnaire import Questionnaire


def recognise(
    table: RawTable,
    questionnaire: Questionnaire,
    *,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    keep_personal: bool = False,
) -> RawTable:
    """The table with the questionnaire's names over its columns, and without header rows, totals and personal data.

    Parameters, errors and what is told as in :func:`crmlab.read_responses`.

    Examples
    --------
    >>> from crmlab.questionnaire import Questionnaire
    >>> from crmlab.responses import read_table
    >>> ecsi = Questionnaire.shipped("ecsi")
    >>> frame = pd.DataFrame({name: [5, 7] for name in ecsi.items.index} | {"来自IP": ["127.0.0.1(本地)", ""]})
    >>> table = recognise(read_table(frame), ecsi)
    >>> table.format, table.remarks
    ('plain', ['Personal data, dropped on load: 来自IP. Set keep_personal=True to keep them.'])
    """
    chosen, evidence = _format(table, format)
    count = FORMATS[chosen].header_rows(table)
    if chosen in ("plain", "spreadsheet") and format != "plain":
        count = spreadsheet.header_rows(table, _known_texts(questionnaire))
    first = table.rows[0] - 1 if len(table.rows) else 1
    table, names = spreadsheet.without_header_rows(table, count)
    names = [
        [*texts, *([table.labels[name]] if name in table.labels else [])]
        for name, texts in zip(table.header, names, strict=True)
    ]
    wordings = questionnaire.items[["en", "zh"]]
    told = _told(questionnaire, columns or {})
    matches = match(table.name, names, wordings, {name: told[name] for name in told if name in wordings.index})
    others = {told_place(table.name, names, name, told[name]): name for name in told if name not in wordings.index}
    rows_before = len(table.rows)
    table = spreadsheet.without_totals(table, [*matches.items])
    if count > 1 and chosen == "plain":
        chosen, evidence = "spreadsheet", [f"{count} header rows, {first} to {first + count - 1}"]
    if len(table.rows) < rows_before and chosen in ("plain", "spreadsheet"):
        chosen, evidence = "spreadsheet", [*evidence, f"totals below row {table.rows[-1]}"]
    if format == "spreadsheet" and not evidence:
        raise _misfit(table.name, format, [])
    uses = _uses(table, names, matches, others, questionnaire)
    table = replace(table, format=chosen, evidence=evidence, hints=matches.nearest)
    return _applied(table, questionnaire, names, matches, uses, keep_personal)


# Whose export -------------------------------------------------------------------------------------------------------


def _format(table: RawTable, forced: str | None) -> tuple[str, list[str]]:
    """The format and what says so. A tie between platforms, or a forced format without a mark, is an error."""
    if forced is not None and forced not in FORMATS:
        raise InputError(
            f"format: found {forced!r}; expected one of {listed(FORMATS, 9)}, or none to have it recognised."
        )
    marks = {name: evidence for name, each in FORMATS.items() if (evidence := each.evidence(table))}
    if forced in ("plain", "spreadsheet"):
        others = {name: told for name, told in marks.items() if forced == "spreadsheet" and name != "spss"}
        if others:
            raise _misfit(table.name, forced, [*others.items()])
        return forced, ["as told"] if forced == "plain" else []
    if forced is not None:
        if forced not in marks:
            raise _misfit(table.name, forced, [*marks.items()])
        return forced, ["as told", *marks[forced]]
    platforms = {name: told for name, told in marks.items() if name != "spss"} or marks
    if len(platforms) > 1:
        found = "; ".join(f"{name} by {listed(told, 3)}" for name, told in platforms.items())
        raise InputError(
            f"{table.name} carries the marks of {len(platforms)} formats: {found}. It cannot be told which it is: set "
            f"format to one of {listed(platforms, 5)} (on the command line --format)."
        )
    chosen = next(iter(platforms), "plain")
    if "spss" in marks and chosen != "spss":
        chosen = "spss"  # platforms offer SPSS files too; codes and labels are told as SPSS tells them
    return chosen, marks.get(chosen, [])


def _misfit(name: str, forced: str, marks: list[tuple[str, list[str]]]) -> InputError:
    found = [f"{other} by {listed(told, 3)}" for other, told in marks]
    instead = f" It has the marks of {'; '.join(found)}." if found else ""
    return InputError(
        f"{name} is not {FORMATS[forced].title}: format={forced!r} looks for {FORMATS[forced].looks_for}, and finds "
        f"nothing of it.{instead} Leave format out to have it recognised, or export the file anew."
    )


def _known_texts(questionnaire: Questionnaire) -> frozenset[str]:
    items = questionnaire.items
    texts = [*items.index.map(plain), *items["en"].map(squeezed), *items["zh"].map(squeezed)]
    return frozenset(text for text in texts if text)


def _told(questionnaire: Questionnaire, columns: Mapping[str, str]) -> dict[str, str]:
    known = [*questionnaire.items.index, *questionnaire.groups, *([questionnaire.id] if questionnaire.id else [])]
    if unknown := [name for name in columns if name not in known]:
        raise InputError(
            f"columns names {listed(unknown, 5)}, which the questionnaire {questionnaire.name} does not have; expected "
            f"its items, groups and id: {listed(known, 40)}. Correct columns."
        )
    return {**columns}


# What each column is ------------------------------------------------------------------------------------------------


def _uses(
    table: RawTable, names: list[list[str]], matches: Matches, told: Mapping[int, str], questionnaire: Questionnaire
) -> list[tuple[str, str]]:
    """For every column its use and, for columns of the questionnaire, the name it gets."""
    others = _named_columns(questionnaire)
    uses: list[tuple[str, str]] = []
    taken: set[str] = {*told.values()}
    for place, (texts, column) in enumerate(zip(names, table.columns, strict=True)):
        wanted = told.get(place) or next((others[text] for text in _squeezed(texts) if text in others), None)
        if place in matches.items:
            use = ("item", matches.items[place])
        elif wanted is not None and (place in told or wanted not in taken or wanted in texts):
            use = ("id" if wanted == questionnaire.id else "group", wanted)
        else:
            use = (_other_use(texts, column), "")
        taken.add(use[1])
        uses.append(use)
    return _with_platform_id(uses, names, table, questionnaire.id)


def _squeezed(texts: list[str]) -> list[str]:
    """The headers of a column without blanks and punctuation, and without a question number."""
    return [*map(squeezed, texts), *(wording for text in texts if text for wording in read_header(text).wordings)]


def _named_columns(questionnaire: Questionnaire) -> dict[str, str]:
    """Squeezed header -> id or group column: by name, and for groups by label."""
    wanted: dict[str, str] = {}
    for group, label in questionnaire.groups.items():
        wanted |= dict.fromkeys(map(squeezed, label.values()), group)
    for name in (*questionnaire.groups, *([questionnaire.id] if questionnaire.id else [])):
        wanted[squeezed(name)] = name
    return {text: name for text, name in wanted.items() if text}


def _other_use(texts: list[str], column: Column) -> str:
    if not any(texts) and not len(column.values):
        return "empty"
    if known.time_of(texts):
        return "time"
    if known.personal_by_header(texts):
        return "personal data"
    if known.is_technical(texts):
        return "technical"
    if known.personal_by_values(column):
        return "personal data"
    if any("┋" in value for value in column.values if isinstance(value, str)):
        return "multiple choice"
    return "not used"


def _with_platform_id(
    uses: list[tuple[str, str]], names: list[list[str]], table: RawTable, wanted: str | None
) -> list[tuple[str, str]]:
    """Where the questionnaire's id column is not there, the platform's number of the form stands in."""
    if wanted is None or any(use == "id" for use, _ in uses):
        return uses
    for header in known.NUMBERS:
        for place, texts in enumerate(names):
            if uses[place][0] == "technical" and header in map(plain, texts):
                return [*uses[:place], ("id", wanted), *uses[place + 1 :]]
    return uses


# What becomes of it -------------------------------------------------------------------------------------------------


def _applied(
    table: RawTable,
    questionnaire: Questionnaire,
    names: list[list[str]],
    matches: Matches,
    uses: list[tuple[str, str]],
    keep_personal: bool,
) -> RawTable:
    headers = [" / ".join(dict.fromkeys(text for text in texts if text)) for texts in names]
    kept = [place for place, (use, _) in enumerate(uses) if use in ("item", "id", "group", "not used")]
    columns = {place: table.columns[place] for place in kept}
    remarks = [*table.remarks, *_about_matches(headers, matches)]
    for place, (use, name) in enumerate(uses):
        if use == "id" and not keep_personal and (known.personal_by_header(names[place]) or _is_personal(table, place)):
            columns[place] = _pseudonyms(table.columns[place])
            remarks.append(f"The ids in {headers[place]} are personal data; respondents are numbered instead.")
        if use == "item":
            columns[place], remark = _translated(table, place, name, questionnaire)
            remarks += [remark] if remark else []
    remarks += [*_about_others(headers, uses, keep_personal), *_about_numbers(table, uses)]
    return replace(
        table,
        header=[uses[place][1] or table.header[place] for place in kept],
        columns=[*columns.values()],
        remarks=remarks,
        matching=_matching(headers, matches, uses),
        meta=_meta(table, names, uses),
        personal=_personal(table, headers, uses) if keep_personal else None,
    )


def _translated(table: RawTable, place: int, item: str, questionnaire: Questionnaire) -> tuple[Column, str]:
    """An item's column in words where the platform's codes say something else than the questionnaire's scale."""
    column = table.columns[place]
    if labels := table.value_labels.get(table.header[place]):
        return values.by_value_labels(table.name, item, column, labels, questionnaire)
    if table.format == "wenjuanxing":
        return values.without_skip_codes(column, float(questionnaire.items["min"][item])), ""
    return column, ""


def _is_personal(table: RawTable, place: int) -> bool:
    return bool(known.personal_by_values(table.columns[place]))


def _pseudonyms(column: Column) -> Column:
    return Column(column.codes, pd.Index([f"respondent {n + 1}" for n in range(len(column.values))], dtype="str"))


def _about_matches(headers: list[str], matches: Matches) -> list[str]:
    remarks = [
        f"{counted(len(places), 'column')} matched to items by {ground}; see matching."
        for ground in ("code", "wording")
        if (places := matches.by(ground))
    ]
    similar = [
        f"{shortened(headers[p])} as {matches.items[p]} ({matches.scores[p]:.2f})"
        for p in matches.by("similar wording")
    ]
    if similar:
        remarks.append(f"Matched by similar wording (likeness), to be checked: {listed(similar, 9, '; ')}.")
    numbered = [f"{shortened(headers[p])} as {matches.items[p]}" for p in matches.by("number")]
    if numbered:
        remarks.append(
            f"Matched by question number alone, to be checked, for nothing else in the file confirms it: "
            f"{listed(numbered, 9)}."
        )
    return remarks


def _about_others(headers: list[str], uses: list[tuple[str, str]], keep_personal: bool) -> list[str]:
    of_use = {use: [headers[p] for p, (other, _) in enumerate(uses) if other == use] for use, _ in uses}
    remarks = []
    if personal := of_use.get("personal data"):
        names = listed(map(shortened, personal), 9)
        done = "kept in personal, as asked for" if keep_personal else "dropped on load"
        hint = "" if keep_personal else " Set keep_personal=True to keep them."
        remarks.append(f"Personal data, {done}: {names}.{hint}")
    if several := of_use.get("multiple choice"):
        remarks.append(f"Multiple choice (answers separated by ┋), not used: {listed(map(shortened, several), 9)}.")
    return remarks


def _about_numbers(table: RawTable, uses: list[tuple[str, str]]) -> list[str]:
    """Wenjuanxing exports answers by option number or by score: neither says which end of the scale 1 is."""
    items = [table.columns[place] for place, (use, _) in enumerate(uses) if use == "item"]
    if table.format != "wenjuanxing" or not items or any(np.isnan(column.numbers()).any() for column in items):
        return []
    kind = "scores (there is a total, 总分)" if "总分" in table.header else "option numbers or scores"
    return [
        f"The answers are {kind}: the file does not say which end of the scale 1 stands for, nor whether reversed "
        "items were scored in reverse. Compare with an export by text (按选项文本)."
    ]


def _matching(headers: list[str], matches: Matches, uses: list[tuple[str, str]]) -> pd.DataFrame:
    rows = [
        (place + 1, header, name, matches.grounds.get(place, ""), matches.scores.get(place, np.nan), use)
        for place, (header, (use, name)) in enumerate(zip(headers, uses, strict=True))
        if use != "empty"
    ]
    return pd.DataFrame(rows, columns=[*MATCHING]).astype(MATCHING)


def _meta(table: RawTable, names: list[list[str]], uses: list[tuple[str, str]]) -> pd.DataFrame:
    index = pd.Index(table.rows, name="row")
    meta: dict[str, np.ndarray] = {}
    for place, (use, _) in enumerate(uses):
        for kind in known.time_of(names[place]) if use in ("time", "technical") else ():
            if kind not in meta:
                meta[kind] = known.read_time(kind, table.columns[place])
    return pd.DataFrame({kind: meta[kind] for kind in known.TIMES if kind in meta}, index=index)


def _personal(table: RawTable, headers: list[str], uses: list[tuple[str, str]]) -> pd.DataFrame:
    index = pd.Index(table.rows, name="row")
    texts = {
        headers[place]: table.columns[place].texts() for place, (use, _) in enumerate(uses) if use == "personal data"
    }
    return pd.DataFrame(texts, index=index, dtype="str")
