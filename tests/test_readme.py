"""Every command of the README is run, in a copy of the repository, as a newcomer would."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The tracked files in a folder of their own, with this environment as its .venv, already set up.

    make must not set it up again: that would tie this environment to the copy.
    """
    folder = tmp_path_factory.mktemp("clone") / "crmlab"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY, capture_output=True
    )
    for name in tracked.stdout.decode().split("\0"):
        if name and (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.prefix) / "bin")
    for stamp in ("course.stamp", "dev.stamp"):
        (folder / ".venv" / stamp).touch()
    return folder


# These tests may themselves run under make, whose flags a newcomer's make would not have.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}


def shell(script, folder):
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=ENVIRONMENT)


def test_the_readme_holds_the_commands_tested_here():
    assert COMMANDS == [
        "make run",
        "make test",
        "make lab",
        ".venv/bin/papermill notebooks/09_satisfaction_index.ipynb build/lecture.ipynb -p respondents 300",
        "source .venv/bin/activate",
        "crmlab new csi my-study",
        "crmlab check my-study",
        "crmlab run my-study",
        "crmlab run my-study --each store",
        "crmlab questionnaire --questionnaire my-study/questionnaire.yaml --out my-study/forms",
    ]


@pytest.mark.slow
def test_make_run_ends_in_one_line_and_a_report(copy):
    done = shell("make run", copy)
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert "72.5" in last
    assert "build/mobile-survey" in last
    assert (copy / "build" / "mobile-survey" / "report.html").exists()


def test_make_test_lints_and_tests(copy):
    """Run for real it would run this test again: here, that it would call the linter, the type checker and pytest."""
    planned = shell("make --dry-run test", copy).stdout
    assert all(tool in planned for tool in ("ruff check", "ruff format --check", "mypy", "pytest"))


@pytest.mark.slow
def test_make_lab_serves_the_chapter(copy):
    log = copy / "lab.log"
    with log.open("w") as said:
        server = subprocess.Popen(
            ["make", "lab", "LAB_FLAGS=--no-browser --ServerApp.port=0"],
            cwd=copy,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**ENVIRONMENT, "JUPYTER_RUNTIME_DIR": str(copy / "runtime")},
        )
    try:
        deadline = time.monotonic() + 90
        while "/lab/tree/notebooks/01_customer_lifecycle.ipynb" not in log.read_text() and time.monotonic() < deadline:
            assert server.poll() is None, log.read_text()
            time.sleep(0.2)
        assert "/lab/tree/notebooks/01_customer_lifecycle.ipynb" in log.read_text()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


@pytest.mark.slow
def test_the_instructors_lecture(copy):
    done = shell("mkdir -p build; " + COMMANDS[3], copy)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (copy / "build" / "lecture.ipynb").exists()


@pytest.mark.slow
def test_the_analysts_path_and_its_python(copy):
    done = shell("\n".join(BLOCKS[-1].splitlines()), copy)
    assert done.returncode == 0, done.stderr
    study = copy / "my-study"
    assert {path.name for path in (study / "forms").iterdir()} == {"form_en.html", "form_zh.html", "codebook.xlsx"}
    compared = {"comparison.html", "comparison.xlsx", "comparison.json"}
    assert {path.name for path in (study / "results").iterdir()} == compared | {"Riverside", "Station", "Old Town"}
    report = {"report.html", "tables.xlsx", "index.json", "notebook.ipynb"}
    assert {path.name for path in (study / "results" / "Station").iterdir()} == report
    (script,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    printed = subprocess.run(
        [sys.executable, "-c", script], cwd=copy, capture_output=True, text=True, check=True
    ).stdout
    assert re.fullmatch(
        r"Satisfaction \d\d\.\d of 100 \(95 % interval \d\d\.\d to \d\d\.\d, 400 respondents\)\n", printed
    )


def test_links_of_the_readme_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (REPOSITORY / target).exists(), target
