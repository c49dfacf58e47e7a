"""Workspaces, several load cases, threads, recovery."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from small_meshes import box, distort, faces_on, on

from femsim import fem
from femsim.errors import InputError, SolveError


def problem(scale=None, loads=("z",), divisions=(3, 3, 8)):
    points, cells = box("tet10", divisions, (3.0, 3.0, 12.0))
    points = distort(points, cells, "tet10", 0.15)
    index = (points[cells].mean(axis=1)[:, 2] > 6.0).astype(int)
    base = np.stack([fem.isotropic(17000.0, 0.3), fem.isotropic(500.0, 0.3)])
    material = fem.Material(base, index, scale=scale if scale is None else np.full(len(cells), scale))
    end = faces_on(points, cells, "tet10", 2, 12.0)
    vectors = {"x": (1.0, 0, 0), "y": (0, 1.0, 0), "z": (0, 0, -1.0)}
    cases = {name: [fem.Traction(end, vectors[name])] for name in loads}
    return fem.Model(points, cells, material, [fem.Fixed(on(points, 2, 0.0))], cases)


@pytest.mark.parametrize("solver", ["direct", "multigrid"])
def test_workspace_changes_nothing_but_the_time(solver):
    space = fem.Workspace()
    first = fem.solve(problem(), solver=solver, workspace=space)["z"]
    prepared = space.prepared
    other = fem.solve(problem(loads=("x", "y")), solver=solver, workspace=space)
    assert space.prepared.factors is prepared.factors
    assert other["x"].log.reused == ("pattern", "matrix", "factorisation")
    softer = fem.solve(problem(0.5), solver=solver, workspace=space)["z"]
    assert softer.log.reused[0] == "pattern"
    assert np.allclose(softer.displacement, 2 * first.displacement, atol=1e-6 * np.abs(first.displacement).max())
    again = fem.solve(problem(), solver=solver, workspace=space)["z"]
    assert np.allclose(again.displacement, first.displacement, atol=1e-6 * np.abs(first.displacement).max())
    alone = fem.solve(problem(loads=("y",)), solver=solver)["y"]
    assert np.allclose(other["y"].displacement, alone.displacement, atol=1e-6 * np.abs(alone.displacement).max())
    assert alone.checks.residual < 1e-6


def test_workspace_notices_another_mesh():
    space = fem.Workspace()
    fem.solve(problem(), workspace=space)
    small = problem(divisions=(2, 2, 4))
    assert np.allclose(
        fem.solve(small, workspace=space)["z"].displacement, fem.solve(small)["z"].displacement, atol=1e-12
    )


def test_workspace_looks_for_loose_parts_again_where_supports_change(monkeypatch):
    space, model = fem.Workspace(), problem()
    looked = []
    module = sys.modules["femsim.fem.preflight"]
    real = module.loose_motion
    monkeypatch.setattr(module, "loose_motion", lambda *a: looked.append(1) or real(*a))
    fem.solve(model, workspace=space)
    fem.solve(replace(model, loads=problem(loads=("x",)).loads), workspace=space)
    assert len(looked) == 1
    held = model.supports[0].nodes
    for nodes, components in ((held[:1], (0, 1, 2)), (held, (2,)), (held, (0, 1))):
        with pytest.raises(SolveError, match="can move freely"):
            fem.solve(replace(model, supports=[fem.Fixed(nodes, components)]), workspace=space)
    moved = replace(model, supports=[fem.Fixed(held, value=(0.0, 0.0, 0.1))])
    before = len(looked)
    found = fem.solve(moved, workspace=space)["z"].displacement
    assert len(looked) == before  # the last supports that were good are still known
    np.testing.assert_allclose(found[held], [[0.0, 0.0, 0.1]] * len(held), atol=1e-12)


@pytest.mark.parametrize("kind", ["plain", "turned", "projected"])
def test_matrix_is_the_same_to_the_last_bit_for_any_number_of_threads(kind):
    from dataclasses import replace

    from femsim.fem import operators
    from femsim.fem.workspace import make_grid

    model = problem()
    material = model.material
    if kind == "turned":
        axes = np.linalg.qr(np.random.default_rng(1).normal(size=(len(model.cells), 3, 3)))[0]
        axes *= np.linalg.det(axes)[:, None, None]
        base = np.stack([material.base[0], fem.transversely_isotropic(2e4, 1e4, 4e3, 0.3, 0.3)])
        material = fem.Material(base, material.index, axes=axes)
    elif kind == "projected":
        material = replace(material, projected=np.array([False, True]))
    model = replace(model, material=material)
    results = []
    for threads in (1, 2, 3):
        grid = make_grid(model, threads)
        u = np.random.default_rng(0).normal(size=model.points.shape)
        stress = operators.stress(grid, model.material, operators.strain(grid, model.material, u))
        results.append(
            (operators.stiffness(grid, model.material), operators.internal_forces(grid, model.material, stress))
        )
    for other in results[1:]:
        assert (other[0] == results[0][0]).all()
        assert (other[1] == results[0][1]).all()


def test_recovery_never_averages_across_a_border():
    model = problem(loads=("z",))
    solution = fem.solve(model)["z"]
    strain = solution.strain
    step = np.where(model.material.index == 0, 1.0, 100.0)[:, None]
    from femsim.fem import recover_values

    found = recover_values(solution, np.broadcast_to(step, strain.shape[:2]))
    assert np.allclose(found.of(0)[1], 1.0)
    assert np.allclose(found.of(1)[1], 100.0)
    border = np.intersect1d(found.of(0)[0], found.of(1)[0])
    assert len(border) > 0
    with pytest.raises(InputError):
        fem.recover(solution, "temper")
    with pytest.raises(InputError):
        fem.recover(solution, groups=np.zeros(3, int))


def test_recovery_is_exact_for_a_linear_field():
    model = problem()
    solution = fem.solve(model)["z"]
    places = fem.quadrature_points(model.points, model.cells, "tet10")
    found = fem.recover_values(solution, places)
    assert np.allclose(found.values, model.points[found.node])


def test_principal_values_turn_back_to_the_tensor():
    stress = np.random.default_rng(2).normal(size=(5, 4, 6))
    values, vectors = fem.principal(stress)
    from femsim.fem.elasticity import as_tensor

    assert (np.diff(values, axis=-1) >= 0).all()
    back = np.einsum("...ik,...k,...jk->...ij", vectors, values, vectors)
    assert np.allclose(back, as_tensor(stress))
    shear = fem.principal([0.0, 0, 0, 0, 0, 0.02], strain=True)[0]
    assert np.allclose(shear, [-0.01, 0.0, 0.01])
    assert np.isclose(fem.von_mises([0.0, 0, 0, 0, 0, 1.0]), np.sqrt(3.0))


def test_section_force_balances_the_load():
    model = problem(loads=("x",))
    solution = fem.solve(model, tolerance=1e-10)["x"]
    section = fem.section_force(solution, (1.5, 1.5, 5.0), (0, 0, 2.0))
    assert np.allclose(section.force, [9.0, 0.0, 0.0], atol=1e-6)
    assert np.allclose(section.moment, [0.0, 9.0 * 7.0, 0.0], atol=1e-5)
