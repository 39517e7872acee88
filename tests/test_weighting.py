"""Weights: published cases, other packages, properties on invented surveys, and files of judgements good and bad."""

import json
import re
from itertools import combinations

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from crmlab import Questionnaire, csi, datasets, weighting
from crmlab.errors import InputError
from crmlab.weighting.levels import Tree

DESIGN = Questionnaire.shipped("course_csi")
OBJECTIVE = {
    "entropy": weighting.entropy,
    "critic": weighting.critic,
    "cv": weighting.coefficient_of_variation,
    "pca": weighting.pca,
}


# ---------------------------------------------------------------------------------------------- published numbers

# Saaty (1980): consumption of drinks in the United States, upper triangle row by row.
DRINKS = ["coffee", "wine", "tea", "beer", "soda", "milk", "water"]
DRINKS_UPPER = [9, 5, 2, 1, 1, "1/2", "1/3", "1/9", "1/9", "1/9", "1/9", "1/3", "1/4", "1/3", "1/9", "1/2", 1, "1/3", 2,
                "1/2", "1/3"]  # fmt: skip
# Tuş & Aytaç Adalı (2019), The new combination with CRITIC and WASPAS methods for the time and attendance software
# selection problem, OPSEARCH 56: five products by six criteria.
SOFTWARE = [
    [5000, 3, 3, 4, 3, 2],
    [680, 5, 3, 2, 2, 1],
    [2000, 3, 2, 3, 4, 3],
    [600, 4, 3, 1, 2, 2],
    [800, 2, 4, 3, 3, 4],
]
# Xu (2004), four alternatives by four criteria.
XU = [[30, 30, 38, 29], [19, 54, 86, 29], [19, 15, 85, 28.9], [68, 70, 60, 29]]
# Guilford (1954), nine vegetables; share who prefer the column to the row. As `veg` in the R package psychTools 2.2.9.
VEGETABLES = ["Turn", "Cab", "Beet", "Asp", "Car", "Spin", "S.Beans", "Peas", "Corn"]
PREFERRED = [
    [0.818, 0.770, 0.811, 0.878, 0.892, 0.899, 0.892, 0.926],
    [0.601, 0.723, 0.743, 0.736, 0.811, 0.845, 0.858],
    [0.561, 0.736, 0.676, 0.845, 0.797, 0.818],
    [0.561, 0.588, 0.676, 0.601, 0.730],
    [0.493, 0.574, 0.709, 0.764],
    [0.628, 0.682, 0.628],
    [0.527, 0.642],
    [0.628],
]


def triangle(names: list[str], upper: list) -> pd.DataFrame:
    """A matrix with only its upper triangle judged."""
    table = pd.DataFrame(None, index=names, columns=names, dtype=object)
    for (first, second), value in zip(combinations(names, 2), upper, strict=True):
        table.loc[first, second] = value
    return table


def vegetables() -> pd.DataFrame:
    shares = pd.DataFrame(0.5, VEGETABLES, VEGETABLES)
    for row, values in enumerate(PREFERRED):
        for column, share in enumerate(values, start=row + 1):
            shares.iloc[row, column], shares.iloc[column, row] = share, 1 - share
    return shares


def test_seven_drinks() -> None:
    """Saaty (1980), p. 40: priorities, λ = 7.1766 and a consistency ratio of .022 with the table of 1980."""
    result = weighting.ahp(triangle(DRINKS, DRINKS_UPPER))
    assert result.weights.round(3).tolist() == [0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327]
    assert list(result.weights.index) == DRINKS
    assert result.lambda_max == pytest.approx(7.1766, abs=5e-5)
    assert round(result.consistency_ratio, 3) == 0.022
    assert result.problems == []
    newer = weighting.ahp(triangle(DRINKS, DRINKS_UPPER), random_index="saaty2005")
    assert newer.consistency_ratio == pytest.approx(result.consistency_ratio * 1.32 / 1.35)


def test_the_tables_of_random_indices() -> None:
    """Saaty (1980), n = 3…9, and Saaty (2005), n = 3…10."""
    assert list(weighting.RANDOM_INDEX["saaty1980"].items()) == list(
        zip(range(3, 10), [0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45], strict=True)
    )
    assert list(weighting.RANDOM_INDEX["saaty2005"].items()) == list(
        zip(range(3, 11), [0.52, 0.89, 1.11, 1.25, 1.35, 1.40, 1.45, 1.49], strict=True)
    )


def test_critic_of_the_software_selection() -> None:
    """Tuş & Aytaç Adalı (2019), Table 6. The paper treats the price (column 1) as a benefit; as a cost it weighs more
    (computed by hand from the same formula with the column reversed).
    """
    assert weighting.critic(pd.DataFrame(SOFTWARE)).round(3).tolist() == pytest.approx(
        [0.157, 0.249, 0.168, 0.121, 0.154, 0.151], abs=5.1e-4
    )
    reversed_price = np.array(SOFTWARE, dtype=float) * [-1, 1, 1, 1, 1, 1]
    scaled = (reversed_price - reversed_price.min(axis=0)) / np.ptp(reversed_price, axis=0)
    information = scaled.std(axis=0, ddof=1) * (1 - np.corrcoef(scaled.T)).sum(axis=0)
    found = weighting.critic(pd.DataFrame(SOFTWARE), cost=[0])
    np.testing.assert_allclose(found, information / information.sum(), rtol=1e-12)
    assert found[0] > 0.157


def test_entropy_of_xu() -> None:
    """Xu (2004): .4630 .3992 .1378 0; the fourth column varies by a tenth in 29."""
    assert weighting.entropy(pd.DataFrame(XU)).round(4).tolist() == [0.4630, 0.3992, 0.1378, 0.0]


def test_thurstone_of_the_vegetables() -> None:
    """Guilford (1954), Case V, as `thurstone(veg)` of the R package psych prints it."""
    scale = weighting.thurstone_case_v(vegetables())
    assert scale.round(2).tolist() == [0, 0.52, 0.65, 0.98, 1.12, 1.14, 1.40, 1.44, 1.63]
    assert scale.attrs["problems"] == []


# --------------------------------------------------------------------------------------------- other packages


def random_answers(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 11, size=(60, 6)).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_entropy_and_critic_as_in_two_packages(seed: int) -> None:
    """pymcdm 1.x and scikit-criteria 0.9 on random answers."""
    from pymcdm import weights as pymcdm
    from skcriteria.preprocessing import weighters

    data = random_answers(seed)
    table = pd.DataFrame(data)
    np.testing.assert_allclose(weighting.entropy(table), pymcdm.entropy_weights(data), rtol=1e-9)
    np.testing.assert_allclose(weighting.entropy(table), weighters.entropy_weights(data), rtol=1e-9)
    np.testing.assert_allclose(weighting.critic(table), pymcdm.critic_weights(data), rtol=1e-9)
    objectives = np.ones(data.shape[1])
    np.testing.assert_allclose(weighting.critic(table), weighters.critic_weights(data, objectives), rtol=1e-9)


def random_judgements(seed: int, n: int = 5) -> np.ndarray:
    """A reciprocal matrix on Saaty's scale, 1/9 … 9."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(n)
    for i, j in combinations(range(n), 2):
        matrix[i, j] = rng.integers(1, 10) ** rng.choice([-1.0, 1.0])
        matrix[j, i] = 1 / matrix[i, j]
    return matrix


@pytest.mark.parametrize("seed", range(5))
def test_ahp_as_in_pymcdm(seed: int) -> None:
    """pymcdm's AHP, principal eigenvector."""
    from pymcdm.weights.subjective import AHP

    matrix = random_judgements(seed)
    np.testing.assert_allclose(weighting.ahp(matrix).weights, AHP(matrix=matrix)(), rtol=1e-6)


def test_weights_of_the_model_are_the_shares_of_chapter_nine() -> None:
    """On equal scales: a share of the range is a share of the unstandardised outer weights."""
    ecsi, mobi = Questionnaire.shipped("ecsi"), datasets.load_mobi()
    shares = csi.estimate(ecsi, mobi, bootstrap=2).loadings.set_index("item")["share"]
    found = weighting.from_model(ecsi, mobi, construct="Quality")
    np.testing.assert_allclose(found, shares.loc[found.index], rtol=1e-9)


def test_factor_score_weights_are_regression_weights() -> None:
    """Thurstone's regression weights ψ λ' Σ⁻¹ of the one-factor model, as the fit's own factor scores have them."""
    from crmlab import sem

    ecsi, mobi = Questionnaire.shipped("ecsi"), datasets.load_mobi()
    items = ["CUSA1", "CUSA2", "CUSA3"]
    scores = sem.fit("F =~ CUSA1 + CUSA2 + CUSA3", mobi[items]).factor_scores()["F"]
    centred = mobi[items] - mobi[items].mean()
    regression, *_ = np.linalg.lstsq(centred.to_numpy(), scores.to_numpy() - scores.mean(), rcond=None)
    found = weighting.from_model(ecsi, mobi, engine="cbsem", construct="Satisfaction")
    np.testing.assert_allclose(found, regression / regression.sum(), rtol=1e-6)


def test_a_factor_model_without_a_solution_is_said() -> None:
    """Loyalty of the mobile-phone survey is a Heywood case."""
    found = weighting.from_model(
        Questionnaire.shipped("ecsi"), datasets.load_mobi(), engine="cbsem", construct="Loyalty"
    )
    assert found.tolist() == [1 / 3] * 3
    assert weighting.problems(found) == [
        "CB-SEM: Loyalty has a factor model without a proper solution (residual variance of CUSL3); its items count "
        "equally."
    ]


# ------------------------------------------------------------------------------------------------- properties

answers = arrays(float, st.tuples(st.integers(4, 20), st.integers(2, 6)), elements=st.integers(1, 10)).filter(
    lambda table: (np.ptp(table, axis=0) > 0).all()
)


@settings(max_examples=60, deadline=None)
@given(answers, st.sampled_from(sorted(OBJECTIVE)))
def test_objective_weights_are_shares(data: np.ndarray, method: str) -> None:
    try:
        weights = OBJECTIVE[method](data)
    except InputError as error:  # CRITIC of items that all repeat each other
        assume("nothing that tells" not in str(error))
        raise
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(answers, st.sampled_from(["entropy", "critic", "cv"]), st.randoms(use_true_random=False))
def test_permuting_items_permutes_weights(data: np.ndarray, method: str, random) -> None:
    table = pd.DataFrame(data).add_prefix("Q")
    order = list(table.columns)
    random.shuffle(order)
    try:
        before = OBJECTIVE[method](table)
    except InputError:
        assume(False)
    np.testing.assert_allclose(OBJECTIVE[method](table[order]), before.loc[order], rtol=1e-9, atol=1e-12)


def test_permuting_items_permutes_the_weights_of_pca() -> None:
    """Apart from the property above: a tie of the first two eigenvalues leaves the component undefined."""
    table = pd.DataFrame(random_answers(3)).add_prefix("Q")
    order = list(table.columns[::-1])
    np.testing.assert_allclose(weighting.pca(table[order]), weighting.pca(table).loc[order], rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(arrays(float, st.integers(2, 8), elements=st.floats(0.05, 20)), st.sampled_from(["eigenvector", "geometric"]))
def test_a_consistent_matrix_returns_its_vector(truth: np.ndarray, method: str) -> None:
    result = weighting.ahp(truth[:, None] / truth, method=method)
    np.testing.assert_allclose(result.weights, truth / truth.sum(), rtol=1e-8)
    assert result.consistency_ratio == pytest.approx(0, abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(arrays(float, st.integers(4, 7), elements=st.floats(0.2, 5)), st.sampled_from(["eigenvector", "geometric"]))
def test_a_chain_of_consistent_judgements_is_enough(truth: np.ndarray, method: str) -> None:
    """Harker (1987): n − 1 connected judgements that do not contradict each other determine the weights."""
    n = len(truth)
    matrix = np.full((n, n), np.nan)
    for i in range(n - 1):
        matrix[i, i + 1] = truth[i] / truth[i + 1]
    result = weighting.ahp(matrix, method=method)
    np.testing.assert_allclose(result.weights, truth / truth.sum(), rtol=1e-7)
    assert f"{n * (n - 1) // 2 - n + 1} of {n * (n - 1) // 2} pairs were not judged" in result.problems[0]


@settings(max_examples=40, deadline=None)
@given(answers, st.integers(1, 10), st.integers(0, 5))
def test_a_constant_item_weighs_nothing_and_it_is_said(data: np.ndarray, value: int, place: int) -> None:
    table = pd.DataFrame(data).add_prefix("Q")
    table.insert(min(place, table.shape[1]), "same", float(value))
    weights = weighting.entropy(table)
    assert weights["same"] == 0
    assert weighting.problems(weights) == [
        f"Item same is constant (every answer is {value}): it tells nobody from anybody else, and entropy gives it the "
        "weight 0."
    ]
    without = weighting.entropy(table.drop(columns="same"))
    np.testing.assert_allclose(weights.drop("same"), without, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(answers, st.floats(0.5, 10), st.floats(-5, 20))
def test_critic_does_not_see_units_and_origin(data: np.ndarray, scale: float, shift: float) -> None:
    try:
        before = weighting.critic(data)
    except InputError:
        assume(False)
    np.testing.assert_allclose(weighting.critic(data * scale + shift), before, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("method", ["entropy", "cv"])
def test_entropy_and_variation_see_the_origin_but_not_the_unit(method: str) -> None:
    """1–5 against 0–4 against 10–50."""
    data = np.random.default_rng(0).integers(1, 6, size=(200, 4)) * 1.0
    data[:, 0] = np.minimum(data[:, 0] + 1, 5)
    function = OBJECTIVE[method]
    np.testing.assert_allclose(function(data * 10), function(data), rtol=1e-9)
    assert np.abs(function(data - 1) - function(data)).max() > 0.01


def test_missing_answers_are_left_out_item_by_item() -> None:
    table = pd.DataFrame({"Q1": [1, 2, 3, np.nan], "Q2": [4.0, 2, 5, 1]})
    weights = weighting.coefficient_of_variation(table)
    raw = pd.Series({"Q1": 1 / 2, "Q2": np.std([4, 2, 5, 1], ddof=1) / 3})
    np.testing.assert_allclose(weights, raw / raw.sum())
    assert weighting.problems(weights) == ["coefficient of variation: 1 missing answers were left out item by item."]


def test_principal_components_by_hand() -> None:
    """Loadings of the correlation matrix's first eigenvector; an item that runs against the others is named."""
    table = pd.DataFrame(random_answers(1)).add_prefix("Q")
    table["Q5"] = 11 - table["Q0"] + np.random.default_rng(0).normal(0, 0.1, len(table))
    values, vectors = np.linalg.eigh(np.corrcoef(table.T))
    expected = np.abs(vectors[:, -1]) / np.abs(vectors[:, -1]).sum()
    weights = weighting.pca(table)
    np.testing.assert_allclose(weights, expected, rtol=1e-9)
    assert any("runs against the first principal component" in problem for problem in weighting.problems(weights))
    kept = values > 1
    several = np.abs(vectors[:, kept]) @ values[kept]
    np.testing.assert_allclose(weighting.pca(table, components="kaiser"), several / several.sum(), rtol=1e-9)


# -------------------------------------------------------------------------------------------- judges and pairs


def test_the_spoiling_judgement_is_found_and_nothing_repaired() -> None:
    """A consistent matrix with one entry turned round: that entry is named, and the old value proposed."""
    truth = np.array([8, 4, 2, 1])
    matrix = truth[:, None] / truth
    matrix[0, 2], matrix[2, 0] = 1 / 4, 4
    result = weighting.ahp(pd.DataFrame(matrix, list("abcd"), list("abcd")))
    worst = result.judgements.iloc[0]
    assert (worst["first"], worst["second"]) == ("a", "c")
    assert worst["implied"] == pytest.approx(4)
    assert (worst["proposal"], worst["consistency_ratio"]) == (4, pytest.approx(0, abs=1e-9))
    assert result.matrix.loc["a", "c"] == 0.25
    assert result.problems == [
        f"The comparisons contradict each other (consistency ratio {result.consistency_ratio:.3f}, above 0.10; table "
        "saaty1980). Most of all: a against c is judged 1/4, the other judgements imply 4. With 4 the ratio would be "
        "0.000. Ask the judge; nothing was changed."
    ]


def test_judges_are_combined_in_two_ways() -> None:
    """Geometric mean of the judgements, entry by entry, and of the priorities (Aczél & Saaty 1983); the geometric
    method makes both the same (Barzilai & Golany 1994).
    """
    judges = {name: random_judgements(seed, 4) for seed, name in enumerate(("Li", "Wang", "Zhao"))}
    mean = np.exp(np.mean([np.log(matrix) for matrix in judges.values()], axis=0))
    group = weighting.ahp(judges)
    np.testing.assert_allclose(group.weights, weighting.ahp(mean).weights, rtol=1e-9)
    assert list(group.judges.index) == ["Li", "Wang", "Zhao"]
    own = np.log([weighting.ahp(matrix).weights for matrix in judges.values()]).mean(axis=0)
    priorities = weighting.ahp(judges, aggregate="priorities").weights
    np.testing.assert_allclose(priorities, np.exp(own) / np.exp(own).sum(), rtol=1e-9)
    one = weighting.ahp(judges, method="geometric").weights
    other = weighting.ahp(judges, method="geometric", aggregate="priorities").weights
    np.testing.assert_allclose(one, other, rtol=1e-9)


def test_rounded_reciprocals_are_read_as_fractions() -> None:
    exact = weighting.ahp([[1, 3], ["1/3", 1]]).weights
    assert exact.tolist() == pytest.approx([0.75, 0.25])
    assert weighting.ahp([[1, 3], [0.33, 1]]).weights.tolist() == exact.tolist()


@pytest.mark.parametrize(
    ("matrix", "told"),
    [
        ([[1, 3], [3, 1]], "one judge: 0 against 1 is 3, and 1 against 0 is 3; expected 0.333 there, the reciprocal"),
        ([[1, -2], [None, 1]], "one judge, 0 against 1: found -2; expected a number above 0 or a fraction such as 1/3"),
        ([[1, "1/0"], [None, 1]], "found '1/0'; expected a number above 0"),
        ([[2, 3], [None, 1]], "0 against itself is 2; expected 1"),
        ([[1, 2, 3], [1, 1, 1]], "the matrix of one judge is 2 × 3; expected as many columns as rows"),
        ([[1]], "has 1 item; expected two or more"),
        (
            [[1, 2, None], [None, 1, None], [None, None, 1]],
            "the pairs judged connect 2 with none of the other items; expected a chain",
        ),
    ],
)
def test_what_ahp_cannot_read(matrix: list, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        weighting.ahp(matrix)


def test_unknown_options_list_the_known_ones() -> None:
    with pytest.raises(InputError, match="ahp: random_index is 'saaty'; choose one of saaty1980, saaty2005"):
        weighting.ahp(np.ones((3, 3)), random_index="saaty")
    with pytest.raises(InputError, match="ahp: method is 'power'; choose one of eigenvector, geometric"):
        weighting.ahp(np.ones((3, 3)), method="power")


def test_too_many_items_have_no_consistency_ratio_and_it_is_said() -> None:
    result = weighting.ahp(np.ones((10, 10)))
    assert np.isnan(result.consistency_ratio)
    assert result.problems[0].startswith("There is no random index for 10 items in the table saaty1980")
    assert weighting.ahp(np.ones((10, 10)), random_index="saaty2005").consistency_ratio == pytest.approx(0, abs=1e-12)


def choices(order: str, points: int = 1) -> pd.DataFrame:
    """A judge who prefers earlier letters to later ones."""
    names = sorted(order)
    table = pd.DataFrame(0.0, names, names)
    for first, second in combinations(order, 2):
        table.loc[first, second] = points
    return table


def test_forced_choices_are_counted() -> None:
    result = weighting.forced_choice(choices("cab"))
    assert result.scores.iloc[0].to_dict() == {"a": 1, "b": 0, "c": 2}
    assert result.weights.round(3).to_dict() == {"a": 0.333, "b": 0, "c": 0.667}
    assert result.problems == ["b loses every pair and gets the weight 0; add=1 gives every item one point more."]
    assert weighting.forced_choice(choices("cab"), add=1).weights.to_dict() == {"a": 2 / 6, "b": 1 / 6, "c": 3 / 6}
    four = weighting.forced_choice(pd.DataFrame([[0, 3], [1, 0]], list("ab"), list("ab")), points=4)
    assert four.weights.to_dict() == {"a": 0.75, "b": 0.25}


def test_agreement_and_circles() -> None:
    """Kendall & Babington Smith (1940): u = 1 when all agree, −1 for two opposite judges; the circle a > b > c > a is
    the one circular triad there can be among three.
    """
    assert weighting.forced_choice({"Li": choices("abcd"), "Wang": choices("abcd")}).agreement == 1
    assert weighting.forced_choice({"Li": choices("abcd"), "Wang": choices("dcba")}).agreement == -1
    circle = pd.DataFrame([[0, 1, 0], [0, 0, 1], [1, 0, 0]], list("abc"), list("abc"))
    judge = weighting.forced_choice(circle).judges.iloc[0]
    assert judge.to_dict() == {"circular_triads": 1, "consistence": 0}
    assert weighting.forced_choice(choices("abcde")).judges.iloc[0].to_dict() == {
        "circular_triads": 0,
        "consistence": 1,
    }


def test_from_forced_choices_to_a_scale() -> None:
    """Three of four judges prefer a to b: the distance is Φ⁻¹(.75)."""
    judges = {f"judge {number}": choices("ab" if number else "ba") for number in range(4)}
    scale = weighting.thurstone_case_v(weighting.forced_choice(judges).proportions)
    assert scale.to_dict() == {"a": pytest.approx(norm.ppf(0.75)), "b": 0}


def test_unanimous_shares_are_clipped_and_it_is_said() -> None:
    shares = pd.DataFrame([[0.5, 1.0], [0.0, 0.5]], list("ab"), list("ab"))
    scale = weighting.thurstone_case_v(shares, clip=0.05)
    assert scale["b"] == pytest.approx(norm.ppf(0.95))
    assert scale.attrs["problems"] == [
        "Everybody, or nearly everybody, prefers b to a (1): the distance is endless, and the share was taken as 0.95. "
        "More judges would tell."
    ]


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ([[0.5, 70], [30, 0.5]], "row 0, column 1: found 70; expected a share from 0 to 1. Divide percentages by 100."),
        ([[0.5, 0.7], [0.7, 0.5]], "0 and 1: the shares 0.7 and 0.7 do not add up to 1"),
    ],
)
def test_shares_that_are_none(shares: list, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        weighting.thurstone_case_v(shares)


def test_direct_comparison_is_a_chain() -> None:
    """a is twice b, b three times c: 6, 3, 1 of 10. Two judges: geometric means."""
    assert weighting.direct_comparison({"a": 2, "b": 3, "c": None}).tolist() == [0.6, pytest.approx(0.3), 0.1]
    two = weighting.direct_comparison({"Li": {"a": 2, "b": None}, "Wang": {"a": 8, "b": None}})
    assert two.to_dict() == {"a": pytest.approx(0.8), "b": pytest.approx(0.2)}


def test_judges_who_disagree_are_not_averaged_in_silence() -> None:
    ratings = pd.DataFrame({"a": [60, 10], "b": [30, 30], "c": [10, 60]}, index=["Li", "Wang"])
    weights = weighting.direct_rating(ratings)
    assert weights.tolist() == pytest.approx([0.35, 0.3, 0.35])
    assert weighting.problems(weights)[0].startswith(
        "direct rating: the 2 judges agree little on the order (Kendall's W 0.00, p = 1.00)"
    )


@pytest.mark.parametrize(
    ("function", "given_values", "told"),
    [
        (
            weighting.direct_rating,
            {"a": -1, "b": 3},
            "judge one judge gives a -1; expected a number of points, 0 or more",
        ),
        (weighting.direct_rating, {"a": 0, "b": 0}, "judge one judge gives 0 points to every item"),
        (
            weighting.direct_comparison,
            {"a": 0.5, "b": None},
            "a against b: found 0.5; expected how many times as important",
        ),
        (weighting.direct_comparison, {"a": 2, "b": 3}, "b: found 3; nothing comes after the last item"),
    ],
)
def test_judgements_that_are_none(function, given_values: dict, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        function(given_values)


# ------------------------------------------------------------------------------------------------- four levels


@settings(max_examples=25, deadline=None)
@given(arrays(float, 22, elements=st.floats(0.01, 10)))
def test_weights_sum_to_one_on_every_level(raw: np.ndarray) -> None:
    weights = pd.Series(raw, DESIGN.items.index)
    table = weighting.roll_up(weights, DESIGN)
    assert table.groupby("level")["global"].sum().tolist() == pytest.approx([1, 1, 1, 1])
    assert table[table["level"] > 1].groupby("parent")["local"].sum().tolist() == pytest.approx(
        [1] * table.loc[table["level"] > 1, "parent"].nunique()
    )
    # Local weights of every node, multiplied on the way down, are the weights one started from.
    local = {parent: own.set_index("node")["local"] for parent, own in table[table["level"] > 1].groupby("parent")}
    np.testing.assert_allclose(weighting.roll_down(local, DESIGN), weights / weights.sum(), rtol=1e-9)


def test_what_nobody_weighed_is_weighed_equally_and_named() -> None:
    weights = weighting.roll_down({}, DESIGN, method="rating")
    assert weights.groupby(DESIGN.items["construct"]).sum().tolist() == pytest.approx([1 / 6] * 6)
    assert weights[["PQ1", "PQ7"]].tolist() == pytest.approx([1 / 42] * 2)
    assert weighting.problems(weights)[0].startswith("rating: nobody weighed what is below index, ExpectedQuality")


def test_the_tree_of_one_construct() -> None:
    assert Tree.of(DESIGN, "Satisfaction").items == ["SA1", "SA2", "SA3"]
    with pytest.raises(InputError, match="construct: found 'Joy'; expected one of ExpectedQuality"):
        Tree.of(DESIGN, "Joy")


# ------------------------------------------------------------------------------------------------- comparison


@pytest.fixture(scope="module")
def shops():
    return weighting.compare(DESIGN, datasets.load_survey().data, by="store")


def test_every_weighting_gives_an_index_of_its_own(shops) -> None:
    """The formula of Fornell et al. (1996), written out: 100 Σ w (x̄ − 1) / 9 on a scale of 1 to 10."""
    means = datasets.load_survey().data[list(DESIGN.items.index)].mean()
    for method, weights in shops.weights.items():
        assert weights.sum() == pytest.approx(1)
        assert shops.index.loc[method, "index"] == pytest.approx(100 * (weights * (means - 1)).sum() / 9)
    assert list(shops.weights) == ["equal", *["entropy", "coefficient of variation", "CRITIC", "PCA", "PLS", "CB-SEM"]]
    assert shops.index.loc["equal", ["difference", "difference_ci_lower"]].tolist() == [0, 0]
    se = shops.scores["CRITIC"].std() / 400**0.5
    margin = (shops.index["ci_upper"] - shops.index["index"])["CRITIC"]
    assert margin == pytest.approx(1.9659 * se, rel=1e-4), "97.5 % point of t with 399 degrees of freedom"


def test_the_index_of_one_construct_is_that_of_chapter_nine() -> None:
    """72.454 with PLS weights and 71.970 with equal weights (seminr 0.2.1 and the formula of Fornell et al. 1996)."""
    found = weighting.compare(Questionnaire.shipped("ecsi"), datasets.load_mobi(), construct="Satisfaction")
    assert found.index.loc["PLS", "index"] == pytest.approx(72.454, abs=1e-3)
    assert found.index.loc["equal", "index"] == pytest.approx(71.970, abs=1e-3)


def test_scales_of_different_length_count_alike() -> None:
    """A weight is a share of the range: an item on 0–100 is not worth ten of the same item on 0–10."""
    text = DESIGN.text
    wide = text.replace("SA1: {en:", "SA1: {scale: {min: 10, max: 100}, en:")
    assert wide != text
    data = datasets.load_survey().data
    stretched = data.assign(SA1=data["SA1"] * 10)
    before = weighting.compare(DESIGN, data, construct="Satisfaction")
    after = weighting.compare(Questionnaire.from_text(wide), stretched, construct="Satisfaction")
    for method in ("equal", "CRITIC", "PCA", "PLS", "CB-SEM"):
        assert after.index.loc[method, "index"] == pytest.approx(before.index.loc[method, "index"], rel=1e-4), method


def test_groups_are_ranked_under_every_method(shops) -> None:
    table = shops.by_group
    for _, own in table.groupby("method"):
        assert (own.sort_values("index", ascending=False)["rank"].tolist()) == [1, 2, 3]
    assert (np.diag(shops.group_agreement) == 1).all()
    assert json.loads(json.dumps(shops.to_dict(), allow_nan=False))["n"] == 400


def test_sensitivity_by_hand(shops) -> None:
    shaken = shops.sensitivity("equal", change=0.5, draws=2000, seed=3)
    row = shaken.swings.set_index("node").loc["Loyalty"]
    means = 100 * (datasets.load_survey().data[list(DESIGN.items.index)].mean() - 1) / 9
    loyal = [item for item in means.index if item.startswith("LO")]
    weights = pd.Series(1.0, means.index)
    weights[loyal] = 1.5
    weights[weights.index.difference(loyal)] = (22 - 4.5) / 19
    assert row["index_high"] == pytest.approx((weights * means).sum() / 22)
    assert row["weight"] == pytest.approx(3 / 22)
    assert shaken.noise["mean"] == pytest.approx(shaken.index, abs=4 * shaken.noise["sd"] / 2000**0.5)
    assert shaken.ranks.sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    again = shops.sensitivity("equal", change=0.5, draws=2000, seed=3)
    pd.testing.assert_frame_equal(again.ranks, shaken.ranks)


def test_random_weights_are_as_wide_as_they_say() -> None:
    """An average weight has the coefficient of variation asked for: two items, sd(index) = change · |m₁ − m₂| / 2."""
    text = DESIGN.text
    data = datasets.load_survey().data
    means = 100 * (data[["CO1", "CO2"]].mean() - 1) / 9
    found = weighting.sensitivity(
        pd.Series(0.5, ["CO1", "CO2"]), Questionnaire.from_text(text), data, construct="Complaints", draws=20_000
    )
    assert found.noise["sd"] == pytest.approx(0.5 * 0.2 * abs(means["CO1"] - means["CO2"]), rel=0.02)


def test_a_survey_in_which_weights_decide_the_order() -> None:
    """Two branches, equal under equal weights but for a trifle; each is better where the other is worse."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({item: rng.integers(4, 8, 200) for item in DESIGN.items.index})
    data["respondent"], data["store"] = range(200), ["North", "South"] * 100
    north = data["store"] == "North"
    data.loc[north, ["SA1", "SA2", "SA3"]] += 2
    data.loc[~north, ["LO1", "LO2", "LO3"]] += 2
    heavy = {name: pd.Series(1.0, DESIGN.items.index) for name in ("satisfaction first", "loyalty first")}
    heavy["satisfaction first"][["SA1", "SA2", "SA3"]] = 5
    heavy["loyalty first"][["LO1", "LO2", "LO3"]] = 5
    found = weighting.compare(DESIGN, data, by="store", extra=heavy)
    assert found.ranks().loc["North", ["satisfaction first", "loyalty first"]].tolist() == [1, 2]
    assert found.group_agreement.loc["satisfaction first", "loyalty first"] == -1
    assert any(problem.startswith("The order of the groups depends on the weights") for problem in found.problems)


def test_combined_weights() -> None:
    one, other = pd.Series({"a": 0.6, "b": 0.4}), pd.Series({"b": 0.5, "a": 0.5})
    assert weighting.combine(one, other).to_dict() == {"a": pytest.approx(0.6), "b": pytest.approx(0.4)}
    assert weighting.combine(one, other, kind="linear", share=0.25)["a"] == pytest.approx(0.25 * 0.6 + 0.75 * 0.5)
    with pytest.raises(InputError, match="only one of the two weighs c"):
        weighting.combine(one, pd.Series({"a": 1, "b": 1, "c": 1}))
    with pytest.raises(InputError, match="combine: kind is 'sum'; choose one of product, linear"):
        weighting.combine(one, other, kind="sum")


def test_hostile_answers_are_named() -> None:
    table = pd.DataFrame({"Q1": [1, 2, "many"], "Q2": [1, 2, 3]})
    with pytest.raises(InputError, match="entropy: item Q1, row 2: found 'many'; expected a number"):
        weighting.entropy(table)
    with pytest.raises(InputError, match="item Q1, row 1: found -2; expected answers of 0 or more"):
        weighting.entropy(pd.DataFrame({"Q1": [1, -2], "Q2": [1, 2]}))
    with pytest.raises(InputError, match="found nothing that tells Q1, Q2 apart"):
        weighting.pca(pd.DataFrame({"Q1": [3, 3], "Q2": [4, 4]}))
    with pytest.raises(InputError, match="found 1 item; expected at least two"):
        weighting.critic(pd.DataFrame({"Q1": [3, 4]}))


# --------------------------------------------------------------------------------------------- judgement files

GOOD = """crmlab_judgements: 1
judgements:
  - judge: Li
    of: Satisfaction
    method: pairwise
    values: {SA1 vs SA2: 3, SA1 vs SA3: 6, SA2 vs SA3: 2}
  - judge: Wang
    of: Satisfaction
    method: pairwise
    values: {SA2 vs SA1: 1/3, SA1 vs SA3: 6, SA2 vs SA3: 2}
  - judge: Li
    of: PerceivedQuality
    method: rating
    values: {Goods: 40, Service: 30, Environment: 20, Checkout: 10}
  - judge: Li
    of: Loyalty
    method: comparison
    values: {LO2: 1.5, LO1: 2, LO3: }
  - judge: Li
    of: Complaints
    method: choice 0-4
    values: {CO1 vs CO2: 3}
  - judge: Li
    of: PerceivedValue
    method: choice 0-1
    values: {PV1 vs PV2: 1, PV1 vs PV3: 1, PV2 vs PV3: 0}
"""


def read(tmp_path, text: str) -> weighting.Judgements:
    file = tmp_path / "judges.yaml"
    file.write_text(text, encoding="utf-8")
    return weighting.read_judgements(file, DESIGN)


def test_a_file_of_judgements_becomes_local_weights(tmp_path) -> None:
    judged = read(tmp_path, GOOD)
    assert judged.judges == ["Li", "Wang"]
    assert judged.methods == ["rating", "comparison", "pairwise", "choice 0-1", "choice 0-4"]
    local = {method: judged.local(method) for method in judged.methods}
    assert local["pairwise"]["Satisfaction"].to_dict() == pytest.approx({"SA1": 2 / 3, "SA2": 2 / 9, "SA3": 1 / 9})
    goods = local["rating"]["PerceivedQuality"]
    assert goods["PerceivedQuality / Goods"] == pytest.approx(0.4)
    assert local["comparison"]["Loyalty"].to_dict() == pytest.approx({"LO2": 0.5, "LO1": 1 / 3, "LO3": 1 / 6})
    assert local["choice 0-4"]["Complaints"].to_dict() == {"CO1": 0.75, "CO2": 0.25}
    assert local["choice 0-1"]["PerceivedValue"].to_dict() == pytest.approx({"PV1": 3 / 6, "PV2": 1 / 6, "PV3": 2 / 6})
    quality = judged.quality()
    assert quality[quality["of"] == "Satisfaction"]["consistency_ratio"].tolist() == pytest.approx([0, 0], abs=1e-12)


def test_judged_weights_go_down_the_levels_and_into_the_comparison(tmp_path) -> None:
    found = weighting.compare(DESIGN, datasets.load_survey().data, judgements=read(tmp_path, GOOD))
    rating = found.weights["direct rating"]
    assert rating[["PQ1", "PQ2"]].tolist() == pytest.approx([0.4 / 6 / 2] * 2)
    assert "combined" in found.weights
    critic_weights = found.weights["CRITIC"]
    judges = found.weights[["direct rating", "direct comparison", "AHP", "forced choice 0–1", "forced choice 0–4"]]
    product = judges.mean(axis=1) * critic_weights
    np.testing.assert_allclose(found.weights["combined"], product / product.sum(), rtol=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("SA1 vs SA2: 3", "SA1 vs SA2: 0",
         "judges.yaml, line 6: judge Li, pairwise, SA1 vs SA2: found 0; expected a number from 1/9 to 9, or a fraction "
         "such as 1/3. Correct the value."),
        ("SA2 vs SA1: 1/3", "SA2 vs SA1: eins", "line 10: judge Wang, pairwise, SA2 vs SA1: found 'eins'; expected a"),
        ("SA1 vs SA2: 3", "SA1 vs SA9: 3", "line 6: judge Li: found 'SA9'; did you mean 'SA3'? expected what is below"),
        ("SA1 vs SA2: 3", "SA1 vs SA1: 3", "SA1 vs SA1: an item is compared with itself"),
        ("of: Loyalty", "of: Loyal", "line 18: judge Li: found 'Loyal' under 'of'; did you mean 'Loyalty'? expected"),
        ("method: rating", "method: points", "line 14: judge Li: found the method 'points'; expected one of rating"),
        ("Goods: 40, ", "", "line 14: judge Li, rating, below PerceivedQuality: PerceivedQuality / Goods is missing"),
        ("Goods: 40", "Goods: -4", "judge Li, rating, Goods: found -4; expected points, 0 or more"),
        ("LO1: 2", "LO1: ", "line 18: judge Li, comparison, below Loyalty: LO1 has no ratio to the next. Fill it in."),
        ("PV2 vs PV3: 0", "PV2 vs PV1: 0", "PV2 vs PV1 stands here a second time (first: line 26)"),
        (", PV2 vs PV3: 0", "", "below PerceivedValue: PV2 vs PV3 is missing. Ask the judge to choose."),
        ("CO1 vs CO2: 3", "CO1 vs CO2: 5", "choice 0-4, CO1 vs CO2: found 5; expected 0, 1, 2, 3 or 4"),
        ("judge: Wang\n", "judge: \n", "line 10: found no judge"),
        ("values: {CO1", "value: {CO1", "line 19: the key 'values' is missing"),
        ("crmlab_judgements: 1", "crmlab_judgement: 1", "found the unknown key 'crmlab_judgement'; did you mean"),
        ("values: {LO2: 1.5", "values: {LO2: [", "this is not readable YAML"),
    ],
)  # fmt: skip
def test_faults_of_a_judgement_file_are_told_with_their_place(tmp_path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as error:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert told in str(error.value)


def test_several_faults_are_told_at_once(tmp_path) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, GOOD.replace("SA1 vs SA2: 3", "SA1 vs SA2: 0").replace("Goods: 40", "Goods: lots"))
    assert str(error.value).startswith("judges.yaml has 2 errors:\n  line 6: ")


def test_other_files_are_refused(tmp_path) -> None:
    (tmp_path / "judges.csv").write_text("judge")
    with pytest.raises(InputError, match=r"judges\.csv is no \.yaml or \.xlsx file"):
        weighting.read_judgements(tmp_path / "judges.csv", DESIGN)
    with pytest.raises(InputError, match="does not exist"):
        weighting.read_judgements(tmp_path / "absent.yaml", DESIGN)
    (tmp_path / "broken.xlsx").write_bytes(b"PK no workbook")
    with pytest.raises(InputError, match=r"broken\.xlsx: this workbook cannot be read"):
        weighting.read_judgements(tmp_path / "broken.xlsx", DESIGN)


@pytest.mark.parametrize("method", ["rating", "comparison", "pairwise", "choice 0-1", "choice 0-4"])
def test_a_blank_workbook_is_filled_in_and_read_back(tmp_path, method: str) -> None:
    file = tmp_path / "judges.xlsx"
    weighting.write_judgement_workbook(DESIGN, file, judges=["Li", "王芳"], method=method)
    book = openpyxl.load_workbook(file)
    sheet = book["judgements"]
    rows = list(sheet.iter_rows(min_row=2))
    for number, row in enumerate(rows):
        last = number + 1 == len(rows) or rows[number + 1][1].value != row[1].value
        row[5].value = None if method == "comparison" and last else {"pairwise": "1/3"}.get(method, 1)
    book.save(file)
    judged = weighting.read_judgements(file, DESIGN)
    assert judged.judges == ["Li", "王芳"]
    local = judged.local(method)
    assert list(local) == ["index", *DESIGN.constructs.index]
    assert all(weights.sum() == pytest.approx(1) for weights in local.values())
    if method in ("rating", "comparison"):
        assert local["Satisfaction"].tolist() == pytest.approx([1 / 3] * 3)


def test_what_is_left_empty_in_a_workbook_is_not_judged(tmp_path) -> None:
    file = tmp_path / "judges.xlsx"
    weighting.write_judgement_workbook(DESIGN, file, judges=["Li"])
    with pytest.raises(InputError, match=r"judges\.xlsx: found no judgement"):
        weighting.read_judgements(file, DESIGN)


def test_a_fraction_that_a_spreadsheet_made_a_date_is_named(tmp_path) -> None:
    file = tmp_path / "judges.xlsx"
    weighting.write_judgement_workbook(DESIGN, file, judges=["Li"], nodes=["Complaints"])
    book = openpyxl.load_workbook(file)
    book["judgements"].cell(2, 6).value = pd.Timestamp("2026-01-03").to_pydatetime()
    book.save(file)
    with pytest.raises(InputError) as error:
        weighting.read_judgements(file, DESIGN)
    assert str(error.value) == (
        "judges.xlsx, row 2: judge Li, pairwise, CO1 vs CO2: the spreadsheet has made a date of this cell "
        "(2026-01-03), probably of a fraction; expected a number from 1/9 to 9, or a fraction such as 1/3. Type =1/3, or 0.333."
    )


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("method", "boxes"), [("pairwise", 9), ("choice 0-1", 2), ("choice 0-4", 5)])
def test_a_sheet_has_a_line_for_every_pair(tmp_path, language: str, method: str, boxes: int) -> None:
    file = tmp_path / "sheet.html"
    weighting.write_judgement_sheet(DESIGN, file, method=method, language=language)
    page = file.read_text(encoding="utf-8")
    pairs = sum(n * (n - 1) // 2 for n in (6, 4, 7, 3, 3, 2, 3))
    assert page.count('<tr class="pair">') == pairs
    assert page.count('class="box"') == pairs * boxes
    assert DESIGN.label("SA1", language) in page
    assert not re.search(r"https?://|<script|src=", page)


def test_labels_on_a_sheet_are_escaped(tmp_path) -> None:
    text = DESIGN.text.replace("en: Perceived quality", "en: <script>alert(1)</script>")
    assert text != DESIGN.text
    weighting.write_judgement_sheet(Questionnaire.from_text(text), tmp_path / "s.html", nodes=["index"])
    assert "<script" not in (tmp_path / "s.html").read_text(encoding="utf-8")


def test_a_node_or_method_without_a_sheet_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match="nodes: found 'Joy'; expected some of index"):
        weighting.write_judgement_sheet(DESIGN, tmp_path / "s.html", nodes=["Joy"])
    with pytest.raises(InputError, match="method is 'vote'; choose one of rating"):
        weighting.write_judgement_workbook(DESIGN, tmp_path / "s.xlsx", judges=["Li"], method="vote")
