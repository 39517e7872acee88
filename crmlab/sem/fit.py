"""A fitted covariance structure model: `Fit` and the tables it computes when they are asked for.

Made by `continuous.fit_continuous`, and for ordinal items by `ordinal.fit_ordinal`. Names and conventions are those of
lavaan (Rosseel 2012).

References
----------
Rosseel, Y. (2012). lavaan: An R package for structural equation modeling. Journal of Statistical Software 48(2), 1–36.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from . import admissibility, expressions, fit_bootstrap, inference
from .baseline import independence_structure
from .corrected import missing_data, normal_information, pairwise_moments, pattern_information
from .errors import SemError
from .estimators import GroupSample, MLObjective, Objective, Optimum, ULSObjective, stacked_derivatives
from .fiml import FIMLObjective, independence
from .matrices import Structure, Variables
from .measures import Corrected, GroupMoments, Likelihoods, Residue, TestStatistics, fit_measures
from .moments import Array, inverse
from .residuals import Residuals, model_reliability
from .residuals import factor_scores as construct_scores
from .residuals import modification_indices as gains
from .residuals import residuals as residual_moments
from .standardise import KINDS, delta_errors, standardised
from .syntax import Model
from .threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

_BY_SEMOPY = ("npar", "chisq", "df", "pvalue")


@dataclass(frozen=True)
class Choices:
    """Options of an estimation, see `covariance.fit`."""

    estimator: str
    missing: str
    information: str
    se: str
    scaled: str | None
    level: float
    bootstrap: int = 1000
    seed: int = 0
    interval: str = "percentile"


def objective_for(
    structure: Structure, samples: Sequence[GroupSample], means: bool, choice: Choices
) -> MLObjective | ULSObjective | FIMLObjective:
    """The discrepancy of the estimator, with the moments of given covariates filled in."""
    if choice.missing == "fiml":
        objective = FIMLObjective(structure, samples)
        objective.structure = structure.given([(m.cov, m.mean) for m in objective.saturated])
        return objective
    structure = structure.given([(sample.cov, sample.mean) for sample in samples])
    return (ULSObjective if choice.estimator == "ULS" else MLObjective)(structure, samples, means)


@dataclass(frozen=True)
class Fit:
    """A fitted covariance structure model.

    Attributes
    ----------
    model : Model
    structure : Structure
        Parameter table and implied moments; parameters are counted as in `structure.names`.
    samples : list of GroupSample
    means : bool
        Whether means are modelled.
    choice : Choices
    optimum : Optimum
    K : array (q, u)
        Directions left free by `==` constraints.
    """

    model: Model
    structure: Structure
    samples: list[GroupSample]
    means: bool
    choice: Choices
    objective: Objective
    optimum: Optimum
    K: Array
    told: tuple[str, ...] = ()
    engine: str = "crmlab"

    @property
    def converged(self) -> bool:
        return self.optimum.converged

    @property
    def theta(self) -> Array:
        """Free parameters, (q,)."""
        return self.optimum.theta

    @property
    def n(self) -> int:
        """Respondents used."""
        return sum(sample.n for sample in self.samples)

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(sample.name for sample in self.samples)

    @property
    def n_free(self) -> int:
        """Free parameters after constraints."""
        return self.K.shape[1]

    @property
    def _n_rows_free(self) -> int:
        """Free rows of the table, equal ones counted apart: what lavaan divides the scaling of the likelihood by."""
        return int((self.structure.position >= 0).sum())

    @cached_property
    def df(self) -> int:
        """Moments less free parameters; moments of given covariates count for nothing."""
        return _n_moments(self.structure, self.means) - self.n_free

    @cached_property
    def problems(self) -> list[str]:
        """What speaks against the data or the solution, in words; empty when nothing does."""
        found = list(self.told)
        if not self.converged:
            found.append(
                f"The estimation did not converge ({self.optimum.message}): its numbers are no estimates. Look for "
                "constructs without enough items, or give starting values."
            )
        if not np.isfinite(self.optimum.value):
            return found
        found += self.inadmissible
        return found + (self._resamples.problems if self.choice.se == "bootstrap" else [])

    @cached_property
    def inadmissible(self) -> list[str]:
        """Why the solution cannot be believed, in words, see `crmlab.sem.admissibility`; part of `problems`."""
        if not np.isfinite(self.optimum.value):
            return []
        return admissibility.problems(self.structure, self.theta, self._expected, self.K, self.df)

    @cached_property
    def _expected(self) -> Array:
        return self.objective.information(self.theta)

    @cached_property
    def information(self) -> Array:
        """Information of one observation, expected or observed as chosen, (q, q)."""
        return self._expected if self.choice.information == "expected" else self._observed

    @cached_property
    def _observed(self) -> Array:
        return self.objective.observed_information(self.theta)

    @cached_property
    @one_thread()
    def vcov(self) -> Array:
        """Covariance matrix of the free parameters, (q, q); nan where a parameter is not identified."""
        nowhere = np.full((len(self.theta), len(self.theta)), np.nan)
        if self.choice.se == "none" or not np.isfinite(self.optimum.value):
            return nowhere  # no errors asked for, or no covariance matrix at the estimates
        if self.choice.se == "bootstrap":
            return np.atleast_2d(np.cov(self._resamples.theta, rowvar=False))
        # Whether a parameter is identified is a matter of the model: noise gives observed information in any direction.
        bread = inference.inverse_information(self.information, inference.identified(self._expected, self.K))
        if self.choice.se == "robust":
            bread = bread @ self._outer_scores @ bread
        least_squares = self.choice.estimator == "ULS" and self.choice.se == "standard"
        vcov = bread / (self.n - least_squares * len(self.groups))
        unknown = inference.unidentified(self._expected, self.K)
        vcov[unknown, :] = vcov[:, unknown] = np.nan
        return vcov

    @cached_property
    def _outer_scores(self) -> Array:
        if isinstance(self.objective, FIMLObjective):
            scores = self.objective.casewise_scores(self.theta)
            return scores.T @ scores / self.n
        about = "model" if self.choice.information == "observed" else "mixed"
        return inference.outer_scores(self.structure, self.samples, self.theta, self.means, about)

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """Every parameter, fixed ones included, then the defined ones.

        Returns
        -------
        DataFrame
            lhs, op, rhs, group (from 1; 0 for defined parameters), est, se, z, pvalue, ci_lower, ci_upper, std_lv,
            std_all. se is 0 and z nan where a parameter is fixed.
        """
        import pandas as pd

        est, se, (std_lv, std_all) = *self._rows, standardised(self.structure, self.theta)
        if self.model.definitions:
            value, error = self._defined
            est, se = np.concatenate([est, value]), np.concatenate([se, error])
            std_lv, std_all = (np.concatenate([s, self._defined_at(s)]) for s in (std_lv, std_all))
        bounds = {}
        if self.choice.se == "bootstrap":
            se, ends = self._resamples.se, self._resamples.interval(self.choice.interval, self.choice.level)
            bounds = dict(zip(("ci_lower", "ci_upper"), ends, strict=True))
        return pd.DataFrame(
            {
                **dict(zip(("lhs", "op", "rhs", "group"), zip(*self._keys, strict=True), strict=True)),
                **_wald(est, se, self.choice.level),
                **bounds,
                "std_lv": std_lv,
                "std_all": std_all,
            }
        )

    def standardised(self, kind: str = "all") -> pd.DataFrame:
        """Standardised solution with its own errors, by the delta method (lavaan's `standardizedSolution`).

        Parameters
        ----------
        kind : {"all", "lv"}
            All variables with variance 1, or the constructs only.

        Returns
        -------
        DataFrame
            lhs, op, rhs, group, est, se, z, pvalue, ci_lower, ci_upper; rows as in `.estimates`. se is 0 and z nan
            where the standardised value is fixed.

        Raises
        ------
        SemError
            For an unknown kind.
        """
        import pandas as pd

        if kind not in KINDS:
            raise SemError(f"standardised solution {kind!r} is unknown; choose from {', '.join(KINDS)}")
        place = 1 if kind == "all" else 0

        def solution(theta: Array) -> Array:
            rows = standardised(self.structure, theta)[place]
            return np.concatenate([rows, self._defined_at(rows)]) if self.model.definitions else rows

        keys = dict(zip(("lhs", "op", "rhs", "group"), zip(*self._keys, strict=True), strict=True))
        errors = delta_errors(solution, self.theta, self.vcov)
        return pd.DataFrame({**keys, **_wald(solution(self.theta), errors, self.choice.level)})

    @property
    def _keys(self) -> list[tuple[str, str, str, int]]:
        rows = [(row.lhs, row.op, row.rhs, row.group + 1) for row in self.structure.table]
        return rows + [(d.lhs, ":=", d.rhs, 0) for d in self.model.definitions]

    @cached_property
    def _resamples(self) -> fit_bootstrap.FitBootstrap:
        """The resamples behind se="bootstrap"."""
        return self.bootstrap(self.choice.bootstrap, self.choice.seed)

    def bootstrap(
        self,
        n: int = 1000,
        seed: int = 0,
        progress: fit_bootstrap.Progress | None = None,
        statistic: fit_bootstrap.Statistic | None = None,
    ) -> fit_bootstrap.FitBootstrap:
        """Estimate n resamples of the respondents, drawn within groups.

        Parameters
        ----------
        n : int, at least 2
        seed : int
            The same seed gives the same resamples.
        progress : callable, optional
            Called as progress(done, total).
        statistic : callable, optional
            Further statistics of the resamples that converged: (for each group how often its respondents were drawn
            (b, n), free parameters (b, q)) → arrays (b, ·).

        Returns
        -------
        FitBootstrap
            Draws of every row of `.estimates`, with `.se`, `.interval(kind)`, `.table()` and `.problems`.

        Raises
        ------
        SemError
            The fit did not converge, n is below 2, or fewer than two resamples converged.
        """
        if not self.converged:
            raise SemError(f"a fit that did not converge cannot be resampled ({self.optimum.message})")
        structure, choice = self.structure, self.choice
        origin = fit_bootstrap.Origin(
            structure, self.samples, self.means, self.theta, self.K, self._expected,
            lambda samples: objective_for(structure, samples, self.means, choice),
            together=isinstance(self.objective, MLObjective),
        )  # fmt: skip
        theta, converged, admissible, further = fit_bootstrap.draw(origin, n, seed, progress, statistic)
        theta = theta[converged]
        draws, estimates = np.array([structure.values(one) for one in theta]), structure.values(self.theta)
        if definitions := self.model.definitions:
            labels = structure.labels
            defined = [expressions.defined(definitions, labels, one)[0] for one in theta]
            draws = np.hstack([draws, np.array(defined)])
            estimates = np.concatenate([estimates, expressions.defined(definitions, labels, self.theta)[0]])
        return fit_bootstrap.FitBootstrap(
            draws=draws,
            estimates=estimates,
            keys=self._keys,
            theta=theta,
            n_requested=n,
            not_converged=int((~converged).sum()),
            inadmissible=int((converged & ~admissible).sum()),
            seed=seed,
            further=further,
        )

    @property
    def _rows(self) -> tuple[Array, Array]:
        """Estimate and error of every row of the table."""
        with np.errstate(invalid="ignore"):
            errors = np.append(np.sqrt(np.diagonal(self.vcov)), 0.0)  # position −1, a fixed row, reads the 0
        return self.structure.values(self.theta), errors[self.structure.position]

    @property
    def _defined(self) -> tuple[Array, Array]:
        """Values of the defined parameters and their errors by the delta method, √(g'Vg)."""
        values, jacobian = expressions.defined(self.model.definitions, self.structure.labels, self.theta)
        with np.errstate(invalid="ignore"):
            return values, np.sqrt(np.einsum("dq,qr,dr->d", jacobian, self.vcov, jacobian))

    def _defined_at(self, values: Array) -> Array:
        """Defined parameters computed from other values of the rows, such as the standardised ones."""
        labels = {
            row.label: float(value)
            for row, value in zip(reversed(self.structure.table), values[::-1], strict=True)
            if row.label
        }
        return expressions.defined(self.model.definitions, labels, np.empty(0))[0]

    @cached_property
    def test(self) -> TestStatistics:
        """χ² of the model, with the scaling of a robust estimator."""
        scaling = self._scaling.factor if self._scaling else None
        return self._statistics(self.optimum.value, self.df, scaling)

    def _statistics(self, value: float, df: int, scaling: float | None) -> TestStatistics:
        """A test from a discrepancy; that of unweighted least squares has no χ² distribution."""
        return TestStatistics(self.n * value, df, self._factor(scaling), is_chi_squared=self.choice.estimator != "ULS")

    def _factor(self, factor: float | None) -> float | None:
        return np.nan if factor is None and self.choice.scaled else factor

    @cached_property
    def _scaling(self) -> inference.Scaling | None:
        return _scaling(self.objective, self.samples, self.theta, self.K, self.means, self.df, self.choice)

    @cached_property
    def baseline(self) -> TestStatistics:
        """χ² of the independence model: no covariances but those among covariates."""
        structure, theta = self._independence
        df = _n_moments(structure, self.means) - structure.n_free
        objective = _like(self.objective, structure, self.samples, self.means)
        K = np.eye(structure.n_free)
        scaling = _scaling(objective, self.samples, theta, K, self.means, df, self.choice)
        return self._statistics(objective.value(theta), df, scaling.factor if scaling else None)

    @cached_property
    def _independence(self) -> tuple[Structure, Array]:
        """Structure and estimates of the baseline model."""
        together = Variables.of(self.model).covariates
        if isinstance(self.objective, FIMLObjective):
            places = [self.structure.observed.index(name) for name in together]
            alone = [independence(found, places) for found in self.objective.patterns]
            moments: Sequence[GroupMoments] = [GroupMoments(one.cov, one.mean) for one in alone]
        else:
            moments = self._residue.sample
        return independence_structure(self.structure, together, moments)

    @cached_property
    def log_likelihoods(self) -> tuple[float, float] | None:
        """Of the model and of the saturated one; None for least squares. Given covariates do not count."""
        if self.choice.estimator == "ULS":
            return None
        given = self.structure.covariates.tolist()
        if isinstance(self.objective, FIMLObjective):
            h1 = self.objective.saturated_log_likelihood
            if given:  # complete, so that their saturated moments are their own
                own = [GroupSample(s.name, s.values[:, given]) for s in self.samples]
                h1 -= sum(inference.log_likelihood(s.cov, s.mean, s) for s in own)
        else:
            h1 = sum(inference.log_likelihood(s.cov, s.mean, s, given) for s in self.samples)
        return h1 - self.n * self.optimum.value / 2, h1

    @cached_property
    @one_thread()
    def fit_measures(self) -> pd.Series:
        """lavaan's fit measures by their names, `_` for `.`; nan where the solution gives none."""
        with np.errstate(all="ignore"):
            return self._measured()

    def _measured(self) -> pd.Series:
        likelihoods, logl, scaling = None, self.log_likelihoods, self._scaling
        if logl is not None:
            scales: tuple[float | None, float | None] = (None, None)
            if scaling is not None and self.choice.scaled == "yuan_bentler":
                scales = (
                    scaling.model / max(self._n_rows_free, 1),
                    scaling.saturated / _n_moments(self.structure, self.means),
                )
            likelihoods = Likelihoods(*logl, *scales)
        residue, corrected = self._residue, None
        if isinstance(self.objective, FIMLObjective):
            corrected = self._corrected
            answers = [found.values for found in self.objective.patterns]
            weights = [
                self._without_given(pattern_information(values, moments, "expected"))
                for values, moments in zip(answers, residue.implied, strict=True)
            ]
            residue = replace(residue, weights=weights, pairwise=[pairwise_moments(values) for values in answers])
        found = fit_measures(
            self.test, self.baseline, residue, self.n_free, likelihoods=likelihoods, corrected=corrected
        )
        return found if self.engine == "crmlab" else found.where(found.index.isin(_BY_SEMOPY))

    def _without_given(self, weights: Array) -> Array:
        """Weights of the stacked means and covariances, 0 for those of given covariates."""
        given = np.isin(np.arange(len(self.structure.observed)), self.structure.covariates)
        i, j = np.triu_indices(len(given))
        free = ~np.concatenate([given, given[i] & given[j]])
        return weights * np.outer(free, free)

    @property
    def _corrected(self) -> Corrected:
        """What the robust measures of FIML are computed from."""
        assert isinstance(self.objective, FIMLObjective)
        robust, expected = self.choice.scaled is not None, self.choice.information == "expected"
        structure, theta = self._independence
        return missing_data(
            self.objective.complete_data_test(self.theta, self.K, robust=robust, expected=expected),
            self.df,
            self.objective.of(structure).complete_data_test(theta, robust=robust, expected=expected),
            self.baseline.df,
        )

    @cached_property
    def _residue(self) -> Residue:
        implied = [self.structure.implied(self.theta, g) for g in range(self.structure.groups)]
        least_squares = self.choice.estimator == "ULS"
        moments: Sequence[Any] = self.objective.saturated if isinstance(self.objective, FIMLObjective) else self.samples
        return Residue(
            [sample.n for sample in self.samples],
            [
                GroupMoments(m.cov * (s.n / (s.n - 1) if least_squares else 1), m.mean if self.means else None)
                for m, s in zip(moments, self.samples, strict=True)
            ],
            [GroupMoments(cov, mean if self.means else None) for cov, mean in implied],
            weights=[np.ones(_length(cov, self.means)) for cov, _ in implied] if least_squares else None,
            least_squares=least_squares,
            exogenous=self.structure.covariates.tolist(),
        )

    @cached_property
    def r_squared(self) -> pd.Series:
        """Explained share of the variance of every item and every explained variable; index (group,) name.

        nan where a negative residual variance makes it more than 1.
        """
        import pandas as pd

        found: dict[object, float] = {}
        names = (*self.structure.observed, *self.structure.latent)
        ends = {"=~": "rhs", "~": "lhs"}  # a composite is its items and has no residual
        explained = {getattr(row, ends[row.op]) for row in self.structure.table if row.op in ends}
        for group, label in enumerate(self.groups):
            total = np.diagonal(self.structure.all_moments(self.theta, group)[0])
            residual = np.diagonal(self.structure.matrices(self.theta, group)[1])
            for i in (i for i, name in enumerate(names) if name in explained):
                share = 1 - residual[i] / total[i] if residual[i] >= 0 and total[i] > 0 else np.nan
                found[(label, names[i]) if len(self.groups) > 1 else names[i]] = share
        return pd.Series(found, dtype=float, name="r_squared")

    def residuals(self, kind: str = "raw") -> list[Residuals]:
        """Residual moments of each group with their errors, see `crmlab.sem.residuals.residuals`."""
        residue = self._residue
        weights, acov = self._moment_weights(residue)
        return residual_moments(
            residue.n, residue.sample, residue.implied, self._derivatives, kind=kind, weights=weights, acov=acov
        )

    def _moment_weights(self, residue: Residue) -> tuple[list[Array], list[Array]]:
        """Of each group the information about its moments, at the implied ones, and Γ of the observed ones.

        Γ is the inverse information at the observed moments, with robust errors Huber–White's sandwich of it.
        """
        answers = [sample.values for sample in self.samples]
        incomplete = isinstance(self.objective, FIMLObjective)
        if isinstance(self.objective, FIMLObjective):
            answers = [found.values for found in self.objective.patterns]
        observed, weights, acov = self.choice.information == "observed", [], []
        for values, sample, implied in zip(answers, residue.sample, residue.implied, strict=True):
            if incomplete:
                found = [pattern_information(values, at, self.choice.information) for at in (implied, sample)]
            else:
                at = GroupMoments(implied.cov, implied.mean)
                found = [normal_information(at, sample if observed else None), normal_information(sample)]
            gamma = inverse(found[1])
            if self.choice.se == "robust":
                about = GroupMoments(sample.cov, values.mean(axis=0) if sample.mean is None else sample.mean)
                scores = pattern_information(values, about, "scores")[-len(gamma) :, -len(gamma) :]
                gamma = gamma @ scores @ gamma
            weights.append(found[0])
            acov.append(gamma)
        return weights, acov

    @property
    def _derivatives(self) -> list[Array]:
        """Derivatives of the stacked moments of each group by the unconstrained parameters."""
        groups = range(self.structure.groups)
        moved = [stacked_derivatives(self.structure.differentials(self.theta, g), self.means) for g in groups]
        return [delta @ self.K for delta in moved]

    def modification_indices(self) -> pd.DataFrame:
        """What freeing each fixed or absent parameter would gain, see `crmlab.sem.residuals.modification_indices`."""
        found = gains(
            self.structure,
            self.theta,
            self._residue.sample,
            self._residue.n,
            objective=lambda structure: _like(self.objective, structure, self.samples, self.means),
            constraints=self.K,
        )
        return found.assign(group=found["group"] + 1)

    def factor_scores(self, method: str = "regression") -> pd.DataFrame:
        """Scores of the constructs, one row for each respondent used, see `crmlab.sem.residuals.factor_scores`."""
        import pandas as pd

        blocks = [
            pd.DataFrame(
                construct_scores(self.structure, self.theta, sample.values, group=g, method=method),
                columns=list(self.structure.latent),
            )
            for g, sample in enumerate(self.samples)
        ]
        return pd.concat(blocks, keys=self.groups, names=["group", "respondent"]) if len(blocks) > 1 else blocks[0]

    def reliability(self) -> pd.DataFrame:
        """ω and AVE of every construct from the model, see `crmlab.sem.residuals.model_reliability`."""
        found = model_reliability(self.structure, self.theta, self._residue.sample)
        return found.assign(group=[self.groups[g] for g in found["group"]])

    @property
    def headline(self) -> str:
        """The fit in one line."""
        if not self.converged:
            return f"{self.choice.estimator}, n = {self.n}: not converged ({self.optimum.message})"
        measures, test = self.fit_measures, self.test.scaled if self.test.is_scaled else self.test
        scaled = "_scaled" if self.test.is_scaled else ""
        said = [f"χ²({self.df}) = {test.chisq:.3f}"]
        said += [
            f"{text} = {measures[name]:.3f}"
            for text, name in (
                ("p", "pvalue" + scaled),
                ("CFI", "cfi" + scaled),
                ("RMSEA", "rmsea" + scaled),
                ("SRMR", "srmr"),
            )
            if name in measures and np.isfinite(measures[name])
        ]
        return f"{self.choice.estimator}, n = {self.n}: " + ", ".join(said)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON; None where a number is not known."""
        return {
            "engine": self.engine,
            "estimator": self.choice.estimator,
            "missing": self.choice.missing,
            "se": self.choice.se,
            "n": self.n,
            "groups": list(self.groups),
            "converged": self.converged,
            "fit_measures": {str(k): _plain(v) for k, v in self.fit_measures.items()},
            "estimates": [{str(k): _plain(v) for k, v in row.items()} for row in self.estimates.to_dict("records")],
            "problems": self.problems,
        }

    def __repr__(self) -> str:
        return f"Fit({self.headline})"

    def _repr_html_(self) -> str:
        from html import escape

        told = "".join(f"<p>{escape(text)}</p>" for text in self.problems)
        table = self.estimates.round(3).to_html(index=False, na_rep="")
        return f"<p><strong>{escape(self.headline)}</strong></p>{told}{table}"

    def implied(self, group: int = 0) -> tuple[pd.DataFrame, pd.Series]:
        """Implied covariances (p × p) and means (p) of a group, counted from 0."""
        import pandas as pd

        cov, mean = self.structure.implied(self.theta, group)
        names = list(self.structure.observed)
        return pd.DataFrame(cov, index=names, columns=names), pd.Series(mean, index=names)


def _plain(value: Any) -> Any:
    """A number or text that JSON knows."""
    if isinstance(value, str):
        return value
    return None if not np.isfinite(value) else int(value) if isinstance(value, int | np.integer) else float(value)


def _like(objective: Objective, structure: Structure, samples: Sequence[GroupSample], means: bool) -> Objective:
    """The same discrepancy for another structure."""
    if isinstance(objective, FIMLObjective):
        return objective.of(structure)  # the saturated moments are those already found
    return (ULSObjective if isinstance(objective, ULSObjective) else MLObjective)(structure, samples, means)


def _length(cov: Array, means: bool) -> int:
    return len(cov) * (len(cov) + 1) // 2 + means * len(cov)


def _n_moments(structure: Structure, means: bool) -> int:
    """Variances, covariances and means of all groups, less those of given covariates."""
    p, given = len(structure.observed), len(structure.covariates)
    return structure.groups * sum(sign * (k * (k + 1) // 2 + means * k) for sign, k in ((1, p), (-1, given)))


def _wald(est: Array, se: Array, level: float) -> dict[str, Array]:
    """est, se, z, p-value (two-sided) and interval."""
    from scipy.special import ndtr, ndtri

    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(se == 0, np.nan, est / se)
    reach = float(ndtri((1 + level) / 2)) * se
    return {
        "est": est,
        "se": se,
        "z": z,
        "pvalue": 2 * ndtr(-np.abs(z)),
        "ci_lower": est - reach,
        "ci_upper": est + reach,
    }


def _scaling(
    objective: Objective,
    samples: Sequence[GroupSample],
    theta: Array,
    K: Array,
    means: bool,
    df: int,
    choice: Choices,
) -> inference.Scaling | None:
    """The scaling of the test that the estimator asks for."""
    if choice.scaled is None:
        return None
    if choice.scaled == "satorra_bentler":
        return inference.satorra_bentler(objective, samples, theta, K, means, df)
    expected = choice.information == "expected"
    information = objective.information(theta) if expected else objective.observed_information(theta)
    if isinstance(objective, FIMLObjective):
        return inference.yuan_bentler_incomplete(objective, theta, K, df, information, expected)
    return inference.yuan_bentler(objective.structure, samples, theta, K, means, df, information)
