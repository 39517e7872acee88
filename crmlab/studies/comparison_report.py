"""The files of a comparison, and its page: branches or waves side by side, each with the way to its own report.

Words come from the catalogues in English or Chinese, numbers from the studies; the frame is :mod:`crmlab.studies.page`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from crmlab import workbook
from crmlab.studies.folder import COMPARISON, files
from crmlab.studies.page import Section, Sentence, StudyPage, Table, drawn
from crmlab.studies.pairs import about_pairs, of_changes, of_pairs
from crmlab.studies.texts import Texts, interval, number, percent

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.studies.comparison import Comparison

_POINTS = dict.fromkeys(("groups", "constructs", "differences", "changes", "methods"), "0.0")


def html(comparison: Comparison) -> str:
    """The page of a comparison as text."""
    return _PAGES[comparison.kind](comparison, Texts(comparison.language, "comparison")).html()


def write_comparison(comparison: Comparison, out: str | Path) -> None:
    """Write ``comparison.html``, ``comparison.xlsx`` and ``comparison.json`` beside the folders of the studies."""
    folder = Path(out)
    texts = Texts(comparison.language, "comparison")
    page = html(comparison)
    (folder / "comparison.html").write_text(page, encoding="utf-8")
    titles = {name: texts(f"sheet.comparison.{name}") for name in comparison.tables}
    workbook.write_xlsx(comparison.tables, folder / "comparison.xlsx", titles=titles, formats=_POINTS)
    numbers = {**comparison.to_dict(), "files": sorted({*files(folder), COMPARISON})}
    written = json.dumps(numbers, ensure_ascii=False, allow_nan=False, indent=2)
    (folder / COMPARISON).write_text(written + "\n", encoding="utf-8")


@dataclass(frozen=True)
class _ComparisonPage(StudyPage):
    """What every comparison says: who is compared, what became of each, what it cannot say."""

    result: Any
    template: ClassVar[str] = "number_page.html.j2"
    #: The sections of a kind of study between the first and the last.
    middle: ClassVar[tuple[str, ...]] = ()

    @property
    def anchors(self) -> list[str]:
        own = [anchor for anchor in self.middle if anchor != "changes" or "changes" in self.result.tables]
        return [*own, "limits", "data", "provenance"]

    @property
    def title(self) -> str:
        return self.result.title or self.t("comparison.title.orders")

    @property
    def byline(self) -> str:
        return self.t("comparison.byline", each=self.each, count=len(self.result.outcomes), names=self._names())

    @property
    def each(self) -> str:
        """What is compared: the label of the column, or the word for a wave."""
        if self.result.are_waves:
            return self.t("comparison.wave")
        return str(self.result.labels.get(self.result.each, self.result.each))

    @property
    def known(self) -> pd.DataFrame:
        """The rows of those that were estimated."""
        groups: pd.DataFrame = self.result.groups
        return groups[groups["reason"].isna()]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return _rows(self.known)

    def problems(self) -> list[Sentence]:
        lost = self.result.groups[self.result.groups["reason"].notna()]
        told = [self._lost(row["group"], row["reason"]) for row in _rows(lost)]
        told += [self.t("comparison.refused", name=name) for name in self.result.refused]
        return [Sentence(words, self.tag) for words in (*told, *self.cautions())]

    def _lost(self, name: str, reason: str) -> Any:
        """That a study could not be made, and why: in the page's words where it has them, else quoted."""
        from markupsafe import Markup, escape

        if own := self.t.problem(reason, self._label):
            return self.t("comparison.lost", name=name, reason=own)
        return Markup(self.t("comparison.lost.quoted", name=escape(name), reason=self.quoted(reason)))

    def _outcome(self, row: dict[str, Any]) -> Any:
        if isinstance(row["reason"], str):
            return self.t.problem(row["reason"], self._label) or self.quoted(row["reason"])
        return self.t("comparison.made.refused" if row["group"] in self.result.refused else "comparison.made")

    def _label(self, name: str) -> str:
        return str(self.result.labels.get(name, name))

    def cautions(self) -> list[str]:
        """What a careful analyst would object to in every comparison of this kind."""
        return [self.t(f"comparison.caution.{self.result.kind}")]

    def columns(self, *keys: str) -> list[str]:
        return [self.each if key == "each" else self.t(f"column.{key}", level=self.level) for key in keys]

    def linked(self, row: dict[str, Any]) -> Any:
        """The name of a branch, leading to its report where there is one."""
        from markupsafe import Markup

        if not isinstance(row["report"], str):
            return row["group"]
        return Markup('<a href="{}">{}</a>').format(quote(row["report"]), row["group"])

    def extremes(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The rows of the highest and of the lowest index; one without a number only where none has one."""
        numbered = self.known.dropna(subset="index")
        ordered = _rows((self.known if numbered.empty else numbered).sort_values("index", kind="stable"))
        return ordered[-1], ordered[0]

    def estimated(self) -> dict[str, str]:
        return self.fact("estimated", done=str(len(self.known)), all=str(len(self.result.outcomes)))

    def _names(self) -> str:
        names = [outcome.name for outcome in self.result.outcomes]
        return self.t("list_separator").join(names[:6]) + (" …" if len(names) > 6 else "")

    def _limits(self) -> Section:
        words = self.t.entries("limits")
        return replace(self.section("limits"), points=words[: None if self.result.are_waves else -1])

    def _data(self) -> Section:
        rows = [
            [
                self.linked(row),
                "" if row["objections"] != row["objections"] else f"{row['objections']:.0f}",
                self._outcome(row),
            ]
            for row in _rows(self.result.groups)
        ]
        table = Table(self.t("comparison.caption"), self.columns("each", "objections", "outcome"), "lrl", rows)
        listings = self.further(self.t("data.objections"))
        return replace(self.section("data", [table]), listings=listings)

    def _provenance(self) -> Section:
        return self.provenance(self.result.files)


@dataclass(frozen=True)
class _IndexPage(_ComparisonPage):
    middle: ClassVar[tuple[str, ...]] = ("groups", "changes", "differences", "constructs")

    def headline(self) -> dict[str, Any]:
        high, low = self.extremes()
        words = {
            "each": self.each,
            "index": self._label(self.result.index),
            "high": high["group"],
            "low": low["group"],
            "high_index": number(high["index"], 1),
            "low_index": number(low["index"], 1),
            "high_interval": interval(high["ci_lower"], high["ci_upper"], 1),
            "low_interval": interval(low["ci_lower"], low["ci_upper"], 1),
            "level": self.level,
        }
        said = {key: self.t(f"comparison.headline.{key}", **words) for key in ("label", "unit", "sentence", "scale")}
        if len(numbered := self.known.dropna(subset="index")) < 2:
            key = "one" if len(numbered) else "none"
            alone = {"sentence": self.t(f"comparison.headline.{key}", **words), "scale": ""}
            return {**said, **alone, "number": number(math.nan)}
        return {**said, "number": number(high["index"] - low["index"], 1)}

    def facts(self) -> list[dict[str, str]]:
        pairs = self.result.tables["differences"]
        clear = str(int((pairs["pvalue_adjusted"] < 1 - self.result.level).sum()))
        return [
            self.estimated(),
            self.fact("clear", clear=clear, pairs=str(int(pairs["pvalue"].notna().sum()))),
            self.fact("respondents", n=f"{int(self.known['n'].sum()):,}"),
        ]

    def cautions(self) -> list[str]:
        return super().cautions() + [self.t("comparison.caution.waves")] * self.result.are_waves

    def _groups(self) -> Section:
        from crmlab.plots.csi import group_intervals

        rows = [
            [
                self.linked(row),
                f"{row['n']:.0f}",
                number(row["index"], 1),
                interval(row["ci_lower"], row["ci_upper"], 1),
                number(row["se"], 2),
            ]
            for row in self.rows
        ]
        header = self.columns("each", "n", "index", "interval", "se")
        table = Table(self.t("comparison.groups.caption", level=self.level), header, "lrrrr", rows)
        shown = self.known.dropna(subset="index").astype({"n": int}).assign(construct=self.result.index)
        how: dict[str, Any] = {"level": self.result.level, "labels": self.result.labels, "language": self.t.language}
        figure = drawn(group_intervals(shown, self.result.index, **how)) if len(shown) else ""
        return self.section("groups", [table], figure, index=self._label(self.result.index), each=self.each)

    def _changes(self) -> Section:
        return self.section("changes", [of_changes(self, self.result.tables["changes"])])

    def _differences(self) -> Section:
        table = self.result.tables["differences"]
        tables = [of_pairs(self, table, "comparison.xlsx")]
        return self.section("differences", tables, **about_pairs(self, table))

    def _constructs(self) -> Section:
        each = self.result.tables["constructs"].pivot(index="group", columns="construct", values="index")
        names = list(dict.fromkeys(self.result.tables["constructs"]["construct"]))
        rows = [[self.linked(row), *(number(each.loc[row["group"], name], 1) for name in names)] for row in self.rows]
        header = [*self.columns("each"), *map(self._label, names)]
        caption = self.t("comparison.constructs.caption")
        return self.section("constructs", [Table(caption, header, "l" + "r" * len(names), rows)])


@dataclass(frozen=True)
class _OrdersPage(_ComparisonPage):
    middle: ClassVar[tuple[str, ...]] = ("customers", "segments")

    def headline(self) -> dict[str, Any]:
        customers = self.known["customers"].astype(int)
        top = self.rows[int(customers.to_numpy().argmax())]
        words = {
            "each": self.each,
            "name": top["group"],
            "customers": f"{customers.max():,}",
            "share": percent(customers.max() / customers.sum()),
            "segment": self._segment(top["largest"]),
        }
        keys = ("label", "unit", "sentence", "scale")
        said = {key: self.t(f"comparison.orders.{key}", **words) for key in keys}
        return {**said, "number": f"{customers.max():,}"}

    def facts(self) -> list[dict[str, str]]:
        return [self.estimated(), self.fact("customers", customers=f"{int(self.known['customers'].sum()):,}")]

    def cautions(self) -> list[str]:
        schemes = {outcome.numbers["scheme"] for outcome in self.result.estimated}
        return super().cautions() + [self.t("comparison.caution.quantile")] * ("quantile" in schemes)

    def _customers(self) -> Section:
        rows = [
            [
                self.linked(row),
                f"{row['customers']:,.0f}",
                f"{row['transactions']:,.0f}",
                str(row["as_of"]),
                self._segment(row["largest"]),
                percent(row["top_20"]),
            ]
            for row in self.rows
        ]
        header = self.columns("each", "customers", "lines", "as_of", "largest", "top_20")
        return self.section("customers", [Table(self.t("comparison.customers.caption"), header, "lrrllr", rows)])

    def _segments(self) -> Section:
        from crmlab.plots.rfm import share_map

        table = self.result.tables["segments"]
        order = list(dict.fromkeys(table["segment"]))
        tables, shares = [], {}
        for value in ("share", "revenue_share"):
            shares[value] = table.pivot(index="group", columns="segment", values=value)
            shares[value] = shares[value].loc[self.known["group"], order].astype(float)
            rows = [
                [self.linked(row), *(percent(each, 1) for each in shares[value].loc[row["group"]])] for row in self.rows
            ]
            header = [*self.columns("each"), *map(self._segment, order)]
            tables.append(Table(self.t(f"comparison.{value}.caption"), header, "l" + "r" * len(order), rows))
        labels = {name: self._segment(name) for name in order}
        figure = drawn(share_map(shares["share"], labels=labels, language=self.t.language))
        return self.section("segments", tables, figure)

    def _segment(self, name: str) -> str:
        from crmlab import rfm

        about = rfm.Segments.default().about
        return str(about.loc[name, "zh"]) if self.t.language == "zh" and name in about.index else str(name)


@dataclass(frozen=True)
class _WeightsPage(_ComparisonPage):
    middle: ClassVar[tuple[str, ...]] = ("methods",)

    def headline(self) -> dict[str, Any]:
        high, low = self.extremes()
        words = {
            "each": self.each,
            "high": high["group"],
            "low": low["group"],
            "high_index": number(high["index"], 1),
            "low_index": number(low["index"], 1),
        }
        keys = ("label", "unit", "sentence", "scale")
        said = {key: self.t(f"comparison.weights.{key}", **words) for key in keys}
        return {**said, "number": number(high["index"] - low["index"], 1)}

    def facts(self) -> list[dict[str, str]]:
        return [self.estimated(), self.fact("respondents", n=f"{int(self.known['n'].sum()):,}")]

    def _methods(self) -> Section:
        from crmlab.plots.weighting import method_name

        table = self.result.tables["methods"].set_index("group")
        rows = [[self.linked(row), *(number(index, 1) for index in table.loc[row["group"]])] for row in self.rows]
        header = [*self.columns("each"), *(method_name(name, self.t.language) for name in table.columns)]
        return self.section("methods", [Table(self.t("methods.caption"), header, "l" + "r" * table.shape[1], rows)])


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


_PAGES: dict[str, type[_ComparisonPage]] = {"csi": _IndexPage, "rfm": _OrdersPage, "weights": _WeightsPage}
