"""RFM: measures against an independent computation, bands and quantiles by their definitions, segments without gaps.

Expected values are recomputed in pandas from the raw orders, written out by hand, or published (named where they are).
"""

from __future__ import annotations

import itertools
import math
import shutil
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab import InputError, Transactions, rfm
from crmlab.datasets import load_cdnow
from crmlab.plots import rfm as plots
from crmlab.plots import style
from crmlab.transactions import to_frame

needs_spark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17, which is not installed here"),
    pytest.mark.skipif(find_spec("pyspark") is None, reason="Spark needs the extra: pip install 'crmlab[spark]'"),
    # The sockets between Python and Java are closed by the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
quick = settings(max_examples=40, deadline=None)
MEASURES = ["recency_days", "frequency", "monetary"]


def orders_of(rows, **roles) -> Transactions:
    return Transactions(pd.DataFrame(rows, columns=["customer_id", "date", "amount", *roles]), **roles)


def customers_of(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=MEASURES).assign(customer_id=range(len(rows)))


def refusal(call, *arguments, **options) -> str:
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    return str(caught.value)


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return load_cdnow()


@pytest.fixture(scope="module")
def table(cdnow) -> pd.DataFrame:
    return rfm.table(Transactions(cdnow))


# The table -----------------------------------------------------------------------------------------------------------


def test_every_customer_of_cdnow_as_computed_in_pandas(cdnow, table) -> None:
    groups = cdnow.groupby("customer_id")
    expected = pd.DataFrame(
        {
            "recency_days": (cdnow["date"].max() - groups["date"].max()).dt.days,
            "frequency": groups.size(),
            "monetary": groups["amount"].sum(),
        }
    ).reset_index()
    assert len(table) == 23_570  # Fader & Hardie (2001)
    pd.testing.assert_frame_equal(table, expected, rtol=1e-12, check_dtype=False)


def test_orders_are_counted_by_number_by_line_or_by_day() -> None:
    rows = [
        (1, "2026-01-05", 2.0, "A"), (1, "2026-01-05", 3.0, "A"), (1, "2026-01-05", 4.0, "B"),
        (1, "2026-01-09", 5.0, None), (1, "2026-01-09", 6.0, None), (2, "2026-01-10", 7.0, "A"),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["customer_id", "date", "amount", "order"])
    numbered, plain = Transactions(frame, order="order"), Transactions(frame)
    assert rfm.table(numbered)["frequency"].tolist() == [3, 1]  # A, B, and the day without a number
    assert rfm.table(numbered)["monetary"].tolist() == [20.0, 7.0]
    assert rfm.table(plain)["frequency"].tolist() == [5, 1]
    assert rfm.table(plain, orders="day")["frequency"].tolist() == [2, 1]
    assert rfm.table(plain, orders="day", monetary="mean")["monetary"].tolist() == [10.0, 7.0]


def test_lines_after_the_day_are_left_out_and_told() -> None:
    orders = orders_of([(1, "2026-01-01", 5.0), (1, "2026-02-01", 9.0), (2, "2026-03-01", 1.0)])
    found = rfm.table(orders, "2026-01-31")
    assert found.to_dict("list") == {"customer_id": [1], "recency_days": [30], "frequency": [1], "monetary": [5.0]}
    assert found.attrs["left_out"] == 2
    assert found.attrs["problems"] == [
        "2 of 3 lines are later than 2026-01-31 and were left out, with the customers who have no other line."
    ]
    assert refusal(rfm.table, orders, "2025-12-31") == (
        "as_of: the DataFrame has no line up to 2025-12-31; its first is of 2026-01-01. Give a later day."
    )


def test_returns_shared_days_and_a_silent_end_are_told() -> None:
    rows = [(1, "2026-01-01", 5.0), (1, "2026-01-01", -5.0), (2, "2026-01-02", 1.0)]
    told = rfm.table(orders_of(rows), "2026-06-30").attrs["problems"]
    assert [sentence.split(":")[0] for sentence in told[:2]] == [
        "1 lines have an amount below zero",
        "The last order of the DataFrame is of 2026-01-02, 179 days before 2026-06-30",
    ]
    assert told[2].startswith("2 of 3 lines (66.7%) share their day with another line of the same customer")
    assert told[3].startswith("1 customers paid nothing in all")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"as_of": "soon"}, "as_of: 'soon' is no day; expected a date such as 2026-01-31."),
        ({"monetary": "max"}, "monetary: 'max' is not known; expected 'sum' or 'mean'."),
        ({"orders": "week"}, "orders: 'week' is not known; expected one of auto, line, day."),
    ],
)
def test_unknown_options_of_the_table(options, text) -> None:
    assert refusal(rfm.table, orders_of([(1, "2026-01-01", 5.0)]), **options) == text


def test_one_customer_and_one_day_are_told() -> None:
    one_day = rfm.table(orders_of([(1, "2026-01-01", 5.0), (2, "2026-01-01", 6.0)]))
    assert one_day.attrs["problems"] == [
        "All customers bought last on the same day: recency_days cannot tell them apart.",
        "All customers have as many orders: frequency cannot tell them apart.",
    ]
    scored = rfm.score(one_day, "quantile")
    assert scored[["r", "f", "m"]].to_numpy().tolist() == [[1, 1, 1], [1, 1, 3]]
    assert rfm.analyse(orders_of([(1, "2026-01-01", 5.0)])).segments.index.tolist() == ["New"]


# Update --------------------------------------------------------------------------------------------------------------

order_lines = st.lists(
    st.tuples(st.integers(1, 6), st.dates(pd.Timestamp("2026-01-01").date(), pd.Timestamp("2026-03-31").date()),
              st.integers(-5_000, 9_999_999).map(lambda cents: cents / 100)),
    min_size=1, max_size=25,
)  # fmt: skip


@quick
@given(old=order_lines, new=order_lines, days=st.integers(0, 40), monetary=st.sampled_from(["sum", "mean"]))
def test_an_update_equals_a_recomputation(old, new, days, monetary) -> None:
    """Late orders, returning and new customers, and a later day: to the last bit."""
    as_of = max(date for _, date, _ in [*old, *new]) + pd.Timedelta(days=days)
    updated = rfm.update(rfm.table(orders_of(old), monetary=monetary), orders_of(new), as_of)
    anew = rfm.table(orders_of([*old, *new]), as_of, monetary=monetary)
    exact = monetary == "sum"
    pd.testing.assert_frame_equal(updated, anew, check_exact=exact, rtol=1e-12)


def test_cdnow_in_five_deliveries_equals_cdnow_at_once(cdnow, table) -> None:
    part = np.random.default_rng(1).integers(5, size=len(cdnow))
    updated = rfm.table(Transactions(cdnow[part == 0]))
    for number in range(1, 5):
        updated = rfm.update(updated, Transactions(cdnow[part == number]))
    pd.testing.assert_frame_equal(updated, table, check_exact=True)


def test_what_cannot_be_updated() -> None:
    january, february = (orders_of([(1, f"2026-0{month}-01", 5.0)]) for month in (1, 2))
    table = rfm.table(february)
    assert refusal(rfm.update, table, january, "2026-01-15") == (
        "update: as_of 2026-01-15 lies before the table's day 2026-02-01. Compute the table anew."
    )
    assert "orders of the table were counted by day" in refusal(rfm.update, rfm.table(february, orders="day"), january)
    assert "does not say its day" in refusal(
        rfm.update, table.copy().pipe(lambda t: pd.DataFrame(t.to_dict())), january
    )
    assert "numbers in one table and texts in the other" in refusal(
        rfm.update, table, orders_of([("a", "2026-03-01", 5.0)])
    )
    late = rfm.update(rfm.table(orders_of([(1, "2026-01-01", 1.0), (1, "2026-02-01", 2.0)]), "2026-01-15"), february)
    assert late.attrs["problems"][0].startswith("The table had left out 1 lines after 2026-01-15")


# Bands ---------------------------------------------------------------------------------------------------------------


def test_the_rubric_as_published_and_what_is_wrong_with_it() -> None:
    """Course row B3: its bands, the example R4F3M2, and the places no band covers."""
    rubric = rfm.course_rubric()
    published = {"r": ["1–3", "4–6", "7–12", "13+"], "f": ["1–2", "3–5", "6–10", "11+"]}
    written = rubric.table.groupby("measure")["band"].apply(list)
    assert written.to_dict() == {**published, "m": published["f"]}
    check = rubric.check()
    assert check.contradictions[["measure", "score", "right_score"]].to_numpy().tolist() == [["r", 4, 2], ["f", 3, 2]]
    assert set(check.contradictions["reads"]) == {"R2F2M2"}
    assert check.overlaps.empty
    assert check.unstated == ("m",)
    assert check.gaps.query("measure == 'm'")["example"].tolist() == [0.0, 2.5, 5.5, 10.5]
    assert not check.gaps.query("measure != 'm'")["reached"].any(), "months and orders are counted in whole numbers"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ((0, 1, 1), "R1F1M1"),
        ((91, 2, 2), "R1F1M1"),  # 91 days are less than three months of 30.4375 days
        ((92, 3, 3), "R2F2M2"),
        ((182, 5, 5), "R2F2M2"),
        ((183, 6, 6), "R3F3M3"),
        ((365, 10, 10), "R3F3M3"),
        ((366, 11, 11), "R4F4M4"),
        ((0, 1, 2.5), "R1F1M2"),
        ((0, 1, 0), "R1F1M1"),
        ((0, 1, -3), "R1F1M1"),
    ],
)
def test_codes_of_the_rubric(row, code) -> None:
    assert rfm.score(customers_of([row]))["code"].tolist() == [code]


def test_the_rubric_upwards_and_in_another_unit() -> None:
    customers = customers_of([(0, 1, 250.0), (400, 12, 20.0)])
    assert rfm.score(customers, unit=100)["code"].tolist() == ["R1F1M2", "R4F4M1"]
    upwards = rfm.score(customers, unit=100, direction="upwards")
    assert upwards["code"].tolist() == ["R4F1M2", "R1F4M1"]
    assert upwards.attrs["scale"] == {"r": (1, 4), "f": (1, 4), "m": (1, 4)}
    assert rfm.score(customers).attrs["scale"]["r"] == (4, 1)
    told = rfm.score(customers_of([(0, 1, 2.5), (0, 1, 0.0)])).attrs["problems"]
    assert "2 of 2 customers have a value of monetary that lies in no band as written." in told


def test_a_file_with_overlap_is_found_out(tmp_path) -> None:
    file = tmp_path / "bands.yaml"
    file.write_text("r: {unit: day, bands: [0-30, 31+]}\nf: {unit: order, bands: [1-3, 3+]}\nm: {bands: [0-50, 60+]}\n")
    check = rfm.Bands.read(file).check()
    assert check.overlaps.to_dict("records") == [{"measure": "f", "from": 3.0, "to": 3.0, "example": 3.0}]
    assert check.problems[0] == "Frequency: 3 lies in two bands, which overlap from 3 to 3."
    file.write_text("r: {bands: [soon]}\nf: {bands: [1+]}\nm: {bands: [1+]}\n")
    assert "'soon' is no band" in refusal(rfm.Bands.read, file)


def test_bands_of_ones_own() -> None:
    bands = rfm.Bands.from_limits([30, 90], [1, 4], [50, 200])
    rows = [(30, 1, 50.0), (31, 2, 50.01), (91, 5, 201.0)]
    assert rfm.score(customers_of(rows), "bands", bands=bands)["code"].tolist() == ["R3F1M1", "R2F2M2", "R1F3M3"]
    assert bands.check().problems == []
    assert "expected rising numbers" in refusal(rfm.Bands.from_limits, [90, 30], [1], [5])
    assert refusal(rfm.score, customers_of(rows), "bands") == (
        "bands: give bands with scheme='bands', and only with it."
    )


# Quantiles -----------------------------------------------------------------------------------------------------------

customer_rows = st.lists(
    st.tuples(st.integers(0, 900), st.integers(1, 40), st.integers(-500, 100_000).map(lambda cents: cents / 100)),
    min_size=1, max_size=60,
)  # fmt: skip


@quick
@given(rows=customer_rows, bins=st.integers(2, 9))
def test_a_quantile_score_says_how_many_customers_one_is_ahead_of(rows, bins) -> None:
    """By definition, in whole numbers: 1 + the whole part of bins · (customers strictly worse) / customers."""
    scored = rfm.score(customers_of(rows), "quantile", bins=bins)
    for letter, values in {
        "r": [-r for r, _, _ in rows],
        "f": [f for _, f, _ in rows],
        "m": [m for *_, m in rows],
    }.items():
        expected = [1 + bins * sum(other < own for other in values) // len(values) for own in values]
        assert scored[letter].tolist() == expected


@quick
@given(rows=customer_rows, scheme=st.sampled_from(["rubric", "quantile", "apart", "bands"]))
def test_better_customers_never_score_lower(rows, scheme) -> None:
    """More recent, more frequent, larger: and equal customers score equally; every score is on its scale."""
    options = {
        "rubric": {"scheme": "rubric", "direction": "upwards"},
        "quantile": {"scheme": "quantile"},
        "apart": {"scheme": "quantile", "one_time_apart": True},
        "bands": {"scheme": "bands", "bands": rfm.Bands.from_limits([10, 100], [2, 5, 9], [20, 300])},
    }[scheme]
    scored = rfm.score(customers_of(rows), **options)
    for letter, column, sign in (("r", "recency_days", -1), ("f", "frequency", 1), ("m", "monetary", 1)):
        ordered = scored.assign(value=sign * scored[column]).sort_values("value")
        assert ordered[letter].is_monotonic_increasing
        assert scored.groupby(column)[letter].nunique().eq(1).all()
        worst, best = scored.attrs["scale"][letter]
        assert scored[letter].between(worst, best).all()


def test_customers_of_one_order(table) -> None:
    """Half of CDNOW bought once: one score for all of them, and the score in between for nobody."""
    scored = rfm.score(table, "quantile")
    assert set(scored.loc[table["frequency"] == 1, "f"]) == {1}
    assert (scored["f"] == 1).mean() == pytest.approx((table["frequency"] == 1).mean())
    assert 2 not in set(scored["f"])
    assert "No customer has f = 2: no value of frequency falls into that band." in scored.attrs["problems"]
    apart = rfm.score(table, "quantile", one_time_apart=True)
    assert set(apart.loc[table["frequency"] == 1, "f"]) == {1}
    assert set(apart.loc[table["frequency"] > 1, "f"]) == {2, 3, 4, 5}


def test_small_money_is_not_rounded_up() -> None:
    """No rule adds 1 to a cut-off: prices below 1 are told apart."""
    customers = customers_of([(1, 1, cents / 100) for cents in range(1, 11)])
    assert rfm.score(customers, "quantile")["m"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (customers_of([(-1, 1, 1.0)]), "recency_days is np.int64(-1) in row 1 (1 such rows); expected a number of 0"),
        (customers_of([(1, 0, 1.0)]), "frequency is np.int64(0) in row 1"),
        (customers_of([(1, 1, math.nan)]), "monetary is np.float64(nan) in row 1"),
        (customers_of([(1, 1, "ten")]), "monetary is 'ten' in row 1"),
        (customers_of([]), "table: it has no customer."),
        (customers_of([(1, 1, 1.0)]).drop(columns="monetary"), "it has no column 'monetary'"),
    ],
)
def test_impossible_tables(frame, text) -> None:
    assert text in refusal(rfm.score, frame)


def test_unknown_options_of_scores() -> None:
    customers = customers_of([(1, 1, 1.0)])
    assert refusal(rfm.score, customers, "best") == (
        "scheme: 'best' is not known; expected one of rubric, quantile, bands."
    )
    assert refusal(rfm.score, customers, "quantile", bins=10) == "bins: 10; expected a whole number from 2 to 9."
    assert refusal(rfm.score, customers, unit=0) == "unit: 0 is no amount of money; expected a number above 0."


# Segments, weights, tiers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", range(2, 10))
@pytest.mark.parametrize("turned", [False, True])
def test_the_default_segments_are_complete_and_disjoint(levels, turned) -> None:
    scale = {"r": (levels, 1) if turned else (1, levels), "f": (1, levels), "m": (1, levels)}
    rules = rfm.Segments.default()
    assert rules.check(scale) == []
    assert rules.table(scale).check().combinations == levels**3
    assert (rules.about[["zh", "what_en", "what_zh", "action_en", "action_zh"]] != "").all(axis=None)


rule_cells = st.sampled_from(["low", "middle", "high", "low middle", "middle high", "any", "1-2", "3 5", "4"])


@quick
@given(rules=st.lists(st.tuples(st.sampled_from("ABC"), rule_cells, rule_cells, rule_cells), min_size=1, max_size=6))
def test_a_check_finds_every_gap_and_overlap(rules) -> None:
    """The same question asked of each code, cell by cell, on five scores."""
    words = {"low": {1, 2}, "middle": {3}, "high": {4, 5}, "any": {1, 2, 3, 4, 5}, "1-2": {1, 2}, "4": {4}}
    words |= {"low middle": {1, 2, 3}, "middle high": {3, 4, 5}, "3 5": {3, 5}}
    taken = [
        {
            place
            for place, (_, *cells) in enumerate(rules)
            if all(s in words[c] for s, c in zip(scores, cells, strict=True))
        }
        for scores in itertools.product(range(1, 6), repeat=3)
    ]
    faults = rfm.Segments.of(pd.DataFrame(rules, columns=["segment", "r", "f", "m"])).check(
        dict.fromkeys("rfm", (1, 5))
    )
    none = sum(not places for places in taken)
    shared = {
        f"{rules[i][0]} and {rules[j][0]} both take {codes} codes"
        for i, j in itertools.combinations(range(len(rules)), 2)
        if rules[i][0] != rules[j][0] and (codes := sum({i, j} <= places for places in taken))
    }
    gaps = {f"{none} of 125 codes belong to no segment"} if none else set()
    assert {fault.partition(", such as ")[0] for fault in faults} == gaps | shared


def test_a_rule_forgotten_is_named_by_an_example() -> None:
    rules = rfm.Segments.default().rules
    scored = rfm.score(customers_of([(1, 1, 1.0)]), "quantile")
    assert refusal(rfm.segment, scored, rules[rules["segment"] != "New"]) == (
        "segments: 20 of 125 codes belong to no segment, such as R4F1M1. Change the rules so that each code has one "
        "segment."
    )
    assert "no level and no score" in refusal(rfm.segment, scored, rules.assign(r="best"))
    assert "does not say which scores are best" in refusal(rfm.segment, pd.DataFrame({"r": [1], "f": [1], "m": [1]}))


def test_the_best_customers_are_champions_whatever_the_direction() -> None:
    customers = customers_of([(0, 20, 999.0), (800, 1, 1.0)])
    for options in (
        {"scheme": "rubric"},
        {"scheme": "rubric", "direction": "upwards"},
        {"scheme": "quantile", "bins": 2},
    ):
        assert rfm.segment(rfm.score(customers, **options))["segment"].tolist() == ["Champions", "Lost"]


def test_weights_and_tiers() -> None:
    scored = rfm.score(customers_of([(0, 20, 999.0), (800, 1, 1.0), (0, 1, 1.0)]))
    assert rfm.weigh(scored, {"r": 0.5, "f": 0.3, "m": 0.2})["rfm_score"].tolist() == pytest.approx([100, 0, 50])
    assert refusal(rfm.weigh, scored, {"r": 1, "f": 1, "m": 1}) == (
        "weights: they sum to 3; expected 1. Divide each by the sum."
    )
    weighed = pd.DataFrame({"rfm_score": [float(value) for value in range(100)]})
    sizes = rfm.tier(weighed)["tier"].value_counts()
    assert sizes.to_dict() == {"regular": 50, "potential": 30, "silver": 15, "gold": 5}
    tied = rfm.tier(pd.DataFrame({"rfm_score": [90.0] * 20 + [10.0] * 80}))
    assert tied["tier"].tolist() == ["gold"] * 20 + ["regular"] * 80
    assert tied.attrs["problems"][0] == (
        "Tier gold was meant for 5% of the customers and has 20%: customers with the same score stay together."
    )
    assert "expected shares above 0 that sum to 1" in refusal(rfm.tier, weighed, shares={"gold": 0.5})
    assert "expected at least two tiers with falling scores" in refusal(
        rfm.tier, weighed, scores={"gold": 10, "silver": 20}
    )


# Prediction ----------------------------------------------------------------------------------------------------------


def test_a_holdout_knows_nothing_of_the_later_part(cdnow) -> None:
    parts = rfm.holdout(Transactions(cdnow), "1997-09-30")
    before, after = cdnow[cdnow["date"] <= "1997-09-30"], cdnow[cdnow["date"] > "1997-09-30"]
    pd.testing.assert_frame_equal(
        parts.customers[["customer_id", *MEASURES]], rfm.table(Transactions(before), "1997-09-30"), check_exact=True
    )
    assert parts.customers["later_orders"].sum() == len(after)
    assert parts.customers["later_amount"].sum() == pytest.approx(after["amount"].sum())
    days = before.drop_duplicates(["customer_id", "date"]).groupby("customer_id")["date"]
    assert parts.customers["repeats"].tolist() == (days.size() - 1).tolist()
    assert parts.customers["weeks_to_last"].tolist() == pytest.approx(((days.max() - days.min()).dt.days / 7).tolist())
    assert parts.later_weeks == 39
    assert "leaves no day" in refusal(rfm.holdout, Transactions(cdnow), "1998-06-30")


@quick
@given(outcome=st.lists(st.integers(0, 9), min_size=1, max_size=30).filter(any), seed=st.integers(0, 99))
def test_a_gain_curve_is_the_mean_over_the_orders_of_ties(outcome, seed) -> None:
    """At the end of a group of equal scores nothing depends on its order; there the gain is a plain share."""
    score = np.random.default_rng(seed).integers(3, size=len(outcome))
    curve = rfm.gain_curve(outcome, score, points=len(outcome))
    for limit in set(score.tolist()):
        first = score >= limit
        expected = np.array(outcome)[first].sum() / sum(outcome)
        assert curve["gain"].iloc[int(first.sum())] == pytest.approx(expected)
    assert rfm.gain_curve(outcome, [1] * len(outcome))["gain"].tolist() == pytest.approx(
        np.linspace(0, 1, 101).tolist()
    )


def test_the_grid_adds_up(table) -> None:
    scored = rfm.score(table, "quantile")
    cells = rfm.grid(scored)
    assert cells["customers"].sum() == len(table)
    assert cells["revenue"].sum() == pytest.approx(table["monetary"].sum())
    assert cells[["share", "revenue_share"]].sum().tolist() == pytest.approx([1, 1])


# Both engines --------------------------------------------------------------------------------------------------------


def as_expressions(transactions) -> pd.DataFrame:
    measured = rfm.expression(transactions, "1998-03-31")
    bands = rfm.bands_of(measured, "quantile")
    scored = rfm.segment(rfm.score(measured, "quantile"), scale=bands.scale)
    weighed = rfm.weigh(scored, scale=bands.scale)
    return to_frame(weighed.order_by("customer_id"))


def test_expressions_and_frames_agree(cdnow) -> None:
    transactions = Transactions(cdnow)
    framed = rfm.weigh(rfm.segment(rfm.score(rfm.table(transactions, "1998-03-31"), "quantile")))
    pd.testing.assert_frame_equal(as_expressions(transactions), framed)
    rubric = rfm.score(rfm.expression(transactions), "rubric")
    assert (
        to_frame(rubric.order_by("customer_id"))["code"].tolist() == rfm.score(rfm.table(transactions))["code"].tolist()
    )


class TestSpark:
    pytestmark = needs_spark

    def test_duckdb_and_spark_agree_row_by_row(self) -> None:
        orders = load_cdnow(sample=True)
        there, here = (as_expressions(Transactions(orders, engine=engine)) for engine in ("spark", "duckdb"))
        exact = ["customer_id", "recency_days", "frequency", "r", "f", "m", "code", "segment"]
        pd.testing.assert_frame_equal(there[exact], here[exact])
        pd.testing.assert_frame_equal(there, here, rtol=1e-9, check_exact=False)


# Figures -------------------------------------------------------------------------------------------------------------


def test_a_map_shows_every_cell_and_the_best_at_the_top_right() -> None:
    grid = pd.DataFrame({"r": [1, 1, 4], "f": [1, 4, 2], "customers": [5, 30, 7]})
    ax = plots.heat_map(grid, best={"r": 1, "f": 4})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["R4", "R3", "R2", "R1"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["F1", "F2", "F3", "F4"]
    assert {text.get_text(): text.get_position() for text in ax.texts} == {"5": (0, 3), "30": (3, 3), "7": (1, 0)}
    assert style.alt(ax).endswith("Highest: 30 at r = 1, f = 4; 3 cells in use.")
    with pytest.raises(ValueError, match="no column 'later_mean'"):
        plots.heat_map(grid, value="later_mean")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_figures_of_an_analysis_speak_both_languages(language) -> None:
    analysis = rfm.analyse(Transactions(load_cdnow(sample=True)), scheme="quantile")
    bars = analysis.plot("segments", language=language)
    widths = [bar.get_width() for bar in bars.containers[0]]
    assert widths == pytest.approx((100 * analysis.segments["share"]).tolist())
    name = {"en": "Champions", "zh": "重要价值客户"}[language]
    assert bars.get_title(loc="left").startswith(name)
    assert name in style.alt(bars)
    for kind in ("customers", "revenue"):
        assert style.alt(analysis.plot(kind, language=language))
