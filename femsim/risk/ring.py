"""Sections of concentric rings with sectors: the shaft with a defect, for checks against closed forms and for A8."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from femsim.errors import InputError
from femsim.risk.section import Section


def ring_section(
    rings: ArrayLike,
    regions: dict[tuple[int, float, float], tuple[float, float] | None],
    default: ArrayLike,
    *,
    per_ring: int = 12,
    around: int = 240,
) -> Section:
    """A polar mesh of concentric rings, of which sectors may have another material or none.

    Parameters
    ----------
    rings : (k + 1,) float
        Radii, mm, increasing; the first may be 0.
    regions : mapping of (ring, start, stop) degrees to (E, G) MPa or None
        Sectors that differ from the rest of their ring; None is empty. Borders are resolved exactly where they
        are multiples of ``360 / around`` degrees.
    default : (k, 2) float
        E and G of every ring, MPa; 0 is empty.
    per_ring, around : int
        Layers of a ring and divisions of the circle.

    Returns
    -------
    Section
    """
    radii = np.asarray(rings, float)
    modulus = np.asarray(default, float)
    if radii.ndim != 1 or len(radii) < 2 or radii[0] < 0 or (np.diff(radii) <= 0).any():
        raise InputError(
            f"rings = {radii.tolist()} are not increasing radii.", "There is no section.", "Give two radii or more."
        )
    levels = [np.linspace(a, b, per_ring + 1)[:-1] for a, b in pairwise(radii.tolist())]
    radius = np.append(np.concatenate(levels), radii[-1])
    angle = np.arange(around) * 2.0 * np.pi / around
    points = (radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)).reshape(-1, 2)
    i, j = np.meshgrid(np.arange(len(radius) - 1), np.arange(around), indexing="ij")
    k = (j + 1) % around
    a, b, c, d = i * around + j, (i + 1) * around + j, (i + 1) * around + k, i * around + k
    triangles = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], axis=2).reshape(-1, 3)
    ring = np.repeat((i // per_ring).ravel(), 2)
    degrees = np.repeat(((j + 0.5) * 360.0 / around).ravel(), 2)
    values = modulus[ring].copy()
    for (number, start, stop), pair in regions.items():
        inside = (ring == number) & (((degrees - start) % 360.0) < (stop - start))
        values[inside] = (0.0, 0.0) if pair is None else pair
    if radii[0] == 0.0:
        triangles = np.where(triangles < around, 0, triangles)
    flat = (triangles[:, 0] == triangles[:, 2]) | (triangles[:, 0] == triangles[:, 1])
    keep = (values[:, 0] > 0) & ~flat
    return Section(points, triangles[keep].astype(np.int64), values[keep, 0], values[keep, 1],
                   np.full(int(keep.sum()), -1, np.int64))  # fmt: skip
