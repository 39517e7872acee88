"""Running a parameterised notebook as a study: parameters checked, cells executed, files moved into place.

A template is an ordinary notebook with one cell tagged ``parameters`` of annotated literals. papermill executes it with
other values; it would only log a warning about a misspelt name, so names, types and choices are checked here first. The
executed notebook is kept as part of the study, without clock times and machine paths: same inputs, same bytes.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from crmlab.errors import InputError, did_you_mean
from crmlab.studies import folder

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from papermill.exceptions import PapermillExecutionError

_KERNEL = "python3"
_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (float, int), "bool": (bool,)}
_TYPE_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "True or False"}
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: _TRUTH[text.strip().casefold()],
}


class NotebookError(RuntimeError):
    """A cell of a study failed for a reason that is not the user's input.

    Attributes
    ----------
    kept
        The executed notebook up to the failing cell, kept for inspection; None if there is none.
    """

    def __init__(self, message: str, kept: Path | None = None) -> None:
        super().__init__(message)
        self.kept = kept


@dataclass(frozen=True)
class Parameter:
    """One line of a template's parameters cell.

    Attributes
    ----------
    name, type, default
        As written: ``bootstrap: int = 1000``.
    choices
        The values allowed, from a comment of the form ``# one of en, zh: …``; empty if any value will do.
    meaning
        What else the comment says.
    """

    name: str
    type: str
    default: Any
    choices: tuple[str, ...] = ()
    meaning: str = ""

    def __str__(self) -> str:
        allowed = f" ({' | '.join(self.choices)})" if self.choices else ""
        return f"{self.name}: {self.type} = {self.default!r}{allowed}"

    def require(self, value: Any, where: str = "parameters") -> None:
        """Raise InputError unless the value has the parameter's type and is one of its choices; ``where`` opens it.

        Examples
        --------
        >>> Parameter("bootstrap", "int", 1000).require(True)
        Traceback (most recent call last):
        crmlab.errors.InputError: parameters: bootstrap is True (bool), but must be a whole number (int).
        """
        # bool is a subclass of int in Python, yet True is no number of resamples.
        if not isinstance(value, _TYPES[self.type]) or (isinstance(value, bool) and self.type != "bool"):
            raise InputError(
                f"{where}: {self.name} is {value!r} ({type(value).__name__}), "
                f"but must be {_TYPE_WORDS[self.type]} ({self.type})."
            )
        if self.choices and value not in self.choices:
            raise InputError(
                f"{where}: {self.name} is {value!r}{did_you_mean(value, self.choices)} "
                f"It must be one of {', '.join(self.choices)}."
            )

    def read(self, text: str, where: str) -> Any:
        """The value that a text of the user's means; ``where`` says where it stands, should it mean none.

        Examples
        --------
        >>> Parameter("bootstrap", "int", 1000).read("500", "study.yaml, line 9")
        500
        >>> Parameter("bootstrap", "int", 1000).read("many", "study.yaml, line 9")
        Traceback (most recent call last):
        crmlab.errors.InputError: study.yaml, line 9: bootstrap is 'many', but must be a whole number.
        """
        try:
            value = _READERS[self.type](text)
        except (KeyError, ValueError):
            said = _TYPE_WORDS[self.type].lower()
            raise InputError(f"{where}: {self.name} is {text!r}, but must be {said}.") from None
        self.require(value, where)
        return value


def template(name: str) -> Path:
    """Find a template notebook by its name.

    Parameters
    ----------
    name
        File name without ending, for example ``"csi_study"``.

    Returns
    -------
    Path
        The built notebook: in the installed package, or in ``notebooks/templates`` of the repository.

    Raises
    ------
    InputError
        If there is no template of that name.

    Examples
    --------
    >>> template("csi_studie")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    crmlab.errors.InputError: template: there is no "csi_studie"; did you mean csi_study? There is: csi_study, ...
    """
    here = Path(__file__).parent
    shelves = (here / "templates", here.parents[1] / "notebooks" / "templates")
    found = {path.stem: path for shelf in reversed(shelves) for path in sorted(shelf.glob("*.ipynb"))}
    if name not in found:
        raise InputError(
            f'template: there is no "{name}"{did_you_mean(name, found)} '
            f"There is: {', '.join(found) or 'none; build them with make notebooks'}."
        )
    return found[name]


def parameters(notebook: str | Path) -> dict[str, Parameter]:
    """Read what a template can be told: name, type, default and choices of every parameter.

    Parameters
    ----------
    notebook
        Name of a template, or path of a notebook with a cell tagged ``parameters``.

    Raises
    ------
    ValueError
        If a line of that cell is not an annotated literal of type str, int, float or bool: the template is at fault.

    Examples
    --------
    >>> print(parameters("csi_study")["language"])
    language: str = 'en' (en | zh)
    """
    from papermill import inspect_notebook

    path = _path(notebook)
    return {name: _parameter(path.name, **line) for name, line in inspect_notebook(path).items()}


def check(notebook: str | Path, values: Mapping[str, Any]) -> None:
    """Raise InputError if a template does not know one of the parameters, or a value has the wrong type.

    Parameters
    ----------
    notebook
        Name of a template, or path of a notebook.
    values
        Values by parameter name; what is left out keeps its default.

    Examples
    --------
    >>> check("csi_study", {"bootstrap": 500})
    >>> check("csi_study", {"boostrap": 500})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    crmlab.errors.InputError: parameters: csi_study has no "boostrap"; did you mean bootstrap? It takes ...
    """
    known = parameters(notebook)
    for name, value in values.items():
        if name not in known:
            raise InputError(
                f'parameters: {_path(notebook).stem} has no "{name}"{did_you_mean(name, known)} '
                f"It takes {'; '.join(map(str, known.values()))}."
            )
        known[name].require(value)


def run(
    notebook: str | Path,
    parameters: Mapping[str, Any],
    out: str | Path,
    *,
    progress: bool = True,
    place: str | Path | None = None,
) -> Path:
    """Execute a template with these parameters and leave its files in a folder.

    The notebook runs in a kernel of this Python interpreter; its parameter ``out`` is set here.

    Parameters
    ----------
    notebook
        Name of a template (``"csi_study"``), or path of a notebook.
    parameters
        Values by parameter name, without ``out``; see :func:`check`.
    out
        Destination folder. It is replaced as a whole, and only when every cell has run.
    progress
        Show a progress bar on standard error.
    place
        The folder the notebook runs in; the current one if left out.

    Returns
    -------
    Path
        The destination, with the files the notebook wrote and the executed notebook itself, ``notebook.ipynb``.

    Raises
    ------
    InputError
        If a parameter or the destination cannot be used, or a cell raised InputError or SemError.
    NotebookError
        If a cell failed for any other reason. The notebook is kept beside ``out``, as ``OUT.failed.ipynb``.

    Examples
    --------
    >>> run("csi_study", {"questionnaire": "ecsi", "data": "mobi"}, "build/mobile-survey")  # doctest: +SKIP
    PosixPath('build/mobile-survey')
    """
    if "out" in parameters:
        raise InputError("parameters: out is not a parameter of the run; give the folder as its own argument.")
    check(notebook, {**parameters, "out": str(out)})
    source = _path(notebook)
    with folder.replacing(out) as staging:
        kernel = {"cwd": str(Path(place or ".").resolve())}
        executed = _execute(source, {**parameters, "out": str(staging)}, staging, Path(out), kernel, progress)
        files = sorted({file.name for file in staging.iterdir()} | {folder.NOTEBOOK})
        executed.metadata["crmlab"] = {"study": source.stem, "files": files}
        text = _reproducible(executed, {**parameters, "out": str(staging)})
        (staging / folder.NOTEBOOK).write_text(text, encoding="utf-8")
    return Path(out)


def _path(notebook: str | Path) -> Path:
    return Path(notebook) if str(notebook).endswith(".ipynb") else template(str(notebook))


def _parameter(file: str, name: str, inferred_type_name: str, default: str, help: str) -> Parameter:
    if inferred_type_name not in _TYPES:
        raise ValueError(f"{file}: parameter {name} is annotated {inferred_type_name}; use one of {', '.join(_TYPES)}.")
    choices, _, meaning = help.removeprefix("one of ").partition(": ") if help.startswith("one of ") else ("", "", help)
    parts = tuple(choice.strip() for choice in choices.split(",") if choice.strip())
    try:
        value = ast.literal_eval(default)
    except (ValueError, SyntaxError):
        raise ValueError(f"{file}: parameter {name} is {default}; write a value such as 5 or 'text'.") from None
    return Parameter(name, inferred_type_name, value, parts, meaning)


def _execute(
    source: Path, values: Mapping[str, Any], staging: Path, out: Path, kernel: Mapping[str, Any], progress: bool
) -> NotebookNode:
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    result = staging / folder.NOTEBOOK
    # papermill takes a path for a format string; a folder may well have braces in its name.
    literal = str(result).replace("{", "{{").replace("}", "}}")
    with TemporaryDirectory(prefix="crmlab-kernel-") as home:
        try:
            return execute_notebook(
                _read(source),
                literal,
                dict(values),
                kernel_name=_KERNEL,
                progress_bar=progress,
                kernel_manager_class=_kernel_of_this_interpreter(home, kernel),
            )
        except PapermillExecutionError as error:
            if error.ename in _input_error_names():
                raise InputError(error.evalue) from None
            kept = _keep(result, out)
            raise NotebookError(_told(error, source, kept), kept) from None
        except RuntimeError as error:  # the kernel did not start, or died
            kept = _keep(result, out)
            last = f"{error} {_last_line(home)}".strip()
            raise NotebookError(f"{source.stem}: Python could not run the cells: {last}.{_where(kept)}", kept) from None


def _read(source: Path) -> NotebookNode:
    import nbformat

    return nbformat.read(source, as_version=4)


def _kernel_of_this_interpreter(home: str, options: Mapping[str, Any]) -> type:
    """A kernel manager that heeds neither installed kernels nor the user's start-up files and matplotlib settings.

    ``options`` are those of starting a process. papermill would change the folder of this whole process instead.
    """
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    plain = Path(home) / "matplotlibrc"
    plain.touch()

    class ThisInterpreter(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            transport = "ipc" if os.name == "posix" else "tcp"
            super().__init__(connection_file=f"{home}/kernel.json", transport=transport, **options)

        async def start_kernel(self, **asked: Any) -> None:  # type: ignore[override]
            # What the kernel process itself says is for the failure it explains, not for the user's terminal.
            with _kernel_log(home).open("w") as log:
                await super().start_kernel(**{**asked, **options, "stderr": log})

        @property
        def kernel_spec(self) -> KernelSpec:
            return KernelSpec(
                argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"],
                env={"IPYTHONDIR": home, "MATPLOTLIBRC": str(plain), "PYTHONHASHSEED": "0"},
                language="python",
                display_name="Python 3",
            )

    return ThisInterpreter


def _kernel_log(home: str) -> Path:
    return Path(home) / "kernel.log"


def _last_line(home: str) -> str:
    lines = _kernel_log(home).read_text(errors="replace").split("\n") if _kernel_log(home).exists() else []
    return next((f"({line.strip()})" for line in reversed(lines) if line.strip()), "")


def _input_error_names() -> set[str]:
    """Names of the errors that speak of the input: papermill tells the name of an error, not its class."""
    from crmlab.sem import SemError

    classes: list[type] = [InputError, SemError]
    for cls in classes:
        classes.extend(cls.__subclasses__())
    return {cls.__name__ for cls in classes}


def _keep(result: Path, out: Path) -> Path | None:
    kept = out.resolve().with_name(f"{out.resolve().name}.failed.ipynb")
    return result.replace(kept) if result.exists() else None


def _told(error: PapermillExecutionError, source: Path, kept: Path | None) -> str:
    first_line = error.source.strip().partition("\n")[0]
    cell = f"cell {error.exec_count} ({first_line})"
    return f"{source.stem}: {cell} failed: {error.ename}: {error.evalue.rstrip('.')}.{_where(kept)}"


def _where(kept: Path | None) -> str:
    return f" The notebook up to there is kept in {kept}." if kept else ""


def _reproducible(notebook: NotebookNode, values: Mapping[str, Any]) -> str:
    """The notebook as text, without times, durations and machine paths; files are recorded by their names."""
    import nbformat
    from papermill.translators import translate_parameters

    files = {name: Path(value) for name, value in values.items() if name != "out" and _is_file(value)}
    recorded = {**values, **{name: file.name for name, file in files.items()}, "out": "."}
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
            cell.source = translate_parameters(_KERNEL, "python", recorded, "Parameters of this run").rstrip()
    text = nbformat.writes(notebook) + "\n"
    for path, name in {values["out"]: ".", **{str(file.resolve()): file.name for file in files.values()}}.items():
        text = text.replace(_in_json(path), _in_json(name))
    return text


def _is_file(value: Any) -> bool:
    """Whether a parameter names a file; or a folder of files, which only a whole path can mean."""
    return isinstance(value, str) and (os.path.isfile(value) or (os.path.isabs(value) and os.path.isdir(value)))


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
