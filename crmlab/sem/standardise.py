"""Standardised solutions: parameters in units of the latent variables (std_lv) and of all variables (std_all).

A loading or path is multiplied by sd(cause)/sd(effect); a variance is divided by the implied variance of its variable;
a covariance by the residual standard deviations of its two; a mean by the standard deviation. In std_lv observed
variables keep their units. Standard deviations are the model-implied ones of each group. Errors are by the delta
method: that of g(θ) is √(JVJ') with J = dg/dθ and V the covariance of the estimates.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .matrices import Structure
from .moments import Array

KINDS = ("all", "lv")
_STEP = 1e-5  # of the central differences, in units of a parameter where that is above 1
_NOTHING = 1e-14  # variance that is rounding of the differences: the quantity is fixed


def standardised(structure: Structure, theta: Array) -> tuple[Array, Array]:
    """std_lv and std_all of every row of the table, two arrays (rows,).

    A negative implied or residual variance leaves nan.
    """
    values = structure.values(theta)
    lv, everything = values.copy(), values.copy()
    everything[[row.op == "~*~" for row in structure.table]] = 1.0  # the scale of a y* with variance 1
    names = (*structure.observed, *structure.latent)
    n_observed = len(structure.observed)
    for group in range(structure.groups):
        total = np.diagonal(structure.all_moments(theta, group)[0])
        residual = np.diagonal(structure.matrices(theta, group)[1])
        with np.errstate(invalid="ignore"):
            sd, residual_sd = np.sqrt(total), np.sqrt(residual)
        observed = np.arange(len(names)) < n_observed
        units = (np.where(observed, 1.0, sd), np.where(observed, 1.0, residual_sd))
        _scale(lv, structure, group, *units)
        _scale(everything, structure, group, sd, residual_sd)
    return lv, everything


def delta_errors(function: Callable[[Array], Array], theta: Array, vcov: Array) -> Array:
    """Standard errors of function(θ), (k,), by the delta method with central differences; nan where V is.

    Examples
    --------
    >>> delta_errors(lambda t: np.array([t[0] * t[1], 7.0]), np.array([2.0, 3.0]), np.diag([0.01, 0.04]))  # √.25
    array([0.5, 0. ])
    """
    steps = _STEP * np.maximum(1.0, np.abs(theta))
    slopes = [
        (function(theta + step) - function(theta - step)) / (2 * size)
        for size, step in zip(steps, np.diag(steps), strict=True)
    ]
    jacobian = np.array(slopes).reshape(len(theta), -1)
    unknown = np.isnan(np.diagonal(vcov))
    variance = np.einsum("qk,qr,rk->k", jacobian, np.where(np.isnan(vcov), 0.0, vcov), jacobian)
    moved = (np.abs(jacobian[unknown]) > _STEP).any(axis=0)
    return np.where(moved, np.nan, np.sqrt(np.where(variance > _NOTHING, variance, 0.0)))


def _scale(values: Array, structure: Structure, group: int, sd: Array, residual_sd: Array) -> None:
    """Divide the rows of one group by the units of their variables, in place."""
    index = {name: i for i, name in enumerate((*structure.observed, *structure.latent))}
    with np.errstate(invalid="ignore", divide="ignore"):
        for k, row in enumerate(structure.table):
            if row.group != group or row.op == "~*~":
                continue
            left = index[row.lhs]
            right = index.get(row.rhs, left)
            if row.op == "=~":
                values[k] *= sd[left] / sd[right]
            elif row.op in ("~", "<~"):
                values[k] *= sd[right] / sd[left]
            elif row.op in ("~1", "|"):
                values[k] /= sd[left]
            elif left == right:
                values[k] /= sd[left] ** 2
            else:
                values[k] /= residual_sd[left] * residual_sd[right]
