"""A composite index of loyalty 忠诚度综合指数: trust, contact, outcome of service, satisfaction, will to stay (row A3).

The parts are items of a scale, their weights a choice (`crmlab.weighting`). The index is that of chapter 9: a weighted
mean on 0–100. Because the weights are chosen, the result says how far the index moves when they do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.likert import Battery
from crmlab.likert.battery import Items, Scale, column, frame_of
from crmlab.loyalty.inputs import check_level, worded
from crmlab.questionnaire import Questionnaire
from crmlab.results import page, records, rows_by_name
from crmlab.weighting import Sensitivity, sensitivity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from crmlab.responses import Responses

#: The construct of a questionnaire that holds the parts.
CONSTRUCT = "Loyalty"


@dataclass(frozen=True, eq=False)
class CompositeIndex:
    """Loyalty as a weighted mean of its parts.

    Attributes
    ----------
    index, ci_lower, ci_upper : float
        0–100, with its t interval under weights held fixed.
    parts : DataFrame, index item
        weight (sums to 1), mean (0–100), contribution (weight × mean, sums to the index), correlation with the mean of
        the other parts.
    by_group : DataFrame: group, n, index, ci_lower, ci_upper, rank
        Empty without groups.
    scores : Series, one per customer
        0–100; missing where a part is.
    sensitivity : crmlab.weighting.Sensitivity
        Each weight a fifth up and down, and all at random.
    n : int
        Customers with all parts.
    level : float
    problems : list of str
    """

    index: float
    ci_lower: float
    ci_upper: float
    parts: pd.DataFrame
    by_group: pd.DataFrame
    scores: pd.Series
    sensitivity: Sensitivity
    n: int
    level: float
    problems: list[str]

    def plot(self, language: str = "en", *, labels: Mapping[str, str] | None = None, ax: Axes | None = None) -> Axes:
        """Draw what each part contributes to the index."""
        from crmlab.plots.loyalty import contribution_bars

        return contribution_bars(self.parts, labels=labels, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "n": self.n,
            "index": self.index,
            "ci": [self.ci_lower, self.ci_upper],
            "parts": rows_by_name(self.parts),
            "groups": records(self.by_group),
            "sensitivity": self.sensitivity.to_dict(),
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        head = f"Loyalty {self.index:.1f} of 100 ({self.ci_lower:.1f} to {self.ci_upper:.1f}, n = {self.n})"
        return page(self.parts.round(3).to_html(), heading=head, problems=self.problems)


def composite_index(
    data: pd.DataFrame | Responses,
    parts: Questionnaire | Items,
    *,
    scale: Scale | None = None,
    weights: Mapping[str, float] | pd.Series | None = None,
    by: str | None = None,
    satisfaction: Sequence[str] = (),
    change: float = 0.2,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> CompositeIndex:
    """The weighted mean of the parts of loyalty, on 0–100.

    Parameters
    ----------
    data : DataFrame or Responses
        Customers without an answer to some part are left out and told.
    parts : Questionnaire, mapping or list of columns
        Of a questionnaire, the items of its construct Loyalty (`loyalty_value` has the five of the course).
    scale : (lowest, highest), or mapping of item to such a pair
        Whole numbers; not needed with a questionnaire.
    weights : Series or mapping of item to number, optional
        From any method of `crmlab.weighting`; normalised. Default: all alike.
    by : str, optional
        Column of groups to rank.
    satisfaction : sequence of items
        Parts that ask for satisfaction itself: a correlation of the composite with satisfaction is then partly one of
        satisfaction with itself, which is told.
    change, draws, seed
        Of the sensitivity, as for `crmlab.weighting.sensitivity`.
    level : float in (0, 1)

    Returns
    -------
    CompositeIndex

    Raises
    ------
    InputError
        No such column or scale, an answer off the scale, weights that do not fit, fewer than two complete customers.

    Examples
    --------
    >>> answers = pd.DataFrame({"trust": [7, 9, 4, 8], "stay": [8, 10, 2, 7]})
    >>> found = composite_index(answers, ["trust", "stay"], scale=(1, 10), weights={"trust": 1, "stay": 3}, draws=50)
    >>> round(found.index, 2), found.parts["weight"].tolist()
    (64.58, [0.25, 0.75])
    """
    check_level("composite_index", level)
    if not hasattr(frame_of(data), "columns"):
        raise InputError(f"composite_index: the data are a {type(data).__name__}; expected a DataFrame or Responses.")
    battery = _battery(parts, scale)
    values = battery.read(data)
    known = values.notna().all(axis=1).to_numpy()
    complete = values[known]
    if len(complete) < 2:
        who = worded(len(complete), "customer", "customers")
        raise InputError(f"composite_index: {len(complete)} {who} answered every part; expected two or more.")
    weight = _weights(weights, battery.items)
    design = _design(battery)
    answers = complete.reset_index(drop=True)
    if by is not None:
        answers = answers.assign(group=column(data, by, "by")[known].astype("string").to_numpy())
    found = sensitivity(
        weight, design, answers, by=None if by is None else "group", change=change, draws=draws, seed=seed
    )
    low, high = battery.table["min"], battery.table["max"]
    points = 100 * (complete - low) / (high - low)
    scores = points @ weight
    table = _parts(points, weight)
    told = _problems(values, complete, points, table, [item for item in satisfaction if item in battery.items])
    groups = pd.Series(dtype=object) if by is None else answers["group"].set_axis(complete.index)
    nowhere = int(groups.isna().sum())
    if nowhere:
        told.append(f"{nowhere:,} {worded(nowhere, 'customer has', 'customers have')} no value of {by}: in no group.")
    return CompositeIndex(
        **_mean("index", scores, level), parts=table, by_group=_by_group(scores, groups, level),
        scores=_placed(scores, known, values.index), sensitivity=found, n=len(complete), level=level,
        problems=[*told, *found.problems],
    )  # fmt: skip


def _placed(scores: pd.Series, known: np.ndarray, index: pd.Index) -> pd.Series:
    """Scores of the complete customers among all customers."""
    every = np.full(len(known), np.nan)
    every[known] = scores
    return pd.Series(every, index=index, name="loyalty")


def _battery(parts: Questionnaire | Items, scale: Scale | None) -> Battery:
    battery = Battery.of(parts, scale)
    if isinstance(parts, Questionnaire):
        blocks = battery.blocks
        if CONSTRUCT not in blocks:
            raise InputError(
                f"composite_index: {parts.name} has no construct {CONSTRUCT}; it has {', '.join(blocks)}. Name the "
                "parts."
            )
        battery = Battery(battery.table.loc[blocks[CONSTRUCT]], battery.labels)
    if len(battery.items) < 2:
        raise InputError(f"composite_index: {len(battery.items)} part; a composite needs two or more.")
    ends = battery.table[["min", "max"]].to_numpy()
    if (ends != ends.round()).any():
        raise InputError("composite_index: scales must run between whole numbers, such as 1 to 10. Correct scale.")
    return battery


def _weights(weights: Mapping[str, float] | pd.Series | None, items: list[str]) -> pd.Series:
    given = pd.Series(1.0, items) if weights is None else pd.to_numeric(pd.Series(dict(weights)), errors="coerce")
    odd = sorted(set(map(str, given.index)) ^ set(items))
    if odd or not (given >= 0).all() or not 0 < given.sum() < np.inf:
        found = f"do not fit at {', '.join(odd)}" if odd else f"are {dict(weights or {})}"
        raise InputError(f"weights: they {found}; expected a number of 0 or more for each of {', '.join(items)}.")
    return (given / given.sum()).reindex(items)


def _design(battery: Battery) -> Questionnaire:
    """A questionnaire of the parts alone, which is what `crmlab.weighting` reads."""
    import yaml

    items = {
        item: {"en": item, "scale": {"min": int(ends["min"]), "max": int(ends["max"])}}
        for item, ends in battery.table[["min", "max"]].to_dict("index").items()
    }
    return Questionnaire.from_text(
        yaml.safe_dump(
            {
                "crmlab_questionnaire": 1, "name": "composite", "index": CONSTRUCT, "scale": {"min": 0, "max": 1},
                "groups": {"group": "group"},
                "constructs": {CONSTRUCT: {"label": CONSTRUCT, "mode": "formative",
                                             "facets": [{"label": "parts", "items": items}]}},
            },
            sort_keys=False,
            allow_unicode=True,
        ),
        source="composite",
    )  # fmt: skip


def _mean(name: str, scores: pd.Series, level: float) -> dict[str, float]:
    from scipy.stats import t

    mean, n = float(scores.mean()), len(scores)
    reach = float(t.ppf((1 + level) / 2, n - 1) * scores.std() / n**0.5) if n > 1 else float("nan")
    return {name: mean, "ci_lower": mean - reach, "ci_upper": mean + reach}


def _parts(points: pd.DataFrame, weight: pd.Series) -> pd.DataFrame:
    with np.errstate(divide="ignore", invalid="ignore"):  # a part that never varies correlates with nothing
        rest = {item: points[item].corr(points.drop(columns=item).mean(axis=1)) for item in points.columns}
    mean = points.mean()
    table = {"weight": weight, "mean": mean, "contribution": weight * mean, "correlation": pd.Series(rest)}
    return pd.DataFrame(table).rename_axis("item")


def _by_group(scores: pd.Series, groups: pd.Series, level: float) -> pd.DataFrame:
    columns = ["group", "n", "index", "ci_lower", "ci_upper", "rank"]
    rows = [
        {"group": str(name), "n": len(own), **_mean("index", own, level)}
        for name, own in (scores.groupby(groups) if len(groups) else ())
    ]
    table = pd.DataFrame(rows, columns=columns[:-1])
    return table.assign(rank=table["index"].rank(ascending=False, method="min").astype(int))[columns]


def _problems(
    values: pd.DataFrame, complete: pd.DataFrame, points: pd.DataFrame, table: pd.DataFrame, satisfaction: list[str]
) -> list[str]:
    told = []
    dropped = len(values) - len(complete)
    if dropped:
        lack = worded(dropped, "lacks an answer to some part and is", "lack an answer to some part and are")
        told.append(f"{dropped:,} of {len(values):,} customers {lack} left out.")
    constant = points.columns[points.min() == points.max()].tolist()
    if constant:
        told.append(f"{', '.join(constant)}: everybody gave one answer; the part tells nobody from anybody else.")
    if satisfaction:
        share = float(table["weight"][satisfaction].sum())
        told.append(
            f"{', '.join(satisfaction)} {worded(len(satisfaction), 'asks', 'ask')} for satisfaction itself "
            f"({100 * share:.0f} % of the weight): a correlation of this composite with satisfaction is partly one of "
            "satisfaction with itself."
        )
    against = table.index[table["correlation"] < 0].tolist()
    if against:
        told.append(f"{', '.join(against)}: runs against the other parts. Is it coded the other way round?")
    return told
