"""Structured meshes for the verification cases: boxes of any element, and boxes mapped onto other shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.fem import element, mid_parents
from femsim.fem.forces import face_areas

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A cube as six tetrahedra around its diagonal (Kuhn).
_KUHN = [[0, 1, 2, 6], [0, 2, 3, 6], [0, 3, 7, 6], [0, 7, 4, 6], [0, 4, 5, 6], [0, 5, 1, 6]]
#: Coordinates closer than this to a plane lie on it.
ON = 1e-9


def box(
    name: str, divisions: Sequence[int], size: ArrayLike = (1.0, 1.0, 1.0), origin: ArrayLike = (0.0, 0.0, 0.0)
) -> tuple[Floats, Ints]:
    """A box of tetrahedra (six to a brick) or hexahedra: points (n, 3) and cells (m, k)."""
    shape = element(name)
    n = np.array(divisions)
    axes = [
        np.linspace(0.0, s, 2 * d + 1) + o
        for s, d, o in zip(np.asarray(size, float), divisions, np.asarray(origin, float), strict=True)
    ]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    stride = np.array([(2 * n[1] + 1) * (2 * n[2] + 1), 2 * n[2] + 1, 1])
    brick = np.stack(np.meshgrid(*[np.arange(d) for d in divisions], indexing="ij"), axis=-1).reshape(-1, 3) * 2
    corner = (element("hex8").nodes + 1).astype(int)
    if name.startswith("tet"):
        local = []
        for tet in _KUHN:
            c = corner[tet]
            middle = (c[shape.edges[:, 0]] + c[shape.edges[:, 1]]) // 2 if len(shape.edges) else c[:0]
            local.append(np.vstack([c, middle]))
        table = np.array(local)
    else:
        table = np.round(shape.nodes + 1).astype(int)[None]
    cells = ((brick[:, None, None, :] + table[None]) @ stride).reshape(-1, shape.size)
    used = np.unique(cells)
    new = np.full(len(grid), -1)
    new[used] = np.arange(len(used))
    return grid[used], new[cells]


def distort(points: Floats, cells: Ints, name: str, amount: float, seed: int = 0) -> Floats:
    """Move the inner vertices at random; mid-side nodes stay in the middle of their edges (straight cells)."""
    rng = np.random.default_rng(seed)
    low, high = points.min(axis=0), points.max(axis=0)
    inner = ((points > low + ON) & (points < high - ON)).all(axis=1)
    moved = points + np.where(inner[:, None], rng.uniform(-amount, amount, points.shape), 0.0)
    return np.asarray(moved[mid_parents(cells, name, len(points))].mean(axis=1))


def on(points: Floats, axis: int, value: float) -> Ints:
    """Nodes on a coordinate plane."""
    return np.flatnonzero(np.abs(points[:, axis] - value) < ON)


def at(points: Floats, place: Sequence[float]) -> int:
    """The node nearest to a place."""
    return int(np.linalg.norm(points - np.asarray(place, float), axis=1).argmin())


def surface(points: Floats) -> Ints:
    """Nodes on the faces of a box."""
    low, high = points.min(axis=0), points.max(axis=0)
    return np.flatnonzero(((points < low + ON) | (points > high - ON)).any(axis=1))


def faces_on(points: Floats, cells: Ints, name: str, axis: int, value: float) -> Ints:
    """(cell, local face) pairs on a coordinate plane."""
    flat = np.abs(points[:, axis] - value) < ON
    hits = np.stack([flat[cells[:, face]].all(axis=1) for face in element(name).faces], axis=1)
    return np.argwhere(hits)


def surface_forces(
    points: Floats, cells: Ints, name: str, faces: Ints, traction: Callable[[Floats, Floats], Floats]
) -> Floats:
    """Nodal forces (n, 3) of a traction that varies: ``traction(places (f, q, 3), unit normals) -> (f, q, 3)``, MPa."""
    shape = element(name)
    normal, area, nodes = face_areas(faces, points, cells, shape)
    places = np.einsum("qa,fax->fqx", shape.face.values, points[nodes])
    force = traction(places, normal / area[..., None]) * area[..., None]
    out = np.zeros_like(points)
    np.add.at(out, nodes, np.einsum("fqx,qa->fax", force, shape.face.values))
    return out


def body_forces(points: Floats, cells: Ints, name: str, density: Floats, volume: Floats) -> Floats:
    """Nodal forces (n, 3) of a force per volume (m, q, 3) with the quadrature volumes (m, q)."""
    out = np.zeros_like(points)
    np.add.at(out, cells, np.einsum("mq,mqd,qa->mad", volume, density, element(name).values))
    return out


def merged(points: Floats, cells: Ints, tolerance: float = 1e-8) -> tuple[Floats, Ints]:
    """One node where several lie in the same place: closes a ring, joins blocks whose faces match."""
    _, first, inverse = np.unique(np.round(points / tolerance), axis=0, return_index=True, return_inverse=True)
    return points[first], inverse.ravel()[cells]


def joined(blocks: Sequence[tuple[Floats, Ints]]) -> tuple[Floats, Ints]:
    """Blocks with matching faces as one mesh."""
    start = np.cumsum([0, *(len(points) for points, _ in blocks)])
    points = np.vstack([points for points, _ in blocks])
    return merged(points, np.vstack([cells + s for (_, cells), s in zip(blocks, start[:-1], strict=True)]))


def ring(
    name: str, divisions: Sequence[int], inner: float, outer: float, length: float, quarter: bool = False
) -> tuple[Floats, Ints]:
    """A tube along z: divisions radial, around (of the whole circle or of the quarter) and along."""
    points, cells = box(name, divisions)
    radius = inner + (outer - inner) * points[:, 0]
    angle = points[:, 1] * (np.pi / 2.0 if quarter else 2.0 * np.pi)
    tube = np.stack([radius * np.cos(angle), radius * np.sin(angle), length * points[:, 2]], axis=1)
    return (tube, cells) if quarter else merged(tube, cells)


def cylinder(name: str, divisions: Sequence[int], radius: float, length: float) -> tuple[Floats, Ints]:
    """A solid cylinder along z in five blocks: divisions radial (outside the core), across the core, and along."""
    radial, across, along = divisions
    half = 0.45 * radius
    core, core_cells = box(name, (across, across, along), (2 * half, 2 * half, length), (-half, -half, 0.0))
    blocks = [(core, core_cells)]
    side, side_cells = box(name, (radial, across, along))
    for turn in range(4):
        t, s = 2.0 * side[:, 1] - 1.0, side[:, 0]
        angle = t * np.pi / 4.0
        flat = np.stack([np.full(len(t), half), half * t], axis=1)
        arc = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        xy = (1.0 - s)[:, None] * flat + s[:, None] * arc
        c, d = np.cos(turn * np.pi / 2.0), np.sin(turn * np.pi / 2.0)
        rotated = xy @ np.array([[c, d], [-d, c]])
        blocks.append((np.column_stack([rotated, length * side[:, 2]]), side_cells))
    return joined(blocks)
