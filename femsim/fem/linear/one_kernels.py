"""The kernels of conjugate gradients and multigrid for one right-hand side.

A vector holds four numbers a node, of which three count: so many fit one vector register, and a row of a 3 x 3 block
takes one multiplication. The fourth lane is zero in the vectors of the conjugate gradients, and stays so. numba does
not find the vector instructions by itself (the arrays might overlap), so the two loops over the blocks of a row are
written in the compiler's own terms. They read one number beyond a block, which is why arrays of blocks come from
`femsim.fem.linear.blocks.empty_blocks`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

#: Numbers a node in a vector.
WIDTH = 4

_FAST = ("contract",)


class _Row:
    """The blocks of one row as code: pointers, and a loop over them."""

    def __init__(self, builder: Any, single: bool, blocks: Any, columns: Any, vectors: tuple[Any, ...]) -> None:
        self.builder, self.size = builder, 4 if single else 8
        self.scalar = ir.FloatType() if single else ir.DoubleType()
        self.vector = ir.VectorType(self.scalar, WIDTH)
        self.blocks = builder.inttoptr(blocks, self.scalar.as_pointer())
        self.columns = builder.inttoptr(columns, ir.IntType(32).as_pointer())
        self.vectors = [builder.inttoptr(one, self.vector.as_pointer()) for one in vectors]

    def rows(self, block: Any) -> list[Any]:
        """The three rows of a block, each with one number more."""
        first = self.builder.mul(block, ir.Constant(ir.IntType(64), 9))
        found = []
        for a in range(3):
            place = self.builder.gep(self.blocks, [self.builder.add(first, ir.Constant(ir.IntType(64), 3 * a))])
            place = self.builder.bitcast(place, self.vector.as_pointer())
            found.append(self.builder.load(place, align=self.size))
        return found

    def node(self, which: int, block: Any) -> Any:
        """Place of the numbers of a block's column in a vector."""
        column = self.builder.sext(self.builder.load(self.builder.gep(self.columns, [block])), ir.IntType(64))
        return self.builder.gep(self.vectors[which], [column])

    def wide(self, number: Any) -> Any:
        """A number in the lanes that count, zero in the fourth, where a row holds what follows it in memory."""
        out = ir.Constant(self.vector, [0.0] * WIDTH)
        for lane in range(3):
            out = self.builder.insert_element(out, number, ir.Constant(ir.IntType(32), lane))
        return out

    def plus_product(self, total: Any, a: Any, b: Any) -> Any:
        return self.builder.fadd(total, self.builder.fmul(a, b, flags=_FAST), flags=_FAST)


def _gather_code(single: bool) -> Any:
    """A function ``(blocks, columns, count, source, out)`` of addresses: out[0:3] = sum of block @ source[column]."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        blocks, columns, count, source, out = arguments
        row = _Row(builder, single, blocks, columns, (source,))
        zero = ir.Constant(row.vector, [0.0] * WIDTH)
        totals = [cgutils.alloca_once_value(builder, zero) for _ in range(3)]
        for total in totals:
            builder.store(zero, total)  # the place is set aside once a function, not once a row
        with cgutils.for_range(builder, count) as loop:
            known = builder.load(row.node(0, loop.index), align=row.size)
            for total, one in zip(totals, row.rows(loop.index), strict=True):
                builder.store(row.plus_product(builder.load(total), one, known), total)
        to = builder.inttoptr(out, row.scalar.as_pointer())
        for a, total in enumerate(totals):
            lanes = [builder.extract_element(builder.load(total), ir.Constant(ir.IntType(32), b)) for b in range(3)]
            whole = builder.fadd(builder.fadd(lanes[0], lanes[1]), lanes[2])
            builder.store(whole, builder.gep(to, [ir.Constant(ir.IntType(64), a)]))
        return context.get_dummy_value()

    return code


def _scatter_code(single: bool) -> Any:
    """A function ``(blocks, columns, count, own, target)`` of addresses: target[column] -= block.T @ own."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        blocks, columns, count, own, target = arguments
        row = _Row(builder, single, blocks, columns, (target,))
        mine = builder.inttoptr(own, row.scalar.as_pointer())
        numbers = [
            row.wide(builder.fneg(builder.load(builder.gep(mine, [ir.Constant(ir.IntType(64), a)])))) for a in range(3)
        ]
        with cgutils.for_range(builder, count) as loop:
            place = row.node(0, loop.index)
            total = builder.load(place, align=row.size)
            for number, one in zip(numbers, row.rows(loop.index), strict=True):
                total = row.plus_product(total, one, number)
            builder.store(total, place, align=row.size)
        return context.get_dummy_value()

    return code


def _store_code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
    """A function ``(place, a, b, c)``: writes a, b, c and zero at once.

    Written one by one, they would have to reach the cache before a row that reads them as a vector can go on.
    """
    scalar = ir.FloatType() if signature.args[1].bitwidth == 32 else ir.DoubleType()
    vector = ir.VectorType(scalar, WIDTH)
    whole = ir.Constant(vector, [0.0] * WIDTH)
    for lane, number in enumerate(arguments[1:]):
        whole = builder.insert_element(whole, number, ir.Constant(ir.IntType(32), lane))
    builder.store(whole, builder.inttoptr(arguments[0], vector.as_pointer()), align=4)
    return context.get_dummy_value()


def _store_typed(typingctx, place, a, b, c):  # type: ignore[no-untyped-def]
    return types.void(types.int64, a, a, a), _store_code


_ADDRESSES = (types.int64,) * 5


def _gather_double(typingctx, blocks, columns, count, source, out):  # type: ignore[no-untyped-def]
    return types.void(*_ADDRESSES), _gather_code(False)


def _gather_single(typingctx, blocks, columns, count, source, out):  # type: ignore[no-untyped-def]
    return types.void(*_ADDRESSES), _gather_code(True)


def _scatter_double(typingctx, blocks, columns, count, own, target):  # type: ignore[no-untyped-def]
    return types.void(*_ADDRESSES), _scatter_code(False)


def _scatter_single(typingctx, blocks, columns, count, own, target):  # type: ignore[no-untyped-def]
    return types.void(*_ADDRESSES), _scatter_code(True)


_gather: Any = intrinsic(_gather_double)
_gather32: Any = intrinsic(_gather_single)
_scatter: Any = intrinsic(_scatter_double)
_scatter32: Any = intrinsic(_scatter_single)
_store: Any = intrinsic(_store_typed)


@njit(cache=True, nogil=True)
def of(d, x, a):  # type: ignore[no-untyped-def]
    """Row a of a block times the numbers of a node."""
    return d[a, 0] * x[0] + d[a, 1] * x[1] + d[a, 2] * x[2]


@njit(cache=True, nogil=True)
def multiply_one(first, end, indptr, indices, lower, diagonal, x, y):  # type: ignore[no-untyped-def]
    """y = A x for the rows first to end of the lower triangle and their mirror; x and y (n, 4) float64.

    A row of y is first written by its own row of the matrix, since the mirrored blocks are those of later rows.
    """
    m, c, u, v = lower.ctypes.data, indices.ctypes.data, x.ctypes.data, y.ctypes.data
    minus, found = np.zeros(WIDTH), np.zeros(WIDTH)
    negative, s = minus.ctypes.data, found.ctypes.data
    for i in range(first, end):
        start, count = indptr[i], indptr[i + 1] - indptr[i]
        for a in range(3):
            minus[a] = -x[i, a]
        _gather(m + 72 * start, c + 4 * start, count, u, s)
        _scatter(m + 72 * start, c + 4 * start, count, negative, v)
        d, own = diagonal[i], x[i]
        _store(v + 32 * i, of(d, own, 0) + found[0], of(d, own, 1) + found[1], of(d, own, 2) + found[2])


# A sweep moves nodes that go together (`femsim.fem.linear.mates`) at once: x = D^-1 (b - the others' part), where D^-1
# is symmetric, so that its product is a scatter of its rows. Columns ascend, so those of the block are a row's last.


@njit(inline="always")  # a call for every node would take as long as the work
def _others(i, together, indptr, indices, m, c, u, b, found, minus, counts):  # type: ignore[no-untyped-def]
    """What the others do to the nodes from i on, less b, into `minus`; how many blocks those are into `counts`."""
    for k in range(together):
        start, stop = indptr[i + k], indptr[i + k + 1]
        while stop > start and indices[stop - 1] >= i:
            stop -= 1
        counts[k] = stop - start
        _gather32(m + 36 * start, c + 4 * start, stop - start, u, found.ctypes.data)
        for a in range(3):
            minus[k, a] = found[a] - b[i + k, a]


@njit(cache=True, nogil=True)
def forward_one(first, end, indptr, indices, lower, place, inverse, b, x, r):  # type: ignore[no-untyped-def]
    """Gauss-Seidel forwards from zero, (D + L) x = b, and in the same pass the residual r = b - A x; (n, 4) float32.

    The residual of row i after the sweep is minus the mirrored blocks of later rows, so it is collected in `r`.
    """
    m, c, u, v = lower.ctypes.data, indices.ctypes.data, x.ctypes.data, r.ctypes.data
    d, found, minus = inverse.ctypes.data, np.zeros(WIDTH, np.float32), np.zeros((WIDTH, WIDTH), np.float32)
    counts, order = np.zeros(WIDTH, np.int64), np.arange(WIDTH).astype(np.int32)
    w, own, nothing = minus.ctypes.data, order.ctypes.data, np.float32(0.0)
    i = first
    while i < end:
        together = place[i + 1] - place[i]
        _others(i, together, indptr, indices, m, c, u, b, found, minus, counts)
        for k in range(together):
            _store(u + 16 * (i + k), nothing, nothing, nothing)
            _store(v + 16 * (i + k), nothing, nothing, nothing)
        for k in range(together):
            _scatter32(d + 36 * place[i + k], own, together, w + 16 * k, u + 16 * i)
        for k in range(i, i + together):
            _scatter32(m + 36 * indptr[k], c + 4 * indptr[k], counts[k - i], u + 16 * k, v)
        i += together


@njit(cache=True, nogil=True)
def backward_one(first, end, indptr, indices, lower, place, inverse, b, x):  # type: ignore[no-untyped-def]
    """Gauss-Seidel backwards from x, in place: (D + U) x_new = b - L x; (n, 4) float32. Overwrites b."""
    m, c, u, v = lower.ctypes.data, indices.ctypes.data, x.ctypes.data, b.ctypes.data
    d, found, minus = inverse.ctypes.data, np.zeros(WIDTH, np.float32), np.zeros((WIDTH, WIDTH), np.float32)
    counts, order = np.zeros(WIDTH, np.int64), np.arange(WIDTH).astype(np.int32)
    w, own, nothing = minus.ctypes.data, order.ctypes.data, np.float32(0.0)
    i = end
    while i > first:
        together = place[i] - place[i - 1]
        i -= together
        _others(i, together, indptr, indices, m, c, u, b, found, minus, counts)
        for k in range(together):
            _store(u + 16 * (i + k), nothing, nothing, nothing)
        for k in range(together):
            _scatter32(d + 36 * place[i + k], own, together, w + 16 * k, u + 16 * i)
        for k in range(i + together - 1, i - 1, -1):
            _scatter32(m + 36 * indptr[k], c + 4 * indptr[k], counts[k - i], u + 16 * k, v)


@njit(cache=True, nogil=True, error_model="numpy")
def restrict_one(residual, parents, fine, out):  # type: ignore[no-untyped-def]
    """out (v, 4) = P^T residual (n, 4); fine (n, 3) is 0.5 where the unknown interpolates."""
    out[:] = 0.0
    for i in range(parents.shape[0]):
        p, q = parents[i, 0], parents[i, 1]
        for a in range(3):
            half = fine[i, a] * residual[i, a]
            out[p, a] += half
            out[q, a] += half


@njit(cache=True, nogil=True, error_model="numpy")
def interpolate_one(first, end, correction, parents, fine, x):  # type: ignore[no-untyped-def]
    """x (n, 4) += P correction (v, 4) for the nodes first to end."""
    for i in range(first, end):
        p, q = parents[i, 0], parents[i, 1]
        for a in range(3):
            x[i, a] += fine[i, a] * (correction[p, a] + correction[q, a])


@njit(cache=True, nogil=True)
def restrict_to_groups(indptr, indices, values, residual, out):  # type: ignore[no-untyped-def]
    """out (g, 6) += P^T residual (v, 4)."""
    for i in range(indptr.size - 1):
        r0, r1, r2 = residual[i, 0], residual[i, 1], residual[i, 2]
        for p in range(indptr[i], indptr[i + 1]):
            g = indices[p]
            for c in range(6):
                out[g, c] += values[p, 0, c] * r0 + values[p, 1, c] * r1 + values[p, 2, c] * r2


@njit(cache=True, nogil=True)
def interpolate_from_groups(first, end, indptr, indices, values, correction, x):  # type: ignore[no-untyped-def]
    """x (v, 4) += P correction (g, 6) for the vertices first to end."""
    for i in range(first, end):
        for p in range(indptr[i], indptr[i + 1]):
            g = indices[p]
            for a in range(3):
                s = np.float32(0.0)
                for c in range(6):
                    s += values[p, a, c] * correction[g, c]
                x[i, a] += s


# The sums of the vector kernels may be taken in any order, but in the same one for any number of threads: each covers
# a share of the vector that does not depend on them.


@njit(cache=True, nogil=True, fastmath=True)
def dot(first, end, a, b):  # type: ignore[no-untyped-def]
    """Inner product of the numbers first to end of two vectors."""
    total = 0.0
    for i in range(first, end):
        total += a[i] * b[i]
    return total


@njit(cache=True, nogil=True, fastmath=True)
def step(first, end, x, r, p, q, alpha, scale, b):  # type: ignore[no-untyped-def]
    """x += alpha p, r -= alpha q and b = scale r in single precision; returns r . r."""
    total = 0.0
    for i in range(first, end):
        x[i] += alpha * p[i]
        r[i] -= alpha * q[i]
        b[i] = scale * r[i]
        total += r[i] * r[i]
    return total


@njit(cache=True, nogil=True, fastmath=True)
def turn(first, end, p, z, size, beta):  # type: ignore[no-untyped-def]
    """p = size z + beta p."""
    for i in range(first, end):
        p[i] = size * z[i] + beta * p[i]
