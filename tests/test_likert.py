"""Single items: distributions, item analysis, shares, keying, ordinal logit, response style, Kano, gaps.

References made by R (psych 2.2.9, MASS 7.3-58.2) stand in tests/reference/likert with their script.
"""

import json
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from crmlab import Questionnaire, likert
from crmlab.datasets import load_mobi, simulate_kano, simulate_response_style
from crmlab.errors import InputError
from crmlab.plots import likert as figures
from crmlab.plots import style

REFERENCE = Path(__file__).with_name("reference") / "likert"
LETTERS = ["M", "O", "A", "I", "R", "Q"]


def told(call, *arguments, **options):
    """The words of the InputError that a call ends in."""
    with pytest.raises(InputError) as error:
        call(*arguments, **options)
    return str(error.value)


def five_points():
    """Ten respondents, two groups; 9 is "don't know"."""
    return pd.DataFrame(
        {
            "SA1": [5, 4, 4, 3, 2, 5, 4, 9, np.nan, 1],
            "SA2": [5, 5, 4, 4, 4, 5, 5, 4, 4, 5],
            "store": ["A"] * 5 + ["B"] * 5,
        }
    )


# -------------------------------------------------------------------------------------------------- distributions


def test_counts_keep_unused_levels_and_leave_dont_know_aside():
    result = likert.distribution(five_points(), ["SA1", "SA2"], scale=(1, 5), dont_know=[9])
    counts = result.counts.pivot(index="item", columns="answer", values="count")
    assert counts.loc["SA1"].tolist() == [1, 1, 1, 3, 2]
    assert counts.loc["SA2"].tolist() == [0, 0, 0, 5, 5]
    first, second = result.summary.to_dict("records")
    assert (first["asked"], first["answered"], first["dont_know"], first["missing"]) == (10, 8, 1, 1)
    assert (first["bottom"], first["neutral"], first["top"]) == (2 / 8, 1 / 8, 5 / 8)
    assert second["unused"] == "1, 2, 3"
    assert result.shares().sum(axis=1).tolist() == pytest.approx([1, 1])


def test_groups_add_up_to_all_and_order_is_that_of_all_together():
    data = five_points()
    whole = likert.distribution(data, ["SA1", "SA2"], scale=(1, 5), dont_know=[9])
    parts = likert.distribution(data, ["SA1", "SA2"], scale=(1, 5), dont_know=[9], by="store")
    added = parts.counts.groupby(["item", "answer"])["count"].sum()
    pd.testing.assert_series_equal(added, whole.counts.set_index(["item", "answer"])["count"], check_names=False)
    assert parts.ordered("mean")["item"].tolist() == ["SA2", "SA2", "SA1", "SA1"]
    assert parts.ordered("top")["item"].tolist() == ["SA2", "SA2", "SA1", "SA1"]
    assert parts.ordered("asked")["item"].tolist() == ["SA1", "SA2", "SA1", "SA2"]


def test_an_even_scale_has_no_neutral_answer():
    summary = likert.distribution(load_mobi(), ["CUSA1"], scale=(1, 10)).summary.iloc[0]
    assert np.isnan(summary["neutral"])
    assert summary["bottom"] == pytest.approx((load_mobi()["CUSA1"] <= 5).mean())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            7,
            "scale: SA1 has 7 in row 2 (1 such answers in all); expected 1 to 5. Correct the data, the scale, or name "
            "the code in dont_know.",
        ),
        (
            2.5,
            "column SA1, row 2: found 2.5, expected a whole number of the scale. A mean of several items has no levels "
            "to count: give the items.",
        ),
        (
            "gut",
            "column SA1, row 2: found 'gut', expected a number. Read the file with read_responses, which turns labels "
            "into numbers.",
        ),
    ],
)
def test_answers_that_cannot_be_counted_are_named(answer, message):
    data = pd.DataFrame({"SA1": pd.Series([1, 2, answer, 4], dtype=object)})
    assert told(likert.distribution, data, ["SA1"], scale=(1, 5)) == message


def test_what_the_battery_needs_is_told():
    assert told(likert.distribution, five_points(), ["SA1"]) == (
        "scale: the lowest and highest answer of SA1 are not known. Say scale=(1, 5), or give a questionnaire."
    )
    assert told(likert.reverse_keyed, five_points(), ["SA1"], scale=(1, 5)) == (
        "reverse_keyed: the items belong to no construct. Give a questionnaire, or a mapping such as "
        "{'Satisfaction': ['SA1', 'SA2', 'SA3']}."
    )


# --------------------------------------------------------------------------------------------------------- figures


def bars_of(neutral, data=None):
    data = five_points() if data is None else data
    result = likert.distribution(data, ["SA1", "SA2"], scale=(1, 5), dont_know=[9])
    return result.plot(neutral=neutral, order="asked")


@pytest.mark.parametrize(
    ("neutral", "left_of_first", "drawn"),
    [("split", -(25 + 6.25), 10), ("aside", -25.0, 10), ("dropped", -25.0, 8)],
)
def test_the_neutral_answer_is_split_aside_or_dropped(neutral, left_of_first, drawn):
    ax = bars_of(neutral)
    first_row = [bar for bar in ax.patches if abs(bar.get_y() + bar.get_height() / 2) < 0.5]
    assert len(ax.patches) == drawn
    assert min(bar.get_x() for bar in first_row) == pytest.approx(left_of_first)
    widths = sorted(round(bar.get_width(), 2) for bar in first_row)
    assert widths == sorted([12.5, 12.5, 37.5, 25.0, *([] if neutral == "dropped" else [12.5])])
    if neutral == "aside":
        assert max(bar.get_x() for bar in first_row) > 100, "beyond the longest agreement"


def test_figures_say_what_is_seen_in_both_languages():
    ecsi = Questionnaire.shipped("ecsi")
    result = likert.distribution(load_mobi(), ecsi)
    english, chinese = (result.plot(language=language) for language in ("en", "zh"))
    assert style.alt(english).startswith("Diverging stacked bars of 24 rows on a scale of 10 points.")
    assert "总的来说，我对该运营商满意吗？：中点以下 4%，以上 96%，均值 8.0" in style.alt(chinese)
    assert english.get_xlabel() == (
        "Share of the answers (%), left: below the middle, right: above\nRight column: mean (answers)"
    )
    heat = likert.distribution(five_points(), ["SA1"], scale=(1, 5), dont_know=[9]).plot("heat")
    assert [text.get_text() for text in heat.texts] == ["12", "12", "12", "38", "25", "3.5 (8), 1 don't know"]


def test_disagreement_and_agreement_are_told_apart_in_grey():
    ax = bars_of("split")
    assert {bar.get_hatch() for bar in ax.patches if bar.get_x() + bar.get_width() <= 1e-9 and bar.get_width()} == {
        "////"
    }
    lightness = [np.dot(bar.get_facecolor()[:3], (0.2126, 0.7152, 0.0722)) for bar in ax.patches[::2]]
    assert lightness[0] < lightness[1]
    assert lightness[4] < lightness[3], "the further from the middle, the darker"


def test_items_of_different_scales_are_not_drawn_together():
    data = pd.DataFrame({"a": [1, 2], "b": [1, 10]})
    result = likert.distribution(data, ["a", "b"], scale={"a": (1, 5), "b": (1, 10)})
    with pytest.raises(ValueError, match="the items have different scales; draw those of each scale in a figure"):
        result.plot()


# ----------------------------------------------------------------------------------------------- shares, intervals


@pytest.mark.parametrize(
    # Newcombe (1998), Statistics in Medicine 17, 857–872, table I: methods 3 (Wilson), 5 (Clopper–Pearson), 1 (Wald).
    ("count", "n", "method", "lower", "upper"),
    [
        (81, 263, "wilson", 0.2553, 0.3662),
        (15, 148, "wilson", 0.0624, 0.1605),
        (0, 20, "wilson", 0.0000, 0.1611),
        (1, 29, "wilson", 0.0061, 0.1718),
        (81, 263, "clopper-pearson", 0.2527, 0.3676),
        (15, 148, "clopper-pearson", 0.0578, 0.1617),
        (0, 20, "clopper-pearson", 0.0000, 0.1684),
        (1, 29, "clopper-pearson", 0.0009, 0.1776),
        (81, 263, "wald", 0.2522, 0.3638),
    ],
)
def test_share_intervals_as_published(count, n, method, lower, upper):
    found = likert.share_interval(count, n, method=method)
    assert [float(end) for end in found] == pytest.approx([lower, upper], abs=5.01e-5)


@pytest.mark.parametrize(("ours", "theirs"), [("wilson", "wilson"), ("clopper-pearson", "beta"), ("wald", "normal")])
def test_share_intervals_agree_with_statsmodels(ours, theirs):
    count, n = np.arange(0, 21), 20
    found = likert.share_interval(count, n, method=ours, level=0.9)
    np.testing.assert_allclose(found, proportion_confint(count, n, alpha=0.1, method=theirs), atol=1e-12)


def exact_coverage(method, n, promoters, detractors):
    """Probability that the interval holds the true score, summed over all outcomes of a multinomial."""
    covered = 0.0
    for p in range(n + 1):
        for d in range(n + 1 - p):
            probability = comb(n, p) * comb(n - p, d) * promoters**p * detractors**d
            probability *= (1 - promoters - detractors) ** (n - p - d)
            lower, upper = likert.net_promoter_interval(p, d, n, method=method)
            covered += probability * (lower <= promoters - detractors <= upper)
    return covered


def test_the_nps_interval_covers_as_often_as_it_says():
    """Exact coverage at n = 20, many promoters: Bonett & Price (2012) repair what Wald loses."""
    assert exact_coverage("bonett-price", 20, 0.8, 0.05) > 0.94
    assert exact_coverage("wald", 20, 0.8, 0.05) < exact_coverage("bonett-price", 20, 0.8, 0.05)


def test_nps_by_hand_and_by_group():
    answers = pd.DataFrame({"r": [10] * 4 + [8] * 4 + [3] * 2 + [9, 0], "g": ["x"] * 10 + ["y"] * 2})
    table = likert.nps(answers, ["r"], by="g").set_index("group")
    assert table.loc["x", ["n", "promoters", "passives", "detractors"]].tolist() == [10, 0.4, pytest.approx(0.4), 0.2]
    assert table.loc["x", "nps"] == pytest.approx(20)
    # 5/12 − 3/12 ± 1.959964 √((8/12 − (2/12)²)/12): one added to each side.
    margin = 1.959964 * np.sqrt((8 / 12 - 1 / 36) / 12)
    assert table.loc["x", ["ci_lower", "ci_upper"]].tolist() == pytest.approx(
        [100 * (2 / 12 - margin), 100 * (2 / 12 + margin)], abs=1e-4
    )
    assert table.loc["y", "nps"] == 0
    assert table["interval"].unique().tolist() == ["Bonett–Price 95 %"]


def test_nps_is_refused_on_another_scale():
    assert told(likert.nps, load_mobi(), ["CUSL3"], scale=(1, 10)) == (
        "nps: CUSL3 is asked from 1 to 10; the net promoter score is defined on 0 to 10. Report its top-2-box instead, "
        "or ask again on 0 to 10."
    )


# ---------------------------------------------------------------------------------------------------- item analysis


def test_item_analysis_agrees_with_psych():
    blocks = {"Image": [f"IMAG{i}" for i in range(1, 6)], "Satisfaction": ["CUSA1", "CUSA2", "CUSA3"]}
    blocks["Loyalty"] = ["CUSL1", "CUSL2", "CUSL3"]
    found = likert.item_analysis(load_mobi(), blocks, scale=(1, 10))
    psych = pd.read_csv(REFERENCE / "items.csv").pivot(index="item", columns="statistic", values="value")
    for statistic in ("mean", "sd", "skew", "kurtosis", "item_total", "alpha_if_dropped"):
        np.testing.assert_allclose(found.table[statistic], psych.loc[found.table.index, statistic], atol=1e-9)
    np.testing.assert_allclose(found.alpha, psych.loc[found.alpha.index, "alpha"], atol=1e-9)
    assert any(text.startswith("CUSL2: alpha would rise without it") for text in found.problems)


def test_ends_of_the_scale_and_missing_answers_are_counted():
    data = pd.DataFrame({"a": [0, 10, 10, 9, np.nan], "b": [1, 5, 4, 2, 3]})
    table = likert.item_analysis(data, ["a", "b"], scale={"a": (0, 10), "b": (1, 5)}).table
    assert table.loc["a", ["n", "missing", "floor", "ceiling", "top2box", "nps"]].tolist() == [
        4,
        1,
        0.25,
        0.5,
        0.75,
        50,
    ]
    assert np.isnan(table.loc["b", "nps"])
    assert table["item_total"].isna().all()


# ------------------------------------------------------------------------------------------------------------ keying


@pytest.mark.parametrize("seed", range(5))
def test_items_asked_the_other_way_round_are_found_and_left_as_they_are(seed):
    survey = simulate_response_style(300, seed=seed, level_sd=0.0)
    turned = ("Quality2", "Image4")
    raw = likert.reverse(survey.data, turned, items=survey.blocks, scale=(1, 7))
    before = raw.copy()
    found = likert.reverse_keyed(raw, survey.blocks, scale=(1, 7))
    assert found.suggested == list(turned)
    pd.testing.assert_frame_equal(raw, before)
    assert likert.reverse_keyed(survey.data, survey.blocks, scale=(1, 7)).suggested == []


def test_two_items_at_odds_cannot_say_which_is_wrong():
    data = pd.DataFrame({"a": [1, 2, 3, 4, 5, 5], "b": [5, 4, 3, 2, 1, 2]})
    found = likert.reverse_keyed(data, {"Value": ["a", "b"]}, scale=(1, 5))
    assert found.table["suggestion"].tolist() == ["undecidable", "undecidable"]
    assert found.problems == [
        "a, b: as many items of Value point one way as the other; only the wording can say which."
    ]


# ------------------------------------------------------------------------------------------------- ordinal and linear


@pytest.fixture(scope="module")
def housing():
    """Satisfaction with rented flats in Copenhagen, 72 cells (Madsen 1976), as in R's MASS."""
    data = pd.read_csv(REFERENCE / "housing.csv")
    levels = {
        "Sat": ["Low", "Medium", "High"],
        "Infl": ["Low", "Medium", "High"],
        "Type": ["Tower", "Apartment", "Atrium", "Terrace"],
        "Cont": ["Low", "High"],
    }
    return data.assign(**{name: pd.Categorical(data[name], order, ordered=True) for name, order in levels.items()})


@pytest.fixture(scope="module")
def fitted(housing):
    return likert.against_linear(housing, "Sat", ["Infl", "Type", "Cont"], frequency="Freq")


def test_the_ordinal_logit_agrees_with_polr(fitted, housing):
    ordinal = fitted.ordinal
    # Printed by summary(polr(...)) in the help page of MASS (Venables & Ripley 2002, section 7.3).
    printed = [0.5664, 1.2888, -0.5724, -0.3662, -1.0910, 0.3603]
    assert ordinal.coefficients["estimate"].tolist() == pytest.approx(printed, abs=5e-5)
    assert ordinal.deviance == pytest.approx(3479.149, abs=5e-4)
    polr = pd.read_csv(REFERENCE / "polr.csv", keep_default_na=False)
    for statistic, tolerance in (("estimate", 2e-5), ("se", 2e-6)):
        expected = polr.loc[polr["statistic"] == statistic, "value"].to_numpy()
        found = np.concatenate([ordinal.coefficients[statistic], ordinal.thresholds[statistic]])
        np.testing.assert_allclose(found, expected, atol=tolerance)
    shares = polr.loc[polr["statistic"] == "first_row", "value"].to_numpy()
    np.testing.assert_allclose(ordinal.predict(housing.iloc[:1]).to_numpy()[0], shares, atol=1e-5)
    assert (ordinal.n, ordinal.converged) == (1681, True)


def test_brants_test_agrees_with_two_logits_by_r(fitted):
    polr = pd.read_csv(REFERENCE / "polr.csv", keep_default_na=False)
    expected = polr.loc[polr["statistic"] == "brant", "value"].to_numpy()
    found = fitted.ordinal.proportional_odds
    np.testing.assert_allclose(found["chisq"], expected, atol=1e-6)
    assert found["df"].tolist() == [1, 1, 1, 1, 1, 1, 6]
    assert found.loc["all terms", "pvalue"] > 0.05


def test_the_ordinal_logit_keeps_the_shares_that_the_line_misses(fitted):
    gap = fitted.shares.sub(fitted.shares["observed"], axis=0).abs().max()
    assert gap["ordinal"] < 0.005
    assert gap["linear"] > 0.15
    assert fitted.table["same_reading"].all(), "means and slopes read alike: that is where it does not matter"
    assert fitted.shares.sum().tolist() == pytest.approx([1, 1, 1])


def test_frequencies_count_as_rows(housing):
    few = housing.assign(Freq=(housing["Freq"] // 10).clip(lower=1))
    spelled = few.loc[few.index.repeat(few["Freq"])]
    by_frequency = likert.ordinal_logit(few, "Sat", ["Infl"], frequency="Freq")
    by_row = likert.ordinal_logit(spelled, "Sat", ["Infl"])
    np.testing.assert_allclose(by_frequency.coefficients, by_row.coefficients, rtol=1e-8)


def test_odds_that_are_not_proportional_are_named():
    rng = np.random.default_rng(5)
    x = rng.normal(size=1500)
    latent = rng.logistic(size=1500)
    y = (latent > 1 - 2 * x).astype(int) + ((latent > 1 - 2 * x) & (rng.random(1500) < 0.5)).astype(int)
    fit = likert.ordinal_logit(pd.DataFrame({"x": x, "y": y}), "y", ["x"])
    assert fit.proportional_odds.loc["x", "pvalue"] < 0.001
    assert any(text.startswith("Proportional odds do not hold (Brant's test, p = 0.000) (x)") for text in fit.problems)


def test_brant_rejects_true_proportional_odds_as_rarely_as_it_should():
    rejected = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=400)
        y = np.digitize(x + rng.logistic(size=400), [-1, 1])
        rejected += (
            likert.ordinal_logit(pd.DataFrame({"x": x, "y": y}), "y", ["x"]).proportional_odds["pvalue"].iloc[0] < 0.05
        )
    assert rejected <= 7, "binomial(40, 0.05) exceeds 7 once in 1400"


def test_what_an_ordinal_logit_cannot_use_is_told(housing):
    assert told(likert.ordinal_logit, load_mobi().assign(y=load_mobi()["CUSA1"] > 7), "y", ["PERQ1"]) == (
        "outcome: y has 2 categories; an ordinal logit needs three or more. With two, use an ordinary logit."
    )
    wrong = housing.assign(Freq=housing["Freq"] + 0.5)
    assert told(likert.ordinal_logit, wrong, "Sat", ["Infl"], frequency="Freq") == (
        "frequency: Freq has 21.5 in row 0; expected a whole number of respondents."
    )
    doubled = load_mobi().assign(twice=2 * load_mobi()["PERQ1"])
    assert told(likert.ordinal_logit, doubled, "CUSA1", ["PERQ1", "twice"]) == (
        "predictors: PERQ1, twice determine each other, or one of them never varies. Leave one out."
    )


# ---------------------------------------------------------------------------------------------------- response style


def mean_correlation(values, blocks):
    r = pd.DataFrame({name: values[block].mean(axis=1) for name, block in blocks.items()}).corr().to_numpy()
    return np.mean([r[i, j] for i, j in combinations(range(len(r)), 2)])


def test_a_habit_is_found_and_taken_out_where_items_are_balanced():
    survey = simulate_response_style(2000, seed=3, level_sd=0.8)
    found = likert.method_check(survey.data, survey.blocks, scale=(1, 7), turned=survey.turned, marker="marker")
    assert found.method_factor["difference"] > 100
    # The habit adds 0.8² = 0.64 squared points to each answer; clipping at the ends of the scale takes some of it.
    assert found.method_factor["variance"] == pytest.approx(0.64, abs=0.08)
    assert found.correlations["latent_method"].mean() == pytest.approx(0.3, abs=0.045)
    assert found.correlations["latent"].isna().all(), "without the method factor no possible correlations fit"
    assert any(
        text.startswith("The factor model of the constructs: The covariance matrix of the constructs is not")
        for text in found.problems
    )


def test_centring_forces_correlations_down_where_all_items_point_one_way():
    """k constructs of equal length: their corrected means sum to a constant, so mean r = −1/(k − 1)."""
    survey = simulate_response_style(1000, seed=3, level_sd=0.8, balanced=False)
    result = likert.scale_use(survey.data, survey.blocks, scale=(1, 7))
    clean = mean_correlation(survey.clean, survey.blocks)
    assert result.floor == pytest.approx(-1 / 3)
    assert result.correlations["after"].mean() == pytest.approx(-1 / 3, abs=0.01)
    assert clean > 0.15
    assert result.correlations["before"].mean() > clean + 0.3


def test_centring_a_balanced_battery_leaves_the_truth():
    survey = simulate_response_style(1000, seed=3, level_sd=0.8, spread_sd=0.3)
    clean = mean_correlation(survey.clean, survey.blocks)
    centred, standardised = (
        likert.scale_use(survey.data, survey.blocks, scale=(1, 7), turned=survey.turned, method=method)
        for method in ("centre", "standardise")
    )
    assert centred.correlations["after"].mean() == pytest.approx(clean, abs=0.05)
    assert standardised.correlations["after"].mean() < clean, "the spread of 16 answers is opinion too"


def test_standardising_takes_out_each_respondents_level_and_spread():
    survey = simulate_response_style(200, seed=1, spread_sd=0.4)
    result = likert.scale_use(survey.data, survey.blocks, scale=(1, 7), turned=survey.turned, method="standardise")
    battery = likert.Battery.of(survey.blocks, (1, 7))
    raw = battery.turn(result.data, survey.turned)
    assert raw.mean(axis=1).std() < 1e-12
    assert raw.std(axis=1).std() < 1e-12


def test_group_differences_that_run_through_all_items_disappear():
    survey = simulate_response_style(1000, seed=2, balanced=False, group_level=0.6)
    index = likert.scale_use(survey.data, survey.blocks, scale=(1, 7), by="group").index
    difference = index.groupby("group")[["before", "after"]].mean().diff().iloc[-1]
    # 0.6 points of 6 are 10 index points, a little less where answers are held at the ends of the scale.
    assert difference["before"] == pytest.approx(10, abs=2.5)
    assert difference["after"] == pytest.approx(0, abs=1e-9)


# -------------------------------------------------------------------------------------------------------------- Kano


def test_every_pair_of_answers_is_classified_as_in_the_published_table():
    """Berger et al. (1993), figure 8; answers 1 like, 2 must-be, 3 neutral, 4 live with, 5 dislike."""
    published = {
        1: "QAAAO",
        2: "RIIIM",
        3: "RIIIM",
        4: "RIIIM",
        5: "RRRRQ",
    }
    for with_it, row in published.items():
        for without, letter in enumerate(row, start=1):
            data = pd.DataFrame({"f": [with_it], "d": [without]})
            counts = likert.kano(data, {"x": ("f", "d")}).counts.loc["x"]
            assert counts[counts > 0].index.tolist() == [letter]


def kano_of(**counts):
    """A Kano result with these counts of one feature."""
    pair = {"M": (3, 5), "O": (1, 5), "A": (1, 3), "I": (3, 3), "R": (3, 1), "Q": (1, 1)}
    rows = [pair[letter] for letter, count in counts.items() for _ in range(count)]
    return likert.kano(pd.DataFrame(rows, columns=["f", "d"]), {"x": ("f", "d")}).table.loc["x"]


def test_coefficients_and_fongs_test_by_hand():
    row = kano_of(M=10, O=20, A=50, I=15, R=4, Q=1)
    assert row["better"] == pytest.approx(70 / 95)
    assert row["worse"] == pytest.approx(-30 / 95)
    # 50 − 20 = 30 against 1.645 √(70 · (200 − 70) / 200) = 11.1
    assert row["fong"]
    assert row["certainty"] > 0.99
    # 36 − 30 = 6 against 1.645 √(66 · 134 / 200) = 10.9
    close = kano_of(A=36, O=30, I=34)
    assert not close["fong"]
    assert (close["category"], close["second"]) == ("A", "I")


def test_certainty_is_the_probability_of_the_same_category():
    """Of two categories 55 : 45, resamples of 100 keep the first with P(X > 50) + P(X = 50), ties going to M."""
    from scipy.stats import binom

    assert kano_of(M=55, O=45)["certainty"] == pytest.approx(binom.sf(49, 100, 0.55), abs=0.02)


def test_ties_go_to_the_stricter_demand():
    assert [kano_of(**counts)["category"] for counts in ({"A": 5, "M": 5}, {"I": 5, "A": 5}, {"O": 5, "A": 5})] == [
        "M",
        "A",
        "O",
    ]


@pytest.mark.parametrize("seed", range(3))
def test_known_classes_penalties_and_rewards_are_recovered(seed):
    survey = simulate_kano(1500, seed=seed)
    found = likert.kano(survey.data, survey.pairs)
    assert found.table["category"].tolist() == survey.truth["category"].tolist()
    shares = found.counts.div(found.counts.sum(axis=1), axis=0)
    np.testing.assert_allclose(shares[LETTERS], survey.truth[LETTERS], atol=4.5 * 0.5 / 1500**0.5)
    contrast = likert.penalty_reward(survey.data, "satisfaction", survey.features, scale=(1, 10))
    for name in ("penalty", "reward"):
        off = (contrast.table[name] - survey.truth[name]) / contrast.table[f"{name}_se"]
        assert off.abs().max() < 4
    assert set(contrast.table.loc[["safety", "comfort", "convenience"], "factor"]) <= {"hygiene", "both"}
    assert set(contrast.table.loc[["joy", "individuality"], "factor"]) <= {"motivator", "both"}
    assert contrast.table.loc["economy", "factor"] == "both"


def test_penalty_reward_agrees_with_statsmodels_hc3():
    import statsmodels.api as sm

    survey = simulate_kano(300, seed=4)
    found = likert.penalty_reward(survey.data, "satisfaction", ["joy", "safety"], scale=(1, 10))
    ratings = survey.data[["joy", "safety"]]
    design = sm.add_constant(np.column_stack([ratings <= 4, ratings >= 7]).astype(float))
    peer = sm.OLS(survey.data["satisfaction"], design).fit(cov_type="HC3", use_t=True)
    np.testing.assert_allclose(np.concatenate([found.table["penalty"], found.table["reward"]]), peer.params[1:])
    np.testing.assert_allclose(np.concatenate([found.table["penalty_se"], found.table["reward_se"]]), peer.bse[1:])
    np.testing.assert_allclose(found.table["reward_ci_upper"], peer.conf_int().to_numpy()[3:, 1])
    assert found.r_squared == pytest.approx(peer.rsquared)


def test_faulty_kano_answers_are_named():
    data = pd.DataFrame({"f": [1, 6], "d": [5, 5]})
    assert told(likert.kano, data, {"radio": ("f", "d")}) == (
        "kano: f has 6 in row 1; expected 1 like, 2 must be so, 3 neutral, 4 can live with it, 5 dislike. Recode the "
        "answers."
    )
    ratings = pd.DataFrame({"clean": [3, 4, 5, 3], "overall": [1.0, 2, 3, 4]})
    assert told(likert.penalty_reward, ratings, "overall", ["clean"], scale=(1, 5)) == (
        "penalty_reward: nobody rates clean so low, so its effect cannot be estimated. Move the limit with low=…, or "
        "leave the attribute out."
    )


# -------------------------------------------------------------------------------------------------------------- gaps


def test_gaps_agree_with_scipys_paired_test():
    from scipy.stats import ttest_rel

    mobi = load_mobi()
    pairs = {"quality": ("PERQ1", "CUEX1"), "needs": ("PERQ2", "CUEX2"), "faults": ("PERQ4", "CUEX3")}
    table = likert.gaps(mobi, pairs).table
    for item, (perception, expectation) in pairs.items():
        peer = ttest_rel(mobi[perception], mobi[expectation])
        interval = peer.confidence_interval()
        row = table.loc[item]
        assert row[["t", "pvalue"]].tolist() == pytest.approx([peer.statistic, peer.pvalue])
        assert row[["ci_lower", "ci_upper"]].tolist() == pytest.approx([interval.low, interval.high])
    from statsmodels.stats.multitest import multipletests

    np.testing.assert_allclose(table["p_holm"], multipletests(table["pvalue"], method="holm")[1])


def test_perceived_value_by_hand_and_its_interval():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.integers(1, 6, size=(200, 3)), columns=["good", "kind", "dear"])
    found = likert.perceived_value(data, {"product": ["good"], "people": ["kind"]}, {"money": ["dear"]}, scale=(1, 5))
    benefit, cost = 25 * (data[["good", "kind"]].to_numpy().mean() - 1), 25 * (data["dear"].mean() - 1)
    assert found.totals[["benefit", "cost", "ratio", "net"]].tolist() == pytest.approx(
        [benefit, cost, benefit / cost, benefit - cost]
    )
    net = 12.5 * (data["good"] + data["kind"] - 2) - 25 * (data["dear"] - 1)
    normal = [net.mean() + z * net.std() / 200**0.5 for z in (-1.96, 1.96)]
    assert found.totals[["net_ci_lower", "net_ci_upper"]].tolist() == pytest.approx(normal, abs=0.8)


def test_value_is_drawn_with_t_intervals():
    from scipy import stats

    data = pd.DataFrame({"good": [4, 5, 3, 4], "kind": [5, 5, 4, 4], "dear": [3, 2, 4, 3]})
    parts = ({"product": ["good"], "people": ["kind"]}, {"money": ["dear"]})
    found = likert.perceived_value(data, *parts, scale=(1, 5), level=0.9)
    ax = found.plot()
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([75, 87.5, 50])  # 25·(mean − 1)
    low, high = stats.t.interval(0.9, 3, 75, stats.sem(25 * (data["good"] - 1)))
    assert ax.texts[0].get_text() == f"75.0 ({low:.1f} – {high:.1f})"
    assert "product (what they get) 75.0" in style.alt(ax)
    assert "90%" in style.alt(ax)
    assert found.plot(language="zh").get_title(loc="left") == "顾客所付与所得"


def test_rows_with_the_same_label_are_several_respondents():
    """Two waves one below the other: by hand, 2 promoters and 2 detractors in a, 1 and 3 in b."""
    data = pd.DataFrame({"recommend": [10, 9, 0, 1, 10, 0, 0, 0], "shop": list("aaaabbbb")}, index=[0, 1, 2, 3] * 2)
    scores = likert.nps(data, ["recommend"], by="shop")
    assert scores[["n", "nps"]].to_numpy().tolist() == [[4, 0], [4, -50]]
    assert likert.nps(data, ["recommend"]).loc[0, ["n", "nps"]].tolist() == [8, -25]
    top = likert.top2box(data, ["recommend"], scale=(0, 10), by="shop")
    assert top[["n", "count"]].to_numpy().tolist() == [[4, 2], [4, 1]]
    spread = likert.distribution(data, ["recommend"], scale=(0, 10), by="shop")
    assert spread.summary[["asked", "answered", "mean"]].to_numpy().tolist() == [[4, 4, 5.0], [4, 4, 2.5]]


def test_importance_performance_puts_the_quadrants_at_the_means():
    items = [f"PERQ{i}" for i in range(1, 8)]
    table = likert.importance_performance(load_mobi(), items, scale=(1, 10), outcome="CUSA1")
    assert table["importance"].tolist() == pytest.approx(
        [np.corrcoef(load_mobi()[i], load_mobi()["CUSA1"])[0, 1] for i in items]
    )
    weak = table["performance"] < table["performance"].mean()
    important = table["importance"] >= table["importance"].mean()
    assert table.index[weak & important].tolist() == table.index[table["quadrant"] == "act now"].tolist() == ["PERQ7"]
    assert told(likert.importance_performance, load_mobi(), items, scale=(1, 10)) == (
        "importance_performance: give either outcome or importance."
    )


# ---------------------------------------------------------------------------------------------------- all results


def test_results_are_plain_json_and_generators_repeat_themselves():
    kano, style_survey = simulate_kano(80, seed=1, missing=0.05), simulate_response_style(80, seed=1, missing=0.05)
    results = [
        likert.distribution(five_points(), ["SA1"], scale=(1, 5), dont_know=[9]),
        likert.item_analysis(style_survey.data, style_survey.blocks, scale=(1, 7)),
        likert.reverse_keyed(style_survey.data, style_survey.blocks, scale=(1, 7)),
        likert.scale_use(style_survey.data, style_survey.blocks, scale=(1, 7)),
        likert.kano(kano.data, kano.pairs),
        likert.gaps(kano.data, {"x": ("joy", "safety")}),
    ]
    for result in results:
        assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["problems"] == result.problems
    pd.testing.assert_frame_equal(simulate_kano(80, seed=1, missing=0.05).data, kano.data, check_exact=True)
    pd.testing.assert_frame_equal(
        simulate_response_style(80, seed=1, missing=0.05).data, style_survey.data, check_exact=True
    )


def test_kano_and_gap_figures_show_their_tables():
    survey = simulate_kano(200, seed=1)
    found = likert.kano(survey.data, survey.pairs)
    ax = found.plot()
    named = {text.get_text() for text in ax.texts}
    assert set(survey.features) <= named
    assert "safety: must-be, better" in style.alt(ax)
    gap = likert.gaps(load_mobi(), {"quality": ("PERQ1", "CUEX1")})
    assert style.alt(gap.plot()) == "Pairs of dots for 1 items. Gap, found minus expected: quality 0.4 (0.1 – 0.6)."
    loadings = pd.DataFrame({"F1": [0.8, 0.1], "F2": [0.0, -0.7]}, index=["a", "b"])
    assert "strongest on F1: a; strongest on F2: b" in style.alt(figures.loadings_map(loadings))
