"""How wide the band is into which softening localises, and how wide it may be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from femsim.fem.nonlinear.laws import LEFT, SOFT, Law, Quadric, quadric_numbers
from femsim.fem.workspace import Grid

Floats = NDArray[np.float64]

#: Softening steeper than this share of what would snap back within one element under one stress is cut off: an element
#: too large for its fracture energy dissipates more than that.
STEEPEST = 0.9


def band_width(grid: Grid) -> Floats:
    """Width of the band into which softening localises in every cell, (m,), mm.

    The edge of the regular tetrahedron, or of the cube, of the same volume; of the share of one quadrature point where
    the strain varies within the cell, since a single layer of points can then soften while its neighbours unload
    (Jirasek & Bauer 2012 [jirasek2012]).
    """
    shape = grid.element
    factor = 6.0 * np.sqrt(2.0) if shape.name.startswith("tet") else 1.0
    layers = {"tet10": 4.0, "hex20": 8.0, "hex20r": 8.0}.get(shape.name, 1.0)
    return np.asarray(np.cbrt(factor / layers * grid.volume.sum(axis=1)))


def longest_band(base: Floats, laws: Sequence[Law | None]) -> Floats:
    """Widest band whose softening can dissipate the fracture energy, in tension and compression, (p, 2), mm.

    About ``2 E G / S^2``, the length over which the elastic energy at the strength S would pay for the fracture energy
    G (Bazant & Oh 1983 [bazant1983]), along the local axis where it is shortest. A wider band would snap back within
    itself; its softening is made less steep, it dissipates more than G, and the load it leads to is too high. Infinite
    where nothing softens.

    Parameters
    ----------
    base : (p, 6, 6) float64
        Stiffness of the base materials, MPa.
    laws : sequence of Law or None
        Of every base material.
    """
    found = np.full((len(laws), 2), np.inf)
    for row, law in enumerate(laws):
        if not isinstance(law, Quadric):
            continue
        modulus = 1.0 / np.diag(np.linalg.inv(base[row]))[:3]
        numbers = quadric_numbers(law)
        for side, strength in enumerate((law.tension, law.compression)):
            s = np.broadcast_to(np.asarray(strength, float), 3)
            found[row, side] = STEEPEST * numbers[SOFT[side]] / (1.0 - numbers[LEFT[side]]) * (modulus / s**2).min()
    return found
