"""Smaller elements around bodies that are about as thin as an element: cut into large ones they lose half their volume.

A rod of 2 mm in elements of 2 mm is cut to a prism of three or four sides, with gaps where it passes between vertices.
The base cannot be finer where a device will come to lie: it is the same for every variant of a bone. So edges around
a thin body are halved in the variant, before anything is cut.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from femsim.mesh import _cut_kernels as kernels
from femsim.mesh._gather_kernels import any_of
from femsim.mesh.cut import EDGES, Cells, distances
from femsim.solid.base import Solid

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Radii of bodies, over the shortest usual edge, that get smaller elements. Thicker ones are held well, thinner ones
#: would cost more elements than the bone around them.
THIN = (0.33, 0.8)
#: Longest edge at a thin body over its radius. With 1.3, halved until it holds, nothing is met better and the elements
#: around the body are four times as many.
LONGEST = 1.8
#: How far around the body edges are halved, over its radius.
AROUND = 0.3
#: How often.
HALVINGS = 2
_PLACES = np.vstack([np.full(4, 0.25), np.full((4, 4), 1.0 / 9.0) + 5.0 / 9.0 * np.eye(4)])


def radius_of(solid: Solid, points: Array, cells: Index, phi: Array, near: float) -> float:
    """Radius of a body of which points (n, 3) of tetrahedra (m, 4) have distances `phi` (n,), mm; 0 if it is not thin.

    Looked for in five places of every tetrahedron near the body: a thin one passes between vertices.
    """
    if phi.min(initial=0.0) < -THIN[1] * near:
        return 0.0
    corner = points[cells[any_of(phi < near, cells)]]
    places = np.einsum("pk,mkd->mpd", _PLACES, corner).reshape(-1, 3)
    radius = float(-distances(solid, places, near).min(initial=0.0))
    return radius if THIN[0] * near <= radius <= THIN[1] * near else 0.0


def refined(mesh: Cells, solid: Solid, radius: float) -> Cells:
    """Cells whose edges in and around a thin solid are halved where they are longer than 1.8 times its radius (mm).

    Edges of the rim stay whole.
    """
    for _ in range(HALVINGS):
        pairs = _long(mesh, solid, radius)
        if len(pairs) == 0:
            break
        mesh = halved(mesh, pairs)
    return mesh


def _long(mesh: Cells, solid: Solid, radius: float) -> Index:
    """Edges (k, 2) that are to be halved."""
    n, margin = len(mesh.points), 4.0 * radius
    phi = distances(solid, mesh.points, margin)
    ends = mesh.cells[any_of(phi < margin, mesh.cells)][:, EDGES].reshape(-1, 2)
    length = np.linalg.norm(mesh.points[ends[:, 0]] - mesh.points[ends[:, 1]], axis=1)
    least, near = phi[ends].min(axis=1), AROUND * radius
    may = (length > LONGEST * radius) & (least < near + 0.5 * length) & ~mesh.rim[ends].all(axis=1)
    ends = np.sort(ends[may], axis=1)
    keys = np.unique(ends[:, 0] * n + ends[:, 1])
    pairs = np.stack([keys // n, keys % n], axis=1)
    least = np.minimum(phi[pairs].min(axis=1), distances(solid, mesh.points[pairs].mean(axis=1), margin))
    return pairs[least < near]


def halved(mesh: Cells, pairs: Index) -> Cells:
    """Cells with the edges `pairs` (k, 2), sorted, split in the middle; the new points follow the others."""
    n = len(mesh.points)
    ends = np.sort(mesh.cells[:, EDGES], axis=2)
    key, own = ends[:, :, 0] * n + ends[:, :, 1], pairs[:, 0] * n + pairs[:, 1]
    order = np.argsort(own)
    at = np.minimum(np.searchsorted(own[order], key), len(own) - 1)
    edge_of = np.where(own[order][at] == key, order[at], -1)
    touched = (edge_of >= 0).any(axis=1)
    length = np.linalg.norm(mesh.points[pairs[:, 0]] - mesh.points[pairs[:, 1]], axis=1)
    rank = np.empty(len(pairs), np.int64)
    rank[np.lexsort((pairs[:, 1], pairs[:, 0], -length))] = np.arange(len(pairs))
    parts, parent = kernels.split(mesh.cells[touched], edge_of[touched], rank, pairs, n + np.arange(len(pairs)))
    made = replace(
        mesh,
        cells=np.concatenate([mesh.cells[~touched], parts]),
        mask=np.concatenate([mesh.mask[~touched], mesh.mask[touched][parent]]),
    )
    return made.with_points(mesh.points[pairs].mean(axis=1), np.asarray(mesh.ridge[pairs].all(axis=1)))
