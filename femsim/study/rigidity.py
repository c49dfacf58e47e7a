"""Where sections are cut along the bone, and what their rigidity adds to the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from femsim import risk
from femsim.study.result import CaseResult, Value

if TYPE_CHECKING:
    from femsim.study.problem import Problem

#: Sections reach from here to here, percent of the length: beyond, the joint ends are no beam.
ENDS = (8.0, 92.0)
#: Distance of the sections, percent of the length; and number of them along a lesion and a margin at its ends.
COARSE, ALONG_LESION, MARGIN = 3.0, 21, 2.0


def positions(spans: list[tuple[float, float]]) -> NDArray[np.float64]:
    """Places of the sections in percent of the length: even along the bone, close along the lesions."""
    found = [np.arange(ENDS[0], ENDS[1] + 1e-9, COARSE)]
    for low, high in spans:
        a, b = np.clip([100.0 * low - MARGIN, 100.0 * high + MARGIN], *ENDS)
        found[0] = found[0][(found[0] < a) | (found[0] > b)]
        found.append(np.linspace(a, b, ALONG_LESION))
    return np.unique(np.round(np.concatenate(found), 6))


def rigidity(problem: Problem, results: Mapping[str, CaseResult]) -> dict[str, risk.RigidityCurve]:
    """Rigidity along the bone of every strategy, relative to the first, the intact twin."""
    bone = problem.setup.bone
    where = positions([lesion.span for lesion in problem.setup.lesions])
    return risk.rigidity_curves(
        problem.mesh.points,
        problem.mesh.cells,
        {name: one.solution.model.material for name, one in results.items()},
        next(iter(results)),
        where,
        bone.centreline.point(where / 100.0),
        bone.centreline.tangent(where / 100.0),
    )


def rigidity_columns(curve: risk.RigidityCurve) -> dict[str, Value]:
    """Smallest rigidities along the bone in percent of the intact twin, and the weakest section in words."""
    row: dict[str, Value] = {
        "axial_rigidity": 100.0 * curve.smallest("EA")[0],
        "bending_rigidity": 100.0 * curve.smallest("EI_min", "EI_max")[0],
        "polar_torsional_rigidity": 100.0 * curve.smallest("GJ_polar")[0],
        "true_torsional_rigidity": 100.0 * curve.smallest("GJ_true")[0],
        "rigidity_loss": 100.0 * curve.loss,
    }
    value, where, which = curve.smallest(*risk.RIGIDITIES)
    if value < 1.0 - 1e-6:
        row["weakest_section"] = f"{where:.0f} % of the length, {risk.RIGIDITIES[which]} {100.0 * value:.0f} %"
        row["weakest_section_position"] = where
    else:
        row["weakest_section"], row["weakest_section_position"] = "none", None
    return row
