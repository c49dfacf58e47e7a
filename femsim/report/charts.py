"""Charts of the comparison table: stiffness and failure load of every strategy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from femsim.fields import FIELDS
from femsim.report.style import INK, LINE, PAPER, SERIES, style

if TYPE_CHECKING:
    import pandas as pd

#: Columns shown, in order, each with the column that holds its error in percent.
SHOWN = (
    ("stiffness_of_intact", "stiffness_of_intact_error"),
    ("stiffness_recovery", "stiffness_recovery_error"),
    ("failure_load", "failure_load_error"),
)
LOAD_TITLE = "Linear failure load"
_TITLES = {
    "stiffness_of_intact": "Stiffness, intact bone = 100 %",
    "stiffness_recovery": "Stiffness recovered (untreated 0, intact 100 %)",
    "failure_load": LOAD_TITLE,
}


@dataclass(frozen=True, eq=False)
class Panel:
    """One set of axes: what it is called, how it is drawn, its size in inches, and its content in words."""

    title: str
    draw: Callable[[Any], None]
    alt: str
    width: float = 3.6
    height: float = 2.7


def single(panel: Panel) -> Any:
    """A panel as a figure of its own, without the title (the page writes it)."""
    with style() as new:
        figure = new(panel.width, panel.height)
        panel.draw(figure.subplots())
        figure.set_layout_engine("constrained")
    return figure


def together(panels: Sequence[Panel], columns: int = 3, *, shared: bool = False) -> Any:
    """Panels side by side in one figure for a paper; `shared` where all have the same vertical axis."""
    columns = min(columns, max(1, len(panels)))
    rows = max(1, -(-len(panels) // columns))
    with style() as new:
        size = panels[0] if panels else Panel("", lambda axes: None, "")
        figure = new(columns * size.width + (0.6 if shared else 0.0), rows * (size.height + 0.3))
        grid = figure.subplots(rows, columns, squeeze=False, sharey=shared).ravel()
        for axes, panel in zip(grid, panels, strict=False):
            panel.draw(axes)
            axes.set_title(panel.title, loc="left", pad=8)
        for index, axes in enumerate(grid):
            if index >= len(panels):
                axes.set_axis_off()
            elif shared and index % columns:
                axes.tick_params(labelleft=False)
        figure.set_layout_engine("constrained")
    return figure


def comparison(frame: pd.DataFrame, labels: dict[str, str] | None = None, body_weight: float | None = None) -> Any:
    """Horizontal bars of stiffness and failure load in one figure; see `bars`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    panels = bars(frame, labels, body_weight)
    if panels:
        return together(panels, shared=True)
    with style() as new:
        figure = new(5.0, 1.5)
        axes = figure.subplots()
        axes.set_axis_off()
        axes.text(0.5, 0.5, "No stiffness and no failure load were computed.", ha="center")
    return figure


def bars(frame: pd.DataFrame, labels: Mapping[str, str] | None = None, body_weight: float | None = None) -> list[Panel]:
    """Horizontal bars of stiffness and failure load, a group a strategy, a bar a load case.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns as in `femsim.fields`: ``strategy`` (or as the index), optionally ``load``, and any of `SHOWN`.
    labels : mapping of str to str, optional
        What to write for each strategy.
    body_weight : float, optional
        Body weight in N; gives the failure load a second axis.
    """
    frame = frame.reset_index() if "strategy" not in frame else frame
    strategies = list(dict.fromkeys(frame["strategy"]))
    loads = list(dict.fromkeys(frame["load"])) if "load" in frame else [None]
    written = [(labels or {}).get(name, name) for name in strategies]
    height = 0.9 + len(strategies) * (0.22 + 0.2 * len(loads))

    def panel(name: str, error: str) -> Panel:
        def draw(axes: Any) -> None:
            _bars(axes, frame, name, error, strategies, loads)
            if error not in frame or not np.isfinite(_numbers(frame[error])).any():
                axes.set_xlabel(f"{axes.get_xlabel()}, no error bar")
            axes.set_yticks(range(len(strategies)), written)
            axes.set_ylim(len(strategies) - 0.45, -0.55)
            if name == "failure_load" and body_weight:
                second = axes.secondary_xaxis("top", functions=(lambda x: x / body_weight, lambda x: x * body_weight))
                second.set_xlabel("body weights", fontsize=8)
                second.tick_params(labelsize=8)
            if len(loads) > 1:
                axes.legend(loc="upper left", bbox_to_anchor=(0, -0.22), ncols=2, fontsize=8)

        values = "; ".join(
            f"{text} {_short(value, FIELDS[name].unit)}"
            for text, value in zip(written, _first(frame, name, strategies), strict=True)
        )
        sure = error in frame and np.isfinite(_numbers(frame[error])).any()
        words = "" if sure else " No error bar."
        return Panel(
            _TITLES[name], draw, f"Bar chart. {_TITLES[name]}: {values} {FIELDS[name].unit}.{words}", 3.6, height
        )

    return [panel(name, error) for name, error in SHOWN if name in frame and np.isfinite(_numbers(frame[name])).any()]


def _first(frame: pd.DataFrame, name: str, strategies: Sequence[str]) -> NDArray[np.float64]:
    return _numbers(frame.drop_duplicates("strategy").set_index("strategy")[name].reindex(list(strategies)))


def _short(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return "not available"
    if unit == "%":
        return f"{value:.1f}"
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 100 else f"{value:.3g}"


def _bars(
    axes: Any, frame: pd.DataFrame, name: str, error: str, strategies: Sequence[str], loads: Sequence[str | None]
) -> None:
    """The bars of one column."""
    thick = 0.72 / len(loads)
    for k, load in enumerate(loads):
        rows = frame if load is None else frame[frame["load"] == load]
        first = rows.drop_duplicates("strategy").set_index("strategy")
        values = _numbers(first[name].reindex(list(strategies)))
        errors = _errors(first[error].reindex(list(strategies)), values) if error in first else None
        y = np.arange(len(strategies)) + (k - (len(loads) - 1) / 2) * thick
        colour = SERIES[k % len(SERIES)]
        finite = np.isfinite(values)
        axes.barh(y[finite], values[finite], 0.9 * thick, color=colour, label=load or None, zorder=2)
        known = finite & np.isfinite(errors) if errors is not None else np.zeros(len(values), bool)
        if errors is not None and known.any():
            axes.errorbar(
                values[known], y[known], xerr=errors[known], fmt="none", ecolor=INK, elinewidth=1, capsize=2.5, zorder=3
            )
        beyond = np.zeros(len(values)) if errors is None else np.nan_to_num(errors)
        for value, at, past in zip(values, y, beyond, strict=True):
            _number(axes, value, FIELDS[name].unit, at, past)
    axes.axvline(0, color=LINE, lw=0.7, zorder=1)
    if FIELDS[name].unit == "%":
        axes.axvline(100, color=LINE, lw=0.8, ls=(0, (4, 3)), zorder=1)
    axes.margins(x=0.2)
    axes.set_xlabel(FIELDS[name].label)
    axes.tick_params(axis="y", length=0)


def _number(axes: Any, value: float, unit: str, at: float, past: float) -> None:
    """The value written beyond the end of its bar and error bar."""
    text = _short(value, unit)
    if not math.isfinite(value):
        value = 0.0
    sign = 1 if value >= 0 else -1
    axes.annotate(
        text, (value + sign * past, at), (4 * sign, 0), textcoords="offset points", va="center",
        ha="left" if sign > 0 else "right", fontsize=8, zorder=4,
        bbox={"fc": PAPER, "ec": "none", "alpha": 0.75, "pad": 0.4},
    )  # fmt: skip


def _numbers(column: Any) -> NDArray[np.float64]:
    import pandas as pd

    return np.asarray(pd.to_numeric(column, errors="coerce"), float)


def _errors(column: Any, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half-widths of the error bars from errors in percent of the value."""
    return np.abs(_numbers(column) / 100.0 * values)
