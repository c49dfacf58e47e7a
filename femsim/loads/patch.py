"""Which nodes of the outer surface a load or a roller acts on, and with what weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from femsim.errors import GeometryError, InputError, MeshError
from femsim.fem.elements import element
from femsim.fem.forces import face_areas
from femsim.loads.load_case import Position
from femsim.loads.places import ahead, crown, foot
from femsim.mesh.mesh import Mesh

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A landmark further than this from the outer surface, mm, is not a landmark of this mesh.
FAR = 25.0
#: Round a landmark, how far a ground contact is searched, mm.
CONTACT_SEARCH = 40.0
#: Radius over which a ground or a roller is pressed on to find the place where it touches, over that of the patch. On a
#: femur's trochanter this place lies 0.7 mm from the lowest point, and the same to 0.1 mm on meshes of 3.4 to 5.6 mm.
PRESSED = 0.5
# Triangles into which a face is divided, by its number of nodes.
_PARTS = {
    3: [[0, 1, 2]],
    4: [[0, 1, 2], [0, 2, 3]],
    6: [[0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5]],
    8: [[0, 4, 7], [4, 1, 5], [5, 2, 6], [6, 3, 7], [4, 5, 6], [4, 6, 7]],
}
#: Thickness of the slice in which the flat end of a cut bone or tube is found, mm.
FLAT = 1e-3


class BoneLike(Protocol):
    """What a load needs to know of a bone (`femsim.anatomy.Bone` has it)."""

    @property
    def kind(self) -> str: ...
    @property
    def length(self) -> float: ...
    @property
    def landmarks(self) -> Mapping[str, Floats]: ...
    @property
    def frame(self) -> Any: ...
    @property
    def centreline(self) -> Any: ...

    def fraction(self, points: Floats) -> Floats:
        """Position along the bone, 0 distal to 1 proximal."""


@dataclass(frozen=True, eq=False)
class Skin:
    """The outer surface of a mesh as nodes with areas.

    Attributes
    ----------
    nodes : (p,) int64
    points : (p, 3) float64
        mm.
    area, cortical : (p,) float64
        Share of the surface that belongs to each node, mm2: of all faces, and of faces of cortical cells only.
    corners : (t, 3, 3) float64
        Flat triangles of the surface, mm; faces with mid-side nodes are divided at them.
    """

    nodes: Ints
    points: Floats
    area: Floats
    cortical: Floats
    corners: Floats


def skin(mesh: Mesh) -> Skin:
    """Nodes and areas of the outer surface.

    Areas are shares of the shape functions, so that equal pressure is reproduced exactly; where a share is negative
    (the corners of eight-node faces) the face is split evenly.

    Raises
    ------
    MeshError
        If the mesh has no face set ``boundary``.
    """
    faces = mesh.face_sets.get("boundary")
    if faces is None or not len(faces):
        raise MeshError(
            "The mesh has no face set 'boundary'.",
            "Loads act on the outer surface.",
            "Give the outer faces as (cell, local face) pairs under that name.",
        )
    kind = element(mesh.kind)
    _, area, nodes = face_areas(faces, mesh.points, mesh.cells, kind)
    share = np.einsum("fq,qa->fa", area, kind.face.values)
    uneven = share.min(axis=1) < -1e-9 * share.sum(axis=1)
    share[uneven] = share[uneven].mean(axis=1, keepdims=True)
    share = np.maximum(share, 0.0)
    bare = mesh.compartment[faces[:, 0]] == 0 if len(mesh.compartment) else np.ones(len(faces), bool)
    total, cortical = np.zeros(len(mesh.points)), np.zeros(len(mesh.points))
    np.add.at(total, nodes, share)
    np.add.at(cortical, nodes[bare], share[bare])
    outer = np.unique(nodes)
    flat = mesh.points[nodes[:, _PARTS[nodes.shape[1]]].reshape(-1, 3)]
    return Skin(outer, mesh.points[outer], total[outer], cortical[outer], flat)


@dataclass(frozen=True, eq=False)
class Spot:
    """Nodes of a patch, their weights (mm2, > 0), and the point on which the load acts, mm."""

    nodes: Ints
    weights: Floats
    point: Floats


def find(
    what: str, at: str | Position, patch: str, radius: float, extent: float, push: Floats, bone: BoneLike, outer: Skin
) -> Spot:
    """The patch of a load.

    Parameters
    ----------
    what : str
        For messages.
    at, patch, radius, extent
        As of a `LoadItem`.
    push : (3,) float64
        Direction of the force or of the ground, in the coordinates of the mesh.
    bone : Bone
        Landmarks and frame.
    outer : Skin
        Surface of the mesh.

    Raises
    ------
    GeometryError
        If the patch catches no node or its landmark lies far from the surface.
    InputError
        If the bone has no such landmark.
    """
    if patch == "end":
        return _end(what, str(at), extent, bone, outer)
    place = _place(what, at, bone, outer)
    if patch == "cap":
        centre = _pressed(place, push, outer)
        point = place
    elif patch == "contact":
        centre = point = _lowest(what, place, push, radius, outer)
    else:
        centre = point = _nearest(what, place, outer)
    return round_patch(what, centre, radius, point, outer)


def round_patch(what: str, centre: Floats, radius: float, point: Floats, outer: Skin) -> Spot:
    """Surface nodes within `radius` mm of a point of the surface; cortical faces where there are any."""
    near = np.linalg.norm(outer.points - centre, axis=1) <= radius
    return _spot(what, near, point, outer, f"within {radius:g} mm of {np.round(centre, 1)}")


def _spot(what: str, near: NDArray[np.bool_], point: Floats, outer: Skin, where: str) -> Spot:
    # Soft cells at the surface (an open canal, a lesion that breaches) carry no load that is put on bone.
    for weight in (outer.cortical, outer.area):
        chosen = near & (weight > 0.0)
        if np.count_nonzero(chosen) >= 3:
            return Spot(outer.nodes[chosen], weight[chosen], np.asarray(point, float))
    raise GeometryError(
        f"The load {what!r} catches {np.count_nonzero(near)} nodes of the surface {where}; three are needed.",
        "A force must act on something.",
        "Use smaller elements there, or a larger patch.",
    )


def end_nodes(end: str, extent: float, bone: BoneLike, points: Floats) -> NDArray[np.bool_]:
    """Points (n,) within `extent` percent of the length from an end of the bone.

    A tube has flat ends: only those count, whatever the extent.
    """
    along = bone.fraction(points) * bone.length
    lowest, highest = float(along.min()), float(along.max())
    if bone.kind == "tube":  # one node that lies micrometres out of the plane may not stand for the whole end
        lowest, highest = max(lowest, 0.0), min(highest, bone.length)
    depth = FLAT if bone.kind == "tube" else extent / 100.0 * bone.length
    return np.asarray(along <= lowest + depth if end == "distal" else along >= highest - depth)


def _end(what: str, at: str, extent: float, bone: BoneLike, outer: Skin) -> Spot:
    end = at.removesuffix("_end")
    if end not in ("distal", "proximal"):
        raise InputError(
            f"The load {what!r} is on the end {at!r}.", "A bone has two.", 'Use "proximal_end" or "distal_end".'
        )
    near = end_nodes(end, extent, bone, outer.points)
    point = bone.centreline.point(0.0 if end == "distal" else 1.0)
    return _spot(what, near, point, outer, f"in the {end} {extent:g} % of the bone")


def _place(what: str, at: str | Position, bone: BoneLike, outer: Skin) -> Floats:
    if isinstance(at, Position):
        towards = bone.frame.direction(at.direction)
        return ahead(bone.centreline.point(at.position / 100.0), towards, outer.corners)
    return landmark(what, at, bone)


def landmark(what: str, at: str, bone: BoneLike) -> Floats:
    """A landmark (3,) mm of the bone, by its name.

    Raises
    ------
    InputError
        If the bone does not have it.
    """
    if at not in bone.landmarks:
        raise InputError(
            f"The load {what!r} acts on {at!r}, which this {bone.kind} does not have.",
            "Without the landmark the force has no place.",
            f"It has {', '.join(bone.landmarks) or 'no landmarks'}; choose another load.",
        )
    return np.asarray(bone.landmarks[at], float)


def surface_towards(fraction: float, towards: Floats, radius: float, bone: BoneLike, outer: Skin) -> Floats:
    """Where a roller that is pressed on from a direction touches the surface at a position along the bone; (3,) mm.

    No farther than the radius of its patch from the level.
    """
    away = np.abs(bone.fraction(outer.corners.mean(axis=1)) - fraction) * bone.length
    # the slice must hold some of the surface whatever the element size
    for width in (radius, 2.0 * radius, 4.0 * radius):
        share = np.maximum(1.0 - away / width, 0.0)
        near = share > 0.0
        if np.count_nonzero(near) >= 24:
            break
    else:
        raise GeometryError(
            f"The mesh has no surface at {fraction:.0%} of the bone.",
            "A load or roller stands there.",
            "Check that the mesh covers the whole bone.",
        )
    corners = outer.corners[near]
    return _onto(crown(corners, towards, np.pi * (PRESSED * radius) ** 2, share[near]), corners)


def _nearest(what: str, place: Floats, outer: Skin) -> Floats:
    """The point of the surface nearest to a place.

    Not its nearest node: where a force acts must not depend on the mesh. Two millimetres at the trochanter changed the
    bending moment of the shaft by 1.2 %.
    """
    distance = np.linalg.norm(outer.points - place, axis=1)
    nearest = float(distance.min())
    if nearest > FAR:
        raise off_surface(what, place, nearest)
    return foot(place, outer.corners, nearest)


def _pressed(centre: Floats, push: Floats, outer: Skin) -> Floats:
    """Where a force through the centre of a joint head presses on its surface."""
    offset = outer.points - centre
    distance = np.linalg.norm(offset, axis=1)
    if distance.min() > 2.0 * FAR:
        raise off_surface("joint", centre, float(distance.min()))
    into = -offset @ (push / np.linalg.norm(push)) / np.maximum(distance, 1e-9)
    # the head itself: not the trochanter or the shaft, which lie further away in the same direction
    on_head = distance <= 1.5 * np.percentile(distance[np.argsort(distance)[:50]], 50)
    return outer.points[int(np.argmax(np.where(on_head, into, -2.0)))]


def _lowest(what: str, place: Floats, ground: Floats, radius: float, outer: Skin) -> Floats:
    """Where the surface near a place touches the ground."""
    near = outer.corners[np.linalg.norm(outer.corners.mean(axis=1) - place, axis=1) <= CONTACT_SEARCH]
    if not len(near):
        raise off_surface(what, place, float(np.linalg.norm(outer.points - place, axis=1).min()))
    return _onto(crown(near, ground / np.linalg.norm(ground), np.pi * (PRESSED * radius) ** 2), near)


def _onto(place: Floats, corners: Floats) -> Floats:
    """The point of triangles (t, 3, 3) nearest to a place (3,)."""
    return foot(place, corners, float(np.linalg.norm(corners[:, 0] - place, axis=1).min()))


def off_surface(what: str, place: Floats, distance: float) -> GeometryError:
    """The error for a landmark that does not belong to the mesh."""
    return GeometryError(
        f"The landmark of the load {what!r} at {np.round(place, 1)} is {distance:.0f} mm from the surface of the mesh.",
        "Bone and mesh do not belong together, or the landmark is wrong.",
        "Check the landmarks of the bone.",
    )
