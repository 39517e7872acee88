"""Shares of respondents with intervals: top-2-box 前两项占比 and the net promoter score 净推荐值 (chapters 7 and 10).

References
----------
Bonett, D. G. & Price, R. M. (2012). Adjusted Wald confidence interval for a difference of binomial proportions based on
paired data. Journal of Educational and Behavioral Statistics 37, 479–488.
Brown, L. D., Cai, T. T. & DasGupta, A. (2001). Interval estimation for a binomial proportion. Statistical Science 16,
101–133.
Reichheld, F. F. (2003). The one number you need to grow. Harvard Business Review 81(12), 46–54.
Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the American
Statistical Association 22, 209–212.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from crmlab.errors import InputError
from crmlab.likert.battery import Battery, Items, Scale, column, frame_of

if TYPE_CHECKING:
    from crmlab.responses import Responses

Array = NDArray[np.float64]

INTERVALS = {"wilson": "Wilson", "clopper-pearson": "Clopper–Pearson", "wald": "Wald"}
NPS_INTERVALS = {"bonett-price": "Bonett–Price", "wald": "Wald"}
NPS_SCALE = (0.0, 10.0)
PROMOTER, DETRACTOR = 9, 6  # Reichheld (2003): 9–10 promote, 0–6 detract


def share_interval(
    count: ArrayLike, n: ArrayLike, *, method: str = "wilson", level: float = 0.95
) -> tuple[Array, Array]:
    """Interval of a share, count out of n; element by element.

    Parameters
    ----------
    count, n : array-like
        0 ≤ count ≤ n; nan where n is 0.
    method : {"wilson", "clopper-pearson", "wald"}
        Wilson covers about as often as it says at every share; Clopper–Pearson never less, and is wide; Wald is the
        textbook's, and fails near 0 and 1 (Brown, Cai & DasGupta 2001).
    level : float in (0, 1)

    Raises
    ------
    InputError
        Unknown method, or level out of range.

    Examples
    --------
    >>> lower, upper = share_interval(81, 263)          # Newcombe (1998), Statistics in Medicine 17, table I
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.2553, 0.3662)
    """
    _check(method, INTERVALS, level)
    x, size = (np.asarray(a, dtype=float) for a in np.broadcast_arrays(count, n))
    size = np.where(size > 0, size, np.nan)
    with np.errstate(invalid="ignore"):
        lower, upper = _SHARE_INTERVALS[method](x, size, level)
    return np.clip(lower, 0, 1), np.clip(upper, 0, 1)


def net_promoter_interval(
    promoters: ArrayLike, detractors: ArrayLike, n: ArrayLike, *, method: str = "bonett-price", level: float = 0.95
) -> tuple[Array, Array]:
    """Interval of the share of promoters minus that of detractors, −1 to 1.

    The two shares come from the same respondents, so the variance is (p + d − (p − d)²)/n. Bonett & Price (2012) add
    one respondent to each side before they use it, which keeps the coverage in small samples.

    Parameters
    ----------
    promoters, detractors, n : array-like
        Counts.
    method : {"bonett-price", "wald"}
    level : float in (0, 1)

    Examples
    --------
    >>> lower, upper = net_promoter_interval(40, 20, 100)
    >>> round(float(lower), 3), round(float(upper), 3)
    (0.05, 0.343)
    """
    _check(method, NPS_INTERVALS, level)
    extra = 1.0 if method == "bonett-price" else 0.0
    size = np.asarray(n, dtype=float)
    size = np.where(size > 0, size, np.nan) + 2 * extra
    p, d = (np.asarray(promoters, dtype=float) + extra) / size, (np.asarray(detractors, dtype=float) + extra) / size
    margin = _z(level) * np.sqrt((p + d - (p - d) ** 2) / size)
    return np.clip(p - d - margin, -1, 1), np.clip(p - d + margin, -1, 1)


def top2box(
    data: pd.DataFrame | Responses,
    items: Items,
    *,
    scale: Scale | None = None,
    top: int = 2,
    by: str | None = None,
    dont_know: Sequence[float] = (),
    method: str = "wilson",
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of the answers in the highest `top` points of each item, among those who gave one.

    Parameters
    ----------
    data : DataFrame or Responses
    items, scale
        As for `Battery.of`.
    top : int, at least 1
    by : str, optional
        Column of groups.
    dont_know : sequence of numbers
        Codes that are no answer.
    method, level
        As for `share_interval`.

    Returns
    -------
    DataFrame: group (with `by`), item, n, count, share, ci_lower, ci_upper, interval
        Shares 0–1; `interval` names the kind.

    Raises
    ------
    InputError

    Examples
    --------
    >>> answers = pd.DataFrame({"SA1": [5, 4, 4, 2, 1, None]})
    >>> top2box(answers, ["SA1"], scale=(1, 5))[["count", "share", "ci_lower", "ci_upper"]].round(2).to_numpy().tolist()
    [[3.0, 0.6, 0.23, 0.88]]
    """
    battery = Battery.of(items, scale)
    values = battery.read(data, dont_know=dont_know).mask(lambda found: found.isin(list(dont_know)))
    if top < 1:
        raise InputError(f"top is the number of points counted from the highest, at least 1; found {top}.")
    high = values > battery.table["max"] - top
    rows = []
    for group, members in groups_of(data, by):
        n, count = values.iloc[members].notna().sum(), high.iloc[members].sum()
        rows.append(pd.DataFrame({"group": group, "item": battery.items, "n": n.to_numpy(), "count": count.to_numpy()}))
    table = pd.concat(rows, ignore_index=True)
    lower, upper = share_interval(table["count"], table["n"], method=method, level=level)
    share = table["count"] / table["n"].where(table["n"] > 0)
    table = table.assign(share=share, ci_lower=lower, ci_upper=upper, interval=_named(INTERVALS[method], level))
    return table if by is not None else table.drop(columns="group")


def nps(
    data: pd.DataFrame | Responses,
    items: Items,
    *,
    scale: Scale | None = NPS_SCALE,
    by: str | None = None,
    method: str = "bonett-price",
    level: float = 0.95,
) -> pd.DataFrame:
    """Net promoter score of items asked from 0 to 10: share of 9–10 minus share of 0–6 (Reichheld 2003), times 100.

    Parameters
    ----------
    data, items, by
        As for `top2box`.
    scale
        Must be 0 to 10.
    method : {"bonett-price", "wald"}
    level : float in (0, 1)

    Returns
    -------
    DataFrame: group (with `by`), item, n, promoters, passives, detractors (shares), nps, ci_lower, ci_upper, interval
        nps and its interval from −100 to 100.

    Raises
    ------
    InputError
        An item on another scale: its score would not be comparable with anybody's.

    Examples
    --------
    >>> answers = pd.DataFrame({"recommend": [10] * 4 + [8] * 4 + [3] * 2})
    >>> nps(answers, ["recommend"]).round(1).loc[0, ["nps", "ci_lower", "ci_upper"]].tolist()
    [20.0, -28.6, 61.9]
    """
    battery = Battery.of(items, scale)
    other = battery.table[(battery.table["min"] != NPS_SCALE[0]) | (battery.table["max"] != NPS_SCALE[1])]
    if len(other):
        item, ends = other.index[0], other.iloc[0]
        raise InputError(
            f"nps: {item} is asked from {ends['min']:g} to {ends['max']:g}; the net promoter score is defined on 0 to "
            "10. Report its top-2-box instead, or ask again on 0 to 10."
        )
    values = battery.read(data)
    rows = []
    for group, members in groups_of(data, by):
        chosen = values.iloc[members]
        n, up, down = chosen.notna().sum(), (chosen >= PROMOTER).sum(), (chosen <= DETRACTOR).sum()
        columns = {"n": n.to_numpy(), "up": up.to_numpy(), "down": down.to_numpy()}
        rows.append(pd.DataFrame({"group": group, "item": battery.items, **columns}))
    table = pd.concat(rows, ignore_index=True)
    lower, upper = net_promoter_interval(table["up"], table["down"], table["n"], method=method, level=level)
    n = table["n"].where(table["n"] > 0)
    promoters, detractors = table.pop("up") / n, table.pop("down") / n
    shares = {"promoters": promoters, "passives": 1 - promoters - detractors, "detractors": detractors}
    score = 100 * (promoters - detractors)
    named = _named(NPS_INTERVALS[method], level)
    table = table.assign(**shares, nps=score, ci_lower=100 * lower, ci_upper=100 * upper, interval=named)
    return table if by is not None else table.drop(columns="group")


def groups_of(data: pd.DataFrame | Responses, by: str | None) -> list[tuple[str, NDArray[np.intp]]]:
    """Rows of each group by their place, groups in the order of their names; all rows as one group without `by`.

    Places, because labels repeat where tables were joined one below the other.
    """
    frame = frame_of(data)
    if by is None:
        return [("", np.arange(len(frame)))]
    values = column(data, by, "by")
    if values.isna().all():
        raise InputError(f"by: nobody has a value in column {by!r}, so there is no group. Choose another column.")
    return [
        (str(name), np.asarray(rows))
        for name, rows in sorted(values.groupby(values).indices.items(), key=lambda g: str(g[0]))
    ]


def _named(name: str, level: float) -> str:
    return f"{name} {100 * level:g} %"


def _check(method: str, known: dict[str, str], level: float) -> None:
    if method not in known:
        raise InputError(f"method {method!r} is unknown; choose one of {', '.join(known)}.")
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, found {level}.")


def _z(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def _wilson(x: Array, n: Array, level: float) -> tuple[Array, Array]:
    """(x + z²/2 ± z√(x(n − x)/n + z²/4)) / (n + z²) (Wilson 1927)."""
    z = _z(level)
    centre, margin = x + z**2 / 2, z * np.sqrt(x * (n - x) / n + z**2 / 4)
    lower, upper = (centre - margin) / (n + z**2), (centre + margin) / (n + z**2)
    return np.where(x == 0, 0.0 * n, lower), np.where(x == n, 1.0, upper)


def _clopper_pearson(x: Array, n: Array, level: float) -> tuple[Array, Array]:
    """Quantiles of beta distributions that leave half of 1 − level beyond each end."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    lower = np.where(x > 0, betaincinv(np.maximum(x, 0.5), n - x + 1, tail), 0.0 * n)
    upper = np.where(x < n, betaincinv(x + 1, np.maximum(n - x, 0.5), 1 - tail), 1.0 + 0.0 * n)
    return lower, upper


def _wald(x: Array, n: Array, level: float) -> tuple[Array, Array]:
    """p ± z√(p(1 − p)/n)."""
    p = x / n
    margin = _z(level) * np.sqrt(p * (1 - p) / n)
    return p - margin, p + margin


_SHARE_INTERVALS: dict[str, Callable[[Array, Array, float], tuple[Array, Array]]] = {
    "wilson": _wilson,
    "clopper-pearson": _clopper_pearson,
    "wald": _wald,
}
