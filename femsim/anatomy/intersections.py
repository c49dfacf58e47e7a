"""Triangles of a surface that cut through other triangles of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


def self_intersections(points: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs (k, 2) of triangles without a common vertex of which an edge of one crosses the inside of the other.

    Triangles that touch or lie in one plane do not count.
    """
    corners = points[triangles]
    centres = corners.mean(axis=1)
    reach = np.linalg.norm(corners - centres[:, None], axis=2).max(axis=1)
    found = []
    # By halving sizes, so that one large triangle does not make neighbours of all small ones.
    level = np.clip(np.floor(np.log2(reach.max() / np.maximum(reach, 1e-12 * reach.max()))), 0, 6).astype(int)
    trees = {int(n): np.flatnonzero(level == n) for n in np.unique(level)}
    for a, first in trees.items():
        one = cKDTree(centres[first])
        for b, second in trees.items():
            if b < a:
                continue
            near = one.query_ball_tree(cKDTree(centres[second]), float(reach[first].max() + reach[second].max()))
            pairs = np.column_stack(
                [np.repeat(first, [len(n) for n in near]), second[np.concatenate([np.array(n, int) for n in near])]]
            )
            found.append(_crossing(corners, triangles, pairs[pairs[:, 0] != pairs[:, 1]]))
    pairs = np.sort(np.concatenate(found), axis=1) if found else np.zeros((0, 2), np.int64)
    return np.unique(pairs, axis=0)


def _crossing(
    corners: NDArray[np.float64], triangles: NDArray[np.int64], pairs: NDArray[np.int64]
) -> NDArray[np.int64]:
    low, high = corners.min(axis=1), corners.max(axis=1)
    i, j = pairs.T
    apart = (low[i] > high[j]).any(axis=1) | (low[j] > high[i]).any(axis=1)
    pairs = pairs[~apart]
    i, j = pairs.T
    shared = (triangles[i][:, :, None] == triangles[j][:, None, :]).any(axis=(1, 2))
    pairs = pairs[~shared]
    crossed = np.zeros(len(pairs), bool)
    for one, two in (pairs.T, pairs.T[::-1]):
        for k in range(3):
            crossed |= _edge_through(corners[one, k], corners[one, (k + 1) % 3], corners[two])
    return pairs[crossed]


def _edge_through(
    start: NDArray[np.float64], end: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether segments cross triangles (Moeller and Trumbore 1997), row by row."""
    ray, first, second = end - start, target[:, 1] - target[:, 0], target[:, 2] - target[:, 0]
    across = np.cross(ray, second)
    det = np.einsum("ij,ij->i", first, across)
    scale = np.linalg.norm(ray, axis=1) * np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    usable = np.abs(det) > 1e-12 * scale
    inverse = 1.0 / np.where(usable, det, 1.0)
    away = start - target[:, 0]
    u = np.einsum("ij,ij->i", away, across) * inverse
    turned = np.cross(away, first)
    v = np.einsum("ij,ij->i", ray, turned) * inverse
    t = np.einsum("ij,ij->i", second, turned) * inverse
    return usable & (u > 0) & (v > 0) & (u + v < 1) & (t > 0) & (t < 1)
