"""Steps between phases: published examples, other packages, known truths; funnel, ladder, levels, plots."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from scipy.stats import chi2_contingency
from statsmodels.stats.proportion import proportion_confint

from crmlab import InputError, Transactions, datasets, lifecycle
from crmlab.datasets.lifecycles import CHAIN, STATES
from crmlab.lifecycle import relationships
from crmlab.plots import lifecycle as draw
from crmlab.plots import style


def walks(chain: pd.DataFrame, customers: int, periods: int, seed: int) -> pd.DataFrame:
    """Customers who start evenly over the states and walk along a chain."""
    rng = np.random.default_rng(seed)
    state = np.arange(customers) % len(chain)
    rows = [state]
    for _ in range(periods - 1):
        state = (rng.random(customers)[:, None] >= chain.to_numpy().cumsum(axis=1)[state]).sum(axis=1)
        rows.append(state)
    labels = np.array(chain.index)[np.concatenate(rows)]
    who, when = np.tile(np.arange(customers), periods), np.repeat(np.arange(periods), customers)
    return pd.DataFrame({"customer_id": who, "period": when, "phase": labels})


def as_phases(counts: list[list[int]], names: str) -> pd.DataFrame:
    """One customer per step."""
    steps = [
        (a, b) for a, row in zip(names, counts, strict=True) for b, n in zip(names, row, strict=True) for _ in range(n)
    ]
    rows = [(k, when, step[when]) for k, step in enumerate(steps) for when in (0, 1)]
    return pd.DataFrame(rows, columns=["customer_id", "period", "phase"])


@pytest.fixture(scope="module")
def steps():
    return lifecycle.transitions(walks(CHAIN, 400, 12, seed=1))


# Counts and probabilities --------------------------------------------------------------------------------------------


def test_steps_are_counted_within_customers_and_without_gaps():
    table = pd.DataFrame(
        {
            "customer_id": [1, 1, 1, 2, 2, 3, 3],
            "period": [1, 2, 3, 1, 3, 2, 3],
            "phase": ["a", "b", "b", "b", "a", "b", "a"],
        }
    )
    found = lifecycle.transitions(table.sample(frac=1, random_state=1))
    assert found.counts.to_numpy().tolist() == [[0, 1], [1, 1]]
    assert found.problems == [
        "Few steps were seen from a (1), b (2): read the intervals, not the probabilities.",
        "1 pairs of a customer's periods have a gap between them and count as no step.",
    ]
    assert found.by_period.to_numpy().tolist() == [[2, "a", "b", 1], [3, "b", "a", 1], [3, "b", "b", 1]]


def test_intervals_are_those_of_jeffreys():
    """Two states: statsmodels 0.15, proportion_confint(method="jeffreys")."""
    found = lifecycle.transitions(as_phases([[17, 3], [0, 9]], "ab")).intervals.set_index(["from", "to"])
    for (a, b), row in found.iterrows():
        n = 20 if a == "a" else 9
        low, high = proportion_confint(row["count"], n, method="jeffreys")
        assert (row["ci_lower"], row["ci_upper"]) == pytest.approx((low, high), abs=1e-10), (a, b)


def test_intervals_of_more_states_are_those_of_the_dirichlet():
    """200,000 draws of NumPy's Dirichlet; a quantile is known to about 0.001."""
    counts = [[17, 3, 5], [2, 9, 1], [4, 4, 4]]
    found = lifecycle.transitions(as_phases(counts, "abc"), prior=1.0, level=0.9).intervals
    drawn = np.concatenate([np.random.default_rng(1).dirichlet(np.array(row) + 1.0, 200_000) for row in counts], axis=1)
    expected = np.quantile(drawn, [0.05, 0.95], axis=0)
    assert found["ci_lower"].tolist() == pytest.approx(expected[0].tolist(), abs=2e-3)
    assert found["ci_upper"].tolist() == pytest.approx(expected[1].tolist(), abs=2e-3)


def test_95_percent_intervals_hold_the_truth_in_95_percent():
    hits = []
    inside = CHAIN.to_numpy().ravel() * (1 - CHAIN.to_numpy().ravel()) > 0
    for seed in range(150):
        table = lifecycle.transitions(walks(CHAIN, 100, 8, seed)).intervals
        hits.append(
            ((table["ci_lower"] <= CHAIN.to_numpy().ravel()) & (table["ci_upper"] >= CHAIN.to_numpy().ravel()))[inside]
        )
    # 1,500 intervals, hardly correlated: three standard errors are 1.7 points.
    assert np.mean(hits) == pytest.approx(0.95, abs=0.02)


def test_expected_time_in_a_phase_is_the_mean_of_a_geometric_time(steps):
    """Σ k p^(k−1) (1 − p), summed, not by its closed form."""
    own = steps.time_in_phase
    k = np.arange(1, 5000)
    for phase in STATES[:4]:
        p = steps.probabilities.loc[phase, phase]
        assert own.loc[phase, "periods"] == pytest.approx((k * p ** (k - 1) * (1 - p)).sum(), rel=1e-9)
        assert own.loc[phase, "ci_lower"] < own.loc[phase, "periods"] < own.loc[phase, "ci_upper"]
    assert own.loc["lapsed", "periods"] == np.inf


# Time-homogeneity ----------------------------------------------------------------------------------------------------


def test_homogeneity_is_one_contingency_test_per_phase():
    """Anderson & Goodman (1957), section 3.1: −2 log λ is the sum over i of the likelihood-ratio tests of the tables
    periods × next phase. Referee: scipy.stats.chi2_contingency(lambda_="log-likelihood")."""
    chain = pd.DataFrame([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4]], index=list("abc"), columns=list("abc"))
    table = walks(chain, 300, 6, seed=4)
    found = lifecycle.transitions(table).homogeneity()
    pairs = table.sort_values(["customer_id", "period"]).assign(
        to=lambda t: t.groupby("customer_id")["phase"].shift(-1)
    )
    parts = [pd.crosstab(own["period"], own["to"]) for _, own in pairs.dropna().groupby("phase")]
    referee = [chi2_contingency(part.to_numpy(), correction=False, lambda_="log-likelihood") for part in parts]
    assert found["statistic"] == pytest.approx(sum(test.statistic for test in referee), rel=1e-10)
    assert found["df"] == sum(test.dof for test in referee) == 4 * 3 * 2


def test_homogeneity_rejects_a_true_null_in_5_percent_and_a_change_nearly_always():
    chain = pd.DataFrame([[0.7, 0.3], [0.4, 0.6]], index=list("ab"), columns=list("ab"))
    pvalues = [lifecycle.transitions(walks(chain, 400, 6, seed)).homogeneity()["pvalue"] for seed in range(300)]
    assert np.mean(np.array(pvalues) < 0.05) == pytest.approx(0.05, abs=0.04), "three standard errors: 0.038"
    first, then = walks(chain, 400, 4, 1), walks(chain[["b", "a"]].set_axis(["a", "b"], axis=1), 400, 4, 2)
    both = pd.concat([first, then.assign(customer_id=then["customer_id"] + 400, period=then["period"] + 4)])
    assert lifecycle.transitions(both).homogeneity()["pvalue"] < 1e-6


def test_one_period_of_steps_cannot_be_tested():
    with pytest.raises(InputError, match="homogeneity: steps were seen in one period only"):
        lifecycle.transitions(as_phases([[3, 2], [1, 4]], "ab")).homogeneity()


# Absorption ----------------------------------------------------------------------------------------------------------


def gambler() -> pd.DataFrame:
    chain = pd.DataFrame(np.eye(5, k=1) / 2 + np.eye(5, k=-1) / 2, index=range(5), columns=range(5))
    chain.loc[[0, 4]] = np.eye(5)[[0, 4]]
    return chain


def test_the_walk_of_kemeny_and_snell():
    """Random walk on 0 … 4 with absorbing ends: Kemeny & Snell (1960), chapter III; examples 11.13 to 11.15 of
    Grinstead & Snell (1997), Introduction to Probability: N, t = (3, 4, 3) and B."""
    found = lifecycle.absorption(gambler(), [0, 4])
    assert found.fundamental.to_numpy() == pytest.approx(np.array([[1.5, 1, 0.5], [1, 2, 1], [0.5, 1, 1.5]]))
    assert found.expected_periods["periods"].tolist() == pytest.approx([3, 4, 3])
    assert found.probabilities.to_numpy() == pytest.approx(np.array([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]]))


def test_times_to_decline_are_those_of_a_simulation():
    """20,000 walks: the mean time is known to 1 %, its spread to 2 %."""
    found = lifecycle.absorption(CHAIN, ["decline", "lapsed"]).expected_periods.loc["exploration"]
    rng = np.random.default_rng(5)
    state, time, limits = np.zeros(20_000, dtype=int), np.zeros(20_000), CHAIN.to_numpy().cumsum(axis=1)
    while (state < 3).any():
        time += state < 3
        moved = (rng.random(20_000)[:, None] >= limits[state]).sum(axis=1)
        state = np.where(state < 3, moved, state)
    assert found["periods"] == pytest.approx(time.mean(), rel=0.03)
    assert found["std"] == pytest.approx(time.std(), rel=0.05)


def test_the_way_to_stability_can_be_worked_out_by_hand():
    """From build-up: 0.16/(0.16 + 0.06); from exploration first 0.16/(0.16 + 0.10) to build-up."""
    found = lifecycle.absorption(CHAIN, ["stability", "decline", "lapsed"]).probabilities["stability"]
    assert found["build-up"] == pytest.approx(0.16 / 0.22)
    assert found["exploration"] == pytest.approx(0.16 / 0.26 * 0.16 / 0.22)


def test_intervals_of_the_time_to_decline_hold_the_truth():
    truth = lifecycle.absorption(CHAIN, ["decline", "lapsed"]).expected_periods["periods"]
    hits = []
    for seed in range(60):
        own = lifecycle.transitions(walks(CHAIN, 150, 8, seed)).absorption(draws=400, seed=seed).expected_periods
        hits.append((own["ci_lower"] <= truth) & (own["ci_upper"] >= truth))
    assert np.mean(hits) > 0.88, "180 intervals in groups of three: 95 % less four standard errors"


def test_an_end_that_is_never_reached_is_told():
    chain = pd.DataFrame([[0.5, 0.5, 0], [0, 1, 0], [0.5, 0, 0.5]], index=list("abc"), columns=list("abc"))
    found = lifecycle.absorption(chain, "c")
    assert found.expected_periods["periods"].tolist() == [np.inf, np.inf]
    assert found.probabilities["c"].tolist() == [0, 0]
    assert found.problems[1] == "From b the end may never be reached: a, b is never left."
    with pytest.raises(InputError, match=r"absorption: 'z' is no phase here"):
        lifecycle.absorption(chain, "z")
    with pytest.raises(InputError, match=r"absorption: every phase is an end"):
        lifecycle.absorption(chain, list("abc"))


# Forecast ------------------------------------------------------------------------------------------------------------


def test_expected_shares_are_powers_of_the_chain():
    found = lifecycle.transitions(as_phases([[8000, 2000], [3000, 7000]], "ab"))
    ahead = found.forecast(pd.Series({"a": 100}), 2).shares.set_index(["ahead", "phase"])["share"]
    # By hand: 0.8; then 0.8² + 0.2 · 0.3.
    assert [ahead[1, "a"], ahead[2, "a"]] == pytest.approx([0.8, 0.70], abs=1e-3)


def test_a_phase_that_nobody_was_seen_to_leave_is_no_way_to_an_end():
    found = lifecycle.transitions(as_phases([[1, 2, 1], [0, 0, 3], [0, 0, 0]], "abc"))
    with pytest.raises(
        InputError, match=r"absorption: steps lead to c, and none from there was seen.*ends=\['b', 'c'\]"
    ):
        found.absorption("b")
    assert found.absorption(["b", "c"], draws=0).expected_periods["periods"].tolist() == pytest.approx([4 / 3])


def test_revenue_is_customers_times_what_they_spend():
    found = lifecycle.transitions(as_phases([[8000, 2000], [3000, 7000]], "ab"))
    spent = pd.DataFrame({"mean": [10.0, 1.0], "std": [0.0, 0.0]}, index=["a", "b"])
    revenue = found.forecast(pd.Series({"a": 100}), 2, spent=spent).revenue
    assert revenue["revenue"].tolist() == pytest.approx([100 * (0.8 * 10 + 0.2), 100 * (0.7 * 10 + 0.3)], rel=1e-3)
    assert (revenue["ci_lower"] < revenue["revenue"]).all()
    assert (revenue["revenue"] < revenue["ci_upper"]).all()


def test_intervals_of_a_forecast_hold_what_comes():
    chain = pd.DataFrame([[0.8, 0.2], [0.3, 0.7]], index=list("ab"), columns=list("ab"))
    hits = []
    for seed in range(120):
        table = walks(chain, 200, 8, seed)
        past, last = table[table["period"] <= 4], table[table["period"] == 4]
        ahead = lifecycle.transitions(past).forecast(last["phase"].value_counts(), 3, draws=300, seed=seed).shares
        low, high = ahead.query("ahead == 3 and phase == 'a'")[["ci_lower", "ci_upper"]].iloc[0]
        hits.append(low <= (table.loc[table["period"] == 7, "phase"] == "a").mean() <= high)
    assert np.mean(hits) == pytest.approx(0.95, abs=0.06), "three standard errors"


def test_a_forecast_says_what_it_takes_for_granted(steps):
    assert steps.forecast(pd.Series({"stability": 10}), 1).problems == [
        "No new customers are counted, and the chain of the past is taken to hold for the future."
    ]
    with pytest.raises(InputError, match=r"forecast: no step from or to 'happy' was seen, but customers start there."):
        steps.forecast(pd.Series({"happy": 3}))


def test_same_seed_same_forecast(steps):
    start = pd.Series({"stability": 100})
    one, two = (steps.forecast(start, 3, seed=7).shares for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"customer_id": [1], "period": [1]}), "transitions: there is no column 'phase'"),
        (
            pd.DataFrame({"customer_id": [1, 1], "period": [1, 1], "phase": ["a", "b"]}),
            "transitions: customer 1 has two phases in period 1; expected one.",
        ),
        (
            pd.DataFrame({"customer_id": [1, 1], "period": [1, 2], "phase": ["a", None]}),
            "transitions: 1 rows lack a customer, period or phase; first: 1.",
        ),
    ],
)
def test_bad_tables_of_phases_are_told(table, message):
    with pytest.raises(InputError, match=message):
        lifecycle.transitions(table)


# Funnel, ladder, relationship levels ---------------------------------------------------------------------------------


def test_conversions_have_the_intervals_of_jeffreys():
    """statsmodels 0.15, proportion_confint(method="jeffreys"); an end is 0 or 1 where nobody or everybody goes on."""
    found = lifecycle.funnel({"known": 200, "first": 80, "second": 80, "third": 0})
    low, high = proportion_confint(80, 200, method="jeffreys")
    assert found.loc["first", ["ci_lower", "ci_upper"]].tolist() == pytest.approx([low, high])
    assert found.loc["second", "ci_upper"] == 1.0
    assert found.loc["third", "ci_lower"] == 0.0
    assert found["lost"].tolist()[1:] == [120, 0, 80]
    assert found["of_first"].tolist() == [1, 0.4, 0.4, 0]


def test_a_funnel_never_widens():
    with pytest.raises(InputError, match=r"funnel: 'b' has 5 customers, more than the step before it"):
        lifecycle.funnel({"a": 4, "b": 5})
    with pytest.raises(InputError, match=r"funnel: expected two steps or more"):
        lifecycle.funnel({"a": 4})
    with pytest.raises(InputError, match=r"funnel: 'b' has 0.4; expected a whole number of customers"):
        lifecycle.funnel({"a": 1.0, "b": 0.4})


def test_purchases_are_counted_as_in_pandas():
    """CDNOW, days with a paid purchase per customer, counted by pandas; published: 23,570 customers, 80 free orders."""
    data = datasets.load_cdnow()
    found = lifecycle.steps_by_purchase(Transactions(data), most=4)
    days = data[data["amount"] > 0].drop_duplicates(["customer_id", "date"]).groupby("customer_id").size()
    assert found.tolist() == [int((days >= k).sum()) for k in range(1, 5)]


def test_every_customer_stands_on_one_rung():
    data = datasets.load_cdnow(sample=True)
    customers, rungs = lifecycle.loyalty_ladder(Transactions(data), prospects=50)
    paid = data[data["amount"] > 0]
    own = paid.groupby("customer_id")["date"].agg(["min", "max", "nunique"])
    long = (own["max"] - own["min"]).dt.days >= 365
    lately = (data["date"].max() - own["max"]).dt.days <= 90
    assert rungs.loc["loyal", "standing"] == int((long & lately & (own["nunique"] >= 6)).sum())
    assert rungs.loc["long-standing", "reached"] == int(long.sum())
    assert rungs.loc["new", "standing"] == int((~long & (own["nunique"] == 1)).sum())
    assert rungs["standing"].sum() == len(customers) + 50 == rungs.loc["potential", "reached"]
    lifecycle.funnel(rungs["reached"])
    with pytest.raises(InputError, match=r"as_of: 'soon' is no day; expected a date such as 2026-01-31"):
        lifecycle.loyalty_ladder(Transactions(data), as_of="soon")


def test_fewer_customers_and_more_margin_never_mean_a_looser_relationship():
    closeness = {name: k for k, name in enumerate(lifecycle.guide("levels").index)}
    table = lifecycle.guide("selector").loc[["many", "medium", "few"], ["low", "medium", "high"]].map(closeness.get)
    assert (np.diff(table.to_numpy(), axis=0) > 0).all()
    assert (np.diff(table.to_numpy(), axis=1) > 0).all()
    assert set(table.to_numpy().ravel()) == set(range(5)), "all five levels are used"


def test_bands_include_their_lower_end():
    segments = pd.DataFrame({"unit_margin": [9.9, 10, 100], "customers": [50, 49, 1000]})
    found = lifecycle.relationship_levels(segments, margin_bands=(10, 100), customer_bands=(50, 1000))
    assert found[["margin", "number"]].to_numpy().tolist() == [["low", "medium"], ["medium", "few"], ["high", "many"]]
    with pytest.raises(InputError, match=r"the bands of unit_margin are \(100, 10\); expected low < high."):
        lifecycle.relationship_levels(segments, margin_bands=(100, 10), customer_bands=(50, 1000))


@pytest.mark.parametrize("name", relationships.GUIDES)
def test_the_courses_tables_are_whole_in_both_languages(name):
    english, chinese = lifecycle.guide(name, "en"), lifecycle.guide(name, "zh")
    assert english.shape == chinese.shape
    assert english.notna().all(axis=None)
    if name != "selector":
        texts = [str(text) for text in chinese.to_numpy().ravel() if not isinstance(text, int)]
        assert all(any("一" <= character <= "鿿" for character in text) for text in texts)


def test_the_tables_know_the_phases():
    assert lifecycle.guide("actions").index.tolist() == [*lifecycle.PHASES]
    assert lifecycle.guide("actions", "zh").index.tolist() == [*lifecycle.PHASES.values()]
    assert tuple(lifecycle.PHASES) == STATES


# Plots ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def traced():
    simulated = datasets.simulate_lifecycles(customers=60, seed=3)
    return lifecycle.trace(Transactions(simulated.data, cost="cost"), complete_to="2025-12-31")


FIGURES = {
    "curve": lambda found, language: draw.idealised_curve(lifecycle.PHASES, language),
    "customer": lambda found, language: found.plot("customer", language, customer=1),
    "shares": lambda found, language: found.plot("shares", language),
    "cohorts": lambda found, language: found.plot("cohorts", language),
    "transitions": lambda found, language: found.plot("transitions", language),
    "forecast": lambda found, language: found.forecast(4, draws=100).plot(language),
    "funnel": lambda found, language: draw.funnel_bars(lifecycle.funnel({"a": 9, "b": 4}), language),
    "selector": lambda found, language: draw.level_selector(lifecycle.guide("selector", language), language),
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("figure", FIGURES)
def test_figures_have_titles_axis_names_and_words(figure, language, traced):
    ax = FIGURES[figure](traced, language)
    said = [ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel(), style.alt(ax)]
    assert all(said)
    assert all(any("一" <= character <= "鿿" for character in text) == (language == "zh") for text in said)
    style.svg(ax)


def test_stacked_shares_are_those_of_the_table_and_survive_grey_print(traced):
    ax = traced.plot("shares")
    tops = [area.get_paths()[0].get_extents().y1 for area in ax.collections]
    assert tops == pytest.approx(100 * traced.shares().cumsum(axis=1).max().to_numpy())
    grey = [np.dot(to_rgb(fill), [0.2126, 0.7152, 0.0722]) for fill, _, _ in draw.FILLS]
    hatches = [hatch for _, hatch, _ in draw.FILLS]
    for k in range(len(grey) - 1):
        assert abs(grey[k] - grey[k + 1]) > 0.1 or hatches[k] != hatches[k + 1]


def test_one_bar_per_period_of_a_customer(traced):
    own = traced.path(1)
    ax = traced.plot("customer", customer=1)
    heights = sorted(bar.get_height() for bar in ax.patches)
    assert heights == pytest.approx(sorted(own["amount"]))
    assert ax.lines[0].get_ydata().tolist() == own["level"].tolist()


def test_cells_show_probability_and_count(traced):
    found = traced.transitions()
    written = [text.get_text() for text in found.plot().texts]
    assert len(written) == (found.counts.to_numpy() > 0).sum()
    stays, n = found.probabilities.loc["stability", "stability"], found.counts.loc["stability", "stability"]
    assert f"{stays:.1%}\nn = {n:,}" in written


def test_wrong_figures_are_refused(traced):
    with pytest.raises(
        InputError, match=r"plot: 'pie' is not known; expected shares, cohorts, transitions, or customer"
    ):
        traced.plot("pie")
    with pytest.raises(ValueError, match=r"language: 'fr' is not known; expected one of en, zh."):
        traced.plot("shares", "fr")
    with pytest.raises(ValueError, match=r"expected one row or more with a column 'customers'."):
        draw.funnel_bars(pd.DataFrame({"n": [1]}))
