"""Answers given without care: who they may be from, by ten checks that each say how, how many and where (chapter 6).

No single check proves anything: straight-lining may be conviction, a fast respondent may be a good reader. The checks
therefore mark rows and exclude nobody; exclusion is the analyst's choice and stays on record (`Quality.exclude`).

References
----------
Bennett, D. A. (2001). How can I deal with missing data in my study? Australian and New Zealand Journal of Public Health
25(5), 464–469.
Curran, P. G. (2016). Methods for the detection of carelessly invalid responses in survey data. Journal of Experimental
Social Psychology 66, 4–19.
Huang, J. L., Curran, P. G., Keeney, J., Poposki, E. M., & DeShon, R. P. (2012). Detecting and deterring insufficient
effort responding to surveys. Journal of Business and Psychology 27(1), 99–114.
Meade, A. W., & Craig, S. B. (2012). Identifying careless responses in survey data. Psychological Methods 17(3),
437–455.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.responses import distance, patterns
from crmlab.responses.answers import CodedAnswers
from crmlab.responses.findings import counted, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Survey(Protocol):
    """What the checks read of `Responses`."""

    @property
    def answers(self) -> CodedAnswers: ...
    @property
    def scales(self) -> pd.DataFrame: ...
    @property
    def texts(self) -> pd.DataFrame: ...
    @property
    def ids(self) -> pd.Series | None: ...
    @property
    def meta(self) -> pd.DataFrame: ...
    @property
    def source(self) -> str: ...
    def without(self, rows: np.ndarray, checks: Sequence[str]) -> Any: ...


class Check(NamedTuple):
    """One check: what its threshold means, and where that is from."""

    name: str
    threshold: float
    means: str
    source: str


CHECKS = {
    check.name: check
    for check in (
        Check("completion", 0.5, "answered less than this share of the items", "AAPOR 2023: below half is a break-off"),
        Check("not submitted", 0, "the platform says the form was never sent off", "stated in the file"),
        Check(
            "straight-lining", 0, "sd of one's answers, as given, is not above this", "Curran 2016; Dunn et al. 2018"
        ),
        Check(
            "long string",
            0.5,
            "the same answer to this share of the items or more, one after the other",
            "Curran 2016: half the length of the questionnaire",
        ),
        Check("speeding", 2, "fewer seconds than this for each item answered", "Huang et al. 2012: 2 seconds an item"),
        Check("duplicate id", 1, "the id stands in an earlier row", "one person, one answer"),
        Check(
            "duplicate answers",
            1,
            "this share of the answers, all of them, equal an earlier row's, in the gaps too",
            "unlikely by chance with many items; straight-lined rows do not count",
        ),
        Check(
            "Mahalanobis distance",
            0.001,
            "so unlike the others that D² has less than this probability (chi-squared)",
            "Meade & Craig 2012; Curran 2016",
        ),
        Check(
            "inconsistent pairs",
            1 / 3,
            "answers to pairs of items that say the same lie this share of the scale apart, on average, or more",
            "Meade & Craig 2012: pairs with r > .60; random answers lie a third of the scale apart, E|U − V| = 1/3",
        ),
        Check("item non-response", 0.1, "items without an answer from more than this share", "Bennett 2001: 10 %"),
    )
}

SYNONYMS = 0.60  # least correlation of a pair of psychometric synonyms (Meade & Craig 2012)
_SHOWN = 5
_STRETCHES = 100  # of the file, in the map of missing answers


@dataclass(frozen=True, eq=False, repr=False)
class Quality:
    """What the checks found; nobody is excluded by it.

    Attributes
    ----------
    checks : DataFrame check, count, of, share, threshold, means, source, note; count is missing where a check could not
        be made, and note says why. Counts are of respondents, for item non-response of items.
    rows : DataFrame row, check, value, detail: every marked row of the file with the statistic that marked it.
    items : DataFrame, index item: n, missing, share (missing, 0–1).
    respondents : DataFrame, index row: answered (share of items), sd, longest_run, seconds_per_item, distance (D²),
        probability, pair_distance, flags (how many checks mark the row).
    problems : list of sentences.
    survey : the `Responses` that were checked.
    """

    checks: pd.DataFrame
    rows: pd.DataFrame
    items: pd.DataFrame
    respondents: pd.DataFrame
    problems: list[str]
    survey: Survey

    def exclude(self, *checks: str, at_least: int = 1) -> Any:
        """The `Responses` without the rows that at least so many of these checks mark; on record there.

        Parameters
        ----------
        checks : names of checks, at least one.
        at_least : marks a row must have, among these checks, to be excluded.

        Raises
        ------
        InputError
            No check is named, one is unknown or marks items, or nobody would be left.

        Examples
        --------
        >>> from crmlab import Questionnaire, datasets, read_responses
        >>> survey = datasets.load_survey(messy=True)
        >>> responses = read_responses(survey.data, Questionnaire.shipped("course_csi"))
        >>> fewer = responses.quality().exclude("straight-lining", "duplicate id")
        >>> responses.n, fewer.n
        (408, 391)
        >>> fewer.problems[-1]
        '17 of 408 respondents excluded by the analyst: straight-lining (13) and duplicate id (4).'
        """
        known = [check for check in CHECKS if check != "item non-response"]
        if unknown := [check for check in checks if check not in known] or not checks:
            found = listed(map(repr, unknown), 5) if isinstance(unknown, list) else "no check"
            raise InputError(f"exclude: found {found}; expected one or more of {listed(known, 12)}.")
        chosen = self.rows[self.rows["check"].isin(checks)]
        reasons = chosen.groupby("row")["check"].agg([len, ", ".join])
        reasons = reasons[reasons["len"] >= at_least]
        if len(reasons) == len(self.respondents):
            raise InputError(
                f"exclude: {listed(checks, 5)} would exclude all {counted(len(reasons), 'respondent')}. Choose other "
                "checks or thresholds."
            )
        return self.survey.without(reasons.index.to_numpy(), reasons["join"].tolist())

    def plot(self) -> tuple[Axes, Axes]:
        """How many respondents each check marks, and where in the file answers are missing."""
        from crmlab.plots.responses import quality

        return quality(self.checks, self.missing)

    @property
    def missing(self) -> pd.DataFrame:
        """Share of missing answers by item (columns) in up to 100 stretches of the file (index: their first rows)."""
        answers, rows = self.survey.answers, self.respondents.index
        starts = np.unique(np.linspace(0, len(rows), min(len(rows), _STRETCHES), endpoint=False).astype(int))
        widths = np.diff(np.append(starts, len(rows)))
        shares = [
            np.add.reduceat(~answers.answered(place), starts, dtype=int) / widths for place in range(len(self.items))
        ]
        return pd.DataFrame(np.array(shares).T, index=rows[starts], columns=[*self.items.index])

    def to_dict(self) -> dict[str, Any]:
        """The checks and their rows as plain values, for JSON."""
        checks = self.checks[["check", "count", "of", "threshold"]].astype(object)
        return {
            "checks": checks.where(checks.notna(), None).to_dict("records"),
            "rows": {str(check): rows["row"].tolist() for check, rows in self.rows.groupby("check", sort=False)},
            "problems": self.problems,
        }

    def __repr__(self) -> str:
        marked = int((self.respondents["flags"] > 0).sum())
        return f"Quality({self.survey.source}: {marked} of {counted(len(self.respondents), 'respondent')} marked)"

    def _repr_html_(self) -> str:
        sentences = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems)
        table = self.checks.drop(columns="source").to_html(index=False, na_rep="–", float_format="{:.3g}".format)
        return f"<p><b>{html.escape(repr(self))}</b></p><ul>{sentences}</ul>{table}"


def assess(
    survey: Survey,
    *,
    completion: float = CHECKS["completion"].threshold,
    straightlining: float = CHECKS["straight-lining"].threshold,
    long_string: float = CHECKS["long string"].threshold,
    speeding: float = CHECKS["speeding"].threshold,
    mahalanobis: float = CHECKS["Mahalanobis distance"].threshold,
    inconsistency: float = CHECKS["inconsistent pairs"].threshold,
    item_nonresponse: float = CHECKS["item non-response"].threshold,
    pairs: Sequence[tuple[str, str]] | None = None,
) -> Quality:
    """Check every respondent.

    Parameters
    ----------
    survey : Responses
    completion : least share of items answered, 0–1.
    straightlining : largest standard deviation of one's answers, as given, in scale units, that counts as none.
    long_string : share of the items that the longest run of one answer must reach to count, 0–1.
    speeding : seconds for each item answered; whoever took fewer is marked.
    mahalanobis : probability of a D² as large, below which a row is marked.
    inconsistency : mean distance of the answers to a pair, as a share of the scale, 0–1.
    item_nonresponse : share of respondents without an answer above which an item is named, 0–1.
    pairs : items that say the same after reverse coding; default all pairs of one construct of which one is reversed,
        or, without such, psychometric synonyms: all pairs whose answers correlate 0.60 or more.

    Returns
    -------
    Quality

    Raises
    ------
    InputError
        `pairs` names an item the survey does not have.

    Examples
    --------
    >>> from crmlab import Questionnaire, datasets, read_responses
    >>> survey = datasets.load_survey(messy=True)
    >>> responses = read_responses(survey.data, Questionnaire.shipped("course_csi"))
    >>> assess(responses, long_string=0.4).checks[["check", "count", "threshold"]].head(5)
                 check  count  threshold
    0       completion      0        0.5
    1    not submitted   <NA>        0.0
    2  straight-lining     13        0.0
    3      long string     13        0.4
    4         speeding   <NA>        2.0
    """
    from threadpoolctl import threadpool_limits

    thresholds = {
        "completion": completion,
        "straight-lining": straightlining,
        "long string": long_string,
        "speeding": speeding,
        "Mahalanobis distance": mahalanobis,
        "inconsistent pairs": inconsistency,
        "item non-response": item_nonresponse,
    }
    with threadpool_limits(1, user_api="blas"):  # blocks are small, and more threads would wait for each other
        statistics, notes = _statistics(survey, _pairs(survey.scales, pairs))
    marks = _marks(survey, statistics, {name: check.threshold for name, check in CHECKS.items()} | thresholds)
    items = _items(survey)
    statistics["flags"] = np.sum([mark.rows for mark in marks.values()], axis=0, dtype=np.int8)
    checks = _check_table(survey, marks, items, thresholds, notes)
    return Quality(
        checks=checks,
        rows=_row_table(marks, survey.texts.index),
        items=items,
        respondents=statistics,
        problems=_problems(marks, survey.texts.index, items[items["share"] > item_nonresponse]),
        survey=survey,
    )


# Statistics ---------------------------------------------------------------------------------------------------------


def _pairs(scales: pd.DataFrame, given: Sequence[tuple[str, str]] | None) -> list[tuple[int, int]] | None:
    """Places of the items of each given pair."""
    items = [*scales.index]
    if given is not None:
        if unknown := [item for pair in given for item in pair if item not in items]:
            raise InputError(
                f"pairs: {listed(unknown, 5)} is not an item of the survey; expected pairs of {listed(items, 30)}."
            )
        return [(items.index(one), items.index(other)) for one, other in given]
    return None


def _statistics(survey: Survey, pairs: list[tuple[int, int]] | None) -> tuple[pd.DataFrame, dict[str, str]]:
    """What is measured of every respondent; and for checks that cannot be made, why."""
    answers, scales = survey.answers, survey.scales
    given, count = patterns.as_given(answers, scales), patterns.answered(answers)
    mean, covariance = distance.moments(answers)
    notes: dict[str, str] = {}
    table = pd.DataFrame({"answered": (count / len(scales)).astype(np.float32)}, index=survey.texts.index)
    table["sd"] = patterns.spread(given)
    table["longest_run"] = patterns.longest_run(given)
    table["seconds_per_item"] = _seconds_per_item(survey, count, notes).astype(np.float32)
    places = _places(answers, covariance, [*scales.index], notes)
    table["distance"] = distance.mahalanobis(answers, places, mean, covariance)
    table["probability"] = distance.probability(table["distance"].to_numpy(), answers, places)
    table["pair_distance"] = _pair_distance(survey, pairs, covariance, notes)
    if "complete" not in survey.meta:
        notes["not submitted"] = "not checked: the file does not say which forms were sent off"
    if survey.ids is None:
        notes["duplicate id"] = "not checked: no id column"
    return table, notes


def _seconds_per_item(survey: Survey, count: np.ndarray, notes: dict[str, str]) -> np.ndarray:
    missing = np.full(len(count), np.nan)
    if "seconds" in survey.meta:
        seconds = survey.meta["seconds"].to_numpy()
    elif {"started", "submitted"} <= {*survey.meta}:
        seconds = (survey.meta["submitted"] - survey.meta["started"]).dt.total_seconds().to_numpy()
    else:
        notes["speeding"] = "not checked: the file holds no times"
        return missing
    return np.divide(seconds, count, out=missing, where=count > 0)


def _places(answers: CodedAnswers, covariance: np.ndarray, items: list[str], notes: dict[str, str]) -> list[int]:
    """Places of the items that the distance is made from; none where there are too few respondents."""
    places = distance.independent(covariance)
    if len(answers) <= 2 * len(places) or not places:
        notes["Mahalanobis distance"] = "not checked: at least two respondents for each item that varies are needed"
        return []
    if left := [items[place] for place in range(len(items)) if place not in places]:
        notes["Mahalanobis distance"] = f"without {listed(left, _SHOWN)}, which do not vary or follow from other items"
    return places


def _pair_distance(
    survey: Survey, given: list[tuple[int, int]] | None, covariance: np.ndarray, notes: dict[str, str]
) -> np.ndarray:
    kinds = {
        "given": given or [],
        "one of them reversed": _reverse_keyed(survey.scales) if given is None else [],
        f"r ≥ {SYNONYMS:.2f}": _synonyms(covariance) if given is None else [],
    }
    for kind, pairs in kinds.items():
        if pairs:
            names = [f"{survey.scales.index[one]}–{survey.scales.index[other]}" for one, other in pairs]
            notes["inconsistent pairs"] = f"{counted(len(pairs), 'pair')} ({kind}): {listed(names, _SHOWN)}"
            return patterns.pair_distance(survey.answers, survey.scales, pairs)
    notes["inconsistent pairs"] = "not checked: no pair is given, reverse-keyed, or correlates 0.60"
    return np.full(len(survey.texts), np.nan, dtype=np.float32)


def _reverse_keyed(scales: pd.DataFrame) -> list[tuple[int, int]]:
    """Within a construct, each reversed item with each that is not."""
    construct, reverse = scales["construct"].to_numpy(), scales["reverse"].to_numpy(dtype=bool)
    same = construct[:, None] == construct
    return [(int(one), int(other)) for one, other in np.argwhere(same & reverse[:, None] & ~reverse)]


def _synonyms(covariance: np.ndarray) -> list[tuple[int, int]]:
    sd = np.sqrt(np.maximum(np.diag(covariance), 0))
    scale = np.where(sd > 0, sd, np.inf)
    return [(int(a), int(b)) for a, b in np.argwhere(np.triu(covariance / np.outer(scale, scale), 1) >= SYNONYMS)]


# Marks --------------------------------------------------------------------------------------------------------------


class _Mark(NamedTuple):
    """Which rows a check marks, the statistic it looks at, and words for a value of it."""

    rows: np.ndarray
    values: np.ndarray
    detail: str


def _marks(survey: Survey, statistics: pd.DataFrame, thresholds: dict[str, float]) -> dict[str, _Mark]:
    measured = {str(name): column.to_numpy() for name, column in statistics.items()}
    n, k = len(statistics), len(survey.scales)
    enough = measured["answered"] * k >= max(3, k / 2)
    earlier = _earlier(survey, measured["sd"])
    complete = survey.meta["complete"].to_numpy() if "complete" in survey.meta else np.ones(n, dtype=bool)
    repeated = np.zeros(n, dtype=bool)
    if survey.ids is not None:
        repeated = (survey.ids.notna() & survey.ids.duplicated()).to_numpy()
    t = thresholds
    return {
        "completion": _Mark(
            measured["answered"] < t["completion"], measured["answered"], "{:.0%} of the items answered"
        ),
        "not submitted": _Mark(~complete, np.zeros(n), "form not sent off"),
        "straight-lining": _Mark(
            enough & (measured["sd"] <= t["straight-lining"] + 1e-9), measured["sd"], "sd of the answers {:.2f}"
        ),
        "long string": _Mark(
            enough & (measured["longest_run"] >= t["long string"] * k),
            measured["longest_run"],
            "{:.0f} times the same answer in a row",
        ),
        "speeding": _Mark(
            measured["seconds_per_item"] < t["speeding"], measured["seconds_per_item"], "{:.2f} seconds an item"
        ),
        "duplicate id": _Mark(repeated, np.ones(n), "id of an earlier row"),
        "duplicate answers": _Mark(earlier > 0, earlier, "all answers as in row {:.0f}"),
        "Mahalanobis distance": _Mark(
            measured["probability"] < t["Mahalanobis distance"], measured["distance"], "D² {:.1f}"
        ),
        "inconsistent pairs": _Mark(
            measured["pair_distance"] >= t["inconsistent pairs"], measured["pair_distance"], "{:.0%} of the scale apart"
        ),
    }


def _earlier(survey: Survey, sd: np.ndarray) -> np.ndarray:
    """Row of the file with the same answers, 0 for none; one straight line equals another by chance."""
    first = patterns.earlier_equal(survey.answers)
    there = (first >= 0) & (sd > 0)
    return np.where(there, survey.texts.index.to_numpy()[first], 0)


# Tables and words ---------------------------------------------------------------------------------------------------


def _items(survey: Survey) -> pd.DataFrame:
    given = [int(survey.answers.counts(place).sum()) for place in range(len(survey.scales))]
    table = pd.DataFrame({"n": given}, index=survey.scales.index)
    table["missing"] = len(survey.texts) - table["n"]
    return table.assign(share=table["missing"] / max(len(survey.texts), 1))


def _check_table(
    survey: Survey, marks: dict[str, _Mark], items: pd.DataFrame, thresholds: dict[str, float], notes: dict[str, str]
) -> pd.DataFrame:
    rows = []
    for name, check in CHECKS.items():
        threshold, note = thresholds.get(name, check.threshold), notes.get(name, "")
        count: Any = int((items["share"] > threshold).sum()) if name not in marks else int(marks[name].rows.sum())
        of = len(items) if name not in marks else len(survey.texts)
        count = pd.NA if note.startswith("not checked") else count
        rows.append((name, count, of, count / of, threshold, check.means, check.source, note))
    columns = ["check", "count", "of", "share", "threshold", "means", "source", "note"]
    return pd.DataFrame(rows, columns=columns).astype({"count": "Int64", "share": "Float64"})


def _row_table(marks: dict[str, _Mark], index: pd.Index) -> pd.DataFrame:
    """Marked rows, by row and then in the order of the checks; the words are made once for every distinct value."""
    parts = []
    for name, mark in marks.items():
        values = mark.values[mark.rows].astype(float)
        distinct, places = np.unique(values, return_inverse=True)
        words = np.array([mark.detail.format(value) for value in distinct], dtype=object)
        parts.append(pd.DataFrame({"row": index[mark.rows], "check": name, "value": values, "detail": words[places]}))
    table = pd.concat(parts).astype({"row": "int64", "check": "str", "value": "float64", "detail": "str"})
    return table.sort_values("row", kind="stable", ignore_index=True)


def _problems(marks: dict[str, _Mark], index: pd.Index, unanswered: pd.DataFrame) -> list[str]:
    counts = {name: int(mark.rows.sum()) for name, mark in marks.items() if mark.rows.any()}
    sentences = [
        f"{name}: {count:,} of {counted(len(index), 'respondent')} ({count / len(index):.1%}), "
        f"{_rows(index[marks[name].rows])}."
        for name, count in counts.items()
    ]
    names = [f"{item} ({share:.0%})" for item, share in unanswered["share"].items()]
    return [*sentences, *([f"item non-response: {listed(names, 9)} without an answer."] if names else [])]


def _rows(rows: pd.Index) -> str:
    more = [f"{len(rows) - _SHOWN:,} more"] if len(rows) > _SHOWN else []
    return f"row{'' if len(rows) == 1 else 's'} {listed([*map(str, rows[:_SHOWN]), *more], _SHOWN + 1)}"
