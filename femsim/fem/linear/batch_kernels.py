"""The kernels of `femsim.fem.linear.blocks` for eight right-hand sides at once.

Every block is read once for all eight, and the eight numbers of one unknown lie side by side, so that each
multiplication is one vector instruction. numba does not find that by itself (the arrays might overlap), so the two
products of a 3 x 3 block with eight columns are written in the compiler's own terms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

#: Right-hand sides of one batch.
LANES = 8


def _product(transposed: bool) -> Any:
    """A function ``(matrix, source, target, single)`` of addresses: target -= matrix @ source, or its transpose."""

    def typing(context, matrix, source, target, single):  # type: ignore[no-untyped-def]
        def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            scalar = ir.FloatType() if signature.args[3].literal_value else ir.DoubleType()
            vector = ir.VectorType(scalar, LANES)
            align = 4 if signature.args[3].literal_value else 8
            m = builder.inttoptr(arguments[0], scalar.as_pointer())
            u, s = (builder.inttoptr(a, vector.as_pointer()) for a in arguments[1:3])
            at = [ir.Constant(ir.IntType(64), i) for i in range(9)]
            read = [builder.load(builder.gep(u, [at[b]]), align=align) for b in range(3)]
            undefined, mask = ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)
            for a in range(3):
                place = builder.gep(s, [at[a]])
                total = builder.load(place, align=align)
                for b in range(3):
                    entry = builder.load(builder.gep(m, [at[3 * b + a if transposed else 3 * a + b]]), align=align)
                    wide = builder.insert_element(undefined, entry, ir.Constant(ir.IntType(32), 0))
                    wide = builder.shuffle_vector(wide, undefined, mask)
                    total = builder.fsub(total, builder.fmul(wide, read[b], flags=("contract",)), flags=("contract",))
                builder.store(total, place, align=align)
            return context.get_dummy_value()

        if not isinstance(single, types.BooleanLiteral):
            return None
        return types.void(types.int64, types.int64, types.int64, single), code

    return typing


def _typed_plain(typingctx, matrix, source, target, single):  # type: ignore[no-untyped-def]
    return _product(False)(typingctx, matrix, source, target, single)


def _typed_transposed(typingctx, matrix, source, target, single):  # type: ignore[no-untyped-def]
    return _product(True)(typingctx, matrix, source, target, single)


_subtract: Any = intrinsic(prefer_literal=True)(_typed_plain)
_subtract_transposed: Any = intrinsic(prefer_literal=True)(_typed_transposed)


@njit(cache=True, nogil=True)
def multiply_batch(first, end, indptr, indices, lower, diagonal, x, y):  # type: ignore[no-untyped-def]
    """y = -A x for the rows first to end of the lower triangle and their mirror; x and y (n, 3, 8) float64.

    A row of y is first written by its own row of the matrix, since the mirrored blocks are those of later rows.
    """
    m, d, u, v = lower.ctypes.data, diagonal.ctypes.data, x.ctypes.data, y.ctypes.data
    row = 3 * 8 * 8
    for i in range(first, end):
        y[i] = 0.0
        _subtract(d + 72 * i, u + row * i, v + row * i, False)
        for p in range(indptr[i], indptr[i + 1]):
            k = np.int64(indices[p])
            _subtract(m + 72 * p, u + row * k, v + row * i, False)
            _subtract_transposed(m + 72 * p, u + row * i, v + row * k, False)


# A sweep moves nodes that go together (`femsim.fem.linear.mates`) at once, x = D^-1 (b - the others' part). Columns
# ascend, so those of the block are a row's last.


@njit(cache=True, nogil=True)
def forward_batch(first, end, indptr, indices, lower, place, inverse, b, x, r):  # type: ignore[no-untyped-def]
    """Gauss-Seidel forwards from zero and the residual in the same pass; arrays (n, 3, 8) float32."""
    m, d, u, v = lower.ctypes.data, inverse.ctypes.data, x.ctypes.data, r.ctypes.data
    left, minus, counts = np.empty((3, 8), np.float32), np.empty((3, 3, 8), np.float32), np.empty(3, np.int64)
    s, w, row = left.ctypes.data, minus.ctypes.data, 3 * 8 * 4
    i = first
    while i < end:
        together = place[i + 1] - place[i]
        for k in range(together):
            left[:] = b[i + k]
            stop = indptr[i + k]
            while stop < indptr[i + k + 1] and indices[stop] < i:
                _subtract(m + 36 * stop, u + row * np.int64(indices[stop]), s, True)
                stop += 1
            counts[k] = stop
            for a in range(3):
                for lane in range(8):
                    minus[k, a, lane] = -left[a, lane]
                    x[i + k, a, lane] = r[i + k, a, lane] = np.float32(0.0)
        for k in range(together):
            for j in range(together):
                _subtract(d + 36 * (place[i + k] + j), w + row * j, u + row * (i + k), True)
        for k in range(i, i + together):
            for p in range(indptr[k], counts[k - i]):
                _subtract_transposed(m + 36 * p, u + row * k, v + row * np.int64(indices[p]), True)
        i += together


@njit(cache=True, nogil=True)
def backward_batch(first, end, indptr, indices, lower, place, inverse, b, x):  # type: ignore[no-untyped-def]
    """Gauss-Seidel backwards from x, in place; arrays (n, 3, 8) float32. Overwrites b."""
    m, d, u, v = lower.ctypes.data, inverse.ctypes.data, x.ctypes.data, b.ctypes.data
    minus, counts = np.empty((3, 3, 8), np.float32), np.empty(3, np.int64)
    w, row = minus.ctypes.data, 3 * 8 * 4
    i = end
    while i > first:
        together = place[i] - place[i - 1]
        i -= together
        for k in range(together):
            stop = indptr[i + k]
            while stop < indptr[i + k + 1] and indices[stop] < i:
                _subtract(m + 36 * stop, u + row * np.int64(indices[stop]), v + row * (i + k), True)
                stop += 1
            counts[k] = stop
            for a in range(3):
                for lane in range(8):
                    minus[k, a, lane] = -b[i + k, a, lane]
        for k in range(together):
            x[i + k] = np.float32(0.0)
            for j in range(together):
                _subtract(d + 36 * (place[i + k] + j), w + row * j, u + row * (i + k), True)
        for k in range(i + together - 1, i - 1, -1):
            for p in range(counts[k - i] - 1, indptr[k] - 1, -1):
                _subtract_transposed(m + 36 * p, u + row * k, v + row * np.int64(indices[p]), True)


@njit(cache=True, nogil=True)
def restrict_batch(residual, parents, fine, out):  # type: ignore[no-untyped-def]
    """out (v, 3, 8) = P^T residual (n, 3, 8), as `coarse.restrict_residual`."""
    out[:] = 0.0
    for i in range(parents.shape[0]):
        p, q = parents[i, 0], parents[i, 1]
        for a in range(3):
            for lane in range(8):
                half = fine[i, a] * residual[i, a, lane]
                out[p, a, lane] += half
                out[q, a, lane] += half


@njit(cache=True, nogil=True)
def interpolate_batch(first, end, correction, parents, fine, x):  # type: ignore[no-untyped-def]
    """x (n, 3, 8) += P correction (v, 3, 8) for the nodes first to end."""
    for i in range(first, end):
        p, q = parents[i, 0], parents[i, 1]
        for a in range(3):
            for lane in range(8):
                x[i, a, lane] += fine[i, a] * (correction[p, a, lane] + correction[q, a, lane])


@njit(cache=True, nogil=True)
def restrict_groups(indptr, indices, values, residual, out):  # type: ignore[no-untyped-def]
    """out (g, 6, 8) += P^T residual (v, 3, 8)."""
    for i in range(indptr.size - 1):
        for p in range(indptr[i], indptr[i + 1]):
            g = indices[p]
            for a in range(3):
                for c in range(6):
                    value = values[p, a, c]
                    for lane in range(8):
                        out[g, c, lane] += value * residual[i, a, lane]


@njit(cache=True, nogil=True)
def interpolate_groups(first, end, indptr, indices, values, correction, x):  # type: ignore[no-untyped-def]
    """x (v, 3, 8) += P correction (g, 6, 8) for the vertices first to end."""
    for i in range(first, end):
        for p in range(indptr[i], indptr[i + 1]):
            g = indices[p]
            for a in range(3):
                for c in range(6):
                    value = values[p, a, c]
                    for lane in range(8):
                        x[i, a, lane] += value * correction[g, c, lane]


@njit(cache=True, nogil=True)
def dots(first, end, a, b):  # type: ignore[no-untyped-def]
    """Scalar products (8,) of the columns of (n, 3, 8) arrays, rows first to end."""
    out = np.zeros(8)
    for i in range(first, end):
        for c in range(3):
            for lane in range(8):
                out[lane] += np.float64(a[i, c, lane]) * np.float64(b[i, c, lane])
    return out


@njit(cache=True, nogil=True)
def step(first, end, x, r, p, q, alpha, scale, b):  # type: ignore[no-untyped-def]
    """x += alpha p, r += alpha q and b = scale r in single precision, column by column; the squared norms (8,) of r."""
    out = np.zeros(8)
    for i in range(first, end):
        for c in range(3):
            for lane in range(8):
                x[i, c, lane] += alpha[lane] * p[i, c, lane]
                rest = r[i, c, lane] + alpha[lane] * q[i, c, lane]
                r[i, c, lane] = rest
                b[i, c, lane] = scale[lane] * rest
                out[lane] += rest * rest
    return out


@njit(cache=True, nogil=True)
def turn(first, end, p, z, size, beta):  # type: ignore[no-untyped-def]
    """p = size z + beta p, column by column."""
    for i in range(first, end):
        for c in range(3):
            for lane in range(8):
                p[i, c, lane] = size[lane] * z[i, c, lane] + beta[lane] * p[i, c, lane]
