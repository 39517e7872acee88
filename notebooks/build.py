"""Build the course's notebooks from the text that people edit.

One direction only: `notebooks/source/NN_slug.py` becomes the executed `notebooks/NN_slug.ipynb`,
`notebooks/source/templates/NAME.py` becomes the unexecuted `notebooks/templates/NAME.ipynb`, and
`exercises/source/NN_slug.py` becomes `exercises/NN_slug.ipynb`, unexecuted and without its solutions. Sources are in
the percent format, so they open as notebooks in JupyterLab; whatever is changed in a built notebook is lost by the next
build.

A prose cell may say `lang="en"` or `lang="zh"` and then belongs to that edition alone; all others belong to both.
The Chinese edition lies in a folder `zh` beside the English one and has the same code cells under the same ids.

The same source and the same library versions give the same bytes: ids come from what a cell says, and neither times nor
versions nor paths of the building machine are kept.

Chapters are built several at a time, each in a kernel of its own; how long each took goes into `docs/timings.md`.

    python notebooks/build.py                        # build everything
    python notebooks/build.py --workers 1            # one chapter at a time
    python notebooks/build.py 09_satisfaction_index  # only this chapter and its exercise
    python notebooks/build.py --check                # say what is out of date, build nothing
"""

import argparse
import ast
import hashlib
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from traitlets import default

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("en", "zh")
STUB_PROSE = {"en": "*Write your answer here.*", "zh": "*请在此写下你的答案。*"}
STUB_CODE = "# Write your answer here: put it in place of the dots."
SECONDS_PER_CELL = 600
TIMINGS = ROOT / "docs/timings.md"
# What tells one machine from another: nothing of it may be stored in a committed notebook.
MACHINE_TRACES = re.compile(r"0x[0-9a-f]{6,}|(?<![\w.])/(?:home|root|tmp|Users|usr|opt|var)/|[A-Z]:\\\\")


class BuildError(Exception):
    """A source that cannot become a notebook; says which file, which cell and why."""


@dataclass(frozen=True)
class Target:
    """One notebook to build: `kind` is "chapter", "template" or "exercise"."""

    kind: str
    source: Path
    output: Path
    language: str

    @property
    def name(self) -> str:
        return self.source.stem


def targets(language: str = "en", root: Path = ROOT) -> list[Target]:
    """All notebooks of one edition, in the order of the course: chapters, then templates, then exercises."""
    edition = Path() if language == "en" else Path(language)
    folders = (
        ("chapter", root / "notebooks/source", root / "notebooks" / edition),
        ("template", root / "notebooks/source/templates", root / "notebooks/templates" / edition),
        ("exercise", root / "exercises/source", root / "exercises" / edition),
    )
    return [
        Target(kind, source, output / f"{source.stem}.ipynb", language)
        for kind, folder, output in folders
        for source in sorted(folder.glob("*.py"))
    ]


def inputs(target: Target) -> NotebookNode:
    """The notebook as its source says it, before it is run."""
    cells = read_source(target.source, target.language)
    if target.kind == "exercise":
        cells = without_solutions(cells, target.language)
    return assemble(cells)


def build(target: Target) -> NotebookNode:
    """Make the notebook, run it if it is a chapter, and write it to its place."""
    notebook = inputs(target)
    if target.kind == "chapter":
        target.output.parent.mkdir(parents=True, exist_ok=True)
        execute(notebook, folder=target.output.parent)
        refuse_machine_traces(notebook, target.source.name)
    write(notebook, target.output)
    return notebook


@dataclass(frozen=True)
class Built:
    """How the build of one notebook ended: its seconds by the clock, and what stopped it, if anything did."""

    target: Target
    seconds: float
    fault: str = ""


def build_all(chosen: list[Target], workers: int) -> Iterator[Built]:
    """Build notebooks, so many at a time, and tell of each in the order given; one that fails stops no other.

    A thread is enough for each: the work is done by its kernel, which is a process of its own.
    """

    def timed(target: Target) -> Built:
        begin = time.monotonic()
        fault = ""
        try:
            build(target)
        except (BuildError, CellExecutionError, DeadKernelError, TimeoutError) as error:
            fault = str(error)
            fault = fault if fault.startswith(target.source.name) else f"{target.source.name}: {fault}"
        finally:
            ensure_event_loop().close()  # Jupyter opens one in each thread and leaves it open
        return Built(target, time.monotonic() - begin, fault)

    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(timed, chosen)


def timings(path: Path = TIMINGS) -> dict[str, tuple[int, int]]:
    """Cells and seconds of each chapter, as the table of the last build says them."""
    rows = re.findall(r"(?m)^\| (\d\d_\w+) \| (\d+) \| (\d+) \|$", path.read_text("utf-8")) if path.exists() else []
    return {name: (int(cells), int(seconds)) for name, cells, seconds in rows}


def write_timings(found: dict[str, tuple[int, int]], workers: int, elapsed: float, path: Path = TIMINGS) -> None:
    """Write the table of chapters: cells, and seconds by the clock from source to notebook."""
    gibibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    rows = [f"| {name} | {cells} | {seconds} |" for name, (cells, seconds) in sorted(found.items())]
    text = (
        "# How long the chapters take\n\n"
        f"Written by `make notebooks` on a machine with {os.cpu_count()} cores and {gibibytes:.0f} GiB of memory, "
        f"{workers} chapters at a time.\nSeconds by the clock, from source to executed notebook, the start of the "
        f"kernel included; all chapters together took {elapsed:.0f} s.\n\n"
        "| chapter | cells | seconds |\n| --- | ---: | ---: |\n" + "\n".join(rows) + "\n"
    )
    path.write_text(text, encoding="utf-8")


def differences(target: Target) -> list[str]:
    """What in the committed notebook differs from a rebuild of its inputs; an empty list when it is up to date."""
    if not target.output.exists():
        return [f"{target.output.name}: not built yet"]
    built, fresh = nbformat.read(target.output, as_version=4), inputs(target)
    found = []
    if len(built.cells) != len(fresh.cells):
        found.append(f"{target.output.name}: {len(built.cells)} cells, the source has {len(fresh.cells)}")
    for number, (old, new) in enumerate(zip(built.cells, fresh.cells, strict=False), start=1):
        if any(old.get(key) != new.get(key) for key in ("id", "cell_type", "source", "metadata")):
            found.append(f"{target.output.name}: cell {number} differs from the source: {_first_line(new)!r}")
        elif target.kind == "chapter" and new.cell_type == "code" and old.execution_count is None:
            found.append(f"{target.output.name}: cell {number} was not run: {_first_line(new)!r}")
    if built.metadata != fresh.metadata:
        found.append(f"{target.output.name}: the notebook's metadata differ from a rebuild")
    return found


def read_source(source: Path, language: str) -> list[NotebookNode]:
    """The cells of one edition, each with its stable id and no more metadata than its source gives it."""
    cells = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells
    for number, cell in enumerate(cells, start=1):
        _check_language(cell, f"{source.name}: cell {number} ({_first_line(cell)!r})")
    chosen = [cell for cell in cells if cell.metadata.get("lang", language) == language]
    for cell, identity in zip(chosen, stable_ids(chosen), strict=True):
        cell["id"] = identity
    return chosen


def stable_ids(cells: Iterable[NotebookNode]) -> list[str]:
    """An id for each cell made from its kind and text alone, numbered where two cells say the same.

    Moving a cell, or changing another one, leaves its id as it is; and as only prose is filtered by language, the code
    cells of both editions come out alike.
    """
    seen: Counter[str] = Counter()
    ids = []
    for cell in cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:10]
        seen[digest] += 1
        ids.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return ids


def without_solutions(cells: list[NotebookNode], language: str) -> list[NotebookNode]:
    """Put a stub in place of every cell tagged `solution`; the name that the solution ends by assigning stays."""
    for cell in cells:
        if "solution" not in cell.metadata.get("tags", ()):
            continue
        cell["source"] = stub(cell.source) if cell.cell_type == "code" else STUB_PROSE[language]
        cell.metadata["tags"] = ["answer" if tag == "solution" else tag for tag in cell.metadata["tags"]]
    for cell, identity in zip(cells, stable_ids(cells), strict=True):
        cell["id"] = identity
    return cells


def stub(solution: str) -> str:
    """The code a student starts from.

    >>> print(stub("mean = survey.mean()\\nq1 = 100 * (mean - 1) / 9"))
    # Write your answer here: put it in place of the dots.
    q1 = ...
    """
    last = ast.parse(solution).body[-1]
    if not (isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Name)):
        raise BuildError(f"a solution cell must end by giving its answer a name, such as `q1 = …`; found {solution!r}")
    return f"{STUB_CODE}\n{last.targets[0].id} = ..."


def assemble(cells: list[NotebookNode]) -> NotebookNode:
    """A notebook of these cells that names its language but no machine and no version."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    notebook.cells = cells
    notebook.nbformat_minor = 5
    return notebook


class KernelOfThisPython(AsyncKernelManager):
    """Starts the interpreter that runs this script, whatever else is installed under the name python3."""

    @default("kernel_spec_manager")
    def _only_the_native_kernel(self) -> KernelSpecManager:
        return KernelSpecManager(parent=self, kernel_dirs=[], ensure_native_kernel=True)


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run every cell in order with the Python that runs this script; an error or a warning stops the build."""
    client = NotebookClient(
        notebook,
        kernel_manager_class=KernelOfThisPython,
        timeout=SECONDS_PER_CELL,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    with tempfile.TemporaryDirectory() as settings:
        # The builder's own start-up files and matplotlib settings must not reach the page.
        plain = Path(settings) / "matplotlibrc"
        plain.touch()
        client.execute(env={**os.environ, "IPYTHONDIR": settings, "MATPLOTLIBRC": str(plain), "PYTHONHASHSEED": "0"})
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "stream" and output.name == "stderr":
                raise BuildError(f"a cell wrote to standard error: {_first_line(cell)!r}: {output.text.strip()}")
    notebook.metadata["language_info"] = {"name": "python"}


def refuse_machine_traces(notebook: NotebookNode, name: str) -> None:
    """Raise if an output holds a memory address or a path of this machine."""
    for cell in notebook.cells:
        for text in output_texts(cell):
            if trace := MACHINE_TRACES.search(text):
                raise BuildError(
                    f"{name}: the output of {_first_line(cell)!r} holds {trace.group()!r}, which differs "
                    "from machine to machine; show something else."
                )


def output_texts(cell: NotebookNode) -> list[str]:
    """All that a reader can read under a cell: printed text, and results as plain text and as HTML."""
    texts = []
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        texts += [output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")]
    return [text for text in texts if text]


def write(notebook: NotebookNode, path: Path) -> None:
    """Write the notebook whole: an interrupted build leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.validate(notebook)
    partial = path.with_suffix(".ipynb.tmp")
    partial.write_text(nbformat.writes(notebook, version=4).rstrip("\n") + "\n", encoding="utf-8", newline="\n")
    partial.replace(path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build chapters, templates and exercises from their sources.")
    parser.add_argument("names", nargs="*", help="chapters or templates to build; all of them when none is named")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="which edition to build")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="how many at a time; one a core by default")
    parser.add_argument("--check", action="store_true", help="say what is out of date and build nothing")
    options = parser.parse_args(arguments)
    known = targets(options.language)
    if unknown := sorted(set(options.names) - {target.name for target in known}):
        parser.error(f"no source named {', '.join(unknown)}; there are {', '.join(sorted({t.name for t in known}))}")
    chosen = [target for target in known if not options.names or target.name in options.names]
    if options.check:
        found = [line for target in chosen for line in differences(target)]
        print("\n".join(found) or f"{len(chosen)} notebooks are up to date.")
        return 1 if found else 0
    begin = time.monotonic()
    built = []
    for one in build_all(chosen, options.workers):
        built.append(one)
        told = f"FAILED: {one.fault}" if one.fault else f"{one.seconds:4.0f} s" if one.target.kind == "chapter" else ""
        print(f"{one.target.output.relative_to(ROOT)}  {told}".rstrip(), flush=True)
    if any(one.fault for one in built):
        print(f"{sum(bool(one.fault) for one in built)} of {len(built)} notebooks could not be built.", file=sys.stderr)
        return 1
    if chosen == targets():
        found = {
            one.target.name: (len(inputs(one.target).cells), round(one.seconds))
            for one in built
            if one.target.kind == "chapter"
        }
        write_timings(found, options.workers, time.monotonic() - begin)
    return 0


def _check_language(cell: NotebookNode, where: str) -> None:
    language = cell.metadata.get("lang")
    if language is None:
        return
    if language not in LANGUAGES:
        raise BuildError(f"{where}: lang is {language!r}; expected one of {', '.join(LANGUAGES)}")
    if cell.cell_type == "code":
        raise BuildError(f"{where}: a code cell serves both editions; take its lang away")


def _first_line(cell: NotebookNode) -> str:
    return cell.source.split("\n", 1)[0][:60]


if __name__ == "__main__":
    sys.exit(main())
