"""What lies at one place of a strategy, in words and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from femsim import fem
from femsim.fields import FIELDS
from femsim.view.panel import Panel

_MODES = ("none", "tension", "compression", "shear")


def probe(panel: Panel, cell: int) -> dict[str, Any]:
    """The element `cell`: compartment, material, place, modulus, strains, stresses, risk.

    Returns
    -------
    dict of str to value
        Numbers in the units of the field table; vectors as tuples. Only what the strategy holds.
    """
    mesh = panel.mesh
    nodes = mesh.cells[cell]
    found: dict[str, Any] = {"strategy": panel.label, "element": int(cell)}
    if panel.materials:
        found["material"] = panel.materials[panel.material[cell]]
    if len(mesh.compartment) and mesh.solids:
        found["inside"] = ", ".join(mesh.names_of(int(mesh.compartment[cell]))) or "cortex only"
    corners = 4 if mesh.kind.startswith("tet") else 8
    found["place"] = tuple(float(x) for x in mesh.points[nodes[:corners]].mean(axis=0))
    for name, values in panel.fields.items():
        if name in ("material", "compartment", "excluded", "stress", "strain"):
            continue
        here = values[nodes].mean(axis=0) if name in FIELDS and FIELDS[name].location == "node" else values[cell]
        found[name] = tuple(float(x) for x in np.atleast_1d(here)) if np.ndim(here) else float(here)
    for name in ("stress", "strain"):
        if name in panel.fields:
            values, _ = fem.principal(np.asarray(panel.fields[name][cell], float), strain=name == "strain")
            found[f"principal_{name}"] = tuple(float(x) for x in values[::-1])
    if "failure_mode" in found:
        found["failure_mode"] = _MODES[int(found["failure_mode"])]
    if "excluded" in panel.fields and panel.fields["excluded"][cell] > 0:
        found["risk"] = "not judged"
    return found


def text(found: dict[str, Any]) -> str:
    """The same as lines for people."""
    return "\n".join(f"{name.replace('_', ' ')}: {_value(name, value)}" for name, value in found.items())


def _value(name: str, value: Any) -> str:
    unit = "mm" if name == "place" else FIELDS[name.removeprefix("principal_")].unit if _known(name) else "-"
    words = "(" + ", ".join(f"{x:.4g}" for x in value) + ")" if isinstance(value, tuple) else value
    words = f"{words:.4g}" if isinstance(words, float) else str(words).replace("_", " ")
    return words if unit == "-" else f"{words} {unit}"


def _known(name: str) -> bool:
    return name.removeprefix("principal_") in FIELDS
