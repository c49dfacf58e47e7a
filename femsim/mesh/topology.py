"""Faces and edges: neighbours, the outer surface, the faces between solids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from femsim.errors import MeshError
from femsim.mesh._topology_kernels import match_faces, number_edges
from femsim.mesh.mesh import Mesh

# Local faces of a tetrahedron, outward, in the order of VTK; and its edges, in the order of the mid-side nodes.
TET_FACES = np.array([[0, 1, 3], [1, 2, 3], [2, 0, 3], [0, 2, 1]])
TET_EDGES = np.array([[0, 1], [1, 2], [2, 0], [0, 3], [1, 3], [2, 3]])
TET10_FACES = np.array([[0, 1, 3, 4, 8, 7], [1, 2, 3, 5, 9, 8], [2, 0, 3, 6, 7, 9], [0, 2, 1, 6, 5, 4]])


def neighbours(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tetrahedron behind every local face (m, 4), -1 on the outer surface; `cells` (m, 4 or more).

    Raises
    ------
    MeshError
        If a face is shared by three or more tetrahedra.
    """
    corner = np.ascontiguousarray(cells[:, :4], np.int64)
    beside, crowded = match_faces(corner, TET_FACES, int(corner.max()) + 1 if len(corner) else 1)
    if crowded >= 0:
        raise MeshError(
            f"A face of element {crowded // 4} is shared by more than two tetrahedra.",
            "The mesh overlaps itself.",
            "Check the file for double elements.",
        )
    return beside


def edges(cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Unique edges (e, 2) of tetrahedra, smaller vertex first, sorted; and the edges (m, 6) of every tetrahedron."""
    corner = np.ascontiguousarray(cells[:, :4], np.int64)
    return number_edges(corner, TET_EDGES, int(corner.max()) + 1 if len(corner) else 1)


def boundary_faces(mesh: Mesh) -> NDArray[np.int64]:
    """Faces (f, 2) of the outer surface as (cell, local face), for tetrahedra."""
    return np.argwhere(neighbours(_tetrahedra(mesh)) < 0)


def interface_faces(mesh: Mesh, solid: str) -> NDArray[np.int64]:
    """Faces (f, 2) between the inside and the outside of a named solid, seen from the cell inside."""
    beside = neighbours(_tetrahedra(mesh))
    inside = mesh.inside(solid)
    return np.argwhere(inside[:, None] & (beside >= 0) & ~inside[beside])


def face_nodes(mesh: Mesh, faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Nodes (f, 3) or (f, 6) of (cell, local face) pairs, outward: vertices first, then the mid-side nodes."""
    table = TET10_FACES if mesh.kind == "tet10" else TET_FACES
    _tetrahedra(mesh)
    return mesh.cells[faces[:, :1], table[faces[:, 1]]]


def _tetrahedra(mesh: Mesh) -> NDArray[np.int64]:
    if mesh.kind not in ("tet4", "tet10"):
        raise MeshError(
            f"Faces of a {mesh.kind} mesh were asked for.", "Only tetrahedra are known here.", "Give a tet mesh."
        )
    return mesh.cells[:, :4]
