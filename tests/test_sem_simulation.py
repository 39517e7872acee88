"""Simulated surveys and power; expected numbers come from the theory stated beside each."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from crmlab.sem import ModelError, SemError, fit
from crmlab.sem.simulation import power, simulate

QUALITY = "Q =~ q1 + q2 + q3\nS =~ s1 + s2 + s3\nS ~ b*Q"
STRONG = {"Q =~ q1": 0.8, "Q =~ q2": 0.7, "Q =~ q3": 0.7, "b": 0.4}


def three_sd(share: float, reps: int) -> float:
    """Three standard deviations of a share among independent repetitions (binomial)."""
    return 3 * np.sqrt(share * (1 - share) / reps)


# ---------------------------------------------------------------------------------------------- simulate


def test_moments_are_those_of_the_population() -> None:
    # Σ = λ φ λ' + Θ by hand; a covariance from n normal answers has variance (σ_ii σ_jj + σ_ij²)/n
    text = "F =~ 1*x1 + 0.8*x2 + 1.2*x3\nF ~~ 2*F\nx1 ~~ 0.5*x1\nx2 ~ 3*1"
    survey = simulate(text, 20_000, seed=3)
    loading = np.array([1, 0.8, 1.2])
    cov = 2 * np.outer(loading, loading) + np.diag([0.5, 1, 1])
    error = np.sqrt((np.outer(np.diag(cov), np.diag(cov)) + cov**2) / 20_000)
    assert list(survey.columns) == ["x1", "x2", "x3"]
    assert (np.abs(survey.cov() - cov) < 4 * error).all(axis=None)
    assert (np.abs(survey.mean() - [0, 3, 0]) < 4 * np.sqrt(np.diag(cov) / 20_000)).all()


def test_a_standardised_population_has_variances_of_one_and_standardised_paths() -> None:
    survey = simulate("z ~ 0.5*x + 0.4*y\ny ~ 0.3*x", 40_000, seed=4, standardised=True)
    # path rules (Wright 1934): r_xz = 0.5 + 0.4 × 0.3, r_yz = 0.4 + 0.5 × 0.3
    assert survey.var().to_numpy() == pytest.approx(1, abs=4 * np.sqrt(2 / 40_000))
    assert survey.cov().loc["x", "z"] == pytest.approx(0.62, abs=0.02)
    assert survey.cov().loc["y", "z"] == pytest.approx(0.55, abs=0.02)


def test_ways_to_give_a_value_agree() -> None:
    in_the_text = simulate("S =~ 0.9*s1 + 0.8*s2 + 0.7*s3\ns1 ~ 2*1\ns2 ~~ 0.3*s1", 10, seed=1)
    model = "S =~ s1 + l*s2 + s3\ns1 ~ 1\ns1 ~~ s2"
    truth = {"S=~s1": 0.9, "l": 0.8, " S =~  s3": 0.7, "s1 ~ 1": 2, "s2 ~~ s1": 0.3}
    pd.testing.assert_frame_equal(simulate(model, 10, truth, seed=1), in_the_text)


def test_the_seed_decides() -> None:
    pd.testing.assert_frame_equal(simulate(QUALITY, 5, STRONG, seed=2), simulate(QUALITY, 5, STRONG, seed=2))
    assert not simulate(QUALITY, 5, STRONG, seed=2).equals(simulate(QUALITY, 5, STRONG, seed=3))


@pytest.mark.parametrize(
    ("model", "truth", "message"),
    [
        ("y ~ x", {"y ~ z": 1.0}, "the model holds no parameter 'y ~ z'; it holds y ~ x"),
        ("y ~ x", {"y ~ x": np.nan}, "'y ~ x' is nan, expected a finite number"),
        ("y ~ 0.5*x", {"y ~ x": 0.4}, "y ~ x has the value 0.5 already"),
        ("F =~ a*x + a*y + z", {"a": 0.5, "F =~ y": 0.6}, "'F =~ y' is 0.6, but a has the value 0.5 already"),
        ("x ~~ 2*y", None, "not positive definite: no variances and residual covariances .* among x, y"),
        ("F =~ x + y + z", {"x ~~ x": -0.1}, "not positive definite: .* among x"),
        ("F =~ x + y + z", {"x ~~ x": 0, "y ~~ y": 0}, "not positive definite: no implied covariances .* among x, y"),
        ("y ~ 1*x\nx ~ 1*y", None, "its paths go round in a circle"),
    ],
)
def test_impossible_populations_are_refused(model: str, truth: dict[str, float] | None, message: str) -> None:
    with pytest.raises(SemError, match=message):
        simulate(model, 10, truth)


def test_a_standardised_population_needs_room_for_residuals() -> None:
    with pytest.raises(SemError, match="what explains y leaves no room for a residual within a variance of 1"):
        simulate("y ~ 1.1*x", 10, standardised=True)


@pytest.mark.parametrize("n", [0, -1, 2.5, True])
def test_a_survey_has_respondents(n: int) -> None:
    with pytest.raises(SemError, match="expected a whole number of at least 1"):
        simulate("y ~ x", n)


def test_groups_have_no_single_population() -> None:
    with pytest.raises(ModelError, match="modifiers for 2 groups, and there are 1"):
        simulate("y ~ c(0.1, 0.2)*x", 10)


# ------------------------------------------------------------------------------------------------- power


@pytest.mark.parametrize(("beta", "n"), [(0.15, 200), (0.2, 300), (0.0, 200)])
def test_power_and_error_of_one_path(beta: float, n: int) -> None:
    # z is about N(β √n / √(1 − β²), 1): power Φ(δ − 1.96) + Φ(−δ − 1.96); the approximation errs by less than 0.01
    reps = 1500
    row = power("y ~ x", {"y ~ x": beta}, n, reps, seed=1, standardised=True).table.set_index("parameter").loc["y ~ x"]
    se = np.sqrt((1 - beta**2) / n)
    expected = norm.cdf(beta / se - 1.959964) + norm.cdf(-beta / se - 1.959964)
    assert row["truth"] == pytest.approx(beta, abs=1e-12)
    assert row["power"] == pytest.approx(expected, abs=three_sd(expected, reps) + 0.01)
    assert row["coverage"] == pytest.approx(0.95, abs=three_sd(0.95, reps) + 0.005)
    assert row["bias"] == pytest.approx(0, abs=3 * se / np.sqrt(reps))
    assert row["se_mean"] == pytest.approx(se, rel=0.02)
    assert row["sd"] == pytest.approx(se, rel=3 / np.sqrt(2 * reps) + 0.01)


def test_another_level() -> None:
    planned = power("y ~ x", None, 200, 1500, alpha=0.2, seed=2)
    row = planned.table.set_index("parameter").loc["y ~ x"]
    assert row["power"] == pytest.approx(0.2, abs=three_sd(0.2, 1500) + 0.01)
    assert row["coverage"] == pytest.approx(1 - row["power"], abs=1e-12)  # where the truth is 0, missed is found


def test_every_survey_is_estimated_as_fit_does() -> None:
    planned = power("y ~ b*x\nb2 := b^2", {"b": 0.5}, 60, 2, seed=5).table.set_index("parameter")
    rng, root = np.random.default_rng([5, 60]), np.linalg.cholesky([[1.25, 0.5], [0.5, 1]])
    fits = [
        fit("y ~ b*x\nb2 := b^2", pd.DataFrame(rng.standard_normal((60, 2)) @ root.T, columns=["y", "x"]))
        for _ in range(2)
    ]
    for column, ours in (("est", "mean"), ("se", "se_mean")):
        known = np.mean([f.estimates.query("lhs != 'x'")[column].to_numpy() for f in fits], axis=0)
        assert planned[ours].to_numpy() == pytest.approx(known, abs=1e-6)


def test_truth_is_told_in_the_scaling_of_the_model() -> None:
    # with a first loading of 1 the second is 0.7/0.8, Q has variance 0.8² and the path is 0.4 λ_s1/0.8 with λ_s1 = 0.7
    marked = power(QUALITY, STRONG, 200, 2, standardised=True).table.set_index("parameter")["truth"]
    assert marked[["Q =~ q2", "Q ~~ Q", "S ~ Q"]].to_numpy() == pytest.approx([0.875, 0.64, 0.35], abs=1e-6)
    free = power(QUALITY, STRONG, 200, 2, standardised=True, std_lv=True).table.set_index("parameter")["truth"]
    # fit gives the residual of S variance 1, so that its path is 0.4/√(1 − 0.4²)
    assert free[["Q =~ q1", "Q =~ q2", "S ~ Q"]].to_numpy() == pytest.approx([0.8, 0.7, 0.4 / np.sqrt(0.84)], abs=1e-6)


def test_a_curve_and_its_points() -> None:
    told: list[tuple[int, int]] = []
    curve = power(
        "y ~ x", {"y ~ x": 0.2}, [50, 100], 20, seed=7, progress=lambda done, total: told.append((done, total))
    )
    alone = power("y ~ x", {"y ~ x": 0.2}, 100, 20, seed=7)
    pd.testing.assert_frame_equal(curve.table.query("n == 100").reset_index(drop=True), alone.table)
    assert told == [(k, 40) for k in range(1, 41)]
    assert curve.surveys.to_numpy().tolist() == [[50, 20, 20, 0], [100, 20, 20, 0]]


def test_a_wrong_model_is_called_wrong() -> None:
    planned = power("F =~ a + b + c + d", "F =~ a + b + c + d\na ~~ 0.5*b", 200, 5)
    assert planned.problems[0].startswith("The model is wrong in this population")


def test_inadmissible_solutions_are_counted() -> None:
    # loadings of 0.3 at n = 40: Heywood cases abound (Boomsma 1985 found them in most such samples)
    text = "F =~ 0.3*a + 0.3*b + 0.3*c"
    planned = power("F =~ a + b + c", text, 40, 40, seed=1, standardised=True)
    row = planned.surveys.iloc[0]
    assert row["inadmissible"] > 10
    assert f"At n = 40, {row['inadmissible']} of 40 solutions are inadmissible." in planned.problems


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("F =~ x + y", None, 100), "no power without identification. The model has 1 more free parameters"),
        (("F =~ NA*x + y + z", None, 100), "no power without identification. .*Not identified"),
        (("F =~ x + y + z", None, 3), "3 items need at least 4 respondents"),
        (("F =~ x + y + z", "F =~ x + y", 100), "the population holds no variable z"),
        (("F =~ x + y + z", None, 100, 1), "reps is 1, expected a whole number of at least 2"),
    ],
)
def test_what_cannot_be_planned_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(SemError, match=message):
        power(*arguments)


def test_the_level_lies_between_0_and_1() -> None:
    with pytest.raises(SemError, match="alpha must lie between 0 and 1, found 0"):
        power("y ~ x", None, 100, alpha=0)
