"""What studies of a survey share: how answers are read, how the files are written, and the report's common parts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from crmlab import workbook
from crmlab.errors import InputError
from crmlab.studies.page import Listing, Section, Sentence, StudyPage, Table
from crmlab.studies.texts import Texts, percent

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.questionnaire import Questionnaire
    from crmlab.responses import Responses


def read_answers(
    data: str | Path,
    questionnaire: Questionnaire,
    *,
    sheet: str = "",
    encoding: str = "",
    format: str = "",
    only: str = "",
) -> Responses:
    """Read the answers to a questionnaire from a file, or from a data set of the course by its name.

    Parameters
    ----------
    data
        Path of a CSV, XLSX or SAV file, or a name that ``crmlab.datasets.list()`` shows, such as ``mobi``.
    questionnaire
        The design of the survey.
    sheet, encoding, format
        As in :func:`crmlab.read_responses`; empty: found out from the file.
    only
        A grouping column and the value that is kept, such as ``"store = Station"``; empty: everybody.

    Raises
    ------
    InputError
        If there is neither such a file nor such a data set, it cannot be read, or nobody would be kept.

    Examples
    --------
    >>> from crmlab import Questionnaire
    >>> read_answers("mobi", Questionnaire.shipped("ecsi")).n
    250
    >>> read_answers("survey", Questionnaire.shipped("course_csi"), only="store = Station").n
    139
    """
    answers = _read_all(data, questionnaire, sheet=sheet, encoding=encoding, format=format)
    return _kept(answers, *condition(only)) if only else answers


def condition(only: str) -> tuple[str, str]:
    """The column and the value of a text such as ``store = Station``.

    Examples
    --------
    >>> condition("store = Old Town")
    ('store', 'Old Town')
    """
    column, sign, value = (part.strip() for part in only.partition("="))
    if not (column and sign and value):
        raise InputError(f"only: found {only!r}; expected a column and the value to keep, such as store = Station.")
    return column, value


def _kept(answers: Responses, column: str, value: str) -> Responses:
    """The answers of those with this value in a grouping column."""
    if column not in answers.texts.columns:
        known = ", ".join(answers.texts.columns) or "none"
        raise InputError(
            f"only: {answers.source} has no grouping column {column!r}; the grouping columns are {known}. List the "
            "column under 'groups' in the questionnaire."
        )
    values = answers.texts[column]
    left = answers.texts.index[values != value].to_numpy()
    if len(left) == answers.n:
        known = ", ".join(sorted(map(str, values.dropna().unique()))[:20])
        raise InputError(f"only: nobody in {answers.source} has {column} = {value}; its values are {known}.")
    return answers.without(left, [f"{column} is not {value}"] * len(left))


def _read_all(data: str | Path, questionnaire: Questionnaire, *, sheet: str, encoding: str, format: str) -> Responses:
    from crmlab import datasets
    from crmlab.responses import read_responses

    names = list(datasets.list().index)
    if not Path(data).exists() and str(data) in names:
        table = _data_set(str(data))
        checksum = hashlib.sha256(table.to_csv(index=False, lineterminator="\n").encode("utf-8")).hexdigest()
        answers = read_responses(table, questionnaire, format=format or None)
        return dataclasses.replace(answers, source=str(data), sha256=checksum)
    if not Path(data).exists():
        raise InputError(
            f"data: {data} does not exist; expected a CSV, XLSX or SAV file, or a data set of the course "
            f"({', '.join(names)}). Correct the path."
        )
    return read_responses(data, questionnaire, sheet=sheet or None, encoding=encoding or None, format=format or None)


def write_files(
    out: str | Path,
    *,
    page: str,
    sheets: Mapping[str, pd.DataFrame],
    numbers: Mapping[str, Mapping[str, Any]],
    texts: Texts,
    formats: Mapping[str, str] | None = None,
) -> None:
    """Write ``report.html``, ``tables.xlsx`` and the numbers of a study.

    Parameters
    ----------
    out
        A folder; it is made if need be. Files of these names in it are replaced.
    page
        The report.
    sheets
        Tables by the name of their sheet; its description is the text ``sheet.NAME``.
    numbers
        By file name: what is written as JSON.
    texts
        The words of the study.
    formats
        Number formats of sheets, as in :func:`crmlab.workbook.write_xlsx`.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text(page, encoding="utf-8")
    titles = {name: texts(f"sheet.{name}") for name in sheets}
    workbook.write_xlsx(sheets, folder / "tables.xlsx", titles=titles, formats=formats)
    for name, content in numbers.items():
        written = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2)
        (folder / name).write_text(written + "\n", encoding="utf-8")


def respondents(responses: Responses, scores: pd.DataFrame) -> pd.DataFrame:
    """Values by respondent, beside what tells respondents apart: row of the file, id, groups."""
    scores = scores.rename_axis("row")
    others = [column for column in responses.data.columns if column not in responses.items]
    table = responses.data.loc[scores.index, others].join(scores)
    if responses.ids is not None:
        table.insert(0, "id", responses.ids.loc[scores.index])
    return table


@dataclass(frozen=True)
class SurveyPage(StudyPage):
    """The report of a study of a survey; its result has a questionnaire, n, level and problems.

    The headline is an index from 0 to 100 on a gauge.
    """

    responses: Any

    template: ClassVar[str] = "index_page.html.j2"

    @property
    def title(self) -> str:
        title: str = self.result.questionnaire.title[self.t.language]
        return title

    @property
    def byline(self) -> str:
        return self.t(
            "byline",
            n=self.result.n,
            data=self.responses.source,
            questionnaire=self.result.questionnaire.name,
        )

    @property
    def index_label(self) -> str:
        return self.label(self.result.questionnaire.index)

    def label(self, name: str) -> str:
        label: str = self.result.questionnaire.label(name, self.t.language)
        return label

    def word(self, name: str) -> str:
        """A name in a sentence about the estimate, in the page's language."""
        return self.label(name)

    def told(self, sentences: Sequence[str]) -> list[Sentence]:
        """What an estimate says in English, in the page's language where the catalogue has it."""
        pairs = [(sentence, self.t.problem(sentence, self.word)) for sentence in sentences]
        return [Sentence(own or sentence, self.tag if own else "en") for sentence, own in pairs]

    def problems(self) -> list[Sentence]:
        """Objections to the estimate, each with the language it is told in; those to the data stand with the data."""
        problems = self.told([said for said in self.result.problems if said not in self.responses.problems])
        faults = len(self.responses.faults)
        if faults:
            words = self.t("cautions.faults", count=faults, section=self.numbers["data"])
            problems.insert(0, Sentence(words, self.tag))
        return problems

    def _data(self) -> Section:
        answers = self.responses.data[list(self.result.questionnaire.items.index)]
        missing, cells = int(answers.isna().sum().sum()), answers.size
        share = percent(missing / cells, 1) if cells else percent(math.nan)
        rows = [
            [self.t("data.n"), str(self.responses.n)],
            [self.t("data.format"), self._format()],
            [self.t("data.used"), str(self.result.n)],
            [self.t("data.missing"), self.t("data.missing.value", missing=missing, cells=cells, share=share)],
        ]
        rows += [[self.t("data.recoded", item=item), self.quoted(how)] for item, how in self.responses.recoded.items()]
        note = self.t("data.quoted") if self.responses.recoded or self.responses.evidence else ""
        table = Table(self.t("data.caption"), self.columns("fact", "value"), "ll", rows, note)
        found = Listing(
            self.t("data.problems"),
            [Sentence(problem, "en") for problem in self.responses.problems],
            note=self.t("data.in_english"),
            nothing=self.t("data.none"),
            language="en",
        )
        listings = [found, *self.further(self.t("data.objections"))]
        return dataclasses.replace(self.section("data", [table]), listings=listings)

    def _format(self) -> Any:
        """Whose export the file was taken for, and what in it says so."""
        if not self.responses.evidence:
            return str(self.responses.format)
        evidence = "; ".join(self.responses.evidence)
        return self.quoted(self.t("data.format.value", format=self.responses.format, evidence=evidence))

    def files(self) -> list[tuple[str, str, str | None]]:
        """The user's files: what each is, its name, its checksum."""
        design = self.result.questionnaire
        checksum = hashlib.sha256(design.text.encode("utf-8")).hexdigest()
        return [("data", self.responses.source, self.responses.sha256), ("questionnaire", design.source, checksum)]

    def _provenance(self) -> Section:
        return self.provenance(self.files())


def on_gauge(index: float) -> str:
    """Place of an index on the gauge, whose line runs from 4 to 204; an index outside 0 to 100 stops at its end."""
    return f"{4 + 2 * min(max(index, 0.0), 100.0):.1f}"


def band(lower: float, upper: float) -> dict[str, str]:
    """The part of the gauge between two values of the index."""
    start, end = float(on_gauge(lower)), float(on_gauge(upper))
    return {"x": f"{start:.1f}", "width": f"{end - start:.1f}"}


def _data_set(name: str) -> pd.DataFrame:
    from crmlab import datasets

    try:
        loaded = getattr(datasets, f"load_{name}")()
    except ImportError as error:  # the data come with a package of the course that is not installed
        raise InputError(str(error)) from error
    return getattr(loaded, "data", loaded)
