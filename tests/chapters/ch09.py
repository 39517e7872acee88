"""What chapter 9 must have found: published numbers, and what holds whatever its parameters."""

import json
from pathlib import Path

import pytest

#: lavaan 0.6-14, sem() on the same survey, complaints as one item.
BY_LAVAAN = Path(__file__).parents[1] / "reference/cbsem/mobi_ml.json"

GRID = [
    {"seed": 1, "bootstrap": 200, "respondents": 300},
    {"seed": 2, "bootstrap": 200, "respondents": 2000, "scheme": "centroid"},
]

# Partial least squares on the survey of Tenenhaus et al. (2005), path weighting: SmartPLS 2.0.M3, as kept in the tests
# of the R package semPLS; the indices were computed with an independent program.
PUBLISHED_PATHS = {
    "Image → Expectation": 0.50491393,
    "Expectation → Quality": 0.55674896,
    "Expectation → Value": 0.04998839,
    "Quality → Value": 0.55830438,
    "Image → Satisfaction": 0.17873950,
    "Expectation → Satisfaction": 0.06252287,
    "Quality → Satisfaction": 0.51202394,
    "Value → Satisfaction": 0.19476510,
    "Satisfaction → Complaints": 0.52806625,
    "Image → Loyalty": 0.19575534,
    "Satisfaction → Loyalty": 0.48547762,
    "Complaints → Loyalty": 0.06692607,
}
INDEX = {"path": 72.454, "centroid": 72.54}
EQUAL_WEIGHTS = 71.970


def as_published(found):
    """The committed chapter's numbers; recorded with six significant digits."""
    assert found["paths"] == pytest.approx(PUBLISHED_PATHS, abs=1e-6)
    assert found["index"] == pytest.approx(INDEX["path"], abs=1e-3)
    assert found["equal_weights"] == pytest.approx(EQUAL_WEIGHTS, abs=1e-3)
    known = json.loads(BY_LAVAAN.read_text("utf-8"))["fit"]
    expected = {name: known[name.replace("_", ".")] for name in found["maximum_likelihood"]}
    assert found["maximum_likelihood"] == pytest.approx(expected, rel=5e-6)
    # semopy 2.3.11: the same discrepancy, an impossible baseline, and AIC = 2 (59 parameters − χ²/n).
    assert found["semopy"]["chisq"] == pytest.approx(known["chisq"], rel=5e-6)
    assert found["semopy"]["cfi"] == 1
    assert found["semopy"]["aic"] == pytest.approx(2 * (59 - known["chisq"] / 250), rel=5e-6)


def holds(found, parameters):
    """What must be true whatever the parameters."""
    lower, upper = found["ci"]
    assert lower < found["index"] < upper
    assert found["index"] == pytest.approx(INDEX[parameters.get("scheme", "path")], abs=6e-3)
    assert found["equal_weights"] == pytest.approx(EQUAL_WEIGHTS, abs=1e-3), "no parameter reaches it"
    # √2 times half the interval, as far as 200 resamples tell.
    assert found["change_margin"] == pytest.approx(2**0.5 * (upper - lower) / 2, rel=0.2)
    respondents = parameters.get("respondents", 1000)
    four = 4 / respondents**0.5  # sampling errors of a correlation; a path of 0.5 has a smaller one
    confusion = found["confusion"]
    assert confusion["composite truth, plain PLS"] == pytest.approx(0.5, abs=four)
    assert confusion["factor truth, plain PLS"] == pytest.approx(found["attenuated"], abs=four)
    assert confusion["factor truth, consistent PLS"] == pytest.approx(0.5, abs=four)
    # √(0.879 · 0.788), reliabilities of a score with weights proportional to the loadings (Dijkstra & Henseler 2015).
    assert found["attenuated"] == pytest.approx(0.41617, abs=1e-5)
    assert confusion["composite truth, consistent PLS"] > confusion["composite truth, plain PLS"], (
        "it corrects an error that is not there"
    )
    assert found["covered"] >= 6, "of nine 95 % intervals"
    assert found["semopy"]["equal"] == 53, "22 variances and 16 loadings of items, 6 variances of constructs, 9 paths"
    assert sorted(found["coarse"].values(), reverse=True) == list(found["coarse"].values()), (
        "fewer points, less closely"
    )
