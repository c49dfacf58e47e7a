"""Nodal forces of loads, consistent with the shape functions."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import InputError, SolveError
from femsim.fem import loads
from femsim.fem.elements import Element

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Singular values below this, relative to the largest, mean that nodes lie on a line (or in a point).
COLLINEAR = 1e-8


def nodal_forces(load: loads.Load, points: Floats, cells: Ints, element: Element, volume: Floats) -> Floats:
    """Nodal forces of one load.

    Parameters
    ----------
    load : Load
        Loads that are no forces (thermal, imposed displacement, on a coupling's reference point) give zero here.
    points, cells : (n, 3), (m, k)
        The mesh.
    element : Element
        Its element.
    volume : (m, q) float64
        Quadrature volumes, mm3.

    Returns
    -------
    (n, 3) float64
        N.
    """
    out = np.zeros((len(points), 3))
    _add(load, out, points, cells, element, volume)
    return out


def vector(value: ArrayLike, rows: int, what: str) -> Floats:
    """A (3,) or (rows, 3) value as (rows, 3), checked."""
    array = np.asarray(value, float)
    if array.shape not in ((3,), (rows, 3)):
        raise InputError(
            f"{what} has a value of shape {array.shape}.",
            f"It acts on {rows} entities in three directions.",
            f"Give shape (3,) or ({rows}, 3).",
        )
    return _finite(np.broadcast_to(array, (rows, 3)), what)


def scalar(value: ArrayLike, rows: int, what: str) -> Floats:
    """A number or (rows,) value as (rows,), checked."""
    array = np.asarray(value, float)
    if array.shape not in ((), (rows,)):
        raise InputError(
            f"{what} has a value of shape {array.shape}.",
            f"It acts on {rows} entities.",
            f"Give a number or shape ({rows},).",
        )
    return _finite(np.broadcast_to(array, (rows,)), what)


def _finite(array: Floats, what: str) -> Floats:
    if not np.isfinite(array).all():
        raise InputError(f"{what} is not finite.", "Every result would become NaN.", "Give finite values.")
    return array


@singledispatch
def _add(load: Any, out: Floats, points: Floats, cells: Ints, element: Element, volume: Floats) -> None:
    if not isinstance(load, (loads.CouplingForce, loads.Thermal, loads.InitialStrain, loads.ImposedDisplacement)):
        raise InputError(
            f"{type(load).__name__} is not a load.",
            "Load cases are sequences of the loads of femsim.fem.",
            "Use NodalForce, Traction, SurfaceForce, Pressure, BodyForce, Centrifugal, RemoteForce, CouplingForce, "
            "Thermal, InitialStrain or ImposedDisplacement.",
        )


@_add.register
def _(load: loads.NodalForce, out: Floats, points: Floats, cells: Ints, element: Element, volume: Floats) -> None:
    nodes = np.atleast_1d(load.nodes)
    np.add.at(out, nodes, vector(load.force, len(nodes), loads.label(load)))


@_add.register
def _(load: loads.Traction, out: Floats, points: Floats, cells: Ints, element: Element, volume: Floats) -> None:
    _, area, nodes = face_areas(load.faces, points, cells, element)
    force = vector(load.traction, len(nodes), loads.label(load))
    share = np.einsum("fq,qa->fa", area, element.face.values)
    np.add.at(out, nodes, share[:, :, None] * force[:, None, :])


@_add.register
def _(load: loads.SurfaceForce, out: Floats, points: Floats, cells: Ints, element: Element, volume: Floats) -> None:
    _, area, nodes = face_areas(load.faces, points, cells, element)
    force = vector(load.force, 1, loads.label(load))[0]
    share = np.einsum("fq,qa->fa", area, element.face.values) / area.sum()
    np.add.at(out, nodes, share[:, :, None] * force)


@_add.register
def _(load: loads.Pressure, out: Floats, points: Floats, cells: Ints, element: Element, volume: Floats) -> None:
    normal, _, nodes = face_areas(load.faces, points, cells, element)
    value = scalar(load.pressure, len(nodes), loads.label(load))
    share = np.einsum("fqx,qa->fax", normal, element.face.values)
    np.add.at(out, nodes, -share * value[:, None, None])


@_add.register
def _(load: loads.BodyForce, out: Floats, points: Floats, cells: Ints, element: Element, volume: Floats) -> None:
    chosen = np.arange(len(cells)) if load.cells is None else np.asarray(load.cells)
    force = vector(load.vector, len(chosen), loads.label(load))
    share = np.einsum("cq,qa->ca", volume[chosen], element.values)
    np.add.at(out, cells[chosen], share[:, :, None] * force[:, None, :])


@_add.register
def _(load: loads.Centrifugal, out: Floats, points: Floats, cells: Ints, element: Element, volume: Floats) -> None:
    what = loads.label(load)
    direction = vector(load.direction, 1, what)[0]
    length = float(np.linalg.norm(direction))
    if length == 0.0:
        raise InputError(f"{what} has direction (0, 0, 0).", "It has no axis.", "Give a direction.")
    axis = direction / length
    arm = np.einsum("qa,mad->mqd", element.values, points[cells]) - vector(load.point, 1, what)[0]
    arm -= (arm @ axis)[..., None] * axis
    density = scalar(load.density, len(cells), what)
    force = arm * (volume * density[:, None] * load.omega**2)[..., None]
    np.add.at(out, cells, np.einsum("mqd,qa->mad", force, element.values))


@_add.register
def _(load: loads.RemoteForce, out: Floats, points: Floats, cells: Ints, element: Element, volume: Floats) -> None:
    nodes = np.atleast_1d(load.nodes)
    np.add.at(out, nodes, distribute(load, points[nodes]))


def distribute(load: loads.RemoteForce, at: Floats) -> Floats:
    """Nodal forces (p, 3) at points (p, 3) that are statically equivalent to a remote force and moment.

    Each node takes ``w_i (F / W + omega x r_i)`` with ``r_i`` from the weighted centroid; ``omega`` balances the moment
    (the RBE3 of NASTRAN; Abaqus Theory Guide, distributing coupling).

    Raises
    ------
    SolveError
        If the nodes cannot carry the moment, being one point or on one line.
    """
    what, p = loads.label(load), len(at)
    weights = scalar(1.0 if load.weights is None else load.weights, p, what)
    if p == 0 or (weights < 0.0).any() or weights.sum() <= 0.0:
        raise InputError(
            f"{what} has no node with a positive weight.",
            "A remote force needs nodes to act on.",
            "Give at least one node, and weights that are not negative.",
        )
    force, moment = vector(load.force, 1, what)[0], vector(load.moment, 1, what)[0]
    total = weights.sum()
    centre = weights @ at / total
    arm = at - centre
    moment = moment + np.cross(vector(load.point, 1, what)[0] - centre, force)
    inertia = np.einsum("i,ij,ij->", weights, arm, arm) * np.eye(3) - np.einsum("i,ij,ik->jk", weights, arm, arm)
    size = float(np.trace(inertia))
    spin = np.linalg.pinv(inertia, rcond=COLLINEAR, hermitian=True) @ moment if size > 0.0 else np.zeros(3)
    missing = float(np.linalg.norm(inertia @ spin - moment))
    reach = np.linalg.norm(force) * np.linalg.norm(np.asarray(load.point) - centre) + np.linalg.norm(load.moment)
    if missing > 1e-6 * reach:
        raise SolveError(
            f"{what} has a moment of {missing:.4g} N mm that its {p} nodes cannot carry.",
            "Nodes in one point or on one line have no lever arm about that axis.",
            "Give nodes that span a surface, or move the point.",
        )
    return weights[:, None] * (force / total + np.cross(spin, arm))


def face_areas(faces: Ints, points: Floats, cells: Ints, element: Element) -> tuple[Floats, Floats, Ints]:
    """Area vectors of faces at their quadrature points.

    Returns
    -------
    normal : (f, q, 3) float64
        Outward normal times area times weight, mm2.
    area : (f, q) float64
        Its length.
    nodes : (f, kf) int
        Nodes of the faces.
    """
    pairs = np.atleast_2d(np.asarray(faces, np.int64))
    if pairs.size == 0 or pairs.shape[1] != 2:
        raise SolveError(
            f"A surface load was given faces of shape {np.shape(faces)}.",
            "A load on no face is a load on nothing.",
            "Give (cell, local face) pairs.",
        )
    if pairs.min() < 0 or pairs[:, 0].max() >= len(cells) or pairs[:, 1].max() >= len(element.faces):
        raise InputError(
            "A surface load names a face that is not in the mesh.",
            f"There are {len(cells)} cells of {len(element.faces)} faces.",
            "Give (cell, local face) pairs, both counted from 0.",
        )
    nodes = cells[pairs[:, 0][:, None], element.faces[pairs[:, 1]]]
    slope = np.einsum("qkd,fkx->fqdx", element.face.gradients, points[nodes])
    normal = np.cross(slope[:, :, 0], slope[:, :, 1]) * element.face.weights[:, None]
    return normal, np.linalg.norm(normal, axis=-1), nodes


def nodal_areas(faces: Ints, points: Floats, cells: Ints, element: Element) -> Floats:
    """Share of the area of faces that belongs to each node, (n,), mm2; weights for `RemoteForce`.

    The area of each face is split evenly over its nodes by number, so that no weight is negative (the consistent share
    of the corners of a six-node triangle is zero, that of an eight-node quadrilateral negative).
    """
    _, area, nodes = face_areas(faces, points, cells, element)
    out = np.zeros(len(points))
    np.add.at(out, nodes, np.repeat(area.sum(axis=1)[:, None] / nodes.shape[1], nodes.shape[1], axis=1))
    return out
