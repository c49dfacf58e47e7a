"""The pictures: to scale, in front what is in front, and colours that mean what the colour bar says."""

from __future__ import annotations

import numpy as np
import pytest

from femsim.view import palette
from femsim.view.camera import looking
from femsim.view.geometry import Triangles
from femsim.view.raster import Layer, draw


def _square(size: float, depth: float, shaded: bool = False) -> Triangles:
    h = size / 2
    corner = np.array([(-h, -h, depth), (h, -h, depth), (h, h, depth), (-h, h, depth)])
    corners = corner[[(0, 1, 2), (0, 2, 3)]]
    normals = np.zeros_like(corners)
    normals[..., 2] = 1.0 if shaded else 0.0
    return Triangles(corners, normals, np.zeros(2, np.int64))


def _flat(triangles: Triangles, colour: tuple[float, float, float], **more: object) -> Layer:
    return Layer(triangles, np.tile(np.array(colour), (len(triangles), 1)), **more)  # type: ignore[arg-type]


@pytest.fixture
def camera():
    return looking((0, 0, 1), (0, 1, 0)).framing(np.array([(-10.0, -20, 0), (10, 20, 0)]))


def test_picture_is_to_scale(camera):
    image = draw([_flat(_square(10, 0), (1, 0, 0))], camera, 4)
    assert image.shape == (160, 80, 4)
    # 10 mm x 10 mm at 16 pixels a square millimetre; the rim pixels count by their share
    assert image[..., 3].sum() == pytest.approx(1600, rel=0.01)


def test_axes_point_the_right_way(camera):
    square = _square(4, 0)
    moved = Triangles(square.corners + np.array([5.0, 15.0, 0]), square.normals, square.cell)
    image = draw([_flat(moved, (1, 0, 0))], camera, 4)
    rows, columns = np.nonzero(image[..., 3] > 0.5)
    assert rows.mean() < 40  # up in the picture is up in the scene
    assert columns.mean() > 40
    assert np.allclose(camera.project([[5.0, 15.0, 0]])[0, :2], (5, 15))


def test_near_hides_far_in_any_order(camera):
    far, near = _flat(_square(20, -1), (1, 0, 0)), _flat(_square(20, 1), (0, 0, 1))
    for order in ([far, near], [near, far]):
        middle = draw(order, camera, 2)[40, 20]
        assert np.allclose(middle, (0, 0, 1, 1))


def test_cut_faces_have_exactly_the_colour_of_the_legend(camera):
    colour = tuple(palette.rgb("#22639c"))
    assert np.allclose(draw([_flat(_square(20, 0), colour)], camera, 2)[40, 20, :3], colour, atol=1e-6)
    shaded = draw([_flat(_square(20, 0, shaded=True), colour)], camera, 2)[40, 20, :3]
    assert np.all(shaded <= np.array(colour) + 1e-6)
    assert shaded.sum() > 0.7 * sum(colour)


def test_glass_lets_through_what_is_behind_it_and_not_what_is_in_front(camera):
    glass = _flat(_square(20, 0, shaded=True), (1, 1, 1), glass=0.4)
    behind = draw([_flat(_square(20, -1), (1, 0, 0)), glass], camera, 2)[40, 20]
    before = draw([_flat(_square(20, 1), (1, 0, 0)), glass], camera, 2)[40, 20]
    assert behind[3] == pytest.approx(1.0)
    assert 0.2 < behind[1] < 0.5
    assert np.allclose(before, (1, 0, 0, 1))
    alone = draw([glass], camera, 2)[40, 20]
    assert alone[3] == pytest.approx(0.4, abs=0.01)


def test_degenerate_and_missing_triangles_draw_nothing(camera):
    line = Triangles(np.zeros((1, 3, 3)), np.zeros((1, 3, 3)), np.zeros(1, np.int64))
    broken = Triangles(np.full((1, 3, 3), np.nan), np.zeros((1, 3, 3)), np.zeros(1, np.int64))
    none = Triangles(np.zeros((0, 3, 3)), np.zeros((0, 3, 3)), np.zeros(0, np.int64))
    for item in (line, broken, none):
        assert not draw([_flat(item, (1, 0, 0))], camera, 1).any()


def test_camera_cannot_look_along_its_own_up():
    with pytest.raises(ValueError, match="along its own up"):
        looking((0, 0, 1), (0, 0, 2))


def test_risk_colours_turn_at_one():
    below, above = palette.risk_colours([0.99, 1.01])
    assert below[2] > below[0]  # blue
    assert above[0] > above[2]  # orange
    missing, far, most = palette.risk_colours([np.nan, np.inf, 2.0])
    assert np.allclose(missing, palette.rgb(palette.MISSING))
    assert np.allclose(far, most)


def test_every_material_gets_its_own_colour():
    names = ["cortical_bone", "trabecular_bone", "marrow", "tumour", "pmma", "pmma_soft", "titanium", "x", "y"]
    codes = palette.material_codes(names)
    assert len(set(codes.values())) == len(names)
    assert codes["pmma"] == palette.material_codes(["pmma"])["pmma"]
