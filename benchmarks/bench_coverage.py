"""Do 95 % bootstrap intervals hold the truth 95 % of the time? Simulated surveys whose population is known.

Run `python benchmarks/bench_coverage.py [surveys]` (default 500 surveys of 500 respondents, 1000 resamples each; about
six minutes on two cores). Each row draws surveys from one kind of population and estimates them in one way. The two
matching rows should print a coverage near 0.95; the rows that confuse the two kinds show what that costs, and the rows
with five-point answers what cutting answers costs.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pandas as pd

from crmlab import Questionnaire, csi, datasets


@dataclass(frozen=True)
class Design:
    """One row of the benchmark: what the population is, and how it is estimated."""

    name: str
    measurement: str
    consistent: bool
    points: int | None = None


DESIGNS = (
    Design("composite truth, plain PLS", "composite", consistent=False),
    Design("factor truth, consistent PLS", "factor", consistent=True),
    Design("factor truth, plain PLS (confused)", "factor", consistent=False),
    Design("composite truth, consistent PLS (confused)", "composite", consistent=True),
    Design("composite truth on 5 points, plain PLS", "composite", consistent=False, points=5),
    Design("factor truth on 5 points, consistent PLS", "factor", consistent=True, points=5),
)


def one_survey(seed: int, design: Design, n: int, resamples: int) -> pd.DataFrame:
    """Every true path and index of one simulated survey with its estimate and whether the interval holds it."""
    survey = datasets.simulate_survey(n, seed=seed, points=design.points, measurement=design.measurement)
    questionnaire = _questionnaire(design.points)
    fit = csi.estimate(questionnaire, survey.data, consistent=design.consistent, bootstrap=resamples, seed=seed)
    paths = fit.paths.merge(survey.truth.paths, on=["from", "to"])
    paths = paths.assign(parameter=paths["from"] + " → " + paths["to"], truth=paths["path"], kind="path")
    index = fit.index.rename(columns={"index": "estimate"}).assign(truth=survey.truth.index, kind="index")
    index = index.reset_index().rename(columns={"construct": "parameter"})
    table = pd.concat([paths, index], ignore_index=True)[
        ["kind", "parameter", "truth", "estimate", "ci_lower", "ci_upper"]
    ]
    return table.assign(holds=table["truth"].between(table["ci_lower"], table["ci_upper"]))


@cache
def _questionnaire(points: int | None) -> Questionnaire:
    """The course's questionnaire, its ten points replaced by those of the design."""
    text = Questionnaire.shipped("course_csi").text
    if points is not None:
        text = text.replace("max: 10", f"max: {points}").replace("    10: {", f"    {points}: {{")
    return Questionnaire.from_text(text)


def coverage(design: Design, surveys: int = 500, n: int = 500, resamples: int = 1000, workers: int = 1) -> pd.DataFrame:
    """Mean estimate and coverage of every parameter over many surveys.

    Returns
    -------
    DataFrame, index (kind, parameter): truth, mean_estimate, coverage.
    """
    task = partial(one_survey, design=design, n=n, resamples=resamples)
    if workers == 1:
        tables = [task(seed) for seed in range(surveys)]
    else:
        with ProcessPoolExecutor(workers) as pool:
            tables = list(pool.map(task, range(surveys), chunksize=5))
    gathered = pd.concat(tables).groupby(["kind", "parameter"], sort=False)
    return gathered.agg(truth=("truth", "first"), mean_estimate=("estimate", "mean"), coverage=("holds", "mean"))


def main(surveys: int) -> None:
    for design in DESIGNS:
        table = coverage(design, surveys, workers=os.cpu_count() or 1)
        error = np.sqrt(0.95 * 0.05 / surveys)
        print(f"\n{design.name}: {surveys} surveys of 500, 1000 resamples, coverage ± {error:.3f}")
        print(table.round(3).to_string())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
