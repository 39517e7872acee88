"""Model text in lavaan's language, read into a `Model`; serves the chapters that estimate a satisfaction index.

The operators (Rosseel 2012, Table 1; `<~` as in the lavaan tutorial):

=========  ==============================  =============================================
`A =~ x`   A is measured by x              reflective block (PLS: Mode A)
`A <~ x`   A is composed of x              formative block (PLS: Mode B)
`B ~ A`    B is regressed on A             structural path A → B
`x ~~ y`   x and y covary                  variance where both are the same
`x ~ 1`    intercept of x
`x | t1`   threshold of x              ordinal x; t1 is the lowest, `x | t1 + t2` names two
`x ~*~ x`  scale of x                  ordinal x: 1 / standard deviation of its y*
`d := ab`  d is defined by parameters      an expression in labels
`a == b`   a linear constraint             an equation in labels
=========  ==============================  =============================================

A statement ends with its line, unless the line ends in an operator or a plus sign or the next begins with one. `#` and
`!` begin a comment, `;` separates statements on a line. Names may use letters of any script. A term may carry modifiers
before its name: `1*x` fixes, `NA*x` frees, `b*x` labels (equal labels are equal parameters), `start(0.5)*x` gives a
starting value, and `c(a, b)*x` speaks for each group in turn.

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

ORDINAL_OPERATORS = ("|", "~*~")
_THRESHOLD = re.compile(r"t[1-9]\d*")
_TOKEN = re.compile(
    r"(?P<comment>[#!][^\n]*)"
    r"|(?P<newline>[\n;])"
    r"|(?P<space>[^\S\n]+)"
    r"|(?P<relation>:=|==)"
    r"|(?P<operator>=~|<~|~\*~|~~|~|\|)"
    r"|(?P<plus>\+)"
    r"|(?P<power>\*\*|\^)"
    r"|(?P<times>\*)"
    r"|(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[^\W\d][\w.]*)"
    r"|(?P<open>\()"
    r"|(?P<close>\))"
    r"|(?P<comma>,)"
    r"|(?P<sign>[-/])"
)
_INEQUALITY = re.compile(r"[<>]=?")


@dataclass(frozen=True)
class Modifier:
    """What is said of one parameter in one group: a fixed value, a label, a start, or that it is free (`NA`)."""

    fixed: float | None = None
    label: str | None = None
    start: float | None = None
    free: bool = False


@dataclass(frozen=True)
class Term:
    """One relation of the model: `lhs op rhs`, its modifiers (one, or one for each group; none: ()) and its place."""

    lhs: str
    op: str
    rhs: str
    modifiers: tuple[Modifier, ...]
    line: int
    column: int

    @property
    def written(self) -> str:
        """The term as a person would write it."""
        return f"{self.lhs} {self.op} {self.rhs}"


@dataclass(frozen=True)
class Relation:
    """`lhs := expression` or `lhs == rhs` among labels, as text."""

    lhs: str
    op: str
    rhs: str
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
        Every relation between variables in the order written.
    definitions, constraints : tuple of Relation
        `:=` and `==` statements.
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
        _ = self._relations  # read now, so that a fault is told now
        if not self.terms:
            raise ModelError("the text holds no statement. Write at least one block, such as: Quality =~ q1 + q2 + q3")
        _check(self.terms)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        return tuple(
            term for statement in self._statements if not _is_relation(statement) for term in _terms(statement)
        )

    @cached_property
    def definitions(self) -> tuple[Relation, ...]:
        return tuple(relation for relation in self._relations if relation.op == ":=")

    @cached_property
    def constraints(self) -> tuple[Relation, ...]:
        return tuple(relation for relation in self._relations if relation.op == "==")

    @cached_property
    def _statements(self) -> list[list[_Token]]:
        return list(_statements(self.text))

    @cached_property
    def _relations(self) -> list[Relation]:
        return [_relation(statement) for statement in self._statements if _is_relation(statement)]

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
    def ordinal(self) -> tuple[str, ...]:
        """Variables of whose thresholds or scales the text speaks, which makes them ordinal."""
        return tuple(dict.fromkeys(t.lhs for t in self.terms if t.op in ORDINAL_OPERATORS))

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
            if inequality := _INEQUALITY.match(text, position):
                raise ModelError(
                    f"inequality constraints ({inequality.group()}) are not offered; constraints are equalities, as in "
                    "a == 2*b. Fit without it and look whether the estimates hold to it",
                    line,
                    column,
                )
            raise ModelError(
                f"cannot read {text[position]!r}. Names hold letters, digits, _ and .; operators are =~ <~ ~ ~~ | + *",
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
        continues = statement and (
            statement[-1].kind in ("operator", "relation", "plus", "times", "comma", "open") or following.kind == "plus"
        )
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
    for lhs, on_left in left:
        if on_left or lhs.kind == "number":
            raise ModelError("the left side takes names only", lhs.line, lhs.column)
        for rhs, modifiers in right:
            if rhs.kind == "number" and not (operator.text == "~" and rhs.text == "1"):
                raise ModelError(f"expected a name after {operator.text}, found {rhs.text}", rhs.line, rhs.column)
            yield Term(lhs.text, operator.text, rhs.text, modifiers, rhs.line, rhs.column)


def _is_relation(statement: list[_Token]) -> bool:
    return any(token.kind == "relation" for token in statement)


def _relation(statement: list[_Token]) -> Relation:
    """`lhs := expression` or `expression == expression`."""
    at = [i for i, token in enumerate(statement) if token.kind == "relation"]
    sign = statement[at[0]]
    left, right = statement[: at[0]], statement[at[0] + 1 :]
    if len(at) > 1 or not left or not right:
        raise ModelError(f"{sign.text} takes one expression on each side", sign.line, sign.column)
    if sign.text == ":=" and [token.kind for token in left] != ["name"]:
        raise ModelError("the left side of := is one new name", left[0].line, left[0].column)
    for token in statement:
        if token.kind == "operator":
            raise ModelError(f"{token.text} cannot stand beside {sign.text}", token.line, token.column)
    texts = ["".join("**" if token.kind == "power" else token.text for token in side) for side in (left, right)]
    return Relation(texts[0], sign.text, texts[1], sign.line, sign.column)


def _sum(tokens: list[_Token], operator: _Token, side: str) -> Iterator[tuple[_Token, tuple[Modifier, ...]]]:
    """Read `a + 2*b + c(x, y)*d` as pairs of name and modifiers."""
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


def _modified_name(part: list[_Token], end: _Token) -> tuple[_Token, tuple[Modifier, ...]]:
    """`2*b`, `start(0.5)*lab*b`, `c(x, NA)*b` → the name's token and its modifiers."""
    if not part:
        raise ModelError("a term is missing beside '+'", end.line, end.column)
    factors: list[list[_Token]] = [[]]
    for token in part:
        if token.kind == "times":
            factors.append([])
        else:
            factors[-1].append(token)
    *before, name = factors
    if len(name) != 1 or name[0].kind not in ("name", "number") or not all(before):
        raise _unreadable(part)
    read = [_factor(factor) for factor in before]
    groups = max((len(values) for values in read), default=0)
    for values, factor in zip(read, before, strict=True):
        if len(values) not in (1, groups):
            place = factor[0]
            raise ModelError(
                f"modifiers for {len(values)} and for {groups} groups on one term", place.line, place.column
            )
    return name[0], tuple(_merged([values[g if len(values) > 1 else 0] for values in read]) for g in range(groups))


def _unreadable(part: list[_Token]) -> ModelError:
    written = " ".join(token.text for token in part)
    place = part[1] if len(part) > 1 else part[0]
    return ModelError(
        f"cannot read {written!r} as one term; expected a name, or number*name, or label*name. Is a '+' missing?",
        place.line,
        place.column,
    )


def _factor(tokens: list[_Token]) -> list[Modifier]:
    """One factor before a name: a number, a label, NA, c(…) or start(…)."""
    kinds = [token.kind for token in tokens]
    if kinds in (["number"], ["name"]):
        return [_value(tokens[0])]
    if kinds[:2] == ["name", "open"] and kinds[-1] == "close" and tokens[0].text in ("c", "start"):
        inside = tokens[2:-1]
        if tokens[0].text == "start" and [token.text for token in inside[:2]] == ["c", "("]:
            inside = inside[2:-1]
        values = inside[::2]
        separated = all(token.kind == "comma" for token in inside[1::2]) and len(inside) % 2 == 1
        if separated and all(token.kind in ("number", "name") for token in values):
            read = [_value(token) for token in values]
            return [Modifier(start=value.fixed) for value in read] if tokens[0].text == "start" else read
    raise _unreadable(tokens)


def _value(token: _Token) -> Modifier:
    if token.kind == "number":
        return Modifier(fixed=float(token.text))
    return Modifier(free=True) if token.text == "NA" else Modifier(label=token.text)


def _merged(modifiers: list[Modifier]) -> Modifier:
    merged = Modifier()
    for m in modifiers:
        merged = Modifier(
            merged.fixed if m.fixed is None else m.fixed,
            merged.label if m.label is None else m.label,
            merged.start if m.start is None else m.start,
            merged.free or m.free,
        )
    return merged


def _check(terms: tuple[Term, ...]) -> None:
    operators: dict[str, str] = {}
    seen: set[tuple[str, str, str]] = set()
    for term in terms:
        if term.op in ("=~", "<~") and operators.setdefault(term.lhs, term.op) != term.op:
            raise ModelError(
                f"{term.lhs} is defined by both =~ and <~; a block is reflective or formative", term.line, term.column
            )
        if term.op == "|" and not _THRESHOLD.fullmatch(term.rhs):
            raise ModelError(f"{term.written}: thresholds are named t1, t2, … from the lowest", term.line, term.column)
        if term.op == "~*~" and term.lhs != term.rhs:
            raise ModelError(
                f"{term.written}: a scale is of one variable, as in {term.lhs} ~*~ {term.lhs}", term.line, term.column
            )
        if term.lhs == term.rhs and term.op not in ("~~", "~*~"):
            raise ModelError(
                f"{term.lhs} {term.op} {term.rhs}: a variable cannot explain itself", term.line, term.column
            )
        if (term.lhs, term.op, term.rhs) in seen:
            raise ModelError(f"{term.lhs} {term.op} {term.rhs} is written twice", term.line, term.column)
        seen.add((term.lhs, term.op, term.rhs))
