"""Walls thinner than an element: which are resolved, which are homogenised, and whether what is inside leaks."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from femsim.errors import FemsimWarning, MeshError
from femsim.mesh._gather_kernels import any_of
from femsim.mesh.mesh import Mesh
from femsim.mesh.shape import volumes
from femsim.mesh.size import WALL, MeshSize
from femsim.mesh.topology import face_nodes, neighbours
from femsim.solid.arrangement import Arrangement
from femsim.solid.base import Solid

#: Share of its area over which the filling of a resolved wall may touch what is outside, before the gate closes.
LEAK = 0.01
# Places in a tetrahedron where a wall is looked for, evenly spread.
_PLACES = np.array([[i, j, k, 4 - i - j - k] for i in range(5) for j in range(5 - i) for k in range(5 - i - j)])
_PLACES = (_PLACES + 0.25) / 5.0


def lumen_of(name: str) -> str:
    """Name of the solid inside a wall."""
    return f"{name}_lumen"


def homogenised(arrangement: Arrangement, size: MeshSize) -> tuple[list[str], list[str]]:
    """Solids whose surface is not cut because the wall around them is too thin, and the notes that say so.

    A wall is the part of a solid outside the solid of the same name with ``_lumen`` appended. Where it is homogenised
    only the lumen is cut, with its true diameter; the wall's share of every element around it is in
    ``Mesh.fractions``, and the material of these elements is mixed accordingly.
    """
    skipped: list[str] = []
    notes: list[str] = []
    for name, thickness in arrangement.thin.items():
        edge = size.near if name in arrangement.fine or not arrangement.fine else size.far
        if size.walls == "resolve" or (size.walls == "auto" and edge <= WALL * thickness):
            continue
        if lumen_of(name) not in arrangement.solids:
            note = f"{name}: {thickness:g} mm thick at an edge length of {edge:g} mm; it may have holes"
        else:
            skipped.append(name)
            note = (
                f"{name}: wall of {thickness:g} mm homogenised at an edge length of {edge:g} mm: elements around "
                f"{lumen_of(name)} are a mixture of wall and of what lies around it, by volume; "
                'mesh.walls = "resolve" meshes it'
            )
        warnings.warn(note, FemsimWarning, stacklevel=3)
        notes.append(note)
    return skipped, notes


def wall_fractions(
    points: NDArray[np.float64], cells: NDArray[np.int64], inside: NDArray[np.bool_], wall: Solid, wanted: float
) -> NDArray[np.float64]:
    """Share (m,) of every cell's volume that a wall takes, 0 to 1.

    Parameters
    ----------
    points, cells
        Ten-node tetrahedra.
    inside : (m,) bool
        Cells of the lumen, which hold none of the wall.
    wall : Solid
        The wall without its lumen.
    wanted : float
        Its volume in mm3, which all shares are scaled to add up to.
    """
    share = np.zeros(len(cells))
    near = _beside(points, cells, inside, wall)
    places = np.einsum("pk,mkd->mpd", _PLACES, points[cells[near, :4]])
    held = wall.distance(places.reshape(-1, 3)).reshape(len(near), -1) < 0.0
    share[near] = held.mean(axis=1)
    found = float((share[near] * volumes(points, cells[near])).sum())
    return np.minimum(share * (wanted / found), 1.0) if found > 0.0 else share


def _beside(
    points: NDArray[np.float64], cells: NDArray[np.int64], inside: NDArray[np.bool_], wall: Solid
) -> NDArray[np.int64]:
    """Cells outside the lumen that the wall may reach."""
    lower, upper = wall.bounds
    near = np.flatnonzero(~inside)
    for d in range(3):  # most cells of a bone lie with all vertices beyond one side of the wall's box
        x = points[:, d]
        near = near[any_of(x <= upper[d], cells[near, :4])]
        near = near[any_of(x >= lower[d], cells[near, :4])]
    corner = points[cells[near, :4]]
    centre = corner.mean(axis=1)
    reach = np.linalg.norm(corner - centre[:, None], axis=2).max(axis=1)
    return near[wall.distance(centre) < reach]


def check_leaks(mesh: Mesh, thin: Mapping[str, float], size: MeshSize) -> list[str]:
    """Notes on walls with holes, through which the lumen touches what is outside.

    Raises
    ------
    MeshError
        If walls were to be resolved and more than 1 % of a lumen's surface is bare.
    """
    notes = []
    for name in thin:
        lumen = lumen_of(name)
        if lumen not in mesh.solids or not mesh.inside(name).any():
            continue
        leak, total, place = _leak(mesh, name, lumen)
        if leak == 0.0 or total == 0.0:
            continue
        where = f"({place[0]:.1f}, {place[1]:.1f}, {place[2]:.1f}) mm"
        note = f"{name}: {100 * leak / total:.2g} % of the surface of its lumen has no wall, as at {where}"
        if size.walls == "resolve" and leak > LEAK * total:
            raise MeshError(note + ".", "Its filling would touch the bone.", "Use a smaller mesh.near.")
        warnings.warn(note, FemsimWarning, stacklevel=3)
        notes.append(note)
    return notes


def _leak(mesh: Mesh, name: str, lumen: str) -> tuple[float, float, NDArray[np.float64]]:
    """Area of the lumen's surface that is bare, all of it inside the domain, mm2; and the middle of one bare face."""
    beside = neighbours(mesh.cells)
    inner, outer = mesh.inside(lumen), mesh.inside(name)
    faces = np.argwhere(inner[:, None] & (beside >= 0) & ~inner[beside])
    a, b, c = (mesh.points[face_nodes(mesh, faces)[:, k]] for k in range(3))
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    bare = ~outer[beside[faces[:, 0], faces[:, 1]]]
    place = (a + b + c)[bare][0] / 3.0 if bare.any() else np.zeros(3)
    return float(area[bare].sum()), float(area.sum()), place
