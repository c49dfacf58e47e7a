"""Wanted edge lengths: fine at the surfaces of the named solids and where they break through, coarser with distance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.solid.arrangement import Arrangement
from femsim.solid.base import Bounds, Solid
from femsim.solid.boolean import box_distance
from femsim.solid.grid import grid_points, node_coordinates

Array = NDArray[np.float64]

#: Edge length over the thickness of a layer. Cut layers stay whole up to about 5 (measured on the parametric femur).
LAYER = 3.6
#: Longest edge over the thickness of a layer on a mesh that is coarsened as a whole: beyond, layers have holes.
WHOLE = 5.0
#: Edge length over the thickness of a device's wall that is resolved. A round wall needs more than a flat layer.
WALL = 2.0
#: Edge length over the radius of curvature of a layer: elements of 6 mm made a canal of 6 mm radius 5 % too narrow.
ROUND = 0.65
#: Edge length over the width of a slender body. At 0.7 a column of cement had necks and breaks, at 0.45 it is whole.
SLENDER = 0.45


@dataclass(frozen=True)
class MeshSize:
    """Edge lengths of the mesh.

    Attributes
    ----------
    near : float
        Edge length at the surfaces of the solids named in ``Arrangement.fine``, mm.
    far : float
        Largest edge length, mm. It is used everywhere where no solid is named fine.
    growth : float
        Increase of the edge length per mm of distance; 0.4 gives neighbours that differ by about 40 %.
    margin : float
        Width of the fine layer on either side of the fine surfaces, mm.
    edge : float
        Edge length over `near` along the curves where a fine solid breaks through the surface of the domain. Stresses
        peak on these feather edges.
    layers : bool
        Whether edges are also limited (but not below `near`) to 3.6 times the thickness of the wall between the
        domain's surface and the solids named in ``Arrangement.layers``, so that a thin cortex has no holes, and to
        0.65 times the radius of curvature of these solids, so that a narrow canal is round.
    walls : {"auto", "resolve", "homogenise"}
        What becomes of the walls in ``Arrangement.thin``: "resolve" makes elements at them as short as twice their
        thickness, "homogenise" leaves the outer surface out and mixes materials, "auto" resolves those that are
        thick enough for `near` and homogenises the others.
    elements : int, optional
        Wanted number of tetrahedra. `near` and `far` are then scaled by one common factor; the number reached
        differs by some 20 %.
    curved : bool
        Whether mid-side nodes lie on the curved surfaces; straight edges otherwise.
    coarser : float
        Factor on what layers ask for, up to edges of 5 thicknesses: for a mesh that is coarsened as a whole, `near` and
        `far` by the same factor.
    """

    near: float = 1.6
    far: float = 4.0
    growth: float = 0.4
    margin: float = 1.0
    edge: float = 0.5
    layers: bool = True
    walls: str = "auto"
    elements: int | None = None
    curved: bool = True
    coarser: float = 1.0

    def __post_init__(self) -> None:
        for name in ("near", "far", "growth", "edge", "coarser"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"mesh.{name} = {value!r} is not possible.", "A size is positive.", "Give mm above 0.")
        if not (np.isfinite(self.margin) and self.margin >= 0):
            raise InputError(f"mesh.margin = {self.margin!r} is not possible.", "It is a width.", "Give 0 mm or more.")
        if self.walls not in ("auto", "resolve", "homogenise"):
            raise InputError(
                f"mesh.walls = {self.walls!r} is not known.",
                "It says what becomes of walls thinner than an element.",
                'Use "auto", "resolve" or "homogenise".',
            )
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
class Grid:
    """Edge lengths at the nodes of a grid: origin (3,) and spacing in mm, values (nx, ny, nz) in mm."""

    origin: Array
    spacing: float
    values: Array

    def at(self, points: Array) -> Array:
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

    def holds(self, points: Array) -> NDArray[np.bool_]:
        """Whether points (n, 3) lie inside the grid, (n,)."""
        upper = self.origin + self.spacing * (np.array(self.values.shape) - 1)
        return np.asarray(((points >= self.origin) & (points <= upper)).all(axis=1))


@dataclass(frozen=True, eq=False)
class SizeField:
    """Wanted edge lengths, mm: one grid over everything, and a finer one where edges are short.

    Attributes
    ----------
    grids : tuple of Grid
        The length at a point is the smallest of the grids that hold it. The first holds every point.
    near : float
        The length asked for at fine solids, mm.
    """

    grids: tuple[Grid, ...]
    near: float

    def at(self, points: Array) -> Array:
        """Edge length (n,) mm at points (n, 3)."""
        result = self.grids[0].at(points)
        for grid in self.grids[1:]:
            inside = np.flatnonzero(grid.holds(points))
            result[inside] = np.minimum(result[inside], grid.at(points[inside]))
        return result

    def count(self, domain: Solid) -> float:
        """Estimate of the number of tetrahedra that fill `domain`, from their mean volume."""
        whole = self.grids[0]
        nodes = node_coordinates(whole.origin, _shape(whole.values), whole.spacing)
        share = np.clip(0.5 - domain.distance(nodes) / whole.spacing, 0.0, 1.0)
        inside = np.flatnonzero(share)
        wanted = self.at(nodes[inside])
        return float((share[inside] / (_VOLUME_FACTOR * wanted**3)).sum() * whole.spacing**3)


# Mean volume of a tetrahedron over its wanted edge cubed, measured on HXT meshes (a regular one has 0.118).
_VOLUME_FACTOR = 0.105
#: A finer grid of sizes has at most this many nodes.
_FINE_NODES = 400_000


def size_field(arrangement: Arrangement, size: MeshSize, box: Bounds) -> tuple[SizeField, MeshSize]:
    """Edge lengths over a box, and the sizes used (changed where a number of elements was wanted)."""
    used = size
    if size.elements is not None:
        for _ in range(6):
            factor = (_field(arrangement, used, box).count(arrangement.domain) / size.elements) ** (1.0 / 3.0)
            used = replace(used, near=used.near * factor, far=used.far * factor)
    return _field(arrangement, used, box), used


def _field(arrangement: Arrangement, size: MeshSize, box: Bounds) -> SizeField:
    spacing = max(2.0, 1.2 * size.near, float((box[1] - box[0]).max()) / 220)
    whole = _grid(arrangement, size, box[0] - spacing, box[1] + spacing, spacing)
    fine = whole.values < 0.98 * size.near + size.growth * 2.0 * spacing
    fine &= whole.values < size.far
    shortest = size.near * min(size.edge, 1.0)
    if size.walls == "resolve" and arrangement.thin:
        shortest = min(shortest, WALL * min(arrangement.thin.values()))
    if arrangement.slender:
        shortest = min(shortest, SLENDER * min(arrangement.slender.values()))
    if not fine.any() or spacing <= shortest:
        return SizeField((whole,), size.near)
    at = np.argwhere(fine)
    lower, upper = whole.origin + spacing * (at.min(axis=0) - 1), whole.origin + spacing * (at.max(axis=0) + 1)
    step = max(0.75 * shortest, float((np.prod(upper - lower) / _FINE_NODES) ** (1 / 3)))
    if step > 0.8 * spacing:
        return SizeField((whole,), size.near)
    return SizeField((whole, _grid(arrangement, size, lower, upper, step)), size.near)


def _grid(arrangement: Arrangement, size: MeshSize, lower: Array, upper: Array, spacing: float) -> Grid:
    origin, shape = grid_points(lower, upper, spacing)
    nodes = node_coordinates(origin, shape, spacing)
    bounding = _Once({"": arrangement.domain, **{n: arrangement.solids[n] for n in arrangement.layers}}, nodes)
    values = _wanted(arrangement, size, nodes, bounding).reshape(shape)
    for name in arrangement.layers if size.layers else ():
        phi = bounding(name).reshape(shape)
        length = np.maximum(ROUND * _radius(phi, spacing), size.near)
        near = np.where(np.abs(phi) < 1.2 * spacing, length, np.inf)
        values = np.minimum(values, _spread(near, size.growth * spacing))
    return Grid(origin, spacing, values)


def _radius(phi: Array, spacing: float) -> Array:
    """Radius of curvature, mm, of the zero of a distance at the nodes (nx, ny, nz) of a grid near it.

    The root of the sum of the squares of both curvatures counts: R for a cylinder, 0.71 R for a sphere.
    """
    second = np.zeros(phi.shape)
    middle = (slice(1, -1),) * 3

    def at(step: NDArray[np.int64]) -> Array:
        return phi[tuple(slice(1 + s, n - 1 + s) for s, n in zip(step.tolist(), phi.shape, strict=True))]

    unit = np.eye(3, dtype=np.int64)
    for i in range(3):
        second[middle] += (at(unit[i]) - 2.0 * phi[middle] + at(-unit[i])) ** 2
        for j in range(i):
            one, other = unit[i] + unit[j], unit[i] - unit[j]
            second[middle] += 2.0 * (0.25 * (at(one) - at(other) - at(-other) + at(-one))) ** 2
    # A parallel surface outside a convex one is flatter by the distance, and one inside it sharper.
    return np.asarray(np.maximum(spacing**2 / np.maximum(np.sqrt(second), 1e-9) - phi, 0.0))


def _spread(values: Array, step: float) -> Array:
    """Lengths (nx, ny, nz) on a grid, and what they allow four nodes around them, growing by `step` a node."""
    result = values
    for _ in range(4):
        before, result = result, result.copy()
        for axis in range(3):
            low, high = np.moveaxis(result, axis, 0)[:-1], np.moveaxis(result, axis, 0)[1:]
            np.minimum(low, np.moveaxis(before, axis, 0)[1:] + step, out=low)
            np.minimum(high, np.moveaxis(before, axis, 0)[:-1] + step, out=high)
    return result


def _wanted(arrangement: Arrangement, size: MeshSize, points: Array, bounding: _Once) -> Array:
    """Edge length (n,) mm that the arrangement asks for at points (n, 3)."""
    result = np.full(len(points), float(size.far))
    reach = size.margin + (size.far - size.near * min(size.edge, 1.0)) / size.growth

    def lower_to(length: float | Array, distance: Array) -> None:
        np.minimum(result, length + size.growth * np.maximum(distance, 0.0), out=result)

    if arrangement.region is not None:
        # Widths, not places: the mesh must not depend on where in the region a body lies.
        shortest = min([size.near, *(SLENDER * width for width in arrangement.slender.values())])
        lower_to(shortest, _within(arrangement.region, points, reach) - size.margin)
    if arrangement.region is None:
        for name in arrangement.fine:
            phi = np.abs(_within(arrangement.solids[name], points, reach))
            lower_to(size.near, phi - size.margin)
            curve = np.hypot(phi, bounding(""))
            lower_to(size.near * min(size.edge, 1.0), curve - 0.5 * size.margin)
    for name, thickness in arrangement.thin.items() if size.walls == "resolve" else ():
        phi = np.abs(_within(arrangement.solids[name], points, reach))
        lower_to(min(WALL * thickness, size.near), phi - 2.0 * thickness)
    for name, width in slender_outside(arrangement).items():
        lower_to(min(SLENDER * width, size.near), _within(arrangement.solids[name], points, reach))
    for name in arrangement.layers if size.layers else ():
        inner, outer = bounding(name), bounding("")
        # Inside the layer, before and behind it: the sum of both distances, with their signs, is its thickness.
        layer = np.abs(inner - outer)
        away = np.maximum(np.maximum(outer, -inner), 0.0)
        lower_to(np.maximum(max(LAYER, min(LAYER * size.coarser, WHOLE)) * layer, size.near), away)
    return result


def slender_outside(arrangement: Arrangement) -> dict[str, float]:
    """Widths of the slender bodies that are not wholly inside the region of an arrangement; all where there is none.

    In the region only their widths count, not where they lie: meshes of variants are the same there.
    """
    region, found = arrangement.region, {}
    for name, width in arrangement.slender.items():
        if region is not None:
            solid = arrangement.solids[name]
            lower, upper = (np.asarray(bound, float) for bound in solid.bounds)
            spacing = max(0.25 * width, float(np.cbrt(np.prod(upper - lower) / 2e5)))
            points = node_coordinates(*grid_points(lower, upper, spacing), spacing)
            if not (region.distance(points[solid.distance(points) < 0.0]) > 0.0).any():
                continue
        found[name] = width
    return found


def _within(solid: Solid, points: Array, reach: float) -> Array:
    """Distance (n,) where the solid's box is nearer than `reach`; infinite elsewhere, without asking the solid."""
    result = np.full(len(points), np.inf)
    near = np.flatnonzero(box_distance(points, solid.bounds) < reach)
    result[near] = solid.distance(points[near])
    return result


class _Once:
    """Distances of solids at fixed points, each found when first asked for."""

    def __init__(self, solids: Mapping[str, Solid], points: Array) -> None:
        self._find: Callable[[str], Array] = lambda name: solids[name].distance(points)
        self._known: dict[str, Array] = {}

    def __call__(self, name: str) -> Array:
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]


def _shape(values: Array) -> tuple[int, int, int]:
    return (values.shape[0], values.shape[1], values.shape[2])
