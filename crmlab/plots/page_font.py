"""Chinese characters on an HTML page, whatever fonts its reader has: the packaged font, cut to what the page says.

A page names :data:`FAMILY` first, which holds Chinese characters only, and the reader's own fonts after it: Latin
letters are set in the reader's font, Chinese in the packaged Noto Sans SC, and no network is asked. Named last, the
font would come too late in Chromium: it keeps empty boxes where a size is first used, drawn before the font was read.
"""

from __future__ import annotations

import base64
import io
import unicodedata

from crmlab.plots.style import CHINESE_FONT

#: The name under which a page's style sheet lists the packaged font, before those of the reader.
FAMILY = "crmlab Chinese"
#: From the first Chinese radical to the last full-width form.
_RANGE = "U+2E80-FFEF"


def with_chinese_font(page: str) -> str:
    """Put the glyphs of a page's Chinese characters into its head; a page without any stays as it is.

    Parameters
    ----------
    page
        A whole HTML page whose style sheet begins its list of fonts with :data:`FAMILY`. Where the page has a content
        security policy, that allows ``font-src data:``.

    Returns
    -------
    str
        The page with one ``@font-face`` more, about 0.2 kB for each different character; same page, same bytes.
        Characters that the font lacks are left to the reader's fonts.

    Examples
    --------
    >>> with_chinese_font("<head></head><p>Satisfaction</p>")
    '<head></head><p>Satisfaction</p>'
    >>> with_chinese_font("<head></head><p>满意度</p>")[:66]
    '<head><style>@font-face { font-family: "crmlab Chinese"; src: url('
    """
    wanted = {character for character in page if unicodedata.east_asian_width(character) in "WF"}
    if not wanted:
        return page
    glyphs = base64.b64encode(_cut(wanted)).decode("ascii")
    source = f'url(data:font/woff;base64,{glyphs}) format("woff")'
    face = f'@font-face {{ font-family: "{FAMILY}"; src: {source}; unicode-range: {_RANGE}; }}'
    return page.replace("</head>", f"<style>{face}</style></head>", 1)


def _cut(characters: set[str]) -> bytes:
    """The packaged font with the outlines of these characters alone, compressed for the web."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    # The time of writing must not reach the file: same page, same bytes.
    font = TTFont(CHINESE_FONT, recalcTimestamp=False)
    subsetter = Subsetter(Options(layout_features=[], hinting=False, notdef_outline=True))
    subsetter.populate(text="".join(sorted(characters)))
    subsetter.subset(font)
    font.flavor = "woff"
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()
