"""What must hold for every survey, whatever its numbers: invariances, limits and the recovery of a known truth."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crmlab.sem import Fit, fit
from crmlab.sem.simulation import power, simulate

MODEL = """
    Quality =~ q1 + q2 + q3
    Value =~ v1 + v2 + v3
    Loyalty =~ l1 + l2 + l3
    Value ~ b*Quality
    Loyalty ~ c*Value + Quality
    indirect := b*c
"""
TRUTH = {
    **{f"Quality =~ q{i}": loading for i, loading in ((1, 0.8), (2, 0.7), (3, 0.75))},
    **{f"Value =~ v{i}": loading for i, loading in ((1, 0.85), (2, 0.7), (3, 0.65))},
    **{f"Loyalty =~ l{i}": loading for i, loading in ((1, 0.7), (2, 0.8), (3, 0.6))},
    "b": 0.5,
    "c": 0.4,
    "Loyalty ~ Quality": 0.2,
}
OPTIONS: tuple[dict[str, Any], ...] = (
    {"estimator": "ML"},
    {"estimator": "MLR"},
    {"estimator": "MLM"},
    {"estimator": "ULS"},
    {"estimator": "MLR", "missing": "fiml"},
)
CLOSE = 2e-5  # of an estimate in units of its own size or of 1: what two searches for one optimum differ by
named = pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options.values()))


@cache
def survey(n: int = 300, seed: int = 1) -> pd.DataFrame:
    return simulate(MODEL, n, TRUTH, seed=seed, standardised=True) + 5


def answers(options: dict[str, Any]) -> pd.DataFrame:
    """The survey; with a tenth of the answers missing where the option is to keep such respondents."""
    if options.get("missing") != "fiml":
        return survey()
    return survey().mask(np.random.default_rng(2).random(survey().shape) < 0.1)


def estimates(fitted: Fit) -> pd.DataFrame:
    """Estimates by relation, the two ends of a covariance in alphabetical order."""
    table = fitted.estimates
    swap = (table["op"] == "~~") & (table["lhs"] > table["rhs"])
    ends = table["lhs"].where(~swap, table["rhs"]), table["rhs"].where(~swap, table["lhs"])
    keys = ends[0] + " " + table["op"] + " " + ends[1] + " " + table["group"].astype(str)
    return table.set_index(keys).sort_index()[["est", "se", "std_lv", "std_all"]]


def assert_same(one: Fit, other: Fit, columns: tuple[str, ...] = ("est", "se", "std_lv", "std_all")) -> None:
    """Equal estimates of every parameter, equal χ² and degrees of freedom."""
    left, right = estimates(one)[list(columns)], estimates(other)[list(columns)]
    pd.testing.assert_frame_equal(left, right, rtol=CLOSE, atol=CLOSE)
    assert_same_test(one, other)


def assert_same_test(one: Fit, other: Fit) -> None:
    assert one.converged
    assert other.converged
    assert one.df == other.df
    for name in ("chisq", "cfi", "tli", "rmsea", "srmr"):
        assert one.fit_measures[name] == pytest.approx(other.fit_measures[name], rel=1e-6, abs=1e-6), name


# ------------------------------------------------------------------------------------------- invariances


@named
def test_order_of_the_rows_does_not_matter(options: dict[str, Any]) -> None:
    table = answers(options)
    assert_same(fit(MODEL, table, **options), fit(MODEL, table.sample(frac=1, random_state=3), **options))


@named
def test_order_of_the_columns_does_not_matter(options: dict[str, Any]) -> None:
    table = answers(options)
    assert_same(fit(MODEL, table, **options), fit(MODEL, table[table.columns[::-1]], **options))


@named
def test_order_of_the_statements_and_of_later_items_does_not_matter(options: dict[str, Any]) -> None:
    turned = """
        Loyalty ~ Quality + c*Value
        Loyalty =~ l1 + l3 + l2
        Quality =~ q1 + q3 + q2
        indirect := b*c
        Value ~ b*Quality
        Value =~ v1 + v3 + v2
    """
    assert_same(fit(MODEL, answers(options), **options), fit(turned, answers(options), **options))


@named
def test_the_choice_of_the_first_item_changes_the_scale_only(options: dict[str, Any]) -> None:
    other = MODEL.replace("q1 + q2 + q3", "q3 + q1 + q2").replace("l1 + l2 + l3", "l2 + l1 + l3")
    one, two = fit(MODEL, answers(options), **options), fit(other, answers(options), **options)
    assert_same_test(one, two)
    pd.testing.assert_series_equal(
        estimates(one)["std_all"], estimates(two)["std_all"], rtol=CLOSE, atol=CLOSE, check_exact=False
    )


@named
def test_variance_one_in_place_of_a_first_loading_changes_the_scale_only(options: dict[str, Any]) -> None:
    one, two = (fit(MODEL, answers(options), std_lv=std_lv, **options) for std_lv in (False, True))
    assert_same_test(one, two)
    pd.testing.assert_series_equal(estimates(one)["std_all"], estimates(two)["std_all"], rtol=CLOSE, atol=CLOSE)


@pytest.mark.parametrize("options", [o for o in OPTIONS if o["estimator"] != "ULS"], ids=lambda o: "-".join(o.values()))
@pytest.mark.parametrize("factor", [-10.0, 0.001, 1000.0])
def test_scaling_an_item_scales_its_loading_and_error_only(options: dict[str, Any], factor: float) -> None:
    table = answers(options)
    one, two = fit(MODEL, table, **options), fit(MODEL, table.assign(q2=factor * table["q2"]), **options)
    assert_same_test(one, two)
    expected, found = estimates(one), estimates(two)
    power_of = pd.Series(0, index=expected.index).case_when(
        [(expected.index.str.startswith(key), k) for key, k in (("q2 ~~ q2", 2), ("Quality =~ q2", 1), ("q2 ~1", 1))]
    )
    ratio = factor**power_of
    # est and se back in the old units; a standardised loading or mean keeps its size and takes the sign
    back = found.assign(
        est=found["est"] / ratio,
        se=found["se"] / ratio.abs(),
        std_lv=found["std_lv"] / ratio,
        std_all=found["std_all"] * np.sign(ratio),
    )
    pd.testing.assert_frame_equal(back, expected, rtol=1e-4, atol=1e-4)


@named
def test_shifting_an_item_moves_no_more_than_its_mean(options: dict[str, Any]) -> None:
    table = answers(options)
    one, two = (
        fit(MODEL, shifted, meanstructure=True, **options) for shifted in (table, table.assign(v1=table["v1"] + 100))
    )
    assert_same_test(one, two)
    moved = (estimates(two)["est"] - estimates(one)["est"]).round(3)
    assert moved[moved != 0].to_dict() == {"v1 ~1  1": 100.0}


# ------------------------------------------------------------------------------------------------ groups


@named
def test_groups_with_everything_free_equal_separate_fits(options: dict[str, Any]) -> None:
    model = "Quality =~ q1 + q2 + q3\nValue =~ v1 + v2 + v3\nValue ~ Quality"
    table = answers(options).assign(branch=np.where(np.arange(300) % 3 == 0, "east", "west"))
    together = fit(model, table, group="branch", **options)
    parts = [fit(model, table[table["branch"] == name], meanstructure=True, **options) for name in together.groups]
    for number, alone in enumerate(parts, start=1):
        mine = together.estimates[together.estimates["group"] == number]
        assert mine["est"].to_numpy() == pytest.approx(alone.estimates["est"].to_numpy(), abs=CLOSE)
        se = alone.estimates["se"].to_numpy()
        if options["estimator"] == "ULS":  # lavaan counts n_g (N − G)/N respondents where a fit alone counts n_g − 1
            se = se * np.sqrt((alone.n - 1) * together.n / (alone.n * (together.n - len(parts))))
        assert mine["se"].to_numpy() == pytest.approx(se, rel=1e-3)
    assert together.df == sum(part.df for part in parts)
    if options["estimator"] != "ULS":  # whose weights (n_g − 1)/N carry N through the sum
        assert together.fit_measures["chisq"] == pytest.approx(sum(p.fit_measures["chisq"] for p in parts), rel=1e-6)


def test_order_of_the_groups_does_not_matter() -> None:
    model = "Quality =~ q1 + q2 + q3\nValue =~ v1 + v2 + v3\nValue ~ Quality"
    table = survey().assign(branch=np.where(np.arange(300) % 3 == 0, "east", "west"))
    options: dict[str, Any] = {"group": "branch", "group_equal": ("loadings", "intercepts")}
    one, two = fit(model, table, **options), fit(model, table.sort_values("branch", ascending=False), **options)
    assert (one.groups, two.groups) == (("east", "west"), ("west", "east"))
    assert one.fit_measures["chisq"] == pytest.approx(two.fit_measures["chisq"], rel=1e-6)


# ------------------------------------------------------------------------------------------------ limits


@named
def test_the_saturated_model_fits_exactly(options: dict[str, Any]) -> None:
    items = ["q1", "q2", "v1", "l1"]
    text = "\n".join(f"{x} ~~ {y}" for i, x in enumerate(items) for y in items[i:])
    fitted = fit(text, answers(options)[items], **options)
    measures = fitted.fit_measures
    assert (fitted.df, measures["npar"]) == (0, 14 if fitted.means else 10)
    assert measures["chisq"] == pytest.approx(0, abs=1e-7)
    assert (measures["rmsea"], measures["cfi"], measures["tli"]) == (0, 1, 1)
    assert measures["srmr"] == pytest.approx(0, abs=1e-6)
    if "missing" not in options:
        table = answers(options)[items]
        known = table.cov(ddof=1 if options["estimator"] == "ULS" else 0)
        assert fitted.implied()[0].to_numpy() == pytest.approx(known.to_numpy(), abs=1e-6)
    assert fitted.problems == []


@named
def test_fit_measures_stay_within_their_ranges(options: dict[str, Any]) -> None:
    measures = fit(MODEL, answers(options), **options).fit_measures
    assert measures["chisq"] >= 0
    assert 0 <= measures["cfi"] <= 1
    if options["estimator"] != "ULS":  # whose statistic has no χ² distribution
        assert 0 <= measures["pvalue"] <= 1
    assert 0 <= measures["srmr"] <= 1
    assert measures["rmsea_ci_lower"] <= measures["rmsea"] <= measures["rmsea_ci_upper"]
    assert measures["baseline_chisq"] > measures["chisq"]


def test_a_model_inside_another_fits_no_better() -> None:
    inside = fit(MODEL.replace(" + Quality", ""), survey())
    around = fit(MODEL, survey())
    assert inside.df == around.df + 1
    assert inside.fit_measures["chisq"] > around.fit_measures["chisq"]


@named
def test_an_equality_constraint_is_the_smaller_model(options: dict[str, Any]) -> None:
    loose = MODEL.replace("q1 + q2 + q3", "q1 + a*q2 + d*q3")
    constrained = fit(loose + "\na == d", answers(options), **options)
    shared = fit(MODEL.replace("q1 + q2 + q3", "q1 + a*q2 + a*q3"), answers(options), **options)
    assert constrained.df == fit(loose, answers(options), **options).df + 1
    assert_same(constrained, shared)


@named
def test_a_constraint_to_a_number_is_a_fixed_parameter(options: dict[str, Any]) -> None:
    constrained = fit(MODEL + "\nc == 0", answers(options), **options)
    fixed = fit(
        MODEL.replace("c*Value + Quality", "0*Value + Quality").replace("indirect := b*c", ""),
        answers(options),
        **options,
    )
    rows = estimates(fixed).index
    pd.testing.assert_frame_equal(estimates(constrained).loc[rows], estimates(fixed), rtol=CLOSE, atol=CLOSE)
    assert_same_test(constrained, fixed)


def test_fiml_without_missing_answers_is_maximum_likelihood() -> None:
    one, two = (
        fit(MODEL, survey(), meanstructure=True, information="observed", missing=missing)
        for missing in ("listwise", "fiml")
    )
    assert_same(one, two)
    assert one.log_likelihoods == pytest.approx(two.log_likelihoods, rel=1e-9)


# --------------------------------------------------------------------------------------- recovery of truth


@named
def test_estimates_come_to_the_truth(options: dict[str, Any]) -> None:
    # at n = 20,000 every standardised value lies within 4.5 of its errors, which are below 0.015 for all of them
    table = simulate(MODEL, 20_000, TRUTH, seed=8, standardised=True)
    if "missing" in options:
        table = table.mask(np.random.default_rng(9).random(table.shape) < 0.1)
    fitted = fit(MODEL, table, **options)
    found = estimates(fitted)["std_all"]
    for relation, value in TRUTH.items():
        name = {"b": "Value ~ Quality", "c": "Loyalty ~ Value"}.get(relation, relation)
        assert found[f"{name} 1"] == pytest.approx(value, abs=0.05), name
    assert found["indirect := b*c 0"] == pytest.approx(0.5 * 0.4, abs=0.05)
    assert fitted.problems == []


@pytest.mark.slow
def test_coverage_of_a_structural_model() -> None:
    # 3,000 surveys: an interval of 95 % holds the truth in 0.95 ± 3 √(0.95 × 0.05/3000) = 0.938 to 0.962 of them, and
    # Wald intervals of variances and of products lose up to a further 0.01 at n = 400
    planned = power(MODEL, TRUTH, 400, 3000, seed=11, standardised=True, std_lv=True)
    table = planned.table.set_index("parameter")
    assert planned.surveys["converged"].tolist() == [3000]
    assert planned.problems == []
    assert table["coverage"].between(0.93, 0.97).all(), table["coverage"]
    assert table["coverage"].mean() == pytest.approx(0.95, abs=0.01)
    assert (table["se_mean"] / table["sd"]).to_numpy() == pytest.approx(1, abs=0.05)
    assert (table["bias"].abs() < 0.02).all(), table["bias"]


def test_chisq_of_the_right_model_has_its_distribution() -> None:
    # mean df = 24 and standard deviation √(2 df) = 6.93, so that the mean of 300 lies within 24 ± 3 × 0.4 (and 2 % more
    # at n = 500, Bartlett 1950); the share beyond the 5 % point within 0.05 ± 3 × 0.0126
    found = [
        fit(MODEL, simulate(MODEL, 500, TRUTH, seed=seed, standardised=True), se="none").test for seed in range(300)
    ]
    assert found[0].df == 24
    assert np.mean([test.chisq for test in found]) == pytest.approx(24, abs=1.2 + 0.48)
    assert np.mean([test.chisq > 36.415 for test in found]) == pytest.approx(0.05, abs=0.038)


# -------------------------------------------------------------------------------------------- ordinal items

ORDINAL: tuple[dict[str, Any], ...] = ({"ordered": True}, {"ordered": True, "missing": "pairwise"})
FACTORS = "Quality =~ q1 + q2 + q3\nValue =~ v1 + v2 + v3\nValue ~ Quality"
CUTS = [-0.8, 0.1, 0.9]
ordinal = pytest.mark.parametrize("options", ORDINAL, ids=["listwise", "pairwise"])


@cache
def categories(n: int = 500, seed: int = 3) -> pd.DataFrame:
    """A survey cut into four categories."""
    latent = simulate(MODEL, n, TRUTH, seed=seed, standardised=True)
    return pd.DataFrame(np.digitize(latent.to_numpy(), CUTS), columns=latent.columns).astype(float)


def chosen(options: dict[str, Any]) -> pd.DataFrame:
    if "missing" not in options:
        return categories()
    return categories().mask(np.random.default_rng(4).random(categories().shape) < 0.05)


@ordinal
def test_order_does_not_matter_to_ordinal_items(options: dict[str, Any]) -> None:
    table = chosen(options)
    known = fit(FACTORS, table, **options)
    assert_same(known, fit(FACTORS, table.sample(frac=1, random_state=3)[table.columns[::-1]], **options))
    turned = "Value ~ Quality\nValue =~ v1 + v3 + v2\nQuality =~ q1 + q3 + q2"
    assert_same(known, fit(turned, table, **options))


@ordinal
def test_delta_and_theta_fit_the_same(options: dict[str, Any]) -> None:
    one, two = (fit(FACTORS, chosen(options), parameterization=p, **options) for p in ("delta", "theta"))
    assert_same_test(one, two)
    for name in ("chisq_scaled", "cfi_scaled", "rmsea_scaled"):
        assert one.fit_measures[name] == pytest.approx(two.fit_measures[name], rel=1e-5, abs=1e-6), name
    both = estimates(one)["std_all"], estimates(two)["std_all"]
    pd.testing.assert_series_equal(*both, rtol=1e-4, atol=1e-4)


@ordinal
def test_ordinal_groups_with_everything_free_equal_separate_fits(options: dict[str, Any]) -> None:
    table = chosen(options).assign(branch=np.where(np.arange(500) % 2 == 0, "east", "west"))
    together = fit(FACTORS, table, group="branch", **options)
    for number, name in enumerate(together.groups, start=1):
        alone = fit(FACTORS, table[table["branch"] == name], **options)
        mine = together.estimates[together.estimates["group"] == number]
        assert mine["est"].to_numpy() == pytest.approx(alone.estimates["est"].to_numpy(), abs=1e-4)
        # errors are of N − G respondents, spread over the groups as N is
        ratio = np.sqrt(500 / 498 * 249 / 250)
        assert mine["se"].to_numpy() == pytest.approx(alone.estimates["se"].to_numpy() * ratio, rel=1e-3)


@ordinal
def test_the_saturated_model_of_ordinal_items_fits_exactly(options: dict[str, Any]) -> None:
    items = ["q1", "q2", "v1"]
    fitted = fit("q1 ~~ q2 + v1\nq2 ~~ v1", chosen(options)[items], **options)
    assert fitted.df == 0
    assert fitted.fit_measures["chisq"] == pytest.approx(0, abs=1e-7)
    assert fitted.problems == [problem for problem in fitted.problems if "missing" in problem]


def test_given_covariates_do_not_depend_on_their_units_or_order() -> None:
    rng = np.random.default_rng(5)
    age, male = rng.uniform(18, 80, 500), rng.integers(0, 2, 500)
    table = categories().assign(age=age, male=male)
    known = fit(f"{FACTORS}\nQuality ~ age + male", table, ordered=True)
    decades = fit(f"{FACTORS}\nQuality ~ male + age", table.assign(age=age / 10 - 3), ordered=True)
    assert_same_test(known, decades)
    one, two = estimates(known), estimates(decades)
    for column in ("est", "se"):
        assert two[column]["Quality ~ age 1"] == pytest.approx(10 * one[column]["Quality ~ age 1"], rel=1e-4)
    rows = [name for name in map(str, one.index) if "~ age" not in name and name[:3] != "age" and "|" not in name]
    pd.testing.assert_series_equal(one["std_all"][rows], two["std_all"][rows], rtol=1e-4, atol=1e-4)


def test_intervals_of_ordinal_models_hold_the_truth() -> None:
    # 200 surveys of 500: the share of intervals that hold a parameter lies within 0.95 ± 3 √(0.95 × 0.05/200) = 0.046,
    # the mean over 6 parameters within 0.025, for correlations of their misses up to 0.2
    truth = {"Quality =~ q2": 0.7 / 0.8, "Quality =~ q3": 0.75 / 0.8, "Value =~ v2": 0.7 / 0.85}
    truth |= {"Value =~ v3": 0.65 / 0.85, "Value ~ Quality": 0.5 * 0.85 / 0.8, "Quality ~~ Quality": 0.64}
    held = []
    for seed in range(200):
        found = fit(FACTORS, categories(500, 1000 + seed), ordered=True).estimates
        found.index = found["lhs"] + " " + found["op"] + " " + found["rhs"]
        rows, values = found.loc[list(truth)], np.array(list(truth.values()))
        held.append((rows["ci_lower"] <= values) & (values <= rows["ci_upper"]))
    coverage = pd.DataFrame(held).mean()
    assert coverage.between(0.95 - 0.046, 0.95 + 0.046).all(), coverage
    assert coverage.mean() == pytest.approx(0.95, abs=0.025)
