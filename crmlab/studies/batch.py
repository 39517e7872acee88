"""One study for each of many branches or waves, and a comparison of them all.

Branches are the values of a column of one file, waves the files in ``data/`` in the order of their names. Each gets the
report it would get alone, with the seed that :func:`crmlab.csi.group_seed` makes from the study's seed and its name: no
other branch can change its numbers. One that cannot be estimated keeps its place in the comparison, with the reason.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crmlab.errors import InputError
from crmlab.results import in_order
from crmlab.studies import runner
from crmlab.studies.comparison import Comparison, Outcome
from crmlab.studies.comparison_report import write_comparison
from crmlab.studies.folder import replacing
from crmlab.studies.inputs import read_survey, read_transactions
from crmlab.studies.rfm_study import values_of
from crmlab.studies.study import DATA, SAMPLE, Study

#: What ``each`` says for the files in ``data/``.
FILES = "file"
_NUMBERS = {"csi": "index.json", "rfm": "summary.json", "weights": "weights.json"}


@dataclass(frozen=True)
class Part:
    """A branch or a wave: its name, the folder of its report below the results, and its study."""

    name: str
    folder: str
    study: Study


def run_each(
    study: Study, each: str, *, workers: int | None = None, progress: Callable[[int, int], None] | None = None
) -> Comparison:
    """Run a study folder for every branch or wave, and compare them.

    ``results/`` then holds a folder of report, tables and notebook for each, and ``comparison.html``, ``.xlsx`` and
    ``.json``; it is replaced as a whole, and only at the end.

    Parameters
    ----------
    study
        The folder.
    each
        A column, of which every value is a branch; or ``"file"``.
    workers
        Notebooks run at the same time; as many as there are cores if left out.
    progress
        progress(done, total) over the branches.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If there are no two branches, their data cannot be read, or not one of them can be estimated.
    """
    parts = _waves(study) if each == FILES else _branches(study, each)
    with replacing(study.results) as staging:
        outcomes = _outcomes(parts, staging, study.results, workers or os.cpu_count() or 1, progress)
        if all(outcome.numbers is None for outcome in outcomes):
            raise InputError(f"not one of {len(parts)} studies could be made. {parts[0].name}: {outcomes[0].reason}")
        comparison = Comparison.of(study, each, outcomes, [Path(part.study.parameters()["data"]) for part in parts])
        write_comparison(comparison, staging)
    return comparison


def _waves(study: Study) -> list[Part]:
    """The files in ``data/`` by name; a wave is called as its file, without the ending where that tells it apart."""
    files = study.own_files()
    if len(files) < 2:
        held = ", ".join(file.name for file in study.files()) or "nothing"
        raise InputError(
            f"--each file: {study.place / DATA} holds {held}; expected two files or more beside {SAMPLE}, one for each "
            "wave. Copy them there."
        )
    stems = [file.stem for file in files]
    names = [file.stem if stems.count(file.stem) == 1 else file.name for file in files]
    return _parts(names, [study.setting(data=str(file.resolve())) for file in files])


def _branches(study: Study, column: str) -> list[Part]:
    if study.settings.get("only"):
        raise InputError(f"--each {column}: only is {study.settings['only']!r} already. Take it out of the settings.")
    common: dict[str, Any] = {}
    if study.kind == "rfm":
        orders = read_transactions(study.values(), keep=(column,))
        names = values_of(orders, column)
        # Every branch looks back from the same day.
        common["as_of"] = study.values()["as_of"] or str(orders.period[1])
    else:
        names = _groups(study, column)
    if len(names) < 2:
        found = f"only the value {names[0]}" if names else "no value"
        raise InputError(f"--each {column}: the column holds {found}; expected two or more. Name another column.")
    names = sorted(names, key=in_order)
    return _parts(names, [study.setting(only=f"{column} = {name}", **common) for name in names])


def _groups(study: Study, column: str) -> list[str]:
    _, answers = read_survey(study.values())
    if column not in answers.texts.columns:
        known = ", ".join(answers.texts.columns) or "none"
        raise InputError(
            f"--each {column}: {answers.source} has no grouping column {column!r}; the grouping columns are {known}. "
            "List the column under 'groups' in the questionnaire."
        )
    return list(map(str, answers.texts[column].dropna().unique()))


def _parts(names: Sequence[str], studies: Sequence[Study]) -> list[Part]:
    """Each study with a seed of its own, and a folder name that every file system takes and no other study has."""
    from crmlab.csi import group_seed

    taken = {"comparison", "comparison.html", "comparison.json", "comparison.xlsx"}
    parts = []
    for name, study in zip(names, studies, strict=True):
        plain = re.sub(r"[^\w .()+-]", "_", name)[:60].strip(" .") or "_"
        folder, number = plain, 1
        while folder.casefold() in taken:
            number += 1
            folder = f"{plain}-{number}"
        taken.add(folder.casefold())
        seed = group_seed(study.values_without_data().get("seed", 0), name)
        parts.append(Part(name, folder, study.setting(by="", seed=seed)))
    return parts


def _outcomes(
    parts: Sequence[Part], staging: Path, results: Path, workers: int, progress: Callable[[int, int], None] | None
) -> list[Outcome]:
    """Run all parts, some at a time: each kernel is a process of its own, so threads are enough here."""
    outcomes = []
    with ThreadPoolExecutor(workers) as pool:
        for outcome in pool.map(lambda part: _outcome(part, staging, results), parts):
            outcomes.append(outcome)
            if progress:
                progress(len(outcomes), len(parts))
    return outcomes


def _outcome(part: Part, staging: Path, results: Path) -> Outcome:
    from jupyter_core.utils import ensure_event_loop

    study, out = part.study, staging / part.folder
    try:
        runner.run(study.notebook, study.parameters(), out, progress=False, place=study.place)
    except (InputError, runner.NotebookError) as error:
        reason = str(error).replace(str(staging.resolve()), str(results))
        return Outcome(part.name, part.folder, None, " ".join(reason.split()))
    finally:
        ensure_event_loop().close()  # Jupyter opens one in each thread and leaves it open
    numbers = json.loads((out / _NUMBERS[study.kind]).read_text(encoding="utf-8"))
    return Outcome(part.name, part.folder, numbers)
