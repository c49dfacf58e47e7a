"""Triangle surfaces: distance against closed forms, repair or refusal, landmarks of scanned bones."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import pyvista as pv
from scipy.spatial.transform import Rotation

from femsim.anatomy._sections import area_centroid, section_segments, volume_moments
from femsim.anatomy.distance import surface_solid
from femsim.anatomy.intersections import self_intersections
from femsim.anatomy.landmarks import find_anatomy
from femsim.anatomy.repair import repaired
from femsim.anatomy.surface import bone_from_surfaces, read_surface
from femsim.errors import FemsimWarning, GeometryError, InputError

DATA = Path(__file__).parents[2] / "../shared/data"
BONES = {
    "femur_real": ("femur_real/femur_periosteal_12k.stl", "femur", None),
    "femur_mean": ("femur_tibia_mean/femur_left_mean.stl", "femur", "left"),
    "tibia_mean": ("femur_tibia_mean/tibia_left_mean.stl", "tibia", "left"),
    "tibia_real": ("tibia_real/tibia_r_smooth_12k.stl", "tibia", "right"),
    "humerus": ("humerus_lowres/humerus_rv_mm.stl", "humerus", "right"),
}


def sphere(radius=20.0, centre=(0.0, 0.0, 0.0), parts=4):
    mesh = pv.Icosphere(radius=radius, center=centre, nsub=parts)
    return np.asarray(mesh.points, float), np.asarray(mesh.regular_faces, np.int64)


def data(name):
    path = DATA / BONES[name][0]
    if not path.is_file():
        pytest.skip(f"{path.name} is not there")
    return read_surface(path), BONES[name]


def test_distance_of_a_ball():
    points, triangles = sphere()
    solid = surface_solid(points, triangles)
    where = np.random.default_rng(0).uniform(-26, 26, (4000, 3))
    radius = np.linalg.norm(where, axis=1)
    # The polyhedron lies up to 0.05 mm inside the ball; beyond the band an excess of one spacing is allowed.
    near = np.abs(radius - 20) < 2.0
    assert np.abs(solid.distance(where[near]) - (radius[near] - 20)).max() < 0.08
    assert np.all(((solid.distance(where) < 0) == (radius < 20)) | (np.abs(radius - 20) < 0.1))
    assert np.abs(solid.distance(points)).max() < 0.06


def test_sign_survives_overlapping_parts_and_a_missing_triangle():
    one, two = sphere(), sphere(centre=(15.0, 0.0, 0.0))
    points = np.concatenate([one[0], two[0]])
    triangles = np.concatenate([one[1], two[1] + len(one[0])])[:-1]
    solid = surface_solid(points, triangles)
    assert solid.distance([[7.5, 0, 0]])[0] < 0.0  # in both: parity would say outside
    assert solid.distance([[0, 25, 0], [40, 0, 0]]).min() > 0.0


def test_inside_out_surface_encloses_nothing():
    points, triangles = sphere()
    with pytest.raises(GeometryError, match="encloses no point"):
        surface_solid(points, triangles[:, ::-1])


def test_sections_and_moments_of_a_ball():
    points, triangles = sphere(parts=5)
    volume, centre, spread = volume_moments(points[triangles] + 100.0)
    assert volume == pytest.approx(4 / 3 * np.pi * 20**3, rel=2e-3)
    assert np.allclose(centre, 100.0, atol=1e-6)
    assert np.allclose(spread, np.eye(3) * 80.0, rtol=4e-3, atol=1e-6)
    normal = np.array([1.0, 2.0, -1.0]) / np.sqrt(6.0)
    area, middle = area_centroid(section_segments(points[triangles], 5 * normal, normal), 5 * normal, normal)
    assert area == pytest.approx(np.pi * (400 - 25), rel=3e-3)
    assert np.allclose(middle, 5 * normal, atol=0.02)


def test_repair_of_what_can_be_repaired():
    points, triangles = sphere()
    rng = np.random.default_rng(1)
    turned = triangles.copy()
    some = rng.random(len(turned)) < 0.3
    turned[some] = turned[some][:, ::-1]
    soup = points[turned[1:]].reshape(-1, 3)  # as in an STL, with one triangle missing
    stray = sphere(radius=0.5, centre=(40.0, 0.0, 0.0), parts=1)
    soup = np.concatenate([soup, stray[0][stray[1]].reshape(-1, 3)])
    fixed = repaired(soup, np.arange(len(soup)).reshape(-1, 3), "ball")
    volume = volume_moments(fixed.points[fixed.triangles])[0]
    assert volume == pytest.approx(volume_moments(points[triangles])[0], rel=1e-3)
    assert len(fixed.notes) == 3
    edges = np.sort(fixed.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert np.all(np.unique(edges, axis=0, return_counts=True)[1] == 2)


def test_inward_surface_is_turned_and_said():
    points, triangles = sphere()
    fixed = repaired(points, triangles[:, ::-1], "ball")
    assert volume_moments(fixed.points[fixed.triangles])[0] > 0
    assert "inside out" in fixed.notes[0]


def test_self_intersections_are_counted():
    one, two = sphere(parts=3), sphere(centre=(15.0, 0.3, 0.2), parts=3)
    assert len(self_intersections(*one)) == 0
    both = np.concatenate([one[0], two[0]]), np.concatenate([one[1], two[1] + len(one[0])])
    pairs = self_intersections(*both)
    # Every crossing pair joins the two balls, near the plane where they meet.
    assert len(pairs) > 20
    assert np.all((pairs[:, 0] < len(one[1])) & (pairs[:, 1] >= len(one[1])))
    assert np.abs(both[0][both[1][pairs]].mean(axis=2)[..., 0] - 7.5).max() < 5.0


def test_refusals_name_place_and_count():
    points, triangles = sphere()
    with pytest.raises(GeometryError, match=r"1 holes, the largest .* mm wide at \("):
        repaired(points, triangles[points[triangles].mean(axis=1)[:, 2] < 15], "ball")
    far = points + 60.0
    with pytest.raises(GeometryError, match="2 components"):
        repaired(np.concatenate([points, far]), np.concatenate([triangles, triangles + len(points)]), "balls")
    fin = np.concatenate([triangles, [[triangles[0, 0], triangles[0, 1], len(points)]]])
    with pytest.raises(GeometryError, match="three triangles or more"):
        repaired(np.concatenate([points, [[0, 0, 50.0]]]), fin, "fin")
    with pytest.raises(GeometryError, match="0 triangles"):
        repaired(points, np.zeros((0, 3), int), "nothing")
    with pytest.raises(GeometryError, match="not finite"):
        repaired(np.where(points > 19.9, np.nan, points), triangles, "nan")


def test_units_and_files(tmp_path):
    cylinder = pv.Cylinder(radius=0.014, height=0.4, resolution=24).triangulate()
    cylinder.save(tmp_path / "metres.stl")
    surface = read_surface(tmp_path / "metres.stl")
    assert np.ptp(surface.points[:, 0]) == pytest.approx(400, rel=1e-5)
    assert "taken as m" in surface.notes[0]
    with pytest.raises(InputError, match="not there"):
        read_surface(tmp_path / "none.stl")
    with pytest.raises(InputError, match="type"):
        read_surface(tmp_path / "bone.xyz")
    pv.Sphere(radius=3e4).save(tmp_path / "huge.stl")
    with pytest.raises(GeometryError, match="no human long bone"):
        read_surface(tmp_path / "huge.stl")


@pytest.mark.parametrize("name", BONES)
def test_side_and_landmarks_do_not_depend_on_orientation(name):
    surface, (_, kind, side) = data(name)
    first = find_anatomy(surface.points, surface.triangles, kind)
    if side is not None:
        assert first.frame.side == side
    turn = Rotation.from_euler("xyz", [70, 200, 31], degrees=True).as_matrix()
    for mirror in (1.0, -1.0):
        map_ = turn @ np.diag([mirror, 1.0, 1.0])
        triangles = surface.triangles if mirror > 0 else surface.triangles[:, ::-1]
        second = find_anatomy(surface.points @ map_.T + 50.0, triangles, kind)
        assert (second.frame.side == first.frame.side) == (mirror > 0)
        assert np.allclose(second.frame.axes, first.frame.axes @ map_.T, atol=1e-3)
        for mark, place in first.landmarks.items():
            assert np.linalg.norm(second.landmarks[mark] - (map_ @ place + 50.0)) < 0.5, mark


@pytest.mark.parametrize("name", BONES)
def test_landmarks_of_a_decimated_copy(name):
    surface, (_, kind, _) = data(name)
    first = find_anatomy(surface.points, surface.triangles, kind)
    coarse = pv.PolyData.from_regular_faces(surface.points, surface.triangles).decimate(0.6)
    second = find_anatomy(np.asarray(coarse.points, float), coarse.regular_faces.astype(np.int64), kind)
    assert second.frame.side == first.frame.side
    angle = np.degrees(np.arccos(np.clip((first.frame.axes * second.frame.axes).sum(axis=1), -1, 1)))
    assert angle.max() < 1.0
    for mark, place in first.landmarks.items():
        assert np.linalg.norm(second.landmarks[mark] - place) < 4.0, mark


def test_epicondyles_of_the_real_femur_lie_as_they_should():
    """The line between them is turned by a few degrees against the posterior condyles."""
    surface, _ = data("femur_real")
    found = find_anatomy(surface.points, surface.triangles, "femur")
    line = found.frame.axes @ (found.landmarks["lateral_epicondyle"] - found.landmarks["medial_epicondyle"])
    assert abs(np.degrees(np.arctan2(line[1], line[0]))) < 6.0


def test_wrong_side_is_refused():
    surface, _ = data("femur_mean")
    with pytest.raises(InputError, match="left femur"):
        find_anatomy(surface.points, surface.triangles, "femur", "right")


def test_real_femur_from_two_surfaces():
    folder = DATA / "femur_real"
    if not folder.is_dir():
        pytest.skip("the real femur is not there")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)
        bone = bone_from_surfaces(folder / "femur_periosteal_12k.stl", folder / "femur_endosteal.stl")
    lower, upper = bone.periosteum.bounds
    where = np.random.default_rng(2).uniform(lower, upper, (100_000, 3))
    inside = bone.endosteum.distance(where) <= 0.0
    assert bone.periosteum.distance(where[inside]).max() < -0.7
    assert bone.density(bone.landmarks["head_centre"])[0] > bone.density(bone.centreline.point(0.5))[0]
    assert {"head", "neck", "subtrochanteric", "shaft_middle"} <= set(bone.sites)
    assert np.allclose(np.linalg.norm(bone.axis(where[:100]), axis=1), 1.0)


def test_thickness_alone_and_bad_requests():
    path = DATA / BONES["tibia_real"][0]
    if not path.is_file():
        pytest.skip("the real tibia is not there")
    with pytest.raises(InputError, match="not both"):
        bone_from_surfaces(path, kind="tibia")
    with pytest.warns(FemsimWarning, match="given thickness"):
        bone = bone_from_surfaces(path, kind="tibia", thickness={0.1: 1.5, 0.5: 5.0, 0.9: 1.5})
    middle = bone.centreline.point(0.5)
    depth = bone.periosteum.distance(middle)[0], bone.endosteum.distance(middle)[0]
    assert depth[1] - depth[0] == pytest.approx(5.0, abs=0.05)
    with pytest.raises(InputError, match="thick everywhere"), warnings.catch_warnings():
        bone_from_surfaces(path, kind="tibia", thickness=0.1)
    with pytest.raises(GeometryError, match="no outside and inside"):
        bone_from_surfaces(path, DATA / BONES["tibia_mean"][0], kind="tibia")
