"""What the cases of a study say about themselves: their warnings, and whether their equations were solved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from femsim.report.tables import CHECKS, SOUND
from femsim.study.sweep import folder, reduced

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def warnings(place: Path, cases: Iterable[str]) -> list[str]:
    """The warnings of all cases; those that differ in nothing but numbers are one, and say in how many cases it is."""
    found = folder.records(place, cases)
    first: dict[str, str] = {}
    count: dict[str, int] = {}
    for record in found.values():
        told = {_NUMBER.sub("#", str(line)): str(line) for line in record.get("warnings", ())}
        for kind, line in told.items():
            first.setdefault(kind, line)
            count[kind] = count.get(kind, 0) + 1
    return [f"{first[kind]} ({_times(count[kind], len(found))})" for kind in sorted(count, key=lambda one: -count[one])]


def _times(count: int, cases: int) -> str:
    """In how many of the cases it was said."""
    if cases == 1:
        return "in the only case"
    if count == cases:
        return f"in all {cases} cases; numbers are those of the first"
    return f"in {count} of {cases} cases"


def residuals(frame: Any) -> list[tuple[str, str, bool, str]]:
    """For every check its name, its largest value over all solved strategies, whether that is sound, and where it is.

    Answers of a reduced basis have their own bound in place of residuals.
    """
    names = [*(f"out.{name}" for name in CHECKS), "error_bound"]
    rows = []
    for name in (one for one in names if one in frame and frame[one].notna().any()):
        values = np.abs(np.asarray(frame[name], float))
        at = int(np.nanargmax(values))
        where: Mapping[Any, Any] = frame.iloc[at]
        sound = bool(values[at] <= SOUND) or name == "error_bound"
        words = name.removeprefix("out.").replace("_", " ")
        rows.append((words, f"{values[at]:.1e}", sound, f"{where['case']}, {where['strategy']}"))
    return rows


def meshes(place: Path, cases: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """What the cases say of their meshes, by case; one of an earlier version of femsim says nothing."""
    found = reduced.known(place, list(cases))
    return {name: record["mesh"] for name, record in found.items() if record.get("mesh")}


def mesh_rows(found: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Elements and shapes over all cases: a name, and the least and largest value, each with the case it is of."""
    kinds = (
        ("elements", "elements", lambda value: f"{value:,.0f}".replace(",", " ")),
        ("worst_sicn", "shape, worst element (SICN: 1 regular, 0 flat)", lambda value: f"{value:.3f}"),
        ("share_above_quarter", "shape, share above 0.25", lambda value: f"{100 * value:.2f} %"),
    )
    rows = []
    for key, words, text in kinds:
        values = {case: float(one[key]) for case, one in found.items() if key in one}
        if values:
            ends = (min(values, key=values.__getitem__), max(values, key=values.__getitem__))
            rows.append((words, [(text(values[case]), case) for case in ends]))
    return rows
