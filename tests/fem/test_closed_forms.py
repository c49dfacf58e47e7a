"""Closed forms and published numbers. The kind of each reference is named in the test."""

import numpy as np
import pytest
from small_meshes import box, distort, faces_on, on

from femsim import fem
from femsim.errors import FemsimWarning


def quarter_ring(name, divisions):
    points, cells = box(name, divisions, (1.0, 1.0, 0.1))
    radius, angle = 0.1 + 0.1 * points[:, 0], np.pi / 2 * points[:, 1]
    # x radial, y around, z along keeps the orientation of the box.
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), points[:, 2]], axis=1), cells, points


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
