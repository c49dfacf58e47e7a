"""Compiled loops of snap and cut."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from femsim.mesh._shape import sicn

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Flag = NDArray[np.bool_]


@njit(cache=True)
def csr(index: Index, values: Index, n: int) -> tuple[Index, Index]:
    """Rows of `values` by `index` (which may repeat), in order of appearance: row pointers (n + 1,) and values."""
    pointer = np.zeros(n + 1, np.int64)
    for i in index:
        pointer[i + 1] += 1
    for i in range(n):
        pointer[i + 1] += pointer[i]
    fill = pointer[:-1].copy()
    result = np.empty(len(index), np.int64)
    for i in range(len(index)):
        result[fill[index[i]]] = values[i]
        fill[index[i]] += 1
    return pointer, result


@njit(cache=True)
def _outer(cells: Index, star: Index, v: int, w: int) -> bool:
    """Whether a face v w x of the star of v belongs to one tetrahedron only; w = -1 asks for any face at v."""
    for i in star:
        for j in range(4):
            x = cells[i, j]
            if x == v:
                continue
            for k in range(j + 1, 4):
                y = cells[i, k]
                if y == v or (w >= 0 and x != w and y != w):
                    continue
                shared = 0
                for other in star:
                    found = 0
                    for m in range(4):
                        if cells[other, m] == x or cells[other, m] == y:
                            found += 1
                    if found == 2:
                        shared += 1
                if shared == 1:
                    return True
    return False


@njit(cache=True)
def _same_stratum(cells: Index, mask: Index, star: Index, v: int, w: int) -> bool:
    """Whether edge v w lies on every surface that v lies on."""
    for i in star:
        found = False
        for other in star:
            if mask[other] == mask[i]:
                for m in range(4):
                    if cells[other, m] == w:
                        found = True
                if found:
                    break
        if not found:
            return False
    if _outer(cells, star, v, -1):
        return _outer(cells, star, v, w)
    return True


@njit(cache=True)
def _on_surface(cells: Index, mask: Index, star: Index, v: int) -> bool:
    """Whether v lies on the outer surface or between compartments."""
    for i in star:
        if mask[i] != mask[star[0]]:
            return True
    return _outer(cells, star, v, -1)


@njit(cache=True)
def _worst(p: Array, cells: Index, star: Index) -> float:
    worst = 2.0
    for i in star:
        worst = min(worst, sicn(p, cells[i, 0], cells[i, 1], cells[i, 2], cells[i, 3]))
    return worst


@njit(cache=True)
def snap(
    p: Array,
    phi: Array,
    slack: Array,
    cells: Index,
    mask: Index,
    ridge: Flag,
    edges: Index,
    cross: Array,
    share: Array,
    order: Index,
    star_pointer: Index,
    star_cells: Index,
    edge_pointer: Index,
    edge_ids: Index,
    alpha: float,
    merge: float,
    thin: float,
) -> int:
    """Move vertices onto the surface, or declare them on it; changes `p`, `phi` and `slack`.

    Returns the number of vertices that were declared on the surface without being moved.
    """
    declared = 0
    for v in order:
        if phi[v] == 0.0:
            continue
        nearest = 2.0
        for k in range(edge_pointer[v], edge_pointer[v + 1]):
            e = edge_ids[k]
            w = edges[e, 0] + edges[e, 1] - v
            if phi[w] != 0.0:
                nearest = min(nearest, share[e] if edges[e, 0] == v else 1.0 - share[e])
        if nearest >= alpha:
            continue
        star = star_cells[star_pointer[v] : star_pointer[v + 1]]
        old = p[v].copy()
        now = _worst(p, cells, star)
        best, chosen = min(0.25, 0.6 * now), -1
        if not ridge[v]:
            for k in range(edge_pointer[v], edge_pointer[v + 1]):
                e = edge_ids[k]
                w = edges[e, 0] + edges[e, 1] - v
                t = share[e] if edges[e, 0] == v else 1.0 - share[e]
                if phi[w] == 0.0 or t > 1.6 * alpha:
                    continue
                p[v] = cross[e]
                # A small preference for the short way keeps the mesh near its background.
                score = _worst(p, cells, star) * (1.0 - 0.3 * t)
                p[v] = old
                if score > best and _same_stratum(cells, mask, star, v, w):
                    best, chosen = score, e
        if chosen >= 0:
            p[v] = cross[chosen]
        elif (
            nearest >= merge
            and abs(phi[v]) > max(thin, 1.1 * slack[v])
            and (ridge[v] or _on_surface(cells, mask, star, v))
        ):
            # Two surfaces would be merged here and the layer between them holed: cut it, thin as it is. (Not where
            # the vertex lies on the other one by declaration only: the two may be one and the same surface.)
            continue
        else:
            slack[v] = max(slack[v], abs(phi[v]))
            declared += 1
        phi[v] = 0.0
    return declared


@njit(cache=True)
def split(cells: Index, edge_of: Index, rank: Index, edges: Index, new_vertex: Index) -> tuple[Index, Index]:
    """Split tetrahedra at their crossed edges, in the global order of `rank`.

    `edge_of` (m, 6) holds the crossed edge of every tetrahedron or -1; `new_vertex` the vertex on every edge. Because
    the order is global, the diagonals on shared faces agree. Returns the parts (q, 4) and the parent of each (q,).
    """
    result = np.empty((8 * len(cells), 4), np.int64)
    parent = np.empty(8 * len(cells), np.int64)
    total = 0
    local = np.empty(6, np.int64)
    for i in range(len(cells)):
        count = 0
        for j in range(6):
            e = edge_of[i, j]
            if e >= 0:
                k = count
                while k > 0 and rank[local[k - 1]] > rank[e]:
                    local[k] = local[k - 1]
                    k -= 1
                local[k] = e
                count += 1
        start = total
        result[total] = cells[i]
        parent[total] = i
        total += 1
        for k in range(count):
            a, b, m = edges[local[k], 0], edges[local[k], 1], new_vertex[local[k]]
            for q in range(start, total):
                ia, ib = -1, -1
                for j in range(4):
                    if result[q, j] == a:
                        ia = j
                    elif result[q, j] == b:
                        ib = j
                if ia >= 0 and ib >= 0:
                    result[total] = result[q]
                    result[total, ia] = m
                    parent[total] = i
                    result[q, ib] = m
                    total += 1
    return result[:total].copy(), parent[:total].copy()
