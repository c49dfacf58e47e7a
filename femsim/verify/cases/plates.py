"""Plates and membranes: holes, NAFEMS LE1, LE10 and LE11, Cook's membrane, Timoshenko's cantilever."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.verify.meshes import at, box, faces_on, on, surface_forces
from femsim.verify.registry import Values, case

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def plane_stress(E: tuple[float, float], nu: float, G: float) -> Floats:
    """A material that is in plane stress where u_z = 0: it does not contract across the plane."""
    return fem.orthotropic((*E, E[0]), (0.0, 0.0, nu), (G, G, G))


def solved(
    points: Floats, cells: Ints, stiffness: Floats, supports: Sequence[fem.Support], loads: Sequence[fem.Load],
    name: str = "hex20",
) -> fem.Solution:  # fmt: skip
    """One material, one load case."""
    material = fem.Material(stiffness, np.zeros(len(cells), int), projected=False)
    return fem.solve(fem.Model(points, cells, material, supports, {"load": loads}, name), tolerance=1e-10)["load"]


def stress_at(solution: fem.Solution, points: Floats, place: Sequence[float]) -> Floats:
    """Recovered stress (6,) at the node nearest to a place."""
    nodes, values = fem.recover(solution, "stress").of(0)
    return np.asarray(values[nodes == at(points, place)][0])


def _flat(reference: Floats) -> list[fem.Support]:
    """No displacement across the plane."""
    return [fem.Fixed(np.arange(len(reference)), (2,))]


def _quarter(reference: Floats) -> list[fem.Support]:
    """Symmetry of a quarter whose second reference coordinate goes from the x axis (0) to the y axis (1)."""
    return [fem.Fixed(on(reference, 1, 0.0), (1,)), fem.Fixed(on(reference, 1, 1.0), (0,))]


def _annulus(radial: int, around: int, outer: float) -> tuple[Floats, Floats, Ints]:
    """Quarter of an annulus of inner radius one, finer inside: reference coordinates, points, cells."""
    reference, cells = box("hex20", (radial, around, 1))
    radius, angle = outer ** reference[:, 0], np.pi / 2.0 * reference[:, 1]
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0.1 * reference[:, 2]], axis=1)
    return reference, points, cells


def _graded(s: Floats, ratio: float) -> Floats:
    """0 to 1 in steps that grow by `ratio` in all."""
    return np.asarray((ratio**s - 1.0) / (ratio - 1.0))


def _pulled(places: Floats, normal: Floats) -> Floats:
    """Traction of a uniform stress of one along x."""
    return normal * [1.0, 0.0, 0.0]


def kirsch_stress(places: Floats) -> Floats:
    """Stress tensor (..., 3, 3) about a hole of radius one in an infinite plate pulled along x by one (Kirsch 1898)."""
    x, y = places[..., 0], places[..., 1]
    r2, angle = x**2 + y**2, np.arctan2(y, x)
    q = 1.0 / r2
    rr = 0.5 * (1 - q) + 0.5 * (1 - 4 * q + 3 * q**2) * np.cos(2 * angle)
    tt = 0.5 * (1 + q) - 0.5 * (1 + 3 * q**2) * np.cos(2 * angle)
    rt = -0.5 * (1 + 2 * q - 3 * q**2) * np.sin(2 * angle)
    c, s = np.cos(angle), np.sin(angle)
    out = np.zeros((*x.shape, 3, 3))
    out[..., 0, 0] = c**2 * rr + s**2 * tt - 2 * s * c * rt
    out[..., 1, 1] = s**2 * rr + c**2 * tt + 2 * s * c * rt
    out[..., 0, 1] = out[..., 1, 0] = s * c * (rr - tt) + (c**2 - s**2) * rt
    return out


@case("kirsch")
def kirsch() -> Values:
    """The exact tractions on a boundary at five radii."""
    reference, points, cells = _annulus(40, 24, 5.0)
    faces = faces_on(reference, cells, "hex20", 0, 1.0)
    force = surface_forces(points, cells, "hex20", faces, lambda x, n: np.einsum("fqij,fqj->fqi", kirsch_stress(x), n))
    load = fem.NodalForce(np.arange(len(points)), force)
    stiffness = plane_stress((17000.0, 17000.0), 0.3, 17000.0 / 2.6)
    solution = solved(points, cells, stiffness, [*_flat(points), *_quarter(reference)], [load])
    return {
        "peak": float(stress_at(solution, points, (0.0, 1.0, 0.0))[0]),
        "side": float(stress_at(solution, points, (1.0, 0.0, 0.0))[1]),
    }


@case("orthotropic-hole")
def orthotropic_hole() -> Values:
    """Uniform tension far away, at 40 radii."""
    reference, points, cells = _annulus(60, 30, 40.0)
    faces = faces_on(reference, cells, "hex20", 0, 1.0)
    load = fem.NodalForce(np.arange(len(points)), surface_forces(points, cells, "hex20", faces, _pulled))
    stiffness = plane_stress((20000.0, 12000.0), 0.37, 5500.0)
    solution = solved(points, cells, stiffness, [*_flat(points), *_quarter(reference)], [load])
    return {"peak": float(stress_at(solution, points, (0.0, 1.0, 0.0))[0])}


def finite_width(fraction: float, length: float = 3.0) -> float:
    """Largest stress over the mean one of the net section, for a hole of `fraction` of the width, pulled along y."""
    reference, cells = box("hex20", (24, 24, 1))
    s, t, z = reference.T
    angle = np.pi / 2.0 * t
    inner = fraction * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    side = np.stack([np.ones_like(t), 2.0 * length * t], axis=1)
    top = np.stack([2.0 - 2.0 * t, np.full_like(t, length)], axis=1)
    outer = np.where((t <= 0.5)[:, None], side, top)
    points = np.column_stack([inner + _graded(s, 1.0 / fraction)[:, None] * (outer - inner), 0.1 * z])
    faces = faces_on(points, cells, "hex20", 1, length)
    stiffness = plane_stress((17000.0, 17000.0), 0.3, 17000.0 / 2.6)
    supports = [*_flat(points), *_quarter(reference)]
    solution = solved(points, cells, stiffness, supports, [fem.Pressure(faces, -1.0)])
    return float(stress_at(solution, points, (fraction, 0.0, 0.0))[1] * (1.0 - fraction))


@case("howland")
def howland() -> Values:
    """Five ratios of hole to width."""
    return {f"d_over_W_{round(10 * x):02d}": finite_width(x) for x in (0.1, 0.2, 0.3, 0.4, 0.5)}


def _ellipse(divisions: tuple[int, int, int], depth: float) -> tuple[Floats, Floats, Ints]:
    """Quarter of the elliptical plate of NAFEMS: 2 x 1 inside, 3.25 x 2.75 outside."""
    reference, cells = box("hex20", divisions)
    s, angle = _graded(reference[:, 0], 5.0), np.pi / 2.0 * _graded(reference[:, 1], 5.0)
    inner = np.stack([2.0 * np.cos(angle), np.sin(angle)], axis=1)
    outer = np.stack([3.25 * np.cos(angle), 2.75 * np.sin(angle)], axis=1)
    xy = inner + s[:, None] * (outer - inner)
    return reference, np.column_stack([xy, depth * (reference[:, 2] - 0.5)]), cells


@case("nafems-le1")
def le1() -> Values:
    """Elliptic membrane, 10 MPa outwards on the outer edge."""
    reference, points, cells = _ellipse((16, 20, 1), 0.1)
    load = fem.Pressure(faces_on(reference, cells, "hex20", 0, 1.0), -10.0)
    stiffness = plane_stress((210e3, 210e3), 0.3, 210e3 / 2.6)
    solution = solved(points, cells, stiffness, [*_flat(points), *_quarter(reference)], [load])
    return {"syy_at_D": float(stress_at(solution, points, (2.0, 0.0, 0.0))[1])}


@case("nafems-le10")
def le10() -> Values:
    """Thick plate, 1 MPa on top; the outer edge held in the plane, its middle line across it."""
    reference, points, cells = _ellipse((10, 12, 12), 0.6)
    rim = on(reference, 0, 1.0)
    middle = rim[np.abs(points[rim, 2]) < 1e-9]
    supports = [*_quarter(reference), fem.Fixed(rim, (0, 1)), fem.Fixed(middle, (2,))]
    load = fem.Pressure(faces_on(reference, cells, "hex20", 2, 1.0), 1.0)
    solution = solved(points, cells, fem.isotropic(210e3, 0.3), supports, [load])
    return {"syy_at_D": float(stress_at(solution, points, (2.0, 0.0, 0.3))[1])}


def _le11_section(across: Floats, along: Floats) -> tuple[Floats, Floats]:
    """Radius and height of the section of LE11: sphere (along 0 to 1), taper (to 2), cylinder (to 3)."""
    low = np.sqrt(0.5)
    wide = np.sqrt(1.4**2 - low**2)
    first, second, third = (np.clip(along - i, 0.0, 1.0) for i in range(3))
    height = low + 0.69 * second + 0.4 * third
    inner_angle, outer_angle = first * np.pi / 4, first * np.arcsin(low / 1.4)
    sphere = along <= 1.0
    inner = np.where(sphere, np.cos(inner_angle), low), np.where(sphere, np.sin(inner_angle), height)
    outer = (
        np.where(sphere, 1.4 * np.cos(outer_angle), wide + (1.0 - wide) * second),
        np.where(sphere, 1.4 * np.sin(outer_angle), height),
    )
    return inner[0] + across * (outer[0] - inner[0]), inner[1] + across * (outer[1] - inner[1])


@case("nafems-le11")
def le11() -> Values:
    """Solid of revolution (sphere, taper, cylinder) under a temperature of radius plus height."""
    reference, cells = box("hex20", (10, 4, 30), (1.0, 1.0, 3.0))
    radius, z = _le11_section(reference[:, 0], reference[:, 2])
    angle = np.pi / 2.0 * reference[:, 1]
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)
    material = fem.Material(fem.isotropic(210e3, 0.3), np.zeros(len(cells), int), thermal_expansion=np.array([2.3e-4]))
    supports = [*_quarter(reference), fem.Fixed(np.concatenate([on(reference, 2, 0.0), on(reference, 2, 3.0)]), (2,))]
    loads = {"warm": [fem.Thermal(radius + z)]}
    solution = fem.solve(fem.Model(points, cells, material, supports, loads, "hex20"), tolerance=1e-10)["warm"]
    return {"szz_at_A": float(stress_at(solution, points, (1.0, 0.0, 0.0))[2])}


@case("cook")
def cook() -> Values:
    """Cook's membrane: E = 1, nu = 1/3, plane stress, a shear force of one on the right edge."""
    reference, cells = box("hex20", (16, 16, 1))
    x = 48.0 * reference[:, 0]
    bottom, top = 44.0 * reference[:, 0], 44.0 + 16.0 * reference[:, 0]
    points = np.stack([x, bottom + reference[:, 1] * (top - bottom), reference[:, 2]], axis=1)
    load = fem.SurfaceForce(faces_on(reference, cells, "hex20", 0, 1.0), (0.0, 1.0, 0.0))
    supports = [*_flat(points), fem.Fixed(on(reference, 0, 0.0), (0, 1))]
    solution = solved(points, cells, plane_stress((1.0, 1.0), 1.0 / 3.0, 0.375), supports, [load])
    return {"uy_at_tip": float(solution.displacement[at(points, (48.0, 52.0, 0.0)), 1])}


@case("timoshenko-cantilever")
def timoshenko() -> Values:
    """Parabolic shear at the end, exact displacement at the root (Timoshenko and Goodier, Theory of Elasticity, 21)."""
    force, modulus, nu, length, depth = 1000.0, 3e4, 0.3, 48.0, 12.0
    inertia = depth**3 / 12.0
    points, cells = box("hex20", (12, 4, 1), (length, depth, 1.0), (0.0, -depth / 2, 0.0))

    def exact(place: Floats) -> Floats:
        x, y = place[:, 0], place[:, 1]
        u = y * ((6 * length - 3 * x) * x + (2 + nu) * (y**2 - depth**2 / 4))
        v = -(3 * nu * y**2 * (length - x) + (4 + 5 * nu) * depth**2 * x / 4 + (3 * length - x) * x**2)
        return force / (6 * modulus * inertia) * np.stack([u, v, 0.0 * x], axis=1)

    def shear(places: Floats, normal: Floats) -> Floats:
        out = np.zeros_like(places)
        out[..., 1] = -force / (2 * inertia) * (depth**2 / 4 - places[..., 1] ** 2)
        return out

    faces = faces_on(points, cells, "hex20", 0, length)
    load = fem.NodalForce(np.arange(len(points)), surface_forces(points, cells, "hex20", faces, shear))
    root = on(points, 0, 0.0)
    supports = [*_flat(points), fem.Fixed(root, (0, 1), exact(points[root]))]
    stiffness = plane_stress((modulus, modulus), nu, modulus / (2 * (1 + nu)))
    solution = solved(points, cells, stiffness, supports, [load])
    tip = at(points, (length, 0.0, 0.0))
    bending = force * (length - 24.0) * depth / 2 / inertia
    return {
        "tip_deflection": (float(solution.displacement[tip, 1]), float(exact(points[tip][None])[0, 1])),
        "bending_stress": (float(stress_at(solution, points, (24.0, depth / 2, 0.0))[0]), bending),
    }
