"""Loads on a mesh: exact resultants, the right place, mirror images, and what is refused."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from femsim import loads
from femsim.errors import FemsimWarning, GeometryError, InputError, MeshError
from femsim.loads import GRAVITY, Applied
from femsim.loads.patch import skin
from femsim.loads.places import ahead
from femsim.mesh import Mesh

MASS = 75.0
Maker = Callable[[bool], tuple[Any, Mesh]]
FEMUR = [name for name, one in loads.load_cases().items() if "femur" in one.bones]


def resultant(applied: Applied, mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Force and moment about the origin of the nodal forces themselves."""
    force, moment = np.zeros(3), np.zeros(3)
    for patch in applied.patches:
        nodal = patch.nodal_forces(mesh.points)
        force += nodal.sum(axis=0)
        moment += np.cross(mesh.points[patch.nodes], nodal).sum(axis=0)
    return force, moment


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("name", FEMUR)
def test_nodal_forces_have_exactly_the_resultant_asked_for(name: str, left: bool, make_femur: Maker) -> None:
    """ANALYTIC: statics."""
    bone, mesh = make_femur(left)
    applied = loads.apply(name, bone, mesh, MASS)
    force, moment = resultant(applied, mesh)
    scale = applied.magnitude
    case = loads.get(name)
    if case.bench is None:
        axes, weight = bone.frame.axes, 0.01 * MASS * GRAVITY
        forces = [(np.array(i.vector), weight if i.unit == "%BW" else 1.0) for i in case.items if not i.is_moment]
        asked = np.sum([vector * unit for vector, unit in forces], axis=0) if forces else np.zeros(3)
        np.testing.assert_allclose(force, asked @ axes, atol=1e-9 * scale)
    else:
        np.testing.assert_allclose(force, 0.0, atol=1e-9 * scale)
        np.testing.assert_allclose(moment, 0.0, atol=1e-7 * scale)
    np.testing.assert_allclose(force, applied.force, atol=1e-9 * scale)
    np.testing.assert_allclose(moment, applied.moment(np.zeros(3)), atol=1e-7 * scale)


@pytest.mark.parametrize("name", ["walking", "torsion", "bending_frontal", "bending_sagittal", "fall"])
def test_left_bone_is_loaded_as_the_mirror_image_of_a_right_one(name: str, make_femur: Maker) -> None:
    flip = np.array([-1.0, 1.0, 1.0])
    fields = []
    for left in (False, True):
        bone, mesh = make_femur(left)
        applied = loads.apply(name, bone, mesh, MASS)
        nodal = np.zeros((len(mesh.points), 3))
        for patch in applied.patches:
            nodal[patch.nodes] += patch.nodal_forces(mesh.points)
        points = mesh.points * flip if left else mesh.points
        order = np.lexsort(np.round(points, 6).T)
        fields.append((nodal * flip if left else nodal)[order])
    np.testing.assert_allclose(fields[0], fields[1], atol=1e-9 * np.abs(fields[0]).max())


def test_forces_act_where_they_should(make_femur: Maker) -> None:
    bone, mesh = make_femur(False)
    applied = loads.apply("walking", bone, mesh, MASS)
    hip = applied.patches[0]
    assert hip.name == "hip joint"
    np.testing.assert_array_equal(hip.point, bone.landmarks["head_centre"])
    # pressed from the medial side and above: the loaded cap lies medially and on top of the head
    offset = (mesh.points[hip.nodes] - bone.landmarks["head_centre"]).mean(axis=0)
    assert offset @ hip.force < -0.8 * np.linalg.norm(offset) * np.linalg.norm(hip.force)
    for patch, mark in zip(applied.patches[1:], ["greater_trochanter"] * 3 + ["vastus_lateralis_origin"], strict=True):
        assert np.linalg.norm(mesh.points[patch.nodes] - bone.landmarks[mark], axis=1).max() < 14 + 8
    held = bone.fraction(mesh.points) <= loads.get("walking").held[0].extent / 100.0
    np.testing.assert_array_equal(applied.held, np.flatnonzero(held))


def test_where_a_force_acts_does_not_depend_on_the_nodes(tube: tuple[Any, Mesh]) -> None:
    """The same landmarks on a tube whose mesh is turned about its axis: nodes move by 2 mm, the load stays."""
    bone, mesh = tube

    def at(angle: float, height: float) -> np.ndarray:
        return np.array([14.0 * math.cos(angle), 14.0 * math.sin(angle), height])

    places = {
        "head_centre": at(2.0, 195.0),
        "greater_trochanter": at(0.1, 181.7),
        "vastus_lateralis_origin": at(0.3, 143.1),
    }
    femur = dataclasses.replace(bone, kind="femur", landmarks=places)
    moments = []
    for angle in (0.0, 0.07, 0.13):
        turn = np.array([[math.cos(angle), math.sin(angle), 0], [-math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
        applied = loads.apply("walking", femur, dataclasses.replace(mesh, points=mesh.points @ turn), MASS)
        for patch in applied.patches[1:]:
            name = "vastus_lateralis_origin" if "vastus" in patch.name else "greater_trochanter"
            assert np.linalg.norm(patch.point - places[name]) < 0.04, patch.name
        moments.append(applied.moment(np.zeros(3)))
    np.testing.assert_allclose(moments, np.broadcast_to(moments[0], (3, 3)), atol=2e-4 * np.linalg.norm(moments[0]))


def test_a_place_in_a_direction_lies_on_the_surface_there(tube: tuple[Any, Mesh]) -> None:
    bone, mesh = tube
    outer = skin(mesh)
    for degrees in (0.0, 4.0, 7.5, 200.0):
        towards = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0.0])
        place = ahead(bone.centreline.point(0.443), towards, outer.corners)
        np.testing.assert_allclose(place, 14.0 * towards + np.array([0, 0, 88.6]), atol=0.04)
    with pytest.raises(GeometryError, match="no surface"):
        ahead(np.array([50.0, 0.0, 100.0]), np.array([1.0, 0.0, 0.0]), outer.corners)


def test_fall_rests_on_the_outer_side_of_the_trochanter(make_femur: Maker) -> None:
    bone, mesh = make_femur(False)
    applied = loads.apply("fall", bone, mesh, MASS)
    ground = next(s for s in applied.supports if s.name == "ground")
    assert ground.components == (0,)
    axes = np.asarray(ground.axes)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(axes[0], applied.main.force / np.linalg.norm(applied.main.force), atol=1e-6)
    assert mesh.points[ground.nodes, 0].min() > 0


def test_free_knee_holds_the_head_only_across_the_line_to_the_knee(make_femur: Maker) -> None:
    bone, mesh = make_femur(True)
    applied = loads.apply("walking_free_knee", bone, mesh, MASS)
    pins = {s.name: s for s in applied.supports}
    assert list(pins) == ["knee centre pin", "head centre pin", "lateral epicondyle pin"]
    assert [len(s.components) for s in pins.values()] == [3, 2, 1]
    line = bone.landmarks["knee_centre"] - bone.landmarks["head_centre"]
    head = pins["head centre pin"]
    np.testing.assert_allclose(np.asarray(head.axes)[list(head.components)] @ line, 0.0, atol=1e-9)
    np.testing.assert_allclose(np.asarray(pins["lateral epicondyle pin"].axes)[0], bone.frame.anterior)
    for name, pin in pins.items():
        mark = bone.landmarks[name.removesuffix(" pin").replace(" ", "_")]
        assert np.linalg.norm(mesh.points[pin.nodes] - mark, axis=1).max() <= 10.0
    assert "knee centre pinned" in applied.description


def test_bench_holds_only_rigid_motions(make_femur: Maker) -> None:
    bone, mesh = make_femur(False)
    for name in ("three_point_bending", "four_point_bending"):
        applied = loads.apply(name, bone, mesh, MASS)
        assert sum(len(s.nodes) * len(s.components) for s in applied.supports) == 6


def test_cells_near_loads_and_supports_are_left_out(make_femur: Maker) -> None:
    bone, mesh = make_femur(False)
    applied = loads.apply("walking", bone, mesh, MASS)
    centroid = mesh.points[mesh.cells[:, :4]].mean(axis=1)
    touched = np.concatenate([p.nodes for p in applied.patches] + [applied.held])
    distance = np.array([np.linalg.norm(mesh.points[touched] - c, axis=1).min() for c in centroid])
    np.testing.assert_array_equal(applied.excluded, distance <= loads.get("walking").exclude)
    assert 0.0 < applied.excluded.mean() < 0.6


def test_lesion_under_a_load_is_warned_of(make_femur: Maker) -> None:
    bone, mesh = make_femur(False)
    centroid = mesh.points[mesh.cells[:, :4]].mean(axis=1)
    for where, said in ((bone.landmarks["vastus_lateralis_origin"], True), (np.array([0, 0, 100.0]), False)):
        near = (np.linalg.norm(centroid - where, axis=1) < 12).astype(np.int64)
        ill = dataclasses.replace(mesh, solids=("lesion",), compartment=near)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", FemsimWarning)
            loads.apply("walking", bone, ill, MASS)
        assert any("lesion" in str(w.message) for w in caught) is said


def test_open_canal_takes_no_load(tube: tuple[Any, Mesh]) -> None:
    bone, mesh = tube
    centroid = mesh.points[mesh.cells[:, :4]].mean(axis=1)
    soft = (np.hypot(centroid[:, 0], centroid[:, 1]) < 9).astype(np.int64)
    applied = loads.apply("axial_compression", bone, dataclasses.replace(mesh, solids=("endosteum",), compartment=soft))
    inner = np.unique(mesh.cells[soft == 1])
    outer = np.unique(mesh.cells[soft == 0])
    assert not np.isin(applied.patches[0].nodes, np.setdiff1d(inner, outer)).any()
    assert len(applied.patches[0].nodes) > 10


def test_same_mesh_gives_the_same_loads(make_femur: Maker) -> None:
    bone, mesh = make_femur(False)
    first, second = (loads.apply("walking", bone, mesh, MASS) for _ in range(2))
    for a, b in zip(first.patches, second.patches, strict=True):
        np.testing.assert_array_equal(a.nodes, b.nodes)
        np.testing.assert_array_equal(a.weights, b.weights)


# ------------------------------------------------------------------------------------------------ refused


@pytest.mark.parametrize("mass", [0.0, -75.0, math.nan, math.inf, 75_000.0])
def test_impossible_patients(mass: float, make_femur: Maker) -> None:
    with pytest.raises(InputError, match="body_mass"):
        loads.apply("walking", *make_femur(False), mass)


def test_load_of_another_bone(tube: tuple[Any, Mesh]) -> None:
    with pytest.raises(InputError, match=r"for femur, not for a tube") as caught:
        loads.apply("walking", *tube)
    assert "torsion" in caught.value.do


def test_missing_landmark(make_femur: Maker) -> None:
    bone, mesh = make_femur(False)
    bare = dataclasses.replace(bone, landmarks={"head_centre": bone.landmarks["head_centre"]})
    with pytest.raises(InputError, match="'greater_trochanter'"):
        loads.apply("walking", bare, mesh)


def test_landmark_of_another_bone(make_femur: Maker) -> None:
    bone, mesh = make_femur(False)
    far = {name: point + 200.0 for name, point in bone.landmarks.items()}
    with pytest.raises(GeometryError, match="mm from the surface"):
        loads.apply("walking", dataclasses.replace(bone, landmarks=far), mesh)


def test_patch_that_catches_nothing(make_femur: Maker) -> None:
    case = loads.get("walking")
    items = tuple(dataclasses.replace(i, radius=0.01) for i in case.items)
    with pytest.raises(GeometryError, match=r"'hip joint' catches 1 nodes"):
        loads.apply(dataclasses.replace(case, items=items), *make_femur(False))


def test_mesh_without_an_outer_surface(make_femur: Maker) -> None:
    bone, mesh = make_femur(False)
    with pytest.raises(MeshError, match="boundary"):
        loads.apply("walking", bone, dataclasses.replace(mesh, face_sets={}))
