"""Bones from a labelled image and from the shape model, against the surfaces they must agree with."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from femsim.anatomy import bone_from_labels, bone_from_surfaces, find_anatomy, read_surface
from femsim.anatomy.distance import surface_solid
from femsim.anatomy.labels import label_surface
from femsim.anatomy.shape_model import shape_surface
from femsim.errors import FemsimWarning, GeometryError, InputError

DATA = Path(__file__).parents[2] / "../shared/data"
REAL = DATA / "femur_real"


def ball(radius: float, shift: float = 0.0, size: int = 40) -> np.ndarray:
    at = np.indices((size,) * 3).transpose(1, 2, 3, 0) - size / 2
    return np.linalg.norm(at - [shift, 0, 0], axis=-1) <= radius


def test_a_ball_of_voxels_is_a_ball_where_the_affine_puts_it() -> None:
    affine = np.diag([-1.0, 1.0, 2.0, 1.0])
    affine[:3, 3] = [5.0, 0.0, 1.0]
    found = label_surface(ball(12.0), affine, "ball")
    centre = affine[:3, :3] @ [20, 20, 20] + affine[:3, 3]
    radius = np.linalg.norm((found.points - centre) / [1, 1, 2], axis=1)
    assert abs(radius.mean() - 12.0) < 0.15
    assert np.abs(radius - 12.0).max() < 0.5


def test_labels_that_are_no_whole_bone_are_refused_with_place_and_count() -> None:
    two = ball(6.0, -10.0) | ball(6.0, 10.0)
    with pytest.raises(GeometryError, match=r"2 separate parts; the second, of \d+ voxels, lies at"):
        label_surface(two, np.eye(4), "two")
    with pytest.raises(GeometryError, match=r"touches the border of the image with \d+ voxels"):
        label_surface(ball(12.0, 15.0), np.eye(4), "cut")
    stray = ball(12.0)
    stray[1, 1, 1] = True
    assert "dropped 1 stray parts of 1 voxels" in label_surface(stray, np.eye(4), "stray").notes[0]


def test_missing_nibabel_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(InputError, match="nibabel is not installed") as caught:
        bone_from_labels("bone.nii.gz")
    assert "femsim[images]" in caught.value.do


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real femur in ../shared/data")
def test_the_image_gives_the_bone_of_the_surfaces() -> None:
    """Voxels of 1 mm: mean distance below 0.2 mm, none beyond one voxel; directions within 0.2 degrees."""
    pytest.importorskip("nibabel")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)
        one = bone_from_labels(REAL / "femur_labels_1mm.nii.gz")
        two = bone_from_surfaces(REAL / "femur_periosteal_12k.stl", REAL / "femur_endosteal.stl")
    away = np.abs(two.periosteum.distance(one.surface[0]))
    assert away.mean() < 0.2
    assert away.max() < 1.0
    line = one.centreline.point(np.linspace(0.2, 0.8, 13))
    assert np.abs(one.endosteum.distance(line) - two.endosteum.distance(line)).max() < 0.5
    assert one.side == two.side == "left"
    turn = np.degrees(np.arccos(np.clip((one.frame.axes * two.frame.axes).sum(axis=1), -1, 1)))
    assert turn.max() < 0.2
    for name in ("head_centre", "greater_trochanter", "knee_centre"):
        assert np.linalg.norm(one.landmarks[name] - two.landmarks[name]) < 1.0


def shapes() -> None:
    try:
        shape_surface("tibia")
    except InputError:
        pytest.skip("needs musculoskeletal-models")


@pytest.mark.parametrize("kind", ["femur", "tibia"])
def test_mean_bone_is_the_stored_one(kind: str) -> None:
    """The stored surfaces were evaluated by another program."""
    shapes()
    stored = DATA / f"femur_tibia_mean/{kind}_left_mean.stl"
    if not stored.is_file():
        pytest.skip(f"{stored.name} is not there")
    one, two = shape_surface(kind), read_surface(stored)
    for first, second in ((one, two), (two, one)):
        away = np.abs(surface_solid(second.points, second.triangles).distance(first.points))
        assert away.mean() < 0.06
        assert away.max() < 0.5


@pytest.mark.parametrize("kind", ["femur", "tibia"])
@pytest.mark.parametrize("mode", [1, 2, 3])
def test_two_deviations_to_either_side_are_bones(kind: str, mode: int) -> None:
    shapes()
    low, mean, high = (
        find_anatomy(one.points, one.triangles, kind)
        for one in (shape_surface(kind, {mode: score}) for score in (-2.0, 0.0, 2.0))
    )
    assert low.frame.side == mean.frame.side == high.frame.side == "left"
    assert abs((low.length + high.length) / 2 - mean.length) < 2.0
    if kind == "femur":
        for one in (low, high):
            assert 18.0 < one.measures["head_radius"] < 28.0
            assert -10.0 < one.measures["anteversion"] < 35.0
    if mode == 1:
        assert abs(high.length - low.length) > 40.0


def test_what_the_model_does_not_hold_is_refused() -> None:
    shapes()
    for bone, scores in (("humerus", {}), ("femur", {0: 1.0}), ("femur", {1: 4.0}), ("femur", {26: 1.0})):
        with pytest.raises(InputError):
            shape_surface(bone, scores)
