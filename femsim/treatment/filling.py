"""The shape of cement in a lesion: partial filling under gravity, and voids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy.bone import Bone
from femsim.errors import GeometryError
from femsim.solid import HalfSpace, Solid, Sphere, intersection, union
from femsim.solid.query import volume

Floats = NDArray[np.float64]

#: Cells across the shortest side of the box of a lesion when its volume is counted.
CELLS_ACROSS = 48
#: Smallest bridge of cement between two voids, and between a void and the surface of the cement, mm.
VOID_BRIDGE = 0.3
#: Random places tried for all voids of one filling before it is said that they do not fit.
VOID_TRIES = 20_000


def partial_fill(lesion: Solid, bone: Bone, fraction: float, down: Floats) -> Solid:
    """The lower part of a lesion, of a wanted share of its volume inside the bone.

    Parameters
    ----------
    lesion : Solid
        The cavity.
    bone : Bone
        Its periosteum bounds the cavity where the lesion breaches the cortex.
    fraction : float
        Wanted share of the volume, 0 < fraction <= 1.
    down : (3,) float64
        Direction of gravity, in the coordinates of the bone.

    Returns
    -------
    Solid
        The lesion itself when `fraction` is 1, so that both share one surface.

    Raises
    ------
    GeometryError
        If no part of the lesion lies inside the bone.
    """
    weight, heights, cell = _counted(lesion, bone, down)
    if fraction >= 1.0:
        return lesion
    # Every counted cell is spread over its own extent along gravity; without this the level would move in steps.
    low, high = float(heights.min() - cell), float(heights.max() + cell)
    wanted = fraction * float(weight.sum())
    for _ in range(60):
        level = 0.5 * (low + high)
        below = float((weight * np.clip((heights - level) / cell + 0.5, 0.0, 1.0)).sum())
        low, high = (level, high) if below > wanted else (low, level)
    direction = down / np.linalg.norm(down)
    return intersection(lesion, HalfSpace(direction * low, -direction))


def _counted(lesion: Solid, bone: Bone, down: Floats) -> tuple[Floats, Floats, float]:
    """Volume share of grid cells, their height along gravity, and the extent of a cell along it."""
    inside = intersection(lesion, bone.periosteum)
    lower, upper = inside.bounds
    side = float(np.min(upper - lower))
    if not np.isfinite(side) or side <= 0.0:
        raise _nothing_to_fill()
    spacing = side / CELLS_ACROSS
    axes = [np.arange(a - spacing, b + 2 * spacing, spacing) for a, b in zip(lower, upper, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    share = np.clip(0.5 - inside.distance(points) / spacing, 0.0, 1.0)
    points, share = points[share > 0], share[share > 0]
    if not len(share):
        raise _nothing_to_fill()
    direction = down / np.linalg.norm(down)
    return share, points @ direction, spacing * float(np.abs(direction).sum())


def _nothing_to_fill() -> GeometryError:
    return GeometryError(
        "The lesion has no volume inside the bone.",
        "There is nothing that cement could fill.",
        "Move the lesion into the bone, or make it larger.",
    )


def with_voids(cement: Solid, bone: Bone, fraction: float, diameter: float, seed: int) -> Solid:
    """Cement with round voids at random places.

    Parameters
    ----------
    cement : Solid
        The cement.
    bone : Bone
        Voids are placed inside its periosteum only.
    fraction : float
        Share of the cement's volume that is void; 0 returns `cement` itself.
    diameter : float
        Of each void, mm.
    seed : int
        The same seed gives the same voids.

    Raises
    ------
    GeometryError
        If so many voids of that size do not fit.
    """
    if fraction <= 0.0:
        return cement
    inside = intersection(cement, bone.periosteum)
    lower, upper = inside.bounds
    total = volume(inside, float(np.min(upper - lower)) / CELLS_ACROSS)
    radius = diameter / 2.0
    one = 4.0 / 3.0 * np.pi * radius**3
    count = round(fraction * total / one)
    if count == 0:
        raise GeometryError(
            f"One void of {diameter:g} mm is {one / total:.0%} of the {total / 1000:.2f} mL of cement.",
            f"A share of {fraction:.0%} cannot be made of such voids.",
            "Give a smaller void_diameter, or a larger void_fraction.",
        )
    centres = _places(inside, count, radius, np.random.default_rng(seed))
    if len(centres) < count:
        raise GeometryError(
            f"Only {len(centres)} of {count} voids of {diameter:g} mm fit into {total / 1000:.2f} mL of cement.",
            f"{fraction:.0%} of voids cannot be placed without touching one another or the surface.",
            "Lower void_fraction, or change void_diameter.",
        )
    return cement - union(*(Sphere(centre, radius) for centre in centres))


def _places(inside: Solid, count: int, radius: float, random: np.random.Generator) -> list[Floats]:
    lower, upper = inside.bounds
    tries = random.uniform(lower, upper, size=(VOID_TRIES, 3))
    tries = tries[inside.distance(tries) <= -(radius + VOID_BRIDGE)]
    centres: list[Floats] = []
    for point in tries:
        if len(centres) == count:
            break
        if all(np.linalg.norm(point - other) >= 2 * radius + VOID_BRIDGE for other in centres):
            centres.append(point)
    return centres
