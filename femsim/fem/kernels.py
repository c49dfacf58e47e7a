"""The compiled loops over elements. All of them are plain functions of arrays that release the interpreter lock.

Work is split among threads by *slabs* of nodes: a thread goes through every cell that touches its slab and writes only
the rows of its own nodes. Nothing is written twice, no colouring is needed, and every sum runs in the order of the
cells, so the result is the same to the last bit for any number of threads.

Arguments shared by the kernels: ``points (n, 3)``, ``cells (m, k)``, ``dshape (q, k, 3)`` reference gradients,
``weights (q,)``, ``base (p, 6, 6)``, ``index (m,)``, ``scale (1 or m, 1 or q)``, ``axes (0 or m, 3, 3)``,
``turn (p,)`` whether a base material depends on the axes, ``project (p,)`` whether its dilatation is projected and
``poly (q, r)`` the polynomials it is projected on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from femsim.fem.element_kernels import (
    add_products,
    add_to_rows,
    determinant,
    gradients,
    jit,
    projected,
    stiffness6,
    strain_at,
    stress_of_columns,
)
from femsim.fem.lane_kernels import LANES, lane_gradients, lane_matrices, lane_scatter, spread

# Not where cells lie side by side in vectors: the compiler would fuse in some lanes and not in others.
_exact: Any = njit(cache=True, nogil=True, error_model="numpy")


@_exact
def assemble(
    points: Any,
    cells: Any,
    dshape: Any,
    weights: Any,
    base: Any,
    index: Any,
    scale: Any,
    axes: Any,
    turn: Any,
    chosen: Any,
    owner: Any,
    slab: int,
    scatter: Any,
    blocks: Any,
) -> None:
    """Add the stiffness of the chosen cells into the rows of one slab of ``blocks (nnzb, 3, 3)``."""
    q_count, k, _ = dshape.shape
    places, grad = np.empty((k, 3, LANES)), np.empty((q_count, k, 3, LANES))
    vol, tensor, ke = np.empty((q_count, LANES)), np.empty((3, 3, 3, 3, LANES)), np.zeros((LANES, k, k, 9))
    t, half, d = np.empty((6, 6)), np.empty((6, 6)), np.empty((6, 6))
    many_s, many_q = scale.shape[0] > 1, scale.shape[1] > 1
    for first in range(0, len(chosen), LANES):
        for v in range(LANES):
            e = chosen[min(first + v, len(chosen) - 1)]  # the last batch is filled up with its last cell
            for a in range(k):
                for i in range(3):
                    places[a, i, v] = points[cells[e, a], i] - points[cells[e, 0], i]  # near 0: less round-off
            stiffness6(base, index[e], axes, e, turn[index[e]], t, half, d)
            spread(d, v, tensor)
        lane_gradients(places, dshape, weights, grad, vol)
        for v in range(LANES):
            e = chosen[min(first + v, len(chosen) - 1)]
            for q in range(q_count):
                vol[q, v] *= scale[e if many_s else 0, q if many_q else 0]
        lane_matrices(grad, vol, tensor, ke)
        for v in range(min(LANES, len(chosen) - first)):
            e = chosen[first + v]
            lane_scatter(ke[v], cells[e], owner, slab, scatter[e], blocks)


@jit
def assemble_projected(
    points: Any,
    cells: Any,
    dshape: Any,
    weights: Any,
    base: Any,
    index: Any,
    scale: Any,
    axes: Any,
    turn: Any,
    poly: Any,
    chosen: Any,
    owner: Any,
    slab: int,
    scatter: Any,
    blocks: Any,
) -> None:
    """The same for cells whose dilatation is projected."""
    q_count, k, _ = dshape.shape
    n3 = 3 * k
    jac, inv = np.empty((3, 3)), np.empty((3, 3))
    grad, vol = np.empty((q_count, 3, k)), np.empty(q_count)
    mean = np.empty((q_count, 3, k))
    t, half, d = np.empty((6, 6)), np.empty((6, 6)), np.empty((6, 6))
    db, ke = np.empty((6, n3)), np.empty((n3, n3))
    many_s, many_q = scale.shape[0] > 1, scale.shape[1] > 1
    for e in chosen:
        p = index[e]
        gradients(points, cells[e], dshape, weights, jac, inv, grad, vol)
        stiffness6(base, p, axes, e, turn[p], t, half, d)
        projected(grad, vol, poly, mean)
        ke[:] = 0.0
        for q in range(q_count):
            factor = vol[q] * scale[e if many_s else 0, q if many_q else 0]
            stress_of_columns(grad, q, factor, d, True, mean, db)
            add_products(grad, q, db, True, mean, ke)
        add_to_rows(ke, cells[e], owner, slab, scatter[e], blocks)


@jit
def volumes(points: Any, cells: Any, dshape: Any, weights: Any, chosen: Any, out: Any) -> None:
    """Quadrature volumes ``out (m, q)`` of the chosen cells; not positive where a cell is inverted."""
    for e in chosen:
        for q in range(len(weights)):
            out[e, q] = weights[q] * determinant(points, cells[e], dshape[q])


@jit
def strains(
    points: Any,
    cells: Any,
    dshape: Any,
    weights: Any,
    index: Any,
    project: Any,
    poly: Any,
    u: Any,
    chosen: Any,
    out: Any,
) -> None:
    """Strain ``out (m, q, 6)`` of the displacement ``u (n, 3)`` in the chosen cells."""
    q_count, k, _ = dshape.shape
    jac, inv = np.empty((3, 3)), np.empty((3, 3))
    grad, vol = np.empty((q_count, 3, k)), np.empty(q_count)
    mean = np.empty((q_count, 3, k))
    for e in chosen:
        gradients(points, cells[e], dshape, weights, jac, inv, grad, vol)
        bar = project[index[e]]
        if bar:
            projected(grad, vol, poly, mean)
        for q in range(q_count):
            strain_at(grad, q, bar, mean, cells[e], u, out[e, q])


@jit
def stresses(base: Any, index: Any, scale: Any, axes: Any, turn: Any, strain: Any, chosen: Any, out: Any) -> None:
    """Stress ``out (m, q, 6)`` of an elastic strain ``(m, q, 6)``; `out` may be `strain` itself."""
    q_count = strain.shape[1]
    t, half, d = np.empty((6, 6)), np.empty((6, 6)), np.empty((6, 6))
    eps = np.empty(6)
    many_s, many_q = scale.shape[0] > 1, scale.shape[1] > 1
    for e in chosen:
        p = index[e]
        stiffness6(base, p, axes, e, turn[p], t, half, d)
        for q in range(q_count):
            factor = scale[e if many_s else 0, q if many_q else 0]
            for i in range(6):
                eps[i] = factor * strain[e, q, i]
            for i in range(6):
                s = 0.0
                for j in range(6):
                    s += d[i, j] * eps[j]
                out[e, q, i] = s


@jit
def internal_forces(
    points: Any,
    cells: Any,
    dshape: Any,
    weights: Any,
    index: Any,
    project: Any,
    poly: Any,
    stress: Any,
    chosen: Any,
    owner: Any,
    slab: int,
    out: Any,
) -> None:
    """Add the nodal forces of a stress ``(m, q, 6)`` to the rows of one slab of ``out (n, 3)``."""
    q_count, k, _ = dshape.shape
    jac, inv = np.empty((3, 3)), np.empty((3, 3))
    grad, vol = np.empty((q_count, 3, k)), np.empty(q_count)
    mean = np.empty((q_count, 3, k))
    for e in chosen:
        gradients(points, cells[e], dshape, weights, jac, inv, grad, vol)
        bar = project[index[e]]
        if bar:
            projected(grad, vol, poly, mean)
        for q in range(q_count):
            s, w = stress[e, q], vol[q]
            pressure = s[0] + s[1] + s[2]
            for a in range(k):
                n = cells[e, a]
                if owner[n] != slab:
                    continue
                x, y, z = grad[q, 0, a], grad[q, 1, a], grad[q, 2, a]
                out[n, 0] += w * (x * s[0] + z * s[4] + y * s[5])
                out[n, 1] += w * (y * s[1] + z * s[3] + x * s[5])
                out[n, 2] += w * (z * s[2] + y * s[3] + x * s[4])
                if bar:
                    for j in range(3):
                        out[n, j] += w * pressure * mean[q, j, a]
