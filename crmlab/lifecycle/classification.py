"""Which phase a customer is in, period by period, and why (chapter 1, course row A1).

A relationship begins with the first paid purchase. From then on every period counts, also those without an order, up
to the last complete one. After `lapsed_after` silent periods it has ended; the customer stays "lapsed" until she buys
again, and that purchase begins a new relationship, whose levels owe nothing to the old one.

Time and memory grow in proportion to the number of customer-periods, about 150 bytes for each.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from datetime import date as Date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.lifecycle.markov import Forecast, Transitions, transitions
from crmlab.lifecycle.measures import MEASURED_BY, measured
from crmlab.lifecycle.observation import Economics, Observed, observe
from crmlab.lifecycle.periods import first_day, number_of
from crmlab.lifecycle.rules import MEASURES, PHASES, RULES, Thresholds, changed, first_rule, rule_table

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from matplotlib.axes import Axes

    from crmlab.transactions import Transactions


@dataclass(frozen=True)
class Explanation:
    """Why a customer is in a phase: what was measured, and the rules up to the first that holds.

    Attributes
    ----------
    customer : the customer's id
    period : first day of the period
    phase, rule : str
    values : Series measure -> value (missing where it cannot be measured yet)
    rules : DataFrame, one row per rule that was asked, in order: phase, rule, condition, found, holds.
    """

    customer: Any
    period: pd.Timestamp
    phase: str
    rule: str
    values: pd.Series
    rules: pd.DataFrame

    def __str__(self) -> str:
        last = self.rules.iloc[-1]
        found = f": {last['condition']} ({last['found']})" if last["found"] else ""
        because = next(rule.because for rule in RULES if rule.name == self.rule)
        return (
            f"Customer {self.customer} was in {self.phase} in the period from {self.period.date()} by the rule "
            f"“{self.rule}”{found}: {because}."
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(str(self))}</p>{self.rules.to_html(index=False)}"


@dataclass(frozen=True, eq=False)
class Lifecycle:
    """Customers' phases in every period.

    Attributes
    ----------
    phases : DataFrame, one row per customer and period, by customer_id and period
        customer_id; period (its first day); phase (ordered Categorical of `PHASES`); rule; relationship (1, or more
        after a comeback); amount, purchases and margin of the period; then the measures of `MEASURES`.
    thresholds : Thresholds
    economics : Economics
    period : "week", "month", "quarter" or "year"
    problems : sentences.
    observed : Observed
        What the phases were found from.
    """

    phases: pd.DataFrame
    thresholds: Thresholds
    economics: Economics
    period: str
    problems: list[str]
    observed: Observed

    @property
    def rules(self) -> pd.DataFrame:
        """The rules as they were asked, thresholds filled in: see `rule_table`."""
        return rule_table(self.thresholds)

    @property
    def customers(self) -> int:
        """Number of customers."""
        return int(self.phases["customer_id"].nunique())

    def explain(self, customer: Hashable, period: Date | pd.Timestamp | str) -> Explanation:
        """Why a customer was in her phase in the period that a day (or text such as "2026-03") lies in.

        Raises
        ------
        InputError
            For a customer or period that is not in `phases`.
        """
        day = first_day(number_of(period, self.period), self.period)[0]
        own = self.path(customer).set_index("period")
        if day not in own.index:
            raise InputError(
                f"explain: customer {customer!r} has no {self.period} from {day.date()}; there are those from "
                f"{own.index[0].date()} to {own.index[-1].date()}."
            )
        row = own.iloc[own.index.get_indexer(pd.DatetimeIndex([day]))[0]]
        asked = RULES[: [rule.name for rule in RULES].index(str(row["rule"])) + 1]
        said = self.rules.iloc[: len(asked)]
        measures = [dict.fromkeys(condition.measure for condition in rule.conditions) for rule in asked]
        found = [", ".join(f"{name} {row[name]:.3g}" for name in names) for names in measures]
        rules = said[["phase", "rule", "condition"]].assign(found=found, holds=said["rule"] == row["rule"])
        values = pd.Series({name: float(row[name]) for name in MEASURES}, name="value")
        return Explanation(customer, day, str(row["phase"]), str(row["rule"]), values, rules)

    def path(self, customer: Hashable) -> pd.DataFrame:
        """The rows of one customer; InputError for an unknown one."""
        own = self.phases[self.phases["customer_id"] == customer]
        if own.empty:
            known = ", ".join(map(repr, self.phases["customer_id"].drop_duplicates().head(5).tolist()))
            raise InputError(f"there is no customer {customer!r} with a paid purchase; known are {known}, …")
        return own.reset_index(drop=True)

    def shares(self) -> pd.DataFrame:
        """Customers by phase in every period.

        Returns
        -------
        DataFrame period × phase
            Shares (0 to 1) of the customers won so far.
        """
        counts = pd.crosstab(self.phases["period"], self.phases["phase"], dropna=False).reindex(columns=[*PHASES])
        return counts.fillna(0).div(counts.sum(axis=1), axis=0)

    def cohorts(self, phases: Sequence[str] = ("build-up", "stability")) -> pd.DataFrame:
        """Share of every cohort that is in one of these phases, by periods since its first purchase.

        Returns
        -------
        DataFrame cohort (first day of the period of the first purchase) × since (0, 1, …)
            Shares (0 to 1); missing where the cohort has not been observed so long.

        Raises
        ------
        InputError
            For an unknown phase.
        """
        if unknown := [name for name in phases if name not in PHASES]:
            raise InputError(f"cohorts: there is no phase {unknown[0]!r}; there are {', '.join(PHASES)}.")
        first = self.phases.groupby("customer_id")["period"].transform("min").rename("cohort")
        since = self.phases.groupby("customer_id").cumcount().rename("since")
        return self.phases["phase"].isin([*phases]).groupby([first, since]).mean().unstack()

    def by_phase(self) -> pd.DataFrame:
        """What a period of a customer in each phase brings.

        Returns
        -------
        DataFrame, index phase
            customer_periods, share, amount and contribution (means per customer and period).
        """
        serving = np.where(self.phases["phase"] == "lapsed", 0.0, self.economics.cost_to_serve)
        table = self.phases.assign(contribution=self.phases["margin"] - serving)
        groups = table.groupby("phase", observed=False)
        sizes = groups.size()
        means = groups[["amount", "contribution"]].mean()
        return means.assign(customer_periods=sizes, share=sizes / len(table))[
            ["customer_periods", "share", "amount", "contribution"]
        ]

    def transitions(self, **options: Any) -> Transitions:
        """Steps from phase to phase: `crmlab.lifecycle.transitions` of `phases`."""
        return transitions(self.phases, **options)

    def forecast(self, periods: int = 6, **options: Any) -> Forecast:
        """Shares and revenue of today's customers in the periods to come: `Transitions.forecast`."""
        last = self.phases[self.phases["period"] == self.phases["period"].max()]
        start = last["phase"].value_counts(sort=False)
        spent = self.phases.groupby("phase", observed=False)["amount"].agg(["mean", "std"]).fillna(0.0)
        return self.transitions().forecast(start, periods, spent=spent, **options)

    def revised(self, **changes: Any) -> Lifecycle:
        """The same customers under other thresholds, such as `revised(window=4)`."""
        thresholds = changed(self.thresholds, changes)
        if any(getattr(thresholds, name) != getattr(self.thresholds, name) for name in MEASURED_BY):
            table = _classified(self.observed, thresholds, self.economics)
        else:
            phase, rule = _judged(self.phases, thresholds)
            table = self.phases.assign(phase=phase, rule=rule)
        return replace(self, phases=table, thresholds=thresholds)

    def sensitivity(self, variations: Mapping[str, Sequence[float]]) -> pd.DataFrame:
        """How much the phases depend on each threshold, the others left as they are.

        Parameters
        ----------
        variations : mapping threshold -> values to try

        Returns
        -------
        DataFrame, one row per threshold and value
            threshold, value, same (share of customer-periods whose phase is as it was), then the share of each phase.
        """
        rows = []
        for name, values in variations.items():
            for value in values:
                # The same customers and periods in the same order, whatever the thresholds.
                other = self.revised(**{name: value}).phases["phase"]
                shares = other.value_counts(normalize=True, sort=False)
                same = float((other.cat.codes == self.phases["phase"].cat.codes).mean())
                rows.append({"threshold": name, "value": value, "same": same, **shares})
        return pd.DataFrame(rows)

    def plot(self, kind: str = "shares", language: str = "en", *, customer: Any = None, ax: Axes | None = None) -> Axes:
        """Draw "shares" of the phases over time, "cohorts", "customer" (one customer's path), or "transitions".

        Raises
        ------
        InputError
            For another kind, or "customer" without a customer.
        """
        from crmlab.plots import lifecycle as draw

        if kind == "customer" and customer is not None:
            return draw.customer_path(self.path(customer), PHASES, language, ax=ax)
        kinds = {
            "shares": lambda: draw.phase_shares(self.shares(), PHASES, language, ax=ax),
            "cohorts": lambda: draw.cohort_heatmap(self.cohorts(), language, period=self.period, ax=ax),
            "transitions": lambda: self.transitions().plot(language, ax=ax),
        }
        if kind not in kinds:
            raise InputError(f"plot: {kind!r} is not known; expected {', '.join(kinds)}, or customer with an id.")
        return kinds[kind]()

    def to_dict(self) -> dict[str, Any]:
        """The main numbers, ready for JSON."""
        last = self.shares().iloc[-1]
        return {
            "customers": self.customers,
            "period": self.period,
            "shares": {str(name): float(share) for name, share in last.items()},
            "problems": [*self.problems],
        }

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems) or "<li>No problem found.</li>"
        shares = self.shares().iloc[-1].map("{:.1%}".format).to_frame("last " + self.period).T.to_html()
        return f"<p><b>Lifecycle</b>: {self.customers:,} customers by {self.period}</p>{shares}<ul>{said}</ul>"


def trace(
    transactions: Transactions,
    *,
    period: str = "month",
    thresholds: Thresholds | None = None,
    margin_rate: float | None = None,
    cost_to_serve: float = 0.0,
    acquisition_cost: float = 0.0,
    complete_to: Date | str | None = None,
    **changes: Any,
) -> Lifecycle:
    """Tell every customer's phase in every period, by the rules of `RULES`.

    Parameters
    ----------
    transactions : Transactions
        Amounts below zero (returns) lower the amount of their period.
    period : "week", "month", "quarter" or "year"
    thresholds : Thresholds, optional
    margin_rate, cost_to_serve, acquisition_cost : float
        See `Economics`.
    complete_to : date or text such as "2026-01-31", optional
        Last day for which all orders are there; default the day of the last order. A period that has not ended by then
        is left out, because half a month looks like a decline.
    **changes
        Single thresholds, such as `window=4`.

    Returns
    -------
    Lifecycle

    Raises
    ------
    InputError
        For thresholds or costs out of range, or no paid purchase at all.

    Examples
    --------
    >>> from crmlab.datasets import simulate_lifecycles
    >>> from crmlab.transactions import Transactions
    >>> orders = Transactions(simulate_lifecycles(customers=30, seed=1).data, cost="cost")
    >>> found = trace(orders)
    >>> found.phases.columns[:4].tolist(), found.customers
    (['customer_id', 'period', 'phase', 'rule'], 30)
    """
    limits = changed(thresholds or Thresholds(), changes)
    economics = Economics(margin_rate, cost_to_serve, acquisition_cost)
    observed, problems = observe(transactions, period, complete_to, economics)
    table = _classified(observed, limits, economics)
    return Lifecycle(table, limits, economics, period, problems + _about(table, limits, period), observed)


def phases(transactions: Transactions, **options: Any) -> pd.DataFrame:
    """The phases alone: `trace(transactions, **options).phases`.

    Returns
    -------
    DataFrame, one row per customer and period
        customer_id, period, phase, rule, then what was measured; see `Lifecycle`.

    Examples
    --------
    >>> from crmlab.transactions import Transactions
    >>> days = ["2026-01-05", "2026-02-11", "2026-02-28"]
    >>> orders = Transactions(pd.DataFrame({"customer_id": 7, "date": days, "amount": 20.0}))
    >>> phases(orders)[["customer_id", "period", "phase", "rule"]]
       customer_id     period        phase rule
    0            7 2026-01-01  exploration  new
    1            7 2026-02-01  exploration  new
    """
    return trace(transactions, **options).phases


def _classified(observed: Observed, thresholds: Thresholds, economics: Economics) -> pd.DataFrame:
    """The table of `Lifecycle.phases`."""
    table = measured(observed, thresholds, economics)
    phase, rule = _judged(table, thresholds)
    table.insert(1, "period", first_day(table.pop("number").to_numpy(), observed.period))
    table.insert(2, "phase", phase)
    table.insert(3, "rule", rule)
    return table


def _judged(table: pd.DataFrame, thresholds: Thresholds) -> tuple[Any, Any]:
    """Phase and rule of every row of measures."""
    position = first_rule({name: table[name].to_numpy() for name in MEASURES}, thresholds)
    of_rule = np.array([[*PHASES].index(rule.phase) for rule in RULES])
    phase = pd.Categorical.from_codes(of_rule[position], categories=[*PHASES], ordered=True)  # type: ignore[call-overload]
    return phase, pd.array([rule.name for rule in RULES], dtype="str").take(position)


def _about(table: pd.DataFrame, thresholds: Thresholds, period: str) -> list[str]:
    """What the length of the observation and the number of customers do not allow to say."""
    said = []
    periods, customers = table["period"].nunique(), table["customer_id"].nunique()
    if periods == 1:
        said.append(f"There is one {period} only: everybody is new, no change is seen. Choose a shorter period.")
    elif periods <= thresholds.window + thresholds.lapsed_after:
        said.append(
            f"The {periods} {period}s observed are hardly more than a window ({thresholds.window}) and the silence "
            f"that ends a relationship ({thresholds.lapsed_after}): nearly everybody is new or silent."
        )
    if customers == 1:
        said.append("There is one customer only: shares and transitions describe her and nobody else.")
    opening = table.groupby("customer_id")["period"].min().eq(table["period"].min()).mean()
    if customers > 1 and periods > 1 and 0.5 < opening < 1:
        said.append(
            f"{opening:.0%} of the customers bought in the first {period}: most were customers before the data begin, "
            "and look newer than they are."
        )
    return said
