"""How often customers buy again, and whether they are still there: BG/NBD and Pareto/NBD (chapter 4).

Both say: while a customer is alive she buys at random at her own rate λ, rates differ as Gamma(r, α). In **BG/NBD**
(Fader, Hardie & Lee 2005) she may leave right after any purchase with her own probability p, which differs as
Beta(a, b). In **Pareto/NBD** (Schmittlein, Morrison & Colombo 1987) she may leave at any time, at her own rate μ, which
differs as Gamma(s, β). Nobody sees a customer leave; the models infer it from a silence too long for her rate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.special import betainc, betaln, digamma, gammaln

from crmlab.errors import InputError

from .histories import history
from .likelihood import Estimate, Model, Patterns, Terms, by_pattern, estimated
from .told import Array, at_least, numbers

#: Nodes of the integral over the time of leaving, and decays of its integrand that are integrated.
_NODES, _DECAYS = 24, 40.0


@dataclass(frozen=True)
class BuyingModel(Estimate):
    """What BG/NBD and Pareto/NBD answer, for the customers they were fitted to or for others."""

    frequency: Array = field(repr=False)
    recency: Array = field(repr=False)
    T: Array = field(repr=False)

    def probability_alive(self, frequency: Any = None, recency: Any = None, T: Any = None) -> Array:
        """Probability that each customer is still one at the end of the observation, 0–1.

        Without arguments for the customers of the fit, else for these histories.
        """
        return self._alive(*self._histories(frequency, recency, T))

    def expected_purchases(self, t: Any, frequency: Any = None, recency: Any = None, T: Any = None) -> Array:
        """Purchases expected of each customer in the `t` units of time after the end of the observation.

        Several times give one row each: shape (customers,) or (times, customers).
        """
        times = at_least(numbers(np.atleast_1d(t), "t"), 0, "t", "Time runs from the end of the observation.")
        x, t_x, observed = self._histories(frequency, recency, T)
        expected = self._alive(x, t_x, observed) * self._if_alive(times, x, observed)
        return expected[0] if np.ndim(t) == 0 else expected

    def expected_purchases_new(self, t: Any) -> Array:
        """Repeat purchases expected of a customer nothing is known of, up to each time `t` after the first purchase."""
        times = at_least(numbers(np.atleast_1d(t), "t"), 0, "t", "Time runs from the first purchase.")
        return self._new(times)

    def _histories(self, frequency: Any, recency: Any, T: Any) -> tuple[Array, Array, Array]:
        given = (frequency, recency, T)
        if all(column is None for column in given):
            return self.frequency, self.recency, self.T
        if any(column is None for column in given):
            raise InputError("frequency, recency, T: give all three, or none for the customers of the fit.")
        x, t_x, observed = (np.atleast_1d(np.asarray(column, dtype=float)) for column in given)
        # A new customer alone is no reason to stop: the check for repeat buyers is one of the fit.
        if x.size and not x.any():
            if t_x.any() or (observed < 0).any():
                raise InputError("recency: it must be 0 where frequency is 0, and T must not be negative.")
            return x, t_x, observed
        return history(x, t_x, observed)

    def _alive(self, x: Array, t_x: Array, observed: Array) -> Array:
        """The first term of the likelihood is that of being alive; its share is the probability."""
        point = np.log(self.params.to_numpy())[..., None, None]
        terms, _ = self.model.terms(
            tuple(np.exp(point)), Patterns((x, t_x, observed), np.ones(len(x)), np.arange(len(x)))
        )
        alive: Array = np.exp(terms[..., 0] - np.logaddexp.reduce(terms, axis=-1))
        return alive.reshape(len(x))

    def _if_alive(self, times: Array, x: Array, observed: Array) -> Array:
        """Purchases in each of the times, given that the customer is alive (times, customers)."""
        raise NotImplementedError

    def _new(self, times: Array) -> Array:
        raise NotImplementedError


# --- BG/NBD -----------------------------------------------------------------------------------------------------------


class BgNbd(BuyingModel):
    """A fitted BG/NBD: `params` r, alpha (rate of buying), a, b (probability of leaving after a purchase)."""

    def purchase_distribution(self, t: Any, most: int) -> Array:
        """Probability of 0, 1, …, `most` repeat purchases up to time t after the first (equation 8 of the paper).

        Returns
        -------
        array, shape (len(t), most + 1)
        """
        r, alpha, a, b = self.params
        times = numbers(np.atleast_1d(t), "t")[:, None]
        x = np.arange(most + 1)[None, :]
        share = times / (alpha + times)
        log_counts = gammaln(r + x) - gammaln(r) - gammaln(x + 1) + r * np.log(alpha / (alpha + times))
        with np.errstate(divide="ignore", invalid="ignore"):
            log_counts = log_counts + np.where(x > 0, x * np.log(share), 0.0)
        stays = np.exp(betaln(a, b + x) - betaln(a, b) + log_counts)
        leaves = np.exp(betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b)) * betainc(np.maximum(x, 1), r, share)
        return stays + np.where(x > 0, leaves, 0.0)

    def _if_alive(self, times: Array, x: Array, observed: Array) -> Array:
        r, alpha, a, b = self.params
        expected = np.empty((len(times), len(x)))
        for own in np.unique(x):
            rows = x == own
            expected[:, rows] = _bg_purchases(r + own, a, b + own, times[:, None] / (alpha + observed[rows]))
        return expected

    def _new(self, times: Array) -> Array:
        r, alpha, a, b = self.params
        return _bg_purchases(r, a, b, times / alpha)


def _bg_purchases(r: float, a: float, b: float, ratio: Array) -> Array:
    """Purchases in a time t = ratio · α of customers now alive: the mean of (1 − e^(−λpt))/p.

    With λ ~ Gamma(r, α) it integrates to (1 − (1 + pt/α)^−r)/p. The mean over
    p ~ Beta(a, b) is a Gauss–Jacobi quadrature, which unlike the closed form
    of the paper, equations (9) and (10), has no hole at a = 1. The integrand has a pole at p = −α/t: the longer the
    time, the nearer, and the error falls as exp(−4 nodes √(α/t)).
    """
    size = int(np.clip(7 * np.sqrt(ratio.max()), 32, 400))
    p, weights = _beta_nodes(size, a, b)
    flat, place = np.unique(ratio, return_inverse=True)
    expected: Array = (-np.expm1(-r * np.log1p(p * flat[:, None])) / p) @ weights
    return expected[place].reshape(ratio.shape)


def _beta_nodes(size: int, a: float, b: float) -> tuple[Array, Array]:
    """Nodes and weights of the mean over Beta(a, b): eigenvalues of the Jacobi matrix (Golub & Welsch 1969)."""
    n = np.arange(1.0, size)
    c = a + b - 2
    with np.errstate(invalid="ignore", divide="ignore"):
        off = n * (n + b - 1) * (n + a - 1) * (n + c) / ((2 * n + c) ** 2 * ((2 * n + c) ** 2 - 1))
        middle = (a - b) * c / ((2 * n + c) * (2 * n + c + 2))
    off[0] = a * b / ((a + b) ** 2 * (a + b + 1))
    diagonal = np.r_[a / (a + b), (1 + middle) / 2]
    nodes, vectors = eigh_tridiagonal(diagonal, np.sqrt(off))
    return np.maximum(nodes, np.finfo(float).tiny), vectors[0] ** 2


def _bg_terms(params: tuple[Array, ...], patterns: Patterns) -> Terms:
    """Equation (6) of Fader, Hardie & Lee (2005): still alive at T, or lost after the purchase at t_x."""
    r, alpha, a, b = params
    x, t_x, observed = (column[:, None] for column in patterns.columns)
    repeat = x > 0
    times = np.stack(np.broadcast_arrays(observed, t_x), axis=-1)[..., 0, :]
    log_times = np.log(alpha + times)
    counts = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    chances = gammaln(a + b) - gammaln(b) + gammaln(b + x) - gammaln(a + b + x)
    before_last = b + np.where(repeat, x, 2) - 1
    lost = np.where(repeat, np.log(a) - np.log(before_last), -np.inf)
    terms = counts + chances - (r + x) * log_times
    terms[..., 1:] += lost
    is_lost = np.array([0.0, 1.0])
    both = digamma(a + b) - digamma(a + b + x)
    slopes = (
        digamma(r + x) - digamma(r) + np.log(alpha) - log_times,
        r / alpha - (r + x) / (alpha + times),
        both + is_lost / a,
        both + digamma(b + x) - digamma(b) - is_lost / before_last,
    )
    return terms, slopes


BG_NBD = Model("BG/NBD", ("r", "alpha", "a", "b"), _bg_terms, 2)


def bg_nbd(frequency: Any, recency: Any, T: Any) -> BgNbd:
    """Fit BG/NBD by maximum likelihood.

    Parameters
    ----------
    frequency : array of whole numbers ≥ 0
        Repeat purchases of each customer.
    recency : array, same length, 0 ≤ recency ≤ T
        Time from the first to the last purchase; 0 without a repeat purchase.
    T : array, same length
        Time from the first purchase to the end of the observation, in the same unit.

    Returns
    -------
    BgNbd
        With `params` r, alpha, a, b, `log_likelihood`, `converged`, `problems`, `probability_alive()`,
        `expected_purchases(t)`, `bootstrap()`.

    Raises
    ------
    InputError
        Missing values, histories that cannot be, or nobody who bought twice.

    References
    ----------
    Fader, P. S., Hardie, B. G. S., & Lee, K. L. (2005). "Counting your customers" the easy way: An alternative to the
    Pareto/NBD model. Marketing Science, 24(2), 275–284.

    Examples
    --------
    >>> from crmlab.datasets import load_cdnow
    >>> from crmlab.transactions import Transactions
    >>> from crmlab.value import purchase_summary
    >>> bought = purchase_summary(Transactions(load_cdnow(sample=True)), end="1997-09-30")
    >>> fit = bg_nbd(bought["frequency"], bought["recency"], bought["T"])
    >>> fit.params.round(3).to_dict(), round(fit.log_likelihood, 1)
    ({'r': 0.243, 'alpha': 4.414, 'a': 0.793, 'b': 2.426}, -9582.4)
    >>> fit.expected_purchases(39, frequency=2, recency=30.43, T=38.86).round(3)
    array([1.226])
    """
    columns = history(frequency, recency, T)
    # Rate of purchases per unit of time: sets the scale of alpha whatever the unit.
    rate = columns[0].sum() / max(columns[2].sum(), 1e-12)
    starts = [(r, r / rate, a, b) for r, a, b in ((0.5, 1.0, 2.0), (1.0, 0.3, 3.0), (0.2, 3.0, 9.0), (3.0, 0.1, 1.0))]
    fields = estimated(BG_NBD, Patterns.of(*columns), starts, _about(columns))
    return BgNbd(**fields, frequency=columns[0], recency=columns[1], T=columns[2])


# --- Pareto/NBD -------------------------------------------------------------------------------------------------------


class ParetoNbd(BuyingModel):
    """A fitted Pareto/NBD: `params` r, alpha (rate of buying), s, beta (rate of leaving)."""

    def _if_alive(self, times: Array, x: Array, observed: Array) -> Array:
        r, alpha, s, beta = self.params
        return (r + x) / (alpha + observed) * _pareto_lifetime(s, beta + observed, times[:, None])

    def _new(self, times: Array) -> Array:
        r, alpha, s, beta = self.params
        return r / alpha * _pareto_lifetime(s, beta, times)


def _pareto_lifetime(s: float, beta: Any, t: Any) -> Array:
    """Time expected to be lived within t by whoever is alive now: β/(s−1) · (1 − (β/(β+t))^(s−1)); its limit at 1."""
    log_share = np.log1p(t / np.asarray(beta))
    if abs(s - 1) < 1e-9:
        return np.asarray(beta * log_share)
    return np.asarray(-beta * np.expm1(-(s - 1) * log_share) / (s - 1))


def _pareto_terms(params: tuple[Array, ...], patterns: Patterns) -> Terms:
    """Alive at T, or lost at some time u between t_x and T: L ∝ α^r β^s [A(T) + s ∫ (α+u)^−(r+x) (β+u)^−(s+1) du].

    Over y = ln(min(α, β) + u) the integrand falls at a rate that never slows down, and no singularity is nearer than
    π: a Gauss–Legendre sum over its first decays is exact to machine precision, and no hypergeometric function is
    needed. Derivatives are those of the integrand at fixed u.
    """
    r, alpha, s, beta = params
    x, t_x, observed = (column[:, None] for column in patterns.columns)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    nearer = np.minimum(alpha, beta)
    low = nearer + t_x
    fall = (r + x) * low / (alpha + t_x) + (s + 1) * low / (beta + t_x) - 1
    width = np.minimum(np.log1p((observed - t_x) / low), _DECAYS / np.maximum(fall, 1e-3))
    y = np.log(low) + width * (1 + nodes) / 2
    u = np.exp(y) - nearer
    log_alpha, log_beta = np.log(alpha + u), np.log(beta + u)
    with np.errstate(divide="ignore"):
        log_weights = np.log(width / 2) + np.log(weights) + y
    lost = np.log(s) + log_weights - (r + x) * log_alpha - (s + 1) * log_beta
    alive = -(r + x) * np.log(alpha + observed) - s * np.log(beta + observed)
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    join = _joined(lost.shape)
    when = join(observed, u)
    log_alpha_at, log_beta_at = join(np.log(alpha + observed), log_alpha), join(np.log(beta + observed), log_beta)
    is_lost = np.r_[0.0, np.ones(_NODES)]
    slopes = (
        digamma(r + x) - digamma(r) + np.log(alpha) - log_alpha_at,
        r / alpha - (r + x) / (alpha + when),
        np.log(beta) - log_beta_at + is_lost / s,
        s / beta - (s + is_lost) / (beta + when),
    )
    return join(alive, lost) + common, slopes


def _joined(shape: tuple[int, ...]) -> Any:
    """Put a column before the nodes."""
    return lambda first, rest: np.concatenate([np.broadcast_to(first, (*shape[:-1], 1)), rest], axis=-1)


PARETO_NBD = Model("Pareto/NBD", ("r", "alpha", "s", "beta"), _pareto_terms, 6 * (1 + _NODES))


def pareto_nbd(frequency: Any, recency: Any, T: Any) -> ParetoNbd:
    """Fit Pareto/NBD by maximum likelihood.

    Parameters, errors and the result's methods are those of `bg_nbd`; `params` are r, alpha, s, beta.

    References
    ----------
    Schmittlein, D. C., Morrison, D. G., & Colombo, R. (1987). Counting your customers: Who are they and what will they
    do next? Management Science, 33(1), 1–24.

    Examples
    --------
    >>> fit = pareto_nbd([0, 0, 1, 3, 2, 6, 0, 1], [0, 0, 4, 30, 8, 37, 0, 35], [38, 35, 39, 38, 36, 39, 30, 38])
    >>> fit.converged, bool(fit.probability_alive(3, 30, 38) > fit.probability_alive(3, 10, 38))
    (True, True)
    """
    columns = history(frequency, recency, T)
    rate = columns[0].sum() / max(columns[2].sum(), 1e-12)
    starts = [(r, r / rate, s, 2 * columns[2].mean()) for r, s in ((0.5, 1.0), (1.0, 0.3), (0.2, 3.0))]
    fields = estimated(PARETO_NBD, Patterns.of(*columns), starts, _about(columns))
    return ParetoNbd(**fields, frequency=columns[0], recency=columns[1], T=columns[2])


def _about(columns: tuple[Array, ...]) -> list[str]:
    """What the data alone make doubtful."""
    x, _, observed = columns
    repeat = int((x > 0).sum())
    told = []
    if repeat < 100:
        told.append(
            f"Only {repeat} of {len(x)} customers bought again; with fewer than about 100 the parameters are loose. "
            "See the "
            "bootstrap intervals."
        )
    if (observed == 0).any():
        told.append(
            f"{int((observed == 0).sum())} customers were won on the last day; they tell nothing about buying again."
        )
    return told


def log_likelihoods(fit: BuyingModel) -> Array:
    """Log-likelihood of each customer at the estimate."""
    point = np.log(fit.params.to_numpy())
    return by_pattern(fit.model, point, fit.patterns)[0][fit.patterns.member]
