"""A battery of items 题组: which columns, on which scale, of which construct, and the answers read accordingly.

Every function of the room takes `items` and `scale` in the same forms and makes a `Battery` of them, so that a
questionnaire, a mapping of constructs and a plain list of columns all work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.questionnaire import Questionnaire
from crmlab.responses import Responses

Items = Questionnaire | Mapping[str, Sequence[str]] | Sequence[str]
Scale = tuple[float, float] | Mapping[str, tuple[float, float]]

_NAMED = 5


@dataclass(frozen=True, eq=False)
class Battery:
    """Items with their scales and constructs; make one with `Battery.of`.

    Attributes
    ----------
    table : DataFrame, index item: construct, min, max
        construct is "" where none was given.
    labels : dict of language to dict of name to text
        Wording of items and constructs, from the questionnaire; empty without one.
    turned : tuple of items
        Those the questionnaire marks as reversed, which reading turns round.
    """

    table: pd.DataFrame
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    turned: tuple[str, ...] = ()

    @classmethod
    def of(cls, items: Items, scale: Scale | None = None) -> Battery:
        """A battery from a questionnaire, from constructs with their items, or from a list of columns.

        Parameters
        ----------
        items : Questionnaire, mapping of construct to items, or sequence of columns
        scale : (lowest, highest), or mapping of item to such a pair
            Not needed with a questionnaire, which knows it.

        Raises
        ------
        InputError
            No items, an item named twice, no scale, or one that does not ascend.

        Examples
        --------
        >>> Battery.of({"Value": ["price", "worth"]}, (1, 5)).table
              construct  min  max
        item
        price     Value  1.0  5.0
        worth     Value  1.0  5.0
        """
        if isinstance(items, Battery):
            return items
        if isinstance(items, Questionnaire):
            table = items.items[["construct", "min", "max"]].astype({"min": float, "max": float})
            names = [*table.index, *items.constructs.index]
            labels = {code: {name: items.label(name, code) for name in names} for code in ("en", "zh")}
            return cls(table, labels, tuple(table.index[items.items["reverse"]]))
        blocks = {str(key): list(block) for key, block in items.items()} if isinstance(items, Mapping) else {"": items}
        names = [item for block in blocks.values() for item in block]
        _check_names(names)
        ends = [_ends(item, scale) for item in names]
        owners = [construct for construct, block in blocks.items() for _ in block]
        columns = {"construct": owners, "min": [low for low, _ in ends], "max": [high for _, high in ends]}
        return cls(pd.DataFrame(columns, index=pd.Index(names, name="item")))

    @property
    def items(self) -> list[str]:
        return self.table.index.tolist()

    @property
    def blocks(self) -> dict[str, list[str]]:
        """Items of each construct; items without a construct are left out."""
        named = self.table[self.table["construct"] != ""]
        return {str(construct): block.index.tolist() for construct, block in named.groupby("construct", sort=False)}

    def require_blocks(self, function: str) -> dict[str, list[str]]:
        """The blocks; raises `InputError` when no constructs were given."""
        if not self.blocks:
            raise InputError(
                f"{function}: the items belong to no construct. Give a questionnaire, or a mapping such as "
                "{'Satisfaction': ['SA1', 'SA2', 'SA3']}."
            )
        return self.blocks

    def read(self, data: pd.DataFrame | Responses, *, dont_know: Sequence[float] = ()) -> pd.DataFrame:
        """Answers as floats (n, items), nan where missing; all but the codes of `dont_know` must lie on the scale.

        Raises
        ------
        InputError
            A column that is not there or holds text; an answer off the scale, with row, column and value.
        """
        frame = frame_of(data)
        absent = [item for item in self.items if item not in frame.columns]
        if absent:
            raise InputError(
                f"items: the data hold no column {', '.join(absent[:_NAMED])}; they hold "
                f"{', '.join(map(str, frame.columns[:12]))}. Correct the names."
            )
        values = pd.DataFrame({item: numbers(frame[item], item) for item in self.items}, index=frame.index)
        codes = values.isin(list(dont_know)).to_numpy()
        low, high = self.table["min"].to_numpy(), self.table["max"].to_numpy()
        with np.errstate(invalid="ignore"):
            off = ((values.to_numpy() < low) | (values.to_numpy() > high)) & ~codes
        if off.any():
            raise InputError(_off_scale(values, off, low, high))
        return values

    def turn(self, values: pd.DataFrame, items: Sequence[str]) -> pd.DataFrame:
        """A copy of answers in which the named items are turned round: lowest + highest − answer.

        Raises
        ------
        InputError
            An item that the battery does not hold.
        """
        unknown = [item for item in items if item not in self.table.index]
        if unknown:
            raise InputError(
                f"turned items: {', '.join(unknown)} is not among {', '.join(self.items)}. Correct the name."
            )
        chosen, turned = list(items), values.copy()
        turned[chosen] = self.table["min"][chosen] + self.table["max"][chosen] - values[chosen]
        return turned


def frame_of(data: pd.DataFrame | Responses) -> pd.DataFrame:
    """The table of answers, whoever holds it."""
    return data.data if isinstance(data, Responses) else data


def numbers(column: pd.Series, name: str) -> pd.Series:
    """A column as floats, nan where missing; raises `InputError` for text, with row and value."""
    try:
        return pd.Series(column.to_numpy(dtype=float, na_value=np.nan), index=column.index)
    except (TypeError, ValueError):
        found = pd.to_numeric(column, errors="coerce")
        wrong = column[found.isna() & column.notna()]
        row, value = (wrong.index[0], wrong.iloc[0]) if len(wrong) else (column.index[0], column.iloc[0])
        raise InputError(
            f"column {name}, row {row}: found {value!r}, expected a number. Read the file with read_responses, which "
            "turns labels into numbers."
        ) from None


def column(data: pd.DataFrame | Responses, name: str, role: str) -> pd.Series:
    """A column by name, or `InputError` that says which role it was to play."""
    frame = frame_of(data)
    if name not in frame.columns:
        known = ", ".join(map(str, frame.columns[:12]))
        raise InputError(f"{role}: the data hold no column {name!r}; they hold {known}. Correct the name.")
    found: pd.Series = frame[name]
    return found


def index_points(values: pd.DataFrame, battery: Battery) -> pd.DataFrame:
    """Answers on 0–100: 0 the lowest possible answer, 100 the highest."""
    low, high = battery.table["min"], battery.table["max"]
    return 100 * (values - low) / (high - low)


def plain(value: Any) -> Any:
    """A value as JSON has it: None for nan, Python's own numbers."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and np.isnan(value) else value


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain dicts, ready for JSON."""
    return [{str(key): plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def _check_names(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        found = f"{', '.join(twice)} more than once" if twice else "no item"
        raise InputError(f"items: found {found}; expected each column once. Correct the list.")


def _ends(item: str, scale: Scale | None) -> tuple[float, float]:
    if scale is None or (isinstance(scale, Mapping) and item not in scale):
        raise InputError(
            f"scale: the lowest and highest answer of {item} are not known. Say scale=(1, 5), or give a questionnaire."
        )
    low, high = scale[item] if isinstance(scale, Mapping) else scale
    if not low < high:
        raise InputError(f"scale: {item} runs from {low:g} to {high:g}; expected the lowest answer first.")
    return float(low), float(high)


def _off_scale(values: pd.DataFrame, off: np.ndarray, low: np.ndarray, high: np.ndarray) -> str:
    row, place = (int(found[0]) for found in np.nonzero(off))
    item, value = values.columns[place], values.to_numpy()[row, place]
    return (
        f"scale: {item} has {float(value):g} in row {values.index[row]} ({int(off.sum())} such answers in all); "
        f"expected {low[place]:g} to {high[place]:g}. Correct the data, the scale, or name the code in dont_know."
    )
