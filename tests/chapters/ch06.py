"""What chapter 6 must have found: textbook sizes, and what holds on any scale, with gaps or not, in both languages."""

import math

import pytest

GRID = [
    {"points": 5, "missing": 0.0, "language": "zh"},
    {"points": 5, "missing": 0.08, "seed": 1},
    {"points": 7, "missing": 0.05, "language": "zh", "seed": 2},
    {"points": 7, "missing": 0.0, "seed": 3},
    {"points": 10, "missing": 0.0, "language": "zh", "seed": 4},
]

# Kock & Hadaya (2018), for a smallest path of .197.
PLS = {"inverse_square_root": 160, "gamma_exponential": 146}


def as_published(found):
    """1.96² · .25/.05² = 384.16 (Cochran 1977, section 4.4); the PLS minima of Kock & Hadaya (2018)."""
    assert found["sizes"]["share ± 5 points"] == 385
    assert found["pls"] == PLS


def holds(found, parameters):
    """What must be true whatever the parameters."""
    as_published(found)
    sizes = found["sizes"]
    assert 4 * (sizes["± 2"] - 1) - 4 < sizes["± 1"] <= 4 * sizes["± 2"], "half the margin, four times the people"
    margins = found["margins"]
    assert margins["index neyman"] <= margins["index proportional"] * 1.0005
    # By hand from shares .45, .35, .20 and sds 60, 110, 480: √(Σ W S²) against Σ W S, 400 people of 50,000.
    shares, sds = (0.45, 0.35, 0.20), (60, 110, 480)
    proportional = math.sqrt(sum(w * s**2 for w, s in zip(shares, sds, strict=True)))
    neyman = sum(w * s for w, s in zip(shares, sds, strict=True))
    assert margins["spend neyman"] / margins["spend proportional"] == pytest.approx(neyman / proportional, rel=0.02)
    power = found["weakest_power"]
    assert power["100"] < power["275"] < power["600"]
    assert power["275"] < 0.8 + 2 * math.sqrt(0.8 * 0.2 / 60), "not above the promise, as far as 60 surveys tell"
    assert power["600"] > 0.8
    # By hand: (800 + .05 · 5229 + 471)/400, (1500 + 3 · 1944 + 5 · 408)/400, (900 + .5 · 798 + 8 · 417)/400.
    assert found["cost_per_usable"] == pytest.approx([3.831125, 23.43, 11.5875], abs=1e-4)
    before, after = found["pilot"]
    assert before < -0.2
    assert after == pytest.approx(-before), "turning an item round turns its correlation round"
    name, items, read, kept = found["export"]
    assert (name, items) == ("wenjuanxing", 22)
    assert 280 <= kept < read == 306
    errors = {key: value - found["truth"] for key, value in found["estimates"].items()}
    claimed = found["claimed_margins"]
    for n in ("400", "2000", "10000"):
        assert abs(errors[f"random {n}"]) < 2 * claimed[f"random {n}"], "four standard errors"
        assert errors[f"poll {n}"] > 6, "bias does not shrink"
    assert abs(errors["poll 10000"]) > 20 * claimed["poll 10000"]
    assert abs(errors["random 400"]) < errors["poll 10000"]
