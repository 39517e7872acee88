"""Check a student's answer, and give a hint that fits the mistake.

A :class:`Question` knows how to compute its own answer, so nothing is stored that could be read off; and it knows the
mistakes that are usually made, each with hints that become plainer from one attempt to the next. The questions of
chapter NN are in ``crmlab/teaching/questions/chNN.py``.
"""

from __future__ import annotations

import functools
import importlib
import math
import pkgutil
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import pandas as pd

from crmlab.errors import InputError

#: Attempts at each question, and how often each of its mistakes was made, since the notebook was started.
_attempts: Counter[str] = Counter()


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that many give, and what helps out of it.

    ``name`` says what was done, as in "this looks like …"; ``answer`` computes the wrong answer; ``hints`` go from a
    nudge to the step that is missing.
    """

    name: str
    answer: Callable[[], Any]
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """One question of an exercise.

    Attributes
    ----------
    name
        Chapter and number, such as ``"09.q1"``.
    asks
        What kind of answer is expected, such as "a number between 0 and 100".
    solution
        Computes the right answer: a number, truth value, text, dict, Series or DataFrame.
    tolerance
        Largest absolute difference between a right number and the computed one.
    mistakes
        Typical wrong answers. Each must differ from the solution, and from the others, by more than the tolerance.
    hints
        Shown in turn when the answer looks like none of the mistakes.
    """

    name: str
    asks: str
    solution: Callable[[], Any]
    tolerance: float
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What :func:`check` answers; true when the answer is right. ``mistake`` names the mistake that it looks like."""

    question: str
    right: bool
    message: str
    mistake: str | None = None

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return textwrap.fill(self.message, width=100)


def check(question: str, answer: object) -> Verdict:
    """Say whether an answer to an exercise is right, and if not, what to think about.

    Parameters
    ----------
    question
        Chapter and number, such as ``"09.q1"``.
    answer
        Number, truth value, text, dict, Series or DataFrame, as the question asks. The order of rows, columns and keys
        does not matter, nor do capitals in a text.

    Returns
    -------
    Verdict
        True when right. A hint follows a wrong answer; the next one is plainer if the same mistake comes again.

    Raises
    ------
    InputError
        If there is no such question.

    Examples
    --------
    >>> check("09.q1", "a text")
    09.q1: nothing to check yet. You gave a text, take the quotation marks away. Expected: a number
    between 0 and 100, to two decimals.
    """
    asked = find(question)
    expected = _solution(asked.name)
    if obstacle := _obstacle(answer, expected):
        return Verdict(question, False, f"{question}: nothing to check yet. {obstacle} Expected: {asked.asks}.")
    wrong = _wrong_entries(answer, expected, asked.tolerance)
    if not wrong:
        return Verdict(question, True, f"{question}: right.")
    for mistake in asked.mistakes:
        if not _wrong_entries(answer, mistake.answer(), asked.tolerance):
            hint = _next(f"{question} {mistake.name}", mistake.hints)
            likeness = f"This looks like {mistake.name}."
            return Verdict(question, False, f"{question}: not right. {likeness} {hint}", mistake.name)
    count = len(_entries(expected))
    where = f"{count - len(wrong)} of {count} values are right; look again at {_listed(wrong)}. " if count > 1 else ""
    return Verdict(question, False, f"{question}: not right. {where}{_next(question, asked.hints)}")


def find(name: str) -> Question:
    """Return the question of this name.

    Examples
    --------
    >>> find("09.q9")
    Traceback (most recent call last):
    crmlab.errors.InputError: check: there is no question '09.q9'. Chapter 09 has 09.q1, 09.q2, 09.q3, 09.q4.
    """
    chapter = str(name).partition(".")[0]
    known = {question.name: question for question in of_chapter(chapter)}
    if name not in known:
        there = (
            f"Chapter {chapter} has {', '.join(known)}." if known else f"There are chapters {', '.join(chapters())}."
        )
        raise InputError(f"check: there is no question {name!r}. {there}")
    return known[name]


def chapters() -> list[str]:
    """Numbers of the chapters that have questions.

    Examples
    --------
    >>> "09" in chapters()
    True
    """
    folder = importlib.import_module("crmlab.teaching.questions").__path__
    return sorted(module.name.removeprefix("ch") for module in pkgutil.iter_modules(folder))


def of_chapter(chapter: str) -> tuple[Question, ...]:
    """The questions of one chapter, in order; none if the chapter has no exercise.

    Examples
    --------
    >>> [question.name for question in of_chapter("09")]
    ['09.q1', '09.q2', '09.q3', '09.q4']
    """
    if chapter not in chapters():
        return ()
    questions: tuple[Question, ...] = importlib.import_module(f"crmlab.teaching.questions.ch{chapter}").QUESTIONS
    return questions


def start_over() -> None:
    """Forget all attempts, so that every hint starts again from the gentlest."""
    _attempts.clear()


@functools.cache
def _solution(name: str) -> Any:
    return find(name).solution()


def _next(key: str, hints: tuple[str, ...]) -> str:
    _attempts[key] += 1
    return hints[min(_attempts[key], len(hints)) - 1]


def _entries(answer: Any) -> dict[Any, Any]:
    """An answer as label → single value; a lone value has the empty label."""
    if isinstance(answer, pd.DataFrame):
        return {(row, name): _single(value) for name, column in answer.items() for row, value in column.items()}
    if isinstance(answer, pd.Series | Mapping):
        return {label: _single(value) for label, value in answer.items()}
    return {"": _single(answer)}


def _single(value: Any) -> Any:
    """A NumPy scalar as the Python value it stands for."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 else value


def _kind(value: Any) -> str:
    value = _single(value)
    for kinds, name in _KINDS:
        if isinstance(value, kinds):
            return name
    return f"a {type(value).__name__}"


#: Tried in this order: a truth value would pass for a number in Python, and is none here.
_KINDS: tuple[tuple[Any, str], ...] = (
    (type(...), "the dots"),
    (str, "a text"),
    (bool, "a truth value"),
    (Real, "a number"),
    (pd.DataFrame, "a table"),
    ((pd.Series, Mapping), "labelled values"),
)


def _obstacle(answer: Any, expected: Any) -> str:
    """Why an answer cannot be compared with the solution at all; empty when it can."""
    given, wanted = _kind(answer), _kind(expected)
    if given == "the dots":
        return "The dots are still in place."
    if given != wanted:
        return f"You gave {given}{_WAYS_OUT.get((given, wanted), '')}."
    found, sought = _entries(answer), _entries(expected)
    if missing := [label for label in sought if label not in found]:
        return f"Missing: {_listed(missing)}."
    if unknown := [label for label in found if label not in sought]:
        return f"Not asked for: {_listed(unknown)}."
    for label, value in found.items():
        place = f" for {_listed([label])}" if label != "" else ""
        if _kind(value) != _kind(sought[label]):
            return f"You gave {_kind(value)}{place} where {_kind(sought[label])} is expected."
        if isinstance(value, float) and not math.isfinite(value):
            return f"You gave {value}{place}, which is no number to compare."
    return ""


_WAYS_OUT = {
    ("labelled values", "a number"): ", take the one number out of them with .loc[…] or .iloc[…]",
    ("a table", "a number"): ", take the one number out of it with .loc[row, column]",
    ("a table", "labelled values"): ", choose one of its columns",
    ("a list", "labelled values"): ", which has lost its labels; give the Series or a dict",
    ("a ndarray", "labelled values"): ", which has lost its labels; give the Series or a dict",
    ("a text", "a number"): ", take the quotation marks away",
}


def _listed(labels: list[Any]) -> str:
    names = [" / ".join(map(str, label)) if isinstance(label, tuple) else str(label) for label in labels]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _same(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, str):
        return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
    if isinstance(one, bool):
        return one is other
    return abs(one - other) <= tolerance


def _wrong_entries(answer: Any, expected: Any, tolerance: float) -> list[Any]:
    found, sought = _entries(answer), _entries(expected)
    return [label for label in sought if not _same(found[label], sought[label], tolerance)]
