"""Figures of the satisfaction index (chapter 9): constructs, path diagram, priority map, groups, weights.

Each function takes one of the plain tables that the index holds, draws one message, and returns the Axes. Names on
paper come from ``labels`` (construct, item or group → text; a missing one prints its key). What a figure prints and
says is in :mod:`crmlab.plots.csi_texts`, in English and Chinese; where the boxes of a path diagram go, in
:mod:`crmlab.plots.layout`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from . import csi_texts as texts
from .csi_texts import Wording, number, wrap
from .layout import Arrow, Box, Layout, arrange
from .rows import absent, bold_rows, broken, intervals, name_rows, require, row_centres, title, value_column
from .style import PALETTE, REPORT_WIDTH, axes_or_new, embolden, set_alt

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation, Text
    from matplotlib.transforms import BboxBase

#: Quadrants of the priority map: is the construct of high importance, is it of high performance?
QUADRANTS: dict[str, tuple[bool, bool]] = {
    "act now": (True, False),
    "keep up": (True, True),
    "possible overkill": (False, True),
    "low priority": (False, False),
}

#: What importance may be on the priority map.
IMPORTANCE = ("effect", "correlation", "stated")

#: Where a point's name may stand, as offsets in points, tried in this order.
LABEL_PLACES = tuple(
    (side * distance, height * distance)
    for distance in (6, 10, 16, 24)
    for height, side in ((1, 1), (1, -1), (-1, 1), (-1, -1), (1.4, 0), (-1.4, 0), (0, 1.4), (0, -1.4))
)

_BEHIND_TEXT = {"facecolor": PALETTE["paper"], "edgecolor": "none", "boxstyle": "square,pad=0.15"}


def construct_bars(
    index: pd.DataFrame,
    *,
    highlight: str | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw the 0–100 index of every construct as bars with intervals, in the order given.

    Parameters
    ----------
    index
        One row a construct (the row label); columns ``index``, ``ci_lower``, ``ci_upper``, all 0–100. Missing interval
        limits are not drawn.
    highlight
        The construct at level 1, drawn dark and named in the title.
    level
        Confidence level of the intervals, 0–1; printed only.
    ax
        Axes to draw on; a new figure of report width if ``None``.
    labels
        Text to print for a construct.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    matplotlib.axes.Axes
        With the alternative text set; read it with :func:`crmlab.plots.style.alt`.

    Raises
    ------
    ValueError
        If a column is missing, the table is empty, the highlighted construct is not in it, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.DataFrame(
    ...     {"index": [75.0, 72.5], "ci_lower": [73.3, 70.8], "ci_upper": [76.7, 74.3]},
    ...     index=["Quality", "Satisfaction"],
    ... )
    >>> ax = construct_bars(index, highlight="Satisfaction")
    >>> ax.get_title(loc="left")
    'Satisfaction: 72.5 of 100 points'
    """
    words = Wording(language, labels, level)
    require(index, ("index", "ci_lower", "ci_upper"), "construct_bars")
    if highlight is not None and highlight not in index.index:
        raise ValueError(absent("construct_bars", highlight, index.index))
    names = [broken(words.name(name)) for name in index.index]
    rows, room = row_centres(names, inches=0.36)
    ax = axes_or_new(ax, height=1.3 + 0.36 * room)
    colours = [PALETTE["highlight" if name == highlight else "main"] for name in index.index]
    ax.barh(rows, index["index"], height=0.62, color=colours, edgecolor=PALETTE["ink"], linewidth=0.6)
    intervals(ax, rows, index["ci_lower"], index["ci_upper"])
    name_rows(ax, names, rows)
    value_column(ax, rows, words.intervals(index))
    bold_rows(ax, [row for row, name in enumerate(index.index) if name == highlight])
    ax.set_xlim(0, 100)
    ax.set_xticks(range(0, 101, 20))
    ax.set_xlabel(words.index_axis(index))
    title(ax, _bars_title(words, index, highlight))
    set_alt(ax, texts.bars_alt(words, index, highlight))
    return ax


def nothing_estimated(language: str = "en") -> Axes:
    """Say in place of a figure that the model gave no numbers to draw.

    Examples
    --------
    >>> nothing_estimated().get_title(loc="left")
    'Nothing to draw: the model gave no estimate'
    """
    words = Wording(language, None, 0.95)
    ax = axes_or_new(None, height=1.2)
    ax.set_axis_off()
    title(ax, words("nothing_estimated"))
    set_alt(ax, words("nothing_estimated"))
    return ax


def path_diagram(
    paths: pd.DataFrame,
    r_squared: pd.DataFrame | pd.Series,
    index: pd.DataFrame,
    *,
    highlight: str | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw the structural model: boxes with index and R², arrows with path coefficients, from left to right.

    An arrow is as wide as its coefficient is large; it is dashed and grey when its interval holds zero.

    Parameters
    ----------
    paths
        Columns ``from``, ``to``, ``estimate`` and, if known, ``ci_lower``, ``ci_upper``; standardised coefficients.
    r_squared
        By construct: a Series, or a table with the column ``r_squared``; 0–1. Constructs without one print none.
    index
        By construct, column ``index``, 0–100. Constructs without one print none.
    highlight
        The construct in the middle; the one with most paths if ``None``.
    level, ax, labels, language
        As for :func:`construct_bars`.

    Returns
    -------
    matplotlib.axes.Axes
        Without axis lines; a unit is an inch at report width, both ways.

    Raises
    ------
    ValueError
        If a column is missing, there are no paths, the construct in the middle has none, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> paths = pd.DataFrame({"from": ["Quality", "Value"], "to": ["Satisfaction"] * 2, "estimate": [0.51, 0.19]})
    >>> index = pd.DataFrame({"index": [75.0, 62.3, 72.5]}, index=["Quality", "Value", "Satisfaction"])
    >>> ax = path_diagram(paths, pd.Series({"Satisfaction": 0.68}), index)
    >>> [text.get_text() for text in ax.texts][-2:]
    ['0.51', '0.19']
    """
    words = Wording(language, labels, level)
    require(paths, ("from", "to", "estimate"), "path_diagram")
    require(index, ("index",), "path_diagram")
    paths = _with_limits(paths, "ci_lower", "ci_upper")
    edges = list(zip(paths["from"], paths["to"], strict=True))
    hub = highlight if highlight is not None else _busiest(edges)
    facts = _facts(edges, index["index"], _column(r_squared, "r_squared"))
    headings = {name: wrap(words.name(name), 17) for name in facts}
    layout = arrange(edges, hub, box=(1.42, 0.36 + 0.17 * max(map(len, headings.values()))))
    ax, scale = _canvas(ax, layout)
    for name, box in layout.boxes.items():
        _draw_box(ax, box, headings[name], texts.box_line(words, *facts[name]), name == hub, scale)
    largest = paths["estimate"].abs().max() or 1.0
    for edge, estimate, zero in zip(edges, paths["estimate"], paths["holds_zero"], strict=True):
        _draw_arrow(ax, layout.arrows[edge], abs(estimate) / largest, zero, scale)
    for edge, estimate in zip(edges, paths["estimate"], strict=True):
        _draw_number(ax, layout.arrows[edge], number(estimate, 2), scale)
    title(ax, words("paths_title", name=words.name(hub)))
    caption = [words("paths_caption")] + [words("paths_caption_dashed")] * bool(paths["holds_zero"].any())
    ax.set_xlabel("\n".join(caption), fontsize=8, color=PALETTE["grey"])
    set_alt(ax, texts.paths_alt(words, paths, facts, hub))
    return ax


def priority_map(
    table: pd.DataFrame,
    *,
    importance: str = "effect",
    level: float = 0.95,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw importance against performance, with quadrants that meet at the means.

    The quadrant to act on now (important, performing below the mean) is hatched, its name is bold, and its constructs
    are diamonds; the others are circles.

    Parameters
    ----------
    table
        One row a construct; columns ``importance`` (index points per point), ``performance`` (0–100), ``quadrant`` (a
        key of :data:`QUADRANTS`); if known, ``importance_ci_lower`` and ``_upper``, ``performance_ci_lower`` and
        ``_upper``, drawn as thin crosses.
    importance
        What importance is: a total ``"effect"`` in index points, a ``"correlation"`` with overall satisfaction, or
        ``"stated"`` by the respondents; names the axis.
    level, ax, labels, language
        As for :func:`construct_bars`.

    Returns
    -------
    matplotlib.axes.Axes
        Importance across, performance up; both show the data's range, not all of 0–100.

    Raises
    ------
    ValueError
        If a column is missing, the table is empty, a quadrant or the importance has another name, or the language is
        unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.plots.style import alt
    >>> table = pd.DataFrame(
    ...     {"importance": [0.6, 0.1], "performance": [60.0, 75.0], "quadrant": ["act now", "possible overkill"]},
    ...     index=["Quality", "Image"],
    ... )
    >>> alt(priority_map(table))[-23:]
    'To act on now: Quality.'
    """
    words = Wording(language, labels, level)
    require(table, ("importance", "performance", "quadrant"), "priority_map")
    if unknown := set(table["quadrant"]) - set(QUADRANTS):
        raise ValueError(f"priority_map: unknown quadrant {sorted(map(str, unknown))}; expected {list(QUADRANTS)}.")
    if importance not in IMPORTANCE:
        raise ValueError(f"priority_map: importance {importance!r} is unknown; choose one of {', '.join(IMPORTANCE)}.")
    ax = axes_or_new(ax, height=4.6)
    centre = float(table["importance"].mean()), float(table["performance"].mean())
    ax.set(xlim=_span(table, "importance"), ylim=_span(table, "performance"))
    ax.set(xlabel=words.map_axis(table, importance), ylabel=words("map_y"))
    title(ax, words("map_title"))
    ax.grid(False)
    quadrant_names = _draw_quadrants(ax, centre, words)
    _draw_crosses(ax, table)
    urgent = table["quadrant"] == "act now"
    for rows, marker, colour in ((urgent, "D", "highlight"), (~urgent, "o", "main")):
        points = table["importance"][rows], table["performance"][rows]
        ax.scatter(*points, s=58, marker=marker, color=PALETTE[colour], edgecolor=PALETTE["ink"], zorder=4)
    _name_points(ax, table, [words.name(name) for name in table.index], quadrant_names)
    set_alt(ax, texts.map_alt(words, table, centre))
    return ax


def group_intervals(
    by_group: pd.DataFrame,
    construct: str,
    *,
    level: float = 0.95,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw one construct's index for every group as a dot with its interval; a dotted line marks the mean of all.

    Parameters
    ----------
    by_group
        Columns ``group``, ``construct``, ``n``, ``index``, ``ci_lower``, ``ci_upper``. A group without an interval is
        an open circle.
    construct
        Which construct to draw.
    level, ax, labels, language
        As for :func:`construct_bars`; ``labels`` serves constructs and groups.

    Returns
    -------
    matplotlib.axes.Axes
        The horizontal axis covers the intervals, not all of 0–100. The mean of all is weighted by ``n``.

    Raises
    ------
    ValueError
        If a column is missing, no row is about the construct, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> by_group = pd.DataFrame(
    ...     {"group": ["North", "South"], "construct": "Satisfaction", "n": [80, 20], "index": [70.0, 75.0],
    ...      "ci_lower": [67.0, 69.0], "ci_upper": [73.0, 81.0]}
    ... )
    >>> ax = group_intervals(by_group, "Satisfaction")
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['North (n = 80)', 'South (n = 20)']
    """
    words = Wording(language, labels, level)
    require(by_group, ("group", "construct", "n", "index", "ci_lower", "ci_upper"), "group_intervals")
    table = by_group[by_group["construct"] == construct].set_index("group")
    if table.empty:
        raise ValueError(absent("group_intervals", construct, by_group["construct"]))
    names = [broken(name) for name in texts.group_labels(words, table)]
    rows, room = row_centres(names, inches=0.36)
    ax = axes_or_new(ax, height=1.7 + 0.36 * room)
    mean = float((table["index"] * table["n"]).sum() / table["n"].sum())
    ax.axvline(mean, color=PALETTE["grey"], linestyle=":", linewidth=1.2)
    intervals(ax, rows, table["ci_lower"], table["ci_upper"], width=1.6)
    fills = [PALETTE["highlight" if known else "paper"] for known in table["ci_lower"].notna()]
    ax.scatter(table["index"], rows, s=52, color=fills, edgecolor=PALETTE["highlight"], zorder=4)
    name_rows(ax, names, rows, headroom=0.5)
    value_column(ax, rows, words.intervals(table))
    note: dict[str, Any] = {"color": PALETTE["grey"], "ha": "center", "va": "center", "bbox": _BEHIND_TEXT}
    ax.text(mean, -0.75, words("groups_mean", value=number(mean, 1)), **note)
    ax.set_xlim(*_index_span(table))
    ax.set_xlabel(words.index_axis(table))
    title(ax, words("groups_title", name=words.name(construct)))
    set_alt(ax, texts.groups_alt(words, table, construct, mean))
    return ax


def weights_bars(
    loadings: pd.DataFrame,
    *,
    construct: str | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
    labels: Mapping[Any, str] | None = None,
    language: str = "en",
) -> Axes:
    """Draw the outer weight of every question under the name of its construct.

    Parameters
    ----------
    loadings
        Columns ``construct``, ``item``, ``weight`` and, if known, ``weight_ci_lower``, ``weight_ci_upper``. A bar whose
        interval holds zero is pale and hatched.
    construct
        Only this construct's questions; all if ``None``.
    level, ax, labels, language
        As for :func:`construct_bars`; ``labels`` serves constructs and items.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing, no row is about the construct, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> loadings = pd.DataFrame({"construct": "Value", "item": ["PERV1", "PERV2"], "weight": [0.48, 0.60]})
    >>> ax = weights_bars(loadings)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['Value', 'PERV1', 'PERV2']
    """
    words = Wording(language, labels, level)
    require(loadings, ("construct", "item", "weight"), "weights_bars")
    table = loadings if construct is None else loadings[loadings["construct"] == construct]
    if table.empty:
        raise ValueError(absent("weights_bars", construct, loadings["construct"]))
    table = _with_limits(table, "weight_ci_lower", "weight_ci_upper")
    names, item_rows = _block_rows(words, table)
    centres, room = row_centres(names, inches=0.205)
    ax = axes_or_new(ax, height=1.2 + 0.205 * room)
    rows = [centres[item_rows[item]] for item in zip(table["construct"], table["item"], strict=True)]
    bars = ax.barh(rows, table["weight"], height=0.66, color=PALETTE["main"], edgecolor=PALETTE["ink"], linewidth=0.6)
    for bar, zero in zip(bars, table["holds_zero"], strict=True):
        bar.set(**({"facecolor": PALETTE["pale"], "hatch": "////"} if zero else {}))
    intervals(ax, rows, table["weight_ci_lower"], table["weight_ci_upper"])
    ax.axvline(0, color=PALETTE["ink"], linewidth=0.8)
    name_rows(ax, names, centres)
    value_column(ax, rows, [number(weight, 2) for weight in table["weight"]])
    bold_rows(ax, set(range(len(names))) - set(item_rows.values()))
    ax.set_xlabel(words("weights_x_interval" if table["weight_ci_lower"].notna().any() else "weights_x"))
    title(ax, words("weights_title"))
    set_alt(ax, texts.weights_alt(words, table))
    return ax


# Tables


def _with_limits(table: pd.DataFrame, lower: str, upper: str) -> pd.DataFrame:
    """Add missing interval limits, if the table has none, and the column ``holds_zero``."""
    table = table.assign(**{name: nan for name in (lower, upper) if name not in table.columns})
    return table.assign(holds_zero=(table[lower] <= 0) & (table[upper] >= 0))


def _column(table: pd.DataFrame | pd.Series, name: str) -> pd.Series:
    """Return a column of a table, or the series itself."""
    series: Any = table if table.ndim == 1 else table[name]
    return series


def _facts(edges: Iterable[tuple[str, str]], index: pd.Series, r_squared: pd.Series) -> dict[str, tuple[float, float]]:
    """Index and R² of every construct in the paths, missing where unknown."""
    names = dict.fromkeys(name for edge in edges for name in edge)
    return {name: (float(index.get(name, nan)), float(r_squared.get(name, nan))) for name in names}


def _busiest(edges: Sequence[tuple[str, str]]) -> str:
    ends = [name for edge in edges for name in edge]
    return max(dict.fromkeys(ends), key=ends.count)


def _block_rows(words: Wording, table: pd.DataFrame) -> tuple[list[str], dict[tuple[Any, Any], int]]:
    """Return the name of every row, a heading for each construct included, and the row of every item."""
    names: list[str] = []
    rows: dict[tuple[Any, Any], int] = {}
    for construct, block in table.groupby("construct", sort=False):
        names.append(broken(words.name(construct)))
        for item in block["item"]:
            rows[construct, item] = len(names)
            names.append(broken(words.name(item)))
    return names, rows


def _index_span(table: pd.DataFrame) -> tuple[float, float]:
    known = table[["index", "ci_lower", "ci_upper"]]
    low, high = float(known.min().min()), float(known.max().max())
    pad = max(1.0, 0.08 * (high - low))
    return max(0.0, low - pad), min(100.0, high + pad)


# Bars


def _bars_title(words: Wording, index: pd.DataFrame, highlight: str | None) -> str:
    if highlight is None:
        return words("bars_title")
    return words("bars_title_highlight", name=words.name(highlight), value=number(index["index"][highlight], 1))


# Path diagram


def _canvas(ax: Axes | None, layout: Layout) -> tuple[Axes, float]:
    """Return axes that show the layout undistorted, and the inches on paper that one inch of the layout gets."""
    points = [point for arrow in layout.arrows.values() for point in arrow.points()]
    for box, sign in product(layout.boxes.values(), (-0.5, 0.5)):
        points.append((box.x + sign * box.width, box.y + sign * box.height))
    xs, ys = zip(*points, strict=True)
    width, height = max(xs) - min(xs) + 0.4, max(ys) - min(ys) + 0.2
    ax = axes_or_new(ax, height=0.8 + height * REPORT_WIDTH / width)
    ax.set(
        xlim=(min(xs) - 0.2, max(xs) + 0.2), ylim=(min(ys) - 0.1, max(ys) + 0.1), aspect="equal", xticks=[], yticks=[]
    )
    ax.grid(False)
    ax.spines[:].set_visible(False)
    figure: Any = ax.get_figure(root=True)
    figure.draw_without_rendering()
    return ax, min(1.2, ax.get_window_extent().width / figure.dpi / width)


def _draw_box(ax: Axes, box: Box, heading: Sequence[str], line: str, central: bool, scale: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    paint = ("highlight", "paper") if central else ("pale", "ink")
    corner = box.x - box.width / 2, box.y - box.height / 2
    ax.add_patch(
        FancyBboxPatch(
            corner, box.width, box.height, boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=PALETTE[paint[0]], edgecolor=PALETTE["ink"], linewidth=1.0, zorder=3,
        )
    )  # fmt: skip
    step = 0.17
    top = box.y + step * (len(heading) + bool(line)) / 2
    text: dict[str, Any] = {"ha": "center", "va": "center", "color": PALETTE[paint[1]], "zorder": 4}
    for row, words in enumerate(heading):
        embolden(ax.text(box.x, top - step * (row + 0.5), words, fontsize=9.5 * scale, **text))
    ax.text(box.x, top - step * (len(heading) + 0.55), line, fontsize=8.5 * scale, **text)


def _draw_arrow(ax: Axes, arrow: Arrow, share: float, zero: bool, scale: float) -> None:
    """Draw an arrow; ``share`` is its coefficient's size relative to the largest."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    curve = Path([arrow.start, arrow.control, arrow.end], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    ax.add_patch(
        FancyArrowPatch(
            path=curve, arrowstyle="-|>,head_length=0.5,head_width=0.28", mutation_scale=(9 + 5 * share) * scale,
            linewidth=(0.8 + 2.7 * share) * scale, linestyle=(0, (3, 2)) if zero else "solid", capstyle="butt",
            color=PALETTE["grey" if zero else "ink"], joinstyle="miter", zorder=2,
        )
    )  # fmt: skip


def _draw_number(ax: Axes, arrow: Arrow, value: str, scale: float) -> None:
    ax.text(*arrow.label, value, fontsize=8.5 * scale, ha="center", va="center", bbox=_BEHIND_TEXT, zorder=5)


# Priority map


def _span(table: pd.DataFrame, name: str) -> tuple[float, float]:
    """Range of the points and their intervals, with room for names around it."""
    columns = [column for column in (name, f"{name}_ci_lower", f"{name}_ci_upper") if column in table.columns]
    low, high = float(table[columns].min().min()), float(table[columns].max().max())
    pad = 0.16 * (high - low) or 0.5
    return low - pad, high + pad


def _draw_quadrants(ax: Axes, centre: tuple[float, float], words: Wording) -> list[Text]:
    """Draw the lines at the means, the hatched quadrant and the four names in their corners."""
    line: dict[str, Any] = {"color": PALETTE["grey"], "linewidth": 1.0, "linestyle": "--", "zorder": 1}
    ax.axvline(centre[0], **line)
    ax.axhline(centre[1], **line)
    right, bottom = ax.get_xlim()[1], ax.get_ylim()[0]
    ax.fill_between(
        [centre[0], right], bottom, centre[1],
        facecolor=PALETTE["pale"], edgecolor=PALETTE["hatch"], hatch="///", linewidth=0, zorder=0,
    )  # fmt: skip
    return [_name_quadrant(ax, name, words(name)) for name in QUADRANTS]


def _name_quadrant(ax: Axes, quadrant: str, name: str) -> Text:
    """Print the name of a quadrant in its corner of the map, the one to act on in bold."""
    important, performing = QUADRANTS[quadrant]
    text = ax.text(0.985 if important else 0.015, 0.98 if performing else 0.02, name, transform=ax.transAxes)
    text.set(ha="right" if important else "left", va="top" if performing else "bottom", color=PALETTE["grey"])
    if quadrant == "act now":
        text.set_color(PALETTE["ink"])
        embolden(text)
    return text


def _draw_crosses(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the intervals as thin lines through the points, as far as they are known."""
    thin: dict[str, Any] = {"color": PALETTE["grey"], "linewidth": 0.8, "zorder": 2}
    for _, row in table.iterrows():
        across = [row.get("importance_ci_lower", nan), row.get("importance_ci_upper", nan)]
        upwards = [row.get("performance_ci_lower", nan), row.get("performance_ci_upper", nan)]
        if all(map(isfinite, across)):
            ax.plot(across, [row["performance"]] * 2, **thin)
        if all(map(isfinite, upwards)):
            ax.plot([row["importance"]] * 2, upwards, **thin)


def _name_points(ax: Axes, table: pd.DataFrame, names: Sequence[str], texts: Sequence[Text]) -> None:
    """Print each name beside its point, at the first place where it covers least."""
    figure: Any = ax.get_figure(root=True)
    figure.draw_without_rendering()
    points = list(zip(table["importance"], table["performance"], strict=True))
    solid = [text.get_window_extent().padded(3) for text in texts] + [_mark(ax, point) for point in points]
    lines = [line.get_window_extent() for line in ax.lines]
    for name, point in zip(names, points, strict=True):
        label = ax.annotate(name, point, (0, 0), textcoords="offset points", zorder=5)
        embolden(label)
        costs = []
        for place in LABEL_PLACES:
            _place(label, place)
            costs.append(_covered(label.get_window_extent(), solid, lines, ax.get_window_extent()))
        _place(label, LABEL_PLACES[costs.index(min(costs))])
        solid.append(label.get_window_extent().padded(3))


def _place(label: Annotation, offset: tuple[float, float]) -> None:
    """Move a name so that its nearest corner or side stands at the offset, in points, from its point."""
    x, y = offset
    label.set_position(offset)
    label.set_horizontalalignment("left" if x > 0 else "right" if x < 0 else "center")
    label.set_verticalalignment("bottom" if y > 0 else "top" if y < 0 else "center")


def _mark(ax: Axes, point: tuple[float, float]) -> BboxBase:
    """Return the square on screen that a point's mark fills."""
    from matplotlib.transforms import Bbox

    figure: Any = ax.get_figure(root=True)
    x, y = ax.transData.transform(point)
    half = 5 * figure.dpi / 72
    return Bbox.from_extents(x - half, y - half, x + half, y + half)


def _covered(label: BboxBase, solid: Iterable[BboxBase], lines: Iterable[BboxBase], frame: BboxBase) -> int:
    """Weigh what a name would hide: marks and texts most, then the frame, then thin lines."""
    outside = label.x0 < frame.x0 or label.x1 > frame.x1 or label.y0 < frame.y0 or label.y1 > frame.y1
    return 10 * label.count_overlaps(solid) + 10 * outside + label.count_overlaps(lines)
