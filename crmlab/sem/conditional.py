"""Ordinal items given covariates: samples, structure and result (chapter 9; lavaan's `conditional.x = TRUE`).

A survey's covariates (age, region as 0/1) are not normal and not modelled: the model of the y* holds given x. With the
reticular action form of `matrices`, B = (I − A)⁻¹ and the moments of x set to 0, it implies

    thresholds   δ (τ − μ*),     slopes   δ B_yx,     residual covariances   D Σ*_y.x D,

compared with the statistics of `polychoric_conditional`. Standardised values and R² count what x contributes, with the
covariances of x in the sample.

References
----------
Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika 49, 115–132.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .errors import SemError
from .matrices import Structure, Variables
from .measures import Corrected, GroupMoments, Residue
from .moments import Array
from .ordinal_fit import OrdinalFit
from .ordinal_sample import OrdinalSample, ordinal_sample
from .ordinal_structure import OrdinalStructure
from .polychoric_answers import read_answers
from .polychoric_conditional import ConditionalMoments, conditional_moments
from .residuals import Residuals
from .samples import told_of_left_out

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ConditionalSample(OrdinalSample):
    """The answers of one group and their statistics given covariates.

    Attributes
    ----------
    values : array (n, p)
        Of the items, see `OrdinalSample`.
    moments : ConditionalMoments
    items, covariates : integer arrays
        Where both stand among the observed variables of the model.
    """

    moments: ConditionalMoments
    items: NDArray[np.intp]
    covariates: NDArray[np.intp]

    @cached_property
    def mean(self) -> Array:
        """Intercepts of the items and means of the covariates, in the order of the model."""
        found = np.zeros(len(self.items) + len(self.covariates))
        found[self.items], found[self.covariates] = self.moments.mean, self.moments.x_mean
        return found

    @cached_property
    def cov(self) -> Array:
        """Covariances of items and covariates: residual ones, and Π S_x Π' of what the covariates explain."""
        found = np.zeros((len(self.mean), len(self.mean)))
        y, x, slopes = self.items, self.covariates, self.moments.slopes
        found[np.ix_(x, x)] = self.moments.x_cov
        found[np.ix_(y, x)] = slopes @ self.moments.x_cov
        found[np.ix_(x, y)] = found[np.ix_(y, x)].T
        found[np.ix_(y, y)] = self.moments.covariance + slopes @ self.moments.x_cov @ slopes.T
        return found


def read_conditional(
    data: pd.DataFrame, variables: Variables, ordered: Sequence[str], group: str | None, missing: str
) -> tuple[list[ConditionalSample], list[str]]:
    """The samples of a table, and what has to be told about them; groups in order of first appearance."""
    import pandas as pd

    given = variables.covariates
    names = [name for name in variables.observed if name not in given]
    places = {name: i for i, name in enumerate(variables.observed)}
    items, covariates = (np.array([places[name] for name in some], dtype=np.intp) for some in (names, given))
    if empty := [name for name in given if data[name].isna().all()]:
        raise SemError(f"the covariate {empty[0]} has no value in any row. Leave it out or correct the column")
    answered = data[names].notna().to_numpy()
    known = data[list(given)].notna().to_numpy().all(axis=1)
    known = known & (answered.all(axis=1) if missing == "listwise" else answered.any(axis=1))
    lost = "at least one answer missing" if missing == "listwise" else "no answer at all"
    why = [lost, f"no value of a covariate ({', '.join(given)})"]
    if group is not None:
        known &= data[group].notna().to_numpy()
        why.append("no group")
    problems = told_of_left_out(int((~known).sum()), len(data), why)
    table, levels = data[known], None
    if group is not None:
        whole = read_answers(table[names], ordered, None, missing, None, fewest=1)
        levels = {whole.names[i]: list(found) for i, found in zip(whole.ordinal, whole.levels, strict=True)}
    samples = []
    for name in [None] if group is None else dict.fromkeys(table[group]):
        part = table if group is None else table.loc[(table[group] == name).tolist()]
        place = "" if group is None else f"group {name}: "
        try:
            found = conditional_moments(
                pd.DataFrame(part[[*names, *given]]), ordered, given, missing=missing, levels=levels
            )
        except SemError as error:
            raise SemError(f"{place}{error}") from None
        base = ordinal_sample("" if group is None else str(name), found)
        samples.append(ConditionalSample(base.name, base.values, found, items, covariates))
        problems += [f"{place}{problem}" for problem in found.problems]
    return samples, problems


# ---------------------------------------------------------------------------------------------------- the structure


@dataclass(frozen=True)
class ConditionalStructure(OrdinalStructure):
    """A structure for the y* behind ordinal items given covariates; `observed` holds both."""

    @cached_property
    def items(self) -> NDArray[np.intp]:
        """Positions of the observed variables that are no covariates."""
        return np.setdiff1d(np.arange(len(self.observed)), self.covariates)

    @cached_property
    def continuous(self) -> NDArray[np.intp]:
        return np.setdiff1d(self.items, self.ordinal)

    @cached_property
    def star(self) -> Structure:
        """The model of the y* given the covariates, whose own moments are 0."""
        star = super().star
        return replace(star, table=[replace(row, fixed=0.0) if row.covariate else row for row in star.table])

    def values(self, theta: Array) -> Array:
        """Value of every row, the moments of the covariates those of the sample."""
        given = np.array([row.covariate for row in self.table])
        return np.where(given, self._fixed, super().values(theta))

    def slopes(self, theta: Array, group: int) -> Array:
        """δ B_yx, (items, covariates)."""
        scale = self._scale(self.values(theta), group)[self.items]
        return scale[:, None] * self._effects(theta, group)[np.ix_(self.items, self.covariates)]

    def _effects(self, theta: Array, group: int) -> Array:
        """B = (I − A)⁻¹."""
        a = self.star.matrices(self.complete(theta), group)[0]
        return np.asarray(np.linalg.inv(np.eye(len(a)) - a), dtype=np.float64)

    def statistics(self, theta: Array, group: int) -> Array:
        """Implied statistics in the order of `ConditionalMoments.statistics`, (s,)."""
        return self._with_slopes(super().statistics(theta, group), self.slopes(theta, group).ravel())

    def _with_slopes(self, stacked: Array, slopes: Array) -> Array:
        levels = len(self._order)
        return np.concatenate([stacked[:levels], slopes, stacked[levels:]])

    def _stack(self, thresholds: Array, mean: Array, cov: Array) -> Array:
        c, y = self.continuous, self.items
        j, i = np.triu_indices(len(y), 1)
        levels = np.concatenate([thresholds, -mean[..., c]], axis=-1)[..., self._order]
        return np.concatenate([levels, cov[..., c, c], cov[..., y[i], y[j]]], axis=-1)

    def statistics_derivatives(self, theta: Array, group: int) -> Array:
        """Δ, (s, q); a cell (i, j) of A moves B by b_i b_j', columns and rows of B."""
        d_thresholds, d_mean, d_cov, d_log_scale = self._moment_derivatives(theta, group)
        stacked = self._stack(d_thresholds, d_mean, d_cov).T
        effects, y, x = self._effects(theta, group), self.items, self.covariates
        (a_i, a_j, *_), gather = self.star.free_cells[group]
        cells = effects[np.ix_(y, a_i)].T[:, :, None] * effects[np.ix_(a_j, x)][:, None, :]
        moved = np.tensordot(gather[:, : len(a_i)], cells, axes=1)[self._carried]
        scale = self._scale(self.values(theta), group)[y]
        d_slopes = scale[:, None] * moved + d_log_scale[:, y, None] * self.slopes(theta, group)
        return self._with_slopes(stacked, d_slopes.reshape(len(d_slopes), -1).T)


# ------------------------------------------------------------------------------------------------------- the result


@dataclass(frozen=True)
class ConditionalFit(OrdinalFit):
    """A fitted model of ordinal items given covariates; what differs from `OrdinalFit` in how it is computed."""

    @property
    def _conditional(self) -> ConditionalStructure:
        assert isinstance(self.structure, ConditionalStructure)
        return self.structure

    @property
    def _ordinal_corrected(self) -> Corrected | None:
        """None: robust measures are not defined given covariates."""
        return None

    @cached_property
    def _residue(self) -> Residue:
        structure, y = self._conditional, self._conditional.items
        owners = np.searchsorted(y, structure.thresholds[0].items).tolist()
        observed, implied = [], []
        for group, sample in enumerate(self.samples):
            assert isinstance(sample, ConditionalSample)
            found = sample.moments
            cuts = np.concatenate(list(found.thresholds.values()))
            observed.append(GroupMoments(found.covariance, found.mean, cuts, owners, found.slopes.ravel()))
            cov, mean = structure.implied(self.theta, group)
            cuts, slopes = structure.implied_thresholds(self.theta, group), structure.slopes(self.theta, group)
            implied.append(GroupMoments(cov[np.ix_(y, y)], mean[y], cuts, owners, slopes.ravel()))
        return Residue([s.n for s in self.samples], observed, implied, self.objective.weights, least_squares=True)

    def implied(self, group: int = 0) -> tuple[pd.DataFrame, pd.Series]:
        """Implied residual covariances and intercepts of the items given the covariates, of a group from 0."""
        cov, mean = super().implied(group)
        names = [self.structure.observed[i] for i in self._conditional.items]
        return cov.loc[names, names], mean[names]

    def residuals(self, kind: str = "raw") -> list[Residuals]:
        """Not offered given covariates."""
        raise _refused("residuals with their errors")

    def modification_indices(self) -> pd.DataFrame:
        """Not offered given covariates."""
        raise _refused("modification indices")

    def factor_scores(self, method: str = "regression") -> pd.DataFrame:
        """Not offered given covariates."""
        raise _refused("factor scores")


def _refused(what: str) -> SemError:
    return SemError(
        f"{what} are not offered for ordinal items given covariates; with conditional_x=False covariates are modelled "
        "with the items, as normal variables"
    )
