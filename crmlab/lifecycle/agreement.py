"""Do two ways of telling phases agree? Confusion matrix, accuracy and kappa (chapter 1).

Accuracy counts the rows that agree; Cohen's κ = (p_o − p_e) / (1 − p_e) takes off what two people who guess with the
same shares would agree on by chance.

References
----------
Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and Psychological Measurement 20, 37–46.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError


@dataclass(frozen=True, eq=False)
class Agreement:
    """How phases found agree with true ones.

    Attributes
    ----------
    confusion : DataFrame true × found
        Numbers of customer-periods.
    accuracy : float, 0 to 1
    kappa : float, at most 1; 0 is chance, missing if both sides know one phase only.
    problems : sentences.
    """

    confusion: pd.DataFrame
    accuracy: float
    kappa: float
    problems: list[str]

    @property
    def by_phase(self) -> pd.DataFrame:
        """recall: share of a phase's true rows that were found; precision: share of the rows found that are true."""
        hits = np.diag(self.confusion)
        true, found = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        columns = {"rows": true, "recall": hits / true.replace(0, np.nan), "precision": hits / found.replace(0, np.nan)}
        return pd.DataFrame(columns).rename_axis("phase")

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "confusion": self.confusion.to_dict(orient="index"),
            "accuracy": self.accuracy,
            "kappa": None if np.isnan(self.kappa) else self.kappa,
            "problems": [*self.problems],
        }


def agreement(
    found: pd.DataFrame, truth: pd.DataFrame, *, on: Sequence[str] = ("customer_id", "period"), phase: str = "phase"
) -> Agreement:
    """Compare phases row by row.

    Parameters
    ----------
    found, truth : DataFrames with the columns of `on` and `phase`
        Rows in one of them only do not count; `problems` tells how many.
    on : columns that name a row in both
    phase : str

    Raises
    ------
    InputError
        For a missing column, or no row in common.

    Examples
    --------
    Two judges agree on 20 + 15 of 50 cases; chance alone gives 0.5:

    >>> cells = [("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15
    >>> one, two = (pd.DataFrame({"case": range(50), "phase": [cell[k] for cell in cells]}) for k in (0, 1))
    >>> round(agreement(two, one, on=["case"]).kappa, 6)
    0.4
    """
    keys = [*on]
    for name, table in {"found": found, "truth": truth}.items():
        missing = [column for column in [*keys, phase] if column not in table.columns]
        if missing:
            raise InputError(f"agreement: {name} has no column {missing[0]!r}; it has {', '.join(map(str, table))}.")
    both = truth[[*keys, phase]].merge(found[[*keys, phase]], on=keys, suffixes=("_true", "_found"))
    if both.empty:
        raise InputError(f"agreement: the two tables have no {' and '.join(keys)} in common.")
    true, seen = both[f"{phase}_true"], both[f"{phase}_found"]
    names = _labels(true, seen)
    confusion = pd.crosstab(true.astype(object), seen.astype(object)).reindex(index=names, columns=names, fill_value=0)
    confusion = confusion.rename_axis(index="true", columns="found").astype(int)
    return Agreement(confusion, *_kappa(confusion.to_numpy() / len(both)), _about(both, found, truth))


def _labels(true: pd.Series, seen: pd.Series) -> list[Any]:
    """Labels that occur on either side, in the order of the categories if there are any."""
    occur = {*true.unique(), *seen.unique()}
    ordered = true if isinstance(true.dtype, pd.CategoricalDtype) else seen
    if isinstance(ordered.dtype, pd.CategoricalDtype) and occur <= {*ordered.cat.categories}:
        return [name for name in ordered.cat.categories if name in occur]
    return sorted(occur)


def _kappa(shares: np.ndarray) -> tuple[float, float]:
    observed = float(np.trace(shares))
    by_chance = float(shares.sum(axis=1) @ shares.sum(axis=0))
    return observed, (observed - by_chance) / (1 - by_chance) if by_chance < 1 else float("nan")


def _about(both: pd.DataFrame, found: pd.DataFrame, truth: pd.DataFrame) -> list[str]:
    said = []
    for name, table in {"found": found, "truth": truth}.items():
        if len(table) > len(both):
            said.append(f"{len(table) - len(both):,} rows of {name} have no partner and were not compared.")
    return said
