"""Loyalty as behaviour 行为, intention 意向 and affect 情感: three measures that need not agree (chapter 10, row E8).

References
----------
Bonett, D. G. & Wright, T. A. (2000). Sample size requirements for estimating Pearson, Kendall and Spearman
correlations. Psychometrika 65, 23–28.
Fisher, R. A. (1921). On the "probable error" of a coefficient of correlation deduced from a small sample. Metron 1,
3–32.
Gremler, D. D. & Brown, S. W. (1996). Service loyalty: its nature, importance, and implications. In B. Edvardsson et al.
(eds.), Advancing service quality: a global perspective, 171–180. ISQA.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.grading import agreement
from crmlab.likert import share_interval
from crmlab.loyalty.inputs import check_level, check_thresholds, measured, worded
from crmlab.results import page, records

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Below this correlation two measures are said to be about different things.
WEAK = 0.5


@dataclass(frozen=True, eq=False)
class LoyaltyMeasures:
    """Three measures of loyalty side by side.

    Attributes
    ----------
    pairs : DataFrame: first, second, n, pearson, ci_lower, ci_upper, spearman, spearman_ci_lower, spearman_ci_upper,
        agree, kappa, kappa_ci_lower, kappa_ci_upper
        Correlations with Fisher's interval (Bonett & Wright's for Spearman); agree is the share of customers whom both
        call loyal or both not, kappa Cohen's, beyond chance. kappa is missing where one measure has one class only.
    patterns : DataFrame: behaviour, intention, affect ("high" or "low"), n, share, ci_lower, ci_upper
        The eight combinations, among customers with all three.
    unanimous : Series: share, ci_lower, ci_upper
        Customers on whom all three agree.
    thresholds : Series
        Where high begins.
    n : int
        Customers with all three.
    level : float
    problems : list of str
    """

    pairs: pd.DataFrame
    patterns: pd.DataFrame
    unanimous: pd.Series
    thresholds: pd.Series
    n: int
    level: float
    problems: list[str]

    def plot(self, language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Draw the shares of the eight combinations."""
        from crmlab.plots.loyalty import pattern_bars

        return pattern_bars(self.patterns, level=self.level, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "n": self.n,
            "thresholds": {str(name): float(value) for name, value in self.thresholds.items()},
            "pairs": records(self.pairs),
            "patterns": records(self.patterns),
            "unanimous": {str(name): float(value) for name, value in self.unanimous.items()},
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        tables = (self.pairs, self.patterns)
        return page(*(table.round(3).to_html(index=False) for table in tables), problems=self.problems)


def gremler_brown(
    behaviour: Any,
    intention: Any,
    affect: Any,
    *,
    thresholds: tuple[float | None, float | None, float | None] = (None, None, None),
    level: float = 0.95,
) -> LoyaltyMeasures:
    """Behaviour, intention and affect of the same customers: how they correlate, and whom each calls loyal.

    Parameters
    ----------
    behaviour, intention, affect : Series or sequences of numbers, (n,) each
    thresholds : (behaviour, intention, affect)
        Where high begins; None takes the median of the customers with all three. A value equal to it is high.
    level : float in (0, 1)

    Returns
    -------
    LoyaltyMeasures

    Raises
    ------
    InputError
        Different customers, text, fewer than 4 customers with all three, a measure that never varies.

    Examples
    --------
    >>> found = gremler_brown([1, 2, 8, 9, 9], [20, 40, 50, 90, 80], [60, 20, 30, 90, 80], thresholds=(5, 50, 50))
    >>> found.pairs[["first", "second", "agree"]].to_numpy().tolist()
    [['behaviour', 'intention', 1.0], ['behaviour', 'affect', 0.6], ['intention', 'affect', 0.6]]
    """
    check_level("gremler_brown", level)
    check_thresholds("gremler_brown", thresholds, ("behaviour", "intention", "affect"))
    given = measured("gremler_brown", {"behaviour": behaviour, "intention": intention, "affect": affect})
    table = given.dropna()
    if len(table) < 4:
        have = worded(len(table), "customer has", "customers have")
        raise InputError(f"gremler_brown: {len(table)} {have} all three measures; expected at least 4.")
    for name in table.columns[table.min() == table.max()]:
        raise InputError(f"gremler_brown: {name} is {table[name].iloc[0]:g} for everybody; it can agree with nothing.")
    chosen = dict(zip(table.columns, thresholds, strict=True))
    limits = pd.Series({name: float(table[name].median() if of is None else of) for name, of in chosen.items()})
    high = table >= limits
    pairs = pd.DataFrame([_pair(table, high, first, second, level) for first, second in combinations(table.columns, 2)])
    patterns, unanimous = _patterns(high, level)
    told = _problems(len(given) - len(table), [name for name, of in chosen.items() if of is None], pairs, unanimous)
    return LoyaltyMeasures(pairs, patterns, unanimous, limits.rename("threshold"), len(table), level, told)


def _pair(table: pd.DataFrame, high: pd.DataFrame, first: str, second: str, level: float) -> dict[str, Any]:
    n = len(table)
    pearson = float(table[first].corr(table[second]))
    spearman = float(table[first].corr(table[second], method="spearman"))
    words = {name: ["high" if of else "low" for of in high[name]] for name in (first, second)}
    row: dict[str, Any] = {"first": first, "second": second, "n": n, "pearson": pearson}
    row["ci_lower"], row["ci_upper"] = _fisher(pearson, 1 / (n - 3), level)
    row["spearman"] = spearman
    row["spearman_ci_lower"], row["spearman_ci_upper"] = _fisher(spearman, (1 + spearman**2 / 2) / (n - 3), level)
    row["agree"] = float((high[first] == high[second]).mean())
    try:
        found = agreement(words[first], words[second], order=["high", "low"], weights="none", level=level)
    except InputError:  # both name one class only, so chance alone agrees
        return {**row, **dict.fromkeys(("kappa", "kappa_ci_lower", "kappa_ci_upper"), float("nan"))}
    return {**row, "kappa": found.kappa, "kappa_ci_lower": found.ci_lower, "kappa_ci_upper": found.ci_upper}


def _fisher(r: float, variance: float, level: float) -> tuple[float, float]:
    """tanh(artanh r ± z·se)."""
    from scipy.special import ndtri

    reach = ndtri((1 + level) / 2) * variance**0.5
    centre = np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15))
    return float(np.tanh(centre - reach)), float(np.tanh(centre + reach))


def _patterns(high: pd.DataFrame, level: float) -> tuple[pd.DataFrame, pd.Series]:
    words = high.replace({True: "high", False: "low"})
    every = pd.MultiIndex.from_product([["high", "low"]] * 3, names=list(high.columns))
    counts = words.value_counts().reindex(every, fill_value=0)
    lower, upper = share_interval(counts, len(high), level=level)
    shares = {"n": counts.to_numpy(), "share": counts.to_numpy() / len(high), "ci_lower": lower, "ci_upper": upper}
    same = int((high.all(axis=1) | ~high.any(axis=1)).sum())
    low, up = share_interval(same, len(high), level=level)
    unanimous = pd.Series({"share": same / len(high), "ci_lower": float(low), "ci_upper": float(up)}, name="unanimous")
    return pd.concat([every.to_frame(index=False), pd.DataFrame(shares)], axis=1), unanimous


def _problems(dropped: int, medians: list[str], pairs: pd.DataFrame, unanimous: pd.Series) -> list[str]:
    told = []
    if dropped:
        lack, are = worded(dropped, "customer lacks", "customers lack"), worded(dropped, "is", "are")
        told.append(f"{dropped:,} {lack} one of the three measures and {are} left out.")
    if medians:
        told.append(f"{', '.join(medians)}: high begins at the median, which is a choice and not a law.")
    weak = [f"{row['first']} and {row['second']}" for row in pairs.to_dict("records") if row["ci_upper"] < WEAK]
    if weak:
        told.append(
            f"{'; '.join(weak)}: the correlation is below {WEAK:g} by more than chance. These are not two ways to "
            "measure one thing; say which of them you mean by loyalty."
        )
    if unanimous["share"] < 0.5:
        told.append("On most customers the three measures do not agree.")
    return told
