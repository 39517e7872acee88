"""Factor scores from ordinal, or ordinal and continuous, answers (chapter 9).

The y* behind an answer is not seen; known is that it lies between two thresholds. Given the constructs η, answers are
taken as independent, the ordinal answer k of item v with probability

    P = Φ((τ_{k+1} − ŷ)/s) − Φ((τ_k − ŷ)/s),   ŷ = E(y*_v | η),  s² = var(y*_v | η),

a continuous one with its normal density. The score is the mode of a respondent's posterior density, with the
constructs' normal distribution as prior (empirical Bayes modal, EBM) or with nearly none (ML), found by Newton's
method: the posterior is log-concave. As lavaan's `lavPredict`, correlated errors are left out.

References
----------
Bock, R. D. & Aitkin, M. (1981). Marginal maximum likelihood estimation of item parameters: Application of an EM
algorithm. Psychometrika 46, 443–459.
Skrondal, A. & Rabe-Hesketh, S. (2004). Generalized latent variable modeling, chapter 7. Chapman & Hall.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import SemError
from .moments import Array, inverse
from .residuals import SCORES

RIDGE = 1e-5  # precision of the prior under ML, as in lavaan: it keeps the score of extreme answers finite
_EXACT = 1e-4  # share of its standard deviation that an item without error gets as error
_ITERATIONS = 200
_HALVINGS = 40
_LONGEST = 3.0  # step, in standard deviations of the constructs
_STEP = 1e-9  # at which the search ends, in the same units


@dataclass(frozen=True)
class Conditional:
    """Distribution of the y* of one group given constructs (and covariates).

    Attributes
    ----------
    weights : array (v, m)
        Slopes of the v items in the m constructs.
    sd : array (v,)
        Of each item given the constructs.
    mean : array (n, m)
        Prior mean of the constructs of each respondent, and
    level : array (n, v)
        that of the items where the constructs are 0.
    precision : array (m, m)
        Inverse prior covariance.
    """

    weights: Array
    sd: Array
    mean: Array
    level: Array
    precision: Array


def ordinal_scores(
    moments: tuple[Array, Array],
    cuts: Array,
    values: Array,
    constructs: int,
    *,
    given: NDArray[np.intp] | None = None,
    method: str = "regression",
    names: tuple[str, ...] = (),
) -> Array:
    """Scores of the constructs for each respondent of a group, array (n, constructs), as lavaan's `lavPredict`.

    Parameters
    ----------
    moments : arrays (p + m, p + m) and (p + m,)
        Implied covariances and means of the y* and the m constructs, in their own units (not of the scales δ).
    cuts : array (p, most categories + 1)
        −∞, the thresholds, ∞ of each item, filled up with ∞; rows of nan for continuous variables.
    values : array (n, p)
        Category from 0, or answer; nan where missing.
    given : positions, optional
        Covariates upon which the constructs' distribution depends.
    method : {"regression", "bartlett"}
        The posterior mode (lavaan's EBM), or the mode of the likelihood (ML), for extreme answers held by a prior of
        precision 1e-5.
    names : tuple of str
        Of the items, for errors.

    Raises
    ------
    SemError
        Unknown method; an item with negative error variance; constructs with a singular covariance matrix.

    Examples
    --------
    >>> cov, cuts = np.array([[1.0, 0.6], [0.6, 1.0]]), np.array([[-np.inf, 0.0, np.inf]])
    >>> ordinal_scores((cov, np.zeros(2)), cuts, np.array([[0.0], [1.0], [np.nan]]), 1).round(3).ravel()
    array([-0.448,  0.448,    nan])
    """
    if method not in SCORES:
        raise SemError(f"factor scores by {method!r} are unknown; choose from {', '.join(SCORES)}")
    p = values.shape[1]
    x = np.zeros(0, dtype=np.intp) if given is None else given
    items = np.setdiff1d(np.arange(p), x)
    rows, member = np.unique(values, axis=0, return_inverse=True, equal_nan=True)
    found = np.full((len(rows), constructs), np.nan)
    known, kind = np.unique(~np.isnan(rows[:, x]), axis=0, return_inverse=True)
    for k, present in enumerate(known):
        chosen = np.flatnonzero((kind.ravel() == k) & ~np.isnan(rows[:, items]).all(axis=1))
        if len(chosen):
            part = _conditional(moments, rows[chosen], items, x[present], constructs, names)
            answers = _Answers.of(rows[np.ix_(chosen, items)], cuts[items], part)
            found[chosen] = _mode(answers, part, RIDGE if method == "bartlett" else None)
    return found[member.ravel()]


def _conditional(
    moments: tuple[Array, Array],
    rows: Array,
    items: NDArray[np.intp],
    x: NDArray[np.intp],
    constructs: int,
    names: tuple[str, ...],
) -> Conditional:
    """Prior and items' distribution of the respondents in `rows`, given their covariates."""
    (cov, mean), size = moments, len(moments[1])
    latent = np.arange(size - constructs, size)
    both = np.concatenate([latent, x])
    try:
        by_x = np.linalg.solve(cov[np.ix_(x, x)], cov[np.ix_(x, latent)])
        precision = inverse(cov[np.ix_(latent, latent)] - cov[np.ix_(latent, x)] @ by_x)
        slopes = np.linalg.solve(cov[np.ix_(both, both)], cov[np.ix_(both, items)]).T
    except np.linalg.LinAlgError:
        raise SemError(
            "the covariance matrix of the constructs is singular, so that scores are not unique; see .problems"
        ) from None
    variance = np.diagonal(cov)[items] - np.einsum("vb,bv->v", slopes, cov[np.ix_(both, items)])
    negative = np.flatnonzero(variance < -(_EXACT**2) * np.diagonal(cov)[items]).tolist()
    if negative:
        named = ", ".join(names[items[k]] for k in negative) if names else f"item {negative[0] + 1}"
        raise SemError(f"negative error variance of {named}: no answer has a probability, and there are no scores")
    sd = np.sqrt(np.maximum(variance, _EXACT**2 * np.diagonal(cov)[items]))
    away = rows[:, x] - mean[x]
    weights = slopes[:, :constructs]
    level = mean[items] - weights @ mean[latent] + away @ slopes[:, constructs:].T
    return Conditional(weights, sd, mean[latent] + away @ by_x, level, precision)


@dataclass(frozen=True)
class _Answers:
    """What is known of the y* of each respondent, (n, v): bounds of ordinal items, values of continuous ones."""

    lower: Array
    upper: Array
    values: Array
    ordinal: NDArray[np.bool_]
    present: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Array, cuts: Array, part: Conditional) -> _Answers:
        present, ordinal = ~np.isnan(rows), ~np.isnan(cuts[:, 0])
        category = np.where(present & ordinal, rows, 0.0).astype(np.intp)
        item = np.arange(rows.shape[1])
        lower, upper = (np.where(ordinal, cuts[item, category + k], k - 0.5) / part.sd for k in (0, 1))
        return cls(lower, upper, np.where(present, rows, 0.0) / part.sd, ordinal, present)

    def of_rows(self, rows: NDArray[np.intp]) -> _Answers:
        """Those of some respondents."""
        return _Answers(self.lower[rows], self.upper[rows], self.values[rows], self.ordinal, self.present[rows])

    def log_density(self, expected: Array) -> tuple[Array, Array, Array]:
        """ln f of each answer at the expected y* (n, v) in units of s, with first and second derivative by it."""
        value, slope, bend = _interval(self.lower - expected, self.upper - expected)
        gap = self.values - expected
        found = ((value, -(gap**2) / 2), (slope, gap), (bend, -np.ones_like(gap)))
        ordinal, present = self.ordinal[None, :], self.present
        first, second, third = (np.where(present, np.where(ordinal, o, c), 0.0) for o, c in found)
        return first, second, third


def _interval(lower: Array, upper: Array) -> tuple[Array, Array, Array]:
    """ln P(lower < z < upper) with its derivatives by the mean of z, exact far out in the tails.

    With r = φ/P at the bounds u and l: slope r_l − r_u, bend l r_l − u r_u − slope².
    """
    from scipy.special import log_ndtr

    with np.errstate(all="ignore"):
        turned = lower + upper > 0  # by symmetry the interval may lie on the left, where ln Φ is exact
        low, high = np.where(turned, -upper, lower), np.where(turned, -lower, upper)
        top = log_ndtr(high)
        value = top + np.log1p(-np.exp(np.minimum(log_ndtr(low) - top, -1e-300)))
        ratios = [np.exp(-(z**2) / 2 - np.log(2 * np.pi) / 2 - value) for z in (lower, upper)]
        pulled = [np.where(np.isfinite(z), z * r, 0.0) for z, r in zip((lower, upper), ratios, strict=True)]
    slope = ratios[0] - ratios[1]
    return value, slope, pulled[0] - pulled[1] - slope**2


def _mode(answers: _Answers, part: Conditional, ridge: float | None) -> Array:
    """Mode of the posterior of each respondent, (n, m), by Newton's method; steps that do not improve are halved."""
    size = part.weights.shape[1]
    precision = part.precision if ridge is None else ridge * np.eye(size)
    spread = np.sqrt(np.diagonal(np.linalg.inv(part.precision)))
    slopes, level = part.weights / part.sd[:, None], part.level / part.sd
    scores, open_ = part.mean.copy(), np.arange(len(part.mean))
    for _ in range(_ITERATIONS):
        here = _Posterior(answers, slopes, level, part.mean, precision, open_)
        step = here.step(scores[open_])
        length = np.abs(step / spread).max(axis=1)
        step *= np.minimum(1.0, _LONGEST / np.maximum(length, 1e-300))[:, None]
        scores[open_] += step * here.share(scores[open_], step)[:, None]
        open_ = open_[length > _STEP]
        if not len(open_):
            return scores
    scores[open_] = np.nan
    return scores


@dataclass(frozen=True)
class _Posterior:
    """Log-posterior of some respondents (`rows`)."""

    answers: _Answers
    slopes: Array
    level: Array
    mean: Array
    precision: Array
    rows: NDArray[np.intp]

    def _density(self, scores: Array) -> tuple[Array, Array, Array]:
        chosen = self.answers.of_rows(self.rows)
        return chosen.log_density(self.level[self.rows] + scores @ self.slopes.T)

    def value(self, scores: Array) -> Array:
        away = scores - self.mean[self.rows]
        found: Array = self._density(scores)[0].sum(axis=1) - np.einsum("ni,ij,nj->n", away, self.precision, away) / 2
        return found

    def step(self, scores: Array) -> Array:
        """Newton's step."""
        _, slope, bend = self._density(scores)
        gradient = slope @ self.slopes - (scores - self.mean[self.rows]) @ self.precision
        curvature = self.precision - np.einsum("nv,vi,vj->nij", bend, self.slopes, self.slopes)
        found: Array = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
        return found

    def share(self, scores: Array, step: Array) -> Array:
        """The share of each step that does not lower the posterior, (n,): 1, 1/2, 1/4, …"""
        share, before = np.ones(len(scores)), self.value(scores)
        for _ in range(_HALVINGS):
            worse = self.value(scores + share[:, None] * step) < before - 1e-12 * (1 + np.abs(before))
            if not worse.any():
                break
            share[worse] /= 2
        return share
