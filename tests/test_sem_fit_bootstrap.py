"""The bootstrap of a covariance-based fit: against lavaan 0.6-14 (tests/reference/compare) and against single fits."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab.sem import Fit, SemError, fit
from crmlab.sem.fit_bootstrap import FitBootstrap
from crmlab.sem.moments import draw_counts

REFERENCE = Path(__file__).parent / "reference"
HS = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
COVARIATES = "f =~ a + b + c\nf ~ x1 + p*x2\ny ~ q*f + x1\nz ~ y + f\nindirect := p*q"
HELD = "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + c*x5 + x6\na + b == 1.3"


@cache
def table(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "cbsem" / f"{name}.csv")


@cache
def resampled(n: int) -> FitBootstrap:
    return fit(HS, table("hs")).bootstrap(n, seed=5)


def redrawn(data: pd.DataFrame, n: int, row: int, group: str | None = None) -> pd.DataFrame:
    """The table of one resample, drawn as the bootstrap does with seed 0."""
    parts = [data] if group is None else [part for _, part in data.groupby(group, sort=False)]
    rngs = np.random.default_rng(0).spawn(len(parts))
    counts = [draw_counts(rng, n, len(part))[row].astype(int) for rng, part in zip(rngs, parts, strict=True)]
    return pd.concat([part.iloc[np.repeat(np.arange(len(part)), c)] for part, c in zip(parts, counts, strict=True)])


def errors_away(one: Fit, theta: np.ndarray) -> float:
    """Largest difference in standard errors."""
    return float(np.max(np.abs(one.theta - theta) / np.sqrt(np.diagonal(one.vcov))))


def test_errors_and_limits_agree_with_lavaan_up_to_sampling() -> None:
    """Both sides draw: 4000 and 2000 resamples leave 2 % in an error, more where the draws have long tails."""
    theirs = json.loads((REFERENCE / "compare" / "bootstrap.json").read_text(encoding="utf-8"))
    ours = resampled(2000)
    free = ours.se > 0
    assert np.median(ours.se[free] / theirs["se"]) == pytest.approx(1, abs=0.02)
    assert np.abs(ours.se[free] / theirs["se"] - 1).max() < 0.15
    for end, name in zip(ours.interval(), ("lower", "upper"), strict=True):
        assert np.abs((end[free] - theirs[name]) / theirs["se"]).max() < 0.25


@pytest.mark.parametrize(
    ("model", "name", "options"),
    [
        (HS, "hs", {}),
        (HS, "hs", {"group": "school", "group_equal": ["loadings", "intercepts"]}),
        (COVARIATES, "covariates", {}),
        (COVARIATES, "covariates", {"meanstructure": True}),
        (HELD, "hs", {}),
        (HS, "hs", {"estimator": "ULS"}),
        (HS, "hs", {"missing": "fiml"}),
    ],
)
def test_a_draw_is_the_fit_of_its_resample(model: str, name: str, options: dict) -> None:
    data = table(name)
    draws = fit(model, data, **options).bootstrap(3, seed=0)
    size = 1 if options.get("estimator") == "ULS" or options.get("missing") else 3
    row = 0 if size == 1 else 2  # one at a time, the first draw is the first of its stream
    alone = fit(model, redrawn(data, size, row, options.get("group")), **options)
    assert draws.n_used == 3
    assert errors_away(alone, draws.theta[row]) < 1e-3


def test_defined_parameters_are_drawn_too() -> None:
    draws = fit(COVARIATES, table("covariates")).bootstrap(20)
    rows = {key[:3]: draws.draws[:, k] for k, key in enumerate(draws.keys)}
    product = rows["f", "~", "x2"] * rows["y", "~", "f"]
    assert rows["indirect", ":=", "p*q"] == pytest.approx(product, rel=1e-12)


def test_constraints_hold_in_every_draw() -> None:
    draws = fit(HELD, table("hs")).bootstrap(20)
    rows = {key[:3]: draws.draws[:, k] for k, key in enumerate(draws.keys)}
    assert rows["visual", "=~", "x2"] + rows["visual", "=~", "x3"] == pytest.approx(np.full(20, 1.3), abs=1e-9)


def test_errors_of_a_fit_by_bootstrap() -> None:
    result = fit(HS, table("hs"), se="bootstrap", bootstrap=300, seed=5, level=0.9)
    draws = fit(HS, table("hs")).bootstrap(300, seed=5)
    assert result.estimates["se"].to_numpy() == pytest.approx(draws.draws.std(axis=0, ddof=1), abs=1e-12)
    second = result.estimates.iloc[1]
    limits = np.quantile(draws.draws[:, 1], [0.05, 0.95])
    assert (second["ci_lower"], second["ci_upper"]) == pytest.approx(limits)
    assert second["z"] == pytest.approx(second["est"] / second["se"])
    assert result.fit_measures["chisq"] == pytest.approx(85.306, abs=1e-3)  # lavaan's tutorial
    marker = result.estimates.iloc[0]
    assert (marker["se"], marker["ci_lower"], marker["ci_upper"]) == (0, 1, 1)


def test_bias_corrected_limits_shift_the_shares() -> None:
    draws = resampled(2000)
    lower, upper = draws.interval("bias_corrected")
    from scipy.stats import norm

    k = 1
    z0 = norm.ppf(np.mean(draws.draws[:, k] < draws.estimates[k]))
    shares = norm.cdf(2 * z0 + norm.ppf([0.025, 0.975]))
    assert (lower[k], upper[k]) == pytest.approx(np.quantile(draws.draws[:, k], shares))


def test_the_seed_decides_and_progress_is_told() -> None:
    result, steps = fit(HS, table("hs")), []
    one = result.bootstrap(300, seed=1, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(256, 300), (300, 300)]
    assert np.array_equal(one.draws, result.bootstrap(300, seed=1).draws)
    assert not np.array_equal(one.draws, result.bootstrap(300, seed=2).draws)


def test_impossible_and_lost_resamples_are_counted_and_told() -> None:
    data = table("hs").head(60)
    result = fit("a =~ x1 + x2 + x3", data, se="bootstrap", bootstrap=200)
    draws = result.bootstrap(200)
    assert draws.inadmissible > 0
    variances = [k for k, key in enumerate(draws.keys) if key[1] == "~~" and key[0] == key[2]]
    assert draws.inadmissible == np.sum((draws.draws[:, variances] < -1e-6).any(axis=1))
    assert any(f"{draws.inadmissible} of 200 bootstrap resamples have an impossible" in t for t in result.problems)
    assert draws.n_used + draws.not_converged == 200
    assert any("did not converge" in text for text in draws.problems) == (draws.not_converged > 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit(HS, table("hs")).bootstrap(1), "at least 2 resamples, found 1"),
        (lambda: fit(HS, table("hs")).bootstrap(10, seed=-1), "seed must be 0 or more"),
        (lambda: fit(HS, table("hs"), se="bootstrap", interval="bca"), "interval 'bca' is unknown"),
        (lambda: resampled(2000).interval("normal"), "interval 'normal' is unknown"),
        (lambda: resampled(2000).interval(level=95), "level must lie between 0 and 1"),
    ],
)
def test_faults(call: object, message: str) -> None:
    with pytest.raises(SemError, match=message):
        call()  # type: ignore[operator]


def test_shows_itself() -> None:
    found = fit(HS, table("hs")).bootstrap(20)
    assert json.loads(json.dumps(found.to_dict()))["n_requested"] == 20
    assert "20 of 20 resamples" in found._repr_html_()
