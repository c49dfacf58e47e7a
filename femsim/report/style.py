"""How every figure looks: sizes, fonts and colours in one place."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.colors import LinearSegmentedColormap

#: One colour for each strategy in charts (Okabe and Ito, without the yellow that vanishes on paper).
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#5b6770")
INK = "#222222"
LINE = "#666666"
PAPER = "#ffffff"
DOTS_PER_INCH = 170

SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "axes.edgecolor": LINE,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "savefig.facecolor": PAPER,
    "pdf.fonttype": 42,  # fonts that journals accept
    "svg.fonttype": "none",
}


@contextmanager
def style() -> Iterator[Any]:
    """Matplotlib set up for femsim's figures, without a window; yields ``matplotlib.figure.Figure``.

    The figure class is used directly rather than pyplot: nothing global is changed, and a figure is freed when dropped.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    def figure(width: float, height: float) -> Any:
        made = _shown()(figsize=(width, height), dpi=DOTS_PER_INCH)
        FigureCanvasAgg(made)
        return made

    with matplotlib.rc_context(SETTINGS):
        yield figure


@cache
def _shown() -> Any:
    """Figures that a notebook shows; those of matplotlib it shows only when pyplot was loaded before."""
    from matplotlib.figure import Figure

    class Shown(Figure):
        def _repr_png_(self) -> bytes:
            out = io.BytesIO()
            self.savefig(out, format="png")
            return out.getvalue()

    return Shown


def risk_map() -> LinearSegmentedColormap:
    """The colours of the factor of risk for a colour bar."""
    from matplotlib.colors import LinearSegmentedColormap

    from femsim.view.palette import risk_stops

    return LinearSegmentedColormap.from_list("femsim risk", risk_stops(), N=512)
