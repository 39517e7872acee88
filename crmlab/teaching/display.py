"""Put a number, a table or a figure on a notebook's page, the same way under every version of the libraries.

Tables are written here and not by pandas, whose layout changes between versions: a chapter's stored outputs are
compared with a fresh run, and only its numbers should be able to differ. Figures carry their alternative text along.
"""

from __future__ import annotations

import base64
import html
import io
import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmlab.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Tables longer than this are cut, and say so.
MOST_ROWS = 40
#: What stands for a value that is not there.
ABSENT = "–"


@dataclass(frozen=True)
class _Column:
    name: str
    texts: list[str]
    number: bool


def show(result: object, digits: int = 3) -> None:
    """Display a number, a text, a dict, a list, a Series or a DataFrame, rounded.

    Parameters
    ----------
    result
        What to display. Of a table, the index is shown unless it merely numbers the rows; of a dict, each key with its
        value; of a list of sentences, one a line. Whole numbers stay whole; a missing value is a dash; after 40 rows a
        table is cut and says so.
    digits
        Decimal places of the other numbers, 0 or more.

    Raises
    ------
    TypeError
        If the result is something else; pass one of its tables then.

    Examples
    --------
    >>> show(72.45396)
    72.454
    >>> show(pd.Series({"Image": 71.24, "Loyalty": 66.0}, name="index"), digits=1)
             index
    Image     71.2
    Loyalty   66.0
    """
    if isinstance(result, Mapping):
        result = pd.Series(dict(result), dtype=object)
    if isinstance(result, pd.Series):
        result = result.to_frame(result.name if result.name is not None else "")
    if isinstance(result, pd.DataFrame):
        columns = _columns(result, digits)
        publish({"text/plain": _plain_table(columns, len(result)), "text/html": _html_table(columns, len(result))})
    elif isinstance(result, list) and result and all(isinstance(line, str) for line in result):
        points = "".join(f"<li>{html.escape(line)}</li>\n" for line in result)
        publish({"text/plain": "\n".join(f"• {line}" for line in result), "text/html": f"<ul>\n{points}</ul>"})
    else:
        publish({"text/plain": written(result, digits)})


def figure(ax: Axes, alt: str | None = None) -> None:
    """Display the figure that holds these axes, with its alternative text, and close it.

    The picture carries the text for screen readers; because not every viewer passes it on, the text also stands below
    the picture, folded.

    Parameters
    ----------
    ax
        Axes as a drawing function of :mod:`crmlab.plots` returns them.
    alt
        What is seen, with its numbers; by default what the drawing functions say of all axes of the figure.

    Raises
    ------
    ValueError
        If there is no alternative text.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure(Figure().subplots(), alt="Empty axes.")
    Figure: Empty axes.
    """
    import matplotlib.pyplot as plt

    whole: Any = ax.get_figure(root=True)
    text = alt or " ".join(filter(None, map(style.alt, whole.axes)))
    if not text.strip():
        raise ValueError(
            "figure: these axes have no alternative text. "
            "Say in alt=… what a reader who cannot see the figure should know."
        )
    picture = io.BytesIO()
    whole.savefig(picture, format="png", metadata={"Software": None})
    plt.close(whole)
    publish(
        {"text/plain": f"Figure: {text}", "image/png": base64.b64encode(picture.getvalue()).decode("ascii")},
        {"image/png": {"alt": text}},
    )
    if in_notebook():
        words = f"<details><summary>The figure in words</summary><p>{html.escape(text)}</p></details>"
        publish({"text/plain": "(the figure in words: as above)", "text/html": words})


def written(value: object, digits: int = 3) -> str:
    """A single value as :func:`show` writes it.

    Examples
    --------
    >>> written(-0.0004), written(250), written(float("nan")), written(True), written((70.25, 74.61), digits=1)
    ('0.000', '250', '–', 'True', '(70.2, 74.6)')
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return ABSENT
    if isinstance(value, str | bool):
        return str(value)
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return _decimal(float(value), digits)
    if isinstance(value, pd.Timestamp):
        return value.isoformat() if value != value.normalize() else value.date().isoformat()
    if isinstance(value, list | tuple):
        inside = ", ".join(written(item, digits) for item in value)
        return f"({inside})" if isinstance(value, tuple) else f"[{inside}]"
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return written(value.item(), digits)  # type: ignore[attr-defined]
    raise TypeError(
        f"show: numbers, texts, dicts, lists, Series and DataFrames can be shown; this is a {type(value).__name__}. "
        "Pass one of its tables or numbers."
    )


def in_notebook() -> bool:
    """Whether the code runs where results are displayed as rich output."""
    from IPython import get_ipython

    return get_ipython() is not None  # type: ignore[no-untyped-call]


def publish(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
    """Hand a bundle of representations to the notebook; outside one, print the plain text."""
    if in_notebook():
        from IPython.display import display

        display(data, metadata=metadata or {}, raw=True)  # type: ignore[no-untyped-call]
    else:
        print(data["text/plain"])


def _decimal(value: float, digits: int) -> str:
    if math.isnan(value):
        return ABSENT
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _columns(table: pd.DataFrame, digits: int) -> list[_Column]:
    """What is shown of a table: its index, unless that only numbers the rows, then its columns."""
    shown = table.iloc[:MOST_ROWS]
    columns = []
    if not (isinstance(table.index, pd.RangeIndex) and table.index.name is None):
        for level, name in enumerate(table.index.names):
            labels = [_label(label) for label in shown.index.get_level_values(level)]
            columns.append(_Column("" if name is None else _label(name), labels, number=False))
    for position, name in enumerate(table.columns):
        values = shown.iloc[:, position].tolist()
        texts = [written(value, digits) for value in values]
        columns.append(_Column(_label(name), texts, number=not any(isinstance(value, str | bool) for value in values)))
    return columns


def _label(name: object) -> str:
    return " / ".join(written(part) for part in name) if isinstance(name, tuple) else written(name)


def _plain_table(columns: list[_Column], rows: int) -> str:
    padded = []
    for column in columns:
        width = max(_width(text) for text in [column.name, *column.texts])
        spaces = [(text, " " * (width - _width(text))) for text in [column.name, *column.texts]]
        padded.append([space + text if column.number else text + space for text, space in spaces])
    lines = ["  ".join(row).rstrip() for row in zip(*padded, strict=True)]
    return "\n".join([*lines[0 if _named(columns) else 1 :], *_cut(rows)])


def _html_table(columns: list[_Column], rows: int) -> str:
    sides = ["right" if column.number else "left" for column in columns]

    def row(texts: Iterable[str], tag: str) -> str:
        pairs = zip(texts, sides, strict=True)
        return "".join(f'<{tag} style="text-align: {side}">{html.escape(text)}</{tag}>' for text, side in pairs)

    head = f"<thead><tr>{row((column.name for column in columns), 'th')}</tr></thead>"
    body = [f"<tr>{row(texts, 'td')}</tr>" for texts in zip(*(column.texts for column in columns), strict=True)]
    lines = ["<table>", *([head] if _named(columns) else []), "<tbody>", *body, "</tbody>", "</table>"]
    return "\n".join([*lines, *(f"<p>{note}</p>" for note in _cut(rows))])


def _named(columns: list[_Column]) -> bool:
    """Whether any column has a name; a dict makes a table without a head."""
    return any(column.name for column in columns)


def _cut(rows: int) -> list[str]:
    return [f"… and {rows - MOST_ROWS} more rows"] if rows > MOST_ROWS else []


def _width(text: str) -> int:
    """Columns a text takes on screen: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
