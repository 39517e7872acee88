"""The baseline model of continuous items: no covariances but those among covariates, with its estimates in closed form.

References
----------
Bentler, P. M. & Bonett, D. G. (1980). Significance tests and goodness of fit in the analysis of covariance structures.
Psychological Bulletin 88, 588–606.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .matrices import Parameter, Structure
from .measures import GroupMoments
from .moments import Array


def independence_structure(
    structure: Structure, covariates: Sequence[str], moments: Sequence[GroupMoments]
) -> tuple[Structure, Array]:
    """Structure and estimates (q,) of the baseline model of a structure.

    Parameters
    ----------
    structure : Structure
    covariates : sequence of str
        Variables whose covariances stay; those whose moments are given in `structure` stay given.
    moments : sequence of GroupMoments
        Of each group those that the baseline model reproduces as far as it can.
    """
    names = structure.observed
    given = {names[i] for i in structure.covariates}
    table, theta = [], []
    for group, found in enumerate(moments):
        rows = [
            (name, "~~", other, float(found.cov[i, j]))
            for i, name in enumerate(names)
            for j, other in enumerate(names[i:], start=i)
            if i == j or (name in covariates and other in covariates)
        ]
        if found.mean is not None:
            rows += [(name, "~1", "", float(mean)) for name, mean in zip(names, found.mean, strict=True)]
        for lhs, op, rhs, value in rows:
            fixed = value if lhs in given else None
            table.append(Parameter(lhs, op, rhs, group, fixed, covariate=lhs in given))
            theta += [value] if fixed is None else []
    return Structure(table, names, (), structure.groups), np.array(theta)
