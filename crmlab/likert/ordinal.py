"""An ordinal outcome explained: the ordinal logit (proportional odds) beside the straight line (chapter 7).

A Likert answer y is seen as a latent inclination cut at thresholds τ: P(y ≤ j) = 1/(1 + exp(−(τⱼ − βx))). One β serves
every cut, which is what "proportional odds" assumes; Brant's test compares the separate logits of the cuts. Estimated
by statsmodels' `OrderedModel`; agrees with `polr` of R's MASS.

References
----------
Brant, R. (1990). Assessing proportionality in the proportional odds model for ordinal logistic regression. Biometrics
46, 1171–1178.
Liddell, T. M. & Kruschke, J. K. (2018). Analyzing ordinal data with metric models: what could possibly go wrong?
Journal of Experimental Social Psychology 79, 328–348.
McCullagh, P. (1980). Regression models for ordinal data. Journal of the Royal Statistical Society B 42, 109–142.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crmlab.errors import InputError
from crmlab.likert.battery import column, frame_of, numbers, records

if TYPE_CHECKING:
    from crmlab.responses import Responses

Array = NDArray[np.float64]

_SLOPE_AT_REST = 1e-3  # of the log likelihood, whole sample, per unit of a parameter
_SIGNIFICANT = 0.05


@dataclass(frozen=True, eq=False)
class OrdinalLogit:
    """An ordinal logit.

    Attributes
    ----------
    coefficients : DataFrame, index term: estimate, se, z, pvalue, ci_lower, ci_upper, odds_ratio
        Positive: higher categories become more likely. Intervals 95 %.
    thresholds : DataFrame, index cut ("1|2"): estimate, se
    proportional_odds : DataFrame, index term: chisq, df, pvalue
        Brant's test by term, and "all terms"; nan where a separate logit does not exist.
    deviance, aic : float
        −2 log likelihood; deviance + 2 × parameters.
    n : int
        Respondents, frequencies counted.
    categories : list
        Lowest first.
    converged : bool
    problems : list of str
    """

    coefficients: pd.DataFrame
    thresholds: pd.DataFrame
    proportional_odds: pd.DataFrame
    deviance: float
    aic: float
    n: int
    categories: list[Any]
    converged: bool
    problems: list[str]
    _coding: _Coding = field(repr=False)

    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Predicted share of each category for each row, (n, categories); rows sum to 1.

        Raises
        ------
        InputError
            A predictor is missing, or has a value that was not there when the model was fitted.
        """
        inclination = self._coding.design(data).to_numpy() @ self.coefficients["estimate"].to_numpy()
        shares = category_shares(self.thresholds["estimate"].to_numpy(), inclination)
        return pd.DataFrame(shares, index=data.index, columns=self.categories)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, ready for JSON."""
        return {
            "coefficients": records(self.coefficients.reset_index()),
            "thresholds": records(self.thresholds.reset_index()),
            "proportional_odds": records(self.proportional_odds.reset_index()),
            "deviance": self.deviance,
            "aic": self.aic,
            "n": self.n,
            "converged": self.converged,
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        return self.coefficients.round(4).to_html() + self.thresholds.round(4).to_html()


@dataclass(frozen=True, eq=False)
class OrdinalAgainstLinear:
    """The same question answered by an ordinal logit and by least squares.

    Attributes
    ----------
    ordinal : OrdinalLogit
    table : DataFrame, index term: ordinal, z, linear, t, ratio, same_reading
        Estimates and their ratios to the standard error; ratio = linear/ordinal, in scale points per unit of the
        inclination; same_reading: same sign, and both or neither distinct from zero at 5 %.
    shares : DataFrame, index category: observed, ordinal, linear
        Shares of the categories; linear: those of normal variables around the fitted line, cut midway between points.
    outside : float
        Share that those normal variables put beyond the ends of the scale, half a point allowed.
    problems : list of str
    """

    ordinal: OrdinalLogit
    table: pd.DataFrame
    shares: pd.DataFrame
    outside: float
    problems: list[str]

    def _repr_html_(self) -> str:
        return self.table.round(3).to_html() + self.shares.round(3).to_html()


def ordinal_logit(
    data: pd.DataFrame | Responses, outcome: str, predictors: Sequence[str], *, frequency: str | None = None
) -> OrdinalLogit:
    """Ordinal logit of one answer on others.

    Parameters
    ----------
    data : DataFrame or Responses
        Rows with a missing value are left out and told.
    outcome : str
        Numbers, or an ordered Categorical; at least three categories.
    predictors : sequence of str
        Numbers as they are; text and Categoricals by indicators against their first category.
    frequency : str, optional
        Column of whole numbers: how many respondents a row stands for.

    Returns
    -------
    OrdinalLogit

    Raises
    ------
    InputError
        A missing column, an unordered or constant outcome, predictors that determine each other, frequencies that are
        no whole numbers.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=2000)
    >>> y = np.digitize(1.5 * x + rng.logistic(size=2000), [-1, 1])
    >>> fit = ordinal_logit(pd.DataFrame({"x": x, "y": y}), "y", ["x"])
    >>> fit.coefficients["estimate"].round(1).to_dict(), fit.thresholds["estimate"].round(1).tolist()
    ({'x': 1.5}, [-1.0, 1.0])
    """
    cells = _Cells.of(data, outcome, predictors, frequency)
    estimates, covariance, log_likelihood, converged = _estimated(cells)
    k = len(cells.coding.terms)
    se = np.sqrt(np.diagonal(covariance))
    deviance = -2 * log_likelihood
    cuts = [f"{low}|{high}" for low, high in zip(cells.categories, cells.categories[1:], strict=False)]
    thresholds = pd.DataFrame({"estimate": estimates[k:], "se": se[k:]}, index=pd.Index(cuts, name="cut"))
    brant, notes = _brant(cells)
    result = OrdinalLogit(
        coefficients=_coefficients(cells.coding.terms, estimates[:k], se[:k]),
        thresholds=thresholds,
        proportional_odds=brant,
        deviance=deviance,
        aic=deviance + 2 * len(estimates),
        n=int(cells.weight.sum()),
        categories=cells.categories,
        converged=converged,
        problems=[*cells.problems, *notes],
        _coding=cells.coding,
    )
    result.problems.extend(_logit_problems(result))
    return result


def against_linear(
    data: pd.DataFrame | Responses, outcome: str, predictors: Sequence[str], *, frequency: str | None = None
) -> OrdinalAgainstLinear:
    """Ordinal logit and least squares on the same question, side by side, and where the difference matters.

    Parameters
    ----------
    data, outcome, predictors, frequency
        As for `ordinal_logit`; categories that are no numbers count 1, 2, 3, … for the line.

    Returns
    -------
    OrdinalAgainstLinear

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=500)
    >>> y = np.digitize(1.5 * x + rng.logistic(size=500), [-1, 1])
    >>> both = against_linear(pd.DataFrame({"x": x, "y": y}), "y", ["x"])
    >>> both.table["same_reading"].tolist()
    [True]
    """
    from scipy.special import ndtr

    ordinal = ordinal_logit(data, outcome, predictors, frequency=frequency)
    cells = _Cells.of(data, outcome, predictors, frequency)
    points = _points(cells.categories)
    beta, se, sd, fitted = _least_squares(cells.x, points[cells.code], cells.weight)
    terms = ordinal.coefficients
    t = beta / se
    same = (np.sign(beta) == np.sign(terms["estimate"])) & (
        (_p_value(t) < _SIGNIFICANT) == (terms["pvalue"] < _SIGNIFICANT)
    )
    table = pd.DataFrame(
        {
            "ordinal": terms["estimate"],
            "z": terms["z"],
            "linear": beta,
            "t": t,
            "ratio": beta / terms["estimate"],
            "same_reading": same,
        }
    )
    weight = cells.weight / cells.weight.sum()
    cuts = (points[1:] + points[:-1]) / 2
    below = ndtr((cuts - fitted[:, None]) / sd)
    edges = np.column_stack([np.zeros(len(below)), below, np.ones(len(below))])
    inclination = cells.x @ terms["estimate"].to_numpy()
    shares = pd.DataFrame(
        {
            "observed": np.bincount(cells.code, weight, minlength=len(points)),
            "ordinal": weight @ category_shares(ordinal.thresholds["estimate"].to_numpy(), inclination),
            "linear": weight @ np.diff(edges, axis=1),
        },
        index=pd.Index(cells.categories, name="category"),
    )
    low, high = points[0] - (points[1] - points[0]) / 2, points[-1] + (points[-1] - points[-2]) / 2
    outside = float(weight @ (ndtr((low - fitted) / sd) + ndtr((fitted - high) / sd)))
    return OrdinalAgainstLinear(ordinal, table, shares, outside, _comparison_problems(ordinal, table, shares, outside))


def category_shares(thresholds: Array, inclination: Array) -> Array:
    """P(category) of the ordinal logit: differences of 1/(1 + exp(−(τ − βx))); (J − 1,), (n,) → (n, J).

    Examples
    --------
    >>> category_shares(np.array([-1.0, 1.0]), np.array([0.0])).round(3)
    array([[0.269, 0.462, 0.269]])
    """
    from scipy.special import expit

    below = expit(thresholds - inclination[:, None])
    edges = np.column_stack([np.zeros(len(below)), below, np.ones(len(below))])
    return np.diff(edges, axis=1)


# ------------------------------------------------------------------------------------------------------ the cells


@dataclass(frozen=True)
class _Coding:
    """How predictors become columns: the levels of each categorical predictor, None for a number."""

    levels: dict[str, list[Any] | None]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> _Coding:
        return cls({name: _levels(frame[name]) for name in frame.columns})

    @property
    def terms(self) -> list[str]:
        return [
            term
            for name, levels in self.levels.items()
            for term in ([name] if levels is None else [f"{name}: {level}" for level in levels[1:]])
        ]

    def design(self, frame: pd.DataFrame) -> pd.DataFrame:
        """One column a term, (n, terms)."""
        columns: dict[str, Any] = {}
        for name, levels in self.levels.items():
            values = column(frame, name, "predictors")
            if levels is None:
                columns[name] = numbers(values, name)
                continue
            unknown = values[~values.isin(levels)]
            if len(unknown):
                raise InputError(
                    f"predictors: {name} has {unknown.iloc[0]!r} in row {unknown.index[0]}; the model knows "
                    f"{', '.join(map(str, levels))}."
                )
            columns |= {f"{name}: {level}": (values == level).astype(float) for level in levels[1:]}
        return pd.DataFrame(columns, index=frame.index)


def _levels(values: pd.Series) -> list[Any] | None:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return [level for level in values.cat.categories if (values == level).any()]
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return None
    return sorted(values.unique(), key=str)


@dataclass(frozen=True)
class _Cells:
    """Rows of the model: x (n, terms), code (n,) of the category from 0, weight (n,)."""

    x: Array
    code: NDArray[np.intp]
    weight: Array
    categories: list[Any]
    coding: _Coding
    problems: list[str]

    @classmethod
    def of(
        cls, data: pd.DataFrame | Responses, outcome: str, predictors: Sequence[str], frequency: str | None
    ) -> _Cells:
        if not predictors or outcome in predictors:
            raise InputError(
                f"predictors: found {list(predictors)}; expected at least one column other than {outcome}."
            )
        parts = {outcome: column(data, outcome, "outcome")}
        parts |= {name: column(data, name, "predictors") for name in predictors}
        if frequency is not None:
            parts[frequency] = column(data, frequency, "frequency")
        frame = pd.DataFrame(parts).dropna()
        dropped = len(frame_of(data)) - len(frame)
        notes = [f"{dropped} rows have a missing value and are left out."] if dropped else []
        weight = _frequencies(frame, frequency)
        frame, weight = frame[weight > 0], weight[weight > 0]
        code, categories = _categories(frame[outcome], outcome)
        coding = _Coding.of(frame[list(predictors)])
        x = coding.design(frame).to_numpy(dtype=float)
        _check_rank(x, weight, coding.terms)
        return cls(x, code, weight, categories, coding, notes)


def _frequencies(frame: pd.DataFrame, frequency: str | None) -> Array:
    if frequency is None:
        return np.ones(len(frame))
    values = numbers(frame[frequency], frequency).to_numpy()
    wrong = (values < 0) | (values != np.round(values))
    if wrong.any():
        row = frame.index[int(np.flatnonzero(wrong)[0])]
        raise InputError(
            f"frequency: {frequency} has {values[wrong][0]:g} in row {row}; expected a whole number of respondents."
        )
    return values


def _categories(values: pd.Series, outcome: str) -> tuple[NDArray[np.intp], list[Any]]:
    if isinstance(values.dtype, pd.CategoricalDtype) and values.cat.ordered:
        levels = [level for level in values.cat.categories if (values == level).any()]
    elif pd.api.types.is_numeric_dtype(values):
        levels = sorted(values.unique().tolist())
        levels = [int(level) if float(level).is_integer() else level for level in levels]
    else:
        raise InputError(
            f"outcome: {outcome} holds {values.iloc[0]!r} and the like, whose order is not known. Give numbers, or an "
            "ordered Categorical."
        )
    if len(levels) < 3:
        raise InputError(
            f"outcome: {outcome} has {len(levels)} categories; an ordinal logit needs three or more. With two, use an "
            "ordinary logit."
        )
    codes = pd.Categorical(values, categories=levels).codes
    return codes.astype(np.intp), levels


def _check_rank(x: Array, weight: Array, terms: list[str]) -> None:
    standard = (x - x.mean(axis=0)) * np.sqrt(weight)[:, None]
    if np.linalg.matrix_rank(standard) < len(terms):
        raise InputError(
            f"predictors: {', '.join(terms)} determine each other, or one of them never varies. Leave one out."
        )


# ------------------------------------------------------------------------------------------------------ estimation


def _estimated(cells: _Cells) -> tuple[Array, Array, float, bool]:
    """Coefficients then thresholds, their covariance, the log likelihood, and whether the search came to rest.

    statsmodels holds thresholds as the first one and the logarithms of the steps; the covariance follows by the delta
    method. Frequencies are spelled out, as its likelihood knows none.
    """
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    repeat = np.repeat(np.arange(len(cells.code)), cells.weight.astype(int))
    outcome = pd.Series(pd.Categorical(cells.code[repeat], categories=range(len(cells.categories)), ordered=True))
    sd = cells.x[repeat].std(axis=0)
    exog = pd.DataFrame(cells.x[repeat] / sd, columns=[f"x{j}" for j in range(cells.x.shape[1])])
    model = OrderedModel(outcome, exog, distr="logit")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # told through `converged`
        fit = model.fit(method="bfgs", maxiter=1000, gtol=1e-6, disp=False)
        covariance = np.asarray(fit.cov_params())
    k, params = exog.shape[1], np.asarray(fit.params)
    jacobian = np.eye(len(params))
    jacobian[:k, :k] = np.diag(1 / sd)
    jacobian[k:, k + 1 :] = np.tril(np.ones((len(params) - k, len(params) - k)), 0)[:, 1:] * np.exp(params[k + 1 :])
    jacobian[k:, k] = 1
    thresholds = model.transform_threshold_params(params)[1:-1]
    slope = np.abs(np.asarray(model.score(params))).max()
    converged = bool(slope < _SLOPE_AT_REST * max(1.0, np.sqrt(cells.weight.sum())))
    return np.concatenate([params[:k] / sd, thresholds]), jacobian @ covariance @ jacobian.T, float(fit.llf), converged


def _coefficients(terms: list[str], estimate: Array, se: Array) -> pd.DataFrame:
    z = estimate / se
    return pd.DataFrame(
        {
            "estimate": estimate,
            "se": se,
            "z": z,
            "pvalue": _p_value(z),
            "ci_lower": estimate - 1.959964 * se,
            "ci_upper": estimate + 1.959964 * se,
            "odds_ratio": np.exp(estimate),
        },
        index=pd.Index(terms, name="term"),
    )


def _p_value(z: Array) -> Array:
    from scipy.special import ndtr

    return np.asarray(2 * ndtr(-np.abs(z)), dtype=np.float64)


def _points(categories: list[Any]) -> Array:
    if all(isinstance(category, int | float) for category in categories):
        return np.array(categories, dtype=float)
    return np.arange(1.0, len(categories) + 1)


def _least_squares(x: Array, y: Array, weight: Array) -> tuple[Array, Array, float, Array]:
    """Slopes, their standard errors, residual sd and fitted values of a weighted line with intercept."""
    design = np.column_stack([np.ones(len(x)), x])
    information = np.linalg.inv((design * weight[:, None]).T @ design)
    beta = information @ (design.T @ (weight * y))
    fitted = design @ beta
    variance = float(weight @ (y - fitted) ** 2 / (weight.sum() - design.shape[1]))
    return beta[1:], np.sqrt(variance * np.diagonal(information))[1:], variance**0.5, fitted


# ------------------------------------------------------------------------------------------------ proportional odds


def _brant(cells: _Cells) -> tuple[pd.DataFrame, list[str]]:
    """Brant's Wald test that the logits of all cuts share their slopes, by term and in all."""
    from scipy.stats import chi2

    k, cuts = cells.x.shape[1], len(cells.categories) - 1
    logits = [_binary_logit(cells.x, cells.code > cut, cells.weight) for cut in range(cuts)]
    terms = pd.Index([*cells.coding.terms, "all terms"], name="term")
    if any(beta is None for beta in logits):
        empty = pd.DataFrame({"chisq": np.nan, "df": [cuts - 1] * k + [k * (cuts - 1)], "pvalue": np.nan}, index=terms)
        return empty, [
            "Proportional odds cannot be tested: at one of the cuts a predictor separates the answers fully."
        ]
    betas = np.array([beta[1:] for beta in logits if beta is not None])
    covariance = _joint_covariance(cells, [beta for beta in logits if beta is not None])
    contrast = np.kron(np.column_stack([-np.ones(cuts - 1), np.eye(cuts - 1)]), np.eye(k))
    difference, spread = contrast @ betas.ravel(), contrast @ covariance @ contrast.T
    rows = [np.arange(cuts - 1) * k + j for j in range(k)] + [np.arange((cuts - 1) * k)]
    chisq = [float(difference[r] @ np.linalg.solve(spread[np.ix_(r, r)], difference[r])) for r in rows]
    df = [len(r) for r in rows]
    return pd.DataFrame({"chisq": chisq, "df": df, "pvalue": chi2.sf(chisq, df)}, index=terms), []


def _binary_logit(x: Array, above: NDArray[np.bool_], weight: Array) -> Array | None:
    """Intercept and slopes by Newton steps; None where the likelihood has no maximum."""
    from scipy.special import expit

    design = np.column_stack([np.ones(len(x)), x])
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        p = expit(design @ beta)
        information = (design * (weight * p * (1 - p))[:, None]).T @ design
        if np.linalg.cond(information) > 1e13:
            return None
        step = np.linalg.solve(information, design.T @ (weight * (above - p)))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            return beta
    return None


def _joint_covariance(cells: _Cells, logits: list[Array]) -> Array:
    """Covariance of the slopes of all cuts, (cuts·k, cuts·k): of two cuts i ≤ j, weights π_j − π_iπ_j (Brant 1990)."""
    from scipy.special import expit

    design = np.column_stack([np.ones(len(cells.x)), cells.x])
    above = [expit(design @ beta) for beta in logits]
    inverse = [np.linalg.inv((design * (cells.weight * p * (1 - p))[:, None]).T @ design) for p in above]
    k, cuts = cells.x.shape[1], len(logits)
    joint = np.zeros((cuts * k, cuts * k))
    for i in range(cuts):
        for j in range(i, cuts):
            middle = (design * (cells.weight * (above[j] - above[i] * above[j]))[:, None]).T @ design
            block = (inverse[i] @ middle @ inverse[j])[1:, 1:]
            joint[i * k : (i + 1) * k, j * k : (j + 1) * k] = block
            joint[j * k : (j + 1) * k, i * k : (i + 1) * k] = block.T
    return joint


def _logit_problems(result: OrdinalLogit) -> list[str]:
    problems = []
    if not result.converged:
        problems.append("The likelihood did not come to rest: do not use the coefficients.")
    huge = result.coefficients.index[~(result.coefficients["se"] < 100)].tolist()
    if huge:
        problems.append(f"{', '.join(huge)}: the standard error is not finite or absurd; the answers may be separated.")
    test = result.proportional_odds
    if test["pvalue"].get("all terms", np.nan) < _SIGNIFICANT:
        named = test.index[(test["pvalue"] < _SIGNIFICANT) & (test.index != "all terms")].tolist()
        of = f" ({', '.join(named)})" if named else ""
        problems.append(
            f"Proportional odds do not hold (Brant's test, p = {test['pvalue']['all terms']:.3f}){of}: one coefficient "
            "averages effects that differ along the scale. Look at the separate cuts."
        )
    return problems


def _comparison_problems(ordinal: OrdinalLogit, table: pd.DataFrame, shares: pd.DataFrame, outside: float) -> list[str]:
    problems = list(ordinal.problems)
    differing = table.index[~table["same_reading"]].tolist()
    if differing:
        problems.append(f"{', '.join(differing)}: the two models do not read alike; trust the ordinal one.")
    if outside > 0.02:
        problems.append(f"The straight line puts {100 * outside:.0f} % of its answers beyond the ends of the scale.")
    missed = shares.sub(shares["observed"], axis=0).abs()
    worst = int(missed["linear"].argmax())
    if missed["linear"].max() > 0.05:
        problems.append(
            f"The line misses the share of category {shares.index[worst]} by {100 * missed['linear'].iloc[worst]:.0f} "
            f"points (ordinal logit: {100 * missed['ordinal'].iloc[worst]:.0f}). Means are safer "
            "than shares when answers are treated as measurements."
        )
    return problems
