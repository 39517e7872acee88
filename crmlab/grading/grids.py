"""Two-way grids over numbers: where high begins, by value, quantile or optimum (chapter 5; rows A2, B10, B14, D6).

A grid is a decision table over two inputs with levels, such as contribution × risk, and a cut for each: the thresholds
between its levels. Fitted to customers, it is a decision table over numbers, proved and applied like any other. A value
equal to a threshold belongs to the upper level.

References
----------
Fisher, W. D. (1958). On grouping for maximum homogeneity. Journal of the American Statistical Association, 53, 789-798.
Youden, W. J. (1950). Index for rating diagnostic tests. Cancer, 3(1), 32-35.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError
from crmlab.rules.axes import numbers
from crmlab.rules.decisions import DecisionTable
from crmlab.rules.tiering import level_conditions

from .shipped import rubric

if TYPE_CHECKING:
    import pandas as pd

CRITERIA = ("variance", "youden")
#: Most thresholds that are tried; more distinct values are thinned to so many quantiles.
MOST_CANDIDATES = 400


@dataclass(frozen=True)
class Cut:
    """Where the levels of an input begin: exactly one of `values`, `quantiles` and `best_for`.

    Attributes
    ----------
    column : the numbers to cut; default the column of the input's name.
    values : thresholds as numbers.
    quantiles : thresholds as shares of the customers below them.
    best_for : a column, such as later revenue: the thresholds that tell its values apart best by `criterion`.
    criterion : "variance", the sum of squares of `best_for` between the levels is largest (Fisher, 1958); or "youden",
        for a yes-or-no column and one threshold: sensitivity + specificity − 1 is largest (Youden, 1950).
    high_first : the first level of the input is the one with the highest numbers.
    """

    column: str | None = None
    values: Sequence[float] | None = None
    quantiles: Sequence[float] | None = None
    best_for: str | None = None
    criterion: str = "variance"
    high_first: bool = True


@dataclass(frozen=True, eq=False)
class FittedGrid:
    """A grid with its thresholds.

    Attributes
    ----------
    table : DecisionTable over the numeric columns.
    thresholds : DataFrame input, column, above (the level that begins), threshold, how ("value", "quantile 0.8", ...),
        gain (what the criterion of an optimum reaches: share of the variance, or Youden's J; else missing).
    levels : input → its levels, highest numbers first.
    problems : sentences.
    """

    table: DecisionTable
    thresholds: pd.DataFrame
    levels: Mapping[str, list[str]]
    problems: list[str]

    def grade(self, frame: pd.DataFrame, *, faults: str = "error") -> pd.Series:
        """The grade of every customer: see `DecisionTable.grade`."""
        return self.table.grade(frame, faults=faults)

    def counts(self, frame: pd.DataFrame, *, faults: str = "error") -> pd.DataFrame:
        """The grid as a table, one row per cell: the two levels, grade, n, share."""
        import pandas as pd

        columns: dict[str, str] = dict(zip(self.thresholds["input"], self.thresholds["column"], strict=True))
        found = pd.DataFrame({"grade": self.grade(frame, faults=faults)})
        for name, column in columns.items():
            limits: np.ndarray = self.thresholds.loc[self.thresholds["input"] == name, "threshold"].to_numpy()[::-1]
            place = np.searchsorted(limits, numbers(frame[column]), side="right")
            names = self.levels[name]
            found[name] = pd.Categorical.from_codes(len(limits) - place, dtype=pd.CategoricalDtype(names))
        first, second = columns
        cells = found.dropna().groupby([first, second], observed=False)
        table = cells.agg(grade=("grade", "first"), n=("grade", "size")).reset_index()
        return table.assign(share=table["n"] / max(int(table["n"].sum()), 1))

    def sensitivity(self, frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
        """How many customers change grade when a threshold moves: see `sensitivity`."""
        return sensitivity(self.table, frame, **options)

    def plot(self, frame: pd.DataFrame, **options: Any) -> Any:
        """The map of customers with thresholds and grades: see `crmlab.plots.grading.grid_map`."""
        from crmlab.plots.grading import grid_map

        points = frame[[*dict.fromkeys(self.thresholds["column"])]].assign(grade=self.grade(frame, faults="missing"))
        return grid_map(points, self.thresholds, **options)


class Grid:
    """A two-way table of grades, and how to cut its two inputs.

    Parameters
    ----------
    table : DecisionTable with two category inputs, or the name of a shipped rubric of that kind
        Levels in the order of their declaration.
    cuts : mapping of each input to a Cut.

    Raises
    ------
    InputError
        For a table with other inputs or gaps, or cuts that do not fit it.

    Examples
    --------
    >>> import pandas as pd
    >>> grid = Grid("bank_risk", {"contribution": Cut(values=[1000]), "risk": Cut(quantiles=[0.5])})
    >>> banked = pd.DataFrame({"contribution": [2000, 500, 1500, 900], "risk": [0.01, 0.02, 0.3, 0.4]})
    >>> grid.fit(banked).grade(banked).tolist()
    ['top', 'potential', 'middle', 'low-end']
    """

    def __init__(self, table: DecisionTable | str, cuts: Mapping[str, Cut]) -> None:
        self.table = rubric(table) if isinstance(table, str) else table
        asked = self.table.design.inputs
        if len(asked) != 2 or any(one.kind != "category" for one in asked):
            raise InputError(f"{self.table.name}: a grid needs a table with two inputs that have levels (categories).")
        found = self.table.check()
        if not (found.complete and found.disjoint):
            raise InputError(f"{self.table.name}: {found.problems[0]} Complete the table before cutting it.")
        names = [one.name for one in asked]
        if set(cuts) != set(names):
            raise InputError(
                f"{self.table.name}: cuts are given for {', '.join(cuts)}; expected {' and '.join(names)}."
            )
        self.cuts = {one.name: cuts[one.name] for one in asked}
        for one in asked:
            _require_cut(self.cuts[one.name], one.name, len(one.values))

    def fit(self, frame: pd.DataFrame) -> FittedGrid:
        """Set the thresholds on customers.

        Raises
        ------
        InputError
            For missing columns, thresholds that coincide, or an optimum that cannot be found.
        """
        import pandas as pd

        rows, said, inputs, conditions, levels = [], [], {}, {}, {}
        for asked in self.table.design.inputs:
            cut = self.cuts[asked.name]
            column = cut.column or asked.name
            limits, how, gain = _thresholds(cut, column, len(asked.values), frame)
            levels[asked.name] = [*asked.values] if cut.high_first else [*asked.values][::-1]
            rows += [
                (asked.name, column, level, limit, way, gain)
                for level, limit, way in zip(levels[asked.name], limits[::-1], how[::-1], strict=False)
            ]
            inputs[column] = {"type": "number", **asked.title}
            conditions[asked.name] = (column, level_conditions(levels[asked.name], limits))
            if cut.best_for is not None:
                said.append(
                    f"The thresholds of {asked.name} were chosen to fit {cut.best_for} on these customers; on new ones "
                    "they will do less well. Test them on customers who were not used."
                )
        if len(inputs) < 2:
            raise InputError(f"{self.table.name}: both inputs are cut from the column {column}; expected two columns.")
        names = ["input", "column", "above", "threshold", "how", "gain"]
        numeric = _numeric_table(self.table, inputs, conditions)
        return FittedGrid(numeric, pd.DataFrame(rows, columns=names), levels, said)


def sensitivity(
    table: DecisionTable,
    frame: pd.DataFrame,
    *,
    moves: Sequence[float] = (-0.2, -0.1, 0.1, 0.2),
    relative: bool = True,
) -> pd.DataFrame:
    """How many customers change grade when one threshold of a table moves and all else stays.

    Parameters
    ----------
    table : DecisionTable; of a Scorecard, its `grade_table` with a frame of the score.
    frame : customers; those without a grade stay without.
    moves : changes of a threshold. One that a change would leave in place, or carry past its neighbour, is not moved,
        and its row says None.
    relative : a change of 0.1 moves a threshold of 50 to 55; otherwise to 50.1, in the unit of the input, which suits
        scales whose zero means nothing.

    Returns
    -------
    DataFrame: input, threshold, move, to, changed, share (of the graded), up, down (by the order of the grades);
    missing where the threshold was not moved.

    Examples
    --------
    >>> import pandas as pd
    >>> table = DecisionTable([{"spend": ">= 100", "grade": "A"}, {"spend": "< 100", "grade": "B"}])
    >>> found = sensitivity(table, pd.DataFrame({"spend": [95, 105, 200, 300]}), moves=[0.1])
    >>> found[["threshold", "to", "changed", "share", "up", "down"]].to_dict("records")
    [{'threshold': 100.0, 'to': 110.0, 'changed': 1, 'share': 0.25, 'up': 0, 'down': 1}]
    """
    import pandas as pd

    before = table.grade(frame, faults="missing").cat.codes.to_numpy()
    rows = [
        {
            "input": asked.name,
            "threshold": threshold,
            "move": move,
            # Ten decimals: 100 · 1.1 is meant to be 110, not 110.00000000000001.
            **_moved(
                table,
                asked.name,
                threshold,
                float(np.round(threshold * (1 + move) if relative else threshold + move, 10)),
                before,
                frame,
            ),
        }
        for asked in table.design.inputs
        if asked.kind != "category"
        for threshold in table.boundaries(asked.name)
        for move in moves
    ]
    columns = ["input", "threshold", "move", "to", "changed", "share", "up", "down"]
    numeric = {**dict.fromkeys(("changed", "up", "down"), "Int64"), **dict.fromkeys(("to", "share"), "float64")}
    return pd.DataFrame(rows, columns=columns).astype(numeric)


def _moved(
    table: DecisionTable, name: str, threshold: float, to: float, before: np.ndarray, frame: pd.DataFrame
) -> dict[str, Any]:
    try:
        if to == threshold:
            raise InputError("not moved")
        after = table.moved(name, threshold, to).grade(frame, faults="missing").cat.codes.to_numpy()
    except InputError:
        return dict.fromkeys(("to", "changed", "share", "up", "down"))
    graded = max(int((before >= 0).sum()), 1)
    up, down = int((after < before).sum()), int((after > before).sum())
    return {"to": to, "changed": up + down, "share": (up + down) / graded, "up": up, "down": down}


# ------------------------------------------------------------------------------------------- tiers, investment


def deserved_investment(grades: pd.Series, future_value: pd.Series, budget: float) -> pd.DataFrame:
    """What each grade deserves of a budget: in proportion to the future value its customers hold (course row D6).

    Parameters
    ----------
    grades, future_value : Series with the same index; a negative future value deserves nothing.
    budget : money to invest.

    Returns
    -------
    DataFrame, index grade: n, future_value, share, investment, per_customer.

    Raises
    ------
    InputError
        For different indexes, missing future values, a budget below 0, or if no customer has a future value above 0.

    Examples
    --------
    >>> import pandas as pd
    >>> deserved_investment(pd.Series(list("AAB")), pd.Series([60.0, 30.0, 10.0]), 1000)["per_customer"].to_dict()
    {'A': 450.0, 'B': 100.0}
    """
    import pandas as pd

    if not grades.index.equals(future_value.index):
        raise InputError(
            "deserved_investment: grades and future values have different indexes; bring them into one order."
        )
    if future_value.isna().any() or not budget >= 0:
        raise InputError("deserved_investment: expected a future value for every customer and a budget of 0 or more.")
    held = pd.DataFrame({"grade": grades, "future_value": future_value.clip(lower=0)})
    by_grade = held.groupby("grade", observed=True)["future_value"]
    table = pd.DataFrame({"n": by_grade.size(), "future_value": by_grade.sum()})
    total = float(table["future_value"].sum())
    if not total > 0:
        raise InputError(
            "deserved_investment: no customer with a grade has a future value above 0; nothing is deserved."
        )
    table["share"] = table["future_value"] / total
    table["investment"] = budget * table["share"]
    table["per_customer"] = table["investment"] / table["n"]
    return table


# ---------------------------------------------------------------------------------------------------- cutting


def _require_cut(cut: Cut, name: str, levels: int) -> None:
    ways = [way for way in ("values", "quantiles", "best_for") if getattr(cut, way) is not None]
    if len(ways) != 1:
        told = f"given by {' and '.join(ways)}" if ways else "missing"
        raise InputError(f"{name}: thresholds are {told}; expected exactly one of values, quantiles and best_for.")
    if cut.criterion not in CRITERIA or (cut.criterion == "youden" and levels != 2):
        raise InputError(
            f"{name}: criterion {cut.criterion!r} does not fit {levels} levels; expected variance, or youden for two."
        )
    given = cut.values if cut.values is not None else cut.quantiles
    if given is not None:
        rising = all(lower < upper for lower, upper in pairwise(given)) and all(map(np.isfinite, given))
        within = cut.quantiles is None or all(0 < q < 1 for q in given)
        if len(given) != levels - 1 or not rising or not within:
            bounds = " between 0 and 1" if cut.quantiles is not None else ""
            raise InputError(
                f"{name}: {ways[0]} are {list(given)}; {levels} levels need {levels - 1} of them, rising{bounds}."
            )


def _thresholds(cut: Cut, column: str, levels: int, frame: pd.DataFrame) -> tuple[list[float], list[str], float]:
    """Rising thresholds, how each was found, and what the criterion reaches."""
    for wanted in filter(None, (column, cut.best_for)):
        if wanted not in frame.columns:
            raise InputError(
                f"grid: the table of customers has no column {wanted}; it has {', '.join(map(str, frame.columns))}."
            )
    if cut.values is not None:
        return [float(value) for value in cut.values], ["value"] * (levels - 1), float("nan")
    values = numbers(frame[column])
    known = np.isfinite(values)
    if not known.any():
        raise InputError(f"grid: {column} has no number to cut; correct the column.")
    if cut.quantiles is not None:
        limits = [float(limit) for limit in np.quantile(values[known], cut.quantiles)]
        if len(set(limits)) < len(limits):
            raise InputError(
                f"grid: the quantiles of {column} coincide at {limits}; too many customers share a value. Give values."
            )
        return limits, [f"quantile {q:g}" for q in cut.quantiles], float("nan")
    later = numbers(frame[str(cut.best_for)])
    known &= np.isfinite(later)
    limits, gain = _optimum(values[known], later[known], levels, cut.criterion, column)
    return limits, [f"best for {cut.best_for} ({cut.criterion})"] * (levels - 1), gain


def _optimum(
    values: np.ndarray, later: np.ndarray, levels: int, criterion: str, column: str
) -> tuple[list[float], float]:
    """Thresholds among the values that maximise the criterion, and its maximum."""
    distinct = np.unique(values)
    if len(distinct) < levels:
        raise InputError(
            f"grid: {column} has {len(distinct)} different values; expected at least {levels} to cut it for an optimum."
        )
    candidates = distinct[1:]
    if len(candidates) > MOST_CANDIDATES:
        candidates = np.unique(np.quantile(values, np.linspace(0, 1, MOST_CANDIDATES + 2)[1:-1], method="inverted_cdf"))
        candidates = candidates[candidates > distinct[0]]
    group = np.searchsorted(candidates, values, side="right")
    n = np.bincount(group, minlength=len(candidates) + 1).astype(float)
    total = np.bincount(group, later, len(candidates) + 1)
    if criterion == "youden":
        return _youden(candidates, n, total, later, column)
    spread = float(((later - later.mean()) ** 2).sum())
    if not spread > 0:
        raise InputError(f"grid: the column to be told apart has one value only; no threshold of {column} is best.")
    cuts, between = _partition(n, total - n * later.mean(), levels)
    return [float(candidates[cut - 1]) for cut in cuts], between / spread


def _youden(
    candidates: np.ndarray, n: np.ndarray, yes: np.ndarray, later: np.ndarray, column: str
) -> tuple[list[float], float]:
    if set(np.unique(later)) != {0.0, 1.0}:
        raise InputError(f"grid: Youden's index for {column} needs a column with both 0 and 1, and nothing else.")
    above_yes = yes[::-1].cumsum()[::-1][1:] / yes.sum()
    above_no = (n - yes)[::-1].cumsum()[::-1][1:] / (n - yes).sum()
    # High values may go with no: then the threshold tells apart as well, with the sides exchanged.
    index = np.abs(above_yes - above_no)
    best = int(index.argmax())
    return [float(candidates[best])], float(index[best])


def _partition(n: np.ndarray, total: np.ndarray, levels: int) -> tuple[list[int], float]:
    """Fisher's exact grouping: cut m ordered groups into `levels` runs with the largest Σ (sum of run)²/size.

    Returns the first group of each run but the first, and the maximum.
    """
    size, sums = np.concatenate([[0.0], n.cumsum()]), np.concatenate([[0.0], total.cumsum()])
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.subtract.outer(sums, sums) ** 2 / np.subtract.outer(size, size)  # [end, start]
    gain[~(np.subtract.outer(size, size) > 0)] = -np.inf
    best, back = gain[:, 0], []
    for _ in range(levels - 1):
        options = best[None, :] + gain
        back.append(options.argmax(axis=1))
        best = options.max(axis=1)
    cuts, end = [], len(n)
    for choice in reversed(back):
        end = int(choice[end])
        cuts.append(end)
    return cuts[::-1], float(best[-1])


def _numeric_table(table: DecisionTable, inputs: Mapping[str, Any], conditions: Mapping[str, Any]) -> DecisionTable:
    """The same rules over numbers: every level replaced by its condition."""
    rules = []
    for rule in table.design.rules:
        row = dict(rule.outcome)
        for asked, condition in zip(table.design.inputs, rule.conditions, strict=True):
            column, of_level = conditions[asked.name]
            named = [of_level[value] for value in asked.values if value in condition.values]
            row[column] = "-" if condition.anything else "|".join(named)
        rules.append(row)
    return DecisionTable({
        "name": f"{table.name}, cut", "title": table.design.title, "inputs": inputs, "rules": rules,
        "outcome": table.design.outcome, "hit": table.design.hit, "grades": table.design.grades,
    })  # fmt: skip
