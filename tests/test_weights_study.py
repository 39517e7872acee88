"""The weights study: report, workbook, numbers and command, and the figures they hold.

The page's frame is tested in test_studies.py; here is what a study of weights adds to it.
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import openpyxl
import pandas as pd
import pytest

from crmlab import Questionnaire, cli, datasets, studies, weighting
from crmlab.errors import InputError
from crmlab.plots import style
from crmlab.plots import weighting as draw
from crmlab.responses import read_responses
from crmlab.studies import weights_report
from crmlab.studies.texts import Texts
from crmlab.weighting.shaking import node_label

HOSTILE = "<script>alert('label')</script>"
JUDGEMENTS = """crmlab_judgements: 1
judgements:
  - judge: Li
    of: Satisfaction
    method: pairwise
    values: {SA1 vs SA2: 9, SA2 vs SA3: 9, SA1 vs SA3: 1/9}
  - judge: Wang
    of: Satisfaction
    method: pairwise
    values: {SA1 vs SA2: 1/5, SA2 vs SA3: 3}
  - judge: Li
    of: index
    method: rating
    values: {ExpectedQuality: 1, PerceivedQuality: 4, PerceivedValue: 2, Satisfaction: 2, Complaints: 0, Loyalty: 1}
"""
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory):
    """A survey with a hostile label, a constant and a missing answer, groups, and judges who contradict themselves."""
    text = Questionnaire.shipped("course_csi").text.replace("en: Perceived quality", f'en: "{HOSTILE}"')
    design = Questionnaire.from_text(text, "course.yaml")
    file = tmp_path_factory.mktemp("judges") / "judges.yaml"
    file.write_text(JUDGEMENTS, encoding="utf-8")
    answers = datasets.load_survey().data.assign(PQ5=7)
    answers.loc[3, "SA1"] = None
    responses = read_responses(answers, design)
    found = weighting.compare(design, responses, judgements=weighting.read_judgements(file, design), by="store")
    return found, found.sensitivity("combined", draws=200)


@pytest.fixture(scope="module", params=["en", "zh"])
def page(request: pytest.FixtureRequest, study) -> tuple[str, str]:
    found, shaken = study
    return request.param, weights_report.html(found, shaken, "combined", request.param, responses=found.responses)


def texts_of(page: str) -> str:
    class Reader(HTMLParser):
        said = ""

        def handle_data(self, data: str) -> None:
            self.said += data + " "

    reader = Reader()
    reader.feed(page)
    return " ".join(reader.said.split())


def test_the_report_says_what_was_found(page, study) -> None:
    language, html = page
    found, _ = study
    said = texts_of(html)
    row = found.index.loc["combined"]
    assert f"{row['index']:.1f}" in said
    lowest, highest = found.index["index"].min(), found.index["index"].max()
    sentence = {
        "en": f"{len(found.weights.columns)} weightings compared here put it between {lowest:.1f} and {highest:.1f}.",
        "zh": f"{len(found.weights.columns)} 种赋权方法给出的指数在 {lowest:.1f} 到 {highest:.1f} 之间。",
    }
    assert sentence[language] in said
    for method, (index, lower, upper) in found.index[["index", "ci_lower", "ci_upper"]].T.items():
        assert f"{draw.method_name(method, language)} {index:.1f} [{lower:.1f}, {upper:.1f}]" in said
    assert "judges.yaml" in said
    assert found.judgements.sha256 in said


def test_labels_are_text_and_nothing_is_fetched(page) -> None:
    _, html = page
    assert HOSTILE not in html
    assert not re.search(r"<script|<link|<img|src=|https?://(?!www\.w3\.org)", html)
    assert html.count('role="img"') >= 5


def test_every_objection_has_chinese_words(study) -> None:
    found, shaken = study
    said = {*found.problems, *shaken.problems} - set(found.responses.problems)
    assert len(said) >= 8
    words = Texts("zh", "weights")
    told = {problem: words.problem(problem, str) for problem in said}
    assert [problem for problem, own in told.items() if own is None] == []
    assert all(CHINESE.search(own or "") for own in told.values())


def test_objections_on_a_chinese_page_name_methods_and_constructs_in_chinese(study) -> None:
    found, shaken = study
    html = weights_report.html(found, shaken, "combined", "zh", responses=found.responses)
    cautions = html.partition('class="cautions"')[2].partition("</section>")[0]
    judged = [said for said in found.problems if "nobody weighed what is below" in said]
    assert judged, "the sentence that names both is among them"
    for said in judged:
        method, _, nodes = said.partition(": nobody weighed what is below ")
        assert draw.method_name(method, "zh") in cautions
        for node in nodes.partition(";")[0].split(", "):
            assert f"“{node_label(found.questionnaire, node, 'zh')}”" in cautions


def test_the_workbook_holds_the_tables_and_the_json_the_numbers(study, tmp_path: Path) -> None:
    found, shaken = study
    studies.write_weights_study(found, shaken, "combined", tmp_path, "zh")
    book = openpyxl.load_workbook(tmp_path / "tables.xlsx")
    assert {"weights", "levels", "index", "groups", "swings", "ranks", "judges", "problems"} <= set(book.sheetnames)
    weights = pd.read_excel(tmp_path / "tables.xlsx", sheet_name="weights", index_col="item")
    pd.testing.assert_frame_equal(weights, found.weights, check_dtype=False, check_names=False)
    people = pd.read_excel(tmp_path / "tables.xlsx", sheet_name="respondents")
    assert people["CRITIC"].mean() == pytest.approx(found.index.loc["CRITIC", "index"])
    numbers = json.loads((tmp_path / "weights.json").read_text(encoding="utf-8"))
    assert numbers["shown"] == "combined"
    for method in found.weights:
        for level in ("1", "2", "3", "4"):
            whole = [node["global"] for node in numbers["methods"][method]["weights"][level].values()]
            assert sum(whole) == pytest.approx(1), (method, level)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    studies.write_weights_study(found, shaken, "combined", tmp_path, "zh")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before, "same result, same bytes"


def test_a_study_without_groups_and_judges_leaves_these_sections_out() -> None:
    ecsi = Questionnaire.shipped("ecsi")
    found = weighting.compare(ecsi, datasets.load_mobi(), construct="Satisfaction")
    html = weights_report.html(found, found.sensitivity(), "equal", responses=found.responses)
    sections = re.findall(r'<section id="(\w+)"', html)
    assert sections == ["weights", "index", "levels", "sensitivity", "limits", "data", "method", "provenance"]
    assert "Order of the groups" not in html
    assert set(weights_tables(found)) == {
        *("weights", "levels", "index", "item_agreement", "swings", "respondents", "problems"),
    }


def weights_tables(found: weighting.Comparison) -> dict[str, pd.DataFrame]:
    from crmlab.studies.weights_study import tables

    return tables(found, found.sensitivity(draws=10))


def test_an_unknown_weighting_is_named(study) -> None:
    with pytest.raises(InputError, match="weighting: found 'critic'; expected one of equal, direct rating, AHP"):
        studies.shown_method(study[0], "critic")


# ------------------------------------------------------------------------------------------------------- command


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


@pytest.mark.slow
def test_one_command_makes_the_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judges = tmp_path / "judges.yaml"
    judges.write_text(JUDGEMENTS, encoding="utf-8")
    out = tmp_path / "weights"
    code = run(
        *("weights", "--questionnaire", "course_csi", "--data", "survey", "--judgements", judges),
        *("--by", "store", "--language", "zh", "--draws", 50, "--format", "plain", "--out", out),
    )
    said = capsys.readouterr()
    assert code == 0, said.err
    assert {file.name for file in out.iterdir()} == {"report.html", "tables.xlsx", "weights.json", "notebook.ipynb"}
    line = r"Index \d\d\.\d of 100 \(combined\); 10 weightings between \d\d\.\d and \d\d\.\d: .*report\.html\n"
    assert re.fullmatch(line, said.out)
    assert '<html lang="zh-Hans">' in (out / "report.html").read_text(encoding="utf-8")
    assert str(tmp_path) not in (out / "notebook.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ("--judgements", "absent.yaml"),
            "judgements: absent.yaml does not exist; expected a YAML file or a workbook.",
        ),
        (("--by", "shop"), "there is no grouping column 'shop'; the grouping columns are"),
        (("--construct", "Joy"), "construct: found 'Joy'; expected one of ExpectedQuality"),
        (("--weighting", "best"), "weighting: found 'best'; expected one of equal"),
        (("--format", "limesurvey"), "is not an export of LimeSurvey: format='limesurvey' looks for"),
        (("--change", "1.5"), "change is 1.5; expected a share between 0 and 1"),
    ],
)
def test_bad_input_ends_in_one_paragraph(tmp_path: Path, capsys, options: tuple[str, ...], told: str) -> None:
    out = tmp_path / "weights"
    assert run("weights", "--questionnaire", "course_csi", "--data", "survey", "--out", out, *options) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert not out.exists()


# ------------------------------------------------------------------------------------------------------- figures


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["weights", "index", "groups", "levels"])
def test_every_figure_says_what_it_shows(study, kind: str, language: str) -> None:
    found, _ = study
    ax = found.plot(kind, language, "CRITIC")
    assert ax.get_title(loc="left")
    assert ax.get_xlabel()
    assert len(style.alt(ax)) > 60
    assert bool(CHINESE.search(style.alt(ax))) == (language == "zh")


def test_dots_stand_at_the_weights(study) -> None:
    found, _ = study
    ax = found.plot("weights")
    offsets = [np.asarray(collection.get_offsets()) for collection in ax.collections]
    marks = [places[:, 0] for places in offsets if len(places) == 22]
    assert len(marks) == found.weights.shape[1]
    for drawn, (_, weights) in zip(marks, found.weights.items(), strict=True):
        assert drawn == pytest.approx(100 * weights.to_numpy())


def test_ranks_are_printed_in_the_marks(study) -> None:
    found, _ = study
    printed = sorted(text.get_text() for text in found.plot("groups").texts)
    assert printed == sorted(found.by_group["rank"].astype(str))


def test_the_tornado_is_sorted_and_reaches_the_indices(study) -> None:
    _, shaken = study
    ax = shaken.plot(level=2)
    swings = shaken.swings[shaken.swings["level"] == 2].sort_values("swing", ascending=False)
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches[: len(swings)]]
    assert ends == pytest.approx(swings["index_low"].tolist())


def test_figures_refuse_what_they_cannot_draw(study) -> None:
    found, _ = study
    with pytest.raises(ValueError, match="language: 'fr' is unknown; choose one of en, zh"):
        draw.weights_dots(found.weights, language="fr")
    with pytest.raises(ValueError, match="lacks"):
        draw.tornado(pd.DataFrame({"swing": [1.0]}), 70)
    with pytest.raises(InputError, match="plot 'pie' is unknown; choose one of weights, index, groups, levels"):
        found.plot("pie")
