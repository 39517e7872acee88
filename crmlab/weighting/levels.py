"""Weights on the four levels of a questionnaire 四级指标体系: local and global, one in sum at each level (chapter 8).

Level 1 is the index, level 2 its constructs, level 3 their facets, level 4 the items. A *global* weight is a node's
part of the whole index; a *local* weight is its part of its parent, so a global weight is the product of the local ones
on the way down. `roll_up` starts from weights of the items and adds them up; `roll_down` starts from local weights,
as judges give them, and multiplies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crmlab.errors import InputError

from .told import as_weights, problems

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.questionnaire import Questionnaire

#: The name of level 1 in tables and judgement files.
INDEX = "index"


@dataclass(frozen=True)
class Tree:
    """The indicator tree, or the branch of one construct.

    Attributes
    ----------
    children : dict of node to its children, from the top
        Nodes are `index`, constructs, facets as "Construct / Facet", items. A construct without facets has its items
        below it.
    level : dict of node to 1 … 4
    """

    children: dict[str, list[str]]
    level: dict[str, int]

    @classmethod
    def of(cls, questionnaire: Questionnaire, construct: str | None = None) -> Tree:
        """The tree of a questionnaire; with `construct`, only its branch, with the index above it.

        Raises
        ------
        InputError
            When there is no such construct.
        """
        constructs = list(questionnaire.constructs.index)
        if construct is not None and construct not in constructs:
            raise InputError(
                f"construct: found {construct!r}; expected one of {', '.join(constructs)}, or None for all of them."
            )
        chosen = [name for name in constructs if questionnaire.blocks[name] and construct in (None, name)]
        children: dict[str, list[str]] = {INDEX: chosen}
        level = {INDEX: 1} | dict.fromkeys(chosen, 2)
        items = questionnaire.items
        for item, name, facet in zip(items.index, items["construct"], items["facet"], strict=True):
            if name in chosen:
                node = f"{name} / {facet}"
                if node not in children.setdefault(name, []):
                    children[name].append(node)
                children.setdefault(node, []).append(str(item))
                level |= {node: 3, str(item): 4}
        return cls(children, level)

    @property
    def items(self) -> list[str]:
        return [node for node, level in self.level.items() if level == 4]

    @property
    def parent(self) -> dict[str, str]:
        return {child: node for node, children in self.children.items() for child in children}

    def below(self, node: str) -> list[str]:
        """The items below a node; an item stands for itself.

        Examples
        --------
        >>> from crmlab import Questionnaire
        >>> Tree.of(Questionnaire.shipped("ecsi")).below("Expectation")
        ['CUEX1', 'CUEX2', 'CUEX3']
        """
        if node not in self.children:
            return [node]
        return [item for child in self.children[node] for item in self.below(child)]


def roll_up(weights: pd.Series, questionnaire: Questionnaire, construct: str | None = None) -> pd.DataFrame:
    """The weights of all nodes, from those of the items.

    Parameters
    ----------
    weights : Series
        By item, 0 or more; those of the tree are made to sum to 1.
    questionnaire : Questionnaire
    construct : str, optional
        Only this construct's branch.

    Returns
    -------
    DataFrame: level (1–4), parent, node, local, global
        Global weights sum to 1 at each level, local ones within each parent. A node whose parent weighs nothing has
        the local weight nan.

    Raises
    ------
    InputError
        An item without a weight, or a negative one.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab import Questionnaire
    >>> design = Questionnaire.shipped("ecsi")
    >>> table = roll_up(pd.Series(1.0, design.items.index), design)
    >>> table[table["level"] == 2].set_index("node")["global"].round(3).head(3).to_dict()
    {'Image': 0.208, 'Expectation': 0.125, 'Quality': 0.292}
    """
    import pandas as pd

    tree = Tree.of(questionnaire, construct)
    if missing := [item for item in tree.items if not weights.get(item, float("nan")) >= 0]:
        found = weights.get(missing[0])
        raise InputError(f"weights: item {missing[0]} has the weight {found}; expected a number, 0 or more.")
    own = weights.loc[tree.items] / weights.loc[tree.items].sum()
    whole = {node: float(own[tree.below(node)].sum()) for node in tree.level}
    rows = [
        (tree.level[node], parent, node, whole[node] / whole[parent] if whole[parent] else float("nan"), whole[node])
        for node, parent in ({INDEX: INDEX} | tree.parent).items()
    ]
    table = pd.DataFrame(rows, columns=["level", "parent", "node", "local", "global"])
    table.loc[table["node"] == INDEX, "parent"] = ""
    return table.sort_values("level", kind="stable", ignore_index=True)


def roll_down(
    local: Mapping[str, pd.Series], questionnaire: Questionnaire, construct: str | None = None, method: str = "judged"
) -> pd.Series:
    """The weights of the items, from local weights of as many nodes as were judged.

    Parameters
    ----------
    local : mapping of node to Series
        The weights of everything directly below a node: of the constructs below `index`, of the facets below a
        construct, or of the items below a construct or facet. What nobody weighed is weighed equally, by item.
    questionnaire : Questionnaire
    construct : str, optional
        Only this construct's branch.
    method : str
        The Series' name.

    Returns
    -------
    Series
        By item, sum 1; `attrs["problems"]` names the nodes that were weighed equally.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab import Questionnaire
    >>> judged = {"Satisfaction": pd.Series({"CUSA1": 0.5, "CUSA2": 0.25, "CUSA3": 0.25})}
    >>> roll_down(judged, Questionnaire.shipped("ecsi"), "Satisfaction").to_dict()
    {'CUSA1': 0.5, 'CUSA2': 0.25, 'CUSA3': 0.25}
    """
    tree = Tree.of(questionnaire, construct)
    known = dict(local)
    if construct is not None:
        known.pop(INDEX, None)
    unjudged: list[str] = []

    def share(node: str, whole: float) -> dict[str, float]:
        if node not in tree.children:
            return {node: whole}
        parts, equal = _parts(tree, node, known)
        # What is below an unjudged construct is equal as well, and need not be said again of its facets.
        if equal and len(parts) > 1 and (tree.level[node] < 3 or tree.parent[node] in known):
            unjudged.append(node)
        return {item: w for part, weight in parts.items() for item, w in share(part, whole * weight).items()}

    found = share(INDEX, 1.0)
    told = [problem for weights in known.values() for problem in problems(weights)]
    if unjudged:
        told.append(f"{method}: nobody weighed what is below {', '.join(unjudged)}; it is weighed equally.")
    return as_weights([found[item] for item in tree.items], tree.items, method, told)


def _parts(tree: Tree, node: str, local: Mapping[str, pd.Series]) -> tuple[dict[str, float], bool]:
    """What a node is divided into, with weights, and whether these are equal for want of a judgement."""
    children = tree.children[node]
    if node not in local:
        if tree.level[node] == 2:  # equal items, whatever the facets they stand in
            total = len(tree.below(node))
            return {child: len(tree.below(child)) / total for child in children}, True
        return dict.fromkeys(children, 1 / len(children)), True
    weights = local[node]
    for allowed in (children, tree.below(node)):
        if set(weights.index) == set(allowed):
            return {str(name): float(weight) for name, weight in weights.items()}, False
    odd = sorted(set(map(str, weights.index)) ^ set(children))
    raise InputError(
        f"weights below {node}: found {', '.join(map(str, weights.index))}; expected {', '.join(children)}, or the "
        f"items {', '.join(tree.below(node))} (differs in {odd[0]})."
    )
