"""Walls thinner than an element can show: which are left out of the mesh, and what is said about it."""

from __future__ import annotations

import warnings

import numpy as np

from femsim.errors import FemsimWarning
from femsim.mesh.size import MeshSize
from femsim.solid.arrangement import Arrangement
from femsim.solid.query import volume

RESOLVED = 0.5  # of the edge length: thinner walls get holes (a 0.5 mm wall at 1.5 mm: a third of it missing)


def homogenised(arrangement: Arrangement, size: MeshSize) -> tuple[set[str], list[str]]:
    """Solids whose surface is not cut because the wall around them is too thin, and the notes that say so.

    A wall is the part of a solid outside the solid of the same name with ``_lumen`` appended. Where the wall is
    thinner than half the edge length the outer surface is not cut: the lumen keeps its true diameter (it is the part
    that carries load), the wall is what lies around it, and the note gives the share of the wall in the volume.
    """
    skipped: set[str] = set()
    notes: list[str] = []
    for name, thickness in arrangement.thin.items():
        edge = size.near if name in arrangement.fine or not arrangement.fine else size.far
        if thickness >= RESOLVED * edge:
            continue
        lumen = f"{name}_lumen"
        if lumen not in arrangement.solids:
            note = f"{name}: {thickness:g} mm thick, below half the edge length {edge:g} mm; it may have holes"
        else:
            skipped.add(name)
            outer, inner = (_volume(arrangement, n) for n in (name, lumen))
            note = (
                f"{name}: wall of {thickness:g} mm homogenised at an edge length of {edge:g} mm: the tissue or cement "
                f"around {lumen} takes its place; the wall is {100 * (1 - inner / outer) if outer > 0 else 100:.1f} % "
                f"of the volume of {name}"
            )
        warnings.warn(note, FemsimWarning, stacklevel=3)
        notes.append(note)
    return skipped, notes


def _volume(arrangement: Arrangement, name: str) -> float:
    solid = arrangement.solids[name]
    size = np.asarray(solid.bounds[1]) - np.asarray(solid.bounds[0])
    return volume(solid, float((np.prod(size) / 3e5) ** (1 / 3))) if np.isfinite(size).all() else 0.0
