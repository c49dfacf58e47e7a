"""Patch tests: what every element must reproduce exactly, and the field only moduli at quadrature points reproduce."""

import numpy as np
import pytest
from small_meshes import box, distort, faces_on, on, surface

from femsim import fem

ALL = fem.ELEMENTS
GRADIENT = np.array([[1.1e-3, 2e-4, -3e-4], [5e-4, -7e-4, 4e-4], [1e-4, 6e-4, 9e-4]])
STRAIN = np.array([1.1e-3, -7e-4, 9e-4, 1e-3, -2e-4, 7e-4])


def materials():
    rng = np.random.default_rng(3)
    a = rng.normal(size=(6, 6))
    full = a @ a.T * 100.0 + 2000.0 * np.eye(6)
    return {
        "isotropic": fem.isotropic(1000.0, 0.3),
        "cortex": fem.transversely_isotropic(17000.0, 11000.0, 3300.0, 0.3, 0.4),
        "anisotropic": fem.anisotropic(full[np.tril_indices(6)]),
    }


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", ["isotropic", "cortex", "anisotropic"])
@pytest.mark.parametrize("projected", [False, True])
def test_linear_displacement_is_exact_on_a_distorted_patch(name, kind, projected):
    points, cells = box(name, (3, 3, 3), (2.0, 3.0, 2.5))
    points = distort(points, cells, name, 0.15)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    axes = np.broadcast_to(turn, (len(cells), 3, 3))
    stiffness = materials()[kind]
    material = fem.Material(stiffness, np.zeros(len(cells), int), axes=axes, projected=projected)
    exact = points @ GRADIENT.T
    nodes = surface(points)
    model = fem.Model(points, cells, material, [fem.Fixed(nodes, value=exact[nodes])], {"patch": ()}, name)
    solution = fem.solve(model)["patch"]
    assert np.abs(solution.displacement - exact).max() < 1e-12 * np.abs(exact).max() * 100
    assert np.abs(solution.strain - STRAIN).max() < 1e-14
    local = np.zeros(6)
    from femsim.fem.elasticity import strain_rotation

    t = strain_rotation(turn)
    local = t.T @ stiffness @ t @ STRAIN
    assert np.abs(solution.stress - local).max() < 1e-10 * np.abs(local).max()
    assert solution.checks.energy_balance < 1e-12
    assert np.abs(solution.checks.force).max() < 1e-12


@pytest.mark.parametrize("name", ALL)
def test_uniform_traction_gives_uniform_stress(name):
    points, cells = box(name, (2, 2, 2), (2.0, 2.0, 2.0))
    points = distort(points, cells, name, 0.2)
    material = fem.Material(fem.isotropic(1000.0, 0.3), np.zeros(len(cells), int))
    supports = [fem.Fixed(on(points, i, 0.0), (i,)) for i in range(3)]
    pull = fem.Traction(faces_on(points, cells, name, 2, 2.0), (0.0, 0.0, 5.0))
    press = fem.Pressure(faces_on(points, cells, name, 0, 2.0), 3.0)
    solution = fem.solve(fem.Model(points, cells, material, supports, {"both": (pull, press)}, name))["both"]
    assert np.abs(solution.stress - [-3.0, 0, 5.0, 0, 0, 0]).max() < 1e-11
    assert solution.checks.residual < 1e-11


def heterogeneous(points, at):
    """1/E linear in space under uniaxial stress 1: FeenoX, parallelepiped-mechanical."""
    a, b, c, d, nu, h = 0.002, 0.003, 0.004, 0.76, 0.3, 10.0
    x, y, z = points.T
    u = a / 2 * (x**2 + nu * (y**2 + z**2)) + b * x * y + c * x * z + d * x - nu * a * h / 4 * (y + z)
    v = -nu * (a * x * y + b / 2 * (y**2 - z**2 + x**2 / nu) + c * y * z + d * y - a * h / 4 * x - c * h / 4 * z)
    w = -nu * (a * x * z + b * y * z + c / 2 * (z**2 - y**2 + x**2 / nu) + d * z + c * h / 4 * y - a * h / 4 * x)
    modulus = 1.0 / (at @ [a, b, c] + d)
    return np.stack([u, v, w], axis=1), modulus


@pytest.mark.parametrize("name", ["tet10", "hex20", "hex20r"])
@pytest.mark.parametrize("per_cell", [False, True])
def test_modulus_at_quadrature_points_is_exact_and_per_cell_is_not(name, per_cell):
    points, cells = box(name, (4, 2, 2), (20.0, 10.0, 10.0), (0.0, -5.0, -5.0))
    if name == "tet10":
        points = distort(points, cells, name, 1.0)
    exact, scale = heterogeneous(points, fem.quadrature_points(points, cells, name))
    if per_cell:
        scale = scale.mean(axis=1)
    material = fem.Material(fem.isotropic(1.0, 0.3), np.zeros(len(cells), int), scale=scale)
    nodes = surface(points)
    model = fem.Model(points, cells, material, [fem.Fixed(nodes, value=exact[nodes])], {"pull": ()}, name)
    solution = fem.solve(model)["pull"]
    error = np.abs(solution.displacement - exact).max() / np.abs(exact).max()
    if per_cell:
        assert error > 1e-6
    else:
        assert error < 1e-12
        assert np.abs(solution.stress - [1.0, 0, 0, 0, 0, 0]).max() < 1e-10


@pytest.mark.parametrize("name", ALL)
def test_rigid_motion_costs_nothing_and_nothing_else_is_free(name):
    from scipy.sparse import bsr_matrix

    from femsim.fem import operators
    from femsim.fem.workspace import make_grid

    points, cells = box(name, (1, 1, 1) if name != "hex20r" else (2, 2, 1), (1.0, 1.2, 0.9))
    material = fem.Material(fem.isotropic(1.0, 0.3), np.zeros(len(cells), int))
    model = fem.Model(points, cells, material, element=name)
    grid = make_grid(model, 1)
    matrix = bsr_matrix((operators.stiffness(grid, material), grid.pattern.indices, grid.pattern.indptr)).toarray()
    assert np.abs(matrix - matrix.T).max() == 0.0
    values = np.linalg.eigvalsh(matrix)
    assert np.abs(values[:6]).max() < 1e-13 * values[-1]
    assert values[6] > 1e-4 * values[-1]
