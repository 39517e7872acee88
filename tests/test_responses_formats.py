"""Exports of survey tools: every format gives the numbers of the plain table, and no wrong guess goes unsaid.

The files are written by `survey_exports` from a simulated survey; what they must give is read from the plain table of
the same answers, whose reading `test_responses` checks by hand.
"""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import survey_exports as exports
from pandas.testing import assert_frame_equal

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


@pytest.mark.parametrize("format", [name for name in FORMATS if name not in ("plain",)])
@pytest.mark.parametrize("case", ["wenjuanxing text row csv gbk", "qualtrics text own", "limesurvey number code"])
def test_a_wrong_format_is_refused(tmp_path: Path, case: str, format: str) -> None:
    name, writer, right = CASES[case]
    path = writer(tmp_path / name)
    if format == right:
        return
    with pytest.raises(exports_error()) as caught:
        read(path, format=format)
    assert str(caught.value).startswith(f"export.csv is not {FORMATS[format].title}: format={format!r} looks for ")
    assert f"It has the marks of {right} by " in str(caught.value)


def exports_error() -> type[Exception]:
    from crmlab.errors import InputError

    return InputError


__all__ = ["Questionnaire"]
