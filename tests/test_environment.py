"""One set of requirements, said in four places: pyproject.toml, the two locks, environment.yml; and the ways in."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from rattler import MatchSpec

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

# conda-forge's name -> the name on PyPI, where they differ. `-base` leaves out the graphical toolkits.
PYPI_NAMES = {
    "ibis-duckdb": "ibis-framework[duckdb]",
    "matplotlib-base": "matplotlib",
    "playwright-python": "playwright",
    "seaborn-base": "seaborn",
}
LOCKS = {"requirements.lock": ("course",), "requirements-dev.lock": ("course", "dev")}


def declared(*extras: str) -> list[Requirement]:
    """The core requirements of pyproject.toml and those of the extras."""
    optional = PROJECT["optional-dependencies"]
    return [
        Requirement(line) for line in PROJECT["dependencies"] + [line for extra in extras for line in optional[extra]]
    ]


def name_with_extras(requirement: Requirement) -> str:
    return requirement.name + (f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else "")


def clauses(specifier: object) -> frozenset[str]:
    """``">=3.0,<4"`` as ``{">=3.0", "<4"}``, so that order and spaces do not count."""
    return frozenset(str(specifier).replace(" ", "").split(",")) - {""}


# ---------------------------------------------------------------------------------------------- environment.yml

CONDA_SPECS = [line for line in ENVIRONMENT["dependencies"] if isinstance(line, str)]
PIP_LINES = [line for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict) for line in entry["pip"]]


@pytest.mark.parametrize("line", CONDA_SPECS)
def test_conda_spec_names_one_package_and_a_version(line: str) -> None:
    spec = MatchSpec(line)
    assert spec.name is not None
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", spec.name.normalized)
    assert (spec.version is None) == (line == "pip")
    assert spec.channel is None
    assert spec.build is None


@pytest.mark.parametrize("line", [line for line in PIP_LINES if not line.startswith("-")])
def test_pip_spec_names_one_package_and_a_version(line: str) -> None:
    requirement = Requirement(line)
    assert requirement.specifier
    assert requirement.url is None


def test_conda_environment_installs_this_checkout_and_nothing_else_by_option() -> None:
    assert [line for line in PIP_LINES if line.startswith("-")] == ["--editable ."]


def test_conda_environment_reads_conda_forge_only() -> None:
    assert ENVIRONMENT["channels"] == ["conda-forge"]


def test_conda_environment_says_the_same_as_pyproject() -> None:
    wanted = {name_with_extras(r): clauses(r.specifier) for r in declared("course", "dev")}
    wanted["python"] = clauses(PROJECT["requires-python"])
    found: dict[str, frozenset[str]] = {}
    for spec in map(MatchSpec, CONDA_SPECS):
        name = spec.name.normalized
        found[PYPI_NAMES.get(name, name)] = clauses(spec.version or "")
    for requirement in (Requirement(line) for line in PIP_LINES if not line.startswith("-")):
        found[name_with_extras(requirement)] = clauses(requirement.specifier)
    assert found.pop("pip") == frozenset()
    assert found == wanted
    assert len(CONDA_SPECS) + len(PIP_LINES) - 2 == len(wanted), "a package is listed twice"


# -------------------------------------------------------------------------------------------------------- locks


def entries(lock: str) -> dict[tuple[str, str, str], frozenset[str]]:
    """Each pinned line of a lock, ``(name, version, marker)``, with its hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        pin, *options = re.split(r"\s+(?=--)", line.strip())
        requirement = Requirement(pin)
        (version,) = requirement.specifier
        assert version.operator == "=="
        assert requirement.url is None
        found[requirement.name, version.version, str(requirement.marker or "")] = frozenset(options)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_of_a_lock_is_pinned_and_hashed(lock: str) -> None:
    for (name, version, _), options in entries(lock).items():
        assert options, f"{lock}: {name} {version} has no hash"
        for option in options:
            assert re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", option), f"{lock}: {name} {version}: {option}"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_no_address_and_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.findall(r"(?im)^.*(?://|@|index|find-links|\bfile:|\.whl|\.tar).*$", text) == []


@pytest.mark.parametrize(("lock", "extras"), LOCKS.items())
def test_a_lock_holds_every_direct_dependency_within_its_range(lock: str, extras: tuple[str, ...]) -> None:
    pinned = {name: set[str]() for name, _, _ in entries(lock)}
    for name, version, _ in entries(lock):
        pinned[name].add(version)
    for requirement in declared(*extras):
        versions = pinned.get(requirement.name.lower(), set())
        assert versions, f"{lock} lacks {requirement}: run `make lock`"
        outside = {version for version in versions if version not in requirement.specifier}
        assert not outside, (
            f"{lock} pins {requirement.name} {outside}, outside {requirement.specifier}: run `make lock`"
        )


def test_the_course_lock_is_part_of_the_dev_lock() -> None:
    course = {(name, version): hashes for (name, version, _), hashes in entries("requirements.lock").items()}
    dev = {(name, version): hashes for (name, version, _), hashes in entries("requirements-dev.lock").items()}
    assert {pin: dev.get(pin) for pin in course} == course


# ------------------------------------------------------------------------------------------------- the ways in


def run(*command: str | Path, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as from a fresh shell: a surrounding make must not lend its flags to the one under test."""
    inherited = {
        key: value for key, value in os.environ.items() if key not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON"}
    }
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=inherited | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_ci_runs_make_test_at_the_top_and_passes_on_its_failure(tmp_path: Path) -> None:
    make = executable(tmp_path / "bin" / "make", f'#!/bin/sh\necho "$PWD: make $*" > {tmp_path}/called\nexit 7\n')
    result = run("bash", ROOT / ".ci" / "run", cwd=tmp_path, PATH=f"{make.parent}{os.pathsep}{os.environ['PATH']}")
    assert (tmp_path / "called").read_text(encoding="utf-8") == f"{ROOT}: make test\n"
    assert result.returncode == 7


def test_ci_stops_at_the_first_fault() -> None:
    script = ROOT / ".ci" / "run"
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines
    assert os.access(script, os.X_OK)


@pytest.mark.parametrize(
    ("target", "commands"),
    [
        ("setup", []),
        ("run", [".venv/bin/crmlab csi --questionnaire ecsi --data mobi --out build/mobile-survey"]),
        ("test", [".venv/bin/ruff check .", ".venv/bin/ruff format --check .", ".venv/bin/mypy", ".venv/bin/pytest"]),
        ("lab", [".venv/bin/jupyter lab ", "/lab/tree/notebooks/01_customer_lifecycle.ipynb"]),
        ("notebooks", [".venv/bin/python notebooks/build.py"]),
    ],
)
def test_make_target_gives_its_commands(target: str, commands: list[str]) -> None:
    result = run("make", "--dry-run", target)
    assert result.returncode == 0, result.stderr
    for command in commands:
        assert command in result.stdout


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """Only what `make setup` reads, and no .venv."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", *LOCKS):
        shutil.copy(ROOT / name, folder)
    return folder


def test_make_tells_an_old_python_from_a_new_one(bare_checkout: Path) -> None:
    old = executable(
        bare_checkout / "python-old", '#!/bin/sh\ncase "$1" in --version) echo Python 3.9.18;; *) exit 1;; esac\n'
    )
    result = run("make", f"PYTHON=./{old.name}", "setup", cwd=bare_checkout)
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == (
        "crmlab needs Python 3.11 or newer; found Python 3.9.18. Try: make PYTHON=python3.12 setup"
    )
    assert not (bare_checkout / ".venv").exists()


def test_make_tells_a_missing_python(bare_checkout: Path) -> None:
    result = run("make", "PYTHON=./no-such-python", "setup", cwd=bare_checkout)
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == (
        "crmlab needs Python 3.11 or newer; ./no-such-python was not found. Try: make PYTHON=python3.12 setup"
    )


def test_make_tells_a_python_without_venv(bare_checkout: Path) -> None:
    """Debian's python3 comes without ensurepip until python3-venv is installed."""
    (bare_checkout / "ensurepip.py").write_text("raise ModuleNotFoundError(__name__)\n", encoding="utf-8")
    python = executable(bare_checkout / "python-bare", f'#!/bin/sh\nPYTHONPATH=. exec "{sys.executable}" "$@"\n')
    result = run("make", f"PYTHON=./{python.name}", "setup", cwd=bare_checkout)
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == (
        "This Python cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv"
    )
    assert not (bare_checkout / ".venv").exists()


# --------------------------------------------------------------------------------------------------- the wheel


def test_the_wheel_holds_the_package_its_data_and_the_templates(tmp_path: Path) -> None:
    built = run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = run("git", "ls-files", "-z", "crmlab", "notebooks/templates").stdout.strip("\0").split("\0")
    missing = {name.replace("notebooks/templates/", "crmlab/studies/templates/") for name in wanted} - inside
    assert missing == set()
    assert {name.partition("/")[0] for name in inside} == {"crmlab", f"crmlab-{PROJECT['version']}.dist-info"}


# ------------------------------------------------------------------------------------------------- how to cite


def test_citation_agrees_with_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    # Required by the schema of the Citation File Format 1.2.0: these four keys.
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]
