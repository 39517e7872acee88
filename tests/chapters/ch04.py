"""What chapter 4 must have found: published values of customers, and what holds whatever its parameters."""

import pytest

GRID = [
    {"seed": 1, "customers": 2000, "discount": 0.05, "language": "zh"},
    {"seed": 2, "customers": 4000, "margin_rate": 0.2, "resamples": 60},
]

# Fader, Hardie & Lee (2005), table 2; Fader & Hardie (2013); 1.226 is the example of the 2005 paper.
BG_NBD = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
LOG_LIKELIHOOD, EXPECTED = -9582.43, 1.226
GAMMA_GAMMA, MEAN_SPEND = {"p": 6.25, "q": 3.74, "v": 15.44}, 35.17
# Fader & Hardie (2007), regular subscribers; Fader, Hardie & Lee (2005), table 2.
SBG, PARETO_LIKELIHOOD = {"alpha": 0.704, "beta": 1.182}, -9594.98
# Berger & Nasr (1998), case 1; Pfeifer & Carraway (2000).
BERGER, CHAIN = 568.78, [52.320, 5.554, 1.251, -1.820, 0]


def as_published(found):
    """The committed chapter's numbers."""
    assert found["bg_nbd"] == pytest.approx(BG_NBD, abs=5e-4)
    assert found["log_likelihood"] == pytest.approx(LOG_LIKELIHOOD, abs=5e-3)
    assert found["expected"] == pytest.approx(EXPECTED, abs=5e-4)
    assert found["gamma_gamma"] == pytest.approx(GAMMA_GAMMA, abs=5e-3)
    assert found["expected_spend"] == pytest.approx(MEAN_SPEND, abs=5e-3)
    assert found["sbg"] == pytest.approx(SBG, abs=5e-4)
    assert found["rival_log_likelihood"] == pytest.approx(PARETO_LIKELIHOOD, abs=5e-3)
    assert found["berger"] == pytest.approx(BERGER, abs=5e-3)
    assert found["chain"] == pytest.approx(CHAIN, abs=5e-4)


def holds(found, parameters):
    """What must be true whatever the parameters; most lines stand behind a sentence of the text."""
    as_published(found)
    assert found["berger"] - found["later"] == pytest.approx(260)
    assert found["tree"] == pytest.approx(found["markov"], rel=1e-5)
    assert found["swing"]["retention"] > found["swing"]["margin"] > 4 * found["swing"]["discount"]
    assert 0.6 < found["pareto_share"] < 0.72, "about two thirds"
    assert found["peak"] > 1
    assert found["losing"] > 0.15
    assert found["margins"] == pytest.approx({"music": 0.40, "films": 0.25, "devices": 0.08}, abs=1e-3)
    ratio = found["dwyer"]["always a share"] / found["dwyer"]["lost for good"]
    assert 1.8 < ratio < 2.2, "about a factor of two"
    assert found["difference"] > 0
    assert found["rates"] == sorted(found["rates"], reverse=True)
    # The formula of the chapter, written out: Wang's fair is certain, her service one chance in two.
    rate = 1 + parameters.get("discount", 0.12)
    wang = -600 / rate ** (119 / 365.25) + 0.5 * 100 / rate ** (272 / 365.25)
    assert found["npv"]["Wang"] == pytest.approx(wang, rel=1e-5)
    assert found["loss"]["Wang"] == 1
    assert found["loss"]["Zhao"] == 0
    anna, ben = found["alive"]
    assert anna > 0.5 > 0.1 > ben
    assert found["rival"][0] > 0.5 > 0.1 > found["rival"][1], "it says the same of both"
    first = 1 / (1 + SBG["beta"] / SBG["alpha"])  # chance to leave at the first renewal: the mean of the Beta
    rate = parameters.get("discount", 0.12)
    assert found["subscriber"]["the first rate"] == pytest.approx(100 * (1 - first) / (rate + first), rel=2e-3)
    assert found["subscriber"]["the rates of sBG"] > 1.5 * found["subscriber"]["the first rate"], "far more"
    assert -0.15 < found["holdout_error"] < 0, "somewhat short"
    for name, (_, lower, upper, truth) in found["recovered"].items():
        assert lower < truth < upper, name
    assert found["true"] == pytest.approx(found["said"], abs=0.09)
    assert 0.45 < found["best_tenth"] < 0.55, "half of all value"
    assert not found["stuck"]
    assert max(found["clusters"]) > 2 * min(found["clusters"]), "clusters foretell"
