"""The questionnaire file: what is read, what is refused and where, what lint says, what follows from a design."""

import pickle
import re
from dataclasses import FrozenInstanceError
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from crmlab import InputError, Questionnaire
from crmlab.datasets import load_mobi, load_survey
from crmlab.plots import style
from crmlab.plots.questionnaire import indicator_tree
from crmlab.questionnaire import shipped_names
from crmlab.questionnaire_lint import RULES, circles
from crmlab.questionnaire_wording import absolute, double_barrelled, leading, negated, too_long

DESIGN = """\
crmlab_questionnaire: 1
name: cafe
title: {en: Café, zh: 咖啡馆}
index: Joy
scale: {min: 1, max: 5, labels: {1: {en: low, zh: 低}, 5: {en: high, zh: 高}}}
missing: [99, -1, "n/a", 7.5]
id: guest
groups:
  branch: {en: Branch, zh: 门店}
complaints: {construct: Grief, higher: more_complaints}
constructs:
  Taste:
    label: {en: Taste, zh: 口味}
    mode: formative
    facets:
      - label: {en: Drinks, zh: 饮料}
        items:
          T1: {en: The coffee is hot, zh: 咖啡是热的}
          T2: {en: The tea is bitter, zh: 茶很苦, reverse: true}
      - label: {en: Cake, zh: 蛋糕}
        items:
          T3: {en: The cake is fresh, zh: 蛋糕新鲜, scale: {min: 0, max: 4}}
  Joy:
    label: {en: Joy, zh: 快乐}
    facets:
      - label: {en: Overall, zh: 总体}
        items:
          J1: {en: I had a good time, zh: 我很开心}
          J2: {en: I felt at home, zh: 宾至如归}
  Grief:
    label: {en: Complaints, zh: 抱怨}
    scale: {min: 0, max: 1, labels: {0: {en: never, zh: 没有}, 1: {en: at least once, zh: 有}}}
    facets:
      - label: {en: Voice, zh: 投诉}
        items:
          G1: {en: I complained to the waiter, zh: 我向服务员投诉过}
          G2: {en: I complained online, zh: 我在网上投诉过}
paths:
  Joy: [Taste]
  Grief: [Taste, Joy]
"""

# The same with one thing to object to: items of Taste on two scales.
CLEAN = DESIGN.replace(", scale: {min: 0, max: 4}", "")


def changed(old: str, new: str, text: str = CLEAN) -> str:
    assert text.count(old) == 1, f"{old!r} is not unique in the design"
    return text.replace(old, new)


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        Questionnaire.from_text(text, source="cafe.yaml")
    return str(caught.value)


def lint(text: str) -> list[str]:
    return Questionnaire.from_text(text).lint()


# ---------------------------------------------------------------------------------------------------- what is read


@pytest.fixture(scope="module")
def cafe() -> Questionnaire:
    return Questionnaire.from_text(DESIGN, source="cafe.yaml")


def test_plain_facts(cafe: Questionnaire) -> None:
    assert (cafe.name, cafe.title, cafe.index, cafe.source) == (
        "cafe",
        {"en": "Café", "zh": "咖啡馆"},
        "Joy",
        "cafe.yaml",
    )
    assert (cafe.id, cafe.groups) == ("guest", {"branch": {"en": "Branch", "zh": "门店"}})
    assert cafe.missing_codes == [99, -1, "n/a", 7.5]
    assert cafe.complaints == {"construct": "Grief", "higher": "more_complaints"}
    assert cafe.blocks == {"Taste": ["T1", "T2", "T3"], "Joy": ["J1", "J2"], "Grief": ["G1", "G2"]}


def test_texts_about_the_survey(cafe: Questionnaire) -> None:
    assert cafe.about == {"title": {"en": "Café", "zh": "咖啡馆"}}
    more = DESIGN.replace("id: guest", "intro: Hello!\ndont_know: {en: No idea, zh: 不好说}\nid: guest")
    survey = Questionnaire.from_text(more)
    assert survey.about["intro"] == {"en": "Hello!", "zh": "Hello!"}
    assert survey.missing_codes == [99, -1, "n/a", 7.5, "No idea", "不好说"], "the words of the box are codes as well"
    assert any("(zh) is missing for the intro:" in finding for finding in survey.lint())


def test_items(cafe: Questionnaire) -> None:
    assert cafe.items.index.name == "item"
    assert list(cafe.items.columns) == ["construct", "facet", "en", "zh", "min", "max", "points", "reverse"]
    assert cafe.items.loc["T2"].tolist() == ["Taste", "Drinks", "The tea is bitter", "茶很苦", 1, 5, 5, True]
    # The nearest scale holds: the item's own, else the construct's, else the file's.
    assert cafe.items[["min", "max", "points"]].loc[["T1", "T3", "G1"]].to_numpy().tolist() == [
        [1, 5, 5],
        [0, 4, 5],
        [0, 1, 2],
    ]


def test_constructs_and_facets(cafe: Questionnaire) -> None:
    assert cafe.constructs.reset_index().to_numpy().tolist() == [
        ["Taste", "Taste", "口味", "formative", 3, "antecedent"],
        ["Joy", "Joy", "快乐", "reflective", 2, "index"],
        ["Grief", "Complaints", "抱怨", "reflective", 2, "outcome"],
    ]
    assert cafe.facets.to_numpy().tolist() == [
        ["Taste", "Drinks", "饮料", 2],
        ["Taste", "Cake", "蛋糕", 1],
        ["Joy", "Overall", "总体", 2],
        ["Grief", "Voice", "投诉", 2],
    ]


def test_a_construct_beside_the_index_has_the_role_other() -> None:
    beside = Questionnaire.from_text(changed("Grief: [Taste, Joy]", "Grief: [Taste]"))
    assert beside.constructs["role"].to_dict() == {"Taste": "antecedent", "Joy": "index", "Grief": "other"}


def test_paths_keep_the_order_of_the_file(cafe: Questionnaire) -> None:
    assert cafe.paths.to_numpy().tolist() == [["Taste", "Joy"], ["Taste", "Grief"], ["Joy", "Grief"]]


def test_scale_labels(cafe: Questionnaire) -> None:
    assert cafe.scale_labels("J1") == {1: {"en": "low", "zh": "低"}, 5: {"en": "high", "zh": "高"}}
    assert cafe.scale_labels("T3") == {}
    with pytest.raises(
        InputError, match=r"^item: found 'T22', a name the questionnaire does not have; did you mean 'T2'\? "
    ):
        cafe.scale_labels("T22")


@pytest.mark.parametrize(
    ("name", "en", "zh"),
    [
        ("Grief", "Complaints", "抱怨"),
        ("T1", "The coffee is hot", "咖啡是热的"),
        ("branch", "Branch", "门店"),
        ("Cake", "Cake", "蛋糕"),
    ],
)
def test_label(cafe: Questionnaire, name: str, en: str, zh: str) -> None:
    assert (cafe.label(name), cafe.label(name, "zh")) == (en, zh)


def test_label_refuses_other_names_and_languages(cafe: Questionnaire) -> None:
    with pytest.raises(InputError, match=r"^label: found 'Tast', .*did you mean 'Taste'\? correct it\.$"):
        cafe.label("Tast")
    with pytest.raises(InputError, match=r"^language: found 'de'; expected en or zh\. Choose one of the two\.$"):
        cafe.label("Taste", "de")
    with pytest.raises(InputError, match=r"^language: found 'de'"):
        cafe.table("de")


def test_one_language_stands_in_for_the_other() -> None:
    zh_only = Questionnaire.from_text(changed("{en: I felt at home, zh: 宾至如归}", "宾至如归"))
    en_only = Questionnaire.from_text(changed("{en: I felt at home, zh: 宾至如归}", "{en: I felt at home}"))
    assert zh_only.items.loc["J2", ["en", "zh"]].tolist() == ["宾至如归", "宾至如归"]
    assert en_only.label("J2", "zh") == "I felt at home"


def test_without_a_title_the_name_is_the_title() -> None:
    assert Questionnaire.from_text(changed("title: {en: Café, zh: 咖啡馆}\n", "")).title == {"en": "cafe", "zh": "cafe"}


def test_words_that_yaml_takes_for_other_things_stay_words() -> None:
    text = changed("{en: never, zh: 没有}", "{en: no, zh: 没有}")
    text = changed("{en: at least once, zh: 有}", "{en: yes, zh: 有}", text)
    text = changed("{en: I felt at home, zh: 宾至如归}", "{en: 2024, zh: 1.50}", text)
    odd = Questionnaire.from_text(text)
    assert [odd.scale_labels("G1")[point]["en"] for point in (0, 1)] == ["no", "yes"]
    assert odd.items.loc["J2", ["en", "zh"]].tolist() == ["2024", "1.50"]


def test_names_may_be_of_any_script() -> None:
    text = re.sub(r"\bJoy\b(?=[:\],\n])", "满意度", CLEAN).replace("J1:", "满意1:").replace("J2:", "Zufriedenheit_ä.2:")
    unicode = Questionnaire.from_text(text)
    assert unicode.index == "满意度"
    assert "满意度 =~ 满意1 + Zufriedenheit_ä.2" in unicode.model_text()
    assert unicode.model().blocks["满意度"] == ("满意1", "Zufriedenheit_ä.2")


# --------------------------------------------------------------------------------------------- it cannot be changed


def test_frozen(cafe: Questionnaire) -> None:
    with pytest.raises(FrozenInstanceError):
        cafe.text = ""  # type: ignore[misc]
    with pytest.raises(AttributeError):
        cafe.index = "Taste"  # type: ignore[misc]


def test_what_it_hands_out_is_a_copy(cafe: Questionnaire) -> None:
    before, table = cafe.items, cafe.items
    table.loc["T1", "min"] = 77
    cafe.blocks["Taste"].append("T9")
    cafe.missing_codes.clear()
    cafe.groups.clear()
    cafe.title["en"] = ""
    cafe.scale_labels("J1").clear()
    assert_frame_equal(cafe.items, before)
    assert cafe.blocks["Taste"] == ["T1", "T2", "T3"]
    assert (len(cafe.missing_codes), len(cafe.groups), cafe.title["en"], len(cafe.scale_labels("J1"))) == (
        4,
        1,
        "Café",
        2,
    )


def test_equal_when_the_text_is(cafe: Questionnaire) -> None:
    twin = Questionnaire.from_text(DESIGN, source="elsewhere.yaml")
    assert (twin, hash(twin)) == (cafe, hash(cafe))
    assert Questionnaire.from_text(CLEAN) != cafe
    assert pickle.loads(pickle.dumps(cafe)).items.equals(cafe.items)


def test_representations(cafe: Questionnaire) -> None:
    assert repr(cafe) == "Questionnaire('cafe', 3 constructs, 7 items, index Joy)"
    html = Questionnaire.from_text(changed("The coffee is hot", '"<script>"'))._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html


# ----------------------------------------------------------------------------------------------- what is refused

SCHEMA_FAULTS = {
    "unknown key at the top": (
        ("id: guest", "idd: guest"),
        "cafe.yaml, line 7, column 1: found the unknown key 'idd'; did you mean 'id'? Expected keys: "
        "crmlab_questionnaire, name, title, intro, closing, index, scale, missing, dont_know, id, groups, complaints, "
        "constructs, paths. Correct or remove it.",
    ),
    "unknown key in an item": (
        ("reverse: true", "reversed: true"),
        "cafe.yaml, line 19, column 48: found the unknown key 'reversed' in constructs.Taste.facets.1.items.T2; did "
        "you mean 'reverse'? Expected keys: en, zh, reverse, scale. Correct or remove it.",
    ),
    "unknown key like none": (
        ("    mode: formative", "    colour: red"),
        "cafe.yaml, line 14, column 5: found the unknown key 'colour' in constructs.Taste; expected keys: label, "
        "mode, scale, facets. Correct or remove it.",
    ),
    "unknown key of complaints": (
        (
            "{construct: Grief, higher: more_complaints}",
            "{constructs: Grief, construct: Grief, higher: more_complaints}",
        ),
        "cafe.yaml, line 10, column 14: found the unknown key 'constructs' in complaints; did you mean 'construct'? "
        "Expected keys: construct, higher. Correct or remove it.",
    ),
    "missing key": (
        ("    label: {en: Joy, zh: 快乐}\n", ""),
        "cafe.yaml, line 23, column 3: key 'label' is missing in constructs.Joy; expected the construct's label, {en: "
        "..., zh: ...}. Add it.",
    ),
    "key without a value": (
        ("index: Joy", "index:"),
        "cafe.yaml, line 1, column 1: key 'index' is missing; expected the name of the construct whose value is the "
        "index. Add it.",
    ),
    "not a number": (
        ("scale: {min: 1, max: 5,", "scale: {min: one, max: 5,"),
        "cafe.yaml, line 5, column 14: found 'one' in scale.min; expected a whole number, the lowest answer on the "
        "scale. Correct the value.",
    ),
    "not whole": (
        ("scale: {min: 0, max: 1,", "scale: {min: 0, max: 1.5,"),
        "cafe.yaml, line 32, column 26: found '1.5' in constructs.Grief.scale.max; expected a whole number, the "
        "highest answer on the scale. Correct the value.",
    ),
    "empty scale": (
        ("scale: {min: 0, max: 1,", "scale: {min: 1, max: 1,"),
        "cafe.yaml, line 32, column 12: found a scale from 1 to 1 in constructs.Grief.scale; expected min below max. "
        "Correct min or max.",
    ),
    "label outside the scale": (
        (", 5: {en: high, zh: 高}", ", 6: {en: high, zh: 高}"),
        "cafe.yaml, line 5, column 55: found labels for 6 in scale; expected points from 1 to 5. Correct labels, min "
        "or max.",
    ),
    "label that is no point": (
        (", 5: {en: high, zh: 高}", ", top: {en: high, zh: 高}"),
        "cafe.yaml, line 5, column 55: found 'top' in scale.labels; expected a mapping from scale points (whole "
        "numbers) to {en: ..., zh: ...}. Correct the key.",
    ),
    "neither true nor false": (
        ("reverse: true", "reverse: maybe"),
        "cafe.yaml, line 19, column 57: found 'maybe' in constructs.Taste.facets.1.items.T2.reverse; expected true "
        "when a high answer means little of the construct, else false. Correct the value.",
    ),
    "word not on the list": (
        ("mode: formative", "mode: formativ"),
        "cafe.yaml, line 14, column 11: found 'formativ' in constructs.Taste.mode; expected reflective or formative. "
        "Correct the value.",
    ),
    "text where a mapping belongs": (
        ("complaints: {construct: Grief, higher: more_complaints}", "complaints: Grief"),
        "cafe.yaml, line 10, column 13: found 'Grief' in complaints; expected a mapping with construct and higher. "
        "Correct the value.",
    ),
    "text where a list belongs": (
        ("  Joy: [Taste]", "  Joy: Taste"),
        "cafe.yaml, line 39, column 8: found 'Taste' in paths.Joy; expected a mapping from a construct to a list of "
        "constructs behind it. Correct the value.",
    ),
    "list where text belongs": (
        ("name: cafe", "name: [cafe]"),
        "cafe.yaml, line 2, column 7: found a list in name; expected a short name of the survey. Correct the value.",
    ),
    "item without wording": (
        ("J2: {en: I felt at home, zh: 宾至如归}", "J2:"),
        "cafe.yaml, line 29, column 11: found nothing in constructs.Joy.facets.1.items.J2; expected an item: its "
        "wording, with reverse and scale where needed. Correct the value.",
    ),
    "item with reverse and no wording": (
        ("{en: I felt at home, zh: 宾至如归}", "{reverse: true}"),
        "cafe.yaml, line 29, column 15: found no text in constructs.Joy.facets.1.items.J2; expected en, zh or both. "
        "Write the words.",
    ),
    "empty wording": (
        ("{en: I felt at home, zh: 宾至如归}", '{en: " "}'),
        "cafe.yaml, line 29, column 20: found ' ' in constructs.Joy.facets.1.items.J2.en; expected the English text. "
        "Correct the value.",
    ),
    "name the model cannot hold": (
        ("J2:", "J 2:"),
        "cafe.yaml, line 29, column 11: found 'J 2' in constructs.Joy.facets.1.items; expected a name that model text "
        "can hold: a letter of any script, then letters, digits, '_' or '.'. Rename it here, and the column in the "
        "data with it.",
    ),
    "other version": (
        ("crmlab_questionnaire: 1", "crmlab_questionnaire: 2"),
        "cafe.yaml, line 1, column 23: found '2' in crmlab_questionnaire; expected 1, the version of the format that "
        "this crmlab reads. Correct the value.",
    ),
    "duplicate key": (
        ("          T2:", "          T1:"),
        "cafe.yaml, line 19, column 11: found the key 'T1' a second time in constructs.Taste.facets.1.items (first: "
        "line 18); expected it once. Remove or rename one of the two.",
    ),
    "duplicate key at the top": (
        ("id: guest", "index: Joy"),
        "cafe.yaml, line 7, column 1: found the key 'index' a second time (first: line 4); expected it once. Remove "
        "or rename one of the two.",
    ),
    "key that is no text": (
        ("  branch:", "  [branch]:"),
        "cafe.yaml, line 9, column 3: found a list or a mapping as a key in groups; expected text. Put it in quotes.",
    ),
    "item named twice": (
        ("J2:", "T1:"),
        "cafe.yaml, line 29, column 11: found the name 'T1' a second time (first: line 18); expected every construct, "
        "item, group and id column to have a name of its own. Rename one of the two.",
    ),
    "item named as a construct": (
        ("J2:", "Grief:"),
        "cafe.yaml, line 29, column 11: found the name 'Grief' a second time (first: line 30); expected every "
        "construct, item, group and id column to have a name of its own. Rename one of the two.",
    ),
    "group named as the id": (
        ("  branch:", "  guest:"),
        "cafe.yaml, line 9, column 3: found the name 'guest' a second time (first: line 7); expected every construct, "
        "item, group and id column to have a name of its own. Rename one of the two.",
    ),
    "index that is no construct": (
        ("index: Joy", "index: Joj"),
        "cafe.yaml, line 4, column 8: found 'Joj' in index, which is no construct; did you mean 'Joy'? Expected one "
        "of Taste, Joy, Grief. Correct the name or add the construct.",
    ),
    "complaints of no construct": (
        ("{construct: Grief,", "{construct: Sorrow,"),
        "cafe.yaml, line 10, column 25: found 'Sorrow' in complaints.construct, which is no construct; expected one "
        "of Taste, Joy, Grief. Correct the name or add the construct.",
    ),
    "path to no construct": (
        ("  Joy: [Taste]", "  joy: [Taste]"),
        "cafe.yaml, line 39, column 3: found 'joy' in paths, which is no construct; did you mean 'Joy'? Expected one "
        "of Taste, Joy, Grief. Correct the name or add the construct.",
    ),
    "path from no construct": (
        ("  Grief: [Taste, Joy]", "  Grief: [Tast, Joy]"),
        "cafe.yaml, line 40, column 11: found 'Tast' in paths.Grief, which is no construct; did you mean 'Taste'? "
        "Expected one of Taste, Joy, Grief. Correct the name or add the construct.",
    ),
    "path twice": (
        ("  Grief: [Taste, Joy]", "  Grief: [Taste, Joy, Taste]"),
        "cafe.yaml, line 40, column 23: found 'Taste' a second time in paths.Grief; expected each construct once. "
        "Remove one of the two.",
    ),
    "path to itself": (
        ("  Joy: [Taste]", "  Joy: [Taste, Joy]"),
        "cafe.yaml, line 39, column 16: found a path from 'Joy' to itself; expected another construct. Remove it.",
    ),
}


@pytest.mark.parametrize(("change", "message"), SCHEMA_FAULTS.values(), ids=SCHEMA_FAULTS)
def test_a_departure_from_the_schema_is_told_with_its_place(change: tuple[str, str], message: str) -> None:
    assert refusal(changed(*change)) == message


def test_every_item_without_a_scale_is_told() -> None:
    text = changed("scale: {min: 1, max: 5, labels: {1: {en: low, zh: 低}, 5: {en: high, zh: 高}}}", "scale:")
    lines = refusal(text).split("\n")
    assert lines[0] == "cafe.yaml has 5 errors:"
    assert lines[1] == (
        "  line 18, column 11: item 'T1' has no scale; expected one on the item, its construct or the whole file. Add "
        "one, as in scale: {min: 1, max: 10} at the top of the file."
    )
    assert [line.split(":")[0] for line in lines[2:]] == [f"  line {n}, column 11" for n in (19, 22, 28, 29)]


def test_no_construct_at_all() -> None:
    text = changed("constructs:\n", "constructs: {}\nother:\n")
    assert "line 11, column 13: found a mapping in constructs; expected a mapping from construct names to" in refusal(
        text
    )


def test_all_errors_are_listed_in_file_order() -> None:
    text = changed("index: Joy", "index: Jov")
    text = changed("id: guest", "id: guest\nid: visitor", text)
    text = changed("mode: formative", "modus: formative", text)
    text = changed("reverse: true", "reverse: perhaps", text)
    text = changed("  Grief: [Taste, Joy]", "  Grief: [Taste, Jo]", text)
    lines = refusal(text).split("\n")
    assert lines[0] == "cafe.yaml has 5 errors:"
    assert [line.partition(" in ")[0].partition(" a second")[0] for line in lines[1:]] == [
        "  line 4, column 8: found 'Jov'",
        "  line 8, column 1: found the key 'id'",
        "  line 15, column 5: found the unknown key 'modus'",
        "  line 20, column 57: found 'perhaps'",
        "  line 41, column 18: found 'Jo'",
    ]


YAML_FAULTS = {
    "empty": (
        "",
        "cafe.yaml, line 1, column 1: found an empty file; expected keys with values ('key: value'). Start the file "
        "with the line 'crmlab_questionnaire: 1'.",
    ),
    "list": (
        "- a",
        "cafe.yaml, line 1, column 1: found a list; expected keys with values ('key: value'). Start the file with the "
        "line 'crmlab_questionnaire: 1'.",
    ),
    "full-width colons everywhere": (
        "name：cafe\nindex：Joy",
        "cafe.yaml, line 1, column 1: found plain text; expected keys with values ('key: value'). Write ': ' (colon, "
        "space) after a key, not the full-width '：'.",
    ),
    "full-width colon once": (
        "name：cafe\nindex: Joy",
        "cafe.yaml, line 2, column 6: this is not readable YAML: mapping values are not allowed here. Write ': ' "
        "(colon, space) after a key, not the full-width '：'.",
    ),
    "colon in a wording": (
        "name: cafe: bar",
        "cafe.yaml, line 1, column 11: this is not readable YAML: mapping values are not allowed here. Put a wording "
        "that holds a colon in quotes, and indent keys of one level alike.",
    ),
    "tab": (
        "scale:\n\tmin: 1",
        "cafe.yaml, line 2, column 1: this is not readable YAML: found character '\\t' that cannot start any token. "
        "Indent with spaces, not with tabs.",
    ),
    "open quote": (
        "name: cafe\nindex: 'Joy",
        "cafe.yaml, line 2, column 12: this is not readable YAML: found unexpected end of stream. A quote or a "
        "bracket is opened and not closed.",
    ),
    "open bracket": (
        "missing: [99",
        "cafe.yaml, line 1, column 13: this is not readable YAML: expected ',' or ']', but got '<stream end>'. Close "
        "the bracket, and put a wording that holds a comma, a question mark or a bracket in quotes.",
    ),
    "text after a quote": (
        'name: "cafe" bar',
        "cafe.yaml, line 1, column 14: this is not readable YAML: expected <block end>, but found '<scalar>'. Indent "
        "keys of one level alike, and put wordings that hold quotes or colons in quotes.",
    ),
    "special character first": (
        "name: %cafe",
        "cafe.yaml, line 1, column 7: this is not readable YAML: found character '%' that cannot start any token. A "
        "wording that begins with a special character must stand in quotes.",
    ),
    "alias": (
        "name: &n cafe\nindex: *n",
        "cafe.yaml, line 2, column 8: this is not readable YAML: found an alias. A word that begins with * must stand "
        "in quotes; repeated parts are written out.",
    ),
    "endless alias": (
        "name: &n [*n]",
        "cafe.yaml, line 1, column 11: this is not readable YAML: found an alias. A word that begins with * must "
        "stand in quotes; repeated parts are written out.",
    ),
    "two documents": (
        "name: cafe\n---\nname: bar",
        "cafe.yaml, line 2, column 1: this is not readable YAML: but found another document. Remove the line ---: one "
        "file holds one questionnaire.",
    ),
    "control character": (
        "name: cafe\nindex: J\x07oy",
        "cafe.yaml, line 2, column 9: this is not readable YAML: special characters are not allowed, found '\\x07'. "
        "Remove the invisible control character.",
    ),
    "bottomless": (
        "[" * 2000,
        "cafe.yaml, line 1, column 1: this is not readable YAML: brackets are nested too deeply. Check quotes, "
        "brackets, colons and the indentation of this line and the one above.",
    ),
}


@pytest.mark.parametrize(("text", "message"), YAML_FAULTS.values(), ids=YAML_FAULTS)
def test_text_that_is_not_yaml_is_told_in_one_paragraph(text: str, message: str) -> None:
    assert refusal(text) == message


PARTS = st.recursive(
    st.sampled_from(["Taste", "Joy", "T1", "1", "99", "true", "", "~", "无", "a b", "1.5"]),
    lambda parts: st.one_of(
        st.lists(parts, max_size=3).map(lambda found: f"[{', '.join(found)}]"),
        st.lists(st.tuples(st.sampled_from(["en", "min", "label", "items", "T1", "Joy", "?"]), parts), max_size=3).map(
            lambda pairs: f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}"
        ),
    ),
    max_leaves=6,
)


PLACE = re.compile(r"cafe\.yaml(, | has \d+ errors:\n  )line \d+, column \d+: ")


def outcome(text: str) -> Questionnaire | str:
    try:
        return Questionnaire.from_text(text, source="cafe.yaml")
    except InputError as error:
        return str(error)


@settings(max_examples=200, deadline=None)
@given(line=st.integers(0, CLEAN.count("\n") - 1), part=PARTS)
def test_any_value_anywhere_is_read_or_refused_with_a_place(line: int, part: str) -> None:
    lines = CLEAN.split("\n")
    lines[line] = f"{lines[line].split(':')[0]}: {part}"
    found = outcome("\n".join(lines))
    if isinstance(found, str):
        assert PLACE.match(found)
    elif all(found.blocks.values()):
        assert {name: list(items) for name, items in found.model().blocks.items()} == found.blocks


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=80))
def test_any_other_text_is_refused_with_a_place(text: str) -> None:
    assert PLACE.match(refusal(text))


# ------------------------------------------------------------------------------------------------ files and names


def test_read_a_file_with_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "cafe.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + DESIGN.replace("\n", "\r\n").encode())
    found = Questionnaire.read(file)
    assert (found.source, found.label("T1", "zh")) == ("cafe.yaml", "咖啡是热的")
    file.write_bytes(b"\xef\xbb\xbf" + changed("mode: formative", "mode: x").replace("\n", "\r\n").encode())
    with pytest.raises(InputError, match=r"^cafe\.yaml, line 14, column 11: found 'x'"):
        Questionnaire.read(str(file))


def test_other_encodings_are_refused_with_a_place(tmp_path: Path) -> None:
    file = tmp_path / "cafe.yaml"
    file.write_bytes(DESIGN.encode("gb18030"))
    with pytest.raises(InputError) as caught:
        Questionnaire.read(file)
    # é is the first letter outside ASCII: 0xA8 0xA6 in GBK
    assert str(caught.value) == (
        "cafe.yaml, line 3, column 16: found the byte 0xA8; expected text in UTF-8. Save the file as UTF-8 in your "
        "editor (it may be in GBK or another encoding now)."
    )


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cafe.yaml"
    file.write_text(DESIGN, encoding="utf-8")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(
        InputError, match=r"^questionnaire: .*cafe\.yaml cannot be read \(Permission denied\); expected a "
    ):
        Questionnaire.read(file)


def test_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        Questionnaire.read("no/such.yaml")
    assert str(caught.value) == (
        "questionnaire: no/such.yaml does not exist; expected a YAML file or one of the shipped names acsi, "
        "course_csi, ecsi, loyalty_value. Correct the path."
    )
    with pytest.raises(InputError, match="is a folder; expected a YAML file"):
        Questionnaire.read(tmp_path)


def test_read_takes_a_shipped_name_unless_a_file_bears_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Questionnaire.read("ecsi") == Questionnaire.shipped("ecsi")
    (tmp_path / "ecsi").write_text(DESIGN, encoding="utf-8")
    assert Questionnaire.read("ecsi").name == "cafe"


def test_shipped_refuses_other_names() -> None:
    with pytest.raises(
        InputError,
        match=r"^questionnaire: found the name 'esci'; expected one of acsi, course_csi, ecsi, loyalty_value\.",
    ):
        Questionnaire.shipped("esci")


# ------------------------------------------------------------------------------------------------------------ lint


def test_a_clean_design_has_no_findings() -> None:
    assert lint(CLEAN) == []


WITHOUT_JOY_ITEMS = re.sub(r"(?s)    facets:\n      - label: \{en: Overall.*?(?=  Grief:\n)", "", CLEAN)

FINDINGS = {
    "construct without items": (
        WITHOUT_JOY_ITEMS,
        "Construct Joy has no items: nothing measures it, and the model cannot be estimated. Give it two items or "
        "more, or remove it from constructs and paths.",
    ),
    "facet without items": (
        changed("          T3: {en: The cake is fresh, zh: 蛋糕新鲜}\n", ""),
        "Facet 'Cake' of Taste has no items: it is named but not asked about. Add an item, or remove the facet.",
    ),
    "single item": (
        changed("          J2: {en: I felt at home, zh: 宾至如归}\n", ""),
        "Construct Joy has a single item (J1): its reliability cannot be estimated, and its measurement error passes "
        "into the paths. Add an item, or say so in the report.",
    ),
    "double-barrelled": (
        changed("{en: The coffee is hot, zh: 咖啡是热的}", "{en: The coffee is hot and strong, zh: 咖啡热和浓}"),
        "Item T1 may ask two things (en: 'hot and strong', zh: '咖啡热和浓'): who agrees with one and not with the "
        "other cannot answer. Ask one thing, or make two items of it.",
    ),
    "in no path": (
        changed("  Grief: [Taste, Joy]\n", ""),
        "Construct Grief stands in no path: it neither explains the index nor follows from it. Add the path that is "
        "meant, or remove the construct.",
    ),
    "beside the index": (
        changed("Grief: [Taste, Joy]", "Grief: [Taste]"),
        "Construct Grief has no chain of paths to Joy or from it: it neither explains the index nor follows from it. "
        "Add the path that is meant, or remove the construct.",
    ),
    "unexplained index": (
        changed("  Joy: [Taste]\n  Grief: [Taste, Joy]", "  Taste: [Joy]\n  Grief: [Joy]"),
        "No path leads to Joy: nothing explains the index, and its priority map would be empty. State under paths "
        "what it follows from, as in Joy: [Quality].",
    ),
    "circle": (
        changed("  Joy: [Taste]", "  Joy: [Taste]\n  Taste: [Grief]"),
        "The paths run in a circle, Taste → Grief → Taste: no construct comes first, and total effects have no end. "
        "Remove one of these paths.",
    ),
    "unequal scales": (
        DESIGN,
        "Construct Taste mixes scales (T1, T2: 1–5; T3: 0–4): means, alpha and unstandardised weights of its items "
        "cannot be compared. Use one scale within a construct, or say in the report why not.",
    ),
    "missing translations": (
        CLEAN.replace("{en: Café, zh: 咖啡馆}", "Café")
        .replace(", zh: 高", "")
        .replace(", zh: 蛋糕}", "}")
        .replace("en: Branch, ", ""),
        "Chinese text (zh) is missing for the title, label 5 on the scale, facet 'Cake' of Taste: who answers or "
        "reads in Chinese sees English there. Add zh.",
    ),
    "one language only": (
        re.sub(r", zh: [^,}]+", "", CLEAN),
        "The questionnaire has no Chinese text (zh): the English text stands in. Add zh to each text, or use the "
        "questionnaire in English only.",
    ),
    "the same question twice": (
        changed("en: I felt at home,", "en: I had a GOOD time!,"),
        "Items J1 and J2 have the same words (en: 'I had a good time'): the same question asked twice adds no "
        "information, yet makes alpha look better. Reword or remove one.",
    ),
    "the same label twice": (
        changed("label: {en: Joy, zh: 快乐}", "label: {en: Taste, zh: 快乐}"),
        "Constructs Taste and Joy have the same words (en: 'Taste'): a reader of the report cannot tell them apart. "
        "Reword or remove one.",
    ),
    "the same facet twice": (
        changed("{en: Cake, zh: 蛋糕}", "{en: Food, zh: 饮料}"),
        "In Taste, facets 1 and 2 have the same words (zh: '饮料'): a reader of the codebook cannot tell them apart. "
        "Reword or remove one.",
    ),
    "missing code in the scale": (
        changed("missing: [99, -1,", "missing: [99, 1,"),
        "Missing code 1 lies inside the scale 1–5 of T1, T2, T3, J1, J2: a real answer would be taken for no answer. "
        "Choose another code, such as 99 or -1.",
    ),
    "missing code that is a label": (
        changed('"n/a"', "Never"),
        "Missing code Never is a label on the scale of G1, G2: a real answer would be taken for no answer. Choose "
        "another code, such as 99 or -1.",
    ),
    "reversed without labels": (
        changed("5: {en: high, zh: 高}", "4: {en: high, zh: 高}"),
        "Item T2 is reversed, but its scale is not labelled at both ends: nobody can check that 5 means little of "
        "Taste. Add scale labels for 1 and 5.",
    ),
    "leading": (
        changed("{en: I felt at home, zh: 宾至如归}", "{en: Surely I felt at home, zh: 大家都知道这里宾至如归}"),
        "Item J2 may lead to an answer (en: 'Surely', zh: '大家都知'): people agree with what sounds expected, and the "
        "index rises by wording alone. Ask it plainly.",
    ),
    "negation": (
        changed("{en: I felt at home, zh: 宾至如归}", "{en: I did not feel strange, zh: 我没有感到陌生}"),
        "Item J2 may be negated (en: 'not', zh: '没有'): to deny a denial is hard, and who overlooks the word answers "
        "the opposite. Say what is, with reverse: true if a high answer is bad.",
    ),
    "absolute word": (
        changed("{en: I felt at home, zh: 宾至如归}", "{en: I always felt at home, zh: 总是宾至如归}"),
        "Item J2 may admit no exception (en: 'always', zh: '总是'): one bad day makes an honest satisfied customer "
        "disagree. Leave the word out, or ask how often.",
    ),
    "too long": (
        changed("en: I felt at home", f"en: I felt {'very ' * 30}much at home"),
        "Item J2 is long (en: '35 words'): readers skim, and who skims does not answer what was asked. Cut it to one "
        "short sentence (at most 25 words, 40 characters in Chinese).",
    ),
    "agreement in one direction": (
        changed("5: {en: high, zh: 高}", "5: {en: agree, zh: 高}").replace(", reverse: true", ""),
        "No item is reversed although people are asked whether they agree: who says yes to everything (acquiescence) "
        "looks satisfied, and careless answers cannot be told from careful ones. Turn an item or two round in words of "
        "their own (slow instead of not quick) with reverse: true, or label the scale by what is asked (very poor … "
        "very good).",
    ),
    "no way out": (
        re.sub(r"missing: .*\n", "", CLEAN),
        "The file does not say what becomes of somebody who cannot answer (neither missing nor dont_know): a guess is "
        "then counted as an opinion. Add dont_know: {en: Don't know, zh: 不清楚} to offer a box, or the code that "
        "stands for no answer, as in missing: [99].",
    ),
    "complaints without direction": (
        changed("complaints: {construct: Grief, higher: more_complaints}\n", ""),
        "Construct Grief is about complaints, but the file does not say what a high answer means: the signs of its "
        "paths cannot be judged. Add complaints: {construct: Grief, higher: better_handling}, or more_complaints.",
    ),
}


@pytest.mark.parametrize(("text", "message"), FINDINGS.values(), ids=FINDINGS)
def test_each_rule_speaks_where_it_should(text: str, message: str) -> None:
    # CLEAN, which has no findings, is the case in which each rule is silent.
    assert message in lint(text)
    assert lint(text) == lint(text)


@pytest.mark.parametrize(
    "name", sorted(FINDINGS.keys() - {"missing translations", "missing code in the scale", "circle"})
)
def test_one_fault_one_finding(name: str) -> None:
    assert len(lint(FINDINGS[name][0])) == 1


def test_each_finding_has_its_rule_and_its_reference() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    told = [Questionnaire.from_text(text).lint_table().set_index("finding") for text, _ in FINDINGS.values()]
    for table, (_, message) in zip(told, FINDINGS.values(), strict=True):
        assert re.search(r"\(\d{4}\)\.", table.loc[message, "reference"])
    assert {table.loc[message, "rule"] for table, (_, message) in zip(told, FINDINGS.values(), strict=True)} == {
        rule.name for rule in RULES
    }


def test_every_message_gives_a_reason_and_a_remedy() -> None:
    """After the colon the reason, after the full stop what to do."""
    for _, message in FINDINGS.values():
        assert re.search(r": .*[.)] [A-Z][^.]*", message), message


@pytest.mark.parametrize(
    ("find", "wording", "language"),
    [
        (leading, "The shop is obviously clean", "en"),
        (leading, "I like our award-winning staff", "en"),
        (leading, "您不觉得店内干净吗", "zh"),
        (negated, "The staff isn't polite", "en"),
        (negated, "There is no queue", "en"),
        (negated, "店员不热情", "zh"),
        (negated, "这里没有排队", "zh"),
        (absolute, "Nobody waits here", "en"),
        (absolute, "我从不需要等待", "zh"),
        (too_long, "店" * 41, "zh"),
    ],
)
def test_wordings_that_are_objected_to(find, wording: str, language: str) -> None:
    assert find(wording, language)


@pytest.mark.parametrize(
    ("find", "wording", "language"),
    [
        (leading, "The staff is excellent", "en"),
        (leading, "店员当时很热情", "zh"),
        (negated, "Whether or not I complained", "en"),
        (negated, "I noted the knot", "en"),
        (negated, "您满不满意", "zh"),
        (negated, "不仅便宜，质量也好", "zh"),
        (absolute, "All in all, I am satisfied", "en"),
        (absolute, "Overall quality", "en"),
        (absolute, "总的来说，我感到满意", "zh"),
        (too_long, "word " * 25, "en"),
    ],
)
def test_wordings_that_are_not_objected_to(find, wording: str, language: str) -> None:
    assert find(wording, language) is None


def test_a_missing_code_is_told_once_for_each_scale() -> None:
    told = [message.split(":")[0] for message in lint(changed("missing: [99, -1,", "missing: [99, 1,"))]
    assert told == [
        "Missing code 1 lies inside the scale 1–5 of T1, T2, T3, J1, J2",
        "Missing code 1 lies inside the scale 0–1 of G1, G2",
    ]


def test_a_chain_of_paths_is_connection_enough() -> None:
    chain = changed("  Joy: [Taste]\n  Grief: [Taste, Joy]", "  Grief: [Taste]\n  Joy: [Grief]")
    assert lint(chain) == []


@pytest.mark.parametrize(
    "wording",
    [
        "The staff are quick and friendly",
        "Is it safe and/or clean?",
        "How happy are you with price & quality?",
        "Service was fast, friendly, and fair",
        "Range of products and services and prices",
        "Handled well or poorly and quickly",
    ],
)
def test_two_questions_in_one_english(wording: str) -> None:
    assert double_barrelled(wording, "en") is not None


@pytest.mark.parametrize(
    "wording",
    [
        "How well or poorly was it handled?",
        "Range of products and services",
        "Are you satisfied or dissatisfied?",
        "How likely or unlikely is it?",
        "The balance between price and quality is right",
        "I would recommend it to friends or colleagues",
        "I come more and more often",
        "I come here whether it rains or not",
        "The landscape is orderly, the brand standard",
        "I come once or twice a week",
        "The terms and conditions are clear",
    ],
)
def test_one_question_english(wording: str) -> None:
    assert double_barrelled(wording, "en") is None


@pytest.mark.parametrize(
    "wording",
    [
        "店员热情和专业",
        "价格与质量",
        "商品的种类及摆放",
        "环境整洁以及安静",
        "送货或安装很快",
        "投诉处理及时和公正",
        "参与活动和抽奖很方便",
    ],
)
def test_two_questions_in_one_chinese(wording: str) -> None:
    assert double_barrelled(wording, "zh") is not None


@pytest.mark.parametrize(
    "wording",
    [
        "投诉处理及时",
        "我乐意参与活动",
        "与其他商店相比，价格实惠",
        "和我的期望相比如何",
        "产品和服务的种类",
        "店员态度温和",
        "向朋友或同事推荐",
        "满意或不满意",
        "价格与质量之间的关系",
        "服务与我的期望一致",
        "店内气氛和谐",
        "或许会再来",
        "与店员的沟通顺畅",
        "问题涉及的范围",
    ],
)
def test_one_question_chinese(wording: str) -> None:
    assert double_barrelled(wording, "zh") is None


GRAPHS = st.integers(1, 6).flatmap(
    lambda n: st.fixed_dictionaries(
        {f"c{i}": st.lists(st.sampled_from([f"c{j}" for j in range(n)]), unique=True) for i in range(n)}
    )
)


@given(steps=GRAPHS)
def test_circles_are_found_where_there_are_some_and_only_there(steps: dict[str, list[str]]) -> None:
    found = circles(steps)
    try:
        TopologicalSorter(steps).prepare()
    except CycleError:
        assert found
    else:
        assert not found
    for circle in found:
        assert circle[0] == circle[-1]
        assert all(there in steps[here] for here, there in pairwise(circle))
        assert len(set(circle)) == len(circle) - 1


# --------------------------------------------------------------------------------------------------- model and table


def test_model_text(cafe: Questionnaire) -> None:
    assert cafe.model_text() == (
        "Taste <~ T1 + T2 + T3\nJoy =~ J1 + J2\nGrief =~ G1 + G2\nJoy ~ Taste\nGrief ~ Taste + Joy"
    )


def test_the_model_says_what_the_questionnaire_says(cafe: Questionnaire) -> None:
    model = cafe.model()
    assert model.modes == {"Taste": "B", "Joy": "A", "Grief": "A"}
    assert {name: list(items) for name, items in model.blocks.items()} == cafe.blocks
    assert [list(path) for path in model.paths] == cafe.paths.to_numpy().tolist()


def test_no_model_without_items() -> None:
    with pytest.raises(InputError) as caught:
        Questionnaire.from_text(WITHOUT_JOY_ITEMS, source="cafe.yaml").model()
    assert str(caught.value) == (
        "cafe.yaml: found no items in Joy; expected at least one for each construct of the model. Add items, or "
        "remove the construct from constructs and paths."
    )


def test_table(cafe: Questionnaire) -> None:
    assert list(cafe.table().columns) == ["index", "construct", "facet", "item", "wording"]
    assert cafe.table().loc[2].tolist() == ["Joy index", "Taste", "Cake", "T3", "The cake is fresh"]
    assert cafe.table("zh").loc[2].tolist() == ["快乐指数", "口味", "蛋糕", "T3", "蛋糕新鲜"]
    assert cafe.table()["item"].tolist() == cafe.items.index.tolist()


def test_the_table_keeps_what_has_no_items() -> None:
    table = Questionnaire.from_text(WITHOUT_JOY_ITEMS).table()
    assert table.loc[3].tolist() == ["Joy index", "Joy", "", "", ""]


# ------------------------------------------------------------------------------------------------------- the drawing


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tree_shows_every_cell_of_the_table(language: str) -> None:
    ecsi = Questionnaire.shipped("ecsi")
    ax = ecsi.plot(language)
    shown = [text.get_text().replace("\n", " " if language == "en" else "") for text in ax.texts]
    table = ecsi.table(language)
    assert (
        shown[-4:]
        == {
            "en": ["1 Index", "2 Constructs (7)", "3 Facets (21)", "4 Items (24)"],
            "zh": ["一级 指数", "二级 潜变量（7）", "三级 维度（21）", "四级 题项（24）"],
        }[language]
    )
    for column in ("index", "construct", "facet", "item", "wording"):
        assert set(table[column]) <= set(shown), column
    assert ax.get_title(loc="left") == {"en": "Indicator tree in four levels", "zh": "四级指标体系"}[language]


def test_nothing_in_the_tree_overlaps_or_sticks_out() -> None:
    ax = Questionnaire.shipped("ecsi").plot("en")
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not [(i, j) for i, a in enumerate(boxes) for j, b in enumerate(boxes) if i < j and a.overlaps(b)]
    page = ax.figure.bbox
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1 for box in boxes)


def test_alternative_text_of_the_tree(cafe: Questionnaire) -> None:
    assert style.alt(cafe.plot()) == (
        "Tree of four levels. Under Joy index stand these constructs (and their items): Taste (T1, T2, T3); Joy (J1, "
        "J2); Complaints (G1, G2)."
    )
    assert style.alt(cafe.plot("zh")) == (
        "四级指标树。快乐指数之下有以下潜变量（括号内为题项）：口味（T1、T2、T3）；快乐（J1、J2）；抱怨（G1、G2）。"
    )
    assert "Joy (no items)" in style.alt(Questionnaire.from_text(WITHOUT_JOY_ITEMS).plot())


def test_the_tree_takes_other_labels_and_shortens_long_ones(cafe: Questionnaire) -> None:
    ax = indicator_tree(cafe.table(), labels={"Joy": "Delight", "The cake is fresh": "very long " * 30})
    shown = [text.get_text() for text in ax.texts]
    assert "Delight" in shown
    long = next(text for text in shown if text.startswith("very long"))
    assert long.endswith("…")
    assert long.count("\n") == 1


def test_the_tree_refuses_what_it_cannot_draw(cafe: Questionnaire) -> None:
    with pytest.raises(ValueError, match=r"^language: found 'fr'; expected 'en' or 'zh'\.$"):
        indicator_tree(cafe.table(), "fr")
    with pytest.raises(ValueError, match=r"^table: found no column facet, wording; expected one row an item"):
        indicator_tree(cafe.table().drop(columns=["facet", "wording"]))
    with pytest.raises(ValueError, match=r"^table: found no row; "):
        indicator_tree(cafe.table().iloc[:0])


# ------------------------------------------------------------------------------------------------ the shipped designs


def test_ecsi_is_the_published_model() -> None:
    # Tenenhaus et al. (2005), Figure 1 and Table 1; block and path order as in the published estimates.
    assert Questionnaire.shipped("ecsi").model_text() == (
        "Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5\n"
        "Expectation =~ CUEX1 + CUEX2 + CUEX3\n"
        "Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7\n"
        "Value =~ PERV1 + PERV2\n"
        "Satisfaction =~ CUSA1 + CUSA2 + CUSA3\n"
        "Complaints =~ CUSCO\n"
        "Loyalty =~ CUSL1 + CUSL2 + CUSL3\n"
        "Expectation ~ Image\n"
        "Quality ~ Expectation\n"
        "Value ~ Expectation + Quality\n"
        "Satisfaction ~ Image + Expectation + Quality + Value\n"
        "Complaints ~ Satisfaction\n"
        "Loyalty ~ Image + Satisfaction + Complaints"
    )


def test_acsi_is_the_published_model() -> None:
    # Fornell et al. (1996), Figure 1 and Table 1: 15 items, nine paths.
    acsi = Questionnaire.shipped("acsi")
    assert acsi.constructs["n_items"].to_dict() == {
        "Expectations": 3,
        "Quality": 3,
        "Value": 2,
        "Satisfaction": 3,
        "Complaints": 1,
        "Loyalty": 3,
    }
    assert [f"{row['from']}→{row['to']}" for row in acsi.paths.to_dict("records")] == [
        "Expectations→Quality",
        "Expectations→Value",
        "Quality→Value",
        "Expectations→Satisfaction",
        "Quality→Satisfaction",
        "Value→Satisfaction",
        "Satisfaction→Complaints",
        "Satisfaction→Loyalty",
        "Complaints→Loyalty",
    ]
    assert acsi.complaints == {"construct": "Complaints", "higher": "more_complaints"}
    assert acsi.items.index[acsi.items["reverse"]].tolist() == ["LOY3"]


def test_course_csi_is_the_course_model() -> None:
    course = Questionnaire.shipped("course_csi")
    assert course.constructs["zh"].tolist() == [
        "预期质量",
        "感知质量",
        "感知价格",
        "顾客满意度",
        "顾客抱怨",
        "顾客忠诚度",
    ]
    assert course.constructs["role"].tolist() == ["antecedent"] * 3 + ["index"] + ["outcome"] * 2
    assert course.constructs["n_items"].between(2, 7).all()
    assert (len(course.items), set(course.items["points"]), course.missing_codes) == (22, {10}, [99])
    assert (course.id, list(course.groups)) == ("respondent", ["store"])
    assert course.complaints == {"construct": "Complaints", "higher": "better_handling"}


def test_loyalty_value_holds_the_item_groups_of_the_course() -> None:
    """Course map B13 (seven measures of value), E18 (ideas, behaviour, look and sound), A3 (loyalty as a composite)."""
    design = Questionnaire.shipped("loyalty_value")
    assert design.facets.groupby("construct", sort=False).size().to_dict() == {
        "Value": 7,
        "Satisfaction": 3,
        "Loyalty": 5,
    }
    assert design.constructs["mode"].to_dict() == {
        "Value": "reflective",
        "Satisfaction": "reflective",
        "Loyalty": "formative",
    }


def test_what_lint_finds_in_the_shipped_designs_is_true_of_them() -> None:
    findings = {
        name: [message.split(":")[0] for message in Questionnaire.shipped(name).lint()] for name in shipped_names()
    }
    assert findings == {
        "acsi": ["Construct Complaints has a single item (COM1)"],
        # The course asks for agreement with 22 favourable statements.
        "course_csi": ["No item is reversed although people are asked whether they agree"],
        # Each of these items asks about two things in the original, too.
        "ecsi": [
            "Construct Complaints has a single item (CUSCO)",
            "Item IMAG2 may ask two things (en",
            "Item IMAG5 may ask two things (en",
            "Item PERQ3 may ask two things (en",
            "Item PERQ6 may ask two things (en",
            "Item PERQ7 may ask two things (en",
            "The file does not say what becomes of somebody who cannot answer (neither missing nor dont_know)",
        ],
        "loyalty_value": [],
    }


def test_ecsi_names_the_columns_of_the_survey() -> None:
    assert set(Questionnaire.shipped("ecsi").items.index) == set(load_mobi().columns)


def test_course_csi_names_the_columns_of_the_simulated_survey() -> None:
    course, survey = Questionnaire.shipped("course_csi"), load_survey(n=20)
    assert [course.id, *course.groups, *course.items.index] == list(survey.data.columns)
    assert course.items["construct"].to_dict() == survey.truth.items["construct"].to_dict()


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_design_speaks_both_languages(name: str) -> None:
    design = Questionnaire.shipped(name)
    chinese = re.compile(r"[\u4e00-\u9fff]")
    assert design.name == name
    assert all(
        chinese.search(text) for text in pd.concat([design.items["zh"], design.constructs["zh"], design.facets["zh"]])
    )
    assert not any(chinese.search(text) for text in pd.concat([design.items["en"], design.constructs["en"]]))
