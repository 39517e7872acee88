"""Where expressions run: DuckDB in this process, or Spark. Both are reached through Ibis, and only here by name.

All tables of one process share one DuckDB database, so that any two of them can be joined. It is a temporary file:
what does not fit into memory goes to disk.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis

from crmlab.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ENGINES = ("duckdb", "spark")

_NUMBERS = itertools.count(1)


def to_frame(expression: ibis.Table) -> pd.DataFrame:
    """Run an expression on its engine and return the result as a pandas DataFrame.

    Text comes as pandas' `str`, dates as `datetime64`, whole numbers as `int64` (`float64` where one is missing).

    Parameters
    ----------
    expression : Ibis table
        On tables of DuckDB or Spark.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.transactions import Transactions, to_frame
    >>> orders = Transactions(pd.DataFrame({"customer_id": [1, 1, 2], "date": "2026-01-05", "amount": [3.0, 4.0, 5.0]}))
    >>> to_frame(orders.table.group_by("customer_id").agg(spent=orders.table.amount.sum()).order_by("customer_id"))
       customer_id  spent
    0            1    7.0
    1            2    5.0
    """
    connection: Any = expression.get_backend()
    with quiet():
        if connection.name == "pyspark":
            arrow = connection._session.sql(connection.compile(expression)).toArrow()
        else:
            arrow = connection.to_pyarrow(expression)
        frame: pd.DataFrame = arrow.to_pandas(date_as_object=False)
    return frame


def row(expression: ibis.Table) -> dict[str, Any]:
    """The only row of an aggregate, by column."""
    return {str(name): value for name, value in to_frame(expression).iloc[0].items()}


def count(expression: ibis.Table) -> int:
    """Number of rows of an expression."""
    return int(row(expression.agg(n=expression.count()))["n"])


def engine_of(table: ibis.Table) -> str:
    """Name of the engine a table lives on: "duckdb", "spark", or Ibis' name of another one."""
    return engine_name(table.get_backend())


def engine_name(connection: Any) -> str:
    """Name of the engine behind an Ibis connection."""
    return "spark" if connection.name == "pyspark" else str(connection.name)


def connect(engine: str) -> Any:
    """The Ibis connection of an engine, the same one every time."""
    if engine not in ENGINES:
        raise InputError(f"engine: {engine!r} is not known; expected 'duckdb' (in process) or 'spark'.")
    return _duckdb() if engine == "duckdb" else _spark()


@cache
def _duckdb() -> Any:
    folder = tempfile.mkdtemp(prefix="crmlab-")
    with quiet():
        connection = ibis.duckdb.connect(Path(folder) / "orders.duckdb", temp_directory=folder)
    connection.con.execute("SET enable_progress_bar = false")
    run(connection, "SET GLOBAL TimeZone = 'UTC'")
    atexit.register(_close, connection, folder)
    return connection


def _close(connection: Any, folder: str) -> None:
    connection.disconnect()
    shutil.rmtree(folder, ignore_errors=True)


def _spark() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as error:
        raise InputError(
            "engine: Spark needs the package pyspark, which is not installed. Install it with pip install "
            "'crmlab[spark]', and Java 17; or leave engine out to use DuckDB."
        ) from error
    session = SparkSession.getActiveSession() or _new_session(SparkSession.builder)
    return _spark_connection(session)


def _new_session(builder: Any) -> Any:
    """A Spark session of this machine, for whoever has not made one for a cluster."""
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(os.cpu_count() or 4),
        "spark.sql.session.timeZone": "UTC",
    }
    try:
        session = builder.master("local[*]").appName("crmlab").config(map=settings).getOrCreate()
    except Exception as error:
        raise InputError(
            f"engine: Spark did not start ({type(error).__name__}: {str(error).splitlines()[0][:120]}). It needs "
            "Java 17: "
            "check that `java -version` answers, or leave engine out to use DuckDB."
        ) from error
    session.sparkContext.setLogLevel("ERROR")
    return session


@cache
def _spark_connection(session: Any) -> Any:
    with quiet():
        return ibis.pyspark.connect(session)


@contextmanager
def quiet() -> Iterator[None]:
    """Ibis 12 and Spark 4.0 call parts of pandas 3 and DuckDB that are about to be dropped; the results do not change,
    and a user can do nothing about it."""
    with warnings.catch_warnings():
        for kind in (DeprecationWarning, FutureWarning, ResourceWarning, UserWarning):
            warnings.simplefilter("ignore", kind)
        yield


def named(connection: Any, name: str) -> ibis.Table:
    """The table or view of that name."""
    with quiet():
        return connection.table(name)


def new_name() -> str:
    """A table name that no other table of this process has."""
    return f"crmlab_{next(_NUMBERS)}"


def from_arrow(connection: Any, data: pa.Table | pa.RecordBatchReader) -> ibis.Table:
    """A table of the engine with the rows of an Arrow table (or stream, on DuckDB), in their order."""
    name = new_name()
    if connection.name == "pyspark":
        with quiet():
            connection._session.createDataFrame(data).createOrReplaceTempView(name)
        return named(connection, name)
    with connection.con.cursor() as cursor:
        cursor.register("crmlab_arriving", data)
        cursor.execute(f"CREATE TABLE {name} AS SELECT * FROM crmlab_arriving")
    return owned(connection, name)


def parquet(connection: Any, pattern: str) -> ibis.Table:
    """The rows of Parquet files, read when they are needed."""
    name = new_name()
    if connection.name == "pyspark":
        connection._session.read.parquet(pattern).createOrReplaceTempView(name)
        return named(connection, name)
    # A view that all cursors see; Ibis would make one of this cursor's own.
    quoted = pattern.replace("'", "''")
    run(connection, f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{quoted}')")
    return owned(connection, name, "VIEW")


def kept(expression: ibis.Table) -> ibis.Table:
    """The expression computed once, and let go when nobody holds it: a table of DuckDB, a cached one of Spark."""
    connection: Any = expression.get_backend()
    name = new_name()
    if connection.name == "pyspark":
        frame = connection._session.sql(connection.compile(expression)).cache()
        frame.createOrReplaceTempView(name)
        table = named(connection, name)
        weakref.finalize(table.op(), frame.unpersist).atexit = False
        return table
    if connection.name != "duckdb":
        return expression
    run(connection, f"CREATE TABLE {name} AS {connection.compile(expression)}")
    return owned(connection, name)


def owned(connection: Any, name: str, kind: str = "TABLE") -> ibis.Table:
    """A table or view of DuckDB that is dropped when the last expression on it is gone."""
    table = named(connection, name)
    # Expressions built on a table hold its node: the rows go when the last of them is gone.
    weakref.finalize(table.op(), run, connection, f"DROP {kind} IF EXISTS {name}").atexit = False
    return table


def run(connection: Any, statement: str) -> None:
    """Run a statement of DuckDB beside whatever the connection is busy with."""
    with connection.con.cursor() as cursor:
        cursor.execute("SET enable_progress_bar = false")
        cursor.execute(statement)
