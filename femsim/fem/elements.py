"""Elements as data: nodes, shape functions, quadrature and faces, over which one assembly path runs.

Node order is that of VTK, which for every element here is also that of Abaqus and CalculiX. The integration rules are
those of CalculiX (one point in C3D4, four in C3D10, 2x2x2 in C3D8 and C3D20R, 3x3x3 in C3D20), so that the two codes
can be compared digit by digit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.fem.shapes import (
    HEX_CORNERS,
    HEX_EDGES,
    TET_CORNERS,
    TET_EDGES,
    hex_linear,
    hex_serendipity,
    quad_linear,
    quad_serendipity,
    tet_linear,
    tet_quadratic,
    tri_linear,
    tri_quadratic,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ShapeFunction = Callable[[Floats], tuple[Floats, Floats]]

_G2 = 1.0 / np.sqrt(3.0)
_G3 = np.sqrt(0.6)


@dataclass(frozen=True, eq=False)
class Shape:
    """Shape functions with one quadrature rule on a reference cell.

    Attributes
    ----------
    nodes : (k, d) float64
        Reference coordinates of the nodes.
    function : callable
        ``function(xi (p, d)) -> (N (p, k), dN (p, k, d))``.
    quadrature : (q, d) float64
        Quadrature points.
    weights : (q,) float64
        Quadrature weights; they sum to the volume of the reference cell.
    """

    nodes: Floats
    function: ShapeFunction
    quadrature: Floats
    weights: Floats

    @cached_property
    def values(self) -> Floats:
        """Shape functions at the quadrature points, (q, k)."""
        return np.ascontiguousarray(self.function(self.quadrature)[0])

    @cached_property
    def gradients(self) -> Floats:
        """Reference gradients at the quadrature points, (q, k, d)."""
        return np.ascontiguousarray(self.function(self.quadrature)[1])


@dataclass(frozen=True, eq=False)
class Element(Shape):
    """A solid element.

    Attributes
    ----------
    name : str
        "tet4", "tet10", "hex8", "hex20" or "hex20r".
    faces : (f, kf) int
        Local nodes of every face, in VTK order, normal outwards.
    face : Shape
        Shape functions and quadrature of a face.
    edges : (k - corners, 2) int
        End vertices of the edge each mid-side node lies on; empty for linear elements.
    dilatation : (q, r) float64
        Polynomials at the quadrature points on which the dilatation is projected in a nearly incompressible material:
        the constant for hex8, tet10 and hex20r (B-bar, Hughes 1980) and the linear ones for hex20 (Q2/P1).
    """

    name: str
    faces: Ints
    face: Shape
    edges: Ints
    dilatation: Floats

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.nodes)

    @property
    def points(self) -> int:
        """Number of quadrature points."""
        return len(self.weights)

    @property
    def order(self) -> int:
        """Polynomial degree of the shape functions."""
        return 2 if len(self.edges) else 1


def _product(line: Floats, weights: Floats, dimension: int) -> tuple[Floats, Floats]:
    """Tensor-product rule, first coordinate fastest (the order of CalculiX and Abaqus)."""
    grids = np.meshgrid(*[line] * dimension, indexing="ij")
    w = np.ones((1,))
    for _ in range(dimension):
        w = np.outer(weights, w).ravel()
    return np.stack([g.ravel() for g in grids[::-1]], axis=1), w


_LINE = {2: (np.array([-_G2, _G2]), np.ones(2)), 3: (np.array([-_G3, 0.0, _G3]), np.array([5.0, 8.0, 5.0]) / 9.0)}


def _tet4_rule() -> tuple[Floats, Floats]:
    # Degree 2, 4 points: Keast 1986; a + 3 b = 1.
    a, b = (5.0 + 3.0 * np.sqrt(5.0)) / 20.0, (5.0 - np.sqrt(5.0)) / 20.0
    return np.array([[b, b, b], [a, b, b], [b, a, b], [b, b, a]]), np.full(4, 1.0 / 24.0)


def _tri6_rule() -> tuple[Floats, Floats]:
    # Degree 4, 6 points: Dunavant 1985. The area normal of a curved face times a quadratic is of degree 4.
    a, wa = 0.445948490915965, 0.223381589678011 / 2.0
    b, wb = 0.091576213509771, 0.109951743655322 / 2.0
    points = [[a, a], [1 - 2 * a, a], [a, 1 - 2 * a], [b, b], [1 - 2 * b, b], [b, 1 - 2 * b]]
    return np.array(points), np.array([wa] * 3 + [wb] * 3)


_TET_FACES = np.array([[0, 1, 3], [1, 2, 3], [2, 0, 3], [0, 2, 1]])
_HEX_FACES = np.array([[0, 4, 7, 3], [1, 2, 6, 5], [0, 1, 5, 4], [3, 7, 6, 2], [0, 3, 2, 1], [4, 5, 6, 7]])
_NO_EDGES = np.zeros((0, 2), np.int64)


def _with_mid_sides(faces: Ints, edges: Ints) -> Ints:
    """Faces of the quadratic element: the corners, then the node in the middle of each side."""
    corners = int(edges.max()) + 1
    middle = {frozenset(edge): corners + i for i, edge in enumerate(edges.tolist())}
    rows = [
        list(face) + [middle[frozenset((face[i], face[(i + 1) % len(face)]))] for i in range(len(face))]
        for face in faces.tolist()
    ]
    return np.array(rows, np.int64)


def _tet(name: str) -> Element:
    if name == "tet4":
        rule = np.full((1, 3), 0.25), np.array([1.0 / 6.0])
        side = Shape(TET_CORNERS[:3, :2], tri_linear, np.full((1, 2), 1.0 / 3.0), np.array([0.5]))
        return Element(TET_CORNERS, tet_linear, *rule, name, _TET_FACES, side, _NO_EDGES, np.ones((1, 1)))
    nodes = np.vstack([TET_CORNERS, TET_CORNERS[TET_EDGES].mean(axis=1)])
    side = Shape(nodes[[0, 1, 2, 4, 5, 6], :2], tri_quadratic, *_tri6_rule())
    faces = _with_mid_sides(_TET_FACES, TET_EDGES)
    return Element(nodes, tet_quadratic, *_tet4_rule(), name, faces, side, TET_EDGES, np.ones((4, 1)))


def _hex(name: str) -> Element:
    points, weights = _product(*_LINE[3 if name == "hex20" else 2], 3)
    face_rule = _product(*_LINE[3 if name == "hex20" else 2], 2)
    square = HEX_CORNERS[:4, :2]
    if name == "hex8":
        side = Shape(square, quad_linear, *face_rule)
        return Element(
            HEX_CORNERS, hex_linear, points, weights, name, _HEX_FACES, side, _NO_EDGES, np.ones((len(weights), 1))
        )
    nodes = np.vstack([HEX_CORNERS, HEX_CORNERS[HEX_EDGES].mean(axis=1)])
    side = Shape(np.vstack([square, (square + np.roll(square, -1, 0)) / 2]), quad_serendipity, *face_rule)
    one = np.ones((len(weights), 1))
    dilatation = np.hstack([one, points]) if name == "hex20" else one
    faces = _with_mid_sides(_HEX_FACES, HEX_EDGES)
    return Element(nodes, hex_serendipity, points, weights, name, faces, side, HEX_EDGES, dilatation)


_BUILDERS: dict[str, Callable[[str], Element]] = {
    "tet4": _tet,
    "tet10": _tet,
    "hex8": _hex,
    "hex20": _hex,
    "hex20r": _hex,
}

#: Names of the elements.
ELEMENTS = tuple(_BUILDERS)


@cache
def element(name: str) -> Element:
    """An element by name.

    Parameters
    ----------
    name : {"tet4", "tet10", "hex8", "hex20", "hex20r"}
        Linear and quadratic tetrahedron (1 and 4 points), linear hexahedron (2x2x2), quadratic serendipity hexahedron
        with full (3x3x3) and reduced (2x2x2) integration.

    Raises
    ------
    InputError
        If the name is none of these.
    """
    if name not in _BUILDERS:
        raise InputError(
            f"element = {name!r} is not known.",
            "The solver has shape functions and quadrature for a fixed list of elements.",
            f"Use one of {', '.join(ELEMENTS)}.",
        )
    return _BUILDERS[name](name)


def mid_parents(cells: NDArray[np.integer], name: str, count: int) -> Ints:
    """The two end vertices of the edge of every mid-side node.

    Parameters
    ----------
    cells : (m, k) int
        Nodes of every cell.
    name : str
        Element name.
    count : int
        Number of nodes of the mesh.

    Returns
    -------
    (count, 2) int
        Vertices, and nodes in no cell, hold their own index twice.
    """
    parents = np.repeat(np.arange(count)[:, None], 2, axis=1)
    shape = element(name)
    corners = shape.size - len(shape.edges)
    for i, (a, b) in enumerate(shape.edges):
        parents[cells[:, corners + i]] = cells[:, [a, b]]
    return parents
