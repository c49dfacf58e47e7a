"""Compiled loops that find the block sparsity of a mesh."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_jit: Any = njit(cache=True, nogil=True)


@_jit
def incidence(cells: Any, count: int) -> Any:
    """Cells around every node: start (n + 1,), cell and local node of every visit, cells ascending."""
    m, k = cells.shape
    start = np.zeros(count + 1, np.int64)
    for e in range(m):
        for a in range(k):
            start[cells[e, a] + 1] += 1
    for i in range(count):
        start[i + 1] += start[i]
    at = start[:-1].copy()
    cell = np.empty(m * k, np.int32)
    local = np.empty(m * k, np.int8)
    for e in range(m):
        for a in range(k):
            n = cells[e, a]
            cell[at[n]] = e
            local[at[n]] = a
            at[n] += 1
    return start, cell, local


@_jit
def row_lengths(first: int, end: int, cells: Any, start: Any, cell: Any, lengths: Any) -> None:
    """Number of different neighbours of the nodes first to end, themselves included, into ``lengths (n + 1,)``."""
    k = cells.shape[1]
    seen = np.full(len(lengths) - 1, -1, np.int32)
    for i in range(first, end):
        seen[i] = i
        length = 1
        for v in range(start[i], start[i + 1]):
            e = cell[v]
            for b in range(k):
                j = cells[e, b]
                if seen[j] != i:
                    seen[j] = i
                    length += 1
        lengths[i + 1] = length


@_jit
def fill_rows(
    first: int, end: int, cells: Any, start: Any, cell: Any, local: Any, indptr: Any, indices: Any, scatter: Any
) -> None:
    """Sorted columns of the rows first to end, and the position of every pair of nodes of every cell in them."""
    k = cells.shape[1]
    count = len(indptr) - 1
    seen = np.full(count, -1, np.int32)
    place = np.empty(count, np.int32)
    for i in range(first, end):
        seen[i] = i
        at = indptr[i]
        indices[at] = i
        at += 1
        for v in range(start[i], start[i + 1]):
            e = cell[v]
            for b in range(k):
                j = cells[e, b]
                if seen[j] != i:
                    seen[j] = i
                    indices[at] = j
                    at += 1
        row = indices[indptr[i] : indptr[i + 1]]
        row.sort()
        for c in range(len(row)):
            place[row[c]] = indptr[i] + c
        for v in range(start[i], start[i + 1]):
            e, a = cell[v], local[v]
            for b in range(k):
                scatter[e, a, b] = place[cells[e, b]]
