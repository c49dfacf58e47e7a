"""Compiled loops of the nested dissection (`femsim.fem.linear.dissection`)."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def graph_coordinates(indptr, indices):  # type: ignore[no-untyped-def]
    n = indptr.size - 1
    coordinates = np.zeros((n, 3))
    queue = np.empty(n, np.int64)
    source = 0
    for axis in range(4):  # the first sweep only finds a node at an end of the graph
        distance = np.full(n, -1, np.int64)
        offset = 0
        for seed in range(-1, n):
            root = source if seed < 0 else seed
            if distance[root] >= 0:
                continue
            distance[root] = offset
            queue[0], head, tail = root, 0, 1
            while head < tail:
                i = queue[head]
                head += 1
                for p in range(indptr[i], indptr[i + 1]):
                    j = indices[p]
                    if distance[j] < 0:
                        distance[j] = distance[i] + 1
                        queue[tail] = j
                        tail += 1
            offset = distance[queue[tail - 1]] + 2  # the next part of the graph lies behind this one
        if axis == 0:
            source = int(np.argmax(distance))
            continue
        coordinates[:, axis - 1] = distance
        # the next source is far from all earlier ones
        nearest = coordinates[:, 0].copy()
        for a in range(1, axis):
            nearest = np.minimum(nearest, coordinates[:, a])
        source = int(np.argmax(nearest))
    return coordinates


@njit(cache=True)
def _members(side, which):  # type: ignore[no-untyped-def]
    count = 0
    for s in side:
        count += s == which
    return count


@njit(cache=True)
def _halve(nodes, values):  # type: ignore[no-untyped-def]
    """Side of each node, 0 below and 1 above the median; ties go together unless that leaves a side too small."""
    n = nodes.size
    rank = np.argsort(values)  # np.partition would be faster, and cost three seconds of compilation
    median = values[rank[n // 2]]
    below = 0
    upto = 0
    for v in values:
        below += v < median
        upto += v <= median
    side = np.empty(n, np.int8)
    strict = abs(2 * below - n) <= abs(2 * upto - n)
    count = below if strict else upto
    if 10 * count < 3 * n or 10 * count > 7 * n:
        side[:] = 1
        side[rank[: n // 2]] = 0
        return side
    for i in range(n):
        side[i] = values[i] >= median if strict else values[i] > median
    return side


@njit(cache=True)
def _boundary(nodes, side, indptr, indices, label, segment):  # type: ignore[no-untyped-def]
    """Numbers of nodes on each side with a neighbour on the other; label holds 2 * segment + side of each node."""
    for i in range(nodes.size):
        label[nodes[i]] = 2 * segment + side[i]
    counts = np.zeros(2, np.int64)
    for i in range(nodes.size):
        other = 2 * segment + 1 - side[i]
        for p in range(indptr[nodes[i]], indptr[nodes[i] + 1]):
            if label[indices[p]] == other:
                counts[side[i]] += 1
                break
    return counts


@njit(cache=True)
def _cover(nodes, side, indptr, indices, label, segment, match, seen):  # type: ignore[no-untyped-def] # noqa: C901
    """Set side to 2 on a smallest set of nodes that touches every edge between the sides (Konig)."""
    zero, one = 2 * segment, 2 * segment + 1
    for i in nodes:
        match[i] = -1
        seen[i] = -1
    for i in nodes:  # greedy start
        if label[i] == zero:
            for p in range(indptr[i], indptr[i + 1]):
                j = indices[p]
                if label[j] == one and match[j] < 0:
                    match[i], match[j] = j, i
                    break
    stack = np.empty(nodes.size, np.int64)
    cursor = np.empty(nodes.size, np.int64)
    for root in nodes:  # augmenting paths, depth first
        if label[root] != zero or match[root] >= 0:
            continue
        stack[0], cursor[0], depth = root, indptr[root], 0
        while depth >= 0:
            i = stack[depth]
            if cursor[depth] == indptr[i + 1]:
                depth -= 1
                continue
            j = indices[cursor[depth]]
            cursor[depth] += 1
            if label[j] != one or seen[j] == root:
                continue
            seen[j] = root
            if match[j] >= 0:
                depth += 1
                stack[depth], cursor[depth] = match[j], indptr[match[j]]
                continue
            while depth >= 0:  # free: flip the path
                i = stack[depth]
                previous = match[i]
                match[i], match[j] = j, i
                j = previous
                depth -= 1
    # Konig: reach from the unmatched of side 0 by alternating paths; cover = side 0 not reached + side 1 reached
    for i in nodes:
        seen[i] = -1
    for root in nodes:
        if label[root] != zero or match[root] >= 0 or seen[root] == 1:
            continue
        seen[root], top = 1, 1
        stack[0] = root
        while top > 0:
            top -= 1
            i = stack[top]
            for p in range(indptr[i], indptr[i + 1]):
                j = indices[p]
                if label[j] == one and seen[j] != 1:
                    seen[j] = 1
                    k = match[j]
                    if k >= 0 and seen[k] != 1:
                        seen[k] = 1
                        stack[top] = k
                        top += 1
    for i in range(nodes.size):
        node = nodes[i]
        if match[node] >= 0 and ((side[i] == 0 and seen[node] != 1) or (side[i] == 1 and seen[node] == 1)):
            side[i] = 2


@njit(cache=True)
def dissect(indptr, indices, coordinates, leaf):  # type: ignore[no-untyped-def]
    n, dimension = coordinates.shape
    order = np.arange(n)
    label = np.full(n, -1, np.int64)
    match = np.full(n, -1, np.int64)
    seen = np.full(n, -1, np.int64)
    # fronts found so far: range and parent, numbered in order of discovery (parents first)
    first = np.empty(2 * n + 2, np.int64)
    last = np.empty(2 * n + 2, np.int64)
    above = np.empty(2 * n + 2, np.int64)
    fronts = 0
    work = [(np.int64(0), np.int64(n), np.int64(-1))]
    segment = 0
    while len(work) > 0:
        lo, hi, parent = work.pop()
        nodes = order[lo:hi].copy()
        if nodes.size == 0:
            continue
        if nodes.size <= leaf:
            first[fronts], last[fronts], above[fronts] = lo, hi, parent
            fronts += 1
            continue
        best, best_side = np.inf, np.empty(0, np.int8)
        for axis in range(dimension):
            side = _halve(nodes, coordinates[nodes, axis])
            counts = _boundary(nodes, side, indptr, indices, label, segment)
            segment += 1
            small = _members(side, 0)
            small = min(small, nodes.size - small)
            # a lopsided cut costs more later; the weight is mild because balance is already within 30 : 70
            cost = min(counts[0], counts[1]) * (0.5 * nodes.size / small) ** 0.5
            if cost < best:
                best, best_side = cost, side
        side = best_side
        _boundary(nodes, side, indptr, indices, label, segment)
        _cover(nodes, side, indptr, indices, label, segment, match, seen)
        segment += 1
        a, b = _members(side, 0), _members(side, 1)
        at = np.array([lo, lo + a, lo + a + b])
        for i in range(nodes.size):
            order[at[side[i]]] = nodes[i]
            at[side[i]] += 1
            label[nodes[i]] = -1
        separator = parent
        if a + b < nodes.size:
            separator = np.int64(fronts)
            first[fronts], last[fronts], above[fronts] = lo + a + b, hi, parent
            fronts += 1
        work.append((lo, lo + a, separator))
        work.append((lo + a, lo + a + b, separator))
    rank = np.argsort(first[:fronts])
    number = np.empty(fronts, np.int64)
    number[rank] = np.arange(fronts)
    start = np.empty(fronts + 1, np.int64)
    start[:fronts] = first[rank]
    start[fronts] = n
    up = np.empty(fronts, np.int64)
    for k in range(fronts):
        up[k] = number[above[rank[k]]] if above[rank[k]] >= 0 else -1
    return order, start, up


@njit(cache=True)
def borders(indptr, indices, order, start, parent):  # type: ignore[no-untyped-def]
    n, fronts = order.size, parent.size
    new = np.empty(n, np.int64)
    new[order] = np.arange(n)
    child = np.full(fronts, -1, np.int64)
    sibling = np.full(fronts, -1, np.int64)
    for k in range(fronts):
        if parent[k] >= 0:
            sibling[k], child[parent[k]] = child[parent[k]], k
    border = np.empty(max(8 * n, 16), np.int64)
    border_start = np.zeros(fronts + 1, np.int64)
    stamp = np.full(n, -1, np.int64)
    for k in range(fronts):
        top = border_start[k]
        if top + n > border.size:
            larger = np.empty(2 * border.size + n, np.int64)
            larger[:top] = border[:top]
            border = larger
        end = start[k + 1]
        for i in range(start[k], end):
            for p in range(indptr[order[i]], indptr[order[i] + 1]):
                j = new[indices[p]]
                if j >= end and stamp[j] != k:
                    stamp[j] = k
                    border[top] = j
                    top += 1
        c = child[k]
        while c >= 0:
            for p in range(border_start[c], border_start[c + 1]):
                j = border[p]
                if j >= end and stamp[j] != k:
                    stamp[j] = k
                    border[top] = j
                    top += 1
            c = sibling[c]
        border[border_start[k] : top] = np.sort(border[border_start[k] : top])
        border_start[k + 1] = top
    return border_start, border[: border_start[fronts]].copy()


@njit(cache=True)
def update_peak(parent, border):  # type: ignore[no-untyped-def]
    alive, peak = 0, 0
    pending = np.zeros(parent.size, np.int64)  # entries of the children waiting at each front
    for k in range(parent.size):
        own = border[k] * border[k]
        alive += own
        peak = max(peak, alive)
        alive -= pending[k]
        if parent[k] >= 0:
            pending[parent[k]] += own
        else:
            alive -= own
    return peak
