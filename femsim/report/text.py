"""Numbers and tables as text."""

from __future__ import annotations

import math
from typing import Any

from femsim.fields import FIELDS

#: What the printed table shows, in order; everything else is in table.csv.
COLUMNS = (
    "stiffness",
    "torsional_stiffness",
    "stiffness_of_intact",
    "stiffness_recovery",
    "bone_tensile_strain",
    "bone_compressive_strain",
    "bone_tensile_stress",
    "cement_tensile_stress",
    "failure_load",
    "failure_load_bw",
    "failure_moment",
    "nonlinear_failure_load",
    "nonlinear_failure_moment",
    "failure_place",
    "cement_volume",
)
#: Of these, those whose error bar is printed too; all others are in table.csv and the report.
_BARS = ("stiffness", "torsional_stiffness", "failure_load", "failure_moment", "nonlinear_failure_load",
         "nonlinear_failure_moment")  # fmt: skip
_SHORT = {
    "torsional_stiffness": "torsional stiffness",
    "stiffness_of_intact": "of intact",
    "stiffness_recovery": "recovery",
    "bone_tensile_strain": "bone tension",
    "bone_compressive_strain": "bone compr.",
    "bone_tensile_stress": "bone tension",
    "cement_tensile_stress": "cement tension",
    "failure_load_bw": "failure load",
    "nonlinear_failure_load": "non-linear failure load",
    "nonlinear_failure_moment": "non-linear failure moment",
    "failure_place": "fails at",
    "cement_volume": "cement",
}


def number(value: object) -> str:
    """Four significant digits with thin thousands; "-" for what is missing or not finite, texts as they are.

    Examples
    --------
    >>> number(1234.56), number(0.012345), number(float("nan")), number("neck")
    ('1 235', '0.01235', '-', 'neck')
    """
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if not math.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    if abs(value) < 1e-3:
        return f"{value:.1e}"
    return f"{value:#.4g}".rstrip(".")


def shown_columns(frame: Any) -> list[str]:
    """The columns of `COLUMNS` that hold at least one value."""
    return [name for name in COLUMNS if name in frame and frame[name].notna().any()]


def with_error(row: Any, name: str) -> str:
    """A number with its error bar and its bracket where the table carries them."""
    text = number(row[name])
    error, low, high = (row.get(f"{name}_{end}") for end in ("error", "low", "high"))
    if _finite(error):
        text += f" ± {abs(error):.1f} %"
    if _finite(low) and _finite(high) and number(low) != number(high):
        text += f" ({number(low)} to {number(high)})"
    return text


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def print_table(result: Any) -> None:
    """Print the comparison to the terminal: one row a strategy, and every warning."""
    from rich.console import Console
    from rich.table import Table

    from femsim.report import rules_text

    frame = result.frame
    table = Table(title=repr(result), title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("strategy")
    names = shown_columns(frame)
    for name in names:
        unit = FIELDS[name].unit
        head = _SHORT.get(name, name.replace("_", " "))
        justify = "left" if name == "failure_place" else "right"
        table.add_column(head if unit == "-" else f"{head}\n[dim]{unit}[/dim]", justify=justify)  # type: ignore[arg-type]
    for strategy, row in frame.iterrows():
        label = result.results[strategy].label
        table.add_row(label, *(with_error(row, name) if name in _BARS else number(row[name]) for name in names))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)
    for more in (rules_text.rigidity_table(result), rules_text.rules_table(result)):
        if more is not None:
            console.print("")
            console.print(more)
    if getattr(result, "not_judged", ""):
        console.print(result.not_judged, style="dim", markup=False)
    _print_bars(console, result)
    for line in result.warnings:
        console.print(f"warning: {line}", style="yellow", markup=False)
    console.print("Research use only.", style="dim")


def _print_bars(console: Any, result: Any) -> None:
    """How sure the numbers are."""
    from rich.table import Table

    from femsim.report import bars

    shown = bars.assumptions(result)
    if shown is not None:
        table = Table(title="Uncertain assumptions", title_justify="left", show_edge=False, pad_edge=False)
        for index, head in enumerate(shown.heads):
            table.add_column(head, justify="right" if 1 < index < 5 else "left")
        for row in shown.rows:
            table.add_row(*row)
        console.print("")
        console.print(table)
    for line in bars.places(result):
        console.print(line, style="dim", markup=False)
    console.print(bars.note(result), style="dim", markup=False)
