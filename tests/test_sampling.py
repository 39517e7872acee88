"""Sample sizes, allocation, fieldwork and power against textbooks, other packages and simulation."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import samplesize_confint_proportion

from crmlab import InputError, Questionnaire, sampling
from crmlab.datasets import simulate_survey
from crmlab.plots import sampling as plots
from crmlab.plots import style

#: The level at which Cochran (1977) has t = 2.
TWO_SIGMA = 2 * NormalDist().cdf(2) - 1


# ------------------------------------------------------------------------------------------------- shares and means


def test_a_share_as_in_cochran() -> None:
    """Cochran (1977), section 4.4: blood group on an island of 3200, ±5 points at p = .5 and t = 2: 400, then 356."""
    assert sampling.size_for_proportion(0.05, level=TWO_SIGMA) == 400
    assert sampling.size_for_proportion(0.05, level=TWO_SIGMA, population=3200) == 356


def test_a_mean_as_in_cochran() -> None:
    """Cochran (1977), section 4.6: 430 feet of a bed of seedlings, s² = 85.6, ±10 % of 19 at t = 2: 95, then 78."""
    sd = math.sqrt(85.6)
    assert sampling.size_for_mean(1.9, sd, level=TWO_SIGMA) == 95
    assert sampling.size_for_mean(1.9, sd, level=TWO_SIGMA, population=430) == 78


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5])
@pytest.mark.parametrize("margin", [0.01, 0.03, 0.1])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_a_share_as_in_statsmodels(share: float, margin: float, level: float) -> None:
    """statsmodels 0.14, samplesize_confint_proportion(method="normal"), before rounding up."""
    expected = math.ceil(samplesize_confint_proportion(share, margin, alpha=1 - level, method="normal") - 1e-9)
    assert sampling.size_for_proportion(margin, share=share, level=level) == expected


def test_a_finite_population_by_drawing_from_one() -> None:
    """The variance of the mean over 20,000 samples without replacement is what the margin says, within 3 %."""
    rng = np.random.default_rng(6)
    people = rng.integers(1, 11, size=400).astype(float)
    order = rng.random((20_000, 400)).argpartition(150, axis=1)[:, :150]
    margin = sampling.margin_of_mean(150, sd=people.std(ddof=1), population=400)
    assert 1.959964 * people[order].mean(axis=1).std() == pytest.approx(margin, rel=0.03)
    yes = people > 7
    share_margin = sampling.margin_of_proportion(150, share=yes.mean(), population=400)
    assert 1.959964 * yes[order].mean(axis=1).std() == pytest.approx(share_margin, rel=0.03)


def test_clusters_by_drawing_them() -> None:
    """Means of 40 clusters of 15 with intraclass correlation .2: their variance is deff times that of 600 people."""
    rng = np.random.default_rng(7)
    clusters, people, icc = 40, 15, 0.2
    common = rng.normal(size=(20_000, clusters, 1)) * icc**0.5
    means = (common + rng.normal(size=(20_000, clusters, 1)) * ((1 - icc) / people) ** 0.5).mean(axis=(1, 2))
    effect = sampling.cluster_design_effect(people, icc)
    assert effect == pytest.approx(1 + 14 * 0.2)
    assert means.var() == pytest.approx(effect / (clusters * people), rel=0.03)
    assert 1.959964 * means.std() == pytest.approx(
        sampling.margin_of_mean(clusters * people, sd=1, design_effect=effect), rel=0.02
    )


@given(
    margin=st.floats(0.005, 0.4),
    share=st.floats(0.01, 0.99),
    level=st.floats(0.5, 0.999),
    population=st.none() | st.integers(2, 10**7),
    effect=st.floats(0.5, 10),
)
def test_size_is_the_smallest_that_keeps_the_margin(
    margin: float, share: float, level: float, population: int | None, effect: float
) -> None:
    options = {"share": share, "level": level, "population": population, "design_effect": effect}
    n = sampling.size_for_proportion(margin, **options)
    assert 1 <= n <= (population or math.inf)
    assert sampling.margin_of_proportion(n, **options) <= margin * (1 + 1e-9)
    if n > 1:
        assert sampling.margin_of_proportion(n - 1, **options) > margin * (1 - 1e-9)


def test_precision_is_the_margin_of_each_size() -> None:
    table = sampling.precision([50, 200], sd=2, population=300)
    assert table["margin"].tolist() == [sampling.margin_of_mean(n, 2, population=300) for n in (50, 200)]
    assert sampling.precision([50])["margin"].tolist() == [sampling.margin_of_proportion(50)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: sampling.size_for_proportion(0),
            "margin: found 0; expected a number above 0, half the width of the interval. Correct it.",
        ),
        (
            lambda: sampling.size_for_proportion(0.05, share=50),
            "share: found 50; expected a share above 0 and below 1. Correct it.",
        ),
        (
            lambda: sampling.size_for_mean(1, 2, level=95),
            "level: found 95; expected a confidence level between 0 and 1. Correct it.",
        ),
        (
            lambda: sampling.size_for_mean(1, -2),
            "sd: found -2; expected a number above 0, the standard deviation between people. Correct it.",
        ),
        (
            lambda: sampling.margin_of_mean(500, 2, population=400),
            "n: found 500; expected at most 400, the population. Correct it.",
        ),
        (
            lambda: sampling.size_for_mean(1, 2, population=1),
            "population: found 1; expected 2 or more people, or nothing for an endless population. Correct it.",
        ),
        (
            lambda: sampling.cluster_design_effect(5, -0.5),
            "icc: found -0.5; expected a correlation above -0.25 and up to 1. Correct it.",
        ),
        (
            lambda: sampling.pls_size(0),
            "path: found 0; expected a standardised path from −1 to 1 and not 0. Correct it.",
        ),
        (
            lambda: sampling.pls_size(0.2, method="gamma"),
            "method: found 'gamma'; expected one of inverse_square_root, gamma_exponential. Choose one of them.",
        ),
        (
            lambda: sampling.pls_size(0.0001, method="gamma_exponential"),
            "path: found one so small that ten million respondents would not find it. State a larger.",
        ),
        (
            lambda: sampling.pls_size(0.2, power=0.01),
            "power: found 0.01; expected a power above the level alpha, 0.05. Correct it.",
        ),
    ],
)
def test_what_is_out_of_range_is_told(call, message: str) -> None:
    with pytest.raises(InputError) as told:
        call()
    assert str(told.value) == message


# ------------------------------------------------------------------------------------------------------- path models

# Kock & Hadaya (2018): section 5 and tables 3, 4 and 5; the path of .3 is in their appendix F.
PUBLISHED = {0.197: (160, 146), 0.397: (40, 26), 0.147: (287, 273), 0.1: (619, 605)}


@pytest.mark.parametrize("path", PUBLISHED)
def test_pls_minimum_as_published(path: float) -> None:
    methods = ("inverse_square_root", "gamma_exponential")
    assert tuple(sampling.pls_size(path, method=method) for method in methods) == PUBLISHED[path]
    assert sampling.pls_size(-path) == PUBLISHED[path][0], "the sign does not matter"


def test_pls_minimum_of_three_tenths() -> None:
    assert sampling.pls_size(0.3) == 69


@pytest.mark.parametrize("path", [0.5, 0.55, 0.7, 1.0])
def test_the_published_loop_gives_the_same(path: float) -> None:
    """The loops of their equations 7 and 6, counted up from one, with scipy's gamma function."""
    from scipy.special import gamma

    target = NormalDist().inv_cdf(0.95) + NormalDist().inv_cdf(0.8)
    n = next(n for n in range(1, 99) if path * n**0.5 * math.exp(math.e * path / n**0.5) > target)
    if n <= 10:
        ratio = {n: ((n - 1) / 2) ** 0.5 * gamma((n - 1) / 2) / gamma(n / 2) for n in range(2, 99)}
        n = next(n for n in range(2, 99) if path * n**0.5 * ratio[n] > target)
    assert sampling.pls_size(path, method="gamma_exponential") == n


@given(n=st.integers(7, 100_000))
def test_the_smallest_path_of_a_size(n: int) -> None:
    assert sampling.pls_size(sampling.pls_smallest_path(n)) in (n, n + 1)


def test_the_floor_of_an_estimate_is_the_ten_times_rule() -> None:
    from crmlab import csi

    assert csi.respondents_needed(Questionnaire.shipped("ecsi")) == sampling.ten_times_rule(4) == 40


# -------------------------------------------------------------------------------------------------------- allocation

# Cochran (1977), table 5.1 and the example that uses it: inhabitants of 64 cities in 1930 (thousands), two strata, a
# sample of 24.
CITIES = pd.DataFrame({"population": [16, 48], "sd": [53_843**0.5, 5_581**0.5]}, index=["large", "small"])


@pytest.mark.parametrize(
    ("method", "sizes", "variance_of_total"),
    [("proportional", [6, 18], 1_882_293), ("equal", [12, 12], 1_090_827), ("neyman", [12, 12], 1_090_827)],
)
def test_the_cities_of_cochran(method: str, sizes: list[int], variance_of_total: float) -> None:
    plan = sampling.allocate(CITIES, 24, method=method)
    assert plan.table["n"].tolist() == sizes
    assert (64 * plan.standard_error) ** 2 == pytest.approx(variance_of_total, abs=1)


def test_the_standard_error_by_drawing_strata() -> None:
    rng = np.random.default_rng(8)
    people = {"a": rng.normal(60, 10, 500), "b": rng.normal(75, 25, 200)}
    strata = pd.DataFrame({"population": [500, 200], "sd": [x.std(ddof=1) for x in people.values()]}, index=["a", "b"])
    plan = sampling.allocate(strata, 100, method="neyman")
    means = np.zeros(20_000)
    for (name, values), n in zip(people.items(), plan.table["n"], strict=True):
        rows = rng.random((20_000, len(values))).argpartition(n, axis=1)[:, :n]
        means += values[rows].mean(axis=1) * strata.loc[name, "population"] / 700
    assert means.std() == pytest.approx(plan.standard_error, rel=0.03)
    assert plan.margin() == pytest.approx(1.959964 * plan.standard_error)


strata_tables = st.lists(
    st.tuples(st.integers(3, 5000), st.floats(0.1, 100), st.floats(0.1, 100)), min_size=1, max_size=8
).map(lambda rows: pd.DataFrame(rows, columns=["population", "sd", "cost"]))


@given(strata=strata_tables, data=st.data(), method=st.sampled_from(["equal", "proportional", "neyman", "optimum"]))
def test_every_allocation_sums_and_keeps_its_bounds(strata: pd.DataFrame, data: st.DataObject, method: str) -> None:
    minimum = data.draw(st.integers(1, 40))
    least = np.minimum(minimum, strata["population"])
    n = data.draw(st.integers(int(least.sum()), int(strata["population"].sum())))
    sizes = sampling.allocate(strata, n, method=method, minimum=minimum).table["n"]
    assert sizes.sum() == n
    assert (sizes >= least).all()
    assert (sizes <= strata["population"]).all()


@settings(max_examples=40)
@given(strata=strata_tables, extra=st.integers(0, 30))
def test_no_move_of_one_respondent_beats_neyman(strata: pd.DataFrame, extra: int) -> None:
    """Rounding aside: the variance after moving any one respondent is not lower by more than what rounding can cost."""
    n = min(10 * len(strata) + extra, int(strata["population"].sum()))
    if n < 2 * len(strata):
        return
    table = sampling.allocate(strata, n, method="neyman").table
    gain = table["population"] ** 2 * table["sd"] ** 2 / (table["n"] * (table["n"] + 1))
    loss = table["population"] ** 2 * table["sd"] ** 2 / (table["n"] * (table["n"] - 1)).where(table["n"] > 2)
    gain = gain.where(table["n"] < table["population"], 0)
    # One respondent more than the exact share on one side and one fewer on the other: a factor (n + 1)/(n − 1) each.
    slack = ((table["n"] + 1) / (table["n"] - 1)).max() ** 2
    assert gain.max() <= loss.min() * slack if loss.notna().any() else True


def test_the_optimum_buys_more_where_it_is_cheap() -> None:
    """Cochran (1977), section 5.5: n_h ∝ N_h S_h/√c_h, here 1 : 1/3 with costs 1 and 9."""
    strata = pd.DataFrame({"population": [1000, 1000], "sd": [5, 5], "cost": [1, 9]}, index=["near", "far"])
    plan = sampling.allocate(strata, 100, method="optimum")
    assert plan.table["n"].tolist() == [75, 25]
    assert plan.total_cost == 75 + 9 * 25
    assert plan.weighting_effect == pytest.approx(100 * (75 * (40 / 3) ** 2 + 25 * 40**2) / 2000**2)


def test_an_allocation_says_what_is_unusual() -> None:
    strata = pd.DataFrame({"population": [9000, 900, 40]}, index=["online", "shops", "firms"])
    assert sampling.allocate(strata, 300).problems == [
        "The minimum of 2 raises firms above its share: use the weights for any figure about all people.",
    ]
    assert sampling.allocate(strata, 120, minimum=40).problems == [
        "The minimum of 40 raises shops, firms above its share: use the weights for any figure about all people.",
        "Everybody is asked in firms: nobody there is left to replace who does not answer.",
        "One respondent weighs up to 225 times as much as another: a few answers decide the figure about all people. "
        "Ask more where the weights are large.",
    ]
    single = sampling.allocate(strata, 60, minimum=1)
    assert "A single respondent in firms: no variance can be estimated. Ask two or more." in single.problems


@pytest.mark.parametrize(
    ("strata", "n", "options", "message"),
    [
        (
            CITIES.drop(columns="sd"),
            24,
            {"method": "neyman"},
            "strata: found no column sd; neyman allocation needs population, sd. Add what is missing.",
        ),
        (
            CITIES,
            24,
            {"method": "optimal"},
            "method: found 'optimal'; expected one of equal, proportional, neyman, optimum. Choose one of them.",
        ),
        (
            CITIES,
            65,
            {},
            "n: found 65; 2 strata with at least 2 each need 4 or more, and there are 64 people. Change n or the "
            "minimum.",
        ),
        (
            CITIES.assign(sd=[3.0, 0.0]),
            24,
            {},
            "strata, column sd: found 0.0 in stratum small; expected numbers above 0. Correct it.",
        ),
        (CITIES, 24, {"minimum": 0}, "minimum: found 0; expected 1 or more in each stratum. Correct it."),
    ],
)
def test_an_allocation_refuses(strata: pd.DataFrame, n: int, options: dict, message: str) -> None:
    with pytest.raises(InputError) as told:
        sampling.allocate(strata, n, **options)
    assert str(told.value) == message


def test_without_sd_there_is_no_precision() -> None:
    plan = sampling.allocate(CITIES.drop(columns="sd"), 24)
    with pytest.raises(InputError, match="strata: found no column sd; expected the standard deviation"):
        plan.margin()
    assert math.isnan(plan.total_cost)
    assert plan.to_dict()["strata"]["large"]["n"] == 6


# --------------------------------------------------------------------------------------------------------- fieldwork

MODES = pd.DataFrame(
    {
        "contact": [0.9, 0.6],
        "response": [0.12, 0.35],
        "usable": [0.9, 0.98],
        "fixed": [800, 2000],
        "per_invitation": [0.1, 2.5],
        "per_response": [0.5, 4.0],
    },
    index=["online", "telephone"],
)


def test_fieldwork_multiplies_rates_and_adds_costs() -> None:
    """By hand: 385/(.9·.12·.9) = 3960.9 invitations online, 385/(.6·.35·.98) = 1870.7 by telephone."""
    plan = sampling.fieldwork(MODES, 385)
    assert plan.table["invited"].tolist() == [3961, 1871]
    assert plan.table["responded"].tolist() == [428, 393]
    assert plan.table["usable"].tolist() == [385, 385]
    assert plan.table["cost"].tolist() == pytest.approx([800 + 396.1 + 214, 2000 + 4677.5 + 1572])
    assert plan.table["cost_per_usable"].tolist() == pytest.approx([1410.1 / 385, 8249.5 / 385])
    assert plan.cheapest == "online"
    assert plan.problems == [
        "By online, 89% of those invited stay silent: whether they think alike no sample size can tell. Compare early "
        "with late answers, and ask some of the silent again."
    ]
    assert plan.steps.query("mode == 'telephone'")["step"].tolist() == ["invited", "contacted", "responded", "usable"]
    assert plan.to_dict()["cheapest"] == "online"


@given(
    rates=st.tuples(*[st.floats(0.01, 1)] * 3),
    usable=st.integers(1, 5000),
)
def test_as_many_are_invited_as_needed_and_no_more(rates: tuple[float, float, float], usable: int) -> None:
    modes = pd.DataFrame([rates], columns=["contact", "response", "usable"], index=["mode"])
    invited = sampling.fieldwork(modes, usable).table["invited"].iloc[0]
    assert (invited - 1) * math.prod(rates) < usable <= invited * math.prod(rates) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("modes", "usable", "message"),
    [
        (
            MODES.drop(columns="contact"),
            10,
            "modes: found no column contact; expected one row a mode with contact, response, usable. Add what is "
            "missing.",
        ),
        (
            MODES.assign(response=[0.1, 35]),
            10,
            "modes, column response, telephone: found 35.0; expected a share above 0 and up to 1. Correct it.",
        ),
        (
            MODES.assign(fixed=[-1, 0]),
            10,
            "modes, column fixed, online: found -1; expected 0 or more. Correct it.",
        ),
        (MODES, 0, "usable: found 0; expected 1 or more usable answers. Correct it."),
    ],
)
def test_fieldwork_refuses(modes: pd.DataFrame, usable: int, message: str) -> None:
    with pytest.raises(InputError) as told:
        sampling.fieldwork(modes, usable)
    assert str(told.value) == message


@given(truth=st.floats(0, 1), rate=st.floats(0.01, 1), silent=st.floats(0, 1))
def test_the_bounds_hold_the_truth_whatever_the_silent_think(truth: float, rate: float, silent: float) -> None:
    lower, upper = sampling.nonresponse_bounds(truth, rate)
    assert lower - 1e-12 <= rate * truth + (1 - rate) * silent <= upper + 1e-12
    assert upper - lower == pytest.approx(1 - rate)


def test_bounds_of_impossible_shares() -> None:
    with pytest.raises(
        InputError, match=r"found a share of 80 and a response rate of 0.2; expected shares from 0 to 1"
    ):
        sampling.nonresponse_bounds(80, 0.2)


# ------------------------------------------------------------------------------------------------------------- power


def test_power_of_one_path_agrees_with_the_normal_approximation() -> None:
    """One cause, one item each: the path is a correlation; Fisher's z gives its power, within 4 standard errors."""
    from crmlab import sem

    people = sem.simulate("y ~ x", 20_000, truth={"y ~ x": 0.3}, seed=3, standardised=True)
    planned = sampling.path_power("X =~ x; Y =~ y; Y ~ X", people, [60, 120], reps=200, bootstrap=200, seed=4)
    truth = planned.table["truth"].iloc[0]
    assert truth == pytest.approx(people["x"].corr(people["y"]))
    for n, found in zip(planned.table["n"], planned.table["power"], strict=True):
        expected = 1 - NormalDist(math.atanh(truth) * math.sqrt(n - 3)).cdf(1.959964)
        assert found == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 200))


def test_a_path_that_is_not_there_is_found_as_often_as_the_level_says() -> None:
    rng = np.random.default_rng(11)
    people = pd.DataFrame(rng.normal(size=(20_000, 2)), columns=["x", "y"])
    planned = sampling.path_power("X =~ x; Y =~ y; Y ~ X", people, 100, reps=300, bootstrap=300, seed=5)
    assert planned.table["power"].iloc[0] < 0.025 + 4 * math.sqrt(0.025 * 0.975 / 300), "one side of a 95 % interval"


def test_power_grows_and_repeats() -> None:
    course = Questionnaire.shipped("course_csi").model()
    people = simulate_survey(4000, points=5, seed=1).data
    options = {"reps": 12, "bootstrap": 40, "seed": 2}
    planned = sampling.path_power(course, people, [60, 400], **options)
    weakest = planned.table.pivot(index=["from", "to"], columns="n", values="power")
    assert (weakest[400] >= weakest[60]).all()
    assert planned.smallest(0.01) in (60, 400)
    assert planned.smallest(1.01) is None
    pd.testing.assert_frame_equal(planned.table, sampling.path_power(course, people, [60, 400], **options).table)
    assert planned.problems == ["12 surveys for each n: a power near 0.8 is known to about ±0.23."]
    assert planned.to_dict()["seed"] == 2


def test_surveys_that_cannot_be_estimated_count_as_finding_nothing() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=5000)
    rare = (rng.random(5000) < 0.02).astype(float)
    people = pd.DataFrame({"x": x, "y": x, "rare": rare})
    planned = sampling.path_power("X =~ x; Y =~ y; R =~ rare; Y ~ X + R", people, 40, reps=100, bootstrap=20, seed=1)
    surveys_without = 0.98**40
    assert planned.table["power"].max() == pytest.approx(1 - surveys_without, abs=4 * 0.05)
    assert "of 100 surveys could not be estimated (an item without variation, or no convergence)" in planned.problems[0]
    once = people.assign(y=[1.0] + [0.0] * 4999)
    with pytest.raises(InputError, match="n: no survey of 30 people could be estimated"):
        sampling.path_power("X =~ x; Y =~ y; Y ~ X", once, 30, reps=3, bootstrap=5)


def test_power_refuses_too_small_a_population() -> None:
    people = pd.DataFrame(np.random.default_rng(1).normal(size=(100, 2)), columns=["x", "y"])
    with pytest.raises(InputError) as told:
        sampling.path_power("X =~ x; Y =~ y; Y ~ X", people, [10, 50])
    assert str(told.value) == (
        "n: found 10, 50; expected from 2 to a fifth of the population's 100 rows, for surveys of other people each "
        "time. Draw a larger population or fewer people."
    )
    with pytest.raises(InputError, match="reps: found 1; expected 2 or more"):
        sampling.path_power("X =~ x; Y =~ y; Y ~ X", people, 10, reps=1)


# ----------------------------------------------------------------------------------------------------------- figures


@pytest.mark.parametrize("language", ["en", "zh"])
def test_figures_show_the_tables(language: str) -> None:
    curve = plots.precision_curve(sampling.precision([100, 400], sd=18), chosen=400, unit="pt", language=language)
    assert curve.lines[0].get_ydata().tolist() == sampling.precision([100, 400], sd=18)["margin"].tolist()
    assert "1.76" in curve.get_title(loc="left")

    plan = sampling.allocate(CITIES, 24, method="neyman")
    bars = plan.plot(language)
    assert [bar.get_width() for bar in bars.patches] == pytest.approx([25, 75, 50, 50])

    funnel = sampling.fieldwork(MODES, 385).plot(language)
    assert [bar.get_width() for bar in funnel.patches][:4] == [3961, 3565, 428, 385]
    assert "3.66" in style.alt(funnel)

    rows = [(50, "A", "B", 0.4), (200, "A", "B", 0.9), (50, "A", "C", 0.2), (200, "A", "C", 0.5)]
    power = plots.power_curve(pd.DataFrame(rows, columns=["n", "from", "to", "power"]), language=language)
    assert [line.get_ydata()[-1] for line in power.lines[:2]] == pytest.approx([90, 50])
    for ax in (curve, bars, funnel, power):
        assert ax.get_title(loc="left")
        assert ax.get_xlabel()
        assert style.alt(ax)


def test_figures_refuse_what_they_cannot_draw() -> None:
    with pytest.raises(ValueError, match="table: found no column margin; expected n, margin"):
        plots.precision_curve(pd.DataFrame({"n": [1]}))
    with pytest.raises(ValueError, match="language: found 'fr'; expected 'en' or 'zh'"):
        plots.allocation_bars(CITIES, language="fr")
    with pytest.raises(ValueError, match="chosen: found 3; expected one of the sizes in the table"):
        plots.precision_curve(sampling.precision([2, 4]), chosen=3)
