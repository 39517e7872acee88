"""Figures of recency, frequency and monetary value (chapter 3): map of scores, segments, gain curves.

Each function takes plain tables, draws one message, and returns the Axes with its alternative text set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .rows import broken
from .style import PALETTE, SERIES, axes_or_new, set_alt

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: What a map can show: column of the grid, title, unit and format of a cell.
VALUES: dict[str, dict[str, Any]] = {
    "customers": {"column": "customers", "format": "{:,.0f}", "en": "Customers", "zh": "顾客数"},
    "revenue": {"column": "revenue_share", "format": "{:.1%}", "en": "Share of revenue", "zh": "收入占比"},
    "later_mean": {
        "column": "later_mean",
        "format": "{:.2f}",
        "en": "Later orders per customer",
        "zh": "后期人均订单数",
    },
    "later_buyers": {
        "column": "later_buyers",
        "format": "{:.0%}",
        "en": "Share who bought later",
        "zh": "后期购买者比例",
    },
}
_WORDS: dict[str, dict[str, str]] = {
    "r": {"en": "recency score r ({best} is most recent)", "zh": "近度得分 r（{best} 为最近）"},
    "f": {"en": "frequency score f ({best} is most frequent)", "zh": "频度得分 f（{best} 为最频繁）"},
    "map_title": {"en": "{what} by recency and frequency", "zh": "按近度与频度分布的{what}"},
    "map_alt": {
        "en": "{what} by recency and frequency score. Highest: {high} at r = {r}, f = {f}; {cells} cells in use.",
        "zh": "按近度与频度得分的{what}。最高为 {high}，位于 r = {r}、f = {f}；共 {cells} 格有顾客。",
    },
    "customers": {"en": "share of customers", "zh": "顾客占比"},
    "revenue": {"en": "share of revenue", "zh": "收入占比"},
    "percent": {"en": "share (%)", "zh": "占比（%）"},
    "segments_title": {
        "en": "{name}: {share:.0%} of customers, {revenue:.0%} of revenue",
        "zh": "{name}：顾客占 {share:.0%}，收入占 {revenue:.0%}",
    },
    "segment_alt": {
        "en": "{name}: {share:.1%} of the customers, {revenue:.1%} of the revenue.",
        "zh": "{name}：顾客占 {share:.1%}，收入占 {revenue:.1%}。",
    },
    "shares_title": {"en": "Customers by segment", "zh": "各细分的顾客占比"},
    "shares_alt": {
        "en": "Share of customers by segment. {rows} Largest share: {high}.",
        "zh": "按细分的顾客占比。{rows}最大占比：{high}。",
    },
    "shares_row": {"en": "{name}: {cells}.", "zh": "{name}：{cells}。"},
    "gain_title": {"en": "Who buys later? The best tenth by each score", "zh": "谁会再次购买？各评分的前十分之一"},
    "reached": {"en": "customers reached, best score first (%)", "zh": "按得分从高到低触达的顾客（%）"},
    "gained": {"en": "later orders they made (%)", "zh": "其后期订单占比（%）"},
    "chance": {"en": "at random", "zh": "随机"},
    "gain_alt": {
        "en": "{name}: the first tenth of customers made {ten:.0%} of the later orders, the first fifth {twenty:.0%}.",
        "zh": "{name}：前 10% 的顾客占后期订单的 {ten:.0%}，前 20% 占 {twenty:.0%}。",
    },
}
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))


def heat_map(
    grid: pd.DataFrame,
    *,
    value: str = "customers",
    best: Mapping[str, int] | None = None,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw a value by recency and frequency score, the best customers at the top right.

    Parameters
    ----------
    grid
        Columns r, f, customers, revenue_share, and for the later values later_mean and later_buyers; one row a cell.
    value
        "customers", "revenue", "later_mean" or "later_buyers".
    best
        The best score of r and of f; default the highest. With 1, as recency of the published rubric, the axis is
        turned round.
    language
        "en" or "zh".
    ax
        Axes to draw on; a new figure of report width if ``None``.

    Returns
    -------
    matplotlib.axes.Axes
        With the alternative text set.

    Raises
    ------
    ValueError
        For an unknown value, or a grid without its column or without rows.

    Examples
    --------
    >>> import pandas as pd
    >>> grid = pd.DataFrame({"r": [1, 2], "f": [1, 2], "customers": [30, 5]})
    >>> heat_map(grid).get_title(loc="left")
    'Customers by recency and frequency'
    """
    if value not in VALUES:
        raise ValueError(f"heat_map: {value!r} is not known; expected one of {', '.join(VALUES)}.")
    column = VALUES[value]["column"]
    if column not in grid.columns or grid.empty:
        raise ValueError(f"heat_map: the grid has no column {column!r}, or no row.")
    best = best or {"r": int(grid["r"].max()), "f": int(grid["f"].max())}
    cells = grid.pivot(index="r", columns="f", values=column)
    # Scores that nobody has stay visible.
    every = {name: range(1, max(best[name], int(grid[name].max())) + 1) for name in ("r", "f")}
    cells = cells.reindex(index=every["r"], columns=every["f"])
    cells = cells.sort_index(ascending=best["r"] != 1).sort_index(axis=1, ascending=best["f"] != 1)
    ax = axes_or_new(ax, height=0.9 + 0.55 * len(cells))
    write = VALUES[value]["format"].format
    # Vector cells, not an image: the report's page lets no picture in, and print stays sharp.
    edges = [[place - 0.5 for place in range(count + 1)] for count in (len(cells.columns), len(cells))]
    shown = ax.pcolormesh(*edges, cells.to_numpy(), cmap=_blues(), vmin=0)
    _write_cells(ax, cells, write, float(shown.get_clim()[1]))
    ax.set_xticks(range(len(cells.columns)), [f"F{score}" for score in cells.columns])
    ax.set_yticks(range(len(cells)), [f"R{score}" for score in cells.index])
    ax.grid(visible=False)
    ax.set_xlabel(_WORDS["f"][language].format(best=best["f"]))
    ax.set_ylabel(_WORDS["r"][language].format(best=best["r"]))
    what = VALUES[value][language]
    ax.set_title(_WORDS["map_title"][language].format(what=what))
    top = grid.loc[grid[column].idxmax()]
    told = {"high": write(top[column]), "r": int(top["r"]), "f": int(top["f"]), "cells": len(grid)}
    set_alt(ax, _WORDS["map_alt"][language].format(what=what, **told))
    return ax


def segment_bars(
    segments: pd.DataFrame,
    *,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw each segment's share of customers and of revenue side by side.

    Parameters
    ----------
    segments
        One row a segment (the row label); columns share and revenue_share, 0–1.
    labels
        Text to print for a segment.
    language, ax
        As for :func:`heat_map`.

    Returns
    -------
    matplotlib.axes.Axes
        With the alternative text set.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> segments = pd.DataFrame({"share": [0.2, 0.8], "revenue_share": [0.7, 0.3]}, index=["Champions", "Lost"])
    >>> segment_bars(segments).get_title(loc="left")
    'Champions: 20% of customers, 70% of revenue'
    """
    if segments.empty or not {"share", "revenue_share"} <= set(segments.columns):
        raise ValueError("segment_bars: expected one row or more with the columns share and revenue_share.")
    names = [(labels or {}).get(name, str(name)) for name in segments.index]
    shares = segments[["share", "revenue_share"]].fillna(0.0)
    ax = axes_or_new(ax, height=1.1 + 0.42 * len(names))
    rows = range(len(names))
    edge: dict[str, Any] = {"edgecolor": PALETTE["ink"], "linewidth": 0.6, "height": 0.36}
    ax.barh(
        [y - 0.19 for y in rows], 100 * shares["share"], color=SERIES[4], label=_WORDS["customers"][language], **edge
    )
    ax.barh(
        [y + 0.19 for y in rows],
        100 * shares["revenue_share"],
        color=SERIES[0],
        label=_WORDS["revenue"][language],
        **edge,
    )
    ax.set_yticks(rows, names)
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(_WORDS["percent"][language])
    ax.legend(loc="lower right")
    top = int(shares["revenue_share"].to_numpy().argmax())
    told = [
        {"name": name, "share": share, "revenue": revenue}
        for name, (share, revenue) in zip(names, shares.to_numpy().tolist(), strict=True)
    ]
    ax.set_title(_WORDS["segments_title"][language].format(**told[top]))
    set_alt(ax, " ".join(_WORDS["segment_alt"][language].format(**row) for row in told))
    return ax


def share_map(
    shares: pd.DataFrame,
    *,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw the segments' shares of the customers of several shops, regions or periods, one row each.

    Parameters
    ----------
    shares
        One row a shop (the row label), one column a segment; shares of its customers, 0–1, nan where there are none.
    labels
        Text to print for a segment.
    language, ax
        As for :func:`heat_map`.

    Returns
    -------
    matplotlib.axes.Axes
        With the alternative text set.

    Raises
    ------
    ValueError
        If there is no row or no column.

    Examples
    --------
    >>> import pandas as pd
    >>> shares = pd.DataFrame({"Champions": [0.2, 0.3], "Lost": [0.8, 0.7]}, index=["North", "South"])
    >>> [label.get_text() for label in share_map(shares).get_yticklabels()]
    ['North', 'South']
    """
    if shares.empty:
        raise ValueError("share_map: the table has no rows or no columns; there is nothing to draw.")
    names = [broken(str((labels or {}).get(name, name))) for name in shares.columns]
    ax = axes_or_new(ax, height=1.5 + 0.42 * len(shares))
    edges = [[place - 0.5 for place in range(count + 1)] for count in (len(names), len(shares))]
    shown = ax.pcolormesh(*edges, shares.to_numpy(dtype=float), cmap=_blues(), vmin=0)
    _write_cells(ax, shares, "{:.0%}".format, float(shown.get_clim()[1]))
    ax.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(shares)), [broken(str(name)) for name in shares.index])
    ax.invert_yaxis()
    ax.grid(visible=False)
    ax.set_title(_WORDS["shares_title"][language])
    cells = [
        ", ".join(f"{name} {share:.0%}" for name, share in zip(names, row, strict=True) if share == share)
        for row in shares.to_numpy(dtype=float).tolist()
    ]
    rows = [
        _WORDS["shares_row"][language].format(name=name, cells=row)
        for name, row in zip(shares.index, cells, strict=True)
    ]
    place, segment = divmod(int(shares.fillna(0.0).to_numpy(dtype=float).argmax()), len(names))
    high = f"{shares.index[place]}, {names[segment]}"
    set_alt(ax, _WORDS["shares_alt"][language].format(rows=" ".join(rows), high=high))
    return ax


def gain_curves(curves: Mapping[str, pd.DataFrame], *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw gain curves of several scores, told apart by colour and dash.

    Parameters
    ----------
    curves
        By name: columns share and gain, 0–1, from 0 to 1. At most five.
    language, ax
        As for :func:`heat_map`.

    Returns
    -------
    matplotlib.axes.Axes
        With the alternative text set.

    Raises
    ------
    ValueError
        For no curve, or more than five.

    Examples
    --------
    >>> import pandas as pd
    >>> ax = gain_curves({"score": pd.DataFrame({"share": [0, 0.5, 1], "gain": [0, 0.8, 1]})})
    >>> len(ax.get_lines())
    2
    """
    import numpy as np

    if not 0 < len(curves) <= len(_DASHES):
        raise ValueError(f"gain_curves: {len(curves)} curves; expected 1 to {len(_DASHES)}.")
    ax = axes_or_new(ax, height=4.0)
    said = []
    for (name, curve), colour, dash in zip(curves.items(), SERIES, _DASHES, strict=False):
        ten, twenty = np.interp([0.1, 0.2], curve["share"], curve["gain"])
        ax.plot(100 * curve["share"], 100 * curve["gain"], color=colour, linestyle=dash, label=f"{name} ({ten:.0%})")
        said.append(_WORDS["gain_alt"][language].format(name=name, ten=ten, twenty=twenty))
    ax.plot([0, 100], [0, 100], color=PALETTE["grey"], linewidth=0.8, label=_WORDS["chance"][language])
    ax.set_xlim(0, 100)
    ax.set_ylim(0, 101)
    ax.set_xlabel(_WORDS["reached"][language])
    ax.set_ylabel(_WORDS["gained"][language])
    ax.set_title(_WORDS["gain_title"][language])
    ax.legend(loc="lower right")
    set_alt(ax, " ".join(said))
    return ax


def _blues() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    shades = [PALETTE["pale"], PALETTE["main"], PALETTE["highlight"]]
    return LinearSegmentedColormap.from_list("crmlab", shades, bad=PALETTE["paper"])


def _write_cells(ax: Axes, cells: pd.DataFrame, write: Any, highest: float) -> None:
    """Write each cell's value, light on dark."""
    for y, row in enumerate(cells.to_numpy().tolist()):
        for x, value in enumerate(row):
            if value == value:
                dark = value > 0.45 * highest
                ax.text(x, y, write(value), ha="center", va="center", color=PALETTE["paper" if dark else "ink"])
