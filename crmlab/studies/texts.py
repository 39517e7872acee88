"""The words and the number formats of the report, in one language at a time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from crmlab.errors import InputError

_HERE = Path(__file__).parent
_LABELLED = {"construct", "one", "other", "source", "target", "measure", "what", "method", "node"}
_LISTED = {"constructs", "targets", "nodes"}
_NOTHING = "–"


class Texts:
    """The words of one language: ``texts("headline.of")``; values are filled in by name.

    Parameters
    ----------
    language
        ``"en"`` or ``"zh"``.
    study
        Whose words are added to those of every report: ``"csi"`` for ``texts_csi.yaml``; none if empty.

    Raises
    ------
    InputError
        If there are no words in that language.

    Examples
    --------
    >>> Texts("zh")("headline.of")
    '满分 100'
    >>> Texts("en")("data.missing.value", missing=3, cells=6000, share="0.1%")
    '3 of 6000 (0.1%)'
    """

    def __init__(self, language: str, study: str = "") -> None:
        catalogue = _read("texts.yaml") | (_read(f"texts_{study}.yaml") if study else {})
        languages = list(catalogue["contents"])
        if language not in languages:
            raise InputError(f"language: there is no report in {language!r}; choose one of {', '.join(languages)}.")
        self.language = language
        self._words = {key: words[language] for key, words in catalogue.items()}

    def __call__(self, key: str, **values: object) -> str:
        return self._words[key].format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self._words

    def problem(self, sentence: str, label: Callable[[str], str]) -> str | None:
        """An English sentence about an estimate in this language; None if it is not among those that can be said.

        Parameters
        ----------
        sentence
            One of a result's ``problems``.
        label
            Label of a construct, or of another word of the sentence, in this language.

        Examples
        --------
        >>> sentence = "Loyalty is measured unreliably (standardised alpha 0.47, below 0.60)."
        >>> Texts("zh").problem(sentence, {"Loyalty": "顾客忠诚"}.get)
        '“顾客忠诚”的信度不足（标准化 α 为 0.47，低于 0.60）。'
        """
        if self.language == "en":
            return sentence
        for pattern, words in _problem_patterns():
            if found := pattern.fullmatch(sentence):
                return words.format(**{key: _labelled(key, part, label) for key, part in found.groupdict().items()})
        return None

    def entries(self, key: str) -> list[tuple[str, str]]:
        """The entries of a list, each as its beginning in bold and the rest."""
        return [(bold, rest) for _, bold, rest in (entry.split("**") for entry in self._words[key])]


def _labelled(key: str, part: str, label: Callable[[str], str]) -> str:
    """A named part of a sentence in the report's words: a name by its label, an enumeration name by name."""
    if key in _LISTED:
        return "、".join(f"“{label(name)}”" for name in re.split(r", | and ", part))
    return label(part) if key in _LABELLED else part


@cache
def _read(name: str) -> Any:
    return yaml.safe_load((_HERE / name).read_text(encoding="utf-8"))


@cache
def _problem_patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(entry["en"], re.DOTALL), entry["zh"]) for entry in _read("problems_zh.yaml")]


def number(value: float, digits: int = 3) -> str:
    """A number with a true minus sign; a dash where there is none.

    >>> number(-0.0612), number(72.454, 1), number(float("nan"))
    ('−0.061', '72.5', '–')
    """
    if not math.isfinite(value):
        return _NOTHING
    text = f"{value:.{digits}f}"
    return (text.removeprefix("-") if float(text) == 0 else text).replace("-", "−")


def interval(lower: float, upper: float, digits: int = 3) -> str:
    """An interval in brackets; a dash where it was not computed.

    >>> interval(-0.06, 0.12, 2), interval(float("nan"), float("nan"))
    ('[−0.06, 0.12]', '–')
    """
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return _NOTHING
    return f"[{number(lower, digits)}, {number(upper, digits)}]"


def percent(share: float, digits: int = 0) -> str:
    """A share as a percentage.

    >>> percent(0.95), percent(0.0013, 1)
    ('95%', '0.1%')
    """
    return f"{number(100 * share, digits)}%" if math.isfinite(share) else _NOTHING
