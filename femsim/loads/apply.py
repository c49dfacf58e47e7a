"""Putting a load case on a mesh by the landmarks and the frame of its bone."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from femsim.errors import FemsimWarning, InputError
from femsim.fem.supports import Fixed
from femsim.loads.applied import Applied, Patch
from femsim.loads.bench import bench
from femsim.loads.load_case import GRAVITY, LoadCaseData, LoadItem, Pin, Roller, get, load_cases
from femsim.loads.patch import FAR, BoneLike, Skin, end_nodes, find, landmark, off_surface, skin
from femsim.mesh.mesh import Mesh

Floats = NDArray[np.float64]


def apply(case: LoadCaseData | str, bone: BoneLike, mesh: Mesh, body_mass: float = 75.0) -> Applied:
    """Supports and loads of a load case on the mesh of a bone.

    Parameters
    ----------
    case : LoadCaseData or str
        From the library or by its name.
    bone : Bone
        Frame, landmarks and centreline; any kind the case is meant for.
    mesh : Mesh
        With the face set ``boundary``.
    body_mass : float
        kg; body weight is 9.80665 m/s2 times it.

    Returns
    -------
    Applied
        Nodal forces are statically equivalent to the forces and moments asked for, to rounding.

    Raises
    ------
    InputError
        If the body mass is not possible, the case is not for this bone, or a landmark is missing.
    GeometryError
        If a patch catches no node.
    MeshError
        If the mesh has no outer surface.
    """
    chosen = get(case) if isinstance(case, str) else case
    check_fits(chosen, bone, body_mass)
    outer = skin(mesh)
    if chosen.bench is not None:
        applied = bench(chosen, bone, mesh, outer)
    else:
        applied = _forces(chosen, bone, mesh, outer, body_mass)
    excluded = _excluded(mesh, applied, chosen.exclude)
    _warn_lesion(mesh, excluded, chosen)
    return replace(applied, excluded=excluded, body_weight=body_mass * GRAVITY, exclude=chosen.exclude)


def check_fits(case: LoadCaseData, bone: BoneLike, body_mass: float) -> None:
    """Make sure, before there is a mesh, that a load case is meant for a bone and a body mass is possible.

    Raises
    ------
    InputError
        If it is not.
    """
    if not (math.isfinite(body_mass) and 1.0 <= body_mass <= 500.0):
        raise InputError(
            f"body_mass = {body_mass!r} kg is not possible.",
            "Forces are given in body weights.",
            "Give the mass of the patient in kg, 1 to 500.",
        )
    if bone.kind not in case.bones:
        fitting = ", ".join(name for name, one in load_cases().items() if bone.kind in one.bones)
        raise InputError(
            f"The load {case.name!r} is for {' or '.join(case.bones)}, not for a {bone.kind}.",
            "Its forces act on landmarks that this bone does not have.",
            f"For a {bone.kind} use {fitting or 'a load case of your own'}.",
        )


def _forces(case: LoadCaseData, bone: BoneLike, mesh: Mesh, outer: Skin, body_mass: float) -> Applied:
    patches = tuple(_patch(item, bone, outer, body_mass) for item in case.items)
    number = next(i for i, item in enumerate(case.items) if item.main)
    main = case.items[number]
    held = [np.flatnonzero(end_nodes(h.end, h.extent, bone, mesh.points)) for h in case.held]
    supports = [Fixed(nodes, name=f"{h.end} end") for nodes, h in zip(held, case.held, strict=True)]
    supports += [_roller(roller, bone, outer) for roller in case.rollers]
    supports += [_pin(pin, bone, mesh) for pin in case.pins]
    size, unit = case.reference(body_mass)
    shown = f"{size / 1000:.1f} N m" if unit == "N mm" else f"{size:.0f} N"
    ends = [f"{h.end} end held" for h in case.held] + [f"{p.at.replace('_', ' ')} pinned" for p in case.pins]
    return Applied(
        name=case.name,
        description=f"{case.name.replace('_', ' ')}: {main.name} {shown}, {', '.join(ends)}",
        supports=tuple(supports),
        loads=tuple(patch.load() for patch in patches),
        excluded=np.zeros(len(mesh.cells), bool),
        patches=patches,
        held=np.unique(np.concatenate([np.asarray(s.nodes) for s in supports])),
        main_patch=number,
        magnitude=size,
        is_moment=main.is_moment,
        body_weight=body_mass * GRAVITY,
    )


def _patch(item: LoadItem, bone: BoneLike, outer: Skin, body_mass: float) -> Patch:
    axes = bone.frame.axes
    vector = item.factor(body_mass) * np.array(item.vector) @ axes
    if item.is_moment:
        # a mirrored bone under the mirrored load: moments are axial vectors and change sign with the reflection
        vector = vector * np.sign(np.linalg.det(axes))
    spot = find(item.name, item.at, item.patch, item.radius, item.extent, vector, bone, outer)
    zero = np.zeros(3)
    force, moment = (zero, vector) if item.is_moment else (vector, zero)
    return Patch(item.name, spot.nodes, spot.weights, spot.point, force, moment)


def _roller(roller: Roller, bone: BoneLike, outer: Skin) -> Fixed:
    direction = np.array(roller.direction) @ bone.frame.axes
    direction /= np.linalg.norm(direction)
    spot = find(roller.name, roller.at, roller.patch, roller.radius, 0.0, direction, bone, outer)
    return Fixed(spot.nodes, components=(0,), axes=axes_from(direction), name=roller.name)


def _pin(pin: Pin, bone: BoneLike, mesh: Mesh) -> Fixed:
    """Nodes within the radius of a landmark, or the nearest one, held in the directions asked for."""
    centre = landmark(f"{pin.at} pin", pin.at, bone)
    distance = np.linalg.norm(mesh.points - centre, axis=1)
    if distance.min() > FAR:
        raise off_surface(f"{pin.at} pin", centre, float(distance.min()))
    nodes = np.flatnonzero(distance <= max(pin.radius, float(distance.min())))
    name = f"{pin.at.replace('_', ' ')} pin"
    if pin.direction == "all":
        return Fixed(nodes, name=name)
    if pin.direction == "across":
        line = landmark(name, pin.towards, bone) - centre
        return Fixed(nodes, components=(1, 2), axes=axes_from(line / np.linalg.norm(line)), name=name)
    return Fixed(nodes, components=(0,), axes=axes_from(getattr(bone.frame, pin.direction)), name=name)


def axes_from(first: Floats) -> Floats:
    """Right-handed orthonormal rows (3, 3) whose first is the unit vector `first`."""
    other = np.eye(3)[int(np.argmin(np.abs(first)))]
    second = np.cross(first, other)
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)])


def _excluded(mesh: Mesh, applied: Applied, margin: float) -> NDArray[np.bool_]:
    """Cells whose corners' centroid lies within `margin` mm of a loaded or supported node."""
    touched = [patch.nodes for patch in applied.patches] + [np.asarray(s.nodes) for s in applied.supports]
    corners = 4 if mesh.kind.startswith("tet") else 8
    centroids = mesh.points[mesh.cells[:, :corners]].mean(axis=1)
    tree = cKDTree(mesh.points[np.unique(np.concatenate(touched))])
    distance, _ = tree.query(centroids, distance_upper_bound=margin)
    return np.asarray(np.isfinite(distance))


def _warn_lesion(mesh: Mesh, excluded: NDArray[np.bool_], case: LoadCaseData) -> None:
    for name in mesh.solids:
        if not name.startswith("lesion"):
            continue
        inside = mesh.inside(name)
        share = float(excluded[inside].mean()) if inside.any() else 0.0
        if share > 0.05:
            warnings.warn(
                f"{share:.0%} of the cells of {name} lie within {case.exclude:g} mm of a load or support of "
                f"{case.name}; they are left out of the fracture risk, which may miss the weakest place.",
                FemsimWarning,
                stacklevel=3,
            )
