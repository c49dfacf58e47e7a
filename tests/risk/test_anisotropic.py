"""Hoffman and Tsai-Wu: they give back the strengths they were made of, and do not know which way x points."""

from __future__ import annotations

import numpy as np
import pytest

from femsim import fem, material
from femsim.errors import MaterialError
from femsim.risk.anisotropic import Strengths, hoffman, tsai_wu

BONE = Strengths(133.0, 193.0, 51.0, 133.0, 51.6)


@pytest.mark.parametrize("criterion", [hoffman, tsai_wu])
def test_uniaxial_and_shear_strengths_come_back(criterion) -> None:
    rows = np.zeros((6, 6))
    rows[0, 2], rows[1, 2] = 133.0, -193.0
    rows[2, 0], rows[3, 1] = 51.0, -133.0
    rows[4, 3], rows[5, 4] = 51.6, -51.6
    np.testing.assert_allclose(criterion(rows, BONE), 1.0)
    np.testing.assert_allclose(criterion(rows * 0.37, BONE), 0.37)


@pytest.mark.parametrize("criterion", [hoffman, tsai_wu])
def test_turning_about_the_long_axis_changes_nothing(criterion) -> None:
    random = np.random.default_rng(3).normal(size=(50, 6)) * 40.0
    c, s = np.cos(0.7), np.sin(0.7)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    tensor = turn @ fem.elasticity.as_tensor(random) @ turn.T
    turned = np.stack([tensor[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))], axis=1)
    np.testing.assert_allclose(criterion(turned, BONE), criterion(random, BONE), rtol=1e-10)


def test_equal_strengths_are_von_mises() -> None:
    equal = Strengths(100.0, 100.0, 100.0, 100.0, 100.0 / np.sqrt(3.0))
    stress = np.random.default_rng(5).normal(size=(50, 6)) * 60.0
    wanted = fem.von_mises(stress) / 100.0
    np.testing.assert_allclose(hoffman(stress, equal), wanted, rtol=1e-10)
    np.testing.assert_allclose(tsai_wu(stress, equal), wanted, rtol=1e-10)


def test_no_stress_and_bad_strengths() -> None:
    assert hoffman(np.zeros((1, 6)), BONE)[0] == 0.0
    with pytest.raises(MaterialError, match="not possible"):
        Strengths(133.0, -193.0, 51.0, 133.0, 51.6)
    with pytest.raises(MaterialError, match="interaction"):
        tsai_wu(np.zeros((1, 6)), BONE, interaction=1.0)
    with pytest.raises(MaterialError, match="closed"):
        hoffman(np.zeros((1, 6)), Strengths(10.0, 10.0, 100.0, 100.0, 10.0))


def test_strengths_of_the_library() -> None:
    assert Strengths.of(material.get("cortical_bone")).shear == pytest.approx(51.6)
    with pytest.raises(MaterialError, match="tension_transverse"):
        Strengths.of(material.get("cortical_bone_isotropic"))
