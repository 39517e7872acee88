"""The codebook of a questionnaire: what every column of the data means, as tables for a workbook (chapter 6).

Whoever opens the data in five years finds here which question a column holds, what its numbers mean, which of them mean
no answer, and what the model says follows from what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from crmlab.questionnaire_schema import Design

if TYPE_CHECKING:
    from collections.abc import Iterator

TITLES = {
    "survey": "The survey as a whole 调查概况",
    "variables": "Every column of the data 变量",
    "value_labels": "What the numbers mean 取值标签",
    "constructs": "Constructs and their role in the model 潜变量",
    "paths": "What is supposed to follow from what 路径",
}


def codebook(design: Design, constructs: pd.DataFrame, paths: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The sheets of the codebook by name, in the order of `TITLES`.

    Parameters
    ----------
    design : Design
    constructs, paths : DataFrame
        As `Questionnaire.constructs` and `Questionnaire.paths` give them.

    Returns
    -------
    dict of DataFrame
        survey: property, value. variables: variable, role (id, group, item), number (on the printed form), en, zh,
        construct, facet_en, facet_zh, min, max, reverse, missing. value_labels: variable, value, en, zh, meaning
        (answer or no answer). constructs: as given. paths: from, to.
    """
    return {
        "survey": pd.DataFrame(_survey(design), columns=["property", "value"]),
        "variables": _variables(design),
        "value_labels": pd.DataFrame(_value_labels(design), columns=["variable", "value", "en", "zh", "meaning"]),
        "constructs": constructs.reset_index(),
        "paths": paths,
    }


def _survey(design: Design) -> Iterator[tuple[str, str]]:
    yield "name", design.name
    for name, text in design.about().items():
        for language, words in text.both().items():
            yield f"{name} ({language})", words
    yield "index", design.index
    yield "items", str(len(design.entries()))
    yield "reverse coding", "answers to reversed items are turned round on reading: min + max − answer"
    if design.complaints:
        yield "complaints", f"{design.complaints.of}: a high value means {design.complaints.higher.replace('_', ' ')}"


def _variables(design: Design) -> pd.DataFrame:
    codes = ", ".join(map(str, design.missing_codes()))
    rows: list[dict[str, object]] = []
    if design.id:
        rows.append({"variable": design.id, "role": "id", "en": "Respondent", "zh": "受访者编号"})
    rows += [{"variable": column, "role": "group", **label.both()} for column, label in design.groups.items()]
    rows += [
        {
            "variable": entry.name,
            "role": "item",
            "number": number,
            **entry.item.both(),
            "construct": entry.construct,
            **{f"facet_{language}": words for language, words in entry.facet.label.both().items()},
            "min": entry.scale.min,
            "max": entry.scale.max,
            "reverse": entry.item.reverse,
            "missing": codes,
        }
        for number, entry in enumerate(design.entries(), start=1)
    ]
    columns = ["variable", "role", "number", "en", "zh", "construct", "facet_en", "facet_zh", "min", "max", "reverse"]
    table = pd.DataFrame(rows, columns=[*columns, "missing"])
    return table.astype({"number": "Int64", "min": "Int64", "max": "Int64"})


def _value_labels(design: Design) -> Iterator[tuple[str, object, str, str, str]]:
    for entry in design.entries():
        for value in range(entry.scale.min, entry.scale.max + 1):
            label = entry.scale.labels.get(value)
            texts = label.both() if label else {"en": "", "zh": ""}
            yield entry.name, value, texts["en"], texts["zh"], "answer"
        for code in design.missing_codes():
            yield entry.name, code, "no answer", "未回答", "no answer"
