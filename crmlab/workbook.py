"""Tables as an Excel workbook that is safe to open and the same, byte for byte, whenever it is written.

One sheet a table, after a sheet of contents. Text is stored as text whatever it begins with, so that an answer such as
``=HYPERLINK(…)`` in a survey can never run as a formula on the desk of whoever opens the file (OWASP: CSV injection).
"""

from __future__ import annotations

import io
import math
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import pandas as pd
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

_HEADER_FILL = "FF12355B"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_DATES = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms)")
# Characters that XML cannot hold; Excel would call the file damaged.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_LONGEST_TEXT = 32_767
_WIDEST = 60
_NUMBER_FORMAT = "0.000"


def write_xlsx(
    tables: Mapping[str, pd.DataFrame],
    path: str | Path,
    *,
    titles: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
) -> None:
    """Write tables to an Excel workbook; an existing file is replaced. The arguments are those of :func:`xlsx`.

    Examples
    --------
    >>> import pandas as pd, tempfile, openpyxl
    >>> file = Path(tempfile.mkdtemp()) / "tables.xlsx"
    >>> write_xlsx({"answers": pd.DataFrame({"comment": ["=1+1"], "score": [72.45]})}, file)
    >>> cell = openpyxl.load_workbook(file)["answers"]["A2"]
    >>> cell.value, cell.data_type
    ('=1+1', 's')
    """
    Path(path).write_bytes(xlsx(tables, titles=titles, formats=formats))


def xlsx(
    tables: Mapping[str, pd.DataFrame],
    *,
    titles: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
) -> bytes:
    """Return tables as an Excel workbook.

    Parameters
    ----------
    tables
        Tables by sheet name (at most 31 characters, none of ``[]:*?/\\``). A named index becomes the first columns.
    titles
        What each sheet holds, in words, for the sheet of contents.
    formats
        Number format of the fractional numbers of a sheet, for example ``{"index": "0.0"}``; ``0.000`` if not given.

    Notes
    -----
    Missing numbers are empty cells. Characters that XML cannot hold are written as ``\\ufffd``, and text is cut at
    Excel's limit of 32,767 characters.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.properties.creator = "crmlab"
    contents = book.active
    assert contents is not None
    contents.title = "contents"
    listed = [(name, (titles or {}).get(name, ""), len(frame)) for name, frame in tables.items()]
    _fill(contents, ["sheet", "content", "rows"], listed, "0")
    for name, frame in tables.items():
        flat = frame.reset_index() if any(frame.index.names) else frame
        columns = [str(column) for column in flat.columns]
        rows = flat.itertuples(index=False, name=None)
        _fill(book.create_sheet(name), columns, rows, (formats or {}).get(name, _NUMBER_FORMAT))
    raw = io.BytesIO()
    book.save(raw)
    return _timeless(raw)


def _fill(sheet: Worksheet, columns: list[str], rows: Iterable[tuple[Any, ...]], number_format: str) -> None:
    from openpyxl.utils import get_column_letter

    widths = [_width(column) for column in columns]
    for column, name in enumerate(columns, start=1):
        _header(_cell(sheet, 1, column), name)
    for number, row in enumerate(rows, start=2):
        for column, value in enumerate(row):
            _put(_cell(sheet, number, column + 1), value, number_format)
            if isinstance(value, str):
                widths[column] = max(widths[column], _width(value))
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = min(max(width + 3, 10), _WIDEST)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _cell(sheet: Worksheet, row: int, column: int) -> Cell:
    return cast("Cell", sheet.cell(row, column))  # not a merged cell: nothing is merged here


def _header(cell: Cell, name: str) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill

    _put_text(cell, name)
    cell.font = Font(bold=True, color="FFFFFFFF")
    cell.fill = PatternFill("solid", fgColor=_HEADER_FILL)
    cell.alignment = Alignment(vertical="center")


def _put(cell: Cell, value: Any, number_format: str) -> None:
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        cell.value = bool(value)
    elif isinstance(value, Integral):
        cell.value, cell.number_format = int(value), "0"
    elif isinstance(value, Real) and math.isfinite(value):
        cell.value, cell.number_format = float(value), number_format
    elif not _is_missing(value):
        _put_text(cell, str(value))


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, Real) and math.isnan(value))


def _put_text(cell: Cell, text: str) -> None:
    """Store text as text. The quote prefix keeps it text when somebody edits the cell."""
    from openpyxl.styles import Alignment

    clean = _UNWRITABLE.sub("\ufffd", text)[:_LONGEST_TEXT]
    cell.value = clean
    cell.data_type = "s"  # openpyxl would take a leading "=" for a formula and "#N/A" for an error
    if clean.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        cell.quotePrefix = True  # type: ignore[attr-defined]
    cell.alignment = Alignment(vertical="top", wrap_text=_width(clean) > _WIDEST)


def _width(text: str) -> int:
    """Width in columns of a Latin letter; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _timeless(raw: io.BytesIO) -> bytes:
    """The same archive with every date set to one day, because openpyxl writes the clock into it."""
    steady = io.BytesIO()
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(steady, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            content = source.read(member)
            if member.filename == "docProps/core.xml":
                content = _DATES.sub(rb"\g<1>1980-01-01T00:00:00Z\g<3>", content)
            entry = zipfile.ZipInfo(member.filename, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return steady.getvalue()
