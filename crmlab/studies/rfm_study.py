"""The files of an RFM study: its report, its customers with scores and segments, and its key numbers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmlab.errors import InputError
from crmlab.studies import rfm_report

if TYPE_CHECKING:
    from crmlab.rfm import RfmAnalysis
    from crmlab.transactions import Transactions

#: Data sets of the course that hold orders.
ORDER_SETS = ("cdnow",)


def read_orders(
    data: str | Path, customer: str = "customer_id", date: str = "date", amount: str = "amount", **options: Any
) -> Transactions:
    """Read the orders of a file, or of a data set of the course by its name.

    Parameters
    ----------
    data
        Path of a CSV, XLSX or Parquet file or folder, or ``cdnow``.
    customer, date, amount, options
        As for :class:`crmlab.Transactions`; options that are empty texts count as not given.

    Raises
    ------
    InputError
        If there is no such file, or its orders cannot be read.

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
    return Transactions(source, customer, date, amount, **given)


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
