"""Whether a restricted model fits as well as a freer one, and whether a survey measures the same in all groups.

Serves the chapters that compare branches, years or countries: a difference in satisfaction means something only where
the items measure it in the same way. `compare` is the likelihood-ratio test of two nested fits; for robust estimators
the difference of two scaled statistics is no χ² and is scaled anew. `invariance` runs the usual ladder of such tests.

References
----------
Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural Equation
Modeling 14, 464–504.
Cheung, G. W. & Rensvold, R. B. (2002). Evaluating goodness-of-fit indexes for testing measurement invariance.
Structural Equation Modeling 9, 233–255.
Millsap, R. E. & Yun-Tein, J. (2004). Assessing factorial invariance in ordered-categorical measures. Multivariate
Behavioral Research 39, 479–515.
Satorra, A. (2000). Scaled and adjusted restricted tests in multi-sample analysis of moment structures. In Heijmans,
Pollock & Satorra (eds.), Innovations in Multivariate Statistical Analysis, 233–247.
Satorra, A. & Bentler, P. M. (2001). A scaled difference chi-square test statistic for moment structure analysis.
Psychometrika 66, 507–514.
Satorra, A. & Bentler, P. M. (2010). Ensuring positiveness of the scaled difference chi-square test statistic.
Psychometrika 75, 243–248.
Bentler, P. M. & Satorra, A. (2010). Testing model nesting and equivalence. Psychological Methods 15, 111–123.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .covariance import are_ordinal, fit
from .errors import SemError
from .estimators import MLObjective, Objective, Optimum, SampleSummary, minimise
from .fit import Fit
from .ordinal_fit import OrdinalFit
from .syntax import Model

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("satorra_bentler_2001", "satorra_bentler_2010", "satorra_2000")
STEPS = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}
ORDINAL_STEPS = {
    "configural": (),
    "scalar": ("loadings", "thresholds", "intercepts"),
    "strict": ("loadings", "thresholds", "intercepts", "residuals"),
}
MEANING = {
    "configural": "the same items belong to the same constructs in every group",
    "metric": "items weigh the same in every group: relations between constructs may be compared",
    "scalar": "items have the same starting level in every group: construct means may be compared",
    "strict": "items are equally exact in every group: sums of items may be compared",
}
_LARGEST_FALL = 0.01  # of CFI, Cheung & Rensvold (2002)
_SIGNIFICANT = 0.05
_SIGN = {True: "negative", False: "not known"}
_POSITIVE = " Use method='satorra_bentler_2010', which is always positive."
_SAID = {
    "satorra_bentler_2001": "scaled difference, Satorra & Bentler 2001",
    "satorra_bentler_2010": "scaled difference, Satorra & Bentler 2010",
    "satorra_2000": "scaled and shifted difference, Satorra 2000",
}
_NESTED = 1e-4  # F of the freer model fitted to the moments of the other, above which it cannot reproduce them


@dataclass(frozen=True)
class Comparison:
    """The difference test of two nested fits.

    Attributes
    ----------
    table : DataFrame
        One row a model, the freer first: df, aic, bic, chisq (unscaled), chisq_diff, df_diff, pvalue. AIC and BIC are
        nan where there is no likelihood.
    scaling : float or None
        What the difference of the unscaled statistics is divided by; None for a plain test.
    shift : float
        What is added after that (satorra_2000); else 0.
    method : str
        "likelihood ratio", or the scaled difference used.
    problems : list of str
    """

    table: pd.DataFrame
    scaling: float | None
    method: str
    problems: list[str]
    shift: float = 0.0

    @property
    def chisq_diff(self) -> float:
        return float(self.table["chisq_diff"].iloc[1])

    @property
    def df_diff(self) -> int:
        return int(self.table["df_diff"].iloc[1])

    @property
    def pvalue(self) -> float:
        return float(self.table["pvalue"].iloc[1])

    @property
    def headline(self) -> str:
        """The result in one line."""
        verdict = "fits significantly worse" if self.pvalue < _SIGNIFICANT else "does not fit significantly worse"
        freer, restricted = self.table.index
        return (
            f"{restricted} {verdict} than {freer}: Δχ² = {self.chisq_diff:.3f}, Δdf = {self.df_diff}, "
            f"p = {self.pvalue:.4f} ({self.method})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        rows = self.table.astype(object).where(self.table.notna(), None).to_dict("index")
        return {
            "models": rows,
            "scaling": self.scaling,
            "shift": self.shift,
            "method": self.method,
            "problems": self.problems,
        }

    def __repr__(self) -> str:
        return "\n".join([self.headline, self.table.round(3).to_string(), *self.problems])

    def _repr_html_(self) -> str:
        from html import escape

        told = "".join(f"<p>{escape(text)}</p>" for text in (self.headline, *self.problems))
        return self.table.round(3).to_html(na_rep="") + told


def compare(fit1: Fit, fit2: Fit, *, method: str | None = None, names: tuple[str, str] | None = None) -> Comparison:
    """Test whether the more restricted of two nested fits is significantly worse; the order given does not matter.

    With T and c the statistic and scaling factor of the restricted (0) and the freer fit (1), the test of robust
    estimators is (T₀ − T₁)/c_d with c_d = (df₀c₀ − df₁c₁)/(df₀ − df₁) (Satorra & Bentler 2001). c_d can be negative in
    small samples; with c₁ taken where the freer model has the moments of the restricted one it cannot (2010). Where
    the test itself is shifted or its degrees of freedom are adjusted (WLSMV, ULSMV, WLSMVS), the difference T₀ − T₁ is
    scaled and shifted by the traces of the restriction (Satorra 2000; lavaan's default, A.method "delta").

    Parameters
    ----------
    fit1, fit2 : Fit
        Of the same respondents and items, by the same estimator, with different degrees of freedom.
    method : {"satorra_bentler_2001", "satorra_bentler_2010", "satorra_2000"}, optional
        Of the scaled difference; without effect on plain estimators. None: satorra_2000 for WLSMV, ULSMV and WLSMVS,
        which have no other, and satorra_bentler_2001 else. satorra_2000 needs ordinal items.
    names : pair of str, optional
        What to call `fit1` and `fit2`; None: "free" and "restricted", by their degrees of freedom.

    Raises
    ------
    SemError
        The fits differ in data, estimator or treatment of missing answers; they have the same degrees of freedom; the
        freer one fits worse; a fit did not converge; the method is not one for the estimator.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> quality = rng.normal(size=500)
    >>> items = pd.DataFrame({f"q{i}": quality + rng.normal(size=500) for i in (1, 2, 3, 4)})
    >>> free = fit("Quality =~ q1 + q2 + q3 + q4", items)
    >>> equal = fit("Quality =~ 1*q1 + 1*q2 + 1*q3 + 1*q4", items)
    >>> compare(free, equal).df_diff
    3
    """
    import pandas as pd
    from scipy.special import chdtrc

    _check_comparable(fit1, fit2)
    method = _method(fit1, method)
    swapped = fit1.df > fit2.df
    free, restricted = (fit2, fit1) if swapped else (fit1, fit2)
    labels = ("free", "restricted") if names is None else tuple(reversed(names)) if swapped else names
    _check_nested(free, restricted, labels)
    problems = _doubts(free, restricted, labels)
    scaling, shift = _scaling(free, restricted, method)
    if scaling is not None and not scaling > 0:
        remedy = "" if method == "satorra_bentler_2010" else _POSITIVE
        problems.append(f"The scaling of the difference is {_SIGN[bool(scaling < 0)]}, so there is no test.{remedy}")
        scaling = np.nan
    df_diff = restricted.df - free.df
    difference = (restricted.test.chisq - free.test.chisq) / (1.0 if scaling is None else scaling) + shift
    rows = [{"df": one.df, **_criteria(one), "chisq": one.test.chisq} for one in (free, restricted)]
    table = pd.DataFrame(rows, index=list(labels))
    table["chisq_diff"] = [np.nan, difference]
    table["df_diff"] = [np.nan, df_diff]
    table["pvalue"] = [np.nan, float(chdtrc(df_diff, max(difference, 0.0)))]
    return Comparison(table, scaling, "likelihood ratio" if scaling is None else _SAID[method], problems, shift)


def _method(fitted: Fit, method: str | None) -> str:
    """The method of the scaled difference, by default the one that goes with the estimator's test."""
    if method is not None and method not in METHODS:
        raise SemError(f"method {method!r} is unknown; choose one of {', '.join(METHODS)}")
    adjusted = isinstance(fitted, OrdinalFit) and fitted.choice.scaled in ("scaled_shifted", "mean_variance")
    usual = "satorra_2000" if adjusted else "satorra_bentler_2001"
    if method is None or not fitted.test.is_scaled:
        return usual
    if (method == "satorra_2000") != adjusted and (adjusted or not isinstance(fitted, OrdinalFit)):
        raise SemError(f"method {method!r} is not for {fitted.choice.estimator}; its difference test is {usual!r}")
    return method


def _scaling(free: Fit, restricted: Fit, method: str) -> tuple[float | None, float]:
    """What the difference is divided by, and what is added."""
    if not restricted.test.is_scaled:
        return None, 0.0
    if method != "satorra_2000":
        return _difference_scaling(free, restricted, method), 0.0
    assert isinstance(free, OrdinalFit)
    assert isinstance(restricted, OrdinalFit)
    found = free.difference(restricted)
    return float(found.scaling_factor or np.nan), float(found.shift or 0.0)


def _criteria(one: Fit) -> dict[str, float]:
    """AIC and BIC."""
    found = one.log_likelihoods
    if found is None:
        return {"aic": np.nan, "bic": np.nan}
    return {"aic": 2 * one.n_free - 2 * found[0], "bic": np.log(one.n) * one.n_free - 2 * found[0]}


def _check_comparable(one: Fit, other: Fit) -> None:
    """Refuse fits whose statistics are not of the same data by the same estimator."""
    for attribute, what in (("estimator", "estimator"), ("missing", "treatment of missing answers")):
        a, b = getattr(one.choice, attribute), getattr(other.choice, attribute)
        if a != b:
            raise SemError(f"the fits differ in {what} ({a} and {b}); a difference test needs the same in both")
    ordinal = [set(f.objective.structure.ordered) if isinstance(f, OrdinalFit) else set() for f in (one, other)]
    if ordinal[0] != ordinal[1]:
        apart = ", ".join(sorted(ordinal[0] ^ ordinal[1]))
        raise SemError(f"{apart}: ordinal in one fit only; name the same items in ordered=[…] in both")
    for number, fitted in enumerate((one, other), start=1):
        if not fitted.converged:
            raise SemError(f"fit{number} did not converge; its χ² cannot be compared. See its .problems")
    if set(one.structure.observed) != set(other.structure.observed):
        differing = sorted(set(one.structure.observed) ^ set(other.structure.observed))
        raise SemError(
            f"the fits are of different items ({', '.join(differing[:6])} in one only); their χ² cannot be compared. "
            "Keep every item in both models, with loadings fixed to 0 where needed"
        )
    _check_same_respondents(one, other)
    if one.means != other.means:
        raise SemError("means are modelled in one fit only; fit both with meanstructure=True")
    given = [{fitted.structure.observed[i] for i in fitted.structure.covariates} for fitted in (one, other)]
    if given[0] != given[1]:
        names = ", ".join(sorted(given[0] ^ given[1]))
        raise SemError(f"the moments of {names} are given in one fit only; fit both with fixed_x=False")


def _check_same_respondents(one: Fit, other: Fit) -> None:
    if sorted(one.groups) != sorted(other.groups):
        raise SemError(f"the fits divide the respondents differently ({_groups(one)}; {_groups(other)})")
    order = [other.structure.observed.index(name) for name in one.structure.observed]
    for sample in one.samples:
        twin = next(s for s in other.samples if s.name == sample.name)
        place = f" in group {sample.name}" if sample.name else ""
        if sample.n != twin.n:
            raise SemError(
                f"the fits are of different data: {sample.n} and {twin.n} respondents{place}. Fit both models to the "
                "same rows"
            )
        a, b = sample.values, twin.values[:, order]
        if not np.array_equal(a[np.lexsort(a.T)], b[np.lexsort(b.T)], equal_nan=True):
            raise SemError(f"the fits are of different data: the answers{place} differ. Fit both models to one table")


def _groups(fitted: Fit) -> str:
    return "groups " + ", ".join(fitted.groups) if len(fitted.groups) > 1 else "one group"


def _check_nested(free: Fit, restricted: Fit, names: tuple[str, ...]) -> None:
    if free.df == restricted.df:
        raise SemError(
            f"both fits have {free.df} degrees of freedom, so neither restricts the other and there is no difference "
            "test; compare their AIC and BIC in .fit_measures"
        )
    fall = free.test.chisq - restricted.test.chisq
    if fall > 1e-4 * max(1.0, free.test.chisq):
        raise SemError(
            f"{names[0]} has fewer degrees of freedom ({free.df}) than {names[1]} ({restricted.df}) and yet a larger "
            f"χ² ({free.test.chisq:.3f}, {restricted.test.chisq:.3f}): the models are not nested, and there is no "
            "difference test; compare their AIC and BIC in .fit_measures"
        )


def _doubts(free: Fit, restricted: Fit, names: tuple[str, ...]) -> list[str]:
    """What speaks against the test: models that are not nested after all, solutions that are not admissible."""
    problems = []
    reproduced = _reproduction(free, restricted)
    if reproduced.value > _NESTED:
        problems.append(
            f"{names[0]} cannot reproduce the moments that {names[1]} implies (discrepancy "
            f"{reproduced.value:.4f}, where nested models give 0; Bentler & Satorra 2010): the models do not seem to "
            "be nested, and the test means nothing."
        )
    for name, fitted in zip(names, (free, restricted), strict=True):
        told = [text for text in fitted.problems if text not in fitted.told]
        if told:
            problems.append(f"{name}: {' '.join(told)}")
    return problems


def _reproduction(free: Fit, restricted: Fit) -> Optimum:
    """The freer model fitted to the moments that the restricted one implies."""
    objective, offset = _distance(free, restricted), _offset(free)
    attempts = [minimise(objective, start, free.K, offset) for start in (_carried(free, restricted), free.theta)]
    return min(attempts, key=lambda found: found.value)


def _distance(free: Fit, restricted: Fit) -> Objective:
    """How far the freer model is from the moments that the restricted one implies."""
    if isinstance(free, OrdinalFit) and isinstance(restricted, OrdinalFit):
        return free.reproduction(restricted)
    order = [restricted.structure.observed.index(name) for name in free.structure.observed]
    moments = []
    for sample in free.samples:
        implied = restricted.structure.implied(restricted.theta, restricted.groups.index(sample.name))
        mean = implied[1][order] if free.means else np.zeros(len(order))
        moments.append(SampleSummary(sample.n, implied[0][np.ix_(order, order)], mean))
    return MLObjective(free.structure, moments, free.means)


def _offset(fitted: Fit) -> np.ndarray:
    """The part of theta that linear constraints fix: what is left of it outside the free directions."""
    return fitted.theta - fitted.K @ (fitted.K.T @ fitted.theta)


def _carried(free: Fit, restricted: Fit) -> np.ndarray:
    """Estimates of the restricted fit as parameters of the freer one; what it does not know is 0."""
    names = list(restricted.groups)
    known = {
        (row.lhs, row.op, row.rhs, names[row.group]): value
        for row, value in zip(restricted.structure.table, restricted.structure.values(restricted.theta), strict=True)
    }
    known |= {(rhs, op, lhs, g): value for (lhs, op, rhs, g), value in list(known.items()) if op == "~~"}
    theta = np.zeros(free.structure.n_free)
    for row, k in zip(free.structure.table, free.structure.position, strict=True):
        if k >= 0:
            theta[k] = known.get((row.lhs, row.op, row.rhs, free.groups[row.group]), 0.0)
    return theta


def _difference_scaling(free: Fit, restricted: Fit, method: str) -> float:
    """c_d = (df₀c₀ − df₁c₁)/(df₀ − df₁)."""
    at = free
    if method == "satorra_bentler_2010" and free.df > 0:
        reproduced = _reproduction(free, restricted)
        at = replace(free, optimum=Optimum(reproduced.theta, free.optimum.value, True, 0, ""))
    freer = free.df * float(at.test.scaling_factor or 0.0) if free.df > 0 else 0.0
    return (restricted.df * float(restricted.test.scaling_factor or 0.0) - freer) / (restricted.df - free.df)


@dataclass(frozen=True)
class Invariance:
    """The ladder of measurement invariance.

    Attributes
    ----------
    table : DataFrame
        One row a step: model, chisq, df, cfi, rmsea, delta_chisq, delta_df, pvalue, delta_cfi, verdict. With a robust
        estimator chisq is the scaled one, cfi and rmsea are the robust ones (the scaled ones with ordinal items), and
        delta_chisq is the scaled difference.
    fits : dict of str to Fit
        By the name of the step.
    problems : list of str
    """

    table: pd.DataFrame
    fits: dict[str, Fit]
    problems: list[str]

    @property
    def reached(self) -> str:
        """The last step up to which invariance holds, by the differences between steps."""
        held = "configural"
        for step, verdict in zip(self.table["model"][1:], self.table["verdict"][1:], strict=True):
            if not verdict.startswith("holds"):
                break
            held = str(step)
        return held

    @property
    def headline(self) -> str:
        """The result in one line."""
        doubt = "" if self.table["verdict"].iloc[0] == "fits" else "; but the configural model itself does not fit well"
        return f"Invariance up to the {self.reached} model: {MEANING[self.reached]}{doubt}"

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        rows = self.table.astype(object).where(self.table.notna(), None).to_dict("records")
        return {"steps": rows, "reached": self.reached, "problems": self.problems}

    def __repr__(self) -> str:
        return "\n".join([self.headline, self.table.round(3).to_string(index=False), *self.problems])

    def _repr_html_(self) -> str:
        from html import escape

        told = "".join(f"<p>{escape(text)}</p>" for text in (self.headline, *self.problems))
        return self.table.round(3).to_html(index=False, na_rep="") + told


def invariance(
    model: Model | str,
    data: pd.DataFrame,
    group: str,
    estimator: str = "ML",
    *,
    missing: str = "listwise",
    ordered: Sequence[str] | bool = (),
    **options: Any,
) -> Invariance:
    """Test measurement invariance over groups: configural, metric, scalar and strict model in one call.

    Each step is judged against the one before. It holds where χ² does not rise significantly (5 %) and CFI falls by at
    most 0.01 (Cheung & Rensvold 2002); where the two disagree, the verdict says so. The configural model fits where
    CFI is at least 0.90 and RMSEA at most 0.08.

    Loadings and thresholds of ordinal items make up one curve and are made equal together: configural, scalar, strict.
    Identification is that of lavaan's `group.equal` under theta (Millsap & Yun-Tein 2004): residual variances 1 in all
    groups and latent means 0 in the configural model; from the scalar one on later groups are free in both, in the
    strict one in the means only. A model with equal loadings alone would not be nested: its y* have other units.

    Parameters
    ----------
    model : Model or text
        A measurement model; regressions among constructs may stand in it, they are free in every group.
    data : DataFrame
    group : str
        Column that divides the respondents.
    estimator : {"ML", "MLR", "MLM"}
        With ordinal items "WLSMV" (for which "ML" stands) or its kin.
    missing, ordered, options
        As in `fit`; `group_equal`, `meanstructure` and `parameterization` are set by the steps.

    Raises
    ------
    SemError
        As `fit`; or there is only one group, or the estimator has no likelihood.
    """
    import pandas as pd

    if refused := {"group", "group_equal", "meanstructure", "parameterization"} & set(options):
        raise SemError(f"invariance sets {' and '.join(sorted(refused))} itself; leave it out")
    model = Model(model) if isinstance(model, str) else model
    ordinal = are_ordinal(model, ordered)
    if not ordinal and estimator not in ("ML", "MLR", "MLM"):
        raise SemError(f"invariance goes with ML, MLR or MLM, found {estimator!r}")
    common: dict[str, Any] = {"group": group, "estimator": estimator, "missing": missing, **options}
    common |= {"ordered": ordered, "parameterization": "theta"} if ordinal else {"meanstructure": True}
    fits: dict[str, Fit] = {}
    for step, equal in (ORDINAL_STEPS if ordinal else STEPS).items():
        fits[step] = fit(model, data, group_equal=equal, **common)
        if len(fits[step].groups) < 2:
            raise SemError(f"invariance needs two groups or more; column {group} holds one ({fits[step].groups[0]})")
    rows: list[dict[str, Any]] = []
    problems = list(fits["configural"].told)
    previous: str | None = None
    for step, fitted in fits.items():
        row, told = _step(step, fitted, None if previous is None else (previous, fits[previous], rows[-1]))
        rows.append(row)
        problems += told
        previous = step
    return Invariance(pd.DataFrame(rows), fits, list(dict.fromkeys(problems)))


def _step(step: str, fitted: Fit, before: tuple[str, Fit, dict[str, Any]] | None) -> tuple[dict[str, Any], list[str]]:
    """One row of the ladder, and what has to be told about it."""
    measures, scaled = fitted.fit_measures, fitted.test.is_scaled
    robust = "" if not scaled else "_scaled" if isinstance(fitted, OrdinalFit) else "_robust"
    row: dict[str, Any] = {
        "model": step,
        "chisq": float(measures["chisq_scaled" if scaled else "chisq"]),
        "df": fitted.df,
        "cfi": float(measures["cfi" + robust]),
        "rmsea": float(measures["rmsea" + robust]),
        **dict.fromkeys(("delta_chisq", "delta_df", "pvalue", "delta_cfi"), np.nan),
    }
    told = [f"{step}: {text}" for text in fitted.problems if text not in fitted.told]
    if before is None:
        fits = row["cfi"] >= 0.90 and row["rmsea"] <= 0.08
        return row | {"verdict": "fits" if fits else "does not fit well: CFI below 0.90 or RMSEA above 0.08"}, told
    name, other, former = before
    if not (fitted.converged and other.converged):
        return row | {"verdict": "cannot be judged: a model did not converge"}, told
    if fitted.df == other.df:
        return row | {"verdict": "cannot be judged: nothing is restricted"}, told
    test = compare(other, fitted, names=(name, step))
    row |= {"delta_chisq": test.chisq_diff, "delta_df": float(test.df_diff), "pvalue": test.pvalue}
    row["delta_cfi"] = row["cfi"] - former["cfi"]
    told += [text for text in test.problems if "difference is negative" in text]
    return row | {"verdict": _verdict(row["pvalue"], row["delta_cfi"])}, told


def _verdict(pvalue: float, delta_cfi: float) -> str:
    worse, falls = pvalue < _SIGNIFICANT, delta_cfi < -_LARGEST_FALL
    if np.isnan(pvalue) or np.isnan(delta_cfi):
        return "cannot be judged: no difference test"
    if worse and falls:
        return "does not hold: χ² rises significantly and CFI falls by more than 0.01"
    if falls:
        return "doubtful: CFI falls by more than 0.01, though χ² does not rise significantly"
    if worse:
        return "holds in practice: χ² rises significantly, but CFI falls by at most 0.01"
    return "holds"
