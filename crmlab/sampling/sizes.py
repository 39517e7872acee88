"""How many respondents: for a share, a mean, a finite population, clusters, a path model; and the margins they give.

Everything about shares and means follows from one variance. Under simple random sampling without replacement, with n
of N people and a unit variance S² (divisor N − 1), an estimate has the variance deff · (1 − n/N) · S² / n; the margin
is z standard errors (Cochran 1977, chapters 2 to 4). A design effect deff multiplies the variance of the simple random
sample of the same size (Kish 1965, section 5.4). The minimum for partial least squares is from Kock & Hadaya (2018).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from statistics import NormalDist
from typing import TYPE_CHECKING

from crmlab.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_GAMMA_UP_TO = 10
_LARGEST = 10_000_000


def size_for_proportion(
    margin: float,
    *,
    share: float = 0.5,
    level: float = 0.95,
    population: int | None = None,
    design_effect: float = 1.0,
) -> int:
    """Respondents needed to know a share to within ± a margin.

    Parameters
    ----------
    margin : float
        Half the width of the interval, as a share: 0.05 for five percentage points.
    share : float in (0, 1)
        The share that is expected; 0.5 is the worst case.
    level : float in (0, 1)
        Confidence level.
    population : int, optional
        Everybody who could be asked, N; left out, the population is taken for endless.
    design_effect : float
        Variance of the design relative to a simple random sample; see `cluster_design_effect`.

    Returns
    -------
    int
        n₀ = deff · z² p(1 − p)/e², and in a finite population n = n₀/(1 + (n₀ − 1)/N), rounded up.

    Raises
    ------
    InputError
        For a number outside its range.

    References
    ----------
    Cochran (1977), section 4.4.

    Examples
    --------
    >>> size_for_proportion(0.05), size_for_proportion(0.05, population=1000)
    (385, 278)
    """
    return _size(_unit_variance(share, population), margin, level, population, design_effect)


def size_for_mean(
    margin: float,
    sd: float,
    *,
    level: float = 0.95,
    population: int | None = None,
    design_effect: float = 1.0,
) -> int:
    """Respondents needed to know a mean to within ± a margin.

    Parameters
    ----------
    margin, sd : float
        In the same units: scale points, or points of the index. `sd` is the standard deviation between people.
    level, population, design_effect
        As in `size_for_proportion`.

    Returns
    -------
    int
        n₀ = deff · (z s/e)², and in a finite population n = n₀/(1 + n₀/N), rounded up.

    Raises
    ------
    InputError
        For a number outside its range.

    References
    ----------
    Cochran (1977), section 4.6.

    Examples
    --------
    >>> size_for_mean(1, sd=18), size_for_mean(1, sd=18, population=5000)
    (1245, 997)
    """
    _require("sd", sd, sd > 0, "a number above 0, the standard deviation between people")
    return _size(sd**2, margin, level, population, design_effect)


def margin_of_proportion(
    n: int,
    *,
    share: float = 0.5,
    level: float = 0.95,
    population: int | None = None,
    design_effect: float = 1.0,
) -> float:
    """Margin of a share when n people answer: the inverse of `size_for_proportion`, which explains the arguments.

    Examples
    --------
    >>> print(f"{margin_of_proportion(400):.3f}", f"{margin_of_proportion(400, population=1000):.3f}")
    0.049 0.038
    """
    return _margin(_unit_variance(share, population), n, level, population, design_effect)


def margin_of_mean(
    n: int,
    sd: float,
    *,
    level: float = 0.95,
    population: int | None = None,
    design_effect: float = 1.0,
) -> float:
    """Margin of a mean when n people answer: the inverse of `size_for_mean`, which explains the arguments.

    Examples
    --------
    >>> print(f"{margin_of_mean(250, sd=18):.2f}")
    2.23
    """
    _require("sd", sd, sd > 0, "a number above 0, the standard deviation between people")
    return _margin(sd**2, n, level, population, design_effect)


def precision(
    sizes: Iterable[int],
    *,
    sd: float | None = None,
    share: float = 0.5,
    level: float = 0.95,
    population: int | None = None,
    design_effect: float = 1.0,
) -> pd.DataFrame:
    """What several sample sizes buy: the table behind a precision curve.

    Parameters
    ----------
    sizes : iterable of int
    sd : float, optional
        Given, the margins are those of a mean in its units; left out, those of a share.
    share, level, population, design_effect
        As in `size_for_proportion`.

    Returns
    -------
    DataFrame: n, margin

    Examples
    --------
    >>> precision([100, 400, 1600], sd=18).round(2)
          n  margin
    0   100    3.53
    1   400    1.76
    2  1600    0.88
    """
    import pandas as pd

    variance = _unit_variance(share, population) if sd is None else sd**2
    rows = [(int(n), _margin(variance, n, level, population, design_effect)) for n in sizes]
    return pd.DataFrame(rows, columns=["n", "margin"])


def cluster_design_effect(cluster_size: float, icc: float) -> float:
    """By how much asking whole clusters (shops, classes, households) inflates the variance.

    Parameters
    ----------
    cluster_size : float, 1 or more
        People asked in each cluster, m; their mean number when clusters differ little in size.
    icc : float, −1/(m − 1) to 1
        Intraclass correlation ρ: how alike people of one cluster are.

    Returns
    -------
    float
        1 + (m − 1) ρ.

    Raises
    ------
    InputError
        For a number outside its range.

    References
    ----------
    Kish (1965), section 5.4.

    Examples
    --------
    >>> print(f"{cluster_design_effect(20, 0.05):.2f}")
    1.95
    """
    _require("cluster_size", cluster_size, cluster_size >= 1, "1 or more, the people asked in each cluster")
    lowest = -1 / (cluster_size - 1) if cluster_size > 1 else -1.0
    _require("icc", icc, lowest < icc <= 1, f"a correlation above {lowest:.3g} and up to 1")
    return 1 + (cluster_size - 1) * icc


def pls_size(path: float, *, alpha: float = 0.05, power: float = 0.80, method: str = "inverse_square_root") -> int:
    """The smallest survey in which partial least squares finds a path of this size.

    Parameters
    ----------
    path : float
        The smallest standardised path coefficient that matters, by its absolute value, 0 to 1.
    alpha : float in (0, 1)
        One-sided level: the sign of the path is stated beforehand.
    power : float in (0, 1)
        Probability of finding the path when it is there.
    method : "inverse_square_root" or "gamma_exponential"
        With c = z₁₋α + z_power, the smallest N for which |β| √N > c; or, with a smaller standard error,
        |β| √N e^(e|β|/√N) > c, and where that gives 10 or fewer, the gamma function's correction instead.

    Raises
    ------
    InputError
        For a number outside its range, another method, or a path so small that ten million would not do.

    Notes
    -----
    The gamma-exponential rule is given as published. Where it changes its formula, at paths of about .5, its answer
    jumps up (path .50: 11 respondents, .55: 20); the inverse square root has no such step and errs on the safe side.

    References
    ----------
    Kock & Hadaya (2018), equations 5, 6 and 7. If nothing is known of the path they advise .197.

    Examples
    --------
    >>> pls_size(0.197), pls_size(0.197, method="gamma_exponential")
    (160, 146)
    """
    if method not in _PLS_METHODS:
        raise InputError(f"method: found {method!r}; expected one of {', '.join(_PLS_METHODS)}. Choose one of them.")
    _require("path", path, 0 < abs(path) <= 1, "a standardised path from −1 to 1 and not 0")
    return _PLS_METHODS[method](abs(path), _strength(alpha, power))


def pls_smallest_path(n: int, *, alpha: float = 0.05, power: float = 0.80) -> float:
    """The smallest path that a survey of n people finds: the inverse of `pls_size` by the inverse square root.

    Examples
    --------
    >>> print(f"{pls_smallest_path(160):.3f}")
    0.197
    """
    _require("n", n, n >= 1, "1 or more respondents")
    return _strength(alpha, power) / math.sqrt(n)


def ten_times_rule(arrows: int) -> int:
    """Ten respondents for each arrow into the busiest construct, or each item of the largest formative block.

    A floor below which an estimate is not worth making, and no promise of power: it knows nothing of the size of the
    paths (Kock & Hadaya 2018 show how far it can fall short).

    References
    ----------
    Barclay, D., Higgins, C., & Thompson, R. (1995). The partial least squares approach to causal modeling. Technology
    Studies 2(2), 285–309.

    Examples
    --------
    >>> ten_times_rule(4)
    40
    """
    return 10 * arrows


# --- One variance, one margin -----------------------------------------------------------------------------------------


def _unit_variance(share: float, population: int | None) -> float:
    """S² of a yes or no: p(1 − p), times N/(N − 1) in a finite population (Cochran 1977, section 3.2)."""
    _require("share", share, 0 < share < 1, "a share above 0 and below 1")
    _require_population(population)
    finite = 1.0 if population is None else population / (population - 1)
    return share * (1 - share) * finite


def _size(variance: float, margin: float, level: float, population: int | None, design_effect: float) -> int:
    _require("margin", margin, margin > 0, "a number above 0, half the width of the interval")
    _require("design_effect", design_effect, design_effect > 0, "a number above 0")
    _require_population(population)
    endless = design_effect * variance * (_z(level) / margin) ** 2
    return _upwards(endless if population is None else endless / (1 + endless / population))


def _margin(variance: float, n: int, level: float, population: int | None, design_effect: float) -> float:
    _require("n", n, n >= 1, "1 or more respondents")
    _require("design_effect", design_effect, design_effect > 0, "a number above 0")
    _require_population(population)
    if population is not None:
        _require("n", n, n <= population, f"at most {population}, the population")
    left_out = 1.0 if population is None else 1 - n / population
    return _z(level) * math.sqrt(design_effect * left_out * variance / n)


def _z(level: float) -> float:
    _require("level", level, 0 < level < 1, "a confidence level between 0 and 1")
    return NormalDist().inv_cdf((1 + level) / 2)


def _upwards(n: float) -> int:
    """The next whole number; one that is missed only by the machine's rounding counts as reached."""
    return math.ceil(n * (1 - 1e-12))


# --- Partial least squares --------------------------------------------------------------------------------------------


def _strength(alpha: float, power: float) -> float:
    """z₁₋α + z_power, the number of standard errors that a path must measure; 2.486 at .05 and .80."""
    _require("alpha", alpha, 0 < alpha < 1, "a level between 0 and 1")
    _require("power", power, 0 < power < 1, "a probability between 0 and 1")
    strength = NormalDist().inv_cdf(1 - alpha) + NormalDist().inv_cdf(power)
    _require("power", power, strength > 0, f"a power above the level alpha, {alpha:g}")
    return strength


def _inverse_square_root(path: float, strength: float) -> int:
    return _upwards((strength / path) ** 2)


def _gamma_exponential(path: float, strength: float) -> int:
    found = _first(lambda n: path * math.sqrt(n) * math.exp(math.e * path / math.sqrt(n)) > strength)
    if found > _GAMMA_UP_TO:
        return found
    return _first(lambda n: n > 1 and path * math.sqrt(n) / _small_sample(n) > strength)


def _small_sample(n: int) -> float:
    """c₄ = √(2/(n − 1)) Γ(n/2)/Γ((n − 1)/2), by which a standard deviation is underestimated in a small sample."""
    return math.sqrt(2 / (n - 1)) * math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2))


def _first(enough: Callable[[int], bool]) -> int:
    """The first whole number that is enough; being enough lasts from there on."""
    high = 1
    while not enough(high):
        high *= 2
        if high > _LARGEST:
            raise InputError("path: found one so small that ten million respondents would not find it. State a larger.")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


_PLS_METHODS: dict[str, Callable[[float, float], int]] = {
    "inverse_square_root": _inverse_square_root,
    "gamma_exponential": _gamma_exponential,
}


def _require(name: str, value: object, holds: bool, expected: str) -> None:
    if not holds:
        raise InputError(f"{name}: found {value}; expected {expected}. Correct it.")


def _require_population(population: int | None) -> None:
    if population is not None:
        _require("population", population, population >= 2, "2 or more people, or nothing for an endless population")
