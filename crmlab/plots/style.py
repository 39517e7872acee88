"""The look of every figure: fonts, sizes, colours, alternative text, and reproducible SVG for reports.

Colours are told apart by lightness as much as by hue, so that they survive colour blindness and grey print. Latin text
is set in DejaVu Sans (part of matplotlib); Chinese characters fall back to the packaged subset of Noto Sans SC. Every
figure carries an alternative text, and :func:`svg` refuses a figure without one.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import html
import io
import itertools
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

#: Colours by role. ``ink`` text and lines, ``grey`` secondary text, ``rule`` grid lines, ``hatch`` shading by lines,
#: ``paper`` background, ``main`` ordinary marks, ``highlight`` the one mark the message is about, ``pale`` fills.
PALETTE: dict[str, str] = {
    "ink": "#1F1F1F",
    "grey": "#5F6B76",
    "rule": "#D9DEE3",
    "hatch": "#B4BEC8",
    "paper": "#FFFFFF",
    "main": "#3B8BC4",
    "highlight": "#12355B",
    "pale": "#EEF3F7",
}

#: Colours of series, from dark to light: neighbours differ by at least 14 steps of CIE lightness.
SERIES: tuple[str, ...] = ("#12355B", "#A63A1E", "#3B8BC4", "#E9A63A", "#C6E0F2")

_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">", "*")

#: Width in inches of a figure that fills the text of an A4 report.
REPORT_WIDTH = 6.9

#: The packaged font for Chinese: a subset of Noto Sans SC.
CHINESE_FONT = Path(__file__).with_name("fonts") / "NotoSansSC-GB2312.ttf"


def use_style() -> None:
    """Set matplotlib's defaults to the house style; calling it again changes nothing.

    Every drawing function of :mod:`crmlab.plots` calls it, so a figure looks the same wherever it is drawn.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> use_style()
    >>> matplotlib.rcParams["font.family"]
    ['DejaVu Sans', 'Noto Sans SC']
    """
    import matplotlib
    from cycler import cycler

    matplotlib.rcParams.update(
        {
            "font.family": ["DejaVu Sans", chinese_font()],
            "font.size": 9.0,
            "text.color": PALETTE["ink"],
            "figure.figsize": (REPORT_WIDTH, 4.0),
            "figure.dpi": 120,
            "figure.facecolor": PALETTE["paper"],
            "figure.constrained_layout.use": True,
            "savefig.dpi": "figure",
            "savefig.facecolor": PALETTE["paper"],
            "axes.titlesize": 11.0,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.titlepad": 10.0,
            "axes.labelsize": 9.0,
            "axes.labelcolor": PALETTE["ink"],
            "axes.edgecolor": PALETTE["grey"],
            "axes.linewidth": 0.8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.unicode_minus": True,
            "axes.prop_cycle": cycler(color=list(SERIES)),
            "grid.color": PALETTE["rule"],
            "grid.linewidth": 0.7,
            "xtick.color": PALETTE["grey"],
            "xtick.labelcolor": PALETTE["ink"],
            "xtick.labelsize": 9.0,
            "ytick.color": PALETTE["grey"],
            "ytick.labelcolor": PALETTE["ink"],
            "ytick.labelsize": 9.0,
            "legend.frameon": False,
            "legend.fontsize": 8.5,
            "lines.linewidth": 1.6,
            "patch.edgecolor": PALETTE["ink"],
            "hatch.linewidth": 0.6,
        }
    )


def axes_or_new(ax: Axes | None, height: float) -> Axes:
    """Return the axes to draw on: the given ones, or those of a new figure as wide as a report's text.

    Parameters
    ----------
    ax
        Axes of the caller, or ``None``.
    height
        Height of a new figure in inches.

    Examples
    --------
    >>> ax = axes_or_new(None, height=3.0)
    >>> [round(float(side), 1) for side in ax.get_figure().get_size_inches()]
    [6.9, 3.0]
    """
    import matplotlib.pyplot as plt

    use_style()
    return ax if ax is not None else plt.subplots(figsize=(REPORT_WIDTH, height))[1]


def series_marks(count: int) -> list[tuple[str, str, bool]]:
    """Marker, colour, and whether it is filled, of each series: shapes and fills tell them apart in grey print too.

    Examples
    --------
    >>> series_marks(2)
    [('o', '#12355B', True), ('s', '#A63A1E', True)]
    """
    colours = SERIES[:4]
    fills = (True,) * len(colours) + (False,) * len(colours)
    found = zip(itertools.cycle(_MARKERS), itertools.cycle(colours), itertools.cycle(fills), strict=False)
    return list(itertools.islice(found, count))


@functools.cache
def chinese_font() -> str:
    """Register the packaged font for Chinese once and return its family name.

    Returns
    -------
    str
        ``"Noto Sans SC"``: the characters of GB2312, Latin-1, punctuation and arrows (see ``fonts/README.md``).

    Examples
    --------
    >>> chinese_font()
    'Noto Sans SC'
    """
    from matplotlib.font_manager import fontManager

    fontManager.addfont(CHINESE_FONT)
    regular = fontManager.ttflist[-1]
    # The package has one weight. Offered as bold too, it serves bold titles without a complaint in the log.
    fontManager.ttflist.append(dataclasses.replace(regular, weight=700))
    return regular.name


def embolden(text: Text) -> None:
    """Make a text bold; one with Chinese in it, for which there is no bold font, by thickening its outlines.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> latin, chinese = (Figure().text(0, 0, name) for name in ("Satisfaction", "顾客满意度"))
    >>> embolden(latin), embolden(chinese)
    (None, None)
    >>> latin.get_fontweight(), chinese.get_fontweight(), len(chinese.get_path_effects())
    ('bold', 'normal', 2)
    """
    from matplotlib.patheffects import Normal, Stroke

    if not any(unicodedata.east_asian_width(character) in "WF" for character in text.get_text()):
        text.set_fontweight("bold")
        return
    text.set_fontweight("normal")
    thicker = float(text.get_fontsize()) / 25
    text.set_path_effects([Stroke(linewidth=thicker, foreground=text.get_color()), Normal()])


def set_alt(ax: Axes, text: str) -> None:
    """Attach the alternative text: what a reader who cannot see the figure should know, with its numbers.

    Parameters
    ----------
    ax
        The axes the text describes.
    text
        Whole sentences; must not be empty.

    Raises
    ------
    ValueError
        If the text is blank.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().subplots()
    >>> set_alt(ax, "One bar: satisfaction 72.5 of 100.")
    >>> alt(ax)
    'One bar: satisfaction 72.5 of 100.'
    """
    if not text.strip():
        raise ValueError("alternative text: it is blank; say in a sentence or two what the figure shows, with numbers.")
    ax.alt_text = " ".join(text.split())  # type: ignore[attr-defined]


def alt(ax: Axes) -> str:
    """Return the alternative text of axes, or an empty string if none was set.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> alt(Figure().subplots())
    ''
    """
    return getattr(ax, "alt_text", "")


def svg(figure: Figure | Axes) -> str:
    """Return a figure as SVG text to place in an HTML page: same figure, same bytes.

    Text is drawn as outlines, so the page needs no font. Ids start with a mark computed from the drawing, so several
    figures can stand in one page. The alternative text becomes the accessible name.

    Parameters
    ----------
    figure
        A figure, or any axes of it.

    Returns
    -------
    str
        One ``<svg role="img" aria-label="…">`` element, without XML declaration, date, style sheet or outside address.

    Raises
    ------
    ValueError
        If no axes of the figure has an alternative text.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure(figsize=(2, 1)).subplots()
    >>> set_alt(ax, "An empty figure.")
    >>> svg(ax)[:50]
    '<svg role="img" aria-label="An empty figure." styl'
    """
    whole: Any = figure.get_figure(root=True)
    described = [ax for ax in whole.axes if alt(ax)]
    if not described:
        raise ValueError(
            "svg: the figure has no alternative text. Set it with style.set_alt(ax, text) before exporting."
        )
    name = " ".join(alt(ax) for ax in described)
    title = described[0].get_title(loc="left") or described[0].get_title() or name
    return _accessible(_own_ids(_bare_element(_render(whole))), name, title)


def _render(figure: Any) -> str:
    import matplotlib

    buffer = io.BytesIO()
    # A None removes the entry; with all four gone the file names neither a date nor an address.
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with matplotlib.rc_context({"svg.hashsalt": "crmlab", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata=metadata)
    return buffer.getvalue().decode("utf-8")


def _bare_element(document: str) -> str:
    """Drop the prologue, and turn the style sheet, which would reach the whole page, into the element's own style."""
    element = document[document.index("<svg ") :].strip()
    element = re.sub(r"<defs>\s*<style type=\"text/css\">.*?</style>\s*</defs>\s*", "", element, count=1, flags=re.S)
    return element.replace("<svg ", '<svg style="stroke-linejoin: round; stroke-linecap: butt" ', 1)


def _own_ids(element: str) -> str:
    mark = "f" + hashlib.sha256(element.encode("utf-8")).hexdigest()[:8] + "-"
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{mark}", element)


def _accessible(element: str, name: str, title: str) -> str:
    head, body = element.split(">", 1)
    head = head.replace("<svg ", f'<svg role="img" aria-label="{html.escape(name)}" ', 1)
    return f"{head}>\n <title>{html.escape(title, quote=False)}</title>{body}"
