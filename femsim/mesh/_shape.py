"""Compiled shape measures of a single tetrahedron."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


@njit(cache=True, inline="never")
def sicn(p: Array, a: int, b: int, c: int, d: int) -> float:
    """Signed inverse condition number of tetrahedron a b c d: 1 for the regular one, 0 flat, negative turned over.

    3 det(T) / (|T| |adj T|) in Frobenius norms, T mapping the regular tetrahedron to this one: gmsh's SICN.
    """
    x = p[b, 0] - p[a, 0]
    y = p[b, 1] - p[a, 1]
    z = p[b, 2] - p[a, 2]
    u = p[c, 0] - p[a, 0]
    v = p[c, 1] - p[a, 1]
    w = p[c, 2] - p[a, 2]
    r = p[d, 0] - p[a, 0]
    s = p[d, 1] - p[a, 1]
    t = p[d, 2] - p[a, 2]
    # columns of T: edges times the inverse of the regular tetrahedron's edge matrix
    k1, k2, k3, k4, k5 = 0.5773502691896258, 1.1547005383792517, 0.408248290463863, 0.408248290463863, 1.224744871391589
    e0, e1, e2 = x, y, z
    f0, f1, f2 = k2 * u - k1 * x, k2 * v - k1 * y, k2 * w - k1 * z
    g0, g1, g2 = k5 * r - k3 * x - k4 * u, k5 * s - k3 * y - k4 * v, k5 * t - k3 * z - k4 * w
    c0, c1, c2 = f1 * g2 - f2 * g1, f2 * g0 - f0 * g2, f0 * g1 - f1 * g0
    d0, d1, d2 = g1 * e2 - g2 * e1, g2 * e0 - g0 * e2, g0 * e1 - g1 * e0
    h0, h1, h2 = e1 * f2 - e2 * f1, e2 * f0 - e0 * f2, e0 * f1 - e1 * f0
    det = e0 * c0 + e1 * c1 + e2 * c2
    norm = e0 * e0 + e1 * e1 + e2 * e2 + f0 * f0 + f1 * f1 + f2 * f2 + g0 * g0 + g1 * g1 + g2 * g2
    adj = c0 * c0 + c1 * c1 + c2 * c2 + d0 * d0 + d1 * d1 + d2 * d2 + h0 * h0 + h1 * h1 + h2 * h2
    if norm * adj <= 0.0:
        return 0.0
    return 3.0 * det / np.sqrt(norm * adj)


@njit(cache=True)
def volume6(p: Array, a: int, b: int, c: int, d: int) -> float:
    """Six times the signed volume of tetrahedron a b c d."""
    x, y, z = p[b, 0] - p[a, 0], p[b, 1] - p[a, 1], p[b, 2] - p[a, 2]
    u, v, w = p[c, 0] - p[a, 0], p[c, 1] - p[a, 1], p[c, 2] - p[a, 2]
    r, s, t = p[d, 0] - p[a, 0], p[d, 1] - p[a, 1], p[d, 2] - p[a, 2]
    return r * (y * w - z * v) + s * (z * u - x * w) + t * (x * v - y * u)


@njit(cache=True)
def all_sicn(p: Array, cells: NDArray[np.int64]) -> Array:
    """SICN (m,) of straight tetrahedra (m, 4)."""
    result = np.empty(len(cells))
    for i in range(len(cells)):
        result[i] = sicn(p, cells[i, 0], cells[i, 1], cells[i, 2], cells[i, 3])
    return result


@njit(cache=True)
def all_volumes6(p: Array, cells: NDArray[np.int64]) -> Array:
    """Six times the signed volume (m,) of straight tetrahedra (m, 4)."""
    result = np.empty(len(cells))
    for i in range(len(cells)):
        result[i] = volume6(p, cells[i, 0], cells[i, 1], cells[i, 2], cells[i, 3])
    return result
