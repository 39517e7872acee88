"""Answers from files: encodings, numbers, labels, missing codes, and every objection in its exact words.

Expected values are counted by hand from the small tables written in each test.
"""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal

from crmlab.errors import InputError
from crmlab.questionnaire import Questionnaire
from crmlab.responses import Responses, files, read_responses, read_table, recode, table
from crmlab.responses.cells import usual_sets


def design(scale: str = "{min: 1, max: 5}", extra: str = "", second: str = "reverse: true") -> Questionnaire:
    """Two items, S1 and S2, the second one reversed."""
    return Questionnaire.from_text(f"""
crmlab_questionnaire: 1
name: tea
title: {{en: Tea survey, zh: 茶叶调查}}
index: Satisfaction
scale: {scale}
{extra}
constructs:
  Satisfaction:
    label: {{en: Satisfaction, zh: 满意度}}
    facets:
      - label: {{en: Overall, zh: 总体}}
        items:
          S1: {{en: The tea is good, zh: 茶很好}}
          S2: {{en: The tea is too expensive, zh: 茶太贵, {second}}}
""")


TEA = design()
SHOP = design(extra="id: respondent\ngroups: {branch: {en: Branch, zh: 门店}}\nmissing: [99, -1, refused to say]")

# What a spreadsheet holds, and what it says: S2 is reversed, so 1 becomes 6 − 1 = 5.
RECORDS = [
    ["respondent", "S1", "S2", "branch"],
    ["a1", "5", "1", "北京东店"],
    ["a2", "非常满意", "99", "上海店"],
    ["a3", "", "２", "North, old town"],
    ["a4", "2.0", " 5 ", ""],
]
ANSWERS = pd.DataFrame(
    {
        "S1": [5.0, 5.0, np.nan, 2.0],
        "S2": [5.0, np.nan, 4.0, 1.0],
        "branch": pd.Series(["北京东店", "上海店", "North, old town", None], index=[2, 3, 4, 5], dtype="str"),
    },
    index=pd.Index([2, 3, 4, 5], name="row"),
)
IDS = pd.Series(["a1", "a2", "a3", "a4"], index=ANSWERS.index, name="respondent", dtype="str")


def text_of(records: list[list[str]], delimiter: str = ",", newline: str = "\r\n") -> str:
    quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in records]
    return "".join(delimiter.join(row) + newline for row in quoted)


def written(path: Path, text: str, codec: str = "utf-8") -> Path:
    path.write_bytes(text.encode(codec))
    return path


def workbook(path: Path, rows: list[list[Any]], title: str = "Data") -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def read_frame(**columns: Any) -> Responses:
    return read_responses(pd.DataFrame(columns), TEA)


def message(call: Callable[[], Any]) -> str:
    with pytest.raises(InputError) as caught:
        call()
    return str(caught.value)


# ---------------------------------------------------------------------------------- one table, every kind of file


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("codec", "stated"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with BOM"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16 without BOM"),
        ("utf-16-be", "UTF-16 without BOM"),
        ("utf-32", "UTF-32"),
        ("gbk", "GBK"),
    ],
)
def test_every_encoding_and_delimiter_gives_the_same_answers(
    tmp_path: Path, codec: str, stated: str, delimiter: str, newline: str
) -> None:
    path = written(tmp_path / "tea.csv", text_of(RECORDS, delimiter, newline), codec)
    responses = read_responses(path, SHOP)
    assert_frame_equal(responses.data, ANSWERS)
    assert responses.ids is not None
    assert_series_equal(responses.ids, IDS)
    assert (responses.encoding, responses.source, responses.n) == (stated, "tea.csv", 4)


def test_a_character_outside_gbk_makes_it_gb18030(tmp_path: Path) -> None:
    records = [*RECORDS, ["a5", "1", "1", "𠮷祥茶叶店"]]
    responses = read_responses(written(tmp_path / "tea.csv", text_of(records), "gb18030"), SHOP)
    assert responses.encoding == "GB18030"
    assert responses.data["branch"].tolist()[-1] == "𠮷祥茶叶店"


@pytest.mark.parametrize("codec", ["gb18030", "utf-8", "utf-8-sig", "big5"])
def test_a_named_encoding_is_used_and_stated(tmp_path: Path, codec: str) -> None:
    path = written(tmp_path / "tea.csv", "S1,S2,note\n5,1,台北\n", codec)
    responses = read_responses(path, TEA, encoding=codec)
    assert responses.data.to_numpy().tolist() == [[5, 5]]
    assert responses.encoding == codec


@pytest.mark.parametrize(("codec", "word"), [("cp1252", "Nürnberg"), ("cp1252", "Größe"), ("big5", "台灣臺北")])
def test_other_encodings_are_refused_and_not_guessed(tmp_path: Path, codec: str, word: str) -> None:
    path = written(tmp_path / "tea.csv", f"S1,S2,branch\n5,4,North\n5,4,{word}\n", codec)
    first = next(byte for byte in path.read_bytes() if byte > 127)
    assert message(lambda: read_responses(path, TEA)) == (
        f"tea.csv, line 3: the byte 0x{first:02X} cannot be read; the text is in none of the encodings UTF-8, GBK, "
        "GB18030. Save it as CSV UTF-8, or name its encoding, for example encoding='cp1252'."
    )


def test_workbook_gives_the_same_answers(tmp_path: Path) -> None:
    rows: list[list[Any]] = [[*RECORDS[0]], ["a1", 5, 1.0, "北京东店"], *RECORDS[2:4], ["a4", 2, "5", None]]
    responses = read_responses(workbook(tmp_path / "tea.xlsx", rows), SHOP)
    assert_frame_equal(responses.data, ANSWERS)
    assert responses.encoding is None


def test_spss_file_gives_the_same_answers_with_its_user_missing_values(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "respondent": ["a1", "a2", "a3", "a4"],
            "S1": [5.0, 5.0, 8.0, 2.0],
            "S2": [1.0, -9.0, 2.0, 5.0],
            "branch": ["北京东店", "上海店", "North, old town", ""],
        }
    )
    path = tmp_path / "tea.sav"
    labels = {"S1": {1: "very bad", 8: "Don’t know"}}
    ranges = {"S2": [{"lo": -9, "hi": -8}]}
    pyreadstat.write_sav(frame, path, variable_value_labels=labels, missing_ranges=ranges)
    responses = read_responses(path, SHOP)
    assert_frame_equal(responses.data, ANSWERS)
    assert responses.encoding == "UTF-8"
    assert responses.recoded == {
        "S1": "user-missing in the SPSS file: 1 answer",
        "S2": "user-missing in the SPSS file: 1 answer; reversed: 6 − answer",
    }


@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_frame_gives_the_same_answers(kind: str) -> None:
    frame = pd.DataFrame(RECORDS[1:], columns=RECORDS[0], dtype=kind)
    responses = read_responses(frame, SHOP)
    assert_frame_equal(responses.data, ANSWERS)
    assert (responses.source, responses.sha256, responses.encoding) == ("the DataFrame", None, None)


@pytest.mark.parametrize("kind", ["float64", "float32", "Int64", "int64[pyarrow]"])
def test_frames_of_numbers(kind: str) -> None:
    first = pd.Series([5, None, 2], dtype="float64").astype(kind)
    responses = read_frame(S1=first, S2=pd.Series([1, 2, 3]).astype(kind))
    assert responses.data["S1"].fillna(0).tolist() == [5, 0, 2]
    assert responses.data["S2"].tolist() == [5, 4, 3]


def test_a_named_index_is_a_column_of_the_frame() -> None:
    frame = pd.DataFrame({"S1": [1, 2], "S2": [1, 2]}, index=pd.Index([17, 18], name="respondent"))
    ids = read_responses(frame, SHOP).ids
    assert ids is not None
    assert ids.tolist() == ["17", "18"]


def test_content_not_name_says_what_a_file_is(tmp_path: Path) -> None:
    path = workbook(tmp_path / "tea.xlsx", [["S1", "S2"], [4, 2]])
    assert read_responses(path.rename(tmp_path / "tea.csv"), TEA).data.to_numpy().tolist() == [[4, 4]]


def test_checksum_is_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "tea.csv", "S1,S2\n1,2\n")
    # printf 'S1,S2\n1,2\n' | sha256sum
    assert read_responses(path, TEA).sha256 == "8f6ecd5220dfa123c3b338fd53ffb895ee3e59f2f08033a7da31585332c05eff"


def test_many_rows_are_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    cells = rng.choice(["1", "2", "非常满意", "", "x"], (100, 2))
    path = written(tmp_path / "tea.csv", text_of([["S1", "S2"], *cells.tolist()]))
    whole = read_responses(path, TEA)
    monkeypatch.setattr(files, "_BLOCK", 7)
    for many in (65_536, 3):  # with five values in a column, as numbers all the way, and as texts from some row on
        monkeypatch.setattr(table, "_MANY", many)
        parts = read_responses(path, TEA)
        assert_frame_equal(parts.data, whole.data)
        assert_frame_equal(parts.cells, whole.cells)
        assert parts.problems == whole.problems


def test_a_recogniser_can_stand_before_the_recoding(tmp_path: Path) -> None:
    """The reason why `read_table` and `recode` are two: a platform's headers are put right between them."""
    raw = read_table(written(tmp_path / "tea.csv", "1、茶很好,2、茶太贵\n4,2\n"))
    raw.header[:] = ["S1", "S2"]
    assert recode(raw, TEA).data.to_numpy().tolist() == [[4, 4]]


# ---------------------------------------------------------------------------------------------- what a cell can say


WRITTEN = {
    4: ["4", "４", " 4 ", "\u30004", "4.0", "4.00", "+4", "4,0", "4e0", 4, 4.0, np.int8(4)],
    3.5: ["3.5", "３.５", "3,5", np.float32(3.5)],
}


@pytest.mark.parametrize(("answer", "cell"), [(answer, cell) for answer, cells in WRITTEN.items() for cell in cells])
def test_numbers_however_written(cell: Any, answer: float) -> None:
    assert read_frame(S1=[cell, "1"], S2=[1, 2]).data["S1"].tolist() == [answer, 1]


NO_ANSWER = (
    "|   |\u3000|NaN|n/a|N/A|Ｎ／Ａ|#N/A|NULL|-|.|Don’t know|don't  know|DON'T KNOW|Not applicable|不清楚|不知道|不适用"
)
SKIPPED = ["(跳过)", "（跳过）", "(空)", "未作答", None, np.nan, pd.NA, pd.NaT]


@pytest.mark.parametrize("cell", [*NO_ANSWER.split("|"), *SKIPPED])
def test_no_answer_however_said(cell: Any) -> None:
    responses = read_frame(S1=pd.Series([cell, "1"], dtype=object), S2=[1, 2])
    assert responses.data["S1"].fillna(0).tolist() == [0, 1]
    assert responses.faults.empty


@pytest.mark.parametrize("cell", [99, 99.0, "99", "９９", "99.0", -1, "-1", "−1", "Refused to say"])
def test_missing_codes_of_the_questionnaire(cell: Any) -> None:
    responses = read_responses(pd.DataFrame({"S1": [cell, "1"], "S2": [1, 2]}, dtype=object), SHOP)
    assert responses.data["S1"].fillna(0).tolist() == [0, 1]
    assert responses.faults.empty


def test_a_missing_code_may_lie_within_the_scale() -> None:
    questionnaire = design(extra="missing: [3]")
    responses = read_responses(pd.DataFrame({"S1": [1, 3], "S2": [1, 2]}), questionnaire)
    assert responses.data["S1"].fillna(0).tolist() == [1, 0]


LABELS = [
    ("很不满意 不满意 一般 满意 很满意", " "),
    ("非常不满意 不满意 一般 满意 非常满意", " "),
    ("非常不满意 比较不满意 中立 比较满意 非常满意", " "),
    ("非常不同意 不同意 一般 同意 非常同意", " "),
    ("Very dissatisfied/Dissatisfied/Neither satisfied nor dissatisfied/Satisfied/Very satisfied", "/"),
    ("very dissatisfied/somewhat dissatisfied/neutral/somewhat satisfied/very satisfied", "/"),
    ("Strongly disagree/Disagree/Neither agree nor disagree/Agree/Strongly agree", "/"),
    ("STRONGLY  DISAGREE/disagree /neutral/agree/ｓｔｒｏｎｇｌｙ agree", "/"),
]


@pytest.mark.parametrize(("labels", "separator"), LABELS)
@pytest.mark.parametrize("low", [0, 1])
def test_usual_labels_of_five_points(labels: str, separator: str, low: int) -> None:
    questionnaire = design(f"{{min: {low}, max: {low + 4}}}")
    answers = pd.DataFrame({"S1": labels.split(separator), "S2": labels.split(separator)})
    data = read_responses(answers, questionnaire).data
    assert data["S1"].tolist() == [low, low + 1, low + 2, low + 3, low + 4]
    assert data["S2"].tolist() == [low + 4, low + 3, low + 2, low + 1, low]


@pytest.mark.parametrize(
    "labels",
    [
        ["非常不同意", "不同意", "有点不同意", "一般", "有点同意", "同意", "非常同意"],
        ["strongly disagree", "disagree", "slightly disagree", "neutral", "slightly agree", "agree", "strongly agree"],
        ["strongly disagree", "disagree", "agree", "strongly agree"],
        ["不同意", "中立", "同意"],
    ],
)
def test_usual_labels_follow_the_number_of_points(labels: list[str]) -> None:
    questionnaire = design(f"{{min: 1, max: {len(labels)}}}")
    data = read_responses(pd.DataFrame({"S1": labels, "S2": labels}), questionnaire).data
    assert data["S1"].tolist() == list(range(1, len(labels) + 1))


@pytest.mark.parametrize("points", [4, 7, 10])
def test_labels_of_another_number_of_points_are_not_read(points: int) -> None:
    responses = read_responses(pd.DataFrame({"S1": ["一般", "2"], "S2": [1, 2]}), design(f"{{min: 1, max: {points}}}"))
    expected = [] if points == 7 else ["一般"]  # seven points have a middle, too
    assert responses.faults["value"].tolist() == expected


def test_labels_of_two_sets_in_one_item_are_not_mixed() -> None:
    responses = read_frame(S1=["满意", "比较满意", "不满意"], S2=[1, 2, 3])
    assert responses.faults["value"].tolist() == ["比较满意"]
    assert responses.data["S1"].fillna(0).tolist() == [4, 0, 2]


@pytest.mark.parametrize("points", range(2, 8))
def test_a_usual_label_has_one_place_on_a_scale(points: int) -> None:
    places: dict[str, set[int]] = {}
    for labels in usual_sets(points):
        assert sorted(set(labels.values())) == list(range(points))
        for text, place in labels.items():
            places.setdefault(text, set()).add(place)
    assert places
    assert [text for text, found in places.items() if len(found) > 1] == []


def test_labels_of_the_questionnaire_in_both_languages() -> None:
    questionnaire = design("{min: 1, max: 10, labels: {1: {en: awful, zh: 糟糕}, 10: {en: Just great, zh: 太好了}}}")
    responses = read_responses(
        pd.DataFrame({"S1": ["Awful", "太好了", "just great", "7"], "S2": [1, 2, 3, "糟糕"]}), questionnaire
    )
    assert responses.data["S1"].tolist() == [1, 10, 10, 7]
    assert responses.data["S2"].tolist() == [10, 9, 8, 10]
    assert responses.faults.empty


def test_the_questionnaire_decides_the_direction_of_its_labels() -> None:
    """Where 1 means very satisfied, the usual places of the other labels would be wrong, so they are not used."""
    questionnaire = design("{min: 1, max: 5, labels: {1: {en: very satisfied, zh: 非常满意}}}")
    responses = read_responses(pd.DataFrame({"S1": ["very satisfied", "satisfied"], "S2": [1, 2]}), questionnaire)
    assert responses.data["S1"].fillna(0).tolist() == [1, 0]
    assert responses.faults["value"].tolist() == ["satisfied"]


def test_a_label_of_the_questionnaire_may_sound_like_no_answer() -> None:
    questionnaire = design("{min: 1, max: 3, labels: {2: {en: not sure, zh: 不清楚}}}")
    assert read_responses(pd.DataFrame({"S1": ["不清楚", 1], "S2": [1, "Not sure"]}), questionnaire).data[
        "S1"
    ].tolist() == [2, 1]


def test_a_label_at_two_points_says_nothing() -> None:
    questionnaire = design("{min: 1, max: 10, labels: {1: extreme, 10: extreme}}")
    responses = read_responses(pd.DataFrame({"S1": ["extreme", 1], "S2": [1, 2]}), questionnaire)
    assert responses.faults["value"].tolist() == ["extreme"]


def test_what_was_done_to_an_item_is_told() -> None:
    responses = read_responses(
        pd.DataFrame({"S1": ["满意", "满意", "１", "99", "2", "不适用"], "S2": ["1", "2", "3", "2", "1", "4"]}), SHOP
    )
    assert responses.recoded == {
        "S1": "read as: 满意 → 4 (2), １ → 1 (1); missing: 99 (1), 不适用 (1)",
        "S2": "reversed: 6 − answer",
    }


def test_plain_numbers_leave_nothing_to_tell() -> None:
    responses = read_responses(pd.DataFrame({"S1": [1, 2], "S2": [2, 3]}), design(second="reverse: false"))
    assert responses.recoded == {}
    assert responses.problems == []
    assert responses.cells.empty
    assert responses.cells.columns.tolist() == ["row", "column", "value", "problem", "action"]
    responses.require_usable()


# ------------------------------------------------------------------------------------------- objections, word for word


def told(responses: Responses) -> list[list[Any]]:
    return responses.cells.to_numpy().tolist()


def test_value_outside_the_scale() -> None:
    questionnaire = Questionnaire.shipped("ecsi")
    frame = pd.DataFrame({item: [1, 5, 10, 7] for item in questionnaire.items.index})
    frame["PERQ7"] = [11, 3, 11, 12]
    responses = read_responses(frame, questionnaire)
    assert responses.problems == [
        "item PERQ7 has 11 and 12 in 3 rows (first: row 2); the questionnaire says 1–10. Correct the file, set the "
        "item's scale in the questionnaire, or name the code under missing.",
        "item PERQ7 has the answer 3 from everyone who answered; what does not vary explains nothing. Check its "
        "column, or take the item out.",
    ]
    assert told(responses) == [
        [2, "PERQ7", "11", "outside the scale", "read as missing"],
        [4, "PERQ7", "11", "outside the scale", "read as missing"],
        [5, "PERQ7", "12", "outside the scale", "read as missing"],
    ]
    assert responses.data["PERQ7"].fillna(0).tolist() == [0, 3, 0, 0]


@pytest.mark.parametrize("value", [0, 0.99, 5.01, 6, -3, 1e9, "1e30"])
def test_just_outside_is_outside(value: Any) -> None:
    faults = read_frame(S1=pd.Series([value, 1], dtype=object), S2=[1, 2]).faults
    assert faults["problem"].tolist() == ["outside the scale"]


def test_unreadable_text() -> None:
    responses = read_frame(S1=["so-so", "ok", "3", "so-so", "x" * 50, "5 stars"], S2=[1, 2, 3, 1, 2, 3])
    assert responses.problems[0] == (
        "item S1 has so-so, 5 stars, ok and 1 more in 5 rows (first: row 2), neither a number nor a label of its "
        "scale 1–5. Correct the file, or name the text in the questionnaire, under scale labels or under missing."
    )
    assert responses.faults["value"].tolist() == ["so-so", "ok", "so-so", "x" * 50, "5 stars"]


@pytest.mark.parametrize(
    "cell", ["1_0", "0x5", "4%", "4 or 5", "1,2,3", "½", "True", True, "2024-05-01", pd.Timestamp(2024, 5, 1)]
)
def test_what_is_no_number_is_not_read_as_one(cell: Any) -> None:
    responses = read_frame(S1=pd.Series([cell, 2], dtype=object), S2=[1, 2])
    assert responses.faults["problem"].tolist() == ["unreadable"]
    assert np.isnan(responses.data["S1"].iloc[0])


@pytest.mark.parametrize("cell", [np.inf, -np.inf, "inf", "-Infinity", "∞", "1e999"])
def test_infinite_value(cell: Any) -> None:
    responses = read_frame(S1=pd.Series([2, 1, cell], dtype=object), S2=[1, 2, 3])
    assert responses.problems == [
        "item S1 has an infinite value in row 4; the questionnaire says 1–5. Correct the file.",
    ]
    assert responses.faults["row"].tolist() == [4]
    assert responses.data["S1"].fillna(0).tolist() == [2, 1, 0]


def test_a_few_answers_between_the_points() -> None:
    responses = read_frame(S1=[2, 3.5, 4], S2=[1, 2, 3])
    assert responses.problems == [
        "item S1 has 3.5 in row 3, between the points of its scale 1–5; used as found. People choose whole numbers: "
        "check the file unless the answers were computed.",
    ]
    assert told(responses) == [[3, "S1", "3.5", "between scale points", "used as found"]]
    assert responses.faults.empty
    assert responses.data["S1"].tolist() == [2, 3.5, 4]


def test_continuous_answers_are_legal_and_told_once() -> None:
    responses = read_frame(S1=[2.25, 3.5, 4], S2=[1.5, 2.5, 3.5])
    assert responses.problems == [
        "Most answers to S1 and S2 lie between the points of the scale (first: row 2, S1: 2.25); used as found. People "
        "choose whole numbers: check the file unless the answers were computed.",
    ]
    assert told(responses) == [
        [2, "S1", "2.25", "computed answers", "used as found"],
        [2, "S2", "1.5", "computed answers", "used as found"],
    ]
    assert responses.data["S2"].tolist() == [4.5, 3.5, 2.5]
    responses.require_usable()


def test_repeated_and_absent_ids() -> None:
    frame = pd.DataFrame(
        {"respondent": [17, 18, 17, None, 18, 17], "S1": [1, 2, 3, 4, 5, 1], "S2": 3, "branch": "North"}
    )
    frame.loc[0, "S2"] = 2
    responses = read_responses(frame, SHOP)
    assert responses.problems == [
        "id column respondent has the same id more than once: 17 in rows 2, 4 and 7 and 18 in rows 3 and 6. Delete the "
        "repeated answers or correct the ids.",
        "id column respondent is empty in row 5; repeated answers cannot be found there.",
    ]
    assert responses.faults["row"].tolist() == [2, 3, 4, 6, 7]
    assert set(responses.faults["problem"]) == {"duplicate id"}
    assert responses.n == 6


def test_ids_and_groups_are_texts_whatever_the_file(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["respondent", "S1", "S2", "branch"], [1, 1, 1, 7.0], [2.0, 2, 2, " 8 "]]
    for path in (
        workbook(tmp_path / "tea.xlsx", rows),
        written(tmp_path / "tea.csv", "respondent,S1,S2,branch\n1,1,1,7\n2,2,2,8\n"),
    ):
        responses = read_responses(path, SHOP)
        assert responses.ids is not None
        assert responses.ids.tolist() == ["1", "2"]
        assert responses.data["branch"].tolist() == ["7", "8"]


def test_no_group() -> None:
    frame = pd.DataFrame({"respondent": [1, 2, 3], "S1": [1, 2, 3], "S2": [1, 2, 3], "branch": ["N", " ", None]})
    responses = read_responses(frame, SHOP)
    assert responses.problems == [
        "group column branch is empty in 2 rows (first: row 3); no result by group holds these answers."
    ]
    assert told(responses) == [[3, "branch", "", "no group", "kept"], [4, "branch", "", "no group", "kept"]]


def test_columns_that_are_not_there_or_not_named() -> None:
    frame = pd.DataFrame({"S1": [1, 2], "S2": [1, 2], "Brunch": ["a", "b"], "age": [30, 40]})
    assert read_responses(frame, SHOP).problems == [
        "Columns the questionnaire does not name, not used: Brunch and age.",
        "the DataFrame has no column respondent; repeated answers cannot be found.",
        "the DataFrame has no column branch (did you mean Brunch?); there are no results by it.",
    ]


def test_columns_without_a_name(tmp_path: Path) -> None:
    """A trailing empty column is nothing; a column with content but no name is told of."""
    responses = read_responses(written(tmp_path / "tea.csv", "S1,,S2,\n1,x,1,\n2,,2,\n"), TEA)
    assert responses.problems == ["Columns the questionnaire does not name, not used: column 2 (without a name)."]


def test_items_without_a_column() -> None:
    frame = pd.DataFrame({"S11": [1], "age": [30]})
    assert message(lambda: read_responses(frame, TEA)) == (
        "the DataFrame has no column for 2 of the 2 items of the questionnaire tea: S1 (did you mean S11?) and S2. "
        "Its columns are S11 and age. Name the columns in the first row as in the questionnaire."
    )


def test_column_names_that_occur_twice(tmp_path: Path) -> None:
    path = written(tmp_path / "tea.csv", "S1,S2,age,S1,age\n1,2,3,4,5\n")
    assert message(lambda: read_responses(path, TEA)) == (
        "tea.csv has the column name S1 2 times: columns 1 and 4. Delete or rename all but one."
    )
    path = written(tmp_path / "tea.csv", "S1,S2,age,age\n1,2,3,4\n2,3,3,4\n")
    assert read_responses(path, TEA).problems == ["Columns the questionnaire does not name, not used: age and age."]


def test_items_without_any_answer_or_without_variation() -> None:
    assert read_frame(S1=[None, "n/a", "-"], S2=[3, 3, None]).problems == [
        "No item is answered in row 4; kept, with every answer missing.",
        "item S1 has no usable answer. Check its column, or take the item out.",
        "item S2 has the answer 3 from everyone who answered; what does not vary explains nothing. Check its column, "
        "or take the item out.",
    ]


def test_empty_rows_are_left_out_and_listed(tmp_path: Path) -> None:
    responses = read_responses(written(tmp_path / "tea.csv", "S1,S2,note\n1,2,\n,,\n2,3,\n\n , ,\n99,n/a,x\n"), SHOP)
    assert responses.data.index.tolist() == [2, 4, 7]
    assert responses.problems[3:] == [
        "Wholly empty and left out: 3 rows (first: row 3).",
        "No item is answered in row 7; kept, with every answer missing.",
    ]
    assert told(responses) == [
        [3, "", "", "empty row", "left out"],
        [5, "", "", "empty row", "left out"],
        [6, "", "", "empty row", "left out"],
        [7, "", "", "no answer", "kept"],
    ]


def test_rows_longer_or_shorter_than_the_header(tmp_path: Path) -> None:
    """A decimal comma in a comma-separated file shifts the answers: the row must not be used."""
    responses = read_responses(written(tmp_path / "tea.csv", "S1,S2\n1,2\n2,5,3\n4\n5,1,,\n"), TEA)
    assert responses.data.to_numpy().tolist()[0] == [1, 4]
    assert responses.data.index.tolist() == [2, 4, 5]
    assert responses.problems == [
        "More cells than the header (2 cells) in row 3; answers may have shifted there, so nothing of it is used. Put "
        "texts and numbers that contain the delimiter between quotation marks.",
        "Fewer cells than the header (2 cells) in row 4; the others are read as missing. Check that the file is whole.",
    ]
    assert told(responses) == [
        [3, "", "3", "too many cells", "left out"],
        [4, "", "1 cell", "too few cells", "read as missing"],
    ]
    assert responses.faults["row"].tolist() == [3]


def test_rows_are_counted_as_in_a_spreadsheet(tmp_path: Path) -> None:
    """A line break within quotation marks makes no new row; blank rows above the header count."""
    text = '\n,\n"S1","S2","the\nremark"\n1,2,"two\nlines"\n9,3,x\n'
    assert read_responses(written(tmp_path / "tea.csv", text), TEA).faults["row"].tolist() == [5]


def test_every_fault_blocks_and_five_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "tea.csv", "S1,S2\n9,inf\nso so,1\n1,2\n8,8\n7,7\n")
    responses = read_responses(path, TEA)
    assert message(responses.require_usable) == (
        "tea.csv: 7 cells cannot be used as found: row 2, S1: 9 (outside the scale); row 2, S2: inf (infinite); row 3, "
        "S1: so so (unreadable); row 5, S1: 8 (outside the scale); row 5, S2: 8 (outside the scale); and 2 more. "
        "Correct the file or the questionnaire, or have such answers read as missing (faults='missing', on the command "
        "line --faults missing)."
    )


# ------------------------------------------------------------------------------------------- files that cannot be read


def test_no_such_file(tmp_path: Path) -> None:
    written(tmp_path / "answers.csv", "x")
    assert message(lambda: read_responses(tmp_path / "answer.csv", TEA)) == (
        f"There is no file {tmp_path / 'answer.csv'} (did you mean answers.csv?). Expected a CSV, XLSX or SAV file of "
        "answers; correct the path."
    )
    assert message(lambda: read_responses(tmp_path / "no" / "a.csv", TEA)) == (
        f"There is no file {tmp_path / 'no' / 'a.csv'}. Expected a CSV, XLSX or SAV file of answers; correct the path."
    )
    assert message(lambda: read_responses(tmp_path, TEA)) == (
        f"{tmp_path} cannot be read: Is a directory. Expected a CSV, XLSX or SAV file of answers; correct the path."
    )


@pytest.mark.parametrize("content", [b"", b" \r\n\n"])
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tea.csv").write_bytes(content)
    assert message(lambda: read_responses(tmp_path / "tea.csv", TEA)) == (
        "tea.csv is empty. Expected a CSV, XLSX or SAV file of answers: a header of column names, then one row per "
        "respondent."
    )


@pytest.mark.parametrize("rows", ["", "\n\n", ",\n , \n"])
def test_header_without_answers(tmp_path: Path, rows: str) -> None:
    path = written(tmp_path / "tea.csv", "S1,S2\n" + rows)
    assert message(lambda: read_responses(path, TEA)) == (
        "tea.csv has no row of answers below its header. Expected one row per respondent."
    )


def test_nobody_answered_anything(tmp_path: Path) -> None:
    path = written(tmp_path / "tea.csv", "respondent,S1,S2\n1,99,\n2,,n/a\n")
    assert message(lambda: read_responses(path, SHOP)) == (
        "tea.csv holds no answer to any of the 2 items: every cell is blank or missing. Check the columns, and the "
        "missing codes of the questionnaire."
    )


def test_quotation_marks_that_do_not_match(tmp_path: Path) -> None:
    path = written(tmp_path / "tea.csv", 'S1,S2,note\n1,2,fine\n1,2,"never closed\n')
    assert message(lambda: read_responses(path, TEA)) == (
        "tea.csv, line 3: the quotation marks do not match (unexpected end of data). Expected a text with the "
        "delimiter or a "
        'line break in it to stand between two ", and a " within it doubled. Correct the file.'
    )


def test_named_encodings_that_do_not_fit(tmp_path: Path) -> None:
    path = written(tmp_path / "tea.csv", "S1,S2,note\n1,2,x\n1,2,满意\n", "gbk")
    assert message(lambda: read_responses(path, TEA, encoding="utf-8")) == (
        "tea.csv, line 3: the bytes are not utf-8. Leave encoding out to have it detected, or name the one the file "
        "was saved in."
    )
    for name in ("latin-99", "base64"):
        assert message(lambda name=name: read_responses(path, TEA, encoding=name)) == (
            f"encoding {name!r} is not the name of a text encoding. Expected a name such as utf-8, gb18030, utf-16 or "
            "cp1252; or leave encoding out to have it detected."
        )


def test_truncated_utf_16(tmp_path: Path) -> None:
    path = tmp_path / "tea.csv"
    path.write_bytes("S1,S2\n1,2\n".encode("utf-16")[:-1])
    assert message(lambda: read_responses(path, TEA)) == (
        "tea.csv, line 2: the byte 0x0A cannot be read; the text is in none of the encodings UTF-16. Save it as CSV "
        "UTF-8, or name its encoding, for example encoding='cp1252'."
    )


def test_sheets(tmp_path: Path) -> None:
    path = workbook(tmp_path / "tea.xlsx", [["S1", "S2"], [1, 2], [2, 3]], title="Answers")
    book = openpyxl.load_workbook(path)
    hidden = book.create_sheet("Lists", 0)
    hidden.sheet_state = "hidden"
    book.create_sheet("Second wave").append(["S1", "S2"])
    book["Second wave"].append([5, 5])
    book.save(path)
    responses = read_responses(path, TEA)
    assert responses.n == 2
    assert responses.problems == [
        "tea.xlsx has 3 sheets; Answers was read, Lists and Second wave not. Set sheet to read another."
    ]
    assert read_responses(path, TEA, sheet="Second wave").data.to_numpy().tolist() == [[5, 1]]
    assert message(lambda: read_responses(path, TEA, sheet="answers")) == (
        "tea.xlsx has no sheet 'answers' (did you mean Answers?). Its sheets are Lists, Answers and Second wave; name "
        "one of them."
    )


def test_a_sheet_of_a_csv(tmp_path: Path) -> None:
    path = written(tmp_path / "tea.csv", "S1,S2\n1,2\n")
    assert message(lambda: read_responses(path, TEA, sheet="Data")) == (
        "tea.csv is not an XLSX workbook, so it has no sheet 'Data'. Leave sheet out."
    )


def test_items_missing_from_the_sheet_that_was_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "tea.xlsx", [["Read me"]], title="Notes")
    book = openpyxl.load_workbook(path)
    book.create_sheet("Answers").append(["S1", "S2"])
    book.save(path)
    assert message(lambda: read_responses(path, TEA)) == (
        "tea.xlsx has no column for 2 of the 2 items of the questionnaire tea: S1 and S2. Its columns are Read me. "
        "tea.xlsx has 2 sheets; Notes was read, Answers not. Set sheet to read another. Name the columns in the first "
        "row as in the questionnaire."
    )


def test_cells_of_a_workbook_that_hold_no_answer(tmp_path: Path) -> None:
    """Formulas nobody calculated, truth values, error values and notes beside the table are listed, not lost."""
    rows = [["S1", "S2"], ["=1+1", 2], [True, 3], ["#DIV/0!", 4], ["#N/A", 5, None, "a note"], [1, 1], [3, 2]]
    responses = read_responses(workbook(tmp_path / "tea.xlsx", rows), TEA)
    assert told(responses) == [
        [2, "S1", "=1+1", "unreadable", "read as missing"],
        [3, "S1", "True", "unreadable", "read as missing"],
        [4, "S1", "#DIV/0!", "unreadable", "read as missing"],
        [5, "", "a note", "beyond the header", "not used"],
    ]
    assert responses.problems[0] == "Cells to the right of the header, not used: a note in row 5."
    assert responses.data["S2"].tolist() == [4, 3, 2, 1, 5, 4]


def test_a_wrong_range_in_a_workbook_loses_no_cells(tmp_path: Path) -> None:
    path = workbook(tmp_path / "whole.xlsx", [["S1", "S2"], [1, 2], [2, 3]])
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(tmp_path / "tea.xlsx", "w") as changed:
        for name in whole.namelist():
            changed.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', whole.read(name)))
    assert read_responses(tmp_path / "tea.xlsx", TEA).data.to_numpy().tolist() == [[1, 4], [2, 3]]


def test_damaged_workbook_and_spss_file(tmp_path: Path) -> None:
    (tmp_path / "tea.xlsx").write_bytes(b"PK\x03\x04 and nothing more")
    assert message(lambda: read_responses(tmp_path / "tea.xlsx", TEA)) == (
        "tea.xlsx is not a whole XLSX workbook (File is not a zip file). Save it again as .xlsx, or as CSV UTF-8."
    )
    (tmp_path / "tea.sav").write_bytes(b"$FL2" + b"x" * 300)
    assert message(lambda: read_responses(tmp_path / "tea.sav", TEA)) == (
        "tea.sav is not a whole SPSS file, or its text is not in the encoding it states (Invalid file, or file has "
        "unsupported features). Save it again in SPSS, or export it as CSV UTF-8."
    )


def test_other_zip_archives_are_no_workbooks(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "tea.xlsx", "w") as archive:
        archive.writestr("tea.csv", "S1,S2\n1,2\n")
    assert message(lambda: read_responses(tmp_path / "tea.xlsx", TEA)).startswith(
        "tea.xlsx is not a whole XLSX workbook ("
    )


def test_old_or_protected_workbook(tmp_path: Path) -> None:
    (tmp_path / "tea.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))
    assert message(lambda: read_responses(tmp_path / "tea.xls", TEA)) == (
        "tea.xls is an old .xls workbook or is protected by a password; neither can be read. Open it in the "
        "spreadsheet program and save it as .xlsx without a password, or as CSV UTF-8."
    )


@pytest.mark.parametrize("kind", ["xlsx", "sav", "csv"])
def test_damaged_files_end_in_one_clear_error_or_in_answers(tmp_path: Path, kind: str) -> None:
    """Cut or scribbled on at random, a file is read or refused by an InputError that names it; never anything else."""
    path = tmp_path / f"tea.{kind}"
    frame = pd.DataFrame({"S1": [1.0, 2.0, 3.0], "S2": ["满意", "一般", "99"]})
    if kind == "xlsx":
        frame.to_excel(path, index=False)
    elif kind == "sav":
        pyreadstat.write_sav(frame, path)
    else:
        frame.to_csv(path, index=False)
    whole, rng = path.read_bytes(), np.random.default_rng(5)
    for attempt in range(60):
        damaged = bytearray(whole[: rng.integers(4, len(whole))] if attempt % 3 == 0 else whole)
        for place in rng.integers(4, len(damaged), size=attempt % 3 * 4) if len(damaged) > 4 else []:
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            outcome = read_responses(path, TEA).source
        except InputError as error:
            outcome = str(error)
        assert path.name in outcome


# ---------------------------------------------------------------------------------------------- tables and properties


def test_summary() -> None:
    """Means and standard deviations by hand: S1 1, 2, 4: mean 7/3, variance 7/3; S2 reversed 5, 4, 3, 1: 13/4, "
    "35/12."""
    summary = read_frame(S1=[1, 2, 4, None], S2=[1, 2, 3, 5]).summary()
    expected = pd.DataFrame(
        {
            "n": [3, 4],
            "missing": [1, 0],
            "mean": [7 / 3, 13 / 4],
            "sd": [np.sqrt(7 / 3), np.sqrt(35 / 12)],
            "min": [1.0, 1.0],
            "max": [4.0, 5.0],
        },
        index=pd.Index(["S1", "S2"], name="item"),
    )
    assert_frame_equal(summary, expected)


def test_html_says_what_and_escapes_it(tmp_path: Path) -> None:
    path = written(tmp_path / "tea.csv", "S1,S2\n<b>5</b>,2\n1,3\n2,1\n")
    page = read_responses(path, TEA)._repr_html_()
    assert "<b>tea.csv, 3 respondents, 2 items, UTF-8</b>" in page
    assert "item S1 has &lt;b&gt;5&lt;/b&gt; in row 2" in page
    assert "<b>5</b>" not in page


CELL = st.sampled_from(["1", "2", "3", "4", "5", "５", "3.5", "满意", "very satisfied", "n/a", "", "9", "?", "inf"])


@given(st.lists(st.integers(1, 5), min_size=1), st.sampled_from([(1, 5), (0, 10), (-3, 5)]))
def test_reversing_twice_gives_the_answers_back(answers: list[int], limits: tuple[int, int]) -> None:
    questionnaire = design(f"{{min: {limits[0]}, max: {limits[1]}}}")
    once = read_responses(pd.DataFrame({"S1": answers, "S2": answers}), questionnaire).data
    twice = read_responses(once, questionnaire).data
    assert (once["S1"] + once["S2"]).tolist() == [sum(limits)] * len(answers)
    assert twice["S2"].tolist() == answers


@given(st.lists(st.tuples(CELL, CELL), min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_changes_nothing(cells: list[tuple[str, str]], random: Any) -> None:
    frame = pd.DataFrame(cells, columns=["S1", "S2"]).assign(respondent=range(len(cells)), branch="N")
    shuffled = frame.sample(frac=1, random_state=random.randrange(1000))[random.sample([*frame], 4)]
    try:
        first, second = read_responses(frame, SHOP), read_responses(shuffled, SHOP)
    except InputError:
        assert set(frame[["S1", "S2"]].to_numpy().ravel()) <= {"n/a", ""}
        return

    def by_respondent(responses: Responses) -> pd.DataFrame:
        return responses.data.set_index(pd.Index(responses.ids)).sort_index()

    assert_frame_equal(by_respondent(first), by_respondent(second))
    assert first.recoded == second.recoded
    without_rows = [sorted(re.sub(r"row \d+", "row", text) for text in r.problems) for r in (first, second)]
    assert without_rows[0] == without_rows[1]


@given(st.lists(st.text(max_size=8), min_size=1, max_size=20))
def test_every_cell_is_an_answer_or_missing_or_told(texts: list[str]) -> None:
    """Nothing is dropped silently, and what was read lies on the scale."""
    frame = pd.DataFrame({"S1": texts, "S2": 1})
    responses = read_responses(frame, TEA)
    answers = responses.data["S1"]
    assert answers.dropna().between(1, 5).all()
    faulty = set(responses.faults["row"])
    for row, text in enumerate(texts, start=2):
        assert np.isnan(answers[row]) or row not in faulty
        if np.isnan(answers[row]) and row not in faulty:
            assert not text.strip() or text.strip() in responses.recoded["S1"]


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    path = written(tmp_path / "tea.csv", text_of([*RECORDS, ["a1", "x", "9", "N"], ["a5", "y", "3.5", "N"]]))

    def everything(responses: Responses) -> str:
        tables = [responses.data.to_csv(), responses.cells.to_csv(), responses.summary().to_csv()]
        return "\n".join([*tables, *responses.problems, repr(responses.recoded), str(responses.sha256)])

    assert everything(read_responses(path, SHOP)) == everything(read_responses(path, SHOP))


def test_reading_leaves_the_frame_as_it_is() -> None:
    frame = pd.DataFrame({"S1": ["1", "满意"], "S2": [1.0, 2.0]})
    before = frame.copy()
    read_responses(frame, TEA)
    assert_frame_equal(frame, before)
