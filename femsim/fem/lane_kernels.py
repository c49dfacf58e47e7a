"""Element matrices of several cells at once: the same arithmetic for eight cells side by side, a cell a vector lane.

With ``G_ac = sum over points of volume * scale * grad N_a (x) grad N_c`` the block of two nodes is the contraction of
the stiffness tensor with it, ``K_ac[i, j] = C[i, k, j, l] G_ac[k, l]``, since the stiffness of a cell differs between
its points by the scale only. That is half the work of ``B^T D B``. A cell's numbers do not depend on its neighbours in
the batch, so results stay the same to the last bit for any number of threads.

numba does not turn the loops over lanes into vector instructions by itself (the arrays might overlap), so the products
are written in the compiler's own terms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

#: Cells in a batch.
LANES = 8
#: Voigt component of each pair of directions.
_VOIGT = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])

# No fused multiply-add but in the products below: the compiler would use it in some lanes and not in others.
_jit: Any = njit(cache=True, nogil=True, error_model="numpy")


def _vectors(builder: Any, address: Any, length: int = LANES) -> Any:
    """Functions that read and write the n-th vector of doubles from an address on."""
    vector = ir.VectorType(ir.DoubleType(), length)
    start = builder.inttoptr(address, vector.as_pointer())

    def place(n: int) -> Any:
        return builder.gep(start, [ir.Constant(ir.IntType(64), n)])

    return (lambda n: builder.load(place(n), align=8)), (lambda n, value: builder.store(value, place(n), align=8))


def _plus_product(builder: Any, total: Any, a: Any, b: Any) -> Any:
    return builder.fadd(total, builder.fmul(a, b, flags=("contract",)), flags=("contract",))


def _outer_products(typingctx, left, right, out):  # type: ignore[no-untyped-def]
    """``out[3 i + j] += left[i] * right[j]`` for vectors of lanes at three addresses."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        (a, _), (b, _), (read, write) = (_vectors(builder, one) for one in arguments)
        rows, columns = [a(i) for i in range(3)], [b(j) for j in range(3)]
        for i in range(3):
            for j in range(3):
                write(3 * i + j, _plus_product(builder, read(3 * i + j), rows[i], columns[j]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), code


def _contraction(typingctx, tensor, gram, out):  # type: ignore[no-untyped-def]
    """``out[n] = sum over m of tensor[9 n + m] * gram[m]`` for vectors of lanes at three addresses."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        (c, _), (g, _), (_, write) = (_vectors(builder, one) for one in arguments)
        known = [g(m) for m in range(9)]
        for n in range(9):
            total = builder.fmul(c(9 * n), known[0])
            for m in range(1, 9):
                total = _plus_product(builder, total, c(9 * n + m), known[m])
            write(n, total)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), code


def _addition(transposed: bool) -> Any:
    """A function ``(source, target)`` of addresses: adds a 3 x 3 block to another, or its transpose."""

    def typing(typingctx, source, target):  # type: ignore[no-untyped-def]
        def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            (read, _), (known, write) = (_vectors(builder, one) for one in arguments)
            (last, _), (known_last, write_last) = (_vectors(builder, one, 1) for one in arguments)
            head = read(0)
            if transposed:
                order = ir.Constant(ir.VectorType(ir.IntType(32), 8), [0, 3, 6, 1, 4, 7, 2, 5])
                head = builder.shuffle_vector(head, head, order)
            write(0, builder.fadd(known(0), head))
            write_last(8, builder.fadd(known_last(8), last(8)))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), code

    return intrinsic(typing)


_outer: Any = intrinsic(_outer_products)
_contract: Any = intrinsic(_contraction)
_add: Any = _addition(False)
_add_transposed: Any = _addition(True)


@_jit
def lane_gradients(places: Any, dshape: Any, weights: Any, grad: Any, volume: Any) -> None:
    """Gradients ``grad (q, k, 3, lanes)`` and quadrature volumes ``(q, lanes)`` for nodes ``places (k, 3, lanes)``."""
    q_count, k, _ = dshape.shape
    jac, inv = np.empty((9, LANES)), np.empty((9, LANES))
    for q in range(q_count):
        jac[:] = 0.0
        for a in range(k):
            for i in range(3):
                for j in range(3):
                    d = dshape[q, a, j]
                    for v in range(LANES):
                        jac[3 * i + j, v] += places[a, i, v] * d
        for v in range(LANES):
            volume[q, v] = weights[q] * _inverse(jac, inv, v)
        for a in range(k):
            x, y, z = dshape[q, a, 0], dshape[q, a, 1], dshape[q, a, 2]
            for i in range(3):
                for v in range(LANES):
                    grad[q, a, i, v] = x * inv[i, v] + y * inv[3 + i, v] + z * inv[6 + i, v]


@_jit
def _inverse(a: Any, out: Any, v: int) -> float:
    """Inverse of the matrix in one lane; returns its determinant."""
    c00 = a[4, v] * a[8, v] - a[5, v] * a[7, v]
    c01 = a[5, v] * a[6, v] - a[3, v] * a[8, v]
    c02 = a[3, v] * a[7, v] - a[4, v] * a[6, v]
    det = a[0, v] * c00 + a[1, v] * c01 + a[2, v] * c02
    d = 1.0 / det
    out[0, v] = c00 * d
    out[3, v] = c01 * d
    out[6, v] = c02 * d
    out[1, v] = (a[2, v] * a[7, v] - a[1, v] * a[8, v]) * d
    out[4, v] = (a[0, v] * a[8, v] - a[2, v] * a[6, v]) * d
    out[7, v] = (a[1, v] * a[6, v] - a[0, v] * a[7, v]) * d
    out[2, v] = (a[1, v] * a[5, v] - a[2, v] * a[4, v]) * d
    out[5, v] = (a[2, v] * a[3, v] - a[0, v] * a[5, v]) * d
    out[8, v] = (a[0, v] * a[4, v] - a[1, v] * a[3, v]) * d
    return det


@_jit
def spread(d: Any, v: int, tensor: Any) -> None:
    """Write a stiffness matrix (6, 6) into one lane of ``tensor (i, j, k, l, lanes)``: C[i, k, j, l]."""
    for i in range(3):
        for j in range(3):
            for k in range(3):
                for m in range(3):
                    tensor[i, j, k, m, v] = d[_VOIGT[i, k], _VOIGT[j, m]]


@_jit
def lane_matrices(grad: Any, factor: Any, tensor: Any, ke: Any) -> None:
    """Blocks ``ke (lanes, k, k, 9)`` on and above the diagonal; ``factor (q, lanes)`` is volume times scale."""
    q_count, k = grad.shape[:2]
    gram, half, block = np.empty((9, LANES)), np.empty((q_count, 3, LANES)), np.empty((9, LANES))
    right, left, out, vector = grad.ctypes.data, half.ctypes.data, gram.ctypes.data, 3 * 8 * LANES
    stiff, found = tensor.ctypes.data, block.ctypes.data
    for a in range(k):
        for q in range(q_count):
            for i in range(3):
                for v in range(LANES):
                    half[q, i, v] = factor[q, v] * grad[q, a, i, v]
        for c in range(a, k):
            gram[:] = 0.0
            for q in range(q_count):
                _outer(left + vector * q, right + vector * (q * k + c), out)
            _contract(stiff, out, found)
            if a == c:  # both halves of a diagonal block are its upper one, to be exactly symmetric
                block[3], block[6], block[7] = block[1], block[2], block[5]
            for n in range(9):
                for v in range(LANES):
                    ke[v, a, c, n] = block[n, v]


@_jit
def lane_scatter(ke: Any, nodes: Any, owner: Any, slab: int, place: Any, blocks: Any) -> None:
    """Add the matrix of a cell to the rows of one slab; what is below the diagonal is what is above, transposed."""
    k = len(nodes)
    source, target = ke.ctypes.data, blocks.ctypes.data
    for a in range(k):
        mine = owner[nodes[a]] == slab
        for c in range(a, k):
            block = source + 72 * (a * k + c)
            if mine:
                _add(block, target + 72 * np.int64(place[a, c]))
            if c > a and owner[nodes[c]] == slab:
                _add_transposed(block, target + 72 * np.int64(place[c, a]))
