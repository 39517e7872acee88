"""Linking, risk, pilot and allocation: against enumeration, statsmodels, and a company's known truth."""

import dataclasses
import itertools
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from crmlab import action
from crmlab.action.allocation import _amounts
from crmlab.action.knapsack import sums
from crmlab.action.pilot import design_of, penalised_logit
from crmlab.customers import pseudonymise
from crmlab.datasets import company as generator
from crmlab.datasets import simulate_company
from crmlab.errors import InputError
from crmlab.plots import action as plots
from crmlab.plots import style
from crmlab.studies import action_brief

KEY = "a key of the tests, known to all"
BUDGET = 1500.0
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def company():
    return simulate_company(500, seed=3, pilot=1500)


@pytest.fixture(scope="module")
def linked(company):
    return action.link(company.orders, company.survey, measures=["stake"])


@pytest.fixture(scope="module")
def before(company):
    return action.link(company.pilot.orders, company.pilot.survey, measures=["stake"])


@pytest.fixture(scope="module")
def lessons(company, before):
    return action.learn(before, company.pilot.outcomes)


@pytest.fixture(scope="module")
def risk(linked, lessons):
    return action.at_risk(linked, lessons)


@pytest.fixture(scope="module")
def plan(company, risk):
    return action.allocate(risk, BUDGET, company.levels, draws=100, seed=1)


# --------------------------------------------------------------------------------------------------- the generator


def test_the_true_gain_is_the_chain_written_out(company):
    """The year's margin of one customer by plain loops over months and states, treated and not."""
    truth = company.truth
    customer = truth.index[(truth["state"] == "decline").to_numpy()][0]
    row, level = truth.loc[customer], "social"
    s, z = row["satisfaction"], row["stake"]
    response = 1.2 * math.exp(-((s + 0.4) ** 2) / (2 * 1.2**2)) / (1 + math.exp(-(0.5 + 1.8 * z)))
    response -= 0.9 / (1 + math.exp(2.0 * (s + 0.6) + 2.5 * z))

    def year(factor):
        """Mean pace of twelve months: states exploration, build-up, stability, decline, lapsed."""
        bad = [min(max(d * math.exp(-0.7 * s) * factor, 0), 0.9) for d in (0.09, 0.05, 0.04, 0.18)]
        worse, better, progress = [3, 3, 3, 4], [1, 2, 2, 1], [0.25, 0.20, 0.0, 0.10]
        share, pace, total = [0.0, 0.0, 0.0, 1.0, 0.0], [0.4, 0.7, 1.0, 0.4, 0.0], 0.0
        for _ in range(12):
            after = [0.0] * 4 + [share[4]]
            for now in range(4):
                after[worse[now]] += share[now] * bad[now]
                after[better[now]] += share[now] * (1 - bad[now]) * progress[now]
                after[now] += share[now] * (1 - bad[now]) * (1 - progress[now])
            share = after
            total += sum(p * q for p, q in zip(share, pace, strict=True))
        return total, share[4]

    alone, lost = year(1.0)
    treated, lost_treated = year(1 - 0.65 * response)
    assert lost == pytest.approx(row["lost"], rel=1e-9)
    assert lost - lost_treated == pytest.approx(company.stays.loc[customer, level], abs=1e-9)
    assert row["value"] * (treated / alone - 1) == pytest.approx(company.gains.loc[customer, level], rel=1e-9)
    plan = pd.Series({customer: level, truth.index[0]: "none", truth.index[1]: None})
    expected = company.gains.loc[customer, level] - company.costs.loc[customer, level]
    assert company.gain(plan) == pytest.approx(expected)


def test_the_company_is_as_its_card_says(company):
    truth = company.truth
    risk_by_type = truth.groupby("type")["lost"].mean()
    assert set(truth["type"]) == set(generator.TYPES)
    assert risk_by_type["lost cause"] > 0.5 > risk_by_type["sure thing"]
    dogs, persuadable = truth["type"] == "sleeping dog", truth["type"] == "persuadable"
    assert (company.stays.loc[dogs, "structural"] <= -0.02).all()
    assert (company.stays.loc[persuadable, "structural"] >= 0.02).all()
    answered = truth.index.isin(company.survey["customer_id"])
    assert truth["satisfaction"][answered].mean() > truth["satisfaction"][~answered].mean() + 0.2
    assert truth["lost"].corr(truth["satisfaction"]) < -0.3
    tame = simulate_company(200, seed=3, pilot=40, dogs=0.0)
    assert (tame.stays >= -1e-12).all().all()


def test_same_seed_same_company():
    one, other, third = (simulate_company(60, seed=seed, pilot=40) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(one.orders, other.orders)
    pd.testing.assert_frame_equal(one.pilot.outcomes, other.pilot.outcomes)
    assert not one.net.equals(third.net)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"customers": 5}, "customers: found 5; expected a whole number of 20 or more"),
        ({"pilot": 3}, "pilot: found 3; expected a whole number of 40 or more"),
        ({"answering": 1.0}, "answering, dogs: 1.0, 1.0; expected a share between 0 and 1, and 0 or more."),
    ],
)
def test_the_generator_refuses(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        simulate_company(**arguments)


def test_a_plan_for_strangers_is_refused(company):
    with pytest.raises(ValueError, match=r"plan: \['nobody'\] cannot be treated"):
        company.gain(pd.Series({"nobody": "social"}))
    twice = pd.Series(["social", "social"], index=[company.truth.index[0]] * 2)
    with pytest.raises(ValueError, match="expected each customer of the company once"):
        company.gain(twice)


# ------------------------------------------------------------------------------------------------------------ linking


def test_every_customer_and_every_respondent_is_counted(company, linked):
    ordered, asked = set(company.orders["customer_id"]), set(company.survey["customer_id"])
    assert linked.counts.to_dict() == {
        "customers": len(ordered),
        "respondents": len(asked),
        "linked": len(ordered & asked),
        "without_survey": len(ordered - asked),
        "without_orders": len(asked - ordered),
        "repeated": 0,
        "without_id": 0,
    }
    assert len(linked.customers) == len(ordered)
    assert f"{len(asked - ordered)} of {len(asked)} respondents have no orders under their id" in " ".join(
        linked.problems
    )
    unknown = linked.customers[~linked.customers["surveyed"]]
    assert unknown["satisfaction"].isna().all(), "unknown stays unknown"
    assert unknown["satisfaction_expected"].notna().all()


def test_scores_are_those_of_the_index(company, linked):
    """The satisfaction of a linked customer lies between the lowest and the highest of her three answers."""
    answers = company.survey.set_index("customer_id")[["SA1", "SA2", "SA3"]]
    both = linked.customers.join((answers - 1) / 9 * 100, how="inner")
    assert (both["satisfaction"] >= both[["SA1", "SA2", "SA3"]].min(axis=1) - 1e-9).all()
    assert (both["satisfaction"] <= both[["SA1", "SA2", "SA3"]].max(axis=1) + 1e-9).all()
    truth = company.truth.loc[both.index, "satisfaction"]
    assert truth.corr(both["satisfaction"]) > 0.8, "items load 0.81 to 0.87 on satisfaction"


def test_the_last_answer_of_a_customer_counts(company):
    again = company.survey.iloc[[0]].assign(SA1=1, SA2=1, SA3=1)
    found = action.link(company.orders, pd.concat([company.survey, again]))
    assert found.counts["repeated"] == 1
    assert found.customers.loc[company.survey["customer_id"].iloc[0], "satisfaction"] == pytest.approx(0)
    assert "1 answer repeats a customer who answered later; the last answer counts." in found.problems
    nameless = pd.concat([company.survey, again.assign(customer_id=None)])
    assert "1 answer has no id and is left out." in action.link(company.orders, nameless).problems


def test_revenue_is_what_was_spent_whatever_the_margin(company):
    """Every second customer buys at cost: her revenue is the sum of her orders of 365 days all the same."""
    orders = company.orders
    odd = orders["customer_id"].isin(company.truth.index[::2])
    orders = orders.assign(cost=orders["cost"].where(~odd, orders["amount"]))
    found = action.link(orders, company.survey).customers["revenue"]
    recent = orders[orders["date"] > orders["date"].max() - pd.Timedelta(days=365)]
    spent = recent.groupby("customer_id")["amount"].sum().reindex(found.index, fill_value=0.0)
    np.testing.assert_allclose(found, spent, rtol=1e-12)


def test_what_index_and_value_have_to_say_is_passed_on(company, tmp_path):
    file = tmp_path / "orders.csv"
    company.orders.drop(columns="cost").to_csv(file, index=False)
    found = action.link(file, company.survey.head(120))
    assert "There are no costs, so value here is revenue. Give the role cost, or a margin_rate." in found.problems
    assert any("paths smaller than about" in problem for problem in found.problems), "of so small a survey"
    assert not any("has no column" in problem or "resamples" in problem for problem in found.problems)
    company.orders.to_csv(file, index=False)
    costs = action.link(str(file), company.survey.head(120))
    assert costs.customers["current"].sum() == pytest.approx(0.35 * found.customers["current"].sum(), rel=1e-4)


def numbered(company):
    """The company's tables under ids that lead to the person."""
    ids = {customer: f"C{place:05d}" for place, customer in enumerate(company.truth.index)}
    orders = company.orders.assign(customer_id=company.orders["customer_id"].map(ids))
    strangers = pd.Series([f"X{place}" for place in company.survey.index], company.survey.index)
    survey = company.survey.assign(customer_id=company.survey["customer_id"].map(ids).fillna(strangers))
    return orders, survey, ids


def test_no_raw_id_comes_out(company, linked):
    orders, survey, ids = numbered(company)
    with pytest.raises(InputError, match=r"link: the orders hold ids that can lead to the person \(500 of them\)"):
        action.link(orders, survey)
    found = action.link(orders, survey, key=KEY, measures=["stake"])
    assert found.customers.index.str.fullmatch("[0-9a-f]{20}").all()
    raw = re.compile("|".join(ids.values()))
    assert not raw.search(found.customers.to_csv() + str(found.to_dict()) + found._repr_html_())
    hashed = pseudonymise(pd.Series(ids), KEY)
    same = found.customers.loc[hashed.to_numpy(), "satisfaction"].to_numpy()
    np.testing.assert_allclose(same, linked.customers.loc[hashed.index, "satisfaction"].to_numpy())


def test_hostile_tables_are_named(company):
    others = company.survey.assign(customer_id=pseudonymise(company.survey["customer_id"], KEY))
    with pytest.raises(InputError, match=r"link: none of the \d+ ids of the survey is among the 500 of the orders"):
        action.link(company.orders, others)
    with pytest.raises(InputError, match="link: the survey holds no answer with a customer_id"):
        action.link(company.orders, company.survey.head(0))
    with pytest.raises(InputError, match="link: the survey has no column customer_id; it has EQ1"):
        action.link(company.orders, company.survey.drop(columns="customer_id"))
    with pytest.raises(InputError, match="link: mood not found in questionnaire or survey"):
        action.link(company.orders, company.survey, measures=["mood"])
    with pytest.raises(InputError, match="link: the survey is a list; expected a DataFrame with customer_id"):
        action.link(company.orders, [1, 2])
    for name in ("phase", "satisfaction", "silence"):
        with pytest.raises(InputError, match=f"link: the measure {name} is called like a column of the result"):
            action.link(company.orders, company.survey.assign(**{name: 5}), measures=[name])
    for value, message in (
        ("high", r"column stake, row 0: found 'high', expected a number"),
        (math.inf, r"link: stake is infinite in row 0"),
        (math.nan, "link: nobody with orders answered stake. Leave it out of measures"),
    ):
        with pytest.raises(InputError, match=message):
            action.link(company.orders, company.survey.assign(stake=value), measures=["stake"])


# -------------------------------------------------------------------------------------------------- pilot and risk


def test_without_a_prior_the_model_is_a_logistic_regression():
    """statsmodels 0.15: Logit(y, X).fit()."""
    from statsmodels.discrete.discrete_model import Logit

    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(400), rng.standard_normal((400, 3))])
    y = (rng.random(400) < 1 / (1 + np.exp(-x @ [0.3, 0.8, -0.5, 0.0]))).astype(float)
    mode, covariance, converged = penalised_logit(x, y, np.full(4, 1e6))
    theirs = Logit(y, x).fit(disp=False)
    assert converged
    np.testing.assert_allclose(mode, theirs.params, rtol=1e-6)
    np.testing.assert_allclose(covariance, theirs.cov_params(), rtol=1e-5)


def test_the_mode_is_that_of_a_general_search():
    """scipy.optimize.minimize on the posterior itself; separated data, a lone far value, and few rows too."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(7)
    for case in range(6):
        x = np.column_stack([np.ones(80), rng.standard_normal((80, 3))])
        y = (rng.random(80) < 1 / (1 + np.exp(-x @ [0.2, 1.0, -1.0, 0.0]))).astype(float)
        if case == 1:
            y = (x[:, 1] > 0).astype(float)
        if case == 2:
            x[0, 3] = 400.0
        if case == 3:
            x, y = x[:6], np.array([0.0, 1, 1, 0, 1, 1])
        sds = np.array([10.0, 10.0, 0.3, 0.3])

        def misfit(beta, x=x, y=y, sds=sds):
            z = x @ beta
            return np.logaddexp(0, z).sum() - y @ z + (beta**2 / sds**2).sum() / 2

        mode, _, converged = penalised_logit(x, y, sds)
        theirs = minimize(misfit, np.zeros(4), method="BFGS", options={"gtol": 1e-9, "maxiter": 5000})
        assert converged
        assert misfit(mode) <= theirs.fun + 1e-9
        np.testing.assert_allclose(mode, theirs.x, atol=2e-4)


def test_a_prior_draws_effects_towards_zero(company, before, lessons):
    drawn = lessons.params["estimate"]
    loose = action.learn(before, company.pilot.outcomes, prior=5)
    treated = [name for name in drawn.index if name.startswith("treated:") or name in lessons.levels]
    assert np.linalg.norm(drawn[treated]) < np.linalg.norm(loose.params.loc[treated, "estimate"])


def test_effects_without_a_model_are_differences_of_shares(company, lessons):
    outcomes = company.pilot.outcomes
    shares = outcomes.groupby("level")["stayed"].mean()
    for level in lessons.levels:
        assert lessons.effects.loc[level, "difference"] == pytest.approx(shares[level] - shares["control"])
    ours = lessons.effects[["low", "high"]]
    kept, sizes = (getattr(outcomes.groupby("level")["stayed"], name)() for name in ("sum", "size"))
    for level in lessons.levels:
        theirs = confint_proportions_2indep(
            kept[level], sizes[level], kept["control"], sizes["control"], method="newcomb"
        )
        assert ours.loc[level].tolist() == pytest.approx(theirs, abs=1e-9)


def test_the_risk_is_calibrated_and_finds_the_true_one(company, risk, lessons):
    assert lessons.accuracy["brier"] < lessons.accuracy["brier_constant"]
    assert (lessons.calibration["said"] - lessons.calibration["lost"]).abs().max() < 0.12, "about 110 customers a fifth"
    inside = risk.table["in_pilot"]
    assert risk.table["p_lost"][inside].corr(company.truth["lost"][inside], method="spearman") > 0.5
    high = risk.table["p_lost"] >= 0.3
    assert set(risk.table["quadrant"][high]) <= {"save", "let go"}
    assert risk.quadrants["customers"].sum() == len(company.truth)
    assert risk.quadrants["loss"].sum() == pytest.approx((risk.table["p_lost"] * risk.table["at_stake"]).sum())


def test_hostile_pilots_are_named(company, before, linked, lessons):
    pilot = company.pilot
    cases = {
        "outcomes: they lack margin": pilot.outcomes.drop(columns="margin"),
        r"outcomes: of \d+ rows 1 is incomplete or without a margin in numbers, and 0 repeat a customer": (
            pilot.outcomes.assign(margin=pilot.outcomes["margin"].where(pilot.outcomes.index > 0))
        ),
        "and 1 repeats a customer": pd.concat([pilot.outcomes, pilot.outcomes.head(1)]),
        "outcomes: found a list; expected a DataFrame": [1],
        "outcomes: 0 customers of the control group": pilot.outcomes.assign(level="social"),
        "all customers of the control group stayed, or none": pilot.outcomes.assign(
            stayed=pilot.outcomes["stayed"] | (pilot.outcomes["level"] == "control")
        ),
        "outcomes: stayed is 'perhaps' in row 0; expected yes or no": pilot.outcomes.assign(stayed="perhaps"),
        "a level is called 'silence', a word that has a meaning here": pilot.outcomes.replace("social", "silence"),
        "a level is called 'none'": pilot.outcomes.replace("social", "none"),
        r"none of their \d+ ids is among the \d+ of the linked customers": pilot.outcomes.assign(
            customer_id=[f"C{place}" for place in pilot.outcomes.index]
        ),
    }
    for message, outcomes in cases.items():
        with pytest.raises(InputError, match=message):
            action.learn(before, outcomes)
    for options, message in (
        ({"prior": 0}, "prior: found 0; expected a number above 0"),
        ({"level": "high"}, "learn: level is 'high'; expected a number between 0 and 1"),
    ):
        with pytest.raises(InputError, match=message):
            action.learn(before, pilot.outcomes, **options)
    with pytest.raises(InputError, match="the pilot knows stake, the customers do not"):
        action.at_risk(action.link(company.orders, company.survey), lessons)
    with pytest.raises(InputError, match="risk: found 2; expected a number at least 0 and at most 1"):
        action.at_risk(linked, lessons, risk=2)


def test_outcomes_may_hold_raw_ids_and_words(company, lessons):
    pilot = company.pilot
    ids = {customer: f"P{place:05d}" for place, customer in enumerate(pilot.orders["customer_id"].unique())}
    orders, survey, outcomes = (
        table.assign(customer_id=table["customer_id"].map(ids)).dropna(subset="customer_id")
        for table in (pilot.orders, pilot.survey, pilot.outcomes)
    )
    spoken = outcomes.assign(stayed=outcomes["stayed"].map({True: "yes", False: "no"}))
    found = action.learn(action.link(orders, survey, key=KEY, measures=["stake"]), spoken, key=KEY)
    pd.testing.assert_frame_equal(found.effects, lessons.effects)


def test_a_level_nobody_with_orders_had_is_told(before, company):
    stranger = company.pilot.outcomes.iloc[[0]].assign(customer_id="0" * 20, level="golden")
    found = action.learn(before, pd.concat([company.pilot.outcomes, stranger], ignore_index=True))
    assert found.levels == ["financial", "social", "structural"]
    assert "1 customer of the pilot left out: no orders." in found.problems
    assert "Nobody on the level golden has orders; nothing is learnt of it." in found.problems


# ------------------------------------------------------------------------------------------------------ the knapsack


def enumerated(gains, costs, budget, capacity):
    """The best plan of all plans there are."""
    best = 0.0
    for choice in map(np.array, itertools.product(range(-1, gains.shape[1]), repeat=len(gains))):
        who = np.flatnonzero(choice >= 0)
        fits = costs[who, choice[who]].sum() <= budget
        if fits and (np.bincount(choice[who], minlength=gains.shape[1]) <= capacity).all():
            best = max(best, gains[who, choice[who]].sum())
    return best


def test_the_optimum_is_that_of_enumeration():
    rng = np.random.default_rng(4)
    for _ in range(40):
        gains = rng.integers(-5, 20, (4, 3)).astype(float)
        costs = rng.integers(0, 9, (4, 3)).astype(float)
        budget, capacity = float(rng.integers(0, 20)), rng.integers(0, 4, 3)
        best = action.optimise(gains, costs, budget, capacity)
        expected = enumerated(gains, costs, budget, capacity)
        assert best.value == pytest.approx(expected, rel=1e-4)
        assert best.bound >= expected - 1e-9, "no plan can bring more than the bound"
        quick = action.greedy(gains, costs, budget, capacity)
        assert sums(quick, gains)[0] <= best.value + 1e-9
        assert best.cost <= budget


def test_a_part_of_a_place_serves_nobody():
    gains, costs = [[5.0], [4.0], [3.0]], [[1.0], [1.0], [1.0]]
    for capacity, served in ((2.5, 2), (0.5, 0), (math.inf, 3)):
        assert (action.optimise(gains, costs, 10, [capacity]).choice >= 0).sum() == served
        assert (action.greedy(gains, costs, 10, [capacity]) >= 0).sum() == served


def test_free_treatments_and_money_for_everybody():
    free = action.optimise([[5.0, 1.0], [-1.0, 2.0]], np.zeros((2, 2)), 0)
    assert (free.choice.tolist(), free.value, free.gap) == ([0, 1], 7.0, 0.0)
    rich = action.optimise([[5.0, 9.0], [-1.0, -2.0]], [[1.0, 1e6], [1.0, 1.0]], 1e9)
    assert (rich.choice.tolist(), rich.budget_price) == ([1, -1], 0.0)
    alone = action.optimise([[5.0]], [[6.0]], 5.9)
    assert (alone.choice.tolist(), alone.value, alone.bound) == ([-1], 0.0, 0.0)


def test_large_knapsacks_come_close_to_the_bound_and_beat_greedy():
    rng = np.random.default_rng(5)
    gains = rng.normal([5, 8, 10], 15, (600, 3))
    costs = rng.uniform([5, 15, 45], [15, 25, 55], (600, 3))
    best = action.optimise(gains, costs, 2000, [600, 40, 10])
    assert 0 <= best.gap < 0.002
    assert best.value >= sums(action.greedy(gains, costs, 2000, [600, 40, 10]), gains)[0]
    assert (np.bincount(best.choice[best.choice >= 0], minlength=3) <= [600, 40, 10]).all()
    assert (gains[np.flatnonzero(best.choice >= 0), best.choice[best.choice >= 0]] > 0).all()
    more = action.optimise(gains, costs, 2010, [600, 40, 10])
    assert more.bound - best.bound == pytest.approx(10 * best.budget_price, rel=0.15), "what ten more would bring"


@pytest.mark.parametrize(
    ("gains", "costs", "budget", "message"),
    [
        (
            [[1.0]],
            [[-1.0]],
            5,
            r"costs: 1 of 1 are missing, infinite, or negative costs \(first: -1 in row 0, column 0",
        ),
        ([[math.nan]], [[1.0]], 5, "gains: 1 of 1 are missing"),
        ([["much"]], [[1.0]], 5, "gains: these are no numbers in rows of one length; expected a table of numbers"),
        ([[1.0], [1.0, 2.0]], [[1.0], [1.0]], 5, "gains: these are no numbers in rows of one length"),
        ([[1.0]], [[1.0]], -5, "budget: found -5; expected a number at least 0"),
        ([[1.0]], [[1.0, 2.0]], 5, r"gains, costs: shapes \(1, 1\) and \(1, 2\)"),
    ],
)
def test_hostile_knapsacks_are_named(gains, costs, budget, message):
    with pytest.raises(InputError, match=message):
        action.optimise(gains, costs, budget)


# ---------------------------------------------------------------------------------------------------------- the plan


def test_the_plan_keeps_to_its_limits(company, plan):
    treated = plan.treated
    assert plan.cost == pytest.approx(treated["cost"].sum())
    assert plan.cost <= BUDGET
    assert (treated["gain"] > 0).all(), "who is expected to bring a loss is left alone"
    assert plan.gain == pytest.approx(treated["gain"].sum(), rel=1e-5)
    assert (plan.by_level["customers"] <= company.levels["capacity"].reindex(plan.by_level.index)).all()
    assert plan.low < plan.gain < plan.high
    asked = company.costs.to_numpy()[
        company.costs.index.get_indexer(treated.index), company.costs.columns.get_indexer(pd.Index(treated["level"]))
    ]
    np.testing.assert_allclose(treated["cost"], asked, rtol=1e-12)


def test_costs_are_those_planned_on_average():
    """scipy.stats.triang; (7 + 8 + 15) / 3 = 10. A range that begins at the cost cannot have it as its mean."""
    levels = action.retention_levels(
        pd.DataFrame({"cost": [10.0, 7.0, 0.0], "cost_low": [7, 7, 0], "cost_high": [15, 7, 6]}, index=["a", "b", "c"])
    )
    drawn = _amounts(levels, 20_000, np.random.default_rng(0))
    assert stats.kstest(drawn[:, 0], stats.triang(1 / 8, 7, 8).cdf).pvalue > 0.001
    assert (drawn[:, 1] == 7).all()
    assert stats.kstest(drawn[:, 2], stats.triang(0, 0, 6).cdf).pvalue > 0.001


def test_an_uncertain_amount_leaves_the_bonus_as_it_is(company, risk):
    """Costs of 0 to 6 come on top of a bonus of a tenth of the revenue; their mean is (0 + 0 + 6) / 3 = 2."""
    levels = pd.DataFrame({"cost": [0.0], "cost_low": [0], "cost_high": [6], "share": [0.1]}, index=["financial"])
    vague, firm = (
        action.allocate(risk, BUDGET, table, draws=2000, effect_factor=0)
        for table in (levels, levels.assign(cost_high=0))
    )
    np.testing.assert_allclose(firm.customers["gain"] - vague.customers["gain"], 2.0, atol=0.15)
    assert "The range of costs of financial lies so much to one side of 0.00 that 2.00 must be expected" in " ".join(
        vague.problems
    )
    assert not any("to one side" in problem for problem in firm.problems)


def test_gain_and_harm_are_those_of_the_posterior(company, risk, lessons):
    """By quadrature: gain from the bivariate normal of the two log-odds, harm as the normal's tail below zero."""
    level = "social"
    found = action.allocate(risk, 0, company.levels.loc[[level]], draws=4000, seed=5).customers
    z = lessons.standardised(risk.linked.customers)
    arm = np.zeros((len(z), 3))
    alone = design_of(z, lessons.measures, lessons.levels, arm).to_numpy()
    arm[:, lessons.levels.index(level)] = 1
    effect = design_of(z, lessons.measures, lessons.levels, arm).to_numpy() - alone
    mode, covariance = lessons.params["estimate"].to_numpy(), lessons.covariance.to_numpy()
    spread = np.sqrt(np.einsum("ij,jk,ik->i", effect, covariance, effect))
    np.testing.assert_allclose(found["harmed"], stats.norm.cdf(-(effect @ mode) / spread), atol=0.03)
    nodes, weights = np.polynomial.hermite_e.hermegauss(21)
    weights = weights / weights.sum()
    kept, spread = np.zeros(len(z)), np.zeros(len(z))
    for place in range(len(z)):
        pair = np.stack([alone[place], effect[place]])
        root = np.linalg.cholesky(pair @ covariance @ pair.T + 1e-15 * np.eye(2))
        a = pair[0] @ mode + root[0, 0] * nodes[:, None] + 0 * nodes
        e = pair[1] @ mode + root[1, 0] * nodes[:, None] + root[1, 1] * nodes
        change = 1 / (1 + np.exp(-a - e)) - 1 / (1 + np.exp(-a))
        kept[place] = weights @ change @ weights
        spread[place] = np.sqrt(weights @ change**2 @ weights - kept[place] ** 2)
    share = lessons.stake["share"]  # far above 0, so that cutting it off there changes nothing
    assert share > 4 * lessons.stake["se"]
    worth = share * risk.linked.customers["rate"].to_numpy()
    away = found["gain"].to_numpy() - (kept * worth - found["cost"].to_numpy())
    # Four standard errors of 4,000 draws, with a tenth more for share and costs, which vary as well.
    assert (np.abs(away) <= 4.4 * spread * np.abs(worth) / 4000**0.5 + 0.15).all()


def test_doing_nothing_is_among_the_plans(plan):
    nothing = plan.comparison.loc["do nothing"]
    assert nothing[["level", "customers", "cost", "gain", "low", "high"]].tolist() == ["none", 0, 0, 0, 0, 0]
    assert nothing["beaten"] == pytest.approx(1 - plan.chance_of_loss)
    assert 0 < plan.chance_of_loss < 1
    assert f"in {plan.chance_of_loss:.0%} of the simulated truths the plan is a loss" in " ".join(plan.problems)


def test_what_the_plan_may_cost_is_told(company, risk):
    """One level from 80 % to 120 % of its cost, symmetric: a budget just spent is exceeded in half the truths."""
    levels = company.levels.loc[["financial"]].assign(share=0.0)
    spent = action.allocate(risk, 30, levels, draws=400, seed=2)
    assert spent.cost == 30
    assert spent.over_budget == pytest.approx(0.5, abs=0.1)
    assert any("the plan costs more than the budget of 30" in problem for problem in spent.problems)
    firm = action.allocate(risk, 30, levels.assign(cost_low=3.0, cost_high=3.0), draws=20)
    assert firm.over_budget == 0


def test_full_places_are_given_as_the_reason_for_money_left_over(company, risk):
    few = action.allocate(risk, 1e6, company.levels.assign(capacity=2), draws=20)
    assert "stay unspent: the places of financial" in " ".join(few.problems)


def test_more_budget_never_lowers_the_expected_gain(company, risk):
    gains = [action.allocate(risk, budget, company.levels, draws=40).gain for budget in (0, 300, 1500, 9000)]
    assert gains[0] == 0
    assert all(b >= a * (1 - 2e-4) for a, b in itertools.pairwise(gains))


def test_no_budget_and_no_hope(company, risk):
    nothing = action.allocate(risk, 0, company.levels, draws=40)
    assert (nothing.plan == "none").all()
    hopeless = action.allocate(risk, BUDGET, company.levels, draws=40, effect_factor=0)
    assert len(hopeless.treated) == 0
    assert "1,500 of the budget of 1,500 stay unspent" in " ".join(hopeless.problems)


def test_same_seed_same_plan(company, risk, plan):
    again = action.allocate(risk, BUDGET, company.levels, draws=100, seed=1)
    pd.testing.assert_frame_equal(again.customers, plan.customers)
    pd.testing.assert_frame_equal(again.comparison, plan.comparison)


def test_naive_plans_keep_to_the_budget(plan):
    over = plan.comparison.index[~plan.comparison["within_budget"]]
    assert set(over) <= {"everybody"}
    assert plan.comparison.loc["greedy", "gain"] <= plan.comparison.loc["linked plan", "gain"] * (1 + 1e-4)
    top = plan.comparison.loc["top 20 % by value"]
    assert top["customers"] <= 100


def test_naive_plans_pay_each_customer_her_own_costs(company, risk):
    costs, others = company.costs.sample(frac=1, random_state=1), company.costs["social"].to_numpy()
    plans = action.naive_plans(risk, costs, company.levels, 400, seed=3)
    by_place = action.naive_plans(risk, company.costs.loc[risk.table.index].to_numpy(), company.levels, 400, seed=3)
    for (kind, level), plan in plans.items():
        pd.testing.assert_series_equal(plan, by_place[kind, level])
        spent = company.costs.loc[plan.index[plan == level], level].sum()
        assert kind == "everybody" or spent <= 400
    with pytest.raises(InputError, match="costs: 'structural' is missing; expected one row for each customer"):
        action.naive_plans(risk, costs.drop(columns="structural"), company.levels, 400)
    with pytest.raises(InputError, match=r"costs: shape \(500,\); expected one row for each of the 500 customers"):
        action.naive_plans(risk, others, company.levels, 400)


def test_who_is_chosen_often_is_in_the_plan(plan):
    treated = plan.customers["level"] != "none"
    assert plan.customers["chosen"][treated].mean() > plan.customers["chosen"][~treated].mean() + 0.3
    assert plan.customers["chosen"].between(0, 1).all()


def test_levels_are_a_table_and_not_called_like_no_level():
    for faulty in ([1, 2], pd.DataFrame(), pd.DataFrame({"share": [0.1]}, index=["a"])):
        with pytest.raises(InputError, match="levels: expected one row a level, with its name as index"):
            action.retention_levels(faulty)
    with pytest.raises(InputError, match="levels: a level is called 'none', which says that a customer is left alone"):
        action.retention_levels(pd.DataFrame({"cost": [1.0]}, index=["none"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cost": -1.0}, "levels: cost of 'a' is -1.0; expected a number of at least 0. Correct the table of levels."),
        ({"cost": math.nan}, "levels: cost of 'a' is nan; expected a number of at least 0."),
        ({"cost": "dear"}, "levels: cost of 'a' is dear; expected a number of at least 0."),
        ({"cost": 5.0, "cost_high": 4.0}, "levels: cost_high of 'a' is 4.0; expected a number of at least 5."),
        ({"cost": 5.0, "share": 3}, "levels: share of 'a' is 3; expected a number of at least 0 and at most 1."),
        ({"cost": 5.0, "capacity": -2}, "levels: capacity of 'a' is -2; expected a number of at least 0."),
    ],
)
def test_hostile_levels_are_named(change, message):
    with pytest.raises(InputError, match=message):
        action.retention_levels(pd.DataFrame([change], index=["a"]))


def test_levels_nobody_tried_are_named(risk):
    with pytest.raises(
        InputError, match="levels: the pilot did not try golden; it tried financial, social, structural"
    ):
        action.allocate(risk, 10, pd.DataFrame({"cost": [1.0]}, index=["golden"]))
    for options, message in (
        ({"budget": math.nan}, "budget: found nan; expected a number at least 0"),
        ({"budget": 9, "seed": -1}, "seed: found -1; expected a whole number of at least 0"),
        ({"budget": 9, "level": 90}, "allocate: level is 90; expected a number between 0 and 1"),
        ({"budget": 9, "draws": 2.5}, "draws: found 2.5; expected a whole number of at least 20"),
    ):
        with pytest.raises(InputError, match=message):
            action.allocate(risk, **options)


def test_the_linked_plan_beats_naive_plans_on_average():
    """The reduced edition of benchmarks/bench_action.py: eight companies, gains from the generator's truth."""
    ours, top, chance = [], [], []
    for seed in range(2001, 2009):  # looked at by nobody who set the generator's numbers
        company = simulate_company(400, seed=seed, pilot=1800)
        today = action.link(company.orders, company.survey, measures=["stake"])
        before = action.link(company.pilot.orders, company.pilot.survey, measures=["stake"])
        risk = action.at_risk(today, action.learn(before, company.pilot.outcomes))
        found = action.allocate(risk, BUDGET, company.levels, draws=20, seed=seed)
        ours.append(company.gain(found.plan))
        naive = action.naive_plans(risk, company.costs, company.levels, BUDGET, seed=seed)
        top.append(max(company.gain(plan) for (kind, _), plan in naive.items() if kind == "top 20 % by value"))
        chance.append(max(company.gain(plan) for (kind, _), plan in naive.items() if kind == "random"))
        oracle = action.optimise(company.net, company.costs, BUDGET, company.levels["capacity"])
        assert ours[-1] <= oracle.bound + 1e-6, "nobody beats one who knows"
    assert np.mean(ours) > max(np.mean(top), np.mean(chance), 0), "and than doing nothing"


# ------------------------------------------------------------------------------------------------ figures and brief


def test_the_plan_is_revalued(plan):
    assert plan.revalued(1.0)["gain"] == pytest.approx(plan.gain)
    assert plan.revalued(0.5)["gain"] < plan.gain
    assert plan.revalued(0.0)["gain"] == pytest.approx(-plan.cost, rel=0.03), "nothing but costs"


def test_figures_say_their_numbers(linked, lessons, risk, plan):
    saved = int((risk.table["quadrant"] == "save").sum())
    assert risk.plot().get_title(loc="left") == f"{saved} customers are at risk and worth keeping"
    assert f"save {saved}" in style.alt(risk.plot())
    assert len(lessons.plot("calibration").lines[1].get_xdata()) == 5
    assert style.alt(plan.plot()).count("(") >= 6
    assert f"{100 * plan.level:g} % interval" in plan.plot().get_xlabel()
    heights = sum(patch.get_height() for patch in plan.plot("chosen").patches)
    assert heights > 0
    for ax in (linked.plot("zh"), lessons.plot("effects", "zh"), plan.plot("chosen", "zh"), risk.plot("zh")):
        assert re.search("[\u4e00-\u9fff]", style.alt(ax))
    with pytest.raises(ValueError, match="there are no figures in 'fr'"):
        plots.risk_map(risk.table, risk=0.3, stake=1, language="fr")
    with pytest.raises(InputError, match="plot: 'pie' is not known"):
        plan.plot("pie")


def test_the_brief_says_the_numbers_of_the_plan_in_both_languages(plan):
    english, chinese = (action_brief.html(plan, language) for language in ("en", "zh"))
    for page in (english, chinese):
        assert f"<strong>{plan.gain:,.0f}</strong>".replace("-", "−") in page
        assert f"{len(plan.treated):,}" in page
        assert f"{math.floor(100 * (1 - plan.chance_of_loss))}%" in page
        assert f"{math.ceil(100 * plan.chance_of_loss)}%" in page
        assert 'class="cautions refusal"' not in page
        assert page.count("<svg") == 1
        assert not re.search(r"<script|https?://(?!www.w3.org)", page)
        assert not re.search("[0-9a-f]{20}", re.sub(r"<svg.*</svg>", "", page, flags=re.S)), "no customer is named"
    assert '<html lang="zh-Hans">' in chinese
    with pytest.raises(InputError, match="language: there is no report in 'fr'"):
        action_brief.html(plan, "fr")


def test_a_model_that_did_not_converge_is_told_before_the_number(plan):
    lessons = dataclasses.replace(plan.risk.lessons, converged=False)
    doubtful = dataclasses.replace(plan, risk=dataclasses.replace(plan.risk, lessons=lessons))
    page = action_brief.html(doubtful)
    assert page.index("The model of the pilot did not converge") < page.index('class="headline"')
    assert "试点模型没有收敛" in action_brief.html(doubtful, "zh")


@pytest.mark.skipif(not CHROMIUM.exists(), reason="no chromium on this machine")
def test_the_brief_prints_on_one_page(plan, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        for language in ("en", "zh"):
            view = browser.new_page(viewport={"width": 390, "height": 800})
            errors = []
            view.on("console", lambda message, errors=errors: errors.append(message.text))
            view.goto(action_brief.write(plan, tmp_path / f"{language}.html", language).as_uri())
            assert view.evaluate("document.documentElement.scrollWidth") == 390
            assert errors == []
            assert len(re.findall(rb"/Type /Page\b", view.pdf(prefer_css_page_size=True))) == 1
        browser.close()
