"""Stress-free (initial and thermal) strain at quadrature points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.fem.elasticity import strain_rotation
from femsim.fem.elements import element
from femsim.fem.forces import scalar
from femsim.fem.loads import InitialStrain, Load, Thermal, label
from femsim.fem.model import Model

Floats = NDArray[np.float64]


def stress_free_strain(model: Model, case: Sequence[Load]) -> Floats | None:
    """Sum of the initial and thermal strains of the material and of one load case.

    Returns
    -------
    (m, q, 6) float64 or None
        Engineering strain in global axes; None where there is none.
    """
    m, q = len(model.cells), element(model.element).points
    parts: list[Floats] = []
    if model.material.initial_strain is not None:
        parts.append(np.broadcast_to(model.material.initial_strain[:, None, :], (m, q, 6)))
    temperature = model.material.temperature
    for load in case:
        if isinstance(load, Thermal):
            more = scalar(load.temperature, len(model.points), label(load))
            temperature = more if temperature is None else temperature + more
        elif isinstance(load, InitialStrain):
            parts.append(_initial(model, load))
    if temperature is not None:
        parts.append(_thermal(model, temperature))
    return sum(parts[1:], parts[0].copy()) if parts else None


def _initial(model: Model, load: InitialStrain) -> Floats:
    m, q = len(model.cells), element(model.element).points
    chosen = np.arange(m) if load.cells is None else np.asarray(load.cells)
    strain = np.asarray(load.strain, float)
    c = len(chosen)
    if strain.shape not in ((6,), (c, 6), (c, q, 6)) or not np.isfinite(strain).all():
        raise InputError(
            f"{label(load)} has a strain of shape {strain.shape}, or one that is not finite.",
            f"It acts on {c} cells of {q} quadrature points.",
            f"Give (6,), ({c}, 6) or ({c}, {q}, 6) finite numbers.",
        )
    out = np.zeros((m, q, 6))
    out[chosen] = strain if strain.ndim == 3 else np.broadcast_to(strain, (c, 6))[:, None, :]
    return out


def _thermal(model: Model, temperature: Floats) -> Floats:
    material = model.material
    alpha = material.expansion()
    if alpha is None:
        raise InputError(
            "A temperature is given, but no thermal expansion.",
            "Without a coefficient of expansion a temperature does nothing.",
            "Give Material.thermal_expansion, or leave the temperature out.",
        )
    at = np.einsum("qa,ma->mq", element(model.element).values, temperature[model.cells])
    local = alpha[material.index]
    if material.axes is not None:
        # The inverse of the rotation of strain into local axes is the rotation by the transposed axes.
        turned = np.flatnonzero(
            ~(np.ptp(alpha[:, :3], axis=1) + np.abs(alpha[:, 3:]).max(axis=1) == 0.0)[material.index]
        )
        back = strain_rotation(np.swapaxes(material.axes[turned], 1, 2))
        local = local.copy()
        local[turned] = np.einsum("mij,mj->mi", back, local[turned])
    return at[:, :, None] * local[:, None, :]
