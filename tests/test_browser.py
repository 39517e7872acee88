"""Every page a user gets, opened from disk in a real browser: reports, questionnaire forms, sheets for judges.

A page must open without network and without a word on the console, read the same on a screen, on a phone and on paper,
pass axe-core, and show what it holds: text that nothing cuts off, figures that were drawn, Chinese as Chinese whatever
fonts the machine has. One browser and one set of pages serve all tests.
"""

import base64
import io
import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from building import script
from fontTools.ttLib import TTFont
from matplotlib.image import imread
from playwright.sync_api import sync_playwright

from crmlab import Questionnaire, Transactions, csi, datasets, rfm, weighting
from crmlab.plots.page_font import FAMILY
from crmlab.plots.style import CHINESE_FONT
from crmlab.responses import read_responses
from crmlab.studies import comparison_report, csi_report, rfm_report, weights_report
from crmlab.studies.comparison import Comparison, Outcome

real = script("docs/browser.py")

pytestmark = pytest.mark.skipif(
    real.CHROMIUM is None,
    reason="no chromium on this machine; the pages were not opened. Debian: apt-get install chromium",
)

LANGUAGES = ("en", "zh")
KINDS = ("csi", "rfm", "weights", "waves", "regions", "form", "sheet")
PAGES = [f"{kind}-{language}" for kind in KINDS for language in LANGUAGES]
REPORTS = [name for name in PAGES if name.split("-")[0] in ("csi", "rfm", "weights", "waves", "regions")]
ENGLISH = [name for name in PAGES if name.endswith("en")]
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
#: How a page is looked at: size, scheme the reader prefers, medium.
VIEWS = {
    "desk": {"viewport": DESK},
    "phone": {"viewport": PHONE},
    "dark": {"viewport": DESK, "color_scheme": "dark"},
    "paper": {"viewport": {"width": 794, "height": 1123}},
}
MEDIA_BOX = re.compile(rb"/MediaBox \[0 0 ([.\d]+) ([.\d]+)\]")
WAVES = ((1, "2024"), (2, "2025"))
SCRIPT = "<script>alert('label')</script>"
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
    },
    "resultTypes": ["violations"],
}
#: On paper a Chinese page differs from an English one in its letters alone.
LOOKS = pytest.mark.parametrize(
    ("view", "name"),
    [(view, name) for view in ("desk", "phone") for name in PAGES] + [("paper", name) for name in ENGLISH],
)


def csi_pages() -> dict[str, str]:
    """The classroom survey with a gap, a fault, a group with a Chinese name, and a label that is a script."""
    text = Questionnaire.shipped("course_csi").text.replace("en: Perceived value", f'en: "{SCRIPT}"')
    design = Questionnaire.from_text(text, "course.yaml")
    answers = datasets.load_survey().data.replace({"store": {"Station": "车站店"}})
    answers.loc[3, "SA1"], answers.loc[5, "PQ1"] = None, 11
    responses = read_responses(answers, design)
    result = csi.estimate(design, responses, by="store", bootstrap=50, faults="missing")
    return {language: csi_report.html(result, language, responses=responses) for language in LANGUAGES}


def rfm_pages() -> dict[str, str]:
    analysis = rfm.analyse(Transactions(datasets.load_cdnow(sample=True), name="cdnow"), scheme="quantile")
    return {language: rfm_report.html(analysis, language) for language in LANGUAGES}


def weights_pages() -> dict[str, str]:
    design = Questionnaire.shipped("course_csi")
    responses = read_responses(datasets.load_survey().data, design)
    found = weighting.compare(design, responses, by="store")
    shaken = found.sensitivity("entropy", draws=50)
    return {
        language: weights_report.html(found, shaken, "entropy", language, responses=responses) for language in LANGUAGES
    }


def waves_pages() -> dict[str, str]:
    """Three waves side by side, one of them without an estimate and with a name that is a script."""
    design = Questionnaire.shipped("course_csi")
    found = {
        name: csi.estimate(design, datasets.load_survey(150, seed=seed).data, bootstrap=50) for seed, name in WAVES
    }
    outcomes = [Outcome(name, name, result.to_dict()) for name, result in found.items()]
    outcomes.append(Outcome(SCRIPT, "_script_", None, "2026.csv is empty."))
    files = [("data", f"{name}.csv", "0" * 64) for name in found]
    pages = {}
    for language in LANGUAGES:
        labels = {name: design.label(name, language) for name in design.constructs.index}
        compared = Comparison("csi", "file", language, labels, design.index, design.title[language], outcomes, files)
        pages[language] = comparison_report.html(compared)
    return pages


def regions_pages() -> dict[str, str]:
    orders = datasets.simulate_buyers(200, seed=1).orders
    outcomes = [
        Outcome(name, name, rfm.analyse(Transactions(part, name=name), scheme="quantile").to_dict())
        for name, part in orders.groupby("region")
    ]
    files = [("data", "sample.csv", "0" * 64)]
    return {
        language: comparison_report.html(Comparison("rfm", "region", language, {}, "", "", outcomes, files))
        for language in LANGUAGES
    }


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """Path by name, such as `csi-zh`."""
    folder = tmp_path_factory.mktemp("pages")
    texts = {"csi": csi_pages(), "rfm": rfm_pages(), "weights": weights_pages()}
    texts |= {"waves": waves_pages(), "regions": regions_pages()}
    design = Questionnaire.shipped("course_csi")
    texts["form"] = {language: design.form(language) for language in LANGUAGES}
    for kind, editions in texts.items():
        for language, text in editions.items():
            (folder / f"{kind}-{language}.html").write_text(text, encoding="utf-8")
    for language in LANGUAGES:
        weighting.write_judgement_sheet(design, folder / f"sheet-{language}.html", language=language)
    return {name: folder / f"{name}.html" for name in PAGES}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=real.CHROMIUM, args=real.FLAGS)
        yield opened
        opened.close()


class Seen:
    """A page in one view, with every request it made and everything it said on the console."""

    def __init__(self, browser, address: str, view: str) -> None:
        self.page = browser.new_page(**VIEWS[view])
        self.requests, self.said = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(address)
        if view == "paper":
            self.page.emulate_media(media="print")
        self.page.evaluate("document.fonts.ready")


@pytest.fixture(scope="module")
def seen(browser, pages):
    """The page of that name in that view, opened once."""
    opened: dict[tuple[str, str], Seen] = {}

    def look(name: str, view: str) -> Seen:
        if (name, view) not in opened:
            opened[name, view] = Seen(browser, pages[name].as_uri(), view)
        return opened[name, view]

    return look


def pixels(png: bytes) -> np.ndarray:
    """Red, green and blue from 0 to 1 by row and column."""
    return imread(io.BytesIO(png), format="png")[:, :, :3]


# opens offline


@LOOKS
def test_a_page_asks_for_nothing_and_complains_of_nothing(seen, pages, view, name):
    found = seen(name, view)
    outside = [url for url in found.requests if not url.startswith("data:")]
    assert outside == [pages[name].as_uri()]
    assert found.said == []


# accessible


@LOOKS
def test_axe_finds_no_barrier(seen, view, name):
    """WCAG 2.2 at levels A and AA, and what axe-core calls best practice."""
    found = Axe().run(seen(name, view).page, options=RULES)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", ENGLISH)
def test_a_page_prints_on_a4(seen, name):
    pdf = seen(name, "paper").page.pdf(prefer_css_page_size=True)
    sizes = {(round(float(width)), round(float(height))) for width, height in MEDIA_BOX.findall(pdf)}
    assert sizes <= {(594, 841), (595, 842), (594, 842), (595, 841)}, "in points, 72 to the inch"
    assert sizes


# read in full

#: Text that a reader cannot see, or sees a part of: what it says, and why. A box with a scroll bar shows all of it.
UNSEEN = """() => {
  const found = [], width = document.documentElement.clientWidth;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, owner = node.parentElement;
    if (!node.data.trim() || owner.closest(".unseen, svg title")) continue;
    const say = why => found.push(`${why}: ${node.data.trim().slice(0, 40)}`);
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter(box => box.width > 0 && box.height > 0);
    if (!boxes.length || !owner.checkVisibility({opacityProperty: true, visibilityProperty: true})) {
      say("hidden");
      continue;
    }
    let left = 0, right = width;
    for (let around = owner; around !== document.body; around = around.parentElement) {
      const flow = getComputedStyle(around).overflowX, frame = around.getBoundingClientRect();
      if (flow === "auto" || flow === "scroll") { left = -Infinity; right = Infinity; break; }
      if (flow !== "visible" && !(around instanceof SVGElement)) {
        left = Math.max(left, frame.left);
        right = Math.min(right, frame.right);
      }
    }
    if (boxes.some(box => box.left < left - 1 || box.right > right + 1)) say("cut");
  }
  return found;
}"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("view", ["desk", "phone"])
def test_all_text_is_in_sight_and_the_page_does_not_scroll_sideways(seen, name, view):
    page = seen(name, view).page
    assert page.evaluate(UNSEEN) == []
    assert page.evaluate("document.documentElement.scrollWidth") == VIEWS[view]["viewport"]["width"]


def test_text_that_is_cut_or_hidden_would_be_noticed(browser):
    page = browser.new_page(viewport=PHONE)
    page.set_content(
        "<div style='width: 60px; overflow: hidden; white-space: nowrap'>cut by its frame</div>"
        "<div style='white-space: nowrap; width: 1px; margin-left: 340px'>cut by the screen</div>"
        "<div style='width: 60px; overflow-x: auto; white-space: nowrap'>behind a scroll bar</div>"
        "<div style='visibility: hidden'>invisible</div><p>in sight</p>"
    )
    assert page.evaluate(UNSEEN) == ["cut: cut by its frame", "cut: cut by the screen", "hidden: invisible"]


@pytest.mark.parametrize("name", ENGLISH)
@pytest.mark.parametrize("view", ["desk", "dark"])
def test_the_title_is_dark_on_white(seen, name, view):
    """Also for a reader who prefers a dark scheme: a page for paper, with figures on white, keeps to one scheme."""
    shot = pixels(seen(name, view).page.locator("h1").screenshot())
    darkness = 1 - shot.mean(axis=2)
    assert (darkness < 0.01).mean() > 0.5, "most of the paper is white"
    assert 100 < (darkness > 0.6).sum() < darkness.size / 3, "letters"


# figures


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("view", ["desk", "phone"])
def test_every_figure_is_drawn_and_fits(seen, name, view):
    figures = seen(name, view).page.locator("figure svg").all()
    assert figures
    for figure in figures:
        box = figure.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= VIEWS[view]["viewport"]["width"]
        assert len(figure.get_attribute("aria-label").split()) >= 8 or name.endswith("zh"), "says what is seen"
        shot = pixels(figure.screenshot())
        assert (shot < 0.9).any(axis=2).mean() > 0.02, "more than an empty frame"
        assert len(np.unique((shot * 7).round() @ [1, 8, 64])) > 5, "ink, paper and what lies between"


def outlines(svg: str) -> dict[str, str]:
    """The glyphs a figure holds, each as the path it draws, by id."""
    return dict(re.findall(r'<path id="([^"]+)" d="([^"]*)"', svg))


def missing_glyph() -> str:
    """What matplotlib draws for a character no font has."""
    from matplotlib.figure import Figure

    from crmlab.plots import style

    style.use_style()
    ax = Figure(figsize=(2, 1)).subplots()
    ax.set(xticks=[], yticks=[], title="\ue123")
    style.set_alt(ax, "A character that no font has.")
    with pytest.warns(UserWarning, match="missing from font"):
        (outline,) = outlines(style.svg(ax)).values()
    return outline


@pytest.mark.parametrize("name", REPORTS)
def test_labels_of_figures_are_outlines_of_packaged_fonts_without_an_empty_box(pages, name):
    figures = re.findall(r"<figure><svg .*?</svg></figure>", pages[name].read_text("utf-8"), flags=re.DOTALL)
    chinese = 0
    for figure in figures:
        glyphs = outlines(figure)
        used = set(re.findall(r'<use xlink:href="#([^"]+)"', figure))
        assert "<text" not in figure, "a label that needs a font of the reader's"
        assert missing_glyph() not in glyphs.values()
        fonts = {match.group(1) for glyph in used if (match := re.search(r"-(\w[\w-]*)-[0-9a-f]+$", glyph))}
        assert {font for font in fonts if not font.startswith(("DejaVuSans", "NotoSansSC"))} == set()
        chinese += sum("NotoSansSC" in glyph for glyph in glyphs)
    assert chinese > 10 or name.endswith("en")


# Chinese


@pytest.mark.parametrize("kind", KINDS)
def test_chinese_reads_as_chinese_on_a_machine_without_chinese_fonts(browser, pages, kind):
    """Set in the page's own font alone, each character of the title looks like itself: not like the box that stands for
    a missing one, nor like any other character.
    """
    page = Seen(browser, pages[f"{kind}-zh"].as_uri(), "desk").page
    assert FAMILY in page.evaluate("getComputedStyle(document.querySelector('h1')).fontFamily")
    title = sorted({character for character in page.locator("h1").inner_text() if "\u4e00" <= character <= "\u9fff"})
    assert len(title) >= 4
    page.evaluate(
        """([family, characters]) => {
          const line = document.createElement("p");
          line.style = `font: 40px "${family}"; position: absolute; top: 0; left: 0; background: #fff; z-index: 9`;
          line.append(...characters.map(character => {
            const span = document.createElement("span");
            span.className = "glyph";
            span.style = "display: inline-block; width: 48px; height: 64px; overflow: hidden";
            span.textContent = character;
            return span;
          }));
          document.body.append(line);
        }""",
        [FAMILY, ["\ue123", *title]],
    )
    page.evaluate("document.fonts.ready")
    shots = [pixels(span.screenshot()).tobytes() for span in page.locator(".glyph").all()]
    assert len(set(shots)) == len(shots) == len(title) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_chinese_character_is_set_in_the_font_the_page_carries(seen, kind):
    """The fonts that the browser really drew each element with; a box for a missing glyph comes from another font."""
    page = seen(f"{kind}-zh", "desk").page
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    places = "h1, h2, h3, p, dt, dd, li, td, th, caption, label, legend"
    nodes = session.send("DOM.querySelectorAll", {"nodeId": root, "selector": places})["nodeIds"]
    texts = page.locator(places).evaluate_all("found => found.map(element => element.innerText)")
    assert len(nodes) == len(texts) > 4
    wrong = []
    for node, text in zip(nodes, texts, strict=True):
        chinese = sum("\u4e00" <= character <= "\u9fff" for character in text)
        fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        if sum(font["glyphCount"] for font in fonts if font["isCustomFont"]) < chinese:
            wrong.append((text[:40], fonts))
    assert wrong == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_carries_the_glyphs_of_its_own_characters(pages, name):
    """Every Chinese character of the page that the packaged font has, and no other character."""
    text = pages[name].read_text("utf-8")
    (encoded,) = re.findall(r"data:font/woff;base64,([A-Za-z0-9+/=]+)", text) or [""]
    held = set(TTFont(io.BytesIO(base64.b64decode(encoded))).getBestCmap()) if encoded else set()
    wanted = {ord(character) for character in text if unicodedata.east_asian_width(character) in "WF"}
    assert held == wanted & set(TTFont(CHINESE_FONT).getBestCmap())
    assert wanted - held == set(), "our own words keep to what the font has"
