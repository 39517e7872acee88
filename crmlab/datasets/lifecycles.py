"""Customers whose phase is known in every month, and their orders; chapter 1.

Each customer goes from month to month along a Markov chain over exploration, build-up, stability, decline and lapsed.
The phase says how much is bought: little at first, rising, then steadily at the customer's own level, then fading.
Orders are drawn from that: their number is Poisson, their amounts are lognormal. So both are known, the chain that
moves the customers and the phase behind every order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

STATES = ("exploration", "build-up", "stability", "decline", "lapsed")

#: Probability of the phase of the next month (column) given that of this month (row). Ideal order along the diagonal;
#: decline can begin in any phase; one customer in twenty who declines is won back a month.
CHAIN = pd.DataFrame(
    [
        [0.74, 0.16, 0.00, 0.10, 0.00],
        [0.00, 0.78, 0.16, 0.06, 0.00],
        [0.00, 0.00, 0.95, 0.05, 0.00],
        [0.00, 0.05, 0.00, 0.70, 0.25],
        [0.00, 0.00, 0.00, 0.00, 1.00],
    ],
    index=pd.Index(STATES, name="from"),
    columns=pd.Index(STATES, name="to"),
)

#: Orders a month at full level, the spread (sigma of the logarithm) of their amounts, and how a level moves.
PACE, SPREAD = 8.0, 0.3
EXPLORATION_LEVEL, GROWTH_STEP, DECLINE_FACTOR = 0.25, 0.18, 0.55
FIRST_MONTH = pd.Period("2023-01", "M")


@dataclass(frozen=True, eq=False)
class SimulatedLifecycles:
    """Orders and the truth behind them.

    Attributes
    ----------
    data : DataFrame, one row per order, by date
        customer_id (int), date, amount, cost (of the goods).
    phases : DataFrame, one row per customer and month from the first order to the last month
        customer_id, period (first day of the month), phase (ordered Categorical), expected (mean amount of the month).
    probabilities : DataFrame from × to
        The chain the phases were drawn from.
    seasonal : ids of customers who buy in December only, whatever their phase; empty unless asked for.
    """

    data: pd.DataFrame
    phases: pd.DataFrame
    probabilities: pd.DataFrame
    seasonal: list[int]


def simulate_lifecycles(
    customers: int = 500,
    months: int = 36,
    seed: int = 0,
    *,
    entry_months: int = 12,
    probabilities: pd.DataFrame | None = None,
    cost_shares: Mapping[str, float] = MappingProxyType(
        {"exploration": 0.7, "build-up": 0.65, "stability": 0.6, "decline": 0.7, "lapsed": 0.7}
    ),
    seasonal: float = 0.0,
) -> SimulatedLifecycles:
    """Draw customers, their phases and their orders from January 2023 on.

    Parameters
    ----------
    customers : int, at least 1
    months : int, at least 2
    seed : int
        Same seed, same customers.
    entry_months : int, 1 to `months`
        Customers are won evenly over so many months, counted from the first.
    probabilities : DataFrame from × to with the labels `STATES`, optional
        Replaces `CHAIN`; rows of non-negative numbers that sum to 1.
    cost_shares : mapping phase -> cost of the goods as a share of the amount
    seasonal : float, 0 to 1
        Share of customers who are loyal for ever and buy in December only; their true phase is stability.

    Returns
    -------
    SimulatedLifecycles

    Raises
    ------
    ValueError
        For numbers outside these ranges, or a matrix that is none of probabilities.

    Examples
    --------
    >>> simulated = simulate_lifecycles(customers=50, seed=1)
    >>> simulated.data.columns.tolist()
    ['customer_id', 'date', 'amount', 'cost']
    >>> simulated.phases["phase"].iloc[:3].tolist()
    ['exploration', 'exploration', 'exploration']
    """
    chain = _checked(customers, months, entry_months, CHAIN if probabilities is None else probabilities, seasonal)
    rng = np.random.default_rng(seed)
    entry = np.sort(rng.integers(0, entry_months, customers))
    december_only = rng.permutation(customers) < round(seasonal * customers)
    state = _states(entry, months, chain, rng)
    share = _shares_of_full(state)
    _make_seasonal(december_only, entry, state, share)
    full = rng.lognormal(np.log(30), 0.5, customers)  # size of an order at full level
    data = _orders(state, share, full, entry, np.array([cost_shares[name] for name in STATES]), rng)
    return SimulatedLifecycles(
        data=data,
        phases=_truth(state, share * full[:, None] * PACE),
        probabilities=chain,
        seasonal=[int(number) for number in np.flatnonzero(december_only) + 1],
    )


def _checked(
    customers: int, months: int, entry_months: int, probabilities: pd.DataFrame, seasonal: float
) -> pd.DataFrame:
    if customers < 1 or months < 2 or not 1 <= entry_months <= months:
        raise ValueError(
            f"customers, months, entry_months: {customers}, {months}, {entry_months}; expected 1 or more, 2 or more, "
            "and 1 to months."
        )
    if not 0 <= seasonal <= 1:
        raise ValueError(f"seasonal: {seasonal} is no share; expected 0 to 1.")
    if set(probabilities.index) != set(STATES) or set(probabilities.columns) != set(STATES):
        raise ValueError(f"probabilities: expected rows and columns named {', '.join(STATES)}.")
    chain = probabilities.loc[[*STATES], [*STATES]].astype(float)
    if (chain.to_numpy() < 0).any() or not np.allclose(chain.sum(axis=1), 1):
        raise ValueError("probabilities: expected rows of numbers from 0 that sum to 1.")
    return chain


def _states(entry: np.ndarray, months: int, chain: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Phase of every customer (row) in every month (column), as position in STATES; −1 before the entry."""
    limits = chain.to_numpy().cumsum(axis=1)
    limits[:, -1] = 1.0
    draws = rng.random((len(entry), months))
    state = np.full((len(entry), months), -1)
    for month in range(months):
        before = state[:, month - 1] if month else np.full(len(entry), -1)
        moved = (draws[:, [month]] >= limits[before]).sum(axis=1)
        state[:, month] = np.where(month < entry, -1, np.where(month == entry, 0, moved))
    return state


def _shares_of_full(state: np.ndarray) -> np.ndarray:
    """What every customer buys in every month, as a share of the customer's full level."""
    share = np.zeros(state.shape)
    now = np.zeros(len(state))
    for month in range(state.shape[1]):
        moves = {
            "exploration": np.full(len(now), EXPLORATION_LEVEL),
            "build-up": np.minimum(now + GROWTH_STEP, 0.95),
            "stability": np.ones(len(now)),
            "decline": now * DECLINE_FACTOR,
            "lapsed": np.zeros(len(now)),
        }
        now = np.where(state[:, month] < 0, 0.0, np.choose(state[:, month].clip(0), [moves[name] for name in STATES]))
        share[:, month] = now
    return share


def _make_seasonal(chosen: np.ndarray, entry: np.ndarray, state: np.ndarray, share: np.ndarray) -> None:
    """Customers who are loyal from their first order on, and buy in December only."""
    months = np.arange(state.shape[1])
    loyal = chosen[:, None] & (months >= entry[:, None])
    december = (months + FIRST_MONTH.month - 1) % 12 == 11
    state[loyal] = STATES.index("stability")
    share[loyal] = (np.ones((len(chosen), 1)) * december)[loyal]


def _orders(
    state: np.ndarray,
    share: np.ndarray,
    full: np.ndarray,
    entry: np.ndarray,
    cost_shares: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Orders of every customer and month: where a level falls, their number and their size both fall by its root."""
    number = rng.poisson(PACE * np.sqrt(share))
    first = (np.arange(len(entry)), entry)
    number[first] = np.maximum(number[first], 1)  # an order begins the relationship
    who, month = (np.repeat(place, number.ravel()) for place in np.indices(state.shape).reshape(2, -1))
    size = full[who] * np.sqrt(np.maximum(share[who, month], EXPLORATION_LEVEL**2))
    amount = np.round(size * rng.lognormal(-(SPREAD**2) / 2, SPREAD, len(who)), 2)
    months = pd.period_range(FIRST_MONTH, periods=state.shape[1], freq="M")
    day = np.floor(rng.random(len(who)) * months.days_in_month.to_numpy()[month]).astype(int)
    data = pd.DataFrame(
        {
            "customer_id": who + 1,
            "date": months.to_timestamp()[month] + pd.to_timedelta(day, unit="D"),
            "amount": amount,
            "cost": np.round(amount * cost_shares[state[who, month]], 2),
        }
    )
    return data.sort_values(["date", "customer_id"], kind="stable", ignore_index=True)


def _truth(state: np.ndarray, expected: np.ndarray) -> pd.DataFrame:
    who, month = np.nonzero(state >= 0)
    days = pd.period_range(FIRST_MONTH, periods=state.shape[1], freq="M").to_timestamp()
    phase = pd.Categorical.from_codes(state[who, month], [*STATES], ordered=True)  # type: ignore[call-overload]
    columns = {"customer_id": who + 1, "period": days[month], "phase": phase, "expected": expected[who, month]}
    return pd.DataFrame(columns)
