"""Nodes that hold each other so firmly that a sweep should move them together.

In a flat element, as in a cortex thinner than its elements are long, the ends of a short edge are coupled almost as
firmly as each is held: a sweep that moves one node at a time hardly changes what they do together. Moved as one
block of up to three nodes they cost a little more memory and a fifth fewer iterations (65 to 53 and 53 to 44 on femurs
of 238 000 and 396 000 unknowns; blocks of four, or of all nodes that share a vertex, save no more).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from femsim.fem.linear import blocks as store
from femsim.fem.linear.system import Floats, System
from femsim.fem.linear.team import ALONE, Team

#: Coupling from which two nodes are moved together, |D_i^-1/2 A_ij D_j^-1/2| by Frobenius: 0.4 and 0.5 make many more
#: blocks and save two iterations.
FIRM = 0.6
#: Nodes of a block.
LARGEST = 3


def mates_of(system: System, team: Team = ALONE) -> NDArray[np.int64]:
    """Block of each node, (n,): the number of one of its nodes. Most nodes are alone.

    What holds for the moduli of this system serves others on its pattern, perhaps with more iterations.
    """
    n = system.nodes
    rows = store.shares(n)
    diagonal = np.concatenate(team.share(rows, _diagonal, system.indptr, system.indices, system.blocks))
    inverse, node = store.inverses(diagonal)
    if node >= 0:  # said where the matrix is used
        return np.arange(n)
    held = np.ascontiguousarray(~system.free.any(axis=1))
    found = team.share(rows, _firm, system.indptr, system.indices, system.blocks, inverse, held)
    coupling = np.concatenate([each[0] for each in found])
    pairs = np.concatenate([each[1] for each in found])
    return np.asarray(_join(pairs[np.argsort(-coupling, kind="stable")], n))


def block_inverses(
    diagonal: Floats, lower: store.LowerBlocks, matrix: Floats, numbering: store.Numbering, team: Team = ALONE
) -> NDArray[np.float32]:
    """Inverses of the blocks of nodes that are moved together, in the solver's numbering.

    Parameters
    ----------
    diagonal, matrix : (n, 3, 3), (nnz, 3, 3) float64
        Diagonal and lower triangle.
    lower : LowerBlocks
    numbering : Numbering
    team : Team

    Returns
    -------
    (place[-1], 3, 3) float32
        As `Numbering.place` says. Where a block is not positive definite, they are not finite.
    """
    out = store.empty_blocks(int(numbering.place[-1]), np.float32)
    shared = (diagonal, lower.indptr, lower.indices, matrix, numbering.lead, numbering.place, out)
    team.share(store.shares(len(diagonal)), _block_inverses, *shared)
    return out


@njit(cache=True, nogil=True)
def _diagonal(first, end, indptr, indices, blocks):  # type: ignore[no-untyped-def]
    """Diagonal blocks of the rows first to end."""
    out = np.empty((end - first, 3, 3))
    for i in range(first, end):
        for p in range(indptr[i], indptr[i + 1]):
            if indices[p] == i:
                out[i - first] = blocks[p]
    return out


@njit(cache=True, nogil=True)
def _firm(first, end, indptr, indices, blocks, inverse, held):  # type: ignore[no-untyped-def]
    """Coupling squared, trace(D_i^-1 A_ij D_j^-1 A_ij^T), of the firm pairs i > j with i from first to end."""
    coupling = np.empty(indptr[end] - indptr[first])
    pairs = np.empty((coupling.size, 2), np.int64)
    count = 0
    left, right = np.empty((3, 3)), np.empty((3, 3))
    for i in range(first, end):
        if held[i]:
            continue
        for p in range(indptr[i], indptr[i + 1]):
            j = indices[p]
            if j >= i or held[j]:
                continue
            a, u, v = blocks[p], inverse[i], inverse[j]
            total = 0.0
            for r in range(3):
                for c in range(3):
                    left[r, c] = u[r, 0] * a[0, c] + u[r, 1] * a[1, c] + u[r, 2] * a[2, c]
                    right[r, c] = a[r, 0] * v[0, c] + a[r, 1] * v[1, c] + a[r, 2] * v[2, c]
            for r in range(3):
                for c in range(3):
                    total += left[r, c] * right[r, c]
            if total > FIRM**2:
                coupling[count], pairs[count, 0], pairs[count, 1] = total, i, j
                count += 1
    return coupling[:count].copy(), pairs[:count].copy()


@njit(cache=True)
def _join(pairs, n):  # type: ignore[no-untyped-def]
    """Blocks of at most `LARGEST` nodes from pairs in the order in which they are joined."""
    block = np.arange(n)
    members = np.full((n, LARGEST), -1)
    members[:, 0] = block
    size = np.ones(n, np.int64)
    for p in range(len(pairs)):
        a, b = block[pairs[p, 0]], block[pairs[p, 1]]
        if a == b or size[a] + size[b] > LARGEST:
            continue
        for k in range(size[b]):
            members[a, size[a] + k] = members[b, k]
            block[members[b, k]] = a
        size[a] += size[b]
    return block


@njit(cache=True, nogil=True, error_model="numpy")
def _block_inverses(  # type: ignore[no-untyped-def]
    first, end, diagonal, indptr, indices, lower, lead, place, out
):
    whole = np.empty((3 * LARGEST, 3 * LARGEST))
    for i in range(first, end):
        if lead[i] != i:
            continue
        count = place[i + 1] - place[i]
        whole[:] = 0.0
        for k in range(count):
            whole[3 * k : 3 * k + 3, 3 * k : 3 * k + 3] = diagonal[i + k]
            for p in range(indptr[i + k + 1] - 1, indptr[i + k] - 1, -1):
                j = indices[p] - i  # columns ascend, so those of the block are the last
                if j < 0:
                    break
                for r in range(3):
                    for c in range(3):
                        whole[3 * k + r, 3 * j + c] = whole[3 * j + c, 3 * k + r] = lower[p, r, c]
        _invert(whole, 3 * count)
        for k in range(count):
            for j in range(count):
                out[place[i + k] + j] = whole[3 * k : 3 * k + 3, 3 * j : 3 * j + 3]


@njit(cache=True, nogil=True, error_model="numpy")
def _invert(a, n):  # type: ignore[no-untyped-def]
    """Invert the first n rows and columns of a positive definite matrix in place (Gauss-Jordan; no pivoting needed)."""
    for k in range(n):
        pivot = 1.0 / a[k, k]
        a[k, k] = 1.0
        for c in range(n):
            a[k, c] *= pivot
        for r in range(n):
            if r != k:
                factor = a[r, k]
                a[r, k] = 0.0
                for c in range(n):
                    a[r, c] -= factor * a[k, c]
