"""One PLS fit and a bootstrap with all outputs on the mobile-phone survey, beside seminr, in one run.

Run `python benchmarks/bench_pls.py [resamples]` (default 5000; seminr needs one to two minutes). Both programs estimate
the same seven-construct model with the path scheme and give draws of paths, loadings, weights, HTMT and total effects;
crmlab's draws also hold cross-loadings, R², indirect effects, VIF and six reliability measures. The last row leaves
those six and the items' VIF out.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import seminr

from crmlab import Questionnaire, datasets, sem

SEMINR_DRAWS = ("paths", "loadings", "weights", "htmt", "total")
BLOCKS = {
    "Image": ("IMAG", 5),
    "Expectation": ("CUEX", 3),
    "Quality": ("PERQ", 7),
    "Value": ("PERV", 2),
    "Satisfaction": ("CUSA", 3),
    "Loyalty": ("CUSL", 3),
}


def seminr_model() -> tuple[object, object]:
    """The ECSI model in seminr's words."""
    blocks = [seminr.composite(name, seminr.multi_items(stem, range(1, k + 1))) for name, (stem, k) in BLOCKS.items()]
    blocks.append(seminr.composite("Complaints", seminr.single_item("CUSCO")))
    structure = seminr.relationships(
        seminr.paths(["Image"], ["Expectation", "Satisfaction", "Loyalty"]),
        seminr.paths(["Expectation"], ["Quality", "Value", "Satisfaction"]),
        seminr.paths(["Quality"], ["Value", "Satisfaction"]),
        seminr.paths(["Value"], ["Satisfaction"]),
        seminr.paths(["Satisfaction"], ["Complaints", "Loyalty"]),
        seminr.paths(["Complaints"], ["Loyalty"]),
    )
    return seminr.constructs(*blocks), structure


def median_seconds(task: Callable[[], object], repeats: int) -> float:
    """Median wall time of a task after one warm-up."""
    task()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return sorted(times)[repeats // 2]


def main(resamples: int) -> None:
    mobi = datasets.load_mobi()
    model = Questionnaire.shipped("ecsi").model()
    measurement, structure = seminr_model()
    theirs = seminr.estimate_pls(mobi, measurement, structure)
    ours = sem.pls(model, mobi)

    fit_ours = median_seconds(lambda: sem.pls(model, mobi).values, 51)
    fit_theirs = median_seconds(lambda: seminr.estimate_pls(mobi, measurement, structure), 51)
    boot_ours = median_seconds(lambda: ours.bootstrap(resamples, seed=1), 5)
    boot_same = median_seconds(lambda: ours.bootstrap(resamples, seed=1, statistics=SEMINR_DRAWS), 5)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    start = time.perf_counter()
    seminr.bootstrap_model(theirs, resamples, seed=1)
    boot_theirs = time.perf_counter() - start

    print(f"{'task':<30}{'crmlab':>12}{'seminr':>12}{'seminr / crmlab':>18}")
    for task, seconds, other in (
        ("one fit, all outputs", fit_ours, fit_theirs),
        (f"{resamples} bootstraps, all outputs", boot_ours, boot_theirs),
        (f"{resamples} bootstraps, seminr's", boot_same, boot_theirs),
    ):
        print(f"{task:<30}{seconds:>10.4f} s{other:>10.4f} s{other / seconds:>18.1f}")
    print(f"peak memory of this process before seminr's bootstrap: {peak:.2f} GiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
