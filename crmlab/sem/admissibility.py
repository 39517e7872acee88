"""What keeps a solution from being believed, in words: identification, impossible values, constructs alike.

Admissible is a solution that converged, with positive variances, a positive definite covariance matrix of the
constructs, standardised loadings within ±1 and an information matrix that is not nearly singular. Whatever fails is
told with the constructs concerned and what to do. Collinear causes are the fault that survey models meet most: where
two causes of one construct correlate above 0.95, their paths trade off against each other and only their sum is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .inference import condition_number, unidentified
from .matrices import Structure
from .moments import Array
from .standardise import standardised

ALIKE = 0.95  # correlation above which two causes cannot be told apart
ILL_CONDITIONED = 1e4  # condition number of the standardised information; about 20 on well-behaved surveys
_TOLERANCE = 1e-6


def problems(structure: Structure, theta: Array, information: Array, K: Array, df: int) -> list[str]:
    """Sentences on what is wrong with a solution; none when it is admissible.

    Parameters
    ----------
    structure : Structure
    theta : array (q,)
    information : array (q, q)
        Information of one observation at theta.
    K : array (q, u)
        Directions left free by linear constraints.
    df : int
    """
    found: list[str] = []
    if df < 0:
        found.append(
            f"The model has {-df} more free parameters than the data have moments (df = {df}): it is not identified. "
            "Fix or equate parameters, or add items."
        )
    unknown = unidentified(information, K)
    if unknown:
        names = "; ".join(structure.names[k] for k in unknown[:8]) + ("; …" if len(unknown) > 8 else "")
        found.append(
            f"Not identified: {names}. The data fit as well with other values of these parameters, so their estimates "
            "and errors mean nothing. Fix one of them, or give each construct a scale and enough items."
        )
    for group in range(structure.groups):
        found += _of_group(structure, theta, group)
    condition = condition_number(information, K)
    if not unknown and condition > ILL_CONDITIONED:
        found.append(
            f"The information matrix is nearly singular (condition number {condition:.1e}): some parameters are hardly "
            "identified by these data, and their standard errors are not to be trusted."
        )
    return found


def _of_group(structure: Structure, theta: Array, group: int) -> Iterator[str]:
    place = f" in group {group + 1}" if structure.groups > 1 else ""
    yield from _heywood(structure, theta, group, place)
    cov = structure.all_moments(theta, group)[0]
    yield from _latent_covariance(structure, cov, place)
    yield from _alike(structure, cov, group, place)


def _heywood(structure: Structure, theta: Array, group: int, place: str) -> Iterator[str]:
    """Negative variances and standardised loadings beyond ±1."""
    values, (_, std_all) = structure.values(theta), standardised(structure, theta)
    rows = [(k, row) for k, row in enumerate(structure.table) if row.group == group]
    negative = [(row.lhs, values[k]) for k, row in rows if row.op == "~~" and row.lhs == row.rhs and values[k] < 0]
    for name, value in negative:
        what = "construct" if name in structure.latent else "item"
        yield (
            f"The residual variance of {what} {name} is negative ({value:.3f}){place}, a Heywood case: too few or too "
            f"similar items, or too few respondents. Look at the items of its block; a variance cannot be below 0."
        )
    told = {name for name, _ in negative}
    for k, row in rows:
        if row.op == "=~" and row.rhs not in told and abs(std_all[k]) > 1 + _TOLERANCE:
            yield (
                f"The standardised loading of {row.rhs} on {row.lhs} is {std_all[k]:.3f}{place}, beyond ±1. "
                "Items of correlated constructs may measure the same thing; look at the blocks."
            )


def _latent_covariance(structure: Structure, cov: Array, place: str) -> Iterator[str]:
    p = len(structure.observed)
    latent = cov[p:, p:]
    variances = np.diagonal(latent)
    real = np.flatnonzero(variances > _TOLERANCE)
    if impossible := [structure.latent[i] for i in np.flatnonzero(variances < -_TOLERANCE)]:
        yield f"The implied variance of {_and(impossible)} is negative{place}; the solution is impossible."
    if len(real) < 2:
        return
    sd = np.sqrt(variances[real])
    correlation = latent[np.ix_(real, real)] / np.outer(sd, sd)
    sizes, vectors = np.linalg.eigh(correlation)
    if sizes[0] < -_TOLERANCE:
        share = np.abs(vectors[:, 0])
        names = [structure.latent[real[i]] for i in np.flatnonzero(share > 0.3)]
        yield (
            f"The covariance matrix of the constructs is not positive definite{place}: {_and(names)} overlap more than "
            "is possible. Merge constructs that measure the same thing, or estimate by PLS."
        )


def _alike(structure: Structure, cov: Array, group: int, place: str) -> Iterator[str]:
    """Causes of one construct, or constructs of a measurement model, that correlate above `ALIKE`."""
    names = (*structure.observed, *structure.latent)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(np.diagonal(cov))
        correlation = np.nan_to_num(cov / np.outer(sd, sd))
    causes: dict[str, list[str]] = {}
    for row in structure.table:
        if row.op == "~" and row.group == group:
            causes.setdefault(row.lhs, []).append(row.rhs)
    told: dict[frozenset[int], list[str]] = {}
    for effect, several in causes.items():
        for cluster in _clusters(correlation, [names.index(name) for name in several]):
            told.setdefault(frozenset(cluster), []).append(effect)
    for together, effects in told.items():
        members = sorted(together)
        pairs = np.abs(correlation[np.ix_(members, members)])[np.triu_indices(len(members), 1)]
        alike = _and([names[i] for i in members])
        found = f"correlation {pairs.min():.3f}"
        if len(pairs) > 1:
            found = f"correlations {pairs.min():.3f} to {pairs.max():.3f}"
        yield (
            f"{alike} cannot be told apart as causes of {_and(effects)}{place} (implied {found}): only their joint "
            f"effect is identified, not the single paths. Estimate by PLS, or merge {alike} into one construct."
        )
    if not causes:
        latent = [i for i, name in enumerate(names) if name in structure.latent]
        for cluster in _clusters(correlation, latent):
            alike = _and([names[i] for i in sorted(cluster)])
            yield (
                f"{alike} correlate above {ALIKE}{place}: they are one construct as far as these items can tell. Merge "
                "them, or estimate by PLS."
            )


def _clusters(correlation: Array, members: Sequence[int]) -> list[set[int]]:
    """Sets of two or more members linked by correlations above `ALIKE`."""
    clusters: list[set[int]] = []
    for member in members:
        linked = [c for c in clusters if any(abs(correlation[member, other]) > ALIKE for other in c)]
        clusters = [c for c in clusters if c not in linked] + [{member}.union(*linked)]
    return [cluster for cluster in clusters if len(cluster) > 1]


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
