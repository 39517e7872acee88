"""Reliability and discriminant validity of blocks of items, with or without a structural model (chapters 7 and 9).

The formulas stand in `reliability`; weights and loadings come from the PLS estimate of the model, or, where there are
only blocks, from linking every construct with every other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .errors import SemError
from .pls import PLSFit, estimate, path_model
from .pls_algorithm import RELIABILITY, PathModel
from .syntax import Model

if TYPE_CHECKING:
    import pandas as pd


def reliability(data: pd.DataFrame, blocks: Model | str | Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Reliability of each block of items.

    Parameters
    ----------
    data : DataFrame (n, items)
        Answers, one row a respondent; missing answers are replaced by the item's mean.
    blocks : Model, model text, or mapping of construct to items
        With structural paths, ρ_A, ρ_C and AVE come from the PLS estimate of that model. Without them every construct
        is linked with every other (factorial scheme).

    Returns
    -------
    DataFrame, index construct, columns
        n_items; alpha (raw) and alpha_std (of correlations); omega (one-factor maximum likelihood, raw);
        rho_a, rho_c, ave (from PLS weights and loadings; 1 for a single item by assumption, nan for formative blocks).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.normal(size=(300, 2))
    >>> answers = pd.DataFrame(trait[:, [0, 0, 0, 1, 1]] + rng.normal(size=(300, 5)), columns=list("abcde"))
    >>> reliability(answers, {"First": ["a", "b", "c"], "Second": ["d", "e"]})["alpha"].round(2).to_dict()
    {'First': 0.74, 'Second': 0.64}
    """
    return _linked_fit(data, blocks).reliability


def htmt(data: pd.DataFrame, blocks: Model | str | Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Heterotrait–monotrait ratio of every pair of blocks; above 0.85–0.90 two constructs are hard to tell apart.

    Parameters
    ----------
    data : DataFrame (n, items)
    blocks : Model, model text, or mapping of construct to items

    Returns
    -------
    DataFrame (constructs × constructs), symmetric, ones on the diagonal.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.normal(size=(300, 2))
    >>> answers = pd.DataFrame(trait[:, [0, 0, 1, 1]] + rng.normal(size=(300, 4)), columns=list("abcd"))
    >>> bool(htmt(answers, {"First": ["a", "b"], "Second": ["c", "d"]}).loc["First", "Second"] < 0.3)
    True
    """
    return _linked_fit(data, blocks).htmt


def reliability_intervals(
    data: pd.DataFrame,
    blocks: Model | str | Mapping[str, Sequence[str]],
    *,
    measures: Sequence[str] = ("alpha", "omega", "rho_c", "ave"),
    resamples: int = 1000,
    seed: int = 0,
    interval: str = "percentile",
    level: float = 0.95,
) -> pd.DataFrame:
    """Reliability of each block with bootstrap intervals over respondents.

    Parameters
    ----------
    data, blocks
        As for `reliability`.
    measures : sequence of {"alpha", "alpha_std", "omega", "rho_a", "rho_c", "ave"}
    resamples : int, at least 2
    seed : int
        The same seed gives the same bytes.
    interval : {"percentile", "bca"}
    level : float in (0, 1)

    Returns
    -------
    DataFrame: construct, measure, estimate, se, ci_lower, ci_upper
        A measure that a block does not have (a single item, a formative block, omega in a Heywood case) is nan.

    Raises
    ------
    SemError
        Unknown measure or option, or a table that cannot be analysed.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.normal(size=(300, 2))
    >>> answers = pd.DataFrame(trait[:, [0, 0, 0, 1, 1]] + rng.normal(size=(300, 5)), columns=list("abcde"))
    >>> table = reliability_intervals(answers, {"First": ["a", "b", "c"], "Second": ["d", "e"]}, measures=["alpha"])
    >>> table.round(2).iloc[0].to_dict()
    {'construct': 'First', 'measure': 'alpha', 'estimate': 0.74, 'se': 0.03, 'ci_lower': 0.68, 'ci_upper': 0.79}
    """
    import pandas as pd

    unknown = [name for name in measures if name not in RELIABILITY]
    if unknown or not measures:
        raise SemError(f"measures: found {list(measures)}; choose among {', '.join(RELIABILITY)}")
    draws = _linked_fit(data, blocks).bootstrap(resamples, seed, statistics=tuple(measures))
    tables = {name: draws.table(name, interval, level).drop(columns="bias") for name in measures}
    long = pd.concat([table.assign(measure=name, order=range(len(table))) for name, table in tables.items()])
    long = long.sort_values("order", kind="stable", ignore_index=True)
    return long[["construct", "measure", "estimate", "se", "ci_lower", "ci_upper"]]


#: What the interval of an HTMT says, first rule that holds (Henseler et al. 2015: 0.85, and 0.90 for related ideas).
HTMT_READINGS = ("distinct", "distinct if related", "undecided", "not distinct")


def htmt_intervals(
    data: pd.DataFrame,
    blocks: Model | str | Mapping[str, Sequence[str]],
    *,
    resamples: int = 1000,
    seed: int = 0,
    interval: str = "percentile",
    level: float = 0.95,
) -> pd.DataFrame:
    """Heterotrait–monotrait ratio of every pair of blocks with a bootstrap interval and how to read it.

    Parameters
    ----------
    data, blocks, resamples, seed, interval, level
        As for `reliability_intervals`.

    Returns
    -------
    DataFrame: construct, other, estimate, se, ci_lower, ci_upper, reading
        reading: "distinct" (upper end below 0.85), "distinct if related" (below 0.90, the limit for constructs that
        are close by theory), "not distinct" (lower end at 0.90 or above), else "undecided"; no text without interval.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.normal(size=(300, 2))
    >>> answers = pd.DataFrame(trait[:, [0, 0, 1, 1]] + rng.normal(size=(300, 4)), columns=list("abcd"))
    >>> htmt_intervals(answers, {"First": ["a", "b"], "Second": ["c", "d"]})["reading"].tolist()
    ['distinct']
    """
    import numpy as np

    draws = _linked_fit(data, blocks).bootstrap(resamples, seed, statistics=("htmt",))
    table = draws.table("htmt", interval, level).drop(columns="bias")
    upper, lower = table["ci_upper"], table["ci_lower"]
    rules = [upper < 0.85, upper < 0.90, upper.notna() & (lower < 0.90), lower >= 0.90]
    return table.assign(reading=np.select(rules, HTMT_READINGS, default=""))


def _linked_fit(data: pd.DataFrame, blocks: Model | str | Mapping[str, Sequence[str]]) -> PLSFit:
    """PLS fit of the blocks: with the model's own paths, or with every construct linked with every other."""
    if isinstance(blocks, str):
        blocks = Model(blocks)
    if isinstance(blocks, Model):
        if blocks.paths:
            return estimate(path_model(blocks), data, scheme="path", missing="mean", anchors={})
        modes, items = blocks.modes, dict(blocks.blocks)
    else:
        modes, items = dict.fromkeys(blocks, "A"), {construct: tuple(block) for construct, block in blocks.items()}
    empty = [construct for construct, block in items.items() if not block]
    if empty or not items:
        raise SemError(f"block {empty[0]} has no items" if empty else "there is no block of items")
    constructs = tuple(items)
    links = tuple((earlier, later) for i, later in enumerate(constructs) for earlier in constructs[:i])
    shape = PathModel(constructs, items, modes, links)
    return estimate(shape, data, scheme="factorial", missing="mean", anchors={})
