"""Tension and shear on the face between cement and bone, against the strength of the interlock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from femsim import risk
from femsim.fem.elasticity import as_tensor
from femsim.material import MaterialData
from femsim.study.result import Value

if TYPE_CHECKING:
    from femsim.study.problem import Problem

Floats = NDArray[np.float64]

#: The material whose interface strengths are those of the bond.
BOND = "cement_bone_composite"


def interface_columns(
    problem: Problem, data: Sequence[MaterialData], index: NDArray[np.int64], assessment: risk.Assessment
) -> dict[str, Value]:
    """Largest factor of risk on the faces between cement and bone, and its mode; None where there is no such face.

    The traction is that of the cement, averaged over the physical volume at the three corners of the face. Tension and
    shear add as squares; compression does not open an interface. Strengths are those of the library's
    ``cement_bone_composite``, shear 2.5 times tension (Waanders 2010). The faces are bonded in the model: a risk above
    1 says that they would not stay so, and that the strategy's numbers are an upper bound.
    """
    found = weakest(problem, data, index, assessment)
    if found is None:
        return {"interface_risk": None, "interface_mode": None}
    return {"interface_risk": found.risk, "interface_mode": found.mode}


@dataclass(frozen=True, eq=False)
class Debonding:
    """The face between cement and bone that would debond first: factor of risk, mode, centre (3,) mm."""

    risk: float
    mode: str
    place: Floats


def weakest(
    problem: Problem, data: Sequence[MaterialData], index: NDArray[np.int64], assessment: risk.Assessment
) -> Debonding | None:
    """Where the bond of cement to bone is loaded most; None where there is none."""
    found = tractions(problem, data, index, assessment)
    if found is None:
        return None
    tension, shear, centre = found
    strength = problem.case.material(BOND)
    pull, slide = tension / strength["interface_tension"], shear / strength["interface_shear"]
    factor = np.hypot(pull, slide)
    worst = int(factor.argmax())
    return Debonding(float(factor[worst]), "tension" if pull[worst] > slide[worst] else "shear", centre[worst])


def tractions(
    problem: Problem, data: Sequence[MaterialData], index: NDArray[np.int64], assessment: risk.Assessment
) -> tuple[Floats, Floats, Floats] | None:
    """Tension (zero where pressed together) and shear, MPa, and centre, of faces between judged cement and bone."""
    kind = np.array([one.kind for one in data])[index]
    pairs = risk.neighbours(problem.mesh.cells)
    turned = kind[pairs[:, 0]] == "bone"
    cement, bone = np.where(turned[:, None], pairs[:, ::-1], pairs).T
    chosen = (kind[cement] == "cement") & (kind[bone] == "bone") & assessment.judged[cement]
    if not chosen.any():
        return None
    cement, bone = cement[chosen], bone[chosen]
    cells, points = problem.mesh.cells[:, :4], problem.mesh.points
    shared = (cells[cement][:, :, None] == cells[bone][:, None, :]).any(axis=2)
    face = cells[cement][shared].reshape(-1, 3)
    a, b, c = (points[face[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    sites = assessment.sites.of_corner[cement][shared].reshape(-1, 3)
    traction = np.einsum("fij,fj->fi", as_tensor(assessment.stress[sites].mean(axis=1)), normal)
    along = np.einsum("fi,fi->f", traction, normal)
    centre = (a + b + c) / 3.0
    return np.maximum(along, 0.0), np.linalg.norm(traction - along[:, None] * normal, axis=1), centre
