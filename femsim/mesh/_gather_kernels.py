"""Compiled look-ups over the rows of an index: NumPy reduces short rows element by element, ten times slower."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Flag = NDArray[np.bool_]


@njit(cache=True)
def extremes(values: Array, rows: Index) -> tuple[Array, Array]:
    """Smallest and largest of the values (n,) named in every row (m, k): two of (m,)."""
    low, high = np.empty(len(rows)), np.empty(len(rows))
    for i in range(len(rows)):
        low[i] = high[i] = values[rows[i, 0]]
        for j in range(1, rows.shape[1]):
            value = values[rows[i, j]]
            low[i] = min(low[i], value)
            high[i] = max(high[i], value)
    return low, high


@njit(cache=True)
def any_of(flags: Flag, rows: Index) -> Flag:
    """Whether any of the flags (n,) named in a row (m, k) is up, (m,)."""
    result = np.zeros(len(rows), np.bool_)
    for i in range(len(rows)):
        for j in range(rows.shape[1]):
            if flags[rows[i, j]]:
                result[i] = True
                break
    return result


def distinct(numbers: Index, n: int) -> Index:
    """The different ones of numbers (any shape) from 0 to n - 1, in order: quicker than sorting them."""
    named = np.zeros(n, np.bool_)
    named[numbers] = True
    return np.flatnonzero(named)


@njit(cache=True)
def borders(mask: Index, beside: Index, bit: int) -> tuple[Index, Index]:
    """Cells (f,) with a bit of `mask` (m,) and local faces (f,) behind which it is not set; none on the outside.

    `beside` (m, 4) is the cell behind every face or -1. A `bit` of -1 asks for the faces with nothing behind.
    """
    count = 0
    for turn in range(2):
        if turn == 1:
            cell, face = np.empty(count, np.int64), np.empty(count, np.int64)
        count = 0
        for t in range(len(beside)):
            if bit >= 0 and not (mask[t] >> bit) & 1:
                continue
            for i in range(4):
                other = beside[t, i]
                if (other < 0) if bit < 0 else (other >= 0 and not (mask[other] >> bit) & 1):
                    if turn == 1:
                        cell[count], face[count] = t, i
                    count += 1
    return cell, face


@njit(cache=True)
def _sums(labels: Index, values: Array) -> tuple[Index, Array]:
    known, total = np.empty(64, np.int64), np.zeros(64)
    count, last = 0, -1
    for i in range(len(labels)):
        label = labels[i]
        if last < 0 or known[last] != label:  # neighbours mostly have the same one
            last = 0
            while last < count and known[last] != label:
                last += 1
            if last == count:
                if count == len(known):
                    known, total = np.append(known, known), np.append(total, np.zeros(count))
                known[count] = label
                count += 1
        total[last] += values[i]
    return known[:count], total[:count]


def sums(labels: Index, values: Array) -> dict[int, float]:
    """Sum of the values (n,) of every one of few different labels (n,), in the order of the labels."""
    found, total = _sums(labels, values)
    order = np.argsort(found)
    return dict(zip(found[order].tolist(), total[order].tolist(), strict=True))
