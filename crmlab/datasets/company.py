"""One company whose every truth is known: orders, a survey, a pilot, and what each treatment would do (chapter 11).

Customers go from month to month along a chain over exploration, build-up, stability, decline and lapsed. The less
satisfied a customer, the likelier her next step is decline. A treatment changes that chance, and the chance to leave
out of decline, by a share that depends on her satisfaction and on what is at stake for her: it helps some, does
nothing for others, and wakes a few who would have stayed. The margin of the year to come follows from the chain by
matrix products, so that any plan's gain is an exact expectation and two plans can be compared without noise.

Who helps, who does not and who is harmed are the persuadables, sure things, lost causes and sleeping dogs of uplift
modelling (Radcliffe & Surry 1999); that risk is not the same as response to treatment is Ascarza (2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crmlab.datasets.design import check_whole
from crmlab.datasets.lifecycles import STATES
from crmlab.datasets.survey import simulate_survey

Array = npt.NDArray[np.float64]

#: Months of the outcome, the year to come, and of the orders that admit a customer to the pilot.
YEAR, PILOT_MONTHS = 12, 6
FIRST_MONTH = pd.Period("2024-01", "M")
#: Buying in each state as a share of the customer's own full pace.
PACE = np.array([0.4, 0.7, 1.0, 0.4, 0.0])
#: Chance of decline in the next month at mean satisfaction, by state; a standard deviation of satisfaction divides it
#: by exp(SLOPE). In decline the chance is that of leaving.
DECLINE = np.array([0.09, 0.05, 0.04, 0.18, 0.0])
SLOPE = 0.7
#: Chance of the next better state (from decline: back to build-up), as a share of not declining.
PROGRESS = np.array([0.25, 0.20, 0.0, 0.10, 0.0])
#: Levels of retention: share of the chances of decline that it takes from a customer who responds fully.
STRENGTH: Mapping[str, float] = {"financial": 0.45, "social": 0.65, "structural": 0.85}
#: What a treated customer costs: money for each, and share of her revenue of the year before (bonus points).
COSTS: Mapping[str, tuple[float, float]] = {"financial": (3, 0.01), "social": (12, 0.01), "structural": (40, 0.01)}
#: Most customers a level can serve, as a share of all.
CAPACITY: Mapping[str, float] = {"financial": 1.0, "social": 0.15, "structural": 0.04}
MARGIN_RATE, ORDER_SPREAD = 0.35, 0.4
TYPES = ("persuadable", "sure thing", "lost cause", "sleeping dog")


class Pilot(NamedTuple):
    """A randomised experiment with other customers of the company, a year earlier.

    Attributes
    ----------
    orders, survey : DataFrames
        As those of the company, up to the day the pilot began.
    outcomes : DataFrame, one row per customer of the pilot, those who had ordered in its last six months
        customer_id; level ("control" or a level of retention, drawn at random); stayed (bought in the last three
        months of the year that followed); margin (earned in that year, cost of the treatment not taken off).
    """

    orders: pd.DataFrame
    survey: pd.DataFrame
    outcomes: pd.DataFrame


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedCompany:
    """What the company sees, and what nobody sees.

    Attributes
    ----------
    orders : DataFrame, by date: customer_id (keyed hash), date, amount, cost (of the goods)
    survey : DataFrame: customer_id, the 22 items of `course_csi` (1–10), stake (1–10: "It would be hard for me to do
        without this shop")
        Those who answered; a few of their ids belong to nobody who ordered.
    pilot : Pilot
    as_of : Timestamp, last day of the orders
    levels : DataFrame, index level: cost (money for each treated customer), cost_low, cost_high (what the company
        thinks possible), share (of her revenue of the last year, as bonus), capacity (customers)
    truth : DataFrame by customer_id
        state (of the last month), satisfaction, loyalty, stake (population means 0, sds 1), hazard (chance of the step
        to decline, or out of decline, in the next month), lost (chance to have left after a year), value (expected
        margin of the year), type (one of `TYPES`).
    gains : DataFrame, customer_id × levels
        Expected margin of the year with the treatment less that without, cost not taken off.
    costs : DataFrame, customer_id × levels
    stays : DataFrame, customer_id × levels
        Chance to be a customer after a year with the treatment less that without.
    """

    orders: pd.DataFrame
    survey: pd.DataFrame
    pilot: Pilot
    as_of: pd.Timestamp
    levels: pd.DataFrame
    truth: pd.DataFrame
    gains: pd.DataFrame
    costs: pd.DataFrame
    stays: pd.DataFrame

    @cached_property
    def net(self) -> pd.DataFrame:
        """True expected gain less cost, customer_id × levels."""
        return self.gains - self.costs

    def gain(self, plan: pd.Series) -> float:
        """True expected net gain of a plan over the year, in money.

        Parameters
        ----------
        plan : Series, index customer_id, values a level of retention
            Customers who are missing, or whose value is missing or "none", are left alone.

        Raises
        ------
        ValueError
            For a customer or level nobody knows, or a customer who is treated twice.
        """
        treated = plan[plan.notna() & (plan != "none")]
        unknown = [*treated.index.difference(self.net.index), *set(treated) - set(self.net.columns)]
        if unknown or treated.index.has_duplicates:
            raise ValueError(
                f"plan: {unknown or list(treated.index[treated.index.duplicated()])} cannot be treated; expected each "
                f"customer of the company once, with one of {', '.join(self.net.columns)}."
            )
        rows, columns = self.net.index.get_indexer(treated.index), self.net.columns.get_indexer(pd.Index(treated))
        return float(self.net.to_numpy()[rows, columns].sum())

    def __repr__(self) -> str:
        return f"SimulatedCompany({len(self.truth)} customers, {len(self.orders)} orders, {len(self.survey)} answered)"


def simulate_company(
    customers: int = 1500,
    seed: int = 0,
    *,
    months: int = 24,
    answering: float = 0.5,
    selection: float = 0.5,
    pilot: int = 4000,
    dogs: float = 1.0,
) -> SimulatedCompany:
    """Draw a company, its survey and its pilot; December 2025 is the last month.

    Parameters
    ----------
    customers : int, 20 or more
    seed : int, 0 or more
        Same seed, same company.
    months : int, 6 or more
        Observed; customers are won evenly over all but the last three.
    answering : float, above 0, below 1
        Chance that a customer of mean satisfaction answers the survey.
    selection : float
        What a standard deviation of satisfaction adds to the log-odds of answering; 0: who answers is no matter of
        satisfaction. Who has left answers with half the odds.
    pilot : int, 40 or more
        Customers the pilot is drawn from: those who ordered in the last half-year. Half of them are left alone, the
        others shared among the levels.
    dogs : float, 0 or more
        Strength of the harm to those who would better be let alone; 0: no treatment harms anybody.

    Returns
    -------
    SimulatedCompany

    Raises
    ------
    ValueError
        For numbers outside these ranges.

    References
    ----------
    Ascarza, E. (2018). Retention futility: Targeting high-risk customers might be ineffective. Journal of Marketing
    Research, 55(1), 80–98.
    Radcliffe, N. J., & Surry, P. D. (1999). Differential response analysis: Modeling true response by isolating the
    effect of a single action. Credit Scoring and Credit Control VI.

    Examples
    --------
    >>> company = simulate_company(200, seed=1, pilot=100)
    >>> company.orders.columns.tolist(), company.gains.columns.tolist()
    (['customer_id', 'date', 'amount', 'cost'], ['financial', 'social', 'structural'])
    >>> plan = pd.Series("social", index=company.truth.index[:2])
    >>> bool(np.isclose(company.gain(plan), company.net["social"].iloc[:2].sum()))
    True
    """
    for name, given, least in (("customers", customers, 20), ("months", months, 6), ("pilot", pilot, 40)):
        check_whole(name, given, least, "a number that a survey and a pilot can be drawn from")
    check_whole("seed", seed, 0, "a seed of the random generator")
    if not 0 < answering < 1 or dogs < 0:
        raise ValueError(f"answering, dogs: {answering}, {dogs}; expected a share between 0 and 1, and 0 or more.")
    streams = np.random.default_rng(seed).spawn(2)
    own = _People.drawn(customers, months, dogs, streams[0])
    others = _People.drawn(pilot, months, dogs, streams[1])
    end = (FIRST_MONTH + months - 1).end_time.normalize()
    orders = own.orders()
    return SimulatedCompany(
        orders=orders,
        survey=own.survey(answering, selection),
        pilot=others.pilot(answering, selection),
        as_of=end,
        levels=_levels(customers),
        truth=own.truth(),
        gains=own.table({level: own.margin(level) - own.margin() for level in STRENGTH}),
        costs=own.table(own.costs(orders, end)),
        stays=own.table({level: own.lost() - own.lost(level) for level in STRENGTH}),
    )


@dataclass(frozen=True, eq=False)
class _People:
    """Customers with their hidden traits, and all that follows from them.

    Arrays have one entry per customer; `state` has a column for each month, −1 before the entry.
    """

    ids: npt.NDArray[np.str_]
    answers: pd.DataFrame
    satisfaction: Array
    loyalty: Array
    stake: Array
    pace: Array  # orders a month at the full pace
    size: Array  # money an order
    state: npt.NDArray[np.int64]
    number: npt.NDArray[np.int64]  # orders of each month
    dogs: float
    rng: np.random.Generator

    @classmethod
    def drawn(cls, customers: int, months: int, dogs: float, rng: np.random.Generator) -> _People:
        survey = simulate_survey(customers, seed=int(rng.integers(2**31)), measurement="factor")
        scores = survey.truth.scores
        satisfaction, loyalty = (scores[name].to_numpy() for name in ("Satisfaction", "Loyalty"))
        stake = 0.3 * loyalty + np.sqrt(1 - 0.3**2) * rng.standard_normal(customers)
        pace, size = rng.lognormal(0.2, 0.6, customers), rng.lognormal(np.log(70), 0.5, customers)
        entry = rng.integers(0, months - 3, customers)
        state = _walked(_chains(satisfaction), entry, months, rng)
        number = rng.poisson(pace[:, None] * PACE[state.clip(0)] * (state >= 0))
        number[np.arange(customers), entry] = np.maximum(number[np.arange(customers), entry], 1)
        answers = survey.data.drop(columns="respondent")
        return cls(_ids(customers, rng), answers, satisfaction, loyalty, stake, pace, size, state, number, dogs, rng)

    @property
    def months(self) -> int:
        return self.state.shape[1]

    @property
    def margin_per_order(self) -> Array:
        return MARGIN_RATE * self.size

    def response(self) -> Array:
        """How fully each customer responds, from 1 down to below 0: most in the middle, harmed where little is at stake
        for an unhappy one."""
        middle = np.exp(-((self.satisfaction + 0.4) ** 2) / (2 * 1.2**2))
        cares = 1 / (1 + np.exp(-(0.5 + 1.8 * self.stake)))
        woken = self.dogs * 0.9 / (1 + np.exp(2.0 * (self.satisfaction + 0.6) + 2.5 * self.stake))
        return 1.2 * middle * cares - woken

    def chains(self, level: str | None = None) -> Array:
        """Chain of each customer (customers, from, to) with a treatment, or without one."""
        kept = 0.0 if level is None else STRENGTH[level] * self.response()
        return _chains(self.satisfaction, 1 - kept)

    def margin(self, level: str | None = None) -> Array:
        """Expected margin of the year to come."""
        shares = _shares(self.chains(level), self.state[:, -1])
        return np.asarray(self.pace * self.margin_per_order * (shares[:, 1:] @ PACE).sum(axis=1))

    def lost(self, level: str | None = None) -> Array:
        """Chance to have left after the year."""
        return _shares(self.chains(level), self.state[:, -1])[:, -1, STATES.index("lapsed")]

    def costs(self, orders: pd.DataFrame, end: pd.Timestamp) -> dict[str, Array]:
        """An amount, and a share of what the customer spent in the last 365 days."""
        recent = orders[orders["date"] > end - pd.Timedelta(days=365)]
        spent = recent.groupby("customer_id")["amount"].sum().reindex(self._index, fill_value=0.0).to_numpy()
        return {level: each + share * spent for level, (each, share) in COSTS.items()}

    def truth(self) -> pd.DataFrame:
        lost, now = self.lost(), np.arange(len(self.ids))
        out = _chains(self.satisfaction)[now, self.state[:, -1]]
        leaving = np.where(
            self.state[:, -1] == STATES.index("decline"), STATES.index("lapsed"), STATES.index("decline")
        )
        effect = lost - self.lost("structural")
        kinds = [effect <= -0.02, effect >= 0.02, lost < 0.5]
        return pd.DataFrame(
            {
                "state": pd.Categorical.from_codes(self.state[:, -1], [*STATES], ordered=True),  # type: ignore[call-overload]
                "satisfaction": self.satisfaction,
                "loyalty": self.loyalty,
                "stake": self.stake,
                "hazard": np.where(self.state[:, -1] == STATES.index("lapsed"), 0.0, out[now, leaving]),
                "lost": lost,
                "value": self.margin(),
                "type": np.select(kinds, ["sleeping dog", "persuadable", "sure thing"], "lost cause"),
            },
            index=self._index,
        )

    def table(self, columns: Mapping[str, Array]) -> pd.DataFrame:
        return pd.DataFrame(columns, index=self._index)

    def orders(self) -> pd.DataFrame:
        """One row an order, by date."""
        who, month = (np.repeat(place, self.number.ravel()) for place in np.indices(self.number.shape).reshape(2, -1))
        amount = np.round(self.size[who] * self.rng.lognormal(-(ORDER_SPREAD**2) / 2, ORDER_SPREAD, len(who)), 2)
        calendar = pd.period_range(FIRST_MONTH, periods=self.months, freq="M")
        day = np.floor(self.rng.random(len(who)) * calendar.days_in_month.to_numpy()[month]).astype(int)
        data = pd.DataFrame(
            {
                "customer_id": self.ids[who],
                "date": calendar.to_timestamp()[month] + pd.to_timedelta(day, unit="D"),
                "amount": amount,
                "cost": np.round((1 - MARGIN_RATE) * amount, 2),
            }
        )
        return data.sort_values(["date", "customer_id"], kind="stable", ignore_index=True)

    def survey(self, answering: float, selection: float) -> pd.DataFrame:
        """Answers of those who answer, the unhappy less often; one in fifty under an id that nobody ordered with."""
        gone = self.state[:, -1] == STATES.index("lapsed")
        odds = answering / (1 - answering) * np.exp(selection * self.satisfaction) * np.where(gone, 0.5, 1.0)
        answered = self.rng.random(len(self.ids)) < odds / (1 + odds)
        stake = np.clip(np.round(5.8 + 2.0 * self.stake + 0.8 * self.rng.standard_normal(len(self.ids))), 1, 10)
        strangers = self.rng.random(len(self.ids)) < 0.02
        ids = np.where(strangers, _ids(len(self.ids), self.rng), self.ids)
        table = self.answers.assign(stake=stake.astype("int64"))
        table.insert(0, "customer_id", pd.Series(ids, dtype="str"))
        return table[answered].reset_index(drop=True)

    def pilot(self, answering: float, selection: float) -> Pilot:
        """Half are left alone, the others get one of the levels; then a year passes."""
        before, asked = self.orders(), self.survey(answering, selection)
        customers, active = len(self.ids), self.number[:, -PILOT_MONTHS:].sum(axis=1) > 0
        arms = np.array(["control", *STRENGTH])
        arm = self.rng.permutation(np.arange(customers) % (2 * len(STRENGTH)))
        level = arms[np.where(arm < len(STRENGTH), 0, arm - len(STRENGTH) + 1)]
        chains = self.chains()
        for name in STRENGTH:
            treated = level == name
            chains[treated] = self.chains(name)[treated]
        state = _walked(chains, np.zeros(customers, dtype=np.int64), YEAR + 1, self.rng, start=self.state[:, -1])[:, 1:]
        number = self.rng.poisson(self.pace[:, None] * PACE[state])
        spread = self.rng.lognormal(-(ORDER_SPREAD**2) / 2, ORDER_SPREAD, customers)
        outcomes = pd.DataFrame(
            {
                "customer_id": pd.Series(self.ids, dtype="str"),
                "level": pd.Series(level, dtype="str"),
                "stayed": number[:, -3:].sum(axis=1) > 0,
                "margin": np.round(self._bought(number) * self.margin_per_order * spread, 2),
            }
        )
        return Pilot(before, asked, outcomes[active].reset_index(drop=True))

    def _bought(self, number: npt.NDArray[np.int64]) -> Array:
        return number.sum(axis=1).astype(float)

    @property
    def _index(self) -> pd.Index:
        return pd.Index(self.ids, name="customer_id", dtype="str")


def _levels(customers: int) -> pd.DataFrame:
    costs = pd.DataFrame.from_dict(dict(COSTS), orient="index", columns=["cost", "share"]).rename_axis("level")
    costs.insert(1, "cost_low", 0.8 * costs["cost"])
    costs.insert(2, "cost_high", 1.2 * costs["cost"])
    return costs.assign(capacity=[round(share * customers) for share in CAPACITY.values()])


def _ids(customers: int, rng: np.random.Generator) -> npt.NDArray[np.str_]:
    """Ids as a keyed hash writes them: 20 hexadecimal digits."""
    return np.array([rng.bytes(10).hex() for _ in range(customers)])


def _chains(satisfaction: Array, factor: float | Array = 1.0) -> Array:
    """Chain of each customer (customers, from, to); `factor` multiplies the chances of decline and of leaving."""
    chance = np.clip(DECLINE * np.exp(-SLOPE * satisfaction)[:, None] * np.reshape(factor, (-1, 1)), 0.0, 0.9)
    chains = np.zeros((len(satisfaction), len(STATES), len(STATES)))
    worse, better = [3, 3, 3, 4, 4], [1, 2, 2, 1, 4]
    for now in range(len(STATES)):
        chains[:, now, worse[now]] += chance[:, now]
        chains[:, now, better[now]] += (1 - chance[:, now]) * PROGRESS[now]
        chains[:, now, now] += (1 - chance[:, now]) * (1 - PROGRESS[now])
    return chains


def _walked(
    chains: Array,
    entry: npt.NDArray[np.int64],
    months: int,
    rng: np.random.Generator,
    start: npt.NDArray[np.int64] | None = None,
) -> npt.NDArray[np.int64]:
    """State of every customer in every month from the entry on, −1 before it; exploration first, or `start`."""
    limits, who = chains.cumsum(axis=2), np.arange(len(entry))
    limits[:, :, -1] = 1.0
    draws = rng.random((len(entry), months))
    state = np.full((len(entry), months), -1, dtype=np.int64)
    first = np.zeros(len(entry), dtype=np.int64) if start is None else start
    for month in range(months):
        before = state[:, month - 1].clip(0) if month else first
        moved = (draws[:, [month]] >= limits[who, before]).sum(axis=1)
        state[:, month] = np.where(month < entry, -1, np.where(month == entry, first, moved))
    return state


def _shares(chains: Array, start: npt.NDArray[np.int64], months: int = YEAR) -> Array:
    """Probability of each state after 0, 1, …, `months` months: (customers, months + 1, states)."""
    shares = np.zeros((len(start), months + 1, len(STATES)))
    shares[np.arange(len(start)), 0, start] = 1.0
    for month in range(months):
        shares[:, month + 1] = np.einsum("ci,cij->cj", shares[:, month], chains)
    return shares
