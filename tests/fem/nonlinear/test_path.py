"""Paths to the limit load and past a peak, beyond what the verification table holds."""

import numpy as np
import pytest

from femsim import fem
from femsim.errors import InputError, SolveError
from femsim.fem import nonlinear as nl
from femsim.verify.cases.inelastic import YIELD, beam_path
from femsim.verify.meshes import box, faces_on, on


def test_moment_over_curvature_of_a_rectangular_beam():
    """Every point of the curve, not the limit alone: M = M_p (1 - (elastic curvature / curvature)^2 / 3); ANALYTIC."""
    path = beam_path()
    first, limit = YIELD * 4.0 * 100.0 / 6.0, YIELD * 4.0 * 100.0 / 4.0
    assert path.load[1] == pytest.approx(first, rel=0.06)  # the outermost quadrature points yield a little later
    curvature = path.displacement / path.displacement[1] * path.load[1] / first
    exact = np.where(curvature > 1.0, limit * (1.0 - 1.0 / (3.0 * np.maximum(curvature, 1.0) ** 2)), first * curvature)
    np.testing.assert_allclose(path.load, exact, rtol=0.015)


BRITTLE = nl.Quadric(40.0, 93.0, nl.Branch(1e-4, 0.9), nl.Branch(0.05))


def bar(length, weak=0.98, loads=None, name="hex8"):
    """A bar of ten cells in a row along z, one of them a little weaker, all of them free to shrink sideways."""
    points, cells = box(name, (1, 1, 10), (2.0, 2.0, length))
    end = on(points, 2, length)
    strength = np.ones(len(cells))
    strength[4] = weak
    supports = [fem.Fixed(on(points, i, 0.0), (i,)) for i in range(3)]
    if loads is None:
        supports.append(fem.Fixed(end, (2,), 0.01))
    material = fem.Material(fem.isotropic(2500.0, 0.3), np.zeros(len(cells), int))
    model = fem.Model(points, cells, material, supports, {"pull": loads or ()}, name)
    laws = nl.Inelastic((BRITTLE,), size=np.full(len(cells), length / 10.0), strength=strength)
    return model, laws


@pytest.mark.parametrize("length", [2.0, 4.0])
def test_bar_breaks_at_the_strength_of_its_weakest_cell_and_dissipates_the_fracture_energy(length):
    """Short bars fall gently, long ones snap back: both are followed to the end; ANALYTIC.

    The work done on the bar, less what is elastic at the end, is the fracture energy times the section.
    """
    model, laws = bar(length)
    path = nl.follow(
        model, laws, "pull", magnitude=0.01, settings=nl.PathSettings(drop=0.97, steps=200, reach=50.0, growth=1.3)
    )  # fmt: skip
    assert path.end == "peak"
    assert path.limit == pytest.approx(0.98 * 40.0 * 4.0, rel=1e-3)
    opening = path.last.response.state.plastic[4, :, 2].mean() * length / 10.0
    work = np.trapezoid(path.load, path.displacement)
    left = 0.5 * path.load[-1] ** 2 * length / (2500.0 * 4.0)
    residual = 0.02 * 0.98 * 40.0 * 4.0 * opening
    # a cell weaker by 0.98 has a fracture energy smaller by its square: strength and opening scale
    assert work - left - residual == pytest.approx(0.9 * 4.0 * 0.98**2, rel=0.03)
    if length == 4.0:
        assert (np.diff(path.displacement) < 0.0).any()  # it did snap back


def test_load_and_displacement_control_give_the_same_peak():
    """A force on the end face and a prescribed displacement of it are one and the same bar."""
    driven = nl.follow(*bar(4.0), "pull", magnitude=0.01)
    model, laws = bar(4.0, loads=[])
    force = fem.SurfaceForce(faces_on(model.points, model.cells, "hex8", 2, 4.0), (0.0, 0.0, 10.0))
    pulled = fem.Model(model.points, model.cells, model.material, model.supports, {"pull": [force]}, "hex8")
    loaded = nl.follow(pulled, laws, "pull", magnitude=10.0)
    assert loaded.end == driven.end == "peak"
    assert loaded.limit == pytest.approx(driven.limit, rel=2e-3)
    assert loaded.load[1] / loaded.displacement[1] == pytest.approx(driven.load[1] / driven.displacement[1], rel=1e-6)


def test_no_peak_is_said_to_be_none():
    """Stopped before it fails, the largest load is a lower bound and is not called reached."""
    path = nl.follow(*bar(4.0), "pull", magnitude=0.01, settings=nl.PathSettings(steps=1, first_step=0.01))
    assert path.end == "steps"
    assert not path.reached


def test_what_cannot_be_followed():
    model, laws = bar(4.0)
    with pytest.raises(SolveError, match="No material under load can yield"):
        nl.follow(model, nl.Inelastic((None,)), "pull")
    with pytest.raises(SolveError, match="no load case"):
        nl.follow(model, laws, "push")
    with pytest.raises(InputError, match="2 laws for 1"):
        nl.follow(model, nl.Inelastic((None, None)), "pull")
    with pytest.raises(InputError, match="does not fit"):
        nl.follow(model, nl.Inelastic((BRITTLE,), size=np.ones(3)), "pull")
    both = fem.Model(
        model.points, model.cells, model.material, model.supports, {"pull": [fem.NodalForce([0], (0, 0, 1.0))]}, "hex8"
    )
    with pytest.raises(SolveError, match="both forces and prescribed"):
        nl.follow(both, laws, "pull")
