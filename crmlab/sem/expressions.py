"""Expressions in the labels of parameters: defined parameters (`:=`) and linear constraints (`==`).

An expression is read by Python's own grammar and walked node by node: numbers, labels, + − * / **, and exp, log, sqrt,
abs; nothing else is ever run. Derivatives are exact to rounding by the complex step f'(x) = Im f(x + ih)/h (Squire &
Trapp 1998).

References
----------
Squire, W. & Trapp, G. (1998). Using complex variables to estimate derivatives of real functions. SIAM Review 40,
110–112.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .errors import ModelError
from .moments import Array
from .syntax import Relation

FUNCTIONS: Mapping[str, Callable[[complex], complex]] = {
    "exp": lambda x: complex(np.exp(x)),
    "log": lambda x: complex(np.log(x)),
    "sqrt": lambda x: complex(np.sqrt(x)),
    "abs": lambda x: -x if x.real < 0 else x,
}
_OPERATIONS: Mapping[type[ast.operator], Callable[[complex, complex], complex]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_STEP = 1e-30


def evaluate(expression: str, values: Mapping[str, complex], line: int | None = None) -> complex:
    """Value of an expression.

    Parameters
    ----------
    expression : str
    values : mapping of label to value
    line : int, optional
        Line of the model, for the error message.

    Raises
    ------
    ModelError
        An unknown label or function, or what is no arithmetic.

    Examples
    --------
    >>> evaluate("a*b + sqrt(c)", {"a": 2, "b": 3, "c": 4}).real
    8.0
    """
    try:
        tree = ast.parse(expression, mode="eval").body
    except SyntaxError:
        raise ModelError(f"cannot read the expression {expression!r}", line) from None
    return _value(tree, values, expression, line)


def defined(relations: Sequence[Relation], labels: Mapping[str, int | float], theta: Array) -> tuple[Array, Array]:
    """Values (d,) and derivatives (d, q) of the defined parameters; a later one may use an earlier one.

    nan where there is no real value: the logarithm or a root of a negative number, a division by zero.

    Parameters
    ----------
    relations : sequence of Relation with op ":="
    labels : mapping of label to the position of its parameter (int) or its fixed value (float)
    theta : array (q,)
    """
    with np.errstate(all="ignore"):
        at = _definitions(relations, labels, theta.astype(complex))
        jacobian = np.empty((len(relations), len(theta)))
        for k in range(len(theta)):
            moved = theta.astype(complex)
            moved[k] += _STEP * 1j
            jacobian[:, k] = _definitions(relations, labels, moved).imag / _STEP
    real = np.isfinite(at.real) & (np.abs(at.imag) < _STEP)
    return np.where(real, at.real, np.nan), np.where(real[:, None], jacobian, np.nan)


def check(relations: Sequence[Relation], labels: Mapping[str, int | float], n_free: int) -> None:
    """Raise ModelError where a definition cannot be computed from these labels, or takes one of their names."""
    for relation in relations:
        if relation.lhs in labels:
            raise ModelError(f"{relation.lhs} is defined by := and labels a parameter too", relation.line)
    with np.errstate(all="ignore"):
        _definitions(relations, labels, np.ones(n_free, dtype=complex))


def linear_constraints(
    constraints: Sequence[Relation],
    definitions: Sequence[Relation],
    labels: Mapping[str, int | float],
    n_free: int,
) -> tuple[Array, Array]:
    """K (q, u) with orthonormal columns and offset (q,) such that theta = offset + K u meets every constraint.

    Raises
    ------
    ModelError
        A constraint that is not linear, or one that contradicts the others.

    Examples
    --------
    >>> K, offset = linear_constraints([Relation("a", "==", "2*b", 1, 1)], [], {"a": 0, "b": 1}, 2)
    >>> bool(np.isclose(K[0, 0], 2 * K[1, 0])), offset.tolist()
    (True, [0.0, 0.0])
    """
    rows, right = [], []
    for relation in constraints:
        difference = Relation("difference", ":=", f"({relation.lhs})-({relation.rhs})", relation.line, relation.column)
        chain = [*definitions, difference]
        places = (np.full(n_free, 0.7), np.linspace(1.1, 2.3, n_free))
        (at_one, slope), (_, other) = (defined(chain, labels, place) for place in places)
        written = f"{relation.lhs} == {relation.rhs}"
        if not np.allclose(slope[-1], other[-1], rtol=1e-9, atol=1e-12):
            raise ModelError(f"{written} is not linear; only linear constraints can be met", relation.line)
        rows.append(slope[-1])
        right.append(slope[-1] @ places[0] - at_one[-1])
    if not rows:
        return np.eye(n_free), np.zeros(n_free)
    matrix, wanted = np.array(rows), np.array(right)
    offset = np.linalg.pinv(matrix) @ wanted
    if not np.allclose(matrix @ offset, wanted, atol=1e-9):
        lines = ", ".join(f"{r.lhs} == {r.rhs}" for r in constraints)
        raise ModelError(f"the constraints contradict each other: {lines}", constraints[-1].line)
    _, sizes, directions = np.linalg.svd(matrix)
    rank = int((sizes > 1e-10 * sizes.max(initial=1.0)).sum())
    return directions[rank:].T, offset


def _definitions(relations: Sequence[Relation], labels: Mapping[str, int | float], theta: Array) -> Array:
    values: dict[str, complex] = {
        label: theta[where] if isinstance(where, int) else complex(where) for label, where in labels.items()
    }
    results = np.empty(len(relations), dtype=complex)
    for i, relation in enumerate(relations):
        results[i] = values[relation.lhs] = evaluate(relation.rhs, values, relation.line)
    return results


def _value(node: ast.expr, values: Mapping[str, complex], expression: str, line: int | None) -> complex:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return complex(node.value)
    if isinstance(node, ast.Name | ast.Attribute):
        label = ast.unparse(node)
        if label not in values:
            known = ", ".join(values) or "none"
            raise ModelError(f"{expression!r} speaks of {label!r}, which labels no parameter (labels: {known})", line)
        return values[label]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand, values, expression, line)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = (_value(side, values, expression, line) for side in (node.left, node.right))
        try:
            return _OPERATIONS[type(node.op)](left, right)
        except ZeroDivisionError:
            return complex(np.nan, np.nan)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1 and not node.keywords:
        if node.func.id in FUNCTIONS:
            return FUNCTIONS[node.func.id](_value(node.args[0], values, expression, line))
        raise ModelError(f"{node.func.id}() is unknown; there are {', '.join(FUNCTIONS)}", line)
    raise ModelError(f"cannot compute {expression!r}: use labels, numbers, + - * / ** and exp, log, sqrt, abs", line)
