"""What one cell of a survey file can say: nothing, a number, a label of a scale, or that there is no answer.

The usual label sets (非常不满意 … 非常满意, strongly disagree … strongly agree) are built from their stems and degrees;
a set is used when it has as many labels as the scale has points.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

AROUND = "\ufeff\u3000 \t\r\n"  # what may stand around a text without meaning


def is_blank(value: Any) -> bool:
    return not value.strip() if isinstance(value, str) else bool(pd.isna(value))


def as_text(value: Any) -> str:
    """A cell as a person would write it: 7, not 7.0; without blanks around; nothing for a blank.

    Examples
    --------
    >>> as_text(7.0), as_text(7.25), as_text(" a b "), as_text(None)
    ('7', '7.25', 'a b', '')
    """
    if is_blank(value):
        return ""
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value).strip(AROUND)


def plain(value: Any) -> str:
    """Text without the differences that mean nothing: full width, case, blanks, typographic minus and apostrophe.

    Examples
    --------
    >>> plain("１０ "), plain("Don’t  know"), plain("（跳过）")
    ('10', "don't know", '(跳过)')
    """
    text = unicodedata.normalize("NFKC", str(value)).translate(_TYPOGRAPHY)
    return " ".join(text.split()).casefold()


_TYPOGRAPHY = str.maketrans({"−": "-", "–": "-", "’": "'", "\u200b": None, "\ufeff": None})
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*|,\d+)?|\.\d+)(e[+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"[+-]?(inf|infinity|∞)")


def number(text: str) -> float:
    """The number in a plain text, with decimal point or comma; NaN when there is none.

    Examples
    --------
    >>> number("7.0"), number("7,5"), number("-inf"), number("7 or 8")
    (7.0, 7.5, -inf, nan)
    """
    if _NUMBER.fullmatch(text):
        return float(text.replace(",", "."))
    return float(text.replace("∞", "inf")) if _INFINITE.fullmatch(text) else np.nan


# Phrases, in plain form, that mean no answer on any scale that does not use them as a label of its own.
NO_ANSWER = frozenset(
    [
        *("n/a", "na", "#n/a", "nan", "null", "<na>", ".", "-", "don't know", "dont know", "do not know", "not sure"),
        *("not applicable", "does not apply", "no answer", "missing", "refused", "prefer not to say"),
        *("prefer not to answer", "不清楚", "不知道", "不了解", "不适用", "不详", "未答", "未作答", "未回答", "无回答"),
        *("拒答", "拒绝回答", "缺失", "跳过", "(跳过)", "(空)"),
    ]
)

# Low stem, high stem, words for an extreme degree, words for a mild one.
_STEMS = (
    ("dissatisfied", "satisfied", ("very ", "extremely "), ("somewhat ", "slightly ")),
    ("disagree", "agree", ("strongly ", "completely ", "totally "), ("somewhat ", "slightly ")),
    ("不满意", "满意", ("非常", "很", "十分"), ("比较", "有点", "有些")),
    ("不同意", "同意", ("非常", "很", "十分", "完全"), ("比较", "有点", "有些")),
)
_MIDDLE = ("neutral", "neither", "一般", "中立", "普通", "无所谓")


def own_labels(by_point: dict[Any, dict[str, str]]) -> dict[str, float]:
    """Label -> answer, of a scale's own labels; one that stands at two points says nothing and is not used."""
    points: dict[str, set[float]] = {}
    for point, label in by_point.items():
        for text in label.values():
            points.setdefault(plain(text), set()).add(float(point))
    return {text: min(answers) for text, answers in points.items() if len(answers) == 1}


def usual_labels(texts: Collection[str], low: float, high: float, own: dict[str, float]) -> dict[str, float]:
    """The usual label set that holds most of the texts, as label -> answer; empty when none fits.

    `own` holds the labels the questionnaire itself gives to the scale low…high. Where it puts one of the usual labels
    elsewhere, such as satisfied at the low end, the usual sets say nothing about the others.

    Examples
    --------
    >>> usual_labels(["满意", "非常满意"], 1, 5, {})["满意"]
    4.0
    >>> usual_labels(["满意"], 1, 10, {}), usual_labels(["满意"], 1, 5, {"非常满意": 1.0})
    ({}, {})
    """
    sets = usual_sets(int(high - low) + 1)
    if any(low + labels.get(text, answer - low) != answer for labels in sets for text, answer in own.items()):
        return {}
    best = max(sets, key=lambda labels: len(labels.keys() & texts), default={})
    return {text: float(low + place) for text, place in best.items()} if best.keys() & texts else {}


@functools.cache
def usual_sets(points: int) -> tuple[dict[str, int], ...]:
    """The usual label sets with so many points (2 to 7); each label with its place, from 0, the lowest, up."""
    sets: dict[tuple[str, ...], dict[str, int]] = {}
    for low, high, extremes, milds in _STEMS:
        middle = (*_MIDDLE, f"neither {low} nor {high}", f"neither {high} nor {low}") if points % 2 else ()
        for extreme, mild in itertools.product(extremes, milds):
            for degrees in _degrees(points // 2, extreme, mild):
                places = {degree + low: place for place, degree in enumerate(degrees)}
                places |= {degree + high: points - 1 - place for place, degree in enumerate(degrees)}
                sets[low, *degrees] = places | dict.fromkeys(middle, points // 2)
    return tuple(sets.values())


def _degrees(count: int, extreme: str, mild: str) -> list[tuple[str, ...]]:
    """The words for one half of a scale, the extreme one first."""
    if count == 3:  # of three degrees, 比较 is the second in some questionnaires and the third in others
        return [] if mild == "比较" else [(extreme, "", mild)]
    if count == 2:
        return [(extreme, ""), (extreme, mild)]
    return [("",)] if count == 1 else []
