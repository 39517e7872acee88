"""How loyalty follows satisfaction: straight line, sigmoid and loess compared, and where nothing moves (row E10).

The slope of the sigmoid is largest at its midpoint. Where it has fallen below a stated share of that maximum, better
satisfaction hardly moves loyalty: the insensitive zones 不敏感区 below the lower and above the upper threshold. A flat
stretch in the middle, a zone of tolerance, is no sigmoid; loess shows it, and cross-validation says so.

References
----------
Akaike, H. (1974). A new look at the statistical model identification. IEEE Transactions on Automatic Control 19,
716–723.
Cleveland, W. S. (1979). Robust locally weighted regression and smoothing scatterplots. Journal of the American
Statistical Association 74, 829–836.
Jones, T. O. & Sasser, W. E. (1995). Why satisfied customers defect. Harvard Business Review 73(6), 88–99.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.loyalty.curves import Array, SigmoidFits, fit_sigmoid, half_width, loess, resamples, sigmoid, tally
from crmlab.loyalty.inputs import check_level, check_resamples, measured, worded
from crmlab.results import page, records, rows_by_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODELS = ("linear", "sigmoid", "loess")
PARAMETERS = ("lower", "upper", "midpoint", "steepness", "threshold_lower", "threshold_upper")
#: Four parameters need as many different answers, and one more to be wrong about.
FEWEST_VALUES, FEWEST_CUSTOMERS = 5, 20
#: Differences of AIC below this are no evidence (Burnham & Anderson 2002, section 2.6).
AIC_EVIDENCE = 2.0
#: Share of the customers at one end of the loyalty scale from which on normal errors are doubted.
PILED_UP = 0.15
_GRID = 91
_LOESS_RESAMPLES = 100


@dataclass(frozen=True, eq=False)
class Link:
    """The satisfaction–loyalty link.

    Attributes
    ----------
    models : DataFrame, index linear, sigmoid, loess
        parameters, rss, r_squared, aic (normal errors, the variance counted; missing for loess, which has no
        likelihood), aic_difference (to the best), cv_rmse (root of the mean squared error on customers who were left
        out), cv_difference (of the mean squared error, to the best) and cv_se (its standard error, paired).
    parameters : DataFrame, index lower, upper, midpoint, steepness, threshold_lower, threshold_upper
        estimate, ci_lower, ci_upper (percentile bootstrap over customers). lower and upper are loyalty at low and high
        satisfaction; the thresholds are where the slope has fallen to `slope_share` of its maximum.
    zones : DataFrame: model, zone, start, end, ci_lower, ci_upper, customers
        Stretches of the observed satisfaction where the slope is below that share: "below" and "above" of the sigmoid,
        whose inner end has the interval, unless the sigmoid did not converge; "flat" of loess, without an interval.
        customers is the share of customers in it.
    curves : DataFrame: satisfaction, linear, sigmoid, sigmoid_lower, sigmoid_upper, loess, loess_lower, loess_upper
        With pointwise bootstrap bands.
    points : DataFrame: satisfaction, n, mean, ci_lower, ci_upper
        Means of at most 20 bins of satisfaction; with fewer than five customers in a bin, without an interval.
    slope_share : float
    n : int
    converged : bool
        The sigmoid of all customers came to rest within the limits of the search.
    level : float
    problems : list of str
    """

    models: pd.DataFrame
    parameters: pd.DataFrame
    zones: pd.DataFrame
    curves: pd.DataFrame
    points: pd.DataFrame
    slope_share: float
    n: int
    converged: bool
    level: float
    problems: list[str]

    @property
    def best(self) -> dict[str, str]:
        """The model that each criterion prefers."""
        return {"aic": str(self.models["aic"].idxmin()), "cross-validation": str(self.models["cv_rmse"].idxmin())}

    def plot(self, language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Draw binned means, the three curves, and the insensitive zones of the sigmoid."""
        from crmlab.plots.loyalty import link_curves

        zones = self.zones[self.zones["model"] == "sigmoid"]
        return link_curves(self.curves, self.points, zones, level=self.level, language=language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "n": self.n,
            "converged": self.converged,
            "models": rows_by_name(self.models),
            "parameters": rows_by_name(self.parameters),
            "zones": records(self.zones),
            "slope_share": self.slope_share,
            "best": self.best,
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        tables = (self.models, self.parameters, self.zones.set_index("model"))
        return page(*(table.round(3).to_html() for table in tables), problems=self.problems)


def link_function(
    satisfaction: Any,
    loyalty: Any,
    *,
    slope_share: float = 0.5,
    span: float = 0.5,
    folds: int = 10,
    bootstrap: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> Link:
    """Fit a straight line, a sigmoid and loess of loyalty on satisfaction, and compare them.

    Parameters
    ----------
    satisfaction, loyalty : Series or sequences of numbers, (n,) each
        On any scales; customers without one of the two are left out and told. Intention or behaviour: say which.
    slope_share : float in (0, 1)
        Below this share of the largest slope satisfaction counts as not moving loyalty.
    span : float in (0, 1]
        Share of the customers that each local line of loess is fitted to, more where most of them gave one answer; no
        robustness steps are taken.
    folds : int, 2 or more
        Of the cross-validation; the same parts for all models. More than there are customers leave one out at a time.
    bootstrap : int, 20 or more
        Resamples behind the intervals of the sigmoid; loess takes at most 100 of them.
    level : float in (0, 1)
    seed : int

    Returns
    -------
    Link

    Raises
    ------
    InputError
        Options out of range, text, different customers, fewer than 20 complete pairs, fewer than five different
        satisfactions, loyalty that never varies.

    Examples
    --------
    >>> from crmlab.datasets import simulate_loyalty
    >>> drawn = simulate_loyalty(1200, seed=1)
    >>> found = link_function(drawn.data["satisfaction"], drawn.data["intention"], bootstrap=100)
    >>> found.best["aic"], round(float(found.parameters.loc["midpoint", "estimate"]), 1), drawn.link["midpoint"]
    ('sigmoid', 6.5, 6.5)
    """
    _check_options(slope_share, span, folds, bootstrap, level, seed)
    given = measured("link_function", {"satisfaction": satisfaction, "loyalty": loyalty})
    x, y = _usable("link_function", given)
    whole = fit_sigmoid(tally(x, y))
    drawn = fit_sigmoid(tally(x, y, resamples(len(x), bootstrap, seed)))
    parameters = _parameters(whole, drawn, slope_share, level)
    curves = _curves(x, y, whole, drawn, span, level, seed)
    determined = bool(whole.converged[0] and whole.inside[0])
    models = _models(x, y, whole, span, folds, seed)
    return Link(
        models=models,
        parameters=parameters,
        zones=_zones(x, parameters, curves, slope_share, determined),
        curves=curves,
        points=_points(x, y, level),
        slope_share=slope_share,
        n=len(x),
        converged=determined,
        level=level,
        problems=[
            *_sample_problems(given, y),
            *_fit_problems(x, determined, drawn, parameters, slope_share),
            *_model_problems(models),
        ],
    )


def _check_options(slope_share: float, span: float, folds: int, bootstrap: int, level: float, seed: int) -> None:
    check_level("link_function", level)
    shares = isinstance(slope_share, Real) and isinstance(span, Real)
    if not shares or not 0 < slope_share < 1 or not 0 < span <= 1:
        raise InputError(
            f"link_function: slope_share is {slope_share}, span {span}; expected a share between 0 and 1 for each."
        )
    check_resamples("link_function", bootstrap, seed)
    if not isinstance(folds, int | np.integer) or folds < 2:
        raise InputError(f"link_function: folds is {folds!r}; expected a whole number of 2 or more.")


def _usable(where: str, given: pd.DataFrame) -> tuple[Array, Array]:
    """Complete pairs, if they can carry a curve."""
    x, y = given.dropna().to_numpy().T
    if len(x) < FEWEST_CUSTOMERS:
        have = worded(len(x), "customer has", "customers have")
        raise InputError(f"{where}: {len(x)} {have} both answers; expected at least {FEWEST_CUSTOMERS}.")
    different = len(np.unique(x))
    if different < FEWEST_VALUES:
        raise InputError(
            f"{where}: satisfaction has {different} different {worded(different, 'value', 'values')}; a curve with two "
            f"thresholds needs at least {FEWEST_VALUES}. Compare the means of the groups instead."
        )
    if np.ptp(y) == 0:
        raise InputError(f"{where}: loyalty is {y[0]:g} for everybody; there is nothing for satisfaction to explain.")
    return x, y


def with_thresholds(params: Array, slope_share: float) -> Array:
    """The six `PARAMETERS` (…, 6) from the four of the sigmoid."""
    away = half_width(slope_share) / params[..., 3]
    return np.concatenate([params, (params[..., 2] - away)[..., None], (params[..., 2] + away)[..., None]], axis=-1)


def percentiles(draws: Array, level: float) -> Array:
    """Lower and upper end (2, …) of the percentile interval over the first axis."""
    ends: Array = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return ends


def _parameters(whole: SigmoidFits, drawn: SigmoidFits, slope_share: float, level: float) -> pd.DataFrame:
    lower, upper = percentiles(with_thresholds(drawn.params, slope_share), level)
    table = {"estimate": with_thresholds(whole.params[0], slope_share), "ci_lower": lower, "ci_upper": upper}
    return pd.DataFrame(table, index=pd.Index(PARAMETERS, name="parameter"))


def _curves(
    x: Array, y: Array, whole: SigmoidFits, drawn: SigmoidFits, span: float, level: float, seed: int
) -> pd.DataFrame:
    grid = np.linspace(x.min(), x.max(), _GRID)
    intercept, slope = tally(x, y).line()[0]
    lower, upper = percentiles(sigmoid(grid, drawn.params), level)
    rows = resamples(len(x), min(_LOESS_RESAMPLES, len(drawn.params)), seed)
    loess_lower, loess_upper = percentiles(loess(tally(x, y, rows), grid, span), level)
    return pd.DataFrame(
        {
            "satisfaction": grid,
            "linear": intercept + slope * grid,
            "sigmoid": sigmoid(grid, whole.params[0]),
            "sigmoid_lower": lower,
            "sigmoid_upper": upper,
            "loess": loess(tally(x, y), grid, span)[0],
            "loess_lower": loess_lower,
            "loess_upper": loess_upper,
        }
    )


def _models(x: Array, y: Array, whole: SigmoidFits, span: float, folds: int, seed: int) -> pd.DataFrame:
    intercept, slope = tally(x, y).line()[0]
    fitted = {"linear": intercept + slope * x, "sigmoid": sigmoid(x, whole.params[0]), "loess": _at(x, y, x, span)}
    rss = pd.Series({name: float(((y - values) ** 2).sum()) for name, values in fitted.items()})
    parameters = pd.Series({"linear": 2.0, "sigmoid": 4.0, "loess": np.nan})
    n = len(x)
    with np.errstate(divide="ignore"):
        aic = n * (np.log(2 * np.pi * rss / n) + 1) + 2 * (parameters + 1)
    errors = _left_out(x, y, span, folds, seed)
    best = errors[:, errors.mean(axis=0).argmin()]
    away = errors - best[:, None]
    return pd.DataFrame(
        {
            "parameters": parameters,
            "rss": rss,
            "r_squared": 1 - rss / ((y - y.mean()) ** 2).sum(),
            "aic": aic,
            "aic_difference": aic - aic.min(),
            "cv_rmse": np.sqrt(errors.mean(axis=0)),
            "cv_difference": away.mean(axis=0),
            "cv_se": away.std(axis=0, ddof=1) / n**0.5,
        },
        index=pd.Index(MODELS, name="model"),
    )


def _at(x: Array, y: Array, at: Array, span: float) -> Array:
    """Loess at many places, each different place computed once."""
    places, back = np.unique(at, return_inverse=True)
    return loess(tally(x, y), places, span)[0, back]


def _left_out(x: Array, y: Array, span: float, folds: int, seed: int) -> Array:
    """Squared error (n, 3) of each model for each customer, fitted without the customer's part."""
    n = len(x)
    folds = min(folds, n)
    part = np.random.default_rng(seed).permutation(n) % folds
    errors = np.full((n, len(MODELS)), np.nan)
    for number in range(folds):
        used, kept = part != number, part == number
        data = tally(x[used], y[used])
        intercept, slope = data.line()[0]
        curve = fit_sigmoid(data).params[0]
        smooth = _at(x[used], y[used], x[kept], span)
        found = np.stack([intercept + slope * x[kept], sigmoid(x[kept], curve), smooth], axis=1)
        errors[kept] = (y[kept, None] - found) ** 2
    return errors


def _zones(
    x: Array, parameters: pd.DataFrame, curves: pd.DataFrame, slope_share: float, determined: bool
) -> pd.DataFrame:
    low, high = x.min(), x.max()
    (below, *below_ci), (above, *above_ci) = parameters.loc[["threshold_lower", "threshold_upper"]].to_numpy()
    rows = []
    if determined and below > low:
        rows.append(("sigmoid", "below", low, min(below, high), *below_ci, float((x < below).mean())))
    if determined and above < high:
        rows.append(("sigmoid", "above", max(above, low), high, *above_ci, float((x > above).mean())))
    for start, end in _flat(curves["satisfaction"].to_numpy(), curves["loess"].to_numpy(), slope_share):
        inside = float(((x >= start) & (x <= end)).mean())
        rows.append(("loess", "flat", start, end, np.nan, np.nan, inside))
    return pd.DataFrame(rows, columns=["model", "zone", "start", "end", "ci_lower", "ci_upper", "customers"])


def _flat(grid: Array, values: Array, slope_share: float) -> list[tuple[float, float]]:
    """Stretches of a curve where its slope, over steps of a thirtieth of the grid, is below a share of the largest."""
    grid, values = grid[::3], values[::3]
    slope = np.abs(np.gradient(values, grid))
    flat = np.concatenate([[False], slope < slope_share * np.nanmax(slope), [False]])
    starts, ends = np.flatnonzero(~flat[:-1] & flat[1:]), np.flatnonzero(flat[:-1] & ~flat[1:]) - 1
    return [(float(grid[a]), float(grid[b])) for a, b in zip(starts, ends, strict=True) if b > a]


def _points(x: Array, y: Array, level: float) -> pd.DataFrame:
    """Mean loyalty by satisfaction, in at most 20 bins of like width, with t intervals."""
    from scipy.stats import t

    if len(np.unique(x)) > 20:
        edges = np.linspace(x.min(), x.max(), 21)
        code = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, 19)
    else:
        code = np.unique(x, return_inverse=True)[1]
    by = pd.DataFrame({"satisfaction": x, "loyalty": y}).groupby(code)
    n, mean = by.size(), by["loyalty"].mean()
    se = (by["loyalty"].std() / n**0.5).where(n >= 5)
    reach = pd.Series(t.ppf((1 + level) / 2, np.maximum(n - 1, 1)), index=n.index) * se
    table = {"satisfaction": by["satisfaction"].mean(), "n": n, "mean": mean}
    return pd.DataFrame({**table, "ci_lower": mean - reach, "ci_upper": mean + reach}).reset_index(drop=True)


# ---------------------------------------------------------------------------------------------------- problems


def _sample_problems(given: pd.DataFrame, y: Array) -> list[str]:
    told = []
    dropped = len(given) - len(y)
    if dropped:
        lack = worded(dropped, "lacks one of the two answers and is", "lack one of the two answers and are")
        told.append(f"{dropped:,} of {len(given):,} customers {lack} left out.")
    end, share = max(((end, float((y == end).mean())) for end in (y.min(), y.max())), key=lambda found: found[1])
    if share > PILED_UP:
        told.append(
            f"{100 * share:.0f} % of the customers have the loyalty {end:g}, one end of what is found: errors are not "
            "normal there, so read the cross-validation rather than AIC, and the flat part with care."
        )
    return told


def _fit_problems(
    x: Array, determined: bool, drawn: SigmoidFits, parameters: pd.DataFrame, slope_share: float
) -> list[str]:
    told = []
    if not determined:
        told.append(
            "The sigmoid is not determined by these data: its steepness or midpoint ran to the limit of the search. "
            "Its thresholds mean nothing; read the straight line or loess."
        )
    astray = float((~drawn.converged | ~drawn.inside).mean())
    if astray > 0.05:
        told.append(
            f"In {100 * astray:.0f} % of the resamples the sigmoid came to no rest within its limits; they count in "
            "the intervals, which are wide for that reason."
        )
    estimate = parameters["estimate"]
    unseen = [
        side
        for side, outside in (
            ("lower", estimate["threshold_lower"] <= x.min()),
            ("upper", estimate["threshold_upper"] >= x.max()),
        )
        if outside and determined
    ]
    for side in unseen:
        told.append(
            f"The {side} threshold lies outside the satisfaction that was found ({x.min():g} to {x.max():g}): within "
            f"it, the slope does not fall below {100 * slope_share:g} % of its maximum on that side."
        )
    return told


def _model_problems(models: pd.DataFrame) -> list[str]:
    told = []
    aic = models["aic"]
    if aic["linear"] - aic["sigmoid"] < AIC_EVIDENCE:
        told.append(
            f"A straight line does as well (AIC {aic['linear']:.1f} against {aic['sigmoid']:.1f}): these data are no "
            "evidence for thresholds."
        )
    ahead = models["cv_difference"]["sigmoid"] > 2 * models["cv_se"]["sigmoid"]
    if models["cv_rmse"].idxmin() == "loess" and ahead:
        told.append(
            "Loess predicts customers left out better than the sigmoid, by more than two standard errors: the curve "
            "has another form, with a flat middle perhaps. Read the zones of loess."
        )
    return told
