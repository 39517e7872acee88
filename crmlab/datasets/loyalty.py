"""Simulated customers whose loyalty is known from the inside: link, ties, types, complaints and recovery (chapter 10).

Satisfaction T of a customer, 1–10, leads to the intention to stay, 0–100, along a curve S from the customer's own floor
to a common ceiling: floor + (ceiling − floor)·S(T). What ties a customer (law, place, knowledge; a high switching cost)
lifts the floor and nothing else, so satisfaction, ties and the curve's thresholds do not depend on each other. Affect
follows T alone; purchases follow intention and ties. A share of the customers meets a failure; some of them complain,
and the firm makes it good to some of these: more often to those who were content before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crmlab.datasets.design import check_whole

SHAPES = ("sigmoid", "linear", "tolerance")
CONSTRAINTS = ("none", "law", "place", "knowledge")
CAUSES = ("maker", "seller", "customer misuse", "service")
STEPS = ("acknowledged", "investigated", "resolved", "followed_up")
#: Parts of the composite of course row A3, as items of the questionnaire loyalty_value.
PARTS = ("LY1", "LY2", "LY3", "LY4", "LY5")
BENEFITS = ("product", "service", "people", "image")
COSTS = ("money", "time", "energy", "effort")

_MEAN, _SD = 6.4, 1.8  # of satisfaction, 1–10
_CAUSE_SHARES = (0.30, 0.30, 0.15, 0.25)
_VAGUE = 0.08  # share of complaints whose words name no cause
_LETTERS: dict[str, tuple[str, ...]] = {
    "maker": (
        "The zip broke after two weeks.",
        "The colour came off in the first wash.",
        "The battery is faulty, it does not charge.",
        "The seam was torn when I opened the box.",
        "拉链两周就坏了。",
        "面料质量太差。",
    ),
    "seller": (
        "You sent the wrong size.",
        "The parcel came nine days late.",
        "I was charged twice for one order.",
        "The shelf price was not the price at the till.",
        "发错了尺码。",
        "快递晚到九天。",
    ),
    "customer misuse": (
        "I washed it too hot and it shrank, can you help?",
        "I dropped it on the stairs.",
        "I did not read the instructions before I switched it on.",
        "我自己洗坏了，能修吗？",
    ),
    "service": (
        "The hotline kept me waiting for an hour.",
        "Your assistant was rude to me.",
        "Nobody called me back.",
        "The parcel came late, and then the hotline was rude.",
        "客服态度很差。",
    ),
    "": ("I am very unhappy.", "Never again!", "Please put this right.", "太失望了。"),
}


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedLoyalty:
    """Customers as the firm sees them, their complaints, and what nobody sees.

    Attributes
    ----------
    data : DataFrame, index customer (1 to n)
        satisfaction (1–10), intention, affect (0–100), purchases (orders in the year), recommend (0–10);
        switching_cost (1–10), constraint (none, law, place, knowledge), rival_price (ours is 100), reason (for buying
        here); LY1 … LY5 (1–10: the parts of the composite); value_*, expected_* of product, service, people, image and
        cost_* of money, time, energy, effort (1–10); problem, complained, recovered ("yes" or "no"; missing where the
        question does not arise), stake (1–10: how much was at stake), satisfaction_after (a year later).
    complaints : DataFrame
        customer, text, cause (what it really was), opened, and the day of each handling step, missing where it was not
        reached.
    truth : DataFrame, index customer
        satisfaction (without error), floor, expected (intention without noise), effect (later satisfaction as answered,
        minus what the same customer would have answered if nothing had gone wrong).
    link : dict
        shape, lower, upper (mean floor and ceiling), midpoint, steepness of the sigmoid.
    paradox : float
        Mean effect of a failure that was made good, in points of satisfaction, over those to whom it happened. Above 0
        there is a recovery paradox.
    stake_effect : float
        Change of that effect for each point of stake (least squares over the same customers). The ends of the scale
        make it smaller than the argument of that name.
    """

    data: pd.DataFrame
    complaints: pd.DataFrame
    truth: pd.DataFrame
    link: dict[str, Any]
    paradox: float
    stake_effect: float

    def __repr__(self) -> str:
        return f"SimulatedLoyalty({len(self.data)} customers, {len(self.complaints)} complaints)"


def simulate_loyalty(
    n: int = 1200,
    *,
    seed: int = 2026,
    shape: str = "sigmoid",
    midpoint: float = 6.5,
    steepness: float = 1.6,
    hold: float = 30.0,
    noise: float = 10.0,
    error: float = 0.0,
    recovery: float = 1.4,
    stake_effect: float = -0.2,
    favour: float = 0.8,
    missing: float = 0.0,
) -> SimulatedLoyalty:
    """Draw customers whose loyalty is known from the inside.

    Parameters
    ----------
    n : int
        Customers, 2 or more.
    seed : int
        The same seed gives the same bytes.
    shape : {"sigmoid", "linear", "tolerance"}
        The curve S: one rise, a straight line, or two rises with a flat middle.
    midpoint, steepness : float
        Of the sigmoid 1/(1 + exp(−steepness·(T − midpoint))); steepness above 0.
    hold : float
        By how many points of intention the highest switching cost lifts the floor, 0 to 50.
    noise : float
        Standard deviation of intention around its expectation, 0 or more. Intention is cut off at 0 and 100.
    error : float
        Standard deviation of the error in the satisfaction that is measured, 0 or more.
    recovery : float
        Points of satisfaction that making good restores at a stake of 5.5; a failure takes 1.6.
    stake_effect : float
        What is added to it for each point of stake.
    favour : float
        How much more often the firm makes good to those content before (log-odds per standard deviation).
    missing : float
        Probability that an answer to LY1 … LY5, value_*, cost_* or expected_* is missing.

    Returns
    -------
    SimulatedLoyalty

    Raises
    ------
    ValueError
        An argument out of range.

    Examples
    --------
    >>> drawn = simulate_loyalty(300, seed=1)
    >>> drawn.link["midpoint"], sorted(drawn.data["constraint"].unique())
    (6.5, ['knowledge', 'law', 'none', 'place'])
    """
    check_whole("n", n, 2, "the number of customers")
    _check(shape, steepness, hold, noise, error, missing)
    for_base, for_link, for_answers, for_failures, for_letters, for_gaps = np.random.default_rng(seed).spawn(6)
    index = pd.RangeIndex(1, n + 1, name="customer")
    true = np.clip(for_base.normal(_MEAN, _SD, n), 1, 10)
    data = _ties(n, for_base).set_index(index)
    floor = 20 + hold * (data["switching_cost"].to_numpy() - 1) / 9
    rise = _curve(true, shape, midpoint, steepness)
    price = 0.3 * (data["rival_price"].to_numpy() - 100)
    expected = floor + (80 - floor) * rise + price
    data["satisfaction"] = _answers(true + error * for_link.normal(size=n), 3)
    data["intention"] = np.clip(expected + noise * for_link.normal(size=n), 0, 100).round(1)
    data["affect"] = np.clip(50 + 11 * (true - _MEAN) + 10 * for_link.normal(size=n), 0, 100).round(1)
    data["purchases"] = _purchases(data, for_link)
    data["recommend"] = np.clip(data["affect"] / 10 + 1 + for_link.normal(size=n), 0, 10).round().astype(int)
    data = data.join(_opinions(data, true, for_answers, missing, for_gaps))
    failures = _failures(true, error, recovery, stake_effect, favour, for_failures).set_index(index)
    data = data.join(failures.drop(columns="effect"))
    mended = (failures["recovered"] == "yes").to_numpy()
    truth = pd.DataFrame(
        {"satisfaction": true, "floor": floor, "expected": expected, "effect": failures["effect"]}, index=index
    )
    return SimulatedLoyalty(
        data=data,
        complaints=_complaints(data, for_letters),
        truth=truth,
        link={"shape": shape, "lower": float(floor.mean()), "upper": 80.0}
        | ({"midpoint": midpoint, "steepness": steepness} if shape == "sigmoid" else {}),
        paradox=float(truth["effect"][mended].mean()) if mended.any() else float("nan"),
        stake_effect=_slope(data["stake"][mended], truth["effect"][mended]),
    )


def _check(shape: str, steepness: float, hold: float, noise: float, error: float, missing: float) -> None:
    if shape not in SHAPES:
        raise ValueError(f"shape: found {shape!r}; expected one of {', '.join(SHAPES)}.")
    if not steepness > 0 or not 0 <= hold <= 50:
        raise ValueError(
            f"simulate_loyalty: steepness is {steepness}, hold {hold}; expected above 0, and between 0 and 50."
        )
    if noise < 0 or error < 0 or not 0 <= missing < 1:
        raise ValueError(
            f"simulate_loyalty: noise is {noise}, error {error}, missing {missing}; expected 0 or more, and a share "
            "below 1."
        )


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _curve(x: np.ndarray, shape: str, midpoint: float, steepness: float) -> np.ndarray:
    """S(T), from 0 to 1."""
    if shape == "linear":
        return (x - 1) / 9
    if shape == "tolerance":
        return (_logistic(2 * (x - 3.5)) + _logistic(2 * (x - 8.5))) / 2
    return _logistic(steepness * (x - midpoint))


def _answers(values: np.ndarray, items: int) -> np.ndarray:
    """Means of so many questions answered from 1 to 10."""
    return np.round(np.clip(values, 1, 10) * items) / items


def _ties(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """What keeps a customer whatever the satisfaction, and the reason that the customer gives for buying here."""
    constraint = rng.choice(len(CONSTRAINTS), size=n, p=(0.64, 0.12, 0.12, 0.12))
    cost = np.where(constraint > 0, rng.normal(7.5, 1.2, n), rng.normal(4.0, 1.5, n))
    drawn = rng.choice(["price", "programme", "habit", "other"], size=n, p=(0.25, 0.20, 0.25, 0.30))
    reason = np.where(constraint == 3, "habit", np.where(constraint > 0, "no alternative", drawn))
    return pd.DataFrame(
        {
            "switching_cost": _answers(cost, 2),
            "constraint": np.array(CONSTRAINTS)[constraint],
            "rival_price": rng.normal(100, 8, n).round(1),
            "reason": reason,
        }
    )


def _purchases(data: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Orders in the year: Poisson; ties count nearly as much as the will to stay, and bargain hunters buy less."""
    tied = (data["constraint"] != "none").to_numpy()
    mean = 1 + 5 * data["intention"].to_numpy() / 100 + 4 * tied
    return rng.poisson(mean * data["reason"].map({"price": 0.6, "programme": 1.3}).fillna(1.0).to_numpy())


def _opinions(
    data: pd.DataFrame, true: np.ndarray, rng: np.random.Generator, missing: float, gaps: np.random.Generator
) -> pd.DataFrame:
    """Answers 1–10: the parts of the composite, benefits found and expected, costs felt."""
    stands = (true - _MEAN) / _SD
    trust, will = data["affect"].to_numpy() / 10, 1 + 9 * data["intention"].to_numpy() / 100
    contact = 2 + 0.8 * data["purchases"].to_numpy()
    columns = dict(zip(PARTS, (trust + 1, contact, true, true, will), strict=True))
    level = {"product": 7.2, "service": 6.6, "people": 7.0, "image": 6.3}
    columns |= {f"value_{name}": level[name] + 0.8 * stands for name in BENEFITS}
    columns |= {f"expected_{name}": np.full(len(data), 7.2) for name in BENEFITS}
    dear = {"money": 6.2, "time": 5.0, "energy": 4.4, "effort": 4.8}
    columns |= {f"cost_{name}": dear[name] - 0.7 * stands for name in COSTS}
    noisy = {name: _answers(values + 1.2 * rng.normal(size=len(data)), 1) for name, values in columns.items()}
    found = pd.DataFrame(noisy, index=data.index)
    return found.mask(gaps.random(found.shape) < missing) if missing else found


def _failures(
    true: np.ndarray, error: float, recovery: float, slope: float, favour: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Who met a failure, who complained, to whom it was made good, and the satisfaction a year later."""
    n = len(true)
    stake = rng.integers(1, 11, n)
    failed = rng.random(n) < 0.4
    spoke = failed & (rng.random(n) < 0.3 + 0.05 * stake)
    mended = spoke & (rng.random(n) < _logistic(favour * (true - _MEAN) / _SD))
    shift = -1.6 * failed + mended * (recovery + slope * (stake - 5.5))
    otherwise = true + 0.6 * rng.normal(size=n) + error * rng.normal(size=n)
    after = _answers(otherwise + shift, 3)
    return pd.DataFrame(
        {
            "problem": np.where(failed, "yes", "no"),
            "complained": np.where(spoke, "yes", "no"),
            "recovered": pd.Series(np.where(mended, "yes", "no")).where(spoke),
            "stake": pd.Series(stake, dtype=float).where(failed),
            "satisfaction_after": after,
            "effect": after - _answers(otherwise, 3),
        }
    )


def _slope(x: pd.Series, y: pd.Series) -> float:
    return float(y.cov(x) / x.var()) if x.var() > 0 else float("nan")


def _complaints(data: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One letter per complaint, with the day of each step; what was not made good stops before it is resolved."""
    who = data.index[data["complained"] == "yes"]
    n = len(who)
    causes = np.array(CAUSES)[rng.choice(len(CAUSES), size=n, p=_CAUSE_SHARES)]
    vague, pick = rng.random(n) < _VAGUE, rng.random(n)
    letters = [_LETTERS["" if silent else cause] for cause, silent in zip(causes, vague, strict=True)]
    table = pd.DataFrame({"customer": who, "cause": causes})
    table["text"] = [of[int(share * len(of))] for of, share in zip(letters, pick, strict=True)]
    day = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 330, n), unit="D")
    table["opened"] = day
    mended = (data.loc[who, "recovered"] == "yes").to_numpy()
    reached = np.ones(n, dtype=bool)
    for step, mean, share in zip(STEPS, (1.0, 4.0, 6.0, 10.0), (0.95, 0.9, 1.0, 0.6), strict=True):
        reached = reached & (mended if step == "resolved" else (rng.random(n) < share) | (mended & (mean < 6)))
        day = day + pd.to_timedelta(1 + rng.poisson(mean, n), unit="D")
        table[step] = pd.Series(day).where(reached)
    return table[["customer", "text", "cause", "opened", *STEPS]]
