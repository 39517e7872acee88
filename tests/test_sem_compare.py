"""Difference tests and measurement invariance against lavaan 0.6-14 (tests/reference/compare)."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab.sem import Fit, Invariance, SemError, compare, fit, invariance
from crmlab.sem.comparison import STEPS

REFERENCE = Path(__file__).parent / "reference"
HS = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
PLAIN = """ind60 =~ x1 + x2 + x3
dem60 =~ y1 + y2 + y3 + y4
dem65 =~ y5 + y6 + y7 + y8
dem60 ~ ind60
dem65 ~ ind60 + dem60"""
ERRORS = PLAIN + "\ny1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8"
LADDERS = ("ML", "MLR", "MLM", "fiml")


@cache
def known() -> dict:
    return json.loads((REFERENCE / "compare" / "tests.json").read_text(encoding="utf-8"))


@cache
def table(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "cbsem" / f"{name}.csv")


def with_holes() -> pd.DataFrame:
    holes = table("hs").copy()
    holes.loc[0:300:7, "x2"] = np.nan  # seq(1, 301, 7) of make.R
    holes.loc[2:300:5, "x8"] = np.nan
    return holes


@cache
def ladder(name: str) -> Invariance:
    if name == "fiml":
        return invariance(HS, with_holes(), "school", "MLR", missing="fiml")
    return invariance(HS, table("hs"), "school", name)


@cache
def democracy(estimator: str) -> tuple[Fit, Fit]:
    free, restricted = (fit(model, table("democracy"), estimator=estimator) for model in (ERRORS, PLAIN))
    return free, restricted


def close(theirs: float | list[float]) -> object:
    return pytest.approx(theirs, rel=1e-4, abs=1e-4)


# ------------------------------------------------------------------------------------------------ difference tests


@pytest.mark.parametrize("estimator", ["ML", "MLM", "MLR"])
def test_error_covariances_of_the_democracy_model(estimator: str) -> None:
    free, restricted = democracy(estimator)
    theirs, ours = known()[f"democracy_{estimator}"], compare(restricted, free, names=("plain", "errors"))
    assert list(ours.table.index) == ["errors", "plain"]
    assert (ours.chisq_diff, ours.df_diff, ours.pvalue) == close(
        (theirs["chisq_diff"], theirs["df_diff"], theirs["pvalue"])  # type: ignore[arg-type]
    )
    for column in ("aic", "bic", "chisq", "df"):
        assert ours.table[column].tolist() == close(theirs[column])


@pytest.mark.parametrize("name", LADDERS)
@pytest.mark.parametrize("step", [0, 1, 2])
def test_differences_along_the_ladder(name: str, step: int) -> None:
    theirs, fits = known()[name]["differences"][step], list(ladder(name).fits.values())
    ours = compare(fits[step], fits[step + 1])
    assert (ours.chisq_diff, ours.pvalue) == close((theirs["chisq_diff"], theirs["pvalue"]))  # type: ignore[arg-type]
    assert ours.table["aic"].tolist() == close(theirs["aic"])
    assert ours.table["bic"].tolist() == close(theirs["bic"])


@pytest.mark.parametrize(
    ("name", "step"), [("MLR", 0), ("MLR", 2), ("MLM", 0), ("MLM", 1), ("MLM", 2), ("fiml", 0), ("fiml", 2)]
)
def test_the_difference_that_is_always_positive(name: str, step: int) -> None:
    theirs, fits = known()[name]["differences"][step]["positive"], list(ladder(name).fits.values())
    ours = compare(fits[step], fits[step + 1], method="satorra_bentler_2010")
    assert ours.chisq_diff == close(theirs["chisq_diff"])
    assert ours.method == "scaled difference, Satorra & Bentler 2010"


@pytest.mark.parametrize("name", ["MLR", "fiml"])
def test_the_positive_difference_is_taken_at_the_moments_of_the_restricted_model(name: str) -> None:
    """lavTestLRT loses the latent means on the way; its scaling factor where they are kept is ours."""
    theirs = json.loads((REFERENCE / "compare" / "moments_2010.json").read_text(encoding="utf-8"))[name]
    fits = ladder(name).fits
    assert theirs["moments_away"] < 1e-12
    assert theirs["lavaan_moments_away"] > 0.6
    found = compare(fits["metric"], fits["scalar"], method="satorra_bentler_2010")
    assert found.chisq_diff == close(theirs["chisq_diff"])


# ------------------------------------------------------------------------------------------------- ordinal items

DIFFERENCES = json.loads((REFERENCE / "ordinal" / "differences.json").read_text(encoding="utf-8"))


def ordinal_table(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "ordinal" / name)


def python_names(arguments: object) -> dict:
    return {name.replace(".", "_"): value for name, value in dict(arguments or {}).items()}  # type: ignore[call-overload]


@cache
def ordinal_pair(name: str) -> tuple[Fit, Fit]:
    case, fits = DIFFERENCES[name], []
    for model, own in zip(case["models"], (case["free_args"], case["restricted_args"]), strict=True):
        fits.append(fit(model, ordinal_table(case["data"]), **python_names(case["args"]), **python_names(own)))
    return fits[0], fits[1]


@pytest.mark.parametrize("name", DIFFERENCES)
def test_differences_of_ordinal_fits(name: str) -> None:
    """lavTestLRT's defaults: Satorra (2000) for tests that are shifted, 2001 for WLSM, plain for DWLS."""
    theirs, ours = DIFFERENCES[name], compare(*ordinal_pair(name))
    assert (ours.chisq_diff, ours.df_diff) == close((theirs["chisq_diff"], theirs["df_diff"]))  # type: ignore[arg-type]
    assert ours.pvalue == pytest.approx(theirs["pvalue"], rel=1e-3, abs=1e-7)
    assert ours.table["chisq"].tolist() == close(theirs["chisq"])
    assert ours.problems == []


def test_the_order_of_ordinal_items_does_not_matter() -> None:
    free, restricted = ordinal_pair("orthogonal")
    turned = fit(
        "speed =~ x7 + x9 + x8\ntextual =~ x4 + x5 + x6\nvisual =~ x1 + x3 + x2\nvisual ~~ 0*textual + 0*speed",
        ordinal_table("hs_ordinal.csv").sample(frac=1, random_state=1),
        ordered=True,
    )
    assert compare(turned, free).chisq_diff == pytest.approx(compare(free, restricted).chisq_diff, rel=1e-5)


def test_ordinal_models_that_are_not_nested_are_told() -> None:
    """Equal loadings alone give the y* of the groups one unit, equal thresholds with free scales give them another."""
    data = ordinal_table("hs_ordinal.csv")
    metric, scalar = (
        fit(HS, data, ordered=True, group="school", group_equal=equal)
        for equal in ("loadings", ("loadings", "thresholds"))
    )
    assert any("do not seem to be nested" in text for text in compare(metric, scalar).problems)


@pytest.mark.parametrize("method", ["satorra_bentler_2001", "satorra_bentler_2010"])
def test_shifted_tests_have_no_other_difference(method: str) -> None:
    with pytest.raises(SemError, match="is not for WLSMV; its difference test is 'satorra_2000'"):
        compare(*ordinal_pair("labels"), method=method)


def test_the_2000_difference_is_of_ordinal_fits() -> None:
    with pytest.raises(SemError, match="is not for MLR"):
        compare(*democracy("MLR"), method="satorra_2000")


def test_items_must_be_ordinal_in_both_fits() -> None:
    data = ordinal_table("hs_ordinal.csv")
    some = fit(HS + "\nvisual ~~ 0*speed", data, ordered=["x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8"])
    with pytest.raises(SemError, match="x9: ordinal in one fit only"):
        compare(fit(HS, data, ordered=True), some)


def test_plain_tests_do_not_depend_on_the_method() -> None:
    free, restricted = democracy("ML")
    one, other = compare(free, restricted), compare(free, restricted, method="satorra_bentler_2010")
    assert one.chisq_diff == other.chisq_diff == pytest.approx(restricted.test.chisq - free.test.chisq)
    assert one.scaling is None


def test_comparison_shows_itself() -> None:
    found = compare(*democracy("ML"))
    assert found.headline.startswith("restricted fits significantly worse than free: Δχ² = 34.336, Δdf = 6, p = 0.0000")
    assert found.to_dict()["models"]["free"]["pvalue"] is None
    assert json.loads(json.dumps(found.to_dict()))["models"]["restricted"]["df"] == 41
    assert "<table" in found._repr_html_()


def test_models_of_other_degrees_of_freedom_that_are_not_nested_are_told() -> None:
    one = fit("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6", table("hs"))
    other = fit("f =~ x1 + x4 + x5\ng =~ x2 + x3 + x6\nf ~~ 0*g", table("hs"))
    assert any("do not seem to be nested" in text for text in compare(one, other).problems)


def test_nested_models_are_not_doubted() -> None:
    fits = ladder("ML").fits
    assert compare(fits["metric"], fits["scalar"]).problems == []  # scalar frees latent means that metric fixes


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: fit(HS, table("hs"), estimator="MLR"), "differ in estimator"),
        (lambda: fit(HS, table("hs").iloc[:-1]), "301 and 300 respondents"),
        (lambda: fit(HS, table("hs").assign(x1=table("hs")["x1"] + table("hs")["x2"])), "the answers differ"),
        (lambda: fit(HS, table("hs"), group="school"), "divide the respondents differently"),
        (lambda: fit(HS + " + x1", table("hs"), meanstructure=True), "means are modelled in one fit only"),
        (lambda: fit(HS.replace(" + x9", ""), table("hs")), "different items .x9 in one only."),
        (lambda: fit(HS, table("hs")), "both fits have 24 degrees of freedom"),
        (lambda: fit(HS, table("hs"), missing="fiml"), "differ in treatment of missing answers"),
    ],
)
def test_fits_that_cannot_be_compared(other: object, message: str) -> None:
    with pytest.raises(SemError, match=message):
        compare(fit(HS, table("hs")), other())  # type: ignore[operator]


def test_a_freer_model_that_fits_worse_is_not_nested() -> None:
    mixed = fit("f =~ x1 + x4 + x7\ng =~ x2 + x5 + x8\nh =~ x3 + x6 + x9\nx1 ~~ x2", table("hs"))
    with pytest.raises(SemError, match="the models are not nested"):
        compare(mixed, fit(HS, table("hs")))


def test_the_order_of_items_does_not_matter() -> None:
    restricted = fit(
        "speed =~ x9 + x8 + x7\ntextual =~ x6 + x5 + x4\nvisual =~ x3 + x2 + x1\nvisual ~~ 0*speed", table("hs")
    )
    assert compare(fit(HS, table("hs").sample(frac=1, random_state=1)), restricted).problems == []


# ---------------------------------------------------------------------------------------------------- invariance


@pytest.mark.parametrize("name", LADDERS)
def test_fit_measures_of_the_ladder(name: str) -> None:
    ours, theirs = ladder(name).table.set_index("model"), known()[name]["fits"]
    robust, scaled = ("", "") if name == "ML" else (".robust", ".scaled")
    for step in STEPS:
        for column, source in (("chisq", "chisq" + scaled), ("df", "df"), ("cfi", "cfi" + robust)):
            assert ours.loc[step, column] == close(theirs[step][source])
        assert ours.loc[step, "rmsea"] == close(theirs[step]["rmsea" + robust])


def test_the_schools_share_loadings_but_not_intercepts() -> None:
    """The conclusion of lavaan's tutorial: Δχ² 8.192 (6), p = .224, then 40.059 (6), p < .001."""
    found = ladder("ML")
    assert found.table["verdict"].tolist() == [
        "does not fit well: CFI below 0.90 or RMSEA above 0.08",
        "holds",
        "does not hold: χ² rises significantly and CFI falls by more than 0.01",
        "holds in practice: χ² rises significantly, but CFI falls by at most 0.01",
    ]
    assert found.reached == "metric"
    assert found.headline.startswith("Invariance up to the metric model")
    assert found.table["delta_chisq"].round(3).tolist()[1:3] == [8.192, 40.059]
    assert found.problems == []


def test_a_survey_that_measures_alike_reaches_the_strict_model() -> None:
    rng = np.random.default_rng(3)
    factor = rng.normal(size=(800, 1)) + np.repeat([[0.0], [0.5]], 400, axis=0)
    items = pd.DataFrame(0.8 * factor + rng.normal(size=(800, 4)), columns=["a", "b", "c", "d"])
    found = invariance("f =~ a + b + c + d", items.assign(branch=np.repeat(["east", "west"], 400)), "branch")
    assert found.reached == "strict"
    assert found.to_dict()["reached"] == "strict"


def test_respondents_left_out_are_told_once() -> None:
    found = invariance(HS, with_holes(), "school")
    assert [text for text in found.problems if "left out" in text] == [found.problems[0]]


def test_ladder_of_ordinal_items() -> None:
    """Configural, thresholds and loadings, residuals: χ² and differences of lavaan's group.equal models."""
    found = invariance(HS, ordinal_table("hs_ordinal.csv"), "school", ordered=True)
    scalar, strict = DIFFERENCES["scalar"], DIFFERENCES["strict"]
    assert found.table["model"].tolist() == ["configural", "scalar", "strict"]
    assert found.table["df"].tolist() == [*scalar["df"], strict["df"][1]]
    assert [f.test.chisq for f in found.fits.values()] == close([*scalar["chisq"], strict["chisq"][1]])
    assert found.table["delta_chisq"].tolist()[1:] == close([scalar["chisq_diff"], strict["chisq_diff"]])
    assert found.reached == "configural"
    assert found.problems == []


def test_an_ordinal_survey_that_measures_alike_reaches_the_strict_model() -> None:
    """Equal thresholds and residuals, other mean and variance of the construct."""
    rng = np.random.default_rng(2)
    factor = np.concatenate([rng.normal(size=600), rng.normal(0.5, 1.3, size=600)])[:, None]
    star = 0.8 * factor + 0.6 * rng.normal(size=(1200, 4))
    items = pd.DataFrame(np.digitize(star, [-1.0, 0.0, 0.8]), columns=["a", "b", "c", "d"])
    found = invariance(
        "f =~ a + b + c + d", items.assign(branch=np.repeat(["east", "west"], 600)), "branch", ordered=True
    )
    assert found.reached == "strict"
    rows = found.fits["scalar"].estimates.query("lhs == 'f' and group == 2").set_index("op")
    mean, variance = rows.loc["~1"], rows.loc["~~"]
    unit = 0.8 / 0.6  # of the construct: the first item's loading over its residual standard deviation
    assert abs(mean["est"] - 0.5 * unit) < 3 * mean["se"]
    assert abs(variance["est"] - (1.3 * unit) ** 2) < 3 * variance["se"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "school", "parameterization": "delta", "ordered": True}, "sets parameterization itself"),
        ({"group": "school", "group_equal": "loadings"}, "sets group_equal itself"),
        ({"group": "school", "estimator": "ULS"}, "goes with ML, MLR or MLM, found 'ULS'"),
        ({"group": "one"}, "two groups or more; column one holds one"),
    ],
)
def test_ladders_that_cannot_be_climbed(options: dict, message: str) -> None:
    with pytest.raises(SemError, match=message):
        invariance(HS, table("hs").assign(one="a"), **options)
