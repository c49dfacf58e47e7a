"""Compiled constitutive laws of one material point: stress, internal state and consistent tangent of a strain.

Both laws are integrated by the closest-point projection (backward Euler), which for an associated flow rule is the
minimum of a convex incremental energy; the tangent is its exact second derivative, and symmetric [simo1998].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from femsim.fem.nonlinear.band import STEEPEST
from femsim.fem.nonlinear.return_kernels import CLOSE, multiplier, solve_q, strength_after

_jit: Any = njit(cache=True, nogil=True, error_model="numpy")

#: Columns of the table of numbers of a quadric law: first yield, residual strength, length of the plateau and of the
#: softening branch (the latter times the element size), in tension and in compression.
FIRST, LEFT_T, LEFT_C, FLAT_T, FLAT_C, SOFT_T, SOFT_C = 0, 1, 2, 3, 4, 5, 6


@_jit
def tension_share(s: Any) -> float:
    """Sum of the positive over the sum of all absolute principal stresses, 0 to 1 (Lee & Fenves 1998 [lee1998])."""
    mean = (s[0] + s[1] + s[2]) / 3.0
    a, b, c = s[0] - mean, s[1] - mean, s[2] - mean
    j2 = 0.5 * (a * a + b * b + c * c) + s[3] ** 2 + s[4] ** 2 + s[5] ** 2
    if j2 <= 1e-30 * mean * mean:
        return 1.0 if mean > 0.0 else 0.0
    j3 = a * (b * c - s[3] ** 2) - s[5] * (s[5] * c - s[3] * s[4]) + s[4] * (s[5] * s[3] - b * s[4])
    angle = np.arccos(min(1.0, max(-1.0, 1.5 * np.sqrt(3.0) * j3 / j2**1.5))) / 3.0
    size = 2.0 * np.sqrt(j2 / 3.0)
    positive, every = 0.0, 0.0
    for k in range(3):
        value = mean + size * np.cos(angle - 2.0 * np.pi * k / 3.0)
        every += abs(value)
        positive += max(value, 0.0)
    return positive / every


@_jit
def _branches(law: Any, share: float, size: float) -> tuple[float, float, float]:
    """Lengths of plateau and softening branch, and residual strength, for a share of tension."""
    flat = 1.0 / (share / law[FLAT_T] + (1.0 - share) / law[FLAT_C])
    soft = 1.0 / (share / law[SOFT_T] + (1.0 - share) / law[SOFT_C]) / size
    return flat, soft, share * law[LEFT_T] + (1.0 - share) * law[LEFT_C]


@_jit
def quadric_point(
    trial: Any, kappa: float, share: float, size: float, ratio: float, basis: Any, dual: Any, spread: Any, lean: Any,
    law: Any, clip: float, stress: Any, flow: Any, tangent: Any,
) -> tuple[float, float]:  # fmt: skip
    """Closest-point return to the quadric ``sqrt(s.F.s) + f.s = r(kappa)``.

    With ``F v = mu C^-1 v`` solved once for the material, the stress on the surface is a function of one scalar, whose
    root is bracketed: the return cannot fail.

    Parameters
    ----------
    trial : (6,)
        Elastic trial strain in the axes of the material.
    kappa : float
        Progress: 0 at first yield, 1 at the strength, 2 when softening is complete; at the beginning of the step.
    share : float
        Share of tension, frozen over the step; negative: take it from the trial stress.
    size : float
        Element size, mm.
    ratio : float
        Strength relative to the table (the elastic scale is taken out of all stresses here).
    basis, dual, spread, lean : (6, 6), (6, 6), (6,), (6,)
        V, C^-1 V, mu and V^T f of the material.
    law : (7,)
        See the columns above.
    clip : float
        Smallest slope of the strength in the tangent, relative to the elastic one; minus infinity is the exact tangent.
    stress, flow, tangent : (6,), (6,), (6, 6)
        Written.

    Returns
    -------
    kappa, gain : float
        Progress at the end, and the plastic multiplier: zero for an elastic step.
    """
    b, y, d = np.empty(6), np.empty(6), np.empty(6)
    for i in range(6):
        b[i] = 0.0
        flow[i] = 0.0
        for j in range(6):
            b[i] += basis[j, i] * trial[j]
    level, q = _gauge(b, spread, lean)
    flat, soft, left = _branches(law, max(share, 0.0), size)
    r, slope, _ = strength_after(kappa, 0.0, flat, soft, law[FIRST], left)
    if level <= ratio * r * (1.0 + 10.0 * CLOSE):
        _elastic(basis, b, stress, tangent)
        return kappa, 0.0
    if share < 0.0:
        stress[:] = 0.0
        for i in range(6):
            stress += basis[:, i] * b[i]
        flat, soft, left = _branches(law, tension_share(stress), size)
    stiff, energy = 0.0, 0.0
    for i in range(6):
        stiff += (spread[i] * b[i] / q + lean[i]) ** 2
        energy += b[i] ** 2
    steepest = STEEPEST * (level / ratio) ** 2 / energy  # twice the elastic energy at the strength is 1 / slope
    flat, soft = flat * ratio, max(soft * ratio, (1.0 - left) / (steepest * ratio))
    a = multiplier(b, spread, lean, kappa, flat, soft, law[FIRST], left, ratio, (level - ratio * r) / stiff / q)
    q = solve_q(a, b, spread, lean)
    gain = a * q
    _, slope, after = strength_after(kappa, gain, flat, soft, law[FIRST], left)
    for i in range(6):
        d[i] = 1.0 / (1.0 + a * spread[i])
        y[i] = (b[i] - gain * lean[i]) * d[i]
    for i in range(6):
        for j in range(6):
            flow[i] += dual[i, j] * (b[j] - y[j])
    _back(basis, y, _inner_tangent(a, q, d, y, spread, lean, slope * ratio, clip), stress, tangent)
    return after, gain


@_jit
def _inner_tangent(a: float, q: float, d: Any, y: Any, spread: Any, lean: Any, slope: float, clip: float) -> Any:
    """Consistent tangent in the basis V, in which C^-1 is the identity and F diagonal.

    The inverse of ``C^-1 + gain d2f/ds2`` is diagonal plus one product (Sherman & Morrison); ``slope`` is that of the
    strength over the plastic multiplier.
    """
    z, n, p = np.empty(6), np.empty(6), np.empty(6)
    zz, zn = 0.0, 0.0
    for i in range(6):
        z[i] = spread[i] * y[i]
        n[i] = z[i] / q + lean[i]
        zz += d[i] * z[i] ** 2
        zn += d[i] * z[i] * n[i]
    more = a / q**2 / (1.0 - a / q**2 * zz)
    stiff = 0.0
    for i in range(6):
        p[i] = d[i] * n[i] + more * d[i] * z[i] * zn
        stiff += n[i] * p[i]
    bottom = stiff + max(slope, clip * stiff)
    inner = np.empty((6, 6))
    for i in range(6):
        for j in range(6):
            inner[i, j] = more * d[i] * z[i] * d[j] * z[j] - p[i] * p[j] / bottom
        inner[i, i] += d[i]
    return inner


@_jit
def _gauge(y: Any, spread: Any, lean: Any) -> tuple[float, float]:
    """Gauge sqrt(s.F.s) + f.s and its first part, of a stress V y."""
    square, line = 0.0, 0.0
    for i in range(6):
        square += spread[i] * y[i] ** 2
        line += lean[i] * y[i]
    q = np.sqrt(square)
    return q + line, q


@_jit
def _elastic(basis: Any, b: Any, stress: Any, tangent: Any) -> None:
    for i in range(6):
        stress[i] = 0.0
        for j in range(6):
            stress[i] += basis[i, j] * b[j]
            s = 0.0
            for k in range(6):
                s += basis[i, k] * basis[j, k]
            tangent[i, j] = s


@_jit
def _back(basis: Any, y: Any, inner: Any, stress: Any, tangent: Any) -> None:
    """Stress V y and tangent V inner V^T."""
    half = np.empty((6, 6))
    for i in range(6):
        stress[i] = 0.0
        for j in range(6):
            stress[i] += basis[i, j] * y[j]
            s = 0.0
            for k in range(6):
                s += basis[i, k] * inner[k, j]
            half[i, j] = s
    for i in range(6):
        for j in range(i, 6):
            s = 0.0
            for k in range(6):
                s += half[i, k] * basis[j, k]
            tangent[i, j] = s
            tangent[j, i] = s
