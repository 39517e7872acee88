"""Many studies side by side: tables, numbers and page of a comparison of branches or waves (chapter 9).

The numbers come from what each study wrote, so the comparison says exactly what the reports say. Differences of indices
are those of independent samples, corrected for how many are looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmlab.results import plain, records

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.studies.study import Study

_LEVEL = 0.95
#: Columns of `Comparison.groups` that hold words.
_WORDS = {"group", "admissible", "as_of", "largest", "method", "report", "reason"}
_NUMBERS = ("index", "ci_lower", "ci_upper")
_COUNTS = {"n", "customers", "transactions", "objections"}


@dataclass(frozen=True)
class Outcome:
    """What became of a branch or wave.

    Attributes
    ----------
    name, folder
        Its name, and the folder of its report.
    numbers
        What its study wrote as JSON; None where there is no study.
    reason
        Why there is none.
    """

    name: str
    folder: str
    numbers: dict[str, Any] | None
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """Studies of one kind side by side, in the order of their names.

    Attributes
    ----------
    kind
        ``csi``, ``rfm`` or ``weights``.
    each
        The column of the branches, or ``"file"``.
    language
    labels
        What the column and the constructs are called, by name.
    index
        The construct that is the index; empty for orders.
    title
        Of the survey; empty for orders.
    outcomes
    files
        What was read: (what it is, name, SHA-256).
    """

    kind: str
    each: str
    language: str
    labels: dict[str, str]
    index: str
    title: str
    outcomes: Sequence[Outcome]
    files: Sequence[tuple[str, str, str | None]]

    @classmethod
    def of(cls, study: Study, each: str, outcomes: Sequence[Outcome], data: Sequence[Path]) -> Comparison:
        """The comparison of what was made of a study folder."""
        from crmlab.questionnaire import Questionnaire

        values, labels, index, title = study.values_without_data(), {}, "", ""
        read = [("data", file.name, _checksum(file)) for file in dict.fromkeys(data)]
        if study.kind != "rfm":
            design = Questionnaire.read(values["questionnaire"])
            named = [*design.constructs.index, *design.groups]
            labels = {name: design.label(name, values["language"]) for name in named}
            index, title = design.index, design.title[values["language"]]
            checksum = hashlib.sha256(design.text.encode("utf-8")).hexdigest()
            read.append(("questionnaire", design.source, checksum))
        return cls(study.kind, each, values["language"], labels, index, title, outcomes, read)

    @property
    def estimated(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.numbers is not None]

    @property
    def refused(self) -> list[str]:
        """Names of those whose own report says that its numbers must not be used; they are not compared."""
        return [outcome.name for outcome in self.outcomes if _is_refused(outcome.numbers or {})]

    @property
    def level(self) -> float:
        """Confidence level of the intervals."""
        return next((o.numbers["level"] for o in self.estimated if o.numbers and "level" in o.numbers), _LEVEL)

    @property
    def are_waves(self) -> bool:
        return self.each == "file"

    @cached_property
    def groups(self) -> pd.DataFrame:
        """One row for each branch or wave: key numbers (nan where there is no study), objections, report, reason."""
        import pandas as pd

        rows = [
            {
                "group": outcome.name,
                **(_KEY_NUMBERS[self.kind](outcome.numbers) if outcome.numbers else {}),
                "objections": len(outcome.numbers["problems"]) if outcome.numbers else None,
                "report": f"{outcome.folder}/report.html" if outcome.numbers else None,
                "reason": outcome.reason or None,
            }
            for outcome in self.outcomes
        ]
        keys = [*_KEY_NUMBERS[self.kind](self.estimated[0].numbers or {})]
        table = pd.DataFrame(rows, columns=["group", *keys, "objections", "report", "reason"])
        # An index may be told as impossible in every study: a column without a number is one of numbers all the same.
        return table.astype({name: float for name in table.columns if name not in _WORDS})

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by the name of their sheet; those of changes only for waves."""
        return {"groups": self.groups, **_TABLES[self.kind](self)}

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain numbers and words, as written to ``comparison.json``; nan becomes None."""
        rows = [
            {name: int(value) if name in _COUNTS and value is not None else value for name, value in row.items()}
            for row in records(self.groups.drop(columns="group"))
        ]
        named = dict(zip(self.groups["group"], rows, strict=True))
        others = {name: records(table) for name, table in self.tables.items() if name != "groups"}
        return {"study": self.kind, "each": self.each, "level": self.level, "groups": named, **others}


def _checksum(file: Path) -> str | None:
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


# --- What each kind of study says -----------------------------------------------------------------------------------


def _is_refused(study: dict[str, Any]) -> bool:
    return study.get("admissible") is False


def _index_numbers(study: dict[str, Any]) -> dict[str, Any]:
    """The index with its error; nothing but the respondents where the study's own report refuses the numbers."""
    known = {} if _is_refused(study) else study
    lower, upper = known.get("ci", (None, None))
    return {
        "n": study.get("n"),
        "admissible": study.get("admissible"),
        "index": known.get("index"),
        "ci_lower": lower,
        "ci_upper": upper,
        "se": known.get("se"),
    }


def _order_numbers(study: dict[str, Any]) -> dict[str, Any]:
    segments = study.get("segments", {})
    largest = max(segments, key=lambda name: segments[name]["customers"], default=None)
    own = {name: study.get(name) for name in ("customers", "transactions", "as_of")}
    return own | {"top_20": plain(study.get("pareto", {}).get("top_20")), "largest": largest}


def _weighted_numbers(study: dict[str, Any]) -> dict[str, Any]:
    methods = study.get("methods", {})
    indices = [method["index"] for method in methods.values()]
    own = methods.get(study.get("shown"), {})
    lower, upper = own.get("ci", (None, None))
    return {
        "n": study.get("n"),
        "index": own.get("index"),
        "ci_lower": lower,
        "ci_upper": upper,
        "lowest": min(indices, default=None),
        "highest": max(indices, default=None),
        "method": study.get("shown"),
    }


_KEY_NUMBERS = {"csi": _index_numbers, "rfm": _order_numbers, "weights": _weighted_numbers}


def _index_tables(comparison: Comparison) -> dict[str, pd.DataFrame]:
    import pandas as pd

    from crmlab import csi

    rows = [
        {"group": o.name, "construct": name, **_index_numbers(o.numbers | own)}
        for o in comparison.estimated
        if o.numbers
        for name, own in o.numbers["constructs"].items()
    ]
    known = comparison.groups[comparison.groups["reason"].isna()]
    found = {
        "constructs": pd.DataFrame(rows).drop(columns=["admissible", "se"]).astype(dict.fromkeys(_NUMBERS, float)),
        "differences": csi.differences(known[["group", "index", "se"]], level=comparison.level),
    }
    if comparison.are_waves and len(known) > 1:
        found["changes"] = changes(known, comparison.level)
    return found


def changes(waves: pd.DataFrame, level: float = _LEVEL) -> pd.DataFrame:
    """From each wave to the next: how far the index moved, by Holm's correction for so many changes.

    Parameters
    ----------
    waves
        group, index, se; in the order of time. Waves are independent samples.
    level
        Confidence level of all intervals together.

    Returns
    -------
    DataFrame
        before, after, change (after − before), se, ci_lower, ci_upper, z, pvalue, pvalue_adjusted, interval.

    Examples
    --------
    >>> import pandas as pd
    >>> waves = pd.DataFrame({"group": ["2024", "2025", "2026"], "index": [70.0, 73.0, 72.0], "se": [0.6, 0.8, 0.8]})
    >>> changes(waves)[["before", "after", "change", "se"]].round(2)
      before after  change    se
    0   2024  2025     3.0  1.00
    1   2025  2026    -1.0  1.13
    """
    import numpy as np

    from crmlab.csi.comparisons import compared

    names, index, se = waves["group"].tolist(), waves["index"].to_numpy(), waves["se"].to_numpy()
    return compared(
        {"before": names[:-1], "after": names[1:]},
        {"change": np.diff(index), "se": np.hypot(se[1:], se[:-1])},
        adjust="holm",
        level=level,
        value="change",
    )


def _order_tables(comparison: Comparison) -> dict[str, pd.DataFrame]:
    import pandas as pd

    rows = [
        {"group": o.name, "segment": name, **own}
        for o in comparison.estimated
        if o.numbers
        for name, own in o.numbers["segments"].items()
    ]
    return {"segments": pd.DataFrame(rows)}


def _weighted_tables(comparison: Comparison) -> dict[str, pd.DataFrame]:
    import pandas as pd

    rows = [
        {"group": o.name, **{name: own["index"] for name, own in o.numbers["methods"].items()}}
        for o in comparison.estimated
        if o.numbers
    ]
    return {"methods": pd.DataFrame(rows)}


_TABLES = {"csi": _index_tables, "rfm": _order_tables, "weights": _weighted_tables}
