"""Scores from measures: by the course's rubric, by quantiles of the customers, or by bands of one's own (row B3).

A quantile score says how large a share of the customers a customer is strictly ahead of: with five bins, 3 stands for
40 % or more, but less than 60 %. So customers with the same value have the same score, the lowest value always has 1,
and where half of the customers bought once, all of these have f = 1 and nobody has what would have split them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from crmlab.errors import InputError
from crmlab.rfm.bands import MEASURES, Bands, Scale, course_rubric
from crmlab.transactions import engines

if TYPE_CHECKING:
    import pandas as pd

SCHEMES = ("rubric", "quantile", "bands")
DIRECTIONS = ("published", "upwards")
_BINS = range(2, 10)
#: More customers in one band than this share: the score hardly tells customers apart.
_CROWDED = 0.8


def score(
    table: pd.DataFrame | ibis.Table,
    scheme: str = "rubric",
    *,
    bands: Bands | None = None,
    bins: int = 5,
    one_time_apart: bool = False,
    unit: float | None = None,
    direction: str = "published",
) -> Any:
    """Scores of every customer for recency, frequency and monetary value.

    Parameters
    ----------
    table : DataFrame or Ibis table
        Columns recency_days, frequency, monetary, as from `rfm.table` or `rfm.expression`; others are carried along.
    scheme : "rubric", "quantile" or "bands"
        The course's bands as published; equal shares of these customers; or the bands given.
    bands : Bands, for the scheme "bands"
    bins : int, 2 to 9
        Number of scores of the quantile scheme.
    one_time_apart : bool
        Quantile scheme: customers with one order have f = 1, and the others share the scores from 2.
    unit : float
        Rubric: how much money its monetary scale calls 1, which the publication does not say. Default 1, as in the
        data.
    direction : "published" or "upwards"
        Rubric: R1 is most recent while F1 and M1 are lowest, as published; or the highest score is best for all three,
        as it always is with quantiles.

    Returns
    -------
    DataFrame with the rows and columns of `table` and r, f, m (int), code ("R1F4M2"); or an Ibis table, if one was
    given. `attrs` of the DataFrame adds scheme, scale ({"r": (worst, best), ...}), and problems.

    Raises
    ------
    InputError
        For an unknown option, a missing column, an empty table, or a measure that no customer can have.

    Notes
    -----
    The rubric counts the month that runs: day 0 to 30 is month 1, with months of 365.25 / 12 days. Quantile cut-offs
    are the inverse of the empirical distribution function (type 1 of Hyndman & Fan 1996); money is compared as it is,
    without adding anything to a cut-off.

    References
    ----------
    Hyndman, R. J., & Fan, Y. (1996). Sample quantiles in statistical packages. The American Statistician, 50(4).

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {"customer_id": [1, 2, 3], "recency_days": [5, 100, 400], "frequency": [12, 3, 1], "monetary": [30.0, 4, 2]}
    ... )
    >>> score(customers)["code"].tolist()
    ['R1F4M4', 'R2F2M2', 'R4F1M1']
    >>> score(customers, "quantile", bins=3)["code"].tolist()
    ['R3F3M3', 'R2F2M2', 'R1F1M1']
    """
    measures = _measures(table)
    chosen = _bands_of(measures, scheme, bands, bins, one_time_apart, unit, direction)
    if isinstance(measures, ibis.Table):
        return measures.mutate(**_scores(measures, chosen))
    scores = {name: scale.score_array(measures[MEASURES[name][0]].to_numpy()) for name, scale in chosen.scales.items()}
    scored = table.assign(**scores, code=_codes(scores))
    told = [
        *table.attrs.get("problems", []),
        *_about_bands(chosen, scheme, unit),
        *_about_scores(measures, scores, chosen),
    ]
    scored.attrs = {**table.attrs, "scheme": scheme, "scale": chosen.scale, "problems": told}
    return scored


def bands_of(
    table: pd.DataFrame | ibis.Table,
    scheme: str = "rubric",
    bands: Bands | None = None,
    *,
    bins: int = 5,
    one_time_apart: bool = False,
    unit: float | None = None,
    direction: str = "published",
) -> Bands:
    """The bands that :func:`score` would apply, with the same arguments; those of quantiles come from the table.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame({"recency_days": [5, 100], "frequency": [12, 3], "monetary": [30.0, 4.0]})
    >>> bands_of(customers, "quantile", bins=2).table[["measure", "band", "score"]]
      measure      band  score
    0       r   up to 99      2
    1       r   over 99      1
    2       f   up to 3      1
    3       f    over 3      2
    4       m   up to 4      1
    5       m    over 4      2
    """
    return _bands_of(_measures(table), scheme, bands, bins, one_time_apart, unit, direction)


def weigh(
    scored: Any, weights: Mapping[str, float] | None = None, *, scale: Mapping[str, Sequence[int]] | None = None
) -> Any:
    """One number per customer: the weighted mean of the three scores, from 0 (worst in all) to 100 (best in all).

    Parameters
    ----------
    scored : DataFrame or Ibis table
        From :func:`score`.
    weights : mapping of r, f and m to weights that sum to 1
        Default a third each. Any mapping will do, such as a Series of the weighting chapter.
    scale : mapping of r, f and m to (worst, best) score
        Needed for an Ibis table only, and as `Bands.scale`; a frame has it in its `attrs`.

    Returns
    -------
    The table with the column rfm_score = 100 · Σ weight · (score − worst) / (best − worst).

    Raises
    ------
    InputError
        If weights are negative, do not sum to 1, or are not those of r, f and m.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame({"recency_days": [5, 100], "frequency": [12, 1], "monetary": [30.0, 4.0]})
    >>> weigh(score(customers), {"r": 0.5, "f": 0.3, "m": 0.2})["rfm_score"].round(1).tolist()
    [100.0, 40.0]
    """
    share = dict.fromkeys(MEASURES, 1 / 3) if weights is None else {str(k): float(v) for k, v in weights.items()}
    if set(share) != set(MEASURES) or any(not value >= 0 for value in share.values()):
        raise InputError(f"weights: {share}; expected weights of 0 or more for r, f and m.")
    if not math.isclose(sum(share.values()), 1, abs_tol=1e-6):
        raise InputError(f"weights: they sum to {sum(share.values()):g}; expected 1. Divide each by the sum.")
    ends = scale_of(scored, scale)
    total: Any = 0.0
    for name, (worst, best) in ends.items():
        place = (scored[name] - worst) / (best - worst if best != worst else 1)
        total = total + place * (100 * share[name])
    if isinstance(scored, ibis.Table):
        return scored.mutate(rfm_score=total)
    weighed = scored.assign(rfm_score=total)
    weighed.attrs = {**scored.attrs, "weights": share}
    return weighed


def scale_of(scored: Any, scale: Mapping[str, Sequence[int]] | None = None) -> dict[str, tuple[int, int]]:
    """(worst, best) score of each measure: as given, or as `attrs` of a scored frame say."""
    known = scale if scale is not None else getattr(scored, "attrs", {}).get("scale")
    if known is None:
        raise InputError(
            "scale: the table does not say which scores are best. Give the frame that rfm.score returned, or "
            'scale={"r": (worst, best), "f": (worst, best), "m": (worst, best)}.'
        )
    missing = [name for name in MEASURES if name not in scored.columns]
    if missing:
        raise InputError(f"scored table: it has no column {missing[0]!r}; expected r, f and m from rfm.score.")
    return {name: (int(known[name][0]), int(known[name][1])) for name in MEASURES}


def _bands_of(
    measures: Any,
    scheme: str,
    bands: Bands | None,
    bins: int,
    one_time_apart: bool,
    unit: float | None,
    direction: str,
) -> Bands:
    if scheme not in SCHEMES:
        raise InputError(f"scheme: {scheme!r} is not known; expected one of {', '.join(SCHEMES)}.")
    if direction not in DIRECTIONS:
        raise InputError(f"direction: {direction!r} is not known; expected 'published' or 'upwards'.")
    if (bands is None) == (scheme == "bands"):
        raise InputError("bands: give bands with scheme='bands', and only with it.")
    if scheme == "quantile":
        return _quantile_bands(measures, bins, one_time_apart)
    chosen = bands or course_rubric()
    if unit is not None:
        chosen = chosen.with_unit(unit)
    return chosen.upwards() if direction == "upwards" else chosen


def _scores(table: ibis.Table, bands: Bands) -> dict[str, Any]:
    scores = {name: scale.score(table[MEASURES[name][0]]) for name, scale in bands.scales.items()}
    texts = {name: value.cast("string") for name, value in scores.items()}
    code = ibis.literal("R") + texts["r"] + "F" + texts["f"] + "M" + texts["m"]
    return {**scores, "code": code}


def _codes(scores: Mapping[str, np.ndarray]) -> Any:
    """R1F4M2 and so on: each code is written once, however many customers have it."""
    import pandas as pd

    known = pd.array([f"R{n // 100}F{n // 10 % 10}M{n % 10}" for n in range(1000)], dtype="str")
    return known.take(100 * scores["r"] + 10 * scores["f"] + scores["m"])


def _quantile_bands(measures: Any, bins: int, one_time_apart: bool) -> Bands:
    if bins not in _BINS:
        raise InputError(f"bins: {bins!r}; expected a whole number from {_BINS[0]} to {_BINS[-1]}.")
    limits = _limits(measures, bins, one_time_apart)
    scores = tuple(range(1, bins + 1))
    r, f, m = (
        Scale(
            (-math.inf, *limits[name]),
            (*limits[name], math.inf),
            scores[::-1] if name == "r" else scores,
            unit,
            whole=name != "m",
            limits=True,
        )
        for name, (_, unit) in MEASURES.items()
    )
    return Bands(f"{bins} quantile bands", r, f, m)


def _limits(table: Any, bins: int, one_time_apart: bool) -> dict[str, list[float]]:
    """Upper limits of the bands of every measure; recency is turned round, so that ahead means more recent."""
    recent = _inverse_distribution(-table["recency_days"], bins)
    often = table["frequency"]
    if one_time_apart:
        others = often[often > 1] if not isinstance(table, ibis.Table) else table.filter(often > 1).frequency
        often_limits = [1.0, *_inverse_distribution(others, bins - 1)]
    else:
        often_limits = _inverse_distribution(often, bins)
    return {
        # −days above −q is days below q: the band of the better score ends a day earlier.
        "r": [-limit - 1 for limit in reversed(recent)],
        "f": often_limits,
        "m": _inverse_distribution(table["monetary"], bins),
    }


def _inverse_distribution(values: Any, bins: int) -> list[float]:
    """The smallest value that k/bins of the rows or more do not exceed, for k = 1 … bins − 1; of a Series or column."""
    if isinstance(values, ibis.Column):
        return _inverse_distribution_of_column(values, bins)
    # Of no rows at all, as when nobody bought twice, everything is ahead.
    places = [-(-k * len(values) // bins) - 1 for k in range(1, bins)] if len(values) else []
    return [float(value) for value in np.partition(values.to_numpy(), places)[places]] or [1.0] * (bins - 1)


def _inverse_distribution_of_column(column: ibis.Column, bins: int) -> list[float]:
    values = column.name("value").as_table()
    counts = values.group_by("value").agg(n=values.count())
    below = counts.mutate(up_to=counts.n.sum().over(order_by=counts.value, rows=(None, 0)), rows=counts.n.sum().over())
    limits = {f"q{k}": below.value.min(where=below.up_to * bins >= below.rows * k) for k in range(1, bins)}
    found = engines.row(below.agg(**limits))
    return [float(value) if value is not None and value == value else 1.0 for value in found.values()]


def _require_columns(table: Any) -> None:
    missing = [column for column, _ in MEASURES.values() if column not in table.columns]
    if missing:
        raise InputError(
            f"table: it has no column {missing[0]!r}; its columns are {', '.join(map(str, table.columns))}. "
            "Expected recency_days, frequency and monetary, as rfm.table gives them."
        )


def _measures(table: Any) -> Any:
    """The three measures of a frame as numbers, all of them possible; an Ibis table as it is."""
    import pandas as pd

    _require_columns(table)
    if isinstance(table, ibis.Table):
        return table
    if table.empty:
        raise InputError("table: it has no customer.")
    lowest = {"recency_days": 0, "frequency": 1, "monetary": -math.inf}
    numbers = {column: pd.to_numeric(table[column], errors="coerce").to_numpy("float64") for column in lowest}
    measures = pd.DataFrame(numbers)
    for column, least in lowest.items():
        wrong = ~(measures[column] >= least) | measures[column].abs().eq(math.inf)
        if wrong.any():
            place = int(wrong.to_numpy().argmax())
            expected = f"a number of {least} or more" if least > -math.inf else "a number"
            raise InputError(
                f"table: {column} is {table[column].iloc[place]!r} in row {place + 1} ({int(wrong.sum())} such rows); "
                f"expected {expected}."
            )
    return measures


def _about_bands(bands: Bands, scheme: str, unit: float | None) -> list[str]:
    said = [] if scheme == "quantile" else bands.check().problems
    if scheme == "rubric" and unit is None:
        said.append("The rubric's money is taken in units of the data: unit=1. Give unit to choose another.")
    return said


def _about_scores(measures: pd.DataFrame, scores: Mapping[str, np.ndarray], bands: Bands) -> list[str]:
    said, n = [], len(measures)
    for name, scale in bands.scales.items():
        column = MEASURES[name][0]
        unplaced = int(scale.unplaced(measures[column].to_numpy()).sum())
        if unplaced:
            said.append(f"{unplaced:,} of {n:,} customers have a value of {column} that lies in no band as written.")
        counts = np.bincount(scores[name])
        unused = [str(score) for score in sorted(scale.scores) if score >= len(counts) or not counts[score]]
        if unused and n >= len(scale.scores):
            said.append(f"No customer has {name} = {' or '.join(unused)}: no value of {column} falls into that band.")
        crowded = int(counts.argmax())
        if counts[crowded] > _CROWDED * n and n > 1:
            said.append(f"{counts[crowded] / n:.0%} of the customers have {name} = {crowded}: it tells few apart.")
    return said
