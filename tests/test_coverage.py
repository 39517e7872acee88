"""Bootstrap intervals hold the truth: a small edition of benchmarks/bench_coverage.py.

60 surveys of 500 respondents. Nine paths and six indices in each give 900 intervals; a nominal 95 % leaves about one
percentage point of sampling error, so the pooled coverage must lie between 92 and 98 %.
"""

import runpy
from pathlib import Path

import pytest

BENCH = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "bench_coverage.py"))


@pytest.fixture(scope="module")
def tables():
    return {design.name: BENCH["coverage"](design, surveys=60, resamples=300) for design in BENCH["DESIGNS"][:3]}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["composite truth, plain PLS", "factor truth, consistent PLS"])
@pytest.mark.parametrize("kind", ["path", "index"])
def test_intervals_hold_the_truth(tables, name, kind):
    assert 0.92 <= tables[name].loc[kind, "coverage"].mean() <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("name", ["composite truth, plain PLS", "factor truth, consistent PLS"])
def test_estimates_centre_on_the_truth(tables, name):
    """Mean of 60 estimates against the truth: within three standard errors of 0.05/√60, and a bias of 0.01."""
    paths = tables[name].loc["path"]
    assert (paths["mean_estimate"] - paths["truth"]).abs().max() < 0.03


@pytest.mark.slow
def test_plain_pls_attenuates_what_common_factors_cause(tables):
    confused = tables["factor truth, plain PLS (confused)"].loc["path"]
    strong = confused[confused["truth"] >= 0.5]
    assert (strong["mean_estimate"] < strong["truth"] - 0.05).all()
    assert (strong["coverage"] < 0.85).all()
