"""Figures made of rows: their names on the left, numbers in a column on the right, intervals as capped lines.

Shared by the figures of the index (chapter 9) and of single items (chapter 7), like the checks of their tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import isfinite
from typing import TYPE_CHECKING, Any

from .csi_texts import wrap
from .style import PALETTE, embolden

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def require(table: pd.DataFrame, columns: Sequence[str], function: str) -> None:
    """Stop where a table lacks what a figure needs, or is empty; the message names the figure."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ValueError(f"{function}: the table lacks {missing}; it has {list(table.columns)}. Add them.")
    if table.empty:
        raise ValueError(f"{function}: the table has no rows; there is nothing to draw.")


def absent(function: str, name: str | None, known: Iterable[Any]) -> str:
    """The message for a name that is not in the table."""
    return f"{function}: {name!r} is not in the table; choose one of {list(dict.fromkeys(known))}."


def broken(name: str) -> str:
    """Break a row name into lines that leave the figure its width."""
    return "\n".join(wrap(name, 42))


def row_centres(names: Sequence[str], inches: float) -> tuple[list[float], float]:
    """Return where rows stand, in units of ``inches`` from the first, and the room they take; more lines take more."""
    heights = [max(1.0, (0.155 * (1 + name.count("\n")) + 0.05) / inches) for name in names]
    ends = list(accumulate(heights))
    return [end - (height + heights[0]) / 2 for end, height in zip(ends, heights, strict=True)], ends[-1]


def name_rows(ax: Axes, names: Sequence[str], centres: Sequence[float], headroom: float = 0.0) -> None:
    """Print row names on the left, the first row on top, with free rows above it."""
    ax.set_yticks(centres, names)
    ax.set_ylim(centres[-1] + 0.6, -0.6 - headroom)
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")


def value_column(ax: Axes, rows: Iterable[float], values: Iterable[str]) -> None:
    """Print numbers in a column right of the axes."""
    for row, value in zip(rows, values, strict=True):
        ax.text(1.02, row, value, va="center", transform=ax.get_yaxis_transform())


def bold_rows(ax: Axes, rows: Iterable[int]) -> None:
    labels = ax.get_yticklabels()
    for row in rows:
        embolden(labels[row])


def title(ax: Axes, text: str) -> None:
    """Set the title in bold, whatever its script."""
    embolden(ax.set_title(text, wrap=True))


def intervals(ax: Axes, rows: Iterable[float], lower: pd.Series, upper: pd.Series, width: float = 1.1) -> None:
    """Draw capped lines, each on a wider light one, so that they show on dark bars too."""
    for row, *limits in zip(rows, lower, upper, strict=True):
        if all(map(isfinite, limits)):
            for colour, rim in (("paper", 1.6), ("ink", 0.0)):
                ax.plot(
                    limits, [row, row], color=PALETTE[colour], linewidth=width + rim, solid_capstyle="butt",
                    marker="|", markersize=6 + rim, markeredgewidth=width + rim, zorder=3,
                )  # fmt: skip
