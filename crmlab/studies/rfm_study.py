"""The files of an RFM study: its report, its customers with scores and segments, and its key numbers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmlab.errors import InputError
from crmlab.studies import rfm_report
from crmlab.studies.survey import condition

if TYPE_CHECKING:
    from crmlab.rfm import RfmAnalysis
    from crmlab.transactions import Transactions

#: Data sets of the course that hold orders.
ORDER_SETS = ("cdnow",)


def read_orders(
    data: str | Path,
    customer: str = "customer_id",
    date: str = "date",
    amount: str = "amount",
    *,
    only: str = "",
    **options: Any,
) -> Transactions:
    """Read the orders of a file, or of a data set of the course by its name.

    Parameters
    ----------
    data
        Path of a CSV, XLSX or Parquet file or folder, or ``cdnow``.
    customer, date, amount, options
        As for :class:`crmlab.Transactions`; options that are empty texts count as not given.
    only
        A column and the value whose lines are kept, such as ``"region = north"``; empty: all lines.

    Raises
    ------
    InputError
        If there is no such file, its orders cannot be read, or no line would be kept.

    Examples
    --------
    >>> read_orders("cdnow").n
    69659
    """
    from crmlab.transactions import Transactions

    given = {name: value for name, value in options.items() if value != ""}
    source: Any = data
    if str(data) in ORDER_SETS and not Path(data).exists():
        source, given["name"] = _data_set(str(data)), str(data)
    if not only:
        return Transactions(source, customer, date, amount, **given)
    column, value = condition(only)
    return _kept(Transactions(source, customer, date, amount, keep=(column,), **given), column, value)


def source_of(data: str | Path, *, encoding: str = "", sheet: str = "") -> Any:
    """The table of a file of orders with its columns as found; arguments and errors as in :func:`read_orders`."""
    from crmlab.transactions.sources import open_source

    source: Any = _data_set(str(data)) if str(data) in ORDER_SETS and not Path(data).exists() else data
    return open_source(source, None, encoding or None, sheet or None)


def values_of(orders: Transactions, column: str) -> list[str]:
    """The values of a column that was kept, as sorted text."""
    from crmlab.transactions import to_frame

    values = orders.lines.select(value=orders.lines[column].cast("string").strip()).distinct()
    return sorted(to_frame(values)["value"].dropna())


def _kept(orders: Transactions, column: str, value: str) -> Transactions:
    lines = orders.lines.filter(orders.lines[column].cast("string").strip() == value)
    known = values_of(orders, column)
    if value not in known:
        raise InputError(
            f"only: no line of {orders.name} has {column} = {value}; its values are {', '.join(known[:20])}."
        )
    return orders.replaced(lines.select(*orders.roles, *orders.keep), f"{column} = {value}")


def write_rfm_study(
    result: RfmAnalysis, out: str | Path, language: str = "en", *, data: str | Path | None = None
) -> None:
    """Write ``report.html``, ``customers.parquet`` and ``summary.json`` of an RFM study.

    Parameters
    ----------
    result
        From :func:`crmlab.rfm.analyse`.
    out
        A folder; it is made if need be. Files of these names in it are replaced.
    language
        ``"en"`` or ``"zh"``, of the report.
    data
        The file the orders came from; the report states its checksum.

    Examples
    --------
    >>> import tempfile
    >>> from crmlab import rfm
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_rfm_study(rfm.analyse(read_orders("cdnow"), scheme="quantile"), folder)
    >>> sorted(file.name for file in folder.iterdir())
    ['customers.parquet', 'report.html', 'summary.json']
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    page = rfm_report.html(result, language, sha256=_checksum(data))
    (folder / "report.html").write_text(page, encoding="utf-8")
    result.customers.to_parquet(folder / "customers.parquet", index=False)
    written = json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False, indent=2)
    (folder / "summary.json").write_text(written + "\n", encoding="utf-8")


def _checksum(data: str | Path | None) -> str | None:
    if data is None or not Path(data).is_file():
        return None
    with Path(data).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _data_set(name: str) -> Any:
    from crmlab import datasets

    try:
        return getattr(datasets, f"load_{name}")()
    except ImportError as error:  # the data come with a package of the course that is not installed
        raise InputError(str(error)) from error
