"""Placing catheters in the medullary canal: lines, bundles, and whether they fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy.bone import Bone
from femsim.errors import GeometryError

Floats = NDArray[np.float64]

#: Distance between the points of a catheter's line, mm.
STEP = 3.0
#: Points around a catheter at which it is asked whether it lies in the canal.
AROUND = 72


def bundle(count: int, diameter: float, gap: float) -> Floats:
    """Places (count, 2) mm of equal circles packed round the origin without touching.

    One lies in the middle, two to six on a ring, seven and more with one in the middle of the ring.
    """
    if count == 1:
        return np.zeros((1, 2))
    ring = count - 1 if count >= 7 else count
    angle = 2.0 * np.pi * np.arange(ring) / ring
    # neighbours on the ring, and the ring round a middle one, keep the gap
    radius = (diameter + gap) / (2.0 * np.sin(np.pi / ring))
    if ring < count:
        radius = max(radius, diameter + gap)
    places = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.concatenate([np.zeros((1, 2)), places]) if ring < count else places


def line(bone: Bone, low: float, high: float) -> tuple[Floats, Floats]:
    """The canal's axis between two positions, in steps of about `STEP` mm.

    Returns
    -------
    fractions : (k,) float64
        Positions along the bone.
    points : (k, 3) float64
        mm.
    """
    steps = max(2, int(np.ceil((high - low) * bone.length / STEP)) + 1)
    fractions = np.linspace(low, high, steps)
    return fractions, bone.centreline.point(fractions)


def cross_axes(bone: Bone, fractions: Floats) -> tuple[Floats, Floats, Floats]:
    """Unit vectors (k, 3) along the canal, and across it towards lateral and towards anterior."""
    along = bone.centreline.tangent(fractions)
    lateral = bone.frame.lateral - (along @ bone.frame.lateral)[:, None] * along
    lateral /= np.linalg.norm(lateral, axis=1, keepdims=True)
    anterior = bone.frame.anterior - (along @ bone.frame.anterior)[:, None] * along
    anterior -= np.einsum("ij,ij->i", anterior, lateral)[:, None] * lateral
    anterior /= np.linalg.norm(anterior, axis=1, keepdims=True)
    return along, lateral, anterior


def shifted(bone: Bone, fractions: Floats, points: Floats, offset: Floats) -> Floats:
    """A line parallel to the canal's axis, shifted by `offset` (lateral, anterior) mm; (k, 3)."""
    _, lateral, anterior = cross_axes(bone, fractions)
    return points + offset[0] * lateral + offset[1] * anterior


def clearances(bone: Bone, fractions: Floats, points: Floats, radius: float) -> Floats:
    """Smallest distance (k,) mm from a round tube about a line to the endosteum; negative where it leaves the canal.

    The ends are half balls: the line's first and last point stand for them.
    """
    along, lateral, anterior = cross_axes(bone, fractions)
    angle = 2.0 * np.pi * np.arange(AROUND) / AROUND
    ring = np.cos(angle)[None, :, None] * lateral[:, None] + np.sin(angle)[None, :, None] * anterior[:, None]
    skin = points[:, None] + radius * ring
    free = -bone.endosteum.distance(skin.reshape(-1, 3)).reshape(skin.shape[:2]).max(axis=1)
    tips = np.stack([points[0] - radius * along[0], points[-1] + radius * along[-1]])
    ends = -bone.endosteum.distance(tips)
    free[0], free[-1] = min(free[0], ends[0]), min(free[-1], ends[1])
    return np.asarray(free)


def place(
    bone: Bone,
    low: float,
    high: float,
    layout: Floats,
    radius: float,
    clearance: float,
    direction: Floats | None,
    offset: float | None,
) -> list[Floats]:
    """Lines of a bundle of catheters between two positions along the bone.

    Parameters
    ----------
    bone : Bone
        Canal and centreline.
    low, high : float
        Positions of the ends of the lines.
    layout : (c, 2) float64
        From `bundle`.
    radius : float
        Outer radius of each, mm.
    clearance : float
        Distance to keep from the endosteum, mm.
    direction : (2,) float64 or None
        Unit vector (lateral, anterior) towards which the bundle is shifted; None is centred.
    offset : float or None
        By how much, mm; None with a direction: as far as the canal allows.

    Returns
    -------
    list of (k, 3) float64
        A line for each, mm.

    Raises
    ------
    GeometryError
        If the bundle does not fit, naming the narrowest place and its width.
    """
    fractions, axis = line(bone, low, high)

    def free(shift: Floats) -> Floats:
        lines = (shifted(bone, fractions, axis, shift + one) for one in layout)
        return np.asarray(np.min([clearances(bone, fractions, one, radius) for one in lines], axis=0))

    shift = np.zeros(2)
    if direction is not None and offset is not None:
        shift = offset * direction
    room = free(shift)
    if room.min() < clearance:
        raise _too_wide(bone, fractions, axis, room, layout, radius, clearance, shift)
    if direction is not None and offset is None:
        shift = _furthest(free, direction, clearance)
    return [shifted(bone, fractions, axis, shift + one) for one in layout]


def _furthest(free: Callable[[Floats], Floats], direction: Floats, clearance: float) -> Floats:
    low, high = 0.0, 1.0
    while free(high * direction).min() >= clearance and high < 64.0:
        low, high = high, 2.0 * high
    for _ in range(12):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if free(middle * direction).min() >= clearance else (low, middle)
    return low * direction


def _too_wide(
    bone: Bone,
    fractions: Floats,
    axis: Floats,
    room: Floats,
    layout: Floats,
    radius: float,
    clearance: float,
    shift: Floats,
) -> GeometryError:
    worst = int(np.argmin(room))
    needed = 2.0 * (float(np.linalg.norm(layout, axis=1).max()) + radius + clearance)
    # Distance from the axis to the wall is the radius of the largest centred circle.
    width = 2.0 * max(0.0, -float(bone.endosteum.distance(axis[worst : worst + 1])[0]))
    what = "The catheter is" if len(layout) == 1 else f"The bundle of {len(layout)} catheters is"
    off = f", shifted by {np.linalg.norm(shift):.1f} mm," if shift.any() else ""
    good = np.flatnonzero(room >= clearance)
    reach = ""
    if len(good) and (worst < good[0] or worst > good[-1]):
        reach = f" Between {fractions[good[0]]:.1%} and {fractions[good[-1]]:.1%} of the bone it would fit."
    place = f"at {fractions[worst]:.1%} of the bone ({fractions[worst] * bone.length:.0f} mm from the distal end)"
    there = f"the canal is {width:.1f} mm wide round its axis" if width > 0.0 else "the axis of the canal has left it"
    return GeometryError(
        f"{what} wider than the canal: with its clearance it needs {needed:.1f} mm{off} but {place} {there}.",
        f"It would run into the cortex by {clearance - room[worst]:.1f} mm." + reach,
        "Use fewer or thinner catheters, a smaller past_lesion, or another position.",
    )
