"""Figures of weights (chapter 8): methods compared, the index under each, groups, sensitivity, the four levels.

Each function takes one of the plain tables that a comparison holds, draws one message, and returns the Axes. Names on
paper come from ``labels`` (node, item or group → text; a missing one prints its key); methods have names of their own
in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from .csi_texts import number
from .rows import bold_rows, broken, intervals, name_rows, require, row_centres, title, value_column
from .style import PALETTE, SERIES, axes_or_new, set_alt

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Everything the figures print or say, by language.
TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "join": ", ",
        "stop": "; ",
        "weights_title": "How much each item weighs depends on whom you ask",
        "weights_axis": "Weight (% of the index); dotted line: equal weights",
        "weights_alt": "Dots for {n} items under {m} weightings: {methods}. Equal weights would be {equal} %. "
        "The methods disagree most on {widest} ({low} to {high} %) and least on {narrowest} ({low2} to {high2} %).",
        "index_title": "The index under each weighting: {spread} points apart",
        "index_axis": "Index (points, 0 = worst, 100 = best)\nLines: {level} interval; dotted line: equal weights",
        "index_alt": "Dots with {level} intervals, the index under {m} weightings: {listing}.",
        "groups_title": "Rank of each group, weighting by weighting",
        "groups_axis": "Index (points, 0 = worst, 100 = best); number: rank of the group",
        "groups_alt": "Index and rank of {n} groups under {m} weightings. {listing}. {verdict}",
        "groups_same": "The order is the same everywhere.",
        "groups_differ": "The order differs between weightings.",
        "rank": "{name} rank {ranks}",
        "tornado_title": "One weight {change} % down or up",
        "tornado_axis": "Index (points); now {index}. Pale hatched: weight lower; dark: higher",
        "tornado_alt": "Bars around the index of {index}: what happens when a weight is {change} % lower or higher. "
        "{listing}.",
        "tornado_row": "{name} {low} to {high}",
        "levels_title": "From the index down to the items: {method}",
        "levels_axis": "Global weight (% of the index); right: local weight (% of the level above)",
        "levels_alt": "Bars of global weights on the four levels of the index under {method}: {listing}.",
    },
    "zh": {
        "join": "、",
        "stop": "；",
        "weights_title": "各题项的权重因方法而异",
        "weights_axis": "权重（占指数的百分比）；虚线：等权",
        "weights_alt": "{n} 个题项在 {m} 种赋权方法下的权重：{methods}。等权为 {equal}%。"
        "分歧最大的是 {widest}（{low}% 到 {high}%），最小的是 {narrowest}（{low2}% 到 {high2}%）。",
        "index_title": "各赋权方法下的指数：相差 {spread} 分",
        "index_axis": "指数（分，0 = 最差，100 = 最好）\n横线：{level} 区间；虚线：等权",
        "index_alt": "{m} 种赋权方法下的指数及 {level} 区间：{listing}。",
        "groups_title": "各赋权方法下各组的名次",
        "groups_axis": "指数（分，0 = 最差，100 = 最好）；数字：该组名次",
        "groups_alt": "{n} 个组在 {m} 种赋权方法下的指数与名次。{listing}。{verdict}",
        "groups_same": "各方法下名次相同。",
        "groups_differ": "名次因方法而异。",
        "rank": "{name}名次 {ranks}",
        "tornado_title": "单个权重降低或提高 {change}%",
        "tornado_axis": "指数（分）；现为 {index}。浅色斜纹：权重降低；深色：权重提高",
        "tornado_alt": "以指数 {index} 为中心的条形：某一权重降低或提高 {change}% 时的指数。{listing}。",
        "tornado_row": "{name} {low} 到 {high}",
        "levels_title": "从指数到题项的四级权重：{method}",
        "levels_axis": "全局权重（占指数的百分比）；右侧：局部权重（占上一级的百分比）",
        "levels_alt": "{method}下四级指标的全局权重：{listing}。",
    },
}

#: Names of the methods in Chinese; in English a method prints its own name.
METHODS_ZH = {
    "equal": "等权",
    "entropy": "熵权法",
    "coefficient of variation": "变异系数法",
    "CRITIC": "CRITIC 法",
    "PCA": "主成分法",
    "PLS": "PLS 模型",
    "CB-SEM": "因子模型",
    "direct rating": "直接评分法",
    "direct comparison": "直接比较法",
    "AHP": "层次分析法",
    "forced choice 0–1": "0–1 评分法",
    "forced choice 0–4": "0–4 评分法",
    "combined": "组合赋权",
}

_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">", "*")
_COLOURS = SERIES[:4]
_WHEN_CROWDED = 12


def method_name(method: str, language: str = "en") -> str:
    """The name of a weighting in a language.

    Examples
    --------
    >>> method_name("entropy"), method_name("entropy", "zh"), method_name("the board's", "zh")
    ('entropy', '熵权法', "the board's")
    """
    return METHODS_ZH.get(method, method) if language == "zh" else method


def weights_dots(
    weights: pd.DataFrame,
    *,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw the weight of every item under every method: one row an item, one mark a method.

    Parameters
    ----------
    weights
        Items × methods; each column sums to 1.
    ax
        Axes to draw on; a new figure of report width if ``None``.
    labels
        Text to print for an item.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    matplotlib.axes.Axes
        With the alternative text set.

    Raises
    ------
    ValueError
        If the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"equal": [0.5, 0.5], "entropy": [0.2, 0.8]}, index=["Q1", "Q2"])
    >>> ax = weights_dots(table)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['equal', 'entropy']
    """
    say = _words(language)
    require(weights, (), "weights_dots")
    names = [broken(str((labels or {}).get(item, item))) for item in weights.index]
    rows, room = row_centres(names, inches=0.24)
    ax = axes_or_new(ax, height=2.0 + 0.24 * room)
    lowest, highest = 100 * weights.min(axis=1), 100 * weights.max(axis=1)
    ax.hlines(rows, lowest, highest, color=PALETTE["rule"], linewidth=3, zorder=1)
    ax.axvline(100 / len(weights), color=PALETTE["grey"], linestyle=":", linewidth=1.2)
    for method, (marker, colour, filled) in zip(weights.columns, _marks(len(weights.columns)), strict=True):
        face = colour if filled else PALETTE["paper"]
        ax.scatter(
            100 * weights[method], rows, s=30, marker=marker, facecolor=face, edgecolor=colour, linewidth=1.2,
            label=method_name(str(method), language), zorder=3,
        )  # fmt: skip
    name_rows(ax, names, rows)
    ax.set_xlim(left=0)
    ax.set_xlabel(say["weights_axis"])
    _legend_below(ax)
    title(ax, say["weights_title"])
    spans = highest - lowest
    widest, narrowest = str(spans.idxmax()), str(spans.idxmin())
    set_alt(
        ax,
        say["weights_alt"].format(
            n=len(weights),
            m=weights.shape[1],
            methods=say["join"].join(method_name(str(method), language) for method in weights.columns),
            equal=number(100 / len(weights), 1),
            widest=(labels or {}).get(widest, widest),
            low=number(lowest[widest], 1),
            high=number(highest[widest], 1),
            narrowest=(labels or {}).get(narrowest, narrowest),
            low2=number(lowest[narrowest], 1),
            high2=number(highest[narrowest], 1),
        ),
    )
    return ax


def index_intervals(
    index: pd.DataFrame,
    *,
    level: float = 0.95,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw the index under every method as a dot with its interval; a dotted line marks the first row's index.

    Parameters
    ----------
    index
        One row a method (the row label); columns ``index``, ``ci_lower``, ``ci_upper``, 0–100.
    level
        Confidence level, printed only.
    ax, labels, language
        As for :func:`weights_dots`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"index": [72.0, 70.5], "ci_lower": [70, 69], "ci_upper": [74, 72]}, ["equal", "entropy"])
    >>> index_intervals(table).get_title(loc="left")
    'The index under each weighting: 1.5 points apart'
    """
    say = _words(language)
    require(index, ("index", "ci_lower", "ci_upper"), "index_intervals")
    names = [broken(str((labels or {}).get(name, method_name(str(name), language)))) for name in index.index]
    rows, room = row_centres(names, inches=0.34)
    ax = axes_or_new(ax, height=1.5 + 0.34 * room)
    values = index["index"]
    ax.axvline(values.iloc[0], color=PALETTE["grey"], linestyle=":", linewidth=1.2)
    intervals(ax, rows, index["ci_lower"], index["ci_upper"], width=1.6)
    ax.scatter(values, rows, s=48, color=PALETTE["highlight"], zorder=4)
    name_rows(ax, names, rows)
    bold_rows(ax, [0])
    printed = [
        f"{number(value, 1)} ({number(low, 1)}–{number(high, 1)})"
        for value, low, high in zip(values, index["ci_lower"], index["ci_upper"], strict=True)
    ]
    value_column(ax, rows, printed)
    ax.set_xlabel(say["index_axis"].format(level=f"{100 * level:g}%"))
    title(ax, say["index_title"].format(spread=number(values.max() - values.min(), 1)))
    listing = say["join"].join(f"{name} {value}" for name, value in zip(names, printed, strict=True))
    set_alt(ax, say["index_alt"].format(level=f"{100 * level:g}%", m=len(index), listing=listing))
    return ax


def group_ranks(
    by_group: pd.DataFrame,
    *,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw the index of every group under every method, with its rank as a number in the mark.

    Parameters
    ----------
    by_group
        Columns ``method``, ``group``, ``index``, ``rank``.
    ax, labels, language
        As for :func:`weights_dots`; ``labels`` serves groups.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"method": ["equal", "equal"], "group": ["North", "South"], "index": [70.0, 75.0], "rank": [2, 1]}
    ... )
    >>> ax = group_ranks(table)
    >>> [text.get_text() for text in ax.texts]
    ['2', '1']
    """
    say = _words(language)
    require(by_group, ("method", "group", "index", "rank"), "group_ranks")
    methods = list(dict.fromkeys(by_group["method"]))
    names = [broken(method_name(str(method), language)) for method in methods]
    rows, room = row_centres(names, inches=0.36)
    ax = axes_or_new(ax, height=1.9 + 0.36 * room)
    place = dict(zip(methods, rows, strict=True))
    groups = list(dict.fromkeys(by_group["group"]))
    told = []
    for group, (_, colour, filled) in zip(groups, _marks(len(groups)), strict=True):
        own = by_group[by_group["group"] == group]
        name = str((labels or {}).get(group, group))
        heights = [place[method] for method in own["method"]]
        ax.plot(own["index"], heights, color=colour, linewidth=1.2, zorder=2)
        ax.scatter(
            own["index"], heights, s=150, facecolor=colour if filled else PALETTE["paper"], edgecolor=colour,
            linewidth=1.4, label=name, zorder=3,
        )  # fmt: skip
        ink = PALETTE["paper"] if filled and colour in _COLOURS[:3] else PALETTE["ink"]
        for value, height, rank in zip(own["index"], heights, own["rank"], strict=True):
            ax.text(value, height, str(rank), ha="center", va="center", color=ink, fontsize=8, zorder=4)
        told.append(say["rank"].format(name=name, ranks=say["join"].join(map(str, dict.fromkeys(own["rank"])))))
    name_rows(ax, names, rows)
    ax.set_xlabel(say["groups_axis"])
    _legend_below(ax)
    title(ax, say["groups_title"])
    ranks = by_group.groupby("group")["rank"]
    same = bool((ranks.min() == ranks.max()).all())
    set_alt(
        ax,
        say["groups_alt"].format(
            n=len(groups),
            m=len(methods),
            listing=say["stop"].join(told),
            verdict=say["groups_same" if same else "groups_differ"],
        ),
    )
    return ax


def tornado(
    swings: pd.DataFrame,
    index: float,
    *,
    change: float = 0.2,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw the index with each weight lower and higher as bars around the index, the longest first.

    Parameters
    ----------
    swings
        One row a node (the row label); columns ``index_low`` (weight lower), ``index_high`` (weight higher), ``swing``.
    index
        0–100, with the weights as they are.
    change
        Share by which the weights were moved; printed only.
    ax, labels, language
        As for :func:`weights_dots`.

    Returns
    -------
    matplotlib.axes.Axes
        The twelve longest bars.

    Raises
    ------
    ValueError
        If a column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> swings = pd.DataFrame({"index_low": [71.8, 72.3], "index_high": [72.2, 71.7]}, index=["Q1", "Q2"])
    >>> swings = swings.assign(swing=[0.2, 0.3])
    >>> [label.get_text() for label in tornado(swings, 72.0).get_yticklabels()]
    ['Q2', 'Q1']
    """
    say = _words(language)
    require(swings, ("index_low", "index_high", "swing"), "tornado")
    table = swings.sort_values("swing", ascending=False, kind="stable").head(_WHEN_CROWDED)
    names = [broken(str((labels or {}).get(node, node))) for node in table.index]
    rows, room = row_centres(names, inches=0.3)
    ax = axes_or_new(ax, height=1.3 + 0.3 * room)
    bars: dict[str, Any] = {"left": index, "height": 0.62, "edgecolor": PALETTE["ink"], "linewidth": 0.6, "zorder": 2}
    ax.barh(rows, table["index_low"] - index, color=PALETTE["pale"], hatch="////", **bars)
    ax.barh(rows, table["index_high"] - index, color=PALETTE["main"], **bars)
    ax.axvline(index, color=PALETTE["ink"], linewidth=1.0, zorder=3)
    reach = 1.1 * float(np.abs(table[["index_low", "index_high"]].to_numpy() - index).max()) or 1.0
    ax.set_xlim(index - reach, index + reach)
    name_rows(ax, names, rows)
    percent = f"{100 * change:g}"
    ax.set_xlabel(say["tornado_axis"].format(index=number(index, 1)))
    title(ax, say["tornado_title"].format(change=percent))
    listing = say["stop"].join(
        say["tornado_row"].format(name=name, low=number(low, 2), high=number(high, 2))
        for name, low, high in zip(names, table["index_low"], table["index_high"], strict=True)
    )
    set_alt(ax, say["tornado_alt"].format(index=number(index, 1), change=percent, listing=listing))
    return ax


def level_bars(
    levels: pd.DataFrame,
    *,
    method: str = "",
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw the global weights of constructs, facets and items as indented bars, each below the one it is part of.

    Parameters
    ----------
    levels
        Columns ``level`` (1–4), ``parent``, ``node``, ``local``, ``global``.
    method
        Name of the weighting, for the title.
    ax, labels, language
        As for :func:`weights_dots`. A facet prints what follows the last " / ".

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> levels = pd.DataFrame(
    ...     [(1, "", "index", 1.0, 1.0), (2, "index", "Value", 1.0, 1.0), (4, "Value", "Q1", 1.0, 1.0)],
    ...     columns=["level", "parent", "node", "local", "global"],
    ... )
    >>> [label.get_text().strip() for label in level_bars(levels).get_yticklabels()]
    ['Value', 'Q1']
    """
    say = _words(language)
    require(levels, ("level", "parent", "node", "local", "global"), "level_bars")
    table = levels.set_index("node").loc[_from_the_top(levels)]
    texts = [str((labels or {}).get(node, node)).rpartition(" / ")[2] for node in table.index]
    steps = table["level"] - 2
    rows, room = row_centres(texts, inches=0.2)
    ax = axes_or_new(ax, height=1.2 + 0.2 * room)
    colours = [(PALETTE["highlight"], PALETTE["main"], PALETTE["pale"])[step] for step in steps]
    ax.barh(rows, 100 * table["global"], height=0.7, color=colours, edgecolor=PALETTE["ink"], linewidth=0.6)
    name_rows(ax, texts, rows)
    for label, step in zip(ax.get_yticklabels(), steps, strict=True):
        label.set_fontsize(9 - step)
        label.set_color(PALETTE["ink" if step < 2 else "grey"])
    bold_rows(ax, [row for row, step in enumerate(steps) if step == 0])
    value_column(ax, rows, [number(100 * local, 0) for local in table["local"]])
    ax.set_xlabel(say["levels_axis"])
    shown = method_name(method, language)
    title(ax, say["levels_title"].format(method=shown))
    listing = say["join"].join(
        f"{text} {number(100 * whole, 1)}"
        for text, whole, step in zip(texts, table["global"], steps, strict=True)
        if step == 0
    )
    set_alt(ax, say["levels_alt"].format(method=shown, listing=listing))
    return ax


def _words(language: str) -> dict[str, str]:
    if language not in TEXTS:
        raise ValueError(f"language: {language!r} is unknown; choose one of {', '.join(TEXTS)}.")
    return TEXTS[language]


def _marks(count: int) -> list[tuple[str, str, bool]]:
    """Marker, colour, and whether it is filled: shapes and fills tell series apart in grey print too."""
    found = zip(
        cycle(_MARKERS), cycle(_COLOURS), cycle((True,) * len(_COLOURS) + (False,) * len(_COLOURS)), range(count)
    )
    return [(marker, colour, filled) for marker, colour, filled, _ in found]


def _legend_below(ax: Axes) -> None:
    figure: Any = ax.get_figure(root=True)
    handles, names = ax.get_legend_handles_labels()
    if figure.axes == [ax]:
        height = figure.get_size_inches()[1]
        ax.legend(handles, names, ncols=4, loc="upper center", bbox_to_anchor=(0.45, -0.55 / (height - 1.2)))
    else:
        ax.legend(handles, names, ncols=2)


def _from_the_top(levels: pd.DataFrame) -> list[Any]:
    """Nodes below the index, each followed by what is below it."""
    children: dict[Any, list[Any]] = {}
    for parent, node in zip(levels["parent"], levels["node"], strict=True):
        children.setdefault(parent, []).append(node)

    def below(node: Any) -> list[Any]:
        return [each for child in children.get(node, ()) for each in (child, *below(child))]

    top = levels.loc[levels["level"] == 1, "node"].iloc[0]
    return below(top)
