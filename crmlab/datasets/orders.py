"""Raw order exports of three shops with every defect known, and registers that hold the same people twice; chapter 2.

Persons buy at one shop or at several; each shop gives them an id of its own and writes down name, telephone and e-mail
as it hears them. Orders are drawn first, without error; then each defect is written into lines of its own, so that the
truth names the rows of every kind and the lines a perfect cleaning must leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

SHOPS = ("North", "Web", "West")

#: Kinds of defect, named as the rules of `crmlab.transactions.clean`, and the share of lines that have it by default.
DEFECTS: Mapping[str, float] = {
    "date_formats": 0.04,
    "decimal_ids": 0.02,
    "padded_ids": 0.02,
    "zero_padded_ids": 0.02,
    "repeated_lines": 0.03,
    "missing_id": 0.02,
    "missing_date": 0.01,
    "missing_amount": 0.01,
    "future_date": 0.005,
    "cancellations": 0.02,
    "returns": 0.01,
    "zero_amount": 0.01,
    "postage": 0.03,
    "blacklist": 0.01,
}

FIRST_DAY, LAST_DAY = pd.Timestamp("2024-01-01"), pd.Timestamp("2025-12-31")

_PRODUCTS = {"Tea 茶": 12.0, "Cup 杯": 8.5, "Pot 壶": 39.0, "Tray 盘": 24.0, "Honey 蜂蜜": 18.0, "Gift box 礼盒": 88.0}
_TEST_ID = "99999"


@dataclass(frozen=True, eq=False)
class SimulatedOrders:
    """Messy exports and what is true about them.

    Attributes
    ----------
    data : DataFrame, one row per exported line, all cells text as in a file ("" where empty)
        order_id, customer_id, date, product, quantity, amount, shop.
    defects : DataFrame row (position in `data`), defect (a key of `DEFECTS`): one row per damaged line.
    clean : DataFrame of the lines a perfect cleaning leaves, in the order of `data`: the columns of `data` as values,
    with
        the `row` they stand in.
    register : DataFrame, one row per customer and shop: customer_id, shop, name, phone, email, city, birth_year.
    persons : DataFrame customer_id, person: which ids of the register are one person.
    blacklist : ids that no analysis should hold.
    as_of : the day after the last order.
    """

    data: pd.DataFrame
    defects: pd.DataFrame
    clean: pd.DataFrame
    register: pd.DataFrame
    persons: pd.DataFrame
    blacklist: list[str]
    as_of: pd.Timestamp

    @property
    def exports(self) -> dict[str, pd.DataFrame]:
        """The lines by shop, each with the header its own system writes."""
        parts = {shop: self.data[self.data["shop"] == shop].drop(columns="shop") for shop in SHOPS}
        return {shop: part.rename(columns=HEADERS[shop]).reset_index(drop=True) for shop, part in parts.items()}


#: What each shop calls the columns.
HEADERS: Mapping[str, Mapping[str, str]] = {
    "North": {},
    "Web": {
        "order_id": "Invoice", "customer_id": "User", "date": "Created", "product": "Item", "quantity": "Qty",
        "amount": "Total",
    },
    "West": {
        "order_id": "单号", "customer_id": "会员号", "date": "日期", "product": "商品", "quantity": "数量",
        "amount": "金额",
    },
}  # fmt: skip


def simulate_orders(
    persons: int = 300, seed: int = 0, *, defects: Mapping[str, float] | None = None, mess: float = 1.0
) -> SimulatedOrders:
    """Draw the exports of three shops.

    Parameters
    ----------
    persons : int, at least 10
        Four in ten buy at a second shop under a second id; about eight lines per id.
    seed : int
        Same seed, same exports.
    defects : mapping defect -> share of the lines, optional
        Replaces `DEFECTS`; kinds left out do not occur. The shares must not add up to more than one half.
    mess : float, 0 to 1
        How likely it is that a second shop writes a name, telephone or e-mail in another way.

    Returns
    -------
    SimulatedOrders

    Raises
    ------
    ValueError
        For fewer than 10 persons, an unknown defect, or shares that are negative or too many.

    Examples
    --------
    >>> simulated = simulate_orders(persons=50, seed=1)
    >>> int(simulated.defects["defect"].value_counts()["padded_ids"])
    10
    >>> simulated.exports["West"].columns.tolist()
    ['单号', '会员号', '日期', '商品', '数量', '金额']
    """
    shares = _checked(persons, DEFECTS if defects is None else defects, mess)
    rng = np.random.default_rng(seed)
    register, truth = _register(persons, mess, rng)
    orders = _orders(register, rng)
    data, found = _damaged(orders, shares, rng)
    return SimulatedOrders(
        data=data.drop(columns="origin"),
        defects=found,
        clean=_clean(orders, data, found),
        register=register,
        persons=truth,
        blacklist=[_TEST_ID],
        as_of=LAST_DAY + pd.Timedelta(days=1),
    )


def _checked(persons: int, shares: Mapping[str, float], mess: float) -> dict[str, float]:
    unknown = [name for name in shares if name not in DEFECTS]
    if unknown:
        raise ValueError(f"defects: {unknown[0]!r} is not known; expected some of {', '.join(DEFECTS)}.")
    if persons < 10:
        raise ValueError(f"persons: {persons} is too few; expected 10 or more.")
    if min([0.0, *shares.values()]) < 0 or sum(shares.values()) > 0.5:
        raise ValueError(
            f"defects: the shares add up to {sum(shares.values()):.2f}; expected shares from 0 that add up to 0.5 at "
            "most."
        )
    if not 0 <= mess <= 1:
        raise ValueError(f"mess: {mess} is not a probability; expected 0 to 1.")
    return {name: float(shares[name]) for name in DEFECTS if shares.get(name)}


# Customers ------------------------------------------------------------------------------------------------------------

_FAMILY = [
    "Wang",
    "Li",
    "Zhang",
    "Liu",
    "Chen",
    "Yang",
    "Zhao",
    "Huang",
    "Zhou",
    "Wu",
    "Xu",
    "Sun",
    "Hu",
    "Zhu",
    "Gao",
    "Lin",
    "He",
    "Guo",
    "Ma",
    "Luo",
    "Liang",
    "Song",
    "Zheng",
    "Xie",
    "Han",
    "Tang",
    "Feng",
    "Yu",
    "Dong",
    "Xiao",
]
_GIVEN = [
    "Wei",
    "Fang",
    "Na",
    "Min",
    "Jing",
    "Lei",
    "Qiang",
    "Yan",
    "Jie",
    "Juan",
    "Tao",
    "Ming",
    "Chao",
    "Xia",
    "Ping",
    "Gang",
    "Hui",
    "Ying",
    "Hua",
    "Yu",
    "Jun",
    "Bo",
    "Xin",
    "Lan",
    "Mei",
    "Ning",
    "Rui",
    "Shan",
    "Ting",
    "Xue",
    "Yi",
    "Zhen",
    "Kai",
    "Hao",
    "Bin",
    "Cheng",
    "Dan",
    "Feng",
    "Guang",
    "Hong",
]
#: Share of second entries with a city drawn anew, and with a slip in the birth year.
MOVED, SLIP = 0.1, 0.05
_CITIES = ("Beijing", "Chengdu", "Guangzhou", "Hangzhou", "Shanghai", "Xi'an")


def _register(persons: int, mess: float, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    family, given = rng.choice(_FAMILY, persons), rng.choice(_GIVEN, persons)
    second = np.where(rng.random(persons) < 0.6, np.char.lower(rng.choice(_GIVEN, persons)), "")
    people = pd.DataFrame({"family": family, "given": np.char.add(given, second)})
    people["phone"] = "1" + pd.Series(rng.integers(30, 90, persons) * 10**8 + rng.integers(0, 10**8, persons)).astype(
        str
    )
    local = people["given"].str.lower() + "." + people["family"].str.lower()
    people["email"] = local + pd.Series(rng.integers(10, 1000, persons)).astype(str) + "@example.com"
    people["city"] = rng.choice(_CITIES, persons)
    people["birth_year"] = rng.integers(1950, 2008, persons)
    shops = np.array([rng.permutation(len(SHOPS)) for _ in range(persons)])
    number = rng.choice([1, 2, 3], persons, p=[0.6, 0.3, 0.1])
    rows = [
        _entry(people.iloc[person], person, SHOPS[shop], mess if visit else 0.0, rng)
        for person in range(persons)
        for visit, shop in enumerate(shops[person, : number[person]])
    ]
    entries = pd.DataFrame(rows).sample(frac=1.0, random_state=rng, ignore_index=True)
    first = entries["shop"].map({shop: 10_000 * place for place, shop in enumerate(SHOPS, 1)})
    entries.insert(0, "customer_id", (first + entries.groupby("shop").cumcount() + 1).astype(str))
    entries = entries.sort_values("customer_id", ignore_index=True)
    return entries.drop(columns="person"), entries[["customer_id", "person"]]


def _entry(person: pd.Series, number: int, shop: str, mess: float, rng: np.random.Generator) -> dict[str, object]:
    """One line of a shop's register; `mess` is the probability that a field is written in another way."""

    def written(usual: str, ways: list[Callable[[], str]]) -> str:
        return ways[rng.integers(len(ways))]() if rng.random() < mess else usual

    family, given, phone, email = (str(person[name]) for name in ("family", "given", "phone", "email"))
    name = f"{family} {given}"
    return {
        "person": number,
        "shop": shop,
        "name": written(
            name,
            [
                lambda: f"{given} {family}",
                lambda: name.upper(),
                lambda: f"{given[0]}. {family}",
                lambda: _mistyped(name, rng),
                lambda: f"  {name} ",
            ],
        ),
        "phone": written(
            phone,
            [
                lambda: f"+86 {phone}",
                lambda: f"{phone[:3]}-{phone[3:7]}-{phone[7:]}",
                lambda: "",
                lambda: _mistyped(phone, rng),
                lambda: f"1{rng.integers(30, 90)}{rng.integers(10**8):08d}",
            ],
        ),
        "email": written(
            email,
            [
                lambda: email.upper(),
                lambda: f" {email}",
                lambda: "",
                lambda: _mistyped(email, rng),
                lambda: f"{family.lower()}{rng.integers(1000, 10_000)}@example.org",
            ],
        ),
        "city": str(rng.choice(_CITIES)) if rng.random() < MOVED * mess else str(person["city"]),
        "birth_year": int(person["birth_year"]) + (rng.choice([-10, -1, 1, 10]) if rng.random() < SLIP * mess else 0),
    }


def _mistyped(text: str, rng: np.random.Generator) -> str:
    """The text with two neighbouring characters exchanged, or one left out."""
    place = int(rng.integers(1, max(2, min(len(text), text.find("@") % (len(text) + 1)) - 1)))
    if rng.random() < 0.5:
        return text[:place] + text[place + 1 :]
    return text[:place] + text[place + 1 : place + 2] + text[place] + text[place + 2 :]


# Orders ---------------------------------------------------------------------------------------------------------------


def _orders(register: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Lines without error, as values; no two alike, because every line has an order number of its own."""
    lines = 1 + rng.negative_binomial(1.2, 0.15, len(register))
    buyers = register.loc[np.repeat(np.arange(len(register)), lines), ["customer_id", "shop"]].reset_index(drop=True)
    n = len(buyers)
    span = (LAST_DAY - FIRST_DAY).days + 1
    product = rng.choice([*_PRODUCTS], n)
    quantity = 1 + rng.poisson(0.8, n)
    orders = pd.DataFrame(
        {
            "customer_id": buyers["customer_id"],
            "date": FIRST_DAY + pd.to_timedelta(rng.integers(0, span, n), unit="D"),
            "product": product,
            "quantity": quantity,
            "amount": np.round(quantity * pd.Series(product).map(_PRODUCTS).to_numpy(), 2),
            "shop": buyers["shop"],
        }
    ).sort_values(["date", "customer_id"], kind="stable", ignore_index=True)
    orders.insert(0, "order_id", (500_000 + np.arange(n)).astype(str))
    return orders


def _as_exported(orders: pd.DataFrame) -> pd.DataFrame:
    """The same lines as text, with the number of the line they come from."""
    text = orders.assign(
        date=orders["date"].dt.strftime("%Y-%m-%d"),
        quantity=orders["quantity"].astype(str),
        amount=orders["amount"].map("{:.2f}".format),
    )
    return text.astype("str").assign(origin=np.arange(len(orders)))


# Defects --------------------------------------------------------------------------------------------------------------

_OTHER_DATES = ("%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%Y年%m月%d日")


def _damaged(
    orders: pd.DataFrame, shares: Mapping[str, float], rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    data = _as_exported(orders)
    places = rng.permutation(len(data))
    defect = pd.Series("", index=data.index)
    start = 0
    copies = []
    for name, share in shares.items():
        rows = np.sort(places[start : start + max(1, round(share * len(data)))])
        start += len(rows)
        if name in ADDED:
            copies.append(ADDED[name](data.loc[rows], rng).assign(defect=name))
        else:
            data.loc[rows] = ALTERED[name](data.loc[rows].copy(), rng)
            defect.iloc[rows] = name
    data = pd.concat([data.assign(defect=defect), *copies]).sort_values("origin", kind="stable", ignore_index=True)
    found = data.loc[data["defect"] != "", ["defect"]].rename_axis("row").reset_index()
    return data.drop(columns="defect"), found


def _with_date_formats(lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    days = pd.to_datetime(lines["date"])
    ways = rng.integers(0, len(_OTHER_DATES), len(lines))
    lines["date"] = [day.strftime(_OTHER_DATES[way]) for day, way in zip(days, ways, strict=True)]
    return lines


def _with_future_dates(lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    years = rng.integers(2031, 2099, len(lines)).astype(str)
    days = lines["date"].str[4:].str.replace("-02-29", "-02-28")  # not every year has it
    return lines.assign(date=years + days.to_numpy())


def _cancelled(lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return lines.assign(
        order_id="C" + lines["order_id"], quantity="-" + lines["quantity"], amount="-" + lines["amount"]
    )


def _returned(lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    order = (pd.to_numeric(lines["order_id"]) + 300_000).astype(str)
    return lines.assign(order_id=order, quantity="-" + lines["quantity"], amount="-" + lines["amount"])


#: How a line is damaged in place …
ALTERED: Mapping[str, Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]] = {
    "date_formats": _with_date_formats,
    "decimal_ids": lambda lines, _: lines.assign(customer_id=lines["customer_id"] + ".0"),
    "padded_ids": lambda lines, rng: lines.assign(
        customer_id=np.where(rng.random(len(lines)) < 0.5, " " + lines["customer_id"], lines["customer_id"] + "  ")
    ),
    "zero_padded_ids": lambda lines, _: lines.assign(customer_id=lines["customer_id"].str.zfill(8)),
    "missing_id": lambda lines, rng: lines.assign(customer_id=np.where(rng.random(len(lines)) < 0.5, "", " ")),
    "missing_date": lambda lines, rng: lines.assign(date=rng.choice(["", "2025-02-30", "unknown"], len(lines))),
    "missing_amount": lambda lines, rng: lines.assign(amount=rng.choice(["", "n/a", "see invoice"], len(lines))),
    "future_date": _with_future_dates,
    "zero_amount": lambda lines, _: lines.assign(amount="0.00"),
    "blacklist": lambda lines, _: lines.assign(customer_id=_TEST_ID),
}
#: … and what is written below a sound line.
ADDED: Mapping[str, Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]] = {
    "repeated_lines": lambda lines, _: lines,
    "cancellations": _cancelled,
    "returns": _returned,
    "postage": lambda lines, _: lines.assign(product="POSTAGE 邮费", quantity="1", amount="6.00"),
}

#: Damaged lines that can be repaired, and so are left by a perfect cleaning.
REPAIRABLE = ("date_formats", "decimal_ids", "padded_ids", "zero_padded_ids")


def _clean(orders: pd.DataFrame, data: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    lost = found.loc[~found["defect"].isin(REPAIRABLE), "row"]
    rows = data.index.difference(lost.tolist())
    return orders.loc[data.loc[rows, "origin"]].assign(row=rows).reset_index(drop=True)
