"""Rotations of a factor pattern: varimax, promax, and the oblimin family with quartimin as its default (chapter 7).

Any rotation of a maximum-likelihood solution fits equally well; a rotation chooses the one that is easiest to read. The
oblimin criterion is minimised by gradient projection from several starts, because it can have more than one minimum.

References
----------
Bernaards, C. A. & Jennrich, R. I. (2005). Gradient projection algorithms and software for arbitrary rotation criteria
in factor analysis. Educational and Psychological Measurement 65, 676–696.
Hendrickson, A. E. & White, P. O. (1964). Promax: a quick method for rotation to oblique simple structure. British
Journal of Statistical Psychology 17, 65–70.
Kaiser, H. F. (1958). The varimax criterion for analytic rotation in factor analysis. Psychometrika 23, 187–200.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .moments import Array

_SWEEPS, _SMALLEST_TURN = 500, 1e-10
_PROJECTION_STEPS, _PROJECTION_TOLERANCE = 5000, 1e-7
_SAME_MINIMUM = 1e-6


@dataclass(frozen=True)
class Rotated:
    """A rotated pattern.

    Attributes
    ----------
    loadings : array (p, k)
        The pattern Λ: regression of the items on the factors.
    correlations : array (k, k)
        Φ of the factors; the identity after an orthogonal rotation.
    converged : bool
    minima : int
        How many different minima the starts ended in; 1 where there is only one way.
    """

    loadings: Array
    correlations: Array
    converged: bool = True
    minima: int = 1


def unrotated(loadings: Array) -> Rotated:
    """The pattern as it is, factors uncorrelated."""
    return Rotated(loadings, np.eye(loadings.shape[1]))


def varimax(loadings: Array) -> Rotated:
    """Varimax with Kaiser's normalisation: rows brought to length 1, rotated, brought back (Kaiser 1958).

    Examples
    --------
    >>> simple = np.array([[0.8, 0.0], [0.7, 0.0], [0.0, 0.6], [0.0, 0.9]])
    >>> turned = simple @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    >>> np.abs(varimax(turned).loadings).round(6).tolist()
    [[0.8, 0.0], [0.7, 0.0], [0.0, 0.6], [0.0, 0.9]]
    """
    length = _lengths(loadings)
    turn, converged = _varimax_turn(loadings / length)
    return Rotated(loadings @ turn, np.eye(loadings.shape[1]), converged)


def promax(loadings: Array, power: int = 4) -> Rotated:
    """Promax: varimax, its loadings raised to `power` as a target, and the oblique turn nearest to it.

    Kaiser's normalisation holds through both steps, as in psych's ``fa(rotate="promax")`` and in SPSS; R's
    ``stats::promax`` takes the target from loadings that are brought back first, and differs a little.

    Examples
    --------
    >>> simple = np.array([[0.8, 0.0], [0.7, 0.0], [0.0, 0.6], [0.0, 0.9]])
    >>> rotated = promax(simple)
    >>> rotated.loadings.round(6).tolist()[0], rotated.correlations.round(6).tolist()[0]
    ([0.8, 0.0], [1.0, 0.0])
    """
    length = _lengths(loadings)
    turn, converged = _varimax_turn(loadings / length)
    simple = loadings / length @ turn
    target = simple * np.abs(simple) ** (power - 1)
    oblique = np.linalg.lstsq(simple, target, rcond=None)[0]
    oblique = oblique * np.sqrt(np.diagonal(np.linalg.inv(oblique.T @ oblique)))
    back = np.linalg.inv(oblique)
    return Rotated(simple @ oblique * length, back @ back.T, converged)


def oblimin(loadings: Array, gamma: float = 0.0, *, starts: int = 10, seed: int = 0) -> Rotated:
    """Direct oblimin, of which gamma = 0 is quartimin: Σ_{r<s} Σ_i λ²_ir λ²_is is made as small as it goes.

    The first start is the pattern as given, the others are random; the smallest minimum is taken.

    Parameters
    ----------
    loadings : array (p, k)
    gamma : float, at most 0.8
        Larger allows more correlation between factors; above 0.8 the criterion may have no minimum.
    starts : int, at least 1
    seed : int
        Of the random starts.

    Examples
    --------
    >>> pattern = np.array([[0.8, 0.0], [0.7, 0.0], [0.0, 0.6], [0.0, 0.9]])
    >>> phi = np.array([[1.0, 0.4], [0.4, 1.0]])
    >>> orthogonal = pattern @ np.linalg.cholesky(phi)          # the same reproduced correlations, factors uncorrelated
    >>> rotated = oblimin(orthogonal)
    >>> np.abs(rotated.correlations).round(5).tolist()
    [[1.0, 0.4], [0.4, 1.0]]
    """
    k = loadings.shape[1]
    rng = np.random.default_rng(seed)
    turns = [np.eye(k), *(np.linalg.qr(rng.normal(size=(k, k)))[0] for _ in range(starts - 1))]
    found = [_projected(loadings, turn, gamma) for turn in turns]
    values = np.array([value for value, _, _ in found])
    _, turn, converged = found[int(np.argmin(values))]
    minima = len(np.unique(np.round((values - values.min()) / (_SAME_MINIMUM + abs(values.min())) / 1e-3)))
    return Rotated(loadings @ np.linalg.inv(turn).T, turn.T @ turn, converged, minima)


def tidied(rotated: Rotated) -> Rotated:
    """Factors in order of the variance they explain, diag(ΦΛ'Λ), each with a positive sum of loadings."""
    explained = np.diagonal(rotated.correlations @ rotated.loadings.T @ rotated.loadings)
    order = np.argsort(-explained, kind="stable")
    sign = np.where(rotated.loadings.sum(axis=0) < 0, -1.0, 1.0)[order]
    phi = rotated.correlations[np.ix_(order, order)] * np.outer(sign, sign)
    return Rotated(rotated.loadings[:, order] * sign, phi, rotated.converged, rotated.minima)


def _lengths(loadings: Array) -> Array:
    """√communality of each row, (p, 1); 1 for a row of zeros, which no turn can change."""
    length = np.sqrt(np.sum(loadings**2, axis=1, keepdims=True))
    return np.where(length > 0, length, 1.0)


def _varimax_turn(loadings: Array) -> tuple[Array, bool]:
    """The orthogonal turn (k, k) of greatest varimax, a pair of factors at a time (Kaiser 1958, eq. 22)."""
    p, k = loadings.shape
    turned, turn = loadings.copy(), np.eye(k)
    for _ in range(_SWEEPS):
        largest = 0.0
        for i, j in combinations(range(k), 2):
            x, y = turned[:, i], turned[:, j]
            u, v = x**2 - y**2, 2 * x * y
            across = 2 * (u @ v - u.sum() * v.sum() / p)
            along = u @ u - v @ v - (u.sum() ** 2 - v.sum() ** 2) / p
            angle = np.arctan2(across, along) / 4
            largest = max(largest, abs(angle))
            plane = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            turned[:, [i, j]], turn[:, [i, j]] = turned[:, [i, j]] @ plane, turn[:, [i, j]] @ plane
        if largest < _SMALLEST_TURN:
            return turn, True
    return turn, False


def _projected(loadings: Array, turn: Array, gamma: float) -> tuple[float, Array, bool]:
    """Gradient projection over T with columns of length 1, Λ = A(T⁻¹)' (Bernaards & Jennrich 2005, GPFoblq)."""
    step = 1.0
    value, gradient = _oblimin_criterion(loadings, turn, gamma)
    for _ in range(_PROJECTION_STEPS):
        direction = gradient - turn * np.sum(turn * gradient, axis=0)
        slope = float(np.sum(direction**2))
        if slope < _PROJECTION_TOLERANCE**2:
            return value, turn, True
        step *= 2
        for _ in range(40):
            moved = turn - step * direction
            moved /= np.sqrt(np.sum(moved**2, axis=0))
            reached, slopes = _oblimin_criterion(loadings, moved, gamma)
            if value - reached > 0.5 * slope * step:
                break
            step /= 2
        else:
            return value, turn, slope < 1e-8  # rounding leaves nothing to gain
        turn, value, gradient = moved, reached, slopes
    return value, turn, False


def _oblimin_criterion(loadings: Array, turn: Array, gamma: float) -> tuple[float, Array]:
    """Σ Λ²∘((I − γ/p·11')Λ²N) / 4, N ones off the diagonal, and its gradient in T, (k, k)."""
    inverse = np.linalg.inv(turn)
    pattern = loadings @ inverse.T
    squared = pattern**2
    others = squared.sum(axis=1, keepdims=True) - squared
    others = others - gamma * others.mean(axis=0)
    return float(np.sum(squared * others)) / 4, -(pattern.T @ (pattern * others) @ inverse).T
