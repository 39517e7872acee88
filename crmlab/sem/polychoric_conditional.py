"""Statistics of ordinal and continuous columns given covariates, for weighted least squares (chapter 9).

Where covariates x explain the items, no normality is asked of x: everything is conditional on it, as in Muthén (1984).
Each column has a regression of its own, an ordered probit y* = βx + e cut at thresholds, or least squares; the
residual correlation of two columns then maximises their likelihood with the regressions held fixed. The statistics are
thresholds (or minus intercepts), slopes, residual variances of continuous columns and residual covariances, and Γ is
that of `polychoric_gamma`, with the regressions in place of the margins. Limits differ by respondent here, so there are
no contingency tables to count in.

References
----------
Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika 49, 115–132.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .errors import SemError
from .moments import Array
from .polychoric import OrdinalMoments
from .polychoric_answers import Codes, read_answers
from .polychoric_gamma import NO_INFORMATION
from .polychoric_likelihood import (
    BEYOND,
    PEARSON_BOUND,
    POLYCHORIC_BOUND,
    POLYSERIAL_BOUND,
    SMALLEST_PROBABILITY,
    Index,
    bivariate_cdf,
    bivariate_density,
    conditional_category,
    maximise,
    univariate_density,
)
from .polychoric_sample import Sample
from .samples import Rows, numbers

if TYPE_CHECKING:
    import pandas as pd

_STEPS = 100
_SMALL = 1e-10  # Newton step in units of a parameter's own precision


@dataclass(frozen=True)
class Regression:
    """One column given the covariates. Respondents who did not answer have 0 everywhere.

    Attributes
    ----------
    levels, slopes : arrays (t,), (k,)
        Thresholds or the intercept; β.
    variance : float
        Of the residual; 1 for an ordinal column.
    limits : array (n, 2)
        Ordinal: τ_c − βx and τ_{c−1} − βx of the category chosen. Continuous: the standardised residual, twice.
    turns : array (n, 2, q)
        Derivatives of the limits by the q parameters: levels, slopes and, of a continuous column, the variance.
    score : array (n, q)
        ∂ ln P(answer | x).
    """

    levels: Array
    slopes: Array
    variance: float
    limits: Array
    turns: Array
    score: Array
    ordinal: bool

    @cached_property
    def influence(self) -> Array:
        """Influence of each respondent on the parameters, (n, q): the inverse outer products times the score."""
        return self.score @ np.linalg.pinv(self.score.T @ self.score, rcond=NO_INFORMATION, hermitian=True)

    @property
    def spread(self) -> Array:
        """∂ ln(1/s) of the density of a continuous answer by the parameters, (q,): −1/2s² in the variance."""
        own = np.zeros(self.turns.shape[2])
        if not self.ordinal:
            own[-1] = -0.5 / self.variance
        return own


def probit(codes: Codes, x: Array, start: Array) -> Regression:
    """Ordered probit regression by Newton steps from thresholds without covariates.

    Parameters
    ----------
    codes : array (n,)
        Category from 0; −1 where missing.
    x : array (n, k)
    start : array (K − 1,)

    Raises
    ------
    SemError
        The covariates foretell the answers perfectly.

    Examples
    --------
    >>> found = probit(np.array([0, 0, 1, 1, 0, 1]), np.array([[0.0, 0, 0, 1, 1, 1]]).T, np.zeros(1))
    >>> found.levels.round(4), found.slopes.round(4)                      # Φ⁻¹(⅔), and twice that between the halves
    (array([0.4307]), array([0.8615]))
    """
    present = codes >= 0
    chosen, x = np.where(present, codes, 0).astype(np.intp), np.where(present[:, None], x, 0.0)
    theta = np.concatenate([start, np.zeros(x.shape[1])])
    turns = _threshold_turns(chosen, x, len(start)) * present[:, None, None]
    height, score, hessian, limits = _probit_at(theta, chosen, present, x, turns, len(start))
    for _ in range(_STEPS):
        step = -np.linalg.solve(hessian, score.sum(axis=0))
        size = float(np.sqrt(np.max(step**2 * -np.diagonal(hessian), initial=0.0)))
        length = 1.0
        while length > _SMALL:
            trial = _probit_at(theta + length * step, chosen, present, x, turns, len(start))
            if trial[0] >= height - 1e-12 * abs(height):
                break
            length /= 2
        theta, (height, score, hessian, limits) = theta + length * step, trial
        if height > -1e-6 * len(codes):  # every answer is certain: the slopes grow without end
            break
        if size < _SMALL * np.sqrt(len(codes)):
            return Regression(theta[: len(start)], theta[len(start) :], 1.0, limits, turns, score, True)
        if np.linalg.cond(hessian) > 1e14:
            break
    raise SemError("the covariates foretell the answers perfectly, so that their slopes have no estimate")


def _threshold_turns(chosen: Index, x: Array, cuts: int) -> Array:
    """∂(upper limit, lower limit)/∂(thresholds, slopes), (n, 2, cuts + k)."""
    places = np.arange(cuts)
    above, below = chosen[:, None] == places, chosen[:, None] - 1 == places
    slopes = -np.where((chosen < cuts)[:, None], x, 0.0), -np.where((chosen > 0)[:, None], x, 0.0)
    return np.stack([np.hstack([above, slopes[0]]), np.hstack([below, slopes[1]])], axis=1)


def _probit_at(
    theta: Array, chosen: Index, present: Rows, x: Array, turns: Array, cuts: int
) -> tuple[float, Array, Array, Array]:
    """Log-likelihood, scores (n, q), Hessian (q, q) and limits (n, 2) of an ordered probit regression."""
    from scipy.special import ndtr

    edges = np.concatenate([[-BEYOND], theta[:cuts], [BEYOND]])
    limits = np.stack([edges[chosen + 1], edges[chosen]], axis=1) - (x @ theta[cuts:])[:, None]
    mirrored = limits.sum(axis=1) > 0  # no cancellation in the upper tail
    low, high = np.where(mirrored, -limits[:, 0], limits[:, 1]), np.where(mirrored, -limits[:, 1], limits[:, 0])
    probability = ndtr(high) - ndtr(low)
    if not (probability[present] > 0).all():
        return -np.inf, np.empty(0), np.empty(0), limits
    probability = np.where(present, probability, 1.0)
    pull = univariate_density(limits) * [1.0, -1.0] / probability[:, None] * present[:, None]
    score = np.einsum("ns,nsq->nq", pull, turns)
    bend = np.einsum("nsq,ns,nsr->qr", turns, -limits * pull, turns)
    return float(np.log(probability).sum()), score, bend - score.T @ score, limits


def least_squares(values: Array, x: Array) -> Regression:
    """Regression of a continuous column (n,), nan where missing; the residual variance divides by the respondents."""
    present = ~np.isnan(values)
    design = np.column_stack([np.ones(len(x)), x]) * present[:, None]
    y = np.where(present, values, 0.0)
    found = np.linalg.lstsq(design, y, rcond=None)[0]
    residual = y - design @ found
    variance = float(residual @ residual / present.sum())
    sd = np.sqrt(variance)
    z = residual / sd
    turn = np.column_stack([-design / sd, -z / (2 * variance)])
    score = np.column_stack([z[:, None] * design / sd, (z**2 - 1) * present / (2 * variance)])
    return Regression(found[:1], found[1:], variance, np.stack([z, z], axis=1), np.stack([turn, turn], 1), score, False)


class PairScore(NamedTuple):
    """Of one pair: correlation, score of each respondent in it (n,), and A₂₁ in the parameters of either column."""

    rho: float
    score: Array
    in_first: Array
    in_second: Array


def residual_correlation(first: Regression, second: Regression, present: Rows) -> PairScore:
    """The correlation of two columns given covariates, and its scores; `present` (n,) gave both answers."""
    if first.ordinal and not second.ordinal:
        turned = residual_correlation(second, first, present)
        return PairScore(turned.rho, turned.score, turned.in_second, turned.in_first)
    one, other = first.limits[present], second.limits[present]
    kind = _ordinal_pair if first.ordinal else _mixed_pair if second.ordinal else _continuous_pair
    rho, own, slopes_1, slopes_2 = kind(one, other)
    score = np.zeros(len(present))
    score[present] = own
    sides = []
    for side, slopes in ((first, slopes_1), (second, slopes_2)):
        by_limits = np.einsum("n,ns,nsq->q", own, slopes, side.turns[present])
        sides.append(by_limits + own.sum() * side.spread)
    return PairScore(rho, score, *sides)


def _ordinal_pair(one: Array, other: Array) -> tuple[float, Array, Array, Array]:
    """ρ, ∂ ln P/∂ρ and ∂ ln P/∂limits of either side, of two ordinal columns with limits (n, 2) by respondent.

    P = Φ₂ over the rectangle; raising one of its edges h adds φ(h)·[Φ((u − ρh)/R) − Φ((l − ρh)/R)].
    """
    from scipy.special import ndtr

    corners = [(one[:, i], other[:, j], 1.0 if i == j else -1.0) for i in (0, 1) for j in (0, 1)]

    def parts(rho: float) -> tuple[Array, Array, Array]:
        r = np.full(len(one), rho)
        probability = np.sum([sign * bivariate_cdf(h, k, r) for h, k, sign in corners], axis=0)
        slopes = [bivariate_density(h, k, r) for h, k, _ in corners]
        first, second = (np.sum([c[2] * s[d] for c, s in zip(corners, slopes, strict=True)], axis=0) for d in (0, 1))
        told = probability > SMALLEST_PROBABILITY
        over = np.where(told, 1 / np.where(told, probability, 1.0), 0.0)
        return np.where(told, probability, SMALLEST_PROBABILITY), first * over, second * over

    def likelihood(rho: Array, _: Index) -> tuple[Array, Array, Array]:
        probability, slope, bend = parts(float(rho[0]))
        observed = float(np.sum(bend - slope**2))
        curvature = observed if observed < 0 else -float(np.sum(slope**2))
        return np.array([np.log(probability).sum()]), np.array([slope.sum()]), np.array([curvature])

    rho = float(maximise(likelihood, np.zeros(1), POLYCHORIC_BOUND).rho[0])
    probability, score, _ = parts(rho)
    root = np.sqrt((1 - rho) * (1 + rho))

    def edges(own: Array, across: Array) -> Array:
        within = ndtr((across[:, :1] - rho * own) / root) - ndtr((across[:, 1:] - rho * own) / root)
        return univariate_density(own) * within * [1.0, -1.0] / probability[:, None]

    return rho, score, edges(one, other), edges(other, one)


def _mixed_pair(one: Array, other: Array) -> tuple[float, Array, Array, Array]:
    """The same of a continuous column (standardised residuals z) and an ordinal one.

    Raising z adds −z − (ρ/R)(φ(a) − φ(b))/P, raising a limit φ(a)/RP and −φ(b)/RP, see `ConditionalCategory`.
    """
    z, upper, lower = one[:, :1], other[:, :1], other[:, 1:]

    def likelihood(rho: Array, _: Index) -> tuple[Array, Array, Array]:
        part = conditional_category(z, upper, lower, rho)
        slope = part.slope / part.probability
        observed = np.sum(part.second_slope / part.probability - slope**2, axis=0)
        curvature = np.where(observed < 0, observed, -np.sum(slope**2, axis=0))
        return np.log(part.probability).sum(axis=0), slope.sum(axis=0), curvature

    rho = maximise(likelihood, np.zeros(1), POLYSERIAL_BOUND).rho
    part = conditional_category(z, upper, lower, rho)
    over = 1 / (part.root * part.probability)
    pull = -z - rho * over * (part.density_upper - part.density_lower)
    edges = np.hstack([part.density_upper, -part.density_lower]) * over
    return float(rho[0]), (part.slope / part.probability)[:, 0], np.hstack([pull, np.zeros_like(pull)]), edges


def _continuous_pair(one: Array, other: Array) -> tuple[float, Array, Array, Array]:
    """The same of two continuous columns: the bivariate normal density of their standardised residuals."""
    first, second = one[:, 0], other[:, 0]

    def parts(rho: float) -> tuple[Array, Array]:
        r2 = (1 - rho) * (1 + rho)
        distance = first**2 - 2 * rho * first * second + second**2
        return -np.log(r2) / 2 - distance / (2 * r2), rho / r2 + (first * second * r2 - rho * distance) / r2**2

    def likelihood(rho: Array, _: Index) -> tuple[Array, Array, Array]:
        height, slope = parts(float(rho[0]))
        return np.array([height.sum()]), np.array([slope.sum()]), np.array([-float(slope @ slope)])

    start = np.array([2 * first @ second / (first @ first + second @ second)])
    rho = float(maximise(likelihood, start, PEARSON_BOUND).rho[0])
    r2 = (1 - rho) * (1 + rho)
    pulls = [np.stack([-(a - rho * b) / r2, np.zeros(len(a))], axis=1) for a, b in ((first, second), (second, first))]
    return rho, parts(rho)[1], pulls[0], pulls[1]


# ------------------------------------------------------------------------------------------------------ the moments


@dataclass(frozen=True)
class ConditionalMoments(OrdinalMoments):
    """Sample statistics of ordinal and continuous columns given covariates; what is said of `OrdinalMoments` holds.

    Attributes
    ----------
    covariates : tuple of str
    regressions : list of Regression
        One for each of the p columns.
    pairs : list of PairScore
    x_mean, x_cov : arrays (k,), (k, k)
        Of the covariates, divisor n − 1.
    statistics : array (s,)
        Thresholds or minus intercepts column by column, slopes column by column, residual variances of continuous
        columns, residual covariances.
    """

    covariates: tuple[str, ...]
    regressions: list[Regression]
    pairs: list[PairScore]
    x_mean: Array
    x_cov: Array

    @property
    def thresholds(self) -> dict[str, Array]:
        return {name: own.levels for name, own in zip(self.names, self.regressions, strict=True) if own.ordinal}

    @property
    def mean(self) -> Array:
        """Intercepts of continuous columns, 0 for ordinal ones, (p,)."""
        return np.array([0.0 if own.ordinal else own.levels[0] for own in self.regressions])

    @property
    def variance(self) -> Array:
        """Residual variances, 1 for ordinal columns, (p,)."""
        return np.array([own.variance for own in self.regressions])

    @property
    def slopes(self) -> Array:
        """β, (p, k)."""
        return np.array([own.slopes for own in self.regressions])

    @cached_property
    def statistics(self) -> Array:
        levels = [own.levels if own.ordinal else -own.levels for own in self.regressions]
        below = self.covariance[self.sample.pairs.second, self.sample.pairs.first]
        variances = self.variance[self.sample.answers.continuous]
        return np.concatenate([*levels, self.slopes.ravel(), variances, below])

    @cached_property
    def labels(self) -> tuple[str, ...]:
        levels = [
            [f"{name}|t{k + 1}" for k in range(len(own.levels))] if own.ordinal else [f"{name}~1"]
            for name, own in zip(self.names, self.regressions, strict=True)
        ]
        slopes = [f"{name}~{x}" for name in self.names for x in self.covariates]
        variances = [f"{self.names[i]}~~{self.names[i]}" for i in self.sample.answers.continuous]
        pairs = zip(self.sample.pairs.first, self.sample.pairs.second, strict=True)
        below = [f"{self.names[j]}~~{self.names[i]}" for j, i in pairs]
        return (*(label for labels in levels for label in labels), *slopes, *variances, *below)

    @cached_property
    def gamma(self) -> Array:
        influence = np.zeros((self.n, len(self.statistics)))
        k, widths = len(self.covariates), [len(own.levels) for own in self.regressions]
        starts = np.concatenate([[0], np.cumsum(widths)])
        variance_at = starts[-1] + k * len(widths)
        for i, own in enumerate(self.regressions):
            sign = 1.0 if own.ordinal else -1.0
            influence[:, starts[i] : starts[i + 1]] = sign * own.influence[:, : widths[i]]
            slopes_at = starts[-1] + k * i
            influence[:, slopes_at : slopes_at + k] = own.influence[:, widths[i] : widths[i] + k]
            if not own.ordinal:
                influence[:, variance_at] = own.influence[:, -1]
                variance_at += 1
        influence[:, len(self.statistics) - len(self.pairs) :] = self._covariance_influence
        return self.n * influence.T @ influence

    @property
    def _covariance_influence(self) -> Array:
        """Influence of each respondent on σ_ij = ρ s_i s_j, (n, pairs)."""
        found = np.zeros((self.n, len(self.pairs)))
        firsts, seconds = self.sample.pairs.first, self.sample.pairs.second
        for column, (i, j, pair) in enumerate(zip(firsts, seconds, self.pairs, strict=True)):
            sides = (self.regressions[i], pair.in_first), (self.regressions[j], pair.in_second)
            information = float(pair.score @ pair.score)
            product = float(np.sqrt(sides[0][0].variance * sides[1][0].variance))
            if information > NO_INFORMATION:
                through = sum(own.influence @ a21 for own, a21 in sides)
                found[:, column] = product * (pair.score - through) / information
            for own, _ in sides:
                if not own.ordinal:
                    found[:, column] += pair.rho * product / (2 * own.variance) * own.influence[:, -1]
        return found


def conditional_moments(
    data: pd.DataFrame,
    ordered: Sequence[str],
    covariates: Sequence[str],
    *,
    missing: str = "listwise",
    levels: Mapping[str, Sequence[float]] | None = None,
) -> ConditionalMoments:
    """Statistics of the columns of a table given some of them; arguments as of `polychoric.ordinal_moments`.

    Parameters
    ----------
    covariates : sequence of str
        Columns that are conditioned upon. Respondents who lack one of them are left out without a word.

    Raises
    ------
    SemError
        As `ordinal_moments`; covariates that are constant or determine each other, or foretell an item perfectly.
    """
    columns = [name for name in data.columns if name not in covariates]
    x = np.column_stack([numbers(data[name], name) for name in covariates])
    known: Rows = np.logical_not(np.any(np.isnan(x), axis=1))
    answered = data[columns].notna().to_numpy()
    known = known & (answered.all(axis=1) if missing == "listwise" else answered.any(axis=1))
    x = x[known]
    answers = read_answers(data.loc[known.tolist(), columns], ordered, None, missing, levels, fewest=1)
    _check_covariates(x, covariates)
    sample = Sample.of(answers)
    regressions = _regressions(sample, x)
    present = np.empty((answers.n, len(answers.names)), dtype=bool)
    present[:, answers.ordinal], present[:, answers.continuous] = answers.codes >= 0, ~np.isnan(answers.values)
    pairs, correlation = [], np.eye(len(answers.names))
    for i, j in zip(sample.pairs.first, sample.pairs.second, strict=True):
        pairs.append(residual_correlation(regressions[i], regressions[j], present[:, i] & present[:, j]))
        correlation[i, j] = correlation[j, i] = pairs[-1].rho
    x_cov = np.atleast_2d(np.cov(x, rowvar=False))
    return ConditionalMoments(
        list(answers.notes), sample, correlation, (), tuple(covariates), regressions, pairs, x.mean(axis=0), x_cov
    )


def _regressions(sample: Sample, x: Array) -> list[Regression]:
    answers, found = sample.answers, []
    for column, name in enumerate(answers.names):
        place = int(sample.place(np.array([column]))[0])
        if column in answers.continuous:
            found.append(least_squares(answers.values[:, place], x))
            continue
        try:
            found.append(probit(answers.codes[:, place], x, sample.thresholds[place]))
        except (SemError, np.linalg.LinAlgError):
            raise SemError(f"the covariates foretell the answers to {name} perfectly; leave one of them out") from None
    return found


def _check_covariates(x: Array, names: Sequence[str]) -> None:
    if len(x) <= x.shape[1] + 1:
        raise SemError(f"{len(x)} respondents with all covariates ({', '.join(names)}) are too few to condition upon")
    spread = x.std(axis=0)
    if constant := [name for name, s, m in zip(names, spread, x.mean(axis=0), strict=True) if s <= 1e-12 * abs(m)]:
        raise SemError(f"{', '.join(constant)} took one value only; a covariate without variance explains nothing")
    z = (x - x.mean(axis=0)) / spread
    if np.linalg.eigvalsh(z.T @ z / len(x))[0] < NO_INFORMATION:
        raise SemError(f"the covariates {', '.join(names)} determine each other exactly. Leave one of them out")
