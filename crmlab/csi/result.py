"""What an estimated index is: its tables, its headline, its priority map, its JSON (chapter 9).

References
----------
Ringle, C. M. & Sarstedt, M. (2016). Gain more insight from your PLS-SEM results: the importance-performance map
analysis. Industrial Management & Data Systems 116, 1865–1886.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..likert.gaps import quadrants
from ..questionnaire import Questionnaire
from ..results import page, plain, records
from .comparisons import of_draws

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class SatisfactionIndex:
    """A satisfaction index with everything a report needs, as tidy tables.

    Attributes
    ----------
    questionnaire : Questionnaire
    engine : str
    admissible : bool
        Whether the solution may be used.
    refusals : list of str
        Why a solution of CB-SEM must not be used; they stand first among the problems.
    n : int
        Respondents behind the estimate.
    level : float
        Confidence level of every interval.
    seed, bootstrap : int
        Seed, and resamples behind the intervals.
    method : dict
        How the numbers were made, as plain facts.
    index : DataFrame, index construct: index, ci_lower, ci_upper, se
        0–100 for every construct.
    scores : DataFrame (respondents × constructs)
        0–100 for every respondent.
    paths : DataFrame: from, to, estimate, se, ci_lower, ci_upper
    effects : DataFrame: from, to, direct, indirect, total, indirect_ci_lower, indirect_ci_upper, total_ci_lower,
        total_ci_upper
    loadings : DataFrame: construct, item, loading, loading_ci_lower, loading_ci_upper, weight, weight_ci_lower,
        weight_ci_upper, share
        `share` is the item's part of the construct's unstandardised weights.
    r_squared : DataFrame, index construct: r_squared, ci_lower, ci_upper
    reliability, htmt, fornell_larcker, cross_loadings, vif : DataFrame
        As in `crmlab.sem.PLSFit`.
    by_group : DataFrame: group, construct, n, index, ci_lower, ci_upper
        Empty without a grouping column.
    group_draws : DataFrame (resamples × groups)
        The groups' satisfaction index in every resample; without columns where there is no grouping column.
    ids : Series or None
        Each respondent's id, as text, on the rows of `scores`; None where the survey has no such column.
    importance : DataFrame, index construct: importance, ci_lower, ci_upper
        Index points of satisfaction for one index point of the construct.
    problems : list of str
        What a careful analyst would object to.
    """

    questionnaire: Questionnaire
    engine: str
    admissible: bool
    refusals: list[str]
    n: int
    level: float
    seed: int
    bootstrap: int
    method: dict[str, Any]
    index: pd.DataFrame
    scores: pd.DataFrame
    paths: pd.DataFrame
    effects: pd.DataFrame
    loadings: pd.DataFrame
    r_squared: pd.DataFrame
    reliability: pd.DataFrame
    htmt: pd.DataFrame
    fornell_larcker: pd.DataFrame
    cross_loadings: pd.DataFrame
    vif: pd.DataFrame
    by_group: pd.DataFrame
    group_draws: pd.DataFrame
    ids: pd.Series | None
    importance: pd.DataFrame
    problems: list[str]

    @property
    def headline(self) -> str:
        """The index in one line.

        Examples
        --------
        >>> from crmlab import csi, datasets, Questionnaire
        >>> csi.estimate(Questionnaire.shipped("ecsi"), datasets.load_mobi(), bootstrap=200).headline
        'Satisfaction 72.5 of 100 (95 % interval 70.7 to 74.1, 250 respondents)'
        """
        row = self.index.loc[self.questionnaire.index]
        if not np.isfinite(row["index"]):
            return f"{self.questionnaire.index} not estimated ({self.n} respondents)"
        return (
            f"{self.questionnaire.index} {row['index']:.1f} of 100 ({100 * self.level:g} % interval "
            f"{row['ci_lower']:.1f} to {row['ci_upper']:.1f}, {self.n} respondents)"
        )

    def priority_map(self) -> pd.DataFrame:
        """Importance against performance of every construct that leads to satisfaction (Ringle & Sarstedt 2016).

        Returns
        -------
        DataFrame, index construct
            importance (index points of satisfaction for one index point of the construct) with its interval,
            performance (the construct's index) with its interval, and quadrant: "act now" (important, weak), "keep up"
            (important, strong), "low priority" (unimportant, weak), "possible overkill" (unimportant, strong). The
            lines are the means of the constructs shown.
        """
        table = self.importance.rename(columns={"ci_lower": "importance_ci_lower", "ci_upper": "importance_ci_upper"})
        performance = self.index.loc[table.index]
        table = table.assign(
            performance=performance["index"],
            performance_ci_lower=performance["ci_lower"],
            performance_ci_upper=performance["ci_upper"],
        )
        return table.assign(quadrant=quadrants(table["importance"], table["performance"]))

    def group_differences(self, *, adjust: str = "holm", level: float | None = None) -> pd.DataFrame:
        """Compare the satisfaction index of every two groups, all measured with the same weights.

        The error of a difference is the standard deviation of its draws: the groups share their weights, so what the
        weights do to both alike cancels.

        Parameters
        ----------
        adjust : {"holm", "bonferroni", "none"}
        level : float in (0, 1), optional
            Default: the level of the estimate.

        Returns
        -------
        DataFrame
            As `crmlab.csi.differences`.

        Raises
        ------
        InputError
            There are no groups, or an option is unknown.
        """
        if self.by_group.empty:
            raise InputError("there are no groups to compare; call csi.estimate with by='column'.")
        own = self.by_group[self.by_group["construct"] == self.questionnaire.index]
        level = self.level if level is None else level
        return of_draws(self.group_draws, own["index"].to_numpy(), adjust=adjust, level=level)

    def to_dict(self) -> dict[str, Any]:
        """The result as plain numbers and strings, as written to `index.json`; nan becomes None."""
        quality = self.reliability[["alpha", "rho_c", "ave"]]
        constructs = {
            str(row["construct"]): _entry(row) | {measure: plain(row[measure]) for measure in ("alpha", "rho_c", "ave")}
            for row in records(self.index.join(quality).reset_index())
        }
        groups: dict[str, Any] = {}
        for row in records(self.by_group):
            group = groups.setdefault(str(row["group"]), {"n": row["n"], "constructs": {}})
            group["constructs"][row["construct"]] = _entry(row)
            if row["construct"] == self.questionnaire.index:
                group |= _entry(row)
        own = constructs[self.questionnaire.index]
        return {
            "n": self.n,
            "engine": self.engine,
            "index": own["index"],
            "ci": own["ci"],
            "se": plain(self.index.loc[self.questionnaire.index, "se"]),
            "admissible": self.admissible,
            "level": self.level,
            "constructs": constructs,
            "paths": [
                {"from": row["from"], "to": row["to"], "estimate": plain(row["estimate"]), "ci": _entry(row)["ci"]}
                for row in records(self.paths)
            ],
            "r_squared": {str(name): plain(value) for name, value in self.r_squared["r_squared"].items()},
            "groups": groups,
            "problems": list(self.problems),
            "method": self.method,
        }

    def plot(self, kind: str = "constructs", language: str = "en") -> Axes:
        """Draw the result.

        Parameters
        ----------
        kind : {"constructs", "paths", "priority", "groups", "weights"}
        language : {"en", "zh"}
            Language of labels and titles.
        """
        from ..plots import csi as draw

        named = [*self.index.index, *self.questionnaire.items.index]
        labels = {name: self.questionnaire.label(name, language) for name in named}
        target = self.questionnaire.index
        common: dict[str, Any] = {"labels": labels, "language": language, "level": self.level}
        drawings: dict[str, Callable[[], Axes]] = {
            "constructs": lambda: draw.construct_bars(self.index, highlight=target, **common),
            "paths": lambda: draw.path_diagram(self.paths, self.r_squared, self.index, highlight=target, **common),
            "priority": lambda: draw.priority_map(self.priority_map(), **common),
            "groups": lambda: draw.group_intervals(self.by_group, target, **common),
            "weights": lambda: draw.weights_bars(self.loadings, **common),
        }
        if kind not in drawings:
            raise InputError(f"plot {kind!r} is unknown; choose one of {', '.join(drawings)}.")
        if kind == "priority" and self.importance.empty:
            raise InputError(f"there is no priority map: no path of the model leads to {target}.")
        if kind == "groups" and self.by_group.empty:
            raise InputError("there are no groups to draw; call csi.estimate with by='column'.")
        return drawings[kind]() if self.index["index"].notna().any() else draw.nothing_estimated(language)

    def _repr_html_(self) -> str:
        return page(self.index.round(1).to_html(), problems=self.problems, heading=self.headline)


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    index = {"index": plain(row["index"])} if "index" in row else {}
    return index | {"ci": [plain(row["ci_lower"]), plain(row["ci_upper"])]}
