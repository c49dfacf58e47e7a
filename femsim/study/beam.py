"""What crosses every section of a loaded bone, and beam theory beside the finite elements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from femsim import fem, risk
from femsim.study.result import CaseResult, Value

if TYPE_CHECKING:
    from femsim.study.problem import Problem

Floats = NDArray[np.float64]

#: Part of the bone that is a beam, percent of the length; and how far lesions, devices' ends and loads disturb it,
#: in diameters of the bone (Saint-Venant).
SHAFT = {"femur": (25.0, 65.0), "humerus": (25.0, 75.0), "tibia": (25.0, 75.0), "tube": (10.0, 90.0)}
DISTURBED = 1.0


def beam(
    problem: Problem, results: Mapping[str, CaseResult], curves: Mapping[str, risk.RigidityCurve]
) -> dict[str, risk.BeamCurve]:
    """Beam theory of every strategy at the sections of its rigidity curve."""
    bone = problem.setup.bone
    level = 100.0 * bone.fraction(problem.at.centroids)
    out = {}
    for name, one in results.items():
        curve = curves[name]
        forces = [crossing(problem, one.solution, o, a[2]) for o, a in zip(curve.origins, curve.axes, strict=True)]
        force, moment = (np.array([pair[j] for pair in forces]) for j in range(2))
        out[name] = risk.beam_curve(one.solution, curve, force, moment, level, _undisturbed(problem, curve))
    return out


def crossing(problem: Problem, solution: fem.Solution, point: Floats, normal: Floats) -> tuple[Floats, Floats]:
    """Force (N) and moment (N mm, about the point) that the part in front of a plane puts on the part behind.

    By statics, from the loads as they were asked for, on the side where nothing is held (on a bench, whose loads are
    in equilibrium, on either); then it is a check of the finite elements. Else it is taken from their stresses.
    """
    held = (problem.mesh.points[problem.loading.held] - point) @ normal > 0.0
    balanced = np.linalg.norm(problem.loading.force) < 1e-6 * problem.loading.magnitude
    if balanced and not problem.loading.is_moment:
        held = held[:0]
    if held.any() and not held.all():
        found = fem.section_force(solution, point, normal)
        return found.force, found.moment
    side = -1.0 if held.any() else 1.0
    force, moment = np.zeros(3), np.zeros(3)
    for patch in problem.loading.patches:
        where = problem.mesh.points[patch.nodes].mean(axis=0)
        if side * ((where - point) @ normal) > 0.0:
            force += side * patch.force
            moment += side * (patch.moment + np.cross(patch.point - point, patch.force))
    return force, moment


def _undisturbed(problem: Problem, curve: risk.RigidityCurve) -> NDArray[np.bool_]:
    """Sections of the shaft, away from lesions, loads and held ends."""
    bone, mesh = problem.setup.bone, problem.mesh
    low, high = SHAFT.get(bone.kind, (25.0, 75.0))
    width = np.sqrt(4.0 / np.pi * np.array([one.area for one in curve.sections]))
    away = 100.0 * DISTURBED * width / bone.length
    good = (curve.position >= low) & (curve.position <= high)
    for lesion in problem.setup.lesions:
        a, b = (100.0 * end for end in lesion.span)
        good &= (curve.position < a - away) | (curve.position > b + away)
    for nodes in (*(patch.nodes for patch in problem.loading.patches), problem.loading.held):
        if len(nodes):
            at = 100.0 * bone.fraction(mesh.points[nodes])
            good &= np.abs(curve.position[:, None] - at).min(axis=1) > away
    return good


def beam_columns(curve: risk.BeamCurve) -> dict[str, Value]:
    """How far finite elements and beam theory lie apart, in percent; empty where no part of the bone is a beam."""
    if not curve.compared.any():
        return {}
    return {
        "beam_stress_difference": 100.0 * curve.worst_stress[0],
        "beam_stiffness_difference": 100.0 * curve.stiffness_difference,
    }


def beam_warnings(curves: Mapping[str, risk.BeamCurve], limit: float) -> list[str]:
    """Where the two differ by more than the user's limit (percent), in words."""
    out = []
    for name, curve in curves.items():
        if not curve.compared.any():
            continue
        stress, where = curve.worst_stress
        for what, value, place in (
            ("stress", 100.0 * stress, f" at {where:.0f} % of the length"),
            ("stiffness", 100.0 * curve.stiffness_difference, " of the undisturbed shaft"),
        ):
            if not abs(value) <= limit:
                out.append(
                    f"{name}: {what}{place} differs from beam theory by {value:+.0f} %, more than risk.beam_limit = "
                    f"{limit:g} %: check units, loads and the mesh"
                )
    return out
