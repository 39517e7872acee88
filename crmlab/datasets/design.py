"""The design of a simulated survey: a researcher's arguments checked and turned into arrays (chapter 9).

A ``Design`` holds the model (blocks of items, paths, segments) and how answers are given (means, sds, thresholds). The
course's own six constructs are the default; their items are those of ``course_csi.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crmlab.datasets import population as pop

Array = pop.Array
PerItem = float | Mapping[str, float] | None

# construct, item, loading (common factor) or source of the block's correlations (composite), mean and sd on 1–10
COURSE_ITEMS: tuple[tuple[str, str, float, float, float], ...] = (
    ("ExpectedQuality", "EQ1", 0.82, 7.7, 1.6),
    ("ExpectedQuality", "EQ2", 0.76, 7.5, 1.8),
    ("ExpectedQuality", "EQ3", 0.71, 7.3, 2.0),
    ("ExpectedQuality", "EQ4", 0.68, 6.8, 2.1),
    ("PerceivedQuality", "PQ1", 0.86, 7.9, 1.4),
    ("PerceivedQuality", "PQ2", 0.79, 7.4, 1.8),
    ("PerceivedQuality", "PQ3", 0.77, 7.6, 1.7),
    ("PerceivedQuality", "PQ4", 0.74, 7.8, 1.6),
    ("PerceivedQuality", "PQ5", 0.70, 7.2, 1.9),
    ("PerceivedQuality", "PQ6", 0.66, 7.0, 2.0),
    ("PerceivedQuality", "PQ7", 0.62, 6.4, 2.3),
    ("PerceivedValue", "PV1", 0.85, 6.4, 2.1),
    ("PerceivedValue", "PV2", 0.82, 6.8, 1.9),
    ("PerceivedValue", "PV3", 0.72, 6.6, 2.0),
    ("Satisfaction", "SA1", 0.87, 7.6, 1.5),
    ("Satisfaction", "SA2", 0.81, 7.1, 1.8),
    ("Satisfaction", "SA3", 0.84, 7.2, 1.8),
    ("Complaints", "CO1", 0.83, 6.7, 2.2),
    ("Complaints", "CO2", 0.78, 6.5, 2.3),
    ("Loyalty", "LO1", 0.86, 7.3, 2.1),
    ("Loyalty", "LO2", 0.80, 7.0, 2.3),
    ("Loyalty", "LO3", 0.73, 6.6, 2.4),
)

COURSE_PATHS: dict[tuple[str, str], float] = {
    ("ExpectedQuality", "PerceivedQuality"): 0.55,
    ("ExpectedQuality", "PerceivedValue"): 0.15,
    ("PerceivedQuality", "PerceivedValue"): 0.50,
    ("ExpectedQuality", "Satisfaction"): 0.15,
    ("PerceivedQuality", "Satisfaction"): 0.45,
    ("PerceivedValue", "Satisfaction"): 0.25,
    ("Satisfaction", "Complaints"): 0.50,
    ("Satisfaction", "Loyalty"): 0.50,
    ("Complaints", "Loyalty"): 0.20,
}


def design_survey(
    points: int | None,
    measurement: str,
    thresholds: str | Sequence[float],
    means: PerItem,
    sds: PerItem,
    loadings: Mapping[str, Mapping[str, float]] | None,
    paths: Mapping[tuple[str, str], float] | None,
    segments: Mapping[str, float] | None,
    shifts: Mapping[str, Mapping[str, float]] | None,
) -> Design:
    """Check the arguments of ``simulate_survey`` and turn them into a ``Design``.

    Raises
    ------
    ValueError
        Naming the argument, what was found, what was expected and what to do.

    Examples
    --------
    >>> design = design_survey(10, "factor", "skewed", None, None, None, None, None, None)
    >>> len(design.constructs), len(design.items), design.scale
    (6, 22, (1, 10))
    """
    if points is not None:
        check_whole("points", points, 2, "the number of scale points, or None for continuous answers")
    if measurement not in ("composite", "factor"):
        raise ValueError(f"measurement: {measurement!r} is unknown; choose 'composite' or 'factor'.")
    blocks = _course_loadings() if loadings is None else loadings
    _check_loadings(blocks)
    constructs = tuple(blocks)
    items = tuple(item for block in blocks.values() for item in block)
    paths = COURSE_PATHS if paths is None else paths
    coefficients = _coefficients(constructs, paths)
    mean, sd = _moments(blocks, points, means, sds)
    names, shares, shifted = _segments(constructs, segments or {}, shifts or {})
    design = Design(
        measurement=measurement,
        points=points,
        constructs=constructs,
        items=items,
        blocks=_blocks(blocks, measurement),
        paths=tuple(paths),
        coefficients=coefficients,
        correlations=pop.construct_correlations(coefficients, constructs),
        mean=mean,
        sd=sd,
        thresholds=_thresholds(thresholds, points, mean, sd, means is not None or sds is not None),
        segments=names,
        shares=shares,
        shifts=shifted,
    )
    _check_room_within_segments(design)
    return design


@dataclass(frozen=True, eq=False)
class Design:
    """Arguments turned into arrays: J constructs, K items, G segments."""

    measurement: str
    points: int | None
    constructs: tuple[str, ...]
    items: tuple[str, ...]
    blocks: tuple[pop.Block, ...]
    paths: tuple[tuple[str, str], ...]  # (from, to), in the order given
    coefficients: Array  # B, (J, J)
    correlations: Array  # P, (J, J)
    mean: Array  # of the answers before rounding, (K,)
    sd: Array
    thresholds: Array  # (K, points − 1), no columns for continuous answers
    segments: np.ndarray  # names, (G,)
    shares: Array  # (G,)
    shifts: Array  # centred, (G, J)

    @cached_property
    def effects(self) -> Array:
        """(I − B)⁻¹: what one unit of disturbance in a column's construct does to a row's construct."""
        return np.asarray(np.linalg.inv(np.eye(len(self.constructs)) - self.coefficients), dtype=np.float64)

    @cached_property
    def r_squared(self) -> Array:
        """b_j' P b_j, the share of each construct's variance that its predecessors explain, (J,)."""
        return np.diag(self.coefficients @ self.correlations @ self.coefficients.T)

    @cached_property
    def disturbances(self) -> Array:
        """Covariance of the disturbances within segments, (J, J): Ψ = diag(1 − R²) minus what segments differ by."""
        return np.diag(1 - self.r_squared) - (self.shifts * self.shares[:, None]).T @ self.shifts

    @cached_property
    def segment_means(self) -> Array:
        """Construct means per segment, (G, J)."""
        return self.shifts @ self.effects.T

    @cached_property
    def item_covariance(self) -> Array:
        """Covariance of the standardised items within segments, (K, K)."""
        return pop.survey_covariance(self.blocks, self.effects @ self.disturbances @ self.effects.T)

    @cached_property
    def item_means(self) -> Array:
        """Means of the standardised items per segment, (G, K)."""
        return self.segment_means @ pop.loading_matrix(self.blocks).T

    @property
    def scale(self) -> tuple[int, int]:
        """Lowest and highest answer."""
        return 1, 10 if self.points is None else self.points

    @property
    def owner(self) -> list[str]:
        """The construct of every item, (K,)."""
        return [name for name, block in zip(self.constructs, self.blocks, strict=True) for _ in block.loadings]

    @cached_property
    def columns(self) -> list[slice]:
        """Where the items of each block stand among all items, (J,)."""
        ends = np.cumsum([len(block.loadings) for block in self.blocks]).tolist()
        return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _course_loadings() -> dict[str, dict[str, float]]:
    result: dict[str, dict[str, float]] = {}
    for construct, item, loading, _, _ in COURSE_ITEMS:
        result.setdefault(construct, {})[item] = loading
    return result


def _blocks(loadings: Mapping[str, Mapping[str, float]], measurement: str) -> tuple[pop.Block, ...]:
    factors = [pop.factor_block(list(block.values())) for block in loadings.values()]
    if measurement == "factor":
        return tuple(factors)
    return tuple(pop.composite_block(factor.correlations) for factor in factors)


def _check_loadings(loadings: Mapping[str, Mapping[str, float]]) -> None:
    items = [item for block in loadings.values() for item in block]
    if not items or not all(loadings.values()) or len(items) != len(set(items)):
        raise ValueError(
            "loadings: every construct needs at least one item, and every item belongs to one construct only."
        )
    for construct, block in loadings.items():
        for item, value in block.items():
            if not 0 < value < 1 and not (value == 1 and len(block) == 1):
                raise ValueError(
                    f"loadings: {item} of {construct} has {value:g}; expected a number above 0 and below 1 (1 is "
                    "possible for the only item of a construct). Code items so that higher is better."
                )


def _coefficients(constructs: Sequence[str], paths: Mapping[tuple[str, str], float]) -> Array:
    position = {name: j for j, name in enumerate(constructs)}
    coefficients = np.zeros((len(constructs), len(constructs)))
    for (cause, effect), value in paths.items():
        for name in (cause, effect):
            if name not in position:
                raise ValueError(f"paths: {cause} → {effect} names {name}; the constructs are {', '.join(constructs)}.")
        if not np.isfinite(value):
            raise ValueError(f"paths: {cause} → {effect} is {value}; expected a number.")
        coefficients[position[effect], position[cause]] = value
    return coefficients


def _moments(
    loadings: Mapping[str, Mapping[str, float]], points: int | None, means: PerItem, sds: PerItem
) -> tuple[Array, Array]:
    """Means and sds per item; the defaults are stretched from 1–10 to 1 … points."""
    top = 10 if points is None else points
    stretch = (top - 1) / 9
    course = {item: (mean, sd) for _, item, _, mean, sd in COURSE_ITEMS}
    known = np.array([course.get(item, (7.2, 1.9)) for block in loadings.values() for item in block])
    mean = _per_item("means", means, 1 + (known[:, 0] - 1) * stretch, loadings)
    sd = _per_item("sds", sds, known[:, 1] * stretch / (5 if points is None else 1), loadings)
    if not (np.all(mean > 1) and np.all(mean < top)):
        raise ValueError(
            f"means: found {mean.min():g} to {mean.max():g}; expected means between 1 and {top}, the scale."
        )
    if not (np.all(sd > 0) and np.all(np.isfinite(sd))):
        raise ValueError(f"sds: found {sd.min():g}; expected numbers above 0.")
    return mean, sd


def _per_item(name: str, given: PerItem, default: Array, loadings: Mapping[str, Mapping[str, float]]) -> Array:
    pairs = [(construct, item) for construct, block in loadings.items() for item in block]
    if given is None:
        return default
    if not isinstance(given, Mapping):
        return np.full(len(pairs), float(given))
    unknown = set(given) - {part for pair in pairs for part in pair}
    if unknown:
        raise ValueError(f"{name}: {', '.join(sorted(unknown))} is neither a construct nor an item of this survey.")
    return np.array(
        [given.get(item, given.get(construct, d)) for (construct, item), d in zip(pairs, default, strict=True)]
    )


def _thresholds(kind: str | Sequence[float], points: int | None, mean: Array, sd: Array, moments_given: bool) -> Array:
    rules = {"even": pop.even_thresholds, "skewed": pop.skewed_thresholds}
    if isinstance(kind, str):
        if kind not in rules:
            raise ValueError(f"thresholds: {kind!r} is unknown; choose 'skewed', 'even' or give the cuts as numbers.")
        if points is None:
            return np.empty((len(mean), 0))
        return np.array([rules[kind](m, s, points) for m, s in zip(mean, sd, strict=True)])
    cuts = np.asarray(kind, dtype=float)
    if points is None or cuts.shape != (points - 1,) or not np.all(np.diff(cuts) > 0) or not np.all(np.isfinite(cuts)):
        expected = "none, since answers are continuous" if points is None else f"{points - 1} ascending numbers"
        raise ValueError(f"thresholds: found {cuts.tolist()}; with points={points} expected {expected}.")
    if moments_given:
        raise ValueError(
            "thresholds: cuts given as numbers fix the distribution of the answers; leave out means and sds."
        )
    return np.tile(cuts, (len(mean), 1))


def _segments(
    constructs: Sequence[str], segments: Mapping[str, float], shifts: Mapping[str, Mapping[str, float]]
) -> tuple[np.ndarray, Array, Array]:
    names = list(segments) or [""]
    shares = np.array([segments[name] for name in segments] or [1.0], dtype=float)
    if not (np.all(shares > 0) and abs(shares.sum() - 1) < 1e-6):
        raise ValueError(f"segments: shares are {shares.tolist()} (sum {shares.sum():g}); expected positive, sum 1.")
    shifted = np.zeros((len(names), len(constructs)))
    for segment, moves in shifts.items():
        for construct, value in moves.items():
            if segment not in segments or construct not in constructs:
                raise ValueError(
                    f"shifts: {segment} / {construct} is unknown; segments are {', '.join(segments) or 'none'}, "
                    f"constructs {', '.join(constructs)}."
                )
            shifted[names.index(segment), constructs.index(construct)] = value
    return np.array(names), shares / shares.sum(), shifted - shares @ shifted / shares.sum()


def _check_room_within_segments(design: Design) -> None:
    if np.linalg.eigvalsh(design.disturbances)[0] <= 1e-10:
        raise ValueError(
            "shifts: segments differ by more than the constructs' disturbances vary, so that no variance is left "
            "within segments. Make the shifts smaller."
        )


def check_whole(name: str, value: object, least: int, meaning: str) -> None:
    """Raise a ValueError unless the argument ``name`` is a whole number of at least ``least``.

    Examples
    --------
    >>> check_whole("n", 2.5, 2, "the number of respondents")
    Traceback (most recent call last):
    ValueError: n: found 2.5; expected a whole number of 2 or more, the number of respondents.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name}: found {value!r}; expected a whole number of {least} or more, {meaning}.")
