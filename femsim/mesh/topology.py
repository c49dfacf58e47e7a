"""Faces and edges: neighbours, the outer surface, the faces between solids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from femsim.errors import MeshError
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
    faces = np.sort(cells[:, :4][:, TET_FACES].reshape(-1, 3), axis=1)
    n = np.uint64(int(cells.max()) + 1 if len(cells) else 1)
    a, b, c = (faces[:, k].astype(np.uint64) for k in range(3))
    if int(n) ** 3 >= 2**64:
        raise MeshError(
            f"The mesh has {int(n)} nodes.", "Faces are numbered up to 2.6 million nodes.", "Use a coarser mesh."
        )
    key = (a * n + b) * n + c
    order = np.argsort(key, kind="stable")
    same = key[order[1:]] == key[order[:-1]]
    if (same[1:] & same[:-1]).any():
        raise MeshError(
            "A face is shared by more than two tetrahedra.",
            "The mesh overlaps itself.",
            "Check the file for double elements.",
        )
    result = np.full(len(faces), -1)
    first, second = order[:-1][same], order[1:][same]
    result[first], result[second] = second // 4, first // 4
    return result.reshape(-1, 4)


def edges(cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Unique edges (e, 2) of tetrahedra, smaller vertex first, sorted; and the edges (m, 6) of every tetrahedron."""
    pairs = cells[:, TET_EDGES]
    low, high = pairs.min(axis=2), pairs.max(axis=2)
    n = int(cells.max()) + 1 if len(cells) else 1
    unique, inverse = np.unique(low * n + high, return_inverse=True)
    return np.stack([unique // n, unique % n], axis=1), inverse.reshape(-1, 6)


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
