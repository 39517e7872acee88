"""What chapter 2 must have found: the truth of the invented shops, and counts of CDNOW, whatever its parameters."""

import pytest

GRID = [
    {"seed": 1, "persons": 120},
    {"seed": 2, "persons": 200, "mess": 0.6, "threshold": 0.99},
]

# Rows of the file equal to an earlier one, and orders of 0.00, counted with awk on CDNOW_master.txt.
CDNOW_REPEATED, CDNOW_FREE = 255, 80


def as_published(found):
    """The committed chapter's numbers."""
    assert found["precision"] >= 0.95
    assert found["recall"] >= 0.85
    assert found["answers"]["hasty"]["customers"] > 1.3 * found["answers"]["cleaned"]["customers"], "far too high"


def holds(found, parameters):
    """What must be true whatever the parameters."""
    assert found["rules_wrong"] == 0, "each rule finds as many lines as were damaged"
    answers = found["answers"]
    assert answers["cleaned"]["revenue"] == answers["truth"]["revenue"]
    assert answers["cleaned and linked"]["revenue"] == answers["truth"]["revenue"]
    assert answers["hasty"]["revenue"] != pytest.approx(answers["truth"]["revenue"], rel=0.005)
    people = {name: answer["customers"] for name, answer in answers.items()}
    assert people["hasty"] > people["cleaned"] > people["cleaned and linked"] >= 0.97 * people["truth"]
    assert people["cleaned and linked"] - people["truth"] < (people["cleaned"] - people["truth"]) / 2, "mostly linked"
    assert found["recalls"] == sorted(found["recalls"], reverse=True), "stricter, fewer"
    assert (found["cdnow_repeated"], found["cdnow_free"]) == (CDNOW_REPEATED, CDNOW_FREE)
    # The formula of the chapter, written out: Ben bought 21, 13 and 4 days before.
    ben = 100 * (1 - 2**-0.5) * sum(2 ** (-days / 180) for days in (21, 13, 4))
    assert found["activity"]["Ben"] == pytest.approx(ben, rel=1e-5)
    assert found["activity"]["Anna"] < ben / 3
