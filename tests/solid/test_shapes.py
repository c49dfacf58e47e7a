"""Distances against sampled surfaces and closed-form volumes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from femsim.errors import GeometryError
from femsim.solid import (
    Box,
    Capsule,
    Cylinder,
    Ellipsoid,
    HalfSpace,
    RoundCone,
    Solid,
    Sphere,
    SweptTube,
    gradient,
    project,
    volume,
)

RNG = np.random.default_rng(7)
POINTS = RNG.uniform(-25, 25, (4000, 3))
TURN = np.linalg.qr(RNG.normal(size=(3, 3)))[0]

SOLIDS: dict[str, tuple[Solid, float]] = {
    "sphere": (Sphere([1, 2, 3], 9.0), 4 / 3 * np.pi * 9**3),
    "ellipsoid": (Ellipsoid([1, -2, 0], [12, 5, 7], TURN), 4 / 3 * np.pi * 12 * 5 * 7),
    "box": (Box([0, 1, 0], [5, 6, 7], TURN), 8 * 210.0),
    "cylinder": (Cylinder([0, 0, -8], [3, 4, 10], 6.0), np.pi * 36 * np.sqrt(9 + 16 + 324)),
    "capsule": (Capsule([0, 0, 0], [10, 0, 0], 4.0), np.pi * 16 * 10 + 4 / 3 * np.pi * 64),
    "tube": (SweptTube([[0, 0, -10], [0, 0, 0], [0, 0, 12]], 3.0, flat=True), np.pi * 9 * 22),
}


@pytest.mark.parametrize("name", SOLIDS)
def test_volume_and_bounds(name: str) -> None:
    solid, exact = SOLIDS[name]
    assert volume(solid, 0.4) == pytest.approx(exact, rel=4e-3)
    lower, upper = solid.bounds
    inside = POINTS[solid.contains(POINTS)]
    assert len(inside) > 10
    assert (inside >= lower).all()
    assert (inside <= upper).all()


@pytest.mark.parametrize("name", SOLIDS)
def test_gradient_has_length_one_off_the_medial_axis(name: str) -> None:
    solid, _ = SOLIDS[name]
    far = POINTS[solid.distance(POINTS) > 0.5]
    np.testing.assert_allclose(np.linalg.norm(gradient(solid, far), axis=1), 1.0, atol=2e-3)


@pytest.mark.parametrize("name", SOLIDS)
def test_projection_lands_on_the_surface_at_the_distance(name: str) -> None:
    solid, _ = SOLIDS[name]
    far = POINTS[solid.distance(POINTS) > 0.5]
    foot = project(solid, far)
    np.testing.assert_allclose(solid.distance(foot), 0.0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(far - foot, axis=1), solid.distance(far), atol=1e-3)


def test_ellipsoid_against_its_sampled_surface() -> None:
    # closest point over a million samples; the centre, axes and planes of symmetry are the degenerate places
    u, v = np.meshgrid(np.linspace(0, np.pi, 1001), np.linspace(0, 2 * np.pi, 2001))
    radii = np.array([9.0, 4.0, 4.0])
    surface = radii * np.column_stack(
        [(np.sin(u) * np.cos(v)).ravel(), (np.sin(u) * np.sin(v)).ravel(), np.cos(u).ravel()]
    )
    special = np.array([[0, 0, 0], [0, 0, 1], [3, 0, 0], [9, 0, 0], [0, 4, 0], [0, 20, 0], [1, 1, 0]], float)
    points = np.concatenate([special, RNG.uniform(-12, 12, (500, 3))])
    expected = cKDTree(surface).query(points)[0]
    distance = Ellipsoid([0, 0, 0], radii).distance(points)
    # samples are up to 0.02 mm apart: e^2 / 2d far from the surface, e close to it
    far = expected > 0.2
    np.testing.assert_allclose(np.abs(distance[far]), expected[far], atol=2e-3)
    np.testing.assert_allclose(np.abs(distance[~far]), expected[~far], atol=0.02)
    np.testing.assert_array_equal(distance < -1e-9, ((points / radii) ** 2).sum(axis=1) < 1 - 1e-9)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.5, 12), st.floats(0.5, 12), st.floats(0.1, 30))
def test_round_cone_is_the_union_of_its_balls(first: float, second: float, length: float) -> None:
    # the hull of two balls is the union of all the balls between them
    cone = RoundCone([0, 0, 0], [0, 0, length], first, second)
    t = np.linspace(0, 1, 801)[:, None]
    points = POINTS[:60]
    balls = np.linalg.norm(points - t[..., None] * [0, 0, length], axis=2) - (first + t * (second - first))
    np.testing.assert_allclose(cone.distance(points), balls.min(axis=0), atol=0.03)


def test_flat_tube_keeps_its_length_when_bent() -> None:
    angle = np.linspace(0, np.pi, 60)
    arch = np.column_stack([20 * np.cos(angle), np.zeros(60), 20 * np.sin(angle)])
    tube = SweptTube(arch, 3.0, flat=True)
    # the end planes must not cut the other leg, and nothing may stick out below them
    assert tube.contains([[-20, 0, 0.5], [20, 0, 0.5], [0, 0, 20]]).all()
    assert not tube.contains([[-20, 0, -0.5], [20, 0, -0.5]]).any()
    assert tube.distance([[-20, 0, -2.0]])[0] == pytest.approx(2.0, abs=0.05)
    # the theorem of Pappus
    assert volume(tube, 0.4) == pytest.approx(np.pi * 9 * np.pi * 20, rel=0.01)


def test_tube_of_varying_radius() -> None:
    cone = SweptTube([[0, 0, 0], [0, 0, 20]], [2.0, 6.0])
    assert cone.distance([[0, 0, -2], [0, 0, 26]]) == pytest.approx([0, 0], abs=1e-9)


def test_half_space() -> None:
    half = HalfSpace([0, 0, 5], [0, 0, 2])
    assert half.distance([[7, 7, 8], [0, 0, 0]]) == pytest.approx([3, -5])
    assert half.bounds[1][2] == 5
    assert np.isinf(half.bounds[0]).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Sphere([0, 0, 0], -1.0),
        lambda: Sphere([0, 0, np.nan], 1.0),
        lambda: Sphere([0, 0], 1.0),
        lambda: Sphere([0, 0, 0], np.inf),
        lambda: Ellipsoid([0, 0, 0], [1, 0, 1]),
        lambda: Ellipsoid([0, 0, 0], [1, 1, 1], np.ones((3, 3))),
        lambda: Box([0, 0, 0], [1, -1, 1]),
        lambda: Cylinder([0, 0, 0], [0, 0, 0], 1.0),
        lambda: Capsule([0, 0, 0], [0, 0, 1], 0.0),
        lambda: HalfSpace([0, 0, 0], [0, 0, 0]),
        lambda: SweptTube([[0, 0, 0]], 1.0),
        lambda: SweptTube([[0, 0, 0], [0, 0, 0]], 1.0),
        lambda: SweptTube([[0, 0, 0], [0, 0, np.nan]], 1.0),
        lambda: SweptTube([[0, 0, 0], [0, 0, 1]], [1.0, -1.0]),
        lambda: Sphere([0, 0, 0], 1.0).distance([[1, 2]]),
    ],
)
def test_impossible_solids_are_refused(make: object) -> None:
    with pytest.raises(GeometryError) as error:
        make()  # type: ignore[operator]
    assert error.value.what
    assert error.value.why
    assert error.value.do


@pytest.mark.parametrize("name", SOLIDS)
def test_no_points_give_no_distances(name: str) -> None:
    assert SOLIDS[name][0].distance(np.zeros((0, 3))).shape == (0,)
