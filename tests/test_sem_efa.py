"""Exploratory factor analysis, rotations, parallel analysis, and intervals of reliability.

References: psych 2.2.9, GPArotation 2022.10.2 and factanal of R 4.2.2, made by tests/reference/efa/make.R.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab import sem
from crmlab.datasets import load_mobi
from crmlab.sem import rotation

REFERENCE = Path(__file__).with_name("reference")
PSYCH = pd.read_csv(REFERENCE / "efa/psych.csv", keep_default_na=False)
MOBI_ITEMS = [*(f"IMAG{i}" for i in range(1, 6)), *(f"PERQ{i}" for i in range(1, 8)), "CUSA1", "CUSA2", "CUSA3"]


def case(name):
    """The answers of a reference case and its number of factors."""
    if name == "hs":
        return pd.read_csv(REFERENCE / "cbsem/hs.csv")[[f"x{i}" for i in range(1, 10)]], 3
    return load_mobi()[MOBI_ITEMS], 2


def reference(name, rotated, statistic):
    rows = PSYCH[(PSYCH["case"] == name) & (PSYCH["rotation"] == rotated) & (PSYCH["statistic"] == statistic)]
    return rows.set_index(["item", "factor"])["value"]


def two_factors(n=400, seed=1, correlation=0.5):
    """Six items on two correlated factors, loadings 0.8."""
    rng = np.random.default_rng(seed)
    trait = rng.normal(size=(n, 2)) @ np.linalg.cholesky([[1, correlation], [correlation, 1]]).T
    return pd.DataFrame(0.8 * trait[:, [0, 0, 0, 1, 1, 1]] + 0.6 * rng.normal(size=(n, 6)), columns=list("abcdef"))


# ------------------------------------------------------------------------------------------------ against psych


@pytest.mark.parametrize("name", ["hs", "mobi"])
@pytest.mark.parametrize(
    ("rotated", "tolerance"),
    [
        ("oblimin", 1e-6),
        ("oblimin_psych", 1e-4),
        ("promax", 1e-6),
        ("varimax", 1e-6),
        # psych leaves stats::varimax at eps = 1e-5: it stops up to 6.5e-4 short of the maximum, and promax follows it.
        ("varimax_psych", 1e-3),
        ("promax_psych", 1e-3),
    ],
)
def test_rotated_loadings_agree_with_psych(name, rotated, tolerance):
    data, factors = case(name)
    result = sem.efa(data, factors, rotation=rotated.removesuffix("_psych"))
    expected = reference(name, rotated, "loading").unstack()
    assert result.converged
    np.testing.assert_allclose(result.loadings, expected.loc[result.loadings.index], atol=tolerance)
    for (one, other), value in reference(name, rotated, "correlation").items():
        assert result.correlations.loc[one, other] == pytest.approx(value, abs=tolerance)


@pytest.mark.parametrize("name", ["hs", "mobi"])
def test_the_likelihood_agrees_with_factanal_and_psych(name):
    data, factors = case(name)
    result = sem.efa(data, factors, rotation="none")
    fit, told = result.fit_measures, reference(name, "none", "STATISTIC")
    uniqueness = reference(name, "none", "uniqueness").droplevel("factor")
    np.testing.assert_allclose(result.items["uniqueness"], uniqueness.loc[result.items.index], atol=1e-6)
    assert fit["chisq"] == pytest.approx(told.item(), abs=1e-5)
    assert fit["chisq"] == pytest.approx(reference(name, "none", "chisq_factanal").item(), abs=1e-6)
    assert fit["df"] == reference(name, "none", "dof").item()
    assert fit["bic"] == pytest.approx(reference(name, "none", "BIC").item(), abs=1e-5)
    n = result.n
    # psych takes 1/(n − 1) off where lavaan's convention, which the house follows, takes 1/n.
    psych_rmsea = np.sqrt(fit["rmsea"] ** 2 + 1 / n - 1 / (n - 1))
    assert psych_rmsea == pytest.approx(reference(name, "none", "RMSEA").item(), abs=1e-6)
    null, pairs = reference(name, "none", "null.chisq").item(), fit["bartlett_df"]
    expected_tli = (null / pairs - told.item() / fit["df"]) / (null / pairs - 1)
    assert fit["tli"] == pytest.approx(expected_tli, abs=1e-6), "Tucker & Lewis (1973) on psych's two statistics"


@pytest.mark.parametrize("name", ["hs", "mobi"])
def test_kmo_and_bartlett_agree_with_psych(name):
    data, factors = case(name)
    result = sem.efa(data, factors)
    msa = reference(name, "none", "MSA").droplevel("factor")
    assert result.fit_measures["kmo"] == pytest.approx(msa[""], abs=1e-9)
    np.testing.assert_allclose(result.items["msa"], msa.loc[result.items.index], atol=1e-9)
    bartlett = reference(name, "none", "bartlett_chisq").item()
    assert result.fit_measures["bartlett_chisq"] == pytest.approx(bartlett, abs=1e-6)


# ---------------------------------------------------------------------------------------------------- properties


@pytest.mark.parametrize("kind", ["oblimin", "promax", "varimax"])
def test_a_rotation_changes_neither_communalities_nor_fit(kind):
    data, _ = case("hs")
    plain, turned = sem.efa(data, 3, rotation="none"), sem.efa(data, 3, rotation=kind)
    np.testing.assert_allclose(turned.items["communality"], plain.items["communality"], atol=1e-9)
    np.testing.assert_allclose(turned.items["communality"] + turned.items["uniqueness"], 1, atol=1e-5)
    assert turned.fit_measures["chisq"] == pytest.approx(plain.fit_measures["chisq"], rel=1e-12)


def test_a_known_structure_is_recovered():
    result = sem.efa(two_factors(n=5000), 2)
    four = 4 / 5000**0.5
    strong = result.loadings.abs().max(axis=1)
    np.testing.assert_allclose(strong, 0.8, atol=four)
    assert result.loadings.abs().min(axis=1).max() < four
    assert result.correlations.loc["F1", "F2"] == pytest.approx(0.5, abs=four)
    assert result.problems == []


def test_reordered_items_give_the_same_loadings():
    data, factors = case("hs")
    one, other = sem.efa(data, factors), sem.efa(data[data.columns[::-1]], factors)
    np.testing.assert_allclose(other.loadings.loc[data.columns], one.loadings, atol=1e-5)


def test_polychoric_correlations_undo_what_cutting_into_categories_does():
    continuous = two_factors(n=4000)
    answers = pd.DataFrame(np.digitize(continuous, [-0.5, 0.8]), columns=continuous.columns)
    loadings = {
        kind: sem.efa(answers, 2, correlation=kind).loadings.abs().max(axis=1) for kind in ("pearson", "polychoric")
    }
    assert (loadings["pearson"] < 0.75).all(), "cutting attenuates"
    np.testing.assert_allclose(loadings["polychoric"], 0.8, atol=4 / 4000**0.5)


def test_oblimin_is_no_worse_than_any_single_start():
    data, factors = case("mobi")
    plain = sem.efa(data, factors, rotation="none").loadings.to_numpy()

    def criterion(pattern):
        squared = pattern**2
        return np.sum(squared * (squared.sum(axis=1, keepdims=True) - squared)) / 4

    best = criterion(rotation.oblimin(plain).loadings)
    for seed in range(5):
        turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(factors, factors)))[0]
        assert best <= criterion(rotation.oblimin(plain @ turn, starts=1).loadings) + 1e-9


def test_varimax_comes_to_rest_where_the_usual_iteration_goes_in_circles():
    simple = np.array([[0.8, 0.0], [0.7, 0.0], [0.0, 0.6], [0.0, 0.9]])
    for angle in np.linspace(0.05, 1.5, 30):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        found = rotation.tidied(rotation.varimax(simple @ turn)).loadings
        np.testing.assert_allclose(np.sort(found.max(axis=1)), [0.6, 0.7, 0.8, 0.9], atol=1e-9)


def test_a_heywood_case_is_named():
    data = two_factors(n=200)
    data["a"] = data["b"] + 0.01 * np.random.default_rng(1).normal(size=200)
    problems = sem.efa(data, 2).problems
    assert any("no unique variance is left (a Heywood case, held at 0.005)" in text for text in problems)


def test_too_many_factors_are_refused_with_the_number_possible():
    with pytest.raises(sem.SemError) as told:
        sem.efa(two_factors(), 4)
    assert str(told.value) == "factors: found 4 for 6 items, which can tell at most 3 apart. Ask for 1 to 3"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rotation": "quartimax"}, "rotation 'quartimax' is unknown; choose one of oblimin, promax, varimax, none"),
        ({"correlation": "kendall"}, "correlation 'kendall' is unknown; choose one of pearson, polychoric"),
    ],
)
def test_unknown_options_are_told(options, message):
    with pytest.raises(sem.SemError) as told:
        sem.efa(two_factors(), 2, **options)
    assert str(told.value) == message


def test_missing_answers_are_counted():
    data = two_factors()
    data.iloc[:7, 0] = np.nan
    result = sem.efa(data, 2)
    assert result.n == 393
    assert result.problems[0] == "7 of 400 respondents have at least one answer missing and are left out."


# ---------------------------------------------------------------------------------------------- parallel analysis


def test_unrelated_items_have_no_factor_and_known_ones_are_counted():
    noise = pd.DataFrame(np.random.default_rng(3).normal(size=(300, 8)), columns=list("abcdefgh"))
    assert sem.parallel_analysis(noise, samples=200).factors == 0
    assert sem.parallel_analysis(two_factors(), samples=200).factors == 2


def test_drawn_eigenvalues_are_those_of_simulated_answers():
    data = two_factors(n=120)
    table = sem.parallel_analysis(data, samples=2000).table
    rng = np.random.default_rng(9)
    drawn = np.array(
        [np.linalg.eigvalsh(np.corrcoef(rng.normal(size=(120, 6)), rowvar=False))[::-1] for _ in range(2000)]
    )
    error = 5 * drawn.std(axis=0) * (2 / 2000) ** 0.5
    assert (np.abs(table["normal_mean"] - drawn.mean(axis=0)) < error).all()
    assert (np.abs(table["resampled_mean"] - drawn.mean(axis=0)) < error).all(), "normal items, so shuffling is alike"
    np.testing.assert_allclose(table["eigenvalue"].sum(), 6)


def test_polychoric_parallel_analysis_counts_the_factors_of_coarse_answers():
    data = two_factors(n=300)
    answers = pd.DataFrame(np.digitize(data, [-0.5, 0.5]), columns=data.columns)
    found = sem.parallel_analysis(answers, correlation="polychoric", samples=20)
    assert found.factors == 2
    assert "normal_limit" not in found.table.columns


def test_same_seed_same_numbers():
    one, same, other = (sem.parallel_analysis(two_factors(), samples=50, seed=seed).table for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same, check_exact=True)
    assert not one.equals(other)


# ------------------------------------------------------------------------------------- intervals of reliability

BLOCKS = {"Image": [f"IMAG{i}" for i in range(1, 6)], "Satisfaction": ["CUSA1", "CUSA2", "CUSA3"]}


def test_reliability_intervals_are_those_of_a_bootstrap_by_hand():
    data = load_mobi()
    table = sem.reliability_intervals(data, BLOCKS, measures=["alpha"], resamples=2000, seed=4)
    satisfaction = table[table["construct"] == "Satisfaction"].iloc[0]
    rng, values = np.random.default_rng(11), data[BLOCKS["Satisfaction"]].to_numpy()
    drawn = []
    for _ in range(2000):
        cov = np.cov(values[rng.integers(0, 250, 250)], rowvar=False)
        drawn.append(1.5 * (1 - np.trace(cov) / cov.sum()))
    assert satisfaction["estimate"] == pytest.approx(0.7701, abs=5e-5), "psych 2.2.9, raw alpha"
    assert satisfaction["se"] == pytest.approx(np.std(drawn), rel=0.1)
    np.testing.assert_allclose(
        satisfaction[["ci_lower", "ci_upper"]].astype(float), np.quantile(drawn, [0.025, 0.975]), atol=0.006
    )


def test_reliability_intervals_hold_the_estimate_for_every_measure():
    table = sem.reliability_intervals(load_mobi(), BLOCKS, resamples=300)
    assert table["measure"].tolist() == ["alpha", "omega", "rho_c", "ave"] * 2
    assert ((table["ci_lower"] < table["estimate"]) & (table["estimate"] < table["ci_upper"])).all()


def test_coverage_of_the_alpha_interval():
    """α of three items with loadings 0.8: 3·0.64/(1 + 2·0.64) = 0.8421; 60 samples, 95 % intervals."""
    truth, hits = 3 * 0.64 / (1 + 2 * 0.64), 0
    for seed in range(60):
        data = two_factors(n=200, seed=seed, correlation=0.0)
        row = sem.reliability_intervals(data, {"A": list("abc")}, measures=["alpha"], resamples=300, seed=seed).iloc[0]
        hits += row["ci_lower"] < truth < row["ci_upper"]
    assert hits >= 51, "binomial(60, 0.95) falls below 51 once in 700"


def test_htmt_readings_follow_the_interval():
    close, apart = two_factors(correlation=0.97, n=600), two_factors(correlation=0.3, n=600)
    blocks = {"One": list("abc"), "Two": list("def")}
    assert sem.htmt_intervals(apart, blocks, resamples=300)["reading"].tolist() == ["distinct"]
    assert sem.htmt_intervals(close, blocks, resamples=300)["reading"].tolist() == ["not distinct"]
    mobi = sem.htmt_intervals(load_mobi(), BLOCKS, resamples=300).iloc[0]
    assert mobi["reading"] == "undecided"
    assert mobi["ci_lower"] < 0.9 < mobi["ci_upper"]


def test_an_unknown_measure_is_told():
    with pytest.raises(sem.SemError) as told:
        sem.reliability_intervals(load_mobi(), BLOCKS, measures=["kuder"])
    assert str(told.value) == "measures: found ['kuder']; choose among alpha, alpha_std, omega, rho_a, rho_c, ave"
