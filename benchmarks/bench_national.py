"""A national index: the ECSI model in hundreds of companies with bootstrap intervals, wall time and peak memory.

Run `python benchmarks/bench_national.py [companies] [respondents] [resamples] [backend] [workers]` (default 400
companies × 250 respondents × 500 resamples, threads on all cores; aims: under 60 s on two cores, under 2 GiB). The
companies are drawn with replacement from the mobile-phone survey; in ten of them one answer in twenty is missing.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import pandas as pd
from joblib.externals.loky import get_reusable_executor

from crmlab import Questionnaire, csi, datasets, read_responses


def national_survey(companies: int, respondents: int) -> tuple[Questionnaire, pd.DataFrame]:
    """A questionnaire that names companies, and the answers of all of them in random order."""
    text = Questionnaire.shipped("ecsi").text + "\ngroups:\n  company: {en: Company, zh: 公司}\n"
    rng = np.random.default_rng(0)
    mobi = datasets.load_mobi()
    table = mobi.iloc[rng.integers(len(mobi), size=companies * respondents)].reset_index(drop=True).astype(float)
    missing = rng.random(table.shape) < 0.05
    missing[10 * respondents :] = False
    names = np.repeat([f"C{number:04d}" for number in range(companies)], respondents)
    table = table.mask(missing).assign(company=names)
    return Questionnaire.from_text(text), table.iloc[rng.permutation(len(table))]


def show(done: int, total: int) -> None:
    print(f"\r{done} of {total} companies", end="" if done < total else "\n", file=sys.stderr, flush=True)


def peak_gib(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024**2


def main(companies: int, respondents: int, resamples: int, backend: str, workers: int | None) -> None:
    questionnaire, table = national_survey(companies, respondents)
    start = time.perf_counter()
    responses = read_responses(table, questionnaire)
    read = time.perf_counter()
    national = csi.estimate_many(
        questionnaire, responses, by="company", bootstrap=resamples, backend=backend, workers=workers, progress=show
    )
    done = time.perf_counter()
    task = f"{companies} companies × {respondents} respondents × {resamples} resamples"
    print(f"{task}, {backend} on {workers or 'all'} cores")
    print(
        f"reading {read - start:.1f} s, estimates {done - read:.1f} s ({(done - read) / companies * 1000:.0f} ms each)"
    )
    get_reusable_executor().shutdown(wait=True)  # a process counts once it has ended
    children = peak_gib(resource.RUSAGE_CHILDREN)
    print(f"peak memory {peak_gib(resource.RUSAGE_SELF):.2f} GiB, largest other process {children:.2f} GiB")
    print(f"{int(national.groups['estimated'].sum())} companies estimated, {len(national.problems)} problems told")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:4]]
    companies, respondents, resamples = [*numbers, *(400, 250, 500)[len(numbers) :]]
    main(
        companies,
        respondents,
        resamples,
        backend=sys.argv[4] if len(sys.argv) > 4 else "threads",
        workers=int(sys.argv[5]) if len(sys.argv) > 5 else None,
    )
