"""Sensitivity of an index to its weights: each weight a fifth up or down, and all of them at once (chapter 8).

An index is linear in its weights, so nothing has to be estimated again: with m the item means on 0–100, index = w · m.
If index and order of the groups hardly move, the quarrel about weights may end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmlab.errors import InputError

from .levels import INDEX, Tree
from .points import grouped, reached, usable
from .told import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from crmlab.questionnaire import Questionnaire
    from crmlab.responses import Responses


@dataclass(frozen=True)
class Sensitivity:
    """How far an index and the order of groups depend on the weights.

    Attributes
    ----------
    questionnaire : Questionnaire
    index : float
        0–100, under the weights as they are.
    change : float
        Share by which each weight was moved, 0.2 for ± 20 %.
    swings : DataFrame: level, node, weight, index_low, index_high, swing, groups_moved
        The index with the node's weight lower and higher, the others shrunk or stretched to make up; swing is the
        larger of the two changes, in points; groups_moved counts groups that change rank in either case.
    noise : DataFrame, index statistic: mean, sd, lower, upper of the index under random weights
    ranks : DataFrame, index group, columns 1 … g
        Share of the random weights under which the group has this rank (1 is best).
    draws : int
    problems : list of str
    """

    questionnaire: Questionnaire
    index: float
    change: float
    swings: pd.DataFrame
    noise: pd.Series
    ranks: pd.DataFrame
    draws: int
    problems: list[str]

    def plot(self, level: int = 4, language: str = "en") -> Axes:
        """Draw the swings of one level (2 constructs, 3 facets, 4 items) as a tornado."""
        from crmlab.plots.weighting import tornado

        table = self.swings[self.swings["level"] == level].set_index("node")
        labels = {node: node_label(self.questionnaire, node, language) for node in table.index}
        return tornado(table, self.index, change=self.change, labels=labels, language=language)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            "change": self.change,
            "draws": self.draws,
            "largest_swing": self.swings.nlargest(3, "swing").set_index("node")["swing"].to_dict(),
            "noise": {name: float(value) for name, value in self.noise.items()},
            "ranks": {
                str(group): {str(rank): float(share) for rank, share in row.items()}
                for group, row in self.ranks.iterrows()
            },
            "problems": list(self.problems),
        }


def sensitivity(
    weights: pd.Series,
    questionnaire: Questionnaire,
    responses: Responses | pd.DataFrame,
    *,
    by: str | None = None,
    construct: str | None = None,
    change: float = 0.2,
    draws: int = 1000,
    seed: int = 0,
) -> Sensitivity:
    """Move each weight up and down, and all at random, and see what happens to the index and to the order of groups.

    Parameters
    ----------
    weights : Series
        By item.
    questionnaire : Questionnaire
    responses : Responses or DataFrame
    by : str, optional
        Column of groups to rank.
    construct : str, optional
        Only this construct's branch.
    change : float in (0, 1)
        Share by which a weight is moved, the others in proportion the other way.
    draws : int
        Random weights from a Dirichlet distribution around the given ones, so wide that an average weight has the
        coefficient of variation `change`.
    seed : int

    Returns
    -------
    Sensitivity

    Raises
    ------
    InputError
        A share or number of draws out of range, or what `compare` refuses.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab import Questionnaire, datasets
    >>> equal = pd.Series(1 / 3, ["CUSA1", "CUSA2", "CUSA3"])
    >>> found = sensitivity(equal, Questionnaire.shipped("ecsi"), datasets.load_mobi(), construct="Satisfaction")
    >>> round(found.index, 2), round(float(found.swings["swing"].max()), 2)
    (71.97, 0.57)
    """
    import pandas as pd

    if not 0 < change < 1:
        raise InputError(f"sensitivity: change is {change!r}; expected a share between 0 and 1, such as 0.2.")
    if draws < 1:
        raise InputError(f"sensitivity: draws is {draws!r}; expected 1 or more.")
    if seed < 0:
        raise InputError(f"sensitivity: seed is {seed!r}; expected 0 or more.")
    tree = Tree.of(questionnaire, construct)
    answers, member = usable(questionnaire, responses, tree.items, by)
    own = weights.reindex(tree.items).to_numpy(dtype=float)
    if not (own >= 0).all() or not own.sum() > 0:
        raise InputError("sensitivity: expected a weight of 0 or more for every item, not all 0.")
    own = own / own.sum()
    means = reached(questionnaire, answers, np.eye(len(own)), tree.items)
    every = means.mean(axis=0)
    of_groups = grouped(means, member)
    swings = _swings(tree, own, every, of_groups.to_numpy(), change)
    random = np.random.default_rng(seed).dirichlet(_concentration(own, change) * own[own > 0], size=draws)
    drawn = np.zeros((draws, len(own)))
    drawn[:, own > 0] = random
    return Sensitivity(
        questionnaire=questionnaire,
        index=float(own @ every),
        change=change,
        swings=swings,
        noise=_spread(drawn @ every),
        ranks=_rank_shares(drawn @ of_groups.to_numpy().T, list(of_groups.index)),
        draws=draws,
        problems=_problems(
            swings, pd.Series(of_groups.to_numpy() @ own, of_groups.index), drawn @ of_groups.to_numpy().T
        ),
    )


def _swings(tree: Tree, own: Array, means: Array, of_groups: Array, change: float) -> pd.DataFrame:
    import pandas as pd

    place = {item: position for position, item in enumerate(tree.items)}
    rows = []
    for node, level in tree.level.items():
        if level == 1:
            continue
        part = np.zeros(len(own), dtype=bool)
        part[[place[item] for item in tree.below(node)]] = True
        weight = own[part].sum()
        if weight in (0, 1) or weight > 1 - 1e-12:
            continue
        shaken = np.stack([_moved(own, part, weight, factor) for factor in (1 - change, min(1 + change, 1 / weight))])
        low, high = shaken @ means
        ranks = _ranks(shaken @ of_groups.T) != _ranks((own @ of_groups.T)[None])
        swing = max(abs(low - own @ means), abs(high - own @ means))
        rows.append((level, node, weight, low, high, swing, int(ranks.any(axis=0).sum())))
    columns = ["level", "node", "weight", "index_low", "index_high", "swing", "groups_moved"]
    return pd.DataFrame(rows, columns=columns).sort_values("level", kind="stable", ignore_index=True)


def _moved(own: Array, part: Array, weight: float, factor: float) -> Array:
    rest = (1 - weight * factor) / (1 - weight)
    moved: Array = np.where(part, own * factor, own * rest)
    return moved


def _concentration(own: Array, change: float) -> float:
    """κ of Dirichlet(κ w) that gives a weight of 1/p the coefficient of variation `change`: κ + 1 = (p − 1)/change²."""
    count = int((own > 0).sum())
    return max((count - 1) / change**2 - 1, 1.0)


def _ranks(indices: Array) -> Array:
    """Rank of each group (…, g), 1 is best; ties get the better rank."""
    from scipy.stats import rankdata

    ranks: Array = rankdata(-np.round(indices, 9), method="min", axis=-1).astype(int)
    return ranks


def _spread(indices: Array) -> pd.Series:
    import pandas as pd

    lower, upper = np.quantile(indices, [0.025, 0.975])
    sd = indices.std(ddof=1) if len(indices) > 1 else 0.0
    return pd.Series({"mean": indices.mean(), "sd": sd, "lower": lower, "upper": upper}, name="index")


def _rank_shares(indices: Array, groups: list[Any]) -> pd.DataFrame:
    import pandas as pd

    places = range(1, len(groups) + 1)
    ranks = _ranks(indices) if groups else np.empty((len(indices), 0), dtype=int)
    shares = [[float((ranks[:, column] == place).mean()) for place in places] for column in range(len(groups))]
    return pd.DataFrame(shares, index=pd.Index(groups, name="group"), columns=list(places))


def _problems(swings: pd.DataFrame, by_group: pd.Series, shaken: Array) -> list[str]:
    told = []
    if len(by_group) > 1:
        now = _ranks(by_group.to_numpy()[None])
        kept = float((_ranks(shaken) == now).all(axis=1).mean())
        if kept < 0.95:
            told.append(
                f"The order of the groups is the same in only {100 * kept:.0f} % of the random weightings: do not "
                "report ranks without saying which weights they rest on."
            )
    movers = [str(node) for node in swings.loc[swings["groups_moved"] > 0, "node"]]
    if movers:
        told.append(f"Moving a single weight changes the order of the groups: {', '.join(movers)}.")
    return told


def node_label(questionnaire: Questionnaire, node: str, language: str) -> str:
    """The words for a node of the tree; items keep their names."""
    if node == INDEX:
        return {"en": "Index", "zh": "指数"}[language]
    if " / " in node:
        construct, _, facet = node.partition(" / ")
        return f"{questionnaire.label(construct, language)} / {questionnaire.label(facet, language)}"
    return node if node in questionnaire.items.index else questionnaire.label(node, language)
