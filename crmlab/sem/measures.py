"""How well a covariance structure fits: every measure lavaan prints, as pure functions of test statistics and moments.

Serves the chapters that judge a measurement model before an index is read from it. Each measure stands in a function of
its own beside its source; `fit_measures` calls them all and names the results as lavaan does, with `_` for `.`.
Three kinds occur: the plain one of the unadjusted statistic; `_scaled`, the same formula with the scaled statistic put
in (its population value depends on the scaling); and `_robust`, which estimates what the plain one would be under
normality (Brosseau-Liard & Savalei 2014; with missing answers Zhang & Savalei 2023; for ordinal items Savalei 2021).

What cannot be had is nan: a p-value at df = 0, a ratio to a baseline of nothing, anything from a statistic that is nan.
A saturated model (df = 0) has CFI = TLI = 1 and RMSEA = 0 with interval (0, 0), as lavaan prints.

References
----------
Bentler, P. M. (1990). Comparative fit indexes in structural models. Psychological Bulletin 107, 238–246.
Brosseau-Liard, P. E. & Savalei, V. (2014). Adjusting incremental fit indices for nonnormality. Multivariate Behavioral
Research 49, 460–470.
Hu, L. & Bentler, P. M. (1999). Cutoff criteria for fit indexes in covariance structure analysis. Structural Equation
Modeling 6, 1–55.
Steiger, J. H. (1990). Structural model evaluation and modification. Multivariate Behavioral Research 25, 173–180.
Tucker, L. R. & Lewis, C. (1973). A reliability coefficient for maximum likelihood factor analysis. Psychometrika 38,
1–10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .moments import Array

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")
_NOTHING = 1e-12  # what rounding leaves of a statistic that is 0


@dataclass(frozen=True)
class TestStatistics:
    """A χ² test of a model, plain and, where the estimator is robust, scaled.

    Attributes
    ----------
    chisq : float
        The unadjusted statistic.
    df : int
    scaling_factor : float or None
        Divisor of the scaled statistic; None where there is no scaled test, nan where it could not be had.
    shift : float or None
        Added after the division ("scaled and shifted", Asparouhov & Muthén 2010, of WLSMV and MLMV).
    df_scaled : float or None
        Degrees of freedom of the mean-and-variance adjusted statistic (Satterthwaite); None: as `df`.
    is_chi_squared : bool
        False where the plain statistic has no known distribution (ULS): its p-value is nan.

    Examples
    --------
    >>> test = TestStatistics(85.306, 24, scaling_factor=0.97904)
    >>> round(test.chisq_scaled, 2)
    87.13
    """

    __test__ = False  # the name begins like a test's, and test runners collect by name

    chisq: float
    df: int
    scaling_factor: float | None = None
    shift: float | None = None
    df_scaled: float | None = None
    is_chi_squared: bool = True

    @property
    def is_scaled(self) -> bool:
        return self.scaling_factor is not None

    @property
    def chisq_scaled(self) -> float:
        """T / c + shift; a saturated model keeps its 0."""
        if self.df == 0:
            return self.chisq
        return self.chisq / _number(self.scaling_factor) + (self.shift or 0.0)

    @property
    def scaled(self) -> TestStatistics:
        """The scaled statistic as a test of its own."""
        df = self.df if self.df_scaled is None else self.df_scaled
        return TestStatistics(self.chisq_scaled, df)  # type: ignore[arg-type]

    @property
    def trace(self) -> TestStatistics:
        """The statistic that RMSEA_scaled is made of: T with df = tr(UΓ); a shifted one with its own df."""
        if self.shift is not None:
            return self.scaled
        df = self.df if self.df_scaled is None else self.df_scaled
        trace = _number(self.scaling_factor) * df
        return TestStatistics(self.chisq, trace if trace > 0 else NAN)  # type: ignore[arg-type]

    @property
    def c_hat(self) -> float:
        """Mean of T under the model, per degree of freedom: c, or c (df − shift) / df where the test is shifted."""
        if self.df == 0:
            return NAN
        return _number(self.scaling_factor) * (self.df - (self.shift or 0.0)) / self.df


@dataclass(frozen=True)
class Corrected:
    """A normal-theory statistic for the complete, continuous data that were not seen, with its mean per df, c_hat.

    Made by `corrected.missing_data` (FIML) or `corrected.ordinal` (DWLS); robust measures read it in place of the test.
    """

    chisq: float
    c_hat: float
    baseline_chisq: float
    baseline_c_hat: float
    interval_chisq: float | None = None
    interval_c: float | None = None

    @property
    def for_interval(self) -> tuple[float, float]:
        """Statistic compared with χ²(df) in the interval of the robust RMSEA, and its factor: T / c and c.

        A shifted test uses itself and its divisor, without the shift, as lavaan 0.6-14 does.
        """
        if self.interval_chisq is None or self.interval_c is None:
            return self.chisq / self.c_hat if self.c_hat else NAN, self.c_hat
        return self.interval_chisq, self.interval_c


@dataclass(frozen=True)
class GroupMoments:
    """Observed or implied moments of one group.

    Attributes
    ----------
    cov : array (p, p)
        Covariances, divisor n; for ordinal items the polychoric correlations.
    mean : array (p,) or None
        Means where the model has a mean structure; of no account for ordinal items.
    thresholds : array (t,) or None
        Thresholds of the ordinal items, item by item.
    owners : sequence of int
        Position of the item each threshold belongs to; empty where all items are ordinal and weights are not by item.
    slopes : array (k,) or None
        Slopes on covariates that the moments of ordinal items are given.
    """

    cov: Array
    mean: Array | None = None
    thresholds: Array | None = None
    owners: Sequence[int] = ()
    slopes: Array | None = None

    @property
    def continuous(self) -> list[int]:
        """Positions of the items that are not ordinal."""
        if self.thresholds is not None and not len(self.owners):
            return []
        return [i for i in range(len(self.cov)) if i not in self.owners]

    @property
    def stacked(self) -> Array:
        """All moments in the order of a weight matrix of least squares.

        Continuous items: means, then vech of the covariance by columns. With ordinal items: item by item its thresholds
        or minus its mean, then slopes, variances of the continuous items, and the covariances below the diagonal.
        """
        p = len(self.cov)
        below = self.cov.T[np.triu_indices(p, 1)]
        if self.thresholds is None:
            return np.concatenate([[] if self.mean is None else self.mean, self.cov.T[np.triu_indices(p)]])
        slopes = np.empty(0) if self.slopes is None else self.slopes
        if not self.continuous or self.mean is None:
            return np.concatenate([self.thresholds, slopes, below])
        levels, owners = self.thresholds, np.asarray(self.owners)
        by_item = [levels[owners == i] if i in self.owners else [-self.mean[i]] for i in range(p)]
        return np.concatenate([*by_item, slopes, np.diag(self.cov)[self.continuous], below])


@dataclass(frozen=True)
class Likelihoods:
    """Log-likelihoods of the model (`h0`) and of the saturated one (`h1`), with the scaling factors of MLR."""

    h0: float
    h1: float
    scaling_h0: float | None = None
    scaling_h1: float | None = None


@dataclass(frozen=True)
class Residue:
    """Everything `fit_measures` reads of the data: group sizes, moments and how they were weighted.

    Attributes
    ----------
    n : sequence of int
        Respondents in each group.
    sample, implied : sequences of GroupMoments
    weights : sequence of arrays or None
        Of each group the matrix of weights (or its diagonal) in the order of `GroupMoments.stacked`: of least squares,
        or under FIML the information in the answers present. None: normal-theory weights at the implied Σ.
    least_squares : bool
        The statistic is (n − 1) F in each group, not n F, and there is no likelihood.
    exogenous : sequence of int
        Positions of fixed covariates (lavaan's fixed.x), the same in every group.
    pairwise : sequence of GroupMoments or None
        Under FIML the moments GFI is of in lavaan, see `corrected.pairwise_moments`; None: `sample`.
    """

    n: Sequence[int]
    sample: Sequence[GroupMoments]
    implied: Sequence[GroupMoments]
    weights: Sequence[Array] | None = None
    least_squares: bool = False
    exogenous: Sequence[int] = ()
    pairwise: Sequence[GroupMoments] | None = None

    @property
    def total(self) -> int:
        return int(sum(self.n))

    @property
    def effective(self) -> int:
        """N of the noncentrality measures: Σn, under least squares Σ(n − 1)."""
        return self.total - len(self.n) if self.least_squares else self.total

    @property
    def shares(self) -> Array:
        return np.asarray(self.n, dtype=float) / self.total

    @property
    def ordinal(self) -> bool:
        return any(group.thresholds is not None for group in self.sample)


@dataclass(frozen=True)
class Closeness:
    """Level of the RMSEA interval, and the RMSEA of the tests of close and of not-close fit (MacCallum et al. 1996)."""

    level: float = 0.90
    close: float = 0.05
    not_close: float = 0.08


def fit_measures(
    test: TestStatistics,
    baseline: TestStatistics,
    data: Residue,
    n_free: int,
    *,
    likelihoods: Likelihoods | None = None,
    corrected: Corrected | None = None,
    robust: bool | None = None,
    closeness: Closeness | None = None,
) -> pd.Series:
    """Every fit measure of lavaan 0.6-14 that applies to the estimator, in its order.

    Parameters
    ----------
    test, baseline : TestStatistics
        Of the model and of the independence model.
    data : Residue
        Group sizes, observed and implied moments.
    n_free : int
        Free parameters after constraints.
    likelihoods : Likelihoods or None
        None under least squares: no information criteria, no ECVI.
    corrected : Corrected or None
        For FIML and for ordinal items: what the robust measures are computed from.
    robust : bool or None
        Whether robust measures are wanted; None: where there is a mean-scaled or shifted test, or `corrected`.
        Where ordinal items leave `corrected` None, robust measures are nan.

    Returns
    -------
    pandas.Series
        Named npar, fmin, chisq, df, pvalue, chisq_scaled, …, cfi, tli, rmsea, rmsea_ci_lower, srmr, aic, ….

    Examples
    --------
    >>> sample = GroupMoments(np.array([[2.0, 0.5], [0.5, 1.0]]))
    >>> data = Residue([100], [sample], [GroupMoments(np.diag([2.0, 1.0]))])
    >>> measures = fit_measures(TestStatistics(13.353, 1), TestStatistics(13.353, 1), data, n_free=2)
    >>> measures["cfi"], round(measures["srmr"], 4)
    (np.float64(0.0), np.float64(0.2041))
    """
    import pandas as pd

    closeness = closeness or Closeness()
    if robust is None:
        robust = corrected is not None or (test.is_scaled and test.df_scaled is None)
    if robust:
        corrected = corrected or _from_scaled(test, baseline, data)
    found = {
        "npar": n_free,
        "fmin": test.chisq / (2 * data.total),
        **_tests(test, baseline),
        **_incremental(test, baseline, corrected if robust else None),
        **(_information(likelihoods, n_free, data.total) if likelihoods else {}),
        **_rmsea_family(test, corrected if robust else None, data, closeness),
        **root_mean_residuals(data),
        **_absolute(test, data, n_free),
    }
    return pd.Series(found, dtype=float)


def _number(value: float | None) -> float:
    return NAN if value is None else float(value)


def _from_scaled(test: TestStatistics, baseline: TestStatistics, data: Residue) -> Corrected:
    """With complete continuous data the plain statistic and the mean of its scaled version serve (B.-L. & S. 2014)."""
    if data.ordinal:
        return Corrected(NAN, NAN, NAN, NAN)
    own = (test.chisq_scaled, _number(test.scaling_factor)) if test.shift is not None else (None, None)
    return Corrected(test.chisq, test.c_hat, baseline.chisq, baseline.c_hat, *own)


def _tests(test: TestStatistics, baseline: TestStatistics) -> dict[str, float]:
    found: dict[str, float] = {}
    for prefix, one in (("", test), ("baseline_", baseline)):
        found |= {f"{prefix}chisq": one.chisq, f"{prefix}df": one.df, f"{prefix}pvalue": p_value(one)}
        if test.is_scaled:
            found |= {
                f"{prefix}chisq_scaled": one.chisq_scaled,
                f"{prefix}df_scaled": one.scaled.df,
                f"{prefix}pvalue_scaled": p_value(one.scaled),
                f"{prefix}chisq_scaling_factor": _number(one.scaling_factor) if one.df else NAN,
            }
    return found


def p_value(test: TestStatistics) -> float:
    """P(χ²(df) ≥ T); nan at df = 0 and where T is not χ².

    Examples
    --------
    >>> round(p_value(TestStatistics(3.8414588, 1)), 4)
    0.05
    """
    from scipy.special import chdtrc

    return float(chdtrc(test.df, test.chisq)) if test.df > 0 and test.is_chi_squared else NAN


def _incremental(test: TestStatistics, baseline: TestStatistics, corrected: Corrected | None) -> dict[str, float]:
    """Measures relative to the baseline: plain, scaled and robust."""
    found = {"cfi": cfi(test, baseline), "tli": tli(test, baseline)}
    pairs = [("", test, baseline)]
    if test.is_scaled:
        pairs.append(("_scaled", test.scaled, baseline.scaled))
        found |= {"cfi_scaled": cfi(*pairs[1][1:]), "tli_scaled": tli(*pairs[1][1:])}
    robust: dict[str, float] = {}
    if corrected is not None:
        t = replace(test, chisq=corrected.chisq), replace(baseline, chisq=corrected.baseline_chisq)
        c = corrected.c_hat, corrected.baseline_c_hat
        found |= {"cfi_robust": cfi(*t, *c), "tli_robust": tli(*t, *c)}
        robust = {"nnfi_robust": tli(*t, *c), "rni_robust": rni(*t, *c)}
    for suffix, one, base in pairs:
        for name, measure in (("nnfi", tli), ("rfi", rfi), ("nfi", nfi), ("pnfi", pnfi), ("ifi", ifi), ("rni", rni)):
            found[name + suffix] = measure(one, base)
    return found | robust


def cfi(test: TestStatistics, baseline: TestStatistics, c: float = 1.0, c_baseline: float = 1.0) -> float:
    """Comparative fit index, 1 − max(T − c df, 0) / max(T − c df, T_B − c_B df_B, 0).

    Bentler (1990, eq. 20); with c and c_B, the means of the statistics per degree of freedom, the robust CFI of
    Brosseau-Liard & Savalei (2014, eq. 10). 1 where neither statistic exceeds its expectation.

    Examples
    --------
    >>> round(cfi(TestStatistics(85.306, 24), TestStatistics(918.852, 36)), 4)
    0.9306
    """
    excess = test.chisq - c * test.df
    worst = np.maximum(excess, baseline.chisq - c_baseline * baseline.df)
    if np.isnan(worst):
        return NAN
    return 1.0 if worst <= _NOTHING else float(1 - max(excess, 0.0) / worst)


def tli(test: TestStatistics, baseline: TestStatistics, c: float = 1.0, c_baseline: float = 1.0) -> float:
    """Tucker–Lewis index, 1 − (T − c df) df_B / ((T_B − c_B df_B) df); also called NNFI.

    Tucker & Lewis (1973); robust with c and c_B: Brosseau-Liard & Savalei (2014, eq. 11). 1 where df = 0 or the
    baseline statistic equals its expectation.

    Examples
    --------
    >>> round(tli(TestStatistics(85.306, 24), TestStatistics(918.852, 36)), 4)
    0.8958
    """
    if test.df == 0:
        return NAN if np.isnan(c) else 1.0
    top = (test.chisq - c * test.df) * baseline.df
    bottom = (baseline.chisq - c_baseline * baseline.df) * test.df
    return 1.0 if bottom == 0 else float(1 - top / bottom)


def rni(test: TestStatistics, baseline: TestStatistics, c: float = 1.0, c_baseline: float = 1.0) -> float:
    """Relative noncentrality index, 1 − (T − c df) / (T_B − c_B df_B): the CFI left unclipped (McDonald & Marsh 1990).

    Examples
    --------
    >>> round(rni(TestStatistics(3, 5), TestStatistics(100, 10)), 4)
    1.0222
    """
    bottom = baseline.chisq - c_baseline * baseline.df
    return NAN if bottom == 0 else float(1 - (test.chisq - c * test.df) / bottom)


def nfi(test: TestStatistics, baseline: TestStatistics) -> float:
    """Normed fit index, (T_B − T) / T_B (Bentler & Bonett 1980, eq. 23); nan where the baseline has fewer df.

    Examples
    --------
    >>> nfi(TestStatistics(20, 5), TestStatistics(100, 10))
    0.8
    """
    if test.df > baseline.df or baseline.df == 0 or baseline.chisq == 0:
        return NAN
    return 1.0 if test.df == 0 else float((baseline.chisq - test.chisq) / baseline.chisq)


def rfi(test: TestStatistics, baseline: TestStatistics) -> float:
    """Relative fit index, (T_B/df_B − T/df) / (T_B/df_B) (Bollen 1986); 1 where negative or df = 0.

    Examples
    --------
    >>> rfi(TestStatistics(20, 5), TestStatistics(100, 10))
    0.6
    """
    if test.df > baseline.df or np.isnan(test.chisq + baseline.chisq):
        return NAN
    if test.df == 0:
        return 1.0
    whole = baseline.chisq / baseline.df
    gain = whole - test.chisq / test.df
    return 1.0 if gain < 0 or whole <= 0 else float(gain / whole)


def pnfi(test: TestStatistics, baseline: TestStatistics) -> float:
    """Parsimonious normed fit index, NFI · df / df_B (James, Mulaik & Brett 1982).

    Examples
    --------
    >>> pnfi(TestStatistics(20, 5), TestStatistics(100, 10))
    0.4
    """
    if baseline.df == 0 or baseline.chisq == 0:
        return NAN
    return float(test.df / baseline.df * (baseline.chisq - test.chisq) / baseline.chisq)


def ifi(test: TestStatistics, baseline: TestStatistics) -> float:
    """Incremental fit index, (T_B − T) / (T_B − df) (Bollen 1989); 1 where the baseline falls short of df.

    Examples
    --------
    >>> round(ifi(TestStatistics(20, 5), TestStatistics(100, 10)), 4)
    0.8421
    """
    bottom = baseline.chisq - test.df
    if bottom == 0:
        return NAN
    return 1.0 if bottom < 0 else float((baseline.chisq - test.chisq) / bottom)


def _rmsea_family(
    test: TestStatistics, corrected: Corrected | None, data: Residue, closeness: Closeness
) -> dict[str, float]:
    """RMSEA, its interval and its two tests: plain, scaled, robust, in one pass over the three statistics."""
    n, groups = data.effective, len(data.n)
    kinds = [("", test.chisq, test.df, 1.0, test.chisq, 1.0)]
    if test.is_scaled:
        kinds.append(("_scaled", test.trace.chisq, test.trace.df, 1.0, test.trace.chisq, 1.0))
    if corrected is not None:
        kinds.append(("_robust", corrected.chisq, test.df, corrected.c_hat, *corrected.for_interval))
    suffixes, plain, df, c, scaled, c_interval = (list(column) for column in zip(*kinds, strict=True))
    point = rmsea(plain, df, n, groups, c)
    lower, upper = rmsea_interval(scaled, df, n, groups, c_interval, closeness.level)
    close, not_close = rmsea_tests(scaled, df, n, groups, c_interval, closeness.close, closeness.not_close)
    found: dict[str, float] = {}
    for k, suffix in enumerate(suffixes):
        level = {"rmsea_ci_level": closeness.level} if not suffix else {}
        close_at = {"rmsea_close_h0": closeness.close} if not suffix else {}
        not_close_at = {"rmsea_notclose_h0": closeness.not_close} if not suffix else {}
        found |= {f"rmsea{suffix}": point[k], f"rmsea_ci_lower{suffix}": lower[k], f"rmsea_ci_upper{suffix}": upper[k]}
        found |= level | {f"rmsea_pvalue{suffix}": close[k]} | close_at
        found |= {f"rmsea_notclose_pvalue{suffix}": not_close[k]} | not_close_at
    return found


def rmsea(chisq: object, df: object, n: int, groups: int = 1, c_hat: object = 1.0) -> Array:
    """Root mean square error of approximation, √G · √(max(T − c df, 0) / (N df)); 0 at df = 0.

    Steiger (1990); G groups: Steiger (1998); with c, the mean of T per df, the population RMSEA under normality
    (Brosseau-Liard, Savalei & Li 2012, eq. 9). Arguments may be arrays.

    Examples
    --------
    >>> rmsea([85.306, 0.0], [24, 0], 301).round(4)
    array([0.0921, 0.    ])
    """
    t, d, c = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (chisq, df, c_hat)))
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.sqrt(groups * np.maximum(t - c * d, 0.0) / np.where(d < 0, np.nan, n * d))
    return np.where(d == 0, 0.0, np.where(np.isfinite(value), value, np.nan))


def rmsea_interval(
    chisq_scaled: object, df: object, n: int, groups: int = 1, c_hat: object = 1.0, level: float = 0.90
) -> tuple[Array, Array]:
    """Interval of the RMSEA, √(G c λ / (N df)) at the noncentralities λ whose tails leave `level` between them.

    Steiger & Lind (1980), see Steiger (1990); robust with c: Li & Bentler (2006), Brosseau-Liard, Savalei & Li (2012).

    Parameters
    ----------
    chisq_scaled, df, c_hat : array-like
        The statistic that is compared with χ²(df): T, or T / c for the robust interval. The interval is (0, 0) below
        one degree of freedom, as in lavaan.

    Examples
    --------
    >>> lower, upper = rmsea_interval([85.30552], [24], 301)
    >>> round(float(lower[0]), 4), round(float(upper[0]), 4)
    (0.0714, 0.1137)
    """
    t, d, c = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (chisq_scaled, df, c_hat)))
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        ends = [np.sqrt(groups * c * noncentrality(t, d, p) / (n * d)) for p in (1 - tail, tail)]
    lower, upper = (np.where(d < 1, 0.0, end) for end in ends)
    return lower, upper


def noncentrality(chisq: object, df: object, probability: float) -> Array:
    """λ with P(χ²(df, λ) ≤ T) = probability, found by bisection on all statistics at once; 0 where none is that small.

    The distribution function falls in λ from its central value to 0, so a root exists wherever the central one exceeds
    `probability`; T + 40 √T + 200 lies above it for every probability down to 1e-9.

    Examples
    --------
    >>> noncentrality([85.30552, 1e-9], [24, 24], 0.05).round(3)
    array([93.354,  0.   ])
    """
    from scipy.special import chndtr

    t, d = np.broadcast_arrays(np.asarray(chisq, dtype=float), np.asarray(df, dtype=float))
    known = np.isfinite(t) & np.isfinite(d) & (d > 0)
    t, d = np.where(known, np.maximum(t, 0.0), 1.0), np.where(known, d, 1.0)
    low, high = np.zeros(t.shape), t + 40 * np.sqrt(t) + 200
    reachable = chndtr(t, d, low) > probability
    for _ in range(64):
        middle = (low + high) / 2
        above = chndtr(t, d, middle) > probability
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(known, np.where(reachable, (low + high) / 2, 0.0), NAN)


def rmsea_tests(
    chisq_scaled: object,
    df: object,
    n: int,
    groups: int = 1,
    c_hat: object = 1.0,
    close: float = 0.05,
    not_close: float = 0.08,
) -> tuple[Array, Array]:
    """p-values of RMSEA ≤ `close` and of RMSEA ≥ `not_close` (MacCallum, Browne & Sugawara 1996); nan at df = 0.

    Examples
    --------
    >>> close, not_close = rmsea_tests([85.30552], [24], 301)
    >>> round(float(close[0]), 5), round(float(not_close[0]), 4)
    (0.00066, 0.8396)
    """
    from scipy.special import chndtr

    t, d, c = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (chisq_scaled, df, c_hat)))
    known = np.isfinite(t) & np.isfinite(d) & np.isfinite(c) & (d > 0)
    t, d, c = np.where(known, np.maximum(t, 0.0), 1.0), np.where(known, d, 1.0), np.where(known, c, 1.0)
    below = [chndtr(t, d, n * d * h0**2 / (groups * c)) for h0 in (close, not_close)]
    return np.where(known, 1 - below[0], NAN), np.where(known, below[1], NAN)


def _information(likelihoods: Likelihoods, n_free: int, n: int) -> dict[str, float]:
    """Akaike (1974), Schwarz (1978) and the sample-size adjusted BIC (Sclove 1987)."""
    deviance = -2 * likelihoods.h0
    found = {
        "logl": likelihoods.h0,
        "unrestricted_logl": likelihoods.h1,
        "aic": deviance + 2 * n_free,
        "bic": deviance + n_free * np.log(n),
        "ntotal": n,
        "bic2": deviance + n_free * np.log((n + 2) / 24),
    }
    if likelihoods.scaling_h1 is not None:
        found["scaling_factor_h1"] = likelihoods.scaling_h1
    if likelihoods.scaling_h0 is not None:
        found["scaling_factor_h0"] = likelihoods.scaling_h0
    return found


def root_mean_residuals(data: Residue) -> dict[str, float]:
    """RMR, SRMR and CRMR with and without means (`_nomean`), groups weighted by their size.

    rmr: raw residuals (Jöreskog & Sörbom 1981). srmr_bentler: divided by observed standard deviations (Bentler 1995; Hu
    & Bentler 1999). crmr: correlations observed minus correlations implied, off the diagonal (Bollen 1989; Maydeu-
    Olivares 2017). srmr_mplus: the same plus relative residuals of the variances (Mplus manual). `srmr` is
    srmr_bentler, for ordinal items its `_nomean`; Mplus' version has no ordinal form here (nan).
    """
    groups = [_residual_sums(s, i) for s, i in zip(data.sample, data.implied, strict=True)]
    names = ("rmr", "srmr_bentler", "crmr", "srmr_mplus")
    found: dict[str, float] = {}
    for name in names:
        for suffix, with_means in (("", True), ("_nomean", False)):
            each = [group[name].root_mean(with_means) for group in groups]
            found[name + suffix] = float(data.shares @ each)
    if data.ordinal:
        found["srmr_mplus"] = found["srmr_mplus_nomean"] = NAN
    srmr = found["srmr_bentler_nomean" if data.ordinal else "srmr_bentler"]
    order = ("rmr", "rmr_nomean", "srmr_bentler", "srmr_bentler_nomean", "crmr", "crmr_nomean")
    ordered = {name: found[name] for name in (*order, "srmr_mplus", "srmr_mplus_nomean")}
    return {"rmr": ordered["rmr"], "rmr_nomean": ordered["rmr_nomean"], "srmr": srmr, **ordered}


@dataclass(frozen=True)
class _Squares:
    """Sum and number of squared residuals: of covariances, and of means (thresholds where items are ordinal)."""

    covariances: float
    n_covariances: int
    levels: float
    n_levels: int

    def root_mean(self, with_means: bool) -> float:
        n = self.n_covariances + with_means * self.n_levels
        return float(np.sqrt((self.covariances + with_means * self.levels) / n)) if n else 0.0


def _residual_sums(sample: GroupMoments, implied: GroupMoments) -> dict[str, _Squares]:
    s, sigma = sample.cov, implied.cov
    sd, sd_implied = np.sqrt(np.diag(s)), np.sqrt(np.diag(sigma))
    lower, below = np.tril_indices(len(s)), np.tril_indices(len(s), -1)
    correlation = (s / np.outer(sd, sd) - sigma / np.outer(sd_implied, sd_implied))[below]
    variance, ones = (np.diag(s) - np.diag(sigma)) / np.diag(s), np.ones(len(s))
    given = 0 if sample.slopes is None else len(sample.slopes) // len(s)  # lavaan counts covariates among the elements
    kinds = {
        "rmr": ((s - sigma)[lower], ones, ones),
        "srmr_bentler": (((s - sigma) / np.outer(sd, sd))[lower], sd, sd),
        "crmr": (correlation, sd, sd),
        "srmr_mplus": (np.concatenate([correlation, variance]), sd, sd_implied),
    }
    found = {}
    for name, (residuals, by, by_implied) in kinds.items():
        level = np.zeros(0)
        if sample.thresholds is not None and implied.thresholds is not None:
            level = sample.thresholds - implied.thresholds
        elif sample.mean is not None and implied.mean is not None:
            level = sample.mean / by - implied.mean / by_implied
        n = len(residuals) + (given if name in ("rmr", "srmr_bentler") else 0)
        found[name] = _Squares(float(residuals @ residuals), n, float(level @ level), len(level))
    return found


def _absolute(test: TestStatistics, data: Residue, n_free: int) -> dict[str, float]:
    """Critical N, GFI and its kin, McDonald's index, ECVI, WRMR."""
    n, elements = data.effective, sum(len(group.stacked) for group in data.sample)
    fit = gfi(data)
    found = {
        "cn_05": critical_n(test, n, 0.05),
        "cn_01": critical_n(test, n, 0.01),
        "gfi": fit,
        "agfi": 1 - elements / test.df * (1 - fit) if test.df else 1.0,  # Jöreskog & Sörbom (1981)
        "pgfi": test.df / elements * fit,  # Mulaik et al. (1989)
        "mfi": float(np.exp(-0.5 * (test.chisq - test.df) / n)),  # McDonald (1989)
    }
    if not data.ordinal:
        found["ecvi"] = (test.chisq + 2 * n_free) / n  # Browne & Cudeck (1989), with divisor N
    if data.ordinal:
        found["wrmr"] = float(np.sqrt(test.chisq / len(data.sample[0].stacked)))  # Yu (2002), elements of one group
    return found


def critical_n(test: TestStatistics, n: int, alpha: float = 0.05) -> float:
    """The sample size at which T would just be significant, χ²(1 − α, df) / (T/N) + 1 (Hoelter 1983).

    1 at df = 0; infinite where T = 0.

    Examples
    --------
    >>> round(critical_n(TestStatistics(85.306, 24), 301), 2)
    129.49
    """
    from scipy.special import chdtri

    if test.df == 0:
        return 1.0
    return float(chdtri(test.df, alpha) / (test.chisq / n) + 1) if test.chisq > 0 else float("inf")


def gfi(data: Residue) -> float:
    """Goodness of fit index, Σ_g (n_g/N) (1 − e'We / s'Ws) (Jöreskog & Sörbom 1981; Tanaka & Huba 1985).

    s are the observed moments, e their residuals, W the weights of the estimator; for ML those of normal theory at the
    implied moments, with which e'We = (x̄−μ)'Σ⁻¹(x̄−μ) + ½ tr[(Σ⁻¹(S−Σ))²].
    """
    each = [_gfi_of_group(data, g) for g in range(len(data.n))]
    return float(data.shares @ each)


def _gfi_of_group(data: Residue, g: int) -> float:
    sample = (data.pairwise or data.sample)[g]
    if data.weights is None:
        residual, whole = _normal_theory(sample, data.implied[g], data.exogenous)
    else:
        s, weights = sample.stacked, np.asarray(data.weights[g])
        e = s - data.implied[g].stacked
        weighted = np.diag(weights) if weights.ndim == 1 else weights
        residual, whole = float(e @ weighted @ e), float(s @ weighted @ s)
    return 1 - residual / whole


def _normal_theory(sample: GroupMoments, implied: GroupMoments, exogenous: Sequence[int]) -> tuple[float, float]:
    """e'We and s'Ws; what fixed covariates do among themselves is no part of the model and weighs nothing."""
    inverse, s = np.linalg.inv(implied.cov), np.array(sample.cov)
    s[np.ix_(exogenous, exogenous)] = 0.0
    misfit, all_of_it = inverse @ (sample.cov - implied.cov), inverse @ s
    residual, whole = (0.5 * float(np.sum(one * one.T)) for one in (misfit, all_of_it))
    if sample.mean is not None and implied.mean is not None:
        gap, mean = sample.mean - implied.mean, np.array(sample.mean)
        mean[list(exogenous)] = 0.0
        residual, whole = residual + float(gap @ inverse @ gap), whole + float(mean @ inverse @ mean)
    return residual, whole
