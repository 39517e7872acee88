"""The report of a weights study (chapter 8): weights by every method, the index under each, and what depends on them.

Words come from the catalogues in English or Chinese, numbers from the result; the frame is :mod:`crmlab.studies.page`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from crmlab.plots.weighting import method_name
from crmlab.studies.page import Section, Sentence, Table, drawn, part
from crmlab.studies.survey import SurveyPage, band, on_gauge
from crmlab.studies.texts import Texts, interval, number, percent

if TYPE_CHECKING:
    from crmlab.responses import Responses
    from crmlab.weighting import Comparison, Sensitivity

_LEVELS = (2, 3, 4)

SOURCES = (
    "Diakoulaki, D., Mavrotas, G., & Papayannakis, L. (1995). Determining objective weights in multiple criteria "
    "problems: the CRITIC method. Computers & Operations Research, 22(7), 763–770.",
    "Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., & Bryant, B. E. (1996). The American Customer Satisfaction "
    "Index: nature, purpose, and findings. Journal of Marketing, 60(4), 7–18.",
    "Harker, P. T. (1987). Incomplete pairwise comparisons in the analytic hierarchy process. Mathematical Modelling, "
    "9(11), 837–848.",
    "Kendall, M. G., & Babington Smith, B. (1940). On the method of paired comparisons. Biometrika, 31(3/4), 324–345.",
    "Lohmöller, J.-B. (1989). Latent Variable Path Modeling with Partial Least Squares. Physica.",
    "Saaty, T. L. (1980). The Analytic Hierarchy Process. McGraw-Hill.",
    "Shannon, C. E. (1948). A mathematical theory of communication. Bell System Technical Journal, 27, 379–423.",
)


def html(result: Comparison, shaken: Sensitivity, method: str, language: str = "en", *, responses: Responses) -> str:
    """Return the report of a weights study as text.

    Parameters
    ----------
    result
        All weightings of the survey.
    shaken
        The sensitivity of one of them.
    method
        The name of that one; it is the headline.
    language
        ``"en"`` or ``"zh"``.
    responses
        The answers that were weighed: the report says what was found in them.

    Raises
    ------
    InputError
        If there is no report in that language.

    Examples
    --------
    >>> from crmlab import Questionnaire, weighting
    >>> from crmlab.studies import read_answers
    >>> design = Questionnaire.shipped("course_csi")
    >>> answers = read_answers("survey", design)
    >>> found = weighting.compare(design, answers)
    >>> page = html(found, found.sensitivity("CRITIC", draws=50), "CRITIC", "zh", responses=answers)
    >>> "CRITIC 法" in page
    True
    """
    return _WeightsPage(result, Texts(language, "weights"), responses, shaken, method).html()


@dataclass(frozen=True)
class _WeightsPage(SurveyPage):
    """What the page says, part by part in the order of the page."""

    shaken: Any
    method: str

    sources: ClassVar[tuple[str, ...]] = SOURCES

    @property
    def anchors(self) -> list[str]:
        anchors = ["weights", "index", "groups", "levels", "sensitivity", "judges", "limits", "data", "method"]
        empty = {"groups": self.result.by_group.empty, "judges": self.result.judges.empty}
        return [anchor for anchor in anchors if not empty.get(anchor)] + ["provenance"]

    def name(self, method: str) -> str:
        return method_name(method, self.t.language)

    def node(self, node: str) -> str:
        from crmlab.weighting.shaking import node_label

        return node_label(self.result.questionnaire, node, self.t.language)

    def word(self, name: str) -> str:
        """The name of a method, or of what is weighed; any other word stays as it is."""
        facets = self.result.questionnaire.facets
        known = {"index", *self.result.questionnaire.constructs.index, *(facets["construct"] + " / " + facets["facet"])}
        return self.node(name) if name in known else self.name(name)

    # --- Top of the page --------------------------------------------------------------------------------------------

    def headline(self) -> dict[str, Any]:
        index = self.result.index["index"]
        row = self.result.index.loc[self.method]
        words = {
            "method": self.name(self.method),
            "index": number(row["index"], 1),
            "lower": number(row["ci_lower"], 1),
            "upper": number(row["ci_upper"], 1),
            "lowest": number(index.min(), 1),
            "highest": number(index.max(), 1),
            "count": len(index),
            "level": self.level,
            "n": self.result.n,
        }
        return {
            "label": self.t("headline.label", **words),
            "index": words["index"],
            "sentence": self.t("headline.sentence", **words),
            "gauge": self.t("gauge.alt", **words),
            "mark": on_gauge(row["index"]),
            "band": band(index.min(), index.max()),
        }

    def facts(self) -> list[dict[str, str]]:
        weights = self.result.weights
        spans = weights.max(axis=1) - weights.min(axis=1)
        item = spans.idxmax()
        lowest, highest = percent(weights.loc[item].min(), 1), percent(weights.loc[item].max(), 1)
        found = [
            self.fact("spread", spread=number(self.result.spread, 1), count=str(weights.shape[1])),
            self.fact("item", item=str(item), lowest=lowest, highest=highest),
        ]
        return [*found, *self._order()]

    def _order(self) -> list[dict[str, str]]:
        """How many orders the groups come in, if there are two or more."""
        if self.result.group_agreement.empty:
            return []
        orders = self.result.ranks().T.drop_duplicates()
        key = "order" if len(orders) == 1 else "orders"
        return [self.fact(key, count=str(len(orders)), methods=str(self.result.weights.shape[1]))]

    # --- Sections ---------------------------------------------------------------------------------------------------

    def _weights(self) -> Section:
        weights = self.result.weights
        table = Table(
            self.t("weights.caption"),
            [*self.columns("item"), *map(self.name, weights.columns)],
            "l" + "r" * weights.shape[1],
            [[str(item), *(number(100 * weight, 1) for weight in row)] for item, row in weights.iterrows()],
            self.t("weights.note"),
        )
        return self.section("weights", [table, self._agreement("item")], self._figure("weights"))

    def _agreement(self, of: str) -> Table:
        """Kendall's τ below the diagonal."""
        matrix = getattr(self.result, f"{of}_agreement")
        names = list(matrix.index)
        return Table(
            self.t(f"{of}_agreement.caption"),
            [*self.columns("method"), *map(self.name, names[:-1])],
            "l" + "r" * (len(names) - 1),
            [
                [
                    self.name(one),
                    *(number(matrix.loc[one, other], 2) if other in names[:place] else "" for other in names[:-1]),
                ]
                for place, one in enumerate(names)
                if place
            ],
            self.t(f"{of}_agreement.note"),
        )

    def _index(self) -> Section:
        table = Table(
            self.t("index.caption", level=self.level),
            self.columns("method", "index", "interval", "difference", "interval"),
            "lrrrr",
            [
                [
                    self.name(str(name)),
                    number(row["index"], 1),
                    interval(row["ci_lower"], row["ci_upper"], 1),
                    number(row["difference"], 2),
                    interval(row["difference_ci_lower"], row["difference_ci_upper"], 2),
                ]
                for name, row in self.result.index.iterrows()
            ],
            self.t("index.note"),
        )
        return self.section("index", [table], self._figure("index"))

    def _groups(self) -> Section:
        rows = self.result.by_group
        methods = list(dict.fromkeys(rows["method"]))
        cells = {
            (row["group"], row["method"]): f"{number(row['index'], 1)} ({row['rank']})"
            for row in rows.to_dict("records")
        }
        sizes = rows.drop_duplicates("group").set_index("group")["n"]
        table = Table(
            self.t("groups.caption"),
            [self.label(self.result.by), *self.columns("n"), *map(self.name, methods)],
            "lr" + "r" * len(methods),
            [[str(group), str(n), *(cells[group, method] for method in methods)] for group, n in sizes.items()],
            self.t("groups.note"),
        )
        tables = [table] if self.result.group_agreement.empty else [table, self._agreement("group")]
        return self.section("groups", tables, self._figure("groups"))

    def _levels(self) -> Section:
        own = self.result.levels[self.result.levels["method"] == self.method]
        tables = [self._level(own[own["level"] == level], level) for level in _LEVELS]
        return self.section("levels", tables, self._figure("levels"), method=self.name(self.method))

    def _level(self, rows: Any, level: int) -> Table:
        return Table(
            self.t(f"levels.caption.{level}"),
            self.columns("node", "global", "local"),
            "lrr",
            [[self.node(row.node), percent(row[-1], 1), percent(row.local, 1)] for row in rows.itertuples(index=False)],
        )

    def _sensitivity(self) -> Section:
        words = {
            "method": self.name(self.method),
            "change": f"{100 * self.shaken.change:g}",
            "draws": self.shaken.draws,
            "lower": number(self.shaken.noise["lower"], 1),
            "upper": number(self.shaken.noise["upper"], 1),
        }
        constructs = self.shaken.swings[self.shaken.swings["level"] == 2].sort_values("swing", ascending=False)
        swings = Table(
            self.t("swings.caption", **words),
            self.columns("node", "weight", "index_low", "index_high", "groups_moved"),
            "lrrrr",
            [
                [
                    self.node(row["node"]),
                    percent(row["weight"], 1),
                    number(row["index_low"], 2),
                    number(row["index_high"], 2),
                    str(row["groups_moved"]),
                ]
                for row in constructs.to_dict("records")
            ],
        )
        tables = [swings] if len(constructs) else []
        ranks = self.shaken.ranks
        if len(ranks) > 1:
            header = [self.label(self.result.by), *(self.t("ranks.place", place=place) for place in ranks.columns)]
            rows = [[str(group), *(percent(share) for share in row)] for group, row in ranks.iterrows()]
            tables.append(Table(self.t("ranks.caption", **words), header, "l" + "r" * len(ranks), rows))
        figure = drawn(self.shaken.plot(4, self.t.language))
        return self.section("sensitivity", tables, figure, **words)

    def _judges(self) -> Section:
        table = Table(
            self.t("judges.caption"),
            self.columns("node", "method", "judge", "consistency_ratio", "circular_triads", "agreement"),
            "lllrrr",
            [
                [
                    self.node(row["of"]),
                    self.t(f"judged.{row['method']}"),
                    str(row["judge"]),
                    number(row["consistency_ratio"], 3),
                    number(row["circular_triads"], 0),
                    number(row["agreement"], 2),
                ]
                for row in self.result.judges.to_dict("records")
            ],
            self.t("judges.note"),
        )
        return self.section("judges", [table])

    def _limits(self) -> Section:
        return replace(self.section("limits"), points=self.t.entries("limits"))

    def _method(self) -> Section:
        methods = [method for method in self.result.weights if f"method.{method}" in self.t]
        rows = [[self.name(method), self.t(f"method.{method}")] for method in methods]
        table = Table(self.t("methods.caption"), self.columns("method", "fact"), "ll", rows)
        return replace(
            self.section("method", [table]),
            intro=self.t("method.index"),
            formula=part("index_formula.html"),
            paragraphs=[self.t("method.symbols"), self.t("method.interval", level=self.level)],
            listings=[self.references()],
        )

    def _provenance(self) -> Section:
        judgements = self.result.judgements
        files = [("judgements", judgements.source, judgements.sha256)] if judgements else []
        return self.provenance([*self.files(), *files])

    def _figure(self, kind: str) -> Any:
        return drawn(self.result.plot(kind, self.t.language, self.method))

    def problems(self) -> list[Sentence]:
        shaken = [problem for problem in self.shaken.problems if problem not in self.result.problems]
        whole = replace(self.result, problems=[*self.result.problems, *shaken])
        return SurveyPage.problems(replace(self, result=whole)) if shaken else super().problems()
