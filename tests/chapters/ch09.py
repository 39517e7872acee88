"""What chapter 9 must have found: published numbers, and what holds whatever its parameters."""

import json
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[1] / "reference"
#: lavaan 0.6-14, sem() on the same survey, complaints as one item.
BY_LAVAAN = REFERENCE / "cbsem/mobi_ml.json"

GRID = [
    {"seed": 1, "bootstrap": 100, "respondents": 400, "language": "zh"},
    {"seed": 2, "bootstrap": 100, "respondents": 1500},
]

# Partial least squares on the survey of Tenenhaus et al. (2005), path weighting: SmartPLS 2.0.M3, as kept in the tests
# of the R package semPLS; the index was computed with an independent program.
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
INDEX = 72.454
EQUAL_WEIGHTS = 71.970


def as_published(found):
    """The committed chapter's numbers; recorded with six significant digits."""
    holds(found, {})
    # Holm doubles the second smallest of three p-values.
    assert 0.05 < found["pairs"]["Riverside – Station"] < 0.10, "significant before the correction, not after"
    assert found["moved"]["others"]["change"] < 0, "it even looks like a fall"
    assert found["covered"] == {"pls": 6, "cbsem": 8}
    off = {name: abs(ways["PerceivedQuality → Satisfaction"] - 0.45) for name, ways in found["two_methods"].items()}
    assert off["cbsem"] > off["pls"], "the estimate of CB-SEM is further off"
    missing = found["missing"]
    assert missing["listwise"] - missing["complete"] == pytest.approx(14, abs=0.5), "fourteen points"
    assert found["unbroken"] == pytest.approx(600 / 4, abs=10), "three respondents in four have a gap"
    # Two samples of n show a fall of two points with power 0.8 if 2 = (1.960 + 0.842) √2 s/√n; 1.96 √2 s/√250 is known.
    assert 250 * (found["change_margin"] * 2.802 / 1.96 / 2) ** 2 == pytest.approx(800, rel=0.05)


def holds(found, parameters):
    """What must be true whatever the parameters."""
    assert found["paths"] == pytest.approx(PUBLISHED_PATHS, abs=1e-6)
    assert found["index"] == pytest.approx(INDEX, abs=1e-3)
    assert found["equal_weights"] == pytest.approx(EQUAL_WEIGHTS, abs=1e-3)
    refused_as_lavaan_has_it(found["refused"], found["semopy"])
    two_methods(found, parameters.get("respondents", 600))
    answers_as_they_are(found)
    assert found["spread"] == pytest.approx(2.01, abs=0.01), "entropy to PLS weights: two points"
    assert found["invariance"][:3] == ["fits", "holds", "holds"], "configural, metric, scalar"
    assert found["pairs"]["Old Town – Station"] < 0.05
    assert found["moved"]["same people"]["se"] < 0.5 * found["moved"]["others"]["se"]
    # 1.96 √2 s/√250 with the standard deviation 13.93 of the respondents' equally weighted indices, within 15 %.
    assert found["change_margin"] == pytest.approx(2.45, rel=0.15)
    by_way = found["mediation"]
    # 0.55674896 · (0.51202394 + 0.55830438 · 0.19476510) + 0.04998839 · 0.19476510, of the published paths.
    assert by_way["indirect"] == pytest.approx(0.355344, abs=1e-5)
    assert by_way["direct"] == pytest.approx(PUBLISHED_PATHS["Expectation → Satisfaction"], abs=1e-6)
    assert by_way["indirect_ci_lower"] > 0


def refused_as_lavaan_has_it(refused, semopy):
    """χ², CFI and RMSEA are lavaan's; semopy's baseline is impossible, so that its CFI is 1."""
    known = json.loads(BY_LAVAAN.read_text("utf-8"))["fit"]
    assert refused["admissible"] is False
    for name in ("chisq", "df", "cfi", "tli", "rmsea"):
        assert refused[name] == pytest.approx(known[name], rel=5e-6), name
    assert semopy["gap"] is True
    assert semopy["chisq"] == pytest.approx(known["chisq"], rel=5e-6)
    assert semopy["cfi"] == 1


def two_methods(found, respondents):
    """CB-SEM finds the true path 0.5 from satisfaction to complaints, PLS the attenuated one; four sampling errors."""
    # √(0.879 · 0.788), reliabilities of a score with weights proportional to the loadings (Dijkstra & Henseler 2015).
    assert found["attenuated"] == pytest.approx(0.41617, abs=1e-5)
    path = "Satisfaction → Complaints"
    assert found["two_methods"]["cbsem"][path] == pytest.approx(0.5, abs=4 / respondents**0.5)
    assert found["two_methods"]["pls"][path] == pytest.approx(found["attenuated"], abs=4 / respondents**0.5)
    assert found["apart"] < 2, "index points between the two methods"
    assert found["reduced"]["Satisfaction ~ Quality"] > found["reduced"]["Satisfaction ~ Value"] > 0


def answers_as_they_are(found):
    """ML loses loadings of coarse answers, WLSMV does not; listwise loses unhappy people, FIML does not."""
    ordinal = found["ordinal"]
    loading = {name: values["mean loading"] for name, values in ordinal.items()}
    assert loading["ML"] < loading["truth"] - 0.02
    assert loading["WLSMV"] == pytest.approx(loading["truth"], abs=0.02)
    missing = found["missing"]
    assert missing["fiml"] == pytest.approx(missing["complete"], abs=1)
    assert missing["listwise"] > missing["complete"] + 8
