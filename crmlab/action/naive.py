"""What one would do without linking anything: the plans an allocation has to beat."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

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
    costs : array (customers, levels)
    levels : DataFrame of `retention_levels`
    budget : float
    seed : int, of the random order

    Returns
    -------
    dict (kind, level) -> Series by customer_id: the level, or "none"
    """
    customers, table = risk.linked.customers, np.asarray(costs, dtype=float)
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
