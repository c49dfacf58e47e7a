"""What a figure of a bone shows: the corner tetrahedra, where they are cut open, and from where they are seen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.anatomy import Centreline, Frame
from femsim.mesh.mesh import Mesh
from femsim.view import geometry
from femsim.view.camera import Camera, looking
from femsim.view.geometry import Plane, Triangles

Floats = NDArray[np.float64]

#: The inner border of the cortex runs along the whole bone and says nothing about where to look.
_EVERYWHERE = ("endosteum", "canal")
#: Height of a close-up over its width, at least and at most.
_SLENDER = (1.2, 2.8)
#: Length of the arrow of the largest force over the height of the bone.
_REACH = 0.16


@dataclass(frozen=True, eq=False)
class Arrow:
    """A force or a moment to be drawn: its point of action (3,) mm, its vector (3,), and what to write beside it."""

    point: Floats
    vector: Floats
    label: str
    moment: bool = False


@dataclass(frozen=True, eq=False)
class Scene:
    """A mesh prepared for drawing. Every derived part is computed once and shared by all strategies.

    Attributes
    ----------
    mesh : Mesh
    frame : Frame
        Anatomical directions; "up" in every picture is proximal.
    plane : Plane
        Along the bone and through the middle of the lesion; what lies towards the viewer is cut away.
    whole, bare, close : Camera
        Cameras on the whole bone with its forces, on the bone alone, and on the lesion with everything put into it.
    arrows : tuple of Arrow
    held : (p,) int
        Nodes that are held, to be marked.
    tails, tips : (k, 3) float64
        Where each arrow begins and ends.
    """

    mesh: Mesh
    frame: Frame
    plane: Plane
    whole: Camera
    bare: Camera
    close: Camera
    arrows: tuple[Arrow, ...] = ()
    held: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    tails: Floats = field(default_factory=lambda: np.zeros((0, 3)))
    tips: Floats = field(default_factory=lambda: np.zeros((0, 3)))

    @cached_property
    def _tets(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return geometry.tetrahedra(self.mesh.cells, self.mesh.kind)

    @cached_property
    def outside(self) -> Triangles:
        """The surface of everything meshed."""
        return self._whole_cells(geometry.surface(self.mesh.points, self._tets[0]))

    @cached_property
    def opened(self) -> Triangles:
        """The same with the front half cut away."""
        return self._whole_cells(geometry.cut_open(self.mesh.points, self._tets[0], self.plane))

    def part(self, cells: NDArray[np.bool_]) -> Triangles:
        """The surface of a subset of cells (m,) bool."""
        tets, owner = self._tets
        return self._whole_cells(geometry.surface(self.mesh.points, tets, cells[owner]))

    @cached_property
    def centres(self) -> Floats:
        """Centres of the cells (m, 3), mm."""
        corners = self.mesh.cells[:, : 4 if self.mesh.kind.startswith("tet") else 8]
        centres: Floats = self.mesh.points[corners].mean(axis=1)
        return centres

    def _whole_cells(self, triangles: Triangles) -> Triangles:
        return replace(triangles, cell=self._tets[1][triangles.cell])


def scene(
    mesh: Mesh,
    frame: Frame,
    *,
    arrows: tuple[Arrow, ...] = (),
    held: ArrayLike = (),
    centreline: Centreline | None = None,
    direction: ArrayLike | None = None,
) -> Scene:
    """Choose cut and cameras for a bone.

    Parameters
    ----------
    mesh : Mesh
    frame : Frame
        Anatomical directions of the bone.
    arrows : tuple of Arrow
        Forces to be drawn with the whole bone.
    held : (p,) int
        Nodes that are held.
    centreline : Centreline, optional
        Axis of the canal; the long axis of the frame when left out.
    direction : (3,), optional
        Where the viewer stands. By default square to the plane through the axis and the lesion, on the anterior side
        (on the lateral side when that plane is sagittal).
    """
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    inserts = _inserts(mesh)
    focus = mesh.points[np.unique(mesh.cells[inserts])] if inserts.any() else mesh.points
    target = _target(mesh, frame)
    if direction is not None:
        back = np.asarray(direction, float)
    else:
        back = _viewpoint(frame, centreline, target) if inserts.any() else frame.anterior
    camera = looking(back, frame.proximal, (low + high) / 2)
    bare = camera.framing(mesh.points, margin=4.0)
    tails, tips = arrow_ends(arrows, bare.height, (low + high) / 2)
    whole = camera.framing(np.concatenate([mesh.points, tails, tips]), margin=4.0)
    return Scene(
        mesh=mesh,
        frame=frame,
        plane=Plane(target, camera.toward),
        whole=whole,
        bare=bare,
        close=_close_up(camera, focus, mesh.points),
        arrows=arrows,
        held=np.asarray(held, np.int64),
        tails=tails,
        tips=tips,
    )


def arrow_ends(arrows: tuple[Arrow, ...], bone_height: float, middle: Floats) -> tuple[Floats, Floats]:
    """Where the arrows begin and end, (k, 3) each, mm: as long as the force, or among moments the moment, is large.

    A force ends in its point of action. A moment lies outside the bone: it begins there where it points away from the
    `middle` (3,), else it ends there.
    """
    if not arrows:
        return np.zeros((0, 3)), np.zeros((0, 3))
    points = np.array([arrow.point for arrow in arrows], float)
    vectors = np.array([arrow.vector for arrow in arrows], float)
    turning = np.array([arrow.moment for arrow in arrows])
    for kind in (turning, ~turning):
        largest = np.linalg.norm(vectors[kind], axis=1).max(initial=0.0)
        vectors[kind] *= _REACH * bone_height / largest if largest > 0 else 0.0
    away = (turning & (np.einsum("ij,ij->i", vectors, points - middle) > 0.0))[:, None]
    return np.where(away, points, points - vectors), np.where(away, points + vectors, points)


def _inserts(mesh: Mesh) -> NDArray[np.bool_]:
    """Cells in a lesion, cement or device."""
    chosen = np.zeros(len(mesh.cells), bool)
    for name in mesh.solids:
        if name not in _EVERYWHERE:
            chosen |= mesh.inside(name)
    return chosen


def _target(mesh: Mesh, frame: Frame) -> Floats:
    """The middle of the lesion, or of what was put into the bone, or of the bone."""
    chosen = np.zeros(len(mesh.cells), bool)
    for name in mesh.solids:
        if name.startswith("lesion"):
            chosen |= mesh.inside(name)
    if not chosen.any():
        chosen = _inserts(mesh)
    points = mesh.points[np.unique(mesh.cells[chosen])] if chosen.any() else mesh.points
    return (points.min(axis=0) + points.max(axis=0)) / 2


def _viewpoint(frame: Frame, centreline: Centreline | None, target: Floats) -> Floats:
    """Square to the plane through `target` and the bone's axis at its level, which a bowed canal follows longest."""
    on_axis, axis = frame.origin, frame.proximal
    if centreline is not None:
        along = np.linspace(centreline.fractions[0], centreline.fractions[-1], 200)
        nearest = along[np.argmin(np.abs((centreline.point(along) - target) @ frame.proximal))]
        on_axis, axis = centreline.point(nearest), centreline.tangent(nearest)
    out = target - on_axis
    out = out - (out @ axis) * axis
    if np.linalg.norm(out) < 1.0:  # mm: on the axis, every plane through it is as good
        return frame.anterior
    back = np.cross(axis, out / np.linalg.norm(out))
    aside = frame.anterior if abs(back @ frame.anterior) > 0.3 else frame.lateral
    return back if back @ aside > 0 else -back


def _close_up(camera: Camera, focus: Floats, everything: Floats) -> Camera:
    """Frame `focus` and the whole width of the bone beside it."""
    height = camera.framing(focus, margin=12.0)
    level = camera.project(everything)[:, 1]
    near = np.abs(level - camera.project(height.centre[None])[0, 1]) <= height.height / 2
    framed = camera.framing(everything[near] if near.any() else everything, margin=4.0)
    high = float(np.clip(height.height, _SLENDER[0] * framed.width, _SLENDER[1] * framed.width))
    middle = framed.centre + ((height.centre - framed.centre) @ camera.up) * camera.up
    return replace(framed, centre=middle, height=high)
