"""Groups of customers found in the data, what each is like, and whether they would be found again (chapter 4, D8).

k-means on standardised columns. Their number maximises the mean silhouette (Rousseeuw 1987). Any algorithm finds
clusters in anything; so each cluster is looked for again in resampled customers, and its mean Jaccard similarity to the
nearest cluster there is its stability (Hennig 2007): below 0.6 it should not be given a name, above 0.75 it may.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError

from .told import Array, whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Starts of each k-means, and customers among whom silhouettes are measured.
_STARTS, _SAMPLE = 8, 2000
STABLE, DOUBTFUL = 0.75, 0.6


@dataclass(frozen=True)
class Clusters:
    """Customers in clusters.

    Attributes
    ----------
    labels : Series "cluster", 1 … k, the largest first
    centres : DataFrame, index cluster, columns the measures, in their own units (means)
    criterion : DataFrame, index clusters (k): silhouette, within (sum of squares as a share of the total)
    profile : DataFrame, index cluster
        customers, share, the mean of every numeric column, and for others of at most 20 values the share of each value,
        as "column: value".
    stability : DataFrame, index cluster: jaccard, verdict ("stable", "doubtful", "dissolved")
    adjusted_rand : float
        Mean agreement of the clusterings of resampled customers with this one; 0 by chance, 1 the same.
    columns : tuple of str
    problems : list of str
    """

    labels: pd.Series
    centres: pd.DataFrame
    criterion: pd.DataFrame
    profile: pd.DataFrame
    stability: pd.DataFrame
    adjusted_rand: float
    columns: tuple[str, ...]
    problems: list[str]

    def plot(self, language: str = "en") -> Axes:
        """Draw how far each cluster's means lie from those of all customers."""
        from crmlab.plots.value import cluster_profile

        share = self.profile["share"]
        mean = self.centres.mul(share, axis=0).sum()
        return cluster_profile(self.centres / mean, share, language=language)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            "clusters": len(self.centres),
            "silhouette": {str(k): float(value) for k, value in self.criterion["silhouette"].items()},
            "shares": {str(k): float(value) for k, value in self.profile["share"].items()},
            "jaccard": {str(k): float(value) for k, value in self.stability["jaccard"].items()},
            "adjusted_rand": self.adjusted_rand,
            "problems": list(self.problems),
        }


def clusters(
    customers: pd.DataFrame,
    columns: Sequence[str],
    *,
    k: int | Sequence[int] = (2, 3, 4, 5, 6),
    log: Sequence[str] = (),
    resamples: int = 50,
    seed: int = 0,
) -> Clusters:
    """Cluster customers by some columns and describe the clusters by all.

    Parameters
    ----------
    customers : DataFrame, one row a customer
        Other columns, such as region or age group, only describe.
    columns : names of numeric columns
        What the clusters are made of.
    k : int or several
        Number of clusters; of several, the one with the largest mean silhouette.
    log : some of the columns
        Taken as ln(1 + x), for counts and money with few very large values.
    resamples : int
        Bootstrap samples for the stability.
    seed : int

    Returns
    -------
    Clusters

    Raises
    ------
    InputError
        Columns that are missing, hold gaps or text, or do not vary; more clusters than different customers.

    References
    ----------
    Hennig, C. (2007). Cluster-wise assessment of cluster stability. Computational Statistics & Data Analysis, 52(1),
    258–271. Hubert, L., & Arabie, P. (1985). Comparing partitions. Journal of Classification, 2, 193–218.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> shop = pd.DataFrame({"orders": np.r_[rng.normal(2, 0.3, 60), rng.normal(9, 0.3, 30)],
    ...                      "spend": np.r_[rng.normal(20, 3, 60), rng.normal(80, 3, 30)]})
    >>> found = clusters(shop, ["orders", "spend"], resamples=10)
    >>> found.profile["customers"].tolist(), round(found.adjusted_rand, 2)
    ([60, 30], 1.0)
    """
    import pandas as pd

    columns = [columns] if isinstance(columns, str) else list(columns)
    points = _standardised(customers, columns, [log] if isinstance(log, str) else list(log))
    numbers_of = list(k) if isinstance(k, Iterable) else [k]
    if not numbers_of:
        raise InputError("clusters: no number of clusters is given; expected k such as 4 or [3, 4, 5].")
    distinct = len(np.unique(points, axis=0))
    for one in numbers_of:
        if whole(one, "k", 2) >= distinct:
            raise InputError(
                f"clusters: k is {one}, but there are only {distinct} different customers. Use fewer clusters."
            )
    whole(resamples, "resamples", 2)
    rng = np.random.default_rng(seed)
    sample = rng.choice(len(points), _SAMPLE, replace=False) if len(points) > _SAMPLE else np.arange(len(points))
    found = {one: _k_means(points, one, rng) for one in numbers_of}
    criterion = pd.DataFrame(
        {
            "silhouette": {one: silhouette(points[sample], label[sample]) for one, label in found.items()},
            "within": {one: _within(points, label) / (points**2).sum() for one, label in found.items()},
        }
    ).rename_axis("clusters")
    best = max(found, key=lambda one: criterion["silhouette"].loc[one])
    code = _largest_first(found[best])
    jaccard, rand = _stability(points, code, best, resamples, rng)
    index = pd.RangeIndex(1, best + 1, name="cluster")
    labels = pd.Series(code + 1, index=customers.index, name="cluster")
    verdict = np.select([jaccard >= STABLE, jaccard >= DOUBTFUL], ["stable", "doubtful"], "dissolved")
    stability = pd.DataFrame({"jaccard": jaccard, "verdict": verdict}, index=index)
    centres = customers[list(columns)].groupby(labels).mean().rename_axis("cluster")
    return Clusters(
        labels,
        centres,
        criterion,
        _profile(customers, labels),
        stability,
        rand,
        tuple(columns),
        _about(criterion, stability, best),
    )


def _standardised(customers: pd.DataFrame, columns: list[str], log: list[str]) -> Array:
    missing = [column for column in [*columns, *log] if column not in customers.columns]
    if missing or not columns:
        raise InputError(
            f"clusters: the table has no column {', '.join(map(repr, missing)) or '(none was named)'}; it has "
            f"{', '.join(map(str, customers.columns))}."
        )
    idle = [column for column in log if column not in columns]
    if idle:
        raise InputError(
            f"clusters: log names {', '.join(map(repr, idle))}, of which no clusters are made; expected some of "
            f"{', '.join(columns)}."
        )
    data = {}
    for column in columns:
        try:
            values = customers[column].to_numpy(dtype=float)
        except (TypeError, ValueError):
            raise InputError(
                f"clusters: column {column!r} is text; expected numbers. It can describe clusters, not make them."
            ) from None
        if not np.isfinite(values).all():
            row = customers.index[int(np.flatnonzero(~np.isfinite(values))[0])]
            raise InputError(
                f"clusters: column {column!r} has {int((~np.isfinite(values)).sum())} missing values (first: row "
                f"{row!r}). Fill them in or leave the rows out."
            )
        if column in log:
            if values.min() <= -1:
                raise InputError(
                    f"clusters: column {column!r} has values down to {values.min():g}; ln(1 + x) needs more than "
                    "−1. Leave it out of log."
                )
            values = np.log1p(values)
        if np.ptp(values) < 1e-12 * max(1.0, np.abs(values).max()):
            raise InputError(f"clusters: column {column!r} is the same for all customers. Leave it out.")
        data[column] = (values - values.mean()) / values.std()
    return np.column_stack(list(data.values()))


def _k_means(points: Array, k: int, rng: np.random.Generator) -> Array:
    """The best of several starts, by the sum of squares within clusters."""
    from scipy.cluster.vq import ClusterError, kmeans2

    best, lowest, formed = None, np.inf, 0
    for _ in range(5 * _STARTS):
        if formed == _STARTS:
            break
        try:
            _, label = kmeans2(points, k, iter=50, minit="++", missing="raise", rng=rng)
        except ClusterError:  # a cluster ran empty: begin again elsewhere
            continue
        within = _within(points, label)
        if within < lowest - 1e-9:
            best, lowest = label, within
        formed += 1
    if best is None:
        raise InputError(f"clusters: {k} clusters cannot be formed, some stay empty. Use a smaller k.")
    return best


def _within(points: Array, label: Array) -> float:
    sizes = np.bincount(label)
    sums = np.stack([np.bincount(label, weights=column, minlength=len(sizes)) for column in points.T], axis=1)
    return float((points**2).sum() - (sums**2 / np.maximum(sizes, 1)[:, None]).sum())


def silhouette(points: Array, label: Array) -> float:
    """Mean silhouette: (b − a)/max(a, b), a the mean distance to the own cluster, b to the nearest other one.

    Examples
    --------
    >>> round(silhouette(np.array([[0.0], [1.0], [10.0], [11.0]]), np.array([0, 0, 1, 1])), 3)
    0.9
    """
    from scipy.spatial.distance import cdist

    codes, own = np.unique(label, return_inverse=True)
    sizes = np.bincount(own)
    member = np.zeros((len(points), len(codes)))
    member[np.arange(len(points)), own] = 1
    sums = cdist(points, points) @ member
    rows = np.arange(len(points))
    inside = sums[rows, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[rows, own] = np.inf
    outside = means.min(axis=1)
    width = np.where(sizes[own] > 1, (outside - inside) / np.maximum(np.maximum(outside, inside), 1e-300), 0.0)
    return float(width.mean())


def _largest_first(label: Array) -> Array:
    order = np.argsort(-np.bincount(label), kind="stable")
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    return place[label]


def _stability(points: Array, label: Array, k: int, resamples: int, rng: np.random.Generator) -> tuple[Array, float]:
    """Mean over resamples of each cluster's best Jaccard similarity, and of the adjusted Rand index."""
    jaccard, rand = np.zeros(k), 0.0
    for _ in range(resamples):
        drawn = np.unique(rng.integers(0, len(points), len(points)))
        again = _k_means(points[drawn], k, rng)
        table = np.zeros((k, k))
        np.add.at(table, (label[drawn], again), 1)
        union = table.sum(1)[:, None] + table.sum(0)[None, :] - table
        jaccard += (table / np.maximum(union, 1)).max(axis=1)
        rand += _adjusted_rand(table)
    return jaccard / resamples, rand / resamples


def adjusted_rand(first: Any, second: Any) -> float:
    """Agreement of two groupings of the same customers beyond chance (Hubert & Arabie 1985).

    Examples
    --------
    >>> adjusted_rand([1, 1, 2, 2], ["b", "b", "a", "a"])
    1.0
    """
    _, rows = np.unique(np.asarray(first), return_inverse=True)
    _, columns = np.unique(np.asarray(second), return_inverse=True)
    if len(rows) != len(columns):
        raise InputError(
            f"adjusted_rand: {len(rows)} and {len(columns)} labels; expected one of each for every customer."
        )
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), 1)
    return _adjusted_rand(table)


def _adjusted_rand(table: Array) -> float:
    def pairs(n: Array) -> float:
        return float((n * (n - 1) / 2).sum())

    both, rows, columns, every = pairs(table), pairs(table.sum(1)), pairs(table.sum(0)), pairs(np.array([table.sum()]))
    chance, most = rows * columns / every, (rows + columns) / 2
    return 1.0 if most == chance else (both - chance) / (most - chance)


def _profile(customers: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    import pandas as pd

    found = labels.groupby(labels).size().to_frame("customers")
    found["share"] = found["customers"] / len(labels)
    parts = [found]
    for column in customers.columns:
        values = customers[column]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            parts.append(values.groupby(labels).mean().to_frame())
        elif values.nunique() <= 20:
            parts.append(pd.crosstab(labels, values, normalize="index").add_prefix(f"{column}: "))
    return pd.concat(parts, axis=1).rename_axis("cluster")


def _about(criterion: pd.DataFrame, stability: pd.DataFrame, k: int) -> list[str]:
    told = []
    width = float(criterion["silhouette"].loc[k])
    if width < 0.25:
        told.append(
            f"The mean silhouette is {width:.2f}: there is hardly any structure, the clusters cut a cloud into pieces."
        )
    if len(criterion) > 1 and k == criterion.index.max():
        told.append(f"The largest number of clusters tried, {k}, has the best silhouette. Try more.")
    for cluster, jaccard, verdict in stability[stability["verdict"] != "stable"].itertuples():
        told.append(
            f"Cluster {cluster} is {verdict}: in resampled customers its nearest likeness shares {100 * jaccard:.0f} % "
            f"with it (Jaccard); {100 * STABLE:.0f} % or more is stable. Do not build a strategy on it."
        )
    return told
