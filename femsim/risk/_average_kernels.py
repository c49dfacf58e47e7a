"""Compiled loops of the volume average."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: Elements larger than this share of the averaging volume are divided; smaller than the second, they are one point.
_DIVIDE, _LUMP = 1.0 / 16.0, 1.0 / 256.0


@njit(cache=True, nogil=True)
def average_over_elements(start, around, group, size, own, node, kind, out):  # type: ignore[no-untyped-def]
    """Mean over the elements (of one group) that meet at a node."""
    for p in range(len(node)):
        total = 0.0
        for i in range(start[node[p]], start[node[p] + 1]):
            c = around[i]
            if group[c] == kind[p]:
                total += size[c]
                out[p] += size[c] * own[c]
        out[p] /= total


@njit(cache=True, nogil=True)
def average_over_volume(  # type: ignore[no-untyped-def]
    points, corners, middle, extent, start, around, group, size, values, own,
    node, kind, target, radius, reach, place, field, inner, out,
):  # fmt: skip
    """Average over the `target` volume of the group `kind[p]` that lies nearest to `node[p]`."""
    seen, spread = np.full(len(corners), -1, np.int64), np.full(len(points), -1, np.int64)
    queue = np.empty(4096, np.int64)
    distance, volume = np.empty(4096), np.empty(4096)
    cell, slot = np.empty(4096, np.int64), np.empty(4096, np.int64)
    stamp = -1
    for p in range(len(node)):
        # at a flat free surface a half ball of 1.26 radii has the volume of the ball
        limit = 1.3 * radius
        while True:
            stamp += 1
            found, total, queue, distance, volume, cell, slot = _gather(
                points, corners, middle, extent, start, around, group, size, node[p], kind[p], target, limit,
                limit >= reach, place, inner, seen, spread, stamp, queue, distance, volume, cell, slot,
            )  # fmt: skip
            if total >= target or limit >= reach:
                break
            limit = min(limit * 1.3, reach)
        used, left = 0.0, target
        for k in np.argsort(distance[:found]):
            # every large element at the node has its say, also where one of them is more than the volume
            w = volume[k] if distance[k] == 0.0 else min(volume[k], left)
            if w <= 0.0:
                break
            left -= w
            used += w
            _add(out[p], w, values[cell[k]], own[cell[k]], slot[k], field)
        out[p] /= used


@njit(cache=True, nogil=True)
def _add(row, weight, values, own, slot, field):  # type: ignore[no-untyped-def]
    """Add the field at one point: the element's mean (-1), a quadrature point (-2 - q), or a row of `field`."""
    for j in range(len(row)):
        if slot == -1:
            row[j] += weight * own[j]
        elif slot <= -2:
            row[j] += weight * values[-2 - slot, j]
        else:
            for q in range(values.shape[0]):
                row[j] += weight * field[slot, q] * values[q, j]


@njit(cache=True, nogil=True)
def _gather(  # type: ignore[no-untyped-def]  # noqa: C901 - one loop, kept whole for the compiler
    points, corners, middle, extent, start, around, group, size, node, kind, target, limit, last, place, inner, seen,
    spread, stamp, queue, distance, volume, cell, slot,
):  # fmt: skip
    """Points of the connected elements of one group within `limit` of a node; in the `last` try, elements at the node
    that are too large to have a point there count with their field at the node."""
    centre, corner = points[node], np.empty((corners.shape[1], 3))
    tail, queue = _push(start, around, group, node, kind, seen, stamp, queue, 0)
    first, head, found, total = tail, 0, 0, 0.0
    while head < tail:
        c = queue[head]
        head += 1
        own = head <= first
        x, y, z = middle[c, 0] - centre[0], middle[c, 1] - centre[1], middle[c, 2] - centre[2]
        if not own and x * x + y * y + z * z > (limit + extent[c]) ** 2:
            continue
        count = len(place) if size[c] > target * _DIVIDE else len(inner) if size[c] > target * _LUMP else 1
        near, nearest = own, np.inf
        table = place if count == len(place) else inner
        for a in range(corners.shape[1]):
            for i in range(3):
                corner[a, i] = points[corners[c, a], i] - centre[i]
        for s in range(count):
            if count > 1:
                x, y, z = 0.0, 0.0, 0.0
                for a in range(len(corner)):
                    w = table[s, a]
                    x += w * corner[a, 0]
                    y += w * corner[a, 1]
                    z += w * corner[a, 2]
            r = math.sqrt(x * x + y * y + z * z)
            nearest = min(nearest, r)
            if r <= limit:
                near = True
                if found == len(distance):
                    distance, volume = _twice(distance), _twice(volume)
                    cell, slot = _twice(cell), _twice(slot)
                distance[found], volume[found], cell[found] = r, size[c] / count, c
                slot[found] = s if count == len(place) else -2 - s if count > 1 else -1
                total += size[c] / count
                found += 1
        if own and last and nearest > limit:
            # the element is larger than the region reaches: its field at the node itself
            if found == len(distance):
                distance, volume = _twice(distance), _twice(volume)
                cell, slot = _twice(cell), _twice(slot)
            distance[found], volume[found], cell[found] = 0.0, size[c], c
            for a in range(corners.shape[1]):
                if corners[c, a] == node:
                    slot[found] = len(place) + a
            total += size[c]
            found += 1
        if near:
            for a in range(corners.shape[1]):
                if spread[corners[c, a]] == stamp:
                    continue  # the elements around it were queued before
                spread[corners[c, a]] = stamp
                tail, queue = _push(start, around, group, corners[c, a], kind, seen, stamp, queue, tail)
    return found, total, queue, distance, volume, cell, slot


@njit(cache=True, nogil=True)
def _push(start, around, group, node, kind, seen, stamp, queue, tail):  # type: ignore[no-untyped-def]
    """Queue the elements of one group at a node that were not seen yet."""
    for i in range(start[node], start[node + 1]):
        c = around[i]
        if seen[c] != stamp and group[c] == kind:
            seen[c] = stamp
            if tail == len(queue):
                queue = _twice(queue)
            queue[tail] = c
            tail += 1
    return tail, queue


@njit(cache=True, nogil=True)
def _twice(array):  # type: ignore[no-untyped-def]
    return np.concatenate((array, np.empty_like(array)))
