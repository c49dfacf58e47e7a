"""Compiled repair of tetrahedra by moving a vertex. State: see `_cells_kernels`."""

# ruff: noqa: C901 - loops written out for the compiler

from __future__ import annotations

import numpy as np
from numba import njit

from femsim.mesh._cells_kernels import holds, shape, star_of


@njit(cache=True)
def _normal(p, tet, mask, star, n, v, out):  # type: ignore[no-untyped-def]
    """Unit normal of the one surface through v; False where v lies on none or on several, or the surface bends."""
    low, high = 1 << 62, -1
    for k in range(n):
        low, high = min(low, mask[star[k]]), max(high, mask[star[k]])
    for k in range(n):
        if mask[star[k]] != low and mask[star[k]] != high:
            return False
    total, out[:] = 0.0, 0.0
    for k in range(n):
        t = star[k]
        for i in range(4):
            if tet[t, i] == v:
                continue
            open_face = True
            other = -1
            for m in range(n):
                if star[m] == t:
                    continue
                shared = 0
                for j in range(4):
                    if j != i and holds(tet, star[m], tet[t, j]):
                        shared += 1
                if shared == 3:
                    open_face, other = False, star[m]
            if low != high and open_face:
                return False
            if low == high and not open_face:
                continue
            if low != high and (mask[t] != low or mask[other] != high):
                continue
            a, b, c = tet[t, (i + 1) % 4], tet[t, (i + 2) % 4], tet[t, (i + 3) % 4]
            x, y = p[b] - p[a], p[c] - p[a]
            area = np.array([x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]])
            if np.dot(area, p[tet[t, i]] - p[a]) > 0:
                area = -area
            out += area
            total += np.sqrt(np.dot(area, area))
    length = np.sqrt(np.dot(out, out))
    if length <= 0.9 * total or length == 0.0:
        return False
    out /= length
    return True


@njit(cache=True)
def smooth(p, tet, mask, head, link, stamp, kind, count, star, v):  # type: ignore[no-untyped-def]
    """Move v to lift the worst shape around it: up the slope of the worst, within the surface it lies on."""
    if kind[v] == 2:
        return False
    n = star_of(head, link, v, star)
    if n < 0:
        return False
    normal = np.zeros(3)
    if kind[v] == 1 and not _normal(p, tet, mask, star, n, v, normal):
        return False
    moved = False
    for _ in range(4):
        worst, at = 2.0, -1
        size = 0.0
        for k in range(n):
            q = shape(p, tet, star[k])
            if q < worst:
                worst, at = q, star[k]
        for j in range(4):
            d = p[tet[at, j]] - p[v]
            size = max(size, np.sqrt(np.dot(d, d)))
        slope = np.zeros(3)
        start = p[v].copy()
        for d in range(3):
            p[v, d] = start[d] + 1e-4 * size
            up = shape(p, tet, at)
            p[v, d] = start[d] - 1e-4 * size
            slope[d] = up - shape(p, tet, at)
            p[v, d] = start[d]
        slope -= np.dot(slope, normal) * normal
        length = np.sqrt(np.dot(slope, slope))
        if length == 0.0:
            break
        slope *= size / length
        better = False
        for step in (0.2, 0.1, 0.05, 0.02, 0.008):
            p[v] = start + step * slope
            low = 2.0
            for k in range(n):
                low = min(low, shape(p, tet, star[k]))
                if low <= worst:
                    break
            if low > worst + 1e-6:
                better = True
                break
        if not better:
            p[v] = start
            break
        moved = True
    if moved:
        count[2] += 1
        for k in range(n):
            for j in range(4):
                stamp[tet[star[k], j]] = count[2]
    return moved
