"""Write what the README says of the chapters, and take its pictures.

The table of chapters stands between two marks in `README.md`. Titles, links and minutes come from the chapters'
sources, seconds from `docs/timings.md`, which `make notebooks` writes. The pictures are a page of a real report and a
chapter in JupyterLab, both taken by chromium, and a figure as it is stored in a chapter.

    python docs/build.py              # the table
    python docs/build.py --pictures   # the table and the pictures
    python docs/build.py --check      # say whether the table is up to date, write nothing
"""

import argparse
import base64
import importlib.util
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
#: Chinese titles until a chapter has a Chinese edition, by the name of the chapter.
TITLES_ZH = {
    "01_customer_lifecycle": "客户生命周期",
    "02_customer_data": "客户数据",
    "03_rfm_scoring": "RFM 评分",
    "04_customer_value": "客户价值",
    "05_customer_grading": "客户分级",
    "06_survey_design": "调查设计",
    "07_likert_scales": "李克特量表",
    "08_indicator_weighting": "指标权重",
    "09_satisfaction_index": "顾客满意度指数",
    "10_loyalty": "顾客忠诚",
    "11_from_index_to_action": "从指数到行动",
}
BEGIN, END = "<!-- written by make readme: chapters -->", "<!-- end: chapters -->"
#: The figure shown: the chapter, and which of its pictures.
FIGURE = ("01_customer_lifecycle", 4)
#: The chapter shown in JupyterLab, and a heading to scroll to.
IN_LAB = "03_rfm_scoring"


class BuildError(Exception):
    """The README cannot be written; says which chapter lacks what."""


@dataclass(frozen=True)
class Chapter:
    """What the README says of a chapter; minutes to teach it, seconds to run it."""

    name: str
    title: str
    minutes: int
    seconds: int

    @property
    def row(self) -> str:
        number = int(self.name[:2])
        chapter = f"[{self.title} {TITLES_ZH[self.name]}](notebooks/{self.name}.ipynb)"
        exercise = f"[exercise](exercises/{self.name}.ipynb)"
        return f"| {number} | {chapter} | {exercise} | {self.minutes} min | {self.seconds} s |"


def chapters() -> list[Chapter]:
    """Every chapter that has a source, in the order of the course."""
    measured = part("notebooks/build.py").timings()
    return [_chapter(source, measured) for source in sorted((ROOT / "notebooks/source").glob("*.py"))]


def _chapter(source: Path, measured: dict[str, tuple[int, int]]) -> Chapter:
    name, text = source.stem, source.read_text(encoding="utf-8")
    title = re.search(r"(?m)^# # \d+ · ([^:\n]+)", text)
    minutes = re.search(r"(?m)^# \*\*Time:\*\* (\d+) minutes", text)
    lacking = [
        what
        for what, found in (
            ("a heading such as `# # 4 · Customer value` in its source", title),
            ("a line `**Time:** 30 minutes` in its source", minutes),
            ("a Chinese title in TITLES_ZH of docs/build.py", name in TITLES_ZH),
            ("an exercise in exercises/", (ROOT / f"exercises/{name}.ipynb").exists()),
            ("a row in docs/timings.md: run make notebooks", name in measured),
        )
        if not found
    ]
    if lacking or title is None or minutes is None:
        raise BuildError(f"README: chapter {name} lacks {'; '.join(lacking)}.")
    return Chapter(name, title.group(1).strip(), int(minutes.group(1)), measured[name][1])


def table() -> str:
    """The generated part of the README."""
    _, alt = stored_figure()
    return "\n".join(
        [
            "| | chapter | | to teach | to run |",
            "| ---: | --- | --- | ---: | ---: |",
            *(chapter.row for chapter in chapters()),
            "",
            "How long each chapter runs, and on what machine, is in [docs/timings.md](docs/timings.md).",
            "",
            f"![Chapter {int(IN_LAB[:2])} open in JupyterLab: text, a cell of code, and its result](docs/lab.png)",
            "",
            f"![{alt}](docs/figure.png)",
        ]
    )


def with_table(readme: str) -> str:
    """The README with its generated part renewed."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise BuildError(
            f"README: expected one line {BEGIN!r} and one line {END!r}; put them around the chapters' table."
        )
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


def stored_figure() -> tuple[bytes, str]:
    """The figure that the README shows, as its chapter stores it, and the text that says what is seen."""
    import nbformat

    name, place = FIGURE
    notebook = nbformat.read(ROOT / f"notebooks/{name}.ipynb", as_version=4)
    pictures = [
        output for cell in notebook.cells for output in cell.get("outputs", ()) if "image/png" in output.get("data", {})
    ]
    picture = pictures[place]
    return base64.b64decode(picture.data["image/png"]), picture.metadata["image/png"]["alt"]


def take_pictures() -> None:
    """Replace the README's pictures."""
    from playwright.sync_api import sync_playwright

    browser = part("docs/browser.py")
    if browser.CHROMIUM is None:
        raise BuildError("pictures: there is no chromium on this machine. Debian: apt-get install chromium.")
    (ROOT / "docs/figure.png").write_bytes(stored_figure()[0])
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser.CHROMIUM, args=browser.FLAGS)
        report = chromium.new_page(viewport={"width": 1000, "height": 1150})
        report.goto(write_report(Path(scratch)).as_uri())
        report.screenshot(path=ROOT / "docs/report.png")
        served, settings = Path(scratch) / "course", Path(scratch) / "settings"
        served.mkdir()
        settings.mkdir()
        shutil.copy(ROOT / f"notebooks/{IN_LAB}.ipynb", served)
        with browser.lab(served, settings) as address:
            lab = chromium.new_page(viewport={"width": 1280, "height": 900})
            lab.goto(address.format(f"{IN_LAB}.ipynb"))
            lab.wait_for_selector(".jp-Notebook .jp-RenderedImage img", timeout=60_000)
            lab.get_by_role("button", name="No", exact=True).click(timeout=60_000)
            lab.add_style_tag(content=_chinese_in_lab())
            lab.locator(".jp-Notebook .jp-RenderedImage").first.scroll_into_view_if_needed()
            lab.evaluate("document.fonts.ready")
            lab.wait_for_timeout(1500)
            lab.screenshot(path=ROOT / "docs/lab.png")
        chromium.close()


def _chinese_in_lab() -> str:
    """JupyterLab takes Chinese from the machine's fonts; here it may need the packaged one."""
    from crmlab.plots.page_font import FAMILY
    from crmlab.plots.style import CHINESE_FONT

    font = base64.b64encode(CHINESE_FONT.read_bytes()).decode("ascii")
    fonts = " ".join(
        f"--jp-{kind}-font-family: {plain}, '{FAMILY}' !important;"
        for kind, plain in (("content", "sans-serif"), ("ui", "sans-serif"), ("code", "monospace"))
    )
    return f"@font-face {{ font-family: '{FAMILY}'; src: url(data:font/ttf;base64,{font}); }} :root {{ {fonts} }}"


def write_report(folder: Path) -> Path:
    """The report of `make run`: the satisfaction index of the mobile-phone survey."""
    from crmlab import Questionnaire, csi
    from crmlab.studies import read_answers, write_csi_study

    design = Questionnaire.shipped("ecsi")
    answers = read_answers("mobi", design)
    write_csi_study(csi.estimate(design, answers), answers, folder)
    return folder / "report.html"


def part(path: str) -> ModuleType:
    """A script of the repository as a module; scripts are no package."""
    name = Path(path).with_suffix("").as_posix().replace("/", "_")
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / path)
        if spec is None or spec.loader is None:
            raise BuildError(f"{path}: no such script.")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the README's table of chapters, and take its pictures.")
    parser.add_argument("--pictures", action="store_true", help="take the pictures too; needs chromium")
    parser.add_argument("--check", action="store_true", help="say whether the table is up to date and write nothing")
    options = parser.parse_args(arguments)
    old = README.read_text(encoding="utf-8")
    try:
        new = with_table(old)
        if options.pictures and not options.check:
            take_pictures()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    if options.check:
        print("README.md is up to date." if old == new else "README.md is out of date: run make readme.")
        return int(old != new)
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
