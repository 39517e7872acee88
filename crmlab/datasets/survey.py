"""Simulated satisfaction surveys whose truth is known: the course's six-construct model, for chapters 6 to 10.

A real survey never tells whether an estimate is right. ``simulate_survey`` draws one from a population whose loadings,
weights, paths and satisfaction index are known, adds the defects of real fieldwork on request, and hands back both the
data and the truth. ``load_survey`` is the same with the classroom's settings. The formulas are in ``population``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from crmlab.datasets import population as pop
from crmlab.datasets.design import Array, Design, PerItem, check_whole, design_survey
from crmlab.datasets.truth import SurveyTruth, describe

# The first seed from 2024 on whose 400 respondents are typical: see load_survey.
CLASSROOM_SEED = 2026

CLASSROOM: dict[str, Any] = {
    "segments": {"Riverside": 0.45, "Station": 0.35, "Old Town": 0.20},
    "shifts": {"Station": {"PerceivedQuality": -0.5}, "Old Town": {"PerceivedQuality": 0.4}},
}

FIELDWORK_DEFECTS: dict[str, Any] = {
    "careless": 0.04,
    "straightlining": 0.03,
    "missing": 0.02,
    "missing_mar": 0.03,
    "duplicate_ids": 0.01,
    "duplicate_answers": 0.01,
}

MECHANISMS = ("", "mcar", "mar")


def load_survey(n: int = 400, *, messy: bool = False, seed: int = CLASSROOM_SEED, **changes: Any) -> SimulatedSurvey:
    """The classroom survey: shoppers of three stores answer the course's questionnaire on ten points.

    Given what their customers expect, perceived quality lies 0.5 standard deviations lower at *Station* and 0.4 higher
    at *Old Town* than at *Riverside*. The items are those of the shipped questionnaire ``course_csi``.

    Parameters
    ----------
    n : int
        Respondents.
    messy : bool
        False: every answer is given with care. True: the defects of ``FIELDWORK_DEFECTS`` are planted (4 % careless,
        3 % straight-lining, 2 % missing completely at random, 3 % more missing mostly where satisfaction is low, 1 %
        repeated ids, 1 % repeated answers); all other answers are those of the clean survey.
    seed : int
        The default gives every classroom the same survey, and a typical one: it is the first seed from 2024 on with
        which every index, of all and of each store, lies within 1.3 standard errors of the truth. Other seeds show how
        far a survey of this size can miss.
    **changes
        Any argument of ``simulate_survey``, taking precedence.

    Returns
    -------
    SimulatedSurvey

    Examples
    --------
    >>> survey = load_survey()
    >>> survey.data.iloc[:3, :6]
       respondent      store  EQ1  EQ2  EQ3  EQ4
    0           1    Station    8    9    8    5
    1           2  Riverside    7    7    4    4
    2           3   Old Town    7    7    7    8
    >>> print(f"{survey.truth.index['Satisfaction']:.2f}")
    70.22
    """
    return simulate_survey(n, seed=seed, **(CLASSROOM | (FIELDWORK_DEFECTS if messy else {}) | changes))


def simulate_survey(
    n: int = 400,
    *,
    seed: int = 0,
    points: int | None = 10,
    measurement: Literal["composite", "factor"] = "composite",
    thresholds: str | Sequence[float] = "skewed",
    means: PerItem = None,
    sds: PerItem = None,
    loadings: Mapping[str, Mapping[str, float]] | None = None,
    paths: Mapping[tuple[str, str], float] | None = None,
    segments: Mapping[str, float] | None = None,
    shifts: Mapping[str, Mapping[str, float]] | None = None,
    segment_column: str = "store",
    careless: float = 0.0,
    straightlining: float = 0.0,
    missing: float = 0.0,
    missing_mar: float = 0.0,
    mar_on: str | None = None,
    duplicate_ids: float = 0.0,
    duplicate_answers: float = 0.0,
) -> SimulatedSurvey:
    """Draw a satisfaction survey from a population that is known in closed form.

    Constructs follow η = Bη + ζ with unit variances; items are x = Λη + ε, standardised. Under ``measurement="factor"``
    the residuals ε are uncorrelated (consistent PLS finds the truth, plain PLS attenuates); under ``"composite"`` each
    construct is w'x of its own items (plain PLS finds the truth). Answers are mean + sd·x, or x cut at thresholds.
    Answers and every kind of defect have random streams of their own: planting a defect leaves all other answers alone,
    and a longer survey begins with the shorter one.

    Parameters
    ----------
    n : int
        Respondents, 2 or more. Repeated rows (see below) come on top.
    seed : int
        Not negative. The same seed and arguments give the same bytes.
    points : int or None
        Scale points: answers 1 … points. None gives continuous answers, rounded to six decimals, that belong to the
        range 1–10 without being cut to it; their default sd is a fifth of the ordinal one, so that they stay inside.
    measurement : "composite" or "factor"
        What a construct is to its items.
    thresholds : "skewed", "even" or a sequence of ``points − 1`` ascending numbers
        Where standardised items are cut: as in real satisfaction surveys (``population.skewed_thresholds``), midway
        between scale points (``population.even_thresholds``), or at these values for every item.
    means, sds : number or mapping of construct or item to number, optional
        Mean and sd of the items in scale points: exact for continuous answers, before they become whole numbers for
        ordinal ones. Default: ``design.COURSE_ITEMS``, stretched from 1–10 to 1 … points.
    loadings : mapping of construct to mapping of item to loading, optional
        The items and their loadings, between 0 and 1. Default: ``design.COURSE_ITEMS``. Under ``"composite"`` they
        only set the correlations inside a block, r_kl = loading_k · loading_l; the loadings on the composite are in
        the truth. Under ``"factor"`` the error in the only item of a construct is beyond any estimator's repair.
    paths : mapping of (from, to) to coefficient, optional
        Standardised. Default: ``design.COURSE_PATHS``. Constructs without a predecessor are uncorrelated.
    segments : mapping of name to share, optional
        Each respondent belongs to a segment with these probabilities (sum 1).
    shifts : mapping of segment to mapping of construct to number, optional
        How far a segment lies above (+) or below (−) the segments without a shift, given the construct's predecessors,
        in construct standard deviations; the difference travels on along the paths. Shifts are centred, and the
        variance within segments is made smaller by as much as segments differ, so that means and covariances of
        constructs and uncut items are the same with and without segments. Within segments, too, the (unstandardised)
        paths are the true ones as long as only one construct is shifted.
    segment_column : str
        Name of the column with the segment.
    careless, straightlining : float
        Share of respondents, together 1 at most, rounded to whole rows: answering at random with equal
        probability for every point, or giving their first answer to every item.
    missing : float
        Probability that an answer is missing completely at random (MCAR).
    missing_mar : float
        Expected share of answers missing depending on one observed answer (MAR), 0 to 0.5: with r the mid-rank of that
        answer (0 lowest, 1 highest), each other answer is missing with probability 2·share·(1 − r). The answer it
        depends on is then never missing.
    mar_on : str, optional
        That item; default the first item of Satisfaction, or else the first item of all.
    duplicate_ids, duplicate_answers : float
        Share of respondents whose row comes a second time at the end of the data: with the same id, as when a form is
        sent twice, or under a new id.

    Returns
    -------
    SimulatedSurvey
        ``.data``, ``.truth``, and ``.problems``: the planted defects in words.

    Raises
    ------
    ValueError
        If an argument is out of range or no population has the moments asked for.

    Examples
    --------
    >>> survey = simulate_survey(300, seed=1, points=5, measurement="factor", missing=0.02)
    >>> survey.data.shape
    (300, 23)
    >>> survey.truth.paths.head(3)
                   from                to  path  plain_pls
    0   ExpectedQuality  PerceivedQuality  0.55   0.476639
    1   ExpectedQuality    PerceivedValue  0.15   0.149284
    2  PerceivedQuality    PerceivedValue  0.50   0.436381
    >>> survey.problems
    ['120 of 6600 answers are missing: 120 completely at random.']
    """
    check_whole("n", n, 2, "the number of respondents")
    check_whole("seed", seed, 0, "a seed of the random generator")
    design = design_survey(points, measurement, thresholds, means, sds, loadings, paths, segments, shifts)
    _check_columns(design, segment_column)
    for_answers, for_segments, for_careless, for_straight, for_mcar, for_mar, for_repeats = _streams(seed, 7)

    segment = np.searchsorted(np.cumsum(design.shares)[:-1], for_segments.random(n), side="right")
    scores, standardised = _draw(design, segment, for_answers)
    answers = _answers(design, standardised)
    careless_rows, straight_rows = _inattentive(n, careless, straightlining, for_careless, for_straight)
    answers[careless_rows] = _random_answers(design, len(careless_rows), for_careless)
    answers[straight_rows] = answers[straight_rows, :1]
    anchor = _mar_item(design, mar_on)
    mechanism = _missing(design, answers, missing, missing_mar, anchor, for_mcar, for_mar)
    source, kind = _repeated(n, duplicate_ids, duplicate_answers, for_repeats)

    delivered = np.where(mechanism == 0, answers, np.nan)[source]
    ids = np.where(kind == "answers", np.arange(1, len(source) + 1), source + 1)
    data = _frame(design, ids, design.segments[segment[source]], segment_column, delivered)
    true_scores = pd.DataFrame(scores[source], columns=list(design.constructs))
    cells = _missing_cells(design, mechanism[source])
    rows = pd.DataFrame(
        {
            "careless": np.isin(source, careless_rows),
            "straightlining": np.isin(source, straight_rows),
            "duplicate": kind,
            "original": source,
        }
    )
    return SimulatedSurvey(data, describe(design, true_scores, rows, cells, anchor if missing_mar else None))


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedSurvey:
    """A simulated survey beside its truth.

    Attributes
    ----------
    data : DataFrame
        What a field institute would deliver: ``respondent`` (id, whole numbers from 1), the segment column if there are
        segments, and one column per item. Rows are numbered from 0. Ordinal answers are whole numbers; a missing
        answer is NaN.
    truth : SurveyTruth
        What no field institute could deliver.
    """

    data: pd.DataFrame
    truth: SurveyTruth

    @property
    def problems(self) -> list[str]:
        """The planted defects in words; empty for a clean survey."""
        rows, missing = self.truth.rows, self.truth.missing
        found = []
        for column, words in (
            ("careless", "answer at random"),
            ("straightlining", "give their first answer to all items"),
        ):
            if rows[column].any():
                found.append(f"{rows[column].sum()} of {len(rows)} rows {words}: {_listing(rows.index[rows[column]])}.")
        for kind, words in (("id", "with the same id"), ("answers", "under a new id")):
            repeated = rows.index[rows["duplicate"] == kind]
            if len(repeated):
                found.append(f"{len(repeated)} rows repeat an earlier row {words}: {_listing(repeated)}.")
        if len(missing):
            counts = missing["mechanism"].value_counts()
            names = {"mcar": "completely at random", "mar": f"more often where {self.truth.mar_on} is low"}
            shares = ", ".join(f"{counts[key]} {words}" for key, words in names.items() if key in counts)
            total = len(rows) * len(self.truth.items)
            found.append(f"{len(missing)} of {total} answers are missing: {shares}.")
        return found

    def __repr__(self) -> str:
        return f"SimulatedSurvey({len(self.data)} rows x {len(self.truth.items)} items, {self.truth.measurement} truth)"

    def _repr_html_(self) -> str:
        index = self.truth.index.rename("true index").round(2).to_frame().to_html()
        return f"<p>{len(self.data)} rows, first five:</p>{self.data.head().to_html()}{index}"


def _streams(seed: int, count: int) -> list[np.random.Generator]:
    """Independent generators, one for each thing that is drawn, so that one never disturbs another."""
    return [np.random.Generator(np.random.PCG64(child)) for child in np.random.SeedSequence(seed).spawn(count)]


def _draw(design: Design, segment: np.ndarray, rng: np.random.Generator) -> tuple[Array, Array]:
    """Construct values (n, J) and standardised items (n, K): η = (I − B)⁻¹ζ, x = Λη + ε."""
    count = len(design.constructs)
    noise = rng.standard_normal((len(segment), count + len(design.items)))
    disturbances = design.shifts[segment] + noise[:, :count] @ pop.symmetric_root(design.disturbances)
    scores = disturbances @ design.effects.T
    items = scores @ pop.loading_matrix(design.blocks).T
    for block, columns in zip(design.blocks, design.columns, strict=True):
        items[:, columns] += noise[:, count:][:, columns] @ pop.symmetric_root(block.residuals)
    return scores, items


def _answers(design: Design, standardised: Array) -> Array:
    if design.points is None:
        # Linear algebra differs in the last bits between machines; the same seed must give the same bytes.
        return np.round(design.mean + design.sd * standardised, 6)
    cut = [np.searchsorted(tau, z) for tau, z in zip(design.thresholds, standardised.T, strict=True)]
    return 1.0 + np.array(cut).T


def _inattentive(
    n: int, careless: float, straightlining: float, careless_rng: np.random.Generator, straight_rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    first, second = _rows("careless", careless, n), _rows("straightlining", straightlining, n)
    if first + second > n:
        raise ValueError(
            f"careless, straightlining: {first} and {second} rows are more than the {n} there are. Lower the shares."
        )
    careless_rows = careless_rng.permutation(n)[:first]
    # Straight-liners have an order of their own, from which careless rows are skipped: neither reshuffles the other.
    order = straight_rng.permutation(n)
    return np.sort(careless_rows), np.sort(order[~np.isin(order, careless_rows)][:second])


def _random_answers(design: Design, rows: int, rng: np.random.Generator) -> Array:
    low, high = design.scale
    shape = (rows, len(design.items))
    if design.points is None:
        return np.round(rng.uniform(low, high, shape), 6)
    return rng.integers(low, high, shape, endpoint=True).astype(float)


def _missing(
    design: Design,
    answers: Array,
    mcar: float,
    mar: float,
    mar_on: str,
    mcar_rng: np.random.Generator,
    mar_rng: np.random.Generator,
) -> np.ndarray:
    """The mechanism that removes each answer, a position in ``MECHANISMS``; shape as ``answers``."""
    _check_share("missing", mcar, 1.0)
    _check_share("missing_mar", mar, 0.5)
    mechanism = np.zeros(answers.shape, dtype=np.int8)
    if mcar > 0:
        mechanism[mcar_rng.random(answers.shape) < mcar] = MECHANISMS.index("mcar")
    if mar > 0:
        anchor = design.items.index(mar_on)
        rank = (pd.Series(answers[:, anchor]).rank().to_numpy() - 0.5) / len(answers)
        chosen = mar_rng.random(answers.shape) < 2 * mar * (1 - rank)[:, None]
        mechanism[chosen & (mechanism == 0)] = MECHANISMS.index("mar")
        mechanism[:, anchor] = 0
    return mechanism


def _mar_item(design: Design, mar_on: str | None) -> str:
    if mar_on is None:
        return next(
            (i for i, c in zip(design.items, design.owner, strict=True) if c == "Satisfaction"), design.items[0]
        )
    if mar_on not in design.items:
        raise ValueError(f"mar_on: {mar_on!r} is not an item; the items are {', '.join(design.items)}.")
    return mar_on


def _repeated(n: int, ids: float, answers: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """For every row of the data, the respondent it comes from and how it repeats: "", "id" or "answers"."""
    first, second = _rows("duplicate_ids", ids, n), _rows("duplicate_answers", answers, n)
    same_id, new_id = (
        np.sort(child.permutation(n)[:count]) for child, count in zip(rng.spawn(2), (first, second), strict=True)
    )
    source = np.concatenate([np.arange(n), same_id, new_id])
    return source, np.repeat(np.array(["", "id", "answers"]), [n, first, second])


def _frame(design: Design, ids: np.ndarray, segment: np.ndarray, segment_column: str, answers: Array) -> pd.DataFrame:
    whole = design.points is not None and not np.isnan(answers).any()
    data = pd.DataFrame(answers.astype(np.int64) if whole else answers, columns=list(design.items))
    if len(design.segments) > 1:
        data.insert(0, segment_column, segment)
    data.insert(0, "respondent", ids)
    return data


def _missing_cells(design: Design, mechanism: np.ndarray) -> pd.DataFrame:
    row, column = np.nonzero(mechanism)
    names = np.array(MECHANISMS)[mechanism[row, column]]
    return pd.DataFrame({"row": row, "item": np.array(design.items)[column], "mechanism": names})


def _check_share(name: str, value: float, most: float) -> None:
    if not 0 <= value <= most:
        raise ValueError(f"{name}: found {value!r}; expected a share from 0 to {most:g}.")


def _rows(name: str, share: float, n: int) -> int:
    _check_share(name, share, 1.0)
    return round(share * n)


def _check_columns(design: Design, segment_column: str) -> None:
    taken = {"respondent", *design.items}
    if "respondent" in design.items or segment_column in taken:
        raise ValueError(
            f"segment_column, loadings: the columns respondent, {segment_column} and the items need different names."
        )


def _listing(rows: pd.Index) -> str:
    shown = ", ".join(str(row) for row in rows[:5])
    return (
        f"row {shown}" if len(rows) == 1 else f"rows {shown}" + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
    )
