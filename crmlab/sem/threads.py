"""One thread of linear algebra at a time: the matrices of a survey are small, and a second thread of BLAS costs more
than it gives, many times over where something else uses the machine; it would also change the last bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Within this context BLAS takes one thread; as a decorator, within the function.

    Examples
    --------
    >>> import numpy as np
    >>> with one_thread():
    ...     (np.eye(2) @ np.ones(2)).tolist()
    [1.0, 1.0]
    """
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    """The libraries of linear algebra of this process: looking for them takes longer than a small estimate."""
    import scipy.linalg  # noqa: F401  # scipy brings a BLAS of its own, which must be there to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
