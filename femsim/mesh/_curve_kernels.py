"""Compiled measures of ten-node tetrahedra."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


def sample_gradients() -> tuple[Array, int]:
    """Derivatives (s, 10, 3) of the tet10 shape functions at the 4 quadrature points, 4 vertices and 6 mid-sides.

    Returns the derivatives and how many of the first points are quadrature points.
    """
    a, b = 0.5854101966249685, 0.1381966011250105
    inner = np.full((4, 4), b) + (a - b) * np.eye(4)
    corner = np.eye(4)
    pairs = [(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)]
    middle = np.array([0.5 * (corner[i] + corner[j]) for i, j in pairs])
    barycentric = np.vstack([inner, corner, middle])
    slope = np.array([[-1.0, -1.0, -1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    result = np.empty((len(barycentric), 10, 3))
    for s, w in enumerate(barycentric):
        result[s, :4] = (4.0 * w[:, None] - 1.0) * slope
        for k, (i, j) in enumerate(pairs):
            result[s, 4 + k] = 4.0 * (w[i] * slope[j] + w[j] * slope[i])
    return result, 4


@njit(cache=True)
def jacobians(points: Array, cells: NDArray[np.int64], gradients: Array) -> Array:
    """Jacobian determinants (m, s) of ten-node tetrahedra (m, 10) at s points."""
    result = np.empty((len(cells), len(gradients)))
    x = np.empty((10, 3))
    for e in range(len(cells)):
        for k in range(10):
            for d in range(3):
                x[k, d] = points[cells[e, k], d]
        for s in range(len(gradients)):
            xu = xv = xw = yu = yv = yw = zu = zv = zw = 0.0
            for k in range(10):
                u, v, w = gradients[s, k, 0], gradients[s, k, 1], gradients[s, k, 2]
                xu += x[k, 0] * u
                xv += x[k, 0] * v
                xw += x[k, 0] * w
                yu += x[k, 1] * u
                yv += x[k, 1] * v
                yw += x[k, 1] * w
                zu += x[k, 2] * u
                zv += x[k, 2] * v
                zw += x[k, 2] * w
            result[e, s] = xu * (yv * zw - yw * zv) - xv * (yu * zw - yw * zu) + xw * (yu * zv - yv * zu)
    return result
