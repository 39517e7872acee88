"""The parameter table of a covariance structure model, its implied moments and their derivatives.

Every model is written in the reticular action form (McArdle & McDonald 1984): all variables v, observed ones first,
obey v = m + A v + u with cov(u) = S, so that with B = (I − A)⁻¹ and F its rows for the observed variables

    Σ = F S F',    μ = F m.

`=~`, `<~` and `~` fill A, `~~` fills S, `~1` fills m. Derivatives follow from dB = B dA B: with f_i the columns of F
and g_j the rows of G = B S F', a cell of A moves Σ by f_i g_j' + g_j f_i' and μ by f_i (B m)_j, a cell of S moves Σ by
f_i f_j' + f_j f_i' (half of it on the diagonal), a cell of m moves μ by f_i. Each is of rank two, which is what makes
the information matrix cheap.

References
----------
McArdle, J. J. & McDonald, R. P. (1984). Some algebraic properties of the reticular action model for moment structures.
British Journal of Mathematical and Statistical Psychology 37, 234–251.
Rosseel, Y. (2012). lavaan: An R package for structural equation modeling. Journal of Statistical Software 48(2), 1–36.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, combinations_with_replacement
from typing import Self

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError, SemError
from .moments import Array
from .syntax import ORDINAL_OPERATORS, Model, Modifier

GROUP_EQUAL = (
    "loadings",
    "intercepts",
    "means",
    "regressions",
    "residuals",
    "residual.covariances",
    "lv.variances",
    "lv.covariances",
    "composite.loadings",
)


@dataclass(frozen=True)
class Parameter:
    """One row of the parameter table.

    Attributes
    ----------
    lhs, op, rhs : str
        The relation; op is one of =~ <~ ~ ~~ ~1 (rhs is empty for ~1), of ordinal items also | and ~*~.
    group : int
        Counted from 0.
    fixed : float or None
        Value of a fixed parameter; None where it is estimated.
    label : str or None
        Parameters with one label are equal.
    start : float or None
    user : bool
        Written by the user, not added by default.
    covariate : bool
        A moment of the observed covariates, fixed at its value in the sample (`fixed_x`).
    """

    lhs: str
    op: str
    rhs: str
    group: int
    fixed: float | None = None
    label: str | None = None
    start: float | None = None
    user: bool = False
    covariate: bool = False

    @property
    def key(self) -> tuple[str, str, str, int]:
        ends = sorted((self.lhs, self.rhs)) if self.op == "~~" else (self.lhs, self.rhs)
        return ends[0], self.op, ends[1], self.group


@dataclass(frozen=True)
class Variables:
    """Who is who in a model: names of observed and latent variables by their part.

    Attributes
    ----------
    observed, latent : tuple of str
        In lavaan's order: items, observed dependents, observed predictors, then what only `~~` and `~1` mention.
    indicators, predictors, dependents : frozenset of str
        What is measured by a construct; what explains (or forms) another; what is explained (or formed).
    described : frozenset of str
        Variables of whose moments the text speaks (`~~`, `~1`): these are not taken as given covariates.
    """

    observed: tuple[str, ...]
    latent: tuple[str, ...]
    indicators: frozenset[str]
    predictors: frozenset[str]
    dependents: frozenset[str]
    described: frozenset[str]

    @classmethod
    def of(cls, model: Model) -> Variables:
        measured = [t.rhs for t in model.terms if t.op == "=~"]
        composites = [t.lhs for t in model.terms if t.op == "<~"]
        formed = [t.rhs for t in model.terms if t.op == "<~"]
        paths = [t for t in model.terms if t.op == "~" and t.rhs != "1"]
        dependents, predictors = [t.lhs for t in paths], [t.rhs for t in paths]
        described = [name for t in model.terms if t.op == "~~" for name in (t.lhs, t.rhs)]
        described += [t.lhs for t in model.terms if t.rhs == "1"]
        mentioned = dict.fromkeys([*measured, *dependents, *formed, *predictors, *described])
        return cls(
            observed=tuple(name for name in mentioned if name not in model.constructs),
            latent=model.constructs,
            indicators=frozenset(measured),
            predictors=frozenset([*predictors, *formed]),
            dependents=frozenset([*dependents, *composites]),
            described=frozenset(described),
        )

    @property
    def covariates(self) -> tuple[str, ...]:
        """Observed predictors that nothing explains and of whose moments the text does not speak."""
        elsewhere = self.dependents | self.indicators | self.described
        return tuple(x for x in self.observed if x in self.predictors and x not in elsewhere)

    @property
    def exogenous_latent(self) -> tuple[str, ...]:
        return tuple(x for x in self.latent if x not in self.dependents and x not in self.indicators)

    @property
    def last_endogenous(self) -> tuple[str, ...]:
        """Dependent variables that explain nothing and measure nothing: their residuals covary by default."""
        return tuple(
            y
            for y in (*self.latent, *self.observed)
            if y in self.dependents and y not in self.predictors and y not in self.indicators
        )


@dataclass(frozen=True)
class Defaults:
    """Choices that fill in what the text leaves open, as lavaan's `sem()` does."""

    groups: int = 1
    means: bool = False
    std_lv: bool = False
    fixed_x: bool = True
    orthogonal: bool = False
    group_equal: tuple[str, ...] = ()


def parameter_table(model: Model, defaults: Defaults, ordinal: bool = False) -> list[Parameter]:
    """Every parameter of the model in every group: what is written, then what is added by default.

    Thresholds and scales may stand in the text where items are `ordinal`.

    Raises
    ------
    ModelError
        Modifiers for another number of groups; thresholds of continuous variables.
    SemError
        A group constraint that is unknown.

    Examples
    --------
    >>> table = parameter_table(Model("A =~ x + y + z"), Defaults())
    >>> [(p.lhs, p.op, p.rhs, p.fixed) for p in table][:2]
    [('A', '=~', 'x', 1.0), ('A', '=~', 'y', None)]
    >>> len([p for p in table if p.fixed is None])
    6
    """
    unknown = [name for name in defaults.group_equal if name not in GROUP_EQUAL]
    if unknown:
        raise SemError(f"group_equal {unknown[0]!r} is unknown; choose from {', '.join(GROUP_EQUAL)}")
    if model.ordinal and not ordinal:
        term = next(term for term in model.terms if term.op in ORDINAL_OPERATORS)
        raise ModelError(f"{term.written}: only ordinal items have thresholds and scales", term.line, term.column)
    variables = Variables.of(model)
    table: list[Parameter] = []
    for group in range(defaults.groups):
        written = list(_written(model, group, defaults.groups))
        rows = [*written, *_added(variables, written, group, defaults)]
        blocks = {name: [r.rhs for r in written if r.op == "=~" and r.lhs == name] for name in variables.latent}
        table.extend(_scaled(row, blocks, defaults) for row in rows)
    table = _equal_across_groups(table, variables, defaults)
    known = {row.label: row.fixed for row in table if row.label and row.fixed is not None}
    return [replace(row, fixed=known.get(row.label)) if row.fixed is None and row.label else row for row in table]


def _written(model: Model, group: int, groups: int) -> Iterator[Parameter]:
    for term in model.terms:
        if len(term.modifiers) > 1 and len(term.modifiers) != groups:
            raise ModelError(
                f"{term.written} has modifiers for {len(term.modifiers)} groups, and there are {groups}",
                term.line,
                term.column,
            )
        said = term.modifiers[group if len(term.modifiers) > 1 else 0] if term.modifiers else Modifier()
        op, rhs = ("~1", "") if term.rhs == "1" else (term.op, term.rhs)
        row = Parameter(term.lhs, op, rhs, group, said.fixed, said.label, said.start, user=True)
        # NA frees what a default would fix: a start of nan marks it until the defaults have been applied.
        yield replace(row, fixed=None, start=np.nan) if said.free else row


def _added(variables: Variables, written: Sequence[Parameter], group: int, defaults: Defaults) -> Iterator[Parameter]:
    """Variances, default covariances and intercepts that the text does not speak of, in lavaan's order."""
    known = {row.key for row in written}
    covariates, given = variables.covariates, defaults.fixed_x

    def rows() -> Iterator[Parameter]:
        for name in (*variables.observed, *variables.latent):
            if name not in covariates:
                yield Parameter(name, "~~", name, group)
        for one, other in combinations(variables.exogenous_latent, 2):
            yield Parameter(one, "~~", other, group, fixed=0.0 if defaults.orthogonal else None)
        for one, other in combinations(variables.last_endogenous, 2):
            apart = defaults.orthogonal and {one, other} <= set(variables.latent)
            yield Parameter(one, "~~", other, group, fixed=0.0 if apart else None)
        for one, other in combinations_with_replacement(covariates, 2):
            yield Parameter(one, "~~", other, group, covariate=given)
        if defaults.means:
            for name in variables.observed:
                yield Parameter(name, "~1", "", group, covariate=given and name in covariates)
            for name in variables.latent:
                yield Parameter(name, "~1", "", group, fixed=0.0)

    yield from (row for row in rows() if row.key not in known)


def _scaled(row: Parameter, blocks: dict[str, list[str]], defaults: Defaults) -> Parameter:
    """Fix what gives latent variables their scale: first loading or variance, and the error of a single indicator."""
    freed = row.start is not None and np.isnan(row.start)
    if freed:
        return replace(row, start=None)
    if row.fixed is not None or row.covariate:
        return row
    if row.op == "=~" and blocks[row.lhs][0] == row.rhs and not defaults.std_lv:
        return replace(row, fixed=1.0)
    if row.op == "~~" and row.lhs == row.rhs and not row.user:
        if row.lhs in blocks and not blocks[row.lhs]:
            return replace(row, fixed=0.0)  # a composite is its items
        if row.lhs in blocks and defaults.std_lv:
            return replace(row, fixed=1.0)
        if [row.lhs] in blocks.values():
            return replace(row, fixed=0.0)  # the error of a single indicator
    return row


def _equal_across_groups(table: list[Parameter], variables: Variables, defaults: Defaults) -> list[Parameter]:
    """Label what `group_equal` makes equal, and free the latent means that equal intercepts identify."""
    equal = set(defaults.group_equal)
    kinds = {row.key: _kind(row, variables) for row in table}
    first = {row.key[:3]: row for row in table if row.group == 0}
    result = []
    for row in table:
        kind = kinds[row.key]
        if "intercepts" in equal and kind == "means" and row.group > 0 and not row.user and "means" not in equal:
            row = replace(row, fixed=None)
        scaled_elsewhere = "loadings" in equal and "lv.variances" not in equal and defaults.std_lv
        if scaled_elsewhere and kind == "lv.variances" and row.group > 0 and not row.user:
            row = replace(row, fixed=None)
        if kind in equal and row.fixed is None and row.label is None and defaults.groups > 1:
            origin = first[row.key[:3]]
            row = replace(row, label=f".{origin.lhs}{origin.op}{origin.rhs}")
        result.append(row)
    return result


def _kind(row: Parameter, variables: Variables) -> str:
    latent = row.lhs in variables.latent
    if row.lhs in variables.covariates:
        return "covariates"  # no part of the model, so that no group constraint is meant for them
    if row.op == "=~":
        return "loadings"
    if row.op == "<~":
        return "composite.loadings"
    if row.op == "~":
        return "regressions"
    if row.op == "~1":
        return "means" if latent else "intercepts"
    if row.lhs == row.rhs:
        return "lv.variances" if latent else "residuals"
    return "lv.covariances" if latent else "residual.covariances"


@dataclass(frozen=True)
class Implied:
    """Implied moments of one group, with their derivatives by the free parameters.

    Attributes
    ----------
    cov : array (p, p)
    mean : array (p,)
    d_cov : array (q, p, p)
    d_mean : array (q, p)
    """

    cov: Array
    mean: Array
    d_cov: Array
    d_mean: Array


@dataclass(frozen=True)
class Differentials:
    """Implied moments of one group, with their derivatives by the r free cells of its matrices, in rank-two form.

    Cell c moves Σ by share_c (u_c v_c' + v_c u_c') and μ by level_c; `gather` adds up the cells of one parameter.

    Attributes
    ----------
    cov : array (p, p)
    mean : array (p,)
    u, v : array (r, p)
    share : array (r,)
    level : array (r, p)
    gather : array (q, r) of 0 and 1
    """

    cov: Array
    mean: Array
    u: Array
    v: Array
    share: Array
    level: Array
    gather: Array

    def dense(self) -> Implied:
        """The same with the derivatives of Σ written out."""
        outer = (self.share[:, None] * self.u)[:, :, None] * self.v[:, None, :]
        d_cov = (self.gather @ (outer + outer.transpose(0, 2, 1)).reshape(len(outer), -1)).reshape(-1, *self.cov.shape)
        return Implied(self.cov, self.mean, d_cov, self.gather @ self.level)


@dataclass(frozen=True)
class Structure:
    """A parameter table over named variables, ready to compute moments.

    Attributes
    ----------
    table : list of Parameter
    observed, latent : tuple of str
    groups : int
    """

    table: list[Parameter]
    observed: tuple[str, ...]
    latent: tuple[str, ...]
    groups: int

    @cached_property
    def position(self) -> NDArray[np.intp]:
        """For each row of the table the position of its free parameter, −1 where it is fixed."""
        seen: dict[object, int] = {}
        return np.array(
            [
                -1 if r.fixed is not None or r.covariate else seen.setdefault(r.label or r.key, len(seen))
                for r in self.table
            ]
        )

    @cached_property
    def n_free(self) -> int:
        """Number of distinct free parameters, before linear constraints."""
        return int(self.position.max(initial=-1)) + 1

    @cached_property
    def labels(self) -> dict[str, int | float]:
        """Each label of the text with the position of its parameter, or its value where it is fixed."""
        labels: dict[str, int | float] = {}
        for row, k in zip(self.table, self.position, strict=True):
            if row.label and not row.label.startswith("."):
                labels.setdefault(row.label, int(k) if k >= 0 else float(row.fixed or 0.0))
        return labels

    @cached_property
    def names(self) -> list[str]:
        """A name for each free parameter: its label, or the relation with its group."""
        names: list[str] = [""] * self.n_free
        for row, k in zip(self.table, self.position, strict=True):
            if k >= 0 and not names[k]:
                group = f" (group {row.group + 1})" if self.groups > 1 else ""
                own = (
                    row.label
                    if row.label and not row.label.startswith(".")
                    else f"{row.lhs} {row.op} {row.rhs}".strip()
                )
                names[k] = own + group
        return names

    def follows(self, row: Parameter) -> bool:
        """Whether a fixed row is computed from the others, so that freeing it would change nothing."""
        return False

    def values(self, theta: Array) -> Array:
        """Value of every row of the table."""
        if not self.n_free:
            return self._fixed
        return np.where(self.position >= 0, theta[self.position], self._fixed)

    @cached_property
    def _fixed(self) -> Array:
        return np.array([np.nan if r.fixed is None else r.fixed for r in self.table])

    @cached_property
    def places(self) -> list[dict[str, tuple[NDArray[np.intp], ...]]]:
        """For each group and matrix: rows of the table, their cells (i, j) and positions among the free parameters."""
        index = {name: i for i, name in enumerate((*self.observed, *self.latent))}
        cells = {
            "=~": lambda r: (index[r.rhs], index[r.lhs]),
            "<~": lambda r: (index[r.lhs], index[r.rhs]),
            "~": lambda r: (index[r.lhs], index[r.rhs]),
            "~~": lambda r: (index[r.lhs], index[r.rhs]),
            "~1": lambda r: (index[r.lhs], 0),
        }
        places = []
        for group in range(self.groups):
            found: dict[str, tuple[NDArray[np.intp], ...]] = {}
            for matrix, ops in (("A", ("=~", "<~", "~")), ("S", ("~~",)), ("m", ("~1",))):
                rows = [k for k, r in enumerate(self.table) if r.group == group and r.op in ops]
                ij = np.array([cells[self.table[k].op](self.table[k]) for k in rows], dtype=np.intp).reshape(-1, 2)
                found[matrix] = (np.array(rows, dtype=np.intp), ij[:, 0], ij[:, 1], self.position[rows])
            places.append(found)
        return places

    def matrices(self, theta: Array, group: int) -> tuple[Array, Array, Array]:
        """A (m, m), S (m, m) and m (m,) of a group."""
        values, size, places = self.values(theta), len(self.observed) + len(self.latent), self.places[group]
        a, s, mean = np.zeros((size, size)), np.zeros((size, size)), np.zeros(size)
        rows, i, j, _ = places["A"]
        a[i, j] = values[rows]
        rows, i, j, _ = places["S"]
        s[i, j] = s[j, i] = values[rows]
        rows, i, _, _ = places["m"]
        mean[i] = values[rows]
        return a, s, mean

    def all_moments(self, theta: Array, group: int) -> tuple[Array, Array]:
        """Implied covariance (m, m) and mean (m,) of observed and latent variables together."""
        a, s, m = self.matrices(theta, group)
        b = np.linalg.inv(np.eye(len(a)) - a)
        return b @ s @ b.T, b @ m

    def implied(self, theta: Array, group: int) -> tuple[Array, Array]:
        """Implied covariance (p, p) and mean (p,) of the observed variables."""
        a, s, m = self.matrices(theta, group)
        f = np.linalg.inv(np.eye(len(a)) - a)[: len(self.observed)]
        return f @ s @ f.T, f @ m

    @cached_property
    def free_cells(self) -> list[tuple[list[NDArray[np.intp]], Array]]:
        """For each group the cells i, j of A, S and m that hold free parameters, and the gathering matrix (q, r)."""
        cells = []
        for places in self.places:
            free = {name: (i[k >= 0], j[k >= 0], k[k >= 0]) for name, (_, i, j, k) in places.items()}
            k = np.concatenate([free[name][2] for name in "ASm"])
            gather = np.zeros((self.n_free, len(k)))
            gather[k, np.arange(len(k))] = 1.0
            cells.append(([*free["A"][:2], *free["S"][:2], free["m"][0]], gather))
        return cells

    def differentials(self, theta: Array, group: int) -> Differentials:
        """Implied moments and their derivatives in rank-two form, see the module's formulas."""
        a, s, m = self.matrices(theta, group)
        b = np.linalg.inv(np.eye(len(a)) - a)
        f = b[: len(self.observed)]
        g, level, column = b @ s @ f.T, b @ m, f.T
        (a_i, a_j, s_i, s_j, m_i), gather = self.free_cells[group]
        nothing = np.zeros((len(m_i), len(f)))
        return Differentials(
            cov=f @ s @ f.T,
            mean=f @ m,
            u=np.concatenate([column[a_i], column[s_i], nothing]),
            v=np.concatenate([g[a_j], column[s_j], nothing]),
            share=np.concatenate([np.ones(len(a_i)), np.where(s_i == s_j, 0.5, 1.0), np.zeros(len(m_i))]),
            level=np.concatenate([column[a_i] * level[a_j][:, None], np.zeros((len(s_i), len(f))), column[m_i]]),
            gather=gather,
        )

    def derivatives(self, theta: Array, group: int) -> Implied:
        """Implied moments and their derivatives: dΣ = F dA G + (F dA G)' + F dS F', dμ = F dA B m + F dm."""
        return self.differentials(theta, group).dense()

    def given(self, moments: Sequence[tuple[Array, Array]]) -> Self:
        """The same structure with the moments of its covariates fixed at those of each group, (covariance, mean)."""
        if not any(row.covariate for row in self.table):
            return self
        index = {name: i for i, name in enumerate(self.observed)}

        def value(row: Parameter) -> float:
            cov, mean = moments[row.group]
            return float(mean[index[row.lhs]] if row.op == "~1" else cov[index[row.lhs], index[row.rhs]])

        table = [replace(row, fixed=value(row)) if row.covariate else row for row in self.table]
        return replace(self, table=table)

    @cached_property
    def covariates(self) -> NDArray[np.intp]:
        """Positions of the covariates whose moments are given, among the observed variables."""
        given = {row.lhs for row in self.table if row.covariate}
        return np.array([i for i, name in enumerate(self.observed) if name in given], dtype=np.intp)


def structure(model: Model, defaults: Defaults, observed: Iterable[str] | None = None) -> Structure:
    """The structure of a model under default choices; `observed` fixes the order of the observed variables."""
    variables = Variables.of(model)
    order = tuple(observed) if observed is not None else variables.observed
    return Structure(parameter_table(model, defaults), order, variables.latent, defaults.groups)
