"""The levels of retention and what they cost: financial, + social, + structural (course row E13)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.errors import InputError

NUMBERS = ("cost", "cost_low", "cost_high", "share", "capacity")


def retention_levels(table: pd.DataFrame | None = None) -> pd.DataFrame:
    """The table of levels, checked.

    Each level includes the one before it: points and discounts (financial 财务), a named contact and clubs on top
    (social 社交), systems and services the customer would lose by leaving on top of that (structural 结构).

    Parameters
    ----------
    table : DataFrame, index level, optional
        cost (money for each treated customer), cost_low and cost_high (the range thought possible; default the cost),
        share (of the customer's revenue of the last year that is given back; default 0), capacity (customers that can
        be served; default no limit). Default: an example.

    Returns
    -------
    DataFrame, index level: cost, cost_low, cost_high, share, capacity

    Raises
    ------
    InputError
        No table, no level, one called "none" or "control", no costs, a number that is missing, negative or infinite, or
        a range that does not hold the cost.

    Examples
    --------
    >>> retention_levels()[["cost", "share", "capacity"]]
                 cost  share  capacity
    level
    financial     3.0   0.01       inf
    social       12.0   0.01     200.0
    structural   40.0   0.01      60.0
    """
    if table is None:
        costs = {"financial": (3.0, float("inf")), "social": (12.0, 200.0), "structural": (40.0, 60.0)}
        table = pd.DataFrame.from_dict(costs, orient="index", columns=["cost", "capacity"]).rename_axis("level")
        table = table.assign(cost_low=0.8 * table["cost"], cost_high=1.2 * table["cost"], share=0.01)
    if not isinstance(table, pd.DataFrame) or table.empty or "cost" not in table or table.index.has_duplicates:
        raise InputError("levels: expected one row a level, with its name as index, and a column cost.")
    for word in table.index.intersection(["none", "control"]):
        raise InputError(f"levels: a level is called {word!r}, which says that a customer is left alone. Rename it.")
    given = table.assign(
        cost_low=table.get("cost_low", table["cost"]),
        cost_high=table.get("cost_high", table["cost"]),
        share=table.get("share", 0.0),
        capacity=table.get("capacity", float("inf")),
    )
    found = given[[*NUMBERS]].apply(pd.to_numeric, errors="coerce").astype(float).rename_axis("level")
    for level, row in found.iterrows():
        limits = {"cost": (0, np.inf), "cost_low": (0, row["cost"]), "cost_high": (row["cost"], np.inf)}
        for name, (low, high) in (limits | {"share": (0, 1), "capacity": (0, np.inf)}).items():
            endless = name != "capacity" and np.isinf(row[name])
            if not low <= row[name] <= high or endless:
                raise InputError(
                    f"levels: {name} of {level!r} is {given.loc[level, name]}; expected a number of at least {low:g}"
                    f"{f' and at most {high:g}' if high < np.inf else ''}. Correct the table of levels."
                )
    return found
