"""What a randomised pilot teaches: how likely customers are lost, and whom a treatment keeps (chapter 11).

One logistic regression of having stayed, on what was known before (risk) and on the treatment, alone and together with
satisfaction and the further measures (effect). Chance alone makes some effects look large, and a plan picks the large
ones; so every effect of a treatment has a prior distribution around zero, stated before the data are seen, which draws
it back the more the less the pilot knows (Gelman & Carlin 2014 on effects that were selected for being large).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crmlab.customers.privacy import pseudonymise
from crmlab.errors import InputError
from crmlab.likert import share_interval
from crmlab.loyalty.inputs import answered, check_level, worded
from crmlab.results import page, records
from crmlab.value.told import number

from .linking import Linked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]

_FOLDS, _GROUPS, _STEPS, _TOLERANCE = 10, 5, 50, 1e-9
#: The column that says that a customer did not answer the survey.
UNKNOWN = "unknown"
#: Standard deviation of the prior on risk: so wide that it only keeps separated data from running away.
_WIDE = 10.0
#: Fewer customers than this in the control group or in the treated ones cannot carry the model.
_FEWEST = 30


@dataclass(frozen=True, eq=False)
class Lessons:
    """Risk and effects as the pilot shows them.

    Attributes
    ----------
    params : DataFrame, index term: estimate, se, low, high (log-odds of staying; with the prior)
        Columns are standardised by the pilot's means and standard deviations, see `scale`.
    covariance : DataFrame, terms × terms
    levels : list of str
    effects : DataFrame, index level
        customers; stayed (share), control (share of the control group); difference, low, high (of the two shares, with
        Newcombe's interval, without any model).
    calibration : DataFrame, one row per fifth of the control group: said, lost (mean chance of being lost as said to
        customers not used in the fit, and the share really lost), customers
    accuracy : Series: brier, brier_constant (everybody the same chance), auc; cross-validated, of the control group
    stake : Series: share, se
        Margin that a customer who stays brings more than one who is lost, as a share of her `rate`.
    longest_silence : int, recency in days up to which the pilot has customers
    scale : DataFrame, index column: mean, sd
    measures : list of str that can moderate an effect
    customers : int, in the model
    level : float, of the intervals
    converged : bool, of the model; if not, no number that rests on it must be used
    problems : list of str
    """

    params: pd.DataFrame
    covariance: pd.DataFrame
    levels: list[str]
    effects: pd.DataFrame
    calibration: pd.DataFrame
    accuracy: pd.Series
    stake: pd.Series
    longest_silence: int
    scale: pd.DataFrame
    measures: list[str]
    customers: int
    level: float
    converged: bool
    problems: list[str]

    def standardised(self, customers: pd.DataFrame) -> pd.DataFrame:
        """What the model reads of customers, in the pilot's units."""
        return (_read(customers, self.measures) - self.scale["mean"]) / self.scale["sd"]

    def plot(self, kind: str = "effects", language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Draw "effects" of the levels, or the "calibration" of the risk."""
        from crmlab.plots import action as draw

        if kind == "effects":
            return draw.pilot_effects(self.effects, level=self.level, language=language, ax=ax)
        if kind == "calibration":
            return draw.calibration(self.calibration, language=language, ax=ax)
        raise InputError(f"plot: {kind!r} is not known; expected effects or calibration.")

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            "effects": records(self.effects.reset_index()),
            "accuracy": {str(name): float(number) for name, number in self.accuracy.items()},
            "problems": list(self.problems),
        }

    def _repr_html_(self) -> str:
        return page(self.effects.round(3).to_html(), problems=self.problems, heading="Pilot")


def learn(
    linked: Linked,
    outcomes: pd.DataFrame,
    *,
    key: bytes | str | None = None,
    prior: float = 0.3,
    level: float = 0.95,
) -> Lessons:
    """Estimate risk and effects from a pilot.

    logit P(stay) = α + x'β for a customer left alone, with the features x of risk; on level k there come γ_k and
    Σ_m (δ_m z_m + ε_m z_m²) on top, z_m being satisfaction and the further measures, which act alike at all levels. For
    customers who did not answer one number u stands in place of the sum: the pilot treated such customers too.

    Parameters
    ----------
    linked : Linked
        The pilot's customers as they were when it began.
    outcomes : DataFrame
        customer_id; level ("control" or a level of retention, drawn at random); stayed (True or False, yes or no);
        margin.
    key : bytes or text, optional
        The key that `link` was given, if the outcomes still hold the ids it replaced.
    prior : float, above 0
        Standard deviation of the prior of every effect of a treatment, in log-odds. 0.3: effects that multiply the odds
        of staying by more than 1.8, or divide them by that, are rare.
    level : float
        Of the intervals.

    Returns
    -------
    Lessons

    Raises
    ------
    InputError
        Missing columns, no control group, no treated customer, too few customers, a control group that all stayed or
        all left, a level named like a term of the model, or outcomes that cannot be read.

    References
    ----------
    Gelman, A., & Carlin, J. (2014). Beyond power calculations: Assessing type S (sign) and type M (magnitude) errors.
    Perspectives on Psychological Science, 9(6), 641–651.
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions: comparison of eleven
    methods. Statistics in Medicine, 17(8), 873–890.

    Examples
    --------
    >>> from crmlab.action import link
    >>> from crmlab.datasets import simulate_company
    >>> pilot = simulate_company(100, seed=1, pilot=600).pilot
    >>> lessons = learn(link(pilot.orders, pilot.survey, measures=["stake"]), pilot.outcomes)
    >>> lessons.levels
    ['financial', 'social', 'structural']
    """
    prior = number(prior, "prior", 0, above=True)
    check_level("learn", level)
    table, levels, told = _joined(linked, outcomes, key)
    measures = [name for name in linked.measures if name != "loyalty"]
    raw = _read(table, measures)
    _check_names(levels, [*raw.columns, "intercept"])
    scale = pd.DataFrame({"mean": raw.mean(), "sd": raw.std(ddof=0).replace(0, 1.0)})
    scale.loc[UNKNOWN] = 0.0, 1.0
    z = (raw - scale["mean"]) / scale["sd"]
    arm: Array = (table[["level"]].to_numpy() == np.array(levels)).astype(float)
    design = design_of(z, measures, levels, arm)
    sds = np.array([prior if ":" in name or name in levels else _WIDE for name in design.columns])
    stayed = table["stayed"].to_numpy(dtype=float)
    mode, covariance, converged = penalised_logit(design.to_numpy(), stayed, sds)
    if not converged:
        told.append(
            "The model of the pilot did not converge. Its effects must not be used: look for a lone extreme value."
        )
    se, ends = np.sqrt(np.diag(covariance)), _normal(level)
    params = pd.DataFrame(
        {"estimate": mode, "se": se, "low": mode - ends * se, "high": mode + ends * se},
        index=pd.Index(design.columns, name="term"),
    )
    control = ~arm.any(axis=1)
    calibration, accuracy = _judged(design.to_numpy()[control], stayed[control], sds)
    effects = _differences(table, levels, level)
    if accuracy["brier"] >= accuracy["brier_constant"]:
        told.append("Said to customers it has not seen, the risk is no better than the same chance for everybody.")
    return Lessons(
        params,
        pd.DataFrame(covariance, index=design.columns, columns=design.columns),
        levels,
        effects,
        calibration,
        accuracy,
        _at_stake(table.loc[table["level"] == "control"]),
        int(table["recency_days"].max()),
        scale,
        measures,
        len(table),
        level,
        converged,
        [*linked.problems, *told, *_about(effects)],
    )


def design_of(z: pd.DataFrame, measures: list[str], levels: list[str], arm: Array) -> pd.DataFrame:
    """Columns of the model: 1, the risk, each level's own effect, and what moderates all of them.

    A treatment of somebody who did not answer has an effect of its own, the mean of those who did not.
    """
    treated, silent = arm.sum(axis=1), z[UNKNOWN]
    columns: dict[str, Any] = {"intercept": np.ones(len(z))}
    columns |= {name: z[name] for name in z.columns}
    columns |= {level: arm[:, place] for place, level in enumerate(levels)}
    columns[f"treated:{UNKNOWN}"] = treated * silent
    for name in measures:
        columns[f"treated:{name}"] = treated * (1 - silent) * z[name]
        columns[f"treated:{name}²"] = treated * (1 - silent) * z[name] ** 2
    return pd.DataFrame(columns, index=z.index)


def penalised_logit(x: Array, y: Array, sds: Array) -> tuple[Array, Array, bool]:
    """Mode of the posterior of a logistic regression with normal priors N(0, sd²), by Newton's method.

    Returns
    -------
    mode (p,), inverse of the negative Hessian there (p, p), whether it converged
    """
    from scipy.special import expit

    precision, beta = np.diag(1 / sds**2), np.zeros(x.shape[1])
    converged = False
    for _ in range(_STEPS):
        p = expit(x @ beta)
        hessian = (x.T * (p * (1 - p))) @ x + precision
        step = np.linalg.solve(hessian, x.T @ (y - p) - precision @ beta)
        beta = beta + step
        converged = bool(np.abs(step).max() < _TOLERANCE)
        if converged:
            break
    return beta, np.asarray(np.linalg.inv(hessian), dtype=float), converged


def _read(customers: pd.DataFrame, measures: list[str]) -> pd.DataFrame:
    """Features of risk: what the orders say, and what the survey measured or what is expected in its place."""
    alive = customers["probability_alive"].clip(0.01, 0.99)
    months = customers["recency_days"] / 30.4
    columns = {
        "alive": np.log(alive / (1 - alive)),
        "silence": np.log1p(months),
        "silence²": np.log1p(months) ** 2,
        "frequency": np.log1p(customers["frequency"]),
        "declining": customers["phase"].isin(["decline", "lapsed"]).astype(float),
    }
    columns |= {name: customers[f"{name}_expected"] for name in measures}
    columns[UNKNOWN] = ~customers["surveyed"]
    return pd.DataFrame(columns, index=customers.index).astype(float)


def _joined(
    linked: Linked, outcomes: pd.DataFrame, key: bytes | str | None
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Customers of the pilot who have orders, with their outcomes; the levels tried; what has to be said."""
    known = _checked_outcomes(outcomes)
    known = known if key is None else pseudonymise(known, key)
    table = known.set_index("customer_id").join(linked.customers, how="inner")
    if table.empty:
        raise InputError(
            f"outcomes: none of their {len(known)} ids is among the {len(linked.customers)} of the linked customers "
            f"(first: {known['customer_id'].iloc[0]!r} and {linked.customers.index[0]!r}). Give the pilot's own orders "
            "to link, and here the key= that link was given."
        )
    control = table["level"] == "control"
    if control.sum() < _FEWEST or (~control).sum() < _FEWEST:
        raise InputError(
            f"outcomes: {control.sum()} customers of the control group and {(~control).sum()} treated ones have "
            f"orders; expected {_FEWEST} of each or more. Call those who were left alone 'control', or use a larger "
            "pilot."
        )
    if table.loc[control, "stayed"].nunique() < 2:
        raise InputError(
            "outcomes: all customers of the control group stayed, or none; nothing can be learnt of risk. Wait longer."
        )
    levels = sorted({*table.loc[~control, "level"]})
    lost, untried = len(known) - len(table), sorted({*known["level"]} - {"control", *levels})
    told = [f"{lost:,} {worded(lost, 'customer', 'customers')} of the pilot left out: no orders."] if lost else []
    if untried:
        told.append(f"Nobody on the level {', '.join(untried)} has orders; nothing is learnt of it.")
    return table, levels, told


def _checked_outcomes(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The four columns, complete: level as text, stayed as True and False, margin as numbers."""
    if not isinstance(outcomes, pd.DataFrame):
        raise InputError(f"outcomes: found a {type(outcomes).__name__}; expected a DataFrame, one row a customer.")
    needed = ["customer_id", "level", "stayed", "margin"]
    lacking = [name for name in needed if name not in outcomes.columns]
    if lacking:
        raise InputError(f"outcomes: they lack {', '.join(lacking)}; expected {', '.join(needed)}.")
    margin = pd.to_numeric(outcomes["margin"], errors="coerce").astype(float)
    faulty = int((outcomes[needed].isna().any(axis=1) | ~np.isfinite(margin)).sum())
    twice = int(outcomes["customer_id"].duplicated().sum())
    if faulty or twice or outcomes.empty:
        raise InputError(
            f"outcomes: of {len(outcomes)} rows {faulty} {worded(faulty, 'is', 'are')} incomplete or without a margin "
            f"in numbers, and {twice} {worded(twice, 'repeats', 'repeat')} a customer; expected one complete row for "
            "each customer of the pilot. Correct or drop them."
        )
    stayed = answered("outcomes", outcomes["stayed"]).astype(bool)
    return outcomes[needed].assign(level=outcomes["level"].astype(str), stayed=stayed, margin=margin)


def _check_names(levels: list[str], terms: list[str]) -> None:
    for name in levels:
        if name in terms or name == "none":
            raise InputError(f"outcomes: a level is called {name!r}, a word that has a meaning here. Rename it.")


def _judged(x: Array, y: Array, sds: Array) -> tuple[pd.DataFrame, pd.Series]:
    """Chances said to customers of the control group who were not used in the fit, and what they did."""
    from scipy.special import expit

    fold, said = np.arange(len(y)) % _FOLDS, np.empty(len(y))
    for each in range(_FOLDS):
        inside = fold != each
        beta, _, _ = penalised_logit(x[inside], y[inside], sds)
        said[~inside] = expit(-(x[~inside] @ beta))
    lost = 1 - y
    fifth = pd.qcut(pd.Series(said).rank(method="first"), _GROUPS, labels=range(1, _GROUPS + 1))
    groups = pd.DataFrame({"said": said, "lost": lost}).groupby(fifth, observed=True)
    calibration = groups.mean().assign(customers=groups.size()).rename_axis("fifth")
    ranks = pd.Series(said).rank().to_numpy()
    leavers, stayers = lost.sum(), y.sum()
    auc = (ranks[lost == 1].sum() - leavers * (leavers + 1) / 2) / (leavers * stayers)
    brier, constant = ((said - lost) ** 2).mean(), lost.mean() * (1 - lost.mean())
    return calibration, pd.Series({"brier": brier, "brier_constant": constant, "auc": auc}, name="accuracy")


def _differences(table: pd.DataFrame, levels: list[str], level: float) -> pd.DataFrame:
    """Shares that stayed, without any model: the randomisation alone carries them (Newcombe 1998, method 10)."""
    groups = table.groupby("level")["stayed"].agg(["size", "sum", "mean"]).astype(float)
    ends = share_interval(groups["sum"], groups["size"], level=level)
    groups["below"], groups["above"] = groups["mean"] - ends[0], ends[1] - groups["mean"]
    alone, treated = groups.loc["control"], groups.loc[levels]
    found = pd.DataFrame(
        {"customers": treated["size"].astype(int), "stayed": treated["mean"], "control": alone["mean"]}
    )
    found["difference"] = found["stayed"] - alone["mean"]
    below, above = np.hypot(treated["below"], alone["above"]), np.hypot(treated["above"], alone["below"])
    return found.assign(low=found["difference"] - below, high=found["difference"] + above)


def _at_stake(control: pd.DataFrame) -> pd.Series:
    """Margin as a share of the rate, of those who stayed less of those who were lost (ratios of sums)."""
    share, variance = 0.0, 0.0
    for stayed, sign in ((True, 1), (False, -1)):
        rows = control[control["stayed"] == stayed]
        margin, rate = rows["margin"].to_numpy(dtype=float), rows["rate"].to_numpy(dtype=float)
        if not rate.sum() > 0:
            raise InputError(
                f"outcomes: the {len(rows)} customers of the control group who {'stayed' if stayed else 'left'} have "
                "no margin in their orders, so that none can be compared with it. Look at the costs of the orders."
            )
        ratio = margin.sum() / rate.sum()
        share += sign * ratio
        variance += ((margin - ratio * rate) ** 2).sum() / rate.sum() ** 2
    return pd.Series({"share": share, "se": float(np.sqrt(variance))}, name="stake")


def _normal(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def _about(effects: pd.DataFrame) -> list[str]:
    unclear = effects.index[(effects["low"] <= 0) & (effects["high"] >= 0)]
    if not len(unclear):
        return []
    return [
        f"On the average of all customers the pilot cannot tell the effect of {', '.join(unclear)} from none; what "
        "helps some and harms others looks like that too."
    ]
