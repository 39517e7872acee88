"""The customer satisfaction index 顾客满意度指数: a structural model of a survey, read from 0 to 100 (chapter 9).

With item means x̄ on min…max and the unstandardised weights w of a construct's items (outer weight / sd of the item),

    index = 100 · (Σ w x̄ − Σ w min) / (Σ w max − Σ w min)            (Fornell et al. 1996, p. 11)

Every construct gets its index this way, a respondent's index is the same formula on the respondent's answers, and the
mean of the respondents' indices is the index. Intervals come from resampling respondents: weights, item spread and item
means are estimated anew in each resample.

References
----------
Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J. & Bryant, B. E. (1996). The American customer satisfaction index:
nature, purpose, and findings. Journal of Marketing 60(4), 7–18.
Kock, N. & Hadaya, P. (2018). Minimum sample size estimation in PLS-SEM: the inverse square root and gamma-exponential
methods. Information Systems Journal 28, 227–261.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import index_formula, sem
from ..errors import InputError
from ..questionnaire import Questionnaire
from ..responses import Responses, read_responses
from ..sampling import ten_times_rule
from ..sem.bootstrap import INTERVALS
from ..sem.moments import MISSING, Array
from ..sem.pls import path_model
from ..sem.pls_algorithm import SCHEMES, statistic_keys
from .many import INTERVAL_COLUMNS, GroupEstimate, SatisfactionIndices, gathered, group_seed, in_parallel
from .result import SatisfactionIndex

if TYPE_CHECKING:
    import pandas as pd

    from ..sem.bootstrap import Bootstrap, Resamples
    from ..sem.pls import PLSFit
    from ..sem.pls_algorithm import PathModel

ENGINES = ("pls",)
FAULTS = ("error", "missing")
SMALL_GROUP = 30  # respondents
MANY_MISSING = 0.10  # share of respondents
SMALL_SAMPLE = 160  # Kock & Hadaya 2018: a path of 0.197 found with 80 % power at the 5 % level


def estimate(
    questionnaire: Questionnaire,
    responses: Responses | pd.DataFrame,
    *,
    engine: str = "pls",
    by: str | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    scheme: str = "path",
    consistent: bool = False,
    missing: str = "mean",
    interval: str = "percentile",
    level: float = 0.95,
    faults: str = "error",
    progress: Callable[[int, int], None] | None = None,
) -> SatisfactionIndex:
    """Estimate the satisfaction index of a survey, with intervals, effects and problems in words.

    Parameters
    ----------
    questionnaire : Questionnaire
        The design of the survey: constructs, items, scales, paths.
    responses : Responses or DataFrame
        The answers; a table is read as `read_responses` does.
    engine : {"pls"}
        How the model is estimated.
    by : str, optional
        Column whose values split the respondents into groups. All groups are measured with the same weights.
    bootstrap : int, at least 2
        Resamples behind the intervals.
    seed : int, 0 or more
        The same seed gives the same bytes.
    scheme, consistent, missing
        As in `crmlab.sem.pls`. With `consistent=True` paths, loadings and R² are corrected for measurement error; the
        indices are the same composites.
    interval : {"percentile", "bca"}
    level : float in (0, 1)
        Confidence level of every interval.
    faults : {"error", "missing"}
        What to do when answers lie outside their scale or cannot be read: stop, or treat them as missing.
    progress : callable, optional
        progress(done, total) over the resamples.

    Returns
    -------
    SatisfactionIndex

    Raises
    ------
    InputError
        Faulty answers (unless `faults="missing"`), a constant or empty item, fewer respondents than the model needs, an
        unknown grouping column or option.

    Examples
    --------
    >>> from crmlab import csi, datasets, Questionnaire
    >>> survey = csi.estimate(Questionnaire.shipped("ecsi"), datasets.load_mobi(), bootstrap=200)
    >>> survey.index.loc["Satisfaction"].round(1).to_dict()
    {'index': 72.5, 'ci_lower': 70.7, 'ci_upper': 74.1, 'se': 0.9}
    """
    if engine not in ENGINES:
        raise InputError(f"engine {engine!r} is unknown; choose one of {', '.join(ENGINES)}.")
    if not isinstance(responses, Responses):
        responses = read_responses(responses, questionnaire)
    check(questionnaire, responses, by=by, faults=faults)
    try:
        fit = sem.pls(
            questionnaire.model(),
            _items(questionnaire, responses),
            scheme=scheme,
            consistent=consistent,
            missing=missing,
        )
        ruler = _Ruler.of(questionnaire, responses, by, fit)
        draws = fit.bootstrap(bootstrap, seed, statistic=ruler.statistics, progress=progress)
        return _result(questionnaire, responses, ruler, draws, by=by, interval=interval, level=level)
    except sem.SemError as error:
        raise InputError(str(error)) from error


def estimate_many(
    questionnaire: Questionnaire,
    responses: Responses | pd.DataFrame,
    *,
    by: str,
    bootstrap: int = 500,
    seed: int = 0,
    scheme: str = "path",
    consistent: bool = False,
    missing: str = "mean",
    interval: str = "percentile",
    level: float = 0.95,
    faults: str = "error",
    backend: str | None = "threads",
    workers: int | None = None,
    progress: Callable[[int, int], None] | bool | None = None,
) -> SatisfactionIndices:
    """Estimate the same model separately in every group of a table: a national index, company by company.

    `estimate(by=...)` measures all groups with the same weights and compares them; here every group has weights, paths
    and intervals of its own, as in the national indices (Fornell et al. 1996). A group's numbers are those of
    `estimate` on that group alone with the seed `group_seed(seed, group)`, whatever the number of workers, the order
    of the rows and the other groups.

    Parameters
    ----------
    questionnaire, responses
        As in `estimate`, the answers of all groups together.
    by : str
        Column of the groups, one of the questionnaire's `groups`.
    bootstrap, seed, scheme, consistent, missing, interval, level, faults
        As in `estimate`, in each group. Faulty answers of one group stop all, unless `faults="missing"`.
    backend : str or None
        "threads", "loky" (processes), or another of joblib's: "dask" with a running `distributed.Client`, "ray" where
        ray is installed. None takes what the caller has set with `joblib.parallel_config`.
    workers : int, optional
        Groups estimated at the same time; default as many as there are cores.
    progress : callable or True, optional
        progress(done, total) over the groups; True draws a bar on standard error.

    Returns
    -------
    SatisfactionIndices
        A group that cannot be estimated keeps its rows, with nan, and the reason among the problems.

    Raises
    ------
    InputError
        Faulty answers, an item that is constant or empty in the whole table, an unknown column, option or backend, or
        no group at all that can be estimated.

    Notes
    -----
    Groups are handed out in small portions and only their tables are kept, so memory does not grow with the resamples.

    Examples
    --------
    >>> from crmlab import csi, datasets, Questionnaire
    >>> text = Questionnaire.shipped("ecsi").text + "\\ngroups:\\n  company: {en: Company, zh: 公司}\\n"
    >>> answers = datasets.load_mobi().assign(company=["Alpha"] * 130 + ["Beta"] * 120)
    >>> national = csi.estimate_many(Questionnaire.from_text(text), answers, by="company", bootstrap=100)
    >>> national.headline.round(1)[["n", "index", "se"]]
             n  index   se
    group
    Alpha  130   72.9  1.2
    Beta   120   72.1  1.2
    """
    _check_options(bootstrap, seed, level, {"scheme": scheme, "missing": missing, "interval": interval})
    if not isinstance(responses, Responses):
        responses = read_responses(responses, questionnaire)
    check(questionnaire, responses, by=by, faults=faults)
    task = _OneGroup.of(questionnaire, scheme, consistent, missing, bootstrap, interval, level)
    answers, rows = _items(questionnaire, responses), responses.data.groupby(by).indices
    groups = sorted(rows, key=str)
    if not groups:
        raise InputError(f"nobody has a value of {by}, so there is no group to estimate.")
    jobs = ((str(group), answers.iloc[rows[group]], group_seed(seed, str(group))) for group in groups)
    results = in_parallel(task, jobs, len(groups), backend=backend, workers=workers, progress=progress)
    return gathered(
        results,
        task.shape.constructs,
        statistic_keys(task.shape)["paths"],
        by=by,
        target=questionnaire.index,
        level=level,
        seed=seed,
        bootstrap=bootstrap,
        problems=[*responses.problems, *_groupless(responses.data[by], by)],
    )


@dataclass(frozen=True)
class _OneGroup:
    """What is done with the answers of one group; small, so that it can be sent to other processes."""

    model: sem.Model
    shape: PathModel
    target: int
    ends: Array
    needed: int
    settings: dict[str, Any]
    bootstrap: int
    interval: str
    level: float

    @classmethod
    def of(
        cls,
        questionnaire: Questionnaire,
        scheme: str,
        consistent: bool,
        missing: str,
        bootstrap: int,
        interval: str,
        level: float,
    ) -> _OneGroup:
        model = questionnaire.model()
        try:
            shape = path_model(model, consistent)
        except sem.SemError as error:
            raise InputError(str(error)) from error
        target, ends = shape.constructs.index(questionnaire.index), _scale_ends(questionnaire, shape)
        settings = {"scheme": scheme, "consistent": consistent, "missing": missing}
        needed = respondents_needed(questionnaire)
        return cls(model, shape, target, ends, needed, settings, bootstrap, interval, level)

    def __call__(self, group: str, answers: pd.DataFrame, seed: int) -> GroupEstimate:
        """The estimate of a group from its answers (n, items), or why there is none."""
        none = GroupEstimate(group, len(answers), seed, None, None, False, 0, _obstacles(answers, self.needed))
        if none.problems:
            return none
        fit = None
        try:
            fit = sem.pls(self.model, answers, **self.settings)
            minimum, maximum = self.ends
            ruler = _Ruler(fit, self.target, minimum, maximum, (), np.empty((fit.n, 0)))
            draws = fit.bootstrap(self.bootstrap, seed, statistics=("paths",), statistic=ruler.statistics)
        except sem.SemError as error:
            return replace(none, problems=[f"{error}.", *(fit.problems if fit else ())])
        index = _index_table(ruler, draws, self.interval, self.level)
        paths = draws.table("paths", self.interval, self.level)[["estimate", *INTERVAL_COLUMNS]]
        problems = _estimate_problems(ruler, draws)
        return GroupEstimate(
            group, fit.n, seed, index.to_numpy(), paths.to_numpy(), fit.converged, draws.n_used, problems
        )


def _check_options(bootstrap: int, seed: int, level: float, chosen: Mapping[str, str]) -> None:
    """Stop before the first group is estimated, not after the last."""
    allowed = {"scheme": SCHEMES, "missing": MISSING, "interval": INTERVALS}
    for option, value in chosen.items():
        if value not in allowed[option]:
            raise InputError(f"{option} {value!r} is unknown; choose one of {', '.join(allowed[option])}.")
    if bootstrap < 2:
        raise InputError(f"bootstrap is the number of resamples in each group, at least 2; found {bootstrap}.")
    if seed < 0:
        raise InputError(f"seed must be 0 or more, found {seed}.")
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, found {level}.")


def check(questionnaire: Questionnaire, responses: Responses, *, by: str | None = None, faults: str = "error") -> None:
    """Raise `InputError` when the answers cannot carry an estimate; costs next to nothing.

    Parameters
    ----------
    questionnaire : Questionnaire
    responses : Responses
    by : str, optional
        Grouping column.
    faults : {"error", "missing"}
    """
    if faults not in FAULTS:
        raise InputError(f"faults {faults!r} is unknown; choose one of {', '.join(FAULTS)}.")
    if faults == "error":
        responses.require_usable()
    where = responses.source or "the answers"
    if by is not None and by not in responses.data.columns:
        known = [column for column in responses.data.columns if column not in questionnaire.items.index]
        raise InputError(
            f"{where}: there is no grouping column {by!r}; the grouping columns are {', '.join(known) or 'none'}. "
            "List the column under 'groups' in the questionnaire."
        )
    obstacles = _obstacles(_items(questionnaire, responses), respondents_needed(questionnaire))
    if obstacles:
        raise InputError(f"{where}: {obstacles[0]}")


def _obstacles(answers: pd.DataFrame, needed: int) -> list[str]:
    """Why answers (n, items) cannot carry an estimate: empty and constant items, too few respondents."""
    obstacles = []
    lowest, highest = answers.min(), answers.max()
    empty = list(answers.columns[lowest.isna()])
    if empty:
        obstacles.append(f"no answer at all to {', '.join(empty)}. Correct the file or drop it from the questionnaire.")
    obstacles += [
        f"item {item} is constant (every answer is {lowest[item]:g}), so it cannot be related to anything. Drop it "
        "from the questionnaire."
        for item in answers.columns[lowest == highest]
    ]
    if len(answers) < needed:
        obstacles.append(
            f"{len(answers)} respondents, and the model needs at least {needed} (ten for each arrow into its busiest "
            "construct, or each item of a formative block). Collect more answers or simplify the model."
        )
    return obstacles


def respondents_needed(questionnaire: Questionnaire) -> int:
    """The floor below which no estimate is made, by `crmlab.sampling.ten_times_rule`.

    Examples
    --------
    >>> respondents_needed(Questionnaire.shipped("ecsi"))       # four arrows point at Satisfaction
    40
    """
    arrows = int(questionnaire.paths["to"].value_counts().max()) if len(questionnaire.paths) else 0
    formative = questionnaire.constructs.query("mode == 'formative'")["n_items"]
    return ten_times_rule(max([arrows, *formative]))


def _items(questionnaire: Questionnaire, responses: Responses) -> pd.DataFrame:
    return responses.data[list(questionnaire.items.index)]


@dataclass(frozen=True)
class _Ruler:
    """What turns answers into index points: the ends of every indicator's scale (p,) and each respondent's group.

    `member` (n, groups) holds 0/1.
    """

    fit: PLSFit
    target: int
    minimum: Array
    maximum: Array
    groups: tuple[Any, ...]
    member: Array

    @classmethod
    def of(cls, questionnaire: Questionnaire, responses: Responses, by: str | None, fit: PLSFit) -> _Ruler:
        minimum, maximum = _scale_ends(questionnaire, fit.shape)
        target = fit.shape.constructs.index(questionnaire.index)
        if by is None:
            return cls(fit, target, minimum, maximum, (), np.empty((fit.n, 0)))
        values = responses.data[by].loc[fit.rows]
        groups = tuple(sorted(values.dropna().unique(), key=str))
        member = np.column_stack([(values == group).to_numpy(dtype=float) for group in groups])
        return cls(fit, target, minimum, maximum, groups, member)

    @property
    def drivers(self) -> list[tuple[int, int]]:
        """Constructs with a route to the index, as (position among the routes, position among the constructs)."""
        routes = np.argwhere(self.fit.shape.reachable)
        return [(route, source) for route, (source, target) in enumerate(routes) if target == self.target]

    def statistics(self, batch: Resamples, weights: Array, values: Mapping[str, Array]) -> dict[str, Array]:
        """Everything on the 0–100 scale, for a batch of b samples.

        points (b, k): index points for one standard deviation of the composite, 100 / Σ w(max − min);
        per_point (b, p): index points for one scale point of the item; share (b, p): w / Σ w; index (b, k);
        group_index (b, groups·k); importance (b, drivers): index points of the target for one of the driver.
        """
        membership, block = self.fit.shape.membership, self.fit.shape.block
        unstandardised = weights / batch.moments.sd
        points = index_formula.points(unstandardised, self.minimum, self.maximum, membership)
        per_point = unstandardised * points[:, block]
        means = [batch.moments.mean, *self._group_means(batch)]
        index, *by_group = [index_formula.index(mean, per_point, self.minimum, membership) for mean in means]
        spread = points * self._error_free(values["rho_a"])
        importance = [
            values["total"][:, route] * spread[:, self.target] / spread[:, source] for route, source in self.drivers
        ]
        return {
            "index": index,
            "points": points,
            "per_point": per_point,
            "share": unstandardised / (unstandardised @ membership)[:, block],
            "group_index": np.hstack([np.empty((len(index), 0)), *by_group]),
            "importance": np.stack(importance, axis=1) if importance else np.empty((len(index), 0)),
        }

    def _error_free(self, rho_a: Array) -> Array:
        """Standard deviation of each construct without error to that of its composite: √ρ_A when corrected, else 1."""
        corrected = np.abs(rho_a) if self.fit.shape.consistent else np.ones_like(rho_a)
        return np.sqrt(np.nan_to_num(corrected, nan=1.0))

    def _group_means(self, batch: Resamples) -> list[Array]:
        """Item means (b, p) of each group; a missing answer stands at the mean of all, as in the model."""
        present = ~np.isnan(self.fit.sample.values)
        filled = np.where(present, self.fit.sample.values, 0.0)
        means = []
        for member in self.member.T:
            counts = batch.counts * member
            size = counts.sum(axis=1, keepdims=True)
            with np.errstate(invalid="ignore", divide="ignore"):
                means.append((counts @ filled + (size - counts @ present) * batch.moments.mean) / size)
        return means


def _scale_ends(questionnaire: Questionnaire, shape: PathModel) -> Array:
    """Lowest and highest answer to each indicator, (2, p)."""
    items = [item for _, item in shape.indicators]
    return questionnaire.items.loc[items, ["min", "max"]].to_numpy(dtype=float).T


def _result(
    questionnaire: Questionnaire,
    responses: Responses,
    ruler: _Ruler,
    draws: Bootstrap,
    *,
    by: str | None,
    interval: str,
    level: float,
) -> SatisfactionIndex:
    import pandas as pd

    fit, estimates = ruler.fit, draws.estimates

    def ends(name: str, prefix: str = "") -> dict[str, Array]:
        lower, upper = draws.interval(name, interval, level)
        return {f"{prefix}ci_lower": lower, f"{prefix}ci_upper": upper}

    loadings = fit.loadings.assign(
        **ends("loadings", "loading_"),
        weight=estimates["weights"],
        **ends("weights", "weight_"),
        share=estimates["share"],
    )
    drivers = [fit.shape.constructs[source] for _, source in ruler.drivers]
    return SatisfactionIndex(
        questionnaire=questionnaire,
        engine="pls",
        n=fit.n,
        level=level,
        seed=draws.seed,
        bootstrap=draws.n_used,
        method=_method(fit, draws, interval, by),
        index=_index_table(ruler, draws, interval, level),
        scores=_scores(ruler, estimates["per_point"]),
        paths=draws.table("paths", interval, level).drop(columns="bias"),
        effects=fit.effects.assign(**ends("total", "total_")),
        loadings=loadings,
        r_squared=fit.r_squared.to_frame().assign(**ends("r_squared")),
        reliability=fit.reliability,
        htmt=fit.htmt,
        fornell_larcker=fit.fornell_larcker,
        cross_loadings=fit.cross_loadings,
        vif=fit.vif,
        by_group=_group_table(ruler, estimates["group_index"], ends("group_index")),
        group_draws=_group_draws(ruler, draws.draws["group_index"]),
        ids=None if responses.ids is None else responses.ids.loc[fit.rows],
        importance=pd.DataFrame(
            {"importance": estimates["importance"], **ends("importance")}, index=pd.Index(drivers, name="construct")
        ),
        problems=_problems(questionnaire, responses, ruler, draws, by),
    )


def _index_table(ruler: _Ruler, draws: Bootstrap, interval: str, level: float) -> pd.DataFrame:
    import pandas as pd

    lower, upper = draws.interval("index", interval, level)
    se = draws.draws["index"].std(axis=0, ddof=1)
    columns = {"index": draws.estimates["index"], "ci_lower": lower, "ci_upper": upper, "se": se}
    return pd.DataFrame(columns, index=pd.Index(ruler.fit.shape.constructs, name="construct"))


def _scores(ruler: _Ruler, per_point: Array) -> pd.DataFrame:
    import pandas as pd

    fit = ruler.fit
    answers = np.where(np.isnan(fit.sample.values), fit.sample.full.mean, fit.sample.values)
    scores = index_formula.index(answers, per_point, ruler.minimum, fit.shape.membership)
    return pd.DataFrame(scores, index=fit.rows, columns=list(fit.shape.constructs))


def _group_table(ruler: _Ruler, estimate: Array, ends: Mapping[str, Array]) -> pd.DataFrame:
    import pandas as pd

    sizes = dict(zip(ruler.groups, ruler.member.sum(axis=0).astype(int), strict=True))
    keys = [(group, construct, sizes[group]) for group in ruler.groups for construct in ruler.fit.shape.constructs]
    return pd.DataFrame(keys, columns=["group", "construct", "n"]).assign(index=estimate, **ends)


def _group_draws(ruler: _Ruler, draws: Array) -> pd.DataFrame:
    """Each group's index of the target in every resample, from draws (n_used, groups · constructs)."""
    import pandas as pd

    columns = pd.Index(ruler.groups, dtype=object, name="group")
    return pd.DataFrame(draws[:, ruler.target :: len(ruler.fit.shape.constructs)], columns=columns)


def _method(fit: PLSFit, draws: Bootstrap, interval: str, by: str | None) -> dict[str, Any]:
    return {
        "estimator": "consistent PLS" if fit.shape.consistent else "PLS",
        "scheme": fit.scheme,
        "iterations": fit.iterations,
        "index_weights": "unstandardised outer weights",
        "missing": fit.missing,
        "interval": interval,
        "seed": draws.seed,
        "resamples": draws.n_requested,
        "resamples_used": draws.n_used,
        "resamples_not_converged": draws.not_converged,
        "resamples_inadmissible": draws.inadmissible,
        "sign_changes": draws.sign_changes,
        "by": by,
    }


def _problems(
    questionnaire: Questionnaire, responses: Responses, ruler: _Ruler, draws: Bootstrap, by: str | None
) -> list[str]:
    return [*responses.problems, *_estimate_problems(ruler, draws), *_group_problems(ruler, responses, by)]


def _estimate_problems(ruler: _Ruler, draws: Bootstrap) -> list[str]:
    fit = ruler.fit
    return [
        *_sample_problems(fit),
        *fit.problems,
        *_omega_problems(fit),
        *_resample_problems(draws),
        *_index_problems(ruler, draws),
    ]


def _sample_problems(fit: PLSFit) -> list[str]:
    problems = []
    absent = np.isnan(fit.sample.values).mean(axis=0)
    for (construct, item), share in zip(fit.shape.indicators, absent, strict=True):
        if share > MANY_MISSING:
            problems.append(
                f"{share:.0%} of the respondents gave no answer to {item} ({construct}).".replace("%", " %", 1)
            )
    if fit.n < SMALL_SAMPLE:
        smallest = 2.486 / np.sqrt(fit.n)  # inverse square root method, 5 % level, 80 % power
        problems.append(
            f"{fit.n} respondents: paths smaller than about {smallest:.2f} will often be missed (Kock & Hadaya 2018)."
        )
    return problems


def _omega_problems(fit: PLSFit) -> list[str]:
    lacking = [
        name
        for name, omega, items in zip(
            fit.shape.constructs, fit.reliability["omega"], fit.reliability["n_items"], strict=True
        )
        if items > 2 and np.isnan(omega) and fit.shape.modes[name] == "A"
    ]
    return [
        f"{name}: one common factor does not fit its items properly (a Heywood case), so omega is not stated."
        for name in lacking
    ]


def _resample_problems(draws: Bootstrap) -> list[str]:
    problems = []
    if draws.not_converged:
        problems.append(
            f"{draws.not_converged} of {draws.n_requested} resamples could not be estimated and were left out of the "
            "intervals."
        )
    if draws.inadmissible:
        problems.append(
            f"{draws.inadmissible} of {draws.n_requested} resamples gave corrected correlations that are impossible "
            "together; the intervals of paths and loadings are not to be trusted."
        )
    turned = {name: count for name, count in draws.sign_changes.items() if count > draws.n_used / 20}
    for name, count in turned.items():
        problems.append(
            f"The direction of {name} was unclear in {count} of {draws.n_used} resamples: its items pull in different "
            "directions."
        )
    return problems


def _index_problems(ruler: _Ruler, draws: Bootstrap) -> list[str]:
    outside = [
        name
        for name, value in zip(ruler.fit.shape.constructs, draws.estimates["index"], strict=True)
        if not 0 <= value <= 100
    ]
    return [
        f"The index of {name} lies outside 0–100, because of negative weights; it has lost its meaning."
        for name in outside
    ]


def _group_problems(ruler: _Ruler, responses: Responses, by: str | None) -> list[str]:
    if by is None:
        return []
    sizes = dict(zip(ruler.groups, ruler.member.sum(axis=0).astype(int), strict=True))
    small = [f"{group} ({size})" for group, size in sizes.items() if size < SMALL_GROUP]
    problems = []
    if small:
        problems.append(
            f"Groups of {by} with fewer than {SMALL_GROUP} respondents have wide, rough intervals: {', '.join(small)}."
        )
    silent = ruler.member.T @ ~np.isnan(ruler.fit.sample.values) @ ruler.fit.shape.membership == 0
    for g, j in np.argwhere(silent):
        problems.append(
            f"Nobody of {by} {ruler.groups[g]} answered any item of {ruler.fit.shape.constructs[j]}: its index there "
            "is that of all respondents, not its own."
        )
    return [*problems, *_groupless(responses.data[by].loc[ruler.fit.rows], by)]


def _groupless(values: pd.Series, by: str) -> list[str]:
    without = int(values.isna().sum())
    return [f"{without} respondents have no value of {by} and stand in no group."] if without else []
