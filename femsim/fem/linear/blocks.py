"""Symmetric matrices of 3 x 3 blocks, stored once: the strict lower triangle and the diagonal.

Sparse solvers move memory, so every block is read once and used twice: as it stands for its row, and transposed for its
column. The nodes are numbered so that this needs no locks: along the body, cut into slabs, with the nodes that touch a
later slab put last. Rows of one slab then write to that slab only, and slabs run in parallel; the rows of the nodes in
between follow in one thread. The result does not depend on the number of threads.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from femsim.fem.linear.team import ALONE, Team

#: Slabs that may run in parallel; more only adds nodes in between.
SLABS = 4
#: Shares of work on arrays that may be cut anywhere.
SHARES = 4
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
    lead : (k,) int64
        First of the nodes that a sweep moves together with a node; they have consecutive numbers.
    place : (k + 1,) int64
        Where the inverses of those blocks hold the row of a node: as many 3 x 3 blocks as there are nodes together.
    """

    old: NDArray[np.int64]
    new: NDArray[np.int64]
    slabs: Slabs
    lead: NDArray[np.int64]
    place: NDArray[np.int64]


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
    indptr: NDArray[Any],
    indices: NDArray[Any],
    points: NDArray[np.float64],
    active: NDArray[np.bool_],
    mates: NDArray[np.int64] | None = None,
) -> Numbering:
    """Number nodes along the longest extent of the body and cut into slabs.

    Parameters
    ----------
    indptr, indices : block rows of the full pattern
    points : (n, 3) float, mm
    active : (n,) bool
        False for nodes that are left out.
    mates : (n,) int64, optional
        The same number for nodes that a sweep moves together (`femsim.fem.linear.mates`): one of theirs.

    Returns
    -------
    Numbering
    """
    chosen = np.flatnonzero(active)
    mate = np.arange(len(points)) if mates is None else mates
    centred = points[chosen] - points[chosen].mean(axis=0) if len(chosen) else points[chosen]
    _, axes = np.linalg.eigh(centred.T @ centred)
    along = np.zeros(len(points))
    along[chosen] = centred @ axes[:, -1]
    order = chosen[np.lexsort((mate[chosen], along[mate[chosen]]))]
    n, count = order.size, SLABS
    slab = np.full(len(points), -1, np.int64)
    while True:
        slab[order] = np.arange(n) * count // max(n, 1)
        slab[chosen] = slab[mate[chosen]]
        between = _touches_later(indptr, indices, slab)
        between[mate[between]] = True
        between = between[mate] & active
        if count == 1 or between.sum() <= BETWEEN * n:
            break
        count //= 2
    slab[between] = count
    old = order[np.argsort(slab[order], kind="stable")]
    new = np.full(len(points), -1, np.int64)
    new[old] = np.arange(n)
    edges = np.searchsorted(slab[old], np.arange(count + 2))
    slabs = tuple((int(a), int(b)) for a, b in itertools.pairwise(edges))
    return Numbering(old, new, slabs, *_leads(mate[old]))


def _leads(mate: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First node of each run of equal numbers, and where its rows begin that are as long as the run."""
    first = np.flatnonzero(np.diff(mate, prepend=-1))
    length = np.diff(first, append=len(mate))
    return np.repeat(first, length), np.concatenate([[0], np.cumsum(np.repeat(length, length))])


def lower_pattern(indptr: NDArray[Any], indices: NDArray[Any], numbering: Numbering) -> LowerBlocks:
    """Strict lower triangle of a full symmetric pattern, in the solver's numbering."""
    return LowerBlocks(*_lower_pattern(indptr, indices, numbering.old, numbering.new))


def take_blocks(
    pattern: LowerBlocks,
    blocks: NDArray[np.float64],
    dtype: Any,
    team: Team = ALONE,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Values of the lower triangle, (nnz, 3, 3), from the blocks of the system; written into `out` where given."""
    out = empty_blocks(pattern.source.size, dtype) if out is None else out
    team.share(shares(len(out)), _take, blocks, pattern.source, out)
    return out


def empty_blocks(count: int, dtype: Any) -> NDArray[Any]:
    """Memory of so many 3 x 3 blocks with some numbers behind it, since the kernels read a block in rows of four."""
    out = np.empty((count + 1, 3, 3), dtype)
    out[count:] = 0.0
    return out[:count]


def shares(count: int) -> list[tuple[int, int]]:
    """Ranges of about equal length that cover ``range(count)``; fixed, so that sums do not depend on the threads."""
    edges = np.linspace(0, count, SHARES + 1).astype(int).tolist()
    return list(itertools.pairwise(edges))


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


@njit(cache=True, nogil=True, error_model="numpy")
def inverses(blocks):  # type: ignore[no-untyped-def]
    """Inverses of symmetric 3 x 3 blocks, and the number of the first that is not positive definite, or -1."""
    out = np.empty_like(blocks)
    for i in range(len(blocks)):
        m = blocks[i]
        a, b, c, d, e, f = m[0, 0], m[0, 1], m[0, 2], m[1, 1], m[1, 2], m[2, 2]
        # by L D L^T, whose pivots are positive where the block is positive definite
        first = 1.0 / a
        u, v = b * first, c * first
        pivot = d - b * u
        second = 1.0 / pivot
        rest = e - c * u
        w = rest * second
        last = f - c * v - rest * w
        if not (a > 0.0 and pivot > 0.0 and last > 0.0):
            return out, i
        third = 1.0 / last
        g = u * w - v
        out[i, 2, 2] = third
        out[i, 1, 2] = out[i, 2, 1] = -w * third
        out[i, 0, 2] = out[i, 2, 0] = g * third
        out[i, 1, 1] = second + w * w * third
        out[i, 0, 1] = out[i, 1, 0] = -u * second - w * g * third
        out[i, 0, 0] = first + u * u * second + g * g * third
    return out, -1
