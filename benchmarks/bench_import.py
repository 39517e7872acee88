"""How long ``import`` takes in a fresh interpreter: crmlab beside pandas, semopy and seminr, in one run.

The rounds are interleaved, so that a busy machine slows every module alike, and the time of an interpreter
that imports nothing is taken off.

    python benchmarks/bench_import.py [ROUNDS]
"""

import subprocess
import sys
from statistics import median
from time import perf_counter

STATEMENTS = {
    "nothing": "pass",
    "crmlab": "import crmlab",
    "crmlab, first use": "import crmlab; crmlab.csi, crmlab.Questionnaire, crmlab.read_responses",
    "pandas": "import pandas",
    "semopy": "import semopy",
    "seminr": "import seminr",
}


def seconds(statement: str) -> float:
    """Wall time of a fresh interpreter that runs the statement."""
    start = perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", "-c", statement], check=True)
    return perf_counter() - start


def medians(rounds: int) -> dict[str, float]:
    """Median seconds of each statement, after one round that warms the file cache."""
    times: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for number in range(rounds + 1):
        for name, statement in STATEMENTS.items():
            elapsed = seconds(statement)
            if number:
                times[name].append(elapsed)
    return {name: median(values) for name, values in times.items()}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    result = medians(rounds)
    bare = result.pop("nothing")
    print(f"import time, median of {rounds} fresh interpreters; the bare interpreter takes {bare:.3f} s")
    for name, value in result.items():
        print(f"{name:<18} {value - bare:7.3f} s")


if __name__ == "__main__":
    main()
