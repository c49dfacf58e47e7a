"""What the compiled loops of `femsim.fem.kernels` do for one element. Arguments: see there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

#: Row and column of the tensor of each Voigt component xx yy zz yz xz xy.
_I = np.array([0, 1, 2, 1, 0, 0])
_J = np.array([0, 1, 2, 2, 2, 1])

# "contract" allows fused multiply-add and nothing else: sums keep their order.
jit: Any = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})


@jit
def inverse3(a: Any, out: Any) -> float:
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


@jit
def gradients(points: Any, nodes: Any, dshape: Any, weights: Any, jac: Any, inv: Any, grad: Any, vol: Any) -> None:
    """Gradients of the shape functions ``grad (q, 3, k)`` and quadrature volumes ``vol (q,)`` of one cell."""
    q_count, k, _ = dshape.shape
    for q in range(q_count):
        jac[:] = 0.0
        for a in range(k):
            for i in range(3):
                x = points[nodes[a], i]
                for j in range(3):
                    jac[i, j] += x * dshape[q, a, j]
        det = inverse3(jac, inv)
        vol[q] = weights[q] * det
        for i in range(3):
            for a in range(k):
                grad[q, i, a] = dshape[q, a, 0] * inv[0, i] + dshape[q, a, 1] * inv[1, i] + dshape[q, a, 2] * inv[2, i]


@jit
def determinant(points: Any, nodes: Any, dshape: Any) -> float:
    """Determinant of the Jacobian of one cell at one quadrature point, ``dshape (k, 3)``."""
    xx = xy = xz = yx = yy = yz = zx = zy = zz = 0.0
    for a in range(len(nodes)):
        x, y, z = points[nodes[a], 0], points[nodes[a], 1], points[nodes[a], 2]
        u, v, w = dshape[a, 0], dshape[a, 1], dshape[a, 2]
        xx, xy, xz = xx + x * u, xy + x * v, xz + x * w
        yx, yy, yz = yx + y * u, yy + y * v, yz + y * w
        zx, zy, zz = zx + z * u, zy + z * v, zz + z * w
    return xx * (yy * zz - yz * zy) + xy * (yz * zx - yx * zz) + xz * (yx * zy - yy * zx)


@jit
def bond(r: Any, t: Any) -> None:
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


@jit
def stiffness6(base: Any, p: int, axes: Any, e: int, turn: bool, t: Any, half: Any, d: Any) -> None:
    """Stiffness of one cell in global axes, without its scale."""
    if not turn:
        d[:] = base[p]
        return
    bond(axes[e], t)
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


@jit
def moments(grad: Any, vol: Any, poly: Any) -> Any:
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


@jit
def projected(grad: Any, vol: Any, poly: Any, mean: Any) -> None:
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
    moment = moments(grad, vol, poly)
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


@jit
def stress_of_columns(grad: Any, q: int, factor: float, d: Any, bar: bool, mean: Any, out: Any) -> None:
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


@jit
def add_products(grad: Any, q: int, db: Any, bar: bool, mean: Any, ke: Any) -> None:
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


@jit
def add_to_rows(ke: Any, nodes: Any, owner: Any, slab: int, place: Any, blocks: Any) -> None:
    """Add an element matrix to the rows of one slab; blocks below its diagonal are those above, transposed."""
    k = len(nodes)
    for a in range(k):
        mine = owner[nodes[a]] == slab
        for c in range(a, k):
            if mine:
                add_block(ke, a, c, a == c, blocks[place[a, c]])
            if c > a and owner[nodes[c]] == slab:
                target = blocks[place[c, a]]
                for i in range(3):
                    for j in range(3):
                        target[j, i] += ke[i * k + a, j * k + c]


@jit
def add_block(ke: Any, a: int, c: int, diagonal: bool, target: Any) -> None:
    """Add one block; the halves of a diagonal block are both taken from the upper one, to be exactly symmetric."""
    k = len(ke) // 3
    for i in range(3):
        for j in range(3):
            if diagonal and j < i:
                target[i, j] += ke[j * k + a, i * k + c]
            else:
                target[i, j] += ke[i * k + a, j * k + c]


@jit
def strain_at(grad: Any, q: int, bar: bool, mean: Any, nodes: Any, u: Any, eps: Any) -> None:
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
