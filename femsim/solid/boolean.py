"""Solids made of solids: union, intersection, difference, complement, offset, and their smooth kin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import GeometryError
from femsim.solid._check import points_array
from femsim.solid._key import content_key
from femsim.solid.base import Bounds, Solid


@dataclass(frozen=True, eq=False)
class Union(Solid):
    """Everything that lies in any of the parts. Exact outside, a lower bound in magnitude inside."""

    parts: tuple[Solid, ...]

    def __post_init__(self) -> None:
        _check_parts(self.parts)

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        points = points_array(points)
        result = self.parts[0].distance(points)
        for part in self.parts[1:]:
            result = np.minimum(result, part.distance(points))
        return result

    @property
    def bounds(self) -> Bounds:
        boxes = [part.bounds for part in self.parts]
        return np.min([b[0] for b in boxes], axis=0), np.max([b[1] for b in boxes], axis=0)

    def key(self) -> str:
        # a | b and b | a are one region
        return content_key("Union", sorted(part.key() for part in self.parts))


@dataclass(frozen=True, eq=False)
class Intersection(Solid):
    """Everything that lies in all of the parts. Exact inside, a lower bound outside."""

    parts: tuple[Solid, ...]

    def __post_init__(self) -> None:
        _check_parts(self.parts)

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        points = points_array(points)
        result = self.parts[0].distance(points)
        for part in self.parts[1:]:
            result = np.maximum(result, part.distance(points))
        return result

    @property
    def bounds(self) -> Bounds:
        boxes = [part.bounds for part in self.parts]
        lower = np.max([b[0] for b in boxes], axis=0)
        # Parts that do not meet leave an empty box, which must not turn inside out.
        return lower, np.maximum(np.min([b[1] for b in boxes], axis=0), lower)

    def key(self) -> str:
        return content_key("Intersection", sorted(part.key() for part in self.parts))


@dataclass(frozen=True, eq=False)
class Difference(Solid):
    """What is left of `whole` without `cut`."""

    whole: Solid
    cut: Solid

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        points = points_array(points)
        return np.maximum(self.whole.distance(points), -self.cut.distance(points))

    @property
    def bounds(self) -> Bounds:
        return self.whole.bounds

    def key(self) -> str:
        return content_key("Difference", self.whole, self.cut)


@dataclass(frozen=True, eq=False)
class Complement(Solid):
    """Everything that does not lie in `of`."""

    of: Solid

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        return -self.of.distance(points)

    @property
    def bounds(self) -> Bounds:
        return np.full(3, -np.inf), np.full(3, np.inf)

    def key(self) -> str:
        return content_key("Complement", self.of)


@dataclass(frozen=True, eq=False)
class Offset(Solid):
    """`of` grown by `amount` mm (shrunk where negative). As exact as the distance of `of` is off its surface."""

    of: Solid
    amount: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.amount):
            raise GeometryError(
                f"offset = {self.amount!r} mm is not finite.", "The solid has no size.", "Give a number."
            )

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        return self.of.distance(points) - self.amount

    @property
    def bounds(self) -> Bounds:
        lower, upper = self.of.bounds
        # Shrinking by more than the half width leaves nothing: a box of no size, not one inside out.
        middle = np.where(np.isfinite(lower + upper), (lower + upper) / 2, 0.0)
        lower, upper = lower - self.amount, upper + self.amount
        return np.where(lower > upper, middle, lower), np.where(lower > upper, middle, upper)

    def key(self) -> str:
        return content_key("Offset", self.of, float(self.amount))


@dataclass(frozen=True, eq=False)
class SmoothUnion(Solid):
    """Union whose inner edges are filled by a fillet; curvature is continuous.

    Parameters
    ----------
    parts : tuple of Solid
        Joined in order.
    blend : tuple of float
        Width in mm of the fillet with which part ``i + 1`` joins what stands before it; 0 is a sharp edge.

    Notes
    -----
    Cubic smooth minimum, min(a, b) - h^3 k / 6 with h = max(k - |a - b|, 0) / k: two equal distances are lowered by
    k / 6 (Quilez, *Smooth minimum*, iquilezles.org). In the fillet the magnitude of the gradient is below 1.
    """

    parts: tuple[Solid, ...]
    blend: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_parts(self.parts)
        if len(self.blend) != len(self.parts) - 1 or not all(np.isfinite(k) and k >= 0 for k in self.blend):
            raise GeometryError(
                f"blend = {self.blend!r} does not fit {len(self.parts)} parts.",
                "Every part after the first needs the width of its fillet.",
                "Give one number of 0 mm or more for each part after the first.",
            )

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        points = points_array(points)
        result = self.parts[0].distance(points)
        for part, blend in zip(self.parts[1:], self.blend, strict=True):
            # where even the part's box is farther than the fillet reaches, the part changes nothing
            away = box_distance(points, part.bounds)
            near = np.flatnonzero((away == 0.0) | (away < result + blend))
            result[near] = smooth_minimum(result[near], part.distance(points[near]), blend)
        return result

    @property
    def bounds(self) -> Bounds:
        lower, upper = Union(self.parts).bounds
        # The fillets can stand proud by a sixth of their width each.
        margin = sum(self.blend) / 6.0
        return lower - margin, upper + margin

    def key(self) -> str:
        return content_key("SmoothUnion", self.parts, tuple(float(k) for k in self.blend))


@dataclass(frozen=True, eq=False)
class SmoothDifference(Solid):
    """`whole` without `cut`, its new edges rounded over `blend` mm."""

    whole: Solid
    cut: Solid
    blend: float

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        points = points_array(points)
        return -smooth_minimum(-self.whole.distance(points), self.cut.distance(points), self.blend)

    @property
    def bounds(self) -> Bounds:
        return self.whole.bounds

    def key(self) -> str:
        return content_key("SmoothDifference", self.whole, self.cut, float(self.blend))


def smooth_minimum(a: NDArray[np.float64], b: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Minimum of two arrays, rounded where they differ by less than `width` (cubic, twice differentiable)."""
    if width <= 0.0:
        return np.minimum(a, b)
    h = np.maximum(width - np.abs(a - b), 0.0) / width
    return np.minimum(a, b) - h * h * h * (width / 6.0)


def box_distance(points: NDArray[np.float64], box: Bounds) -> NDArray[np.float64]:
    """Distance (n,) of points (n, 3) to a box, 0 inside: a lower bound of the distance to anything in it."""
    away = np.zeros(len(points))
    for d in range(3):
        gap = np.maximum(np.maximum(box[0][d] - points[:, d], points[:, d] - box[1][d]), 0.0)
        away += gap * gap
    return np.sqrt(away)


def union(*solids: Solid) -> Solid:
    """Union of one or more solids, flattened."""
    parts = [part for s in solids for part in (s.parts if isinstance(s, Union) else (s,))]
    return parts[0] if len(parts) == 1 else Union(tuple(parts))


def intersection(*solids: Solid) -> Solid:
    """Intersection of one or more solids, flattened."""
    parts = [part for s in solids for part in (s.parts if isinstance(s, Intersection) else (s,))]
    return parts[0] if len(parts) == 1 else Intersection(tuple(parts))


def difference(whole: Solid, *cuts: Solid) -> Solid:
    """`whole` without all of `cuts`."""
    return Difference(whole, union(*cuts)) if cuts else whole


def _check_parts(parts: tuple[Solid, ...]) -> None:
    if not parts:
        raise GeometryError("A union or intersection of nothing was asked for.", "It has no shape.", "Give a solid.")
