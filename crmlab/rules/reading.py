"""Reading a decision table: a YAML or XLSX file, a frame, or a list of rows, into inputs and rules.

A YAML file has the keys name, title, source, hit, inputs, rules, grades, notes; a workbook a sheet "rules" and, if
inputs are declared, a sheet "inputs" with the columns input, type, domain, values, unit. What is not declared is
gathered from the rules: a column of numeric conditions is a number, any other a category.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from crmlab.errors import InputError

from .conditions import (
    ANY,
    EVERYTHING,
    KINDS,
    Condition,
    Input,
    Place,
    Span,
    is_numeric,
    parse,
    plain,
)

#: Columns that say what follows from a rule; every other column of a table of rules is an input.
OUTCOMES = ("grade", "action", "action_en", "action_zh", "en", "zh", "note")
HITS = ("unique", "first")
_RULE_ONE = ("rule", 1)

Texts = Mapping[str, str]


@dataclass(frozen=True)
class Rule:
    """One row: the condition on every input, in the order of the inputs, and what follows."""

    conditions: tuple[Condition, ...]
    outcome: Mapping[str, Any]


@dataclass(frozen=True)
class Design:
    """Everything a decision table says.

    Attributes
    ----------
    name, title, source : what it is called, on paper, and where it is from.
    inputs, rules : what is asked, and the rows.
    outcome : the column that holds the grade.
    hit : "unique" (no two rules may meet) or "first" (of rules that meet, the first one counts).
    grades : grade → what is said about it (en, zh, action_en, ...), best first.
    notes : language → sentences on what the source left open and how it is read here.
    """

    name: str
    inputs: tuple[Input, ...]
    rules: tuple[Rule, ...]
    outcome: str = "grade"
    hit: str = "unique"
    title: Texts = field(default_factory=dict)
    source: str = ""
    grades: Mapping[Any, Mapping[str, Any]] = field(default_factory=dict)
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)


def read_design(
    rules: Any,
    *,
    inputs: Mapping[str, Any] | None = None,
    outcome: str = "grade",
    hit: str | None = None,
    name: str | None = None,
) -> Design:
    """The design that a file, frame, mapping or list of rows holds.

    Raises
    ------
    InputError
        If it cannot be read; the message names file, row, column, value and remedy.
    """
    content, file, first = _content(rules)
    told = name or content.get("name") or file
    hit = hit or content.get("hit", "unique")
    if hit not in HITS:
        raise InputError(f"{file}: hit {hit!r} is not known; expected unique (no two rules meet) or first.")
    rows = content.get("rules")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise InputError(f"{file}: there is no list of rules; expected one mapping of column to cell per rule.")
    outcome = content.get("outcome", outcome)
    said = mapping_of(content, "inputs", file, "each input to its type")
    places = [f"{first[0]} {number}" for number in range(first[1], len(rows) + first[1])]
    # A workbook's sheet may hold empty rows, which still count when a person looks for a row.
    filled = [(row, at) for row, at in zip(rows, places, strict=True) if any(plain(cell) for cell in row.values())]
    asked = tuple(_inputs(filled, {**said, **(inputs or {})}, outcome, file))
    return Design(
        str(told), asked, tuple(_rule(row, asked, outcome, file, at) for row, at in filled),
        outcome, hit, in_languages(content.get("title"), str(told)), str(content.get("source", "")),
        _about_grades(content, file), mapping_of(content, "notes", file, "en and zh to lists of sentences"),
    )  # fmt: skip


def _content(rules: Any) -> tuple[Mapping[str, Any], str, tuple[str, int]]:
    """A mapping of the design's keys, the name of its source, and how a person finds the first rule: ("row", 2)."""
    import pandas as pd

    if isinstance(rules, (str, Path)):
        path = Path(rules)
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            return _workbook(path), path.name, ("row", 2)
        return read_yaml(path), path.name, _RULE_ONE
    if isinstance(rules, pd.DataFrame):
        return {"rules": rules.to_dict("records")}, "decision table", _RULE_ONE
    if isinstance(rules, Mapping):
        return rules, str(rules.get("name", "decision table")), _RULE_ONE
    if isinstance(rules, Sequence):
        return {"rules": list(rules)}, "decision table", _RULE_ONE
    raise InputError(
        f"decision table: rules are a {type(rules).__name__}; expected a path, a frame, a mapping or a list of rows."
    )


def read_yaml(path: Path) -> Mapping[str, Any]:
    """The mapping that a YAML file holds.

    Raises
    ------
    InputError
        If the file cannot be read, is no YAML, or holds something else.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; give the path of a YAML or XLSX file.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path.name}: cannot be read as YAML ({' '.join(str(error).split())}).") from None
    if not isinstance(content, Mapping):
        raise InputError(f"{path.name}: holds a {type(content).__name__}; expected keys such as inputs and rules.")
    return content


def _workbook(path: Path) -> Mapping[str, Any]:
    import pandas as pd

    try:
        sheets = pd.read_excel(path, sheet_name=None, dtype=object, keep_default_na=False)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; give the path of a YAML or XLSX file.") from None
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(f"{path.name}: cannot be read as a workbook ({error}).") from None
    rules = sheets.get("rules", next(iter(sheets.values())))
    content: dict[str, Any] = {"name": path.stem, "rules": rules.to_dict("records")}
    if "inputs" in sheets:
        if "input" not in sheets["inputs"].columns:
            raise InputError(
                f"{path.name}, sheet inputs: there is no column input; expected input, type, domain, values."
            )
        content["inputs"] = {
            plain(row.pop("input")): {key: cell for key, cell in row.items() if plain(cell)}
            for row in sheets["inputs"].to_dict("records")
        }
    return content


def mapping_of(content: Mapping[str, Any], key: str, file: str, expected: str) -> Mapping[Any, Any]:
    """The mapping under a key; empty if there is none.

    Raises
    ------
    InputError
        If something else stands there.
    """
    found = content.get(key) or {}
    if not isinstance(found, Mapping):
        raise InputError(f"{file}: {key} are a {type(found).__name__}; expected a mapping of {expected}.")
    return found


# ------------------------------------------------------------------------------------------------------ inputs


def _inputs(
    rows: Sequence[tuple[Mapping[str, Any], str]], declared: Mapping[str, Any], outcome: str, file: str
) -> list[Input]:
    columns = list(dict.fromkeys(column for row, _ in rows for column in row))
    if outcome not in columns:
        raise InputError(
            f"{file}: no rule has the column {outcome}; columns are {', '.join(map(str, columns))}. "
            "Add it, or name the column of the grade with outcome."
        )
    said = {outcome, *OUTCOMES}
    # With declared inputs, every other column says what follows.
    names = [*declared] or [name for name in columns if name not in said]
    if not names:
        raise InputError(f"{file}: there is no input; expected at least one column of conditions beside {outcome}.")
    return [
        _declared(name, declared[name], file)
        if name in declared
        else _inferred(name, [(row.get(name), place) for row, place in rows], file)
        for name in names
    ]


def _declared(name: str, entry: Any, file: str) -> Input:
    place = Place(file, f"input {name}", "type")
    if not isinstance(entry, Mapping):
        raise place.fault(entry, "keys such as type, values, domain, unit", "Declare the input as a mapping.")
    kind = str(entry.get("type", "category" if "values" in entry else "number"))
    if kind not in KINDS:
        raise place.fault(kind, f"one of {', '.join(KINDS)}", "Correct the type.")
    values, labels = _values(entry.get("values", ()), place._replace(column="values"))
    counted, of = (plain(entry["count"]), tuple(entry.get("of", ()))) if "count" in entry else (None, ())
    if kind == "category" and not values:
        raise place._replace(column="values").fault((), "the categories there are", "List them.")
    if counted is not None and (not of or counted not in values):
        raise place._replace(column="count").fault(
            counted, "one of the values, and the columns to count in as of", "Add values and of."
        )
    unit = entry.get("unit")
    domain = _domain(entry, kind, Place(file, f"input {name}", "domain"), len(of))
    return Input(
        name, kind, values, labels, domain, str(unit) if unit else None, counted, of, in_languages(entry, name)
    )  # fmt: skip


def _values(values: Any, place: Place) -> tuple[tuple[str, ...], dict[str, str]]:
    """Names of categories, and the Chinese name of those that have one."""
    if isinstance(values, Mapping):
        labels = {plain(value): plain(zh) for value, zh in values.items() if zh}
        return tuple(map(plain, values)), labels
    listed = values.split("|") if isinstance(values, str) else values
    names = tuple(map(plain, listed))
    if len(set(names)) < len(names) or "" in names or ANY in names:
        raise place.fault(values, "different names, none of them empty or -", "Correct the list.")
    return names, {}


def _domain(entry: Mapping[str, Any], kind: str, place: Place, of: int) -> Span:
    if kind == "category":
        return EVERYTHING
    default = f"0-{of}" if of else "0+" if kind == "count" else ANY
    text = plain(entry.get("domain", default))
    if text == ANY:
        return EVERYTHING
    unit = str(entry["unit"]) if entry.get("unit") else None
    read = parse(text, Input(place.column, kind, unit=unit), place)
    if len(read.spans) != 1:
        raise place.fault(text, "one interval", "Write it as [0, 100], >= 0, or 0-5.")
    return read.spans[0]


def _inferred(name: str, cells: Sequence[tuple[Any, str]], file: str) -> Input:
    """An input as its cells suggest it: numeric conditions, or the categories they name."""
    texts = [plain(cell) for cell, _ in cells]
    asked = [text for text in texts if text not in (ANY, "")]
    if not asked:
        return Input(name, "number", inferred=True)
    if all(map(is_numeric, asked)):
        unit = next((unit for text in asked if (unit := _unit(text))), None)
        return Input(name, "number", unit=unit, inferred=True)
    parts = dict.fromkeys(part.strip() for text in asked for part in text.split("|"))
    odd = next((part for part in parts if not part or part[0] in "<>=≤≥[("), None)
    if odd is not None:
        at = next(place for text, (_, place) in zip(texts, cells, strict=True) if odd in text)
        raise Place(file, at, name).fault(
            odd,
            "a numeric condition in every row of the column, or category names",
            "Declare the input, or correct it.",
        )
    return Input(name, "category", tuple(parts), inferred=True)


def _unit(text: str) -> str | None:
    """The first unit that a cell names."""
    asked = Input("", "number")
    return next((unit for unit, _ in parse(text, asked, Place("", "", "")).units), None)


# ------------------------------------------------------------------------------------------------------- rules


def _rule(row: Mapping[str, Any], inputs: Sequence[Input], outcome: str, file: str, at: str) -> Rule:
    names = {asked.name for asked in inputs}
    conditions = tuple(parse(row.get(asked.name), asked, Place(file, at, asked.name)) for asked in inputs)
    grade = row.get(outcome)
    if grade is None or plain(grade) == "":
        raise Place(file, at, outcome).fault(grade, "a grade", "Say what follows from the rule.")
    follows = {column: value for column, value in row.items() if column not in names}
    follows[outcome] = _grade(grade)
    return Rule(conditions, follows)


def _about_grades(content: Mapping[str, Any], file: str) -> dict[Any, dict[str, Any]]:
    grades = mapping_of(content, "grades", file, "each grade, best first, to what is said about it")
    odd = next((grade for grade, about in grades.items() if about and not isinstance(about, Mapping)), None)
    if odd is not None:
        raise InputError(f"{file}: grades say {grades[odd]!r} about {odd}; expected keys such as en, zh, action_en.")
    return {_grade(grade): dict(about or {}) for grade, about in grades.items()}


def _grade(grade: Any) -> Any:
    """A grade as written; a truth of YAML is yes or no."""
    return plain(grade) if isinstance(grade, bool) else grade


def in_languages(entry: Any, name: str) -> dict[str, str]:
    """en and zh of an entry; the name where one is not given."""
    given = entry if isinstance(entry, Mapping) else {}
    english = str(given.get("en", entry if isinstance(entry, str) else name))
    return {"en": english, "zh": str(given.get("zh", english))}
