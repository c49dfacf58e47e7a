"""Anatomical frame and landmarks of a femur, humerus or tibia, found from its outer surface in any orientation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from femsim.anatomy._head import Head, find_head
from femsim.anatomy._marks import surface_landmarks
from femsim.anatomy._sections import area_centroid, section_segments, volume_moments
from femsim.anatomy.frame import Centreline, Frame
from femsim.errors import GeometryError, InputError

Array = NDArray[np.float64]
KINDS = ("femur", "humerus", "tibia")


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What `find_anatomy` found.

    Attributes
    ----------
    frame, centreline, landmarks, length
        As in `Bone`.
    measures : mapping of str to float
        ``head_radius`` mm, ``neck_shaft_angle`` and ``anteversion`` in degrees (retroversion is negative), where the
        bone has a head; ``side_evidence``, 0 (none) to 1, the share by which the signs of anterior agree.
    notes : tuple of str
        What the user should know.
    """

    frame: Frame
    centreline: Centreline
    landmarks: Mapping[str, Array]
    length: float
    measures: Mapping[str, float]
    notes: tuple[str, ...] = ()


def find_anatomy(points: Array, triangles: NDArray[np.int64], kind: str, side: str | None = None) -> Anatomy:
    """Frame and landmarks of a whole bone.

    Parameters
    ----------
    points, triangles : (p, 3) float64 mm, (t, 3) int
        Closed, outward surface of the whole bone.
    kind : {"femur", "humerus", "tibia"}
    side : {"left", "right"}, optional
        If the shape says otherwise, an `InputError` is raised.

    Notes
    -----
    The long axis is the line through the centroids of sections from 25 % to 75 % of the length. The proximal end is
    the one farther off this axis for its area (femur), the rounder one (humerus), the larger one (tibia).
    """
    if kind not in KINDS or side not in (None, "left", "right"):
        raise InputError(
            f"kind = {kind!r}, side = {side!r} is not known.",
            "The landmarks cannot be found.",
            f"Use {', '.join(KINDS)}; left, right or nothing.",
        )
    corners = points[triangles]
    axis, through = _long_axis(corners)
    if not _proximal_first(corners, axis, through, kind):
        axis = -axis
    height = (points - through) @ axis
    origin, length = through + height.min() * axis, float(np.ptp(height))
    if float(np.sqrt(np.linalg.eigvalsh(volume_moments(corners)[2])[-1])) < 0.15 * length:
        raise GeometryError("The surface is no long bone.", "It has no long axis.", "Give a whole long bone.")
    head = None if kind == "tibia" else find_head(points, corners, origin, axis, length, kind)
    lateral, anterior, evidence = _directions(points, corners, origin, axis, length, kind, head)
    frame = Frame(origin, lateral, anterior, axis)
    if side is not None and side != frame.side:
        raise InputError(
            f"side = {side!r}, but the shape is that of a {frame.side} {kind}.",
            "Every direction on the bone would be mirrored.",
            "Correct the side, or leave it out.",
        )
    centreline = _centreline(corners, frame, length)
    marks = surface_landmarks(points, triangles, frame, length, kind)
    measures = {"side_evidence": evidence}
    notes = []
    if evidence < 0.5:
        notes.append(f"The side ({frame.side}) is weakly supported by the shape; give it if it is known.")
    if head is not None:
        marks |= {"head_centre": head.centre, "neck_centre": head.neck}
        along = head.centre - head.neck
        along = along / np.linalg.norm(along)
        measures |= {
            "head_radius": head.radius,
            "neck_shaft_angle": float(np.degrees(np.arccos(-along @ axis))),
            "anteversion": float(np.degrees(np.arctan2(along @ anterior, -(along @ lateral)))),
        }
    return Anatomy(frame, centreline, marks, length, measures, tuple(notes))


def _long_axis(corners: Array) -> tuple[Array, Array]:
    _, middle, spread = volume_moments(corners)
    axis = np.linalg.eigh(spread)[1][:, -1]
    for _ in range(4):
        height = (corners - middle) @ axis
        levels = height.min() + np.linspace(0.25, 0.75, 21) * np.ptp(height)
        centres = _centroids(corners, middle, axis, levels)
        middle = centres.mean(axis=0)
        new = np.linalg.svd(centres - middle)[2][0]
        axis = new * np.sign(new @ axis)
    return axis, middle


def _centroids(corners: Array, through: Array, axis: Array, levels: Array) -> Array:
    found = []
    for level in levels:
        at = through + level * axis
        area, centre = area_centroid(section_segments(corners, at, axis), at, axis)
        if area <= 0.0:
            raise GeometryError(
                f"The surface has no section at ({at[0]:.1f}, {at[1]:.1f}, {at[2]:.1f}) mm.",
                "The shaft has no axis there.",
                "Check that the file holds one whole bone.",
            )
        found.append(centre)
    return np.array(found)


def _end(corners: Array, axis: Array, through: Array, share: tuple[float, float]) -> tuple[float, Array, float]:
    """Mean area, centroid off the axis (3,) and roundness of sections over a share of the length (0 at -axis)."""
    height = (corners - through) @ axis
    levels = height.min() + np.linspace(*share, 7) * np.ptp(height)
    areas, centres, flat = [], [], []
    for level in levels:
        at = through + level * axis
        segments = section_segments(corners, at, axis)
        area, centre = area_centroid(segments, at, axis)
        areas.append(area)
        centres.append(centre - at)
        spread = np.linalg.eigvalsh(np.cov((segments[:, 0] - at).T))
        flat.append(float(spread[1] / spread[2]))
    return float(np.mean(areas)), np.average(centres, axis=0, weights=np.maximum(areas, 1e-9)), float(np.mean(flat))


def _proximal_first(corners: Array, axis: Array, through: Array, kind: str) -> bool:
    top, bottom = (_end(corners, a, through, (0.90, 0.98)) for a in (axis, -axis))
    if kind == "femur":
        # either alone fails on some people: condyles may hang back as far as the head hangs over
        return bool(np.linalg.norm(top[1]) * bottom[0] > np.linalg.norm(bottom[1]) * top[0])
    if kind == "humerus":
        return top[2] > bottom[2]
    return top[0] > bottom[0]


def _directions(
    points: Array, corners: Array, origin: Array, axis: Array, length: float, kind: str, head: Head | None
) -> tuple[Array, Array, float]:
    """Lateral, anterior and the agreement of the signs (0 to 1)."""
    height = (points - origin) @ axis / length
    if head is None:
        section = section_segments(corners, origin + 0.965 * length * axis, axis)[:, 0]
        region = points[height > 0.92]
        across = _widest(section - section.mean(axis=0), axis)
        tip = points[np.argmin(height)]
        low = points[height < 0.06]
        # The medial malleolus is the most distal part of a tibia.
        across = across * -np.sign((tip - (low.min(axis=0) + low.max(axis=0)) / 2) @ across)
    else:
        region = points[height < 0.12]
        if kind == "femur":
            # it is as deep as wide at its condyles: the head, turned forward by little, says which is the width
            across = origin - head.centre
            across = across - (across @ axis) * axis
            across /= np.linalg.norm(across)
        else:
            across = _widest(region - region.mean(axis=0), axis)
            across = across * -np.sign((head.centre - origin) @ across)
    front = np.cross(axis, across)
    votes = _front_votes(points, corners, origin, axis, length, kind, front, head)
    front = front * (1.0 if votes.sum() >= 0 else -1.0)
    evidence = float(abs(votes.sum()) / np.abs(votes).sum()) if np.abs(votes).sum() > 0 else 0.0
    if kind == "humerus":
        low = corners[((corners - origin) @ axis).max(axis=1) < 0.12 * length]
        across, front = _tip_line(low, across, front, axis, 0.004 * length)
    else:
        across, front = _posterior_line(region - origin, across, front, axis)
    return across, front, evidence


def _front_votes(
    points: Array, corners: Array, origin: Array, axis: Array, length: float, kind: str, front: Array, head: Head | None
) -> Array:
    """Signed pieces of evidence, in shares of the length, that `front` is anterior."""
    low = _end(corners, axis, origin, (0.02, 0.07))[1] @ front / length
    middle = _end(corners, axis, origin, (0.45, 0.55))[1] @ front / length
    if kind == "femur":
        # condyles behind the shaft, shaft bowed forward, head turned forward
        assert head is not None
        return np.array([-low, middle, 0.3 * float((head.centre - head.neck) @ front) / length])
    if kind == "humerus":
        # trochlea and capitulum bent forward, head turned backward
        assert head is not None
        return np.array([low, -float((head.centre - head.neck) @ front) / length])
    # plateau hangs over backward; the sections below it are drawn out forward to tuberosity and crest
    high = _end(corners, axis, origin, (0.94, 0.98))[1] @ front / length
    return np.array([-high, _skew(corners, origin, axis, front, length)])


def _skew(corners: Array, origin: Array, axis: Array, front: Array, length: float) -> float:
    total = []
    for level in np.linspace(0.45, 0.9, 10):
        at = origin + level * length * axis
        segments = section_segments(corners, at, axis)
        _, centre = area_centroid(segments, at, axis)
        x = (segments[:, 0] - centre) @ front
        total.append((x.max() + x.min()) / length)
    return float(np.mean(total))


def _widest(flat: Array, axis: Array) -> Array:
    """Direction across `axis` in which points reach farthest."""
    flat = flat - np.outer(flat @ axis, axis)
    first = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)[2][0]
    second = np.cross(axis, first)
    angles = np.radians(np.arange(-60.0, 60.5, 0.5))
    fan = np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * second
    best = fan[int(np.argmax(np.ptp(flat @ fan.T, axis=0)))]
    return best / np.linalg.norm(best)


def _posterior_line(region: Array, across: Array, front: Array, axis: Array) -> tuple[Array, Array]:
    """Directions of the line that touches both condyles of a femur or of a tibial plateau from behind.

    It bridges the notch between them: the longest edge of the convex hull, seen along the axis, that faces backwards.
    """
    flat = region @ np.stack([across, front], axis=1)
    ring = flat[ConvexHull(flat).vertices]
    edge = np.roll(ring, -1, axis=0) - ring
    length = np.linalg.norm(edge, axis=1)
    # counter-clockwise: the inside lies to the left of an edge, so one that runs along `across` faces backwards
    backwards = edge[:, 0] > np.cos(np.radians(50.0)) * length
    along = edge[int(np.argmax(np.where(backwards, length, 0.0)))]
    line = along[0] * across + along[1] * front
    line /= np.linalg.norm(line)
    return line, np.sign(np.cross(axis, across) @ front) * np.cross(axis, line)


def _tip_line(corners: Array, across: Array, front: Array, axis: Array, depth: float) -> tuple[Array, Array]:
    """Directions of the line between the middles of the caps, `depth` mm high, that reach farthest to either side."""
    side = np.sign(np.cross(axis, across) @ front)
    # points all over the triangles: the vertices of a coarse surface are too few
    steps = np.array([(i, j, 6 - i - j) for i in range(7) for j in range(7 - i)]) / 6.0
    where = np.einsum("ck,tkx->tcx", steps, corners).reshape(-1, 3)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    weight = np.repeat(area, len(steps))
    for _ in range(20):
        x = where @ across
        high, low = x > x.max() - depth, x < x.min() + depth
        line = np.average(where[high], axis=0, weights=weight[high]) - np.average(
            where[low], axis=0, weights=weight[low]
        )
        line = line - (line @ axis) * axis
        line /= np.linalg.norm(line)
        if line @ across > 1.0 - 1e-12:
            break
        across = line
    return across, side * np.cross(axis, across)


def _centreline(corners: Array, frame: Frame, length: float) -> Centreline:
    fractions = np.linspace(0.15, 0.8, 27)
    centres = _centroids(corners, frame.origin, frame.proximal, fractions * length)
    # The banding of segmented surfaces is no bow of the shaft: keep the smooth course (fourth order).
    local = frame.to_local(centres)
    course = np.column_stack([np.polyval(np.polyfit(fractions, local[:, d], 4), fractions) for d in (0, 1)])
    return Centreline(frame.to_world(np.column_stack([course, fractions * length])), fractions)
