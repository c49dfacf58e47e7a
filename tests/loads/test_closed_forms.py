"""A straight tube under the library's bench loads against beam theory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from femsim import fem, loads
from femsim.errors import SolveError
from femsim.loads import Applied
from femsim.material import assign
from femsim.mesh import Mesh

LENGTH, OUTER, INNER = 200.0, 28.0, 13.0
E, G = 17000.0, 3300.0
AREA = math.pi / 4 * (OUTER**2 - INNER**2)
INERTIA = math.pi / 64 * (OUTER**4 - INNER**4)
DEGREE = math.pi / 180 / 1000  # N mm/rad -> N m/deg


@pytest.fixture(scope="module")
def solved(tube: tuple[Any, Mesh]) -> Any:
    bone, mesh = tube
    axis = np.tile([0.0, 0.0, 1.0], (len(mesh.cells), 1))
    material = assign(["cortical_bone"], np.zeros(len(mesh.cells), int), axis=axis)
    workspace = fem.Workspace()

    def solve(name: str) -> tuple[Applied, fem.Solution]:
        applied = loads.apply(name, bone, mesh)
        model = fem.Model(mesh.points, mesh.cells, material, supports=applied.supports, loads={name: applied.loads})
        return applied, fem.solve(model, workspace=workspace, threads=1)[name]

    return solve


@pytest.mark.parametrize(
    ("name", "expected"),
    [  # ANALYTIC; the held end takes its Poisson contraction away, hence the 1 %
        ("axial_compression", E * AREA / LENGTH),
        ("torsion", G * 2 * INERTIA / LENGTH * DEGREE),
        ("bending_frontal", E * INERTIA / LENGTH * DEGREE),
        ("bending_sagittal", E * INERTIA / LENGTH * DEGREE),
    ],
)
def test_stiffness_of_a_held_tube(name: str, expected: float, solved: Any, tube: tuple[Any, Mesh]) -> None:
    applied, solution = solved(name)
    assert applied.stiffness(tube[1].points, solution.displacement) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("name", ["axial_compression", "torsion"])
def test_stiffness_of_one_load_is_load_over_motion_of_its_patch(name: str, solved: Any, tube: tuple[Any, Mesh]) -> None:
    applied, solution = solved(name)
    patch, points = applied.patches[0], tube[1].points
    shift, turn = patch.motion(points, solution.displacement)
    moved = shift @ patch.force + turn @ patch.moment
    expected = applied.magnitude**2 / moved * (DEGREE if applied.is_moment else 1.0)
    assert applied.stiffness(points, solution.displacement) == pytest.approx(expected, rel=1e-9)


def test_patch_motion_is_that_of_a_rigid_body(tube: tuple[Any, Mesh]) -> None:
    """ANALYTIC: on a rigid motion the patch reports exactly it."""
    bone, mesh = tube
    patch = loads.apply("torsion", bone, mesh).patches[0]
    shift, turn = np.array([0.1, -0.2, 0.3]), np.array([1e-3, 2e-3, -3e-3])
    field = shift + np.cross(turn, mesh.points - patch.point)
    found_shift, found_turn = patch.motion(mesh.points, field)
    np.testing.assert_allclose(found_shift, shift, atol=1e-12)
    np.testing.assert_allclose(found_turn, turn, atol=1e-12)


def test_rollers_carry_nothing_beyond_statics(solved: Any) -> None:
    for name in ("three_point_bending", "four_point_bending"):
        _, solution = solved(name)
        assert np.abs(solution.reaction).max() < 1e-4


def test_four_point_bending_has_the_moment_of_statics(solved: Any, tube: tuple[Any, Mesh]) -> None:
    """ANALYTIC: between the loads sigma_zz = M y / I with M = F a / 2; pressed backwards, the back is in tension."""
    _, solution = solved("four_point_bending")
    where = fem.quadrature_points(tube[1].points, tube[1].cells, "tet10").reshape(-1, 3)
    stress = solution.stress.reshape(-1, 6)[:, 2]
    middle = np.abs(where[:, 2] - LENGTH / 2) < 8
    slope = (where[middle, 1] @ stress[middle]) / (where[middle, 1] @ where[middle, 1])
    moment = 500.0 * 0.2 * LENGTH
    assert slope == pytest.approx(-moment / INERTIA, rel=0.02)


def test_deflection_of_three_point_bending(solved: Any, tube: tuple[Any, Mesh]) -> None:
    """ANALYTIC: Timoshenko, for point loads; the patches are 16 mm long on a span of 120 mm, hence the 5 %."""
    applied, solution = solved("three_point_bending")
    span, nu, m = 0.6 * LENGTH, 0.46, INNER / OUTER
    # shear coefficient of a hollow circle, Cowper 1966
    kappa = 6 * (1 + nu) * (1 + m**2) ** 2 / ((7 + 6 * nu) * (1 + m**2) ** 2 + (20 + 12 * nu) * m**2)
    beam = 1 / (span**3 / (48 * E * INERTIA) + span / (4 * kappa * G * AREA))
    found = applied.stiffness(tube[1].points, solution.displacement)
    assert found == pytest.approx(beam, rel=0.05)


def test_displacement_of_nothing_has_no_stiffness(tube: tuple[Any, Mesh]) -> None:
    bone, mesh = tube
    with pytest.raises(SolveError, match="work"):
        loads.apply("torsion", bone, mesh).stiffness(mesh.points, np.zeros_like(mesh.points))
