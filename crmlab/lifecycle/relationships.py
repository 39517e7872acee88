"""How close to come to whom, and who stays (chapter 1, course rows E1, E2, E13, E14).

The course's tables stand in `relationships.yaml`: five levels of relationship and their selector, types of relationship
between firms, levels of retention strategy, the loyalty ladder, the action per phase. Here they are read and applied.

References
----------
Berry, L. L. & Parasuraman, A. (1991). Marketing Services: Competing through Quality. Free Press (financial, social and
structural bonds).
Kotler, P. (1992). Marketing's new paradigm: what's really happening out there. Planning Review 20(5), 50–52 (five
levels of relationship, chosen by margin and number of customers).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date as Date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.transactions import to_frame
from crmlab.transactions.fields import day_of

if TYPE_CHECKING:
    from crmlab.transactions import Transactions

#: Tables that `guide` shows.
GUIDES = ("actions", "levels", "selector", "types", "strategies", "ladder")
LANGUAGES = ("en", "zh")


@cache
def _tables() -> dict[str, Any]:
    import yaml

    text = Path(__file__).with_name("relationships.yaml").read_text(encoding="utf-8")
    tables: dict[str, Any] = yaml.safe_load(text)
    return tables


def guide(name: str, language: str = "en") -> pd.DataFrame:
    """One of the course's tables.

    Parameters
    ----------
    name : "actions" (per phase), "levels" (of relationship), "selector" (number of customers × unit margin), "types"
        (of relationship between firms), "strategies" (of retention), or "ladder" (of loyalty)
    language : "en" or "zh"

    Raises
    ------
    InputError
        For another name or language.

    Examples
    --------
    >>> guide("selector")
                       low       medium         high
    customers
    many             basic     reactive  accountable
    medium        reactive  accountable    proactive
    few        accountable    proactive  partnership
    """
    if name not in GUIDES or language not in LANGUAGES:
        raise InputError(f"guide: {name!r} in {language!r} is not known; there are {', '.join(GUIDES)}, in en and zh.")
    table = _tables()[name]
    if name == "selector":
        words = {row["level"]["en"]: row["level"][language] for row in _tables()["levels"]}
        return pd.DataFrame(table).T.replace(words).rename_axis("customers")
    rows = [{key: cell[language] if isinstance(cell, dict) else cell for key, cell in row.items()} for row in table]
    return pd.DataFrame(rows).set_index(next(iter(table[0])))


def relationship_level(margin: str, customers: str) -> str:
    """The level of relationship that fits a unit margin and a number of customers (E1).

    The course names the five levels and the rule: the fewer customers and the higher the margin, the closer the
    relationship. Which level stands in each of the nine cells is filled in here, one level closer per step of either;
    Kotler (1992) was cited from memory, and his cells were not compared.

    Parameters
    ----------
    margin : "low", "medium" or "high"
    customers : "few", "medium" or "many"

    Raises
    ------
    InputError
        For another word.

    Examples
    --------
    >>> relationship_level(margin="high", customers="few"), relationship_level("low", "many")
    ('partnership', 'basic')
    """
    selector = _tables()["selector"]
    if customers not in selector or margin not in selector["many"]:
        raise InputError(
            f"relationship_level: margin {margin!r}, customers {customers!r}; expected low, medium or high, and few, "
            "medium or many."
        )
    return str(selector[customers][margin])


def relationship_levels(
    segments: pd.DataFrame, *, margin_bands: tuple[float, float], customer_bands: tuple[float, float]
) -> pd.DataFrame:
    """The level that fits each segment.

    Parameters
    ----------
    segments : DataFrame, one row per segment
        unit_margin (money a customer or unit brings), customers (number).
    margin_bands, customer_bands : (low, high)
        Below the first is low or few, from the second on high or many. They depend on the trade: yours to choose.

    Returns
    -------
    DataFrame
        `segments` with margin, number (the words) and level.

    Raises
    ------
    InputError
        For a missing column or value, or bands out of order.

    Examples
    --------
    >>> shops = pd.DataFrame({"unit_margin": [2.0, 900.0], "customers": [80_000, 12]}, index=["tea", "machines"])
    >>> relationship_levels(shops, margin_bands=(10, 100), customer_bands=(50, 1000))["level"].to_dict()
    {'tea': 'basic', 'machines': 'partnership'}
    """
    words = {"unit_margin": ("low", "medium", "high"), "customers": ("few", "medium", "many")}
    bands = {"unit_margin": margin_bands, "customers": customer_bands}
    found = {}
    for column, names in words.items():
        low, high = bands[column]
        if column not in segments.columns or segments[column].isna().any():
            raise InputError(f"relationship_levels: the segments need the column {column}, with a number in every row.")
        if not low < high:
            raise InputError(f"relationship_levels: the bands of {column} are {bands[column]}; expected low < high.")
        found[column] = np.array(names)[np.searchsorted([low, high], segments[column].to_numpy(), side="right")]
    pairs = zip(found["unit_margin"], found["customers"], strict=True)
    level = [relationship_level(str(margin), str(number)) for margin, number in pairs]
    return segments.assign(margin=found["unit_margin"], number=found["customers"], level=level)


def funnel(steps: Mapping[str, int] | pd.Series, *, level: float = 0.95) -> pd.DataFrame:
    """Conversion and loss from step to step (E13), with Jeffreys' intervals.

    Parameters
    ----------
    steps : mapping or Series, step -> number of customers who got so far
        From the first step on; never more than at the step before.
    level : float, 0 to 1

    Returns
    -------
    DataFrame, index step
        customers; of_first (share of the first step); conversion (share of the step before), ci_lower, ci_upper; lost
        (number), loss (share of the step before). The first step has no step before it.

    Raises
    ------
    InputError
        For fewer than two steps, a number below 0 or not whole, or more customers than at the step before.

    Examples
    --------
    >>> funnel({"first order": 100, "second": 40, "third": 30}).round(3)[["customers", "conversion", "lost", "loss"]]
                 customers  conversion  lost  loss
    step
    first order        100         NaN   NaN   NaN
    second              40        0.40  60.0  0.60
    third               30        0.75  10.0  0.25
    """
    given = pd.Series(steps)
    odd = given[pd.to_numeric(given, errors="coerce") % 1 != 0]
    if len(odd):
        raise InputError(f"funnel: {odd.index[0]!r} has {odd.iloc[0]}; expected a whole number of customers.")
    counts = given.astype(int).rename_axis("step")
    before = counts.shift()
    if len(counts) < 2 or (counts < 0).any() or counts.iloc[0] == 0:
        raise InputError("funnel: expected two steps or more, with customers at the first and never fewer than 0.")
    growing = counts[counts > before]
    if len(growing):
        raise InputError(
            f"funnel: {growing.index[0]!r} has {growing.iloc[0]} customers, more than the step before it. Every step "
            "must count only customers who took all steps before."
        )
    lower, upper = _jeffreys(counts, before, level)
    return pd.DataFrame(
        {
            "customers": counts,
            "of_first": counts / counts.iloc[0],
            "conversion": counts / before.replace(0, np.nan),
            "ci_lower": lower,
            "ci_upper": upper,
            "lost": before - counts,
            "loss": 1 - counts / before.replace(0, np.nan),
        }
    )


def _jeffreys(counts: pd.Series, before: pd.Series, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Jeffreys' interval of counts / before; 0 and 1 are its ends where nobody or everybody went on (Brown et al.)."""
    from scipy.special import betaincinv

    if not 0 < level < 1:
        raise InputError(f"funnel: level {level}; expected a number between 0 and 1.")
    tail = (1 - level) / 2
    a, b = counts + 0.5, before - counts + 0.5
    lower = np.where(counts == 0, 0.0, betaincinv(a, b, tail))
    upper = np.where(counts == before, 1.0, betaincinv(a, b, 1 - tail))
    unknown = before.fillna(0) == 0
    return np.where(unknown, np.nan, lower), np.where(unknown, np.nan, upper)


def loyalty_ladder(
    transactions: Transactions,
    *,
    as_of: Date | str | None = None,
    prospects: int = 0,
    long_standing_days: int = 365,
    loyal_purchases: int = 6,
    active_days: int = 90,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rung of the loyalty ladder every customer stands on (E14), and how many have got so far.

    Parameters
    ----------
    transactions : Transactions
        Several paid lines of one day are one purchase.
    as_of : date or text, optional
        Default the day of the last line.
    prospects : int
        People we know who have never bought.
    long_standing_days : int
        Days from the first to the last purchase that make a customer long-standing.
    loyal_purchases, active_days : int
        So many purchases, the last one so few days ago, make a long-standing customer loyal.

    Returns
    -------
    customers : DataFrame, by customer_id
        customer_id, purchases, first, last, rung.
    rungs : DataFrame, index rung from potential to loyal
        standing (customers on the rung), reached (on it or above).

    Examples
    --------
    >>> from crmlab.transactions import Transactions
    >>> orders = pd.DataFrame({"customer_id": [1, 2, 2], "date": ["2025-01-01", "2025-01-01", "2025-03-01"]})
    >>> customers, rungs = loyalty_ladder(Transactions(orders.assign(amount=9.0)), prospects=5)
    >>> customers["rung"].tolist(), rungs["reached"].tolist()
    (['new', 'regular'], [7, 2, 1, 0, 0])
    """
    if prospects < 0 or min(long_standing_days, loyal_purchases, active_days) < 1:
        raise InputError("loyalty_ladder: prospects must be 0 or more, days and purchases 1 or more.")
    day = transactions.period[1] if as_of is None else day_of(as_of)
    lines = transactions.table
    paid = lines.filter(lines.amount > 0, lines.date <= ibis.literal(day))
    seen = paid.group_by("customer_id").agg(
        purchases=paid.date.nunique().cast("int64"), first=paid.date.min(), last=paid.date.max()
    )
    stays = seen["last"].delta(seen["first"], unit="day") >= long_standing_days
    lately = ibis.literal(day).delta(seen["last"], unit="day") <= active_days
    rung = ibis.cases(
        (stays & (seen.purchases >= loyal_purchases) & lately, "loyal"),
        (stays, "long-standing"),
        (seen.purchases > 1, "regular"),
        else_="new",
    )
    customers = to_frame(seen.mutate(rung=rung).order_by("customer_id"))
    names = [*guide("ladder").index]
    standing = customers["rung"].value_counts().reindex(names, fill_value=0)
    standing["potential"] = prospects
    reached = standing[::-1].cumsum()[::-1]
    return customers, pd.DataFrame({"standing": standing, "reached": reached}).rename_axis("rung")


def steps_by_purchase(transactions: Transactions, most: int = 6) -> pd.Series:
    """How many customers came to a first, a second, … purchase: the steps of the retention funnel.

    Returns
    -------
    Series, index "purchase" 1 to `most`
        Customers with at least so many days with a paid purchase.
    """
    if most < 2:
        raise InputError(f"steps_by_purchase: most is {most}; expected 2 or more.")
    customers, _ = loyalty_ladder(transactions)
    steps = {number: int((customers["purchases"] >= number).sum()) for number in range(1, most + 1)}
    return pd.Series(steps, name="customers").rename_axis("purchase")
