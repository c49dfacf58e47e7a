"""Hoffman's and the Tsai-Wu criterion for cortical bone, in which tension, compression and direction all matter.

Torsion of a shaft is a question of shear strength along the bone, which a principal-strain limit does not know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.errors import MaterialError
from femsim.fem.elasticity import as_tensor
from femsim.material import MaterialData

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Strengths:
    """Strengths of a transversely isotropic material, MPa, all positive; axis 3 is the long axis.

    Attributes
    ----------
    tension, compression : float
        Along the long axis.
    tension_transverse, compression_transverse : float
        Across it.
    shear : float
        In planes that hold the long axis.
    """

    tension: float
    compression: float
    tension_transverse: float
    compression_transverse: float
    shear: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (np.isfinite(value) and value > 0.0):
                raise MaterialError(
                    f"strength {name} = {value!r} MPa is not possible.",
                    "No demand can be compared with it.",
                    "Give a positive strength.",
                )

    @classmethod
    def of(cls, material: MaterialData) -> Strengths:
        """The strengths of a material of the library, which must have all five."""
        names = tuple(cls.__dataclass_fields__)
        missing = [name for name in names if name not in material.strength]
        if missing:
            raise MaterialError(
                f"{material.name} has no {', '.join(missing)}.",
                "An anisotropic criterion needs strengths along and across the bone and in shear.",
                "Choose a criterion that needs less, or give the strength.",
            )
        return cls(**{name: material[name] for name in names})


def in_axes(stress: Floats, axes: Floats) -> Floats:
    """Stress (p, 6) in the axes (p, 3, 3) whose rows are unit vectors, order xx yy zz yz xz xy."""
    local = axes @ as_tensor(stress) @ axes.transpose(0, 2, 1)
    return np.stack([local[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))], axis=1)


def hoffman(stress: Floats, strengths: Strengths) -> Floats:
    """Factor of risk by Hoffman's criterion.

    Parameters
    ----------
    stress : (m, 6) float64
        In the local axes of the material, MPa, order xx yy zz yz xz xy; z along the bone.
    strengths : Strengths

    Returns
    -------
    (m,) float64
        The factor r by which the stress has to be divided to lie on the failure surface; it grows in proportion to
        the stress, which the quadratic form itself does not.

    Raises
    ------
    MaterialError
        If the strengths do not belong to a convex surface.

    Notes
    -----
    Hoffman O, *The brittle strength of orthotropic materials*, J. Compos. Mater. 1967;1:200-6. Transverse isotropy
    needs no measured strength in the transverse plane in shear: it follows from invariance about the long axis.
    """
    s = strengths
    axial, across = 1.0 / (s.tension * s.compression), 1.0 / (s.tension_transverse * s.compression_transverse)
    # C12 belongs to (xx - yy)^2, C to the two differences with zz
    c, c12 = axial / 2.0, across - axial / 2.0
    if c12 <= -c / 2.0:
        raise MaterialError(
            "The strengths do not give a closed Hoffman surface.",
            "Some stress would never fail.",
            "The product of the strengths across the bone may not exceed four times that along it.",
        )
    xx, yy, zz, yz, xz, xy = stress.T
    square = c * ((yy - zz) ** 2 + (zz - xx) ** 2) + c12 * (xx - yy) ** 2
    # invariance about z: the coefficient of xy^2 is 2 (F11 - F12) = 2 (across + c12)
    square = square + 2.0 * (across + c12) * xy**2 + (yz**2 + xz**2) / s.shear**2
    return _factor(square, _linear(stress, s))


def tsai_wu(stress: Floats, strengths: Strengths, *, interaction: float = -0.5) -> Floats:
    """Factor of risk by the Tsai-Wu criterion; arguments as in `hoffman`.

    Parameters
    ----------
    interaction : float
        Normalised coupling ``F_ij / sqrt(F_ii F_jj)`` of two normal stresses, between -0.5 (which for equal strengths
        in tension and compression is von Mises) and below 1; it is hardly ever measured.

    Raises
    ------
    MaterialError
        If the surface is not closed.

    Notes
    -----
    Tsai SW, Wu EM, *A general theory of strength for anisotropic materials*, J. Compos. Mater. 1971;5:58-80.
    """
    if not -0.5 <= interaction < 1.0:
        raise MaterialError(
            f"interaction = {interaction!r} is not between -0.5 and 1.", "The surface is not closed.", "Use -0.5."
        )
    s = strengths
    axial, across = 1.0 / (s.tension * s.compression), 1.0 / (s.tension_transverse * s.compression_transverse)
    xx, yy, zz, yz, xz, xy = stress.T
    square = across * (xx**2 + yy**2) + axial * zz**2 + (yz**2 + xz**2) / s.shear**2
    square = square + 2.0 * interaction * (across * xx * yy + np.sqrt(across * axial) * (xx + yy) * zz)
    square = square + 2.0 * across * (1.0 - interaction) * xy**2
    return _factor(square, _linear(stress, s))


def _linear(stress: Floats, s: Strengths) -> Floats:
    across = 1.0 / s.tension_transverse - 1.0 / s.compression_transverse
    axial = 1.0 / s.tension - 1.0 / s.compression
    return np.asarray(across * (stress[:, 0] + stress[:, 1]) + axial * stress[:, 2])


def _factor(square: Floats, linear: Floats) -> Floats:
    """The positive root r of ``r^2 = linear r + square``; zero where nothing can fail (hydrostatic compression)."""
    return np.asarray(np.maximum((linear + np.sqrt(np.maximum(linear**2 + 4.0 * square, 0.0))) / 2.0, 0.0))
