"""What the figures of the satisfaction index print and say, in English and Chinese.

Titles, axis names and alternative texts stand in one table of texts a language. Numbers print as in the report: indexes
with one decimal, coefficients with two, a true minus sign, a dash where a value is missing.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: Everything the figures print or say, by language.
TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "join": ", ",
        "stop": "; ",
        "pair": "{name} {value}",
        "with_interval": "{value} ({lower}–{upper})",
        "index_axis": "Index (points, 0 = worst, 100 = best)",
        "index_axis_interval": "Index (points, 0 = worst, 100 = best)\nLines: {level} interval",
        "bars_title": "Index of every construct",
        "bars_title_highlight": "{name}: {value} of 100 points",
        "bars_alt": "{n} horizontal bars from 0 to 100{level_note}: {listing}. "
        "Highest: {highest}; lowest: {lowest}.{highlight_note}",
        "bars_alt_highlight": " {name} is highlighted.",
        "level_note": ", with {level} intervals",
        "nothing_estimated": "Nothing to draw: the model gave no estimate",
        "paths_title": "{name}: what drives it, and what follows",
        "paths_box": "Index {index}",
        "paths_r2": "R² {r2}",
        "paths_caption": "Box: index (0–100 points), R² = share of variance explained (0–1). "
        "Arrow: standardised path coefficient, thicker = larger.",
        "paths_caption_dashed": "Dashed grey: the {level} interval holds zero.",
        "paths_alt": "Path diagram of {n_boxes} constructs and {n_paths} paths around {name}. "
        "Boxes: {boxes}. Paths: {paths}. {verdict}",
        "paths_alt_dashed": "Dashed, because the {level} interval holds zero: {paths}.",
        "paths_alt_none_dashed": "No {level} interval holds zero.",
        "map_title": "Where to act first",
        "map_x": "Importance (index points gained per point of the construct, total effect)",
        "map_x_correlation": "Importance (correlation with overall satisfaction, −1 to 1)",
        "map_x_stated": "Importance (as stated, in points of its scale)",
        "map_lines": "Dashed lines: means",
        "map_lines_interval": "Dashed lines: means; thin crosses: {level} intervals",
        "map_y": "Performance (index, 0–100 points)",
        "map_alt": "Map of {n} constructs by importance (mean {mean_x}) and performance (mean {mean_y}). "
        "{listing}. {act_now}",
        "map_alt_point": "{name}: importance {x}, performance {y}, {quadrant}",
        "map_alt_act": "To act on now: {names}.",
        "map_alt_no_act": "No construct is in the quadrant to act on now.",
        "act now": "Act now",
        "keep up": "Keep up",
        "possible overkill": "Possible overkill",
        "low priority": "Low priority",
        "groups_title": "{name} by group",
        "group_label": "{name} (n = {n})",
        "groups_mean": "mean of all {value}",
        "groups_alt": "Dots{level_note} for {n} groups, {name}: {listing}. Highest: {highest}; lowest: {lowest}; "
        "mean weighted by n: {mean}.",
        "weights_title": "Weight of each question in its construct",
        "weights_x": "Outer weight (standardised)",
        "weights_x_interval": "Outer weight (standardised)\nLines: {level} interval; hatched: it holds zero",
        "weights_alt": "Horizontal bars of {n} weights{level_note}. {listing}. {zero}",
        "weights_alt_zero": "Interval holds zero: {items}.",
        "weights_alt_no_zero": "No interval holds zero.",
        "weights_alt_block": "{construct}: {items}",
    },
    "zh": {
        "join": "、",
        "stop": "；",
        "pair": "{name} {value}",
        "with_interval": "{value}（{lower}–{upper}）",
        "index_axis": "指数（分，0 = 最差，100 = 最好）",
        "index_axis_interval": "指数（分，0 = 最差，100 = 最好）\n横线：{level} 区间",
        "bars_title": "各构念指数",
        "bars_title_highlight": "{name}：{value} 分（满分 100 分）",
        "bars_alt": "{n} 条 0 到 100 的横向条形{level_note}：{listing}。"
        "最高：{highest}；最低：{lowest}。{highlight_note}",
        "bars_alt_highlight": "突出显示：{name}。",
        "level_note": "，带 {level} 区间",
        "nothing_estimated": "模型没有给出估计值，无图可画",
        "paths_title": "{name}：成因与结果",
        "paths_box": "指数 {index}",
        "paths_r2": "R² {r2}",
        "paths_caption": "方框：指数（0–100 分），R² = 被解释的方差比例（0–1）。箭头：标准化路径系数，越粗越大。",
        "paths_caption_dashed": "灰色虚线：{level} 区间包含零。",
        "paths_alt": "以{name}为中心的路径图，{n_boxes} 个构念，{n_paths} 条路径。"
        "方框：{boxes}。路径：{paths}。{verdict}",
        "paths_alt_dashed": "虚线表示 {level} 区间包含零：{paths}。",
        "paths_alt_none_dashed": "没有 {level} 区间包含零。",
        "map_title": "优先改进什么",
        "map_x": "重要性（该构念提高 1 分时指数提高的分数，总效应）",
        "map_x_correlation": "重要性（与总体满意度的相关系数，−1 到 1）",
        "map_x_stated": "重要性（受访者直接评价，所用量表的分数）",
        "map_lines": "虚线：均值",
        "map_lines_interval": "虚线：均值；细十字：{level} 区间",
        "map_y": "表现（指数，0–100 分）",
        "map_alt": "{n} 个构念的重要性（均值 {mean_x}）与表现（均值 {mean_y}）图。{listing}。{act_now}",
        "map_alt_point": "{name}：重要性 {x}，表现 {y}，{quadrant}",
        "map_alt_act": "应立即改进：{names}。",
        "map_alt_no_act": "没有构念落在立即改进区。",
        "act now": "立即改进",
        "keep up": "继续保持",
        "possible overkill": "可能投入过多",
        "low priority": "暂缓改进",
        "groups_title": "各组的{name}",
        "group_label": "{name}（n = {n}）",
        "groups_mean": "总体均值 {value}",
        "groups_alt": "{n} 个组的{name}点图{level_note}：{listing}。"
        "最高：{highest}；最低：{lowest}；按 n 加权的均值：{mean}。",
        "weights_title": "各题项在其构念中的权重",
        "weights_x": "外部权重（标准化）",
        "weights_x_interval": "外部权重（标准化）\n横线：{level} 区间；斜线填充：区间包含零",
        "weights_alt": "{n} 个权重的横向条形图{level_note}。{listing}。{zero}",
        "weights_alt_zero": "区间包含零：{items}。",
        "weights_alt_no_zero": "没有区间包含零。",
        "weights_alt_block": "{construct}：{items}",
    },
}


@dataclass(frozen=True)
class Wording:
    """The texts of one figure: its language, the names to print, the confidence level of its intervals (0–1).

    The texts are those of the index unless another chapter hands in its own.

    Raises
    ------
    ValueError
        If the language is unknown.

    Examples
    --------
    >>> words = Wording("en", {"PERQ1": "Overall quality"}, 0.95)
    >>> words.name("PERQ1"), words.name("PERQ2")
    ('Overall quality', 'PERQ2')
    >>> words("paths_caption_dashed")
    'Dashed grey: the 95% interval holds zero.'
    >>> words.interval(72.454, 70.8, 74.3)
    '72.5 (70.8–74.3)'
    """

    language: str
    labels: Mapping[Any, str] | None
    level: float
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: TEXTS)

    def __post_init__(self) -> None:
        if self.language not in self.texts:
            raise ValueError(f"language: {self.language!r} is unknown; choose one of {', '.join(self.texts)}.")

    def __call__(self, key: str, **values: Any) -> str:
        """Return a text with its blanks filled; ``{level}`` is filled by itself."""
        return self.texts[self.language][key].format(level=f"{100 * self.level:g}%", **values)

    def name(self, key: Any) -> str:
        """Return the text to print for a name; a name without one prints itself."""
        return str((self.labels or {}).get(key, key))

    def listing(self, pairs: Iterable[tuple[str, str]]) -> str:
        """Join names and their values into one enumeration."""
        return self("join").join(self("pair", name=name, value=value) for name, value in pairs)

    def interval(self, value: float, lower: float, upper: float) -> str:
        """Print an index with its interval, or alone if the interval is unknown."""
        numbers = {"value": number(value, 1), "lower": number(lower, 1), "upper": number(upper, 1)}
        return self("with_interval", **numbers) if isfinite(lower) and isfinite(upper) else numbers["value"]

    def intervals(self, table: pd.DataFrame) -> list[str]:
        """Print ``index`` with ``ci_lower`` and ``ci_upper`` for every row."""
        columns = (table[column] for column in ("index", "ci_lower", "ci_upper"))
        return [self.interval(*row) for row in zip(*columns, strict=True)]

    def level_note(self, lower: pd.Series) -> str:
        """Say that intervals are shown, if any is known."""
        return self("level_note") if lower.notna().any() else ""

    def index_axis(self, table: pd.DataFrame) -> str:
        """Name an axis of indexes, with the meaning of the lines if any interval is known."""
        return self("index_axis_interval" if table["ci_lower"].notna().any() else "index_axis")

    def map_axis(self, table: pd.DataFrame, importance: str) -> str:
        """Name the axis of importance, a total effect, a correlation or as stated, and say what the lines are."""
        lines = "map_lines_interval" if "importance_ci_lower" in table.columns else "map_lines"
        return self("map_x" if importance == "effect" else f"map_x_{importance}") + "\n" + self(lines)


def number(value: float, digits: int) -> str:
    """Print a number with a true minus sign, never −0; a dash for a missing value.

    Examples
    --------
    >>> number(-0.126, 2), number(-0.001, 2), number(float("nan"), 1)
    ('−0.13', '0.00', '–')
    """
    if not isfinite(value):
        return "–"
    return f"{round(float(value), digits) + 0.0:.{digits}f}".replace("-", "−")


def wrap(text: str, columns: int) -> list[str]:
    """Break a text into lines; a Chinese character is two columns wide and may end any line, a sign may not begin one.

    Examples
    --------
    >>> wrap("Perceived value for money", 17)
    ['Perceived value', 'for money']
    >>> wrap("刚成为该公司的顾客时，我对其总体质量的期望", 22)
    ['刚成为该公司的顾客时，', '我对其总体质量的期望']
    """
    if not any(unicodedata.east_asian_width(character) in "WF" for character in text):
        return _wrap_evenly(text, columns)
    n_lines = -(-len(text) // (columns // 2))
    lines = []
    for remaining in range(n_lines, 0, -1):
        end = -(-len(text) // remaining)
        while end < len(text) and unicodedata.category(text[end]) in ("Po", "Pe", "Pf"):
            end += 1
        lines.append(text[:end])
        text = text[end:]
    return [line for line in lines if line]


def _wrap_evenly(text: str, columns: int) -> list[str]:
    """Break between words into as few lines as fit, and as even ones as these allow."""

    def broken(width: int) -> list[str]:
        return textwrap.wrap(text, width, break_long_words=False) or [""]

    fewest = len(broken(columns))
    return next(lines for width in range(1, columns + 1) if len(lines := broken(width)) <= fewest)


def box_line(words: Wording, index: float, r_squared: float) -> str:
    """Print what stands under the name in a box of the path diagram: the index and R², as far as known."""
    known = []
    if isfinite(index):
        known.append(words("paths_box", index=number(index, 1)))
    if isfinite(r_squared):
        known.append(words("paths_r2", r2=number(r_squared, 2)))
    return "   ".join(known)


def bars_alt(words: Wording, index: pd.DataFrame, highlight: str | None) -> str:
    """Describe the bars of all constructs."""
    return words(
        "bars_alt",
        n=len(index),
        level_note=words.level_note(index["ci_lower"]),
        listing=words.listing(zip(map(words.name, index.index), words.intervals(index), strict=True)),
        highlight_note="" if highlight is None else words("bars_alt_highlight", name=words.name(highlight)),
        **_extremes(words, index["index"]),
    )


def paths_alt(words: Wording, paths: pd.DataFrame, facts: Mapping[str, tuple[float, float]], hub: str) -> str:
    """Describe the path diagram; ``facts`` holds index and R² by construct, ``paths`` the column ``holds_zero``."""
    arrows = [f"{words.name(a)} → {words.name(b)}" for a, b in zip(paths["from"], paths["to"], strict=True)]
    dashed = [arrow for arrow, zero in zip(arrows, paths["holds_zero"], strict=True) if zero]
    verdict = words("paths_alt_dashed", paths=words("join").join(dashed)) if dashed else words("paths_alt_none_dashed")
    return words(
        "paths_alt",
        n_boxes=len(facts),
        n_paths=len(paths),
        name=words.name(hub),
        boxes=words("stop").join(
            f"{words.name(name)} {box_line(words, *fact)}".strip() for name, fact in facts.items()
        ),
        paths=words.listing(zip(arrows, (number(value, 2) for value in paths["estimate"]), strict=True)),
        verdict=verdict if paths["ci_lower"].notna().any() else "",
    )


def map_alt(words: Wording, table: pd.DataFrame, centre: tuple[float, float]) -> str:
    """Describe the priority map; ``centre`` is where the quadrants meet."""
    columns = (table.index, table["importance"], table["performance"], table["quadrant"])
    points = [
        words("map_alt_point", name=words.name(name), x=number(x, 2), y=number(y, 1), quadrant=words(quadrant))
        for name, x, y, quadrant in zip(*columns, strict=True)
    ]
    now = words("join").join(map(words.name, table.index[table["quadrant"] == "act now"]))
    return words(
        "map_alt",
        n=len(table),
        mean_x=number(centre[0], 2),
        mean_y=number(centre[1], 1),
        listing=words("stop").join(points),
        act_now=words("map_alt_act", names=now) if now else words("map_alt_no_act"),
    )


def group_labels(words: Wording, table: pd.DataFrame) -> list[str]:
    """Print every group with its number of respondents; the table is indexed by group."""
    return [words("group_label", name=words.name(group), n=n) for group, n in table["n"].items()]


def groups_alt(words: Wording, table: pd.DataFrame, construct: str, mean: float) -> str:
    """Describe the dots of the groups."""
    return words(
        "groups_alt",
        n=len(table),
        name=words.name(construct),
        level_note=words.level_note(table["ci_lower"]),
        listing=words.listing(zip(group_labels(words, table), words.intervals(table), strict=True)),
        mean=number(mean, 1),
        **_extremes(words, table["index"]),
    )


def weights_alt(words: Wording, table: pd.DataFrame) -> str:
    """Describe the bars of the weights, construct by construct; the table holds the column ``holds_zero``."""
    blocks = [
        words(
            "weights_alt_block",
            construct=words.name(construct),
            items=words.listing(
                (words.name(item), number(weight, 2)) for item, weight in zip(rows["item"], rows["weight"], strict=True)
            ),
        )
        for construct, rows in table.groupby("construct", sort=False)
    ]
    zero = words("join").join(map(words.name, table["item"][table["holds_zero"]]))
    verdict = words("weights_alt_zero", items=zero) if zero else words("weights_alt_no_zero")
    return words(
        "weights_alt",
        n=len(table),
        level_note=words.level_note(table["weight_ci_lower"]),
        listing=words("stop").join(blocks),
        zero=verdict if table["weight_ci_lower"].notna().any() else "",
    )


def _extremes(words: Wording, values: pd.Series) -> dict[str, str]:
    ends: dict[str, Any] = {"highest": values.idxmax(), "lowest": values.idxmin()}
    return {end: words("pair", name=words.name(name), value=number(values[name], 1)) for end, name in ends.items()}
