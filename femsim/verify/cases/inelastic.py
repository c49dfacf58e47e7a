"""Plasticity: the NAFEMS path at a point, limit loads of structures, and the convergence of Newton's method."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.fem import nonlinear
from femsim.verify.meshes import box, faces_on, on
from femsim.verify.registry import Values, case

Floats = NDArray[np.float64]

STEEL = fem.isotropic(200000.0, 0.3)
YIELD = 200.0


@case("nafems-ssnp14")
def nafems_ssnp14() -> Values:
    """Four legs of a stress path with linear kinematic hardening, extrapolated to infinitely small increments."""
    modulus, tangent = 195000.0, 1930.0
    law = nonlinear.VonMises(181.0, kinematic=modulus * tangent / (modulus - tangent))
    corners = np.zeros((4, 6))
    corners[:, 0] = 151.2, 257.2, 259.3, 0.0
    corners[:, 5] = 93.1, 33.1, 0.0, 0.0
    ends = []
    for count in (200, 400):
        point = nonlinear.single_point(fem.isotropic(modulus, 0.3), law)
        ends.append(nonlinear.follow_stress(point, corners, count).strain[count - 1 :: count])
    fine = 2.0 * ends[1] - ends[0]  # backward Euler is of first order on a curved path in the plastic strain
    out = {}
    for leg, strain in enumerate(fine, 1):
        out[f"leg_{leg}_xx"], out[f"leg_{leg}_xy"] = float(strain[0]), float(strain[5]) / 2.0
    return out


def beam_path(width: float = 4.0, height: float = 10.0, angle: float = 0.001) -> nonlinear.LoadPath:
    """A piece of a rectangular beam whose ends turn; load is the moment, N mm, displacement the angle, rad."""
    points, cells = box("hex20r", (1, 12, 1), (width, height, 5.0), (0.0, -height / 2, 0.0))
    near, far = on(points, 2, 0.0), on(points, 2, 5.0)
    value = np.zeros((len(far), 3))
    value[:, 2] = -angle * points[far, 1]
    middle = near[[np.argmin(np.abs(points[near, 1]))]]
    model = fem.Model(
        points, cells, fem.Material(STEEL, np.zeros(len(cells), int)), element="hex20r",
        supports=[
            fem.Fixed(near, (2,)), fem.Fixed(far, (2,), value), fem.Fixed(on(points, 0, 0.0), (0,)),
            fem.Fixed(middle, (1,)),
        ],
        loads={"bend": ()},
    )  # fmt: skip
    settings = nonlinear.PathSettings(reach=14.0, first_step=0.3, growth=2.0, flat=1e-4)
    laws = nonlinear.Inelastic((nonlinear.VonMises(YIELD),))
    return nonlinear.follow(model, laws, "bend", magnitude=angle, settings=settings)


@case("plastic-beam")
def plastic_beam() -> Values:
    """Moment at 13 times the elastic curvature, where a fully plastic section is within 0.2 %."""
    return {"moment": beam_path().limit}


def cylinder_path(
    settings: nonlinear.PathSettings, law: nonlinear.Law, inner: float = 10.0, outer: float = 20.0
) -> nonlinear.LoadPath:
    """A 30 degree sector of a thick cylinder in plane strain under inner pressure; load is the pressure, MPa."""
    unit, cells = box("hex20r", (8, 2, 1), (1.0, 1.0, 1.0))
    r, angle = inner * (outer / inner) ** unit[:, 0], np.radians(30.0) * unit[:, 1]
    points = np.stack([r * np.cos(angle), r * np.sin(angle), unit[:, 2]], axis=1)
    bore = faces_on(unit, cells, "hex20r", 0, 0.0)
    sin, cos = np.sin(np.radians(30.0)), np.cos(np.radians(30.0))
    turned = np.array([[-sin, cos, 0.0], [cos, sin, 0.0], [0.0, 0.0, -1.0]])
    supports = [
        fem.Fixed(np.arange(len(points)), (2,)),
        fem.Fixed(on(unit, 1, 0.0), (1,)),
        fem.Fixed(on(unit, 1, 1.0), (0,), axes=turned),
    ]
    material = fem.Material(STEEL, np.zeros(len(cells), int))
    model = fem.Model(points, cells, material, supports, {"p": [fem.Pressure(bore, 1.0)]}, "hex20r")
    return nonlinear.follow(model, nonlinear.Inelastic((law,)), "p", settings=settings)


@case("plastic-cylinder")
def plastic_cylinder() -> Values:
    """Limit pressure of a cylinder that does not harden."""
    settings = nonlinear.PathSettings(first_step=0.3, growth=2.0, flat=1e-4, reach=30.0)
    path = cylinder_path(settings, nonlinear.VonMises(YIELD))
    return {"pressure": path.limit if path.reached else float("nan")}


@case("newton-order")
def newton_order() -> Values:
    """Order of convergence over the last three residuals above rounding, of a step deep in the plastic range."""
    path = cylinder_path(
        nonlinear.PathSettings(first_step=0.5, growth=1.0, steps=2, tolerance=1e-11, linear_tolerance=1e-9),
        nonlinear.VonMises(YIELD, linear=2000.0, voce=30.0, rate=100.0, kinematic=1000.0),
    )
    residuals = np.array(path.steps[-1].residuals)
    logs = np.log(residuals[residuals > 1e-12])
    return {"order": float((logs[-1] - logs[-2]) / (logs[-2] - logs[-3])), "residual": float(residuals[-1])}
