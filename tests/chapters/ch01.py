"""What chapter 1 must have found: counts of CDNOW taken with pandas, and what holds whatever its parameters."""

from itertools import pairwise

import pytest

from crmlab.datasets import load_cdnow

GRID = [
    {"seed": 1, "customers": 200},
    {"seed": 2, "window": 4, "lapsed_after": 5, "margin_rate": 0.5},
]


def as_published(found):
    """The committed chapter: customers with a paid order and its funnel, counted by pandas from the published file."""
    data = load_cdnow()
    days = data[data["amount"] > 0].drop_duplicates(["customer_id", "date"]).groupby("customer_id").size()
    assert found["customers"] == len(days)
    reached = [int((days >= k).sum()) for k in range(1, 7)]
    assert found["conversion"] == pytest.approx([b / a for a, b in pairwise(reached)], abs=1e-6)


def holds(found, parameters):
    """What the chapter's sentences say, true of every run."""
    assert found["stable_at_end"] < 0.05, "far fewer than one in ten"
    assert found["amount"]["stability"] > 2 * found["amount"]["exploration"]
    assert found["amount"]["lapsed"] == 0
    assert 0 < found["ever_stable"] < 0.1, "only a handful of a hundred"
    assert 0.3 < found["kappa"] < 0.9, "much better than guessing, far from perfect"
    held, of = found["inside"]
    assert of == 11
    assert held >= 9, "of eleven 95 % intervals"
    assert found["forecast"]["actual"] > found["forecast"]["revenue"], "the forecast is too low"
    assert found["homogeneity"] < 0.001
    assert found["seasonal_stable"] < 0.1
    assert found["conversion"] == sorted(found["conversion"]), "each purchase makes the next one likelier"
    assert found["conversion"][0] == pytest.approx(0.5, abs=0.02)
