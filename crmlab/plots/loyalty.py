"""Figures of loyalty (chapter 10): shares of classes, the link and its zones, groups, parts, steps, contrasts.

Each function takes a plain table, draws one message, and returns the Axes. Names on paper come from ``labels`` (class,
part or step → text; a missing one prints its key). The map of a typology is :func:`crmlab.plots.grading.grid_map`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from .csi_texts import number
from .rows import broken, intervals, name_rows, require, row_centres, title, value_column
from .style import PALETTE, SERIES, axes_or_new, series_marks, set_alt

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "stop": "; ",
        "classes_title": "How many customers are in each class",
        "classes_axis": "Share of the customers (%)\nLines: {level}% interval",
        "causes_title": "What complaints are about",
        "causes_axis": "Share of the coded complaints (%)\nLines: {level}% interval",
        "share_row": "{name} {share}% ({low}–{high})",
        "share_alt": "{title}: bars with intervals, n = {n}. {listing}.",
        "patterns_title": "Whom behaviour, intention and affect call loyal",
        "pattern": "{behaviour} behaviour, {intention} intention, {affect} affect",
        "high": "high",
        "low": "low",
        "link_title": "How loyalty follows satisfaction",
        "satisfaction": "Satisfaction (points of its scale)",
        "loyalty": "Loyalty (points of its scale)",
        "means": "mean of customers, {level}% interval",
        "linear": "straight line",
        "sigmoid": "sigmoid",
        "loess": "loess",
        "zone": "insensitive zone",
        "end": "{level}% interval of its end",
        "link_alt": "Mean loyalty by satisfaction with a straight line, a sigmoid and loess. The sigmoid goes from "
        "{low} to {high}. {zones}",
        "zone_below": "Below satisfaction {end} ({lower}–{upper}) it hardly moves.",
        "zone_above": "Above satisfaction {start} ({lower}–{upper}) it hardly moves.",
        "no_zone": "Within the satisfaction found, there is no insensitive zone.",
        "groups_title": "Does satisfaction gain as much in every group?",
        "group": "{group}: gain {gain} ({lower}–{upper})",
        "groups_alt": "Sigmoids of loyalty on satisfaction with {level}% bands, one per group. {listing}.",
        "parts_title": "What each part brings to the index",
        "parts_axis": "Points of the index (of 100)",
        "parts_value": "weight {weight}, mean {mean}",
        "parts_row": "{name} {points} points (weight {weight}, mean {mean})",
        "parts_alt": "Bars of the points that each part contributes to an index of {total}. {listing}.",
        "scales_title": "How wide each interval is on its own scale",
        "scales_axis": "Place on the scale (%)\nLines: {level}% interval",
        "scales_value": "{value} ± {reach}",
        "scales_row": "{name} {value} ({low}–{high}) on {minimum} to {maximum}: {width}% of the scale",
        "scales_alt": "Estimates with intervals, every scale drawn equally long. {listing}.",
        "NPS": "NPS",
        "mean recommendation": "mean recommendation",
        "satisfaction_row": "satisfaction",
        "steps_title": "How far complaints get",
        "steps_axis": "Share of all complaints that reached the step (%)\nLines: {level}% interval",
        "steps_value": "median {days} days",
        "steps_never": "fewer than half",
        "steps_row": "{name} {share}% ({value})",
        "steps_alt": "Bars of the share of {n} complaints that reached each step. {listing}.",
        "contrast_title": "Recovered customers compared",
        "contrast_axis": "Difference in points of satisfaction\nLines: {level}% interval; grey: too small to be seen "
        "({power}% power)",
        "contrast": "minus {against}, {way}",
        "contrast_row": "{name}: {difference} ({low} to {high}); smallest visible {least}",
        "contrast_alt": "Differences between recovered customers and others with intervals. {listing}.",
        "never complained": "never complained",
        "unrecovered": "unrecovered",
        "silent": "silent",
        "as they are": "as they are",
        "given before": "given before",
        "change": "change",
    },
    "zh": {
        "stop": "；",
        "classes_title": "各类客户的比例",
        "classes_axis": "占客户的百分比（%）\n横线：{level}% 区间",
        "causes_title": "抱怨的原因",
        "causes_axis": "占已编码抱怨的百分比（%）\n横线：{level}% 区间",
        "share_row": "{name} {share}%（{low}–{high}）",
        "share_alt": "{title}：带区间的条形图，n = {n}。{listing}。",
        "patterns_title": "行为、意向、情感各认为谁忠诚",
        "pattern": "行为{behaviour}、意向{intention}、情感{affect}",
        "high": "高",
        "low": "低",
        "link_title": "忠诚度如何随满意度变化",
        "satisfaction": "满意度（量表分）",
        "loyalty": "忠诚度（量表分）",
        "means": "客户均值及 {level}% 区间",
        "linear": "直线",
        "sigmoid": "S 形曲线",
        "loess": "局部回归",
        "zone": "不敏感区",
        "end": "区端的 {level}% 区间",
        "link_alt": "按满意度的平均忠诚度，以及直线、S 形曲线和局部回归。S 形曲线由 {low} 升至 {high}。{zones}",
        "zone_below": "满意度低于 {end}（{lower}–{upper}）时几乎不变。",
        "zone_above": "满意度高于 {start}（{lower}–{upper}）时几乎不变。",
        "no_zone": "在所见的满意度范围内没有不敏感区。",
        "groups_title": "满意度在各组的收益是否相同？",
        "group": "{group}：收益 {gain}（{lower}–{upper}）",
        "groups_alt": "各组忠诚度对满意度的 S 形曲线及 {level}% 带。{listing}。",
        "parts_title": "各部分对指数的贡献",
        "parts_axis": "指数分（满分 100）",
        "parts_value": "权重 {weight}，均值 {mean}",
        "parts_row": "{name} {points} 分（权重 {weight}，均值 {mean}）",
        "parts_alt": "各部分对指数 {total} 的贡献条形图。{listing}。",
        "scales_title": "各区间占自身量表的宽度",
        "scales_axis": "在量表上的位置（%）\n横线：{level}% 区间",
        "scales_value": "{value} ± {reach}",
        "scales_row": "{name} {value}（{low}–{high}），量表 {minimum} 至 {maximum}：占 {width}%",
        "scales_alt": "估计值及区间，各量表画成同样长度。{listing}。",
        "NPS": "净推荐值",
        "mean recommendation": "推荐意愿均值",
        "satisfaction_row": "满意度",
        "steps_title": "抱怨处理到了哪一步",
        "steps_axis": "到达该步骤的抱怨比例（%）\n横线：{level}% 区间",
        "steps_value": "中位数 {days} 天",
        "steps_never": "不足一半",
        "steps_row": "{name} {share}%（{value}）",
        "steps_alt": "{n} 件抱怨到达各步骤比例的条形图。{listing}。",
        "contrast_title": "已补救客户与其他客户的比较",
        "contrast_axis": "满意度差异（分）\n横线：{level}% 区间；灰色：小到难以发现（{power}% 检验力）",
        "contrast": "减{against}，{way}",
        "contrast_row": "{name}：{difference}（{low} 至 {high}），可见的最小差异 {least}",
        "contrast_alt": "已补救客户与其他客户的差异及区间。{listing}。",
        "never complained": "未抱怨者",
        "unrecovered": "未补救者",
        "silent": "沉默者",
        "as they are": "原样比较",
        "given before": "控制事前值",
        "change": "前后变化",
    },
}
_KINDS = ("classes", "causes")
_LINES = {"linear": ("--", SERIES[1]), "sigmoid": ("-", SERIES[0]), "loess": (":", SERIES[2])}


def _words(language: str) -> Mapping[str, str]:
    if language not in _WORDS:
        raise ValueError(f"language {language!r} is not known; expected en or zh.")
    return _WORDS[language]


def _level(level: float) -> str:
    return f"{100 * level:g}"


def _bars(ax: Axes | None, names: Sequence[str], values: pd.Series, inches: float = 0.34) -> tuple[Axes, list[float]]:
    rows, room = row_centres(names, inches=inches)
    ax = axes_or_new(ax, height=1.4 + inches * room)
    ax.barh(rows, values, height=0.62, color=PALETTE["main"], edgecolor=PALETTE["ink"], linewidth=0.6)
    name_rows(ax, names, rows)
    return ax, rows


def _share_rows(
    table: pd.DataFrame, names: Sequence[str], words: Mapping[str, str], kind: str, level: float, ax: Axes | None
) -> Axes:
    """Bars of shares with intervals, and what they say."""
    share, low, high = (100 * table[column] for column in ("share", "ci_lower", "ci_upper"))
    ax, rows = _bars(ax, [broken(name) for name in names], share)
    intervals(ax, rows, low, high)
    value_column(ax, rows, [f"{value:.1f}%" for value in share])
    ax.set_xlim(left=0)
    axis = "causes_axis" if kind == "causes" else "classes_axis"
    ax.set_xlabel(words[axis].format(level=_level(level)))
    title(ax, words[f"{kind}_title"])
    listing = words["stop"].join(
        words["share_row"].format(name=name, share=number(s, 1), low=number(a, 1), high=number(b, 1))
        for name, s, a, b in zip(names, share, low, high, strict=True)
    )
    set_alt(ax, words["share_alt"].format(title=words[f"{kind}_title"], n=int(table["n"].sum()), listing=listing))
    return ax


def share_bars(
    table: pd.DataFrame,
    *,
    what: str = "classes",
    level: float = 0.95,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of each class or cause with its interval.

    Parameters
    ----------
    table
        Index class; columns ``n``, ``share``, ``ci_lower``, ``ci_upper`` (0–1), first row on top.
    what
        ``"classes"`` of customers or ``"causes"`` of complaints.
    level, labels, language, ax
        Of the intervals; text of classes; ``"en"`` or ``"zh"``; axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing, the table is empty, or an option is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> shares = {"n": [3, 1], "share": [0.75, 0.25], "ci_lower": [0.3, 0.05], "ci_upper": [0.95, 0.7]}
    >>> [text.get_text() for text in share_bars(pd.DataFrame(shares, ["loyalist", "hostage"])).texts]
    ['75.0%', '25.0%']
    """
    words = _words(language)
    require(table, ("n", "share", "ci_lower", "ci_upper"), "share_bars")
    if what not in _KINDS:
        raise ValueError(f"share_bars: what {what!r} is unknown; choose one of {', '.join(_KINDS)}.")
    names = [(labels or {}).get(name, str(name)) for name in table.index]
    return _share_rows(table, names, words, what, level, ax)


def pattern_bars(patterns: pd.DataFrame, *, level: float = 0.95, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the shares of the eight combinations of behaviour, intention and affect.

    Parameters
    ----------
    patterns
        Columns ``behaviour``, ``intention``, ``affect`` ("high" or "low"), ``n``, ``share``, ``ci_lower`` and
        ``ci_upper``.
    level, language, ax
        As for :func:`share_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"behaviour": "high", "intention": "high", "affect": "low"}
    >>> row |= {"n": 9, "share": 1.0, "ci_lower": 0.7, "ci_upper": 1.0}
    >>> pattern_bars(pd.DataFrame([row])).get_yticklabels()[0].get_text()
    'high behaviour, high intention, low affect'
    """
    words = _words(language)
    require(patterns, ("behaviour", "intention", "affect", "n", "share", "ci_lower", "ci_upper"), "pattern_bars")
    kinds = ("behaviour", "intention", "affect")
    names = [
        words["pattern"].format(**{kind: words[str(row[kind])] for kind in kinds})
        for row in patterns.to_dict("records")
    ]
    return _share_rows(patterns, names, words, "patterns", level, ax)


def link_curves(
    curves: pd.DataFrame,
    points: pd.DataFrame,
    zones: pd.DataFrame,
    *,
    level: float = 0.95,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw mean loyalty by satisfaction, the three curves, and where satisfaction hardly moves loyalty.

    Parameters
    ----------
    curves
        Columns ``satisfaction``, ``linear``, ``sigmoid``, ``sigmoid_lower``, ``sigmoid_upper``, ``loess``.
    points
        Columns ``satisfaction``, ``mean``, ``ci_lower``, ``ci_upper``.
    zones
        Columns ``zone`` ("below" or "above"), ``start``, ``end``, ``ci_lower``, ``ci_upper``; may have no row.
    level, language, ax
        As for :func:`share_bars`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing, a table of curves or points is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> x = {"satisfaction": [1.0, 10.0]}
    >>> lines = dict.fromkeys(("linear", "sigmoid", "sigmoid_lower", "sigmoid_upper", "loess"), [20.0, 80.0])
    >>> means = pd.DataFrame({**x, "mean": [20.0, 80.0], "ci_lower": [15.0, 75.0], "ci_upper": [25.0, 85.0]})
    >>> none = pd.DataFrame(columns=["zone", "start", "end", "ci_lower", "ci_upper"])
    >>> link_curves(pd.DataFrame({**x, **lines}), means, none).get_xlabel()
    'Satisfaction (points of its scale)'
    """
    words = _words(language)
    require(curves, ("satisfaction", "linear", "sigmoid", "sigmoid_lower", "sigmoid_upper", "loess"), "link_curves")
    require(points, ("satisfaction", "mean", "ci_lower", "ci_upper"), "link_curves")
    ax = axes_or_new(ax, height=4.2)
    x = curves["satisfaction"]
    for place, zone in enumerate(zones.to_dict("records")):
        ax.axvspan(zone["start"], zone["end"], color=PALETTE["pale"], zorder=0, label=None if place else words["zone"])
        ends = [min(max(float(zone[end]), float(x.min())), float(x.max())) for end in ("ci_lower", "ci_upper")]
        label = None if place else words["end"].format(level=_level(level))
        ax.axvspan(
            *ends, facecolor="none", edgecolor=PALETTE["hatch"], hatch="////", linewidth=0, zorder=0, label=label
        )
    ax.fill_between(x, curves["sigmoid_lower"], curves["sigmoid_upper"], color=SERIES[4], alpha=0.7, linewidth=0)
    for name, (style, colour) in _LINES.items():
        ax.plot(x, curves[name], linestyle=style, color=colour, linewidth=2.2 if name == "sigmoid" else 1.7,
                label=words[name])  # fmt: skip
    reach = [points["mean"] - points["ci_lower"], points["ci_upper"] - points["mean"]]
    ax.errorbar(
        points["satisfaction"], points["mean"], yerr=[part.fillna(0).clip(lower=0) for part in reach], fmt="o",
        markersize=4, color=PALETTE["grey"], elinewidth=1.0, capsize=2, zorder=3,
        label=words["means"].format(level=_level(level)),
    )  # fmt: skip
    room = 0.06 * float(curves["sigmoid"].max() - curves["sigmoid"].min())
    ax.set_ylim(min(points["mean"].min(), curves["linear"].min()) - 2 * room,
                max(points["mean"].max(), curves["linear"].max()) + 2 * room)  # fmt: skip
    ax.set_xlabel(words["satisfaction"])
    ax.set_ylabel(words["loyalty"])
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    title(ax, words["link_title"])
    told = [
        words[f"zone_{zone['zone']}"].format(
            start=number(zone["start"], 1), end=number(zone["end"], 1), lower=number(zone["ci_lower"], 1),
            upper=number(zone["ci_upper"], 1),
        )
        for zone in zones.to_dict("records")
    ]  # fmt: skip
    low, high = number(float(curves["sigmoid"].iloc[0]), 1), number(float(curves["sigmoid"].iloc[-1]), 1)
    set_alt(ax, words["link_alt"].format(low=low, high=high, zones=" ".join(told) or words["no_zone"]))
    return ax


def group_curves(
    curves: pd.DataFrame, gains: pd.DataFrame, *, level: float = 0.95, language: str = "en", ax: Axes | None = None
) -> Axes:
    """Draw the sigmoid of each group with its band; the legend says what satisfaction gains in it.

    Parameters
    ----------
    curves
        Columns ``group``, ``satisfaction``, ``sigmoid``, ``sigmoid_lower``, ``sigmoid_upper``.
    gains
        Columns ``group``, ``estimate``, ``ci_lower``, ``ci_upper``.
    level, language, ax
        As for :func:`share_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> lines = {"satisfaction": [1.0, 10.0], "sigmoid": [20.0, 80.0], "sigmoid_lower": 10.0, "sigmoid_upper": 90.0}
    >>> gains = pd.DataFrame({"group": ["low"], "estimate": [60.0], "ci_lower": [50.0], "ci_upper": [70.0]})
    >>> group_curves(pd.DataFrame({"group": "low", **lines}), gains).get_legend().get_texts()[0].get_text()
    'low: gain 60.0 (50.0–70.0)'
    """
    words = _words(language)
    require(curves, ("group", "satisfaction", "sigmoid", "sigmoid_lower", "sigmoid_upper"), "group_curves")
    require(gains, ("group", "estimate", "ci_lower", "ci_upper"), "group_curves")
    ax = axes_or_new(ax, height=4.0)
    told = []
    marks = series_marks(len(gains))
    for (marker, colour, filled), row in zip(marks, gains.to_dict("records"), strict=True):
        own = curves[curves["group"] == row["group"]]
        group = words.get(str(row["group"]), str(row["group"]))
        told.append(
            words["group"].format(
                group=group, gain=number(row["estimate"], 1), lower=number(row["ci_lower"], 1),
                upper=number(row["ci_upper"], 1),
            )
        )  # fmt: skip
        ax.fill_between(own["satisfaction"], own["sigmoid_lower"], own["sigmoid_upper"], color=colour, alpha=0.18)
        ax.plot(
            own["satisfaction"], own["sigmoid"], color=colour, marker=marker, markevery=10, label=told[-1],
            markerfacecolor=colour if filled else PALETTE["paper"],
        )  # fmt: skip
    ax.set_xlabel(words["satisfaction"])
    ax.set_ylabel(words["loyalty"])
    ax.legend(loc="upper left")
    title(ax, words["groups_title"])
    set_alt(ax, words["groups_alt"].format(level=_level(level), listing=words["stop"].join(told)))
    return ax


def contribution_bars(
    parts: pd.DataFrame, *, labels: Mapping[Any, str] | None = None, language: str = "en", ax: Axes | None = None
) -> Axes:
    """Draw the points that each part brings to a composite index.

    Parameters
    ----------
    parts
        Index part; columns ``weight``, ``mean``, ``contribution``.
    labels, language, ax
        As for :func:`share_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"weight": [0.5], "mean": [60.0], "contribution": [30.0]}, ["trust"])
    >>> [text.get_text() for text in contribution_bars(table).texts]
    ['weight 0.50, mean 60.0']
    """
    words = _words(language)
    require(parts, ("weight", "mean", "contribution"), "contribution_bars")
    names = [broken((labels or {}).get(name, str(name))) for name in parts.index]
    ax, rows = _bars(ax, names, parts["contribution"])
    facts = [{"weight": number(row["weight"], 2), "mean": number(row["mean"], 1)} for row in parts.to_dict("records")]
    value_column(ax, rows, [words["parts_value"].format(**fact) for fact in facts])
    ax.set_xlabel(words["parts_axis"])
    title(ax, words["parts_title"])
    listing = words["stop"].join(
        words["parts_row"].format(name=name, points=number(points, 1), **fact)
        for name, points, fact in zip(names, parts["contribution"], facts, strict=True)
    )
    set_alt(ax, words["parts_alt"].format(total=number(parts["contribution"].sum(), 1), listing=listing))
    return ax


def scale_intervals(
    measures: pd.DataFrame, *, level: float = 0.95, language: str = "en", ax: Axes | None = None
) -> Axes:
    """Draw estimates with intervals, each on its own scale, all scales equally long.

    Parameters
    ----------
    measures
        Index measure; columns ``estimate``, ``ci_lower``, ``ci_upper``, ``minimum``, ``maximum``, ``width_share``.
    level, language, ax
        As for :func:`share_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"estimate": 0.0, "ci_lower": -20.0, "ci_upper": 20.0, "minimum": -100.0, "maximum": 100.0}
    >>> scale_intervals(pd.DataFrame([{**row, "width_share": 0.2}], ["NPS"])).lines[-1].get_xdata().tolist()
    [50.0]
    """
    words = _words(language)
    columns = ("estimate", "ci_lower", "ci_upper", "minimum", "maximum", "width_share")
    require(measures, columns, "scale_intervals")
    names = [words.get("satisfaction_row" if name == "satisfaction" else name, str(name)) for name in measures.index]
    rows, room = row_centres(names, inches=0.42)
    ax = axes_or_new(ax, height=1.4 + 0.42 * room)
    length = (measures["maximum"] - measures["minimum"]) / 100
    at, low, high = ((measures[c] - measures["minimum"]) / length for c in ("estimate", "ci_lower", "ci_upper"))
    intervals(ax, rows, low, high, width=2.0)
    ax.plot(at, rows, linestyle="none", marker="o", markersize=5, color=PALETTE["highlight"], zorder=4)
    name_rows(ax, names, rows)
    facts = measures.to_dict("records")
    reach = [(fact["ci_upper"] - fact["ci_lower"]) / 2 for fact in facts]
    value_column(ax, rows, [
        words["scales_value"].format(value=number(fact["estimate"], 1), reach=number(half, 2))
        for fact, half in zip(facts, reach, strict=True)
    ])  # fmt: skip
    ax.set_xlim(0, 100)
    ax.set_xlabel(words["scales_axis"].format(level=_level(level)))
    title(ax, words["scales_title"])
    listing = words["stop"].join(
        words["scales_row"].format(
            name=name, value=number(fact["estimate"], 1), low=number(fact["ci_lower"], 1),
            high=number(fact["ci_upper"], 1), minimum=f"{fact['minimum']:g}", maximum=f"{fact['maximum']:g}",
            width=number(100 * fact["width_share"], 1),
        )
        for name, fact in zip(names, facts, strict=True)
    )  # fmt: skip
    set_alt(ax, words["scales_alt"].format(listing=listing))
    return ax


def step_bars(
    steps: pd.DataFrame,
    *,
    level: float = 0.95,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of complaints that reached each step of handling, with the median days beside it.

    Parameters
    ----------
    steps
        Index step; columns ``reached``, ``share``, ``ci_lower``, ``ci_upper`` (0–1), ``days_median``.
    level, labels, language, ax
        As for :func:`share_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"reached": 8, "share": 0.8, "ci_lower": 0.5, "ci_upper": 0.9, "days_median": 3.0}
    >>> [text.get_text() for text in step_bars(pd.DataFrame([row], ["resolved"])).texts]
    ['median 3 days']
    """
    words = _words(language)
    require(steps, ("reached", "share", "ci_lower", "ci_upper", "days_median"), "step_bars")
    names = [broken((labels or {}).get(name, str(name).replace("_", " "))) for name in steps.index]
    ax, rows = _bars(ax, names, 100 * steps["share"])
    intervals(ax, rows, 100 * steps["ci_lower"], 100 * steps["ci_upper"])
    told = [
        words["steps_value"].format(days=f"{days:g}") if isfinite(days) else words["steps_never"]
        for days in steps["days_median"]
    ]
    value_column(ax, rows, told)
    ax.set_xlim(0, 100)
    ax.set_xlabel(words["steps_axis"].format(level=_level(level)))
    title(ax, words["steps_title"])
    listing = words["stop"].join(
        words["steps_row"].format(name=name, share=number(100 * share, 1), value=value)
        for name, share, value in zip(names, steps["share"], told, strict=True)
    )
    n = round(float((steps["reached"] / steps["share"].where(steps["share"] > 0)).max()))
    set_alt(ax, words["steps_alt"].format(n=n, listing=listing))
    return ax


def contrast_intervals(
    contrasts: pd.DataFrame, *, level: float = 0.95, power: float = 0.8, language: str = "en", ax: Axes | None = None
) -> Axes:
    """Draw how recovered customers differ from others, way by way, and what is too small to be seen.

    Parameters
    ----------
    contrasts
        Columns ``against``, ``way``, ``difference``, ``ci_lower``, ``ci_upper``, ``minimum_detectable``.
    level, power
        Of the intervals, and of the smallest visible difference.
    language, ax
        As for :func:`share_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"against": "silent", "way": "change", "difference": 0.5, "ci_lower": 0.2, "ci_upper": 0.8}
    >>> ax = contrast_intervals(pd.DataFrame([{**row, "minimum_detectable": 0.4}]))
    >>> ax.get_yticklabels()[0].get_text(), ax.texts[0].get_text()
    ('minus silent, change', '+0.50')
    """
    words = _words(language)
    require(
        contrasts, ("against", "way", "difference", "ci_lower", "ci_upper", "minimum_detectable"), "contrast_intervals"
    )
    facts = contrasts.to_dict("records")
    names = [words["contrast"].format(against=words[fact["against"]], way=words[fact["way"]]) for fact in facts]
    rows, room = row_centres(names, inches=0.34)
    ax = axes_or_new(ax, height=1.5 + 0.34 * room)
    ax.use_sticky_edges = False
    ax.barh(rows, 2 * contrasts["minimum_detectable"], left=-contrasts["minimum_detectable"], height=0.62,
            color=PALETTE["rule"], linewidth=0)  # fmt: skip
    ax.axvline(0, color=PALETTE["ink"], linewidth=0.9)
    intervals(ax, rows, contrasts["ci_lower"], contrasts["ci_upper"], width=1.6)
    ax.plot(
        contrasts["difference"], rows, linestyle="none", marker="o", markersize=5, color=PALETTE["highlight"], zorder=4
    )
    name_rows(ax, names, rows)
    value_column(ax, rows, [f"{fact['difference']:+.2f}".replace("-", "−") for fact in facts])
    ax.set_xlabel(words["contrast_axis"].format(level=_level(level), power=_level(power)))
    title(ax, words["contrast_title"])
    listing = words["stop"].join(
        words["contrast_row"].format(
            name=name, difference=number(fact["difference"], 2), low=number(fact["ci_lower"], 2),
            high=number(fact["ci_upper"], 2), least=number(fact["minimum_detectable"], 2),
        )
        for name, fact in zip(names, facts, strict=True)
    )  # fmt: skip
    set_alt(ax, words["contrast_alt"].format(listing=listing))
    return ax
