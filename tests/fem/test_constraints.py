"""Supports in local axes, couplings, ties, equations and loads that act through them."""

from itertools import pairwise

import numpy as np
import pytest
from small_meshes import box, faces_on, on

from femsim import fem
from femsim.errors import InputError, SolveError


def bar(name="tet10", divisions=(2, 2, 6), size=(2.0, 2.0, 10.0)):
    points, cells = box(name, divisions, size)
    points = points - [1.0, 1.0, 0.0]
    material = fem.Material(fem.isotropic(1000.0, 0.3), np.zeros(len(cells), int))
    return points, cells, material


def turned():
    a, b = 0.7, 0.4
    rz = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    rx = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return rz @ rx


@pytest.mark.parametrize("solver", ["direct", "multigrid"])
def test_supports_in_local_axes_turn_with_the_body(solver):
    points, cells, material = bar()
    end = faces_on(points, cells, "tet10", 2, 10.0)
    r = turned()

    def supports(axes):
        return [fem.Fixed(on(points, i, v), (i,), axes=axes) for i, v in ((2, 0.0), (0, -1.0), (1, -1.0))]

    straight = fem.solve(
        fem.Model(points, cells, material, supports(None), {"pull": [fem.Traction(end, (1.0, 0.5, 3.0))]}),
        solver=solver,
    )["pull"]
    skew = fem.solve(
        fem.Model(points @ r.T, cells, material, supports(r.T), {"pull": [fem.Traction(end, r @ [1.0, 0.5, 3.0])]}),
        solver=solver, tolerance=1e-11,
    )["pull"]  # fmt: skip
    scale = np.abs(straight.displacement).max()
    assert np.abs(skew.displacement - straight.displacement @ r.T).max() < 1e-6 * scale
    assert np.abs(skew.reaction - straight.reaction @ r.T).max() < 1e-5 * np.abs(straight.reaction).max()
    assert np.abs(skew.checks.force).max() < 1e-8


def test_two_skew_supports_at_one_node_hold_both_directions():
    points, cells, material = bar()
    s = np.sqrt(0.5)
    axes = [[s, s, 0], [-s, s, 0], [0, 0, 1]]
    base = on(points, 2, 0.0)
    supports = [fem.Fixed(base, (0,), 0.0, axes), fem.Fixed(base, (0,), 0.0), fem.Fixed(base, (2,), 0.25)]
    load = fem.NodalForce(on(points, 2, 10.0), (0.1, 0.0, 0.0))
    u = fem.solve(fem.Model(points, cells, material, supports, {"f": [load]}))["f"].displacement
    assert np.abs(u[base] - [0, 0, 0.25]).max() < 1e-12


def test_contradicting_supports_are_named():
    points, cells, material = bar()
    base = on(points, 2, 0.0)
    supports = [fem.Fixed(base, name="pot"), fem.Fixed(base[:1], (2,), 0.1, name="push")]
    with pytest.raises(SolveError, match=r"pot.*push"):
        fem.solve(fem.Model(points, cells, material, supports, {"f": ()}))


def test_remote_force_is_statically_equivalent():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 3))
    load = fem.RemoteForce(np.arange(40), (3.0, 1.0, -2.0), (1.0, -2.0, 3.0), (5.0, 0.3, -1.0), rng.uniform(0, 1, 40))
    from femsim.fem.forces import distribute

    force = distribute(load, points)
    assert np.allclose(force.sum(axis=0), load.force)
    assert np.allclose(np.cross(points - load.point, force).sum(axis=0), load.moment)


def test_remote_moment_on_a_line_of_nodes_is_refused():
    from femsim.fem.forces import distribute

    line = np.outer(np.arange(5.0), [0.0, 0.0, 1.0])
    along = fem.RemoteForce(np.arange(5), (0.0, 0, 0), moment=(0.0, 0.0, 1.0), name="head")
    with pytest.raises(SolveError, match=r"head.*cannot carry"):
        distribute(along, line)
    across = fem.RemoteForce(np.arange(5), (0.0, 0, 0), moment=(1.0, 0.0, 0.0))
    assert np.allclose(np.cross(line, distribute(across, line)).sum(axis=0), [1.0, 0.0, 0.0])


@pytest.mark.parametrize("solver", ["direct", "multigrid"])
def test_rigid_coupling_twists_a_bar_as_saint_venant(solver):
    """ANALYTIC: square bar, J = 0.1406 a^4 (Timoshenko and Goodier, Theory of Elasticity, table 1)."""
    points, cells, material = bar("tet10", (4, 4, 10), (2.0, 2.0, 20.0))
    top = on(points, 2, 20.0)
    supports = [fem.Fixed(on(points, 2, 0.0)), fem.RigidCoupling(top, (0.3, -0.2, 25.0), "pot")]
    twist = fem.CouplingForce("pot", moment=(0.0, 0.0, 100.0))
    solution = fem.solve(fem.Model(points, cells, material, supports, {"twist": [twist]}), solver=solver)["twist"]
    angle = 100.0 * 20.0 / (1000.0 / 2.6 * 0.1406 * 2.0**4)
    # both ends are kept from warping, which stiffens the bar a little
    assert 0.93 * angle < solution.couplings["pot"].rotation[2] < angle
    arm = points[top] - [0.3, -0.2, 25.0]
    motion = solution.couplings["pot"]
    assert np.allclose(solution.displacement[top], motion.displacement + np.cross(motion.rotation, arm), atol=1e-9)
    assert np.allclose(np.cross(points, solution.reaction).sum(axis=0), [0.0, 0.0, -100.0], atol=1e-4)
    section = fem.section_force(solution, (0.0, 0.0, 9.3), (0.0, 0.0, 1.0))
    assert np.allclose(section.moment, [0.0, 0.0, 100.0], atol=1e-3)
    assert np.abs(section.force).max() < 1e-4


def test_prescribed_rotation_and_its_moment():
    points, cells, material = bar()
    top = on(points, 2, 10.0)
    pot = fem.RigidCoupling(top, (0.0, 0.0, 12.0), "pot", displacement=(0.0, 0.0, 0.0), rotation=(0.0, 0.0, 0.01))
    supports = [fem.Fixed(on(points, 2, 0.0)), pot]
    solution = fem.solve(fem.Model(points, cells, material, supports, {"twist": ()}))["twist"]
    motion = solution.couplings["pot"]
    assert np.allclose(motion.rotation, [0.0, 0.0, 0.01])
    assert np.isclose(2 * solution.energy, 0.01 * motion.moment[2], rtol=1e-8)
    base = np.cross(points, solution.reaction).sum(axis=0)
    assert np.isclose(base[2], -motion.moment[2], rtol=1e-8)


def two_boxes(lower, upper, name="tet10"):
    a, ca = box(name, lower, (2.0, 2.0, 5.0))
    b, cb = box(name, upper, (2.0, 2.0, 5.0), (0.0, 0.0, 5.0))
    points, cells = np.vstack([a, b]), np.vstack([ca, cb + len(a)])
    first = np.arange(len(cells)) < len(ca)
    faces = faces_on(points, cells, name, 2, 5.0)
    below = faces[first[faces[:, 0]]]
    followers = on(points, 2, 5.0)
    followers = followers[followers >= len(a)]
    return points, cells, below, followers


@pytest.mark.parametrize("upper", [(2, 2, 3), (3, 3, 4)])
@pytest.mark.parametrize("solver", ["direct", "multigrid"])
def test_tie_passes_the_patch_of_uniform_stress_where_meshes_match_and_nearly_where_not(upper, solver):
    points, cells, faces, followers = two_boxes((2, 2, 3), upper)
    material = fem.Material(fem.isotropic(1000.0, 0.3), np.zeros(len(cells), int))
    supports = [fem.Fixed(on(points, i, 0.0), (i,)) for i in range(3)]
    # The lateral symmetry planes would hold followers twice.
    supports = [fem.Fixed(np.setdiff1d(s.nodes, followers), s.components) for s in supports]
    supports.append(fem.Tie(followers, faces, 1e-6, "joint"))
    pull = fem.Traction(faces_on(points, cells, "tet10", 2, 10.0), (0.0, 0.0, 2.0))
    solution = fem.solve(fem.Model(points, cells, material, supports, {"pull": [pull]}), solver=solver)["pull"]
    top = solution.displacement[on(points, 2, 10.0), 2]
    assert np.allclose(top, 0.02, rtol=1e-6 if upper == (2, 2, 3) else 0.02)
    assert np.abs(solution.checks.force).max() < 1e-7
    if upper == (2, 2, 3):
        assert np.abs(solution.stress - [0, 0, 2.0, 0, 0, 0]).max() < 1e-6


def test_tie_across_a_gap_is_refused_by_name():
    points, cells, faces, followers = two_boxes((1, 1, 1), (1, 1, 1))
    points = points.copy()
    points[followers[0]] += [0.0, 0.0, 0.3]
    material = fem.Material(fem.isotropic(1000.0, 0.3), np.zeros(len(cells), int))
    supports = [fem.Fixed(on(points, 2, 0.0)), fem.Tie(followers, faces, 0.1, "joint")]
    with pytest.raises(SolveError, match=f"joint.*node {followers[0]} is 0.3"):
        fem.solve(fem.Model(points, cells, material, supports, {"f": ()}))


def test_equation_makes_a_symmetric_end_plane():
    points, cells, material = bar("hex20", (2, 2, 5))
    top = on(points, 2, 10.0)
    supports = [fem.Fixed(on(points, i, v), (i,)) for i, v in ((2, 0.0), (0, -1.0), (1, -1.0))]
    supports += [fem.LinearConstraint([top[0], n], [2, 2], [1.0, -1.0]) for n in top[1:]]
    load = fem.NodalForce([top[3]], (0.0, 0.0, 40.0))
    solution = fem.solve(fem.Model(points, cells, material, supports, {"pull": [load]}, "hex20"))["pull"]
    assert np.allclose(solution.displacement[top, 2], 0.1, rtol=1e-9)
    assert np.abs(solution.stress - [0, 0, 10.0, 0, 0, 0]).max() < 1e-8


def test_equation_with_a_value_and_a_chain():
    points, cells, material = bar("hex8", (1, 1, 1), (2.0, 2.0, 2.0))
    top = on(points, 2, 2.0)
    supports = [fem.Fixed(on(points, i, v), (i,)) for i, v in ((2, 0.0), (0, -1.0), (1, -1.0))]
    supports += [fem.LinearConstraint([b, a], [2, 2], [1.0, -1.0], 0.0) for a, b in pairwise(top)]
    supports.append(fem.LinearConstraint([top[0]], [2], [2.0], 0.4))
    solution = fem.solve(fem.Model(points, cells, material, supports, {"pull": ()}, "hex8"))["pull"]
    assert np.allclose(solution.displacement[top, 2], 0.2)
    assert np.allclose(solution.stress[..., 2], 100.0)


def test_a_node_held_twice_is_refused():
    points, cells, material = bar()
    top = on(points, 2, 10.0)
    supports = [
        fem.Fixed(on(points, 2, 0.0), name="base"),
        fem.RigidCoupling(top, (0, 0, 12.0), "pot"),
        fem.Fixed(top[:1], (0,), name="rail"),
    ]
    with pytest.raises(SolveError, match=f"node {top[0]}.*pot"):
        fem.solve(fem.Model(points, cells, material, supports, {"f": ()}))


def test_imposed_displacement_changes_one_load_case_only():
    points, cells, material = bar()
    supports = [fem.Fixed(on(points, 2, 0.0)), fem.Fixed(on(points, 2, 10.0), (2,), name="head")]
    cases = {"rest": [fem.NodalForce([0], 0.0 * np.ones(3))], "push": [fem.ImposedDisplacement("head", -0.1)]}
    out = fem.solve(fem.Model(points, cells, material, supports, cases))
    assert np.abs(out["rest"].displacement).max() == 0.0
    assert np.allclose(out["push"].displacement[on(points, 2, 10.0), 2], -0.1)
    assert np.allclose(out["push"].reaction.sum(axis=0), 0.0, atol=1e-8)
    wrong = fem.Model(points, cells, material, supports, {"push": [fem.ImposedDisplacement("nobody", -0.1)]})
    with pytest.raises(InputError, match="nobody"):
        fem.solve(wrong)


def test_load_cases_together_are_load_cases_alone():
    """With a coupling, a skew support and an imposed displacement: the columns share one iteration."""
    points, cells, material = bar("tet10", (3, 3, 8), (2.0, 2.0, 16.0))
    base, top = on(points, 2, 0.0), on(points, 2, 16.0)
    slope = np.array([[0.6, 0.0, 0.8], [0.0, 1.0, 0.0], [-0.8, 0.0, 0.6]])
    side = int(np.linalg.norm(points - [2.0, 2.0, 8.0], axis=1).argmin())
    supports = [
        fem.Fixed(base, name="pot"),
        fem.Fixed([side], (0,), axes=slope, name="wedge"),
        fem.RigidCoupling(top, (1.0, 1.0, 20.0), "head"),
    ]
    loads = {
        "pull": [fem.CouplingForce("head", (0.0, 0.0, 50.0))],
        "twist": [fem.CouplingForce("head", moment=(0.0, 0.0, 30.0))],
        "weight": [fem.BodyForce((0.0, 0.01, 0.0))],
        "nothing": [fem.BodyForce((0.0, 0.0, 0.0))],
        "sink": [fem.ImposedDisplacement("pot", (0.0, 0.0, -0.1)), fem.CouplingForce("head", (1.0, 0.0, 0.0))],
        "hot": [fem.InitialStrain((1e-3, 1e-3, 1e-3, 0.0, 0.0, 0.0))],
    }
    together = fem.solve(fem.Model(points, cells, material, supports, loads), solver="multigrid", tolerance=1e-9)
    for name, case in loads.items():
        alone = fem.solve(fem.Model(points, cells, material, supports, {name: case}), solver="direct")[name]
        size = max(np.abs(alone.displacement).max(), 1e-12)
        assert np.abs(together[name].displacement - alone.displacement).max() < 1e-6 * size, name
        assert np.allclose(together[name].reaction, alone.reaction, atol=1e-5 * max(np.abs(alone.reaction).max(), 1.0))
    assert np.abs(together["nothing"].displacement).max() == 0.0
