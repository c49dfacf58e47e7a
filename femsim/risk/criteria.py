"""Strength criteria: demand over capacity at every site, and in which mode it would fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.errors import MaterialError
from femsim.material import MaterialData, yield_strength
from femsim.material.assign import axes_along
from femsim.risk.anisotropic import Strengths, hoffman, in_axes, tsai_wu

Floats = NDArray[np.float64]

#: Numbers of the modes in the field "failure_mode".
MODES = ("none", "tension", "compression", "shear")


@dataclass(frozen=True, eq=False)
class State:
    """What a criterion looks at, for p sites of one material.

    Attributes
    ----------
    strain, stress : (p, 6) float64
        Averaged strain (engineering shear) and stress in MPa, order xx yy zz yz xz xy.
    axis : (p, 3) float64, optional
        Long axis of the bone, for criteria that know directions.
    density : (p,) float64, optional
        Apparent density, g/cm3, for strength that follows it; the material's own density where it is not given.
    strength_law : str
        Which law of strength from density.
    """

    strain: Floats
    stress: Floats
    axis: Floats | None = None
    density: Floats | None = None
    strength_law: str = "keyak_2005"

    @cached_property
    def principal_strain(self) -> Floats:
        """(p, 3), ascending."""
        return fem.principal(self.strain, strain=True)[0]

    @cached_property
    def principal_stress(self) -> Floats:
        """(p, 3) MPa, ascending."""
        return fem.principal(self.stress)[0]


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
        ``(State, material) -> (p, 3)``: demand over capacity in tension, compression and shear.
    validity, source : str
        For which materials, and keys of ``references.bib``.
    """

    title: str
    needs: tuple[str, ...]
    evaluate: Callable[[State, MaterialData], Floats]
    validity: str
    source: tuple[str, ...]


def _principal_strain(state: State, material: MaterialData) -> Floats:
    strain = state.principal_strain
    return np.stack(
        [strain[:, 2] / material["strain_tension"], -strain[:, 0] / material["strain_compression"], 0.0 * strain[:, 0]],
        axis=1,
    )


def _rankine(state: State, material: MaterialData) -> Floats:
    stress = state.principal_stress
    return np.stack(
        [
            stress[:, 2] / material["tension"],
            -stress[:, 0] / material["compression"],
            (stress[:, 2] - stress[:, 0]) / 2.0 / material["shear"],
        ],
        axis=1,
    )


def _von_mises(state: State, material: MaterialData) -> Floats:
    return _signed(fem.von_mises(state.stress) / material["yield"], state)


def _density_yield(state: State, material: MaterialData) -> Floats:
    if state.density is not None:
        density = state.density
    elif "density" in material.other:
        density = np.full(len(state.stress), material["density"])
    else:
        raise MaterialError(
            f"{material.name} has no density.",
            "Its strength by density cannot be found.",
            f"Choose another criterion for {material.name}.",
        )
    return _signed(fem.von_mises(state.stress) / yield_strength(density, state.strength_law, warn=False), state)


def _signed(ratio: Floats, state: State) -> Floats:
    """Yielding has no sign; it is put under the sign of the mean stress."""
    pulls = state.stress[:, :3].sum(axis=1) >= 0.0
    return np.stack([np.where(pulls, ratio, 0.0), np.where(pulls, 0.0, ratio), 0.0 * ratio], axis=1)


def _anisotropic(surface: Callable[[Floats, Strengths], Floats]) -> Callable[[State, MaterialData], Floats]:
    """A failure surface in the axes of the bone; the mode is that of the stress nearest to its own strength."""

    def evaluate(state: State, material: MaterialData) -> Floats:
        if state.axis is None:
            raise MaterialError(
                f"{material.name} has no long axis.",
                "An anisotropic criterion needs the direction of the bone.",
                "Choose a criterion without directions, such as principal_strain.",
            )
        s = Strengths.of(material)
        local = in_axes(state.stress, axes_along(state.axis))
        factor = surface(local, s)
        direct = local[:, :3] / [s.tension_transverse, s.tension_transverse, s.tension]
        against = -local[:, :3] / [s.compression_transverse, s.compression_transverse, s.compression]
        share = np.stack(
            [direct.max(axis=1), against.max(axis=1), np.hypot(local[:, 3], local[:, 4]) / s.shear], axis=1
        )
        return np.where(np.arange(3) == share.argmax(axis=1)[:, None], factor[:, None], 0.0)

    return evaluate


_ANISOTROPIC = tuple(Strengths.__dataclass_fields__)

CRITERIA: Mapping[str, Criterion] = MappingProxyType(
    {
        "principal_strain": Criterion(
            "largest and smallest principal strain against asymmetric limits",
            ("strain_tension", "strain_compression"),
            _principal_strain,
            "cortical and trabecular bone, quasi-static loading",
            ("schileo2008", "bayraktar2004"),
        ),
        "density_yield": Criterion(
            "von Mises stress against a yield stress that follows the density of the bone",
            (),
            _density_yield,
            "bone of known density; one strength for tension and compression, calibrated on whole-femur tests",
            ("keyak2005", "keyak1998", "keller1994", "carter1977"),
        ),
        "hoffman": Criterion(
            "Hoffman's surface in the axes of the bone, with strengths along, across and in shear",
            _ANISOTROPIC,
            _anisotropic(hoffman),
            "cortical bone, where torsion or splitting across the fibres decides",
            ("hoffman1967", "reilly1975", "turner2001"),
        ),
        "tsai_wu": Criterion(
            "the Tsai-Wu surface in the axes of the bone, interaction coefficient -0.5",
            _ANISOTROPIC,
            _anisotropic(tsai_wu),
            "cortical bone; the interaction coefficient is an assumption",
            ("tsai1971", "reilly1975", "turner2001"),
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


def demand(state: State, material: MaterialData) -> Floats:
    """Demand over capacity in tension, compression and shear, (p, 3); zero for a material that is not judged.

    Raises
    ------
    MaterialError
        If the material lacks a strength that its criterion needs.
    """
    if material.criterion == "none":
        return np.zeros((len(state.strain), 3))
    check_strengths(material)
    return CRITERIA[material.criterion].evaluate(state, material)


def check_strengths(material: MaterialData) -> None:
    """Make sure that a material has what its criterion needs.

    Raises
    ------
    MaterialError
        If a strength is missing.
    """
    if material.criterion == "none":
        return
    criterion = CRITERIA[material.criterion]
    missing = [name for name in criterion.needs if name not in material.strength]
    if missing:
        raise MaterialError(
            f"{material.name} has no {', '.join(missing)}.",
            f"Its criterion, {material.criterion}, cannot be evaluated.",
            f'Choose another criterion for {material.name}, or set it to "none" under [materials.{material.name}].',
        )
