"""Forward and backward substitution with a Cholesky factor, for one right-hand side or many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from femsim.fem.linear.cholesky import Factor
from femsim.fem.linear.team import ALONE, Team

FloatArray = NDArray[Any]


def solve_factored(factor: Factor, rhs: FloatArray, team: Team = ALONE) -> FloatArray:
    """Solve with a factor.

    Parameters
    ----------
    factor : Factor
    rhs : (n * width, k) or (n * width,)
        Right-hand sides, in the factor's precision or any other.
    team : Team
        They share the branches of the tree. The result does not depend on their number.

    Returns
    -------
    same shape, in the factor's precision
    """
    tree, width = factor.tree, factor.width
    columns = np.ascontiguousarray(rhs.reshape(tree.order.size, width, -1), factor.values.dtype)
    x = columns[tree.order].reshape(tree.order.size * width, -1)
    branches, trunk = tree.branches
    forward, backward = (_forward_one, _backward_one) if x.shape[1] == 1 else (_forward_many, _backward_many)
    if x.shape[1] == 1:
        x = x[:, 0]
    shared = (factor.values, factor.offset, tree.start, tree.border_start, tree.border, width)

    def up(first: int, end: int) -> FloatArray:
        passed_on = np.zeros_like(x)
        forward(first, end, x, passed_on, *shared)
        return passed_on

    for passed_on in team.share(branches, up):
        x += passed_on
    for k in trunk:
        forward(k, k + 1, x, x, *shared)
    for k in trunk[::-1]:
        backward(k, k + 1, x, *shared)
    team.share(branches, backward, x, *shared)
    out = np.empty_like(columns)
    out[tree.order] = x.reshape(columns.shape)
    return out.reshape(rhs.shape)


@njit(cache=True)
def _widest(first, end, border_start):  # type: ignore[no-untyped-def]
    most = 0
    for k in range(first, end):
        most = max(most, border_start[k + 1] - border_start[k])
    return most


@njit(cache=True, nogil=True, fastmath=True)
def _forward_one(first, end, x, beyond, values, offset, start, border_start, border, width):  # type: ignore[no-untyped-def]
    """Forward substitution by the fronts first to end; what later fronts get from them is added to `beyond`."""
    y = np.empty(width * _widest(first, end, border_start), x.dtype)
    for k in range(first, end):
        s, p = width * start[k], width * (start[k + 1] - start[k])
        nodes = border[border_start[k] : border_start[k + 1]]
        b = width * nodes.size
        y[:b] = 0
        top, low = offset[k], offset[k] + p * p
        for c in range(p):
            column = values[top + c * p : top + (c + 1) * p]
            v = x[s + c] / column[c]
            x[s + c] = v
            for r in range(c + 1, p):
                x[s + r] -= column[r] * v
            column = values[low + c * b : low + (c + 1) * b]
            for r in range(b):
                y[r] += column[r] * v
        for r in range(nodes.size):
            target = x if nodes[r] < start[end] else beyond
            for a in range(width):
                target[width * nodes[r] + a] -= y[width * r + a]


@njit(cache=True, nogil=True, fastmath=True)
def _backward_one(first, end, x, values, offset, start, border_start, border, width):  # type: ignore[no-untyped-def]
    y = np.empty(width * _widest(first, end, border_start), x.dtype)
    for k in range(end - 1, first - 1, -1):
        s, p = width * start[k], width * (start[k + 1] - start[k])
        nodes = border[border_start[k] : border_start[k + 1]]
        b = width * nodes.size
        for r in range(nodes.size):
            for a in range(width):
                y[width * r + a] = x[width * nodes[r] + a]
        top, low = offset[k], offset[k] + p * p
        for c in range(p - 1, -1, -1):
            column = values[low + c * b : low + (c + 1) * b]
            v = x[s + c]
            for r in range(b):
                v -= column[r] * y[r]
            column = values[top + c * p : top + (c + 1) * p]
            for r in range(c + 1, p):
                v -= column[r] * x[s + r]
            x[s + c] = v / column[c]


@njit(cache=True, nogil=True, fastmath=True)
def _forward_many(first, end, x, beyond, values, offset, start, border_start, border, width):  # type: ignore[no-untyped-def]
    many = x.shape[1]
    y = np.empty((width * _widest(first, end, border_start), many), x.dtype)
    for k in range(first, end):
        s, p = width * start[k], width * (start[k + 1] - start[k])
        nodes = border[border_start[k] : border_start[k + 1]]
        b = width * nodes.size
        y[:b] = 0
        top, low = offset[k], offset[k] + p * p
        for c in range(p):
            own = x[s + c]
            for m in range(many):
                own[m] /= values[top + c * p + c]
            for r in range(c + 1, p):
                factor = values[top + c * p + r]
                for m in range(many):
                    x[s + r, m] -= factor * own[m]
            for r in range(b):
                factor = values[low + c * b + r]
                for m in range(many):
                    y[r, m] += factor * own[m]
        for r in range(nodes.size):
            target = x if nodes[r] < start[end] else beyond
            for a in range(width):
                for m in range(many):
                    target[width * nodes[r] + a, m] -= y[width * r + a, m]


@njit(cache=True, nogil=True, fastmath=True)
def _backward_many(first, end, x, values, offset, start, border_start, border, width):  # type: ignore[no-untyped-def]
    many = x.shape[1]
    y = np.empty((width * _widest(first, end, border_start), many), x.dtype)
    for k in range(end - 1, first - 1, -1):
        s, p = width * start[k], width * (start[k + 1] - start[k])
        nodes = border[border_start[k] : border_start[k + 1]]
        b = width * nodes.size
        for r in range(nodes.size):
            for a in range(width):
                for m in range(many):
                    y[width * r + a, m] = x[width * nodes[r] + a, m]
        top, low = offset[k], offset[k] + p * p
        for c in range(p - 1, -1, -1):
            own = x[s + c]
            for r in range(b):
                factor = values[low + c * b + r]
                for m in range(many):
                    own[m] -= factor * y[r, m]
            for r in range(c + 1, p):
                factor = values[top + c * p + r]
                for m in range(many):
                    own[m] -= factor * x[s + r, m]
            for m in range(many):
                own[m] /= values[top + c * p + c]
