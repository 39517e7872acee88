"""The bootstrap: batches equal brute force, seeds repeat, and what goes wrong is counted."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from simple_survey import MODEL, survey

from crmlab import sem
from crmlab.sem.bootstrap import batches, leave_one_out_batches
from crmlab.sem.moments import SampleMoments, draw_counts


def rows_of(counts):
    return np.repeat(np.arange(len(counts)), counts.astype(int))


def test_each_draw_is_the_fit_of_its_resample():
    answers = survey(150)
    draws = sem.pls(MODEL, answers).bootstrap(5, seed=11)
    counts = draw_counts(np.random.default_rng(11), 5, 150)
    for b in range(5):
        refit = sem.pls(MODEL, answers.iloc[rows_of(counts[b])])
        for name, values in refit.values.items():
            np.testing.assert_allclose(draws.draws[name][b], values[0], atol=2e-6, err_msg=name)


def test_missing_answers_are_replaced_anew_in_each_resample():
    answers = survey(150)
    answers = answers.mask(np.random.default_rng(1).random(answers.shape) < 0.1)
    draws = sem.pls(MODEL, answers).bootstrap(3, seed=4)
    counts = draw_counts(np.random.default_rng(4), 3, 150)
    for b in range(3):
        resample = answers.iloc[rows_of(counts[b])]
        refit = sem.pls(MODEL, resample.fillna(resample.mean()))
        np.testing.assert_allclose(draws.draws["paths"][b], refit.values["paths"][0], atol=2e-6)


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_leave_one_out_moments_by_hand(missing):
    answers = survey(40)
    answers = answers.mask(np.random.default_rng(1).random(answers.shape) < missing)
    sample = SampleMoments(answers.to_numpy())
    left_out = next(iter(leave_one_out_batches(sample))).moments
    for row in (0, 17, 39):
        rest = answers.drop(index=row)
        np.testing.assert_allclose(left_out.mean[row], rest.mean(), atol=1e-12)
        np.testing.assert_allclose(left_out.cov[row], rest.fillna(rest.mean()).cov(), atol=1e-12)


def test_resamples_do_not_depend_on_the_size_of_batches(monkeypatch):
    sample = SampleMoments(survey(60).to_numpy())
    whole = np.concatenate([batch.counts for batch in batches(sample, 40, seed=3)])
    monkeypatch.setattr("crmlab.sem.bootstrap._BATCH", 8)
    split = np.concatenate([batch.counts for batch in batches(sample, 40, seed=3)])
    np.testing.assert_array_equal(whole, split)


def test_the_same_seed_gives_the_same_bytes():
    fit = sem.pls(MODEL, survey(150))
    first, again, other = fit.bootstrap(50, seed=1), fit.bootstrap(50, seed=1), fit.bootstrap(50, seed=2)
    for name in first.draws:
        assert first.draws[name].tobytes() == again.draws[name].tobytes()
    assert first.draws["paths"].tobytes() != other.draws["paths"].tobytes()


def test_percentile_intervals_are_quantiles_of_the_draws():
    draws = sem.pls(MODEL, survey(150)).bootstrap(199, seed=1)
    lower, upper = draws.interval("paths", level=0.9)
    np.testing.assert_allclose(lower, np.quantile(draws.draws["paths"], 0.05, axis=0))
    np.testing.assert_allclose(upper, np.quantile(draws.draws["paths"], 0.95, axis=0))


def test_bca_agrees_with_scipy_on_a_correlation():
    """Two single items: the path is their correlation. scipy.stats.bootstrap draws its own resamples: within 0.01."""
    answers = survey(120)[["q1", "s1"]]
    draws = sem.pls("A =~ q1; B =~ s1; B ~ A", answers).bootstrap(9999, seed=1)
    theirs = stats.bootstrap(
        (answers["q1"], answers["s1"]),
        lambda x, y: np.corrcoef(x, y)[0, 1],
        paired=True,
        vectorized=False,
        n_resamples=9999,
        method="BCa",
        rng=np.random.default_rng(2),
    ).confidence_interval
    lower, upper = draws.interval("paths", "bca")
    assert (lower[0], upper[0]) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert (lower[0], upper[0]) != pytest.approx(tuple(np.ravel(draws.interval("paths"))), abs=1e-4)


def test_standard_errors_agree_with_theory_for_a_correlation():
    """Normal data: the standard error of r is (1 − r²)/√n to first order; 4000 draws leave about 1 % of noise."""
    answers = survey(2000)[["q1", "s1"]]
    table = sem.pls("A =~ q1; B =~ s1; B ~ A", answers).bootstrap(4000, seed=1).table("paths")
    r = answers["q1"].corr(answers["s1"])
    assert table["se"][0] == pytest.approx((1 - r**2) / np.sqrt(2000), rel=0.06)


def test_resamples_with_a_constant_item_are_counted():
    """One respondent alone gives q1 its variance; a resample misses that row with probability (1 − 1/n)ⁿ ≈ e⁻¹."""
    answers = survey(100)
    answers["q1"] = (answers.index == 0).astype(float)
    draws = sem.pls(MODEL, answers).bootstrap(1000, seed=1)
    assert draws.not_converged == pytest.approx(1000 * np.exp(-1), abs=4 * np.sqrt(1000 * 0.37 * 0.63))
    assert draws.n_used == 1000 - draws.not_converged
    assert len(draws.draws["paths"]) == draws.n_used


def test_sign_changes_are_turned_round_and_counted():
    """Two items that hardly correlate: in some resamples the majority rule would turn the construct."""
    rng = np.random.default_rng(3)
    answers = survey(60)
    answers["v1"] = 0.3 * answers["s1"] + rng.normal(size=60)
    answers["v2"] = -0.25 * answers["s2"] + rng.normal(size=60)
    fit = sem.pls(MODEL, answers)
    draws = fit.bootstrap(500, seed=1)
    assert draws.sign_changes["Value"] > 0
    assert draws.sign_changes["Quality"] == 0
    own = fit.values["loadings"][0][3:5]
    assert (draws.draws["loadings"][:, 3:5] @ own >= 0).all()


def test_an_unknown_interval_or_statistic_is_named():
    draws = sem.pls(MODEL, survey(60)).bootstrap(10)
    with pytest.raises(sem.SemError, match="interval 'normal' is unknown; choose one of percentile, bca"):
        draws.interval("paths", "normal")
    with pytest.raises(sem.SemError, match="no statistic named 'path'"):
        draws.interval("path")
    with pytest.raises(sem.SemError, match="level must lie between 0 and 1, found 95"):
        draws.interval("paths", level=95)
    with pytest.raises(sem.SemError, match="at least 2 resamples, found 1"):
        sem.pls(MODEL, survey(60)).bootstrap(1)
    with pytest.raises(sem.SemError, match="seed must be 0 or more, found -1"):
        sem.pls(MODEL, survey(60)).bootstrap(10, seed=-1)


def test_progress_reaches_the_total():
    seen = []
    sem.pls(MODEL, survey(60)).bootstrap(600, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (600, 600)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_further_statistic_gets_intervals_too():
    fit = sem.pls(MODEL, survey(100))
    draws = fit.bootstrap(300, seed=1, statistic=lambda batch, weights, values: {"mean": batch.moments.mean})
    lower, upper = draws.interval("mean")
    assert ((lower < fit.sample.full.mean[0]) & (fit.sample.full.mean[0] < upper)).all()


def test_an_unstable_statistic_has_no_interval_rather_than_a_wrong_one():
    """A block whose factor solution is improper in many resamples gets no interval for omega; alpha keeps its own."""
    rng = np.random.default_rng(0)
    answers = survey(80).assign(q3=lambda a: 0.1 * a["q1"] + rng.normal(size=80))
    table = sem.pls(MODEL, answers).bootstrap(200, seed=1).table("omega").set_index("construct")
    share = pd.isna(sem.pls(MODEL, answers).bootstrap(200, seed=1).draws["omega"]).mean(axis=0)
    assert share[0] > 0.05
    assert np.isnan(table.loc["Quality", "ci_lower"])


@pytest.mark.parametrize("consistent", [False, True])
def test_statistics_asked_for_alone_are_drawn_as_among_all(consistent):
    fit = sem.pls(MODEL, survey(), consistent=consistent)
    everything, chosen = fit.bootstrap(40, seed=6), fit.bootstrap(40, seed=6, statistics=("paths", "htmt"))
    assert set(chosen.draws) == {"paths", "htmt"}
    for name in chosen.draws:
        np.testing.assert_array_equal(chosen.draws[name], everything.draws[name])
    assert chosen.inadmissible == everything.inadmissible


def test_an_unknown_statistic_is_told_with_the_known_ones():
    with pytest.raises(sem.SemError, match="statistic 'beta' is unknown; choose among weights, loadings"):
        sem.pls(MODEL, survey()).bootstrap(10, statistics=("beta",))
