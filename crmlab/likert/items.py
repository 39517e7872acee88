"""Item analysis 项目分析: location, spread, shape, ends of the scale, fit into the construct (chapter 7).

References
----------
Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika 16, 297–334.
Nunnally, J. C. & Bernstein, I. H. (1994). Psychometric theory, 3rd ed. McGraw-Hill.
Terwee, C. B. et al. (2007). Quality criteria were proposed for measurement properties of health status questionnaires.
Journal of Clinical Epidemiology 60, 34–42.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.likert.battery import Battery, Items, Scale, records
from crmlab.likert.shares import DETRACTOR, NPS_SCALE, PROMOTER
from crmlab.sem.reliability import alpha_of

if TYPE_CHECKING:
    from crmlab.responses import Responses

AT_THE_END = 0.15  # Terwee et al. (2007): more than 15 % at one end is a floor or ceiling effect
WEAK_ITEM = 0.30  # Nunnally & Bernstein (1994): a corrected item–total correlation below it adds little
ALPHA_GAIN = 0.01


@dataclass(frozen=True, eq=False)
class ItemAnalysis:
    """Facts about each item.

    Attributes
    ----------
    table : DataFrame, index item
        construct; n, missing (don't know included); mean, sd (divisor n − 1), skew, kurtosis (the bias-corrected G1 and
        G2, 0 for a normal variable); floor, ceiling (shares at the lowest and highest point); top2box (share); nps
        (−100 to 100, only where the scale is 0 to 10); item_total (correlation with the sum of the construct's other
        items); alpha_if_dropped. The last two use respondents who answered the whole construct, and are nan where the
        construct has a single item (alpha also where it has two).
    alpha : Series, index construct
        Of the same respondents.
    problems : list of str
    """

    table: pd.DataFrame
    alpha: pd.Series
    problems: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        alpha = {name: None if np.isnan(value) else float(value) for name, value in self.alpha.items()}
        return {"items": records(self.table.reset_index()), "alpha": alpha, "problems": list(self.problems)}

    def _repr_html_(self) -> str:
        return self.table.round(3).to_html()


def item_analysis(
    data: pd.DataFrame | Responses,
    items: Items,
    *,
    scale: Scale | None = None,
    dont_know: Sequence[float] = (),
) -> ItemAnalysis:
    """Location, spread, shape and ends of each item, and how it fits its construct.

    Parameters
    ----------
    data : DataFrame or Responses
    items, scale
        As for `Battery.of`; items without a construct have no item–total correlation.
    dont_know : sequence of numbers
        Codes that are no answer.

    Returns
    -------
    ItemAnalysis

    Raises
    ------
    InputError
        A missing column, text, an answer off the scale.

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [1, 2, 3, 4, 5, 5], "b": [1, 3, 3, 5, 4, 5], "c": [2, 1, 4, 4, 5, 4]})
    >>> found = item_analysis(answers, {"Value": ["a", "b", "c"]}, scale=(1, 5))
    >>> found.table[["mean", "top2box", "item_total", "alpha_if_dropped"]].round(2).loc["a"].tolist()
    [3.33, 0.5, 0.96, 0.76]
    """
    battery = Battery.of(items, scale)
    values = battery.read(data, dont_know=dont_know)
    values = values.mask(values.isin(list(dont_know)))
    low, high, n = battery.table["min"], battery.table["max"], values.notna().sum()

    def share(where: pd.DataFrame) -> pd.Series:
        return where.sum() / n.where(n > 0)

    promoted = 100 * (share(values >= PROMOTER) - share(values <= DETRACTOR))
    table = pd.DataFrame(
        {
            "construct": battery.table["construct"],
            "n": n,
            "missing": len(values) - n,
            "mean": values.mean(),
            "sd": values.std(),
            "skew": values.skew(),
            "kurtosis": values.kurt(),
            "floor": share(values == low),
            "ceiling": share(values == high),
            "top2box": share(values > high - 2),
            "nps": promoted.where((low == NPS_SCALE[0]) & (high == NPS_SCALE[1])),
        }
    ).rename_axis("item")
    fits = [_within(values[block], construct) for construct, block in battery.blocks.items()]
    fit = (
        pd.concat([found for found, _, _ in fits]) if fits else pd.DataFrame(columns=["item_total", "alpha_if_dropped"])
    )
    table = table.join(fit.astype(float))
    alpha = pd.Series({name: value for _, name, value in ((f, c, a) for f, c, a in fits)}, dtype=float, name="alpha")
    return ItemAnalysis(table, alpha.rename_axis("construct"), _problems(table, alpha, values, battery))


def _within(block: pd.DataFrame, construct: str) -> tuple[pd.DataFrame, str, float]:
    """Corrected item–total correlations and alpha without each item, from the covariances of complete answers."""
    complete = block.dropna()
    k = block.shape[1]
    if k == 1 or len(complete) < 3:
        nothing = pd.DataFrame(np.nan, index=block.columns, columns=["item_total", "alpha_if_dropped"])
        return nothing, construct, np.nan
    cov = complete.cov().to_numpy()
    rest, variance = cov.sum(axis=0) - np.diagonal(cov), np.diagonal(cov)
    rest_variance = cov.sum() - 2 * cov.sum(axis=0) + variance
    with np.errstate(invalid="ignore", divide="ignore"):
        total = rest / np.sqrt(variance * rest_variance)
        without = [float(alpha_of(np.delete(np.delete(cov, i, 0), i, 1)[None])[0]) for i in range(k)]
        alpha = float(alpha_of(cov[None])[0])
    return pd.DataFrame({"item_total": total, "alpha_if_dropped": without}, index=block.columns), construct, alpha


def _problems(table: pd.DataFrame, alpha: pd.Series, values: pd.DataFrame, battery: Battery) -> list[str]:
    own = table["construct"].map(alpha).astype(float)
    rules = (
        (table["n"] == 0, "nobody answered"),
        (table["sd"] == 0, "everybody gave the same answer, so the item cannot tell respondents apart"),
        (
            table["ceiling"] > AT_THE_END,
            "more than 15 % give the highest answer (ceiling effect): improvement at the top cannot show",
        ),
        (table["floor"] > AT_THE_END, "more than 15 % give the lowest answer (floor effect)"),
        (
            table["item_total"] < 0,
            "correlates negatively with the rest of its construct; see reverse_keyed before anything else",
        ),
        (
            table["item_total"].between(0, WEAK_ITEM, inclusive="left"),
            f"correlates below {WEAK_ITEM:.2f} with the rest of its construct and adds little to it",
        ),
        (
            table["alpha_if_dropped"] > own + ALPHA_GAIN,
            "alpha would rise without it; drop it only if the construct keeps its meaning",
        ),
    )
    problems = []
    for applies, words in rules:
        named = table.index[applies].tolist()
        if named:
            problems.append(f"{', '.join(named)}: {words}.")
    for construct, block in battery.blocks.items():
        incomplete = int((values[block].isna().any(axis=1) & values[block].notna().any(axis=1)).sum())
        if incomplete:
            problems.append(
                f"{construct}: {incomplete} respondents answered only part of the items; item–total and alpha are "
                f"from the {len(values[block].dropna())} who answered all."
            )
    return problems
