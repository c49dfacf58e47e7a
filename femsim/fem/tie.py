"""Nearest points on curved faces, for tied surfaces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from femsim.fem.elements import Element, Shape

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Faces looked at for every node: those that own the nearest sample points.
CANDIDATES = 16
#: Gauss-Newton steps; a flat face needs one, a curved one three or four.
STEPS = 25


def nearest_on_faces(at: Floats, points: Floats, nodes: Ints, element: Element) -> tuple[Ints, Floats, Floats]:
    """Nearest point of a set of faces to every given point.

    Parameters
    ----------
    at : (p, 3) float64
        Points, mm.
    points : (n, 3) float64
        Nodes of the mesh.
    nodes : (f, kf) int
        Nodes of the faces.
    element : Element
        The element they are faces of.

    Returns
    -------
    face : (p,) int
        Row of `nodes`.
    values : (p, kf) float64
        Shape functions of the face at the nearest point; they sum to one.
    distance : (p,) float64
        mm.
    """
    shape = element.face
    corners = points[nodes]
    samples = np.concatenate([corners, np.einsum("qa,fax->fqx", shape.values, corners)], axis=1)
    count = samples.shape[1]
    tree = cKDTree(samples.reshape(-1, 3))
    k = min(CANDIDATES, count * len(nodes))
    hits = np.asarray(tree.query(at, k=k)[1]).reshape(len(at), k) // count
    best = np.full(len(at), np.inf)
    face, values = np.zeros(len(at), np.int64), np.zeros((len(at), nodes.shape[1]))
    for candidate in hits.T:
        shape_values, distance = _project(at, corners[candidate], shape)
        better = distance < best
        best[better], face[better], values[better] = distance[better], candidate[better], shape_values[better]
    return face, values, best


def _project(at: Floats, corners: Floats, shape: Shape) -> tuple[Floats, Floats]:
    """Gauss-Newton with clamping to the reference face, for all points at once."""
    triangle = shape.nodes.min() >= 0.0
    xi = np.broadcast_to(shape.nodes.mean(axis=0), (len(at), 2)).copy()
    for _ in range(STEPS):
        values, slopes = shape.function(xi)
        residual = at - np.einsum("pa,pax->px", values, corners)
        slope = np.einsum("pad,pax->pxd", slopes, corners)
        gram = np.einsum("pxd,pxe->pde", slope, slope)
        step = np.linalg.solve(gram, np.einsum("pxd,px->pd", slope, residual)[..., None])[..., 0]
        new = _clamp(xi + step, triangle)
        moved = np.abs(new - xi).max(initial=0.0)
        xi = new
        if moved < 1e-13:
            break
    values, _ = shape.function(xi)
    return values, np.linalg.norm(at - np.einsum("pa,pax->px", values, corners), axis=1)


def _clamp(xi: Floats, triangle: bool) -> Floats:
    if not triangle:
        return np.clip(xi, -1.0, 1.0)
    xi = np.maximum(xi, 0.0)
    over = np.maximum(xi.sum(axis=1, keepdims=True) - 1.0, 0.0)
    return np.clip(xi - over / 2.0, 0.0, 1.0)
