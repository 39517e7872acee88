"""Does a grade say anything about later revenue? Means, lifts and steps between grades, with intervals (chapter 5).

The lift of a grade is the mean of its customers over the mean of all, R = m_g / m. Both means come from the same
customers, so the standard error is that of a ratio: the mean square of its influence function
ψ_i = 1(i in g)(y_i − m_g)/(p_g m) − m_g (y_i − m)/m², over n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError
from crmlab.rules.axes import numbers

if TYPE_CHECKING:
    import pandas as pd

#: Fewer customers than this make a grade's interval a rough guess.
FEW = 30


@dataclass(frozen=True, eq=False)
class BackTest:
    """A grade against what its customers did later.

    Attributes
    ----------
    table : DataFrame, index grade, best first: n, share (of customers), mean, ci_lower, ci_upper, lift, lift_lower,
        lift_upper, share_of_total (of the later revenue). A grade of one customer has no intervals.
    steps : DataFrame, a row per pair of neighbouring grades: better, worse, difference (of the means), ci_lower,
        ci_upper, verdict ("better", "not shown" or "worse").
    level : of the intervals.
    problems : sentences.
    """

    table: pd.DataFrame
    steps: pd.DataFrame
    level: float
    problems: list[str]

    @property
    def monotone(self) -> bool:
        """No grade has a higher mean than the one above it."""
        return bool((self.steps["difference"] >= 0).all())

    def to_dict(self) -> dict[str, Any]:
        """The tables, ready for JSON."""
        return {"table": self.table.to_dict("index"), "steps": self.steps.to_dict("records"),
                "monotone": self.monotone, "level": self.level, "problems": [*self.problems]}  # fmt: skip

    def plot(self, **options: Any) -> Any:
        """Mean later revenue by grade: see `crmlab.plots.grading.back_test`."""
        from crmlab.plots.grading import back_test

        return back_test(self.table, level=self.level, **options)


def backtest(
    grades: pd.Series, later: pd.Series, *, order: Sequence[Any] | None = None, level: float = 0.95
) -> BackTest:
    """Compare grades with what the customers brought later.

    Parameters
    ----------
    grades : Series of grades given *before* the period of `later`.
    later : Series with the same index; revenue (or another measure, more is better), 0 for who did not return.
    order : grades from best to worst; default the categories of `grades`.
    level : of the intervals.

    Raises
    ------
    InputError
        For different indexes, values that are missing or infinite, grades not in the order, fewer than two grades
        with customers, or a mean of 0 or less over all customers, to which no lift can refer.

    Examples
    --------
    >>> import pandas as pd
    >>> found = backtest(pd.Series(list("AABB")), pd.Series([30.0, 20.0, 0.0, 10.0]), order="AB")
    >>> found.table[["mean", "lift"]].round(2).to_dict("index")
    {'A': {'mean': 25.0, 'lift': 1.67}, 'B': {'mean': 5.0, 'lift': 0.33}}
    >>> found.monotone
    True
    """
    import pandas as pd
    from scipy.stats import norm

    names, codes, values, left_out = _aligned(grades, later, order)
    n, total = len(values), float(values.sum())
    mean = total / n
    if not 0 < level < 1:
        raise InputError(f"backtest: level is {level}; expected a number between 0 and 1, such as 0.95.")
    if not mean > 0:
        raise InputError(f"backtest: the mean of later is {mean:g}; a lift needs a mean above 0.")
    size = np.bincount(codes, minlength=len(names))
    present = size > 0
    means = np.bincount(codes, values, len(names))[present] / size[present]
    names, size = [name for name, there in zip(names, present, strict=True) if there], size[present]
    codes = (np.cumsum(present) - 1)[codes]
    if len(names) < 2:
        raise InputError(f"backtest: all customers have the grade {names[0]}; expected at least two grades.")
    z = float(norm.ppf((1 + level) / 2))
    variance = np.bincount(codes, (values - means[codes]) ** 2) / np.maximum(size - 1, 1)
    # One customer says nothing about how far customers of the grade differ.
    se, lift = np.where(size > 1, np.sqrt(variance / size), np.nan), means / mean
    reach = np.where(size > 1, z * _lift_se(values, size, means, variance), np.nan)
    table = pd.DataFrame(
        {"n": size, "share": size / n, "mean": means, "ci_lower": means - z * se, "ci_upper": means + z * se,
         "lift": lift, "lift_lower": lift - reach, "lift_upper": lift + reach, "share_of_total": means * size / total},
        index=pd.Index(names, name="grade"),
    )  # fmt: skip
    steps = _steps(names, means, se, z)
    return BackTest(table, steps, level, _problems(table, steps, left_out))


def _aligned(grades: Any, later: Any, order: Sequence[Any] | None) -> tuple[list[Any], np.ndarray, np.ndarray, int]:
    import pandas as pd

    if not grades.index.equals(later.index):
        raise InputError("backtest: grades and later have different indexes; bring one into the order of the other.")
    if order is None and not isinstance(grades.dtype, pd.CategoricalDtype):
        raise InputError("backtest: the grades have no order; give order, from best to worst.")
    names = [*(grades.cat.categories if order is None else order)]
    if len(set(names)) < len(names):
        raise InputError(f"backtest: the order {names} names a grade twice; give each grade once.")
    odd = grades.dropna()[~grades.dropna().isin(names)]
    if len(odd):
        raise InputError(f"backtest: the grade {odd.iloc[0]!r} is not in the order {names}; add it.")
    values = numbers(later)
    faulty = ~np.isfinite(values)
    if faulty.any():
        raise InputError(
            f"backtest: later has {int(faulty.sum())} values that are no number, first in row "
            f"{later.index[faulty][0]}; expected 0 for customers who did not return."
        )
    codes = pd.Categorical(grades, categories=names).codes
    graded = codes >= 0
    if not graded.any():
        raise InputError("backtest: no customer has a grade; expected at least two grades.")
    return names, codes[graded].astype(int), values[graded], int((~graded).sum())


def _lift_se(values: np.ndarray, size: np.ndarray, means: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """The mean square of ψ, put together from sums by grade.

    Inside g the deviation from the grade's mean enters with a = 1/(p m) − R/m, outside with −R/m; the means of the
    grades around the overall mean add R²/m² times their variance.
    """
    n, mean = size.sum(), float(values.mean())
    p, lift = size / n, means / mean
    within = variance * p
    between = float((p * (means - mean) ** 2).sum())
    own = within * ((1 / p - lift) / mean) ** 2
    others = (within.sum() - within) * (lift / mean) ** 2
    return np.sqrt((own + others + between * (lift / mean) ** 2) / n)


def _steps(names: list[Any], means: np.ndarray, se: np.ndarray, z: float) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for better, worse in pairwise(range(len(names))):
        difference, reach = means[better] - means[worse], z * float(np.hypot(se[better], se[worse]))
        verdict = "better" if difference - reach > 0 else "worse" if difference + reach < 0 else "not shown"
        rows.append((names[better], names[worse], difference, difference - reach, difference + reach, verdict))
    return pd.DataFrame(rows, columns=["better", "worse", "difference", "ci_lower", "ci_upper", "verdict"])


def _problems(table: pd.DataFrame, steps: pd.DataFrame, left_out: int) -> list[str]:
    said = [
        f"Grade {row['better']} did worse than {row['worse']} later, by more than chance: the grades are out of order."
        if row["verdict"] == "worse"
        else f"That grade {row['better']} does better than {row['worse']} is not shown: "
        + (
            f"the interval of the difference, {row['ci_lower']:.4g} to {row['ci_upper']:.4g}, holds 0."
            if row["ci_lower"] == row["ci_lower"]
            else "with one customer in a grade the difference has no interval."
        )
        for row in steps.to_dict("records")
        if row["verdict"] != "better"
    ]
    few = table[table["n"] < FEW]
    if len(few):
        said.append(
            f"Fewer than {FEW} customers have the grade {', '.join(map(str, few.index))}: the intervals are rough."
        )
    if left_out:
        said.append(f"{left_out:,} customers without a grade are left out.")
    return said
