"""Sparse Cholesky factorisation by fronts (multifrontal), on the dense BLAS that scipy brings.

Each front of the dissection is a dense symmetric matrix: the rows of the matrix it eliminates plus the updates of its
children. Its pivots are factorised by LAPACK (``potrf``, ``trsm``, ``syrk``), what remains is the update for its parent
(Duff and Reid 1983 [duff1983]; Liu 1992 [liu1992]). Nearly all the work is in a few hundred large fronts, so that
Python drives them at no cost, and everything that can run scipy has a supernodal Cholesky.

Elasticity on linear tetrahedra, 83 592 unknowns, one core, seconds to factorise (other work on the machine): this
module 2.9, rslab 1.7 2.6, feral-solver 0.22 7.9, cholespy 2.2 43.9 (simplicial). At 30 927: 0.6, 0.9, 0.9, 4.8,
and scipy's SuperLU 3.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import get_blas_funcs, get_lapack_funcs

from femsim.errors import SolveError
from femsim.fem.linear.dissection import Dissection

FloatArray = NDArray[Any]


@dataclass(frozen=True)
class Factor:
    """A Cholesky factor ``P A P^T = L L^T``.

    Attributes
    ----------
    tree : Dissection
        Order and fronts, in nodes.
    width : int
        Unknowns per node.
    values : (.,) float64 or float32
        Per front, in Fortran order, the lower triangle of the pivots (p, p) and below it the border rows (b, p).
    offset : (f + 1,) int64
        Where each front begins in `values`.
    """

    tree: Dissection
    width: int
    values: FloatArray
    offset: NDArray[np.int64]

    @property
    def memory(self) -> int:
        """Bytes held."""
        return self.values.nbytes + self.tree.border.nbytes + self.tree.order.nbytes


def factorise(
    tree: Dissection,
    indptr: NDArray[Any],
    indices: NDArray[Any],
    blocks: FloatArray,
    dtype: Any = np.float64,
) -> Factor:
    """Factorise a symmetric positive definite matrix.

    Parameters
    ----------
    tree : Dissection
        From `femsim.fem.linear.dissection.dissect` of the same pattern.
    indptr, indices : (n + 1,) and (nnz,) int
        Block rows; both triangles, or any subset that holds each block in one of them.
    blocks : (nnz, w, w) float64
        ``blocks[p]`` couples node i (row) to node ``indices[p]``; only those with new(i) >= new(j) are read.
    dtype : float64 or float32
        Precision in which the finished factor is kept; the factorisation itself always runs in float64.

    Raises
    ------
    SolveError
        If a pivot is not positive: the matrix is not positive definite. ``error.node`` is the offending node.
    """
    width = blocks.shape[1]
    pivots, border = width * np.diff(tree.start), width * np.diff(tree.border_start)
    offset = np.concatenate([[0], np.cumsum(pivots * (pivots + border))])
    values = np.empty(offset[-1], dtype)
    new = np.empty_like(tree.order)
    new[tree.order] = np.arange(new.size)
    position = np.empty(new.size, np.int64)
    children: list[list[int]] = [[] for _ in tree.parent]
    for k, up in enumerate(tree.parent):
        if up >= 0:
            children[up].append(k)
    updates: dict[int, FloatArray] = {}
    for k, (p, b) in enumerate(zip(pivots.tolist(), border.tolist(), strict=True)):
        rows = np.concatenate(
            [np.arange(tree.start[k], tree.start[k + 1]), tree.border[tree.border_start[k] : tree.border_start[k + 1]]]
        )
        position[rows] = np.arange(rows.size)
        target = values[offset[k] : offset[k + 1]]
        in_place = dtype == np.float64
        own = target if in_place else np.empty(target.size)
        own[:] = 0.0
        top, low = own[: p * p].reshape((p, p), order="F"), own[p * p :].reshape((b, p), order="F")
        rest = np.zeros((b, b), order="F")
        _gather(top, low, tree.order[tree.start[k] : tree.start[k + 1]], new, position, indptr, indices, blocks)
        for c in children[k]:
            if c in updates:  # a front cut off by supports has nothing to pass on
                nodes = tree.border[tree.border_start[c] : tree.border_start[c + 1]]
                _extend_add(top, low, rest, updates.pop(c), nodes, position, width)
        _eliminate(top, low, rest, tree, k, width)
        if not in_place:
            target[:] = own
        if b:
            updates[k] = rest
    return Factor(tree, width, values, offset)


_POTRF = get_lapack_funcs("potrf", dtype=np.float64)
_TRSM, _SYRK = get_blas_funcs(("trsm", "syrk"), dtype=np.float64)


def _eliminate(top: FloatArray, low: FloatArray, rest: FloatArray, tree: Dissection, k: int, width: int) -> None:
    factor, info = _POTRF(top, lower=1, clean=0, overwrite_a=1)
    if info > 0:
        error = SolveError(
            "The stiffness matrix is not positive definite.",
            "A part of the model is free to move, or an element is inverted or has no stiffness.",
            "Check the supports, the smallest modulus and the mesh quality.",
        )
        error.node = int(tree.order[tree.start[k] + (info - 1) // width])  # type: ignore[attr-defined]
        raise error
    if low.size:
        solved = _TRSM(1.0, factor, low, side=1, lower=1, trans_a=1, overwrite_b=1)
        updated = _SYRK(-1.0, solved, beta=1.0, c=rest, lower=1, overwrite_c=1)
        # f2py writes in place only into arrays it finds suitable; a silent copy would lose the result
        if not (np.may_share_memory(solved, low) and np.may_share_memory(updated, rest)):
            low[:], rest[:] = solved, updated
    if not np.may_share_memory(factor, top):
        top[:] = factor


@njit(cache=True)
def _gather(top, low, nodes, new, position, indptr, indices, blocks):  # type: ignore[no-untyped-def]
    width, pivots = blocks.shape[1], nodes.size
    for c in range(pivots):
        i = nodes[c]
        for p in range(indptr[i], indptr[i + 1]):
            j = indices[p]
            if new[j] < new[i]:
                continue
            r = position[new[j]]
            for b in range(width):
                for a in range(width):
                    # the block of (i, j) transposed is the block of (j, i)
                    if r < pivots:
                        top[width * r + b, width * c + a] = blocks[p, a, b]
                    else:
                        low[width * (r - pivots) + b, width * c + a] = blocks[p, a, b]


@njit(cache=True)
def _extend_add(top, low, rest, update, border, position, width):  # type: ignore[no-untyped-def]
    pivots = top.shape[0] // width
    for cj in range(border.size):
        j = position[border[cj]]
        for ci in range(cj, border.size):
            i = position[border[ci]]
            for b in range(width):
                for a in range(width):
                    value = update[width * ci + a, width * cj + b]
                    if j >= pivots:
                        rest[width * (i - pivots) + a, width * (j - pivots) + b] += value
                    elif i >= pivots:
                        low[width * (i - pivots) + a, width * j + b] += value
                    else:
                        top[width * i + a, width * j + b] += value
