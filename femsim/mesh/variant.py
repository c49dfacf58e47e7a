"""One variant: lesions and devices cut into the base of a bone; elements away from the cuts stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from femsim.mesh._gather_kernels import any_of, borders, distinct, extremes
from femsim.mesh.base import ON, Base, cut_all, recipes
from femsim.mesh.cut import Cells, distances
from femsim.mesh.refine import AROUND, radius_of, refined
from femsim.mesh.shape import Shaped, repaired, shaped
from femsim.mesh.task import Task
from femsim.mesh.topology import TET_EDGES, TET_FACES
from femsim.solid.base import Solid

Index = NDArray[np.int64]
#: Layers of elements around the cut ones that may change.
BAND = 2


@dataclass(frozen=True, eq=False)
class Made:
    """Ten-node tetrahedra: points (n, 3) mm, cells (m, 10), mask (m,), and how many had their edges straightened."""

    points: NDArray[np.float64]
    cells: Index
    mask: Index
    straightened: int


@dataclass(frozen=True, eq=False)
class _Part:
    """The cells that may change, and what they share with those that stay.

    Attributes
    ----------
    chosen : (m,) bool
        Cells of the base that are taken out.
    mask : (m,) int64
        For every cell of the base, the bits of the new solids, right where it stays.
    kept : (n,) bool
        Nodes of the cells that stay.
    keys, middle : (k,) int64
        Edges between kept vertices, as key, sorted, and their mid-side nodes.
    thin : mapping of int to float
        Bits and radii, mm, of the new solids around which edges are halved.
    """

    chosen: NDArray[np.bool_]
    mask: Index
    kept: NDArray[np.bool_]
    keys: Index
    middle: Index
    thin: Mapping[int, float]

    def known(self, mesh: Cells, pairs: Index) -> tuple[Index, Index]:
        """Numbers of those edges (e, 2) whose mid-side node belongs to a cell that stays, and these nodes."""
        ends = np.sort(mesh.origin[pairs], axis=1)
        key = np.where(ends[:, 0] >= 0, ends[:, 0] * len(self.kept) + ends[:, 1], -1)
        at = np.minimum(np.searchsorted(self.keys, key), max(len(self.keys) - 1, 0))
        same = np.flatnonzero(self.keys[at] == key) if len(self.keys) else np.zeros(0, np.int64)
        return same, self.middle[at[same]] if len(same) else np.zeros(0, np.int64)


def variant(
    base: Base,
    domain: Solid,
    layers: Sequence[tuple[int, Solid]],
    solids: Sequence[Solid | None],
    wanted: Mapping[int, float],
    curved: bool,
) -> Made:
    """Cut solids into a base.

    Parameters
    ----------
    base : Base
        The bone.
    domain : Solid
        Its outer surface.
    layers : sequence of (bit, Solid)
        Those of the base, in its order, with the bits that they get here.
    solids : sequence of Solid or None
        In bit order; None for layers and for bits without a surface of their own.
    wanted : mapping of int to float
        Volume of every compartment that lies in one of the solids, by mask, mm3.
    curved : bool
        Whether mid-side nodes lie on the surfaces.
    """
    mask = np.zeros(len(base.cells), np.int64)
    for i, (bit, _) in enumerate(layers):
        mask |= (base.mask >> i & 1) << bit
    part = _part(base, solids, mask)
    if not part.chosen.any():
        return Made(base.points, base.cells, part.mask, base.straightened)
    start = _taken(base, part, mask)
    for bit, radius in part.thin.items():
        solid = solids[bit]
        assert solid is not None
        start = refined(start, solid, radius)
    start = _with_slack(start, domain, layers)
    stays = np.flatnonzero(~part.chosen)
    missing = {}
    for compartment, volume in wanted.items():
        kept = float(base.volume[stays[part.mask[stays] == compartment]].sum())
        missing[compartment] = volume - kept, volume
    surfaces = list(solids)
    for bit, solid in layers:
        surfaces[bit] = solid

    def held(mesh: Cells, pairs: Index) -> tuple[Index, NDArray[np.float64]]:
        number, node = part.known(mesh, pairs)
        return number, base.points[node]

    tries = (cut_all(start, solids, base.near, recipe) for recipe in recipes(base.near, reserve=True))
    cells = repaired(tries, domain, surfaces, len(stays))
    task = Task(domain, surfaces, missing, base.near, curved, held, sum(1 << bit for bit, _ in layers), len(stays))
    return _put_back(base, part, shaped(cells, task))


def _part(base: Base, solids: Sequence[Solid | None], mask: Index) -> _Part:
    n, corner = len(base.points), np.ascontiguousarray(base.cells[:, :4])
    touched, mask, thin = _touched(base, corner, solids, mask)
    for _ in range(BAND if touched.any() else 0):
        hit = np.zeros(n, bool)
        hit[corner[touched]] = True
        touched = any_of(hit, corner)
    kept = np.zeros(n, bool)
    kept[base.cells[~touched]] = True
    own = base.cells[touched]
    pairs, middle = own[:, TET_EDGES].reshape(-1, 2), own[:, 4:].ravel()
    shared = kept[middle]
    ends = np.sort(pairs[shared], axis=1)
    keys, first = np.unique(ends[:, 0] * n + ends[:, 1], return_index=True)
    return _Part(touched, mask, kept, keys, middle[shared][first], thin)


def _touched(
    base: Base, corner: Index, solids: Sequence[Solid | None], mask: Index
) -> tuple[NDArray[np.bool_], Index, dict[int, float]]:
    """Cells that solids cut or refine, the mask with the bits of the solids, and the radii of thin solids by bit."""
    n = len(base.points)
    vertices = np.zeros(n, bool)
    vertices[corner] = True
    at, between = np.flatnonzero(vertices), np.flatnonzero(~vertices)
    edge = base.points[corner[:, 0]] - base.points[corner[:, 1]]
    margin = 3.0 * float(np.sqrt((edge * edge).sum(axis=1).max()))
    touched, mask = np.zeros(len(corner), bool), mask.copy()
    thin: dict[int, float] = {}
    for bit, solid in enumerate(solids):
        if solid is None:
            continue
        phi = np.full(n, margin)
        phi[at] = distances(solid, base.points[at], margin)
        phi[np.abs(phi) < ON * base.near] = 0.0
        low, high = extremes(phi, corner)
        touched |= (low <= 0.0) & (high >= 0.0)
        mask |= (low < 0.0).astype(np.int64) << bit
        if radius := radius_of(solid, base.points, corner, phi, base.near):
            thin[bit] = radius
            phi[between] = distances(solid, base.points[between], margin)
            touched |= any_of(phi < AROUND * radius, base.cells)
    return touched, mask, thin


def _taken(base: Base, part: _Part, mask: Index) -> Cells:
    corner = base.cells[part.chosen][:, :4]
    ids, local = np.unique(corner, return_inverse=True)
    rim = part.kept[ids]
    return Cells(
        base.points[ids],
        local.reshape(-1, 4),
        mask[part.chosen],
        base.ridge[ids] | rim,
        rim,
        np.zeros(len(ids)),
        ids,
    )


def _with_slack(mesh: Cells, domain: Solid, layers: Sequence[tuple[int, Solid]]) -> Cells:
    """Cells that know how far the vertices on the bone's own surfaces lie off them: other solids may end there too."""
    slack = mesh.slack.copy()
    beside = mesh.beside
    for bit, solid in [*layers, (-1, domain)]:
        cell, face = borders(mesh.mask, beside, bit)
        on = distinct(mesh.cells[cell[:, None], TET_FACES[face]], len(mesh.points))
        if bit < 0:
            on = on[~mesh.rim[on]]
        if len(on):
            slack[on] = np.maximum(slack[on], np.abs(solid.distance(mesh.points[on])))
    return replace(mesh, slack=slack)


def _put_back(base: Base, part: _Part, made: Shaped) -> Made:
    """The whole mesh. New nodes and cells take the numbers of those that are gone, then follow at the end."""
    cells, nodes = made.cells, made.nodes
    number, node = part.known(cells, nodes.pairs)
    vertex, middle = cells.origin.copy(), np.full(len(nodes.pairs), -1)
    middle[number] = node
    gone = np.zeros(len(base.points), bool)
    gone[base.cells[part.chosen]] = True
    gone[part.kept] = False
    gone[vertex[vertex >= 0]] = False
    new_vertex, new_middle = np.flatnonzero(vertex < 0), np.flatnonzero(middle < 0)
    count = len(new_vertex) + len(new_middle)
    free = np.flatnonzero(gone)
    slots = np.concatenate([free, len(base.points) + np.arange(max(count - len(free), 0))])[:count]
    vertex[new_vertex], middle[new_middle] = slots[: len(new_vertex)], slots[len(new_vertex) :]
    total = max(len(base.points), int(slots.max()) + 1 if count else 0)
    points = np.zeros((total, 3))
    points[: len(base.points)] = base.points
    points[vertex] = cells.points
    points[middle] = nodes.middle  # with those of the cells that stay: few were let go to save a new cell
    ten = np.concatenate([vertex[cells.cells], middle[nodes.of_cell]], axis=1)
    rows = np.flatnonzero(part.chosen)
    rows = np.concatenate([rows, len(base.cells) + np.arange(max(len(ten) - len(rows), 0))])
    all_cells = np.zeros((max(len(base.cells), int(rows.max()) + 1), 10), np.int64)
    mask = np.zeros(len(all_cells), np.int64)
    all_cells[: len(base.cells)], mask[: len(base.cells)] = base.cells, part.mask
    all_cells[rows[: len(ten)]], mask[rows[: len(ten)]] = ten, cells.mask
    if len(rows) > len(ten):
        stays = np.ones(len(all_cells), bool)
        stays[rows[len(ten) :]] = False
        all_cells, mask = all_cells[stays], mask[stays]
    if len(free) > count:
        used = np.zeros(total, bool)
        used[all_cells] = True
        points, all_cells = points[used], (np.cumsum(used) - 1)[all_cells]
    return Made(points, all_cells, mask, base.straightened + nodes.straightened)
