"""Grading millions of customers by a table of fifty rules, beside the same rules written by hand, in one run.

    python benchmarks/bench_grading.py [CUSTOMERS]     (default 5,000,000)

Two hands: np.select with one mask per rule, as most analysts write it, and the quickest we know, searchsorted into a
table of grades. The rounds are interleaved, so that a busy machine slows all alike; the ratio is of the medians. Aim:
at most 2 times either.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise, product
from statistics import median
from time import perf_counter

import numpy as np
import pandas as pd

from crmlab.grading import DecisionTable

KINDS = ["private", "business"]
MONTHS = [0, 1, 3, 6, 12, np.inf]
SPEND = [0, 100, 500, 2000, 5000, np.inf]
GRADES = ["A", "B", "C", "D", "E"]
ROUNDS = 5


def grade_of(kind: int, month: int, spend: int) -> str:
    """Any grades will do, so long as neighbours differ."""
    return GRADES[(2 * kind + month + 3 * spend) % 5]


def table() -> DecisionTable:
    """Two kinds, five spans of months, five spans of spend: fifty rules."""

    def span(ends: list[float], place: int) -> str:
        return f"[{ends[place]}, {ends[place + 1]})" if np.isfinite(ends[place + 1]) else f">= {ends[place]}"

    rules = [
        {"kind": KINDS[k], "months": span(MONTHS, m), "spend": span(SPEND, s), "grade": grade_of(k, m, s)}
        for k, m, s in product(range(2), range(5), range(5))
    ]
    number = {"type": "number", "domain": ">= 0"}
    return DecisionTable(rules, inputs={"kind": {"values": KINDS}, "months": number, "spend": number})


def customers(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(2026)
    kind = pd.Categorical.from_codes(rng.integers(0, 2, n), KINDS)
    return pd.DataFrame({"kind": kind, "months": rng.exponential(5, n), "spend": rng.lognormal(6, 1.5, n)})


def by_masks(frame: pd.DataFrame) -> pd.Series:
    """One mask per condition, np.select over the rules."""
    kinds = [(frame["kind"] == kind).to_numpy() for kind in KINDS]
    months, spend = (
        [(frame[name] >= low) & (frame[name] < high) for low, high in pairwise(ends)]
        for name, ends in (("months", MONTHS), ("spend", SPEND))
    )
    places = list(product(range(2), range(5), range(5)))
    masks = [kinds[k] & months[m].to_numpy() & spend[s].to_numpy() for k, m, s in places]
    codes = np.select(masks, [np.int8(GRADES.index(grade_of(*place))) for place in places], default=np.int8(-1))
    return pd.Series(pd.Categorical.from_codes(codes, GRADES), index=frame.index)


def by_lookup(frame: pd.DataFrame) -> pd.Series:
    """searchsorted per input, one look-up."""
    grades = np.array(
        [[[GRADES.index(grade_of(k, m, s)) for s in range(5)] for m in range(5)] for k in range(2)], np.int8
    )
    months = np.searchsorted(MONTHS[1:-1], frame["months"].to_numpy(), side="right")
    spend = np.searchsorted(SPEND[1:-1], frame["spend"].to_numpy(), side="right")
    codes = grades[frame["kind"].cat.codes.to_numpy(), months, spend]
    return pd.Series(pd.Categorical.from_codes(codes, GRADES), index=frame.index)


def main(n: int) -> None:
    frame, rules = customers(n), table()
    rules.check()
    ways: dict[str, Callable[[], pd.Series]] = {
        "crmlab": lambda: rules.grade(frame),
        "masks, np.select": lambda: by_masks(frame),
        "searchsorted, look-up": lambda: by_lookup(frame),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    found = {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = perf_counter()
            found[name] = way()
            times[name].append(perf_counter() - start)
    first = found["crmlab"].astype(str)
    assert all((first == other.astype(str)).all() for other in found.values()), "the three ways must grade alike"
    print(f"{n:,} customers, {len(rules.rules)} rules, median of {ROUNDS} rounds")
    ours = median(times["crmlab"])
    for name, seconds in times.items():
        print(f"{name:<22} {median(seconds):7.3f} s   crmlab takes {ours / median(seconds):.2f} times as long")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
