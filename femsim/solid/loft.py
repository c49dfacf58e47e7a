"""A loft: a shaft given by its cross-sections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import GeometryError
from femsim.solid._check import points_array, positive, rotation, vector
from femsim.solid._kernels import loft_distance
from femsim.solid._key import key_of_fields
from femsim.solid.base import Bounds, Solid


@dataclass(frozen=True, eq=False)
class Loft(Solid):
    """Star-shaped sections stacked along an axis, cubic between, flat ends.

    Parameters
    ----------
    origin : (3,) array_like
        Middle of the first section before `centres` is added, mm.
    axes : (3, 3) array_like
        Rows: the directions of the angles 0 and 90 degrees, and the direction of stacking.
    step : float
        Distance of the sections, mm.
    centres : (k, 2) array_like
        Centre of every section along the first two axes, mm, k >= 4.
    radii : (k, m) array_like
        Radius of every section at m equal steps of angle, mm, m >= 8.

    Notes
    -----
    The distance is that to the tangent plane at the same height and angle: exact to first order.
    """

    origin: NDArray[np.float64]
    axes: NDArray[np.float64]
    step: float
    centres: NDArray[np.float64]
    radii: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", vector(self.origin, "origin"))
        object.__setattr__(self, "axes", rotation(self.axes))
        object.__setattr__(self, "step", positive(self.step, "step"))
        centres = np.ascontiguousarray(self.centres, dtype=np.float64)
        radii = np.ascontiguousarray(self.radii, dtype=np.float64)
        k, m = radii.shape if radii.ndim == 2 else (0, 0)
        if k < 4 or m < 8 or centres.shape != (k, 2):
            raise GeometryError(
                f"Sections of shape {radii.shape} with centres of shape {centres.shape} make no loft.",
                "It needs 4 sections or more, of 8 angles or more, and a centre for each.",
                "Give (k, m) radii and (k, 2) centres.",
            )
        if not (np.isfinite(radii).all() and np.isfinite(centres).all() and radii.min() > 0):
            raise GeometryError(
                "A section of the loft has a radius that is not positive.",
                "The shaft would vanish there.",
                "Make the shaft wider or its wall thinner.",
            )
        object.__setattr__(self, "centres", centres)
        object.__setattr__(self, "radii", radii)

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        local = (points_array(points) - self.origin) @ self.axes.T
        return loft_distance(local, 0.0, self.step, self.centres, self.radii)

    @property
    def bounds(self) -> Bounds:
        height = self.step * np.arange(len(self.radii))
        middle = self.origin + np.column_stack([self.centres, height]) @ self.axes
        # sections are thinner than a ball around their centre; cubic overshoot is far below a tenth
        reach = 1.1 * self.radii.max(axis=1)[:, None] * np.linalg.norm(self.axes[:2], axis=0)
        return (middle - reach).min(axis=0), (middle + reach).max(axis=0)

    def key(self) -> str:
        return key_of_fields(self)
