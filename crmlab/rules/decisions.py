"""Decision tables: rules that are proved complete and disjoint before they are applied to anybody (chapters 3 and 5).

A table of rules lists conditions on inputs, row by row, and what follows: a grade, an action. `check` proves that every
combination of inputs meets exactly one rule, or shows a combination that meets none or two. `grade` applies the rules
to millions of customers, `explain` says why a customer got the grade.

References
----------
Pooch, U. W. (1974). Translation of decision tables. ACM Computing Surveys, 6(2), 125-151.
Vanthienen, J., Mues, C., & Aerts, A. (1998). An illustration of verification and validation in the modelling phase of
KBS development. Data & Knowledge Engineering, 27(3), 337-352.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from crmlab.errors import InputError

from .axes import Axis
from .boxes import Box, meet
from .conditions import Condition, Span
from .evaluation import Decisions, decide
from .proof import TableCheck, check
from .reading import Design, Rule, read_design

if TYPE_CHECKING:
    import pandas as pd


class DecisionTable:
    """Rules as a table.

    Parameters
    ----------
    rules : list of dicts, DataFrame, path of a YAML or XLSX file, or a mapping of the form of such a file
        One row per rule. A cell of an input reads ``A``, ``A|B``, ``>= 3``, ``< 1 year``, ``[3, 5)``, ``3-5`` (both
        ends included), ``11+``, or ``-`` for anything. The columns grade, action, en, zh, action_en, action_zh, note
        and every column that is no declared input, say what follows.
    inputs : mapping of input to its declaration, beside those in a file
        ``{"type": "category", "values": ["A", "B"]}``, ``{"type": "number", "domain": ">= 0", "unit": "month"}`` or
        ``{"type": "count", "domain": "0-5"}``; a count may be made of other columns: ``{"type": "count", "count": "A",
        "of": [...], "values": ["A", "B"]}``. An input that is not declared takes the categories its cells name, or any
        number; `check` says so. If any input is declared, all must be.
    outcome : column of the grade.
    hit : "unique", no two rules may meet (the default), or "first", the first rule that is met counts.
    name : what messages call the table.

    Raises
    ------
    InputError
        If a cell or declaration cannot be read; the message names file, row, column, value and remedy.

    Examples
    --------
    >>> table = DecisionTable(
    ...     [{"orders": "< 3", "grade": "C"}, {"orders": "[3, 10)", "grade": "B"}, {"orders": "> 10", "grade": "A"}]
    ... )
    >>> print(table.check().problems[0])
    1 combination meets no rule, such as orders = 10 (where orders is 10).
    """

    def __init__(
        self,
        rules: Any,
        *,
        inputs: Mapping[str, Any] | None = None,
        outcome: str = "grade",
        hit: str | None = None,
        name: str | None = None,
    ) -> None:
        self._design = (
            rules
            if isinstance(rules, Design)
            else read_design(rules, inputs=inputs, outcome=outcome, hit=hit, name=name)
        )

    # -------------------------------------------------------------------------------------------- what it says

    @property
    def design(self) -> Design:
        """Inputs, rules, grades and notes as read."""
        return self._design

    @property
    def name(self) -> str:
        """What messages call the table."""
        return self._design.name

    @property
    def notes(self) -> list[str]:
        """What the source left open, and how it is read here; English."""
        return list(self._design.notes.get("en", ()))

    @property
    def grades(self) -> list[Any]:
        """The grades, best first as declared; else in the order of the rules."""
        given = dict.fromkeys(rule.outcome[self._design.outcome] for rule in self._design.rules)
        return list(dict.fromkeys([*(grade for grade in self._design.grades if grade in given), *given]))

    @property
    def columns(self) -> list[str]:
        """The columns that a table of customers must have; a count made of others stands for these."""
        return [column for asked in self._design.inputs for column in (asked.of or (asked.name,))]

    @cached_property
    def inputs(self) -> pd.DataFrame:
        """The inputs: index input; type, domain, unit, of, en, zh."""
        import pandas as pd

        rows = [
            (asked.name, asked.kind, asked.described(), asked.unit or "", ", ".join(asked.of),
             asked.title.get("en", asked.name), asked.title.get("zh", asked.name))
            for asked in self._design.inputs
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["input", "type", "domain", "unit", "of", "en", "zh"]).set_index("input")

    @cached_property
    def rules(self) -> pd.DataFrame:
        """The rules as written: index rule (1, 2, ...), the inputs, then what follows."""
        import pandas as pd

        names = [asked.name for asked in self._design.inputs]
        rows = [
            {**dict(zip(names, (c.text for c in rule.conditions), strict=True)), **rule.outcome}
            for rule in self._design.rules
        ]
        return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="rule"))

    @cached_property
    def about(self) -> pd.DataFrame:
        """What is said about each grade: index grade, best first; en, zh and the other columns of the file."""
        import pandas as pd

        rows = [dict(self._design.grades.get(grade, {})) for grade in self.grades]
        return pd.DataFrame(rows, index=pd.Index(self.grades, name=self._design.outcome))

    # --------------------------------------------------------------------------------------- what it asks, cut

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """Each input, cut into the cells that the rules tell apart."""
        columns = zip(*(rule.conditions for rule in self._design.rules), strict=True)
        return tuple(Axis.of(asked, cells) for asked, cells in zip(self._design.inputs, columns, strict=True))

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """The combinations that each rule takes."""
        return tuple(
            tuple(axis.mask(condition) for axis, condition in zip(self.axes, rule.conditions, strict=True))
            for rule in self._design.rules
        )

    # ------------------------------------------------------------------------------------------ what it does

    def check(self) -> TableCheck:
        """Prove that every combination of inputs meets exactly one rule, or show where not.

        Returns
        -------
        TableCheck
            With the tables gaps, overlaps, redundant and units, and the same in sentences as `problems`.

        Examples
        --------
        >>> rows = [{"need": "yes", "grade": "A"}, {"need": "no", "grade": "B"}, {"need": "yes|no", "grade": "C"}]
        >>> found = DecisionTable(rows).check()
        >>> found.overlaps[["first", "second", "need"]].values.tolist()
        [[1, 3, 'yes'], [2, 3, 'no']]
        """
        return check(self._design, self.axes, self.boxes)

    def decide(self, frame: pd.DataFrame, *, faults: str = "error") -> Decisions:
        """The rule that every customer meets, with the faults of those who cannot be graded.

        Parameters
        ----------
        frame : DataFrame with the `columns`, one row per customer.
        faults : "error" stops at missing values, values outside the domain and combinations without a rule;
            "missing" leaves such customers without a grade and lists them.

        Raises
        ------
        InputError
            For missing columns, for faults unless told otherwise, and if two rules of a "unique" table meet.
        """
        self._require_disjoint()
        return decide(self._design, self.axes, self.boxes, frame, faults=faults)

    def grade(self, frame: pd.DataFrame, *, faults: str = "error") -> pd.Series:
        """The grade of every customer.

        A missing value matters only if a rule asks for it that could be met: where `-` stands, nothing is missing.

        Parameters
        ----------
        frame, faults : as for `decide`.

        Returns
        -------
        Series, the frame's index: Categorical of the grades, missing where there is no grade
            ``attrs["problems"]`` says how many customers have none, and why.

        Raises
        ------
        InputError
            As `decide`.

        Examples
        --------
        >>> import pandas as pd
        >>> buyers = pd.DataFrame({"orders": [12, 1]})
        >>> rows = [{"orders": ">= 10", "grade": "A"}, {"orders": "< 10", "grade": "B"}]
        >>> DecisionTable(rows).grade(buyers).tolist()
        ['A', 'B']
        """
        return self.decide(frame, faults=faults).outcome(self._design.outcome, self.grades)

    def outcomes(self, frame: pd.DataFrame, *, faults: str = "error") -> pd.DataFrame:
        """All that follows for every customer: the grade, and the other columns of the rules (an action, say)."""
        import pandas as pd

        decided = self.decide(frame, faults=faults)
        columns = dict.fromkeys(column for rule in self._design.rules for column in rule.outcome)
        return pd.DataFrame({column: decided.outcome(column) for column in columns})

    def explain(self, frame: pd.DataFrame) -> pd.Series:
        """Why every customer has the grade: "grade B because months = 2 (rule 2)"; never stops at a fault.

        Examples
        --------
        >>> import pandas as pd
        >>> rows = [{"orders": ">= 10", "grade": "A"}, {"orders": "< 10", "grade": "B"}]
        >>> DecisionTable(rows).explain(pd.DataFrame({"orders": [12.0, None]})).tolist()
        ['grade A because orders is 12, which is >= 10 (rule 1)', 'no grade because orders is missing']
        """
        return self.decide(frame, faults="missing").explain()

    def simplified(self) -> DecisionTable:
        """The same grades by fewer rules: rows without effect dropped, rows that say one thing merged."""
        table = self
        while (smaller := table._one_step_simpler()) is not None:
            table = smaller
        return table

    def moved(self, input: str, boundary: float, to: float) -> DecisionTable:
        """The table with one boundary of a numeric input elsewhere, in every rule that uses it.

        Raises
        ------
        InputError
            If no rule uses the boundary, or the new one is not between its neighbours.

        Examples
        --------
        >>> rows = [{"orders": ">= 10", "grade": "A"}, {"orders": "< 10", "grade": "B"}]
        >>> DecisionTable(rows).moved("orders", 10, 12).rules["orders"].tolist()
        ['>= 12', '< 12']
        """
        place = self._place(input)
        cut, new = _moved_cut(self.axes[place], boundary, to)
        rules = tuple(
            replace(rule, conditions=tuple(
                _with_cut(condition, cut, new, self._design.inputs[place].kind) if number == place else condition
                for number, condition in enumerate(rule.conditions)
            ))
            for rule in self._design.rules
        )  # fmt: skip
        return DecisionTable(replace(self._design, rules=rules))

    def boundaries(self, input: str) -> list[float]:
        """The boundaries of a numeric input, as they are written in the rules."""
        from .conditions import end_of

        return [end_of(cut)[0] for cut in self.axes[self._place(input)].cuts]

    def to_dict(self) -> dict[str, Any]:
        """Rules, grades, and what the check says, ready for JSON."""
        found = self.check()
        return {
            "name": self.name,
            "hit": self._design.hit,
            "grades": self.grades,
            "rules": self.rules.to_dict("records"),
            "complete": found.complete,
            "disjoint": found.disjoint,
            "problems": found.problems,
        }

    def _repr_html_(self) -> str:
        import html

        title = html.escape(self._design.title.get("en", self.name))
        return f"<p><b>{title}</b></p>{self.rules.to_html()}{self.check()._repr_html_()}"

    def __repr__(self) -> str:
        return f"DecisionTable({self.name!r}, {len(self._design.rules)} rules, {len(self._design.inputs)} inputs)"

    # ------------------------------------------------------------------------------------------------- inside

    def _place(self, name: str) -> int:
        names = [asked.name for asked in self._design.inputs]
        if name not in names:
            raise InputError(f"{self.name}: there is no input {name!r}; expected one of {', '.join(names)}.")
        return names.index(name)

    def _require_disjoint(self) -> None:
        if self._design.hit == "unique" and _any_meet(self.boxes):
            fault = check(self._design, self.axes, self.boxes).overlap_told
            raise InputError(
                f'{self.name}: {fault} Change the rules, or let the first rule that is met count with hit="first".'
            )

    def _one_step_simpler(self) -> DecisionTable | None:
        found = check(self._design, self.axes, self.boxes).redundant
        rules = list(self._design.rules)
        idle = found[found["kind"] != "mergeable"]
        if len(idle):
            del rules[int(idle["rule"].iloc[-1]) - 1]
        elif len(found):
            first, second = int(found["rule"].iloc[0]) - 1, int(found["others"].iloc[0][0]) - 1
            masks = [a | b for a, b in zip(self.boxes[first], self.boxes[second], strict=True)]
            merged = tuple(axis.condition(mask) for axis, mask in zip(self.axes, masks, strict=True))
            rules[min(first, second)] = Rule(merged, rules[min(first, second)].outcome)
            del rules[max(first, second)]
        else:
            return None
        return DecisionTable(replace(self._design, rules=tuple(rules)))


def _any_meet(boxes: Sequence[Box]) -> bool:
    return any(meet(box, later) is not None for number, box in enumerate(boxes) for later in boxes[number + 1 :])


def _moved_cut(axis: Axis, boundary: float, to: float) -> tuple[float, float]:
    """The cut that a person writes as `boundary`, and the same kind of cut at `to`."""
    import math

    from .conditions import end_of

    ends = {end_of(cut)[0]: cut for cut in axis.cuts}
    name = axis.input.name
    if boundary not in ends:
        raise InputError(f"{name}: no rule has the boundary {boundary:g}; expected one of {', '.join(map(str, ends))}.")
    cut = ends[boundary]
    new = math.nextafter(to, math.inf) if end_of(cut)[1] else float(to)
    if axis.input.kind == "count":
        new = float(math.ceil(new))
    neighbours = [axis.input.domain.low, *axis.cuts, axis.input.domain.high]
    place = neighbours.index(cut, 1)
    if not neighbours[place - 1] < new < neighbours[place + 1]:
        raise InputError(
            f"{name}: the boundary {boundary:g} cannot move to {to:g}; expected a number between its neighbours "
            f"{neighbours[place - 1]:g} and {neighbours[place + 1]:g}."
        )
    return cut, new


def _with_cut(condition: Condition, cut: float, new: float, kind: str) -> Condition:
    from .conditions import span_text

    if not any(cut in span for span in condition.spans):
        return condition
    spans = tuple(Span(*_replaced(span, cut, new)) for span in condition.spans)
    return Condition("|".join(span_text(span, kind) for span in spans), spans=spans)


def _replaced(span: Span, cut: float, new: float) -> Iterator[float]:
    return (new if end == cut else end for end in span)
