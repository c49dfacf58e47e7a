"""Head and neck of a femur or humerus, from the outer surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy._sections import area_centroid, section_segments
from femsim.errors import GeometryError

Array = NDArray[np.float64]
#: First guess of the head's radius in lengths of the bone.
RADIUS = {"femur": 0.052, "humerus": 0.074}
#: Where the narrowest section of the neck is looked for, in head radii from the centre.
NECK = {"femur": (0.75, 1.7), "humerus": (0.2, 0.7)}
# How far the articular surface may lie off the sphere, in radii: noise of a surface, less than the step to the neck.
_ON_SPHERE = 0.016


@dataclass(frozen=True, eq=False)
class Head:
    """Sphere of the joint head and centroid of the narrowest section of the neck; mm."""

    centre: Array
    radius: float
    neck: Array


def find_head(points: Array, corners: Array, origin: Array, axis: Array, length: float, kind: str) -> Head:
    """Fit the head from the vertex of the proximal end that lies farthest off the long axis.

    Sphere (trimmed least squares on the cap that faces away from the neck) and neck (narrowest section across the
    line from the shaft to the head) are improved in turn.
    """
    height = (points - origin) @ axis
    off = points - origin - np.outer(height, axis)
    top = np.flatnonzero(height > 0.8 * length)
    seed = top[np.argmax(np.linalg.norm(off[top], axis=1))]
    medial = off[seed] / np.linalg.norm(off[seed])
    radius = RADIUS[kind] * length
    along = (medial + axis) / np.sqrt(2.0)
    centre = points[seed] - radius * medial
    neck = centre - radius * along
    upper = points[top]
    for _ in range(6):
        centre, radius = _sphere(upper, centre, radius, along, RADIUS[kind] * length)
        neck = _neck(corners, centre, radius, along, NECK[kind])
        along = (centre - neck) / np.linalg.norm(centre - neck)
    if kind == "humerus":
        # its neck is too short to have an axis; the articular surface has one
        along = _articular_axis(corners, centre, radius, along)
        neck = centre - sum(NECK[kind]) / 2 * radius * along
    return Head(centre, radius, neck)


def _articular_axis(corners: Array, centre: Array, radius: float, fallback: Array) -> Array:
    """Axis of the cap of triangles that lie on the sphere of the head: its mean direction, weighted by area.

    `fallback`, where less than a seventh of the sphere is found.
    """
    middle = corners.mean(axis=1)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outward = (middle - centre) / np.linalg.norm(middle - centre, axis=1, keepdims=True)
    area = 0.5 * np.linalg.norm(normal, axis=1)
    on = np.abs(np.linalg.norm(middle - centre, axis=1) - radius) < _ON_SPHERE * radius
    on &= np.einsum("ij,ij->i", normal, outward) > 0.99 * 2 * area
    if area[on].sum() < 4 * np.pi * radius**2 / 7:
        return fallback
    axis = (area[on, None] * outward[on]).sum(axis=0)
    unit: Array = axis / np.linalg.norm(axis)
    return unit


def _sphere(points: Array, centre: Array, radius: float, along: Array, guess: float) -> tuple[Array, float]:
    for round_ in range(25):
        away = points - centre
        distance = np.linalg.norm(away, axis=1)
        # Wide at first, so that a poor start still catches the head.
        width = max(0.06, 0.35 * 0.85**round_) * radius
        chosen = points[(np.abs(distance - radius) < width) & (away @ along > -0.1 * distance)]
        if len(chosen) < 8:
            raise GeometryError(
                f"No joint head is found near ({centre[0]:.1f}, {centre[1]:.1f}, {centre[2]:.1f}) mm.",
                "Loads and sites are placed by it.",
                "Check that the kind of bone is right and that the surface holds its proximal end.",
            )
        middle = chosen.mean(axis=0)
        local = chosen - middle
        system = np.column_stack([2.0 * local, np.ones(len(local))])
        found = np.linalg.lstsq(system, (local**2).sum(axis=1), rcond=None)[0]
        centre = found[:3] + middle
        radius = float(np.clip(np.sqrt(found[3] + found[:3] @ found[:3]), 0.6 * guess, 1.6 * guess))
    return centre, radius


def _neck(corners: Array, centre: Array, radius: float, along: Array, span: tuple[float, float]) -> Array:
    best, narrowest = centre - span[1] * radius * along, np.inf
    for share in np.linspace(*span, 16):
        at = centre - share * radius * along
        segments = section_segments(corners, at, along)
        near = np.linalg.norm(segments.mean(axis=1) - at, axis=1) < 1.4 * radius
        area, middle = area_centroid(segments[near], at, along)
        if 0.1 * radius**2 < area < narrowest:
            best, narrowest = middle, area
    return best
