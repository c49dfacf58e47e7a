"""Compiled repair of tetrahedra by merging two vertices. State: see `_cells_kernels`."""

# ruff: noqa: C901 - loops written out for the compiler

from __future__ import annotations

import numpy as np
from numba import njit

from femsim.mesh._cells_kernels import add, holds, remove
from femsim.mesh._shape import sicn, volume6


@njit(cache=True)
def open_face(tet, star, n, t, v, i, w):  # type: ignore[no-untyped-def]
    """Whether face (without corner i) of t, which holds v, has no other tetrahedron in the star of v."""
    for k in range(n):
        s = star[k]
        if s == t:
            continue
        shared = 0
        for j in range(4):
            if j != i and holds(tet, s, tet[t, j]):
                shared += 1
        if shared == 3:
            return False
    return True


@njit(cache=True)
def collapse(p, tet, mask, head, link, stamp, kind, spare, count, star, n, old, v, w):  # type: ignore[no-untyped-def]
    """Merge v into w along their edge, where every surface of v holds the edge and no shape gets worse than before.

    The n tetrahedra at v are in `star`, the worst shape of them is `old`.
    """
    change = 0.0
    at = np.empty(4, np.int64)
    edge2 = (p[v, 0] - p[w, 0]) ** 2 + (p[v, 1] - p[w, 1]) ** 2 + (p[v, 2] - p[w, 2]) ** 2
    if kind[v] == 1 and not _edge_on_surfaces(tet, mask, star, n, v, w):
        return False
    for k in range(n):
        t = star[k]
        if holds(tet, t, w):
            continue
        for j in range(4):
            at[j] = w if tet[t, j] == v else tet[t, j]
        if sicn(p, at[0], at[1], at[2], at[3]) <= old + 1e-6:
            return False
        far2 = 0.0
        for j in range(4):
            far2 = max(far2, (p[at[j], 0] - p[w, 0]) ** 2 + (p[at[j], 1] - p[w, 1]) ** 2 + (p[at[j], 2] - p[w, 2]) ** 2)
        if far2 > 9.0 * edge2:
            return False
    if kind[v] == 1:
        # The volume of every compartment must stay: only nearly flat surfaces may lose a vertex.
        for k in range(n):
            change = 0.0
            for i in range(n):
                if mask[star[i]] != mask[star[k]]:
                    continue
                t = star[i]
                change -= volume6(p, tet[t, 0], tet[t, 1], tet[t, 2], tet[t, 3])
                if not holds(tet, t, w):
                    for j in range(4):
                        at[j] = w if tet[t, j] == v else tet[t, j]
                    change += volume6(p, at[0], at[1], at[2], at[3])
            if abs(change) > 0.03 * edge2**1.5 + 1e-12:
                return False
    count[2] += 1
    for k in range(n):
        t = star[k]
        label = mask[t]
        at[:] = tet[t]
        remove(tet, mask, head, link, stamp, count[2], t)
        if holds(tet, t, w):
            spare[count[1]] = t
            count[1] += 1
            continue
        for j in range(4):
            if at[j] == v:
                at[j] = w
        add(tet, mask, head, link, stamp, count[2], t, at, label)
    return True


@njit(cache=True)
def _edge_on_surfaces(tet, mask, star, n, v, w):  # type: ignore[no-untyped-def]
    """Whether edge v w lies on every surface that v lies on; judged by the labels around both."""
    for k in range(n):
        found = False
        for i in range(n):
            if mask[star[i]] == mask[star[k]] and holds(tet, star[i], w):
                found = True
                break
        if not found:
            return False
    outer, along = False, False
    for k in range(n):
        for i in range(4):
            if tet[star[k], i] != v and open_face(tet, star, n, star[k], v, i, w):
                outer = True
                if tet[star[k], i] != w and holds(tet, star[k], w):
                    along = True
    return along or not outer
