"""The linear sub-space of quadratic elements: interpolation from the vertices, and the matrix P^T A P on it.

A small vertex matrix is factorised; a large one is smoothed in turn and corrected by groups of vertices
(`femsim.fem.linear.aggregation`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from femsim.fem.linear import blocks as store
from femsim.fem.linear.aggregation import Groups, group_vertices
from femsim.fem.linear.dissection import Dissection, dissect
from femsim.fem.linear.system import Floats, System
from femsim.fem.linear.team import ALONE, Team

#: Vertices up to which their matrix is factorised whole: below it that is no slower and saves iterations.
FACTOR_VERTICES = 2000


@dataclass(frozen=True, eq=False)
class Coarse:
    """Structure of the sub-space.

    Attributes
    ----------
    parents : (k, 2) int64
        Vertices (in the numbering of the vertex level) of each node of the solver's numbering.
    fine : (k, 3) float32
        Weight of each parent: a half, or 0 where the unknown is fixed.
    free : (v, 3) bool
        Vertex unknowns that are not fixed.
    indptr, indices : (v + 1,), (.,) int64
        Block rows of P^T A P, both triangles.
    child_start, child : (v + 1,), (.,) int64
        Nodes (system numbering) that interpolate from each vertex; a vertex lists itself twice.
    pairs : (n, 2) int64
        Vertices of each node of the system, in the order of the system.
    tree : Dissection or None
        Order of elimination, where the matrix is factorised whole.
    numbering : Numbering
        Of the vertex level.
    lower : LowerBlocks or None
        Lower triangle, where the matrix is smoothed.
    groups : Groups or None
        What corrects it then.
    """

    parents: NDArray[np.int64]
    fine: NDArray[np.float32]
    free: NDArray[np.bool_]
    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    child_start: NDArray[np.int64]
    child: NDArray[np.int64]
    pairs: NDArray[np.int64]
    tree: Dissection | None
    numbering: store.Numbering
    lower: store.LowerBlocks | None
    groups: Groups | None


def coarse_space(system: System, numbering: store.Numbering) -> Coarse:
    """Structure of the linear sub-space of a system with parents."""
    assert system.parents is not None
    vertex = np.flatnonzero((system.parents == np.arange(system.nodes)[:, None]).all(axis=1))
    number = np.full(system.nodes, -1, np.int64)
    number[vertex] = np.arange(vertex.size)
    pairs = np.ascontiguousarray(number[system.parents])
    order = np.argsort(pairs.ravel(), kind="stable")
    child = order // 2
    child_start = np.searchsorted(pairs.ravel()[order], np.arange(vertex.size + 1))
    indptr, indices = _coarse_pattern(system.indptr, system.indices, pairs, child_start, child)
    free, points = np.ascontiguousarray(system.free[vertex]), system.points[vertex]
    whole = vertex.size <= FACTOR_VERTICES
    own = store.number_nodes(indptr, indices, points, np.ones(vertex.size, bool))
    return Coarse(
        np.ascontiguousarray(own.new[pairs[numbering.old]]), (0.5 * system.free[numbering.old]).astype(np.float32),
        free, indptr, indices, child_start, child, pairs,
        dissect(indptr, indices, points) if whole else None, own,
        None if whole else store.lower_pattern(indptr, indices, own),
        None if whole else group_vertices(indptr, indices, points, free),
    )  # fmt: skip


def coarse_matrix(system: System, coarse: Coarse, team: Team = ALONE) -> Floats:
    """Blocks of P^T A P on the pattern of the sub-space; fixed unknowns become identity rows of matching size."""
    out = np.zeros((coarse.indices.size, 3, 3))
    shared = (
        system.indptr, system.indices, system.blocks, system.free, 3 - system.free.sum(axis=1), coarse.free,
        coarse.pairs, coarse.child_start, coarse.child, coarse.indptr, coarse.indices, out,
    )  # fmt: skip
    # a vertex writes its own row only
    team.share(store.shares(len(coarse.free)), _coarse_values, *shared)
    return out


@njit(cache=True, nogil=True)
def _coarse_pattern(indptr, indices, pairs, child_start, child):  # type: ignore[no-untyped-def]
    n = child_start.size - 1
    stamp = np.full(n, -1, np.int64)
    rows = np.zeros(n + 1, np.int64)
    columns = np.empty(20 * n + 16, np.int64)
    for v in range(n):
        top = rows[v]
        if top + n > columns.size:
            larger = np.empty(2 * columns.size + n, np.int64)
            larger[:top] = columns[:top]
            columns = larger
        for c in range(child_start[v], child_start[v + 1]):
            i = child[c]
            for p in range(indptr[i], indptr[i + 1]):
                for w in pairs[indices[p]]:
                    if stamp[w] != v:
                        stamp[w] = v
                        columns[top] = w
                        top += 1
        rows[v + 1] = top
    return rows, columns[: rows[n]].copy()


@njit(cache=True, nogil=True)
def _coarse_values(  # type: ignore[no-untyped-def] # noqa: C901
    first, end, indptr, indices, blocks, fine, held, free, pairs, child_start, child, rows, columns, out
):
    place = np.empty(rows.size - 1, np.int64)
    for v in range(first, end):
        for q in range(rows[v], rows[v + 1]):
            place[columns[q]] = q
        for c in range(child_start[v], child_start[v + 1]):
            i = child[c]
            if held[i] == 3:
                continue
            for p in range(indptr[i], indptr[i + 1]):
                j = indices[p]
                for side in range(2):
                    w = pairs[j, side]
                    q = place[w]
                    if held[i] + held[j] == 0:
                        for a in range(3):
                            for b in range(3):
                                out[q, a, b] += 0.25 * blocks[p, a, b]
                    elif held[j] < 3:
                        for a in range(3):
                            for b in range(3):
                                if fine[i, a] and fine[j, b]:
                                    out[q, a, b] += 0.25 * blocks[p, a, b]
        for q in range(rows[v], rows[v + 1]):
            for a in range(3):
                for b in range(3):
                    if not (free[v, a] and free[columns[q], b]):
                        out[q, a, b] = 0.0
        for a in range(3):
            if out[place[v], a, a] <= 0.0 and not free[v, a]:
                out[place[v], a, a] = 1.0
