"""Weights from the structural model: how much each item tells about its construct (chapters 8 and 9).

Partial least squares gives outer weights, a common-factor model factor-score weights λ/θ (Thurstone's regression
weights of one factor, up to their sum). Both weigh the items *within* a construct; how the constructs add up to one
index is no question the model answers, so there they count equally.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError
from crmlab.responses import Responses

from .levels import INDEX, Tree
from .told import Array, as_weights

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.questionnaire import Questionnaire

ENGINES = ("pls", "cbsem")


def from_model(
    questionnaire: Questionnaire,
    responses: Responses | pd.DataFrame,
    *,
    engine: str = "pls",
    construct: str | None = None,
) -> pd.Series:
    """Weights of the items by the model of the questionnaire.

    Parameters
    ----------
    questionnaire : Questionnaire
    responses : Responses or DataFrame
        The answers; of a table, the columns of the items.
    engine : {"pls", "cbsem"}
        Outer weights of the whole path model, or factor-score weights of each construct's own factor model by maximum
        likelihood. A construct with two items gets a factor with equal loadings; one with a single item needs no model.
    construct : str, optional
        Only the items of this construct.

    Returns
    -------
    Series
        By item, non-negative, sum 1: shares of the index's range, so an outer weight is divided by the standard
        deviation of its item and multiplied by the length of its scale. `attrs["problems"]` names items with a negative
        weight, which count 0, and constructs whose factor model has no proper solution, whose items count equally.

    Raises
    ------
    InputError
        An unknown engine or construct, or answers the model cannot be estimated from.

    Examples
    --------
    >>> from crmlab import Questionnaire, datasets
    >>> from_model(Questionnaire.shipped("ecsi"), datasets.load_mobi(), construct="Satisfaction").round(3).to_dict()
    {'CUSA1': 0.384, 'CUSA2': 0.282, 'CUSA3': 0.335}
    """
    from crmlab.sem import SemError

    if engine not in ENGINES:
        raise InputError(f"from_model: engine is {engine!r}; choose one of {', '.join(ENGINES)}.")
    tree = Tree.of(questionnaire, construct)
    items = questionnaire.items.loc[tree.items]
    answers = responses.data if isinstance(responses, Responses) else responses
    told: list[str] = []
    try:
        raw = {"pls": _outer_weights, "cbsem": _factor_score_weights}[engine](questionnaire, answers, tree, told)
    except SemError as error:
        raise InputError(str(error)) from error
    raw = raw * (items["max"] - items["min"])
    name = {"pls": "PLS", "cbsem": "CB-SEM"}[engine]
    told += [
        f"{name}: item {item} has a negative weight ({weight:.2f}) and counts 0; check whether it has to be reversed."
        for item, weight in raw.items()
        if weight < 0
    ]
    blocks = items["construct"]
    positive = raw.clip(lower=0)
    shares = positive / positive.groupby(blocks).transform("sum") / blocks.nunique()
    if len(tree.children[INDEX]) > 1:
        told.append(
            f"{name} weighs the items of each construct, not the constructs against each other; these count equally."
        )
    return as_weights(shares.to_numpy(), tree.items, name, told)


def regression_weights(loadings: Array, residuals: Array, membership: Array) -> Array:
    """Factor-score weights of each construct's own items, λ/θ: Thurstone's regression weights up to their sum.

    Parameters
    ----------
    loadings, residuals : arrays (…, p)
        Unstandardised loadings and residual variances.
    membership : array (p, k) of 0 and 1
        Which item belongs to which construct.

    Returns
    -------
    array (…, p)
        What one scale point of every item weighs. 1 for all items of a construct of which one has no positive residual
        variance: a lone item needs no weight, and a Heywood case gives none.

    Examples
    --------
    >>> regression_weights(np.array([1.0, 0.5, 2.0]), np.array([0.5, 0.5, 4.0]), np.ones((3, 1)))
    array([2. , 1. , 0.5])
    """
    without = ~(residuals > 0)
    flat = (without @ membership @ membership.T) > 0
    return np.where(flat, 1.0, loadings / np.where(flat, 1.0, residuals))


def _outer_weights(questionnaire: Questionnaire, answers: pd.DataFrame, tree: Tree, told: list[str]) -> pd.Series:
    """PLS outer weights for one scale point."""
    from crmlab import sem

    every = list(questionnaire.items.index)
    fit = sem.pls(questionnaire.model(), answers[every])
    if not fit.converged:
        told.append("PLS: the weights did not settle.")
    weights = fit.weights.set_index("item")["weight"] / answers[every].std()
    return weights.loc[tree.items]


def _factor_score_weights(
    questionnaire: Questionnaire, answers: pd.DataFrame, tree: Tree, told: list[str]
) -> pd.Series:
    """λ/θ of each item, from one factor a construct."""
    import pandas as pd

    parts: dict[str, float] = {}
    for construct in tree.children[INDEX]:
        items = tree.below(construct)
        weights, problem = _one_factor(answers[items])
        if problem:
            told.append(f"CB-SEM: {construct} {problem}; its items count equally.")
        parts |= dict(zip(items, weights, strict=True))
    return pd.Series(parts)


def _one_factor(answers: pd.DataFrame) -> tuple[Array, str]:
    """λ/θ of the items of one construct (p,), and why they are equal instead, if they are."""
    from crmlab import sem

    items: list[Any] = list(answers.columns)
    equal = np.ones(len(items))
    if len(items) == 1:
        return equal, ""
    loading = "1*" if len(items) == 2 else ""
    fit = sem.fit("F =~ " + " + ".join(f"{loading}{item}" for item in items), answers)
    estimates = fit.estimates
    loadings = estimates[estimates["op"] == "=~"].set_index("rhs")["est"].loc[items].to_numpy(dtype=float)
    own = estimates[(estimates["op"] == "~~") & (estimates["lhs"] == estimates["rhs"])].set_index("lhs")["est"]
    residuals = own.loc[items].to_numpy(dtype=float)
    if not fit.converged:
        return equal, "has a factor model that did not converge"
    if (residuals <= 0).any():
        return equal, f"has a factor model without a proper solution (residual variance of {items[residuals.argmin()]})"
    if loadings.sum() < 0:
        loadings = -loadings
    return regression_weights(loadings, residuals, np.ones((len(items), 1))), ""
