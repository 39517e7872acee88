"""What one would do without linking anything: the plans an allocation has to beat."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError

from .knapsack import Array
from .risk import AtRisk

TOP = 0.2
KINDS = ("top 20 % by value", "at risk only", "random", "everybody")


def naive_plans(
    risk: AtRisk, costs: Any, levels: pd.DataFrame, budget: float, *, seed: int = 0
) -> dict[tuple[str, str], pd.Series]:
    """Plans that go down a list until budget or capacity is used up, each with one level for all.

    "top 20 % by value": the fifth of the customers who brought most in the last year, best first. "at risk only": the
    likeliest to be lost first. "random": in any order. "everybody": all, whatever it costs.

    Parameters
    ----------
    risk : AtRisk
    costs : DataFrame by customer_id with a column for each level, or array (customers, levels) in the order of
        `risk.linked.customers`
    levels : DataFrame of `retention_levels`
    budget : float
    seed : int, of the random order

    Returns
    -------
    dict (kind, level) -> Series by customer_id: the level, or "none"

    Raises
    ------
    InputError
        Costs that lack a customer or a level.

    Examples
    --------
    >>> from crmlab.action import at_risk, learn, link
    >>> from crmlab.datasets import simulate_company
    >>> company = simulate_company(300, seed=1, pilot=600)
    >>> pilot = link(company.pilot.orders, company.pilot.survey)
    >>> risk = at_risk(link(company.orders, company.survey), learn(pilot, company.pilot.outcomes))
    >>> plan = naive_plans(risk, company.costs, company.levels, 500)["top 20 % by value", "social"]
    >>> treated = plan.index[plan == "social"]
    >>> len(treated) > 0, bool(company.costs.loc[treated, "social"].sum() <= 500)
    (True, True)
    """
    customers = risk.linked.customers
    table = _in_order(costs, customers.index, levels.index)
    order = {
        "top 20 % by value": np.argsort(-customers["current"].to_numpy(), kind="stable")[: round(TOP * len(customers))],
        "at risk only": np.argsort(-risk.table["p_lost"].where(risk.table["in_pilot"], -1).to_numpy(), kind="stable"),
        "random": np.random.default_rng(seed).permutation(len(customers)),
    }
    plans = {}
    for place, (level, row) in enumerate(levels.iterrows()):
        for kind in KINDS:
            chosen = np.full(len(customers), "none", dtype=object)
            if kind == "everybody":
                chosen[:] = level
            else:
                paid = table[order[kind], place].cumsum() <= budget
                within = np.arange(len(paid)) < row["capacity"]
                chosen[order[kind][paid & within]] = level
            plans[kind, str(level)] = pd.Series(chosen, index=customers.index, dtype="str")
    return plans


def _in_order(costs: Any, customers: pd.Index, levels: pd.Index) -> Array:
    """Costs as an array, row by row those of the customers."""
    if isinstance(costs, pd.DataFrame):
        lacking = [*levels.difference(costs.columns), *customers.difference(costs.index)]
        if lacking or costs.index.has_duplicates:
            found = f"{lacking[0]!r} is missing" if lacking else "a customer stands in them more than once"
            raise InputError(f"costs: {found}; expected one row for each customer and a column for each level.")
        costs = costs.loc[customers, levels]
    table = np.asarray(costs, dtype=float)
    if table.shape != (len(customers), len(levels)):
        raise InputError(
            f"costs: shape {table.shape}; expected one row for each of the {len(customers)} customers, one column for "
            f"each of the {len(levels)} levels."
        )
    return table
