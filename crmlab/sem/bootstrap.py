"""The nonparametric bootstrap over respondents, batched: resample counts → moments → one computation for all resamples.

References
----------
Efron, B. (1987). Better bootstrap confidence intervals. Journal of the American Statistical Association 82, 171–185.
Efron, B. & Tibshirani, R. J. (1993). An introduction to the bootstrap. Chapman & Hall.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .errors import SemError
from .moments import Array, Moments, SampleMoments, draw_counts
from .pls_algorithm import Keys
from .threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

INTERVALS = ("percentile", "bca")
KNOWN_DRAWS = 0.95  # share of the resamples that must give a statistic, for it to have an interval
_BATCH = 256
_BATCH_BYTES = 64_000_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Resamples:
    """A batch of b resamples handed to an estimator: counts (b, n) of each row, and their moments."""

    counts: Array
    moments: Moments

    def take(self, rows: NDArray[np.bool_]) -> Resamples:
        """Some of the resamples."""
        return self if rows.all() else Resamples(self.counts[rows], self.moments.take(rows))


@dataclass(frozen=True)
class Estimates:
    """What an estimator gives for a batch of resamples.

    Attributes
    ----------
    values : dict of str to array (used, ·)
        Of the resamples that can be used.
    not_converged : int
        Resamples left out because they did not converge or cannot be estimated (an item without variance).
    inadmissible : int
        Resamples among those used whose estimate no population can have.
    sign_changes : array (k,) of int
        How often each construct's own orientation differed from the sample's and was turned round.
    """

    values: dict[str, Array]
    not_converged: int
    inadmissible: int
    sign_changes: NDArray[np.intp]


Estimator = Callable[[Resamples], Estimates]


def batches(sample: SampleMoments, n_resamples: int, seed: int) -> Iterator[Resamples]:
    """Resamples of a sample in batches of bounded memory; the same seed draws the same resamples."""
    rng = np.random.default_rng(seed)
    size = int(np.clip(_BATCH_BYTES // (8 * sample.n), 8, _BATCH))
    for start in range(0, n_resamples, size):
        counts = draw_counts(rng, min(size, n_resamples - start), sample.n)
        yield Resamples(counts, sample.resampled(counts))


def leave_one_out_batches(sample: SampleMoments) -> Iterator[Resamples]:
    """The n samples that lack one row each."""
    size = int(np.clip(_BATCH_BYTES // (8 * sample.n), 8, _BATCH))
    for start in range(0, sample.n, size):
        rows = slice(start, min(start + size, sample.n))
        counts = np.ones((rows.stop - rows.start, sample.n))
        counts[np.arange(len(counts)), np.arange(rows.start, rows.stop)] = 0
        yield Resamples(counts, sample.leave_one_out(rows))


def run(
    sample: SampleMoments,
    estimator: Estimator,
    estimates: dict[str, Array],
    keys: Keys,
    constructs: tuple[str, ...],
    *,
    n_resamples: int,
    seed: int,
    progress: Progress | None = None,
) -> Bootstrap:
    """Estimate every resample and gather the draws.

    Parameters
    ----------
    sample : SampleMoments
    estimator : callable
        Maps `Resamples` to `Estimates`.
    estimates : dict of str to array (1, ·)
        The values of the sample itself.
    keys : mapping of statistic to the key of each of its entries
    constructs : sequence of str
    n_resamples : int, at least 2
    seed : int
    progress : callable, optional
        Called as progress(done, total) after each batch.
    """
    if seed < 0:
        raise SemError(f"seed must be 0 or more, found {seed}")
    if n_resamples < 2:
        raise SemError(
            f"a bootstrap needs at least 2 resamples, found {n_resamples}; 1000 or more give a steady interval"
        )
    results, done = [], 0
    with one_thread():
        for batch in batches(sample, n_resamples, seed):
            results.append(estimator(batch))
            done += len(batch.counts)
            if progress is not None:
                progress(done, n_resamples)
    draws = _gathered(results)
    not_converged, inadmissible = sum(r.not_converged for r in results), sum(r.inadmissible for r in results)
    used = n_resamples - not_converged
    if used < 2:
        raise SemError(
            f"only {used} of {n_resamples} resamples gave an estimate; the sample is too small "
            "or the model does not fit it, and no interval can be stated"
        )
    changes = np.sum([r.sign_changes for r in results], axis=0)
    return Bootstrap(
        draws=draws,
        estimates={name: value[0] for name, value in estimates.items()},
        keys=keys,
        n_requested=n_resamples,
        not_converged=not_converged,
        inadmissible=inadmissible,
        sign_changes=dict(zip(constructs, changes.tolist(), strict=True)),
        seed=seed,
        jackknife=lambda: _gathered([estimator(batch) for batch in leave_one_out_batches(sample)]),
    )


def _gathered(results: list[Estimates]) -> dict[str, Array]:
    return {name: np.concatenate([r.values[name] for r in results]) for name in results[0].values}


@dataclass(frozen=True)
class Bootstrap:
    """Draws of every statistic, their intervals, and what went wrong on the way.

    Attributes
    ----------
    draws : dict of str to array (n_used, ·)
        Names and entries as in `keys`.
    estimates : dict of str to array
        The sample's own values.
    keys : mapping of str to list of tuples
        What each entry speaks of.
    n_requested, not_converged, inadmissible : int
        Resamples asked for; left out because they did not converge or an item was constant; used although no
        population can have their corrected correlations (consistent PLS): an interval over the possible ones alone
        would look calm where the estimator is not.
    sign_changes : dict of str to int
        In how many of the resamples used each construct came out reversed and was turned round.
    seed : int
    """

    draws: dict[str, Array]
    estimates: dict[str, Array]
    keys: Keys
    n_requested: int
    not_converged: int
    inadmissible: int
    sign_changes: dict[str, int]
    seed: int
    jackknife: Callable[[], dict[str, Array]]

    @property
    def n_used(self) -> int:
        """Resamples behind the intervals."""
        return self.n_requested - self.not_converged

    def interval(self, name: str, kind: str = "percentile", level: float = 0.95) -> tuple[Array, Array]:
        """Lower and upper ends for every entry of a statistic.

        Parameters
        ----------
        name : str
            A statistic, one of `keys`.
        kind : {"percentile", "bca"}
            BCa (Efron 1987) corrects for bias and skewness with a jackknife over respondents.
        level : float in (0, 1)
        """
        if name not in self.draws:
            raise SemError(f"no statistic named {name!r}; there are {', '.join(self.draws)}")
        if kind not in INTERVALS:
            raise SemError(f"interval {kind!r} is unknown; choose one of {', '.join(INTERVALS)}")
        if not 0 < level < 1:
            raise SemError(f"level must lie between 0 and 1, found {level}")
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        draws = self.draws[name]
        if kind == "percentile":
            lower, upper = _quantiles(draws, np.broadcast_to(tails[:, None], (2, draws.shape[1])))
            return lower, upper
        lower, upper = _quantiles(draws, _bca_shares(draws, self.estimates[name], self._left_out[name], tails))
        return lower, upper

    @cached_property
    def _left_out(self) -> dict[str, Array]:
        return self.jackknife()

    def table(self, name: str, interval: str = "percentile", level: float = 0.95) -> pd.DataFrame:
        """Estimate, bias, standard error and interval of a statistic.

        Returns
        -------
        DataFrame with the keys of each entry (from, to; construct, item; …) and
            estimate, bias (mean draw − estimate), se, ci_lower, ci_upper.
        """
        import pandas as pd

        lower, upper = self.interval(name, interval, level)
        draws, estimate = self.draws[name], self.estimates[name]
        table = pd.DataFrame(list(self.keys[name]), columns=list(key_names(name)))
        mean, se = _mean_and_sd(draws)
        return table.assign(estimate=estimate, bias=mean - estimate, se=se, ci_lower=lower, ci_upper=upper)


def key_names(statistic: str) -> tuple[str, ...]:
    """Column names of the keys of a statistic."""
    if statistic in ("paths", "vif", "direct", "indirect", "total"):
        return ("from", "to")
    if statistic in ("weights", "loadings", "item_vif"):
        return ("construct", "item")
    if statistic == "cross_loadings":
        return ("item", "construct")
    if statistic in ("correlations", "htmt"):
        return ("construct", "other")
    return ("construct",)


def _mean_and_sd(draws: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each column over its known draws; nan where `_quantiles` gives nan."""
    known = np.isfinite(draws)
    size = np.where(known.sum(axis=0) >= max(2.0, KNOWN_DRAWS * len(draws)), known.sum(axis=0), np.nan)
    mean = np.where(known, draws, 0.0).sum(axis=0) / size
    return mean, np.sqrt((np.where(known, draws - mean, 0.0) ** 2).sum(axis=0) / (size - 1))


def _quantiles(draws: Array, shares: Array) -> tuple[Array, Array]:
    """Quantiles of each column of draws (n, m) at its own two shares (2, m).

    A statistic that some resamples cannot give (omega in a Heywood case) is summarised over the others as long as they
    are nearly all (`KNOWN_DRAWS`); otherwise its interval is nan.
    """
    ordered = np.sort(draws, axis=0)  # nan last
    known = np.isfinite(ordered).sum(axis=0)
    position = shares * (known - 1)
    lower = np.clip(np.floor(position), 0, None).astype(int)
    upper = np.minimum(lower + 1, np.maximum(known - 1, 0))
    column = np.arange(draws.shape[1])
    low, high = ordered[lower, column], ordered[upper, column]
    ends = low + (position - lower) * (high - low)
    return tuple(np.where(known >= KNOWN_DRAWS * len(draws), ends, np.nan))


def _bca_shares(draws: Array, estimate: Array, left_out: Array, tails: Array) -> Array:
    """Bias-corrected and accelerated shares (2, m) (Efron & Tibshirani 1993, eqs. 14.10, 14.14, 14.15)."""
    from scipy.special import ndtr, ndtri

    size = np.maximum(np.isfinite(draws).sum(axis=0), 1)
    below = (np.sum(draws < estimate, axis=0) + np.sum(draws == estimate, axis=0) / 2) / size
    z0 = ndtri(np.clip(below, 1 / (2 * size), 1 - 1 / (2 * size)))
    known = np.isfinite(left_out)
    mean = np.where(known, left_out, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    d = np.where(known, mean - left_out, 0.0)
    spread = np.sum(d**2, axis=0) ** 1.5
    acceleration = np.divide(np.sum(d**3, axis=0), 6 * spread, out=np.zeros_like(spread), where=spread > 0)
    z = z0 + ndtri(tails)[:, None]
    return ndtr(z0 + z / (1 - acceleration * z))
