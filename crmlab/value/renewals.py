"""Customers who are asked at fixed times: contracts that are renewed or not, and yes-or-no occasions (chapter 4).

**sBG** (Fader & Hardie 2007): a subscriber leaves at each renewal with her own probability θ, which differs as
Beta(α, β). The retention rate of a cohort rises with its age, although nobody changes: those likely to leave are gone.
**BG/BB** (Fader, Hardie & Shang 2010): on each of n occasions a donor gives with probability p ~ Beta(α, β) while
alive, and leaves before it with θ ~ Beta(γ, δ).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betaln, digamma

from crmlab.errors import InputError

from .likelihood import Estimate, Model, Patterns, Terms, estimated
from .told import Array, numbers, whole


class ShiftedBetaGeometric(Estimate):
    """A fitted sBG: `params` alpha, beta of the probability of leaving."""

    def survival(self, periods: int) -> Array:
        """Share still customers after 0, 1, …, `periods` renewals."""
        alpha, beta = self.params
        t = np.arange(whole(periods, "periods", 0) + 1)
        share: Array = np.exp(betaln(alpha, beta + t) - betaln(alpha, beta))
        return share

    def retention(self, periods: int) -> Array:
        """Share of those left who renew, at renewal 1, …, `periods`: (β + t − 1)/(α + β + t − 1)."""
        alpha, beta = self.params
        t = np.arange(1, whole(periods, "periods", 1) + 1)
        rates: Array = (beta + t - 1) / (alpha + beta + t - 1)
        return rates


def _sbg_terms(params: tuple[Array, ...], patterns: Patterns) -> Terms:
    """P(leaves at t) = B(α+1, β+t−1)/B(α, β); still there after t: B(α, β+t)/B(α, β)."""
    alpha, beta = params
    time, left = (column[:, None] for column in patterns.columns)
    first, second = alpha + left, beta + time - left
    term = betaln(first, second) - betaln(alpha, beta)
    both = digamma(alpha + beta) - digamma(first + second)
    return term, (digamma(first) - digamma(alpha) + both, digamma(second) - digamma(beta) + both)


SBG = Model("sBG", ("alpha", "beta"), _sbg_terms, 1)


def sbg(survivors: Any) -> ShiftedBetaGeometric:
    """Fit the shifted beta-geometric model to a cohort of subscribers.

    Parameters
    ----------
    survivors : array
        Customers left at the start and after each renewal, never rising: 1000, 631, 468, …. Counts, not shares: the
        standard errors need to know how many they are.

    Returns
    -------
    ShiftedBetaGeometric
        With `params` alpha, beta, `survival(periods)`, `retention(periods)`.

    Raises
    ------
    InputError
        Fewer than two renewals, counts that rise or are negative, or a cohort of which nobody left or nobody stayed.

    References
    ----------
    Fader, P. S., & Hardie, B. G. S. (2007). How to project customer retention. Journal of Interactive Marketing, 21(1),
    76–90.

    Examples
    --------
    >>> fit = sbg([1000, 631, 468, 382, 326, 289, 262, 241])
    >>> fit.params.round(3).to_dict()
    {'alpha': 0.704, 'beta': 1.182}
    >>> fit.retention(3).round(2)
    array([0.63, 0.76, 0.82])
    """
    left = numbers(survivors, "survivors")
    if len(left) < 3:
        raise InputError(f"survivors: {len(left)} values; expected the start and two renewals or more.")
    if (np.diff(left) > 0).any() or left[-1] < 0:
        raise InputError(
            "survivors: the numbers rise or are negative; expected customers left after each renewal, never more."
        )
    if left[0] <= 1:
        raise InputError(
            f"survivors: the cohort has {left[0]:g} customers; expected counts, not shares. Multiply by its size."
        )
    if left[0] == left[-1] or left[1] == 0:
        raise InputError(
            "survivors: nobody left, or all left at once; differences between customers cannot be estimated."
        )
    losses = -np.diff(left)
    periods = np.arange(1, len(left), dtype=float)
    time, gone = np.r_[periods, periods[-1]], np.r_[np.ones(len(losses)), 0.0]
    counts = np.r_[losses, left[-1]]
    patterns = Patterns((time, gone), counts, np.arange(len(time)))
    return ShiftedBetaGeometric(**estimated(SBG, patterns, [(1.0, 1.0), (0.5, 2.0), (5.0, 20.0)], []))


class BgBb(Estimate):
    """A fitted BG/BB: `params` alpha, beta (giving on an occasion), gamma, delta (leaving before one)."""


def _bb_terms(params: tuple[Array, ...], patterns: Patterns) -> Terms:
    """Equation (5) of Fader, Hardie & Shang (2010): alive on all n occasions, or lost before one of those after t_x."""
    alpha, beta, gamma, delta = params
    x, t_x, n = (column[:, None] for column in patterns.columns)
    last = np.arange(int(n.max()) + 1)  # 0: alive to the end; k ≥ 1: alive on t_x + k − 1 occasions, then lost
    lived = np.where(last == 0, n, np.minimum(t_x + last - 1, n))
    lost = (last > 0).astype(float)
    gave, missed, stayed = alpha + x, beta + lived - x, delta + lived
    terms = betaln(gave, missed) - betaln(alpha, beta) + betaln(gamma + lost, stayed) - betaln(gamma, delta)
    terms = np.where((last > 0) & (last > n - t_x), -np.inf, terms)
    giving = digamma(alpha + beta) - digamma(gave + missed)
    leaving = digamma(gamma + delta) - digamma(gamma + lost + stayed)
    slopes = (
        digamma(gave) - digamma(alpha) + giving,
        digamma(missed) - digamma(beta) + giving,
        digamma(gamma + lost) - digamma(gamma) + leaving,
        digamma(stayed) - digamma(delta) + leaving,
    )
    return terms, slopes


BG_BB = Model("BG/BB", ("alpha", "beta", "gamma", "delta"), _bb_terms, 16)


def bg_bb(frequency: Any, recency: Any, occasions: Any, *, counts: Any = None) -> BgBb:
    """Fit the beta-geometric/beta-Bernoulli model to yes-or-no occasions, such as yearly donations.

    Parameters
    ----------
    frequency : array of whole numbers
        Occasions on which the customer bought, after the first purchase.
    recency : array, same length
        Number of the last such occasion; 0 without one.
    occasions : array or number
        Occasions there were.
    counts : array, optional
        Customers with each history; default one.

    Returns
    -------
    BgBb

    Raises
    ------
    InputError
        Missing values, or histories that cannot be.

    References
    ----------
    Fader, P. S., Hardie, B. G. S., & Shang, J. (2010). Customer-base analysis in a discrete-time noncontractual
    setting. Marketing Science, 29(6), 1086–1108.

    Examples
    --------
    >>> fit = bg_bb([0, 1, 1, 2, 2, 3], [0, 1, 3, 2, 3, 3], 3, counts=[500, 80, 60, 70, 120, 170])
    >>> fit.n, fit.converged
    (1000, True)
    """
    x, t_x = numbers(frequency, "frequency"), numbers(recency, "recency")
    n = (
        np.broadcast_to(np.asarray(occasions, dtype=float), x.shape)
        if np.ndim(occasions) == 0
        else numbers(occasions, "occasions")
    )
    size = np.ones(len(x)) if counts is None else numbers(counts, "counts")
    if not len(x) == len(t_x) == len(n) == len(size):
        raise InputError("frequency, recency, occasions, counts: expected one value of each for every history.")
    wrong = (x < 0) | (x > t_x) | (t_x > n) | ((x == 0) != (t_x == 0)) | (size < 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"row {row}: frequency {x[row]:g}, last on occasion {t_x[row]:g} of {n[row]:g} cannot be; expected 0 ≤ "
            "frequency ≤ "
            "recency ≤ occasions, and 0 for both or neither."
        )
    if not x.any():
        raise InputError("frequency: nobody bought again on any occasion, so nothing can be learnt about buying again.")
    patterns = Patterns.of(x, t_x, n, weights=size)
    return BgBb(**estimated(BG_BB, patterns, [(1.0, 1.0, 0.5, 2.0), (0.5, 0.5, 1.0, 5.0), (2.0, 2.0, 2.0, 10.0)], []))
