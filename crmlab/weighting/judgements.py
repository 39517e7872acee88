"""What judges wrote down: a YAML file or a workbook with the judgements of several judges (chapter 8).

A judgement says who judged (`judge`), what was divided (`of`: `index` for the constructs, a construct for its facets or
items, "Construct / Facet" for the items of a facet), how (`method`), and the values. In YAML::

    crmlab_judgements: 1
    judgements:
      - judge: Li
        of: Satisfaction
        method: pairwise                # how many times as important the first is as the second
        values: {SA1 vs SA2: 3, SA1 vs SA3: 2, SA2 vs SA3: 1/2}
      - judge: Wang
        of: Satisfaction
        method: rating                  # points, 0 or more
        values: {SA1: 50, SA2: 20, SA3: 30}

Further methods are `comparison` (values in ranked order, each the ratio to the next, the last empty), `choice 0-1` and
`choice 0-4` (the points that the first of a pair gets). In a workbook the sheet `judgements` has a row for each value,
with the columns judge, of, method, first, second, value; `write_judgement_workbook` makes one to fill in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crmlab.errors import InputError
from crmlab.questionnaire_schema import did_you_mean

from .choices import forced_choice
from .direct import direct_comparison, direct_rating
from .levels import INDEX, Tree
from .pairwise import ahp, ratio
from .told import problems

if TYPE_CHECKING:
    import pandas as pd

    from crmlab.questionnaire import Questionnaire

#: How a judge can say what matters, and the name of the weights that follow.
METHODS = {
    "rating": "direct rating",
    "comparison": "direct comparison",
    "pairwise": "AHP",
    "choice 0-1": "forced choice 0–1",
    "choice 0-4": "forced choice 0–4",
}
COLUMNS = ["judge", "of", "method", "first", "second", "value"]
_AGAINST = " vs "
_SHOWN = 10


class _Entry(NamedTuple):
    """One value with the place it stands at, as found."""

    where: str
    judge: str
    of: str
    method: str
    first: str
    second: str
    value: Any


@dataclass(frozen=True)
class Judgements:
    """The judgements of one file.

    Attributes
    ----------
    table : DataFrame: judge, of, method, first, second, value
        One row a value, names resolved against the questionnaire.
    source : str
        Name of the file.
    sha256 : str or None
    """

    table: pd.DataFrame
    source: str
    sha256: str | None = None

    @property
    def judges(self) -> list[str]:
        return list(dict.fromkeys(self.table["judge"]))

    @property
    def methods(self) -> list[str]:
        """The methods used, in the order of `METHODS`."""
        return [method for method in METHODS if (self.table["method"] == method).any()]

    def local(self, method: str) -> dict[str, pd.Series]:
        """Local weights by node, from one method and all the judges who used it there.

        Raises
        ------
        InputError
            What the judges said cannot be made into weights; the message names the node.
        """
        rows = self.table[self.table["method"] == method]
        found = {}
        for node, part in rows.groupby("of", sort=False):
            by_judge = {str(judge): own for judge, own in part.groupby("judge", sort=False)}
            try:
                weights = _WEIGHTS[method](by_judge)
            except InputError as error:
                raise InputError(f"{self.source}, below {node}: {error}") from None
            weights.attrs["problems"] = [f"Below {node}: {problem}" for problem in problems(weights)]
            found[str(node)] = weights
        return found

    def quality(self) -> pd.DataFrame:
        """How far each judge can be trusted, and all of them together.

        Returns
        -------
        DataFrame: of, method, judge, consistency_ratio, circular_triads, agreement
            `agreement` is Kendall's W, for forced choices the coefficient of agreement u; the same for all judges of a
            node and method, nan for a single one.
        """
        import pandas as pd

        rows = []
        for method in self.methods:
            for node, weights in self.local(method).items():
                for judge in weights.attrs["judges"]:
                    own = weights.attrs.get("quality", {}).get(judge, {})
                    rows.append(
                        {
                            "of": node,
                            "method": method,
                            "judge": judge,
                            "consistency_ratio": own.get("consistency_ratio", float("nan")),
                            "circular_triads": own.get("circular_triads", float("nan")),
                            "agreement": weights.attrs["agreement"],
                        }
                    )
        columns = ["of", "method", "judge", "consistency_ratio", "circular_triads", "agreement"]
        return pd.DataFrame(rows, columns=columns)


def read_judgements(path: str | Path, questionnaire: Questionnaire) -> Judgements:
    """Read the judgements of several judges from a YAML file or a workbook.

    Parameters
    ----------
    path
        A .yaml, .yml or .xlsx file in the format above.
    questionnaire
        The design that the names belong to.

    Returns
    -------
    Judgements

    Raises
    ------
    InputError
        No such file, not readable, or any number of faults, each with its place, judge, pair, value and remedy.

    Examples
    --------
    >>> import tempfile
    >>> from crmlab import Questionnaire
    >>> file = Path(tempfile.mkdtemp()) / "judges.yaml"
    >>> _ = file.write_text('''
    ... crmlab_judgements: 1
    ... judgements:
    ...   - {judge: Li, of: Satisfaction, method: rating, values: {SA1: 50, SA2: 20, SA3: 30}}
    ... ''')
    >>> read_judgements(file, Questionnaire.shipped("course_csi")).local("rating")["Satisfaction"].to_dict()
    {'SA1': 0.5, 'SA2': 0.2, 'SA3': 0.3}
    """
    import pandas as pd

    file = Path(path)
    readers = {".yaml": _yaml_entries, ".yml": _yaml_entries, ".xlsx": _workbook_entries}
    if file.suffix.lower() not in readers:
        raise InputError(f"judgements: {path} is no .yaml or .xlsx file; expected one of these. Save it as such.")
    if not file.is_file():
        raise InputError(f"judgements: {path} does not exist; expected a YAML file or a workbook. Correct the path.")
    entries = readers[file.suffix.lower()](file)
    tree = Tree.of(questionnaire)
    checked, faults = [], []
    for entry in entries:
        try:
            checked.append(_checked(entry, tree))
        except InputError as error:
            faults.append(f"{entry.where}: {error}")
    if not faults:
        faults = list(_incomplete(checked, tree))
    if faults:
        raise InputError(_listed(file.name, list(dict.fromkeys(faults))))
    if not checked:
        raise InputError(f"{file.name}: found no judgement; expected at least one. Fill in the values.")
    table = pd.DataFrame([entry[1:] for entry in checked], columns=COLUMNS)
    return Judgements(table, file.name, hashlib.sha256(file.read_bytes()).hexdigest())


# --- The two kinds of file -------------------------------------------------------------------------------------------


def _yaml_entries(file: Path) -> list[_Entry]:
    import yaml

    try:
        root = yaml.compose(file.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise InputError(f"{file.name}: this is not text in UTF-8. Save the file as UTF-8 in your editor.") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(
            f"{file.name}, line {line}: this is not readable YAML ({error.problem}). Check quotes, colons and the "
            "indentation of this line and the one above."
        ) from None
    top = _mapping(root, file.name, "the file")
    known = ("crmlab_judgements", "judgements")
    for key, node in top.items():
        if key not in known:
            line = node.start_mark.line + 1
            hint = did_you_mean(key, list(known))
            raise InputError(
                f"{file.name}, line {line}: found the unknown key {key!r}; {hint}expected {' and '.join(known)}."
            )
    if _scalar(top.get("crmlab_judgements")) != 1 or not isinstance(top.get("judgements"), yaml.SequenceNode):
        raise InputError(
            f"{file.name}: this is no judgement file; expected 'crmlab_judgements: 1' and a list 'judgements'."
        )
    return [entry for node in top["judgements"].value for entry in _yaml_judgement(node, file.name)]


def _yaml_judgement(node: Any, source: str) -> Iterator[_Entry]:
    """The values of one judgement, each with its line."""
    keys = ("judge", "of", "method", "values")
    line = f"line {node.start_mark.line + 1}"
    parts = _mapping(node, source, "a judgement")
    for key in [*keys, *parts]:
        if key not in parts:
            raise InputError(
                f"{source}, {line}: the key {key!r} is missing; a judgement has {', '.join(keys)}. Add it."
            )
        if key not in keys:
            hint = did_you_mean(key, list(keys))
            raise InputError(f"{source}, {line}: found the unknown key {key!r}; {hint}expected {', '.join(keys)}.")
    judge, of, method = (str(_scalar(parts[key])) for key in keys[:3])
    for name, value in _mapping(parts["values"], source, "values").items():
        first, _, second = name.partition(_AGAINST)
        where = f"line {value.start_mark.line + 1}"
        yield _Entry(where, judge, of, method, first.strip(), second.strip(), _scalar(value))


def _mapping(node: Any, source: str, what: str) -> dict[str, Any]:
    """The keys of a YAML mapping, each once, with the nodes of their values."""
    import yaml

    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1 if node is not None else 1
        raise InputError(f"{source}, line {line}: expected keys with values ('key: value') for {what}.")
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = str(key.value)
        if name in found:
            line = key.start_mark.line + 1
            raise InputError(
                f"{source}, line {line}: found {name!r} a second time; expected it once. Delete one of the two."
            )
        found[name] = value
    return found


def _scalar(node: Any) -> Any:
    import yaml

    return yaml.SafeLoader("").construct_object(node) if isinstance(node, yaml.ScalarNode) else None


def _workbook_entries(file: Path) -> list[_Entry]:
    import pandas as pd

    try:
        sheets = pd.read_excel(file, sheet_name=None, dtype=object)
    except (ValueError, OSError, KeyError) as error:
        raise InputError(f"{file.name}: this workbook cannot be read ({error}). Save it anew as .xlsx.") from None
    if "judgements" not in sheets:
        raise InputError(
            f"{file.name}: found the sheets {', '.join(sheets)}; expected one called judgements. Rename it."
        )
    table = sheets["judgements"].rename(columns=lambda name: str(name).strip())
    if missing := [column for column in COLUMNS if column not in table.columns]:
        raise InputError(
            f"{file.name}, sheet judgements: the column {missing[0]!r} is missing; expected {', '.join(COLUMNS)}."
        )
    rows = table[COLUMNS].astype(object).where(table[COLUMNS].notna(), None)
    entries = []
    for number, row in enumerate(rows.itertuples(index=False, name=None), start=2):
        judge, of, method, first, second = (str(cell or "").strip() for cell in row[:5])
        if any(cell is not None for cell in row):
            entries.append(_Entry(f"row {number}", judge, of, method, first, second, row[5]))
    # A blank sheet names its pairs; a row without a value is a pair that was not judged.
    return [entry for entry in entries if entry.value is not None or entry.method == "comparison"]


# --- Checks ----------------------------------------------------------------------------------------------------------


def _checked(entry: _Entry, tree: Tree) -> _Entry:
    """The entry with its names resolved and its value as a number, or InputError."""
    if not entry.judge:
        raise InputError("found no judge; expected a name. Say who judged.")
    who = f"judge {entry.judge}"
    if entry.method not in METHODS:
        hint = did_you_mean(entry.method, list(METHODS))
        raise InputError(f"{who}: found the method {entry.method!r}; {hint}expected one of {', '.join(METHODS)}.")
    if entry.of not in tree.children:
        hint = did_you_mean(entry.of, list(tree.children))
        raise InputError(
            f"{who}: found {entry.of!r} under 'of'; {hint}expected {INDEX}, a construct, or a facet as "
            "'Construct / Facet'."
        )
    paired = entry.method not in ("rating", "comparison")
    first = _resolved(entry.first, entry.of, tree, who)
    second = _resolved(entry.second, entry.of, tree, who) if paired else ""
    about = f"{who}, {entry.method}, {entry.first}{_AGAINST + entry.second if paired else ''}"
    if first == second:
        raise InputError(f"{about}: an item is compared with itself; expected two different ones. Delete the pair.")
    return entry._replace(first=first, second=second, value=_value(entry, about))


def _resolved(name: str, of: str, tree: Tree, who: str) -> str:
    """The node below `of` that a name stands for; a facet may be called by its label alone."""
    allowed = [*tree.children[of], *tree.below(of)]
    for node in (name, f"{of} / {name}"):
        if node in allowed:
            return node
    hint = did_you_mean(name, allowed)
    missing = "found no second name" if not name else f"found {name!r}"
    raise InputError(f"{who}: {missing}; {hint}expected what is below {of}: {', '.join(dict.fromkeys(allowed))}.")


def _value(entry: _Entry, about: str) -> float:
    wanted, accepted = _VALUES[entry.method]
    if hasattr(entry.value, "year"):
        raise InputError(
            f"{about}: the spreadsheet has made a date of this cell ({entry.value:%Y-%m-%d}), probably of a fraction; "
            f"expected {wanted}. Type =1/3, or 0.333."
        )
    try:
        number = float("nan") if entry.value is None else float(entry.value)
    except (TypeError, ValueError):
        try:
            number = ratio(entry.value)
        except (TypeError, ValueError):
            number = -1.0
    if isinstance(entry.value, bool) or not accepted(number):
        found = "nothing" if entry.value is None else repr(entry.value)
        raise InputError(f"{about}: found {found}; expected {wanted}. Correct the value.")
    return number


#: By method: what a value should be, and whether a number is one. Nan stands for an empty cell.
_VALUES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "rating": ("points, 0 or more", lambda value: 0 <= value < np.inf),
    "comparison": (
        "how many times as important as the next, 1 or more",
        lambda value: not value < 1 and value != np.inf,
    ),
    "pairwise": ("a number from 1/9 to 9, or a fraction such as 1/3", lambda value: 1 / 9.1 <= value <= 9),
    "choice 0-1": ("0 or 1, the points of the first (0.5 for a tie)", lambda value: value in (0, 0.5, 1)),
    "choice 0-4": ("0, 1, 2, 3 or 4, the points of the first", lambda value: value in (0, 1, 2, 3, 4)),
}


def _incomplete(entries: list[_Entry], tree: Tree) -> Iterator[str]:
    """What is missing from, or stands twice in, the judgement of one judge about one node by one method."""
    groups: dict[tuple[str, str, str], list[_Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.judge, entry.of, entry.method), []).append(entry)
    for (judge, of, method), own in groups.items():
        about = f"judge {judge}, {method}, below {of}"
        yield from _twice(own, about)
        yield from _absent(own, tree, f"{own[0].where}: {about}")
        if method == "comparison":
            empty = [entry for entry in own[:-1] if np.isnan(entry.value)]
            yield from (f"{e.where}: {about}: {e.first} has no ratio to the next. Fill it in." for e in empty)


def _twice(own: list[_Entry], about: str) -> Iterator[str]:
    seen: dict[frozenset[str], str] = {}
    for entry in own:
        pair = frozenset((entry.first, entry.second))
        if pair in seen:
            name = _AGAINST.join(filter(None, (entry.first, entry.second)))
            first = seen[pair]
            yield f"{entry.where}: {about}: {name} stands here a second time (first: {first}). Delete one of the two."
        seen.setdefault(pair, entry.where)


def _absent(own: list[_Entry], tree: Tree, about: str) -> Iterator[str]:
    of, method = own[0].of, own[0].method
    named = {name for entry in own for name in (entry.first, entry.second) if name}
    whole = next((nodes for nodes in (tree.children[of], tree.below(of)) if named <= set(nodes)), [])
    if not whole:
        yield f"{about}: facets and items are mixed; expected one kind. Divide the judgement in two."
    elif absent := [node for node in whole if node not in named]:
        yield f"{about}: {', '.join(absent)} is missing; expected all of {', '.join(whole)}. Add it."
    elif method.startswith("choice"):
        judged = {frozenset((entry.first, entry.second)) for entry in own}
        pairs = [pair for pair in combinations(whole, 2) if frozenset(pair) not in judged]
        yield from (
            f"{about}: {first}{_AGAINST}{second} is missing. Ask the judge to choose." for first, second in pairs
        )


def _listed(source: str, faults: list[str]) -> str:
    if len(faults) == 1:
        return f"{source}, {faults[0]}"
    more = [f"… and {len(faults) - _SHOWN} more."] if len(faults) > _SHOWN else []
    return "\n  ".join([f"{source} has {len(faults)} errors:", *faults[:_SHOWN], *more])


# --- From judgements to local weights --------------------------------------------------------------------------------


def _of_ratings(judges: Mapping[str, pd.DataFrame]) -> pd.Series:
    import pandas as pd

    return direct_rating(pd.DataFrame({judge: own.set_index("first")["value"] for judge, own in judges.items()}).T)


def _of_comparisons(judges: Mapping[str, pd.DataFrame]) -> pd.Series:
    chains = {judge: dict(zip(own["first"], own["value"], strict=True)) for judge, own in judges.items()}
    return direct_comparison({judge: chain | {list(chain)[-1]: None} for judge, chain in chains.items()})


def _of_pairs(judges: Mapping[str, pd.DataFrame]) -> pd.Series:
    result = ahp({judge: _matrix(own) for judge, own in judges.items()})
    weights = result.weights
    items = list(weights.index)
    weights.attrs |= {
        "judges": result.judges[items].to_dict("index") or dict.fromkeys(judges),
        "quality": result.judges[["consistency_ratio"]].to_dict("index"),
        "agreement": result.agreement,
    }
    return weights


def _of_choices(points: int) -> Callable[[Mapping[str, pd.DataFrame]], pd.Series]:
    def weights_of(judges: Mapping[str, pd.DataFrame]) -> pd.Series:
        # One point for everybody in 0–1 scoring, so that the least important item does not vanish (修正得分).
        result = forced_choice(
            {judge: _matrix(own) for judge, own in judges.items()}, points=points, add=1.0 if points == 1 else 0.0
        )
        weights = result.weights
        weights.attrs |= {
            "judges": result.scores.to_dict("index"),
            "quality": result.judges.to_dict("index"),
            "agreement": result.agreement,
        }
        return weights

    return weights_of


def _matrix(own: pd.DataFrame) -> pd.DataFrame:
    """A judge's pairs as a square table, nan where the file says nothing."""
    import pandas as pd

    items = list(dict.fromkeys([*own["first"], *own["second"]]))
    table = pd.DataFrame(float("nan"), index=items, columns=items)
    for first, second, value in zip(own["first"], own["second"], own["value"], strict=True):
        table.loc[first, second] = value
    return table


_WEIGHTS: dict[str, Callable[[Mapping[str, pd.DataFrame]], pd.Series]] = {
    "rating": _of_ratings,
    "comparison": _of_comparisons,
    "pairwise": _of_pairs,
    "choice 0-1": _of_choices(1),
    "choice 0-4": _of_choices(4),
}
