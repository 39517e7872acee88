"""What a model of ordinal items implies: thresholds, means and covariances of the y*, and their derivatives.

A Likert item x is a normal variable y* cut at thresholds τ. The model of `matrices` holds for the y*; with D the scales
δ of the ordinal items (1 for continuous ones) it implies

    thresholds   δ (τ − μ*),        means  μ,        covariances   Σ = D Σ* D.

Either δ = 1 and the residual variances are what gives Σ its ones ("delta" parameterisation), or the residual variances
are 1 and δ = diag(Σ*)^−½ ("theta"). With several groups and equal thresholds the later groups are free in δ or in the
residual variances.

References
----------
Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika 49, 115–132.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import SemError
from .matrices import Differentials, Parameter, Structure
from .moments import Array


class _Part(NamedTuple):
    """A group's rows of one kind, the items they belong to and their positions among the free parameters."""

    rows: NDArray[np.intp]
    items: NDArray[np.intp]
    free: NDArray[np.intp]


@dataclass(frozen=True)
class OrdinalStructure(Structure):
    """A structure for the y* behind ordinal items, with thresholds and scales.

    Attributes
    ----------
    ordered : tuple of str
    delta : bool
        Whether residual variances of ordinal items follow from the unit variance of their y*, or scales from the
        residual variances.
    """

    ordered: tuple[str, ...]
    delta: bool

    @cached_property
    def ordinal(self) -> NDArray[np.intp]:
        """Positions of the ordinal items among the observed variables."""
        return np.array([self.observed.index(name) for name in self.ordered], dtype=np.intp)

    @cached_property
    def continuous(self) -> NDArray[np.intp]:
        """Positions of the others."""
        return np.setdiff1d(np.arange(len(self.observed)), self.ordinal)

    @cached_property
    def star(self) -> Structure:
        """The model of the y* with all residual variances that follow from the rest as parameters of their own."""
        table = [replace(r, fixed=None, label=None) if self._completed(r) else r for r in self.table]
        return Structure(table, self.observed, self.latent, self.groups)

    def follows(self, row: Parameter) -> bool:
        """Whether a row is computed from the others: residual variances of ordinal items (delta) or scales (theta)."""
        return self._completed(row) or (not self.delta and row.op == "~*~")

    def _completed(self, row: Parameter) -> bool:
        return self.delta and row.op == "~~" and row.lhs == row.rhs and row.lhs in self.ordered

    @cached_property
    def _carried(self) -> NDArray[np.intp]:
        """Position in `star` of every free parameter."""
        carried = np.zeros(self.n_free, dtype=np.intp)
        free = self.position >= 0
        carried[self.position[free]] = self.star.position[free]
        return carried

    def _part(self, group: int, chosen: Sequence[bool]) -> _Part:
        """Rows by item, thresholds of an item from the lowest."""
        index = {name: i for i, name in enumerate(self.observed)}
        rows = [k for k, row in enumerate(self.table) if row.group == group and chosen[k]]
        number = {k: int(self.table[k].rhs[1:]) if self.table[k].op == "|" else 0 for k in rows}
        rows.sort(key=lambda k: (index[self.table[k].lhs], number[k]))
        items = [index[self.table[k].lhs] for k in rows]
        return _Part(np.array(rows, dtype=np.intp), np.array(items, dtype=np.intp), self.position[rows])

    @cached_property
    def thresholds(self) -> list[_Part]:
        """For each group its thresholds, item by item."""
        return [self._part(g, [row.op == "|" for row in self.table]) for g in range(self.groups)]

    @cached_property
    def scales(self) -> list[_Part]:
        """For each group its scales in the order of the ordinal items."""
        return [self._part(g, [row.op == "~*~" for row in self.table]) for g in range(self.groups)]

    @cached_property
    def residuals(self) -> list[NDArray[np.intp]]:
        """For each group the positions in `star` of the residual variances that follow, by ordinal item."""
        found = []
        for group in range(self.groups):
            part = self._part(group, [self._completed(row) for row in self.table])
            found.append(self.star.position[part.rows])
        return found

    def complete(self, theta: Array) -> Array:
        """Parameters of `star`: with the residual variances v that give every y* the variance 1/δ².

        The variances are linear in v: diag Σ* = base + M v with M_ij = f_ij², f the rows of (I − A)⁻¹.
        """
        full = np.zeros(self.star.n_free)
        full[self._carried] = theta
        if self.delta:
            values = super().values(theta)
            for group, places in enumerate(self.residuals):
                a, s, _ = self.star.matrices(full, group)
                f = np.linalg.inv(np.eye(len(a)) - a)[self.ordinal]
                base = np.einsum("ij,jk,ik->i", f, s, f)
                target = 1 / values[self.scales[group].rows] ** 2
                full[places] = np.linalg.solve(f[:, self.ordinal] ** 2, target - base)
        return full

    def values(self, theta: Array) -> Array:
        """Value of every row, residual variances (delta) or scales (theta) computed from the others."""
        values = self.star.values(self.complete(theta))
        if not self.delta:
            for group, part in enumerate(self.scales):
                values[part.rows] = 1 / np.sqrt(np.diagonal(self.star.implied(theta, group)[0])[part.items])
        return values

    def implied(self, theta: Array, group: int) -> tuple[Array, Array]:
        """Σ (p, p) and μ* (p,) of the observed variables, ordinal ones in units of their scales."""
        values = self.values(theta)
        cov, mean = self.star.implied(self.complete(theta), group)
        scale = self._scale(values, group)
        return cov * np.outer(scale, scale), mean

    def _scale(self, values: Array, group: int) -> Array:
        scale = np.ones(len(self.observed))
        scale[self.scales[group].items] = values[self.scales[group].rows]
        return scale

    def implied_thresholds(self, theta: Array, group: int) -> Array:
        """δ (τ − μ*), item by item."""
        values, part = self.values(theta), self.thresholds[group]
        _, mean = self.star.implied(self.complete(theta), group)
        return self._scale(values, group)[part.items] * (values[part.rows] - mean[part.items])

    def differentials(self, theta: Array, group: int) -> Differentials:
        """Not to be had: residual variances and scales that follow from the rest break the rank-two form."""
        raise SemError("models of ordinal items have no derivatives in rank-two form; use `statistics_derivatives`")

    def statistics(self, theta: Array, group: int) -> Array:
        """Implied statistics in the order of `OrdinalMoments.statistics`, (s,)."""
        cov, mean = self.implied(theta, group)
        return self._stack(self.implied_thresholds(theta, group), mean, cov)

    def cuts(self, theta: Array, group: int) -> Array:
        """−∞, thresholds τ, ∞ of every observed variable, (p, most categories + 1); nan for continuous ones."""
        values, part = self.values(theta), self.thresholds[group]
        most = max(np.bincount(part.items), default=0)
        cuts = np.full((len(self.observed), most + 2), np.nan)
        cuts[self.ordinal] = np.inf
        cuts[self.ordinal, 0] = -np.inf
        for item in self.ordinal:
            own = values[part.rows[part.items == item]]
            cuts[item, 1 : len(own) + 1] = own
        return cuts

    @cached_property
    def stacked_places(self) -> NDArray[np.intp]:
        """Where each statistic stands in (means, vech Σ by columns), (s,); −1 for thresholds."""
        p, c = len(self.observed), self.continuous
        j, i = np.triu_indices(p)
        inside = np.zeros((p, p), dtype=np.intp)
        inside[i, j] = inside[j, i] = p + np.arange(len(i))
        levels = np.concatenate([np.full(len(self.thresholds[0].items), -1), c])[self._order]
        j, i = np.triu_indices(p, 1)
        return np.concatenate([levels, inside[c, c], inside[i, j]])

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        """Thresholds (first) and minus the means (after them), sorted by variable."""
        owners = np.concatenate([self.thresholds[0].items, self.continuous])
        return np.argsort(owners, kind="stable")

    def _stack(self, thresholds: Array, mean: Array, cov: Array) -> Array:
        """Last axes (t,), (p,), (p, p) to (s,)."""
        j, i = np.triu_indices(len(self.observed), 1)
        c = self.continuous
        levels = np.concatenate([thresholds, -mean[..., c]], axis=-1)[..., self._order]
        return np.concatenate([levels, cov[..., c, c], cov[..., i, j]], axis=-1)

    def statistics_derivatives(self, theta: Array, group: int) -> Array:
        """Δ, derivatives of the implied statistics by the free parameters, (s, q)."""
        d_thresholds, d_mean, d_cov, _ = self._moment_derivatives(theta, group)
        return self._stack(d_thresholds, d_mean, d_cov).T

    def _moment_derivatives(self, theta: Array, group: int) -> tuple[Array, Array, Array, Array]:
        """Derivatives of δ(τ − μ*) (q, t), of μ* (q, p), of Σ (q, p, p), and dδ/δ (q, p)."""
        values, full = self.values(theta), self.complete(theta)
        star = self.star.derivatives(full, group)
        scale, ordinal = self._scale(values, group), self.ordinal
        d_cov, d_mean = star.d_cov[self._carried], star.d_mean[self._carried]
        d_log_scale = np.zeros((self.n_free, len(self.observed)))  # dδ/δ
        variances = np.diagonal(star.cov)[ordinal]
        if self.delta:
            part = self.scales[group]
            free = part.free >= 0
            d_log_scale[part.free[free], part.items[free]] = 1 / scale[part.items[free]]
            places = self.residuals[group]
            unit = np.diagonal(star.d_cov[places], axis1=1, axis2=2)[:, ordinal].T  # M of `complete`
            wanted = -2 * d_log_scale[:, ordinal] * variances - np.diagonal(d_cov, axis1=1, axis2=2)[:, ordinal]
            follow = np.linalg.solve(unit, wanted.T)  # dv/dθ
            d_cov = d_cov + np.tensordot(follow.T, star.d_cov[places], axes=1)
        else:
            d_log_scale[:, ordinal] = -np.diagonal(d_cov, axis1=1, axis2=2)[:, ordinal] / (2 * variances)
        cov = star.cov * np.outer(scale, scale)
        d_cov = d_cov * np.outer(scale, scale) + (d_log_scale[:, :, None] + d_log_scale[:, None, :]) * cov
        return self._threshold_derivatives(theta, group, d_mean, d_log_scale, scale), d_mean, d_cov, d_log_scale

    def _threshold_derivatives(
        self, theta: Array, group: int, d_mean: Array, d_log_scale: Array, scale: Array
    ) -> Array:
        """d[δ(τ − μ*)] = δ(dτ − dμ*) + (dδ/δ) δ(τ − μ*), (q, t)."""
        part, place = self.thresholds[group], np.arange(len(self.thresholds[group].rows))
        d_tau = -d_mean[:, part.items]
        free = part.free >= 0
        d_tau[part.free[free], place[free]] += 1.0
        return scale[part.items] * d_tau + d_log_scale[:, part.items] * self.implied_thresholds(theta, group)
