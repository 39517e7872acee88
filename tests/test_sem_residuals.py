"""Residuals, modification indices, factor scores and reliability against lavaan 0.6-14 and semTools 0.5-6."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab.sem import fit, residuals
from crmlab.sem.corrected import normal_information, stacked_derivatives
from crmlab.sem.errors import SemError
from crmlab.sem.matrices import Defaults, structure
from crmlab.sem.measures import GroupMoments
from crmlab.sem.syntax import Model

HERE = Path(__file__).parent / "reference" / "measures"
CASES = sorted(path.stem for path in HERE.glob("residuals_*.json"))


class Case:
    """A reference case: the structure at lavaan's estimates, sample and implied moments."""

    def __init__(self, name):
        self.numbers = read = json.loads((HERE / f"{name}.json").read_text())
        self.n = [int(n) for n in np.atleast_1d(read["nobs"])]
        means = read["meanstructure"]
        tables = [one if isinstance(one, dict) else {"cov": one} for one in read["sample"]]
        self.samples = [GroupMoments(np.array(t["cov"]), np.array(t["mean"]) if means else None) for t in tables]
        plan = structure(Model(read["model"]), Defaults(groups=len(self.n), means=means), read["observed"])
        self.structure = plan.given([(s.cov, s.mean) for s in self.samples])
        estimates = {}
        for row in read["parameters"]:
            estimates[row["lhs"], row["op"], row["rhs"], row["group"] - 1] = row["est"]
            estimates[row["rhs"], row["op"], row["lhs"], row["group"] - 1] = row["est"]
        self.theta = np.zeros(self.structure.n_free)
        for row, k in zip(self.structure.table, self.structure.position, strict=True):
            if k >= 0:
                self.theta[k] = estimates[row.lhs, row.op, row.rhs, row.group]
        derivatives = [self.structure.derivatives(self.theta, g) for g in range(len(self.n))]
        self.implied = [GroupMoments(one.cov, one.mean if means else None) for one in derivatives]
        self.delta = [stacked_derivatives(one, means) for one in derivatives]


def filled(values):
    return np.array(values, dtype=float)


@pytest.mark.parametrize("kind", residuals.RESIDUALS)
@pytest.mark.parametrize("name", [name for name in CASES if "covariates" not in name])
def test_residuals(name, kind):
    case = Case(name)
    weights = None
    if case.numbers["information"] == "observed":
        weights = [normal_information(i, s) for i, s in zip(case.implied, case.samples, strict=True)]
    found = residuals.residuals(case.n, case.samples, case.implied, case.delta, kind=kind, weights=weights)
    for one, expected in zip(found, case.numbers["residuals"][kind], strict=True):
        np.testing.assert_allclose(one.cov, filled(expected["cov"]), atol=1e-9)
        np.testing.assert_allclose(one.cov_se, filled(expected["cov.se"]), atol=1e-7)
        free = (filled(expected["cov.se"]) > 1e-5) & (np.abs(one.cov) > 1e-4)  # lavaan leaves smaller ones undivided
        np.testing.assert_allclose(one.cov_z[free], filled(expected["cov.z"])[free], rtol=1e-5, atol=1e-5)
        if one.mean is not None:
            np.testing.assert_allclose(one.mean, filled(expected["mean"]), atol=1e-9)
            np.testing.assert_allclose(one.mean_se, filled(expected["mean.se"]), atol=1e-7)


ROBUST = json.loads((HERE / "robust_residuals.json").read_text())


def robust_fit(case):
    folder = HERE if case["data"] == "hs_miss" else HERE.parent / "cbsem"
    options = {name.replace(".", "_"): value for name, value in dict(case["args"] or {}).items()}
    return fit(case["model"], pd.read_csv(folder / f"{case['data']}.csv"), **options)


@pytest.mark.parametrize("name", ROBUST)
def test_residuals_of_robust_and_constrained_fits(name):
    """MLR, MLM and FIML (Huber–White's Γ), equal parameters within and across groups, observed information."""
    case, kinds = ROBUST[name], residuals.RESIDUALS
    result = robust_fit(case)
    for kind in kinds:
        for one, expected in zip(result.residuals(kind), case["residuals"][kind], strict=True):
            se, z = filled(expected["cov.se"]), filled(expected["cov.z"])
            np.testing.assert_allclose(one.cov, filled(expected["cov"]), atol=1e-5)
            np.testing.assert_allclose(one.cov_se, se, atol=5e-6)
            divided = (se > 1e-5) & (np.abs(one.cov) > 1.1e-4)  # lavaan leaves smaller ones undivided
            np.testing.assert_allclose(one.cov_z[divided], z[divided], rtol=5e-4, atol=5e-4)
            if one.mean is not None:
                np.testing.assert_allclose(one.mean_se, filled(expected["mean.se"]), atol=5e-6)


@pytest.mark.parametrize("kind", ["all", "lv"])
@pytest.mark.parametrize("name", ROBUST)
def test_errors_of_the_standardised_solution(name, kind):
    """lavaan's standardizedSolution, defined parameters included."""
    case = ROBUST[name]
    found, expected = robust_fit(case).standardised(kind), pd.DataFrame(case["standardised"][kind])
    keys = ["lhs", "op", "rhs", "group"]
    assert found[keys].to_numpy().tolist() == expected[keys].to_numpy().tolist()
    for ours, theirs in (("est", "est.std"), ("se", "se"), ("ci_lower", "ci.lower"), ("ci_upper", "ci.upper")):
        np.testing.assert_allclose(found[ours], expected[theirs].astype(float), atol=2e-5, err_msg=theirs)


def test_unknown_standardised_solution():
    with pytest.raises(SemError, match="choose from all, lv"):
        robust_fit(ROBUST["mlr"]).standardised("nox")


def test_unknown_kind_of_residual():
    case = Case("residuals_hs")
    with pytest.raises(SemError, match="choose from raw, cor_bollen, cor_bentler"):
        residuals.residuals(case.n, case.samples, case.implied, case.delta, kind="standardised")


@pytest.mark.parametrize("name", CASES)
def test_modification_indices(name):
    """The same suggestions in the same order, less those that would explain given covariates."""
    case = Case(name)
    found = residuals.modification_indices(case.structure, case.theta, case.samples, case.n)
    table = pd.DataFrame(case.numbers["modification"])
    table["group"] = table["group"] - 1 if "group" in table else 0
    given = {case.structure.observed[i] for i in case.structure.covariates}
    table = table[~table["lhs"].isin(given)]
    names = ["lhs", "op", "rhs", "group"]
    assert found[names].to_numpy().tolist() == table[names].to_numpy().tolist()
    for ours, theirs in (("mi", "mi"), ("epc", "epc"), ("sepc_lv", "sepc.lv"), ("sepc_all", "sepc.all")):
        np.testing.assert_allclose(found[ours], table[theirs].astype(float), rtol=1e-6, atol=1e-8)


def test_modification_index_is_about_the_fall_in_chi_square():
    """Freeing visual ~~ speed: χ² falls from 116.3 to 85.3 (lavaan), one step of Newton's says 24.7."""
    case = Case("residuals_hs_fixed")
    found = residuals.modification_indices(case.structure, case.theta, case.samples, case.n)
    first = found.iloc[0]
    assert (first["lhs"], first["op"], first["rhs"]) == ("visual", "~~", "speed")
    assert first["mi"] == pytest.approx(24.738796188266, rel=1e-8)


def test_constraints_shrink_what_the_free_parameters_take_up():
    """With fewer free directions a candidate keeps more information of its own, and its index is no larger."""
    case = Case("residuals_hs")
    basis = np.eye(case.structure.n_free)[:, :-1]
    free = residuals.modification_indices(case.structure, case.theta, case.samples, case.n)
    bound = residuals.modification_indices(case.structure, case.theta, case.samples, case.n, constraints=basis)
    keys = ["lhs", "op", "rhs"]
    both = free.merge(bound, on=keys, suffixes=("", "_bound"))
    assert len(both) == len(free)
    assert (both["mi_bound"] <= both["mi"] * (1 + 1e-9)).all()


@pytest.fixture(scope="module")
def answers():
    return pd.read_csv(HERE / "scores_answers.csv")


@pytest.mark.parametrize("method", residuals.SCORES)
@pytest.mark.parametrize("name", ["residuals_hs", "residuals_hs_mean", "residuals_hs_covariates"])
def test_factor_scores(name, method, answers):
    """First ten pupils of Holzinger–Swineford; lavaan's lavPredict."""
    case = Case(name)
    values = answers[list(case.structure.observed)].to_numpy(dtype=float)
    found = residuals.factor_scores(case.structure, case.theta, values, method=method)
    expected = case.numbers["scores"]["Bartlett" if method == "bartlett" else "regression"][0]
    np.testing.assert_allclose(found[:10], filled(expected), atol=1e-6)


def test_factor_scores_leave_out_missing_answers(answers):
    case = Case("residuals_hs_mean")
    values = answers[list(case.structure.observed)].to_numpy(dtype=float)
    holes = values.copy()
    holes[0, 3:] = np.nan
    holes[1] = np.nan
    found = residuals.factor_scores(case.structure, case.theta, holes)
    cov, mean = case.structure.all_moments(case.theta, 0)
    by_hand = mean[9:] + cov[9:, :3] @ np.linalg.solve(cov[:3, :3], values[0, :3] - mean[:3])
    np.testing.assert_allclose(found[0], by_hand, atol=1e-12)
    assert np.isnan(found[1]).all()
    assert np.isnan(residuals.factor_scores(case.structure, case.theta, holes, method="bartlett")[0]).all()


def test_unknown_method_of_scores():
    case = Case("residuals_hs")
    with pytest.raises(SemError, match="choose from regression, bartlett"):
        residuals.factor_scores(case.structure, case.theta, np.zeros((2, 9)), method="sum")


@pytest.mark.parametrize("name", CASES)
def test_reliability(name):
    """semTools' compRelSEM (observed and implied variance of the sum) and AVE."""
    case = Case(name)
    found = residuals.model_reliability(case.structure, case.theta, case.samples)
    for column, key in (("omega_observed", "observed"), ("omega", "implied"), ("ave_observed", "ave")):
        numbers = case.numbers["reliability"][key]
        for row in found.itertuples():
            expected = np.atleast_1d(numbers[row.construct])[row.group]
            assert getattr(row, column) == pytest.approx(expected, abs=1e-7)
