"""What is solved: mesh arrays, material, supports and load cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.fem.elasticity import axial_modulus
from femsim.fem.elements import Element, element
from femsim.fem.loads import Load
from femsim.fem.material import Material
from femsim.fem.supports import Support
from femsim.show import boxed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Model:
    """A linear-elastic problem with one or several load cases. mm, N, MPa.

    Parameters
    ----------
    points : (n, 3) float64
        Nodes, mm.
    cells : (m, k) int
        Nodes of every cell, VTK order.
    material : Material
        Stiffness at every quadrature point.
    supports : sequence of Support
        Fixed displacements, equations, couplings and ties; the same in every load case.
    loads : mapping of str to sequence of Load
        Load cases by name. A single sequence is taken as the case "load".
    element : str
        "tet4", "tet10", "hex8", "hex20" or "hex20r".

    Raises
    ------
    InputError
        If shapes or node numbers do not agree, or a value is not finite.
    """

    points: Floats
    cells: Ints
    material: Material
    supports: Sequence[Support] = ()
    loads: Mapping[str, Sequence[Load]] = field(default_factory=dict)
    element: str = "tet10"

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "points", np.ascontiguousarray(self.points, np.float64))
        set_(self, "cells", np.ascontiguousarray(self.cells, np.int64))
        set_(self, "supports", tuple(self.supports))
        cases = self.loads if isinstance(self.loads, Mapping) else {"load": self.loads}
        set_(self, "loads", MappingProxyType({name: tuple(case) for name, case in cases.items()}))
        self._check()

    def _check(self) -> None:
        shape = element(self.element)
        if self.points.ndim != 2 or self.points.shape[1] != 3 or len(self.points) == 0:
            raise InputError(
                f"points has shape {self.points.shape}.", "Nodes are (n, 3) coordinates in mm.", "Correct the array."
            )
        if self.cells.ndim != 2 or self.cells.shape[1] != shape.size or len(self.cells) == 0:
            raise InputError(
                f"cells has shape {self.cells.shape}, but a {self.element} has {shape.size} nodes.",
                "Every row of cells is one element.",
                f"Give (m, {shape.size}), or the right element name.",
            )
        outside = np.argwhere((self.cells < 0) | (self.cells >= len(self.points)))
        if len(outside):
            row = int(outside[0, 0])
            raise InputError(
                f"Cell {row} names node {self.cells[tuple(outside[0])]}, but there are {len(self.points)} nodes.",
                "A cell must be made of nodes of the mesh.",
                "Check that nodes are counted from 0.",
            )
        broken = np.flatnonzero(~np.isfinite(self.points).all(axis=1))
        if len(broken):
            raise InputError(
                f"Node {broken[0]} has coordinates {self.points[broken[0]]} ({len(broken)} nodes are not finite).",
                "Every result would become NaN.",
                "Repair the mesh.",
            )
        self._check_sizes(shape)

    def _check_sizes(self, shape: Element) -> None:
        m, n, scale = len(self.cells), len(self.points), self.material.scale
        if len(self.material.index) != m:
            raise InputError(
                f"The material is given for {len(self.material.index)} cells, the mesh has {m}.",
                "Every cell needs a material.",
                "Give Material.index with one entry per cell.",
            )
        if scale is not None and scale.ndim == 2 and scale.shape[1] not in (1, shape.points):
            raise InputError(
                f"Material.scale has {scale.shape[1]} values per cell; a {self.element} has {shape.points} "
                "quadrature points.",
                "The modulus lives at quadrature points.",
                f"Give (m,) or (m, {shape.points}), evaluated at quadrature_points(...).",
            )
        temperature = self.material.temperature
        if temperature is not None and temperature.shape != (n,):
            raise InputError(
                f"Material.temperature has shape {temperature.shape}; the mesh has {n} nodes.",
                "It is given at the nodes.",
                f"Give ({n},).",
            )

    @property
    def unknowns(self) -> int:
        """Three per node, before supports."""
        return 3 * len(self.points)

    def __str__(self) -> str:
        shape = element(self.element)
        blocks = len(self.points) * (28 if shape.order == 2 else 15)
        corner = self.points[self.cells[:, : shape.size - len(shape.edges)]]
        lines = [
            f"Model: {len(self.points)} nodes, {len(self.cells)} {self.element}, {self.unknowns} unknowns, "
            f"{len(self.supports)} supports, {len(self.loads)} load cases "
            f"({', '.join(self.loads) or 'none'}), matrix about {blocks * 76 / 2**30:.2f} GiB",
            f"  box {np.array2string(np.ptp(self.points, axis=0), precision=4)} mm",
        ]
        size = np.ptp(corner, axis=1).max(axis=1)
        moduli = axial_modulus(self.material.base)
        scale = self.material.scale_table()
        for i, modulus in enumerate(moduli):
            mine = self.material.index == i
            if not mine.any():
                continue
            part = scale[mine] if len(scale) > 1 else scale
            low, high = part.min() * modulus, part.max() * modulus
            span = f"{low:.5g}" if np.isclose(low, high) else f"{low:.5g} to {high:.5g}"
            lines.append(
                f"  material {i}: {int(mine.sum())} cells, {self._volume(mine):.6g} mm3, E (axis 3) {span} MPa, "
                f"cell size up to {size[mine].max():.3g} mm"
            )
        return "\n".join(lines)

    def _volume(self, cells: NDArray[np.bool_]) -> float:
        return float(quadrature_volumes(self.points, self.cells[cells], self.element).sum())

    def _repr_html_(self) -> str:
        return boxed(self)


def quadrature_points(points: Floats, cells: Ints, name: str) -> Floats:
    """Places of the quadrature points, (m, q, 3), mm: where a modulus that varies in space is evaluated."""
    return np.einsum("qa,max->mqx", element(name).values, points[cells])


def quadrature_volumes(points: Floats, cells: Ints, name: str) -> Floats:
    """Quadrature volumes (m, q), mm3; their sum is the volume of the mesh. Not positive in inverted cells."""
    from femsim.fem import kernels

    shape = element(name)
    out = np.empty((len(cells), shape.points))
    cells = np.ascontiguousarray(cells, np.int64)
    kernels.volumes(points, cells, shape.gradients, shape.weights, np.arange(len(cells)), out)
    return out
