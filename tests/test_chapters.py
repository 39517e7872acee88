"""What the chapters find: the published numbers, and what holds whatever the parameters.

Cells run here in this process, not in a kernel, whose start and imports would take longer than many a chapter. That
kernels give the same is proved once for each chapter in test_notebooks.py, with the chapter's own parameters.
"""

import importlib
import runpy
import socket
from pathlib import Path

import pytest
from building import CHAPTERS, code_cells, each, read, tags

from crmlab import studies
from crmlab.errors import InputError
from crmlab.teaching import contract, recorded

REFUSE_NETWORK = Path(__file__).with_name("ipython") / "profile_default/startup/00_refuse_network.py"


def expected_of(target):
    """The module of `tests/chapters` that says what this chapter must find."""
    return importlib.import_module(f"chapters.ch{target.name[:2]}")


@each(CHAPTERS)
def test_a_chapter_gives_the_published_numbers(target):
    expected_of(target).as_published(recorded(read(target)))


# with other parameters

GRID = [(target, parameters) for target in CHAPTERS for parameters in expected_of(target).GRID]


@pytest.fixture
def without_network(monkeypatch):
    """This process as a kernel under test is: no connection leaves the machine. Undone after the test."""
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, getattr(socket.socket, name))
    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, getattr(socket, name))
    runpy.run_path(str(REFUSE_NETWORK))


@pytest.mark.parametrize(
    ("target", "parameters"), GRID, ids=[f"{target.name}-{number}" for number, (target, _) in enumerate(GRID)]
)
def test_a_chapter_holds_with_other_parameters(target, parameters, without_network, monkeypatch):
    """The parameters' cell is run as it stands; the other values then replace its own, as papermill would have it."""
    studies.check(target.output, parameters)
    monkeypatch.chdir(target.output.parent)
    published = []
    monkeypatch.setattr(contract, "publish", published.append)
    names = {"__name__": "__main__"}
    for number, cell in enumerate(code_cells(read(target)), start=1):
        exec(compile(cell.source, f"{target.name}, code cell {number}", "exec"), names)
        if "parameters" in tags(cell):
            names.update(parameters)
    (results,) = published
    expected_of(target).holds(results[contract.MIME], parameters)


@each(CHAPTERS)
def test_a_misspelt_or_ill_typed_parameter_is_an_error(target):
    name, parameter = next(iter(studies.parameters(target.output).items()))
    with pytest.raises(InputError, match=f"did you mean {name}"):
        studies.check(target.output, {f"{name}z": parameter.default})
    with pytest.raises(InputError, match=f"{name} is None"):
        studies.check(target.output, {name: None})
