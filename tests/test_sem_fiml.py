"""Incomplete answers: likelihood, saturated moments, derivatives and tests, against lavaan 0.6-14 and by definition.

Expected numbers are in reference/fiml/lavaan_fiml.json; reference/fiml/README.md says where they are from.
"""

import importlib.util
import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from crmlab.sem import Model, SemError
from crmlab.sem.estimators import GroupSample, MLObjective, minimise
from crmlab.sem.fiml import FIMLObjective, independence, patterns, saturated
from crmlab.sem.matrices import Defaults, Structure, structure
from crmlab.sem.starting import starting_values

FOLDER = Path(__file__).parent / "reference" / "fiml"
REFERENCE = json.loads((FOLDER / "lavaan_fiml.json").read_text())
LAVAAN = REFERENCE["cases"]
# Mobi's likelihood is flat at its optimum: lavaan stops at up to 1e-4 from it.
TOLERANCE = {"mobi_ml": 5e-4}


def _make_data():
    spec = importlib.util.spec_from_file_location("fiml_make_data", FOLDER / "make_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _table(case: str) -> pd.DataFrame:
    if case.startswith("hs"):
        return _make_data().holzinger()
    return _make_data().mobi() if case.startswith("mobi") else pd.read_csv(FOLDER / "patterns.csv")


@cache
def _objective(case: str) -> FIMLObjective:
    table, grouped = _table(case), case.startswith("groups")
    shape = structure(Model(LAVAAN[case]["model"]), Defaults(groups=2 if grouped else 1, means=True))
    parts = list(table.groupby("group")) if grouped else [("all", table)]
    return FIMLObjective(shape, [GroupSample(name, part[list(shape.observed)].to_numpy()) for name, part in parts])


def _newton(objective: FIMLObjective, theta: np.ndarray) -> np.ndarray:
    """The optimum beside theta, whatever the search that brought us there."""
    for _ in range(20):
        theta = theta - np.linalg.solve(objective.observed_information(theta), objective.gradient(theta) / 2)
    assert np.abs(objective.gradient(theta)).max() < 1e-6
    return theta


@cache
def _estimates(case: str) -> np.ndarray:
    """Our own optimum, searched from lavaan's estimates."""
    shape, theta = _objective(case).structure, np.empty(_objective(case).structure.n_free)
    theta[shape.position[shape.position >= 0]] = _by_row(shape, case, "est")
    return _newton(_objective(case), theta)


def _vcov(case: str) -> np.ndarray:
    objective, theta = _objective(case), _estimates(case)
    bread = np.linalg.inv(objective.observed_information(theta)) / objective.n
    if LAVAAN[case]["estimator"] == "ML":
        return bread
    scores = objective.casewise_scores(theta)
    return bread @ (scores.T @ scores) @ bread


def _by_row(shape: Structure, case: str, column: str) -> np.ndarray:
    """lavaan's numbers in the order of the free rows of our table."""
    groups = {name: g + 1 for g, name in enumerate(dict.fromkeys(_table(case).get("group", ["all"])))}
    found = {}
    for row in LAVAAN[case]["parameters"]:
        key = row["lhs"], row["op"], row["rhs"], row["group"]
        found[key] = found[(key[2], key[1], key[0], key[3])] = row[column]
    assert len(groups) >= shape.groups
    return np.array(
        [found[r.lhs, r.op, r.rhs, r.group + 1] for r, k in zip(shape.table, shape.position, strict=True) if k >= 0]
    )


def _free(shape: Structure, values: np.ndarray) -> np.ndarray:
    return values[shape.position[shape.position >= 0]]


def _close(found, expected, tolerance=1e-4):
    """Relative or absolute difference, whichever is larger, as agreed for all comparisons with lavaan."""
    np.testing.assert_array_less(np.abs(np.asarray(found) - expected), tolerance * np.maximum(1, np.abs(expected)))


@pytest.mark.parametrize("case", LAVAAN)
def test_estimates_are_lavaans(case):
    shape = _objective(case).structure
    _close(_free(shape, _estimates(case)), _by_row(shape, case, "est"), TOLERANCE.get(case, 1e-4))


@pytest.mark.parametrize("case", LAVAAN)
def test_standard_errors_are_lavaans(case):
    shape = _objective(case).structure
    errors = np.sqrt(np.diagonal(_vcov(case)))
    _close(_free(shape, errors), _by_row(shape, case, "se"), TOLERANCE.get(case, 1e-4))


@pytest.mark.parametrize("case", LAVAAN)
def test_likelihoods_and_tests_are_lavaans(case):
    objective, theta, expected = _objective(case), _estimates(case), LAVAAN[case]["fit"]
    assert objective.n == LAVAAN[case]["n"]
    assert objective.log_likelihood(theta) == pytest.approx(expected["logl"], abs=1e-6)
    assert objective.saturated_log_likelihood == pytest.approx(expected["unrestricted.logl"], abs=1e-6)
    assert objective.n * objective.value(theta) == pytest.approx(expected["chisq"], abs=2e-6)
    baseline = sum(independence(found).log_likelihood for found in objective.patterns)
    assert 2 * (objective.saturated_log_likelihood - baseline) == pytest.approx(expected["baseline.chisq"], abs=2e-6)


@pytest.mark.parametrize("case", LAVAAN)
def test_saturated_moments_are_lavaans(case):
    for moments, expected in zip(_objective(case).saturated, LAVAAN[case]["saturated"], strict=True):
        assert moments.converged
        _close(moments.mean, expected["mean"], 1e-6)
        _close(moments.cov, expected["cov"], 1e-5)


@pytest.mark.parametrize("case", LAVAAN)
def test_saturated_information_is_lavaans(case):
    _close(_objective(case).saturated_information(0).observed[:9, :9], LAVAAN[case]["information_h1"])


@pytest.mark.parametrize("case", ["patterns_mlr", "groups_mlr"])
def test_scaling_factor_of_the_robust_test_is_lavaans(case):
    """Yuan & Bentler (2000) in Mplus' form: c = (tr(A₁⁻¹B₁) − tr(A₀⁻¹B₀)) / df, A information, B products of scores."""
    objective, theta = _objective(case), _estimates(case)
    scores = objective.casewise_scores(theta)
    trace = -np.trace(np.linalg.solve(objective.observed_information(theta), scores.T @ scores / objective.n))
    for group, found in enumerate(objective.patterns):
        information, scores = (
            objective.saturated_information(group).observed,
            objective.saturated_information(group).scores,
        )
        trace += np.trace(np.linalg.solve(information, scores.T @ scores / found.n))
    _close(trace / LAVAAN[case]["fit"]["df"], LAVAAN[case]["fit"]["chisq.scaling.factor"])


def _baseline(case: str) -> tuple[FIMLObjective, np.ndarray]:
    objective = _objective(case)
    text = "\n".join(f"{name} ~~ {name}" for name in objective.structure.observed)
    defaults = Defaults(groups=objective.structure.groups, means=True)
    shape = structure(Model(text), defaults, observed=objective.structure.observed)
    alone = [independence(found) for found in objective.patterns]
    index = {name: i for i, name in enumerate(shape.observed)}
    theta = np.zeros(shape.n_free)
    for row, k in zip(shape.table, shape.position, strict=True):
        i = index[row.lhs]
        theta[k] = alone[row.group].mean[i] if row.op == "~1" else alone[row.group].cov[i, i]
    return objective.of(shape), theta


@pytest.mark.parametrize("case", LAVAAN)
def test_complete_data_tests_are_lavaans(case):
    robust = LAVAAN[case]["estimator"] == "MLR"
    expected, degrees = LAVAAN[case]["corrected"], LAVAAN[case]["fit"]
    found = _objective(case).complete_data_test(_estimates(case), robust=robust)
    _close(found.statistic, expected["XX3"])
    _close(found.expectation / degrees["df"], expected["c.hat3"])
    baseline, theta = _baseline(case)
    found = baseline.complete_data_test(theta, robust=robust)
    _close(found.statistic, expected["XX3.null"])
    _close(found.expectation / degrees["baseline.df"], expected["c.hat3.null"])


def test_independence_is_an_optimum_of_its_model():
    baseline, theta = _baseline("groups_ml")
    assert np.abs(baseline.gradient(theta)).max() < 1e-12
    assert baseline.n * baseline.value(theta) == pytest.approx(LAVAAN["groups_ml"]["fit"]["baseline.chisq"], abs=1e-5)


def test_covariates_of_the_baseline_covary_freely():
    values = _table("patterns_ml")[["a1", "a2", "y"]].to_numpy()
    free, alone = saturated(values[:, :2]), independence(values[:, 2:])
    found = independence(values, covariates=[0, 1])
    assert found.log_likelihood == pytest.approx(free.log_likelihood + alone.log_likelihood, abs=1e-9)
    np.testing.assert_allclose(found.cov[:2, :2], free.cov)
    assert found.cov[0, 2] == 0


def test_given_covariates_are_lavaans():
    """Rows without a covariate are left out by the caller; the moments of the covariates are fixed at the sample's."""
    expected = REFERENCE["covariates"]
    shape = structure(Model(expected["model"]), Defaults(means=True))
    values = _table("patterns_ml")[list(shape.observed)].to_numpy()
    values = values[~np.isnan(values[:, shape.covariates]).any(axis=1)]
    moments = saturated(values)
    shape = shape.given([(moments.cov, moments.mean)])
    objective = FIMLObjective(shape, [GroupSample("", values)])
    theta = minimise(objective, starting_values(shape, objective.saturated)).theta
    assert objective.n == expected["n"]
    assert objective.n * objective.value(theta) == pytest.approx(expected["fit"]["chisq"], abs=1e-6)
    alone = independence(values, covariates=shape.covariates)
    baseline = 2 * (objective.saturated_log_likelihood - alone.log_likelihood)
    assert baseline == pytest.approx(expected["fit"]["baseline.chisq"], abs=1e-6)
    given = saturated(values[:, shape.covariates]).log_likelihood
    assert objective.log_likelihood(theta) - given == pytest.approx(expected["fit"]["logl"], abs=1e-6)
    errors = np.sqrt(np.diagonal(np.linalg.inv(objective.observed_information(theta)) / objective.n))
    numbers = {(row["lhs"], row["op"], row["rhs"]): (row["est"], row["se"]) for row in expected["parameters"]}
    rows = [numbers[r.lhs, r.op, r.rhs] for r, k in zip(shape.table, shape.position, strict=True) if k >= 0]
    _close(np.column_stack([_free(shape, theta), _free(shape, errors)]), np.array(rows))


# --- definitions


def _differences(function, at, step=1e-5):
    steps = step * np.eye(len(at))
    return np.array([(function(at + s) - function(at - s)) / (2 * step) for s in steps])


@pytest.fixture(scope="module")
def away() -> np.ndarray:
    """A point beside the optimum of two groups, where nothing vanishes."""
    theta = _estimates("groups_ml")
    return theta * (1 + 0.05 * np.random.default_rng(2).normal(size=len(theta)))


def test_likelihood_is_the_sum_over_rows(away):
    objective, total = _objective("groups_ml"), 0.0
    for group, found in enumerate(objective.patterns):
        cov, mean = objective.structure.implied(away, group)
        for row in found.values:
            o = ~np.isnan(row)
            total += multivariate_normal(mean[o], cov[np.ix_(o, o)]).logpdf(row[o])
    assert objective.log_likelihood(away) == pytest.approx(total, abs=1e-8)


def test_gradient_is_the_slope_of_the_value(away):
    objective = _objective("groups_ml")
    np.testing.assert_allclose(objective.gradient(away), _differences(objective.value, away), atol=1e-8)


def test_observed_information_is_the_curvature_of_the_value(away):
    objective = _objective("groups_ml")
    curvature = _differences(objective.gradient, away)
    np.testing.assert_allclose(objective.observed_information(away), (curvature + curvature.T) / 4, atol=1e-7)


def test_casewise_scores_are_the_slopes_of_the_rows(away):
    objective = _objective("groups_ml")
    scores = objective.casewise_scores(away)
    assert scores.shape == (objective.n, len(away))
    np.testing.assert_allclose(scores.sum(axis=0), -objective.n / 2 * objective.gradient(away), atol=1e-9)
    row = objective.patterns[1].values[7]
    o = ~np.isnan(row)

    def log_likelihood(theta):
        cov, mean = objective.structure.implied(theta, 1)
        return multivariate_normal(mean[o], cov[np.ix_(o, o)]).logpdf(row[o])

    np.testing.assert_allclose(scores[objective.patterns[0].n + 7], _differences(log_likelihood, away), atol=1e-7)


def test_expected_information_is_the_mean_of_the_observed_over_data_of_the_model():
    """Where every pattern has exactly the model's moments, observed and expected information of the moments agree."""
    objective = _objective("patterns_ml")
    theta = _estimates("patterns_ml")
    cov, mean = objective.structure.implied(theta, 0)
    rng = np.random.default_rng(4)
    root = np.linalg.cholesky(cov)
    blocks = []
    for absent in ([], [0], [2, 5], [1, 3, 6]):
        block = rng.normal(size=(40, 7))
        block -= block.mean(axis=0)
        block = block @ np.linalg.inv(np.linalg.cholesky(block.T @ block / 40)).T @ root.T + mean
        block[:, absent] = np.nan
        blocks.append(block)
    exact = FIMLObjective(objective.structure, [GroupSample("", np.vstack(blocks))])
    np.testing.assert_allclose(exact.gradient(theta), 0, atol=1e-12)
    np.testing.assert_allclose(exact.information(theta), exact.observed_information(theta), atol=1e-9)


def test_without_missing_answers_it_is_maximum_likelihood_of_complete_data():
    objective = _objective("patterns_ml")
    columns = list(objective.structure.observed)
    sample = GroupSample("", _table("patterns_ml")[columns].dropna().to_numpy())
    complete, incomplete = (
        MLObjective(objective.structure, [sample], means=True),
        FIMLObjective(objective.structure, [sample]),
    )
    theta = _estimates("patterns_ml")
    assert incomplete.value(theta) == pytest.approx(complete.value(theta), abs=1e-12)
    np.testing.assert_allclose(incomplete.gradient(theta), complete.gradient(theta), atol=1e-12)
    np.testing.assert_allclose(incomplete.information(theta), complete.information(theta), atol=1e-12)
    np.testing.assert_allclose(incomplete.saturated[0].cov, sample.cov, atol=1e-12)
    found = incomplete.complete_data_test(theta)
    assert found.statistic == pytest.approx(sample.n * complete.value(theta), abs=1e-9)
    assert found.expectation == pytest.approx(LAVAAN["patterns_ml"]["fit"]["df"], abs=1e-8)


def test_a_saturated_model_has_no_misfit():
    values = _table("patterns_ml")[["a1", "a2", "b1"]].to_numpy()
    shape = structure(Model("a1 ~~ a2 + b1\na2 ~~ b1"), Defaults(means=True), observed=["a1", "a2", "b1"])
    objective = FIMLObjective(shape, [GroupSample("", values)])
    found = minimise(objective, starting_values(shape, objective.saturated))
    assert objective.n * found.value == pytest.approx(0, abs=1e-9)


def test_order_of_rows_and_items_and_empty_rows_do_not_matter():
    values = _table("patterns_ml").drop(columns="group").to_numpy()
    rng = np.random.default_rng(5)
    rows, items = rng.permutation(len(values)), rng.permutation(7)
    one = saturated(values)
    other = saturated(np.vstack([values[rows][:, items], np.full((3, 7), np.nan)]))
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-9)
    np.testing.assert_allclose(other.cov, one.cov[np.ix_(items, items)], atol=1e-8)


def test_scaling_an_item_moves_the_likelihood_by_its_jacobian():
    values = _table("patterns_ml").drop(columns="group").to_numpy()
    scale = np.array([1, 1e4, 1, 1e-4, 1, 1, 10])
    one, other = saturated(values), saturated(values * scale)
    answered = (~np.isnan(values)).sum(axis=0)
    assert other.log_likelihood == pytest.approx(one.log_likelihood - answered @ np.log(scale), abs=1e-6)
    np.testing.assert_allclose(other.cov, one.cov * np.outer(scale, scale), rtol=1e-6)


def test_rows_without_answers_are_counted():
    assert _objective("patterns_ml").left_out == 2
    assert patterns(_table("patterns_ml").drop(columns="group").to_numpy()).n == 358


def test_em_reaches_a_stationary_point_where_half_is_missing():
    rng = np.random.default_rng(6)
    cov = 0.6 + 0.4 * np.eye(6)
    values = rng.multivariate_normal(np.arange(6.0), cov, size=1500)
    values[rng.random(values.shape) < 0.5] = np.nan
    moments = saturated(values)
    assert moments.converged
    text = "\n".join(f"x{i} ~~ " + " + ".join(f"x{j}" for j in range(i, 6)) for i in range(6))
    shape = structure(Model(text), Defaults(means=True))
    objective = FIMLObjective(shape, [GroupSample("", values)])
    np.testing.assert_allclose(moments.cov, cov, atol=0.15)  # five standard errors at n = 750
    np.testing.assert_allclose(objective.saturated_information(0).scores.sum(axis=0), 0, atol=1e-5)


def test_em_says_when_it_stopped_early():
    values = _table("patterns_ml").drop(columns="group").to_numpy()
    assert not saturated(values, max_iterations=4).converged


def test_coverage_is_the_share_of_rows_with_both_answers():
    values = np.array([[1.0, 2.0], [3.0, np.nan], [3.0, 4.0], [np.nan, 5.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(patterns(values).coverage, [[0.75, 0.5], [0.5, 0.75]])


def test_impossible_moments_have_infinite_value():
    objective = _objective("hs_ml")
    theta = _estimates("hs_ml").copy()
    theta[objective.structure.names.index("x1 ~~ x1")] = -5
    assert objective.value(theta) == np.inf


# --- tables that cannot be used


@pytest.fixture
def table() -> np.ndarray:
    return np.random.default_rng(7).normal(size=(40, 4))


NAMES = ["q1", "q2", "q3", "q4"]


def test_an_item_without_answers_is_named(table):
    table[:, 2] = np.nan
    with pytest.raises(SemError, match="q3 holds no answer at all; leave it out of the model"):
        patterns(table, NAMES)


def test_an_infinite_answer_is_named(table):
    table[4, 1] = np.inf
    with pytest.raises(SemError, match="q2 is infinite in row 5"):
        saturated(table, NAMES)


def test_items_never_answered_together_are_named(table):
    table[:20, 0] = np.nan
    table[20:, 3] = np.nan
    with pytest.raises(SemError, match="q1 and q4 are never both answered"):
        saturated(table, NAMES)


def test_a_constant_item_is_named(table):
    table[:, 1] = 4.0
    table[3, 0] = np.nan
    with pytest.raises(SemError, match="q2 has the same value in every row"):
        saturated(table, NAMES)


@pytest.mark.parametrize("incomplete", [False, True])
def test_items_that_depend_linearly_are_named(table, incomplete):
    table[:, 3] = table[:, 0] + table[:, 1]
    if incomplete:
        table[:10, 2] = np.nan
        table[5:12, 0] = np.nan
    with pytest.raises(SemError, match="over 40 rows is singular: q1, q2, q4 depend linearly"):
        saturated(table, NAMES)


@pytest.mark.parametrize("incomplete", [False, True])
def test_fewer_rows_than_items_are_told(table, incomplete):
    few = table[:4].copy()
    if incomplete:
        few[0, 0] = np.nan
    with pytest.raises(SemError, match="4 items over 4 rows is singular"):
        saturated(few, NAMES)


def test_an_error_names_the_group(table):
    shape = structure(Model("F =~ q1 + q2 + q3 + q4"), Defaults(groups=2, means=True))
    broken = table.copy()
    broken[:, 2] = np.nan
    with pytest.raises(SemError, match="group south: q3 holds no answer"):
        FIMLObjective(shape, [GroupSample("north", table), GroupSample("south", broken)])
