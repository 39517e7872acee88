"""What chapter 8 must have found: published weights, and what holds whatever its parameters."""

import pytest

GRID = [
    {"seed": 1, "points": 5, "language": "zh"},
    {"seed": 2, "points": 7, "missing": 0.05},
    {"seed": 3, "points": 10, "missing": 0.05, "language": "zh"},
]

# Saaty (1980): seven drinks, principal eigenvector; λ and the consistency ratio with the random index of 1980.
DRINKS = {"coffee": 0.177, "wine": 0.019, "tea": 0.042, "beer": 0.116, "soda": 0.190, "milk": 0.129, "water": 0.327}
LAMBDA = 7.1766
CONSISTENCY_RATIO = 0.022


def as_published(found):
    """The committed chapter's numbers."""
    assert found["drinks"] == pytest.approx(DRINKS, abs=5e-4)
    assert found["lambda"] == pytest.approx(LAMBDA, abs=5e-5)
    assert found["consistency_ratio"] == pytest.approx(CONSISTENCY_RATIO, abs=5e-4)


def holds(found, parameters):
    """What must be true whatever the parameters."""
    as_published(found)
    assert found["direct"] == pytest.approx({"quality": 1 / 2, "price": 1 / 3, "service": 1 / 6}, abs=1e-6)
    # By hand: points 2 2 1, 1 0 2, 0 1 0 of the three judges, and one more for each, of 6.
    assert found["forced"] == pytest.approx({"quality": 8 / 18, "price": 6 / 18, "service": 4 / 18}, abs=1e-6)
    for table in ("moved_by_origin", "origin"):
        assert found[table]["entropy"] > 1e-3, table
        assert found[table]["variation"] > 1e-3, table
        assert found[table]["CRITIC"] == pytest.approx(0, abs=1e-9), table
        assert found[table]["PCA"] == pytest.approx(0, abs=1e-9), table
    assert found["origin"]["entropy"] > 3, "per cent of a weight: several"
    assert found["entropy_below"] > 0
    assert list(found["level_sums"].values()) == pytest.approx([1, 1, 1, 1], abs=1e-6)
    # The text says "within a point", "within a few", and who wins.
    assert found["directors_apart"] < 1
    assert found["directors_apart"] < found["spread"] < 6
    assert found["winner"] == {"purchasing": "Harbour", "service": "Market"}
    assert found["last"] == {"purchasing": 3, "service": 3}
    assert found["station_last"] > 0.95
    assert found["constant_item"] == 0
