"""Reliability and discriminant validity of blocks of items, with or without a structural model (chapters 7 and 9).

The formulas stand in `reliability`; weights and loadings come from the PLS estimate of the model, or, where there are
only blocks, from linking every construct with every other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .errors import SemError
from .pls import PLSFit, estimate, path_model
from .pls_algorithm import PathModel
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
