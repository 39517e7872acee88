"""Estimation of models of continuous items: `fit_continuous` by ML, MLR, MLM, ULS and FIML (chapter 9).

It reads the table (`samples`), fills in the parameters (`matrices`) and minimises the discrepancy of the estimator
(`search`); `Fit` judges the solution. Conventions and defaults are those of lavaan's `sem()`.

References
----------
Rosseel, Y. (2012). lavaan: An R package for structural equation modeling. Journal of Statistical Software 48(2), 1–36.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from . import fit_bootstrap, second_opinion
from .errors import SemError
from .estimators import GroupSample, minimise
from .fit import Choices, Fit, objective_for
from .matrices import Defaults, Structure, Variables, parameter_table
from .moments import Array
from .samples import read_samples, told_of_names
from .search import restrictions, search
from .syntax import Model

if TYPE_CHECKING:
    import pandas as pd


class _Estimator(NamedTuple):
    """What an estimator stands for: its information, its errors, and whether its test is scaled."""

    information: str
    se: str
    scaled: str | None


ESTIMATORS = {
    "ML": _Estimator("expected", "standard", None),
    "MLR": _Estimator("observed", "robust", "yuan_bentler"),
    "MLM": _Estimator("expected", "robust", "satorra_bentler"),
    "ULS": _Estimator("expected", "standard", None),
}
INFORMATION = ("expected", "observed")
ERRORS = ("standard", "robust", "bootstrap", "none")
MISSING = ("listwise", "fiml")
ENGINES = ("crmlab", "semopy")


def fit_continuous(
    model: Model | str,
    data: pd.DataFrame,
    *,
    estimator: str = "ML",
    missing: str = "listwise",
    group: str | None = None,
    group_equal: Sequence[str] | str = (),
    std_lv: bool = False,
    meanstructure: bool | None = None,
    fixed_x: bool | None = None,
    orthogonal: bool = False,
    information: str | None = None,
    se: str | None = None,
    level: float = 0.95,
    bootstrap: int = 1000,
    seed: int = 0,
    interval: str = "percentile",
    engine: str = "crmlab",
    options: Mapping[str, Any] | None = None,
) -> Fit:
    """Estimate a model of continuous items: what `crmlab.sem.fit` does where no item is ordinal.

    Parameters, result and errors are described there.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> quality = rng.normal(size=500)
    >>> items = pd.DataFrame({f"q{i}": quality + rng.normal(size=500) for i in (1, 2, 3, 4)})
    >>> result = fit_continuous("Quality =~ q1 + q2 + q3 + q4", items)
    >>> result.estimates[["lhs", "op", "rhs", "est", "se"]].head(2).round(2).to_string(index=False, header=False)
    'Quality =~ q1 1.00 0.00\\nQuality =~ q2 0.96 0.08'
    >>> int(result.fit_measures["df"]), result.problems
    (2, [])
    """
    model = Model(model) if isinstance(model, str) else model
    choice = _choices(estimator, missing, information, se, level)
    if interval not in fit_bootstrap.INTERVALS:
        raise SemError(f"interval {interval!r} is unknown; choose one of {', '.join(fit_bootstrap.INTERVALS)}")
    if engine not in ENGINES:
        raise SemError(f"engine {engine!r} is unknown; choose one of {', '.join(ENGINES)}")
    choice = replace(choice, bootstrap=bootstrap, seed=seed, interval=interval)
    variables = Variables.of(model)
    fixed_x = estimator != "ULS" if fixed_x is None else fixed_x
    given = variables.covariates if fixed_x else ()
    samples, problems = read_samples(data, variables.observed, group, missing, given)
    problems += told_of_names(data, variables.latent)
    if meanstructure is None:
        meanstructure = any(term.rhs == "1" for term in model.terms) or group is not None or missing == "fiml"
    equal = (group_equal,) if isinstance(group_equal, str) else tuple(group_equal)
    defaults = Defaults(len(samples), meanstructure, std_lv, fixed_x, orthogonal, equal)
    structure = Structure(parameter_table(model, defaults), variables.observed, variables.latent, len(samples))
    found = estimate(model, structure, samples, defaults, choice, problems)
    return found if engine == "crmlab" else _second_opinion(found, options)


def _second_opinion(own: Fit, options: Mapping[str, Any] | None) -> Fit:
    """The fit as semopy sees it."""
    if own.choice.estimator != "ML" or own.choice.missing != "listwise" or own.model.constraints:
        raise SemError("engine='semopy' goes with estimator='ML' on complete data, without == constraints")
    optimum = second_opinion.optimum(own.structure, own.samples[0], options)
    choice, told = replace(own.choice, se="none"), (*own.told, second_opinion.TOLD)
    return replace(own, optimum=optimum, choice=choice, told=told, engine="semopy")


def _choices(estimator: str, missing: str, information: str | None, se: str | None, level: float) -> Choices:
    for name, value, known in (
        ("estimator", estimator, tuple(ESTIMATORS)),
        ("missing", missing, MISSING),
        ("information", information, (None, *INFORMATION)),
        ("se", se, (None, *ERRORS)),
    ):
        if value not in known:
            raise SemError(f"{name} {value!r} is unknown; choose one of {', '.join(filter(None, known))}")
    if not 0 < level < 1:
        raise SemError(f"level must lie between 0 and 1, found {level}")
    if missing == "fiml" and estimator not in ("ML", "MLR"):
        raise SemError(f"missing='fiml' goes with ML and MLR, not with {estimator}")
    usual = ESTIMATORS[estimator]
    default = "observed" if missing == "fiml" else usual.information
    return Choices(estimator, missing, information or default, se or usual.se, usual.scaled, level)


def estimate(
    model: Model,
    structure: Structure,
    samples: Sequence[GroupSample],
    defaults: Defaults,
    choice: Choices,
    problems: Sequence[str] = (),
    start: Array | None = None,
) -> Fit:
    """Estimate a structure from samples; `fit_continuous` without the reading of text and table."""
    objective = objective_for(structure, samples, defaults.means, choice)
    structure = objective.structure
    K, offset = restrictions(model, structure)
    optimum = search(objective, samples, K, offset) if start is None else minimise(objective, start, K, offset)
    return Fit(
        model=model,
        structure=structure,
        samples=list(samples),
        means=defaults.means,
        choice=choice,
        objective=objective,
        optimum=optimum,
        K=K,
        told=tuple(problems),
    )
