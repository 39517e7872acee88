"""The page of a comparison: what was refused is not compared, what cannot be said in Chinese is marked as English."""

import json
import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from crmlab import Questionnaire
from crmlab.csi.checks import obstacles
from crmlab.studies import Comparison, comparison_report, write_comparison
from crmlab.studies.comparison import Outcome
from crmlab.studies.texts import Texts

FEW = (
    "own.csv: 12 respondents, and the model needs at least 30 (ten for each arrow into its busiest construct, or each "
    "item of a formative block). Collect more answers or simplify the model."
)
STRANGE = "2026.csv is <empty>."


def study(index: float | None, *, admissible: bool = True) -> dict[str, object]:
    """What a satisfaction study writes, as far as a comparison reads it: an error of 1 point, an interval of ± 2."""
    own = {"index": index, "ci": [None, None] if index is None else [index - 2, index + 2]}
    numbers = own | {"n": 100, "se": None if index is None else 1.0, "level": 0.95, "admissible": admissible}
    return numbers | {"constructs": {"Satisfaction": own, "Loyalty": own}, "problems": ["one"]}


def compared(outcomes: list[Outcome], language: str = "en", each: str = "store") -> Comparison:
    labels = {"Satisfaction": {"en": "Satisfaction", "zh": "满意度"}[language]}
    return Comparison("csi", each, language, labels, "Satisfaction", "T", outcomes, [])


def stores(*, admissible: bool = True) -> list[Outcome]:
    """North 70, South 60 and, the highest, West 90, which may be refused by its own report."""
    given = {"North": study(70.0), "South": study(60.0), "West": study(90.0, admissible=admissible)}
    return [Outcome(name, name, numbers) for name, numbers in given.items()]


def test_what_its_own_report_refuses_is_neither_compared_nor_the_highest(tmp_path: Path) -> None:
    found = compared(stores(admissible=False))
    write_comparison(found, tmp_path)
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert found.refused == ["West"]
    assert "North stands highest with 70.0 of 100 points" in page
    assert "West stands highest" in comparison_report.html(compared(stores()))
    warned = "West: its own report says that its numbers must not be used, so they are not compared here."
    assert page.index(warned) < page.index('id="groups"')
    assert "90.0" not in page
    assert "Pairs compared: 1." in page
    assert page.count("<td>not compared</td>") == 2
    assert "report made, but its numbers must not be used" in page
    numbers = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert [row["difference"] for row in numbers["differences"]] == [10.0, None, None]
    west = numbers["groups"]["West"]
    assert (west["admissible"], west["index"], west["ci_lower"], west["se"]) == (False, None, None, None)
    sheet = openpyxl.load_workbook(tmp_path / "comparison.xlsx")["constructs"]
    assert [row[3] for row in sheet.iter_rows(min_row=6, values_only=True)] == [None, None]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("usable", "told"),
    [
        (1, {"en": "Only North has an index that can be used, 70.0 of 100 points", "zh": "只有North的指数可用"}),
        (0, {"en": "None has an index that can be used; the reports say why.", "zh": "没有任何可用的指数"}),
    ],
)
def test_a_headline_compares_nothing_where_nothing_can_be(usable: int, told: dict[str, str], language: str) -> None:
    """With one branch refused and one whose model gave no number at all."""
    north = study(70.0) if usable else study(None, admissible=False)
    outcomes = [Outcome("North", "North", north), Outcome("West", "West", study(90.0, admissible=False))]
    page = comparison_report.html(compared(outcomes, language))
    headline = page[page.index('class="headline"') : page.index("</section>", page.index('class="headline"'))]
    assert told[language] in headline
    assert "<strong>–</strong>" in headline


def test_a_reason_is_told_in_chinese_or_marked_as_english() -> None:
    lost = [Outcome("甲", "a", None, FEW), Outcome("<b>", "b", None, STRANGE)]
    page = comparison_report.html(compared([*stores(), *lost], "zh"))
    own = (
        "own.csv：受访者 12 人，模型至少需要 30 人（指向最多的构念每个箭头十人，或形成性构念每题十人）。"
        "请增加回答，或简化模型。"
    )
    assert f"<li>“甲”无法估计：{own}</li>" in page
    assert f"<td>{own}</td>" in page
    quoted = '<span lang="en">2026.csv is &lt;empty&gt;.</span>'
    assert f"<li>“&lt;b&gt;”无法估计。程序的说明为英文：{quoted}</li>" in page
    assert f"<td>{quoted}</td>" in page
    english = comparison_report.html(compared([*stores(), *lost]))
    assert f"<li>甲 could not be estimated: {FEW}</li>" in english
    assert 'lang="en"' not in english.replace('<html lang="en">', "")


def test_every_obstacle_of_an_estimate_has_chinese_words() -> None:
    design = Questionnaire.shipped("course_csi")
    answers = pd.DataFrame(5.0, index=range(12), columns=list(design.items.index))
    answers["SA2"] = None
    told = [f"own.csv: {each}" for each in obstacles(answers.astype(float), 30)]
    assert {re.sub(r"\W.*", "", each.partition(": ")[2]) for each in told} == {"no", "item", "12"}
    said = Texts("zh")
    assert [each for each in told if said.problem(each, str) is None] == []
