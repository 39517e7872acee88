"""CDNOW: every order of the customers who first bought at the online music shop in early 1997; chapters 1, 3 and 4.

The file belongs to the package lifetimes (MIT) and is read from its installed copy, without importing the package.

References
----------
Fader, P. S., & Hardie, B. G. S. (2001). Forecasting repeat sales at CDNOW: A case study. Interfaces, 31(3), S94–S107.
"""

from __future__ import annotations

import hashlib
import warnings
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pandas as pd

REMEDY = "Install the course's packages: pip install 'crmlab[course]'"


class _File(NamedTuple):
    name: str
    sha256: str
    columns: tuple[str, ...]
    orders: int
    customers: int


_ALL = _File(
    "CDNOW_master.txt",
    "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef",
    ("customer_id", "date", "quantity", "amount"),
    69_659,
    23_570,
)
_SAMPLE = _File(
    "CDNOW_sample.txt",
    "6fae10155c0b0ba363c2c386e30f77990d22328220efd862a5edd1443420d94a",
    ("customer_id", "sample_id", "date", "quantity", "amount"),
    6_919,
    2_357,
)


def load_cdnow(sample: bool = False) -> pd.DataFrame:
    """Orders of CDNOW: 69,659 by 23,570 customers, from 1 January 1997 to 30 June 1998.

    All customers made their first purchase in the first twelve weeks of 1997.

    Parameters
    ----------
    sample : bool
        Only the tenth of the customers (2,357) that Fader & Hardie fit their models to.

    Returns
    -------
    DataFrame, one row per order
        customer_id (int), date (datetime64), quantity (number of CDs, int), amount (US dollars, float; 80 orders of
        the whole file are free: 0.00). Rows as in the file: by customer, then by date.

    Raises
    ------
    ModuleNotFoundError
        If lifetimes is not installed.
    ImportError
        If it is installed but does not hold the orders.

    Warns
    -----
    UserWarning
        If the file differs from the one all published numbers refer to.

    Examples
    --------
    >>> orders = load_cdnow()
    >>> len(orders), orders["customer_id"].nunique()
    (69659, 23570)
    >>> orders.head(3)
       customer_id       date  quantity  amount
    0            1 1997-01-01         1   11.77
    1            2 1997-01-12         1   12.00
    2            2 1997-01-12         5   77.00
    """
    file = _SAMPLE if sample else _ALL
    content = _path(file.name).read_bytes()
    _check_sum(file, content)
    data = _parsed(file, content)
    found = (len(data), data["customer_id"].nunique())
    if found != (file.orders, file.customers):
        raise ImportError(
            f"cdnow: the file {file.name} of the installed lifetimes has {found[0]} orders of {found[1]} customers; "
            f"expected {file.orders} of {file.customers}. {REMEDY}"
        )
    return data


def _parsed(file: _File, content: bytes) -> pd.DataFrame:
    skipped = 0 if file is _SAMPLE else 1
    data = pd.read_csv(BytesIO(content), sep=r"\s+", header=None, skiprows=skipped, names=[*file.columns])
    data["date"] = pd.to_datetime(data["date"].astype(str), format="%Y%m%d")
    return data[[*_ALL.columns]]


def _path(name: str) -> Path:
    spec = find_spec("lifetimes")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"cdnow: the orders come with the package lifetimes, which is not installed. {REMEDY}", name="lifetimes"
        )
    path = Path(spec.submodule_search_locations[0]) / "datasets" / name
    if not path.is_file():
        raise ImportError(
            f"cdnow: the installed package lifetimes has no file datasets/{name}. {REMEDY}", name="lifetimes"
        )
    return path


def _check_sum(file: _File, content: bytes) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        warnings.warn(
            f"cdnow: the file {file.name} of the installed lifetimes is not the one crmlab was checked with (its "
            "SHA-256 "
            f"is {found[:12]}…, expected {file.sha256[:12]}…). Results may differ from the published ones. {REMEDY}",
            UserWarning,
            stacklevel=3,
        )
