"""Checks and small repairs of a triangle surface from a file: repaired with a bound, or refused with a place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from femsim.anatomy._sections import volume_moments
from femsim.anatomy.intersections import self_intersections
from femsim.errors import GeometryError

Points = NDArray[np.float64]
Triangles = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Surface:
    """A closed, outward triangle surface and what was done to get it.

    Attributes
    ----------
    points : (p, 3) float64
        mm.
    triangles : (t, 3) int64
    notes : tuple of str
        One sentence a repair.
    """

    points: Points
    triangles: Triangles
    notes: tuple[str, ...] = ()


def repaired(points: Points, triangles: Triangles, name: str, hole: float = 5.0, stray: float = 0.01) -> Surface:
    """A closed, outward, single surface from the triangles of a file.

    Existing vertices do not move but to merge with one closer than 1e-5 of the surface's extent.

    Parameters
    ----------
    points, triangles : (p, 3) float64 mm, (t, 3) int
        As read; vertices may be repeated (STL).
    name : str
        Used in messages.
    hole : float
        Holes up to this diameter are closed by a fan, which lies within half of it of the true surface, mm.
    stray : float
        Components with a smaller volume, as a fraction of the largest, are dropped.

    Raises
    ------
    GeometryError
        If the surface is empty, not finite, flat, has larger holes, edges with three triangles or more that removing
        repeated triangles does not cure, or a second large component. The message gives place and count.
    """
    points, triangles = np.asarray(points, float), np.asarray(triangles, np.int64)
    if len(triangles) == 0 or not np.isfinite(points[triangles]).all():
        raise GeometryError(
            f"{name} has {len(triangles)} triangles" + (", some not finite." if len(triangles) else "."),
            "There is no surface to work with.",
            "Export the surface again.",
        )
    notes: list[str] = []
    points, triangles = _merged(points, triangles, notes)
    _refuse_branches(points, triangles, name)
    triangles = _oriented(triangles, name, notes)
    points, triangles = _filled(points, triangles, name, hole, notes)
    triangles = _largest(points, triangles, name, stray, notes)
    used, triangles = np.unique(triangles, return_inverse=True)
    points, triangles = points[used], triangles.reshape(-1, 3).astype(np.int64)
    if volume_moments(points[triangles])[0] < 0.0:
        triangles = triangles[:, ::-1].copy()
        notes.append("Turned inside out: the triangles faced inward.")
    crossing = self_intersections(points, triangles)
    if len(crossing):
        at = points[triangles[crossing[0, 0]]].mean(axis=0)
        notes.append(
            f"{name}: {len(np.unique(crossing))} triangles cut through others, the first at {_place(at)} mm; "
            "kept: overlaps count as inside."
        )
    return Surface(points, triangles, tuple(notes))


def _merged(points: Points, triangles: Triangles, notes: list[str]) -> tuple[Points, Triangles]:
    extent = float(np.ptp(points[triangles.ravel()], axis=0).max())
    step = max(1e-5 * extent, 1e-300)
    _, first, index = np.unique(np.round(points / step), axis=0, return_index=True, return_inverse=True)
    merged = index.reshape(-1)[triangles]
    degenerate = (merged == np.roll(merged, 1, axis=1)).any(axis=1)
    _, keep = np.unique(np.sort(merged, axis=1), axis=0, return_index=True)
    mask = np.zeros(len(merged), bool)
    mask[keep] = True
    mask &= ~degenerate
    if len(merged) > mask.sum():
        notes.append(f"Removed {len(merged) - int(mask.sum())} repeated or degenerate triangles.")
    return points[first], merged[mask]


def _edges(triangles: Triangles) -> tuple[Triangles, Triangles, Triangles]:
    """Directed edges (3t, 2) in the order 01, 12, 20 of all triangles; undirected edge of each; count per edge."""
    directed = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    _, index, count = np.unique(np.sort(directed, axis=1), axis=0, return_inverse=True, return_counts=True)
    return directed, index.reshape(-1), count


def _refuse_branches(points: Points, triangles: Triangles, name: str) -> None:
    directed, index, count = _edges(triangles)
    bad = count > 2
    if bad.any():
        at = points[directed[np.flatnonzero(bad[index])[0]]].mean(axis=0)
        raise GeometryError(
            f"{name}: {int(bad.sum())} edges belong to three triangles or more, the first at {_place(at)} mm.",
            "Inside and outside cannot be told there.",
            "Repair the surface (for example with MeshLab: remove non-manifold edges).",
        )


def _oriented(triangles: Triangles, name: str, notes: list[str]) -> Triangles:
    """Triangles turned so that neighbours agree, by colouring the doubled graph (triangle, turned triangle)."""
    directed, index, count = _edges(triangles)
    m = len(triangles)
    order = np.argsort(index, kind="stable")
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])[count == 2]
    one, two = order[starts], order[starts + 1]
    same = (directed[one] == directed[two]).all(axis=1)
    a, b = one % m, two % m
    other = np.where(same, b + m, b)
    turned = np.where(same, b, b + m)
    label = _components(np.concatenate([a, a + m]), np.concatenate([other, turned]), 2 * m)
    if (label[:m] == label[m:]).any():
        raise GeometryError(
            f"{name} is one-sided, like a Moebius strip.",
            "It has no inside.",
            "Repair the surface where its sides are joined.",
        )
    # Of the two colourings of each component keep the one that turns fewer triangles.
    size = np.bincount(label[:m], minlength=label.max() + 1)
    flip = size[label[:m]] < size[label[m:]]
    ties = size[label[:m]] == size[label[m:]]
    flip |= ties & (label[:m] > label[m:])
    if flip.any():
        notes.append(f"Turned {int(flip.sum())} triangles to agree with their neighbours.")
    return np.where(flip[:, None], triangles[:, ::-1], triangles)


def _filled(
    points: Points, triangles: Triangles, name: str, limit: float, notes: list[str]
) -> tuple[Points, Triangles]:
    directed, index, count = _edges(triangles)
    rim = directed[count[index] == 1]
    if len(rim) == 0:
        return points, triangles
    n = len(points)
    label = _components(rim[:, 0], rim[:, 1], n)
    holes = [rim[label[rim[:, 0]] == c] for c in np.unique(label[rim[:, 0]])]
    sizes = [float(np.ptp(points[h].reshape(-1, 3), axis=0).max()) for h in holes]
    if max(sizes) > limit:
        worst = int(np.argmax(sizes))
        raise GeometryError(
            f"{name} is open: {len(holes)} holes, the largest {sizes[worst]:.1f} mm wide at "
            f"{_place(points[holes[worst]].mean(axis=(0, 1)))} mm.",
            f"Holes wider than {limit:g} mm are not closed by guessing.",
            "Close the surface, or allow larger holes.",
        )
    centres = np.array([points[h].mean(axis=(0, 1)) for h in holes])
    fans = [np.column_stack([h[:, 1], h[:, 0], np.full(len(h), n + i)]) for i, h in enumerate(holes)]
    notes.append(f"Closed {len(holes)} holes, the largest {max(sizes):.2f} mm wide.")
    return np.concatenate([points, centres]), np.concatenate([triangles, *fans])


def _largest(points: Points, triangles: Triangles, name: str, stray: float, notes: list[str]) -> Triangles:
    n = len(points)
    pairs = np.concatenate([triangles[:, :2], triangles[:, 1:]])
    label = _components(pairs[:, 0], pairs[:, 1], n)
    owner = label[triangles[:, 0]]
    parts = [triangles[owner == c] for c in np.unique(owner)]
    volumes = np.array([abs(volume_moments(points[p])[0]) if len(p) >= 4 else 0.0 for p in parts])
    if volumes.max() < 1e-9:
        raise GeometryError(f"{name} is flat: it encloses no volume.", "There is no bone.", "Export it again.")
    order = np.argsort(-volumes)
    if len(parts) > 1:
        second = parts[order[1]]
        if volumes[order[1]] > stray * volumes[order[0]]:
            raise GeometryError(
                f"{name} has {len(parts)} components; the second, at {_place(points[second].mean(axis=(0, 1)))} mm, "
                f"holds {volumes[order[1]]:.0f} mm3 ({volumes[order[1]] / volumes[order[0]]:.1%} of the first).",
                "It is too large to be a stray part.",
                "Keep one bone in the file.",
            )
        notes.append(f"Dropped {len(parts) - 1} stray components of {volumes[order[1:]].sum():.3g} mm3 in all.")
    return parts[order[0]]


def _components(one: Triangles, two: Triangles, n: int) -> Triangles:
    label: Triangles = connected_components(coo_array((np.ones(len(one)), (one, two)), (n, n)), directed=False)[1]
    return label


def _place(point: Points) -> str:
    return "(" + ", ".join(f"{x:.1f}" for x in point) + ")"
