"""The index by covariance-based SEM: common factors, factor-score weights, and a plain no where the model fails.

A construct is what its items have in common. The index weighs the items by the regression weights of the factor score,
λ/θ, on the same formula as under PLS. Paths, R² and effects are those among the constructs without error.

Resamples are estimated anew: by maximum likelihood on complete data all together, otherwise one by one. A solution that
is not admissible is not resampled: its index gets an interval with the weights held, its paths get none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import sem
from ..errors import InputError
from ..results import plain
from ..sem.admissibility import ALIKE
from ..sem.bootstrap import Bootstrap, Progress
from ..sem.fiml import patterns
from ..sem.moments import Array, SampleMoments, draw_counts
from ..sem.path_tables import PathTables
from ..sem.pls_algorithm import COSTLY, PathModel, majority_signs, own_block, structural
from ..weighting.model import regression_weights
from .engines import ALONE, TOGETHER, Reading, Statistic
from .pls_engine import DRAWN

if TYPE_CHECKING:
    import pandas as pd

ESTIMATORS = ("ML", "MLR", "ULS", "WLSMV")
MISSING = ("listwise", "fiml", "pairwise")
HELD = "percentile, weights held"
_MEASURES = ("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "srmr")
Evaluated = Callable[[Array, Array, Array], dict[str, Array]]  # of counts, implied covariances and means
_REFITTED = 16  # resamples between two reports of progress, where each is estimated alone


@dataclass(frozen=True)
class FactorTables(PathTables):
    """A covariance-based solution as a path model: `values` as `crmlab.sem.pls_algorithm.statistics` orders them."""

    shape: PathModel
    known: dict[str, Array]

    @property
    def values(self) -> dict[str, Array]:
        return self.known


def read(
    shape: PathModel, moments: Array, spread: Array | None, correlation: Array, sd: Array, costly: Sequence[str] = ()
) -> tuple[dict[str, Array], Array]:
    """Statistics of a batch from the implied covariances of indicators and constructs, and their weights.

    Parameters
    ----------
    shape : PathModel
    moments : array (b, p + k, p + k)
        Indicators first.
    spread : array (p,), optional
        Standard deviation of each indicator's answers where `moments` speak of the y* behind them.
    correlation, sd : arrays (1 or b, p, p) and (1 or b, p)
        Of the answers, for the statistics named in `costly`.

    Returns
    -------
    values : dict of str to array (b, ·)
        `rho_a` is the squared correlation of the index's composite with its construct: what ρ_A is under PLS.
    weights : array (b, p)
        Of one scale point, in composites of unit variance.
    """
    p, membership, block = len(shape.indicators), shape.membership, shape.block
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(np.diagonal(moments, axis1=1, axis2=2))
        implied = moments / (scale[:, :, None] * scale[:, None, :])
        cross, constructs = implied[:, :p, p:], implied[:, p:, p:]
        signs = majority_signs(shape, np.nan_to_num(cross), {})
        cross, constructs = cross * signs[:, None, :], constructs * signs[:, :, None] * signs[:, None, :]
        loadings = own_block(shape, cross)
        sds = scale[:, :p] if spread is None else np.broadcast_to(spread, loadings.shape)
        residual = np.where(np.abs(1 - loadings**2) < 1e-9, 0.0, 1 - loadings**2)
        raw = regression_weights(loadings * sds, residual * sds**2, membership)
        weights = raw * sds
        common = (weights * loadings) @ membership
        unit = np.sqrt(common**2 + (weights**2 * residual) @ membership)
        measured = {"weights": weights / unit[:, block], "loadings": loadings, "rho_a": (common / unit) ** 2}
        values = structural(shape, measured, cross, constructs, correlation, sd, costly)
    return values, raw / unit[:, block]


@dataclass(frozen=True)
class FactorEngine:
    """A model of common factors, as the index reads it.

    Attributes
    ----------
    shape : PathModel
    fit : Fit
    data : DataFrame (n, items)
        Answers used.
    missing : str
    ordered : tuple of str
        Items taken as ordinal.
    told : tuple of str
        What was done to the data on the way in.
    """

    shape: PathModel
    fit: sem.Fit
    data: pd.DataFrame
    missing: str
    ordered: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

    @property
    def rows(self) -> pd.Index:
        return self.data.index

    @cached_property
    def answers(self) -> Array:
        return self.data[[item for _, item in self.shape.indicators]].to_numpy(dtype=float)

    @cached_property
    def _sample(self) -> SampleMoments:
        return SampleMoments(self.answers)

    @cached_property
    def _places(self) -> list[int]:
        """Where indicators and constructs stand among the fit's variables."""
        names = (*self.fit.structure.observed, *self.fit.structure.latent)
        return [names.index(name) for name in (*(item for _, item in self.shape.indicators), *self.shape.constructs)]

    def _implied(self, fit: sem.Fit, theta: Array) -> tuple[Array, Array]:
        """Implied covariances of indicators and constructs, (b, m, m), and means (b, m)."""
        cov, mean = zip(*(fit.structure.all_moments(one, 0) for one in theta), strict=True)
        at = self._places
        return np.array(cov)[:, at][:, :, at], np.array(mean)[:, at]

    @cached_property
    def _own(self) -> tuple[Array, Array]:
        theta = np.where(self.converged, self.fit.theta, np.nan)[None]
        return self._implied(self.fit, theta)

    @property
    def _spread(self) -> Array | None:
        """Of ordinal items the answers' own standard deviations: the model knows only the y* behind them."""
        return self._sample.full.sd[0] if self.ordered else None

    def _read(self, moments: Array, costly: Sequence[str] = ()) -> tuple[dict[str, Array], Array]:
        full = self._sample.full
        return read(self.shape, moments, self._spread, full.correlation, full.sd, costly)

    @cached_property
    def values(self) -> dict[str, Array]:
        return self._read(self._own[0], COSTLY)[0]

    @cached_property
    def tables(self) -> FactorTables:
        return FactorTables(self.shape, self.values)

    @cached_property
    def filled(self) -> Array:
        """Missing answers as the model expects them from the others given (FIML), else the item's mean."""
        return self._filled(self._own[0][0], self._own[1][0])

    def _filled(self, cov: Array, mean: Array) -> Array:
        """E(missing | answered) under the model: its mean over the respondents is the estimated mean of the item."""
        filled = self.answers.copy()
        if not np.isnan(filled).any():
            return filled
        if self.missing != "fiml":
            return np.where(np.isnan(filled), self._sample.full.mean, filled)
        found = patterns(filled)
        for observed, members in zip(found.observed, found.members, strict=True):
            o, m = np.flatnonzero(observed), np.flatnonzero(~observed)
            away = filled[np.ix_(members, o)] - mean[o]
            filled[np.ix_(members, m)] = mean[m] + away @ np.linalg.solve(cov[np.ix_(o, o)], cov[np.ix_(o, m)])
        return filled

    @property
    def converged(self) -> bool:
        return self.fit.converged and bool(np.isfinite(self.fit.optimum.value))

    @property
    def admissible(self) -> bool:
        return self.converged and not self.fit.inadmissible

    @property
    def refusals(self) -> list[str]:
        """Why the solution must not be used, the sum of it first."""
        if self.admissible:
            return []
        if not self.converged:
            return [
                "CB-SEM must be refused here: the estimation did not converge, so there are no numbers to show. Report "
                "PLS (engine 'pls') or a reduced model with fewer constructs."
            ]
        instead = "Report PLS (engine 'pls'), or a reduced model in which "
        alike = self._alike
        if not alike:
            return [
                "CB-SEM must be refused here: its solution is impossible, and its numbers are shown only so that this "
                f"can be seen. {instead}the constructs named next are merged or left out.",
                *self.fit.inadmissible,
            ]
        correlations = self.tables.correlations.abs().loc[alike, alike].to_numpy()
        highest = correlations[np.triu_indices(len(alike), 1)].max()
        return [
            f"CB-SEM must be refused here: {', '.join(alike[:-1])} and {alike[-1]} cannot be told apart (correlations "
            f"up to {highest:.3f}), so its paths mean nothing. {instead}they are merged or left out.",
            *self.fit.inadmissible,
        ]

    @property
    def _alike(self) -> list[str]:
        """Constructs that are causes of one construct and correlate as if they were one."""
        correlations = self.tables.correlations.abs()
        found: set[str] = set()
        for _, several in self.shape.equations:
            names = [self.shape.constructs[j] for j in several]
            pairs = [(a, b) for a in names for b in names if a < b and correlations.loc[a, b] > ALIKE]
            found |= {name for pair in pairs for name in pair}
        return [name for name in self.shape.constructs if name in found]

    @property
    def problems(self) -> list[str]:
        found = [*self.told, *self.fit.told]
        if self.converged:
            found += [*self._fit_problems, *self.tables.measurement_problems]
        return [*found, *self.tables.structure_problems] if self.admissible else found

    @cached_property
    def _measures(self) -> dict[str, Any]:
        """Fit measures by their names, the scaled ones where the estimator scales its test."""
        found: Any = self.fit.fit_measures if self.converged else {}
        names = {name: f"{name}_scaled" if f"{name}_scaled" in found else name for name in _MEASURES}
        return {name: plain(found.get(place, np.nan)) for name, place in names.items()}

    @property
    def _fit_problems(self) -> list[str]:
        cfi, rmsea = self._measures["cfi"], self._measures["rmsea"]
        if cfi is None or rmsea is None or (cfi >= 0.90 and rmsea <= 0.08):
            return []
        return [
            f"The model fits the answers poorly (CFI {cfi:.3f}, RMSEA {rmsea:.3f}; expected at least 0.900 and at most "
            "0.080): the items share more, or other things, than the constructs say."
        ]

    @property
    def resamples(self) -> int:
        together = not self.admissible or (self.missing == "listwise" and self.fit.choice.estimator in ("ML", "MLR"))
        return TOGETHER if together else ALONE

    @property
    def stand_in(self) -> str:
        return (
            "what the model expects from their other answers" if self.missing == "fiml" else "that of all respondents"
        )

    @property
    def impossible(self) -> str:
        return "an impossible solution (a negative variance, or constructs that overlap more than is possible)"

    def method(self, interval: str) -> dict[str, Any]:
        return {
            "estimator": self.fit.choice.estimator,
            "scheme": None,
            "iterations": int(self.fit.optimum.iterations),
            "index_weights": "unstandardised factor-score weights",
            "missing": self.missing,
            "interval": interval if self.admissible else HELD,
            "fit": self._measures,
        }

    # --- Resamples --------------------------------------------------------------------------------------------------

    def draw(
        self, n: int, seed: int, member: Array, statistic: Statistic, progress: Progress | None = None
    ) -> Bootstrap:
        def evaluated(counts: Array, moments: Array, level: Array) -> dict[str, Array]:
            values, weights = self._read(moments)
            reading = Reading(
                weights, self._means(counts, member, moments, level), values["total"], np.sqrt(values["rho_a"])
            )
            return {name: values[name] for name in DRAWN} | statistic(reading)

        own = evaluated(np.ones((1, len(self.rows))), *self._own)
        if self.admissible:
            draws, failed, impossible = self._drawn(n, seed, evaluated, progress)
        else:
            draws, failed, impossible = self._held(n, seed, member, statistic), 0, 0
        return Bootstrap(
            draws=draws,
            estimates={name: value[0] for name, value in (self.values | own).items()},
            keys=self.tables.keys,
            n_requested=n,
            not_converged=failed,
            inadmissible=impossible,
            sign_changes={},
            seed=seed,
            jackknife=dict,
        )

    def _drawn(
        self, n: int, seed: int, evaluated: Evaluated, progress: Progress | None
    ) -> tuple[dict[str, Array], int, int]:
        """Statistics of n resamples, and how many of these failed and how many are impossible."""
        if self.ordered:
            parts, failed = self._refitted(n, seed, progress)
            return _joined([evaluated(*part) for part in parts]), failed, 0
        found = self.fit.bootstrap(
            n, seed, progress, lambda counts, theta: evaluated(counts[0], *self._implied(self.fit, theta))
        )
        return found.further, found.not_converged, found.inadmissible

    def _means(self, counts: Array, member: Array, moments: Array, level: Array) -> Array:
        """Item means of all and of each group in every resample, (b, 1 + groups, p)."""
        if self.missing == "fiml" and not member.size:
            return level[:, None, : len(self.shape.indicators)]
        whole = np.column_stack([np.ones(len(self.rows)), member])
        if not np.isnan(self.answers).any():
            filled: Iterator[Array] = iter([self.answers] * len(counts))
        elif self.missing == "fiml":
            filled = (self._filled(cov, mean) for cov, mean in zip(moments, level, strict=True))
        else:
            filled = (np.where(np.isnan(self.answers), m, self.answers) for m in self._sample.resampled(counts).mean)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.stack(
                [
                    ((whole * count[:, None]).T @ answers) / (whole.T @ count)[:, None]
                    for count, answers in zip(counts, filled, strict=True)
                ]
            )

    def _held(self, n: int, seed: int, member: Array, statistic: Statistic) -> dict[str, Array]:
        """Resampled answers under the weights of the sample; nan for all that would need the model again."""
        counts = draw_counts(np.random.default_rng(seed), n, len(self.rows))
        whole = np.column_stack([np.ones(len(self.rows)), member])
        sums = np.einsum("bn,ng,np->bgp", counts, whole, self.filled, optimize=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = sums / (counts @ whole)[:, :, None]
        values, weights = self._read(self._own[0])
        many = [np.repeat(array, n, axis=0) for array in (weights, values["total"] * np.nan, np.sqrt(values["rho_a"]))]
        unknown = {name: np.full((n, values[name].shape[1]), np.nan) for name in DRAWN}
        return unknown | statistic(Reading(many[0], means, *many[1:]))

    def _refitted(self, n: int, seed: int, progress: Progress | None) -> tuple[list[tuple[Array, Array, Array]], int]:
        """Counts, implied covariances and means of resamples estimated one by one, and how many failed."""
        rng, parts, failed = np.random.default_rng(seed), [], 0
        for done in range(1, n + 1):
            counts = draw_counts(rng, 1, len(self.rows))
            drawn = self.data.iloc[np.repeat(np.arange(len(self.rows)), counts[0].astype(int))]
            try:
                fit = _ordinal(self.fit.model, drawn.reset_index(drop=True), self.ordered, self.missing, se="none")
                converged = fit.converged
            except sem.SemError:  # an item is constant in the resample
                converged = False
            if converged:
                parts.append((counts, *self._implied(fit, fit.theta[None])))
            failed += not converged
            if progress is not None and (done % _REFITTED == 0 or done == n):
                progress(done, n)
        if len(parts) < 2:
            raise sem.SemError(f"only {len(parts)} of {n} resamples gave an estimate, and no interval can be stated")
        return parts, failed


def _joined(parts: Sequence[dict[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _ordinal(
    model: sem.Model, data: pd.DataFrame, ordered: Sequence[str], missing: str, se: str | None = None
) -> sem.Fit:
    estimator = "WLSMV" if se is None else "DWLS"  # the same estimates; only errors and test differ
    return sem.fit(model, data, estimator=estimator, ordered=ordered, missing=missing, se=se)


def reflective(shape: PathModel) -> None:
    """Raise `InputError` where a construct is formative: these engines model common factors only."""
    formative = [name for name in shape.constructs if shape.modes[name] == "B"]
    if formative:
        raise InputError(
            f"{', '.join(formative)} is formative, and CB-SEM here models what the items of a construct have in "
            "common. Use engine='pls', or say 'mode: reflective' in the questionnaire if the items are its effects."
        )


def usable(
    answers: pd.DataFrame, estimator: str, missing: str | None, allowed: Sequence[str] = MISSING
) -> tuple[pd.DataFrame, str, tuple[str, ...]]:
    """The answers that the estimator takes, how it treats missing ones, and what to tell.

    The usual treatment is FIML for ML and MLR, pairs of items for WLSMV, and complete respondents for the others.
    """
    natural = {"ML": "fiml", "MLR": "fiml", "WLSMV": "pairwise"}.get(estimator, "listwise")
    natural = natural if natural in allowed else "listwise"
    if missing not in (None, "listwise", natural) or missing not in (None, *allowed):
        offered = " or ".join(dict.fromkeys(repr(name) for name in (natural, "listwise")))
        raise InputError(f"missing {missing!r} does not go with {estimator}; choose {offered}.")
    absent = answers.isna()
    if not absent.to_numpy().any():
        return answers, "listwise", ()
    chosen = missing or natural
    cells, incomplete = int(absent.to_numpy().sum()), int(absent.any(axis=1).sum())
    if chosen == "listwise":
        left_out = f"{incomplete} of {len(answers)} respondents have a missing answer and were left out."
        return answers[~absent.any(axis=1)], chosen, (left_out,)
    silent = absent.all(axis=1)
    told: tuple[str, ...] = ()
    if chosen == "fiml":
        told = (
            f"{cells} answers of {incomplete} respondents are missing: each respondent counts with the answers given "
            "(FIML), which holds if nothing unseen decided on them.",
        )
    return answers[~silent], chosen, told  # of pairs of answers the fit tells itself


def estimate(
    model: sem.Model, shape: PathModel, answers: pd.DataFrame, *, estimator: str = "ML", missing: str | None = None
) -> FactorEngine:
    """Estimate the model by covariance-based SEM.

    Raises
    ------
    InputError
        A formative construct, an unknown estimator, or a treatment of missing answers that does not go with it.
    SemError
        The answers cannot be estimated from.
    """
    reflective(shape)
    if estimator not in ESTIMATORS:
        raise InputError(f"estimator {estimator!r} is unknown; choose one of {', '.join(ESTIMATORS)}.")
    data, chosen, told = usable(answers, estimator, missing)
    if estimator != "WLSMV":
        fit = sem.fit(model, data, estimator=estimator, missing=chosen)
        return FactorEngine(shape, fit, data, chosen, told=told)
    alone = [items[0] for items in shape.blocks.values() if len(items) == 1]
    ordered = tuple(item for _, item in shape.indicators if item not in alone)
    if alone:
        told += (
            f"{', '.join(alone)} stands alone in its construct and is taken as a number; all other items as ordered "
            "categories.",
        )
    return FactorEngine(shape, _ordinal(model, data, ordered, chosen), data, chosen, ordered, told)
