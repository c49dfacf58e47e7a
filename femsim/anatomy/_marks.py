"""Named points on the surface of a bone whose frame is known.

A landmark that is the extreme of a coordinate is the middle of the cap within `_DEPTH` of it, moved out to the extreme:
the single outermost vertex of a flat condyle or of a decimated surface lies anywhere on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy.frame import Frame

Array = NDArray[np.float64]

# Height of the cap over the length of the bone: 1.8 mm of 455.
_DEPTH = 0.004


@dataclass(frozen=True, eq=False)
class _Skin:
    """Vertices (p, 3) in the frame, in lengths of the bone, and the area that belongs to each."""

    local: Array
    area: Array

    def extreme(self, direction: tuple[float, float, float], among: NDArray[np.bool_]) -> Array:
        """Point (3,) farthest along `direction` among some vertices."""
        towards = np.array(direction) / np.linalg.norm(direction)
        local, area = self.local[among], self.area[among]
        score = local @ towards
        cap = score > score.max() - _DEPTH
        middle = np.average(local[cap], axis=0, weights=area[cap])
        point: Array = middle + (score.max() - middle @ towards) * towards
        return point


def surface_landmarks(
    points: Array, triangles: NDArray[np.int64], frame: Frame, length: float, kind: str
) -> dict[str, Array]:
    """Landmarks that follow from the surface and the frame alone, mm."""
    corners = points[triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 6.0
    weight = np.bincount(triangles.ravel(), np.repeat(area, 3), minlength=len(points))
    skin = _Skin(frame.to_local(points) / length, weight + 1e-9 * weight.max())
    marks = {"femur": _femur, "humerus": _humerus, "tibia": _tibia}[kind](skin)
    return {name: frame.to_world(length * point) for name, point in marks.items()}


def _distal_centre(skin: _Skin) -> Array:
    low = skin.local[skin.local[:, 2] < 0.06]
    return np.array([*((low.min(axis=0) + low.max(axis=0)) / 2)[:2], 0.0])


def _tibia(skin: _Skin) -> dict[str, Array]:
    z = skin.local[:, 2]
    top = skin.local[z > 0.94]
    middle = (top.min(axis=0) + top.max(axis=0)) / 2
    return {
        "distal_centre": _distal_centre(skin),
        "medial_malleolus": skin.extreme((0.0, 0.0, -1.0), z < 0.1),
        "knee_centre": np.array([middle[0], middle[1], top[:, 2].max()]),
        "tibial_tuberosity": skin.extreme((0.0, 1.0, 0.0), (z > 0.84) & (z < 0.93)),
    }


def _epicondyles(skin: _Skin) -> dict[str, Array]:
    low = skin.local[:, 2] < 0.12
    return {
        "lateral_epicondyle": skin.extreme((1.0, 0.0, 0.0), low),
        "medial_epicondyle": skin.extreme((-1.0, 0.0, 0.0), low),
    }


def _humerus(skin: _Skin) -> dict[str, Array]:
    x, _, z = skin.local.T
    marks = _epicondyles(skin)
    return marks | {
        "distal_centre": _distal_centre(skin),
        "elbow_centre": (marks["lateral_epicondyle"] + marks["medial_epicondyle"]) / 2,
        "greater_tubercle": skin.extreme((1.0, 0.0, 0.0), (z > 0.85) & (x > 0)),
    }


def _femur(skin: _Skin) -> dict[str, Array]:
    x, _, z = skin.local.T
    marks = _epicondyles(skin)
    marks["knee_centre"] = (marks["lateral_epicondyle"] + marks["medial_epicondyle"]) / 2
    for name, side in (("lateral_condyle", x > 0), ("medial_condyle", x < 0)):
        marks[name] = skin.extreme((0.0, 0.0, -1.0), side & (z < 0.12))
    marks["distal_centre"] = (marks["lateral_condyle"] + marks["medial_condyle"]) / 2
    tip = skin.extreme((0.0, 0.0, 1.0), (z > 0.85) & (x > 0.0))
    lesser = _lesser_trochanter(skin, float(tip[2]))
    level = tip[2] - 0.6 * (tip[2] - lesser[2])
    origin = skin.extreme((1.0, 0.0, 0.0), np.abs(z - level) < 0.02)
    origin[2] = level
    return marks | {"greater_trochanter": tip, "lesser_trochanter": lesser, "vastus_lateralis_origin": origin}


def _lesser_trochanter(skin: _Skin, tip: float) -> Array:
    """The bulge towards posteromedial below the tip, above the line between the ends of its belt."""
    z = skin.local[:, 2]
    reach = -(0.5 * skin.local[:, 0] + 0.866 * skin.local[:, 1])
    at = [np.flatnonzero((z >= a) & (z < b)) for a, b in pairwise(np.linspace(tip - 0.21, tip - 0.09, 25))]
    best = np.array([i[np.argmax(reach[i])] for i in at if len(i)])
    straight = np.interp(z[best], [z[best[0]], z[best[-1]]], [reach[best[0]], reach[best[-1]]])
    point: Array = skin.local[best[int(np.argmax(reach[best] - straight))]]
    return point
