"""What the volumes of the compartments should be, counted on a grid that knows nothing of the mesh."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from femsim.solid.base import Bounds, Solid
from femsim.solid.grid import node_coordinates

#: Every cell that a surface may cross is divided into this many parts each way.
PARTS = 3
_DOMAIN = 62  # the bit of the domain
_HALF_DIAGONAL = 0.5 * 3.0**0.5


def compartment_volumes(
    domain: Solid, solids: Mapping[int, Solid], box: Bounds, cells: float = 1e5
) -> dict[int, float]:
    """Volume of every compartment inside a box, mm3, by its mask.

    Parameters
    ----------
    domain : Solid
        What lies outside is left out.
    solids : mapping of int to Solid
        By bit. Their distances must not exceed the true ones.
    box : (lower, upper)
        Only what lies in it is counted.
    cells : float
        Number of cells of the grid, about. Where a surface may cross, a cell is divided into 27.

    Notes
    -----
    A part that one surface crosses counts by its distance over the part's size: second order in the size for smooth
    surfaces. Where several cross, the middle of the part decides.
    """
    lower = np.maximum(box[0], domain.bounds[0])
    upper = np.minimum(box[1], domain.bounds[1])
    if not (upper > lower).all():
        return {}
    h = float((np.prod(upper - lower) / cells) ** (1 / 3))
    # The outermost cells may reach beyond the box: their middles begin half a cell inside it.
    count = np.maximum(np.ceil((upper - lower) / h).astype(int), 1)
    origin = 0.5 * (lower + upper) - 0.5 * h * (count - 1)
    middle = node_coordinates(origin, (int(count[0]), int(count[1]), int(count[2])), h)
    everything = {**solids, _DOMAIN: domain}
    mask, near = np.zeros(len(middle), np.int64), np.zeros(len(middle), bool)
    close: dict[int, NDArray[np.bool_]] = {}
    for bit, solid in everything.items():
        phi = _distance(solid, middle, h)
        mask |= (phi < 0.0).astype(np.int64) << bit
        close[bit] = np.abs(phi) < _HALF_DIAGONAL * h
        near |= close[bit]
    total: dict[int, float] = {}
    _add(total, mask[~near], np.full(int((~near).sum()), h**3))
    offsets = h * ((np.array(list(np.ndindex(PARTS, PARTS, PARTS))) + 0.5) / PARTS - 0.5)
    _add_parts(total, everything, middle[near], mask[near], {b: c[near] for b, c in close.items()}, offsets, h / PARTS)
    inside = 1 << _DOMAIN
    return {m ^ inside: volume for m, volume in total.items() if m & inside}


def _distance(solid: Solid, points: NDArray[np.float64], h: float) -> NDArray[np.float64]:
    """Distance (n,), asked only within a cell of the solid's box; `h` beyond."""
    lower, upper = solid.bounds
    at = np.flatnonzero(((points > lower - h) & (points < upper + h)).all(axis=1))
    phi = np.full(len(points), h)
    if len(at):
        phi[at] = solid.distance(points[at])
    return phi


def _add_parts(
    total: dict[int, float],
    solids: Mapping[int, Solid],
    middle: NDArray[np.float64],
    mask: NDArray[np.int64],
    close: Mapping[int, NDArray[np.bool_]],
    offsets: NDArray[np.float64],
    size: float,
) -> None:
    masks = np.repeat(mask[:, None], len(offsets), axis=1)
    crossed = np.zeros(masks.shape, np.int8)
    share, by = np.ones(masks.shape), np.zeros(masks.shape, np.int64)
    for bit, solid in solids.items():
        rows = np.flatnonzero(close[bit])
        if len(rows) == 0:
            continue
        phi = solid.distance((middle[rows, None] + offsets).reshape(-1, 3)).reshape(len(rows), -1)
        masks[rows] = (masks[rows] & ~(1 << bit)) | ((phi < 0.0).astype(np.int64) << bit)
        part = np.clip(0.5 + np.abs(phi) / size, 0.0, 1.0)
        here = part < 1.0
        crossed[rows] += here
        share[rows] = np.where(here, part, share[rows])
        by[rows] = np.where(here, bit, by[rows])
    volume = size**3
    own = np.where(crossed == 1, share, 1.0)
    _add(total, masks.ravel(), own.ravel() * volume)
    split = crossed == 1
    _add(total, masks[split] ^ (np.int64(1) << by[split]), (1.0 - own[split]) * volume)


def _add(total: dict[int, float], masks: NDArray[np.int64], volumes: NDArray[np.float64]) -> None:
    found, index = np.unique(masks, return_inverse=True)
    for one, volume in zip(found.tolist(), np.bincount(index.ravel(), volumes, len(found)).tolist(), strict=True):
        total[one] = total.get(one, 0.0) + volume
