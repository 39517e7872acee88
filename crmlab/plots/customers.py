"""How well ids are put together: precision and recall over the threshold (chapter 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmlab.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NEEDED = ("threshold", "precision", "recall")

_TEXTS = {
    "en": {
        "title": "The stricter the threshold, the more pairs are missed",
        "x": "threshold (probability that two ids are one person)",
        "y": "share of pairs (0 to 1)",
        "precision": "precision: of the pairs found, right",
        "recall": "recall: of the true pairs, found",
        "alt": "Two curves over thresholds from {first:g} to {last:g}. Precision goes from {p0:.2f} to {p1:.2f}, "
        "recall from {r0:.2f} to {r1:.2f}.",
    },
    "zh": {
        "title": "阈值越严，漏掉的配对越多",
        "x": "阈值（两个编号属于同一人的概率）",
        "y": "配对占比（0 到 1）",
        "precision": "查准率：找到的配对中正确的",
        "recall": "查全率：真实配对中找到的",
        "alt": "阈值从 {first:g} 到 {last:g} 的两条曲线。查准率从 {p0:.2f} 到 {p1:.2f}，"
        "查全率从 {r0:.2f} 到 {r1:.2f}。",
    },
}


def precision_recall(accuracy: pd.DataFrame, language: str = "en", *, ax: Axes | None = None) -> Axes:
    """Draw precision and recall of linked pairs over the threshold.

    Parameters
    ----------
    accuracy : DataFrame, one row per threshold
        Columns threshold, precision, recall (0 to 1; precision may be missing where nothing was found).
    language : "en" or "zh"
        Of title, axis names, legend and alternative text.
    ax : Axes, optional
        Where to draw; default a new figure.

    Returns
    -------
    Axes
        With two lines, precision (solid) and recall (dashed).

    Raises
    ------
    ValueError
        For another language, a missing column, or no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> accuracy = pd.DataFrame({"threshold": [0.5, 0.9], "precision": [0.9, 1.0], "recall": [0.8, 0.6]})
    >>> style.alt(precision_recall(accuracy))[-59:]
    'Precision goes from 0.90 to 1.00, recall from 0.80 to 0.60.'
    """
    if language not in _TEXTS:
        raise ValueError(f"language: {language!r} is not known; expected one of {', '.join(_TEXTS)}.")
    if accuracy.empty or not set(NEEDED) <= set(accuracy.columns):
        raise ValueError(f"accuracy: expected one row or more with the columns {', '.join(NEEDED)}.")
    texts = _TEXTS[language]
    ax = style.axes_or_new(ax, height=3.4)
    table = accuracy.sort_values("threshold")
    ax.plot(table["threshold"], table["precision"], color=style.SERIES[0], label=texts["precision"])
    ax.plot(table["threshold"], table["recall"], color=style.SERIES[1], linestyle="--", label=texts["recall"])
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.04)
    ax.set_xlabel(texts["x"])
    ax.set_ylabel(texts["y"])
    style.embolden(ax.set_title(texts["title"]))
    ax.legend(loc="lower left")
    first, last = table.iloc[0], table.iloc[-1]
    numbers = {"p0": first["precision"], "p1": last["precision"], "r0": first["recall"], "r1": last["recall"]}
    style.set_alt(ax, texts["alt"].format(first=first["threshold"], last=last["threshold"], **numbers))
    return ax
