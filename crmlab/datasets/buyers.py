"""Simulated buyers whose hidden rates are known: when they buy, when they leave, what they spend (chapter 4).

Purchases follow BG/NBD (Fader, Hardie & Lee 2005), spend per purchase Gamma–Gamma (Fader & Hardie 2013). Each purchase
is of one product, each customer of one region; goods of each product cost another share of the price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.datasets.design import check_whole

#: Product: share of the purchases, cost of the goods as a share of the price.
PRODUCTS = {"music": (0.5, 0.60), "films": (0.3, 0.75), "devices": (0.2, 0.92)}
REGIONS = {"north": 0.5, "south": 0.3, "west": 0.2}
#: What a region's customers prefer: factors on the share of "devices".
_DEVICES = {"north": 1.6, "south": 0.7, "west": 0.2}
FIRST_DAY = "2024-01-01"


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedBuyers:
    """Orders of simulated buyers beside their truth.

    Attributes
    ----------
    orders : DataFrame: customer_id, date, amount, cost, product, region
        One row a purchase, by customer and date.
    customers : DataFrame, index customer_id
        rate (purchases per week), leaving (probability after a purchase), spend (mean of a purchase), region,
        last_alive (the day after whose purchase the customer left; missing for those still there at the end).
    params : dict: r, alpha, a, b (weeks), p, q, v
    end : Timestamp, last day
    """

    orders: pd.DataFrame
    customers: pd.DataFrame
    params: dict[str, float]
    end: pd.Timestamp

    def __repr__(self) -> str:
        return f"SimulatedBuyers({len(self.customers)} customers, {len(self.orders)} orders)"


def simulate_buyers(
    customers: int = 2000,
    *,
    weeks: int = 78,
    r: float = 0.8,
    alpha: float = 10.0,
    a: float = 0.8,
    b: float = 2.5,
    p: float = 6.0,
    q: float = 4.0,
    v: float = 15.0,
    seed: int = 0,
) -> SimulatedBuyers:
    """Draw buyers, all won in the first twelve weeks.

    Parameters
    ----------
    customers : int, 1 or more
    weeks : int, more than 12
        From the first day to the last.
    r, alpha : float, above 0
        Rates of buying per week, Gamma(r, alpha).
    a, b : float, above 0
        Probability of leaving after a purchase, Beta(a, b).
    p, q, v : float, above 0, q above 1
        Spend per purchase: Gamma(p, ν) with ν ~ Gamma(q, v).
    seed : int

    Returns
    -------
    SimulatedBuyers

    Raises
    ------
    ValueError
        A number out of range.

    Examples
    --------
    >>> shop = simulate_buyers(100, seed=1)
    >>> shop.orders.columns.tolist(), int(shop.orders["customer_id"].nunique())
    (['customer_id', 'date', 'amount', 'cost', 'product', 'region'], 100)
    """
    check_whole("customers", customers, 1, "the number of buyers")
    check_whole("weeks", weeks, 13, "since buyers are won for twelve")
    params = {"r": r, "alpha": alpha, "a": a, "b": b, "p": p, "q": q, "v": v}
    for name, value in params.items():
        if not value > (1 if name == "q" else 0):
            raise ValueError(f"{name}: found {value!r}; expected a number above {1 if name == 'q' else 0}.")
    rng = np.random.default_rng(seed)
    people = pd.DataFrame(
        {
            "rate": rng.gamma(r, 1 / alpha, customers),
            "leaving": rng.beta(a, b, customers),
            "first": rng.integers(0, 84, customers),
            "scale": rng.gamma(q, 1 / v, customers),
            "region": rng.choice(list(REGIONS), customers, p=list(REGIONS.values())),
        },
        index=pd.RangeIndex(1, customers + 1, name="customer_id"),
    )
    bought, left = _purchases(people, 7 * weeks, rng)
    origin = pd.Timestamp(FIRST_DAY)
    orders = _spent(bought, people, p, rng).assign(date=origin + pd.to_timedelta(bought["day"].to_numpy(), unit="D"))
    truth = people[["rate", "leaving", "region"]].assign(
        spend=p / people["scale"], last_alive=origin + pd.to_timedelta(left, unit="D")
    )
    names = ["customer_id", "date", "amount", "cost", "product", "region"]
    return SimulatedBuyers(orders[names], truth, params, origin + pd.Timedelta(days=7 * weeks - 1))


def _purchases(people: pd.DataFrame, days: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Days of all purchases, and the day of the last one for those who left before the end."""
    time = people["first"].to_numpy() + rng.random(len(people))
    left = np.full(len(people), np.nan)
    here = np.arange(len(people))
    found = [(here, time[here])]
    rate, leaving = people["rate"].to_numpy(), people["leaving"].to_numpy()
    while len(here):
        time[here] += 7 * rng.exponential(1, len(here)) / rate[here]
        here = here[time[here] < days]
        found.append((here, time[here]))
        goes = rng.random(len(here)) < leaving[here]
        left[here[goes]] = np.floor(time[here[goes]])
        here = here[~goes]
    place = np.concatenate([own for own, _ in found])
    day = np.floor(np.concatenate([when for _, when in found])).astype(int)
    bought = pd.DataFrame({"customer_id": people.index.to_numpy()[place], "day": day, "place": place})
    return bought.sort_values(["customer_id", "day"], kind="stable", ignore_index=True), left


def _spent(bought: pd.DataFrame, people: pd.DataFrame, p: float, rng: np.random.Generator) -> pd.DataFrame:
    place = bought["place"].to_numpy()
    amount = np.maximum(rng.gamma(p, 1 / people["scale"].to_numpy()[place]), 0.01).round(2)
    region = people["region"].to_numpy()[place]
    share = np.array([own for own, _ in PRODUCTS.values()])
    chances = np.repeat(share[None, :], len(bought), axis=0)
    chances[:, -1] *= np.array([_DEVICES[own] for own in region])
    chances /= chances.sum(axis=1, keepdims=True)
    product = (rng.random(len(bought))[:, None] > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
    cost = np.array([own for _, own in PRODUCTS.values()])[product]
    return pd.DataFrame(
        {
            "customer_id": bought["customer_id"],
            "amount": amount,
            "cost": (amount * cost).round(2),
            "product": np.array(list(PRODUCTS), dtype=object)[product],
            "region": region,
        }
    )
