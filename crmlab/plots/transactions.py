"""Order lines on their way through the cleaning: what each rule takes out of the stream (chapter 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmlab.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NEEDED = ("rule", "lines_in", "lines_out", "removed")

_TEXTS = {
    "en": {
        "title": "From {first:,} lines to {last:,}: what each rule took out",
        "x": "rule, in the order of work",
        "y": "order lines (number)",
        "left": "{last:,} lines left",
        "alt": "A stream of {first:,} order lines that narrows to {last:,}. Taken out: {rules}.",
        "nothing": "no line",
        "rule": "{rule} {n:,}",
        "comma": ", ",
    },
    "zh": {
        "title": "从 {first:,} 行到 {last:,} 行：每条规则去掉了什么",
        "x": "规则（按处理顺序）",
        "y": "订单行（行数）",
        "left": "剩余 {last:,} 行",
        "alt": "{first:,} 行订单汇成的河流收窄为 {last:,} 行。去掉的有：{rules}。",
        "nothing": "无",
        "rule": "{rule} {n:,}",
        "comma": "、",
    },
}

#: A side stream is drawn at least this high, as a share of all lines, so that ten lines among a million are seen.
_THINNEST = 0.012
#: How far a side stream rises above the main one, as a share of all lines, and where on its place it ends.
_RISE, _REACH = 0.3, 1.15


def cleaning_stream(steps: pd.DataFrame, language: str = "en", *, ax: Axes | None = None) -> Axes:
    """Draw the lines as a stream from left to right; what a rule removes turns up and out, as broad as it is many.

    Parameters
    ----------
    steps : DataFrame, one row per rule in the order of work
        Columns rule, lines_in, lines_out, removed (numbers of lines). Rules that removed nothing are not drawn.
    language : "en" or "zh"
        Of title, axis names and alternative text.
    ax : Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    Axes
        y in lines; one place on x for each rule that removed something, from 0.

    Raises
    ------
    ValueError
        For another language, a missing column, or no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> steps = pd.DataFrame({"rule": ["returns"], "lines_in": [100], "lines_out": [90], "removed": [10]})
    >>> style.alt(cleaning_stream(steps))
    'A stream of 100 order lines that narrows to 90. Taken out: returns 10.'
    """
    texts = _checked(steps, language)
    drawn = steps[steps["removed"] > 0].reset_index(drop=True)
    first, last = int(steps["lines_in"].iloc[0]), int(steps["lines_out"].iloc[-1])
    ax = style.axes_or_new(ax, height=3.8)
    _main_stream(ax, drawn, first, last)
    for place, (_, rule) in enumerate(drawn.iterrows()):
        _side_stream(ax, place, rule, first)
        name = texts["rule"].format(rule=rule["rule"], n=rule["removed"])
        end = (place + _REACH + 0.03, (1 + _RISE + 0.02) * first)
        ax.text(*end, name, rotation=35, rotation_mode="anchor", fontsize=8, color=style.PALETTE["ink"])
    left = texts["left"].format(last=last)
    ax.text(len(drawn) + 0.1, last / 2, left, va="center", fontsize=9, color=style.PALETTE["ink"])
    _axes(ax, drawn, first, texts)
    style.embolden(ax.set_title(texts["title"].format(first=first, last=last)))
    said = [texts["rule"].format(rule=rule["rule"], n=rule["removed"]) for _, rule in drawn.iterrows()]
    rules = texts["comma"].join(said) or texts["nothing"]
    style.set_alt(ax, texts["alt"].format(first=first, last=last, rules=rules))
    return ax


def _checked(steps: pd.DataFrame, language: str) -> dict[str, str]:
    if language not in _TEXTS:
        raise ValueError(f"language: {language!r} is not known; expected one of {', '.join(_TEXTS)}.")
    missing = [column for column in NEEDED if column not in steps.columns]
    if missing or steps.empty:
        raise ValueError(f"steps: expected one row or more with the columns {', '.join(NEEDED)}.")
    return _TEXTS[language]


def _bend(x: np.ndarray) -> np.ndarray:
    """From 0 to 1 with level ends."""
    return x * x * (3 - 2 * x)


def _main_stream(ax: Axes, drawn: pd.DataFrame, first: int, last: int) -> None:
    """The lines that are left; what goes leaves at the top."""
    x = np.arange(-1, len(drawn) + 1, dtype=float)
    height = np.array([first, *drawn["lines_in"], last], dtype=float)
    ax.fill_between(x, 0, height, step="post", color=style.PALETTE["main"], linewidth=0)


def _side_stream(ax: Axes, place: int, rule: pd.Series, first: int) -> None:
    """From the step at the end of the rule's place up and out."""
    removed = float(rule["removed"])
    t = np.linspace(0, 1, 60)
    middle = float(rule["lines_out"]) + removed / 2 + ((1 + _RISE) * first - float(rule["lines_out"])) * _bend(t)
    half = max(removed, _THINNEST * first) / 2
    x = place + 0.4 + t * (_REACH - 0.4)
    ax.fill_between(x, middle - half, middle + half, color=style.PALETTE["highlight"], linewidth=0)


def _axes(ax: Axes, drawn: pd.DataFrame, first: int, texts: dict[str, str]) -> None:
    ax.set_xlim(-1, len(drawn) + 2)
    ax.set_ylim(0, (1 + _RISE + 0.45) * first)
    ax.set_xticks([])
    ax.set_yticks(np.linspace(0, first, 5), [f"{tick:,.0f}" for tick in np.linspace(0, first, 5)])
    ax.set_xlabel(texts["x"])
    ax.set_ylabel(texts["y"])
    ax.grid(False)
