"""Compiled repairs of tetrahedra that keep their vertices: edge removal and face swap. State: see `_cells_kernels`."""

# ruff: noqa: C901 - loops written out for the compiler

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from femsim.mesh._cells_kernels import add, holds, remove, shape, star_of, vacant
from femsim.mesh._shape import sicn

Index = NDArray[np.int64]
RING = 8  # edges with more tetrahedra than this are not removed


@njit(cache=True)
def _ring(tet: Index, star: Index, n: int, a: int, b: int, work: Index) -> int:
    """Vertices of the closed ring of tetrahedra around edge a b, counter-clockwise seen from b; -1 if it is open.

    The vertices go into `work[0]`, the tetrahedra into `work[1]`.
    """
    ring, around, first, second = work[0], work[1], work[2], work[3]
    m = 0
    for i in range(n):
        if holds(tet, star[i], b):
            if m == RING:
                return -1
            around[m] = star[i]
            m += 1
    if m < 3:
        return -1
    for i in range(m):
        t = around[i]
        ia, ib = 0, 0
        for j in range(4):
            if tet[t, j] == a:
                ia = j
            elif tet[t, j] == b:
                ib = j
        c, d = -1, -1
        for j in range(4):
            if j != ia and j != ib:
                if c < 0:
                    c = j
                else:
                    d = j
        # (a, b, c, d) positively oriented: an even permutation of 0 1 2 3
        swaps = 0
        order = (ia, ib, c, d)
        for j in range(4):
            for k in range(j + 1, 4):
                if order[j] > order[k]:
                    swaps += 1
        if swaps % 2 == 1:
            c, d = d, c
        first[i], second[i] = tet[t, c], tet[t, d]
    ring[0], ring[1] = first[0], second[0]
    for k in range(2, m + 1):
        found = -1
        for i in range(m):
            if first[i] == ring[k - 1]:
                found = second[i]
        if found < 0:
            return -1
        if k == m:
            return m if found == ring[0] else -1
        ring[k] = found
    return -1


@njit(cache=True)
def remove_edge(p, tet, mask, head, link, stamp, spare, count, star, n, work, t0, a, b):  # type: ignore[no-untyped-def]
    """Replace the ring around edge a b by the best triangulation of the ring, if that lifts the worst shape.

    The n tetrahedra at a are in `star`; `work` (4, RING + 1) is written over.
    """
    m = _ring(tet, star, n, a, b, work)
    if m < 3:
        return False
    ring, around = work[0], work[1]
    old = 2.0
    for i in range(m):
        if mask[around[i]] != mask[t0]:
            return False
        old = min(old, shape(p, tet, around[i]))
    best = np.full((RING, RING), 2.0)
    cut = np.zeros((RING, RING), np.int64)
    for span in range(2, m):
        for i in range(m - span):
            k = i + span
            best[i, k] = -2.0
            for j in range(i + 1, k):
                low = min(sicn(p, ring[i], ring[j], ring[k], b), sicn(p, ring[k], ring[j], ring[i], a))
                low = min(low, best[i, j], best[j, k])
                if low > best[i, k]:
                    best[i, k] = low
                    cut[i, k] = j
    if best[0, m - 1] <= old + 1e-6 or best[0, m - 1] <= 1e-6:
        return False
    label = mask[t0]
    count[2] += 1
    for i in range(m):
        remove(tet, mask, head, link, stamp, count[2], around[i])
        spare[count[1]] = around[i]
        count[1] += 1
    stack = np.empty((2 * RING, 2), np.int64)
    stack[0, 0], stack[0, 1] = 0, m - 1
    depth = 1
    v = np.empty(4, np.int64)
    while depth > 0:
        depth -= 1
        i, k = stack[depth, 0], stack[depth, 1]
        if k - i < 2:
            continue
        j = cut[i, k]
        v[0], v[1], v[2], v[3] = ring[i], ring[j], ring[k], b
        add(tet, mask, head, link, stamp, count[2], vacant(spare, count, len(tet)), v, label)
        v[0], v[1], v[2], v[3] = ring[k], ring[j], ring[i], a
        add(tet, mask, head, link, stamp, count[2], vacant(spare, count, len(tet)), v, label)
        stack[depth, 0], stack[depth, 1] = i, j
        stack[depth + 1, 0], stack[depth + 1, 1] = j, k
        depth += 2
    return True


@njit(cache=True)
def across(tet, head, link, star, t, i):  # type: ignore[no-untyped-def]
    """Tetrahedron behind the face opposite to corner i, or -1 on the outer surface; -2 where that is unknown."""
    a, b, c = tet[t, (i + 1) % 4], tet[t, (i + 2) % 4], tet[t, (i + 3) % 4]
    n = star_of(head, link, a, star)
    if n < 0:
        return -2
    for k in range(n):
        s = star[k]
        if s != t and holds(tet, s, b) and holds(tet, s, c):
            return s
    return -1


@njit(cache=True)
def swap_face(p, tet, mask, head, link, stamp, spare, count, star, t, i):  # type: ignore[no-untyped-def]
    """Replace two tetrahedra that share a face by three around a new edge, if that lifts the worst shape."""
    s = across(tet, head, link, star, t, i)
    if s < 0 or mask[s] != mask[t]:
        return False
    old = min(shape(p, tet, t), shape(p, tet, s))
    d, e = tet[t, i], -1
    for j in range(4):
        if not holds(tet, t, tet[s, j]):
            e = tet[s, j]
    new = np.empty((3, 4), np.int64)
    k = 0
    for j in range(4):
        if j != i:
            new[k] = tet[t]
            new[k, j] = e
            if sicn(p, new[k, 0], new[k, 1], new[k, 2], new[k, 3]) <= max(old, 0.0) + 1e-6:
                return False
            k += 1
    if d < 0 or (count[1] == 0 and count[0] >= len(tet)):
        return False
    label = mask[t]
    count[2] += 1
    for dead in (t, s):
        remove(tet, mask, head, link, stamp, count[2], dead)
        spare[count[1]] = dead
        count[1] += 1
    for k in range(3):
        add(tet, mask, head, link, stamp, count[2], vacant(spare, count, len(tet)), new[k], label)
    return True
