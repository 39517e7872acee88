"""The report of a satisfaction study (chapter 9): index, model, priorities, groups, and how far to trust them.

Words come from the catalogues in English or Chinese, numbers from the result; the frame is :mod:`crmlab.studies.page`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from crmlab.studies.page import Section, Sentence, Table, drawn, part
from crmlab.studies.pairs import about_pairs, of_pairs
from crmlab.studies.survey import SurveyPage, band, on_gauge
from crmlab.studies.texts import Texts, interval, number, percent

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.csi import SatisfactionIndex
    from crmlab.responses import Responses

_HTMT_LIMIT = 0.90

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
    "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics, "
    "6(2), 65–70.",
    "Igolkina, A. A., & Meshcheryakov, G. (2020). semopy: A Python package for structural equation modeling. "
    "Structural Equation Modeling, 27(6), 952–963.",
    "Jöreskog, K. G. (1969). A general approach to confirmatory maximum likelihood factor analysis. Psychometrika, "
    "34(2), 183–202.",
    "Lohmöller, J.-B. (1989). Latent Variable Path Modeling with Partial Least Squares. Physica.",
    "Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous "
    "latent variable indicators. Psychometrika, 49(1), 115–132.",
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
    return _CsiPage(result, Texts(language, "csi"), responses).html()


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
class _CsiPage(SurveyPage):
    """What the page says, part by part in the order of the page."""

    sources: ClassVar[tuple[str, ...]] = SOURCES

    @property
    def anchors(self) -> list[str]:
        anchors = ["constructs", "paths", "priority", "groups", "limits", "measurement", "data", "method", "provenance"]
        if self.result.priority_map().empty:
            anchors.remove("priority")
        if self.result.by_group.empty:
            anchors.remove("groups")
        return anchors

    def section(self, anchor: str, tables: Any = (), figure: Any = "", **words: object) -> Section:
        return super().section(anchor, tables, figure, index=self.index_label, **words)

    def _figure(self, kind: str) -> Any:
        return drawn(self.result.plot(kind, language=self.t.language))

    def refusal(self) -> list[Sentence]:
        return self.told(self.result.refusals)

    def problems(self) -> list[Sentence]:
        """What has been said in the refusal is not said again."""
        refused = self.refusal()
        return [sentence for sentence in super().problems() if sentence not in refused]

    # --- Top of the page --------------------------------------------------------------------------------------------

    def headline(self) -> dict[str, Any]:
        row = self.result.index.loc[self.result.questionnaire.index]
        words = {
            "construct": self.index_label,
            "index": number(row["index"], 1),
            "lower": number(row["ci_lower"], 1),
            "upper": number(row["ci_upper"], 1),
            "level": self.level,
            "n": self.result.n,
        }
        known = math.isfinite(row["ci_lower"]) and math.isfinite(row["ci_upper"])
        return {
            "label": self.t("headline.label", **words),
            "index": words["index"],
            "sentence": self.t("headline.sentence" if known else "headline.no_interval", **words),
            "gauge": self.t("gauge.alt", **words),
            "mark": on_gauge(row["index"]),
            "band": band(row["ci_lower"], row["ci_upper"]) if known else None,
        }

    def facts(self) -> list[dict[str, str]]:
        if self.result.refusals:
            return []  # boxed numbers would be read before the refusal
        return [fact for fact in (self._lever(), self._lowest(), self._explained()) if fact]

    def _lever(self) -> dict[str, str] | None:
        causes = self.result.priority_map()
        if causes.empty:
            return None
        strongest = causes["importance"].idxmax()
        importance = number(causes.loc[strongest, "importance"], 2)
        return self.fact("lever", construct=self.label(strongest), importance=importance, index=self.index_label)

    def _lowest(self) -> dict[str, str]:
        index = self.result.index
        lowest = index["index"].idxmin()
        row = index.loc[lowest]
        return self.fact(
            "lowest",
            construct=self.label(lowest),
            index=number(row["index"], 1),
            level=self.level,
            interval=interval(row["ci_lower"], row["ci_upper"], 1),
        )

    def _explained(self) -> dict[str, str] | None:
        name = self.result.questionnaire.index
        if name not in self.result.r_squared.index:
            return None
        return self.fact(
            "explained", share=percent(self.result.r_squared.loc[name, "r_squared"]), index=self.index_label
        )

    # --- Sections ---------------------------------------------------------------------------------------------------

    def _constructs(self) -> Section:
        counts = self.result.questionnaire.constructs["n_items"]
        table = Table(
            self.t("constructs.caption", level=self.level),
            self.columns("construct", "index", "interval", "se", "n_items"),
            "lrrrr",
            [
                [
                    self.label(name),
                    number(row["index"], 1),
                    interval(row["ci_lower"], row["ci_upper"], 1),
                    number(row["se"], 2),
                    str(counts[name]),
                ]
                for name, row in self.result.index.iterrows()
            ],
            self.t("constructs.note"),
        )
        return self.section("constructs", [table], self._figure("constructs"), section=self.numbers["measurement"])

    def _paths(self) -> Section:
        tables = [self._path_table(), self._r_squared_table(), self._effects_table()]
        return self.section("paths", tables, self._figure("paths"))

    def _path_table(self) -> Table:
        return Table(
            self.t("paths.caption", level=self.level),
            self.columns("from", "to", "estimate", "interval", "reading"),
            "llrrl",
            [
                [
                    self.label(row["from"]),
                    self.label(row["to"]),
                    number(row["estimate"]),
                    interval(row["ci_lower"], row["ci_upper"]),
                    self.t(_path_reading(row["ci_lower"], row["ci_upper"])),
                ]
                for row in self.result.paths.to_dict("records")
            ],
        )

    def _r_squared_table(self) -> Table:
        return Table(
            self.t("r_squared.caption"),
            [*self.columns("construct"), "R²", *self.columns("interval")],
            "lrr",
            [
                [self.label(name), number(row["r_squared"]), interval(row["ci_lower"], row["ci_upper"])]
                for name, row in self.result.r_squared.iterrows()
            ],
            self.t("r_squared.note"),
        )

    def _effects_table(self) -> Table:
        return Table(
            self.t("effects.caption", level=self.level),
            self.columns("from", "to", "direct", "indirect", "total", "interval"),
            "llrrrr",
            [
                [
                    self.label(row["from"]),
                    self.label(row["to"]),
                    *(_effect(row[effect]) for effect in ("direct", "indirect", "total")),
                    interval(row["total_ci_lower"], row["total_ci_upper"]),
                ]
                for row in self.result.effects.to_dict("records")
            ],
            self.t("effects.note"),
        )

    def _priority(self) -> Section:
        causes = self.result.priority_map().sort_values("importance", ascending=False)
        first = [self.label(name) for name in causes.index[causes["quadrant"] == "act now"]]
        verdict = self.t("priority.act" if first else "priority.no_act", names=self.t("list_separator").join(first))
        table = Table(
            self.t("priority.caption", level=self.level),
            self.columns("construct", "importance", "interval", "performance", "interval", "quadrant"),
            "lrrrrl",
            [
                [
                    self.label(name),
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
        return self.section("priority", [table], self._figure("priority"), verdict=verdict)

    def _groups(self) -> Section:
        """One row a group: its index with interval, then its index of every other construct; then every two groups."""
        of_index = self.result.by_group.query("construct == @self.result.questionnaire.index")
        others = [name for name in self.result.index.index if name != self.result.questionnaire.index]
        each = self.result.by_group.pivot_table(index="group", columns="construct", values="index", sort=False)
        group = self.label(self.result.method["by"])
        header = [group, *self.columns("n"), self.index_label, *self.columns("interval"), *map(self.label, others)]
        table = Table(
            self.t("groups.caption", level=self.level),
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
        differences = differences_of(self.result)
        if differences.empty:
            return self.section("groups", [table], self._figure("groups"))
        pairs = of_pairs(self, differences, "tables.xlsx")
        note = f"{self.t('differences.intro', **about_pairs(self, differences))} {pairs.note}".strip()
        return self.section("groups", [table, replace(pairs, note=note)], self._figure("groups"))

    def _limits(self) -> Section:
        return replace(self.section("limits"), points=self.t.entries("limits"))

    def _measurement(self) -> Section:
        return self.section("measurement", [self._reliability_table(), self._loadings_table(), self._htmt_table()])

    def _reliability_table(self) -> Table:
        modes = self.result.questionnaire.constructs["mode"]
        return Table(
            self.t("reliability.caption"),
            [*self.columns("construct"), "α", "ρ_A", "ρ_C", "AVE", *self.columns("reading")],
            "lrrrrl",
            [
                [
                    self.label(name),
                    *(number(row[coefficient], 2) for coefficient in ("alpha", "rho_a", "rho_c", "ave")),
                    self.t(f"reading.{reliability_reading(row, modes[name])}"),
                ]
                for name, row in self.result.reliability.iterrows()
            ],
            self.t("reliability.note"),
        )

    def _loadings_table(self) -> Table:
        return Table(
            self.t("loadings.caption", level=self.level),
            self.columns("item", "wording", "construct", "loading", "interval", "weight", "share"),
            "lllrrrr",
            [
                [
                    row["item"],
                    self.label(row["item"]),
                    self.label(row["construct"]),
                    number(row["loading"]),
                    interval(row["loading_ci_lower"], row["loading_ci_upper"], 2),
                    number(row["weight"]),
                    percent(row["share"]),
                ]
                for row in self.result.loadings.to_dict("records")
            ],
            self.t("loadings.note"),
        )

    def _htmt_table(self) -> Table:
        """The ratios below the diagonal; those above the limit are marked and named."""
        htmt, names = self.result.htmt, list(self.result.htmt.index)
        pairs = [
            self.t("htmt.pair", one=self.label(other), other=self.label(one))
            for place, one in enumerate(names)
            for other in names[:place]
            if htmt.loc[one, other] > _HTMT_LIMIT
        ]
        note = self.t("htmt.bad", pairs=self.t("list_separator").join(pairs)) if pairs else self.t("htmt.good")
        return Table(
            self.t("htmt.caption"),
            [*self.columns("construct"), *map(self.label, names[:-1])],
            "l" + "r" * (len(names) - 1),
            [
                [
                    self.label(one),
                    *(_marked(htmt.loc[one, other]) if other in names[:place] else "" for other in names[:-1]),
                ]
                for place, one in enumerate(names)
                if place
            ],
            note,
        )

    def _method(self) -> Section:
        rows = [[self._setting(name), self._setting_value(name, value)] for name, value in self.result.method.items()]
        table = Table(self.t("method.caption"), self.columns("fact", "value"), "ll", rows)
        return replace(
            self.section("method", [table]),
            intro=self.t("method.index"),
            formula=part("index_formula.html"),
            paragraphs=self._method_words(),
            listings=[self.references()],
        )

    def _setting(self, name: str) -> str:
        return self.t(f"setting.{name}") if f"setting.{name}" in self.t else name

    def _setting_value(self, name: str, value: Any) -> str:
        if name == "fit" and value is not None:
            known = [f"{self.t(f'fit.{key}')} {number(each, 3)}" for key, each in value.items() if each is not None]
            return self.t("list_separator").join(known) or self.t("setting.none")
        if isinstance(value, dict):
            counted = [f"{self.label(key)} {count}" for key, count in value.items() if count]
            return self.t("list_separator").join(counted) or self.t("setting.none")
        if value is None:
            return self.t("setting.none")
        key = f"setting.{name}.{value}"
        return self.t(key) if key in self.t else str(value)

    def _method_words(self) -> list[str]:
        drawn = {"bootstrap": self.result.bootstrap, "level": self.level, "seed": self.result.seed}
        estimator = f"method.estimator.{self.result.method['estimator']}"
        interval = f"method.interval.{self.result.method['interval']}"
        return [
            self.t("method.symbols"),
            self.t(f"method.engine.{self.result.engine}"),
            *([self.t(estimator)] if estimator in self.t else []),
            self.t(interval if interval in self.t else "method.bootstrap", **drawn),
        ]


def differences_of(result: SatisfactionIndex) -> pd.DataFrame:
    """Every two groups compared; empty without groups, and of a solution that must not be used."""
    import pandas as pd

    return pd.DataFrame() if result.by_group.empty or result.refusals else result.group_differences()


def _path_reading(lower: float, upper: float) -> str:
    if math.isnan(lower) or math.isnan(upper):
        return "paths.unknown"
    if lower > 0:
        return "paths.clear"
    return "paths.negative" if upper < 0 else "paths.unclear"


def _effect(value: float) -> str:
    """An effect; a dash where no arrow leads, which the estimate states as exactly zero."""
    return number(value if value else math.nan)


def _marked(ratio: float) -> str:
    return ("▲ " if ratio > _HTMT_LIMIT else "") + number(ratio, 2)
