"""Strength criteria: demand over capacity of every element, and in which mode it would fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.errors import MaterialError
from femsim.material import MaterialData

Floats = NDArray[np.float64]

#: Numbers of the modes in the field "failure_mode".
MODES = ("none", "tension", "compression", "shear")


@dataclass(frozen=True)
class Criterion:
    """A strength criterion.

    Attributes
    ----------
    title : str
        What it compares with what.
    needs : tuple of str
        Strength values of the material that it uses.
    evaluate : callable
        ``(principal strain (m, 3), principal stress (m, 3), material) -> (m, 3)``: demand over capacity in tension,
        compression and shear; principal values ascending.
    validity, source : str
        For which materials, and a key of ``references.bib``.
    """

    title: str
    needs: tuple[str, ...]
    evaluate: Callable[[Floats, Floats, MaterialData], Floats]
    validity: str
    source: tuple[str, ...]


def _principal_strain(strain: Floats, stress: Floats, material: MaterialData) -> Floats:
    return np.stack(
        [strain[:, 2] / material["strain_tension"], -strain[:, 0] / material["strain_compression"], 0.0 * strain[:, 0]],
        axis=1,
    )


def _rankine(strain: Floats, stress: Floats, material: MaterialData) -> Floats:
    return np.stack(
        [
            stress[:, 2] / material["tension"],
            -stress[:, 0] / material["compression"],
            (stress[:, 2] - stress[:, 0]) / 2.0 / material["shear"],
        ],
        axis=1,
    )


def _von_mises(strain: Floats, stress: Floats, material: MaterialData) -> Floats:
    a, b, c = stress.T
    mises = np.sqrt(((a - b) ** 2 + (b - c) ** 2 + (c - a) ** 2) / 2.0)
    # yielding has no sign; it is put under the sign of the mean stress
    pulls = stress.sum(axis=1) >= 0.0
    ratio = mises / material["yield"]
    return np.stack([np.where(pulls, ratio, 0.0), np.where(pulls, 0.0, ratio), 0.0 * ratio], axis=1)


CRITERIA: Mapping[str, Criterion] = MappingProxyType(
    {
        "principal_strain": Criterion(
            "largest and smallest principal strain against asymmetric limits",
            ("strain_tension", "strain_compression"),
            _principal_strain,
            "cortical and trabecular bone, quasi-static loading",
            ("schileo2008", "bayraktar2004"),
        ),
        "rankine": Criterion(
            "principal stress in tension and compression, and largest shear stress",
            ("tension", "compression", "shear"),
            _rankine,
            "brittle acrylic cement, single overload; not fatigue",
            ("femsim_domain",),
        ),
        "von_mises": Criterion(
            "von Mises stress against the yield stress",
            ("yield",),
            _von_mises,
            "metals and polymers",
            ("femsim_domain",),
        ),
    }
)


def demand(strain: Floats, stress: Floats, material: MaterialData) -> Floats:
    """Demand over capacity in tension, compression and shear, (m, 3); zero for a material that is not judged.

    Parameters
    ----------
    strain, stress : (m, 6) float64
        Averaged strain (engineering shear) and stress in MPa, order xx yy zz yz xz xy.
    material : MaterialData

    Raises
    ------
    MaterialError
        If the material lacks a strength that its criterion needs.
    """
    if material.criterion == "none":
        return np.zeros((len(strain), 3))
    criterion = CRITERIA[material.criterion]
    missing = [name for name in criterion.needs if name not in material.strength]
    if missing:
        raise MaterialError(
            f"{material.name} has no {', '.join(missing)}.",
            f"Its criterion, {material.criterion}, cannot be evaluated.",
            f'Add materials.{material.name}.{missing[0]} to the case, or set its criterion to "none".',
        )
    return criterion.evaluate(fem.principal(strain, strain=True)[0], fem.principal(stress)[0], material)
