"""A parallel camera: what it sees is to scale, so a picture can carry millimetres on its axes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Camera:
    """A parallel projection.

    Attributes
    ----------
    centre : (3,) float64
        The point in the middle of the picture, mm.
    toward : (3,) float64
        Unit vector from the scene to the viewer.
    up : (3,) float64
        Unit vector that points up in the picture.
    width, height : float
        Size of what is seen, mm.
    """

    centre: Floats
    toward: Floats
    up: Floats
    width: float = 100.0
    height: float = 100.0

    @property
    def right(self) -> Floats:
        """Unit vector that points right in the picture."""
        return np.cross(self.up, self.toward)

    def project(self, points: ArrayLike) -> Floats:
        """Picture coordinates (n, 3) mm of points (n, 3) mm: right, up, and towards the viewer."""
        return self.turn(np.asarray(points, float) - self.centre)

    def turn(self, vectors: ArrayLike) -> Floats:
        """Components (n, 3) of vectors (n, 3) along right, up and towards the viewer."""
        return np.asarray(vectors, float) @ np.stack([self.right, self.up, self.toward], axis=1)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top in mm, as matplotlib wants it."""
        return -self.width / 2, self.width / 2, -self.height / 2, self.height / 2

    def framing(self, points: ArrayLike, margin: float = 0.0) -> Camera:
        """The same direction, centred and sized so that `points` (n, 3) mm fill the picture up to `margin` mm."""
        seen = self.project(points)
        low, high = seen.min(axis=0), seen.max(axis=0)
        middle, size = (low + high) / 2, high - low + 2 * margin
        centre = self.centre + middle[0] * self.right + middle[1] * self.up
        return replace(self, centre=centre, width=float(size[0]), height=float(size[1]))


def looking(toward: ArrayLike, up: ArrayLike, centre: ArrayLike = (0.0, 0.0, 0.0)) -> Camera:
    """A camera that looks against `toward`, with the part of `up` across it pointing up.

    Raises
    ------
    ValueError
        If one of the directions is zero or the two are parallel.
    """
    back = np.asarray(toward, float)
    back = back / np.linalg.norm(back)
    rise = np.asarray(up, float)
    rise = rise - (rise @ back) * back
    length = np.linalg.norm(rise)
    if not length > 1e-9 * np.linalg.norm(np.asarray(up, float)):
        raise ValueError("a camera cannot look along its own up direction")
    return Camera(np.asarray(centre, float), back, rise / length)
