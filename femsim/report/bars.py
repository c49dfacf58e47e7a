"""What a comparison knows about how sure its numbers are, as words and rows: meshes, and uncertain assumptions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from femsim.fields import BARRED, FIELDS, MAIN
from femsim.report.text import number
from femsim.study import stored

NONE = (
    "No error bar: run with --convergence to learn how far the numbers move with the mesh, and list assumptions under "
    "[uncertain] in the case to learn how far they move with them."
)


@dataclass(frozen=True)
class Table:
    """Heads, and rows of texts; the first cell of a row names it."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def _plain(found: Any) -> Mapping[str, Any]:
    """Of a comparison in memory or on disk, as plain data; empty where there is none."""
    plain = stored.plain(found)
    return plain if isinstance(plain, Mapping) else {}


def note(result: Any) -> str:
    """What the error bars beside the numbers are, in sentences; says so where there are none."""
    meshes, assumed = _plain(result.convergence), _plain(getattr(result, "assumptions", None))
    told = []
    if meshes:
        edges = ", ".join(f"{edge:.2f}" for edge in meshes["edges"])
        told.append(
            f"\u00b1 is the discretisation error (grid convergence index) from {len(meshes['edges'])} meshes with mean "
            f"edges of {edges} mm."
        )
    elif result.convergence:
        told.append("\u00b1 is the discretisation error.")
    if assumed:
        ranges = "; ".join(f"{key} {words}" for key, words in assumed["ranges"].items())
        told.append(f"In brackets: lowest to highest under one uncertain assumption at a time ({ranges}).")
    if told and not meshes and not result.convergence:
        told.append("No error bar of the discretisation: that needs --convergence.")
    if told and not assumed:
        told.append("No assumption is marked as uncertain: the bars do not hold the spread of material values.")
    return " ".join(told) or NONE


def convergence(result: Any) -> Table | None:
    """Every number with an error bar on all meshes, its order, and what it would be with elements of size zero."""
    found = _plain(result.convergence)
    if not found:
        return None
    meshes = tuple(f"{edge:.2f} mm" for edge in found["edges"])
    heads = ("strategy", "quantity", *meshes, "order", "extrapolated", "\u00b1")
    rows = []
    for name, bars in found["bars"].items():
        for column in (one for one in BARRED if one in bars):
            bar = bars[column]
            if column not in MAIN and not bar["half_width"]:
                continue
            unit = "" if FIELDS[column].unit == "-" else f" {FIELDS[column].unit}"
            values = tuple(number(value) for value in found["values"][name][column])
            order = "none" if bar["order"] is None else f"{bar['order']:.2f}"
            rows.append(
                (_label(result, name), f"{column.replace('_', ' ')}{unit}", *values, order, number(bar["extrapolated"]),
                 number(bar["half_width"]))
            )  # fmt: skip
    return Table(heads, tuple(rows))


def places(result: Any) -> list[str]:
    """For every strategy whether all meshes fail at the same place."""
    found = _plain(result.convergence)
    return [f"{_label(result, name)}: failure place {words}." for name, words in found.get("places", {}).items()]


def assumptions(result: Any) -> Table | None:
    """Brackets of the main numbers, and which assumption governs each."""
    found = _plain(getattr(result, "assumptions", None))
    if not found:
        return None
    rows = []
    for name, brackets in found["brackets"].items():
        for column in (one for one in MAIN if one in brackets):
            bracket, unit = brackets[column], FIELDS[column].unit
            value = number(result.frame[column][name])
            rows.append(
                (_label(result, name), f"{column.replace('_', ' ')} {unit}", value, number(bracket["low"]),
                 number(bracket["high"]), bracket["assumption"])
            )  # fmt: skip
    return Table(("strategy", "quantity", "as in the case", "lowest", "highest", "governed by"), tuple(rows))


def ranking(result: Any, column: str, best: str) -> str:
    """Whether the strategy that holds best does so under every single uncertain assumption, in a sentence."""
    found = _plain(getattr(result, "assumptions", None))
    if not found:
        return ""
    intact = next(iter(result.results))
    others = {name: rows for name, rows in found["values"].items() if name != intact}
    changed = []
    for label in next(iter(others.values()), {}):
        loads = {name: rows[label].get(column, math.nan) for name, rows in others.items()}
        known = {name: load for name, load in loads.items() if load is not None and math.isfinite(load)}
        first = max(known, key=lambda name: known[name], default=best)
        if known.get(best, -math.inf) < known.get(first, -math.inf) * (1.0 - 1e-9):
            changed.append(f"with {label} it is {_label(result, first)}")
    if changed:
        return f"Which strategy holds best depends on the assumptions: {'; '.join(changed)}."
    return f"{_label(result, best)} holds best under every single uncertain assumption."


def _label(result: Any, name: str) -> str:
    text = str(result.results[name].label) if name in result.results else name
    return text[:1].upper() + text[1:]
