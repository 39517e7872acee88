"""Model text: what it means, and where its faults lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.sem import Model, ModelError
from crmlab.sem.syntax import Modifier


def relations(text):
    return [(term.lhs, term.op, term.rhs, term.modifiers) for term in Model(text).terms]


def test_blocks_modes_and_paths_of_a_model():
    model = Model(
        """
        Quality <~ q1 + q2          # formative
        Satisfaction =~ s1 + s2 + s3
        Satisfaction ~ Quality + price
        """
    )
    assert model.constructs == ("Quality", "Satisfaction")
    assert model.blocks == {"Quality": ("q1", "q2"), "Satisfaction": ("s1", "s2", "s3")}
    assert model.modes == {"Quality": "B", "Satisfaction": "A"}
    assert model.paths == (("Quality", "Satisfaction"), ("price", "Satisfaction"))


@pytest.mark.parametrize(
    "text",
    [
        "A =~ x + y",
        "A =~ x\nA =~ y",
        "A =~ x; A =~ y",
        "A =~ x +\n   y",
        "A =~ x\n   + y",
        "A =~ # comment\n x + y ! another",
        "A=~x+y",
    ],
)
def test_layout_does_not_change_the_meaning(text):
    assert relations(text) == [("A", "=~", "x", ()), ("A", "=~", "y", ())]


def test_several_names_on_the_left_and_modifiers():
    assert relations("x + y ~~ 0.5*z + b*w\nx ~ 1") == [
        ("x", "~~", "z", (Modifier(fixed=0.5),)),
        ("x", "~~", "w", (Modifier(label="b"),)),
        ("y", "~~", "z", (Modifier(fixed=0.5),)),
        ("y", "~~", "w", (Modifier(label="b"),)),
        ("x", "~", "1", ()),
    ]


def test_modifiers_for_each_group_starts_and_freed_parameters():
    (term,) = Model("A =~ start(0.7)*c(a, NA)*x").terms
    assert term.modifiers == (Modifier(label="a", start=0.7), Modifier(free=True, start=0.7))


def test_definitions_and_constraints():
    model = Model("A =~ a*x + b*y\nindirect := a*b^2 - (1/2)\na == 2*b")
    (definition,), (constraint,) = model.definitions, model.constraints
    assert (definition.lhs, definition.rhs) == ("indirect", "a*b**2-(1/2)")
    assert (constraint.lhs, constraint.rhs) == ("a", "2*b")


def test_chinese_names():
    assert Model("满意度 =~ 题1 + 题2").blocks == {"满意度": ("题1", "题2")}


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("A =~ x1 x2", 1, 9, "Is a '+' missing?"),
        ("A =~ x\nB = y", 2, 3, "cannot read '='"),
        ("A ~", 1, 3, "nothing on the right side of ~"),
        ("=~ x", 1, 1, "nothing on the left side of =~"),
        ("A =~ x ~ y", 1, 8, "two operators"),
        ("A =~ x\n\nsomething", 3, 1, "no operator"),
        ("A =~ x\nA <~ y", 2, 6, "both =~ and <~"),
        ("A =~ x\nA ~ A", 2, 5, "cannot explain itself"),
        ("A =~ x + x", 1, 10, "written twice"),
        ("A =~ 2", 1, 6, "expected a name after =~"),
        ("2*A =~ x", 1, 3, "names only"),
        ("A =~ x + + y", 1, 10, "a term is missing"),
        ("A =~ c(1,)*x", 1, 7, "cannot read 'c ( 1 , )'"),
        ("A =~ c(1,2)*c(a,b,d)*x", 1, 6, "modifiers for 2 and for 3 groups"),
        ("A =~ x\nq :=", 2, 3, ":= takes one expression on each side"),
        ("A =~ x\na*b := 2", 2, 1, "the left side of := is one new name"),
        ("A =~ a*x + b*y\na < b", 2, 3, "inequality constraints (<) are not offered"),
        ("A =~ a*x + b*y\n  a >= 0.5", 2, 5, "inequality constraints (>=) are not offered"),
        ("A =~ a*x + b*y\nb>0", 2, 2, "inequality constraints (>) are not offered"),
        ("A =~ x\na == b ~ c", 2, 8, "~ cannot stand beside =="),
    ],
)
def test_faults_are_told_with_their_place(text, line, column, says):
    with pytest.raises(ModelError) as error:
        Model(text)
    assert (error.value.line, error.value.column) == (line, column)
    assert f"line {line}, column {column}" in str(error.value)
    assert says in str(error.value)


def test_an_empty_text_says_what_to_write():
    with pytest.raises(ModelError, match="Write at least one block"):
        Model("  # only a comment\n")


names = st.lists(st.from_regex(r"[A-Za-z一-龥][A-Za-z0-9_.]{0,6}", fullmatch=True), min_size=2, max_size=6, unique=True)


@given(names)
def test_what_is_written_is_read(items):
    construct, *block = items
    assert Model(f"{construct} =~ {' + '.join(block)}").blocks == {construct: tuple(block)}


def test_thresholds_and_scales() -> None:
    model = Model("f =~ x + y\nx | -1*t1 + c(a, b)*t2\ny ~*~ c(1, NA)*y\nz + w | start(0.5)*t1")
    found = {(t.lhs, t.op, t.rhs): t.modifiers for t in model.terms if t.op != "=~"}
    assert list(found) == [("x", "|", "t1"), ("x", "|", "t2"), ("y", "~*~", "y"), ("z", "|", "t1"), ("w", "|", "t1")]
    assert found["x", "|", "t1"][0].fixed == -1
    assert [m.label for m in found["x", "|", "t2"]] == ["a", "b"]
    assert [(m.fixed, m.free) for m in found["y", "~*~", "y"]] == [(1.0, False), (None, True)]
    assert found["w", "|", "t1"][0].start == 0.5
    assert model.ordinal == ("x", "y", "z", "w")


def test_a_threshold_may_go_on_in_the_next_line() -> None:
    assert [t.rhs for t in Model("f =~ x + y\nx |\n t1\n + t2").terms][2:] == ["t1", "t2"]
