"""BG/NBD on CDNOW and on simulated customers, beside lifetimes, in one run.

Run `python benchmarks/bench_value.py [customers]` (default 1,000,000). Both programs fit the 2,357 customers of CDNOW,
then crmlab fits samples of growing size, whose time should follow the number of distinct histories, not of customers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import lifetimes
import numpy as np

from crmlab import Transactions, datasets, value


def median_seconds(task: Callable[[], object], repeats: int) -> float:
    """Median wall time of a task after one warm-up."""
    task()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return sorted(times)[repeats // 2]


def histories(customers: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frequency, recency and T in weeks, drawn in days from BG/NBD with the parameters of CDNOW."""
    rng = np.random.default_rng(seed)
    observed = rng.integers(27 * 7, 39 * 7, customers)
    rate, leaving = rng.gamma(0.243, 1 / 4.414, customers) / 7, rng.beta(0.793, 2.426, customers)
    x, last, now = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    here = np.arange(customers)
    while len(here):
        now[here] += np.ceil(rng.exponential(1, len(here)) / rate[here])
        here = here[now[here] <= observed[here]]
        x[here] += 1
        last[here] = now[here]
        here = here[rng.random(len(here)) >= leaving[here]]
    return x, last / 7, observed / 7


def main(most: int) -> None:
    orders = Transactions(datasets.load_cdnow(sample=True))
    summary = value.purchase_summary(orders, end="1997-09-30")
    history = tuple(summary[name].to_numpy(dtype=float) for name in ("frequency", "recency", "T"))
    ours = median_seconds(lambda: value.bg_nbd(*history), 15)
    theirs = median_seconds(lambda: lifetimes.BetaGeoFitter().fit(*history), 15)
    fit = value.bg_nbd(*history)
    reference = lifetimes.BetaGeoFitter().fit(*history).params_
    print(f"{'task':<44}{'crmlab':>12}{'lifetimes':>12}{'ratio':>8}")
    print(f"{'BG/NBD, CDNOW, 2,357 customers':<44}{ours:>10.3f} s{theirs:>10.3f} s{theirs / ours:>8.1f}")
    boot = median_seconds(lambda: fit.bootstrap(100, seed=1), 3)
    print(
        f"{'100 bootstraps of it (lifetimes: 100 fits)':<44}"
        f"{boot:>10.3f} s{100 * theirs:>10.3f} s{100 * theirs / boot:>8.1f}"
    )
    pareto = median_seconds(lambda: value.pareto_nbd(*history), 3)
    other = median_seconds(lambda: lifetimes.ParetoNBDFitter().fit(*history), 1)
    print(f"{'Pareto/NBD, CDNOW':<44}{pareto:>10.3f} s{other:>10.3f} s{other / pareto:>8.1f}")
    print(f"largest difference of BG/NBD parameters: {np.abs(fit.params / reference - 1).max():.1e}\n")
    print(f"{'customers':>10}{'histories':>11}{'seconds':>9}{'µs per history':>16}")
    size = most // 100
    while size <= most:
        own = histories(size, seed=1)
        seconds = median_seconds(lambda own=own: value.bg_nbd(*own), 1)
        distinct = len(value.bg_nbd(*own).patterns.counts)
        print(f"{size:>10,}{distinct:>11,}{seconds:>9.2f}{1e6 * seconds / distinct:>16.1f}")
        size *= 10


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
