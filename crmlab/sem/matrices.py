"""The parameter table of a covariance structure model, its implied moments and their derivatives.

Every model is written in the reticular action form (McArdle & McDonald 1984): all variables v, observed ones first,
obey v = m + A v + u with cov(u) = S, so that with B = (I − A)⁻¹ and F its rows for the observed variables

    Σ = F S F',    μ = F m.

`=~` and `~` fill A, `~~` fills S, `~1` fills m. Derivatives follow from dB = B dA B.

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
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError, SemError
from .moments import Array
from .syntax import Model, Modifier

GROUP_EQUAL = (
    "loadings",
    "intercepts",
    "means",
    "regressions",
    "residuals",
    "residual.covariances",
    "lv.variances",
    "lv.covariances",
)


@dataclass(frozen=True)
class Parameter:
    """One row of the parameter table.

    Attributes
    ----------
    lhs, op, rhs : str
        The relation; op is one of =~ ~ ~~ ~1 (rhs is empty for ~1).
    group : int
        Counted from 0.
    fixed : float or None
        Value of a fixed parameter; None where it is estimated.
    label : str or None
        Parameters with one label are equal.
    start : float or None
    user : bool
        Written by the user, not added by default.
    """

    lhs: str
    op: str
    rhs: str
    group: int
    fixed: float | None = None
    label: str | None = None
    start: float | None = None
    user: bool = False

    @property
    def key(self) -> tuple[str, str, str, int]:
        ends = sorted((self.lhs, self.rhs)) if self.op == "~~" else (self.lhs, self.rhs)
        return ends[0], self.op, ends[1], self.group


@dataclass(frozen=True)
class Variables:
    """Who is who in a model: names of observed and latent variables by their part."""

    observed: tuple[str, ...]
    latent: tuple[str, ...]
    indicators: frozenset[str]
    predictors: frozenset[str]
    dependents: frozenset[str]

    @classmethod
    def of(cls, model: Model) -> Variables:
        latent = model.constructs
        measured = [t.rhs for t in model.terms if t.op == "=~"]
        formed = [t.rhs for t in model.terms if t.op == "<~"]
        regressed = [t for t in model.terms if t.op == "~" and t.rhs != "1"]
        mentioned = [*measured, *formed, *(name for t in regressed for name in (t.lhs, t.rhs))]
        mentioned += [name for t in model.terms if t.op == "~~" for name in (t.lhs, t.rhs)]
        mentioned += [t.lhs for t in model.terms if t.rhs == "1"]
        return cls(
            observed=tuple(name for name in dict.fromkeys(mentioned) if name not in latent),
            latent=latent,
            indicators=frozenset(measured),
            predictors=frozenset([*(t.rhs for t in regressed), *formed]),
            dependents=frozenset([*(t.lhs for t in regressed), *(t.lhs for t in model.terms if t.op == "<~")]),
        )

    @property
    def exogenous_observed(self) -> tuple[str, ...]:
        """Observed covariates: predictors that nothing explains."""
        return tuple(
            x for x in self.observed if x in self.predictors and x not in self.dependents and x not in self.indicators
        )

    @property
    def exogenous_latent(self) -> tuple[str, ...]:
        return tuple(x for x in self.latent if x not in self.dependents and x not in self.indicators)

    @property
    def last_endogenous(self) -> tuple[str, ...]:
        """Dependent variables that explain nothing and measure nothing: their residuals covary by default."""
        return tuple(
            y
            for y in (*self.observed, *self.latent)
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


def parameter_table(model: Model, defaults: Defaults) -> list[Parameter]:
    """Every parameter of the model in every group: what is written, then what is added by default.

    Raises
    ------
    ModelError
        Modifiers for another number of groups, or a group constraint that is unknown.

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
    variables = Variables.of(model)
    table: list[Parameter] = []
    for group in range(defaults.groups):
        written = list(_written(model, group, defaults.groups))
        rows = [*written, *_added(variables, written, group, defaults)]
        table.extend(_scaled(row, variables, written, defaults) for row in rows)
    return _equal_across_groups(table, variables, defaults)


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
        if op == "<~":
            op = "~"
        row = Parameter(term.lhs, op, rhs, group, said.fixed, said.label, said.start, user=True)
        # NA frees what a default would fix: a start of nan marks it until the defaults have been applied.
        yield replace(row, fixed=None, start=np.nan) if said.free else row


def _added(variables: Variables, written: Sequence[Parameter], group: int, defaults: Defaults) -> Iterator[Parameter]:
    """Variances, default covariances and intercepts that the text does not speak of."""
    known = {row.key for row in written}
    covariates = variables.exogenous_observed

    def rows() -> Iterator[Parameter]:
        for name in (*variables.observed, *variables.latent):
            yield Parameter(name, "~~", name, group)
        if not defaults.orthogonal:
            for one, other in combinations(variables.exogenous_latent, 2):
                yield Parameter(one, "~~", other, group)
        for one, other in combinations(covariates, 2):
            yield Parameter(one, "~~", other, group)
        for one, other in combinations(variables.last_endogenous, 2):
            yield Parameter(one, "~~", other, group)
        if defaults.means:
            for name in variables.observed:
                yield Parameter(name, "~1", "", group)
            for name in variables.latent:
                yield Parameter(name, "~1", "", group, fixed=0.0)

    yield from (row for row in rows() if row.key not in known)


def _scaled(row: Parameter, variables: Variables, written: Sequence[Parameter], defaults: Defaults) -> Parameter:
    """Fix what gives latent variables their scale: first loading or variance, and the error of a single indicator."""
    freed = row.start is not None and np.isnan(row.start)
    if freed:
        return replace(row, start=None)
    if row.fixed is not None:
        return row
    blocks = {
        name: [r for r in written if r.op == "=~" and r.lhs == name and r.group == row.group]
        for name in variables.latent
    }
    if row.op == "=~" and blocks[row.lhs][0].rhs == row.rhs and not defaults.std_lv and row.label is None:
        return replace(row, fixed=1.0)
    if row.op == "~~" and row.lhs == row.rhs:
        if row.lhs in variables.latent and not blocks[row.lhs] and not row.user:
            return replace(row, fixed=0.0)  # a composite is its items
        if row.lhs in variables.latent and defaults.std_lv and not row.user:
            return replace(row, fixed=1.0)
        only = [name for name, block in blocks.items() if [r.rhs for r in block] == [row.lhs]]
        if only and not row.user:
            return replace(row, fixed=0.0)
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
        if "loadings" in equal and defaults.std_lv and kind == "lv.variances" and row.group > 0 and not row.user:
            row = replace(row, fixed=None)
        if kind in equal and row.fixed is None and row.label is None and defaults.groups > 1:
            origin = first[row.key[:3]]
            row = replace(row, label=f".{origin.lhs}{origin.op}{origin.rhs}")
        result.append(row)
    return result


def _kind(row: Parameter, variables: Variables) -> str:
    latent = row.lhs in variables.latent
    if row.op == "=~":
        return "loadings"
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
            [-1 if r.fixed is not None else seen.setdefault(r.label or r.key, len(seen)) for r in self.table]
        )

    @property
    def n_free(self) -> int:
        """Number of distinct free parameters, before linear constraints."""
        return int(self.position.max(initial=-1)) + 1

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

    def values(self, theta: Array) -> Array:
        """Value of every row of the table."""
        fixed = np.array([np.nan if r.fixed is None else r.fixed for r in self.table])
        return np.where(self.position >= 0, theta[self.position], fixed)

    @cached_property
    def _places(self) -> list[dict[str, tuple[NDArray[np.intp], ...]]]:
        """For each group and matrix: rows of the table, their cells (i, j) and positions among the free parameters."""
        index = {name: i for i, name in enumerate((*self.observed, *self.latent))}
        cells = {
            "=~": lambda r: (index[r.rhs], index[r.lhs]),
            "~": lambda r: (index[r.lhs], index[r.rhs]),
            "~~": lambda r: (index[r.lhs], index[r.rhs]),
            "~1": lambda r: (index[r.lhs], 0),
        }
        places = []
        for group in range(self.groups):
            found: dict[str, tuple[NDArray[np.intp], ...]] = {}
            for matrix, ops in (("A", ("=~", "~")), ("S", ("~~",)), ("m", ("~1",))):
                rows = [k for k, r in enumerate(self.table) if r.group == group and r.op in ops]
                ij = np.array([cells[self.table[k].op](self.table[k]) for k in rows], dtype=np.intp).reshape(-1, 2)
                found[matrix] = (np.array(rows, dtype=np.intp), ij[:, 0], ij[:, 1], self.position[rows])
            places.append(found)
        return places

    def matrices(self, theta: Array, group: int) -> tuple[Array, Array, Array]:
        """A (m, m), S (m, m) and m (m,) of a group."""
        values, size, places = self.values(theta), len(self.observed) + len(self.latent), self._places[group]
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

    def derivatives(self, theta: Array, group: int) -> Implied:
        """Implied moments and derivatives: dΣ = F dA G + (F dA G)' + F dS F' with G = B S F', dμ = F dA B m + F dm."""
        a, s, m = self.matrices(theta, group)
        b = np.linalg.inv(np.eye(len(a)) - a)
        f = b[: len(self.observed)]
        g, level = b @ s @ f.T, b @ m
        d_cov = np.zeros((self.n_free, len(f), len(f)))
        d_mean = np.zeros((self.n_free, len(f)))
        for name, (_, i, j, k) in self._places[group].items():
            free = k >= 0
            i, j, k = i[free], j[free], k[free]
            if name == "A":
                outer = f.T[i][:, :, None] * g[j][:, None, :]
                np.add.at(d_cov, k, outer + outer.transpose(0, 2, 1))
                np.add.at(d_mean, k, f.T[i] * level[j][:, None])
            elif name == "S":
                outer = f.T[i][:, :, None] * f.T[j][:, None, :]
                np.add.at(d_cov, k, np.where((i == j)[:, None, None], outer, outer + outer.transpose(0, 2, 1)))
            else:
                np.add.at(d_mean, k, f.T[i])
        return Implied(f @ s @ f.T, f @ m, d_cov, d_mean)


def structure(model: Model, defaults: Defaults, observed: Iterable[str] | None = None) -> Structure:
    """The structure of a model under default choices; `observed` fixes the order of the observed variables."""
    variables = Variables.of(model)
    order = tuple(observed) if observed is not None else variables.observed
    return Structure(parameter_table(model, defaults), order, variables.latent, defaults.groups)
