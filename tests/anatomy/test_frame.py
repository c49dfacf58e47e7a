"""Frame, centreline and the tube."""

from __future__ import annotations

import numpy as np
import pytest

from femsim.anatomy import Centreline, Frame, site_fraction, tube
from femsim.anatomy.frame import direction_degrees
from femsim.errors import GeometryError, InputError

TURN = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]


def test_frame_round_trip_and_side() -> None:
    frame = Frame(np.array([1.0, 2, 3]), *TURN)
    points = np.random.default_rng(2).normal(size=(9, 3))
    np.testing.assert_allclose(frame.to_world(frame.to_local(points)), points)
    mirrored = Frame(np.zeros(3), -TURN[0], TURN[1], TURN[2])
    assert {frame.side, mirrored.side} == {"left", "right"}
    assert Frame(np.zeros(3), *np.eye(3)).side == "right"


def test_directions() -> None:
    frame = Frame(np.zeros(3), *np.eye(3))
    np.testing.assert_allclose(frame.direction("posterior"), [0, -1, 0], atol=1e-12)
    np.testing.assert_allclose(frame.direction(30.0), [np.cos(np.pi / 6), 0.5, 0])
    assert direction_degrees(-90.0) == direction_degrees("posterior") == 270.0
    for wrong in ("laterl", float("nan")):
        with pytest.raises(InputError):
            direction_degrees(wrong)


def test_skewed_axes_are_refused() -> None:
    with pytest.raises(GeometryError):
        Frame(np.zeros(3), np.array([1.0, 0, 0]), np.array([0.1, 1, 0]), np.array([0, 0, 1.0]))


def test_centreline_inside_and_beyond() -> None:
    line = Centreline(np.array([[0, 0, 20.0], [0, 0, 50], [0, 30, 80]]), np.array([0.2, 0.5, 0.8]))
    np.testing.assert_allclose(line.point(0.35), [0, 0, 35])
    np.testing.assert_allclose(line.point(0.0), [0, 0, 0])
    np.testing.assert_allclose(line.point([0.65, 1.0]), [[0, 15, 65], [0, 50, 100]])
    np.testing.assert_allclose(np.linalg.norm(line.tangent([0.0, 0.3, 0.9]), axis=1), 1.0)
    for points, fractions in (([[0, 0, 0.0]], [0.0]), ([[0, 0, 0.0], [0, 0, 1]], [1.0, 0.0])):
        with pytest.raises(GeometryError):
            Centreline(np.array(points), np.array(fractions))


def test_tube() -> None:
    bone = tube(28.0, 13.0, 150.0)
    assert bone.periosteum.distance([[14, 0, 75]])[0] == pytest.approx(0.0, abs=1e-12)
    assert bone.endosteum.distance([[6.5, 0, 75]])[0] == pytest.approx(0.0, abs=1e-12)
    points, triangles = bone.surface
    a, b, c = (points[triangles[:, i]] for i in range(3))
    inside = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
    # 48 sides: a regular polygon inside the circle
    assert inside == pytest.approx(24 * np.sin(2 * np.pi / 48) * 14**2 * 150, rel=1e-9)
    assert site_fraction(bone, "shaft_middle") == 0.5
    with pytest.raises(InputError, match="shaft_middle"):
        bone.site("neck")


@pytest.mark.parametrize("sizes", [(13, 28, 100), (28, 0, 100), (28, 13, 0), (28, np.nan, 100), (28, 13, -5)])
def test_impossible_tubes(sizes: tuple[float, float, float]) -> None:
    with pytest.raises(GeometryError):
        tube(*sizes)
