"""Exports of survey tools: every format gives the numbers of the plain table, and no wrong guess goes unsaid.

The files are written by `survey_exports` from a simulated survey; what they must give is read from the plain table of
the same answers, whose reading `test_responses` checks by hand.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import survey_exports as exports
from pandas.testing import assert_frame_equal

from crmlab.errors import InputError
from crmlab.questionnaire import Questionnaire
from crmlab.responses import FORMATS, Responses, read_responses

SURVEY = exports.fieldwork()
ITEMS = [*exports.design().items.index]

# name of the case -> (file name, writer, format it is recognised as)
CASES: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    f"wenjuanxing {answers} {style} {suffix} {encoding}": (
        f"export.{suffix}",
        lambda path, a=answers, s=style, e=encoding: exports.wenjuanxing(path, SURVEY, a, e, s),
        "wenjuanxing",
    )
    for answers in ("text", "number", "score")
    for style in ("row", "parentheses", "single")
    for suffix, encoding in (("csv", "utf-8-sig"), ("csv", "gbk"), ("xlsx", ""))
}
CASES |= {
    f"qualtrics {answers} {codes}": (
        "export.csv",
        lambda path, a=answers, c=codes: exports.qualtrics(path, SURVEY, a, c),
        "qualtrics",
    )
    for answers in ("text", "number")
    for codes in ("names", "own")
}
CASES |= {
    f"qualtrics legacy {answers}": (
        "export.csv",
        lambda path, a=answers: exports.qualtrics_legacy(path, SURVEY, a),
        "qualtrics",
    )
    for answers in ("text", "number")
}
CASES |= {
    f"limesurvey {answers} {headers}": (
        "export.csv",
        lambda path, a=answers, h=headers: exports.limesurvey(path, SURVEY, a, h),
        "limesurvey",
    )
    for answers in ("text", "number")
    for headers in ("code", "code and text", "text")
}
CASES |= {
    f"spss missing {missing} shift {shift} names {names}": (
        "export.sav",
        lambda path, m=missing, s=shift, n=names: exports.spss(path, SURVEY, m, shift=s, names=n),
        "spss",
    )
    for missing in (99, None)
    for shift in (0, -1)
    for names in (True, False)
}
CASES |= {
    f"spreadsheet {totals or 'unnamed totals'} {first}": (
        "export.xlsx",
        lambda path, t=totals, f=first: exports.spreadsheet(path, SURVEY, t, f),
        "spreadsheet",
    )
    for totals in ("合计", "平均", "Total", "")
    for first in ("wording", "title")
}


def expected(survey: exports.Fieldwork = SURVEY) -> pd.DataFrame:
    return read_responses(survey.plain(), exports.design()).data.reset_index(drop=True)


def read(path: Path, **options: object) -> Responses:
    return read_responses(path, exports.design(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES)
def test_every_export_gives_the_numbers_of_the_plain_table(tmp_path: Path, case: str) -> None:
    name, writer, format = CASES[case]
    path = writer(tmp_path / name)
    responses = read(path)
    assert_frame_equal(responses.data.reset_index(drop=True), expected())
    assert responses.format == format
    assert responses.evidence
    assert responses.faults.empty
    matched = responses.matching[responses.matching["use"] == "item"]
    assert matched.sort_values("item")["item"].tolist() == sorted(ITEMS)
    forced = read(path, format=format)
    assert_frame_equal(forced.data, responses.data)
    assert forced.evidence[0] == "as told" or format == "spreadsheet"


def test_plain_table() -> None:
    responses = read_responses(SURVEY.plain(), exports.design())
    assert (responses.format, responses.evidence) == ("plain", [])
    assert set(responses.matching["matched_by"]) == {"name", ""}


# ------------------------------------------------------------------------------------------- a wrong guess is told


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        call()
    return str(caught.value)


def rewritten(path: Path, rows: list[list[Any]], change: Callable[[list[list[Any]]], object]) -> Path:
    change(rows)
    return exports.write_csv(path, rows, "utf-8-sig")


EXPORTS = {
    "wenjuanxing": exports.wenjuanxing,
    "qualtrics": exports.qualtrics,
    "limesurvey": exports.limesurvey,
}


@pytest.mark.parametrize("forced", [name for name in FORMATS if name != "plain"])
@pytest.mark.parametrize("right", EXPORTS)
def test_a_wrong_format_is_refused(tmp_path: Path, right: str, forced: str) -> None:
    path = EXPORTS[right](tmp_path / "export.csv", SURVEY)
    if forced == right:
        assert read(path, format=forced).evidence[0] == "as told"
        return
    told = refusal(lambda: read(path, format=forced))
    assert told.startswith(f"export.csv is not {FORMATS[forced].title}: format={forced!r} looks for ")
    assert f"It has the marks of {right} by " in told


def test_a_format_forced_on_a_plain_table_is_refused() -> None:
    assert refusal(lambda: read_responses(SURVEY.plain(), exports.design(), format="limesurvey")) == (
        "the DataFrame is not an export of LimeSurvey: format='limesurvey' looks for the columns submitdate, lastpage "
        "and startlanguage, and finds nothing of it. Leave format out to have it recognised, or export the file anew."
    )
    assert refusal(lambda: read_responses(SURVEY.plain(), exports.design(), format="surveymonkey")) == (
        "format: found 'surveymonkey'; expected one of plain, spreadsheet, wenjuanxing, qualtrics, limesurvey and "
        "spss, or none to have it recognised."
    )


def test_marks_of_two_platforms_are_a_tie() -> None:
    both = ["序号", "提交答卷时间", "所用时间", "submitdate", "lastpage", "startlanguage"]
    frame = SURVEY.plain().assign(**dict.fromkeys(both, "1"))
    assert refusal(lambda: read_responses(frame, exports.design())) == (
        "the DataFrame carries the marks of 2 formats: wenjuanxing by the columns 序号, 提交答卷时间 and 所用时间; "
        "limesurvey by the columns submitdate, lastpage and startlanguage. It cannot be told which it is: set format "
        "to one of wenjuanxing and limesurvey (on the command line --format)."
    )
    assert read_responses(frame, exports.design(), format="limesurvey").format == "limesurvey"


def test_header_rows_taken_for_answers_block_an_estimate(tmp_path: Path) -> None:
    """Forced to be a plain table, an export of three header rows shows two rows of unreadable answers."""
    responses = read(exports.qualtrics(tmp_path / "export.csv", SURVEY), format="plain")
    assert responses.faults.groupby("row").size().to_dict() == {2: 22, 3: 22}


# ---------------------------------------------------------------------------------------------- columns and wordings


def test_shuffled_columns_give_the_same_answers(tmp_path: Path) -> None:
    rows = exports.wenjuanxing_rows(SURVEY, "number")
    order = np.random.default_rng(1).permutation(len(rows[0]))
    path = exports.write_csv(tmp_path / "export.csv", [[row[i] for i in order] for row in rows], "gbk")
    assert_frame_equal(read(path).data.reset_index(drop=True), expected())


def test_a_header_that_stands_twice(tmp_path: Path) -> None:
    path = rewritten(
        tmp_path / "export.csv", exports.wenjuanxing_rows(SURVEY), lambda rows: [row.append(row[10]) for row in rows]
    )
    assert refusal(lambda: read(path)) == (
        "export.csv has the wording of item EQ1 in 2 columns: 11 and 33 "
        "(5、请评价以下说法：—光顾之前，我预期这里的商品质量好：). "
        "Delete or rename all but one, or say which it is with columns={item: header}."
    )


def test_a_question_that_is_not_there_names_the_nearest_header(tmp_path: Path) -> None:
    def reword(rows: list[list[Any]]) -> None:
        rows[0][10] = "5、光顾之前，您对商品有什么预期"

    path = rewritten(tmp_path / "export.csv", exports.wenjuanxing_rows(SURVEY), reword)
    told = refusal(lambda: read(path))
    assert "export.csv has no column for 1 of the 22 items of the questionnaire course_csi: EQ1 (nearest: 5、" in told
    assert "，您对商品有什么预期, likeness 0." in told
    found = read(path, columns={"EQ1": "5、光顾之前，您对商品有什么预期"})
    assert_frame_equal(found.data.reset_index(drop=True), expected())
    assert found.matching.set_index("item").loc["EQ1", "matched_by"] == "told"


def test_wording_goes_before_a_question_number_that_says_otherwise(tmp_path: Path) -> None:
    """Numbers are the platform's; the wording is what people answered."""
    rows = exports.wenjuanxing_rows(SURVEY, style="single")
    numbers = [header.split("、")[0] for header in rows[0][10:]]
    rows[0][10:] = [
        f"{n}、{header.split('、', 1)[1]}" for n, header in zip(reversed(numbers), rows[0][10:], strict=True)
    ]
    responses = read(exports.write_csv(tmp_path / "export.csv", rows))
    assert_frame_equal(responses.data.reset_index(drop=True), expected())


def test_similar_wording_is_matched_and_told_but_never_its_denial(tmp_path: Path) -> None:
    def typo(rows: list[list[Any]]) -> None:
        rows[0][10] = "5、光顾之前，我预期这里的商品质量很好"

    path = rewritten(tmp_path / "export.csv", exports.wenjuanxing_rows(SURVEY), typo)
    responses = read(path)
    assert_frame_equal(responses.data.reset_index(drop=True), expected())
    assert any(
        problem.startswith("Matched by similar wording (likeness), to be checked: 5、光顾")
        for problem in responses.problems
    )

    def denial(rows: list[list[Any]]) -> None:
        rows[0][10] = "5、光顾之前，我预期这里的商品质量不好"

    path = rewritten(tmp_path / "export.csv", exports.wenjuanxing_rows(SURVEY), denial)
    assert "has no column for 1 of the 22 items" in refusal(lambda: read(path))


TWINS = """
crmlab_questionnaire: 1
name: twins
title: {en: Twins, zh: 双}
index: A
scale: {min: 1, max: 5}
constructs:
  A:
    label: {en: A, zh: 甲}
    facets:
      - label: {en: A, zh: 甲}
        items:
          A1: {en: Quality is good, zh: 质量好}
          A2: {en: Quality is good, zh: 质量好}
"""


def test_two_items_of_one_wording_cannot_be_told_apart() -> None:
    twins = Questionnaire.from_text(TWINS)
    frame = pd.DataFrame([[1, 2], [2, 3]], columns=["1、质量好", "2、质量好"])
    assert refusal(lambda: read_responses(frame, twins)) == (
        "the DataFrame: the header '1、质量好' has the wording of the items A1 and A2 alike, so it cannot be told "
        "which of them it answers. Name the columns after the items, say which is which with columns={item: header}, "
        "or word the items differently."
    )
    told = read_responses(frame, twins, columns={"A1": "2、质量好", "A2": "1、质量好"})
    assert told.data.to_numpy().tolist() == [[2, 1], [3, 2]]


def test_a_code_and_a_wording_that_contradict_each_other(tmp_path: Path) -> None:
    path = exports.qualtrics(tmp_path / "export.csv", SURVEY)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].count("EQ1,EQ2") == 1
    path.write_text("\n".join([lines[0].replace("EQ1,EQ2", "EQ2,EQ1"), *lines[1:]]), encoding="utf-8")
    told = refusal(lambda: read(path))
    assert told.startswith("export.csv: column 19 has the code of item EQ2, but the wording of EQ1 (")


def test_numbers_alone_are_matched_in_order_and_told() -> None:
    frame = SURVEY.answers.set_axis([f"Q{i}" for i in range(1, 23)], axis=1)
    responses = read_responses(frame, exports.design())
    assert_frame_equal(responses.data[ITEMS].reset_index(drop=True), expected()[ITEMS])
    assert set(responses.matching["matched_by"]) == {"number"}
    assert any("Matched by question number alone, to be checked" in problem for problem in responses.problems)


def test_fewer_numbers_than_items_are_not_matched() -> None:
    frame = SURVEY.answers.set_axis([f"Q{i}" for i in range(1, 23)], axis=1).drop(columns="Q7")
    assert "has no column for 22 of the 22 items" in refusal(lambda: read_responses(frame, exports.design()))


# -------------------------------------------------------------------------------------------------------- answers


def test_scores_that_the_platform_reversed_already_are_told_of(tmp_path: Path) -> None:
    survey = exports.fieldwork(200)
    reversed_already = survey.answers.copy()
    reversed_already[[*exports.REVERSED]] = 6 - reversed_already[[*exports.REVERSED]]
    scored = exports.Fieldwork(reversed_already, survey.store, survey.seconds)
    responses = read(exports.wenjuanxing(tmp_path / "export.xlsx", scored, "score"))
    for item in exports.REVERSED:
        assert any(
            p.startswith(f"item {item}, once reversed, runs against the other items") for p in responses.problems
        )
    assert any(p.startswith("The answers are scores (there is a total, 总分)") for p in responses.problems)
    sound = read(exports.wenjuanxing(tmp_path / "export.xlsx", survey, "score"))
    assert not any("once reversed" in problem for problem in sound.problems)


def test_value_labels_that_contradict_the_codes(tmp_path: Path) -> None:
    """Codes from 0: the labels say what people saw, and it is told; a label that cannot be read is an error."""
    responses = read(exports.spss(tmp_path / "export.sav", SURVEY, shift=-1))
    assert any(
        p == "item EQ1: read by its value labels (0 = strongly disagree, 1 = disagree, 2 = neutral and 2 more), which "
        "are not what its codes say."
        for p in responses.problems
    )
    frame, meta = pyreadstat.read_sav(exports.spss(tmp_path / "export.sav", SURVEY, shift=-1))
    labels = meta.variable_value_labels | {"EQ1": {0.0: "strongly disagree", 4.0: "strongly agree"}}
    pyreadstat.write_sav(frame, tmp_path / "export.sav", variable_value_labels=labels)
    assert "contradict its scale 1–5 in the questionnaire, and" in refusal(lambda: read(tmp_path / "export.sav"))


def test_a_wrong_encoding_is_refused(tmp_path: Path) -> None:
    path = exports.wenjuanxing(tmp_path / "export.csv", SURVEY, "text", "gbk")
    assert refusal(lambda: read(path, encoding="utf-8")).startswith("export.csv, line 1: the bytes are not utf-8.")


# ------------------------------------------------------------------------------------- personal data, times, totals


def test_personal_data_are_dropped_unless_asked_for(tmp_path: Path) -> None:
    path = exports.wenjuanxing(tmp_path / "export.csv", SURVEY)
    responses = read(path)
    uses = responses.matching.set_index("header")["use"]
    personal = ["来源详情", "来自IP", "1、您的姓名：", "4、您的手机号码"]
    assert uses[uses == "personal data"].index.tolist() == personal
    assert responses.personal.shape == (60, 0)
    everything = "".join([*responses.problems, responses.data.to_csv(), responses.matching.to_csv()])
    assert not [secret for secret in ("13800000001", "127.0.0.1", "某某", "朋友圈") if secret in everything]
    kept = read(path, keep_personal=True).personal
    assert kept.columns.tolist() == personal
    assert kept.loc[3].tolist() == ["朋友圈", "127.0.0.1(本地)", "某某", "13800000001"]


def test_personal_data_are_known_by_their_look_and_ids_are_numbered() -> None:
    frame = SURVEY.plain().assign(
        respondent=[f"jo{i // 2}@example.org" for i in range(60)], extra=[f"1390000{i:04d}" for i in range(60)]
    )
    responses = read_responses(frame, exports.design())
    assert responses.ids is not None
    assert responses.ids.head(3).tolist() == ["respondent 1", "respondent 1", "respondent 2"]
    assert (responses.faults["problem"] == "duplicate id").sum() == 60
    assert responses.problems[:2] == [
        "The ids in respondent are personal data; respondents are numbered instead.",
        "Personal data, dropped on load: extra. Set keep_personal=True to keep them.",
    ]


@pytest.mark.parametrize("writer", [exports.wenjuanxing, exports.qualtrics, exports.limesurvey])
def test_times(tmp_path: Path, writer: Callable[..., Path]) -> None:
    meta = read(writer(tmp_path / "export.csv", SURVEY)).meta
    assert meta["seconds"].astype(int).tolist() == SURVEY.seconds.tolist()
    assert meta["submitted"].tolist() == [pd.Timestamp(time) for time in SURVEY.submitted]


def test_legacy_times_are_taken_from_start_and_end(tmp_path: Path) -> None:
    responses = read(exports.qualtrics_legacy(tmp_path / "export.csv", SURVEY))
    taken = responses.quality().respondents["seconds_per_item"] * responses.data[ITEMS].notna().sum(axis=1)
    assert taken.round().astype(int).tolist() == SURVEY.seconds.tolist()


def test_forms_that_were_not_sent_off(tmp_path: Path) -> None:
    responses = read(exports.limesurvey(tmp_path / "export.csv", SURVEY, incomplete=(4, 9)))
    assert responses.n == 60
    assert responses.meta.index[~responses.meta["complete"]].tolist() == [6, 11]
    quality = responses.quality()
    assert quality.rows.query("check == 'not submitted'")["row"].tolist() == [6, 11]
    assert quality.exclude("not submitted").n == 58


def test_totals_are_left_out_and_told(tmp_path: Path) -> None:
    responses = read(exports.spreadsheet(tmp_path / "export.xlsx", SURVEY))
    assert responses.cells[["row", "value", "problem", "action"]].to_numpy().tolist() == [
        [63, "合计", "totals row", "left out"]
    ]
    assert responses.evidence == ["2 header rows, 1 to 2", "totals below row 62"]
