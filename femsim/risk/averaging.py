"""Demand over a physical length: averages over a fixed volume of one material around every node.

A peak the size of one element grows without limit at a sharp edge as the mesh is refined, and no bone breaks of it.
The theory of critical distances (Taylor 2007) compares strength with the average over a region whose size belongs to
the material. Its volume method (Bellett et al. 2005) averages over a region of fixed volume at the root of the notch;
here the region is the material nearest to the node, as far as it is connected. Inside a body that is a ball, at a free
surface the half ball of equal volume, and in the feather edge of a breached cortex as much of the edge as it takes:
the amount of material that has to fail together is the same everywhere, whatever the mesh.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.errors import InputError
from femsim.risk._average_kernels import average_over_elements, average_over_volume

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: The region never reaches further than this many diameters of the ball from its node.
_REACH = 1.5
_CORNERS = {"tet4": 4, "tet10": 4, "hex8": 8, "hex20": 8, "hex20r": 8}


@dataclass(frozen=True, eq=False)
class Sites:
    """Where demand is judged: every node of a judged element, once for every material that meets there.

    Attributes
    ----------
    node, group : (p,) int64
        Corner node, and group (material) of the elements whose field is averaged.
    of_corner : (m, c) int64
        Site of every corner of every element; -1 where the element is not judged.
    """

    node: Ints
    group: Ints
    of_corner: Ints


def sites(cells: NDArray[np.integer], kind: str, group: NDArray[np.integer], judged: NDArray[np.bool_]) -> Sites:
    """The sites of a mesh: (node, group) pairs of the elements (m, k) that are `judged` (m,)."""
    corners = np.asarray(cells[:, : _CORNERS[kind]], np.int64)
    chosen = corners[judged]
    count = int(group.max()) + 1 if len(group) else 1
    pair = chosen * count + np.asarray(group, np.int64)[judged][:, None]
    unique, inverse = np.unique(pair, return_inverse=True)
    of_corner = np.full(corners.shape, -1, np.int64)
    of_corner[judged] = inverse.reshape(chosen.shape)
    return Sites(unique // count, unique % count, of_corner)


def volume_average(
    points: Floats,
    cells: NDArray[np.integer],
    kind: str,
    group: NDArray[np.integer],
    volumes: Floats,
    values: Floats,
    where: Sites,
    diameter: float,
    *,
    threads: int = 2,
) -> Floats:
    """Average of a field over the same volume of one group around every site.

    Parameters
    ----------
    points : (n, 3) float64
        Nodes, mm.
    cells : (m, k) int
    kind : str
        Element name.
    group : (m,) int
        Elements are averaged only with connected elements of the same group (one material).
    volumes : (m, q) float64
        Volumes of the quadrature points, mm3.
    values : (m, q, w) float64
        Field at the quadrature points.
    where : Sites
    diameter : float
        Of the ball whose volume is averaged over, mm; 0 takes the mean over the elements of the group at the node.
    threads : int
        The sites are shared among them.

    Returns
    -------
    (p, w) float64
        Where less connected material than the volume lies within 1.5 diameters, the average over what there is.

    Raises
    ------
    InputError
        If the diameter is negative or not finite.

    Notes
    -----
    Bellett D, Taylor D, Marco S, Mazzeo E, Guillois J, Pircher T, *The fatigue behaviour of three-dimensional stress
    concentrations*, Int. J. Fatigue 2005;27:207-21 (volume method). Elements that are large against the volume are
    divided in thought, with the field carried linearly from their quadrature points.
    """
    if not (math.isfinite(diameter) and diameter >= 0.0):
        raise InputError(
            f"averaging_length = {diameter!r} mm is not possible.",
            "Demand is averaged over the volume of a ball of this diameter.",
            "Give 0 for none, or 1 to 3 mm for bone.",
        )
    corners = np.ascontiguousarray(cells[:, : _CORNERS[kind]], np.int64)
    start, around = _elements_at_nodes(corners, len(points))
    number = np.ascontiguousarray(group, np.int64)
    size = volumes.sum(axis=1)
    own = (values * volumes[..., None]).sum(axis=1) / size[:, None]
    out = np.zeros((len(where.node), values.shape[2]))
    if diameter == 0.0:
        average_over_elements(start, around, number, size, own, where.node, where.group, out)
        return out
    middle = points[corners].mean(axis=1)
    extent = np.linalg.norm(points[corners] - middle[:, None], axis=2).max(axis=1)
    mesh = (points, corners, middle, extent, start, around, number, size, np.ascontiguousarray(values), own)
    rule = (*_subdivision(kind), _corner_weights(kind, fem.element(kind).quadrature))
    lengths = (math.pi * diameter**3 / 6.0, diameter / 2.0, diameter * _REACH)

    def part(rows: Ints) -> None:
        a, b = int(rows[0]), int(rows[-1]) + 1
        average_over_volume(*mesh, where.node[a:b], where.group[a:b], *lengths, *rule, out[a:b])

    shares = [rows for rows in np.array_split(np.arange(len(out)), max(threads, 1)) if len(rows)]
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        list(pool.map(part, shares))
    return out


def _elements_at_nodes(corners: Ints, nodes: int) -> tuple[Ints, Ints]:
    """Elements around every node: ``around[start[n]:start[n + 1]]``."""
    start = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(corners.ravel(), minlength=nodes), out=start[1:])
    return start, np.argsort(corners, axis=None, kind="stable") // corners.shape[1]


def _corner_weights(kind: str, xi: Floats) -> Floats:
    """Linear shape functions of the corners at reference points (s, 3): (s, c)."""
    if _CORNERS[kind] == 4:
        return np.ascontiguousarray(np.column_stack([1.0 - xi.sum(axis=1), xi]))
    return np.ascontiguousarray(fem.element("hex8").function(xi)[0])


@cache
def _subdivision(kind: str) -> tuple[Floats, Floats]:
    """Points that resolve one large element: weights (s, c) of its corners, and (s + c, q) of its quadrature points,
    with those of the corners themselves behind."""
    own = _corner_weights(kind, fem.element(kind).quadrature)
    if _CORNERS[kind] != 4:
        # hexahedra come from voxels and blocks, which are equally fine everywhere
        # a linear field through the quadrature points, by least squares where there are more of them than corners
        return own, np.ascontiguousarray(np.vstack([np.eye(len(own)), np.linalg.pinv(own)]))
    a, b, c, d = np.eye(4)
    ab, ac, ad, bc, bd, cd = ((x + y) / 2 for x, y in ((a, b), (a, c), (a, d), (b, c), (b, d), (c, d)))
    eighths = [
        (a, ab, ac, ad), (ab, b, bc, bd), (ac, bc, c, cd), (ad, bd, cd, d),
        (ab, ac, ad, bd), (ab, ac, bc, bd), (ac, ad, bd, cd), (ac, bc, bd, cd),
    ]  # fmt: skip
    inner = _corner_weights("tet10", fem.element("tet10").quadrature)
    place = np.concatenate([inner @ np.array(one) for one in eighths])
    every = np.vstack([place, np.eye(4)])
    field = np.ones((len(every), 1)) if len(own) == 1 else every @ np.linalg.inv(own)
    return np.ascontiguousarray(place), np.ascontiguousarray(field)
