"""Polychoric correlations and Γ: against lavaan and polycor, quadrature and simulation, and what must not matter.

Files in tests/reference/polychoric, with their origin in its README.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from crmlab.datasets import load_mobi
from crmlab.sem import SemError, polychoric_answers, polychoric_likelihood
from crmlab.sem.polychoric import ordinal_moments, polychoric
from crmlab.sem.polychoric_likelihood import bivariate_cdf, bivariate_density

REFERENCE = Path(__file__).parent / "reference" / "polychoric"
MIXED = ["agree", "yes", "rating"]
CASES = [
    ("ordinal", "ordinal", None, "listwise"),
    ("holes_listwise", "holes", None, "listwise"),
    ("holes_pairwise", "holes", None, "pairwise"),
    ("mixed", "mixed", MIXED, "listwise"),
    ("mixed_holes_pairwise", "mixed_holes", MIXED, "pairwise"),
    ("binary", "binary", None, "listwise"),
    ("contradicted", "contradicted", None, "listwise"),
    ("gap", "gap", None, "listwise"),
]


def answers(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / f"{name}.csv")


def cut_normals(rng, n, correlation, *cuts):
    """Answers of n respondents: correlated normals cut into categories 1, 2, …; None leaves a column continuous."""
    normal = rng.multivariate_normal(np.zeros(len(cuts)), correlation, size=n)
    columns = [x if cut is None else np.digitize(x, cut) + 1 for x, cut in zip(normal.T, cuts, strict=True)]
    return pd.DataFrame(dict(zip("abcdefgh", columns, strict=False)))


def likert(seed=1, n=200):
    """Five Likert items of one trait, with 2 to 5 categories."""
    rng = np.random.default_rng(seed)
    cuts = [0.2], [-0.7, 0.6], [-1, 0, 1], [-1.2, -0.4, 0.4, 1.2], [-1, 0, 1]
    return cut_normals(rng, n, 0.5 + 0.5 * np.eye(5), *cuts)


# ------------------------------------------------------------------------------------------------ against others


@pytest.mark.parametrize(("case", "data", "ordered", "missing"), CASES, ids=[case for case, *_ in CASES])
def test_statistics_and_gamma_are_lavaans(case, data, ordered, missing):
    reference = pd.read_csv(REFERENCE / f"{case}.lavaan.csv", index_col="label")
    moments = ordinal_moments(answers(data), ordered, missing=missing)
    assert moments.labels == tuple(reference.index)
    gamma = reference.drop(columns="statistic").to_numpy()
    unit = np.sqrt(np.diagonal(gamma))  # standard deviations: columns in money and columns in categories
    np.testing.assert_allclose(moments.statistics / unit, reference["statistic"] / unit, rtol=0, atol=1e-7)
    np.testing.assert_allclose(moments.gamma / np.outer(unit, unit), gamma / np.outer(unit, unit), rtol=0, atol=1e-6)


def test_a_mobile_survey_is_as_in_lavaan():
    reference = pd.read_csv(REFERENCE / "mobi5.lavaan.csv", index_col="label")
    moments = ordinal_moments(np.digitize(load_mobi(), [6, 8, 9, 10]) + 1, names=list(load_mobi().columns))
    assert moments.labels == tuple(reference.index)
    np.testing.assert_allclose(moments.statistics, reference["statistic"], rtol=0, atol=1e-7)
    np.testing.assert_allclose(np.diagonal(moments.gamma), reference["gamma"], rtol=1e-6)


def test_correlations_are_polycors():
    """polycor stops its one-dimensional search at about 1e-5."""
    reference = pd.read_csv(REFERENCE / "ordinal.polycor.csv").to_numpy()
    np.testing.assert_allclose(polychoric(answers("ordinal")).correlations, reference, rtol=0, atol=5e-5)


@pytest.mark.parametrize("rho", [-0.999, -0.5, 0.0, 0.3, 0.95, 0.999])
@pytest.mark.parametrize(("h", "k"), [(0.0, 0.0), (0.0, 1.3), (-0.7, 0.0), (1.1, -0.4), (-2.5, -1.9), (0.8, 0.8)])
def test_bivariate_normal_probability_is_the_integral_of_its_density(h, k, rho):
    """∫ φ(x)·Φ((k − ρx)/√(1 − ρ²)) dx up to h, by adaptive quadrature."""
    root = np.sqrt(1 - rho**2)
    expected, _ = integrate.quad(
        lambda x: stats.norm.pdf(x) * stats.norm.cdf((k - rho * x) / root), -12, h, epsabs=1e-13, limit=500, points=[-k]
    )
    found = bivariate_cdf(np.array([h]), np.array([k]), np.array([rho]))[0]
    assert found == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("rho", [-0.8, 0.0, 0.4, 0.97])
def test_bivariate_densities_are_slopes(rho):
    h, k = (grid.ravel() for grid in np.meshgrid([-1.5, 0.0, 0.7], [-0.6, 0.0, 2.0]))
    step = 1e-4 * np.array([[-1.0], [1.0]])
    below, above = bivariate_cdf(h, k, rho + step)
    density, slope = bivariate_density(h, k, np.full(9, rho))
    np.testing.assert_allclose((above - below) / 2e-4, density, rtol=1e-4, atol=1e-9)
    below, above = bivariate_density(h, k, rho + step)[0]
    np.testing.assert_allclose((above - below) / 2e-4, slope, rtol=1e-4, atol=1e-6)


def test_a_two_by_two_table_gives_the_tetrachoric_correlation():
    """The ρ at which the normal quadrant, by quadrature, holds the observed share of the table."""
    counts = np.array([[52, 21], [13, 64]])
    first, second = np.repeat([0, 0, 1, 1], counts.ravel()), np.repeat([0, 1, 0, 1], counts.ravel())
    h, k = stats.norm.ppf([counts[0].sum() / 150, counts[:, 0].sum() / 150])

    def quadrant(rho):
        root = np.sqrt(1 - rho**2)
        return integrate.quad(lambda x: stats.norm.pdf(x) * stats.norm.cdf((k - rho * x) / root), -np.inf, h)[0]

    expected = optimize.brentq(lambda rho: quadrant(rho) - 52 / 150, -0.99, 0.99, xtol=1e-12)
    correlations, thresholds = polychoric(np.column_stack([first, second]))
    assert correlations.loc["x1", "x2"] == pytest.approx(expected, abs=1e-8)
    np.testing.assert_allclose([thresholds["x1"][0], thresholds["x2"][0]], [h, k])


def test_polyserial_correlation_maximises_the_likelihood_whatever_the_unit():
    """An outlier and a large unit, where lavaan 0.6-14 leaves respondents out of the likelihood (see the README)."""
    rng = np.random.default_rng(3)
    data = cut_normals(rng, 150, [[1, 0.4], [0.4, 1]], None, [-0.5, 0.8])
    data["a"] = np.exp(1.8 * data["a"]) * 10_000
    z = (data["a"] - data["a"].mean()) / data["a"].std(ddof=0)
    assert z.max() > 5
    cuts = stats.norm.ppf([0, *np.cumsum(data["b"].value_counts(sort=False, normalize=True).sort_index())[:2], 1])

    def minus_log_likelihood(rho):
        upper, lower = ((cuts[data["b"] - shift] - rho * z) / np.sqrt(1 - rho**2) for shift in (0, 1))
        return -np.log(stats.norm.cdf(upper) - stats.norm.cdf(lower)).sum()

    expected = optimize.minimize_scalar(minus_log_likelihood, bounds=(-0.9, 0.9), options={"xatol": 1e-10}).x
    found = [polychoric(data.assign(a=data["a"] / unit), ordered=["b"]).correlations.iloc[0, 1] for unit in (1, 1000)]
    assert found == pytest.approx([expected, expected], abs=1e-7)


@settings(max_examples=60)
@given(
    st.integers(2, 5).flatmap(
        lambda columns: st.lists(
            st.lists(st.integers(0, 30), min_size=columns, max_size=columns), min_size=2, max_size=5
        )
    )
)
def test_no_correlation_on_a_grid_is_likelier(counts):
    """Tables of any shape, empty cells included; the likelihood of the grid by scipy's bivariate normal."""
    table = np.array(counts)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return
    rows, columns = (np.repeat(index.ravel(), table.ravel()) for index in np.indices(table.shape))
    if len(rows) < 3:
        return
    rho = polychoric(np.column_stack([rows, columns])).correlations.iloc[0, 1]
    h, k = (stats.norm.ppf(np.cumsum(table.sum(axis=side))[:-1] / table.sum()) for side in (1, 0))
    if table.shape == (2, 2) and (table == 0).sum() == 1:
        half = 0.5 if table[0, 0] == 0 or table[1, 1] == 0 else -0.5
        table = table + half * np.array([[1, -1], [-1, 1]])

    def log_likelihood(r):
        corners = np.zeros((len(h) + 2, len(k) + 2))
        grid = np.stack(np.meshgrid(h, k, indexing="ij"), axis=-1)
        lower = stats.multivariate_normal.cdf(grid, cov=[[1, r], [r, 1]], abseps=1e-12)
        corners[1:-1, 1:-1] = np.reshape(lower, (len(h), len(k)))
        corners[1:-1, -1], corners[-1, 1:-1], corners[-1, -1] = stats.norm.cdf(h), stats.norm.cdf(k), 1
        share = np.diff(np.diff(corners, axis=0), axis=1)
        return (table * np.log(np.maximum(share, np.sqrt(np.finfo(float).eps)))).sum()

    found = log_likelihood(rho)
    assert found >= max(log_likelihood(r) for r in np.linspace(-0.999, 0.999, 41)) - 1e-6


# ------------------------------------------------------------------------------------------------ against the truth


def test_the_truth_is_recovered_from_many_respondents():
    """Each statistic within 3 of its own standard errors, √(Γ_ii/n)."""
    truth = np.array([[1, 0.6, -0.3, 0.5], [0.6, 1, 0.2, 0.4], [-0.3, 0.2, 1, 0.1], [0.5, 0.4, 0.1, 1]])
    cuts = [-1.0, 0.0, 1.5], [0.5], [-1.2, -0.2, 0.3, 0.9]
    data = cut_normals(np.random.default_rng(5), 40_000, truth, *cuts, None)
    moments = ordinal_moments(data, ["a", "b", "c"])
    expected = [*cuts[0], *cuts[1], *cuts[2], 0.0, 1.0, *truth[np.triu_indices(4, 1)]]
    error = (moments.statistics - expected) / np.sqrt(np.diagonal(moments.gamma) / moments.n)
    assert np.abs(error).max() < 3


@pytest.mark.slow
def test_gamma_is_the_covariance_of_the_statistics_over_repeated_surveys():
    """2,000 surveys of 400 respondents; a variance from 2,000 draws has a standard error of 3 %, here 4 of them."""
    rng = np.random.default_rng(11)
    truth = np.array([[1, 0.5, 0.3], [0.5, 1, 0.6], [0.3, 0.6, 1]])
    drawn = [ordinal_moments(cut_normals(rng, 400, truth, [-0.5, 0.7], [0.2], None), ["a", "b"]) for _ in range(2000)]
    observed = 400 * np.cov(np.array([moments.statistics for moments in drawn]).T)
    expected = np.mean([moments.gamma for moments in drawn[:200]], axis=0)
    unit = np.sqrt(np.diagonal(expected))
    np.testing.assert_allclose(observed / np.outer(unit, unit), expected / np.outer(unit, unit), atol=0.13)


def test_gamma_of_thresholds_is_that_of_shares():
    """Delta method: Cov(√n·F_k, √n·F_l) = F_k(1 − F_l) for k ≤ l, divided by the densities."""
    moments = ordinal_moments(likert())
    cuts = moments.thresholds["d"]
    share, density = stats.norm.cdf(cuts), stats.norm.pdf(cuts)
    expected = (np.minimum.outer(share, share) - np.outer(share, share)) / np.outer(density, density)
    at = [moments.labels.index(f"d|t{k}") for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments.gamma[np.ix_(at, at)], expected)


# --------------------------------------------------------------------------------------------- what must not matter


@settings(max_examples=20)
@given(st.permutations(range(5)), st.integers(0, 2**32 - 1))
def test_order_of_items_and_respondents_does_not_matter(order, seed):
    data = likert()
    rows = np.random.default_rng(seed).permutation(len(data))
    shuffled = ordinal_moments(data.iloc[rows, order])
    moments = ordinal_moments(data)
    np.testing.assert_allclose(shuffled.correlation, moments.correlation[np.ix_(order, order)], atol=1e-8)
    canonical = {"~~".join(sorted(label.split("~~"))): at for at, label in enumerate(moments.labels)}
    at = [canonical["~~".join(sorted(label.split("~~")))] for label in shuffled.labels]
    np.testing.assert_allclose(shuffled.gamma, moments.gamma[np.ix_(at, at)], atol=1e-6)


@settings(max_examples=20)
@given(st.lists(st.lists(st.integers(1, 9), min_size=5, max_size=5), min_size=5, max_size=5))
def test_only_the_order_of_categories_counts(steps):
    data = likert()
    recoded = data.apply(lambda column: np.cumsum(steps[data.columns.get_loc(column.name)])[column - 1])
    moments, after = ordinal_moments(data), ordinal_moments(recoded)
    np.testing.assert_array_equal(after.statistics, moments.statistics)
    np.testing.assert_array_equal(after.gamma, moments.gamma)


@settings(max_examples=20)
@given(st.sampled_from("abcde"))
def test_reversing_an_item_flips_the_signs(item):
    data = likert()
    sign = np.where(data.columns == item, -1, 1)
    moments, reversed_one = ordinal_moments(data), ordinal_moments(data.assign(**{item: -data[item]}))
    np.testing.assert_allclose(reversed_one.correlation, moments.correlation * np.outer(sign, sign), atol=1e-8)
    np.testing.assert_allclose(reversed_one.thresholds[item], -moments.thresholds[item][::-1], atol=1e-12)


def test_unit_and_origin_of_a_continuous_column_change_only_what_they_must():
    data = answers("mixed")
    moments, moved = ordinal_moments(data, MIXED), ordinal_moments(data.assign(spend=5 + 3000 * data["spend"]), MIXED)
    np.testing.assert_allclose(moved.correlation, moments.correlation, atol=1e-8)
    factor = np.array([3000.0 ** ("spend" in label) for label in moments.labels])
    factor[moments.labels.index("spend~~spend")] = 3000.0**2
    np.testing.assert_allclose(moved.gamma, moments.gamma * np.outer(factor, factor), rtol=1e-5, atol=1e-7)


def test_pairwise_equals_listwise_where_nothing_is_missing():
    np.testing.assert_array_equal(
        ordinal_moments(answers("mixed"), MIXED, missing="pairwise").gamma,
        ordinal_moments(answers("mixed"), MIXED).gamma,
    )


def test_pairwise_thresholds_come_from_all_who_answered():
    data = answers("holes")
    share = data["four"].value_counts(normalize=True).sort_index().cumsum().iloc[:-1]
    np.testing.assert_allclose(polychoric(data, missing="pairwise").thresholds["four"], stats.norm.ppf(share))


def test_size_of_blocks_does_not_matter(monkeypatch):
    whole = ordinal_moments(answers("mixed_holes"), MIXED, missing="pairwise")
    expected = whole.gamma
    monkeypatch.setattr(polychoric_answers, "_FEWEST_ROWS", 7)
    monkeypatch.setattr(polychoric_answers, "_CELLS_AT_ONCE", 1)
    monkeypatch.setattr(polychoric_likelihood, "_CELLS_AT_ONCE", 1)
    parts = ordinal_moments(answers("mixed_holes"), MIXED, missing="pairwise")
    np.testing.assert_allclose(parts.correlation, whole.correlation, atol=1e-10)
    np.testing.assert_allclose(parts.gamma, expected, rtol=1e-7, atol=1e-10)


def test_forms_of_a_table_do_not_matter():
    data = likert()
    expected = polychoric(data).correlations.to_numpy()
    words = np.array(["", "never", "rarely", "often", "always"])
    categories = pd.Categorical(words[data["c"]], categories=words[1:], ordered=True)
    nullable = data.convert_dtypes()
    for table in (data.to_numpy(), data.assign(c=categories), nullable, data.astype(object)):
        np.testing.assert_array_equal(np.asarray(polychoric(table).correlations), expected)


# -------------------------------------------------------------------------------------------------------- results


def test_the_result_unpacks_and_is_labelled():
    result = polychoric(answers("mixed"), ordered=MIXED)
    correlations, thresholds = result
    assert correlations is result.correlations
    assert thresholds is result.thresholds
    assert list(correlations.index) == list(correlations.columns) == ["agree", "spend", "yes", "visits", "rating"]
    assert {name: len(cut) for name, cut in thresholds.items()} == {"agree": 3, "yes": 1, "rating": 2}
    np.testing.assert_array_equal(np.diagonal(correlations), 1)
    np.testing.assert_array_equal(correlations, correlations.T)
    assert result.n == 150
    assert result.problems == []


def test_means_and_variances_are_those_of_the_continuous_columns():
    data = answers("mixed")
    moments = ordinal_moments(data, MIXED)
    np.testing.assert_allclose(moments.mean, [0, data["spend"].mean(), 0, data["visits"].mean(), 0])
    np.testing.assert_allclose(moments.variance, [1, data["spend"].var(ddof=0), 1, data["visits"].var(ddof=0), 1])
    np.testing.assert_allclose(moments.correlation[1, 3], data["spend"].corr(data["visits"]))
    np.testing.assert_allclose(moments.covariance[1, 3], np.cov(data["spend"], data["visits"], ddof=0)[0, 1])
    assert moments.ordered == ("agree", "yes", "rating")


def test_without_ordinal_columns_the_correlations_are_pearsons():
    data = answers("mixed")[["spend", "visits"]]
    np.testing.assert_allclose(polychoric(data, ordered=[]).correlations, data.corr())


def test_perfect_association_is_held_at_the_bound_and_told():
    data = pd.DataFrame({"p": likert()["d"], "q": likert()["d"], "r": likert()["a"], "s": 3 - likert()["a"]})
    moments = ordinal_moments(data)
    assert moments.correlation[0, 1] == 0.999
    assert moments.correlation[2, 3] == -0.999
    assert np.isfinite(moments.gamma).all()
    assert moments.problems[0] == (
        "p × q, r × s: the association is perfect or nearly so; the correlation is held at the edge of what can be "
        "estimated and its standard error means nothing. Drop one of the two or merge categories."
    )


def test_an_empty_cell_of_a_two_by_two_table_is_told():
    moments = ordinal_moments(answers("binary"))
    assert moments.zero_cells == (("a", "b"), ("a", "c"), ("a", "d"))
    assert moments.problems == [
        "a × b, a × c, a × d: the 2 × 2 table has an empty cell; half an answer was put there, margins kept, and the "
        "correlation depends on that choice."
    ]


def test_answers_that_contradict_a_correlation_are_told():
    assert polychoric(answers("contradicted")).problems == [
        "p × q: some answers contradict the correlation so strongly (probability under 1.5e-8) that they do not count "
        "in it. Look for careless respondents or an item that should be reversed."
    ]


def test_an_empty_category_is_told():
    assert polychoric(answers("gap")).problems == [
        "p: nobody answered 3; its 3 thresholds lie between the answers 1, 2, 4, 5."
    ]


def test_what_was_done_about_missing_answers_is_told():
    data = answers("holes")
    assert polychoric(data).problems == ["82 of 150 respondents have at least one answer missing and are left out."]
    assert polychoric(data, missing="pairwise").problems == [
        "1 of 150 respondents has no answer at all and is left out.",
        "111 missing answers of 81 respondents: each correlation comes from those who gave both answers, which is "
        "right only if answers are missing completely at random.",
    ]


def test_a_yes_no_column_that_counts_as_continuous_is_told():
    data = likert().assign(sex=[0, 1] * 100)
    moments = ordinal_moments(data, list("abcde"))
    assert moments.problems == [
        "sex has only the two values 0 and 1 but counts as continuous: its mean fixes its variance. Declare it ordinal."
    ]
    assert np.isfinite(moments.gamma).all()


def test_an_item_that_follows_from_another_is_held_at_the_bound():
    """Nested categories: the likelihood is flat from some ρ on, and no Newton step ends there."""
    normal = np.random.default_rng(4).normal(size=200)
    table = np.column_stack([np.digitize(normal, [-1, 0.3]), np.digitize(normal, [-0.4, 0.9, 1.5])])
    result = polychoric(table)
    assert result.correlations.iloc[0, 1] == 0.999
    assert result.problems[0].startswith("x1 × x2: the association is perfect or nearly so")


def test_pairs_that_few_answered_are_told():
    data = likert().astype(float)
    data.iloc[:80, 0], data.iloc[120:, 1] = np.nan, np.nan
    assert polychoric(data, missing="pairwise").problems[1] == (
        "a × b: fewer than half of the 200 respondents gave both answers."
    )


def test_a_matrix_that_no_data_could_have_is_told():
    """Three pairs of respondents' groups, each answering two items only: correlations 0.9, 0.9 and −0.9."""
    rng, parts = np.random.default_rng(2), []
    for pair, rho in (("ab", 0.9), ("bc", 0.9), ("ac", -0.9)):
        part = cut_normals(rng, 300, [[1, rho], [rho, 1]], [-0.5, 0.5], [-0.5, 0.5])
        parts.append(part.set_axis(list(pair), axis=1))
    problem = polychoric(pd.concat(parts, ignore_index=True), missing="pairwise").problems[-1]
    assert problem.startswith("The correlation matrix is not positive definite (smallest eigenvalue -0.8")


# ----------------------------------------------------------------------------------------------------- hostile input


def spoiled(**columns):
    return likert().astype(object).assign(**columns)


def first_cell(value):
    return [value, *likert()["b"].iloc[1:]]


HOSTILE = {
    "constant": (spoiled(b=2), "column b is constant (every answer is 2); it tells nothing. Drop it"),
    "infinite": (spoiled(b=first_cell(np.inf)), "column b, row 0: the value is infinite. Correct it first"),
    "text": (spoiled(b=first_cell("often")), "column b, row 0: 'often' is not a number. Recode the answers first"),
    "empty": (spoiled(b=np.nan), "column b has no answer in any row. Drop it"),
    "fraction": (
        spoiled(b=first_cell(1.5)),
        "column b, row 0: 1.5 is no category; an ordinal item is coded in whole numbers. Recode it or leave it out of "
        "`ordered`",
    ),
    "too many categories": (
        spoiled(b=range(200)),
        "column b has 200 different answers; an ordinal item may have 101. Leave it out of `ordered` or group the "
        "answers",
    ),
    "dates": (
        likert().assign(b=pd.Timestamp("2005-01-01")),
        "column b holds datetime64[us] values, not answers. Recode it or leave it out",
    ),
    "two rows": (
        likert().iloc[:2],
        "2 respondents with usable answers (columns a, b, c, d, e). A correlation needs at least 3",
    ),
    "nobody complete": (
        spoiled(b=[np.nan] * 100 + [1, 2] * 50, a=[1, 2] * 50 + [np.nan] * 100),
        "0 respondents with usable answers; column a lacks most answers. A correlation needs at least 3",
    ),
    "one column": (likert()[["a"]], "the data have 1 column(s); a correlation needs two"),
    "twice": (likert().set_axis(list("abbde"), axis=1), "column b occurs 2 times. Keep one of them or rename"),
    "a list": (np.arange(5), "the data have 1 dimension(s); expected a table of respondents × items"),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_hostile_tables_are_refused_in_words(fault):
    data, message = HOSTILE[fault]
    with pytest.raises(SemError) as error:
        polychoric(data)
    assert str(error.value) == message


def test_a_pair_that_nobody_answered_is_refused():
    data = likert().astype(float)
    data.iloc[:100, 0], data.iloc[100:, 1] = np.nan, np.nan
    with pytest.raises(SemError) as error:
        polychoric(data, missing="pairwise")
    assert str(error.value) == (
        "columns a × b: fewer than 2 respondents gave both answers, so the correlation cannot be estimated. Drop one "
        "of the two columns"
    )


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        (
            [1, 2, 3],
            "column a: category 3 is empty (answers 1: 114, 2: 86, 3: 0), so its thresholds cannot be estimated. Merge "
            "it with its neighbour in every group",
        ),
        (
            [0, 1],
            "column a has the answer 2, which is none of its categories (0, 1). Correct the answer or the categories",
        ),
    ],
)
def test_promised_categories_must_be_there(levels, message):
    with pytest.raises(SemError) as error:
        ordinal_moments(likert(), levels={"a": levels})
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"missing": "fiml"}, "missing 'fiml' is unknown; choose one of listwise, pairwise"),
        ({"ordered": ["a", "q"]}, "ordered: q is not a column of the data; the columns are a, b, c, d, e"),
    ],
)
def test_unknown_options_are_refused(arguments, message):
    with pytest.raises(SemError) as error:
        polychoric(likert(), **arguments)
    assert str(error.value) == message


def test_a_unit_that_arithmetic_cannot_hold_is_refused():
    with pytest.raises(SemError, match=r"column spend has values of size .e\+298\. Choose another unit for it"):
        polychoric(answers("mixed").assign(spend=lambda data: data["spend"] * 1e300), ordered=MIXED)
