"""Whether a survey can carry an index at all: what is empty, constant or too few, told before anything is estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import sem
from ..errors import InputError
from ..questionnaire import Questionnaire
from ..responses import Responses
from ..sampling import ten_times_rule
from ..sem.pls import path_model

if TYPE_CHECKING:
    import pandas as pd

FAULTS = ("error", "missing")


def check(questionnaire: Questionnaire, responses: Responses, *, by: str | None = None, faults: str = "error") -> None:
    """Raise `InputError` when model or answers cannot carry an estimate; costs next to nothing.

    Parameters
    ----------
    questionnaire : Questionnaire
    responses : Responses
    by : str, optional
        Grouping column.
    faults : {"error", "missing"}
    """
    if faults not in FAULTS:
        raise InputError(f"faults {faults!r} is unknown; choose one of {', '.join(FAULTS)}.")
    try:
        path_model(questionnaire.model())
    except sem.SemError as error:
        raise InputError(f"{questionnaire.source}: {error}. Correct the paths of the questionnaire.") from error
    if faults == "error":
        responses.require_usable()
    where = responses.source or "the answers"
    if by is not None and by not in responses.data.columns:
        known = [column for column in responses.data.columns if column not in questionnaire.items.index]
        raise InputError(
            f"{where}: there is no grouping column {by!r}; the grouping columns are {', '.join(known) or 'none'}. "
            "List the column under 'groups' in the questionnaire."
        )
    found = obstacles(items_of(questionnaire, responses), respondents_needed(questionnaire))
    if found:
        raise InputError(f"{where}: {found[0]}")


def obstacles(answers: pd.DataFrame, needed: int) -> list[str]:
    """Why answers (n, items) cannot carry an estimate: empty and constant items, too few respondents."""
    found = []
    lowest, highest = answers.min(), answers.max()
    empty = list(answers.columns[lowest.isna()])
    if empty:
        found.append(f"no answer at all to {', '.join(empty)}. Correct the file or drop it from the questionnaire.")
    found += [
        f"item {item} is constant (every answer is {lowest[item]:g}), so it cannot be related to anything. Drop it "
        "from the questionnaire."
        for item in answers.columns[lowest == highest]
    ]
    if len(answers) < needed:
        found.append(
            f"{len(answers)} respondents, and the model needs at least {needed} (ten for each arrow into its busiest "
            "construct, or each item of a formative block). Collect more answers or simplify the model."
        )
    return found


def respondents_needed(questionnaire: Questionnaire) -> int:
    """The floor below which no estimate is made, by `crmlab.sampling.ten_times_rule`.

    Examples
    --------
    >>> respondents_needed(Questionnaire.shipped("ecsi"))       # four arrows point at Satisfaction
    40
    """
    arrows = int(questionnaire.paths["to"].value_counts().max()) if len(questionnaire.paths) else 0
    formative = questionnaire.constructs.query("mode == 'formative'")["n_items"]
    return ten_times_rule(max([arrows, *formative]))


def items_of(questionnaire: Questionnaire, responses: Responses) -> pd.DataFrame:
    """The answers to the items, in the questionnaire's order."""
    return responses.data[list(questionnaire.items.index)]
