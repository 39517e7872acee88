"""The report of an RFM study (chapter 3): segments, the map of scores, the rules, and what they cannot say.

Words come from the catalogues in English or Chinese, numbers from the result; the frame is :mod:`crmlab.studies.page`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from crmlab.studies.page import Listing, Section, Sentence, StudyPage, Table, drawn
from crmlab.studies.texts import Texts, number, percent

if TYPE_CHECKING:
    from crmlab.rfm import RfmAnalysis

SOURCES = (
    "Fader, P. S., Hardie, B. G. S., & Lee, K. L. (2005). RFM and CLV: Using iso-value curves for customer base "
    "analysis. Journal of Marketing Research, 42(4), 415–430.",
    "Hughes, A. M. (1994). Strategic Database Marketing. Probus.",
    "Hyndman, R. J., & Fan, Y. (1996). Sample quantiles in statistical packages. The American Statistician, 50(4), "
    "361–365.",
)


def html(result: RfmAnalysis, language: str = "en", *, sha256: str | None = None) -> str:
    """The report of an RFM analysis as text.

    Parameters
    ----------
    result
        From :func:`crmlab.rfm.analyse`.
    language
        ``"en"`` or ``"zh"``.
    sha256
        Checksum of the data file, where there is one.

    Raises
    ------
    InputError
        If there is no report in that language.

    Examples
    --------
    >>> from crmlab import Transactions, rfm
    >>> from crmlab.datasets import load_cdnow
    >>> analysis = rfm.analyse(Transactions(load_cdnow(sample=True)), scheme="quantile")
    >>> "重要价值客户" in html(analysis, "zh")
    True
    """
    return _RfmPage(result, Texts(language, "rfm"), sha256).html()


@dataclass(frozen=True)
class _RfmPage(StudyPage):
    """What the page says, part by part in the order of the page."""

    sha256: str | None

    template: ClassVar[str] = "number_page.html.j2"
    sources: ClassVar[tuple[str, ...]] = SOURCES

    @property
    def anchors(self) -> list[str]:
        return ["segments", "map", "rules", "limits", "data", "provenance"]

    @property
    def title(self) -> str:
        return self.t("title")

    @property
    def byline(self) -> str:
        words = {"n": f"{len(self.result.customers):,}", "lines": f"{self.result.transactions:,}"}
        return self.t("byline.orders", **words, data=self.result.source, day=self.result.as_of)

    def headline(self) -> dict[str, Any]:
        row = self.result.largest
        words = {
            "segment": self._label(row.name),
            "customers": percent(row["share"]),
            "revenue": percent(row["revenue_share"]),
            "top": self._share("top_20"),
            "day": str(self.result.as_of),
        }
        said = {key: self.t(f"headline.{key}", **words) for key in ("label", "unit", "sentence")}
        return {**said, "scale": self.t("headline.day", **words), "number": words["revenue"]}

    def facts(self) -> list[dict[str, str]]:
        customers = self.result.customers
        once = percent(float((customers["frequency"] == 1).mean()))
        return [
            self.fact("top", share=self._share("top_20")),
            self.fact("once", share=once),
            self.fact("recent", days=number(customers["recency_days"].median(), 0)),
        ]

    def problems(self) -> list[Sentence]:
        told = [
            (sentence, self.t.problem(sentence, lambda word: self._known("word", word)))
            for sentence in self.result.problems
        ]
        return [Sentence(own or sentence, self.tag if own else "en") for sentence, own in told]

    def _segments(self) -> Section:
        rows = [
            [
                self._label(name),
                f"{row['customers']:,.0f}",
                percent(row["share"], 1),
                percent(row["revenue_share"], 1),
                number(row["recency_days"], 0),
                number(row["frequency"], 1),
                number(row["monetary"], 2),
            ]
            for name, row in self.result.segments.iterrows()
        ]
        keys = ("segment", "customers", "share", "revenue_share", "recency", "orders", "money")
        sizes = Table(self.t("segments.caption"), self._columns(*keys), "lrrrrrr", rows, self.t("segments.note"))
        figure = drawn(self.result.plot("segments", language=self.t.language))
        return self.section("segments", [sizes, self._actions()], figure, section=self.numbers["rules"])

    def _actions(self) -> Table:
        about, language = self.result.rules.about, self.t.language
        rows = [
            [self._label(name), about.loc[name, f"what_{language}"], about.loc[name, f"action_{language}"]]
            for name in self.result.segments.index
        ]
        return Table(self.t("actions.caption"), self._columns("segment", "who", "action"), "lll", rows)

    def _map(self) -> Section:
        shares = self.result.grid.pivot(index="r", columns="f", values="revenue_share")
        header = [*self._columns("r_f"), *(f"F{score}" for score in shares.columns)]
        rows = [
            [f"R{score}", *(percent(value, 1) for value in row)]
            for score, row in zip(shares.index, shares.to_numpy().tolist(), strict=True)
        ]
        table = Table(self.t("map.caption"), header, "l" + "r" * len(shares.columns), rows)
        return self.section("map", [table], drawn(self.result.plot("customers", language=self.t.language)))

    def _rules(self) -> Section:
        attrs = self.result.customers.attrs
        bands = [
            [self.t(f"measure.{row['measure']}"), row["band"], self._unit(row), str(row["score"])]
            for row in self.result.bands.table.to_dict("records")
        ]
        rules = [
            [self._label(row["segment"]), *(self._levels(str(row[name])) for name in ("r", "f", "m"))]
            for row in self.result.rules.rules.to_dict("records")
        ]
        tables = [
            Table(self.t("bands.caption"), self._columns("measure", "band", "unit", "score"), "lllr", bands),
            Table(
                self.t("rules.caption"),
                [*self._columns("segment"), *(self.t(f"measure.{name}") for name in ("r", "f", "m"))],
                "llll",
                rules,
                self.t("rules.note"),
            ),
        ]
        words = {"money": self.t(f"money.{attrs['monetary']}"), "scheme": self.t(f"scheme.{attrs['scheme']}")}
        return replace(self.section("rules", tables, **words), listings=[self.references()])

    def _limits(self) -> Section:
        return replace(self.section("limits"), points=self.t.entries("limits"))

    def _data(self) -> Section:
        counted = self.result.customers.attrs["orders"]
        rows = [
            [self.t("data.in"), f"{self.result.transactions:,}"],
            [self.t("data.customers"), f"{len(self.result.customers):,}"],
            [self.t("data.as_of"), str(self.result.as_of)],
            [self.t("data.counted"), self.t(f"counted.{counted}")],
        ]
        listings: list[Listing] = self.further(self.t("data.problems"))
        table = Table(self.t("data.caption"), self._columns("fact", "value"), "ll", rows)
        return replace(self.section("data", [table]), listings=listings)

    def _provenance(self) -> Section:
        return self.provenance([("data", self.result.source, self.sha256)])

    def _columns(self, *keys: str) -> list[str]:
        return [self.t(f"column.{key}") for key in keys]

    def _label(self, name: Any) -> str:
        return str(self.result.rules.about.loc[name, "zh"]) if self.t.language == "zh" else str(name)

    def _share(self, key: str) -> str:
        share = self.result.pareto[key]
        return percent(float("nan") if share is None else share)

    def _unit(self, band: dict[str, Any]) -> str:
        unit = band["unit"] if isinstance(band["unit"], str) else "money"
        return self._known("unit", unit)

    def _levels(self, rule: str) -> str:
        return " ".join(self._known("level", word) for word in rule.split())

    def _known(self, kind: str, word: str) -> str:
        """The word in the report's language; one of the user's own stays as it is."""
        return self.t(f"{kind}.{word}") if f"{kind}.{word}" in self.t else word
