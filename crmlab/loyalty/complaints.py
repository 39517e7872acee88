"""Complaints 顾客抱怨: what caused them, which steps of handling were reached, and how long it took (chapter 10, E11).

Causes come from a column that somebody coded, or from a table of words that anybody can read and change
(`rules/complaint_causes.yaml`). What no word matches stays uncoded and is told. Times of open complaints are not yet
known; the product-limit estimator counts them for as long as they have been open, instead of leaving them out.

References
----------
Brookmeyer, R. & Crowley, J. (1982). A confidence interval for the median survival time. Biometrics 38, 29–41.
Kaplan, E. L. & Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of the American
Statistical Association 53, 457–481.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.grading import Agreement, agreement
from crmlab.likert import share_interval
from crmlab.loyalty.inputs import aligned, check_level, worded
from crmlab.results import page, rows_by_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORDS = Path(__file__).with_name("rules") / "complaint_causes.yaml"
#: More uncoded texts than this share are a fault of the words.
MANY_UNCODED = 0.1
_EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class ComplaintCodes:
    """Complaints by cause.

    Attributes
    ----------
    codes : Series, one cause per complaint
        Categorical in the order of the words; missing where no word was found.
    matches : DataFrame, index as the texts: words (those found), causes (how many spoke up)
        Empty if the causes were given.
    table : DataFrame, index cause
        n, share (of the coded), ci_lower, ci_upper (Wilson).
    agreement : crmlab.grading.Agreement or None
        Cohen's kappa with the causes coded by hand, if there are any and more than one cause was named.
    confusion : DataFrame or None
        Causes by hand (rows) against those found (columns).
    labels : dict of language to dict of cause to text
    n, uncoded, ambiguous : int
    level : float
    problems : list of str
    """

    codes: pd.Series
    matches: pd.DataFrame
    table: pd.DataFrame
    agreement: Agreement | None
    confusion: pd.DataFrame | None
    labels: dict[str, dict[str, str]]
    n: int
    uncoded: int
    ambiguous: int
    level: float
    problems: list[str]

    def plot(self, language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Draw the share of each cause, the most frequent first."""
        from crmlab.plots.loyalty import share_bars

        table = self.table.sort_values("n", ascending=False, kind="stable")
        labels = self.labels.get(language, {})
        return share_bars(table, what="causes", level=self.level, labels=labels, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "n": self.n,
            "uncoded": self.uncoded,
            "ambiguous": self.ambiguous,
            "causes": rows_by_name(self.table),
            "agreement": None if self.agreement is None else self.agreement.to_dict(),
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        return page(self.table.round(3).to_html(), problems=self.problems)


@dataclass(frozen=True, eq=False)
class Handling:
    """How far complaints got, and how long each step took.

    Attributes
    ----------
    steps : DataFrame, index step
        reached, share (of all complaints), ci_lower, ci_upper (Wilson); days_median, days_ci_lower, days_ci_upper,
        days_p90: days from opening, open complaints counted as long as they have been open (missing if fewer than half,
        or nine tenths, ever get there); days_step: median days from the step before, among those who reached both.
    n : int
    as_of : Timestamp
        The day until which open complaints are counted.
    level : float
    problems : list of str
    """

    steps: pd.DataFrame
    n: int
    as_of: pd.Timestamp
    level: float
    problems: list[str]

    def plot(self, language: str = "en", *, labels: Mapping[str, str] | None = None, ax: Axes | None = None) -> Axes:
        """Draw the share of complaints that reached each step, with the median days beside it."""
        from crmlab.plots.loyalty import step_bars

        return step_bars(self.steps, level=self.level, labels=labels, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "n": self.n,
            "as_of": self.as_of.date().isoformat(),
            "steps": rows_by_name(self.steps),
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        return page(self.steps.round(2).to_html(), problems=self.problems)


# ------------------------------------------------------------------------------------------------------- causes


def code_complaints(
    texts: Any,
    *,
    words: str | Path | Mapping[str, Mapping[str, Any]] | None = None,
    coded: bool = False,
    hand: Any = None,
    level: float = 0.95,
) -> ComplaintCodes:
    """The cause of every complaint: maker 生产者, seller 销售者, service 服务, customer misuse 使用不当.

    Parameters
    ----------
    texts : Series or sequence of str, (n,)
        What customers wrote; or, with `coded`, the causes that somebody gave.
    words : path or mapping, optional
        Cause → {"en", "zh", "words": [...]}, in order of precedence; default the shipped table.
    coded : bool
        The texts are causes already; each must be one of the table.
    hand : Series or sequence, (n,), optional
        Causes coded by a person, to compare with.
    level : float in (0, 1)

    Returns
    -------
    ComplaintCodes

    Raises
    ------
    InputError
        An unknown cause, a table without words, no complaint.

    Examples
    --------
    >>> found = code_complaints(["The zip broke.", "客服态度很差。", "Never again!"])
    >>> found.codes.tolist(), found.uncoded
    (['maker', 'service', nan], 1)
    """
    check_level("code_complaints", level)
    table = read_words(words)
    given = aligned("code_complaints", {"text": texts})["text"]
    matches = pd.DataFrame()
    if coded:
        codes = _known("text", given, table)
        ambiguous = 0
    else:
        codes, matches = _matched(given, table)
        ambiguous = int((matches["causes"] > 1).sum())
    uncoded = int(codes.isna().sum())
    compared, confusion = _compared(codes, hand, table, level)
    labels = {
        language: {cause: str(row.get(language, cause)) for cause, row in table.items()} for language in ("en", "zh")
    }
    return ComplaintCodes(
        codes, matches, _shares(codes, level), compared, confusion, labels, len(codes), uncoded, ambiguous, level,
        _code_problems(given, codes, ambiguous, compared, hand is not None),
    )  # fmt: skip


def read_words(words: str | Path | Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, dict[str, Any]]:
    """The table of words by cause, from a YAML file or a mapping; without one, the shipped table.

    Raises
    ------
    InputError
        If there is no such file, or a cause has no words.

    Examples
    --------
    >>> list(read_words())
    ['maker', 'seller', 'service', 'customer misuse']
    """
    from crmlab.rules.reading import read_yaml

    if words is not None and not isinstance(words, str | Path | Mapping):
        raise InputError(f"words: found a {type(words).__name__}; expected a mapping of causes, or the path of a file.")
    content = words if isinstance(words, Mapping) else read_yaml(Path(words or WORDS))
    for cause, row in content.items():
        listed = row.get("words") if isinstance(row, Mapping) else None
        if not isinstance(listed, list) or not listed or not all(isinstance(word, str) and word for word in listed):
            raise InputError(f"words: cause {cause!r} has no list of words; expected words: [broke, faulty, ...].")
    if not content:
        raise InputError("words: the table names no cause; expected cause: {words: [...]}.")
    return {str(cause): dict(row) for cause, row in content.items()}


def _pattern(word: str) -> str:
    """A word as a regular expression: its beginning on a word boundary where it has letters, anywhere in Chinese."""
    spaced = r"\s+".join(map(re.escape, word.lower().split()))
    return rf"\b{spaced}" if re.match(r"[a-z0-9]", word.lower()) else spaced


def _matched(texts: pd.Series, table: Mapping[str, Mapping[str, Any]]) -> tuple[pd.Series, pd.DataFrame]:
    lower = texts.astype("string").fillna("").str.lower()
    found = {cause: lower.str.findall("|".join(map(_pattern, row["words"]))) for cause, row in table.items()}
    speaks = pd.DataFrame({cause: hits.map(bool) for cause, hits in found.items()}, index=texts.index)
    first = speaks.idxmax(axis=1).where(speaks.any(axis=1))
    codes = pd.Series(pd.Categorical(first, categories=list(table)), index=texts.index, name="cause")
    words = pd.Series(
        [", ".join(dict.fromkeys(word for hits in row for word in hits)) for row in zip(*found.values(), strict=True)],
        index=texts.index,
    )
    return codes, pd.DataFrame({"words": words, "causes": speaks.sum(axis=1)})


def _known(role: str, given: pd.Series, table: Mapping[str, Any]) -> pd.Series:
    odd = given[given.notna() & ~given.isin(list(table))]
    if len(odd):
        raise InputError(
            f"code_complaints: {role} has the cause {odd.iloc[0]!r} in row {odd.index[0]}; expected one of "
            f"{', '.join(table)}. Correct it, or add the cause to the table of words."
        )
    return pd.Series(pd.Categorical(given, categories=list(table)), index=given.index, name="cause")


def _compared(
    codes: pd.Series, hand: Any, table: Mapping[str, Any], level: float
) -> tuple[Agreement | None, pd.DataFrame | None]:
    if hand is None:
        return None, None
    by_hand = _known("hand", aligned("code_complaints", {"codes": codes, "hand": hand})["hand"], table)
    confusion = pd.crosstab(by_hand.rename("by hand"), codes.rename("found"), dropna=False)
    both = [each[by_hand.notna() & codes.notna()].astype(object) for each in (by_hand, codes)]
    if len(both[0]) < 2 or pd.concat(both).nunique() < 2:  # kappa has no value
        return None, confusion
    coded = (each.astype(object) for each in (by_hand, codes))
    return agreement(*coded, order=list(table), weights="none", level=level), confusion


def _shares(codes: pd.Series, level: float) -> pd.DataFrame:
    counts = codes.value_counts(sort=False)
    n = int(counts.sum())
    lower, upper = share_interval(counts, n, level=level)
    share = counts / n if n else counts * np.nan
    return pd.DataFrame({"n": counts, "share": share, "ci_lower": lower, "ci_upper": upper}).rename_axis("cause")


def _code_problems(
    given: pd.Series, codes: pd.Series, ambiguous: int, compared: Agreement | None, by_hand: bool
) -> list[str]:
    told = []
    n, without = len(codes), codes.isna()
    if without.any():
        examples = "; ".join(f"{text!r}" for text in given[without].dropna().drop_duplicates().head(_EXAMPLES))
        told.append(
            f"{int(without.sum()):,} of {n:,} complaints {worded(without.sum(), 'is', 'are')} not coded"
            + (f", such as {examples}." if examples else ".")
        )
        if without.mean() > MANY_UNCODED:
            told.append("More than a tenth is not coded: read these texts and add words before the shares are used.")
    if ambiguous:
        told.append(
            f"{ambiguous:,} {worded(ambiguous, 'complaint holds', 'complaints hold')} words of several causes; the "
            "cause that stands first in the table was taken."
        )
    if compared is None and by_hand:
        told.append(
            "Words and person cannot be compared: fewer than two complaints coded by both, or one cause for all."
        )
    if compared is not None:
        told.append(
            f"Words and person agree on {100 * compared.observed:.0f} % of the complaints that both coded (kappa "
            f"{compared.kappa:.2f}, {compared.ci_lower:.2f} to {compared.ci_upper:.2f})."
        )
    return told


# ----------------------------------------------------------------------------------------------------- handling


def handling(
    log: pd.DataFrame,
    steps: Sequence[str],
    *,
    opened: str = "opened",
    as_of: str | pd.Timestamp | None = None,
    level: float = 0.95,
) -> Handling:
    """How many complaints reached each step of handling, and after how many days.

    Parameters
    ----------
    log : DataFrame, one row per complaint
        Dates; missing where a step was not reached.
    steps : sequence of columns, in their order
    opened : str
        Column of the day the complaint came in.
    as_of : day, optional
        Until when open complaints are counted; default the latest date in the log.
    level : float in (0, 1)

    Returns
    -------
    Handling

    Raises
    ------
    InputError
        A missing column, something that is no date, a complaint without opening day, a step before the opening.

    Examples
    --------
    >>> log = pd.DataFrame({"opened": ["2025-03-01"] * 3, "resolved": ["2025-03-03", "2025-03-09", None]})
    >>> handling(log, ["resolved"], as_of="2025-03-31").steps[["reached", "days_median"]].to_numpy().tolist()
    [[2.0, 8.0]]
    """
    check_level("handling", level)
    dates = _dates(log, [opened, *steps])
    if dates[opened].isna().any() or dates.empty:
        row = dates.index[dates[opened].isna()][0] if len(dates) else "–"
        raise InputError(
            f"handling: complaint {row} has no day in {opened}; every complaint needs one. Correct the log."
        )
    end = pd.to_datetime(as_of, errors="coerce") if as_of is not None else pd.Timestamp(dates.max().max())
    if pd.isna(end):
        raise InputError(f"handling: as_of is {as_of!r}; expected a day, 2025-03-31.")
    days = dates[list(steps)].sub(dates[opened], axis=0).apply(lambda column: column.dt.total_seconds() / 86400)
    _require_order(dates, days, opened, end)
    open_days = (end - dates[opened]).dt.total_seconds() / 86400
    rows = [_step(days, open_days, steps, place, level) for place in range(len(steps))]
    table = pd.DataFrame(rows, index=pd.Index(steps, name="step"))
    return Handling(table, len(dates), end, level, _handling_problems(days, steps))


def _dates(log: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    if not isinstance(log, pd.DataFrame):
        raise InputError(f"handling: the log is a {type(log).__name__}; expected a DataFrame, one row per complaint.")
    absent = [column for column in columns if column not in log.columns]
    if absent or len(columns) < 2:
        raise InputError(
            f"handling: the log has no column {', '.join(absent) or 'for any step'}; it has "
            f"{', '.join(map(str, log.columns[:12]))}. Correct the names."
        )
    found = {}
    for column in columns:
        found[column] = pd.to_datetime(log[column], errors="coerce", format="ISO8601")
        odd = log.loc[found[column].isna() & log[column].notna(), column]
        if isinstance(found[column].dtype, pd.DatetimeTZDtype):
            found[column] = found[column].dt.tz_convert("UTC").dt.tz_localize(None)
        if len(odd):
            raise InputError(
                f"handling: {column} is {odd.iloc[0]!r} in row {odd.index[0]}; expected a day, 2025-03-31."
            )
    return pd.DataFrame(found)


def _require_order(dates: pd.DataFrame, days: pd.DataFrame, opened: str, end: pd.Timestamp) -> None:
    rows, places = np.nonzero(days.to_numpy() < 0)
    if len(rows):
        row, step = days.index[rows[0]], days.columns[places[0]]
        raise InputError(
            f"handling: complaint {row} reached {step} on {dates.loc[row, step].date()}, before it was opened on "
            f"{dates.loc[row, opened].date()}. Correct the log."
        )
    if (dates > end).to_numpy().any():
        raise InputError(f"handling: the log holds days after {end.date()}; expected as_of on or after the latest day.")


def _step(days: pd.DataFrame, open_days: pd.Series, steps: Sequence[str], place: int, level: float) -> dict[str, float]:
    own = days[steps[place]]
    reached, n = int(own.notna().sum()), len(own)
    lower, upper = share_interval(reached, n, level=level)
    row = {"reached": reached, "share": reached / n, "ci_lower": float(lower), "ci_upper": float(upper)}
    row |= _waiting(own, open_days, level)
    before = days[steps[place - 1]] if place else 0.0
    return {**row, "days_step": float((own - before).median())}


def _waiting(days: pd.Series, open_days: pd.Series, level: float) -> dict[str, float]:
    """Quantiles of the waiting time by the product-limit estimator (statsmodels).

    The median's interval runs between the first days on which the lower and upper limits of the curve, on the log
    scale, have come down to one half (Brookmeyer & Crowley 1982; the default of R's survfit). Once nobody is waiting
    any more the limits have no value.
    """
    from scipy.special import ndtri
    from statsmodels.duration.survfunc import SurvfuncRight

    names = ("days_median", "days_ci_lower", "days_ci_upper", "days_p90")
    if not days.notna().any():
        return dict.fromkeys(names, float("nan"))
    curve = SurvfuncRight(days.fillna(open_days).to_numpy(), days.notna().to_numpy().astype(int))
    times, still, se = (
        np.asarray(values, dtype=float) for values in (curve.surv_times, curve.surv_prob, curve.surv_prob_se)
    )
    reach = ndtri((1 + level) / 2) * se[still > 0] / still[still > 0]
    low, high = (still[still > 0] * np.exp(sign * reach) for sign in (-1, 1))
    found = (_first(times, still, 0.5), _first(times, low, 0.5), _first(times, high, 0.5), _first(times, still, 0.1))
    return dict(zip(names, found, strict=True))


def _first(times: np.ndarray, curve: np.ndarray, share: float) -> float:
    """The first time at which so few are still waiting; missing if that is never seen."""
    down = np.flatnonzero(curve <= share + 1e-12)  # times beyond the end of a curve are never reached
    return float(times[down[0]]) if len(down) else float("nan")


def _handling_problems(days: pd.DataFrame, steps: Sequence[str]) -> list[str]:
    told = []
    last = days[steps[-1]]
    still = int(last.isna().sum())
    if still:
        told.append(
            f"{still:,} of {len(last):,} complaints {worded(still, 'has', 'have')} not reached {steps[-1]}; what is "
            "open counts for as long as it has been open. A mean over the finished ones would look faster than it is."
        )
    for first, second in pairwise(steps):
        skipped = int((days[second].notna() & days[first].isna()).sum())
        back = int((days[second] < days[first]).sum())
        if skipped or back:
            told.append(
                f"{second}: {skipped:,} {worded(skipped, 'complaint', 'complaints')} got there without {first}, "
                f"{back:,} earlier than {first}. Check how steps are logged."
            )
    return told
