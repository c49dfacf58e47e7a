"""From named materials to what they do beyond their elastic limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from femsim.errors import MaterialError
from femsim.fem import nonlinear
from femsim.material.material_data import MaterialData

#: Share of the strength that is left after tensile fracture, so that no fragment is loose in the equations.
RESIDUAL = 0.02
#: Shortest plateau, as plastic strain: none at all would be a corner without an inside.
SHORTEST = 1e-4


def law(material: MaterialData) -> nonlinear.Law | None:
    """The constitutive law of a material; None where it stays elastic: soft tissue, or a strength nobody knows.

    Bone (criterion ``principal_strain``) and cement (``rankine``) follow `femsim.fem.nonlinear.Quadric`, metals and
    polymers (``von_mises``) yield without hardening.

    - Strengths are those of the library; where a bone has none in MPa they are yield strain times modulus, so that
      they follow the density law as the modulus does.
    - First yield of bone is at its yield strain along the axis.
    - The plateau is the strain at the strength less the elastic part; the energies are ``fracture_energy`` and
      ``crushing_energy``. Where the former is missing it is K_Ic^2 / E. Without the latter there is no softening in
      compression.

    Raises
    ------
    MaterialError
        If a number that the law needs is missing, naming it.
    """
    if material.kind == "soft" or material.criterion == "none":
        return None
    if material.criterion == "von_mises":
        _need(material, ("yield",))
        return nonlinear.VonMises(material["yield"])
    known = material.strength
    first = 1.0
    if material.criterion == "principal_strain" and not {"tension", "compression"} <= set(known):
        _need(material, ("strain_tension", "strain_compression"))
        tension = material["strain_tension"] * material.axial_modulus
        compression = material["strain_compression"] * material.axial_modulus
    else:
        _need(material, ("tension", "compression"))
        tension, compression = material["tension"], material["compression"]
        if {"strain_tension", "strain_compression"} <= set(known):
            ratios = [
                material["strain_tension"] * material.axial_modulus / tension,
                material["strain_compression"] * material.axial_modulus / compression,
            ]
            first = min(1.0, float(np.mean(ratios)))
    _need(material, ("ultimate_strain_tension",))
    branches = (
        nonlinear.Branch(
            _plateau(material, "tension", tension), _fracture_energy(material), _left(material, "tension")
        ),
        nonlinear.Branch(
            _plateau(material, "compression", compression),
            material["crushing_energy"] if "crushing_energy" in known else np.inf,
            _left(material, "compression"),
        ),
    )
    along = [_across(material, "tension", tension), _across(material, "compression", compression)]
    return nonlinear.Quadric(
        (along[0], along[0], tension), (along[1], along[1], compression), *branches,
        shear=_shear(material, along[0], along[1]), first=first,
    )  # fmt: skip


def laws(materials: Sequence[MaterialData]) -> tuple[nonlinear.Law | None, ...]:
    """The laws of several materials."""
    return tuple(law(one) for one in materials)


def keep_elastic(
    materials: Sequence[MaterialData], index: NDArray[np.int64], density: NDArray[np.float64], minimum: float
) -> NDArray[np.bool_]:
    """Cells whose bone is so thin that it is marrow, (m,): they carry nothing, and their yielding means nothing."""
    by_density = np.array([bool(one.density_law) for one in materials])[index]
    return np.asarray(by_density & (density.mean(axis=1) < minimum))


def _need(material: MaterialData, names: Sequence[str]) -> None:
    missing = [name for name in names if name not in material.strength]
    if missing:
        raise MaterialError(
            f"{material.name} has no {', '.join(missing)}.",
            "Its behaviour beyond the elastic limit cannot be worked out.",
            f'Set the criterion of {material.name} to "none" (it then stays elastic), or leave out the non-linear '
            "analysis.",
        )


def _plateau(material: MaterialData, side: str, strength: float) -> float:
    name = f"ultimate_strain_{side}"
    if name not in material.strength:
        return 0.05
    return max(SHORTEST, material[name] - strength / material.axial_modulus)


def _left(material: MaterialData, side: str) -> float:
    name = f"residual_{side}"
    return material[name] if name in material.strength else RESIDUAL


def _fracture_energy(material: MaterialData) -> float:
    if "fracture_energy" in material.strength:
        return material["fracture_energy"]
    _need(material, ("toughness",))
    return 1000.0 * material["toughness"] ** 2 / material.axial_modulus  # MPa m = 1000 N/mm


def _across(material: MaterialData, side: str, along: float) -> float:
    name = f"{side}_transverse"
    return material[name] if name in material.strength else along


def _shear(material: MaterialData, tension: float, compression: float) -> tuple[float, float, float] | None:
    """Shear strengths yz, xz, xy; None for an isotropic material, whose shear strength follows from the others."""
    if material.symmetry == "isotropic" or "shear" not in material.strength:
        return None
    mean = 0.5 * (1.0 / tension + 1.0 / compression)
    coupling = (compression - tension) / (compression + tension)
    across = 1.0 / (np.sqrt(2.0 * (1.0 + coupling)) * mean)  # isotropic in the transverse plane
    return (material["shear"], material["shear"], float(across))
