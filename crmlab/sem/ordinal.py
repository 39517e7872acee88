"""Estimation of models of ordinal items by weighted least squares: `fit_ordinal` (chapter 9).

It reads the table (`ordinal_sample`), completes the parameters (`ordinal_table`) and minimises the distance (`dwls`)
between the statistics of the answers and those the model implies (`ordinal_structure`). Covariates are taken as given
(`conditional`), or modelled with the items.

References
----------
Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and continuous latent
variable indicators. Psychometrika 49, 115–132.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .conditional import ConditionalFit, ConditionalStructure, read_conditional
from .dwls import ESTIMATORS, DWLSObjective
from .errors import SemError
from .fit import Choices
from .matrices import Defaults, Variables
from .ordinal_fit import OrdinalFit
from .ordinal_sample import OrdinalSample, ordinal_items, read_ordinal
from .ordinal_structure import OrdinalStructure
from .ordinal_table import ordinal_table
from .samples import told_of_names
from .search import restrictions, search
from .syntax import Model

if TYPE_CHECKING:
    import pandas as pd

PARAMETERIZATIONS = ("delta", "theta")
MISSING = ("listwise", "pairwise")
ERRORS = ("standard", "robust", "none")


def fit_ordinal(
    model: Model | str,
    data: pd.DataFrame,
    *,
    estimator: str = "WLSMV",
    ordered: Sequence[str] | bool = (),
    parameterization: str = "delta",
    missing: str = "listwise",
    group: str | None = None,
    group_equal: Sequence[str] | str = (),
    std_lv: bool = False,
    orthogonal: bool = False,
    se: str | None = None,
    level: float = 0.95,
    conditional_x: bool = True,
) -> OrdinalFit:
    """Estimate a covariance structure model of ordinal, or of ordinal and continuous, variables.

    Parameters
    ----------
    model : Model or text
        In lavaan's language. Thresholds that are not written (`x | t1 + t2`) are added.
    data : DataFrame (n, columns)
        Ordinal items hold whole numbers or an ordered Categorical; only the order of the categories counts.
    estimator : {"WLSMV", "DWLS", "WLSM", "WLSMVS", "ULSMV", "ULS"}
        Diagonally weighted least squares with robust errors and a test adjusted in mean and variance by scale and shift
        (WLSMV), with naive errors and test (DWLS), with a test adjusted in mean (WLSM), or in mean and variance by
        scale and degrees of freedom (WLSMVS); the same unweighted.
    ordered : sequence of str, or True for all
        The ordinal items; ordered Categorical columns are always ordinal.
    parameterization : {"delta", "theta"}
        Whether y* has variance 1, or its residual.
    missing : {"listwise", "pairwise"}
    group, group_equal, std_lv, orthogonal, level
        As of `fit`; `group_equal` also takes "thresholds", which goes together with "intercepts": those of ordinal
        items are their thresholds.
    se : {"standard", "robust", "none"}, optional
        Errors; None: those of the estimator.
    conditional_x : bool
        Take covariates, the observed causes that nothing explains or measures, as given. They count as numbers even
        when `ordered` names them, and respondents who lack one are left out. False models them with the items, as
        normal variables.

    Returns
    -------
    OrdinalFit

    Raises
    ------
    ModelError, SemError
        As `fit`; also where a category is empty in a group, two items are perfectly associated, or covariates are
        constant, determine each other or foretell an item.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> quality = rng.normal(size=(800, 1)) + rng.normal(size=(800, 4))
    >>> items = pd.DataFrame(np.digitize(quality, [-1, 1]), columns=["q1", "q2", "q3", "q4"])
    >>> result = fit_ordinal("Quality =~ q1 + q2 + q3 + q4", items, ordered=True)
    >>> result.estimates[["lhs", "op", "rhs", "est"]].iloc[[1, 4]].round(2).to_string(index=False, header=False)
    'Quality =~ q2  1.04\\n     q1  | t1 -0.66'
    >>> rng = np.random.default_rng(1)
    >>> age = rng.uniform(18, 80, 600)
    >>> quality = 0.02 * age[:, None] + rng.normal(size=(600, 1)) + rng.normal(size=(600, 3))
    >>> items = pd.DataFrame(np.digitize(quality, [0, 2]), columns=["q1", "q2", "q3"]).assign(age=age)
    >>> result = fit_ordinal("Quality =~ q1 + q2 + q3\\nQuality ~ age", items, ordered=["q1", "q2", "q3"])
    >>> result.estimates.query("op == '~'")["est"].round(3).tolist()
    [0.014]
    """
    model = Model(model) if isinstance(model, str) else model
    choice = _choices(estimator, parameterization, missing, se, level)
    variables = Variables.of(model)
    given = variables.covariates if conditional_x else ()
    ordinal = ordinal_items(data, variables.observed, ordered, group, model.ordinal, given)
    samples: Sequence[OrdinalSample]
    if given:
        samples, problems = read_conditional(data, variables, ordinal, group, missing)
    else:
        samples, problems = read_ordinal(data, variables.observed, ordinal, group, missing)
    equal = (group_equal,) if isinstance(group_equal, str) else tuple(group_equal)
    problems += told_of_names(data, variables.latent)
    problems += _advice(model, variables.covariates if not given else (), ordinal, equal, parameterization)
    if "thresholds" in equal:
        equal = ("intercepts", *(e for e in equal if e not in ("thresholds", "intercepts")))
    defaults = Defaults(len(samples), True, std_lv, bool(given), orthogonal, equal)
    table = ordinal_table(model, defaults, samples, parameterization)
    kind = ConditionalStructure if given else OrdinalStructure
    structure = kind(
        table, variables.observed, variables.latent, len(samples), ordinal, parameterization == "delta"
    ).given([(sample.cov, sample.mean) for sample in samples])
    objective = DWLSObjective(structure, samples, ESTIMATORS[estimator].weights)
    K, offset = restrictions(model, structure)
    optimum = search(objective, samples, K, offset)
    result = ConditionalFit if given else OrdinalFit
    return result(model, structure, list(samples), True, choice, objective, optimum, K, tuple(problems))


def _choices(estimator: str, parameterization: str, missing: str, se: str | None, level: float) -> Choices:
    for name, value, known in (
        ("estimator", estimator, tuple(ESTIMATORS)),
        ("parameterization", parameterization, PARAMETERIZATIONS),
        ("missing", missing, MISSING),
        ("se", se, (None, *ERRORS)),
    ):
        if value not in known:
            offered = ", ".join(filter(None, known))
            raise SemError(f"{name} {value!r} is unknown with ordinal items; choose one of {offered}")
    if not 0 < level < 1:
        raise SemError(f"level must lie between 0 and 1, found {level}")
    usual = ESTIMATORS[estimator]
    return Choices(estimator, missing, "expected", se or usual.se, usual.scaled, level)


def _advice(
    model: Model, modelled: Sequence[str], ordinal: Sequence[str], equal: Sequence[str], parameterization: str
) -> Iterator[str]:
    """What has to be told about covariates modelled, constructs of one ordinal item, and equal residual variances."""
    if modelled:
        yield (
            f"The covariates {', '.join(modelled)} are modelled with the items, as normal variables, not "
            "taken as given (lavaan: conditional.x = FALSE)."
        )
    for construct, items in model.blocks.items():
        if len(items) == 1 and items[0] in ordinal:
            yield (
                f"{construct} is measured by the ordinal item {items[0]} alone: its variance and the item's residual "
                f"cannot be told apart. Use {items[0]} itself in the paths."
            )
    if "residuals" in equal and parameterization == "delta":
        yield (
            "group_equal='residuals' says nothing of ordinal items under parameterization='delta', where their "
            "residual variances follow from the rest; use parameterization='theta'."
        )
