"""The one error a user of crmlab should ever meet: input that cannot be used, told in one paragraph.

A message names what was found, where (file, row, column, value), what was expected, and what to do.
The command line prints it and ends with exit code 2; nothing is written.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A file, a value or an argument that cannot be used as it is.

    Examples
    --------
    >>> raise InputError("scale: item Q7 has 11 in row 18; the questionnaire says 1–10. Correct the file.")
    Traceback (most recent call last):
    crmlab.errors.InputError: scale: item Q7 has 11 in row 18; the questionnaire says 1–10. Correct the file.
    """


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody who wrote this one may have meant, if any; upper and lower case count as alike.

    Examples
    --------
    >>> closest("perq 7", ["PERQ6", "PERQ7"]), closest("shop", ["PERQ6", "PERQ7"])
    ('PERQ7', None)
    """
    alike = {each.casefold(): each for each in reversed([*known])}
    near = difflib.get_close_matches(word.casefold(), alike, n=1)
    return alike[near[0]] if near else None


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """What follows an unknown word in a message: the known word that may be meant, or just the end of the sentence.

    Examples
    --------
    >>> did_you_mean("bootstap", ["bootstrap", "seed"]), did_you_mean("shop", ["bootstrap", "seed"])
    ('; did you mean bootstrap?', '.')
    """
    near = closest(str(word), known)
    return f"; did you mean {near}?" if near else "."
