"""Segments and tiers: which customers to treat alike, by a table of rules that is complete and disjoint (row B10).

A rule reads "r high, f middle high, m any": levels, so that the same table serves four scores of the rubric and five of
the quantiles, or scores such as "4-5". `Segments.check` goes through every combination of scores there is.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import yaml

from crmlab.errors import InputError
from crmlab.rfm.bands import MEASURES
from crmlab.rfm.scoring import scale_of

if TYPE_CHECKING:
    import pandas as pd

LEVELS = {"low": (0.0, 0.3), "middle": (0.3, 0.7), "high": (0.7, 1.0)}
#: Tiers by the share of the customers they are meant for, best first (B10).
TIERS = {"gold": 0.05, "silver": 0.15, "regular": 0.50, "potential": 0.30}

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
        taken = self._taken(scale)
        of_none = [scores for scores, segments in taken.items() if not segments]
        of_several = [(scores, segments) for scores, segments in taken.items() if len(segments) > 1]
        said = []
        if of_none:
            said.append(f"{len(of_none)} of {len(taken)} codes belong to no segment, such as {_code(of_none[0])}.")
        if of_several:
            scores, segments = of_several[0]
            said.append(
                f"{len(of_several)} of {len(taken)} codes belong to several segments, such as {_code(scores)} to "
                f"{' and '.join(segments)}."
            )
        return said

    def lookup(self, scale: Scales) -> dict[tuple[int, int, int], str]:
        """The segment of every combination of scores.

        Raises
        ------
        InputError
            If the rules are not complete and disjoint.
        """
        faults = self.check(scale)
        if faults:
            raise InputError(f"segments: {' '.join(faults)} Change the rules so that each code has one segment.")
        return {scores: segments[0] for scores, segments in self._taken(scale).items()}

    def _taken(self, scale: Scales) -> dict[tuple[int, int, int], list[str]]:
        """The segments that take each combination of scores."""
        every = {name: range(min(scale[name]), max(scale[name]) + 1) for name in MEASURES}
        taken: dict[Any, list[str]] = {scores: [] for scores in itertools.product(*every.values())}
        for rule in self.rules.to_dict("records"):
            for scores in itertools.product(*(_scores(rule[name], scale[name]) for name in MEASURES)):
                if rule["segment"] not in taken[scores]:
                    taken[scores].append(rule["segment"])
        return taken


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
    lookup = rules.lookup(ends)
    if isinstance(scored, ibis.Table):
        cases = [
            (scored.r.isin(_scores(rule["r"], ends["r"])) & scored.f.isin(_scores(rule["f"], ends["f"]))
             & scored.m.isin(_scores(rule["m"], ends["m"])), rule["segment"])
            for rule in rules.rules.to_dict("records")
        ]  # fmt: skip
        return scored.mutate(segment=ibis.cases(*cases))
    by_code = {_code(scores): name for scores, name in lookup.items()}
    codes = "R" + scored["r"].astype("str") + "F" + scored["f"].astype("str") + "M" + scored["m"].astype("str")
    found = scored.assign(segment=codes.map(by_code).astype("str"))
    found.attrs = {**scored.attrs, "segments": rules.names}
    return found


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
    scores : mapping of tier to the lowest rfm_score that reaches it, best first, the last 0
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
    if shares is not None and scores is not None:
        raise InputError("tier: give shares or scores, not both.")
    value = weighed["rfm_score"]
    if scores is not None:
        limits, reached = _checked_scores(scores), value.to_numpy()
    else:
        # The share of customers strictly ahead decides; counted from the end, so that more is better as with scores.
        ahead = value.rank(method="min", ascending=False).sub(1) / max(len(value), 1)
        limits, reached = _limits_of_shares(TIERS if shares is None else shares), -ahead.to_numpy()
    names = [*limits]
    found = weighed.assign(tier=[next((n for n in names if r >= limits[n]), names[-1]) for r in reached])
    found["tier"] = found["tier"].astype("str")
    found.attrs = {**weighed.attrs, "problems": [*weighed.attrs.get("problems", [])]}
    if scores is None:
        found.attrs["problems"] += _about_sizes(found["tier"], TIERS if shares is None else shares)
    return found


def _checked_scores(scores: Mapping[str, float]) -> dict[str, float]:
    limits = [*scores.values()]
    if not limits or limits != sorted(limits, reverse=True) or limits[-1] > 0:
        raise InputError(f"tier: scores are {dict(scores)}; expected falling limits, the last of them 0.")
    return dict(scores)


def _limits_of_shares(shares: Mapping[str, float]) -> dict[str, float]:
    """Minus the share of customers strictly ahead at which each tier ends."""
    if any(not share > 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-9:
        raise InputError(f"tier: shares are {dict(shares)}; expected shares above 0 that sum to 1.")
    up_to = itertools.accumulate(shares.values())
    # A customer whom exactly the tier's share is ahead of belongs to the next one; rounding must not decide.
    return {name: -end + 1e-9 for name, end in zip(shares, up_to, strict=True)}


def _about_sizes(tiers: pd.Series, shares: Mapping[str, float]) -> list[str]:
    found = tiers.value_counts(normalize=True)
    return [
        f"Tier {name} was meant for {share:.0%} of the customers and has {found.get(name, 0.0):.0%}: customers with "
        "the same score stay together."
        for name, share in shares.items()
        if abs(found.get(name, 0.0) - share) > max(0.5 * share, 1 / len(tiers))
    ]


def _scores(cell: Any, ends: Sequence[int]) -> list[int]:
    """The scores that a cell of a rule takes, on a scale from worst to best."""
    every = range(min(ends), max(ends) + 1)
    words = re.split(r"[\s,]+", str(cell).strip().lower())
    taken = {score for score in every for word in words if _takes(word, score, ends)}
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


def _code(scores: tuple[int, ...]) -> str:
    return "".join(f"{name.upper()}{score}" for name, score in zip(MEASURES, scores, strict=True))


@cache
def _default() -> Segments:
    return _read(Path(__file__).with_name("segments.yaml"))


def _read(path: Path) -> Segments:
    import pandas as pd

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f'segments: {path} cannot be read as YAML ({error}); give "default" or a file.') from None
    if not isinstance(content, dict) or not isinstance(content.get("rules"), list):
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
