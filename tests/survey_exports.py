"""Writers of what survey tools export, from one simulated survey: no real respondent stands in any file.

Each writer takes answers as given (before reverse coding) and writes them in its tool's own way; whatever the way,
reading them back must give the numbers that reading the plain table gives.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat

from crmlab import datasets
from crmlab.questionnaire import Questionnaire

REVERSED = ("PQ7", "CO2")
POINTS = {
    1: {"en": "strongly disagree", "zh": "非常不同意"},
    2: {"en": "disagree", "zh": "不同意"},
    3: {"en": "neutral", "zh": "一般"},
    4: {"en": "agree", "zh": "同意"},
    5: {"en": "strongly agree", "zh": "非常同意"},
}


@cache
def design() -> Questionnaire:
    """The course's questionnaire on five points, two items reversed; the labels are the usual ones, not its own."""
    text = Questionnaire.shipped("course_csi").text
    text = text[: text.index("scale:")] + "scale: {min: 1, max: 5}\n" + text[text.index("missing:") :]
    for item in REVERSED:
        place = text.index(f"{item}: {{")
        end = text.index("}\n", place)
        text = text[:end] + ", reverse: true" + text[end:]
    return Questionnaire.from_text(text, source="course_csi.yaml")


@dataclass(frozen=True)
class Fieldwork:
    """A simulated survey as it was filled in: answers as given, store, seconds, and people's data."""

    answers: pd.DataFrame
    store: pd.Series
    seconds: pd.Series

    def __len__(self) -> int:
        return len(self.answers)

    @property
    def submitted(self) -> list[str]:
        start = pd.Timestamp("2026-09-03 12:00:00")
        return [(start + pd.Timedelta(minutes=7 * i)).strftime("%Y-%m-%d %H:%M:%S") for i in range(len(self))]

    def plain(self) -> pd.DataFrame:
        ids = pd.Series(range(1, len(self) + 1), name="respondent")
        return pd.concat([ids, self.store, self.answers], axis=1)


@cache
def fieldwork(n: int = 60, missing: float = 0.04, seed: int = 3) -> Fieldwork:
    segments = {"Riverside": 0.6, "Station": 0.4}
    survey = datasets.simulate_survey(n, seed=seed, points=5, missing=missing, segments=segments)
    answers = survey.data[[*design().items.index]].astype(float)
    for item in REVERSED:
        answers[item] = 6 - answers[item]
    seconds = pd.Series(np.random.default_rng(seed).integers(45, 400, n), name="seconds")
    return Fieldwork(answers, survey.data["store"], seconds)


def words(answers: pd.DataFrame, language: str, blank: Any = "") -> list[list[Any]]:
    """Answers as the labels of their points."""
    return [[blank if np.isnan(a) else POINTS[int(a)][language] for a in row] for row in answers.to_numpy()]


def numbers(answers: pd.DataFrame, blank: Any = "") -> list[list[Any]]:
    return [[blank if np.isnan(a) else int(a) for a in row] for row in answers.to_numpy()]


def write_csv(path: Path, rows: Sequence[Sequence[Any]], encoding: str = "utf-8", *, quoted: bool = False) -> Path:
    pd.DataFrame(rows).to_csv(
        path, header=False, index=False, encoding=encoding, lineterminator="\r\n", quoting=1 if quoted else 0
    )
    return path


def write_xlsx(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    for row in rows:
        sheet.append([None if cell == "" else cell for cell in row])
    book.save(path)
    return path


def write(path: Path, rows: Sequence[Sequence[Any]], encoding: str = "utf-8") -> Path:
    return write_xlsx(path, rows) if path.suffix == ".xlsx" else write_csv(path, rows, encoding)


# 问卷星 --------------------------------------------------------------------------------------------------------------


def wenjuanxing_rows(survey: Fieldwork, answers: str = "text", style: str = "row") -> list[list[Any]]:
    """Header and rows; answers by text, number or score; headers as stem—row, in parentheses, or on their own."""
    styles = {"row": "{n}、请评价以下说法：—{zh}：", "parentheses": "{n}、({zh})", "single": "{n}、{zh}[单选题] *"}
    items = design().items["zh"]
    questions = [styles[style].format(n=5 if style == "row" else 5 + i, zh=zh) for i, zh in enumerate(items)]
    lead = ["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP"]
    header = [*lead, "1、您的姓名：", "2、门店", "3、您购买过的商品【多选题】", "4、您的手机号码", *questions]
    cells = words(survey.answers, "zh", "(空)") if answers == "text" else numbers(survey.answers, -2)
    rows = []
    for i, given in enumerate(cells):
        time = survey.submitted[i].replace("-", "/")
        seconds = int(survey.seconds[i])
        taken = f"{seconds}秒" if i % 2 else f"{seconds // 60}分{seconds % 60}秒"
        about = [i + 1, time, taken, "微信", "朋友圈", f"127.0.0.{i}(本地)", "某某", survey.store[i]]
        rows.append([*about, "茶┋咖啡", f"1380000{i:04d}", *given])
    if answers == "score":
        header.append("总分")
        rows = [[*row, sum(cell for cell in row[10:] if cell > 0)] for row in rows]
    return [header, *rows]


def wenjuanxing(
    path: Path, survey: Fieldwork, answers: str = "text", encoding: str = "utf-8-sig", style: str = "row"
) -> Path:
    return write(path, wenjuanxing_rows(survey, answers, style), encoding)


# Qualtrics -----------------------------------------------------------------------------------------------------------

_QUALTRICS = {
    "StartDate": "Start Date",
    "EndDate": "End Date",
    "Status": "Response Type",
    "IPAddress": "IP Address",
    "Progress": "Progress",
    "Duration (in seconds)": "Duration (in seconds)",
    "Finished": "Finished",
    "RecordedDate": "Recorded Date",
    "ResponseId": "Response ID",
    "RecipientLastName": "Recipient Last Name",
    "RecipientFirstName": "Recipient First Name",
    "RecipientEmail": "Recipient Email",
    "ExternalReference": "External Data Reference",
    "LocationLatitude": "Location Latitude",
    "LocationLongitude": "Location Longitude",
    "DistributionChannel": "Distribution Channel",
    "UserLanguage": "User Language",
}


def _qualtrics_about(survey: Fieldwork, i: int) -> list[Any]:
    time, person = survey.submitted[i], ["Doe", "Jo", f"jo{i}@example.org", "", "52.5", "13.4"]
    return [
        time,
        time,
        "IP Address",
        f"10.0.0.{i}",
        100,
        int(survey.seconds[i]),
        "True",
        time,
        f"R_{i:05d}",
        *person,
        "anonymous",
        "EN",
    ]


def qualtrics(path: Path, survey: Fieldwork, answers: str = "text", codes: str = "names") -> Path:
    """Codes, question text, import ids; the codes are the items' names, or Qualtrics' own Q4_1 …"""
    items = design().items
    own = [*items.index] if codes == "names" else [f"Q4_{i}" for i in range(1, len(items) + 1)]
    texts = [f"How far do you agree with these statements? - {en}" for en in items["en"]]
    ids = [json.dumps({"ImportId": name}) for name in (*_QUALTRICS, "QID1", *(f"QID4_{i}" for i in range(len(items))))]
    cells = words(survey.answers, "en") if answers == "text" else numbers(survey.answers)
    rows = [[*_qualtrics_about(survey, i), survey.store[i], *given] for i, given in enumerate(cells)]
    return write_csv(path, [[*_QUALTRICS, "store", *own], [*_QUALTRICS.values(), "Which store?", *texts], ids, *rows])


def qualtrics_legacy(path: Path, survey: Fieldwork, answers: str = "number") -> Path:
    """Two header rows, V1 … V10 over their meaning, and an empty column at the end."""
    lead = ["ResponseID", "ResponseSet", "Name", "ExternalDataReference", "EmailAddress", "IPAddress", "Status"]
    lead += ["StartDate", "EndDate", "Finished"]
    items = design().items
    header = [*(f"V{i}" for i in range(1, 11)), "store", *items.index, ""]
    texts = [*lead, "Which store?", *items["en"], ""]
    cells = words(survey.answers, "en") if answers == "text" else numbers(survey.answers)
    rows = []
    for i, given in enumerate(cells):
        end = pd.Timestamp(survey.submitted[i])
        times = [str(end - pd.Timedelta(seconds=int(survey.seconds[i]))), str(end)]
        about = [f"R_{i:05d}", "Default", "Doe, Jo", "", f"jo{i}@example.org", f"10.0.0.{i}", 0, *times, 1]
        rows.append([*about, survey.store[i], *given, ""])
    return write_csv(path, [header, texts, *rows], quoted=True)


# LimeSurvey ----------------------------------------------------------------------------------------------------------


def limesurvey(
    path: Path, survey: Fieldwork, answers: str = "number", headers: str = "code", incomplete: Sequence[int] = ()
) -> Path:
    """All quoted, with BOM. Headers are codes, code and text, or full text; `incomplete` forms have no submitdate."""
    lead = ["id", "submitdate", "lastpage", "startlanguage", "seed", "startdate", "datestamp", "ipaddr", "refurl"]
    styles = {"code": "{construct}[{item}]", "code and text": "{item}. {en}", "text": "Do you agree? [{en}]"}
    rows = design().items.reset_index().to_dict("records")
    questions = [styles[headers].format(**row) for row in rows]
    cells = words(survey.answers, "en") if answers == "text" else numbers(survey.answers)
    body = []
    for i, given in enumerate(cells):
        time = survey.submitted[i]
        sent = "" if i in incomplete else time
        about = [i + 1, sent, 3, "en", 12345 + i, time, time, f"10.0.0.{i}", "https://example.org"]
        body.append([*about, survey.store[i], *given, f"{survey.seconds[i]}.25", "40.1"])
    return write_csv(
        path, [[*lead, "store", *questions, "interviewtime", "groupTime8020"], *body], "utf-8-sig", quoted=True
    )


# SPSS ----------------------------------------------------------------------------------------------------------------


def spss(path: Path, survey: Fieldwork, missing: float | None = 99, *, shift: int = 0, names: bool = True) -> Path:
    """Codes with value labels and a user-missing value; `shift` is added to the codes, and the labels go with them."""
    frame = survey.plain()
    items = design().items
    frame[[*items.index]] = (survey.answers + shift).fillna(np.nan if missing is None else missing)
    variables = {"respondent": "Respondent", "store": "Store", **items["en"].to_dict()}
    labels = {point + shift: label["en"] for point, label in POINTS.items()} | {99: "no answer"}
    if not names:
        coded = {item: f"v{i}" for i, item in enumerate(items.index, start=1)}
        frame, variables = (
            frame.rename(columns=coded),
            {coded.get(name, name): text for name, text in variables.items()},
        )
    asked = [name for name in frame if name not in ("respondent", "store")]
    pyreadstat.write_sav(
        frame,
        path,
        column_labels=[variables[name] for name in frame],
        variable_value_labels=dict.fromkeys(asked, labels),
        missing_ranges={name: [99] for name in asked},
    )
    return path


# By hand -------------------------------------------------------------------------------------------------------------


def _by_hand(answer: float, i: int) -> Any:
    """Numbers as people type them: as text, in full width, with blanks, with a decimal comma."""
    if np.isnan(answer):
        return None
    number = int(answer)
    return [number, str(number), chr(ord("０") + number), f" {number} ", f"{number},0"][i % 5]


def spreadsheet(path: Path, survey: Fieldwork, totals: str = "合计", first: str = "wording") -> Path:
    """Two header rows, a merged title over the items, empty columns at the right, totals in the last row."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    items = design().items
    above = [*items["zh"]] if first == "wording" else ["顾客满意度调查", *[None] * (len(items) - 1)]
    sheet.append(["编号", None, *above, None, None])
    sheet.append(["respondent", "store", *items.index, None, None])
    if first == "title":
        sheet.merge_cells(start_row=1, start_column=3, end_row=1, end_column=2 + len(items))
    for i, row in enumerate(survey.answers.to_numpy()):
        sheet.append([i + 1, survey.store[i], *(_by_hand(answer, i + j) for j, answer in enumerate(row)), None, ""])
    sums = survey.answers.mean() if totals == "平均" else survey.answers.sum()
    sheet.append([totals or None, None, *(round(float(each), 2) for each in sums)])
    book.save(path)
    return path
