"""The customer satisfaction index 顾客满意度指数: a structural model of a survey, read from 0 to 100 (chapter 9).

With item means x̄ on min…max and the unstandardised weights w of a construct's items (PLS: outer weight / sd of the
item; CB-SEM: factor-score weight λ/θ),

    index = 100 · (Σ w x̄ − Σ w min) / (Σ w max − Σ w min)            (Fornell et al. 1996, p. 11)

Every construct gets its index this way, a respondent's index is the same formula on the respondent's answers, and the
mean of the respondents' indices is the index. Intervals come from resampling respondents: weights, item spread and item
means are estimated anew in each resample.

References
----------
Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J. & Bryant, B. E. (1996). The American customer satisfaction index:
nature, purpose, and findings. Journal of Marketing 60(4), 7–18.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .. import index_formula, sem
from ..errors import InputError
from ..questionnaire import Questionnaire
from ..responses import Responses, read_responses
from ..sem.moments import Array
from ..sem.threads import one_thread
from .checks import check, items_of
from .engines import Engine, Ruler, told_of_resamples
from .problems import of_estimate, of_groups
from .result import SatisfactionIndex
from .settings import Settings, check_numbers

if TYPE_CHECKING:
    import pandas as pd

    from ..sem.bootstrap import Bootstrap


def estimate(
    questionnaire: Questionnaire,
    responses: Responses | pd.DataFrame,
    *,
    engine: str = "pls",
    by: str | None = None,
    bootstrap: int | None = None,
    seed: int = 0,
    scheme: str = "path",
    consistent: bool = False,
    estimator: str | None = None,
    missing: str | None = None,
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
    engine : {"pls", "cbsem", "semopy"}
        Partial least squares: a construct is a weighted sum of its items. Covariance-based SEM: a construct is what its
        items have in common, and the index weighs them by their factor-score weights. The same by semopy, an
        independent program: a second opinion.
    by : str, optional
        Column whose values split the respondents into groups. All groups are measured with the same weights.
    bootstrap : int, at least 2, optional
        Resamples behind the intervals. Usually 1,000; 200 where CB-SEM estimates them one by one (missing answers,
        estimators other than ML and MLR).
    seed : int, 0 or more
        The same seed gives the same bytes.
    scheme, consistent
        Of PLS, as in `crmlab.sem.pls`. With `consistent=True` paths, loadings and R² are corrected for measurement
        error; the indices are the same composites.
    estimator : {"ML", "MLR", "ULS", "WLSMV"}, optional
        Of CB-SEM, usually ML; WLSMV takes the answers as ordered categories. semopy estimates by ML.
    missing : str, optional
        What is done about missing answers. PLS: "mean" (usual) or "listwise"; ML and MLR: "fiml" (usual) or "listwise";
        WLSMV: "pairwise" (usual) or "listwise"; ULS and semopy: "listwise".
    interval : {"percentile", "bca"}
        Of resamples; "bca" with PLS only. semopy's are of normal theory.
    level : float in (0, 1)
        Confidence level of every interval.
    faults : {"error", "missing"}
        What to do when answers lie outside their scale or cannot be read: stop, or treat them as missing.
    progress : callable, optional
        progress(done, total) over the resamples.

    Returns
    -------
    SatisfactionIndex
        Where CB-SEM gives no admissible solution, `admissible` is False, the reasons come first among the problems,
        and what cannot be stated is nan.

    Raises
    ------
    InputError
        Faulty answers (unless `faults="missing"`), a constant or empty item, fewer respondents than the model needs, an
        unknown grouping column or option, or a number outside its range.

    Examples
    --------
    >>> from crmlab import csi, datasets, Questionnaire
    >>> survey = csi.estimate(Questionnaire.shipped("ecsi"), datasets.load_mobi(), bootstrap=200)
    >>> survey.index.loc["Satisfaction"].round(1).to_dict()
    {'index': 72.5, 'ci_lower': 70.7, 'ci_upper': 74.1, 'se': 0.9}
    """
    settings = Settings(engine, scheme, consistent, estimator, missing)
    settings.check_interval(interval)
    check_numbers(bootstrap, seed, level)
    if not isinstance(responses, Responses):
        responses = read_responses(responses, questionnaire)
    check(questionnaire, responses, by=by, faults=faults)
    try:
        with one_thread():
            model = settings.fit(questionnaire.model(), items_of(questionnaire, responses))
            ruler = Ruler.of(questionnaire, model, None if by is None else responses.data[by])
            n = model.resamples if bootstrap is None else bootstrap
            draws = model.draw(n, seed, ruler.member, ruler.statistics, progress)
        return _result(questionnaire, responses, settings, model, ruler, draws, by=by, interval=interval, level=level)
    except sem.SemError as error:
        raise InputError(str(error)) from error


def _result(
    questionnaire: Questionnaire,
    responses: Responses,
    settings: Settings,
    model: Engine,
    ruler: Ruler,
    draws: Bootstrap,
    *,
    by: str | None,
    interval: str,
    level: float,
) -> SatisfactionIndex:
    import pandas as pd

    tables, estimates = model.tables, draws.estimates

    def ends(name: str, prefix: str = "") -> dict[str, Array]:
        lower, upper = draws.interval(name, interval, level)
        return {f"{prefix}ci_lower": lower, f"{prefix}ci_upper": upper}

    loadings = tables.loadings.assign(
        **ends("loadings", "loading_"),
        weight=estimates["weights"],
        **ends("weights", "weight_"),
        share=estimates["share"],
    )
    drivers = pd.Index([model.shape.constructs[source] for _, source in ruler.drivers], name="construct")
    return SatisfactionIndex(
        questionnaire=questionnaire,
        engine=settings.engine,
        admissible=model.admissible,
        refusals=model.refusals,
        n=len(model.rows),
        level=level,
        seed=draws.seed,
        bootstrap=draws.n_used,
        method={**model.method(interval), **told_of_resamples(draws), "by": by},
        index=index_table(ruler, draws, interval, level),
        scores=_scores(model, ruler, estimates["per_point"]),
        paths=draws.table("paths", interval, level).drop(columns="bias"),
        effects=tables.effects.assign(**ends("indirect", "indirect_"), **ends("total", "total_")),
        loadings=loadings,
        r_squared=tables.r_squared.to_frame().assign(**ends("r_squared")),
        reliability=tables.reliability,
        htmt=tables.htmt,
        fornell_larcker=tables.fornell_larcker,
        cross_loadings=tables.cross_loadings,
        vif=tables.vif,
        by_group=_group_table(ruler, estimates["group_index"], ends("group_index")),
        group_draws=_group_draws(ruler, draws.draws["group_index"]),
        ids=None if responses.ids is None else responses.ids.loc[model.rows],
        importance=pd.DataFrame({"importance": estimates["importance"], **ends("importance")}, index=drivers),
        problems=[
            *model.refusals,
            *responses.problems,
            *of_estimate(model, draws),
            *of_groups(model, ruler, None if by is None else responses.data[by], by),
        ],
    )


def index_table(ruler: Ruler, draws: Bootstrap, interval: str, level: float) -> pd.DataFrame:
    """The index of every construct: index, ci_lower, ci_upper, se."""
    import pandas as pd

    lower, upper = draws.interval("index", interval, level)
    se = draws.draws["index"].std(axis=0, ddof=1)
    columns = {"index": draws.estimates["index"], "ci_lower": lower, "ci_upper": upper, "se": se}
    return pd.DataFrame(columns, index=pd.Index(ruler.shape.constructs, name="construct"))


def _scores(model: Engine, ruler: Ruler, per_point: Array) -> pd.DataFrame:
    import pandas as pd

    scores = index_formula.index(model.filled, per_point, ruler.minimum, ruler.shape.membership)
    return pd.DataFrame(scores, index=model.rows, columns=list(ruler.shape.constructs))


def _group_table(ruler: Ruler, estimate: Array, ends: Mapping[str, Array]) -> pd.DataFrame:
    import pandas as pd

    keys = [(group, construct, ruler.sizes[group]) for group in ruler.groups for construct in ruler.shape.constructs]
    return pd.DataFrame(keys, columns=["group", "construct", "n"]).assign(index=estimate, **ends)


def _group_draws(ruler: Ruler, draws: Array) -> pd.DataFrame:
    """Each group's index of the target in every resample, from draws (n_used, groups · constructs)."""
    import pandas as pd

    columns = pd.Index(ruler.groups, dtype=object, name="group")
    return pd.DataFrame(draws[:, ruler.target :: len(ruler.shape.constructs)], columns=columns)
