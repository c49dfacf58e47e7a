"""Closed forms and published numbers. The kind of each reference is named in the test."""

import numpy as np
import pytest
from small_meshes import box, distort, faces_on, on

from femsim import fem
from femsim.errors import FemsimWarning


def test_transversely_isotropic_tetrahedron_sslv131a():
    """ANALYTIC: code_aster sslv131a, one tetrahedron, nautical angles 30, 20, 10."""
    points = np.array([[0.0, 0, 0], [3, 1, 0], [2, 3, 0], [3, 1, -1]])
    cells = np.array([[0, 2, 1, 3]])
    u = np.array([[0.0, 0, 0], [9, 14, 18], [13, 21, 26], [5, 8, 11]])
    a, b, c = np.radians([30.0, 20.0, 10.0])
    # Nautical angles: about z, then -y' (upwards positive pitch), then x''.
    rz = np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]])
    ry = np.array([[np.cos(b), 0, -np.sin(b)], [0, 1, 0], [np.sin(b), 0, np.cos(b)]])
    rx = np.array([[1, 0, 0], [0, np.cos(c), np.sin(c)], [0, -np.sin(c), np.cos(c)]])
    axes = (rx @ ry @ rz)[None]
    stiffness = fem.transversely_isotropic(8000.0, 11000.0, 7000.0, 0.15 * 8000.0 / 11000.0, 0.18)
    material = fem.Material(stiffness, np.zeros(1, int), axes=axes)
    model = fem.Model(points, cells, material, [fem.Fixed(np.arange(4), value=u)], {"u": ()}, "tet4")
    solution = fem.solve(model)["u"]
    strain = solution.strain[0, 0]
    assert np.allclose(strain[3:] / 2, [6.0, 4.0, 3.0])
    # Global stress; code_aster prints xx yy zz xy xz (yz follows).
    expected = [43310.7606376, 72798.7101836, 62459.3557647, 31078.5972274, 39567.9809905]
    assert np.allclose(solution.stress[0, 0][[0, 1, 2, 4, 5]], expected, rtol=1e-9)


def test_two_cubes_in_parallel_and_in_series_sslv140a():
    """ANALYTIC (parallel) and CROSS-CODE (series, code_aster): two bonded cubes."""
    points, cells = box("hex8", (2, 1, 1), (2.0, 1.0, 1.0))
    scale = np.where(points[cells].mean(axis=1)[:, 0] < 1.0, 2.0, 1.0)
    material = fem.Material(fem.isotropic(100000.0, 0.3), np.zeros(2, int), scale=scale)
    free = [fem.Fixed(on(points, i, 0.0), (i,)) for i in range(3)]
    parallel = fem.Fixed(on(points, 1, 1.0), (1,), 1.0)
    solution = fem.solve(fem.Model(points, cells, material, [*free, parallel], {"y": ()}, "hex8"))["y"]
    mean = np.einsum("mqi,mq->i", solution.stress, solution.volume) / 2.0
    assert np.isclose(mean[1], 150000.0, rtol=1e-12)
    series = fem.Fixed(on(points, 0, 2.0), (0,), 2.0)
    # The supports of the code_aster case: u_y held along an edge, u_z along the bar.
    line = np.flatnonzero((points[:, 1] == 0.0) & (points[:, 2] == 0.0))
    edge = np.flatnonzero((points[:, 0] == 0.0) & (points[:, 1] == 0.0))
    supports = [free[0], fem.Fixed(edge, (1,)), fem.Fixed(line, (2,)), series]
    solution = fem.solve(fem.Model(points, cells, material, supports, {"x": ()}, "hex8"))["x"]
    mean = np.einsum("mqi,mq->i", solution.stress, solution.volume) / 2.0
    assert np.isclose(mean[0], 1.34734399e5, rtol=1e-8)


def test_bar_under_its_own_weight_sslv07():
    """ANALYTIC: E = 2e5 MPa, rho = 7800 kg/m3, L = 3 m, hung by its top; u = rho g L^2 / (2 E)."""
    points, cells = box("tet10", (1, 1, 3), (300.0, 300.0, 3000.0))
    weight = 7800e-9 * 9.81  # N/mm3
    material = fem.Material(fem.isotropic(2e5, 0.0), np.zeros(len(cells), int))
    supports = [fem.Fixed(on(points, 2, 3000.0))]
    load = fem.BodyForce((0.0, 0.0, -weight))
    solution = fem.solve(fem.Model(points, cells, material, supports, {"g": [load]}))["g"]
    tip = solution.displacement[on(points, 2, 0.0), 2]
    assert np.allclose(tip, -weight * 3000.0**2 / 4e5, rtol=1e-9)
    top = fem.recover(solution, "stress").of(0)
    assert np.allclose(top[1][np.isin(top[0], on(points, 2, 3000.0)), 2], weight * 3000.0, rtol=1e-6)


def test_rotating_rod():
    """ANALYTIC (as sslv104a, straight along x): u(L) = rho omega^2 L^3 / (3 E) for a rod from the axis."""
    points, cells = box("hex20", (8, 1, 1), (1000.0, 10.0, 10.0))
    material = fem.Material(fem.isotropic(2e5, 0.0), np.zeros(len(cells), int))
    load = fem.Centrifugal(300.0, (0.0, 5.0, 5.0), (0.0, 0.0, 2.0), 7.8e-9)
    supports = [fem.Fixed(on(points, 0, 0.0), (0,)), fem.Fixed(np.arange(len(points)), (1, 2))]
    solution = fem.solve(fem.Model(points, cells, material, supports, {"spin": [load]}, "hex20"))["spin"]
    expected = 7.8e-9 * 300.0**2 * 1000.0**3 / (3 * 2e5)
    assert np.allclose(solution.displacement[on(points, 0, 1000.0), 0], expected, rtol=1e-4)


def lame(points, a, b, p, E, nu):
    """Plane-strain thick cylinder under inner pressure (Lame)."""
    r = np.hypot(points[:, 0], points[:, 1])
    return (1 + nu) / E * p * a**2 / (b**2 - a**2) * ((1 - 2 * nu) * r + b**2 / r)


def quarter_ring(name, divisions):
    points, cells = box(name, divisions, (1.0, 1.0, 0.1))
    radius, angle = 0.1 + 0.1 * points[:, 0], np.pi / 2 * points[:, 1]
    # x radial, y around, z along keeps the orientation of the box.
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), points[:, 2]], axis=1), cells, points


@pytest.mark.parametrize(("nu", "u_inner"), [(0.3, 5.72e-5), (0.4999, 5.9999e-5)])
@pytest.mark.parametrize("name", ["hex8", "hex20", "tet10"])
def test_thick_cylinder_also_when_nearly_incompressible(name, nu, u_inner):
    """ANALYTIC: Lame; sslv04 (nu 0.3) and sslv130 (nu 0.4999)."""
    divisions = {"hex8": (20, 20, 1), "hex20": (4, 4, 1), "tet10": (6, 6, 1)}[name]
    points, cells, flat = quarter_ring(name, divisions)
    material = fem.Material(fem.isotropic(2e5, nu), np.zeros(len(cells), int), projected=True)
    supports = [
        fem.Fixed(np.flatnonzero(flat[:, 1] < 1e-9), (1,)),
        fem.Fixed(np.flatnonzero(flat[:, 1] > 1 - 1e-9), (0,)),
        fem.Fixed(np.flatnonzero((flat[:, 2] < 1e-9) | (flat[:, 2] > 0.1 - 1e-9)), (2,)),
    ]
    load = fem.Pressure(faces_on(flat, cells, name, 0, 0.0), 60.0)
    solution = fem.solve(fem.Model(points, cells, material, supports, {"p": [load]}, name))["p"]
    inner = flat[:, 0] < 1e-9
    radial = np.linalg.norm(solution.displacement[inner, :2], axis=1)
    assert np.allclose(radial, u_inner, rtol=6e-3)
    exact = lame(points, 0.1, 0.2, 60.0, 2e5, nu)
    error = np.linalg.norm(solution.displacement[:, :2], axis=1) - exact
    assert np.abs(error).max() < 6e-3 * exact.max()


def test_plain_elements_lock_where_projected_ones_do_not():
    points, cells, flat = quarter_ring("hex8", (6, 6, 1))
    supports = [
        fem.Fixed(np.flatnonzero(flat[:, 1] < 1e-9), (1,)),
        fem.Fixed(np.flatnonzero(flat[:, 1] > 1 - 1e-9), (0,)),
        fem.Fixed(np.flatnonzero((flat[:, 2] < 1e-9) | (flat[:, 2] > 0.1 - 1e-9)), (2,)),
    ]
    load = fem.Pressure(faces_on(flat, cells, "hex8", 0, 0.0), 60.0)
    inner = flat[:, 0] < 1e-9
    result = {}
    for projected in (False, True):
        material = fem.Material(fem.isotropic(2e5, 0.4999), np.zeros(len(cells), int), projected=projected)
        solution = fem.solve(fem.Model(points, cells, material, supports, {"p": [load]}, "hex8"))["p"]
        result[projected] = np.linalg.norm(solution.displacement[inner, :2], axis=1).mean() / 5.9999e-5
    assert result[False] < 0.8
    assert abs(result[True] - 1.0) < 0.03
    loose = fem.Material(fem.isotropic(2e5, 0.4999), np.zeros(len(cells), int))
    with pytest.warns(FemsimWarning, match="lock"):
        fem.solve(fem.Model(points, cells, loose, supports, {"p": [load]}, "hex8"))


def test_free_thermal_expansion_is_free_of_stress():
    points, cells = box("tet10", (2, 2, 2), (1.0, 1.0, 1.0))
    points = distort(points, cells, "tet10", 0.1)
    turn = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    material = fem.Material(
        fem.transversely_isotropic(17000.0, 11000.0, 3300.0, 0.3, 0.4),
        np.zeros(len(cells), int),
        axes=np.broadcast_to(turn, (len(cells), 3, 3)),
        thermal_expansion=[[1e-5, 1e-5, 3e-5]],
    )
    a, b, c = (int(np.flatnonzero((points == p).all(1))[0]) for p in ([0, 0, 0], [1, 0, 0], [0, 1, 0]))
    supports = [fem.Fixed([a]), fem.Fixed([b], (1, 2)), fem.Fixed([c], (2,))]
    solution = fem.solve(fem.Model(points, cells, material, supports, {"hot": [fem.Thermal(40.0)]}))["hot"]
    tensor = turn.T @ np.diag([4e-4, 4e-4, 12e-4]) @ turn
    assert np.abs(solution.stress).max() < 1e-9
    assert np.allclose(solution.strain[..., :3], np.diag(tensor), atol=1e-14)
    assert np.allclose(solution.strain[..., 3], 2 * tensor[1, 2], atol=1e-14)
    assert np.abs(solution.reaction).max() < 1e-9


def test_clamped_bar_under_shrinkage():
    """ANALYTIC: eps0 in a bar held at both ends, free across: stress = -E eps0."""
    points, cells = box("hex20", (2, 1, 1), (2.0, 1.0, 1.0))
    material = fem.Material(
        fem.isotropic(2500.0, 0.3), np.zeros(2, int), initial_strain=np.tile([-0.002] * 3 + [0.0] * 3, (2, 1))
    )
    ends = [fem.Fixed(on(points, 0, v), (0,)) for v in (0.0, 2.0)]
    rest = [fem.Fixed(on(points, i, 0.0), (i,)) for i in (1, 2)]
    solution = fem.solve(fem.Model(points, cells, material, ends + rest, {"set": ()}, "hex20"))["set"]
    assert np.allclose(solution.stress[..., 0], 5.0)
    assert np.abs(solution.stress[..., 1:]).max() < 1e-9
    assert solution.checks.energy_balance < 1e-10
