"""Objective weights 客观赋权法: what the answers themselves say about how much each item tells (chapter 8).

Four methods look at the same table of n respondents by p items and reward different things: `entropy` and
`coefficient_of_variation` items on which people differ, relative to the level of the answers; `critic` items on which
they differ and that repeat no other item; `pca` items that agree with the others. None knows what matters to
customers. Missing answers are left out item by item, and pair by pair in correlations.

References
----------
Diakoulaki, D., Mavrotas, G. & Papayannakis, L. (1995). Determining objective weights in multiple criteria problems: the
CRITIC method. Computers & Operations Research 22, 763–770.
Shannon, C. E. (1948). A mathematical theory of communication. Bell System Technical Journal 27, 379–423.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError

from .told import Array, as_weights

if TYPE_CHECKING:
    import pandas as pd


def entropy(data: Any) -> pd.Series:
    """Entropy weights 熵权法: w ∝ 1 − e with e = −Σ p ln p / ln n and p = x / Σx over the n answers to an item.

    Not invariant to the origin of the scale: answers on 0–4 give other weights than the same answers on 1–5.

    Parameters
    ----------
    data : DataFrame or array (n, p)
        Answers, none below 0.

    Returns
    -------
    Series (p,)
        Non-negative, sum 1. A constant item has the weight 0, and `attrs["problems"]` says so.

    Raises
    ------
    InputError
        Fewer than two items or answers, an answer that is negative or no number, or nothing but constant items.

    Examples
    --------
    >>> import pandas as pd
    >>> entropy(pd.DataFrame({"Q1": [5, 5, 4], "Q2": [1, 5, 3]})).round(3).to_dict()
    {'Q1': 0.031, 'Q2': 0.969}
    """
    table = _answers(data, "entropy")
    _require_ratios(table, "entropy")
    shares = table / table.sum()
    disorder: pd.Series = -_x_ln_x(shares).sum() / np.log(table.count())
    return _weights(1 - disorder, table, "entropy")


def coefficient_of_variation(data: Any) -> pd.Series:
    """Coefficient of variation 变异系数法: w ∝ s / x̄, the sample standard deviation over the mean.

    Not invariant to the origin of the scale, as `entropy`.

    Parameters
    ----------
    data : DataFrame or array (n, p)
        Answers, none below 0.

    Returns
    -------
    Series (p,)
        Non-negative, sum 1; a constant item has the weight 0.

    Raises
    ------
    InputError
        As `entropy`.

    Examples
    --------
    >>> import pandas as pd
    >>> coefficient_of_variation(pd.DataFrame({"Q1": [5, 5, 4], "Q2": [1, 5, 3]})).round(3).to_dict()
    {'Q1': 0.157, 'Q2': 0.843}
    """
    table = _answers(data, "coefficient of variation")
    _require_ratios(table, "coefficient of variation")
    return _weights(table.std() / table.mean(), table, "coefficient of variation")


def critic(data: Any, *, cost: Iterable[str] = ()) -> pd.Series:
    """CRITIC (Diakoulaki, Mavrotas & Papayannakis 1995): w_j ∝ σ_j Σ_k (1 − r_jk), items scaled to 0–1 min–max.

    Multiplying an item or moving its origin changes nothing; leaving out the respondent with the lowest answer does.

    Parameters
    ----------
    data : DataFrame or array (n, p)
    cost : item names
        Items of which less is better: they are reversed. Items of a questionnaire are already recoded.

    Returns
    -------
    Series (p,)
        Non-negative, sum 1; a constant item has the weight 0 and takes no part in the correlations.

    Raises
    ------
    InputError
        Fewer than two items or answers, an answer that is no number, an unknown cost item, nothing but constant items.

    Examples
    --------
    >>> import pandas as pd
    >>> critic(pd.DataFrame({"Q1": [5, 5, 4], "Q2": [1, 5, 3], "Q3": [1, 4, 3]})).round(3).to_dict()
    {'Q1': 0.529, 'Q2': 0.213, 'Q3': 0.257}
    """
    table = _answers(data, "CRITIC")
    if unknown := [name for name in cost if name not in table.columns]:
        raise InputError(f"CRITIC: cost names {unknown[0]!r}; expected items of the data ({_names(table.columns)}).")
    table = table * [-1 if name in set(cost) else 1 for name in table.columns]
    varying = table.loc[:, _varying(table)]
    scaled = (varying - varying.min()) / (varying.max() - varying.min())
    conflict = (1 - scaled.corr()).sum()
    return _weights((scaled.std() * conflict).clip(lower=0), table, "CRITIC")


def pca(data: Any, *, components: int | str = 1) -> pd.Series:
    """Weights from principal components 主成分法 of the correlations: w_j ∝ Σ_k (λ_k / Σλ) |v_jk|.

    Parameters
    ----------
    data : DataFrame or array (n, p)
    components : int or "kaiser"
        How many components count: the first ones, or all with an eigenvalue above 1. With 1 the weights are the
        absolute loadings on the first component, made to sum to 1.

    Returns
    -------
    Series (p,)
        Non-negative, sum 1; a constant item has the weight 0. An item that runs against the first component is named in
        `attrs["problems"]`: it probably needs to be reversed.

    Raises
    ------
    InputError
        Fewer than two items or answers, an answer that is no number, nothing but constant items, or an impossible
        number of components.

    Examples
    --------
    >>> import pandas as pd
    >>> pca(pd.DataFrame({"Q1": [5, 5, 4], "Q2": [1, 5, 3], "Q3": [1, 4, 3]})).round(3).to_dict()
    {'Q1': 0.087, 'Q2': 0.452, 'Q3': 0.461}
    """
    table = _answers(data, "PCA")
    varying = table.loc[:, _varying(table)]
    if varying.empty:
        return _weights(varying.sum(), table, "PCA")
    if components != "kaiser" and (not isinstance(components, int) or not 1 <= components <= varying.shape[1]):
        raise InputError(
            f"PCA: components is {components!r}; expected 'kaiser' or a whole number from 1 to {varying.shape[1]}."
        )
    values, vectors = np.linalg.eigh(varying.corr().fillna(0).to_numpy())
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = values > 1 if components == "kaiser" else np.arange(len(values)) < int(components)
    kept[0] = True
    raw = varying.sum() * 0 + np.abs(vectors[:, kept]) @ values[kept]
    first = vectors[:, 0] * np.sign(vectors[:, 0].sum() or 1)
    against = [name for name, loading in zip(varying.columns, first, strict=True) if loading < -_AGAINST]
    problems = [
        f"Item {name} runs against the first principal component: reverse it, or do not add it to the others."
        for name in against
    ]
    return _weights(raw, table, "PCA", problems)


_AGAINST = 0.05  # of a unit vector: smaller loadings are noise around zero


def _answers(data: Any, method: str) -> pd.DataFrame:
    """Answers as a table of numbers with at least two items and two answers to each."""
    import pandas as pd

    table = data if isinstance(data, pd.DataFrame) else pd.DataFrame(np.asarray(data))
    for name in table.columns:
        numbers = pd.to_numeric(table[name], errors="coerce")
        wrong = table[name].notna() & ~np.isfinite(numbers)
        if wrong.any():
            row = table.index[wrong][0]
            raise InputError(
                f"{method}: item {name}, row {row}: found {table.loc[row, name]!r}; expected a number. Correct the "
                "answer or leave it empty."
            )
    if table.shape[1] < 2:
        raise InputError(f"{method}: found {table.shape[1]} item; expected at least two to weigh against each other.")
    numeric = table.astype(float)
    counts = numeric.count()
    if (counts < 2).any():
        few = str(counts.idxmin())
        raise InputError(f"{method}: item {few} has {counts.min()} answers; expected at least two. Leave it out.")
    return numeric


def _require_ratios(table: pd.DataFrame, method: str) -> None:
    """Refuse negative answers: a share of a sum and a ratio to a mean need a zero that means nothing."""
    lowest = table.min()
    if (lowest < 0).any():
        item = lowest.idxmin()
        row = table[item].idxmin()
        raise InputError(
            f"{method}: item {item}, row {row}: found {lowest.min():g}; expected answers of 0 or more, because the "
            "method divides by their sum. Use CRITIC or PCA, or a scale that starts at 0 or above."
        )


def _varying(table: pd.DataFrame) -> Array:
    varying: Array = (table.max() > table.min()).to_numpy()
    return varying


def _x_ln_x(shares: pd.DataFrame) -> pd.DataFrame:
    return shares * np.log(shares.where(shares > 0, 1.0).to_numpy())


def _weights(raw: pd.Series, table: pd.DataFrame, method: str, problems: Iterable[str] = ()) -> pd.Series:
    """Weights of all items of a table; the constant ones get 0 and a word."""
    constant = table.columns[~_varying(table)]
    told = [
        f"Item {name} is constant (every answer is {table[name].min():g}): it tells nobody from anybody else, and "
        f"{method} gives it the weight 0."
        for name in constant
    ]
    values = raw.reindex(table.columns).where(_varying(table), 0.0).clip(lower=0)
    missing = int(table.isna().sum().sum())
    if missing:
        told.append(f"{method}: {missing} missing answers were left out item by item.")
    return as_weights(values.to_numpy(), list(table.columns), method, [*told, *problems])


def _names(names: Iterable[Any]) -> str:
    return ", ".join(map(str, names))
