"""What is known of every customer in every period with an order: amount, purchases and margin, and until when (ch. 1).

The way from the engine into memory: after this, only customers and periods count, not orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as Date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.lifecycle.periods import by_period, first_day, number_of
from crmlab.transactions import engines, to_frame
from crmlab.transactions.fields import day_of

if TYPE_CHECKING:
    from crmlab.transactions import Transactions

#: Sums differ in the last bits from engine to engine; so many decimals are kept.
_DECIMALS = 6


@dataclass(frozen=True)
class Economics:
    """What turns an amount into a contribution.

    Attributes
    ----------
    margin_rate : float, at most 1, or None
        Margin as a share of the amount. None: the amount less the `cost` of the transactions, if they have one, and
        otherwise the whole amount, which is listed as a problem.
    cost_to_serve : float, 0 or more
        What a customer costs the firm in every period of the relationship, on top of the goods.
    acquisition_cost : float, 0 or more
        What winning a customer cost.

    Raises
    ------
    InputError
        For a value out of range.
    """

    margin_rate: float | None = None
    cost_to_serve: float = 0.0
    acquisition_cost: float = 0.0

    def __post_init__(self) -> None:
        if self.margin_rate is not None and not -np.inf < self.margin_rate <= 1:
            raise InputError(f"margin_rate is {self.margin_rate}; expected a share of the amount, at most 1.")
        for name in ("cost_to_serve", "acquisition_cost"):
            if not 0 <= getattr(self, name) < np.inf:
                raise InputError(f"{name} is {getattr(self, name)}; expected an amount of 0 or more.")


class Observed(NamedTuple):
    """Periods with an order, by customer and period, from each customer's first paid purchase on.

    `table` has customer_id, number (of the period), amount, purchases, margin; `last` is the number of the last
    complete period; `period` is the kind of period.
    """

    table: pd.DataFrame
    last: int
    period: str


def observe(
    transactions: Transactions, period: str, complete_to: Date | str | None, economics: Economics
) -> tuple[Observed, list[str]]:
    """Add the orders up on their engine, leave out what cannot be used, and tell it.

    Raises
    ------
    InputError
        For an unknown period, a `complete_to` that is no day, or if nobody has ever paid for anything.
    """
    lines = to_frame(by_period(transactions, period).order_by("customer_id", "number"))
    if not (lines["purchases"] > 0).any():
        raise InputError(
            f"{transactions.name}: no line has an amount above 0, so that no relationship ever began. Check the amount "
            "column."
        )
    end = pd.Timestamp(transactions.period[1] if complete_to is None else day_of(complete_to, "complete_to"))
    last, problems = _last_complete(lines["number"].to_numpy(), end, period)
    lines = lines[lines["number"] <= last]
    begun = lines["number"].where(lines["purchases"] > 0).groupby(lines["customer_id"]).transform("min")
    problems += _about_unpaid(lines, begun)
    table = lines[lines["number"] >= begun].reset_index(drop=True)
    if table.empty:
        raise InputError(f"complete_to: nothing was paid for up to {end.date()}. Give a later day.")
    problems += _about_costs(transactions, economics)
    margin, said = _margin(table, economics)
    columns = ["customer_id", "number", "amount", "purchases"]
    return Observed(table[columns].assign(margin=margin).round(_DECIMALS), last, period), problems + said


def _last_complete(numbers: np.ndarray, end: pd.Timestamp, period: str) -> tuple[int, list[str]]:
    """Number of the last period that had ended by a day, and what is left out for that."""
    number = number_of(end, period)
    ended = number_of(end + pd.Timedelta(days=1), period) > number
    later = int((numbers > number).sum())
    said = [f"{later:,} customer-{period}s after {end.date()}, the end of the data as given, were left out."]
    said = said if later else []
    if ended or not (numbers < number).any():
        return number, said
    day = first_day(number, period)[0].date()
    return number - 1, [
        *said,
        f"The {period} from {day} was left out: the data end on {end.date()}, before it does, and half a {period} "
        "looks like a decline. If no order is missing, say so by complete_to.",
    ]


def _about_unpaid(lines: pd.DataFrame, begun: pd.Series) -> list[str]:
    never = lines.loc[begun.isna(), "customer_id"].nunique()
    early = int((lines["number"] < begun).sum())
    said = []
    if never:
        said.append(f"{never:,} customers never paid for anything (all their amounts are 0 or less) and were left out.")
    if early:
        said.append(
            f"{early:,} customer-periods before a customer's first paid purchase were left out: nothing paid for, or "
            "goods returned that were bought before the data begin."
        )
    return said


def _about_costs(transactions: Transactions, economics: Economics) -> list[str]:
    table = transactions.table
    if economics.margin_rate is not None or "cost" not in table.columns:
        return []
    without = engines.count(table.filter(table.cost.isnull()))
    return [f"{without:,} lines have no cost; their whole amount counts as margin."] if without else []


def _margin(table: pd.DataFrame, economics: Economics) -> tuple[pd.Series, list[str]]:
    if economics.margin_rate is not None:
        margin, said = table["amount"] * economics.margin_rate, []
        if "cost" in table.columns:
            said = ["margin_rate was given: the costs in the data were not used."]
    elif "cost" in table.columns:
        margin, said = table["amount"] - table["cost"], []
    else:
        margin = table["amount"]
        said = ["No cost is known: the whole amount counts as margin. Name a cost column, or give margin_rate."]
    if not (margin > 0).any():
        said.append("No customer brings a positive margin in any period: nobody can get beyond exploration.")
    return margin, said
