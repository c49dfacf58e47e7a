"""Matplotlib figures as SVG inside a page: text stays text, and the colours follow the page's light or dark theme."""

from __future__ import annotations

import io
import re
from typing import Any

from femsim.report.style import INK, LINE, PAPER, SERIES

#: Colours of figures that are variables of the page's style sheet, so that both themes stay readable.
_THEMED = {INK: "currentColor", LINE: "var(--soft)", PAPER: "var(--page)"} | {
    code: f"var(--series-{index})" for index, code in enumerate(SERIES)
}
_IDS = re.compile(r'(\bid="|xlink:href="#|url\(#)')


def inline(figure: Any, name: str, alt: str, *, tight: bool = True) -> str:
    """A figure as an ``<svg>`` element.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Unique in the page; begins every id inside, so that two figures never share one.
    alt : str
        What it shows, in words, for those who cannot see it.
    tight : bool
        Cut the margins; not where figures have to stay of one size.
    """
    from html import escape

    import matplotlib

    from femsim.report.style import SETTINGS

    out = io.StringIO()
    with matplotlib.rc_context({**SETTINGS, "svg.hashsalt": name}):
        figure.savefig(
            out, format="svg", bbox_inches="tight", pad_inches=0.04, transparent=True, metadata={"Date": None}
        )
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = _IDS.sub(lambda found: found[1] + name + "-", text)
    for code, variable in _THEMED.items():
        text = text.replace(code, variable)
    # the page's own font; the sizes stay
    text = re.sub(r"font: ((?:\w+ )?[\d.]+px) [^;\"]*", r"font: \1 var(--font)", text)
    width = re.search(r'width="([\d.]+)pt"', text)
    size = f'style="max-width: {float(width[1]) * 4 / 3:.0f}px" ' if width else ""
    head = f'<svg role="img" aria-label="{escape(alt, quote=True)}" {size}'
    text = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', lambda found: head + found[1] + ">", text, count=1)
    return re.sub(r"\s*\n\s*", "\n", text.strip())
