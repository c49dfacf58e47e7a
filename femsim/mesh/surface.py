"""The closed triangle surface of the meshed domain: found on a grid, remeshed to the wanted sizes, put back on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from femsim.errors import MeshError
from femsim.mesh.external import call
from femsim.mesh.roots import crossing
from femsim.mesh.size import SizeField
from femsim.solid.base import Solid
from femsim.solid.grid import grid_points, node_coordinates
from femsim.solid.query import gradient, project

Surface = tuple[NDArray[np.float64], NDArray[np.int64]]
MMGS = 1.2  # the edges of MMGS come out shorter than what it is asked for
#: How far triangles may lie off the surface, mm over `near` / 1.6 mm, in the order of trying. Edges are curved later:
#: a smaller distance only makes more of them, whatever size is wanted.
OFF = (0.8, 0.4, 1.6)
RIDGE = 40.0  # degrees between neighbouring faces from which an edge is kept sharp


def remeshed(domain: Solid, field: SizeField, surface: Surface | None = None, fineness: float = 1.0) -> Surface:
    """Closed surface of `domain` with the edge lengths of `field`.

    Parameters
    ----------
    domain : Solid
        Bounded.
    field : SizeField
        Wanted edge lengths.
    surface : (points (p, 3), triangles (t, 3)), optional
        Closed triangles of the same domain; otherwise they are extracted from its distance.
    fineness : float
        Factor on the grid of the extraction: another value is another chance where sharp edges fall badly.

    Returns
    -------
    points (p, 3), triangles (t, 3)
        Outward. Smooth parts lie on the zero of the distance, sharp edges where the extraction found them.

    Raises
    ------
    MeshError
        If the domain is unbounded or empty, or its surface cannot be closed.
    """
    points, triangles = contour(domain, fineness * field.near) if surface is None else surface
    check_closed(triangles)
    last: MeshError | None = None
    for off in OFF:
        size = MMGS * field.at(points)
        try:
            detail = off * field.near / 1.6
            answer = call(
                "remesh",
                120.0,
                points=points,
                triangles=triangles,
                sizes=size,
                # Else it goes far below the wanted size where the surface bends.
                shortest=min(0.5 * MMGS * field.near, 0.95 * float(size.min())),
                hausd=detail,
                gradation=1.4,
                angle=RIDGE,
            )
            check_closed(answer["triangles"])
        except MeshError as error:
            last = error
            continue
        return _put_back(domain, answer["points"], answer["triangles"]), answer["triangles"]
    assert last is not None
    raise last


def contour(domain: Solid, size: float) -> Surface:
    """Triangles on the zero of a domain's distance, on a grid of at most `size` mm, sharp edges kept.

    Dual contouring: one point in every grid cell that the surface crosses, at the least-squares meeting point of the
    tangent planes at the crossed cell edges (Ju, Losasso, Schaefer, Warren, *Dual contouring of Hermite data*, ACM
    Trans. Graph. 21, 2002), one quadrangle for every crossed grid edge.
    """
    lower, upper = (np.asarray(b, np.float64) for b in domain.bounds)
    if not np.isfinite(np.concatenate([lower, upper])).all():
        raise MeshError("The domain has no bounds.", "What is meshed must end somewhere.", "Cut it to a box.")
    spacing = min(max(0.75 * size, float((upper - lower).max()) / 400), float((upper - lower).min()) / 8)
    # Irrational offsets keep grid planes off flat ends, where a distance of exactly zero has no sign.
    for offset in (0.381966, 0.276393, 0.171573, 0.618034, 0.723607):
        spacing *= 0.96
        origin, values = _values(domain, lower, upper, spacing, offset)
        points, triangles = _dual(domain, origin, spacing, values)
        if _odd_edges(triangles) == 0:
            return sharpened(domain, points, triangles, spacing), triangles
    for _ in range(3):
        origin, values = _values(domain, lower, upper, spacing, 0.381966)
        points, triangles = _flying_edges(values, origin, spacing)
        if _odd_edges(triangles) == 0:
            return project(domain, points, 3), triangles
        spacing *= 0.83
    raise MeshError(
        "The surface of the domain could not be closed.",
        "It has parts thinner than the mesh can show.",
        "Use a smaller mesh.far and mesh.near, or a simpler domain.",
    )


def _values(
    domain: Solid, lower: NDArray[np.float64], upper: NDArray[np.float64], spacing: float, offset: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    origin, shape = grid_points(lower - (1 + offset) * spacing, upper + 2 * spacing, spacing)
    values = domain.distance(node_coordinates(origin, shape, spacing)).reshape(shape)
    if not (values < 0).any():
        raise MeshError("The domain is empty.", "There is nothing to mesh.", "Check its size and position.")
    return origin, values


def sharpened(
    domain: Solid, points: NDArray[np.float64], triangles: NDArray[np.int64], h: float
) -> NDArray[np.float64]:
    """Points with those at sharp edges moved to the meeting point of the tangent planes around them.

    Fourteen places at 0.3 and then 0.1 of `h` around the point are projected onto the surface; the point moves to the
    least-squares meeting point of their planes. Points that would move by more than half of `h` stay.
    """
    at = np.flatnonzero(ridge_vertices(points, triangles, 25.0))
    if len(at) == 0:
        return points
    directions = np.array([d for d in np.ndindex(3, 3, 3) if d != (1, 1, 1)], float) - 1.0
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    found = project(domain, points[at], 2)
    for reach in (0.3, 0.1):
        around = (found[:, None] + reach * h * directions).reshape(-1, 3)
        foot = project(domain, around, 2)
        normal = gradient(domain, foot, 1e-4 * h)
        normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-12)[:, None]
        index = np.repeat(np.arange(len(at)), len(directions))
        step = _meeting(index, foot, normal, found - h, 2 * h)
        found = np.where((np.linalg.norm(step - found, axis=1) < 0.5 * h)[:, None], step, found)
    result = points.copy()
    near = np.linalg.norm(found - points[at], axis=1) < 0.7 * h
    result[at[near]] = found[near]
    return result


def _dual(domain: Solid, origin: NDArray[np.float64], h: float, values: NDArray[np.float64]) -> Surface:
    inside = values < 0
    starts, ends, quads = [], [], []
    cell_shape = np.array(values.shape) - 1
    for axis in range(3):
        low = np.take(inside, range(values.shape[axis] - 1), axis)
        high = np.take(inside, range(1, values.shape[axis]), axis)
        start = np.argwhere(low != high)
        end = start.copy()
        end[:, axis] += 1
        one, two = np.eye(3, dtype=int)[(axis + 1) % 3], np.eye(3, dtype=int)[(axis + 2) % 3]
        ring = np.stack([start - one - two, start - two, start, start - one], axis=1)
        ring[~low[tuple(start.T)]] = ring[~low[tuple(start.T)]][:, ::-1]
        starts.append(start)
        ends.append(end)
        quads.append(ring)
    start, end, ring = np.concatenate(starts), np.concatenate(ends), np.concatenate(quads)
    a, b = origin + h * start, origin + h * end
    cross, _ = crossing(domain, a, b, values[tuple(start.T)], values[tuple(end.T)], 8)
    normal = gradient(domain, cross, 1e-4 * h)
    normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-12)[:, None]
    flat = np.ravel_multi_index(tuple(ring.reshape(-1, 3).T), tuple(cell_shape))
    cells, index = np.unique(flat, return_inverse=True)
    corner = origin + h * np.stack(np.unravel_index(cells, tuple(cell_shape)), axis=1)
    points = _meeting(index, np.repeat(cross, 4, axis=0), np.repeat(normal, 4, axis=0), corner, h)
    return points, _split(points, index.reshape(-1, 4), normal)


def _meeting(
    index: NDArray[np.int64],
    cross: NDArray[np.float64],
    normal: NDArray[np.float64],
    corner: NDArray[np.float64],
    h: float,
) -> NDArray[np.float64]:
    """Least-squares meeting point of the planes of every cell, drawn to their mean point where they do not decide."""
    n = len(corner)
    count = np.bincount(index, minlength=n)
    mean = np.stack([np.bincount(index, cross[:, d], n) for d in range(3)], axis=1) / count[:, None]
    away = np.einsum("ij,ij->i", normal, cross - mean[index])
    right = np.stack([np.bincount(index, normal[:, d] * away, n) for d in range(3)], axis=1)
    matrix = np.empty((n, 3, 3))
    for i in range(3):
        for j in range(3):
            matrix[:, i, j] = np.bincount(index, normal[:, i] * normal[:, j], n)
    value, vector = np.linalg.eigh(matrix)
    inverse = np.where(value > 0.05 * value[:, 2:], 1.0 / np.maximum(value, 1e-12), 0.0)
    step = np.einsum("nij,nj,nkj,nk->ni", vector, inverse, vector, right)
    return np.clip(mean + step, corner - 0.02 * h, corner + 1.02 * h)


def _split(points: NDArray[np.float64], quads: NDArray[np.int64], normal: NDArray[np.float64]) -> NDArray[np.int64]:
    """Two triangles for every quadrangle, along the diagonal whose triangles face most like the surface."""
    best, result = np.full(len(quads), -np.inf), np.zeros((len(quads), 2, 3), np.int64)
    for order in ((0, 1, 2, 0, 2, 3), (1, 2, 3, 1, 3, 0)):
        pair = quads[:, order].reshape(-1, 2, 3)
        a, b, c = (points[pair[:, :, k]] for k in range(3))
        n = np.cross(b - a, c - a)
        n /= np.maximum(np.linalg.norm(n, axis=2), 1e-12)[:, :, None]
        # Of two folds over a sharp edge, the one along the edge has larger triangles facing either side.
        score = np.einsum("nkd,nd->nk", n, normal).min(axis=1)
        length = np.linalg.norm(points[pair[:, 0, 0]] - points[pair[:, 0, 2]], axis=1)
        score = np.round(score, 3) - 1e-6 * length
        result[score > best] = pair[score > best]
        best = np.maximum(best, score)
    return result.reshape(-1, 3)


def _flying_edges(values: NDArray[np.float64], origin: NDArray[np.float64], h: float) -> Surface:
    import pyvista

    grid = pyvista.ImageData(dimensions=values.shape, spacing=(h, h, h), origin=origin)
    grid["distance"] = values.ravel(order="F")
    found = grid.contour([0.0], scalars="distance", method="flying_edges").clean(tolerance=1e-9)
    triangles = found.regular_faces.astype(np.int64)
    points = np.asarray(found.points, np.float64)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    if np.einsum("ij,ij->", a, np.cross(b, c)) < 0:
        triangles = triangles[:, ::-1]
    return points, triangles


def _odd_edges(triangles: NDArray[np.int64]) -> int:
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, count = np.unique(edges[:, 0] * (edges.max() + 1) + edges[:, 1], return_counts=True)
    return int((count != 2).sum())


def check_closed(triangles: NDArray[np.int64]) -> None:
    """Raise MeshError unless every edge belongs to exactly two triangles."""
    odd = _odd_edges(triangles) if len(triangles) else -1
    if odd:
        raise MeshError(
            "The surface is empty." if odd < 0 else f"The surface has {odd} edges that do not join two triangles.",
            "Only a closed surface has an inside.",
            "Repair the surface, or let the mesher extract it from the solid.",
        )


def ridge_vertices(
    points: NDArray[np.float64], triangles: NDArray[np.int64], angle: float = RIDGE
) -> NDArray[np.bool_]:
    """Points (p,) at the end of an edge whose triangles meet at more than `angle` degrees."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-30)[:, None]
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    first, second = order[0::2], order[1::2]
    sharp = np.einsum("ij,ij->i", normal[first // 3], normal[second // 3]) < np.cos(np.radians(angle))
    result = np.zeros(len(points), bool)
    result[edges[first[sharp]]] = True
    return result


def _put_back(domain: Solid, points: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    """Points of smooth parts moved onto the zero of the distance; where that would turn a triangle, left."""
    smooth = ~ridge_vertices(points, triangles)
    wanted = points.copy()
    wanted[smooth] = project(domain, points[smooth], 3)
    far = np.linalg.norm(wanted - points, axis=1) > 1.0
    wanted[far] = points[far]
    for _ in range(5):
        before, after = _normals(points, triangles), _normals(wanted, triangles)
        turned = np.einsum("ij,ij->i", before, after) < 0.7 * np.einsum("ij,ij->i", before, before)
        if not turned.any():
            break
        back = triangles[turned].ravel()
        wanted[back] = points[back]
    return wanted


def _normals(points: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a)
