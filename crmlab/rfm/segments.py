"""Segments and tiers: which customers to treat alike, by a table of rules that is complete and disjoint (row B10).

A rule reads "r high, f middle high, m any": levels, so that the same table serves four scores of the rubric and five of
the quantiles, or scores such as "4-5". On a scale of scores the rules are a decision table, which `crmlab.rules` proves
over every combination of scores there is and applies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis

from crmlab.errors import InputError
from crmlab.rfm.bands import MEASURES
from crmlab.rfm.scoring import scale_of
from crmlab.rules import TIERS, DecisionTable, tiers
from crmlab.rules.reading import read_yaml

if TYPE_CHECKING:
    import pandas as pd

#: Levels of a score by where it stands between worst (0) and best (1).
LEVELS = {"low": (0.0, 0.3), "middle": (0.3, 0.7), "high": (0.7, 1.0)}
#: Most faults of a table of rules that an error tells.
MOST_FAULTS = 3

Scales = Mapping[str, Sequence[int]]


@dataclass(frozen=True, eq=False)
class Segments:
    """A table of rules, and what is said about each segment.

    Attributes
    ----------
    rules : DataFrame segment, r, f, m
        A cell names levels ("low", "middle high", "any") or scores ("4", "4-5", "1 3"). A segment may have several
        rules.
    about : DataFrame, index segment: zh (its Chinese name), what_en, what_zh, action_en, action_zh; empty where nothing
        is known.

    Examples
    --------
    >>> Segments.default().names[:3]
    ['Champions', 'Loyal', 'Growing']
    >>> Segments.default().check({"r": (1, 5), "f": (1, 5), "m": (1, 5)})
    []
    """

    rules: pd.DataFrame
    about: pd.DataFrame

    @staticmethod
    def default() -> Segments:
        """The segments shipped with crmlab: nine, by recency, frequency and money."""
        return _default()

    @staticmethod
    def of(segments: str | Path | pd.DataFrame | Segments) -> Segments:
        """Segments from "default", a YAML file of the form of the shipped one, or a frame of rules.

        Raises
        ------
        InputError
            If the file cannot be read, or columns are missing.
        """
        if isinstance(segments, Segments):
            return segments
        if isinstance(segments, (str, Path)):
            return Segments.default() if str(segments) == "default" else _read(Path(segments))
        return _from_rules(segments, {}, "rules")

    @property
    def names(self) -> list[str]:
        """Names of the segments, in the order of the rules."""
        return list(dict.fromkeys(self.rules["segment"]))

    def check(self, scale: Scales) -> list[str]:
        """Whether every combination of scores falls into exactly one segment; a counter-example for each fault.

        Parameters
        ----------
        scale : mapping of r, f and m to (worst, best) score
            As `Bands.scale`, or `attrs["scale"]` of a scored frame.

        Returns
        -------
        list of str : sentences; empty if the rules are complete and disjoint.
        """
        table = self.table(scale)
        found, said = table.check(), []
        if not found.complete:
            none = f"{'More than ' if found.more_gaps else ''}{found.gaps['combinations'].sum()}"
            example = _code(found.gaps.iloc[0])
            said.append(f"{none} of {found.combinations} codes belong to no segment, such as {example}.")
        for row in found.overlaps.to_dict("records"):
            if not row["same_outcome"]:
                both = table.rules.loc[[row["first"], row["second"]], "segment"]
                said.append(f"{' and '.join(both)} both take {row['combinations']} codes, such as {_code(row)}.")
        return said

    def table(self, scale: Scales) -> DecisionTable:
        """The rules as a decision table over the scores of a scale; rules that none of its scores meets are left out.

        Examples
        --------
        >>> Segments.default().table({"r": (1, 4), "f": (1, 4), "m": (1, 4)}).rules.head(2)
             r  f    m    segment
        rule
        1    4  4    4  Champions
        2    4  4  1|2|3      Loyal
        """
        rules = [
            {name: "|".join(map(str, _scores(rule[name], scale[name]))) for name in MEASURES}
            | {"segment": str(rule["segment"])}
            for rule in self.rules.to_dict("records")
        ]
        every = {name: {"type": "category", "values": [*map(str, _every(scale[name]))]} for name in MEASURES}
        met = [rule for rule in rules if all(rule.values())]
        return DecisionTable(met, inputs=every, outcome="segment", hit="first", name="segments")


def segment(
    scored: Any, segments: str | Path | pd.DataFrame | Segments = "default", *, scale: Scales | None = None
) -> Any:
    """The segment of every scored customer.

    Parameters
    ----------
    scored : DataFrame or Ibis table
        From :func:`crmlab.rfm.score`.
    segments : "default", path of a YAML file, DataFrame of rules, or Segments
        See :class:`Segments`.
    scale : mapping of r, f and m to (worst, best) score
        Needed for an Ibis table only, as `Bands.scale`; a frame has it in its `attrs`.

    Returns
    -------
    The table with the column segment.

    Raises
    ------
    InputError
        If the rules leave a combination of scores out or give it twice; the message names one.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.rfm import score
    >>> customers = pd.DataFrame({"recency_days": [5, 500], "frequency": [12, 1], "monetary": [30.0, 4.0]})
    >>> segment(score(customers))["segment"].tolist()
    ['Champions', 'Lost']
    """
    ends = scale_of(scored, scale)
    rules = Segments.of(segments)
    if faults := rules.check(ends):
        told = " ".join(faults[:MOST_FAULTS])
        raise InputError(f"segments: {told} Change the rules so that each code has one segment.")
    table = rules.table(ends)
    if isinstance(scored, ibis.Table):
        return scored.mutate(segment=ibis.cases(*_cases(scored, table)))
    found = scored.assign(segment=table.grade(scored).astype("str"))
    found.attrs = {**scored.attrs, "segments": rules.names}
    return found


def _cases(scored: ibis.Table, table: DecisionTable) -> list[tuple[ibis.Column, str]]:
    """Each rule as a condition on columns of scores, and its segment."""
    return [
        (ibis.and_(*(scored[name].isin([int(score) for score in condition.values])
                     for name, condition in zip(MEASURES, rule.conditions, strict=True))), rule.outcome["segment"])
        for rule in table.design.rules
    ]  # fmt: skip


def tier(
    weighed: pd.DataFrame,
    *,
    shares: Mapping[str, float] | None = None,
    scores: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Tiers such as gold, silver, regular and potential, by share of the customers or by score (course row B10).

    Parameters
    ----------
    weighed : DataFrame with the column rfm_score, from :func:`crmlab.rfm.weigh`.
    shares : mapping of tier to the share of the customers it is meant for, best first; sums to 1
        Default gold 5 %, silver 15 %, regular 50 %, potential 30 %. Customers of one score stay together in the tier
        that the first of them reaches, so a tier can be larger than meant.
    scores : mapping of tier to the lowest rfm_score that reaches it, best first; the last tier takes all the rest
        Instead of shares.

    Returns
    -------
    DataFrame with the column tier; `attrs["problems"]` says where a tier is much larger than meant, or empty.

    Raises
    ------
    InputError
        For both or impossible shares and scores, or without the column rfm_score.

    Examples
    --------
    >>> import pandas as pd
    >>> weighed = pd.DataFrame({"rfm_score": [90.0, 40.0, 70.0, 10.0]})
    >>> tier(weighed, scores={"gold": 80, "silver": 60, "regular": 30, "potential": 0})["tier"].tolist()
    ['gold', 'regular', 'silver', 'potential']
    """
    if "rfm_score" not in weighed.columns:
        raise InputError("tier: the table has no column rfm_score; compute it with rfm.weigh(scored).")
    table = tiers(weighed["rfm_score"], shares=shares, scores=scores)
    found = weighed.assign(tier=table.grade(weighed).astype("str"))
    found.attrs = {**weighed.attrs, "problems": [*weighed.attrs.get("problems", [])]}
    if scores is None:
        found.attrs["problems"] += _about_sizes(found["tier"], TIERS if shares is None else shares)
    return found


def _about_sizes(found: pd.Series, shares: Mapping[str, float]) -> list[str]:
    sizes = found.value_counts(normalize=True)
    return [
        f"Tier {name} was meant for {share:.0%} of the customers and has {sizes.get(name, 0.0):.0%}: customers with "
        "the same score stay together."
        for name, share in shares.items()
        if abs(sizes.get(name, 0.0) - share) > max(0.5 * share, 1 / len(found))
    ]


def _every(ends: Sequence[int]) -> range:
    """Every score of a scale, from its lowest to its highest."""
    return range(min(ends), max(ends) + 1)


def _scores(cell: Any, ends: Sequence[int]) -> list[int]:
    """The scores that a cell of a rule takes, on a scale from worst to best."""
    words = re.split(r"[\s,]+", str(cell).strip().lower())
    taken = {score for score in _every(ends) for word in words if _takes(word, score, ends)}
    return sorted(taken)


def _takes(word: str, score: int, ends: Sequence[int]) -> bool:
    worst, best = ends
    if word == "any":
        return True
    if word in LEVELS:
        place = (score - worst) / (best - worst) if best != worst else 0.5
        lower, upper = LEVELS[word]
        return lower <= place <= upper if word == "middle" else place < upper if word == "low" else place > lower
    found = re.fullmatch(r"(\d+)(?:[-–](\d+))?", word)
    if not found:
        raise InputError(
            f"segments: {word!r} is no level and no score; expected low, middle, high, any, or scores such as 4-5."
        )
    return int(found[1]) <= score <= int(found[2] or found[1])


def _code(scores: Any) -> str:
    return "".join(f"{name.upper()}{scores[name]}" for name in MEASURES)


@cache
def _default() -> Segments:
    return _read(Path(__file__).with_name("segments.yaml"))


def _read(path: Path) -> Segments:
    import pandas as pd

    if not path.is_file():
        raise InputError(f'segments: there is no file {path}; give "default", or a YAML file of rules.')
    content = read_yaml(path)
    if not isinstance(content.get("rules"), list):
        raise InputError(f"segments: {path} has no list of rules; expected rules with segment, r, f and m.")
    return _from_rules(pd.DataFrame(content["rules"]), content.get("segments") or {}, path.name)


def _from_rules(rules: pd.DataFrame, about: Mapping[str, Any], source: str) -> Segments:
    import pandas as pd

    missing = [column for column in ("segment", *MEASURES) if column not in rules.columns]
    if missing or rules.empty:
        raise InputError(f"segments: {source} must have the columns segment, r, f and m, and one row per rule.")
    names = list(dict.fromkeys(rules["segment"]))
    rows = {
        name: {
            "zh": about.get(name, {}).get("zh", name),
            **{
                f"{key}_{language}": about.get(name, {}).get(key, {}).get(language, "")
                for key in ("what", "action")
                for language in ("en", "zh")
            },
        }
        for name in names
    }
    return Segments(rules[["segment", *MEASURES]].reset_index(drop=True), pd.DataFrame.from_dict(rows, orient="index"))
