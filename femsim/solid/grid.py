"""A solid whose distance is stored on a regular grid."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numba import get_num_threads
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from femsim.errors import GeometryError
from femsim.solid._check import points_array, positive, vector
from femsim.solid._kernels import cubic_sample
from femsim.solid._key import content_key
from femsim.solid.base import Bounds, Solid


@dataclass(frozen=True, eq=False)
class GridSolid(Solid):
    """Signed distance given at the nodes of a cubic grid, interpolated by cubic B-splines (twice differentiable).

    Parameters
    ----------
    origin : (3,) array_like
        First node, mm.
    spacing : float
        Distance of the nodes, mm.
    values : (nx, ny, nz) array_like
        Signed distance at the nodes, mm, at least 4 nodes each way. The surface must lie inside the grid.
    name : str
        Stands for the content in `key` where the caller already knows a hash of what was sampled; otherwise the
        values are hashed.

    Notes
    -----
    The interpolant passes through the values. Its error is O(h^4) where the distance is smooth; the zero surface of
    a ball of radius R is found within about 0.1 h^4 / R^3 mm, edges sharper than h are rounded. Beyond the grid the
    distance to the grid's box is added.
    """

    origin: NDArray[np.float64]
    spacing: float
    values: NDArray[np.float32]
    name: str = ""
    _coefficients: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", vector(self.origin, "origin"))
        object.__setattr__(self, "spacing", positive(self.spacing, "spacing"))
        values = np.ascontiguousarray(self.values, dtype=np.float32)
        if values.ndim != 3 or min(values.shape) < 4 or not np.isfinite(values).all():
            raise GeometryError(
                f"A distance grid of shape {values.shape} cannot be used.",
                "It needs 4 finite nodes or more in each direction.",
                "Sample it on a finer or larger grid.",
            )
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "_coefficients", ndimage.spline_filter(values, 3, output=np.float32, mode="mirror"))

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        local = (points_array(points) - self.origin) / self.spacing
        if not np.isfinite(local).all():
            raise GeometryError(
                "The distance of a point with a coordinate that is not finite was asked for.",
                "It lies nowhere.",
                "Remove NaN and infinite coordinates.",
            )
        inside = np.clip(local, 0.0, np.array(self.values.shape) - 1.0)
        beyond = np.linalg.norm(local - inside, axis=1) * self.spacing
        return cubic_sample(self._coefficients, inside) + beyond

    @property
    def bounds(self) -> Bounds:
        filled = self.values <= 0.0
        if not filled.any():
            return self.origin.copy(), self.origin.copy()
        corners = []
        for axis in range(3):
            occupied = np.flatnonzero(filled.any(axis=tuple(a for a in range(3) if a != axis)))
            corners.append((max(occupied[0] - 1, 0), min(occupied[-1] + 1, filled.shape[axis] - 1)))
        box = self.origin[:, None] + self.spacing * np.array(corners, dtype=np.float64)
        return box[:, 0], box[:, 1]

    def key(self) -> str:
        return content_key("GridSolid", self.origin, self.spacing, self.name or self.values)


#: Depth in mm to which `sampled` makes a distance Euclidean in full.
_EUCLIDEAN = 3.0
#: Points a thread looks at in one go.
_PIECE = 50_000


def grid_points(lower: ArrayLike, upper: ArrayLike, spacing: float) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """First node and shape of the grid of cubes that covers a box; the last node may lie beyond `upper`."""
    lower, upper = np.asarray(lower, float), np.asarray(upper, float)
    shape = np.maximum(np.ceil((upper - lower) / spacing - 1e-9).astype(int) + 1, 4)
    return lower, (int(shape[0]), int(shape[1]), int(shape[2]))


def node_coordinates(origin: ArrayLike, shape: tuple[int, int, int], spacing: float) -> NDArray[np.float64]:
    """Coordinates (nx ny nz, 3) of the nodes of a grid in C order, mm."""
    axes = [np.asarray(origin, float)[d] + spacing * np.arange(shape[d]) for d in range(3)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def sampled(solid: Solid, spacing: float, band: float = 6.0, name: str = "") -> GridSolid:
    """`solid` on a grid, with its distance made Euclidean to first order near the surface.

    Parameters
    ----------
    solid : Solid
        Bounded. Its distance may be off by a factor (a blend, a loft): within 3 mm of the surface it is divided by
        the magnitude of its gradient, held between 0.5 and 1.5, fading out at 6 mm. The surface stays where it is.
    spacing : float
        mm.
    band : float
        Nodes farther than this from the surface get the value interpolated from a grid four times coarser, mm.
    name : str
        See `GridSolid`; by default the solid's own key.
    """
    lower, upper = solid.bounds
    if not np.isfinite(np.concatenate([lower, upper])).all():
        raise GeometryError("An unbounded solid cannot be sampled.", "The grid has no end.", "Cut it to a box first.")
    factor, margin = 4, band + 4 * spacing
    origin, coarse_shape = grid_points(lower - margin, upper + margin, factor * spacing)
    coarse = _distance(solid, node_coordinates(origin, coarse_shape, factor * spacing)).reshape(coarse_shape)
    shape = tuple(factor * (n - 1) + 1 for n in coarse_shape)
    at = [np.linspace(0, n - 1, factor * (n - 1) + 1) for n in coarse_shape]
    values = _trilinear(coarse, at)
    # A blend's value can exceed its distance: take twice the band and the coarse cell's diagonal.
    near = np.flatnonzero(np.abs(values.ravel()) < 1.5 * band + 2 * factor * spacing)
    index = np.stack(np.unravel_index(near, shape), axis=-1)
    values.ravel()[near] = _distance(solid, origin + spacing * index)
    slope = np.sqrt(sum(g * g for g in np.gradient(values, spacing)))
    # Deeper down the gradient of a blend says little about the distance, and near a medial axis nothing.
    fade = np.clip(2.0 - np.abs(values.ravel()[near]) / _EUCLIDEAN, 0.0, 1.0)
    values.ravel()[near] /= 1.0 + fade * (np.clip(slope.ravel()[near], 0.5, 1.5) - 1.0)
    return GridSolid(origin, spacing, values.astype(np.float32), name or solid.key())


def _distance(solid: Solid, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """`solid.distance` in pieces, by as many threads as numba may use; the values do not depend on their number."""
    pieces = np.array_split(points, len(points) // _PIECE + 1)
    with ThreadPoolExecutor(get_num_threads()) as pool:
        return np.concatenate(list(pool.map(solid.distance, pieces)))


def _trilinear(coarse: NDArray[np.float64], at: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    result = coarse
    for axis, where in enumerate(at):
        cell = np.minimum(where.astype(int), coarse.shape[axis] - 2)
        weight = (where - cell).reshape([-1 if a == axis else 1 for a in range(3)])
        result = np.take(result, cell, axis) * (1.0 - weight) + np.take(result, cell + 1, axis) * weight
    return result
