"""Which column answers which item: by its name, its code, its wording, or, where there is nothing else, its number.

Better grounds go first, and a column or item that is matched is out of the game. Similar wording counts only when it is
close, clearly closer than any other, and says no "not" that the other does not say. Two columns for one item, or one
wording for two items, is an error: a column must never answer a question by chance.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crmlab.errors import InputError
from crmlab.responses.cells import plain
from crmlab.responses.findings import listed, shortened
from crmlab.responses.formats.headers import Header, read_header, squeezed

SIMILAR = 0.85  # least likeness (difflib's ratio) of two wordings that are taken for the same
MARGIN = 0.08  # by which it must exceed the likeness to any other item
_AFFIX = 4  # least letters of a wording that may stand at the end of a longer header
_NEGATIONS = re.compile(
    r"不|没|未|无|非|否|\b(not|no|never|nor|neither|cannot|without|hardly|rarely)\b|n't\b|\bun\w+|\bdis\w+"
)


@dataclass
class Matches:
    """Columns and their items.

    Attributes
    ----------
    items : dict column place -> item.
    grounds, scores : dict column place -> how it was matched, and the likeness of the wording.
    nearest : dict item without a column -> its nearest header, in words.
    """

    items: dict[int, str] = field(default_factory=dict)
    grounds: dict[int, str] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)
    nearest: dict[str, str] = field(default_factory=dict)

    def add(self, place: int, item: str, ground: str, score: float = 1.0) -> None:
        self.items[place], self.grounds[place], self.scores[place] = item, ground, score

    def by(self, ground: str) -> list[int]:
        return [place for place, other in self.grounds.items() if other == ground]


def match(
    name: str, names: Sequence[Sequence[str]], wordings: pd.DataFrame, told: Mapping[str, str] | None = None
) -> Matches:
    """Match columns to items.

    Parameters
    ----------
    name : file name, for messages.
    names : for every column its headers, the texts of all header rows.
    wordings : DataFrame, index item: en, zh.
    told : item -> header, as the analyst says; goes before everything else.

    Raises
    ------
    InputError
        A told header is not there, two columns have the wording of one item, or one wording belongs to two items.

    Examples
    --------
    >>> wordings = pd.DataFrame({"en": ["Tea is good", "Tea is dear"], "zh": ["茶好", "茶贵"]}, index=["S1", "S2"])
    >>> match("tea.csv", [["1、茶贵"], ["2、茶好"], ["3、年龄"]], wordings).items
    {0: 'S2', 1: 'S1'}
    """
    headers = [[read_header(text) for text in texts if text] for texts in names]
    found = Matches()
    for item, header in (told or {}).items():
        found.add(told_place(name, names, item, header), item, "told")
    _match_names(found, names, [*wordings.index])
    _match_codes(found, headers, [*wordings.index])
    _match_wordings(found, name, names, headers, wordings)
    _match_similar(found, names, headers, wordings)
    _match_numbers(found, headers, [*wordings.index])
    _require_no_contradiction(found, name, names, headers, wordings)
    found.nearest = _nearest(found, names, headers, wordings)
    return found


def _open(found: Matches, items: Sequence[str], columns: Sequence[object]) -> tuple[list[str], list[int]]:
    """Items and columns that are still without a partner."""
    taken = {*found.items.values()}
    return [item for item in items if item not in taken], [p for p in range(len(columns)) if p not in found.items]


def told_place(name: str, names: Sequence[Sequence[str]], item: str, header: str) -> int:
    """Place of the column with the header that the analyst gives to an item, an id or a group."""
    places = [place for place, texts in enumerate(names) if header in texts]
    if len(places) == 1:
        return places[0]
    count = "no column" if not places else f"{len(places)} columns"
    headers = listed([shortened(" / ".join(texts)) for texts in names], 12)
    raise InputError(
        f"{name} has {count} with the header {header!r}, which columns gives to {item}. Name a header that stands in "
        f"the file once; its headers are {headers}."
    )


def _match_names(found: Matches, names: Sequence[Sequence[str]], items: list[str]) -> None:
    """Equal to the name of an item, letter by letter; two columns of one name both keep it and are refused later."""
    wanted, places = _open(found, items, names)
    for place in places:
        for text in names[place]:
            if text in wanted:
                found.add(place, text, "name")
                break


def _match_codes(found: Matches, headers: Sequence[Sequence[Header]], items: list[str]) -> None:
    """Equal to the name of an item but for case and punctuation, as EQ_1, eq1, EQ[EQ1] or `EQ1. Wording`."""
    wanted, places = _open(found, items, headers)
    codes = {squeezed(item): item for item in wanted}
    if len(codes) < len(wanted):
        return
    for place in places:
        for code in (code for header in headers[place] for code in header.codes):
            if squeezed(code) in codes:
                found.add(place, codes[squeezed(code)], "code")
                break


def _match_wordings(
    found: Matches,
    name: str,
    names: Sequence[Sequence[str]],
    headers: Sequence[Sequence[Header]],
    wordings: pd.DataFrame,
) -> None:
    """Equal to the wording of an item, or ending in it, as the row of a matrix ends a header."""
    for fits in (_equal, _ends_in):
        wanted, places = _open(found, [*wordings.index], headers)
        texts = _texts(wordings.loc[wanted])
        pairs = {place: fits(_wordings_of(headers[place]), texts) for place in places}
        for place, items in pairs.items():
            if len(items) > 1:
                raise InputError(
                    f"{name}: the header {shortened(' / '.join(names[place]))!r} has the wording of the items "
                    f"{listed(items, 5)} alike, so it cannot be told which of them it answers. Name the columns after "
                    "the items, say which is which with columns={item: header}, or word the items differently."
                )
        for place, items in pairs.items():
            rivals = [other for other, others in pairs.items() if others == items]
            if items and len(rivals) > 1:
                where = [str(other + 1) for other in rivals]
                raise InputError(
                    f"{name} has the wording of item {items[0]} in {len(rivals)} columns: {listed(where, 9)} "
                    f"({shortened(' / '.join(names[place]))}). Delete or rename all but one, or say which it is with "
                    "columns={item: header}."
                )
            if items:
                found.add(place, items[0], "wording")


def _texts(wordings: pd.DataFrame) -> dict[str, list[str]]:
    """Item -> its wordings, squeezed, without empty ones."""
    return {
        str(item): [text for text in dict.fromkeys(map(squeezed, row)) if text]
        for item, row in zip(wordings.index, wordings[["en", "zh"]].itertuples(index=False), strict=True)
    }


def _wordings_of(headers: Sequence[Header]) -> list[str]:
    return [*dict.fromkeys(wording for header in headers for wording in header.wordings)]


def _equal(wordings: list[str], texts: dict[str, list[str]]) -> list[str]:
    return next(
        (items for wording in wordings if (items := [item for item, own in texts.items() if wording in own])), []
    )


def _ends_in(wordings: list[str], texts: dict[str, list[str]]) -> list[str]:
    """The items whose wording ends a header; of wordings that end in each other, the longest."""
    ends = {
        item: max(
            (len(text) for text in own if len(text) >= _AFFIX and any(w.endswith(text) for w in wordings)), default=0
        )
        for item, own in texts.items()
    }
    longest = max(ends.values(), default=0)
    return [item for item, length in ends.items() if length == longest and length]


def _match_similar(
    found: Matches, names: Sequence[Sequence[str]], headers: Sequence[Sequence[Header]], wordings: pd.DataFrame
) -> None:
    """Nearly the wording of an item: each must be the other's best, by a margin, and no "not" may differ."""
    items, places = _open(found, [*wordings.index], headers)
    likeness = _likeness([_wordings_of(headers[place]) for place in places], _texts(wordings))
    everything = [*wordings.index]
    for row, place in enumerate(places):
        if not likeness.size:
            continue
        column = int(likeness[row].argmax())
        score, item = float(likeness[row, column]), everything[column]
        rest = max(np.delete(likeness[row], column).max(initial=0), np.delete(likeness[:, column], row).max(initial=0))
        affirms = _negations([max(names[place], key=len)]) & _negations(wordings.loc[item, ["en", "zh"]])
        if item in items and score >= SIMILAR and score - rest >= MARGIN and affirms:
            found.add(place, item, "similar wording", score)


def _negations(texts: Sequence[str]) -> set[int]:
    """How many words of denial each text has."""
    return {len(_NEGATIONS.findall(plain(text))) for text in texts if text}


def _likeness(columns: Sequence[Sequence[str]], texts: dict[str, list[str]]) -> np.ndarray:
    """columns × items: the likeness of the most alike wordings, 0 to 1."""
    likeness = np.zeros((len(columns), len(texts)))
    for place, own in enumerate(texts.values()):
        for text in own:
            matcher = difflib.SequenceMatcher(b=text, autojunk=False)
            for row, wordings in enumerate(columns):
                for wording in wordings:
                    matcher.set_seq1(wording)
                    if (
                        matcher.real_quick_ratio() > likeness[row, place]
                        and matcher.quick_ratio() > likeness[row, place]
                    ):
                        likeness[row, place] = max(likeness[row, place], matcher.ratio())
    return likeness


def _match_numbers(found: Matches, headers: Sequence[Sequence[Header]], items: list[str]) -> None:
    """Question numbers without a wording: those the items' names end in, else all items in order, none left over."""
    wanted, places = _open(found, items, headers)
    bare = {
        place: header.number
        for place in places
        for header in headers[place][:1]
        if header.number is not None and len(headers[place]) == 1 and not header.wordings
    }
    own = {int(ending[0]): item for item in wanted if (ending := re.findall(r"\d+$", item))}
    stems = {re.sub(r"\d+$", "", item) for item in items}
    if len(stems) == 1 and len(own) == len(wanted):
        pairs = [(place, own[number]) for place, number in bare.items() if number in own]
    elif len(bare) == len(items) == len(wanted) and [*bare.values()] == sorted({*bare.values()}):
        pairs = list(zip(bare, items, strict=True))
    else:
        pairs = []
    if len({item for _, item in pairs}) == len(pairs):
        for place, item in pairs:
            found.add(place, item, "number")


def _require_no_contradiction(
    found: Matches,
    name: str,
    names: Sequence[Sequence[str]],
    headers: Sequence[Sequence[Header]],
    wordings: pd.DataFrame,
) -> None:
    """A column whose code says one item and whose wording says another."""
    texts = _texts(wordings)
    for place in [*found.by("name"), *found.by("code")]:
        item, said = found.items[place], _equal(_wordings_of(headers[place]), texts)
        if said and item not in said:
            raise InputError(
                f"{name}: column {place + 1} has the code of item {item}, but the wording of {listed(said, 3)} "
                f"({shortened(' / '.join(names[place]))}). One of the two is wrong; correct the header, or say which "
                "it is with columns={item: header}."
            )


def _nearest(
    found: Matches, names: Sequence[Sequence[str]], headers: Sequence[Sequence[Header]], wordings: pd.DataFrame
) -> dict[str, str]:
    """For every item without a column, the free header that is most like its wording, if any is at all."""
    missing, places = _open(found, [*wordings.index], headers)
    if not missing or not places:
        return {}
    likeness = _likeness([_wordings_of(headers[place]) for place in places], _texts(wordings.loc[missing]))
    best = {item: (likeness[:, n].max(), places[likeness[:, n].argmax()]) for n, item in enumerate(missing)}
    return {
        item: f" (nearest: {shortened(' / '.join(text for text in names[place] if text))}, likeness {score:.2f})"
        for item, (score, place) in best.items()
        if score >= 0.5
    }
