"""Booleans, blends, noise, lofts, grids, and their keys."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from femsim.errors import GeometryError
from femsim.solid import (
    Box,
    Cylinder,
    GridSolid,
    HalfSpace,
    Loft,
    Offset,
    SmoothDifference,
    SmoothUnion,
    Sphere,
    Union,
    gradient,
    intersection,
    noisy_blob,
    project,
    sampled,
    union,
    volume,
)

RNG = np.random.default_rng(3)
POINTS = RNG.uniform(-20, 20, (5000, 3))
A, B = Sphere([0, 0, 0], 10.0), Sphere([8, 0, 0], 7.0)


def test_boolean_algebra() -> None:
    a, b = A.contains(POINTS), B.contains(POINTS)
    np.testing.assert_array_equal((A | B).contains(POINTS), a | b)
    np.testing.assert_array_equal((A & B).contains(POINTS), a & b)
    np.testing.assert_array_equal((A - B).contains(POINTS), a & ~b)
    np.testing.assert_array_equal((~A).contains(POINTS), ~a)


def test_volumes_add_up() -> None:
    total = volume(A, 0.4) + volume(B, 0.4)
    assert volume(A | B, 0.4) + volume(A & B, 0.4) == pytest.approx(total, rel=1e-3)


def test_bounds_of_combinations() -> None:
    lower, upper = (A | B).bounds
    assert lower == pytest.approx([-10, -10, -10])
    assert upper == pytest.approx([15, 10, 10])
    lower, upper = intersection(A, Sphere([100, 0, 0], 1.0)).bounds
    assert (upper >= lower).all()
    assert volume(intersection(A, Sphere([100, 0, 0], 1.0)), 0.5) == 0.0


def test_offset_of_a_ball() -> None:
    assert volume(Offset(A, -4.0), 0.4) == pytest.approx(4 / 3 * np.pi * 6**3, rel=3e-3)
    lower, upper = Offset(A, -20.0).bounds
    np.testing.assert_array_equal(lower, upper)


def test_keys() -> None:
    assert (A | B).key() == (B | A).key() == union(B, A).key()
    assert (A - B).key() != (B - A).key()
    assert Sphere([0, 0, 0], 10.0).key() == A.key() != Sphere([0, 0, 0], 10.0 + 1e-12).key()
    assert noisy_blob([0, 0, 0], 5.0, seed=1).key() != noisy_blob([0, 0, 0], 5.0, seed=2).key()


def test_key_and_noise_are_the_same_in_another_process() -> None:
    code = (
        "from femsim.solid import *; s = noisy_blob([0,0,0], 5.0, seed=4) | Box([0,0,0],[1,2,3]);"
        "print(s.key(), s.distance([[1.0,2.0,5.5]])[0].hex())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    solid = noisy_blob([0, 0, 0], 5.0, seed=4) | Box([0, 0, 0], [1, 2, 3])
    assert told == [solid.key(), solid.distance([[1.0, 2.0, 5.5]])[0].hex()]


def test_smooth_union_only_adds_and_only_near_both() -> None:
    smooth = SmoothUnion((A, B), (6.0,))
    sharp = (A | B).distance(POINTS)
    blended = smooth.distance(POINTS)
    assert (blended <= sharp + 1e-12).all()
    assert (sharp - blended).max() <= 1.0 + 1e-9  # a sixth of the width
    apart = np.abs(A.distance(POINTS) - B.distance(POINTS)) > 6.0
    np.testing.assert_allclose(blended[apart], sharp[apart])
    np.testing.assert_allclose(SmoothUnion((A, B), (0.0,)).distance(POINTS), sharp)


def test_skipping_far_parts_changes_nothing() -> None:
    parts = (
        Box([0, 0, 0], [9, 9, 9]),
        Sphere([2, 0, 0], 4.0),
        Sphere([-12, 0, 0], 6.0),
        Sphere([0, 0, 17], 3.0),
    )
    smooth = SmoothUnion(parts, (5.0, 4.0, 8.0))
    expected = parts[0].distance(POINTS)
    for part, k in zip(parts[1:], (5.0, 4.0, 8.0), strict=True):
        other = part.distance(POINTS)
        h = np.maximum(k - np.abs(expected - other), 0) / k
        expected = np.minimum(expected, other) - h**3 * k / 6
    np.testing.assert_allclose(smooth.distance(POINTS), expected, atol=1e-12)


def test_smooth_difference_takes_at_least_the_sharp_one() -> None:
    smooth = SmoothDifference(A, B, 3.0).distance(POINTS)
    assert (smooth >= (A - B).distance(POINTS) - 1e-12).all()


def test_blob_keeps_its_shape_when_moved_and_its_bounds() -> None:
    blob, moved = noisy_blob([0, 0, 0], 8.0, 0.3, seed=5), noisy_blob([3, -2, 1], 8.0, 0.3, seed=5)
    np.testing.assert_allclose(blob.distance(POINTS), moved.distance(POINTS + np.array([3.0, -2, 1])), atol=1e-9)
    surface = project(blob, POINTS[:500])
    surface = surface[np.abs(blob.distance(surface)) < 1e-6]
    radius = np.linalg.norm(surface, axis=1)
    assert 8 - 2.4 - 1e-6 <= radius.min() < 7.0
    assert 9.0 < radius.max() <= 8 + 2.4 + 1e-6
    np.testing.assert_allclose(np.linalg.norm(gradient(blob, surface), axis=1), 1.0, atol=0.02)


def test_smooth_blob_is_its_ellipsoid() -> None:
    assert volume(noisy_blob([0, 0, 0], [5, 6, 7], 0.0), 0.3) == pytest.approx(4 / 3 * np.pi * 210, rel=3e-3)


def test_loft_of_circles_is_a_cylinder() -> None:
    loft = Loft([0, 0, -10], np.eye(3), 2.0, np.zeros((11, 2)), np.full((11, 32), 6.0))
    exact = Cylinder([0, 0, -10], [0, 0, 10], 6.0)
    # away from the flat ends, where the side is what is near
    inside = POINTS[(np.abs(exact.distance(POINTS)) < 4) & (np.abs(POINTS[:, 2]) < 5)]
    np.testing.assert_allclose(loft.distance(inside), np.hypot(inside[:, 0], inside[:, 1]) - 6.0, atol=0.02)
    assert volume(loft, 0.4) == pytest.approx(np.pi * 36 * 20, rel=5e-3)


def test_loft_of_a_cone_has_unit_gradient_on_its_surface() -> None:
    radii = np.linspace(4.0, 14.0, 21)[:, None] * np.ones((1, 32))
    loft = Loft([0, 0, 0], np.eye(3), 1.0, np.zeros((21, 2)), radii)
    z = np.linspace(3, 17, 50)
    points = np.column_stack([4.0 + 0.5 * z, np.zeros(50), z])
    np.testing.assert_allclose(loft.distance(points), 0.0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(gradient(loft, points), axis=1), 1.0, atol=1e-3)


def test_sampled_ball_is_exact_to_microns_on_its_surface() -> None:
    grid = sampled(A, 1.0)
    direction = POINTS[:1000] / np.linalg.norm(POINTS[:1000], axis=1, keepdims=True)
    assert np.abs(grid.distance(10.0 * direction)).max() < 2e-3
    np.testing.assert_allclose(grid.distance(12.0 * direction), 2.0, atol=0.02)
    assert grid.distance([[100.0, 0, 0]])[0] == pytest.approx(90.0, abs=1.5)
    lower, upper = grid.bounds
    assert (lower <= -10).all()
    assert (upper >= 10).all()


def test_sampling_makes_a_scaled_distance_euclidean() -> None:
    class Doubled(Sphere):
        def distance(self, points: object) -> np.ndarray:  # type: ignore[override]
            return 1.4 * super().distance(points)  # type: ignore[arg-type]

    grid = sampled(Doubled([0.3, 0, 0], 10.0), 1.0)
    direction = POINTS[:1000] / np.linalg.norm(POINTS[:1000], axis=1, keepdims=True)
    for depth in (-2.0, 0.0, 2.0):
        np.testing.assert_allclose(grid.distance([0.3, 0, 0] + (10 + depth) * direction), depth, atol=0.05)


def test_grid_reproduces_its_nodes_and_a_cubic() -> None:
    x = np.arange(12.0)
    values = (x[:, None, None] - 4.0) + 0.5 * x[None, :, None] - 0.25 * x[None, None, :]
    grid = GridSolid([1, 2, 3], 0.5, values)
    points = [1, 2, 3] + 0.5 * RNG.uniform(3, 8, (200, 3))
    local = (points - [1, 2, 3]) / 0.5
    expected = local @ [1.0, 0.5, -0.25] - 4.0
    # the mirrored ends bend a straight line there; four nodes inside the effect is below a percent
    np.testing.assert_allclose(grid.distance(points), expected, atol=0.02)
    node = [1, 2, 3] + 0.5 * np.array([[2, 5, 7], [6, 6, 6]])
    np.testing.assert_allclose(grid.distance(node), [values[2, 5, 7], values[6, 6, 6]], atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Union(()),
        lambda: SmoothUnion((A, B), ()),
        lambda: SmoothUnion((A, B), (-1.0,)),
        lambda: Offset(A, np.nan),
        lambda: noisy_blob([0, 0, 0], 5.0, roughness=0.9),
        lambda: GridSolid([0, 0, 0], 1.0, np.zeros((2, 9, 9))),
        lambda: GridSolid([0, 0, 0], 1.0, np.full((9, 9, 9), np.nan)),
        lambda: GridSolid([0, 0, 0], 0.0, np.zeros((9, 9, 9))),
        lambda: GridSolid([0, 0, 0], 1.0, np.ones((9, 9, 9))).distance([[np.nan, 0, 0]]),
        lambda: sampled(HalfSpace([0, 0, 0], [0, 0, 1]), 1.0),
        lambda: Loft([0, 0, 0], np.eye(3), 1.0, np.zeros((3, 2)), np.ones((3, 16))),
        lambda: Loft([0, 0, 0], np.eye(3), 1.0, np.zeros((9, 2)), np.zeros((9, 16))),
    ],
)
def test_impossible_combinations_are_refused(make: object) -> None:
    with pytest.raises(GeometryError):
        make()  # type: ignore[operator]
