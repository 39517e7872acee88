"""The quality of a survey's answers: how many respondents each check marks, where answers are missing (chapter 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .csi_texts import Wording
from .rows import name_rows, require, title
from .style import PALETTE, REPORT_WIDTH, set_alt, use_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "join": ", ",
        "pair": "{name} {value}",
        "marks_title": "Marks by check",
        "marks_axis": "Marked (%)",
        "marks_alt": "Share of respondents each check marks: {listing}.",
        "mark": "{share:.1f} % ({count:,} of {of:,})",
        "count": "{count:,} of {of:,}",
        "not_checked": "not checked",
        "missing_title": "Missing answers",
        "missing_x": "Item",
        "missing_y": "Row of the file",
        "missing_bar": "Missing (%)",
        "missing_alt": "Map of missing answers: {mean:.1%} of all, {most}, over {stretches} stretches of rows.",
        "most": "most in {item} ({share:.1%})",
        "none": "none in any item",
    },
    "zh": {
        "join": "、",
        "pair": "{name} {value}",
        "marks_title": "各项检查的标记",
        "marks_axis": "被标记的比例（%）",
        "marks_alt": "各项检查标记的受访者比例：{listing}。",
        "mark": "{share:.1f} %（{of:,} 中 {count:,}）",
        "count": "{count:,} / {of:,}",
        "not_checked": "未检查",
        "missing_title": "缺失答案",
        "missing_x": "题项",
        "missing_y": "文件中的行",
        "missing_bar": "缺失（%）",
        "missing_alt": "缺失答案分布图：总体 {mean:.1%}，{most}，共 {stretches} 段。",
        "most": "最多的是 {item}（{share:.1%}）",
        "none": "各题项均无缺失",
    },
}

#: Names of the checks in Chinese; in English a check prints its own name.
CHECKS_ZH = {
    "completion": "完成率",
    "not submitted": "未提交",
    "straight-lining": "直线作答",
    "long string": "连续相同答案",
    "speeding": "作答过快",
    "duplicate id": "编号重复",
    "duplicate answers": "答案重复",
    "Mahalanobis distance": "马氏距离",
    "inconsistent pairs": "前后矛盾",
    "item non-response": "题项无应答",
}

_NAMED = 40  # items whose names find room below the map


def quality(checks: pd.DataFrame, missing: pd.DataFrame, *, language: str = "en") -> tuple[Axes, Axes]:
    """Draw the marks of every check beside the map of missing answers.

    Parameters
    ----------
    checks
        Columns ``check``, ``count`` (missing: not checked), ``of``, ``share`` (0–1).
    missing
        Stretches of the file × items: share of missing answers, 0–1; the index is the first row of each stretch.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Axes, Axes
        Of the marks and of the map, in one figure.

    Raises
    ------
    ValueError
        If a column of `checks` is not there, a table is empty, or the language is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.plots import style
    >>> checks = pd.DataFrame({"check": ["speeding"], "count": [3], "of": [60], "share": [0.05]})
    >>> left, right = quality(checks, pd.DataFrame({"q1": [0.0, 0.2]}, index=[2, 32]))
    >>> style.alt(left)
    'Share of respondents each check marks: speeding 5.0 % (3 of 60).'
    """
    import matplotlib.pyplot as plt

    words = Wording(language, CHECKS_ZH if language == "zh" else None, 0.95, TEXTS)
    require(checks, ("check", "count", "of", "share"), "quality")
    require(missing, (), "quality")
    use_style()
    height = max(3.2, 0.3 * len(checks) + 1.2)
    _, (left, right) = plt.subplots(1, 2, figsize=(REPORT_WIDTH, height), width_ratios=(1, 1.15))
    _marks(left, checks, words)
    _missing(right, missing, words)
    return left, right


def _marks(ax: Axes, checks: pd.DataFrame, words: Wording) -> None:
    made = checks["count"].notna()
    shares = 100 * checks["share"].where(made, 0).astype(float)
    names = [words.name(check) for check in checks["check"]]
    places = range(len(checks))
    ax.barh(places, shares, color=PALETTE["main"], height=0.62)
    told = []
    for place, (count, of, done) in enumerate(zip(checks["count"], checks["of"], made, strict=True)):
        text = words("count", count=int(count), of=of) if done else words("not_checked")
        ax.text(shares.iloc[place], place, f" {text}", va="center", size=7.5, color=PALETTE["ink" if done else "grey"])
        told.append(words("mark", share=shares.iloc[place], count=int(count), of=of) if done else text)
    name_rows(ax, names, places)
    ax.set(xlim=(0, max(1.0, 1.6 * shares.max())), xlabel=words("marks_axis"))
    title(ax, words("marks_title"))
    set_alt(ax, words("marks_alt", listing=words.listing(zip(names, told, strict=True))))


def _missing(ax: Axes, missing: pd.DataFrame, words: Wording) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    shares = missing.to_numpy() * 100
    ramp = LinearSegmentedColormap.from_list("missing", [PALETTE["pale"], PALETTE["highlight"]])
    image = ax.imshow(shares, aspect="auto", cmap=ramp, vmin=0, vmax=max(shares.max(), 1), interpolation="nearest")
    step = max(1, len(missing.columns) // _NAMED + 1)
    ax.set_xticks(range(0, len(missing.columns), step), missing.columns[::step], rotation=90, fontsize=7)
    rows = range(0, len(missing), max(1, len(missing) // 6))
    ax.set_yticks(rows, [f"{missing.index[row]:,}" for row in rows])
    ax.set(xlabel=words("missing_x"), ylabel=words("missing_y"))
    ax.grid(visible=False)
    title(ax, words("missing_title"))
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.8, pad=0.02)
    bar.set_label(words("missing_bar"))
    mean = missing.mean()
    most = words("most", item=mean.idxmax(), share=mean.max()) if mean.max() > 0 else words("none")
    set_alt(ax, words("missing_alt", mean=mean.mean(), most=most, stretches=len(missing)))
