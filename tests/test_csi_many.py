"""A national index: each company as if it were alone, whoever does the work; what cannot be estimated is named."""

import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

import crmlab
from crmlab import InputError, Questionnaire, csi, datasets, read_responses, sem

ECSI = (Path(crmlab.__file__).parent / "questionnaires" / "ecsi.yaml").read_text(encoding="utf-8")
SIZES = {"Alpha": 60, "Beta": 70, "Gamma": 80, "丁": 90, "Few": 12, "Flat": 50}
GOOD = ["Alpha", "Beta", "Gamma", "丁"]
INTERVAL = ["ci_lower", "ci_upper", "se"]
BOOTSTRAP = 30


def problems_of(many, group):
    return many.group_problems.loc[many.group_problems["group"] == group, "problem"].tolist()


@pytest.fixture(scope="module")
def questionnaire():
    return Questionnaire.from_text(ECSI + "\ngroups:\n  company: {en: Company, zh: 公司}\n")


@pytest.fixture(scope="module")
def answers():
    """Six companies drawn from the mobile-phone survey: Gamma with gaps, Few too small, Flat with a constant item."""
    rng = np.random.default_rng(3)
    mobi = datasets.load_mobi().astype(float)
    names = np.repeat(list(SIZES), list(SIZES.values()))
    table = mobi.iloc[rng.integers(len(mobi), size=len(names))].reset_index(drop=True)
    table = table.mask((rng.random(table.shape) < 0.04) & (names == "Gamma")[:, None])
    table.loc[names == "Flat", "CUSA2"] = 7.0
    return table.assign(company=names).iloc[rng.permutation(len(names))]


@pytest.fixture(scope="module")
def many(questionnaire, answers):
    return csi.estimate_many(questionnaire, answers, by="company", bootstrap=BOOTSTRAP, seed=4)


@pytest.mark.parametrize("settings", [{}, {"consistent": True, "missing": "listwise", "interval": "bca", "level": 0.9}])
def test_a_group_is_what_it_is_alone(questionnaire, answers, settings):
    many = csi.estimate_many(questionnaire, answers, by="company", bootstrap=BOOTSTRAP, seed=4, **settings)
    for group in GOOD:
        alone = read_responses(answers[answers["company"] == group], questionnaire)
        seed = csi.group_seed(4, group)
        single = csi.estimate(questionnaire, alone, bootstrap=BOOTSTRAP, seed=seed, **settings)
        index = many.index[many.index["group"] == group].set_index("construct")
        paths = many.paths[many.paths["group"] == group].reset_index(drop=True)
        pd.testing.assert_frame_equal(index[["index", *INTERVAL]], single.index, rtol=1e-9)
        columns = ["from", "to", "estimate", *INTERVAL]
        pd.testing.assert_frame_equal(paths[columns], single.paths[columns], rtol=1e-9)
        facts = many.groups.loc[group]
        assert (facts["n"], facts["seed"], facts["resamples"]) == (single.n, seed, single.bootstrap)
        assert [*alone.problems, *problems_of(many, group)] == single.problems


@pytest.mark.parametrize(("backend", "workers"), [("threads", 1), ("threads", 3), ("loky", 2)])
def test_workers_change_nothing(questionnaire, answers, many, backend, workers):
    again = csi.estimate_many(
        questionnaire, answers, by="company", bootstrap=BOOTSTRAP, seed=4, backend=backend, workers=workers
    )
    pd.testing.assert_frame_equal(again.index, many.index, check_exact=True)
    pd.testing.assert_frame_equal(again.paths, many.paths, check_exact=True)
    assert again.problems == many.problems


def test_the_caller_can_set_the_workers_through_joblib(questionnaire, answers, many):
    with joblib.parallel_config("sequential"):
        again = csi.estimate_many(questionnaire, answers, by="company", bootstrap=BOOTSTRAP, seed=4, backend=None)
    pd.testing.assert_frame_equal(again.index, many.index, check_exact=True)


def test_other_groups_and_their_order_change_nothing(questionnaire, answers, many):
    """Rows keep their order inside a company, the companies come in another order and one is gone."""
    order = ["丁", "Flat", "Gamma", "Alpha", "Few"]
    table = pd.concat([answers[answers["company"] == group] for group in order])
    again = csi.estimate_many(questionnaire, table, by="company", bootstrap=BOOTSTRAP, seed=4)
    expected = many.index[many.index["group"] != "Beta"].reset_index(drop=True)
    pd.testing.assert_frame_equal(again.index, expected, check_exact=True)


def test_seeds_differ_between_groups_and_tables():
    seeds = {csi.group_seed(seed, group) for seed in range(20) for group in SIZES}
    assert len(seeds) == 20 * len(SIZES)


def test_tables_are_tidy(questionnaire, many):
    constructs = list(questionnaire.constructs.index)
    assert list(many.index.columns) == ["group", "n", "construct", "index", *INTERVAL]
    assert list(many.paths.columns) == ["group", "n", "from", "to", "estimate", *INTERVAL]
    assert list(many.groups.index) == sorted(SIZES)
    assert many.groups["n"].to_dict() == SIZES
    assert many.index["construct"].tolist() == constructs * len(SIZES)
    assert len(many.paths) == len(questionnaire.paths) * len(SIZES)
    known = many.headline.dropna()
    assert set(known.index) == set(GOOD)
    assert known["index"].is_monotonic_decreasing
    assert (known["ci_lower"] < known["index"]).all()


def test_what_cannot_be_estimated_is_named_and_keeps_its_rows(many):
    assert many.groups.index[~many.groups["estimated"]].tolist() == ["Few", "Flat"]
    for table, columns in [(many.index, ["index", *INTERVAL]), (many.paths, ["estimate", *INTERVAL])]:
        lacking = table["group"].isin(["Few", "Flat"])
        assert table.loc[lacking, columns].isna().all(axis=None)
        assert table.loc[~lacking, columns].notna().all(axis=None)
    few, flat = problems_of(many, "Few"), problems_of(many, "Flat")
    assert any(problem.startswith("12 respondents, and the model needs at least 40") for problem in few)
    assert flat[0].startswith("item CUSA2 is constant (every answer is 7)")
    assert f"company Flat: {flat[0]}" in many.problems
    assert any(problem.startswith("company Gamma: ") and "missing answers" in problem for problem in many.problems)


def test_a_group_that_does_not_converge_is_named(questionnaire, answers, monkeypatch):
    """Beta alone, the company of 70, may iterate only twice."""
    pls = sem.pls

    def impatient(model, data, **settings):
        return pls(model, data, **settings, max_iterations=2 if len(data) == SIZES["Beta"] else 300)

    monkeypatch.setattr(sem, "pls", impatient)
    many = csi.estimate_many(questionnaire, answers, by="company", bootstrap=BOOTSTRAP)
    assert not many.groups.loc["Beta", "estimated"]
    told = " ".join(problems_of(many, "Beta"))
    assert "only 0 of 30 resamples gave an estimate" in told
    assert "The weights did not settle in 2 iterations" in told


def test_where_nothing_can_be_estimated_the_call_says_so(questionnaire, answers):
    """Sixty respondents in companies of twelve; the whole table would be large enough."""
    table = answers.head(60).assign(company=np.repeat(list("abcde"), 12))
    with pytest.raises(InputError, match=r"no group of company can be estimated \(5 tried\)\. company a: .*12 respond"):
        csi.estimate_many(questionnaire, table, by="company", bootstrap=2)


def test_respondents_without_a_company_are_counted(questionnaire, answers):
    table = answers[answers["company"].isin(["Alpha", "Beta"])]
    table = table.assign(company=table["company"].where(table["company"] == "Alpha"))
    many = csi.estimate_many(questionnaire, table, by="company", bootstrap=2)
    assert many.groups.index.tolist() == ["Alpha"]
    assert "70 respondents have no value of company and stand in no group." in many.problems


def test_progress_counts_the_groups(questionnaire, answers, capsys):
    seen = []
    arguments = {"by": "company", "bootstrap": 2, "workers": 1}
    csi.estimate_many(questionnaire, answers, progress=lambda *told: seen.append(told), **arguments)
    assert seen[-1] == (6, 6)
    csi.estimate_many(questionnaire, answers, progress=True, **arguments)
    assert "100%" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"scheme": "pca"}, "scheme 'pca' is unknown; choose one of path, centroid, factorial"),
        ({"interval": "normal"}, "interval 'normal' is unknown; choose one of percentile, bca"),
        ({"bootstrap": 1}, "a bootstrap needs at least 2 resamples, found 1;"),
        ({"seed": -1}, "seed must be 0 or more, found -1"),
        ({"level": 95}, "level must lie between 0 and 1, found 95"),
        ({"by": "firm"}, "there is no grouping column 'firm'; the grouping columns are company"),
        ({"backend": "horses"}, "backend='horses', workers=None cannot be used"),
        ({"workers": 0}, "backend='threads', workers=0 cannot be used"),
    ],
)
def test_an_unknown_option_is_told_before_the_work(questionnaire, answers, settings, told):
    with pytest.raises(InputError, match=told):
        csi.estimate_many(questionnaire, answers, **({"by": "company"} | settings))


def test_a_backend_that_is_not_installed_is_told(questionnaire, answers, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match="backend='ray', workers=None cannot be used"):
        csi.estimate_many(questionnaire, answers, by="company", backend="ray")
