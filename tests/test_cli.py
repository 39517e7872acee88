"""The command line: a study in one line, bad input in one paragraph, and an old study that stays as it was.

Commands are called in this process; the notebook still runs in a kernel of its own. Bad input must be found before the
kernel starts, so those tests are quick.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import survey_exports
import typer.main

from crmlab import Questionnaire, cli, datasets, studies
from crmlab.responses import quality

STUDY_FILES = {"report.html", "tables.xlsx", "notebook.ipynb", "index.json"}


@dataclass
class Ended:
    """How a command ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture
def crmlab(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    def call(*arguments: object) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return Ended(int(end.value.code or 0), written.out, written.err)

    return call


def contents(place: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(place)): path.read_bytes() if path.is_file() else None for path in place.rglob("*")}


# ---------------------------------------------------------------------------------------------------- one study


@pytest.fixture(scope="module")
def mobile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The study of the mobile-phone survey, made as a user makes it."""
    place = tmp_path_factory.mktemp("mobile")
    command = [sys.executable, "-m", "crmlab.cli", "csi", "--questionnaire", "ecsi", "--data", "mobi"]
    done = subprocess.run([*command, "--out", "build/mobile"], cwd=place, capture_output=True, text=True)
    return place / "build" / "mobile", done


@pytest.mark.slow
def test_one_command_makes_the_study_and_says_so_in_one_line(mobile) -> None:
    out, done = mobile
    assert done.returncode == 0, done.stderr
    line = r"Satisfaction index 72\.5 of 100 \(95% interval 7\d\.\d to 7\d\.\d, n = 250\): build/mobile/report\.html\n"
    assert re.fullmatch(line, done.stdout)
    assert "Executing: 100%" in done.stderr
    assert {path.name for path in out.iterdir()} == STUDY_FILES
    assert [path.name for path in out.parent.iterdir()] == ["mobile"]


@pytest.mark.slow
def test_the_numbers_of_the_study(mobile) -> None:
    """Paths: SmartPLS 2.0.M3 as kept in the tests of semPLS. Index (unstandardised weights, path scheme), raw alpha of
    Image and R² of Satisfaction: computed from the same data with seminr 0.2.1 and the formula of Fornell et al. 1996.
    """
    study = json.loads((mobile[0] / "index.json").read_text(encoding="utf-8"))
    required = {"n", "engine", "index", "ci", "constructs", "paths", "r_squared", "groups", "problems"}
    assert required <= set(study)
    assert (study["n"], study["engine"], study["groups"]) == (250, "pls", {})
    assert study["index"] == pytest.approx(72.454, abs=1e-3)
    assert study["ci"][0] < study["index"] < study["ci"][1]
    estimates = {(path["from"], path["to"]): path["estimate"] for path in study["paths"]}
    assert estimates["Image", "Expectation"] == pytest.approx(0.50491393, abs=1e-6)
    assert estimates["Quality", "Satisfaction"] == pytest.approx(0.51202394, abs=1e-6)
    assert all(path["ci"][0] < path["estimate"] < path["ci"][1] for path in study["paths"])
    image = study["constructs"]["Image"]
    assert set(image) == {"index", "ci", "alpha", "rho_c", "ave"}
    assert image["alpha"] == pytest.approx(0.7144, abs=1e-4)
    assert study["r_squared"]["Satisfaction"] == pytest.approx(0.6811, abs=1e-4)
    assert any("Loyalty" in problem for problem in study["problems"])


@pytest.mark.slow
def test_the_same_command_elsewhere_gives_the_same_bytes(
    mobile, crmlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "another" / "deeper" / "place"
    assert crmlab("csi", "--questionnaire", "ecsi", "--data", "mobi", "--out", out).code == 0
    first, second = contents(mobile[0]), contents(out)
    assert set(first) == set(second) == STUDY_FILES
    assert [name for name in STUDY_FILES if first[name] != second[name]] == []


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    """A folder with the classroom survey and its questionnaire, as an analyst has them."""
    shipped = Path(cli.__file__).parent / "questionnaires" / "course_csi.yaml"
    (tmp_path / "survey.yaml").write_bytes(shipped.read_bytes())
    datasets.load_survey().data.to_csv(tmp_path / "survey.csv", index=False)
    return tmp_path


@pytest.mark.slow
def test_a_refused_model_is_told_in_the_line_and_ends_with_0(tmp_path: Path, crmlab) -> None:
    out = tmp_path / "refused"
    ended = crmlab(
        "csi", "--questionnaire", "ecsi", "--data", "mobi", "--engine", "cbsem", "--bootstrap", 20, "--out", out
    )
    assert ended.code == 0
    assert ended.out.startswith("Not to be used, as the report says at its top: Satisfaction index 72.2 of 100 (")
    study = json.loads((out / "index.json").read_text(encoding="utf-8"))
    assert study["admissible"] is False
    assert study["problems"][0].startswith("CB-SEM must be refused here: Image, Expectation, Quality and Satisfaction")
    assert {path.name for path in out.iterdir()} == STUDY_FILES


@pytest.mark.slow
def test_own_files_groups_and_chinese(survey: Path, crmlab) -> None:
    table = pd.read_csv(survey / "survey.csv")
    names = {"Riverside": "河畔店", "Old Town": "老城店", "Station": "车站店"}
    table.assign(store=table["store"].map(names)).to_csv(survey / "问卷.csv", index=False, encoding="gbk")
    out = survey / "out"
    done = crmlab(
        *("csi", "--questionnaire", survey / "survey.yaml", "--data", survey / "问卷.csv", "--by", "store"),
        *("--bootstrap", 100, "--seed", 7, "--language", "zh", "--scheme", "factorial", "--out", out),
    )
    assert done.code == 0, done.err
    study = json.loads((out / "index.json").read_text(encoding="utf-8"))
    assert set(study["groups"]) == set(names.values())
    assert sum(group["n"] for group in study["groups"].values()) == study["n"] == 400
    assert study["method"]["scheme"] == "factorial"
    assert study["method"]["resamples"] == 100
    page = (out / "report.html").read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in page
    assert all(name in page for name in names.values())
    notebook = (out / "notebook.ipynb").read_text(encoding="utf-8")
    assert str(survey) not in notebook
    assert "seed = 7" in notebook
    # A second run replaces the first as a whole; one that cannot be made leaves the first in place.
    before = contents(survey)
    failed = crmlab(
        *("csi", "--questionnaire", survey / "survey.yaml", "--data", survey / "survey.csv"),
        *("--bootstrap", 1, "--out", out),
    )
    assert failed.code == 2
    assert failed.err.splitlines()[-1].startswith("Error: a bootstrap needs at least 2 resamples, found 1")
    assert contents(survey) == before


# ---------------------------------------------------------------------------------------------------- bad input


def edited(change: Callable[[pd.DataFrame], object]) -> Callable[[Path], dict[str, object]]:
    """Answers changed by a function; it changes the table in place or returns another."""

    def make(place: Path) -> dict[str, object]:
        table = pd.read_csv(place / "survey.csv")
        changed = change(table)
        (table if changed is None else changed).to_csv(place / "survey.csv", index=False)
        return {}

    return make


def set_cell(row: int, column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A value in a row of the file as a person counts rows: the header is row 1."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table = table.astype(object)
        table.loc[row - 2, column] = value
        return table

    return change


def no_answers(table: pd.DataFrame) -> pd.DataFrame:
    items = [column for column in table if column not in ("respondent", "store")]
    return table.assign(**dict.fromkeys(items))


def malformed(place: Path) -> dict[str, object]:
    text = (place / "survey.yaml").read_text(encoding="utf-8")
    (place / "survey.yaml").write_text(text.replace("constructs:", "constructs: [", 1), encoding="utf-8")
    return {}


def not_text(place: Path) -> dict[str, object]:
    (place / "survey.csv").write_bytes(b"respondent,store,EQ1\n1,\xff\xfe\xfa\x80\xff,5\n")
    return {}


def unknown_index(place: Path) -> dict[str, object]:
    text = (place / "survey.yaml").read_text(encoding="utf-8")
    changed = re.sub(r"(?m)^index: \w+", "index: Happiness", text)
    (place / "survey.yaml").write_text(changed, encoding="utf-8")
    return {}


def beside_a_file(place: Path) -> dict[str, object]:
    (place / "notes.txt").write_text("mine")
    return {"out": place / "notes.txt" / "study"}


def foreign(place: Path) -> dict[str, object]:
    (place / "thesis").mkdir()
    (place / "thesis" / "chapter1.docx").write_text("years of work")
    return {"out": place / "thesis"}


BAD_INPUT = {
    "missing data file": (lambda place: {"data": place / "nope.csv"}, ["nope.csv does not exist", "Correct the path"]),
    "data is a folder": (lambda place: {"data": place}, ["Is a directory", "correct the path"]),
    "missing questionnaire": (lambda place: {"questionnaire": "nope.yaml"}, ["nope.yaml does not exist", "ecsi"]),
    "unknown item": (edited(lambda table: table.drop(columns="PQ3")), ["survey.csv", "PQ3"]),
    "value out of scale": (edited(set_cell(18, "PQ1", 11)), ["survey.csv", "row 18, PQ1: 11", "outside the scale"]),
    "unreadable value": (edited(set_cell(3, "SA2", "good?")), ["row 3, SA2: good? (unreadable)", "--faults missing"]),
    "constant item": (edited(lambda table: table.assign(SA1=7)), ["survey.csv", "item SA1 is constant", "7"]),
    "too few respondents": (edited(lambda table: table.head(12)), ["12 respondents", "at least"]),
    "all missing": (edited(no_answers), ["survey.csv", "answer"]),
    "one item all missing": (edited(lambda table: table.assign(PV2=None)), ["no answer at all to PV2"]),
    "duplicate ids": (edited(set_cell(9, "respondent", 1)), ["duplicate id", "row 2", "row 9"]),
    "wrong encoding": (not_text, ["survey.csv", "encoding"]),
    "unknown encoding": (lambda place: {"encoding": "utf-99"}, ["utf-99"]),
    "malformed YAML": (malformed, ["survey.yaml", "line"]),
    "unknown index construct": (unknown_index, ["survey.yaml", "Happiness", "line"]),
    "unknown group column": (lambda place: {"by": "stor"}, ["'stor'", "store"]),
    "unknown engine": (lambda place: {"engine": "plx"}, ["engine is 'plx'", "did you mean pls?"]),
    "unknown scheme": (lambda place: {"scheme": "paths"}, ["scheme is 'paths'", "did you mean path?"]),
    "one resample": (lambda place: {"bootstrap": 1}, ["at least 2 resamples, found 1", "1000 or more"]),
    "unknown language": (lambda place: {"language": "fr"}, ["language is 'fr'", "one of en, zh"]),
    "unknown way with faults": (lambda place: {"faults": "skip"}, ["faults is 'skip'", "one of error, missing"]),
    "out under a file": (beside_a_file, ["notes.txt is a file", "Name another folder"]),
    "out is a foreign folder": (foreign, ["holds chapter1.docx", "Name a new or empty folder"]),
    "out is the current folder": (lambda place: {"out": "."}, ["is the current folder", "Name a folder of its own"]),
}


def arguments(place: Path, **changed: object) -> list[object]:
    options = {"questionnaire": place / "survey.yaml", "data": place / "survey.csv", "out": place / "study", **changed}
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def old_study(place: Path) -> None:
    """A study that was here before; its notebook says which files are its own."""
    out = place / "study"
    out.mkdir()
    for name in STUDY_FILES:
        (out / name).write_text(f"old {name}", encoding="utf-8")
    metadata = {"crmlab": {"study": "csi_study", "files": sorted(STUDY_FILES)}}
    (out / "notebook.ipynb").write_text(json.dumps({"metadata": metadata}), encoding="utf-8")


@pytest.mark.parametrize(("spoil", "told"), BAD_INPUT.values(), ids=list(BAD_INPUT))
def test_bad_input_ends_with_one_paragraph_and_leaves_everything_as_it_was(
    survey: Path, crmlab, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], dict[str, object]], told: list[str]
) -> None:
    monkeypatch.chdir(survey)
    old_study(survey)
    changed = spoil(survey)
    before = contents(survey)
    ended = crmlab("csi", *arguments(survey, **changed))
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
    for words in told:
        assert words in ended.err
    assert contents(survey) == before


def test_a_folder_that_allows_no_new_files_is_refused(survey: Path, crmlab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of the system and not tried with real permissions, because a superuser may write anywhere."""
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != survey)
    ended = crmlab("csi", *arguments(survey))
    assert ended.code == 2
    assert ended.err == (
        f"Error: out: {survey / 'study'} cannot be written; {survey} allows no new files. Name another folder.\n"
    )


def test_an_error_of_the_program_itself_is_told_with_its_cell(
    survey: Path, crmlab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Path:
        raise studies.NotebookError("csi_study: cell 6 (study = csi.estimate() failed: KeyError: 'x'.")

    monkeypatch.setattr(studies, "run", fail)
    ended = crmlab("csi", *arguments(survey))
    assert ended.code == 1
    assert ended.err == "Error: csi_study: cell 6 (study = csi.estimate() failed: KeyError: 'x'.\n"


def test_what_a_file_holds_cannot_steer_the_terminal(survey: Path, crmlab) -> None:
    edited(set_cell(5, "SA1", "\x1b[2Jboo\r"))(survey)
    ended = crmlab("check", *arguments(survey)[:4])
    assert "boo" in ended.err
    assert "\x1b" not in ended.out + ended.err
    assert "\r" not in ended.out + ended.err


# -------------------------------------------------------------------------------------------------------- check


def test_check_of_sound_files(survey: Path, crmlab) -> None:
    ended = crmlab("check", *arguments(survey)[:4])
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[:6] == [
        "Questionnaire survey.yaml: 6 constructs, 22 items.",
        f"- {Questionnaire.read(survey / 'survey.yaml').lint()[0]}",
        "Answers survey.csv: 400 respondents.",
        "Format: plain.",
        "Columns: id 1, group 1, item 22.",
        "Quality of the answers (marked, not excluded):",
    ]
    checks = [line.split(":")[0].strip() for line in lines[6:16]]
    assert checks == [*quality.CHECKS]
    assert "  speeding: not checked: the file holds no times" in lines
    assert lines[-1] == "Nothing stands in the way of an estimate."


def test_check_of_an_export_tells_format_columns_and_personal_data(tmp_path: Path, crmlab) -> None:
    design, survey = tmp_path / "design.yaml", survey_exports.fieldwork()
    design.write_text(survey_exports.design().text, encoding="utf-8")
    path = survey_exports.wenjuanxing(tmp_path / "导出.csv", survey, "text", "gbk")
    ended = crmlab("check", "--questionnaire", str(design), "--data", str(path))
    assert (ended.code, ended.err) == (0, "")
    assert "Format: wenjuanxing, by the columns 序号, 提交答卷时间, 所用时间, 来源 and 2 more, 26 headers" in ended.out
    assert "  column 11, 5、请评价以下说法：—光顾之前，我预期这里的商品质量好：: EQ1, by wording\n" in ended.out
    assert "- Personal data, dropped on load: 来源详情, 来自IP, 1、您的姓名： and 4、您的手机号码." in ended.out
    assert (
        "  speeding: 0 of 60 (0.0%); fewer seconds than this for each item answered: 2 (Huang et al. 2012" in ended.out
    )
    refused = crmlab("check", "--questionnaire", str(design), "--data", str(path), "--format", "limesurvey")
    assert refused.code == 2
    assert "is not an export of LimeSurvey: format='limesurvey' looks for" in refused.err


def test_check_says_what_is_wrong_and_where(survey: Path, crmlab) -> None:
    text = (survey / "survey.yaml").read_text(encoding="utf-8")
    (survey / "survey.yaml").write_text(re.sub(r"(EQ1: \{.*?), zh: .*\}", r"\1}", text), encoding="utf-8")
    edited(set_cell(18, "PQ1", 11))(survey)
    ended = crmlab("check", *arguments(survey)[:4])
    assert ended.code == 2
    lines = ended.out.splitlines()
    findings = Questionnaire.read(survey / "survey.yaml").lint()
    assert [finding.split(":")[0] for finding in findings] == [
        "Chinese text (zh) is missing for item EQ1",
        "No item is reversed although people are asked whether they agree",
    ]
    assert lines[1:3] == [f"- {finding}" for finding in findings]
    assert any(line.startswith("- item PQ1 has 11 in row 18; the questionnaire says 1–10.") for line in lines)
    assert "  row 18, PQ1: '11' outside the scale, read as missing" in lines
    assert ended.err.startswith(
        "Error: survey.csv: 1 cell cannot be used as found: row 18, PQ1: 11 (outside the scale)"
    )
    relaxed = crmlab("check", *arguments(survey)[:4], "--faults", "missing")
    assert (relaxed.code, relaxed.err) == (0, "")


def test_check_writes_nothing(survey: Path, crmlab) -> None:
    before = contents(survey)
    crmlab("check", *arguments(survey)[:4])
    assert contents(survey) == before


def test_check_lists_fifty_cells_and_counts_the_rest(survey: Path, crmlab) -> None:
    edited(lambda table: table.assign(SA1=11))(survey)
    lines = crmlab("check", *arguments(survey)[:4]).out.splitlines()
    assert sum(line.endswith("read as missing") for line in lines) == 50
    assert "  … and 350 more cells." in lines


# ----------------------------------------------------------------------------------------------------- the door


def test_version_and_help(crmlab) -> None:
    assert crmlab("--version").out == f"crmlab {__import__('crmlab').__version__}\n"
    listed = crmlab("--help")
    assert listed.code == 0
    assert {"csi", "check"} <= set(listed.out.split())


def test_a_misspelt_option_is_an_error(crmlab) -> None:
    ended = crmlab("csi", "--questionaire", "ecsi", "--data", "mobi", "--out", "x")
    assert ended.code == 2
    assert "No such option" in ended.err


def test_help_does_not_wait_for_heavy_libraries() -> None:
    code = "import crmlab.cli, sys; print(sorted({'numpy', 'pandas', 'matplotlib', 'papermill'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


def test_the_command_and_its_template_have_the_same_defaults() -> None:
    command = typer.main.get_command(cli.app).commands["csi"]  # type: ignore[attr-defined]
    defaults = {option.name: option.default for option in command.params if not option.required}
    template = {name: parameter.default for name, parameter in studies.parameters("csi_study").items()}
    shared = set(defaults) & set(template)
    assert shared == set(template) - {"questionnaire", "data", "out"}
    assert {name: defaults[name] for name in shared} == {name: template[name] for name in shared}
