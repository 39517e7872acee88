"""Scorecards: criteria turned into points, weighted, added, and cut into grades (chapter 5; rows B2, B4, B9, B11, C4).

The score of a customer is S = Σ w_k p_k with weights w_k that sum to 1 and points p_k from 0 to 100. Points follow from
a criterion by a small decision table, or linearly from a rating; grades follow from the score by another one. So gaps
and overlaps of thresholds are found by the same proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError
from crmlab.rules.axes import numbers
from crmlab.rules.conditions import plain
from crmlab.rules.decisions import DecisionTable
from crmlab.rules.reading import in_languages, mapping_of, read_yaml

if TYPE_CHECKING:
    import pandas as pd

#: What is done about a customer of whom a criterion is not known.
MISSING = ("error", "none", "worst", "reweight")
_SHIPPED = Path(__file__).with_name("scorecards")
#: Names of the shipped scorecards, with the course row of each.
SCORECARDS = {"key_account": "B2", "prospect": "B4", "rating": "B9", "high_value": "B11", "lead": "C4"}


@dataclass(frozen=True)
class Criterion:
    """One criterion: its weight, and how points from 0 to 100 follow from its values.

    Either `points`, a decision table whose grades are numbers of points, or `scale`, the worst and the best value of a
    rating that is turned into points linearly.
    """

    name: str
    weight: float
    points: DecisionTable | None
    scale: tuple[float, float] | None
    title: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Scores:
    """Customers with their points, score and grade.

    Attributes
    ----------
    points : DataFrame, customers × criteria, 0 to 100; missing where the criterion is not known.
    score : Series, 0 to 100; missing where there is none.
    grade : Series, Categorical.
    weights : Series by criterion; sums to 1.
    contributions : DataFrame, customers × criteria: what each criterion adds to the score, w_k p_k, with the points and
        weights that count where a criterion is not known; a row sums to the score.
    problems : sentences.
    """

    points: pd.DataFrame
    score: pd.Series
    grade: pd.Series
    weights: pd.Series
    contributions: pd.DataFrame
    problems: list[str]

    @property
    def table(self) -> pd.DataFrame:
        """Points, score and grade side by side."""
        return self.points.assign(score=self.score, grade=self.grade)


class Scorecard:
    """Criteria, weights, points and grades.

    Parameters
    ----------
    card : path of a YAML file, or a mapping of its form
        ``criteria`` maps each criterion to ``weight`` (a share; left out everywhere, all weigh the same) and either
        ``scale: [worst, best]`` or ``points``, which maps conditions to points, with type, domain, values and unit as
        for an input of a decision table. ``grades`` maps each grade, best first, to a condition on the score.

    Raises
    ------
    InputError
        If something cannot be read, weights do not sum to 1, points are not in 0 to 100, or grades are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> card = Scorecard({
    ...     "criteria": {"orders": {"weight": 0.5, "points": {"< 3": 0, ">= 3": 100}},
    ...                  "loyalty": {"weight": 0.5, "scale": [1, 5]}},
    ...     "grades": {"A": ">= 60", "B": "< 60"},
    ... })
    >>> card.score(pd.DataFrame({"orders": [4, 1], "loyalty": [3, 5]})).table["score"].tolist()
    [75.0, 50.0]
    """

    def __init__(self, card: str | Path | Mapping[str, Any]) -> None:
        content = card if isinstance(card, Mapping) else read_yaml(Path(card))
        self.name = str(content.get("name", "scorecard"))
        self.title: Mapping[str, str] = in_languages(content.get("title"), self.name)
        self.source = str(content.get("source", ""))
        notes = mapping_of(content, "notes", self.name, "en and zh to lists of sentences")
        self.notes: list[str] = list(notes.get("en", ()))
        self._criteria = _read_criteria(content.get("criteria"), self.name)
        self.grade_table = _read_grades(
            content.get("grades"), mapping_of(content, "about", self.name, "each grade to what is said"), self.name
        )

    # ------------------------------------------------------------------------------------------- what it says

    @property
    def weights(self) -> pd.Series:
        """Weights by criterion; they sum to 1."""
        import pandas as pd

        weights = {criterion.name: criterion.weight for criterion in self._criteria}
        return pd.Series(weights, name="weight").rename_axis("criterion")

    @cached_property
    def inputs(self) -> pd.DataFrame:
        """The criteria: index criterion; weight, asks (unit or ends of the rating), en, zh."""
        import pandas as pd

        rows = [
            (c.name, c.weight, _asks(c), c.title.get("en", c.name), c.title.get("zh", c.name)) for c in self._criteria
        ]
        return pd.DataFrame(rows, columns=["criterion", "weight", "asks", "en", "zh"]).set_index("criterion")

    def check(self) -> list[str]:
        """What is wrong with points and thresholds: gaps, overlaps, rows without effect; empty if nothing is."""
        tables = [criterion.points for criterion in self._criteria if criterion.points is not None]
        faults = [(table.name, said) for table in [*tables, self.grade_table] for said in table.check().problems]
        return [f"{name}: {said}" for name, said in faults]

    # --------------------------------------------------------------------------------------------- what it does

    def with_weights(self, weights: Mapping[str, float] | pd.Series) -> Scorecard:
        """The same card with other weights, such as those of `crmlab.weighting` (chapter 8).

        Raises
        ------
        InputError
            If criteria and weights do not match, or the weights are negative or do not sum to 1.
        """
        given = {str(name): float(weight) for name, weight in weights.items()}
        _require_shares(given, [criterion.name for criterion in self._criteria], self.name)
        card = object.__new__(Scorecard)
        card.__dict__.update({name: value for name, value in self.__dict__.items() if name != "inputs"})
        card._criteria = tuple(replace(criterion, weight=given[criterion.name]) for criterion in self._criteria)
        return card

    def score(self, frame: pd.DataFrame, *, missing: str = "error") -> Scores:
        """Points, score and grade of every customer.

        Parameters
        ----------
        frame : DataFrame with a column per criterion, one row per customer.
        missing : what to do about a customer of whom a criterion is not known
            "error" stops; "none" gives no score; "worst" gives 0 points; "reweight" shares the criterion's weight among
            the others. What was done is told.

        Raises
        ------
        InputError
            For missing columns, values outside their domain (whatever `missing` says), and missing values unless told
            otherwise.
        """
        import pandas as pd

        if missing not in MISSING:
            raise InputError(f"{self.name}: missing {missing!r} is not known; expected one of {', '.join(MISSING)}.")
        absent = [criterion.name for criterion in self._criteria if criterion.name not in frame.columns]
        if absent:
            raise InputError(
                f"{self.name}: the table of customers has no column {', '.join(absent)}; add or rename it."
            )
        points = pd.DataFrame({c.name: _points(c, frame[c.name], self.name) for c in self._criteria}, index=frame.index)
        problems = self._about_missing(points, missing)
        weights = self.weights
        adds = (points.fillna(0) if missing in ("worst", "reweight") else points) * weights
        if missing == "reweight":
            adds = adds.div((points.notna() * weights).sum(axis=1).replace(0.0, np.nan), axis=0)
        # Weights such as 1/3 would put a full score at 99.99999999999999, below its threshold.
        score = adds.sum(axis=1, skipna=False).round(9).rename("score")
        problems += _about_scores(score, missing)
        graded = self.grade_table.grade(score.to_frame(), faults="missing")
        problems += [said for said in graded.attrs["problems"] if "score is missing" not in said]
        graded.attrs = {"problems": problems}
        return Scores(points, score, graded, weights, adds, problems)

    def grade(self, frame: pd.DataFrame, *, missing: str = "error") -> pd.Series:
        """The grade of every customer: `score`, its grades only."""
        return self.score(frame, missing=missing).grade

    def _about_missing(self, points: pd.DataFrame, missing: str) -> list[str]:
        lacking = points.isna()
        counts = lacking.sum()
        told = [f"{name} is not known for {n:,} of {len(points):,} customers" for name, n in counts[counts > 0].items()]
        if told and missing == "error":
            row = points.index[lacking.any(axis=1)][0]
            raise InputError(
                f"{self.name}: {', '.join(told)}, first in row {row}. Fill it in, or say what to do with "
                'missing="none", "worst" or "reweight".'
            )
        done = {
            "none": "they have no score",
            "worst": "it counts 0 points",
            "reweight": "its weight goes to the others",
        }
        return [f"{sentence}: {done[missing]}." for sentence in told]

    def _repr_html_(self) -> str:
        import html

        title = html.escape(self.title.get("en", self.name))
        said = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.check())
        return f"<p><b>{title}</b></p>{self.inputs.to_html()}{self.grade_table.rules.to_html()}<ul>{said}</ul>"

    def __repr__(self) -> str:
        return f"Scorecard({self.name!r}, {len(self._criteria)} criteria)"


def scorecard(name: str) -> Scorecard:
    """A scorecard of the course.

    Parameters
    ----------
    name : key_account, prospect, rating, high_value or lead
        `SCORECARDS` has the course row of each. The course names criteria, not weights: all weigh the same until
        `with_weights` says otherwise.

    Raises
    ------
    InputError
        For another name.

    Examples
    --------
    >>> list(scorecard("key_account").weights.index)
    ['purchase_power', 'loyalty', 'brand_influence', 'potential_profit']
    """
    if name not in SCORECARDS:
        raise InputError(f"scorecard: there is no scorecard {name!r}; expected one of {', '.join(SCORECARDS)}.")
    return Scorecard(_SHIPPED / f"{name}.yaml")


# ----------------------------------------------------------------------------------------------------- reading


def _read_criteria(criteria: Any, card: str) -> tuple[Criterion, ...]:
    if not isinstance(criteria, Mapping) or not criteria or not all(isinstance(c, Mapping) for c in criteria.values()):
        raise InputError(
            f"{card}: there are no criteria; expected a mapping of each to its weight and points or scale."
        )
    weighed = [name for name, entry in criteria.items() if "weight" in entry]
    if weighed and len(weighed) < len(criteria):
        left = [str(name) for name in criteria if name not in weighed]
        raise InputError(f"{card}: {', '.join(left)} has no weight; give every criterion one, or none.")
    weights = {
        str(name): _number(entry.get("weight", 1 / len(criteria)), f"{card}, criterion {name}: weight")
        for name, entry in criteria.items()
    }
    _require_shares(weights, list(weights), card)
    return tuple(_read_criterion(str(name), entry, weights[str(name)], card) for name, entry in criteria.items())


def _number(value: Any, what: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"{what} {value!r} is no number; expected one such as 0.25.") from None


def _require_shares(weights: Mapping[str, float], names: list[str], card: str) -> None:
    if set(weights) != set(names):
        raise InputError(f"{card}: weights are given for {', '.join(weights)}; expected {', '.join(names)}.")
    total = sum(weights.values())
    if any(not weight >= 0 for weight in weights.values()) or not abs(total - 1) < 1e-6:
        raise InputError(
            f"{card}: the weights {', '.join(f'{name} {weight:g}' for name, weight in weights.items())} sum to "
            f"{total:g}; expected shares of 0 or more that sum to 1. Divide each by their sum."
        )


def _read_criterion(name: str, entry: Mapping[str, Any], weight: float, card: str) -> Criterion:
    title = {language: str(entry[language]) for language in ("en", "zh") if language in entry}
    if ("points" in entry) == ("scale" in entry):
        raise InputError(
            f"{card}, criterion {name}: expected either points (condition: points) or scale ([worst, best])."
        )
    if "scale" in entry:
        ends = entry["scale"]
        if not isinstance(ends, (list, tuple)) or len(ends) != 2 or ends[0] == ends[1]:
            raise InputError(
                f"{card}, criterion {name}: scale {ends!r}; expected two different numbers, [worst, best]."
            )
        worst, best = (_number(end, f"{card}, criterion {name}: scale") for end in ends)
        return Criterion(name, weight, None, (worst, best), title)
    if not isinstance(entry["points"], Mapping):
        raise InputError(
            f"{card}, criterion {name}: points are {entry['points']!r}; expected a mapping of conditions to points, "
            'such as {"< 3": 0, ">= 3": 100}.'
        )
    rows = [{name: condition, "grade": points} for condition, points in entry["points"].items()]
    for row in rows:
        if isinstance(row["grade"], bool) or not isinstance(row["grade"], (int, float)) or not 0 <= row["grade"] <= 100:
            raise InputError(
                f"{card}, criterion {name}, {plain(row[name])!r}: {row['grade']!r} are no points; expected 0 to 100."
            )
    declared = {key: value for key, value in entry.items() if key in ("type", "values", "domain", "unit", "en", "zh")}
    table = DecisionTable(rows, inputs={name: declared}, name=f"{card}, points for {name}")
    return Criterion(name, weight, table, None, title)


def _read_grades(grades: Any, about: Mapping[str, Any], card: str) -> DecisionTable:
    if not isinstance(grades, Mapping) or not grades:
        raise InputError(
            f'{card}: thresholds are missing; expected grades, best first, such as {{A: ">= 80", B: "< 80"}}.'
        )
    return DecisionTable(
        {
            "name": f"{card}, grades",
            "inputs": {"score": {"type": "number", "domain": "[0, 100]"}},
            "rules": [{"score": condition, "grade": grade} for grade, condition in grades.items()],
            "grades": {grade: about.get(grade, {}) for grade in grades},
        }
    )


def _about_scores(score: pd.Series, missing: str) -> list[str]:
    """Under "reweight" somebody of whom nothing is known still has no score."""
    nobody = score.isna()
    if missing != "reweight" or not nobody.any():
        return []
    return [
        f"Customers without a score, as no criterion that weighs is known of them: {int(nobody.sum()):,}, first in row "
        f"{score.index[nobody][0]}."
    ]


def _asks(criterion: Criterion) -> str:
    if criterion.scale is not None:
        return f"rating from {criterion.scale[0]:g} (worst) to {criterion.scale[1]:g} (best)"
    return str(criterion.points.inputs["domain"].iloc[0]) if criterion.points is not None else ""


def _points(criterion: Criterion, column: pd.Series, card: str) -> np.ndarray:
    """Points from 0 to 100; missing where the value is."""
    if criterion.scale is not None:
        worst, best = criterion.scale
        values = numbers(column)
        odd = (~np.isnan(values) & ~((values >= min(worst, best)) & (values <= max(worst, best)))) | (
            np.isnan(values) & column.notna().to_numpy()
        )
        if odd.any():
            place = int(np.flatnonzero(odd)[0])
            raise InputError(
                f"{card}: {criterion.name} is {plain(column.iloc[place])!r} in row {column.index[place]}; expected a "
                f"rating from {worst:g} to {best:g}. Correct the value."
            )
        return 100 * (values - worst) / (best - worst)
    assert criterion.points is not None
    decided = criterion.points.decide(column.to_frame(criterion.name), faults="missing")
    beyond = decided.faults[decided.faults["problem"] != "missing"]
    if len(beyond):
        raise InputError(
            f"{' '.join(p for p in decided.problems if 'is missing' not in p)} Correct the data or the card."
        )
    return decided.outcome("grade").to_numpy(dtype=float, na_value=np.nan)
