"""A million respondents and thirty items: read, recoded and checked, beside plain pandas, and the memory it takes.

Each job runs in an interpreter of its own that has imported everything first and says how far the peak of its resident
memory (VmHWM of /proc/self/status; ru_maxrss elsewhere) rises above where it stood then. Rounds are interleaved, so
that a busy machine slows every job alike. The answers are the same: the mean of every item is compared.

    python benchmarks/bench_responses.py [ROWS] [ROUNDS]
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

ITEMS = 30

QUESTIONNAIRE = """
crmlab_questionnaire: 1
name: million
title: {en: A million, zh: 百万}
index: A
scale: {min: 1, max: 10}
id: respondent
groups: {region: {en: Region, zh: 地区}}
constructs:
""" + "".join(
    f"  {name}:\n    label: {{en: {name}, zh: {name}}}\n"
    f"    facets:\n      - label: {{en: {name}, zh: {name}}}\n        items:\n"
    + "".join(
        f"          q{i}: {{en: Statement {i}, zh: 题目 {i}{', reverse: true' if i % 15 == 0 else ''}}}\n"
        for i in range(first, first + 15)
    )
    for name, first in (("A", 1), ("B", 16))
)

# What each job does between the two readings of the memory; it leaves the means of the items.
JOBS = {
    "pandas read_csv + map": """
frame = pd.read_csv(path)
places = {point: point for point in range(1, 11)}
turned = {point: 11 - point for point in range(1, 11)}
for place in range(1, 31):
    frame[f"q{place}"] = frame[f"q{place}"].map(turned if place % 15 == 0 else places)
means = frame[[f"q{place}" for place in range(1, 31)]].mean().tolist()
""",
    "crmlab read_responses": """
responses = read_responses(path, questionnaire)
means = responses.summary()["mean"].tolist()
""",
    "crmlab read + quality": """
responses = read_responses(path, questionnaire)
checked = responses.quality()
means = responses.summary()["mean"].tolist()
""",
}

PROGRAM = """
import json, resource, sys, time
import numpy as np
import pandas as pd
from crmlab import Questionnaire, read_responses
from crmlab.responses import quality
from scipy.special import chdtrc

def peak():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

path, small, design = sys.argv[1:4]
questionnaire = Questionnaire.read(design)
read_responses(small, questionnaire).quality()  # what libraries load at first use is no part of the job
pd.read_csv(small)
before, start = peak(), time.perf_counter()
{job}
print(json.dumps({{"seconds": time.perf_counter() - start, "bytes": peak() - before, "means": means}}))
"""


def write_survey(path: Path, rows: int, seed: int = 0) -> Path:
    """Answers on ten points with 2 % missing, an id and four regions."""
    rng = np.random.default_rng(seed)
    answers = np.rint(rng.normal(7, 1.6, (rows, 1)) + rng.normal(0, 1.4, (rows, ITEMS))).clip(1, 10)
    frame = pd.DataFrame(answers.astype(np.int8), columns=[f"q{i}" for i in range(1, ITEMS + 1)]).astype("Int8")
    frame = frame.mask(rng.random((rows, ITEMS)) < 0.02)
    frame.insert(0, "respondent", np.arange(1, rows + 1))
    frame.insert(1, "region", rng.choice(["North", "South", "East", "West"], rows))
    frame.to_csv(path, index=False)
    return path


def run(job: str, *arguments: Path) -> dict:
    program = PROGRAM.format(job=JOBS[job])
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def measure(rows: int, rounds: int) -> tuple[dict[str, list[dict]], int]:
    """What every job reports in every round, and the size of the file in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        path, small = write_survey(place / "survey.csv", rows), write_survey(place / "small.csv", 100)
        design = place / "design.yaml"
        design.write_text(QUESTIONNAIRE, encoding="utf-8")
        reports: dict[str, list[dict]] = {job: [] for job in JOBS}
        for _ in range(rounds):
            for job in JOBS:
                reports[job].append(run(job, path, small, design))
        return reports, path.stat().st_size


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    reports, size = measure(rows, rounds)
    means = [report["means"] for each in reports.values() for report in each]
    np.testing.assert_allclose(means, [means[0]] * len(means), rtol=1e-12)
    plain = median(report["seconds"] for report in reports["pandas read_csv + map"])
    print(f"{rows:,} rows × {ITEMS} items, {size / 1e6:.1f} MB of CSV, median of {rounds} rounds")
    print(f"{'job':<24} {'seconds':>8} {'rows/s':>10} {'× pandas':>9} {'peak MB':>8} {'× file':>7}")
    for job, each in reports.items():
        seconds, peak = median(report["seconds"] for report in each), max(report["bytes"] for report in each)
        rate, ratio = rows / seconds, seconds / plain
        print(f"{job:<24} {seconds:8.2f} {rate:10,.0f} {ratio:9.2f} {peak / 1e6:8.0f} {peak / size:7.2f}")


if __name__ == "__main__":
    main()
