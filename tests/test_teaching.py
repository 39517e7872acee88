"""Display, result contract, answer checks: what a reader of a chapter sees, and what an exercise says to an answer."""

import functools
import math
import re
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest

from crmlab import teaching
from crmlab.datasets import load_mobi
from crmlab.errors import InputError
from crmlab.plots import style
from crmlab.teaching import answers, contract, display
from crmlab.teaching.answers import Mistake, Question, check


@pytest.fixture(autouse=True)
def _fresh_start():
    answers.start_over()


@pytest.fixture
def published(monkeypatch):
    """The bundles that would be displayed in a notebook, as (data, metadata)."""
    bundles = []
    monkeypatch.setattr(display, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda data, metadata, raw: bundles.append((data, metadata)))
    return bundles


# show


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (72.45396, 3, "72.454"),
        (72.45396, 0, "72"),
        (250, 3, "250"),
        (np.int64(250), 3, "250"),
        (np.float64(0.5), 1, "0.5"),
        (np.array(2.5), 2, "2.50"),
        (-0.0001, 3, "0.000"),
        (float("nan"), 3, "–"),
        (None, 3, "–"),
        (True, 3, "True"),
        (np.bool_(False), 3, "False"),
        ("形象", 3, "形象"),
        ((70.25, 74.0), 1, "(70.2, 74.0)"),
        ([1, 2.5], 1, "[1, 2.5]"),
        (pd.Timestamp("1998-06-30"), 3, "1998-06-30"),
        (pd.Timestamp("1998-06-30 12:30"), 3, "1998-06-30T12:30:00"),
    ],
)
def test_single_values_are_rounded_and_written_alike(value, digits, text, capsys):
    teaching.show(value, digits)
    assert capsys.readouterr().out == text + "\n"


def test_a_table_aligns_numbers_and_chinese_words(capsys):
    teaching.show(pd.DataFrame({"construct": ["形象", "Image"], "index": [71.25, 8.0], "n": [250, 9]}), digits=1)
    # In a terminal a Chinese character is two columns wide, so 形象 takes four of the nine of "construct".
    assert capsys.readouterr().out.splitlines() == [
        "construct  index    n",
        "形象        71.2  250",
        "Image        8.0    9",
    ]


def test_a_table_in_html_says_no_more_than_its_cells(published):
    teaching.show(pd.DataFrame({"a<b": [1.0]}, index=pd.Index(["x"], name="item")), digits=1)
    assert published[0][0]["text/html"].splitlines() == [
        "<table>",
        '<thead><tr><th style="text-align: left">item</th><th style="text-align: right">a&lt;b</th></tr></thead>',
        "<tbody>",
        '<tr><td style="text-align: left">x</td><td style="text-align: right">1.0</td></tr>',
        "</tbody>",
        "</table>",
    ]


def test_a_dict_is_shown_without_a_head(capsys):
    teaching.show({"index": 72.454, "verdict": "no change"}, digits=1)
    assert capsys.readouterr().out.splitlines() == ["index    72.5", "verdict  no change"]


def test_index_levels_and_missing_values_are_shown(capsys):
    index = pd.MultiIndex.from_tuples([("Image", "IMAG1"), ("Value", "PERV1")], names=["construct", "item"])
    teaching.show(pd.Series([0.5, np.nan], index=index, name="weight"), digits=2)
    assert capsys.readouterr().out.splitlines() == [
        "construct  item   weight",
        "Image      IMAG1    0.50",
        "Value      PERV1       –",
    ]


def test_sentences_are_listed(published):
    teaching.show(["One & only.", "Two."])
    assert published[0][0] == {
        "text/plain": "• One & only.\n• Two.",
        "text/html": "<ul>\n<li>One &amp; only.</li>\n<li>Two.</li>\n</ul>",
    }


def test_a_long_table_is_cut_and_says_so(capsys):
    teaching.show(pd.DataFrame({"x": range(100)}))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + display.MOST_ROWS + 1
    assert lines[-1] == "… and 60 more rows"


def test_what_cannot_be_shown_is_named():
    with pytest.raises(TypeError, match=r"this is a SimpleNamespace\. Pass one of its tables"):
        teaching.show(SimpleNamespace())


# figure


def drawn(alt: str = ""):
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(2, 1))[1]
    if alt:
        style.set_alt(ax, alt)
    return ax


def test_a_figure_carries_its_alternative_text_and_is_closed(published):
    import matplotlib.pyplot as plt

    teaching.figure(drawn("One bar: 72.5 & no more."))
    (picture, metadata), (words, _) = published
    assert metadata == {"image/png": {"alt": "One bar: 72.5 & no more."}}
    assert picture["text/plain"] == "Figure: One bar: 72.5 & no more."
    assert "One bar: 72.5 &amp; no more." in words["text/html"]
    assert plt.get_fignums() == []


def test_the_same_figure_gives_the_same_bytes(published):
    for _ in range(2):
        teaching.figure(drawn(), alt="Empty axes.")
    assert published[0] == published[2]
    assert b"Matplotlib" not in published[0][0]["image/png"].encode()


def test_a_figure_without_words_is_refused():
    with pytest.raises(ValueError, match="no alternative text"):
        teaching.figure(drawn())


# record


def test_results_are_recorded_for_programs_and_read_back(published):
    teaching.record({"index": 72.45396123, "paths": pd.Series({"Image": np.float64(1 / 3)}), "real": np.bool_(False)})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell()])
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", data=published[0][0])]
    assert teaching.recorded(notebook) == {"index": 72.454, "paths": {"Image": 0.333333}, "real": False}
    nbformat.validate(notebook)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (float("nan"), ValueError, "record: results.x is nan"),
        ([1.0, float("inf")], ValueError, r"record: results.x\[1\] is inf"),
        ({"a": object()}, TypeError, "record: results.x.a is a object"),
    ],
)
def test_what_cannot_be_recorded_is_named(value, error, message):
    with pytest.raises(error, match=message):
        teaching.record({"x": value})


def test_a_notebook_without_a_record_says_so():
    with pytest.raises(LookupError, match="run it to its end"):
        contract.recorded(nbformat.v4.new_notebook())


# check


def question(solution, mistakes=(), tolerance=0.01, name="00.q1"):
    wrong = tuple(
        Mistake(f"mistake {i}", functools.partial(float, mistake), ("nudge", "step"))
        for i, mistake in enumerate(mistakes)
    )
    return Question(name, "an answer", lambda: solution, tolerance, wrong, ("first hint", "second hint"))


@pytest.fixture
def ask(monkeypatch):
    """Check one answer against a question made for the purpose."""

    def asking(answer, *arguments, **options):
        asked = question(*arguments, **options)
        monkeypatch.setattr(answers, "find", lambda name: asked)
        answers._solution.cache_clear()
        return check(asked.name, answer)

    yield asking
    answers._solution.cache_clear()


TABLE = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}, index=["r", "s"])


@pytest.mark.parametrize(
    ("answer", "solution"),
    [
        (72.454, 72.45),
        (np.float32(72.45), 72.45),
        (np.array(72.45), 72.45),
        (72, np.int64(72)),
        (" act  NOW ", "act now"),
        (np.bool_(True), True),
        ({"b": 2, "a": 1}, pd.Series({"a": 1.0, "b": 2.0})),
        (pd.Series({"a": 1.0, "b": 2.0}), {"a": 1, "b": 2}),
        (TABLE.loc[["s", "r"], ["b", "a"]], TABLE),
    ],
)
def test_a_right_answer_may_come_in_any_order_and_type(ask, answer, solution):
    verdict = ask(answer, solution)
    assert verdict
    assert repr(verdict) == "00.q1: right."


@pytest.mark.parametrize(
    ("answer", "solution", "complaint"),
    [
        (..., 1.0, "The dots are still in place."),
        ("72.5", 72.5, "You gave a text, take the quotation marks away."),
        (True, 1.0, "You gave a truth value."),
        (1.0, True, "You gave a number."),
        (None, 1.0, "You gave a NoneType."),
        (float("nan"), 1.0, "You gave nan, which is no number to compare."),
        (
            pd.Series([72.5]),
            72.5,
            "labelled values, take the one number out of them with .loc[…] or .iloc[…].",
        ),
        (TABLE, 72.5, "You gave a table, take the one number out of it with .loc[row, column]."),
        ([1.0, 2.0], pd.Series({"a": 1.0, "b": 2.0}), "which has lost its labels; give the Series"),
        (
            np.array([1.0, 2.0]),
            pd.Series({"a": 1.0, "b": 2.0}),
            "which has lost its labels; give the Series or a dict.",
        ),
        ({"a": 1.0}, {"a": 1.0, "b": 2.0}, "Missing: b."),
        ({"a": 1.0, "b": 2.0}, {"a": 1.0}, "Not asked for: b."),
        (TABLE.drop(columns="b"), TABLE, "Missing: r / b, s / b."),
        ({"a": "1.0"}, {"a": 1.0}, "You gave a text for a where a number is expected."),
    ],
)
def test_an_answer_that_cannot_be_compared_is_told_kindly(ask, answer, solution, complaint):
    verdict = ask(answer, solution)
    assert not verdict
    assert "nothing to check yet" in verdict.message
    assert complaint in verdict.message
    assert verdict.message.endswith("Expected: an answer.")


def test_a_form_that_cannot_be_compared_uses_up_no_hint(ask):
    ask("1", 2.0)
    assert ask(1.0, 2.0).message.endswith("first hint")


def test_hints_become_plainer_and_stay_at_the_plainest(ask):
    assert [ask(5.0, 1.0).message.split(". ")[-1] for _ in range(3)] == ["first hint", "second hint", "second hint"]


def test_each_mistake_has_its_own_stages(ask):
    said = [ask(wrong, 1.0, mistakes=(2.0, 3.0)) for wrong in (2.0, 3.0, 2.0)]
    assert [verdict.mistake for verdict in said] == ["mistake 0", "mistake 1", "mistake 0"]
    assert [verdict.message.split(". ")[-1] for verdict in said] == ["nudge", "nudge", "step"]


def test_a_table_with_some_right_values_says_which_are_not(ask):
    verdict = ask({"a": 1.0, "b": 9.0, "c": 3.0}, {"a": 1.0, "b": 2.0, "c": 3.0})
    assert "2 of 3 values are right; look again at b." in verdict.message


def test_the_expected_value_is_never_said(ask):
    for _ in range(4):
        assert "1.2345" not in ask(5.0, 1.2345, mistakes=(2.0,)).message


def test_an_unknown_question_lists_the_known_ones():
    with pytest.raises(InputError, match=r"no question '09.q99'. Chapter 09 has 09.q1"):
        check("09.q99", 1)
    with pytest.raises(InputError, match=r"no question 'q1'\. There are chapters (\d\d, )*09"):
        check("q1", 1)


# the questions of the course

QUESTIONS = [asked for chapter in answers.chapters() for asked in answers.of_chapter(chapter)]
MISTAKES = [(asked, mistake) for asked in QUESTIONS for mistake in asked.mistakes]


@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda asked: asked.name)
def test_the_reference_solution_is_right(asked):
    assert check(asked.name, asked.solution()).message == f"{asked.name}: right."


@pytest.mark.parametrize(("asked", "mistake"), MISTAKES, ids=lambda part: part.name.replace(" ", "-"))
def test_each_typical_mistake_is_recognised_and_gets_its_own_hints(asked, mistake):
    said = [check(asked.name, mistake.answer()) for _ in range(2)]
    assert [verdict.mistake for verdict in said] == [mistake.name] * 2
    assert [verdict.message.endswith(hint) for verdict, hint in zip(said, mistake.hints[:2], strict=True)] == [
        True,
        True,
    ]


@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda asked: asked.name)
def test_a_question_offers_enough_and_repeats_no_hint(asked):
    hints = [hint for mistake in asked.mistakes for hint in mistake.hints] + list(asked.hints)
    assert 2 <= len(asked.mistakes) <= 3
    assert all(len(mistake.hints) >= 2 for mistake in asked.mistakes)
    assert len(set(hints)) == len(hints)


DECIMALS = {"one": 1, "two": 2, "three": 3}
ROUNDED = [
    (asked, DECIMALS[found[1]]) for asked in QUESTIONS if (found := re.search(r"to (\w+) decimals?\b", asked.asks))
]


@pytest.mark.parametrize(("asked", "decimals"), ROUNDED, ids=lambda part: getattr(part, "name", str(part)))
def test_an_answer_rounded_as_asked_is_right(asked, decimals):
    answer = asked.solution()
    assert check(asked.name, answer.round(decimals) if hasattr(answer, "round") else round(answer, decimals))


def test_either_standard_deviation_and_whole_respondents_are_right():
    scores = 100 * (load_mobi()[["CUSA1", "CUSA2", "CUSA3"]].mean(axis=1) - 1) / 9
    for divisor in (0, 1):
        assert check("09.q3", math.ceil((1.96 * scores.std(ddof=divisor)) ** 2))


def test_equal_weights_give_the_published_index():
    # Computed with an independent program from the survey of Tenenhaus et al. (2005), equal weights: 71.970.
    assert answers.find("09.q1").solution() == pytest.approx(71.970, abs=5e-4)
