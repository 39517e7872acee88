"""What a covariance-based fit says of itself: headline, JSON, reliability, and semopy's second opinion."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab.sem import SemError, fit
from crmlab.sem.second_opinion import reported

REFERENCE = Path(__file__).parent / "reference" / "cbsem"
HS = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"


def hs() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "hs.csv")


def test_the_headline_of_the_tutorial() -> None:
    """lavaan's tutorial: χ² 85.306 with 24 df, CFI 0.931, RMSEA 0.092, SRMR 0.065."""
    result = fit(HS, hs())
    assert result.headline == "ML, n = 301: χ²(24) = 85.306, p = 0.000, CFI = 0.931, RMSEA = 0.092, SRMR = 0.065"
    assert result.headline in result._repr_html_()


def test_plain_numbers_survive_json() -> None:
    found = json.loads(json.dumps(fit(HS, hs(), estimator="MLR").to_dict(), allow_nan=False))
    assert found["fit_measures"]["df"] == 24
    assert found["estimates"][0] | {"z": None, "pvalue": None} == found["estimates"][0]
    assert found["estimates"][0]["est"] == 1.0


def test_omega_of_the_three_scales() -> None:
    """(Σλ)²φ over the implied variance of the sum, from the estimates that lavaan prints for this model."""
    known = pd.DataFrame(json.loads((REFERENCE / "hs_ml.json").read_text(encoding="utf-8"))["estimates"])
    found = fit(HS, hs()).reliability().set_index("construct")
    for construct, rows in known[known["op"] == "=~"].groupby("lhs"):
        variances = known[(known["op"] == "~~") & (known["lhs"] == known["rhs"])].set_index("lhs")["est"]
        common = rows["est"].sum() ** 2 * variances[construct]
        expected = common / (common + variances[rows["rhs"]].sum())
        assert found.loc[construct, "omega"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("case", ["hs_ml", "hs_second", "ecsi_ml"])
def test_semopy_agrees_on_estimates_and_chi_squared(case: str) -> None:
    known = json.loads((REFERENCE / f"{case}.json").read_text(encoding="utf-8"))
    second = fit(known["model"], pd.read_csv(REFERENCE / known["data"]), engine="semopy")
    theirs = pd.DataFrame(known["estimates"])["est"]
    assert second.estimates["est"].to_numpy() == pytest.approx(theirs.to_numpy(), abs=2e-3)
    assert second.test.chisq == pytest.approx(known["fit"]["chisq"], abs=1e-3)


def test_what_semopy_cannot_give_is_nan_and_told() -> None:
    second = fit(HS, hs(), engine="semopy")
    assert second.fit_measures[["cfi", "aic", "rmsea", "logl"]].isna().all()
    assert np.isnan(second.estimates["se"].iloc[1])
    assert any("estimates and χ² only" in text for text in second.problems)


def test_what_semopy_reports_is_shown_as_it_is(caplog) -> None:
    """With lavaan where the model is simple; with a single-item construct its baseline is impossible, and CFI is 1."""
    second, known = fit(HS, hs(), engine="semopy"), json.loads((REFERENCE / "hs_ml.json").read_text("utf-8"))["fit"]
    said = reported(second.structure, second.samples[0])
    names = ["chisq", "df", "baseline_chisq", "cfi", "tli"]
    assert said[names].tolist() == pytest.approx([known[name.replace("_", ".")] for name in names], abs=1e-3)
    assert said["logl"] == pytest.approx(said["chisq"] / second.n), "a discrepancy, no likelihood"
    single = fit("A =~ x1 + x2 + x3\nB =~ x4\nB ~ A", hs(), engine="semopy")
    said = reported(single.structure, single.samples[0])
    assert said[["baseline_chisq", "cfi"]].tolist() == [np.inf, 1.0]
    assert np.isnan(said["tli"])
    assert not caplog.records


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": "MLR"}, "goes with estimator='ML'"),
        ({"missing": "fiml"}, "goes with estimator='ML' on complete data"),
        ({"group": "school"}, "without groups, means"),
        ({"std_lv": True}, "without constructs scaled by their variance"),
        ({"engine": "lisrel"}, "engine 'lisrel' is unknown"),
    ],
)
def test_what_semopy_is_not_asked(options: dict, message: str) -> None:
    with pytest.raises(SemError, match=message):
        fit(HS, hs(), **{"engine": "semopy", **options})
