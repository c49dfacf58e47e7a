"""Snap and cut: puts the surface of an implicit solid into a mesh of tetrahedra.

A vertex near the surface is moved onto it (snap); where no safe move exists it is declared to lie on it. Then every
edge that still crosses the surface is split (cut), longest edge first, everywhere in the same order, so that the
pieces fit without templates. Nothing here can fail: at worst an element is badly shaped, and `improve` deals with it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from femsim.errors import GeometryError
from femsim.mesh import _cut_kernels as kernels
from femsim.mesh._gather_kernels import any_of, extremes
from femsim.mesh.roots import crossing
from femsim.mesh.topology import edges, neighbours
from femsim.solid.base import Solid

SLACK = 0.01  # of twice the longest edge: how far vertices of a surface may lie off it and still mean it
EDGES = np.array([[0, 1], [1, 2], [2, 0], [0, 3], [1, 3], [2, 3]])


@dataclass(frozen=True, eq=False)
class Cells:
    """Straight tetrahedra while they are being cut.

    Attributes
    ----------
    points : (n, 3) float64
        mm.
    cells : (m, 4) int64
        Positively oriented.
    mask : (m,) int64
        Bit i set inside the i-th solid cut so far.
    ridge : (n,) bool
        Points that never move: on sharp edges of the domain, or on the rim.
    rim : (n,) bool
        Points on the rim of a part that was taken out of a larger mesh and goes back into it.
    slack : (n,) float64
        How far from a surface points lie that were declared to lie on it without being moved, mm.
    origin : (n,) int64
        Number of the point in the larger mesh; -1 for new points.
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    mask: NDArray[np.int64]
    ridge: NDArray[np.bool_]
    rim: NDArray[np.bool_]
    slack: NDArray[np.float64]
    origin: NDArray[np.int64]

    @classmethod
    def start(cls, points: NDArray[np.float64], cells: NDArray[np.int64], ridge: NDArray[np.bool_]) -> Cells:
        """Cells of a whole mesh that nothing has been cut into."""
        n = len(points)
        mask, none = np.zeros(len(cells), np.int64), np.zeros(n, bool)
        return cls(points, cells, mask, ridge, none, np.zeros(n), np.arange(n))

    @functools.cached_property
    def beside(self) -> NDArray[np.int64]:
        """Cell behind every local face (m, 4), -1 where there is none."""
        return neighbours(self.cells)

    @functools.cached_property
    def edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Unique edges (e, 2), and those (m, 6) of every cell."""
        return edges(self.cells)

    def at(self, points: NDArray[np.float64]) -> Cells:
        """The same cells with their points elsewhere; what is known of their topology stays known."""
        moved = replace(self, points=points)
        vars(moved).update({name: vars(self)[name] for name in ("beside", "edges") if name in vars(self)})
        return moved

    def with_points(self, points: NDArray[np.float64], ridge: NDArray[np.bool_]) -> Cells:
        """The same cells with points (k, 3) added at the end."""
        k = len(points)
        return replace(
            self,
            points=np.concatenate([self.points, points]),
            ridge=np.concatenate([self.ridge, ridge]),
            rim=np.concatenate([self.rim, np.zeros(k, bool)]),
            slack=np.concatenate([self.slack, np.zeros(k)]),
            origin=np.concatenate([self.origin, np.full(k, -1)]),
        )

    def compact(self) -> Cells:
        """The same cells without points that none of them uses."""
        used = np.zeros(len(self.points), bool)
        used[self.cells] = True
        if used.all():
            return self
        return Cells(
            self.points[used],
            (np.cumsum(used) - 1)[self.cells],
            self.mask,
            self.ridge[used],
            self.rim[used],
            self.slack[used],
            self.origin[used],
        )


@dataclass(frozen=True)
class Recipe:
    """How boldly vertices are snapped.

    Attributes
    ----------
    alpha : float
        Share of an edge within which a vertex is snapped.
    merge : float
        Share of an edge below which two surfaces are merged where no move keeps them apart.
    thin : float
        So are those closer than this, mm: many thin layers leave edges too short for shares to say anything.
    """

    alpha: float = 0.25
    merge: float = 0.12
    thin: float = 0.0


def distances(solid: Solid, points: NDArray[np.float64], margin: float) -> NDArray[np.float64]:
    """Distance (n,) of points (n, 3), evaluated only within `margin` mm of the solid's bounds; far points get `margin`.

    Raises
    ------
    GeometryError
        If the solid gives a distance that is not a number.
    """
    lower, upper = solid.bounds
    near = ((points > lower - margin) & (points < upper + margin)).all(axis=1)
    phi = np.full(len(points), margin)
    if near.any():
        phi[near] = solid.distance(points[near])
    if not np.isfinite(phi).all():
        place = points[~np.isfinite(phi)][0]
        raise GeometryError(
            f"{type(solid).__name__} gives no distance at ({place[0]:.2f}, {place[1]:.2f}, {place[2]:.2f}) mm.",
            "The mesher cannot tell inside from outside.",
            "Check the solid's parameters.",
        )
    return phi


def cut(mesh: Cells, solid: Solid, bit: int, tolerance: float, recipe: Recipe) -> Cells:
    """Cut one solid into the mesh; cells inside it get `bit`.

    Parameters
    ----------
    mesh : Cells
        Tetrahedra.
    solid : Solid
        Negative inside.
    bit : int
        Number of the bit.
    tolerance : float
        Vertices closer than this to the surface lie on it, mm.
    recipe : Recipe
        How boldly vertices are snapped.
    """
    margin = 2.0 * float(np.sqrt(_longest_square(mesh)))
    phi = distances(solid, mesh.points, margin)
    # What lies on another surface to within `slack` cannot be told from lying on this one; large slack is a merger.
    known = np.where(mesh.slack < SLACK * margin, 1.1 * mesh.slack, 0.0)
    phi[np.abs(phi) < tolerance + known] = 0.0
    low, high = extremes(phi, mesh.cells)
    touched = np.flatnonzero((low < 0.0) & (high > 0.0))
    if len(touched):
        mesh, phi = _snap_and_split(mesh, solid, phi, touched, recipe)
    return replace(mesh, mask=mesh.mask | (_inside(mesh, solid, phi).astype(np.int64) << bit))


def _snap_and_split(
    mesh: Cells, solid: Solid, phi: NDArray[np.float64], touched: NDArray[np.int64], recipe: Recipe
) -> tuple[Cells, NDArray[np.float64]]:
    points, phi = mesh.points.copy(), phi.copy()
    pairs, inverse = _crossed(mesh.cells[touched], phi)
    cross, share = crossing(solid, points[pairs[:, 0]], points[pairs[:, 1]], phi[pairs[:, 0]], phi[pairs[:, 1]])
    slack = mesh.slack.copy()
    _snap(mesh, points, phi, slack, pairs, cross, share, recipe)
    still = phi[pairs[:, 0]] * phi[pairs[:, 1]] < 0
    number = np.where(still, len(points) + np.cumsum(still) - 1, -1)
    length = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    rank = np.empty(len(pairs), np.int64)
    rank[np.lexsort((pairs[:, 1], pairs[:, 0], -length))] = np.arange(len(pairs))
    edge_of = np.where((inverse >= 0) & still[inverse], inverse, -1)
    parts, parent = kernels.split(mesh.cells[touched], edge_of, rank, pairs, number)
    keep = np.ones(len(mesh.cells), bool)
    keep[touched] = False
    ridge = np.asarray(mesh.ridge[pairs[still]].all(axis=1))
    made = replace(
        mesh,
        points=points,
        cells=np.concatenate([mesh.cells[keep], parts]),
        mask=np.concatenate([mesh.mask[keep], mesh.mask[touched][parent]]),
        slack=slack,
    ).with_points(cross[still], ridge)
    return made, np.concatenate([phi, np.zeros(int(still.sum()))])


def _crossed(cells: NDArray[np.int64], phi: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Crossed edges (e, 2) of tetrahedra (m, 4), and for their six edges the number of the crossed edge or -1."""
    edges = np.sort(cells[:, EDGES], axis=2)
    crossed = phi[edges[:, :, 0]] * phi[edges[:, :, 1]] < 0
    key = edges[:, :, 0][crossed] * len(phi) + edges[:, :, 1][crossed]
    unique, index = np.unique(key, return_inverse=True)
    inverse = np.full(crossed.shape, -1)
    inverse[crossed] = index
    return np.stack([unique // len(phi), unique % len(phi)], axis=1), inverse


def _snap(
    mesh: Cells,
    points: NDArray[np.float64],
    phi: NDArray[np.float64],
    slack: NDArray[np.float64],
    pairs: NDArray[np.int64],
    cross: NDArray[np.float64],
    share: NDArray[np.float64],
    recipe: Recipe,
) -> None:
    """Snap in place (the arrays belong to the caller)."""
    n = len(points)
    close = np.full(n, 2.0)
    np.minimum.at(close, pairs[:, 0], share)
    np.minimum.at(close, pairs[:, 1], 1.0 - share)
    candidates = np.flatnonzero(close < recipe.alpha)
    order = candidates[np.argsort(close[candidates], kind="stable")]
    wanted = np.zeros(n, bool)
    wanted[order] = True
    rows = np.flatnonzero(any_of(wanted, mesh.cells))
    cell, corner = np.nonzero(wanted[mesh.cells[rows]])
    pointer, stars = kernels.csr(mesh.cells[rows[cell], corner], rows[cell], n)
    ends = pairs.ravel()
    edge_pointer, edge_ids = kernels.csr(ends, np.repeat(np.arange(len(pairs)), 2), n)
    kernels.snap(
        points, phi, slack, mesh.cells, mesh.mask, mesh.ridge, pairs, cross, share, order, pointer, stars, edge_pointer,
        edge_ids, recipe.alpha, recipe.merge, recipe.thin,
    )  # fmt: skip


def _inside(mesh: Cells, solid: Solid, phi: NDArray[np.float64]) -> NDArray[np.bool_]:
    low, high = extremes(phi, mesh.cells)
    inside = low < 0
    unclear = np.flatnonzero(~inside & (high <= 0))
    if len(unclear):
        # All four vertices lie on the surface: only the middle can tell.
        inside[unclear] = solid.distance(mesh.points[mesh.cells[unclear]].mean(axis=1)) < 0
    return inside


def _longest_square(mesh: Cells) -> float:
    corner = mesh.points[mesh.cells]
    return max(float(((corner[:, a] - corner[:, b]) ** 2).sum(axis=1).max()) for a, b in EDGES)
