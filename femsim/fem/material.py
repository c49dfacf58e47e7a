"""The material of every quadrature point: a few stiffness matrices, a scale, and local axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError, MaterialError
from femsim.fem.elasticity import checked, poisson_equivalent

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Above this Poisson's ratio displacement elements begin to lock; with nu = 0.45 the bulk modulus is ten times G.
LOCKING_POISSON = 0.45
#: How far local axes may be from orthonormal before they are called wrong (radians, or relative length).
AXES_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Material:
    """Stiffness ``scale * rotate(base[index], axes)`` at every quadrature point, and its stress-free strains.

    Parameters
    ----------
    base : (p, 6, 6) float64
        Stiffness matrices, MPa, in local axes. A single (6, 6) is taken as p = 1.
    index : (m,) int
        Row of `base` of every cell.
    scale : None, (m,) or (m, q) float64
        Factor on the stiffness, per cell or per quadrature point, > 0.
    axes : None or (m, 3, 3) float64
        Rows are the local axes in global coordinates; right-handed and orthonormal. Axis 3 is the axis of a
        transversely isotropic material. Isotropic materials ignore them.
    initial_strain : None or (m, 6) float64
        Stress-free strain in global axes, in every load case (cement shrinkage: three times -linear shrinkage).
    thermal_expansion : None, (p,), (p, 3) or (p, 6) float64
        Linear expansion, 1/degC: isotropic, along the local axes, or a whole tensor in local axes.
    temperature : None or (n,) float64
        Temperature above the stress-free one at the nodes, degC, in every load case.
    projected : None, bool or (p,) bool
        Whether the dilatation is projected (B-bar), which is needed for a nearly incompressible material. None is
        "not asked for": a warning is given where it is needed.

    Raises
    ------
    MaterialError
        If a stiffness is not positive definite, a scale is not positive and finite, or axes are not orthonormal.
    InputError
        If shapes do not agree.
    """

    base: Floats
    index: Ints
    scale: Floats | None = None
    axes: Floats | None = None
    initial_strain: Floats | None = None
    thermal_expansion: Floats | None = None
    temperature: Floats | None = None
    projected: bool | NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        base = np.asarray(self.base, float)
        base = base[None] if base.ndim == 2 else base
        base = np.ascontiguousarray([checked(one, f"base[{i}]") for i, one in enumerate(base)])
        object.__setattr__(self, "base", base)
        object.__setattr__(self, "index", np.ascontiguousarray(self.index, np.int64))
        for name in ("scale", "axes", "initial_strain", "thermal_expansion", "temperature"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, np.ascontiguousarray(value, np.float64))
        self._check_shapes()
        self._check_values()

    def _check_shapes(self) -> None:
        p, m = len(self.base), len(self.index)
        allowed: dict[str, tuple[bool, str]] = {
            "index": (self.index.ndim == 1, "(m,)"),
            "scale": (self.scale is None or (self.scale.ndim in (1, 2) and len(self.scale) == m), "(m,) or (m, q)"),
            "axes": (self.axes is None or self.axes.shape == (m, 3, 3), "(m, 3, 3)"),
            "initial_strain": (self.initial_strain is None or self.initial_strain.shape == (m, 6), "(m, 6)"),
            "thermal_expansion": (
                self.thermal_expansion is None or self.thermal_expansion.shape in ((p,), (p, 3), (p, 6)),
                "(p,), (p, 3) or (p, 6)",
            ),
            "projected": (_projection_shape(self.projected) in ((), (p,)), "a bool or (p,)"),
        }
        for name, (good, shape) in allowed.items():
            if not good:
                raise InputError(
                    f"Material.{name} has shape {np.shape(getattr(self, name))}; {shape} is needed "
                    f"with m = {m} cells and p = {p} base materials.",
                    "Every cell needs one value, in the order of the cells.",
                    f"Give an array of shape {shape}.",
                )

    def _check_values(self) -> None:
        p = len(self.base)
        bad = np.flatnonzero((self.index < 0) | (self.index >= p))
        if len(bad):
            raise MaterialError(
                f"Cell {bad[0]} has material index {self.index[bad[0]]} ({len(bad)} cells in all), "
                f"but there are {p} materials.",
                "A cell without a material has no stiffness.",
                f"Give indices from 0 to {p - 1}.",
            )
        if self.scale is not None:
            with np.errstate(invalid="ignore"):
                wrong = ~(np.isfinite(self.scale) & (self.scale > 0.0))
            if wrong.any():
                where = np.argwhere(wrong)[0]
                raise MaterialError(
                    f"The modulus scale of cell {where[0]} is {self.scale[tuple(where)]!r} ({int(wrong.sum())} values "
                    "are not positive and finite).",
                    "A modulus of zero, below zero or NaN gives equations without a solution.",
                    "Check the density map there, or give the modulus law a lower limit.",
                )
        self._check_axes()
        for name in ("initial_strain", "thermal_expansion", "temperature"):
            value = getattr(self, name)
            if value is not None and not np.isfinite(value).all():
                raise MaterialError(
                    f"Material.{name} is not finite at row {np.argwhere(~np.isfinite(value))[0][0]}.",
                    "Every stress would become NaN.",
                    "Give finite values.",
                )

    def _check_axes(self) -> None:
        if self.axes is None or len(self.axes) == 0:
            return
        gram = np.einsum("mij,mkj->mik", self.axes, self.axes) - np.eye(3)
        error = np.where(np.isfinite(gram), np.abs(gram), np.inf).max(axis=(1, 2))
        error[np.linalg.det(self.axes) < 0.0] = 2.0
        worst = int(error.argmax())
        if error[worst] > AXES_TOLERANCE:
            raise MaterialError(
                f"The local axes of cell {worst} are not orthonormal and right-handed:\n{self.axes[worst]}",
                "Stiffness can only be rotated by a rotation; anything else would change the moduli.",
                "Give three unit vectors as rows, at right angles, with axis 1 x axis 2 = axis 3.",
            )

    @property
    def nearly_incompressible(self) -> NDArray[np.bool_]:
        """Base materials in which displacement elements lock, (p,)."""
        return np.asarray(poisson_equivalent(self.base) > LOCKING_POISSON)

    @property
    def projection(self) -> NDArray[np.bool_]:
        """Base materials whose dilatation is projected, (p,)."""
        asked = np.asarray(False if self.projected is None else self.projected, bool)
        return np.array(np.broadcast_to(asked, len(self.base)))

    @property
    def isotropic(self) -> NDArray[np.bool_]:
        """Base materials that do not change when rotated, (p,)."""
        d = self.base
        g = (d[:, 0, 0] - d[:, 0, 1]) / 2.0
        ideal = np.zeros_like(d)
        ideal[:, :3, :3] = d[:, [0], [1]][:, :, None]
        ideal[:, range(6), range(6)] += g[:, None] * np.array([2.0, 2, 2, 1, 1, 1])
        return np.asarray(np.abs(d - ideal).max(axis=(1, 2)) <= 1e-9 * np.abs(d).max(axis=(1, 2)))

    def scale_table(self) -> Floats:
        """The scale as (1, 1), (m, 1) or (m, q)."""
        if self.scale is None:
            return np.ones((1, 1))
        return self.scale[:, None] if self.scale.ndim == 1 else self.scale

    def expansion(self) -> Floats | None:
        """Thermal expansion as engineering strain per degC in local axes, (p, 6), or None."""
        alpha = self.thermal_expansion
        if alpha is None:
            return None
        if alpha.ndim == 2 and alpha.shape[1] == 6:
            return alpha
        result = np.zeros((len(self.base), 6))
        result[:, :3] = alpha[:, None] if alpha.ndim == 1 else alpha
        return result


def _projection_shape(projected: bool | NDArray[np.bool_] | None) -> tuple[int, ...]:
    return () if projected is None else np.asarray(projected).shape
