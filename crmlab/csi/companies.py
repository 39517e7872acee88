"""A national index: the same model estimated in every company of a table, each on its own (chapter 9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .. import sem
from ..errors import InputError
from ..questionnaire import Questionnaire
from ..responses import Responses, read_responses
from ..results import in_order
from ..sem.pls_algorithm import statistic_keys
from .checks import check, items_of, obstacles, respondents_needed
from .engines import Engine, Ruler
from .estimation import index_table
from .many import INTERVAL_COLUMNS, GroupEstimate, SatisfactionIndices, gathered, group_seed, in_parallel
from .problems import groupless, of_estimate
from .settings import Settings, check_numbers

if TYPE_CHECKING:
    import pandas as pd


def estimate_many(
    questionnaire: Questionnaire,
    responses: Responses | pd.DataFrame,
    *,
    by: str,
    bootstrap: int = 500,
    seed: int = 0,
    engine: str = "pls",
    scheme: str = "path",
    consistent: bool = False,
    estimator: str | None = None,
    missing: str | None = None,
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
    bootstrap, seed, engine, scheme, consistent, estimator, missing, interval, level, faults
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
    settings = Settings(engine, scheme, consistent, estimator, missing)
    settings.check_interval(interval)
    check_numbers(bootstrap, seed, level)
    if not isinstance(responses, Responses):
        responses = read_responses(responses, questionnaire)
    check(questionnaire, responses, by=by, faults=faults)
    task = _OneGroup(questionnaire, settings, bootstrap, interval, level)
    shape = settings.shape(questionnaire.model())
    answers, rows = items_of(questionnaire, responses), responses.data.groupby(by).indices
    groups = sorted(rows, key=in_order)
    if not groups:
        raise InputError(f"nobody has a value of {by}, so there is no group to estimate.")
    jobs = ((str(group), answers.iloc[rows[group]], group_seed(seed, str(group))) for group in groups)
    results = in_parallel(task, jobs, len(groups), backend=backend, workers=workers, progress=progress)
    return gathered(
        results,
        shape.constructs,
        statistic_keys(shape)["paths"],
        by=by,
        target=questionnaire.index,
        level=level,
        seed=seed,
        bootstrap=bootstrap,
        problems=[*responses.problems, *groupless(responses.data[by], by)],
    )


@dataclass(frozen=True)
class _OneGroup:
    """What is done with the answers of one group; small, so that it can be sent to other processes."""

    questionnaire: Questionnaire
    settings: Settings
    bootstrap: int
    interval: str
    level: float

    def __call__(self, group: str, answers: pd.DataFrame, seed: int) -> GroupEstimate:
        """The estimate of a group from its answers (n, items), or why there is none."""
        reasons = obstacles(answers, respondents_needed(self.questionnaire))
        none = GroupEstimate(group, len(answers), seed, None, None, False, 0, reasons)
        if none.problems:
            return none
        model: Engine | None = None
        try:
            model = self.settings.fit(self.questionnaire.model(), answers)
            ruler = Ruler.of(self.questionnaire, model)
            draws = model.draw(self.bootstrap, seed, ruler.member, ruler.statistics, None)
        except sem.SemError as error:
            return replace(none, problems=[f"{error}.", *(model.problems if model else ())])
        index = index_table(ruler, draws, self.interval, self.level)
        paths = draws.table("paths", self.interval, self.level)[["estimate", *INTERVAL_COLUMNS]]
        problems = [*model.refusals, *of_estimate(model, draws)]
        return GroupEstimate(
            group,
            len(model.rows),
            seed,
            index.to_numpy(),
            paths.to_numpy(),
            model.converged,
            draws.n_used,
            problems,
        )
