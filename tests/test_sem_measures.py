"""Fit measures against lavaan 0.6-14: every measure of every reference case, recomputed from statistics and moments."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab.sem import corrected, measures
from crmlab.sem.estimators import GroupSample
from crmlab.sem.fiml import FIMLObjective
from crmlab.sem.matrices import Defaults, structure
from crmlab.sem.syntax import Model

HERE = Path(__file__).parent / "reference" / "measures"
MODEL = "visual =~ x1+x2+x3\ntextual =~ x4+x5+x6\nspeed =~ x7+x8+x9"
ITEMS = [f"x{i}" for i in range(1, 10)]

COMPLETE = [
    "democracy_mean",
    "democracy_ml",
    "hs_covariates",
    "hs_covariates_mean",
    "hs_groups_mean",
    "hs_groups_mlr",
    "hs_mlm",
    "hs_mlmv",
    "hs_mlmvs",
    "hs_uls",
    "perfect_ml",
    "saturated_ml",
    "saturated_mlr",
]
ORDINAL = ["hs_dwls", "hs_wlsmv", "hs_wlsmv_groups", "hs_mixed_wlsmv"]
MISSING = ["hs_fiml", "hs_fiml_mlr", "hs_fiml_groups"]


def read(name):
    return json.loads((HERE / f"{name}.json").read_text())


def number(value):
    return np.nan if value is None else float(value)


def statistics(case, tests):
    plain, *others = tests.values()
    known = case["estimator"] != "ULS"
    if not others:
        return measures.TestStatistics(plain["stat"], plain["df"], is_chi_squared=known)
    scaled = others[0]
    df = scaled["df"] if scaled["test"] == "mean.var.adjusted" else None
    factor = number(scaled.get("scaling.factor"))
    return measures.TestStatistics(plain["stat"], plain["df"], factor, scaled.get("shift.parameter"), df)


def group_moments(groups, owners):
    return [
        measures.GroupMoments(
            np.array(one["cov"]),
            np.array(one["mean"]) if "mean" in one else None,
            np.array(one["th"]) if "th" in one else None,
            owners if "th" in one else (),
        )
        for one in groups
    ]


def sizes(case):
    return [int(n) for n in np.atleast_1d(case["nobs"])]


def residue(case, **more):
    p, thresholds = len(case["sample"][0]["cov"]), len(case["sample"][0].get("th", []))
    ordinal = np.arange(3, 9) if "mixed" in case["case"] else np.arange(p)
    owners = np.repeat(ordinal, thresholds // len(ordinal)).tolist()
    weights = [np.array(w) for w in case["wls_v"]] if "wls_v" in case else None
    choices = {"weights": weights, "least_squares": "logl" not in case["fit"]} | more
    exogenous = [int(i) - 1 for i in np.atleast_1d(case["x_idx"])]
    sample, implied = (group_moments(case[side], owners) for side in ("sample", "implied"))
    return measures.Residue(sizes(case), sample, implied, exogenous=exogenous, **choices)


def computed(case, data, correction=None):
    fit = case["fit"]
    likelihoods = None
    if "logl" in fit:
        factors = (number(fit[f"scaling.factor.{h}"]) if f"scaling.factor.{h}" in fit else None for h in ("h0", "h1"))
        likelihoods = measures.Likelihoods(fit["logl"], fit["unrestricted.logl"], *factors)
    test, baseline = (statistics(case, case[key]) for key in ("test", "baseline"))
    return measures.fit_measures(test, baseline, data, fit["npar"], likelihoods=likelihoods, corrected=correction)


def assert_as_lavaan(found, case, tolerance):
    expected = pd.Series({name.replace(".", "_"): number(value) for name, value in case["fit"].items()})
    assert set(found.index) == set(expected.index)
    np.testing.assert_allclose(found[expected.index], expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", COMPLETE)
def test_measures_of_complete_answers(name):
    case = read(name)
    if name == "perfect_ml":  # Hoelter's N divides by a statistic of 0; JSON has no infinity
        case["fit"] |= {"cn_05": np.inf, "cn_01": np.inf}
    assert_as_lavaan(computed(case, residue(case)), case, tolerance=1e-6)


@pytest.mark.parametrize("name", ORDINAL)
def test_measures_of_ordinal_answers(name):
    """The robust ones from Γ, W and Δ (Savalei 2021); with continuous items among them lavaan has nan."""
    case, correction = read(name), None
    data = residue(case)
    if "scaled.shifted" in case["test"] and "mixed" not in name:
        arrays = ([np.array(x) for x in case[key]] for key in ("delta", "wls_v", "gamma"))
        df = case["test"]["standard"]["df"]
        correction = corrected.ordinal(data.n, data.sample, data.implied, *arrays, df)
    assert_as_lavaan(computed(case, data, correction), case, tolerance=1e-6)


def independent(values):
    """Structure and estimates of the independence model: each item's own mean and variance."""
    text = "\n".join(f"{item} ~~ {item}" for item in ITEMS)
    model = structure(Model(text), Defaults(groups=len(values), means=True), ITEMS)
    moments = {"~1": [np.nanmean(v, axis=0) for v in values], "~~": [np.nanvar(v, axis=0) for v in values]}
    return model, np.array([moments[row.op][row.group][ITEMS.index(row.lhs)] for row in model.table])


@pytest.mark.parametrize("name", MISSING)
def test_measures_under_fiml(name):
    """GFI from pairwise moments and pattern information, robust measures from FIML-C (Zhang & Savalei 2023)."""
    case = read(name)
    everyone = pd.read_csv(HERE / "hs_miss.csv")[ITEMS].to_numpy(dtype=float)
    cuts = np.cumsum([0, *sizes(case)])
    values = [everyone[a:b] for a, b in pairwise(cuts)]
    groups = len(values)
    equal = ("loadings",) if groups == 2 else ()
    model = structure(Model(MODEL), Defaults(groups=groups, means=True, group_equal=equal), ITEMS)
    estimates = {(r["lhs"], r["op"], r["rhs"], r["group"] - 1): r["est"] for r in case["parameters"]}
    theta = np.zeros(model.n_free)
    for row, k in zip(model.table, model.position, strict=True):
        if k >= 0:
            theta[k] = estimates[row.lhs, row.op, row.rhs, row.group]
    implied = [measures.GroupMoments(*model.implied(theta, g)) for g in range(groups)]
    weights = [corrected.pattern_information(v, i, "expected") for v, i in zip(values, implied, strict=True)]
    data = residue(case, weights=weights, pairwise=[corrected.pairwise_moments(v) for v in values])
    objective = FIMLObjective(model, [GroupSample(str(g), v) for g, v in enumerate(values)])
    pairs = zip(objective.saturated, data.sample, strict=True)  # lavaan's EM stops earlier: go on from where it stopped
    objective.saturated = [replace(ours, mean=lavaans.mean, cov=lavaans.cov) for ours, lavaans in pairs]
    robust, df = name == "hs_fiml_mlr", {kind: case[kind]["standard"]["df"] for kind in ("test", "baseline")}
    own = objective.complete_data_test(theta, robust=robust)
    baseline, moments = independent(values)
    alone = objective.of(baseline).complete_data_test(moments, robust=robust)
    correction = corrected.missing_data(own, df["test"], alone, df["baseline"])
    assert_as_lavaan(computed(case, data, correction), case, tolerance=1e-6)
    assert correction.c_hat == pytest.approx(case["corrected"]["c.hat3"], rel=1e-6)


@pytest.mark.parametrize("name", [p.stem for p in sorted((HERE / "oracles").glob("*.json"))])
def test_measures_of_the_survey_cases(name):
    """The survey, its simulations and Holzinger–Swineford by ML, MLR, FIML, DWLS and WLSMV."""
    case = json.loads((HERE / "oracles" / f"{name}.json").read_text())
    found = computed(case, residue(case))
    apart = {"gfi", "agfi", "pgfi"} if {"ordinal", "fiml"} & set(case["kind"]) else set()  # need the raw answers
    robust = {k.replace(".", "_") for k in case["fit"] if "robust" in k} if "without robust" in case["kind"] else set()
    expected = {k.replace(".", "_"): number(v) for k, v in case["fit"].items()}
    for measure in set(expected) - apart - robust:
        assert found[measure] == pytest.approx(expected[measure], rel=1e-6, abs=1e-6, nan_ok=True), measure


def test_incremental_measures_at_the_edges():
    """What lavaan 0.6-14's own functions give for improbable statistics (T, df, T_B, df_B)."""
    names = ("cfi", "tli", "rfi", "nfi", "pnfi", "ifi", "rni")
    cases = {
        (3, 5, 4, 10): (1, 1 / 3, 1, 0.25, 0.125, 1, 2 / 3),
        (30, 12, 40, 10): (0.4, 0.5, np.nan, np.nan, 0.3, 0.3571429, 0.4),
        (7, 5, 10, 10): (0, 1, 1, 0.3, 0.15, 0.6, np.nan),
        (3, 0, 0, 0): (0, 1, np.nan, np.nan, np.nan, np.nan, np.nan),
        (5, 2, 5, 2): (0, 0, 0, 0, 0, 0, 0),
        (3, 5, np.nan, 10): (np.nan,) * 7,
    }
    for (t, df, t_b, df_b), expected in cases.items():
        found = [
            getattr(measures, m)(measures.TestStatistics(t, df), measures.TestStatistics(t_b, df_b)) for m in names
        ]
        if (t, df, t_b, df_b) == (3, 0, 0, 0):
            found[2] = np.nan  # rfi: 1 here and in lavaan; a baseline of nothing says nothing either way
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_rmsea_interval_is_vectorised_and_safe():
    """lavaan 0.6-14 lav_fit_rmsea_ci: (30, 5, N 100, two groups, c 1.3), (1e-8, 3, N 50), (5000, 3, N 50)."""
    lower, upper = measures.rmsea_interval([30.0, 0.0, np.nan], [5, 0, 5], 100, groups=2, c_hat=1.3)
    np.testing.assert_allclose(lower, [0.2428917, 0, np.nan], atol=1e-6)
    np.testing.assert_allclose(upper, [0.4898665, 0, np.nan], atol=1e-6)
    lower, upper = measures.rmsea_interval([1e-8, 5000.0], [3, 3], 50)
    np.testing.assert_allclose(lower, [0, 5.638032], atol=1e-5)
    np.testing.assert_allclose(upper, [0, 5.906663], atol=1e-5)


def test_interval_holds_the_statistic_at_its_tails():
    """By definition P(χ²(df, λ) ≤ T) is the tail at each end (scipy's independent distribution)."""
    from scipy.stats import ncx2

    t = np.array([20.0, 85.3, 575.0, 9000.0])
    df = np.array([5, 24, 241, 700])
    for probability in (0.05, 0.95):
        found = measures.noncentrality(t, df, probability)
        reached = found > 0
        np.testing.assert_allclose(ncx2.cdf(t[reached], df[reached], found[reached]), probability, atol=1e-9)


def test_pattern_information_of_complete_answers_is_the_normal_one():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(200, 3)) @ np.array([[1, 0.5, 0.2], [0, 1, 0.3], [0, 0, 1]])
    moments = measures.GroupMoments(np.cov(values.T, bias=True), values.mean(axis=0))
    normal = corrected.normal_information(moments)
    for kind in ("expected", "observed"):
        np.testing.assert_allclose(corrected.pattern_information(values, moments, kind), normal, atol=1e-10)


def test_ordinal_correction_declines_an_indefinite_matrix():
    bad = measures.GroupMoments(np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]]), None, np.zeros(3))
    nothing = corrected.ordinal([100], [bad], [bad], [np.zeros((6, 3))], [np.ones(6)], [np.eye(6)], 3)
    assert nothing is None
