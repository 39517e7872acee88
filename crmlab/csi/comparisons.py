"""Which groups really differ: differences of indices with intervals, corrected for how many are looked at (chapter 9).

Ten branches make 45 pairs; at the 5 % level two or three of them differ by chance alone. Holm's correction keeps the
probability of even one false alarm at the level, and never finds less than Bonferroni's.

References
----------
Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 65–70.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..likert.gaps import holm

if TYPE_CHECKING:
    import pandas as pd

    from ..sem.moments import Array

ADJUSTMENTS = ("holm", "bonferroni", "none")
SIMULTANEOUS, POINTWISE = "simultaneous (Bonferroni)", "each for itself"
_NEEDED = ("index", "se")


def differences(table: pd.DataFrame, *, adjust: str = "holm", level: float = 0.95) -> pd.DataFrame:
    """Compare every two of several independent groups: branches, companies, or waves with different respondents.

    For groups that one `csi.estimate(by=...)` measured with common weights, use `SatisfactionIndex.group_differences`:
    their indices are not independent.

    Parameters
    ----------
    table : DataFrame
        One row per group with the columns `index` (0–100) and `se`, and `group` as a column or as the index; as
        `SatisfactionIndices.headline` is. Further columns are not looked at.
    adjust : {"holm", "bonferroni", "none"}
        How p-values allow for the number of pairs.
    level : float in (0, 1)
        Confidence level: of all intervals together with "holm" and "bonferroni", of each alone with "none".

    Returns
    -------
    DataFrame, one row per pair in the table's order
        group_a, group_b; difference (index of a − index of b, in points); se; ci_lower, ci_upper; z; pvalue (two-sided,
        normal); pvalue_adjusted; interval, which says what the interval holds: "simultaneous (Bonferroni)" or "each for
        itself". A group without a number gives nan and is not counted among the pairs.

    Raises
    ------
    InputError
        A column is missing, a group stands there twice, a standard error is negative, or an option is unknown.

    Notes
    -----
    Holm's procedure steps through the p-values and has no simultaneous intervals as simple as its tests. With
    adjust="holm" the intervals are Bonferroni's: a little wide, so that now and then one contains 0 although the
    adjusted p-value lies below 1 − level.

    Examples
    --------
    >>> import pandas as pd
    >>> branches = pd.DataFrame({"group": ["A", "B", "C"], "index": [78.0, 72.0, 71.0], "se": [1.2, 1.6, 1.5]})
    >>> table = differences(branches)
    >>> table.round({"difference": 1, "se": 1, "ci_lower": 1, "ci_upper": 1}).iloc[:, :6]
      group_a group_b  difference   se  ci_lower  ci_upper
    0       A       B         6.0  2.0       1.2      10.8
    1       A       C         7.0  1.9       2.4      11.6
    2       B       C         1.0  2.2      -4.3       6.3
    >>> table["pvalue_adjusted"].round(3).tolist()
    [0.005, 0.001, 0.648]
    """
    check(adjust, level)
    if "group" not in table.columns:
        table = table.rename_axis("group").reset_index()
    if absent := [name for name in _NEEDED if name not in table.columns]:
        raise InputError(
            f"the table of groups lacks the column {', '.join(absent)}; it has {', '.join(map(str, table.columns))}. "
            "Give one row per group with group, index and se, such as SatisfactionIndices.headline."
        )
    names = table["group"].astype(str).tolist()
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            f"group {', '.join(twice)} stands in the table more than once; give one row per group (of one construct)."
        )
    index, se = (table[name].to_numpy(dtype=float) for name in _NEEDED)
    if negative := [name for name, value in zip(names, se, strict=True) if value < 0]:
        raise InputError(f"the standard error of group {', '.join(negative)} is negative; se must be 0 or more.")
    a, b = np.triu_indices(len(names), 1)
    return compared(
        {"group_a": [names[i] for i in a], "group_b": [names[i] for i in b]},
        {"difference": index[a] - index[b], "se": np.hypot(se[a], se[b])},
        adjust=adjust,
        level=level,
    )


def check(adjust: str, level: float) -> None:
    """Raise `InputError` for an unknown adjustment or a level outside (0, 1)."""
    if adjust not in ADJUSTMENTS:
        raise InputError(f"adjust {adjust!r} is unknown; choose one of {', '.join(ADJUSTMENTS)}.")
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, found {level}.")


def of_draws(draws: pd.DataFrame, estimates: Array, *, adjust: str, level: float) -> pd.DataFrame:
    """As `differences`, for groups whose draws (resamples × groups) come from the same resamples.

    The error of a difference is the standard deviation of its draws, so what the groups have in common, such as the
    weights, cancels as it should. Without draws, as of a refused solution, it is nan.
    """
    check(adjust, level)
    a, b = np.triu_indices(draws.shape[1], 1)
    names, values = draws.columns, draws.to_numpy()
    apart = values[:, a] - values[:, b]
    return compared(
        {"group_a": [*names[a]], "group_b": [*names[b]]},
        {
            "difference": estimates[a] - estimates[b],
            "se": apart.std(axis=0, ddof=1) if len(apart) > 1 else np.full(len(a), np.nan),
        },
        adjust=adjust,
        level=level,
    )


def compared(
    keys: dict[str, list[str]], numbers: dict[str, Array], *, adjust: str, level: float, value: str = "difference"
) -> pd.DataFrame:
    """Intervals and tests of differences with their standard errors: `numbers` holds them as `value` and "se"."""
    import pandas as pd
    from scipy.special import ndtr, ndtri

    table = pd.DataFrame(keys | numbers)
    z = table[value] / table["se"].where(table["se"] > 0)
    pvalue = pd.Series(2 * ndtr(-z.abs()), index=table.index)
    tested = pvalue.notna().sum()
    together = tested if adjust != "none" else 1
    reach = ndtri(1 - (1 - level) / (2 * max(together, 1))) * table["se"]
    adjusted = {
        "holm": lambda: holm(pvalue),
        "bonferroni": lambda: (pvalue * tested).clip(upper=1),
        "none": lambda: pvalue,
    }[adjust]()
    return table.assign(
        ci_lower=table[value] - reach,
        ci_upper=table[value] + reach,
        z=z,
        pvalue=pvalue,
        pvalue_adjusted=adjusted,
        interval=POINTWISE if adjust == "none" else SIMULTANEOUS,
    )
