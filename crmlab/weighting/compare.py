"""All weightings of one survey side by side: weights, the index under each, and whether the order of groups holds.

Everything is on the same scale: an item's weight is its share of the index's range, and the index runs from 0 to 100.
The intervals say how far chance in drawing the respondents moves the index under weights as they are; because all
weightings meet the same respondents, the *differences* between them have much narrower ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError
from crmlab.responses import Responses, read_responses
from crmlab.results import in_order, page, plain, records, rows_by_name

from .judgements import METHODS, Judgements
from .levels import Tree, roll_down, roll_up
from .model import from_model
from .objective import coefficient_of_variation, critic, entropy, pca
from .points import grouped, reached, usable
from .shaking import Sensitivity, node_label, sensitivity
from .told import as_weights, problems

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from crmlab.questionnaire import Questionnaire

EQUAL = "equal"
COMBINED = "combined"
#: What `compare` computes from the answers alone, and how; "equal" is what the others are measured against.
OBJECTIVE: dict[str, Callable[[Any], pd.Series]] = {
    "entropy": entropy,
    "coefficient of variation": coefficient_of_variation,
    "CRITIC": critic,
    "PCA": pca,
}
MODELS = {"PLS": "pls", "CB-SEM": "cbsem"}
KINDS = ("product", "linear")
PLOTS = ("weights", "index", "groups", "levels")
#: Groups whose order under two weightings agrees less than this are said to change their order.
_SAME_ORDER = 0.999


@dataclass(frozen=True)
class Comparison:
    """Weightings of one survey, side by side.

    Attributes
    ----------
    questionnaire : Questionnaire
    construct : str or None
        The branch compared; None for the whole tree.
    by : str or None
    n : int
    level : float
        Confidence level of the intervals.
    weights : DataFrame (items × methods)
        Global weights, each column sums to 1.
    levels : DataFrame: method, level, parent, node, local, global
        The same on all four levels.
    index : DataFrame, index method: index, ci_lower, ci_upper, se, difference, difference_ci_lower, difference_ci_upper
        The difference is to equal weights, in points.
    by_group : DataFrame: method, group, n, index, ci_lower, ci_upper, rank
        Rank 1 is best. Empty without a grouping column.
    item_agreement, group_agreement : DataFrame (methods × methods)
        Kendall's τ_b of the items' weights, and of the groups' indices; the latter empty with fewer than two groups.
    judges : DataFrame
        As `Judgements.quality`; empty without judgements.
    scores : DataFrame (respondents × methods)
        0–100.
    problems : list of str
    responses : Responses
    judgements : Judgements or None
    """

    questionnaire: Questionnaire
    construct: str | None
    by: str | None
    n: int
    level: float
    weights: pd.DataFrame
    levels: pd.DataFrame
    index: pd.DataFrame
    by_group: pd.DataFrame
    item_agreement: pd.DataFrame
    group_agreement: pd.DataFrame
    judges: pd.DataFrame
    scores: pd.DataFrame
    problems: list[str]
    responses: Responses = field(repr=False)
    judgements: Judgements | None = field(default=None, repr=False)

    @property
    def spread(self) -> float:
        """Points between the highest and the lowest index."""
        return float(self.index["index"].max() - self.index["index"].min())

    def ranks(self) -> pd.DataFrame:
        """Rank of every group (rows) under every method (columns); 1 is best.

        Examples
        --------
        >>> from crmlab import Questionnaire, datasets
        >>> found = compare(Questionnaire.shipped("course_csi"), datasets.load_survey().data, by="store")
        >>> found.ranks()["equal"].to_dict()
        {'Old Town': 1, 'Riverside': 2, 'Station': 3}
        """
        table = self.by_group.pivot_table(index="group", columns="method", values="rank", sort=False)
        return table.astype(int)

    def sensitivity(self, method: str = EQUAL, *, change: float = 0.2, draws: int = 1000, seed: int = 0) -> Sensitivity:
        """How the index and the order of groups react when one method's weights are shaken; see `sensitivity`.

        Raises
        ------
        InputError
            For a method that was not compared.
        """
        if method not in self.weights:
            raise InputError(
                f"sensitivity: found the method {method!r}; choose one of {', '.join(map(str, self.weights))}."
            )
        return sensitivity(
            self.weights[method],
            self.questionnaire,
            self.responses,
            by=self.by,
            construct=self.construct,
            change=change,
            draws=draws,
            seed=seed,
        )

    def plot(self, kind: str = "weights", language: str = "en", method: str = EQUAL) -> Axes:
        """Draw the comparison.

        Parameters
        ----------
        kind : {"weights", "index", "groups", "levels"}
        language : {"en", "zh"}
        method : str
            Whose weights the levels show.
        """
        from crmlab.plots import weighting as draw

        if kind not in PLOTS:
            raise InputError(f"plot {kind!r} is unknown; choose one of {', '.join(PLOTS)}.")
        if kind == "groups" and self.by_group.empty:
            raise InputError("there are no groups to draw; call compare with by='column'.")
        if method not in self.weights:
            raise InputError(f"plot: found the method {method!r}; choose one of {', '.join(map(str, self.weights))}.")
        labels = {node: node_label(self.questionnaire, node, language) for node in self.levels["node"].unique()}
        common: dict[str, Any] = {"labels": labels, "language": language}
        own = self.levels[self.levels["method"] == method]
        drawings: dict[str, Callable[[], Axes]] = {
            "weights": lambda: draw.weights_dots(self.weights, **common),
            "index": lambda: draw.index_intervals(self.index, level=self.level, **common),
            "groups": lambda: draw.group_ranks(self.by_group, **common),
            "levels": lambda: draw.level_bars(own, method=method, **common),
        }
        return drawings[kind]()

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain numbers and texts, as written to `weights.json`."""
        return {
            "n": self.n,
            "construct": self.construct,
            "level": self.level,
            "methods": {str(method): self._of_method(str(method)) for method in self.weights},
            "item_agreement": rows_by_name(self.item_agreement),
            "group_agreement": rows_by_name(self.group_agreement),
            "judges": records(self.judges),
            "problems": list(self.problems),
        }

    def _of_method(self, method: str) -> dict[str, Any]:
        row = self.index.loc[method]
        groups = self.by_group[self.by_group["method"] == method].to_dict("records")
        return {
            "index": plain(row["index"]),
            "ci": [plain(row["ci_lower"]), plain(row["ci_upper"])],
            "difference": plain(row["difference"]),
            "weights": {
                str(level): {
                    str(node): {"local": plain(local), "global": plain(whole)}
                    for node, local, whole in part[["node", "local", "global"]].itertuples(index=False)
                }
                for level, part in self.levels[self.levels["method"] == method].groupby("level")
            },
            "groups": {str(row["group"]): {"index": plain(row["index"]), "rank": int(row["rank"])} for row in groups},
        }

    def _repr_html_(self) -> str:
        return page(self.weights.round(3).to_html(), self.index.round(1).to_html(), problems=self.problems)


def combine(subjective: pd.Series, objective: pd.Series, *, kind: str = "product", share: float = 0.5) -> pd.Series:
    """Combined weights 组合赋权: product w ∝ a·b, or linear w = share·a + (1 − share)·b.

    Parameters
    ----------
    subjective, objective : Series
        Weights of the same items, 0 or more; each is divided by its sum first.
    kind : {"product", "linear"}
        A product rewards items that both find important, and an item that either gives 0 stays out.
    share : float in 0 … 1
        Part of the subjective weights in a linear mix.

    Returns
    -------
    Series
        Non-negative, sum 1, in the order of the first; problems of both are kept.

    Raises
    ------
    InputError
        Different items, a negative weight, an unknown kind, a share out of range, products that are all 0.

    Examples
    --------
    >>> import pandas as pd
    >>> one, other = pd.Series({"Q1": 0.5, "Q2": 0.5}), pd.Series({"Q1": 0.2, "Q2": 0.8})
    >>> combine(one, other).to_dict(), combine(one, other, kind="linear").to_dict()
    ({'Q1': 0.2, 'Q2': 0.8}, {'Q1': 0.35, 'Q2': 0.65})
    """
    if kind not in KINDS:
        raise InputError(f"combine: kind is {kind!r}; choose one of {', '.join(KINDS)}.")
    if not 0 <= share <= 1:
        raise InputError(f"combine: share is {share!r}; expected a number from 0 to 1.")
    if odd := set(subjective.index) ^ set(objective.index):
        raise InputError(f"combine: only one of the two weighs {min(map(str, odd))}; expected the same items in both.")
    items = list(subjective.index)
    parts = []
    for weights in (subjective, objective):
        values = weights.loc[items].to_numpy(dtype=float)
        if not (values >= 0).all() or not values.sum() > 0:
            raise InputError(
                f"combine: {weights.name} holds {values.min():g}; expected weights of 0 or more, not all 0."
            )
        parts.append(values / values.sum())
    one, other = parts
    mixed = one * other if kind == "product" else share * one + (1 - share) * other
    return as_weights(mixed, items, COMBINED, [*problems(subjective), *problems(objective)])


def compare(
    questionnaire: Questionnaire,
    responses: Responses | pd.DataFrame,
    *,
    judgements: Judgements | None = None,
    by: str | None = None,
    construct: str | None = None,
    extra: Mapping[str, pd.Series] | None = None,
    level: float = 0.95,
    faults: str = "error",
) -> Comparison:
    """Weigh one survey in every way there is, and see what difference it makes.

    Equal weights, entropy, coefficient of variation, CRITIC, PCA, PLS and CB-SEM; each method of the judgements, rolled
    down the four levels; and the product of the judges' mean and CRITIC.

    Parameters
    ----------
    questionnaire : Questionnaire
    responses : Responses or DataFrame
        A table is read as `read_responses` does.
    judgements : Judgements, optional
    by : str, optional
        Column of groups to rank.
    construct : str, optional
        Weigh the items of this construct only, as in the index of chapter 9; else the whole indicator tree.
    extra : mapping of name to Series, optional
        Further weights by item.
    level : float in (0, 1)
    faults : {"error", "missing"}
        What to do when answers lie outside their scale or cannot be read.

    Returns
    -------
    Comparison
        A method that cannot be used on these data is left out, and the problems say why.

    Raises
    ------
    InputError
        Faulty answers, an unknown column or construct, an item without answers, an option out of range.

    Examples
    --------
    >>> from crmlab import Questionnaire, datasets
    >>> found = compare(Questionnaire.shipped("ecsi"), datasets.load_mobi(), construct="Satisfaction")
    >>> found.index["index"].round(2).to_dict()["equal"]
    71.97
    """
    if faults not in ("error", "missing"):
        raise InputError(f"faults {faults!r} is unknown; choose one of error, missing.")
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, found {level}.")
    if not isinstance(responses, Responses):
        responses = read_responses(responses, questionnaire)
    if faults == "error":
        responses.require_usable()
    tree = Tree.of(questionnaire, construct)
    if len(tree.items) < 2:
        raise InputError(f"compare: {construct or 'the questionnaire'} has a single item; there is nothing to weigh.")
    answers, member = usable(questionnaire, responses, tree.items, by)
    found, told = _weightings(questionnaire, responses, answers, judgements, construct)
    for name, weights in (extra or {}).items():
        found[name] = as_weights(weights.loc[tree.items].to_numpy(), tree.items, name, problems(weights))
    told += [problem for weights in found.values() for problem in problems(weights)]
    return _comparison(questionnaire, responses, answers, member, found, told, construct, by, level, judgements)


def _weightings(
    questionnaire: Questionnaire,
    responses: Responses,
    answers: pd.DataFrame,
    judgements: Judgements | None,
    construct: str | None,
) -> tuple[dict[str, pd.Series], list[str]]:
    """Weights by method, in the order of the tables, and which methods could not be used."""
    items = list(answers.columns)
    found = {EQUAL: as_weights(np.ones(len(items)), items, EQUAL)}
    told: list[str] = []
    judged: list[pd.Series] = []
    for method in judgements.methods if judgements else []:
        local = judgements.local(method) if judgements else {}
        judged.append(roll_down(local, questionnaire, construct, METHODS[method]))
        found[METHODS[method]] = judged[-1]
    ways: dict[str, Callable[[], pd.Series]] = {name: partial(way, answers) for name, way in OBJECTIVE.items()}
    model = partial(from_model, questionnaire, responses, construct=construct)
    ways |= {name: partial(model, engine=engine) for name, engine in MODELS.items()}
    for name, way in ways.items():
        try:
            found[name] = way()
        except InputError as error:
            told.append(f"{name} cannot be used here: {error}")
    if judged and "CRITIC" in found:
        mean = as_weights(np.mean([weights.to_numpy() for weights in judged], axis=0), items, "judges")
        found[COMBINED] = combine(mean, found["CRITIC"].copy())
        found[COMBINED].attrs["problems"] = []  # they stand with the methods already
    return found, told


def _comparison(
    questionnaire: Questionnaire,
    responses: Responses,
    answers: pd.DataFrame,
    member: pd.Series | None,
    found: Mapping[str, pd.Series],
    told: list[str],
    construct: str | None,
    by: str | None,
    level: float,
    judgements: Judgements | None,
) -> Comparison:
    import pandas as pd

    methods = list(found)
    table = pd.DataFrame({name: weights.to_numpy() for name, weights in found.items()}, index=answers.columns)
    table = table.rename_axis(index="item", columns=None)
    points = reached(questionnaire, answers, table.to_numpy().T, list(table.index))
    scores = pd.DataFrame(points, index=answers.index, columns=methods)
    by_group = _by_group(scores, member, level)
    means = grouped(points, member).set_axis(methods, axis=1)
    levels = pd.concat(
        [roll_up(table[name], questionnaire, construct).assign(method=name) for name in methods], ignore_index=True
    )
    group_agreement = _agreement(means) if len(means) > 1 else pd.DataFrame()
    return Comparison(
        questionnaire=questionnaire,
        construct=construct,
        by=by,
        n=len(answers),
        level=level,
        weights=table,
        levels=levels[["method", "level", "parent", "node", "local", "global"]],
        index=_index(scores, level),
        by_group=by_group,
        item_agreement=_agreement(table),
        group_agreement=group_agreement,
        judges=judgements.quality() if judgements else pd.DataFrame(),
        scores=scores,
        problems=list(dict.fromkeys([*responses.problems, *told, *_group_problems(by_group, group_agreement)])),
        responses=responses,
        judgements=judgements,
    )


def _interval(values: pd.DataFrame, level: float) -> pd.DataFrame:
    """Mean, standard error and its t interval by column."""
    import pandas as pd
    from scipy.stats import t

    n = len(values)
    se = values.std() / n**0.5
    margin = t.ppf((1 + level) / 2, n - 1) * se
    mean = values.mean()
    return pd.DataFrame({"index": mean, "ci_lower": mean - margin, "ci_upper": mean + margin, "se": se})


def _index(scores: pd.DataFrame, level: float) -> pd.DataFrame:
    own = _interval(scores, level)
    difference = _interval(scores.sub(scores[EQUAL], axis=0), level).drop(columns="se")
    difference = difference.rename(columns={"index": "difference"}).add_prefix("difference_")
    return own.join(difference.rename(columns={"difference_difference": "difference"})).rename_axis("method")


def _by_group(scores: pd.DataFrame, member: pd.Series | None, level: float) -> pd.DataFrame:
    import pandas as pd

    columns = ["method", "group", "n", "index", "ci_lower", "ci_upper", "rank"]
    if member is None:
        return pd.DataFrame(columns=columns)
    groups = sorted(member.dropna().unique(), key=in_order)
    parts = []
    for group in groups:
        own = scores[(member == group).to_numpy()]
        parts.append(_interval(own, level).assign(group=group, n=len(own)).rename_axis("method").reset_index())
    table = pd.concat(parts, ignore_index=True)
    table["rank"] = table.groupby("method")["index"].rank(ascending=False, method="min").astype(int)
    return table[columns]


def _agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Kendall's τ_b between columns; nan where one does not tell rows apart, 1 on the diagonal."""
    import pandas as pd

    rounded = table.round(12)
    values = rounded.corr(method="kendall").to_numpy(copy=True)
    np.fill_diagonal(values, 1.0)
    return pd.DataFrame(values, table.columns, table.columns)


def _group_problems(by_group: pd.DataFrame, agreement: pd.DataFrame) -> list[str]:
    if agreement.empty:
        return []
    with_equal: Any = agreement[EQUAL]
    moved = [str(method) for method, tau in with_equal.items() if tau < _SAME_ORDER]
    if not moved:
        return []
    return [
        f"The order of the groups depends on the weights: it is not that of equal weights under {', '.join(moved)}. "
        "Compare the intervals before you rank."
    ]
