"""The search for the estimates: the constraints of the text, starting values, new beginnings where a search fails."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import expressions
from .estimators import GroupSample, Objective, Optimum, SampleSummary, minimise
from .fiml import FIMLObjective
from .matrices import Structure
from .moments import Array
from .starting import starting_values
from .syntax import Model

_RESTARTS = 12


def restrictions(model: Model, structure: Structure) -> tuple[Array, Array]:
    """K (q, u) and offset (q,) of theta = offset + K u under the `==` of the text.

    Raises
    ------
    ModelError
        A constraint or a definition (`:=`) cannot be computed from the labels.
    """
    found = expressions.linear_constraints(model.constraints, model.definitions, structure.labels, structure.n_free)
    expressions.check(model.definitions, structure.labels, structure.n_free)
    return found


def search(objective: Objective, samples: Sequence[GroupSample], K: Array, offset: Array) -> Optimum:
    """Minimise from starting values made of the data.

    A search that does not converge begins again with all paths at 0, then with scattered paths (the same every time),
    and in the end goes on patiently from the best point found: on surveys whose causes are nearly collinear the
    discrepancy has valleys that lead nowhere.
    """
    structure = objective.structure
    moments: Sequence[SampleSummary | GroupSample] = samples
    if isinstance(objective, FIMLObjective):
        answered = zip(objective.patterns, objective.saturated, strict=True)
        moments = [SampleSummary(found.n, saturated.cov, saturated.mean) for found, saturated in answered]
    rng = np.random.default_rng(0)
    best: Optimum | None = None
    for attempt in range(2 + _RESTARTS):
        theta = starting_values(structure, moments, attempt != 1, rng if attempt > 1 else None)
        found = minimise(objective, theta, K, offset, patient=False)
        if best is None or found.value < best.value or found.converged:
            best = found
        if best.converged:
            return best
    assert best is not None
    return minimise(objective, best.theta, K, offset)
