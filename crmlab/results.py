"""What every result can do: become plain values for JSON, show itself in a notebook with what is wrong with it, and
name groups in the order in which people count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def plain(value: Any) -> Any:
    """A value as JSON has it: Python's own numbers, None for what is no number; a mapping or Series as a dict of such.

    Examples
    --------
    >>> import numpy as np
    >>> plain(np.int64(3)), plain(np.float64("nan")), plain("text"), plain({"a": np.float32(0.5)})
    (3, None, 'text', {'a': 0.5})
    """
    if hasattr(value, "items"):  # a mapping or a Series
        return {str(key): plain(each) for key, each in value.items()}
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool | int | str):
        return value
    return float(value) if isinstance(value, float) and isfinite(value) else None


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain dicts.

    Examples
    --------
    >>> import pandas as pd
    >>> records(pd.DataFrame({"item": ["SA1", "SA2"], "mean": [7.5, None]}))
    [{'item': 'SA1', 'mean': 7.5}, {'item': 'SA2', 'mean': None}]
    """
    return [plain(row) for row in table.to_dict("records")]


def rows_by_name(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The rows of a table as plain dicts, by their index.

    Examples
    --------
    >>> import pandas as pd
    >>> rows_by_name(pd.DataFrame({"n": [40, 60]}, index=["city", "country"]))
    {'city': {'n': 40}, 'country': {'n': 60}}
    """
    return {str(name): plain(row.to_dict()) for name, row in table.astype(object).iterrows()}


def page(*tables: str, problems: Iterable[str] = (), heading: str = "") -> str:
    """A result as HTML: its heading, its tables (as `DataFrame.to_html` writes them), and below them its problems.

    Examples
    --------
    >>> page("<table></table>", problems=["Only 3 answers < 5."], heading="Index 72")
    '<p><b>Index 72</b></p><table></table><ul><li>Only 3 answers &lt; 5.</li></ul>'
    """
    head = f"<p><b>{escape(heading)}</b></p>" if heading else ""
    told = "".join(f"<li>{escape(problem)}</li>" for problem in problems)
    return head + "".join(tables) + (f"<ul>{told}</ul>" if told else "")


def in_order(name: object) -> tuple[list[Any], str]:
    """Sorting key of a name that may hold numbers: the tenth wave follows the ninth, not the first.

    Examples
    --------
    >>> sorted(["wave10.csv", "Wave2.csv", "wave1.csv"], key=in_order)
    ['wave1.csv', 'Wave2.csv', 'wave10.csv']
    """
    text = str(name)
    parts = re.split(r"(\d+)", text.casefold())  # words and numbers by turns, so that like is compared with like
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], text
