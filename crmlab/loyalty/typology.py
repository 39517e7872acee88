"""Types of customers as quadrants with chosen thresholds, and what the choice decides (chapter 10, rows E8 and E9).

A typology is a table of rules over levels, high and low, in `rules/`. With thresholds it becomes a decision table over
numbers, proved complete and disjoint like any other (`crmlab.grading`). None of the sources says where high begins; so
every result says how many customers change class when a threshold moves.

References
----------
Dick, A. S. & Basu, K. (1994). Customer loyalty: toward an integrated conceptual framework. Journal of the Academy of
Marketing Science 22, 99–113.
Jones, T. O. & Sasser, W. E. (1995). Why satisfied customers defect. Harvard Business Review 73(6), 88–99.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.grading import DecisionTable
from crmlab.grading import sensitivity as moved_thresholds
from crmlab.likert import share_interval
from crmlab.loyalty.inputs import aligned, answered, check_level, check_pairs, check_thresholds, measured, worded
from crmlab.results import page, records, rows_by_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Thresholds = tuple[float | None, float | None]
Scales = tuple[tuple[float, float], tuple[float, float]]

#: By how much thresholds are moved: shares of the scale's length.
MOVES = (-0.1, -0.05, 0.05, 0.1)
#: A threshold whose move by a twentieth of the scale changes more than this share of the classes is called delicate.
DELICATE = 0.1
#: If several reasons apply to a customer, the first of these decides: what binds most comes first.
PRECEDENCE = ("no alternative", "programme", "price", "habit")
PLOTS = ("map", "shares", "moves")
_RULES = Path(__file__).with_name("rules")


@dataclass(frozen=True, eq=False)
class Typology:
    """Customers in classes.

    Attributes
    ----------
    name : str
    classes : Series, one class per customer
        Categorical in the order of the rules; missing where an answer is.
    table : DataFrame, index class
        n, share, ci_lower, ci_upper (Wilson; thresholds held fixed), then the mean of each measure.
    thresholds : DataFrame: input, threshold, how
        Where high begins; how is "chosen" or "median".
    sensitivity : DataFrame: input, threshold, move, to, changed, share
        Customers who change class when one threshold moves by a share of its scale; missing where it cannot move.
    customers : DataFrame
        The measures as they were used.
    rules : DecisionTable
        Over numbers.
    level : float
    scales : ((lowest, highest), (lowest, highest)) or None
        Of the first two measures, where they were given.
    problems : list of str
    """

    name: str
    classes: pd.Series
    table: pd.DataFrame
    thresholds: pd.DataFrame
    sensitivity: pd.DataFrame
    customers: pd.DataFrame
    rules: DecisionTable
    level: float
    scales: Scales | None
    problems: list[str]

    def explain(self) -> pd.Series:
        """Why every customer has the class: the values, the conditions they meet, and the rule."""
        return self.rules.explain(self.customers)

    def labels(self, language: str = "en") -> dict[str, str]:
        """Names of classes and measures on paper."""
        about, inputs = self.rules.about, self.rules.inputs[language]
        classes = about[language].dropna() if language in about else pd.Series(dtype=object)
        return {str(name): str(text) for part in (classes, inputs) for name, text in part.items()}

    def plot(self, kind: str = "map", language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Draw the customers with the thresholds, the shares of the classes, or the customers who change class.

        Parameters
        ----------
        kind : {"map", "shares", "moves"}
        language : {"en", "zh"}
        ax : Axes, optional

        Raises
        ------
        InputError
            For another kind.
        """
        from crmlab.plots import grading, loyalty

        options: dict[str, Any] = {"ax": ax, "labels": self.labels(language), "language": language}
        if kind == "map":
            measures = list(dict.fromkeys(self.thresholds["input"]))[:2]
            main = self.thresholds[self.thresholds["how"] != "extreme"].rename(columns={"input": "column"})
            for name, (low, high) in zip(measures, self.scales or (), strict=False):
                options["labels"][name] = f"{options['labels'][name]} ({low:g}–{high:g})"
            return grading.grid_map(self.customers[measures].assign(grade=self.classes), main, **options)
        if kind == "shares":
            return loyalty.share_bars(self.table, level=self.level, **options)
        if kind == "moves":
            return grading.moved_thresholds(self.sensitivity, of_scale=True, **options)
        raise InputError(f"plot: kind {kind!r} is unknown; choose one of {', '.join(PLOTS)}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "name": self.name,
            "n": int(self.classes.notna().sum()),
            "thresholds": records(self.thresholds),
            "classes": rows_by_name(self.table),
            "sensitivity": records(self.sensitivity.astype(object)),
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        return page(self.table.round(3).to_html(), self.thresholds.to_html(index=False), problems=self.problems)


def jones_sasser(
    satisfaction: Any,
    loyalty: Any,
    *,
    thresholds: Thresholds = (None, None),
    extremes: tuple[tuple[float, float], tuple[float, float]] | None = None,
    scales: Scales | None = None,
    rules: DecisionTable | str | Path | None = None,
    moves: Sequence[float] = MOVES,
    level: float = 0.95,
) -> Typology:
    """Loyalist, mercenary, hostage and defector by satisfaction and loyalty (Jones & Sasser 1995).

    Parameters
    ----------
    satisfaction, loyalty : Series or sequences of numbers, (n,) each
        Loyalty as behaviour or as intention: say which.
    thresholds : (satisfaction, loyalty)
        Where high begins; a value equal to it is high. None takes the median, which makes about half of the customers
        high whatever they think: a choice, not a law, and told.
    extremes : ((satisfaction, loyalty) from which on, (satisfaction, loyalty) below which), optional
        Inner zones: who reaches both of the first pair is an apostle, who stays below both of the second a terrorist.
    scales : ((lowest, highest), (lowest, highest)), optional
        Of the two measures. Values and thresholds must lie on them, and moves are shares of their length; without them
        the observed range is taken.
    rules : DecisionTable or path, optional
        Own rules over the levels high and low of these inputs.
    moves : shares of the scale's length by which each threshold is moved
    level : float in (0, 1)
        Of the intervals.

    Returns
    -------
    Typology

    Raises
    ------
    InputError
        Different customers, text, a value or threshold off its scale, no complete pair of answers.

    Examples
    --------
    >>> found = jones_sasser([9, 9, 3, 2], [80, 20, 90, 10], thresholds=(7, 50))
    >>> found.classes.tolist()
    ['loyalist', 'mercenary', 'hostage', 'defector']
    """
    columns = {"satisfaction": satisfaction, "loyalty": loyalty}
    return _typology("jones_sasser", columns, thresholds, scales, rules, moves, level, extremes=extremes)


def dick_basu(
    relative_attitude: Any,
    patronage: Any,
    *,
    thresholds: Thresholds = (None, None),
    scales: Scales | None = None,
    rules: DecisionTable | str | Path | None = None,
    moves: Sequence[float] = MOVES,
    level: float = 0.95,
) -> Typology:
    """Loyalty, latent, spurious and none by relative attitude and repeat patronage (Dick & Basu 1994).

    Parameters
    ----------
    relative_attitude, patronage : Series or sequences of numbers, (n,) each
        Attitude to us compared with the rivals; orders, or the share of the customer's purchases that we get.
    thresholds, scales, rules, moves, level
        As for `jones_sasser`.

    Returns
    -------
    Typology

    Raises
    ------
    InputError
        As `jones_sasser`.

    Examples
    --------
    >>> dick_basu([80, 80, 20, 20], [9, 1, 8, 0], thresholds=(50, 5)).classes.tolist()
    ['loyalty', 'latent', 'spurious', 'none']
    """
    columns = {"relative_attitude": relative_attitude, "patronage": patronage}
    return _typology("dick_basu", columns, thresholds, scales, rules, moves, level)


def attachment(
    attachment: Any,
    repeat_purchase: Any,
    reason: Any = None,
    *,
    thresholds: Thresholds = (None, None),
    scales: Scales | None = None,
    rules: DecisionTable | str | Path | None = None,
    moves: Sequence[float] = MOVES,
    level: float = 0.95,
) -> Typology:
    """Premium, monopoly, inertia, incentive and price loyalty by attachment, repeat purchase and reason (row E9).

    Three of the kinds share the quadrant of low attachment and high repeat purchase; the reason for buying here decides
    between them. The rules, and what the course leaves open, stand in `rules/attachment.yaml`.

    Parameters
    ----------
    attachment, repeat_purchase : Series or sequences of numbers, (n,) each
    reason : Series or sequence, or DataFrame of yes and no, optional
        One of no alternative, programme, price, habit, other; or a column for each reason, of which `PRECEDENCE` picks
        the first that applies. Without reasons the shared quadrant is unexplained.
    thresholds, scales, rules, moves, level
        As for `jones_sasser`.

    Returns
    -------
    Typology

    Raises
    ------
    InputError
        As `jones_sasser`; an unknown reason.

    Examples
    --------
    >>> found = attachment([80, 20, 20, 20], [9, 9, 9, 1], ["habit", "habit", "no alternative", "price"],
    ...                    thresholds=(50, 5))
    >>> found.classes.tolist()
    ['premium', 'inertia', 'monopoly', 'price']
    """
    columns = {"attachment": attachment, "repeat_purchase": repeat_purchase}
    reasons, told = _reasons(reason, len(measured("attachment", columns)))
    return _typology(
        "attachment", columns, thresholds, scales, rules, moves, level, labels={"reason": reasons}, told=told
    )


def _typology(
    name: str,
    columns: Mapping[str, Any],
    thresholds: Thresholds,
    scales: Scales | None,
    rules: DecisionTable | str | Path | None,
    moves: Sequence[float],
    level: float,
    *,
    extremes: tuple[tuple[float, float], tuple[float, float]] | None = None,
    labels: Mapping[str, Any] | None = None,
    told: Sequence[str] = (),
) -> Typology:
    check_level(name, level)
    check_thresholds(name, thresholds, columns)
    for what, pairs in (("scales", scales), ("extremes", extremes)):
        if pairs is not None:
            check_pairs(name, what, pairs, 2)
    if not all(isinstance(move, Real) and np.isfinite(move) for move in moves):
        raise InputError(f"{name}: moves are {moves!r}; expected shares of the scale's length, such as 0.05.")
    customers = measured(name, columns)
    complete = customers.notna().all(axis=1)
    if not complete.any():
        raise InputError(f"{name}: no customer has both {' and '.join(columns)}; there is nobody to classify.")
    lengths = _lengths(name, customers, scales)
    limits = _limits(name, customers[complete], thresholds, scales)
    levels = _rules(name, rules, [*columns, *(labels or {})])
    numeric = _over_numbers(levels, limits, extremes, name)
    used = aligned(name, {**{key: customers[key] for key in columns}, **(labels or {})})
    _check_labels(name, levels, used, labels or {})
    classes = numeric.grade(used, faults="missing").rename("class")
    found = _sensitivity(numeric, used, limits, lengths, moves)
    return Typology(
        name, classes, _table(classes, customers, level), _thresholds_table(limits, extremes), found, used, numeric,
        level, scales, [*told, *_problems(classes, customers, limits, found)],
    )  # fmt: skip


def _reasons(reason: Any, n: int) -> tuple[Any, list[str]]:
    """One reason per customer, and what has to be said about it."""
    if reason is None:
        said = "No reasons are given: who buys often without attachment is left unexplained. Ask why they buy here."
        return ["other"] * n, [said]
    if not isinstance(reason, pd.DataFrame):
        return reason, []
    odd = [str(column) for column in reason.columns if column not in PRECEDENCE]
    if odd:
        raise InputError(f"attachment: the reason {odd[0]!r} is not known; expected {', '.join(PRECEDENCE)}.")
    applies = pd.DataFrame({name: answered("attachment", reason[name]) for name in PRECEDENCE if name in reason})
    yes = applies.fillna(False).astype(bool)
    first = pd.Series(np.where(yes.any(axis=1), yes.idxmax(axis=1), "other"), index=reason.index)
    several = int((yes.sum(axis=1) > 1).sum())
    who = worded(several, "customer", "customers")
    said = f"{several:,} {who} gave several reasons; the first of {', '.join(PRECEDENCE)} decides."
    return first, [said] if several else []


def _lengths(name: str, customers: pd.DataFrame, scales: Scales | None) -> dict[str, float]:
    """The length of each scale; values off it are refused."""
    if scales is None:
        return {str(column): float(values.max() - values.min()) for column, values in customers.items()}
    for column, (low, high) in zip(customers, scales, strict=True):
        values = customers[column]
        off = values[(values < low) | (values > high)]
        if not low < high or len(off):
            found = (
                f"has {off.iloc[0]:g} in row {off.index[0]}" if len(off) else f"is said to run from {low:g} to {high:g}"
            )
            raise InputError(
                f"{name}: {column} {found}; expected {low:g} to {high:g}, the lowest first. Correct it or the scale."
            )
    return {str(column): float(high - low) for column, (low, high) in zip(customers, scales, strict=True)}


def _limits(
    name: str, customers: pd.DataFrame, thresholds: Thresholds, scales: Scales | None
) -> dict[str, tuple[float, str]]:
    """Where high begins, and how it was found, of each measure."""
    limits = {}
    for place, (column, chosen) in enumerate(zip(customers, thresholds, strict=True)):
        limit = float(customers[column].median()) if chosen is None else float(chosen)
        if not np.isfinite(limit):
            raise InputError(f"{name}: the threshold of {column} is {limit}; expected a number.")
        if scales is not None and not scales[place][0] < limit <= scales[place][1]:
            low, high = scales[place]
            raise InputError(
                f"{name}: the threshold of {column} is {limit:g}; expected one above {low:g} and up to {high:g}, or "
                "one of the two classes can have nobody. Choose another."
            )
        limits[str(column)] = (limit, "median" if chosen is None else "chosen")
    return limits


def _rules(name: str, rules: DecisionTable | str | Path | None, inputs: Sequence[str]) -> DecisionTable:
    """The rules over levels; own ones must ask for the same inputs and be complete."""
    table = rules if isinstance(rules, DecisionTable) else DecisionTable(rules or _RULES / f"{name}.yaml")
    asked = [one.name for one in table.design.inputs]
    if sorted(asked) != sorted(inputs):
        raise InputError(f"{name}: the rules ask for {', '.join(asked)}; expected {', '.join(inputs)}.")
    for one in table.design.inputs:
        if one.name in inputs[:2] and set(one.values) != {"high", "low"}:
            raise InputError(f"{name}: {one.name} has the levels {', '.join(one.values)}; expected high and low.")
    found = table.check()
    if not (found.complete and found.disjoint):
        raise InputError(f"{name}: {found.problems[0]} Correct the rules.")
    return table


def _check_labels(name: str, rules: DecisionTable, customers: pd.DataFrame, labels: Mapping[str, Any]) -> None:
    for asked in rules.design.inputs:
        given = customers[asked.name].dropna() if asked.name in labels else pd.Series(dtype=object)
        odd = given[~given.isin(list(asked.values))]
        if len(odd):
            raise InputError(
                f"{name}: {asked.name} is {odd.iloc[0]!r} in row {odd.index[0]}; expected one of "
                f"{', '.join(asked.values)}. Correct it."
            )


def _over_numbers(
    table: DecisionTable,
    limits: Mapping[str, tuple[float, str]],
    extremes: tuple[tuple[float, float], tuple[float, float]] | None,
    name: str,
) -> DecisionTable:
    """The same rules with every level replaced by its condition; the inner zones stand in front."""
    conditions = {column: {"high": f">= {limit!r}", "low": f"< {limit!r}"} for column, (limit, _) in limits.items()}
    rows: list[dict[str, Any]] = []
    for row in records(table.rules):
        cells = {column: conditions[column].get(str(row[column]), "-") for column in limits}
        rows.append({**row, **cells})
    if extremes is not None:
        rows = [*_inner_zones(limits, extremes, name), *rows]
    inputs = {
        asked.name: {"type": "number", **asked.title}
        if asked.name in limits
        else {"type": "category", "values": list(asked.values), **asked.title}
        for asked in table.design.inputs
    }
    return DecisionTable({
        "name": name, "title": table.design.title, "inputs": inputs, "rules": rows,
        "hit": "first" if extremes is not None else table.design.hit, "grades": table.design.grades,
        "notes": table.design.notes,
    })  # fmt: skip


def _inner_zones(
    limits: Mapping[str, tuple[float, str]], extremes: tuple[tuple[float, float], tuple[float, float]], name: str
) -> list[dict[str, str]]:
    top, bottom = extremes
    for (column, (limit, _)), high, low in zip(limits.items(), top, bottom, strict=True):
        if not low < limit < high:
            raise InputError(
                f"{name}: the inner zones of {column} end at {low:g} and begin at {high:g}; expected the threshold "
                f"{limit:g} to lie between them."
            )
    return [
        {**{column: f">= {end!r}" for column, end in zip(limits, map(float, top), strict=True)}, "grade": "apostle"},
        {
            **{column: f"< {end!r}" for column, end in zip(limits, map(float, bottom), strict=True)},
            "grade": "terrorist",
        },
    ]


def _thresholds_table(
    limits: Mapping[str, tuple[float, str]], extremes: tuple[tuple[float, float], tuple[float, float]] | None
) -> pd.DataFrame:
    rows = [(column, limit, how) for column, (limit, how) in limits.items()]
    rows += [
        (column, float(end), "extreme") for ends in extremes or () for column, end in zip(limits, ends, strict=True)
    ]
    return pd.DataFrame(rows, columns=["input", "threshold", "how"])


def _sensitivity(
    table: DecisionTable,
    customers: pd.DataFrame,
    limits: Mapping[str, tuple[float, str]],
    lengths: Mapping[str, float],
    moves: Sequence[float],
) -> pd.DataFrame:
    """`crmlab.grading.sensitivity`, each measure in shares of its own scale; classes have no order, so no ups."""
    parts = []
    for column, (limit, _) in limits.items():
        points = [move * lengths[column] for move in moves]
        moved = moved_thresholds(table, customers, moves=points, relative=False)
        own = moved[(moved["input"] == column) & (moved["threshold"] == limit)]
        parts.append(own.assign(move=list(moves)))
    return pd.concat(parts, ignore_index=True)[["input", "threshold", "move", "to", "changed", "share"]]


def _table(classes: pd.Series, customers: pd.DataFrame, level: float) -> pd.DataFrame:
    counts = classes.value_counts(sort=False)
    n = int(counts.sum())
    lower, upper = share_interval(counts, n, level=level)
    table = pd.DataFrame({"n": counts, "share": counts / n, "ci_lower": lower, "ci_upper": upper}, index=counts.index)
    return table.join(customers.groupby(classes, observed=False).mean()).rename_axis("class")


def _problems(
    classes: pd.Series,
    customers: pd.DataFrame,
    limits: Mapping[str, tuple[float, str]],
    moved: pd.DataFrame,
) -> list[str]:
    told = []
    without = int(classes.isna().sum())
    if without:
        have = worded(without, "has", "have")
        told.append(f"{without:,} of {len(classes):,} customers {have} no class: an answer that decides it is missing.")
    for column, (limit, how) in limits.items():
        values = customers[column].dropna()
        if values.min() == values.max():
            told.append(f"{column} is {values.iloc[0]:g} for everybody: it tells nobody from anybody else.")
        elif not values.min() < limit <= values.max():
            side = "low" if limit > values.max() else "high"
            told.append(
                f"{column}: the threshold {limit:g} lies outside the values found ({values.min():g} to "
                f"{values.max():g}), so everybody is {side}. Choose another."
            )
        elif how == "median":
            told.append(
                f"{column}: high begins at the median, {limit:g}. That is a choice, not a law: about half are high "
                "whatever they think, and shares cannot be compared with another survey."
            )
    counts = classes.value_counts()
    if (counts > 0).sum() == 1:
        told.append(f"All customers are in one class, {counts.index[0]}; the typology says nothing here.")
    small = moved[(moved["move"].abs() <= 0.05 + 1e-9) & (moved["share"].fillna(0) > DELICATE)]
    for row in small.sort_values("share", ascending=False).drop_duplicates("input").to_dict("records"):
        told.append(
            f"{row['input']}: moving the threshold from {row['threshold']:.4g} to {row['to']:.4g} changes the class of "
            f"{100 * row['share']:.0f} % of the customers. Report the shares with this remark."
        )
    return told
