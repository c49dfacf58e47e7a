"""Ten-node tetrahedra: mid-side nodes, curved onto the surfaces where that keeps the elements sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.mesh._curve_kernels import jacobians, sample_gradients
from femsim.mesh._gather_kernels import any_of, borders, distinct
from femsim.mesh.cut import Cells
from femsim.mesh.topology import TET_FACES, edges
from femsim.solid.base import Solid

STRAIGHTEN = 0.2  # a Jacobian below this share of the straight element's puts its mid-side nodes back
TURNED = 0.05  # and below this one those that are held too, where nothing else is left to put back

# Local edges of the local faces, as positions in TET_EDGES.
_FACE_EDGES = np.array([[0, 4, 3], [1, 5, 4], [2, 3, 5], [2, 1, 0]])


def to_tet10(points: NDArray[np.float64], cells: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Straight ten-node tetrahedra from four-node ones: points (n + e, 3) and cells (m, 10) in VTK order."""
    pairs, of_cell = edges(cells)
    middle = 0.5 * (points[pairs[:, 0]] + points[pairs[:, 1]])
    return np.concatenate([points, middle]), np.concatenate([cells, len(points) + of_cell], axis=1)


@dataclass(frozen=True, eq=False)
class Promoted:
    """Ten-node tetrahedra: edges (e, 2), the edges (m, 6) of every cell, the middle (e, 3) of every edge in mm.

    `straightened` tetrahedra had their edges straightened by halves, because their Jacobian fell below 0.2 of the
    straight one.
    """

    pairs: NDArray[np.int64]
    of_cell: NDArray[np.int64]
    middle: NDArray[np.float64]
    straightened: int = 0


def promoted(
    mesh: Cells,
    domain: Solid,
    solids: Sequence[Solid | None],
    curved: bool = True,
    held: Callable[[Cells, NDArray[np.int64]], tuple[NDArray[np.int64], NDArray[np.float64]]] | None = None,
    offset: NDArray[np.float64] | None = None,
) -> Promoted:
    """Mid-side nodes, on the domain's surface and on those of the solids where `curved`.

    Parameters
    ----------
    mesh : Cells
        Cut tetrahedra.
    domain : Solid
        Its zero is the outer surface.
    solids : sequence of Solid or None
        In bit order; None where a bit has no surface of its own.
    curved : bool
        Straight edges otherwise.
    held : callable, optional
        For the edges (e, 2) of the mesh, the numbers of those whose middle is already known, and these middles
        (k, 3). They stay unless a cell would be turned over by them alone.
    offset : (len(solids), n) float64, optional
        The distance at which the surface of every solid lies, at the vertices, mm.
    """
    n = len(mesh.points)
    pairs, of_cell = mesh.edges
    straight = 0.5 * (mesh.points[pairs[:, 0]] + mesh.points[pairs[:, 1]])
    middle = straight.copy()
    if curved:
        reach = 0.2 * np.linalg.norm(mesh.points[pairs[:, 0]] - mesh.points[pairs[:, 1]], axis=1)
        for bit, on, normal in _surface_edges(mesh, of_cell, len(pairs), [*solids, domain]):
            surface = domain if bit == len(solids) else solids[bit]
            assert surface is not None
            away = np.zeros(len(on))
            if offset is not None and bit < len(solids):
                away = offset[bit][pairs[on]].mean(axis=1)
            middle[on] = shifted(surface, middle[on], normal, reach[on], away)
    free = np.ones(len(pairs), bool)
    if held is not None:
        known, places = held(mesh, pairs)
        middle[known] = places
        free[known] = False
    cells = np.concatenate([mesh.cells, n + of_cell], axis=1)
    points = np.concatenate([mesh.points, middle])
    points, straightened = _straightened(points, cells, of_cell, straight, n, free)
    return Promoted(pairs, of_cell, points[n:], straightened)


def surface_faces(
    mesh: Cells, solids: Sequence[Solid | None]
) -> list[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
    """For every bit: cells (f,) and local faces (f,) on the solid's surface, seen from inside. The domain is last."""
    result = []
    for bit, solid in enumerate(solids):
        if solid is None:
            continue
        cell, face = borders(mesh.mask, mesh.beside, -1 if bit == len(solids) - 1 else bit)
        # Faces wholly on the rim of a part lie inside the larger mesh.
        real = ~mesh.rim[mesh.cells[cell[:, None], TET_FACES[face]]].all(axis=1)
        if real.any():
            result.append((bit, cell[real], face[real]))
    return result


def _surface_edges(
    mesh: Cells, of_cell: NDArray[np.int64], count: int, solids: Sequence[Solid | None]
) -> list[tuple[int, NDArray[np.int64], NDArray[np.float64]]]:
    """For every bit: the edges on its surface and the unit normal of the surface's faces there."""
    result = []
    for bit, cell, face in surface_faces(mesh, solids):
        corner = mesh.points[mesh.cells[cell[:, None], TET_FACES[face]]]
        area = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        index = of_cell[cell[:, None], _FACE_EDGES[face]].ravel()
        normal = np.stack([np.bincount(index, np.repeat(area[:, d], 3), count) for d in range(3)], axis=1)
        on = distinct(index, count)
        length = np.linalg.norm(normal[on], axis=1)
        on = on[length > 1e-12]
        result.append((bit, on, normal[on] / length[length > 1e-12][:, None]))
    return result


def shifted(
    solid: Solid,
    points: NDArray[np.float64],
    normal: NDArray[np.float64],
    reach: NDArray[np.float64],
    offset: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Points (n, 3) moved along unit normals to where the distance is `offset` (n,), by the secant method.

    Unmoved beyond `reach` (n,).
    """
    before = np.zeros(len(points))
    f_before = solid.distance(points) - offset
    step = np.clip(-f_before, -reach, reach)
    f = f_before
    for _ in range(3):
        f = solid.distance(points + step[:, None] * normal) - offset
        slope = np.where(
            np.abs(step - before) > 1e-12, (f - f_before) / np.where(step == before, 1.0, step - before), 1.0
        )
        slope = np.where(np.abs(slope) > 0.2, slope, 1.0)
        before, f_before, step = step, f, np.clip(step - f / slope, -reach, reach)
    f = solid.distance(points + step[:, None] * normal) - offset
    better = (np.abs(f) < 0.1 * reach) & (np.abs(step) < reach)
    return points + np.where(better, step, 0.0)[:, None] * normal


def _straightened(
    points: NDArray[np.float64],
    cells: NDArray[np.int64],
    of_cell: NDArray[np.int64],
    straight: NDArray[np.float64],
    n: int,
    free: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], int]:
    gradients, _ = sample_gradients()
    off = np.abs(points[n:] - straight).max(axis=1) > 0
    free, bent, held_bent = free.copy(), free & off, ~free & off
    check = np.flatnonzero(any_of(off, of_cell))
    corner = points[cells[check][:, :4]]
    flat = np.einsum(
        "ij,ij->i", np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), corner[:, 3] - corner[:, 0]
    )
    changed, halved = np.zeros(len(cells), bool), np.zeros(len(straight), np.int64)
    curved, flat_of = check, flat
    while len(check):
        ratio = jacobians(points, cells[check], gradients).min(axis=1) / flat
        own = any_of(bent, of_cell[check])
        bad = (ratio < STRAIGHTEN) & own
        # An edge of the cells around, bent over a vertex that has moved since: it is let go, for them as well.
        turned = (ratio < TURNED) & ~own & any_of(held_bent, of_cell[check])
        if not (bad | turned).any():
            break
        changed[check[bad | turned]] = True
        back = distinct(of_cell[check[bad]], len(straight))
        back = back[free[back]]
        let_go = np.unique(of_cell[check[turned]])
        let_go = let_go[held_bent[let_go]]
        held_bent[let_go], free[let_go], bent[let_go] = False, True, True
        back = np.union1d(back, let_go)
        points[n + back] = straight[back] + 0.5 * (points[n + back] - straight[back])
        halved[back] += 1
        back_to_straight = back[halved[back] >= 4]
        points[n + back_to_straight] = straight[back_to_straight]
        bent[back_to_straight] = False
        # Only neighbours of the edges put back can have changed; among them some that were sound until now.
        hit = np.zeros(len(straight), bool)
        hit[back] = True
        keep = any_of(hit, of_cell[curved])
        check, flat = curved[keep], flat_of[keep]
    return points, int(changed.sum())
