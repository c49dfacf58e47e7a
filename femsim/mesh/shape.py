"""From cut tetrahedra to sound ten-node ones whose compartments have the volume of their solids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.mesh._curve_kernels import jacobians, sample_gradients
from femsim.mesh._gather_kernels import any_of, sums
from femsim.mesh._shape import all_sicn
from femsim.mesh.cut import Cells
from femsim.mesh.improve import DENT, SOUND, improve, settled
from femsim.mesh.promote import Promoted, promoted
from femsim.mesh.task import MENDED, Task, reported, without_lost
from femsim.mesh.topology import TET_FACES
from femsim.solid.base import Solid

#: Share of elements that may have a SICN below 0.25.
BAD = 1e-3
#: Relative error from which a compartment counts less the farther it is off: small ones that the elements cannot hold
#: would spoil the others.
FAR_OFF = 0.02
#: How often surfaces are moved at most, and the share of the error that must be left for one more move to pay.
ROUNDS, WORTHWHILE = 6, 0.9
#: How often they are moved after that at the price of shapes, where a compartment of some size is still off.
BOLD_ROUNDS = 4


@dataclass(frozen=True, eq=False)
class Shaped:
    """Sound cells and their mid-side nodes."""

    cells: Cells
    nodes: Promoted

    def ten(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Points (n + e, 3) and cells (m, 10)."""
        n = len(self.cells.points)
        points = np.concatenate([self.cells.points, self.nodes.middle])
        return points, np.concatenate([self.cells.cells, n + self.nodes.of_cell], axis=1)


@dataclass(frozen=True, eq=False)
class _Patches:
    """The pieces of surface between two compartments: what one piece gains, the other loses.

    Attributes
    ----------
    area : (p,) float64
        mm2.
    pair : (p, 2) int64
        Masks on either side; the first holds all the bits in which they differ.
    bit, patch, corners : (f,) int64, (f,) int64, (f, 3) int64
        For every face and bit in which its sides differ: the bit, the patch and the vertices.
    size : (f,) float64
        Area of these faces, mm2.
    """

    area: NDArray[np.float64]
    pair: NDArray[np.int64]
    bit: NDArray[np.int64]
    patch: NDArray[np.int64]
    corners: NDArray[np.int64]
    size: NDArray[np.float64]

    def offsets(self, moved: NDArray[np.float64], bits: int, n: int) -> NDArray[np.float64]:
        """How far to move every solid's surface at every vertex (bits, n): the mean over the patches there."""
        total, weight = np.zeros((bits, n)), np.zeros((bits, n))
        for k in range(3):
            np.add.at(weight, (self.bit, self.corners[:, k]), self.size)
            np.add.at(total, (self.bit, self.corners[:, k]), self.size * moved[self.patch])
        return total / np.maximum(weight, 1e-300)


def repaired(tries: Iterable[Cells], domain: Solid, solids: Sequence[Solid | None], staying: int = 0) -> Cells:
    """The first of several cut meshes whose elements, repaired, are sound; the best of all where none is.

    `staying` sound elements beside them count where a share of all is judged.
    """
    best: tuple[float, Cells] | None = None
    for one in tries:
        made = improve(one, domain, solids)
        shape = sicn(made)
        if sound(shape, staying):
            return made
        if best is None or shape.min() > best[0]:
            best = float(shape.min()), made
    assert best is not None
    return best[1]


def shaped(mesh: Cells, task: Task) -> Shaped:
    """Curve the edges of sound cells, and move surfaces until the volumes of the compartments are met."""
    best = Shaped(mesh, promoted(mesh, task.domain, task.solids, task.curved, task.held))
    errors = _errors(best, task)
    # Also those that hold half as much again are lost: a lost neighbour is in them.
    lost = {m: e * task.missing[m][1] for m, e in errors.items() if abs(e) >= MENDED[1]}
    patches = _patches(mesh, len(task.solids))
    moved = np.zeros(len(patches.area))
    gone = reported(task, lost)
    for _ in range(3):
        best, moved = _mended(best, moved, patches, without_lost(task, lost, gone))
        off = {m: e * task.missing[m][1] for m, e in _errors(best, task).items()}
        if gone == (gone := reported(task, off)):
            break
    return best


def _mended(
    best: Shaped, moved: NDArray[np.float64], patches: _Patches, task: Task
) -> tuple[Shaped, NDArray[np.float64]]:
    """The best of some rounds of moving surfaces, and how far every patch has been moved."""
    errors = _errors(best, task)
    now, found, far, left = best, errors, moved, ROUNDS
    floor = shapes = None
    while left:
        left -= 1
        step = _steps(patches, found, task)
        if not step.any():
            break
        far = far + step
        offset = patches.offsets(far, len(task.solids), len(best.cells.points))
        mesh = settled(now.cells, task.domain, task.solids, offset, SOUND if floor is None else floor)
        now = Shaped(mesh, promoted(mesh, task.domain, task.solids, task.curved, task.held, offset))
        found = _errors(now, task)
        before, after = _cost(errors, task), _cost(found, task)
        if after < before and (shapes is None or _may_be(sicn(mesh), shapes, task.staying)):
            best, errors, moved = now, found, far
            if shapes is not None and not _thick_off(errors, task):
                break
        if shapes is None and (after > WORTHWHILE * before or not left):
            off = _thick_off(errors, task)
            if not off:
                break
            # Elements hold the surfaces back: some of their shape is given for the volumes, as far as it may.
            now, found, left, shapes = best, errors, BOLD_ROUNDS, sicn(best.cells)
            near = np.zeros(len(mesh.points), bool)
            near[mesh.cells[np.isin(mesh.mask, off)]] = True
            floor = np.where(any_of(near, mesh.cells), DENT, SOUND)
    return best, moved


def _may_be(new: NDArray[np.float64], old: NDArray[np.float64], staying: int) -> bool:
    """Whether shapes may become these for the sake of volumes: the share of bad ones half of what is allowed."""
    few = (new < SOUND).sum() <= max(BAD / 2.0 * (len(new) + staying), (old < SOUND).sum())
    return bool(new.min() >= min(DENT, old.min()) and few)


def _thick_off(errors: Mapping[int, float], task: Task) -> list[int]:
    """Compartments of some hundred elements or more that are still off, but not hopelessly."""
    large = {m: e for m, e in errors.items() if task.missing[m][1] > 10.0 * task.near**3}
    return [m for m, e in large.items() if FAR_OFF / 4 < abs(e) < 3 * FAR_OFF]


def volumes(points: NDArray[np.float64], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Volume (m,) of ten-node tetrahedra, mm3."""
    gradients, inner = sample_gradients()
    return np.asarray(jacobians(points, cells, gradients[:inner]).sum(axis=1) / 24.0)


def sound(sicn: NDArray[np.float64], staying: int = 0) -> bool:
    """Whether shapes are good enough to stop trying: worst 0.1, and one in a thousand of all below 0.25."""
    return bool(sicn.min() >= 0.1 and (sicn <= SOUND).sum() <= BAD * (len(sicn) + staying))


def sicn(mesh: Cells) -> NDArray[np.float64]:
    """Shape (m,) of every cell."""
    return np.asarray(all_sicn(mesh.points, mesh.cells))


def _errors(made: Shaped, task: Task) -> dict[int, float]:
    """What is missing of every compartment over its whole volume."""
    found = sums(made.cells.mask, volumes(*made.ten()))
    return {m: (wanted - found.get(m, 0.0)) / whole for m, (wanted, whole) in task.missing.items() if whole > 0.0}


def _cost(errors: Mapping[int, float], task: Task) -> float:
    """Sum of squares of the relative errors, those of compartments of few elements counting less."""
    few = 50.0 * task.near**3
    # Huber's: beyond FAR_OFF an error counts by its size, no more by its square.
    return sum(e * e * FAR_OFF / max(abs(e), FAR_OFF) * min(task.missing[m][1] / few, 1.0) for m, e in errors.items())


def _patches(mesh: Cells, bits: int) -> _Patches:
    beside = mesh.beside
    cell, face = np.nonzero((beside >= 0) & (mesh.mask[beside] != mesh.mask[:, None]))
    other = mesh.mask[beside[cell, face]]
    first = (mesh.mask[cell] & ~other) != 0
    # A face between A without B and B without A belongs to two surfaces that go opposite ways: it stays.
    first &= (other & ~mesh.mask[cell]) == 0
    cell, face, other = cell[first], face[first], other[first]
    corners = mesh.cells[cell[:, None], TET_FACES[face]]
    place = mesh.points[corners]
    size = 0.5 * np.linalg.norm(np.cross(place[:, 1] - place[:, 0], place[:, 2] - place[:, 0]), axis=1)
    pair, patch = np.unique(np.stack([mesh.mask[cell], other], axis=1), axis=0, return_inverse=True)
    patch = patch.ravel()
    differ = pair[patch, 0] ^ pair[patch, 1]
    bit, row = np.nonzero((differ[None] >> np.arange(bits)[:, None]) & 1)
    return _Patches(
        np.asarray(np.bincount(patch, size, len(pair)), float), pair, bit, patch[row], corners[row], size[row]
    )


def _steps(patches: _Patches, errors: Mapping[int, float], task: Task) -> NDArray[np.float64]:
    """How far to move every patch outward, mm: the smallest moves that mend the volumes."""
    judged = [m for m, e in errors.items() if abs(e) < MENDED[1]]
    step = np.zeros(len(patches.area))
    usable = patches.area > task.near**2
    if not any(abs(errors[m]) > MENDED[0] for m in judged) or not usable.any():
        return step
    # Unknowns are moves times the root of the area, equations are weighted by the inverse of the volume.
    root = np.sqrt(patches.area[usable])
    matrix = np.stack([
        root * ((patches.pair[usable, 0] == m).astype(float) - (patches.pair[usable, 1] == m)) / task.missing[m][1]
        for m in judged
    ])  # fmt: skip
    weight = np.array([
        (min(task.missing[m][1] / (50.0 * task.near**3), 1.0) * FAR_OFF / max(abs(errors[m]), FAR_OFF)) ** 0.5
        for m in judged
    ])  # fmt: skip
    right = np.array([errors[m] for m in judged])
    found = np.linalg.lstsq(matrix * weight[:, None], right * weight, rcond=1e-4)[0] / root
    step[usable] = np.clip(found, -task.near / 6.0, task.near / 6.0)
    return step
