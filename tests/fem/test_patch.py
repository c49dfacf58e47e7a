"""Patch tests in more materials than the registry has, and that they are not passed by accident."""

import numpy as np
import pytest
from small_meshes import box, distort, faces_on, on

from femsim import fem
from femsim.verify.cases import patch

ALL = fem.ELEMENTS
MATERIALS = {
    "isotropic": fem.isotropic(1000.0, 0.3),
    "cortex": fem.transversely_isotropic(17000.0, 11000.0, 3300.0, 0.3, 0.4),
    "anisotropic": patch.anisotropic(),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", MATERIALS)
@pytest.mark.parametrize("projected", [False, True])
def test_linear_displacement_is_exact_on_a_distorted_patch(name, kind, projected):
    displacement, stress = patch.patch_error(name, MATERIALS[kind], projected)
    assert displacement < 1e-12
    assert stress < 1e-10


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


@pytest.mark.parametrize("name", ["tet10", "hex20", "hex20r"])
def test_one_modulus_a_cell_is_not_exact_where_moduli_at_quadrature_points_are(name):
    assert patch.modulus_error(name)[0] < 1e-12
    assert patch.modulus_error(name, per_cell=True)[0] > 1e-6
