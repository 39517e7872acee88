"""Bands: which values of a measure get which score, as a table that can be read, checked and applied (course row B3).

A value belongs to the first band whose upper end it does not exceed; what lies between two bands goes to the upper
one, and what lies below the first to the first. So bands are complete by construction, and :meth:`Bands.check` says
where a published table left that open.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError
from crmlab.rules.reading import read_yaml

if TYPE_CHECKING:
    import pandas as pd

#: The measures by their letter: the column of the table of measures, and the unit that column is in.
MEASURES = {"r": ("recency_days", "day"), "f": ("frequency", "order"), "m": ("monetary", "unit of money")}
#: Days in a month: the mean of the Gregorian calendar, 365.25 / 12.
MONTH = 30.4375
#: Sizes of units a bands file may name, in the unit of the column, and whether only whole ones are counted.
UNITS = {"day": (1.0, True), "month": (MONTH, True), "order": (1.0, True), None: (1.0, False)}

_BAND = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:[-–]\s*(\d+(?:\.\d+)?)|\+)\s*")


@dataclass(frozen=True)
class Scale:
    """The bands of one measure, from its lowest values to its highest.

    Attributes
    ----------
    starts, ends : lower and upper end of each band; the last end is infinite, the first start may be.
    scores : the score of each band: 1, 2, 3 …, or the same downwards.
    unit : name of the unit of the ends; None if it was not stated.
    size : how much of the column one unit is: 30.4375 for months of a column in days.
    whole : units are counted as they begin: day 0 to 30 is month 1, and no value lies between 3 and 4.
    limits : only upper limits were given, so that a band begins where the one below has ended.
    """

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    scores: tuple[int, ...]
    unit: str | None = None
    size: float = 1.0
    whole: bool = False
    limits: bool = False

    def score(self, column: Any) -> Any:
        """The score of every value of an Ibis column."""
        value, step = self._in_units(column), 1 if self.scores[0] <= self.scores[-1] else -1
        # Counted rather than chosen by cases: Spark would take a chosen 1 for a number of 32 bits.
        passed: Any = sum((value > end).cast("int64") for end in self.ends[:-1])
        return self.scores[0] + step * passed

    def score_array(self, values: np.ndarray) -> np.ndarray:
        """The score of every value of an array, as :meth:`score`."""
        places = np.searchsorted(self.ends[:-1], self._in_units(values), side="left")
        return np.array(self.scores, dtype="int64")[places]

    def unplaced(self, values: np.ndarray) -> np.ndarray:
        """Whether each value of an array lies in no band as written."""
        value = self._in_units(values)
        outside = value < self.starts[0]
        for end, start in zip(self.ends[:-1], self.starts[1:], strict=True):
            outside |= (value > end) & (value < start)
        return outside

    def _in_units(self, values: Any) -> Any:
        """Values in units of the ends, whether they stand in a column or in an array."""
        value = values / self.size if self.size != 1 else values
        # Months are counted as they begin; days and orders are whole already.
        return value // 1 + 1 if self.unit == "month" else value

    @property
    def worst_best(self) -> tuple[int, int]:
        """Score of the customers worst and best placed: recency is best where it is small."""
        return (self.scores[-1], self.scores[0]) if self.is_recency else (self.scores[0], self.scores[-1])

    @property
    def is_recency(self) -> bool:
        """Whether small values are good: only time since the last order is."""
        return self.unit in ("day", "month")

    def upwards(self) -> Scale:
        """The same bands with scores of which the highest is best."""
        worst, best = self.worst_best
        return self if best >= worst else replace(self, scores=tuple(worst + best - score for score in self.scores))

    def band(self, place: int) -> str:
        """A band as it is written: "4–6", "13+"; with limits "up to 30", "over 30 to 90", "over 90"."""
        start, end = self.starts[place], self.ends[place]
        if not self.limits:
            return f"{start:g}–{end:g}" if math.isfinite(end) else f"{start:g}+"
        over = f"over {start:g}" if math.isfinite(start) else ""
        upto = f"up to {end:g}" if math.isfinite(end) else ""
        return f"{over} {upto.removeprefix('up ')}" if over and upto else over or upto or "all"


@dataclass(frozen=True)
class Bands:
    """Bands of recency, frequency and monetary value, and what a publication says some codes mean.

    Attributes
    ----------
    name : what messages call them.
    r, f, m : the scale of each measure.
    examples : (code, {"r": (from, to), ...}) as published, for :meth:`check`.

    Examples
    --------
    >>> course_rubric().table[["measure", "band", "score"]].head(4)
      measure  band  score
    0       r   1–3      1
    1       r   4–6      2
    2       r  7–12      3
    3       r   13+      4
    """

    name: str
    r: Scale
    f: Scale
    m: Scale
    examples: tuple[tuple[str, Mapping[str, tuple[float, float]]], ...] = ()

    @staticmethod
    def read(path: str | Path) -> Bands:
        """Bands from a YAML file of the form of the shipped ``rubric.yaml``.

        Raises
        ------
        InputError
            If the file cannot be read or a band is no band.
        """
        content = read_yaml(Path(path))
        if not set(MEASURES) <= content.keys():
            raise InputError(f"bands: {path} must have the keys r, f and m, each with its bands, such as [1-3, 4+].")
        return _from_yaml(content, Path(path).name)

    @staticmethod
    def from_limits(
        recency_days: Sequence[float], frequency: Sequence[float], monetary: Sequence[float], name: str = "custom bands"
    ) -> Bands:
        """Bands from their upper limits, which belong to the band; the highest score is best for all three.

        Parameters
        ----------
        recency_days, frequency, monetary
            Rising limits: n of them make n + 1 bands. The last band has no upper limit.

        Raises
        ------
        InputError
            If limits do not rise.

        Examples
        --------
        >>> bands = Bands.from_limits(recency_days=[30, 90], frequency=[1, 4], monetary=[50, 200])
        >>> bands.table.query("measure == 'r'")[["band", "score"]]
                    band  score
        0       up to 30      3
        1  over 30 to 90      2
        2        over 90      1
        """
        given = {"r": recency_days, "f": frequency, "m": monetary}
        for measure, limits in given.items():
            if any(not lower < upper for lower, upper in pairwise(limits)) or not all(map(math.isfinite, limits)):
                raise InputError(
                    f"bands: the limits of {MEASURES[measure][0]} are {list(limits)}; expected rising numbers."
                )
        r, f, m = (_scale_of_limits(measure, limits) for measure, limits in given.items())
        return Bands(name, r, f, m)

    @property
    def scales(self) -> dict[str, Scale]:
        """The scale of each measure by its letter."""
        return {"r": self.r, "f": self.f, "m": self.m}

    @property
    def scale(self) -> dict[str, tuple[int, int]]:
        """Worst and best score of each measure by its letter."""
        return {measure: scale.worst_best for measure, scale in self.scales.items()}

    @property
    def table(self) -> pd.DataFrame:
        """One row per band: measure, band, from, to, score, unit."""
        import pandas as pd

        rows = [
            (measure, scale.band(place), scale.starts[place], scale.ends[place], scale.scores[place], scale.unit)
            for measure, scale in self.scales.items()
            for place in range(len(scale.ends))
        ]
        return pd.DataFrame(rows, columns=["measure", "band", "from", "to", "score", "unit"])

    def upwards(self) -> Bands:
        """The same bands with the highest score best for all three measures."""
        return replace(self, r=self.r.upwards(), f=self.f.upwards(), m=self.m.upwards())

    def with_unit(self, money: float) -> Bands:
        """The same bands, one unit of their monetary scale being so much money."""
        if not (money > 0 and math.isfinite(money)):
            raise InputError(f"unit: {money} is no amount of money; expected a number above 0.")
        return replace(self, m=replace(self.m, size=float(money), unit=f"{money:g} units of money"))

    def check(self) -> BandsCheck:
        """What the table leaves open, says twice, or says otherwise in its examples."""
        import pandas as pd

        gaps, overlaps = [], []
        for measure, scale in self.scales.items():
            if math.isfinite(scale.starts[0]):
                gaps.append((measure, -math.inf, scale.starts[0], 0.0, measure == "m"))
            for end, start in zip(scale.ends[:-1], scale.starts[1:], strict=True):
                if start > end:
                    gaps.append((measure, end, start, (end + start) / 2, not scale.whole))
                elif not scale.limits:
                    overlaps.append((measure, start, end, (end + start) / 2))
        return BandsCheck(
            self.name,
            gaps=pd.DataFrame(gaps, columns=["measure", "above", "below", "example", "reached"]),
            overlaps=pd.DataFrame(overlaps, columns=["measure", "from", "to", "example"]),
            contradictions=pd.DataFrame(
                [row for code, meaning in self.examples for row in self._contradictions(code, meaning)],
                columns=["code", "measure", "score", "band_of_score", "meant", "right_score", "reads"],
            ),
            unstated=tuple(measure for measure, scale in self.scales.items() if scale.unit is None),
        )

    def _contradictions(self, code: str, meaning: Mapping[str, tuple[float, float]]) -> list[tuple[Any, ...]]:
        written = {letter.lower(): int(score) for letter, score in re.findall(r"([RFM])(\d+)", code)}
        right = {measure: self._score_of(measure, band) for measure, band in meaning.items()}
        reads = "".join(f"{measure.upper()}{right.get(measure, '?')}" for measure in MEASURES)
        found = []
        for measure, score in written.items():
            if right[measure] != score:
                scale = self.scales[measure]
                of_score = scale.band(scale.scores.index(score)) if score in scale.scores else "no band"
                start, end = meaning[measure]
                meant = replace(scale, starts=(start,), ends=(end,)).band(0)
                found.append((code, measure, score, of_score, meant, right[measure], reads))
        return found

    def _score_of(self, measure: str, band: tuple[float, float]) -> int | None:
        scale = self.scales[measure]
        places = [*zip(scale.starts, scale.ends, strict=True)]
        return scale.scores[places.index(band)] if band in places else None


@dataclass(frozen=True, eq=False)
class BandsCheck:
    """What a careful reader finds in a table of bands.

    Attributes
    ----------
    gaps : DataFrame measure, above, below, example, reached (whether a customer can have such a value).
    overlaps : DataFrame measure, from, to, example.
    contradictions : DataFrame code, measure, score, band_of_score, meant, right_score, reads: an example that means
        another band than its score.
    unstated : letters of the measures whose unit the table does not state.
    problems : the same in sentences.

    Examples
    --------
    >>> check = course_rubric().check()
    >>> check.contradictions[["code", "measure", "score", "right_score", "reads"]]
         code measure  score  right_score   reads
    0  R4F3M2       r      4            2  R2F2M2
    1  R4F3M2       f      3            2  R2F2M2
    >>> check.unstated
    ('m',)
    """

    name: str
    gaps: pd.DataFrame
    overlaps: pd.DataFrame
    contradictions: pd.DataFrame
    unstated: tuple[str, ...]

    @property
    def problems(self) -> list[str]:
        said = [self._about_code(code, rows) for code, rows in self.contradictions.groupby("code", sort=False)]
        said += [
            f"{_NAMES[row['measure']].capitalize()}: {row['example']:g} lies in two bands, which overlap from "
            f"{row['from']:g} to {row['to']:g}."
            for row in self.overlaps.to_dict("records")
        ]
        for measure, gaps in self.gaps[self.gaps["reached"].astype(bool)].groupby("measure", sort=False):
            examples = ", ".join(f"{example:g}" for example in gaps["example"])
            said.append(
                f"{_NAMES[measure].capitalize()}: no band holds {examples}. Here a value between two bands goes to the "
                "upper one, and one below all bands to the lowest."
            )
        said += [f"{_NAMES[m].capitalize()}: the unit is not stated. Say what 1 stands for." for m in self.unstated]
        return said

    def _about_code(self, code: Any, rows: pd.DataFrame) -> str:
        parts = [
            f"{row['measure'].upper()}{row['score']} is {row['band_of_score']}, not {row['meant']}"
            for row in rows.to_dict("records")
        ]
        return f"The example {code} contradicts the bands: {', '.join(parts)}. It must read {rows['reads'].iloc[0]}."

    def _repr_html_(self) -> str:
        import html

        said = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems) or "<li>Nothing found.</li>"
        return f"<p><b>{html.escape(self.name)}</b></p><ul>{said}</ul>"


_NAMES: Mapping[Any, str] = {"r": "recency", "f": "frequency", "m": "monetary"}


@cache
def course_rubric() -> Bands:
    """The rubric of the course, exactly as published.

    Examples
    --------
    >>> print(course_rubric().check().problems[0])
    The example R4F3M2 contradicts the bands: R4 is 13+, not 4–6, F3 is 6–10, not 3–5. It must read R2F2M2.
    """
    return Bands.read(Path(__file__).with_name("rubric.yaml"))


def _from_yaml(content: Mapping[str, Any], file: str) -> Bands:
    name = content.get("name", file)
    examples = tuple(
        (str(entry["code"]), {measure: _band(entry[measure], file) for measure in MEASURES})
        for entry in content.get("examples", ())
    )
    r, f, m = (_scale(measure, content[measure], file) for measure in MEASURES)
    return Bands(name["en"] if isinstance(name, dict) else str(name), r, f, m, examples)


def _scale(measure: str, entry: Mapping[str, Any], file: str) -> Scale:
    starts, ends = zip(*(_band(text, file) for text in entry["bands"]), strict=True)
    unit = entry.get("unit")
    if unit not in UNITS:
        raise InputError(f"bands: {file}, {measure}: unit {unit!r} is not known; expected day, month or order.")
    size, whole = UNITS[unit]
    scores = tuple(range(1, len(ends) + 1))
    scale = Scale(starts, (*ends[:-1], math.inf), scores, unit, size, whole)
    if ends[-1] != math.inf or list(ends) != sorted(ends):
        raise InputError(f"bands: {file}, {measure}: bands must rise, and the last be open, such as 13+.")
    return scale


def _band(text: Any, file: str) -> tuple[float, float]:
    found = _BAND.fullmatch(str(text))
    if not found:
        raise InputError(f"bands: {file}: {text!r} is no band; expected a text such as 4-6 or 13+.")
    return float(found[1]), float(found[2] or "inf")


def _scale_of_limits(measure: str, limits: Sequence[float]) -> Scale:
    ends = (*map(float, limits), math.inf)
    scores = range(1, len(ends) + 1)
    unit = MEASURES[measure][1]
    starts = (-math.inf, *ends[:-1])
    return Scale(
        starts, ends, tuple(reversed(scores) if measure == "r" else scores), unit, whole=measure != "m", limits=True
    )
