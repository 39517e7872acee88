"""Dividing a sample among strata: equal, proportional, Neyman's and the optimum for unequal costs.

With N_h people, standard deviation S_h and cost c_h in stratum h, the sample n is divided in proportion to 1, N_h,
N_h S_h or N_h S_h/√c_h (Cochran 1977, sections 5.5 to 5.9), within a minimum for each stratum and its population, and
in whole numbers that sum to n.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crmlab.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers = NDArray[np.float64]

_METHODS: dict[str, tuple[tuple[str, ...], Callable[[pd.DataFrame], pd.Series]]] = {
    "equal": ((), lambda strata: strata["population"] * 0 + 1.0),
    "proportional": ((), lambda strata: strata["population"]),
    "neyman": (("sd",), lambda strata: strata["population"] * strata["sd"]),
    "optimum": (("sd", "cost"), lambda strata: strata["population"] * strata["sd"] / np.sqrt(strata["cost"])),
}
_COLUMNS = ("population", "sd", "cost")


def allocate(strata: pd.DataFrame, n: int, *, method: str = "proportional", minimum: int = 2) -> Allocation:
    """Divide a sample of n people among strata.

    Parameters
    ----------
    strata : DataFrame, one row a stratum (the index names it)
        Columns population (people, whole numbers) and, where the method or the precision needs them, sd (standard
        deviation between people of the stratum) and cost (of one answer).
    n : int
        The whole sample.
    method : "equal", "proportional", "neyman" or "optimum"
        The same number in each stratum; the same fraction of each; the smallest variance of the mean for n people; the
        smallest variance for the money spent.
    minimum : int
        At least so many in every stratum; two are needed to estimate a variance, 30 or more to report a stratum.

    Returns
    -------
    Allocation

    Raises
    ------
    InputError
        A column is missing, a number is out of range, or n is too small for the minima or above the population.

    References
    ----------
    Neyman, J. (1934). On the two different aspects of the representative method. Journal of the Royal Statistical
    Society 97, 558–625.

    Examples
    --------
    >>> strata = pd.DataFrame({"population": [600, 300, 100], "sd": [10, 20, 40]}, index=["small", "middle", "large"])
    >>> allocate(strata, 100).table["n"].tolist(), allocate(strata, 100, method="neyman").table["n"].tolist()
    ([60, 30, 10], [38, 37, 25])
    """
    strata = _checked(strata, n, method, minimum)
    highest = strata["population"].to_numpy(dtype=float)
    lowest = np.minimum(minimum, highest)
    _, weight = _METHODS[method]
    wanted = np.asarray(weight(strata), dtype=float)
    whole = _rounded(_bounded(wanted, n, lowest, highest), n, highest)
    table = strata.assign(
        n=whole,
        share=whole / n,
        fraction=whole / strata["population"],
        weight=strata["population"] / whole,
    )
    return Allocation(table, method, minimum, _problems(table, n * wanted / wanted.sum(), minimum))


@dataclass(frozen=True)
class Allocation:
    """A sample divided among strata.

    Attributes
    ----------
    table : DataFrame, index stratum
        population, sd and cost as given, n, share (of the sample), fraction (of the stratum that is asked), weight
        (people for whom one respondent stands, N_h/n_h).
    method : str
    minimum : int
    problems : list of str
    """

    table: pd.DataFrame
    method: str
    minimum: int
    problems: list[str]

    @property
    def n(self) -> int:
        """The whole sample."""
        return int(self.table["n"].sum())

    @property
    def standard_error(self) -> float:
        """Of the mean over all people, each stratum weighted by its population: √(Σ W_h² S_h² (1 − n_h/N_h)/n_h).

        Raises
        ------
        InputError
            Without a column sd.
        """
        if "sd" not in self.table:
            raise InputError("strata: found no column sd; expected the standard deviation of each stratum. Add it.")
        table = self.table
        share = table["population"] / table["population"].sum()
        return math.sqrt((share**2 * table["sd"] ** 2 * (1 - table["fraction"]) / table["n"]).sum())

    def margin(self, level: float = 0.95) -> float:
        """z standard errors of the mean."""
        return NormalDist().inv_cdf((1 + level) / 2) * self.standard_error

    @property
    def weighting_effect(self) -> float:
        """What unequal weights cost where strata do not differ: n Σw²/(Σw)², 1 for equal weights (Kish 1965, 11.7)."""
        weights, sizes = self.table["weight"], self.table["n"]
        return float(sizes.sum() * (sizes * weights**2).sum() / (sizes * weights).sum() ** 2)

    @property
    def total_cost(self) -> float:
        """Cost of all answers; nan without a column cost."""
        return float((self.table["n"] * self.table["cost"]).sum()) if "cost" in self.table else math.nan

    def plot(self, language: str = "en", ax: Axes | None = None) -> Axes:
        """Bars of each stratum's share of the people and of the sample."""
        from crmlab.plots.sampling import allocation_bars

        return allocation_bars(self.table, method=self.method, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        strata = {str(name): row.to_dict() for name, row in self.table.iterrows()}
        return {"method": self.method, "n": self.n, "strata": strata, "problems": self.problems}

    def _repr_html_(self) -> str:
        return f"<p><strong>{self.n} respondents, {self.method} allocation</strong></p>{self.table.to_html()}"


def _checked(strata: pd.DataFrame, n: int, method: str, minimum: int) -> pd.DataFrame:
    if method not in _METHODS:
        raise InputError(f"method: found {method!r}; expected one of {', '.join(_METHODS)}. Choose one of them.")
    needed = ("population", *_METHODS[method][0])
    missing = [column for column in needed if column not in strata]
    if missing or strata.empty:
        found = f"no column {', '.join(missing)}" if missing else "no stratum"
        raise InputError(f"strata: found {found}; {method} allocation needs {', '.join(needed)}. Add what is missing.")
    strata = strata[[column for column in _COLUMNS if column in strata]].rename_axis(index="stratum")
    for column in strata:
        wrong = strata[column][~(strata[column] > 0) | ~np.isfinite(strata[column])]
        if len(wrong):
            found = f"{wrong.iloc[0]} in stratum {wrong.index[0]}"
            raise InputError(f"strata, column {column}: found {found}; expected numbers above 0. Correct it.")
    people, least = int(strata["population"].sum()), int(np.minimum(minimum, strata["population"]).sum())
    if minimum < 1:
        raise InputError(f"minimum: found {minimum}; expected 1 or more in each stratum. Correct it.")
    if not least <= n <= people:
        raise InputError(
            f"n: found {n}; {len(strata)} strata with at least {minimum} each need {least} or more, and there are "
            f"{people} people. Change n or the minimum."
        )
    return strata


def _bounded(weights: Numbers, n: int, lowest: Numbers, highest: Numbers) -> Numbers:
    """Shares of n in proportion to the weights, but within bounds: clip(λw, lowest, highest) with the λ that gives n.

    The sum grows with λ in straight lines between the values at which a stratum meets a bound: λ is read off them.
    """
    turns = np.unique(np.concatenate([lowest / weights, highest / weights]))
    sums = np.clip(turns[:, None] * weights, lowest, highest).sum(axis=1)
    return np.clip(np.interp(n, sums, turns) * weights, lowest, highest)


def _rounded(exact: Numbers, n: int, highest: Numbers) -> NDArray[np.int64]:
    """Whole numbers that sum to n: the largest remainders are rounded up, the earlier stratum first where they tie."""
    whole = np.floor(exact + 1e-9)
    remainder = np.where(whole < highest, exact - whole, -np.inf)
    upwards = np.argsort(-remainder, kind="stable")[: n - int(whole.sum())]
    whole[upwards] += 1
    return whole.astype(np.int64)


def _problems(table: pd.DataFrame, ideal: Numbers, minimum: int) -> list[str]:
    said = []
    raised = [str(name) for name, wish in zip(table.index, ideal, strict=True) if wish < minimum - 0.5]
    if raised:
        said.append(
            f"The minimum of {minimum} raises {', '.join(raised)} above its share: use the weights for any figure "
            "about all people."
        )
    census = [str(name) for name in table.index[table["n"] == table["population"]]]
    if census:
        said.append(f"Everybody is asked in {', '.join(census)}: nobody there is left to replace who does not answer.")
    single = [str(name) for name in table.index[(table["n"] == 1) & (table["population"] > 1)]]
    if single:
        said.append(f"A single respondent in {', '.join(single)}: no variance can be estimated. Ask two or more.")
    heaviest = table["weight"].max() / table["weight"].min()
    if heaviest > 10:
        said.append(
            f"One respondent weighs up to {heaviest:.0f} times as much as another: a few answers decide the figure "
            "about all people. Ask more where the weights are large."
        )
    return said
