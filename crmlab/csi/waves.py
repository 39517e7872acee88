"""From one wave of a survey to the next: has satisfaction moved, or only the sample (chapter 9).

Two waves with different respondents are independent, and their errors add. Where the same people answer twice, what
they have in common cancels, and a smaller change can be seen: with indices x̄₁ and x̄₂ of n₁ and n₂ people, n₁₂ of whom
answered both times with scores correlated by r,

    Var(x̄₂ − x̄₁) = se₁² + se₂² − 2 · r · n₁₂ / √(n₁ n₂) · se₁ se₂            (Kish 1965, section 12.4)

References
----------
Kish, L. (1965). Survey sampling. Wiley.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..results import page
from .comparisons import check, compared

if TYPE_CHECKING:
    import pandas as pd

    from .result import SatisfactionIndex

FEW_TOGETHER = 0.10  # share of the smaller wave: fewer matching ids look like chance, or like changed ids


@dataclass(frozen=True)
class Change:
    """What moved between two waves.

    Attributes
    ----------
    table : DataFrame, index construct: before, after, change, se, ci_lower, ci_upper, z, pvalue, pvalue_adjusted,
        interval
        `change` is after − before in index points; `interval` says whether the intervals hold together or each alone.
    n_before, n_after, n_both : int
        Respondents of each wave, and how many of them are in both, by their ids.
    correlation : Series, index construct
        Of the scores of those in both; nan where nobody is.
    problems : list of str
    """

    table: pd.DataFrame
    n_before: int
    n_after: int
    n_both: int
    correlation: pd.Series
    problems: list[str]

    @property
    def paired(self) -> bool:
        """Whether respondents were recognised in both waves."""
        return self.n_both > 0

    def _repr_html_(self) -> str:
        who = f"{self.n_both} of them in both" if self.paired else "different people"
        heading = f"{self.n_before} respondents before, {self.n_after} after, {who}"
        return page(self.table.round(3).to_html(), heading=heading, problems=self.problems)


def change(before: SatisfactionIndex, after: SatisfactionIndex, *, adjust: str = "holm", level: float = 0.95) -> Change:
    """How far every construct's index moved from one wave to the next, with intervals and tests.

    Each wave is read with its own weights. Where both surveys have an id column, people with the same id are the same
    person, and the comparison is paired as far as they go; otherwise the waves are independent samples.

    Parameters
    ----------
    before, after : SatisfactionIndex
        Of the same constructs, in points from 0 to 100.
    adjust : {"holm", "bonferroni", "none"}
        How p-values and intervals allow for the number of constructs. With "none" look at one construct only, chosen
        before the data came.
    level : float in (0, 1)

    Returns
    -------
    Change

    Raises
    ------
    InputError
        The waves measure different constructs, an id stands twice in a wave, or an option is unknown.

    Examples
    --------
    >>> from crmlab import csi, datasets, Questionnaire
    >>> ecsi, answers = Questionnaire.shipped("ecsi"), datasets.load_mobi()
    >>> first = csi.estimate(ecsi, answers.iloc[:125], bootstrap=100)
    >>> second = csi.estimate(ecsi, answers.iloc[125:], bootstrap=100)
    >>> moved = csi.change(first, second)
    >>> moved.paired, moved.table.loc["Satisfaction", ["before", "after", "change"]].astype(float).round(1).tolist()
    (False, [72.9, 72.1, -0.8])
    """
    check(adjust, level)
    if list(before.index.index) != list(after.index.index):
        raise InputError(
            f"the two waves measure different constructs: {', '.join(before.index.index)} before, "
            f"{', '.join(after.index.index)} after. Compare waves of one questionnaire."
        )
    both = _in_both(before, after)
    n_both = len(both)
    correlation = _correlation(before.scores.loc[both["before"]], after.scores.loc[both["after"]])
    shared = np.nan_to_num(correlation.to_numpy()) * n_both / np.sqrt(before.n * after.n)
    se_before, se_after = before.index["se"].to_numpy(), after.index["se"].to_numpy()
    numbers = {
        "before": before.index["index"].to_numpy(),
        "after": after.index["index"].to_numpy(),
        "change": (after.index["index"] - before.index["index"]).to_numpy(),
        "se": np.sqrt(se_before**2 + se_after**2 - 2 * shared * se_before * se_after),
    }
    table = compared({"construct": list(before.index.index)}, numbers, adjust=adjust, level=level, value="change")
    problems = _problems(before, after, n_both)
    return Change(table.set_index("construct"), before.n, after.n, n_both, correlation, problems)


def _in_both(before: SatisfactionIndex, after: SatisfactionIndex) -> pd.DataFrame:
    """Rows of the people in both waves, as columns before and after."""
    import pandas as pd

    rows = []
    for name, wave in (("before", before), ("after", after)):
        ids = pd.Series(dtype=str) if wave.ids is None else wave.ids.dropna()
        if (twice := ids[ids.duplicated(keep=False)]).size:
            raise InputError(
                f"the wave {name} has the id {twice.iloc[0]} more than once (rows "
                f"{', '.join(map(str, twice.index[twice == twice.iloc[0]]))}), so its people cannot be matched with "
                "the other wave. Correct the ids, or drop the id column to compare independent samples."
            )
        rows.append(pd.Series(ids.index, index=ids.astype(str).to_numpy(), name=name))
    return pd.concat(rows, axis=1, join="inner")


def _correlation(first: pd.DataFrame, second: pd.DataFrame) -> pd.Series:
    """Of each construct's scores in both waves (people in the same order); nan without people or spread."""
    same_people = second.set_axis(first.index)
    spread = (first.std() > 0) & (same_people.std() > 0)
    together = first.loc[:, spread].corrwith(same_people.loc[:, spread])
    return together.reindex(first.columns).rename_axis("construct")


def _problems(before: SatisfactionIndex, after: SatisfactionIndex, n_both: int) -> list[str]:
    found = [
        f"The solution of the wave {name} must not be used, and neither must the change: {wave.refusals[0]}"
        for name, wave in (("before", before), ("after", after))
        if wave.refusals
    ]
    if before.engine != after.engine or before.method["index_weights"] != after.method["index_weights"]:
        found.append(
            f"The waves were weighted in different ways ({before.engine} before, {after.engine} after); part of the "
            "change may come from that alone."
        )
    if list(before.loadings["item"]) != list(after.loadings["item"]):
        found.append("The waves asked different items; part of the change may come from the questions alone.")
    elif not _scales(before).equals(_scales(after)):
        found.append("The waves asked on different scales; part of the change may come from the scales alone.")
    if (before.ids is None) != (after.ids is None):
        found.append("Only one wave has ids, so the waves are compared as independent samples.")
    elif before.ids is not None and n_both < FEW_TOGETHER * min(before.n, after.n):
        found.append(
            f"Only {n_both} ids stand in both waves; if the same people were asked, check that they kept their ids."
        )
    return found


def _scales(wave: SatisfactionIndex) -> pd.DataFrame:
    """Lowest and highest answer to each item."""
    return wave.questionnaire.items.loc[wave.loadings["item"], ["min", "max"]]
