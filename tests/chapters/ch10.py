"""What chapter 10 must have found: formulas by hand, the simulated truth, and what holds whatever its parameters."""

import math

import numpy as np
import pytest

from crmlab.datasets import load_mobi

GRID = [
    {"seed": 1, "customers": 900, "language": "zh"},
    {"seed": 2, "hold": 20.0, "slope_share": 0.4},
    {"seed": 3, "customers": 1500, "hold": 35.0},
]


def as_published(found):
    """The committed chapter's numbers."""
    mobi = load_mobi()
    satisfied, stays = (mobi[[f"{name}{k}" for k in (1, 2, 3)]].mean(axis=1) for name in ("CUSA", "CUSL"))
    assert found["r_squared"] == pytest.approx(np.corrcoef(satisfied, stays)[0, 1] ** 2, rel=1e-5)
    assert found["mobi"]["aic"] == "linear"
    assert found["bent"]["cross-validation"] == "loess"
    assert sum(found["types"].values()) == pytest.approx(1, abs=1e-4)
    assert sum(found["kinds"].values()) == pytest.approx(1, abs=1e-4)
    patterns = list(found["patterns"].values())  # behaviour high, then intention, then affect, high before low
    assert found["attitude"]["spurious"] == pytest.approx(patterns[1] + patterns[3], abs=1e-5), "second and fourth bar"
    assert found["attitude"]["loyalty"] == pytest.approx(patterns[0] + patterns[2], abs=1e-5)
    assert found["ties"]["none"] < 0.5, "most of them are tied"


def holds(found, parameters):
    """What must be true whatever the parameters."""
    as_published(found)
    behaviour_intention, behaviour_affect, intention_affect = found["pearson"].values()
    assert intention_affect > 0.6 > 0.5 > max(behaviour_intention, behaviour_affect), (
        "behaviour follows neither closely"
    )
    share = parameters.get("slope_share", 0.5)
    # 2 artanh √(1 − q) = ln((1 + √(1 − q)) / (1 − √(1 − q)))
    root = math.sqrt(1 - share)
    reach = math.log((1 + root) / (1 - root)) / 1.6
    assert found["truth"] == pytest.approx(
        {"midpoint": 6.5, "steepness": 1.6, "threshold_lower": 6.5 - reach, "threshold_upper": 6.5 + reach}, rel=1e-4
    )
    assert found["away"] < 0.9, (
        "no estimate further from the truth than 3.5 standard errors, 0.9 widths of its interval"
    )
    assert found["best"]["aic"] == "sigmoid"
    assert abs(found["estimate"]["midpoint"] - 6.5) < 0.3
    assert found["blurred"] < 0.6 * found["estimate"]["steepness"]
    assert found["gain"] < 0, "the tied gain less"
    assert found["noise"] < 1, "a fraction of a point"
    assert 1.25 < found["lost"]["respondents_ratio"] < 1.6, "the text says: about 1.4 times"
    assert 0.12 < list(found["moved"].values())[3] < 0.3, "the text says: about one in five"
    assert found["value"] > 1
    assert min(found["gaps"], key=found["gaps"].get) == "image"
    assert abs(found["gaps"]["product"]) < 0.2, "hardly any gap"
    assert found["kappa"] > 0.75
    assert found["plain"] == "yes"
    assert found["honest"] == "no"
    assert found["paradox"] < 0
    assert found["change"]["never complained"] == pytest.approx(found["paradox"], abs=0.25)
    assert found["change"]["unrecovered"] > 1
    assert found["stake"] == pytest.approx(found["stake_truth"], abs=0.08)
