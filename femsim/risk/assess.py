"""From one solution to a judgement: risk field, linear failure load, and where it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.errors import MaterialError
from femsim.material import MaterialData
from femsim.risk.averaging import Sites, sites, volume_average
from femsim.risk.criteria import MODES, State, demand

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Assessment:
    """What one solution means for strength.

    Demand is judged at sites: the corner nodes of the mesh, once for every material that meets there. An element has
    the risk of the worst of its corners.

    Attributes
    ----------
    risk : (m,) float64
        Averaged demand over capacity of every element; 1 is the linear failure load.
    mode : (m,) int
        Index into `MODES`: the mode that governs the element.
    judged : (m,) bool
        Elements that count: those of a material with a criterion, dense enough to bear load, and not excluded.
    worst : int
        Element with the largest risk among those that count.
    place : (3,) float64
        Where the largest risk lies, mm.
    length : float
        Diameter of the ball over whose volume demand is averaged, mm.
    sites : Sites
    strain, stress : (p, 6) float64
        Averaged strain and stress (MPa) of every site.
    demand : (p, 3) float64
        Demand over capacity of every site in tension, compression and shear.
    """

    risk: Floats
    mode: Ints
    judged: NDArray[np.bool_]
    worst: int
    place: Floats
    length: float
    sites: Sites
    strain: Floats
    stress: Floats
    demand: Floats

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

    def sites_of(self, cells: NDArray[np.bool_]) -> Ints:
        """Sites (p,) of the elements of `cells` (m,) that count."""
        found = np.unique(self.sites.of_corner[cells & self.judged])
        return found[found >= 0]

    def extremes(self, cells: NDArray[np.bool_]) -> dict[str, float] | None:
        """Largest and smallest principal values of the averaged strain and stress over `cells` that count."""
        chosen = self.sites_of(cells)
        if not len(chosen):
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
    strength_law: str = "keyak_2005",
    threads: int = 2,
) -> Assessment:
    """Judge one solution by the strength criteria of its materials.

    Parameters
    ----------
    solution : fem.Solution
    materials : sequence of MaterialData
    index : (m,) int
        Material of every element.
    length : float
        Diameter of the ball over whose volume strain and stress are averaged, mm.
    excluded : (m,) bool, optional
        Elements near supports and load patches, where the idealised load and not the bone decides.
    density : (m, q) float64, optional
        Apparent density, g/cm3, of elements whose material follows a density law.
    minimum_density : float
        Below it such an element is marrow with hardly any bone in it and is not judged.
    strength_law : str
        Density law of the criterion ``density_yield``.
    threads : int

    Returns
    -------
    Assessment

    Raises
    ------
    MaterialError
        If a strength is missing or no element at all can be judged.
    """
    model = solution.model
    judged = _judged(materials, index, excluded, density, minimum_density)
    where = sites(model.cells, model.element, index, judged)
    both = np.concatenate([solution.elastic_strain, solution.stress], axis=2)
    mean = volume_average(
        model.points, model.cells, model.element, index, solution.volume, both, where, length, threads=threads
    )
    strain, stress = mean[:, :6], mean[:, 6:]
    axis = None if model.material.axes is None else _at_sites(model.material.axes[:, 2], where)
    rho = None if density is None else _at_sites(density.mean(axis=1)[:, None], where)[:, 0]
    ratio = np.zeros((len(where.node), 3))
    for row, material in enumerate(materials):
        p = where.group == row
        state = State(
            strain[p],
            stress[p],
            None if axis is None else axis[p],
            rho[p] if rho is not None and material.density_law else None,
            strength_law,
        )
        ratio[p] = demand(state, material)
    return _field(model.points, judged, where, strain, stress, ratio, length)


def _judged(
    materials: Sequence[MaterialData],
    index: Ints,
    excluded: NDArray[np.bool_] | None,
    density: Floats | None,
    minimum_density: float,
) -> NDArray[np.bool_]:
    judged = np.array([one.criterion != "none" for one in materials])[index]
    if density is not None:
        follows = np.array([bool(one.density_law) for one in materials])[index]
        judged &= ~follows | (density.mean(axis=1) >= minimum_density)
    if excluded is not None:
        judged &= ~excluded
    if not judged.any():
        raise MaterialError(
            "No element can be judged: every material is without a criterion, or all elements are excluded.",
            "There is no failure load.",
            "Give at least one material a criterion, or smaller load patches.",
        )
    return judged


def _at_sites(values: Floats, where: Sites) -> Floats:
    """Mean of a field (m, w) of the elements over those at every site: (p, w)."""
    corner = where.of_corner
    used = corner >= 0
    owner = np.nonzero(used)[0]
    count = np.bincount(corner[used], minlength=len(where.node))
    sums = [np.bincount(corner[used], values[owner, j], len(where.node)) for j in range(values.shape[1])]
    return np.stack(sums, axis=1) / count[:, None]


def _field(
    points: Floats,
    judged: NDArray[np.bool_],
    where: Sites,
    strain: Floats,
    stress: Floats,
    ratio: Floats,
    length: float,
) -> Assessment:
    value = ratio.max(axis=1)
    corner = where.of_corner[judged]
    largest = corner[np.arange(len(corner)), value[corner].argmax(axis=1)]
    risk, mode = np.zeros(len(judged)), np.zeros(len(judged), np.int64)
    risk[judged] = value[largest]
    mode[judged] = np.where(value[largest] > 0, ratio[largest].argmax(axis=1) + 1, 0)
    worst = int(np.argmax(np.where(judged, risk, -np.inf)))
    place = points[where.node[int(value.argmax())]]
    return Assessment(risk, mode, judged, worst, place, length, where, strain, stress, ratio)
