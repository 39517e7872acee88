"""One scale from pairs of things: least squares when some pairs are missing, and which things hang together.

Log-ratios of an AHP matrix and normal deviates of Thurstone's shares are the same problem: find scale values s with
s_i − s_j as close as can be to what was said of the pair. With every pair judged the answer is the mean of a row.
"""

from __future__ import annotations

import numpy as np

from .told import Array


def least_squares(differences: Array) -> Array:
    """Scale values (n,) with mean 0 from differences (n, n), row minus column; nan where a pair was not judged.

    Minimises Σ (d_ij − s_i + s_j)² over the judged pairs (Bozóki, Fülöp & Rónyai 2010, for log-ratios).

    Examples
    --------
    >>> nan = np.nan
    >>> least_squares(np.array([[0, 1, nan], [-1, 0, 2], [nan, -2, 0]])).round(3).tolist()
    [1.333, 0.333, -1.667]
    """
    judged = ~np.isnan(differences)
    np.fill_diagonal(judged, False)
    laplacian = np.diag(judged.sum(axis=1)) - judged.astype(float)
    right = np.where(judged, differences, 0.0).sum(axis=1)
    values: Array = np.linalg.lstsq(laplacian, right, rcond=None)[0]
    return values - values.mean()


def connected(judged: Array) -> Array:
    """Which things can be compared with the first one along judged pairs, (n,) of bool; `judged` is (n, n).

    Examples
    --------
    >>> connected(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=bool)).tolist()
    [True, True, False]
    """
    reached = np.zeros(len(judged), dtype=bool)
    reached[:1] = True
    while True:
        further = reached | judged[reached].any(axis=0)
        if (further == reached).all():
            return reached
        reached = further


def kendall_w(values: Array) -> tuple[float, float]:
    """Agreement among m judges (rows) on n things (columns): Kendall's W with ties, and its p-value.

    W = 12 S / (m² (n³ − n) − m Σ T), T = Σ (t³ − t) over the ties of a judge; m (n − 1) W is compared with χ² on n − 1
    degrees of freedom (Kendall & Babington Smith 1939). Nan for fewer than two judges or things, or when no judge tells
    anything apart.

    Examples
    --------
    >>> kendall_w(np.array([[1, 2, 3], [1, 2, 3]]))[0]
    1.0
    """
    from scipy.stats import chi2, rankdata

    judges, things = values.shape
    if judges < 2 or things < 2:
        return float("nan"), float("nan")
    ranks = rankdata(values, axis=1)
    spread = ((ranks.sum(axis=0) - judges * (things + 1) / 2) ** 2).sum()
    ties = sum((counts**3 - counts).sum() for counts in (np.unique(row, return_counts=True)[1] for row in ranks))
    most = judges**2 * (things**3 - things) - judges * ties
    if most <= 0:
        return float("nan"), float("nan")
    w = float(12 * spread / most)
    return w, float(chi2.sf(judges * (things - 1) * w, things - 1))
