"""From invitations to usable answers, and what each of them costs: response rates by mode of survey.

Of the people invited some are reached, some of these respond, and some responses can be used. The product of the rates
says how many to invite; the bill divided by the usable answers is the price of one. The names of the rates follow The
American Association for Public Opinion Research (2016), Standard definitions, 9th edition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmlab.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RATES = ("contact", "response", "usable")
COSTS = ("fixed", "per_invitation", "per_response")
STEPS = ("invited", "contacted", "responded", "usable")
_LOW_RESPONSE = 0.2


def fieldwork(modes: pd.DataFrame, usable: int) -> Fieldwork:
    """How many to invite for a number of usable answers, and the cost, for each mode of survey.

    Parameters
    ----------
    modes : DataFrame, one row a mode such as mail, telephone, online (the index names it)
        Rates, each the share of the step before, above 0 and up to 1: contact (reached), response (of those reached),
        usable (of the responses). Costs in one currency, 0 or more, 0 where a column is left out: fixed,
        per_invitation, per_response.
    usable : int
        Usable answers wanted.

    Returns
    -------
    Fieldwork

    Raises
    ------
    InputError
        A column is missing or a number is out of range.

    Examples
    --------
    >>> modes = pd.DataFrame({"contact": [0.8, 0.5], "response": [0.1, 0.4], "usable": [0.95, 0.95],
    ...                       "per_invitation": [0.1, 3.0]}, index=["online", "telephone"])
    >>> fieldwork(modes, 380).table[["invited", "usable", "response_rate", "cost_per_usable"]].round(3)
               invited  usable  response_rate  cost_per_usable
    mode
    online        5000     380           0.08            1.316
    telephone     2000     380           0.20           15.789
    """
    _check(modes, usable)
    modes = modes.rename_axis(index="mode")
    rates = modes[list(RATES)].astype(float)
    costs = modes.reindex(columns=list(COSTS)).fillna(0).astype(float)
    invited = (usable / rates.prod(axis=1)).map(lambda people: math.ceil(people * (1 - 1e-12)))
    counts = {"invited": invited}
    for step, rate in zip(STEPS[1:], RATES, strict=True):
        counts[step] = rates[list(RATES[: RATES.index(rate) + 1])].prod(axis=1) * invited
    people = pd.DataFrame(counts).round().astype(int)
    cost = costs["fixed"] + costs["per_invitation"] * people["invited"] + costs["per_response"] * people["responded"]
    table = people.assign(
        response_rate=rates["contact"] * rates["response"], cost=cost, cost_per_usable=cost / people["usable"]
    )
    return Fieldwork(table, _steps(people), _problems(table))


def nonresponse_bounds(share: float, response_rate: float) -> tuple[float, float]:
    """Between which values the share among all people lies, whatever those think who did not answer.

    Parameters
    ----------
    share : float in [0, 1]
        Among those who answered.
    response_rate : float in (0, 1]
        Of those invited.

    Returns
    -------
    tuple of float
        share · rate if nobody silent would say yes, and share · rate + 1 − rate if everybody would. No sample size
        enters: more answers at the same rate leave the bounds where they are.

    Raises
    ------
    InputError
        For a number outside its range.

    References
    ----------
    Cochran (1977), section 13.2.

    Examples
    --------
    >>> [round(bound, 2) for bound in nonresponse_bounds(0.8, 0.25)]
    [0.2, 0.95]
    """
    if not (0 <= share <= 1 and 0 < response_rate <= 1):
        raise InputError(
            f"nonresponse_bounds: found a share of {share} and a response rate of {response_rate}; expected shares "
            "from 0 to 1, the rate above 0. Correct them."
        )
    return share * response_rate, share * response_rate + 1 - response_rate


@dataclass(frozen=True)
class Fieldwork:
    """The way from invitations to usable answers.

    Attributes
    ----------
    table : DataFrame, index mode
        invited, contacted, responded, usable (people expected), response_rate (contact × response, of those invited),
        cost, cost_per_usable.
    steps : DataFrame: mode, step, people, kept
        The same as a funnel: `kept` is the share of the step before.
    problems : list of str
    """

    table: pd.DataFrame
    steps: pd.DataFrame
    problems: list[str]

    @property
    def cheapest(self) -> str:
        """The mode with the lowest cost of a usable answer."""
        return str(self.table["cost_per_usable"].idxmin())

    def plot(self, language: str = "en", ax: Axes | None = None) -> Axes:
        """The funnel of each mode, with the cost of a usable answer."""
        from crmlab.plots.sampling import response_funnel

        return response_funnel(self.steps, cost=self.table["cost_per_usable"], language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        modes = {str(name): row.to_dict() for name, row in self.table.iterrows()}
        return {"modes": modes, "cheapest": self.cheapest, "problems": self.problems}

    def _repr_html_(self) -> str:
        return self.table.round(3).to_html()


def _check(modes: pd.DataFrame, usable: int) -> None:
    missing = [column for column in RATES if column not in modes]
    if missing or modes.empty:
        found = f"no column {', '.join(missing)}" if missing else "no mode"
        raise InputError(f"modes: found {found}; expected one row a mode with {', '.join(RATES)}. Add what is missing.")
    if usable < 1:
        raise InputError(f"usable: found {usable}; expected 1 or more usable answers. Correct it.")
    for column in [*RATES, *(cost for cost in COSTS if cost in modes)]:
        good = modes[column].between(0, 1, inclusive="right") if column in RATES else modes[column] >= 0
        for mode, value in modes[column][~good].head(1).items():
            expected = "a share above 0 and up to 1" if column in RATES else "0 or more"
            raise InputError(f"modes, column {column}, {mode}: found {value}; expected {expected}. Correct it.")


def _steps(people: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (mode, step, row[step], row[step] / row[before])
        for mode, row in people.iterrows()
        for before, step in zip((STEPS[0], *STEPS), STEPS, strict=False)
    ]
    return pd.DataFrame(rows, columns=["mode", "step", "people", "kept"])


def _problems(table: pd.DataFrame) -> list[str]:
    return [
        f"By {mode}, {1 - rate:.0%} of those invited stay silent: whether they think alike no sample size can tell. "
        "Compare early with late answers, and ask some of the silent again."
        for mode, rate in table["response_rate"].items()
        if rate < _LOW_RESPONSE
    ]
