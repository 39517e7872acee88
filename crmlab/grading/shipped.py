"""The course's rubrics and scorecards, shipped as files that can be read, checked and changed (chapter 5)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from crmlab.errors import InputError
from crmlab.rules.decisions import DecisionTable

_RUBRICS = Path(__file__).with_name("rubrics")

#: Names of the shipped rubrics, with the course row of each.
RUBRICS = {
    "bank_risk": "A2",
    "car_buyers": "B1",
    "shop_customer": "B5",
    "staff_bonus": "B5",
    "property_buyers": "B6",
    "pipeline": "B7",
    "intent_capacity": "B12",
    "value_loyalty": "B14",
    "relational": "C8",
    "present_future": "D6",
}


@cache
def rubric(name: str) -> DecisionTable:
    """A rubric of the course as a decision table.

    Parameters
    ----------
    name : property_buyers, pipeline, shop_customer, staff_bonus, bank_risk, car_buyers, intent_capacity,
        value_loyalty, relational or present_future
        `RUBRICS` has the course row of each. `.inputs` says which columns a table of customers needs, `.notes` what the
        course left open and how it is read here.

    Raises
    ------
    InputError
        For another name.

    Examples
    --------
    >>> import pandas as pd
    >>> deals = pd.DataFrame({"need": ["real", "latent"], "chance": ["yes", "yes"], "months_to_close": [2, None]})
    >>> rubric("pipeline").grade(deals).tolist()
    ['B', 'D']
    """
    if name not in RUBRICS:
        raise InputError(f"rubric: there is no rubric {name!r}; expected one of {', '.join(RUBRICS)}.")
    return DecisionTable(_RUBRICS / f"{name}.yaml")
