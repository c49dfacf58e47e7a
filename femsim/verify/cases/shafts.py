"""Tubes and composite cylinders under axial load, bending and torsion; thick cylinders under pressure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.verify.meshes import at, box, cylinder, faces_on, joined, on, ring
from femsim.verify.registry import Values, case

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def rigidities(points: Floats, cells: Ints, material: fem.Material, length: float, name: str = "hex20") -> Floats:
    """EA (N), EI (N mm2) and GJ (N mm2) of a prism along z from the reactions to the exact motions of its ends."""
    low, high = on(points, 2, 0.0), on(points, 2, length)
    radius = float(np.hypot(points[:, 0], points[:, 1]).max())
    side, front, back = at(points, (radius, 0, 0)), at(points, (0, radius, 0)), at(points, (-radius, 0, 0))
    # Three points of the lower end hold the rigid motions; the exact fields do not move there.
    stand = [fem.Fixed(np.array([side, back]), (1,)), fem.Fixed(np.array([front]), (0,)), fem.Fixed(low, (2,))]
    stretched = [*stand, fem.Fixed(high, (2,), 1e-3)]
    tilt = np.zeros((len(high), 3))
    tilt[:, 2] = 1e-4 * points[high, 0]
    bent = [*stand, fem.Fixed(high, (2,), tilt)]
    twist = np.zeros((len(high), 3))
    twist[:, 0], twist[:, 1] = -1e-4 * points[high, 1], 1e-4 * points[high, 0]
    twisted = [fem.Fixed(low), fem.Fixed(high, (0, 1), twist)]
    x, y = points[high, 0], points[high, 1]

    def reaction(supports: Sequence[fem.Support]) -> Floats:
        model = fem.Model(points, cells, material, supports, {"move": ()}, name)
        return fem.solve(model, tolerance=1e-10)["move"].reaction[high]

    axial = reaction(stretched)[:, 2].sum() * length / 1e-3
    bending = (reaction(bent)[:, 2] @ x) * length / 1e-4
    force = reaction(twisted)
    torsion = (x @ force[:, 1] - y @ force[:, 0]) * length / 1e-4
    return np.array([axial, bending, torsion])


def _tube(outer: float, inner: float, name: str = "hex20") -> Values:
    """A tube of transversely isotropic cortex (E 17 and 11.5 GPa, G 3.3 GPa) against the closed forms."""
    divisions = {"hex20": (3, 24, 4), "tet10": (3, 24, 6)}[name]
    points, cells = ring(name, divisions, inner / 2, outer / 2, 40.0)
    stiffness = fem.transversely_isotropic(17000.0, 11500.0, 3300.0, 0.3, 0.4)
    ea, ei, gj = rigidities(points, cells, fem.Material(stiffness, np.zeros(len(cells), int)), 40.0, name)
    # N m2 of the tables is 1e6 N mm2
    area = np.pi / 4 * (outer**2 - inner**2)
    return {"EA": (ea, 17000.0 * area), "EI": ei / 1e6, "GJ": gj / 1e6}


@case("tube-femur")
def tube_femur() -> Values:
    """28 over 13 mm."""
    return _tube(28.0, 13.0)


@case("tube-humerus")
def tube_humerus() -> Values:
    """22 over 11 mm."""
    return _tube(22.0, 11.0)


@case("tube-femur-tet10")
def tube_femur_tet10() -> Values:
    """28 over 13 mm, the default element."""
    return _tube(28.0, 13.0, "tet10")


def _filled(outer: float, inner: float) -> Values:
    """Gain by a bonded PMMA core with the Poisson's ratio of the cortex, percent."""
    blocks = [cylinder("hex20", (2, 6, 4), inner / 2, 40.0), ring("hex20", (3, 24, 4), inner / 2, outer / 2, 40.0)]
    # The corners of the core's square lie at 45 degrees; turn the ring so that its nodes meet those of the core.
    points, cells = joined(blocks)
    centre = points[cells[:, :8]].mean(axis=1)
    core = (np.hypot(centre[:, 0], centre[:, 1]) < inner / 2).astype(int)
    base = np.stack([fem.isotropic(17000.0, 0.3), fem.isotropic(2500.0, 0.3)])
    together = rigidities(points, cells, fem.Material(base, core), 40.0)
    hollow = blocks[1]
    alone = rigidities(*hollow, fem.Material(base[0], np.zeros(len(hollow[1]), int)), 40.0)
    gain = 100.0 * (together / alone - 1.0)
    return {"EA_gain": float(gain[0]), "EI_gain": float(gain[1]), "GJ_gain": (float(gain[2]), float(gain[1]))}


@case("filled-tube-femur")
def filled_femur() -> Values:
    """28 over 13 mm."""
    return _filled(28.0, 13.0)


@case("filled-tube-humerus")
def filled_humerus() -> Values:
    """22 over 11 mm."""
    return _filled(22.0, 11.0)


def thick_cylinder(name: str, nu: float, divisions: tuple[int, int, int]) -> tuple[fem.Solution, Floats, Floats]:
    """Inner radius 0.1, outer 0.2, inner pressure 60, E 2e5, plane strain: solution, points, reference coordinates."""
    reference, cells = box(name, divisions)
    points, _ = ring(name, divisions, 0.1, 0.2, 0.02, quarter=True)
    material = fem.Material(fem.isotropic(2e5, nu), np.zeros(len(cells), int), projected=True)
    supports = [
        fem.Fixed(on(reference, 1, 0.0), (1,)),
        fem.Fixed(on(reference, 1, 1.0), (0,)),
        fem.Fixed(np.concatenate([on(reference, 2, 0.0), on(reference, 2, 1.0)]), (2,)),
    ]
    load = fem.Pressure(faces_on(reference, cells, name, 0, 0.0), 60.0)
    model = fem.Model(points, cells, material, supports, {"p": [load]}, name)
    return fem.solve(model, tolerance=1e-10)["p"], points, reference


def _lame(nu: float) -> Values:
    out: dict[str, float] = {}
    for name, divisions in {"hex8": (30, 30, 1), "hex20": (10, 10, 1), "tet10": (12, 12, 1)}.items():
        solution, points, reference = thick_cylinder(name, nu, divisions)
        inner = on(reference, 0, 0.0)
        out[f"{name}_ur_inner"] = float(np.linalg.norm(solution.displacement[inner, :2], axis=1).mean())
        if name == "hex20":
            nodes, values = fem.recover(solution, "stress").of(0)
            on_axis = values[nodes == at(points, (0.1, 0.0, 0.0))][0]
            out |= {"hoop_inner": float(on_axis[1]), "axial_inner": float(on_axis[2])}
            out["hoop_outer"] = float(values[nodes == at(points, (0.2, 0.0, 0.0))][0][1])
            outer = on(reference, 0, 1.0)
            out["ur_outer"] = float(np.linalg.norm(solution.displacement[outer, :2], axis=1).mean())
    return out


@case("lame-compressible")
def lame_compressible() -> Values:
    """nu = 0.3."""
    return _lame(0.3)


@case("lame-incompressible")
def lame_incompressible() -> Values:
    """nu = 0.4999, dilatation projected."""
    return _lame(0.4999)
