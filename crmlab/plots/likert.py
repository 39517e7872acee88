"""Figures of single items (chapter 7): diverging bars, heat map, scree, loadings, Kano map, penalties, gaps, value.

Each function takes a plain table that `crmlab.likert` or `crmlab.sem` holds and returns the Axes. Disagreement
stands on the left, hatched, agreement on the right; the further from the middle, the darker, so that grey print loses
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from .csi_texts import Wording, number
from .likert_texts import TEXTS
from .rows import broken, intervals, name_rows, require, row_centres, title, value_column
from .style import PALETTE, axes_or_new, set_alt

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NEUTRALS = ("split", "aside", "dropped")
_DISAGREE, _AGREE = ("#F3D9C9", "#8C2D12"), ("#CFE3F1", "#12355B")
_NEUTRAL = "#C9CED3"
_ASIDE_GAP = 12.0  # percentage points
_MARKS = {"hygiene": "s", "motivator": "^", "both": "D", "neither": "o", "unwanted": "X", "unclear": "P"}


def diverging_bars(
    counts: pd.DataFrame,
    summary: pd.DataFrame,
    *,
    neutral: str = "split",
    levels: Mapping[float, str] | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw the shares of all answers around the middle of the scale, a row an item (and group).

    Parameters
    ----------
    counts
        Columns ``group``, ``item``, ``answer``, ``share`` (0–1): every level of the scale, used or not.
    summary
        Columns ``group``, ``item``, ``answered``, ``dont_know``, ``mean``: the rows to draw, top first.
    neutral
        The middle level of an odd scale: ``"split"`` half to either side, ``"aside"`` in a panel of its own on the
        right, ``"dropped"`` not drawn (shares stay shares of all answers).
    levels
        Text of points of the scale.
    labels, language, ax
        Text of items and groups; ``"en"`` or ``"zh"``; axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing, items have different scales, or an option is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.DataFrame({"group": "", "item": "SA1", "answer": [1.0, 2.0, 3.0], "share": [0.2, 0.2, 0.6]})
    >>> summary = pd.DataFrame({"group": [""], "item": ["SA1"], "answered": [10], "dont_know": [0], "mean": [2.4]})
    >>> ax = diverging_bars(counts, summary)
    >>> [round(float(bar.get_x()), 1) for bar in ax.patches]
    [-30.0, -10.0, 10.0]
    """
    words = Wording(language, labels, 0.95, TEXTS)
    require(counts, ("group", "item", "answer", "share"), "diverging_bars")
    require(summary, ("group", "item", "answered", "dont_know", "mean"), "diverging_bars")
    if neutral not in NEUTRALS:
        raise ValueError(f"diverging_bars: neutral {neutral!r} is unknown; choose one of {', '.join(NEUTRALS)}.")
    points, shares = _shares(counts, summary, "diverging_bars")
    middle = (points[0] + points[-1]) / 2
    names = [broken(_row_name(words, row)) for row in summary[["group", "item"]].itertuples(index=False)]
    centres, room = row_centres(names, inches=0.30)
    ax = axes_or_new(ax, height=1.7 + 0.30 * room)
    starts, aside = _starts(points, shares, middle, neutral)
    for place, (point, colour) in enumerate(zip(points, _colours(points, middle), strict=True)):
        if point == middle and neutral == "dropped":
            continue
        ax.barh(
            centres, shares[:, place], left=starts[:, place], height=0.7, color=colour, edgecolor=PALETTE["paper"],
            linewidth=0.6, label=str((levels or {}).get(point, f"{point:g}")), hatch="////" if point < middle else None,
        )  # fmt: skip
    ax.axvline(0, color=PALETTE["ink"], linewidth=0.9)
    _share_axis(ax, starts, shares, points, middle, aside, words)
    name_rows(ax, names, centres, headroom=0.45 if aside is not None else 0.0)
    value_column(ax, centres, [_mean_and_n(words, row) for row in summary.itertuples()])
    figure: Any = ax.get_figure(root=True)
    figure.legend(
        *ax.get_legend_handles_labels(), loc="outside lower center", ncols=min(len(points), 10), handlelength=1.2
    )
    has_middle = middle in points
    title(ax, words("bars_title"))
    set_alt(ax, _bars_alt(words, summary, points, shares, middle, neutral if has_middle else ""))
    return ax


def heat_map(
    counts: pd.DataFrame,
    summary: pd.DataFrame,
    *,
    levels: Mapping[float, str] | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of every answer to every item as a shaded cell with its number.

    Parameters
    ----------
    counts, summary, levels, labels, language, ax
        As for :func:`diverging_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.DataFrame({"group": "", "item": "SA1", "answer": [1.0, 2.0, 3.0], "share": [0.2, 0.2, 0.6]})
    >>> summary = pd.DataFrame({"group": [""], "item": ["SA1"], "answered": [10], "dont_know": [0], "mean": [2.4]})
    >>> [text.get_text() for text in heat_map(counts, summary).texts]
    ['20', '20', '60', '2.4 (10)']
    """
    words = Wording(language, labels, 0.95, TEXTS)
    require(counts, ("group", "item", "answer", "share"), "heat_map")
    require(summary, ("group", "item", "answered", "dont_know", "mean"), "heat_map")
    points, shares = _shares(counts, summary, "heat_map")
    names = [broken(_row_name(words, row)) for row in summary[["group", "item"]].itertuples(index=False)]
    ax = axes_or_new(ax, height=1.4 + 0.30 * len(names))
    _cells(ax, shares, names, [str((levels or {}).get(point, f"{point:g}")) for point in points], digits=0)
    value_column(ax, range(len(names)), [_mean_and_n(words, row) for row in summary.itertuples()])
    ax.set_xlabel(words("heat_x"))
    title(ax, words("heat_title"))
    top = points[int(np.nanargmax(shares.mean(axis=0)))]
    set_alt(ax, words("heat_alt", n=len(names), points=len(points), most=f"{top:g}", listing=_means(words, summary)))
    return ax


def scree(table: pd.DataFrame, *, factors: int | None = None, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw eigenvalues in order beside those of answers without any relation.

    Parameters
    ----------
    table
        As ``ParallelAnalysis.table``: index component; ``eigenvalue``, ``resampled_limit``, if known ``normal_limit``.
    factors
        How many exceed the limit; drawn as full marks and named in the title.
    language, ax
        As for :func:`diverging_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"eigenvalue": [2.1, 0.6, 0.3], "resampled_limit": [1.2, 1.0, 0.9]}, index=[1, 2, 3])
    >>> scree(table, factors=1).get_title(loc="left")
    'Eigenvalues above chance: 1'
    """
    words = Wording(language, None, 0.95, TEXTS)
    require(table, ("eigenvalue", "resampled_limit"), "scree")
    ax = axes_or_new(ax, height=3.4)
    components = table.index.to_numpy()
    ax.plot(components, table["eigenvalue"], "o-", color=PALETTE["highlight"], label=words("scree_found"))
    ax.plot(
        components, table["resampled_limit"], "s--", markersize=4, color=PALETTE["grey"], label=words("scree_shuffled")
    )
    if "normal_limit" in table.columns:
        ax.plot(components, table["normal_limit"], ":", color=PALETTE["main"], label=words("scree_normal"))
    kept = int((table["eigenvalue"] > table["resampled_limit"]).cumprod().sum()) if factors is None else factors
    ax.set_xticks(components)
    ax.set(xlabel=words("scree_x"), ylabel=words("scree_y"))
    ax.legend()
    title(ax, words("scree_title", n=kept))
    listing = words("join").join(number(value, 2) for value in table["eigenvalue"])
    set_alt(ax, words("scree_alt", listing=listing, n=kept, limit=number(float(table["resampled_limit"].iloc[0]), 2)))
    return ax


def loadings_map(
    loadings: pd.DataFrame, *, labels: Mapping[Any, str] | None = None, language: str = "en", ax: Axes | None = None
) -> Axes:
    """Draw a factor pattern as shaded cells, items down, factors across; stronger is darker, negative is hatched.

    Parameters
    ----------
    loadings
        Items × factors, as ``FactorAnalysis.sorted`` without its communality.
    labels, language, ax
        As for :func:`diverging_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> ax = loadings_map(pd.DataFrame({"F1": [0.8, 0.1], "F2": [0.0, -0.7]}, index=["a", "b"]))
    >>> [text.get_text() for text in ax.texts]
    ['0.80', '0.00', '0.10', '−0.70']
    """
    words = Wording(language, labels, 0.95, TEXTS)
    require(loadings, (), "loadings_map")
    names = [broken(words.name(item)) for item in loadings.index]
    ax = axes_or_new(ax, height=1.3 + 0.27 * len(names))
    _cells(ax, loadings.to_numpy(dtype=float), names, [str(factor) for factor in loadings.columns], digits=2)
    ax.set_xlabel(words("loadings_x"))
    title(ax, words("loadings_title"))
    strongest = loadings.abs().idxmax(axis=1)
    listing = words("stop").join(
        words("loadings_of", factor=factor, items=words("join").join(map(words.name, items.index)))
        for factor, items in strongest.groupby(strongest)
    )
    set_alt(ax, words("loadings_alt", n=len(names), factors=len(loadings.columns), listing=listing))
    return ax


def kano_map(
    table: pd.DataFrame, *, labels: Mapping[Any, str] | None = None, language: str = "en", ax: Axes | None = None
) -> Axes:
    """Draw better against worse, a mark a feature, with intervals.

    Parameters
    ----------
    table
        Index feature; ``category`` (M O A I R Q), ``factor``, ``better``, ``worse`` and their ``_ci_lower``,
        ``_ci_upper``.
    labels, language, ax
        As for :func:`diverging_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"category": "M", "factor": "hygiene", "better": 0.2, "better_ci_lower": 0.1, "better_ci_upper": 0.3}
    >>> row |= {"worse": -0.8, "worse_ci_lower": -0.9, "worse_ci_upper": -0.7}
    >>> ax = kano_map(pd.DataFrame([row], index=["safety"]))
    >>> ax.get_xlim(), ax.get_ylim()
    ((np.float64(0.0), np.float64(1.0)), (np.float64(0.0), np.float64(1.0)))
    """
    words = Wording(language, labels, 0.95, TEXTS)
    needed = [f"{name}{end}" for name in ("better", "worse") for end in ("", "_ci_lower", "_ci_upper")]
    require(table, ("category", "factor", *needed), "kano_map")
    ax = axes_or_new(ax, height=4.6)
    for line in (ax.axvline, ax.axhline):
        line(0.5, color=PALETTE["grey"], linestyle="--", linewidth=1.0)
    for place, key in zip(((0.02, 0.98), (0.98, 0.98), (0.02, 0.02), (0.98, 0.02)), "AOIM", strict=True):
        sides: dict[str, Any] = {
            "ha": "left" if place[0] < 0.5 else "right",
            "va": "bottom" if place[1] < 0.5 else "top",
        }
        ax.text(*place, words(f"kano_{key}"), color=PALETTE["grey"], transform=ax.transAxes, **sides)
    for factor, rows in table.groupby("factor", sort=False):
        ax.errorbar(
            -rows["worse"], rows["better"], yerr=_arms(rows, "better"), xerr=_arms(rows, "worse")[::-1],
            fmt=_MARKS.get(str(factor), "o"), markersize=7, color=PALETTE["highlight"], ecolor=PALETTE["grey"],
            elinewidth=0.8, label=words(f"factor_{factor}"),
        )  # fmt: skip
    for name, row in table.iterrows():
        ax.annotate(words.name(name), (-row["worse"], row["better"]), (6, 5), textcoords="offset points")
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel=words("kano_x"), ylabel=words("kano_y"))
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    title(ax, words("kano_title"))
    listing = words("stop").join(
        words(
            "kano_point", name=words.name(name), category=words(f"kano_{row['category']}") if row["category"] else "–",
            better=number(row["better"], 2), worse=number(row["worse"], 2),
        )
        for name, row in table.iterrows()
    )  # fmt: skip
    set_alt(ax, words("kano_alt", n=len(table), listing=listing))
    return ax


def penalty_reward_bars(
    table: pd.DataFrame, *, labels: Mapping[Any, str] | None = None, language: str = "en", ax: Axes | None = None
) -> Axes:
    """Draw what a low rating takes from satisfaction (left, hatched) and a high one adds (right), with intervals.

    Parameters
    ----------
    table
        Index attribute; ``penalty``, ``reward`` with ``_ci_lower`` and ``_ci_upper``, ``factor``.
    labels, language, ax
        As for :func:`diverging_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"penalty": -1.8, "penalty_ci_lower": -2.2, "penalty_ci_upper": -1.4, "factor": "hygiene"}
    >>> row |= {"reward": 0.1, "reward_ci_lower": -0.2, "reward_ci_upper": 0.4}
    >>> [round(float(bar.get_width()), 1) for bar in penalty_reward_bars(pd.DataFrame([row], index=["safety"])).patches]
    [-1.8, 0.1]
    """
    words = Wording(language, labels, 0.95, TEXTS)
    ends = [f"{name}{end}" for name in ("penalty", "reward") for end in ("", "_ci_lower", "_ci_upper")]
    require(table, ("factor", *ends), "penalty_reward_bars")
    names = [broken(words.name(name)) for name in table.index]
    centres, room = row_centres(names, inches=0.36)
    ax = axes_or_new(ax, height=1.3 + 0.36 * room)
    kinds = (("penalty", _DISAGREE[1], "////", -0.18), ("reward", _AGREE[1], None, 0.18))
    for name, colour, hatch, shift in kinds:
        rows = [centre + shift for centre in centres]
        ax.barh(
            rows, table[name], height=0.34, color=colour, hatch=hatch, edgecolor=PALETTE["paper"], label=words(name)
        )
        intervals(ax, rows, table[f"{name}_ci_lower"], table[f"{name}_ci_upper"])
    ax.axvline(0, color=PALETTE["ink"], linewidth=0.9)
    name_rows(ax, names, centres)
    value_column(ax, centres, [words(f"factor_{factor}") for factor in table["factor"]])
    ax.set_xlabel(words("penalty_x"))
    ax.legend(loc="best")
    title(ax, words("penalty_title"))
    listing = words("stop").join(
        words("penalty_row", name=words.name(name), penalty=number(row["penalty"], 2), reward=number(row["reward"], 2),
              factor=words(f"factor_{row['factor']}"))
        for name, row in table.iterrows()
    )  # fmt: skip
    set_alt(ax, words("penalty_alt", n=len(table), listing=listing))
    return ax


def gap_dumbbells(
    table: pd.DataFrame, *, labels: Mapping[Any, str] | None = None, language: str = "en", ax: Axes | None = None
) -> Axes:
    """Draw expectation (open) and perception (full) of each item, joined by the gap, with the gap on the right.

    Parameters
    ----------
    table
        Index item; ``expectation``, ``perception``, ``gap``, ``ci_lower``, ``ci_upper`` in scale points.
    labels, language, ax
        As for :func:`diverging_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"expectation": 8.0, "perception": 7.0, "gap": -1.0, "ci_lower": -1.3, "ci_upper": -0.7}
    >>> gap_dumbbells(pd.DataFrame([row], index=["service"])).texts[0].get_text()
    '−1.0 (−1.3 – −0.7)'
    """
    words = Wording(language, labels, 0.95, TEXTS)
    require(table, ("expectation", "perception", "gap", "ci_lower", "ci_upper"), "gap_dumbbells")
    names = [broken(words.name(name)) for name in table.index]
    centres, room = row_centres(names, inches=0.32)
    ax = axes_or_new(ax, height=1.4 + 0.32 * room)
    ax.hlines(centres, table["expectation"], table["perception"], color=PALETTE["grey"], linewidth=2)
    ax.scatter(
        table["expectation"], centres, s=52, facecolor=PALETTE["paper"], edgecolor=PALETTE["ink"], zorder=3,
        label=words("expectation"),
    )  # fmt: skip
    ax.scatter(table["perception"], centres, s=52, color=PALETTE["highlight"], zorder=3, label=words("perception"))
    name_rows(ax, names, centres)
    rows = table[["gap", "ci_lower", "ci_upper"]].itertuples(index=False)
    written = [words("gap_value", gap=number(g, 1), lower=number(low, 1), upper=number(up, 1)) for g, low, up in rows]
    value_column(ax, centres, written)
    ax.set_xlabel(words("gap_x"))
    ax.legend(loc="best")
    title(ax, words("gap_title"))
    listing = words.listing((words.name(name), gap) for name, gap in zip(table.index, written, strict=True))
    set_alt(ax, words("gap_alt", n=len(table), listing=listing))
    return ax


def value_bars(
    components: pd.DataFrame,
    *,
    level: float = 0.95,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw what customers get (plain) and what they give (hatched) on one scale from 0 to 100, with intervals.

    Parameters
    ----------
    components
        One row a component; ``side`` (``"benefit"`` or ``"cost"``), ``component``, ``index``, ``ci_lower``,
        ``ci_upper``.
    level
        Of the intervals, 0 to 1.
    labels, language, ax
        As for :func:`diverging_bars`.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"side": "benefit", "component": "service", "index": 66.0, "ci_lower": 64.0, "ci_upper": 68.0}
    >>> value_bars(pd.DataFrame([row])).texts[0].get_text()
    '66.0 (64.0 – 68.0)'
    """
    words = Wording(language, labels, level, TEXTS)
    require(components, ("side", "component", "index", "ci_lower", "ci_upper"), "value_bars")
    names = [broken(words.name(name)) for name in components["component"]]
    centres, room = row_centres(names, inches=0.32)
    ax = axes_or_new(ax, height=1.4 + 0.32 * room)
    for side, colour, hatch in (("benefit", _AGREE[1], None), ("cost", _DISAGREE[1], "////")):
        rows = [row for row, of in zip(centres, components["side"], strict=True) if of == side]
        widths = components.loc[components["side"] == side, "index"]
        ax.barh(rows, widths, height=0.6, color=colour, hatch=hatch, edgecolor=PALETTE["paper"], label=words(side))
    intervals(ax, centres, components["ci_lower"], components["ci_upper"])
    name_rows(ax, names, centres)
    figures = components[["index", "ci_lower", "ci_upper"]].itertuples(index=False)
    written = [words("gap_value", gap=number(g, 1), lower=number(a, 1), upper=number(b, 1)) for g, a, b in figures]
    value_column(ax, centres, written)
    ax.set_xlim(0, 100)
    ax.set_xlabel(words("value_x"))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    title(ax, words("value_title"))
    told = zip(components["side"], components["component"], written, strict=True)
    listing = words.listing((f"{words.name(name)} ({words(side)})", value) for side, name, value in told)
    set_alt(ax, words("value_alt", n=len(components), listing=listing))
    return ax


def _arms(rows: pd.DataFrame, name: str) -> Any:
    """How far the interval reaches below and above the estimate, (2, rows)."""
    below, above = rows[name] - rows[f"{name}_ci_lower"], rows[f"{name}_ci_upper"] - rows[name]
    return np.maximum(np.array([below, above], dtype=float), 0.0)


# Shares around the middle


def _shares(counts: pd.DataFrame, summary: pd.DataFrame, function: str) -> tuple[list[float], Any]:
    """Points of the scale, and percentages (rows, points) in the order of the summary."""
    wide = counts.pivot(index=["group", "item"], columns="answer", values="share")
    wide = wide.loc[list(summary[["group", "item"]].itertuples(index=False, name=None))]
    per_item = counts.groupby(["group", "item"])["answer"].agg(["min", "max"])
    if len(per_item.drop_duplicates()) > 1:
        raise ValueError(
            f"{function}: the items have different scales; draw those of each scale in a figure of its own."
        )
    return [float(point) for point in wide.columns], 100 * wide.to_numpy(dtype=float)


def _starts(points: Sequence[float], shares: Any, middle: float, neutral: str) -> tuple[Any, float | None]:
    """Left ends (rows, points) of the bars, and where the neutral panel begins, if there is one."""
    below = np.array([point < middle for point in points])
    at = np.array([point == middle for point in points])
    filled = np.nan_to_num(shares)
    half = filled[:, at].sum(axis=1) / 2 if neutral == "split" else np.zeros(len(filled))
    on_axis = np.where(at, 0.0, filled) if neutral != "split" else filled
    starts = np.cumsum(on_axis, axis=1) - on_axis - (filled[:, below].sum(axis=1) + half)[:, None]
    if neutral != "aside" or not at.any():
        return starts, None
    aside = ceil(filled[:, [point > middle for point in points]].sum(axis=1).max() / 10) * 10 + _ASIDE_GAP
    starts[:, at] = aside
    return starts, aside


def _colours(points: Sequence[float], middle: float) -> list[str]:
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    reach = max(abs(points[0] - middle), 1e-9)
    scales = [LinearSegmentedColormap.from_list("side", ends) for ends in (_DISAGREE, _AGREE)]
    nearest = min(abs(point - middle) for point in points if point != middle)
    span = max(reach - nearest, 1e-9)
    return [
        _NEUTRAL if point == middle else to_hex(scales[point > middle]((abs(point - middle) - nearest) / span))
        for point in points
    ]


def _share_axis(
    ax: Axes, starts: Any, shares: Any, points: Sequence[float], middle: float, aside: float | None, words: Wording
) -> None:
    """Percentages without sign to both sides; the neutral panel has its own zero."""
    on_axis = [place for place, point in enumerate(points) if not (point == middle and aside is not None)]
    filled = np.nan_to_num(shares)
    left = min(float(starts[:, on_axis].min()), -5.0)
    right = max(float((starts + filled)[:, on_axis].max()), 5.0)
    low, high = -ceil(-left / 10) * 10, ceil(right / 10) * 10
    step = 20 if high - low > 60 else 10
    ticks: list[float] = [tick for tick in range(-100, 101, step) if low <= tick <= high]
    marks, end = [f"{abs(tick):g}" for tick in ticks], float(high)
    if aside is not None:
        widest = ceil(filled[:, [point == middle for point in points]].max() / 10) * 10
        ticks, marks = [*ticks, aside, aside + widest], [*marks, "0", f"{widest:g}"]
        end = aside + widest
        ax.axvline(aside, color=PALETTE["ink"], linewidth=0.9)
        ax.text(aside + 1.5, -0.62, words("neutral"), va="bottom", color=PALETTE["grey"])
    ax.set_xlim(low, end)
    ax.set_xticks(ticks, marks)
    ax.set_xlabel(words("bars_x"))


def _row_name(words: Wording, row: tuple[Any, ...]) -> str:
    group, item = row
    return words("item_in_group", item=words.name(item), group=words.name(group)) if group else words.name(item)


def _mean_and_n(words: Wording, row: Any) -> str:
    mean = number(float(row.mean), 1)
    dont = words("dont_know", n=int(row.dont_know)) if row.dont_know else ""
    return words("mean_n", mean=mean, n=int(row.answered)) + dont


def _means(words: Wording, summary: pd.DataFrame) -> str:
    rows = summary[["group", "item", "mean"]].itertuples(index=False, name=None)
    return words.listing((_row_name(words, (group, item)), number(float(mean), 1)) for group, item, mean in rows)


def _bars_alt(
    words: Wording, summary: pd.DataFrame, points: Sequence[float], shares: Any, middle: float, neutral: str
) -> str:
    filled = np.nan_to_num(shares)
    sides = [filled[:, [side(point) for point in points]].sum(axis=1) for side in (middle.__gt__, middle.__lt__)]
    rows = summary[["group", "item", "mean"]].itertuples(index=False, name=None)
    listing = words("stop").join(
        words(
            "bars_row", name=_row_name(words, (group, item)), below=number(float(below), 0),
            above=number(float(above), 0), mean=number(float(mean), 1),
        )
        for (group, item, mean), below, above in zip(rows, *sides, strict=True)
    )  # fmt: skip
    note = words(f"neutral_{neutral}") if neutral else ""
    return words("bars_alt", n=len(summary), points=len(points), listing=listing) + note


def _cells(ax: Axes, values: Any, rows: Sequence[str], columns: Sequence[str], digits: int) -> None:
    """Shaded cells with their numbers; negative ones hatched."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    shade = LinearSegmentedColormap.from_list("cells", (PALETTE["paper"], _AGREE[0], _AGREE[1]))
    size = np.abs(np.nan_to_num(values))
    largest = float(size.max()) or 1.0
    ax.imshow(size / largest, cmap=shade, vmin=0, vmax=1, aspect="auto")
    for i, j in np.ndindex(values.shape):
        dark = size[i, j] / largest > 0.68
        colour = PALETTE["paper" if dark else "ink"]
        text = number(float(values[i, j]), digits) if isfinite(values[i, j]) else "–"
        ax.text(j, i, text, ha="center", va="center", color=colour, fontsize=8)
        if values[i, j] < -0.2 * largest:
            ax.add_patch(
                Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, hatch="////", edgecolor=PALETTE["hatch"], linewidth=0)
            )
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)
    ax.grid(False)
