"""Model text in lavaan's language, read into a `Model`; serves the chapters that estimate a satisfaction index.

The operators (Rosseel 2012, Table 1; `<~` as in the lavaan tutorial):

=========  ==============================  =============================================
`A =~ x`   A is measured by x              reflective block (PLS: Mode A)
`A <~ x`   A is composed of x              formative block (PLS: Mode B)
`B ~ A`    B is regressed on A             structural path A → B
`x ~~ y`   x and y covary                  read and kept; PLS has no use for it
`x ~ 1`    intercept of x                  read and kept; PLS has no use for it
=========  ==============================  =============================================

A statement ends with its line, unless the line ends in an operator or a plus sign or the next begins with one. `#` and
`!` begin a comment, `;` separates statements on a line. A term may carry a number (fixed value) or a name (label):
`Image =~ 1*IMAG1 + b*IMAG2`. Names may use letters of any script.

References
----------
Rosseel, Y. (2012). lavaan: An R package for structural equation modeling. Journal of Statistical Software 48(2), 1–36.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from .errors import ModelError

OPERATORS = ("=~", "<~", "~~", "~")

_TOKEN = re.compile(
    r"(?P<comment>[#!][^\n]*)"
    r"|(?P<newline>[\n;])"
    r"|(?P<space>[^\S\n]+)"
    r"|(?P<operator>=~|<~|~~|~)"
    r"|(?P<plus>\+)"
    r"|(?P<times>\*)"
    r"|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[^\W\d][\w.]*)"
)


@dataclass(frozen=True)
class Term:
    """One relation of the model: `lhs op rhs`, with its modifier (a fixed value, a label or None) and its place."""

    lhs: str
    op: str
    rhs: str
    modifier: float | str | None
    line: int
    column: int


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int
    column: int


@dataclass(frozen=True)
class Model:
    """A latent-variable model read from text.

    Parameters
    ----------
    text : str
        The model in lavaan's language, see the module.

    Attributes
    ----------
    terms : tuple of Term
        Every relation in the order written.
    constructs : tuple of str
        Latent variables in the order in which their blocks are written.
    blocks : dict of str to tuple of str
        Items of each construct.
    modes : dict of str to {"A", "B"}
        "A" for a reflective block (`=~`), "B" for a formative one (`<~`).
    paths : tuple of (str, str)
        Structural paths as (from, to).

    Raises
    ------
    ModelError
        With line and column: an unreadable character, a missing or doubled operator, a construct defined both by `=~`
        and `<~`, an item listed twice in one block, a path from a variable to itself.

    Examples
    --------
    >>> model = Model('''
    ...     Quality      =~ PERQ1 + PERQ2     # measurement
    ...     Satisfaction =~ CUSA1 + CUSA2 + CUSA3
    ...     Satisfaction ~ Quality            # structure
    ... ''')
    >>> model.blocks["Quality"], model.paths
    (('PERQ1', 'PERQ2'), (('Quality', 'Satisfaction'),))
    """

    text: str

    def __post_init__(self) -> None:
        if not self.terms:
            raise ModelError("the text holds no statement. Write at least one block, such as: Quality =~ q1 + q2 + q3")
        _check(self.terms)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        return tuple(term for statement in _statements(self.text) for term in _terms(statement))

    @cached_property
    def constructs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(term.lhs for term in self.terms if term.op in ("=~", "<~")))

    @cached_property
    def blocks(self) -> dict[str, tuple[str, ...]]:
        return {
            construct: tuple(t.rhs for t in self.terms if t.lhs == construct and t.op in ("=~", "<~"))
            for construct in self.constructs
        }

    @cached_property
    def modes(self) -> dict[str, str]:
        return {t.lhs: "A" if t.op == "=~" else "B" for t in self.terms if t.op in ("=~", "<~")}

    @cached_property
    def paths(self) -> tuple[tuple[str, str], ...]:
        return tuple((t.rhs, t.lhs) for t in self.terms if t.op == "~" and t.rhs != "1")

    def __str__(self) -> str:
        return self.text


def _tokens(text: str) -> Iterator[_Token]:
    line, line_start, position = 1, 0, 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        column = position - line_start + 1
        if match is None:
            raise ModelError(
                f"cannot read {text[position]!r}. Names hold letters, digits, _ and .; operators are =~ <~ ~ ~~ + *",
                line,
                column,
            )
        kind = match.lastgroup or ""
        if kind not in ("space", "comment"):
            yield _Token(kind, match.group(), line, column)
        position = match.end()
        if match.group() == "\n":
            line, line_start = line + 1, position
    yield _Token("newline", "\n", line, position - line_start + 1)


def _statements(text: str) -> Iterator[list[_Token]]:
    """Split the tokens into statements; a line that ends or begins with an operator or `+` goes on."""
    tokens = list(_tokens(text))
    statement: list[_Token] = []
    for here, following in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
        if here.kind != "newline":
            statement.append(here)
            continue
        continues = statement and (statement[-1].kind in ("operator", "plus", "times") or following.kind == "plus")
        if statement and not (continues and here.text == "\n" and following is not here):
            yield statement
            statement = []
    if statement:
        yield statement


def _terms(statement: list[_Token]) -> Iterator[Term]:
    """`lhs + lhs op modifier*rhs + rhs` → one `Term` for each pair."""
    operators = [i for i, token in enumerate(statement) if token.kind == "operator"]
    first = statement[0]
    if len(operators) != 1:
        found = "no operator" if not operators else "two operators"
        place = statement[operators[1]] if len(operators) > 1 else first
        raise ModelError(
            f"{found} in this statement; expected one of =~ <~ ~ ~~, as in: Satisfaction ~ Quality",
            place.line,
            place.column,
        )
    at = operators[0]
    operator = statement[at]
    left = list(_sum(statement[:at], operator, "left"))
    right = list(_sum(statement[at + 1 :], operator, "right"))
    for lhs, modifier in left:
        if modifier is not None or lhs.kind == "number":
            raise ModelError("the left side takes names only", lhs.line, lhs.column)
        for rhs, rhs_modifier in right:
            if rhs.kind == "number" and not (operator.text == "~" and rhs.text == "1"):
                raise ModelError(f"expected a name after {operator.text}, found {rhs.text}", rhs.line, rhs.column)
            yield Term(lhs.text, operator.text, rhs.text, rhs_modifier, rhs.line, rhs.column)


def _sum(tokens: list[_Token], operator: _Token, side: str) -> Iterator[tuple[_Token, float | str | None]]:
    """Read `a + 2*b + label*c` as pairs of name and modifier."""
    if not tokens:
        raise ModelError(f"nothing on the {side} side of {operator.text}", operator.line, operator.column)
    end = _Token("plus", "+", tokens[-1].line, tokens[-1].column)
    part: list[_Token] = []
    for token in [*tokens, end]:
        if token.kind == "plus":
            yield _modified_name(part, token)
            part = []
        else:
            part.append(token)


def _modified_name(part: list[_Token], end: _Token) -> tuple[_Token, float | str | None]:
    kinds = [token.kind for token in part]
    if kinds in (["name"], ["number"]):
        return part[0], None
    if kinds in (["number", "times", "name"], ["name", "times", "name"], ["name", "times", "number"]):
        modifier = part[0]
        return part[2], float(modifier.text) if modifier.kind == "number" else modifier.text
    if not part:
        raise ModelError("a term is missing beside '+'", end.line, end.column)
    written = " ".join(token.text for token in part)
    place = part[1] if len(part) > 1 else part[0]
    raise ModelError(
        f"cannot read {written!r} as one term; expected a name, or number*name, or label*name. Is a '+' missing?",
        place.line,
        place.column,
    )


def _check(terms: tuple[Term, ...]) -> None:
    operators: dict[str, str] = {}
    seen: set[tuple[str, str, str]] = set()
    for term in terms:
        if term.op in ("=~", "<~") and operators.setdefault(term.lhs, term.op) != term.op:
            raise ModelError(
                f"{term.lhs} is defined by both =~ and <~; a block is reflective or formative", term.line, term.column
            )
        if term.lhs == term.rhs and term.op != "~~":
            raise ModelError(
                f"{term.lhs} {term.op} {term.rhs}: a variable cannot explain itself", term.line, term.column
            )
        if (term.lhs, term.op, term.rhs) in seen:
            raise ModelError(f"{term.lhs} {term.op} {term.rhs} is written twice", term.line, term.column)
        seen.add((term.lhs, term.op, term.rhs))
