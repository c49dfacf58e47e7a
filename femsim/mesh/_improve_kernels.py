"""Compiled local repairs of tetrahedra: edge removal, face swap, collapse, smoothing, relabelling.

State: points (n, 3); tetrahedra (capacity, 4), of which `mask` -1 marks the dead; `head` and `link` hold, for every
vertex, the list of its slots 4 t + i; `kind` is 0 for vertices inside one compartment, 1 on a surface, 2 immovable;
`spare` holds dead tetrahedra and `count` [number used, number spare].
"""

# ruff: noqa: C901 - loops written out for the compiler

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from femsim.mesh._shape import sicn, volume6

Array = NDArray[np.float64]
Index = NDArray[np.int64]
STAR = 400  # vertices with more tetrahedra than this are left alone
RING = 8  # edges with more tetrahedra than this are not removed


@njit(cache=True)
def _add(tet: Index, mask: Index, head: Index, link: Index, t: int, v: Index, label: int) -> None:  # pragma: no cover
    mask[t] = label
    for i in range(4):
        tet[t, i] = v[i]
        link[4 * t + i] = head[v[i]]
        head[v[i]] = 4 * t + i


@njit(cache=True)
def _remove(tet: Index, mask: Index, head: Index, link: Index, t: int) -> None:  # pragma: no cover - compiled
    mask[t] = -1
    for i in range(4):
        v, slot = tet[t, i], 4 * t + i
        if head[v] == slot:
            head[v] = link[slot]
            continue
        at = head[v]
        while link[at] != slot:
            at = link[at]
        link[at] = link[slot]


@njit(cache=True)
def _new(spare: Index, count: Index, capacity: int) -> int:  # pragma: no cover - compiled
    if count[1] > 0:
        count[1] -= 1
        return spare[count[1]]
    if count[0] < capacity:
        count[0] += 1
        return count[0] - 1
    return -1


@njit(cache=True)
def _star(head: Index, link: Index, v: int, out: Index) -> int:  # pragma: no cover - compiled
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
def _has(tet: Index, t: int, v: int) -> bool:  # pragma: no cover - compiled
    return tet[t, 0] == v or tet[t, 1] == v or tet[t, 2] == v or tet[t, 3] == v


@njit(cache=True)
def _q(p: Array, tet: Index, t: int) -> float:  # pragma: no cover - compiled
    return sicn(p, tet[t, 0], tet[t, 1], tet[t, 2], tet[t, 3])


@njit(cache=True)
def _ring(tet: Index, star: Index, n: int, a: int, b: int, ring: Index, around: Index) -> int:  # pragma: no cover
    """Vertices of the closed ring of tetrahedra around edge a b, counter-clockwise seen from b; -1 if it is open."""
    m = 0
    for i in range(n):
        if _has(tet, star[i], b):
            if m == RING:
                return -1
            around[m] = star[i]
            m += 1
    if m < 3:
        return -1
    first = np.empty(RING, np.int64)
    second = np.empty(RING, np.int64)
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
def _remove_edge(p, tet, mask, head, link, spare, count, star, t0, a, b):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Replace the ring around edge a b by the best triangulation of the ring, if that lifts the worst shape."""
    n = _star(head, link, a, star)
    if n < 0:
        return False
    ring = np.empty(RING + 1, np.int64)
    around = np.empty(RING, np.int64)
    m = _ring(tet, star, n, a, b, ring, around)
    if m < 3:
        return False
    old = 2.0
    for i in range(m):
        if mask[around[i]] != mask[t0]:
            return False
        old = min(old, _q(p, tet, around[i]))
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
    for i in range(m):
        _remove(tet, mask, head, link, around[i])
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
        _add(tet, mask, head, link, _new(spare, count, len(tet)), v, label)
        v[0], v[1], v[2], v[3] = ring[k], ring[j], ring[i], a
        _add(tet, mask, head, link, _new(spare, count, len(tet)), v, label)
        stack[depth, 0], stack[depth, 1] = i, j
        stack[depth + 1, 0], stack[depth + 1, 1] = j, k
        depth += 2
    return True


@njit(cache=True)
def _across(tet, head, link, star, t, i):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Tetrahedron behind the face opposite to corner i, or -1 on the outer surface; -2 where that is unknown."""
    a, b, c = tet[t, (i + 1) % 4], tet[t, (i + 2) % 4], tet[t, (i + 3) % 4]
    n = _star(head, link, a, star)
    if n < 0:
        return -2
    for k in range(n):
        s = star[k]
        if s != t and _has(tet, s, b) and _has(tet, s, c):
            return s
    return -1


@njit(cache=True)
def _swap_face(p, tet, mask, head, link, spare, count, star, t, i):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Replace two tetrahedra that share a face by three around a new edge, if that lifts the worst shape."""
    s = _across(tet, head, link, star, t, i)
    if s < 0 or mask[s] != mask[t]:
        return False
    old = min(_q(p, tet, t), _q(p, tet, s))
    d, e = tet[t, i], -1
    for j in range(4):
        if not _has(tet, t, tet[s, j]):
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
    for dead in (t, s):
        _remove(tet, mask, head, link, dead)
        spare[count[1]] = dead
        count[1] += 1
    for k in range(3):
        _add(tet, mask, head, link, _new(spare, count, len(tet)), new[k], label)
    return True


@njit(cache=True)
def _open_face(tet, star, n, t, v, i, w):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Whether face (without corner i) of t, which holds v, has no other tetrahedron in the star of v."""
    for k in range(n):
        s = star[k]
        if s == t:
            continue
        shared = 0
        for j in range(4):
            if j != i and _has(tet, s, tet[t, j]):
                shared += 1
        if shared == 3:
            return False
    return True


@njit(cache=True)
def _collapse(p, tet, mask, head, link, kind, spare, count, star, v, w, flat):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Merge v into w along their edge, where every surface of v holds the edge and no shape gets worse than before."""
    if kind[v] == 2:
        return False
    n = _star(head, link, v, star)
    if n < 0:
        return False
    old, change = 2.0, 0.0
    edge2 = (p[v, 0] - p[w, 0]) ** 2 + (p[v, 1] - p[w, 1]) ** 2 + (p[v, 2] - p[w, 2]) ** 2
    for k in range(n):
        old = min(old, _q(p, tet, star[k]))
    if kind[v] == 1 and not _edge_on_surfaces(tet, mask, star, n, v, w):
        return False
    for k in range(n):
        t = star[k]
        if _has(tet, t, w):
            continue
        at = np.empty(4, np.int64)
        for j in range(4):
            at[j] = w if tet[t, j] == v else tet[t, j]
        if sicn(p, at[0], at[1], at[2], at[3]) <= old + 1e-6:
            return False
        far2 = 0.0
        for j in range(4):
            far2 = max(far2, (p[at[j], 0] - p[w, 0]) ** 2 + (p[at[j], 1] - p[w, 1]) ** 2 + (p[at[j], 2] - p[w, 2]) ** 2)
        if far2 > 9.0 * edge2 and far2 > flat:
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
                if not _has(tet, t, w):
                    at = np.empty(4, np.int64)
                    for j in range(4):
                        at[j] = w if tet[t, j] == v else tet[t, j]
                    change += volume6(p, at[0], at[1], at[2], at[3])
            if abs(change) > 0.03 * edge2**1.5 + 1e-12:
                return False
    gone = star[:n].copy()
    for t in gone:
        label = mask[t]
        at = tet[t].copy()
        _remove(tet, mask, head, link, t)
        if _has(tet, t, w):
            spare[count[1]] = t
            count[1] += 1
            continue
        for j in range(4):
            if at[j] == v:
                at[j] = w
        _add(tet, mask, head, link, t, at, label)
    return True


@njit(cache=True)
def _edge_on_surfaces(tet, mask, star, n, v, w):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Whether edge v w lies on every surface that v lies on; judged by the labels around both."""
    for k in range(n):
        found = False
        for i in range(n):
            if mask[star[i]] == mask[star[k]] and _has(tet, star[i], w):
                found = True
                break
        if not found:
            return False
    outer, along = False, False
    for k in range(n):
        for i in range(4):
            if tet[star[k], i] != v and _open_face(tet, star, n, star[k], v, i, w):
                outer = True
                if tet[star[k], i] != w and _has(tet, star[k], w):
                    along = True
    return along or not outer


@njit(cache=True)
def _normal(p, tet, mask, star, n, v, out):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
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
                    if j != i and _has(tet, star[m], tet[t, j]):
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
def _smooth(p, tet, mask, head, link, kind, star, v):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Move v to lift the worst shape around it: up the slope of the worst, within the surface it lies on."""
    if kind[v] == 2:
        return False
    n = _star(head, link, v, star)
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
            q = _q(p, tet, star[k])
            if q < worst:
                worst, at = q, star[k]
        for j in range(4):
            d = p[tet[at, j]] - p[v]
            size = max(size, np.sqrt(np.dot(d, d)))
        slope = np.zeros(3)
        start = p[v].copy()
        for d in range(3):
            p[v, d] = start[d] + 1e-4 * size
            up = _q(p, tet, at)
            p[v, d] = start[d] - 1e-4 * size
            slope[d] = up - _q(p, tet, at)
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
                low = min(low, _q(p, tet, star[k]))
                if low <= worst:
                    break
            if low > worst + 1e-6:
                better = True
                break
        if not better:
            p[v] = start
            break
        moved = True
    return moved


@njit(cache=True)
def _relabel(p, tet, mask, head, link, kind, star, t):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Give a flat element between two compartments to the one that holds more of its faces; costs next to no volume."""
    counts = np.zeros(4, np.int64)
    labels = np.full(4, -1, np.int64)
    for i in range(4):
        s = _across(tet, head, link, star, t, i)
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
def improve_round(p, tet, mask, head, link, kind, spare, count, target):  # type: ignore[no-untyped-def]  # pragma: no cover
    """One round over the elements below `target`; returns how many operations were done."""
    star = np.empty(STAR, np.int64)
    done = 0
    used = count[0]
    for t in range(used):
        if mask[t] < 0 or _q(p, tet, t) >= target:
            continue
        changed = False
        for i in range(4):
            for j in range(i + 1, 4):
                if not changed:
                    changed = _remove_edge(p, tet, mask, head, link, spare, count, star, t, tet[t, i], tet[t, j])
        for i in range(4):
            if not changed:
                changed = _swap_face(p, tet, mask, head, link, spare, count, star, t, i)
        for i in range(4):
            for j in range(4):
                if not changed and i != j:
                    v, w = tet[t, i], tet[t, j]
                    changed = _collapse(p, tet, mask, head, link, kind, spare, count, star, v, w, 0.0)
        if not changed:
            for i in range(4):
                changed = _smooth(p, tet, mask, head, link, kind, star, tet[t, i]) or changed
        if not changed and _q(p, tet, t) < 0.15:
            changed = _relabel(p, tet, mask, head, link, kind, star, t)
        if changed:
            done += 1
    return done


@njit(cache=True)
def build(tet: Index, m: int, n: int) -> tuple[Index, Index]:  # pragma: no cover - compiled
    """Lists of the slots of every vertex."""
    head = np.full(n, -1)
    link = np.full(4 * len(tet), -1)
    for t in range(m):
        for i in range(4):
            link[4 * t + i] = head[tet[t, i]]
            head[tet[t, i]] = 4 * t + i
    return head, link
