"""What a careful colleague would object to in a questionnaire: the rules behind `Questionnaire.lint` (chapter 6).

Each rule reads a `Design` and yields messages that say which thing, why it matters and what to do. `RULES` lists them
in the order in which they speak.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator

from crmlab.questionnaire_schema import Design, Language, Scale, Text, reach

_LANGUAGES: dict[Language, str] = {"en": "English", "zh": "Chinese"}


def findings(design: Design) -> list[str]:
    """All messages of all rules, in the order of `RULES` and, within a rule, of the file."""
    return [message for rule in RULES for message in rule(design)]


def double_barrelled(wording: str, language: Language) -> str | None:
    """The words that join two questions in one, or None.

    A conjunction counts unless it belongs to a set phrase (products and services), joins two ends of one scale (well or
    poorly), names the terms of a comparison (between price and quality), or is part of another word (及时, 参与).

    Examples
    --------
    >>> double_barrelled("The staff are quick and friendly", "en")
    'quick and friendly'
    >>> double_barrelled("Range of products and services", "en")
    >>> double_barrelled("店员热情和专业", "zh")
    '店员热情和专业'
    >>> double_barrelled("与其他商店相比，投诉处理及时", "zh")
    """
    single, joined = _WORDING[language]
    match = joined.search(single.sub("…", wording))
    return match.group().strip() if match else None


# --- The rules ------------------------------------------------------------------------------------------------------


def _no_items(design: Design) -> Iterator[str]:
    blocks = design.blocks()
    for construct, items in blocks.items():
        if not items:
            yield (
                f"Construct {construct} has no items: nothing measures it, and the model cannot be estimated. Give it "
                "two items or more, or remove it from constructs and paths."
            )
    for construct, facet in design.facets():
        if blocks[construct] and not facet.items:
            yield (
                f"Facet '{facet.label.in_language('en')}' of {construct} has no items: it is named but not asked "
                "about. Add an item, or remove the facet."
            )


def _single_item(design: Design) -> Iterator[str]:
    for construct, items in design.blocks().items():
        if len(items) == 1:
            yield (
                f"Construct {construct} has a single item ({items[0]}): its reliability cannot be estimated, and its "
                "measurement error passes into the paths. Add an item, or say so in the report."
            )


def _double_barrelled(design: Design) -> Iterator[str]:
    for entry in design.entries():
        wordings = {language: getattr(entry.item, language) or "" for language in _LANGUAGES}
        joined = {language: double_barrelled(words, language) for language, words in wordings.items()}
        quoted = ", ".join(f"{language}: '{words}'" for language, words in joined.items() if words)
        if quoted:
            yield (
                f"Item {entry.name} may ask two things ({quoted}): who agrees with one and not with the other cannot "
                "answer. Ask one thing, or make two items of it."
            )


def _unconnected(design: Design) -> Iterator[str]:
    causes, effects, index = design.causes(), design.effects(), design.index
    joined = {index, *reach(index, causes), *reach(index, effects)}
    for construct in design.constructs:
        if construct not in joined:
            alone = not causes[construct] and not effects[construct]
            where = "stands in no path" if alone else f"has no chain of paths to {index} or from it"
            yield (
                f"Construct {construct} {where}: it neither explains the index nor follows from it. Add the path that "
                "is meant, or remove the construct."
            )
    if not causes[index]:
        yield (
            f"No path leads to {index}: nothing explains the index, and its priority map would be empty. State under "
            f"paths what it follows from, as in {index}: [Quality]."
        )


def _circles(design: Design) -> Iterator[str]:
    for circle in circles(design.effects()):
        yield (
            f"The paths run in a circle, {' → '.join(circle)}: no construct comes first, and total effects have no "
            "end. Remove one of these paths."
        )


def _unequal_scales(design: Design) -> Iterator[str]:
    for construct in design.constructs:
        by_range: dict[str, list[str]] = defaultdict(list)
        for entry in design.entries():
            if entry.construct == construct:
                by_range[_range(entry.scale)].append(entry.name)
        if len(by_range) > 1:
            scales = "; ".join(f"{', '.join(items)}: {points}" for points, items in by_range.items())
            yield (
                f"Construct {construct} mixes scales ({scales}): means, alpha and unstandardised weights of its items "
                "cannot be compared. Use one scale within a construct, or say in the report why not."
            )


def _missing_translations(design: Design) -> Iterator[str]:
    texts = list(_texts(design))
    names = list(_LANGUAGES.values())
    for language, name, other_name in zip(_LANGUAGES, names, reversed(names), strict=True):
        lacking = [what for what, text in texts if getattr(text, language) is None]
        if len(lacking) == len(texts):
            yield (
                f"The questionnaire has no {name} text ({language}): the {other_name} text stands in. Add {language} "
                f"to each text, or use the questionnaire in {other_name} only."
            )
        elif lacking:
            yield (
                f"{name} text ({language}) is missing for {', '.join(lacking)}: who answers or reads in {name} sees "
                f"{other_name} there. Add {language}."
            )


def _same_words(design: Design) -> Iterator[str]:
    items: dict[str, Text] = {entry.name: entry.item for entry in design.entries()}
    labels = {name: construct.label for name, construct in design.constructs.items()}
    yield from _same(items, "Items", "the same question asked twice adds no information, yet makes alpha look better")
    yield from _same(labels, "Constructs", "a reader of the report cannot tell them apart")
    for name, construct in design.constructs.items():
        facets = {str(number): facet.label for number, facet in enumerate(construct.facets, 1)}
        yield from _same(facets, f"In {name}, facets", "a reader of the codebook cannot tell them apart")


def _same(texts: dict[str, Text], things: str, why: str) -> Iterator[str]:
    reported: list[list[str]] = []
    for language in _LANGUAGES:
        bearers: dict[str, list[str]] = defaultdict(list)
        for name, text in texts.items():
            bearers[re.sub(r"\W", "", getattr(text, language) or "").casefold()].append(name)
        for words, names in bearers.items():
            if words and len(names) > 1 and names not in reported:
                reported.append(names)
                who = f"{', '.join(names[:-1])} and {names[-1]}"
                quoted = f"{language}: '{getattr(texts[names[0]], language)}'"
                yield f"{things} {who} have the same words ({quoted}): {why}. Reword or remove one."


def _missing_code_is_answer(design: Design) -> Iterator[str]:
    for code in design.missing_codes():
        answers: dict[str, list[str]] = defaultdict(list)
        for entry in design.entries():
            labels = [words.casefold() for text in entry.scale.labels.values() for words in (text.en, text.zh) if words]
            if isinstance(code, str) and code.casefold() in labels:
                answers["is a label on the scale"].append(entry.name)
            elif not isinstance(code, str) and entry.scale.min <= code <= entry.scale.max:
                answers[f"lies inside the scale {_range(entry.scale)}"].append(entry.name)
        for how, items in answers.items():
            yield (
                f"Missing code {code} {how} of {', '.join(items)}: a real answer would be taken for no answer. Choose "
                "another code, such as 99 or -1."
            )


def _reversed_unlabelled(design: Design) -> Iterator[str]:
    for entry in design.entries():
        scale = entry.scale
        if entry.item.reverse and not {scale.min, scale.max} <= set(scale.labels):
            yield (
                f"Item {entry.name} is reversed, but its scale is not labelled at both ends: nobody can check that "
                f"{scale.max} means little of {entry.construct}. Add scale labels for {scale.min} and {scale.max}."
            )


def _complaints_without_direction(design: Design) -> Iterator[str]:
    for name, construct in design.constructs.items():
        words = f"{name} {construct.label.en} {construct.label.zh}"
        if design.complaints is None and re.search("complain|抱怨|投诉", words, re.IGNORECASE):
            yield (
                f"Construct {name} is about complaints, but the file does not say what a high answer means: the signs "
                f"of its paths cannot be judged. Add complaints: {{construct: {name}, higher: better_handling}}, or "
                "more_complaints."
            )


RULES: tuple[Callable[[Design], Iterator[str]], ...] = (
    _no_items,
    _single_item,
    _double_barrelled,
    _unconnected,
    _circles,
    _unequal_scales,
    _missing_translations,
    _same_words,
    _missing_code_is_answer,
    _reversed_unlabelled,
    _complaints_without_direction,
)


# --- What the rules stand on ----------------------------------------------------------------------------------------


def circles(steps: dict[str, list[str]]) -> list[list[str]]:
    """A shortest circle through each construct that lies on one, unless a circle listed before passes through it.

    Examples
    --------
    >>> circles({"a": ["b"], "b": ["c"], "c": ["b"]})
    [['b', 'c', 'b']]
    """
    found: list[list[str]] = []
    for start in steps:
        if not any(start in circle for circle in found) and start in reach(start, steps):
            found.append(_shortest_way(start, start, steps))
    return found


def _shortest_way(start: str, end: str, steps: dict[str, list[str]]) -> list[str]:
    ways = [[start]]
    for way in ways:
        for step in steps[way[-1]]:
            if step == end:
                return [*way, end]
            if all(step not in known for known in ways):
                ways.append([*way, step])
    raise AssertionError("called only where the end can be reached")


def _texts(design: Design) -> Iterator[tuple[str, Text]]:
    """Every text of the file with a name for it."""
    if design.title:
        yield "the title", design.title
    for column, label in design.groups.items():
        yield f"group {column}", label
    yield from _scale_texts(design.scale, "the scale")
    for name, construct in design.constructs.items():
        yield f"construct {name}", construct.label
        yield from _scale_texts(construct.scale, f"the scale of {name}")
        for facet in construct.facets:
            yield f"facet '{facet.label.in_language('en')}' of {name}", facet.label
            for item_name, item in facet.items.items():
                yield f"item {item_name}", item
                yield from _scale_texts(item.scale, f"the scale of {item_name}")


def _scale_texts(scale: Scale | None, whose: str) -> Iterator[tuple[str, Text]]:
    for point, label in (scale.labels if scale else {}).items():
        yield f"label {point} on {whose}", label


def _range(scale: Scale) -> str:
    return f"{scale.min}–{scale.max}"


# Ways in which a conjunction stands in a question that asks one thing, and the conjunction with the words about it.
_PEOPLE_EN = r"(?:friends?|famil(?:y|ies)|relatives?|colleagues?|acquaintances?)"
_PEOPLE_ZH = r"(?:朋友|亲友|亲戚|家人|同事|同学|熟人)"
_WORDING: dict[Language, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "en": (
        re.compile(
            r"\b(?:(?:products?|goods|services?) (?:and|or|&) (?:products?|goods|services?)"
            rf"|{_PEOPLE_EN} (?:and|or) {_PEOPLE_EN}"
            r"|terms and conditions|pros and cons|by and large|now and then|(?:again|more|over) and (?:again|more|over)"
            r"|black and white|health and safety|research and development|supply and demand|wear and tear"
            r"|more or less|once or twice|sooner or later|(?:\d+|one|two|three) or (?:\d+|two|three|four|more|several)"
            r"|well or (?:badly|poorly)|good or bad|better or worse|high or low|yes or no|agree or disagree|or not"
            r"|(\w+) or (?:un|dis|in|im|ir)\1|between (?:\w+ ){1,4}and \w+)\b",
            re.IGNORECASE,
        ),
        re.compile(r"[\w'’…-]+,? (?:and/or|and|or|&) [\w'’…-]+", re.IGNORECASE),
    ),
    "zh": (
        re.compile(
            r"(?:产品|商品|货品|服务)(?:和|与|及|以及|或)(?:产品|商品|货品|服务)"
            rf"|{_PEOPLE_ZH}(?:和|与|及|或|或者){_PEOPLE_ZH}"
            r"|(\w+)或(?:者)?不\1|(?:好|高|多|快)[与或](?:坏|低|少|慢)|[一二两三几\d][次个天年]?或[二两三四几多\d]"
            r"|[和与][^，。；？！]*?(?:相比|比较|相符|相称|相当|相同|相近|一致|一样|不同|接近|吻合|匹配|有关|相关|之间|差距|沟通|交流|打交道)"
            r"|[温柔亲随平缓饱总][和]|和[谐气睦平善蔼解]|参与|给与|赠与|与否|与众不同|与时俱进|与其"
            r"|及[时早格]|[涉普提顾波遍触]及|来[得不]及|或许|或多或少"
        ),
        re.compile(r"[\w…]{1,4}(?:以及|及|和|与|或者|或)[\w…]{1,4}"),
    ),
}
