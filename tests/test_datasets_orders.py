"""Orders to learn from: CDNOW is the published file, and what the generator calls damaged is damaged as it says."""

from __future__ import annotations

import hashlib
import re
from importlib.machinery import ModuleSpec
from pathlib import Path

import pandas as pd
import pytest

from crmlab import datasets
from crmlab.datasets import cdnow, load_cdnow, simulate_orders
from crmlab.datasets.orders import DEFECTS, HEADERS, REPAIRABLE

ROOT = Path(__file__).resolve().parents[1]


# CDNOW ----------------------------------------------------------------------------------------------------------------


def test_cdnow_has_the_published_customers_and_orders():
    """Fader & Hardie (2001): 23,570 customers, 69,659 orders; first orders in the first twelve weeks of 1997."""
    orders = load_cdnow()
    assert (len(orders), orders["customer_id"].nunique()) == (69_659, 23_570)
    assert (orders["date"].min(), orders["date"].max()) == (pd.Timestamp("1997-01-01"), pd.Timestamp("1998-06-30"))
    assert orders.groupby("customer_id")["date"].min().max() <= pd.Timestamp("1997-01-01") + pd.Timedelta(weeks=12)


def test_the_sample_holds_the_same_orders_of_a_tenth():
    """Fader, Hardie & Lee (2005) fit their models to 2,357 customers."""
    orders, sample = load_cdnow(), load_cdnow(sample=True)
    assert sample["customer_id"].nunique() == 2_357
    columns = [*sample.columns]
    of_them = orders[orders["customer_id"].isin(sample["customer_id"])]
    one, other = (table.sort_values(columns, ignore_index=True) for table in (of_them, sample))
    pd.testing.assert_frame_equal(one, other)


def test_the_sample_repeats_as_published():
    """Fader, Hardie & Lee (2005): 2,457 repeat purchases in the first 39 weeks, counted in days after the first."""
    sample = load_cdnow(sample=True)
    days = sample[sample["date"] <= "1997-09-30"].drop_duplicates(["customer_id", "date"])
    assert len(days) - days["customer_id"].nunique() == 2_457


def installed(monkeypatch: pytest.MonkeyPatch, folder: Path | None) -> None:
    """Pretend that lifetimes is installed in a folder, or not at all."""
    spec = None
    if folder is not None:
        spec = ModuleSpec("lifetimes", None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(cdnow, "find_spec", lambda name: spec)


def test_without_lifetimes_the_remedy_is_named(monkeypatch, tmp_path):
    installed(monkeypatch, None)
    with pytest.raises(ModuleNotFoundError) as caught:
        load_cdnow()
    assert str(caught.value) == (
        "cdnow: the orders come with the package lifetimes, which is not installed. Install the course's packages: pip "
        "install 'crmlab[course]'"
    )
    installed(monkeypatch, tmp_path)
    with pytest.raises(ImportError, match=re.escape("has no file datasets/CDNOW_master.txt")):
        load_cdnow()


def test_another_file_is_named(monkeypatch, tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "CDNOW_master.txt").write_text(" id date n usd\n 00001 19970101 1 11.77\n")
    installed(monkeypatch, tmp_path)
    with (
        pytest.warns(
            UserWarning, match=r"CDNOW_master.txt of the installed lifetimes is not the one crmlab was checked"
        ),
        pytest.raises(ImportError, match=r"has 1 orders of 1 customers; expected 69659 of 23570"),
    ):
        load_cdnow()


@pytest.mark.parametrize(("name", "sample"), [("CDNOW_master.txt", False), ("CDNOW_sample.txt", True)])
def test_the_card_says_what_is_installed(name, sample):
    content = cdnow._path(name).read_bytes()
    card = (ROOT / "datasets" / "cdnow.md").read_text(encoding="utf-8")
    row = next(line for line in card.splitlines() if f"/{name}`" in line)
    orders = load_cdnow(sample=sample)
    assert [cell.strip() for cell in row.split("|")[2:6]] == [
        f"{len(content):,}",
        f"{len(orders):,}",
        f"{orders['customer_id'].nunique():,}",
        f"`{hashlib.sha256(content).hexdigest()}`",
    ]


# The messy exports ----------------------------------------------------------------------------------------------------


def csv_hash(frame: pd.DataFrame) -> str:
    return hashlib.sha256(frame.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def test_the_same_seed_gives_the_bytes_of_the_card():
    card = (ROOT / "datasets" / "orders.md").read_text(encoding="utf-8")
    simulated = simulate_orders()
    for name in ("data", "register"):
        frame = getattr(simulated, name)
        assert f"`simulate_orders().{name}` | {len(frame):,} | `{csv_hash(frame)}`" in card
    assert f"holds the {len(simulated.clean):,} lines" in card
    assert csv_hash(simulate_orders(seed=1).data) != csv_hash(simulated.data)


LOOKS = {
    "date_formats": ("date", r"\d{4}/\d\d/\d\d|\d{8}|\d\d\.\d\d\.\d{4}|\d{4}年\d\d月\d\d日"),
    "decimal_ids": ("customer_id", r"\d{5}\.0"),
    "padded_ids": ("customer_id", r" \d{5}|\d{5} +"),
    "zero_padded_ids": ("customer_id", r"000\d{5}"),
    "missing_id": ("customer_id", r" ?"),
    "missing_date": ("date", r"|2025-02-30|unknown"),
    "missing_amount": ("amount", r"|n/a|see invoice"),
    "future_date": ("date", r"20[3-9]\d-\d\d-\d\d"),
    "cancellations": ("order_id", r"C\d{6}"),
    "returns": ("amount", r"-\d+\.\d\d"),
    "zero_amount": ("amount", r"0\.00"),
    "postage": ("product", r"POSTAGE 邮费"),
    "blacklist": ("customer_id", "99999"),
}
SOUND = {"order_id": r"\d{6}", "customer_id": r"[123]\d{4}", "date": r"202[45]-\d\d-\d\d", "amount": r"\d+\.\d\d"}


@pytest.mark.parametrize("kind", LOOKS)
def test_damaged_lines_look_damaged(kind):
    simulated = simulate_orders(persons=100, seed=4)
    rows = simulated.defects.loc[simulated.defects["defect"] == kind, "row"]
    column, pattern = LOOKS[kind]
    assert len(rows)
    assert simulated.data.loc[rows, column].str.fullmatch(pattern).all()


def test_all_other_lines_are_sound():
    simulated = simulate_orders(persons=100, seed=4)
    sound = simulated.data.drop(index=simulated.defects["row"])
    for column, pattern in SOUND.items():
        assert sound[column].str.fullmatch(pattern).all()
    assert not sound.duplicated().any()
    assert simulated.defects["row"].is_unique, "one defect a line"


def test_repeated_lines_equal_their_neighbour():
    simulated = simulate_orders(persons=100, seed=4)
    rows = simulated.defects.loc[simulated.defects["defect"] == "repeated_lines", "row"]
    assert simulated.data.duplicated().sum() == len(rows)
    assert simulated.data.duplicated()[rows].all()


def test_the_clean_lines_are_those_that_can_be_saved():
    simulated = simulate_orders(persons=100, seed=4)
    lost = simulated.defects.loc[~simulated.defects["defect"].isin(REPAIRABLE), "row"]
    assert simulated.clean["row"].tolist() == sorted(set(simulated.data.index) - set(lost))
    found = simulated.data.loc[simulated.clean["row"]].reset_index(drop=True)
    assert (found["order_id"] == simulated.clean["order_id"]).all()
    assert (pd.to_numeric(found["amount"]) == simulated.clean["amount"]).all()
    assert (found["customer_id"].str.extract(r"([123]\d{4})", expand=False) == simulated.clean["customer_id"]).all()


def test_asked_for_alone_a_defect_comes_alone():
    simulated = simulate_orders(persons=30, seed=2, defects={"padded_ids": 0.1})
    assert set(simulated.defects["defect"]) == {"padded_ids"}
    assert len(simulated.defects) == round(0.1 * len(simulated.data))
    assert simulate_orders(persons=30, seed=2, defects={}).defects.empty


def test_exports_hold_every_line_under_the_shops_own_header():
    simulated = simulate_orders(persons=30, seed=2)
    assert sum(map(len, simulated.exports.values())) == len(simulated.data)
    for shop, export in simulated.exports.items():
        own = simulated.data.columns.drop("shop")
        assert export.columns.tolist() == [HEADERS[shop].get(name, name) for name in own]


def test_four_persons_in_ten_stand_more_than_once():
    """40 % by design; the tolerance is four standard errors of a share of 2,000."""
    simulated = simulate_orders(persons=2_000, seed=8)
    ids = simulated.persons.groupby("person").size()
    assert len(ids) == 2_000
    assert (ids > 1).mean() == pytest.approx(0.4, abs=4 * (0.4 * 0.6 / 2_000) ** 0.5)
    together = simulated.register.merge(simulated.persons, on="customer_id")
    assert not together.duplicated(["person", "shop"]).any(), "once a shop"


def test_without_mess_a_person_is_written_down_alike():
    simulated = simulate_orders(persons=100, seed=3, mess=0.0)
    together = simulated.register.merge(simulated.persons, on="customer_id")
    written = together[["person", "name", "phone", "email", "city", "birth_year"]].drop_duplicates()
    assert written["person"].is_unique


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"persons": 9}, "persons: 9 is too few; expected 10 or more."),
        ({"defects": {"typo": 0.1}}, f"defects: 'typo' is not known; expected some of {', '.join(DEFECTS)}."),
        (
            {"defects": {"postage": 0.6}},
            "defects: the shares add up to 0.60; expected shares from 0 that add up to 0.5 at most.",
        ),
        ({"mess": 2}, "mess: 2 is not a probability; expected 0 to 1."),
    ],
)
def test_impossible_shops_are_refused(options, expected):
    with pytest.raises(ValueError, match=re.escape(expected)):
        simulate_orders(**options)


def test_both_are_in_the_catalogue():
    assert {"cdnow", "orders"} <= set(datasets.list().index)
