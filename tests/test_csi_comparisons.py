"""Groups and waves side by side: errors of differences, corrections for their number, people who answer twice."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from crmlab import InputError, Questionnaire, csi, datasets

ONE_ITEM = """
crmlab_questionnaire: 1
name: short
title: {en: A short survey}
id: person
constructs:
  Service: {label: {en: Service}, facets: [{label: {en: All}, items: {S1: {en: Good service}}}]}
  Satisfaction: {label: {en: Satisfaction}, facets: [{label: {en: All}, items: {A1: {en: Satisfied}}}]}
paths:
  Satisfaction: [Service]
scale: {min: 1, max: 5}
index: Satisfaction
groups:
  branch: {en: Branch}
"""


@pytest.fixture(scope="module")
def branches():
    """Five branches; the second and the third are close."""
    return pd.DataFrame(
        {"n": [80, 90, 60, 70, 50], "index": [78.0, 72.0, 71.0, 66.5, 74.0], "se": [1.2, 1.6, 1.5, 1.4, 2.1]},
        index=pd.Index(["A", "B", "C", "D", "E"], name="group"),
    )


@pytest.fixture(scope="module")
def waves():
    """Two waves of one-item constructs: 120 and 100 respondents, 60 of them in both, who answer alike."""
    rng = np.random.default_rng(31)
    person = rng.normal(size=160)
    tables = []
    for people, shift in ((slice(0, 120), 0.0), (slice(60, 160), 0.3)):
        own = person[people, None] + rng.normal(size=(len(person[people]), 2)) * 0.8
        answers = np.clip(np.round(3 + shift + own), 1, 5)
        names = [f"p{i}" for i in range(160)[people]]
        tables.append(pd.DataFrame(answers, columns=["S1", "A1"]).assign(person=names))
    return tables


@pytest.fixture(scope="module")
def estimated(waves):
    questionnaire = Questionnaire.from_text(ONE_ITEM)
    return [csi.estimate(questionnaire, wave, bootstrap=50, seed=5) for wave in waves]


# --------------------------------------------------------------------------------------------------------- groups


@pytest.mark.parametrize("adjust", ["holm", "bonferroni"])
def test_adjusted_p_values_are_those_of_statsmodels(branches, adjust):
    table = csi.differences(branches, adjust=adjust)
    np.testing.assert_allclose(table["pvalue_adjusted"], multipletests(table["pvalue"], method=adjust)[1], rtol=1e-12)


def test_a_difference_is_a_z_test_of_independent_estimates(branches):
    """78 − 72 = 6, its error √(1.2² + 1.6²) = 2, so z = 3; two-sided p and quantiles from scipy.stats.norm."""
    first = csi.differences(branches, adjust="none").iloc[0]
    assert (first["group_a"], first["group_b"]) == ("A", "B")
    assert first[["difference", "se", "z"]].tolist() == pytest.approx([6, 2, 3])
    assert first["pvalue"] == first["pvalue_adjusted"] == pytest.approx(2 * stats.norm.sf(3))
    assert [first["ci_lower"], first["ci_upper"]] == pytest.approx(list(stats.norm.interval(0.95, 6, 2)))
    assert first["interval"] == "each for itself"


@pytest.mark.parametrize("adjust", ["holm", "bonferroni"])
def test_intervals_of_ten_pairs_hold_together(branches, adjust):
    """Bonferroni: ten intervals at 1 − .10/10 = 99 % each hold together at 90 %."""
    table = csi.differences(branches, adjust=adjust, level=0.90)
    assert len(table) == 10
    lower, upper = stats.norm.interval(0.99, table["difference"], table["se"])
    np.testing.assert_allclose(table[["ci_lower", "ci_upper"]].T, [lower, upper])
    assert set(table["interval"]) == {"simultaneous (Bonferroni)"}


def test_the_correction_keeps_the_false_alarms_of_a_family_at_the_level():
    """500 tables of six equal branches: at least one of 15 pairs 'differs' in 36 % of them (studentised range with
    six groups beyond √2·1.96, scipy), with Holm's correction in no more than 5 %.
    """
    rng, se = np.random.default_rng(7), 1.5
    a, b = np.triu_indices(6, 1)
    raw = corrected = 0
    for index in 70 + se * rng.standard_normal((500, 6)):
        table = csi.differences(pd.DataFrame({"group": [*"ABCDEF"], "index": index, "se": se}))
        np.testing.assert_allclose(table["difference"], index[a] - index[b])
        raw += table["pvalue"].min() < 0.05
        corrected += table["pvalue_adjusted"].min() < 0.05
    expected = stats.studentized_range.sf(np.sqrt(2) * stats.norm.isf(0.025), 6, np.inf)
    assert raw / 500 == pytest.approx(expected, abs=0.06)  # 2.8 standard errors of the share
    assert corrected / 500 < 0.05 + 0.03  # 3 standard errors


def test_a_group_without_an_index_is_no_comparison(branches):
    """The other six pairs keep what they have without it."""
    with_gap = branches.copy()
    with_gap.loc["C", ["index", "se"]] = np.nan
    table = csi.differences(with_gap)
    touched = (table["group_a"] == "C") | (table["group_b"] == "C")
    assert touched.sum() == 4
    assert table.loc[touched, ["difference", "ci_lower", "pvalue_adjusted"]].isna().all(axis=None)
    alone = csi.differences(branches.drop("C"))
    pd.testing.assert_frame_equal(table[~touched].reset_index(drop=True), alone)


def test_the_headline_of_many_companies_can_be_compared():
    ecsi = Questionnaire.from_text(Questionnaire.shipped("ecsi").text + "\ngroups:\n  company: {en: Company}\n")
    answers = datasets.load_mobi().assign(company=["Alpha"] * 130 + ["Beta"] * 120)
    national = csi.estimate_many(ecsi, answers, by="company", bootstrap=30)
    table = csi.differences(national.headline)
    alpha, beta = national.headline.loc["Alpha"], national.headline.loc["Beta"]
    assert table["difference"].item() == pytest.approx(alpha["index"] - beta["index"])
    assert table["se"].item() == pytest.approx(np.hypot(alpha["se"], beta["se"]))
    json.dumps(table.to_dict("records"))


@pytest.mark.parametrize(
    ("change", "options", "told"),
    [
        ({}, {"adjust": "tukey"}, "adjust 'tukey' is unknown; choose one of holm, bonferroni, none."),
        ({}, {"level": 95}, "level must lie between 0 and 1, found 95."),
        ({"se": None}, {}, "the table of groups lacks the column se; it has group, n, index."),
        ({"se": -1.0}, {}, "the standard error of group A, B, C, D, E is negative; se must be 0 or more."),
        ({"group": "A"}, {}, "group A stands in the table more than once;"),
    ],
)
def test_a_table_that_cannot_be_compared_is_refused(branches, change, options, told):
    table = branches.reset_index()
    for column, value in change.items():
        table = table.drop(columns=column) if value is None else table.assign(**{column: value})
    with pytest.raises(InputError) as error:
        csi.differences(table, **options)
    assert str(error.value).startswith(told)


def test_groups_of_one_survey_share_their_draws(waves):
    """One-item constructs have no weights to share: two branches are then two independent means, and the error of
    their difference is the two-sample one (statsmodels, unequal variances) up to resampling noise (2,000 draws: 5 %).
    """
    branch = np.where(np.arange(len(waves[0])) % 3 == 0, "north", "south")
    answers = waves[0].assign(branch=branch)
    survey = csi.estimate(Questionnaire.from_text(ONE_ITEM), answers, by="branch", bootstrap=2000, seed=2)
    row = survey.group_differences().iloc[0]
    a1 = (answers["A1"] - 1) * 25
    two = CompareMeans(DescrStatsW(a1[branch == "north"]), DescrStatsW(a1[branch == "south"]))
    assert row["difference"] == pytest.approx(a1[branch == "north"].mean() - a1[branch == "south"].mean())
    assert row["se"] == pytest.approx(two.std_meandiff_separatevar, rel=0.05)
    draws = survey.group_draws["north"] - survey.group_draws["south"]
    assert row["se"] == pytest.approx(np.std(draws, ddof=1))
    assert row["pvalue"] == row["pvalue_adjusted"]  # one pair needs no correction
    unknown = replace(survey, group_draws=survey.group_draws.head(0)).group_differences()
    assert unknown["difference"].equals(survey.group_differences()["difference"])
    assert unknown[["se", "ci_lower", "pvalue", "pvalue_adjusted"]].isna().all(axis=None)


def test_without_groups_there_is_nothing_to_compare(estimated):
    with pytest.raises(InputError, match=r"there are no groups to compare; call csi.estimate with by='column'\."):
        estimated[0].group_differences()


# ---------------------------------------------------------------------------------------------------------- waves


def test_waves_of_different_people_are_independent(estimated):
    before, after = (replace(wave, ids=None) for wave in estimated)
    moved = csi.change(before, after, adjust="none")
    row = moved.table.loc["Satisfaction"]
    assert not moved.paired
    assert row["change"] == pytest.approx(
        after.index.loc["Satisfaction", "index"] - before.index.loc["Satisfaction", "index"]
    )
    assert row["se"] == pytest.approx(
        np.hypot(before.index.loc["Satisfaction", "se"], after.index.loc["Satisfaction", "se"])
    )
    assert moved.problems == []


def exact(wave, answers):
    """The estimate with the textbook errors s/√n of its one-item indices in place of those from resamples."""
    se = (answers[["S1", "A1"]].std() * 25 / np.sqrt(len(answers))).to_numpy()
    return replace(wave, index=wave.index.assign(se=se))


def test_the_same_people_give_the_paired_t_test(waves):
    """All 60 in both waves: error and statistic are those of scipy's paired t test."""
    tables = [wave[wave["person"].isin(set(waves[0]["person"]) & set(waves[1]["person"]))] for wave in waves]
    questionnaire = Questionnaire.from_text(ONE_ITEM)
    before, after = (
        exact(csi.estimate(questionnaire, table.sample(frac=1, random_state=k), bootstrap=2), table)
        for k, table in enumerate(tables)
    )
    moved = csi.change(before, after)
    assert moved.n_both == moved.n_before == moved.n_after == 60
    for construct, item in (("Service", "S1"), ("Satisfaction", "A1")):
        paired = stats.ttest_rel(tables[1].sort_values("person")[item], tables[0].sort_values("person")[item])
        assert moved.table.loc[construct, "z"] == pytest.approx(paired.statistic)


def test_a_rotating_panel_counts_those_in_both(waves, estimated):
    """60 of 120 and 100 people in both: the covariance of two means is n₁₂ · cov / (n₁ n₂), written out here."""
    before, after = (exact(*pair) for pair in zip(estimated, waves, strict=True))
    moved = csi.change(before, after)
    both = waves[0].merge(waves[1], on="person", suffixes=("_1", "_2"))
    assert (moved.n_before, moved.n_after, moved.n_both) == (120, 100, len(both)) == (120, 100, 60)
    r = both["A1_1"].corr(both["A1_2"])
    s1, s2 = waves[0]["A1"].std() * 25, waves[1]["A1"].std() * 25
    variance = s1**2 / 120 + s2**2 / 100 - 2 * 60 * r * s1 * s2 / (120 * 100)
    assert moved.correlation["Satisfaction"] == pytest.approx(r)
    assert moved.table.loc["Satisfaction", "se"] == pytest.approx(np.sqrt(variance))
    assert r > 0.3


def test_what_makes_waves_hard_to_compare_is_told(estimated):
    before, after = estimated
    assert csi.change(before, replace(after, ids=None)).problems == [
        "Only one wave has ids, so the waves are compared as independent samples."
    ]
    assert csi.change(before, replace(after, ids=after.ids + "x")).problems == [
        "Only 0 ids stand in both waves; if the same people were asked, check that they kept their ids."
    ]
    renamed = replace(after, loadings=after.loadings.replace({"item": {"A1": "A9"}}))
    assert csi.change(before, renamed).problems == [
        "The waves asked different items; part of the change may come from the questions alone."
    ]
    ten = replace(after, questionnaire=Questionnaire.from_text(ONE_ITEM.replace("max: 5", "max: 10")))
    assert csi.change(before, ten).problems == [
        "The waves asked on different scales; part of the change may come from the scales alone."
    ]
    assert csi.change(before, replace(after, refusals=["CB-SEM must be refused here: no."])).problems == [
        "The solution of the wave after must not be used, and neither must the change: CB-SEM must be refused here: no."
    ]


def test_an_id_that_stands_twice_stops_the_comparison(waves):
    questionnaire = Questionnaire.from_text(ONE_ITEM)
    twice = waves[0].assign(person=["p1", *waves[0]["person"][1:]])
    first = csi.estimate(questionnaire, twice, bootstrap=2, faults="missing")
    with pytest.raises(InputError, match=r"the wave before has the id p1 more than once \(rows \d+, \d+\)"):
        csi.change(first, csi.estimate(questionnaire, waves[1], bootstrap=2))


def test_waves_of_different_constructs_are_refused(estimated):
    other = csi.estimate(Questionnaire.shipped("ecsi"), datasets.load_mobi(), bootstrap=2)
    with pytest.raises(InputError, match="the two waves measure different constructs: Service, Satisfaction before"):
        csi.change(estimated[0], other)
