"""Compiled bookkeeping of tetrahedra that are being repaired.

State: points (n, 3); tetrahedra (capacity, 4), of which `mask` -1 marks the dead; `head` and `link` hold, for every
vertex, the list of its slots 4 t + i; `kind` is 0 for vertices inside one compartment, 1 on a surface, 2 immovable;
`spare` holds dead tetrahedra and `count` [number used, number spare, number of changes]. `stamp` holds, for every
vertex, the number of the last change of a tetrahedron at it: what found nothing to do there need not look again before.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from femsim.mesh._shape import sicn

Array = NDArray[np.float64]
Index = NDArray[np.int64]
STAR = 400  # vertices with more tetrahedra than this are left alone


@njit(cache=True)
def build(tet: Index, m: int, n: int) -> tuple[Index, Index]:
    """Lists of the slots of every vertex."""
    head = np.full(n, -1)
    link = np.full(4 * len(tet), -1)
    for t in range(m):
        for i in range(4):
            link[4 * t + i] = head[tet[t, i]]
            head[tet[t, i]] = 4 * t + i
    return head, link


@njit(cache=True)
def add(
    tet: Index, mask: Index, head: Index, link: Index, stamp: Index, now: int, t: int, v: Index, label: int
) -> None:
    mask[t] = label
    for i in range(4):
        stamp[v[i]] = now
        tet[t, i] = v[i]
        link[4 * t + i] = head[v[i]]
        head[v[i]] = 4 * t + i


@njit(cache=True)
def remove(tet, mask, head, link, stamp, now, t):  # type: ignore[no-untyped-def]
    """Take tetrahedron t out; `now` is the number of the change."""
    mask[t] = -1
    for i in range(4):
        v, slot = tet[t, i], 4 * t + i
        stamp[v] = now
        if head[v] == slot:
            head[v] = link[slot]
            continue
        at = head[v]
        while link[at] != slot:
            at = link[at]
        link[at] = link[slot]


@njit(cache=True)
def vacant(spare: Index, count: Index, capacity: int) -> int:
    if count[1] > 0:
        count[1] -= 1
        return spare[count[1]]
    if count[0] < capacity:
        count[0] += 1
        return count[0] - 1
    return -1


@njit(cache=True)
def star_of(head: Index, link: Index, v: int, out: Index) -> int:
    n, slot = 0, head[v]
    while slot >= 0:
        if n == STAR:
            return -1
        out[n] = slot // 4
        n += 1
        slot = link[slot]
    # Lists are in order of insertion; sorting makes the result independent of it.
    out[:n].sort()
    return n


@njit(cache=True)
def holds(tet: Index, t: int, v: int) -> bool:
    return tet[t, 0] == v or tet[t, 1] == v or tet[t, 2] == v or tet[t, 3] == v


@njit(cache=True)
def shape(p: Array, tet: Index, t: int) -> float:
    return sicn(p, tet[t, 0], tet[t, 1], tet[t, 2], tet[t, 3])
