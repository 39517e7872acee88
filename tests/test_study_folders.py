"""Study folders: the newcomer's path, own exports in place of the sample, ten ways to break one, branches and waves.

Kernels are slow to start: one run of a fresh installation and one of each kind of batch start them; everything else is
done in this process, a folder's notebook included, whose cells run here as they would in JupyterLab.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import openpyxl
import pandas as pd
import pytest
import survey_exports as exports
import yaml
from test_responses_formats import CASES

from crmlab import Questionnaire, cli, csi, datasets, read_responses, rfm, studies, weighting
from crmlab.errors import InputError
from crmlab.questionnaire_schema import Complaints, Construct, Design, Facet, Item, Scale
from crmlab.studies import Comparison, Study, folder
from crmlab.studies.comparison import Outcome, changes
from crmlab.studies.comparison_report import write_comparison
from crmlab.studies.starting import meaning
from crmlab.studies.study import KINDS

REPOSITORY = Path(__file__).parents[1]
CHINESE = re.compile("[\u4e00-\u9fff]")
SURVEY_FILES = {"README.md", "study.yaml", "questionnaire.yaml", "data/sample.csv", "notebook.ipynb"}
FILES = {
    "csi": SURVEY_FILES,
    "weights": SURVEY_FILES | {"judgements.yaml"},
    "rfm": SURVEY_FILES - {"questionnaire.yaml"},
}


def contents(place: Path) -> dict[str, bytes]:
    return {file.relative_to(place).as_posix(): file.read_bytes() for file in place.rglob("*") if file.is_file()}


@pytest.fixture
def crmlab(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The command, called in this process in an empty folder: exit code, what it said, what it complained of."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return int(end.value.code or 0), written.out, written.err

    return call


def put(file: Path, *changes: tuple[str, str]) -> None:
    """Replace texts of a file, each of which must be there."""
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")


# ------------------------------------------------------------------------------------------------- a new folder


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_folder_is_whole_and_always_the_same(kind: str, language: str, tmp_path: Path) -> None:
    first, second = (studies.new(kind, tmp_path / place / "x", language) for place in ("a", "b"))
    assert contents(first) == contents(second)
    assert contents(first).keys() == FILES[kind]
    assert f"crmlab run {'x'}" in (first / "README.md").read_text(encoding="utf-8")
    study = Study.read(first)
    assert study.kind == kind
    assert study.settings["language"] == language
    assert set(study.settings) == set(studies.parameters(KINDS[kind])) - {"data", "out"}
    studies.require_study(study)
    nbformat.validate(nbformat.read(first / "notebook.ipynb", as_version=4))


def test_an_empty_folder_will_do_and_a_full_one_is_left_alone(crmlab, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert crmlab("new", "rfm", "empty")[:2] == (
        0,
        "empty is ready: run it with crmlab run empty and read empty/README.md.\n",
    )
    before = contents(tmp_path / "empty")
    assert crmlab("new", "csi", "empty") == (
        2,
        "",
        "Error: new: empty is not empty; expected a new or empty folder. Name another one.\n",
    )
    assert contents(tmp_path / "empty") == before
    assert crmlab("new", "cis", "other")[2] == (
        "Error: new: there is no study 'cis'; did you mean csi? It is one of csi, rfm, weights.\n"
    )
    (tmp_path / "file").write_text("")
    assert crmlab("new", "csi", "file")[2].startswith("Error: new: file is a file; expected")
    assert crmlab("new", "csi", "file/x")[2].startswith("Error: new: file/x cannot be written (not a directory).")
    assert crmlab("new", "csi", "y", "--language", "fr")[0] == 2
    assert not (tmp_path / "y").exists()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_questionnaire_is_the_course_s_with_a_word_on_every_key(language: str, tmp_path: Path) -> None:
    text = (studies.new("csi", tmp_path / "x", language) / "questionnaire.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == yaml.safe_load(Questionnaire.shipped("course_csi").text)
    remarks = "\n".join(line for line in text.splitlines() if line.lstrip().startswith("#"))
    assert max(map(len, text.splitlines())) <= 130
    keys = {key for part in (Design, Construct, Facet, Item, Scale, Complaints) for key in part.file_keys()}
    lines = text.splitlines()
    for key in keys - {"en", "zh"}:
        own = next((n for n, line in enumerate(lines) if re.match(rf" *(- )?{key}:", line)), None)
        told = own is not None and lines[own - 1].lstrip().startswith("#")
        # min, max, labels of a scale and the like are explained with the key that holds them.
        assert told or re.search(rf"\b{key}\b", remarks) or key in {"min", "max", "labels", "items", "construct"}, key


def test_every_parameter_has_words_in_both_languages() -> None:
    for name in KINDS.values():
        for parameter in studies.parameters(name).values():
            if parameter.name != "out":
                assert parameter.meaning, parameter.name
                assert CHINESE.search(meaning(parameter, "zh")), parameter.name


def test_help_lists_the_settings_with_type_value_default_choices_and_meaning(crmlab) -> None:
    crmlab("new", "csi", "x")
    for order in (("run", "--help", "x"), ("run", "x", "--help")):
        code, out, _ = crmlab(*order, "--set", "bootstrap=50")
        assert code == 0
        assert out.startswith("Usage: crmlab run [OPTIONS] [DIR]")
        assert "Settings of x (csi), in study.yaml or with --set NAME=VALUE:\n" in out
        assert "  bootstrap: int = 50 (default 0)\n      Resamples behind the intervals; 0 for " in out
        meaning = "Stop at answers that cannot be read, or take them for missing. One of error, missing."
        assert f"  faults: str = 'error'\n      {meaning}\n" in out
        assert "  data: str = the file in x/data\n" in out


def test_commands_stand_in_groups(crmlab) -> None:
    out = crmlab("--help")[1]
    headings = re.findall(r"^(\S.*):$", out, flags=re.MULTILINE)
    assert headings == ["Options", "A study folder of your own", "One study from files", "Before the survey, and more"]
    assert out.index("  new ") < out.index("  check ") < out.index("  run ") < out.index("  csi ")


# --------------------------------------------------------------------------------------------- the newcomer's path


@pytest.mark.slow
def test_new_and_run_on_a_fresh_installation(tmp_path: Path) -> None:
    """From the built wheel alone, which holds templates, words and sample; its truth stands in datasets/survey.md."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    command = f"{sys.executable} -m crmlab.cli"
    script = f"{sys.executable} -c 'import crmlab; print(crmlab.__file__)'; {command} new csi x && {command} run x"
    done = subprocess.run(["bash", "-ec", script], cwd=home, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    where, made, ran = done.stdout.splitlines()
    assert Path(where).is_relative_to(tmp_path / "installed")
    assert made == "x is ready: run it with crmlab run x and read x/README.md."
    pattern = r"Satisfaction index (.*) of 100 \(95% interval (.*) to (.*), n = 400\): x/results/report\.html"
    index, lower, upper = map(float, re.fullmatch(pattern, ran).groups())
    assert lower < 70.22 < upper
    survey = datasets.load_survey().data
    alone = csi.estimate(Questionnaire.shipped("course_csi"), survey, by="store")
    study = json.loads((home / "x" / "results" / "index.json").read_text(encoding="utf-8"))
    assert study["index"] == alone.index.loc["Satisfaction", "index"] == pytest.approx(index, abs=0.05)
    assert set(study["groups"]) == {"Riverside", "Station", "Old Town"}
    assert {file.name for file in (home / "x" / "results").iterdir()} == {
        "report.html",
        "tables.xlsx",
        "index.json",
        "notebook.ipynb",
    }
    kept = (home / "x" / "results" / "notebook.ipynb").read_text(encoding="utf-8")
    assert str(home) not in kept
    assert "study-settings" not in kept


def run_in_place(place: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Run the folder's notebook as JupyterLab would: its cells in order, in its folder, in one namespace."""
    monkeypatch.chdir(place)
    names: dict[str, object] = {}
    for cell in nbformat.read(place / "notebook.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            exec(cell.source, names)
    return names


@pytest.mark.parametrize("kind", ["rfm", "weights"])
def test_the_notebook_runs_in_place_and_reads_study_yaml(kind: str, tmp_path: Path, monkeypatch) -> None:
    place = studies.new(kind, tmp_path / "x", "zh")
    run_in_place(place, monkeypatch)
    assert not (place / "results").exists()
    page = (place / "notebook-results" / "report.html").read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in page
    if kind == "weights":
        numbers = json.loads((place / "notebook-results" / "weights.json").read_text(encoding="utf-8"))
        assert numbers["shown"] == "combined"
        assert {judge["judge"] for judge in numbers["judges"]} == {"Li", "Wang", "Chen"}


# ------------------------------------------------------------------------------------- one's own export dropped in


@pytest.fixture(scope="module")
def own_questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of which the user has edited the YAML: the questionnaire of the exports, few resamples."""
    place = studies.new("csi", tmp_path_factory.mktemp("own") / "x")
    (place / "questionnaire.yaml").write_text(exports.design().text, encoding="utf-8")
    put(place / "study.yaml", ("bootstrap: 0", "bootstrap: 50"))
    return place


@pytest.fixture
def with_export(own_questions: Path, tmp_path: Path) -> Callable[[str], Path]:
    def dropped(case: str) -> Path:
        place = tmp_path / "x"
        shutil.copytree(own_questions, place)
        name, write, _ = CASES[case]
        write(place / "data" / name)
        return place

    return dropped


@pytest.mark.parametrize("case", CASES)
def test_every_export_passes_the_check(case: str, with_export, crmlab) -> None:
    name, _, format = CASES[case]
    place = with_export(case)
    code, out, err = crmlab("check", place)
    assert (code, err) == (0, "")
    assert f"Data {name}: sample.csv is the sample and was left out, as {name} stands beside it.\n" in out
    assert f"Answers {name}: 60 respondents.\n" in out
    assert f"Format: {format}, by " in out
    assert out.endswith("Nothing stands in the way of a run.\n")


@pytest.fixture(scope="module")
def plain_estimate() -> csi.SatisfactionIndex:
    answers = read_responses(exports.fieldwork().plain(), exports.design())
    return csi.estimate(exports.design(), answers, by="store", bootstrap=50)


@pytest.mark.parametrize(
    "case",
    [
        "wenjuanxing text row csv gbk",
        "qualtrics text own",
        "limesurvey text text",
        "spss missing 99 shift -1 names False",
        "spreadsheet 合计 wording",
    ],
)
def test_an_export_of_each_platform_gives_the_numbers_of_the_plain_table(
    case: str, with_export, monkeypatch, plain_estimate
) -> None:
    place = with_export(case)
    run_in_place(place, monkeypatch)
    study = json.loads((place / "notebook-results" / "index.json").read_text(encoding="utf-8"))
    own = plain_estimate.index.loc["Satisfaction"]
    assert study["index"] == pytest.approx(own["index"], abs=1e-9)
    assert study["ci"] == pytest.approx([own["ci_lower"], own["ci_upper"]], abs=1e-9)
    assert set(study["groups"]) == {"Riverside", "Station"}


def test_orders_in_chinese_gbk_with_columns_of_their_own(crmlab, tmp_path: Path) -> None:
    place = studies.new("rfm", tmp_path / "x")
    orders = pd.read_csv(place / "data" / "sample.csv").rename(
        columns={"customer_id": "会员号", "date": "日期", "amount": "实付金额"}
    )
    orders.to_csv(place / "data" / "订单.csv", index=False, encoding="gbk")
    assert crmlab("check", place) == (
        2,
        f"Study {place}/study.yaml: rfm, 13 settings.\n"
        "Data 订单.csv: sample.csv is the sample and was left out, as 订单.csv stands beside it.\n",
        "Error: 订单.csv has the columns 会员号, 日期, 实付金额, cost, product, region, but the study asks for "
        "customer_id (study.yaml, line 14, customer: perhaps 会员号), date (study.yaml, line 17, date: perhaps 日期), "
        "amount (study.yaml, line 20, amount: perhaps 实付金额). Write the names of your columns there.\n",
    )
    put(
        place / "study.yaml",
        ("customer: customer_id", "customer: 会员号"),
        ("\ndate: date", "\ndate: 日期"),
        ("amount: amount", "amount: 实付金额"),
    )
    code, out, _ = crmlab("check", place)
    assert code == 0
    assert "Orders 订单.csv: 1,962 lines, 500 customers, 2024-01-01 to 2025-06-29.\n" in out


# ----------------------------------------------------------------------------------------- ten ways to break a study


def line(file: Path, beginning: str) -> str:
    """The number of the first line that begins so."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return str(next(n for n, text in enumerate(lines, start=1) if text.startswith(beginning)))


def _drop_column(place: Path) -> None:
    table = pd.read_csv(place / "data" / "sample.csv")
    table.drop(columns="SA2").to_csv(place / "data" / "sample.csv", index=False)


def _edit_answer(place: Path) -> None:
    table = pd.read_csv(place / "data" / "sample.csv")
    table.loc[2, "PQ1"] = 11
    table.to_csv(place / "data" / "sample.csv", index=False)


def _settings(*changes: tuple[str, str]) -> Callable[[Path], None]:
    return lambda place: put(place / "study.yaml", *changes)


def _questions(*changes: tuple[str, str]) -> Callable[[Path], None]:
    return lambda place: put(place / "questionnaire.yaml", *changes)


def _files(*names: str) -> Callable[[Path], None]:
    def drop(place: Path) -> None:
        (place / "data" / "sample.csv").unlink()
        for name in names:
            (place / "data" / name).write_text("a,b\n1,2\n")

    return drop


BROKEN: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a misspelt key": (
        "csi",
        _settings(("bootstrap:", "bootstap:")),
        "study.yaml, line <bootstap>: found the unknown key 'bootstap'; did you mean bootstrap? Expected keys: KEYS. "
        "Correct or remove it.",
    ),
    "a number that is none": (
        "csi",
        _settings(("bootstrap: 0", "bootstrap: many")),
        "study.yaml, line <bootstrap>: bootstrap is 'many', but must be a whole number.",
    ),
    "a choice that is none": (
        "csi",
        _settings(("language: en", "language: english")),
        "study.yaml, line <language>: language is 'english'. It must be one of en, zh.",
    ),
    "a list for a value": (
        "csi",
        _settings(("by: store", "by: [store, city]")),
        "study.yaml, line <by>: by holds a list or a mapping; expected one value.",
    ),
    "a key twice": (
        "csi",
        _settings(("by: store", "by: store\nby: city")),
        "study.yaml, line <by: city>: found the key 'by' a second time (first: line <by: store>). Remove one.",
    ),
    "another kind": (
        "csi",
        _settings(("kind: csi", "kind: cis")),
        "study.yaml, line <kind>: kind is cis; did you mean csi? It must be one of csi, rfm, weights.",
    ),
    "a quotation mark left open": (
        "csi",
        _settings(('sheet: ""', 'sheet: "')),
        "study.yaml, line <encoding>, column 12: this is not readable YAML: expected <block end>, but found "
        "'<scalar>'. Indent keys of one level alike, and put wordings that hold quotes or colons in quotes.",
    ),
    "a full-width colon": (
        "csi",
        _settings(("by: store", "by：store")),
        "study.yaml, line <# resamples>, column 1: this is not readable YAML: could not find expected ':'. Every key "
        "is followed by a colon and a space; long wordings stand in quotes.",
    ),
    "no data": (
        "csi",
        _files(),
        "PLACE/data holds no data; expected one file of answers (CSV, XLSX or SAV). Copy your export there.",
    ),
    "two exports": (
        "csi",
        _files("2024.csv", "2025.csv"),
        "PLACE/data holds 2 files: 2024.csv, 2025.csv; expected one. Move the others away, name the one to read in "
        "study.yaml (data: 2025.csv), or compare them all with --each file.",
    ),
    "a file that is not there": (
        "csi",
        _settings(("# data: my_export.xlsx", "data: my_export.xlsx")),
        "study.yaml, line <data>: data is 'my_export.xlsx', but there is no such file; PLACE/data holds sample.csv. "
        "Correct the name, or leave data out and keep one file there.",
    ),
    "a question that is not in the data": (
        "csi",
        _drop_column,
        "sample.csv has no column for 1 of the 22 items of the questionnaire course_csi: SA2 (did you mean SA3?). Its "
        "columns are respondent, store, EQ1, EQ2, EQ3, EQ4, PQ1, PQ2, PQ3, PQ4, PQ5, PQ6 and 11 more. Name the columns "
        "in the first row as in the questionnaire.",
    ),
    "an answer outside the scale": (
        "csi",
        _edit_answer,
        "sample.csv: 1 cell cannot be used as found: row 4, PQ1: 11 (outside the scale). Correct the file or the "
        "questionnaire, or have such answers read as missing (faults='missing', on the command line --faults missing).",
    ),
    "a misspelt key of the questionnaire": (
        "csi",
        _questions(("index: Satisfaction", "indx: Satisfaction")),
        "questionnaire.yaml has 2 errors: line <<crmlab_questionnaire>>, column 1: key 'index' is missing; expected "
        "the name of the construct whose value is the index. Add it. line <<indx>>, column 1: found the unknown key "
        "'indx'; did you mean 'index'? Expected keys: crmlab_questionnaire, name, title, intro, closing, index, scale, "
        "missing, dont_know, id, groups, complaints, constructs, paths. Correct or remove it.",
    ),
    "a grouping column that is not there": (
        "csi",
        _settings(("by: store", "by: city")),
        "sample.csv: there is no grouping column 'city'; the grouping columns are store. List the column under "
        "'groups' in the questionnaire.",
    ),
    "a judgement of nothing": (
        "weights",
        lambda place: put(place / "judgements.yaml", ("of: Satisfaction", "of: Satisfacton")),
        "judgements.yaml, line 27: judge Li: found 'Satisfacton' under 'of'; did you mean 'Satisfaction'? expected "
        "index, a construct, or a facet as 'Construct / Facet'.",
    ),
    "no questionnaire": (
        "weights",
        lambda place: (place / "questionnaire.yaml").unlink(),
        "questionnaire: PLACE/questionnaire.yaml does not exist; expected a YAML file or one of the shipped names "
        "acsi, course_csi, ecsi, loyalty_value. Correct the path.",
    ),
    "a column of another name": (
        "rfm",
        _settings(("amount: amount", "amount: amont")),
        "sample.csv has the columns customer_id, date, amount, cost, product, region, but the study asks for amont "
        "(study.yaml, line <amount>, amount: perhaps amount). Write the names of your columns there.",
    ),
    "a notebook that is cut off": (
        "rfm",
        lambda place: (place / "notebook.ipynb").write_text("{"),
        "PLACE/notebook.ipynb: Notebook does not appear to be JSON: '{'. Correct it, or delete notebook.ipynb: the "
        "course's own is then run.",
    ),
    "a notebook that is none": (
        "rfm",
        lambda place: (place / "notebook.ipynb").write_text("[]"),
        "PLACE/notebook.ipynb: this is no notebook. Correct it, or delete notebook.ipynb: the course's own is then "
        "run.",
    ),
    "a notebook without a parameter": (
        "csi",
        lambda place: put(place / "notebook.ipynb", ("seed: int = 0", "# no seed")),
        "PLACE/notebook.ipynb: its cell tagged parameters lacks seed. Correct it, or delete notebook.ipynb: the "
        "course's own is then run.",
    ),
    "a notebook with a parameter without a type": (
        "csi",
        lambda place: put(place / "notebook.ipynb", ("seed: int = 0", "seed = 0")),
        "PLACE/notebook.ipynb: parameter seed is annotated None; use one of str, int, float, bool. Correct it, or "
        "delete notebook.ipynb: the course's own is then run.",
    ),
    "paths in a circle": (
        "csi",
        _questions(("paths:\n", "paths:\n  ExpectedQuality: [Loyalty]\n")),
        "questionnaire.yaml: model: the paths form a cycle through ExpectedQuality, PerceivedQuality, PerceivedValue, "
        "Satisfaction, Complaints, Loyalty; PLS needs a structure without feedback. Correct the paths of the "
        "questionnaire.",
    ),
    "a seed below zero": (
        "weights",
        _settings(("seed: 0", "seed: -1")),
        "sensitivity: seed is -1; expected 0 or more.",
    ),
    "no study.yaml": (
        "rfm",
        lambda place: (place / "study.yaml").unlink(),
        "PLACE is no study folder: it holds no study.yaml. Make a study folder with: crmlab new csi x",
    ),
    "another version": (
        "rfm",
        _settings(("crmlab_study: 1", "crmlab_study: 2")),
        "study.yaml, line <crmlab_study>: crmlab_study is 2, but must be 1. Write crmlab_study: 1.",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_study_ends_in_one_paragraph_and_leaves_the_results(case: str, crmlab, tmp_path: Path) -> None:
    kind, damage, told = BROKEN[case]
    place = studies.new(kind, tmp_path / "x")
    (place / "results").mkdir()
    (place / "results" / "report.html").write_text("old")
    damage(place)
    before = contents(place)
    code, _, err = crmlab("run", "x")
    assert code == 2
    keys = ", ".join(name for name in studies.parameters(KINDS[kind]) if name != "out")
    told = re.sub("<<(.*?)>>", lambda found: line(place / "questionnaire.yaml", found[1]), told)
    told = re.sub("line <(.*?)>", lambda found: f"line {line(place / 'study.yaml', found[1])}", told)
    assert err == f"Error: {told}\n".replace("PLACE", "x").replace("KEYS", keys)
    assert contents(place) == before


def test_words_of_the_command_that_mean_nothing(crmlab) -> None:
    crmlab("new", "csi", "x")
    assert crmlab("run")[2] == (
        "Error: run: found no study folder; expected one, such as crmlab run my-study. Name it.\n"
    )
    assert crmlab("run", "x", "--set", "seed")[2] == (
        "Error: --set: found 'seed'; expected name=value, such as --set seed=7.\n"
    )
    assert crmlab("run", "x", "--set", "seed=one")[2] == "Error: --set: seed is 'one', but must be a whole number.\n"
    assert crmlab("run", "x", "--set", "only=Station")[2] == (
        "Error: only: found 'Station'; expected a column and the value to keep, such as store = Station.\n"
    )
    assert crmlab("run", "x", "--set", "only=store = Harbour")[2] == (
        "Error: only: nobody in sample.csv has store = Harbour; its values are Old Town, Riverside, Station.\n"
    )
    assert crmlab("check")[2] == (
        "Error: check: expected a study folder, or --questionnaire and --data. Name what to check.\n"
    )
    assert crmlab("check", "x", "--data", "mobi")[2] == (
        "Error: check: found x and files; expected one or the other. Leave out what you do not mean.\n"
    )


def test_values_are_read_by_the_type_of_their_parameter(tmp_path: Path) -> None:
    """A sheet called 2024 and a day are texts; yes is a truth; a key with nothing after it is not given."""
    place = studies.new("csi", tmp_path / "x")
    put(place / "study.yaml", ('sheet: ""', "sheet: 2024"), ("consistent: false", "consistent: yes"))
    put(place / "study.yaml", ("bootstrap: 0", "bootstrap:"))
    study = Study.read(place).changed(["only = store = Old Town", "seed=3"])
    assert study.settings["sheet"] == "2024"
    assert study.settings["consistent"] is True
    assert "bootstrap" not in study.settings
    assert study.settings["only"] == "store = Old Town"
    assert study.settings["seed"] == 3
    orders = studies.new("rfm", tmp_path / "y")
    put(orders / "study.yaml", ('as_of: ""', "as_of: 2025-12-31"))
    assert Study.read(orders).settings["as_of"] == "2025-12-31"


# ------------------------------------------------------------------------------------------------ branches, waves


@pytest.fixture(scope="module")
def branches(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame, subprocess.CompletedProcess[str]]:
    """Three stores, one of which has too few customers for the model; the second language of the report is Chinese."""
    place = studies.new("csi", tmp_path_factory.mktemp("branches") / "x")
    put(place / "study.yaml", ("bootstrap: 0", "bootstrap: 50"), ("seed: 0", "seed: 7"))
    survey = datasets.load_survey().data
    few = survey.index[survey["store"] == "Old Town"][12:]
    survey = survey.drop(few).replace({"store": {"Old Town": "Old/Town"}})
    survey.to_csv(place / "data" / "own.csv", index=False)
    command = [sys.executable, "-m", "crmlab.cli", "run", str(place), "--each", "store"]
    return place, survey, subprocess.run(command, capture_output=True, text=True, cwd=place.parent)


@pytest.mark.slow
def test_each_branch_has_its_report_and_one_that_cannot_be_estimated_its_reason(branches) -> None:
    place, _, done = branches
    assert done.returncode == 0, done.stderr
    reason = (
        "own.csv: 12 respondents, and the model needs at least 30 (ten for each arrow into its busiest construct, or "
        "each item of a formative block). Collect more answers or simplify the model."
    )
    assert done.stdout == (
        f"Old/Town could not be estimated: {reason}\n"
        f"2 of 3 reports made and compared: {place}/results/comparison.html\n"
    )
    results = place / "results"
    report = {"report.html", "tables.xlsx", "index.json", "notebook.ipynb"}
    assert {file.name for file in results.iterdir()} == {
        "Riverside",
        "Station",
        "comparison.html",
        "comparison.json",
        "comparison.xlsx",
    }
    assert {file.name for file in (results / "Station").iterdir()} == report
    numbers = json.loads((results / "comparison.json").read_text(encoding="utf-8"))
    assert list(numbers["groups"]) == ["Old/Town", "Riverside", "Station"]
    assert numbers["groups"]["Old/Town"]["index"] is None
    assert numbers["groups"]["Old/Town"]["reason"] == reason
    page = (results / "comparison.html").read_text(encoding="utf-8")
    assert f"Old/Town could not be estimated: {reason}" in page
    assert re.findall(r'href="([^#][^"]*)"', page)[0] == "Riverside/report.html"
    assert {(results / link).exists() for link in re.findall(r'href="([^#][^"]*)"', page)} == {True}


@pytest.mark.slow
def test_the_numbers_are_those_of_estimate_many_and_differences(branches) -> None:
    place, survey, _ = branches
    numbers = json.loads((place / "results" / "comparison.json").read_text(encoding="utf-8"))
    many = csi.estimate_many(Questionnaire.shipped("course_csi"), survey, by="store", bootstrap=50, seed=7)
    for name, row in many.headline.dropna().iterrows():
        own = numbers["groups"][name]
        assert own["n"] == row["n"]
        assert [own[key] for key in ("index", "ci_lower", "ci_upper", "se")] == pytest.approx(
            row[["index", "ci_lower", "ci_upper", "se"]].tolist(), abs=1e-9
        )
    (pair,) = numbers["differences"]
    found = csi.differences(many.headline.dropna().sort_index()).iloc[0]
    assert (pair["group_a"], pair["group_b"]) == ("Riverside", "Station")
    for key in ("difference", "se", "ci_lower", "ci_upper", "pvalue_adjusted"):
        assert pair[key] == pytest.approx(found[key], abs=1e-9)


@pytest.mark.slow
def test_results_with_something_of_the_user_s_in_them_are_not_replaced(branches, crmlab) -> None:
    place, _, _ = branches
    with folder.replacing(place / "results") as staging:  # a comparison is a study that crmlab wrote
        shutil.copytree(place / "results", staging, dirs_exist_ok=True)
    note = place / "results" / "Station" / "note.txt"
    note.write_text("mine")
    assert crmlab("run", place)[2] == (
        f"Error: out: the folder {place.resolve()}/results holds Station/note.txt, not written by a crmlab study; a "
        "study replaces its folder as a whole, so it would be lost. Name a new or empty folder.\n"
    )
    note.unlink()


def test_one_branch_or_one_wave_is_no_comparison(crmlab) -> None:
    crmlab("new", "csi", "x")
    assert crmlab("run", "x", "--each", "file")[2] == (
        "Error: --each file: x/data holds sample.csv; expected two files or more beside sample.csv, one for each wave. "
        "Copy them there.\n"
    )
    assert crmlab("run", "x", "--each", "city")[2] == (
        "Error: --each city: sample.csv has no grouping column 'city'; the grouping columns are store. List the column "
        "under 'groups' in the questionnaire.\n"
    )
    assert crmlab("run", "x", "--each", "store", "--set", "only=store = Station")[2] == (
        "Error: --each store: only is 'store = Station' already. Take it out of the settings.\n"
    )
    crmlab("new", "rfm", "y")
    assert crmlab("run", "y", "--each", "regoin")[2] == (
        "Error: sample.csv has no column 'regoin' (did you mean region?); its columns are customer_id, date, amount, "
        "cost, product, region. Name the columns of customer, date and amount.\n"
    )


@pytest.mark.slow
def test_waves_of_orders_in_chinese(crmlab, tmp_path: Path) -> None:
    """Customers of each file counted by pandas."""
    place = studies.new("rfm", tmp_path / "x", "zh")
    orders = pd.read_csv(place / "data" / "sample.csv")
    years = {"2025 年": orders[orders["date"] >= "2025"], "2024 年": orders[orders["date"] < "2025"]}
    for name, table in years.items():
        table.to_excel(place / "data" / f"{name}.xlsx", index=False)
    code, out, err = crmlab("run", place, "--each", "file")
    assert code == 0, err
    assert out == f"2 of 2 reports made and compared: {place}/results/comparison.html\n"
    numbers = json.loads((place / "results" / "comparison.json").read_text(encoding="utf-8"))
    assert list(numbers["groups"]) == ["2024 年", "2025 年"]
    for name, table in years.items():
        own = numbers["groups"][name]
        assert (own["customers"], own["transactions"]) == (table["customer_id"].nunique(), len(table))
        assert own["as_of"] == table["date"].max()
    shares = pd.DataFrame(numbers["segments"]).groupby("group")[["share", "revenue_share"]].sum()
    assert shares.to_numpy() == pytest.approx(1)
    page = (place / "results" / "comparison.html").read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in page
    assert "调查批次 · 共比较 2 个：2024 年、2025 年" in page
    assert "重要价值客户" in page
    assert 'href="2024%20%E5%B9%B4/report.html"' in page


@pytest.fixture(scope="module", params=["en", "zh"])
def waves(request: pytest.FixtureRequest) -> Comparison:
    """Three waves estimated in this process, of which the middle one is missing."""
    design = Questionnaire.shipped("course_csi")
    outcomes = [Outcome("2025", "2025", None, "2025.csv is empty.")]
    for year, seed in (("2024", 1), ("2026", 2), ("2027", 3)):
        study = csi.estimate(design, datasets.load_survey(150, seed=seed).data, bootstrap=50)
        outcomes.append(Outcome(year, year, study.to_dict()))
    outcomes.sort(key=lambda outcome: outcome.name)
    labels = {name: design.label(name, request.param) for name in design.constructs.index}
    files = [("data", "<b>2024</b>.csv", "0" * 64)]
    title = design.title[request.param]
    return Comparison("csi", "file", request.param, labels, "Satisfaction", title, outcomes, files)


def test_a_comparison_of_waves_shows_changes(waves: Comparison, tmp_path: Path) -> None:
    write_comparison(waves, tmp_path)
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    table = waves.tables["changes"]
    assert table[["before", "after"]].to_numpy().tolist() == [["2024", "2026"], ["2026", "2027"]]
    index = waves.groups.set_index("group")["index"].astype(float)
    assert table["change"].tolist() == pytest.approx([index["2026"] - index["2024"], index["2027"] - index["2026"]])
    assert all(f"{abs(change):.1f}" in page for change in table["change"])
    assert "<b>2024</b>" not in page
    assert "2025.csv is empty." in page
    assert not re.search(r"<script|<link|<img|src=|https?://(?!www\.w3\.org)", page)
    assert page.count('role="img"') == 1
    book = openpyxl.load_workbook(tmp_path / "comparison.xlsx")
    assert set(book.sheetnames) >= {"groups", "constructs", "differences", "changes"}
    numbers = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert len(numbers["differences"]) == 3
    assert numbers["files"] == ["comparison.html", "comparison.json", "comparison.xlsx"]
    if waves.language == "zh":
        assert "逐次变化" in page
        assert "“2025”无法估计" in page


@pytest.mark.parametrize("lost", [["2024"], ["2024", "2026", "2027"]])
def test_an_index_that_is_told_as_impossible_is_a_dash(waves: Comparison, lost: list[str], tmp_path: Path) -> None:
    """As an engine leaves it whose solution is not admissible: a study with problems, and no number."""
    nothing = {"index": None, "ci": [None, None], "se": None}
    outcomes = [
        replace(each, numbers={**each.numbers, **nothing}) if each.name in lost and each.numbers else each
        for each in waves.outcomes
    ]
    found = replace(waves, outcomes=outcomes)
    write_comparison(found, tmp_path)
    numbers = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert [name for name, row in numbers["groups"].items() if row["report"] and row["index"] is None] == lost
    assert sum(row["difference"] is not None for row in numbers["differences"]) == len(lost) % 3
    assert (tmp_path / "comparison.html").read_text(encoding="utf-8").count('role="img"') == len(lost) % 3


def test_changes_by_hand() -> None:
    """3.0 ± 2.2414 · 1.0, the normal quantile at 0.9875 for two intervals at 95 % together (any table)."""
    table = changes(pd.DataFrame({"group": ["a", "b", "c"], "index": [70.0, 73.0, 72.0], "se": [0.6, 0.8, 0.8]}))
    assert table.loc[0, ["change", "se"]].tolist() == pytest.approx([3.0, 1.0])
    assert table.loc[0, ["ci_lower", "ci_upper"]].tolist() == pytest.approx([0.7586, 5.2414], abs=1e-4)
    assert table["pvalue_adjusted"].tolist() == pytest.approx([2 * 0.0027, 0.3768], abs=1e-4)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_comparison_of_weights(language: str, tmp_path: Path) -> None:
    design = Questionnaire.shipped("course_csi")
    outcomes = []
    for name, seed in (("A", 1), ("B", 2)):
        found = weighting.compare(design, datasets.load_survey(100, seed=seed).data)
        outcomes.append(Outcome(name, name, found.to_dict() | {"shown": "equal"}))
    comparison = Comparison("weights", "store", language, {"store": "门店"}, "Satisfaction", "T", outcomes, [])
    write_comparison(comparison, tmp_path)
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    for row in comparison.groups.to_dict("records"):
        assert row["lowest"] <= row["index"] <= row["highest"]
        assert f"{row['index']:.1f}" in page
    assert comparison.tables["methods"]["CRITIC"].notna().all()


def test_a_comparison_is_the_same_whenever_it_is_written(waves: Comparison, tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        write_comparison(waves, tmp_path / place)
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert [name for name in first if first[name] != second[name]] == []


def test_names_of_branches_become_folders_of_their_own(tmp_path: Path) -> None:
    from crmlab.studies.batch import _parts

    study = Study.read(studies.new("rfm", tmp_path / "x"))
    names = ["A/B", "A:B", "a_b", "..", "comparison", "comparison.xlsx", "老城店", "x" * 99]
    folders = [part.folder for part in _parts(names, [study] * len(names))]
    assert folders == ["A_B", "A_B-2", "a_b-3", "_", "comparison-2", "comparison.xlsx-2", "老城店", "x" * 60]


def test_orders_of_one_region_only() -> None:
    """Lines of a region, counted by pandas."""
    table = datasets.simulate_buyers(60, seed=1).orders
    orders = studies.read_orders(table, only="region = south")
    south = table[table["region"] == "south"]
    assert (orders.n, orders.customers) == (len(south), south["customer_id"].nunique())
    assert rfm.analyse(orders).transactions == len(south)
    with pytest.raises(InputError) as error:
        studies.read_orders(table, only="region = east")
    assert str(error.value) == ("only: no line of the DataFrame has region = east; its values are north, south, west.")
