"""Covariance structures of ordinal items by weighted least squares: DWLS, WLSMV and their kin (chapter 9).

A Likert item x is a normal variable y* cut at thresholds τ. The model of `matrices` holds for the y*; with D the scales
δ of the ordinal items (1 for continuous ones) it implies

    thresholds   δ (τ − μ*),        means  μ,        covariances   Σ = D Σ* D,

compared with the statistics s of `polychoric.ordinal_moments`. As categories know no unit, either δ = 1 and the
residual variances are what gives Σ its ones ("delta" parameterisation), or the residual variances are 1 and
δ = diag(Σ*)^−½ ("theta"). With several groups and equal thresholds the later groups are free in δ or in the residual
variances.

For groups of n_g of N respondents, Δ the derivatives of the implied statistics σ and W the weights, 1 / diag(Γ):

    discrepancy         F = Σ_g (n_g − 1)/N · (s − σ)'W(s − σ),  T = N F             (Muthén, du Toit & Spisic 1997)
    naive errors        E⁻¹/(N − G),  E = Σ_g n_g/N · Δ'WΔ
    robust errors       E⁻¹ Δ'WΓWΔ E⁻¹/(N − G)
    scaled and shifted  T √(df/t₂) + df − t₁ √(df/t₂),  t₁ = tr(UΓ), t₂ = tr(UΓUΓ), U = W − WΔE⁻¹Δ'W.

Covariates are modelled like all other variables, not conditioned upon.

References
----------
Asparouhov, T. & Muthén, B. (2010). Simple second order chi-square correction. Mplus technical appendix.
Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika 49, 115–132.
Muthén, B., du Toit, S. & Spisic, D. (1997). Robust inference using weighted least squares and quadratic estimating
equations in latent variable modeling with categorical and continuous outcomes. Unpublished technical report.
Satorra, A. (2000). Scaled and adjusted restricted tests in multi-sample analysis of moment structures. In Heijmans,
Pollock & Satorra (eds.), Innovations in Multivariate Statistical Analysis, 233–247.
Satorra, A. & Bentler, P. M. (1994). Corrections to test statistics and standard errors in covariance structure
analysis. In von Eye & Clogg (eds.), Latent Variables Analysis, 399–419.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import expressions
from .corrected import block_diagonal
from .corrected import ordinal as corrected_ordinal
from .errors import ModelError, SemError
from .estimators import GroupSample, half_hessian
from .fit import Choices, Fit, _labels, _search
from .matrices import Defaults, Differentials, Parameter, Structure, Variables, parameter_table
from .measures import Corrected, GroupMoments, Residue, TestStatistics, fit_measures
from .moments import Array
from .ordinal_scores import ordinal_scores
from .polychoric import OrdinalMoments, ordinal_moments
from .polychoric_answers import read_answers
from .residuals import Residuals, check_kind, group_residuals, ratio, residual_spread
from .residuals import modification_indices as gains
from .samples import check_columns, told_of_left_out, told_of_names
from .syntax import Model

if TYPE_CHECKING:
    import pandas as pd


class _Estimator(NamedTuple):
    """What an estimator stands for: its weights, its errors, and how its test is adjusted."""

    weights: str
    se: str
    scaled: str | None


ESTIMATORS = {
    "DWLS": _Estimator("diagonal", "standard", None),
    "WLSMV": _Estimator("diagonal", "robust", "scaled_shifted"),
    "WLSM": _Estimator("diagonal", "robust", "mean"),
    "WLSMVS": _Estimator("diagonal", "robust", "mean_variance"),
    "ULS": _Estimator("unit", "standard", None),
    "ULSMV": _Estimator("unit", "robust", "scaled_shifted"),
}
PARAMETERIZATIONS = ("delta", "theta")
MISSING = ("listwise", "pairwise")
ERRORS = ("standard", "robust", "none")
_NOTHING = 1e-8  # asymptotic variance of a standardised statistic below which it cannot be weighted


def fit_ordinal(
    model: Model | str,
    data: pd.DataFrame,
    *,
    estimator: str = "WLSMV",
    ordered: Sequence[str] | bool = (),
    parameterization: str = "delta",
    missing: str = "listwise",
    group: str | None = None,
    group_equal: Sequence[str] | str = (),
    std_lv: bool = False,
    orthogonal: bool = False,
    se: str | None = None,
    level: float = 0.95,
) -> OrdinalFit:
    """Estimate a covariance structure model of ordinal, or of ordinal and continuous, variables.

    Parameters
    ----------
    model : Model or text
        In lavaan's language. Thresholds that are not written (`x | t1 + t2`) are added.
    data : DataFrame (n, columns)
        Ordinal items hold whole numbers or an ordered Categorical; only the order of the categories counts.
    estimator : {"WLSMV", "DWLS", "WLSM", "WLSMVS", "ULSMV", "ULS"}
        Diagonally weighted least squares with robust errors and a test adjusted in mean and variance by scale and shift
        (WLSMV), with naive errors and test (DWLS), with a test adjusted in mean (WLSM), or in mean and variance by
        scale and degrees of freedom (WLSMVS); the same unweighted.
    ordered : sequence of str, or True for all
        The ordinal items; ordered Categorical columns are always ordinal.
    parameterization : {"delta", "theta"}
        Whether y* has variance 1, or its residual.
    missing : {"listwise", "pairwise"}
    group, group_equal, std_lv, orthogonal, level
        As of `fit`; `group_equal` also takes "thresholds", which goes together with "intercepts": those of ordinal
        items are their thresholds.
    se : {"standard", "robust", "none"}, optional

    Returns
    -------
    OrdinalFit

    Raises
    ------
    ModelError, SemError
        As `fit`; also where a category is empty in a group, or two items are perfectly associated.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> quality = rng.normal(size=(800, 1)) + rng.normal(size=(800, 4))
    >>> items = pd.DataFrame(np.digitize(quality, [-1, 1]), columns=["q1", "q2", "q3", "q4"])
    >>> result = fit_ordinal("Quality =~ q1 + q2 + q3 + q4", items, ordered=True)
    >>> result.estimates[["lhs", "op", "rhs", "est"]].iloc[[1, 4]].round(2).to_string(index=False, header=False)
    'Quality =~ q2  1.04\\n     q1  | t1 -0.66'
    """
    model = Model(model) if isinstance(model, str) else model
    equal = (group_equal,) if isinstance(group_equal, str) else tuple(group_equal)
    choice = _choices(estimator, parameterization, missing, se, level)
    variables = Variables.of(model)
    ordinal = _ordinal(data, variables.observed, ordered, group, model.ordinal)
    samples, problems = read_ordinal(data, variables.observed, ordinal, group, missing)
    problems += told_of_names(data, variables.latent)
    problems += _advice(variables, model, ordinal)
    if "residuals" in equal and parameterization == "delta":
        problems.append(
            "group_equal='residuals' says nothing of ordinal items under parameterization='delta', where their "
            "residual variances follow from the rest; use parameterization='theta'."
        )
    if "thresholds" in equal:
        equal = ("intercepts", *(e for e in equal if e not in ("thresholds", "intercepts")))
    defaults = Defaults(len(samples), True, std_lv, False, orthogonal, equal)
    table = ordinal_table(model, defaults, samples, parameterization, "intercepts" in equal)
    structure = OrdinalStructure(
        table, variables.observed, variables.latent, len(samples), ordinal, parameterization == "delta"
    )
    objective = DWLSObjective(structure, samples, ESTIMATORS[estimator].weights)
    labels = _labels(structure)
    K, offset = expressions.linear_constraints(model.constraints, model.definitions, labels, structure.n_free)
    expressions.check(model.definitions, labels, structure.n_free)
    optimum = _search(objective, samples, K, offset)
    return OrdinalFit(model, structure, list(samples), True, choice, objective, optimum, K, tuple(problems))


def _choices(estimator: str, parameterization: str, missing: str, se: str | None, level: float) -> Choices:
    for name, value, known in (
        ("estimator", estimator, tuple(ESTIMATORS)),
        ("parameterization", parameterization, PARAMETERIZATIONS),
        ("missing", missing, MISSING),
        ("se", se, (None, *ERRORS)),
    ):
        if value not in known:
            offered = ", ".join(filter(None, known))
            raise SemError(f"{name} {value!r} is unknown with ordinal items; choose one of {offered}")
    if not 0 < level < 1:
        raise SemError(f"level must lie between 0 and 1, found {level}")
    usual = ESTIMATORS[estimator]
    return Choices(estimator, missing, "expected", se or usual.se, usual.scaled, level)


def _advice(variables: Variables, model: Model, ordinal: Sequence[str]) -> Iterator[str]:
    """What has to be told about covariates and about constructs of one ordinal item."""
    if variables.covariates:
        yield (
            f"The covariates {', '.join(variables.covariates)} are modelled with the items, as normal variables, not "
            "taken as given (lavaan: conditional.x = FALSE)."
        )
    for construct, items in model.blocks.items():
        if len(items) == 1 and items[0] in ordinal:
            yield (
                f"{construct} is measured by the ordinal item {items[0]} alone: its variance and the item's residual "
                f"cannot be told apart. Use {items[0]} itself in the paths."
            )


# ------------------------------------------------------------------------------------------------------ the answers


@dataclass(frozen=True)
class OrdinalSample(GroupSample):
    """The answers of one group, and their thresholds, means and polychoric covariances.

    Attributes
    ----------
    name : str
    values : array (n, p)
        Category from 0 of ordinal items, answers of continuous ones; nan where missing.
    moments : OrdinalMoments
    """

    moments: OrdinalMoments

    @cached_property
    def mean(self) -> Array:
        """Means, 0 for ordinal items, (p,)."""
        return self.moments.mean

    @cached_property
    def cov(self) -> Array:
        """Covariances, (p, p): of ordinal items polychoric correlations."""
        return self.moments.covariance

    @cached_property
    def diagonal_weights(self) -> Array:
        """1 / diag(Γ), (s,); an error where a statistic has no sampling variance."""
        moments = self.moments
        first, second = moments.sample.pairs.first, moments.sample.pairs.second
        size = np.ones(len(moments.statistics))
        size[len(size) - len(first) :] = moments.variance[first] * moments.variance[second]
        spread = np.diagonal(moments.gamma)
        if nothing := np.flatnonzero(~(spread > _NOTHING * size)).tolist():
            place = f" in group {self.name}" if self.name else ""
            raise SemError(
                f"{', '.join(moments.labels[k] for k in nothing[:3])}: no sampling variance{place}, so the statistic "
                "cannot be weighted; the association is perfect. Drop one of the items or merge categories"
            )
        return 1 / spread


def _ordinal(
    data: pd.DataFrame,
    observed: Sequence[str],
    ordered: Sequence[str] | bool,
    group: str | None,
    written: Sequence[str] = (),
) -> tuple[str, ...]:
    """The ordinal ones among the observed variables of the model."""
    import pandas as pd

    check_columns(data, observed, group)
    if len(observed) < 2:
        raise SemError(f"the model has {len(observed)} observed variable; expected at least 2")
    if isinstance(ordered, bool):
        wanted = set(observed) if ordered else set()
    else:
        wanted = {ordered} if isinstance(ordered, str) else set(ordered)
    if unknown := [name for name in wanted if name not in data.columns]:
        raise SemError(f"ordered: the data hold no column {unknown[0]}")
    if alone := [name for name in written if name not in observed]:
        raise SemError(f"the text speaks of thresholds of {alone[0]}, which is no observed variable of the model")
    wanted |= set(written)
    wanted |= {n for n in observed if isinstance(data[n].dtype, pd.CategoricalDtype) and data[n].cat.ordered}
    found = tuple(name for name in observed if name in wanted)
    if not found:
        raise SemError("none of the model's variables is ordinal; name them in ordered=[…], or use estimator='ML'")
    return found


def read_ordinal(
    data: pd.DataFrame, observed: Sequence[str], ordered: Sequence[str], group: str | None, missing: str
) -> tuple[list[OrdinalSample], list[str]]:
    """The samples of a table, and what has to be told about them; groups in order of first appearance.

    Every category must be found in every group.
    """
    table = data[list(observed)]
    if group is None:
        moments = ordinal_moments(table, ordered, missing=missing)
        return [_sample("", moments)], list(moments.problems)
    known = data[group].notna()
    whole = read_answers(table[known], ordered, None, missing, None)
    levels = {whole.names[i]: list(found) for i, found in zip(whole.ordinal, whole.levels, strict=True)}
    samples, problems = [], []
    if not known.all():
        problems += told_of_left_out(int((~known).sum()), len(data), ["no group"])
    for name in dict.fromkeys(data[group][known]):
        try:
            moments = ordinal_moments(table[known & (data[group] == name)], ordered, missing=missing, levels=levels)
        except SemError as error:
            raise SemError(f"group {name}: {error}") from None
        samples.append(_sample(str(name), moments))
        problems += [f"Group {name}: {problem}" for problem in moments.problems]
    return samples, problems


def _sample(name: str, moments: OrdinalMoments) -> OrdinalSample:
    answers = moments.sample.answers
    values = np.empty((answers.n, len(answers.names)))
    values[:, answers.ordinal] = np.where(answers.codes < 0, np.nan, answers.codes)
    values[:, answers.continuous] = answers.values
    return OrdinalSample(name, values, moments)


# ---------------------------------------------------------------------------------------------------- the parameters


def ordinal_table(
    model: Model,
    defaults: Defaults,
    samples: Sequence[OrdinalSample],
    parameterization: str,
    equal_thresholds: bool,
) -> list[Parameter]:
    """The parameter table with thresholds (`|`) and scales (`~*~`), in lavaan's order.

    What is written, thresholds, variances and covariances, scales, intercepts. Ordinal items have intercept 0; their
    residual variance is fixed in the table (at 1; under delta it follows from the rest). Where thresholds are equal in
    all groups, later groups are free in their scales (delta), residual variances (theta) and latent means.
    """
    table = []
    for group, sample in enumerate(samples):
        rows = [row for row in parameter_table(model, defaults, ordinal=True) if row.group == group]
        thresholds = sample.moments.thresholds
        freed = equal_thresholds and group > 0
        if freed and "means" not in defaults.group_equal:
            latent = set(model.constructs)
            rows = [replace(r, fixed=None) if r.op == "~1" and r.lhs in latent and not r.user else r for r in rows]
        free_residual = freed and parameterization == "theta" and "residuals" not in defaults.group_equal
        rows = [_without_unit(r, thresholds, free_residual) for r in rows]
        cuts = {
            cut.key: cut for cut in _thresholds(samples[0] if equal_thresholds else sample, group, equal_thresholds)
        }
        written = [_completed_cut(r, cuts, model) if r.op == "|" else r for r in rows if r.user]
        known = {r.key for r in written}
        covariances = [r for r in rows if not r.user and r.op != "~1"]
        means = [r for r in rows if not r.user and r.op == "~1"]
        free_scale = freed and parameterization == "delta"
        scales = [
            Parameter(name, "~*~", name, group, None if free_scale else 1.0, start=1.0 if free_scale else None)
            for name in thresholds
        ]
        added = [r for r in (*cuts.values(), *covariances, *scales) if r.key not in known]
        table += [*(_checked_scale(r, parameterization) for r in written), *added, *means]
    return table


def _completed_cut(row: Parameter, cuts: Mapping[tuple[str, str, str, int], Parameter], model: Model) -> Parameter:
    """A written threshold with the start, and unless it says otherwise the label, of the one that is added else."""
    usual = cuts.get(row.key)
    if usual is None:
        term = next(t for t in model.terms if (t.lhs, t.op, t.rhs) == (row.lhs, row.op, row.rhs))
        number = sum(lhs == row.lhs for lhs, _, _, _ in cuts)
        raise ModelError(f"{term.written}: {row.lhs} has {number} thresholds", term.line, term.column)
    label = usual.label if row.label is None and row.fixed is None else row.label
    return replace(row, label=label, start=usual.start if row.start is None else row.start)


def _checked_scale(row: Parameter, parameterization: str) -> Parameter:
    if row.op != "~*~":
        return row
    if parameterization == "theta":
        raise SemError(f"{row.lhs} ~*~ {row.lhs}: under theta scales follow from the residual variances")
    return row if row.fixed is not None or row.start is not None else replace(row, start=1.0)


def _without_unit(row: Parameter, thresholds: Mapping[str, Array], free_residual: bool) -> Parameter:
    """An ordinal item has no intercept, and its residual variance is a convention."""
    if row.lhs not in thresholds:
        return row
    if row.op == "~1" and not row.user:
        return replace(row, fixed=0.0, label=None)
    if row.op == "~~" and row.lhs == row.rhs and not row.user:
        return replace(row, fixed=None if free_residual else 1.0, label=None, start=1.0 if free_residual else None)
    return row


def _thresholds(sample: OrdinalSample, group: int, equal: bool) -> Iterator[Parameter]:
    for name, cuts in sample.moments.thresholds.items():
        for k, cut in enumerate(cuts, start=1):
            label = f".{name}|t{k}" if equal else None
            yield Parameter(name, "|", f"t{k}", group, label=label, start=float(cut))


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


# ---------------------------------------------------------------------------------------------- objective and tests


class DWLSObjective:
    """Weighted least squares of thresholds, means and polychoric covariances, see the module's formulas.

    As in lavaan, a group counts with (n_g − 1)/N in the discrepancy and with n_g/N in the information.

    Parameters
    ----------
    structure : OrdinalStructure
    samples : sequence of OrdinalSample
    weights : {"diagonal", "unit"}
        1 / diag(Γ), or 1.
    """

    def __init__(self, structure: OrdinalStructure, samples: Sequence[OrdinalSample], weights: str = "diagonal"):
        self.structure: Structure = structure
        self.ordinal = structure
        self.samples = samples
        total = sum(sample.n for sample in samples)
        self.shares = [(sample.n - 1) / total for sample in samples]
        self.counts = [sample.n / total for sample in samples]
        self.weights = [
            sample.diagonal_weights if weights == "diagonal" else np.ones(len(sample.moments.statistics))
            for sample in samples
        ]
        self.targets = [sample.moments.statistics for sample in samples]
        self._theta: Array | None = None
        self._groups: list[Array] = []

    def towards(self, statistics: Sequence[Array]) -> DWLSObjective:
        """The same distance from other statistics."""
        other = copy(self)
        other.targets = list(statistics)
        return other

    def value(self, theta: Array) -> float:
        """F at theta; infinite where the parameters imply no variance."""
        try:
            with np.errstate(all="ignore"):
                away = [self._away(theta, g) for g in range(self.structure.groups)]
        except np.linalg.LinAlgError:
            return np.inf
        total = sum(share * float(e @ (w * e)) for share, e, w in zip(self.shares, away, self.weights, strict=True))
        return total if np.isfinite(total) else np.inf

    def gradient(self, theta: Array) -> Array:
        """dF/dθ = −2 Δ'W(s − σ)."""
        total = np.zeros(self.structure.n_free)
        for group, (share, w, delta) in enumerate(zip(self.shares, self.weights, self._at(theta), strict=True)):
            total -= 2 * share * (delta.T @ (w * self._away(theta, group)))
        return total

    def information(self, theta: Array) -> Array:
        """E = Δ'WΔ."""
        total = np.zeros((self.structure.n_free, self.structure.n_free))
        for share, w, delta in zip(self.counts, self.weights, self._at(theta), strict=True):
            total += share * (delta.T @ (w[:, None] * delta))
        return total

    def observed_information(self, theta: Array) -> Array:
        """Half the Hessian of F."""
        return half_hessian(self, theta)

    def outer_scores(self, theta: Array) -> Array:
        """Δ'WΓWΔ."""
        total = np.zeros((self.structure.n_free, self.structure.n_free))
        blocks = zip(self.counts, self.weights, self.samples, self._at(theta), strict=True)
        for share, w, sample, delta in blocks:
            weighted = w[:, None] * delta
            total += share * (weighted.T @ sample.moments.gamma @ weighted)
        return total

    def _at(self, theta: Array) -> list[Array]:
        """Δ of every group, kept for the next question about the same theta."""
        if self._theta is None or not np.array_equal(theta, self._theta):
            self._theta = theta.copy()
            self._groups = [self.ordinal.statistics_derivatives(theta, g) for g in range(self.structure.groups)]
        return self._groups

    def _away(self, theta: Array, group: int) -> Array:
        return self.targets[group] - self.ordinal.statistics(theta, group)


def adjusted(plain: TestStatistics, traces: tuple[float, float], scaled: str) -> TestStatistics:
    """The test with the adjustment of its estimator from t₁ = tr(UΓ) and t₂ = tr(UΓUΓ).

    mean: T/c, c = t₁/df; mean_variance: T/c with t₁²/t₂ degrees of freedom, c = t₂/t₁ (Satorra & Bentler 1994);
    scaled_shifted: T √(df/t₂) + df − t₁ √(df/t₂) (Asparouhov & Muthén 2010).

    Examples
    --------
    >>> test = adjusted(TestStatistics(30.0, 10), (20.0, 60.0), "scaled_shifted")
    >>> round(test.chisq_scaled, 3), round(test.scaling_factor, 3), round(test.shift, 3)
    (14.082, 2.449, 1.835)
    """
    df = plain.df
    if df <= 0:
        return replace(plain, scaling_factor=np.nan)
    first, second = traces
    if scaled == "mean":
        return replace(plain, scaling_factor=first / df)
    if scaled == "mean_variance":
        return replace(plain, scaling_factor=second / first, df_scaled=first**2 / second)
    root = float(np.sqrt(df / second))
    return replace(plain, scaling_factor=1 / root, shift=df - first * root)


def traces(
    weights: Sequence[Array], gamma: Sequence[Array], derivatives: Sequence[Array], shares: Sequence[float]
) -> tuple[float, float]:
    """tr(UΓ) and tr(UΓUΓ), U = W − WΔ(Δ'WΔ)⁻¹Δ'W over all groups.

    Parameters
    ----------
    weights, gamma, derivatives : sequences of arrays (s,), (s, s), (s, u)
        Of each group; a group of share f has weights fW and Γ/f. Δ has full column rank.
    shares : sequence of float
    """
    w = np.concatenate([f * one for f, one in zip(shares, weights, strict=True)])
    acov = block_diagonal([one / f for f, one in zip(shares, gamma, strict=True)])
    delta = np.vstack(derivatives)
    weighted = w[:, None] * delta
    u_gamma = w[:, None] * acov - weighted @ (np.linalg.pinv(weighted.T @ delta, rcond=1e-12) @ (weighted.T @ acov))
    return float(np.trace(u_gamma)), float(np.sum(u_gamma * u_gamma.T))


def difference_traces(
    weights: Sequence[Array],
    gamma: Sequence[Array],
    derivatives: Sequence[Array],
    restricted: Sequence[Array],
    shares: Sequence[float],
) -> tuple[float, float]:
    """tr(UΓ) and tr(UΓUΓ) of the difference between a fit and a restricted one (Satorra 2000).

    A are the constraints that take Δ of the freer model to that of the restricted, each at its own estimates: the
    orthogonal complement of Δ⁺Δ_r (lavaan's A.method "delta"). With E = Δ'WΔ of the freer one,
    U = WΔ E⁻¹A'(A E⁻¹ A')⁻¹A E⁻¹ Δ'W.

    Parameters
    ----------
    weights, gamma, derivatives, shares
        Of the freer fit, see `traces`; Δ (s, u).
    restricted : sequence of arrays (s, r), r < u
        Δ of the restricted fit, rows in the same order.
    """
    delta = np.vstack(derivatives)
    image = np.linalg.lstsq(delta, np.vstack(restricted), rcond=1e-10)[0]
    left, size, _ = np.linalg.svd(image)
    a = left[:, int((size > 1e-8 * size.max(initial=0.0)).sum()) :].T
    information = sum(
        (f * d.T @ (w[:, None] * d) for f, d, w in zip(shares, derivatives, weights, strict=True)), np.zeros(())
    )
    free = np.linalg.pinv(information, rcond=1e-12, hermitian=True)
    across = free @ a.T
    middle = across @ np.linalg.pinv(a @ across, hermitian=True) @ across.T
    scores = [w[:, None] * d for w, d in zip(weights, derivatives, strict=True)]
    outer = sum((f * v.T @ g @ v for f, g, v in zip(shares, gamma, scores, strict=True)), np.zeros(()))
    product = middle @ outer
    return float(np.trace(product)), float(np.sum(product * product.T))


# ------------------------------------------------------------------------------------------------------- the result


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
        structure = self.objective.ordinal
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
            statistics.append(other.objective.ordinal.statistics(other.theta, group)[order])
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

    @cached_property
    def fit_measures(self) -> pd.Series:
        """lavaan's fit measures by their names, `_` for `.`."""
        wanted = self.choice.scaled in ("mean", "scaled_shifted")
        corrected = self._ordinal_corrected if wanted else None
        return fit_measures(self.test, self.baseline, self._residue, self.n_free, corrected=corrected, robust=wanted)

    @property
    def _ordinal_corrected(self) -> Corrected | None:
        """What the robust measures are computed from; None with continuous items."""
        if len(self.objective.ordinal.continuous):
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
        structure, samples = self.objective.ordinal, self._ordinal_samples
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
        samples, structure = self._ordinal_samples, self.objective.ordinal
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

        structure = self.objective.ordinal
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
