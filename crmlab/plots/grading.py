"""Figures of grades (chapter 5): the map of a grid, shares of grades, moved thresholds, a back-test.

Each function takes a plain table, draws one message, and returns the Axes. Names on paper come from ``labels`` (grade
or column → text; a missing one prints its key).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .csi_texts import number
from .rows import broken, intervals, name_rows, require, row_centres, title, value_column
from .style import PALETTE, SERIES, axes_or_new, set_alt

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Most points that are drawn of a map; more hide each other, and every k-th is taken.
MOST_POINTS = 3000
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_FACES = (*SERIES[:4], PALETTE["hatch"])

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "join": ", ",
        "stop": "; ",
        "map_title": "Customers on the grid",
        "map_log": "{name}, logarithmic",
        "map_alt": "Scatter of {n} customers, {x} across and {y} upwards, with thresholds {thresholds}. {listing}.",
        "map_thinned": " Drawn: every {k}th customer.",
        "threshold": "{name} {value}",
        "grade": "grade {grade}: {share}%",
        "shares_title": "How the grades are shared out",
        "shares_axis": "Share of the customers (%)",
        "shares_alt": "Bars of the share of each grade among {n} customers: {listing}.",
        "without": "no grade",
        "moves_title": "Who changes grade when a threshold moves",
        "moves_x": "Change of the threshold (%)",
        "moves_x_scale": "Change of the threshold (% of the scale's length)",
        "moves_y": "Customers who change grade (%)",
        "moves_line": "{name} at {value}",
        "moves_alt": "Lines of the share of customers who change grade, one per threshold. {listing}.",
        "moves_row": "{name}: up to {share}%",
        "test_title": "What each grade brought later",
        "test_axis": "Mean later revenue per customer\nLines: {level} interval; dotted: mean of all customers",
        "test_alt": "Bars of mean later revenue by grade with {level} interval: {listing}. {verdict}",
        "test_row": "{grade} {mean} ({low}–{high}), lift {lift}",
        "test_value": "× {lift}",
        "falls": "It falls from grade to grade.",
        "mixed": "It does not fall from grade to grade.",
    },
    "zh": {
        "join": "、",
        "stop": "；",
        "map_title": "客户在二维网格中的位置",
        "map_log": "{name}，对数刻度",
        "map_alt": "{n} 个客户的散点图，横轴 {x}，纵轴 {y}，界限为 {thresholds}。{listing}。",
        "map_thinned": "每 {k} 个客户画一个。",
        "threshold": "{name} {value}",
        "grade": "{grade} 级 {share}%",
        "shares_title": "各等级客户的比例",
        "shares_axis": "占客户总数的百分比（%）",
        "shares_alt": "{n} 个客户各等级比例的条形图：{listing}。",
        "without": "未分级",
        "moves_title": "移动界限时有多少客户改变等级",
        "moves_x": "界限的变化（%）",
        "moves_x_scale": "界限的变化（占量表长度的 %）",
        "moves_y": "改变等级的客户（%）",
        "moves_line": "{name}，界限 {value}",
        "moves_alt": "改变等级的客户比例，每个界限一条线。{listing}。",
        "moves_row": "{name}：最多 {share}%",
        "test_title": "各等级客户后来带来的收入",
        "test_axis": "每个客户后来的平均收入\n横线：{level} 区间；点线：全体客户均值",
        "test_alt": "各等级后来平均收入的条形图及 {level} 区间：{listing}。{verdict}",
        "test_row": "{grade} {mean}（{low}–{high}），提升 {lift}",
        "test_value": "× {lift}",
        "falls": "逐级下降。",
        "mixed": "并非逐级下降。",
    },
}


def _words(language: str) -> Mapping[str, str]:
    if language not in _WORDS:
        raise ValueError(f"language {language!r} is not known; expected en or zh.")
    return _WORDS[language]


def grid_map(
    points: pd.DataFrame,
    thresholds: pd.DataFrame,
    *,
    log: tuple[bool, bool] = (False, False),
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw customers as points, marked by grade, with the thresholds of the grid as lines.

    Parameters
    ----------
    points
        The two numeric columns (across, upwards) and ``grade``, one row per customer.
    thresholds
        Columns ``column`` and ``threshold``.
    log
        Whether the axes are logarithmic; values of 0 or less are not drawn then.
    ax, labels, language
        Axes to draw on; text for a column or grade; ``"en"`` or ``"zh"``.

    Returns
    -------
    matplotlib.axes.Axes
        With the alternative text set.

    Raises
    ------
    ValueError
        If a column is missing, the table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame({"spend": [1, 9], "risk": [0.2, 0.8], "grade": ["A", "B"]})
    >>> ax = grid_map(customers, pd.DataFrame({"column": ["spend", "risk"], "threshold": [5, 0.5]}))
    >>> ax.get_xlabel(), len(ax.lines)
    ('spend', 2)
    """
    say = _words(language)
    require(points, ("grade",), "grid_map")
    require(thresholds, ("column", "threshold"), "grid_map")
    across, upwards = [column for column in points.columns if column != "grade"][:2]
    ax = axes_or_new(ax, height=4.4)
    graded = points.dropna()
    step = -(-len(graded) // MOST_POINTS)
    shares = graded["grade"].value_counts(normalize=True, sort=False)
    for number_of, (grade, share) in enumerate(shares.items()):
        own = graded.iloc[::step][lambda table, grade=grade: table["grade"] == grade]
        name = (labels or {}).get(grade, str(grade))
        ax.scatter(
            own[across], own[upwards], s=16, marker=_MARKERS[number_of % len(_MARKERS)], alpha=0.75, linewidth=0.3,
            facecolor=_FACES[number_of % len(_FACES)], edgecolor=PALETTE["ink"], label=f"{name} ({100 * share:.0f}%)",
        )  # fmt: skip
    for column, value in zip(thresholds["column"], thresholds["threshold"], strict=True):
        draw = ax.axvline if column == across else ax.axhline
        draw(value, color=PALETTE["ink"], linestyle="--", linewidth=1.2)
    for logarithmic, axis, set_scale, column in (
        (log[0], ax.xaxis, ax.set_xscale, across),
        (log[1], ax.yaxis, ax.set_yscale, upwards),
    ):
        name = (labels or {}).get(column, str(column))
        axis.set_label_text(say["map_log"].format(name=name) if logarithmic else name)
        if logarithmic:
            set_scale("log")
            axis.set_major_formatter("{x:,g}")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    title(ax, say["map_title"])
    told = say["map_alt"].format(
        n=len(graded), x=(labels or {}).get(across, across), y=(labels or {}).get(upwards, upwards),
        thresholds=say["join"].join(
            say["threshold"].format(name=(labels or {}).get(c, c), value=f"{v:.4g}")
            for c, v in zip(thresholds["column"], thresholds["threshold"], strict=True)
        ),
        listing=_grades_told(shares, say, labels),
    )  # fmt: skip
    set_alt(ax, told + (say["map_thinned"].format(k=step) if step > 1 else ""))
    return ax


def grade_shares(
    grades: pd.Series, *, ax: Axes | None = None, labels: Mapping[Any, str] | None = None, language: str = "en"
) -> Axes:
    """Draw the share of the customers in each grade; customers without a grade are a bar of their own.

    Parameters
    ----------
    grades
        One grade per customer, in the order of the categories, or of first mention.
    ax, labels, language
        As for :func:`grid_map`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are no customers, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> ax = grade_shares(pd.Series(pd.Categorical(["A", "B", "B", None])))
    >>> [text.get_text() for text in ax.texts]
    ['25.0%', '50.0%', '25.0%']
    """
    say = _words(language)
    require(grades.to_frame(), (), "grade_shares")
    shares = grades.value_counts(normalize=True, sort=False, dropna=True) * grades.notna().mean()
    names = [broken(str((labels or {}).get(grade, grade))) for grade in shares.index]
    values = [*shares]
    if grades.isna().any():
        names, values = [*names, say["without"]], [*values, float(grades.isna().mean())]
    rows, room = row_centres(names, inches=0.32)
    ax = axes_or_new(ax, height=1.2 + 0.32 * room)
    colours = [PALETTE["main"]] * len(shares) + [PALETTE["rule"]] * (len(values) - len(shares))
    ax.barh(
        rows, [100 * value for value in values], height=0.62, color=colours, edgecolor=PALETTE["ink"], linewidth=0.6
    )
    name_rows(ax, names, rows)
    value_column(ax, rows, [f"{100 * value:.1f}%" for value in values])
    ax.set_xlabel(say["shares_axis"])
    title(ax, say["shares_title"])
    listing = say["join"].join(f"{name} {100 * value:.1f}%" for name, value in zip(names, values, strict=True))
    set_alt(ax, say["shares_alt"].format(n=len(grades), listing=listing.replace("\n", " ")))
    return ax


def moved_thresholds(
    moves: pd.DataFrame,
    *,
    of_scale: bool = False,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw the share of customers who change grade against the change of a threshold: one line per threshold.

    Parameters
    ----------
    moves
        Columns ``input``, ``threshold``, ``move``, ``share``; rows without a share are not drawn.
    of_scale
        Whether the moves are shares of the scale's length instead of shares of the threshold.
    ax, labels, language
        As for :func:`grid_map`.

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
    >>> moves = pd.DataFrame({"input": "spend", "threshold": 100.0, "move": [-0.1, 0.1], "share": [0.02, 0.03]})
    >>> moved_thresholds(moves).lines[0].get_ydata().tolist()
    [2.0, 0.0, 3.0]
    """
    say = _words(language)
    require(moves, ("input", "threshold", "move", "share"), "moved_thresholds")
    ax = axes_or_new(ax, height=3.6)
    told = []
    known = moves.dropna(subset="share")
    for place, ((column, threshold), rows) in enumerate(known.groupby(["input", "threshold"], sort=False)):
        name = say["moves_line"].format(name=(labels or {}).get(column, column), value=f"{threshold:.4g}")
        # Nobody changes grade when nothing moves.
        across = np.append(rows["move"], 0.0)
        order = across.argsort()
        ax.plot(
            100 * across[order], (100 * np.append(rows["share"], 0.0))[order], label=name, color=_FACES[place % 4],
            marker=_MARKERS[place % len(_MARKERS)], linestyle=("-", "--", ":", "-.")[place % 4],
        )  # fmt: skip
        told.append(say["moves_row"].format(name=name, share=number(100 * rows["share"].max(), 1)))
    ax.set_ylim(bottom=0)
    ax.set_xlabel(say["moves_x_scale" if of_scale else "moves_x"])
    ax.set_ylabel(say["moves_y"])
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    title(ax, say["moves_title"])
    set_alt(ax, say["moves_alt"].format(listing=say["stop"].join(told)))
    return ax


def back_test(
    table: pd.DataFrame,
    *,
    level: float = 0.95,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw the mean later revenue of every grade with its interval, and the lift beside it.

    Parameters
    ----------
    table
        Index grade, best first; columns ``mean``, ``ci_lower``, ``ci_upper``, ``lift``.
    level
        Of the intervals.
    ax, labels, language
        As for :func:`grid_map`.

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
    >>> columns = {"mean": [20.0, 5.0], "ci_lower": [15.0, 4.0], "ci_upper": [25.0, 6.0], "lift": [2.0, 0.5]}
    >>> [text.get_text() for text in back_test(pd.DataFrame(columns, ["A", "B"])).texts]
    ['× 2.00', '× 0.50']
    """
    say = _words(language)
    require(table, ("mean", "ci_lower", "ci_upper", "lift"), "back_test")
    names = [broken(str((labels or {}).get(grade, grade))) for grade in table.index]
    rows, room = row_centres(names, inches=0.36)
    ax = axes_or_new(ax, height=1.4 + 0.36 * room)
    ax.barh(rows, table["mean"], height=0.62, color=PALETTE["main"], edgecolor=PALETTE["ink"], linewidth=0.6)
    intervals(ax, rows, table["ci_lower"], table["ci_upper"])
    ax.axvline(table["mean"].iloc[0] / table["lift"].iloc[0] if table["lift"].iloc[0] else 0.0, color=PALETTE["ink"],
               linestyle=":", linewidth=1.2)  # fmt: skip
    name_rows(ax, names, rows)
    value_column(ax, rows, [say["test_value"].format(lift=number(lift, 2)) for lift in table["lift"]])
    ax.set_xlabel(say["test_axis"].format(level=f"{100 * level:g}%"))
    title(ax, say["test_title"])
    listing = say["join"].join(
        say["test_row"].format(
            grade=name, mean=number(row["mean"], 1), low=number(row["ci_lower"], 1), high=number(row["ci_upper"], 1),
            lift=number(row["lift"], 2),
        )
        for name, row in zip(names, table.to_dict("records"), strict=True)
    )  # fmt: skip
    verdict = say["falls" if table["mean"].is_monotonic_decreasing else "mixed"]
    set_alt(ax, say["test_alt"].format(level=f"{100 * level:g}%", listing=listing, verdict=verdict))
    return ax


def _grades_told(shares: pd.Series, say: Mapping[str, str], labels: Mapping[Any, str] | None) -> str:
    return say["join"].join(
        say["grade"].format(grade=(labels or {}).get(grade, grade), share=f"{100 * share:.0f}")
        for grade, share in shares.items()
    )
