"""Constitutive laws as data: what a material does beyond its elastic limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import InputError, MaterialError
from femsim.fem.material import Material

Floats = NDArray[np.float64]

#: Numbers of the laws in the kernels.
ELASTIC, VON_MISES, QUADRIC = 0, 1, 2
#: Columns of the numbers of a quadric law: residual strength, and length of the softening branch times the element
#: size, in tension and in compression.
LEFT, SOFT = (1, 2), (5, 6)


@dataclass(frozen=True)
class VonMises:
    """Von Mises plasticity of an isotropic material; small strains, rate-independent.

    The yield stress after an accumulated plastic strain ``a`` is ``yield_stress + linear a + voce (1 - exp(-rate a))``;
    the yield surface moves by ``kinematic`` (Prager: stress over plastic strain in uniaxial tension).

    Parameters
    ----------
    yield_stress : float
        MPa, > 0.
    linear, kinematic : float
        Hardening moduli, MPa, >= 0. A tangent modulus E_T is ``E E_T / (E - E_T)``.
    voce, rate : float
        Asymptotic hardening, MPa, and its rate; >= 0.

    Raises
    ------
    MaterialError
        If a number is negative or not finite.
    """

    yield_stress: float
    linear: float = 0.0
    kinematic: float = 0.0
    voce: float = 0.0
    rate: float = 0.0

    def __post_init__(self) -> None:
        _positive("yield_stress", self.yield_stress)
        for name in ("linear", "kinematic", "voce", "rate"):
            _positive(name, getattr(self, name), zero=True)


@dataclass(frozen=True)
class Branch:
    """What follows first yield in tension, or in compression.

    Parameters
    ----------
    plateau : float
        Plastic strain, along the load, between first yield and the strength; > 0.
    energy : float
        Energy that softening dissipates per area of the fracture (or crushing) band, N/mm; > 0. Infinite: the material
        never softens.
    residual : float
        Share of the strength that is left at the end, 0 < residual < 1. Zero would leave loose pieces.
    """

    plateau: float
    energy: float = np.inf
    residual: float = 0.02

    def __post_init__(self) -> None:
        _positive("plateau", self.plateau)
        if not (self.energy > 0.0):
            _positive("energy", self.energy)
        if not 0.0 < self.residual < 1.0:
            raise MaterialError(
                f"residual = {self.residual!r} is not between 0 and 1.",
                "Without any strength a failed part would be loose; above 1 it would not have softened.",
                "Give about 0.02.",
            )


@dataclass(frozen=True, eq=False)
class Quadric:
    """Plasticity with different strengths in tension and compression, in any symmetry, that hardens and then softens.

    The elastic domain is ``sqrt(s.F.s) + f.s <= r``: an ellipsoid, shifted towards compression (Schwiedrzik, Wolfram &
    Zysset 2013 [schwiedrzik2013], for bone). The relative strength ``r`` rises from ``first`` at first yield to 1 over
    the plateau of the branch and then falls to the residual so that a band of one element dissipates the fracture
    energy: the crack band of Bazant & Oh 1983 [bazant1983]. The flow is associated. Between tension and compression the
    branches are weighted by the share of tension among the principal stresses [lee1998] at the beginning of each step.

    Parameters
    ----------
    tension, compression : (3,) or float
        Strengths along the local axes, MPa.
    shear : None, float or (3,)
        Shear strengths in the local planes yz, xz, xy, MPa; None for the isotropic value of equal strengths.
    interaction : float, optional
        Coupling of the normal stresses, -1 < interaction < 0.5; 0.5 with equal strengths is von Mises. By default
        (c - t) / (c + t) of the axis where the strengths differ most, at most 0.49: then tension along one axis opens a
        band without plastic strain across it. A band that had to grow across would be held by what is beside it, and
        dissipate more than its fracture energy.
    first : float
        First yield over strength, 0 < first <= 1.
    in_tension, in_compression : Branch

    Raises
    ------
    MaterialError
        If a strength is not positive, or the domain is not convex.
    """

    tension: ArrayLike
    compression: ArrayLike
    in_tension: Branch
    in_compression: Branch
    shear: ArrayLike | None = None
    interaction: float | None = None
    first: float = 1.0

    def __post_init__(self) -> None:
        for name in ("tension", "compression"):
            for value in np.ravel(np.asarray(getattr(self, name), float)):
                _positive(name, float(value))
        if self.interaction is not None and not -1.0 < self.interaction < 0.5:
            raise MaterialError(
                f"interaction = {self.interaction!r} is not between -1 and 0.5.",
                "The elastic domain would not be convex, and the stress not unique.",
                "Leave it out, or give a value in between.",
            )
        if not 0.0 < self.first <= 1.0:
            raise MaterialError(
                f"first = {self.first!r} is not above 0 and at most 1.",
                "Yield comes before the strength is reached.",
                "Give yield stress over strength.",
            )

    def coupling(self) -> float:
        """The interaction asked for, or the default."""
        if self.interaction is not None:
            return self.interaction
        tension, compression = np.asarray(self.tension, float), np.asarray(self.compression, float)
        return float(min(0.49, np.max((compression - tension) / (compression + tension))))

    def quadratic(self) -> Floats:
        """F, (6, 6), 1/MPa2, in local axes; stresses in the order xx yy zz yz xz xy."""
        tension, compression = (np.broadcast_to(np.asarray(v, float), 3) for v in (self.tension, self.compression))
        mean = 0.5 * (1.0 / tension + 1.0 / compression)
        result = np.zeros((6, 6))
        coupling = self.coupling()
        result[:3, :3] = -coupling * np.outer(mean, mean)
        result[range(3), range(3)] = mean**2
        if self.shear is None:
            planes = 2.0 * (1.0 + coupling) * np.array([mean[1] * mean[2], mean[0] * mean[2], mean[0] * mean[1]])
        else:
            strength = np.broadcast_to(np.asarray(self.shear, float), 3)
            for value in strength:
                _positive("shear", float(value))
            planes = 1.0 / strength**2
        result[range(3, 6), range(3, 6)] = planes
        return result

    def linear(self) -> Floats:
        """f, (6,), 1/MPa."""
        tension, compression = (np.broadcast_to(np.asarray(v, float), 3) for v in (self.tension, self.compression))
        return np.concatenate([0.5 * (1.0 / tension - 1.0 / compression), np.zeros(3)])


Law = VonMises | Quadric


def _positive(name: str, value: float, zero: bool = False) -> None:
    if not (np.isfinite(value) and (value > 0.0 or (zero and value == 0.0))):
        raise MaterialError(
            f"{name} = {value!r} is not {'zero or ' if zero else ''}above zero and finite.",
            "The material would have no elastic domain, or a law that is not defined.",
            "Correct it.",
        )


@dataclass(frozen=True, eq=False)
class Inelastic:
    """The laws of all materials of a model.

    Parameters
    ----------
    laws : sequence of Law or None
        One for every base material of the `Material`; None is elastic for ever.
    size : (m,) float64, optional
        Width of the band into which softening localises in every cell, mm; `band_width` by default.
    elastic : (m,) bool, optional
        Cells that stay elastic whatever their material.
    strength : (m,) or (m, q) float64, optional
        Factor on the strength of every cell or quadrature point, beyond that of ``Material.scale``, which scales
        stiffness, strength and fracture energy alike. Only for `Quadric`.
    """

    laws: Sequence[Law | None]
    size: Floats | None = None
    elastic: NDArray[np.bool_] | None = None
    strength: Floats | None = None


@dataclass(frozen=True, eq=False)
class Tables:
    """The laws as the kernels take them; one row per base material."""

    kind: NDArray[np.int64]
    numbers: Floats
    basis: Floats
    dual: Floats
    spread: Floats
    lean: Floats


def tables(material: Material, laws: Sequence[Law | None]) -> Tables:
    """Work out what the kernels need.

    Raises
    ------
    InputError
        If the number of laws is not that of base materials.
    MaterialError
        If a von Mises law is given to a material that is not isotropic.
    """
    base, count = material.base, len(material.base)
    if len(laws) != count:
        raise InputError(
            f"There are {len(laws)} laws for {count} base materials.",
            "Every material needs one.",
            "Give None for a material that stays elastic.",
        )
    kind, numbers = np.zeros(count, np.int64), np.ones((count, 7))
    basis, dual = np.zeros((count, 6, 6)), np.zeros((count, 6, 6))
    spread, lean = np.zeros((count, 6)), np.zeros((count, 6))
    for p, law in enumerate(laws):
        if isinstance(law, VonMises):
            if not material.isotropic[p]:
                raise MaterialError(
                    f"Base material {p} is not isotropic but has a von Mises law.",
                    "The radial return holds for isotropic elasticity.",
                    "Give it a Quadric law.",
                )
            kind[p] = VON_MISES
            numbers[p, :5] = law.yield_stress, law.linear, law.voce, law.rate, law.kinematic
        elif isinstance(law, Quadric):
            kind[p] = QUADRIC
            numbers[p] = quadric_numbers(law)
            root = np.linalg.cholesky(base[p])
            spread[p], vectors = np.linalg.eigh(root.T @ law.quadratic() @ root)
            basis[p] = root @ vectors
            dual[p] = np.linalg.solve(base[p], basis[p])
            lean[p] = basis[p].T @ law.linear()
    return Tables(kind, numbers, basis, dual, np.maximum(spread, 0.0), lean)


def quadric_numbers(law: Quadric) -> Floats:
    """The row of a quadric law: lengths are plastic multipliers, strength times plastic strain, MPa.

    Along the third axis, the strongest of a bone, a plastic strain ``e`` at the strength ``S`` is the multiplier
    ``S e``, and dissipates ``S e`` per volume; a triangle of softening of the length L dissipates ``L / 2``.
    """
    numbers = [law.first]
    branches = (law.in_tension, law.in_compression)
    strength = [float(np.broadcast_to(np.asarray(v, float), 3)[2]) for v in (law.tension, law.compression)]
    numbers += [branch.residual for branch in branches]
    numbers += [s * branch.plateau for s, branch in zip(strength, branches, strict=True)]
    numbers += [min(2.0 * branch.energy / (1.0 - branch.residual), 1e30) for branch in branches]
    return np.array(numbers)
