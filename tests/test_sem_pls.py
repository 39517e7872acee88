"""PLS: what the estimates must obey, and how it refuses what it cannot estimate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_survey import MODEL, survey

from crmlab import sem


def path(fit, source, target):
    return fit.paths.set_index(["from", "to"]).loc[(source, target), "estimate"]


def test_paths_are_least_squares_on_the_scores():
    fit = sem.pls(MODEL, survey())
    scores = fit.scores
    coefficients = np.linalg.lstsq(
        scores[["Quality", "Value"]].to_numpy(), scores["Satisfaction"].to_numpy(), rcond=None
    )[0]
    np.testing.assert_allclose([path(fit, "Quality", "Satisfaction"), path(fit, "Value", "Satisfaction")], coefficients)
    assert path(fit, "Quality", "Value") == pytest.approx(scores["Quality"].corr(scores["Value"]))
    residual = scores["Satisfaction"] - scores[["Quality", "Value"]].to_numpy() @ coefficients
    assert fit.r_squared["Satisfaction"] == pytest.approx(1 - residual.var() / scores["Satisfaction"].var())


def test_scores_have_unit_variance_and_loadings_are_their_correlations_with_the_items():
    answers = survey()
    fit = sem.pls(MODEL, answers)
    np.testing.assert_allclose(fit.scores.std(), 1)
    np.testing.assert_allclose(fit.scores.mean(), 0, atol=1e-12)
    for _, row in fit.loadings.iterrows():
        assert row["loading"] == pytest.approx(answers[row["item"]].corr(fit.scores[row["construct"]]))
    crossed = fit.cross_loadings.loc["v1", "Satisfaction"]
    assert crossed == pytest.approx(answers["v1"].corr(fit.scores["Satisfaction"]))


def test_effects_add_up_along_the_routes():
    fit = sem.pls(MODEL, survey())
    effects = fit.effects.set_index(["from", "to"]).loc[("Quality", "Satisfaction")]
    through_value = path(fit, "Quality", "Value") * path(fit, "Value", "Satisfaction")
    assert effects["indirect"] == pytest.approx(through_value)
    assert effects["total"] == pytest.approx(path(fit, "Quality", "Satisfaction") + through_value)


def test_vif_is_one_over_one_minus_r_squared():
    fit = sem.pls(MODEL, survey())
    r = fit.correlations.loc["Quality", "Value"]
    vif = fit.vif.set_index(["from", "to"])["vif"]
    assert vif[("Quality", "Satisfaction")] == pytest.approx(1 / (1 - r**2))
    assert vif[("Quality", "Value")] == 1


def test_mode_b_weights_are_regression_weights_on_the_inner_proxy():
    formative = MODEL.replace("Quality =~", "Quality <~")
    answers = survey()
    fit = sem.pls(formative, answers, scheme="factorial")
    scores, r = fit.scores, fit.correlations
    proxy = r.loc["Quality", "Value"] * scores["Value"] + r.loc["Quality", "Satisfaction"] * scores["Satisfaction"]
    items = answers[["q1", "q2", "q3"]]
    standard = (items - items.mean()) / items.std()
    coefficients = np.linalg.lstsq(standard.to_numpy(), proxy.to_numpy(), rcond=None)[0]
    weights = fit.weights.query("construct == 'Quality'")["weight"].to_numpy()
    np.testing.assert_allclose(
        weights / np.linalg.norm(weights), coefficients / np.linalg.norm(coefficients), atol=1e-6
    )
    assert fit.reliability.loc["Quality", ["alpha", "omega", "rho_a", "rho_c", "ave"]].isna().all()


def test_a_variable_without_a_block_is_a_single_item_construct():
    answers = survey()
    fit = sem.pls("Quality =~ q1 + q2 + q3; s1 ~ Quality", answers)
    written_out = sem.pls("Quality =~ q1 + q2 + q3; S =~ s1; S ~ Quality", answers)
    assert path(fit, "Quality", "s1") == pytest.approx(path(written_out, "Quality", "S"), abs=1e-12)
    assert np.isnan(fit.reliability.loc["s1", "alpha"])


def test_consistent_pls_divides_by_root_rho_a():
    answers = survey()
    plain, consistent = sem.pls(MODEL, answers), sem.pls(MODEL, answers, consistent=True)
    rho = plain.reliability["rho_a"]
    expected = plain.correlations.loc["Quality", "Value"] / np.sqrt(rho["Quality"] * rho["Value"])
    assert consistent.correlations.loc["Quality", "Value"] == pytest.approx(expected)
    assert path(consistent, "Quality", "Value") == pytest.approx(expected)


def test_a_fit_recovers_a_large_sample_from_a_known_model():
    """Consistent PLS on 200,000 simulated respondents; truth 0.5 and its standardised companions, error about 1/√n."""
    fit = sem.pls(MODEL, survey(200_000), consistent=True)
    variance = 0.25 + 0.09 + 2 * 0.5 * 0.3 * 0.5 + 0.49
    assert path(fit, "Quality", "Value") == pytest.approx(0.5, abs=0.01)
    assert path(fit, "Quality", "Satisfaction") == pytest.approx(0.5 / np.sqrt(variance), abs=0.015)
    assert path(fit, "Value", "Satisfaction") == pytest.approx(0.3 / np.sqrt(variance), abs=0.015)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(8)), st.integers(0, 10_000))
def test_order_of_columns_rows_and_statements_does_not_matter(columns, seed):
    answers = survey(120)
    shuffled = answers.iloc[:, list(columns)].sample(frac=1, random_state=seed)
    statements = MODEL.strip().splitlines()
    reordered = "\n".join(np.random.default_rng(seed).permutation(statements))
    one, other = sem.pls(MODEL, answers), sem.pls(reordered, shuffled)
    for source, target in one.keys["paths"]:
        assert path(one, source, target) == pytest.approx(path(other, source, target), abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 100), st.floats(-50, 50))
def test_rescaling_an_item_changes_nothing_but_raw_alpha(factor, shift):
    answers = survey(120)
    moved = answers.assign(q1=shift + factor * answers["q1"])
    one, other = sem.pls(MODEL, answers), sem.pls(MODEL, moved)
    for name in set(one.values) - {"alpha", "omega"}:
        np.testing.assert_allclose(one.values[name], other.values[name], atol=1e-7, err_msg=name)


def test_signs_follow_the_majority_or_the_anchor():
    answers = survey()
    turned = answers.assign(q1=-answers["q1"])
    loadings = sem.pls(MODEL, turned).loadings.set_index("item")["loading"]
    assert loadings["q1"] < 0 < min(loadings["q2"], loadings["q3"])
    anchored = sem.pls(MODEL, turned, anchors={"Quality": "q1"}).loadings.set_index("item")["loading"]
    assert anchored["q1"] > 0 > max(anchored["q2"], anchored["q3"])


def test_opposed_items_end_in_a_named_problem():
    """The second item is the first reversed: their sum is constant, and equal weights would start from nothing."""
    answers = survey().assign(v2=lambda a: 11 - a["v1"])
    fit = sem.pls(MODEL, answers)
    assert fit.converged
    assert np.isfinite(fit.values["paths"]).all()
    assert any("Item v2 has a negative weight" in problem for problem in fit.problems)
    assert any("The items of Value are collinear" in problem for problem in fit.problems)
    assert fit.loadings.set_index("item").loc["v1", "loading"] > 0  # a tie: the first item decides


def test_missing_answers_are_replaced_or_left_out_and_told():
    answers = survey()
    answers.loc[[3, 7], "q1"] = np.nan
    replaced, listwise = sem.pls(MODEL, answers), sem.pls(MODEL, answers, missing="listwise")
    filled = sem.pls(MODEL, answers.fillna(answers.mean()))
    np.testing.assert_allclose(replaced.values["paths"], filled.values["paths"], atol=1e-9)
    np.testing.assert_allclose(
        listwise.values["paths"], sem.pls(MODEL, answers.drop(index=[3, 7])).values["paths"], atol=1e-12
    )
    assert replaced.problems[0].startswith("2 missing answers of 2 respondents were replaced by the item's mean")
    assert listwise.problems[0] == "2 of 300 respondents have a missing answer and were left out."
    assert listwise.n == 298
    assert 3 not in listwise.scores.index


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda a: a.rename(columns={"q1": "qq1"}),
            "item q1 of Quality is not a column of the data. Did you mean qq1?",
        ),
        (lambda a: a.assign(q1=5), "item q1 of Quality is constant (every answer is 5)"),
        (lambda a: a.assign(q1=np.nan), "item q1 of Quality has no answer in any row"),
        (lambda a: a.assign(q1=a["q1"].where(a.index != 4, np.inf)), "item q1, row 4: the value is infinite"),
        (lambda a: a.assign(q1=a["q1"].astype(object).where(a.index != 4, "often")), "item q1, row 4: 'often' is not"),
        (lambda a: a.head(2), "2 respondents with usable answers"),
    ],
)
def test_data_that_cannot_be_used_are_named(change, says):
    with pytest.raises(sem.SemError) as error:
        sem.pls(MODEL, change(survey(50)))
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("A =~ q1 + q2; B =~ v1 + v2", "construct A takes part in no path"),
        ("A =~ q1; B =~ v1; C =~ s1; A ~ B; B ~ C; C ~ A", "the paths form a cycle through A, B, C"),
        ("A =~ q1 + q2; B =~ A + v1; B ~ A", "B is measured by A, which is a construct"),
    ],
)
def test_models_that_pls_cannot_estimate_are_named(model, says):
    with pytest.raises(sem.ModelError, match=says):
        sem.pls(model, survey(50))


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"scheme": "paths"}, "scheme 'paths' is unknown; choose one of path, centroid, factorial"),
        ({"missing": "fiml"}, "missing 'fiml' is unknown; choose one of mean, listwise"),
        ({"anchors": {"Quality": "s1"}}, "anchor s1 is not an item of Quality"),
    ],
)
def test_unknown_options_are_named(option, says):
    with pytest.raises(sem.SemError, match=says):
        sem.pls(MODEL, survey(50), **option)


def test_problems_are_told_in_words():
    rng = np.random.default_rng(2)
    answers = survey(35)
    answers["q3"] = rng.normal(size=35)
    answers["s3"] = answers["s1"] * -1 + rng.normal(size=35)
    fit = sem.pls(MODEL + "q1 ~~ q2\n", answers)
    told = "\n".join(fit.problems)
    assert "left aside q1 ~~ q2" in told
    assert "Item s3 has a negative weight" in told
    assert "measured unreliably" in told
    stopped = sem.pls(MODEL, answers, max_iterations=1)
    assert not stopped.converged
    assert "did not settle in 1 iterations" in stopped.problems[0]


def test_constructs_that_cannot_be_told_apart_are_named():
    rng = np.random.default_rng(8)
    answers = survey(300)
    for item in ("v1", "v2"):
        answers[item] = answers[["q1", "q2", "q3"]].mean(axis=1) + 0.3 * rng.normal(size=300)
    told = "\n".join(sem.pls(MODEL, answers, consistent=True).problems)
    assert "Quality and Value are hard to tell apart (HTMT" in told
    assert "the corrected correlation is" in told


def test_an_item_of_two_blocks_is_told():
    told = "\n".join(sem.pls(MODEL.replace("v1 + v2", "v1 + v2 + q1"), survey()).problems)
    assert "Item q1 stands in Quality and in Value" in told


@pytest.mark.parametrize(
    ("blocks", "says"), [({"Quality": []}, "block Quality has no items"), ({}, "there is no block of items")]
)
def test_blocks_without_items_are_named(blocks, says):
    with pytest.raises(sem.SemError, match=says):
        sem.reliability(survey(), blocks)


def test_reliability_of_one_block_alone():
    answers = survey()
    table = sem.reliability(answers, {"Quality": ["q1", "q2", "q3"]})
    covariance = answers[["q1", "q2", "q3"]].cov().to_numpy()
    assert table.loc["Quality", "alpha"] == pytest.approx(1.5 * (1 - np.trace(covariance) / covariance.sum()))


def test_htmt_by_hand():
    answers = survey()
    r = answers.corr().abs()
    between = r.loc[["q1", "q2", "q3"], ["v1", "v2"]].to_numpy().mean()
    within = np.mean([r.loc["q1", "q2"], r.loc["q1", "q3"], r.loc["q2", "q3"]])
    expected = between / np.sqrt(within * r.loc["v1", "v2"])
    ratio = sem.htmt(answers, {"Quality": ["q1", "q2", "q3"], "Value": ["v1", "v2"]})
    assert ratio.loc["Quality", "Value"] == pytest.approx(expected)
