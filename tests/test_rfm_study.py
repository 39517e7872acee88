"""The RFM study: what the command leaves behind, in both languages, and how bad input ends."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from crmlab import Transactions, cli, rfm
from crmlab.datasets import load_cdnow
from crmlab.studies import read_orders, rfm_report, write_rfm_study

FILES = {"report.html", "customers.parquet", "summary.json"}


@pytest.fixture(scope="module")
def analysis() -> rfm.RfmAnalysis:
    return rfm.analyse(Transactions(load_cdnow(sample=True), name="<b>orders</b>"), scheme="quantile")


def ended(capsys, *arguments) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        cli.main([str(argument) for argument in arguments])
    written = capsys.readouterr()
    return int(end.value.code or 0), written.out, written.err


@pytest.mark.slow
def test_one_command_makes_the_study(capsys, tmp_path) -> None:
    """Counts of CDNOW: Fader & Hardie (2001) and the data card; shares recomputed from the customers left behind."""
    code, out, err = ended(capsys, "rfm", "--data", "cdnow", "--scheme", "quantile", "--out", tmp_path / "study")
    assert code == 0, err
    assert re.fullmatch(r"23,570 customers in \d segments as of 1998-06-30, most of them .*report\.html\n", out)
    assert "Executing: 100%" in err
    assert {path.name for path in (tmp_path / "study").iterdir()} == FILES | {"notebook.ipynb"}
    study = json.loads((tmp_path / "study" / "summary.json").read_text(encoding="utf-8"))
    assert (study["customers"], study["transactions"], study["as_of"]) == (23_570, 69_659, "1998-06-30")
    customers = pd.read_parquet(tmp_path / "study" / "customers.parquet")
    revenue = customers["monetary"].sort_values(ascending=False)
    assert study["pareto"]["top_20"] == pytest.approx(revenue.iloc[: 23_570 // 5].sum() / revenue.sum())
    for name, found in study["segments"].items():
        members = customers[customers["segment"] == name]
        assert found["customers"] == len(members)
        assert found["share"] == pytest.approx(len(members) / len(customers))
        assert found["revenue_share"] == pytest.approx(members["monetary"].sum() / revenue.sum())
    updated = rfm.update(customers, Transactions(load_cdnow(sample=True)), "1998-07-31")
    assert updated["frequency"].sum() > customers["frequency"].sum(), "what was written can be updated"


@pytest.mark.slow
def test_bad_input_ends_with_2_and_leaves_the_folder(capsys, tmp_path) -> None:
    (tmp_path / "orders.csv").write_text("client,day,eur\n1,2026-01-05,3.5\n")
    kept = tmp_path / "study"
    before = sorted(tmp_path.iterdir())
    arguments = ["rfm", "--data", tmp_path / "orders.csv", "--customer", "client", "--date", "day", "--out", kept]
    code, out, err = ended(capsys, *arguments, "--amount", "euro")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].endswith(
        "Error: orders.csv has no column 'euro' (did you mean eur?); its columns are client, day, eur. Name the "
        "columns of customer, date and amount."
    )
    assert sorted(tmp_path.iterdir()) == before


def test_bad_choices_are_found_before_anything_runs(capsys, tmp_path) -> None:
    code, _, err = ended(capsys, "rfm", "--data", "cdnow", "--scheme", "quantil", "--out", tmp_path / "study")
    assert code == 2
    assert "scheme is 'quantil'; did you mean quantile? It must be one of rubric, quantile." in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_speaks_both_languages_and_escapes(analysis, language) -> None:
    page = rfm_report.html(analysis, language)
    assert {"en": "Champions", "zh": "重要价值客户"}[language] in page
    assert "&lt;b&gt;orders&lt;/b&gt;" in page
    assert "<b>orders</b>" not in page
    assert not re.search(r"(src|href)=\"http", page)
    assert page == rfm_report.html(analysis, language), "same analysis, same bytes"


def test_every_objection_to_the_rubric_is_said_in_chinese() -> None:
    """Expected by hand: the rubric's faults, and CDNOW counted in dollars, where nearly everybody has m = 4."""
    page = rfm_report.html(rfm.analyse(Transactions(load_cdnow(sample=True), name="cdnow"), scheme="rubric"), "zh")
    objections = page[page.index("请先读这里") : page.index("<nav")]
    assert objections.count("<li>") == 8
    assert 'lang="en"' not in objections
    assert "示例 R4F3M2 与区间矛盾，按区间应为 R2F2M2。" in objections
    assert "消费额：未注明单位。请说明 1 代表多少。" in objections
    assert re.search(r"9\d% 的顾客消费额得分同为 4", objections)


def test_the_map_is_drawn_where_the_page_lets_no_picture_in(analysis) -> None:
    """The page's Content-Security-Policy names no img-src, so an embedded picture would stay blank."""
    page = rfm_report.html(analysis)
    assert "default-src 'none'" in page
    assert "img-src" not in page
    assert "<image" not in page


def test_the_files_of_a_study(analysis, tmp_path) -> None:
    write_rfm_study(analysis, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    read = pd.read_parquet(tmp_path / "customers.parquet")
    pd.testing.assert_frame_equal(read, analysis.customers)
    assert rfm.segment(read)["segment"].equals(analysis.customers["segment"]), "the scale is kept in the file"


def test_orders_of_the_course_by_name() -> None:
    assert (read_orders("cdnow").n, read_orders("cdnow").name) == (69_659, "cdnow")
    assert not Path("cdnow").exists()
