"""What the estimation of a model of ordinal items returns: tests, fit measures, residuals and scores from thresholds
and polychoric correlations where those of `Fit` come from means and covariances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from .corrected import ordinal as corrected_ordinal
from .dwls import ESTIMATORS, DWLSObjective, adjusted, difference_traces, traces
from .errors import SemError
from .fit import Fit
from .matrices import Structure, Variables
from .measures import Corrected, GroupMoments, Residue, TestStatistics, fit_measures
from .moments import Array
from .ordinal_sample import OrdinalSample
from .ordinal_scores import ordinal_scores
from .ordinal_structure import OrdinalStructure
from .residuals import Residuals, check_kind, group_residuals, ratio, residual_spread
from .residuals import modification_indices as gains
from .threads import one_thread

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class OrdinalFit(Fit):
    """A fitted model with ordinal items; what differs from `Fit` in how it is computed."""

    objective: DWLSObjective

    @property
    def _ordinal_samples(self) -> Sequence[OrdinalSample]:
        return self.objective.samples

    @property
    def _n_statistics(self) -> int:
        return sum(len(sample.moments.statistics) for sample in self._ordinal_samples)

    @cached_property
    def df(self) -> int:
        """Thresholds, means, variances and covariances less free parameters."""
        return self._n_statistics - self.n_free

    @cached_property
    def _outer_scores(self) -> Array:
        return self.objective.outer_scores(self.theta)

    @cached_property
    def vcov(self) -> Array:
        """Covariance matrix of the free parameters, (q, q), of N − G respondents as in lavaan."""
        return super().vcov * self.n / (self.n - len(self.groups))

    @property
    def _shares(self) -> list[float]:
        return self.objective.counts

    @property
    def _gamma(self) -> list[Array]:
        return [sample.moments.gamma for sample in self._ordinal_samples]

    @property
    def _weighted(self) -> bool:
        """Unweighted, the plain statistic has no distribution of its own."""
        return ESTIMATORS[self.choice.estimator].weights == "diagonal"

    @cached_property
    def _derivatives(self) -> list[Array]:
        structure = self.objective.structure
        return [structure.statistics_derivatives(self.theta, g) @ self.K for g in range(structure.groups)]

    @cached_property
    def test(self) -> TestStatistics:
        """χ² of the model, and adjusted as the estimator says."""
        plain = TestStatistics(self.n * self.optimum.value, self.df, is_chi_squared=self._weighted)
        if self.choice.scaled is None:
            return plain
        found = traces(self.objective.weights, self._gamma, self._derivatives, self._shares)
        return adjusted(plain, found, self.choice.scaled)

    def difference(self, restricted: OrdinalFit) -> TestStatistics:
        """The test of the difference to a restricted fit, scaled and shifted, see `difference_traces`."""
        plain = TestStatistics(restricted.test.chisq - self.test.chisq, restricted.df - self.df)
        found = difference_traces(
            self.objective.weights, self._gamma, self._derivatives, self._carried_from(restricted)[1], self._shares
        )
        return adjusted(plain, found, "scaled_shifted")

    def reproduction(self, restricted: OrdinalFit) -> DWLSObjective:
        """The distance of this model from the statistics that another fit of the same answers implies."""
        return self.objective.towards(self._carried_from(restricted)[0])

    def _carried_from(self, other: OrdinalFit) -> tuple[list[Array], list[Array]]:
        """Implied statistics and Δ of another fit, groups and rows in the order of this one."""
        statistics, derivatives = [], []
        for sample in self._ordinal_samples:
            group = other.groups.index(sample.name)
            place = {_unordered(name): k for k, name in enumerate(other._ordinal_samples[group].moments.labels)}
            order = [place[_unordered(name)] for name in sample.moments.labels]
            statistics.append(other.objective.structure.statistics(other.theta, group)[order])
            derivatives.append(other._derivatives[group][order])
        return statistics, derivatives

    @cached_property
    def baseline(self) -> TestStatistics:
        """χ² of the independence model: no covariances but those among covariates."""
        together = set(Variables.of(self.model).covariates)
        free, chisq = [], 0.0
        for sample, w in zip(self._ordinal_samples, self.objective.weights, strict=True):
            first, second = sample.moments.sample.pairs.first, sample.moments.sample.pairs.second
            names = sample.moments.names
            kept = [names[i] in together and names[j] in together for i, j in zip(first, second, strict=True)]
            levels = len(w) - len(kept)
            free.append(np.concatenate([np.ones(levels, dtype=bool), np.array(kept, dtype=bool)]))
            s = np.where(free[-1], 0.0, sample.moments.statistics)
            chisq += (sample.n - 1) * float(s @ (w * s))
        plain = TestStatistics(chisq, int(sum((~f).sum() for f in free)), is_chi_squared=self._weighted)
        if self.choice.scaled is None:
            return plain
        # Groups share no parameter here and W is diagonal: U is W without the rows of free statistics.
        blocks = [
            w[~f][:, None] * gamma[np.ix_(~f, ~f)]
            for f, w, gamma in zip(free, self.objective.weights, self._gamma, strict=True)
        ]
        found = sum(float(np.trace(b)) for b in blocks), sum(float(np.sum(b * b.T)) for b in blocks)
        return adjusted(plain, found, self.choice.scaled)

    @cached_property
    def log_likelihoods(self) -> tuple[float, float] | None:
        """None: least squares."""
        return None

    def bootstrap(self, *args: object, **options: object) -> NoReturn:
        """Not offered: each resample has thresholds of its own. `crmlab.csi.estimate` estimates resamples anew."""
        raise SemError("resamples of a model of ordinal items are not offered; use its robust errors (WLSMV)")

    @cached_property
    @one_thread()
    def fit_measures(self) -> pd.Series:
        """lavaan's fit measures by their names, `_` for `.`."""
        wanted = self.choice.scaled in ("mean", "scaled_shifted")
        corrected = self._ordinal_corrected if wanted else None
        return fit_measures(self.test, self.baseline, self._residue, self.n_free, corrected=corrected, robust=wanted)

    @property
    def _ordinal_corrected(self) -> Corrected | None:
        """What the robust measures are computed from; None with continuous items."""
        if len(self.objective.structure.continuous):
            return None
        residue = self._residue
        return corrected_ordinal(
            residue.n,
            residue.sample,
            residue.implied,
            self._derivatives,
            self.objective.weights,
            self._gamma,
            self.df,
        )

    @cached_property
    def _residue(self) -> Residue:
        structure, samples = self.objective.structure, self._ordinal_samples
        owners = structure.thresholds[0].items.tolist()
        observed = [
            GroupMoments(s.cov, s.mean, np.concatenate(list(s.moments.thresholds.values())), owners) for s in samples
        ]
        implied = [
            GroupMoments(*structure.implied(self.theta, g), structure.implied_thresholds(self.theta, g), owners)
            for g in range(structure.groups)
        ]
        return Residue([s.n for s in samples], observed, implied, self.objective.weights, least_squares=True)

    def residuals(self, kind: str = "raw") -> list[Residuals]:
        """Residual moments and thresholds of each group with their errors, see `crmlab.sem.residuals.residuals`.

        V are the weights of the estimator and Γ is that of the thresholds and polychoric covariances. With several
        groups lavaan 0.6-14 divides Γ by the size of all of them together; here each group counts with its own.
        """
        check_kind(kind)
        samples, structure = self._ordinal_samples, self.objective.structure
        weights = [np.diag(w) for w in self.objective.weights]
        spread = residual_spread([s.n for s in samples], self._derivatives, weights, self._gamma)
        return [
            _group_residuals(structure, self.theta, group, sample, block, kind)
            for group, (sample, block) in enumerate(zip(samples, spread, strict=True))
        ]

    def modification_indices(self) -> pd.DataFrame:
        """What freeing each fixed or absent parameter would gain, see `crmlab.sem.residuals.modification_indices`."""
        weights = ESTIMATORS[self.choice.estimator].weights

        def objective(structure: Structure) -> DWLSObjective:
            assert isinstance(structure, OrdinalStructure)
            return DWLSObjective(structure, self._ordinal_samples, weights)

        residue = self._residue
        found = gains(self.structure, self.theta, residue.sample, residue.n, objective=objective, constraints=self.K)
        return found.assign(group=found["group"] + 1)

    def factor_scores(self, method: str = "regression") -> pd.DataFrame:
        """Scores of the constructs, one row for each respondent used, see `crmlab.sem.ordinal_scores`."""
        import pandas as pd

        structure = self.objective.structure
        covariates = Variables.of(self.model).covariates
        given = np.array([structure.observed.index(name) for name in covariates], dtype=np.intp)
        blocks = []
        for group, sample in enumerate(self._ordinal_samples):
            scores = ordinal_scores(
                structure.all_moments(self.theta, group),
                structure.cuts(self.theta, group),
                sample.values,
                len(structure.latent),
                given=given,
                method=method,
                names=structure.observed,
            )
            blocks.append(pd.DataFrame(scores, columns=list(structure.latent)))
        return pd.concat(blocks, keys=self.groups, names=["group", "respondent"]) if len(blocks) > 1 else blocks[0]


def _unordered(label: str) -> tuple[str, ...]:
    """A statistic's name, the two ends of a covariance in either order."""
    return tuple(sorted(label.split("~~")))


def _group_residuals(
    structure: OrdinalStructure, theta: Array, group: int, sample: OrdinalSample, spread: Array, kind: str
) -> Residuals:
    """Residuals of one group from the covariance of its raw ones in the order of `OrdinalMoments.statistics`."""
    place = structure.stacked_places
    level, p = structure.continuous, len(structure.observed)
    sign = np.ones(len(place))
    means = np.flatnonzero((place >= 0) & (place < p))
    sign[means] = -1  # statistics hold minus the means
    kept = place >= 0
    whole = np.zeros((p + p * (p + 1) // 2,) * 2)
    whole[np.ix_(place[kept], place[kept])] = (spread * np.outer(sign, sign))[np.ix_(kept, kept)]
    cov, mean = structure.implied(theta, group)
    found = group_residuals(GroupMoments(sample.cov, sample.mean), GroupMoments(cov, mean), whole, kind)
    threshold = np.concatenate(list(sample.moments.thresholds.values())) - structure.implied_thresholds(theta, group)
    se = np.sqrt(np.maximum(np.diagonal(spread)[~kept], 0.0))
    seen = np.isin(np.arange(p), level)
    parts = [np.where(seen, part, np.nan) for part in (found.mean, found.mean_se, found.mean_z) if part is not None]
    return replace(
        found,
        **dict(zip(("mean", "mean_se", "mean_z"), parts, strict=True)),
        threshold=threshold,
        threshold_se=se,
        threshold_z=ratio(threshold, se),
    )
