"""The one-page brief of a retention plan (chapter 11): what a manager reads before she decides.

Question, headline number with its interval, who, what and at what cost, what is not known, next step; one figure. The
page opens offline, prints on one sheet of A4, and names no customer. Words come from the catalogues, in English or
Chinese.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from crmlab.studies.page import Sentence, StudyPage, drawn, part
from crmlab.studies.texts import Texts, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from crmlab.action import Allocation

#: Chosen in so large a share of the simulated truths, a customer is a safe choice.
SAFE = 0.8


def html(plan: Allocation, language: str = "en") -> str:
    """The brief of a plan as text.

    Parameters
    ----------
    plan
        From :func:`crmlab.action.allocate`.
    language
        ``"en"`` or ``"zh"``.

    Raises
    ------
    InputError
        If there is no brief in that language.

    Examples
    --------
    >>> from crmlab import action
    >>> from crmlab.datasets import simulate_company
    >>> company = simulate_company(300, seed=1, pilot=600)
    >>> pilot = action.link(company.pilot.orders, company.pilot.survey)
    >>> lessons = action.learn(pilot, company.pilot.outcomes)
    >>> risk = action.at_risk(action.link(company.orders, company.survey), lessons)
    >>> "下一步" in html(action.allocate(risk, 500, company.levels, draws=50), "zh")
    True
    """
    return _Brief(plan, Texts(language, "action")).html()


def write(plan: Allocation, path: str | Path, language: str = "en") -> Path:
    """Write the brief to a file and return its path; parameters as for `html`."""
    target = Path(path)
    target.write_text(html(plan, language), encoding="utf-8")
    return target


@dataclass(frozen=True)
class _Brief(StudyPage):
    """What the brief says, in the order of the page."""

    template: ClassVar[str] = "action_brief.html.j2"
    anchors: ClassVar[list[str]] = []  # type: ignore[assignment]

    def content(self) -> dict[str, Any]:
        return super().content() | {
            "own_style": part("action_brief.css"),
            "who": self._who(),
            "what": self._what(),
            "figure": drawn(self._figure()),
            "unknown": self._unknown(),
            "next": self.t("next.text", sure=f"{self._sure:,}"),
            "provenance": self.t("provenance", version=version("crmlab"), seed=self.result.seed),
        }

    @property
    def title(self) -> str:
        return self.t("title")

    @property
    def byline(self) -> str:
        linked = self.result.risk.linked
        counts = {"customers": linked.counts["customers"], "answered": linked.counts["linked"]}
        return self.t("byline.brief", **{name: f"{n:,}" for name, n in counts.items()}, day=linked.as_of)

    def headline(self) -> dict[str, Any]:
        plan, rivals = self.result, self.result.comparison.drop(index=["linked plan", "greedy", "do nothing"])
        rival = rivals[rivals["within_budget"]]["gain"].idxmax()
        words = {
            "treated": f"{len(plan.treated):,}",
            "alone": f"{len(plan.plan) - len(plan.treated):,}",
            "cost": _money(plan.cost),
            "budget": _money(plan.budget),
            "rival": self.t(f"plan.{rival}"),
            "naive": _money(rivals.loc[rival, "gain"]),
            "beaten": _floored(rivals.loc[rival, "beaten"]),
            "paying": _floored(plan.comparison.loc["do nothing", "beaten"]),
        }
        interval = {"level": percent(plan.level), "low": _money(plan.low), "high": _money(plan.high)}
        return {
            "label": self.t("headline.label"),
            "number": _money(plan.gain),
            "scale": self.t("headline.interval", **interval, draws=plan.draws),
            "sentence": self.t("headline.sentence", **words),
        }

    def refusal(self) -> list[Sentence]:
        """A model that did not converge supports no plan."""
        converged = self.result.risk.lessons.converged
        return [] if converged else [Sentence(self.t("refusal.converged"), self.tag)]

    def facts(self) -> list[dict[str, str]]:
        return []

    def problems(self) -> list[Sentence]:
        return []

    @property
    def _sure(self) -> int:
        return int((self.result.treated["chosen"] >= SAFE).sum())

    def _who(self) -> str:
        plan, risk = self.result, self.result.risk
        save = risk.table["quadrant"] == "save"
        both = int(save[plan.treated.index].sum())
        return self.t(
            "who.text",
            save=f"{int(save.sum()):,}",
            risk=percent(risk.risk),
            stake=_money(risk.stake),
            loss=_money(risk.quadrants.loc["save", "loss"]),
            both=f"{both:,}",
            others=f"{len(plan.treated) - both:,}",
            negative=f"{plan.negative:,}",
        )

    def _what(self) -> dict[str, Any]:
        plan, level = self.result, percent(self.result.level)
        rows = [
            [
                self._level(str(name)),
                f"{row['customers']:,.0f}",
                _money(row["cost"]),
                _money(row["gain"]),
                f"{_money(row['low'])} – {_money(row['high'])}",
            ]
            for name, row in plan.by_level[plan.by_level["customers"] > 0].iterrows()
        ]
        header = [self.t(f"column.{key}") for key in ("level", "customers", "cost", "gain")]
        return {
            "caption": self.t("what.caption"),
            "header": [*header, self.t("column.range", level=level)],
            "rows": rows,
            "note": self.t("what.price", price=number(plan.optimum.budget_price, 2)),
        }

    def _figure(self) -> Axes:
        from crmlab.plots.action import plan_gains

        plans = self.result.comparison.drop(index="greedy")
        return plan_gains(plans, level=self.result.level, language=self.t.language)

    def _unknown(self) -> list[str]:
        plan, linked, effects = self.result, self.result.risk.linked, self.result.risk.lessons.effects
        silent = int(linked.counts["without_survey"])
        customers = int(linked.counts["customers"])
        unclear = [self._level(str(name)) for name in effects.index[(effects["low"] <= 0) & (effects["high"] >= 0)]]
        pilot = f"{self.result.risk.lessons.customers:,}"
        clear = self.t("unknown.pilot.clear", pilot=pilot)
        told = (
            self.t("unknown.pilot", pilot=pilot, unclear=self.t("list_separator").join(unclear)) if unclear else clear
        )
        shown = {"silent": f"{silent:,}", "customers": f"{customers:,}", "share": percent(silent / customers)}
        return [
            *([self.t("unknown.loss", loss=_ceiled(plan.chance_of_loss))] if plan.chance_of_loss > 0 else []),
            *([self.t("unknown.cost", over=_ceiled(plan.over_budget))] if plan.over_budget > 0 else []),
            self.t("unknown.survey", **shown),
            told,
            self.t("unknown.curse", half=_money(plan.revalued(0.5)["gain"])),
            self.t("unknown.sure", sure=f"{self._sure:,}", treated=f"{len(plan.treated):,}"),
        ]

    def _level(self, name: str) -> str:
        """A level in the page's language; one of the firm's own stays as it is."""
        return self.t(f"level.{name}") if f"level.{name}" in self.t else name


def _money(value: float) -> str:
    return f"{value:,.0f}".replace("-", "−")


def _floored(share: float) -> str:
    """A share in whole per cent, not more than it is."""
    return percent(math.floor(100 * share) / 100)


def _ceiled(share: float) -> str:
    """A share in whole per cent, not less than it is."""
    return percent(math.ceil(100 * share) / 100)
