"""Surveys and models that cannot be estimated end in a named error or a named problem, never in a silent number."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crmlab.sem import ModelError, SemError, fit
from crmlab.sem.simulation import simulate

MODEL = "Q =~ q1 + q2 + q3 + q4"
ITEMS = ["q1", "q2", "q3", "q4"]
N = 200
SURVEY = simulate("Q =~ 0.8*q1 + 0.8*q2 + 0.7*q3 + 0.6*q4", N, seed=1, standardised=True)
BRANCH = np.where(np.arange(N) % 2 == 0, "east", "west")
EAST = BRANCH == "east"

both = pytest.mark.parametrize("missing", ["listwise", "fiml"])


def without(item: str, rows: np.ndarray) -> pd.Series:
    """An item that the respondents of these rows did not answer."""
    return SURVEY[item].mask(rows)


# ------------------------------------------------------------------------------------------------ tables

COLUMNS: dict[str, tuple[Callable[[], Any], str]] = {
    "constant": (lambda: 3.0, "q2 took one value only; an item without variance cannot be modelled"),
    "constant where answered": (
        lambda: np.where(np.arange(N) < 5, np.nan, 3.0),
        "q2 took one value only; an item without variance cannot be modelled",
    ),
    "no answer": (lambda: np.nan, "q2 holds no answer at all"),
    "nothing but None": (lambda: pd.Series([None] * N, dtype=object), "q2 holds no answer at all"),
    "infinity": (lambda: SURVEY["q2"].where(SURVEY.index != 7, np.inf), "column q2, row 7: found an infinite value"),
    "minus infinity": (lambda: SURVEY["q2"].where(SURVEY.index != 7, -np.inf), "column q2, row 7: found an infinite"),
    "one word": (
        lambda: SURVEY["q2"].astype(object).where(SURVEY.index != 9, "often"),
        "column q2, row 9: found 'often', expected a number",
    ),
    "categories": (lambda: pd.Categorical(["low", "high"] * (N // 2)), "column q2, row 0: found 'low', expected"),
    "dates": (lambda: pd.date_range("2026-01-01", periods=N), r"column q2 holds datetime64\[.*\] values"),
    "days": (lambda: list(pd.date_range("2026-01-01", periods=N).date), "column q2, row 0: found datetime.date"),
    "durations": (lambda: pd.to_timedelta(np.arange(N), unit="D"), r"column q2 holds timedelta64\[.*\] values"),
    "months": (lambda: pd.period_range("2000-01", periods=N, freq="M"), "column q2, row 0: found Period"),
    "complex numbers": (lambda: SURVEY["q2"] + 1j, "column q2 holds complex128 values, expected numbers"),
    "lists": (lambda: pd.Series([[1, 2]] * N, dtype=object), r"column q2, row 0: found \[1, 2\], expected a number"),
    "a copy": (lambda: SURVEY["q1"] * 2 + 1, "singular.*q1, q2 depend|q1, q2 determine each other exactly"),
    "a sum": (
        lambda: SURVEY["q1"] + SURVEY["q3"],
        "singular.*q1, q2, q3 depend|q1, q2, q3 determine each other exactly",
    ),
}


@both
@pytest.mark.parametrize("kind", COLUMNS)
def test_columns_that_are_no_items(kind: str, missing: str) -> None:
    column, message = COLUMNS[kind]
    with pytest.raises(SemError, match=message):
        fit(MODEL, SURVEY.assign(q2=column()), missing=missing)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_fewer_respondents_than_items(n: int) -> None:
    with pytest.raises(SemError, match=f"{n} complete respondents for 4 items: the covariance matrix is singular"):
        fit(MODEL, SURVEY.head(n))
    with pytest.raises(SemError, match=f"covariance matrix of the 4 items over {n} rows is singular"):
        fit(MODEL, SURVEY.head(n), missing="fiml")


@both
def test_no_respondents(missing: str) -> None:
    with pytest.raises(SemError, match=r"q1, q2, q3, q4 hold no answer at all\. Leave the items out"):
        fit(MODEL, SURVEY.head(0), missing=missing)


@both
def test_one_respondent(missing: str) -> None:
    usable = "complete answers" if missing == "listwise" else "answers"
    with pytest.raises(SemError, match=f"^1 respondent with {usable}, and a model needs several") as caught:
        fit(MODEL, SURVEY.head(1), missing=missing)
    assert ("missing='fiml'" in str(caught.value)) == (missing == "listwise")


def test_items_never_answered_together() -> None:
    half = np.arange(N) < N // 2
    table = SURVEY.assign(q1=without("q1", half), q2=without("q2", ~half))
    with pytest.raises(SemError, match="q1 and q2 are never both answered by the same respondent"):
        fit(MODEL, table, missing="fiml")
    with pytest.raises(SemError, match=r"0 respondents with complete answers.* Use missing='fiml'"):
        fit(MODEL, table)


@both
def test_columns_that_are_absent_or_doubled(missing: str) -> None:
    with pytest.raises(SemError, match="the data hold no column q2; columns: q1, q3, q4"):
        fit(MODEL, SURVEY.drop(columns="q2"), missing=missing)
    with pytest.raises(SemError, match="the data hold column q1 more than once; names must be unique"):
        fit(MODEL, pd.concat([SURVEY, SURVEY[["q1"]]], axis=1), missing=missing)
    with pytest.raises(SemError, match="data must be a pandas DataFrame with one column per item, found dict"):
        fit(MODEL, SURVEY.to_dict(), missing=missing)  # type: ignore[arg-type]


@both
def test_a_respondent_without_any_answer_does_not_count(missing: str) -> None:
    table = SURVEY.astype(float).mask(np.arange(N)[:, None] == np.full(4, 3))
    found, known = fit(MODEL, table, missing=missing), fit(MODEL, SURVEY.drop(index=3), missing=missing)
    why = "at least one answer missing" if missing == "listwise" else "no answer at all"
    assert found.problems == [f"1 of 200 respondents has {why} and is left out."]
    assert found.n == 199
    assert found.estimates["est"].to_numpy() == pytest.approx(known.estimates["est"].to_numpy(), abs=1e-6)
    assert found.fit_measures["chisq"] == pytest.approx(known.fit_measures["chisq"], abs=1e-6)


@both
def test_numbers_written_as_text_or_with_missing_integers_are_numbers(missing: str) -> None:
    whole = SURVEY.mul(2).round()
    known = fit(MODEL, whole, missing=missing).estimates
    for table in (whole.astype(str), whole.astype("Int64"), whole.astype("float32")):
        pd.testing.assert_frame_equal(fit(MODEL, table, missing=missing).estimates, known, rtol=1e-6)


@pytest.mark.parametrize(
    ("factor", "missing"),
    [
        (1e-9, "listwise"),
        (1e9, "listwise"),
        (1e-9, "fiml"),
        (1e5, "fiml"),
        (1e9, "fiml"),
    ],
)
def test_items_of_very_different_size(factor: float, missing: str) -> None:
    found, known = (fit(MODEL, table, missing=missing) for table in (SURVEY.assign(q2=SURVEY["q2"] * factor), SURVEY))
    assert found.fit_measures["chisq"] == pytest.approx(known.fit_measures["chisq"], rel=1e-5)
    assert found.estimates["std_all"].to_numpy() == pytest.approx(known.estimates["std_all"].to_numpy(), abs=1e-5)
    assert found.problems == []


# ------------------------------------------------------------------------------------------------ groups


@both
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"branch": np.nan}, "the group column branch is empty"),
        ({"branch": ["east"] * (N - 1) + ["west"]}, "1 respondent with (complete )?answers in group west"),
        ({"q1": SURVEY["q1"].where(EAST, 1.0)}, "q1 took one value only in group west"),
        (
            {"q1": SURVEY["q1"].where(EAST, SURVEY["q2"])},
            "q1, q2 determine each other exactly in group west|group west: .* q1, q2 depend linearly",
        ),
        (
            {"q1": without("q1", ~EAST)},
            "0 respondents with complete answers in group west|q1 holds no answer at all in group west",
        ),
        (
            {item: without(item, ~EAST) for item in ITEMS},
            "0 respondents with complete answers in group west|q1, q2, q3, q4 hold no answer at all in group west",
        ),
    ],
    ids=["no groups", "one row", "constant item", "copied item", "item unanswered", "group unanswered"],
)
def test_groups_that_cannot_be_analysed(changed: dict[str, Any], message: str, missing: str) -> None:
    with pytest.raises(SemError, match=message):
        fit(MODEL, SURVEY.assign(branch=BRANCH).assign(**changed), group="branch", missing=missing)


@both
def test_a_group_column_that_is_absent(missing: str) -> None:
    with pytest.raises(SemError, match="the data hold no column shop"):
        fit(MODEL, SURVEY, group="shop", missing=missing)


@both
def test_a_category_without_respondents_is_no_group(missing: str) -> None:
    table = SURVEY.assign(branch=pd.Categorical(BRANCH, categories=["north", "west", "east"]))
    found = fit(MODEL, table, group="branch", missing=missing)
    known = fit(MODEL, SURVEY.assign(branch=BRANCH), group="branch", missing=missing)
    assert found.groups == known.groups == ("east", "west")
    pd.testing.assert_frame_equal(found.estimates, known.estimates)


# ------------------------------------------------------------------------------------------------ models


@both
@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("# a comment", "the text holds no statement"),
        ("Q =~ q1 + q2 + q9", "the data hold no column q9"),
        ("Q =~ q1 + q2 + q1", "line 1, column 16: Q =~ q1 is written twice"),
        (f"{MODEL}\nQ ~ Q", "line 2, column 5: Q ~ Q: a variable cannot explain itself"),
        (f"{MODEL}\nd := 2*b", "line 2: '2\\*b' speaks of 'b', which labels no parameter"),
        (f"{MODEL}\nd := e + 1\ne := d + 1", "line 2: 'e\\+1' speaks of 'e', which labels no parameter"),
        ("Q =~ q1 + a*q2 + q3\na == b", "line 2: .*speaks of 'b', which labels no parameter \\(labels: a\\)"),
        ("Q =~ q1 + a*q2 + q3\na == 1\na == 2", "line 3: the constraints contradict each other: a == 1, a == 2"),
        ("Q =~ q1 + a*q2 + b*q3\na == b\na == b + 1", "line 3: the constraints contradict each other"),
        ("Q =~ q1 + 1*q2 + q3\n1 == 2", "line 2: the constraints contradict each other: 1 == 2"),
        ("Q =~ q1 + a*q2 + b*q3\na*b == 1", "line 2: a\\*b == 1 is not linear; only linear constraints can be met"),
        ("Q =~ q1 + a*q2 + q3\nd := print(a)", "line 2: print\\(\\) is unknown"),
        ("Q =~ q1 + c(a, b, d)*q2 + q3", "line 1, .*modifiers for 3 groups, and there are 1"),
    ],
)
def test_models_that_cannot_be_read(model: str, message: str, missing: str) -> None:
    with pytest.raises((ModelError, SemError), match=message):
        fit(model, SURVEY, missing=missing)


@both
@pytest.mark.parametrize(
    ("model", "df", "names"),
    [
        ("Q =~ q1 + q2", -1, "Q =~ q2; q1 ~~ q1; q2 ~~ q2; Q ~~ Q"),
        ("q1 ~ q2\nq2 ~ q1", -1, "q1 ~ q2; q2 ~ q1"),
        ("A =~ q1 + q2 + q3\nB =~ q1 + q2 + q3", -4, "A =~ q2"),
        ("Q =~ NA*q1 + q2 + q3 + q4", 1, "Q =~ q1; Q =~ q2; Q =~ q3; Q =~ q4; Q ~~ Q"),
        ("A =~ q1\nB =~ q2 + q3 + q4\nq1 ~~ q1", 1, "q1 ~~ q1; A ~~ A"),
        ("A =~ q1 + q2 + q3\nB =~ A + q4", 1, "B =~ q4; q4 ~~ q4"),
        ("Q =~ 0*q1 + q2 + q3 + q4", 2, "Q =~ q2; Q =~ q3; Q =~ q4; Q ~~ Q"),
    ],
)
def test_unidentified_parameters_are_named_and_have_no_errors(model: str, df: int, names: str, missing: str) -> None:
    fitted = fit(model, SURVEY, missing=missing, information="expected")
    told = " ".join(fitted.problems)
    assert fitted.df == df
    assert (f"{-df} more free parameters than the data have moments (df = {df})" in told) == (df < 0)
    assert f"Not identified: {names}" in told
    table = fitted.estimates
    relations = (table["lhs"] + " " + table["op"] + " " + table["rhs"]).str.strip()
    assert table.loc[relations.isin(names.split("; ")), "se"].isna().all()


@both
def test_an_impossible_variance_is_no_solution(missing: str) -> None:
    fitted = fit(f"{MODEL}\nq1 ~~ -1*q1", SURVEY, missing=missing)
    assert not fitted.converged
    assert "did not converge" in fitted.problems[0]


@both
def test_too_few_answers_show_as_a_heywood_case(missing: str) -> None:
    problems = fit(MODEL, SURVEY.head(5), missing=missing).problems
    assert any("residual variance of item q2 is negative" in problem for problem in problems)


# ------------------------------------------------------------------------- unusual, and right all the same


@both
def test_chinese_names(missing: str) -> None:
    chinese = dict(zip(ITEMS, ("价格", "服务", "质量", "品牌"), strict=True))
    found = fit("满意度 =~ 价格 + 服务 + 质量 + 品牌", SURVEY.rename(columns=chinese), missing=missing)
    known = fit(MODEL, SURVEY, missing=missing)
    assert found.estimates.loc[1, "rhs"] == "服务"
    pd.testing.assert_frame_equal(found.estimates.iloc[:, 4:], known.estimates.iloc[:, 4:])
    with pytest.raises(SemError, match="价格 took one value only"):
        fit("满意度 =~ 价格 + 服务 + 质量", SURVEY.rename(columns=chinese).assign(价格=1), missing=missing)


@both
def test_constructs_of_one_item_are_their_items(missing: str) -> None:
    # a path between single items is the least-squares slope, its residual the variance left (Greene 2018, ch. 3)
    fitted = fit("A =~ q1\nB =~ q2\nB ~ A", SURVEY, missing=missing)
    path = fitted.estimates.query("op == '~'").iloc[0]
    slope, start = np.polyfit(SURVEY["q1"], SURVEY["q2"], 1)
    left = np.mean((SURVEY["q2"] - start - slope * SURVEY["q1"]) ** 2)
    assert path["est"] == pytest.approx(slope, rel=1e-6)
    assert path["se"] == pytest.approx(np.sqrt(left / N / SURVEY["q1"].var(ddof=0)), rel=1e-4)
    assert fitted.r_squared["B"] == pytest.approx(SURVEY["q1"].corr(SURVEY["q2"]) ** 2, rel=1e-6)
    assert (fitted.df, fitted.problems) == (0, [])


def test_sixty_items() -> None:
    blocks = {f"F{k}": [f"x{k}_{i}" for i in range(10)] for k in range(6)}
    wide = simulate("\n".join(f"{f} =~ {' + '.join(items)}" for f, items in blocks.items()), 400, standardised=True)
    fitted = fit("\n".join(f"{f} =~ {' + '.join(items)}" for f, items in blocks.items()), wide)
    assert (fitted.df, fitted.problems) == (60 * 61 // 2 - 54 - 60 - 21, [])
    # χ² of 60 items at n = 400 exceeds df by about (2p + 5)/6 of n (Bartlett 1950): 5 %; 4 standard deviations √(2 df)
    assert fitted.fit_measures["chisq"] == pytest.approx(fitted.df * 1.05, abs=4 * np.sqrt(2 * fitted.df))
    loadings = fitted.estimates.query("op == '=~'")["std_all"]
    assert loadings.to_numpy() == pytest.approx(0.7, abs=0.15)  # 4.5 errors of about 0.03
    with pytest.raises(SemError, match="60 complete respondents for 60 items"):
        fit(fitted.model, wide.head(60))


# ------------------------------------------------------------------------- models without a solution or a rank


def test_fit_measures_of_too_many_parameters_are_nan_without_a_warning() -> None:
    assert np.isnan(fit("Q =~ q1 + q2", SURVEY).fit_measures["rmsea"])


def test_fit_measures_of_no_solution_are_nan_without_a_warning() -> None:
    assert np.isnan(fit(f"{MODEL}\nq1 ~~ -1*q1", SURVEY).fit_measures["rmsea"])


def test_estimates_of_no_solution_have_no_errors_under_fiml() -> None:
    assert fit(f"{MODEL}\nq1 ~~ -1*q1", SURVEY, missing="fiml").estimates["se"].isna().any()


def test_fixed_paths_in_a_circle_are_refused() -> None:
    with pytest.raises(SemError):
        fit("q1 ~ 1*q2\nq2 ~ 1*q1", SURVEY)


def test_a_definition_that_divides_by_zero_is_nan() -> None:
    assert np.isnan(fit("Q =~ q1 + a*q2 + q3\nd := a/0", SURVEY).estimates.iloc[-1]["est"])


@pytest.mark.parametrize("expression", ["log(-a)", "sqrt(-a)", "(-a)^0.5"])
def test_roots_and_logarithms_of_negative_numbers_are_nan(expression: str) -> None:
    assert np.isnan(fit(f"Q =~ q1 + a*q2 + q3\nd := {expression}", SURVEY).estimates.iloc[-1]["est"])


def test_a_definition_cannot_take_the_name_of_a_label() -> None:
    refused = False
    try:
        fit("Q =~ q1 + a*q2 + q3\na := 2*3", SURVEY)
    except ModelError:
        refused = True
    assert refused


FIXED = "Q =~ 1*q1 + 0.9*q2 + 0.8*q3\nQ ~~ 0.5*Q\nq1 ~~ 0.5*q1\nq2 ~~ 0.5*q2\nq3 ~~ 0.4*q3\nq1 + q2 + q3 ~ 0*1"


@pytest.mark.parametrize("estimator", ["ML", "MLR", "MLM", "ULS"])
def test_a_model_without_free_parameters_is_tested_all_the_same(estimator: str) -> None:
    # its Σ and μ = 0 are known, so F is the discrepancy written out; df are all 6 + 3 moments
    fitted = fit(FIXED, SURVEY, estimator=estimator)
    implied = 0.5 * np.outer([1, 0.9, 0.8], [1, 0.9, 0.8]) + np.diag([0.5, 0.5, 0.4])
    assert fitted.fit_measures["chisq"] == pytest.approx(discrepancy(SURVEY[ITEMS[:3]], implied, estimator))
    assert (fitted.df, fitted.n_free, fitted.problems) == (9, 0, [])
    assert (fitted.estimates["se"] == 0).all()


def test_a_model_without_free_parameters_under_fiml() -> None:
    complete = fit(FIXED, SURVEY)
    assert fit(FIXED, SURVEY, missing="fiml").fit_measures["chisq"] == pytest.approx(complete.fit_measures["chisq"])
    assert fit("q1 ~~ 1*q1", SURVEY).problems == []


def discrepancy(items: pd.DataFrame, implied: np.ndarray, estimator: str) -> float:
    """N times the discrepancy of a table from a covariance matrix and means 0 (formulas of `estimators`)."""
    mean = items.mean().to_numpy()
    if estimator == "ULS":
        away = (items.cov().to_numpy() - implied)[np.tril_indices(3)]
        return (len(items) - 1) * float(away @ away + mean @ mean)
    sample, inverse = items.cov(ddof=0).to_numpy(), np.linalg.inv(implied)
    value = np.log(np.linalg.det(implied) / np.linalg.det(sample)) + np.trace(sample @ inverse) - 3
    return len(items) * float(value + mean @ inverse @ mean)


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_identification_is_a_matter_of_the_model_not_of_noise(estimator: str) -> None:
    fitted = fit("A =~ q1 + q2 + q3\nB =~ A + q4", SURVEY, missing="fiml", estimator=estimator)
    table = fitted.estimates
    table.index = table["lhs"] + " " + table["op"] + " " + table["rhs"]
    unknown = ["B =~ q4", "q4 ~~ q4", "A ~~ A", "B ~~ B"]
    assert fitted.problems[0].startswith("Not identified: " + "; ".join(unknown))
    assert table.loc[unknown, "se"].isna().all()
    # the model implies what one factor of four items implies, and what concerns three of them is identified
    known = fit("A =~ q1 + q2 + q3 + q4", SURVEY, missing="fiml", estimator=estimator).estimates
    known.index = known["lhs"] + " " + known["op"] + " " + known["rhs"]
    rest = ["A =~ q2", "A =~ q3", "q1 ~~ q1", "q3 ~~ q3", "q2 ~1 "]
    assert table.loc[rest, "se"].to_numpy() == pytest.approx(known.loc[rest, "se"].to_numpy(), rel=1e-4)
