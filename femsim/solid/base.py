"""What every implicit solid can do."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]


class Solid(ABC):
    """A region of space given by a signed distance, negative inside.

    Subclasses are frozen dataclasses. The distance need be exact only near the surface (a lower bound in magnitude
    elsewhere), as after ``min`` and ``max`` of exact distances. ``a | b``, ``a & b``, ``a - b`` and ``~a`` are the
    union, the intersection, the difference and the complement.
    """

    @abstractmethod
    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        """Signed distance in mm of ``points`` (n, 3) mm, negative inside; (n,)."""

    @property
    @abstractmethod
    def bounds(self) -> Bounds:
        """Lower and upper corner (3,) mm of a box that contains the solid (infinite where it is unbounded)."""

    @abstractmethod
    def key(self) -> str:
        """Content hash: equal for solids that are the same region by construction, in every process."""

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Whether ``points`` (n, 3) lie inside or on the surface, (n,) bool."""
        return self.distance(points) <= 0.0

    # The boolean classes derive from this one, so they can be imported only when an operator is first used.

    def __or__(self, other: Solid) -> Solid:
        from femsim.solid.boolean import union

        return union(self, other)

    def __and__(self, other: Solid) -> Solid:
        from femsim.solid.boolean import intersection

        return intersection(self, other)

    def __sub__(self, other: Solid) -> Solid:
        from femsim.solid.boolean import difference

        return difference(self, other)

    def __invert__(self) -> Solid:
        from femsim.solid.boolean import Complement

        return Complement(self)
