"""What makes a phase (chapter 1, course row A1): thresholds that can be tuned, and a table of rules to be read.

The rules are asked in the order of `RULES`; the first one whose conditions all hold names the phase. A condition
compares a measure of the customer in that period with a threshold or with zero. The last rule has no condition, so
that every period of every customer gets exactly one phase.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from crmlab.errors import InputError

#: The four phases in their ideal order, and the end of a relationship, with their Chinese names.
PHASES: Mapping[str, str] = {
    "exploration": "考察期",
    "build-up": "形成期",
    "stability": "稳定期",
    "decline": "退化期",
    "lapsed": "流失",
}

#: What is measured of a customer in a period; the window is the period itself and those before it.
MEASURES: Mapping[str, str] = {
    "age": "periods since the relationship began, the first one being 1",
    "silent": "periods since the last purchase, 0 if there was one in the period",
    "purchases_so_far": "days with a purchase since the relationship began",
    "level": "mean amount per period over the window",
    "best_level": "highest level over two windows so far",
    "level_share": "level as a share of the best level",
    "trend": "change from the level one window ago, as a share of the higher of the two (−1 to 1)",
    "volatility": "standard deviation over mean of the amounts per period, over two windows",
    "contribution": "mean of margin less cost to serve per period, over the window",
    "best_contribution": "highest contribution so far",
    "earned": "sum of margin less cost to serve since the relationship began, less the cost of winning the customer",
}

_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "≥": operator.ge,
    ">": operator.gt,
    "≤": operator.le,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Thresholds:
    """Where the rules draw their lines; every one can be set.

    Attributes
    ----------
    window : int, at least 2
        Periods a level, a trend and a contribution are measured over.
    trial_periods : int, at least 1
        So long a customer is new, whatever she buys.
    trial_purchases : int, at least 1
        Fewer days with a purchase than this are trial orders.
    lapsed_after : int, at least 2
        Periods of silence after which a relationship has ended.
    small_level : float, 0 or more
        A level below this amount per period is that of trial orders; 0: no such line is drawn.
    decline_share : float, 0 to 1
        A level of at most this share of the best one is a decline.
    stable_share : float, `decline_share` to 1
        A level below this share of the best one is not stable.
    growth : float, 0 to 1
        A trend of at least this is growth.
    volatility : float, above 0
        A volatility above this is not stable.

    Raises
    ------
    InputError
        For a value outside these ranges.

    Examples
    --------
    >>> Thresholds(window=1)
    Traceback (most recent call last):
    crmlab.errors.InputError: thresholds: window is 1; expected a whole number from 2.
    """

    window: int = 3
    trial_periods: int = 3
    trial_purchases: int = 3
    lapsed_after: int = 6
    small_level: float = 0.0
    decline_share: float = 0.5
    stable_share: float = 0.6
    growth: float = 0.4
    volatility: float = 0.8

    def __post_init__(self) -> None:
        least = {"window": 2, "trial_periods": 1, "trial_purchases": 1, "lapsed_after": 2}
        for name, lowest in least.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < lowest:
                raise InputError(f"thresholds: {name} is {value}; expected a whole number from {lowest}.")
        ranges = {
            "small_level": (0, np.inf),
            "decline_share": (0, 1),
            "stable_share": (self.decline_share, 1),
            "growth": (0, 1),
            "volatility": (0, np.inf),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"thresholds: {name} is {getattr(self, name)}; expected {low:g} to {high:g}.")


class Condition(NamedTuple):
    """A measure compared with a threshold, or with a number."""

    measure: str
    comparison: str
    against: str | float

    def limit(self, thresholds: Thresholds) -> float:
        """The number to compare with."""
        return float(getattr(thresholds, self.against) if isinstance(self.against, str) else self.against)

    def holds(self, values: Mapping[str, Any], thresholds: Thresholds) -> Any:
        """Whether the condition holds, for each of the values; where a measure is missing it does not."""
        return _COMPARISONS[self.comparison](values[self.measure], self.limit(thresholds))

    def words(self, thresholds: Thresholds) -> str:
        """The condition as text, such as "age ≤ 3"."""
        return f"{self.measure} {self.comparison} {self.limit(thresholds):g}"


class Rule(NamedTuple):
    """A phase, the name of the rule that finds it, its conditions, and the reason behind them."""

    name: str
    phase: str
    conditions: tuple[Condition, ...]
    because: str

    def holds(self, values: Mapping[str, Any], thresholds: Thresholds) -> np.ndarray:
        """Whether all conditions hold, for each of the values."""
        size = np.shape(values["age"])
        met = [condition.holds(values, thresholds) for condition in self.conditions]
        return np.logical_and.reduce([np.ones(size, dtype=bool), *met])


RULES = (
    Rule(
        "gone",
        "lapsed",
        (Condition("silent", "≥", "lapsed_after"),),
        "nothing bought for so long that the relationship counts as ended",
    ),
    Rule(
        "fallen",
        "decline",
        (Condition("age", ">", "window"), Condition("level_share", "≤", "decline_share")),
        "buys far less than at her best, whether the fall was sudden or slow",
    ),
    Rule(
        "costs more than she brings",
        "decline",
        (Condition("contribution", "<", 0), Condition("best_contribution", ">", 0)),
        "margin no longer covers the cost to serve, and once did",
    ),
    Rule("new", "exploration", (Condition("age", "≤", "trial_periods"),), "too new to be known"),
    Rule(
        "trial orders",
        "exploration",
        (Condition("purchases_so_far", "<", "trial_purchases"),),
        "has only tried us",
    ),
    Rule("small orders", "exploration", (Condition("level", "<", "small_level"),), "buys too little to be built up"),
    Rule("not paid back", "exploration", (Condition("earned", "≤", 0),), "the firm has invested more than it has got"),
    Rule("growing", "build-up", (Condition("trend", "≥", "growth"),), "buys clearly more than a window ago"),
    Rule("unsteady", "build-up", (Condition("volatility", ">", "volatility"),), "amounts go up and down"),
    Rule("below her best", "build-up", (Condition("level_share", "<", "stable_share"),), "has bought clearly more"),
    Rule("steady", "stability", (), "buys near her best level, without much change: all other cases"),
)


def rule_table(thresholds: Thresholds) -> pd.DataFrame:
    """The rules in the order they are asked, with their thresholds filled in.

    Returns
    -------
    DataFrame, index "order" from 1
        phase, rule, condition, because.

    Examples
    --------
    >>> rule_table(Thresholds(trial_periods=2)).loc[4, ["phase", "rule", "condition"]].tolist()
    ['exploration', 'new', 'age ≤ 2']
    """
    rows = [
        (
            rule.phase,
            rule.name,
            " and ".join(condition.words(thresholds) for condition in rule.conditions) or "otherwise",
            rule.because,
        )
        for rule in RULES
    ]
    index = pd.RangeIndex(1, len(RULES) + 1, name="order")
    return pd.DataFrame(rows, index=index, columns=["phase", "rule", "condition", "because"])


def first_rule(values: Mapping[str, Any], thresholds: Thresholds) -> np.ndarray:
    """Position in `RULES` of the first rule that holds, for each of the values."""
    position = np.full(np.shape(values["age"]), len(RULES) - 1)
    for place in range(len(RULES) - 2, -1, -1):
        position[RULES[place].holds(values, thresholds)] = place
    return position


def changed(thresholds: Thresholds, changes: Mapping[str, Any]) -> Thresholds:
    """Thresholds with some of them replaced; InputError for a name that is none."""
    known = [field.name for field in fields(Thresholds)]
    unknown = [name for name in changes if name not in known]
    if unknown:
        raise InputError(f"thresholds: {unknown[0]!r} is not known; there are {', '.join(known)}.")
    return Thresholds(**{**asdict(thresholds), **changes})
