"""A satisfaction study's files: the answers that go in; the report, the workbook and the numbers that come out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from crmlab.errors import InputError
from crmlab.studies import report
from crmlab.studies.texts import Texts
from crmlab.workbook import write_xlsx

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.csi import SatisfactionIndex
    from crmlab.questionnaire import Questionnaire
    from crmlab.responses import Responses

# Sheets in index points (0 to 100); all others hold coefficients.
_POINTS = dict.fromkeys(("index", "groups", "respondents"), "0.0")


def read_answers(data: str | Path, questionnaire: Questionnaire, *, sheet: str = "", encoding: str = "") -> Responses:
    """Read the answers to a questionnaire from a file, or from a data set of the course by its name.

    Parameters
    ----------
    data
        Path of a CSV, XLSX or SAV file, or a name that ``crmlab.datasets.list()`` shows, such as ``mobi``.
    questionnaire
        The design of the survey.
    sheet, encoding
        As in :func:`crmlab.read_responses`; empty: found out from the file.

    Raises
    ------
    InputError
        If there is neither such a file nor such a data set, or it cannot be read.

    Examples
    --------
    >>> from crmlab import Questionnaire
    >>> read_answers("mobi", Questionnaire.shipped("ecsi")).n
    250
    """
    from crmlab import datasets
    from crmlab.responses import read_responses

    names = list(datasets.list().index)
    if not Path(data).exists() and str(data) in names:
        table = _data_set(str(data))
        checksum = hashlib.sha256(table.to_csv(index=False, lineterminator="\n").encode("utf-8")).hexdigest()
        return dataclasses.replace(read_responses(table, questionnaire), source=str(data), sha256=checksum)
    if not Path(data).exists():
        raise InputError(
            f"data: {data} does not exist; expected a CSV, XLSX or SAV file, or a data set of the course "
            f"({', '.join(names)}). Correct the path."
        )
    return read_responses(data, questionnaire, sheet=sheet or None, encoding=encoding or None)


def write_study(result: SatisfactionIndex, responses: Responses, out: str | Path, language: str = "en") -> None:
    """Write ``report.html``, ``tables.xlsx`` and ``index.json`` of a satisfaction study.

    Parameters
    ----------
    result
        The estimate.
    responses
        The answers it was made from.
    out
        A folder; it is made if need be. Files of these names in it are replaced.
    language
        ``"en"`` or ``"zh"``: of the report and of the workbook's table of contents.

    Examples
    --------
    >>> import tempfile
    >>> from crmlab import Questionnaire, csi
    >>> design = Questionnaire.shipped("ecsi")
    >>> answers = read_answers("mobi", design)
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_study(csi.estimate(design, answers, bootstrap=20), answers, folder)
    >>> sorted(file.name for file in folder.iterdir())
    ['index.json', 'report.html', 'tables.xlsx']
    """
    folder, t = Path(out), Texts(language)
    folder.mkdir(parents=True, exist_ok=True)
    sheets = tables(result, responses)
    report.write_html(result, folder / "report.html", language, responses=responses)
    write_xlsx(
        sheets, folder / "tables.xlsx", titles={name: t(f"sheet.{name}") for name in sheets}, formats=_POINTS
    )
    index = json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False, indent=2)
    (folder / "index.json").write_text(index + "\n", encoding="utf-8")


def tables(result: SatisfactionIndex, responses: Responses) -> dict[str, pd.DataFrame]:
    """Every table of a study by the name of its sheet; groups and cells of the data only where there are any.

    Examples
    --------
    >>> from crmlab import Questionnaire, csi
    >>> design = Questionnaire.shipped("ecsi")
    >>> answers = read_answers("mobi", design)
    >>> list(tables(csi.estimate(design, answers, bootstrap=20), answers))[:4]
    ['index', 'priority_map', 'paths', 'effects']
    """
    import pandas as pd

    found = {
        "index": result.index,
        "groups": result.by_group,
        "priority_map": result.priority_map(),
        "paths": result.paths,
        "effects": result.effects,
        "r_squared": result.r_squared,
        "loadings": result.loadings,
        "reliability": result.reliability,
        "htmt": _named(result.htmt),
        "fornell_larcker": _named(result.fornell_larcker),
        "cross_loadings": result.cross_loadings.rename_axis("item"),
        "vif": result.vif,
        "respondents": _respondents(result, responses),
        "problems": pd.DataFrame({"problem": result.problems}),
        "data_cells": responses.cells,
        "method": pd.DataFrame(list(result.method.items()), columns=["setting", "value"]),
    }
    return {name: table for name, table in found.items() if len(table) or name not in ("groups", "data_cells")}


def _named(matrix: pd.DataFrame) -> pd.DataFrame:
    return matrix.rename_axis("construct")


def _respondents(result: SatisfactionIndex, responses: Responses) -> pd.DataFrame:
    """Indices by respondent, beside what tells respondents apart: row of the file, id, groups."""
    columns = [column for column in responses.data.columns if column not in result.questionnaire.items.index]
    scores = result.scores.rename_axis("row")
    table = responses.data.loc[scores.index, columns].join(scores)
    if responses.ids is not None:
        table.insert(0, "id", responses.ids.loc[scores.index])
    return table


def _data_set(name: str) -> pd.DataFrame:
    from crmlab import datasets

    try:
        loaded = getattr(datasets, f"load_{name}")()
    except ImportError as error:  # the data come with a package of the course that is not installed
        raise InputError(str(error)) from error
    return getattr(loaded, "data", loaded)
