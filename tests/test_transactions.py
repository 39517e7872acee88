"""Orders: every way in gives the same table, both engines agree row by row, and bad files end in words.

Expected values are written in the test's own file contents, recomputed in pandas, or known from how the messy exports
were made; CDNOW's figures are those of Fader & Hardie (2001) and of the data card.
"""

from __future__ import annotations

import datetime as dt
import gc
import gzip
import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb
import ibis
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

import crmlab
from crmlab import InputError
from crmlab.datasets import load_cdnow, simulate_orders
from crmlab.plots import style
from crmlab.transactions import Transactions, clean, engines, to_frame
from crmlab.transactions.cleaning import ALWAYS, RULES

needs_spark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17, which is not installed here"),
    pytest.mark.skipif(find_spec("pyspark") is None, reason="Spark needs the extra: pip install 'crmlab[spark]'"),
    # The sockets between Python and Java are closed by the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

PLAIN = """customer_id,date,amount
7,2026-01-05,20.5
7,2026-02-01,35
9,2026-01-20,12.25
"""
ROWS = [(7, "2026-01-05", 20.5), (7, "2026-02-01", 35.0), (9, "2026-01-20", 12.25)]


def write(folder: Path, text: str, name: str = "orders.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def rows(transactions: Transactions) -> list[tuple]:
    """Customer, day and amount of every line, sorted."""
    frame = transactions.to_pandas()
    days = frame["date"].dt.strftime("%Y-%m-%d")
    return sorted(zip(frame["customer_id"].tolist(), days.tolist(), frame["amount"].tolist(), strict=True))


def refusal(source, *columns, **options) -> str:
    with pytest.raises(InputError) as caught:
        Transactions(source, *columns, **options)
    return str(caught.value)


# Every way in ---------------------------------------------------------------------------------------------------------


def frame_of_rows() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=["customer_id", "date", "amount"])


def as_csv(folder):
    return write(folder, PLAIN)


def as_semicolons(folder):
    return write(folder, PLAIN.replace(",", ";"))


def as_tabs(folder):
    return write(folder, PLAIN.replace(",", "\t"), "orders.txt")


def as_utf8_with_mark(folder):
    return write(folder, PLAIN, encoding="utf-8-sig")


def as_utf16(folder):
    return write(folder, PLAIN, encoding="utf-16")


def as_windows_lines(folder):
    return write(folder, PLAIN.replace("\n", "\r\n"))


def as_gzip(folder):
    (folder / "orders.csv.gz").write_bytes(gzip.compress(PLAIN.encode()))
    return folder / "orders.csv.gz"


def as_gzip_called_csv(folder):
    (folder / "orders.csv").write_bytes(gzip.compress(PLAIN.encode()))
    return folder / "orders.csv"


def as_parquet(folder):
    frame_of_rows().assign(date=lambda t: pd.to_datetime(t["date"])).to_parquet(folder / "orders.parquet")
    return folder / "orders.parquet"


def as_folder(folder):
    for place, part in enumerate((frame_of_rows()[:1], frame_of_rows()[1:])):
        part.to_parquet(folder / f"part{place}.parquet")
    return folder


def as_workbook(folder):
    book = openpyxl.Workbook()
    book.active.append(["customer_id", "date", "amount"])
    for customer, day, amount in ROWS:
        book.active.append([customer, dt.datetime.fromisoformat(day), amount])
    book.save(folder / "orders.xlsx")
    return folder / "orders.xlsx"


def as_frame(folder):
    return frame_of_rows()


def as_frame_of_times(folder):
    return frame_of_rows().assign(date=lambda t: pd.to_datetime(t["date"]) + pd.Timedelta(hours=23))


def as_frame_of_zoned_times(folder):
    late = pd.to_datetime(frame_of_rows()["date"]) + pd.Timedelta(hours=23)
    return frame_of_rows().assign(date=late.dt.tz_localize("America/New_York"))


def as_frame_of_dates(folder):
    return frame_of_rows().assign(date=lambda t: [dt.date.fromisoformat(day) for day in t["date"]])


def as_frame_of_categories(folder):
    return frame_of_rows().astype("category")


def as_frame_of_float_ids(folder):
    return frame_of_rows().astype({"customer_id": float})


def as_frame_of_whole_dates(folder):
    return frame_of_rows().assign(date=lambda t: t["date"].str.replace("-", "").astype(int))


def as_frame_with_index(folder):
    return frame_of_rows().set_index("customer_id")


def as_relation(folder):
    return duckdb.connect().from_df(frame_of_rows())


def as_ibis_table(folder):
    return engines.from_arrow(engines.connect("duckdb"), pa.table(frame_of_rows().to_dict("list")))


WAYS = [function for name, function in list(globals().items()) if name.startswith("as_")]
TOLD = {
    as_utf16: ["orders.csv is written in UTF-16, not in UTF-8; it was read as such."],
    as_gzip_called_csv: [
        "orders.csv is compressed with gzip although its name does not say so; it was read all the same."
    ],
    as_frame_of_float_ids: ["Customer ids are decimal numbers in the source; they were read as whole numbers."],
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_way_in_gives_the_same_table(way, tmp_path):
    transactions = Transactions(way(tmp_path))
    assert rows(transactions) == ROWS
    assert transactions.table.schema() == ibis.schema({"customer_id": "int64", "date": "date", "amount": "float64"})
    assert (transactions.n, transactions.customers) == (3, 2)
    assert transactions.period == (dt.date(2026, 1, 5), dt.date(2026, 2, 1))
    assert transactions.problems == TOLD.get(way, [])


def test_roles_are_renamed_and_kept_columns_keep_their_names(tmp_path):
    text = "Kunde,Tag,Wert,Nr,Ware,Ort,Bemerkung\n7,05.01.2026,20,A1,Tee,Wien,eilig\n"
    found = Transactions(
        write(tmp_path, text), "Kunde", "Tag", "Wert", order="Nr", product="Ware", region="Ort", keep=["Bemerkung"]
    )
    expected = ("customer_id", "date", "amount", "order_id", "product", "region", "Bemerkung")
    assert found.table.columns == expected
    assert found.to_pandas().iloc[0].tolist() == [7, pd.Timestamp("2026-01-05"), 20.0, "A1", "Tee", "Wien", "eilig"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "gbk", "utf-8-sig", "utf-16"])
def test_chinese_files_are_read_in_their_encoding(tmp_path, encoding):
    text = "会员号,日期,金额,商品\n张三,2026年1月5日,￥20.50,茶叶礼盒\n李四,2026年1月6日,35元,杯子\n"
    found = Transactions(write(tmp_path, text, encoding=encoding), "会员号", "日期", "金额", product="商品")
    frame = found.to_pandas().sort_values("date")
    assert frame["customer_id"].tolist() == ["张三", "李四"]
    assert frame["amount"].tolist() == [20.5, 35.0]
    assert frame["product"].tolist() == ["茶叶礼盒", "杯子"]


def test_an_encoding_can_be_named(tmp_path):
    path = write(tmp_path, PLAIN.replace("9,", "Å,"), encoding="cp1252")
    assert rows(Transactions(path, encoding="cp1252"))[-1][0] == "Å"


def test_texts_may_hold_delimiters_and_line_breaks(tmp_path):
    path = write(tmp_path, 'customer_id,date,amount,what\n7,2026-01-05,20,"tea, green\nand ""black"""\n')
    assert Transactions(path, keep=["what"]).to_pandas()["what"].tolist() == ['tea, green\nand "black"']


def test_cdnow_is_read_whole():
    """Customers and orders: Fader & Hardie (2001); sum and period computed by pandas from the file."""
    orders = load_cdnow()
    found = Transactions(orders)
    assert (found.n, found.customers) == (69_659, 23_570)
    assert found.period == (dt.date(1997, 1, 1), dt.date(1998, 6, 30))
    assert found.problems == []
    spent = to_frame(found.table.agg(amount=found.table.amount.sum()))["amount"].iloc[0]
    assert spent == pytest.approx(orders["amount"].sum(), rel=1e-12)


def test_the_door_leads_here():
    assert crmlab.Transactions is Transactions
    assert crmlab.transactions.clean is clean


# What a cell means ----------------------------------------------------------------------------------------------------

DATES = {
    "2026-01-31": "2026-01-31",
    "2026-1-3": "2026-01-03",
    "2026-01-31 23:59:59": "2026-01-31",
    "2026-01-31T08:00:00Z": "2026-01-31",
    "2026/1/31": "2026-01-31",
    "2026.01.31": "2026-01-31",
    "20260131": "2026-01-31",
    "2026年1月31日": "2026-01-31",
    "31.1.2026": "2026-01-31",
    " 2026-01-31 ": "2026-01-31",
    "31/1/2026": "2026-01-31",
    "1/31/2026": "2026-01-31",
    "2024-02-29": "2024-02-29",
    "2025-02-29": None,
    "2026-13-01": None,
    "31.11.2026": None,
    "45123": None,
    "soon": None,
    "": None,
}
AMOUNTS = {
    "12": 12.0,
    "-12.50": -12.5,
    ".5": 0.5,
    "1e3": 1000.0,
    "1,234.50": 1234.5,
    "1,234,567": 1234567.0,
    "12,5": 12.5,
    "(12.50)": -12.5,
    "¥12": 12.0,
    "￥ 1,200": 1200.0,
    "-$7.5": -7.5,
    "$-7.5": -7.5,
    "12 元": 12.0,
    "USD 12": 12.0,
    "12 eur": 12.0,
    " 12 ": 12.0,
    "1.2.3": None,
    "12 pieces": None,
    "n/a": None,
    "inf": None,
    "nan": None,
    "": None,
}


def read_by(cells: dict, role: str) -> dict:
    """What the lines say about cells; a sound line stands below them."""
    sound = {"customer_id": "k", "date": "2026-01-01", "amount": "1"}
    data = pd.DataFrame([*({**sound, role: cell} for cell in cells), sound]).assign(place=range(len(cells) + 1))
    lines = to_frame(Transactions(data, keep=["place"]).lines.order_by("place"))[role][: len(cells)]
    values = lines.dt.strftime("%Y-%m-%d") if role == "date" else lines
    return dict(zip(cells, [None if pd.isna(value) else value for value in values], strict=True))


def test_dates_are_read_as_written():
    assert read_by(DATES, "date") == DATES


def test_amounts_are_read_as_written():
    assert read_by(AMOUNTS, "amount") == AMOUNTS


@pytest.mark.parametrize("written", ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日", "%d.%m.%Y"])
def test_every_day_of_two_centuries_is_read(written):
    days = pd.Series(pd.date_range("1900-01-01", "2100-12-31"))
    data = pd.DataFrame({"customer_id": days.index, "date": days.dt.strftime(written), "amount": 1.0})
    found = Transactions(data).to_pandas().sort_values("customer_id")["date"]
    assert (found.to_numpy() == days.to_numpy()).all()


@pytest.mark.parametrize(
    ("dates", "day_first", "expected"),
    [
        (["5/1/2026", "31/1/2026"], None, "2026-01-05"),  # 31/1 shows that the day is first
        (["5/1/2026", "1/31/2026"], None, "2026-05-01"),
        (["5/1/2026", "6/1/2026"], None, "2026-05-01"),  # nothing shows it: month first, and said
        (["5/1/2026", "6/1/2026"], True, "2026-01-05"),
        (["5/1/2026", "31/1/2026"], False, "2026-05-01"),
    ],
)
def test_day_and_month_follow_the_dates_that_can_be_read_in_one_way(dates, day_first, expected):
    data = pd.DataFrame({"customer_id": [1, 2], "date": dates, "amount": 1.0})
    found = Transactions(data, day_first=day_first)
    assert rows(found)[0][1] == expected
    order = "day first" if expected.startswith("2026-01") else "month first"
    assert any(f"read {order}" in problem for problem in found.problems)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["7", "12"], [7, 12]),
        (["7.0", "12.0"], [7, 12]),
        (["007", "12"], ["007", "12"]),
        (["A7", "12.0"], ["A7", "12"]),
        ([7.0, 12.0], [7, 12]),
        ([7, 12], [7, 12]),
        ([7, "A12"], ["7", "A12"]),
        (["123456789012345678", "1"], [123456789012345678, 1]),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"]),
    ],
)
def test_ids_are_whole_numbers_only_when_nothing_is_lost(ids, expected):
    data = pd.DataFrame({"customer_id": pd.Series(ids), "date": "2026-01-05", "amount": [1.0, 2.0]})
    frame = Transactions(data).to_pandas().sort_values("amount")
    assert frame["customer_id"].tolist() == expected


# Bad files ------------------------------------------------------------------------------------------------------------


def test_a_missing_column_is_named_with_its_likely_spelling(tmp_path):
    assert refusal(as_csv(tmp_path), "customer_no") == (
        "orders.csv has no column 'customer_no' (did you mean customer_id?); its columns are customer_id, date, "
        "amount. "
        "Name the columns of customer, date and amount."
    )


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "none.csv"
    assert refusal(path) == (
        f"There is no file {path}. Expected a CSV, XLSX or Parquet file of orders; correct the path."
    )


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file_is_refused(tmp_path, content):
    (tmp_path / "orders.csv").write_bytes(content)
    assert refusal(tmp_path / "orders.csv") == (
        "orders.csv is empty. Expected a CSV, XLSX or Parquet file of orders: a header of column names, then one line "
        "per order."
    )


def test_a_file_with_a_header_only_is_refused(tmp_path):
    assert refusal(write(tmp_path, "customer_id,date,amount\n")) == (
        "orders.csv has column names but no line. Expected one line per order or article."
    )


@pytest.mark.parametrize(
    "names", [["customer_id", "date", "amount", "Amount"], ["customer_id", "date", "amount", "DATE"]]
)
def test_names_that_differ_by_case_only_are_refused(names, tmp_path):
    frame = pd.DataFrame([[1, "2026-01-01", 2.0, 3.0]], columns=names)
    twin = {"Amount": "'amount' and 'Amount'", "DATE": "'date' and 'DATE'"}[names[-1]]
    ending = f"the columns {twin} differ in upper and lower case only. Databases do not tell them apart: rename one."
    assert refusal(frame) == f"the DataFrame: {ending}"
    assert refusal(write(tmp_path, frame.to_csv(index=False))) == f"orders.csv: {ending}"


def test_no_readable_line_is_refused_with_the_first_rows(tmp_path):
    text = refusal(write(tmp_path, "customer_id,date,amount\n1,soon,5\n2,later,6\n"))
    assert text == (
        "orders.csv: no line has a customer, a date and an amount that can be read. 2 lines with a date that cannot be "
        "read (row 2: 'soon', row 3: 'later'); left out. Expected days such as 2026-01-31, 31.01.2026 or 20260131. "
        "Correct the file, or name other columns."
    )


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("date", [True, False], "date: the column is of type boolean; expected dates, or texts such as 2026-01-31."),
        (
            "amount",
            [True, False],
            "amount: the column is of type boolean; expected numbers, or texts such as 1,234.50.",
        ),
        (
            "customer_id",
            [1.5, 2.0],
            "the DataFrame: the customer id 1.5 is no whole number. Ids are whole numbers or texts: name another "
            "column.",
        ),
    ],
)
def test_columns_of_the_wrong_kind_are_refused(column, values, expected):
    frame = pd.DataFrame({"customer_id": [1, 2], "date": "2026-01-01", "amount": 1.0}).assign(**{column: values})
    assert refusal(frame) == expected


def test_ragged_lines_are_refused_with_their_line(tmp_path):
    text = refusal(write(tmp_path, PLAIN + "9,2026-01-20,12.25,surplus\n"))
    assert text.startswith("orders.csv cannot be read as text delimited by ','")
    assert "ine: 5" in text or "ine 5" in text


def test_damaged_and_foreign_files_are_refused(tmp_path):
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(PLAIN.encode())[:-9])
    assert refusal(tmp_path / "cut.csv.gz").startswith("cut.csv.gz: the compressed file is damaged")
    (tmp_path / "odd.csv").write_bytes(b"customer_id,date,amount\n\xff\xff,2026-01-01,1\n")
    assert refusal(tmp_path / "odd.csv") == (
        "odd.csv: the text is in none of the encodings utf-8, gb18030. Save it as CSV UTF-8, or name its encoding, for "
        "example encoding='cp1252'."
    )
    (tmp_path / "odd.parquet").write_bytes(b"PAR1 and nothing else")
    assert refusal(tmp_path / "odd.parquet").startswith("odd.parquet cannot be read as Parquet:")
    (tmp_path / "odd.xlsx").write_bytes(b"PK\x03\x04 and nothing else")
    assert refusal(tmp_path / "odd.xlsx").startswith("odd.xlsx looks like an XLSX workbook but cannot be opened")
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0 and more")
    assert refusal(tmp_path / "old.xls").startswith("old.xls is an old .xls workbook")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    assert "picture.csv" in refusal(tmp_path / "picture.csv")


def test_other_objects_and_engines_are_refused(tmp_path):
    assert refusal([1, 2]) == (
        "Transactions: orders cannot be read from a list. Expected a pandas DataFrame, the path of a CSV, XLSX or "
        "Parquet "
        "file, a DuckDB relation, a Spark DataFrame or an Ibis table."
    )
    assert refusal(frame_of_rows(), engine="polars") == (
        "engine: 'polars' is not known; expected 'duckdb' (in process) or 'spark'."
    )
    assert refusal(as_ibis_table(tmp_path), engine="spark") == (
        "engine: the table lives on duckdb, and spark was asked for. Leave engine out to compute where the table is, "
        "or write it to Parquet and pass that file."
    )
    assert refusal(as_csv(tmp_path), sheet="May") == (
        "orders.csv is not an XLSX workbook, so it has no sheet 'May'. Leave sheet out."
    )


def test_what_is_wrong_with_lines_is_told_with_rows(tmp_path):
    text = (
        "customer_id,date,amount\n1.0,2026-01-05,12\n 2,2026-01-06,-4\n,2026-01-07,5\n3,2026-02-31,6\n4,,7\n"
        "5,2026-01-08,abc\n6,2026-01-09,\n7,20260110,8\n"
    )
    assert Transactions(write(tmp_path, text)).problems == [
        "1 line without a customer id (row 4); left out.",
        "1 line without a date (row 6); left out.",
        "1 line with a date that cannot be read (row 5: '2026-02-31'); left out. Expected days such as 2026-01-31, "
        "31.01.2026 or 20260131.",
        "1 line without an amount (row 8); left out.",
        "1 line with an amount that cannot be read (row 7: 'abc'); left out. Expected numbers such as 1234.50 or "
        "1,234.50.",
        "1 line with a customer id that a spreadsheet turned into a decimal number (row 2: '1.0'); read without the "
        "decimals.",
        "1 line with spaces around the customer id (row 3: ' 2'); taken as other customers than those without. Use "
        "clean().",
        "1 line with a negative amount (row 3: -4.0): returns or cancellations? They count as they are. Use clean() to "
        "take them out.",
        "Dates are written in 2 ways: year-month-day (6), yearmonthday (1). Each was read in its own way; check their "
        "order.",
    ]


def test_mixed_currencies_are_flagged(tmp_path):
    signs = write(tmp_path, "customer_id,date,amount\n1,2026-01-05,¥12\n1,2026-01-05,¥3\n2,2026-01-06,$4\n")
    told = (
        "Amounts are in more than one currency: CNY (2), USD (1). They are not converted: adding them up means nothing."
    )
    assert Transactions(signs).problems == [told]
    column = frame_of_rows().assign(currency=["CNY", "CNY", "USD"])
    assert Transactions(column, currency="currency").problems == [told]


def test_one_customer_and_one_day_are_told():
    frame = pd.DataFrame({"customer_id": [1, 1], "date": "2026-01-05", "amount": [1.0, 2.0]})
    assert Transactions(frame).problems == [
        "All lines belong to one customer: customers cannot be compared. Check the customer column.",
        "All lines are of 2026-01-05: nothing can be said about recency or change. Check the date column.",
    ]


def test_shown_as_html_every_name_is_escaped():
    page = Transactions(frame_of_rows().rename(columns={"amount": "<b>"}), amount="<b>")._repr_html_()
    assert "3 lines, 2 customers, 2026-01-05 to 2026-02-01, amount 67.75" in page
    assert "&lt;b&gt;" in page
    assert "amount ← <b>" not in page


def test_the_rows_of_a_table_go_when_nobody_holds_it():
    connection = engines.connect("duckdb")

    def number() -> int:
        with connection.con.cursor() as cursor:
            return cursor.execute("SELECT count(*) FROM duckdb_tables()").fetchone()[0]

    gc.collect()
    before = number()
    held = Transactions(frame_of_rows()).table
    assert number() > before
    assert len(to_frame(held)) == 3
    del held
    gc.collect()
    assert number() == before


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    """Files of 30 and 120 MB: their peaks may differ by far less than the 90 MB between."""
    peaks = [peak_of_reading(tmp_path / f"{millions}.csv", millions) for millions in (1, 4)]
    assert peaks[1] - peaks[0] < 45_000


def peak_of_reading(path: Path, millions: int) -> int:
    """Peak memory in kB of a process that reads so many million lines in GBK, which are rewritten first."""
    line = "{},2025-0{}-1{},{}.5,运动鞋\n"
    lines = (line.format(i % 5000, 1 + i % 9, i % 9, i % 300) for i in range(100_000))
    block = "".join(lines).encode("gbk")
    with path.open("wb") as file:
        file.write("customer_id,date,amount,what\n".encode("gbk"))
        file.writelines(block for _ in range(10 * millions))
    code = (
        "import resource, sys\nfrom crmlab.transactions import Transactions, engines\n"
        "engines.run(engines.connect('duckdb'), \"SET GLOBAL memory_limit = '200MB'\")\n"
        "found = Transactions(sys.argv[1])\nassert found.n == int(sys.argv[2])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path), str(millions * 1_000_000)], capture_output=True, text=True, check=True
    )
    return int(run.stdout)


# Cleaning -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def messy():
    return simulate_orders(seed=3)


def of(messy, **options) -> Transactions:
    roles = {"order": "order_id", "product": "product", "quantity": "quantity", "channel": "shop"}
    return Transactions(messy.data, **roles, **options)


@pytest.fixture(scope="module")
def cleaned(messy):
    return clean(of(messy), as_of=messy.as_of, blacklist=messy.blacklist)


def test_each_rule_finds_the_lines_that_were_damaged(messy, cleaned):
    steps = cleaned[1].steps.set_index("rule")
    found = (steps["removed"] + steps["changed"])[lambda numbers: numbers > 0].to_dict()
    assert found == messy.defects["defect"].value_counts().to_dict()


def test_the_lines_left_are_those_without_defect(messy, cleaned):
    columns = ["customer_id", "date", "amount", "order_id", "quantity", "product"]
    found = cleaned[0].to_pandas().sort_values("order_id", ignore_index=True)[columns]
    expected = messy.clean.astype({"customer_id": "int64", "quantity": float, "date": found["date"].dtype})
    pd.testing.assert_frame_equal(found, expected.sort_values("order_id", ignore_index=True)[columns])


def test_nothing_is_removed_without_a_line_in_the_report(messy, cleaned):
    result, report = cleaned
    assert report.steps["rule"].tolist() == [rule.name for rule in RULES]
    assert report.steps["lines_in"].iloc[0] == len(messy.data)
    assert (report.steps["lines_out"] == report.steps["lines_in"] - report.steps["removed"]).all()
    assert (report.steps["lines_in"].iloc[1:].to_numpy() == report.steps["lines_out"].iloc[:-1].to_numpy()).all()
    assert report.steps["lines_out"].iloc[-1] == result.n


def test_amounts_of_removed_lines_add_up(messy, cleaned):
    """All amounts that can be read are either left or told as removed."""
    readable = pd.to_numeric(messy.data["amount"], errors="coerce").sum()
    removed = cleaned[1].steps.loc[lambda steps: steps["removed"] > 0, "amount"].sum()
    assert cleaned[0].to_pandas()["amount"].sum() + removed == pytest.approx(readable, abs=0.005)


def test_examples_are_the_first_rows_with_the_defect(messy, cleaned):
    examples = cleaned[1].examples
    for rule, rows_of_rule in examples.groupby("rule")["row"]:
        damaged = messy.defects.loc[messy.defects["defect"] == rule, "row"] + 2
        if rule != "repeated_lines":  # of two equal lines either may be called the copy
            assert rows_of_rule.tolist() == damaged.head(3).tolist()


@pytest.mark.parametrize("rule", [rule.name for rule in RULES if rule.name not in ALWAYS])
def test_a_rule_that_is_switched_off_does_nothing(messy, rule):
    _, report = clean(of(messy), as_of=messy.as_of, blacklist=messy.blacklist, skip=[rule])
    step = report.steps.set_index("rule").loc[rule]
    assert (step["applied"], step["removed"], step["changed"]) == ("switched off", 0, 0)
    assert f"Switched off: {rule}." in report.problems


def test_cleaning_twice_changes_nothing(messy, cleaned):
    _, report = clean(cleaned[0], as_of=messy.as_of, blacklist=messy.blacklist)
    assert report.steps[["removed", "changed"]].to_numpy().sum() == 0


def test_known_duplicates_are_put_under_one_id(messy, cleaned):
    same = pd.DataFrame({"customer_id": ["10002", "20001"], "master_id": ["10001", "10001"]})
    merged, report = clean(of(messy), as_of=messy.as_of, blacklist=messy.blacklist, same=same)
    counts = cleaned[0].to_pandas()["customer_id"].value_counts()
    joined = merged.to_pandas()["customer_id"].value_counts()
    assert joined[10001] == counts[[10001, 10002, 20001]].sum()
    assert not {10002, 20001} & set(joined.index)
    assert report.steps.set_index("rule").loc["same_customer", "changed"] > 0


def test_who_is_on_the_blacklist_goes_under_every_id_and_writing():
    lines = pd.DataFrame(
        {"customer_id": ["A", "B", "C", "0007", " 8"], "date": "2026-01-05", "amount": [1.0, 2, 3, 4, 5]}
    )
    same = pd.DataFrame({"customer_id": ["B"], "master_id": ["A"]})
    left, _ = clean(Transactions(lines), as_of="2026-02-01", same=same, blacklist=["B", "0007", 8.0])
    assert left.to_pandas()["customer_id"].tolist() == ["C"]
    apart, _ = clean(
        Transactions(lines), as_of="2026-02-01", same=same, blacklist=["B"], skip=["same_customer", "zero_padded_ids"]
    )
    assert set(apart.to_pandas()["customer_id"]) == {"A", "C", "0007", "8"}


def test_attributes_join_each_line_once(messy):
    people = messy.register[["customer_id", "city"]].iloc[10:]
    enriched, report = clean(of(messy), as_of=messy.as_of, blacklist=messy.blacklist, attributes=people)
    frame = enriched.to_pandas()
    assert len(frame) == len(messy.clean)
    city = people.astype({"customer_id": int}).set_index("customer_id")["city"]
    expected = frame["customer_id"].map(city)
    assert (frame["city"].fillna("?") == expected.fillna("?")).all()
    without = int(expected.isna().sum())
    assert f"{without:,} of {len(frame):,} lines are of customers without attributes." in report.problems


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"skip": ["typo"]},
            "clean: 'typo' is no rule. Rules that can be switched off: date_formats, decimal_ids, padded_ids, "
            "zero_padded_ids, same_customer, repeated_lines, future_date, cancellations, returns, zero_amount, "
            "postage, blacklist, attributes.",
        ),
        ({"as_of": "soon"}, "as_of: 'soon' is no day; expected a date such as 2026-01-31."),
        (
            {"same": pd.DataFrame({"customer_id": ["1"]})},
            "clean: same has no column 'master_id'; its columns are customer_id.",
        ),
        (
            {"attributes": pd.DataFrame({"customer_id": [7, 7], "x": [1, 2]})},
            "clean: attributes has the customer '7' in 2 rows; expected one row per customer, because lines would be "
            "counted more than once. Remove the repeated rows.",
        ),
    ],
)
def test_wrong_arguments_of_clean_are_refused(messy, options, expected):
    with pytest.raises(InputError) as caught:
        clean(of(messy), **options)
    assert str(caught.value) == expected


def test_cleaning_that_cannot_be_done_is_refused(messy):
    orders = of(messy)
    with pytest.raises(InputError, match="'missing_id' cannot be switched off"):
        clean(orders, skip=["missing_id"])
    with pytest.raises(InputError, match=r"no line of the DataFrame is left; the rule future_date alone removed"):
        clean(orders, as_of="2000-01-01")
    with pytest.raises(InputError, match=r"the columns 'product' and 'product' have the same name"):
        clean(orders, attributes=pd.DataFrame({"customer_id": [1], "product": ["x"]}))


def test_the_report_is_drawn_and_told(cleaned):
    _, report = cleaned
    ax = report.plot()
    assert ax.get_title(loc="left").startswith(f"From {report.steps['lines_in'].iloc[0]:,} lines")
    told = [text.get_text() for text in ax.texts]
    for _, step in report.steps[report.steps["removed"] > 0].iterrows():
        assert f"{step['rule']} {step['removed']:,}" in told
        assert f"{step['rule']} {step['removed']:,}" in style.alt(ax)
    assert json.loads(json.dumps(report.to_dict()))["steps"][0]["rule"] == "date_formats"
    assert "repeated_lines" in report._repr_html_()


# Both engines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (
            {"total": [1.0]},
            "shop: b.parquet has no column 'amount', which a.parquet has. Expected the same columns in every file; "
            "rename the column, or read the files one by one.",
        ),
        (
            {"amount": ["1"]},
            "shop: the column 'amount' is of type double in a.parquet and large_string in b.parquet. Write the files "
            "again with one type.",
        ),
    ],
)
def test_parquet_files_of_a_folder_that_differ_are_refused(tmp_path, second, said):
    folder = tmp_path / "shop"
    folder.mkdir()
    who = {"customer_id": [7], "date": ["2026-01-05"]}
    pd.DataFrame({**who, "amount": [2.0]}).to_parquet(folder / "a.parquet")
    pd.DataFrame({**who, **second}).to_parquet(folder / "b.parquet")
    with pytest.raises(InputError) as refused:
        Transactions(folder)
    assert str(refused.value) == said


def test_a_column_that_only_later_files_have_is_told(tmp_path):
    line = pd.DataFrame({"customer_id": [7], "date": ["2026-01-05"], "amount": [2.0]})
    line.to_parquet(tmp_path / "a.parquet")
    line.assign(shop="north").to_parquet(tmp_path / "b.parquet")
    found = Transactions(tmp_path)
    assert found.n == 2
    assert found.problems[0] == (
        f"{tmp_path.name}: the column 'shop' was not read; b.parquet has it, a.parquet does not."
    )


def test_one_currency_in_two_writings_is_one():
    lines = pd.DataFrame({"customer_id": [1, 2], "date": "2026-01-05", "amount": 1.0, "currency": ["EUR", " eur"]})
    assert not [said for said in Transactions(lines, currency="currency").problems if "currency" in said]


class TestSpark:
    """The same code gives the same table on Spark as on DuckDB, row by row."""

    pytestmark = needs_spark

    def test_cells_are_read_alike(self):
        cells = [*DATES, *AMOUNTS]
        data = pd.DataFrame({"customer_id": [" 7", "007", "7.0", "x", ""] + ["k"] * (len(cells) - 5)})
        data = data.assign(date=[*DATES, *["2026-01-01"] * len(AMOUNTS)], amount=[*["1"] * len(DATES), *AMOUNTS])
        data["place"] = range(len(data))
        tables = [
            to_frame(found.lines.drop(*row_column(found.engine)).order_by("place"))
            for found in (Transactions(data, keep=["place"], engine=engine) for engine in ("duckdb", "spark"))
        ]
        pd.testing.assert_frame_equal(*tables)

    def test_files_are_read_alike(self, messy, tmp_path):
        path = write(tmp_path, messy.data[:300].to_csv(index=False), encoding="gbk")
        tables = [Transactions(path, order="order_id", engine=engine).to_pandas() for engine in ("duckdb", "spark")]
        tables = [table.sort_values([*table.columns], ignore_index=True) for table in tables]
        pd.testing.assert_frame_equal(*tables)

    def test_cleaning_is_alike(self, messy):
        small = messy.data[:600].reset_index(drop=True)
        people = messy.register[["customer_id", "city"]]
        results = []
        for engine in ("duckdb", "spark"):
            orders = Transactions(small, order="order_id", product="product", engine=engine)
            options = {"as_of": messy.as_of, "blacklist": messy.blacklist, "attributes": people}
            result, report = clean(orders, **options)
            assert result.engine == engine
            results.append((result.to_pandas().sort_values("order_id", ignore_index=True), report.steps))
        pd.testing.assert_frame_equal(results[0][0], results[1][0])
        pd.testing.assert_frame_equal(results[0][1], results[1][1])

    def test_problems_are_alike_but_for_the_rows(self):
        data = pd.DataFrame({"customer_id": ["1.0", ""], "date": ["2026-01-05", "5/1/2026"], "amount": ["¥1", "$-2"]})
        told = [Transactions(data, engine=engine).problems for engine in ("duckdb", "spark")]
        assert [re.sub(r" ?\(row[^)]*\)| \('[^)]*\)| \(-[^)]*\)", "", problem) for problem in told[0]] == [
            re.sub(r" \('[^)]*\)| \(-[^)]*\)", "", problem) for problem in told[1]
        ]


def row_column(engine: str) -> list[str]:
    """Lines of DuckDB know their row."""
    return ["row"] if engine == "duckdb" else []
