"""Loyalty: types, measures, composite, link, moderation, NPS, complaints, recovery; by hand, by packages, by truth."""

import json
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import curve_fit
from statsmodels.nonparametric.smoothers_lowess import lowess

from crmlab import Questionnaire, loyalty, weighting
from crmlab.datasets import simulate_loyalty
from crmlab.datasets.loyalty import CAUSES, PARTS, STEPS
from crmlab.errors import InputError
from crmlab.loyalty.curves import fit_sigmoid, half_width, loess, resamples, sigmoid, tally
from crmlab.loyalty.links import percentiles, with_thresholds
from crmlab.plots import style
from crmlab.plots.grading import moved_thresholds
from crmlab.plots.loyalty import share_bars

DRAWN = simulate_loyalty(1200, seed=7)
DATA = DRAWN.data


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def told(call, *arguments: Any, **options: Any) -> str:
    with pytest.raises(InputError) as error:
        call(*arguments, **options)
    return str(error.value)


# -------------------------------------------------------------------------------------------------- typologies


def jones_sasser_by_hand(satisfaction: float, loyal: float, s: float, y: float) -> str:
    """formulas.md: loyalist (high, high), mercenary (high, low), hostage (low, high), defector (low, low)."""
    if satisfaction >= s:
        return "loyalist" if loyal >= y else "mercenary"
    return "hostage" if loyal >= y else "defector"


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 10), st.integers(0, 100)), min_size=1, max_size=30),
    st.integers(2, 10),
    st.integers(1, 100),
)
def test_classes_are_complete_disjoint_and_those_of_the_definition(pairs, s, y):
    satisfaction, loyal = (list(map(float, column)) for column in zip(*pairs, strict=True))
    found = loyalty.jones_sasser(satisfaction, loyal, thresholds=(s, y), scales=((1, 10), (0, 100)))
    assert found.classes.tolist() == [jones_sasser_by_hand(a, b, s, y) for a, b in pairs]
    assert found.table["n"].sum() == len(pairs)
    check = found.rules.check()
    assert check.complete
    assert check.disjoint


@settings(max_examples=12, deadline=None)
@given(st.floats(1, 10), st.floats(0, 100), st.floats(0, 9))
def test_more_satisfaction_never_makes_anybody_less_satisfied(satisfaction, loyal, more):
    before, after = (
        loyalty.jones_sasser([value], [loyal], thresholds=(6, 50)).classes.iloc[0]
        for value in (satisfaction, satisfaction + more)
    )
    order = {"defector": 0, "mercenary": 1} if loyal < 50 else {"hostage": 0, "loyalist": 1}
    assert order[after] >= order[before]


def test_sensitivity_counts_the_customers_between_the_old_and_the_new_threshold():
    found = loyalty.jones_sasser(
        DATA["satisfaction"], DATA["intention"], thresholds=(7, 60), scales=((1, 10), (0, 100))
    )
    moved = found.sensitivity.set_index(["input", "move"])
    # A tenth of a scale of 9 points is 0.9, of 100 points 10.
    assert moved.loc[("satisfaction", 0.1), "to"] == pytest.approx(7.9)
    assert moved.loc[("loyalty", -0.1), "to"] == pytest.approx(50)
    assert moved.loc[("satisfaction", 0.1), "changed"] == DATA["satisfaction"].between(7, 7.9, inclusive="left").sum()
    assert moved.loc[("loyalty", -0.1), "changed"] == DATA["intention"].between(50, 60, inclusive="left").sum()
    assert moved.loc[("loyalty", -0.1), "share"] == pytest.approx(moved.loc[("loyalty", -0.1), "changed"] / 1200)


def test_shares_have_wilson_intervals_and_a_median_is_told():
    found = loyalty.dick_basu(DATA["affect"], DATA["purchases"])
    row = found.table.loc["spurious"]
    ends = stats.binomtest(int(row["n"]), 1200).proportion_ci(method="wilson")
    assert row[["ci_lower", "ci_upper"]].tolist() == pytest.approx([ends.low, ends.high], abs=1e-12)
    assert found.thresholds["threshold"].tolist() == DATA[["affect", "purchases"]].median().tolist()
    assert found.problems[0] == (
        f"relative_attitude: high begins at the median, {DATA['affect'].median():g}. That is a choice, not a law: "
        "about half are high whatever they think, and shares cannot be compared with another survey."
    )
    assert any("moving the threshold" in problem for problem in found.problems)


def test_inner_zones_are_parts_of_their_quadrants():
    plain, zoned = (
        loyalty.jones_sasser(DATA["satisfaction"], DATA["intention"], thresholds=(7, 60), extremes=ends)
        for ends in (None, ((9, 80), (4, 30)))
    )
    apostles = (DATA["satisfaction"] >= 9) & (DATA["intention"] >= 80)
    terrorists = (DATA["satisfaction"] < 4) & (DATA["intention"] < 30)
    assert (zoned.classes[apostles] == "apostle").all()
    assert (zoned.classes == "apostle").sum() == apostles.sum()
    assert (zoned.classes == "terrorist").sum() == terrorists.sum()
    rest = ~(apostles | terrorists)
    assert zoned.classes[rest].tolist() == plain.classes[rest].tolist()
    assert told(loyalty.jones_sasser, [5], [50], thresholds=(7, 60), extremes=((6, 80), (4, 30))) == (
        "jones_sasser: the inner zones of satisfaction end at 4 and begin at 6; expected the threshold 7 to lie "
        "between them."
    )


# Course row E9: monopoly, inertia and incentive (low, high), price (low, low), premium (high, high).
E9 = [
    ("low", "high", "no alternative", "monopoly"),
    ("low", "high", "habit", "inertia"),
    ("low", "low", "price", "price"),
    ("low", "high", "programme", "incentive"),
    *[("high", "high", reason, "premium") for reason in ("no alternative", "habit", "price", "programme", "other")],
]


@pytest.mark.parametrize(("attached", "repeats", "reason", "expected"), E9)
def test_the_five_kinds_of_the_course(attached, repeats, reason, expected):
    level = {"low": 10.0, "high": 90.0}
    found = loyalty.attachment([level[attached]], [level[repeats]], [reason], thresholds=(50, 50))
    assert found.classes.tolist() == [expected]
    assert "attachment is" in found.explain().iloc[0]


def test_every_combination_of_levels_and_reasons_has_one_kind():
    reasons = ("no alternative", "programme", "price", "habit", "other")
    every = [(a, r, w) for a in (0.0, 1.0) for r in (0.0, 1.0) for w in reasons]
    found = loyalty.attachment(*map(list, zip(*every, strict=True)), thresholds=(1, 1))
    assert found.classes.notna().all()
    kinds = dict(zip(every, found.classes, strict=True))
    assert {kinds[0.0, 1.0, reason] for reason in reasons} == {
        "monopoly",
        "incentive",
        "price",
        "inertia",
        "unexplained",
    }
    assert {kinds[1.0, 0.0, reason] for reason in reasons} == {"latent"}
    assert [kinds[0.0, 0.0, reason] for reason in reasons] == ["none", "none", "price", "none", "none"]


def test_a_missing_reason_matters_only_where_it_decides():
    found = loyalty.attachment([9.0, 1.0], [9.0, 9.0], ["habit", None], thresholds=(5, 5))
    assert found.classes.iloc[0] == "premium"
    assert pd.isna(found.classes.iloc[1])
    assert found.problems[0] == "1 of 2 customers has no class: an answer that decides it is missing."
    without = loyalty.attachment([9.0, 1.0], [9.0, 9.0], thresholds=(5, 5))
    assert without.classes.tolist() == ["premium", "unexplained"]
    assert without.problems[0].startswith("No reasons are given")


def test_of_several_reasons_the_one_that_binds_most_decides():
    reasons = pd.DataFrame({"habit": ["yes", "yes", "no"], "no alternative": ["no", "yes", "no"]})
    found = loyalty.attachment([1.0] * 3, [9.0] * 3, reasons, thresholds=(5, 5))
    assert found.classes.tolist() == ["inertia", "monopoly", "unexplained"]
    assert found.problems[0].startswith("1 customer gave several reasons; the first of no alternative, programme")
    assert told(loyalty.attachment, [1.0] * 2, [9.0] * 2, ["habit", "boredom"], thresholds=(5, 5)) == (
        "attachment: reason is 'boredom' in row 1; expected one of no alternative, programme, price, habit, other. "
        "Correct it."
    )
    odd = reasons.rename(columns={"habit": "boredom"})
    assert told(loyalty.attachment, [1.0] * 3, [9.0] * 3, odd).startswith(
        "attachment: the reason 'boredom' is not known"
    )


def test_own_rules_decide_and_must_be_complete(tmp_path):
    lines = ["name: mine", "inputs: {satisfaction: {values: [high, low]}, loyalty: {values: [high, low]}}", "rules:"]
    rows = ["{satisfaction: high, loyalty: '-', grade: happy}", "{satisfaction: low, loyalty: '-', grade: sad}"]
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join([*lines, *(f"  - {row}" for row in rows)]), encoding="utf-8")
    assert loyalty.jones_sasser([9, 1], [1, 9], thresholds=(5, 5), rules=path).classes.tolist() == ["happy", "sad"]
    path.write_text("\n".join([*lines, f"  - {rows[0]}"]), encoding="utf-8")
    assert told(loyalty.jones_sasser, [9], [1], rules=path).startswith("jones_sasser: 2 combinations meet no rule")


@pytest.mark.parametrize(
    ("columns", "options", "expected"),
    [
        (([1, 2], [1]), {}, "jones_sasser: satisfaction has 2, loyalty has 1 values; expected one value per customer"),
        (
            (pd.Series([1.0], ["a"]), pd.Series([1.0], ["b"])),
            {},
            "jones_sasser: loyalty has another index than satisfaction; expected the same customers in the same order.",
        ),
        (([np.nan], [1.0]), {}, "jones_sasser: no customer has both satisfaction and loyalty; there is nobody"),
        ((["good"], [1.0]), {}, "column satisfaction, row 0: found 'good', expected a number."),
        (([np.inf], [1.0]), {}, "jones_sasser: satisfaction is infinite in row 0; expected a number. Correct it."),
        (
            ([5.0, 11.0], [1.0, 1.0]),
            {"scales": ((1, 10), (0, 100))},
            "jones_sasser: satisfaction has 11 in row 1; expected 1 to 10, the lowest first. Correct it or the scale.",
        ),
        (
            ([5.0], [1.0]),
            {"scales": ((1, 10), (0, 100)), "thresholds": (12, 50)},
            "jones_sasser: the threshold of satisfaction is 12; expected one above 1 and up to 10",
        ),
        (([5.0], [1.0]), {"thresholds": (np.nan, 1)}, "jones_sasser: the threshold of satisfaction is nan; expected a"),
        (
            ([5.0], [1.0]),
            {"thresholds": 7},
            "jones_sasser: thresholds are 7; expected a number, or None for the median, for each of satisfaction, "
            "loyalty.",
        ),
        (([5.0], [1.0]), {"scales": ((1, 10),)}, "jones_sasser: scales are ((1, 10),); expected 2 of"),
        (([5.0], [1.0]), {"extremes": (9, 3)}, "jones_sasser: extremes are (9, 3); expected 2 of two numbers each."),
        (([5.0], [1.0]), {"moves": ("far",)}, "jones_sasser: moves are ('far',); expected shares of"),
        (([5.0], [1.0]), {"level": 95}, "jones_sasser: level is 95; expected a number between 0 and 1, such as 0.95."),
    ],
)
def test_typologies_name_what_they_cannot_use(columns, options, expected):
    assert told(loyalty.jones_sasser, *columns, **options).startswith(expected)


def test_constant_columns_and_thresholds_nobody_reaches_are_told():
    found = loyalty.jones_sasser([5.0] * 4, [1.0, 2.0, 3.0, np.nan], thresholds=(4, 90))
    assert found.problems == [
        "1 of 4 customers has no class: an answer that decides it is missing.",
        "satisfaction is 5 for everybody: it tells nobody from anybody else.",
        "loyalty: the threshold 90 lies outside the values found (1 to 3), so everybody is low. Choose another.",
        "All customers are in one class, mercenary; the typology says nothing here.",
    ]


# ---------------------------------------------------------------------------------------------------- measures


def test_correlations_and_agreement_of_the_three_measures():
    found = loyalty.gremler_brown(DATA["purchases"], DATA["intention"], DATA["affect"], thresholds=(6, 60, 50))
    row = found.pairs.iloc[2]
    r = stats.pearsonr(DATA["intention"], DATA["affect"])
    ends = r.confidence_interval(0.95)
    assert row[["pearson", "ci_lower", "ci_upper"]].tolist() == pytest.approx([r.statistic, ends.low, ends.high])
    assert row["spearman"] == pytest.approx(stats.spearmanr(DATA["intention"], DATA["affect"]).statistic)
    a, b = DATA["intention"] >= 60, DATA["affect"] >= 50
    chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    assert row["agree"] == pytest.approx((a == b).mean())
    assert row["kappa"] == pytest.approx(((a == b).mean() - chance) / (1 - chance))
    c = DATA["purchases"] >= 6
    assert found.unanimous["share"] == pytest.approx(((a == b) & (b == c)).mean())
    assert found.patterns["n"].sum() == 1200
    assert found.patterns.iloc[0]["n"] == (a & b & c).sum()


def test_measures_that_cannot_agree_are_named():
    assert told(loyalty.gremler_brown, [1, 2, 3], [1, 2, 3], [1, 2, 3]) == (
        "gremler_brown: 3 customers have all three measures; expected at least 4."
    )
    assert told(loyalty.gremler_brown, [1, 1, 1, 1], [1, 2, 3, 4], [1, 2, 3, 5]) == (
        "gremler_brown: behaviour is 1 for everybody; it can agree with nothing."
    )
    one = loyalty.gremler_brown([1, 2, 3, 4, np.nan], [1, 2, 3, 4, 5], [4, 3, 2, 1, 0], thresholds=(0, 0, 2))
    assert one.pairs["kappa"].isna().tolist() == [True, False, False]
    assert one.problems[0] == "1 customer lacks one of the three measures and is left out."


# --------------------------------------------------------------------------------------------------- composite


def test_the_composite_is_the_formula_and_its_interval_students():
    weights = weighting.direct_rating(dict(zip(PARTS, (40, 10, 20, 10, 20), strict=True)))
    found = loyalty.composite_index(DATA, Questionnaire.shipped("loyalty_value"), weights=weights, draws=50)
    points = 100 * (DATA[list(PARTS)] - 1) / 9
    scores = points.to_numpy() @ np.array([0.4, 0.1, 0.2, 0.1, 0.2])
    ends = stats.t.interval(0.95, 1199, scores.mean(), stats.sem(scores))
    assert [found.index, found.ci_lower, found.ci_upper] == pytest.approx([scores.mean(), *ends])
    assert found.scores.to_numpy() == pytest.approx(scores)
    assert found.parts["contribution"].sum() == pytest.approx(found.index)
    rest = points[list(PARTS[1:])].mean(axis=1)
    assert found.parts.loc["LY1", "correlation"] == pytest.approx(np.corrcoef(points["LY1"], rest)[0, 1])
    # A fifth more on trust: its weight 0.48, the others shrunk to share 0.52 in proportion.
    means = points.mean().to_numpy()
    more = means @ np.array([0.48, *(np.array([0.1, 0.2, 0.1, 0.2]) * 0.52 / 0.6)])
    swings = found.sensitivity.swings.set_index("node")
    assert swings.loc["LY1", "index_high"] == pytest.approx(more)


def test_the_composite_does_not_depend_on_order_or_scale():
    one = loyalty.composite_index(DATA, list(PARTS), scale=(1, 10), draws=20)
    doubled = loyalty.composite_index(2 * DATA[list(PARTS)], list(PARTS)[::-1], scale=(2, 20), draws=20)
    assert doubled.index == pytest.approx(one.index)
    assert doubled.parts.loc["LY3", "contribution"] == pytest.approx(one.parts.loc["LY3", "contribution"])


def test_groups_missing_parts_and_parts_of_satisfaction_are_told():
    holed = simulate_loyalty(400, seed=3, missing=0.05).data
    found = loyalty.composite_index(holed, list(PARTS), scale=(1, 10), by="constraint", satisfaction=["LY4"], draws=20)
    complete = holed[list(PARTS)].dropna()
    assert found.n == len(complete)
    assert found.problems[0] == f"{400 - len(complete)} of 400 customers lack an answer to some part and are left out."
    assert found.problems[1].startswith("LY4 asks for satisfaction itself (20 % of the weight): a correlation of this")
    groups = found.by_group.set_index("group")
    means = found.scores.groupby(holed["constraint"]).mean()
    assert groups["index"].to_dict() == pytest.approx(means.to_dict())
    assert groups["rank"].to_dict() == means.rank(ascending=False).astype(int).to_dict()
    turned = holed.assign(LY1=11 - holed["LY1"])
    assert (
        "LY1: runs against the other parts"
        in loyalty.composite_index(turned, list(PARTS), scale=(1, 10), draws=20).problems[-1]
    )


def test_a_composite_that_cannot_be_is_named():
    assert told(loyalty.composite_index, DATA, ["LY1"], scale=(1, 10)) == (
        "composite_index: 1 part; a composite needs two or more."
    )
    assert told(loyalty.composite_index, DATA, ["LY1", "LY2"], scale=(1, 10), weights={"LY1": 1}) == (
        "weights: they do not fit at LY2; expected a number of 0 or more for each of LY1, LY2."
    )
    for odd in (np.inf, "much"):
        assert told(loyalty.composite_index, DATA, ["LY1", "LY2"], scale=(1, 10), weights={"LY1": odd, "LY2": 1}) == (
            f"weights: they are {{'LY1': {odd!r}, 'LY2': 1}}; expected a number of 0 or more for each of LY1, LY2."
        )
    assert told(loyalty.composite_index, [1, 2], ["LY1", "LY2"], scale=(1, 10)) == (
        "composite_index: the data are a list; expected a DataFrame or Responses."
    )
    some = DATA.assign(shop=pd.Series("north", DATA.index).where(DATA.index > 1))
    grouped = loyalty.composite_index(some, ["LY1", "LY2"], scale=(1, 10), by="shop", draws=20)
    assert "1 customer has no value of shop: in no group." in grouped.problems
    assert told(loyalty.composite_index, DATA, ["LY1", "LY2"], scale=(1, 5)).startswith("scale: LY2 has 10 in row 1 ")
    assert told(
        loyalty.composite_index, DATA, Questionnaire.shipped("ecsi").items.index.tolist(), scale=(1, 10)
    ).startswith("items: the data hold no column")
    assert told(loyalty.composite_index, DATA, ["LY1", "LY2"], scale=(0.5, 10)).startswith(
        "composite_index: scales must"
    )


# -------------------------------------------------------------------------------------------------------- link


@pytest.mark.parametrize(("seed", "n", "shape"), [(1, 300, "sigmoid"), (2, 1200, "sigmoid"), (3, 200, "sigmoid")])
def test_the_sigmoid_is_that_of_scipy(seed, n, shape):
    """scipy.optimize.curve_fit, started at several places; the smallest sum of squares counts."""
    data = simulate_loyalty(n, seed=seed, shape=shape).data
    x, y = data["satisfaction"].to_numpy(), data["intention"].to_numpy()

    def logistic(at, lower, upper, midpoint, steepness):
        return lower + (upper - lower) / (1 + np.exp(-steepness * (at - midpoint)))

    fits = [
        curve_fit(logistic, x, y, p0=(y.min(), y.max(), m, k), maxfev=20000, xtol=1e-13, ftol=1e-13)[0]
        for m in (4.0, 6.0, 8.0)
        for k in (0.5, 1.5)
    ]
    best = min(fits, key=lambda p: ((y - logistic(x, *p)) ** 2).sum())
    found = fit_sigmoid(tally(x, y))
    assert found.converged.all()
    assert found.params[0] == pytest.approx(best, rel=1e-5)


def test_line_aic_and_loess_are_those_of_the_packages():
    x, y = DATA["satisfaction"], DATA["intention"]
    found = loyalty.link_function(x, y, bootstrap=20)
    ols = sm.OLS(y, sm.add_constant(x)).fit()
    models = found.models
    assert models.loc["linear", "rss"] == pytest.approx(ols.ssr)
    assert models.loc["linear", "r_squared"] == pytest.approx(ols.rsquared)
    # statsmodels does not count the variance among the parameters; here it counts, as in R.
    assert models.loc["linear", "aic"] == pytest.approx(-2 * ols.llf + 2 * 3)
    rss = models.loc["sigmoid", "rss"]
    assert models.loc["sigmoid", "aic"] == pytest.approx(1200 * (np.log(2 * np.pi * rss / 1200) + 1) + 2 * 5)
    assert np.isnan(models.loc["loess", "aic"])
    grid = found.curves["satisfaction"].to_numpy()
    assert found.curves["loess"].to_numpy() == pytest.approx(lowess(y, x, frac=0.5, it=0, xvals=grid))
    assert found.curves["linear"].iloc[0] == pytest.approx(ols.predict([1, grid[0]])[0])


def test_loess_stands_where_most_gave_one_answer():
    """Five points, 60 % of them 4: there the mean of the fours, and no gap between the answers."""
    rng = np.random.default_rng(3)
    x = rng.choice([1.0, 2, 3, 4, 5], 400, p=[0.05, 0.1, 0.15, 0.6, 0.1])
    y = 10 * x + rng.normal(0, 5, 400)
    found = loyalty.link_function(x, y, bootstrap=30)
    at_four, between = loess(tally(x, y), np.array([4.0, 4.6]), 0.5)[0]
    assert at_four == pytest.approx(y[x == 4].mean())
    assert found.curves.notna().all().all()
    # Between 4 and 5, where only these two have a weight, the line through their means.
    assert between == pytest.approx(y[x == 4].mean() + 0.6 * (y[x == 5].mean() - y[x == 4].mean()))
    assert found.models["cv_rmse"].between(4, 7).all(), "errors of 5"
    assert found.best["cross-validation"] != "loess" or found.models.loc["linear", "cv_difference"] < 1


def test_loess_of_a_resample_is_that_of_statsmodels():
    x, y = DATA["satisfaction"].to_numpy()[:150], DATA["intention"].to_numpy()[:150]
    rows, grid = resamples(150, 2, seed=5), np.linspace(x.min(), x.max(), 40)
    for row, ours in zip(rows, loess(tally(x, y, rows), grid, 0.4), strict=True):
        assert ours == pytest.approx(lowess(y[row], x[row], frac=0.4, it=0, xvals=grid), abs=1e-5)


def test_cross_validation_leaves_the_customer_out():
    """Leaving one out: the textbook's residual / (1 − leverage) of the straight line."""
    data = DATA.iloc[:40]
    x, y = data["satisfaction"], data["intention"]
    found = loyalty.link_function(x, y, bootstrap=20, folds=40, span=0.9)
    ols = sm.OLS(y, sm.add_constant(x)).fit()
    press = (ols.resid / (1 - ols.get_influence().hat_matrix_diag)) ** 2
    assert found.models.loc["linear", "cv_rmse"] == pytest.approx(np.sqrt(press.mean()))


def test_the_threshold_is_where_the_slope_has_fallen_to_the_share():
    assert half_width(0.5) == pytest.approx(np.log(3 + 2 * np.sqrt(2)))  # 2 artanh(1/√2)
    params, step = np.array([20.0, 80.0, 6.0, 1.7]), 1e-5
    for share in (0.1, 0.5, 0.9):
        at = with_thresholds(params, share)[4:]
        slope = (sigmoid(at + step, params) - sigmoid(at - step, params)) / (2 * step)
        assert slope == pytest.approx(share * 60 * 1.7 / 4, rel=1e-6)


def test_the_link_does_not_depend_on_the_units():
    x, y = DATA["satisfaction"], DATA["intention"]
    one = loyalty.link_function(x, y, bootstrap=50, seed=4)
    other = loyalty.link_function(11.5 * (x - 1), 0.05 * y - 3, bootstrap=50, seed=4)
    moved = one.parameters.loc[["midpoint", "threshold_lower", "threshold_upper"]]
    assert other.parameters.loc[moved.index].to_numpy() == pytest.approx(11.5 * (moved.to_numpy() - 1), rel=1e-6)
    ends = one.parameters.loc[["lower", "upper"]].to_numpy()
    assert other.parameters.loc[["lower", "upper"]].to_numpy() == pytest.approx(0.05 * ends - 3, rel=1e-6)
    columns = ["r_squared", "aic_difference"]
    assert other.models.loc["sigmoid", columns].tolist() == pytest.approx(one.models.loc["sigmoid", columns].tolist())
    assert other.best == one.best
    assert other.zones["customers"].tolist() == pytest.approx(one.zones["customers"].tolist())


def test_falling_loyalty_is_a_sigmoid_too():
    x = DATA["satisfaction"]
    found = loyalty.link_function(x, 100 - DATA["intention"], bootstrap=20)
    straight = loyalty.link_function(x, DATA["intention"], bootstrap=20)
    assert found.parameters.loc["lower", "estimate"] == pytest.approx(
        100 - straight.parameters.loc["lower", "estimate"]
    )
    assert found.parameters.loc["threshold_lower", "estimate"] == pytest.approx(
        straight.parameters.loc["threshold_lower", "estimate"], rel=1e-6
    )


def test_resamples_are_summed_up_as_one_by_one():
    x, y = DATA["satisfaction"].to_numpy()[:200], DATA["intention"].to_numpy()[:200]
    rows = resamples(200, 3, seed=1)
    together = fit_sigmoid(tally(x, y, rows))
    for number, row in enumerate(rows):
        alone = fit_sigmoid(tally(x[row], y[row]))
        # Alone, the range of x may be shorter, and with it the grid of starts.
        assert together.params[number] == pytest.approx(alone.params[0], rel=1e-5)


def test_the_true_thresholds_are_covered_as_often_as_promised():
    """40 surveys of 800; the true thresholds are 6.5 ∓ 1.7627/1.6. Two standard errors of .95 over 40 are .069."""
    hits = []
    for seed in range(40):
        drawn = simulate_loyalty(800, seed=seed)
        x, y = drawn.data["satisfaction"].to_numpy(), drawn.data["intention"].to_numpy()
        fits = fit_sigmoid(tally(x, y, resamples(800, 150, seed)))
        lower, upper = percentiles(with_thresholds(fits.params, 0.5), 0.95)
        truth = with_thresholds(np.array([drawn.link["lower"], 80.0, 6.5, 1.6], dtype=float), 0.5)
        hits.append((lower <= truth) & (truth <= upper))
    covered = np.mean(hits, axis=0)
    assert (covered >= 0.88).all()
    assert covered.mean() <= 0.99


def test_error_in_satisfaction_flattens_the_curve_and_hides_the_thresholds():
    steep = [fit_sigmoid(tally(*_pair(error, seed))).params[0, 3] for error in (0.0, 1.2) for seed in range(5)]
    assert np.mean(steep[5:]) < 0.8 * np.mean(steep[:5])


def _pair(error: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    data = simulate_loyalty(1500, seed=seed, error=error).data
    return data["satisfaction"].to_numpy(), data["intention"].to_numpy()


def test_a_straight_truth_is_no_evidence_for_thresholds():
    data = simulate_loyalty(600, seed=5, shape="linear").data
    found = loyalty.link_function(data["satisfaction"], data["intention"], bootstrap=50)
    assert any(problem.startswith("A straight line does as well (AIC ") for problem in found.problems)


def test_a_flat_middle_is_seen_by_loess_and_said():
    data = simulate_loyalty(3000, seed=5, shape="tolerance").data
    found = loyalty.link_function(data["satisfaction"], data["intention"], span=0.25, bootstrap=50)
    assert found.best["cross-validation"] == "loess"
    assert found.problems[-1].startswith("Loess predicts customers left out better than the sigmoid")
    flat = found.zones[found.zones["model"] == "loess"]
    assert ((flat["start"] < 6) & (flat["end"] > 6)).any()  # the truth is flattest at (3.5 + 8.5) / 2


def test_unseen_thresholds_and_piled_up_loyalty_are_told():
    data = DATA[DATA["satisfaction"].between(5.5, 7.5)]
    found = loyalty.link_function(data["satisfaction"], data["intention"], bootstrap=50)
    assert any("threshold lies outside the satisfaction that was found" in problem for problem in found.problems)
    capped = loyalty.link_function(DATA["satisfaction"], DATA["intention"].clip(upper=60), bootstrap=20)
    share = 100 * (DATA["intention"] >= 60).mean()
    assert capped.problems[0].startswith(
        f"{share:.0f} % of the customers have the loyalty 60, one end of what is found"
    )


@pytest.mark.parametrize(
    ("x", "y", "options", "expected"),
    [
        (range(10), range(10), {}, "link_function: 10 customers have both answers; expected at least 20."),
        (
            [5.0] * 30,
            range(30),
            {},
            "link_function: satisfaction has 1 different value; a curve with two thresholds needs at least 5. Compare "
            "the means of the groups instead.",
        ),
        (range(30), [4.0] * 30, {}, "link_function: loyalty is 4 for everybody; there is nothing for satisfaction to"),
        (range(30), range(30), {"slope_share": 1.0}, "link_function: slope_share is 1.0, span 0.5; expected a share"),
        (range(30), range(30), {"folds": 1}, "link_function: folds is 1; expected a whole number of 2 or more."),
        (range(30), range(30), {"bootstrap": 20.5}, "link_function: bootstrap is 20.5; expected a whole number of 20"),
        (range(30), range(30), {"level": "0.9"}, "link_function: level is '0.9'; expected a number between 0 and 1"),
        (range(30), range(30), {"span": "half"}, "link_function: slope_share is 0.5, span half; expected a share"),
        (
            np.ones((30, 2)),
            range(30),
            {},
            "column satisfaction, row 0: found array([1., 1.]), expected a number.",
        ),
        ([*range(1), *[None] * 29], range(30), {}, "link_function: 1 customer has both answers; expected at least 20."),
        (range(30), ["x"] * 30, {}, "column loyalty, row 0: found 'x', expected a number."),
    ],
)
def test_links_name_what_they_cannot_use(x, y, options, expected):
    assert told(loyalty.link_function, list(x), list(y), **options).startswith(expected)


def test_a_step_is_told_as_not_determined():
    x = np.repeat(np.arange(1.0, 11.0), 30)
    y = np.where(x > 5, 80.0, 20.0) + np.random.default_rng(1).normal(0, 1, 300)
    found = loyalty.link_function(x, y, bootstrap=30)
    assert not found.converged
    assert found.problems[0].startswith("The sigmoid is not determined by these data: its steepness or midpoint ran to")


# -------------------------------------------------------------------------------------------------- moderation


def test_switching_costs_lower_the_gain_by_what_the_truth_says():
    """Truth per group: (ceiling − mean floor of the group) · (S(high) − S(low)); 16 surveys."""
    inside = []
    for seed in range(16):
        drawn = simulate_loyalty(1000, seed=seed)
        data = drawn.data
        found = loyalty.moderation(
            data["satisfaction"], data["intention"], data["switching_cost"], cut=6, bootstrap=100, seed=seed
        )
        low, high = found.between
        rise = np.diff(1 / (1 + np.exp(-1.6 * (np.array([low, high]) - 6.5))))[0]
        held = data["switching_cost"] >= 6
        floors = drawn.truth["floor"].groupby(held).mean()
        row = found.differences.set_index("measure").loc["gain"]
        inside.append(row["ci_lower"] <= (floors[False] - floors[True]) * rise <= row["ci_upper"])
        assert row["ci_upper"] < 0
    assert np.mean(inside) >= 0.8  # .95 − 2.5·√(.95·.05/16)


def test_the_interaction_and_the_test_of_one_curve():
    data = DATA
    found = loyalty.moderation(data["satisfaction"], data["intention"], data["switching_cost"], bootstrap=20)
    assert found.problems[0].startswith("High begins at the median of the moderator, 5")
    x, z = (data[c] - data[c].mean() for c in ("satisfaction", "switching_cost"))
    design = np.column_stack([np.ones(1200), x, z, x * z])
    beta = np.linalg.lstsq(design, data["intention"], rcond=None)[0]
    inverse = np.linalg.inv(design.T @ design)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    weighted = design * ((data["intention"].to_numpy() - design @ beta) / (1 - leverage))[:, None]
    se = np.sqrt((inverse @ weighted.T @ weighted @ inverse)[3, 3])  # HC3: Long & Ervin (2000), eq. 8
    assert found.interaction is not None
    assert found.interaction[["estimate", "se"]].tolist() == pytest.approx([beta[3], se])
    assert found.one_curve["df1"] == 4
    assert found.one_curve["df2"] == 1200 - 8
    nothing = loyalty.moderation(data["satisfaction"], data["intention"], pd.Series(np.arange(1200) % 2, data.index)
                                 .map({0: "odd", 1: "even"}), bootstrap=20)  # fmt: skip
    assert nothing.one_curve["pvalue"] > 0.01
    assert nothing.interaction is None
    assert found.one_curve["pvalue"] < 1e-6


def test_groups_that_cannot_carry_a_curve_are_named():
    x, y = DATA["satisfaction"], DATA["intention"]
    assert told(loyalty.moderation, x, y, pd.Series("all", DATA.index)) == (
        "moderation: everybody is in the group all; expected two groups."
    )
    names = pd.Series("many", DATA.index).where(np.arange(1200) > 5, "few")
    assert told(loyalty.moderation, x, y, names).startswith("moderation: group few has 6 customers with ")
    assert told(loyalty.moderation, x, y, DATA["switching_cost"], cut="high") == (
        "moderation: cut is 'high'; expected a number where high begins."
    )
    endless = DATA["switching_cost"].where(DATA.index > 1, np.inf)
    assert told(loyalty.moderation, x, y, endless) == (
        "moderation: moderator is infinite in row 1; expected a number. Correct it."
    )
    assert told(loyalty.moderation, x, y, names, cut=3) == (
        "moderation: the moderator holds names, and a cut is given; expected numbers to cut."
    )


# --------------------------------------------------------------------------------------------------------- nps


def test_the_interval_of_the_score_by_hand():
    """40 promoters, 40 passives, 20 detractors: p − d = .2, se² = (.4 + .2 − .2²)/100 = .0056."""
    found = loyalty.nps([10] * 40 + [8] * 40 + [3] * 20, method="wald")
    assert found.nps == 20
    assert [found.ci_lower, found.ci_upper] == pytest.approx([20 - 195.9964 * 0.0056**0.5, 20 + 195.9964 * 0.0056**0.5])
    assert found.shares.to_dict() == pytest.approx({"promoters": 0.4, "passives": 0.4, "detractors": 0.2})
    code, answers = np.repeat([1, 0, -1], [40, 40, 20]), np.repeat([10, 8, 3], [40, 40, 20])
    assert code.var() / 100 == pytest.approx(0.0056)  # the same variance, as that of the codes
    assert found.measures.loc["mean recommendation", "estimate"] == answers.mean()
    assert found.lost["variance_kept"] == pytest.approx(1)  # three answers, three classes: nothing is lost


def test_what_three_classes_throw_away():
    found = loyalty.nps(DATA["recommend"], DATA["satisfaction"], by=DATA["constraint"], scale=(1, 10), bootstrap=200)
    code = pd.cut(DATA["recommend"], [-1, 6, 8, 10], labels=[-1, 0, 1]).astype(int)
    full, coarse = (np.corrcoef(DATA["satisfaction"], values)[0, 1] for values in (DATA["recommend"], code))
    lost = found.lost
    assert [lost["r_answers"], lost["r_classes"]] == pytest.approx([full, coarse])
    assert lost["respondents_ratio"] == pytest.approx((full / coarse) ** 2)
    assert lost["r_lost_ci_lower"] < lost["r_lost"] < lost["r_lost_ci_upper"]
    means = DATA["recommend"].groupby(code).transform("mean")
    assert lost["variance_kept"] == pytest.approx(means.var(ddof=0) / DATA["recommend"].var(ddof=0))
    widths = found.measures["width_share"]
    assert widths["NPS"] == pytest.approx((found.ci_upper - found.ci_lower) / 200)
    assert widths["NPS"] > widths["mean recommendation"]
    assert found.by_group.set_index("group")["n"].to_dict() == DATA["constraint"].value_counts().to_dict()


def test_customers_with_the_same_label_are_several_customers():
    """Two waves one below the other have every label twice."""
    waves = pd.concat([DATA.iloc[:60], DATA.iloc[60:120].set_axis(DATA.index[:60])])
    clean = DATA.iloc[:120]
    for ours, theirs in (
        (loyalty.nps(each["recommend"], each["satisfaction"], by=each["constraint"], bootstrap=20) for each in pair)
        for pair in ((waves, clean),)
    ):
        assert (ours.n, ours.nps, ours.ci_lower) == (theirs.n, theirs.nps, theirs.ci_lower)
        pd.testing.assert_frame_equal(ours.by_group, theirs.by_group)
    ours, theirs = (
        loyalty.composite_index(each, list(PARTS), scale=(1, 10), by="constraint", draws=20) for each in (waves, clean)
    )
    assert ours.index == pytest.approx(theirs.index)
    pd.testing.assert_frame_equal(ours.by_group, theirs.by_group)
    assert ours.scores.to_numpy() == pytest.approx(theirs.scores.to_numpy())


def test_scores_off_the_scale_and_lonely_classes():
    assert told(loyalty.nps, [11, 3]).startswith("scale: recommend has 11 in row 0")
    assert told(loyalty.nps, [None, 3.0]) == "nps: 1 answer; expected at least 2."
    all_same = loyalty.nps([9.0, 10.0, np.nan])
    assert all_same.problems[:2] == [
        "1 of 3 customers was not asked or gave no answer and is left out.",
        "All are promoters; the interval rests on the one class that was seen.",
    ]
    assert told(loyalty.nps, [9, 3], [1.0, 5.0], scale=(1,)) == (
        "nps: scale is [(1,)]; expected 1 of two numbers each."
    )
    assert told(loyalty.nps, [9, 3], seed=-1) == "nps: seed is -1; expected a whole number of 0 or more."
    assert told(loyalty.nps, [9, 3], [5.0, 5.0]).startswith("nps: satisfaction runs from 5 to 5, its scale from 5 to 5")


# -------------------------------------------------------------------------------------------------- complaints


def test_causes_by_words_read_by_hand():
    texts = [
        "The ZIP broke after two weeks.",
        "You sent the wrong  size!",
        "客服态度很差",
        "I dropped it.",
        "Never again!",
        "The parcel came late, and the hotline was rude.",
        None,
        "It is unbreakable, thanks",
    ]
    found = loyalty.code_complaints(texts)
    assert found.codes.astype(object).fillna("-").tolist() == [
        "maker", "seller", "service", "customer misuse", "-", "seller", "-", "-",
    ]  # fmt: skip
    assert found.matches["words"].tolist()[5] == "parcel, late, hotline, rude"
    assert (found.uncoded, found.ambiguous) == (3, 1)
    assert found.problems == [
        "3 of 8 complaints are not coded, such as 'Never again!'; 'It is unbreakable, thanks'.",
        "More than a tenth is not coded: read these texts and add words before the shares are used.",
        "1 complaint holds words of several causes; the cause that stands first in the table was taken.",
    ]


def test_the_table_of_words_can_be_changed(tmp_path):
    path = tmp_path / "words.yaml"
    path.write_text("weather:\n  en: weather\n  words: [rain]\n", encoding="utf-8")
    assert loyalty.code_complaints(["Rainy day", "The drain"], words=path).codes.tolist() == ["weather", np.nan]
    assert told(loyalty.code_complaints, ["x"], words={"weather": {"words": []}}) == (
        "words: cause 'weather' has no list of words; expected words: [broke, faulty, ...]."
    )
    assert told(loyalty.code_complaints, ["x"], words=["rain"]) == (
        "words: found a list; expected a mapping of causes, or the path of a file."
    )
    assert told(loyalty.code_complaints, ["x"], words=tmp_path / "none.yaml").endswith(
        "none.yaml: there is no such file; give the path of a YAML or XLSX file."
    )


def test_given_causes_are_counted_and_compared():
    complaints = DRAWN.complaints
    given = loyalty.code_complaints(complaints["cause"], coded=True)
    assert given.table["n"].to_dict() == complaints["cause"].value_counts().reindex(given.table.index).to_dict()
    found = loyalty.code_complaints(complaints["text"], hand=complaints["cause"])
    both = found.codes.notna()
    assert found.agreement is not None
    same = found.codes.astype(object)[both] == complaints["cause"][both]
    assert found.agreement.observed == pytest.approx(same.mean())
    assert set(found.table.index) == set(CAUSES)
    assert told(loyalty.code_complaints, ["weather"], coded=True) == (
        "code_complaints: text has the cause 'weather' in row 0; expected one of maker, seller, service, customer "
        "misuse. Correct it, or add the cause to the table of words."
    )


def test_a_person_who_names_one_cause_can_be_compared_with_nobody():
    for hand, texts in (
        (["maker"] * 2, ["The zip broke", "The seam was torn"]),
        ([None, "maker"], ["zip broke", "hm"]),
    ):
        found = loyalty.code_complaints(texts, hand=hand)
        assert found.agreement is None
        assert found.confusion is not None
        assert found.problems[-1].startswith("Words and person cannot be compared: fewer than two complaints coded by")


def product_limit(days: list[int], ended: list[int]) -> tuple[float, float]:
    """Median and its lower limit, by hand: Kaplan & Meier's product and Greenwood's sum, limits on the log scale."""
    still, greenwood, median, lower = 1.0, 0.0, np.nan, np.nan
    for day in sorted({d for d, e in zip(days, ended, strict=True) if e}):
        waiting = sum(d >= day for d in days)
        done = sum(d == day and e for d, e in zip(days, ended, strict=True))
        still *= 1 - done / waiting
        greenwood += done / (waiting * (waiting - done)) if waiting > done else 0.0
        median = day if np.isnan(median) and still <= 0.5 else median
        lower = day if np.isnan(lower) and still * np.exp(-1.959964 * greenwood**0.5) <= 0.5 else lower
    return median, lower


def test_waiting_times_are_those_of_survfit():
    """The aml data of R's survival: survfit(Surv(time, status) ~ x, aml) gives 31 (18, NA), 23 (8, NA); and by hand."""
    maintained = ([9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161], [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0])
    without = ([5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45], [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1])
    for (days, ended), median, lower in ((maintained, 31, 18), (without, 23, 8)):
        end = pd.Timestamp("2025-12-31")
        # What is censored after d days was opened d days before the end.
        opened = pd.Series([end - pd.Timedelta(days=d) for d in days])
        resolved = (opened + pd.to_timedelta(days, unit="D")).where(np.array(ended) == 1)
        found = loyalty.handling(pd.DataFrame({"opened": opened, "resolved": resolved}), ["resolved"], as_of=end).steps
        assert found.loc["resolved", ["days_median", "days_ci_lower"]].tolist() == [median, lower]
        assert product_limit(days, ended) == (median, lower)
        assert np.isnan(found.loc["resolved", "days_ci_upper"])


def test_steps_are_counted_and_open_complaints_told():
    found = loyalty.handling(DRAWN.complaints, STEPS)
    assert found.steps["reached"].tolist() == DRAWN.complaints[list(STEPS)].notna().sum().tolist()
    assert found.steps["share"].is_monotonic_decreasing
    gaps = (DRAWN.complaints["investigated"] - DRAWN.complaints["acknowledged"]).dt.days
    assert found.steps.loc["investigated", "days_step"] == gaps.median()
    still = int(DRAWN.complaints["followed_up"].isna().sum())
    assert found.problems[0].startswith(f"{still} of {len(DRAWN.complaints)} complaints have not reached followed_up")


def test_faulty_logs_are_named():
    log = pd.DataFrame({"opened": ["2025-03-02", "2025-03-05"], "resolved": ["2025-03-01", None]})
    assert told(loyalty.handling, log, ["resolved"]) == (
        "handling: complaint 0 reached resolved on 2025-03-01, before it was opened on 2025-03-02. Correct the log."
    )
    assert told(loyalty.handling, [1], ["resolved"]) == (
        "handling: the log is a list; expected a DataFrame, one row per complaint."
    )
    zoned = log.assign(opened="2025-03-02T00:00:00+00:00", resolved="2025-03-04")
    assert loyalty.handling(zoned, ["resolved"]).steps.loc["resolved", "days_median"] == 2
    assert told(loyalty.handling, log, ["mended"]).startswith("handling: the log has no column mended; it has opened")
    assert told(loyalty.handling, log.assign(resolved="soon"), ["resolved"]) == (
        "handling: resolved is 'soon' in row 0; expected a day, 2025-03-31."
    )
    assert told(loyalty.handling, log.assign(opened=[None, "2025-03-01"]), ["resolved"]).startswith(
        "handling: complaint 0 has no day in opened"
    )
    assert told(loyalty.handling, log.iloc[1:], ["resolved"], as_of="soon") == (
        "handling: as_of is 'soon'; expected a day, 2025-03-31."
    )
    swapped = pd.DataFrame({"opened": ["2025-03-01"] * 2, "a": ["2025-03-05", None], "b": ["2025-03-03", "2025-03-04"]})
    assert loyalty.handling(swapped, ["a", "b"]).problems == [
        "b: 1 complaint got there without a, 1 earlier than a. Check how steps are logged."
    ]


# ---------------------------------------------------------------------------------------------------- recovery

ASKED = (DATA["satisfaction_after"], DATA["complained"], DATA["recovered"])
WHOLE = {"before": DATA["satisfaction"], "problem": DATA["problem"], "stake": DATA["stake"]}


def test_contrasts_are_welch_and_regression_by_hand():
    found = loyalty.recovery(*ASKED, **WHOLE)
    mended = DATA["recovered"] == "yes"
    never = (DATA["complained"] == "no") & (DATA["problem"] == "no")
    change = DATA["satisfaction_after"] - DATA["satisfaction"]
    rows = found.contrasts[found.contrasts["against"] == "never complained"].set_index("way")
    for way, values in (("as they are", DATA["satisfaction_after"]), ("change", change)):
        test = stats.ttest_ind(values[mended], values[never], equal_var=False)
        ends = test.confidence_interval(0.95)
        assert rows.loc[way, ["ci_lower", "ci_upper", "pvalue"]].tolist() == pytest.approx(
            [ends.low, ends.high, test.pvalue]
        )
    both = DATA[mended | never]
    fit = sm.OLS.from_formula("satisfaction_after ~ m + satisfaction", both.assign(m=(both["recovered"] == "yes") * 1))
    hc3 = fit.fit(cov_type="HC3", use_t=True)
    assert rows.loc["given before", "difference"] == pytest.approx(hc3.params["m"])
    assert rows.loc["given before", "se"] == pytest.approx(hc3.bse["m"])
    # (z.975 + z.80)·se with 1.959964 and 0.841621
    assert rows["minimum_detectable"].tolist() == pytest.approx((2.801585 * rows["se"]).tolist(), rel=1e-6)


def test_the_truth_is_found_only_by_those_who_look_at_the_change_and_at_the_silent():
    """20 firms without a paradox: the plain comparison finds one, the change against those without a problem none."""
    verdicts, covered, stakes = [], [], []
    for seed in range(20):
        drawn = simulate_loyalty(1500, seed=seed)
        data = drawn.data
        asked = (data["satisfaction_after"], data["complained"], data["recovered"])
        naive = loyalty.recovery(*asked)
        whole = loyalty.recovery(*asked, before=data["satisfaction"], problem=data["problem"], stake=data["stake"])
        assert drawn.paradox < 0
        verdicts.append((naive.paradox, whole.paradox))
        row = whole.contrasts[whole.contrasts["way"] == "change"].set_index("against").loc["never complained"]
        covered.append(row["ci_lower"] <= drawn.paradox <= row["ci_upper"])
        stake = whole.stake.loc["difference"]
        stakes.append(stake["ci_lower"] <= drawn.stake_effect <= stake["ci_upper"])
    naive, whole = zip(*verdicts, strict=True)
    assert naive.count("yes") >= 18
    assert "yes" not in whole
    assert whole.count("no") >= 18
    assert min(np.mean(covered), np.mean(stakes)) >= 0.82  # .95 − 2.5·√(.95·.05/20)


def test_answers_that_do_not_vary_have_no_interval():
    found = loyalty.recovery([5.0] * 20, ["yes"] * 10 + ["no"] * 10, ["yes"] * 10 + [None] * 10)
    assert found.paradox == "not shown"
    assert found.problems[-1] == "In some contrasts the answers do not vary; there is no interval for them."


def test_a_paradox_that_is_there_is_found():
    drawn = simulate_loyalty(1500, seed=3, recovery=2.4)
    data = drawn.data
    found = loyalty.recovery(
        data["satisfaction_after"], data["complained"], data["recovered"], before=data["satisfaction"],
        problem=data["problem"],
    )  # fmt: skip
    assert drawn.paradox > 0.3
    assert found.paradox == "yes"


def test_a_paradox_is_not_seen_where_complaints_are_made_good_exactly():
    """Making good restores what the failure took (1.6): the effect is 0 for everybody, and errors are two-sided."""
    verdicts = []
    for seed in range(60):
        drawn = simulate_loyalty(900, seed=seed, recovery=1.6, stake_effect=0.0)
        assert drawn.paradox == pytest.approx(0, abs=1e-12)
        data = drawn.data
        found = loyalty.recovery(
            data["satisfaction_after"], data["complained"], data["recovered"], before=data["satisfaction"],
            problem=data["problem"],
        )  # fmt: skip
        verdicts.append(found.paradox)
    assert verdicts.count("yes") <= 6  # .025 of 60 is 1.5; a Poisson count exceeds 6 in 0.1 % of all cases
    assert verdicts.count("yes") + verdicts.count("no") <= 9  # .05 of 60 is 3: likewise


def test_no_stake_effect_where_there_is_none():
    outside = []
    for seed in range(20):
        data = simulate_loyalty(800, seed=seed, stake_effect=0.0, recovery=1.0).data
        found = loyalty.recovery(
            data["satisfaction_after"], data["complained"], data["recovered"], before=data["satisfaction"],
            stake=data["stake"],
        ).stake.loc["difference"]  # fmt: skip
        outside.append(not found["ci_lower"] <= 0 <= found["ci_upper"])
    assert np.mean(outside) <= 0.2  # .05 + 3·√(.05·.95/20)


def test_regression_to_the_mean_is_expected_by_the_regression_of_the_never_complained():
    noisy = simulate_loyalty(1200, seed=2, error=1.0).data
    found = loyalty.recovery(
        noisy["satisfaction_after"], noisy["complained"], noisy["recovered"], before=noisy["satisfaction"],
        problem=noisy["problem"],
    )  # fmt: skip
    never = noisy[(noisy["problem"] == "no")]
    slope, intercept = np.polyfit(never["satisfaction"], never["satisfaction_after"], 1)
    row = found.groups.loc["recovered"]
    assert row["expected_change"] == pytest.approx(intercept + slope * row["before"] - row["before"])
    assert any(problem.startswith("Regression to the mean: from where they stood before") for problem in found.problems)


def test_what_must_be_warned_of_is_said():
    naive = loyalty.recovery(*ASKED)
    assert naive.problems[:2] == [
        "There is no measure from before: a firm that makes good to its better customers, and customers who complain "
        "at a low point and rise anyhow, both look like recovery.",
        "Whether something went wrong was not asked: those who suffered in silence stand among the never complained "
        "and pull them down, which looks like a paradox.",
    ]
    few = DATA.iloc[:28]
    small = loyalty.recovery(
        few["satisfaction_after"],
        few["complained"],
        few["recovered"],
        before=few["satisfaction"],
        problem=few["problem"],
    )
    assert small.problems[0].startswith("Fewer than 10 customers: recovered (")


@pytest.mark.parametrize(
    ("recovered", "expected"),
    [
        (["maybe"] * 3, "recovery: recovered is 'maybe' in row 0; expected yes or no, true or false, 1 or 0."),
        (["no"] * 3, "recovery: 0 customers are recovered; expected at least two (and ten, to say anything)."),
    ],
)
def test_recoveries_that_cannot_be_compared_are_named(recovered, expected):
    assert told(loyalty.recovery, [1.0, 2.0, 3.0], ["yes", "yes", "no"], recovered) == expected


# ------------------------------------------------------------------------------------------- results, generator


def results() -> dict[str, Any]:
    pairs = (DATA["satisfaction"], DATA["intention"])
    return {
        "typology": loyalty.attachment(DATA["affect"], DATA["purchases"], DATA["reason"]),
        "measures": loyalty.gremler_brown(DATA["purchases"], DATA["intention"], DATA["affect"]),
        "composite": loyalty.composite_index(DATA, list(PARTS), scale=(1, 10), draws=20),
        "link": loyalty.link_function(*pairs, bootstrap=20),
        "moderation": loyalty.moderation(*pairs, DATA["constraint"], bootstrap=20),
        "promoters": loyalty.nps(DATA["recommend"], DATA["satisfaction"], bootstrap=20),
        "complaints": loyalty.code_complaints(DRAWN.complaints["text"], hand=DRAWN.complaints["cause"]),
        "handling": loyalty.handling(DRAWN.complaints, STEPS),
        "recovery": loyalty.recovery(*ASKED, **WHOLE),
    }


def test_results_repeat_themselves_are_plain_json_frozen_and_drawn():
    first, again = results(), results()
    for name, result in first.items():
        plain = json.dumps(result.to_dict(), allow_nan=False)
        assert plain == json.dumps(again[name].to_dict(), allow_nan=False), name
        assert all(problem in result.to_dict()["problems"] for problem in result.problems)
        assert "<table" in result._repr_html_()
        with pytest.raises(AttributeError):
            result.problems = []
        for language in ("en", "zh"):
            ax = result.plot(language=language)
            assert len(style.alt(ax)) > 40, name
            assert ax.get_title(loc="left")


def test_figures_show_their_tables():
    found = results()
    typology, link, recovery = found["typology"], found["link"], found["recovery"]
    ax = typology.plot("shares")
    assert [bar.get_width() for bar in ax.patches] == pytest.approx((100 * typology.table["share"]).tolist())
    assert "premium loyalty" in style.alt(ax)
    ax = typology.plot("moves", "zh")
    assert ax.get_xlabel() == "界限的变化（占量表长度的 %）"
    ax = typology.plot("map")
    assert sorted(line.get_xdata()[0] for line in ax.lines)[-1] == typology.thresholds["threshold"].iloc[0]
    scaled = loyalty.jones_sasser([9, 3], [80, 20], thresholds=(7, 60), scales=((1, 10), (0, 100))).plot("map")
    assert (scaled.get_xlabel(), scaled.get_ylabel()) == ("satisfaction (1–10)", "loyalty (0–100)")
    curve = next(line for line in link.plot().lines if line.get_label() == "sigmoid")
    assert curve.get_ydata() == pytest.approx(link.curves["sigmoid"].to_numpy())
    zones = link.zones[link.zones["model"] == "sigmoid"]
    assert f"Below satisfaction {zones['end'].iloc[0]:.1f}" in style.alt(link.plot())
    ax = recovery.plot()
    assert [text.get_text() for text in ax.texts] == [
        f"{value:+.2f}".replace("-", "−") for value in recovery.contrasts["difference"]
    ]
    with pytest.raises(InputError, match=r"plot: kind 'cake' is unknown; choose one of map, shares, moves\."):
        typology.plot("cake")
    with pytest.raises(ValueError, match="what 'cakes' is unknown"):
        share_bars(typology.table, what="cakes")
    with pytest.raises(ValueError, match="language 'fr' is not known"):
        moved_thresholds(typology.sensitivity, language="fr")


def test_the_generator_repeats_itself_and_keeps_its_word():
    same = simulate_loyalty(1200, seed=7)
    pd.testing.assert_frame_equal(same.data, DATA, check_exact=True)
    pd.testing.assert_frame_equal(same.complaints, DRAWN.complaints, check_exact=True)
    many = simulate_loyalty(60_000, seed=1)
    data, truth = many.data, many.truth
    # Ties lift the floor and nothing else: neither satisfaction nor affect knows of them.
    tied = data["constraint"] != "none"
    for column in ("satisfaction", "affect"):
        assert data.loc[tied, column].mean() == pytest.approx(data.loc[~tied, column].mean(), abs=0.5)
    assert truth["floor"].to_numpy() == pytest.approx(20 + 30 * (data["switching_cost"].to_numpy() - 1) / 9)
    # Intention is cut off at 0 and 100, which moves it by less than half a point in the mean.
    assert (data["intention"] - truth["expected"]).mean() == pytest.approx(0, abs=0.5)
    assert (data["intention"] - truth["expected"]).std() == pytest.approx(10, abs=0.6)
    assert (data["problem"] == "yes").mean() == pytest.approx(0.4, abs=0.01)
    assert data.loc[data["complained"] == "yes", "problem"].eq("yes").all()
    mended = data["recovered"] == "yes"
    assert many.paradox == pytest.approx(truth.loc[mended, "effect"].mean())
    assert truth.loc[data["problem"] == "no", "effect"].eq(0).all()
    assert len(many.complaints) == (data["complained"] == "yes").sum()


@pytest.mark.parametrize(
    "options",
    [{"n": 1}, {"shape": "circle"}, {"steepness": 0}, {"hold": 60}, {"noise": -1}, {"error": -1}, {"missing": 1}],
)
def test_the_generator_refuses_what_it_cannot_draw(options):
    with pytest.raises(ValueError, match="expected"):
        simulate_loyalty(**{"n": 100, **options})
