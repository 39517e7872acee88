"""Items that point the wrong way: which answers may have to be turned round before anything is summed (chapter 7).

The leading eigenvector of a construct's correlations tells which items rise and fall together. Items that fall while
most of the others rise are named, with the evidence. Nothing is turned round here: a negative correlation can also be
a badly read question, and only the wording decides. `reverse` turns round the items that the analyst names.

References
----------
Weijters, B. & Baumgartner, H. (2012). Misresponse to reversed and negated items in surveys: a review. Journal of
Marketing Research 49, 737–747.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.likert.battery import Battery, Items, Scale, records

if TYPE_CHECKING:
    from crmlab.responses import Responses


@dataclass(frozen=True, eq=False)
class Keying:
    """Direction of each item within its construct.

    Attributes
    ----------
    table : DataFrame, index item: construct, direction, item_rest, ci_lower, ci_upper, suggestion
        direction: +1 with the majority of the construct, −1 against it. item_rest: correlation with the mean of the
        other items, those turned round that fall; positive for a good item of direction +1, negative for −1; with its
        95 % interval by Fisher's z. suggestion: "reverse" (against the others, interval below zero), "look" (against
        them, interval with zero; or along with them, but weakly), "undecidable" (as many items each way), or "".
    problems : list of str
    """

    table: pd.DataFrame
    problems: list[str]

    @property
    def suggested(self) -> list[str]:
        """Items whose wording should be read, and reversed if it is negative."""
        return self.table.index[self.table["suggestion"] == "reverse"].tolist()

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, ready for JSON."""
        return {"items": records(self.table.reset_index()), "problems": list(self.problems)}

    def _repr_html_(self) -> str:
        return self.table.round(3).to_html()


def reverse_keyed(data: pd.DataFrame | Responses, items: Items, *, scale: Scale | None = None) -> Keying:
    """Find items that correlate negatively with their construct.

    Parameters
    ----------
    data : DataFrame or Responses
    items, scale
        As for `Battery.of`, with constructs. A questionnaire's reversed items have been turned round on reading:
        found again here, they were marked by mistake or read carelessly.

    Returns
    -------
    Keying

    Raises
    ------
    InputError
        No constructs, or answers that cannot be read.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> liking = rng.normal(size=(200, 1)) + 0.8 * rng.normal(size=(200, 4))
    >>> answers = pd.DataFrame(np.clip(np.round(3 + liking), 1, 5), columns=list("abcd"))
    >>> answers["d"] = 6 - answers["d"]
    >>> reverse_keyed(answers, {"Liking": list("abcd")}, scale=(1, 5)).suggested
    ['d']
    """
    battery = Battery.of(items, scale)
    blocks = battery.require_blocks("reverse_keyed")
    values = battery.read(data)
    tables = [_directions(values[block]).assign(construct=name) for name, block in blocks.items() if len(block) > 1]
    columns = ["construct", "direction", "item_rest", "ci_lower", "ci_upper", "suggestion"]
    table = pd.concat(tables)[columns].rename_axis("item") if tables else pd.DataFrame(columns=columns)
    return Keying(table, _problems(table))


def reverse(
    data: pd.DataFrame | Responses, reversed_items: Sequence[str], *, items: Items, scale: Scale | None = None
) -> pd.DataFrame:
    """A copy of the answers in which the named items are turned round: lowest + highest − answer.

    Parameters
    ----------
    data : DataFrame or Responses
    reversed_items : sequence of items
    items, scale
        As for `Battery.of`; says on which scale each item is.

    Raises
    ------
    InputError
        An item that the battery does not hold.

    Examples
    --------
    >>> reverse(pd.DataFrame({"a": [1, 5, 2]}), ["a"], items=["a"], scale=(1, 5))["a"].tolist()
    [5.0, 1.0, 4.0]
    """
    battery = Battery.of(items, scale)
    return battery.turn(battery.read(data), reversed_items)


def _directions(block: pd.DataFrame) -> pd.DataFrame:
    """Sign of each item on the leading eigenvector, and its correlation with the rest, (k rows)."""
    complete = block.dropna()
    varying = [item for item in block.columns if complete[item].max() > complete[item].min()]
    empty = {"direction": 1, "item_rest": np.nan, "ci_lower": np.nan, "ci_upper": np.nan, "suggestion": "look"}
    table = pd.DataFrame([empty] * block.shape[1], index=block.columns)
    if len(varying) < 2 or len(complete) < 5:
        return table
    standard = (complete[varying] - complete[varying].mean()) / complete[varying].std()
    leading = np.linalg.eigh(standard.corr().to_numpy())[1][:, -1]
    sign = np.where(leading < 0, -1, 1)
    undecidable = 2 * int((sign > 0).sum()) == len(sign)
    sign = -sign if (sign > 0).sum() < len(sign) / 2 else sign
    aligned = standard.to_numpy() * sign
    rest = aligned.sum(axis=1, keepdims=True) - aligned
    r = np.array([np.corrcoef(standard.to_numpy()[:, j], rest[:, j])[0, 1] for j in range(len(sign))])
    lower, upper = _fisher(r, len(complete))
    weak = (lower <= 0) & (upper >= 0)
    rules = [np.full(len(sign), undecidable), (sign < 0) & ~weak, weak]
    suggestion = np.select(rules, ["undecidable", "reverse", "look"], default="")
    found = {"direction": sign, "item_rest": r, "ci_lower": lower, "ci_upper": upper, "suggestion": suggestion}
    return pd.DataFrame(found, index=varying).reindex(block.columns).fillna(empty).astype({"direction": int})


def _fisher(r: np.ndarray, n: int, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a correlation, tanh(artanh r ± z/√(n − 3))."""
    from scipy.special import ndtri

    z = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    margin = ndtri((1 + level) / 2) / np.sqrt(n - 3)
    return np.tanh(z - margin), np.tanh(z + margin)


def _problems(table: pd.DataFrame) -> list[str]:
    words = {
        "reverse": "answered against the other items of {construct}. Read the wording: if it is negative, mark it "
        "as reversed in the questionnaire; if not, respondents misread it. Nothing has been turned round.",
        "look": "{construct} and this item have little in common, so its direction cannot be told from the "
        "answers. Read the wording.",
        "undecidable": "as many items of {construct} point one way as the other; only the wording can say which.",
    }
    problems = []
    for (suggestion, construct), rows in table.groupby(["suggestion", "construct"], sort=False):
        if suggestion in words:
            problems.append(f"{', '.join(rows.index)}: {words[str(suggestion)].format(construct=construct)}")
    return problems
