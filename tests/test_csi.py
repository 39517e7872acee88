"""The satisfaction index: published numbers, what it must obey, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import crmlab
from crmlab import InputError, Questionnaire, csi, datasets, read_responses, sem

ECSI = (Path(crmlab.__file__).parent / "questionnaires" / "ecsi.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def ecsi():
    return Questionnaire.shipped("ecsi")


@pytest.fixture(scope="module")
def mobi():
    return datasets.load_mobi()


@pytest.fixture(scope="module")
def branches(mobi):
    """The survey with an invented grouping column: two branches of 125 and 120 respondents, 5 without."""
    return mobi.assign(branch=["north"] * 125 + ["south"] * 120 + [None] * 5)


@pytest.fixture(scope="module")
def grouped_ecsi():
    return Questionnaire.from_text(ECSI + "\ngroups:\n  branch: {en: Branch, zh: 门店}\n")


@pytest.fixture(scope="module")
def result(ecsi, mobi):
    return csi.estimate(ecsi, mobi, bootstrap=300, seed=1)


@pytest.fixture(scope="module")
def grouped(grouped_ecsi, branches):
    return csi.estimate(grouped_ecsi, branches, by="branch", bootstrap=300, seed=1)


# Indices of the mobile-phone survey: computed from SmartPLS 2.0.M3 weights as printed in semPLS's tests (path scheme)
# and from plspm-equivalent centroid weights; both independent of this code.
@pytest.mark.parametrize(("scheme", "expected", "tolerance"), [("path", 72.454, 0.001), ("centroid", 72.54, 0.005)])
def test_index_of_the_mobile_phone_survey(ecsi, mobi, scheme, expected, tolerance):
    survey = csi.estimate(ecsi, mobi, bootstrap=2, scheme=scheme)
    assert survey.index.loc["Satisfaction", "index"] == pytest.approx(expected, abs=tolerance)


def test_index_by_hand_from_published_weights(result, mobi):
    """Outer weights .36486486 .38315604 .45096120 (SmartPLS 2.0.M3) over the items' standard deviations."""
    items = mobi[["CUSA1", "CUSA2", "CUSA3"]]
    weights = np.array([0.36486486, 0.38315604, 0.45096120]) / items.std().to_numpy()
    by_hand = 100 * (weights @ (items.mean().to_numpy() - 1)) / (weights.sum() * 9)
    assert result.index.loc["Satisfaction", "index"] == pytest.approx(by_hand, abs=1e-5)
    share = result.loadings.query("construct == 'Satisfaction'")["share"]
    np.testing.assert_allclose(share, weights / weights.sum(), atol=1e-6)


def test_mean_of_the_respondents_is_the_index(result):
    np.testing.assert_allclose(result.scores.mean(), result.index["index"], atol=1e-9)
    assert result.scores.to_numpy().min() >= -1e-9
    assert result.scores.to_numpy().max() <= 100 + 1e-9


def test_intervals_hold_their_estimates(result):
    for table, value, prefix in [
        (result.index, "index", ""),
        (result.paths, "estimate", ""),
        (result.r_squared, "r_squared", ""),
        (result.importance, "importance", ""),
        (result.effects, "total", "total_"),
        (result.loadings, "weight", "weight_"),
    ]:
        assert (table[f"{prefix}ci_lower"] < table[value]).all()
        assert (table[value] < table[f"{prefix}ci_upper"]).all()


def test_interval_of_a_single_item_construct_is_that_of_a_mean(result, mobi):
    """Complaints has one item: its index is 100(x̄ − 1)/9, the error near s/√n (300 draws: within 15 %)."""
    row = result.index.loc["Complaints"]
    assert row["index"] == pytest.approx(100 * (mobi["CUSCO"].mean() - 1) / 9)
    assert row["se"] == pytest.approx(100 / 9 * mobi["CUSCO"].std() / np.sqrt(250), rel=0.15)


def test_importance_is_the_total_effect_among_the_indices(result):
    """Least squares on the 0–100 scores, equation by equation, then the routes to Satisfaction added up."""
    scores, order = result.scores, ["Image", "Expectation", "Quality", "Value", "Satisfaction"]
    centred = scores[order] - scores[order].mean()
    direct = pd.DataFrame(0.0, index=order, columns=order)
    for target, rows in result.paths.groupby("to"):
        if target in order:
            predictors = list(rows["from"])
            direct.loc[predictors, target] = np.linalg.lstsq(centred[predictors], centred[target], rcond=None)[0]
    total = np.linalg.inv(np.eye(5) - direct.to_numpy()) - np.eye(5)
    np.testing.assert_allclose(result.importance.loc[order[:4], "importance"], total[:4, 4], atol=1e-9)


def test_the_priority_map_names_quadrants_by_the_means(result):
    table = result.priority_map()
    assert list(table.index) == ["Image", "Expectation", "Quality", "Value"]
    value = table.loc["Value"]  # far below the others on both axes
    assert value["importance"] < table["importance"].mean()
    assert value["performance"] < table["performance"].mean()
    assert value["quadrant"] == "low priority"
    assert table.loc["Quality", "quadrant"] == "keep up"


def test_groups_share_one_ruler_and_average_to_the_whole(grouped, branches):
    table = grouped.by_group.set_index(["group", "construct"])
    assert table.loc[("north", "Image"), "n"] == 125
    for construct in grouped.index.index:
        for group in ("north", "south"):
            own = grouped.scores.loc[(branches["branch"] == group).to_numpy(), construct].mean()
            assert table.loc[(group, construct), "index"] == pytest.approx(own)
    assert "5 respondents have no value of branch and stand in no group." in grouped.problems


def test_group_intervals_are_wider_than_the_whole(grouped):
    rows = grouped.by_group.query("construct == 'Satisfaction'")
    whole = grouped.index.loc["Satisfaction"]
    assert (rows["ci_upper"] - rows["ci_lower"] > whole["ci_upper"] - whole["ci_lower"]).all()


def test_stretching_a_scale_moves_nothing(ecsi, mobi, result):
    """Answers 1–10 recorded as 0–90 with a questionnaire that says so."""
    text = ECSI.replace("min: 1", "min: 0").replace("max: 10", "max: 90").replace(" 10: {", " 90: {")
    text = text.replace(" 1: {", " 0: {")
    stretched = csi.estimate(Questionnaire.from_text(text), (mobi - 1) * 10, bootstrap=2)
    np.testing.assert_allclose(stretched.index["index"], result.index["index"], atol=1e-6)


def test_order_of_respondents_and_columns_moves_nothing(ecsi, mobi, result):
    shuffled = mobi.sample(frac=1, random_state=3)[sorted(mobi.columns)].reset_index(drop=True)
    again = csi.estimate(ecsi, shuffled, bootstrap=2)
    np.testing.assert_allclose(again.index["index"], result.index["index"], atol=1e-6)


def test_missing_answers_stand_at_the_mean(ecsi, mobi):
    holes = mobi.astype(float).mask(np.random.default_rng(20050101).random(mobi.shape) < 0.05)
    survey = csi.estimate(ecsi, holes, bootstrap=200)
    filled = csi.estimate(ecsi, holes.fillna(holes.mean()), bootstrap=2)
    np.testing.assert_allclose(survey.index["index"], filled.index["index"], atol=1e-6)
    assert survey.n == 250
    assert any("were replaced by the item's mean" in problem for problem in survey.problems)
    listwise = csi.estimate(ecsi, holes, bootstrap=2, missing="listwise")
    assert listwise.n == int(holes.notna().all(axis=1).sum())


def test_groups_with_missing_answers_average_their_scores(grouped_ecsi, branches):
    holes = branches.copy().astype({column: float for column in branches if column != "branch"})
    holes.loc[:20, "CUSA1"] = np.nan
    survey = csi.estimate(grouped_ecsi, holes, by="branch", bootstrap=2)
    table = survey.by_group.set_index(["group", "construct"])
    own = survey.scores.loc[(branches["branch"] == "north").to_numpy(), "Satisfaction"].mean()
    assert table.loc[("north", "Satisfaction"), "index"] == pytest.approx(own)


def test_consistent_pls_changes_paths_but_not_the_index(ecsi, mobi, result):
    corrected = csi.estimate(ecsi, mobi, bootstrap=100, consistent=True)
    np.testing.assert_allclose(corrected.index["index"], result.index["index"], atol=1e-9)
    # seminr 0.2.1, PLSc: Image → Expectation .8632932 against .5049139 uncorrected
    assert corrected.paths["estimate"][0] == pytest.approx(0.8632932, abs=1e-6)
    assert corrected.method["resamples_inadmissible"] > 0
    assert any("corrected correlations that are impossible together" in problem for problem in corrected.problems)


def test_importance_of_corrected_effects_is_among_error_free_constructs():
    """Unstandardised effects do not depend on reliability: both truths give about the importance of the population.

    The standard deviation of an error-free construct, in index points, is that of its composite times √ρ_A.
    """
    survey = datasets.simulate_survey(n=20_000, seed=5, points=None, measurement="factor")
    fit = csi.estimate(Questionnaire.shipped("course_csi"), survey.data, consistent=True, bootstrap=2)
    truth, items = survey.truth, survey.truth.items
    points = {}
    for construct, block in items.groupby("construct"):
        weights = block["weight"] / block["sd"]
        spread = 100 / (weights * (block["max"] - block["min"])).sum()
        points[construct] = spread * np.sqrt(truth.reliability[construct])
    total = truth.effects.query("to == 'Satisfaction'").set_index("from")["total"]
    for construct, effect in total.items():
        expected = effect * points["Satisfaction"] / points[construct]
        assert fit.importance.loc[construct, "importance"] == pytest.approx(expected, abs=0.03)


def test_a_group_without_any_answer_to_a_construct_is_told(grouped_ecsi, branches):
    holes = branches.astype({"CUSCO": float})
    holes.loc[holes["branch"] == "south", "CUSCO"] = np.nan
    told = "\n".join(csi.estimate(grouped_ecsi, holes, by="branch", bootstrap=20).problems)
    assert "Nobody of branch south answered any item of Complaints" in told


def test_groups_are_counted_as_people_count(grouped_ecsi, mobi):
    answers = pd.concat([mobi, mobi], ignore_index=True)
    answers["branch"] = [f"branch {1 + row % 10}" for row in range(len(answers))]
    named = [f"branch {number}" for number in range(1, 11)]
    assert csi.estimate(grouped_ecsi, answers, by="branch", bootstrap=2).by_group["group"].unique().tolist() == named
    assert csi.estimate_many(grouped_ecsi, answers, by="branch", bootstrap=2).groups.index.tolist() == named


def test_a_group_that_is_left_out_as_a_whole_is_told(grouped_ecsi, branches):
    holes = branches.astype({"CUSCO": float})
    holes.loc[holes["branch"] == "south", "CUSCO"] = np.nan
    survey = csi.estimate(grouped_ecsi, holes, by="branch", bootstrap=2, missing="listwise")
    assert survey.by_group["group"].unique().tolist() == ["north"]
    told = "Groups of branch of which every respondent was left out for missing answers have no index: south."
    assert told in survey.problems


def test_the_same_seed_gives_the_same_result(ecsi, mobi):
    first, again = (json.dumps(csi.estimate(ecsi, mobi, bootstrap=50, seed=9).to_dict()) for _ in range(2))
    assert first == again
    assert first != json.dumps(csi.estimate(ecsi, mobi, bootstrap=50, seed=10).to_dict())


def test_bca_intervals_are_offered(ecsi, mobi, result):
    survey = csi.estimate(ecsi, mobi, bootstrap=300, seed=1, interval="bca")
    assert survey.method["interval"] == "bca"
    shift = survey.index["ci_lower"] - result.index["ci_lower"]
    assert 0 < shift.abs().max() < 1


def test_the_dictionary_is_plain_json(grouped):
    written = json.loads(json.dumps(grouped.to_dict(), allow_nan=False))
    assert list(written)[:4] == ["n", "engine", "index", "ci"]
    assert written["n"] == 250
    assert written["index"] == written["constructs"]["Satisfaction"]["index"]
    assert written["constructs"]["Complaints"]["alpha"] is None
    assert {"from": "Image", "to": "Expectation"}.items() <= written["paths"][0].items()
    assert written["groups"]["south"]["n"] == 120
    assert written["groups"]["south"]["index"] == written["groups"]["south"]["constructs"]["Satisfaction"]["index"]
    assert set(written["r_squared"]) == {"Expectation", "Quality", "Value", "Satisfaction", "Complaints", "Loyalty"}


def test_problems_of_the_mobile_phone_survey_are_told(result):
    told = "\n".join(result.problems)
    assert "Item CUSL2 hardly belongs to Loyalty" in told
    assert "Expectation is measured unreliably" in told
    assert "Quality and Satisfaction are hard to tell apart" in told
    assert "Loyalty: one common factor does not fit its items properly" in told


def test_a_small_sample_and_small_groups_are_told(grouped_ecsi, branches):
    few = pd.concat([branches.head(60), branches.iloc[200:215]])
    survey = csi.estimate(grouped_ecsi, few, by="branch", bootstrap=100)
    told = "\n".join(survey.problems)
    assert "75 respondents: paths smaller than about 0.29" in told  # 2.486/√75
    assert "fewer than 30 respondents have wide, rough intervals: south (15)" in told


def test_a_negative_weight_is_told(ecsi, mobi):
    told = "\n".join(csi.estimate(ecsi, mobi.assign(CUSA2=11 - mobi["CUSA2"]), bootstrap=50).problems)
    assert "Item CUSA2 has a negative weight" in told


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (lambda a: a, {"engine": "amos"}, "engine 'amos' is unknown; choose one of pls, cbsem, semopy"),
        (lambda a: a, {"faults": "ignore"}, "faults 'ignore' is unknown; choose one of error, missing"),
        (lambda a: a, {"by": "region"}, "there is no grouping column 'region'"),
        (lambda a: a, {"scheme": "best"}, "scheme 'best' is unknown"),
        (lambda a: a, {"missing": "zero"}, "missing 'zero' is unknown"),
        (lambda a: a, {"interval": "wald", "bootstrap": 10}, "interval 'wald' is unknown"),
        (lambda a: a, {"bootstrap": 0}, "at least 2 resamples"),
        (lambda a: a.head(39), {}, "39 respondents, and the model needs at least 40"),
        (lambda a: a.assign(CUSA1=7), {}, "item CUSA1 is constant (every answer is 7)"),
        (lambda a: a.assign(CUSA1=np.nan), {}, "no answer at all to CUSA1"),
        (lambda a: a.assign(CUSA1=a["CUSA1"].where(a.index != 16, 11)), {}, "CUSA1"),
    ],
)
def test_what_cannot_be_estimated_is_an_input_error(ecsi, mobi, change, options, says):
    with pytest.raises(InputError) as error:
        csi.estimate(ecsi, change(mobi), **options)
    assert says in str(error.value)


def test_faults_become_missing_only_when_the_analyst_says_so(ecsi, mobi):
    faulty = read_responses(mobi.assign(CUSA1=mobi["CUSA1"].where(mobi.index != 16, 11)), ecsi)
    survey = csi.estimate(ecsi, faulty, faults="missing", bootstrap=2)
    assert survey.n == 250
    assert any("CUSA1" in problem and "11" in problem for problem in survey.problems)


def test_an_acsi_shaped_survey_from_the_generator_runs_too():
    survey = datasets.simulate_survey(n=400, points=10, seed=3)
    estimate = csi.estimate(Questionnaire.shipped("course_csi"), survey.data, bootstrap=100)
    assert list(estimate.index.index) == list(
        sem.pls(Questionnaire.shipped("course_csi").model(), survey.data).shape.constructs
    )
    assert estimate.r_squared.loc["Satisfaction", "r_squared"] > 0.3


@pytest.mark.parametrize(
    ("kind", "says"),
    [("pie", "plot 'pie' is unknown; choose one of constructs, paths"), ("groups", "there are no groups to draw")],
)
def test_a_figure_that_cannot_be_drawn_is_named(result, kind, says):
    with pytest.raises(InputError, match=says):
        result.plot(kind)


def test_an_index_without_causes_has_no_priority_map():
    text = (
        "crmlab_questionnaire: 1\nname: x\nindex: S\nscale: {min: 1, max: 10}\nconstructs:\n"
        "  S: {label: s, facets: [{label: s, items: {s1: a, s2: b}}]}\n"
        "  L: {label: l, facets: [{label: l, items: {l1: c, l2: d}}]}\n"
        "paths:\n  L: [S]\n"
    )
    rng = np.random.default_rng(1)
    answers = np.clip(rng.normal(5.5, 1, size=(80, 1)) + rng.normal(0, 1, size=(80, 4)), 1, 10)
    survey = csi.estimate(
        Questionnaire.from_text(text), pd.DataFrame(answers, columns=["s1", "s2", "l1", "l2"]), bootstrap=50
    )
    assert survey.importance.empty
    with pytest.raises(InputError, match="no path of the model leads to S"):
        survey.plot("priority")
