"""A strategy as PyVista draws it: what is shown of it, its surface and cut, its principal directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.mesh import Mesh
from femsim.view import geometry
from femsim.view.geometry import Plane

if TYPE_CHECKING:
    import pyvista as pv

Floats = NDArray[np.float64]

#: Cuts by name: "none", or the normal of the plane; "lesion" lies along the bone and through the lesion.
CUTS = ("lesion", "anterior", "lateral", "proximal", "none")
#: Principal directions drawn in one strategy at most; more cannot be told apart.
_DIRECTIONS = 350


@dataclass(frozen=True, eq=False)
class Panel:
    """One strategy to be shown: its mesh, its fields, the names of its materials."""

    name: str
    label: str
    mesh: Mesh
    fields: Mapping[str, NDArray[Any]]
    materials: tuple[str, ...] = ()

    @cached_property
    def material(self) -> NDArray[np.int64]:
        """Row of `materials` of every cell; zeros where the strategy does not tell."""
        return np.asarray(self.fields.get("material", np.zeros(len(self.mesh.cells))), np.int64)


@dataclass(frozen=True)
class Choice:
    """What is shown.

    Attributes
    ----------
    field : str
        A field of the strategies, or "material".
    cut : str
        One of `CUTS`.
    depth : float
        Where the cut lies: 0 and 1 are the ends of the bone along its normal, 0.5 is the lesion.
    deformation : float
        Factor by which the displacement is drawn.
    hidden : tuple of str
        Materials that are not shown.
    difference : bool
        Show the field of every strategy less that of the first one.
    directions : bool
        Draw the principal directions of stress: tension and compression.
    """

    field: str = "risk"
    cut: str = "lesion"
    depth: float = 0.5
    deformation: float = 0.0
    hidden: tuple[str, ...] = ()
    difference: bool = False
    directions: bool = False


def polydata(triangles: geometry.Triangles, colours: Floats) -> pv.PolyData:
    """Triangles for PyVista with the cell that each belongs to; colours (m, 3) of the cells, 0 to 1."""
    import pyvista as pv

    count = len(triangles)
    faces = np.hstack([np.full((count, 1), 3), np.arange(3 * count).reshape(-1, 3)]).ravel()
    data = pv.PolyData(triangles.corners.reshape(-1, 3), faces)
    data.cell_data["colour"] = np.round(255 * colours[triangles.cell]).astype(np.uint8)
    data.cell_data["cell"] = triangles.cell
    if triangles.normals.any():
        data.point_data["Normals"] = triangles.normals.reshape(-1, 3).astype(np.float32)
        data.GetPointData().SetActiveNormals("Normals")
    return data


def drawn(panel: Panel, plane: Plane | None, choice: Choice) -> dict[str, geometry.Triangles]:
    """The outside of what is shown, and the face of the cut."""
    tets, owner = geometry.tetrahedra(panel.mesh.cells, panel.mesh.kind)
    chosen = None
    if choice.hidden:
        hidden = [i for i, name in enumerate(panel.materials) if name in choice.hidden]
        chosen = ~np.isin(panel.material, hidden)[owner]
    points = panel.mesh.points
    if choice.deformation and "displacement" in panel.fields:
        points = points + choice.deformation * np.asarray(panel.fields["displacement"], float)
    outside = geometry.surface(points, tets, chosen)
    if plane is None:
        empty = geometry.Triangles(np.zeros((0, 3, 3)), np.zeros((0, 3, 3)), np.zeros(0, np.int64))
        parts = {"outside": outside, "cut": empty}
    else:
        parts = {"outside": geometry.clip(outside, plane), "cut": geometry.section(points, tets, plane, chosen)}
    return {name: geometry.Triangles(one.corners, one.normals, owner[one.cell]) for name, one in parts.items()}


def principal_lines(panel: Panel, base: geometry.Triangles) -> dict[str, pv.PolyData]:
    """Lines along the largest principal stress where it is tension and the smallest where it is compression.

    They stand in cells picked evenly from `base`, as long as the stress is large; the longest is 4 % of the bone.
    """
    import pyvista as pv

    cells = np.unique(base.cell)
    if len(cells) > _DIRECTIONS:
        cells = cells[np.linspace(0, len(cells) - 1, _DIRECTIONS).astype(int)]
    if len(cells) == 0:
        return {}
    values, vectors = fem.principal(np.asarray(panel.fields["stress"], float)[cells])
    corners = panel.mesh.cells[cells][:, : 4 if panel.mesh.kind.startswith("tet") else 8]
    centres = panel.mesh.points[corners].mean(axis=1)
    largest = float(np.percentile(np.abs(values), 98)) or 1.0
    reach = 0.04 * float(np.ptp(panel.mesh.points, axis=0).max()) / largest
    found = {}
    for kind, which, sign in (("tension", 2, 1.0), ("compression", 0, -1.0)):
        there = sign * values[:, which] > 0.02 * largest
        if not there.any():
            continue
        half = 0.5 * reach * np.minimum(np.abs(values[there, which]), largest)[:, None] * vectors[there][:, :, which]
        ends = np.stack([centres[there] - half, centres[there] + half], axis=1).reshape(-1, 3)
        lines = np.hstack([np.full((there.sum(), 1), 2), np.arange(len(ends)).reshape(-1, 2)]).ravel()
        found[kind] = pv.PolyData(ends, lines=lines)
    return found
