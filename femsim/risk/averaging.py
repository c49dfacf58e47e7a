"""Demand over a physical length: volume averages over a ball, within one material.

A peak the size of one element grows without limit at a sharp edge as the mesh is refined, and no bone breaks of it.
The theory of critical distances (Taylor 2007) averages stress or strain over a length that belongs to the material,
1 to 3 mm in bone; the average converges with the mesh.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from femsim.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def ball_average(
    centres: Floats, group: Ints, points: Floats, volumes: Floats, values: Floats, diameter: float
) -> Floats:
    """Volume average of a field over a ball around every element's centre, within the element's own group.

    Parameters
    ----------
    centres : (m, 3) float64
        Centres of the elements, mm.
    group : (m,) int
        Elements are averaged only with elements of the same group (one material on one side of an interface).
    points : (m, q, 3) float64
        Quadrature points, mm.
    volumes : (m, q) float64
        Their volumes, mm3.
    values : (m, q, k) float64
        Field at the quadrature points.
    diameter : float
        Of the ball, mm; 0 takes the mean of the element alone.

    Returns
    -------
    (m, k) float64
        The average over all quadrature points of the group that lie in the ball, and over those of the element itself
        in any case: where elements are larger than the ball it is the element's mean.

    Raises
    ------
    InputError
        If the diameter is negative or not finite.
    """
    if not (math.isfinite(diameter) and diameter >= 0.0):
        raise InputError(
            f"averaging_length = {diameter!r} mm is not possible.",
            "Demand is averaged over a ball of this diameter.",
            "Give 0 for none, or 1 to 3 mm for bone.",
        )
    own = (values * volumes[..., None]).sum(axis=1) / volumes.sum(axis=1)[:, None]
    if diameter == 0.0 or len(centres) == 0:
        return np.asarray(own)
    q = volumes.shape[1]
    flat = np.ascontiguousarray(points).reshape(-1, 3)
    origin, shape, order, start = _bins(flat, diameter / 2.0)
    out = np.empty_like(own)
    owner = np.repeat(np.arange(len(centres)), q)
    _average(
        centres, group, flat[order], volumes.ravel()[order], values.reshape(len(flat), -1)[order], owner[order],
        diameter / 2.0, origin, shape, start, own, volumes.sum(axis=1), out,
    )  # fmt: skip
    return out


def _bins(points: Floats, radius: float) -> tuple[Floats, Ints, Ints, Ints]:
    """Sort points into cubes of edge `radius`: origin, numbers of cubes, order of the points, start of every cube."""
    origin = points.min(axis=0)
    cells = np.floor((points - origin) / radius).astype(np.int64)
    shape = cells.max(axis=0) + 1
    number = (cells[:, 0] * shape[1] + cells[:, 1]) * shape[2] + cells[:, 2]
    order = np.argsort(number, kind="stable")
    start = np.zeros(int(shape.prod()) + 1, np.int64)
    np.cumsum(np.bincount(number, minlength=len(start) - 1), out=start[1:])
    return origin, shape, order, start


@njit(cache=True)
def _average(centres, group, points, volumes, values, owner, radius, origin, shape, start, own, size, out):  # type: ignore[no-untyped-def]
    width = own.shape[1]
    for e in range(len(centres)):
        # the element's own points count whether or not they lie in the ball, so that no average is empty
        total = size[e]
        for k in range(width):
            out[e, k] = own[e, k] * size[e]
        low = np.empty(3, np.int64)
        high = np.empty(3, np.int64)
        for d in range(3):
            low[d] = max(0, math.floor((centres[e, d] - radius - origin[d]) / radius))
            high[d] = min(shape[d] - 1, math.floor((centres[e, d] + radius - origin[d]) / radius))
        for i in range(low[0], high[0] + 1):
            for j in range(low[1], high[1] + 1):
                row = (i * shape[1] + j) * shape[2]
                for p in range(start[row + low[2]], start[row + high[2] + 1]):
                    if owner[p] == e or group[owner[p]] != group[e]:
                        continue
                    x = points[p, 0] - centres[e, 0]
                    y = points[p, 1] - centres[e, 1]
                    z = points[p, 2] - centres[e, 2]
                    if x * x + y * y + z * z > radius * radius:
                        continue
                    total += volumes[p]
                    for k in range(width):
                        out[e, k] += volumes[p] * values[p, k]
        for k in range(width):
            out[e, k] /= total
