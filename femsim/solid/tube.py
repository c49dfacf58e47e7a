"""A tube swept along a polyline: catheters, wires, nails, canals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import GeometryError
from femsim.solid._check import points_array, positive
from femsim.solid._kernels import tube_distance
from femsim.solid._key import key_of_fields
from femsim.solid.base import Bounds, Solid


@dataclass(frozen=True, eq=False)
class SweptTube(Solid):
    """Everything within a radius of a polyline.

    Parameters
    ----------
    line : (k, 3) array_like
        Centreline, mm, k >= 2, no two neighbours equal.
    radius : float or (k,) array_like
        Radius, constant or at every point of the line (linear between), mm.
    flat : bool
        Ends cut square to the line instead of half balls.
    """

    line: NDArray[np.float64]
    radius: NDArray[np.float64]
    flat: bool = False

    def __init__(self, line: ArrayLike, radius: float | ArrayLike, flat: bool = False) -> None:
        points = np.array(line, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 3 or len(points) < 2 or not np.isfinite(points).all():
            raise GeometryError(
                f"A centreline of shape {points.shape} was given.",
                "A tube needs two or more finite points.",
                "Give (k, 3) points in mm.",
            )
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        if steps.min() < 1e-9:
            raise GeometryError(
                f"Points {int(steps.argmin())} and {int(steps.argmin()) + 1} of the centreline are the same.",
                "The tube has no direction there.",
                "Remove one of them.",
            )
        radii = np.array(np.broadcast_to(np.asarray(radius, dtype=np.float64), len(points)))
        for r in radii:
            positive(float(r), "radius")
        for array in (points, radii):
            array.setflags(write=False)
        object.__setattr__(self, "line", points)
        object.__setattr__(self, "radius", radii)
        object.__setattr__(self, "flat", bool(flat))

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        return tube_distance(points_array(points), self.line, self.radius, self.flat)

    @property
    def bounds(self) -> Bounds:
        return (self.line - self.radius[:, None]).min(axis=0), (self.line + self.radius[:, None]).max(axis=0)

    def key(self) -> str:
        return key_of_fields(self)
