"""Compiled rounds of local repairs, the most effective first. State: see `_cells_kernels`."""

# ruff: noqa: C901 - loops written out for the compiler

from __future__ import annotations

import numpy as np
from numba import njit

from femsim.mesh._cells_kernels import STAR, shape
from femsim.mesh._collapse_kernels import collapse
from femsim.mesh._smooth_kernels import smooth
from femsim.mesh._swap_kernels import across, remove_edge, swap_face


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
def improve_round(p, tet, mask, head, link, kind, spare, count, target):  # type: ignore[no-untyped-def]
    """One round over the elements below `target`; returns how many operations were done."""
    star = np.empty(STAR, np.int64)
    done = 0
    used = count[0]
    for t in range(used):
        if mask[t] < 0 or shape(p, tet, t) >= target:
            continue
        changed = False
        for i in range(4):
            for j in range(i + 1, 4):
                if not changed:
                    changed = remove_edge(p, tet, mask, head, link, spare, count, star, t, tet[t, i], tet[t, j])
        for i in range(4):
            if not changed:
                changed = swap_face(p, tet, mask, head, link, spare, count, star, t, i)
        for i in range(4):
            for j in range(4):
                if not changed and i != j:
                    v, w = tet[t, i], tet[t, j]
                    changed = collapse(p, tet, mask, head, link, kind, spare, count, star, v, w, 0.0)
        if not changed:
            for i in range(4):
                changed = smooth(p, tet, mask, head, link, kind, star, tet[t, i]) or changed
        if not changed and shape(p, tet, t) < 0.15:
            changed = _relabel(p, tet, mask, head, link, kind, star, t)
        if changed:
            done += 1
    return done
