"""Shape functions and their gradients on the reference cells, as plain functions of points.

Each takes reference points (p, d) and returns values (p, k) and gradients (p, k, d). Formulas: Zienkiewicz, Taylor and
Zhu, The Finite Element Method, 7th ed., chapter 6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TET_CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
TET_EDGES = np.array([[0, 1], [1, 2], [2, 0], [0, 3], [1, 3], [2, 3]])
HEX_CORNERS = np.array(
    [[-1.0, -1, -1], [1, -1, -1], [1, 1, -1], [-1, 1, -1], [-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]]
)
HEX_EDGES = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [4, 5], [5, 6], [6, 7], [7, 4], [0, 4], [1, 5], [2, 6], [3, 7]])
_TRI_EDGES = np.array([[0, 1], [1, 2], [2, 0]])
_QUAD_EDGES = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])


def _simplex_linear(xi: Floats) -> tuple[Floats, Floats]:
    """Barycentric coordinates, origin first."""
    p, d = xi.shape
    values = np.hstack([1.0 - xi.sum(axis=1, keepdims=True), xi])
    gradients = np.broadcast_to(np.vstack([-np.ones(d), np.eye(d)]), (p, d + 1, d))
    return values, gradients


def _simplex_quadratic(xi: Floats, edges: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """L (2 L - 1) at the vertices, 4 L_a L_b on the edges."""
    bary, slope = _simplex_linear(xi)
    a, b = edges.T
    values = np.hstack([bary * (2.0 * bary - 1.0), 4.0 * bary[:, a] * bary[:, b]])
    corner = (4.0 * bary - 1.0)[:, :, None] * slope
    middle = 4.0 * (bary[:, a, None] * slope[:, b] + bary[:, b, None] * slope[:, a])
    return values, np.concatenate([corner, middle], axis=1)


def _box_linear(xi: Floats, corners: Floats) -> tuple[Floats, Floats]:
    """Product over the coordinates of (1 + c x) / 2."""
    terms = (1.0 + xi[:, None, :] * corners) / 2.0
    gradients = np.empty((len(xi), *corners.shape))
    for j in range(corners.shape[1]):
        others = np.delete(terms, j, axis=2).prod(axis=2)
        gradients[:, :, j] = corners[:, j] / 2.0 * others
    return terms.prod(axis=2), gradients


def _box_serendipity(xi: Floats, corners: Floats, edges: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Mid-side functions (1 - x^2) times the linear ones in the other coordinates; corners less half of those."""
    linear, slope = _box_linear(xi, corners)
    middle = np.empty((len(xi), len(edges)))
    middle_slope = np.empty((len(xi), len(edges), corners.shape[1]))
    for i, (a, b) in enumerate(edges):
        # N_a + N_b of the two ends of an edge is the product of the linear functions across the edge.
        j = int(np.flatnonzero(corners[a] != corners[b])[0])
        bubble = 1.0 - xi[:, j] ** 2
        others = linear[:, a] + linear[:, b]
        middle[:, i] = bubble * others
        middle_slope[:, i] = bubble[:, None] * (slope[:, a] + slope[:, b])
        middle_slope[:, i, j] = -2.0 * xi[:, j] * others
    values, gradients = linear.copy(), slope.copy()
    for i, edge in enumerate(edges):
        values[:, edge] -= 0.5 * middle[:, [i]]
        gradients[:, edge] -= 0.5 * middle_slope[:, [i]]
    return np.hstack([values, middle]), np.concatenate([gradients, middle_slope], axis=1)


def tri_linear(xi: Floats) -> tuple[Floats, Floats]:
    """Three-node triangle."""
    return _simplex_linear(xi)


def tri_quadratic(xi: Floats) -> tuple[Floats, Floats]:
    """Six-node triangle."""
    return _simplex_quadratic(xi, _TRI_EDGES)


def tet_linear(xi: Floats) -> tuple[Floats, Floats]:
    """Four-node tetrahedron."""
    return _simplex_linear(xi)


def tet_quadratic(xi: Floats) -> tuple[Floats, Floats]:
    """Ten-node tetrahedron, mid-edge nodes 01 12 20 03 13 23."""
    return _simplex_quadratic(xi, TET_EDGES)


def quad_linear(xi: Floats) -> tuple[Floats, Floats]:
    """Four-node quadrilateral."""
    return _box_linear(xi, HEX_CORNERS[:4, :2])


def quad_serendipity(xi: Floats) -> tuple[Floats, Floats]:
    """Eight-node quadrilateral."""
    return _box_serendipity(xi, HEX_CORNERS[:4, :2], _QUAD_EDGES)


def hex_linear(xi: Floats) -> tuple[Floats, Floats]:
    """Eight-node hexahedron."""
    return _box_linear(xi, HEX_CORNERS)


def hex_serendipity(xi: Floats) -> tuple[Floats, Floats]:
    """Twenty-node hexahedron, mid-edge nodes 01 12 23 30 45 56 67 74 04 15 26 37."""
    return _box_serendipity(xi, HEX_CORNERS, HEX_EDGES)
