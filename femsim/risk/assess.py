"""From one solution to a judgement: risk field, linear failure load, and where it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.errors import MaterialError
from femsim.material import MaterialData
from femsim.risk.averaging import ball_average
from femsim.risk.criteria import MODES, demand

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Assessment:
    """What one solution means for strength.

    Attributes
    ----------
    risk : (m,) float64
        Averaged demand over capacity of every element; 1 is the linear failure load.
    mode : (m,) int
        Index into `MODES`: the mode that governs the element.
    judged : (m,) bool
        Elements that count: those of a material with a criterion, dense enough to bear load, and not excluded.
    strain, stress : (m, 6) float64
        Averaged strain and stress (MPa).
    worst : int
        Element with the largest risk among those that count.
    length : float
        Diameter of the averaging ball, mm.
    """

    risk: Floats
    mode: Ints
    judged: NDArray[np.bool_]
    strain: Floats
    stress: Floats
    worst: int
    length: float

    @property
    def maximum(self) -> float:
        """Largest factor of risk among the elements that count."""
        return float(self.risk[self.worst])

    @property
    def kind(self) -> str:
        """Mode in which the worst element fails."""
        return MODES[self.mode[self.worst]]

    @property
    def load_factor(self) -> float:
        """Factor on all loads of the case at which the largest factor of risk is one (the response is linear)."""
        return 1.0 / self.maximum if self.maximum > 0 else float("inf")

    def extremes(self, cells: NDArray[np.bool_]) -> dict[str, float] | None:
        """Largest and smallest principal values of the averaged strain and stress over `cells` that count."""
        chosen = cells & self.judged
        if not chosen.any():
            return None
        strain = fem.principal(self.strain[chosen], strain=True)[0]
        stress = fem.principal(self.stress[chosen])[0]
        return {
            "tensile_strain": float(strain[:, 2].max()),
            "compressive_strain": float(strain[:, 0].min()),
            "tensile_stress": float(stress[:, 2].max()),
            "compressive_stress": float(stress[:, 0].min()),
        }


def assess(
    solution: fem.Solution,
    materials: Sequence[MaterialData],
    index: Ints,
    *,
    length: float,
    excluded: NDArray[np.bool_] | None = None,
    density: Floats | None = None,
    minimum_density: float = 0.0,
) -> Assessment:
    """Judge one solution by the strength criteria of its materials.

    Parameters
    ----------
    solution : fem.Solution
    materials : sequence of MaterialData
    index : (m,) int
        Material of every element.
    length : float
        Diameter of the ball over which strain and stress are averaged, mm.
    excluded : (m,) bool, optional
        Elements near supports and load patches, where the idealised load and not the bone decides.
    density : (m, q) float64, optional
        Apparent density, g/cm3, of elements whose material follows a density law.
    minimum_density : float
        Below it such an element is marrow with hardly any bone in it and is not judged.

    Returns
    -------
    Assessment

    Raises
    ------
    MaterialError
        If a strength is missing or no element at all can be judged.
    """
    model = solution.model
    points = fem.quadrature_points(model.points, model.cells, model.element)
    both = np.concatenate([solution.elastic_strain, solution.stress], axis=2)
    mean = ball_average(points.mean(axis=1), np.ascontiguousarray(index), points, solution.volume, both, length)
    strain, stress = mean[:, :6], mean[:, 6:]
    ratio = np.zeros((len(index), 3))
    judged = np.zeros(len(index), bool)
    for row, material in enumerate(materials):
        cells = index == row
        ratio[cells] = demand(strain[cells], stress[cells], material)
        judged |= cells & (material.criterion != "none")
        if material.density_law and density is not None:
            judged &= ~cells | (density.mean(axis=1) >= minimum_density)
    if excluded is not None:
        judged &= ~excluded
    if not judged.any():
        raise MaterialError(
            "No element can be judged: every material is without a criterion, or all elements are excluded.",
            "There is no failure load.",
            "Give at least one material a criterion, or smaller load patches.",
        )
    risk = ratio.max(axis=1)
    mode = np.where(risk > 0, ratio.argmax(axis=1) + 1, 0)
    worst = int(np.argmax(np.where(judged, risk, -np.inf)))
    return Assessment(risk, mode, judged, strain, stress, worst, length)
