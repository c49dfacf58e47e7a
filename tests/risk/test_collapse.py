"""Numbers of a load-displacement curve against what can be read off by hand, and bars that soften on several meshes."""

import bars
import numpy as np
import pytest

from femsim import fem, material, risk
from femsim.errors import InputError
from femsim.fem import nonlinear
from femsim.material import inelastic


def curve(load, moved, **changes):
    values = {"is_moment": False, "peak_reached": True, "end": "", "body_weight": 700.0} | changes
    return risk.Curve(np.array(moved, float), np.array(load, float), **values)


def test_elastic_then_flat_then_falling():
    """100 N/mm to 200 N, flat to 4 mm, then down: the 5 % secant meets the plateau at its own load."""
    found = curve([0, 200, 200, 100], [0, 2, 4, 5])
    assert found.stiffness == 100.0
    assert found.peak == 200.0
    assert found.yield_load == pytest.approx(200.0)
    assert found.energy_to_peak == pytest.approx(0.2)  # 200 N over 2 mm, half: the first time the peak is reached


def test_yield_by_the_secant():
    """Slope 100 to 100 N, then 50: 0.95 * 100 u = 100 + 50 (u - 1) at u = 50 / 45."""
    found = curve([0, 100, 200, 150], [0, 1, 3, 4])
    assert found.yield_load == pytest.approx(95.0 * 50 / 45)
    assert found.energy_to_peak == pytest.approx((50.0 + 300.0) / 1000.0)


def test_brittle_curve_yields_at_its_peak():
    assert curve([0, 100, 101, 90], [0, 1, 1.01, 0.95]).yield_load == 101.0


def test_moment_curve_counts_joules_from_degrees():
    found = curve([0, 10], [0, 2], is_moment=True)
    assert found.energy_to_peak == pytest.approx(10.0 * np.radians(2.0) / 2.0)
    assert found.csv().splitlines()[0] == "displacement [deg],load [N m]"
    assert "failure load at least [N m]" in curve([0, 10], [0, 2], is_moment=True, peak_reached=False).summary()


def test_a_curve_needs_two_finite_points():
    with pytest.raises(InputError, match="load-displacement"):
        curve([0.0], [0.0])
    with pytest.raises(InputError, match="load-displacement"):
        curve([0.0, np.nan], [0.0, 1.0])


def peak(points, cells):
    """First yield and failure load (N) of a bar of bone that yields and softens, pulled by its end."""
    zero = [np.flatnonzero(np.abs(points[:, i]) < 1e-9) for i in range(3)]
    end = np.flatnonzero(np.abs(points[:, 0] - points[:, 0].max()) < 1e-9)
    model = fem.Model(
        points, cells, material.assign([bars.BONE], np.zeros(len(cells), int)),
        [*(fem.Fixed(zero[i], (i,)) for i in range(3)), fem.Fixed(end, (0,), 0.01)], {"pull": ()},
    )  # fmt: skip
    path = nonlinear.follow(
        model, nonlinear.Inelastic(inelastic.laws([bars.BONE])), "pull", magnitude=0.01,
        settings=nonlinear.PathSettings(tolerance=5e-4, drop=0.02, linear_tolerance=1e-2),
    )  # fmt: skip
    assert path.end == "peak"
    return path.load[1], path.limit


SIZES = [pytest.param((2.0, 1.4), id="2-1.4"), pytest.param((2.0, 1.0, 0.5), id="2-1-0.5", marks=pytest.mark.slow)]


@pytest.mark.parametrize("shape", [pytest.param(bars.notched, marks=pytest.mark.slow), bars.holed])
@pytest.mark.parametrize("sizes", SIZES)
def test_failure_load_does_not_move_with_the_mesh(shape, sizes):
    """Softening scaled by the element size: the failure load moves by less than 5 %; first yield of the sharp notch,
    which is the plain peak stress, by far more."""
    found = np.array([peak(*shape(h)) for h in sizes])
    first, limit = found.T
    assert np.ptp(limit) < 0.05 * limit[-1]
    assert (limit > first).all()
    if shape is bars.notched:
        assert (first[:-1] > 1.15 * first[1:]).all()
