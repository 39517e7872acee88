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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "school", "group_equal": "loadings"}, "sets group_equal itself"),
        ({"group": "school", "estimator": "ULS"}, "goes with ML, MLR or MLM, found 'ULS'"),
        ({"group": "one"}, "two groups or more; column one holds one"),
    ],
)
def test_ladders_that_cannot_be_climbed(options: dict, message: str) -> None:
    with pytest.raises(SemError, match=message):
        invariance(HS, table("hs").assign(one="a"), **options)
