"""Triangles to draw: the outside of a set of cells, whole or cut open by a plane.

Drawing uses the corner nodes only. A quadratic cell drawn with straight edges differs from the true one by less than
a pixel, and a fifth of the triangles are needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Local faces of a tetrahedron, outward for positive volume (the VTK ones).
TET_FACES = np.array([(0, 1, 3), (1, 2, 3), (2, 0, 3), (0, 2, 1)])
#: A hexahedron as six tetrahedra around its diagonal 0-6: the split is only for drawing.
_HEX_TETS = np.array([(0, 1, 2, 6), (0, 2, 3, 6), (0, 3, 7, 6), (0, 7, 4, 6), (0, 4, 5, 6), (0, 5, 1, 6)])
#: Corners whose normals differ by more than this from their face (cosine) are drawn as edges.
_CREASE = 0.9


@dataclass(frozen=True, eq=False)
class Plane:
    """The half space that is kept: points ``p`` with ``(p - origin) . normal <= 0``."""

    origin: Floats
    normal: Floats

    def height(self, points: Floats) -> Floats:
        """Signed distance (n,) of points (n, 3) mm, positive on the side that is cut away."""
        normal = np.asarray(self.normal, float)
        return (np.asarray(points, float) - self.origin) @ (normal / np.linalg.norm(normal))


@dataclass(frozen=True, eq=False)
class Triangles:
    """Triangles with the cell each belongs to.

    Attributes
    ----------
    corners : (t, 3, 3) float64
        Corner coordinates, mm.
    normals : (t, 3, 3) float64
        Normal at every corner; zero where the triangle lies on a cut and is drawn without shading.
    cell : (t,) int64
        The cell drawn.
    """

    corners: Floats
    normals: Floats
    cell: Ints

    def __len__(self) -> int:
        return len(self.cell)

    def take(self, which: NDArray[np.bool_]) -> Triangles:
        """The triangles where `which` (t,) is true."""
        return Triangles(self.corners[which], self.normals[which], self.cell[which])


def tetrahedra(cells: Ints, kind: str) -> tuple[Ints, Ints]:
    """Corner tetrahedra (k, 4) of cells of any kind, and the cell (k,) that each came from."""
    if kind.startswith("tet"):
        return np.ascontiguousarray(cells[:, :4], np.int64), np.arange(len(cells))
    split = cells[:, :8][:, _HEX_TETS].reshape(-1, 4)
    return np.ascontiguousarray(split, np.int64), np.repeat(np.arange(len(cells)), len(_HEX_TETS))


def boundary(tets: Ints, chosen: NDArray[np.bool_] | None = None) -> tuple[Ints, Ints]:
    """Outer faces of a set of tetrahedra.

    Parameters
    ----------
    tets : (k, 4) int
    chosen : (k,) bool, optional
        The set; all when left out.

    Returns
    -------
    faces : (f, 3) int
        Nodes of every face that belongs to exactly one tetrahedron of the set, outward.
    owner : (f,) int
        That tetrahedron.
    """
    index = np.arange(len(tets)) if chosen is None else np.flatnonzero(chosen)
    faces = tets[index][:, TET_FACES].reshape(-1, 3)
    owner = np.repeat(index, 4)
    ordered = np.sort(faces, axis=1)
    # one integer a face sorts five times faster than rows do; 21 bits a node allow two million corner nodes
    base = int(tets.max(initial=0)) + 1
    if base**3 >= 2**63:
        _, first, count = np.unique(ordered, axis=0, return_index=True, return_counts=True)
    else:
        code = (ordered[:, 0] * base + ordered[:, 1]) * base + ordered[:, 2]
        _, first, count = np.unique(code, return_index=True, return_counts=True)
    single = np.sort(first[count == 1])
    return faces[single], owner[single]


def surface(points: Floats, tets: Ints, chosen: NDArray[np.bool_] | None = None) -> Triangles:
    """The outside of a set of tetrahedra with smooth normals; creases stay sharp."""
    faces, owner = boundary(tets, chosen)
    corners = points[faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    smooth = np.zeros((len(points), 3))
    for axis in range(3):
        weight = np.repeat(flat[:, axis], 3)
        smooth[:, axis] = np.bincount(faces.ravel(), weight, minlength=len(points))
    flat, smooth = _unit(flat), _unit(smooth)
    normals = smooth[faces]
    crease = np.einsum("fcd,fd->fc", normals, flat) < _CREASE
    normals[crease] = np.broadcast_to(flat[:, None], normals.shape)[crease]
    return Triangles(corners, normals, owner)


def cut_open(points: Floats, tets: Ints, plane: Plane, chosen: NDArray[np.bool_] | None = None) -> Triangles:
    """The outside of a set of tetrahedra with the half above `plane` taken away, cut face included."""
    outside = clip(surface(points, tets, chosen), plane)
    inside = section(points, tets, plane, chosen)
    return Triangles(
        np.concatenate([outside.corners, inside.corners]),
        np.concatenate([outside.normals, inside.normals]),
        np.concatenate([outside.cell, inside.cell]),
    )


def clip(triangles: Triangles, plane: Plane) -> Triangles:
    """The part of triangles that lies below a plane."""
    height = plane.height(triangles.corners.reshape(-1, 3)).reshape(-1, 3)
    above = height > 0
    count = above.sum(axis=1)
    parts = [triangles.take(count == 0)]
    # One corner lost: a quadrilateral is left. Two lost: a triangle. The odd corner is turned to the front first.
    for lost in (1, 2):
        part = triangles.take(count == lost)
        odd = np.argmax(above[count == lost] if lost == 1 else ~above[count == lost], axis=1)
        order = (odd[:, None] + np.arange(3)) % 3
        rows = np.arange(len(part))[:, None]
        both = np.concatenate([part.corners, part.normals], axis=2)[rows, order]
        h = height[count == lost][rows, order]
        left = _between(both[:, 0], both[:, 1], h[:, 0], h[:, 1])
        right = _between(both[:, 0], both[:, 2], h[:, 0], h[:, 2])
        if lost == 1:
            new = [(left, both[:, 1], both[:, 2]), (left, both[:, 2], right)]
        else:
            new = [(both[:, 0], left, right)]
        for corners in new:
            stacked = np.stack(corners, axis=1)
            parts.append(Triangles(stacked[..., :3], stacked[..., 3:], part.cell))
    return Triangles(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("corners", "normals", "cell")))


def section(points: Floats, tets: Ints, plane: Plane, chosen: NDArray[np.bool_] | None = None) -> Triangles:
    """Where a plane cuts a set of tetrahedra: one or two triangles a tetrahedron, normals zero."""
    height = plane.height(points)
    above = height[tets] > 0
    count = above.sum(axis=1)
    crossing = (count > 0) & (count < 4)
    if chosen is not None:
        crossing &= chosen
    found: list[tuple[Floats, Ints]] = []
    for lost in (1, 2, 3):
        cell = np.flatnonzero(crossing & (count == lost))
        # corners above first, so that the edges that cross are known by position
        order = np.argsort(~above[cell], axis=1, kind="stable")
        node = tets[cell[:, None], order]
        p, h = points[node], height[node]

        def edge(i: int, j: int, p: Floats = p, h: Floats = h) -> Floats:
            return _between(p[:, i], p[:, j], h[:, i], h[:, j])

        if lost == 1:
            triangles = [(edge(0, 1), edge(0, 2), edge(0, 3))]
        elif lost == 3:
            triangles = [(edge(0, 3), edge(1, 3), edge(2, 3))]
        else:
            a, b, c, d = edge(0, 2), edge(0, 3), edge(1, 3), edge(1, 2)
            triangles = [(a, b, c), (a, c, d)]
        found += [(np.stack(corners, axis=1), cell) for corners in triangles]
    corners = np.concatenate([item[0] for item in found])
    return Triangles(corners, np.zeros_like(corners), np.concatenate([item[1] for item in found]))


def _between(a: Floats, b: Floats, height_a: Floats, height_b: Floats) -> Floats:
    """Where the height is zero on the edges from a to b; the heights have opposite signs."""
    share = height_a / (height_a - height_b)
    return a + share[:, None] * (b - a)


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length == 0, 1.0, length)
