"""The inner surface of the cortex: from a surface of its own, or from the outer one and a thickness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from femsim.anatomy.distance import surface_solid
from femsim.anatomy.landmarks import Anatomy
from femsim.anatomy.repair import Surface
from femsim.errors import GeometryError, InputError
from femsim.solid import GridSolid
from femsim.solid._key import content_key
from femsim.solid.grid import node_coordinates

# Neighbours from which a mapped thickness is interpolated.
_NEIGHBOURS = 4


@dataclass(frozen=True, eq=False)
class ThicknessMap:
    """Thickness of the cortex (p,) mm at points (p, 3) mm of the outer surface."""

    points: NDArray[np.float64]
    thickness: NDArray[np.float64]

    def at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Thickness (n,) at points (n, 3): the mean of the nearest of the map, weighted by inverse distance, mm."""
        away, index = cKDTree(self.points).query(points, k=min(_NEIGHBOURS, len(self.points)))
        away, index = away.reshape(len(points), -1), index.reshape(len(points), -1)
        weight = 1.0 / (away + 1e-3)
        mean: NDArray[np.float64] = (weight * self.thickness[index]).sum(axis=1) / weight.sum(axis=1)
        return mean


Thickness = float | Mapping[float, float] | ThicknessMap


def walled(inner: Surface, periosteum: GridSolid, spacing: float, wall: float) -> tuple[GridSolid, list[str]]:
    """The endosteum of a surface, held `wall` mm inside the periosteum; and what was moved, in words.

    Raises
    ------
    GeometryError
        If so much would have to move that the two do not belong together.
    """
    outside = periosteum.distance(inner.points) + wall
    thin = outside > 0.0
    if outside.max() > 5.0 or thin.mean() > 0.2:
        worst = inner.points[int(np.argmax(outside))]
        raise GeometryError(
            f"{int(thin.sum())} of {len(thin)} endosteal vertices leave less than {wall:g} mm of wall; the worst, at "
            f"({worst[0]:.1f}, {worst[1]:.1f}, {worst[2]:.1f}) mm, by {outside.max():.1f} mm.",
            "The two surfaces are no outside and inside of one bone.",
            "Check that both are in the same frame and unit, and in the right order.",
        )
    raw = surface_solid(inner.points, inner.triangles, spacing)
    nodes = node_coordinates(raw.origin, raw.values.shape, raw.spacing)
    limit = periosteum.distance(nodes).reshape(raw.values.shape) + wall
    note = (
        f"Endosteum moved inward at {int(thin.sum())} vertices, by up to {outside.max():.2f} mm, to leave {wall:g} mm."
    )
    key = content_key("walled", raw, periosteum, wall)
    return GridSolid(raw.origin, spacing, np.maximum(raw.values, limit), key), [note] if thin.any() else []


def thick(periosteum: GridSolid, anatomy: Anatomy, thickness: Thickness, wall: float) -> GridSolid:
    """The endosteum at a thickness below the periosteum.

    Raises
    ------
    InputError
        If the thickness is not finite or somewhere less than `wall`.
    GeometryError
        If it leaves no canal.
    """
    nodes = node_coordinates(periosteum.origin, periosteum.values.shape, periosteum.spacing)
    if isinstance(thickness, ThicknessMap):
        where, depth = thickness.points, thickness.thickness
    else:
        table = dict(thickness) if isinstance(thickness, Mapping) else {0.5: float(thickness)}
        where = np.array(sorted(table), float)
        depth = np.array([table[w] for w in sorted(table)], float)
    if not (depth.size and np.isfinite(depth).all() and np.isfinite(where).all() and depth.min() >= wall):
        bad = int((~(depth >= wall)).sum())
        raise InputError(
            f"The thickness of the cortex is below {wall:g} mm or not finite in {bad} of {depth.size} places; the "
            f"smallest is {np.nanmin(depth) if depth.size else np.nan:g} mm.",
            f"The cortex must be at least {wall:g} mm thick everywhere.",
            "Give larger numbers, or a smaller min_wall.",
        )
    values = periosteum.values.astype(np.float64).ravel()
    if isinstance(thickness, ThicknessMap):
        near = np.flatnonzero(np.abs(values) < depth.max() + 4.0 * periosteum.spacing)
        added = np.full(len(values), float(depth.mean()))
        added[near] = thickness.at(nodes[near])
    else:
        added = np.interp(anatomy.frame.to_local(nodes)[:, 2] / anatomy.length, where, depth)
    values = values + added
    if not (values < 0.0).any():
        raise GeometryError(
            f"A cortex {depth.max():g} mm thick fills the whole bone.", "There is no canal.", "Give a thinner cortex."
        )
    key = content_key("offset", periosteum, where, depth)
    return GridSolid(periosteum.origin, periosteum.spacing, values.reshape(periosteum.values.shape), key)
