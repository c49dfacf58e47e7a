"""Compiled rounds of local repairs, the most effective first. State: see `_cells_kernels`."""

# ruff: noqa: C901, SIM110 - loops written out for the compiler

from __future__ import annotations

import numpy as np
from numba import njit

from femsim.mesh._cells_kernels import STAR, shape, star_of
from femsim.mesh._collapse_kernels import collapse
from femsim.mesh._smooth_kernels import smooth
from femsim.mesh._swap_kernels import RING, across, remove_edge, swap_face


@njit(cache=True)
def _relabel(p, tet, mask, head, link, kind, star, t):  # type: ignore[no-untyped-def]
    """Give a flat element between two compartments to the one that holds more of its faces; costs next to no volume."""
    counts = np.zeros(4, np.int64)
    labels = np.full(4, -1, np.int64)
    for i in range(4):
        s = across(tet, head, link, star, t, i)
        labels[i] = mask[s] if s >= 0 else -1
    best = -1
    for i in range(4):
        for j in range(4):
            if labels[i] == labels[j] and labels[i] >= 0:
                counts[i] += 1
        if labels[i] >= 0 and labels[i] != mask[t] and counts[i] >= 2 and (best < 0 or counts[i] > counts[best]):
            best = i
    if best < 0:
        return False
    for i in range(4):
        if kind[tet[t, i]] == 0:
            return False
    mask[t] = labels[best]
    return True


@njit(cache=True)
def _changed_since(tet, stamp, tried, t):  # type: ignore[no-untyped-def]
    """Whether anything at the vertices of t has changed since it was last tried."""
    for i in range(4):
        if stamp[tet[t, i]] > tried[t]:
            return True
    return False


@njit(cache=True)
def improve_round(p, tet, mask, head, link, stamp, tried, kind, spare, count, target):  # type: ignore[no-untyped-def]
    """One round over the elements below `target`; returns how many operations were done.

    `tried` holds, for every tetrahedron, the number of changes when it was last tried. All that is done to it depends
    on the tetrahedra at its vertices only: while these are as they were, there is still nothing to do.
    """
    star = np.empty(STAR, np.int64)
    work = np.empty((4, RING + 1), np.int64)
    done = 0
    used = count[0]
    for t in range(used):
        if mask[t] < 0 or not _changed_since(tet, stamp, tried, t) or shape(p, tet, t) >= target:
            continue
        tried[t] = count[2]
        if _changed(p, tet, mask, head, link, stamp, kind, spare, count, star, work, t):
            done += 1
    return done


@njit(cache=True)
def _changed(p, tet, mask, head, link, stamp, kind, spare, count, star, work, t):  # type: ignore[no-untyped-def]
    """Try one repair after the other on t; whether one was done."""
    for i in range(3):
        a = tet[t, i]
        n = star_of(head, link, a, star)
        for j in range(i + 1, 4):
            if n > 0 and remove_edge(p, tet, mask, head, link, stamp, spare, count, star, n, work, t, a, tet[t, j]):
                return True
    for i in range(4):
        if swap_face(p, tet, mask, head, link, stamp, spare, count, star, t, i):
            return True
    for i in range(4):
        v = tet[t, i]
        n = star_of(head, link, v, star) if kind[v] != 2 else -1
        old = 2.0
        for k in range(n):
            old = min(old, shape(p, tet, star[k]))
        for j in range(4):
            if n > 0 and i != j:
                w = tet[t, j]
                if collapse(p, tet, mask, head, link, stamp, kind, spare, count, star, n, old, v, w):
                    return True
    changed = False
    for i in range(4):
        changed = smooth(p, tet, mask, head, link, stamp, kind, count, star, tet[t, i]) or changed
    if not changed and shape(p, tet, t) < 0.15:
        changed = _relabel(p, tet, mask, head, link, kind, star, t)
        if changed:
            count[2] += 1
            for i in range(4):
                stamp[tet[t, i]] = count[2]
    return changed
