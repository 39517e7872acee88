"""Does it depend on something else how loyalty follows satisfaction? Switching costs 转换成本 above all (row E10).

Every group gets its own sigmoid. Where customers are held by law, place, ignorance or cost, loyalty stands high already
at low satisfaction, and satisfaction has less to add: the gain is smaller.

References
----------
Jones, M. A., Mothersbaugh, D. L. & Beatty, S. E. (2000). Switching barriers and repurchase intentions in services.
Journal of Retailing 76, 259–274.
Long, J. S. & Ervin, L. H. (2000). Using heteroscedasticity consistent standard errors in the linear regression model.
The American Statistician 54, 217–224.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.loyalty.curves import Array, fit_sigmoid, resamples, sigmoid, tally
from crmlab.loyalty.inputs import aligned, check_level, check_resamples, measured, worded
from crmlab.loyalty.links import FEWEST_CUSTOMERS, FEWEST_VALUES, PARAMETERS, percentiles, with_thresholds
from crmlab.results import page, plain, records

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Where the gain is measured: quantiles of everybody's satisfaction.
GAIN_BETWEEN = (0.1, 0.9)
MEASURES = (*PARAMETERS, "gain")
_GRID = 61


@dataclass(frozen=True, eq=False)
class Moderation:
    """The link in groups.

    Attributes
    ----------
    groups : DataFrame: group, measure, n, estimate, ci_lower, ci_upper
        measure is one of lower, upper, midpoint, steepness, threshold_lower, threshold_upper, gain. gain is the
        loyalty expected at `between[1]` minus that at `between[0]`.
    differences : DataFrame: group, against, measure, difference, ci_lower, ci_upper
        To the first group; resamples are drawn within groups.
    interaction : Series or None
        For a moderator in numbers: change of the slope of loyalty on satisfaction per unit of the moderator, in a
        straight-line model (estimate, se by HC3, ci_lower, ci_upper, pvalue). None for names.
    one_curve : Series: f, df1, df2, pvalue
        One sigmoid for all against one for each group, by the extra sum of squares.
    between : tuple of float
        Satisfaction between which the gain is measured.
    curves : DataFrame: group, satisfaction, sigmoid, sigmoid_lower, sigmoid_upper
    n : int
    level : float
    problems : list of str
    """

    groups: pd.DataFrame
    differences: pd.DataFrame
    interaction: pd.Series | None
    one_curve: pd.Series
    between: tuple[float, float]
    curves: pd.DataFrame
    n: int
    level: float
    problems: list[str]

    def plot(self, language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Draw the sigmoid of each group with its band."""
        from crmlab.plots.loyalty import group_curves

        gains = self.groups[self.groups["measure"] == "gain"]
        return group_curves(self.curves, gains, level=self.level, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "n": self.n,
            "between": list(self.between),
            "groups": records(self.groups),
            "differences": records(self.differences),
            "interaction": None if self.interaction is None else plain(self.interaction),
            "one_curve": plain(self.one_curve),
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        wide = self.groups.pivot_table(index="group", columns="measure", values="estimate", sort=False)
        shown = self.differences.round(3).to_html(index=False)
        return page(wide.round(3).to_html(), shown, problems=self.problems)


def moderation(
    satisfaction: Any,
    loyalty: Any,
    moderator: Any,
    *,
    cut: float | None = None,
    slope_share: float = 0.5,
    bootstrap: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> Moderation:
    """Fit the sigmoid in groups of a moderator, and compare what satisfaction gains in each.

    Parameters
    ----------
    satisfaction, loyalty : Series or sequences of numbers, (n,) each
    moderator : Series or sequence, (n,)
        Names of groups, or numbers such as a switching cost from 1 to 10. Numbers are cut into "low" and "high"; a
        value equal to the cut is high.
    cut : float, optional
        Where high begins; default the median, which is told.
    slope_share : float in (0, 1)
        As for `link_function`.
    bootstrap : int, 20 or more
    level : float in (0, 1)
    seed : int

    Returns
    -------
    Moderation

    Raises
    ------
    InputError
        What `link_function` refuses, in any group; fewer than two groups.

    Examples
    --------
    >>> from crmlab.datasets import simulate_loyalty
    >>> data = simulate_loyalty(1200, seed=1).data
    >>> found = moderation(data["satisfaction"], data["intention"], data["switching_cost"], cut=6, bootstrap=100)
    >>> gain = found.differences.set_index("measure").loc["gain"]
    >>> gain["group"], gain["against"], bool(gain["ci_upper"] < 0)
    ('high', 'low', True)
    """
    check_level("moderation", level)
    check_resamples("moderation", bootstrap, seed)
    if not isinstance(slope_share, Real) or not 0 < slope_share < 1:
        raise InputError(f"moderation: slope_share is {slope_share!r}; expected a share between 0 and 1.")
    table = measured("moderation", {"satisfaction": satisfaction, "loyalty": loyalty})
    table["moderator"] = aligned("moderation", {"satisfaction": table["satisfaction"], "moderator": moderator})[
        "moderator"
    ]
    complete = table.dropna()
    numeric = pd.api.types.is_numeric_dtype(complete["moderator"]) and not pd.api.types.is_bool_dtype(
        complete["moderator"]
    )
    if numeric:
        measured("moderation", {"moderator": complete["moderator"]})
    members, told = _members(complete["moderator"], cut, numeric)
    if len(complete) < len(table):
        dropped = len(table) - len(complete)
        lack = worded(dropped, "lacks an answer and is", "lack an answer and are")
        told.insert(0, f"{dropped:,} of {len(table):,} customers {lack} left out.")
    parts = _parts(complete, members)
    low, high = complete["satisfaction"].quantile(list(GAIN_BETWEEN))
    grid = np.linspace(complete["satisfaction"].min(), complete["satisfaction"].max(), _GRID)
    found, curves, rss, astray = _fits(parts, (low, high), slope_share, bootstrap, seed, grid, level)
    x, y = complete[["satisfaction", "loyalty"]].to_numpy(dtype=float).T
    together = _rss(x, y, fit_sigmoid(tally(x, y)).params[0])
    return Moderation(
        groups=_groups(found, {name: len(x) for name, (x, _) in parts.items()}, level),
        differences=_differences(found, level),
        interaction=_interaction(complete, level) if numeric else None,
        one_curve=_one_curve(together, rss, len(parts), len(complete)),
        between=(float(low), float(high)),
        curves=curves,
        n=len(complete),
        level=level,
        problems=[*told, *astray],
    )


def _members(moderator: pd.Series, cut: float | None, numeric: bool) -> tuple[pd.Series, list[str]]:
    """The group of every customer, and what has to be said about it."""
    if cut is not None and not isinstance(cut, Real):
        raise InputError(f"moderation: cut is {cut!r}; expected a number where high begins.")
    if not numeric:
        if cut is not None:
            raise InputError("moderation: the moderator holds names, and a cut is given; expected numbers to cut.")
        return moderator.astype(str), []
    limit = float(moderator.median()) if cut is None else float(cut)
    told = []
    if cut is None:
        told.append(f"High begins at the median of the moderator, {limit:g}: a choice, not a law. Try another cut.")
    return pd.Series(np.where(moderator >= limit, "high", "low"), index=moderator.index), told


def _parts(complete: pd.DataFrame, members: pd.Series) -> dict[str, tuple[Array, Array]]:
    """Satisfaction and loyalty by group; "low" comes before "high", names in their order."""
    names = sorted(members.unique(), key=lambda name: (name == "high", name))
    if len(names) < 2:
        raise InputError(
            f"moderation: everybody is in the group {', '.join(names) or 'of nobody'}; expected two groups."
        )
    parts = {}
    for name in names:
        own = complete[members == name]
        different = own["satisfaction"].nunique()
        if len(own) < FEWEST_CUSTOMERS or different < FEWEST_VALUES or own["loyalty"].nunique() < 2:
            raise InputError(
                f"moderation: group {name} has {len(own)} {worded(len(own), 'customer', 'customers')} with {different} "
                f"different {worded(different, 'satisfaction', 'satisfactions')}; expected at least "
                f"{FEWEST_CUSTOMERS} with {FEWEST_VALUES}, and a loyalty that varies. Join groups, or move the cut."
            )
        x, y = own[["satisfaction", "loyalty"]].to_numpy(dtype=float).T
        parts[name] = (x, y)
    return parts


def _fits(
    parts: dict[str, tuple[Array, Array]],
    between: tuple[float, float],
    slope_share: float,
    bootstrap: int,
    seed: int,
    grid: Array,
    level: float,
) -> tuple[dict[str, Array], pd.DataFrame, float, list[str]]:
    """Measures (1 + b, 7) of each group, the estimate first; the curves; the residual sum of squares; problems."""
    found, curves, rss, told = {}, [], 0.0, []
    ends = np.array(between)
    for number, (name, (x, y)) in enumerate(parts.items()):
        whole = fit_sigmoid(tally(x, y))
        drawn = fit_sigmoid(tally(x, y, resamples(len(x), bootstrap, seed + number)))
        params = np.concatenate([whole.params, drawn.params])
        gain = np.diff(sigmoid(ends, params), axis=1)
        found[name] = np.concatenate([with_thresholds(params, slope_share), gain], axis=1)
        lower, upper = percentiles(sigmoid(grid, drawn.params), level)
        columns = {"sigmoid": sigmoid(grid, whole.params[0]), "sigmoid_lower": lower, "sigmoid_upper": upper}
        curves.append(pd.DataFrame({"group": name, "satisfaction": grid, **columns}))
        rss += _rss(x, y, whole.params[0])
        if not (whole.converged[0] and whole.inside[0]):
            told.append(
                f"Group {name}: the sigmoid is not determined by these data; read its gain, not its thresholds."
            )
    return found, pd.concat(curves, ignore_index=True), rss, told


def _rss(x: Array, y: Array, params: Array) -> float:
    return float(((y - sigmoid(x, params)) ** 2).sum())


def _groups(found: dict[str, Array], sizes: dict[str, int], level: float) -> pd.DataFrame:
    parts = []
    for name, measures in found.items():
        lower, upper = percentiles(measures[1:], level)
        columns = {"estimate": measures[0], "ci_lower": lower, "ci_upper": upper}
        parts.append(pd.DataFrame({"group": name, "measure": MEASURES, "n": sizes[name], **columns}))
    return pd.concat(parts, ignore_index=True)


def _differences(found: dict[str, Array], level: float) -> pd.DataFrame:
    first, *others = found
    parts = []
    for name in others:
        away = found[name] - found[first]
        lower, upper = percentiles(away[1:], level)
        columns = {"difference": away[0], "ci_lower": lower, "ci_upper": upper}
        parts.append(pd.DataFrame({"group": name, "against": first, "measure": MEASURES, **columns}))
    return pd.concat(parts, ignore_index=True)


def _interaction(complete: pd.DataFrame, level: float) -> pd.Series:
    """Coefficient of satisfaction × moderator, both about their means, with HC3."""
    import statsmodels.api as sm

    x = complete["satisfaction"] - complete["satisfaction"].mean()
    z = complete["moderator"].astype(float) - complete["moderator"].astype(float).mean()
    design = sm.add_constant(pd.DataFrame({"satisfaction": x, "moderator": z, "interaction": x * z}))
    fit = sm.OLS(complete["loyalty"], design).fit(cov_type="HC3")
    lower, upper = fit.conf_int(1 - level).loc["interaction"]
    estimate, se, pvalue = (getattr(fit, name)["interaction"] for name in ("params", "bse", "pvalues"))
    return pd.Series({"estimate": estimate, "se": se, "ci_lower": lower, "ci_upper": upper, "pvalue": pvalue})


def _one_curve(together: float, apart: float, groups: int, n: int) -> pd.Series:
    """F of the extra sum of squares: four parameters for every further group."""
    from scipy.stats import f

    df1, df2 = 4 * (groups - 1), n - 4 * groups
    value = max(together - apart, 0.0) / df1 / (apart / df2) if apart > 0 else float("nan")
    return pd.Series({"f": value, "df1": df1, "df2": df2, "pvalue": float(f.sf(value, df1, df2))})
