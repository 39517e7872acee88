"""From what a user has — a frame, a file, a DuckDB relation, a table of Spark or Ibis — to an Ibis table, columns as
found.

The bytes of a file, not its name, say what it is: Parquet, XLSX or delimited text, plain or gzip. Text is read by the
engine and never passes through pandas; text that is not UTF-8 is first rewritten as such, block by block, so that
memory does not grow with the file. All cells of text arrive as text: what they mean is said in `fields`.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import tempfile
import weakref
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import ibis
import pandas as pd

from crmlab.errors import InputError
from crmlab.transactions import engines

EXPECTED = "Expected a CSV, XLSX or Parquet file of orders"


@dataclass(frozen=True, eq=False)
class Source:
    """A table as found: `name` of the file or kind of object, the Ibis `table`, whether its lines have an order that
    the engine knows, and `remarks` on the reading."""

    name: str
    table: ibis.Table
    is_ordered: bool
    remarks: list[str] = field(default_factory=list)


def open_source(data: Any, engine: str | None, encoding: str | None, sheet: str | None) -> Source:
    """The table behind `data`; arguments and errors as in `Transactions`."""
    if isinstance(data, ibis.Table):
        return Source("the Ibis table", _on(data, engine), is_ordered=False)
    if isinstance(data, (str, Path)):
        return _open_file(Path(data).expanduser(), engine, encoding, sheet)
    if isinstance(data, pd.DataFrame):
        return _from_frame(data, engine)
    module = type(data).__module__
    if module.startswith(("_duckdb", "duckdb")) and hasattr(data, "to_arrow_reader"):
        return _from_relation(data, engine)
    if module.startswith("pyspark.sql"):
        return _from_spark(data, engine)
    raise InputError(
        f"Transactions: orders cannot be read from a {type(data).__name__}. Expected a pandas DataFrame, the path of a "
        "CSV, XLSX or Parquet file, a DuckDB relation, a Spark DataFrame or an Ibis table."
    )


def _on(table: ibis.Table, engine: str | None) -> ibis.Table:
    found = engines.engine_of(table)
    if engine not in (None, found):
        raise InputError(
            f"engine: the table lives on {found}, and {engine} was asked for. Leave engine out to compute where the "
            "table "
            "is, or write it to Parquet and pass that file."
        )
    return table


# Tables of other programs ---------------------------------------------------------------------------------------------


def _from_frame(frame: pd.DataFrame, engine: str | None) -> Source:
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()  # a named index, such as the order's number, is a column
    check_names([str(name) for name in frame.columns], "the DataFrame")
    connection = engines.connect(engine or "duckdb")
    table = engines.from_arrow(connection, _as_arrow(frame))
    return Source("the DataFrame", table, is_ordered=connection.name == "duckdb")


def _as_arrow(frame: pd.DataFrame) -> Any:
    import pyarrow as pa

    columns = {str(name): _plain(frame.iloc[:, place]) for place, name in enumerate(frame.columns)}
    return pa.table({name: pa.Array.from_pandas(column) for name, column in columns.items()})


def _plain(column: pd.Series) -> pd.Series:
    """A column as both engines take it: no categories, no mixture of types, no nanoseconds, no local time."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_localize(None)  # the day is the one on the customer's clock
    if pd.api.types.is_datetime64_dtype(column.dtype):
        return column.astype("datetime64[us]")
    if column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) not in ("date", "decimal"):
        return column.map(str, na_action="ignore").astype("str")
    return column


def _from_relation(relation: Any, engine: str | None) -> Source:
    check_names(relation.columns, "the DuckDB relation")
    arrow = relation.to_arrow_reader(65_536)
    connection = engines.connect(engine or "duckdb")
    table = engines.from_arrow(connection, arrow if connection.name == "duckdb" else arrow.read_all())
    return Source("the DuckDB relation", table, is_ordered=connection.name == "duckdb")


def _from_spark(frame: Any, engine: str | None) -> Source:
    check_names(frame.columns, "the Spark DataFrame")
    if engine == "duckdb":
        raise InputError("engine: a Spark DataFrame is computed on Spark. Leave engine out, or pass engine='spark'.")
    connection = engines.connect("spark")
    name = engines.new_name()
    frame.createOrReplaceTempView(name)
    return Source("the Spark DataFrame", engines.named(connection, name), is_ordered=False)


# Files ----------------------------------------------------------------------------------------------------------------


def _open_file(path: Path, engine: str | None, encoding: str | None, sheet: str | None) -> Source:
    connection = engines.connect(engine or "duckdb")
    if path.is_dir() or any(sign in path.name for sign in "*?"):
        return _from_parquet(path, connection)
    start = _first_bytes(path)
    if start.startswith(b"PAR1"):
        return _from_parquet(path, connection)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError(
            f"{path.name} is an old .xls workbook or is protected by a password; neither can be read. Open it in the "
            "spreadsheet program and save it as .xlsx without a password, or as CSV UTF-8."
        )
    if start.startswith(b"PK\x03\x04"):
        return _from_workbook(path, connection, sheet)
    if sheet is not None:
        raise InputError(f"{path.name} is not an XLSX workbook, so it has no sheet {sheet!r}. Leave sheet out.")
    return _from_text(path, connection, encoding, start.startswith(b"\x1f\x8b"))


def _first_bytes(path: Path) -> bytes:
    if not path.exists():
        raise InputError(f"There is no file {path}. {EXPECTED}; correct the path.")
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. {EXPECTED}; correct the path.") from error
    if not start.strip():
        raise InputError(f"{path.name} is empty. {EXPECTED}: a header of column names, then one line per order.")
    return start


def _from_parquet(path: Path, connection: Any) -> Source:
    pattern = path / "*.parquet" if path.is_dir() else path
    files = sorted(pattern.parent.glob(pattern.name))
    if not files:
        raise InputError(f"There is no Parquet file {pattern}. {EXPECTED}, or a folder of Parquet files.")
    try:
        remarks = _about_columns(files, path.name) if len(files) > 1 else []
        table = engines.parquet(connection, str(pattern))
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{path.name} cannot be read as Parquet: {_first_line(error)} Write the file again."
        ) from error
    check_names(table.columns, path.name)
    return Source(path.name, table, is_ordered=False, remarks=remarks)


def _about_columns(files: list[Path], folder: str) -> list[str]:
    """Refuse files that lack a column of the first, or hold text where it holds none; tell columns left out."""
    import pyarrow.parquet as pq
    from pyarrow.types import is_large_string, is_string, is_string_view

    def is_text(kind: Any) -> bool:
        return bool(is_string(kind) or is_large_string(kind) or is_string_view(kind))

    first, remarks = pq.read_schema(files[0]), {}
    for file in files[1:]:
        schema = pq.read_schema(file)
        lacking = [name for name in first.names if name not in schema.names]
        if lacking:
            raise InputError(
                f"{folder}: {file.name} has no column {lacking[0]!r}, which {files[0].name} has. Expected the same "
                "columns in every file; rename the column, or read the files one by one."
            )
        other = [name for name in first.names if is_text(first.field(name).type) != is_text(schema.field(name).type)]
        if other:
            raise InputError(
                f"{folder}: the column {other[0]!r} is of type {first.field(other[0]).type} in {files[0].name} and "
                f"{schema.field(other[0]).type} in {file.name}. Write the files again with one type."
            )
        remarks.update({name: file.name for name in schema.names if name not in first.names and name not in remarks})
    return [
        f"{folder}: the column {name!r} was not read; {file} has it, {files[0].name} does not."
        for name, file in remarks.items()
    ]


def _from_workbook(path: Path, connection: Any, sheet: str | None) -> Source:
    """The workbook's sheet as text cells; a workbook holds a million rows at most."""
    import openpyxl
    import pyarrow as pa

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:
        raise InputError(
            f"{path.name} looks like an XLSX workbook but cannot be opened ({_first_line(error)}). Save it again as "
            ".xlsx "
            "or as CSV UTF-8."
        ) from error
    if sheet is not None and sheet not in book.sheetnames:
        raise InputError(f"{path.name} has no sheet {sheet!r}; its sheets are {', '.join(book.sheetnames)}.")
    name = sheet or book.sheetnames[0]
    rows = [[_cell_text(value) for value in row] for row in book[name].iter_rows(values_only=True)]
    remarks = []
    if sheet is None and len(book.sheetnames) > 1:
        remarks.append(f"{path.name} has {len(book.sheetnames)} sheets; the first, {name}, was read.")
    book.close()
    header = _header(path.name, [value or "" for value in rows[0]] if rows else [])
    columns = [list(column) for column in zip(*rows[1:], strict=True)] or [[] for _ in header]
    arrow = pa.table({name: pa.array(column, pa.string()) for name, column in zip(header, columns, strict=False)})
    return Source(path.name, engines.from_arrow(connection, arrow), connection.name == "duckdb", remarks)


def _cell_text(value: Any) -> str | None:
    return None if value is None else str(value)


# Delimited text -------------------------------------------------------------------------------------------------------

_BLOCK = 1 << 22
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _from_text(path: Path, connection: Any, encoding: str | None, is_gzip: bool) -> Source:
    remarks = []
    if is_gzip and path.suffix != ".gz":
        remarks.append(
            f"{path.name} is compressed with gzip although its name does not say so; it was read all the same."
        )
    codec = encoding or _detected(path, is_gzip)
    if codec not in ("utf-8", "utf-8-sig"):
        remarks.append(f"{path.name} is written in {codec.upper()}, not in UTF-8; it was read as such.")
    readable = path
    if is_gzip or codec != "utf-8":
        readable = _rewritten(path, codec, is_gzip)
    try:
        header, delimiter = _first_line_of(readable, path.name)
        table = _read_text(readable, connection, header, delimiter, path.name)
    finally:
        if readable is not path and connection.name == "duckdb":
            readable.unlink()
    if readable is not path and connection.name != "duckdb":
        weakref.finalize(table.op(), readable.unlink, missing_ok=True)
    return Source(path.name, table, connection.name == "duckdb", remarks)


def _open_bytes(path: Path, is_gzip: bool) -> IO[bytes]:
    return gzip.open(path, "rb") if is_gzip else path.open("rb")  # type: ignore[return-value]


def _blocks(path: Path, codec: str, is_gzip: bool) -> Iterator[str]:
    """The text of a file, block by block, strictly decoded."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    with _open_bytes(path, is_gzip) as file:
        while block := file.read(_BLOCK):
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)


def _detected(path: Path, is_gzip: bool) -> str:
    """The first encoding in which every byte of the file can be read."""
    with _open_bytes(path, is_gzip) as file:
        start = file.read(4)
    marked = [codec for mark, codec in _BYTE_ORDER_MARKS if start.startswith(mark)]
    candidates = marked or ["utf-8", "gb18030"]
    for codec in candidates:
        try:
            for _ in _blocks(path, codec, is_gzip):
                pass
        except UnicodeDecodeError:
            continue
        except (OSError, EOFError) as error:
            raise InputError(
                f"{path.name}: the compressed file is damaged ({error}). Copy or compress it again."
            ) from error
        return codec
    raise InputError(
        f"{path.name}: the text is in none of the encodings {', '.join(candidates)}. Save it as CSV UTF-8, or name its "
        "encoding, for example encoding='cp1252'."
    )


def _rewritten(path: Path, codec: str, is_gzip: bool) -> Path:
    """A temporary copy of the file in plain UTF-8."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="", prefix="crmlab-", suffix=".csv", delete=False
    ) as copy:
        try:
            copy.writelines(_blocks(path, codec, is_gzip))
        except (UnicodeDecodeError, LookupError) as error:
            Path(copy.name).unlink()
            raise InputError(
                f"{path.name} cannot be read as {codec}: {error}. Save it as CSV UTF-8, or name its encoding."
            ) from error
    return Path(copy.name)


def _first_line_of(path: Path, name: str) -> tuple[list[str], str]:
    """Column names and delimiter: the one that occurs most often in the header."""
    with path.open(encoding="utf-8", newline="") as file:
        line = file.readline(1 << 20)
    if "\x00" in line:
        raise InputError(f"{name} is not a text file: its first line holds binary data. {EXPECTED}.")
    times = Counter(character for character in line if character in ",;\t|")
    delimiter = times.most_common(1)[0][0] if times else ","
    return _header(name, next(csv.reader(io.StringIO(line), delimiter=delimiter), [])), delimiter


def _header(name: str, cells: list[str]) -> list[str]:
    header = [cell.strip() or f"column {place}" for place, cell in enumerate(cells, 1)]
    if not header:
        raise InputError(f"{name} is empty. {EXPECTED}: a header of column names, then one line per order.")
    check_names(header, name)
    return header


def _read_text(path: Path, connection: Any, header: list[str], delimiter: str, name: str) -> ibis.Table:
    if connection.name == "pyspark":
        return _read_text_on_spark(path, connection, header, delimiter)
    table = engines.new_name()
    try:
        with connection.con.cursor() as cursor:
            cursor.read_csv(
                str(path),
                header=True,
                sep=delimiter,
                quotechar='"',
                escapechar='"',
                columns=dict.fromkeys(header, "VARCHAR"),
                auto_detect=False,
                encoding="utf-8",
            ).create(table)
    except Exception as error:
        raise InputError(
            f"{name} cannot be read as text delimited by {delimiter!r}: {_first_line(error)} Expected as many cells in "
            'every line as column names in the first, and texts with the delimiter in them between two ". Correct the '
            "file."
        ) from error
    return engines.owned(connection, table)


def _read_text_on_spark(path: Path, connection: Any, header: list[str], delimiter: str) -> ibis.Table:
    schema = ", ".join(f"`{column}` STRING" for column in header)
    options = {"header": "true", "sep": delimiter, "quote": '"', "escape": '"', "mode": "FAILFAST"}
    name = engines.new_name()
    connection._session.read.options(**options).schema(schema).csv(str(path)).createOrReplaceTempView(name)
    return engines.named(connection, name)


def check_names(names: list[str] | tuple[str, ...], where: str) -> None:
    """Refuse column names that are alike, or alike but for case: neither engine could tell them apart."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(name.casefold(), []).append(name)
    for group in alike.values():
        if len(group) > 1:
            what = "have the same name" if len(set(group)) == 1 else "differ in upper and lower case only"
            raise InputError(
                f"{where}: the columns {' and '.join(map(repr, group))} {what}. Databases do not tell them apart: "
                "rename one."
            )


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{text[0].strip().rstrip('.')}." if text else f"{type(error).__name__}."
