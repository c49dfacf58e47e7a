"""Wanted edge lengths: fine around the named solids, coarser with distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.solid.arrangement import Arrangement
from femsim.solid.base import Bounds, Solid
from femsim.solid.grid import grid_points, node_coordinates


@dataclass(frozen=True)
class MeshSize:
    """Edge lengths of the mesh.

    Attributes
    ----------
    near : float
        Edge length inside and within `margin` of the solids named in ``Arrangement.fine``, mm.
    far : float
        Largest edge length, mm. It is used everywhere where no solid is named fine.
    growth : float
        Increase of the edge length per mm of distance; 0.3 gives neighbours that differ by about a third.
    margin : float
        Width of the fine layer around the fine solids, mm.
    elements : int, optional
        Wanted number of tetrahedra. `near` and `far` are then scaled by one common factor; the number reached
        differs by some 20 %.
    curved : bool
        Whether mid-side nodes lie on the curved surfaces; straight edges otherwise.
    """

    near: float = 1.6
    far: float = 4.0
    growth: float = 0.3
    margin: float = 2.0
    elements: int | None = None
    curved: bool = True

    def __post_init__(self) -> None:
        for name in ("near", "far", "growth"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"mesh.{name} = {value!r} is not possible.", "A size is positive.", "Give mm above 0.")
        if not (np.isfinite(self.margin) and self.margin >= 0):
            raise InputError(f"mesh.margin = {self.margin!r} is not possible.", "It is a width.", "Give 0 mm or more.")
        if self.near > self.far:
            raise InputError(
                f"mesh.near = {self.near:g} mm is larger than mesh.far = {self.far:g} mm.",
                "The mesh would be finest where it matters least.",
                "Make near the smaller one.",
            )
        if self.elements is not None and not 500 <= self.elements <= 20_000_000:
            raise InputError(
                f"mesh.elements = {self.elements} is outside 500 to 20 000 000.",
                "Fewer cannot hold a bone, more do not fit into memory.",
                "Ask for 20 000 to 2 000 000.",
            )


@dataclass(frozen=True, eq=False)
class SizeField:
    """Wanted edge length at the nodes of a grid: origin (3,) and spacing in mm, values (nx, ny, nz) in mm."""

    origin: NDArray[np.float64]
    spacing: float
    values: NDArray[np.float64]

    def at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Edge length (n,) mm at points (n, 3), trilinear, clamped to the grid."""
        upper = np.array(self.values.shape) - 1
        local = np.clip((points - self.origin) / self.spacing, 0.0, upper - 1e-9)
        cell = local.astype(np.int64)
        weight = local - cell
        result = np.zeros(len(points))
        for corner in np.ndindex(2, 2, 2):
            share = np.prod(np.where(np.array(corner) == 1, weight, 1.0 - weight), axis=1)
            result += share * self.values[tuple((cell + corner).T)]
        return result

    def count(self, domain: Solid) -> float:
        """Estimate of the number of tetrahedra that fill `domain`, from their mean volume."""
        nodes = node_coordinates(self.origin, _shape(self.values), self.spacing)
        share = np.clip(0.5 - domain.distance(nodes) / self.spacing, 0.0, 1.0)
        return float((share / (_VOLUME_FACTOR * self.values.ravel() ** 3)).sum() * self.spacing**3)


# Mean volume of a tetrahedron over its wanted edge cubed, measured on HXT meshes (a regular one has 0.118).
_VOLUME_FACTOR = 0.105


def size_field(arrangement: Arrangement, size: MeshSize, box: Bounds) -> tuple[SizeField, MeshSize]:
    """Edge lengths over a box, and the sizes used (changed where a number of elements was wanted)."""
    spacing = max(2.0, 1.2 * size.near, float((box[1] - box[0]).max()) / 220)
    origin, shape = grid_points(box[0] - spacing, box[1] + spacing, spacing)
    nodes = node_coordinates(origin, shape, spacing)
    distance = fine_distance([arrangement.solids[name] for name in arrangement.fine], nodes)

    def field(used: MeshSize) -> SizeField:
        if not arrangement.fine:
            return SizeField(origin, spacing, np.full(shape, used.far))
        values = np.clip(used.near + used.growth * (distance - used.margin), used.near, used.far)
        return SizeField(origin, spacing, values.reshape(shape))

    used = size
    if size.elements is not None:
        for _ in range(6):
            factor = (field(used).count(arrangement.domain) / size.elements) ** (1.0 / 3.0)
            used = replace(used, near=used.near * factor, far=used.far * factor)
    return field(used), used


def fine_distance(solids: Sequence[Solid], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance (n,) mm to the union of solids, 0 inside; infinite without any."""
    result = np.full(len(points), np.inf)
    for solid in solids:
        result = np.minimum(result, solid.distance(points))
    return np.maximum(result, 0.0)


def _shape(values: NDArray[np.float64]) -> tuple[int, int, int]:
    return (values.shape[0], values.shape[1], values.shape[2])
