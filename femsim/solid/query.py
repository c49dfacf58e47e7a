"""Questions to any solid: gradient, closest surface point, volume."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.solid._check import points_array
from femsim.solid.base import Bounds, Solid
from femsim.solid.grid import grid_points, node_coordinates


def gradient(solid: Solid, points: ArrayLike, step: float = 1e-3) -> NDArray[np.float64]:
    """Gradient (n, 3) of the distance at points (n, 3), by central differences over `step` mm."""
    points = points_array(points)
    shifts = step * np.eye(3)
    columns = [(solid.distance(points + s) - solid.distance(points - s)) / (2 * step) for s in shifts]
    return np.stack(columns, axis=1)


def project(solid: Solid, points: ArrayLike, rounds: int = 5, step: float = 1e-3) -> NDArray[np.float64]:
    """Points (n, 3) moved along the gradient onto the surface of `solid`, by Newton's method.

    Points where the gradient vanishes stay where they are.
    """
    points = points_array(points).copy()
    for _ in range(rounds):
        value, slope = solid.distance(points), gradient(solid, points, step)
        square = np.einsum("ij,ij->i", slope, slope)
        move = np.where(square > 1e-6, value / np.maximum(square, 1e-6), 0.0)
        points -= move[:, None] * slope
    return points


def volume(solid: Solid, spacing: float, within: Bounds | None = None) -> float:
    """Volume of a bounded solid in mm3, by counting grid cells of `spacing` mm.

    Cells that the surface crosses count in part, by their distance over the cell size: second order in `spacing`
    for smooth surfaces.

    Parameters
    ----------
    solid : Solid
        The solid.
    spacing : float
        Edge of the counting cells, mm.
    within : (lower, upper), optional
        Box to count in; the bounds of the solid by default.
    """
    lower, upper = solid.bounds if within is None else within
    origin, shape = grid_points(np.asarray(lower) - spacing, np.asarray(upper) + spacing, spacing)
    share = 0.0
    # Slab by slab, so that a whole bone on a fine grid fits into memory.
    slab = max(1, 500_000 // (shape[1] * shape[2]))
    for first in range(0, shape[0], slab):
        part = (min(slab, shape[0] - first), shape[1], shape[2])
        nodes = node_coordinates(origin + np.array([first * spacing, 0.0, 0.0]), part, spacing)
        share += float(np.clip(0.5 - solid.distance(nodes) / spacing, 0.0, 1.0).sum())
    return share * spacing**3
