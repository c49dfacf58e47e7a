"""Plane sections of a closed triangle surface, without linking them into loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def plane_basis(normal: Array) -> tuple[Array, Array]:
    """Two unit vectors that make a right-handed basis with `normal` (3,)."""
    helper = np.eye(3)[int(np.argmin(np.abs(normal)))]
    first = np.cross(normal, helper)
    first /= np.linalg.norm(first)
    return first, np.cross(normal, first)


def section_segments(corners: Array, point: Array, normal: Array) -> Array:
    """Segments (s, 2, 3) in which outward triangles (t, 3, 3) meet a plane, the inside on their left about `normal`."""
    height = (corners - point) @ normal
    above = height > 0.0
    crossed = above.any(axis=1) & ~above.all(axis=1)
    corners, height, above = corners[crossed], height[crossed], above[crossed]
    # Turn every triangle so that its first corner is alone on its side.
    alone = np.where(above.sum(axis=1) == 1, above.argmax(axis=1), (~above).argmax(axis=1))
    order = (alone[:, None] + np.arange(3)) % 3
    corners = np.take_along_axis(corners, order[:, :, None], axis=1)
    height = np.take_along_axis(height, order, axis=1)
    ends = []
    for other in (1, 2):
        share = height[:, 0] / (height[:, 0] - height[:, other])
        ends.append(corners[:, 0] + share[:, None] * (corners[:, other] - corners[:, 0]))
    first, second = ends
    flip = (height[:, 0] > 0.0)[:, None]
    return np.stack([np.where(flip, first, second), np.where(flip, second, first)], axis=1)


def area_centroid(segments: Array, point: Array, normal: Array) -> tuple[float, Array]:
    """Area (mm2) and centroid (3,) of the region that oriented segments enclose, by Green's theorem."""
    first, second = plane_basis(normal)
    flat = (segments - point) @ np.stack([first, second], axis=1)
    start, end = flat[:, 0], flat[:, 1]
    cross = start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]
    area = 0.5 * float(cross.sum())
    if abs(area) < 1e-9:
        return 0.0, np.asarray(point, float)
    middle = ((start + end) * cross[:, None]).sum(axis=0) / (6.0 * area)
    return area, point + middle[0] * first + middle[1] * second


def volume_moments(corners: Array) -> tuple[float, Array, Array]:
    """Volume (mm3), centroid (3,) and covariance (3, 3) of the body inside outward triangles (t, 3, 3)."""
    shift = corners.mean(axis=(0, 1))
    local = corners - shift
    share = np.einsum("ij,ij->i", local[:, 0], np.cross(local[:, 1], local[:, 2])) / 6.0
    volume = float(share.sum())
    total = local.sum(axis=1)
    centre = (share[:, None] * total).sum(axis=0) / (4.0 * volume)
    second = np.einsum("t,tki,tkj->ij", share, local, local) + np.einsum("t,ti,tj->ij", share, total, total)
    return volume, centre + shift, second / (20.0 * volume) - np.outer(centre, centre)
