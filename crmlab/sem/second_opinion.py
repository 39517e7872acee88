"""The same model estimated by semopy, an independent program: a second opinion on complete-data maximum likelihood.

Serves the chapter section that sets both side by side. Only what semopy computes dependably is taken over into a fit,
the estimates and the discrepancy at the end of its search (and with it χ²). Its fit indices are not: it carries fixed
variances over into the baseline model, which with the fixed residual of a single-item construct is impossible and gives
CFI = 1; and its information criteria are built on the discrepancy, not on a likelihood. `reported` shows them as they
are.

References
----------
Igolkina, A. A. & Meshcheryakov, G. (2020). semopy: A Python package for structural equation modeling. Structural
Equation Modeling 27, 952–963.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import SemError
from .estimators import GroupSample, Optimum
from .matrices import Structure

if TYPE_CHECKING:
    import pandas as pd

TOLD = (
    "Estimated by semopy, a second opinion: estimates and χ² only. Standard errors and the other fit measures are nan, "
    "as semopy's are not dependable for every model; use engine='crmlab' for them."
)
_TOLERANCE = {"ftol": 1e-12}  # with its own default semopy stops at three to four digits


def optimum(structure: Structure, sample: GroupSample, options: Mapping[str, Any] | None = None) -> Optimum:
    """Where semopy's search ends, in the order of our free parameters.

    Parameters
    ----------
    structure : Structure
        Of one group, without means and without equal parameters.
    sample : GroupSample
        Complete answers.
    options : mapping, optional
        Of scipy's SLSQP that semopy minimises with; None: {"ftol": 1e-12}.

    Raises
    ------
    SemError
        semopy is not installed, or the model has what is not handed over to it.
    """
    code = _codes(structure)
    model, result = _fitted(structure, sample, options)
    found: dict[tuple[str, str, str], float] = {}
    for left, op, right, value in model.inspect()[["lval", "op", "rval", "Estimate"]].itertuples(index=False):
        found[left, op, right] = found[(right, op, left) if op == "~~" else (left, op, right)] = float(value)
    theta = np.full(structure.n_free, np.nan)
    for row, k in zip(structure.table, structure.position, strict=True):
        if k >= 0:
            left, right = (row.rhs, row.lhs) if row.op == "=~" else (row.lhs, row.rhs)
            theta[k] = found[code[left], "~~" if row.op == "~~" else "~", code[right]]
    return Optimum(theta, float(result.fun), bool(result.success), int(result.n_it), str(result.message))


def reported(structure: Structure, sample: GroupSample, options: Mapping[str, Any] | None = None) -> pd.Series:
    """The fit measures as semopy itself states them, dependable or not, to be set beside those of `Fit.fit_measures`.

    Returns
    -------
    Series
        chisq, df, baseline_chisq, baseline_df, cfi, tli, rmsea, aic, bic, logl. Where semopy only logs or warns on the
        way, nothing is said.

    Raises
    ------
    SemError
        As `optimum`.
    """
    import semopy

    model, _ = _fitted(structure, sample, options)
    with _quiet():
        said = semopy.calc_stats(model).loc["Value"]
    return said.rename(_STATISTICS)[list(_STATISTICS.values())].astype(float)


_STATISTICS = {
    "chi2": "chisq",
    "DoF": "df",
    "chi2 Baseline": "baseline_chisq",
    "DoF Baseline": "baseline_df",
    "CFI": "cfi",
    "TLI": "tli",
    "RMSEA": "rmsea",
    "AIC": "aic",
    "BIC": "bic",
    "LogLik": "logl",
}


def _fitted(structure: Structure, sample: GroupSample, options: Mapping[str, Any] | None) -> tuple[Any, Any]:
    """semopy's model and what its search says."""
    import pandas as pd

    try:
        import semopy
    except ImportError as missing:
        raise SemError("engine='semopy' needs the package semopy; install it with pip install semopy") from missing
    _check(structure)
    code = _codes(structure)
    table = pd.DataFrame(sample.values, columns=[code[name] for name in structure.observed])
    model = semopy.Model("\n".join(_text(structure, code)))
    with _quiet():
        return model, model.fit(table, options=dict(_TOLERANCE if options is None else options))


def _codes(structure: Structure) -> dict[str, str]:
    """Names that semopy can read."""
    return {name: f"v{i}" for i, name in enumerate((*structure.observed, *structure.latent))}


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back warnings and log messages; what they say is in the result."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _check(structure: Structure) -> None:
    """Refuse what semopy is not asked."""
    marked = {row.lhs for row in structure.table if row.op == "=~" and row.fixed is not None}
    faults = {
        "constructs scaled by their variance": bool(set(structure.latent) - marked),  # semopy would fix a loading too
        "groups": structure.groups > 1,
        "means": any(row.op == "~1" for row in structure.table),
        "composites (<~)": any(row.op == "<~" for row in structure.table),
        "equal parameters": int((structure.position >= 0).sum()) > structure.n_free,
    }
    if present := [name for name, there in faults.items() if there]:
        raise SemError(f"engine='semopy' is offered without {', '.join(present)}; use engine='crmlab'")


def _text(structure: Structure, code: Mapping[str, str]) -> Iterator[str]:
    """Every row of the table in semopy's language; covariances that semopy would add of its own are held at 0."""
    for row in structure.table:
        if not row.covariate:
            held = f"{row.fixed!r}*" if row.fixed is not None else ""
            yield f"{code[row.lhs]} {row.op} {held}{code[row.rhs]}"
    known = {frozenset((row.lhs, row.rhs)) for row in structure.table if row.op == "~~"}
    caused = dict.fromkeys(row.lhs for row in structure.table if row.op == "~" and row.lhs not in structure.latent)
    for one, other in combinations((*structure.latent, *caused), 2):
        if frozenset((one, other)) not in known:
            yield f"{code[one]} ~~ 0*{code[other]}"
