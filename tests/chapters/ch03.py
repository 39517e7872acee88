"""What chapter 3 must have found: counts of CDNOW, the rubric's contradiction, published estimates, an honest test."""

import pytest

GRID = [
    {"sample": True, "bins": 4},
    {"bins": 7, "split": "1997-12-31"},
]

#: Customers and orders: Fader & Hardie (2001) and the data card of CDNOW.
COUNTS = {False: (23_570, 69_659), True: (2_357, 6_919)}
#: Fader, Hardie & Lee (2005), table 2: the sample, calibrated on the first 39 weeks.
PUBLISHED_PARAMS = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
#: Estimates on all customers with lifetimes 0.11.3, BetaGeoFitter().fit, same weeks.
ALL_CUSTOMERS = {"r": 0.2516, "alpha": 4.789, "a": 0.7234, "b": 2.1611}


def as_published(found):
    """The committed chapter's numbers; recorded with six significant digits."""
    assert (found["customers"], found["orders"]) == COUNTS[False]
    assert found["params"] == pytest.approx(ALL_CUSTOMERS, rel=2e-3)
    assert found["once"] == pytest.approx(11_908 / 23_570, abs=1e-6)


def holds(found, parameters):
    """What must be true whatever the parameters."""
    assert (found["customers"], found["orders"]) == COUNTS[parameters.get("sample", False)]
    assert set(found["contradictions"]) == {"R2F2M2"}
    assert found["updated"] is True
    assert sum(found["segments"].values()) == pytest.approx(1, abs=1e-4)
    assert 0.45 < found["once"] < 0.55, "the prose says about half"
    if parameters.get("sample") and "split" not in parameters:
        assert found["params"] == pytest.approx(PUBLISHED_PARAMS, abs=1e-3)
    gains = found["gain_10"]
    assert all(gain > 0.3 for gain in gains.values()), "far above a list drawn by lot"
    assert gains["RFM score"] == pytest.approx(gains["BG/NBD"], abs=0.1), "about as well as the model"
    assert found["cheat"]["cheat"] > gains["frequency"], "who knows the future predicts it better"
    assert found["top_20"] > 0.5
