"""The frame of every report: one HTML page of numbered sections that opens offline, prints on A4 and can be read aloud.

It asks nothing of the network: style, figures and Chinese glyphs stand inside, and its content security policy forbids
everything else, scripts included. A study derives a class from :class:`StudyPage`, says what its sections are, and
writes one method for each; words come from :mod:`crmlab.studies.texts`. Text that comes from a file of the user is
escaped wherever it appears.
"""

from __future__ import annotations

import platform
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from crmlab.studies.texts import Texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HERE = Path(__file__).parent
_PROGRAMS = ("crmlab", "numpy", "pandas", "scipy", "matplotlib")
#: Objections shown at the top of the report; the rest stand with the data.
_SHOWN_FIRST = 8
_SHORT = 16


class Sentence(NamedTuple):
    """A sentence and the language it is told in, as HTML names it."""

    text: str
    language: str


@dataclass(frozen=True)
class Table:
    """A table as text. ``align`` has a letter for each column, l for words and r for numbers."""

    caption: str
    header: list[str]
    align: str
    rows: list[list[str]]
    note: str = ""

    @property
    def shape(self) -> str:
        """Style classes: a short table is kept on one page, a slim one does not fill the line."""
        return " ".join(["short"] * (len(self.rows) <= _SHORT) + ["slim"] * (len(self.header) <= 3))


@dataclass(frozen=True)
class Listing:
    """Sentences below a heading, with a note before them; ``nothing`` is said where there are none.

    ``language`` is the language of the whole list where it is not the page's.
    """

    title: str
    sentences: Sequence[Sentence]
    note: str = ""
    nothing: str = ""
    style: str = ""
    language: str = ""


@dataclass(frozen=True)
class Section:
    """A numbered part of the report, in the order of the page. ``points`` are a bold beginning and the rest."""

    anchor: str
    title: str
    intro: str = ""
    figure: Any = ""
    points: Sequence[tuple[str, str]] = ()
    formula: Any = ""
    paragraphs: Sequence[str] = ()
    tables: Sequence[Table] = ()
    listings: Sequence[Listing] = field(default_factory=list)


@dataclass(frozen=True)
class StudyPage(ABC):
    """What a report says, part by part in the order of the page.

    Section ``data`` of :attr:`anchors` is made by the method ``_data``, and so on; ``sources`` are the references.
    """

    result: Any
    t: Texts

    template: ClassVar[str] = "page.html.j2"
    sources: ClassVar[tuple[str, ...]] = ()

    def html(self) -> str:
        """The page as text."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        from crmlab.plots.page_font import with_chinese_font

        environment = Environment(
            loader=FileSystemLoader(_HERE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters["subscripts"] = _subscripts
        return with_chinese_font(environment.get_template(self.template).render(self.content()))

    def content(self) -> dict[str, Any]:
        """Everything the page template names."""
        return {
            "t": self.t,
            "language": self.tag,
            "style": part("report.css"),
            "title": self.title,
            "byline": self.byline,
            "refusal": self.refusal(),
            "headline": self.headline(),
            "facts": self.facts(),
            "problems": self.problems(),
            "shown_first": _SHOWN_FIRST,
            "sections": [getattr(self, f"_{anchor}")() for anchor in self.numbers],
            "number": self.numbers,
        }

    # --- What a study says ------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def anchors(self) -> list[str]:
        """The sections in the order of the page."""

    @property
    @abstractmethod
    def title(self) -> str: ...

    @property
    @abstractmethod
    def byline(self) -> str: ...

    @abstractmethod
    def headline(self) -> dict[str, Any]:
        """What the headline block of the template names."""

    @abstractmethod
    def facts(self) -> list[dict[str, str]]: ...

    @abstractmethod
    def problems(self) -> list[Sentence]:
        """Objections to the result; the first ones stand at the top of the page."""

    def refusal(self) -> Sequence[Sentence]:
        """Why the numbers below must not be used, told before any of them; none as a rule."""
        return ()

    # --- What every study uses --------------------------------------------------------------------------------------

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each section by its anchor."""
        return {anchor: place for place, anchor in enumerate(self.anchors, start=1)}

    @property
    def tag(self) -> str:
        """The language as HTML names it."""
        return {"en": "en", "zh": "zh-Hans"}[self.t.language]

    def section(self, anchor: str, tables: Sequence[Table] = (), figure: Any = "", **words: object) -> Section:
        """A section with its title and, where there is one, its opening paragraph."""
        intro = self.t(f"{anchor}.intro", **words) if f"{anchor}.intro" in self.t else ""
        return Section(anchor, self.t(f"{anchor}.title", **words), intro, figure, tables=tables)

    def fact(self, key: str, **words: str) -> dict[str, str]:
        return {
            "name": self.t(f"facts.{key}"),
            "value": self.t(f"facts.{key}.value", **words),
            "note": self.t(f"facts.{key}.note", **words),
        }

    def further(self, title: str) -> list[Listing]:
        """The objections that found no room at the top of the page."""
        rest = self.problems()[_SHOWN_FIRST:]
        return [Listing(title, rest)] if rest else []

    @property
    def level(self) -> str:
        """Confidence level of the intervals, of a result that has some."""
        return f"{100 * self.result.level:g}%"

    def columns(self, *keys: str) -> list[str]:
        """Headings of the columns of a table with intervals."""
        return [self.t(f"column.{key}", level=self.level) for key in keys]

    def references(self) -> Listing:
        sentences = [Sentence(source, "en") for source in self.sources]
        return Listing(self.t("method.sources"), sentences, style="sources", language="en")

    def quoted(self, text: str) -> Any:
        """Words of the program itself, which are English: marked as such on a page in another language."""
        from markupsafe import Markup

        return text if self.t.language == "en" else Markup('<span lang="en">{}</span>').format(text)

    def provenance(self, files: Iterable[tuple[str, str, str | None]]) -> Section:
        """Where the report comes from: (what, name, SHA-256) of the user's files, and the programs."""
        programs = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in _PROGRAMS)]
        rows = [
            [
                self.t(f"provenance.{what}"),
                self.t("provenance.sha256", name=name, sha256=checksum) if checksum else name,
            ]
            for what, name, checksum in files
        ]
        rows.append([self.t("provenance.programs"), ", ".join(programs)])
        header = [self.t("column.fact"), self.t("column.value")]
        return self.section("provenance", [Table(self.t("provenance.caption"), header, "ll", rows)])


def part(name: str) -> Any:
    """A file of this folder that goes into the page as it is: the style, a formula."""
    from markupsafe import Markup

    return Markup((_HERE / name).read_text(encoding="utf-8").rstrip())


def drawn(ax: Axes) -> Any:
    """A figure for the page; its labels are outlines or escaped."""
    from markupsafe import Markup
    from matplotlib import pyplot

    from crmlab.plots import style

    drawing = Markup(style.svg(ax))
    pyplot.close(ax.get_figure(root=True))
    return drawing


def _subscripts(text: str) -> Any:
    """Our own words with ρ_C, x̄_i and the like set as symbol and subscript."""
    import re

    from markupsafe import Markup, escape

    return Markup(re.sub(r"(ρ|x̄|w|min|max)_([ACi])\b", r"\1<sub>\2</sub>", str(escape(text))))
