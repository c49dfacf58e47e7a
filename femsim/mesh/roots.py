"""Where edges cross the surface of a solid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from femsim.solid.base import Solid

Array = NDArray[np.float64]


def crossing(solid: Solid, a: Array, b: Array, fa: Array, fb: Array, rounds: int = 4) -> tuple[Array, Array]:
    """Points (n, 3) where the distance is zero between `a` and `b` (n, 3), and their share (n,) of the way.

    `fa` and `fb` are the distances at the ends, of opposite sign. Regula falsi, kept from stalling by halving the
    value at an end that stays twice (Illinois); four rounds leave errors below 1e-4 of the edge.
    """
    ta, tb = np.zeros(len(a)), np.ones(len(a))
    fa, fb = fa.copy(), fb.copy()
    t = np.full(len(a), 0.5)
    for _ in range(rounds):
        t = np.clip(ta - fa * (tb - ta) / np.where(fb == fa, 1.0, fb - fa), ta, tb)
        f = solid.distance(a + t[:, None] * (b - a))
        first = (f < 0) == (fa < 0)
        ta, tb = np.where(first, t, ta), np.where(first, tb, t)
        fa, fb = np.where(first, f, 0.5 * fa), np.where(first, 0.5 * fb, f)
    return a + t[:, None] * (b - a), t
