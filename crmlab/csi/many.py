"""The index of hundreds of companies from one table: seeds, workers and tidy tables of a national index (chapter 9).

`csi.estimate_many` says what is estimated in one company; here stands how companies are dealt out to workers and how
their results become one table. A company's random numbers follow from the seed and the company's own name, so neither
the number of workers, nor the order of the table, nor the other companies in it can change its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..results import page
from ..sem.moments import Array
from ..sem.threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

INTERVAL_COLUMNS = ("ci_lower", "ci_upper", "se")
_SLICE = 8  # companies waiting for each worker: few enough to hold, enough to keep all workers busy

Progress = Callable[[int, int], None]


def group_seed(seed: int, group: str) -> int:
    """The seed of one group: what `csi.estimate` needs to repeat that group's result on its own.

    Parameters
    ----------
    seed : int
        Of the whole table, 0 or more.
    group : str
        The group's name.

    Returns
    -------
    int, 0 to 2³² − 1
        From `numpy.random.SeedSequence` with the name's UTF-8 bytes as spawn key.

    Examples
    --------
    >>> group_seed(0, "Alpha"), group_seed(0, "Beta"), group_seed(1, "Alpha")
    (1718399025, 1429464635, 3737892826)
    """
    return int(np.random.SeedSequence(seed, spawn_key=tuple(group.encode())).generate_state(1)[0])


@dataclass(frozen=True)
class GroupEstimate:
    """What one group gives.

    Attributes
    ----------
    group : str
    n, seed : int
        Respondents used, and the group's own seed.
    index : array (constructs, 4) or None
        Columns index, ci_lower, ci_upper, se; None where nothing can be estimated.
    paths : array (paths, 4) or None
        Columns estimate, ci_lower, ci_upper, se.
    converged : bool
    resamples : int
        Resamples behind the intervals.
    problems : list of str
    """

    group: str
    n: int
    seed: int
    index: Array | None
    paths: Array | None
    converged: bool
    resamples: int
    problems: list[str]


@dataclass(frozen=True)
class SatisfactionIndices:
    """The satisfaction index of every group of a table, each estimated on its own.

    Attributes
    ----------
    by : str
        Column of the groups.
    target : str
        Construct whose value is the index.
    level : float
        Confidence level of every interval.
    seed, bootstrap : int
        Seed of the table, and resamples asked for in each group.
    index : DataFrame: group, n, construct, index, ci_lower, ci_upper, se
        0–100 for every construct of every group; nan where a group cannot be estimated.
    paths : DataFrame: group, n, from, to, estimate, ci_lower, ci_upper, se
    groups : DataFrame, index group: n, seed, estimated, converged, resamples, problems
        `seed` is the group's own (see `group_seed`), `resamples` how many stand behind its intervals, `problems` how
        many sentences speak of it.
    group_problems : DataFrame: group, problem
        What a careful analyst would object to in each group.
    problems : list of str
        The same with the group's name in front, after what concerns the whole table.
    """

    by: str
    target: str
    level: float
    seed: int
    bootstrap: int
    index: pd.DataFrame
    paths: pd.DataFrame
    groups: pd.DataFrame
    group_problems: pd.DataFrame
    problems: list[str]

    @property
    def headline(self) -> pd.DataFrame:
        """The index itself, best group first; index group: n, index, ci_lower, ci_upper, se."""
        own = self.index[self.index["construct"] == self.target].drop(columns="construct").set_index("group")
        return own.sort_values("index", ascending=False, kind="stable")

    def _repr_html_(self) -> str:
        known = int(self.groups["estimated"].sum())
        told = f"{known} of {len(self.groups)} groups of {self.by} estimated; {len(self.problems)} problems"
        return page(self.headline.round(1).to_html(max_rows=20), heading=told)


def gathered(
    results: Sequence[GroupEstimate],
    constructs: Sequence[str],
    paths: Sequence[tuple[str, ...]],
    *,
    by: str,
    target: str,
    level: float,
    seed: int,
    bootstrap: int,
    problems: Sequence[str],
) -> SatisfactionIndices:
    """Tidy tables of the results of all groups, in the groups' order.

    Raises
    ------
    InputError
        Not one group could be estimated.
    """
    import pandas as pd

    if not any(result.index is not None for result in results):
        raise InputError(
            f"no group of {by} can be estimated ({len(results)} tried). {by} {results[0].group}: "
            + " ".join(results[0].problems)
        )
    facts = [(r.group, r.n, r.seed, r.index is not None, r.converged, r.resamples, len(r.problems)) for r in results]
    columns = ["group", "n", "seed", "estimated", "converged", "resamples", "problems"]
    told = [(r.group, problem) for r in results for problem in r.problems]
    return SatisfactionIndices(
        by=by,
        target=target,
        level=level,
        seed=seed,
        bootstrap=bootstrap,
        index=_tidy(results, [r.index for r in results], {"construct": constructs}, "index"),
        paths=_tidy(
            results,
            [r.paths for r in results],
            {"from": [path[0] for path in paths], "to": [path[1] for path in paths]},
            "estimate",
        ),
        groups=pd.DataFrame(facts, columns=columns).set_index("group"),
        group_problems=pd.DataFrame(told, columns=["group", "problem"]),
        problems=[*problems, *(f"{by} {group}: {problem}" for group, problem in told)],
    )


def _tidy(
    results: Sequence[GroupEstimate], blocks: Sequence[Array | None], keys: dict[str, Sequence[str]], value: str
) -> pd.DataFrame:
    """One row for each group and key; nan for the groups without estimates."""
    import pandas as pd

    rows = len(next(iter(keys.values())))
    numbers = np.vstack([np.full((rows, 4), np.nan) if block is None else block for block in blocks])
    table = pd.DataFrame(
        {"group": np.repeat([r.group for r in results], rows), "n": np.repeat([r.n for r in results], rows)}
    )
    table = table.assign(**{name: list(names) * len(results) for name, names in keys.items()})
    return table.assign(**dict(zip((value, *INTERVAL_COLUMNS), numbers.T, strict=True)))


def in_parallel(
    task: Callable[..., GroupEstimate],
    jobs: Iterable[tuple[Any, ...]],
    total: int,
    *,
    backend: str | None = "threads",
    workers: int | None = None,
    progress: Progress | bool | None = None,
) -> list[GroupEstimate]:
    """Results of `task(*job)` for every job, in order; jobs are made as they are needed.

    Parameters
    ----------
    task : callable
        To be sent to other processes it must be picklable.
    jobs : iterable of tuples
    total : int
        Number of jobs, for the progress.
    backend, workers, progress
        As in `csi.estimate_many`.

    Raises
    ------
    InputError
        The backend is unknown, not installed or not running, or `workers` is 0.
    """
    import joblib

    results: list[GroupEstimate] = []
    with _pool(backend, workers) as pool, _told(progress, total) as tell:
        size = _SLICE * joblib.effective_n_jobs(pool.n_jobs)
        waiting = iter(jobs)
        while batch := list(islice(waiting, size)):
            results += pool(joblib.delayed(task)(*job) for job in batch)
            tell(len(results), total)
    return results


@contextmanager
def _pool(backend: str | None, workers: int | None) -> Iterator[Any]:
    """joblib's workers, each with one thread of linear algebra: its matrices are small, and two levels of threads
    take turns at waiting for each other.
    """
    import joblib

    with ExitStack() as stack:
        try:
            if backend == "ray":
                from ray.util.joblib import register_ray

                register_ray()
            if backend is not None:
                single: dict[str, Any] = {"inner_max_num_threads": 1} if backend == "loky" else {}
                name = {"threads": "threading"}.get(backend, backend)
                everyone = -1 if workers is None else workers
                stack.enter_context(joblib.parallel_config(name, n_jobs=everyone, **single))
            pool = stack.enter_context(joblib.Parallel(n_jobs=workers))
        except (ImportError, ValueError) as error:
            raise InputError(
                f"backend={backend!r}, workers={workers} cannot be used ({' '.join(str(error).split())}). Choose "
                "'threads' or 'loky', or install and start dask or ray; workers is 1 or more, or None for all cores."
            ) from error
        stack.enter_context(one_thread())
        yield pool


@contextmanager
def _told(progress: Progress | bool | None, total: int) -> Iterator[Progress]:
    """Where progress is told: a function of the caller, a bar on standard error (True), or nowhere."""
    if callable(progress):
        yield progress
    elif progress:
        from rich.console import Console
        from rich.progress import Progress as Bar

        with Bar(console=Console(stderr=True)) as bar:
            line = bar.add_task("groups", total=total)
            yield lambda done, _: bar.update(line, completed=done)
    else:
        yield lambda done, total: None
