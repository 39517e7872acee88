"""The net promoter score 净推荐值 beside satisfaction: what is lost when eleven answers become three (chapter 10).

The score itself is that of `crmlab.likert.nps`. Here stands what it costs: how wide its interval is on its own scale,
how much of what people answered it keeps, and how many more respondents it needs to see the same difference.

References
----------
Cohen, J. (1983). The cost of dichotomization. Applied Psychological Measurement 7, 249–253.
Keiningham, T. L., Cooil, B., Andreassen, T. W. & Aksoy, L. (2007). A longitudinal examination of net promoter and firm
revenue growth. Journal of Marketing 71(3), 39–51.
Reichheld, F. F. (2003). The one number you need to grow. Harvard Business Review 81(12), 46–54.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.likert import nps as net_promoter_score
from crmlab.likert.shares import DETRACTOR, NPS_SCALE, PROMOTER
from crmlab.loyalty.curves import Array, resamples
from crmlab.loyalty.inputs import aligned, check_level, check_pairs, check_resamples, measured, worded
from crmlab.results import page, plain, records, rows_by_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLASSES = ("detractors", "passives", "promoters")


@dataclass(frozen=True, eq=False)
class Promoters:
    """The net promoter score and its price.

    Attributes
    ----------
    nps, ci_lower, ci_upper : float
        −100 to 100.
    shares : Series: promoters, passives, detractors
    measures : DataFrame, index NPS, mean recommendation, and satisfaction if given
        estimate, ci_lower, ci_upper, minimum, maximum (of the scale), width_share (width of the interval as a share of
        the scale's length).
    lost : Series
        variance_kept (share of the variance of the answers 0–10 that lies between the three classes). With
        satisfaction, its correlation with the answers (r_answers) and with the classes −1, 0, 1 (r_classes), the
        difference with its bootstrap interval (r_lost, r_lost_ci_lower, r_lost_ci_upper), and respondents_ratio: how
        many times as many respondents the classes need to show the same small shift, (r_answers / r_classes)².
    by_group : DataFrame
        As `crmlab.likert.nps`; empty without groups.
    n : int
    level : float
    problems : list of str
    """

    nps: float
    ci_lower: float
    ci_upper: float
    shares: pd.Series
    measures: pd.DataFrame
    lost: pd.Series
    by_group: pd.DataFrame
    n: int
    level: float
    problems: list[str]

    def plot(self, language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Draw each measure with its interval on its own scale, all scales drawn alike long."""
        from crmlab.plots.loyalty import scale_intervals

        return scale_intervals(self.measures, level=self.level, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "n": self.n,
            "nps": self.nps,
            "ci": [self.ci_lower, self.ci_upper],
            "shares": plain(self.shares),
            "measures": rows_by_name(self.measures),
            "lost": plain(self.lost),
            "groups": records(self.by_group),
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        head = f"NPS {self.nps:.1f} ({self.ci_lower:.1f} to {self.ci_upper:.1f}, n = {self.n})"
        return page(self.measures.round(3).to_html(), heading=head, problems=self.problems)


def nps(
    recommend: Any,
    satisfaction: Any = None,
    *,
    by: Any = None,
    scale: tuple[float, float] | None = None,
    method: str = "bonett-price",
    bootstrap: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Promoters:
    """The net promoter score, and what it throws away.

    Parameters
    ----------
    recommend : Series or sequence, (n,)
        Answers from 0 to 10; missing ones are left out and told.
    satisfaction : Series or sequence of numbers, (n,), optional
        To compare with.
    by : Series or sequence, (n,), optional
        Groups.
    scale : (lowest, highest), optional
        Of satisfaction; default the observed ends.
    method : {"bonett-price", "wald"}
        As for `crmlab.likert.nps`.
    bootstrap, seed
        Of the interval of r_lost.
    level : float in (0, 1)

    Returns
    -------
    Promoters

    Raises
    ------
    InputError
        An answer off 0–10, different customers, fewer than two answers.

    Examples
    --------
    >>> found = nps([10] * 4 + [8] * 4 + [3] * 2)
    >>> found.nps, round(found.ci_lower, 1), float(found.shares["detractors"])
    (20.0, -28.6, 0.2)
    """
    check_level("nps", level)
    check_resamples("nps", bootstrap, seed)
    if scale is not None:
        check_pairs("nps", "scale", [scale], 1)
    columns = {"recommend": recommend, **({} if satisfaction is None else {"satisfaction": satisfaction})}
    given = measured("nps", columns)
    known = given["recommend"].notna()
    answered = given[known]
    if len(answered) < 2:
        raise InputError(f"nps: {len(answered)} {worded(len(answered), 'answer', 'answers')}; expected at least 2.")
    score = net_promoter_score(answered, ["recommend"], method=method, level=level).iloc[0]
    groups = pd.DataFrame()
    if by is not None:
        member = aligned("nps", {"recommend": given["recommend"], "group": by})["group"]
        table = answered[["recommend"]].assign(group=member[known])
        groups = net_promoter_score(table, ["recommend"], by="group", method=method, level=level)
    lost = _lost(answered, bootstrap, level, seed)
    measures = _measures(answered, score, scale, level)
    return Promoters(
        float(score["nps"]), float(score["ci_lower"]), float(score["ci_upper"]),
        pd.Series({name: float(score[name]) for name in reversed(CLASSES)}, name="share"),
        measures, lost, groups, len(answered), level, _problems(given, answered, measures, lost),
    )  # fmt: skip


def classes(recommend: Array) -> Array:
    """−1 for a detractor, 0 for a passive, 1 for a promoter.

    Examples
    --------
    >>> classes(np.array([6.0, 7.0, 9.0])).tolist()
    [-1.0, 0.0, 1.0]
    """
    code: Array = (recommend >= PROMOTER).astype(float) - (recommend <= DETRACTOR).astype(float)
    return code


def _measures(
    answered: pd.DataFrame, score: pd.Series, scale: tuple[float, float] | None, level: float
) -> pd.DataFrame:
    from scipy.stats import t

    rows = {"NPS": [score["nps"], score["ci_lower"], score["ci_upper"], -100.0, 100.0]}
    named = {"mean recommendation": ("recommend", NPS_SCALE)}
    if "satisfaction" in answered:
        values = answered["satisfaction"]
        low, high = (float(values.min()), float(values.max())) if scale is None else map(float, scale)
        if not low < high or values.min() < low or values.max() > high:
            raise InputError(
                f"nps: satisfaction runs from {values.min():g} to {values.max():g}, its scale from {low:g} to "
                f"{high:g}; expected values that vary, on the scale."
            )
        named["satisfaction"] = ("satisfaction", (low, high))
    for name, (column, ends) in named.items():
        values = answered[column].dropna()
        reach = t.ppf((1 + level) / 2, len(values) - 1) * values.std() / len(values) ** 0.5
        rows[name] = [values.mean(), values.mean() - reach, values.mean() + reach, *ends]
    columns = ["estimate", "ci_lower", "ci_upper", "minimum", "maximum"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype(float).rename_axis("measure")
    width = table["ci_upper"] - table["ci_lower"]
    return table.assign(width_share=width / (table["maximum"] - table["minimum"]))


def _lost(answered: pd.DataFrame, bootstrap: int, level: float, seed: int) -> pd.Series:
    recommend = answered["recommend"].to_numpy()
    code, spread = classes(recommend), recommend.var()
    groups = pd.Series(recommend).groupby(code).transform("mean").to_numpy()
    found = {"variance_kept": float(groups.var() / spread) if spread > 0 else float("nan")}
    if "satisfaction" in answered:
        both = answered.dropna()
        x, full = both["satisfaction"].to_numpy(), both["recommend"].to_numpy()
        columns = np.stack([full, classes(full)])
        r = _correlations(x[None], columns[:, None])[:, 0]
        rows = resamples(len(x), bootstrap, seed)
        drawn = _correlations(x[rows], columns[:, rows])
        known = (drawn[0] - drawn[1])[np.isfinite(drawn).all(axis=0)]
        ends = [(1 - level) / 2, (1 + level) / 2]
        lower, upper = np.quantile(known, ends) if len(known) else (np.nan, np.nan)
        found |= {"r_answers": r[0], "r_classes": r[1], "r_lost": r[0] - r[1]}
        found |= {"r_lost_ci_lower": lower, "r_lost_ci_upper": upper}
        with np.errstate(divide="ignore", invalid="ignore"):
            found["respondents_ratio"] = np.square(r[0] / r[1])
    return pd.Series({name: float(value) for name, value in found.items()}, name="value")


def _correlations(x: Array, y: Array) -> Array:
    """Pearson's r of x (b, n) with each of y (k, b, n)."""
    x, y = x - x.mean(axis=-1, keepdims=True), y - y.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        r: Array = (x * y).sum(axis=-1) / np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    return r


def _problems(given: pd.DataFrame, answered: pd.DataFrame, measures: pd.DataFrame, lost: pd.Series) -> list[str]:
    told = []
    dropped = len(given) - len(answered)
    if dropped:
        were, are = worded(dropped, "was", "were"), worded(dropped, "is", "are")
        told.append(f"{dropped:,} of {len(given):,} customers {were} not asked or gave no answer and {are} left out.")
    present = np.unique(classes(answered["recommend"].to_numpy()))
    if len(present) == 1:
        told.append(f"All are {CLASSES[int(present[0]) + 1]}; the interval rests on the one class that was seen.")
    wide = measures["width_share"]
    told.append(
        f"The interval of the NPS takes {100 * wide['NPS']:.1f} % of its scale, that of the mean answer to the same "
        f"question {100 * wide['mean recommendation']:.1f} %."
    )
    if lost.get("r_lost_ci_lower", -1.0) > 0:
        told.append(
            f"With three classes the correlation with satisfaction falls from {lost['r_answers']:.2f} to "
            f"{lost['r_classes']:.2f}: the score needs {lost['respondents_ratio']:.1f} times the respondents to show "
            "the same shift. Report the mean answer beside it."
        )
    return told
