"""From names to the stiffness of every quadrature point."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from femsim import material
from femsim.errors import InputError, MaterialError
from femsim.material import assign, axes_along

Z = np.array([[0.0, 0.0, 1.0]])


def test_modulus_of_trabecular_bone_follows_the_density_at_every_quadrature_point() -> None:
    density = np.array([[0.3, 0.4, 0.5, 0.6], [0.0, 0.0, 0.0, 0.0], [0.3, 0.3, 0.3, 0.3]])
    made = assign(["trabecular_bone", "pmma"], np.array([0, 0, 1]), density=density)
    assert made.scale is not None
    modulus = made.scale * np.array([material.get("trabecular_bone")["E"]] * 2 + [2500.0])[:, None]
    np.testing.assert_allclose(modulus[0], 6850 * density[0] ** 1.49)
    np.testing.assert_allclose(modulus[1], material.get("marrow")["E"])
    np.testing.assert_allclose(modulus[2], 2500.0)


def test_without_density_the_modulus_is_the_constant_one() -> None:
    assert assign(["trabecular_bone"], np.zeros(2, int)).scale is None


def test_own_material_is_used_as_given() -> None:
    made = assign([material.get("pmma").with_(E=1000)], np.zeros(1, int))
    assert made.base[0, 3, 3] == pytest.approx(1000 / 2.6)


def test_long_axis_turns_the_cortex() -> None:
    made = assign(["cortical_bone"], np.zeros(1, int), axis=np.array([[2.0, 0.0, 0.0]]))
    assert made.axes is not None
    np.testing.assert_allclose(made.axes[0, 2], [1, 0, 0])


@given(some.lists(some.floats(-1, 1), min_size=3, max_size=3).filter(lambda v: np.linalg.norm(v) > 1e-3))
@settings(max_examples=100, deadline=None)
def test_axes_are_right_handed_and_orthonormal(direction: list[float]) -> None:
    axes = axes_along(np.array([direction]))[0]
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    np.testing.assert_allclose(axes[2], np.array(direction) / np.linalg.norm(direction), atol=1e-12)


def test_axis_straight_down_is_no_special_case() -> None:
    axes = axes_along(-Z)[0]
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-15)
    assert np.linalg.det(axes) == pytest.approx(1.0)


def test_anisotropic_cells_need_an_axis() -> None:
    with pytest.raises(InputError, match="cortical_bone needs a long axis"):
        assign(["cortical_bone"], np.zeros(1, int))


@pytest.mark.parametrize("axis", [[[0.0, 0.0, 0.0]], [[np.nan, 0.0, 1.0]]])
def test_axis_without_direction_is_refused(axis: list[list[float]]) -> None:
    with pytest.raises(InputError, match="no length"):
        assign(["cortical_bone"], np.zeros(1, int), axis=np.array(axis))


def test_wrong_number_of_rows_is_refused() -> None:
    with pytest.raises(InputError, match="1 rows for 2 cells"):
        assign(["cortical_bone"], np.zeros(2, int), axis=Z)


def test_only_nearly_incompressible_materials_are_projected() -> None:
    made = assign(["cortical_bone", material.get("marrow").with_(nu=0.499)], np.array([0, 1]), axis=np.repeat(Z, 2, 0))
    assert list(made.projection) == [False, True]


def test_a_wall_is_mixed_in_by_volume() -> None:
    """A bar of two layers under equal strain: the mixture has exactly its axial stiffness (Voigt)."""
    bone, wall = material.get("trabecular_bone"), material.get("polyurethane")
    density = np.full((3, 4), 0.3)
    plain = material.assign([bone], np.zeros(3, np.int64), density=density)
    mixed = material.blended(plain, [(wall, np.array([0.0, 0.25, 1.0]))])

    def stiffness(m: object, cell: int) -> np.ndarray:
        return m.base[m.index[cell]] * m.scale_table()[cell].mean()  # type: ignore[attr-defined]

    np.testing.assert_array_equal(stiffness(mixed, 0), stiffness(plain, 0))
    wanted = 0.25 * wall.stiffness() + 0.75 * stiffness(plain, 1)
    np.testing.assert_allclose(stiffness(mixed, 1), wanted, rtol=0.006)
    np.testing.assert_allclose(stiffness(mixed, 2), wall.stiffness(), rtol=1e-12)
    assert material.blended(plain, []) is plain


def test_an_anisotropic_wall_is_refused() -> None:
    plain = material.assign(["pmma"], np.zeros(2, np.int64))
    with pytest.raises(MaterialError, match="not isotropic"):
        material.blended(plain, [("cortical_bone", np.array([0.5, 0.0]))])
