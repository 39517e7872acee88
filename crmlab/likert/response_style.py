"""Habits of answering: how much of an answer is method, and what correcting for scale use does (chapter 7).

Two questions. Does a single factor, the common method 共同方法偏差, run through all items? And what happens to
correlations and to the index when each respondent's own level (and spread) is taken out of the answers?

References
----------
Fischer, R. (2004). Standardization to account for cross-cultural response bias. Journal of Cross-Cultural Psychology
35, 263–282.
Lindell, M. K. & Whitney, D. J. (2001). Accounting for common method variance in cross-sectional research designs.
Journal of Applied Psychology 86, 114–121.
Maydeu-Olivares, A. & Coffman, D. L. (2006). Random intercept item factor analysis. Psychological Methods 11, 344–362.
Podsakoff, P. M., MacKenzie, S. B., Lee, J.-Y. & Podsakoff, N. P. (2003). Common method biases in behavioral research.
Journal of Applied Psychology 88, 879–903.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab import sem
from crmlab.errors import InputError
from crmlab.likert.battery import Battery, Items, Scale, column, frame_of, index_points, numbers
from crmlab.likert.shares import groups_of
from crmlab.results import page, plain, records

if TYPE_CHECKING:
    from crmlab.responses import Responses

HARMAN = 0.50  # the customary limit of the first factor's share
METHODS = ("centre", "standardise")
_METHOD = "Method"


@dataclass(frozen=True, eq=False)
class MethodCheck:
    """Signs of a common method.

    Attributes
    ----------
    harman : Series: first_component, one_factor
        Share of the items' variance in the first principal component, and explained by one maximum-likelihood factor.
    method_factor : Series: chisq_without, chisq_with, difference, df, pvalue, variance, share
        The factor model of the constructs without and with a factor that adds the same number of scale points to every
        answer of a respondent (before any item is turned round): its variance in squared points, and its mean share of
        the items' variance. nan where a model has no solution.
    correlations : DataFrame: construct, other, observed, latent, latent_method, marker
        Between means of items; between constructs without and with the method factor; and observed ones with the
        marker's correlation taken out, (r − r_M)/(1 − r_M) (nan without a marker). Correlations that no population can
        have together are nan.
    marker_correlation : float
        r_M, the smallest correlation of the marker with a construct, 0 if negative; nan without a marker.
    n : int
    problems : list of str
    """

    harman: pd.Series
    method_factor: pd.Series
    correlations: pd.DataFrame
    marker_correlation: float
    n: int
    problems: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "harman": plain(self.harman),
            "method_factor": plain(self.method_factor),
            "correlations": records(self.correlations),
            "marker_correlation": plain(self.marker_correlation),
            "n": self.n,
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        return page(self.correlations.round(3).to_html(index=False), problems=self.problems)


@dataclass(frozen=True, eq=False)
class ScaleUse:
    """Answers with each respondent's habit taken out, and what that changed.

    Attributes
    ----------
    data : DataFrame (n, items)
        Corrected answers, around the mean of all answers; no longer bound to the scale.
    respondents : DataFrame: level, spread
        Mean and standard deviation of each respondent's raw answers.
    correlations : DataFrame: construct, other, before, after
        Between means of items.
    index : DataFrame: group, construct, before, after, sd_before, sd_after
        Mean and standard deviation of the respondents' index, 0–100, by group where there are groups.
    floor : float
        −1/(k − 1): the mean correlation that centring forces on k constructs of equal length and spread, whatever the
        truth, when all items point the same way.
    problems : list of str
    """

    data: pd.DataFrame
    respondents: pd.DataFrame
    correlations: pd.DataFrame
    index: pd.DataFrame
    floor: float
    problems: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON; not the corrected answers."""
        return {
            "correlations": records(self.correlations),
            "index": records(self.index),
            "floor": plain(self.floor),
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        tables = self.correlations.round(3), self.index.round(1)
        return page(*(table.to_html(index=False) for table in tables), problems=self.problems)


def method_check(
    data: pd.DataFrame | Responses,
    items: Items,
    *,
    scale: Scale | None = None,
    turned: Sequence[str] | None = None,
    marker: str | None = None,
) -> MethodCheck:
    """How much of the answers could come from the way they were asked for.

    Parameters
    ----------
    data : DataFrame or Responses
        Answers with reversed items turned round already; respondents with a missing answer are left out.
    items, scale
        As for `Battery.of`, with at least two constructs.
    turned : sequence of items, optional
        Items that were turned round, on which the method works the other way; by default the questionnaire's.
    marker : str, optional
        Column that theory says has nothing to do with any construct.

    Returns
    -------
    MethodCheck

    Raises
    ------
    InputError
        Fewer than two constructs, or answers that cannot be read.

    Notes
    -----
    Harman's share is kept because readers ask for it; it is no test: constructs that are truly related raise it as a
    method does, and many items dilute it (Podsakoff et al. 2003). The method factor has one parameter more than the
    model without it (Maydeu-Olivares & Coffman 2006); only items that were turned round let it be told from constructs
    that are all positively related.

    Examples
    --------
    >>> from crmlab.datasets import simulate_response_style
    >>> survey = simulate_response_style(600, seed=1, level_sd=0.8)
    >>> found = method_check(survey.data, survey.blocks, scale=(1, 7), turned=survey.turned)
    >>> found.correlations[["observed", "latent_method"]].mean().round(1).tolist()      # the truth: 0.3
    [0.2, 0.3]
    """
    battery = Battery.of(items, scale)
    blocks = battery.require_blocks("method_check")
    if len(blocks) < 2:
        raise InputError("method_check: found one construct; a common method shows between two or more. Name others.")
    turned = battery.turned if turned is None else tuple(turned)
    values = battery.read(data).dropna()
    left_out = len(frame_of(data)) - len(values)
    notes = [f"{left_out} respondents with a missing answer are left out."] if left_out else []
    scores = pd.DataFrame({name: values[block].mean(axis=1) for name, block in blocks.items()})
    plain_model, with_method = _cfa(blocks), _cfa(blocks) + "\n" + _method_text(blocks, turned)
    without, method = _fitted(plain_model, values, notes), _fitted(with_method, values, notes)
    pairs = list(combinations(blocks, 2))
    table = pd.DataFrame(pairs, columns=["construct", "other"])
    table["observed"] = _between(scores)
    table["latent"], table["latent_method"] = (_latent(fit, pairs) for fit in (without, method))
    r_m = _marker(data, marker, scores)
    table["marker"] = (table["observed"] - r_m) / (1 - r_m)
    harman = _harman(values)
    factor = _method_factor(without, method, values)
    return MethodCheck(
        harman, factor, table, r_m, len(values), [*notes, *_check_problems(harman, factor, turned, marker)]
    )


def scale_use(
    data: pd.DataFrame | Responses,
    items: Items,
    *,
    method: str = "centre",
    scale: Scale | None = None,
    turned: Sequence[str] | None = None,
    by: str | None = None,
) -> ScaleUse:
    """Take each respondent's own level, and on request spread, out of the answers.

    Parameters
    ----------
    data : DataFrame or Responses
        Answers with reversed items turned round already; a respondent's level is taken over the answers there are.
    items, scale
        As for `Battery.of`, with constructs.
    method : {"centre", "standardise"}
        Take out the level; or divide by the spread too.
    turned : sequence of items, optional
        Items that were turned round: their raw answers show the habit. By default the questionnaire's.
    by : str, optional
        Column of groups for the index.

    Returns
    -------
    ScaleUse

    Raises
    ------
    InputError

    Notes
    -----
    Corrected answers say how a respondent rates one thing *relative to the others* (they are ipsative). When all items
    point the same way, the constructs' corrected means sum to a constant, which forces their mean correlation down to
    `floor`, and true differences of level are removed along with the habit (Fischer 2004). Spread is opinion as well as
    habit: standardising takes some of the opinion out, and correlations come out too small.

    Examples
    --------
    >>> from crmlab.datasets import simulate_response_style
    >>> survey = simulate_response_style(600, seed=1, level_sd=0.8)
    >>> result = scale_use(survey.data, survey.blocks, scale=(1, 7), turned=survey.turned)
    >>> result.correlations[["before", "after"]].mean().round(2).tolist()
    [0.24, 0.24]
    """
    if method not in METHODS:
        raise InputError(f"method {method!r} is unknown; choose one of {', '.join(METHODS)}.")
    battery = Battery.of(items, scale)
    blocks = battery.require_blocks("scale_use")
    turned = battery.turned if turned is None else tuple(turned)
    values = battery.read(data)
    raw = battery.turn(values, turned)
    level, spread = raw.mean(axis=1), raw.std(axis=1)
    centred = raw.sub(level, axis=0)
    if method == "standardise":
        centred = centred.div(spread.where(spread > 0), axis=0) * float(spread.mean())
    corrected = battery.turn(centred + float(np.nanmean(raw.to_numpy())), turned)
    before, after = (_scores(answers, blocks) for answers in (values, corrected))
    pairs = list(combinations(blocks, 2))
    table = pd.DataFrame(pairs, columns=["construct", "other"])
    for name, scores in (("before", before), ("after", after)):
        table[name] = _between(scores)
    index = _indices(data, battery, blocks, {"before": values, "after": corrected}, by)
    floor = -1 / (len(blocks) - 1) if len(blocks) > 1 else np.nan
    respondents = pd.DataFrame({"level": level, "spread": spread})
    return ScaleUse(corrected, respondents, table, index, floor, _use_problems(spread, battery, turned, by))


def _cfa(blocks: dict[str, list[str]]) -> str:
    """Factor model of the constructs with two items or more; single items have no error that could be told apart."""
    return "\n".join(f"{name} =~ {' + '.join(block)}" for name, block in blocks.items() if len(block) > 1)


def _method_text(blocks: dict[str, list[str]], turned: Sequence[str]) -> str:
    """A factor that adds the same to every raw answer: loading 1, −1 on items that were turned round, free variance."""
    constructs = [name for name, block in blocks.items() if len(block) > 1]
    loadings = [f"{-1 if item in turned else 1}*{item}" for name in constructs for item in blocks[name]]
    return "\n".join([f"{_METHOD} =~ {' + '.join(loadings)}", *(f"{_METHOD} ~~ 0*{name}" for name in constructs)])


def _fitted(text: str, values: pd.DataFrame, notes: list[str]) -> sem.Fit | None:
    """The fit of a factor model, or None with a note why there is none."""
    name = "with the method factor" if _METHOD in text else "of the constructs"
    try:
        fit = sem.fit(text, values, estimator="ML")
    except sem.SemError as error:
        notes.append(f"The factor model {name} cannot be estimated: {error}.")
        return None
    if not fit.converged:
        notes.append(f"The factor model {name} did not come to rest; its numbers are left out.")
        return None
    if fit.problems:
        notes.append(f"The factor model {name}: {fit.problems[0]}")
    return fit


def _latent(fit: sem.Fit | None, pairs: list[tuple[str, str]]) -> list[float]:
    """Correlations of constructs in a fitted model; nan for single items, and for all where no population has them."""
    if fit is None:
        return [np.nan] * len(pairs)
    rows = fit.estimates[fit.estimates["op"] == "~~"]
    known = {frozenset(pair): value for *pair, value in rows[["lhs", "rhs", "std_all"]].itertuples(index=False)}
    names = sorted({name for pair in pairs if frozenset(pair) in known for name in pair})
    matrix = np.eye(len(names))
    for i, j in combinations(range(len(names)), 2):
        matrix[i, j] = matrix[j, i] = known.get(frozenset((names[i], names[j])), np.nan)
    if not names or np.isnan(matrix).any() or np.linalg.eigvalsh(matrix)[0] <= 0:
        return [np.nan] * len(pairs)
    return [known.get(frozenset(pair), np.nan) for pair in pairs]


def _method_factor(without: sem.Fit | None, method: sem.Fit | None, values: pd.DataFrame) -> pd.Series:
    from scipy.stats import chi2

    names = ["chisq_without", "chisq_with", "difference", "df", "pvalue", "variance", "share"]
    if without is None or method is None:
        return pd.Series(np.nan, index=names, name="value")
    chisq = [float(fit.fit_measures["chisq"]) for fit in (without, method)]
    rows = method.estimates
    variance = float(rows.loc[(rows["lhs"] == _METHOD) & (rows["rhs"] == _METHOD), "est"].iloc[0])
    loaded = rows.loc[(rows["lhs"] == _METHOD) & (rows["op"] == "=~"), "rhs"].tolist()
    df = float(without.fit_measures["df"] - method.fit_measures["df"])
    difference = chisq[0] - chisq[1]
    share = float((variance / values[loaded].var()).mean())
    pvalue = float(chi2.sf(max(difference, 0.0), df))
    return pd.Series([*chisq, difference, df, pvalue, variance, share], index=names, name="value")


def _harman(values: pd.DataFrame) -> pd.Series:
    r = values.corr().to_numpy()
    loadings = sem.efa(values, 1, rotation="none").loadings.to_numpy()
    shares = {"first_component": np.linalg.eigvalsh(r)[-1] / len(r), "one_factor": float(np.mean(loadings**2))}
    return pd.Series(shares, name="share")


def _marker(data: pd.DataFrame | Responses, marker: str | None, scores: pd.DataFrame) -> float:
    """Smallest correlation of the marker with a construct, at least 0 (Lindell & Whitney 2001)."""
    if marker is None:
        return np.nan
    values = numbers(column(data, marker, "marker"), marker).reindex(scores.index)
    return float(max(scores.corrwith(values).min(), 0.0))


def _between(scores: pd.DataFrame) -> list[float]:
    """Correlation of every pair of columns, in the order of `combinations`."""
    r = scores.corr().to_numpy()
    return [float(r[i, j]) for i, j in combinations(range(len(r)), 2)]


def _scores(values: pd.DataFrame, blocks: dict[str, list[str]]) -> pd.DataFrame:
    return pd.DataFrame({name: values[block].mean(axis=1) for name, block in blocks.items()})


def _indices(
    data: pd.DataFrame | Responses,
    battery: Battery,
    blocks: dict[str, list[str]],
    answers: dict[str, pd.DataFrame],
    by: str | None,
) -> pd.DataFrame:
    points = {name: _scores(index_points(values, battery), blocks) for name, values in answers.items()}
    rows = []
    for group, members in groups_of(data, by):
        for construct in blocks:
            column_of = {name: table[construct].iloc[members] for name, table in points.items()}
            means = {name: float(values.mean()) for name, values in column_of.items()}
            spreads = {f"sd_{name}": float(values.std()) for name, values in column_of.items()}
            rows.append({"group": group, "construct": construct, **means, **spreads})
    return pd.DataFrame(rows)


def _check_problems(harman: pd.Series, factor: pd.Series, turned: Sequence[str], marker: str | None) -> list[str]:
    problems = []
    if harman["first_component"] > HARMAN:
        problems.append(
            f"One component holds {100 * harman['first_component']:.0f} % of the variance. Constructs that are truly "
            "related do that too: it is a reason to look further, no proof of a method effect."
        )
    if not turned:
        problems.append(
            "No item was turned round: a habit of high answers and a good opinion of everything look the same, so the "
            "method factor rests on how the items differ in size alone. Ask some questions the other way round."
        )
    if factor["variance"] < 0:
        problems.append("The method factor has a negative variance: there is no common level to take out.")
    if factor["pvalue"] < 0.05 and factor["variance"] > 0:
        problems.append(
            f"A common level of answering improves the factor model (χ² falls by {factor['difference']:.1f} on "
            f"{factor['df']:.0f} df) and holds {100 * factor['share']:.0f} % of the items' variance: compare the "
            "correlations with and without it."
        )
    if marker is None:
        problems.append("Without a marker item the method's part of single correlations cannot be estimated directly.")
    return problems


def _use_problems(spread: pd.Series, battery: Battery, turned: Sequence[str], by: str | None) -> list[str]:
    problems = ["Corrected answers are relative within each respondent: do not read them as levels of satisfaction."]
    flat = int((spread == 0).sum())
    if flat:
        problems.append(f"{flat} respondents gave one answer throughout; nothing is left of them after the correction.")
    share = len([item for item in battery.items if item in turned]) / len(battery.items)
    if share < 0.25:
        problems.append(
            f"{100 * share:.0f} % of the items point the other way: with so few, true differences of level are removed "
            "along with the habit, and correlations are pushed down."
        )
    if by is not None:
        problems.append("Differences between groups that run through all items are removed as if they were habit.")
    return problems
