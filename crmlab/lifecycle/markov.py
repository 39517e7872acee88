"""Steps from phase to phase as a Markov chain: how often, how long, where to, and whether that is stable (chapter 1).

With n_ij steps from phase i to phase j and n_i = Σ_j n_ij,

    p_ij = n_ij / n_i                         maximum likelihood
    p_i | n ~ Dirichlet(n_i1 + a, …)          a = ½: Jeffreys' prior; the interval of p_ij is that of a Beta
    1 / (1 − p_ii)                            expected time in phase i, in periods
    −2 log λ = 2 Σ_t Σ_ij n_ij(t) log( p_ij(t) / p_ij )     the same chain in all periods t?
    N = (I − Q)⁻¹,  t = N 1,  B = N R         visits, time and way out, from the transient part Q of the chain

References
----------
Anderson, T. W. & Goodman, L. A. (1957). Statistical inference about Markov chains. Annals of Mathematical Statistics
28, 89–110 (eq. 2.8 the estimate, section 3.1 the test).
Kemeny, J. G. & Snell, J. L. (1960). Finite Markov Chains. Van Nostrand (chapter III: absorbing chains).
Brown, L. D., Cai, T. T. & DasGupta, A. (2001). Interval estimation for a binomial proportion. Statistical Science 16,
101–133 (Jeffreys' interval).
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crmlab.errors import InputError
from crmlab.lifecycle.rules import PHASES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]

#: Phases that end the analysis of absorption unless others are named.
_ENDS = ("decline", "lapsed")
#: Below so many steps expected in a cell, the χ² distribution is a rough approximation.
_FEW = 5


@dataclass(frozen=True, eq=False)
class Absorption:
    """Until an end is reached: how long it takes, where customers are meanwhile, and which end it is.

    Attributes
    ----------
    fundamental : DataFrame from × phase
        N: expected number of periods spent in each phase (the starting one counts) before an end.
    expected_periods : DataFrame, index from
        periods until an end (t), their standard deviation, and with draws their ci_lower and ci_upper.
    probabilities : DataFrame from × end
        B: probability that this end is the one reached.
    problems : sentences.
    """

    fundamental: pd.DataFrame
    expected_periods: pd.DataFrame
    probabilities: pd.DataFrame
    problems: list[str]


@dataclass(frozen=True, eq=False)
class Forecast:
    """Today's customers in the periods to come.

    Attributes
    ----------
    shares : DataFrame ahead (0 is today), phase, customers, share, ci_lower, ci_upper
        Expected customers and share (0 to 1), with the interval of the share.
    revenue : DataFrame ahead (from 1), revenue, ci_lower, ci_upper; None without amounts.
    problems : sentences: what is taken for granted.
    """

    shares: pd.DataFrame
    revenue: pd.DataFrame | None
    problems: list[str]

    def plot(self, language: str = "en", *, ax: Axes | None = None) -> Axes:
        """The phase shares to come, stacked."""
        from crmlab.plots import lifecycle as draw

        table = self.shares.pivot(index="ahead", columns="phase", values="share")
        phases = [name for name in self.shares["phase"].drop_duplicates() if name in table.columns]
        return draw.phase_shares(table[phases], PHASES, language, ahead=True, ax=ax)


@dataclass(frozen=True, eq=False)
class Transitions:
    """Steps between phases from one period to the next.

    Attributes
    ----------
    counts : DataFrame from × to
        Number of steps.
    by_period : DataFrame period (the later one), from, to, count
        The same for every period; cells without a step are left out.
    level : float
        Of the intervals.
    prior : float
        a of the Dirichlet prior.
    problems : sentences.
    """

    counts: pd.DataFrame
    by_period: pd.DataFrame
    level: float
    prior: float
    problems: list[str]

    @property
    def probabilities(self) -> pd.DataFrame:
        """Maximum likelihood estimates, from × to; a row sums to 1, or is missing for a phase never left."""
        return self.counts.div(self.counts.sum(axis=1).replace(0, np.nan), axis=0)

    @property
    def intervals(self) -> pd.DataFrame:
        """Every probability with its interval: from, to, count, probability, ci_lower, ci_upper."""
        posterior = self._posterior()
        rest = posterior.sum(axis=1, keepdims=True) - posterior
        lower, upper = _beta_interval(posterior, rest, self.level)
        cells = [(i, j) for i in self.counts.index for j in self.counts.columns]
        table = pd.DataFrame(cells, columns=["from", "to"])
        return table.assign(
            count=self.counts.to_numpy().ravel(),
            probability=self.probabilities.to_numpy().ravel(),
            ci_lower=lower.ravel(),
            ci_upper=upper.ravel(),
        )

    @property
    def time_in_phase(self) -> pd.DataFrame:
        """Expected time in a phase once entered, 1 / (1 − p_ii), with its interval.

        Returns
        -------
        DataFrame, index phase
            stay (p_ii), periods, ci_lower, ci_upper (periods; infinite where nobody was seen to leave).
        """
        own = self.intervals.query("`from` == to").set_index("from").rename_axis("phase")
        with np.errstate(divide="ignore"):
            times = 1 / (1 - own[["probability", "ci_lower", "ci_upper"]].to_numpy())
        columns = ["periods", "ci_lower", "ci_upper"]
        return own[["probability"]].set_axis(["stay"], axis=1).join(pd.DataFrame(times, own.index, columns))

    def homogeneity(self) -> pd.Series:
        """Is it the same chain in every period? Likelihood-ratio test of Anderson & Goodman (1957), section 3.1.

        Returns
        -------
        Series
            statistic (−2 log λ), df, pvalue, and cells_below_5 (share of the cells with fewer than five steps expected;
            where it is large, the p-value is rough).

        Raises
        ------
        InputError
            If steps were seen in one period only.
        """
        by_time = self._by_time()
        if len(by_time) < 2:
            raise InputError("homogeneity: steps were seen in one period only; two are needed to compare them.")
        leaving = by_time.sum(axis=2, keepdims=True)  # n_i(t)
        expected = leaving * np.nan_to_num(self.probabilities.to_numpy())
        seen = by_time > 0
        statistic = 2 * (by_time[seen] * np.log(by_time[seen] / expected[seen])).sum()
        periods = (leaving[:, :, 0] > 0).sum(axis=0)
        reached = (self.counts.to_numpy() > 0).sum(axis=1)
        df = int((np.maximum(periods - 1, 0) * np.maximum(reached - 1, 0)).sum())
        possible = (leaving > 0) & (self.counts.to_numpy() > 0)
        few = float((expected[possible] < _FEW).mean())
        values = {"statistic": statistic, "df": df, "pvalue": _chi2_tail(statistic, df), "cells_below_5": few}
        return pd.Series(values, dtype=object, name="homogeneity")

    def absorption(self, ends: Sequence[str] | str | None = None, *, draws: int = 1000, seed: int = 0) -> Absorption:
        """How long until an end is reached, and which one: see `absorption`; with intervals from posterior draws.

        Parameters
        ----------
        ends : phases that count as the end, optional
            Default decline and lapsed. With ("stability", "decline") the probabilities tell whether stability is ever
            reached before a decline.
        draws : int, 0 or more
            Draws of the chain from its posterior, for the intervals; 0 for none.
        seed : int

        Raises
        ------
        InputError
            As in `absorption`, and where customers were seen to go to a phase but nobody was seen to leave it.
        """
        names = _ends(self.counts.index, ends)
        known = self.counts.sum(axis=1) > 0
        missing = [name for name in self.counts.index if not known[name] and name not in names]
        unknown = [str(name) for name in missing if self.counts[name].any()]
        if unknown:
            raise InputError(
                f"absorption: steps lead to {unknown[0]}, and none from there was seen, so that the way on is unknown. "
                f"Count it among the ends: ends={[*names, *unknown]}."
            )
        chain = self.probabilities.drop(index=missing, columns=missing)
        left = chain.index
        result = absorption(chain.fillna(0.0), names)
        if draws == 0 or result.expected_periods["periods"].isin([np.inf]).any():
            return result
        inside = np.flatnonzero(self.counts.index.isin(left) & ~self.counts.index.isin(names))
        q = self._draws(draws, np.random.default_rng(seed))[:, inside][:, :, inside]
        times = np.linalg.solve(np.eye(len(inside)) - q, np.ones((draws, len(inside), 1)))[:, :, 0]
        tail = (1 - self.level) / 2
        lower, upper = np.quantile(times, [tail, 1 - tail], axis=0)
        expected = result.expected_periods.assign(ci_lower=lower, ci_upper=upper)
        return Absorption(result.fundamental, expected, result.probabilities, result.problems)

    def forecast(
        self,
        start: pd.Series,
        periods: int = 6,
        *,
        spent: pd.DataFrame | None = None,
        draws: int = 1000,
        seed: int = 0,
    ) -> Forecast:
        """Let customers walk along the chain.

        The interval holds two kinds of doubt: the chain is estimated (drawn from its posterior), and each customer's
        step is chance (drawn from the chain).

        Parameters
        ----------
        start : Series phase -> number of customers today
        periods : int, at least 1
        spent : DataFrame, index phase, columns mean and std, optional
            Amount of a customer in a period; gives the revenue.
        draws : int, at least 100
        seed : int

        Raises
        ------
        InputError
            For numbers out of range, or a start in a phase that the steps do not know.
        """
        counts = self._start(start, periods, draws)
        rng = np.random.default_rng(seed)
        chains = self._draws(draws, rng)
        walks = _walks(counts, chains, periods, rng)
        mean_chain = self._posterior() / self._posterior().sum(axis=1, keepdims=True)
        expected = np.array([counts @ np.linalg.matrix_power(mean_chain, k) for k in range(periods + 1)])
        tail = (1 - self.level) / 2
        lower, upper = np.quantile(walks, [tail, 1 - tail], axis=1)
        ahead, phase = np.indices(expected.shape).reshape(2, -1)
        shares = pd.DataFrame(
            {
                "ahead": ahead,
                "phase": self.counts.index.to_numpy()[phase],
                "customers": expected.ravel(),
                "share": expected.ravel() / counts.sum(),
                "ci_lower": lower.ravel() / counts.sum(),
                "ci_upper": upper.ravel() / counts.sum(),
            }
        )
        revenue = None if spent is None else self._revenue(spent, expected, walks, tail, rng)
        return Forecast(shares, revenue, self._taken_for_granted())

    def plot(self, language: str = "en", *, ax: Axes | None = None) -> Axes:
        """Heat map of the probabilities with their counts."""
        from crmlab.plots import lifecycle as draw

        return draw.transition_heatmap(self.probabilities, self.counts, PHASES, language, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Counts and probabilities, ready for JSON."""
        return {
            "counts": self.counts.to_dict(orient="index"),
            "probabilities": self.probabilities.astype(object)
            .where(self.counts.sum(axis=1) > 0, None)
            .to_dict("index"),
            "problems": [*self.problems],
        }

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{html.escape(problem)}</li>" for problem in self.problems) or "<li>No problem found.</li>"
        steps = int(self.counts.to_numpy().sum())
        return f"<p><b>Transitions</b>: {steps:,} steps</p>{self.probabilities.round(3).to_html()}<ul>{said}</ul>"

    def _posterior(self) -> Array:
        """Parameters of the Dirichlet distribution of each row."""
        return self.counts.to_numpy(dtype=float) + self.prior

    def _draws(self, draws: int, rng: np.random.Generator) -> Array:
        """Chains from the posterior, (draws, from, to)."""
        gamma = rng.standard_gamma(np.broadcast_to(self._posterior(), (draws, *self.counts.shape)))
        total: Array = gamma / gamma.sum(axis=2, keepdims=True)
        return total

    @cached_property
    def _periods(self) -> pd.Index:
        return pd.Index(sorted(self.by_period["period"].unique()))

    def _by_time(self) -> Array:
        """Counts as an array (periods, from, to)."""
        table = np.zeros((len(self._periods), *self.counts.shape))
        places = [
            self._periods.get_indexer(pd.Index(self.by_period["period"])),
            self.counts.index.get_indexer(pd.Index(self.by_period["from"])),
            self.counts.columns.get_indexer(pd.Index(self.by_period["to"])),
        ]
        table[tuple(places)] = self.by_period["count"]
        return table

    def _start(self, start: pd.Series, periods: int, draws: int) -> npt.NDArray[np.int64]:
        known = start[start > 0]
        unknown = [name for name in known.index if name not in self.counts.index]
        if unknown:
            raise InputError(f"forecast: no step from or to {unknown[0]!r} was seen, but customers start there.")
        if periods < 1 or draws < 100 or known.sum() < 1:
            raise InputError(
                f"forecast: {periods} periods, {draws} draws and {int(known.sum())} customers; expected at least 1, "
                "100 and 1."
            )
        return np.array([int(known.get(name, 0)) for name in self.counts.index])

    def _revenue(
        self, spent: pd.DataFrame, expected: Array, walks: Array, tail: float, rng: np.random.Generator
    ) -> pd.DataFrame:
        means, spreads = (spent[column].reindex(self.counts.index).fillna(0.0).to_numpy() for column in ("mean", "std"))
        of_walks = walks @ means + np.sqrt(walks @ spreads**2) * rng.standard_normal(walks.shape[:2])
        lower, upper = np.quantile(of_walks, [tail, 1 - tail], axis=1)
        table = pd.DataFrame(
            {"ahead": np.arange(len(expected)), "revenue": expected @ means, "ci_lower": lower, "ci_upper": upper}
        )
        return table.iloc[1:].reset_index(drop=True)

    def _taken_for_granted(self) -> list[str]:
        said = ["No new customers are counted, and the chain of the past is taken to hold for the future."]
        if len(self._periods) > 1 and self.homogeneity()["pvalue"] < 0.05:
            said.append("The chain did change from period to period (see homogeneity): trust the near future only.")
        return said


def transitions(
    phases: pd.DataFrame,
    *,
    customer: str = "customer_id",
    period: str = "period",
    phase: str = "phase",
    level: float = 0.95,
    prior: float = 0.5,
) -> Transitions:
    """Count the steps from each period to the next.

    Parameters
    ----------
    phases : DataFrame, one row per customer and period
        As from `crmlab.lifecycle.phases`, or any other states in time.
    customer, period, phase : str
        Names of the columns. Periods are what the table holds, in order; a customer without a row for one of them
        makes no step across the gap.
    level : float, 0 to 1
        Of the intervals.
    prior : float, above 0
        a of the Dirichlet prior: 0.5 is Jeffreys', 1 the uniform one.

    Returns
    -------
    Transitions

    Raises
    ------
    InputError
        For a missing column or phase, two rows for one customer and period, or no customer with two periods.

    Examples
    --------
    >>> table = pd.DataFrame({"customer_id": [1, 1, 1, 2, 2], "period": [1, 2, 3, 1, 2], "phase": list("aabab")})
    >>> transitions(table).probabilities.round(3)
    to        a      b
    from
    a     0.333  0.667
    b       NaN    NaN
    """
    if not 0 < level < 1 or not 0 < prior < np.inf:
        raise InputError(
            f"transitions: level {level}, prior {prior}; expected a level between 0 and 1 and a prior > 0."
        )
    table = _states(phases, customer, period, phase)
    names = pd.Index(_names(table["phase"]))
    steps, gaps = _steps(table, names)
    if steps.empty:
        raise InputError("transitions: no customer has two periods in a row, so that no step can be seen.")
    cells = np.bincount(steps["from"] * len(names) + steps["to"], minlength=len(names) ** 2)
    counts = pd.DataFrame(cells.reshape(len(names), -1), names.rename("from"), names.rename("to"))
    by_period = steps.groupby(["period", "from", "to"]).size().rename("count").reset_index()
    by_period = by_period.assign(**{side: names[by_period[side]] for side in ("from", "to")})
    return Transitions(counts, by_period, level, prior, _about_counts(counts, gaps))


def absorption(probabilities: pd.DataFrame, ends: Sequence[str] | str) -> Absorption:
    """Absorbing analysis of a Markov chain (Kemeny & Snell, 1960, chapter III).

    Phases in `ends` are made absorbing: what happens after them is cut off.

    Parameters
    ----------
    probabilities : DataFrame from × to, rows sum to 1
    ends : labels of the absorbing phases

    Returns
    -------
    Absorption
        Where an end may never be reached, the expected periods are infinite, and `problems` says so.

    Raises
    ------
    InputError
        For an end that is no phase, no phase beside the ends, or rows that do not sum to 1.

    Examples
    --------
    A gambler with 1 to 3 coins plays for one coin until he has 0 or 4:

    >>> chain = pd.DataFrame(np.eye(5, k=1) / 2 + np.eye(5, k=-1) / 2, index=range(5), columns=range(5))
    >>> chain.loc[[0, 4]] = np.eye(5)[[0, 4]]
    >>> absorption(chain, [0, 4]).expected_periods["periods"].round(9).tolist()
    [3.0, 4.0, 3.0]
    """
    chain = probabilities.astype(float)
    names = _ends(chain.index, ends)
    transient = [name for name in chain.index if name not in names]
    if not transient:
        raise InputError("absorption: every phase is an end; leave at least one to start from.")
    rows = chain.loc[transient]
    if (rows.to_numpy() < 0).any() or not np.allclose(rows.sum(axis=1), 1):
        raise InputError("absorption: expected rows of probabilities that sum to 1.")
    forever, doomed = _never_ending(rows, transient, names)
    inside = [name for name in transient if name not in forever]
    q, r = rows.loc[inside, inside].to_numpy(), rows.loc[inside, names].to_numpy()
    n = np.linalg.inv(np.eye(len(inside)) - q)
    t = n.sum(axis=1)
    variance = (2 * n - np.eye(len(inside))) @ t - t**2
    times = pd.DataFrame({"periods": t, "std": np.sqrt(np.clip(variance, 0, None))}, index=inside)
    times.loc[[name for name in inside if name in doomed]] = np.inf
    times = times.reindex(transient, fill_value=np.inf).rename_axis("from")
    b = pd.DataFrame(n @ r, inside, pd.Index(names, name="end")).reindex(transient, fill_value=0.0).rename_axis("from")
    visits = pd.DataFrame(n, inside, inside).reindex(index=transient, columns=transient)
    visits = visits.rename_axis(index="from", columns="phase")
    said = [f"From {name} the end may never be reached: {', '.join(forever)} is never left." for name in doomed]
    return Absorption(visits, times, b, said)


# Parts ----------------------------------------------------------------------------------------------------------------


def _states(phases: pd.DataFrame, customer: str, period: str, phase: str) -> pd.DataFrame:
    missing = [name for name in (customer, period, phase) if name not in phases.columns]
    if missing:
        raise InputError(f"transitions: there is no column {missing[0]!r}; there are {', '.join(map(str, phases))}.")
    table = phases[[customer, period, phase]].set_axis(["customer", "period", "phase"], axis=1)
    empty = table[table.isna().any(axis=1)]
    if len(empty):
        raise InputError(f"transitions: {len(empty)} rows lack a customer, period or phase; first: {empty.index[0]}.")
    twice = table[table.duplicated(["customer", "period"])]
    if len(twice):
        who, when = twice[["customer", "period"]].astype(object).iloc[0].tolist()
        raise InputError(f"transitions: customer {who!r} has two phases in period {when}; expected one.")
    return table.sort_values(["customer", "period"], kind="stable", ignore_index=True)


def _steps(table: pd.DataFrame, names: pd.Index) -> tuple[pd.DataFrame, int]:
    """Pairs of phases (their places among the names) in consecutive periods, and how many pairs have a gap between."""
    rank = table["period"].rank(method="dense").to_numpy()
    same = table["customer"].to_numpy()[1:] == table["customer"].to_numpy()[:-1]
    next_one = np.diff(rank) == 1
    states = table["phase"]
    if _is_categorical(states):
        phase = names.get_indexer(states.cat.categories.astype("str"))[states.cat.codes]
    else:
        phase = names.get_indexer(pd.Index(states))
    steps = pd.DataFrame({"period": table["period"].iloc[1:].to_numpy(), "from": phase[:-1], "to": phase[1:]})
    return steps[same & next_one], int((same & ~next_one).sum())


def _is_categorical(phase: pd.Series) -> bool:
    return isinstance(phase.dtype, pd.CategoricalDtype)


def _names(phase: pd.Series) -> list[Any]:
    """The phases that occur: in the order of the categories, of `PHASES`, or of the alphabet."""
    if _is_categorical(phase):
        return [*phase.cat.remove_unused_categories().cat.categories.astype("str")]
    seen = set(phase.unique())
    return [name for name in PHASES if name in seen] if seen <= PHASES.keys() else sorted(seen)


def _about_counts(counts: pd.DataFrame, gaps: int) -> list[str]:
    said = []
    leaving = counts.sum(axis=1)
    never = [str(name) for name in leaving.index[leaving == 0]]
    if never:
        said.append(
            f"No step from {', '.join(never)} was seen: these probabilities are unknown, their intervals the prior's."
        )
    few = [f"{name} ({n})" for name, n in leaving.items() if 0 < n < 30]
    if few:
        said.append(f"Few steps were seen from {', '.join(few)}: read the intervals, not the probabilities.")
    if gaps:
        said.append(f"{gaps:,} pairs of a customer's periods have a gap between them and count as no step.")
    return said


def _ends(names: pd.Index, ends: Sequence[str] | str | None) -> list[Any]:
    if ends is None:
        ends = [name for name in _ENDS if name in names]
    chosen = [ends] if isinstance(ends, str) else [*ends]
    unknown = [name for name in chosen if name not in names]
    if unknown or not chosen:
        raise InputError(
            f"absorption: {unknown[0]!r} is no phase here" if unknown else "absorption: no end is named or present"
        ) from None
    return chosen


def _never_ending(rows: pd.DataFrame, transient: list[Any], ends: list[Any]) -> tuple[list[Any], list[Any]]:
    """Phases from which no end can be reached, and all phases that may lead there."""
    step = rows.loc[:, transient].to_numpy() > 0
    reach = np.eye(len(transient), dtype=bool) | step
    for _ in range(len(transient)):
        reach = reach | (reach.astype(int) @ reach.astype(int) > 0)
    leaves = (rows.loc[:, ends].to_numpy() > 0).any(axis=1)
    forever = ~(reach & leaves).any(axis=1)
    doomed = (reach & forever).any(axis=1)
    return [transient[k] for k in np.flatnonzero(forever)], [transient[k] for k in np.flatnonzero(doomed)]


def _walks(counts: npt.NDArray[np.int64], chains: Array, periods: int, rng: np.random.Generator) -> Array:
    """Numbers of customers, (periods + 1, draws, phase), each draw along its own chain."""
    now = np.broadcast_to(counts, (len(chains), len(counts)))
    walks = [now]
    for _ in range(periods):
        now = rng.multinomial(now, chains).sum(axis=1)
        walks.append(now)
    return np.stack(walks).astype(float)


def _beta_interval(a: Array, b: Array, level: float) -> tuple[Array, Array]:
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    return betaincinv(a, b, tail), betaincinv(a, b, 1 - tail)


def _chi2_tail(statistic: float, df: int) -> float:
    from scipy.special import chdtrc  # scipy.stats takes two seconds to import

    return float(chdtrc(df, statistic)) if df else 1.0
