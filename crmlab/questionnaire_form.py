"""The form that goes to respondents: a questionnaire as one self-contained page to print or to open (chapter 6).

Neighbouring items with the same scale share a table. Nothing on the page says what is measured: neither construct nor
facet nor column name is printed, for a heading such as "loyalty" tells people what to answer (Tourangeau, Rips &
Rasinski 2000, chapter 7). The tables are real ones, with a header for each row and column, so that the page can be read
out; circles are radio buttons.

References
----------
Tourangeau, R., Rips, L. J., & Rasinski, K. (2000). The psychology of survey response. Cambridge University Press.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from crmlab.questionnaire_schema import Design, Entry, Language, Scale

_TEMPLATE = Path(__file__).with_name("questionnaire_form.html.j2")

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "lang": "en",
        "intro": "Thank you for taking part. There are no right or wrong answers: we want to know what you think. Your "
        "answers are used for statistics only, and nobody asks for your name.",
        "closing": "Thank you very much for your time.",
        "part": "Part {}",
        "only part": "Your opinion",
        "tick": "Please tick one circle in each row",
        "means": "{point} means “{label}”",
        "first": ": ",
        "join": ", ",
        "stop": ".",
        "number": "Number",
        "statement": "Question",
        "you": "About you",
        "colon": ":",
    },
    "zh": {
        "lang": "zh-CN",
        "intro": "感谢您参与本次调查。答案没有对错之分，我们只想了解您的真实看法。"
        "您的回答仅用于统计分析，本问卷不询问您的姓名。",
        "closing": "非常感谢您的宝贵时间！",
        "part": "第{}部分",
        "only part": "您的看法",
        "tick": "请在每一行选择一个圆圈",
        "means": "{point} 表示“{label}”",
        "first": "：",
        "join": "，",
        "stop": "。",
        "number": "序号",
        "statement": "题目",
        "you": "关于您",
        "colon": "：",
    },
}


@dataclass(frozen=True)
class Point:
    """A point of a scale as it is printed."""

    value: int
    label: str


@dataclass(frozen=True)
class Question:
    """An item as it is printed; `name` is its column, shown only where codes are asked for."""

    number: int
    name: str
    wording: str


@dataclass(frozen=True)
class Part:
    """Items that share a scale; `ends` holds the two labels where only the ends of the scale are labelled."""

    heading: str
    instruction: str
    points: list[Point]
    ends: tuple[str, str] | None
    items: list[Question]


def form_html(design: Design, language: Language, *, codes: bool = False) -> str:
    """The form as a page; the same questionnaire gives the same bytes.

    Parameters
    ----------
    design : Design
    language : "en" or "zh"
    codes : bool
        Print each item's column name beside it, for those who type the answers in.

    Returns
    -------
    str
        A whole HTML page without anything from outside.
    """
    from jinja2 import Environment

    from crmlab.plots.page_font import with_chinese_font

    words = _WORDS[language]
    texts = {name: text.in_language(language) for name, text in design.about().items()}
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    page = environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        lang=words["lang"],
        words=words,
        title=texts.get("title", design.name),
        intro=texts.get("intro", words["intro"]),
        closing=texts.get("closing", words["closing"]),
        dont_know=texts.get("dont_know"),
        parts=_parts(design, language),
        points=max((entry.scale.max - entry.scale.min + 1 for entry in design.entries()), default=0),
        about_you=[label.in_language(language) for label in design.groups.values()],
        codes=codes,
    )
    return with_chinese_font(page)


def _parts(design: Design, language: Language) -> list[Part]:
    words = _WORDS[language]
    numbered = list(enumerate(design.entries(), start=1))
    tables = [list(rows) for _, rows in groupby(numbered, key=lambda row: row[1].scale)]
    headings = [words["part"].format(number) for number in range(1, len(tables) + 1)]
    if len(tables) == 1:
        headings = [words["only part"]]
    return [_part(heading, rows, language) for heading, rows in zip(headings, tables, strict=True)]


def _part(heading: str, rows: list[tuple[int, Entry]], language: Language) -> Part:
    scale = rows[0][1].scale
    labels = {point: text.in_language(language) for point, text in scale.labels.items()}
    points = [Point(value, labels.get(value, "")) for value in range(scale.min, scale.max + 1)]
    return Part(
        heading=heading,
        instruction=_instruction(scale, labels, language),
        points=points,
        ends=(labels[scale.min], labels[scale.max]) if set(labels) == {scale.min, scale.max} else None,
        items=[Question(number, entry.name, entry.item.in_language(language)) for number, entry in rows],
    )


def _instruction(scale: Scale, labels: dict[int, str], language: Language) -> str:
    words = _WORDS[language]
    ends = [words["means"].format(point=p, label=labels[p]) for p in (scale.min, scale.max) if p in labels]
    return words["tick"] + (words["first"] + words["join"].join(ends) if ends else "") + words["stop"]
