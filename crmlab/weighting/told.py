"""Weights and what has to be said about them: a Series that sums to one, with its problems in `attrs`.

The methods of this package return a plain Series, so that weights can be multiplied, sorted and printed like any
other. The sentences that a careful analyst would add travel with it in `attrs["problems"]`; `problems` reads them, and
`crmlab.weighting.compare` gathers them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from crmlab.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]

#: Numbers that should add up, or be each other's reciprocal, are typed with two or three digits.
ROUNDING = 0.02


def as_weights(raw: Any, items: Sequence[Any], method: str, problems: Iterable[str] = ()) -> pd.Series:
    """Divide non-negative values by their sum.

    Parameters
    ----------
    raw : array (p,)
        Values, 0 or more, not all 0.
    items : sequence of p labels
    method : str
        The Series' name.
    problems : sentences

    Raises
    ------
    InputError
        When the values add up to nothing.

    Examples
    --------
    >>> as_weights([1, 3], ["price", "quality"], "direct rating").to_dict()
    {'price': 0.25, 'quality': 0.75}
    """
    import pandas as pd

    values = np.asarray(raw, dtype=float)
    total = values.sum()
    if not total > 0:
        raise InputError(
            f"{method}: found nothing that tells {', '.join(map(str, items))} apart (all weights are 0); expected at "
            "least one above 0. Weigh these items equally, or by another method."
        )
    weights = pd.Series(values / total, index=pd.Index(items, name="item"), name=method)
    weights.attrs["problems"] = list(problems)
    return weights


def problems(weights: pd.Series) -> list[str]:
    """What has to be said about weights; empty where there is nothing, or where somebody made them by hand.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.weighting import entropy
    >>> print(*problems(entropy(pd.DataFrame({"Q1": [7, 7, 7], "Q2": [3, 9, 6]}))))
    Item Q1 is constant (every answer is 7): it tells nobody from anybody else, and entropy gives it the weight 0.
    """
    return list(weights.attrs.get("problems", []))
