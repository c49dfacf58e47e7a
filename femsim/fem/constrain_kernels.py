"""Compiled loops over the blocks of the matrix: clearing and constraining it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_jit: Any = njit(cache=True, nogil=True)


@_jit
def clear(indptr: Any, owner: Any, slab: int, blocks: Any) -> None:
    """Set the block rows of one slab to zero."""
    for i in range(len(owner)):
        if owner[i] == slab:
            for at in range(indptr[i], indptr[i + 1]):
                blocks[at] = 0.0


@_jit
def constrain(first: int, end: int, indptr: Any, indices: Any, held: Any, projector: Any, blocks: Any) -> None:
    """Replace held unknowns by scaled identity rows and columns in the rows first to end, in place.

    ``held (n,)`` is the row of ``projector (s, 3, 3)`` of every held node, or -1; a projector keeps the free directions
    of its node. A block K_ij becomes P_i K_ij P_j, and a diagonal block gains its own mean diagonal times (1 - P_i), so
    that the matrix stays symmetric, positive definite and well scaled.
    """
    half = np.empty((3, 3))
    for i in range(first, end):
        for at in range(indptr[i], indptr[i + 1]):
            j = indices[at]
            if held[i] < 0 and held[j] < 0:
                continue
            block = blocks[at]
            mean = (block[0, 0] + block[1, 1] + block[2, 2]) / 3.0
            if held[i] >= 0:
                _multiply(projector[held[i]], block, half)
                _copy(half, block)
            if held[j] >= 0:
                _multiply(block, projector[held[j]], half)
                _copy(half, block)
            if i == j:
                _fill(projector[held[i]], mean if mean > 0.0 else 1.0, block)


@_jit
def _copy(a: Any, out: Any) -> None:
    for r in range(3):
        for c in range(3):
            out[r, c] = a[r, c]


@_jit
def _multiply(a: Any, b: Any, out: Any) -> None:
    for r in range(3):
        for c in range(3):
            out[r, c] = a[r, 0] * b[0, c] + a[r, 1] * b[1, c] + a[r, 2] * b[2, c]


@_jit
def _fill(projector: Any, value: float, block: Any) -> None:
    for r in range(3):
        for c in range(3):
            block[r, c] += value * ((1.0 if r == c else 0.0) - projector[r, c])
