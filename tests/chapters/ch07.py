"""What chapter 7 must find: values of other programs, and what holds whatever its parameters."""

import pytest

GRID = [
    {"seed": 1, "points": 5, "missing": 0.05, "language": "zh", "bootstrap": 200},
    {"seed": 2, "points": 7, "missing": 0.1, "bootstrap": 200, "respondents": 800},
    {"seed": 3, "points": 7, "language": "zh", "bootstrap": 200},
    {"seed": 4, "points": 5, "bootstrap": 200, "respondents": 2000},
    {"seed": 5, "points": 10, "missing": 0.05, "bootstrap": 200, "language": "zh"},
]

# Raw alpha of the mobile-phone survey: psych 2.2.9, tests/reference/measurement_mobi.csv.
ALPHA = {
    "Image": 0.7144,
    "Expectation": 0.4326,
    "Quality": 0.8724,
    "Value": 0.8167,
    "Satisfaction": 0.7701,
    "Loyalty": 0.4417,
}
# Corrected item–total correlations: psych 2.2.9, tests/reference/likert/items.csv.
ITEM_TOTAL = {"CUSL1": 0.353192, "CUSL2": 0.081290, "CUSL3": 0.434312}
# Counted in the survey itself: 67, 176 and 226 of 250 (numpy on ceil(answer · boxes / 10)).
TOP2BOX = {"10": 67 / 250, "7": 176 / 250, "5": 226 / 250}
TRUE_WITHIN, TRUE_BETWEEN = 0.5625, 0.3


def as_published(found):
    """The committed chapter's numbers; recorded with six significant digits."""
    assert found["alpha"] == pytest.approx(ALPHA, abs=5e-5)
    assert found["loyalty_item_total"] == pytest.approx(ITEM_TOTAL, abs=1e-6)


def holds(found, parameters):
    """What must be true whatever the parameters."""
    n = parameters.get("respondents", 1000)
    assert found["top2box"] == pytest.approx(TOP2BOX, abs=1e-6), "no parameter reaches it"
    lower, upper = found["alpha_interval"]
    assert lower < found["alpha"]["Quality"] < upper
    assert found["suggested"] == ["PERQ3"]
    assert found["loyalty_item_total"]["CUSL2"] < 0.3
    four = 4 / (4 * n) ** 0.5
    for correlations in found["cut"].values():
        assert correlations["Pearson"] < correlations["polychoric"]
        assert correlations["polychoric"] == pytest.approx(TRUE_WITHIN, abs=2 * four)
    pearson = [found["cut"][boxes]["Pearson"] for boxes in ("10", "7", "5", "3")]
    assert pearson == sorted(pearson, reverse=True), "fewer boxes, smaller correlations"
    assert found["shares_missed"]["ordinal"] < 0.01 < found["shares_missed"]["linear"]
    assert found["factors"]["known"] == 4
    assert 1 <= found["factors"]["mobi"] < 4
    assert found["method_factor"] == pytest.approx(TRUE_BETWEEN, abs=0.03 + 3 / n**0.5)
    assert found["methods"]["all one way"]["observed"] > 0.45
    assert found["centred"]["all one way"] == pytest.approx(-1 / 3, abs=0.02), "four constructs of equal length"
    assert found["kano_right"] == 8
    assert found["safety"]["penalty"] == pytest.approx(-1.8, abs=0.6)
    assert found["safety"]["reward"] == pytest.approx(0, abs=0.6)
    assert found["gaps"]["fits my needs"] < 0 < found["gaps"]["overall quality"]
