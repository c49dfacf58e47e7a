"""How large an element may be for its fracture energy."""

from __future__ import annotations

import numpy as np
import pytest

from femsim import fem
from femsim.fem import nonlinear as nl
from femsim.fem.nonlinear.band import STEEPEST

E, STRENGTH, ENERGY, LEFT = 2500.0, 40.0, 0.9, 0.05


def test_longest_band_is_where_the_elastic_energy_pays_for_the_fracture():
    """Of a linear branch to the residual: S^2 / 2E times the width is the energy of the branch; ANALYTIC."""
    law = nl.Quadric(STRENGTH, 93.0, nl.Branch(1e-4, ENERGY, LEFT), nl.Branch(0.05))
    found = nl.longest_band(np.stack([fem.isotropic(E, 0.3)] * 2), [law, None])
    assert found[0, 0] == pytest.approx(STEEPEST * 2.0 * E * ENERGY / ((1.0 - LEFT) ** 2 * STRENGTH**2))
    assert found[0, 1] > 1e20  # no softening in compression
    assert np.isinf(found[1]).all()
