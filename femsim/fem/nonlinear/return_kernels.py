"""Compiled return to the quadric: one scalar equation with a bracketed root, and the strength it meets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_jit: Any = njit(cache=True, nogil=True, error_model="numpy")

#: Relative accuracy of the projection on the yield surface.
CLOSE = 1e-13


@_jit
def strength_after(kappa: float, gain: float, flat: float, soft: float, first: float, left: float) -> tuple[float, ...]:
    """Relative strength, its slope, and kappa, after a plastic multiplier `gain`."""
    ahead = max(0.0, 1.0 - kappa) * flat
    if gain <= ahead and kappa < 1.0:
        now = kappa + gain / flat
        return first + (1.0 - first) * now, (1.0 - first) / flat, now
    now = max(kappa, 1.0) + (gain - ahead) / soft
    if now < 2.0:
        return 1.0 - (1.0 - left) * (now - 1.0), -(1.0 - left) / soft, now
    return left, 0.0, now


@_jit
def solve_q(a: float, b: Any, spread: Any, lean: Any) -> float:
    """sqrt(s.F.s) of the stress V (b - a q lean) / (1 + a mu): a quadratic equation in q; negative: no solution."""
    s0, s1, s2 = 0.0, 0.0, 0.0
    for i in range(6):
        m = spread[i] / (1.0 + a * spread[i]) ** 2
        s0 += m * b[i] ** 2
        s1 += m * b[i] * lean[i]
        s2 += m * lean[i] ** 2
    inside = (a * s1) ** 2 + (1.0 - a * a * s2) * s0
    if inside < 0.0:
        return -1.0
    bottom = a * s1 + np.sqrt(inside)
    return s0 / bottom if bottom > 0.0 else -1.0


@_jit
def _excess(
    a: float, b: Any, spread: Any, lean: Any, kappa: float, flat: float, soft: float, first: float, left: float,
    ratio: float,
) -> float:  # fmt: skip
    """Gauge less strength on the return path; minus infinity beyond its end."""
    q = solve_q(a, b, spread, lean)
    if q < 0.0:
        return -np.inf
    line = 0.0
    for i in range(6):
        line += lean[i] * (b[i] - a * q * lean[i]) / (1.0 + a * spread[i])
    return q + line - ratio * strength_after(kappa, a * q, flat, soft, first, left)[0]


@_jit
def multiplier(
    b: Any, spread: Any, lean: Any, kappa: float, flat: float, soft: float, first: float, left: float, ratio: float,
    start: float,
) -> float:  # fmt: skip
    """Root of `_excess`: bracketed by doubling, then by the Illinois method with bisection where it stalls."""
    low, high = 0.0, start
    at_low = _excess(low, b, spread, lean, kappa, flat, soft, first, left, ratio)
    at_high = _excess(high, b, spread, lean, kappa, flat, soft, first, left, ratio)
    scale = at_low + ratio
    while at_high > 0.0:
        low, at_low = high, at_high
        high *= 2.0
        at_high = _excess(high, b, spread, lean, kappa, flat, soft, first, left, ratio)
    side = 0
    for step in range(200):
        if np.isinf(at_high) or step % 8 == 7 or at_high >= at_low:
            mid = 0.5 * (low + high)
        else:
            mid = (low * at_high - high * at_low) / (at_high - at_low)
        at_mid = _excess(mid, b, spread, lean, kappa, flat, soft, first, left, ratio)
        if abs(at_mid) <= CLOSE * scale or high - low <= 1e-16 * high:
            return mid
        if at_mid > 0.0:
            low, at_low = mid, at_mid
            if side == 1:
                at_high *= 0.5
            side = 1
        else:
            high, at_high = mid, at_mid
            if side == -1:
                at_low *= 0.5
            side = -1
    return mid
