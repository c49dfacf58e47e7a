"""The anatomical frame and the centreline of a long bone: by these every load, lesion and device is placed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import GeometryError, InputError

Vector = NDArray[np.float64]

#: Named directions as angles from lateral towards anterior, degrees.
DIRECTIONS = {
    "lateral": 0.0,
    "anterolateral": 45.0,
    "anterior": 90.0,
    "anteromedial": 135.0,
    "medial": 180.0,
    "posteromedial": 225.0,
    "posterior": 270.0,
    "posterolateral": 315.0,
}


def direction_degrees(direction: str | float) -> float:
    """Angle of a direction about the long axis, degrees from lateral (0) towards anterior (90).

    Raises
    ------
    InputError
        If the name is none of `DIRECTIONS` or the number is not finite.
    """
    if isinstance(direction, str):
        if direction in DIRECTIONS:
            return DIRECTIONS[direction]
        raise InputError(
            f"direction = {direction!r} is not known.",
            "The lesion or device cannot be placed.",
            f"Use one of {', '.join(DIRECTIONS)}, or degrees from lateral (0) towards anterior (90).",
        )
    if not np.isfinite(direction):
        raise InputError(
            f"direction = {direction!r} is not finite.",
            "The lesion or device cannot be placed.",
            "Write degrees from lateral (0) towards anterior (90).",
        )
    return float(direction) % 360.0


@dataclass(frozen=True, eq=False)
class Frame:
    """Origin and anatomical directions of a bone in the coordinates of its file.

    Attributes
    ----------
    origin : (3,) float64
        Point of the long axis at the level of the most distal point of the bone, mm. So the third local coordinate
        runs from 0 (distal end) to the bone's length (proximal end).
    lateral, anterior, proximal : (3,) float64
        Unit vectors, perpendicular to one another. `proximal` is the line through the centroids of the cross-
        sections of the shaft (25 % to 75 % of the length). `lateral` follows the posterior condylar line of the
        femur and of the tibial plateau, and the epicondylar line of the humerus. The three
        are right-handed in a right bone and left-handed in a left bone.
    """

    origin: Vector
    lateral: Vector
    anterior: Vector
    proximal: Vector

    def __post_init__(self) -> None:
        gram = self.axes @ self.axes.T
        if not np.allclose(gram, np.eye(3), atol=1e-6):
            raise GeometryError(
                "The anatomical directions are not perpendicular unit vectors.",
                "Everything placed by them would be distorted.",
                "Give three perpendicular unit vectors.",
            )

    @property
    def axes(self) -> NDArray[np.float64]:
        """(3, 3), rows lateral, anterior, proximal."""
        return np.stack([self.lateral, self.anterior, self.proximal])

    @property
    def side(self) -> str:
        """``"right"`` if lateral, anterior, proximal are right-handed, else ``"left"``."""
        return "right" if np.linalg.det(self.axes) > 0 else "left"

    def to_local(self, points: ArrayLike) -> NDArray[np.float64]:
        """Coordinates (n, 3) along lateral, anterior, proximal from the origin, mm."""
        return (np.asarray(points, float) - self.origin) @ self.axes.T

    def to_world(self, local: ArrayLike) -> NDArray[np.float64]:
        """Inverse of `to_local`."""
        return np.asarray(local, float) @ self.axes + self.origin

    def direction(self, direction: str | float) -> Vector:
        """Unit vector (3,) across the long axis, by name or in degrees from lateral towards anterior."""
        angle = np.deg2rad(direction_degrees(direction))
        return np.cos(angle) * self.lateral + np.sin(angle) * self.anterior


@dataclass(frozen=True, eq=False)
class Centreline:
    """Axis of the shaft and its canal, from distal to proximal.

    Attributes
    ----------
    points : (k, 3) float64
        Points on the axis, mm, k >= 2.
    fractions : (k,) float64
        Position of each along the bone, increasing: 0 at the distal end, 1 at the proximal end. Outside the first
        and the last point the line goes on straight.
    """

    points: NDArray[np.float64]
    fractions: NDArray[np.float64]

    def __post_init__(self) -> None:
        if len(self.points) < 2 or self.points.shape != (len(self.fractions), 3):
            raise GeometryError("A centreline needs two points or more.", "The shaft has no axis.", "Give more points.")
        if not np.all(np.diff(self.fractions) > 0):
            raise GeometryError(
                "The positions along the centreline do not increase.",
                "The shaft would fold back.",
                "Sort the points.",
            )

    def point(self, fraction: ArrayLike) -> NDArray[np.float64]:
        """Point (3,) of a scalar, (n, 3) of an array of positions along the bone, mm."""
        where = np.asarray(fraction, float)
        i = self._segment(where)
        start, end = self.fractions[i], self.fractions[i + 1]
        weight = ((where - start) / (end - start))[..., None]
        return (1.0 - weight) * self.points[i] + weight * self.points[i + 1]

    def tangent(self, fraction: ArrayLike) -> NDArray[np.float64]:
        """Unit tangent towards proximal, (3,) or (n, 3), interpolated between the nodes."""
        slopes = np.gradient(self.points, self.fractions, axis=0, edge_order=1)
        where = np.clip(np.asarray(fraction, float), self.fractions[0], self.fractions[-1])
        tangent = np.stack([np.interp(where, self.fractions, slopes[:, j]) for j in range(3)], axis=-1)
        return tangent / np.linalg.norm(tangent, axis=-1, keepdims=True)

    def _segment(self, where: NDArray[np.float64]) -> NDArray[np.intp]:
        return np.clip(np.searchsorted(self.fractions, where, side="right") - 1, 0, len(self.fractions) - 2)
