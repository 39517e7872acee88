"""What chapter 11 must have found: a plan within its limits that beats the naive ones in truth, and says its limits."""

import math

import pytest

GRID = [
    {"seed": 4, "customers": 700, "budget": 1500.0, "draws": 60, "language": "zh"},
    {"budget": 0.0, "customers": 300, "draws": 20},
]


def as_published(found):
    """The committed chapter: sentences of its text that hold for this company and need not hold for every one."""
    real = found["real"]
    assert real["linked plan"] > 0 > max(real["top 20 % by value"], real["at risk only"], real["random"])
    assert real["linked plan"] < found["gain"], "it brings less than promised"
    assert found["beaten"]["top 20 % by value"] > 0.95
    assert found["low"] < 0 < found["gain"], "surer that it is better than that it pays"
    assert found["beaten"]["do nothing"] < found["beaten"]["top 20 % by value"]
    assert found["persuadable"]["linked plan"] > found["persuadable"]["all customers"]
    assert found["persuadable"]["linked plan"] > 0.5, "mostly persuadables"
    assert found["dogs"]["top 20 % by value"] > 0.25 > found["dogs"]["linked plan"], "more than every fourth"
    assert 0 < found["r_squared"]["satisfaction"] < 1 / 7
    assert found["counts"]["linked"] < found["counts"]["customers"] / 2, "fewer than half answered"
    assert found["touched"]["top 20 % by value"] < 0.2 * found["counts"]["customers"] / 2, "not half of them"
    alone = found["counts"]["customers"] - found["treated"]
    assert alone > found["counts"]["customers"] / 2, "more than half get nothing"
    assert found["negative"] > 0.9 * alone, "only a few because the money ran out"
    assert found["by_level"]["financial"] == found["treated"], "all of it goes to the cheapest level"
    assert abs(found["halved"][0]) < 0.05 * found["gain"], "near to earning nothing"
    # One in five of the treated are left alone, 24 % of variance: 1.96 √(0.24/73 + 0.24/294).
    left = found["treated"] / 5
    assert 1.96 * math.sqrt(0.24 / left + 0.24 / (4 * left)) == pytest.approx(0.12, abs=0.01), "a dozen points"
    seen = found["seen"]
    assert all(abs(said - lost) < 0.07 for said, lost in zip(seen["said"], seen["lost"], strict=True)), (
        "290 customers a fifth"
    )


def holds(found, parameters):
    """What must be true whatever the parameters."""
    counts, budget = found["counts"], parameters.get("budget", 4000.0)
    assert counts["customers"] == parameters.get("customers", 1500)
    assert counts["linked"] + counts["without_survey"] == counts["customers"]
    assert counts["linked"] + counts["without_orders"] == counts["respondents"]
    assert sum(found["quadrants"].values()) == counts["customers"]
    assert found["cost"] <= budget
    assert sum(found["by_level"].values()) == found["treated"]
    assert found["treated"] + found["negative"] <= counts["customers"]
    assert 0 <= found["gap"] < 0.01
    assert found["price"] >= 0
    assert found["promised"]["greedy"] <= found["promised"]["linked plan"] * (1 + 1e-4)
    assert found["promised"]["linked plan"] == pytest.approx(found["gain"])
    assert found["real"]["linked plan"] <= found["real"]["one who knows everything"]
    assert found["felt"]["answered"] > found["felt"]["did not answer"]
    assert found["accuracy"]["brier"] < found["accuracy"]["brier_constant"]
    if budget == 0:
        nothing_without_money(found)
        return
    assert found["real"]["linked plan"] > max(found["real"][name] for name in ("top 20 % by value", "random"))
    assert found["halved"][0] < found["halved"][1] < found["halved"][2]


def nothing_without_money(found):
    """Nobody is treated, so that no plan brings or promises anything, whatever the effects."""
    assert found["treated"] == found["gain"] == found["real"]["linked plan"] == 0
    assert set(found["halved"]) == {0}
    assert found["dogs"]["linked plan"] == found["persuadable"]["linked plan"] == 0
