"""How the answers to each item are distributed: counts, shares, what is missing, by group (chapter 7).

A level that nobody chose keeps its row; "don't know" and missing answers are counted apart and are no part of shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.likert.battery import Battery, Items, Scale
from crmlab.likert.shares import groups_of
from crmlab.results import page, records

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from crmlab.responses import Responses

MANY_DONT_KNOW = 0.10  # share of those asked
FEW = 10  # answers


@dataclass(frozen=True, eq=False)
class Distribution:
    """Distributions of a battery of items.

    Attributes
    ----------
    counts : DataFrame: group, item, answer, count, share
        A row for every level of the scale; shares 0–1 of the answers given. Without groups, `group` is "".
    summary : DataFrame: group, item, asked, answered, dont_know, missing, mean, bottom, neutral, top, unused
        bottom, neutral, top are shares: answers below, at and above the middle of the scale (neutral nan where an even
        number of points has none), top the highest `n_top` points; unused the levels nobody chose, as text.
    n_top : int
    by : str or None
    battery : Battery
    problems : list of str
    """

    counts: pd.DataFrame
    summary: pd.DataFrame
    n_top: int
    by: str | None
    battery: Battery
    problems: list[str]

    def shares(self) -> pd.DataFrame:
        """Shares as a table, rows (group, item), columns the levels."""
        wide = self.counts.pivot(index=["group", "item"], columns="answer", values="share")
        order = pd.MultiIndex.from_frame(self.summary[["group", "item"]])
        return wide.reindex(order) if self.by is not None else wide.reindex(order).droplevel("group")

    def ordered(self, order: str = "mean") -> pd.DataFrame:
        """`summary` with the items in order: "mean" or "top" of all groups together, highest first, or "asked"."""
        if order not in ("mean", "top", "asked"):
            raise InputError(f"order {order!r} is unknown; choose one of mean, top, asked.")
        if order == "asked":
            return self.summary
        answered = self.summary["answered"]
        weighted = (self.summary[order] * answered).groupby(self.summary["item"]).sum()
        rank = (weighted / answered.groupby(self.summary["item"]).sum()).rank(ascending=False, method="first")
        return self.summary.assign(_rank=self.summary["item"].map(rank)).sort_values(
            ["_rank", "group"], kind="stable", ignore_index=True
        ).drop(columns="_rank")  # fmt: skip

    def plot(
        self,
        kind: str = "diverging",
        *,
        neutral: str = "split",
        order: str = "mean",
        language: str = "en",
        levels: dict[float, str] | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw diverging stacked bars ("diverging") or a heat map ("heat"); see `crmlab.plots.likert`.

        `neutral` is "split", "aside" or "dropped"; `levels` names points of the scale.
        """
        from crmlab.plots import likert as figures

        summary = self.ordered(order)
        labels = self.battery.labels.get(language)
        if kind == "heat":
            return figures.heat_map(self.counts, summary, levels=levels, labels=labels, language=language, ax=ax)
        if kind != "diverging":
            raise InputError(f"plot: kind {kind!r} is unknown; choose one of diverging, heat.")
        return figures.diverging_bars(
            self.counts, summary, neutral=neutral, levels=levels, labels=labels, language=language, ax=ax
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, ready for JSON."""
        return {
            "counts": records(self.counts),
            "summary": records(self.summary),
            "by": self.by,
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        return page(self.summary.round(3).to_html(index=False), problems=self.problems)


def distribution(
    data: pd.DataFrame | Responses,
    items: Items,
    *,
    scale: Scale | None = None,
    by: str | None = None,
    dont_know: Sequence[float] = (),
    n_top: int = 2,
) -> Distribution:
    """Count the answers to each item, level by level.

    Parameters
    ----------
    data : DataFrame or Responses
        One row a respondent.
    items, scale
        As for `Battery.of`.
    by : str, optional
        Column of groups; respondents without a group are left out and told.
    dont_know : sequence of numbers
        Codes such as 99 that say "don't know"; counted apart.
    n_top : int
        Points that make the top box.

    Returns
    -------
    Distribution

    Raises
    ------
    InputError
        An answer that is no whole number or off the scale, a missing column, no group.

    Examples
    --------
    >>> answers = pd.DataFrame({"SA1": [5, 4, 4, 2, 99, None]})
    >>> result = distribution(answers, ["SA1"], scale=(1, 5), dont_know=[99])
    >>> result.counts["count"].tolist()
    [0, 1, 0, 2, 1]
    >>> result.summary[["answered", "dont_know", "missing", "top", "unused"]].to_dict("records")
    [{'answered': 4, 'dont_know': 1, 'missing': 1, 'top': 0.75, 'unused': '1, 3'}]
    """
    battery = Battery.of(items, scale)
    values = battery.read(data, dont_know=dont_know)
    _check_whole(values)
    unsure = values.isin(list(dont_know))
    given = values.mask(unsure)
    groups = groups_of(data, by)
    counts, summary = [], []
    for group, rows in groups:
        for item, low, high in battery.table[["min", "max"]].itertuples():
            answers = given[item].iloc[rows].dropna().to_numpy()
            found, row = _one_item(answers, low, high, n_top)
            counts.append(found.assign(group=group, item=item))
            dont = int(unsure[item].iloc[rows].sum())
            asked = {"group": group, "item": item, "asked": len(rows), "answered": len(answers), "dont_know": dont}
            summary.append(asked | {"missing": len(rows) - len(answers) - dont} | row)
    table = pd.concat(counts, ignore_index=True)[["group", "item", "answer", "count", "share"]]
    summaries = pd.DataFrame(summary)
    left_out = len(values) - sum(len(rows) for _, rows in groups)
    return Distribution(table, summaries, n_top, by, battery, _problems(summaries, by, left_out))


def _one_item(answers: np.ndarray, low: float, high: float, n_top: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    levels = np.arange(low, high + 1)
    count = np.bincount((answers - low).astype(int), minlength=len(levels))
    size = len(answers) if len(answers) else np.nan
    share, middle = count / size, (low + high) / 2
    unused = ", ".join(f"{level:g}" for level in levels[count == 0])
    row = {
        "mean": float(answers.mean()) if len(answers) else np.nan,
        "bottom": share[levels < middle].sum(),
        "neutral": share[levels == middle].sum() if middle in levels else np.nan,
        "top": share[levels > high - n_top].sum(),
        "unused": unused,
    }
    return pd.DataFrame({"answer": levels, "count": count, "share": share}), row


def _check_whole(values: pd.DataFrame) -> None:
    found = values.to_numpy()
    broken = np.isfinite(found) & (found != np.round(found))
    if broken.any():
        row, place = (int(position[0]) for position in np.nonzero(broken))
        raise InputError(
            f"column {values.columns[place]}, row {values.index[row]}: found {found[row, place]:g}, expected a whole "
            "number of the scale. A mean of several items has no levels to count: give the items."
        )


def _problems(summary: pd.DataFrame, by: str | None, left_out: int) -> list[str]:
    problems = []
    if left_out:
        problems.append(f"{left_out} respondents have no value of {by} and are left out of every group.")
    named = zip(summary["item"], summary["group"], strict=True)
    place = [f"{item} in {group}" if group else str(item) for item, group in named]
    for rule, words in (
        (summary["answered"] == 0, "nobody answered: there is nothing to read"),
        (
            summary["answered"].between(1, FEW - 1),
            f"fewer than {FEW} answers: a share moves by more than 10 points with one respondent",
        ),
        (
            summary["dont_know"] > MANY_DONT_KNOW * summary["asked"],
            f"more than {MANY_DONT_KNOW:.0%} say they do not know: the question may not concern them".replace(
                "%", " %"
            ),
        ),
    ):
        found = [name for name, applies in zip(place, rule, strict=True) if applies]
        if found:
            problems.append(f"{', '.join(found)}: {words}.")
    return problems
