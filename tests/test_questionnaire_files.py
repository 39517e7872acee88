"""The printed form and the codebook: what respondents see and do not see, what a reader of the data finds."""

import re
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest

from crmlab import InputError, Questionnaire
from crmlab.cli import main
from crmlab.datasets import load_survey

DESIGN = """\
crmlab_questionnaire: 1
name: cafe
title: {en: Café <b>Central</b>, zh: 中央咖啡馆}
intro: {en: Welcome & sit down, zh: 欢迎光临}
index: Joy
scale: {min: 1, max: 5, labels: {1: {en: low, zh: 低}, 3: {en: so-so, zh: 一般}, 5: {en: high, zh: 高}}}
missing: [99]
dont_know: {en: Cannot say, zh: 不好说}
id: guest
groups:
  branch: {en: Branch, zh: 分店}
complaints: {construct: Grief, higher: more_complaints}
constructs:
  Joy:
    label: {en: Loyal joy, zh: 忠诚的快乐}
    facets:
      - label: {en: Overall, zh: 总体}
        items:
          J1: {en: I had a good time, zh: 我很开心}
          J2: {en: The music was loud, zh: 音乐太吵, reverse: true}
  Grief:
    label: {en: Complaints, zh: 抱怨}
    scale: {min: 0, max: 1, labels: {0: {en: never, zh: 没有}, 1: {en: at least once, zh: 有}}}
    facets:
      - label: {en: Voice, zh: 投诉}
        items:
          G1: {en: I complained to the waiter, zh: 我向服务员投诉过}
paths:
  Grief: [Joy]
"""


class Page(HTMLParser):
    """Elements with their attributes, and the text that is seen."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closes another element"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def having(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.elements if t == tag and attributes.items() <= a.items()]


@pytest.fixture(scope="module")
def cafe() -> Questionnaire:
    return Questionnaire.from_text(DESIGN, "cafe.yaml")


# -------------------------------------------------------------------------------------------------------- the form


@pytest.mark.parametrize(("language", "lang"), [("en", "en"), ("zh", "zh-CN")])
def test_the_form_has_a_circle_for_every_answer(cafe: Questionnaire, language: str, lang: str) -> None:
    page = Page(cafe.form(language))
    assert page.open == []
    assert page.having("html", lang=lang)
    assert len(page.having("input", type="radio")) == 2 * (5 + 1) + (2 + 1), "the box for don't know is one more"
    values = [a["value"] for a in page.having("input", type="radio", name="q3")]
    assert values == ["0", "1", ""]
    assert len(page.having("table")) == 2, "one table for each scale"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_circle_has_a_name_that_can_be_read_out(cafe: Questionnaire, language: str) -> None:
    page = Page(cafe.form(language))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    circles = [(a["aria-labelledby"] or "").split() for a in page.having("input", type="radio")]
    assert all(len(names) == 2 and set(names) <= set(ids) for names in circles)
    assert len({tuple(names) for names in circles}) == len(circles)
    described = [a[key] for _, a in page.elements for key in ("aria-labelledby", "aria-describedby") if key in a]
    assert {name for names in described for name in (names or "").split()} <= set(ids)
    assert len(page.having("th", scope="row")) == 2 * 3, "number and wording of each item"


def test_the_form_says_what_the_file_says(cafe: Questionnaire) -> None:
    text = re.sub(r"\s+", " ", Page(cafe.form("en")).text)
    for words in ["Café <b>Central</b>", "Welcome & sit down", "1 means “low”, 5 means “high”", "so-so", "Cannot say"]:
        assert words in text
    assert "Part 1" in text
    assert "Branch:" in text
    assert "Thank you very much for your time." in text, "the closing is not in the file"
    chinese = Page(cafe.form("zh")).text
    for words in [
        "中央咖啡馆",
        "欢迎光临",
        "不好说",
        "第1部分",
        "分店：",
        "请在每一行选择一个圆圈：0 表示“没有”，1 表示“有”。",
    ]:
        assert words in chinese


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_form_does_not_tell_what_is_measured(cafe: Questionnaire, language: str) -> None:
    page = cafe.form(language)
    for told in [
        "J1",
        "G1",
        "Joy",
        "Grief",
        "Loyal joy",
        "忠诚的快乐",
        "Overall",
        "总体",
        "Voice",
        "guest",
        "reverse",
        "99",
    ]:
        assert not re.search(rf"(?<![\w#]){told}(?!\w)", page), told
    assert {"J1", "J2", "G1"} <= set(re.findall(r"\w+", Page(cafe.form(language, codes=True)).text))


@pytest.mark.parametrize("name", ["acsi", "course_csi", "ecsi", "loyalty_value"])
def test_the_form_needs_nothing_from_outside(name: str) -> None:
    design = Questionnaire.shipped(name)
    page = design.form()
    assert not re.search(r"https?:|src=|<script|@import|url\(", page)
    assert page == design.form()
    points = (design.items["points"] + ("dont_know" in design.about)).sum()
    assert page.count('<input type="radio"') == points
    numbers = [int(a["id"][1:]) for a in Page(page).having("th", scope="row", **{"class": "number"}) if a["id"]]
    assert numbers == list(range(1, len(design.items) + 1))


def test_one_language_stands_in_on_the_form() -> None:
    english = Questionnaire.from_text(re.sub(r", zh: [^,}]+", "", DESIGN))
    assert "I had a good time" in english.form("zh")


def test_another_language_is_refused(cafe: Questionnaire) -> None:
    with pytest.raises(InputError, match="language: found 'fr'; expected en or zh"):
        cafe.form("fr")


# ---------------------------------------------------------------------------------------------------- the codebook


def test_the_codebook_explains_every_column_of_the_data() -> None:
    course = Questionnaire.shipped("course_csi")
    tables = course.codebook()
    variables = tables["variables"].set_index("variable")
    assert list(variables.index) == list(load_survey(n=20).data.columns)
    assert variables["role"].value_counts().to_dict() == {"item": 22, "id": 1, "group": 1}
    assert variables.loc[course.items.index, "construct"].tolist() == course.items["construct"].tolist()
    assert tables["paths"].to_numpy().tolist() == course.paths.to_numpy().tolist()


def test_the_codebook_by_hand(cafe: Questionnaire) -> None:
    tables = cafe.codebook()
    row = tables["variables"].set_index("variable").loc["J2"]
    assert row.drop(["number", "min", "max"]).to_dict() == {
        "role": "item",
        "en": "The music was loud",
        "zh": "音乐太吵",
        "construct": "Joy",
        "facet_en": "Overall",
        "facet_zh": "总体",
        "reverse": True,
        "missing": "99, Cannot say, 不好说",
    }
    assert (row["number"], row["min"], row["max"]) == (2, 1, 5)
    labels = tables["value_labels"].query("variable == 'G1'").to_numpy().tolist()
    assert labels == [
        ["G1", 0, "never", "没有", "answer"],
        ["G1", 1, "at least once", "有", "answer"],
        *(["G1", code, "no answer", "未回答", "no answer"] for code in (99, "Cannot say", "不好说")),
    ]
    survey = dict(tables["survey"].to_numpy().tolist())
    assert survey["title (zh)"] == "中央咖啡馆"
    assert survey["complaints"] == "Grief: a high value means more complaints"


def test_the_codebook_is_a_safe_workbook_with_steady_bytes(tmp_path: Path) -> None:
    text = DESIGN.replace("{en: I had a good time,", '{en: "=1+1",')
    files = [tmp_path / name for name in ("one.xlsx", "two.xlsx")]
    for file in files:
        Questionnaire.from_text(text).write_codebook(file)
    assert files[0].read_bytes() == files[1].read_bytes()
    book = openpyxl.load_workbook(files[0])
    assert book.sheetnames == ["contents", "survey", "variables", "value_labels", "constructs", "paths"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert "=1+1" in {cell.value for cell in cells}


def test_a_place_that_cannot_be_written_is_told(cafe: Questionnaire, tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        cafe.write_form(tmp_path / "nowhere" / "form.html")
    assert str(told.value) == (
        f"{tmp_path / 'nowhere' / 'form.html'} cannot be written (No such file or directory); expected a file in a "
        "folder that exists and that you may write to. Choose another place."
    )
    with pytest.raises(InputError, match="cannot be written"):
        cafe.write_codebook(tmp_path)


# -------------------------------------------------------------------------------------------------- the command line


def test_one_command_makes_forms_and_codebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "field" / "work"
    with pytest.raises(SystemExit) as ended:
        main(["questionnaire", "--questionnaire", "course_csi", "--out", str(out)])
    assert ended.value.code == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Questionnaire course_csi.yaml: 6 constructs, 22 items."
    assert said[-1] == f"Forms and codebook: {out}"
    assert {file.name for file in out.iterdir()} == {"form_en.html", "form_zh.html", "codebook.xlsx"}
    course = Questionnaire.shipped("course_csi")
    assert (out / "form_zh.html").read_text(encoding="utf-8") == course.form("zh")


def test_the_command_refuses_a_place_that_is_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(SystemExit) as ended:
        main(["questionnaire", "--questionnaire", "ecsi", "--out", str(tmp_path / "taken")])
    assert ended.value.code == 2
    expected = "cannot be made a folder (File exists); expected a place you may write to. Choose another."
    assert expected in capsys.readouterr().err
    assert (tmp_path / "taken").read_text() == "mine"
