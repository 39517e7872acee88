"""Polychoric correlations (多分格相关) of Likert-type answers, and the sample statistics of models with ordinal items.

A Likert item is seen as a normal variable cut into categories: thresholds come from how often each category was chosen,
correlations from the two-way tables, a pair at a time by maximum likelihood (`polychoric_likelihood`). For weighted
least squares the statistics are stacked and get their asymptotic covariance Γ (`polychoric_gamma`). Serves chapter 9;
agrees with lavaan 0.6-14.

References
----------
Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika 49, 115–132.
Olsson, U. (1979). Maximum likelihood estimation of the polychoric correlation coefficient. Psychometrika 44, 443–460.
Rosseel, Y. (2012). lavaan: An R package for structural equation modeling. Journal of Statistical Software 48(2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .errors import SemError
from .moments import Array
from .polychoric_answers import read_answers
from .polychoric_gamma import asymptotic_covariance
from .polychoric_likelihood import Index
from .polychoric_sample import Correlations, Pairs, Sample, answered_both, correlate

if TYPE_CHECKING:
    import pandas as pd

_NAMED_PAIRS = 3


@dataclass(frozen=True)
class Polychoric:
    """Correlations and thresholds of a table of ordinal answers; unpacks as ``correlations, thresholds``.

    Attributes
    ----------
    correlations : DataFrame (p × p)
        Polychoric between two ordinal columns, polyserial between an ordinal and a continuous one, Pearson between two
        continuous ones; ones on the diagonal.
    thresholds : dict of column to array
        Ascending, one fewer than the categories found, in standard deviations; ordinal columns only.
    n : int
        Respondents used.
    problems : list of str
        What a careful analyst would object to, in words.
    """

    correlations: pd.DataFrame
    thresholds: dict[str, Array]
    n: int
    problems: list[str]

    def __iter__(self) -> Iterator[pd.DataFrame | dict[str, Array]]:
        return iter((self.correlations, self.thresholds))

    def _repr_html_(self) -> str:
        return self.correlations.round(3).to_html()


def polychoric(
    data: pd.DataFrame | ArrayLike, *, ordered: Sequence[str] | None = None, missing: str = "listwise"
) -> Polychoric:
    """Polychoric and polyserial correlations of a whole table at once.

    Parameters
    ----------
    data : DataFrame (n, p) or array
        Answers, one row a respondent. Ordinal columns hold whole numbers (at most 101 different ones) or an ordered
        Categorical; only the order of the categories counts.
    ordered : sequence of str, optional
        The ordinal columns; the others count as continuous. Default: all columns are ordinal.
    missing : {"listwise", "pairwise"}
        Leave out respondents with a missing answer, or use for each correlation those who gave both answers and for
        each threshold all who answered.

    Returns
    -------
    Polychoric
        correlations, thresholds, n, problems.

    Raises
    ------
    SemError
        When a column is constant, holds text, infinite values or no answer, when an ordinal column holds other than
        whole numbers, when fewer than 3 respondents are left, when nobody answered both columns of a pair.

    Notes
    -----
    ρ maximises Σ n_ab ln π_ab(ρ), π_ab the probability of a standard bivariate normal between the thresholds (Olsson
    1979, two-step). Sparse tables are treated as in lavaan 0.6-14: half an answer in the single empty cell of a 2 × 2
    table, margins kept; nothing added to larger tables; |ρ| ≤ 0.999 (polyserial 0.995).

    Examples
    --------
    >>> import pandas as pd
    >>> counts = [("no", "no", 40), ("no", "yes", 10), ("yes", "no", 10), ("yes", "yes", 40)]
    >>> rows = [(int(a == "yes"), int(b == "yes")) for a, b, count in counts for _ in range(count)]
    >>> correlations, thresholds = polychoric(pd.DataFrame(rows, columns=["visited", "bought"]))
    >>> correlations.loc["visited", "bought"].round(4)      # medians: ρ = −cos(2π·0.40) (Sheppard 1899)
    np.float64(0.809)
    """
    import pandas as pd

    moments = ordinal_moments(data, ordered, missing=missing)
    correlations = pd.DataFrame(moments.correlation, index=list(moments.names), columns=list(moments.names))
    return Polychoric(correlations, moments.thresholds, moments.n, moments.problems)


@dataclass(frozen=True)
class OrdinalMoments:
    """Sample statistics of a table with ordinal and continuous columns, as weighted least squares wants them.

    Attributes
    ----------
    names, ordered : tuple of str
        All p columns, and the ordinal ones among them.
    n : int
        Respondents used.
    thresholds : dict of ordinal column to array
    mean, variance : arrays (p,)
        Of the continuous columns, divisor n (or the number of answers); 0 and 1 for the ordinal ones.
    correlation, covariance : arrays (p, p)
        Polychoric, polyserial and Pearson correlations; the same times the standard deviations.
    statistics : array (s,)
        Stacked as in lavaan's ``wls.obs``: column by column the thresholds of an ordinal or *minus* the mean of a
        continuous one; the variances of the continuous ones; the covariances below the diagonal, column by column.
    labels : tuple of str
        What each statistic is, in lavaan's words: ``a|t1``, ``x~1``, ``x~~x``, ``a~~b``.
    zero_cells : tuple of (str, str)
        Pairs of ordinal columns whose table has an empty cell.
    gamma : array (s, s)
        Asymptotic covariance of √n times the statistics (lavaan's ``gamma``, NACOV); computed when first asked for.
        DWLS weights are 1 / its diagonal. The diagonal can be 0 for a perfect association, which `problems` tells.
    problems : list of str
    """

    problems: list[str]
    sample: Sample
    correlation: Array
    zero_cells: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, (p,)."""
        return self.sample.answers.names

    @property
    def ordered(self) -> tuple[str, ...]:
        """The ordinal columns."""
        return tuple(self.names[i] for i in self.sample.answers.ordinal)

    @property
    def n(self) -> int:
        """Respondents used."""
        return self.sample.answers.n

    @property
    def thresholds(self) -> dict[str, Array]:
        """Thresholds of each ordinal column, ascending."""
        return dict(zip(self.ordered, self.sample.thresholds, strict=True))

    @cached_property
    def mean(self) -> Array:
        """Means of the continuous columns, 0 for the ordinal ones, (p,)."""
        mean = np.zeros(len(self.names))
        mean[self.sample.answers.continuous] = self.sample.mean
        return mean

    @cached_property
    def variance(self) -> Array:
        """Variances of the continuous columns, 1 for the ordinal ones, (p,)."""
        variance = np.ones(len(self.names))
        variance[self.sample.answers.continuous] = self.sample.sd**2
        return variance

    @property
    def covariance(self) -> Array:
        """Correlations times the standard deviations of the continuous columns, (p, p)."""
        sd = np.sqrt(self.variance)
        return self.correlation * np.outer(sd, sd)

    @cached_property
    def statistics(self) -> Array:
        """The stacked statistics, (s,)."""
        of_columns = [self.thresholds.get(name, [-mean]) for name, mean in zip(self.names, self.mean, strict=True)]
        below = self.covariance[self.sample.pairs.second, self.sample.pairs.first]
        return np.concatenate([*of_columns, self.variance[self.sample.answers.continuous], below])

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Names of the stacked statistics, (s,)."""
        names, cuts, pairs = self.names, self.thresholds, self.sample.pairs
        of_columns = [
            [f"{name}|t{k + 1}" for k in range(len(cuts[name]))] if name in cuts else [f"{name}~1"] for name in names
        ]
        variances = [f"{names[i]}~~{names[i]}" for i in self.sample.answers.continuous]
        below = [f"{names[j]}~~{names[i]}" for j, i in zip(pairs.first, pairs.second, strict=True)]
        return (*(label for labels in of_columns for label in labels), *variances, *below)

    @cached_property
    def gamma(self) -> Array:
        """Asymptotic covariance matrix of √n times the stacked statistics, (s, s)."""
        rho = self.correlation[self.sample.pairs.second, self.sample.pairs.first]
        return asymptotic_covariance(self.sample, rho)


def ordinal_moments(
    values: pd.DataFrame | ArrayLike,
    ordered: Sequence[str] | None = None,
    *,
    names: Sequence[str] | None = None,
    missing: str = "listwise",
    levels: Mapping[str, Sequence[float]] | None = None,
) -> OrdinalMoments:
    """Thresholds, means, variances, correlations and their Γ, of a table with ordinal and continuous columns.

    Parameters
    ----------
    values : DataFrame (n, p) or array (n, p)
    ordered : sequence of str, optional
        The ordinal columns; default all.
    names : sequence of str, optional
        Names of the columns of an array; default x1, x2, …
    missing : {"listwise", "pairwise"}
    levels : mapping of column to codes, optional
        The categories an ordinal column must have, for groups that share thresholds; an empty one is an error.
        Default: the answers found are the categories.

    Returns
    -------
    OrdinalMoments

    Raises
    ------
    SemError
        As `polychoric`, and when one of `levels` is empty.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.normal(size=(500, 1)) + rng.normal(size=(500, 3))
    >>> trait[:, 1:] = np.digitize(trait[:, 1:], [-1, 1])
    >>> moments = ordinal_moments(trait, ["b", "c"], names=["x", "b", "c"])
    >>> moments.labels
    ('x~1', 'b|t1', 'b|t2', 'c|t1', 'c|t2', 'x~~x', 'x~~b', 'x~~c', 'b~~c')
    >>> moments.statistics.round(2)
    array([ 0.05, -0.66,  0.72, -0.62,  0.81,  1.95,  0.69,  0.57,  0.5 ])
    >>> moments.gamma.shape
    (9, 9)
    """
    answers = read_answers(values, ordered, names, missing, levels)
    sample = Sample.of(answers)
    notes = _thin_pairs(answers.names, sample.pairs, answered_both(answers, sample.pairs), answers.n)
    found = correlate(sample)
    first, second = sample.pairs.first, sample.pairs.second
    correlation = np.eye(len(answers.names))
    correlation[first, second] = correlation[second, first] = found.rho
    zero_cells = tuple((answers.names[first[pair]], answers.names[second[pair]]) for pair in found.empty_cell)
    problems = [*answers.notes, *notes, *_pair_problems(sample, found), *_matrix_problems(correlation)]
    return OrdinalMoments(problems, sample, correlation, zero_cells)


# -------------------------------------------------------------------------------------------------------- problems


def _named(names: tuple[str, ...], pairs: Pairs, which: Index) -> str:
    """The first few pairs by name."""
    named = [f"{names[pairs.first[pair]]} × {names[pairs.second[pair]]}" for pair in which[:_NAMED_PAIRS]]
    more = f" and {len(which) - _NAMED_PAIRS} more pairs" if len(which) > _NAMED_PAIRS else ""
    return ", ".join(named) + more


def _thin_pairs(names: tuple[str, ...], pairs: Pairs, together: Array, n: int) -> list[str]:
    """Refuse pairs that nobody answered both of; tell those answered by few."""
    nobody = np.flatnonzero(together < 2)
    if len(nobody):
        raise SemError(
            f"columns {_named(names, pairs, nobody)}: fewer than 2 respondents gave both answers, so the correlation "
            "cannot be estimated. Drop one of the two columns"
        )
    few = np.flatnonzero(together < n / 2)
    few = few[np.argsort(together[few], kind="stable")]
    if not len(few):
        return []
    return [f"{_named(names, pairs, few)}: fewer than half of the {n} respondents gave both answers."]


def _pair_problems(sample: Sample, found: Correlations) -> list[str]:
    """What must be said about single correlations, in words."""
    sentences = (
        (
            found.half_answer,
            "the 2 × 2 table has an empty cell; half an answer was put there, margins kept, and the correlation "
            "depends on that choice.",
        ),
        (
            found.at_bound,
            "the association is perfect or nearly so; the correlation is held at the edge of what can be estimated and "
            "its standard error means nothing. Drop one of the two or merge categories.",
        ),
        (
            found.improbable,
            "some answers contradict the correlation so strongly (probability under 1.5e-8) that they do not count in "
            "it. Look for careless respondents or an item that should be reversed.",
        ),
        (found.unconverged, "the search for the correlation did not converge; do not use it."),
    )
    return [f"{_named(sample.answers.names, sample.pairs, which)}: {text}" for which, text in sentences if len(which)]


def _matrix_problems(correlation: Array) -> list[str]:
    """A table of correlations estimated a pair at a time need not be one that data could have."""
    smallest = float(np.linalg.eigvalsh(correlation)[0])
    if smallest > 1e-8:
        return []
    return [
        f"The correlation matrix is not positive definite (smallest eigenvalue {smallest:.3g}): no set of normal "
        "variables has these correlations together. More respondents or fewer, merged categories help."
    ]
