"""Compiled searches for the faces and edges that elements share."""

# ruff: noqa: C901 - loops written out for the compiler

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Index = NDArray[np.int64]


@njit(cache=True)
def _ordered(a: int, b: int, c: int) -> tuple[int, int, int]:
    if a > b:
        a, b = b, a
    if b > c:
        b, c = c, b
    if a > b:
        a, b = b, a
    return a, b, c


@njit(cache=True)
def match_faces(cells: Index, faces: Index, n: int) -> tuple[Index, int]:
    """Cell behind every local face (m, 4), -1 where there is none; and one face that three cells share, or -1.

    Faces are put into the bucket of their smallest vertex and compared within it, by one number for both others: that
    lies in the bucket itself, as looking at the cells again would be a walk through all of memory.
    """
    m = len(cells)
    start = np.zeros(n + 1, np.int64)
    for t in range(m):
        for f in range(4):
            a, _, _ = _ordered(cells[t, faces[f, 0]], cells[t, faces[f, 1]], cells[t, faces[f, 2]])
            start[a + 1] += 1
    for i in range(n):
        start[i + 1] += start[i]
    fill = start[:-1].copy()
    held, key = np.empty(4 * m, np.int64), np.empty(4 * m, np.int64)
    for t in range(m):
        for f in range(4):
            a, b, c = _ordered(cells[t, faces[f, 0]], cells[t, faces[f, 1]], cells[t, faces[f, 2]])
            held[fill[a]], key[fill[a]] = 4 * t + f, b * n + c
            fill[a] += 1
    beside = np.full((m, 4), -1)
    crowded = -1
    for i in range(n):
        for p in range(start[i], start[i + 1]):
            k = held[p]
            for q in range(p + 1, start[i + 1]):
                if key[q] == key[p]:
                    j = held[q]
                    if beside[k // 4, k % 4] >= 0 or beside[j // 4, j % 4] >= 0:
                        crowded = k
                    beside[k // 4, k % 4] = j // 4
                    beside[j // 4, j % 4] = k // 4
    return beside, crowded


@njit(cache=True)
def number_edges(cells: Index, pairs: Index, n: int) -> tuple[Index, Index]:
    """Unique edges (e, 2), smaller vertex first, sorted; and their numbers for every cell (m, len(pairs))."""
    m, width = len(cells), len(pairs)
    start = np.zeros(n + 1, np.int64)
    for t in range(m):
        for k in range(width):
            start[min(cells[t, pairs[k, 0]], cells[t, pairs[k, 1]]) + 1] += 1
    for i in range(n):
        start[i + 1] += start[i]
    # The distinct larger ends of every vertex, kept sorted.
    ends = np.empty(width * m, np.int64)
    count = np.zeros(n + 1, np.int64)
    for t in range(m):
        for k in range(width):
            a, b = cells[t, pairs[k, 0]], cells[t, pairs[k, 1]]
            low, high = min(a, b), max(a, b)
            first, size = start[low], count[low]
            at = size
            while at > 0 and ends[first + at - 1] > high:
                at -= 1
            if at > 0 and ends[first + at - 1] == high:
                continue
            for j in range(size, at, -1):
                ends[first + j] = ends[first + j - 1]
            ends[first + at] = high
            count[low] = size + 1
    number = np.zeros(n + 1, np.int64)
    for i in range(n):
        number[i + 1] = number[i] + count[i]
    unique = np.empty((number[n], 2), np.int64)
    for i in range(n):
        for j in range(count[i]):
            unique[number[i] + j, 0] = i
            unique[number[i] + j, 1] = ends[start[i] + j]
    index = np.empty((m, width), np.int64)
    for t in range(m):
        for k in range(width):
            a, b = cells[t, pairs[k, 0]], cells[t, pairs[k, 1]]
            low, high = min(a, b), max(a, b)
            left, right = start[low], start[low] + count[low]
            while right - left > 1:
                half = (left + right) // 2
                if ends[half] <= high:
                    left = half
                else:
                    right = half
            index[t, k] = number[low] + left - start[low]
    return unique, index
