"""The index by partial least squares: outer weights, all resamples estimated together (chapter 9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import sem
from ..sem.bootstrap import Bootstrap, Progress, Resamples
from ..sem.moments import Array
from ..sem.path_tables import PathTables
from ..sem.pls_algorithm import PathModel, is_admissible
from .engines import TOGETHER, Reading, Statistic

if TYPE_CHECKING:
    import pandas as pd

DRAWN = ("weights", "loadings", "paths", "r_squared", "direct", "indirect", "total")


@dataclass(frozen=True)
class PLSEngine:
    """A path model estimated by PLS, as the index reads it."""

    fit: sem.PLSFit
    resamples: int = TOGETHER
    stand_in: str = "that of all respondents"
    impossible: str = "corrected correlations that are impossible together"

    @property
    def shape(self) -> PathModel:
        return self.fit.shape

    @property
    def rows(self) -> pd.Index:
        return self.fit.rows

    @property
    def answers(self) -> Array:
        return self.fit.sample.values

    @property
    def filled(self) -> Array:
        """A missing answer stands at the item's mean, as in the model."""
        return np.where(np.isnan(self.answers), self.fit.sample.full.mean, self.answers)

    @property
    def values(self) -> dict[str, Array]:
        return self.fit.values

    @property
    def converged(self) -> bool:
        return self.fit.converged

    @property
    def admissible(self) -> bool:
        return self.converged and bool(is_admissible(self.shape, self.values)[0])

    @property
    def refusals(self) -> list[str]:
        """None: what keeps a PLS solution from being believed stands among the fit's own problems."""
        return []

    @property
    def problems(self) -> list[str]:
        lacking = [
            name
            for name, omega, items in zip(
                self.shape.constructs, self.fit.reliability["omega"], self.fit.reliability["n_items"], strict=True
            )
            if items > 2 and np.isnan(omega) and self.shape.modes[name] == "A"
        ]
        return [
            *self.fit.problems,
            *(
                f"{name}: one common factor does not fit its items properly (a Heywood case), so omega is not stated."
                for name in lacking
            ),
        ]

    @property
    def tables(self) -> PathTables:
        return self.fit

    def method(self, interval: str) -> dict[str, Any]:
        return {
            "estimator": "consistent PLS" if self.shape.consistent else "PLS",
            "scheme": self.fit.scheme,
            "iterations": self.fit.iterations,
            "index_weights": "unstandardised outer weights",
            "missing": self.fit.missing,
            "interval": interval,
            "fit": None,
        }

    def draw(
        self, n: int, seed: int, member: Array, statistic: Statistic, progress: Progress | None = None
    ) -> Bootstrap:
        def read(batch: Resamples, weights: Array, values: Mapping[str, Array]) -> dict[str, Array]:
            return statistic(
                Reading(
                    weights=weights / batch.moments.sd,
                    means=self._means(batch, member),
                    total=values["total"],
                    accuracy=self._accuracy(values["rho_a"]),
                )
            )

        return self.fit.bootstrap(n, seed, statistics=DRAWN, statistic=read, progress=progress)

    def _accuracy(self, rho_a: Array) -> Array:
        """Standard deviation of each construct without error to that of its composite: √ρ_A when corrected, else 1."""
        corrected = np.abs(rho_a) if self.shape.consistent else np.ones_like(rho_a)
        return np.sqrt(np.nan_to_num(corrected, nan=1.0))

    def _means(self, batch: Resamples, member: Array) -> Array:
        """Item means of all and of each group; a missing answer stands at the mean of all, as in the model."""
        present = ~np.isnan(self.answers)
        given = np.where(present, self.answers, 0.0)
        means = [batch.moments.mean]
        for group in member.T:
            counts = batch.counts * group
            size = counts.sum(axis=1, keepdims=True)
            with np.errstate(invalid="ignore", divide="ignore"):
                means.append((counts @ given + (size - counts @ present) * batch.moments.mean) / size)
        return np.stack(means, axis=1)
