"""Force and moment through a cut of the body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import InputError, SolveError
from femsim.fem.model import Model
from femsim.fem.solution import Solution

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SectionForce:
    """What the part in front of a cut (where its normal points) exerts on the part behind.

    Attributes
    ----------
    force : (3,) float64
        N; along the normal it is positive in tension.
    moment : (3,) float64
        N mm, about `point`.
    point : (3,) float64
        The point of the cut.
    """

    force: Floats
    moment: Floats
    point: Floats


def section_force(
    solution: Solution, point: ArrayLike, normal: ArrayLike, cells: NDArray[np.bool_] | None = None
) -> SectionForce:
    """Force and moment carried across a plane.

    The cells are divided by which side of the plane their centre lies on. The nodal forces of the stresses of the
    cells behind the plane, at the nodes they share with the cells in front, are what crosses the cut. They are in exact
    equilibrium with the loads and supports of either side, which stresses integrated over a plane are not.

    Parameters
    ----------
    solution : Solution
        One load case.
    point, normal : (3,) float
        The plane, mm. Only the direction of the normal counts.
    cells : (m,) bool, optional
        Look at these cells only (a device, the cement); default all.

    Raises
    ------
    InputError, SolveError
        If the normal is zero or the plane does not cut the cells.

    Notes
    -----
    The cut follows the faces of the cells nearest to the plane. Loads and supports on the shared
    nodes are counted to the part in front.
    """
    at, direction = np.asarray(point, float), np.asarray(normal, float)
    if at.shape != (3,) or direction.shape != (3,) or not np.linalg.norm(direction) > 0.0:
        raise InputError(
            f"The section has point {point!r} and normal {normal!r}.", "A plane needs both.", "Give two (3,) vectors."
        )
    model, grid = solution.model, solution.grid
    chosen = np.ones(len(model.cells), bool) if cells is None else np.asarray(cells, bool)
    corners = grid.element.size - len(grid.element.edges)
    centre = model.points[model.cells[:, :corners]].mean(axis=1)
    behind = (centre - at) @ direction < 0.0
    back, front = np.flatnonzero(chosen & behind), np.flatnonzero(chosen & ~behind)
    crossed = _touched(model, back) & _touched(model, front)
    shared = np.flatnonzero(crossed)
    if len(shared) == 0:
        raise SolveError(
            f"The plane through {at.tolist()} with normal {direction.tolist()} does not cut the cells.",
            "There is no section to carry a force.",
            "Move the plane into the body.",
        )
    # cells without a shared node add nothing
    force = _forces_of(solution, back[crossed[model.cells[back]].any(axis=1)])[shared]
    arm = model.points[shared] - at
    return SectionForce(force.sum(axis=0), np.cross(arm, force).sum(axis=0), at)


def _touched(model: Model, cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Nodes (n,) of some cells."""
    out = np.zeros(len(model.points), bool)
    out[model.cells[cells]] = True
    return out


def _forces_of(solution: Solution, cells: NDArray[np.int64]) -> Floats:
    """Nodal forces (n, 3) of the stresses of some cells."""
    from femsim.fem import kernels

    grid, material = solution.grid, solution.model.material
    out = np.zeros((len(grid.points), 3))
    one = np.zeros(len(grid.points), np.int32)
    kernels.internal_forces(
        grid.points, grid.cells, grid.element.gradients, grid.element.weights, material.index,
        np.array(material.projection), grid.element.dilatation, solution.stress, cells, one, 0, out,
    )  # fmt: skip
    return out
