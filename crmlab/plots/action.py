"""Figures of the capstone (chapter 11): phases, pilot, calibration, who is at risk, plans compared, who is chosen.

Each function takes a plain table, draws one message, and returns the Axes with title, axis names and alternative text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .csi_texts import number
from .rows import intervals, name_rows, require, row_centres, title, value_column
from .style import PALETTE, SERIES, axes_or_new, series_marks, set_alt

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Everything the figures print or say, by language.
TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "join": "; ",
        "phase_title": "Who leaves is less satisfied, and answers less",
        "phase_title_plain": "Satisfaction by phase of the lifecycle",
        "phase_x": "Mean satisfaction of those who answered (0–100); right: customers, share who answered",
        "phase_alt": "Mean satisfaction by phase: {listing}.",
        "phase_row": "{name} {score} ({customers} customers, {share} % answered)",
        "phase_print": "{customers}, {share} %",
        "pilot_title": "What each level changed in the pilot, on average",
        "pilot_x": "Customers kept, treated less control (percentage points, {level} % interval)",
        "pilot_alt": "Difference in the share that stayed, treated less control, in percentage points: {listing}.",
        "calibration_title": "Said and seen: is the risk right?",
        "calibration_x": "Chance of being lost, as said (%)",
        "calibration_y": "Really lost (%)",
        "calibration_alt": "Share really lost over the chance said, in fifths of the control group: {listing}. The "
        "dashed diagonal would be perfect.",
        "calibration_row": "said {a} %, lost {b} %",
        "risk_title": "{customers} customers are at risk and worth keeping",
        "risk_x": "Chance to be lost within the year if left alone (%)",
        "risk_y": "Margin at stake (money, stretched scale)",
        "risk_alt": "Customers by chance of being lost and margin at stake, in four quadrants cut at {risk} % and "
        "{stake}: {listing}.",
        "save": "save",
        "protect": "protect",
        "let go": "let go",
        "leave in peace": "leave in peace",
        "gain_title": "Expected net gain of a year, by plan",
        "gain_x": "Gain less cost (money; line: {level} % interval of the simulation)",
        "gain_alt": "Expected net gain with interval by plan: {listing}.",
        "over": " (over budget)",
        "linked plan": "linked plan",
        "greedy": "linked plan, greedy",
        "top 20 % by value": "top 20 % by value",
        "at risk only": "at risk only",
        "random": "random",
        "everybody": "everybody",
        "do nothing": "do nothing",
        "chosen_title": "{sure} of {treated} treated customers are a safe choice (8 truths of 10)",
        "chosen_x": "Share of the simulated truths in which the customer would be treated (%)",
        "chosen_y": "Customers (number)",
        "chosen_alt": "Customers the pilot speaks of, by how often they would be treated, those in the plan and those "
        "outside it. {sure} of the {treated} in the plan are chosen in at least 80 % of the simulated truths; {missed} "
        "outside it in more than half.",
        "in": "in the plan",
        "out": "left alone",
    },
    "zh": {
        "join": "；",
        "phase_title": "离开的顾客更不满意，也更少作答",
        "phase_title_plain": "生命周期各阶段的满意度",
        "phase_x": "作答者的平均满意度（0–100）；右侧：顾客数、作答比例",
        "phase_alt": "各阶段的平均满意度：{listing}。",
        "phase_row": "{name} {score}（{customers} 位顾客，{share}% 作答）",
        "phase_print": "{customers}，{share}%",
        "pilot_title": "试点中各层级的平均效果",
        "pilot_x": "保留率之差：处理组减对照组（百分点，{level}% 区间）",
        "pilot_alt": "处理组与对照组保留率之差（百分点）：{listing}。",
        "calibration_title": "预测与实际：风险说得准吗？",
        "calibration_x": "预测的流失概率（%）",
        "calibration_y": "实际流失（%）",
        "calibration_alt": "对照组各五分之一的预测流失概率与实际流失比例：{listing}。虚线为完全一致。",
        "calibration_row": "预测 {a}%，实际 {b}%",
        "risk_title": "{customers} 位顾客有流失风险且值得挽留",
        "risk_x": "不采取行动时一年内的流失概率（%）",
        "risk_y": "可能失去的毛利（货币单位，拉伸刻度）",
        "risk_alt": "按流失概率与可能失去的毛利分布的顾客，以 {risk}% 和 {stake} 分为四个象限：{listing}。",
        "save": "挽留",
        "protect": "保护",
        "let go": "放手",
        "leave in peace": "不打扰",
        "gain_title": "各方案一年的期望净收益",
        "gain_x": "收益减成本（货币单位；横线：模拟的 {level} % 区间）",
        "gain_alt": "各方案的期望净收益及区间：{listing}。",
        "over": "（超出预算）",
        "linked plan": "关联方案",
        "greedy": "关联方案（贪心）",
        "top 20 % by value": "价值最高的 20%",
        "at risk only": "仅高风险者",
        "random": "随机",
        "everybody": "所有人",
        "do nothing": "什么都不做",
        "chosen_title": "{treated} 位入选顾客中，{sure} 位在八成模拟情形下仍会入选",
        "chosen_x": "该顾客在模拟情形中入选的比例（%）",
        "chosen_y": "顾客（人数）",
        "chosen_alt": "试点覆盖的顾客按入选频率的分布，分为方案内与方案外。方案内 {treated} 位中有 {sure} 位在至少 80% "
        "的模拟情形中入选；方案外有 {missed} 位入选过半。",
        "in": "方案内",
        "out": "不采取行动",
        "exploration": "考察期",
        "build-up": "形成期",
        "stability": "稳定期",
        "decline": "退化期",
        "lapsed": "流失",
        "financial": "财务",
        "social": "社交",
        "structural": "结构",
    },
}
QUADRANTS = ("save", "protect", "let go", "leave in peace")


def _words(language: str) -> dict[str, str]:
    if language not in TEXTS:
        raise ValueError(f"language: there are no figures in {language!r}; choose one of {', '.join(TEXTS)}.")
    return TEXTS[language]


def phase_scores(phases: pd.DataFrame, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw mean satisfaction by phase.

    Parameters
    ----------
    phases : DataFrame, index phase: customers, surveyed (share), satisfaction (mean; missing where nobody answered)
    language : "en" or "zh"
    ax : Axes, optional; default a new figure

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"customers": [40, 9], "surveyed": [0.5, 0.3], "satisfaction": [75.0, 61.0]})
    >>> table.index = ["stability", "decline"]
    >>> phase_scores(table).get_title(loc="left")
    'Who leaves is less satisfied, and answers less'
    """
    say = _words(language)
    require(phases, ("customers", "surveyed", "satisfaction"), "phase_scores")
    names = [say.get(str(name), str(name)) for name in phases.index]
    rows, room = row_centres(names, inches=0.34)
    ax = axes_or_new(ax, height=1.2 + 0.34 * room)
    scores = phases["satisfaction"].fillna(0.0)
    ax.barh(rows, scores, height=0.6, color=PALETTE["main"])
    name_rows(ax, names, rows)
    ax.set_xlim(0, 100)
    numbers = [(f"{n:,.0f}", number(100 * s, 0)) for n, s in zip(phases["customers"], phases["surveyed"], strict=True)]
    value_column(ax, rows, [say["phase_print"].format(customers=n, share=s) for n, s in numbers])
    for row, score in zip(rows, scores, strict=True):
        ax.text(score - 1.5, row, number(score, 0), ha="right", va="center", color=PALETTE["paper"])
    lowest = {str(phases["satisfaction"].idxmin()), str(phases["surveyed"].idxmin())}
    title(ax, say["phase_title" if lowest <= {"decline", "lapsed"} else "phase_title_plain"])
    ax.set_xlabel(say["phase_x"])
    listing = say["join"].join(
        say["phase_row"].format(name=name, score=number(score, 0), customers=n, share=s)
        for name, score, (n, s) in zip(names, scores, numbers, strict=True)
    )
    set_alt(ax, say["phase_alt"].format(listing=listing))
    return ax


def pilot_effects(effects: pd.DataFrame, *, level: float = 0.95, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw what each level changed, as a dot with its interval beside the line of no effect.

    Parameters
    ----------
    effects : DataFrame, index level: difference, low, high (shares)
    level : float, of the intervals
    language, ax
        As for `phase_scores`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"difference": [0.02, 0.05], "low": [-0.02, 0.01], "high": [0.06, 0.09]})
    >>> table.index = ["financial", "social"]
    >>> pilot_effects(table).get_title(loc="left")
    'What each level changed in the pilot, on average'
    """
    say = _words(language)
    require(effects, ("difference", "low", "high"), "pilot_effects")
    ax = _dots(effects.rename(columns={"difference": "value"}), 100.0, 1, say, ax, first="main")
    title(ax, say["pilot_title"])
    ax.set_xlabel(say["pilot_x"].format(level=f"{100 * level:g}"))
    set_alt(ax, say["pilot_alt"].format(listing=_told(effects["difference"], effects, 100.0, 1, say)))
    return ax


def calibration(fifths: pd.DataFrame, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the share really lost over the chance said, with the diagonal.

    Parameters
    ----------
    fifths : DataFrame: said, lost (shares)
    language, ax
        As for `phase_scores`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> calibration(pd.DataFrame({"said": [0.1, 0.6], "lost": [0.12, 0.5]})).get_ylabel()
    'Really lost (%)'
    """
    say = _words(language)
    require(fifths, ("said", "lost"), "calibration")
    ax = axes_or_new(ax, height=3.4)
    said, lost = 100 * fifths["said"], 100 * fifths["lost"]
    end = 1.1 * max(said.max(), lost.max())
    ax.plot([0, end], [0, end], linestyle="--", color=PALETTE["grey"], linewidth=1.2)
    ax.plot(said, lost, color=PALETTE["main"], marker="o", markersize=7)
    ax.set_xlim(0, end)
    ax.set_ylim(0, end)
    title(ax, say["calibration_title"])
    ax.set_xlabel(say["calibration_x"])
    ax.set_ylabel(say["calibration_y"])
    rows = [say["calibration_row"].format(a=number(a, 0), b=number(b, 0)) for a, b in zip(said, lost, strict=True)]
    set_alt(ax, say["calibration_alt"].format(listing=say["join"].join(rows)))
    return ax


def risk_map(
    customers: pd.DataFrame, *, risk: float, stake: float, language: str = "en", ax: Axes | None = None
) -> Axes:
    """Draw customers by risk and margin at stake, cut into four quadrants.

    Parameters
    ----------
    customers : DataFrame: p_lost (0–1), at_stake (money), quadrant
    risk, stake : float, where high begins
    language, ax
        As for `phase_scores`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"p_lost": [0.6, 0.1], "at_stake": [90.0, 20.0], "quadrant": ["save", "leave in peace"]})
    >>> risk_map(table, risk=0.3, stake=50).get_title(loc="left")
    '1 customers are at risk and worth keeping'
    """
    say = _words(language)
    require(customers, ("p_lost", "at_stake", "quadrant"), "risk_map")
    ax = axes_or_new(ax, height=4.2)
    counts = customers["quadrant"].astype("str").value_counts()
    for name, (marker, colour, _) in zip(QUADRANTS, series_marks(4), strict=True):
        rows = customers[customers["quadrant"].astype("str") == name]
        strong = name == "save"
        ax.scatter(
            100 * rows["p_lost"], rows["at_stake"], s=13 if strong else 9, marker=marker, color=colour,
            alpha=0.9 if strong else 0.5, linewidths=0, label=f"{say[name]} ({counts.get(name, 0):,})",
        )  # fmt: skip
    ax.axvline(100 * risk, color=PALETTE["ink"], linewidth=1)
    ax.axhline(stake, color=PALETTE["ink"], linewidth=1)
    ax.set_yscale("symlog", linthresh=max(float(customers["at_stake"].median()), 1e-6))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.set_ylim(bottom=0)
    ax.set_xlim(0, 100)
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.14), ncols=4, markerscale=2.0, handletextpad=0.1)
    title(ax, say["risk_title"].format(customers=f"{counts.get('save', 0):,}"))
    ax.set_xlabel(say["risk_x"])
    ax.set_ylabel(say["risk_y"])
    listing = say["join"].join(f"{say[name]} {counts.get(name, 0):,}" for name in QUADRANTS)
    set_alt(ax, say["risk_alt"].format(risk=number(100 * risk, 0), stake=number(stake, 0), listing=listing))
    return ax


def plan_gains(plans: pd.DataFrame, *, level: float = 0.9, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the expected net gain of each plan with its interval beside the line of no gain.

    Parameters
    ----------
    plans : DataFrame, index plan: gain, low, high (money), within_budget
    level : float in (0, 1)
        Of the intervals.
    language, ax
        As for `phase_scores`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"gain": [900.0, -300.0], "low": [100, -900], "high": [1700, 300]})
    >>> table = table.set_axis(["linked plan", "random"]).assign(within_budget=True)
    >>> [label.get_text() for label in plan_gains(table).get_yticklabels()]
    ['linked plan', 'random']
    """
    say = _words(language)
    require(plans, ("gain", "low", "high", "within_budget"), "plan_gains")
    over = [
        f"{name}" if within else f"{name}+" for name, within in zip(plans.index, plans["within_budget"], strict=True)
    ]
    shown = plans.rename(columns={"gain": "value"}).set_axis(over)
    named = {key: say.get(key.rstrip("+"), key.rstrip("+")) + say["over"] * key.endswith("+") for key in over}
    ax = _dots(shown, 1.0, 0, say | named, ax)
    title(ax, say["gain_title"])
    ax.set_xlabel(say["gain_x"].format(level=f"{100 * level:g}"))
    ax.xaxis.set_major_formatter(lambda value, _: _money(value))
    set_alt(ax, say["gain_alt"].format(listing=_told(shown["value"], shown, 1.0, 0, say | named)))
    return ax


def chosen_shares(customers: pd.DataFrame, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw how often customers would be treated, those in the plan and those outside it.

    Parameters
    ----------
    customers : DataFrame: level ("none" for those left alone), chosen (0–1)
        Customers never chosen are left out of the bars.
    language, ax
        As for `phase_scores`.

    Raises
    ------
    ValueError
        A column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"level": ["social", "none", "none"], "chosen": [0.9, 0.4, 0.0]})
    >>> chosen_shares(table).get_title(loc="left")
    '1 of 1 treated customers are a safe choice (8 truths of 10)'
    """
    say = _words(language)
    require(customers, ("level", "chosen"), "chosen_shares")
    ax = axes_or_new(ax, height=3.2)
    treated, ever = customers["level"] != "none", customers["chosen"] > 0
    edges = np.linspace(0, 100, 21)
    inside, outside = (100 * customers.loc[rows & ever, "chosen"] for rows in (treated, ~treated))
    ax.hist(
        [outside, inside], bins=edges.tolist(), stacked=True, color=[SERIES[4], SERIES[0]], edgecolor=PALETTE["paper"],
        label=[say["out"], say["in"]],
    )  # fmt: skip
    ax.legend(loc="upper right")
    ax.set_xlim(0, 100)
    sure = int((customers.loc[treated, "chosen"] >= 0.8).sum())
    title(ax, say["chosen_title"].format(sure=sure, treated=int(treated.sum())))
    ax.set_xlabel(say["chosen_x"])
    ax.set_ylabel(say["chosen_y"])
    missed = int((customers.loc[~treated, "chosen"] > 0.5).sum())
    set_alt(ax, say["chosen_alt"].format(sure=sure, treated=int(treated.sum()), missed=missed))
    return ax


def _dots(
    table: pd.DataFrame, unit: float, digits: int, say: dict[str, str], ax: Axes | None, first: str = "highlight"
) -> Axes:
    """Rows of value, low and high as dots with intervals, the first in a colour of its own, beside a line at zero."""
    names = [say.get(str(name), str(name)) for name in table.index]
    rows, room = row_centres(names, inches=0.38)
    ax = axes_or_new(ax, height=1.2 + 0.38 * room)
    ax.axvline(0, color=PALETTE["grey"], linewidth=1)
    intervals(ax, rows, unit * table["low"], unit * table["high"], width=1.6)
    colours = [PALETTE[first], *[PALETTE["main"]] * (len(rows) - 1)]
    ax.scatter(unit * table["value"], rows, s=52, color=colours, zorder=4)
    name_rows(ax, names, rows)
    value_column(ax, rows, [_signed(unit * value, digits) for value in table["value"]])
    return ax


def _told(values: pd.Series, table: pd.DataFrame, unit: float, digits: int, say: dict[str, str]) -> str:
    return say["join"].join(
        f"{say.get(str(name), str(name))} {_signed(unit * value, digits)} "
        f"({_signed(unit * low, digits)} – {_signed(unit * high, digits)})"
        for name, value, low, high in zip(values.index, values, table["low"], table["high"], strict=True)
    )


def _signed(value: float, digits: int) -> str:
    return _money(value) if not digits else number(value, digits)


def _money(value: float) -> str:
    return f"{value:,.0f}".replace("-", "−")
