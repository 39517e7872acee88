"""Phases: the measures against a slow reference, the rules case by case, both engines, and input that is no good."""

import shutil
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from crmlab import InputError, Transactions, datasets, lifecycle
from crmlab.lifecycle import measures
from crmlab.lifecycle.observation import Economics, Observed
from crmlab.lifecycle.periods import CALENDARS, number_of
from crmlab.lifecycle.rules import MEASURES, first_rule
from crmlab.transactions import to_frame


def orders(*customers: list[float], start: str = "2025-01", per_month: int = 1) -> pd.DataFrame:
    """Order lines of customers 1, 2, … given by what each spent in each month; 0 is no order."""
    rows = [
        (number, month.to_timestamp() + pd.Timedelta(days=3 * k), spent / per_month)
        for number, amounts in enumerate(customers, start=1)
        for month, spent in zip(pd.period_range(start, periods=len(amounts), freq="M"), amounts, strict=True)
        for k in range(per_month if spent else 0)
    ]
    return pd.DataFrame(rows, columns=["customer_id", "date", "amount"])


def traced(*customers: list[float], **options) -> lifecycle.Lifecycle:
    """Their lifecycle, the data being complete to the end of the last month."""
    end = pd.Period("2025-01", "M") + max(map(len, customers)) - 1
    return lifecycle.trace(Transactions(orders(*customers)), complete_to=end.end_time.date(), **options)


def phases_of(found: lifecycle.Lifecycle, customer: int = 1) -> list[str]:
    return found.path(customer)["phase"].tolist()


def rules_of(found: lifecycle.Lifecycle, customer: int = 1) -> list[str]:
    return found.path(customer)["rule"].tolist()


# Rules, case by case -------------------------------------------------------------------------------------------------


def test_a_steady_customer_is_explored_and_then_stable():
    assert phases_of(traced([10.0] * 8)) == ["exploration"] * 3 + ["stability"] * 5


def test_growth_is_build_up_until_it_ends():
    found = traced([5, 5, 5, 15, 30, 45, 60, 60, 60, 60, 60, 60, 60])
    assert phases_of(found)[:3] == ["exploration"] * 3
    assert rules_of(found)[3:8] == ["growing"] * 5
    assert phases_of(found)[-1] == "stability"


@pytest.mark.parametrize(
    ("before", "first_decline"),
    [([10.0], 3), ([5, 5, 5, 15, 30, 45, 60], 9), ([10.0] * 12, 13)],
    ids=["exploration", "build-up", "stability"],
)
def test_decline_can_begin_in_any_phase(before, first_decline):
    """One order: the level is nothing from the fourth month on. Growth to 60: the best mean of six months is 26.7, half
    of it is passed when the last order leaves the window. Steady: two months without an order leave a third."""
    found = phases_of(traced([*before, 0, 0, 0, 0]))
    assert found.index("decline") == first_decline
    assert "decline" not in found[:first_decline]


def test_a_slow_decline_is_found_too():
    amounts = [100.0] * 8 + [100 * 0.85**k for k in range(1, 9)]
    found = traced(amounts)
    # The mean of three months first is at most half of 100 where 0.85^k (1 + 1/0.85 + 1/0.85²)/3 ≤ 0.5: k = 6.
    k = next(k for k in range(3, 9) if (0.85**k + 0.85 ** (k - 1) + 0.85 ** (k - 2)) / 3 <= 0.5)
    assert phases_of(found).index("decline") == 8 + k - 1


def test_silence_ends_a_relationship_and_an_order_begins_a_new_one():
    found = traced([20, 20, 20, 20, 0, 0, 0, 0, 0, 0, 0, 20, 20])
    assert phases_of(found)[4:] == [*["stability", "decline"], *["decline"] * 3, *["lapsed"] * 2, *["exploration"] * 2]
    assert found.path(1)["relationship"].tolist() == [1] * 11 + [2] * 2
    assert found.path(1)["age"].tolist() == [*range(1, 12), 1, 2]


def test_a_pause_just_shorter_than_the_end_is_no_end():
    found = traced([20, 20, 20, 0, 0, 0, 0, 0, 20], lapsed_after=6)
    assert "lapsed" not in phases_of(found)
    assert set(found.path(1)["relationship"]) == {1}


def test_a_customer_who_no_longer_covers_her_cost_declines():
    """Margin 40 % of 30 is 12; 60 % of the best level of 30 is 18, its margin 7.2 below the 8 it costs to serve her."""
    found = traced([30.0] * 6 + [18.0] * 4, margin_rate=0.4, cost_to_serve=8.0)
    assert rules_of(found)[-1] == "costs more than she brings"
    assert phases_of(traced([30.0] * 6 + [18.0] * 4, margin_rate=0.4))[-1] != "decline"


def test_a_customer_who_has_not_paid_back_is_explored():
    """Margin 4 a month: the 21 spent on winning her are earned back in the sixth month."""
    found = traced([10.0] * 8, margin_rate=0.4, acquisition_cost=21.0)
    assert rules_of(found)[3:] == ["not paid back"] * 2 + ["steady"] * 3
    assert found.path(1)["earned"].tolist() == pytest.approx([4 * k - 21 for k in range(1, 9)])


def test_small_and_few_orders_are_trial_orders():
    assert rules_of(traced([10.0] * 5, small_level=11))[3:] == ["small orders"] * 2
    assert rules_of(traced([10.0, 0, 0, 10.0]))[3] == "trial orders"


def test_unsteady_customers_are_still_built_up():
    assert rules_of(traced([10, 90, 5, 80, 10, 70, 5, 90], volatility=0.7))[5] == "unsteady"


def test_costs_come_from_the_data_when_they_are_there():
    lines = orders([10.0] * 4).assign(cost=[2.0, 3.0, None, 4.0])
    found = lifecycle.trace(Transactions(lines, cost="cost"), complete_to="2025-04-30")
    assert found.path(1)["margin"].tolist() == [8, 7, 10, 6]
    assert found.problems == [
        "1 lines have no cost; their whole amount counts as margin.",
        "The 4 months observed are hardly more than a window (3) and the silence that ends a relationship (6): nearly "
        "everybody is new or silent.",
        "There is one customer only: shares and transitions describe her and nobody else.",
    ]


def slow_measures(amounts: list[float], window: int) -> list[dict[str, float]]:
    """The same measures, one customer and one period at a time, straight from their definitions."""
    rows, best, best_contribution = [], np.nan, np.nan
    for now in range(len(amounts)):
        recent, longer = amounts[max(0, now - window + 1) : now + 1], amounts[max(0, now - 2 * window + 1) : now + 1]
        level = np.mean(recent)
        if now + 1 >= window:
            best = np.nanmax([best, np.mean(longer)])
        best_contribution = np.nanmax([best_contribution, level])
        before = np.mean(amounts[max(0, now - 2 * window + 1) : now - window + 1]) if now >= window else np.nan
        higher = max(level, before) if now >= window else np.nan
        rows.append(
            {
                "age": now + 1,
                "silent": now - max(k for k in range(now + 1) if amounts[k] > 0),
                "purchases_so_far": sum(amount > 0 for amount in amounts[: now + 1]),
                "level": level,
                "best_level": best,
                "level_share": level / best if best > 0 else np.nan,
                "trend": (level - before) / higher if higher > 0 else np.nan,
                "volatility": np.std(longer, ddof=1) / np.mean(longer) if len(longer) > 2 and sum(longer) else np.nan,
                "contribution": level,
                "best_contribution": best_contribution,
                "earned": sum(amounts[: now + 1]),
            }
        )
    return rows


def measured(*customers: list[float], **changes) -> pd.DataFrame:
    """Measures and first rule of customers who all began in the same period, without a detour over an engine."""
    rows = [(k, when, spent) for k, row in enumerate(customers, 1) for when, spent in enumerate(row) if spent]
    table = pd.DataFrame(rows, columns=["customer_id", "number", "amount"])
    table = table.assign(purchases=1, margin=table["amount"])
    thresholds = lifecycle.Thresholds(**changes)
    found = measures.measured(Observed(table, max(map(len, customers)) - 1, "month"), thresholds, Economics())
    return found.assign(rule=first_rule({name: found[name].to_numpy() for name in MEASURES}, thresholds))


amounts_of_a_customer = st.lists(st.sampled_from([0.0, 0.0, 5.0, 7.0, 40.0]), min_size=0, max_size=14)


@given(st.lists(amounts_of_a_customer, min_size=1, max_size=4), st.integers(2, 4))
def test_measures_are_as_defined(customers, window):
    """Every customer begins with an order, and nobody lapses, so that each has one relationship."""
    customers = [[9.0, *amounts] for amounts in customers]
    months = max(map(len, customers))
    found = measured(*customers, window=window, lapsed_after=99)
    for number, amounts in enumerate(customers, start=1):
        expected = pd.DataFrame(slow_measures(amounts + [0.0] * (months - len(amounts)), window))
        own = found[found["customer_id"] == number]
        for name in MEASURES:
            assert own[name].tolist() == pytest.approx(expected[name].tolist(), abs=1e-8, nan_ok=True), name


@given(st.lists(amounts_of_a_customer, min_size=1, max_size=5), st.integers(2, 4), st.integers(4, 6))
def test_every_period_has_one_phase_and_the_first_rule_that_holds(customers, window, lapsed_after):
    table = measured(*([9.0, *amounts] for amounts in customers), window=window, lapsed_after=lapsed_after)
    assert not table.duplicated(["customer_id", "number"]).any()
    assert len(table) == len(customers) * table["number"].nunique(), "all began in the first month"
    values = {name: table[name].to_numpy() for name in MEASURES}
    thresholds = lifecycle.Thresholds(window=window, lapsed_after=lapsed_after)
    holds = np.array([rule.holds(values, thresholds) for rule in lifecycle.RULES])
    assert holds[-1].all(), "the last rule takes what is left"
    assert (holds.argmax(axis=0) == table["rule"]).all()


@given(st.lists(amounts_of_a_customer, min_size=1, max_size=4), st.sampled_from([0.01, 7.0, 1000.0]))
def test_the_currency_does_not_matter(customers, rate):
    customers = [[9.0, *amounts] for amounts in customers]
    exchanged = [[rate * amount for amount in amounts] for amounts in customers]
    assert measured(*customers)["rule"].tolist() == measured(*exchanged)["rule"].tolist()


def test_one_customer_owes_nothing_to_another():
    alone = traced([10, 10, 0, 30, 0, 0, 0, 0, 0, 0, 12, 5]).path(1)
    among = traced([99.0] * 12, [10, 10, 0, 30, 0, 0, 0, 0, 0, 0, 12, 5], [1.0, 50] * 6).path(2)
    pd.testing.assert_frame_equal(alone.drop(columns="customer_id"), among.drop(columns="customer_id"))


# Explanations --------------------------------------------------------------------------------------------------------


def test_a_classification_is_explained():
    found = traced([20.0] * 6 + [0, 0])
    why = found.explain(1, "2025-08")
    assert str(why) == (
        "Customer 1 was in decline in the period from 2025-08-01 by the rule “fallen”: age > 3 and level_share ≤ 0.5 "
        "(age 8, level_share 0.333): buys far less than at her best, whether the fall was sudden or slow."
    )
    assert why.rules["holds"].tolist() == [False, True]
    assert why.values["level_share"] == pytest.approx(1 / 3)
    assert found.explain(1, "2025-05-17").rule == "steady"
    assert str(found.explain(1, "2025-05-17")).endswith(
        "steady”: buys near her best level, without much change: all other cases."
    )


def test_what_cannot_be_explained_is_told():
    found = traced([20.0] * 6)
    with pytest.raises(InputError, match="there is no customer 9 with a paid purchase; known are 1, …"):
        found.explain(9, "2025-01")
    with pytest.raises(
        InputError,
        match=r"explain: customer 1 has no month from 2024-01-01; there are those from 2025-01-01 to 2025-06-01.",
    ):
        found.explain(1, "2024-01")
    with pytest.raises(InputError, match="'next spring' is no day; expected a date or text"):
        found.explain(1, "next spring")


def test_the_rules_can_be_read():
    table = traced([20.0] * 6, window=4).rules
    assert table.loc[2].tolist()[:3] == ["decline", "fallen", "age > 4 and level_share ≤ 0.5"]
    assert set(table["phase"]) == set(lifecycle.PHASES)


# Periods -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("period", [*CALENDARS])
def test_periods_are_numbered_alike_on_the_engine_and_here(period):
    days = pd.Series(pd.date_range("1999-12-25", "2001-03-05")).sample(200, random_state=1).sort_values()
    table = Transactions(pd.DataFrame({"customer_id": range(200), "date": days, "amount": 1.0}))
    numbers = to_frame(lifecycle.by_period(table, period).order_by("customer_id"))["number"]
    assert numbers.tolist() == [number_of(day, period) for day in days]
    code = {"week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}[period]
    begins = [day.to_period(code).start_time for day in days]
    assert lifecycle.periods.first_day(numbers.to_numpy(), period).tolist() == begins


def test_half_a_month_is_left_out():
    lines = orders([10.0] * 5)
    found = lifecycle.trace(Transactions(lines))
    assert found.phases["period"].max() == pd.Timestamp("2025-04-01")
    assert found.problems[0] == (
        "The month from 2025-05-01 was left out: the data end on 2025-05-01, before it does, and half a month looks "
        "like a decline. If no order is missing, say so by complete_to."
    )
    whole = lifecycle.trace(Transactions(lines), complete_to="2025-05-31")
    assert whole.phases["period"].max() == pd.Timestamp("2025-05-01")


def test_what_comes_after_the_end_is_left_out():
    found = lifecycle.trace(Transactions(orders([10.0] * 5)), complete_to="2025-03-31")
    assert len(found.phases) == 3
    assert found.problems[0] == "2 customer-months after 2025-03-31, the end of the data as given, were left out."


SPARK = [
    pytest.mark.skipif(find_spec("pyspark") is None, reason="Spark needs the extra: pip install 'crmlab[spark]'"),
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17, and there is no java here"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize("change", [{"growth": 0.2}, {"decline_share": 0.3}, {"lapsed_after": 4}, {"window": 2}])
def test_revised_thresholds_give_what_tracing_with_them_gives(change):
    bought = Transactions(datasets.simulate_lifecycles(customers=40, seed=2).data, cost="cost")
    revised = lifecycle.trace(bought).revised(**change).phases
    pd.testing.assert_frame_equal(revised, lifecycle.trace(bought, **change).phases)


class TestSpark:
    pytestmark = SPARK

    def test_both_engines_give_the_same_phases_row_by_row(self):
        data = datasets.simulate_lifecycles(customers=25, months=18, seed=5).data
        tables = [
            lifecycle.phases(Transactions(data, cost="cost", engine=engine), complete_to="2024-06-30")
            for engine in ("duckdb", "spark")
        ]
        exact = [
            "customer_id",
            "period",
            "phase",
            "rule",
            "relationship",
            "purchases",
            "age",
            "silent",
            "purchases_so_far",
        ]
        pd.testing.assert_frame_equal(tables[0][exact], tables[1][exact], check_exact=True)
        pd.testing.assert_frame_equal(*tables, rtol=1e-9, atol=0)


# Tables of a result --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulated():
    return datasets.simulate_lifecycles(customers=300, seed=11)


@pytest.fixture(scope="module")
def found(simulated):
    return lifecycle.trace(Transactions(simulated.data, cost="cost"), complete_to="2025-12-31", lapsed_after=4)


def test_shares_are_shares_of_the_customers_won_so_far(found):
    shares = found.shares()
    assert shares.sum(axis=1).tolist() == pytest.approx([1.0] * 36)
    april = found.phases[found.phases["period"] == "2024-04-01"]
    assert shares.loc["2024-04-01", "stability"] == (april["phase"] == "stability").mean()


def test_cohorts_follow_customers_from_their_first_purchase(found):
    cohorts = found.cohorts(["lapsed"])
    assert cohorts.shape == (12, 36)
    first = found.phases.groupby("customer_id")["period"].min()
    won_in_march = first[first == "2023-03-01"].index
    own = found.phases[found.phases["customer_id"].isin(won_in_march) & (found.phases["period"] == "2024-03-01")]
    assert cohorts.loc["2023-03-01", 12] == pytest.approx((own["phase"] == "lapsed").mean())
    assert cohorts.loc["2023-12-01"].isna().sum() == 11, "won eleven months after the first"
    with pytest.raises(InputError, match="cohorts: there is no phase 'happy'"):
        found.cohorts(["happy"])


def test_what_a_phase_brings_adds_up(simulated, found):
    table = found.by_phase()
    assert (table["customer_periods"] * table["amount"]).sum() == pytest.approx(simulated.data["amount"].sum())
    margin = (simulated.data["amount"] - simulated.data["cost"]).sum()
    assert (table["customer_periods"] * table["contribution"]).sum() == pytest.approx(margin)


def test_thresholds_can_be_varied(found):
    table = found.sensitivity({"window": [2, 3, 5], "lapsed_after": [4]})
    assert table["same"].tolist()[1] == 1.0, "the window it was found with"
    assert table["same"].iloc[[0, 2]].max() < 1
    assert table["same"].iloc[3] == 1.0
    assert table[[*lifecycle.PHASES]].sum(axis=1).tolist() == pytest.approx([1.0] * 4)
    with pytest.raises(InputError, match="thresholds: 'windows' is not known; there are window, trial_periods"):
        found.sensitivity({"windows": [2]})


def test_a_result_shows_and_describes_itself(found):
    assert found.to_dict()["customers"] == 300
    assert sum(found.to_dict()["shares"].values()) == pytest.approx(1)
    assert "300 customers by month" in found._repr_html_()


# Recovery of a known truth -------------------------------------------------------------------------------------------


def test_the_true_phases_are_recovered_better_than_by_chance(simulated, found):
    """No published figure exists; the bounds are ours. Guessing with the right shares would give κ = 0."""
    agreed = lifecycle.agreement(found.phases, simulated.phases)
    assert agreed.kappa > 0.5
    assert agreed.confusion.to_numpy().sum() == len(simulated.phases)
    recall = agreed.by_phase["recall"]
    assert recall["lapsed"] > 0.8
    assert recall["stability"] > 0.5
    assert (
        agreed.confusion.loc["lapsed", ["exploration", "build-up", "stability"]].sum() / len(simulated.phases)
    ) < 0.02


def test_kappa_is_that_of_statsmodels(simulated, found):
    agreed = lifecycle.agreement(found.phases, simulated.phases)
    assert agreed.kappa == pytest.approx(cohens_kappa(agreed.confusion.to_numpy()).kappa, abs=1e-12)
    shuffled = simulated.phases.assign(phase=simulated.phases["phase"].sample(frac=1, random_state=3).to_numpy())
    assert abs(lifecycle.agreement(shuffled, simulated.phases).kappa) < 0.03


def test_rows_without_partner_are_told():
    one = pd.DataFrame({"customer_id": [1, 1, 2], "period": [1, 2, 1], "phase": ["a", "b", "a"]})
    agreed = lifecycle.agreement(one, one.iloc[:2])
    assert agreed.accuracy == 1.0
    assert agreed.problems == ["1 rows of found have no partner and were not compared."]
    with pytest.raises(InputError, match=r"agreement: the two tables have no customer_id and period in common."):
        lifecycle.agreement(one, one.assign(period=9))


# Input that is no good -----------------------------------------------------------------------------------------------


def test_one_period_is_told():
    found = lifecycle.trace(Transactions(orders([10.0], [20.0])))
    assert set(found.phases["phase"]) == {"exploration"}
    assert "There is one month only: everybody is new, no change is seen. Choose a shorter period." in found.problems
    with pytest.raises(
        InputError, match=r"transitions: no customer has two periods in a row, so that no step can be seen."
    ):
        found.transitions()


def test_no_paid_purchase_is_refused():
    lines = pd.DataFrame({"customer_id": [1, 2], "date": "2025-01-01", "amount": [0.0, -5.0]})
    with pytest.raises(InputError, match="no line has an amount above 0, so that no relationship ever began"):
        lifecycle.trace(Transactions(lines))


def test_customers_who_never_paid_and_early_returns_are_told():
    lines = pd.concat(
        [
            orders([10.0] * 6),
            pd.DataFrame({"customer_id": [2, 1], "date": ["2025-03-01", "2024-12-01"], "amount": [0.0, -4.0]}),
        ]
    )
    lines["date"] = pd.to_datetime(lines["date"])
    found = lifecycle.trace(Transactions(lines), complete_to="2025-06-30")
    assert found.customers == 1
    assert found.problems[:2] == [
        "1 customers never paid for anything (all their amounts are 0 or less) and were left out.",
        "1 customer-periods before a customer's first paid purchase were left out: nothing paid for, or goods returned "
        "that were bought before the data begin.",
    ]


def test_missing_amounts_are_left_out_by_the_transactions():
    lines = orders([10.0] * 6).assign(amount=[10, np.nan, 10, 10, 10, 10.0])
    transactions = Transactions(lines)
    assert any("amount" in problem for problem in transactions.problems)
    assert lifecycle.trace(transactions, complete_to="2025-06-30").path(1)["amount"].tolist() == [10, 0, 10, 10, 10, 10]


def test_negative_margins_are_told():
    found = traced([10.0] * 6, margin_rate=-0.1)
    assert "No customer brings a positive margin in any period: nobody can get beyond exploration." in found.problems
    assert set(phases_of(found)) == {"exploration"}


def test_returns_lower_a_period():
    lines = pd.concat([orders([10.0] * 4), orders([0, 0, -8.0, 0]).assign(date=pd.Timestamp("2025-03-20"))])
    found = lifecycle.trace(Transactions(lines), complete_to="2025-04-30")
    assert found.path(1)["amount"].tolist() == [10, 10, 2, 10]
    assert found.path(1)["purchases"].tolist() == [1, 1, 1, 1]


def test_most_customers_in_the_first_month_were_customers_before():
    found = traced([9.0] * 12, [9.0] * 12, [9.0] * 12, [0, *[9.0] * 11])
    assert found.problems[-1] == (
        "75% of the customers bought in the first month: most were customers before the data begin, and look newer "
        "than they are."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"period": "day"}, "period: 'day' is not known; expected one of week, month, quarter, year."),
        ({"window": 1}, "thresholds: window is 1; expected a whole number from 2."),
        ({"lapsed_after": 1}, "thresholds: lapsed_after is 1; expected a whole number from 2."),
        ({"decline_share": 0.9}, "thresholds: stable_share is 0.6; expected 0.9 to 1."),
        ({"margin_rate": 1.5}, "margin_rate is 1.5; expected a share of the amount, at most 1."),
        ({"cost_to_serve": -1}, "cost_to_serve is -1; expected an amount of 0 or more."),
        ({"complete_to": "2024-06-30"}, "complete_to: nothing was paid for up to 2024-06-30. Give a later day."),
    ],
)
def test_bad_options_are_told(options, message):
    with pytest.raises(InputError) as refused:
        lifecycle.trace(Transactions(orders([10.0] * 6)), **options)
    assert str(refused.value) == message


# The generator -------------------------------------------------------------------------------------------------------


class TestGenerator:
    def test_same_seed_same_customers(self, simulated):
        again = datasets.simulate_lifecycles(customers=300, seed=11)
        pd.testing.assert_frame_equal(again.data, simulated.data)
        assert len(datasets.simulate_lifecycles(customers=300, seed=12).data) != len(simulated.data)

    def test_the_card_states_the_checksum(self):
        import hashlib
        from pathlib import Path

        card = (Path(__file__).parents[1] / "datasets" / "lifecycles.md").read_text(encoding="utf-8")
        whole = datasets.simulate_lifecycles()
        for table in (whole.data, whole.phases):
            text = table.to_csv(index=False, lineterminator="\n")
            assert hashlib.sha256(text.encode()).hexdigest() in card
        assert f"{len(whole.data):,}" in card

    def test_steps_follow_the_chain(self):
        """Of 17 free probabilities, each within five standard errors √(p(1−p)/n) of its truth."""
        truth = datasets.simulate_lifecycles(customers=3000, seed=2)
        steps = lifecycle.transitions(truth.phases)
        p, n = truth.probabilities.to_numpy(), steps.counts.sum(axis=1).to_numpy()[:, None]
        assert (np.abs(steps.probabilities.to_numpy() - p) <= 5 * np.sqrt(p * (1 - p) / n)).all()

    def test_amounts_are_as_expected_from_the_phase(self):
        truth = datasets.simulate_lifecycles(customers=3000, seed=2)
        spent = truth.data.assign(period=truth.data["date"].dt.to_period("M").dt.to_timestamp())
        spent = spent.groupby(["customer_id", "period"], as_index=False)["amount"].sum()
        both = truth.phases.merge(spent, how="left", on=["customer_id", "period"]).fillna({"amount": 0.0})
        means = both.groupby("phase", observed=True)[["expected", "amount"]].mean()
        known = ["build-up", "stability", "lapsed"]
        # The first month always has an order, and an order is never very small: both push the other phases up a bit.
        assert means.loc[known, "amount"].tolist() == pytest.approx(means.loc[known, "expected"].tolist(), rel=0.02)
        assert (truth.data["cost"] < truth.data["amount"]).mean() > 0.999

    def test_seasonal_customers_buy_in_december(self):
        truth = datasets.simulate_lifecycles(customers=200, seed=4, seasonal=0.25)
        assert len(truth.seasonal) == 50
        own = truth.data[truth.data["customer_id"].isin(truth.seasonal)]
        first = own.groupby("customer_id")["date"].transform("min").dt.to_period("M")
        assert ((own["date"].dt.month == 12) | (own["date"].dt.to_period("M") == first)).all()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"customers": 0}, "customers, months, entry_months: 0, 36, 12; expected 1 or more"),
            ({"seasonal": 2}, "seasonal: 2 is no share; expected 0 to 1."),
            ({"probabilities": pd.DataFrame(np.eye(2))}, "probabilities: expected rows and columns named exploration"),
        ],
    )
    def test_bad_requests_are_told(self, options, message):
        with pytest.raises(ValueError, match=message):
            datasets.simulate_lifecycles(**options)
