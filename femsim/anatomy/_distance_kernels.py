"""Compiled loops of the distance to a triangle surface."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, inline="always")
def _square_distance(px: float, py: float, pz: float, t: Any) -> float:
    """Square of the distance of a point to a triangle t (3, 3). Ericson, Real-Time Collision Detection, 5.1.5."""
    abx, aby, abz = t[1, 0] - t[0, 0], t[1, 1] - t[0, 1], t[1, 2] - t[0, 2]
    acx, acy, acz = t[2, 0] - t[0, 0], t[2, 1] - t[0, 1], t[2, 2] - t[0, 2]
    apx, apy, apz = px - t[0, 0], py - t[0, 1], pz - t[0, 2]
    d1 = abx * apx + aby * apy + abz * apz
    d2 = acx * apx + acy * apy + acz * apz
    bb = abx * abx + aby * aby + abz * abz
    cc = acx * acx + acy * acy + acz * acz
    bc = abx * acx + aby * acy + abz * acz
    d3, d4, d5, d6 = d1 - bb, d2 - bc, d1 - bc, d2 - cc
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    if d1 <= 0.0 and d2 <= 0.0:
        v, w = 0.0, 0.0
    elif d3 >= 0.0 and d4 <= d3:
        v, w = 1.0, 0.0
    elif d6 >= 0.0 and d5 <= d6:
        v, w = 0.0, 1.0
    elif vc <= 0.0 and d1 >= 0.0 and d3 <= 0.0:
        v, w = d1 / (d1 - d3), 0.0
    elif vb <= 0.0 and d2 >= 0.0 and d6 <= 0.0:
        v, w = 0.0, d2 / (d2 - d6)
    elif va <= 0.0 and d4 - d3 >= 0.0 and d5 - d6 >= 0.0:
        w = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        v = 1.0 - w
    else:
        total = va + vb + vc
        v, w = vb / total, vc / total
    x, y, z = apx - v * abx - w * acx, apy - v * aby - w * acy, apz - v * abz - w * acz
    return x * x + y * y + z * z


@njit(cache=True)
def band_distance(corners: Any, origin: Any, h: float, shape: tuple[int, int, int], band: float) -> Any:
    """Distance at the nodes closer than `band` to any triangle (inf elsewhere), and the closest triangle (-1)."""
    square = np.full(shape, np.inf, np.float32)
    closest = np.full(shape, -1, np.int32)
    limit = band * band
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for f in range(len(corners)):
        t = corners[f]
        for d in range(3):
            least, most = min(t[0, d], t[1, d], t[2, d]), max(t[0, d], t[1, d], t[2, d])
            low[d] = max(int(np.ceil((least - band - origin[d]) / h)), 0)
            high[d] = min(int(np.floor((most + band - origin[d]) / h)), shape[d] - 1)
        for i in range(low[0], high[0] + 1):
            for j in range(low[1], high[1] + 1):
                for k in range(low[2], high[2] + 1):
                    s = _square_distance(origin[0] + i * h, origin[1] + j * h, origin[2] + k * h, t)
                    if s <= limit and s < square[i, j, k]:
                        square[i, j, k] = s
                        closest[i, j, k] = f
    return np.sqrt(square), closest


@njit(cache=True)
def far_distance(distance: Any, closest: Any, nearest: Any, corners: Any, origin: Any, h: float) -> None:
    """Fill the nodes beyond the band with the distance to the triangle closest to the nearest node of the band."""
    nx, ny, nz = distance.shape
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                if closest[i, j, k] < 0:
                    f = closest[nearest[0, i, j, k], nearest[1, i, j, k], nearest[2, i, j, k]]
                    s = _square_distance(origin[0] + i * h, origin[1] + j * h, origin[2] + k * h, corners[f])
                    distance[i, j, k] = np.sqrt(s)


@njit(cache=True)
def count_crossings(corners: Any, origin: Any, h: float, shape: tuple[int, int, int], axis: int, votes: Any) -> None:
    """Add 1 to `votes` at the nodes that a ray along `axis` finds inside.

    Crossings count +1 where the surface faces the ray's start and -1 where it faces its end, so that overlapping
    parts count as one body (parity would call the overlap outside).
    """
    u, v = (axis + 1) % 3, (axis + 2) % 3
    n, nu, nv = shape[axis], shape[u], shape[v]
    steps = np.zeros((nu, nv, n + 1), np.int8)
    # Rays are moved off the nodes by a millionth of the spacing: none meets an edge of round coordinates.
    ou, ov = origin[u] + 1.234567e-6 * h, origin[v] + 2.718281e-6 * h
    for f in range(len(corners)):
        t = corners[f]
        au, av = t[1, u] - t[0, u], t[1, v] - t[0, v]
        bu, bv = t[2, u] - t[0, u], t[2, v] - t[0, v]
        det = au * bv - av * bu
        if det == 0.0:
            continue
        i0 = max(int(np.ceil((min(t[0, u], t[1, u], t[2, u]) - ou) / h)), 0)
        i1 = min(int(np.floor((max(t[0, u], t[1, u], t[2, u]) - ou) / h)), nu - 1)
        j0 = max(int(np.ceil((min(t[0, v], t[1, v], t[2, v]) - ov) / h)), 0)
        j1 = min(int(np.floor((max(t[0, v], t[1, v], t[2, v]) - ov) / h)), nv - 1)
        for i in range(i0, i1 + 1):
            for j in range(j0, j1 + 1):
                x, y = ou + i * h - t[0, u], ov + j * h - t[0, v]
                p, q = (x * bv - y * bu) / det, (au * y - av * x) / det
                if p >= 0.0 and q >= 0.0 and p + q <= 1.0:
                    w = t[0, axis] + p * (t[1, axis] - t[0, axis]) + q * (t[2, axis] - t[0, axis])
                    k = min(max(int(np.ceil((w - origin[axis]) / h)), 0), n)
                    steps[i, j, k] += 1 if det < 0.0 else -1
    index = np.empty(3, np.int64)
    for i in range(nu):
        for j in range(nv):
            level = 0
            for k in range(n):
                level += steps[i, j, k]
                if level > 0:
                    index[u], index[v], index[axis] = i, j, k
                    votes[index[0], index[1], index[2]] += 1
