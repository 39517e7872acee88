"""What a platform's codes stand for where the questionnaire cannot know it: value labels and codes for no answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from crmlab.errors import InputError
from crmlab.responses.cells import NO_ANSWER, as_text, own_labels, plain, usual_labels
from crmlab.responses.findings import listed
from crmlab.responses.table import Column

if TYPE_CHECKING:
    from crmlab.questionnaire import Questionnaire

# 问卷星 exports these numbers for a question that was skipped by a rule, and for one left blank.
_WENJUANXING = {"-3": "(跳过)", "-2": "(空)"}


def by_value_labels(
    name: str, item: str, column: Column, labels: Mapping[float, str], questionnaire: Questionnaire
) -> tuple[Column, str]:
    """An item's answers by what the codes are labelled as, where that is not what the codes say; and a remark.

    Respondents saw the labels. Where 1 is labelled "very satisfied" on a scale whose highest answer that is, or where
    codes run from 0, the labels decide.

    Raises
    ------
    InputError
        The labels contradict the codes, but some answers have no label that can be read.
    """
    low, high = float(questionnaire.items["min"][item]), float(questionnaire.items["max"][item])
    own = own_labels(questionnaire.scale_labels(item))
    texts = {code: plain(text) for code, text in labels.items() if plain(text) not in NO_ANSWER}
    known = usual_labels(set(texts.values()), low, high, own) | own
    meant = {code: known[text] for code, text in texts.items() if text in known}
    moved = {code: answer for code, answer in meant.items() if answer != code}
    if not moved:
        return column, ""
    told = listed([f"{code:g} = {labels[code]}" for code in moved], 3)
    if unlabelled := [as_text(code) for code in column.values if code not in meant]:
        raise InputError(
            f"{name}: the value labels of item {item} ({told}) contradict its scale {low:g}–{high:g} in the "
            f"questionnaire, and {listed(unlabelled, 5)} have no label that could be read instead. Correct the value "
            "labels in SPSS, or the scale labels in the questionnaire."
        )
    return column.renamed({code: text for code, text in labels.items() if code in meant}), (
        f"item {item}: read by its value labels ({told}), which are not what its codes say."
    )


def without_skip_codes(column: Column, low: float) -> Column:
    """Wenjuanxing's numbers for no answer as the words for it, unless they lie on the scale."""
    codes = {code: word for code, word in _WENJUANXING.items() if float(code) < low}
    return column.renamed({value: codes[as_text(value)] for value in column.values if as_text(value) in codes})
