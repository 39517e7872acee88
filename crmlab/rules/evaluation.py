"""Applying a decision table: which rule each customer meets, who cannot be graded, and why.

Every value is turned into the number of its elementary cell; the cells of all inputs together make one whole number per
customer. The rules are tried once for every combination that occurs, not once for every customer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError

from .axes import BLOCK, Axis
from .boxes import Box
from .conditions import EVERYTHING, Condition, Input, plain
from .reading import Design

if TYPE_CHECKING:
    import pandas as pd

#: Instead of a rule's place: the customer meets none, or a missing value leaves open which.
NO_RULE, OPEN = -1, -2
#: Up to so many combinations there is a table of all of them; beyond, of those that occur.
MOST_KEYS = 1 << 22
FAULTS = ("error", "missing")


@dataclass(frozen=True, eq=False)
class Decisions:
    """Which rule every customer meets.

    Attributes
    ----------
    rule : array (n,) of int16; the rule's place from 0, or `NO_RULE`, or `OPEN`.
    asked : DataFrame, the frame's index: the value of every input.
    faults : DataFrame row (label of the customer), column, value, problem ("missing", "outside", "no rule").
    design : the table's design.
    """

    rule: np.ndarray
    asked: pd.DataFrame
    faults: pd.DataFrame
    design: Design

    @property
    def problems(self) -> list[str]:
        """Who cannot be graded, and why, in sentences."""
        return [*_told(self.faults, self.design)]

    def outcome(self, column: str, order: Sequence[Any] | None = None) -> pd.Series:
        """What follows for every customer in one column of the rules, as a Categorical; missing without a rule."""
        import pandas as pd

        values = [rule.outcome.get(column) for rule in self.design.rules]
        levels = list(order or dict.fromkeys(value for value in values if value is not None))
        kind = np.int8 if len(levels) < 127 else np.int16
        # The last two entries are looked up by NO_RULE and OPEN.
        codes = np.array([*(levels.index(v) if v is not None else -1 for v in values), -1, -1], kind)
        graded = pd.Categorical.from_codes(np.take(codes, self.rule), dtype=pd.CategoricalDtype(levels))
        series = pd.Series(graded, index=self.asked.index, name=column, copy=False)
        series.attrs["problems"] = self.problems
        return series

    def explain(self) -> pd.Series:
        """A sentence for every customer."""
        import pandas as pd

        names = [asked.name for asked in self.design.inputs]
        rows = zip(self.rule.tolist(), *(self.asked[name].tolist() for name in names), strict=True)
        said = [self._because(rule, dict(zip(names, values, strict=True))) for rule, *values in rows]
        return pd.Series(said, index=self.asked.index, name="because", dtype="str")

    def _because(self, place: int, values: dict[str, Any]) -> str:
        if place < 0:
            return f"no grade because {self._why_none(place, values)}"
        rule = self.design.rules[place]
        reasons = [
            _reason(asked, condition, values[asked.name])
            for asked, condition in zip(self.design.inputs, rule.conditions, strict=True)
            if not condition.anything
        ]
        because = " and ".join(reasons) or "it is given to everybody whom no earlier rule takes"
        return f"{self.design.outcome} {rule.outcome[self.design.outcome]} because {because} (rule {place + 1})"

    def _why_none(self, place: int, values: dict[str, Any]) -> str:
        if place == NO_RULE:
            return f"no rule takes {', '.join(f'{name} = {_value(value)}' for name, value in values.items())}"
        odd = [
            f"{asked.name} is {_value(value)}, expected {_expected(asked)}"
            if _value(value)
            else f"{asked.name} is missing"
            for asked in self.design.inputs
            if not _usable(asked, value := values[asked.name])
        ]
        return " and ".join(odd)


def decide(
    design: Design, axes: Sequence[Axis], boxes: Sequence[Box], frame: pd.DataFrame, *, faults: str = "error"
) -> Decisions:
    """The rule of every customer: see `DecisionTable.decide`."""
    import pandas as pd

    if faults not in FAULTS:
        raise InputError(f'{design.name}: faults {faults!r} is not known; expected "error" or "missing".')
    _require_columns(design, frame)
    columns = {axis.input.name: _column(axis.input, frame) for axis in axes}
    codes = [axis.codes(column) for axis, column in zip(axes, columns.values(), strict=True)]
    rule = _rules_of(codes, axes, boxes)
    found = _faults(rule, codes, axes, columns)
    if faults == "error" and len(found):
        raise InputError(
            f"{' '.join(_told(found, design))} Correct the data or the rules, or leave these customers without a grade "
            'with faults="missing".'
        )
    asked = pd.DataFrame(columns, index=frame.index, copy=False)
    return Decisions(rule, asked, found, design)


def _require_columns(design: Design, frame: pd.DataFrame) -> None:
    wanted = [
        " and ".join(asked.of) + f" (or {asked.name})" if asked.of else asked.name
        for asked in design.inputs
        if asked.name not in frame.columns and not (asked.of and set(asked.of) <= set(frame.columns))
    ]
    if wanted:
        raise InputError(
            f"{design.name}: the table of customers has no column {', '.join(wanted)}; it has "
            f"{', '.join(map(str, frame.columns)) or 'none'}. Rename or add columns."
        )


def _column(asked: Input, frame: pd.DataFrame) -> pd.Series:
    """The values of an input: a column, or a count over several."""
    import pandas as pd

    if asked.name in frame.columns:
        column = frame[asked.name]
        if isinstance(column, pd.DataFrame):
            raise InputError(f"the table of customers has two columns {asked.name}; expected one. Rename one of them.")
        return column
    part = Axis(Input("", "category", asked.values, asked.labels))
    codes = np.stack([part.codes(frame[column]) for column in asked.of])
    count = (codes == asked.values.index(str(asked.counted))).sum(axis=0).astype(float)
    count[(codes == part.size).any(axis=0)] = np.nan
    return pd.Series(count, index=frame.index)


# ------------------------------------------------------------------------------------------------- which rule


def _rules_of(codes: Sequence[np.ndarray], axes: Sequence[Axis], boxes: Sequence[Box]) -> np.ndarray:
    """The rule of every row of codes; one code more than an axis has cells stands for "not known"."""
    sizes = [axis.size + 1 for axis in axes]
    if prod(sizes) > MOST_KEYS:
        present, place = np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)
        return match(present, axes, boxes)[place.reshape(-1)]
    key = _keys(codes, sizes)
    occurs = np.zeros(prod(sizes), bool)
    occurs[key] = True
    present = np.stack(np.unravel_index(np.flatnonzero(occurs), sizes), axis=1)
    rules = np.full(prod(sizes), NO_RULE, np.int16)
    rules[occurs] = match(present, axes, boxes)
    return np.take(rules, key)


def _keys(codes: Sequence[np.ndarray], sizes: Sequence[int]) -> np.ndarray:
    """One whole number per row of codes: mixed radix, the first input most significant."""
    n = len(codes[0])
    key = np.empty(n, np.int32)
    for start in range(0, n, BLOCK):
        block = key[start : start + BLOCK]
        block[:] = codes[0][start : start + BLOCK]
        for column, size in zip(codes[1:], sizes[1:], strict=True):
            block *= size
            block += column[start : start + BLOCK]
    return key


def match(codes: np.ndarray, axes: Sequence[Axis], boxes: Sequence[Box]) -> np.ndarray:
    """The first rule that takes each row of codes (m, inputs).

    A value that is not known meets a rule for certain only where the rule does not ask for it. If a rule that might be
    met comes before the first that is met for certain, the outcome is `OPEN`.
    """
    rule = np.full(len(codes), NO_RULE, np.int16)
    waiting = np.ones(len(codes), bool)
    for number, box in enumerate(boxes):
        if not all(box):
            continue
        possible, certain = waiting.copy(), waiting.copy()
        for axis, mask, column in zip(axes, box, codes.T, strict=True):
            if mask == axis.full:
                continue
            takes = np.array([mask >> cell & 1 for cell in range(axis.size)] + [0], bool)
            certain &= takes[column]
            takes[-1] = True
            possible &= takes[column]
        rule[possible] = OPEN
        rule[certain] = number
        waiting &= ~possible
    return rule


# ----------------------------------------------------------------------------------------------------- faults


def _faults(
    rule: np.ndarray, codes: Sequence[np.ndarray], axes: Sequence[Axis], columns: dict[str, pd.Series]
) -> pd.DataFrame:
    import pandas as pd

    names = ["row", "column", "value", "problem"]
    index = next(iter(columns.values())).index
    found = []
    for axis, code, (name, column) in zip(axes, codes, columns.items(), strict=True):
        unknown = code == axis.size
        if unknown.any():
            missing = unknown & column.isna().to_numpy()
            found.append(_listed(index, missing & (rule == OPEN), name, column, "missing"))
            found.append(_listed(index, unknown & ~missing, name, column, "outside"))
    lost = rule == NO_RULE
    if lost.any():
        found.append(_listed(index, lost, "", pd.Series("", index), "no rule"))
    listed = [table for table in found if len(table)]
    return pd.concat(listed, ignore_index=True) if listed else pd.DataFrame(columns=names)


def _listed(index: pd.Index, rows: np.ndarray, name: str, column: pd.Series, problem: str) -> pd.DataFrame:
    import pandas as pd

    values = column.to_numpy()[rows].astype(object)
    return pd.DataFrame({"row": index[rows], "column": name, "value": values, "problem": problem})


def _told(faults: pd.DataFrame, design: Design) -> Iterator[str]:
    """A sentence per column and kind of fault, with the first row."""
    inputs = {asked.name: asked for asked in design.inputs}
    for (name, problem), rows in faults.groupby(["column", "problem"], sort=False):
        count, first = f"{len(rows):,} customer{'s' if len(rows) > 1 else ''}", rows.iloc[0]
        if problem == "missing":
            of = f" (of {', '.join(inputs[str(name)].of)})" if inputs[str(name)].of else ""
            yield f"{design.name}: {name}{of} is missing for {count}, first in row {first['row']}."
        elif problem == "outside":
            yield (
                f"{design.name}: {name} is {_value(first['value'])!r} in row {first['row']}; expected "
                f"{_expected(inputs[str(name)])}. Such values stand for {count}."
            )
        else:
            yield f"{design.name}: {count} meet{'s' if len(rows) == 1 else ''} no rule, first row {first['row']}."


# -------------------------------------------------------------------------------------------------- in words


def _value(value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return ""
    # Six digits would make 9999.996 "10000, which is < 10000".
    return f"{value:.12g}" if isinstance(value, float) else plain(value)


def _expected(asked: Input) -> str:
    """The domain in words, also where every number is in it."""
    return "a number" if asked.kind == "number" and asked.domain == EVERYTHING else asked.described()


def _reason(asked: Input, condition: Condition, value: Any) -> str:
    written = _value(value)
    exact = condition.text in (written, "yes" if written == "True" else "")
    within = "" if condition.text[0] in "<>=≤≥" else "in "
    return f"{asked.name} is {written}" + ("" if exact else f", which is {within}{condition.text}")


def _usable(asked: Input, value: Any) -> bool:
    """Whether a single value lies in the domain of an input."""
    import pandas as pd

    axis = Axis(asked)
    return bool(axis.codes(pd.Series([value]))[0] != axis.size)
