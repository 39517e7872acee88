"""The builder of the course's notebooks, what it builds, and how tests of notebooks speak of it."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def script(path: str) -> ModuleType:
    """A script of the repository as a module: scripts are no package."""
    name = Path(path).with_suffix("").as_posix().replace("/", "_")
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


build = script("notebooks/build.py")
TARGETS = [target for language in build.LANGUAGES for target in build.targets(language) if target.output.exists()]
TARGETS = list(dict.fromkeys(build.targets() + TARGETS))
CHAPTERS = [target for target in TARGETS if target.kind == "chapter"]
EXERCISES = [target for target in TARGETS if target.kind == "exercise"]


def each(targets):
    """A test for each of these notebooks."""
    return pytest.mark.parametrize("target", targets, ids=lambda t: f"{t.kind}-{t.language}-{t.name}")


def read(target):
    return nbformat.read(target.output, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])
