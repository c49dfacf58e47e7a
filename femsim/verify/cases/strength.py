"""Strength of a straight tube, and rigidities of its sections with a sector missing or filled."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from femsim import fem, material, risk
from femsim.verify.meshes import box, on
from femsim.verify.registry import Values, case

Floats = NDArray[np.float64]

OUTER, INNER, LENGTH = 14.0, 6.5, 45.0
CORTEX = (17000.0, 3300.0)
CEMENT = (2500.0, 2500.0 / 2.6)


@cache
def tube() -> dict[str, fem.Solution]:
    """A tube of cortical bone, held at one end and bent or twisted by 1 N m at the other."""
    unit, cells = box("tet10", (32, 5, 10), (1.0, 1.0, 1.0))
    angle, radius = 2.0 * np.pi * unit[:, 0], INNER + (OUTER - INNER) * unit[:, 1]
    points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), LENGTH * unit[:, 2]])
    _, first, inverse = np.unique(np.round(points, 6), axis=0, return_index=True, return_inverse=True)
    points, cells = points[first], inverse.ravel()[cells]
    if np.linalg.det(points[cells[0, 1:4]] - points[cells[0, :1]]) < 0:
        # turned inside out by the map: swap two corners and the mid-side nodes of their edges
        cells = cells[:, [1, 0, 2, 3, 4, 6, 5, 8, 7, 9]]
    ends = on(points, 2, 0.0), on(points, 2, LENGTH)
    along = np.broadcast_to([0.0, 0.0, 1.0], (len(cells), 3))
    model = fem.Model(
        points=points,
        cells=cells,
        material=material.assign(["cortical_bone"], np.zeros(len(cells), int), axis=along),
        supports=[fem.Fixed(ends[0])],
        loads={
            "bending": [fem.RemoteForce(ends[1], (0, 0, LENGTH), moment=(1000.0, 0.0, 0.0))],
            "torsion": [fem.RemoteForce(ends[1], (0, 0, LENGTH), moment=(0.0, 0.0, 1000.0))],
        },
    )
    return fem.solve(model)


def failure_moment(load: str, criterion: str, length: float, **strengths: float) -> float:
    """Moment (N m) at which the middle of the tube fails."""
    solution = tube()[load]
    z = solution.model.points[solution.model.cells[:, :4], 2].mean(axis=1)
    bone = material.get("cortical_bone").with_(criterion=criterion, **strengths)
    found = risk.assess(
        solution, [bone], np.zeros(len(z), int), length=length, excluded=np.abs(z - LENGTH / 2) > LENGTH / 5
    )
    return found.load_factor


@case("tube-strength")
def tube_strength() -> Values:
    """Next to the surface: over 0.25 mm, small against the wall."""
    return {
        "bending": failure_moment("bending", "rankine", 0.25, tension=110.0, compression=110.0, shear=1e3),
        "torsion": failure_moment("torsion", "rankine", 0.25, tension=1e3, compression=1e3, shear=51.6),
        "torsion_hoffman": failure_moment("torsion", "hoffman", 0.25),
        "torsion_tsai_wu": failure_moment("torsion", "tsai_wu", 0.25),
    }


@case("tube-critical-distance")
def tube_critical_distance() -> Values:
    """The centre of a half ball of the volume of a ball of diameter d lies 3/16 2^(1/3) d under its flat side."""
    second = np.pi / 4.0 * (OUTER**4 - INNER**4)
    radius = OUTER - 3.0 / 16.0 * 2.0 ** (1.0 / 3.0) * 2.0
    return {
        "bending": (
            failure_moment("bending", "rankine", 2.0, tension=110.0, compression=110.0, shear=1e3),
            110.0 * second / radius / 1000.0,
        ),
        "torsion": (failure_moment("torsion", "hoffman", 2.0), 51.6 * 2.0 * second / radius / 1000.0),
    }


@case("ring-sections")
def ring_sections() -> Values:
    """Polar meshes of the section, triangle by triangle and with warping solved on quadratic triangles."""
    radii = (INNER, OUTER)
    intact = risk.properties(risk.ring_section(radii, {}, [CORTEX]))
    out: dict[str, float] = {}
    for angle in (30, 60, 180):
        sections = {
            "open": risk.ring_section(radii, {(0, 0, angle): None}, [CORTEX]),
            "filled": risk.ring_section((0.0, *radii), {(1, 0, angle): CEMENT}, [CEMENT, CORTEX]),
            "canal": risk.ring_section((0.0, *radii), {(1, 0, angle): None}, [CEMENT, CORTEX]),
        }
        for name, section in sections.items():
            found = risk.ratio(risk.properties(section), intact)
            values = {"EA": found.EA, "EI": found.EI_min, "GJ_polar": found.GJ_polar, "GJ_true": found.GJ}
            wanted = {"open": tuple(values), "filled": ("EA", "EI", "GJ_true"), "canal": ("GJ_true",)}[name]
            out |= {f"{name}_{angle}_{key}": values[key] for key in wanted if (name, angle) != ("canal", 30)}
    return out
