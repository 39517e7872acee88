"""Where the search for the estimates of a covariance structure begins.

Loadings relative to the marker item come from instrumental variables (Hägglund 1982): λ_j = Σ_k s_jk s_1k / Σ_k s_1k²
over the block's other items k. Weighted sums of the items then stand for the constructs; their covariances are free of
measurement error, so that regressions among them give the paths. Correlations are drawn towards 0 until they are well
inside what is possible. Values written with `start()` are taken as they are.

References
----------
Hägglund, G. (1982). Factor analysis by instrumental variables methods. Psychometrika 47, 209–222.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .matrices import Parameter, Structure
from .moments import Array

_SHRINK = 0.9
_SMALLEST = 0.15  # eigenvalue of the constructs' correlations to begin with
_UNEXPLAINED = 0.15  # smallest share of a variance left to its residual


class Moments(Protocol):
    """Covariance (p, p) and mean (p,) of a group."""

    @property
    def cov(self) -> Array: ...

    @property
    def mean(self) -> Array: ...


def starting_values(
    structure: Structure, samples: Sequence[Moments], paths: bool = True, rng: np.random.Generator | None = None
) -> Array:
    """Starting values of the free parameters, (q,).

    Parameters
    ----------
    structure : Structure
    samples : sequence of moments, one for each group
        `.cov` (p, p) and `.mean` (p,).
    paths : bool
        False begins paths and covariances at 0, the safe choice.
    rng : numpy.random.Generator, optional
        Scatters the paths, for a search that failed from the best guess.
    """
    theta = np.zeros(structure.n_free)
    for group in range(structure.groups - 1, -1, -1):  # equal parameters begin where the first group does
        rows = [row for row in structure.table if row.group == group]
        begin = _Beginning.of(structure, rows, samples[group])
        for row, k in zip(structure.table, structure.position, strict=True):
            if k >= 0 and row.group == group:
                theta[k] = begin.value(row, paths, rng) if row.start is None else row.start
    return theta


@dataclass(frozen=True)
class _Beginning:
    """What one group's parameters begin from.

    `cov` are the covariances of `names`, constructs with items of their own and observed variables; `paths` and
    `residuals` those of the regressions among them.
    """

    sample: Moments
    observed: Mapping[str, int]
    loadings: Mapping[tuple[str, str], float]
    names: Mapping[str, int]
    cov: Array
    paths: Mapping[tuple[str, str], float]
    residuals: Mapping[str, float]

    @classmethod
    def of(cls, structure: Structure, rows: Sequence[Parameter], sample: Moments) -> _Beginning:
        index = {name: i for i, name in enumerate(structure.observed)}
        blocks: dict[str, list[str]] = {}
        for row in rows:
            if row.op == "=~" and row.rhs in index:
                blocks.setdefault(row.lhs, []).append(row.rhs)
        unit = {r.lhs for r in rows if r.op == "~~" and r.lhs == r.rhs and r.fixed and r.lhs in blocks}
        loadings: dict[tuple[str, str], float] = {}
        names = {name: i for i, name in enumerate((*blocks, *structure.observed))}
        weights, variances = np.zeros((len(names), len(index))), np.ones(len(names))
        for construct, items in blocks.items():
            places = [index[item] for item in items]
            relative, shared = _block(sample.cov[np.ix_(places, places)])
            if construct in unit:
                relative, shared = relative * np.sqrt(shared), 1.0
            loadings |= {(construct, item): float(value) for item, value in zip(items, relative, strict=True)}
            own = relative / np.diagonal(sample.cov)[places]
            weights[names[construct], places] = own / (own @ relative)
            variances[names[construct]] = shared
        weights[len(blocks) :] = np.eye(len(index))
        variances[len(blocks) :] = np.diagonal(sample.cov)
        cov = _possible(weights @ sample.cov @ weights.T, variances, len(blocks))
        paths, residuals = _regressions(rows, names, cov)
        return cls(sample, index, loadings, names, cov, paths, residuals)

    def value(self, row: Parameter, paths: bool, rng: np.random.Generator | None) -> float:
        own = self.observed.get(row.lhs)
        if row.op == "=~":
            return self.loadings.get((row.lhs, row.rhs), 1.0)
        if row.op == "~1":
            return 0.0 if own is None else float(self.sample.mean[own])
        if row.op == "<~":
            return 1.0
        if row.op == "~":
            path = self.paths.get((row.lhs, row.rhs), 0.0) if paths else 0.0
            return path if rng is None else self._scattered(row, path, rng)
        if row.lhs != row.rhs:
            exogenous = own is None and row.lhs not in self.residuals and row.rhs not in self.residuals
            known = exogenous and row.lhs in self.names and row.rhs in self.names
            return float(self.cov[self.names[row.lhs], self.names[row.rhs]]) if known and paths else 0.0
        if own is not None:
            return 0.5 * float(self.sample.cov[own, own])
        if row.lhs not in self.names:
            return 0.1
        return self.residuals.get(row.lhs, float(self.cov[self.names[row.lhs], self.names[row.lhs]]))

    def _scattered(self, row: Parameter, path: float, rng: np.random.Generator) -> float:
        """A path drawn around half its best guess, with a standard deviation of 0.4 standardised."""
        spread = [
            np.sqrt(self.cov[self.names[n], self.names[n]]) if n in self.names else 1.0 for n in (row.lhs, row.rhs)
        ]
        return 0.5 * path + 0.4 * float(rng.normal() * spread[0] / spread[1])


def _block(cov: Array) -> tuple[Array, float]:
    """Loadings of a block relative to its first item, and the variance of what the items share."""
    k, marker = len(cov), float(cov[0, 0])
    if k < 3:
        shared = float(cov[0, -1]) if k == 2 and 0 < cov[0, 1] < marker else 0.5 * marker
        return np.ones(k), shared
    loadings = np.ones(k)
    for item in range(1, k):
        others = [j for j in range(1, k) if j != item]
        loadings[item] = cov[item, others] @ cov[0, others] / max(float(cov[0, others] @ cov[0, others]), 1e-12)
    spread = np.sqrt(np.diagonal(cov) / marker)
    usual = (np.abs(loadings) > 0.2 * spread) & (np.abs(loadings) < 3 * spread)
    loadings = np.where(usual, loadings, spread)
    i, j = np.triu_indices(k, 1)
    products = loadings[i] * loadings[j]
    shared = float(cov[i, j] @ products / (products @ products))
    return loadings, float(np.clip(shared, 0.1 * marker, 0.9 * marker))


def _possible(cov: Array, variances: Array, constructs: int) -> Array:
    """Covariances with the given variances, those of the constructs drawn towards 0 until they are well possible."""
    sd = np.sqrt(variances)
    correlation = np.clip(cov / np.outer(sd, sd), -0.95, 0.95)
    np.fill_diagonal(correlation, 1.0)
    off = ~np.eye(len(cov), dtype=bool)
    latent = slice(0, constructs)
    while constructs and np.linalg.eigvalsh(correlation[latent, latent])[0] < _SMALLEST:
        correlation[off] *= _SHRINK
    return correlation * np.outer(sd, sd)


def _regressions(
    rows: Sequence[Parameter], names: Mapping[str, int], cov: Array
) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """Least-squares paths and residual variances of every dependent variable."""
    causes: dict[str, list[str]] = {}
    for row in rows:
        if row.op == "~" and row.lhs in names and row.rhs in names:
            causes.setdefault(row.lhs, []).append(row.rhs)
    paths, residuals = {}, {}
    for effect, several in causes.items():
        x, y = [names[name] for name in several], names[effect]
        slopes = np.linalg.lstsq(cov[np.ix_(x, x)], cov[x, y], rcond=1e-6)[0]
        paths.update({(effect, name): float(slope) for name, slope in zip(several, slopes, strict=True)})
        residuals[effect] = max(float(cov[y, y] - slopes @ cov[x, y]), _UNEXPLAINED * float(cov[y, y]))
    return paths, residuals
