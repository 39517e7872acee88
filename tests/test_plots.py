"""Figures: what is on the axes, what the alternative text says, that SVG is reproducible and Chinese is printable."""

import hashlib
import os
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ElementTree
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

import crmlab
from crmlab.plots import csi, csi_texts, layout, style

PACKAGE = Path(crmlab.__file__).parent

# The structural model of the ECSI mobile-phone survey with its twelve coefficients: SmartPLS 2.0.M3, path scheme, as
# kept in the tests of the R package semPLS. R²: seminr 0.2.1. Indexes and intervals are stand-ins; a figure prints
# what it gets.
PATHS = pd.DataFrame(
    [
        ("Image", "Expectation", 0.50491393),
        ("Expectation", "Quality", 0.55674896),
        ("Expectation", "Value", 0.04998839),
        ("Quality", "Value", 0.55830438),
        ("Image", "Satisfaction", 0.17873950),
        ("Expectation", "Satisfaction", 0.06252287),
        ("Quality", "Satisfaction", 0.51202394),
        ("Value", "Satisfaction", 0.19476510),
        ("Satisfaction", "Complaints", 0.52806625),
        ("Image", "Loyalty", 0.19575534),
        ("Satisfaction", "Loyalty", 0.48547762),
        ("Complaints", "Loyalty", 0.06692607),
    ],
    columns=["from", "to", "estimate"],
).assign(ci_lower=lambda t: t["estimate"] - 0.12, ci_upper=lambda t: t["estimate"] + 0.12)
R_SQUARED = pd.Series(
    {"Expectation": 0.2549, "Quality": 0.3100, "Value": 0.3453, "Satisfaction": 0.6811, "Complaints": 0.2789}
    | {"Loyalty": 0.4569}
)
CONSTRUCTS = ["Image", "Expectation", "Quality", "Value", "Satisfaction", "Complaints", "Loyalty"]
INDEX = pd.DataFrame(
    {"index": [73.5, 72.5, 75.0, 62.3, 72.454, 67.4, 70.9]}, index=pd.Index(CONSTRUCTS, name="construct")
).assign(ci_lower=lambda t: t["index"] - 2, ci_upper=lambda t: t["index"] + 2.5)
COURSE_MODEL = [
    *[("Expected quality", "Perceived quality"), ("Expected quality", "Perceived price")],
    *[("Perceived quality", "Perceived price"), ("Expected quality", "Satisfaction")],
    *[("Perceived quality", "Satisfaction"), ("Perceived price", "Satisfaction")],
    *[("Satisfaction", "Complaints"), ("Satisfaction", "Loyalty"), ("Complaints", "Loyalty")],
]
CHINESE = dict(zip(CONSTRUCTS, ["形象", "预期", "感知质量", "感知价值", "顾客满意度", "抱怨", "忠诚度"], strict=True))
PRIORITIES = pd.DataFrame(
    {
        "importance": [0.42, 0.43, 0.64, 0.14],
        "performance": [73.5, 72.5, 62.3, 75.0],
        "quadrant": ["keep up", "keep up", "act now", "possible overkill"],
    },
    index=pd.Index(["Image", "Expectation", "Value", "Quality"], name="construct"),
)
GROUPS = pd.DataFrame(
    {
        "group": ["North", "South", "East", "North"],
        "construct": ["Satisfaction", "Satisfaction", "Satisfaction", "Loyalty"],
        "n": [150, 90, 10, 150],
        "index": [70.0, 75.0, 80.0, 10.0],
        "ci_lower": [68.0, 72.0, np.nan, 8.0],
        "ci_upper": [72.5, 78.0, np.nan, 12.0],
    }
)
WEIGHTS = pd.DataFrame(
    {
        "construct": ["Value", "Value", "Loyalty", "Loyalty"],
        "item": ["PERV1", "PERV2", "CUSL1", "CUSL2"],
        "weight": [0.479, 0.604, 0.461, 0.114],
        "weight_ci_lower": [0.44, 0.56, 0.40, -0.02],
        "weight_ci_upper": [0.51, 0.66, 0.52, 0.23],
    }
)


FIGURES = {
    "construct_bars": lambda **options: csi.construct_bars(INDEX, highlight="Satisfaction", **options),
    "path_diagram": lambda **options: csi.path_diagram(PATHS, R_SQUARED, INDEX, **options),
    "priority_map": lambda **options: csi.priority_map(PRIORITIES, **options),
    "group_intervals": lambda **options: csi.group_intervals(GROUPS, "Satisfaction", **options),
    "weights_bars": lambda **options: csi.weights_bars(WEIGHTS, **options),
}
OPTIONS = {"en": {"language": "en"}, "zh": {"language": "zh", "labels": CHINESE}}


def texts_of(ax):
    return [text.get_text() for text in ax.texts]


def row_names(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def ink_lines(ax):
    """End points of the dark lines: intervals, without the light rims below them."""
    return [line.get_xydata().tolist() for line in ax.lines if to_hex(line.get_color()).upper() == style.PALETTE["ink"]]


# Style


def lightness(rgb):
    """CIE 1976 L* of a colour given in sRGB, 0–1 (CIE 15:2004, with the sRGB luminance of IEC 61966-2-1)."""
    return 116 * np.cbrt(linear(rgb) @ [0.2126, 0.7152, 0.0722]) - 16


def linear(rgb):
    rgb = np.asarray(rgb)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


# Machado, Oliveira & Fernandes (2009), severity 1.0, applied to linear RGB.
COLOUR_BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def test_series_colours_differ_by_lightness_in_grey_print():
    values = sorted(lightness(to_rgb(colour)) for colour in style.SERIES)
    assert np.diff(values).min() >= 14


@pytest.mark.parametrize("kind", COLOUR_BLINDNESS)
def test_series_colours_differ_for_colour_blind_readers(kind):
    seen = [np.clip(COLOUR_BLINDNESS[kind] @ linear(to_rgb(colour)), 0, 1) for colour in style.SERIES]
    values = sorted(116 * np.cbrt(rgb @ [0.2126, 0.7152, 0.0722]) - 16 for rgb in seen)
    assert np.diff(values).min() >= 8


def test_highlight_and_main_differ_in_grey_print():
    assert lightness(to_rgb(style.PALETTE["main"])) - lightness(to_rgb(style.PALETTE["highlight"])) >= 25


def test_use_style_twice_is_use_style_once():
    style.use_style()
    once = dict(matplotlib.rcParams)
    style.use_style()
    assert dict(matplotlib.rcParams) == once


def test_the_packaged_font_is_registered_once():
    from matplotlib.font_manager import fontManager

    style.chinese_font()
    style.chinese_font()
    entries = [entry.weight for entry in fontManager.ttflist if Path(entry.fname).name == "NotoSansSC-GB2312.ttf"]
    assert sorted(entries) == [400, 700]


def test_the_font_is_the_one_its_card_describes():
    folder = PACKAGE / "plots" / "fonts"
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256((folder / "NotoSansSC-GB2312.ttf").read_bytes()).hexdigest() in card
    assert "SIL OPEN FONT LICENSE Version 1.1" in (folder / "OFL.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def printable():
    from fontTools.ttLib import TTFont
    from matplotlib import font_manager

    files = [PACKAGE / "plots" / "fonts" / "NotoSansSC-GB2312.ttf", font_manager.findfont("DejaVu Sans")]
    codes = set()
    for file in files:
        with TTFont(file) as font:
            codes |= set(font.getBestCmap())
    return {chr(code) for code in codes} | {"\n"}


def test_font_covers_gb2312(printable):
    # GB 2312-80, rows 16–87: the 6,763 characters of levels 1 and 2.
    rows = [bytes([row, cell]) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF)]
    characters = {code.decode("gb2312", "ignore") for code in rows} - {""}
    assert len(characters) == 6763
    assert characters <= printable


@pytest.mark.parametrize("design", sorted((PACKAGE / "questionnaires").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_questionnaire_can_be_printed(design, printable):
    assert set(design.read_text(encoding="utf-8")) - printable == set()


def test_every_text_of_a_figure_can_be_printed(printable):
    assert set("".join(text for table in csi_texts.TEXTS.values() for text in table.values())) - printable == set()


def test_both_languages_say_the_same_things_with_the_same_blanks():
    blanks = {
        language: {key: set(re.findall(r"{(\w+)}", text)) for key, text in table.items()}
        for language, table in csi_texts.TEXTS.items()
    }
    assert blanks["en"] == blanks["zh"]


def test_blank_alternative_text_is_refused():
    with pytest.raises(ValueError, match="alternative text: it is blank"):
        style.set_alt(plt.subplots()[1], " \n ")


# SVG


@pytest.mark.parametrize("name", FIGURES)
def test_svg_has_the_same_bytes_every_time(name):
    assert style.svg(FIGURES[name](**OPTIONS["zh"])) == style.svg(FIGURES[name](**OPTIONS["zh"]).get_figure())


def test_svg_has_the_same_bytes_in_another_process():
    lines = [
        "import pandas as pd",
        "from crmlab.plots import csi, style",
        "paths = pd.DataFrame({'from': ['A', 'B', 'A'], 'to': ['B', 'C', 'C'], 'estimate': [0.5, -0.2, 0.1]})",
        "index = pd.DataFrame({'index': [70.0, 60.0]}, index=['A', 'B'])",
        "page = style.svg(csi.path_diagram(paths, pd.Series({'C': 0.3}), index, labels={'A': '形象'}, language='zh'))",
    ]
    here: dict[str, str] = {}
    exec("\n".join(lines), here)
    command = [sys.executable, "-c", "\n".join([*lines, "import sys; sys.stdout.buffer.write(page.encode('utf-8'))"])]
    there = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": "77"}, capture_output=True, check=True).stdout
    assert there.decode("utf-8") == here["page"]


def test_svgs_share_a_page_without_sharing_an_id():
    pages = [style.svg(draw()) for draw in FIGURES.values()]
    ids = [re.findall(r'\bid="([^"]+)"', page) for page in pages]
    assert all(len(found) == len(set(found)) for found in ids)
    assert all(not set(a) & set(b) for a, b in combinations(ids, 2))
    for page, found in zip(pages, ids, strict=True):
        used = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page)
        assert {a or b for a, b in used} <= set(found)
        assert used


def test_svg_is_one_accessible_element_without_outside_addresses():
    ax = plt.subplots()[1]
    ax.set_title("Bars & more")
    style.set_alt(ax, 'He said "a < b".')
    page = style.svg(ax)
    root = ElementTree.fromstring(page)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == 'He said "a < b".'
    assert root[0].tag.endswith("title")
    assert root[0].text == "Bars & more"
    assert "<?xml" not in page
    assert "<style" not in page
    assert set(re.findall(r"https?://[^\"]*", page)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_svg_without_alternative_text_is_refused():
    with pytest.raises(ValueError, match="no alternative text"):
        style.svg(plt.subplots()[0])


# Every figure


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("language", OPTIONS)
def test_every_figure_has_title_axis_name_and_alternative_text_in_its_language(name, language):
    ax = FIGURES[name](**OPTIONS[language])
    for text in (ax.get_title(loc="left"), ax.get_xlabel(), style.alt(ax)):
        assert bool(re.search("[一-鿿]", text)) == (language == "zh"), text
        assert text


@pytest.mark.parametrize("name", FIGURES)
def test_chinese_figures_miss_no_glyph(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FIGURES[name](**OPTIONS["zh"]).get_figure().canvas.draw()


def test_figures_draw_on_the_axes_they_are_given():
    _, (left, right) = plt.subplots(1, 2)
    assert csi.construct_bars(INDEX, ax=left) is left
    assert csi.path_diagram(PATHS, R_SQUARED, INDEX, ax=right) is right
    assert len(plt.get_fignums()) == 1


def test_type_shrinks_with_the_room_of_a_path_diagram():
    _, axes = plt.subplots(1, 2)
    small = csi.path_diagram(PATHS, R_SQUARED, INDEX, ax=axes[0])
    large = csi.path_diagram(PATHS, R_SQUARED, INDEX)
    assert small.texts[0].get_fontsize() < 0.6 * large.texts[0].get_fontsize()


@pytest.mark.parametrize("name", ["construct_bars", "weights_bars", "group_intervals"])
@pytest.mark.parametrize(
    "text", ["How well did the products and services meet what I personally need? ", "我对其总体质量的期望，"]
)
def test_long_names_are_broken_so_that_nothing_overlaps_or_leaves_the_figure(name, text):
    labels: dict[str, str] = dict.fromkeys([*CONSTRUCTS, *GROUPS["group"], *WEIGHTS["item"]], (text * 2).strip())
    ax = FIGURES[name](labels=labels)
    figure = ax.get_figure()
    figure.draw_without_rendering()
    rows = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all("\n" in label for label in row_names(ax))
    assert not any(a.overlaps(b) for a, b in pairwise(rows))
    width, height = figure.get_size_inches() * figure.dpi
    for part in (*rows, ax.title.get_window_extent(), ax.xaxis.label.get_window_extent()):
        assert part.x0 >= 0
        assert part.x1 <= width
        assert part.y0 >= 0
        assert part.y1 <= height


def test_unknown_language_and_missing_columns_are_refused():
    with pytest.raises(ValueError, match="'fr' is unknown; choose one of en, zh"):
        csi.construct_bars(INDEX, language="fr")
    with pytest.raises(ValueError, match=r"priority_map: the table lacks \['quadrant'\]"):
        csi.priority_map(PRIORITIES.drop(columns="quadrant"))
    with pytest.raises(ValueError, match="construct_bars: the table has no rows"):
        csi.construct_bars(INDEX.iloc[:0])


# Construct bars


def test_bars_are_as_long_as_the_indexes_in_the_order_given():
    ax = csi.construct_bars(INDEX)
    assert [bar.get_width() for bar in ax.patches] == INDEX["index"].tolist()
    assert row_names(ax) == CONSTRUCTS
    assert ax.yaxis_inverted()
    assert ax.get_xlim() == (0, 100)


def test_bar_intervals_end_at_the_limits():
    limits = [
        [[low, row], [high, row]] for row, (low, high) in enumerate(zip(INDEX.ci_lower, INDEX.ci_upper, strict=True))
    ]
    assert ink_lines(csi.construct_bars(INDEX)) == limits


def test_the_highlighted_bar_alone_is_dark_and_bold():
    ax = csi.construct_bars(INDEX, highlight="Satisfaction")
    dark = [to_hex(bar.get_facecolor()).upper() == style.PALETTE["highlight"] for bar in ax.patches]
    bold = [label.get_fontweight() == "bold" for label in ax.get_yticklabels()]
    assert dark == bold == [name == "Satisfaction" for name in CONSTRUCTS]


def test_bar_values_are_printed_with_their_intervals():
    assert texts_of(csi.construct_bars(INDEX))[4] == "72.5 (70.5–75.0)"
    assert texts_of(csi.construct_bars(INDEX, language="zh"))[4] == "72.5（70.5–75.0）"


def test_bars_without_intervals_say_nothing_of_intervals():
    ax = csi.construct_bars(INDEX.assign(ci_lower=np.nan, ci_upper=np.nan))
    assert ink_lines(ax) == []
    assert texts_of(ax)[4] == "72.5"
    assert "interval" not in ax.get_xlabel() + style.alt(ax)


def test_bar_alternative_text_names_extremes_and_highlight():
    alt = style.alt(csi.construct_bars(INDEX, highlight="Satisfaction", labels={"Value": "Perceived value"}))
    assert "Satisfaction 72.5 (70.5–75.0)" in alt
    assert alt.endswith("Highest: Quality 75.0; lowest: Perceived value 62.3. Satisfaction is highlighted.")


def test_an_unknown_highlight_is_refused():
    with pytest.raises(ValueError, match="'Joy' is not in the table; choose one of"):
        csi.construct_bars(INDEX, highlight="Joy")


# Path diagram


@pytest.mark.parametrize(
    "edges", [list(zip(PATHS["from"], PATHS["to"], strict=True)), COURSE_MODEL], ids=["ecsi", "course"]
)
class TestLayout:
    LABEL = (0.38, 0.19)

    def arrange(self, edges):
        return layout.arrange(edges, "Satisfaction", label=self.LABEL)

    def test_boxes_keep_apart(self, edges):
        assert not any(a.overlaps(b) for a, b in combinations(self.arrange(edges).boxes.values(), 2))

    def test_no_arrow_runs_through_a_box_it_does_not_join(self, edges):
        drawn = self.arrange(edges)
        for edge, arrow in drawn.arrows.items():
            others = [box for name, box in drawn.boxes.items() if name not in edge]
            assert not any(box.holds(point) for box in others for point in arrow.points(200)), edge

    def test_arrows_keep_apart(self, edges):
        curves = [np.array(arrow.points(60)) for arrow in self.arrange(edges).arrows.values()]
        gaps = [np.linalg.norm(a[:, None] - b[None, :], axis=2).min() for a, b in combinations(curves, 2)]
        assert min(gaps) > 0.03

    def test_numbers_hide_neither_boxes_nor_numbers_nor_other_arrows(self, edges):
        drawn = self.arrange(edges)
        labels = {edge: layout.Box(*arrow.label, *self.LABEL) for edge, arrow in drawn.arrows.items()}
        assert not any(a.overlaps(b) for a, b in combinations(labels.values(), 2))
        assert not any(label.overlaps(box) for label in labels.values() for box in drawn.boxes.values())
        for edge, label in labels.items():
            others = [arrow for other, arrow in drawn.arrows.items() if other != edge]
            assert not any(label.holds(point) for arrow in others for point in arrow.points(200)), edge

    def test_arrows_join_the_borders_of_their_boxes(self, edges):
        drawn = self.arrange(edges)
        for (a, b), arrow in drawn.arrows.items():
            for name, point in ((a, arrow.start), (b, arrow.end)):
                assert drawn.boxes[name].holds(point, 1e-9)
                assert not drawn.boxes[name].holds(point, -1e-9)

    def test_time_runs_from_left_to_right(self, edges):
        boxes = self.arrange(edges).boxes
        assert all(boxes[a].x <= boxes[b].x for a, b in edges)
        assert (
            boxes["Loyalty"].x
            > boxes["Satisfaction"].x
            > boxes["Perceived quality" if len(boxes) == 6 else "Quality"].x
        )


def test_an_arrow_bends_around_a_box_in_its_way():
    drawn = layout.arrange([("A", "B"), ("B", "C"), ("A", "C")], "B")
    direct = drawn.arrows["A", "C"]
    assert drawn.boxes["A"].y == drawn.boxes["B"].y == drawn.boxes["C"].y
    assert not any(drawn.boxes["B"].holds(point) for point in direct.points(200))


def test_boxes_hold_name_index_and_r_squared():
    texts = texts_of(csi.path_diagram(PATHS, R_SQUARED, INDEX))
    for name, line in (
        ("Satisfaction", "Index 72.5   R² 0.68"),
        ("Image", "Index 73.5"),
        ("Value", "Index 62.3   R² 0.35"),
    ):
        assert texts[texts.index(name) + 1] == line


def test_numbers_on_arrows_are_the_estimates():
    ax = csi.path_diagram(PATHS, R_SQUARED, INDEX)
    expected = ["0.50", "0.56", "0.05", "0.56", "0.18", "0.06", "0.51", "0.19", "0.53", "0.20", "0.49", "0.07"]
    assert texts_of(ax)[-12:] == expected


def test_arrows_are_wide_by_size_and_dashed_when_the_interval_holds_zero():
    ax = csi.path_diagram(PATHS, R_SQUARED, INDEX)
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    widths = [arrow.get_linewidth() for arrow in arrows]
    assert np.argsort(widths, kind="stable").tolist() == np.argsort(PATHS["estimate"], kind="stable").tolist()
    dashed = [arrow.get_linestyle() != "solid" for arrow in arrows]
    grey = [to_hex(arrow.get_edgecolor()).upper() == style.PALETTE["grey"] for arrow in arrows]
    assert dashed == grey == (PATHS["estimate"] < 0.12).tolist()


def test_the_middle_box_is_the_highlight_or_the_busiest():
    for highlight, expected in ((None, "Satisfaction"), ("Quality", "Quality")):
        ax = csi.path_diagram(PATHS, R_SQUARED, INDEX, highlight=highlight)
        boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
        dark = [to_hex(box.get_facecolor()).upper() == style.PALETTE["highlight"] for box in boxes]
        names = [text for text in texts_of(ax) if text in CONSTRUCTS]
        assert [name for name, is_dark in zip(names, dark, strict=True) if is_dark] == [expected]


def test_boxes_hold_their_text_at_report_width():
    labels = {"Value": "Perceived price and value for money", "Quality": "感知质量与服务质量"}
    ax = csi.path_diagram(PATHS, R_SQUARED, INDEX, labels=labels)
    ax.get_figure().draw_without_rendering()
    boxes = [patch.get_window_extent() for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    inside = [text.get_window_extent() for text in ax.texts[:-12]]
    for text in inside:
        assert any(b.x0 <= text.x0 and text.x1 <= b.x1 and b.y0 <= text.y0 and text.y1 <= b.y1 for b in boxes)


def test_path_alternative_text_gives_every_coefficient_and_the_uncertain_ones():
    alt = style.alt(csi.path_diagram(PATHS, R_SQUARED.to_frame("r_squared"), INDEX))
    assert alt.startswith("Path diagram of 7 constructs and 12 paths around Satisfaction.")
    assert "Quality → Satisfaction 0.51" in alt
    assert alt.endswith(
        "Dashed, because the 95% interval holds zero: "
        "Expectation → Value, Expectation → Satisfaction, Complaints → Loyalty."
    )


def test_negative_coefficients_print_a_minus_sign_and_no_interval_means_no_dashes():
    paths = pd.DataFrame({"from": ["Satisfaction"], "to": ["Complaints"], "estimate": [-0.404]})
    ax = csi.path_diagram(paths, R_SQUARED, INDEX)
    assert texts_of(ax)[-1] == "−0.40"
    assert "interval" not in style.alt(ax) + ax.get_xlabel()


def test_a_construct_without_paths_cannot_be_in_the_middle():
    with pytest.raises(ValueError, match="'Joy' is in none of the 12 paths"):
        csi.path_diagram(PATHS, R_SQUARED, INDEX, highlight="Joy")


# Priority map


def test_points_stand_at_importance_and_performance():
    ax = csi.priority_map(PRIORITIES)
    act_now, others = ax.collections[-2:]
    assert act_now.get_offsets().tolist() == [[0.64, 62.3]]
    assert others.get_offsets().tolist() == [[0.42, 73.5], [0.43, 72.5], [0.14, 75.0]]


def test_quadrants_meet_at_the_means():
    ax = csi.priority_map(PRIORITIES)
    across, upwards = (line.get_xydata() for line in ax.lines[:2])
    # Means of the toy table: (0.42 + 0.43 + 0.64 + 0.14) / 4 and (73.5 + 72.5 + 62.3 + 75.0) / 4.
    assert across[:, 0].tolist() == pytest.approx([0.4075, 0.4075])
    assert upwards[:, 1].tolist() == pytest.approx([70.825, 70.825])


def test_the_quadrant_to_act_on_is_told_without_colour():
    ax = csi.priority_map(PRIORITIES)
    hatched, act_now, others = ax.collections
    box = hatched.get_paths()[0].get_extents()
    assert hatched.get_hatch()
    assert (box.x0, box.y1) == pytest.approx((0.4075, 70.825))
    assert len(act_now.get_paths()[0].vertices) != len(others.get_paths()[0].vertices)
    weights = {text.get_text(): text.get_fontweight() for text in ax.texts[:4]}
    assert weights == {"Act now": "bold", "Keep up": "normal", "Possible overkill": "normal", "Low priority": "normal"}


@pytest.mark.parametrize("seed", range(5))
def test_names_on_the_map_do_not_overlap(seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"importance": rng.uniform(0, 1, 7), "performance": rng.uniform(60, 80, 7), "quadrant": "keep up"},
        index=[f"Construct {k}" for k in range(7)],
    )
    ax = csi.priority_map(table)
    ax.get_figure().draw_without_rendering()
    extents = [text.get_window_extent() for text in ax.texts]
    assert not any(a.overlaps(b) for a, b in combinations(extents, 2))
    frame = ax.get_window_extent()
    assert all(frame.x0 <= e.x0 and e.x1 <= frame.x1 and frame.y0 <= e.y0 and e.y1 <= frame.y1 for e in extents)


def test_map_intervals_are_thin_crosses():
    table = PRIORITIES.assign(
        importance_ci_lower=0.1, importance_ci_upper=0.7, performance_ci_lower=60.0, performance_ci_upper=78.0
    )
    ax = csi.priority_map(table, level=0.9)
    assert [line.get_xydata().tolist() for line in ax.lines[2:4]] == [
        [[0.1, 73.5], [0.7, 73.5]],
        [[0.42, 60], [0.42, 78]],
    ]
    assert "90% intervals" in ax.get_xlabel()


def test_map_alternative_text_names_what_to_act_on():
    assert style.alt(csi.priority_map(PRIORITIES)).endswith("To act on now: Value.")
    assert "Value: importance 0.64, performance 62.3, Act now" in style.alt(csi.priority_map(PRIORITIES))
    calm = PRIORITIES[PRIORITIES["quadrant"] != "act now"]
    assert style.alt(csi.priority_map(calm, language="zh")).endswith("没有构念落在立即改进区。")


def test_an_unknown_quadrant_is_refused():
    with pytest.raises(ValueError, match=r"unknown quadrant \['wait'\]; expected \['act now'"):
        csi.priority_map(PRIORITIES.assign(quadrant="wait"))


# Groups


def test_group_dots_and_intervals_stand_at_their_values():
    ax = csi.group_intervals(GROUPS, "Satisfaction")
    assert ax.collections[0].get_offsets().tolist() == [[70, 0], [75, 1], [80, 2]]
    assert ink_lines(ax) == [[[68, 0], [72.5, 0]], [[72, 1], [78, 1]]]
    assert row_names(ax) == ["North (n = 150)", "South (n = 90)", "East (n = 10)"]


def test_the_dotted_line_is_the_mean_weighted_by_n():
    ax = csi.group_intervals(GROUPS, "Satisfaction")
    # (150 · 70 + 90 · 75 + 10 · 80) / 250
    assert ax.lines[0].get_xdata() == pytest.approx([72.2, 72.2])
    assert "mean of all 72.2" in texts_of(ax)


def test_a_group_without_interval_is_an_open_circle():
    fills = csi.group_intervals(GROUPS, "Satisfaction").collections[0].get_facecolors()
    assert [to_hex(fill).upper() == style.PALETTE["paper"] for fill in fills] == [False, False, True]


def test_group_alternative_text_gives_numbers_and_extremes():
    alt = style.alt(csi.group_intervals(GROUPS, "Satisfaction", labels={"North": "Northern branch"}))
    assert "Northern branch (n = 150) 70.0 (68.0–72.5)" in alt
    assert alt.endswith("Highest: East 80.0; lowest: Northern branch 70.0; mean weighted by n: 72.2.")


def test_a_construct_without_groups_is_refused():
    with pytest.raises(ValueError, match=r"'Image' is not in the table; choose one of \['Satisfaction', 'Loyalty'\]"):
        csi.group_intervals(GROUPS, "Image")


# Weights


def test_weights_stand_under_their_constructs():
    ax = csi.weights_bars(WEIGHTS, labels={"Value": "Perceived value", "PERV1": "Price given quality"})
    assert row_names(ax) == ["Perceived value", "Price given quality", "PERV2", "Loyalty", "CUSL1", "CUSL2"]
    assert [(bar.get_width(), round(bar.get_y() + bar.get_height() / 2)) for bar in ax.patches] == [
        (0.479, 1), (0.604, 2), (0.461, 4), (0.114, 5),
    ]  # fmt: skip
    assert texts_of(ax) == ["0.48", "0.60", "0.46", "0.11"]


def test_rows_of_one_construct_may_be_scattered_over_the_table():
    scattered = WEIGHTS.iloc[[0, 2, 1, 3]]
    bars = csi.weights_bars(scattered).patches
    assert [(bar.get_width(), round(bar.get_y() + 0.33)) for bar in bars] == [
        (0.479, 1),
        (0.461, 4),
        (0.604, 2),
        (0.114, 5),
    ]


def test_a_weight_whose_interval_holds_zero_is_hatched():
    ax = csi.weights_bars(WEIGHTS)
    assert [bool(bar.get_hatch()) for bar in ax.patches] == [False, False, False, True]
    assert style.alt(ax).endswith(
        "Value: PERV1 0.48, PERV2 0.60; Loyalty: CUSL1 0.46, CUSL2 0.11. Interval holds zero: CUSL2."
    )


def test_weights_of_one_construct():
    assert row_names(csi.weights_bars(WEIGHTS, construct="Loyalty")) == ["Loyalty", "CUSL1", "CUSL2"]
    with pytest.raises(ValueError, match="weights_bars: 'Image' is not in the table"):
        csi.weights_bars(WEIGHTS, construct="Image")
