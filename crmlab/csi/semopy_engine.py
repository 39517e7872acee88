"""The index by semopy, an independent program: a second opinion on the covariance-based model (chapter 9).

A second opinion is asked for its estimates. Intervals are those of normal theory: parameters drawn from the normal
distribution with semopy's estimates as its centre and the inverse expected information at them as its covariance, item
means from resampled respondents. A bootstrap would call semopy a thousand times, a minute or more for nothing new.
semopy's own standard errors are not used, as they are not dependable for every model (see
`crmlab.sem.second_opinion`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import sem
from ..errors import InputError
from ..sem import second_opinion
from ..sem.bootstrap import Progress
from ..sem.moments import Array, draw_counts
from ..sem.pls_algorithm import PathModel
from .cbsem_engine import Evaluated, FactorEngine, reflective, usable

if TYPE_CHECKING:
    import pandas as pd

NORMAL = "normal theory"
TOLD = (
    "Estimated by semopy, a second opinion: intervals are those of normal theory, not of resamples, and of the fit "
    "measures only χ² is stated."
)
SEARCH = {"ftol": 1e-10}  # leaves estimates within 1e-4 standard errors of the optimum; a step closer can stall


@dataclass(frozen=True)
class SemopyEngine(FactorEngine):
    """The model as semopy estimates it."""

    def method(self, interval: str) -> dict[str, Any]:
        return super().method(NORMAL)

    def _drawn(
        self, n: int, seed: int, evaluated: Evaluated, progress: Progress | None
    ) -> tuple[dict[str, Array], int, int]:
        rng = np.random.default_rng(seed)
        errors = replace(self.fit, choice=replace(self.fit.choice, se="standard")).vcov
        theta = rng.multivariate_normal(self.fit.theta, errors, size=n, method="eigh")
        counts = draw_counts(rng, n, len(self.rows))
        draws = evaluated(counts, *self._implied(self.fit, theta))
        if progress is not None:
            progress(n, n)
        return draws, 0, 0


def estimate(
    model: sem.Model, shape: PathModel, answers: pd.DataFrame, *, estimator: str = "ML", missing: str | None = None
) -> SemopyEngine:
    """Estimate the model by semopy: maximum likelihood on complete answers.

    Raises
    ------
    InputError
        A formative construct, or what semopy is not asked for here.
    SemError
        The answers cannot be estimated from, or semopy is not installed.
    """
    reflective(shape)
    if estimator != "ML":
        raise InputError(f"engine 'semopy' estimates by ML only, found estimator {estimator!r}; use engine='cbsem'.")
    data, chosen, told = usable(answers, estimator, missing, allowed=("listwise",))
    fit = sem.fit(model, data, engine="semopy", options=SEARCH)
    fit = replace(fit, told=tuple(said for said in fit.told if said != second_opinion.TOLD))
    return SemopyEngine(shape, fit, data, chosen, told=(*told, TOLD))
