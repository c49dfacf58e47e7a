"""Charts of the comparison table: stiffness and failure load of every strategy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from femsim.fields import FIELDS
from femsim.report.style import INK, SERIES, style

if TYPE_CHECKING:
    import pandas as pd

#: Columns shown, in order, each with the column that holds its error in percent.
SHOWN = (
    ("stiffness_of_intact", "stiffness_error"),
    ("stiffness_recovery", "stiffness_error"),
    ("failure_load", "failure_load_error"),
)
_TITLES = {
    "stiffness_of_intact": "Stiffness, intact bone = 100 %",
    "stiffness_recovery": "Stiffness recovered (untreated 0, intact 100 %)",
    "failure_load": "Linear failure load",
}


def comparison(frame: pd.DataFrame, labels: dict[str, str] | None = None, body_weight: float | None = None) -> Any:
    """Horizontal bars of stiffness and failure load, a group a strategy, a bar a load case.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns as in `femsim.fields`: ``strategy`` (or as the index), optionally ``load``, and any of `SHOWN`.
    labels : dict of str to str, optional
        What to write for each strategy.
    body_weight : float, optional
        Body weight in N; gives the failure load a second axis.

    Returns
    -------
    matplotlib.figure.Figure
    """
    frame = frame.reset_index() if "strategy" not in frame else frame
    strategies = list(dict.fromkeys(frame["strategy"]))
    loads = list(dict.fromkeys(frame["load"])) if "load" in frame else [None]
    shown = [(name, error) for name, error in SHOWN if name in frame and np.isfinite(_numbers(frame[name])).any()]
    with style() as new:
        figure = new(3.1 * max(1, len(shown)) + 1.9, 0.9 + len(strategies) * (0.22 + 0.2 * len(loads)))
        grid = figure.subplots(1, max(1, len(shown)), squeeze=False, sharey=True)[0]
        for axes, (name, error) in zip(grid, shown, strict=False):
            _bars(axes, frame, name, error, strategies, loads)
        if not shown:
            grid[0].text(0.5, 0.5, "No stiffness and no failure load were computed.", ha="center")
        grid[0].set_yticks(range(len(strategies)), [(labels or {}).get(name, name) for name in strategies])
        grid[0].set_ylim(len(strategies) - 0.45, -0.55)
        if body_weight and shown and shown[-1][0] == "failure_load":
            second = grid[-1].secondary_xaxis("top", functions=(lambda x: x / body_weight, lambda x: x * body_weight))
            second.set_xlabel("body weights", fontsize=8)
            second.tick_params(labelsize=8)
        if len(loads) > 1:
            figure.legend(
                *grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(loads), fontsize=8
            )
        figure.set_layout_engine("constrained")
    return figure


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
            _number(axes, value, at, past)
    axes.axvline(0, color="#666666", lw=0.7, zorder=1)
    if FIELDS[name].unit == "%":
        axes.axvline(100, color="#666666", lw=0.8, ls=(0, (4, 3)), zorder=1)
    axes.margins(x=0.2)
    axes.set_title(_TITLES[name], loc="left", pad=8)
    axes.set_xlabel(FIELDS[name].label)
    axes.tick_params(axis="y", length=0)


def _number(axes: Any, value: float, at: float, past: float) -> None:
    """The value written beyond the end of its bar and error bar."""
    text = f"{value:,.0f}".replace(",", " ") if abs(value) >= 100 else f"{value:.3g}"
    if not math.isfinite(value):
        text, value = "not available", 0.0
    sign = 1 if value >= 0 else -1
    axes.annotate(
        text, (value + sign * past, at), (4 * sign, 0), textcoords="offset points", va="center",
        ha="left" if sign > 0 else "right", fontsize=8, zorder=4,
        bbox={"fc": "white", "ec": "none", "alpha": 0.75, "pad": 0.4},
    )  # fmt: skip


def _numbers(column: Any) -> NDArray[np.float64]:
    import pandas as pd

    return np.asarray(pd.to_numeric(column, errors="coerce"), float)


def _errors(column: Any, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half-widths of the error bars from errors in percent of the value."""
    return np.abs(_numbers(column) / 100.0 * values)
