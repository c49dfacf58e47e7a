"""Fields at nodes, recovered within each group of cells and never averaged across a border between groups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.fem.elements import Element
from femsim.fem.solution import Solution

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FIELDS = ("stress", "strain", "elastic_strain", "energy_density")


@dataclass(frozen=True, eq=False)
class Recovered:
    """Nodal values, one for every (group, node) pair that has a cell.

    Attributes
    ----------
    group, node : (r,) int
        The pairs, ordered by group, then node.
    values : (r, ...) float64
        The field there.
    """

    group: Ints
    node: Ints
    values: Floats

    def of(self, group: int) -> tuple[Ints, Floats]:
        """Nodes and values of one group."""
        mine = self.group == group
        return self.node[mine], self.values[mine]


@cache
def extrapolation(shape: Element) -> Floats:
    """Values at the nodes of a cell from those at its quadrature points, (k, q).

    The polynomial through (or, with more points than it has terms, nearest to) the quadrature values: constant for one
    point, linear for a tetrahedron with four, trilinear for a hexahedron. These are the points at which the stress of
    an element is of the highest accuracy (Barlow 1976), and the rule of CalculiX.
    """
    at, to = _terms(shape.quadrature, shape), _terms(shape.nodes, shape)
    return np.asarray(to @ np.linalg.pinv(at))


def _terms(xi: Floats, shape: Element) -> Floats:
    one = np.ones((len(xi), 1))
    if shape.points == 1:
        return one
    if shape.name.startswith("tet"):
        return np.hstack([one, xi])
    x, y, z = xi.T[:, :, None]
    return np.hstack([one, xi, x * y, y * z, x * z, x * y * z])


def recover(solution: Solution, field: str = "stress", groups: Ints | None = None) -> Recovered:
    """Nodal values of a field at quadrature points, recovered within groups of cells.

    Parameters
    ----------
    solution : Solution
        One load case.
    field : {"stress", "strain", "elastic_strain", "energy_density"}
        What to recover.
    groups : (m,) int, optional
        Group (material, compartment) of every cell; default the material index.

    Returns
    -------
    Recovered
        Extrapolated to the nodes of every cell and averaged over the cells of the same group, weighted by volume.

    Raises
    ------
    InputError
        If the field is unknown or the groups do not match the cells.
    """
    if field not in FIELDS:
        raise InputError(f"{field!r} cannot be recovered.", "It is no field at quadrature points.", f"Use {FIELDS}.")
    return recover_values(solution, getattr(solution, field), groups)


def recover_values(solution: Solution, at_points: Floats, groups: Ints | None = None) -> Recovered:
    """`recover` for any field (m, q, ...) at quadrature points."""
    cells = solution.model.cells
    chosen = solution.model.material.index if groups is None else np.asarray(groups)
    if chosen.shape != (len(cells),) or at_points.shape[:2] != solution.volume.shape:
        raise InputError(
            f"groups has shape {chosen.shape} and the field {at_points.shape}; there are {len(cells)} cells with "
            f"{solution.volume.shape[1]} quadrature points.",
            "Every cell belongs to one group.",
            f"Give groups ({len(cells)},).",
        )
    names, number = np.unique(chosen, return_inverse=True)
    n = len(solution.model.points)
    key, place = np.unique((number[:, None] * n + cells).ravel(), return_inverse=True)
    rule = extrapolation(solution.grid.element)
    flat = at_points.reshape(*at_points.shape[:2], -1)
    weight = np.repeat(solution.volume.sum(axis=1), cells.shape[1])
    total = np.bincount(place, weight)
    columns = []
    for c in range(flat.shape[2]):
        nodal = (flat[:, :, c] @ rule.T).ravel()
        columns.append(np.bincount(place, weight * nodal) / total)
    values = np.stack(columns, axis=1).reshape(len(key), *at_points.shape[2:])
    return Recovered(names[key // n], key % n, values)
