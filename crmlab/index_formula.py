"""The index formula: weighted answers read from 0 to 100 (chapters 8 and 9; Fornell et al. 1996, p. 11).

With item means x̄ on min…max and the weight w that one scale point of an item has,

    index = 100 · (Σ w x̄ − Σ w min) / (Σ w max − Σ w min)

The formula is the same for a survey, a group of respondents or a single one, and for any number of constructs at once:
`membership` says which item belongs to which. Scales of items may differ.

References
----------
Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J. & Bryant, B. E. (1996). The American customer satisfaction index:
nature, purpose, and findings. Journal of Marketing 60(4), 7–18.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]


def points(weights: Array, minimum: Array, maximum: Array, membership: Array) -> Array:
    """Index points for one unit of a construct's weighted sum, 100 / Σ w (max − min).

    Parameters
    ----------
    weights : array (…, p)
        What one scale point of every item weighs.
    minimum, maximum : arrays (p,)
        Ends of the items' scales.
    membership : array (p, k) of 0 and 1
        Which item belongs to which construct.

    Returns
    -------
    array (…, k)

    Examples
    --------
    >>> import numpy as np
    >>> points(np.array([0.5, 0.5]), np.array([1, 1]), np.array([5, 5]), np.ones((2, 1)))
    array([25.])
    """
    scale: Array = 100 / ((weights * (maximum - minimum)) @ membership)
    return scale


def index(answers: Array, per_point: Array, minimum: Array, membership: Array) -> Array:
    """The index of answers or of their means, 0 for the lowest and 100 for the highest answer everywhere.

    Parameters
    ----------
    answers : array (…, p)
        On the items' own scales.
    per_point : array (…, p)
        Index points for one scale point of every item: its weight times `points` of its construct.
    minimum : array (p,)
    membership : array (p, k)

    Returns
    -------
    array (…, k)

    Examples
    --------
    Three items from 1 to 10 with equal weights and means of 7, 8 and 6:

    >>> import numpy as np
    >>> lowest, highest, one_block = np.ones(3), np.full(3, 10), np.ones((3, 1))
    >>> equal = np.ones(3)
    >>> per_point = equal * points(equal, lowest, highest, one_block)
    >>> index(np.array([7, 8, 6]), per_point, lowest, one_block).round(2)
    array([66.67])
    """
    reached: Array = (per_point * (answers - minimum)) @ membership
    return reached
