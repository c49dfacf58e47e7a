"""What a mesh is worth, and the gate that bad ones do not pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from femsim.errors import MeshError
from femsim.mesh._curve_kernels import jacobians, sample_gradients
from femsim.mesh._gather_kernels import sums
from femsim.mesh._shape import all_sicn
from femsim.mesh.mesh import Mesh
from femsim.mesh.topology import _tetrahedra, neighbours

WORST = 0.1  # SICN below which an element spoils the stresses around it and the gate closes


@dataclass(frozen=True, eq=False)
class Quality:
    """Quality figures of a mesh of tetrahedra.

    Attributes
    ----------
    sicn : (m,) float64
        Signed inverse condition number of the straight element; 1 is regular, 0 flat.
    worst, worst_cell, worst_place : float, int, (3,) mm
        The smallest and where it is.
    above_quarter : float
        Share of elements with SICN above 0.25.
    jacobian : float
        Smallest Jacobian at a quadrature point over that of the straight element.
    volumes : mapping of int to float
        Volume of every compartment (by mask), mm3, with curved edges.
    """

    sicn: NDArray[np.float64]
    worst: float
    worst_cell: int
    worst_place: NDArray[np.float64]
    above_quarter: float
    jacobian: float
    volumes: Mapping[int, float]

    def __str__(self) -> str:
        x, y, z = self.worst_place
        return (
            f"{len(self.sicn)} elements, SICN worst {self.worst:.3f} at ({x:.1f}, {y:.1f}, {z:.1f}) mm, "
            f"5 % below {np.quantile(self.sicn, 0.05):.2f}, {100 * self.above_quarter:.2f} % above 0.25, "
            f"Jacobian ratio at least {self.jacobian:.2f}"
        )


def cell_volumes(mesh: Mesh) -> NDArray[np.float64]:
    """Volume (m,) of tetrahedra with their curved edges, mm3."""
    if mesh.kind == "tet10":
        gradients, inner = sample_gradients()
        return jacobians(mesh.points, mesh.cells, gradients[:inner]).sum(axis=1) / 24.0
    corner = mesh.points[_tetrahedra(mesh)]
    return _six_volumes(corner) / 6.0


def quality(mesh: Mesh) -> Quality:
    """Quality figures of a mesh of tet4 or tet10 elements.

    Raises
    ------
    MeshError
        If the mesh is empty, a coordinate is not finite, or it has other elements.
    """
    cells = _tetrahedra(mesh)
    if len(cells) == 0:
        raise MeshError("The mesh has no elements.", "There is nothing to solve.", "Check the domain.")
    if not np.isfinite(mesh.points).all():
        node = int(np.flatnonzero(~np.isfinite(mesh.points).all(axis=1))[0])
        raise MeshError(f"Node {node} has a coordinate that is not a number.", "It lies nowhere.", "Mend the mesh.")
    sicn = all_sicn(mesh.points, cells)
    ratio = 1.0
    if mesh.kind == "tet10":
        gradients, inner = sample_gradients()
        flat = _six_volumes(mesh.points[cells])
        at_points = jacobians(mesh.points, mesh.cells, gradients[:inner])
        found, volume = at_points.min(axis=1), at_points.sum(axis=1) / 24.0
        ratio = float((found / np.where(flat > 0, flat, 1e-300)).min()) if (flat > 0).all() else float(flat.min())
    else:
        volume = cell_volumes(mesh)
    cell = int(sicn.argmin())
    mask = mesh.compartment if len(mesh.compartment) else np.zeros(len(cells), np.int64)
    return Quality(
        sicn,
        float(sicn[cell]),
        cell,
        mesh.points[cells[cell]].mean(axis=0),
        float((sicn > 0.25).mean()),
        ratio,
        sums(np.asarray(mask, np.int64), volume),
    )


_known: WeakKeyDictionary[Mesh, Mapping[str, float]] = WeakKeyDictionary()


def in_short(mesh: Mesh) -> Mapping[str, float]:
    """Number of elements, worst SICN and share of SICN above 0.25; worked out once for a mesh that many cases share.

    Raises
    ------
    MeshError
        As `quality`.
    """
    if mesh not in _known:
        found = quality(mesh)
        _known[mesh] = {
            "elements": len(mesh.cells), "worst_sicn": found.worst, "share_above_quarter": found.above_quarter,
        }  # fmt: skip
    return _known[mesh]


def check(mesh: Mesh, worst: float = WORST, faces: bool = True) -> Quality:
    """Quality of a mesh, refused where an element is unsound; without `faces`, these are not looked at.

    Raises
    ------
    MeshError
        With the place of the worst element: turned over, flatter than `worst`, negative at a quadrature point; or
        if faces are shared by more than two elements.
    """
    found = quality(mesh)
    x, y, z = found.worst_place
    place = f"element {found.worst_cell} at ({x:.2f}, {y:.2f}, {z:.2f}) mm"
    if found.worst < worst:
        raise MeshError(
            f"The worst shape, {place}, has SICN {found.worst:.3f}, below {worst:g}.",
            "Stresses around it would be wrong.",
            "Use a smaller mesh.near, or move the solids that nearly touch there.",
        )
    if found.jacobian <= 0:
        raise MeshError(
            f"A curved element is turned over at a quadrature point (Jacobian ratio {found.jacobian:.3f}).",
            "Its stiffness would be negative.",
            "Use mesh.curved = false or a smaller mesh.near.",
        )
    if faces:
        neighbours(_tetrahedra(mesh))
    return found


def _six_volumes(corner: NDArray[np.float64]) -> NDArray[np.float64]:
    a = corner[:, 0]
    return np.einsum("ij,ij->i", np.cross(corner[:, 1] - a, corner[:, 2] - a), corner[:, 3] - a)
