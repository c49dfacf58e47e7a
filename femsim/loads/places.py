"""Places on a surface of triangles, wherever its nodes are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from femsim.errors import GeometryError

Floats = NDArray[np.float64]


def foot(place: Floats, corners: Floats, within: float) -> Floats:
    """The point (3,) of triangles (t, 3, 3) that is nearest to a place (3,), known to be within a distance, mm."""
    # a triangle that comes so near has its first corner within that distance and its own longest side
    length = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    near = corners[np.linalg.norm(corners[:, 0] - place, axis=1) <= within + length]
    feet = _feet(near, place)
    return np.asarray(feet[int(np.argmin(np.linalg.norm(feet - place, axis=1)))], float)


def _feet(corners: Floats, place: Floats) -> Floats:
    """The point (t, 3) of every triangle (t, 3, 3) that is nearest to a place (3,)."""
    edge = np.roll(corners, -1, axis=1) - corners
    along = np.einsum("tkd,tkd->tk", place - corners, edge) / np.maximum(np.einsum("tkd,tkd->tk", edge, edge), 1e-30)
    on_edge = corners + np.clip(along, 0.0, 1.0)[..., None] * edge
    best = np.linalg.norm(on_edge - place, axis=2).argmin(axis=1)
    result = on_edge[np.arange(len(corners)), best]
    normal = np.cross(edge[:, 0], edge[:, 1])
    square = np.maximum(np.einsum("td,td->t", normal, normal), 1e-30)
    below = place - (np.einsum("td,td->t", place - corners[:, 0], normal) / square)[:, None] * normal
    side = np.einsum("tkd,td->tk", np.cross(edge, below[:, None] - corners), normal)
    inside = (side >= 0.0).all(axis=1)
    result[inside] = below[inside]
    return result


def ahead(start: Floats, direction: Floats, corners: Floats) -> Floats:
    """Where a ray leaves a surface of triangles (t, 3, 3), (3,) mm; the farthest place where there are several.

    Raises
    ------
    GeometryError
        If it meets no surface.
    """
    a = corners[:, 0]
    edge, other = corners[:, 1] - a, corners[:, 2] - a
    across = np.cross(direction, other)
    determinant = np.einsum("td,td->t", edge, across)
    scale = 1.0 / np.where(np.abs(determinant) > 1e-12, determinant, np.inf)
    u = np.einsum("td,td->t", start - a, across) * scale
    turned = np.cross(start - a, edge)
    v = turned @ direction * scale
    t = np.einsum("td,td->t", turned, other) * scale
    hit = (scale != 0.0) & (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1.0 + 1e-9) & (t > 0.0)
    if not hit.any():
        raise GeometryError(
            f"The mesh has no surface in direction {np.round(direction, 2)} of {np.round(start, 1)} mm.",
            "A load or roller stands there.",
            "Check that the mesh covers the whole bone.",
        )
    return np.asarray(start + t[hit].max() * direction, float)


def crown(corners: Floats, direction: Floats, area: float, share: Floats | None = None) -> Floats:
    """Middle (3,) mm of the part of a surface that reaches farthest in a direction and has an area.

    Where a body rests on the ground must not depend on which of its nodes is the lowest: on a flat place one of a
    neighbouring mesh lies millimetres away. So the ground is pressed in until it touches the area, and the middle of
    the pressure counts, which is proportional to the depth.

    Parameters
    ----------
    corners : (t, 3, 3) float64
        Triangles, mm.
    direction : (3,) float64
        Towards the ground, of length 1.
    area : float
        mm2. All of the surface counts where it has less.
    share : (t,) float64, optional
        Of every triangle that counts; all of it by default.
    """
    middle = corners.mean(axis=1)
    size = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    size = size if share is None else size * share
    height = middle @ direction
    order = np.argsort(-height, kind="stable")
    last = min(int(np.searchsorted(np.cumsum(size[order]), area)), len(order) - 1)
    level = height[order[last]]
    weight = size * np.maximum(height - level, 0.0)
    if weight.sum() <= 1e-9 * size.sum():  # a flat place of more than that area
        weight = size * (height >= level - 1e-9)
    return np.asarray(weight @ middle / weight.sum(), float)
