"""Chapters, templates and exercises: built from their sources, of the agreed shape, reproducible, and offline.

Kernels are slow to start, so what needs one is shared: nbval runs every chapter once, and one small notebook serves all
questions about the network. Other parameters are tried in test_chapters.py, without kernels.
"""

import ast
import configparser
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from building import CHAPTERS, EXERCISES, TARGETS, build, code_cells, each, read, tags

from crmlab.teaching import answers, recorded

REPOSITORY = Path(__file__).resolve().parents[1]
SANITIZE = Path(__file__).with_name("nbval_sanitize.cfg")
#: Written in parts, since no file of the project may hold a path of one machine.
SOMEBODYS_FILE, SCRATCH_FILE, WINDOWS_FILE = (
    "/" + "home/ada/answers.csv",
    "/" + "tmp/x1/out",
    "C:" + r"\Users\ada\a.html",
)
#: Cells whose outputs are not compared. The aim is none; raising this needs a reason in the commit message.
MOST_IGNORED_OUTPUTS = 0


@pytest.fixture(scope="module")
def kernel_environment(tmp_path_factory):
    """The environment of kernels under test: the start-up file that refuses the network, and nothing of the user's."""
    settings = tmp_path_factory.mktemp("ipython") / "settings"
    # A copy, because IPython writes its history beside the start-up files.
    shutil.copytree(Path(__file__).with_name("ipython"), settings)
    # Neither this run's plotting backend nor pytest's notes to its own workers.
    ours = ("MPLBACKEND", "PYTEST_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**inherited, "IPYTHONDIR": str(settings), "PYTHONHASHSEED": "0"}


# built from source


def test_there_is_a_chapter_a_template_and_an_exercise():
    assert {target.kind for target in TARGETS} == {"chapter", "template", "exercise"}


@each(TARGETS)
def test_the_committed_notebook_is_what_its_source_says(target):
    assert build.differences(target) == []


def test_no_committed_notebook_has_lost_its_source():
    listed = subprocess.run(["git", "ls-files", "*.ipynb"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    committed = {REPOSITORY / line for line in listed.stdout.splitlines()}
    assert committed - {target.output for target in TARGETS} == set()


@each(TARGETS)
def test_the_committed_notebook_is_tidy(target):
    text = target.output.read_text(encoding="utf-8")
    notebook = read(target)
    nbformat.validate(notebook)
    assert notebook.metadata == build.assemble([]).metadata, "no version, no machine"
    assert all("execution" not in cell.metadata for cell in notebook.cells), "no times"
    assert text == nbformat.writes(notebook).rstrip("\n") + "\n", "one way of writing"
    build.refuse_machine_traces(notebook, target.name)


SOURCE = """\
# %% [markdown] lang="en"
# # A title

# %% [markdown] lang="zh"
# # 标题

# %% [markdown]
# $x$ serves both.

# %% tags=["parameters"]
seed: int = 1  # of the generator

# %%
seed + 1

# %%
seed + 1
"""


@pytest.fixture
def small(tmp_path):
    """A project of one chapter and its two editions."""

    def project(source=SOURCE, kind="notebooks", name="01_small"):
        path = tmp_path / kind / "source" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        return [
            target
            for language in build.LANGUAGES
            for target in build.targets(language, tmp_path)
            if target.name == name
        ]

    return project


def test_each_edition_has_its_own_prose_and_the_same_code_under_the_same_ids(small):
    english, chinese = (build.inputs(target) for target in small())
    assert [cell.source for cell in english.cells][:2] == ["# A title", "$x$ serves both."]
    assert [cell.source for cell in chinese.cells][:2] == ["# 标题", "$x$ serves both."]
    assert code_cells(english) == code_cells(chinese)
    for notebook in (english, chinese):
        assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_the_editions_lie_side_by_side(small):
    english, chinese = small()
    assert chinese.output == english.output.parent / "zh" / english.output.name


def test_the_same_source_gives_the_same_bytes(small):
    target = small()[0]
    build.build(target)
    first = target.output.read_bytes()
    build.build(target)
    assert target.output.read_bytes() == first
    assert build.differences(target) == []


def test_every_kind_of_difference_is_found(small):
    target = small()[0]
    assert build.differences(target) == ["01_small.ipynb: not built yet"]
    build.write(build.inputs(target), target.output)
    assert "was not run" in build.differences(target)[0]
    target.source.write_text(SOURCE.replace("# A title", "# Another title"), encoding="utf-8")
    assert "cell 1 differs from the source: '# Another title'" in build.differences(target)[0]
    target.source.write_text(SOURCE + "\n# %%\nseed + 2\n", encoding="utf-8")
    assert "5 cells, the source has 6" in build.differences(target)[0]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ('# %% [markdown] lang="de"\n# x', "lang is 'de'; expected one of en, zh"),
        ('# %% lang="en"\nx = 1', "a code cell serves both editions; take its lang away"),
    ],
)
def test_a_cell_of_no_edition_stops_the_build(small, cell, message):
    with pytest.raises(build.BuildError, match=message):
        build.inputs(small(cell)[0])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import warnings\nwarnings.warn('old')", "wrote to standard error"),
        ("object()", "holds '0x"),
        (repr(SOMEBODYS_FILE), "holds '/" + "home/'"),
    ],
)
def test_a_page_that_differs_from_machine_to_machine_stops_the_build(small, code, message):
    target = small(f"# %%\n{code}\n")[0]
    with pytest.raises(build.BuildError, match=message):
        build.build(target)
    assert not target.output.exists()


def test_an_exercise_keeps_the_name_of_an_answer_and_not_its_solution(small):
    source = '# %% tags=["solution"]\nmean = 7\nq1 = 100 * mean\n\n# %% [markdown] tags=["solution"]\n# Because.\n'
    english, chinese = (build.inputs(target).cells for target in small(source, kind="exercises"))
    assert english[0].source == "# Write your answer here: put it in place of the dots.\nq1 = ..."
    assert [english[1].source, chinese[1].source] == ["*Write your answer here.*", "*请在此写下你的答案。*"]
    assert [tags(cell) for cell in english] == [["answer"], ["answer"]]


def test_a_solution_without_a_name_stops_the_build(small):
    with pytest.raises(build.BuildError, match="must end by giving its answer a name"):
        build.inputs(small('# %% tags=["solution"]\nprint(1)\n', kind="exercises")[0])


def test_the_builder_says_what_is_out_of_date_and_what_it_does_not_know(capsys):
    assert build.main(["--check"]) == 0
    assert capsys.readouterr().out == f"{len(build.targets())} notebooks are up to date.\n"
    with pytest.raises(SystemExit):
        build.main(["--check", "10_nothing"])
    assert f"no source named 10_nothing; there are {build.targets()[0].name}" in capsys.readouterr().err


def test_several_are_built_at_a_time_and_told_in_order_and_a_fault_names_its_chapter(small, tmp_path):
    quick = small()[0]
    broken = small("# %%\n1 / 0\n", name="02_broken")[0]
    warned = small("# %%\nimport warnings\nwarnings.warn('old')\n", name="03_warned")[0]
    built = list(build.build_all([broken, quick, warned], workers=3))
    assert [one.target.name for one in built] == ["02_broken", "01_small", "03_warned"]
    assert re.match(r"02_broken\.py: .*ZeroDivisionError", built[0].fault, flags=re.DOTALL)
    assert built[1].fault == ""
    assert re.match(r"03_warned\.py: a cell wrote to standard error: 'import warnings'", built[2].fault)
    assert [one.target.output.exists() for one in built] == [False, True, False]


def test_timings_are_read_as_they_were_written(tmp_path):
    file, found = tmp_path / "timings.md", {"01_a": (30, 7), "11_b": (41, 102)}
    build.write_timings(found, workers=2, elapsed=61.4, path=file)
    assert build.timings(file) == found
    assert "2 chapters at a time" in file.read_text("utf-8")
    assert "all chapters together took 61 s" in file.read_text("utf-8")


# of the agreed shape


@each(CHAPTERS)
def test_a_chapter_is_of_teachable_length(target):
    cells = read(target).cells
    lengths = [len(cell.source.splitlines()) for cell in cells if cell.cell_type == "code"]
    assert 25 <= len(cells) <= 45
    assert statistics.median(lengths) <= 5
    assert max(lengths) <= 15


@each(CHAPTERS)
def test_prose_stands_before_each_code_cell_and_after_each_result(target):
    cells = read(target).cells
    for before, cell in zip([None, *cells], cells, strict=False):
        if cell.cell_type == "code":
            assert before is not None, "a chapter begins with its title"
            assert before.cell_type == "markdown", f"no prose between two code cells: {cell.source}"


@each(CHAPTERS)
def test_one_cell_holds_the_parameters_and_only_annotated_literals(target):
    tagged = [cell for cell in code_cells(read(target)) if "parameters" in tags(cell)]
    assert len(tagged) == 1
    assert tagged[0] is not None
    for line in ast.parse(tagged[0].source).body:
        assert isinstance(line, ast.AnnAssign), f"not annotated: {ast.unparse(line)}"
        assert line.value is not None, f"no value: {ast.unparse(line)}"
        assert type(ast.literal_eval(line.value)).__name__ == ast.unparse(line.annotation)


@each(CHAPTERS)
def test_imports_stand_in_one_cell(target):
    importing = [
        cell
        for cell in code_cells(read(target))
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(ast.parse(cell.source)))
    ]
    assert len(importing) == 1


FORBIDDEN = {
    "a magic or shell line": re.compile(r"^\s*[%!]|get_ipython|subprocess|os\.system", re.MULTILINE),
    "an installation": re.compile(r"\bpip\b|\bconda\b"),
    "a trailing semicolon": re.compile(r";\s*$", re.MULTILINE),
    "a download": re.compile(r"https?://|urlopen|requests\."),
    "a definition": re.compile(r"^\s*(?:def|class)\s", re.MULTILINE),
}


@each(CHAPTERS)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_code_cells_hold_no(target, what):
    found = [cell.source for cell in code_cells(read(target)) if FORBIDDEN[what].search(cell.source)]
    assert found == []


@each(CHAPTERS)
def test_the_last_code_cell_records_the_results(target):
    notebook = read(target)
    assert any(
        "application/vnd.crmlab.results+json" in output.get("data", {}) for output in code_cells(notebook)[-1].outputs
    )
    assert recorded(notebook)


@each(CHAPTERS)
def test_every_figure_says_what_is_seen(target):
    pictures = [
        output
        for cell in code_cells(read(target))
        for output in cell.outputs
        if any(mime.startswith("image/") for mime in output.get("data", {}))
    ]
    assert pictures, "a chapter without a figure"
    for picture in pictures:
        alt = picture.metadata.get("image/png", {}).get("alt", "")
        assert len(alt.split()) >= 8, f"too short to say what is seen: {alt!r}"
        assert picture.data["text/plain"] == f"Figure: {alt}"


@each(CHAPTERS)
def test_a_chapter_has_every_part_a_reader_counts_on(target):
    prose = "\n".join(cell.source for cell in read(target).cells if cell.cell_type == "markdown")
    expected = [
        "Objectives",
        "minutes",
        "Predict, then run",
        "What can go wrong",
        "Recap",
        "On your own data",
        "references",
    ]
    assert [part for part in expected if part not in prose] == []


# reproducible


def test_ignored_outputs_are_counted():
    marks = re.compile(r"nbval[-_](?:ignore[-_]output|skip)", re.IGNORECASE)
    ignored = [cell for target in CHAPTERS for cell in code_cells(read(target)) if marks.search(str(cell))]
    assert len(ignored) <= MOST_IGNORED_OUTPUTS


@pytest.fixture
def fresh_run(kernel_environment, tmp_path):
    """Compare a notebook's stored outputs with a fresh run."""

    def run(notebook):
        nbval = ["--nbval", "--nbval-sanitize-with", str(SANITIZE), "--nbval-current-env"]
        # Away from the project's own pytest options and plug-ins, which belong to its own tests.
        settings = tmp_path / "pytest.ini"
        settings.write_text("[pytest]\n")
        apart = ["-q", "-c", str(settings), "-p", "no:cacheprovider", "--disable-plugin-autoload", "-p", "nbval.plugin"]
        command = [sys.executable, "-m", "pytest", *apart, *nbval, str(notebook)]
        return subprocess.run(command, env=kernel_environment, capture_output=True, text=True, timeout=900)

    return run


@pytest.mark.slow
@each(CHAPTERS)
def test_a_fresh_run_of_a_chapter_gives_the_stored_outputs(target, fresh_run):
    run = fresh_run(target.output)
    assert run.returncode == 0, run.stdout[-6000:]
    assert f"{len(code_cells(read(target)))} passed" in run.stdout


def test_a_stored_output_that_no_longer_comes_out_is_noticed(fresh_run, small):
    target = small()[0]
    notebook = build.build(target)
    code_cells(notebook)[-1].outputs[0].data["text/plain"] = "3"
    build.write(notebook, target.output)
    run = fresh_run(target.output)
    assert run.returncode == 1
    assert "1 failed, 2 passed" in run.stdout


def sanitized(text):
    for regex, replace in re.findall("^regex: (.*)$\n^replace: (.*)$", SANITIZE.read_text("utf-8"), flags=re.MULTILINE):
        text = re.sub(regex, replace, text)
    return text


def test_every_rule_of_the_sanitize_file_is_read_by_nbval():
    from nbval.plugin import get_sanitize_patterns

    rules = configparser.RawConfigParser(delimiters=(":",), comment_prefixes=("#",))
    rules.read_string(SANITIZE.read_text("utf-8"))
    written = [(section["regex"], section["replace"]) for section in (rules[name] for name in rules.sections())]
    assert get_sanitize_patterns(SANITIZE.read_text("utf-8")) == written
    for line in SANITIZE.read_text("utf-8").splitlines():
        assert not re.match(r"(regex|replace):(?! )", line), "without the space nbval passes over the line"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<object at 0x7f91b42a4f90>", "<object at ADDRESS>"),
        (f"read {SOMEBODYS_FILE}, 250 rows", "read PATH, 250 rows"),
        (f"in {SCRATCH_FILE}", "in PATH"),
        (f"saved to {WINDOWS_FILE}", "saved to PATH"),
        ("run on 2026-01-31 12:30:59.123456+08:00", "run on TIME"),
        ("2026-01-31T12:30Z", "TIME"),
        ("took 0.83 s", "took DURATION"),
        ("Wall time: 12 ms", "Wall time: DURATION"),
    ],
)
def test_what_differs_from_run_to_run_is_taken_out(text, expected):
    assert sanitized(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "72.454",
        "-0.123e-05  1/3  3,141.59",
        "95 % interval 70.5 to 74.4",
        "waited 12 min for 3 s of help",
        "last purchase 1998-06-30",
        "<tr><td>0.505</td><td>/10</td></tr></tbody></table>",
        "p < 0.001, n/a, 4/5 of 250",
        "0x1 0xff",
        "score 10 s",
        "it took 250 respondents",
    ],
)
def test_results_are_never_taken_out(text):
    assert sanitized(text) == text


# no network


def test_a_kernel_under_test_reaches_no_network(kernel_environment, small):
    reach = [
        "urllib.request.urlopen('http://192.0.2.1/', timeout=2)",
        "socket.socket().connect(('192.0.2.1', 80))",
        "socket.create_connection(('192.0.2.1', 80), timeout=2)",
        "socket.getaddrinfo('example.invalid', 80)",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    ]
    with socket.create_server(("127.0.0.1", 0)) as server:
        local = f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]})).close()"
        notebook = build.assemble(
            [nbformat.v4.new_code_cell(f"import socket, urllib.request\n{line}") for line in [*reach, local]]
        )
        run_allowing_errors(notebook, kernel_environment)
    errors = [
        next((f"{o.ename}: {o.evalue}" for o in cell.outputs if o.output_type == "error"), "")
        for cell in notebook.cells
    ]
    assert all(
        error.startswith("NetworkRefused: network: a notebook under test must not reach") for error in errors[:-1]
    )
    assert len(errors[:-1]) == len(reach)
    assert errors[-1] == "", "this machine itself may be reached"


def run_allowing_errors(notebook, environment):
    from nbclient import NotebookClient

    NotebookClient(notebook, kernel_manager_class=build.KernelOfThisPython, allow_errors=True).execute(env=environment)


# exercises


@each(EXERCISES)
def test_the_solutions_of_an_exercise_run_from_top_to_bottom_and_are_right(target):
    cells = [cell for cell in build.read_source(target.source, target.language) if cell.cell_type == "code"]
    names: dict = {}
    verdicts = {}
    for cell in cells:
        body = ast.parse(cell.source).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), target.source.name, "exec"), names)
        value = eval(compile(ast.Expression(last.value), target.source.name, "eval"), names) if last else None
        if isinstance(value, answers.Verdict):
            verdicts[value.question] = value
    asked = [question.name for question in answers.of_chapter(target.name[:2])]
    assert list(verdicts) == asked, "every question of the chapter is checked, in order"
    assert [verdict.message for verdict in verdicts.values()] == [f"{name}: right." for name in asked]


@each(EXERCISES)
def test_an_exercise_asks_enough_and_gives_nothing_away(target):
    source, built = build.read_source(target.source, target.language), read(target)
    solutions = [cell.source for cell in source if "solution" in tags(cell)]
    assert len([cell for cell in code_cells(built) if "answer" in tags(cell)]) >= 2, "two questions or more"
    assert any("open task" in cell.source.lower() for cell in built.cells if cell.cell_type == "markdown")
    assert all(solution not in target.output.read_text("utf-8") for solution in solutions)
    assert all(cell.execution_count is None and cell.outputs == [] for cell in code_cells(built))
