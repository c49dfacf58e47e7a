"""Small structured meshes for the solver's tests."""

from __future__ import annotations

import numpy as np

from femsim.fem.elements import element

KUHN = [[0, 1, 2, 6], [0, 2, 3, 6], [0, 3, 7, 6], [0, 7, 4, 6], [0, 4, 5, 6], [0, 5, 1, 6]]


def box(name, divisions, size, origin=(0.0, 0.0, 0.0)):
    """A box of tetrahedra (six to a brick) or hexahedra; unused lattice points are dropped."""
    shape = element(name)
    n = np.array(divisions)
    axes = [np.linspace(0.0, s, 2 * d + 1) + o for s, d, o in zip(size, divisions, origin, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    stride = np.array([(2 * n[1] + 1) * (2 * n[2] + 1), 2 * n[2] + 1, 1])
    brick = np.stack(np.meshgrid(*[np.arange(d) for d in divisions], indexing="ij"), axis=-1).reshape(-1, 3) * 2
    corner = (element("hex8").nodes + 1).astype(int)
    if name.startswith("tet"):
        local = []
        for tet in KUHN:
            c = corner[tet]
            local.append(np.vstack([c, (c[shape.edges[:, 0]] + c[shape.edges[:, 1]]) // 2]) if len(shape.edges) else c)
        local = np.array(local)
    else:
        local = np.round(shape.nodes + 1).astype(int)[None]
    cells = ((brick[:, None, None, :] + local[None]) @ stride).reshape(-1, shape.size)
    used = np.unique(cells)
    new = np.full(len(grid), -1)
    new[used] = np.arange(len(used))
    return grid[used], new[cells]


def distort(points, cells, name, amount, seed=0):
    """Move the inner vertices at random; mid-side nodes stay in the middle of their edges (straight cells)."""
    from femsim.fem.elements import mid_parents

    rng = np.random.default_rng(seed)
    low, high = points.min(axis=0), points.max(axis=0)
    inner = ((points > low + 1e-9) & (points < high - 1e-9)).all(axis=1)
    moved = points + np.where(inner[:, None], rng.uniform(-amount, amount, points.shape), 0.0)
    return moved[mid_parents(cells, name, len(points))].mean(axis=1)


def on(points, axis, value):
    """Nodes on a coordinate plane."""
    return np.flatnonzero(np.abs(points[:, axis] - value) < 1e-9)


def surface(points):
    """Nodes on the faces of a box."""
    low, high = points.min(axis=0), points.max(axis=0)
    return np.flatnonzero(((points < low + 1e-9) | (points > high - 1e-9)).any(axis=1))


def faces_on(points, cells, name, axis, value):
    """(cell, local face) pairs on a coordinate plane."""
    shape = element(name)
    flat = np.abs(points[:, axis] - value) < 1e-9
    pairs = [
        np.stack(
            [np.flatnonzero(flat[cells[:, face]].all(axis=1)), np.full(int(flat[cells[:, face]].all(1).sum()), i)], 1
        )
        for i, face in enumerate(shape.faces)
    ]
    return np.vstack(pairs)
