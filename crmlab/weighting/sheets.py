"""What judges write on: a printable page of comparisons, and a workbook to fill in and read back (chapter 8).

Both follow from the questionnaire, so that names and wording are those of the survey. The page goes to a meeting, on
paper; the workbook goes by mail and comes back to `read_judgements`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmlab import workbook
from crmlab.errors import InputError

from .judgements import METHODS
from .levels import INDEX, Tree

if TYPE_CHECKING:
    from crmlab.questionnaire import Questionnaire

_HERE = Path(__file__).parent
#: What is ticked for a pair, by method, from "the first" to "the second".
_SCALES = {
    "pairwise": ["9", "7", "5", "3", "1", "3", "5", "7", "9"],
    "choice 0-1": ["1 : 0", "0 : 1"],
    "choice 0-4": ["4 : 0", "3 : 1", "2 : 2", "1 : 3", "0 : 4"],
}


def write_judgement_sheet(
    questionnaire: Questionnaire,
    path: str | Path,
    *,
    method: str = "pairwise",
    language: str = "en",
    nodes: Sequence[str] | None = None,
) -> None:
    """Write a page to print and hand to judges: one HTML file, without network, A4.

    Parameters
    ----------
    questionnaire : Questionnaire
    path
        The file to write.
    method : {"rating", "comparison", "pairwise", "choice 0-1", "choice 0-4"}
    language : {"en", "zh"}
    nodes : sequence of str, optional
        What to divide: `index`, constructs, facets; by default `index` and every construct with two items or more.

    Raises
    ------
    InputError
        An unknown method, language or node.

    Examples
    --------
    >>> import tempfile
    >>> from crmlab import Questionnaire
    >>> file = Path(tempfile.mkdtemp()) / "sheet.html"
    >>> write_judgement_sheet(Questionnaire.shipped("course_csi"), file, language="zh", nodes=["Satisfaction"])
    >>> file.read_text(encoding="utf-8").count('<tr class="pair">')
    3
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from crmlab.plots.page_font import with_chinese_font

    _require(method, language)
    blocks = [
        {
            "of": node,
            "title": _words(questionnaire, node, language),
            "parts": [{"name": part, "label": _words(questionnaire, part, language)} for part in parts],
            "pairs": [[_words(questionnaire, part, language) for part in pair] for pair in combinations(parts, 2)],
        }
        for node, parts in _divided(questionnaire, nodes)
    ]
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("judgement_sheet.html.j2").render(
        language=language,
        title=questionnaire.title[language],
        method=method,
        scale=_SCALES.get(method, []),
        blocks=blocks,
    )
    Path(path).write_text(with_chinese_font(page) + "\n", encoding="utf-8")


def write_judgement_workbook(
    questionnaire: Questionnaire,
    path: str | Path,
    *,
    judges: Iterable[str],
    method: str = "pairwise",
    nodes: Sequence[str] | None = None,
) -> None:
    """Write a workbook with a row for every value that the judges are asked for; `read_judgements` reads it back.

    Parameters
    ----------
    questionnaire : Questionnaire
    path
        The .xlsx file to write.
    judges : names
    method, nodes
        As in `write_judgement_sheet`.

    Raises
    ------
    InputError
        No judge, an unknown method or node.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> from crmlab import Questionnaire
    >>> file = Path(tempfile.mkdtemp()) / "judges.xlsx"
    >>> write_judgement_workbook(Questionnaire.shipped("course_csi"), file, judges=["Li"], nodes=["Satisfaction"])
    >>> pd.read_excel(file, sheet_name="judgements")[["first", "second", "value"]].values.tolist()
    [['SA1', 'SA2', nan], ['SA1', 'SA3', nan], ['SA2', 'SA3', nan]]
    """
    import pandas as pd

    _require(method, "en")
    names = list(judges)
    if not names:
        raise InputError("judgement workbook: found no judge; expected at least one name.")
    rows = [
        {"judge": judge, "of": node, "method": method, "first": first, "second": second, "value": None}
        | {
            f"{place} ({language})": _words(questionnaire, name, language) if name else ""
            for language in ("en", "zh")
            for place, name in (("first", first), ("second", second))
        }
        for judge in names
        for node, parts in _divided(questionnaire, nodes)
        for first, second in (combinations(parts, 2) if method in _SCALES else [(part, "") for part in parts])
    ]
    help_rows = [(language, text) for language in ("en", "zh") for text in _HOW[method][language]]
    sheets = {"judgements": pd.DataFrame(rows), "how to": pd.DataFrame(help_rows, columns=["language", "how"])}
    titles = {"judgements": "Fill in the column value 请填写 value 一列", "how to": "How to fill it in 填写说明"}
    workbook.write_xlsx(sheets, path, titles=titles)


def _require(method: str, language: str) -> None:
    if method not in METHODS:
        raise InputError(f"method is {method!r}; choose one of {', '.join(METHODS)}.")
    if language not in ("en", "zh"):
        raise InputError(f"language: found {language!r}; expected en or zh. Choose one of the two.")


def _divided(questionnaire: Questionnaire, nodes: Sequence[str] | None) -> list[tuple[str, list[str]]]:
    """Nodes and what is below each: constructs below the index, items below everything else."""
    tree = Tree.of(questionnaire)
    for node in nodes or ():
        if node not in tree.children:
            raise InputError(f"nodes: found {node!r}; expected some of {', '.join(tree.children)}.")
    chosen = nodes if nodes is not None else [node for node in tree.children if tree.level[node] < 3]
    found = [(node, tree.children[node] if node == INDEX else tree.below(node)) for node in chosen]
    return [(node, parts) for node, parts in found if len(parts) > 1]


def _words(questionnaire: Questionnaire, node: str, language: str) -> str:
    """A node as judges should read it: items in their full wording."""
    from .shaking import node_label

    return (
        questionnaire.label(node, language)
        if node in questionnaire.items.index
        else node_label(questionnaire, node, language)
    )


_HOW: dict[str, dict[str, list[Any]]] = {
    "rating": {
        "en": ["Give points to every line; what matters twice as much gets twice as many. Any sum will do."],
        "zh": ["给每一行打分；重要一倍的，分数也高一倍。总分不限。"],
    },
    "comparison": {
        "en": [
            "Sort the rows of a block so that the most important one comes first.",
            "Then write how many times as important each is as the next, 1 or more; the last row stays empty.",
        ],
        "zh": [
            "先将同一组各行按重要程度由高到低排序。",
            "再填写每一行的重要程度是下一行的几倍（不小于 1）；最后一行留空。",
        ],
    },
    "pairwise": {
        "en": [
            "Write how many times as important the first is as the second: 1 equal, 3 somewhat more, 5 clearly more, "
            "7 much more, 9 extremely more.",
            "If the second is more important, write a fraction as =1/3. Leave empty what you cannot judge.",
        ],
        "zh": [
            "填写前者的重要程度是后者的几倍：1 同等重要，3 稍微重要，5 明显重要，7 重要得多，9 极端重要。",
            "若后者更重要，请以 =1/3 的形式填写。无法判断的可留空。",
        ],
    },
    "choice 0-1": {
        "en": ["Write 1 if the first matters more, 0 if the second does. Every pair needs a choice."],
        "zh": ["前者更重要填 1，后者更重要填 0。每一对都要选择。"],
    },
    "choice 0-4": {
        "en": [
            "Share out 4 points; write those of the first: 4 far more important, 3 more, 2 equal, 1 less, 0 far less."
        ],
        "zh": ["两者共分 4 分，填写前者的得分：4 重要得多，3 较重要，2 同等重要，1 较不重要，0 不重要得多。"],
    },
}
