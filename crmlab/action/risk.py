"""Who is at risk, and who is worth keeping: two questions, four answers (rows A2, D6, E12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.loyalty.inputs import worded
from crmlab.results import page, rows_by_name
from crmlab.value.told import number

from .linking import Linked
from .pilot import Lessons, design_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Quadrants by (at risk, worth keeping).
QUADRANTS = {(True, True): "save", (False, True): "protect", (True, False): "let go", (False, False): "leave in peace"}


@dataclass(frozen=True, eq=False)
class AtRisk:
    """Customers by risk and by what is at stake.

    Attributes
    ----------
    table : DataFrame by customer_id
        p_lost (chance to be lost within the year if left alone), at_stake (margin of the year that staying brings more
        than leaving), loss (their product), quadrant, in_pilot (whether the pilot had customers silent for so long).
    quadrants : DataFrame, index quadrant: customers, loss, at_stake, satisfaction (means of those who answered)
    risk, stake : float, where high begins
    linked : Linked
    lessons : Lessons
    problems : list of str
    """

    table: pd.DataFrame
    quadrants: pd.DataFrame
    risk: float
    stake: float
    linked: Linked
    lessons: Lessons
    problems: list[str]

    def plot(self, language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Draw customers by risk and value at stake, with the four quadrants."""
        from crmlab.plots.action import risk_map

        return risk_map(self.table, risk=self.risk, stake=self.stake, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {"quadrants": rows_by_name(self.quadrants), "problems": list(self.problems)}

    def _repr_html_(self) -> str:
        return page(self.quadrants.round(1).to_html(), problems=self.problems, heading="Who is at risk")


def at_risk(linked: Linked, lessons: Lessons, *, risk: float = 0.3, stake: float | None = None) -> AtRisk:
    """Say of every customer how likely she is lost, and what is lost with her.

    Parameters
    ----------
    linked : Linked
        Today's customers.
    lessons : Lessons
        The pilot of the same company: its control group shows what happens to those left alone.
    risk : float, 0 to 1
        From here on a customer is at risk.
    stake : float, optional
        Money from which on a customer is worth keeping; default the median of those the pilot speaks of.

    Returns
    -------
    AtRisk

    Raises
    ------
    InputError
        Numbers out of range, or measures of the pilot that the customers lack.

    Examples
    --------
    >>> from crmlab.action import learn, link
    >>> from crmlab.datasets import simulate_company
    >>> company = simulate_company(300, seed=1, pilot=600)
    >>> pilot = link(company.pilot.orders, company.pilot.survey)
    >>> found = at_risk(link(company.orders, company.survey), learn(pilot, company.pilot.outcomes))
    >>> found.quadrants.index.tolist()
    ['save', 'protect', 'let go', 'leave in peace']
    """
    from scipy.special import expit

    risk = number(risk, "risk", 0, 1)
    lacking = [name for name in lessons.measures if name not in linked.measures]
    if lacking:
        raise InputError(f"at_risk: the pilot knows {', '.join(lacking)}, the customers do not. Link both alike.")
    customers = linked.customers
    z = lessons.standardised(customers)
    untreated = design_of(z, lessons.measures, lessons.levels, np.zeros((len(z), len(lessons.levels))))
    p_lost = expit(-(untreated.to_numpy() @ lessons.params["estimate"].to_numpy()))
    at_stake = customers["rate"].to_numpy(dtype=float) * max(float(lessons.stake["share"]), 0.0)
    inside = (customers["recency_days"] <= lessons.longest_silence).to_numpy()
    limit = (
        float(np.median(at_stake[inside] if inside.any() else at_stake)) if stake is None else number(stake, "stake", 0)
    )
    high = zip(p_lost >= risk, at_stake >= limit, strict=True)
    quadrant = pd.Categorical([QUADRANTS[bool(a), bool(b)] for a, b in high], [*QUADRANTS.values()])
    table = pd.DataFrame({"p_lost": p_lost, "at_stake": at_stake, "loss": p_lost * at_stake}, index=customers.index)
    table = table.assign(quadrant=quadrant, in_pilot=inside)
    groups = table.assign(satisfaction=customers["satisfaction"]).groupby("quadrant", observed=False)
    quadrants = groups.agg(
        customers=("loss", "size"),
        loss=("loss", "sum"),
        at_stake=("at_stake", "mean"),
        satisfaction=("satisfaction", "mean"),
    )
    told = [*linked.problems, *(each for each in lessons.problems if each not in linked.problems)]
    silent = int((~inside).sum())
    if silent:
        told.append(
            f"{silent:,} {worded(silent, 'customer has', 'customers have')} been silent for longer than anybody in the "
            f"pilot ({lessons.longest_silence} days): what a treatment does to them is not known, and none is planned."
        )
    return AtRisk(table, quadrants, risk, limit, linked, lessons, told)
