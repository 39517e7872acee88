"""What a careful analyst would object to an estimated index, in words (chapter 9).

References
----------
Kock, N. & Hadaya, P. (2018). Minimum sample size estimation in PLS-SEM: the inverse square root and gamma-exponential
methods. Information Systems Journal 28, 227–261.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..sem.bootstrap import Bootstrap
from .engines import Engine, Ruler

if TYPE_CHECKING:
    import pandas as pd

SMALL_GROUP = 30  # respondents
MANY_MISSING = 0.10  # share of respondents
SMALL_SAMPLE = 160  # Kock & Hadaya 2018: a path of 0.197 found with 80 % power at the 5 % level


def of_estimate(model: Engine, draws: Bootstrap) -> list[str]:
    """Objections to sample, model and resamples; what refuses the solution altogether is `model.refusals`."""
    return [*_of_sample(model), *model.problems, *_of_resamples(model, draws), *_of_index(model, draws)]


def of_groups(model: Engine, ruler: Ruler, values: pd.Series | None, by: str | None) -> list[str]:
    """Objections to the groups of column `by`, whose values are given for all respondents."""
    if by is None or values is None:
        return []
    small = [f"{group} ({size})" for group, size in ruler.sizes.items() if size < SMALL_GROUP]
    gone = [str(group) for group in values.dropna().unique() if group not in ruler.groups]
    problems = []
    if gone:
        problems.append(
            f"Groups of {by} of which every respondent was left out for missing answers have no index: "
            f"{', '.join(sorted(gone))}."
        )
    if small:
        problems.append(
            f"Groups of {by} with fewer than {SMALL_GROUP} respondents have wide, rough intervals: {', '.join(small)}."
        )
    silent = ruler.member.T @ ~np.isnan(model.answers) @ ruler.shape.membership == 0
    for g, j in np.argwhere(silent):
        problems.append(
            f"Nobody of {by} {ruler.groups[g]} answered any item of {ruler.shape.constructs[j]}: its index there "
            f"is {model.stand_in}, not its own."
        )
    return [*problems, *groupless(values.loc[model.rows], by)]


def groupless(values: pd.Series, by: str) -> list[str]:
    """How many respondents stand in no group."""
    without = int(values.isna().sum())
    return [f"{without} respondents have no value of {by} and stand in no group."] if without else []


def _of_sample(model: Engine) -> list[str]:
    problems = []
    n, absent = len(model.rows), np.isnan(model.answers).mean(axis=0)
    for (construct, item), share in zip(model.shape.indicators, absent, strict=True):
        if share > MANY_MISSING:
            problems.append(
                f"{share:.0%} of the respondents gave no answer to {item} ({construct}).".replace("%", " %", 1)
            )
    if n < SMALL_SAMPLE:
        smallest = 2.486 / np.sqrt(n)  # inverse square root method, 5 % level, 80 % power
        problems.append(
            f"{n} respondents: paths smaller than about {smallest:.2f} will often be missed (Kock & Hadaya 2018)."
        )
    return problems


def _of_resamples(model: Engine, draws: Bootstrap) -> list[str]:
    problems = []
    if draws.not_converged:
        problems.append(
            f"{draws.not_converged} of {draws.n_requested} resamples could not be estimated and were left out of the "
            "intervals."
        )
    if draws.inadmissible:
        problems.append(
            f"{draws.inadmissible} of {draws.n_requested} resamples gave {model.impossible}; the intervals of paths "
            "and loadings are not to be trusted."
        )
    turned = {name: count for name, count in draws.sign_changes.items() if count > draws.n_used / 20}
    for name, count in turned.items():
        problems.append(
            f"The direction of {name} was unclear in {count} of {draws.n_used} resamples: its items pull in different "
            "directions."
        )
    return problems


def _of_index(model: Engine, draws: Bootstrap) -> list[str]:
    return [
        f"The index of {name} lies outside 0–100, because of negative weights; it has lost its meaning."
        for name, value in zip(model.shape.constructs, draws.estimates["index"], strict=True)
        if value < 0 or value > 100
    ]
