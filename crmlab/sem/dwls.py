"""Weighted least squares of the statistics of ordinal items, and the adjusted tests: DWLS, WLSMV and their kin.

For groups of n_g of N respondents, s the statistics of `polychoric.ordinal_moments` with sampling covariance Γ, σ the
implied ones of `ordinal_structure`, Δ the derivatives of σ and W the weights, 1 / diag(Γ):

    discrepancy         F = Σ_g (n_g − 1)/N · (s − σ)'W(s − σ),  T = N F             (Muthén, du Toit & Spisic 1997)
    naive errors        E⁻¹/(N − G),  E = Σ_g n_g/N · Δ'WΔ
    robust errors       E⁻¹ Δ'WΓWΔ E⁻¹/(N − G)
    scaled and shifted  T √(df/t₂) + df − t₁ √(df/t₂),  t₁ = tr(UΓ), t₂ = tr(UΓUΓ), U = W − WΔE⁻¹Δ'W.

References
----------
Asparouhov, T. & Muthén, B. (2010). Simple second order chi-square correction. Mplus technical appendix.
Muthén, B., du Toit, S. & Spisic, D. (1997). Robust inference using weighted least squares and quadratic estimating
equations in latent variable modeling with categorical and continuous outcomes. Unpublished technical report.
Satorra, A. (2000). Scaled and adjusted restricted tests in multi-sample analysis of moment structures. In Heijmans,
Pollock & Satorra (eds.), Innovations in Multivariate Statistical Analysis, 233–247.
Satorra, A. & Bentler, P. M. (1994). Corrections to test statistics and standard errors in covariance structure
analysis. In von Eye & Clogg (eds.), Latent Variables Analysis, 399–419.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .corrected import block_diagonal
from .estimators import half_hessian
from .measures import TestStatistics
from .moments import Array
from .ordinal_sample import OrdinalSample
from .ordinal_structure import OrdinalStructure


class Estimator(NamedTuple):
    """What an estimator stands for: its weights, its errors, and how its test is adjusted."""

    weights: str
    se: str
    scaled: str | None


ESTIMATORS = {
    "DWLS": Estimator("diagonal", "standard", None),
    "WLSMV": Estimator("diagonal", "robust", "scaled_shifted"),
    "WLSM": Estimator("diagonal", "robust", "mean"),
    "WLSMVS": Estimator("diagonal", "robust", "mean_variance"),
    "ULS": Estimator("unit", "standard", None),
    "ULSMV": Estimator("unit", "robust", "scaled_shifted"),
}


class DWLSObjective:
    """Weighted least squares of thresholds, means and polychoric covariances, see the module's formulas.

    As in lavaan, a group counts with (n_g − 1)/N in the discrepancy and with n_g/N in the information.

    Parameters
    ----------
    structure : OrdinalStructure
    samples : sequence of OrdinalSample
    weights : {"diagonal", "unit"}
        1 / diag(Γ), or 1.
    """

    def __init__(self, structure: OrdinalStructure, samples: Sequence[OrdinalSample], weights: str = "diagonal"):
        self.structure = structure
        self.samples = samples
        total = sum(sample.n for sample in samples)
        self.shares = [(sample.n - 1) / total for sample in samples]
        self.counts = [sample.n / total for sample in samples]
        self.weights = [
            sample.diagonal_weights if weights == "diagonal" else np.ones(len(sample.moments.statistics))
            for sample in samples
        ]
        self.targets = [sample.moments.statistics for sample in samples]
        self._theta: Array | None = None
        self._groups: list[Array] = []

    def towards(self, statistics: Sequence[Array]) -> DWLSObjective:
        """The same distance from other statistics."""
        other = copy(self)
        other.targets = list(statistics)
        return other

    def value(self, theta: Array) -> float:
        """F at theta; infinite where the parameters imply no variance."""
        try:
            with np.errstate(all="ignore"):
                away = [self._away(theta, g) for g in range(self.structure.groups)]
        except np.linalg.LinAlgError:
            return np.inf
        total = sum(share * float(e @ (w * e)) for share, e, w in zip(self.shares, away, self.weights, strict=True))
        return total if np.isfinite(total) else np.inf

    def gradient(self, theta: Array) -> Array:
        """dF/dθ = −2 Δ'W(s − σ)."""
        total = np.zeros(self.structure.n_free)
        for group, (share, w, delta) in enumerate(zip(self.shares, self.weights, self._at(theta), strict=True)):
            total -= 2 * share * (delta.T @ (w * self._away(theta, group)))
        return total

    def information(self, theta: Array) -> Array:
        """E = Δ'WΔ."""
        total = np.zeros((self.structure.n_free, self.structure.n_free))
        for share, w, delta in zip(self.counts, self.weights, self._at(theta), strict=True):
            total += share * (delta.T @ (w[:, None] * delta))
        return total

    def observed_information(self, theta: Array) -> Array:
        """Half the Hessian of F."""
        return half_hessian(self, theta)

    def outer_scores(self, theta: Array) -> Array:
        """Δ'WΓWΔ."""
        total = np.zeros((self.structure.n_free, self.structure.n_free))
        blocks = zip(self.counts, self.weights, self.samples, self._at(theta), strict=True)
        for share, w, sample, delta in blocks:
            weighted = w[:, None] * delta
            total += share * (weighted.T @ sample.moments.gamma @ weighted)
        return total

    def _at(self, theta: Array) -> list[Array]:
        """Δ of every group, kept for the next question about the same theta."""
        if self._theta is None or not np.array_equal(theta, self._theta):
            self._theta = theta.copy()
            self._groups = [self.structure.statistics_derivatives(theta, g) for g in range(self.structure.groups)]
        return self._groups

    def _away(self, theta: Array, group: int) -> Array:
        return self.targets[group] - self.structure.statistics(theta, group)


def adjusted(plain: TestStatistics, traces: tuple[float, float], scaled: str) -> TestStatistics:
    """The test with the adjustment of its estimator from t₁ = tr(UΓ) and t₂ = tr(UΓUΓ).

    mean: T/c, c = t₁/df; mean_variance: T/c with t₁²/t₂ degrees of freedom, c = t₂/t₁ (Satorra & Bentler 1994);
    scaled_shifted: T √(df/t₂) + df − t₁ √(df/t₂) (Asparouhov & Muthén 2010).

    Examples
    --------
    >>> test = adjusted(TestStatistics(30.0, 10), (20.0, 60.0), "scaled_shifted")
    >>> round(test.chisq_scaled, 3), round(test.scaling_factor, 3), round(test.shift, 3)
    (14.082, 2.449, 1.835)
    """
    df = plain.df
    if df <= 0:
        return replace(plain, scaling_factor=np.nan)
    first, second = traces
    if scaled == "mean":
        return replace(plain, scaling_factor=first / df)
    if scaled == "mean_variance":
        return replace(plain, scaling_factor=second / first, df_scaled=first**2 / second)
    root = float(np.sqrt(df / second))
    return replace(plain, scaling_factor=1 / root, shift=df - first * root)


def traces(
    weights: Sequence[Array], gamma: Sequence[Array], derivatives: Sequence[Array], shares: Sequence[float]
) -> tuple[float, float]:
    """tr(UΓ) and tr(UΓUΓ), U = W − WΔ(Δ'WΔ)⁻¹Δ'W over all groups.

    Parameters
    ----------
    weights, gamma, derivatives : sequences of arrays (s,), (s, s), (s, u)
        Of each group; a group of share f has weights fW and Γ/f. Δ has full column rank.
    shares : sequence of float
    """
    w = np.concatenate([f * one for f, one in zip(shares, weights, strict=True)])
    acov = block_diagonal([one / f for f, one in zip(shares, gamma, strict=True)])
    delta = np.vstack(derivatives)
    weighted = w[:, None] * delta
    u_gamma = w[:, None] * acov - weighted @ (np.linalg.pinv(weighted.T @ delta, rcond=1e-12) @ (weighted.T @ acov))
    return float(np.trace(u_gamma)), float(np.sum(u_gamma * u_gamma.T))


def difference_traces(
    weights: Sequence[Array],
    gamma: Sequence[Array],
    derivatives: Sequence[Array],
    restricted: Sequence[Array],
    shares: Sequence[float],
) -> tuple[float, float]:
    """tr(UΓ) and tr(UΓUΓ) of the difference between a fit and a restricted one (Satorra 2000).

    A are the constraints that take Δ of the freer model to that of the restricted, each at its own estimates: the
    orthogonal complement of Δ⁺Δ_r (lavaan's A.method "delta"). With E = Δ'WΔ of the freer one,
    U = WΔ E⁻¹A'(A E⁻¹ A')⁻¹A E⁻¹ Δ'W.

    Parameters
    ----------
    weights, gamma, derivatives, shares
        Of the freer fit, see `traces`; Δ (s, u).
    restricted : sequence of arrays (s, r), r < u
        Δ of the restricted fit, rows in the same order.
    """
    delta = np.vstack(derivatives)
    image = np.linalg.lstsq(delta, np.vstack(restricted), rcond=1e-10)[0]
    left, size, _ = np.linalg.svd(image)
    a = left[:, int((size > 1e-8 * size.max(initial=0.0)).sum()) :].T
    information = sum(
        (f * d.T @ (w[:, None] * d) for f, d, w in zip(shares, derivatives, weights, strict=True)), np.zeros(())
    )
    free = np.linalg.pinv(information, rcond=1e-12, hermitian=True)
    across = free @ a.T
    middle = across @ np.linalg.pinv(a @ across, hermitian=True) @ across.T
    scores = [w[:, None] * d for w, d in zip(weights, derivatives, strict=True)]
    outer = sum((f * v.T @ g @ v for f, g, v in zip(shares, gamma, scores, strict=True)), np.zeros(()))
    product = middle @ outer
    return float(np.trace(product)), float(np.sum(product * product.T))
