"""What reading a survey gives: the answers, what was matched and done, and what a careful analyst would object to."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.responses.answers import CodedAnswers
from crmlab.responses.findings import KINDS, Finding, cell_table, counted, found, listed, shortened

if TYPE_CHECKING:
    from crmlab.responses.quality import Quality

MATCHING = {"column": "int64", "header": "str", "item": "str", "matched_by": "str", "score": "float64", "use": "str"}
EXCLUDED = {"row": "int64", "checks": "str"}


def empty(columns: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(columns=[*columns]).astype(columns)


@dataclass(frozen=True, eq=False)
class Responses:
    """Answers as numbers, with everything a careful analyst would object to.

    Attributes
    ----------
    data : DataFrame, one row per respondent; the items as float in scale units after reverse coding (NaN: no answer),
        then the grouping columns as text. The index "row" is the row of the file, its header being row 1. Built from
        `answers` and `texts` at the first use.
    scales : DataFrame, index item: construct, min, max, reverse.
    ids : Series of the id column as text, same index; None when there is no such column.
    problems : list of sentences, one per column and kind of problem.
    cells : DataFrame row, column, value, problem, action: every cell the sentences speak of.
    source, sha256, encoding : file name, checksum of the file, and encoding of its text (None where there is none).
    recoded : dict item -> what was done to its answers, for items that did not already hold numbers of the scale.
    format, evidence : whose export it is, a name of `formats.FORMATS`, and what in the file says so.
    matching : DataFrame column (from 1), header, item, matched_by (told, name, code, wording, similar wording, number),
        score (likeness of the wording, 1 for equal), use (item, id, group, time, personal data, …), in file order.
    meta : DataFrame, same index; those of started and submitted (timestamps), seconds (duration) and complete (whether
        the form was sent off) that the file tells.
    personal : DataFrame, same index: personal data as text; without columns unless they were asked for.
    excluded : DataFrame row, checks: respondents the analyst excluded, see `Quality.exclude`.
    """

    answers: CodedAnswers
    scales: pd.DataFrame
    texts: pd.DataFrame
    ids: pd.Series | None
    source: str
    sha256: str | None
    encoding: str | None
    recoded: dict[str, str]
    remarks: list[str]
    findings: list[Finding]
    format: str = "plain"
    evidence: list[str] = field(default_factory=list)
    matching: pd.DataFrame = field(default_factory=lambda: empty(MATCHING))
    meta: pd.DataFrame = field(default_factory=pd.DataFrame)
    personal: pd.DataFrame = field(default_factory=pd.DataFrame)
    excluded: pd.DataFrame = field(default_factory=lambda: empty(EXCLUDED))

    @property
    def items(self) -> tuple[str, ...]:
        """The names of the item columns, in the questionnaire's order."""
        return tuple(self.scales.index)

    @property
    def n(self) -> int:
        """Number of respondents, those without any answer included."""
        return len(self.texts)

    @cached_property
    def data(self) -> pd.DataFrame:
        return pd.DataFrame(self.answers.block(), index=self.texts.index, columns=[*self.items]).join(self.texts)

    @cached_property
    def cells(self) -> pd.DataFrame:
        return cell_table(self.findings)

    @cached_property
    def problems(self) -> list[str]:
        return [*self.remarks, *_sentences(self.findings), *self._about_items(), *self._about_exclusion()]

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
        rows = [_moments(self.answers.values[place], self.answers.counts(place)) for place in range(len(self.items))]
        table = pd.DataFrame(rows, index=pd.Index(self.items, name="item"), columns=["n", "mean", "sd", "min", "max"])
        table.insert(1, "missing", self.n - table["n"])
        return table.astype({"n": int, "missing": int})

    def quality(self, **thresholds: Any) -> Quality:
        """Completion, speeders, straight-lining and what else tells of answers given without care.

        The thresholds are those of :func:`crmlab.responses.quality.assess`.

        Examples
        --------
        >>> from crmlab import Questionnaire, datasets, read_responses
        >>> survey = datasets.load_survey(messy=True)
        >>> responses = read_responses(survey.data, Questionnaire.shipped("course_csi"))
        >>> checks = responses.quality().checks.set_index("check")
        >>> int(checks.loc["straight-lining", "count"])
        13
        """
        from crmlab.responses.quality import assess

        return assess(self, **thresholds)

    def without(self, rows: Sequence[int] | np.ndarray, checks: Sequence[str]) -> Responses:
        """The same survey without some rows; `checks` says of each why. What concerned only them is told no more."""
        index = self.texts.index
        kept = ~index.isin(rows)
        ids = None if self.ids is None else self.ids[kept]
        left = pd.DataFrame({"row": np.asarray(rows, dtype=int), "checks": [*checks]}).astype(EXCLUDED)
        about_ids = {"duplicate id", "no id"}
        findings = [
            only
            for each in self.findings
            if each.problem not in about_ids
            if (only := each.among(index[kept].to_numpy()))
        ]
        return replace(
            self,
            answers=self.answers.kept(kept),
            texts=self.texts[kept],
            ids=ids,
            findings=[*about_respondents(ids), *findings],
            meta=self.meta[kept],
            personal=self.personal[kept],
            excluded=pd.concat([self.excluded, left], ignore_index=True),
        )

    def _about_items(self) -> list[str]:
        sentences = []
        for place, item in enumerate(self.items):
            given = self.answers.values[place][self.answers.counts(place) > 0]
            if len(given) == 0:
                sentences.append(f"item {item} has no usable answer. Check its column, or take the item out.")
            elif len(given) == 1 and self.n > 1:
                sentences.append(
                    f"item {item} has the answer {given[0]:g} from everyone who answered; what does not vary explains "
                    "nothing. Check its column, or take the item out."
                )
        return sentences

    def _about_exclusion(self) -> list[str]:
        if self.excluded.empty:
            return []
        reasons = self.excluded["checks"].value_counts(sort=False)
        why = listed([f"{reason} ({count})" for reason, count in reasons.items()], 8)
        before = self.n + len(self.excluded)
        return [f"{len(self.excluded)} of {counted(before, 'respondent')} excluded by the analyst: {why}."]

    def _repr_html_(self) -> str:
        facts = [self.source, counted(self.n, "respondent"), counted(len(self.items), "item"), self.encoding]
        heading = html.escape(", ".join(str(fact) for fact in facts if fact))
        sentences = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems)
        return f"<p><b>{heading}</b></p><ul>{sentences}</ul>{self.summary().round(2).to_html()}"


def about_respondents(ids: pd.Series | None) -> list[Finding]:
    """Ids that stand more than once, and respondents without one."""
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


def _moments(values: np.ndarray, counts: np.ndarray) -> tuple[int, float, float, float, float]:
    """Number, mean, sd, least and largest of values that occur so often."""
    n = int(counts.sum())
    if n == 0:
        return 0, np.nan, np.nan, np.nan, np.nan
    mean = float(counts @ values) / n
    sd = float(np.sqrt(counts @ (values - mean) ** 2 / (n - 1))) if n > 1 else np.nan
    given = values[counts > 0]
    return n, mean, sd, float(given[0]), float(given[-1])


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
