"""Plastic limit loads with closed forms, and the convergence of Newton's method."""

import numpy as np
import pytest
from small_meshes import box, faces_on, on

from femsim import fem
from femsim.fem import nonlinear as nl

STEEL = fem.isotropic(200000.0, 0.3)
YIELD = 200.0


def test_beam_bends_to_its_plastic_moment():
    """Rectangular beam, ends turned: elastic to b h^2/6, limit b h^2/4 times the yield stress; ANALYTIC."""
    width, height = 4.0, 10.0
    points, cells = box("hex20r", (1, 12, 1), (width, height, 5.0), (0.0, -height / 2, 0.0))
    near, far = on(points, 2, 0.0), on(points, 2, 5.0)
    angle = 0.001
    value = np.zeros((len(far), 3))
    value[:, 2] = -angle * points[far, 1]
    model = fem.Model(
        points, cells, fem.Material(STEEL, np.zeros(len(cells), int)), element="hex20r",
        supports=[
            fem.Fixed(near, (2,)), fem.Fixed(far, (2,), value), fem.Fixed(on(points, 0, 0.0), (0,)),
            fem.Fixed(near[[np.argmin(np.abs(points[near, 1]))]], (1,)),
        ],
        loads={"bend": ()},
    )  # fmt: skip
    path = nl.follow(
        model, nl.Inelastic((nl.VonMises(YIELD),)), "bend", magnitude=angle,
        settings=nl.PathSettings(reach=14.0, first_step=0.3, growth=2.0, flat=1e-4),
    )  # fmt: skip
    first, limit = YIELD * width * height**2 / 6, YIELD * width * height**2 / 4
    assert path.load[1] == pytest.approx(first, rel=0.06)  # the outermost quadrature points yield a little later
    assert path.limit == pytest.approx(limit, rel=0.01)
    curvature = path.displacement / path.displacement[1] * path.load[1] / first
    exact = np.where(curvature > 1.0, limit * (1.0 - 1.0 / (3.0 * np.maximum(curvature, 1.0) ** 2)), first * curvature)
    np.testing.assert_allclose(path.load, exact, rtol=0.015)


def cylinder(inner, outer, radial, around):
    """A 30 degree sector, one layer, with the faces of the bore."""
    points, cells = box("hex20r", (radial, around, 1), (1.0, 1.0, 1.0))
    r, angle = inner * (outer / inner) ** points[:, 0], np.radians(30.0) * points[:, 1]
    where = np.stack([r * np.cos(angle), r * np.sin(angle), points[:, 2]], axis=1)
    bore = faces_on(points, cells, "hex20r", 0, 0.0)
    sin, cos = np.sin(np.radians(30.0)), np.cos(np.radians(30.0))
    supports = [
        fem.Fixed(np.arange(len(points)), (2,)), fem.Fixed(on(points, 1, 0.0), (1,)),
        fem.Fixed(on(points, 1, 1.0), (0,), axes=np.array([[-sin, cos, 0], [cos, sin, 0], [0, 0, -1.0]])),
    ]  # fmt: skip
    return where, cells, bore, supports


def cylinder_path(settings=None, law=None):
    where, cells, bore, supports = cylinder(10.0, 20.0, 8, 2)
    model = fem.Model(
        where, cells, fem.Material(STEEL, np.zeros(len(cells), int)), supports, {"p": [fem.Pressure(bore, 1.0)]},
        element="hex20r",
    )  # fmt: skip
    return nl.follow(model, nl.Inelastic((law or nl.VonMises(YIELD),)), "p", settings=settings)


def test_thick_cylinder_reaches_its_limit_pressure():
    """Plane strain, von Mises: 2/sqrt(3) yield stress times ln(b/a); ANALYTIC (Hill 1950)."""
    path = cylinder_path(nl.PathSettings(first_step=0.3, growth=2.0, flat=1e-4, reach=30.0))
    assert path.limit == pytest.approx(2.0 / np.sqrt(3.0) * YIELD * np.log(2.0), rel=0.01)
    assert path.reached


def test_newton_converges_quadratically():
    """Each residual of a plastic step is about the square of the one before, down to rounding."""
    path = cylinder_path(
        nl.PathSettings(first_step=0.5, growth=1.0, steps=2, tolerance=1e-11, linear_tolerance=1e-9),
        nl.VonMises(YIELD, linear=2000.0, voce=30.0, rate=100.0, kinematic=1000.0),
    )
    residuals = np.array(path.steps[-1].residuals)
    assert residuals[-1] < 1e-11
    tail = np.log(residuals[residuals > 1e-12])
    orders = np.diff(tail[1:]) / np.diff(tail[:-1])
    assert len(residuals) <= 7
    assert orders[-1] > 1.7
