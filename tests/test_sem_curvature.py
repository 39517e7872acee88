"""Second derivatives of the discrepancies against central differences of their gradients."""

import numpy as np
import pytest

from crmlab.sem import Model
from crmlab.sem.curvature import curvature
from crmlab.sem.estimators import GroupSample, MLObjective, ULSObjective
from crmlab.sem.fiml import FIMLObjective
from crmlab.sem.matrices import Defaults, Structure, structure
from crmlab.sem.starting import starting_values

# regressions among constructs, a loop, items as causes, correlated errors, equal parameters, means of constructs
MODEL = """
A =~ x1 + a*x2 + x3
B =~ y1 + a*y2 + y3
C =~ z1 + z2 + z3
B ~ A + b*x3
C ~ A + b*B
A ~ 0.2*C
x2 ~~ y2
C ~ 1
"""
ITEMS = [f"{block}{k}" for block in "xyz" for k in (1, 2, 3)]


def shape(means: bool) -> Structure:
    text = MODEL if means else MODEL.replace("C ~ 1\n", "")
    return structure(Model(text), Defaults(groups=2, means=means), ITEMS)


def samples() -> list[GroupSample]:
    """Answers with a common cause, so that loadings relative to the first item are of ordinary size."""
    rng = np.random.default_rng(20)
    return [
        GroupSample(name, rng.normal(size=(n, 1)) + rng.normal(size=(n, 9)) @ (np.eye(9) + rng.normal(size=(9, 9)) / 6))
        for name, n in (("u", 60), ("v", 90))
    ]


def beside_the_optimum(structure: Structure, answers: list[GroupSample]) -> np.ndarray:
    return starting_values(structure, answers) + 0.05 * np.random.default_rng(3).normal(size=structure.n_free)


def differences(function, theta: np.ndarray) -> np.ndarray:
    """Central differences of a vector function, step 1e-5: exact to about 1e-9."""
    steps = 1e-5 * np.eye(len(theta))
    return np.array([(function(theta + step) - function(theta - step)) / 2e-5 for step in steps])


def incomplete(answers: list[GroupSample]) -> list[GroupSample]:
    rng = np.random.default_rng(4)
    return [GroupSample(s.name, np.where(rng.random(s.values.shape) < 0.1, np.nan, s.values)) for s in answers]


@pytest.mark.parametrize("means", [False, True])
@pytest.mark.parametrize("kind", [MLObjective, ULSObjective])
def test_observed_information_is_half_the_hessian(kind, means: bool) -> None:
    answers = samples()
    objective = kind(shape(means), answers, means)
    theta = beside_the_optimum(objective.structure, answers)
    assert np.isfinite(objective.value(theta))
    expected = differences(objective.gradient, theta) / 2
    np.testing.assert_allclose(objective.observed_information(theta), expected, atol=2e-7, rtol=1e-6)


def test_observed_information_with_missing_answers_is_half_the_hessian() -> None:
    answers = samples()
    objective = FIMLObjective(shape(True), incomplete(answers))
    theta = beside_the_optimum(objective.structure, answers)
    expected = differences(objective.gradient, theta) / 2
    np.testing.assert_allclose(objective.observed_information(theta), expected, atol=2e-7, rtol=1e-6)


def test_curvature_of_a_weighted_sum_of_moments() -> None:
    structure, rng = shape(True), np.random.default_rng(5)
    theta = beside_the_optimum(structure, samples())
    by_cov, by_mean = rng.normal(size=(9, 9)), rng.normal(size=9)
    by_cov = by_cov + by_cov.T

    def gradient(at: np.ndarray) -> np.ndarray:
        implied = structure.derivatives(at, 1)
        return np.einsum("qij,ij->q", implied.d_cov, by_cov) + implied.d_mean @ by_mean

    found = curvature(structure, theta, 1, by_cov, by_mean)
    np.testing.assert_allclose(found, differences(gradient, theta), atol=1e-6, rtol=1e-6)
