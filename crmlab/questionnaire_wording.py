"""Words that make a question hard or unfair to answer: what the rules of `questionnaire_lint` look for (chapter 6).

Each function takes one wording in one language and returns the words it objects to, or None. A pattern guesses: it
knows neither grammar nor the survey, so the rules say "may".

References
----------
Payne, S. L. (1951). The art of asking questions. Princeton University Press.
"""

from __future__ import annotations

import re

from crmlab.questionnaire_schema import Language


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
    single, joined = _JOINED[language]
    return _first(joined, single.sub("…", wording))


def leading(wording: str, language: Language) -> str | None:
    """The words that tell what to answer, or None.

    Examples
    --------
    >>> leading("Don't you think that our excellent staff is polite?", "en")
    "Don't you"
    >>> leading("The staff is excellent", "en")
    >>> leading("难道您不满意吗？", "zh")
    '难道'
    """
    return _first(_LEADING[language], wording)


def negated(wording: str, language: Language) -> str | None:
    """The negation that a reader can miss, or None; a choice (or not, 是不是) and a condition (若未) are none.

    Examples
    --------
    >>> negated("I do not like the shop", "en")
    'not'
    >>> negated("Whether or not I come back", "en")
    >>> negated("我不喜欢这家店", "zh")
    '不喜'
    """
    choice, negation = _NEGATED[language]
    return _first(negation, choice.sub("…", wording))


def absolute(wording: str, language: Language) -> str | None:
    """The word that admits no exception, or None.

    Examples
    --------
    >>> absolute("The staff are always polite", "en")
    'always'
    >>> absolute("All in all, I am satisfied", "en")
    >>> absolute("店员总是热情", "zh")
    '总是'
    """
    return _first(_ABSOLUTE[language], wording)


def too_long(wording: str, language: Language) -> str | None:
    """How long a wording is, if it is longer than readers keep in mind (25 words, 40 characters), else None.

    Examples
    --------
    >>> too_long("word " * 26, "en")
    '26 words'
    >>> too_long("这家店的商品质量好", "zh")
    """
    count = len(re.findall(r"[\w'’-]+" if language == "en" else r"\w", wording))
    unit = "words" if language == "en" else "characters"
    return f"{count} {unit}" if count > _LONGEST[language] else None


def _first(pattern: re.Pattern[str], wording: str) -> str | None:
    match = pattern.search(wording)
    return match.group().strip() if match else None


# Ways in which a conjunction stands in a question that asks one thing, and the conjunction with the words about it.
_PEOPLE_EN = r"(?:friends?|famil(?:y|ies)|relatives?|colleagues?|acquaintances?)"
_PEOPLE_ZH = r"(?:朋友|亲友|亲戚|家人|同事|同学|熟人)"
_JOINED: dict[Language, tuple[re.Pattern[str], re.Pattern[str]]] = {
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

_LEADING: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:don['’]t you|do you not|wouldn['’]t you|isn['’]t it|aren['’]t you|surely|obviously|of course"
        r"|as (?:everybody|everyone|we all) knows?|(?:our|the|this|its) (?:excellent|outstanding|superb|award-winning"
        r"|world-class) \w+)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"难道|[您你]不[觉认]得?|众所周知|显然|毋庸置疑|大家都[知认]|我们(?:优质|卓越|一流|周到)的"),
}
_NEGATED: dict[Language, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "en": (
        re.compile(
            r"\b(?:or not|if not|(?:do|would|is|are)n['’]t (?:you|it|they)|not only|not at all|no more than)\b",
            re.IGNORECASE,
        ),
        re.compile(r"\b(?:not|cannot|no|neither|hardly|\w+n['’]t)\b(?! idea)", re.IGNORECASE),
    ),
    "zh": (
        re.compile(r"(\w)不\1|[若如]未|如果没有?|不[仅但只管论断同少错满]|[要来]不[是及]|差不多|没关系|未来"),
        re.compile(r"不\w|没有?|无法|并非|未\w"),
    ),
}
_ABSOLUTE: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:always|never|every (?:time|single)|everything|everybody|everyone|nobody|nothing|none|entirely|absolutely"
        r"|each and every|without exception|all (?:of )?(?:the|my|its|your))\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"总是|从不|从来|永远|每次都|一切|所有|任何|绝对|完全|百分之百|都能|毫无"),
}
_LONGEST: dict[Language, int] = {"en": 25, "zh": 40}
