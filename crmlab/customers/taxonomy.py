"""Five ways to sort customers (chapter 2, course row C1): stage of the deal, spend, temperament, age, membership.

A label is only as good as the rule behind it. Three of the five follow from data by a rule that stands here and can be
changed; temperament is what a person's adviser noted, membership what the register says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.rules import tiers as by_shares
from crmlab.transactions.fields import day_of


class Taxonomy(NamedTuple):
    """The question a taxonomy answers, the columns it needs, and its labels in order, English with Chinese."""

    zh: str
    question: str
    needs: tuple[str, ...]
    labels: Mapping[str, str]


TAXONOMIES: Mapping[str, Taxonomy] = {
    "stage": Taxonomy(
        "成交阶段",
        "How far has the deal come?",
        ("enquiries", "orders", "days_since_last"),
        {"potential": "潜在客户", "interested": "意向客户", "closed": "成交客户", "after-sale": "售后客户"},
    ),
    "tier": Taxonomy(
        "消费档次",
        "How much does the customer spend?",
        ("amount",),
        {"small": "小客户", "medium": "中客户", "large": "大客户"},
    ),
    "temperament": Taxonomy(
        "气质类型",
        "How does the customer like to be talked to?",
        ("temperament",),
        {"sanguine": "多血质", "choleric": "胆汁质", "phlegmatic": "粘液质", "melancholic": "抑郁质"},
    ),
    "age_band": Taxonomy(
        "年龄段",
        "How old is the customer?",
        ("birth_year",),
        dict.fromkeys(("under 18", "18–24", "25–34", "35–44", "45–54", "55–64", "65 and over"), ""),
    ),
    "membership": Taxonomy("会员", "Is the customer a member?", ("membership",), {"guest": "非会员", "member": "会员"}),
}

#: Upper ends of the age bands, in years.
AGES = (18, 25, 35, 45, 55, 65)
#: Shares of the buyers in each tier, from the largest spenders down.
TIERS: Mapping[str, float] = {"large": 0.1, "medium": 0.3, "small": 0.6}
#: For so many days after an order the deal is being carried out; then after-sale care begins.
DELIVERY_DAYS = 14


@dataclass(frozen=True, eq=False)
class CustomerLabels:
    """Customers with their labels.

    Attributes
    ----------
    data : DataFrame, the customers' index; one ordered Categorical per taxonomy that could be applied.
    problems : list of sentences.
    """

    data: pd.DataFrame
    problems: list[str]

    def cross_tab(self, rows: str, columns: str, *, share: str | None = None) -> pd.DataFrame:
        """Customers by two taxonomies, with all labels shown and totals under "all".

        Parameters
        ----------
        rows, columns : names of taxonomies in `data`
        share : None for counts; "rows", "columns" or "all" for shares (0 to 1) that add up to 1 along them.

        Raises
        ------
        InputError
            For a taxonomy that is not in `data`, or another share.
        """
        for name in (rows, columns):
            if name not in self.data.columns:
                raise InputError(f"cross_tab: there is no label {name!r}; there are {', '.join(self.data.columns)}.")
        if share not in (None, "rows", "columns", "all"):
            raise InputError(f"cross_tab: share {share!r} is not known; expected 'rows', 'columns', 'all' or nothing.")
        counts = pd.crosstab(self.data[rows], self.data[columns], dropna=False).astype(int)
        counts = counts.reindex(index=[*self.data[rows].cat.categories], columns=[*self.data[columns].cat.categories])
        counts = counts.fillna(0).astype(int).rename_axis(index=rows, columns=columns)
        counts.loc["all"] = counts.sum()
        counts["all"] = counts.sum(axis=1)
        if share == "rows":
            return counts.div(counts["all"], axis=0)
        if share == "columns":
            return counts.div(counts.loc["all"], axis=1)
        return counts if share is None else counts / len(self.data.dropna(subset=[rows, columns]))

    def to_dict(self) -> dict[str, Any]:
        """Numbers of customers per label, ready for JSON."""
        shares = {name: self.data[name].value_counts(sort=False).to_dict() for name in self.data.columns}
        return {"customers": len(self.data), "labels": shares, "problems": [*self.problems]}


def label(
    customers: pd.DataFrame,
    *,
    as_of: Date | str,
    tiers: Mapping[str, float] = TIERS,
    delivery_days: int = DELIVERY_DAYS,
) -> CustomerLabels:
    """Sort customers in as many of the five ways as their columns allow.

    * stage — potential: neither enquiry nor order; interested: an enquiry, no order; closed: the last order is at most
      `delivery_days` old; after-sale: it is older.
    * tier — buyers by amount, the largest first, cut at the shares of `tiers` as by `crmlab.rules.tiers`: parts of a
      customer are rounded up, and who spends as much as the last one in a tier belongs to it too. Customers without an
      order have none.
    * temperament — as noted, in English or Chinese.
    * age_band — age reached in the year of `as_of`.
    * membership — member where the column says anything but no.

    Parameters
    ----------
    customers : DataFrame, one row per customer
        Any of enquiries, orders (numbers), days_since_last (missing without order), amount, temperament, birth_year,
        membership (True/False, or a date or level; missing or "" is no member).
    as_of : date or text such as "2026-01-31"
    tiers : mapping of small, medium, large to shares that add up to 1
    delivery_days : int

    Raises
    ------
    InputError
        If no taxonomy can be applied, or for shares that do not add up to 1.

    Examples
    --------
    >>> columns = {"orders": [0, 0, 3, 1], "enquiries": [0, 2, 1, 0], "days_since_last": [None, None, 3, 90]}
    >>> people = pd.DataFrame(columns)
    >>> label(people, as_of="2026-01-31").data["stage"].tolist()
    ['potential', 'interested', 'closed', 'after-sale']
    """
    if set(tiers) != set(TIERS) or abs(sum(tiers.values()) - 1) > 1e-9 or min(tiers.values()) < 0:
        raise InputError(f"label: tiers {dict(tiers)} are no shares of small, medium and large that add up to 1.")
    year = day_of(as_of).year
    rules = {
        "stage": lambda: _stage(customers, delivery_days),
        "tier": lambda: _tier(customers["amount"], tiers),
        "temperament": lambda: _temperament(customers["temperament"]),
        "age_band": lambda: _age_band(year - customers["birth_year"]),
        "membership": lambda: _membership(customers["membership"]),
    }
    possible = [name for name, kind in TAXONOMIES.items() if set(kind.needs) <= set(customers.columns)]
    if not possible:
        wanted = "; ".join(f"{name}: {', '.join(kind.needs)}" for name, kind in TAXONOMIES.items())
        raise InputError(f"label: no taxonomy can be applied to these columns. They need — {wanted}.")
    data = pd.DataFrame({name: _ordered(rules[name](), name, customers.index) for name in possible})
    return CustomerLabels(data, _problems(customers, data))


def _ordered(values: Any, name: str, index: pd.Index) -> pd.Series:
    labels = [*TAXONOMIES[name].labels]
    known = [value if value in labels else None for value in values]
    return pd.Series(pd.Categorical(known, categories=labels, ordered=True), index=index)


def _stage(customers: pd.DataFrame, delivery_days: int) -> np.ndarray:
    bought = customers["orders"].fillna(0) > 0
    asked = customers["enquiries"].fillna(0) > 0
    fresh = customers["days_since_last"] <= delivery_days
    return np.select([bought & fresh, bought, asked], ["closed", "after-sale", "interested"], "potential")


def _tier(amount: pd.Series, shares: Mapping[str, float]) -> np.ndarray:
    spent = amount.rename("amount").to_frame().reset_index(drop=True)
    buyers = spent[spent["amount"] > 0]
    labels = np.full(len(spent), None, dtype=object)
    if len(buyers):
        meant = {name: shares[name] for name in TIERS if shares[name] > 0}
        labels[buyers.index] = by_shares(buyers["amount"], shares=meant).grade(buyers)
    return labels


def _temperament(noted: pd.Series) -> pd.Series:
    names = {zh: en for en, zh in TAXONOMIES["temperament"].labels.items()}
    return noted.astype("str").str.strip().str.lower().replace(names)


def _age_band(age: pd.Series) -> pd.Series:
    bands = [*TAXONOMIES["age_band"].labels]
    plausible = age.where(age.between(0, 120))
    return pd.cut(plausible, [-1, *(limit - 1 for limit in AGES), np.inf], labels=bands)


def _membership(column: pd.Series) -> np.ndarray:
    text = column.astype(object).map(str, na_action="ignore").fillna("").str.strip().str.lower()
    return np.where(text.isin(["", "false", "no", "0", "none", "nan", "nat", "否"]), "guest", "member")


def _problems(customers: pd.DataFrame, data: pd.DataFrame) -> list[str]:
    said = []
    for name in data.columns:
        column: Sequence[str] = TAXONOMIES[name].needs
        unlabelled = int(data[name].isna().sum())
        if unlabelled:
            said.append(f"{unlabelled:,} of {len(data):,} customers have no {name}: see {', '.join(column)}.")
    left_out = [name for name in TAXONOMIES if name not in data.columns]
    if left_out:
        said.append(f"Not applied, for want of columns: {', '.join(left_out)}.")
    return said
