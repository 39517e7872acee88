"""Units that a condition may carry: 90 days is 2.96 months, 3 万元 is 30,000 元.

Units of one kind are converted into the unit of their input; a unit of no known kind stands only for itself.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Kind of unit → names of a unit → its size in a common unit of the kind. A month is the mean one: 365.25 / 12 days.
KINDS: Mapping[str, Mapping[str, float]] = {
    "time": {
        **dict.fromkeys(("day", "日", "天"), 1.0),
        **dict.fromkeys(("week", "周"), 7.0),
        **dict.fromkeys(("month", "月", "个月"), 30.4375),
        **dict.fromkeys(("quarter", "季度"), 91.3125),
        **dict.fromkeys(("year", "年"), 365.25),
    },
    "money": {
        **dict.fromkeys(("cny", "rmb", "yuan", "元", "¥"), 1.0),
        **dict.fromkeys(("千元",), 1e3),
        **dict.fromkeys(("万元", "万"), 1e4),
    },
    "share": {"share": 1.0, "%": 0.01},
}
_SIZES = {name: (kind, size) for kind, names in KINDS.items() for name, size in names.items()}


def canonical(unit: str) -> str:
    """A unit as it is looked up: lower case, without the s of a plural.

    Examples
    --------
    >>> canonical("Months"), canonical("万元")
    ('month', '万元')
    """
    name = unit.strip().lower()
    singular = name.removesuffix("s")
    return singular if singular in _SIZES or len(singular) > 2 else name


def ratio(unit: str, into: str) -> float | None:
    """How many of the second unit one of the first is; None if they measure different things.

    Examples
    --------
    >>> ratio("year", "months"), ratio("%", "share"), ratio("day", "元")
    (12.0, 0.01, None)
    """
    first, second = canonical(unit), canonical(into)
    if first == second:
        return 1.0
    kind, size = _SIZES.get(first, (first, 1.0))
    other_kind, other_size = _SIZES.get(second, (second, 1.0))
    return size / other_size if kind == other_kind else None
