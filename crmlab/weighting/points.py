"""Answers and weights as index points, for all weightings at once (chapter 8).

A weight is a share of the index's range, so one scale point of an item is worth weight / (max − min) of it; the rest is
the formula of :mod:`crmlab.index_formula`. A missing answer stands at the mean of its item.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from crmlab import index_formula
from crmlab.errors import InputError
from crmlab.responses import Responses, read_responses
from crmlab.results import in_order

from .told import Array

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.questionnaire import Questionnaire


def usable(
    questionnaire: Questionnaire, responses: Responses | pd.DataFrame, items: Sequence[str], by: str | None
) -> tuple[pd.DataFrame, pd.Series | None]:
    """The answers to these items (n, p) and each respondent's group, or why they cannot be weighed.

    Raises
    ------
    InputError
        Faulty answers, no such grouping column, an item without answers, fewer than two respondents.
    """
    if not isinstance(responses, Responses):
        responses = read_responses(responses, questionnaire)
    data = responses.data
    where = responses.source or "the answers"
    if by is not None and by not in data.columns:
        known = [column for column in data.columns if column not in questionnaire.items.index]
        raise InputError(
            f"{where}: there is no grouping column {by!r}; the grouping columns are {', '.join(known) or 'none'}. "
            "List the column under 'groups' in the questionnaire."
        )
    answers = data[list(items)].astype(float)
    empty = list(answers.columns[answers.notna().sum() == 0])
    if empty:
        raise InputError(
            f"{where}: no answer at all to {', '.join(empty)}. Correct the file or drop it from the questionnaire."
        )
    if len(answers) < 2:
        raise InputError(f"{where}: {len(answers)} respondents; expected two or more.")
    return answers, None if by is None else data[by]


def reached(questionnaire: Questionnaire, answers: pd.DataFrame, weights: Array, items: Sequence[str]) -> Array:
    """Index (n, k) of every respondent under k weightings (k, p) of p items, 0–100."""
    ends = questionnaire.items.loc[list(items), ["min", "max"]].to_numpy(dtype=float).T
    minimum, maximum = ends
    filled = answers.fillna(answers.mean()).to_numpy()
    one_block = np.ones((len(items), 1))
    per_point = weights / (maximum - minimum)
    per_point = per_point * index_formula.points(per_point, minimum, maximum, one_block)
    # The formula for one weighting is a product with its weights; for k of them, one product of matrices.
    index: Array = index_formula.index(filled, np.ones(1), minimum, per_point.T)
    return index


def grouped(values: Array, member: pd.Series | None) -> pd.DataFrame:
    """Means of values (n, k) by group, in the order of the groups' names; no row without groups."""
    import pandas as pd

    if member is None:
        return pd.DataFrame(values[:0])
    names = sorted(member.dropna().unique(), key=in_order)
    means = [values[(member == name).to_numpy()].mean(axis=0) for name in names]
    return pd.DataFrame(means, index=pd.Index(names, name="group"), columns=range(values.shape[1]))
