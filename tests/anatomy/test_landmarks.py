"""Frame and landmarks found from the surface of a parametric bone, where the truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from femsim import anatomy
from femsim.anatomy import Bone, find_anatomy

BONES: dict[str, dict[str, Any]] = {
    "femur": {},
    "humerus": {"side": "left", "retroversion": 40.0},
    "tibia": {"torsion": 35.0},
}
#: mm. What is drawn as the middle of a landmark and what is found as its extreme need not be the same point.
NEAR = {
    "femur": {"head_centre": 0.1, "greater_trochanter": 0.5, "knee_centre": 2.0, "neck_centre": 2.5},
    "humerus": {"head_centre": 0.3, "elbow_centre": 1.0, "greater_tubercle": 2.0, "lateral_epicondyle": 1.0},
    "tibia": {"medial_malleolus": 1.0, "tibial_tuberosity": 2.0, "knee_centre": 2.0},
}


def made(kind: str) -> Bone:
    return getattr(anatomy, kind)(**BONES[kind])  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", BONES)
def test_frame_and_landmarks_of_a_turned_bone_are_those_it_was_drawn_with(kind: str) -> None:
    bone = made(kind)
    turn, shift = Rotation.random(random_state=3).as_matrix(), np.array([40.0, -300.0, 7.0])
    points, triangles = bone.surface
    found = find_anatomy(points @ turn.T + shift, triangles, kind)
    assert found.frame.side == bone.side
    axes = found.frame.axes @ turn
    angles = np.degrees(np.arccos(np.clip((axes * bone.frame.axes).sum(axis=1), -1.0, 1.0)))
    assert angles.max() < 0.3
    assert found.length == pytest.approx(bone.length, rel=1e-3)
    for name in set(found.landmarks) & set(bone.landmarks):
        away = np.linalg.norm((found.landmarks[name] - shift) @ turn - bone.landmarks[name])
        assert away < NEAR[kind].get(name, 5.0), name
    line = found.centreline.point(np.linspace(0.25, 0.75, 11))
    truth = bone.centreline.point(np.linspace(0.25, 0.75, 11))
    assert np.linalg.norm((line - shift) @ turn - truth, axis=1).max() < 0.8


@pytest.mark.parametrize("kind", ["femur", "humerus"])
def test_axis_of_the_neck_is_the_one_drawn(kind: str) -> None:
    bone = made(kind)
    found = find_anatomy(*bone.surface, kind)
    one = found.landmarks["head_centre"] - found.landmarks["neck_centre"]
    two = bone.landmarks["head_centre"] - bone.landmarks["neck_base"]
    assert np.degrees(np.arccos(one @ two / np.linalg.norm(one) / np.linalg.norm(two))) < 1.0
