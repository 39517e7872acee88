"""What chapter 5 must have found: rules proved by hand, and what holds whatever its parameters."""

import pytest

GRID = [
    {"seed": 1, "prospects": 2000, "language": "zh"},
    {"seed": 2, "prospects": 3000, "noise": 0.2, "quantile": 0.7},
    {"seed": 3, "prospects": 4000, "noise": 0.05, "quantile": 0.9},
]


def as_published(found):
    """The committed chapter's numbers."""
    # Course row B6: conditions 0, 1 or 2; signals in the bands 0-2, 3-4, 5: nine combinations; seven rows, two are one.
    assert found["combinations"] == 9
    assert (found["rules"], found["simplified"]) == (7, 6)
    assert all(found["complete"].values())
    assert {name: n for name, n in found["mergeable"].items() if n} == {"property_buyers": 1}
    # Rules 1 and 2 meet at one month, rules 3 and 4 between 180 days and 6 months.
    assert found["memory"] == 2
    # Fader & Hardie: CDNOW has 23,570 customers.
    assert found["customers"] == 23_570


def holds(found, parameters):
    """What must be true whatever the parameters."""
    as_published(found)
    assert 2.4 < found["lift"]["A"] < 3.8, "the text says: about three times"
    assert list(found["bought"].values()) == sorted(found["bought"].values(), reverse=True)
    assert found["bought"] == pytest.approx(found["truth"], abs=0.1)
    assert found["truth"]["A"] < 0.85, "far from all A customers buy"
    assert found["kappa_plain"] < found["kappa"] < 1
    assert found["far"] < 0.8
    assert found["lead"] == {"none": ["hot", "none"], "worst": ["hot", "warm"], "reweight": ["hot", "hot"]}
    assert list(found["later"].values()) == sorted(found["later"].values(), reverse=True)
    assert found["steps"] == ["better", "better"]
    assert found["invested"] == pytest.approx(10_000, abs=1e-3)
    down, up = list(found["days_moved"].values())[:2], list(found["days_moved"].values())[2:]
    assert down == [0, 0]
    assert up[0] == up[1] > 0.05
    assert found["spent_moved"] < up[0]
    assert found["best_share"] < 0.03
