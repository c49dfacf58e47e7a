"""Compiled radial return of von Mises plasticity at one material point [simo1998]."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from femsim.fem.nonlinear.return_kernels import CLOSE

_jit: Any = njit(cache=True, nogil=True, error_model="numpy")

#: Columns of the table of numbers of a von Mises law.
YIELD, LINEAR, VOCE, RATE, KINEMATIC = 0, 1, 2, 3, 4


@_jit
def von_mises_point(
    strain: Any, plastic: Any, kappa: float, bulk: float, shear: float, law: Any, clip: float, stress: Any, flow: Any,
    tangent: Any,
) -> float:  # fmt: skip
    """Radial return for von Mises plasticity with linear and Voce isotropic and linear kinematic hardening.

    Parameters
    ----------
    strain, plastic : (6,)
        Total strain; plastic strain at the beginning of the step (engineering shear).
    kappa : float
        Accumulated plastic strain at the beginning.
    bulk, shear : float
        Elastic moduli.
    law : (5,)
        Yield stress, linear and Voce hardening (asymptote, rate), kinematic hardening modulus.
    clip : float
        Smallest hardening modulus in the tangent, relative to three times the shear modulus.
    stress, flow, tangent : (6,), (6,), (6, 6)
        Written: stress, increment of plastic strain, consistent tangent.

    Returns
    -------
    float
        Increment of `kappa`; 0 for an elastic step.

    Notes
    -----
    Simo & Hughes 1998 [simo1998], boxes 3.1 and 3.2.
    """
    volume = strain[0] + strain[1] + strain[2] - plastic[0] - plastic[1] - plastic[2]
    for i in range(6):
        half = 1.0 if i < 3 else 0.5
        stress[i] = 2.0 * shear * half * (strain[i] - plastic[i])
        flow[i] = 0.0
    for i in range(3):
        stress[i] += (bulk - 2.0 / 3.0 * shear) * volume
    pressure = (stress[0] + stress[1] + stress[2]) / 3.0
    relative = np.empty(6)
    square = 0.0
    for i in range(6):
        back = law[KINEMATIC] * (2.0 / 3.0 if i < 3 else 1.0 / 3.0) * plastic[i]
        relative[i] = stress[i] - (pressure if i < 3 else 0.0) - back
        square += relative[i] ** 2 * (1.0 if i < 3 else 2.0)
    trial = np.sqrt(1.5 * square)
    gain = _radial_gain(trial, kappa, shear, law)
    theta = 1.0
    last = 0.0
    if gain > 0.0:
        theta = 1.0 - 3.0 * shear * gain / trial
        slope = law[LINEAR] + law[VOCE] * law[RATE] * np.exp(-law[RATE] * (kappa + gain)) + law[KINEMATIC]
        last = 1.0 / (1.0 + max(slope / (3.0 * shear), clip)) - (1.0 - theta)
        for i in range(6):
            direction = 1.5 * relative[i] / trial
            stress[i] -= 2.0 * shear * gain * direction
            flow[i] = gain * direction * (1.0 if i < 3 else 2.0)
    _radial_tangent(bulk, shear, theta, last, relative, square, tangent)
    return gain


@_jit
def _radial_tangent(
    bulk: float, shear: float, theta: float, last: float, relative: Any, square: float, tangent: Any
) -> None:
    tangent[:] = 0.0
    for i in range(3):
        for j in range(3):
            tangent[i, j] = bulk - 2.0 / 3.0 * shear * theta
        tangent[i, i] += 2.0 * shear * theta
        tangent[i + 3, i + 3] = shear * theta
    if last != 0.0:
        for i in range(6):
            for j in range(6):
                tangent[i, j] -= 2.0 * shear * last * relative[i] * relative[j] / square


@_jit
def _radial_gain(trial: float, kappa: float, shear: float, law: Any) -> float:
    """Plastic multiplier of the radial return: the root of a convex, falling function, by Newton from the left."""
    strength = law[YIELD] + law[LINEAR] * kappa + law[VOCE] * (1.0 - np.exp(-law[RATE] * kappa))
    if trial <= strength:
        return 0.0
    gain = 0.0
    for _ in range(50):
        now = kappa + gain
        tail = law[VOCE] * np.exp(-law[RATE] * now)
        strength = law[YIELD] + law[LINEAR] * now + law[VOCE] - tail
        excess = trial - (3.0 * shear + law[KINEMATIC]) * gain - strength
        if abs(excess) <= CLOSE * trial:
            break
        gain += excess / (3.0 * shear + law[KINEMATIC] + law[LINEAR] + law[RATE] * tail)
    return gain
