"""Answers given without care: each check on a survey small enough to count by hand, and on one whose truth is known."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import survey_exports
from scipy.stats import chi2

from crmlab import Questionnaire, Responses, datasets, read_responses
from crmlab.errors import InputError
from crmlab.plots import style
from crmlab.responses import distance, patterns
from crmlab.responses.quality import CHECKS, Quality

COURSE = Questionnaire.shipped("course_csi")
ITEMS = [*COURSE.items.index]


def of(frame: pd.DataFrame, design: Questionnaire = COURSE) -> Responses:
    return read_responses(frame, design)


def marked(quality: Quality, check: str) -> list[int]:
    return quality.rows.loc[quality.rows["check"] == check, "row"].tolist()


def varied(n: int, seed: int = 1) -> pd.DataFrame:
    """Careful answers on ten points, ids and stores."""
    return datasets.load_survey(n, seed=seed).data


# ------------------------------------------------------------------------------------------------- a known truth


@pytest.mark.parametrize("seed", [2026, 1, 2, 3])
def test_planted_defects_are_found(seed: int) -> None:
    survey = datasets.load_survey(messy=True, seed=seed)
    quality, truth = of(survey.data).quality(), survey.truth.rows
    planted = {name: (truth.index[rows] + 2).tolist() for name, rows in truth[["careless", "straightlining"]].items()}
    repeated = {kind: (truth.index[truth["duplicate"] == kind] + 2).tolist() for kind in ("id", "answers")}
    assert set(planted["straightlining"]) <= set(marked(quality, "straight-lining"))
    assert set(planted["straightlining"]) <= set(marked(quality, "long string"))
    assert marked(quality, "duplicate id") == repeated["id"]
    alike = set(marked(quality, "duplicate answers"))
    assert (set(repeated["id"]) | set(repeated["answers"])) - set(planted["straightlining"]) <= alike
    found = set(marked(quality, "Mahalanobis distance"))
    # Answers at random lie far from a population whose items correlate: most are found, hardly anybody else.
    assert len(found & set(planted["careless"])) >= 0.75 * len(planted["careless"])
    assert len(found - set(planted["careless"])) <= 0.01 * len(truth)


def test_a_clean_survey_has_hardly_a_mark() -> None:
    """One per cent of false marks would be 40 of 4000."""
    quality = of(varied(4000)).quality()
    counts = quality.checks.set_index("check")["count"].dropna().drop("item non-response")
    assert counts.drop("inconsistent pairs").max() <= 40
    assert counts["inconsistent pairs"] <= 0.03 * 4000


# ------------------------------------------------------------------------------------------------ counted by hand


def test_completion_and_item_non_response() -> None:
    frame = varied(20).astype(dict.fromkeys(ITEMS, float))
    frame.loc[3, ITEMS[:12]] = np.nan  # 10 of 22 answered
    frame.loc[4, ITEMS[:11]] = np.nan  # 11 of 22, exactly half
    frame.loc[5:6, "EQ1"] = np.nan
    quality = of(frame).quality(item_nonresponse=0.15)
    assert marked(quality, "completion") == [5]
    assert quality.rows.loc[0, "detail"] == "45% of the items answered"
    assert quality.items.loc["EQ1"].tolist() == [16, 4, 0.2]
    assert quality.checks.set_index("check").loc["item non-response", "count"] == 1
    assert quality.problems[-1] == "item non-response: EQ1 (20%) without an answer."
    assert marked(of(frame).quality(completion=0.55), "completion") == [5, 6]


def test_straight_lines_are_seen_before_reverse_coding() -> None:
    """All fours on the form are a straight line although reversed items become twos, and fours after reversing none."""
    design, frame = survey_exports.design(), survey_exports.fieldwork(40, 0.0).plain()
    items, turned = [*design.items.index], [*survey_exports.REVERSED]
    frame.loc[0, items] = 4.0
    frame.loc[1, items], frame.loc[1, turned] = 4.0, 2.0
    assert marked(of(frame, design).quality(), "straight-lining") == [2]


def test_long_strings_pass_over_gaps_and_respect_the_threshold() -> None:
    frame = varied(30).astype(dict.fromkeys(ITEMS, float))
    frame[ITEMS] = np.tile([1.0, 2.0], 11)
    frame.loc[7, ITEMS[4:16]] = 5.0
    frame.loc[7, ITEMS[9]] = np.nan  # eleven fives in a row, one gap between them: half of 22
    frame.loc[8, ITEMS[4:14]] = 5.0  # ten
    quality = of(frame).quality()
    assert marked(quality, "long string") == [9]
    assert quality.respondents["longest_run"].max() == 11
    assert marked(of(frame).quality(long_string=10 / 22), "long string") == [9, 10]


def test_speeders() -> None:
    frame = varied(30).assign(所用时间=[f"{seconds}秒" for seconds in range(30, 60)])
    quality = of(frame).quality()
    # 22 items at 2 seconds are 44: rows with 30 to 43 seconds
    assert marked(quality, "speeding") == [*range(2, 16)]
    assert marked(of(frame).quality(speeding=1.5), "speeding") == [2, 3, 4]
    notes = of(varied(30)).quality().checks.set_index("check")["note"]
    assert notes["speeding"] == "not checked: the file holds no times"


def test_duplicates_keep_the_first_and_straight_lines_do_not_count() -> None:
    frame = varied(30)
    frame = pd.concat([frame, frame.iloc[[4, 4]].assign(respondent=[98, 99]), frame.iloc[[5]]], ignore_index=True)
    frame.loc[10:12, ITEMS] = 7
    quality = of(frame).quality()
    assert marked(quality, "duplicate answers") == [32, 33, 34]
    assert quality.rows.query("check == 'duplicate answers'")["detail"].tolist() == [
        "all answers as in row 6",
        "all answers as in row 6",
        "all answers as in row 7",
    ]
    assert marked(quality, "duplicate id") == [34]


def test_given_pairs_and_unknown_items() -> None:
    frame = varied(30)
    frame.loc[0, ["SA1", "SA2"]] = [1, 10]
    quality = of(frame).quality(pairs=[("SA1", "SA2")], inconsistency=1.0)
    assert marked(quality, "inconsistent pairs") == [2]
    with pytest.raises(InputError) as caught:
        of(frame).quality(pairs=[("SA1", "SA9")])
    assert str(caught.value).startswith("pairs: SA9 is not an item of the survey; expected pairs of EQ1, EQ2")


def test_reverse_keyed_items_are_pairs_of_their_own() -> None:
    """Agreeing with an item and with its reverse lies a whole scale apart once the reverse is coded."""
    frame = survey_exports.fieldwork(40, 0.0).plain()
    frame.loc[0, [*survey_exports.design().items.index]] = 5.0
    quality = of(frame, survey_exports.design()).quality()
    assert 2 in marked(quality, "inconsistent pairs")
    assert quality.respondents.loc[2, "pair_distance"] == 1.0
    note = quality.checks.set_index("check").loc["inconsistent pairs", "note"]
    assert note == "7 pairs (one of them reversed): PQ7–PQ1, PQ7–PQ2, PQ7–PQ3, PQ7–PQ4, PQ7–PQ5 and 2 more"


# ---------------------------------------------------------------------------------------------- Mahalanobis distance


def test_distance_of_complete_answers_is_the_textbook_formula() -> None:
    """d'S⁻¹d with numpy's covariances and inverse; probabilities of scipy's chi-squared."""
    frame = varied(300)
    answers = of(frame).answers
    x = frame[ITEMS].to_numpy(dtype=float)
    d = x - x.mean(axis=0)
    direct = np.einsum("ij,jk,ik->i", d, np.linalg.inv(np.cov(x.T)), d)
    found = of(frame).quality().respondents
    np.testing.assert_allclose(found["distance"], direct, rtol=1e-5)
    np.testing.assert_allclose(found["probability"], chi2.sf(direct, 22), rtol=1e-3)
    np.testing.assert_allclose(distance.moments(answers)[1], np.cov(x.T), rtol=1e-10)


def test_distance_of_incomplete_answers_is_that_of_the_observed_part() -> None:
    """Each row by itself: the rows and columns of Σ that were answered, inverted."""
    frame = varied(400).astype(dict.fromkeys(ITEMS, float))
    holes = np.random.default_rng(2).random((400, 22)) < np.linspace(0, 0.9, 400)[:, None]
    frame[ITEMS] = frame[ITEMS].mask(holes)
    frame.loc[399, ITEMS] = np.nan
    mean, covariance = distance.moments(of(frame).answers)
    x = frame[ITEMS].to_numpy()
    found = distance.mahalanobis(of(frame).answers, [*range(22)], mean, covariance)
    for row in range(399):
        there = ~np.isnan(x[row])
        d = (x[row] - mean)[there]
        direct = d @ np.linalg.solve(covariance[np.ix_(there, there)], d) if there.any() else np.nan
        np.testing.assert_allclose(found[row], direct, rtol=1e-4)
    assert np.isnan(found[399])


def test_pairwise_moments_agree_with_pandas() -> None:
    frame = varied(200).astype(dict.fromkeys(ITEMS, float))
    frame[ITEMS] = frame[ITEMS].mask(np.random.default_rng(3).random((200, 22)) < 0.2)
    mean, covariance = distance.moments(of(frame).answers)
    np.testing.assert_allclose(mean, frame[ITEMS].mean(), rtol=1e-12)
    np.testing.assert_allclose(covariance, frame[ITEMS].cov(), rtol=1e-9, atol=1e-12)


def test_an_item_that_repeats_another_or_does_not_vary_is_left_out_and_told() -> None:
    frame = varied(200)
    frame["SA3"], frame["LO3"] = frame["SA2"], 5
    quality = of(frame).quality()
    note = quality.checks.set_index("check").loc["Mahalanobis distance", "note"]
    assert note == "without SA3 and LO3, which do not vary or follow from other items"
    assert quality.respondents["distance"].notna().all()
    without = of(frame.assign(SA3=varied(200)["SA3"])).quality().respondents["distance"]
    assert (without >= quality.respondents["distance"] - 1e-3).all()  # one item more can only add to D²


def test_too_few_respondents_for_a_distance() -> None:
    checks = of(varied(40)).quality().checks.set_index("check")
    assert checks["count"].isna()["Mahalanobis distance"]
    assert checks["note"]["Mahalanobis distance"].startswith("not checked: at least two respondents for each item")


# ---------------------------------------------------------------------------------------------------------- results


def test_exclusion_is_on_record_and_tells_no_more_of_the_excluded() -> None:
    survey = datasets.load_survey(messy=True)
    responses = of(survey.data)
    quality = responses.quality()
    fewer = quality.exclude("duplicate id", "straight-lining")
    gone = sorted({*marked(quality, "duplicate id"), *marked(quality, "straight-lining")})
    assert fewer.excluded["row"].tolist() == gone
    assert not set(gone) & set(fewer.data.index)
    assert fewer.faults.empty
    assert not responses.faults.empty
    pd.testing.assert_frame_equal(fewer.data, responses.data.drop(index=gone))
    assert fewer.problems[-1].startswith(f"{len(gone)} of 408 respondents excluded by the analyst: ")
    assert marked(fewer.quality(), "duplicate id") == []
    again = fewer.quality().exclude("duplicate answers")
    assert len(again.excluded) == 408 - again.n


def test_exclusion_by_several_marks() -> None:
    quality = of(datasets.load_survey(messy=True).data).quality()
    both = quality.exclude("straight-lining", "Mahalanobis distance", at_least=2)
    once = set(marked(quality, "straight-lining")) & set(marked(quality, "Mahalanobis distance"))
    assert set(both.excluded["row"]) == once


@pytest.mark.parametrize("checks", [(), ("boredom",), ("item non-response",)])
def test_exclusion_needs_a_check_of_respondents(checks: tuple[str, ...]) -> None:
    found = repr(checks[0]) if checks else "no check"
    with pytest.raises(InputError) as caught:
        of(varied(50)).quality().exclude(*checks)
    assert str(caught.value) == (
        f"exclude: found {found}; expected one or more of completion, not submitted, straight-lining, long string, "
        "speeding, duplicate id, duplicate answers, Mahalanobis distance and inconsistent pairs."
    )


def test_excluding_everybody_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        of(varied(50)).quality(straightlining=99).exclude("straight-lining")
    assert "would exclude all 50 respondents" in str(caught.value)


def test_the_order_of_rows_changes_no_mark() -> None:
    frame = datasets.load_survey(messy=True).data.drop_duplicates(ITEMS).drop_duplicates("respondent")
    frame = frame.reset_index(drop=True)
    order = np.random.default_rng(4).permutation(len(frame))
    first, second = of(frame).quality(), of(frame.iloc[order]).quality()
    for check in CHECKS:
        assert marked(first, check) == sorted(int(order[row - 2]) + 2 for row in marked(second, check))


def test_marks_do_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    frame: Any = datasets.load_survey(messy=True).data
    whole = of(frame).quality()
    monkeypatch.setattr("crmlab.responses.answers.BLOCK", 37)
    pd.testing.assert_frame_equal(of(frame).quality().respondents, whole.respondents, rtol=1e-4)
    pd.testing.assert_frame_equal(of(frame).quality().rows, whole.rows, rtol=1e-4)


def test_two_patterns_with_one_mark_are_no_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = of(varied(60)).answers
    monkeypatch.setattr(np, "unique", lambda mark, **_: (mark[:1], np.zeros(1, int), np.zeros(len(mark), int)))
    equal = patterns.earlier_equal(answers)
    assert (equal[1:] == -1).all()


def test_plot_dictionary_and_page() -> None:
    quality = of(datasets.load_survey(messy=True).data).quality()
    left, right = quality.plot()
    assert "straight-lining 3.2 % (13 of 408)" in style.alt(left)
    assert "speeding not checked" in style.alt(left)
    assert style.alt(right).startswith("Map of missing answers: ")
    chinese = quality.plot("zh")
    assert "直线作答 3.2 %（408 中 13）" in style.alt(chinese[0])
    assert style.alt(chinese[1]).startswith("缺失答案分布图：")
    told = quality.to_dict()
    assert told["checks"][4] == {"check": "speeding", "count": None, "of": 408, "threshold": 2.0}
    assert told["rows"]["duplicate id"] == marked(quality, "duplicate id")
    assert "<b>Quality(the DataFrame: " in quality._repr_html_()
