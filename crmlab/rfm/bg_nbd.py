"""BG/NBD: how often a customer will buy again, from the number of repeat purchases and the time of the last one.

While alive, a customer buys at a rate λ of her own, drawn from a gamma distribution (r, α); after every purchase she
leaves for good with a probability p of her own, drawn from a beta distribution (a, b). Here the forecast that RFM
scores are measured against (chapter 3).

References
----------
Fader, P. S., Hardie, B. G. S., & Lee, K. L. (2005). "Counting your customers" the easy way: An alternative to the
Pareto/NBD model. Marketing Science, 24(2), 275-284.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class BgNbd:
    """A fitted BG/NBD model.

    Attributes
    ----------
    params : Series r, alpha, a, b
    log_likelihood : float
    converged : bool
    customers : DataFrame frequency, recency, T as given
    problems : list of str
    """

    params: pd.Series
    log_likelihood: float
    converged: bool
    customers: pd.DataFrame
    problems: list[str]

    def probability_alive(self) -> pd.Series:
        """Probability that each customer has not left by T; 1 if she has not bought again (Fader & Hardie 2008)."""
        return 1 / (1 + self._odds_of_having_left())

    def expected_purchases(self, t: float) -> pd.Series:
        """Purchases each customer is expected to make in the next `t` units of time (equation 10)."""
        from scipy.special import hyp2f1

        r, alpha, a, b = self.params
        x, T = self.customers["frequency"], self.customers["T"]
        stays = ((alpha + T) / (alpha + T + t)) ** (r + x)
        forgets = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + T + t))
        return (a + b + x - 1) / (a - 1) * (1 - stays * forgets) / (1 + self._odds_of_having_left())

    def _odds_of_having_left(self) -> pd.Series:
        r, alpha, a, b = self.params
        x, t_x, T = (self.customers[name] for name in ("frequency", "recency", "T"))
        left = a / (b + x.clip(lower=1) - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x)
        return left.where(x > 0, 0.0)


def bg_nbd(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> BgNbd:
    """Fit the BG/NBD model by maximum likelihood.

    Parameters
    ----------
    frequency : repeat purchases x, 0 or more: several on one day are one, and the first does not count
    recency : time t_x from the first purchase to the last; 0 without a repeat purchase
    T : time from the first purchase to the end of the observation, in the same unit, at least recency

    Returns
    -------
    BgNbd

    Raises
    ------
    InputError
        For values that are missing or impossible, or if nobody bought again.

    Examples
    --------
    The data and the estimates of Fader, Hardie & Lee (2005), table 2:

    >>> from crmlab.datasets import load_cdnow
    >>> from crmlab.rfm import holdout
    >>> from crmlab.transactions import Transactions
    >>> customers = holdout(Transactions(load_cdnow(sample=True)), "1997-09-30").customers
    >>> bg_nbd(customers["repeats"], customers["weeks_to_last"], customers["weeks"]).params.round(3).to_dict()
    {'r': 0.243, 'alpha': 4.414, 'a': 0.793, 'b': 2.426}
    """
    from scipy.optimize import minimize

    customers = _checked(frequency, recency, T)
    counts = customers.value_counts(sort=False)
    x, t_x, age = (counts.index.get_level_values(name).to_numpy() for name in customers.columns)

    def loss(logs: np.ndarray) -> tuple[float, np.ndarray]:
        likelihoods, slopes = _log_likelihood(np.exp(logs), x, t_x, age)
        return -float(weights @ likelihoods), -np.exp(logs) * (slopes @ weights)

    weights = counts.to_numpy() / len(customers)
    # Time starts in units of its mean: that suits weeks as well as days.
    start = np.log([0.5, 0.2 * float(age.mean()), 1.0, 2.0])
    fit = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 1000})
    converged = bool(np.abs(fit.jac).max() < 1e-6)
    problems = [] if converged else ["BG/NBD: the likelihood has no clear maximum; do not use the estimates."]
    params = pd.Series(np.exp(fit.x), index=["r", "alpha", "a", "b"], name="estimate")
    return BgNbd(params, -float(fit.fun) * len(customers), converged, customers, problems)


def _log_likelihood(params: np.ndarray, x: Any, t_x: Any, T: Any) -> tuple[np.ndarray, np.ndarray]:
    """Equation 6 of the paper by customer, and its derivatives by r, α, a and b."""
    from scipy.special import betaln, digamma, gammaln

    r, alpha, a, b = params
    a1 = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    a2 = betaln(a, b + x) - betaln(a, b)
    a3 = -(r + x) * np.log(alpha + T)
    repeats = np.maximum(x, 1)
    a4 = np.where(x > 0, np.log(a / (b + repeats - 1)) - (r + x) * np.log(alpha + t_x), -np.inf)
    either = np.logaddexp(a3, a4)
    alive, left = np.exp(a3 - either), np.exp(a4 - either)
    slopes = [
        digamma(r + x) - digamma(r) + np.log(alpha) - alive * np.log(alpha + T) - left * np.log(alpha + t_x),
        r / alpha - (r + x) * (alive / (alpha + T) + left / (alpha + t_x)),
        digamma(a + b) - digamma(a + b + x) + left / a,
        digamma(b + x) - digamma(b) + digamma(a + b) - digamma(a + b + x) - left / (b + repeats - 1),
    ]
    return a1 + a2 + either, np.array(slopes)


def _checked(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> pd.DataFrame:
    columns = {"frequency": frequency, "recency": recency, "T": T}
    index = frequency.index if isinstance(frequency, pd.Series) else None
    found = pd.DataFrame({name: np.asarray(values, dtype=float) for name, values in columns.items()}, index=index)
    possible = {
        "a frequency of 0 or more in whole numbers": (found["frequency"] >= 0) & (found["frequency"] % 1 == 0),
        "0 ≤ recency ≤ T": (found["recency"] >= 0) & (found["recency"] <= found["T"]),
        "T above 0": (found["T"] > 0) & np.isfinite(found["T"]),
        "recency 0 exactly where frequency is 0": (found["recency"] == 0) == (found["frequency"] == 0),
    }
    for expected, holds in possible.items():
        if not holds.all():
            place = int((~holds).to_numpy().argmax())
            raise InputError(
                f"bg_nbd: customer {place + 1} has {found.iloc[place].to_dict()}; expected {expected} "
                f"({int((~holds).sum())} customers differ)."
            )
    if found["frequency"].sum() == 0:
        raise InputError("bg_nbd: nobody bought a second time, so that nothing can be learnt about coming back.")
    return found
