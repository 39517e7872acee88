"""Maximum likelihood for models of repeat buying: one mechanism for BG/NBD, Pareto/NBD, BG/BB, sBG and Gamma–Gamma.

In each of them a customer's likelihood is a sum of a few positive terms ("still a customer, or lost after the last
purchase"), exp(term₁) + exp(term₂) + …. A model states the logarithms of its terms and their derivatives; the rest is
here. Sums are taken in logarithms, so nothing overflows. Parameters are positive, so all work is done in their
logarithms. Customers with the same history have the same likelihood: it is computed once and counted as often as it
occurs, and a bootstrap redraws these counts. A fit is L-BFGS within wide bounds, then Newton steps to a zero gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .told import Array, percentiles, whole

if TYPE_CHECKING:
    import pandas as pd

#: Terms (…, patterns, terms), and for each parameter their derivative, broadcastable to the same shape.
Terms = tuple[Array, tuple[Array, ...]]

#: Logarithms of parameters are sought between these; at a bound the data do not hold the parameter.
_BOUNDS = (-9.0, 12.0)
#: Largest derivative of the log-likelihood per customer at which a fit counts as converged.
_FLAT = 1e-7
#: Cells (resamples × patterns × terms) worked on at once: bounds the memory of a bootstrap.
_CELLS = 4_000_000
_STEP = 1e-4
#: Standard error of the logarithm of a parameter at which it is not held by the data: a factor of e⁵ either way.
_LOOSE = 5.0


@dataclass(frozen=True)
class Patterns:
    """Distinct histories and how many customers have each.

    Attributes
    ----------
    columns : tuple of arrays, one value per pattern
    counts : array, customers per pattern
    member : array, the pattern of each customer
    """

    columns: tuple[Array, ...]
    counts: Array
    member: Array

    @classmethod
    def of(cls, *columns: Array, weights: Array | None = None) -> Patterns:
        """The distinct rows of some columns, in time linear in their length."""
        import pandas as pd

        code = np.zeros(len(columns[0]), dtype=np.int64)
        for column in columns:
            own, distinct = pd.factorize(column)
            code, _ = pd.factorize(code * len(distinct) + own)
        _, first = np.unique(code, return_index=True)
        counts = np.bincount(code, weights=weights).astype(float)
        return cls(tuple(column[first] for column in columns), counts, code)


@dataclass(frozen=True)
class Model:
    """Names of the parameters, and the terms of every pattern at given parameters (each of shape (…, 1, 1))."""

    name: str
    names: tuple[str, ...]
    terms: Callable[[tuple[Array, ...], Patterns], Terms]
    width: int = 2


@dataclass(frozen=True)
class Estimate:
    """A model fitted by maximum likelihood.

    Attributes
    ----------
    params : Series by parameter
    standard_errors : Series by parameter, from the curvature of the log-likelihood; missing if it has no maximum
    log_likelihood : float
    converged : bool
        The gradient is zero, the curvature is that of a maximum, and no parameter ran to the end of its range.
    n : int, customers
    problems : list of str
    """

    params: pd.Series
    standard_errors: pd.Series
    log_likelihood: float
    converged: bool
    n: int
    problems: list[str]
    model: Model = field(repr=False)
    patterns: Patterns = field(repr=False)

    def bootstrap(self, resamples: int = 200, *, seed: int = 0) -> pd.DataFrame:
        """Parameters of resampled customers, one row a resample; see `intervals` for what follows from them.

        Counts of patterns are redrawn; all resamples then climb together from the estimate, each beginning with the
        curvature of its own counts. One that does not arrive is fitted alone; one that fails even so is missing.
        """
        import pandas as pd

        whole(resamples, "resamples", 1)
        rng = np.random.default_rng(seed)
        total = round(self.patterns.counts.sum())
        counts = rng.multinomial(total, self.patterns.counts / self.patterns.counts.sum(), size=resamples)
        start = np.log(self.params.to_numpy())
        found = _refitted(self.model, self.patterns, counts.astype(float), start)
        return pd.DataFrame(np.exp(found), columns=list(self.model.names)).rename_axis("resample")

    def intervals(self, resamples: int = 200, *, level: float = 0.95, seed: int = 0) -> pd.DataFrame:
        """Bootstrap percentile intervals: estimate, lower, upper by parameter."""
        draws = self.bootstrap(resamples, seed=seed).dropna()
        lower, upper = percentiles(draws.to_numpy(), level)
        return self.params.to_frame("estimate").assign(lower=lower, upper=upper)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            "model": self.model.name,
            "n": self.n,
            "params": {str(name): float(value) for name, value in self.params.items()},
            "standard_errors": {str(name): float(value) for name, value in self.standard_errors.items()},
            "log_likelihood": self.log_likelihood,
            "converged": self.converged,
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        import html

        table = self.params.to_frame("estimate").assign(se=self.standard_errors).to_html(float_format="{:.3f}".format)
        notes = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems)
        title = f"{self.model.name}, {self.n:,} customers, log-likelihood {self.log_likelihood:,.2f}"
        return f"<p>{title}</p>{table}<ul>{notes}</ul>"


def estimated(
    model: Model, patterns: Patterns, starts: Sequence[Sequence[float]], told: Sequence[str]
) -> dict[str, Any]:
    """Fit a model and return the fields of its `Estimate`.

    `starts` are parameters to begin with; the next is tried only while no fit has converged. `told` are problems of
    the data that come first.
    """
    import pandas as pd

    best: tuple[float, Array, list[str], Array] | None = None
    for start in starts:
        point = _climb(model, patterns, np.log(np.asarray(start, dtype=float)))
        height, gradient = _summed(model, point, patterns)
        if best is None or height > best[0] + 1e-9:
            curvature = _curvature(model, patterns, point)
            best = (height, point, _unsettled(model, point, gradient / patterns.counts.sum(), curvature), curvature)
        if not best[2]:
            break
    assert best is not None
    height, point, problems, curvature = best
    params = pd.Series(np.exp(point), index=list(model.names), name="estimate")
    errors = np.full(len(point), np.nan)
    if not problems:
        # In logarithms the error is relative: se(θ) = θ · se(ln θ).
        errors = np.exp(point) * np.sqrt(np.diag(np.linalg.inv(-curvature)))
    return {
        "params": params,
        "standard_errors": pd.Series(errors, index=params.index, name="se"),
        "log_likelihood": float(height),
        "converged": not problems,
        "n": round(patterns.counts.sum()),
        "problems": [*told, *problems],
        "model": model,
        "patterns": patterns,
    }


# --- Value, gradient, curvature ---------------------------------------------------------------------------------------


def by_pattern(model: Model, point: Array, patterns: Patterns) -> tuple[Array, Array]:
    """Log-likelihood (…, patterns) and its gradient (…, patterns, parameters) in the logarithms of the parameters."""
    params = tuple(np.exp(point[..., k, None, None]) for k in range(point.shape[-1]))
    terms, slopes = model.terms(params, patterns)
    top = terms.max(axis=-1, keepdims=True)
    shares = np.exp(terms - top)
    total = shares.sum(axis=-1, keepdims=True)
    shares /= total
    value = (top + np.log(total))[..., 0]
    gradient = [
        (param * (shares * slope).sum(-1, keepdims=True))[..., 0] for param, slope in zip(params, slopes, strict=True)
    ]
    return value, np.stack(gradient, axis=-1)


def _summed(model: Model, point: Array, patterns: Patterns) -> tuple[float, Array]:
    value, gradient = by_pattern(model, point, patterns)
    return float(patterns.counts @ value), patterns.counts @ gradient


def _curvatures(model: Model, patterns: Patterns, point: Array) -> Array:
    """Second derivatives by pattern (patterns, parameters, parameters), by central differences of the gradient."""
    columns = []
    for k in range(len(point)):
        step = np.zeros(len(point))
        step[k] = _STEP
        ahead, behind = (by_pattern(model, point + sign * step, patterns)[1] for sign in (1, -1))
        columns.append((ahead - behind) / (2 * _STEP))
    second = np.stack(columns, axis=-1)
    symmetric: Array = (second + np.swapaxes(second, -1, -2)) / 2
    return symmetric


def _curvature(model: Model, patterns: Patterns, point: Array) -> Array:
    curvature: Array = np.tensordot(patterns.counts, _curvatures(model, patterns, point), axes=1)
    return curvature


# --- Fitting ----------------------------------------------------------------------------------------------------------


def _climb(model: Model, patterns: Patterns, start: Array) -> Array:
    from scipy.optimize import minimize

    n = patterns.counts.sum()

    def downhill(point: Array) -> tuple[float, Array]:
        value, gradient = _summed(model, point, patterns)
        return -value / n, -gradient / n

    bounds = [_BOUNDS] * len(start)
    near = minimize(downhill, np.clip(start, *_BOUNDS), jac=True, method="L-BFGS-B", bounds=bounds).x
    return _polished(model, patterns, near)


def _polished(model: Model, patterns: Patterns, point: Array) -> Array:
    """Newton steps to a zero gradient; where the curvature is not that of a maximum, uphill all the same."""
    n = patterns.counts.sum()
    value, gradient = _summed(model, point, patterns)
    for _ in range(50):
        if np.abs(gradient).max() < _FLAT * n / 100:
            break
        curved, axes = np.linalg.eigh(_curvature(model, patterns, point))
        step = axes @ ((axes.T @ gradient) / np.maximum(np.abs(curved), 1e-6 * n))
        step *= min(1.0, 2.0 / np.abs(step).max())
        for _ in range(20):
            ahead = np.clip(point + step, *_BOUNDS)
            there, slope = _summed(model, ahead, patterns)
            # Near the top the value no longer tells points apart; the gradient does.
            if there > value or np.abs(slope).max() < np.abs(gradient).max():
                break
            step /= 2
        else:
            break
        point, value, gradient = ahead, there, slope
    return point


def _unsettled(model: Model, point: Array, gradient: Array, curvature: Array) -> list[str]:
    """Why a point, with its gradient per customer and curvature, is no maximum; nothing if it is one."""
    ends = [
        name for name, value in zip(model.names, point, strict=True) if not _BOUNDS[0] + 0.5 < value < _BOUNDS[1] - 0.5
    ]
    if ends:
        values = ", ".join(f"{name} = {np.exp(point[model.names.index(name)]):.3g}" for name in ends)
        return [
            f"{model.name}: did not converge. {values} ran to the end of its range: these customers do not differ "
            "in the "
            "way the model allows them to, or there are too few. Do not use the parameters one by one."
        ]
    if not np.abs(gradient).max() < _FLAT:
        return [
            f"{model.name}: did not converge. The gradient per customer is still {np.abs(gradient).max():.2g}; results "
            "are where the search stopped, not a maximum. Check times and units."
        ]
    if np.linalg.eigvalsh(curvature).max() >= 0 or np.diag(np.linalg.inv(-curvature)).max() > _LOOSE**2:
        return [
            f"{model.name}: did not converge to a single maximum. The log-likelihood is flat in some direction: the "
            "data "
            "do not tell the parameters apart. Use more customers or a longer period."
        ]
    return []


def _refitted(model: Model, patterns: Patterns, counts: Array, start: Array) -> Array:
    """Estimates (resamples, parameters) for each row of counts; rows that cannot be fitted are nan."""
    second = _curvatures(model, patterns, start)
    found = np.empty((len(counts), len(start)))
    block = max(1, _CELLS // (len(patterns.counts) * model.width))
    for first in range(0, len(counts), block):
        own = counts[first : first + block]
        found[first : first + block] = _together(model, patterns, own, start, np.tensordot(own, second, axes=1))
    return found


def _together(model: Model, patterns: Patterns, counts: Array, start: Array, curvature: Array) -> Array:
    """All resamples at once by quasi-Newton steps (BFGS) that begin with the curvature each has at the common start."""
    usable = np.linalg.eigvalsh(curvature).max(axis=-1) < 0
    moving = np.flatnonzero(usable)
    points = np.tile(start, (len(counts), 1))
    inverse = -np.linalg.inv(curvature[moving])
    gradient = np.einsum("bp,pk->bk", counts[moving], by_pattern(model, start, patterns)[1])
    for _ in range(25):
        step = np.einsum("bij,bj->bi", inverse, gradient)
        step /= np.maximum(1, np.abs(step).max(axis=-1, keepdims=True))
        points[moving] = np.clip(points[moving] + step, *_BOUNDS)
        ahead = np.einsum("bp,bpk->bk", counts[moving], by_pattern(model, points[moving], patterns)[1])
        go = np.abs(ahead).max(axis=-1) > _FLAT * counts[moving].sum(axis=-1)
        if not go.any():
            moving = moving[:0]
            break
        inverse = _updated(inverse[go], step[go], (gradient - ahead)[go])
        moving, gradient = moving[go], ahead[go]
    usable[moving] = False
    for row in np.flatnonzero(~usable):
        own = Patterns(patterns.columns, counts[row], patterns.member)
        points[row] = _polished(model, own, start)
        gradient = _summed(model, points[row], own)[1] / counts[row].sum()
        if _unsettled(model, points[row], gradient, _curvature(model, own, points[row])):
            points[row] = np.nan
    return points


def _updated(inverse: Array, step: Array, change: Array) -> Array:
    """The BFGS update of inverse curvatures (batch, k, k), left out where the curvature seen is not positive."""
    bend = np.einsum("bi,bi->b", step, change)
    seen = bend > 0
    rho = np.where(seen, 1 / np.where(seen, bend, 1.0), 0.0)[:, None, None]
    left = np.eye(step.shape[-1]) - rho * step[:, :, None] * change[:, None, :]
    updated: Array = left @ inverse @ np.swapaxes(left, 1, 2) + rho * step[:, :, None] * step[:, None, :]
    return updated
