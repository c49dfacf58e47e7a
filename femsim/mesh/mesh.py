"""The mesh that travels between the rooms: points, cells, and the set of solids every cell lies in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from femsim.show import boxed

NODES_PER_CELL = {"tet4": 4, "tet10": 10, "hex8": 8, "hex20": 20}

_EMPTY: Mapping[str, NDArray[np.int64]] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Mesh:
    """A conforming mesh whose cells know which solids they lie in.

    Attributes
    ----------
    points : (n, 3) float64
        Node coordinates, mm.
    cells : (m, k) int
        Nodes of every cell, in VTK order (for tet10 that is also the order of Abaqus and CalculiX C3D10).
    kind : {"tet10", "tet4", "hex8", "hex20"}
        Element shape.
    solids : tuple of str
        Names of the solids, in bit order.
    compartment : (m,) int64
        Bit ``i`` is set where the cell lies inside ``solids[i]``. A compartment is one value of this mask.
    node_sets : mapping of str to (p,) int
        Named nodes.
    face_sets : mapping of str to (f, 2) int
        Named faces as (cell, local face) pairs.
    fractions : mapping of str to (m,) float64
        For solids that were homogenised, the share of every cell's volume that they take (a wall without its lumen).
    notes : tuple of str
        What the mesher has to report: parts homogenised or merged, volumes corrected. Never empty when something
        asked for is not in the mesh.
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    kind: str = "tet10"
    solids: tuple[str, ...] = ()
    compartment: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    node_sets: Mapping[str, NDArray[np.int64]] = field(default_factory=lambda: _EMPTY)
    face_sets: Mapping[str, NDArray[np.int64]] = field(default_factory=lambda: _EMPTY)
    fractions: Mapping[str, NDArray[np.float64]] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()

    def inside(self, solid: str) -> NDArray[np.bool_]:
        """Cells that lie inside a named solid, (m,) bool."""
        return (self.compartment >> self.solids.index(solid)) & 1 == 1

    def names_of(self, mask: int) -> tuple[str, ...]:
        """Names of the solids in one compartment mask."""
        return tuple(name for i, name in enumerate(self.solids) if mask >> i & 1)

    def __str__(self) -> str:
        size = np.ptp(self.points, axis=0) if len(self.points) else np.zeros(3)
        lines = [
            f"Mesh: {len(self.points)} nodes, {len(self.cells)} {self.kind}, {3 * len(self.points)} unknowns",
            f"  box {size[0]:.5g} x {size[1]:.5g} x {size[2]:.5g} mm",
        ]
        masks, counts = np.unique(self.compartment, return_counts=True)
        for mask, count in zip(masks, counts, strict=True):
            lines.append(f"  {', '.join(self.names_of(int(mask))) or 'in no solid'}: {count} elements")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        return boxed(self)
