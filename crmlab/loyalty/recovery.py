"""Service recovery 服务补救: are customers whose complaint was made good more content than those who never complained?

If they are, that is the recovery paradox 服务补救悖论. It is easily seen where there is none: a firm makes good to its
better customers more often; who complains at a low point rises anyhow, which is regression to the mean; and among those
who never complained are the ones who suffered in silence. So every contrast stands three times: as the groups are,
given satisfaction before, and as a change. With stakes, the result says whether recovery restores less the more a
customer had to lose (chapter 10, course row E11).

References
----------
McCollough, M. A., Berry, L. L. & Yadav, M. S. (2000). An empirical investigation of customer satisfaction after service
failure and recovery. Journal of Service Research 3, 121–137.
de Matos, C. A., Henrique, J. L. & Rossi, C. A. V. (2007). Service recovery paradox: a meta-analysis. Journal of Service
Research 10, 60–77.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.loyalty.inputs import aligned, answered, check_level, measured, worded
from crmlab.results import page, plain, records, rows_by_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RECOVERED, UNRECOVERED, SILENT, NEVER = "recovered", "unrecovered", "silent", "never complained"
#: How a contrast is estimated, the most trusted last.
WAYS = ("as they are", "given before", "change")
#: A group smaller than this cannot carry an interval that deserves the name.
FEW = 10


@dataclass(frozen=True, eq=False)
class Recovery:
    """Recovered complainers against the others.

    Attributes
    ----------
    groups : DataFrame, index group (recovered, unrecovered, silent, never complained; only those that occur)
        n, mean, ci_lower, ci_upper of the outcome (t); with `before` also before, change, and expected_change: what the
        regression of after on before among the never complained leads one to expect at the group's mean before.
    contrasts : DataFrame: against, way, n, difference, se, ci_lower, ci_upper, pvalue, minimum_detectable
        Recovered minus the group `against`. way is "as they are" (Welch), "given before" (regression, HC3) or "change"
        (Welch on after − before). minimum_detectable is the difference that groups of this size and spread would show
        with the stated power.
    stake : DataFrame, index recovered, unrecovered, difference: slope, se, ci_lower, ci_upper, pvalue
        Outcome (change, if there is a before) per point of stake among complainers (HC3). A negative difference means
        that recovery restores less the more is at stake. Empty without stakes.
    way : str
        The way that the verdict rests on.
    power, level : float
    problems : list of str
    """

    groups: pd.DataFrame
    contrasts: pd.DataFrame
    stake: pd.DataFrame
    way: str
    power: float
    level: float
    problems: list[str]

    @property
    def paradox(self) -> str:
        """By the interval of the most trusted contrast: "yes", "no" (they stay below the others), or "not shown"."""
        rows = self.contrasts[(self.contrasts["against"] == NEVER) & (self.contrasts["way"] == self.way)]
        if rows.empty:
            return "not shown"
        row = rows.iloc[0]
        return "yes" if row["ci_lower"] > 0 else "no" if row["ci_upper"] < 0 else "not shown"

    def plot(self, language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Draw the contrasts with their intervals and the smallest difference that could have been seen."""
        from crmlab.plots.loyalty import contrast_intervals

        return contrast_intervals(self.contrasts, level=self.level, power=self.power, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "groups": rows_by_name(self.groups),
            "contrasts": records(self.contrasts),
            "stake": {str(name): plain(row) for name, row in self.stake.iterrows()},
            "way": self.way,
            "paradox": self.paradox,
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        tables = [self.groups.round(2).to_html(), self.contrasts.round(3).to_html(index=False)]
        tables += [self.stake.round(3).to_html()] if len(self.stake) else []
        return page(*tables, heading=f"Recovery paradox: {self.paradox}", problems=self.problems)


def recovery(
    after: Any,
    complained: Any,
    recovered: Any,
    *,
    before: Any = None,
    problem: Any = None,
    stake: Any = None,
    level: float = 0.95,
    power: float = 0.8,
) -> Recovery:
    """Compare customers whose complaint was made good with those who never complained and with the unrecovered.

    Parameters
    ----------
    after : Series or sequence of numbers, (n,)
        Satisfaction or loyalty after the time in which complaints were handled.
    complained, recovered : Series or sequences of yes and no, (n,)
        recovered is asked of complainers only.
    before : Series or sequence of numbers, (n,), optional
        The same measure of the same customers before anything went wrong. Without it nobody can tell recovery from
        selection.
    problem : Series or sequence of yes and no, (n,), optional
        Whether something went wrong at all. Who had a problem and did not complain is then a group of its own, silent;
        else these customers stand among the never complained and pull them down.
    stake : Series or sequence of numbers, (n,), optional
        How much the customer had to lose.
    level, power : float in (0, 1)

    Returns
    -------
    Recovery

    Raises
    ------
    InputError
        Different customers, answers other than yes and no, nobody recovered or nobody who never complained.

    Examples
    --------
    >>> from crmlab.datasets import simulate_loyalty
    >>> data = simulate_loyalty(2000, seed=1).data
    >>> asked = (data["satisfaction_after"], data["complained"], data["recovered"])
    >>> recovery(*asked).paradox, recovery(*asked, before=data["satisfaction"], problem=data["problem"]).paradox
    ('yes', 'no')
    """
    check_level("recovery", level)
    check_level("recovery", power)
    table = _table(after, complained, recovered, before, problem, stake)
    used = table.dropna(subset=["after", "group", *(["before"] if before is not None else [])])
    sizes = used["group"].value_counts()
    for group in (RECOVERED, NEVER):
        if (n := int(sizes.get(group, 0))) < 2:
            raise InputError(
                f"recovery: {n} {worded(n, 'customer is', 'customers are')} {group}; expected at least two (and ten, "
                "to say anything)."
            )
    ways = WAYS if before is not None else WAYS[:1]
    others = [group for group in (NEVER, UNRECOVERED, SILENT) if sizes.get(group, 0) >= 2]
    rows = [_contrast(used, against, way, level, power) for against in others for way in ways]
    contrasts = pd.DataFrame(rows)
    stakes = _stake(used, ways[-1], level) if stake is not None else pd.DataFrame()
    groups = _groups(used, level)
    told = _problems(table, used, groups, contrasts, stakes, problem is None, power)
    return Recovery(groups, contrasts, stakes, ways[-1], power, level, told)


def _table(after: Any, complained: Any, recovered: Any, before: Any, problem: Any, stake: Any) -> pd.DataFrame:
    """after, before, stake as numbers; group by the answers; missing where an answer that decides it is."""
    asked = {"after": after, "before": before, "stake": stake}
    table = measured("recovery", {name: values for name, values in asked.items() if values is not None})
    words = {"complained": complained, "recovered": recovered, "problem": problem}
    given = aligned("recovery", {"after": table["after"], **{k: v for k, v in words.items() if v is not None}})
    said = {name: answered("recovery", given[name]) for name in words if name in given}
    spoke, mended = said["complained"], said["recovered"]
    group = pd.Series(pd.NA, index=table.index, dtype="object")
    group[(spoke & mended).fillna(False)] = RECOVERED
    group[(spoke & ~mended).fillna(False)] = UNRECOVERED
    group[(~spoke).fillna(False)] = NEVER
    if "problem" in said:
        group[(~spoke & said["problem"]).fillna(False)] = SILENT
        group[(~spoke & said["problem"].isna()).fillna(False)] = pd.NA
    return table.assign(group=group)


def _groups(used: pd.DataFrame, level: float) -> pd.DataFrame:
    from scipy.stats import t

    by = used.groupby("group")["after"]
    n = by.size()
    reach = pd.Series(t.ppf((1 + level) / 2, np.maximum(n - 1, 1)), index=n.index) * by.std() / n**0.5
    found = pd.DataFrame({"n": n, "mean": by.mean(), "ci_lower": by.mean() - reach, "ci_upper": by.mean() + reach})
    if "before" in used:
        found["before"] = used.groupby("group")["before"].mean()
        found["change"] = found["mean"] - found["before"]
        never = used[used["group"] == NEVER]
        spread = never["before"].var()
        slope = never["after"].cov(never["before"]) / spread if spread > 0 else float("nan")
        at_mean = never["after"].mean() + slope * (found["before"] - never["before"].mean())
        found["expected_change"] = at_mean - found["before"]
    return found.reindex([name for name in (RECOVERED, UNRECOVERED, SILENT, NEVER) if name in found.index])


def _contrast(used: pd.DataFrame, against: str, way: str, level: float, power: float) -> dict[str, Any]:
    from scipy.special import ndtri

    both = used[used["group"].isin([RECOVERED, against])]
    is_recovered = (both["group"] == RECOVERED).astype(float)
    if way == "given before":
        found = _regression(both["after"], pd.DataFrame({"recovered": is_recovered, "before": both["before"]}), level)
        values = {str(name): float(column["recovered"]) for name, column in found.items()}
    else:
        outcome = both["after"] - both["before"] if way == "change" else both["after"]
        values = _welch(outcome[is_recovered == 1].to_numpy(), outcome[is_recovered == 0].to_numpy(), level)
    values["difference"] = values.pop("estimate")
    least = (ndtri((1 + level) / 2) + ndtri(power)) * values["se"]
    return {"against": against, "way": way, "n": len(both), **_ordered(values), "minimum_detectable": float(least)}


def _ordered(values: dict[str, float]) -> dict[str, float]:
    return {name: float(values[name]) for name in ("difference", "se", "ci_lower", "ci_upper", "pvalue")}


def _welch(first: np.ndarray, second: np.ndarray, level: float) -> dict[str, float]:
    """Difference of two means with unequal variances (scipy)."""
    from scipy.stats import ttest_ind

    difference = float(first.mean() - second.mean())
    se = float(np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second)))
    if se == 0:
        return {"estimate": difference, "se": 0.0, "ci_lower": np.nan, "ci_upper": np.nan, "pvalue": np.nan}
    found = ttest_ind(first, second, equal_var=False)
    ends = found.confidence_interval(level)
    return {"estimate": difference, "se": se, "ci_lower": ends.low, "ci_upper": ends.high, "pvalue": found.pvalue}


def _regression(outcome: pd.Series, columns: pd.DataFrame, level: float) -> pd.DataFrame:
    """Least squares with HC3 errors (statsmodels): estimate, se, ci_lower, ci_upper, pvalue by column."""
    import statsmodels.api as sm

    design = sm.add_constant(columns.astype(float), has_constant="add")
    if len(design) <= design.shape[1] or np.linalg.matrix_rank(design.to_numpy()) < design.shape[1]:
        names = ["estimate", "se", "ci_lower", "ci_upper", "pvalue"]
        return pd.DataFrame(np.nan, index=design.columns, columns=names)
    fit = sm.OLS(outcome.to_numpy(dtype=float), design).fit(cov_type="HC3", use_t=True)
    ends = fit.conf_int(1 - level)
    return pd.DataFrame(
        {"estimate": fit.params, "se": fit.bse, "ci_lower": ends[0], "ci_upper": ends[1], "pvalue": fit.pvalues}
    )


def _stake(used: pd.DataFrame, way: str, level: float) -> pd.DataFrame:
    """Slopes on the stake among complainers, and how far that of the recovered lies from that of the unrecovered."""
    who = used[used["group"].isin([RECOVERED, UNRECOVERED])].dropna(subset=["stake"])
    outcome = who["after"] - who["before"] if way == "change" else who["after"]
    rows = {}
    for name, own in ((RECOVERED, RECOVERED), (UNRECOVERED, UNRECOVERED)):
        part = who["group"] == own
        rows[name] = _regression(outcome[part], who.loc[part, ["stake"]], level).loc["stake"]
    mended = (who["group"] == RECOVERED).astype(float)
    columns = pd.DataFrame({"stake": who["stake"], "recovered": mended, "both": who["stake"] * mended})
    rows["difference"] = _regression(outcome, columns, level).loc["both"]
    return pd.DataFrame(rows).T.rename(columns={"estimate": "slope"}).rename_axis("complainers")


def _problems(
    table: pd.DataFrame,
    used: pd.DataFrame,
    groups: pd.DataFrame,
    contrasts: pd.DataFrame,
    stakes: pd.DataFrame,
    no_problem: bool,
    power: float,
) -> list[str]:
    told = []
    dropped = len(table) - len(used)
    if dropped:
        lack = worded(dropped, "lacks an answer that is needed and is", "lack an answer that is needed and are")
        told.append(f"{dropped:,} of {len(table):,} customers {lack} left out.")
    sizes = groups["n"]
    few = [f"{name} ({int(n)})" for name, n in sizes.items() if n < FEW]
    complainers = int(sizes.get(RECOVERED, 0) + sizes.get(UNRECOVERED, 0))
    if few or complainers < FEW:
        named = ", ".join(few) or f"complainers ({complainers})"
        told.append(
            f"Fewer than {FEW} customers: {named}. Intervals mean little; count on the smallest visible difference."
        )
    if UNRECOVERED not in sizes.index:
        told.append("Nobody is unrecovered: recovery cannot be told from complaining.")
    told += _selection(used, groups)
    if no_problem:
        told.append(
            "Whether something went wrong was not asked: those who suffered in silence stand among the never "
            "complained and pull them down, which looks like a paradox."
        )
    if contrasts["ci_lower"].isna().any():
        told.append("In some contrasts the answers do not vary; there is no interval for them.")
    main = contrasts[(contrasts["against"] == NEVER)].iloc[-1]
    if main["ci_lower"] <= 0 <= main["ci_upper"]:
        told.append(
            f"No difference to the never complained is shown; with these groups one of "
            f"{main['minimum_detectable']:.2f} points would be seen with a probability of {100 * power:.0f} %. "
            "Smaller ones may well be there."
        )
    if len(stakes) and stakes["se"].isna().any():
        told.append("Stakes do not vary enough among complainers for a slope.")
    return told


def _selection(used: pd.DataFrame, groups: pd.DataFrame) -> list[str]:
    if "before" not in groups:
        return [
            "There is no measure from before: a firm that makes good to its better customers, and customers who "
            "complain at a low point and rise anyhow, both look like recovery."
        ]
    told = []
    first, second = (used.loc[used["group"] == name, "before"].to_numpy() for name in (RECOVERED, NEVER))
    found = _welch(first, second, 0.95)
    if found["ci_lower"] > 0 or found["ci_upper"] < 0:
        side = "more" if found["estimate"] > 0 else "less"
        told.append(
            f"Recovered customers were {side} content already before, by {abs(found['estimate']):.2f} points: the "
            "groups as they are do not show what recovery does."
        )
    recovered, never = groups["expected_change"].reindex([RECOVERED, NEVER]).astype(float).tolist()
    if abs(recovered - never) >= 0.1:
        told.append(
            f"Regression to the mean: from where they stood before, recovered customers could be expected to change by "
            f"{recovered:+.2f} points anyhow, the never complained by {never:+.2f}. Compare the change with care, and "
            'read "given before" beside it.'
        )
    return told
