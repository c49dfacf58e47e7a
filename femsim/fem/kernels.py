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

from femsim.fem.lane_kernels import LANES, lane_gradients, lane_matrices, lane_scatter, spread

#: Row and column of the tensor of each Voigt component xx yy zz yz xz xy.
_I = np.array([0, 1, 2, 1, 0, 0])
_J = np.array([0, 1, 2, 2, 2, 1])

# "contract" allows fused multiply-add and nothing else: sums keep their order.
_jit: Any = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
# Not where cells lie side by side in vectors: the compiler would fuse in some lanes and not in others.
_exact: Any = njit(cache=True, nogil=True, error_model="numpy")


@_jit
def _inverse3(a: Any, out: Any) -> float:
    """Inverse of a 3 x 3 matrix; returns the determinant."""
    c00 = a[1, 1] * a[2, 2] - a[1, 2] * a[2, 1]
    c01 = a[1, 2] * a[2, 0] - a[1, 0] * a[2, 2]
    c02 = a[1, 0] * a[2, 1] - a[1, 1] * a[2, 0]
    det = a[0, 0] * c00 + a[0, 1] * c01 + a[0, 2] * c02
    d = 1.0 / det
    out[0, 0] = c00 * d
    out[1, 0] = c01 * d
    out[2, 0] = c02 * d
    out[0, 1] = (a[0, 2] * a[2, 1] - a[0, 1] * a[2, 2]) * d
    out[1, 1] = (a[0, 0] * a[2, 2] - a[0, 2] * a[2, 0]) * d
    out[2, 1] = (a[0, 1] * a[2, 0] - a[0, 0] * a[2, 1]) * d
    out[0, 2] = (a[0, 1] * a[1, 2] - a[0, 2] * a[1, 1]) * d
    out[1, 2] = (a[0, 2] * a[1, 0] - a[0, 0] * a[1, 2]) * d
    out[2, 2] = (a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]) * d
    return det


@_jit
def _gradients(points: Any, nodes: Any, dshape: Any, weights: Any, jac: Any, inv: Any, grad: Any, vol: Any) -> None:
    """Gradients of the shape functions ``grad (q, 3, k)`` and quadrature volumes ``vol (q,)`` of one cell."""
    q_count, k, _ = dshape.shape
    for q in range(q_count):
        jac[:] = 0.0
        for a in range(k):
            for i in range(3):
                x = points[nodes[a], i]
                for j in range(3):
                    jac[i, j] += x * dshape[q, a, j]
        det = _inverse3(jac, inv)
        vol[q] = weights[q] * det
        for i in range(3):
            for a in range(k):
                grad[q, i, a] = dshape[q, a, 0] * inv[0, i] + dshape[q, a, 1] * inv[1, i] + dshape[q, a, 2] * inv[2, i]


@_jit
def _bond(r: Any, t: Any) -> None:
    """Rotation of engineering strain from global into the local axes in the rows of r (Bond 1943)."""
    for row in range(6):
        i, j = _I[row], _J[row]
        factor = 1.0 if row < 3 else 2.0
        for col in range(6):
            k, m = _I[col], _J[col]
            if col < 3:
                t[row, col] = factor * r[i, k] * r[j, k]
            else:
                t[row, col] = factor * 0.5 * (r[i, k] * r[j, m] + r[i, m] * r[j, k])


@_jit
def _stiffness6(base: Any, p: int, axes: Any, e: int, turn: bool, t: Any, half: Any, d: Any) -> None:
    """Stiffness of one cell in global axes, without its scale."""
    if not turn:
        d[:] = base[p]
        return
    _bond(axes[e], t)
    for i in range(6):
        for j in range(6):
            s = 0.0
            for k in range(6):
                s += base[p, i, k] * t[k, j]
            half[i, j] = s
    for i in range(6):
        for j in range(i, 6):
            s = 0.0
            for k in range(6):
                s += t[k, i] * half[k, j]
            d[i, j] = s
            d[j, i] = s


@_jit
def _moments(grad: Any, vol: Any, poly: Any) -> Any:
    """Integrals (r, 3, k) of the gradients times each polynomial over the cell."""
    (q_count, r), k = poly.shape, grad.shape[2]
    out = np.zeros((r, 3, k))
    for i in range(r):
        for q in range(q_count):
            weight = vol[q] * poly[q, i]
            for x in range(3):
                for a in range(k):
                    out[i, x, a] += weight * grad[q, x, a]
    return out


@_jit
def _projected(grad: Any, vol: Any, poly: Any, mean: Any) -> None:
    """Write ``mean (q, 3, k)``: a third of (projected minus plain) gradients, the B-bar correction.

    The dilatation of each shape function is replaced by its L2 projection on the polynomials `poly` over the cell.
    """
    q_count, r = poly.shape
    k = grad.shape[2]
    mass = np.zeros((r, r))
    for q in range(q_count):
        for i in range(r):
            for j in range(r):
                mass[i, j] += vol[q] * poly[q, i] * poly[q, j]
    minv = np.linalg.inv(mass)
    moment = _moments(grad, vol, poly)
    for q in range(q_count):
        for x in range(3):
            for a in range(k):
                mean[q, x, a] = -grad[q, x, a] / 3.0
        for i in range(r):
            c = 0.0
            for j in range(r):
                c += poly[q, j] * minv[j, i] / 3.0
            for x in range(3):
                for a in range(k):
                    mean[q, x, a] += c * moment[i, x, a]


#: Which stress components act on the x, y and z gradient in the force along each axis: rows of div sigma.
_FORCE = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])


@_jit
def _stress_of_columns(grad: Any, q: int, factor: float, d: Any, bar: bool, mean: Any, out: Any) -> None:
    """``out (6, 3 k) = factor D B``: stress of each unit displacement, columns by component, then node."""
    k = grad.shape[2]
    for j in range(3):
        ix, iy, iz = _FORCE[j, 0], _FORCE[j, 1], _FORCE[j, 2]
        for i in range(6):
            x, y, z = factor * d[i, ix], factor * d[i, iy], factor * d[i, iz]
            for a in range(k):
                out[i, j * k + a] = x * grad[q, 0, a] + y * grad[q, 1, a] + z * grad[q, 2, a]
            if bar:
                p = factor * (d[i, 0] + d[i, 1] + d[i, 2])
                for a in range(k):
                    out[i, j * k + a] += p * mean[q, j, a]


@_jit
def _add_products(grad: Any, q: int, db: Any, bar: bool, mean: Any, ke: Any) -> None:
    """``ke += B^T (D B)`` at one quadrature point; rows and columns by component, then node."""
    k = grad.shape[2]
    n3 = 3 * k
    for i in range(3):
        sx, sy, sz = db[_FORCE[i, 0]], db[_FORCE[i, 1]], db[_FORCE[i, 2]]
        for a in range(k):
            x, y, z = grad[q, 0, a], grad[q, 1, a], grad[q, 2, a]
            row = ke[i * k + a]
            for c in range(n3):
                row[c] += x * sx[c] + y * sy[c] + z * sz[c]
            if bar:
                p = mean[q, i, a]
                for c in range(n3):
                    row[c] += p * (db[0, c] + db[1, c] + db[2, c])


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
            _stiffness6(base, index[e], axes, e, turn[index[e]], t, half, d)
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


@_jit
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
        _gradients(points, cells[e], dshape, weights, jac, inv, grad, vol)
        _stiffness6(base, p, axes, e, turn[p], t, half, d)
        _projected(grad, vol, poly, mean)
        ke[:] = 0.0
        for q in range(q_count):
            factor = vol[q] * scale[e if many_s else 0, q if many_q else 0]
            _stress_of_columns(grad, q, factor, d, True, mean, db)
            _add_products(grad, q, db, True, mean, ke)
        _scatter(ke, cells[e], owner, slab, scatter[e], blocks)


@_jit
def _scatter(ke: Any, nodes: Any, owner: Any, slab: int, place: Any, blocks: Any) -> None:
    """Add an element matrix to the rows of one slab; blocks below its diagonal are those above, transposed."""
    k = len(nodes)
    for a in range(k):
        mine = owner[nodes[a]] == slab
        for c in range(a, k):
            if mine:
                _add_block(ke, a, c, a == c, blocks[place[a, c]])
            if c > a and owner[nodes[c]] == slab:
                target = blocks[place[c, a]]
                for i in range(3):
                    for j in range(3):
                        target[j, i] += ke[i * k + a, j * k + c]


@_jit
def _add_block(ke: Any, a: int, c: int, diagonal: bool, target: Any) -> None:
    """Add one block; the halves of a diagonal block are both taken from the upper one, to be exactly symmetric."""
    k = len(ke) // 3
    for i in range(3):
        for j in range(3):
            if diagonal and j < i:
                target[i, j] += ke[j * k + a, i * k + c]
            else:
                target[i, j] += ke[i * k + a, j * k + c]


@_jit
def volumes(points: Any, cells: Any, dshape: Any, weights: Any, chosen: Any, out: Any) -> None:
    """Quadrature volumes ``out (m, q)`` of the chosen cells; not positive where a cell is inverted."""
    q_count, k, _ = dshape.shape
    jac, inv = np.empty((3, 3)), np.empty((3, 3))
    grad, vol = np.empty((q_count, 3, k)), np.empty(q_count)
    for e in chosen:
        _gradients(points, cells[e], dshape, weights, jac, inv, grad, vol)
        out[e] = vol


@_jit
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
        _gradients(points, cells[e], dshape, weights, jac, inv, grad, vol)
        bar = project[index[e]]
        if bar:
            _projected(grad, vol, poly, mean)
        for q in range(q_count):
            _strain_at(grad, q, bar, mean, cells[e], u, out[e, q])


@_jit
def _strain_at(grad: Any, q: int, bar: bool, mean: Any, nodes: Any, u: Any, eps: Any) -> None:
    eps[:] = 0.0
    for a in range(len(nodes)):
        n = nodes[a]
        ux, uy, uz = u[n, 0], u[n, 1], u[n, 2]
        x, y, z = grad[q, 0, a], grad[q, 1, a], grad[q, 2, a]
        eps[0] += x * ux
        eps[1] += y * uy
        eps[2] += z * uz
        eps[3] += z * uy + y * uz
        eps[4] += z * ux + x * uz
        eps[5] += y * ux + x * uy
        if bar:
            extra = mean[q, 0, a] * ux + mean[q, 1, a] * uy + mean[q, 2, a] * uz
            eps[0] += extra
            eps[1] += extra
            eps[2] += extra


@_jit
def stresses(base: Any, index: Any, scale: Any, axes: Any, turn: Any, strain: Any, chosen: Any, out: Any) -> None:
    """Stress ``out (m, q, 6)`` of an elastic strain ``(m, q, 6)``; `out` may be `strain` itself."""
    q_count = strain.shape[1]
    t, half, d = np.empty((6, 6)), np.empty((6, 6)), np.empty((6, 6))
    eps = np.empty(6)
    many_s, many_q = scale.shape[0] > 1, scale.shape[1] > 1
    for e in chosen:
        p = index[e]
        _stiffness6(base, p, axes, e, turn[p], t, half, d)
        for q in range(q_count):
            factor = scale[e if many_s else 0, q if many_q else 0]
            for i in range(6):
                eps[i] = factor * strain[e, q, i]
            for i in range(6):
                s = 0.0
                for j in range(6):
                    s += d[i, j] * eps[j]
                out[e, q, i] = s


@_jit
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
        _gradients(points, cells[e], dshape, weights, jac, inv, grad, vol)
        bar = project[index[e]]
        if bar:
            _projected(grad, vol, poly, mean)
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
