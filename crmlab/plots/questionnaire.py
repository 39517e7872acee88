"""The indicator tree of a questionnaire: four levels, from the index to the wording of each item (chapter 6)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING

from crmlab.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LEVELS = ["index", "construct", "facet", "item"]

_TEXTS = {
    "en": {
        "title": "Indicator tree in four levels",
        "levels": "1 Index|2 Constructs ({construct})|3 Facets ({facet})|4 Items ({item})",
        "alt": "Tree of four levels. Under {top} stand these constructs (and their items): {all}.",
        "branch": "{construct} ({items})",
        "none": "no items",
        "comma": ", ",
        "semicolon": "; ",
    },
    "zh": {
        "title": "四级指标体系",
        "levels": "一级 指数|二级 潜变量（{construct}）|三级 维度（{facet}）|四级 题项（{item}）",
        "alt": "四级指标树。{top}之下有以下潜变量（括号内为题项）：{all}。",
        "branch": "{construct}（{items}）",
        "none": "没有题项",
        "comma": "、",
        "semicolon": "；",
    },
}

# Inches: left edge and width of the boxes of each level, height of a row, room for the headings, width of a letter.
_LEFT = (0.0, 1.1, 2.2, 3.24)
_WIDTH = (0.95, 0.96, 0.92, 3.66)
_ROW, _HEADINGS, _LETTER = 0.34, 0.3, 0.058


def indicator_tree(
    table: pd.DataFrame,
    language: str = "en",
    *,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a questionnaire as a tree that grows from left to right.

    Parameters
    ----------
    table : DataFrame, one row an item
        Columns index, construct, facet, item (column name) and wording, in the order of the questionnaire; a construct
        or facet without items has a row with empty cells below it.
    language : "en" or "zh"
        Of title, headings and alternative text.
    labels : mapping, optional
        Texts to show in place of cells of the table.
    ax : Axes, optional
        Where to draw; default a new figure, high enough for all rows.

    Returns
    -------
    Axes
        In inches, y pointing down; one line for each row of the table.

    Raises
    ------
    ValueError
        For another language, a missing column or an empty table.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.plots import style
    >>> columns = ["index", "construct", "facet", "item", "wording"]
    >>> rows = [("Index", "Quality", "Goods", "q1", "Are fresh"), ("Index", "Quality", "Staff", "q2", "Helps")]
    >>> ax = indicator_tree(pd.DataFrame(rows, columns=columns))
    >>> style.alt(ax)
    'Tree of four levels. Under Index stand these constructs (and their items): Quality (q1, q2).'
    """
    import matplotlib.pyplot as plt

    if language not in _TEXTS:
        raise ValueError(f"language: found {language!r}; expected 'en' or 'zh'.")
    missing = [column for column in [*LEVELS, "wording"] if column not in table]
    if missing or table.empty:
        found = f"no column {', '.join(missing)}" if missing else "no row"
        raise ValueError(f"table: found {found}; expected one row an item with index, construct, facet, item, wording.")
    style.use_style()
    rows = table[[*LEVELS, "wording"]].replace(dict(labels or {})).to_numpy().tolist()
    if ax is None:
        _, ax = plt.subplots(figsize=(_LEFT[3] + _WIDTH[3], _ROW * len(rows) + 2 * _HEADINGS))
    texts = _TEXTS[language]
    code_width = 0.12 + 1.15 * _LETTER * max(min(_units(row[3]), 24) for row in rows)  # bold letters are wider
    _draw(ax, rows, 0, 0.0, code_width)
    for left, heading in zip(_LEFT, texts["levels"].format(**_counts(rows)).split("|"), strict=True):
        ax.text(left, -0.5 * _HEADINGS, heading, color=style.PALETTE["grey"], size=7.5, va="center")
    ax.set_title(texts["title"])
    ax.set(xlim=(-0.02, _LEFT[3] + _WIDTH[3]), ylim=(_ROW * len(rows), -_HEADINGS))
    ax.set_axis_off()
    style.set_alt(ax, _alternative_text(rows, texts))
    return ax


def _draw(ax: Axes, rows: list[list[str]], level: int, top: float, code_width: float) -> list[float]:
    """Draw the branches of one level and all that hangs on them; return the heights of their middles."""
    middles = []
    for text, branch in _branches(rows, level):
        children = _draw(ax, branch, level + 1, top, code_width) if text and level < 3 else []
        middle = (children[0] + children[-1]) / 2 if children else top + _ROW * len(branch) / 2
        top += _ROW * len(branch)
        if not text:
            continue
        middles.append(middle)
        if level < 3:
            _box(ax, text, level, middle, min(len(branch) + 1, 3))
            _stems(ax, level, middle, children)
        else:
            _item(ax, text, branch[0][4], middle, code_width)
    return middles


def _branches(rows: list[list[str]], level: int) -> list[tuple[str, list[list[str]]]]:
    """Neighbouring rows with the same cell on a level."""
    return [(text, list(branch)) for text, branch in groupby(rows, key=lambda row: row[level])]


def _box(ax: Axes, text: str, level: int, middle: float, lines: int) -> None:
    """A box that grows lighter from level to level, so that the levels differ on grey paper too."""
    from matplotlib.patches import Rectangle

    palette = style.PALETTE
    face, edge, ink = (
        (palette["highlight"], palette["highlight"], palette["paper"]),
        (palette["pale"], palette["ink"], palette["ink"]),
        (palette["paper"], palette["rule"], palette["ink"]),
    )[level]
    words = _wrap(text, int((_WIDTH[level] - 0.1) / _LETTER), lines)
    height = max(0.8 * _ROW, 0.12 * (words.count("\n") + 1) + 0.06)
    corner = (_LEFT[level], middle - height / 2)
    ax.add_patch(Rectangle(corner, _WIDTH[level], height, facecolor=face, edgecolor=edge, linewidth=0.8, zorder=2))
    ax.text(_LEFT[level] + 0.05, middle, words, color=ink, size=7.2, va="center", linespacing=1.1, zorder=3)


def _stems(ax: Axes, level: int, middle: float, children: list[float]) -> None:
    """Lines from a box, by way of a common upright, to what hangs on it."""
    start, end = _LEFT[level] + _WIDTH[level], _LEFT[level + 1] - (0.03 if level == 2 else 0.0)
    bend = (start + end) / 2
    for child in children:
        ax.plot([start, bend, bend, end], [middle, middle, child, child], color=style.PALETTE["grey"], lw=0.7, zorder=1)


def _item(ax: Axes, code: str, wording: str, middle: float, code_width: float) -> None:
    letters = int((_WIDTH[3] - code_width) / _LETTER)
    ax.text(
        _LEFT[3], middle, _wrap(code, 24, 1), color=style.PALETTE["highlight"], size=7.2, weight="bold", va="center"
    )
    ax.text(_LEFT[3] + code_width, middle, _wrap(wording, letters, 2), size=7.2, va="center", linespacing=1.1)


def _units(text: str) -> int:
    """Width in Latin letters: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _wrap(text: str, width: int, lines: int) -> str:
    """Break a text at spaces and between Chinese characters; what does not fit ends in an ellipsis."""
    latin = r"[^\s\u2e80-\uffff]"
    pieces = re.findall(rf"{latin}{{1,{width}}}\s*|.", text.strip(), re.DOTALL)
    wrapped = [""]
    for piece in pieces:
        if _units(wrapped[-1] + piece.rstrip()) > width and wrapped[-1] and piece not in "，。？！、；：）":
            wrapped.append("")
        wrapped[-1] += piece
    kept = [line.strip() for line in wrapped]
    if len(kept) > lines:
        last = kept[lines - 1]
        while _units(last) >= width:
            last = last[:-1]
        kept = [*kept[: lines - 1], last.rstrip() + "…"]
    return "\n".join(kept)


def _counts(rows: list[list[str]]) -> dict[str, int]:
    """How many constructs, facets and items the tree holds."""
    places = {level: {tuple(row[: number + 1]) for row in rows if row[number]} for number, level in enumerate(LEVELS)}
    return {level: len(found) for level, found in places.items()}


def _alternative_text(rows: list[list[str]], texts: Mapping[str, str]) -> str:
    branches = []
    for construct, branch in _branches(rows, 1):
        items = texts["comma"].join(row[3] for row in branch if row[3]) or texts["none"]
        branches.append(texts["branch"].format(construct=construct, items=items))
    return texts["alt"].format(top=rows[0][0], all=texts["semicolon"].join(branches))
