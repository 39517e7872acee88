"""A chapter's result contract: the few numbers it stands for, written in its last cell where a program can read them.

Tests compare them with published values, and a run with other parameters can be checked without reading its pages.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import pandas as pd

from crmlab.teaching.display import publish

#: The media type under which the numbers lie in a notebook's output.
MIME = "application/vnd.crmlab.results+json"
#: Digits that count. The ones beyond come from the processor, not from the data.
SIGNIFICANT = 6


def record(results: Mapping[str, Any]) -> None:
    """Write a chapter's key results into the notebook, for programs and for people.

    Parameters
    ----------
    results
        Name → number, truth value, text, or a list, dict or Series of these. Names are texts. Numbers are kept to six
        significant digits.

    Raises
    ------
    TypeError, ValueError
        If a value is of another kind, or is a number that is not finite.

    Examples
    --------
    >>> record({"index": 72.4539612, "respondents": 250, "paths": {"Quality → Value": 0.5583043}})
    Recorded results:
      index: 72.454
      respondents: 250
      paths:
        Quality → Value: 0.558304
    """
    kept = _plain(results, "results")
    publish({"text/plain": "\n".join(["Recorded results:", *_lines(kept)]), MIME: kept})


def recorded(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Read the recorded results out of a notebook.

    Parameters
    ----------
    notebook
        As ``nbformat.read`` gives it.

    Returns
    -------
    dict
        The results of the last cell that recorded any.

    Raises
    ------
    LookupError
        If no cell recorded results.

    Examples
    --------
    >>> output = {"output_type": "display_data", "data": {MIME: {"index": 72.454}}}
    >>> recorded({"cells": [{"cell_type": "code", "outputs": [output]}]})
    {'index': 72.454}
    """
    for cell in reversed(notebook["cells"]):
        for output in reversed(cell.get("outputs", ())):
            if MIME in output.get("data", {}):
                return dict(output["data"][MIME])
    raise LookupError("no cell of this notebook has recorded results; run it to its end.")


def _lines(kept: Mapping[str, Any], indent: str = "  ") -> list[str]:
    lines = []
    for name, value in kept.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{name}:", *_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {json.dumps(value, ensure_ascii=False)}")
    return lines


def _plain(value: Any, where: str) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        value = value.item()
        if isinstance(value, bool):
            return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return _significant(float(value), where)
    if isinstance(value, pd.Series | Mapping):
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item, f"{where}[{position}]") for position, item in enumerate(value)]
    raise TypeError(f"record: {where} is a {type(value).__name__}; give a number, a text, or a list or dict of them.")


def _significant(value: float, where: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"record: {where} is {value}; a result that does not exist is left out or recorded as None.")
    return float(f"{value:.{SIGNIFICANT}g}")
