"""One door to covariance-based estimation (chapter 9): continuous items by maximum likelihood or unweighted least
squares (`continuous`), ordinal ones by weighted least squares (`ordinal`).
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import continuous, dwls
from .continuous import fit_continuous
from .errors import SemError
from .fit import Fit
from .ordinal import fit_ordinal
from .syntax import Model
from .threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

ORDINAL_ESTIMATORS = tuple(name for name in dwls.ESTIMATORS if name not in continuous.ESTIMATORS)


def fit(
    model: Model | str,
    data: pd.DataFrame,
    *,
    estimator: str = "ML",
    missing: str = "listwise",
    ordered: Sequence[str] | bool = (),
    group: str | None = None,
    group_equal: Sequence[str] | str = (),
    **options: Any,
) -> Fit:
    """Estimate a covariance structure model as lavaan's `sem()` does.

    Parameters
    ----------
    model : Model or text
        In lavaan's language, see `crmlab.sem.syntax`.
    data : DataFrame (n, columns)
        Answers as numbers, one row a respondent, nan where missing.
    estimator : {"ML", "MLR", "MLM", "ULS", "DWLS", "WLSMV", "WLSM", "WLSMVS", "ULSMV"}
        Maximum likelihood; with Huber–White errors and Yuan–Bentler test; with Satorra–Bentler errors and test;
        unweighted least squares; for ordinal items diagonally weighted least squares, with robust errors and a test
        adjusted in mean and variance (WLSMV), and its kin. With `ordered` items, "ML" stands for "WLSMV".
    missing : {"listwise", "fiml", "pairwise"}
        Leave incomplete respondents out; let each count with the items answered (ML, MLR); each pair of ordinal items
        with its own respondents.
    ordered : sequence of str, or True for all
        Ordinal items, of which only the order of the answers counts; those with thresholds in the text always are.
    group : str, optional
        Column that divides the respondents.
    group_equal : str or sequence of str
        What is equal in all groups: "loadings", "intercepts", "means", "regressions", "residuals",
        "residual.covariances", "lv.variances", "lv.covariances", for ordinal items also "thresholds".
    **options
        For all items

        * std_lv (False): give constructs variance 1 in place of a first loading of 1;
        * orthogonal (False): no default covariances between exogenous constructs;
        * se (None, as the estimator says): "standard", "robust", "none", for continuous items also "bootstrap";
        * level (0.95): of the intervals, between 0 and 1.

        For continuous items

        * meanstructure (None: where the text speaks of means, with groups, and under FIML): model means;
        * fixed_x (None, as lavaan does, but for ULS): take the moments of observed covariates as given;
        * information (None: observed for MLR and FIML): "expected" or "observed";
        * bootstrap (1000), seed (0), interval ("percentile" or "bias_corrected"): of se="bootstrap";
        * engine ("crmlab" or "semopy"): semopy gives a second opinion by complete-data ML in one group, estimates and
          χ² only, with `options` (None: {"ftol": 1e-12}) for its search.

        For ordinal items

        * parameterization ("delta" or "theta"): whether y* has variance 1, or its residual;
        * conditional_x (True): take the covariates, observed causes that nothing explains or measures, as given: they
          count as numbers even when `ordered` names them, respondents who lack one are left out, and residuals,
          modification indices and factor scores are not offered. False models them with the items, as normal
          variables.

    Notes
    -----
    Numbers are those of lavaan 0.6-14 to 1e-4, with one exception: under FIML with fixed_x=False and covariates, robust
    CFI, TLI and RMSEA differ by up to some 1e-3, as lavaan's mean of the statistic is another one there.

    Returns
    -------
    Fit
        Look at `.converged` and `.problems` before anything else.

    Raises
    ------
    ModelError
        The text cannot be read, with line and column.
    SemError
        An option is unknown or not meant for such items; a column is missing, constant, empty, not numeric, infinite,
        or repeats others; there are too few respondents; the model's equations have no solution.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.normal(size=(400, 1))
    >>> answers = pd.DataFrame(0.8 * trait + 0.6 * rng.normal(size=(400, 4)), columns=["a", "b", "c", "d"])
    >>> one_factor = fit("Trait =~ a + b + c + d", answers)
    >>> one_factor.converged, int(one_factor.fit_measures["df"])
    (True, 2)
    >>> ordinal_answers = answers.round().clip(-1, 1)
    >>> bool(fit("Trait =~ a + b + c + d", ordinal_answers, ordered=True).fit_measures["cfi_scaled"] > 0.95)
    True
    """
    common: dict[str, Any] = {"missing": missing, "group": group, "group_equal": group_equal}
    model = Model(model) if isinstance(model, str) else model
    of_ordinal = estimator in ORDINAL_ESTIMATORS or are_ordinal(model, ordered)
    known = inspect.signature(fit_ordinal if of_ordinal else fit_continuous).parameters
    for name in options:
        if name not in known:
            kind = "ordinal" if of_ordinal else "continuous"
            raise SemError(f"option {name!r} is unknown for {kind} items; there are {', '.join(list(known)[2:])}")
    try:
        with one_thread():
            if of_ordinal:
                chosen = "WLSMV" if estimator == "ML" else estimator
                return fit_ordinal(model, data, estimator=chosen, ordered=ordered, **common, **options)
            return fit_continuous(model, data, estimator=estimator, **common, **options)
    except np.linalg.LinAlgError as error:
        raise SemError(
            f"the model's equations have no solution ({error}): look for fixed paths in a circle, or fixed values that "
            "no variable can have"
        ) from error


def are_ordinal(model: Model, ordered: Sequence[str] | bool) -> bool:
    """Whether items are named as ordinal, or have thresholds in the text."""
    named = ordered if isinstance(ordered, bool) else len(ordered) > 0
    return named or len(model.ordinal) > 0
