"""PLS path modelling of a survey: estimates, quality measures and problems in words; serves chapter 9.

The algorithm itself stands in `pls_algorithm`, the bootstrap in `bootstrap`; here a table and a model come in and a
result goes out.

References
----------
Barclay, D., Higgins, C. & Thompson, R. (1995). The partial least squares approach to causal modeling. Technology
Studies 2, 285–309 (ten-times rule).
Dijkstra, T. K. & Henseler, J. (2015). Consistent partial least squares path modeling. MIS Quarterly 39, 297–316.
Kock, N. & Hadaya, P. (2018). Minimum sample size estimation in PLS-SEM. Information Systems Journal 28, 227–261.
Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M. & Lauro, C. (2005). PLS path modeling. Computational Statistics &
Data Analysis 48, 159–205.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from . import bootstrap as resampling
from .errors import ModelError, SemError
from .moments import MISSING, Array, Moments, SampleMoments
from .path_tables import PathTables
from .pls_algorithm import (
    PathModel,
    composite_correlation,
    estimable,
    is_admissible,
    item_composite_covariance,
    majority_signs,
    own_block,
    solve_weights,
    statistics,
)
from .syntax import Model

if TYPE_CHECKING:
    import pandas as pd

Statistic = Callable[[resampling.Resamples, Array, Mapping[str, Array]], dict[str, Array]]


def pls(
    model: Model | str,
    data: pd.DataFrame,
    *,
    scheme: str = "path",
    consistent: bool = False,
    missing: str = "mean",
    anchors: Mapping[str, str] | None = None,
    tolerance: float = 1e-7,
    max_iterations: int = 300,
) -> PLSFit:
    """Estimate a path model by partial least squares.

    Parameters
    ----------
    model : Model or str
        Blocks by `=~` (reflective, Mode A) and `<~` (formative, Mode B), paths by `~`. A variable that stands in a path
        and has no block of its own is a construct measured by the column of that name.
    data : DataFrame (n, columns)
        One row a respondent; the model's items are columns of numbers, nan where an answer is missing.
    scheme : {"path", "centroid", "factorial"}
        Inner weighting.
    consistent : bool
        Correct reflective constructs for measurement error (consistent PLS, Dijkstra & Henseler 2015).
    missing : {"mean", "listwise"}
        Replace a missing answer by the item's mean, or leave the respondent out.
    anchors : mapping of construct to item, optional
        Item whose loading fixes the construct's sign; by default the majority of its loadings does.
    tolerance : float
        Iteration stops when no weight moves by more.
    max_iterations : int

    Returns
    -------
    PLSFit

    Raises
    ------
    SemError
        An item is no column of the data, is not numeric, holds infinities, is constant or has no answer; an option is
        unknown; fewer than three respondents.
    ModelError
        A construct takes part in no path, has no items, is a construct of constructs, or the paths form a cycle.

    Notes
    -----
    Items are standardised; weights give composites of unit variance; standard deviations divide by n − 1.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(7)
    >>> quality = rng.normal(size=(400, 1))
    >>> satisfaction = 0.6 * quality + 0.8 * rng.normal(size=(400, 1))
    >>> items = np.hstack([quality, quality, satisfaction, satisfaction]) + 0.5 * rng.normal(size=(400, 4))
    >>> answers = pd.DataFrame(items, columns=["q1", "q2", "s1", "s2"])
    >>> fit = pls("Quality =~ q1 + q2; Satisfaction =~ s1 + s2; Satisfaction ~ Quality", answers)
    >>> fit.paths.round(2)
          from            to  estimate
    0  Quality  Satisfaction      0.49
    """
    model = model if isinstance(model, Model) else Model(model)
    return estimate(
        path_model(model, consistent),
        data,
        scheme=scheme,
        missing=missing,
        anchors=dict(anchors or {}),
        tolerance=tolerance,
        max_iterations=max_iterations,
        notes=_unused_parts(model),
    )


def path_model(model: Model, consistent: bool = False) -> PathModel:
    """Shape of a model text for PLS; variables without a block become single-item constructs."""
    bare = [name for path in model.paths for name in path if name not in model.blocks]
    constructs = tuple(dict.fromkeys([*model.constructs, *bare]))
    blocks = {**model.blocks, **{name: (name,) for name in bare}}
    modes = {**model.modes, **dict.fromkeys(bare, "A")}
    nested = [(c, item) for c, items in model.blocks.items() for item in items if item in model.blocks]
    if nested:
        raise ModelError(
            f"{nested[0][0]} is measured by {nested[0][1]}, which is a construct; PLS here takes items only"
        )
    shape = PathModel(constructs, blocks, modes, model.paths, consistent)
    linked = shape.adjacency.any(axis=0) | shape.adjacency.any(axis=1)
    if not linked.all():
        alone = constructs[int(np.argmin(linked))]
        raise ModelError(
            f"construct {alone} takes part in no path; PLS weighs a block by its neighbours. Add a path or drop it"
        )
    cyclic = [name for name, on_cycle in zip(constructs, np.diagonal(shape.reachable), strict=True) if on_cycle]
    if cyclic:
        raise ModelError(f"the paths form a cycle through {', '.join(cyclic)}; PLS needs a structure without feedback")
    return shape


def _unused_parts(model: Model) -> list[str]:
    unused = [t.written for t in model.terms if t.op in ("~~", "|", "~*~") or t.rhs == "1"]
    unused += [f"{r.lhs} {r.op} {r.rhs}" for r in (*model.definitions, *model.constraints)]
    fixed = [t.written for t in model.terms if t.modifiers]
    notes = []
    if unused:
        notes.append(f"PLS estimates no covariances, intercepts or constraints: left aside {', '.join(unused)}.")
    if fixed:
        notes.append(
            f"PLS estimates every weight and path freely: fixed values and labels left aside ({', '.join(fixed)})."
        )
    return notes


def estimate(
    shape: PathModel,
    data: pd.DataFrame,
    *,
    scheme: str,
    missing: str,
    anchors: Mapping[str, str],
    tolerance: float = 1e-7,
    max_iterations: int = 300,
    notes: list[str] | None = None,
) -> PLSFit:
    """Estimate a path model of known shape; `pls` is the public way in."""
    values, rows, missing_notes = _answers(shape, data, missing)
    _check_anchors(shape, anchors)
    sample = SampleMoments(values)
    _check_formative(shape, sample)
    weights = solve_weights(shape, sample.full.correlation, scheme, tolerance, max_iterations)
    _check_equations(shape, sample, weights.values)
    return PLSFit(
        shape=shape,
        scheme=scheme,
        missing=missing,
        anchors=anchors,
        sample=sample,
        rows=rows,
        converged=bool(weights.converged[0]),
        iterations=int(weights.iterations[0]),
        tolerance=tolerance,
        max_iterations=max_iterations,
        oriented=_oriented(shape, sample.full, weights.values, anchors),
        notes=(*(notes or []), *missing_notes),
    )


def _answers(shape: PathModel, data: pd.DataFrame, missing: str) -> tuple[Array, pd.Index, list[str]]:
    """The indicators' answers (n, p), the rows they belong to, and what was done about missing ones."""
    if missing not in MISSING:
        raise SemError(f"missing {missing!r} is unknown; choose one of {', '.join(MISSING)}")
    columns = {item: _column(data, item, construct) for construct, item in shape.indicators}
    values = np.column_stack([columns[item] for _, item in shape.indicators])
    absent, notes = np.isnan(values), []
    keep = np.ones(len(values), dtype=bool) if missing == "mean" else ~absent.any(axis=1)
    if absent.any():
        respondents = int(absent.any(axis=1).sum())
        if missing == "mean":
            cells = int(np.isnan(np.column_stack(list(columns.values()))).sum())
            notes.append(
                f"{cells} missing answers of {respondents} respondents were replaced by the item's mean, which pulls "
                "correlations towards zero."
            )
        else:
            notes.append(f"{respondents} of {len(values)} respondents have a missing answer and were left out.")
    values = values[keep]
    if len(values) < 3:
        raise SemError(f"{len(values)} respondents with usable answers; PLS needs at least 3, and a study far more")
    for (construct, item), column in zip(shape.indicators, values.T, strict=True):
        if np.nanmin(column) == np.nanmax(column):
            value = f"{np.nanmin(column):g}"
            raise SemError(
                f"item {item} of {construct} is constant (every answer is {value}); it tells nothing. Drop it"
            )
    return values, data.index[np.flatnonzero(keep)], notes


def _column(data: pd.DataFrame, item: str, construct: str) -> Array:
    """One item's answers as floats; text that is no number, infinities and empty columns are errors."""
    import pandas as pd

    if item not in data.columns:
        near = difflib.get_close_matches(item, [str(c) for c in data.columns], n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise SemError(f"item {item} of {construct} is not a column of the data.{hint}")
    column = data[item]
    if column.ndim > 1:
        raise SemError(
            f"item {item} of {construct}: {column.shape[1]} columns of the data have this name. Rename all but one"
        )
    if column.dtype.kind in "mMc":
        raise SemError(f"item {item} of {construct} holds {column.dtype}, not answers. Check the column")
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        numbers = column.to_numpy(dtype=float)
    else:
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        unreadable = np.isnan(numbers) & column.notna().to_numpy()
        if unreadable.any():
            row = int(np.argmax(unreadable))
            found = repr(column.iloc[row])
            raise SemError(f"item {item}, row {data.index[row]}: {found} is not a number. Recode the answers first")
    if np.isinf(numbers).any():
        raise SemError(f"item {item}, row {data.index[int(np.argmax(np.isinf(numbers)))]}: the value is infinite")
    if np.isnan(numbers).all():
        raise SemError(f"item {item} of {construct} has no answer in any row. Drop it from the model")
    return numbers


def _check_formative(shape: PathModel, sample: SampleMoments) -> None:
    if not estimable(shape, sample.full.correlation)[0]:
        for j, construct in enumerate(shape.constructs):
            block = sample.full.correlation[:, shape.members(j)[:, None], shape.members(j)]
            if shape.is_formative(j) and np.linalg.matrix_rank(block[0], tol=1e-9) < block.shape[1]:
                raise SemError(
                    f"the items of the formative construct {construct} ({', '.join(shape.blocks[construct])}) are "
                    "collinear: one is a sum of the others, so their weights cannot be told apart. Drop an item"
                )


def _check_equations(shape: PathModel, sample: SampleMoments, weights: Array) -> None:
    """Predictors that are sums of one another, or one construct under two names, have no coefficients of their own."""
    if not np.isfinite(weights).all():  # the path scheme needs those coefficients; the factorial one does not
        weights = solve_weights(shape, sample.full.correlation, "factorial").values
    cross, _ = item_composite_covariance(shape, sample.full.correlation, weights)
    composites = composite_correlation(shape, cross, weights)[0]
    for target, predictors in shape.equations:
        if np.linalg.matrix_rank(composites[np.ix_(predictors, predictors)], tol=1e-9) < len(predictors):
            names = ", ".join(shape.constructs[j] for j in predictors)
            raise SemError(
                f"{shape.constructs[target]} is explained by {names}, and these are collinear (one follows from the "
                "others): their paths cannot be told apart. Merge or drop one"
            )


def _check_anchors(shape: PathModel, anchors: Mapping[str, str]) -> None:
    for construct, item in anchors.items():
        if (construct, item) not in shape.indicators:
            raise SemError(f"anchor {item} is not an item of {construct}; its items are {shape.blocks.get(construct)}")


def _oriented(shape: PathModel, moments: Moments, weights: Array, anchors: Mapping[str, str]) -> Array:
    cross, _ = item_composite_covariance(shape, moments.correlation, weights)
    return weights * majority_signs(shape, cross, anchors)[:, shape.block]


@dataclass(frozen=True)
class PLSFit(PathTables):
    """A path model estimated by partial least squares.

    Attributes
    ----------
    shape : PathModel
    scheme, missing : str
    converged : bool
    iterations : int
    sample : SampleMoments
        The answers used, and their moments.
    rows : Index (n,)
        Labels of the respondents used.
    oriented : array (1, p)
        Outer weights after fixing signs.
    notes : tuple of str
        What was done to data and model on the way in.
    """

    shape: PathModel
    scheme: str
    missing: str
    anchors: Mapping[str, str]
    sample: SampleMoments
    rows: pd.Index
    converged: bool
    iterations: int
    tolerance: float
    max_iterations: int
    oriented: Array
    notes: tuple[str, ...]

    @property
    def n(self) -> int:
        """Respondents used."""
        return self.sample.n

    @cached_property
    def values(self) -> dict[str, Array]:
        """Every statistic as an array (1, ·) in the order of `keys`."""
        moments = self.sample.full
        return statistics(self.shape, moments.correlation, moments.sd, self.oriented)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Standardised composite scores, respondents × constructs."""
        import pandas as pd

        moments = self.sample.full
        standard = (self.sample.values - moments.mean) / moments.sd
        scores = (np.nan_to_num(standard) * self.oriented) @ self.shape.membership
        return pd.DataFrame(scores, index=self.rows, columns=list(self.shape.constructs))

    @cached_property
    def problems(self) -> list[str]:
        """What a careful analyst would object to, in words."""
        return [*self.notes, *_algorithm_problems(self), *self.measurement_problems, *self.structure_problems]

    def bootstrap(
        self,
        n: int = 1000,
        seed: int = 0,
        *,
        statistics: Collection[str] | None = None,
        statistic: Statistic | None = None,
        progress: resampling.Progress | None = None,
    ) -> resampling.Bootstrap:
        """Resample respondents and estimate everything again, all resamples together.

        Parameters
        ----------
        n : int, at least 2
            Number of resamples.
        seed : int
            The same seed gives the same bytes.
        statistics : collection of str, optional
            Names of the statistics to draw, of those in `keys`; default all. Without reliability, item VIF and HTMT a
            bootstrap takes little more than half the time, and the others come out the same.
        statistic : callable, optional
            Further statistics: (resamples, oriented weights (b, p), the fit's own statistics) → arrays (b, ·). The
            fit's own hold reliability (but ρ_A), item VIF and HTMT only as far as `statistics` names them.
        progress : callable, optional
            progress(done, total).

        Returns
        -------
        Bootstrap
            Draws and intervals of every statistic of the fit.

        Notes
        -----
        A construct whose loadings in a resample point against the sample's is turned round ("construct level changes",
        Tenenhaus et al. 2005, section 6) and counted.

        Examples
        --------
        >>> import pandas as pd
        >>> x = np.random.default_rng(3).normal(size=(200, 1))
        >>> noise = np.random.default_rng(4).normal(size=(200, 4))
        >>> answers = pd.DataFrame(x + 0.8 * noise, columns=["a", "b", "c", "d"])
        >>> fit = pls("A =~ a + b; B =~ c + d; B ~ A", answers)
        >>> fit.bootstrap(500, seed=1).table("paths")[["estimate", "ci_lower", "ci_upper"]].round(2)
           estimate  ci_lower  ci_upper
        0      0.76      0.69      0.82
        """

        unknown = sorted(set(statistics or ()) - set(self.keys))
        if unknown:
            raise SemError(f"statistic {unknown[0]!r} is unknown; choose among {', '.join(self.keys)}")
        wanted = frozenset(self.keys if statistics is None else statistics)

        def estimator(batch: resampling.Resamples) -> resampling.Estimates:
            return self._estimate_batch(batch, wanted, statistic)

        sample = resampling.Resamples(np.ones((1, self.n)), self.sample.full)
        own, _ = self._evaluated(sample, self.oriented, wanted, statistic)
        constructs = self.shape.constructs
        return resampling.run(
            self.sample, estimator, own, self.keys, constructs, n_resamples=n, seed=seed, progress=progress
        )

    def _estimate_batch(
        self, batch: resampling.Resamples, wanted: Collection[str], statistic: Statistic | None
    ) -> resampling.Estimates:
        """Weights and statistics of the resamples that can be used, and how many cannot."""
        size, batch = len(batch.counts), batch.take(estimable(self.shape, batch.moments.correlation))
        correlation = batch.moments.correlation
        solved = solve_weights(self.shape, correlation, self.scheme, self.tolerance, self.max_iterations)
        batch, weights = batch.take(solved.converged), solved.values[solved.converged]
        values, changes = self._evaluated(batch, weights, wanted, statistic)
        known = np.isfinite(values["paths"]).all(axis=1)
        return resampling.Estimates(
            {name: value[known] for name, value in values.items() if name in wanted or name not in self.keys},
            not_converged=size - int(known.sum()),
            inadmissible=int((~is_admissible(self.shape, values)[known]).sum()),
            sign_changes=changes[known].sum(axis=0),
        )

    def _evaluated(
        self, batch: resampling.Resamples, weights: Array, wanted: Collection[str], statistic: Statistic | None
    ) -> tuple[dict[str, Array], Array]:
        """Statistics (b, ·), the costly ones if wanted, every construct turned the sample's way; which were (b, k)."""
        moments, shape = batch.moments, self.shape
        cross, _ = item_composite_covariance(shape, moments.correlation, weights)
        agreement = (own_block(shape, cross) * self.values["loadings"]) @ shape.membership
        signs = np.where(agreement < 0, -1.0, 1.0)
        weights = weights * signs[:, shape.block]
        values = statistics(shape, moments.correlation, moments.sd, weights, wanted)
        if statistic is not None:
            values |= statistic(batch, weights, values)
        return values, signs != majority_signs(shape, cross, self.anchors)

    def _repr_html_(self) -> str:
        return self.paths.round(3).to_html(index=False) + self.reliability.round(3).to_html()


def _algorithm_problems(fit: PLSFit) -> list[str]:
    problems = []
    if not fit.converged:
        problems.append(
            f"The weights did not settle in {fit.max_iterations} iterations (tolerance {fit.tolerance:g}); the "
            "estimates are those of the last iteration and should not be reported."
        )
    arrows = max(len(predictors) for _, predictors in fit.shape.equations)
    formative = [len(fit.shape.blocks[c]) for c in fit.shape.constructs if fit.shape.modes[c] == "B"]
    needed = 10 * max([arrows, *formative])
    if fit.n < needed:
        problems.append(
            f"{fit.n} respondents are fewer than ten for each arrow into the busiest construct ({needed}; Barclay, "
            "Higgins & Thompson 1995)."
        )
    return problems
