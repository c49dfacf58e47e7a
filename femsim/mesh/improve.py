"""Repairs badly shaped tetrahedra near the cuts; everything else stays as it is, to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from femsim.mesh._cells_kernels import build
from femsim.mesh._gather_kernels import any_of, distinct
from femsim.mesh._improve_kernels import improve_round
from femsim.mesh._shape import all_sicn, all_volumes6
from femsim.mesh.cut import Cells
from femsim.mesh.promote import shifted, surface_faces
from femsim.mesh.topology import TET_FACES
from femsim.solid.base import Solid

TARGET = 0.32  # elements below this SICN are repaired
ROUNDS = 6
KEEP = 0.28  # after the surfaces have been put back, elements below this are repaired again
SETTLINGS = 3  # most times that vertices beside their surface are moved on towards it
DENT = 0.15  # a vertex may be moved onto its surface as long as no element falls below this SICN
SOUND = 0.25  # while no element falls below this, surfaces are moved freely
HALVINGS = 4  # a move that spoils an element is halved so often before it is given up


def improve(mesh: Cells, domain: Solid, solids: Sequence[Solid | None]) -> Cells:
    """Collapse, swap and smooth around elements with SICN below 0.32, keeping every surface.

    Vertices inside a compartment move freely, those on one surface within it, those on several or on a sharp edge
    not at all. Afterwards surface vertices near the repairs are put back onto the zero of their distance.
    """
    if all_sicn(mesh.points, mesh.cells).min() >= TARGET:
        return mesh
    mesh = _repaired(mesh, TARGET)
    mesh = _repaired(settled(mesh, domain, solids), KEEP)
    for _ in range(SETTLINGS):
        # A vertex that the cut left beside its surface is a dent, and a dent raises the stress there. Where the guard
        # held it back, it may go farther at the price of its neighbours' shapes, which the next repair mends.
        bolder = settled(mesh, domain, solids, floor=DENT)
        if np.array_equal(bolder.points, mesh.points):
            break
        bolder = _repaired(bolder, KEEP)
        if not _as_good(all_sicn(bolder.points, bolder.cells), all_sicn(mesh.points, mesh.cells)):
            break
        mesh = bolder
    return mesh


def _as_good(new: NDArray[np.float64], old: NDArray[np.float64]) -> bool:
    """Whether shapes are no worse where it counts: the worst, and the share below 0.25 (a tenth of what is allowed)."""
    return bool(new.min() >= min(DENT, old.min()) and (new < SOUND).mean() <= max(1e-4, (old < SOUND).mean()))


def _repaired(mesh: Cells, target: float) -> Cells:
    m, n = len(mesh.cells), len(mesh.points)
    capacity = m + m // 4 + 4000
    tet = np.zeros((capacity, 4), np.int64)
    tet[:m] = mesh.cells
    mask = np.full(capacity, -1)
    mask[:m] = mesh.mask
    head, link = build(tet, m, n)
    kind = np.where(mesh.ridge, 2, _on_surface(mesh).astype(np.int64))
    points, spare, count = mesh.points.copy(), np.zeros(capacity, np.int64), np.array([m, 0, 0])
    stamp, tried = np.zeros(n, np.int64), np.full(capacity, -1)
    for _ in range(ROUNDS):
        if improve_round(points, tet, mask, head, link, stamp, tried, kind, spare, count, target) == 0:
            break
    alive = np.flatnonzero(mask[: count[0]] >= 0)
    return replace(mesh, points=points, cells=tet[alive], mask=mask[alive]).compact()


def _on_surface(mesh: Cells) -> NDArray[np.bool_]:
    beside = mesh.beside
    cell, face = np.nonzero((beside < 0) | (mesh.mask[beside] != mesh.mask[:, None]))
    result = np.zeros(len(mesh.points), bool)
    result[mesh.cells[cell[:, None], TET_FACES[face]]] = True
    return result


def settled(
    mesh: Cells,
    domain: Solid,
    solids: Sequence[Solid | None],
    offset: NDArray[np.float64] | None = None,
    floor: float | NDArray[np.float64] = SOUND,
) -> Cells:
    """Vertices on one or two surfaces put onto their zero, as far as no element falls below SICN `floor` or gets worse.

    `floor` is one for all or one for every element.

    With `offset` (len(solids), n) mm, a solid's surface is where its distance has that value.
    """
    n = len(mesh.points)
    jobs, times = [], np.zeros(n, np.int64)
    for bit, cell, face in surface_faces(mesh, [*solids, domain]):
        solid = domain if bit == len(solids) else solids[bit]
        assert solid is not None
        corners = mesh.cells[cell[:, None], TET_FACES[face]]
        a, b, c = (mesh.points[corners[:, k]] for k in range(3))
        area = np.cross(b - a, c - a)
        normal = np.stack([np.bincount(corners.ravel(), np.repeat(area[:, d], 3), n) for d in range(3)], axis=1)
        on = distinct(corners, n)
        times[on] += 1
        away = np.zeros(len(on)) if offset is None or bit == len(solids) else offset[bit, on]
        jobs.append((solid, on, normal[on], away))
    wanted = mesh.points.copy()
    # Points on two surfaces go to and fro between them; three rounds bring them close to the curve where both meet.
    for rounds, surfaces in ((1, 1), (3, 2)):
        for _ in range(rounds):
            for solid, on, normal, away in jobs:
                length = np.linalg.norm(normal, axis=1)
                free = (times[on] == surfaces) & ~mesh.ridge[on] & (length > 1e-12)
                reach = 0.3 * np.sqrt(length[free])
                unit = normal[free] / length[free][:, None]
                wanted[on[free]] = shifted(solid, wanted[on[free]], unit, reach, away[free])
    far = np.linalg.norm(wanted - mesh.points, axis=1) > 0.8 * float(np.cbrt(np.abs(_mean_volume(mesh)) * 8.5))
    wanted[far] = mesh.points[far]
    return mesh.at(_guarded(mesh, wanted, floor))


def _mean_volume(mesh: Cells) -> float:
    return float(np.median(np.abs(all_volumes6(mesh.points, mesh.cells)))) / 6.0


def _guarded(mesh: Cells, wanted: NDArray[np.float64], floor: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """`wanted`, with those moves halved, and at last given up, that spoil an element."""
    moved = (wanted != mesh.points).any(axis=1)
    check = np.flatnonzero(any_of(moved, mesh.cells))
    cells = mesh.cells[check]
    before = np.minimum(all_sicn(mesh.points, cells), np.broadcast_to(floor, len(mesh.cells))[check])
    halved = np.zeros(len(wanted), np.int64)
    for _ in range(20 * (HALVINGS + 1)):
        bad = all_sicn(wanted, cells) < before - 1e-9
        bad &= any_of(moved, cells)
        if not bad.any():
            return wanted
        back = np.unique(cells[bad])
        halved[back] += 1
        wanted[back] = mesh.points[back] + 0.5 * (wanted[back] - mesh.points[back])
        given_up = back[halved[back] > HALVINGS]
        wanted[given_up] = mesh.points[given_up]
        moved[given_up] = False
    return mesh.points
