"""Cross-sections cut out of a mesh with its materials."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim import fem
from femsim.errors import InputError
from femsim.risk.section import Section

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Corner pairs of a tetrahedron in VTK order, which is also the order of the mid-side nodes.
_EDGES = np.array([(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)])
#: Corners closer to the plane than this fraction of the element size are moved off it, so that no triangle is flat.
_CLEARANCE = 1e-3


def cut(
    points: Floats, cells: NDArray[np.integer], origin: ArrayLike, normal: ArrayLike, *, across: ArrayLike | None = None
) -> tuple[Floats, Ints, Ints]:
    """Cut a tetrahedral mesh with a plane.

    Parameters
    ----------
    points : (n, 3) float64
        Nodes, mm.
    cells : (m, 4) or (m, 10) int
        Tetrahedra; where mid-side nodes bend an edge, the cut lies on the bent edge.
    origin, normal : (3,) float
        A point of the plane and its normal.
    across : (3,) float, optional
        Direction of the first coordinate in the plane (for a bone: lateral); any one by default.

    Returns
    -------
    points2d : (p, 2) float64
        Coordinates in the plane from `origin`, mm.
    triangles : (t, 3) int
        Conforming triangles.
    cell : (t,) int
        Tetrahedron of every triangle.

    Raises
    ------
    InputError
        If the cells are no tetrahedra, the normal has no length, or the plane misses the mesh.
    """
    if cells.ndim != 2 or cells.shape[1] not in (4, 10):
        raise InputError(
            f"Cells of shape {cells.shape} cannot be cut.", "Only tetrahedra can.", "Use a tet4 or tet10 mesh."
        )
    axes = plane_axes(normal, across)
    height = (points - np.asarray(origin, float)) @ axes[2]
    crossed = _crossed(height, cells)
    if len(crossed):
        # corners on the plane go to its upper side; then the set of crossed cells has to be found again
        size = float(np.median(np.linalg.norm(points[cells[crossed, 0]] - points[cells[crossed, 1]], axis=1)))
        corner = np.zeros(len(points), bool)
        corner[cells[:, :4]] = True
        height[corner & (np.abs(height) < _CLEARANCE * size)] = _CLEARANCE * size
        crossed = _crossed(height, cells)
    if len(crossed) == 0:
        raise InputError(
            f"The plane through {np.round(np.asarray(origin, float), 3).tolist()} mm misses the mesh.",
            "There is no section.",
            "Put it between the two ends of the bone.",
        )
    return _triangles(points, cells, crossed, height, np.asarray(origin, float), axes)


def _crossed(height: Floats, cells: NDArray[np.integer]) -> Ints:
    """Cells with corners on both sides of the plane or on it."""
    corner = height[cells[:, :4]]
    return np.flatnonzero((corner.min(axis=1) <= 0) & (corner.max(axis=1) >= 0))


def plane_axes(normal: ArrayLike, across: ArrayLike | None = None) -> Floats:
    """Rows (3, 3): first and second coordinate in a plane, and its unit normal; `across` sets the first."""
    n = np.asarray(normal, float)
    length = np.linalg.norm(n)
    if n.shape != (3,) or not np.isfinite(length) or length == 0:
        raise InputError(f"normal = {normal!r} is no direction.", "The plane is not defined.", "Give three numbers.")
    n = n / length
    first = np.eye(3)[np.argmin(np.abs(n))] if across is None else np.asarray(across, float)
    first = first - (first @ n) * n
    if np.linalg.norm(first) < 1e-9:
        raise InputError("across is along the normal.", "It has to lie in the plane.", "Give another direction.")
    first = first / np.linalg.norm(first)
    return np.stack([first, np.cross(n, first), n])


def _triangles(
    points: Floats, cells: NDArray[np.integer], crossed: Ints, height: Floats, origin: Floats, axes: Floats
) -> tuple[Floats, Ints, Ints]:
    above = height[cells[crossed, :4]] > 0
    rows: list[Ints] = []
    owners: list[Ints] = []
    # which edges are cut, in order around the polygon: three beside a lone corner, else four
    for code in range(1, 15):
        up = np.array([bool(code >> i & 1) for i in range(4)])
        chosen = crossed[(above == up).all(axis=1)]
        for triangle in _pattern(up):
            rows.append(np.stack([np.sort(cells[chosen][:, list(e)], axis=1) for e in triangle], axis=1))
            owners.append(chosen)
    ends = np.concatenate(rows)
    unique, inverse = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    place = _crossing(points, cells, crossed, height, unique)
    return (place - origin) @ axes[:2].T, inverse.reshape(-1, 3).astype(np.int64), np.concatenate(owners)


def _pattern(up: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    high, low = np.flatnonzero(up).tolist(), np.flatnonzero(~up).tolist()
    if len(high) == 2:
        a, b, c, d = ((high[0], low[0]), (high[0], low[1]), (high[1], low[1]), (high[1], low[0]))
        return [[a, b, c], [a, c, d]]
    lone, others = (high[0], low) if len(high) == 1 else (low[0], high)
    return [[(lone, other) for other in others]]


def _crossing(
    points: Floats, cells: NDArray[np.integer], crossed: Ints, height: Floats, ends: NDArray[np.integer]
) -> Floats:
    """Where edges (e, 2) pass through height zero; on the parabola through the mid-side node where there is one."""
    a, b = points[ends[:, 0]], points[ends[:, 1]]
    ha, hb = height[ends[:, 0]], height[ends[:, 1]]
    if cells.shape[1] == 4:
        t = ha / (ha - hb)
        return np.asarray(a + t[:, None] * (b - a))
    pairs = np.sort(cells[crossed][:, _EDGES].reshape(-1, 2), axis=1)
    found, first = np.unique(pairs, axis=0, return_index=True)
    middles = cells[crossed, 4:].ravel()[first]
    stride = len(points) + 1
    row = np.searchsorted(found[:, 0] * stride + found[:, 1], ends[:, 0] * stride + ends[:, 1])
    middle = points[middles[row]]
    # h(t) = ha + slope t + bend t (1 - t) has exactly one root between ends of opposite sign
    hm = height[middles[row]]
    bend = 4.0 * hm - 2.0 * (ha + hb)
    linear = hb - ha + bend
    root = np.sqrt(np.maximum(linear**2 + 4.0 * bend * ha, 0.0))
    # the stable form of the quadratic formula, with the sign that falls from ha to hb
    t = 2.0 * ha / (-linear + np.where(ha > 0, 1.0, -1.0) * root)
    t = np.clip(t, 0.0, 1.0)[:, None]
    return np.asarray(a * (1 - t) * (1 - 2 * t) + middle * 4 * t * (1 - t) + b * t * (2 * t - 1))


def moduli(material: fem.Material, cells: Ints, normal: ArrayLike) -> tuple[Floats, Floats]:
    """Young's modulus along a direction and shear modulus in planes that hold it, MPa, of some elements.

    Both follow from the compliance of the element's own material in its own axes; the shear modulus is the harmonic
    mean of two planes at right angles (they are equal where the long axis of the bone is the direction).
    """
    axes = plane_axes(normal)
    compliance: Floats = np.asarray(np.linalg.inv(material.base), np.float64)[material.index[cells]]
    turn = np.eye(3) if material.axes is None else material.axes[cells]
    n, s, t = (np.broadcast_to(turn @ axes[i], (len(cells), 3)) for i in (2, 0, 1))
    axial = 1.0 / _quadratic_form(compliance, _dyad(n, n) / 2.0)
    soft = _quadratic_form(compliance, _dyad(n, s)) + _quadratic_form(compliance, _dyad(n, t))
    table = material.scale_table()
    # only of these elements: the whole mesh would be gone through for every section and strategy
    scale = (table[cells] if len(table) > 1 else table).mean(axis=1)
    return axial * scale, 2.0 / soft * scale


def _dyad(a: Floats, b: Floats) -> Floats:
    """Stress ``a b^T + b a^T`` as (m, 6)."""
    x, y, z = a.T
    u, v, w = b.T
    return np.stack([2 * x * u, 2 * y * v, 2 * z * w, y * w + z * v, x * w + z * u, x * v + y * u], axis=1)


def _quadratic_form(matrix: Floats, vector: Floats) -> Floats:
    return np.asarray(np.einsum("mi,mij,mj->m", vector, matrix, vector))


def slice_section(
    points: Floats,
    cells: NDArray[np.integer],
    material: fem.Material,
    origin: ArrayLike,
    normal: ArrayLike,
    *,
    across: ArrayLike | None = None,
    empty: NDArray[np.bool_] | None = None,
) -> Section:
    """The section of a mesh with its materials at a plane; elements marked `empty` (m,) are left out."""
    flat, triangles, cell = cut(points, cells, origin, normal, across=across)
    keep = np.ones(len(cell), bool) if empty is None else ~empty[cell]
    axial, shear = moduli(material, cell[keep], normal)
    return Section(flat, triangles[keep], axial, shear, cell[keep])
