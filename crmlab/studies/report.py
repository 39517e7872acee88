"""The report of a satisfaction study: one HTML file that opens offline, prints on A4 and can be read aloud.

It asks nothing of the network: style and figures stand inside, and its content security policy forbids everything
else, scripts included. Words come from ``texts.yaml`` in English or Chinese, numbers from the result; text that comes
from the questionnaire or the data is escaped wherever it appears.
"""

from __future__ import annotations

import math
import platform
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmlab.studies.texts import Texts, interval, number, percent

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.csi import SatisfactionIndex
    from crmlab.responses import Responses

_HERE = Path(__file__).parent
_PROGRAMS = ("crmlab", "numpy", "pandas", "scipy", "matplotlib")
_HTMT_LIMIT = 0.90
#: Objections shown at the top of the report; the rest stand with the data.
_SHOWN_FIRST = 8
_SHORT = 16

SOURCES = (
    "Dijkstra, T. K., & Henseler, J. (2015). Consistent partial least squares path modeling. MIS Quarterly, 39(2), "
    "297–316.",
    "Efron, B., & Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman & Hall.",
    "Fornell, C., & Larcker, D. F. (1981). Evaluating structural equation models with unobservable variables and "
    "measurement error. Journal of Marketing Research, 18(1), 39–50.",
    "Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., & Bryant, B. E. (1996). The American Customer Satisfaction "
    "Index: nature, purpose, and findings. Journal of Marketing, 60(4), 7–18.",
    "Henseler, J., Ringle, C. M., & Sarstedt, M. (2015). A new criterion for assessing discriminant validity in "
    "variance-based structural equation modeling. Journal of the Academy of Marketing Science, 43(1), 115–135.",
    "Lohmöller, J.-B. (1989). Latent Variable Path Modeling with Partial Least Squares. Physica.",
    "Nunnally, J. C. (1978). Psychometric Theory (2nd ed.). McGraw-Hill.",
    "Ringle, C. M., & Sarstedt, M. (2016). Gain more insight from your PLS-SEM results: the importance-performance map "
    "analysis. Industrial Management & Data Systems, 116(9), 1865–1886.",
    "Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M., & Lauro, C. (2005). PLS path modeling. Computational "
    "Statistics & Data Analysis, 48(1), 159–205.",
)


def write_html(result: SatisfactionIndex, path: str | Path, language: str = "en", *, responses: Responses) -> None:
    """Write the report of a satisfaction study.

    Parameters
    ----------
    result
        The estimate.
    path
        The file to write; an existing one is replaced.
    language
        ``"en"`` or ``"zh"``.
    responses
        The answers the estimate was made from: the report says what was found in them.

    Raises
    ------
    InputError
        If there is no report in that language.

    Examples
    --------
    >>> import tempfile
    >>> from crmlab import Questionnaire, csi
    >>> from crmlab.studies import read_answers
    >>> design = Questionnaire.shipped("ecsi")
    >>> answers = read_answers("mobi", design)
    >>> file = Path(tempfile.mkdtemp()) / "report.html"
    >>> write_html(csi.estimate(design, answers, bootstrap=20), file, "zh", responses=answers)
    >>> "顾客满意度指数为 72.5" in file.read_text(encoding="utf-8")
    True
    """
    Path(path).write_text(html(result, language, responses=responses), encoding="utf-8")


def html(result: SatisfactionIndex, language: str = "en", *, responses: Responses) -> str:
    """Return the report as text; see :func:`write_html`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["subscripts"] = _subscripts
    page = environment.get_template("report.html.j2")
    return page.render(_Report(result, responses, Texts(language)).content())


def reliability_reading(row: pd.Series, mode: str = "reflective") -> str:
    """Say in one word what reliability coefficients mean; the report spells it out.

    Parameters
    ----------
    row
        ``n_items``, ``alpha``, ``rho_c`` and ``ave`` of one construct.
    mode
        ``"reflective"`` or ``"formative"``.

    Returns
    -------
    str
        ``single``, ``formative``, ``unknown``, ``weak`` (α or ρ_C below 0.60), ``moderate`` (below 0.70), ``redundant``
        (α above 0.95), ``uneven`` (AVE below 0.50) or ``good``.

    Examples
    --------
    >>> import pandas as pd
    >>> reliability_reading(pd.Series({"n_items": 5, "alpha": 0.723, "rho_c": 0.818, "ave": 0.478}))
    'uneven'
    """
    if row["n_items"] == 1:
        return "single"
    if mode == "formative":
        return "formative"
    lowest = min(row["alpha"], row["rho_c"])
    if math.isnan(lowest) or math.isnan(row["ave"]):
        return "unknown"
    rules = (
        (lowest < 0.60, "weak"),
        (lowest < 0.70, "moderate"),
        (row["alpha"] > 0.95, "redundant"),
        (row["ave"] < 0.50, "uneven"),
    )
    return next((reading for holds, reading in rules if holds), "good")


@dataclass(frozen=True)
class _Table:
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
class _Section:
    """A numbered part of the report."""

    anchor: str
    title: str
    intro: str = ""
    figure: str = ""
    tables: list[_Table] = field(default_factory=list)


@dataclass(frozen=True)
class _Report:
    """What the page says, part by part in the order of the page."""

    result: Any
    responses: Any
    t: Texts

    def content(self) -> dict[str, Any]:
        """Everything the page template names."""
        return {
            "t": self.t,
            "language": self._tag,
            "style": self._style(),
            "title": self.result.questionnaire.title[self.t.language],
            "byline": self._byline(),
            "headline": self._headline(),
            "facts": self._facts(),
            "problems": self._problems(),
            "shown_first": _SHOWN_FIRST,
            "data_problems": self.responses.problems,
            "sections": self._sections(),
            "number": self._numbers,
            "method_words": self._method_words(),
            "sources": SOURCES,
        }

    # --- Words and numbers ------------------------------------------------------------------------------------------

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """The number of each section by its anchor."""
        anchors = ["constructs", "paths", "priority", "groups", "limits", "measurement", "data", "method", "provenance"]
        if self.result.priority_map().empty:
            anchors.remove("priority")
        if self.result.by_group.empty:
            anchors.remove("groups")
        return {anchor: place for place, anchor in enumerate(anchors, start=1)}

    @property
    def _tag(self) -> str:
        """The language as HTML names it."""
        return {"en": "en", "zh": "zh-Hans"}[self.t.language]

    @property
    def _level(self) -> str:
        return f"{100 * self.result.level:g}%"

    @property
    def _index_label(self) -> str:
        return self._label(self.result.questionnaire.index)

    def _label(self, name: str) -> str:
        return self.result.questionnaire.label(name, self.t.language)

    def _columns(self, *keys: str) -> list[str]:
        return [self.t(f"column.{key}", level=self._level) for key in keys]

    def _style(self) -> Any:
        from markupsafe import Markup

        return Markup((_HERE / "report.css").read_text(encoding="utf-8").rstrip())

    def _figure(self, kind: str) -> Any:
        from markupsafe import Markup
        from matplotlib import pyplot

        from crmlab.plots import style

        ax = self.result.plot(kind, language=self.t.language)
        drawing = Markup(style.svg(ax))  # its labels are outlines or escaped
        pyplot.close(ax.get_figure())
        return drawing

    # --- Top of the page --------------------------------------------------------------------------------------------

    def _byline(self) -> str:
        return self.t(
            "byline",
            n=self.result.n,
            data=self.responses.source,
            questionnaire=self.result.questionnaire.name,
        )

    def _headline(self) -> dict[str, Any]:
        row = self.result.index.loc[self.result.questionnaire.index]
        words = {
            "construct": self._index_label,
            "index": number(row["index"], 1),
            "lower": number(row["ci_lower"], 1),
            "upper": number(row["ci_upper"], 1),
            "level": self._level,
            "n": self.result.n,
        }
        known = math.isfinite(row["ci_lower"]) and math.isfinite(row["ci_upper"])
        return {
            "label": self.t("headline.label", **words),
            "index": words["index"],
            "sentence": self.t("headline.sentence" if known else "headline.no_interval", **words),
            "gauge": self.t("gauge.alt", **words),
            "mark": _on_gauge(row["index"]),
            "band": _band(row["ci_lower"], row["ci_upper"]) if known else None,
        }

    def _problems(self) -> list[dict[str, str]]:
        """Objections to the estimate, each with the language it is told in; those to the data stand with the data."""
        told = [
            (sentence, self.t.problem(sentence, self._label))
            for sentence in self.result.problems
            if sentence not in self.responses.problems
        ]
        problems = [{"text": own or sentence, "language": self._tag if own else "en"} for sentence, own in told]
        faults = len(self.responses.faults)
        if faults:
            words = self.t("cautions.faults", count=faults, section=self._numbers["data"])
            problems.insert(0, {"text": words, "language": self._tag})
        return problems

    def _facts(self) -> list[dict[str, str]]:
        return [fact for fact in (self._lever(), self._lowest(), self._explained()) if fact]

    def _lever(self) -> dict[str, str] | None:
        causes = self.result.priority_map()
        if causes.empty:
            return None
        strongest = causes["importance"].idxmax()
        importance = number(causes.loc[strongest, "importance"], 2)
        return self._fact("lever", construct=self._label(strongest), importance=importance, index=self._index_label)

    def _lowest(self) -> dict[str, str]:
        index = self.result.index
        lowest = index["index"].idxmin()
        row = index.loc[lowest]
        return self._fact(
            "lowest",
            construct=self._label(lowest),
            index=number(row["index"], 1),
            level=self._level,
            interval=interval(row["ci_lower"], row["ci_upper"], 1),
        )

    def _explained(self) -> dict[str, str] | None:
        name = self.result.questionnaire.index
        if name not in self.result.r_squared.index:
            return None
        return self._fact(
            "explained", share=percent(self.result.r_squared.loc[name, "r_squared"]), index=self._index_label
        )

    def _fact(self, key: str, **words: str) -> dict[str, str]:
        return {
            "name": self.t(f"facts.{key}"),
            "value": self.t(f"facts.{key}.value", **words),
            "note": self.t(f"facts.{key}.note", **words),
        }

    # --- Sections ---------------------------------------------------------------------------------------------------

    def _sections(self) -> list[_Section]:
        return [getattr(self, f"_{anchor}")() for anchor in self._numbers]

    def _section(self, anchor: str, tables: list[_Table], figure: Any = "", **words: object) -> _Section:
        title = self.t(f"{anchor}.title", index=self._index_label)
        intro = self.t(f"{anchor}.intro", index=self._index_label, **words) if f"{anchor}.intro" in self.t else ""
        return _Section(anchor, title, intro, figure, tables)

    def _constructs(self) -> _Section:
        counts = self.result.questionnaire.constructs["n_items"]
        table = _Table(
            self.t("constructs.caption", level=self._level),
            self._columns("construct", "index", "interval", "se", "n_items"),
            "lrrrr",
            [
                [
                    self._label(name),
                    number(row["index"], 1),
                    interval(row["ci_lower"], row["ci_upper"], 1),
                    number(row["se"], 2),
                    str(counts[name]),
                ]
                for name, row in self.result.index.iterrows()
            ],
            self.t("constructs.note"),
        )
        return self._section("constructs", [table], self._figure("constructs"), section=self._numbers["measurement"])

    def _paths(self) -> _Section:
        tables = [self._path_table(), self._r_squared_table(), self._effects_table()]
        return self._section("paths", tables, self._figure("paths"))

    def _path_table(self) -> _Table:
        return _Table(
            self.t("paths.caption", level=self._level),
            self._columns("from", "to", "estimate", "interval", "reading"),
            "llrrl",
            [
                [
                    self._label(row["from"]),
                    self._label(row["to"]),
                    number(row["estimate"]),
                    interval(row["ci_lower"], row["ci_upper"]),
                    self.t(_path_reading(row["ci_lower"], row["ci_upper"])),
                ]
                for row in self.result.paths.to_dict("records")
            ],
        )

    def _r_squared_table(self) -> _Table:
        return _Table(
            self.t("r_squared.caption"),
            [*self._columns("construct"), "R²", *self._columns("interval")],
            "lrr",
            [
                [self._label(name), number(row["r_squared"]), interval(row["ci_lower"], row["ci_upper"])]
                for name, row in self.result.r_squared.iterrows()
            ],
            self.t("r_squared.note"),
        )

    def _effects_table(self) -> _Table:
        return _Table(
            self.t("effects.caption", level=self._level),
            self._columns("from", "to", "direct", "indirect", "total", "interval"),
            "llrrrr",
            [
                [
                    self._label(row["from"]),
                    self._label(row["to"]),
                    *(_effect(row[effect]) for effect in ("direct", "indirect", "total")),
                    interval(row["total_ci_lower"], row["total_ci_upper"]),
                ]
                for row in self.result.effects.to_dict("records")
            ],
            self.t("effects.note"),
        )

    def _priority(self) -> _Section:
        causes = self.result.priority_map().sort_values("importance", ascending=False)
        first = [self._label(name) for name in causes.index[causes["quadrant"] == "act now"]]
        verdict = self.t("priority.act" if first else "priority.no_act", names=self.t("list_separator").join(first))
        table = _Table(
            self.t("priority.caption", level=self._level),
            self._columns("construct", "importance", "interval", "performance", "interval", "quadrant"),
            "lrrrrl",
            [
                [
                    self._label(name),
                    number(row["importance"], 2),
                    interval(row["importance_ci_lower"], row["importance_ci_upper"], 2),
                    number(row["performance"], 1),
                    interval(row["performance_ci_lower"], row["performance_ci_upper"], 1),
                    self.t(f"quadrant.{row['quadrant']}"),
                ]
                for name, row in causes.iterrows()
            ],
            self.t("priority.note"),
        )
        return self._section("priority", [table], self._figure("priority"), verdict=verdict)

    def _groups(self) -> _Section:
        """One row a group: its index with interval, then its index of every other construct."""
        of_index = self.result.by_group.query("construct == @self.result.questionnaire.index")
        others = [name for name in self.result.index.index if name != self.result.questionnaire.index]
        each = self.result.by_group.pivot_table(index="group", columns="construct", values="index", sort=False)
        group = self._label(self.result.method["by"])
        header = [group, *self._columns("n"), self._index_label, *self._columns("interval"), *map(self._label, others)]
        table = _Table(
            self.t("groups.caption", level=self._level),
            header,
            "l" + "r" * (3 + len(others)),
            [
                [
                    str(row["group"]),
                    str(row["n"]),
                    number(row["index"], 1),
                    interval(row["ci_lower"], row["ci_upper"], 1),
                    *(number(each.loc[row["group"], name], 1) for name in others),
                ]
                for row in of_index.to_dict("records")
            ],
        )
        return self._section("groups", [table], self._figure("groups"))

    def _limits(self) -> _Section:
        return self._section("limits", [])

    def _measurement(self) -> _Section:
        return self._section("measurement", [self._reliability_table(), self._loadings_table(), self._htmt_table()])

    def _reliability_table(self) -> _Table:
        modes = self.result.questionnaire.constructs["mode"]
        return _Table(
            self.t("reliability.caption"),
            [*self._columns("construct"), "α", "ρ_A", "ρ_C", "AVE", *self._columns("reading")],
            "lrrrrl",
            [
                [
                    self._label(name),
                    *(number(row[coefficient], 2) for coefficient in ("alpha", "rho_a", "rho_c", "ave")),
                    self.t(f"reading.{reliability_reading(row, modes[name])}"),
                ]
                for name, row in self.result.reliability.iterrows()
            ],
            self.t("reliability.note"),
        )

    def _loadings_table(self) -> _Table:
        return _Table(
            self.t("loadings.caption", level=self._level),
            self._columns("item", "wording", "construct", "loading", "interval", "weight", "share"),
            "lllrrrr",
            [
                [
                    row["item"],
                    self._label(row["item"]),
                    self._label(row["construct"]),
                    number(row["loading"]),
                    interval(row["loading_ci_lower"], row["loading_ci_upper"], 2),
                    number(row["weight"]),
                    percent(row["share"]),
                ]
                for row in self.result.loadings.to_dict("records")
            ],
            self.t("loadings.note"),
        )

    def _htmt_table(self) -> _Table:
        """The ratios below the diagonal; those above the limit are marked and named."""
        htmt, names = self.result.htmt, list(self.result.htmt.index)
        pairs = [
            self.t("htmt.pair", one=self._label(other), other=self._label(one))
            for place, one in enumerate(names)
            for other in names[:place]
            if htmt.loc[one, other] > _HTMT_LIMIT
        ]
        note = self.t("htmt.bad", pairs=self.t("list_separator").join(pairs)) if pairs else self.t("htmt.good")
        return _Table(
            self.t("htmt.caption"),
            [*self._columns("construct"), *map(self._label, names[:-1])],
            "l" + "r" * (len(names) - 1),
            [
                [
                    self._label(one),
                    *(_marked(htmt.loc[one, other]) if other in names[:place] else "" for other in names[:-1]),
                ]
                for place, one in enumerate(names)
                if place
            ],
            note,
        )

    def _data(self) -> _Section:
        answers = self.responses.data[list(self.result.questionnaire.items.index)]
        missing, cells = int(answers.isna().sum().sum()), answers.size
        share = percent(missing / cells, 1) if cells else percent(math.nan)
        rows = [
            [self.t("data.n"), str(self.responses.n)],
            [self.t("data.used"), str(self.result.n)],
            [self.t("data.missing"), self.t("data.missing.value", missing=missing, cells=cells, share=share)],
        ]
        rows += [[self.t("data.recoded", item=item), how] for item, how in self.responses.recoded.items()]
        table = _Table(self.t("data.caption"), self._columns("fact", "value"), "ll", rows)
        return self._section("data", [table])

    def _method(self) -> _Section:
        rows = [[self._setting(name), self._setting_value(name, value)] for name, value in self.result.method.items()]
        table = _Table(self.t("method.caption"), self._columns("fact", "value"), "ll", rows)
        return self._section("method", [table])

    def _setting(self, name: str) -> str:
        return self.t(f"setting.{name}") if f"setting.{name}" in self.t else name

    def _setting_value(self, name: str, value: Any) -> str:
        if isinstance(value, dict):
            counted = [f"{self._label(key)} {count}" for key, count in value.items() if count]
            return self.t("list_separator").join(counted) or self.t("setting.none")
        if value is None:
            return self.t("setting.none")
        key = f"setting.{name}.{value}"
        return self.t(key) if key in self.t else str(value)

    def _method_words(self) -> list[str]:
        drawn = {"bootstrap": self.result.bootstrap, "level": self._level, "seed": self.result.seed}
        estimator = f"method.estimator.{self.result.method.get('estimator')}"
        return [
            self.t("method.symbols"),
            self.t(f"method.engine.{self.result.engine}"),
            *([self.t(estimator)] if estimator in self.t else []),
            self.t("method.bootstrap", **drawn),
        ]

    def _provenance(self) -> _Section:
        programs = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in _PROGRAMS)]
        rows = [
            [self.t("provenance.data"), self._file(self.responses.source, self.responses.sha256)],
            [self.t("provenance.questionnaire"), self._file(*_questionnaire_file(self.result.questionnaire))],
            [self.t("provenance.programs"), ", ".join(programs)],
        ]
        table = _Table(self.t("provenance.caption"), self._columns("fact", "value"), "ll", rows)
        return self._section("provenance", [table])

    def _file(self, name: str, sha256: str | None) -> str:
        return self.t("provenance.sha256", name=name, sha256=sha256) if sha256 else name


def _subscripts(text: str) -> Any:
    """Our own words with ρ_C, x̄_i and the like set as symbol and subscript."""
    import re

    from markupsafe import Markup, escape

    return Markup(re.sub(r"(ρ|x̄|w|min|max)_([ACi])\b", r"\1<sub>\2</sub>", str(escape(text))))


def _path_reading(lower: float, upper: float) -> str:
    if lower > 0:
        return "paths.clear"
    return "paths.negative" if upper < 0 else "paths.unclear"


def _effect(value: float) -> str:
    """An effect; a dash where no arrow leads, which the estimate states as exactly zero."""
    return number(value if value else math.nan)


def _marked(ratio: float) -> str:
    return ("▲ " if ratio > _HTMT_LIMIT else "") + number(ratio, 2)


def _questionnaire_file(questionnaire: Any) -> tuple[str, str]:
    import hashlib

    return questionnaire.source, hashlib.sha256(questionnaire.text.encode("utf-8")).hexdigest()


def _on_gauge(index: float) -> str:
    """Place of an index on the gauge, whose line runs from 4 to 204; an index outside 0 to 100 stops at its end."""
    return f"{4 + 2 * min(max(index, 0.0), 100.0):.1f}"


def _band(lower: float, upper: float) -> dict[str, str]:
    start, end = float(_on_gauge(lower)), float(_on_gauge(upper))
    return {"x": f"{start:.1f}", "width": f"{end - start:.1f}"}
