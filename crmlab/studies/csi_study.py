"""The files of a satisfaction study: its report, its tables as a workbook, and its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crmlab.studies import csi_report
from crmlab.studies.survey import respondents, write_files
from crmlab.studies.texts import Texts

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.csi import SatisfactionIndex
    from crmlab.responses import Responses

# Sheets in index points (0 to 100); all others hold coefficients.
_POINTS = dict.fromkeys(("index", "groups", "respondents"), "0.0")
#: Sheets that are left out where there is nothing in them.
_OPTIONAL = ("groups", "differences", "data_cells")


def write_csi_study(result: SatisfactionIndex, responses: Responses, out: str | Path, language: str = "en") -> None:
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
    >>> from crmlab.studies import read_answers
    >>> design = Questionnaire.shipped("ecsi")
    >>> answers = read_answers("mobi", design)
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_csi_study(csi.estimate(design, answers, bootstrap=20), answers, folder)
    >>> sorted(file.name for file in folder.iterdir())
    ['index.json', 'report.html', 'tables.xlsx']
    """
    texts = Texts(language, "csi")
    page = csi_report.html(result, language, responses=responses)
    sheets = tables(result, responses)
    data = {
        "file": responses.source,
        "sha256": responses.sha256,
        "format": responses.format,
        "evidence": list(responses.evidence),
    }
    numbers = {"index.json": result.to_dict() | {"data": data}}
    write_files(out, page=page, sheets=sheets, numbers=numbers, texts=texts, formats=_POINTS)


def tables(result: SatisfactionIndex, responses: Responses) -> dict[str, pd.DataFrame]:
    """Every table of a study by the name of its sheet; groups and cells of the data only where there are any.

    Examples
    --------
    >>> from crmlab import Questionnaire, csi
    >>> from crmlab.studies import read_answers
    >>> design = Questionnaire.shipped("ecsi")
    >>> answers = read_answers("mobi", design)
    >>> list(tables(csi.estimate(design, answers, bootstrap=20), answers))[:4]
    ['index', 'priority_map', 'paths', 'effects']
    """
    import pandas as pd

    found = {
        "index": result.index,
        "groups": result.by_group,
        "differences": csi_report.differences_of(result),
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
        "respondents": respondents(responses, result.scores),
        "problems": pd.DataFrame({"problem": result.problems}),
        "data_cells": responses.cells,
        "method": pd.DataFrame(list(result.method.items()), columns=["setting", "value"]),
    }
    return {name: table for name, table in found.items() if len(table) or name not in _OPTIONAL}


def _named(matrix: pd.DataFrame) -> pd.DataFrame:
    return matrix.rename_axis("construct")
