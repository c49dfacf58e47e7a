"""What became of every solid in the mesh: its volume against that of the solid itself."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from femsim.errors import FemsimWarning
from femsim.mesh.mesh import Mesh
from femsim.mesh.quality import cell_volumes
from femsim.mesh.size import MeshSize
from femsim.mesh.task import noted
from femsim.mesh.topology import face_nodes
from femsim.solid.base import Solid
from femsim.solid.query import volume


def reference_volume(solid: Solid, domain: Solid, points: float = 6e4) -> float:
    """Volume of a solid inside the domain, mm3, on a grid of about `points` nodes."""
    lower = np.maximum(solid.bounds[0], domain.bounds[0])
    upper = np.minimum(solid.bounds[1], domain.bounds[1])
    if not (upper > lower).all():
        return 0.0
    return volume(solid & domain, float((np.prod(upper - lower) / points) ** (1 / 3)), (lower, upper))


@dataclass(frozen=True)
class Holes:
    """Where a layer under the outer surface is missing in a mesh.

    Attributes
    ----------
    name : str
        The solid under the layer.
    share : float
        Of the outer surface, 0 to 1.
    thickness : float
        Largest thickness of the layer that is missing, mm.
    place : (3,) tuple of float
        Where, mm.
    """

    name: str
    share: float
    thickness: float
    place: tuple[float, float, float]


def holes(mesh: Mesh, layers: Mapping[str, Solid], size: MeshSize) -> list[Holes]:
    """Layers that have holes in the mesh, on a thousandth of the outer surface or more."""
    found = []
    faces = mesh.face_sets["boundary"]
    a, b, c = (mesh.points[face_nodes(mesh, faces)[:, k]] for k in range(3))
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    for name, solid in layers.items():
        merged = np.flatnonzero(mesh.inside(name)[faces[:, 0]])
        thickness = solid.distance((a[merged] + b[merged] + c[merged]) / 3.0)
        lost = thickness > 0.05 * size.near
        share = float(area[merged][lost].sum() / area.sum())
        if share >= 1e-3:
            x, y, z = ((a + b + c)[merged][lost][int(thickness[lost].argmax())] / 3.0).tolist()
            found.append(Holes(name, share, float(thickness[lost].max()), (x, y, z)))
    return found


def layer_notes(mesh: Mesh, layers: Mapping[str, Solid], size: MeshSize) -> list[str]:
    """Notes, also given as warnings, on layers under the outer surface that have holes in the mesh."""
    notes = []
    for one in holes(mesh, layers, size):
        x, y, z = one.place
        note = (
            f"layer over {one.name}: merged with what lies under it on {100 * one.share:.1f} % of the surface, where "
            f"it is thinner than {one.thickness:.2g} mm, as at ({x:.0f}, {y:.0f}, {z:.0f}) mm"
        )
        warnings.warn(note, FemsimWarning, stacklevel=4)
        notes.append(note)
    return notes


def outer_notes(mesh: Mesh, domain: Solid, released: int, size: MeshSize) -> list[str]:
    """A note, also given as a warning, where letting sharp edges of the outer surface go has moved it visibly."""
    nodes = np.unique(face_nodes(mesh, mesh.face_sets["boundary"])[:, :3])
    away = np.abs(domain.distance(mesh.points[nodes]))
    worst = int(away.argmax())
    if away[worst] < 0.1 * size.near:
        return []
    x, y, z = mesh.points[nodes[worst]]
    note = (
        f"{released} vertices on sharp edges of the outer surface were let go to get sound elements: it lies up to "
        f"{away[worst]:.2f} mm off, at ({x:.0f}, {y:.0f}, {z:.0f}) mm, and more than {0.1 * size.near:.2g} mm at "
        f"{int((away > 0.1 * size.near).sum())} of {len(nodes)} vertices"
    )
    warnings.warn(note, FemsimWarning, stacklevel=4)
    return [note]


def volume_notes(mesh: Mesh, wanted_volumes: Mapping[str, float], size: MeshSize) -> list[str]:
    """Notes, also given as warnings, on solids that are missing or whose volume is off by more than 3 %."""
    notes = []
    volumes = cell_volumes(mesh)
    for name, wanted in wanted_volumes.items():
        found = float(volumes[mesh.inside(name)].sum())
        if not noted(found - wanted, wanted, size.near):
            continue
        if found == 0.0:
            note = f"{name}: not in the mesh, {wanted:.3g} mm3 are too small or thin for its elements"
        else:
            note = f"{name}: {found:.4g} mm3 in the mesh, {wanted:.4g} mm3 in the solid ({found / wanted - 1:+.1%})"
        warnings.warn(note, FemsimWarning, stacklevel=4)
        notes.append(note)
    return notes
