"""From cut tetrahedra to sound ten-node ones whose compartments have the volume of their solids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.mesh._curve_kernels import jacobians, sample_gradients
from femsim.mesh._shape import all_sicn
from femsim.mesh.cut import Cells
from femsim.mesh.improve import improve, settled
from femsim.mesh.promote import Promoted, promoted, surface_faces
from femsim.mesh.topology import TET_FACES
from femsim.solid.base import Solid
from femsim.solid.boolean import Offset

Held = Callable[[Cells, NDArray[np.int64]], tuple[NDArray[np.int64], NDArray[np.float64]]]

#: Relative error of a compartment's volume from which its surface is moved, and beyond which it has other causes.
MENDED = (0.002, 0.4)

#: How often surfaces are moved.
ROUNDS = 4


@dataclass(frozen=True, eq=False)
class Shaped:
    """Sound cells, their mid-side nodes, and how far (len(solids),) mm every surface was moved outward."""

    cells: Cells
    nodes: Promoted
    moved: NDArray[np.float64]

    def ten(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Points (n + e, 3) and cells (m, 10)."""
        n = len(self.cells.points)
        points = np.concatenate([self.cells.points, self.nodes.middle])
        return points, np.concatenate([self.cells.cells, n + self.nodes.of_cell], axis=1)


@dataclass(frozen=True, eq=False)
class Task:
    """What the cells are shaped for.

    Attributes
    ----------
    domain : Solid
        Its zero is the outer surface.
    solids : sequence of Solid or None
        In bit order; None where a bit has no surface of its own.
    missing : mapping of int to float
        For every bit whose volume is to be kept, the volume wanted in these cells, mm3.
    near : float
        Shortest usual edge, mm: surfaces are moved by a sixth of it at a time.
    curved : bool
        Whether mid-side nodes lie on the surfaces.
    held : callable, optional
        See `promoted`.
    """

    domain: Solid
    solids: Sequence[Solid | None]
    missing: Mapping[int, float]
    near: float
    curved: bool = True
    held: Held | None = None


def shaped(mesh: Cells, task: Task) -> Shaped:
    """Repair cells, curve their edges, and move surfaces until the volumes of the solids are met."""
    mesh = improve(mesh, task.domain, task.solids)
    moved = np.zeros(len(task.solids))
    best = Shaped(mesh, promoted(mesh, task.domain, task.solids, task.curved, task.held), moved)
    errors = _errors(best, task)
    for _ in range(ROUNDS):
        step = _steps(best, task, errors)
        if not step.any():
            break
        moved = moved + step
        grown = [s if s is None or d == 0.0 else Offset(s, float(d)) for s, d in zip(task.solids, moved, strict=True)]
        mesh = settled(best.cells, task.domain, grown)
        other = Shaped(mesh, promoted(mesh, task.domain, grown, task.curved, task.held), moved)
        found = _errors(other, task)
        if sum(abs(e) for e in found.values()) >= sum(abs(e) for e in errors.values()):
            break
        best, errors = other, found
    return best


def volumes(points: NDArray[np.float64], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Volume (m,) of ten-node tetrahedra, mm3."""
    gradients, inner = sample_gradients()
    return np.asarray(jacobians(points, cells, gradients[:inner]).sum(axis=1) / 24.0)


def sound(sicn: NDArray[np.float64]) -> bool:
    """Whether shapes are good enough to stop trying: worst 0.1, and one in a thousand below 0.25."""
    return bool(sicn.min() >= 0.1 and (sicn <= 0.25).mean() <= 1e-3)


def sicn(mesh: Cells) -> NDArray[np.float64]:
    """Shape (m,) of every cell."""
    return np.asarray(all_sicn(mesh.points, mesh.cells))


def _errors(made: Shaped, task: Task) -> dict[int, float]:
    """Volume wanted over volume found, less one, of every bit."""
    volume = volumes(*made.ten())
    result = {}
    for bit, wanted in task.missing.items():
        if wanted > 0.0:
            result[bit] = 1.0 - float(volume[(made.cells.mask >> bit) & 1 == 1].sum()) / wanted
    return result


def _steps(made: Shaped, task: Task, errors: Mapping[int, float]) -> NDArray[np.float64]:
    """How far to move every surface outward, mm."""
    step = np.zeros(len(task.solids))
    number = {id(solid): bit for bit, solid in enumerate(task.solids) if solid is not None}
    for solid, cell, face in surface_faces(made.cells, [*task.solids, None]):
        bit = number[id(solid)]
        error = errors.get(bit, 0.0)
        if not MENDED[0] < abs(error) < MENDED[1]:
            continue
        corner = made.cells.points[made.cells.cells[cell[:, None], TET_FACES[face]]]
        area = 0.5 * np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1).sum()
        if area > task.near**2:
            step[bit] = np.clip(error * task.missing[bit] / area, -task.near / 6.0, task.near / 6.0)
    return step
