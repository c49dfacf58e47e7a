"""Symmetric matrices of 3 x 3 blocks, stored once: the strict lower triangle and the diagonal.

Sparse solvers move memory, so every block is read once and used twice: as it stands for its row, and transposed for its
column. The nodes are numbered so that this needs no locks: along the body, cut into slabs, with the nodes that touch a
later slab put last. Rows of one slab then write to that slab only, and slabs run in parallel; the rows of the nodes in
between follow in one thread. The result does not depend on the number of threads.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

#: Slabs that may run in parallel; more only adds nodes in between.
SLABS = 16
#: No more than this share of the nodes may lie between slabs.
BETWEEN = 0.1

Slabs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Numbering:
    """Order of the nodes in which the solver works.

    Attributes
    ----------
    old : (k,) int64
        ``old[new]`` is the number in the system; nodes that are fixed throughout have no place.
    new : (n,) int64
        The inverse; -1 where there is none.
    slabs : tuple of (first, end)
        Ranges of new numbers without a common block; the last range is the nodes in between (perhaps empty).
    """

    old: NDArray[np.int64]
    new: NDArray[np.int64]
    slabs: Slabs


@dataclass(frozen=True)
class LowerBlocks:
    """Pattern of the strict lower triangle in the solver's numbering.

    Attributes
    ----------
    indptr, indices : (n + 1,) int64, (nnz,) int32
        Block rows, ascending columns.
    source : (nnz,) int64
        Place of each block in the system's ``blocks``.
    diagonal : (n,) int64
        Place of the diagonal blocks.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    source: NDArray[np.int64]
    diagonal: NDArray[np.int64]


def number_nodes(
    indptr: NDArray[Any], indices: NDArray[Any], points: NDArray[np.float64], active: NDArray[np.bool_]
) -> Numbering:
    """Number nodes along the longest extent of the body and cut into slabs.

    Parameters
    ----------
    indptr, indices : block rows of the full pattern
    points : (n, 3) float, mm
    active : (n,) bool
        False for nodes that are left out.

    Returns
    -------
    Numbering
    """
    chosen = np.flatnonzero(active)
    centred = points[chosen] - points[chosen].mean(axis=0) if len(chosen) else points[chosen]
    _, axes = np.linalg.eigh(centred.T @ centred)
    order = chosen[np.argsort(centred @ axes[:, -1], kind="stable")]
    n, count = order.size, SLABS
    slab = np.full(len(points), -1, np.int64)
    while True:
        slab[order] = np.arange(n) * count // max(n, 1)
        between = _touches_later(indptr, indices, slab)
        if count == 1 or between.sum() <= BETWEEN * n:
            break
        count //= 2
    slab[between] = count
    old = order[np.argsort(slab[order], kind="stable")]
    new = np.full(len(points), -1, np.int64)
    new[old] = np.arange(n)
    edges = np.searchsorted(slab[old], np.arange(count + 2))
    return Numbering(old, new, tuple((int(a), int(b)) for a, b in itertools.pairwise(edges)))


def lower_pattern(indptr: NDArray[Any], indices: NDArray[Any], numbering: Numbering) -> LowerBlocks:
    """Strict lower triangle of a full symmetric pattern, in the solver's numbering."""
    return LowerBlocks(*_lower_pattern(indptr, indices, numbering.old, numbering.new))


def take_blocks(
    pattern: LowerBlocks,
    blocks: NDArray[np.float64],
    dtype: Any,
    pool: Executor | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Values of the lower triangle, (nnz, 3, 3), from the blocks of the system; written into `out` where given."""
    out = np.empty((pattern.source.size, 3, 3), dtype) if out is None else out
    edges = np.linspace(0, pattern.source.size, SLABS + 1).astype(int).tolist()
    shares = [*itertools.pairwise(edges), (0, 0)]
    over_slabs(pool, shares, lambda first, end: _take(first, end, blocks, pattern.source, out))
    return out


def over_slabs(pool: Executor | None, slabs: Sequence[tuple[int, int]], work: Callable[[int, int], None]) -> None:
    """Run ``work(first, end)`` for each slab, in threads where there is a pool, and then for the nodes in between."""
    if pool is None:
        for first, end in slabs:
            work(first, end)
        return
    for done in [pool.submit(work, first, end) for first, end in slabs[:-1]]:
        done.result()
    work(*slabs[-1])


def over_slabs_backwards(
    pool: Executor | None, slabs: Sequence[tuple[int, int]], work: Callable[[int, int], None]
) -> None:
    """The same with the nodes in between first."""
    work(*slabs[-1])
    over_slabs(pool, (*slabs[:-1], (0, 0)), work)


@njit(cache=True, nogil=True)
def _touches_later(indptr, indices, slab):  # type: ignore[no-untyped-def]
    touches = np.zeros(slab.size, np.bool_)
    for i in range(slab.size):
        if slab[i] < 0:
            continue
        for p in range(indptr[i], indptr[i + 1]):
            if slab[indices[p]] > slab[i]:
                touches[i] = True
                break
    return touches


@njit(cache=True, nogil=True)
def _lower_pattern(indptr, indices, old, new):  # type: ignore[no-untyped-def]
    n = old.size
    rows = np.zeros(n + 1, np.int64)
    diagonal = np.full(n, -1, np.int64)
    for i in range(n):
        o = old[i]
        for p in range(indptr[o], indptr[o + 1]):
            j = new[indices[p]]
            rows[i + 1] += 0 <= j < i
    for i in range(n):
        rows[i + 1] += rows[i]
    columns = np.empty(rows[n], np.int32)
    source = np.empty(rows[n], np.int64)
    for i in range(n):
        at, o = rows[i], old[i]
        for p in range(indptr[o], indptr[o + 1]):
            j = new[indices[p]]
            if j == i:
                diagonal[i] = p
            elif 0 <= j < i:
                q = at  # insertion sort: rows are short
                while q > rows[i] and columns[q - 1] > j:
                    columns[q], source[q] = columns[q - 1], source[q - 1]
                    q -= 1
                columns[q], source[q] = j, p
                at += 1
    return rows, columns, source, diagonal


@njit(cache=True, nogil=True)
def _take(first, end, blocks, source, out):  # type: ignore[no-untyped-def]
    for p in range(first, end):
        s = source[p]
        for a in range(3):
            for b in range(3):
                out[p, a, b] = blocks[s, a, b]


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def multiply_one(first, end, indptr, indices, lower, diagonal, x, y):  # type: ignore[no-untyped-def]
    """y += A x for the rows first to end of the lower triangle and their mirror; x and y (3 n,)."""
    for i in range(first, end):
        x0, x1, x2 = x[3 * i], x[3 * i + 1], x[3 * i + 2]
        d = diagonal[i]
        s0 = d[0, 0] * x0 + d[0, 1] * x1 + d[0, 2] * x2
        s1 = d[1, 0] * x0 + d[1, 1] * x1 + d[1, 2] * x2
        s2 = d[2, 0] * x0 + d[2, 1] * x1 + d[2, 2] * x2
        for p in range(indptr[i], indptr[i + 1]):
            k = 3 * np.int64(indices[p])
            m = lower[p]
            u0, u1, u2 = x[k], x[k + 1], x[k + 2]
            s0 += m[0, 0] * u0 + m[0, 1] * u1 + m[0, 2] * u2
            s1 += m[1, 0] * u0 + m[1, 1] * u1 + m[1, 2] * u2
            s2 += m[2, 0] * u0 + m[2, 1] * u1 + m[2, 2] * u2
            y[k] += m[0, 0] * x0 + m[1, 0] * x1 + m[2, 0] * x2
            y[k + 1] += m[0, 1] * x0 + m[1, 1] * x1 + m[2, 1] * x2
            y[k + 2] += m[0, 2] * x0 + m[1, 2] * x1 + m[2, 2] * x2
        y[3 * i] += s0
        y[3 * i + 1] += s1
        y[3 * i + 2] += s2


@njit(cache=True, nogil=True, fastmath={"contract"})
def forward_one(first, end, indptr, indices, lower, inverse, b, x, r):  # type: ignore[no-untyped-def]
    """Gauss-Seidel forwards from zero, (D + L) x = b, and in the same pass the residual r = b - A x.

    The residual of row i after the sweep is minus the mirrored blocks of later rows, so it is collected in `r`, which
    must be zero on entry.
    """
    for i in range(first, end):
        s0, s1, s2 = b[3 * i], b[3 * i + 1], b[3 * i + 2]
        for p in range(indptr[i], indptr[i + 1]):
            k = 3 * np.int64(indices[p])
            m = lower[p]
            u0, u1, u2 = x[k], x[k + 1], x[k + 2]
            s0 -= m[0, 0] * u0 + m[0, 1] * u1 + m[0, 2] * u2
            s1 -= m[1, 0] * u0 + m[1, 1] * u1 + m[1, 2] * u2
            s2 -= m[2, 0] * u0 + m[2, 1] * u1 + m[2, 2] * u2
        d = inverse[i]
        x0 = d[0, 0] * s0 + d[0, 1] * s1 + d[0, 2] * s2
        x1 = d[1, 0] * s0 + d[1, 1] * s1 + d[1, 2] * s2
        x2 = d[2, 0] * s0 + d[2, 1] * s1 + d[2, 2] * s2
        x[3 * i], x[3 * i + 1], x[3 * i + 2] = x0, x1, x2
        for p in range(indptr[i], indptr[i + 1]):
            k = 3 * np.int64(indices[p])
            m = lower[p]
            r[k] -= m[0, 0] * x0 + m[1, 0] * x1 + m[2, 0] * x2
            r[k + 1] -= m[0, 1] * x0 + m[1, 1] * x1 + m[2, 1] * x2
            r[k + 2] -= m[0, 2] * x0 + m[1, 2] * x1 + m[2, 2] * x2


@njit(cache=True, nogil=True, fastmath={"contract"})
def backward_one(first, end, indptr, indices, lower, inverse, b, x):  # type: ignore[no-untyped-def]
    """Gauss-Seidel backwards from x, in place: (D + U) x_new = b - L x. Overwrites b."""
    for i in range(end - 1, first - 1, -1):
        s0, s1, s2 = b[3 * i], b[3 * i + 1], b[3 * i + 2]
        for p in range(indptr[i + 1] - 1, indptr[i] - 1, -1):  # backwards through memory throughout
            k = 3 * np.int64(indices[p])
            m = lower[p]
            u0, u1, u2 = x[k], x[k + 1], x[k + 2]
            s0 -= m[0, 0] * u0 + m[0, 1] * u1 + m[0, 2] * u2
            s1 -= m[1, 0] * u0 + m[1, 1] * u1 + m[1, 2] * u2
            s2 -= m[2, 0] * u0 + m[2, 1] * u1 + m[2, 2] * u2
        d = inverse[i]
        x0 = d[0, 0] * s0 + d[0, 1] * s1 + d[0, 2] * s2
        x1 = d[1, 0] * s0 + d[1, 1] * s1 + d[1, 2] * s2
        x2 = d[2, 0] * s0 + d[2, 1] * s1 + d[2, 2] * s2
        x[3 * i], x[3 * i + 1], x[3 * i + 2] = x0, x1, x2
        for p in range(indptr[i + 1] - 1, indptr[i] - 1, -1):  # backwards through memory throughout
            k = 3 * np.int64(indices[p])
            m = lower[p]
            b[k] -= m[0, 0] * x0 + m[1, 0] * x1 + m[2, 0] * x2
            b[k + 1] -= m[0, 1] * x0 + m[1, 1] * x1 + m[2, 1] * x2
            b[k + 2] -= m[0, 2] * x0 + m[1, 2] * x1 + m[2, 2] * x2
