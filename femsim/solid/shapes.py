"""Solids with an exact distance: half-space, sphere, ellipsoid, box, cylinder, round cone, capsule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import GeometryError
from femsim.solid._check import points_array, positive, rotation, unit_vector, vector
from femsim.solid._kernels import ellipsoid_distance, tube_distance
from femsim.solid._key import key_of_fields
from femsim.solid.base import Bounds, Solid

Vector = NDArray[np.float64]


class _Keyed(Solid):
    def key(self) -> str:
        return key_of_fields(self)


@dataclass(frozen=True, eq=False)
class HalfSpace(_Keyed):
    """Everything behind a plane.

    Parameters
    ----------
    point : (3,) array_like
        A point of the plane, mm.
    normal : (3,) array_like
        Outward normal of any length.
    """

    point: Vector
    normal: Vector

    def __post_init__(self) -> None:
        object.__setattr__(self, "point", vector(self.point, "point"))
        object.__setattr__(self, "normal", unit_vector(self.normal, "normal"))

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        return (points_array(points) - self.point) @ self.normal

    @property
    def bounds(self) -> Bounds:
        lower, upper = np.full(3, -np.inf), np.full(3, np.inf)
        axis = int(np.argmax(np.abs(self.normal)))
        if abs(self.normal[axis]) > 1.0 - 1e-12:
            (upper if self.normal[axis] > 0 else lower)[axis] = self.point[axis]
        return lower, upper


@dataclass(frozen=True, eq=False)
class Sphere(_Keyed):
    """A ball: centre (3,) and radius, mm."""

    centre: Vector
    radius: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "centre", vector(self.centre, "centre"))
        object.__setattr__(self, "radius", positive(self.radius, "radius"))

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        offset = points_array(points) - self.centre
        return np.sqrt(np.einsum("ij,ij->i", offset, offset)) - self.radius

    @property
    def bounds(self) -> Bounds:
        return self.centre - self.radius, self.centre + self.radius


@dataclass(frozen=True, eq=False)
class Ellipsoid(_Keyed):
    """An ellipsoid with the exact Euclidean distance.

    Parameters
    ----------
    centre : (3,) array_like
        mm.
    radii : (3,) array_like
        Half axes along the rows of `axes`, mm.
    axes : (3, 3) array_like, optional
        Rows are the directions of the half axes; the coordinate axes by default.

    Notes
    -----
    Closest point by the root of sum (r_i y_i / (t + r_i^2))^2 = 1 for the largest t, with Newton's method from
    below, where the function is convex (Eberly, *Distance from a point to an ellipse, an ellipsoid, or a
    hyperellipsoid*, geometrictools.com).
    """

    centre: Vector
    radii: Vector
    axes: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "centre", vector(self.centre, "centre"))
        radii = vector(self.radii, "radii")
        for radius in radii:
            positive(float(radius), "radii")
        object.__setattr__(self, "radii", radii)
        object.__setattr__(self, "axes", rotation(self.axes))

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        assert self.axes is not None
        return ellipsoid_distance((points_array(points) - self.centre) @ self.axes.T, self.radii)

    @property
    def bounds(self) -> Bounds:
        assert self.axes is not None
        half = np.sqrt(((self.axes * self.radii[:, None]) ** 2).sum(axis=0))
        return self.centre - half, self.centre + half


@dataclass(frozen=True, eq=False)
class Box(_Keyed):
    """A box: centre (3,), half sizes (3,) mm along the rows of `axes` (3, 3)."""

    centre: Vector
    half: Vector
    axes: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "centre", vector(self.centre, "centre"))
        half = vector(self.half, "half")
        for size in half:
            positive(float(size), "half")
        object.__setattr__(self, "half", half)
        object.__setattr__(self, "axes", rotation(self.axes))

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        assert self.axes is not None
        excess = np.abs((points_array(points) - self.centre) @ self.axes.T) - self.half
        outside = np.linalg.norm(np.maximum(excess, 0.0), axis=1)
        return outside + np.minimum(excess.max(axis=1, initial=-np.inf), 0.0)

    @property
    def bounds(self) -> Bounds:
        assert self.axes is not None
        half = np.abs(self.axes * self.half[:, None]).sum(axis=0)
        return self.centre - half, self.centre + half


@dataclass(frozen=True, eq=False)
class Cylinder(_Keyed):
    """A finite cylinder with flat ends at `start` and `end` (3,) and a radius, mm."""

    start: Vector
    end: Vector
    radius: float

    def __post_init__(self) -> None:
        _check_segment(self, "Cylinder")
        object.__setattr__(self, "radius", positive(self.radius, "radius"))

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        along = self.end - self.start
        length = float(np.linalg.norm(along))
        offset = points_array(points) - self.start
        height = offset @ (along / length)
        # |q|^2 - h^2 would lose the digits of points near the axis.
        across = np.linalg.norm(offset - height[:, None] * (along / length), axis=1) - self.radius
        beyond = np.abs(height - length / 2) - length / 2
        return np.hypot(np.maximum(across, 0), np.maximum(beyond, 0)) + np.minimum(np.maximum(across, beyond), 0)

    @property
    def bounds(self) -> Bounds:
        along = (self.end - self.start) / np.linalg.norm(self.end - self.start)
        half = self.radius * np.sqrt(np.maximum(0.0, 1.0 - along**2))
        return np.minimum(self.start, self.end) - half, np.maximum(self.start, self.end) + half


@dataclass(frozen=True, eq=False)
class RoundCone(_Keyed):
    """The convex hull of two balls: `start`, `end` (3,) mm with their radii."""

    start: Vector
    end: Vector
    start_radius: float
    end_radius: float

    def __post_init__(self) -> None:
        _check_segment(self, type(self).__name__)
        object.__setattr__(self, "start_radius", positive(self.start_radius, "start_radius"))
        object.__setattr__(self, "end_radius", positive(self.end_radius, "end_radius"))

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        radii = np.array([self.start_radius, self.end_radius])
        return tube_distance(points_array(points), np.stack([self.start, self.end]), radii, False)

    @property
    def bounds(self) -> Bounds:
        return (
            np.minimum(self.start - self.start_radius, self.end - self.end_radius),
            np.maximum(self.start + self.start_radius, self.end + self.end_radius),
        )


@dataclass(frozen=True, eq=False)
class Capsule(_Keyed):
    """A cylinder with half balls on its ends: `start`, `end` (3,) and a radius, mm."""

    start: Vector
    end: Vector
    radius: float

    def __post_init__(self) -> None:
        _check_segment(self, "Capsule")
        object.__setattr__(self, "radius", positive(self.radius, "radius"))

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        radii = np.full(2, self.radius)
        return tube_distance(points_array(points), np.stack([self.start, self.end]), radii, False)

    @property
    def bounds(self) -> Bounds:
        return np.minimum(self.start, self.end) - self.radius, np.maximum(self.start, self.end) + self.radius


def _check_segment(solid: Cylinder | RoundCone | Capsule, what: str) -> None:
    object.__setattr__(solid, "start", vector(solid.start, "start"))
    object.__setattr__(solid, "end", vector(solid.end, "end"))
    if np.linalg.norm(solid.end - solid.start) < 1e-9:
        raise GeometryError(
            f"{what} from {solid.start} to {solid.end} has no length.",
            "It has no axis.",
            "Give two different end points.",
        )
