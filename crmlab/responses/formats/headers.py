"""What one header says: a question number, a code, the wording of a question and of a row of a matrix.

Seen in exports: `1、您的性别`, `5、(乘车不安全)`, `2、…：—收货人姓名：`, `第3题`, `Q3`, `EQ[SQ001]`,
`EQ1. Before my visit …`, `Please rate … - The goods`, `Please rate … [The goods]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from crmlab.responses.cells import plain

_KIND_OF_QUESTION = re.compile(r"\s*[\[(](单选|多选|矩阵|量表|填空|排序|评分|滑动)[^\])]*题?[\])]\s*")
_NUMBERED = re.compile(r"(?:q|question|第)?\s*(?P<number>\d{1,4})\s*题?\s*(?:[、.:)]\s*(?P<rest>.*)|$)", re.DOTALL)
_CODED = re.compile(r"(?P<code>[a-z]\w{0,30})\s*[.:、)]\s*(?P<rest>\S.*)", re.DOTALL)
_IN_PARENTHESES = re.compile(r"\((?P<row>.+)\)", re.DOTALL)
_STEM_AND_ROW = re.compile(r".*(?:—+|--+| - )(?P<row>.+)", re.DOTALL)
_IN_BRACKETS = re.compile(r"(?P<stem>[^\[\]]*)\[(?P<row>[^\[\]]+)\]", re.DOTALL)


@dataclass(frozen=True)
class Header:
    """The parts of a header, in plain text.

    Attributes
    ----------
    number : the question's number on the platform, or None.
    codes : what may be the name of an item.
    wordings : what may be the wording of an item, squeezed; the row of a matrix before the whole.
    """

    number: int | None
    codes: tuple[str, ...]
    wordings: tuple[str, ...]


def squeezed(text: str) -> str:
    """A wording without blanks, punctuation and case, so that only its words count.

    Examples
    --------
    >>> squeezed("For the quality I get, …  the prices are FAIR!"), squeezed("店内（干净）整洁。")
    ('forthequalityigetthepricesarefair', '店内干净整洁')
    """
    return re.sub(r"[\W_]+", "", plain(text))


def read_header(text: str) -> Header:
    """Take a header apart.

    Examples
    --------
    >>> read_header("5、(乘车不安全)")
    Header(number=5, codes=(), wordings=('乘车不安全',))
    >>> read_header("2、请填写：—收货人姓名：").wordings
    ('收货人姓名', '请填写收货人姓名')
    >>> read_header("EQ[SQ001]").codes
    ('eq[sq001]', 'sq001', 'eqsq001')
    >>> read_header("EQ1. Good merchandise")
    Header(number=None, codes=('eq1. good merchandise', 'eq1'), wordings=('goodmerchandise', 'eq1goodmerchandise'))
    >>> read_header("第3题").number, read_header("Q3").number, read_header("Q3").codes
    (3, 3, ('q3',))
    """
    whole = _KIND_OF_QUESTION.sub("", plain(text)).strip("* ")
    numbered = _NUMBERED.fullmatch(whole)
    number = int(numbered["number"]) if numbered else None
    rest = (numbered["rest"] or "") if numbered else whole
    codes = [whole] if not numbered or (whole[:1] == "q" and not rest) else []
    wordings = [rest]
    if bracketed := _IN_BRACKETS.fullmatch(whole):
        row, stem = bracketed["row"].strip(), bracketed["stem"].strip()
        codes += [row, stem + row]
        wordings = [row, *wordings]
    elif coded := None if numbered else _CODED.fullmatch(whole):
        codes.append(coded["code"])
        wordings = [coded["rest"], *wordings]
    inner = [found["row"] for each in wordings if (found := _row_of(each))]
    squeezed_wordings = _once(squeezed(each) for each in [*inner, *wordings])
    return Header(number, _once(codes), tuple(each for each in squeezed_wordings if not each.isdecimal()))


def _row_of(text: str) -> re.Match[str] | None:
    return _IN_PARENTHESES.fullmatch(text) or _STEM_AND_ROW.fullmatch(text)


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
