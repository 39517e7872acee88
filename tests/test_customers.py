"""Customers: links against the generator's truth, labels and indices by hand, pseudonyms against OpenSSL.

Precision and recall are recomputed here pair by pair; weights are checked by their definition log2(m/u).
"""

from __future__ import annotations

import itertools
import json
import logging
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab import InputError, customers
from crmlab.customers import TAXONOMIES, activity_index, label, link_customers, minimise, pseudonymise, what_to_keep
from crmlab.customers.privacy import ADVICE
from crmlab.customers.taxonomy import TIERS
from crmlab.datasets import simulate_orders
from crmlab.plots import style
from crmlab.rules import tiers
from crmlab.transactions import Transactions

KEY = "a key of the lesson, known to all"


@pytest.fixture(scope="module")
def shops():
    return simulate_orders(persons=200, seed=11)


@pytest.fixture(scope="module")
def links(shops):
    return link_customers(shops.register, exact=["birth_year"])


# Linkage --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.9, 0.999])
def test_accuracy_counts_pairs(links, shops, threshold):
    """Written again, pair by pair, over all ids."""
    master = links.clusters(threshold).set_index("customer_id")["master_id"].to_dict()
    person = shops.persons.set_index("customer_id")["person"].to_dict()
    pairs = [*itertools.combinations(person, 2)]
    together = {pair for pair in pairs if master[pair[0]] == master[pair[1]]}
    true = {pair for pair in pairs if person[pair[0]] == person[pair[1]]}
    row = links.accuracy(shops.persons, [threshold]).iloc[0]
    assert (row["found"], row["right"], row["missed"]) == (len(together), len(together & true), len(true - together))
    assert row["precision"] == len(together & true) / len(together)
    assert row["recall"] == len(together & true) / len(true)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_most_true_pairs_are_found_and_few_wrong_ones(seed):
    simulated = simulate_orders(persons=300, seed=seed)
    row = link_customers(simulated.register, exact=["birth_year"]).accuracy(simulated.persons, [0.5]).iloc[0]
    assert row["precision"] > 0.9
    assert row["recall"] > 0.85


def test_tidy_registers_are_linked_without_error():
    simulated = simulate_orders(persons=200, seed=5, mess=0.0)
    found = link_customers(simulated.register).accuracy(simulated.persons, [0.9]).iloc[0]
    assert (found["precision"], found["recall"]) == (1.0, 1.0)


def test_weights_are_the_logarithm_of_m_over_u(links):
    seen = links.weights[(links.weights["m"] > 0.001) & (links.weights["u"] > 0.001)]
    assert seen["weight"].to_numpy() == pytest.approx(np.log2(seen["m"] / seen["u"]).to_numpy(), abs=1e-2)
    exact = links.weights[links.weights["agreement"].str.startswith("Exact")]
    assert (exact["weight"] > 3).all()
    assert (links.weights.loc[links.weights["agreement"] == "All other comparisons", "weight"] < 0).all()


def test_stricter_thresholds_never_join_more(links):
    sizes = [links.clusters(threshold)["master_id"].nunique() for threshold in (0.01, 0.1, 0.5, 0.9, 0.99, 1.0)]
    assert sizes == sorted(sizes)


def test_the_master_is_the_smallest_id_of_its_person(links):
    clusters = links.clusters()
    smallest = clusters.groupby("master_id")["customer_id"].min()
    assert smallest.tolist() == smallest.index.tolist()
    same = links.same()
    assert (same["customer_id"] > same["master_id"]).all()
    assert len(same) == len(clusters) - clusters["master_id"].nunique()


def test_links_are_followed():
    pairs = pd.DataFrame({"customer_id": ["1", "2"], "other_id": ["2", "3"], "probability": [0.95, 0.92]})
    chain = customers.CustomerLinks(pairs, pd.DataFrame(), pd.Series(["1", "2", "3", "4"]), 0.9, [])
    assert chain.clusters()["master_id"].tolist() == ["1", "1", "1", "4"]
    assert chain.clusters(0.94)["master_id"].tolist() == ["1", "1", "3", "4"]
    assert chain.clusters()["ids"].tolist() == [3, 3, 3, 1]


def test_the_same_register_gives_the_same_links(links, shops):
    again = link_customers(shops.register.sample(frac=1.0, random_state=3), exact=["birth_year"])
    pd.testing.assert_frame_equal(again.pairs, links.pairs)
    pd.testing.assert_frame_equal(again.weights, links.weights)


def test_linking_says_nothing(shops, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    link_customers(shops.register)
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.name.startswith("splink")] == []


def test_without_splink_the_remedy_is_named(shops, monkeypatch):
    monkeypatch.setitem(sys.modules, "splink", None)
    monkeypatch.setitem(sys.modules, "splink.comparison_library", None)
    with pytest.raises(InputError) as caught:
        link_customers(shops.register)
    assert str(caught.value) == (
        "link_customers needs the package splink, which is not installed. Install the course's packages: pip install "
        "'crmlab[course]'."
    )


@pytest.mark.parametrize(
    ("change", "options", "expected"),
    [
        (
            lambda table: table.drop(columns="phone"),
            {},
            "link_customers: the DataFrame has no column 'phone'; its columns are customer_id, shop, name, email, "
            "city, birth_year. Name the columns of customer, name, phone and email.",
        ),
        (
            lambda table: table.head(9),
            {},
            "link_customers: the DataFrame has 9 rows; fewer than 10 teach nothing about agreement.",
        ),
        (
            lambda table: table.assign(customer_id=["7", *table["customer_id"][1:-1], "7"]),
            {},
            "link_customers: the DataFrame has the id '7' more than once; expected one row per id. Number the rows, "
            "or put the shop before the id.",
        ),
        (
            lambda table: table.assign(customer_id=[None, *table["customer_id"][1:]]),
            {},
            "link_customers: the DataFrame has a row without an id. Every entry needs its id: correct the file.",
        ),
        (
            lambda table: table,
            {"threshold": 1.5},
            "link_customers: threshold 1.5 is no probability; expected more than 0, up to 1.",
        ),
    ],
)
def test_registers_that_cannot_be_linked_are_refused(shops, change, options, expected):
    with pytest.raises(InputError) as caught:
        link_customers(change(shops.register), **options)
    assert str(caught.value) == expected


def test_links_are_drawn_and_told(links, shops):
    ax = links.plot(shops.persons)
    first = links.accuracy(shops.persons, [0.05]).iloc[0]
    assert ax.get_lines()[0].get_ydata()[0] == first["precision"]
    assert ax.get_lines()[1].get_ydata()[0] == first["recall"]
    assert f"{first['recall']:.2f}" in style.alt(ax)
    assert json.loads(json.dumps(links.to_dict()))["ids"] == len(shops.register)
    assert f"{len(shops.register):,} ids" in links._repr_html_()


# Taxonomies -----------------------------------------------------------------------------------------------------------


def test_the_five_taxonomies_by_hand():
    people = pd.DataFrame(
        {
            "enquiries": [0, 3, 0, 1, 0],
            "orders": [0, 0, 1, 2, 9],
            "days_since_last": [None, None, 14, 15, 400],
            "amount": [0.0, None, 10.0, 20.0, 30.0],
            "temperament": ["多血质", " Choleric ", "", "胆汁质", "moody"],
            "birth_year": [2008, 1961, 1960, 1850, 2009],
            "membership": [True, False, "gold", None, "no"],
        }
    )
    found = label(people, as_of="2026-06-30", tiers={"large": 0.4, "medium": 0.3, "small": 0.3})
    assert found.data["stage"].tolist() == ["potential", "interested", "closed", "after-sale", "after-sale"]
    # Three buyers: 40 % are 1.2, rounded up two (30 and 20); 70 % are 2.1, all three.
    assert found.data["tier"].tolist() == [np.nan, np.nan, "medium", "large", "large"]
    assert found.data["temperament"].tolist() == ["sanguine", "choleric", np.nan, "choleric", np.nan]
    assert found.data["age_band"].tolist() == ["18–24", "65 and over", "65 and over", np.nan, "under 18"]
    assert found.data["membership"].tolist() == ["member", "guest", "member", "guest", "guest"]
    assert found.problems == [
        "2 of 5 customers have no tier: see amount.",
        "2 of 5 customers have no temperament: see temperament.",
        "1 of 5 customers have no age_band: see birth_year.",
    ]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60))
def test_tiers_follow_the_order_of_amounts_and_share_ties(amounts):
    tier = label(pd.DataFrame({"amount": amounts}), as_of="2026-01-01").data["tier"]
    ranks = tier.cat.codes.to_numpy()
    order = np.argsort(amounts, kind="stable")
    assert (np.diff(ranks[order]) >= 0).all(), "who spends more is never in a smaller tier"
    for amount in set(amounts):
        assert len({rank for rank, value in zip(ranks, amounts, strict=True) if value == amount}) == 1
    buyers = sum(amount > 0 for amount in amounts)
    assert (tier == "large").sum() >= buyers / 10


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_tiers_are_cut_as_grades_are(amounts):
    spent = pd.Series(amounts, name="amount", dtype=float)
    expected = tiers(spent, shares=TIERS).grade(spent.to_frame())
    assert label(spent.to_frame(), as_of="2026-01-01").data["tier"].tolist() == expected.tolist()


def test_cross_tabs_add_up():
    rng = np.random.default_rng(3)
    people = pd.DataFrame({"amount": rng.gamma(2, 50, 400), "birth_year": rng.integers(1940, 2005, 400)})
    labels = label(people, as_of="2026-01-01")
    counts = labels.cross_tab("age_band", "tier")
    assert counts.loc["all", "all"] == 400
    assert counts.index.tolist() == [*TAXONOMIES["age_band"].labels, "all"], "bands without customers are shown too"
    within = labels.cross_tab("age_band", "tier", share="rows").dropna()
    assert within[["small", "medium", "large"]].sum(axis=1).to_numpy() == pytest.approx(np.ones(len(within)))
    assert labels.cross_tab("age_band", "tier", share="all").loc["all", "large"] == 0.1
    assert labels.cross_tab("age_band", "tier", share="columns").loc["all"].tolist() == [1, 1, 1, 1]
    assert json.loads(json.dumps(labels.to_dict()))["labels"]["tier"]["large"] == 40


def test_labels_that_cannot_be_made_are_refused():
    with pytest.raises(InputError, match="no taxonomy can be applied to these columns"):
        label(pd.DataFrame({"x": [1]}), as_of="2026-01-01")
    with pytest.raises(InputError, match="no shares of small, medium and large that add up to 1"):
        label(pd.DataFrame({"amount": [1.0]}), as_of="2026-01-01", tiers={"large": 0.5, "medium": 0.3, "small": 0.3})
    labels = label(pd.DataFrame({"amount": [1.0]}), as_of="2026-01-01")
    with pytest.raises(InputError, match="there is no label 'stage'; there are tier"):
        labels.cross_tab("stage", "tier")
    with pytest.raises(InputError, match="share 'row' is not known"):
        labels.cross_tab("tier", "tier", share="row")


# Activity -------------------------------------------------------------------------------------------------------------


def bought(days: list, customer: str = "a") -> pd.DataFrame:
    return pd.DataFrame({"customer_id": customer, "date": pd.to_datetime(days), "amount": 10.0})


def activity(frame: pd.DataFrame, **options) -> float:
    return float(activity_index(Transactions(frame), **options)["activity"].iloc[0])


def test_who_always_bought_at_the_pace_stands_at_100():
    days = pd.date_range(end="2025-12-31", periods=100, freq="90D")
    assert activity(bought([*days])) == pytest.approx(100, abs=1e-9)


def test_activity_halves_in_a_half_life_of_silence():
    frame = bought(["2025-01-01", "2025-02-01"])
    assert activity(frame, as_of="2025-07-31") == pytest.approx(activity(frame, as_of="2025-02-01") / 2)


@settings(max_examples=15)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=12, unique=True), st.integers(0, 700))
def test_activity_rises_with_every_purchase(days, another):
    first = pd.Timestamp("2024-01-01")
    before = bought([first + pd.Timedelta(days=day) for day in days])
    after = pd.concat([before, bought([first + pd.Timedelta(days=another)])])
    rise = activity(after, as_of="2025-12-31") - activity(before, as_of="2025-12-31")
    assert rise == pytest.approx(0, abs=1e-9) if another in days else rise > 0


def test_activity_of_every_customer_of_cdnow_sample():
    """The formula once more, in pandas."""
    from crmlab.datasets import load_cdnow

    orders = load_cdnow(sample=True)
    found = activity_index(Transactions(orders), as_of="1998-06-30", pace_days=60, half_life_days=120)
    days = orders[["customer_id", "date"]].drop_duplicates()
    points = 2.0 ** (-(pd.Timestamp("1998-06-30") - days["date"]).dt.days / 120)
    expected = points.groupby(days["customer_id"]).sum() * 100 * (1 - 2**-0.5)
    assert found["customer_id"].tolist() == expected.index.tolist()
    assert found["activity"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-9)
    assert found["purchases"].tolist() == days.groupby("customer_id").size().tolist()


def test_goods_sent_back_are_no_purchase():
    frame = bought(["2025-01-01", "2025-02-01"])
    sent_back = frame.assign(date=pd.Timestamp("2025-03-01"), amount=-10.0)
    assert activity(pd.concat([frame, sent_back]), as_of="2025-03-01") == activity(frame, as_of="2025-03-01")


def test_activity_that_means_nothing_is_refused():
    with pytest.raises(InputError, match="as_of: '2025-01-010' is no day; expected a date such as 2026-01-31"):
        activity(bought(["2025-01-01", "2025-01-02"]), as_of="2025-01-010")
    with pytest.raises(InputError, match="half_life_days is 0; expected a number of days above 0"):
        activity(bought(["2025-01-01", "2025-01-02"]), half_life_days=0)
    with pytest.raises(InputError, match=r"nothing was bought up to 2024-01-01\. The first order is of 2025-01-01"):
        activity(bought(["2025-01-01", "2025-01-02"]), as_of="2024-01-01")


# Privacy --------------------------------------------------------------------------------------------------------------


def test_pseudonyms_are_hmac_sha256():
    """printf 7 | openssl dgst -sha256 -hmac 'a key of the lesson, known to all', OpenSSL 3, first 20 digits."""
    assert pseudonymise(pd.Series([7]), KEY).tolist() == ["f64cf2f7929e2f22872e"]


def test_the_same_id_has_one_pseudonym_however_it_is_held():
    pseudonyms = {pseudonymise(pd.Series([value]), KEY).iloc[0] for value in (7, 7.0, "7")}
    assert len(pseudonyms) == 1
    assert pseudonymise(pd.Series(["7"]), KEY + "!").iloc[0] not in pseudonyms


def test_missing_ids_stay_missing():
    found = pseudonymise(pd.Series([7.0, None, 7.0]), KEY)
    assert found.isna().tolist() == [False, True, False]
    assert found.iloc[0] == found.iloc[2]


def test_orders_and_register_can_still_be_joined(shops):
    orders = Transactions(shops.clean, order="order_id", keep=["shop"])
    hidden = pseudonymise(orders, KEY)
    assert (hidden.n, hidden.customers) == (orders.n, orders.customers)
    assert hidden.table.columns == orders.table.columns
    register = pseudonymise(shops.register, KEY)
    joined = hidden.to_pandas().merge(register, on=["customer_id", "shop"])
    assert len(joined) == orders.n
    spent = orders.to_pandas().astype({"customer_id": "str"}).groupby("customer_id")["amount"].sum()
    again = hidden.to_pandas().groupby("customer_id")["amount"].sum()
    assert sorted(spent.tolist()) == pytest.approx(sorted(again.tolist()))


def test_no_pseudonym_holds_its_id_and_no_result_its_key(shops):
    hidden = pseudonymise(shops.register, KEY)
    assert hidden["customer_id"].is_unique
    assert not set(hidden["customer_id"]) & set(shops.register["customer_id"])
    orders = pseudonymise(Transactions(shops.clean), KEY)
    assert KEY not in repr(vars(orders))


def test_weak_keys_and_missing_columns_are_refused(shops):
    with pytest.raises(InputError) as caught:
        pseudonymise(shops.register, "secret")
    assert str(caught.value) == (
        "pseudonymise: the key has 6 bytes; expected 16 or more, or it can be guessed. Make one with "
        "secrets.token_bytes(32)."
    )
    with pytest.raises(InputError, match="there is no column 'id'; the columns are customer_id, shop, name"):
        pseudonymise(shops.register, KEY, column="id")


def test_what_is_kept_names_nobody(shops):
    kept = minimise(shops.register, KEY)
    assert kept.columns.tolist() == ["customer_id", "shop", "city", "birth_year"]
    assert set(kept["birth_year"].str[-2:]) == {"0s"}
    text = kept.to_csv()
    for column in ("name", "phone", "email"):
        long = shops.register[column].str.strip().loc[lambda values: values.str.len() > 4]
        assert not any(value in text for value in long)


def test_every_field_has_advice_with_a_reason():
    table = what_to_keep()
    assert table.index.tolist() == [*ADVICE]
    assert set(table["do"]) == {"keep", "coarsen", "replace", "drop"}
    assert (table["reason"].str.len() > 10).all()
    assert (table.loc[table["do"].isin(["coarsen", "replace"]), "how"] != "").all()
    names = ["E-Mail", "手机电话", "BirthDate", "product_name", "Kundenname", "hat_size"]
    assert what_to_keep(names)["do"].tolist() == ["drop", "drop", "coarsen", "keep", "drop", "decide"]
    assert what_to_keep(["手机号码", "Mobile", "微信号"])["do"].tolist() == ["drop"] * 3
