"""Answers of ordinal, or of ordinal and continuous, items read group by group with their thresholds and correlations.

What `ordinal` estimates from: which columns are ordinal, the samples of a table, and 1 / diag(Γ), the weights of their
statistics. Every category must be found in every group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .errors import SemError
from .estimators import GroupSample
from .moments import Array
from .polychoric import OrdinalMoments, ordinal_moments
from .polychoric_answers import read_answers
from .samples import check_columns, told_of_left_out

if TYPE_CHECKING:
    import pandas as pd

_NOTHING = 1e-8  # asymptotic variance of a standardised statistic below which it cannot be weighted


@dataclass(frozen=True)
class OrdinalSample(GroupSample):
    """The answers of one group, and their thresholds, means and polychoric covariances.

    Attributes
    ----------
    name : str
    values : array (n, p)
        Category from 0 of ordinal items, answers of continuous ones; nan where missing.
    moments : OrdinalMoments
    """

    moments: OrdinalMoments

    @cached_property
    def mean(self) -> Array:
        """Means, 0 for ordinal items, (p,)."""
        return self.moments.mean

    @cached_property
    def cov(self) -> Array:
        """Covariances, (p, p): of ordinal items polychoric correlations."""
        return self.moments.covariance

    @cached_property
    def diagonal_weights(self) -> Array:
        """1 / diag(Γ), (s,); an error where a statistic has no sampling variance."""
        moments = self.moments
        first, second = moments.sample.pairs.first, moments.sample.pairs.second
        size = np.ones(len(moments.statistics))
        size[len(size) - len(first) :] = moments.variance[first] * moments.variance[second]
        spread = np.diagonal(moments.gamma)
        if nothing := np.flatnonzero(~(spread > _NOTHING * size)).tolist():
            place = f" in group {self.name}" if self.name else ""
            raise SemError(
                f"{', '.join(moments.labels[k] for k in nothing[:3])}: no sampling variance{place}, so the statistic "
                "cannot be weighted; the association is perfect. Drop one of the items or merge categories"
            )
        return 1 / spread


def ordinal_items(
    data: pd.DataFrame,
    observed: Sequence[str],
    ordered: Sequence[str] | bool,
    group: str | None,
    written: Sequence[str] = (),
    given: Sequence[str] = (),
) -> tuple[str, ...]:
    """The ordinal ones among the observed variables of the model: named, with `written` thresholds, or Categorical.

    Covariates that are `given` count as numbers.
    """
    import pandas as pd

    check_columns(data, observed, group)
    if len(observed) < 2:
        raise SemError(f"the model has {len(observed)} observed variable; expected at least 2")
    if isinstance(ordered, bool):
        wanted = set(observed) if ordered else set()
    else:
        wanted = {ordered} if isinstance(ordered, str) else set(ordered)
    if unknown := [name for name in wanted if name not in data.columns]:
        raise SemError(f"ordered: the data hold no column {unknown[0]}")
    if alone := [name for name in written if name not in observed]:
        raise SemError(f"the text speaks of thresholds of {alone[0]}, which is no observed variable of the model")
    wanted |= set(written)
    wanted |= {n for n in observed if isinstance(data[n].dtype, pd.CategoricalDtype) and data[n].cat.ordered}
    if not wanted & set(observed):
        raise SemError("none of the model's variables is ordinal; name them in ordered=[…], or use estimator='ML'")
    found = tuple(name for name in observed if name in wanted and name not in given)
    if not found:
        raise SemError("no item of the model is ordinal, only covariates are; use estimator='ML' or 'MLR'")
    return found


def read_ordinal(
    data: pd.DataFrame, observed: Sequence[str], ordered: Sequence[str], group: str | None, missing: str
) -> tuple[list[OrdinalSample], list[str]]:
    """The samples of a table, and what has to be told about them; groups in order of first appearance.

    Every category must be found in every group.
    """
    table = data[list(observed)]
    if group is None:
        moments = ordinal_moments(table, ordered, missing=missing)
        return [ordinal_sample("", moments)], list(moments.problems)
    known = data[group].notna()
    whole = read_answers(table[known], ordered, None, missing, None)
    levels = {whole.names[i]: list(found) for i, found in zip(whole.ordinal, whole.levels, strict=True)}
    samples, problems = [], []
    if not known.all():
        problems += told_of_left_out(int((~known).sum()), len(data), ["no group"])
    for name in dict.fromkeys(data[group][known]):
        try:
            moments = ordinal_moments(table[known & (data[group] == name)], ordered, missing=missing, levels=levels)
        except SemError as error:
            raise SemError(f"group {name}: {error}") from None
        samples.append(ordinal_sample(str(name), moments))
        problems += [f"Group {name}: {problem}" for problem in moments.problems]
    return samples, problems


def ordinal_sample(name: str, moments: OrdinalMoments) -> OrdinalSample:
    answers = moments.sample.answers
    values = np.empty((answers.n, len(answers.names)))
    values[:, answers.ordinal] = np.where(answers.codes < 0, np.nan, answers.codes)
    values[:, answers.continuous] = answers.values
    return OrdinalSample(name, values, moments)
