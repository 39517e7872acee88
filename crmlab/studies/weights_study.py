"""The files of a weights study: its report, its tables as a workbook, and its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crmlab.errors import InputError
from crmlab.studies import weights_report
from crmlab.studies.survey import respondents, write_files
from crmlab.studies.texts import Texts

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.weighting import Comparison, Sensitivity

# Sheets in index points (0 to 100); all others hold weights and coefficients.
_POINTS = dict.fromkeys(("index", "groups", "respondents"), "0.0")
_OPTIONAL = ("groups", "group_agreement", "ranks", "judges", "data_cells")


def shown_method(result: Comparison, method: str = "") -> str:
    """The weighting that a report puts first: the one asked for, else the combined one, else equal weights.

    Raises
    ------
    InputError
        If the one asked for was not compared.

    Examples
    --------
    >>> from crmlab import Questionnaire, datasets, weighting
    >>> found = weighting.compare(Questionnaire.shipped("ecsi"), datasets.load_mobi(), construct="Satisfaction")
    >>> shown_method(found), shown_method(found, "CRITIC")
    ('equal', 'CRITIC')
    """
    if method and method not in result.weights:
        raise InputError(
            f"weighting: found {method!r}; expected one of {', '.join(map(str, result.weights))}. Correct the name."
        )
    return method or ("combined" if "combined" in result.weights else "equal")


def write_weights(result: Comparison, shaken: Sensitivity, method: str, out: str | Path, language: str = "en") -> None:
    """Write ``report.html``, ``tables.xlsx`` and ``weights.json`` of a weights study.

    Parameters
    ----------
    result
        All weightings of the survey.
    shaken
        The sensitivity of one of them.
    method
        The name of that one.
    out
        A folder; it is made if need be. Files of these names in it are replaced.
    language
        ``"en"`` or ``"zh"``: of the report and of the workbook's table of contents.

    Examples
    --------
    >>> import tempfile
    >>> from crmlab import Questionnaire, datasets, weighting
    >>> found = weighting.compare(Questionnaire.shipped("ecsi"), datasets.load_mobi(), construct="Satisfaction")
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_weights(found, found.sensitivity(), "equal", folder)
    >>> sorted(file.name for file in folder.iterdir())
    ['report.html', 'tables.xlsx', 'weights.json']
    """
    numbers = result.to_dict() | {"shown": method, "sensitivity": shaken.to_dict()}
    write_files(
        out,
        page=weights_report.html(result, shaken, method, language, responses=result.responses),
        sheets=tables(result, shaken),
        numbers={"weights.json": numbers},
        texts=Texts(language, "weights"),
        formats=_POINTS,
    )


def tables(result: Comparison, shaken: Sensitivity) -> dict[str, pd.DataFrame]:
    """Every table of a study by the name of its sheet; groups, judges and cells only where there are any."""
    import pandas as pd

    problems = list(dict.fromkeys([*result.problems, *shaken.problems]))
    found = {
        "weights": result.weights,
        "levels": result.levels,
        "index": result.index,
        "groups": result.by_group,
        "item_agreement": result.item_agreement.rename_axis("method"),
        "group_agreement": result.group_agreement.rename_axis("method"),
        "swings": shaken.swings,
        "ranks": shaken.ranks,
        "judges": result.judges,
        "respondents": respondents(result.responses, result.scores),
        "problems": pd.DataFrame({"problem": problems}),
        "data_cells": result.responses.cells,
    }
    return {name: table for name, table in found.items() if len(table) or name not in _OPTIONAL}
