"""Two-factor thinking 双因素理论: what dissatisfies when absent, what delights when present (chapter 7, course row C5).

Kano's way asks twice about each feature: how would you feel with it (functional), and without it (dysfunctional)? The
pair of answers classifies each respondent. Brandt's way regresses satisfaction on very low and very high ratings of
each attribute: hygiene factors 保健因素 only punish, motivators 激励因素 only reward.

References
----------
Berger, C. et al. (1993). Kano's methods for understanding customer-defined quality. Center for Quality Management
Journal 2(4), 3–36.
Brandt, D. R. (1987). A procedure for identifying value-enhancing service components using customer satisfaction survey
data. In C. Surprenant (ed.), Add value to your service, 61–65. American Marketing Association.
Fong, D. (1996). Using the self-stated importance questionnaire to interpret Kano questionnaire results. Center for
Quality Management Journal 5(3), 21–23.
Kano, N., Seraku, N., Takahashi, F. & Tsuji, S. (1984). Attractive quality and must-be quality. Hinshitsu 14(2), 39–48.
MacKinnon, J. G. & White, H. (1985). Some heteroskedasticity-consistent covariance matrix estimators with improved
finite sample properties. Journal of Econometrics 29, 305–325.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crmlab.errors import InputError
from crmlab.likert.battery import Battery, Items, Scale, column, numbers, records
from crmlab.likert.shares import share_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from crmlab.responses import Responses

Array = NDArray[np.float64]

#: Categories, in the order in which a tie is broken: the stricter demand first (Berger et al. 1993).
CATEGORIES: dict[str, str] = {
    "M": "must-be",
    "O": "one-dimensional",
    "A": "attractive",
    "I": "indifferent",
    "R": "reverse",
    "Q": "questionable",
}
#: What each category means in the two-factor theory.
FACTORS = {"M": "hygiene", "O": "both", "A": "motivator", "I": "neither", "R": "unwanted", "Q": "unclear"}
#: Rows: answer with the feature; columns: answer without it; both like, must-be, neutral, live-with, dislike.
TABLE: tuple[str, ...] = ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")
FONG_Z = 1.645
FEW_DUMMIES = 10  # respondents


@dataclass(frozen=True, eq=False)
class Kano:
    """Kano classes of features.

    Attributes
    ----------
    counts : DataFrame (features × categories M O A I R Q)
    table : DataFrame, index feature
        n; category (the most frequent); factor (hygiene, motivator, both, …); second (the runner-up); fong (True where
        the two differ by more than chance); certainty (share of resamples with the same category); better, worse with
        their Wilson intervals 95 %: (A + O)/(A + O + M + I) and −(O + M)/(A + O + M + I).
    problems : list of str
    """

    counts: pd.DataFrame
    table: pd.DataFrame
    problems: list[str]

    def plot(self, *, labels: Mapping[str, str] | None = None, language: str = "en", ax: Axes | None = None) -> Axes:
        """Better against worse, a point a feature."""
        from crmlab.plots.likert import kano_map

        return kano_map(self.table, labels=labels, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, ready for JSON."""
        table = self.counts.join(self.table).reset_index()
        return {"features": records(table), "problems": list(self.problems)}

    def _repr_html_(self) -> str:
        return self.counts.join(self.table).round(3).to_html()


@dataclass(frozen=True, eq=False)
class PenaltyReward:
    """Penalty–reward contrasts of attributes.

    Attributes
    ----------
    table : DataFrame, index attribute
        low, high (respondents who rate it so); penalty, reward (change of satisfaction against a middling rating, in
        its points, other attributes held still) with se, ci_lower, ci_upper of each; factor (hygiene, motivator, both,
        neither).
    r_squared : float
    n : int
    problems : list of str
    """

    table: pd.DataFrame
    r_squared: float
    n: int
    problems: list[str]

    def plot(self, *, labels: Mapping[str, str] | None = None, language: str = "en", ax: Axes | None = None) -> Axes:
        """Penalty to the left, reward to the right, a row an attribute."""
        from crmlab.plots.likert import penalty_reward_bars

        return penalty_reward_bars(self.table, labels=labels, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, ready for JSON."""
        return {
            "attributes": records(self.table.reset_index()),
            "r_squared": self.r_squared,
            "n": self.n,
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        return self.table.round(3).to_html()


def kano(
    data: pd.DataFrame | Responses,
    pairs: Mapping[str, tuple[str, str]],
    *,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Kano:
    """Classify features by pairs of questions.

    Parameters
    ----------
    data : DataFrame or Responses
        Answers 1 like, 2 must be so, 3 neutral, 4 can live with it, 5 dislike; missing answers leave out the pair.
    pairs : mapping of feature to (functional column, dysfunctional column)
    resamples : int, at least 100
        Behind `certainty`.
    seed : int
    level : float in (0, 1)

    Returns
    -------
    Kano

    Raises
    ------
    InputError
        No pairs, a missing column, an answer other than 1 to 5.

    Notes
    -----
    Fong's test: with a and b the counts of the first and second category of n answers, they differ at 10 % when
    a − b ≥ 1.645 √((a + b)(2n − a − b)/(2n)).

    Examples
    --------
    >>> answers = pd.DataFrame({"with": [1] * 7 + [3] * 3, "without": [5] * 2 + [3] * 5 + [5] * 3})
    >>> kano(answers, {"radio": ("with", "without")}).counts.loc["radio"].to_dict()
    {'M': 3, 'O': 2, 'A': 5, 'I': 0, 'R': 0, 'Q': 0}
    """
    if not pairs or resamples < 100:
        raise InputError(
            f"kano: found {len(pairs)} pairs and {resamples} resamples; expected one pair and 100 or more."
        )
    rng = np.random.default_rng(seed)
    counts = pd.DataFrame({name: _counts(data, name, pair) for name, pair in pairs.items()}).T.rename_axis("feature")
    rows = [_feature(row.to_numpy(), resamples, rng) for _, row in counts.iterrows()]
    table = pd.DataFrame(rows, index=counts.index)
    wanted = counts[["A", "O", "M", "I"]].sum(axis=1)
    for name, letters, sign in (("better", ["A", "O"], 1), ("worse", ["O", "M"], -1)):
        chosen = counts[letters].sum(axis=1)
        ends = share_interval(chosen, wanted, level=level)
        table[name] = sign * chosen / wanted.where(wanted > 0)
        table[f"{name}_ci_lower"], table[f"{name}_ci_upper"] = ends if sign > 0 else (-ends[1], -ends[0])
    return Kano(counts, table, _kano_problems(counts, table))


def penalty_reward(
    data: pd.DataFrame | Responses,
    outcome: str,
    attributes: Items,
    *,
    scale: Scale | None = None,
    low: float | None = None,
    high: float | None = None,
    level: float = 0.95,
) -> PenaltyReward:
    """Regress satisfaction on very low and very high ratings of each attribute (Brandt 1987).

    Parameters
    ----------
    data : DataFrame or Responses
        Respondents with a missing value are left out and told.
    outcome : str
        Overall satisfaction, a number.
    attributes, scale
        As for `Battery.of`.
    low, high : float, optional
        A rating ≤ low is a penalty, ≥ high a reward; by default the lowest and highest third of the scale, so 1–4 and
        7–10 of 1–10, 1–2 and 4–5 of 1–5.
    level : float in (0, 1)

    Returns
    -------
    PenaltyReward

    Raises
    ------
    InputError
        Nobody rates an attribute so low, or so high, or two attributes are rated so by the same respondents.

    Notes
    -----
    Ordinary least squares with standard errors that allow unequal spread (HC3, MacKinnon & White 1985).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> ratings = pd.DataFrame(rng.integers(1, 6, size=(400, 2)), columns=["clean", "gift"])
    >>> ratings["overall"] = 6 - 2 * (ratings["clean"] <= 2) + 2 * (ratings["gift"] >= 4) + rng.normal(size=400)
    >>> penalty_reward(ratings, "overall", ["clean", "gift"], scale=(1, 5)).table["factor"].to_dict()
    {'clean': 'hygiene', 'gift': 'motivator'}
    """
    from scipy.stats import t as student

    battery = Battery.of(attributes, scale)
    ratings = battery.read(data)
    overall = numbers(column(data, outcome, "outcome"), outcome)
    complete = ratings.notna().all(axis=1) & overall.notna()
    ratings, y = ratings[complete], overall[complete].to_numpy()
    third = (battery.table["max"] - battery.table["min"]) / 3
    lowest = battery.table["min"] + third if low is None else pd.Series(low, index=battery.items)
    highest = battery.table["max"] - third if high is None else pd.Series(high, index=battery.items)
    penalties, rewards = ratings <= lowest, ratings >= highest
    design = _dummies(penalties, rewards)
    beta, covariance, r_squared = _robust_least_squares(design, y)
    se = np.sqrt(np.diagonal(covariance))
    k, margin = len(battery.items), float(student.ppf((1 + level) / 2, len(y) - len(beta))) * se
    low_n, high_n = penalties.sum().to_numpy(), rewards.sum().to_numpy()
    columns: dict[str, Any] = {"low": low_n, "high": high_n}
    for name, at in (("penalty", slice(1, k + 1)), ("reward", slice(k + 1, None))):
        columns |= {name: beta[at], f"{name}_se": se[at]}
        columns |= {f"{name}_ci_lower": (beta - margin)[at], f"{name}_ci_upper": (beta + margin)[at]}
    table = pd.DataFrame(columns, index=pd.Index(battery.items, name="attribute"))
    punishes, rewards_it = table["penalty_ci_upper"] < 0, table["reward_ci_lower"] > 0
    rules = [punishes & rewards_it, punishes, rewards_it]
    table["factor"] = np.select(rules, ["both", "hygiene", "motivator"], default="neither")
    dropped = int((~complete).sum())
    notes = [f"{dropped} respondents with a missing value are left out."] if dropped else []
    return PenaltyReward(table, r_squared, len(y), [*notes, *_penalty_problems(table)])


def _counts(data: pd.DataFrame | Responses, feature: str, pair: tuple[str, str]) -> pd.Series:
    """How many respondents fall into each category, (6,)."""
    answers = pd.DataFrame({name: numbers(column(data, name, f"pair {feature}"), name) for name in pair})
    wrong = answers.notna() & ~answers.isin([1, 2, 3, 4, 5])
    if wrong.to_numpy().any():
        row, place = (int(found[0]) for found in np.nonzero(wrong.to_numpy()))
        raise InputError(
            f"kano: {pair[place]} has {answers.to_numpy()[row, place]:g} in row {answers.index[row]}; expected 1 like, "
            "2 must be so, 3 neutral, 4 can live with it, 5 dislike. Recode the answers."
        )
    both = answers.dropna().to_numpy(dtype=int) - 1
    letters = np.array([list(row) for row in TABLE])[both[:, 0], both[:, -1]]
    return pd.Series({letter: int((letters == letter).sum()) for letter in CATEGORIES})


def _feature(counts: NDArray[np.intp], resamples: int, rng: np.random.Generator) -> dict[str, Any]:
    """Category, runner-up, Fong's test and bootstrap certainty of one feature."""
    n, letters = int(counts.sum()), list(CATEGORIES)
    order = np.argsort(-counts, kind="stable")
    first, second = int(order[0]), int(order[1])
    a, b = counts[first], counts[second]
    if n == 0:
        return {"n": 0, "category": "", "factor": "", "second": "", "fong": False, "certainty": np.nan}
    drawn = rng.multinomial(n, counts / n, size=resamples).argmax(axis=1)
    return {
        "n": n,
        "category": letters[first],
        "factor": FACTORS[letters[first]],
        "second": letters[second] if b else "",
        "fong": bool(a - b >= FONG_Z * np.sqrt((a + b) * (2 * n - a - b) / (2 * n))),
        "certainty": float((drawn == first).mean()),
    }


def _dummies(penalties: pd.DataFrame, rewards: pd.DataFrame) -> Array:
    """1, penalties, rewards; (n, 1 + 2k). Refuses a column that nobody or everybody is in, and dependent ones."""
    for kind, table in (("low", penalties), ("high", rewards)):
        empty = [item for item in table.columns if table[item].nunique() < 2]
        if empty:
            who = "nobody rates" if not table[empty[0]].any() else "everybody rates"
            raise InputError(
                f"penalty_reward: {who} {empty[0]} so {kind}, so its effect cannot be estimated. Move the limit "
                f"with {kind}=…, or leave the attribute out."
            )
    design = np.column_stack([np.ones(len(penalties)), penalties, rewards]).astype(float)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise InputError(
            "penalty_reward: low and high ratings of different attributes coincide, so their effects cannot be told "
            "apart. Leave an attribute out, or ask more respondents."
        )
    return design


def _robust_least_squares(design: Array, y: Array) -> tuple[Array, Array, float]:
    """Coefficients, their HC3 covariance, R²."""
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ (design.T @ y)
    residual = y - design @ beta
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    scaled = design * (residual / np.maximum(1 - leverage, 1e-8))[:, None]
    covariance = inverse @ (scaled.T @ scaled) @ inverse
    return beta, covariance, float(1 - residual @ residual / np.sum((y - y.mean()) ** 2))


def _kano_problems(counts: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    rules = (
        (table["n"] == 0, "nobody answered both questions"),
        (
            (table["n"] > 0) & ~table["fong"],
            "the two most frequent categories do not differ by more than chance (Fong's test); report both",
        ),
        (
            counts["Q"] > 0.1 * table["n"],
            "more than 10 % of the answers contradict themselves: the wording may be misunderstood",
        ),
        (table["category"] == "R", "most would rather be without it; turn the question round before ranking it"),
    )
    return [f"{', '.join(table.index[rule])}: {words}." for rule, words in rules if rule.any()]


def _penalty_problems(table: pd.DataFrame) -> list[str]:
    problems = []
    for kind, name in (("low", "penalty"), ("high", "reward")):
        few = table.index[table[kind] < FEW_DUMMIES].tolist()
        if few:
            problems.append(
                f"{', '.join(few)}: fewer than {FEW_DUMMIES} respondents rate so {kind}; the {name} is a guess."
            )
        against = table.index[(table[f"{name}_ci_lower"] > 0) if kind == "low" else (table[f"{name}_ci_upper"] < 0)]
        if len(against):
            problems.append(
                f"{', '.join(against)}: the {name} points the wrong way. Attributes that rise and fall together "
                "exchange their effects; use fewer of them."
            )
    return problems
