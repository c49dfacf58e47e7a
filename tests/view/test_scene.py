"""Where figures look from, and what they cut."""

from __future__ import annotations

import numpy as np
import pytest

from femsim.anatomy import Frame
from femsim.mesh.mesh import Mesh
from femsim.view.scene import Arrow, scene
from tests.view.synthetic import bone_mesh

FRAME = Frame(np.zeros(3), np.eye(3)[0], np.eye(3)[1], np.eye(3)[2])


def test_the_cut_contains_the_axis_and_the_lesion():
    mesh = bone_mesh()
    made = scene(mesh, FRAME)
    lesion = mesh.points[np.unique(mesh.cells[mesh.inside("lesion")])]
    assert abs(made.plane.height(lesion).mean()) < 3.0
    assert abs(made.whole.toward @ FRAME.proximal) < 1e-12
    assert made.whole.toward @ FRAME.anterior > 0
    assert np.allclose(made.whole.up, FRAME.proximal)


def test_everything_is_in_the_picture():
    mesh = bone_mesh()
    arrows = (Arrow(np.array([0, 0, 400.0]), np.array([0, 0, -2000.0]), "hip"),)
    made = scene(mesh, FRAME, arrows=arrows)
    left, right, bottom, top = made.whole.extent
    seen = made.whole.project(np.concatenate([mesh.points, made.tails]))
    assert seen[:, 0].min() >= left
    assert seen[:, 0].max() <= right
    assert seen[:, 1].min() >= bottom
    assert seen[:, 1].max() <= top
    assert made.tails[0, 2] > 440  # the arrow comes from above and ends on the bone


def test_close_up_shows_lesion_and_device():
    mesh = bone_mesh()
    made = scene(mesh, FRAME)
    device = mesh.points[np.unique(mesh.cells[mesh.inside("lesion")])]
    seen = made.close.project(device)
    assert np.abs(seen[:, 0]).max() <= made.close.width / 2
    assert np.abs(seen[:, 1]).max() <= made.close.height / 2
    assert made.close.height < made.whole.height / 2


def test_a_bone_without_any_lesion_can_be_drawn():
    mesh = bone_mesh()
    plain = Mesh(mesh.points, mesh.cells, "tet4", ("endosteum",), mesh.compartment & 1)
    made = scene(plain, FRAME)
    assert len(made.opened) > 100
    assert np.allclose(made.whole.toward, FRAME.anterior)


def test_arrows_without_force_have_no_length():
    made = scene(bone_mesh(), FRAME, arrows=(Arrow(np.zeros(3), np.zeros(3), "none"),))
    assert np.allclose(made.tails, 0)


def test_a_moment_is_drawn_outside_the_bone():
    top, end = np.array([0, 0, 400.0]), np.zeros(3)
    arrows = tuple(
        Arrow(point, np.array([0, 0, turn]), "torque", moment=True) for point in (top, end) for turn in (9e3, -9e3)
    )
    made = scene(bone_mesh(), FRAME, arrows=(*arrows, Arrow(top, np.array([0, 0, -5.0]), "weight")))
    ends = np.stack([made.tails[:, 2], made.tips[:, 2]], axis=1)
    assert (ends[:2] >= 400.0).all()
    assert (ends[2:4] <= 0.0).all()
    assert (np.sign(ends[:4, 1] - ends[:4, 0]) == [1, -1, 1, -1]).all()  # along the moment
    assert np.ptp(np.abs(np.diff(ends, axis=1))) < 1e-9  # forces and moments each have a scale of their own


@pytest.mark.parametrize("direction", [(1, 0, 0), (0, -1, 0.2)])
def test_the_viewer_can_stand_elsewhere(direction):
    made = scene(bone_mesh(), FRAME, direction=direction)
    assert made.whole.toward @ np.array(direction) > 0
