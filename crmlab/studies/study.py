"""A study folder to adapt: the settings in ``study.yaml``, the user's export in ``data/``, and what a run is told.

Settings are the parameters of the study's notebook, written as YAML; a value is read by the type that the notebook
states, so that a sheet called 2024 or a day needs no quotes. The data need not be named: the file in ``data/`` is
taken, and the sample that came with the folder gives way to any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmlab.errors import InputError, did_you_mean
from crmlab.results import in_order
from crmlab.studies import runner

if TYPE_CHECKING:
    from crmlab.studies.runner import Parameter

#: What a study can be, and the template behind it.
KINDS = {"csi": "csi_study", "rfm": "rfm_study", "weights": "weights_study"}
SETTINGS, DATA, RESULTS, NOTEBOOK = "study.yaml", "data", "results", "notebook.ipynb"
#: The data that a new folder comes with.
SAMPLE = "sample.csv"

_VERSION = "crmlab_study"
_PATHS = ("questionnaire", "judgements")
_NO_DATA = {"Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Study:
    """A study folder as it stands.

    Attributes
    ----------
    place
        The folder.
    kind
        ``csi``, ``rfm`` or ``weights``.
    settings
        Parameters by name, as far as ``study.yaml`` or the caller states them.
    origins
        Where each of them is stated, for messages: ``study.yaml, line 9``.
    known
        Every parameter there is.
    """

    place: Path
    kind: str
    settings: Mapping[str, Any]
    origins: Mapping[str, str]
    known: Mapping[str, Parameter]

    @classmethod
    def read(cls, place: str | Path) -> Study:
        """Read the settings of a study folder.

        Raises
        ------
        InputError
            If it is no study folder, or ``study.yaml`` holds an unknown key or a value that is none; with the line.
        """
        folder = Path(place)
        nodes = _nodes(folder)
        if (version := nodes.pop(_VERSION, ("nothing", SETTINGS)))[0] != "1":
            raise InputError(f"{version[1]}: {_VERSION} is {version[0]}, but must be 1. Write {_VERSION}: 1.")
        kind, where = nodes.pop("kind", ("nothing", SETTINGS))
        if kind not in KINDS:
            raise InputError(
                f"{where}: kind is {kind}{did_you_mean(kind, KINDS)} It must be one of {', '.join(KINDS)}."
            )
        study = cls(folder, kind, {}, {}, _parameters(folder, kind))
        return study._stating(nodes)

    def changed(self, assignments: Iterable[str]) -> Study:
        """The study with other settings, each given as ``name=value``.

        Raises
        ------
        InputError
            If there is no such parameter, or the value is none of its type.
        """
        stated = {}
        for assignment in assignments:
            name, sign, value = assignment.partition("=")
            if not sign:
                raise InputError(f"--set: found {assignment!r}; expected name=value, such as --set seed=7.")
            stated[name.strip()] = (value.strip(), "--set")
        return self._stating(stated)

    def setting(self, **values: Any) -> Study:
        """The study with settings of the caller's own, as far as its notebook knows them."""
        return replace(self, settings={**self.settings, **{n: v for n, v in values.items() if n in self.known}})

    @property
    def notebook(self) -> Path:
        """The notebook that a run executes: the folder's own, or the template where the folder has none."""
        own = self.place / NOTEBOOK
        return own if own.is_file() else runner.template(KINDS[self.kind])

    @property
    def results(self) -> Path:
        return self.place / RESULTS

    def values(self) -> dict[str, Any]:
        """What every parameter is in a run, by name; paths are whole, and the data are found."""
        return self.values_without_data() | {"data": self.data()[0]}

    def values_without_data(self) -> dict[str, Any]:
        """The same, whatever lies in ``data/``."""
        return {name: known.default for name, known in self.known.items()} | self._stated()

    def parameters(self) -> dict[str, Any]:
        """What the notebook is told: the settings, with whole paths, and the data that were found."""
        return self._stated() | {"data": self.data()[0]}

    def _stated(self) -> dict[str, Any]:
        stated = dict(self.settings)
        for name in _PATHS:
            if not stated.get(name):
                continue
            file = self.place / stated[name]
            if file.exists():
                stated[name] = str(file.resolve())
            elif not _is_shipped(stated[name]):
                stated[name] = str(file)  # the message that it does not exist names it as the user would
        return stated

    # --- Data -------------------------------------------------------------------------------------------------------

    def files(self) -> list[Path]:
        """What lies in ``data/``, in the order of names, without what file managers and spreadsheets leave there."""
        folder = self.place / DATA
        entries = sorted(folder.iterdir(), key=lambda file: in_order(file.name)) if folder.is_dir() else []
        return [file for file in entries if not file.name.startswith((".", "~$")) and file.name not in _NO_DATA]

    def own_files(self) -> list[Path]:
        """The user's own files in ``data/``: all but the sample, or the sample alone where there is nothing else."""
        return [file for file in self.files() if file.name != SAMPLE] or self.files()

    def data(self) -> tuple[str, str]:
        """The data to use, and a remark where that needs a word.

        Raises
        ------
        InputError
            If nothing lies in ``data/``, or more than one file of the user's own, or what is named is not there.
        """
        if named := self.settings.get("data"):
            return self._named(named), ""
        own, folder = self.own_files(), self.place / DATA
        if not own:
            expected = "orders (CSV, XLSX or Parquet)" if self.kind == "rfm" else "answers (CSV, XLSX or SAV)"
            raise InputError(f"{folder} holds no data; expected one file of {expected}. Copy your export there.")
        if len(own) > 1:
            raise InputError(
                f"{folder} holds {len(own)} files: {', '.join(file.name for file in own)}; expected one. Move the "
                f"others away, name the one to read in {SETTINGS} (data: {own[-1].name}), or compare them all with "
                "--each file."
            )
        left_out = len(self.files()) > 1
        remark = f"{SAMPLE} is the sample and was left out, as {own[0].name} stands beside it." if left_out else ""
        return str(own[0].resolve()), remark

    def _named(self, named: str) -> str:
        for file in (self.place / DATA / named, self.place / named):
            if file.exists():
                return str(file.resolve())
        from crmlab import datasets

        if named in datasets.list().index:
            return named
        held = ", ".join(file.name for file in self.files()) or "nothing"
        raise InputError(
            f"{self.origins.get('data', SETTINGS)}: data is {named!r}, but there is no such file; {self.place / DATA} "
            f"holds {held}. Correct the name, or leave data out and keep one file there."
        )

    # --- Settings ---------------------------------------------------------------------------------------------------

    def _stating(self, stated: Mapping[str, tuple[str | None, str]]) -> Study:
        """The study with these texts as settings; a key with nothing after it counts as not given."""
        settings, origins = dict(self.settings), dict(self.origins)
        allowed = [name for name in self.known if name != "out"]
        for name, (text, where) in stated.items():
            if name not in allowed:
                raise InputError(
                    f"{where}: found the unknown key {name!r}{did_you_mean(name, allowed)} Expected keys: "
                    f"{', '.join(allowed)}. Correct or remove it."
                )
            if text is not None:
                settings[name] = self.known[name].read(text, where)
                origins[name] = where
        return replace(self, settings=settings, origins=origins)


def run_study(study: Study, *, progress: bool = True) -> Path:
    """Execute the notebook of a study folder as its settings say, and leave report and tables in ``results/``.

    Raises
    ------
    InputError, NotebookError
        As :func:`crmlab.studies.run`; the results that were there before then stay as they were.
    """
    parameters, results = study.parameters(), study.results
    return runner.run(study.notebook, parameters, results, progress=progress, place=study.place)


def settings(place: str | Path = ".") -> dict[str, Any]:
    """What ``study.yaml`` says, for the folder's notebook when it is run in place: parameters by name."""
    return Study.read(place).parameters()


def _parameters(folder: Path, kind: str) -> dict[str, Parameter]:
    """What the folder's own notebook can be told, or the template where the folder has none."""
    import nbformat

    own, usual = folder / NOTEBOOK, runner.parameters(KINDS[kind])
    if not own.is_file():
        return usual
    instead = f"Correct it, or delete {NOTEBOOK}: the course's own is then run."
    try:
        known = runner.parameters(own)
    except (AttributeError, nbformat.ValidationError):  # other JSON, on which nbformat stumbles
        raise InputError(f"{own}: this is no notebook. {instead}") from None
    except ValueError as error:  # no JSON, or a parameter that is no annotated literal
        reason = str(error).removeprefix(f"{NOTEBOOK}: ").rstrip(".")
        raise InputError(f"{own}: {reason}. {instead}") from error
    if lacking := [name for name in usual if name not in known]:
        raise InputError(f"{own}: its cell tagged parameters lacks {', '.join(lacking)}. {instead}")
    return known


def _nodes(folder: Path) -> dict[str, tuple[str | None, str]]:
    """The keys of ``study.yaml``, each with its text (None where there is none) and its place."""
    import yaml

    from crmlab.questionnaire_schema import compose

    file = folder / SETTINGS
    if not file.is_file():
        found = "is no study folder: it holds no study.yaml" if folder.is_dir() else "does not exist"
        raise InputError(f"{folder} {found}. Make a study folder with: crmlab new csi {folder.name or 'my-study'}")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{SETTINGS}: this is not text in UTF-8. Save the file as UTF-8 in your editor.") from None
    found_nodes: dict[str, tuple[str | None, str]] = {}
    for key, value in compose(text, SETTINGS, f"{_VERSION}: 1").value:
        where = f"{SETTINGS}, line {key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            raise InputError(f"{where}: found a list or a mapping as a key; expected a name. Remove it.")
        if key.value in found_nodes:
            first = found_nodes[key.value][1].rpartition(" ")[2]
            raise InputError(f"{where}: found the key {key.value!r} a second time (first: line {first}). Remove one.")
        if not isinstance(value, yaml.ScalarNode):
            raise InputError(f"{where}: {key.value} holds a list or a mapping; expected one value.")
        nothing = value.style is None and value.value in ("", "~", "null")
        found_nodes[key.value] = (None if nothing else value.value, where)
    return found_nodes


def _is_shipped(name: str) -> bool:
    from crmlab.questionnaire import shipped_names

    return name in shipped_names()
