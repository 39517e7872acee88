"""Customer value: published numbers, independent derivations, known truth, and input that cannot be used."""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab import InputError, Transactions, datasets, value
from crmlab.plots.style import alt
from crmlab.transactions import to_frame

P = [0.3, 0.2, 0.15, 0.05]
DISCOUNT_12 = (
    "discount: found 12, that is 1,200 % a period; expected a share above −1 and at most 1. Write 12 % as 0.12."
)


def refuses(text: str):
    """The whole message of an InputError."""
    return pytest.raises(InputError, match=f"^{re.escape(text)}$")


# ------------------------------------------------------------------------------------------------- lost for good


def test_retention_value_of_berger_and_nasr() -> None:
    """Case 1 of Berger & Nasr (1998), summed here term by term: margin 260, promotion 50, r .75, d .2, ten years."""
    margins = sum(260 * 0.75**t / 1.2**t for t in range(11))
    promotions = sum(50 * 0.75 ** (t - 1) / 1.2 ** (t - 0.5) for t in range(1, 11))
    found = value.retention_clv(260, 0.75, 0.2, periods=10, promotion=50, first_margin="now")
    assert found == pytest.approx(margins - promotions, rel=1e-13)
    assert round(found, 2) == 568.78


def test_retention_value_without_end_is_the_closed_form() -> None:
    assert value.retention_clv(100, 0.8, 0.1) == pytest.approx(100 * 0.8 / (1 + 0.1 - 0.8), rel=1e-13)
    assert value.retention_clv(100, 0.8, 0.1, first_margin="now") == pytest.approx(100 * 1.1 / 0.3, rel=1e-13)
    assert value.retention_clv(100, 1.0, 0.1) == pytest.approx(100 / 0.1, rel=1e-12), "a perpetuity"
    assert value.retention_clv(100, 0.0, 0.1, acquisition=30) == -30


def test_without_discount_the_value_counts_expected_renewals() -> None:
    assert value.retention_clv(1, 0.8, 0.0) == pytest.approx(4, rel=1e-12)
    assert value.retention_clv(1, 1.0, 0.0, periods=7) == 7


def test_a_negative_margin_gives_a_negative_value() -> None:
    assert value.retention_clv(-10, 0.5, 0.0) == pytest.approx(-10)


def test_varying_retention_holds_its_last_rate() -> None:
    rates = [0.5, 0.6, 0.7]
    by_hand = 0.5 / 1.1 + 0.3 / 1.1**2 + 0.21 / 1.1**3 * (1 + 0.7 / (1.1 - 0.7))
    assert value.retention_clv(1, rates, 0.1) == pytest.approx(by_hand, rel=1e-13)
    assert value.retention_clv(1, rates, 0.1, periods=2) == pytest.approx(0.5 / 1.1 + 0.3 / 1.21, rel=1e-13)
    assert value.retention_clv(1, [0.7] * 3, 0.1) == pytest.approx(value.retention_clv(1, 0.7, 0.1), rel=1e-13)


def test_retention_value_is_what_a_million_customers_bring() -> None:
    """Lives are drawn one by one; margin at each renewal, promotion half a period before."""
    rng = np.random.default_rng(1)
    lives = np.minimum(rng.geometric(1 - 0.75, 1_000_000) - 1, 10)  # renewals before leaving
    v = 1 / 1.2
    margins = 260 * np.cumsum(np.r_[1.0, v ** np.arange(1, 11)])
    promotions = 50 * np.cumsum(v ** (np.arange(1, 11) - 0.5))
    brought = margins[lives] - promotions[np.minimum(lives, 9)]
    found = value.retention_clv(260, 0.75, 0.2, periods=10, promotion=50, first_margin="now")
    assert abs(brought.mean() - found) < 4 * brought.std() / 1000


@given(
    st.floats(-100, 100),
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
    st.floats(0, 1),
    st.integers(0, 12),
    st.floats(0, 20),
    st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_the_cash_flow_sums_to_the_value(margin, rates, discount, periods, promotion, when) -> None:
    terms = {"periods": periods, "promotion": promotion, "promotion_time": when, "acquisition": 7.0}
    table = value.retention_cash_flow(margin, rates, discount, **terms)
    assert table["cumulative"].iloc[-1] == pytest.approx(
        value.retention_clv(margin, rates, discount, **terms), abs=1e-6
    )
    assert len(table) == periods + 1


def test_break_even_retention_is_worth_nothing() -> None:
    """100 r/(1.25 − r) = 200 at r = 5/6."""
    found = value.break_even_retention(100, 0.25, acquisition=200)
    assert found == pytest.approx(5 / 6, rel=1e-12)
    terms = {"periods": 5, "promotion": 10, "acquisition": 60}
    low = value.break_even_retention(40, 0.1, **terms)
    assert value.retention_clv(40, low, 0.1, **terms) == pytest.approx(0, abs=1e-9)
    assert value.break_even_retention(100, 0.1) == 0


def test_break_even_where_loyalty_costs_money() -> None:
    """10 now, 100 of bonus for joining (negative cost), then 10 r against 50 a period: pays below r, not above."""
    terms = {"promotion": 50, "promotion_time": 0, "first_margin": "now", "acquisition": -100}
    # 10 + 100 + (10 r − 50 · 1.1)/(1.1 − r) = 0  ⟺  r = (110 · 1.1 − 55)/(110 − 10)
    assert value.break_even_retention(10, 0.1, **terms) == pytest.approx(0.66, rel=1e-10)


def test_a_customer_who_never_pays_is_told() -> None:
    with refuses(
        "break_even_retention: even with retention 1 the customer is worth -95.00. Lower the cost of winning and "
        "keeping "
        "her, or raise the margin."
    ):
        value.break_even_retention(1, 0.0, periods=5, acquisition=100)


@pytest.mark.parametrize(
    "call",
    [
        lambda: value.retention_cash_flow(100, 0.8, 12, periods=3),
        lambda: value.break_even_retention(100, 12),
        lambda: value.migration_clv(100, [0.5, 0.2], 12),
        lambda: value.event_value(LEDGER, 12),
        lambda: value.expected_clv(None, None, None, horizon=52, discount=12),
        lambda: value.compare_models(pd.DataFrame([[9.0, 0, 9], [9, 9, 0]]), 12, cells=1),
    ],
)
def test_a_discount_in_per_cent_is_refused_everywhere(call) -> None:
    with refuses(DISCOUNT_12):
        call()


def test_sensitivity_moves_one_input_at_a_time() -> None:
    assert value.clv_sensitivity(100, 0.8, 0.95).loc["discount", "high"] == 1
    found = value.clv_sensitivity(100, 0.8, 0.1, change=0.05)
    assert found.loc["retention", "clv_high"] == pytest.approx(100 * 0.84 / 0.26)
    assert found.loc["discount", "clv_low"] == pytest.approx(100 * 0.8 / (1.095 - 0.8))
    assert found.index[0] == "retention"
    assert value.clv_sensitivity(100, 0.97, 0.1).loc["retention", "high"] == 1
    assert value.clv_sensitivity(100, 0.8, 0.0).loc["discount", "swing"] == 0
    assert value.clv_sensitivity(-100, 0.8, 0.1)["clv_high"].max() < 0


def test_a_sensitivity_that_leads_to_no_end_is_told() -> None:
    with refuses(
        "clv_sensitivity: retention 0.95 raised by 10 % is 1, and with discount 0 the value is then without end. Take "
        "a smaller change, or give periods."
    ):
        value.clv_sensitivity(100, 0.95, 0.0)
    with refuses("retention: found [0.9, 0.8]; expected a number."):
        value.clv_sensitivity(100, [0.9, 0.8], 0.1)
    assert value.clv_sensitivity(100, 0.95, 0.0, periods=3).loc["retention", "clv_high"] == 300


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            (100, 1.0, 0.0),
            "retention_clv: with retention 1 and discount 0 the value of a customer without end is infinite. Give a "
            "number "
            "of periods, a discount rate above 0, or a retention rate below 1.",
        ),
        (
            (100, 75, 0.1),
            "retention: found 75; expected a share between 0 and 1. Write 75 % as 0.75, and give the share who "
            "stay, not "
            "who leave.",
        ),
        ((math.nan, 0.5, 0.1), "margin: found nan; expected a number."),
        (("much", 0.5, 0.1), "margin: found 'much'; expected a number."),
        (
            (1, math.nan, 0.1),
            "retention: 1 of 1 values are missing or infinite (first: nan at 0). Fill them in or leave these "
            "customers out.",
        ),
        ((1, 0.5, -1), "discount: found -1; expected a number above -1."),
        ((1, 0.5, 12), DISCOUNT_12),
    ],
)
def test_what_retention_clv_refuses(call, text) -> None:
    with refuses(text):
        value.retention_clv(*call)


def test_conventions_have_names() -> None:
    with refuses("first_margin: 'later' is not known; expected one of renewal, now."):
        value.retention_clv(1, 0.5, 0.1, first_margin="later")
    with refuses("periods: found 2.5; expected a whole number of at least 0."):
        value.retention_clv(1, 0.5, 0.1, periods=2.5)


# ---------------------------------------------------------------------------------------------- always a share


def test_migration_values_of_pfeifer_and_carraway() -> None:
    """Their example (2000): p .3 .2 .15 .05, margin 40, promotion 4, d .2; solved here from the 5 × 5 matrix."""
    matrix = np.array(
        [[0.3, 0.7, 0, 0, 0], [0.2, 0, 0.8, 0, 0], [0.15, 0, 0, 0.85, 0], [0.05, 0, 0, 0, 0.95], [0, 0, 0, 0, 1]]
    )
    solved = np.linalg.solve(np.eye(5) - matrix / 1.2, [36, -4, -4, -4, 0])
    found = value.migration_clv(40, P, 0.2, promotion=4)
    np.testing.assert_allclose(found, solved, rtol=1e-12, atol=1e-12)
    assert found.round(3).tolist() == [52.320, 5.554, 1.251, -1.820, 0]
    np.testing.assert_allclose(value.migration_matrix(P), matrix)
    assert found.attrs["problems"] == [
        "Customers last seen 4 period(s) ago are worth less than nothing at this promotion: stop sending it to "
        "them, or "
        "make it cheaper."
    ]


@pytest.mark.parametrize("periods", [0, 1, 2, 3, 7, 40])
@pytest.mark.parametrize("first_margin", ["now", "renewal"])
def test_tree_and_chain_are_the_same_sum(periods, first_margin) -> None:
    terms = {"periods": periods, "promotion": 4, "first_margin": first_margin}
    chain, tree = (value.migration_clv(40, P, 0.2, method=method, **terms) for method in ("markov", "tree"))
    np.testing.assert_allclose(chain, tree, rtol=1e-12, atol=1e-12)


def test_the_tree_is_that_of_all_histories() -> None:
    """Every branch of four periods, walked one by one."""

    def walk(cell: int, t: int) -> float:
        if cell > len(P) or t == 4:
            return 0.0
        buys = 40 / 1.2 ** (t + 1) + walk(1, t + 1)
        return -4 / 1.2**t + P[cell - 1] * buys + (1 - P[cell - 1]) * walk(cell + 1, t + 1)

    found = value.migration_clv(40, P, 0.2, periods=4, promotion=4, first_margin="renewal", method="tree")
    np.testing.assert_allclose(found.iloc[:4], [walk(cell, 0) for cell in (1, 2, 3, 4)], rtol=1e-12)


def test_a_long_tree_reaches_the_value_without_end() -> None:
    np.testing.assert_allclose(
        value.migration_clv(40, P, 0.2, promotion=4, periods=150, method="tree"),
        value.migration_clv(40, P, 0.2, promotion=4), rtol=1e-9,
    )  # fmt: skip


def test_migration_value_is_what_a_million_customers_bring() -> None:
    rng = np.random.default_rng(2)
    cell, brought = np.ones(1_000_000, dtype=int), np.full(1_000_000, 40.0)
    chance = np.array([0.0, *P])
    for t in range(60):
        alive = cell > 0
        brought -= 4 * alive / 1.2**t
        buys = rng.random(len(cell)) < chance[cell]
        brought += 40 * buys / 1.2 ** (t + 1)
        cell = np.where(buys, 1, np.where(alive & (cell < 4), cell + 1, 0))
    found = value.migration_clv(40, P, 0.2, promotion=4)[1]
    assert abs(brought.mean() - found) < 4 * brought.std() / 1000


def test_with_one_cell_both_models_are_one() -> None:
    share = value.migration_clv(100, [0.8], 0.1, promotion=3)[1]
    good = value.retention_clv(100, 0.8, 0.1, promotion=3, promotion_time=0, first_margin="now")
    assert share == pytest.approx(good, rel=1e-13)


def test_what_migration_clv_refuses() -> None:
    with refuses(
        "migration_clv: with discount 0 the value without end is infinite: a customer is never lost. Give a number of "
        "periods, or a discount rate above 0."
    ):
        value.migration_clv(1, [0.5, 1.0], 0)
    with refuses("migration_clv: a tree has an end. Give periods, or use method='markov'."):
        value.migration_clv(1, P, 0.1, method="tree")
    with refuses("probabilities: found 30; expected shares between 0 and 1, one for each recency cell."):
        value.migration_clv(1, [30, 20], 0.1)
    assert value.migration_clv(1, P, 0)[1] == pytest.approx(1 / np.prod(1 - np.array(P))), "d = 0: expected purchases"


# ------------------------------------------------------------------------------------- both on the same customers


def bought_by_chain(n: int, periods: int, seed: int) -> pd.DataFrame:
    """Customers who return with the probabilities P, each purchase of 40."""
    rng = np.random.default_rng(seed)
    cell, table = np.ones(n, dtype=int), [np.full(n, 40.0)]
    chance = np.array([0.0, *P])
    for _ in range(periods - 1):
        buys = rng.random(n) < chance[cell]
        table.append(np.where(buys, 40.0, 0.0))
        cell = np.where(buys, 1, np.where((cell > 0) & (cell < 4), cell + 1, 0))
    return pd.DataFrame(np.column_stack(table))


def test_return_rates_find_the_truth() -> None:
    found = value.return_rates(bought_by_chain(40_000, 8, seed=3))
    assert ((found["lower"] < P) & (found["upper"] > P)).all()
    assert (found["upper"] - found["lower"]).max() < 0.02


def test_intervals_hold_the_true_value() -> None:
    """Coverage of 95 % intervals over 40 samples: at least 33 (less has probability below 0.001 at 95 %)."""
    truth = value.migration_clv(40, P, 0.2, promotion=4, first_margin="renewal")[1]
    held = 0
    for seed in range(40):
        sample = bought_by_chain(400, 8, seed=seed)
        found = value.compare_models(sample, 0.2, promotion=4, resamples=150, seed=seed).values.loc["always a share"]
        held += bool(found["lower"] < truth < found["upper"])
    assert held >= 33


def test_lost_for_good_takes_pausing_for_leaving() -> None:
    found = value.compare_models(bought_by_chain(3000, 8, seed=1), 0.05, resamples=100)
    low, high = found.values["clv"]
    assert low == pytest.approx(value.retention_clv(40, found.retention, 0.05))
    assert high > 1.5 * low
    assert found.difference["lower"].iloc[0] > 0
    assert "Customers who pause come back" in found.problems[0]
    assert found.to_dict()["values"]["lost for good"]["clv"] == low
    for what in ("values", "rates", "sensitivity"):
        assert alt(found.plot(what)), what
        assert alt(found.plot(what, language="zh")), what


def test_same_seed_same_intervals() -> None:
    sample = bought_by_chain(300, 6, seed=1)
    first, again = (value.compare_models(sample, 0.1, resamples=50, seed=5).values for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


def test_what_compare_models_refuses_and_tells() -> None:
    once = pd.DataFrame([[5.0, 0.0, 0.0]] * 3)
    with refuses("compare_models: nobody bought again in any period, so there is no return rate. Use longer periods."):
        value.compare_models(once, 0.1)
    with refuses(
        "compare_models: nobody was observed 3 periods after a purchase; expected customers in each of 4 recency "
        "cells. "
        "Use cells=2 or shorter periods."
    ):
        value.compare_models(pd.DataFrame([[5.0, 5.0, 0.0], [5.0, 0.0, 0.0]]), 0.1)
    losing = value.compare_models(-bought_by_chain(300, 6, seed=1), 0.1, resamples=20)
    told = "The mean margin is negative (-40.00): the more loyal these customers are, the more they cost."
    assert told in losing.problems
    assert losing.values["clv"].max() < 0


def test_periods_are_counted_from_each_customers_first_purchase() -> None:
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b"],
            "date": ["2026-01-01", "2026-01-30", "2026-01-31", "2026-02-20"],
            "amount": [10.0, 5.0, 7.0, 9.0],
            "cost": [4.0, 1.0, 2.0, 3.0],
        }
    )
    found = value.purchase_periods(Transactions(orders, cost="cost"), period_days=30, end="2026-03-21")
    assert found.loc["a"].tolist()[:2] == [10.0, 5.0], "day 29 is of period 0, day 30 of period 1"
    assert found.loc["b"].isna().tolist() == [False, True], "30 days seen: one whole period"


# ------------------------------------------------------------------------------------------------ concentration


def test_share_of_the_top_and_gini() -> None:
    """Gini of 1 … 10 by its definition, the mean absolute difference over twice the mean."""
    numbers = np.arange(1, 11)
    gini = np.abs(numbers[:, None] - numbers[None, :]).mean() / (2 * numbers.mean())
    found = value.pareto(numbers, resamples=50)
    assert found.gini == pytest.approx(gini, rel=1e-12)
    assert found.share == pytest.approx(19 / 55)
    assert value.pareto_share(numbers, top=0.25) == pytest.approx((10 + 9 + 0.5 * 8) / 55), "half of the third customer"
    assert value.pareto_share(numbers, top=1) == 1


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40).filter(lambda values: sum(values) > 1), st.floats(0.01, 1))
@settings(max_examples=80, deadline=None)
def test_a_share_is_at_least_that_of_equals_and_free_of_units(values, top) -> None:
    share = value.pareto_share(values, top)
    assert top - 1e-9 <= share <= 1 + 1e-9
    assert value.pareto_share(3 * np.array(values), top) == pytest.approx(share)
    assert value.pareto_share(values[::-1], top) == pytest.approx(share)


def test_interval_of_a_share_holds_the_truth() -> None:
    """Lognormal revenue, σ = 1: the top fifth has Φ(σ − z₀.₈) of it, and Gini 2Φ(σ/√2) − 1 (closed forms)."""
    from scipy.stats import norm

    truth = {"share": norm.cdf(1 - norm.ppf(0.8)), "gini": 2 * norm.cdf(1 / np.sqrt(2)) - 1}
    rng = np.random.default_rng(0)
    held = dict.fromkeys(truth, 0)
    for seed in range(100):
        found = value.pareto(rng.lognormal(0, 1, 1500), resamples=200, seed=seed)
        for name, true in truth.items():
            held[name] += bool(found.intervals.loc[name, "lower"] < true < found.intervals.loc[name, "upper"])
    assert min(held.values()) >= 86, held


def test_pareto_tells_what_weakens_it() -> None:
    found = value.pareto([80, 5, 5, 5, 5, 0], resamples=100)
    assert found.problems == [
        "1 of 6 customers brought nothing; they count among the customers. Leave them out to compare buyers only.",
        "One customer alone brings 80 % of the revenue; bootstrap intervals are then too narrow.",
    ]
    assert alt(found.plot()).startswith("Cumulative revenue over customers")


def test_abc_puts_whoever_crosses_a_limit_into_the_better_class() -> None:
    revenue = pd.Series([3, 70, 6, 1, 20], index=list("vwxyz"))
    assert value.abc(revenue).to_dict() == {"v": "C", "w": "A", "x": "B", "y": "C", "z": "A"}


def test_abc_gives_equal_customers_one_class() -> None:
    assert value.abc([10] * 10).unique().tolist() == ["A"]
    with refuses(
        "abc: shares [0.8, 0.8] with names ['A', 'B', 'C']; expected rising shares between 0 and 1 and one name "
        "more than "
        "shares."
    ):
        value.abc([1, 2], shares=[0.8, 0.8])


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            [1, -2],
            "values: 1 of 2 values are below 0 (first: -2 in place 1). Shares of revenue need values of 0 or more; for "
            "profits use whale_curve.",
        ),
        ([0, 0], "values: they sum to 0, so there is nothing to share out."),
        (
            pd.Series([1, np.nan], index=["Li", "Wang"]),
            "values: 1 of 2 values are missing or infinite (first: nan at 'Wang'). Fill them in or leave these "
            "customers "
            "out.",
        ),
        ([], "values: expected a list, array or column of numbers, one or more; found shape (0,)."),
    ],
)
def test_what_pareto_share_refuses(values, text) -> None:
    with refuses(text):
        value.pareto_share(values)


def test_whale_curve_peaks_where_losses_begin() -> None:
    found = value.whale_curve([50, -60, 100, 0, 10])
    assert (found.total, found.peak, found.losing) == (100, 160, 0.2)
    assert found.curve["profit_share"].max() == pytest.approx(1.6)
    assert found.curve["profit_share"].iloc[-1] == 1
    assert found.deciles["profit"].sum() == 100
    assert alt(found.plot("zh"))
    with pytest.raises(
        InputError, match=r"^whale_curve: the profits sum to -5\.00; shares of a total that is not above 0"
    ):
        value.whale_curve([5, -10])


def test_contribution_and_cost_to_serve_against_pandas() -> None:
    shop = datasets.simulate_buyers(200, seed=4)
    orders = Transactions(shop.orders, cost="cost", region="region", product="product")
    found = value.contribution(orders, ["region", "product"]).set_index(["region", "product"])
    frame = shop.orders.assign(gain=shop.orders["amount"] - shop.orders["cost"])
    expected = frame.groupby(["region", "product"])["gain"].sum()
    np.testing.assert_allclose(found["contribution"], expected.loc[found.index], rtol=1e-9)
    assert found["contribution_share"].sum() == pytest.approx(1)
    served = value.customer_profit(orders, {"order": 3, "line": 0.5, "customer": 4, "revenue": 0.02}).set_index(
        "customer_id"
    )
    own = frame.groupby("customer_id").agg(
        days=("date", "nunique"), lines=("date", "size"), amount=("amount", "sum"), gain=("gain", "sum")
    )
    cost = 3 * own["days"] + 0.5 * own["lines"] + 4 + 0.02 * own["amount"]
    np.testing.assert_allclose(served["profit"], own["gain"] - cost, rtol=1e-9)


def test_what_contribution_and_cost_to_serve_refuse() -> None:
    orders = Transactions(pd.DataFrame({"customer_id": [1], "date": ["2026-01-05"], "amount": [1.0]}))
    with refuses(
        "contribution: the transactions have no column 'region'; they have customer_id, date, amount. Name it when you "
        "make the Transactions, as region=, product= or keep=."
    ):
        value.contribution(orders, "region")
    with refuses("cost_to_serve: 'visit' is not known; expected some of order, line, unit, customer, revenue."):
        value.customer_profit(orders, {"visit": 3})
    with refuses("cost_to_serve: a cost per unit needs the role quantity. Name it when you make the Transactions."):
        value.customer_profit(orders, {"unit": 3})


# -------------------------------------------------------------------------------------------------------- events

LEDGER = pd.DataFrame(
    [
        ["Li", "renewal", "2026-06-30", 0.7, 12000, 4000],
        ["Li", "visit", "2026-03-10", 1, 0, 300],
        ["Zhao", "machine", "2027-03-31", 0.3, 60000, 45000],
    ],
    columns=["customer", "event", "date", "probability", "revenue", "cost"],
)


def test_event_value_term_by_term() -> None:
    found = value.event_value(LEDGER, 0.1, as_of="2026-01-01", seed=1)
    li = 0.7 * 8000 / 1.1 ** (180 / 365.25) - 300 / 1.1 ** (68 / 365.25)
    zhao = 0.3 * 15000 / 1.1 ** (454 / 365.25)
    assert found.profit_and_loss["npv"].to_dict() == pytest.approx({"Li": li, "Zhao": zhao})
    assert found.profit_and_loss.loc["Li", ["revenue", "cost", "profit"]].tolist() == pytest.approx([8400, 3100, 5300])
    assert found.total["npv"] == pytest.approx(li + zhao)


def test_simulated_futures_have_the_right_mean_and_chances() -> None:
    """Li loses when the renewal fails (30 %); 20,000 draws have a standard error of 0.0032."""
    found = value.event_value(LEDGER, 0.1, as_of="2026-01-01", draws=20_000, seed=1)
    assert found.profit_and_loss.loc["Li", "chance_of_loss"] == pytest.approx(0.3, abs=0.013)
    assert found.profit_and_loss.loc["Zhao", "chance_of_loss"] == 0
    low, high = found.profit_and_loss.loc["Li", ["lower", "upper"]]
    assert (low, high) == pytest.approx((-300 / 1.1 ** (68 / 365.25), low + 8000 / 1.1 ** (180 / 365.25)))
    assert all(alt(found.plot(language)) for language in ("en", "zh"))


def test_a_certain_ledger_has_no_interval() -> None:
    found = value.event_value(LEDGER.assign(probability=1.0), 0.0)
    assert (found.profit_and_loss["lower"] == found.profit_and_loss["npv"]).all()
    assert found.total["npv"] == 8000 - 300 + 15000


def test_ledgers_of_all_kinds_are_one(tmp_path: Path) -> None:
    LEDGER.to_csv(tmp_path / "events.csv", index=False)
    LEDGER.to_excel(tmp_path / "events.xlsx", index=False)
    rows = "\n".join(f"  - {{{', '.join(f'{k}: {v}' for k, v in row.items())}}}" for row in LEDGER.to_dict("records"))
    (tmp_path / "events.yaml").write_text(f"crmlab_events: 1\nevents:\n{rows}\n")
    csv, *others = (value.read_ledger(tmp_path / f"events.{kind}") for kind in ("csv", "xlsx", "yaml"))
    for other in others:
        pd.testing.assert_frame_equal(csv, other, check_dtype=False)
    assert value.event_value(tmp_path / "events.yaml", 0.1).total["npv"] == value.event_value(LEDGER, 0.1).total["npv"]


def test_every_fault_of_a_ledger_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text(
        "customer,event,date,probability,revenue,cost\nLi,renewal,2026-06-30,70,12000,\n,visit,soon,1,0,300\n"
        "Wang,fair,2026-04-30,,0,-5\n"
    )
    with refuses(
        "events.csv: 5 cell(s) cannot be used. Row 2, probability: found '70'; expected a number from 0 to 1. Write "
        "70 % as "
        "0.7. Row 3, customer: it is empty. Row 3, date: found 'soon'; expected a day such as 2026-06-30. Row 4, cost: "
        "found '-5'; expected a number of 0 or more. Row 4, probability: found nothing; expected a number from 0 to 1."
    ):
        value.read_ledger(file)


def test_what_else_a_ledger_is_refused_for(tmp_path: Path) -> None:
    with refuses(
        "ledger: found the columns customer, when; expected customer, event, date, probability and revenue or cost; "
        "when "
        "is unknown."
    ):
        value.event_value(pd.DataFrame({"customer": ["Li"], "when": [1]}), 0.1)
    for faulty in ([{"customer": "Li"}], None, 7):
        with pytest.raises(InputError, match=r"^ledger: found a \w+; expected a DataFrame, one row for each event, or"):
            value.event_value(faulty, 0.1)
    with pytest.raises(InputError, match=r"^ledger: .*nowhere\.csv does not exist; expected a ledger of events\."):
        value.read_ledger(tmp_path / "nowhere.csv")
    with refuses("event_value: no event is on or after 2030-01-01; nothing is left to value. Give an earlier as_of."):
        value.event_value(LEDGER, 0.1, as_of="2030-01-01")
    (tmp_path / "bad.yaml").write_text("events: 3\n")
    with refuses("bad.yaml: expected 'crmlab_events: 1' and a list 'events' of {customer: …, event: …, …}."):
        value.read_ledger(tmp_path / "bad.yaml")


def test_past_and_double_events_are_told() -> None:
    found = value.event_value(pd.concat([LEDGER, LEDGER.iloc[[0]]]), 0.1, as_of="2026-05-01")
    assert found.problems[:2] == [
        "1 event(s) before 2026-05-01 are left out (first: visit of Li).",
        "renewal of Li on 2026-06-30 stands in the ledger more than once; both count.",
    ]


# ------------------------------------------------------------------------------------------------------ clusters


def three_groups(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.repeat([0, 1, 2], [n, n // 2, n // 4])
    centre = np.array([[2, 20], [8, 30], [5, 90]])[truth]
    table = pd.DataFrame(centre + rng.normal(0, [0.8, 5], centre.shape), columns=["orders", "spend"])
    return table.assign(region=np.array(["north", "south", "west"])[truth]), truth


def test_known_groups_are_found_and_found_again() -> None:
    table, truth = three_groups(200, seed=1)
    found = value.clusters(table, ["orders", "spend"], resamples=20, seed=1)
    assert value.adjusted_rand(found.labels, truth) > 0.98
    assert found.criterion["silhouette"].idxmax() == 3
    assert found.profile["customers"].is_monotonic_decreasing
    assert found.profile.loc[1, "region: north"] > 0.98
    assert (found.stability["verdict"] == "stable").all()
    assert found.adjusted_rand > 0.95
    assert found.problems == []
    assert all(alt(found.plot(language)) for language in ("en", "zh"))


def test_a_cloud_without_groups_is_told() -> None:
    rng = np.random.default_rng(3)
    cloud = pd.DataFrame(rng.normal(size=(300, 4)), columns=list("abcd"))
    found = value.clusters(cloud, list("abcd"), k=6, resamples=20)
    assert "hardly any structure" in found.problems[0]
    assert (found.stability["jaccard"] < 0.75).any()
    assert any("Do not build a strategy on it." in problem for problem in found.problems)


def test_measures_of_clusters_agree_with_scikit_learn() -> None:
    """scikit-learn (in the development environment): silhouette_score, adjusted_rand_score."""
    metrics = pytest.importorskip("sklearn.metrics")
    table, truth = three_groups(80, seed=2)
    points = table[["orders", "spend"]].to_numpy()
    other = np.random.default_rng(0).integers(0, 4, len(truth))
    assert value.silhouette(points, truth) == pytest.approx(metrics.silhouette_score(points, truth), rel=1e-12)
    assert value.silhouette(points, other) == pytest.approx(metrics.silhouette_score(points, other), rel=1e-12)
    mixed = np.where(np.arange(len(truth)) % 3 == 0, other, truth)
    assert value.adjusted_rand(truth, mixed) == pytest.approx(metrics.adjusted_rand_score(truth, mixed), rel=1e-12)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"spend": np.nan},
            "clusters: column 'spend' has 350 missing values (first: row 0). Fill them in or leave the rows out.",
        ),
        (
            {"spend": "much"},
            "clusters: column 'spend' is text; expected numbers. It can describe clusters, not make them.",
        ),
        ({"spend": 3.0}, "clusters: column 'spend' is the same for all customers. Leave it out."),
    ],
)
def test_what_clusters_refuses(change, text) -> None:
    table, _ = three_groups(200, seed=1)
    with refuses(text):
        value.clusters(table.assign(**change), ["orders", "spend"])


def test_what_clusters_are_made_of_is_named() -> None:
    table = pd.DataFrame({"orders": range(20), "spend": range(20, 40)})
    with refuses("clusters: log names 'spend', of which no clusters are made; expected some of orders."):
        value.clusters(table, ["orders"], log=["spend"])
    with refuses("clusters: no number of clusters is given; expected k such as 4 or [3, 4, 5]."):
        value.clusters(table, ["orders"], k=[])
    assert len(value.clusters(table, "orders", k=np.int64(2), resamples=2).centres) == 2


def test_more_clusters_than_customers() -> None:
    with refuses("clusters: k is 3, but there are only 2 different customers. Use fewer clusters."):
        value.clusters(pd.DataFrame({"a": [1, 1, 2, 2]}), ["a"], k=3)


# ------------------------------------------------------------------------------------------- one table, two engines


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_spark_gives_the_numbers_of_duckdb() -> None:
    import shutil

    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    orders = datasets.simulate_buyers(30, seed=2).orders
    duck, spark = (Transactions(orders, cost="cost", region="region", engine=engine) for engine in ("duckdb", "spark"))
    for table in (
        lambda t: value.purchase_summary(t, end="2024-12-29", holdout_end="2025-06-29"),
        lambda t: value.purchase_periods(t, period_days=91),
        lambda t: value.contribution(t, "region"),
        lambda t: value.customer_profit(t, {"order": 3}),
    ):
        pd.testing.assert_frame_equal(table(duck), table(spark), check_dtype=False, rtol=1e-9)


def test_sums_of_cdnow() -> None:
    """Total of the file by awk: 2,500,315.63 dollars."""
    orders = Transactions(datasets.load_cdnow())
    table = orders.table
    spent = to_frame(table.group_by("customer_id").agg(spent=table.amount.sum()))["spent"]
    assert spent.sum() == pytest.approx(2_500_315.63, abs=0.01)
    assert value.abc_table(spent, value.abc(spent))["customers"].sum() == 23_570
