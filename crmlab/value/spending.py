"""How much customers spend per purchase: the Gamma–Gamma model (chapter 4; Fader & Hardie 2013).

Each purchase varies around the customer's own mean as Gamma(p, ν), and ν differs between customers as Gamma(q, v). What
a customer spent on average in few purchases says little of her mean, so it is drawn towards that of all:
E(mean | x, z̄) = p (v + x z̄) / (p x + q − 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma, gammaln

from crmlab.errors import InputError

from .likelihood import Estimate, Model, Patterns, Terms, estimated
from .told import Array, at_least, numbers


class GammaGamma(Estimate):
    """A fitted Gamma–Gamma: `params` p (purchases of one customer), q, v (customers)."""

    @property
    def mean(self) -> float:
        """Mean spend per purchase of the population, p v / (q − 1); infinite for q ≤ 1."""
        p, q, v = self.params
        return float(p * v / (q - 1)) if q > 1 else float("inf")

    def expected_spend(self, frequency: Any, monetary_value: Any) -> Array:
        """Expected mean spend per purchase of customers with these repeat purchases; the population's for none."""
        p, q, v = self.params
        x, spend = _spending(frequency, monetary_value)
        if q <= 1 and (x == 0).any():
            raise InputError("gamma_gamma: q ≤ 1, so the mean of customers without a repeat purchase is infinite.")
        expected: Array = p * (v + x * spend) / (p * x + q - 1)
        return expected


def _terms(params: tuple[Array, ...], patterns: Patterns) -> Terms:
    """Equation (1a) of Fader & Hardie (2013)."""
    p, q, v = params
    x, z = (column[:, None] for column in patterns.columns)
    px = p * x
    total = np.log(v + x * z)
    term = (
        gammaln(px + q)
        - gammaln(px)
        - gammaln(q)
        + q * np.log(v)
        + (px - 1) * np.log(z)
        + px * np.log(x)
        - (px + q) * total
    )
    slopes = (
        x * (digamma(px + q) - digamma(px) + np.log(z) + np.log(x) - total),
        digamma(px + q) - digamma(q) + np.log(v) - total,
        q / v - (px + q) / (v + x * z),
    )
    return term, slopes


GAMMA_GAMMA = Model("Gamma–Gamma", ("p", "q", "v"), _terms, 1)


def gamma_gamma(frequency: Any, monetary_value: Any) -> GammaGamma:
    """Fit the Gamma–Gamma model of spend per purchase by maximum likelihood.

    Parameters
    ----------
    frequency : array of whole numbers
        Repeat purchases; customers without one are left out.
    monetary_value : array, same length
        Mean spend of these purchases, above 0 where there are any; those of 0 are left out and told.

    Returns
    -------
    GammaGamma
        With `params` p, q, v, `mean`, `expected_spend(frequency, monetary_value)`, `problems`.

    Raises
    ------
    InputError
        Missing or negative values, or fewer than three customers left.

    References
    ----------
    Fader, P. S., & Hardie, B. G. S. (2013). The Gamma–Gamma model of monetary value.

    Examples
    --------
    >>> from crmlab.datasets import load_cdnow
    >>> from crmlab.transactions import Transactions
    >>> from crmlab.value import purchase_summary
    >>> bought = purchase_summary(Transactions(load_cdnow(sample=True)), end="1997-09-30")
    >>> fit = gamma_gamma(bought["frequency"], bought["monetary_value"])
    >>> fit.params.round(2).to_dict(), fit.n
    ({'p': 6.25, 'q': 3.74, 'v': 15.44}, 946)
    """
    x, spend = _spending(frequency, monetary_value)
    used = (x > 0) & (spend > 0)
    told = []
    free = int(((x > 0) & (spend == 0)).sum())
    if free:
        told.append(
            f"{free} customers with repeat purchases spent nothing on them; the model knows no free purchase: left out."
        )
    if used.sum() < 3:
        raise InputError(
            f"gamma_gamma: {int(used.sum())} customers with a repeat purchase and spend above 0; expected at least "
            "3, better "
            "100. Use a longer period."
        )
    together = np.corrcoef(x[used], spend[used])[0, 1] if x[used].std() > 0 and spend[used].std() > 0 else 0.0
    if abs(together) > 0.2:
        told.append(
            f"Frequency and spend per purchase correlate {together:.2f}; the model takes them as independent, so "
            "the value of "
            f"{'frequent buyers is under' if together > 0 else 'frequent buyers is over'}stated."
        )
    mean = float(spend[used].mean())
    starts = [(p, q, mean * max(q - 1, 0.5) / p) for p, q in ((6.0, 3.0), (1.0, 5.0), (20.0, 2.0))]
    fields = estimated(GAMMA_GAMMA, Patterns.of(x[used], spend[used]), starts, told)
    if fields["params"]["q"] <= 1:
        fields["problems"].append(
            "q is not above 1: the mean spend of the population is infinite. Look for extreme orders."
        )
    return GammaGamma(**fields)


def _spending(frequency: Any, monetary_value: Any) -> tuple[Array, Array]:
    x = numbers(np.atleast_1d(frequency) if np.isscalar(frequency) else frequency, "frequency")
    spend = numbers(np.atleast_1d(monetary_value) if np.isscalar(monetary_value) else monetary_value, "monetary_value")
    if len(x) != len(spend):
        raise InputError(
            f"frequency, monetary_value: {len(x)} and {len(spend)} values; expected one of each for every customer."
        )
    at_least(x, 0, "frequency", "It counts repeat purchases.")
    at_least(spend, 0, "monetary_value", "Take returns out of the orders first.")
    return x, spend
