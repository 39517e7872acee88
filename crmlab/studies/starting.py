"""A new study folder: settings, questions, sample data, notebook and a page that explains them, ready to run.

Comments in ``study.yaml`` come from the template's own parameters cell, so that the two cannot drift apart; those in
``questionnaire.yaml`` are laid over the course's shipped design. The same call writes the same bytes.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from crmlab.errors import InputError, did_you_mean
from crmlab.studies import runner
from crmlab.studies.study import DATA, KINDS, NOTEBOOK, RESULTS, SAMPLE, SETTINGS
from crmlab.studies.texts import Texts

_HERE = Path(__file__).parent
_DESIGN = "course_csi"
_QUESTIONS, _JUDGEMENTS = "questionnaire.yaml", "judgements.yaml"
#: What a notebook writes when it is run in place; a run of the folder replaces its own results as a whole.
_IN_PLACE = "notebook-results"
_BUYERS, _BUYERS_SEED = 500, 1

#: What a new folder sets beside language; all else stands at the template's default.
_SETTINGS: dict[str, dict[str, Any]] = {
    "csi": {"questionnaire": _QUESTIONS, "by": "store"},
    "rfm": {"customer": "customer_id", "date": "date", "amount": "amount"},
    "weights": {"questionnaire": _QUESTIONS, "judgements": _JUDGEMENTS, "by": "store"},
}


def new(kind: str, place: str | Path, language: str = "en") -> Path:
    """Make a study folder that runs at once on sample data.

    Parameters
    ----------
    kind
        ``csi`` (satisfaction index), ``rfm`` (segments of customers) or ``weights`` (weights of indicators).
    place
        The folder to make; an empty one will do too.
    language
        ``"en"`` or ``"zh"``: of the explanations and of the report.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        For another kind or language, a folder that holds something, or one that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = new("csi", Path(tempfile.mkdtemp()) / "x")
    >>> sorted(str(file.relative_to(folder)) for file in folder.rglob("*.*"))
    ['README.md', 'data/sample.csv', 'notebook.ipynb', 'questionnaire.yaml', 'study.yaml']
    """
    if kind not in KINDS:
        raise InputError(f"new: there is no study {kind!r}{did_you_mean(kind, KINDS)} It is one of {', '.join(KINDS)}.")
    folder = Path(place)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        found = "is a file" if folder.is_file() else "is not empty"
        raise InputError(f"new: {place} {found}; expected a new or empty folder. Name another one.")
    contents = _contents(kind, folder.resolve().name, language)
    try:
        for name, content in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content.encode("utf-8"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"new: {place} cannot be written ({reason}). Name another folder.") from error
    return folder


def _contents(kind: str, name: str, language: str) -> dict[str, str]:
    """Every file of a new folder as text, by its path."""
    t = Texts(language, "starter")
    contents = {
        "README.md": _readme(t, kind, name),
        SETTINGS: _settings(t, kind),
        f"{DATA}/{SAMPLE}": _sample(kind),
        NOTEBOOK: _notebook(t, kind),
    }
    if kind != "rfm":
        contents[_QUESTIONS] = _questionnaire(t)
    if kind == "weights":
        contents[_JUDGEMENTS] = t("judgements") + (_HERE / "sample_judgements.yaml").read_text(encoding="utf-8")
    return contents


def _sample(kind: str) -> str:
    from crmlab import datasets

    table = (
        datasets.simulate_buyers(_BUYERS, seed=_BUYERS_SEED).orders if kind == "rfm" else datasets.load_survey().data
    )
    text: str = table.to_csv(index=False, lineterminator="\n")
    return text


def _readme(t: Texts, kind: str, name: str) -> str:
    words = {"name": name, "sample": f"{DATA}/{SAMPLE}", "results": RESULTS, "in_place": _IN_PLACE}
    words |= {"own": t(f"readme.own.{kind}", name=name), "files": t(f"readme.files.{kind}")}
    words |= {"title": t(f"readme.title.{kind}"), "column": "region" if kind == "rfm" else "store"}
    return t("readme", **words)


def _settings(t: Texts, kind: str) -> str:
    """``study.yaml``: every parameter with what it means, what it may be, and its value."""
    values = _SETTINGS[kind] | {"language": t.language}
    parts = [t("settings.opening", kind=kind, meaning=t(f"kind.{kind}"))]
    for name, parameter in runner.parameters(KINDS[kind]).items():
        if name == "out":
            continue
        allowed = f" ({' | '.join(parameter.choices)})" if parameter.choices else ""
        comment = f"# {meaning(parameter, t.language)}{allowed}"
        line = f"# data: {t('settings.data')}" if name == "data" else f"{name}: {_yaml(_value(parameter, values))}"
        parts.append(f"{t('settings.data.comment') if name == 'data' else comment}\n{line}")
    return "\n\n".join(parts) + "\n"


def meaning(parameter: runner.Parameter, language: str) -> str:
    """What a parameter means, in a language; in English where there are no other words."""
    return parameter.meaning if language == "en" else _chinese().get(parameter.meaning, parameter.meaning)


@cache
def _chinese() -> dict[str, str]:
    import yaml

    found: dict[str, str] = yaml.safe_load((_HERE / "parameters_zh.yaml").read_text(encoding="utf-8"))
    return found


def _value(parameter: runner.Parameter, values: dict[str, Any]) -> Any:
    return values.get(parameter.name, parameter.default)


def _yaml(value: Any) -> str:
    """A value as YAML and as somebody would type it."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w.-]*", value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _questionnaire(t: Texts) -> str:
    """The course's questionnaire with a word on every key: above the first line that begins as the catalogue says."""
    from crmlab.questionnaire import Questionnaire

    lines = [line for line in Questionnaire.shipped(_DESIGN).text.splitlines() if not line.startswith("#")]
    for beginning, comment in t.entries("questionnaire.comments"):
        place = next(number for number, line in enumerate(lines) if line.startswith(beginning))
        indent = " " * (len(lines[place]) - len(lines[place].lstrip()))
        remarks = [f"{indent}# {said.strip()}" for said in comment.strip().splitlines()]
        lines[place:place] = remarks if indent or not lines[place - 1] else ["", *remarks]
    return t("questionnaire.opening") + "\n".join(lines).lstrip("\n") + "\n"


def _notebook(t: Texts, kind: str) -> str:
    """The template, told to read ``study.yaml`` when it is run in place; a run puts its parameters in that cell."""
    import nbformat

    notebook = nbformat.read(runner.template(KINDS[kind]), as_version=4)
    notebook.cells[0].source = t("notebook", title=t(f"readme.title.{kind}"), in_place=_IN_PLACE)
    place = next(n for n, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", ()))
    values = _SETTINGS[kind] | {"language": t.language, "data": f"{DATA}/{SAMPLE}", "out": _IN_PLACE}
    cell = notebook.cells[place]
    for name, value in values.items():
        cell.source = re.sub(rf"(?m)^({name}: \w+ = )(?:\"[^\"]*\"|\S+)", rf"\g<1>{json.dumps(value)}", cell.source)
    told = f"# {t('notebook.settings')}\nfrom crmlab.studies import settings\n\nglobals().update(settings())"
    tagged = {"tags": ["injected-parameters"]}
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(told, id="study-settings", metadata=tagged))
    return nbformat.writes(notebook) + "\n"
