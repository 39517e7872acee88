"""Gaps between perception and expectation, perceived value, and importance–performance (chapter 7, course row E17).

References
----------
Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 65–70.
Kotler, P. & Keller, K. L. (2016). Marketing management, 15th ed., chapter 5. Pearson.
Martilla, J. A. & James, J. C. (1977). Importance-performance analysis. Journal of Marketing 41(1), 77–79.
Parasuraman, A., Zeithaml, V. A. & Berry, L. L. (1988). SERVQUAL: a multiple-item scale for measuring consumer
perceptions of service quality. Journal of Retailing 64, 12–40.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.likert.battery import Battery, Items, Scale, column, frame_of, index_points, numbers
from crmlab.results import page, plain, records

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from crmlab.responses import Responses


@dataclass(frozen=True, eq=False)
class Gaps:
    """Perception minus expectation.

    Attributes
    ----------
    table : DataFrame, index item
        n (both answered); expectation, perception (means in scale points); gap, se, ci_lower, ci_upper (paired t
        interval); t, pvalue, p_holm (Holm's correction for the number of items); effect (gap / sd of the differences).
    problems : list of str
    """

    table: pd.DataFrame
    problems: list[str]

    def plot(self, *, labels: Mapping[str, str] | None = None, language: str = "en", ax: Axes | None = None) -> Axes:
        """Expectation and perception of each item, joined by the gap."""
        from crmlab.plots.likert import gap_dumbbells

        return gap_dumbbells(self.table, labels=labels, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {"items": records(self.table.reset_index()), "problems": list(self.problems)}

    def _repr_html_(self) -> str:
        return page(self.table.round(3).to_html(), problems=self.problems)


@dataclass(frozen=True, eq=False)
class PerceivedValue:
    """What customers get against what they give.

    Attributes
    ----------
    components : DataFrame: side, component, index, se
        side "benefit" or "cost"; index 0–100, mean of the component's items.
    totals : Series: benefit, cost, ratio, ratio_ci_lower, ratio_ci_upper, net, net_ci_lower, net_ci_upper
        Mean indices of both sides (components weigh alike unless weights are given), benefit / cost, benefit − cost;
        percentile bootstrap intervals.
    n : int
    level : float, of the intervals
    problems : list of str
    """

    components: pd.DataFrame
    totals: pd.Series
    n: int
    level: float
    problems: list[str]

    def plot(self, *, labels: Mapping[str, str] | None = None, language: str = "en", ax: Axes | None = None) -> Axes:
        """Benefits and costs as bars on one scale, with t intervals."""
        from scipy.stats import t

        from crmlab.plots.likert import value_bars

        reach = t.ppf((1 + self.level) / 2, self.n - 1) * self.components["se"]
        ends = {"ci_lower": self.components["index"] - reach, "ci_upper": self.components["index"] + reach}
        shown = self.components.assign(**ends)
        return value_bars(shown, level=self.level, labels=labels, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "components": records(self.components),
            "totals": plain(self.totals),
            "n": self.n,
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        totals = self.totals.to_frame().round(3)
        return page(self.components.round(1).to_html(index=False), totals.to_html(), problems=self.problems)


def gaps(data: pd.DataFrame | Responses, pairs: Mapping[str, tuple[str, str]], *, level: float = 0.95) -> Gaps:
    """Gap of each item: perception − expectation, of the same respondents (SERVQUAL).

    Parameters
    ----------
    data : DataFrame or Responses
    pairs : mapping of item to (perception column, expectation column)
        Both on the same scale.
    level : float in (0, 1)

    Returns
    -------
    Gaps

    Raises
    ------
    InputError
        No pairs, a missing column, fewer than two respondents with both answers.

    Examples
    --------
    >>> answers = pd.DataFrame({"found": [6, 7, 5, 8], "hoped": [8, 8, 7, 8]})
    >>> found = gaps(answers, {"service": ("found", "hoped")}).table
    >>> found[["gap", "ci_lower", "ci_upper"]].round(2).to_numpy().tolist()
    [[-1.25, -2.77, 0.27]]
    """
    from scipy.stats import t as student

    if not pairs or not 0 < level < 1:
        raise InputError(f"gaps: found {len(pairs)} pairs and level {level}; expected a pair, and a level from 0 to 1.")
    rows = []
    for item, (perception, expectation) in pairs.items():
        both = pd.DataFrame(
            {
                "perception": numbers(column(data, perception, f"pair {item}"), perception),
                "expectation": numbers(column(data, expectation, f"pair {item}"), expectation),
            }
        ).dropna()
        if len(both) < 2:
            raise InputError(
                f"gaps: {len(both)} respondents answered both {perception} and {expectation}; needed are 2."
            )
        rows.append(
            {"item": item, "n": len(both), **both.mean()[["expectation", "perception"]].to_dict()} | _spread(both)
        )
    table = pd.DataFrame(rows).set_index("item")
    df = table["n"] - 1
    margin = student.ppf((1 + level) / 2, df) * table["se"]
    with np.errstate(invalid="ignore", divide="ignore"):
        t = table["gap"] / table["se"]
        pvalue = pd.Series(2 * student.sf(t.abs(), df), index=table.index)
    table = table.assign(
        ci_lower=table["gap"] - margin,
        ci_upper=table["gap"] + margin,
        t=t,
        pvalue=pvalue,
        p_holm=holm(pvalue),
        effect=table["gap"] / table.pop("sd").where(lambda sd: sd > 0),
    )
    return Gaps(table, _gap_problems(table, len(frame_of(data))))


def perceived_value(
    data: pd.DataFrame | Responses,
    benefits: Mapping[str, Sequence[str]],
    costs: Mapping[str, Sequence[str]],
    *,
    scale: Scale,
    weights: Mapping[str, float] | None = None,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> PerceivedValue:
    """Total value (product, service, people, image) against total cost (money, time, energy, effort).

    Parameters
    ----------
    data : DataFrame or Responses
        Respondents with a missing answer are left out and told.
    benefits, costs : mapping of component to items
        Answers to cost items are high where the cost is felt to be high.
    scale
        As for `Battery.of`.
    weights : mapping of component to positive number, optional
        Within each side; default alike.
    resamples, seed, level
        Of the intervals.

    Returns
    -------
    PerceivedValue

    Raises
    ------
    InputError

    Examples
    --------
    >>> answers = pd.DataFrame({"good": [4, 5, 3, 4], "kind": [5, 5, 4, 4], "dear": [3, 2, 4, 3]})
    >>> found = perceived_value(answers, {"product": ["good"], "people": ["kind"]}, {"money": ["dear"]}, scale=(1, 5))
    >>> found.totals[["benefit", "cost", "ratio"]].tolist()
    [81.25, 50.0, 1.625]
    """
    sides = {"benefit": dict(benefits), "cost": dict(costs)}
    battery = Battery.of({**sides["benefit"], **sides["cost"]}, scale)
    if not benefits or not costs or len(battery.blocks) < len(benefits) + len(costs):
        raise InputError("perceived_value: give benefits and costs, each component under a name of its own.")
    values = battery.read(data)
    points = index_points(values.dropna(), battery)
    scores = pd.DataFrame({name: points[list(block)].mean(axis=1) for name, block in battery.blocks.items()})
    if len(scores) < 2:
        raise InputError(f"perceived_value: {len(scores)} respondents answered everything; needed are 2 or more.")
    weight = pd.Series(1.0 if weights is None else weights, index=scores.columns, dtype=float)
    if weight.isna().any() or (weight <= 0).any():
        raise InputError("weights: expected a positive number for every component.")
    totals = pd.DataFrame(
        {side: scores[list(of)] @ (weight[list(of)] / weight[list(of)].sum()) for side, of in sides.items()}
    )
    components = pd.DataFrame(
        {
            "side": [side for side, of in sides.items() for _ in of],
            "component": list(scores.columns),
            "index": scores.mean().to_numpy(),
            "se": (scores.std() / len(scores) ** 0.5).to_numpy(),
        }
    )
    dropped = len(values) - len(scores)
    notes = [f"{dropped} respondents with a missing answer are left out."] if dropped else []
    found = _totals(totals, resamples, seed, level)
    return PerceivedValue(components, found, len(scores), level, [*notes, *_value_problems(found)])


def importance_performance(
    data: pd.DataFrame | Responses,
    items: Items,
    *,
    scale: Scale | None = None,
    outcome: str | None = None,
    importance: Mapping[str, float] | pd.Series | None = None,
) -> pd.DataFrame:
    """Importance against performance of each item, with the quadrant it falls in (Martilla & James 1977).

    Parameters
    ----------
    data : DataFrame or Responses
    items, scale
        As for `Battery.of`.
    outcome : str, optional
        Overall satisfaction: importance is then the item's correlation with it (derived importance).
    importance : mapping of item to number, optional
        Stated importance instead. Exactly one of the two is needed.

    Returns
    -------
    DataFrame, index item: importance, performance (0–100), quadrant
        Draw it with `crmlab.plots.csi.priority_map`.

    Raises
    ------
    InputError

    Examples
    --------
    >>> answers = pd.DataFrame({"clean": [1, 2, 4, 5], "gift": [4, 5, 4, 5], "overall": [1, 3, 4, 5]})
    >>> importance_performance(answers, ["clean", "gift"], scale=(1, 5), outcome="overall")["quadrant"].tolist()
    ['act now', 'possible overkill']
    """
    battery = Battery.of(items, scale)
    values = battery.read(data)
    if (outcome is None) == (importance is None):
        raise InputError("importance_performance: give either outcome or importance.")
    if outcome is not None:
        overall = numbers(column(data, outcome, "outcome"), outcome)
        weight = values.corrwith(overall)
    else:
        weight = pd.Series(importance, dtype=float).reindex(battery.items)
    if weight.isna().any():
        raise InputError(f"importance: no value for {', '.join(weight.index[weight.isna()])}; it may never vary.")
    table = pd.DataFrame({"importance": weight, "performance": index_points(values, battery).mean()}).rename_axis(
        "item"
    )
    return table.assign(quadrant=quadrants(table["importance"], table["performance"]))


def quadrants(importance: pd.Series, performance: pd.Series) -> list[str]:
    """The quadrant of each row: "act now" (important, weak), "keep up", "low priority", "possible overkill".

    The lines are the means of the rows shown; a value on a line counts as high.

    Examples
    --------
    >>> quadrants(pd.Series([0.6, 0.1]), pd.Series([60.0, 75.0]))
    ['act now', 'possible overkill']
    """
    names = {
        (True, False): "act now",
        (True, True): "keep up",
        (False, False): "low priority",
        (False, True): "possible overkill",
    }
    important, strong = importance >= importance.mean(), performance >= performance.mean()
    return [names[bool(i), bool(p)] for i, p in zip(important, strong, strict=True)]


def holm(pvalue: pd.Series) -> pd.Series:
    """Holm's adjusted p-values: the running maximum of p₍ᵢ₎·(m − i + 1), at most 1 (Holm 1979).

    Parameters
    ----------
    pvalue : Series (m,)

    Returns
    -------
    Series (m,), same index
        nan, which is no test, counts for nothing and stays nan.

    Examples
    --------
    >>> holm(pd.Series([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    ordered = pvalue.dropna().sort_values()
    raised = (ordered * np.arange(len(ordered), 0, -1)).cummax().clip(upper=1)
    return raised.reindex(pvalue.index)


def _spread(both: pd.DataFrame) -> dict[str, float]:
    difference = both["perception"] - both["expectation"]
    sd = float(difference.std())
    return {"gap": float(difference.mean()), "se": sd / len(both) ** 0.5, "sd": sd}


def _totals(totals: pd.DataFrame, resamples: int, seed: int, level: float) -> pd.Series:
    """Means of both sides, their ratio and difference, with percentile intervals over respondents."""
    values, rng, n = totals.to_numpy(), np.random.default_rng(seed), len(totals)
    means = values.mean(axis=0)
    drawn = np.stack([values[rng.integers(0, n, n)].mean(axis=0) for _ in range(resamples)])
    ends = [(1 - level) / 2, (1 + level) / 2]
    found = {"benefit": means[0], "cost": means[1]}
    with np.errstate(invalid="ignore", divide="ignore"):
        statistics = {"ratio": (means[0] / means[1], drawn[:, 0] / drawn[:, 1])}
    statistics["net"] = (means[0] - means[1], drawn[:, 0] - drawn[:, 1])
    for name, (estimate, draws) in statistics.items():
        lower, upper = np.quantile(draws, ends)
        found |= {name: estimate, f"{name}_ci_lower": lower, f"{name}_ci_upper": upper}
    return pd.Series({name: float(value) for name, value in found.items()}, name="value")


def _gap_problems(table: pd.DataFrame, asked: int) -> list[str]:
    problems = []
    short = table.index[(table["gap"] < 0) & (table["p_holm"] < 0.05)].tolist()
    if short:
        problems.append(f"{', '.join(short)}: perception stays behind expectation by more than chance.")
    thin = table.index[table["n"] < asked / 2].tolist()
    if thin:
        problems.append(f"{', '.join(thin)}: fewer than half of the {asked} respondents answered both questions.")
    if (table["se"] == 0).any():
        problems.append("Some gaps do not vary between respondents; they have no interval.")
    return problems


def _value_problems(totals: pd.Series) -> list[str]:
    problems = ["The ratio depends on where the scale starts: compare it only with ratios from the same questions."]
    if totals["cost"] < 10:
        problems.append("The cost index is near 0, so the ratio is unsteady: read the difference instead.")
    if totals["net_ci_lower"] <= 0 <= totals["net_ci_upper"]:
        problems.append("Benefit and cost do not differ by more than chance.")
    return problems
