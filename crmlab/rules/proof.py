"""The proof that a decision table is complete and disjoint, with a counter-example wherever it is not."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from math import prod
from typing import TYPE_CHECKING, Any

from .axes import Axis, example_text
from .boxes import Box, falls_to, meet, uncovered, volume
from .conditions import end_of, number_text
from .reading import Design, Rule

if TYPE_CHECKING:
    import pandas as pd

#: Most gaps that are listed; a table with more is not nearly finished.
MOST_GAPS = 200


@dataclass(frozen=True, eq=False)
class TableCheck:
    """What the proof found; empty tables if the rules are complete, disjoint and without needless rows.

    Attributes
    ----------
    name : the table's name.
    combinations : how many combinations of inputs the rules can tell apart.
    gaps : DataFrame, a row per gap: the inputs (example values that meet no rule), where, combinations.
    overlaps : DataFrame, a row per pair of rules that meet: first, second, same_outcome, the inputs (example values
        that meet both), where, combinations.
    redundant : DataFrame: rule, kind, others (rule numbers), said. A rule is "unreachable" if nothing ever falls to it,
        "redundant" if what falls to it would get the same from later rules, "mergeable" if it and another one say the
        same and differ in one input.
    units : DataFrame: rule, input, cell, unit, declared, read_as; cells written in another unit than their input's.
    hit : "unique" or "first".
    inferred : inputs whose domain was gathered from the rules.
    unused : grades that are declared and never given.
    more_gaps : there are more gaps than are listed.

    Examples
    --------
    >>> from crmlab.rules import DecisionTable
    >>> rows = [{"orders": "< 3", "grade": "C"}, {"orders": "[3, 10)", "grade": "C"}, {"orders": ">= 10", "grade": "A"}]
    >>> found = DecisionTable(rows, inputs={"orders": {"type": "number"}}).check()
    >>> found.complete, found.disjoint
    (True, True)
    >>> print(found.redundant["said"].iloc[0])
    Rules 1 and 2 give the same and differ in orders only: they are one rule, orders: < 10.
    """

    name: str
    combinations: int
    gaps: pd.DataFrame
    overlaps: pd.DataFrame
    redundant: pd.DataFrame
    units: pd.DataFrame
    hit: str = "unique"
    inferred: tuple[str, ...] = ()
    unused: tuple[Any, ...] = ()
    more_gaps: bool = False

    @property
    def complete(self) -> bool:
        """Every combination of inputs meets a rule."""
        return self.gaps.empty

    @property
    def disjoint(self) -> bool:
        """No combination of inputs meets two rules."""
        return self.overlaps.empty

    @property
    def overlap_told(self) -> str:
        """The overlaps in one sentence, with an example; "" if there is none."""
        if self.disjoint:
            return ""
        worst = self.overlaps.sort_values("same_outcome", kind="stable").iloc[0]
        pairs = "1 pair of rules meets" if len(self.overlaps) == 1 else f"{len(self.overlaps)} pairs of rules meet"
        outcome = "and get the same" if worst["same_outcome"] else "with different outcomes"
        return f"{pairs}, such as rules {worst['first']} and {worst['second']} at {worst['example']}, {outcome}."

    @property
    def problems(self) -> list[str]:
        """What a careful reader of the table would object to, in sentences."""
        said = []
        if not self.complete:
            said.append(self._gap_told())
        if not self.disjoint:
            resolved = "" if self.hit == "unique" else " The first rule that is met counts."
            said.append(self.overlap_told + resolved)
        said += [str(sentence) for sentence in self.redundant["said"]]
        said += [
            f"Rule {row['rule']}, {row['input']}: {row['cell']!r} is written in {row['unit']}, the input in "
            f"{row['declared']}; it is read as {row['read_as']} {row['declared']}."
            for row in self.units.to_dict("records")
        ]
        if self.inferred:
            said.append(
                f"The domain of {', '.join(self.inferred)} was gathered from the rules: a value that no rule names "
                "is not seen as a gap. Declare the inputs."
            )
        if self.unused:
            said.append(f"No rule gives {', '.join(map(str, self.unused))}.")
        return said

    def to_dict(self) -> dict[str, Any]:
        """The findings, ready for JSON."""
        tables = {name: getattr(self, name).to_dict("records") for name in ("gaps", "overlaps", "redundant", "units")}
        return {"name": self.name, "complete": self.complete, "disjoint": self.disjoint, **tables,
                "problems": self.problems}  # fmt: skip

    def _gap_told(self) -> str:
        missing, first = int(self.gaps["combinations"].sum()), self.gaps.iloc[0]
        count = f"{'More than ' if self.more_gaps else ''}{missing:,} combination{'s' if missing > 1 else ''}"
        verb = "meet" if missing > 1 else "meets"
        return f"{count} {verb} no rule, such as {first['example']} (where {first['where']})."

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems) or "<li>Nothing found.</li>"
        verdict = (
            f"{'Complete' if self.complete else 'Not complete'}, {'disjoint' if self.disjoint else 'not disjoint'}"
        )
        return (
            f"<p><b>{html.escape(self.name)}</b>: {verdict} over {self.combinations:,} combinations.</p><ul>{said}</ul>"
        )


def check(design: Design, axes: Sequence[Axis], boxes: Sequence[Box]) -> TableCheck:
    """Prove a table: see `DecisionTable.check`."""
    import pandas as pd

    whole = tuple(axis.full for axis in axes)
    gaps = list(islice(uncovered(whole, boxes), MOST_GAPS + 1))
    names = [axis.input.name for axis in axes]
    told = ["example", "where", "combinations"]
    given = {rule.outcome[design.outcome] for rule in design.rules}
    return TableCheck(
        design.name,
        prod(axis.size for axis in axes),
        pd.DataFrame([_shown(axes, gap) for gap in gaps[:MOST_GAPS]], columns=[*names, *told]),
        pd.DataFrame(_overlaps(design, axes, boxes), columns=["first", "second", "same_outcome", *names, *told]),
        pd.DataFrame(_needless(design, axes, boxes), columns=["rule", "kind", "others", "said"]),
        pd.DataFrame(_units(design), columns=["rule", "input", "cell", "unit", "declared", "read_as"]),
        design.hit,
        tuple(asked.name for asked in design.inputs if asked.inferred),
        tuple(grade for grade in design.grades if grade not in given),
        len(gaps) > MOST_GAPS,
    )


def _shown(axes: Sequence[Axis], box: Box) -> dict[str, Any]:
    """A box as a row: an example of every input, the example in words, where the box lies, its size."""
    examples = {axis.input.name: axis.example(mask) for axis, mask in zip(axes, box, strict=True)}
    where = {
        axis.input.name: axis.condition(mask).text
        for axis, mask in zip(axes, box, strict=True)
        if mask != axis.full
    }  # fmt: skip
    return {
        **examples,
        "example": ", ".join(f"{name} = {example_text(value)}" for name, value in examples.items()),
        "where": " and ".join(f"{name} is {text}" for name, text in where.items()) or "anything",
        "combinations": volume(box),
    }


def _overlaps(design: Design, axes: Sequence[Axis], boxes: Sequence[Box]) -> Iterator[dict[str, Any]]:
    for first, second in combinations(range(len(boxes)), 2):
        shared = meet(boxes[first], boxes[second])
        if shared is not None:
            same = says(design.rules[first]) == says(design.rules[second])
            yield {"first": first + 1, "second": second + 1, "same_outcome": same, **_shown(axes, shared)}


def says(rule: Rule) -> Mapping[str, Any]:
    """What follows from a rule; a note is not part of it."""
    return {column: value for column, value in rule.outcome.items() if column != "note"}


# ---------------------------------------------------------------------------------------------- needless rules


def _needless(design: Design, axes: Sequence[Axis], boxes: Sequence[Box]) -> Iterator[tuple[int, str, list[int], str]]:
    idle = set()
    for number, box in enumerate(boxes):
        left = list(islice(uncovered(box, boxes[:number]), 1)) if all(box) else []
        if not left:
            idle.add(number)
            yield _unreachable(number, axes, boxes)
        elif _repeats_later(number, design.rules, boxes):
            idle.add(number)
            later = [other + 1 for other in range(number + 1, len(boxes)) if meet(box, boxes[other])]
            rules = _listed(later)
            yield (
                number + 1,
                "redundant",
                later,
                f"Rule {number + 1} can go: what falls to it gets the same from {rules}.",
            )
    for first, second in combinations(range(len(boxes)), 2):
        if not {first, second} & idle and (place := _mergeable(first, second, design.rules, boxes)) is not None:
            text = axes[place].condition(boxes[first][place] | boxes[second][place]).text
            name = axes[place].input.name
            yield first + 1, "mergeable", [second + 1], (
                f"Rules {first + 1} and {second + 1} give the same and differ in {name} only: they are one rule, "
                f"{name}: {text}."
            )  # fmt: skip


def _unreachable(number: int, axes: Sequence[Axis], boxes: Sequence[Box]) -> tuple[int, str, list[int], str]:
    box = boxes[number]
    empty = [axis.input for axis, mask in zip(axes, box, strict=True) if not mask]
    if empty:
        asked = empty[0]
        why = f"its condition on {asked.name} lies outside the domain {asked.described()}"
        return number + 1, "unreachable", [], f"Rule {number + 1} is never met: {why}."
    others = [other + 1 for other in range(number) if meet(box, boxes[other])]
    takes = "takes" if len(others) == 1 else "take"
    said = f"Rule {number + 1} is never reached: {_listed(others)} already {takes} all of it."
    return number + 1, "unreachable", others, said


def _repeats_later(number: int, rules: Sequence[Rule], boxes: Sequence[Box]) -> bool:
    """Whether everything that falls to a rule would get the same from the rules after it."""
    later = boxes[number + 1 :]
    if not any(meet(boxes[number], box) for box in later):
        return False
    own = says(rules[number])
    return all(
        other is not None and says(rules[number + 1 + other]) == own
        for part in uncovered(boxes[number], boxes[:number])
        for _, other in falls_to(part, later)
    )


def _mergeable(first: int, second: int, rules: Sequence[Rule], boxes: Sequence[Box]) -> int | None:
    """The one input in which two rules that say the same differ, if nothing between them gets in the way."""
    differ = [place for place, (a, b) in enumerate(zip(boxes[first], boxes[second], strict=True)) if a != b]
    if len(differ) != 1 or says(rules[first]) != says(rules[second]):
        return None
    between = range(first + 1, second)
    if any(meet(boxes[second], boxes[k]) and says(rules[k]) != says(rules[second]) for k in between):
        return None
    return differ[0]


def _listed(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"rule {numbers[0]}"
    return f"rules {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


# ------------------------------------------------------------------------------------------------------- units


def _units(design: Design) -> Iterator[tuple[int, str, str, str, str, str]]:
    for number, rule in enumerate(design.rules, start=1):
        for asked, condition in zip(design.inputs, rule.conditions, strict=True):
            for unit, factor in condition.units:
                if factor != 1.0 and asked.unit:
                    yield number, asked.name, condition.text, unit, asked.unit, _read_as(condition.spans)


def _read_as(spans: Sequence[tuple[float, float]]) -> str:
    ends = [f"{number_text(round(end_of(end)[0], 6))}" for span in spans for end in span if abs(end) != float("inf")]
    return " to ".join(ends)
