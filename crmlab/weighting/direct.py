"""Direct weights 直接赋权: points for every item, or ranked items compared with the next one (chapter 8, 直接比较法).

The simplest subjective methods 主观赋权法. Both take one judge or several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError

from .scaling import kendall_w
from .told import as_weights

if TYPE_CHECKING:
    import pandas as pd

#: Kendall's W below this: the judges do not agree well enough for one set of weights to speak for them.
LOW_AGREEMENT = 0.5


def direct_rating(ratings: Any) -> pd.Series:
    """Points given to every item, as shares of each judge's total, averaged over judges.

    Parameters
    ----------
    ratings : mapping or Series of item to points, or DataFrame (judges × items)
        Points of 0 or more on any scale; each judge's points count as shares of that judge's sum.

    Returns
    -------
    Series
        Non-negative, sum 1; `attrs["judges"]` holds the weights of each judge, `attrs["problems"]` what has to be said.

    Raises
    ------
    InputError
        Points that are missing, negative or no numbers, or a judge who gives 0 to everything.

    Examples
    --------
    >>> direct_rating({"price": 30, "quality": 50, "service": 20}).to_dict()
    {'price': 0.3, 'quality': 0.5, 'service': 0.2}
    """
    import pandas as pd

    table = ratings if isinstance(ratings, pd.DataFrame) else pd.DataFrame([dict(ratings)], index=["one judge"])
    for judge, row in table.iterrows():
        for item, points in row.items():
            if not _is_number(points) or points < 0:
                raise InputError(
                    f"direct rating: judge {judge} gives {item} {points!r}; expected a number of points, 0 or more. "
                    "Correct the rating."
                )
        if not row.sum() > 0:
            raise InputError(f"direct rating: judge {judge} gives 0 points to every item; expected some above 0.")
    shares = table.astype(float).div(table.astype(float).sum(axis=1), axis=0)
    return of_judges(shares, shares.mean().to_numpy(), "direct rating")


def direct_comparison(ratios: Mapping[str, float | None] | Mapping[str, Mapping[str, float | None]]) -> pd.Series:
    """Direct comparison 直接比较法: items ranked from most to least important, each compared with the next, chained.

    If an item is r times as important as the next, the last has the value 1 and each other one r times that of its
    successor; the values are then divided by their sum. Several judges' values are averaged geometrically, as ratios
    should be.

    Parameters
    ----------
    ratios : mapping of item to ratio, in the judge's order; or mapping of judge to such a mapping
        Each at least 1, the last None or 1.

    Returns
    -------
    Series
        Positive, sum 1, in the order of the (first) judge; `attrs["judges"]` holds the weights of each judge.

    Raises
    ------
    InputError
        A ratio below 1 or none where one is needed; judges who do not compare the same items.

    Examples
    --------
    >>> direct_comparison({"quality": 1.5, "price": 2, "service": None}).round(3).to_dict()
    {'quality': 0.5, 'price': 0.333, 'service': 0.167}
    """
    import pandas as pd

    several = bool(ratios) and all(isinstance(chain, Mapping) for chain in ratios.values())
    chains: dict[str, Any] = dict(ratios) if several else {"one judge": ratios}
    values = {judge: _chained(judge, chain) for judge, chain in chains.items()}
    items = list(next(iter(values.values())))
    for judge, chain in values.items():
        if set(chain) != set(items):
            odd = sorted(set(chain) ^ set(items), key=str)
            raise InputError(
                f"direct comparison: judge {judge} and the first judge differ in {odd[0]}; expected every judge to "
                f"rank {', '.join(map(str, items))}."
            )
    table = pd.DataFrame(values).T[items]
    group = np.exp(np.log(table).mean()).to_numpy()
    return of_judges(table.div(table.sum(axis=1), axis=0), group, "direct comparison")


def of_judges(judges: pd.DataFrame, group: Any, method: str) -> pd.Series:
    """The group's weights with those of every judge (judges × items) in `attrs`, and a word where they disagree."""
    agreement, pvalue = kendall_w(judges.to_numpy())
    told = []
    if agreement < LOW_AGREEMENT:
        told.append(
            f"{method}: the {len(judges)} judges agree little on the order (Kendall's W {agreement:.2f}, p = "
            f"{pvalue:.2f}); their mean speaks for nobody in particular. Let them talk, and judge again."
        )
    weights = as_weights(group, list(judges.columns), method, told)
    weights.attrs |= {"judges": judges.to_dict("index"), "agreement": agreement}
    return weights


def _chained(judge: str, chain: Mapping[str, float | None]) -> dict[str, float]:
    items: Sequence[str] = list(chain)
    if len(items) < 2:
        raise InputError(f"direct comparison: judge {judge} ranks {len(items)} items; expected two or more.")
    last = chain[items[-1]]
    if last is not None and not (_is_number(last) and last in (0, 1)) and last == last:
        raise InputError(
            f"direct comparison: judge {judge}, {items[-1]}: found {last!r}; nothing comes after the last item. Leave "
            "its ratio empty."
        )
    values, value = {items[-1]: 1.0}, 1.0
    for item, following in zip(reversed(items[:-1]), reversed(items[1:]), strict=True):
        ratio = chain[item]
        if not _is_number(ratio) or float(ratio or 0) < 1:
            raise InputError(
                f"direct comparison: judge {judge}, {item} against {following}: found {ratio!r}; expected how many "
                "times as important it is as the next, 1 or more. Put the more important one first."
            )
        value *= float(ratio or 0)
        values[item] = value
    return {item: values[item] for item in items}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool) and value == value
