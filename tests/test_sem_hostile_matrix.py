"""Every hostile survey under every estimator, in one group and in two: a named error or a named problem each time."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crmlab.sem import SemError, fit
from crmlab.sem.simulation import simulate

MODEL = "Q =~ q1 + q2 + q3 + q4"
ITEMS = ["q1", "q2", "q3", "q4"]
N = 240
WEST = np.arange(N) % 2 == 1
LATENT = simulate("Q =~ 0.8*q1 + 0.8*q2 + 0.7*q3 + 0.6*q4", N, seed=1, standardised=True)
SURVEY = LATENT.apply(lambda column: np.digitize(column, [-0.8, 0.0, 0.8])).astype(float)
ESTIMATORS: dict[str, dict[str, Any]] = {
    "ML": {},
    "MLR": {"estimator": "MLR"},
    "ULS": {"estimator": "ULS"},
    "FIML": {"estimator": "MLR", "missing": "fiml"},
    "WLSMV": {"ordered": True},
    "pairwise": {"ordered": True, "missing": "pairwise"},
}
every = pytest.mark.parametrize("options", ESTIMATORS.values(), ids=ESTIMATORS)
grouped = pytest.mark.parametrize("groups", [1, 2])


def table(**changed: Any) -> pd.DataFrame:
    return SURVEY.assign(branch=np.where(WEST, "west", "east")).assign(**changed)


def told(data: pd.DataFrame, options: dict[str, Any], groups: int, model: str = MODEL) -> str:
    """The error, or the problems, of a fit."""
    try:
        fitted = fit(model, data, **options, **({"group": "branch"} if groups > 1 else {}))
    except SemError as error:
        return str(error)
    return " ".join(fitted.problems)


SURVEYS: dict[str, tuple[Callable[[], pd.DataFrame], str]] = {
    "constant item": (lambda: table(q2=2.0), "q2"),
    "constant in one group": (lambda: table(q2=SURVEY["q2"].where(~WEST, 2.0)), "q2"),
    "the same answers": (lambda: table(q2=SURVEY["q1"]), "q1"),
    "reversed answers": (lambda: table(q2=3 - SURVEY["q1"]), "q1"),
    "fewer than items": (lambda: table().head(4), ""),
    "one respondent": (lambda: table().head(1), ""),
    "no respondent": (lambda: table().head(0), ""),
    "infinity": (lambda: table(q3=SURVEY["q3"].where(SURVEY.index != 5, np.inf)), "q3"),
    "word": (lambda: table(q3=SURVEY["q3"].astype(object).where(SURVEY.index != 5, "often")), "q3"),
    "dates": (lambda: table(q3=pd.date_range("2026-01-01", periods=N)), "q3"),
    "durations": (lambda: table(q3=pd.to_timedelta(np.arange(N), unit="D")), "q3"),
    "complex": (lambda: table(q3=SURVEY["q3"] + 1j), "q3"),
    "names": (lambda: table(q3=pd.Categorical(["low", "high"] * (N // 2))), "q3"),
    "no answer": (lambda: table(q4=np.nan), "q4"),
    "no answer in a group": (lambda: table(q4=SURVEY["q4"].where(~WEST)), "q4"),
    "doubled column": (lambda: pd.concat([table(), SURVEY[["q1"]]], axis=1), "q1"),
    "absent column": (lambda: table().drop(columns="q1"), "q1"),
    "never together": (lambda: table(q1=SURVEY["q1"].where(WEST), q2=SURVEY["q2"].where(~WEST)), "q1|complete|answer"),
}
# what is hostile to two groups only
IN_ONE_GROUP = ("constant in one group", "no answer in a group")


@every
@grouped
@pytest.mark.parametrize("kind", SURVEYS)
def test_a_hostile_survey_is_named(kind: str, groups: int, options: dict[str, Any]) -> None:
    survey, name = SURVEYS[kind]
    said = told(survey(), options, groups)
    if kind in IN_ONE_GROUP and groups == 1:
        return
    assert said, "a silent number"
    assert any(part in said for part in name.split("|")), said
    if kind in IN_ONE_GROUP:
        assert "west" in said or "group 2" in said, said


MODELS = {
    "two items": ("Q =~ q1 + q2", "Not identified"),
    "no scale": ("Q =~ NA*q1 + q2 + q3 + q4", "Not identified"),
    "two constructs of the same items": ("A =~ q1 + q2 + q3\nB =~ q1 + q2 + q3", "Not identified|converge"),
    "second order of two": ("A =~ q1 + q2 + q3\nB =~ A + q4", "Not identified"),
    "a construct named like a column": ("q4 =~ q1 + q2 + q3", "columns with the names of constructs: q4"),
}


@every
@grouped
@pytest.mark.parametrize("kind", MODELS)
def test_a_hostile_model_is_named(kind: str, groups: int, options: dict[str, Any]) -> None:
    model, expected = MODELS[kind]
    said = told(table(), options, groups, model)
    assert any(part in said for part in expected.split("|")), said


@every
@pytest.mark.parametrize("kind", ["two items", "no scale", "second order of two"])
def test_what_is_not_identified_has_no_errors(kind: str, options: dict[str, Any]) -> None:
    fitted = fit(MODELS[kind][0], table(), **options)
    estimates = fitted.estimates
    relations = (estimates["lhs"] + " " + estimates["op"] + " " + estimates["rhs"]).str.strip()
    listed = next(problem for problem in fitted.problems if problem.startswith("Not identified"))
    names = listed.split(". ")[0].replace("Not identified: ", "").split("; ")
    unknown = [relation for relation in relations if relation in names]
    assert unknown
    assert estimates.loc[relations.isin(unknown), "se"].isna().all()


# ------------------------------------------------------------------------------------------------ groups


@every
def test_a_group_of_one(options: dict[str, Any]) -> None:
    said = told(table(branch=["east"] * (N - 1) + ["west"]), options, 2)
    assert "west" in said
    assert "1 respondents" not in said


@every
def test_respondents_without_a_group_are_told(options: dict[str, Any]) -> None:
    branch = pd.Series(np.where(WEST, "west", "east"), dtype=object).where(np.arange(N) != 3, None)
    said = told(table(branch=branch), options, 2)
    assert "1 of 240 respondents has" in said
    assert "no group" in said


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
@pytest.mark.parametrize("item", ITEMS)
def test_a_category_empty_in_one_group(item: str, missing: str) -> None:
    gone = table(**{item: SURVEY[item].where(~(WEST & (SURVEY[item] == 3)), 2.0)})
    said = told(gone, {"ordered": True, "missing": missing}, 2)
    assert "group west" in said
    assert item in said
    assert told(gone, {"ordered": True, "missing": missing}, 1) == ""


# ------------------------------------------------------------------------------------- unusual types, right numbers

TYPES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "nullable integers": lambda t: t.astype(dict.fromkeys(ITEMS, "Int64")),
    "nullable floats": lambda t: t.astype(dict.fromkeys(ITEMS, "Float64")),
    "small integers": lambda t: t.astype(dict.fromkeys(ITEMS, "int8")),
    "numbers as categories": lambda t: t.assign(q2=pd.Categorical(t["q2"].astype(int))),
    "groups as numbers": lambda t: t.assign(branch=np.where(WEST, 2, 1)),
    "groups as truth": lambda t: t.assign(branch=WEST),
    "other row names": lambda t: t.set_index(pd.Index([f"r{i}" for i in range(N)])),
    "doubled row names": lambda t: t.set_index(pd.Index([0] * N)),
}


@every
@grouped
@pytest.mark.parametrize("kind", TYPES)
def test_types_that_hold_the_same_numbers(kind: str, groups: int, options: dict[str, Any]) -> None:
    group = {"group": "branch"} if groups > 1 else {}
    known, found = (fit(MODEL, data, **options, **group).estimates for data in (table(), TYPES[kind](table())))
    assert found["est"].to_numpy() == pytest.approx(known["est"].to_numpy(), abs=1e-6)
    assert found["se"].to_numpy() == pytest.approx(known["se"].to_numpy(), abs=1e-6)


@every
@grouped
def test_true_and_false_are_one_and_zero(groups: int, options: dict[str, Any]) -> None:
    split, group = table(), {"group": "branch"} if groups > 1 else {}
    split[ITEMS] = split[ITEMS] > 1
    known = fit(MODEL, split.astype(dict.fromkeys(ITEMS, float)), **options, **group).estimates
    for data in (split, split.astype(dict.fromkeys(ITEMS, "boolean"))):
        found = fit(MODEL, data, **options, **group).estimates
        assert found["est"].to_numpy() == pytest.approx(known["est"].to_numpy(), abs=1e-6)


# ------------------------------------------------------------------------------------------ covariates of ordinal items

COVARIED = f"{MODEL}\nQ ~ age + male"


def covaried(**changed: Any) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return table(age=rng.uniform(18, 80, N), male=rng.integers(0, 2, N)).assign(**changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"age": 40.0}, "age took one value only"),
        ({"age": np.nan}, "age"),
        ({"age": "old"}, "column age, row 0: found 'old', expected a number"),
        ({"age": np.inf}, "column age, row 0: found an infinite value"),
        ({"copied": 1, "male": lambda t: 2 * t["age"] + 1}, "age, male determine each other exactly"),
        ({"age": lambda t: t["q1"]}, "the covariates foretell the answers to q1 perfectly"),
    ],
    ids=["constant", "empty", "words", "infinity", "collinear", "foretelling"],
)
@grouped
def test_hostile_covariates_are_named(changed: dict[str, Any], message: str, groups: int) -> None:
    with pytest.raises(SemError, match=message):
        fit(COVARIED, covaried(**changed), ordered=True, **({"group": "branch"} if groups > 1 else {}))


def test_respondents_without_a_covariate_are_left_out_and_told() -> None:
    data = covaried()
    gaps = data.assign(age=data["age"].where(data.index != 7))
    for options in ({"ordered": True, "missing": "pairwise"}, {"missing": "fiml"}):
        found, known = fit(COVARIED, gaps, **options), fit(COVARIED, data.drop(index=7), **options)
        assert "1 of 240 respondents has" in found.problems[0]
        assert "covariate (age, male)" in found.problems[0]
        assert found.estimates["est"].to_numpy() == pytest.approx(known.estimates["est"].to_numpy(), abs=1e-6)


@pytest.mark.parametrize("method", ["residuals", "modification_indices", "factor_scores"])
def test_what_is_not_offered_given_covariates_is_refused(method: str) -> None:
    with pytest.raises(SemError, match="not offered for ordinal items given covariates"):
        getattr(fit(COVARIED, covaried(), ordered=True), method)()
