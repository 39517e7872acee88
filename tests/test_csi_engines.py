"""The index by CB-SEM and by semopy: lavaan's numbers, the weights by other means, and a no where the model fails."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab import InputError, Questionnaire, csi, datasets, read_responses, sem
from crmlab.studies import csi_report, read_answers
from crmlab.studies.csi_study import tables
from crmlab.weighting import from_model

REFERENCE = Path(__file__).parent / "reference" / "cbsem"
ENGINES = ("pls", "cbsem", "semopy")


def wider(text, low, high):
    """A questionnaire's text with other ends of the scale."""
    for end, new in (("min: 1", f"min: {low}"), ("max: 10", f"max: {high}"), (" 10: {", f" {high}: {{")):
        text = text.replace(end, new)
    return text.replace(" 1: {", f" {low}: {{").replace("{1: {", f"{{{low}: {{")


@pytest.fixture(scope="module")
def ecsi():
    return Questionnaire.shipped("ecsi")


@pytest.fixture(scope="module")
def course():
    return Questionnaire.shipped("course_csi")


@pytest.fixture(scope="module")
def five_points(course):
    """The course's questionnaire on five points, with a column of stores."""
    return Questionnaire.from_text(wider(course.text, 1, 5))


@pytest.fixture(scope="module")
def holes():
    """Five points, 5 % of the answers missing, factors that can be told apart."""
    return datasets.simulate_survey(
        300, points=5, measurement="factor", missing=0.05, seed=8, segments={"North": 0.5, "South": 0.5}
    ).data


@pytest.fixture(scope="module")
def simulated():
    return datasets.simulate_survey(400, points=10, measurement="factor", seed=3).data


@pytest.fixture(scope="module")
def lavaan():
    """lavaan 0.6-14 on a simulated survey of the ECSI model, by tests/reference/cbsem/make_cases.R."""
    return pd.DataFrame(json.loads((REFERENCE / "ecsi_ml.json").read_text(encoding="utf-8"))["estimates"])


@pytest.fixture(scope="module")
def beside_lavaan(ecsi):
    """The same survey, whose answers are decimal and go beyond ten points: a scale from −20 to 40 holds them."""
    answers = pd.read_csv(REFERENCE / "ecsi.csv")
    return csi.estimate(Questionnaire.from_text(wider(ecsi.text, -20, 40)), answers, engine="cbsem", bootstrap=400)


@pytest.fixture(scope="module")
def refused(ecsi):
    return csi.estimate(ecsi, datasets.load_mobi(), engine="cbsem", bootstrap=200)


# ------------------------------------------------------------------------------------------------ beside lavaan 0.6-14


def test_paths_loadings_and_explained_variance_are_lavaans(beside_lavaan, lavaan):
    """`std.all` of lavaan, 1e-4."""
    by_path = lavaan[lavaan["op"] == "~"].set_index(["rhs", "lhs"])["std.all"]
    ours = beside_lavaan.paths.set_index(["from", "to"])["estimate"]
    np.testing.assert_allclose(ours, by_path.loc[ours.index], atol=1e-4)
    by_item = lavaan[lavaan["op"] == "=~"].set_index(["lhs", "rhs"])["std.all"]
    loadings = beside_lavaan.loadings.set_index(["construct", "item"])["loading"]
    np.testing.assert_allclose(loadings, by_item.loc[loadings.index], atol=1e-4)
    disturbance = lavaan[(lavaan["op"] == "~~") & (lavaan["lhs"] == lavaan["rhs"])].set_index("lhs")["std.all"]
    explained = beside_lavaan.r_squared["r_squared"]
    np.testing.assert_allclose(explained, 1 - disturbance.loc[explained.index], atol=1e-4)
    assert beside_lavaan.admissible
    assert beside_lavaan.refusals == []


def regression_matrix(lavaan, items, constructs):
    """Thurstone's ΦΛ'Σ⁻¹ from lavaan's unstandardised estimates: constructs × items."""
    loadings = pd.DataFrame(0.0, index=items, columns=constructs)
    slopes = pd.DataFrame(0.0, index=constructs, columns=constructs)
    variances = {}
    for row in lavaan.itertuples():
        if row.op == "=~":
            loadings.loc[row.rhs, row.lhs] = row.est
        elif row.op == "~":
            slopes.loc[row.lhs, row.rhs] = row.est
        elif row.op == "~~" and row.lhs == row.rhs:
            variances[row.lhs] = row.est
    inner = np.linalg.inv(np.eye(len(constructs)) - slopes.to_numpy())
    phi = inner @ np.diag([variances[name] for name in constructs]) @ inner.T
    lam = loadings.to_numpy()
    sigma = lam @ phi @ lam.T + np.diag([variances[name] for name in items])
    return pd.DataFrame(phi @ lam.T @ np.linalg.inv(sigma), index=constructs, columns=items)


def test_the_index_weighs_items_as_the_factor_score_of_lavaans_solution_does(beside_lavaan, lavaan):
    """Share of each item among the regression weights of its own construct, and the index worked out from them."""
    answers = pd.read_csv(REFERENCE / "ecsi.csv")
    matrix = regression_matrix(lavaan, list(answers.columns), list(beside_lavaan.index.index))
    for construct, block in beside_lavaan.loadings.groupby("construct", sort=False):
        weights = matrix.loc[construct, list(block["item"])]
        np.testing.assert_allclose(block["share"], weights / weights.sum(), atol=1e-4)
        by_hand = 100 * (weights @ (answers[weights.index].mean() + 20)) / (weights.sum() * 60)
        assert beside_lavaan.index.loc[construct, "index"] == pytest.approx(by_hand, abs=2e-3)


def test_errors_of_paths_are_those_of_the_delta_method(beside_lavaan, ecsi):
    """400 resamples of normal answers: their standard deviation is the delta-method error within 20 %, 8 % on average;
    the delta-method errors are lavaan's (tests/test_sem_fit_results.py).
    """
    fit = sem.fit(ecsi.model(), pd.read_csv(REFERENCE / "ecsi.csv"))
    table = fit.standardised()
    expected = table[table["op"] == "~"].set_index(["rhs", "lhs"])["se"]
    ratio = beside_lavaan.paths.set_index(["from", "to"])["se"] / expected
    assert ratio.between(0.8, 1.2).all()
    assert ratio.mean() == pytest.approx(1, abs=0.08)


def test_importance_is_the_effect_between_the_indices_without_error(beside_lavaan, lavaan):
    """Total unstandardised effect times what one unit of each construct moves its own index, from lavaan's numbers."""
    answers = pd.read_csv(REFERENCE / "ecsi.csv")
    constructs = list(beside_lavaan.index.index)
    matrix = regression_matrix(lavaan, list(answers.columns), constructs)
    slopes = pd.DataFrame(0.0, index=constructs, columns=constructs)
    for row in lavaan[lavaan["op"] == "~"].itertuples():
        slopes.loc[row.lhs, row.rhs] = row.est
    total = np.linalg.inv(np.eye(len(constructs)) - slopes.to_numpy()) - np.eye(len(constructs))
    total = pd.DataFrame(total, index=constructs, columns=constructs)
    loadings = lavaan[lavaan["op"] == "=~"].set_index(["lhs", "rhs"])["est"]
    unit = {}
    for construct in constructs:
        weights = matrix.loc[construct, [item for name, item in loadings.index if name == construct]]
        unit[construct] = 100 * (weights @ loadings[construct][weights.index]) / (weights.sum() * 60)
    for driver, importance in beside_lavaan.importance["importance"].items():
        by_hand = total.loc["Satisfaction", driver] * unit["Satisfaction"] / unit[driver]
        assert importance == pytest.approx(by_hand, abs=2e-3)


# ----------------------------------------------------------------------------------------------------- one schema


def keys(tree):
    """The names in a nested result; of a list those of its first entry; groups, weights' signs and fit left open."""
    if isinstance(tree, dict):
        return {name: keys(value) for name, value in tree.items() if name not in ("sign_changes", "fit")}
    return [keys(tree[0])] if isinstance(tree, list) and tree and isinstance(tree[0], dict) else None


def test_every_engine_gives_the_same_schema(ecsi, course, five_points, simulated, holes):
    """On mobi, on a simulated survey and on five points with 5 % missing, with groups."""
    surveys = [
        (ecsi, datasets.load_mobi(), None),
        (course, simulated, None),
        (five_points, holes.rename(columns={"segment": "store"}), "store"),
    ]
    for questionnaire, answers, by in surveys:
        results = [csi.estimate(questionnaire, answers, engine=engine, by=by, bootstrap=3) for engine in ENGINES]
        assert [result.engine for result in results] == list(ENGINES)
        schemas = [keys(json.loads(json.dumps(result.to_dict(), allow_nan=False))) for result in results]
        assert schemas[0] == schemas[1] == schemas[2]
        for name in ("index", "paths", "effects", "loadings", "r_squared", "reliability", "htmt", "vif", "by_group"):
            first, *others = (getattr(result, name) for result in results)
            for other in others:
                assert list(other.columns) == list(first.columns), name
                assert len(other) == len(first), name
        for result in results:
            np.testing.assert_allclose(result.scores.mean(), result.index["index"], atol=1e-8)


def test_semopy_says_what_we_say(course, simulated):
    """Two programs, one maximum: indices within 0.001 points, standardised paths and loadings within 1e-4."""
    ours, theirs = (csi.estimate(course, simulated, engine=engine, bootstrap=60) for engine in ("cbsem", "semopy"))
    np.testing.assert_allclose(theirs.index["index"], ours.index["index"], atol=1e-3)
    np.testing.assert_allclose(theirs.paths["estimate"], ours.paths["estimate"], atol=1e-4)
    np.testing.assert_allclose(theirs.loadings["loading"], ours.loadings["loading"], atol=1e-4)
    assert theirs.method["interval"] == "normal theory"
    assert theirs.method["fit"]["chisq"] == pytest.approx(ours.method["fit"]["chisq"], abs=1e-4)
    assert any(problem.startswith("Estimated by semopy, a second opinion:") for problem in theirs.problems)
    assert "(97.5 % interval " in replace(ours, level=0.975).headline


def test_normal_theory_errors_are_those_of_the_delta_method(course, simulated):
    """1,000 draws: within 12 % (2.8 standard errors of a standard deviation) of the error of the standardised path."""
    survey = csi.estimate(course, simulated, engine="semopy", bootstrap=1000)
    table = sem.fit(course.model(), simulated).standardised()
    expected = table[table["op"] == "~"].set_index(["rhs", "lhs"])["se"]
    ratio = survey.paths.set_index(["from", "to"])["se"] / expected
    assert ratio.between(0.88, 1.12).all()


def test_one_construct_at_a_time_weighs_as_the_whole_model_where_both_hold(course):
    """A large survey that follows the model: the weights of `weighting.from_model` and of the engine agree to 0.02."""
    answers = datasets.simulate_survey(5000, points=None, measurement="factor", seed=2)
    questionnaire = Questionnaire.from_text(wider(course.text, -10, 30))
    survey = csi.estimate(questionnaire, answers.data, engine="cbsem", bootstrap=2)
    alone = from_model(questionnaire, answers.data, engine="cbsem", construct="Satisfaction")
    own = survey.loadings.query("construct == 'Satisfaction'").set_index("item")["share"]
    np.testing.assert_allclose(own, alone.loc[own.index], atol=0.02)
    truth = answers.truth.paths.set_index(["from", "to"])["path"]
    found = survey.paths.set_index(["from", "to"])
    assert ((found["estimate"] - truth.loc[found.index]).abs() < 4 * np.sqrt(1 / 5000) * 1.5).all()


# ------------------------------------------------------------------------------------------------------- refusals


def test_the_full_ecsi_of_mobi_is_refused_first_of_all(refused):
    assert not refused.admissible
    assert refused.problems[0] == refused.refusals[0]
    assert refused.problems[0] == (
        "CB-SEM must be refused here: Image, Expectation, Quality and Satisfaction cannot be told apart (correlations "
        "up to 0.995), so its paths mean nothing. Report PLS (engine 'pls'), or a reduced model in which they are "
        "merged or left out."
    )
    assert refused.problems[1].startswith("Expectation and Quality cannot be told apart as causes of Value")


def test_what_cannot_be_stated_is_none_and_the_index_keeps_an_interval(refused):
    """With the weights held the error of an index is that of a weighted mean, s/√n (200 resamples: within 15 %)."""
    written = json.loads(json.dumps(refused.to_dict(), allow_nan=False))
    assert written["admissible"] is False
    assert all(path["ci"] == [None, None] for path in written["paths"])
    assert written["method"]["interval"] == "percentile, weights held"
    error = refused.scores["Satisfaction"].std() / np.sqrt(250)
    assert refused.index.loc["Satisfaction", "se"] == pytest.approx(error, rel=0.15)


@pytest.mark.parametrize(("language", "title"), [("en", "Do not use these numbers"), ("zh", "请勿使用以下数字")])
def test_the_report_refuses_before_its_first_number(refused, ecsi, language, title):
    answers = read_answers("mobi", ecsi)
    page = csi_report.html(refused, language, responses=answers)
    body = page[page.index("<main>") :]
    assert title in body[: body.index('class="headline"')]
    if language == "zh":
        box = body[: body.index('class="headline"')]
        assert "“企业形象”" in box or "形象" in box
        assert 'lang="en"' not in box
    else:
        assert page.count("CB-SEM must be refused here") == 1


def test_groups_of_a_refused_solution_are_not_compared(ecsi):
    grouped = Questionnaire.from_text(ecsi.text + "\ngroups:\n  branch: {en: Branch, zh: 门店}\n")
    mobi = datasets.load_mobi()
    answers = read_responses(mobi.assign(branch=np.where(mobi.index % 2, "north", "south")), grouped)
    survey = csi.estimate(grouped, answers, engine="cbsem", by="branch", bootstrap=20)
    assert not survey.admissible
    assert "Holm" not in csi_report.html(survey, "en", responses=answers).partition('id="limits"')[0]
    sheets = tables(survey, answers)
    assert "groups" in sheets
    assert "differences" not in sheets


def test_a_search_that_fails_is_told_and_gives_no_numbers(course, simulated, monkeypatch):
    own = sem.fit

    def failing(*args, **options):
        fit = own(*args, **options)
        return replace(fit, optimum=replace(fit.optimum, converged=False, message="no more steps"))

    monkeypatch.setattr(sem, "fit", failing)
    survey = csi.estimate(course, simulated, engine="cbsem", bootstrap=20)
    assert not survey.admissible
    assert survey.problems[0] == (
        "CB-SEM must be refused here: the estimation did not converge, so there are no numbers to show. Report PLS "
        "(engine 'pls') or a reduced model with fewer constructs."
    )
    assert survey.index.isna().all(axis=None)
    assert survey.headline == "Satisfaction not estimated (400 respondents)"
    assert survey.to_dict()["index"] is None
    page = csi_report.html(survey, responses=read_responses(simulated, course))
    assert "Do not use these numbers" in page
    assert "Nothing to draw: the model gave no estimate" in page


def test_a_negative_residual_variance_is_refused_and_its_block_weighed_equally(course, simulated):
    """The third item of Satisfaction repeats the sum of the first two but for noise against them: a Heywood case."""
    text = (
        "crmlab_questionnaire: 1\nname: x\nindex: S\nscale: {min: 0, max: 20}\nconstructs:\n"
        "  Q: {label: q, facets: [{label: q, items: {q1: a, q2: b, q3: c}}]}\n"
        "  S: {label: s, facets: [{label: s, items: {s1: d, s2: e, s3: f}}]}\n"
        "paths:\n  S: [Q]\n"
    )
    rng = np.random.default_rng(4)
    q = rng.normal(size=300)
    # Within the block correlations .9, .9 and .5: a single factor would need a loading of √(.9·.9/.5) = 1.27.
    block = rng.multivariate_normal(np.zeros(3), [[1, 0.8, 0.8], [0.8, 1, 0.45], [0.8, 0.45, 1]], size=300)
    answers = np.column_stack([q[:, None] + 0.7 * rng.normal(size=(300, 3)), 0.3 * q[:, None] + block]) + 10
    table = pd.DataFrame(answers, columns=["q1", "q2", "q3", "s1", "s2", "s3"])
    survey = csi.estimate(Questionnaire.from_text(text), table, engine="cbsem", bootstrap=20)
    assert not survey.admissible
    assert survey.problems[0].startswith("CB-SEM must be refused here: its solution is impossible")
    assert survey.problems[1].startswith("The residual variance of item s1 is negative")
    by_hand = 100 * table[["s1", "s2", "s3"]].mean().mean() / 20
    assert survey.index.loc["S", "index"] == pytest.approx(by_hand)


# ------------------------------------------------------------------------------------------------ missing and ordered


def test_fiml_repairs_what_listwise_breaks(course):
    """Answers go missing where satisfaction is low (MAR). The truth is the complete survey of the same people."""
    complete = datasets.simulate_survey(800, measurement="factor", seed=21).data
    holes = datasets.simulate_survey(800, measurement="factor", seed=21, missing_mar=0.10).data
    whole = csi.estimate(course, complete, engine="cbsem", bootstrap=100).index
    fiml = csi.estimate(course, holes, engine="cbsem", bootstrap=2).index["index"]
    listwise = csi.estimate(course, holes, engine="cbsem", missing="listwise", bootstrap=2).index["index"]
    away = pd.DataFrame({"fiml": fiml - whole["index"], "listwise": listwise - whole["index"]}).div(whole["se"], axis=0)
    others = away.drop("Satisfaction")
    assert (away["fiml"].abs() < 1).all()
    assert (away["listwise"] > 2).all()
    assert len(others) == 5


def test_fiml_means_are_lavaans(ecsi):
    """Item means by FIML are lavaan's `~1` on mobi with 5 % removed, weights its λ/θ; parameters to 5e-3 as there."""
    case = json.loads((REFERENCE / "mobi_fiml.json").read_text(encoding="utf-8"))["estimates"]
    table = pd.DataFrame(case)
    mobi = datasets.load_mobi().astype(float)
    removed = mobi.mask(np.random.default_rng(20050101).random(mobi.shape) < 0.05)
    survey = csi.estimate(ecsi, removed, engine="cbsem", bootstrap=2)
    means = table[table["op"] == "~1"].set_index("lhs")["est"]
    loadings = table[table["op"] == "=~"].set_index(["lhs", "rhs"])["est"]["Satisfaction"]
    residual = table[(table["op"] == "~~") & (table["lhs"] == table["rhs"])].set_index("lhs")["est"]
    weights = loadings / residual[loadings.index]
    by_hand = 100 * (weights @ (means[loadings.index] - 1)) / (9 * weights.sum())
    assert survey.index.loc["Satisfaction", "index"] == pytest.approx(by_hand, abs=0.05)
    assert survey.method["missing"] == "fiml"


def test_groups_are_measured_alike_and_average_to_the_whole(five_points, holes):
    answers = holes.rename(columns={"segment": "store"})
    survey = csi.estimate(five_points, answers, engine="cbsem", by="store", bootstrap=20)
    own = survey.by_group[survey.by_group["construct"] == "Satisfaction"]
    assert np.average(own["index"], weights=own["n"]) == pytest.approx(survey.index.loc["Satisfaction", "index"])
    assert (own["ci_lower"] < own["index"]).all()
    assert survey.group_draws.shape == (20, 2)


def test_ordered_answers_by_wlsmv(five_points, holes):
    """Standardised loadings are those of `sem.fit`, which are lavaan's; weights λ/θ of the y*, by hand."""
    complete = holes.dropna().reset_index(drop=True)
    survey = csi.estimate(five_points, complete, engine="cbsem", estimator="WLSMV", bootstrap=2)
    items = list(five_points.items.index)
    fit = sem.fit(five_points.model(), complete[items], estimator="WLSMV", ordered=True)
    table = fit.estimates[fit.estimates["op"] == "=~"].set_index("rhs")["std_all"]
    loadings = survey.loadings.set_index("item")
    np.testing.assert_allclose(loadings["loading"], table.loc[loadings.index], atol=1e-6)
    own = loadings[loadings["construct"] == "Satisfaction"]
    weights = own["loading"] / (1 - own["loading"] ** 2) / complete[own.index].std()
    np.testing.assert_allclose(own["share"], weights / weights.sum(), atol=1e-8)
    assert survey.method["estimator"] == "WLSMV"


def test_the_lone_item_of_a_construct_stays_a_number_under_wlsmv(ecsi):
    survey = csi.estimate(ecsi, datasets.load_mobi(), engine="cbsem", estimator="WLSMV", bootstrap=2)
    assert any(problem.startswith("CUSCO stands alone in its construct") for problem in survey.problems)
    assert survey.loadings.set_index("item").loc["CUSCO", "loading"] == pytest.approx(1)


def test_companies_one_by_one_by_cbsem(course, simulated):
    text = course.text.replace("groups:\n", "groups:\n  company: {en: Company}\n")
    answers = simulated.assign(company=np.repeat(["A", "B"], 200))
    many = csi.estimate_many(Questionnaire.from_text(text), answers, by="company", engine="cbsem", bootstrap=10, seed=6)
    alone = csi.estimate(course, answers[:200], engine="cbsem", bootstrap=10, seed=csi.group_seed(6, "A"))
    row = many.headline.loc["A"]
    assert [row["index"], row["se"]] == pytest.approx(alone.index.loc["Satisfaction", ["index", "se"]].tolist())


def test_the_same_seed_gives_the_same_bytes(five_points, holes):
    first, second = (csi.estimate(five_points, holes, engine="cbsem", bootstrap=4, seed=9).to_dict() for _ in range(2))
    assert json.dumps(first) == json.dumps(second)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"engine": "pls", "estimator": "ML"},
            "estimator 'ML' belongs to CB-SEM; leave it out, or use engine='cbsem'.",
        ),
        ({"engine": "cbsem", "estimator": "GLS"}, "estimator 'GLS' is unknown; choose one of ML, MLR, ULS, WLSMV."),
        ({"engine": "cbsem", "consistent": True}, "consistent belongs to PLS; leave it out, or use engine='pls'."),
        ({"engine": "cbsem", "scheme": "centroid"}, "scheme belongs to PLS; leave it out, or use engine='pls'."),
        ({"engine": "cbsem", "missing": "mean"}, "missing 'mean' is unknown; choose one of listwise, fiml, pairwise."),
        (
            {"engine": "cbsem", "estimator": "ULS", "missing": "fiml"},
            "missing 'fiml' does not go with ULS; choose 'listwise'.",
        ),
        (
            {"engine": "cbsem", "missing": "pairwise"},
            "missing 'pairwise' does not go with ML; choose 'fiml' or 'listwise'.",
        ),
        (
            {"engine": "semopy", "estimator": "WLSMV"},
            "engine 'semopy' estimates by ML only, found estimator 'WLSMV'; use engine='cbsem'.",
        ),
        ({"engine": "semopy", "missing": "fiml"}, "missing 'fiml' does not go with ML; choose 'listwise'."),
        (
            {"engine": "cbsem", "interval": "bca"},
            "interval 'bca' needs a jackknife and goes with engine 'pls' only; leave it out for engine 'cbsem'.",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(course, simulated, options, told):
    with pytest.raises(InputError) as error:
        csi.estimate(course, simulated, **options)
    assert str(error.value) == told


def test_a_formative_construct_is_refused_by_name(course, simulated):
    text = course.text.replace("  PerceivedValue:\n", "  PerceivedValue:\n    mode: formative\n")
    with pytest.raises(InputError) as error:
        csi.estimate(Questionnaire.from_text(text), simulated, engine="cbsem")
    assert str(error.value) == (
        "PerceivedValue is formative, and CB-SEM here models what the items of a construct have in common. Use "
        "engine='pls', or say 'mode: reflective' in the questionnaire if the items are its effects."
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seed": -1}, "seed must be 0 or more, found -1."),
        ({"bootstrap": 1}, "a bootstrap needs at least 2 resamples, found 1; 1000 or more give a steady interval."),
        ({"level": 95}, "level must lie between 0 and 1, found 95."),
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_numbers_that_no_engine_can_use_are_told_before_the_work(ecsi, engine, options, told, monkeypatch):
    """Under CB-SEM mobi's solution is refused and resampled with its weights held: a way of its own to draw."""
    monkeypatch.setattr(csi.Settings, "fit", lambda *_: pytest.fail("the model was estimated"))
    with pytest.raises(InputError) as error:
        csi.estimate(ecsi, datasets.load_mobi(), engine=engine, **options)
    assert str(error.value) == told
