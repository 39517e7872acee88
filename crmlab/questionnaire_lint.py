"""What a careful colleague would object to in a questionnaire: the rules behind `Questionnaire.lint` (chapter 6).

Each rule reads a `Design` and yields messages that say which thing, why it matters and what to do. `RULES` lists them
in the order in which they speak, each with its reference. Rules about wording look for words: they guess, and say so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from crmlab.questionnaire_schema import Design, Language, Scale, Text, reach
from crmlab.questionnaire_wording import absolute, double_barrelled, leading, negated, too_long

if TYPE_CHECKING:
    import pandas as pd

_LANGUAGES: dict[Language, str] = {"en": "English", "zh": "Chinese"}


def findings(design: Design) -> list[str]:
    """All messages of all rules, in the order of `RULES` and, within a rule, of the file."""
    return [message for rule in RULES for message in rule.objections(design)]


def finding_table(design: Design) -> pd.DataFrame:
    """The same messages, one a row: rule, finding, reference."""
    import pandas as pd

    rows = [(rule.name, message, rule.reference) for rule in RULES for message in rule.objections(design)]
    return pd.DataFrame(rows, columns=["rule", "finding", "reference"])


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


def _worded(find: Callable[[str, Language], str | None], objection: str) -> Callable[[Design], Iterator[str]]:
    """A rule about the wording of single items; `objection` has places for the item and the words found."""

    def rule(design: Design) -> Iterator[str]:
        for entry in design.entries():
            wordings = {language: getattr(entry.item, language) or "" for language in _LANGUAGES}
            found = {language: find(words, language) for language, words in wordings.items()}
            quoted = ", ".join(f"{language}: '{words}'" for language, words in found.items() if words)
            if quoted:
                yield objection.format(item=entry.name, quoted=quoted)

    return rule


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


def _agreement_in_one_direction(design: Design) -> Iterator[str]:
    entries = design.entries()
    words = [words for e in entries for text in e.scale.labels.values() for words in (text.en, text.zh) if words]
    agreement = any(re.search("agree|同意|赞同", label, re.IGNORECASE) for label in words)
    if agreement and len(entries) > 1 and not any(entry.item.reverse for entry in entries):
        yield (
            "No item is reversed although people are asked whether they agree: who says yes to everything "
            "(acquiescence) looks satisfied, and careless answers cannot be told from careful ones. Turn an item or "
            "two round in words of their own (slow instead of not quick) with reverse: true, or label the scale by "
            "what is asked (very poor … very good)."
        )


def _no_way_out(design: Design) -> Iterator[str]:
    if not design.missing_codes():
        yield (
            "The file does not say what becomes of somebody who cannot answer (neither missing nor dont_know): a guess "
            "is then counted as an opinion. Add dont_know: {en: Don't know, zh: 不清楚} to offer a box, or the code "
            "that stands for no answer, as in missing: [99]."
        )


class Rule(NamedTuple):
    """A rule: its name, what it objects to in a design, and who has written about it."""

    name: str
    objections: Callable[[Design], Iterator[str]]
    reference: str


_PAYNE = "Payne, S. L. (1951). The art of asking questions. Princeton University Press."
_KROSNICK = (
    "Krosnick, J. A., & Presser, S. (2010). Question and questionnaire design. In Handbook of survey research (2nd "
    "ed., pp. 263–313). Emerald."
)
_BOLLEN = "Bollen, K. A. (1989). Structural equations with latent variables. Wiley."
_FORNELL = "Fornell, C., et al. (1996). The American Customer Satisfaction Index. Journal of Marketing 60(4), 7–18."
_DILLMAN = (
    "Dillman, D. A., Smyth, J. D., & Christian, L. M. (2014). Internet, phone, mail, and mixed-mode surveys (4th ed.). "
    "Wiley."
)
_DIAMANTOPOULOS = (
    "Diamantopoulos, A., et al. (2012). Guidelines for choosing between multi-item and single-item scales. Journal of "
    "the Academy of Marketing Science 40, 434–449."
)
_SWAIN = (
    "Swain, S. D., Weathers, D., & Niedrich, R. W. (2008). Assessing three sources of misresponse to reversed Likert "
    "items. Journal of Marketing Research 45(1), 116–131."
)
_SARIS = (
    "Saris, W. E., Revilla, M., Krosnick, J. A., & Shaeffer, E. M. (2010). Comparing questions with agree/disagree "
    "response options to questions with item-specific response options. Survey Research Methods 4(1), 61–79."
)
_BOYLE = (
    "Boyle, G. J. (1991). Does item homogeneity indicate internal consistency or item redundancy? Personality and "
    "Individual Differences 12, 291–294."
)
_BRISLIN = (
    "Brislin, R. W. (1970). Back-translation for cross-cultural research. J. Cross-Cultural Psychology 1, 185–216."
)

RULES: tuple[Rule, ...] = (
    Rule("nothing measured", _no_items, _BOLLEN),
    Rule("single item", _single_item, _DIAMANTOPOULOS),
    Rule(
        "double-barrelled",
        _worded(
            double_barrelled,
            "Item {item} may ask two things ({quoted}): who agrees with one and not with the other cannot answer. Ask "
            "one thing, or make two items of it.",
        ),
        _PAYNE,
    ),
    Rule(
        "leading",
        _worded(
            leading,
            "Item {item} may lead to an answer ({quoted}): people agree with what sounds expected, and the index rises "
            "by wording alone. Ask it plainly.",
        ),
        _PAYNE,
    ),
    Rule(
        "negation",
        _worded(
            negated,
            "Item {item} may be negated ({quoted}): to deny a denial is hard, and who overlooks the word answers the "
            "opposite. Say what is, with reverse: true if a high answer is bad.",
        ),
        _SWAIN,
    ),
    Rule(
        "absolute word",
        _worded(
            absolute,
            "Item {item} may admit no exception ({quoted}): one bad day makes an honest satisfied customer disagree. "
            "Leave the word out, or ask how often.",
        ),
        _PAYNE,
    ),
    Rule(
        "too long",
        _worded(
            too_long,
            "Item {item} is long ({quoted}): readers skim, and who skims does not answer what was asked. Cut it to one "
            "short sentence (at most 25 words, 40 characters in Chinese).",
        ),
        _PAYNE,
    ),
    Rule("outside the model", _unconnected, _FORNELL),
    Rule("circle", _circles, _BOLLEN),
    Rule("mixed scales", _unequal_scales, _DILLMAN),
    Rule("missing translation", _missing_translations, _BRISLIN),
    Rule("same words", _same_words, _BOYLE),
    Rule("code that is an answer", _missing_code_is_answer, _DILLMAN),
    Rule("reversed without labels", _reversed_unlabelled, _KROSNICK),
    Rule("agreement in one direction", _agreement_in_one_direction, _SARIS),
    Rule("no way out", _no_way_out, _KROSNICK),
    Rule("complaints without direction", _complaints_without_direction, _FORNELL),
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
    for what, text in design.about().items():
        yield f"the {what}", text
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
