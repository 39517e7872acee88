"""Covariance-based estimation against lavaan 0.6-14 (numbers and their origin in tests/reference/cbsem)."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab.datasets import load_mobi
from crmlab.sem import Fit, ModelError, SemError, fit

REFERENCE = Path(__file__).parent / "reference" / "cbsem"
COLUMNS = {"est": "est", "se": "se", "std_lv": "std.lv", "std_all": "std.all"}
CASES = sorted(path.stem for path in REFERENCE.glob("*.json"))
# lavaan stops short of the optimum on the ill-conditioned survey, see the register
LOOSE = dict.fromkeys(("mobi_ml", "mobi_mlr", "mobi_observed_complaints", "mobi_fiml"), 5e-3)
# every other measure is compared in test_sem_measures
TESTS = ("npar", "chisq", "df", "pvalue", "logl", "unrestricted.logl", "aic", "bic", "cfi", "tli", "rmsea", "srmr")
SCALED = (
    "chisq.scaled",
    "chisq.scaling.factor",
    "baseline.chisq",
    "baseline.df",
    "baseline.chisq.scaling.factor",
    "scaling.factor.h0",
    "scaling.factor.h1",
    "cfi.robust",
    "rmsea.robust",
)


def reference(case: str) -> dict:
    return json.loads((REFERENCE / f"{case}.json").read_text(encoding="utf-8"))


@cache
def data(name: str) -> pd.DataFrame:
    if name == "mobi":
        return load_mobi()
    if name == "mobi with 5 % removed":
        return load_mobi().mask(np.random.default_rng(20050101).random((250, 24)) < 0.05)
    return pd.read_csv(REFERENCE / name)


@cache
def fitted(case: str) -> Fit:
    known = reference(case)
    options = {key.replace(".", "_"): value for key, value in dict(known["args"]).items()}
    if isinstance(options.get("group_equal"), str):
        options["group_equal"] = [options["group_equal"]]
    if options.get("missing") in ("ml", "FIML"):
        options["missing"] = "fiml"
    return fit(known["model"], data(known["data"]), **options)


def away(ours: object, theirs: object) -> float:
    """Largest difference, relative where a number exceeds 1."""
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    assert np.array_equal(np.isnan(a), np.isnan(b))
    return float(np.nanmax(np.abs(a - b) / np.maximum(1, np.abs(b)), initial=0))


@pytest.mark.parametrize("case", CASES)
def test_rows_stand_in_the_order_of_lavaan(case: str) -> None:
    ours, theirs = fitted(case).estimates, reference(case)["estimates"]
    assert list(zip(ours["lhs"], ours["op"], ours["rhs"], strict=True)) == list(
        zip(theirs["lhs"], theirs["op"], theirs["rhs"], strict=True)
    )


@pytest.mark.parametrize("case", CASES)
def test_estimates_errors_and_standardised_values(case: str) -> None:
    ours, theirs = fitted(case).estimates, reference(case)["estimates"]
    differences = {column: away(ours[column], theirs[name]) for column, name in COLUMNS.items()}
    assert max(differences.values()) < LOOSE.get(case, 1e-4), differences


@pytest.mark.parametrize("case", CASES)
def test_tests_and_likelihoods(case: str) -> None:
    ours, theirs = fitted(case).fit_measures, reference(case)["fit"]
    known = {name: theirs[name] for name in (*TESTS, *SCALED) if theirs.get(name) not in (None, "NA")}
    differences = {name: away(ours[name.replace(".", "_")], value) for name, value in known.items()}
    assert max(differences.values()) < 1e-4, differences


def test_fixed_parameters_have_no_error_and_no_z() -> None:
    marker = fitted("hs_ml").estimates.iloc[0]
    assert (marker["est"], marker["se"]) == (1.0, 0.0)
    assert np.isnan(marker["z"])
    assert np.isnan(marker["pvalue"])


def test_interval_at_another_level() -> None:
    row = fit(reference("hs_ml")["model"], data("hs.csv"), level=0.9).estimates.iloc[1]
    assert row["ci_upper"] - row["est"] == pytest.approx(1.6448536 * row["se"], rel=1e-6)


# ------------------------------------------------------------------------------------------------- groups


def test_groups_with_all_parameters_free_equal_separate_fits() -> None:
    model, table = reference("hs_ml")["model"], data("hs.csv")
    together = fit(model, table, group="school").estimates
    for number, (_, part) in enumerate(table.groupby("school", sort=False), start=1):
        alone = fit(model, part, meanstructure=True).estimates
        mine = together[together["group"] == number]
        assert away(mine["est"], alone["est"]) < 1e-5
        assert away(mine["se"], alone["se"]) < 1e-5


def test_an_equality_constraint_is_a_shared_label() -> None:
    labelled = "visual =~ x1 + a*x2 + a*x3\ntextual =~ x4 + x5 + x6"
    constrained = "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + x5 + x6\na == b"
    one, other = (fit(model, data("hs.csv")) for model in (labelled, constrained))
    assert one.df == other.df == 9
    assert away(one.estimates["est"], other.estimates["est"]) < 1e-5
    assert away(one.estimates["se"], other.estimates["se"]) < 1e-5


def test_one_name_may_stand_for_group_equal() -> None:
    one = fit(reference("hs_ml")["model"], data("hs.csv"), group="school", group_equal="loadings")
    assert one.df == reference("groups_metric")["fit"]["df"]


# ------------------------------------------------------------- what a solution says beside its parameters
# lavaan 0.6-14 on hs.csv: lavResiduals(type = "raw"), modindices(sort. = TRUE), lavPredict


def test_residuals_modification_indices_and_factor_scores_of_a_fit() -> None:
    result = fitted("hs_ml")
    assert result.residuals()[0].cov_z[1:4, 0] == pytest.approx([-1.996059, -0.996917, 2.679217], abs=1e-4)
    first = result.modification_indices().sort_values("mi", ascending=False).iloc[0]
    assert (first["lhs"], first["op"], first["rhs"], first["group"]) == ("visual", "=~", "x9", 1)
    assert (first["mi"], first["epc"]) == pytest.approx((36.411, 0.577), abs=5e-4)
    assert result.factor_scores().iloc[0].tolist() == pytest.approx([-0.8176752, -0.137545, 0.06150726], abs=1e-5)


def test_explained_variance_is_what_the_residual_leaves() -> None:
    standardised = fitted("ecsi_ml").estimates.query("op == '~~' and lhs == rhs").set_index("lhs")["std_all"]
    explained = fitted("ecsi_ml").r_squared
    assert away(explained, 1 - standardised[explained.index]) < 1e-10


def test_a_label_shared_with_a_fixed_parameter_fixes() -> None:
    """lavaan 0.6-14: cfa("v =~ a*x1 + a*x2 + x3 + x4") has 7 parameters and 3 degrees of freedom."""
    result = fit("v =~ a*x1 + a*x2 + x3 + x4", data("hs.csv"))
    assert (result.n_free, result.df) == (7, 3)
    assert result.estimates["est"].round(3).tolist() == [1, 1, 1.027, 0.64, 0.793, 1.003, 0.765, 1.153, 0.483]


# ---------------------------------------------------------------------------------------------- properties


def test_order_of_rows_and_of_items_does_not_matter() -> None:
    model, table = reference("hs_ml")["model"], data("hs.csv")
    shuffled = table.sample(frac=1, random_state=1)[list(reversed(table.columns))]
    assert away(fit(model, shuffled).estimates["est"], fit(model, table).estimates["est"]) < 1e-6


def test_scaling_an_item_changes_only_what_it_must() -> None:
    model, table = reference("hs_ml")["model"], data("hs.csv")
    scaled = fit(model, table.assign(x2=table["x2"] * 10)).estimates
    plain = fitted("hs_ml").estimates
    assert away(scaled["std_all"], plain["std_all"]) < 1e-5
    rows = {"visual =~ x2": 10.0, "x2 ~~ x2": 100.0}
    factor = [rows.get(f"{a} {op} {b}", 1.0) for a, op, b in plain[["lhs", "op", "rhs"]].itertuples(index=False)]
    assert away(scaled["est"], plain["est"] * factor) < 1e-4


def test_a_saturated_model_fits_exactly() -> None:
    saturated = fit("x1 ~~ x2 + x3\nx2 ~~ x3", data("hs.csv"))
    assert saturated.df == 0
    assert abs(saturated.test.chisq) < 1e-8


def test_covariates_may_be_given_or_modelled() -> None:
    given, modelled = fitted("covariates_ml"), fitted("covariates_free")
    assert given.test.chisq == pytest.approx(modelled.test.chisq, abs=1e-6)
    assert modelled.n_free - given.n_free == 3  # two variances and a covariance


# ------------------------------------------------------------------------- what a solution is told to lack


def told(model: str, table: pd.DataFrame, **options: object) -> str:
    return "\n".join(fit(model, table, **options).problems)  # type: ignore[arg-type]


def test_an_admissible_solution_has_no_problems() -> None:
    assert fitted("hs_ml").problems == []
    assert fitted("ecsi_ml").problems == []


def test_the_mobile_survey_cannot_tell_its_causes_apart() -> None:
    told = "\n".join(fitted("mobi_ml").problems)
    assert "Image, Expectation and Quality cannot be told apart as causes of Satisfaction" in told
    assert "Estimate by PLS, or merge Image, Expectation and Quality" in told
    assert "condition number 3.5e+06" in told


def test_an_impossible_latent_covariance_is_named() -> None:
    found = "\n".join(fitted("mobi_cfa").problems)
    assert "The covariance matrix of the constructs is not positive definite" in found
    assert "Quality and Satisfaction" in found


def test_too_few_moments() -> None:
    found = told("visual =~ x1 + x2", data("hs.csv"))
    assert "df = -1" in found
    assert "Not identified: visual =~ x2; x1 ~~ x1; x2 ~~ x2; visual ~~ visual." in found


def test_only_the_parameters_without_information_are_named_and_lose_their_errors() -> None:
    result = fit(reference("hs_ml")["model"] + "\nvisual ~ 1", data("hs.csv"))
    assert any(text.startswith("Not identified: visual ~1; x1 ~1; x2 ~1; x3 ~1.") for text in result.problems)
    lost = result.estimates[result.estimates["se"].isna()]
    assert sorted(zip(lost["lhs"], lost["op"], strict=True)) == [
        ("visual", "~1"),
        *((f"x{i}", "~1") for i in (1, 2, 3)),
    ]


def test_a_construct_without_scale() -> None:
    found = told("visual =~ NA*x1 + x2 + x3 + x4", data("hs.csv"))
    assert "visual =~ x1" in found
    assert "visual ~~ visual" in found


def test_a_heywood_case_names_its_item() -> None:
    found = told("a =~ x1 + x2\nb =~ x4 + x5 + x6\nc =~ x3 + x7", data("hs.csv").head(40))
    assert "residual variance of item x3 is negative" in found


# ------------------------------------------------------------------------------------------- hostile input


def spoiled(column: str, value: object, row: int | None = None) -> pd.DataFrame:
    table = data("hs.csv").astype({column: object})
    table.loc[slice(None) if row is None else row, column] = value
    return table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (lambda: spoiled("x2", 3.0), "x2 took one value only"),
        (lambda: data("hs.csv").eval("x2 = 2 * x1 + x3"), "x1, x2, x3 determine each other exactly"),
        (lambda: data("hs.csv").head(8), "8 complete respondents for 9 items"),
        (lambda: spoiled("x5", np.inf, 4), "column x5, row 4: found an infinite value"),
        (lambda: spoiled("x4", "good", 7), "column x4, row 7: found 'good', expected a number"),
        (lambda: spoiled("x9", np.nan), "x9 holds no answer at all"),
        (lambda: data("hs.csv").drop(columns="x9"), "no column x9"),
        (lambda: data("hs.csv").assign(x1=pd.Timestamp("2020-01-01")), "column x1 holds datetime64"),
    ],
)
def test_a_table_that_cannot_be_analysed_is_refused_by_name(table: object, message: str) -> None:
    with pytest.raises(SemError, match=message):
        fit(reference("hs_ml")["model"], table())  # type: ignore[operator]


def test_an_item_constant_in_one_group() -> None:
    table = data("hs.csv")
    table = table.assign(x1=table["x1"].where(table["school"] != "Pasteur", 1.0))
    with pytest.raises(SemError, match="x1 took one value only in group Pasteur"):
        fit(reference("hs_ml")["model"], table, group="school")


def test_respondents_left_out_are_told() -> None:
    assert fit(reference("hs_ml")["model"], spoiled("x1", np.nan, 3)).problems == [
        "1 of 301 respondents has at least one answer missing and is left out."
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": "GLS"}, "estimator 'GLS' is unknown; choose one of ML, MLR, MLM, ULS"),
        ({"missing": "pairwise"}, "missing 'pairwise' is unknown"),
        ({"missing": "fiml", "estimator": "MLM"}, "goes with ML and MLR, not with MLM"),
        ({"level": 95}, "level must lie between 0 and 1, found 95"),
        ({"group": "school", "group_equal": ["loading"]}, "group_equal 'loading' is unknown"),
        ({"group": "class"}, "no column class"),
    ],
)
def test_unknown_options(options: dict, message: str) -> None:
    with pytest.raises(SemError, match=message):
        fit(reference("hs_ml")["model"], data("hs.csv"), **options)


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        ("q := foo*2", r"line 4: 'foo\*2' speaks of 'foo'"),
        ("q := system(1)", r"system\(\) is unknown"),
        ("visual ~~ v*visual\ntextual ~~ t*textual\nv*t == 1", "not linear"),
        ("visual ~~ v*visual\nv == 1\nv == 2", "contradict each other: v == 1, v == 2"),
    ],
)
def test_faults_of_expressions_have_their_line(addition: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        fit(reference("hs_ml")["model"] + "\n" + addition, data("hs.csv"))
