"""From a survey file or frame to a `RawTable`: columns as found, rows numbered as a person counts them.

The bytes of a file, not its name, say what it is: XLSX, SPSS (.sav) or delimited text in UTF-8, UTF-16, GBK or GB18030.
Text is decoded strictly: no byte is ever replaced by a guess. Columns are held as distinct values and codes, so that
a survey of a million respondents is recoded value by value and not cell by cell.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import itertools
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.responses.cells import NO_ANSWER, as_text, is_blank, number, plain
from crmlab.responses.findings import counted, did_you_mean, found, listed
from crmlab.responses.table import Column, Gathering, RawTable


def read_table(source: str | Path | pd.DataFrame, *, sheet: str | None = None, encoding: str | None = None) -> RawTable:
    """The table in a CSV, XLSX or SAV file, or in a DataFrame; arguments and errors as in `read_responses`."""
    if isinstance(source, pd.DataFrame):
        return _from_frame("the DataFrame", source)
    path = Path(source).expanduser()
    head = _head(path)
    is_workbook = head.startswith(b"PK\x03\x04")
    if sheet is not None and not is_workbook:
        raise InputError(f"{path.name} is not an XLSX workbook, so it has no sheet {sheet!r}. Leave sheet out.")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError(
            f"{path.name} is an old .xls workbook or is protected by a password; neither can be read. Open it in the "
            "spreadsheet program and save it as .xlsx without a password, or as CSV UTF-8."
        )
    if is_workbook:
        table = _read_xlsx(path.name, path.read_bytes(), sheet)
    elif head.startswith((b"$FL2", b"$FL3")):
        table = _read_sav(path, encoding)
    else:
        table = _read_text(path, head, encoding)
    with path.open("rb") as file:
        return replace(table, sha256=hashlib.file_digest(file, "sha256").hexdigest())


_HEAD = 65_536  # bytes that tell what a file is


def _head(path: Path) -> bytes:
    """The first bytes of a file that is there, can be read and is not empty."""
    expected = "Expected a CSV, XLSX or SAV file of answers"
    if not path.exists():
        beside = [p.name for p in path.parent.iterdir() if p.is_file()] if path.parent.is_dir() else []
        raise InputError(f"There is no file {path}{did_you_mean(path.name, beside)}. {expected}; correct the path.")
    try:
        blocks = _blocks(path)
        head = next(blocks, b"")
        is_empty = not head.strip() and not any(block.strip() for block in blocks)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. {expected}; correct the path.") from error
    if is_empty:
        raise InputError(f"{path.name} is empty. {expected}: a header of column names, then one row per respondent.")
    return head


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, so many at a time that a large file never stands in memory whole."""
    with path.open("rb") as file:
        while block := file.read(_HEAD):
            yield block


# Delimited text -----------------------------------------------------------------------------------------------------


def _read_text(path: Path, head: bytes, encoding: str | None) -> RawTable:
    codec, stated = _detected(path, head) if encoding is None else _as_named(path, encoding)
    delimiter = _delimiter(head.decode(codec, errors="ignore"))
    with path.open(encoding=codec, newline="") as text:
        lines = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            table = _from_records(path.name, lines)
        except csv.Error as error:
            raise InputError(
                f"{path.name}, line {lines.line_num}: the quotation marks do not match ({error}). Expected a text with "
                'the delimiter or a line break in it to stand between two ", and a " within it doubled. Correct the '
                "file."
            ) from error
    return replace(table, encoding=stated)


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with BOM"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


def _detected(path: Path, head: bytes) -> tuple[str, str]:
    """Codec of a text and the name of its encoding."""
    candidates = _candidates(head)
    refused: UnicodeDecodeError | None = None
    for codec, stated in candidates:
        try:
            if _reads(path, codec):
                return codec, stated
        except UnicodeDecodeError as error:
            refused = refused or error
    assert refused is not None, "only a text that is not UTF-8 is tried as Chinese"
    tried = ", ".join(stated for _, stated in candidates)
    raise InputError(
        f"{path.name}, {_line(refused)}: the byte 0x{refused.object[refused.start]:02X} cannot be read; the text is in "
        f"none of the encodings {tried}. Save it as CSV UTF-8, or name its encoding, for example encoding='cp1252'."
    )


def _reads(path: Path, codec: str) -> bool:
    """Whether a whole file is text in an encoding, and as GBK or GB18030 reads as Chinese.

    Western and Big5 text, too, may decode as GBK, but to rare characters. Chinese text is nearly all symbols and
    first-level characters of GB 2312, whose first byte is below 0xD8.

    Raises
    ------
    UnicodeDecodeError
        It is not; with all bytes of the file.
    """
    decoder = codecs.getincrementaldecoder(codec)()
    foreign = common = 0
    try:
        for block in itertools.chain(_blocks(path), [None]):
            text = decoder.decode(block or b"", final=block is None)
            if codec.startswith("gb"):
                characters = re.sub(r"[\x00-\x7f]+", "", text)
                first_bytes = np.frombuffer(characters.encode("gb2312", "ignore"), dtype=np.uint8)[::2]
                foreign, common = foreign + len(characters), common + int((first_bytes < 0xD8).sum())
    except UnicodeDecodeError:
        path.read_bytes().decode(codec)  # fails at the same byte, and knows its place in the file
        raise
    return common >= 0.8 * foreign


def _candidates(data: bytes) -> list[tuple[str, str]]:
    for mark, codec, stated in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return [(codec, stated)]
    even, odd = data[:4096:2].count(0), data[1:4096:2].count(0)
    if even + odd > len(data[:4096]) / 10:  # commas and digits are half zeros in UTF-16
        return [("utf-16-be" if even > odd else "utf-16-le", "UTF-16 without BOM")]
    return [("utf-8", "UTF-8"), ("gbk", "GBK"), ("gb18030", "GB18030")]


def _as_named(path: Path, encoding: str) -> tuple[str, str]:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding)  # knows the encodings of text from other codecs
        codec = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
        _reads(path, codec)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name}, {_line(error)}: the bytes are not {encoding}. Leave encoding out to have it detected, or "
            "name the one the file was saved in."
        ) from error
    except (LookupError, UnicodeError) as error:
        raise InputError(
            f"encoding {encoding!r} is not the name of a text encoding. Expected a name such as utf-8, gb18030, utf-16 "
            "or cp1252; or leave encoding out to have it detected."
        ) from error
    return codec, encoding


def _line(error: UnicodeDecodeError) -> str:
    lines = error.object.count(b"\n", 0, error.start)
    return f"line {lines + 1}"


def _delimiter(text: str) -> str:
    """The delimiter that splits most of the first rows into as many cells as the header."""

    def fit(delimiter: str) -> tuple[bool, int, int]:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        widths = [len(row) for row in itertools.islice(rows, 50) if any(row)]
        width = next(iter(widths), 0)
        return width > 1, widths.count(width), width

    return max(",;\t", key=fit)


# Workbooks ----------------------------------------------------------------------------------------------------------


def _read_xlsx(name: str, data: bytes, sheet: str | None) -> RawTable:
    import openpyxl

    try:
        with warnings.catch_warnings():  # openpyxl warns of styles and validations it skips; they hold no answers
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            title, remarks = _sheet(name, book, sheet)
            rows = _sheet_rows(book[title])
            if _has_formulas(data):
                formulas = openpyxl.load_workbook(io.BytesIO(data), read_only=True)[title]
                rows = itertools.starmap(_with_uncalculated, zip(rows, _sheet_rows(formulas), strict=True))
            return replace(_from_records(name, rows, addressed=True), remarks=remarks, kind="workbook")
    except InputError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        KeyError,
        OSError,
        RuntimeError,
        SyntaxError,
        ValueError,
    ) as error:
        raise InputError(
            f"{name} is not a whole XLSX workbook ({error}). Save it again as .xlsx, or as CSV UTF-8."
        ) from error


def _sheet(name: str, book: Any, wanted: str | None) -> tuple[str, list[str]]:
    """Title of the sheet to read, and a remark on those that are not."""
    titles = [each.title for each in book.worksheets]
    if wanted is None:
        visible = [each.title for each in book.worksheets if each.sheet_state == "visible"]
        title, *_ = visible or titles
        others = [other for other in titles if other != title]
        remark = f"{name} has {counted(len(titles), 'sheet')}; {title} was read, {listed(others, 10)} not."
        return title, [f"{remark} Set sheet to read another."] if others else []
    if wanted not in titles:
        hint = did_you_mean(wanted, titles)
        raise InputError(
            f"{name} has no sheet {wanted!r}{hint}. Its sheets are {listed(titles, 10)}; name one of them."
        )
    return wanted, []


def _sheet_rows(worksheet: Any) -> Iterator[list[Any]]:
    worksheet.reset_dimensions()  # some exporters state a wrong range, and cells outside it would be lost
    for cells in worksheet.iter_rows(values_only=True):
        yield [str(cell) if isinstance(cell, bool) else cell for cell in cells]  # True is not the number 1


def _has_formulas(data: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = [member for member in archive.namelist() if member.startswith("xl/worksheets/")]
        return any(b"<f" in archive.read(sheet) for sheet in sheets)


def _with_uncalculated(values: list[Any], formulas: list[Any]) -> list[Any]:
    """A formula that no spreadsheet program has calculated has no value; its text stands in, to be listed."""
    cells = zip(values, formulas, strict=True)
    return [getattr(formula, "text", formula) if value is None else value for value, formula in cells]


# SPSS files and frames ----------------------------------------------------------------------------------------------


def _read_sav(path: Path, encoding: str | None) -> RawTable:
    import pyreadstat

    try:
        frame, meta = pyreadstat.read_sav(path, user_missing=True, encoding=encoding)
    except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
        told = encoding or "in the encoding it states"
        raise InputError(
            f"{path.name} is not a whole SPSS file, or its text is not {told} ({error}). Save it again in SPSS, or "
            "export it as CSV UTF-8."
        ) from error
    recoded = {}
    for column in frame.columns:
        missing = _user_missing(frame[column], meta)
        if missing.any():
            frame[column] = frame[column].mask(missing)
            recoded[column] = f"user-missing in the SPSS file: {counted(int(missing.sum()), 'answer')}"
    return replace(
        _from_frame(path.name, frame),
        kind="sav",
        encoding=meta.file_encoding,
        recoded=recoded,
        labels={column: label for column, label in meta.column_names_to_labels.items() if label},
        value_labels=meta.variable_value_labels,
    )


def _user_missing(values: pd.Series, meta: Any) -> pd.Series:
    """Which values the SPSS file itself declares missing, or labels with a phrase such as "don't know"."""
    labels = meta.variable_value_labels.get(values.name, {})
    missing = values.isin([code for code, label in labels.items() if plain(label) in NO_ANSWER])
    for limits in meta.missing_ranges.get(values.name, []):
        missing |= values.between(limits["lo"], limits["hi"])
    return missing


def _from_frame(name: str, frame: pd.DataFrame) -> RawTable:
    if any(label is not None for label in frame.index.names):
        frame = frame.reset_index()  # a named index, such as the respondent's id, is a column
    columns = [Column.of(frame.iloc[:, i]) for i in range(frame.shape[1])]
    names = [as_text(label) for label in frame.columns]
    return RawTable(name, names, columns, np.arange(len(frame)) + 2, kind="frame")


# Rows of cells ------------------------------------------------------------------------------------------------------

_BLOCK = 8_192  # rows held as Python objects at a time


def _from_records(name: str, records: Iterable[Sequence[Any]], *, addressed: bool = False) -> RawTable:
    """Table from rows of cells, the first row that is not blank being the header.

    In a workbook every cell has its address; in text (`addressed` false) a surplus delimiter shifts all that follow.
    """
    lines = iter(records)
    top, header = next(((row, cells) for row, cells in enumerate(lines, start=1) if not _all_blank(cells)), (0, ()))
    second = [*itertools.islice(lines, 1)]
    lines = itertools.chain(second, lines)
    if second and _is_title(header, second[0], addressed):
        header = [*header, *itertools.repeat("", len(second[0]) - len(header))]
    width, row = len(header), top
    irregular: dict[str, dict[int, str]] = {"too many cells": {}, "too few cells": {}, "beyond the header": {}}
    gatherings = [Gathering() for _ in header]
    while block := list(itertools.islice(lines, _BLOCK)):
        if {*map(len, block)} != {width}:
            block = [_fitted(cells, width, row + n, irregular, addressed) for n, cells in enumerate(block, start=1)]
        row += len(block)
        for gathering, column in zip(gatherings, zip(*block, strict=True), strict=True):
            gathering.add(column)
    notes = [
        found(problem, "", cells, [*cells.values()], counted(width, "cell")) for problem, cells in irregular.items()
    ]
    columns = [gathering.column() for gathering in gatherings]
    rows = np.arange(top + 1, row + 1)
    return RawTable(name, [*map(as_text, header)], columns, rows, findings=[*itertools.chain(*notes)])


def _fitted(
    cells: Sequence[Any], width: int, row: int, irregular: dict[str, dict[int, str]], addressed: bool
) -> Sequence[Any]:
    """A row as long as the header; what was too much or too little is noted under `irregular`."""
    if len(cells) == width:
        return cells
    surplus = [as_text(cell) for cell in cells[width:] if not is_blank(cell)]
    if surplus:
        irregular["beyond the header" if addressed else "too many cells"][row] = listed(surplus, 3)
    elif len(cells) < width and not addressed and not _all_blank(cells):
        irregular["too few cells"][row] = counted(len(cells), "cell")
    kept = cells[:width] if addressed or not surplus else ()
    return [*kept, *itertools.repeat(None, width - len(kept))]


def _is_title(first: Sequence[Any], second: Sequence[Any], addressed: bool) -> bool:
    """Whether a title, or merged headings, stand over a longer row of column names."""
    filled = [cell for cell in second if not is_blank(cell)]
    names = all(isinstance(cell, str) and np.isnan(number(plain(cell))) for cell in filled)
    above = sum(not is_blank(cell) for cell in first)
    return names and len(second) > len(first) and (above == 1 or (addressed and above < len(filled)))


def _all_blank(cells: Iterable[Any]) -> bool:
    return all(is_blank(cell) for cell in cells)
