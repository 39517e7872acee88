"""Scorecards, grids, tiers, agreement, fairness and back-tests: against packages, by hand, and by brute force."""

import itertools

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from crmlab.errors import InputError
from crmlab.grading import (
    SCORECARDS,
    Cut,
    DecisionTable,
    Grid,
    Scorecard,
    agreement,
    backtest,
    deserved_investment,
    disparity,
    protected_inputs,
    rubric,
    scorecard,
    sensitivity,
    tiers,
)

CARD = {
    "name": "card",
    "criteria": {
        "orders": {"weight": 0.75, "type": "count", "points": {"0-2": 0, "3+": 100}},
        "loyalty": {"weight": 0.25, "scale": [1, 5]},
    },
    "grades": {"A": ">= 75", "B": "[25, 75)", "C": "< 25"},
}

# -------------------------------------------------------------------------------------------------- scorecards


@pytest.mark.parametrize("name", SCORECARDS)
def test_every_shipped_scorecard_has_thresholds_without_gap_or_overlap(name: str) -> None:
    card = scorecard(name)
    assert card.check() == []
    assert card.weights.sum() == pytest.approx(1, abs=1e-12)
    assert protected_inputs(card) == []


def test_a_lead_that_answers_all_six_questions_well_is_hot() -> None:
    """Course row C4; six equal weights must add up to exactly 100, or the best lead would miss its threshold."""
    lead = {"in_trade": "yes", "years_in_trade": 12.0, "customers_named": "是", "annual_sales": 2e7,
            "contact_complete": True, "website": "yes"}  # fmt: skip
    scored = scorecard("lead").score(pd.DataFrame([lead, {**lead, "in_trade": "no", "website": "no"}]))
    assert scored.score.tolist() == [100.0, pytest.approx(400 / 6, abs=1e-9)]
    assert scored.grade.tolist() == ["hot", "warm"]


def test_scores_are_weighted_sums_of_points() -> None:
    scored = Scorecard(CARD).score(pd.DataFrame({"orders": [3, 0, 5], "loyalty": [1, 5, 3]}))
    assert scored.score.tolist() == [75.0, 25.0, 87.5]
    assert scored.grade.tolist() == ["A", "B", "A"]
    assert scored.contributions.sum(axis=1).tolist() == scored.score.tolist()


@pytest.mark.parametrize(
    ("missing", "scores", "told"),
    [("none", [75.0, None], "they have no score"), ("worst", [75.0, 25.0], "it counts 0 points"),
     ("reweight", [75.0, 100.0], "its weight goes to the others")],
)  # fmt: skip
def test_missing_criteria_are_handled_as_said_and_told(missing: str, scores: list[float | None], told: str) -> None:
    frame = pd.DataFrame({"orders": [3, None], "loyalty": [1, 5]})
    scored = Scorecard(CARD).score(frame, missing=missing)
    assert scored.score.astype(object).where(scored.score.notna(), None).tolist() == scores
    assert scored.problems == [f"orders is not known for 1 of 2 customers: {told}."]
    pd.testing.assert_series_equal(scored.contributions.sum(axis=1, skipna=False), scored.score, check_names=False)
    with pytest.raises(InputError) as error:
        Scorecard(CARD).score(frame)
    assert str(error.value) == (
        "card: orders is not known for 1 of 2 customers, first in row 1. Fill it in, or say what to do with "
        'missing="none", "worst" or "reweight".'
    )


def test_weights_come_from_elsewhere_and_must_be_shares() -> None:
    card = Scorecard(CARD).with_weights(pd.Series({"loyalty": 1.0, "orders": 0.0}))
    assert card.score(pd.DataFrame({"orders": [9], "loyalty": [2]})).score.tolist() == [25.0]
    with pytest.raises(InputError) as error:
        Scorecard(CARD).with_weights({"orders": 0.9, "loyalty": 0.3})
    assert str(error.value) == (
        "card: the weights orders 0.9, loyalty 0.3 sum to 1.2; expected shares of 0 or more that sum to 1. Divide each "
        "by their sum."
    )


def test_missing_thresholds_and_faulty_ones_are_named() -> None:
    with pytest.raises(InputError, match=r"^card: thresholds are missing; expected grades, best first"):
        Scorecard({**CARD, "grades": {}})
    gappy = Scorecard({**CARD, "grades": {"A": "> 75", "B": "< 75"}})
    assert gappy.check() == ["card, grades: 1 combination meets no rule, such as score = 75 (where score is 75)."]


def test_a_rating_outside_its_scale_is_named() -> None:
    with pytest.raises(InputError) as error:
        Scorecard(CARD).score(pd.DataFrame({"orders": [1, 1], "loyalty": [5, 6]}))
    assert str(error.value) == ("card: loyalty is '6' in row 1; expected a rating from 1 to 5. Correct the value.")


# ------------------------------------------------------------------------------------------------------- grids


def bank(n: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    contribution = rng.lognormal(6, 1, n)
    later = np.where(contribution > 700, 900.0, 100.0) + rng.normal(0, 50, n)
    return pd.DataFrame({"contribution": contribution, "risk": rng.beta(2, 8, n), "later": later})


def test_a_grid_by_value_is_the_rubric_over_numbers() -> None:
    frame = bank()
    fitted = Grid("bank_risk", {"contribution": Cut(values=[500]), "risk": Cut(values=[0.2])}).fit(frame)
    high = pd.DataFrame(
        {"contribution": np.where(frame["contribution"] >= 500, "high", "low"),
         "risk": np.where(frame["risk"] >= 0.2, "high", "low")}
    )  # fmt: skip
    assert fitted.grade(frame).tolist() == rubric("bank_risk").grade(high).tolist()
    assert fitted.table.check().problems == []
    counts = fitted.counts(frame)
    assert counts["n"].sum() == len(frame)
    assert counts.set_index(["contribution", "risk"])["n"].to_dict() == high.value_counts().to_dict()


def test_thresholds_by_quantile_are_those_of_numpy_and_three_levels_work() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"power": rng.normal(size=300), "loyalty": rng.normal(size=300)})
    cut = Cut(quantiles=[0.2, 0.7])
    fitted = Grid("value_loyalty", {"power": cut, "loyalty": cut}).fit(frame)
    limits = fitted.thresholds.query("input == 'power'").set_index("above")["threshold"]
    assert limits.to_dict() == {"high": np.quantile(frame["power"], 0.7), "medium": np.quantile(frame["power"], 0.2)}
    assert fitted.counts(frame).groupby("power", observed=True)["n"].sum().to_dict() == {
        "high": 90,
        "medium": 150,
        "low": 60,
    }


@pytest.mark.parametrize("levels", [2, 3])
def test_the_optimum_is_that_of_brute_force(levels: int) -> None:
    rng = np.random.default_rng(levels)
    x = rng.integers(0, 12, 80).astype(float)
    frame = pd.DataFrame({"power": x, "loyalty": rng.normal(size=80), "later": np.sin(x) + rng.normal(0, 0.3, 80)})
    names = ["high", "medium", "low"][-levels:]
    rules = [{"power": p, "loyalty": "-", "grade": p} for p in names]
    declared = {"power": {"values": names}, "loyalty": {"values": ["high", "low"]}}
    grid = Grid(DecisionTable(rules, inputs=declared), {"power": Cut(best_for="later"), "loyalty": Cut(values=[0])})

    def between(limits: tuple[float, ...]) -> float:
        group = np.searchsorted(limits, frame["power"], side="right")
        means = frame["later"].groupby(group).transform("mean")
        return float(
            ((means - frame["later"].mean()) ** 2).sum() / ((frame["later"] - frame["later"].mean()) ** 2).sum()
        )

    best = max(itertools.combinations(np.unique(x)[1:], levels - 1), key=between)
    fitted = grid.fit(frame)
    found = fitted.thresholds.query("input == 'power'")
    assert tuple(sorted(found["threshold"])) == best
    assert found["gain"].iloc[0] == pytest.approx(between(best), abs=1e-12)
    assert fitted.problems == [
        "The thresholds of power were chosen to fit later on these customers; on new ones they will do less well. Test "
        "them on customers who were not used."
    ]


def test_the_optimum_finds_a_known_threshold() -> None:
    frame = bank(5000, seed=3)
    fitted = Grid("bank_risk", {"contribution": Cut(best_for="later"), "risk": Cut(values=[0.2])}).fit(frame)
    # Candidates are 400 quantiles: the nearest one lies within 1/400 of the customers of the truth, 700.
    share = frame["contribution"].lt(fitted.thresholds["threshold"].iloc[0]).mean()
    assert share == pytest.approx(frame["contribution"].lt(700).mean(), abs=1 / 400)
    yes = frame.assign(bought=(frame["contribution"] > 700).astype(float))
    youden = Cut(best_for="bought", criterion="youden")
    assert (
        Grid("bank_risk", {"contribution": youden, "risk": Cut(values=[0.2])}).fit(yes).thresholds["gain"].iloc[0]
        > 0.99
    )


def test_cuts_that_do_not_fit_are_named() -> None:
    with pytest.raises(InputError) as error:
        Grid("bank_risk", {"contribution": Cut(), "risk": Cut(values=[1])})
    assert str(error.value) == (
        "contribution: thresholds are missing; expected exactly one of values, quantiles and best_for."
    )
    with pytest.raises(InputError, match=r"^risk: values are \[2, 1\]; 2 levels need 1 of them, rising\.$"):
        Grid("bank_risk", {"contribution": Cut(values=[1]), "risk": Cut(values=[2, 1])})


def test_sensitivity_counts_the_customers_between_old_and_new_threshold() -> None:
    frame = bank()
    fitted = Grid("bank_risk", {"contribution": Cut(values=[500]), "risk": Cut(values=[0.2])}).fit(frame)
    found = fitted.sensitivity(frame, moves=[-0.1, 0.1]).set_index(["input", "move"])
    assert (
        found.loc[("contribution", 0.1), "changed"] == frame["contribution"].between(500, 550, inclusive="left").sum()
    )
    assert found.loc[("risk", -0.1), "changed"] == frame["risk"].between(0.18, 0.2, inclusive="left").sum()
    zero = DecisionTable([{"profit": ">= 0", "grade": "A"}, {"profit": "< 0", "grade": "B"}])
    assert sensitivity(zero, pd.DataFrame({"profit": [1.0]}), moves=[0.1])["changed"].isna().all()


def test_tiers_by_share_keep_customers_of_one_score_together() -> None:
    score = pd.Series([10.0, 9, 9, 9, 5, 4, 3, 2, 1, 0], name="score")
    table = tiers(score, shares={"gold": 0.1, "silver": 0.2, "regular": 0.4, "potential": 0.3})
    assert table.grade(score.to_frame()).tolist() == ["gold", *["silver"] * 3, *["regular"] * 3, *["potential"] * 3]
    assert table.check().complete
    assert table.check().disjoint


def test_investment_follows_the_future_value_a_grade_holds() -> None:
    """Course row D6: grade, then share out the budget; nothing for customers who will cost money."""
    found = deserved_investment(pd.Series(list("AABC")), pd.Series([300.0, 300.0, 200.0, -50.0]), 400)
    assert found["investment"].to_dict() == {"A": 300.0, "B": 100.0, "C": 0.0}
    assert found["per_customer"].to_dict() == {"A": 150.0, "B": 100.0, "C": 0.0}


# --------------------------------------------------------------------------------------------------- agreement


@pytest.mark.parametrize(("weights", "theirs"), [("none", None), ("linear", "linear"), ("quadratic", "quadratic")])
def test_kappa_and_its_errors_are_those_of_statsmodels(weights: str, theirs: str | None) -> None:
    """statsmodels 0.14.5+, cohens_kappa(table, wt): kappa, std_kappa (Fleiss, Cohen & Everitt), std_kappa0."""
    rng = np.random.default_rng(5)
    first = rng.integers(0, 4, 250)
    second = np.clip(first + rng.integers(-1, 2, 250), 0, 3)
    order = list("ABCD")
    found = agreement([order[i] for i in first], [order[i] for i in second], order=order, weights=weights)
    reference = cohens_kappa(found.table.to_numpy(), wt=theirs)
    assert found.kappa == pytest.approx(reference.kappa, abs=1e-12)
    assert found.se == pytest.approx(reference.std_kappa, abs=1e-12)
    assert found.se_zero == pytest.approx(reference.std_kappa0, abs=1e-12)
    assert (found.ci_lower, found.ci_upper) == pytest.approx((reference.kappa_low, reference.kappa_upp), abs=1e-9)


def test_agreement_of_one_with_oneself_is_one_and_faults_are_named() -> None:
    assert agreement(list("ABCA"), list("ABCA"), order="ABC").kappa == 1
    with pytest.raises(InputError, match=r"^agreement: the grade 'D' is not in the order \['A', 'B', 'C'\]"):
        agreement(list("AB"), list("AD"), order="ABC")
    with pytest.raises(InputError, match=r"^agreement: both graders give one grade only"):
        agreement(list("AA"), list("AA"), order="ABC")
    told = agreement(["A", None, "B"], ["A", "B", "B"], order="AB").problems
    assert told[0] == "1 customers are left out: one of the two gave them no grade."


# ---------------------------------------------------------------------------------------------------- fairness


def test_protected_attributes_are_found_by_name_in_both_languages() -> None:
    rows = [{"q1": "a", "grade": 1}, {"q1": "b", "grade": 2}]
    hidden = DecisionTable(rows, inputs={"q1": {"values": ["a", "b"], "en": "segment", "zh": "性别"}})
    assert len(protected_inputs(hidden)) == 1, "the Chinese title gives it away"
    assert protected_inputs(["average_spend", "page_views", "coverage", "三包服务"]) == []
    assert [said.split()[0] for said in protected_inputs(["age", "marital_status", "户籍地"])] == [
        "age", "marital_status", "户籍地",
    ]  # fmt: skip


def test_disparity_has_wilsons_intervals_and_the_ratio_of_katz() -> None:
    """Intervals: statsmodels proportion_confint(method="wilson"); ratio: Katz and others (1978), by hand below."""
    grades = pd.Series(["A"] * 80 + ["B"] * 20 + ["A"] * 40 + ["B"] * 60)
    group = pd.Series(["x"] * 100 + ["y"] * 100)
    found = disparity(grades, group, favourable=["A"])
    for name, count in (("x", 80), ("y", 40)):
        expected = proportion_confint(count, 100, method="wilson")
        assert tuple(found.table.loc[name, ["ci_lower", "ci_upper"]]) == pytest.approx(expected, abs=1e-12)
    se = np.sqrt(1 / 40 - 1 / 100 + 1 / 80 - 1 / 100)
    limits = 0.5 * np.exp(1.959963984540054 * se * np.array([-1, 1]))
    assert tuple(found.table.loc["y", ["ratio_lower", "ratio_upper"]]) == pytest.approx(tuple(limits), abs=1e-9)
    assert found.problems == [
        "Group y gets a favourable grade 0.50 times as often as x, less than four fifths, and by more than chance. "
        "Find the input that does it, and ask whether the business needs it."
    ]


# --------------------------------------------------------------------------------------------------- back-test


def test_the_lift_has_the_standard_error_of_its_influence_function() -> None:
    rng = np.random.default_rng(8)
    grades = pd.Series(rng.choice(list("ABC"), 500, p=[0.2, 0.3, 0.5]))
    later = pd.Series(rng.gamma(1, grades.map({"A": 30.0, "B": 10.0, "C": 5.0})))
    found = backtest(grades, later, order="ABC").table
    for grade in "ABC":
        own = (grades == grade).to_numpy()
        m, m_g, p = later.mean(), later[own].mean(), own.mean()
        psi = own * (later - m_g) / (p * m) - m_g * (later - m) / m**2
        reach = (found.loc[grade, "lift_upper"] - found.loc[grade, "lift_lower"]) / 2
        # Ours divides the spread within a grade by n − 1, the influence function by n: at most 1 % of each other here.
        assert reach == pytest.approx(1.959963984540054 * np.sqrt((psi**2).mean() / 500), rel=0.01)


def test_the_interval_of_the_lift_holds_the_truth_as_often_as_it_says() -> None:
    """True lifts 3 / 1.6 and 1.25 / 1.6 by construction: means 3 (20 %) and 1.25 (80 %), overall 1.6."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(400):
        grades = pd.Series(np.where(rng.random(400) < 0.2, "A", "B"))
        later = pd.Series(rng.exponential(grades.map({"A": 3.0, "B": 1.25})))
        row = backtest(grades, later, order="AB").table.loc["A"]
        held += bool(row["lift_lower"] < 3 / 1.6 < row["lift_upper"])
    # Binomial, 400 trials at 0.95: standard error 0.011; four of them, and a skewed ratio falls a little short.
    assert 0.905 < held / 400 < 0.99


def test_grades_out_of_order_are_told() -> None:
    later = pd.Series([1.0] * 40 + [9.0] * 40) + np.tile([0.0, 0.1], 40)
    found = backtest(pd.Series(["A"] * 40 + ["B"] * 40), later, order="AB")
    assert not found.monotone
    assert found.problems == ["Grade A did worse than B later, by more than chance: the grades are out of order."]


def test_faults_of_the_back_test_are_named() -> None:
    grades = pd.Series(list("AB"))
    with pytest.raises(
        InputError, match=r"^backtest: later has 1 values that are no number, first in row 1; expected 0"
    ):
        backtest(grades, pd.Series([1.0, None]), order="AB")
    with pytest.raises(InputError, match=r"^backtest: the grades have no order"):
        backtest(grades, pd.Series([1.0, 2.0]))
    with pytest.raises(InputError, match=r"^backtest: the mean of later is 0; a lift needs a mean above 0"):
        backtest(grades, pd.Series([0.0, 0.0]), order="AB")


# ---------------------------------------------------------------------------------------------- what is told


def test_customers_without_a_score_are_told() -> None:
    scored = Scorecard(CARD).score(pd.DataFrame({"orders": [3, None], "loyalty": [1, None]}), missing="reweight")
    assert scored.problems[-1] == (
        "Customers without a score, as no criterion that weighs is known of them: 1, first in row 1."
    )
    gappy = Scorecard({**CARD, "grades": {"A": "> 75", "B": "< 75"}})
    assert gappy.score(pd.DataFrame({"orders": [3], "loyalty": [1]})).problems == [
        "card, grades: 1 customer meets no rule, first row 0."
    ]


@pytest.mark.parametrize(
    ("loyalty", "text"),
    [
        ({"weight": "half", "scale": [1, 5]}, "weight 'half' is no number; expected one such as 0.25."),
        ({"weight": 0.25, "scale": [1, "top"]}, "scale 'top' is no number; expected one such as 0.25."),
        (
            {"weight": 0.25, "points": [1, 2]},
            'points are [1, 2]; expected a mapping of conditions to points, such as {"< 3": 0, ">= 3": 100}.',
        ),
    ],
)
def test_a_criterion_that_cannot_be_read_is_named(loyalty: dict[str, object], text: str) -> None:
    with pytest.raises(InputError) as error:
        Scorecard({**CARD, "criteria": {**CARD["criteria"], "loyalty": loyalty}})
    assert str(error.value).removeprefix("card, criterion loyalty: ") == text


def test_scores_of_tiers_are_numbers() -> None:
    with pytest.raises(InputError, match=r"^tiers: the score is 'inf' in row 1; expected a number"):
        tiers(pd.Series([1.0, np.inf]))


LETTERS = pd.Series(list("AABB"))


@pytest.mark.parametrize(
    "call",
    [
        lambda: backtest(LETTERS, pd.Series([4.0, 3, 2, 1]), order="AB", level=95),
        lambda: disparity(LETTERS, pd.Series(list("fmfm")), favourable="A", level=95),
        lambda: agreement(LETTERS, LETTERS, order="AB", level=95),
    ],
)
def test_a_level_in_per_cent_is_refused(call) -> None:
    with pytest.raises(InputError, match=r"level is 95; expected a number between 0 and 1, such as 0\.95\.$"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: backtest(LETTERS, pd.Series([4.0, 3, 2, 1]), order="ABA"),
        lambda: agreement(LETTERS, LETTERS, order="ABA"),
    ],
)
def test_an_order_with_a_grade_twice_is_refused(call) -> None:
    with pytest.raises(InputError, match=r"the order \['A', 'B', 'A'\] names a grade twice; give each grade once\.$"):
        call()


def test_one_customer_has_no_interval() -> None:
    found = backtest(pd.Series(list("ABBB")), pd.Series([50.0, 1, 2, 3]), order="AB")
    assert found.table.loc["A", ["ci_lower", "ci_upper", "lift_lower", "lift_upper"]].isna().all()
    assert found.table.loc["B"].notna().all()
    assert found.steps["verdict"].tolist() == ["not shown"]
    assert found.problems[0] == (
        "That grade A does better than B is not shown: with one customer in a grade the difference has no interval."
    )
    with pytest.raises(InputError, match=r"^backtest: later has 4 values that are no number, first in row 0"):
        backtest(pd.Series(list("ABBB")), pd.Series(list("wxyz")), order="AB")


def test_an_interval_without_width_is_told() -> None:
    assert agreement("A" * 40, "AB" * 20, order="AB").problems == [
        "One grader gives everybody the same grade: kappa is then 0, whatever the other does."
    ]
    assert agreement("AB" * 20, "AB" * 20, order="AB").problems[0].startswith("No disagreement in these customers")


def test_a_group_without_a_favourable_grade_is_told_only_beyond_chance() -> None:
    """Fisher's exact test: 0 of 1 against 2 of 4 is chance (p = 1), 0 of 40 against 20 of 40 is not (p = 1e-7)."""
    few = disparity(pd.Series(list("AABBB")), pd.Series(list("ffffm")), favourable="A")
    assert few.problems == ["Fewer than 30 customers in f, m: their shares say little."]
    grades, group = pd.Series(["gold"] * 20 + ["other"] * 60), pd.Series(["f"] * 40 + ["m"] * 40)
    many = disparity(grades, group, favourable="gold")
    assert many.problems[0].startswith("Group m gets a favourable grade 0.00 times as often as f")
    assert disparity(grades, group, favourable="gold", reference="m").problems == [
        "Nobody in m, the reference group, has a favourable grade: there are no ratios to it."
    ]


@pytest.mark.parametrize("name", ["age", "customerAge", "customer_age", "AGE", "DateOfBirth", "年龄"])
def test_a_protected_attribute_is_found_however_it_is_written(name: str) -> None:
    assert protected_inputs(name) == protected_inputs([name])
    assert [said.split(":")[0] for said in protected_inputs(name)] == [f"{name} asks for age"]
    assert protected_inputs(["averageSpend", "Usage", "packages"]) == []
