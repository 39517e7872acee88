"""Covariance-based estimation beside lavaan and semopy: seconds of each task, in one run.

Run `python benchmarks/bench_sem.py [task …]` (all tasks: five minutes on two cores with lavaan, under one without; set
OPENBLAS_NUM_THREADS=1 for figures that repeat). Tasks whose name begins with one of the words given are run. Every
time is the median of several in a warm process and holds the reading of model and table, the estimates with their
errors, and the test with the baseline's. A dash means that the program is absent, or has no such task. Surveys are
simulated from the course's model (22 items, 10 points, 5 for WLSMV); FIML and polychoric correlations take the
mobile-phone survey (250 × 24). lavaan's bootstrap is timed on 20 resamples and multiplied.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab import Questionnaire, datasets, sem
from crmlab.sem.errors import SemError
from crmlab.sem.polychoric import polychoric

LIMIT_SECONDS = 900  # for all of lavaan's tasks
RESAMPLES = 500

R_DRIVER = """
suppressPackageStartupMessages(library(lavaan))
folder <- commandArgs(TRUE)[1]
tasks <- read.csv(file.path(folder, "tasks.csv"), stringsAsFactors = FALSE)
for (k in seq_len(nrow(tasks))) {
  data <- read.csv(file.path(folder, paste0(k, ".csv")))
  model <- readChar(file.path(folder, paste0(k, ".txt")), 1e6)
  run <- parse(text = tasks$call[k])
  spent <- sapply(seq_len(tasks$repeats[k]), function(i) {
    system.time(suppressWarnings(eval(run)), gcFirst = FALSE)[["elapsed"]]
  })
  cat(tasks$task[k], median(spent) * tasks$times[k], sep = "\\t")
  cat("\\n")
}
"""


@dataclass(frozen=True)
class Task:
    """One row of the table.

    Attributes
    ----------
    name : str
    model : str
    data : DataFrame
    ours : callable
        What crmlab does.
    lavaan : str
        An R expression of `model` and `data`.
    semopy : callable or None
    repeats, lavaan_repeats : int
    lavaan_times : int
        How many times the R expression makes the task.
    """

    name: str
    model: str
    data: pd.DataFrame
    ours: Callable[[], object]
    lavaan: str
    semopy: Callable[[], object] | None = None
    repeats: int = 9
    lavaan_repeats: int = 3
    lavaan_times: int = 1


def tasks() -> list[Task]:
    model, mobile = Questionnaire.shipped("course_csi").model().text, Questionnaire.shipped("ecsi").model().text
    surveys = {n: survey(n, 10) for n in (250, 1_000, 10_000)}
    mobi = datasets.load_mobi()
    incomplete = mobi.mask(np.random.default_rng(20050101).random(mobi.shape) < 0.05)
    ordinal, middle = survey(1_000, 5), surveys[1_000]
    ml = 'f <- sem(model, data, estimator = "ML"); parameterEstimates(f)'
    found = [
        Task(f"ML, n = {n:,}", model, data, fitted(model, data), ml, second_opinion(model, data))
        for n, data in surveys.items()
    ]
    found += [
        Task("MLR, n = 1,000", model, middle, fitted(model, middle, estimator="MLR"), ml.replace('"ML"', '"MLR"')),
        Task(
            "WLSMV, n = 1,000, 5 points",
            model,
            ordinal,
            fitted(model, ordinal, estimator="WLSMV", ordered=list(ordinal)),
            'f <- sem(model, data, estimator = "WLSMV", ordered = names(data)); parameterEstimates(f)',
            repeats=3,
            lavaan_repeats=1,
        ),
        Task(
            "FIML, mobi, 5 % missing",
            mobile,
            incomplete,
            fitted(mobile, incomplete, missing="fiml"),
            'f <- sem(model, data, missing = "fiml"); parameterEstimates(f)',
            repeats=5,
            lavaan_repeats=1,
        ),
        Task(
            "polychoric, mobi, 24 items",
            mobile,
            mobi,
            lambda: polychoric(mobi),
            "lavCor(data, ordered = names(data))",
            repeats=5,
            lavaan_repeats=1,
        ),
        Task(
            f"{RESAMPLES} ML bootstraps, n = 250",
            model,
            surveys[250],
            fitted(model, surveys[250], se="bootstrap", bootstrap=RESAMPLES),
            "bootstrapLavaan(sem(model, data), R = 20)",
            repeats=1,
            lavaan_repeats=1,
            lavaan_times=RESAMPLES // 20,
        ),
    ]
    return found


def survey(n: int, points: int) -> pd.DataFrame:
    """Items of a simulated survey."""
    items = list(Questionnaire.shipped("course_csi").items.index)
    return datasets.simulate_survey(n, seed=1, points=points, measurement="factor").data[items]


def fitted(model: str, data: pd.DataFrame, **options: object) -> Callable[[], object]:
    """A fit with its errors and tests."""

    def run() -> object:
        result = sem.fit(model, data, **options)  # type: ignore[arg-type]
        return result.estimates, result.test, result.baseline

    return run


def second_opinion(model: str, data: pd.DataFrame) -> Callable[[], object]:
    """semopy's fit with errors and statistics."""

    def run() -> object:
        import semopy

        result = semopy.Model(model)
        result.fit(data)
        return result.inspect(), semopy.calc_stats(result)

    return run


def seconds(run: Callable[[], object], repeats: int) -> float:
    """Median wall time, after one run to warm up where there are several."""
    if repeats > 1:
        run()
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        spent.append(time.perf_counter() - start)
    return float(np.median(spent))


def of_lavaan(chosen: list[Task]) -> dict[str, float]:
    """Seconds of each task in lavaan, all in one R process; those that R could not finish in time are absent."""
    program = shutil.which("Rscript")
    if program is None:
        return {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = {
            "task": [task.name for task in chosen],
            "call": [task.lavaan for task in chosen],
            "repeats": [task.lavaan_repeats for task in chosen],
            "times": [task.lavaan_times for task in chosen],
        }
        pd.DataFrame(table).to_csv(folder / "tasks.csv", index=False)
        for k, task in enumerate(chosen, start=1):
            task.data.to_csv(folder / f"{k}.csv", index=False)
            (folder / f"{k}.txt").write_text(task.model, encoding="utf-8")
        (folder / "driver.R").write_text(R_DRIVER, encoding="utf-8")
        command = [program, str(folder / "driver.R"), str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS)
            printed, trouble = done.stdout, done.stderr if done.returncode else ""
        except subprocess.TimeoutExpired as late:
            printed = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
            trouble = f"stopped after {LIMIT_SECONDS} s"
        if trouble:
            print(f"lavaan did not finish: {trouble.strip()}", file=sys.stderr)
        return {task: float(spent) for task, spent in (line.split("\t") for line in printed.splitlines())}


def main(words: list[str]) -> None:
    chosen = [task for task in tasks() if not words or task.name.lower().startswith(tuple(w.lower() for w in words))]
    theirs = of_lavaan(chosen)
    print(f"{'task':<28}{'crmlab':>10}{'lavaan':>10}{'ratio':>8}{'semopy':>10}{'ratio':>8}")
    for task in chosen:
        try:
            ours = seconds(task.ours, task.repeats)
        except (SemError, TypeError) as missing:
            print(f"{task.name:<28}  not supported: {missing}")
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            semopy = seconds(task.semopy, 3) if task.semopy else None
        print(f"{task.name:<28}{ours:>9.4f}s{beside(ours, theirs.get(task.name))}{beside(ours, semopy)}", flush=True)


def beside(ours: float, theirs: float | None) -> str:
    """The other program's seconds and our share of them."""
    return f"{'–':>10}{'–':>8}" if theirs is None else f"{theirs:>9.3f}s{ours / theirs:>8.3f}"


if __name__ == "__main__":
    main(sys.argv[1:])
