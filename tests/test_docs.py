"""What the README says of the chapters is generated: the table, the timings, the pictures."""

import io
import re

import numpy as np
import pytest
from building import CHAPTERS, build, read, script
from matplotlib.image import imread

docs = script("docs/build.py")


def test_the_readme_is_what_make_readme_writes():
    text = docs.README.read_text("utf-8")
    assert docs.with_table(text) == text, "run make readme"


def test_the_table_lists_every_chapter_with_its_time_to_teach_and_to_run():
    rows = re.findall(
        r"(?m)^\| (\d+) \| \[(.+?)\]\(notebooks/(.+?)\.ipynb\) \| .*? \| (\d+) min \| (\d+) s \|$", docs.table()
    )
    assert [(int(number), name) for number, _, name, _, _ in rows] == [
        (int(target.name[:2]), target.name) for target in CHAPTERS
    ]
    for _, title, name, _, seconds in rows:
        assert re.search(r"[A-Za-z]{3} .*[\u4e00-\u9fff]", title), "in English and in Chinese"
        assert int(seconds) == build.timings()[name][1]


def test_the_timings_are_those_of_the_chapters_there_are():
    found = build.timings()
    assert list(found) == [target.name for target in CHAPTERS], "run make notebooks"
    assert {name: cells for name, (cells, _) in found.items()} == {
        target.name: len(read(target).cells) for target in CHAPTERS
    }
    text = build.TIMINGS.read_text("utf-8")
    assert re.search(r"with \d+ cores and \d+ GiB of memory, \d+ chapters at a time\.", text)
    assert not re.search(r"\b20\d\d\b", text), "no date: the same build gives the same page"


def test_all_chapters_build_in_under_six_minutes():
    """As measured by the last `make notebooks`, the whole build by the clock."""
    (elapsed,) = re.findall(r"all chapters together took (\d+) s", build.TIMINGS.read_text("utf-8"))
    assert int(elapsed) < 360


def test_a_chapter_without_a_chinese_title_is_named(monkeypatch):
    monkeypatch.delitem(docs.TITLES_ZH, CHAPTERS[0].name)
    with pytest.raises(docs.BuildError) as error:
        docs.table()
    assert str(error.value) == (
        "README: chapter 01_customer_lifecycle lacks a Chinese title in TITLES_ZH of docs/build.py."
    )


def test_a_readme_without_marks_is_refused():
    with pytest.raises(docs.BuildError, match="expected one line '<!-- written by make readme: chapters -->'"):
        docs.with_table("# crmlab")


def test_the_figure_shown_is_the_one_the_chapter_stores():
    picture, alt = docs.stored_figure()
    assert (docs.ROOT / "docs/figure.png").read_bytes() == picture, "run make readme"
    assert f"![{alt}](docs/figure.png)" in docs.README.read_text("utf-8")


@pytest.mark.parametrize("name", ["report.png", "lab.png", "figure.png"])
def test_a_picture_shows_something_and_is_small_enough_to_load(name):
    file = docs.ROOT / "docs" / name
    shot = imread(io.BytesIO(file.read_bytes()), format="png")[:, :, :3]
    assert 600 <= shot.shape[1] <= 1400
    assert len(np.unique((shot * 7).round() @ [1, 8, 64])) > 10
    assert file.stat().st_size < 400_000
    assert f"(docs/{name})" in docs.README.read_text("utf-8")
