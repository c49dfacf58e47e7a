"""The tables of the page as plain rows of text; the template only lays them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from femsim.fields import FIELDS, is_of_a_bar
from femsim.report.answer import label
from femsim.report.text import number, with_error

CHECKS = ("force_residual", "moment_residual", "energy_residual", "solver_residual")
#: Values of a check above this mean that the equations were not solved.
SOUND = 1e-4
_GROUPS = (
    ("Stiffness", ("stiffness", "torsional_stiffness")),
    ("Rigidity", ("axial_rigidity", "bending_rigidity", "polar_tors", "true_tors", "rigidity_", "weakest_section")),
    ("Strength", ("failure_", "maximum_risk", "overloaded_", "interface_")),
    ("Strength beyond yield", ("nonlinear_", "yield_", "energy_to_peak")),
    ("Bone", ("bone_",)),
    ("Cement", ("cement_",)),
    ("Devices", ("device_", "wall_", "screw_", "nail_", "plate_", "wire_")),
    ("Lesion", ("lesion_", "axial_", "circumferential_", "mirels_")),
)
_TITLES = {"maximum_risk": "largest factor of risk", "failure_load_bw": "failure load in body weights"}
_COUNTS = ("mirels_size_points",)
_HIDDEN = ("load", "unknowns", "error_bar", *CHECKS)


@dataclass(frozen=True)
class Line:
    """One quantity: its name, unit and meaning, and its value for every strategy."""

    title: str
    unit: str
    meaning: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Lines in groups; the heads are the strategies."""

    heads: tuple[str, ...]
    groups: tuple[tuple[str, tuple[Line, ...]], ...]


def comparison(result: Any) -> Table:
    """Every column of the table that holds a value, as lines; strategies side by side."""
    frame = result.frame
    names = [n for n in frame.columns if n in FIELDS and n not in _HIDDEN and not is_of_a_bar(n)]
    names = [n for n in names if frame[n].notna().any()]
    groups: dict[str, list[Line]] = {title: [] for title in (*dict(_GROUPS), "Further")}
    for name in names:
        title = next((title for title, starts in _GROUPS if name.startswith(starts)), "Further")
        groups[title].append(_line(frame, name))
    return Table(
        tuple(label(result, name) for name in frame.index),
        tuple((title, tuple(lines)) for title, lines in groups.items() if lines),
    )


def _line(frame: Any, name: str) -> Line:
    field = FIELDS[name]
    cells = tuple(_cell(row, name) for _, row in frame.iterrows())
    title = _TITLES.get(name, name.replace("_", " "))
    return Line(title, "" if field.unit == "-" else field.unit, field.meaning, cells)


def _cell(row: Any, name: str) -> str:
    value = row[name]
    if name == "failure_material" and isinstance(value, str):
        return value.replace("_", " ")
    if name in _COUNTS and isinstance(value, (int, float)) and np.isfinite(value):
        return f"{value:.0f}"
    return with_error(row, name)


def checks(result: Any) -> tuple[list[str], list[tuple[str, list[tuple[str, bool]]]]]:
    """Heads, and for every strategy its residuals with whether each is sound."""
    frame = result.frame
    names = [name for name in CHECKS if name in frame]
    rows = [
        (label(result, key), [(f"{float(row[n]):.1e}", bool(float(row[n]) <= SOUND)) for n in names])
        for key, row in frame.iterrows()
    ]
    return [name.replace("_", " ") for name in names], rows


def mesh_lines(result: Any) -> list[tuple[str, str]]:
    """What the mesh is and what it is worth, as name and value."""
    from femsim import mesh as meshes

    mesh = result.mesh
    lines = [
        ("elements", f"{number(len(mesh.cells))} ({mesh.kind})"),
        ("nodes", number(len(mesh.points))),
        ("displacement unknowns", number(3 * len(mesh.points))),
    ]
    if not mesh.kind.startswith("tet"):
        return lines
    found = meshes.quality(mesh)
    low = np.quantile(found.sicn, 0.05)
    return [
        *lines,
        ("shape, worst (SICN: 1 regular, 0 flat)", f"{found.worst:.3f} at {_place(found.worst_place)}"),
        ("shape, 5 % of the elements below", f"{low:.2f}"),
        ("shape, share above 0.25", f"{100 * found.above_quarter:.2f} %"),
        ("curved edges, smallest Jacobian over that of the straight element", f"{found.jacobian:.2f}"),
        ("volume", f"{sum(found.volumes.values()) / 1000:.1f} mL"),
    ]


def _place(point: Iterable[float]) -> str:
    return "(" + ", ".join(f"{x:.0f}" for x in point) + ") mm"


@dataclass(frozen=True)
class RuleLine:
    """A clinical rule: what it says, its verdict on every strategy, what is known about it, what limits it."""

    title: str
    limit: str
    verdicts: tuple[tuple[str, bool | None], ...]
    evidence: tuple[str, ...]
    note: str


def clinical(result: Any) -> tuple[tuple[str, ...], tuple[RuleLine, ...]]:
    """Heads and lines of the clinical rules; empty where there is no lesion to judge."""
    rows = [one if isinstance(one, Mapping) else one.as_dict() for one in getattr(result, "clinical", ())]
    strategies = list(dict.fromkeys(row["strategy"] for row in rows))
    lines = []
    for name in dict.fromkeys(row["rule"] for row in rows):
        own = {row["strategy"]: row for row in rows if row["rule"] == name}
        first = next(iter(own.values()))
        unit = "" if first["unit"] == "-" else f" {first['unit']}"
        lines.append(
            RuleLine(
                title=first["title"],
                limit=f"{first['at_risk_if']} {first['threshold']:g}{unit}",
                verdicts=tuple(_verdict(own.get(one)) for one in strategies),
                evidence=tuple(_evidence(one) for one in first["evidence"]),
                note="; ".join(dict.fromkeys(row["note"] for row in own.values() if row["note"])),
            )
        )
    return tuple(label(result, one) if one in result.results else one for one in strategies), tuple(lines)


def _verdict(row: Mapping[str, Any] | None) -> tuple[str, bool | None]:
    if row is None:
        return "", None
    words = {True: "at risk", False: "not at risk", None: "not known"}[row["at_risk"]]
    return words if row["value"] is None else f"{row['value']:.4g}: {words}", row["at_risk"]


def _evidence(one: Mapping[str, Any]) -> str:
    rates = [("sensitivity", one["sensitivity"]), ("specificity", one["specificity"])]
    known = [f"{name} {value:g} %" for name, value in rates if value is not None]
    return f"{', '.join(known) or 'no rates read'} ({one['cohort']}; trust {one['trust']})"


def timings(result: Any) -> list[tuple[str, str]]:
    """Wall time of every stage, with the sum."""
    rows = [(str(name), f"{float(value):.1f} s") for name, value in result.seconds.items()]
    return [*rows, ("all", f"{sum(result.seconds.values()):.1f} s")] if rows else []
