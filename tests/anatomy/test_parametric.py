"""Parametric bones: what was asked for is measured back from their triangles, and they are sound."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from femsim.anatomy import (
    Bone,
    FemurShape,
    HumerusShape,
    TibiaShape,
    femur,
    humerus,
    measure_bone,
    preset,
    preset_sources,
    tibia,
)
from femsim.anatomy.measure import ANGLES, compare, measure_mesh
from femsim.anatomy.parametric import triangulated
from femsim.case import Mesh
from femsim.errors import GeometryError, InputError
from femsim.mesh import mesh_arrangement
from femsim.solid import Arrangement, gradient
from femsim.sourced import references

SMALL_FEMUR = {**preset("femur", "female", 10), "side": "left"}
STEEP_FEMUR = {"neck_shaft_angle": 134.0, "anteversion": 2.0, "antecurvation_radius": 1300.0, "offset": 38.0}
SMALL_HUMERUS = {**preset("humerus", "female", 30), "side": "left"}
SMALL_TIBIA = {**preset("tibia", "female", 10), "side": "left"}

CASES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "femur": (femur, FemurShape, {}),
    "femur small left": (femur, FemurShape, SMALL_FEMUR),
    "femur steep": (femur, FemurShape, STEEP_FEMUR),
    "humerus": (humerus, HumerusShape, {}),
    "humerus small left": (humerus, HumerusShape, SMALL_HUMERUS),
    "tibia": (tibia, TibiaShape, {}),
    "tibia small left": (tibia, TibiaShape, SMALL_TIBIA),
}


@pytest.mark.parametrize("name", CASES)
def test_parameters_are_measured_back(name: str) -> None:
    make, shape, changes = CASES[name]
    bone: Bone = make(**changes)
    asked = {k: v for k, v in dataclasses.asdict(shape(**changes)).items() if not isinstance(v, str)}
    found = measure_bone(bone.kind, bone.surface, triangulated(bone.endosteum, 1))
    misses = compare(asked, found)
    assert len(misses) >= 5
    wrong = {k: round(v, 2) for k, v in misses.items() if abs(v) > (1.0 if k in ANGLES else 2.0)}
    assert not wrong


@pytest.mark.parametrize("kind", ["femur", "humerus", "tibia"])
def test_parameters_are_measured_back_from_the_default_mesh(kind: str) -> None:
    """Elements of a comparison by default: the faces of the mesh, not the surfaces it was made from."""
    bone: Bone = CASES[kind][0]()
    solids = Arrangement(domain=bone.periosteum, solids={"endosteum": bone.endosteum}, layers=("endosteum",))
    made = mesh_arrangement(solids, Mesh().sizes(), surface=bone.surface)
    asked = {k: v for k, v in dataclasses.asdict(CASES[kind][1]()).items() if not isinstance(v, str)}
    misses = compare(asked, measure_mesh(kind, made))
    assert len(misses) >= 6
    assert not {k: round(v, 2) for k, v in misses.items() if abs(v) > (1.0 if k in ANGLES else 2.0)}


@pytest.mark.parametrize("name", CASES)
def test_surfaces_are_sound(name: str) -> None:
    bone: Bone = CASES[name][0](**CASES[name][2])
    points, triangles = bone.surface
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert (count == 2).all()
    a, b, c = (points[triangles[:, i]] for i in range(3))
    assert np.einsum("ij,ij->i", a, np.cross(b, c)).sum() > 0
    assert np.abs(bone.periosteum.distance(points)).max() < 0.05
    # close to the surface the value is a distance
    sample = points[:: len(points) // 400]
    for depth in (-1.0, 1.0):
        normal = gradient(bone.periosteum, sample, 0.05)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        value = bone.periosteum.distance(sample + depth * normal)
        assert np.percentile(np.abs(value - depth), 95) < 0.2


@pytest.mark.parametrize("name", CASES)
def test_cortex_has_a_wall_everywhere_and_one_canal(name: str) -> None:
    bone: Bone = CASES[name][0](**CASES[name][2])
    points = triangulated(bone.endosteum, 1)[0]
    depth = -bone.periosteum.distance(points)
    assert depth.min() > 0.8
    assert 0.8 < np.percentile(depth, 5) < 2.5
    shaft = np.abs(bone.fraction(points) - 0.5) < 0.1
    assert np.median(depth[shaft]) > 3.0


def test_left_is_the_mirror_image_of_right() -> None:
    right, left = femur(), femur(side="left")
    points = right.surface[0][::50] + 1.0
    mirrored = points * [-1, 1, 1]
    np.testing.assert_allclose(left.periosteum.distance(mirrored), right.periosteum.distance(points), atol=1e-5)
    np.testing.assert_allclose(left.endosteum.distance(mirrored), right.endosteum.distance(points), atol=1e-5)
    assert (left.side, left.frame.side) == ("left", "left")
    assert (right.side, right.frame.side) == ("right", "right")
    np.testing.assert_allclose(left.landmarks["head_centre"] * [-1, 1, 1], right.landmarks["head_centre"])
    assert left.periosteum.key() != right.periosteum.key()


def test_the_same_parameters_give_the_same_bone() -> None:
    assert femur() is femur(length=455.0)
    assert femur().periosteum.key() != femur(length=456.0).periosteum.key()


def test_density_is_high_in_the_head_and_nil_in_the_canal() -> None:
    bone = femur()
    head, canal = bone.landmarks["head_centre"], bone.centreline.point(0.5)
    assert bone.density(head[None])[0] == pytest.approx(0.55)
    assert bone.density(canal[None])[0] == 0.0
    along = bone.density(bone.centreline.point(np.linspace(0.05, 0.5, 30)))
    assert (np.diff(along) <= 1e-12).all()
    np.testing.assert_allclose(femur(density_factor=0.5).density(head[None]), 0.275)


def test_bone_axis_turns_into_the_neck() -> None:
    bone = femur()
    head, base = bone.landmarks["head_centre"], bone.landmarks["neck_base"]
    neck = (head - base) / np.linalg.norm(head - base)
    axis = bone.axis(np.stack([head, bone.centreline.point(0.5), base]))
    np.testing.assert_allclose(np.linalg.norm(axis, axis=1), 1.0)
    assert axis[0] @ neck == pytest.approx(1.0)
    assert axis[1] @ bone.frame.proximal == pytest.approx(1.0, abs=1e-4)
    assert axis[2] @ bone.centreline.tangent(bone.fraction(base)[0]) > 0.99


@pytest.mark.parametrize("make", [femur, humerus, tibia])
def test_sites_lie_inside_the_bone(make: Any) -> None:
    bone = make()
    assert len(bone.sites) >= 6
    for name, site in bone.sites.items():
        assert bone.periosteum.distance(site.point[None])[0] < -3.0, name
        assert np.linalg.norm(site.axis) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (femur, {"length": -1.0}),
        (femur, {"length": 0.455}),  # metres
        (femur, {"length": float("nan")}),
        (femur, {"cortical_thickness": 12.0}),
        (femur, {"neck_diameter": 42.0, "head_diameter": 44.0}),
        (femur, {"neck_shaft_angle": 90.0}),
        (femur, {"side": "middle"}),
        (femur, {"lenght": 450.0}),
        (humerus, {"retroversion": 100.0}),
        (humerus, {"shaft_ml": 15.0, "cortical_thickness": 7.0}),
        (tibia, {"torsion": -20.0}),
        (tibia, {"head_diameter": 48.0}),
    ],
)
def test_impossible_bones_are_refused(make: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(GeometryError) as error:
        make(**changes)
    assert error.value.do


@pytest.mark.parametrize("kind", ["femur", "humerus", "tibia"])
@pytest.mark.parametrize("sex", ["male", "female"])
def test_presets_fit_the_shapes_and_name_their_sources(kind: str, sex: str) -> None:
    shape = {"femur": FemurShape, "humerus": HumerusShape, "tibia": TibiaShape}[kind]
    sizes = [shape(**preset(kind, sex, p)).length for p in (1, 25, 50, 75, 99)]
    assert (np.diff(sizes) > 0).all()
    for value in preset_sources(kind, sex).values():
        assert set(value.source) <= set(references())


def test_impossible_presets_are_refused() -> None:
    for arguments in (
        ("skull", "male", 50),
        ("femur", "child", 50),
        ("femur", "male", 0),
        ("femur", "male", 101),
    ):
        with pytest.raises(InputError):
            preset(*arguments)
