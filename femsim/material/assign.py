"""From named materials to the stiffness of every quadrature point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError, MaterialError
from femsim.fem.elasticity import poisson_equivalent
from femsim.fem.material import Material
from femsim.material.density import elastic_modulus
from femsim.material.material_data import MaterialData, get

Floats = NDArray[np.float64]

#: Above this Poisson's ratio the dilatation is projected. Quadratic tetrahedra do not lock noticeably below it; the
#: measured constants of cortical bone have the bulk modulus of nu = 0.455.
PROJECT_ABOVE = 0.47


def assign(
    materials: Sequence[MaterialData | str],
    index: NDArray[np.integer],
    *,
    density: Floats | None = None,
    axis: Floats | None = None,
    remaining: Floats | None = None,
    floor: float | None = None,
    warn: bool = True,
) -> Material:
    """The `femsim.fem.Material` of a mesh whose cells name their materials.

    Parameters
    ----------
    materials : sequence of MaterialData or str
        The materials that occur.
    index : (m,) int
        Material of every cell.
    density : (m, q) or (m,) float64, optional
        Apparent density in g/cm3 at the quadrature points. Needed where a material has a density law; without it
        such a material has its constant modulus.
    axis : (m, 3) float64, optional
        Long axis of the bone at every cell; needed where a material is not isotropic. Length is ignored.
    remaining : (m, q) float64, optional
        Share of the density that permeative lesions have left at the quadrature points, 0 to 1. It multiplies
        `density`; a material of constant modulus is scaled by its power ``density_exponent`` (`wirtz2000`), if it
        has one: the cortex. What is not bone is not touched.
    floor : float, optional
        Smallest modulus of a density law and of weakened bone, MPa; that of marrow by default.
    warn : bool
        Warn where a density law is used outside the densities it was measured on.

    Returns
    -------
    femsim.fem.Material
        With a scale per quadrature point where a density law is used, else without.

    Raises
    ------
    InputError
        If shapes do not agree, an axis has no length, or an anisotropic material has no axis.
    MaterialError
        If a stiffness is not that of a stable material.
    """
    chosen = tuple(get(m) if isinstance(m, str) else m for m in materials)
    number = np.asarray(index, dtype=np.int64)
    _check(chosen, number, density, axis, remaining)
    base = np.stack([m.stiffness() for m in chosen])
    return Material(
        base=base,
        index=number,
        scale=_scale(
            chosen, number, density, remaining, get("marrow").axial_modulus if floor is None else floor, warn=warn
        ),
        axes=None if axis is None else axes_along(axis),
        projected=poisson_equivalent(base) > PROJECT_ABOVE,
    )


def blended(material: Material, shares: Sequence[tuple[MaterialData | str, Floats]]) -> Material:
    """A material with others mixed into some cells by volume: for parts too thin to be meshed.

    Parameters
    ----------
    material : femsim.fem.Material
        Without the parts.
    shares : sequence of (MaterialData or str, (m,) float64)
        A material and the share of every cell's volume that it takes, 0 to 1. Only isotropic ones.

    Returns
    -------
    femsim.fem.Material
        In cells with a share: the mean of the stiffnesses by volume (Voigt), constant over the cell; the stiffness of
        what was there is that of the cell's mean scale. Shares count to 1/64.

    Raises
    ------
    MaterialError
        If a material that is mixed in is not isotropic.

    Notes
    -----
    Voigt's mean is exact for layers under equal strain, as in a wall that is stretched or bent along its length, and
    an upper bound across it.
    """
    for one, share in shares:
        material = _blended(material, get(one) if isinstance(one, str) else one, np.asarray(share, np.float64))
    return material


def _blended(material: Material, other: MaterialData, share: Floats) -> Material:
    if other.symmetry != "isotropic":
        raise MaterialError(
            f"{other.name} cannot be mixed into elements: it is not isotropic.",
            "The direction of a wall inside an element is not known.",
            'Use an isotropic material for the wall, or mesh.walls = "resolve".',
        )
    steps = np.rint(64.0 * share).astype(np.int64)
    cells = np.flatnonzero(steps > 0)
    if len(cells) == 0:
        return material
    scale = np.broadcast_to(material.scale_table(), (len(material.index), material.scale_table().shape[1])).copy()
    mean = scale[cells].mean(axis=1)
    # Cells of like mixture share a stiffness: scales are told apart to 1 %.
    log = np.rint(np.log(mean) / 0.01).astype(np.int64)
    kinds, number = np.unique(np.stack([material.index[cells], steps[cells], log], axis=1), axis=0, return_inverse=True)
    part = kinds[:, 1, None, None] / 64.0
    old = material.base[kinds[:, 0]] * np.exp(0.01 * kinds[:, 2])[:, None, None]
    base = part * other.stiffness() + (1.0 - part) * old
    index = material.index.copy()
    index[cells] = len(material.base) + number.ravel()
    scale[cells] = 1.0
    projected = np.concatenate([material.projection, poisson_equivalent(base) > PROJECT_ABOVE])
    return replace(material, base=np.concatenate([material.base, base]), index=index, scale=scale, projected=projected)


def _check(
    materials: tuple[MaterialData, ...],
    index: NDArray[np.int64],
    density: Floats | None,
    axis: Floats | None,
    remaining: Floats | None,
) -> None:
    used = {materials[i].name: materials[i] for i in np.unique(index) if 0 <= i < len(materials)}
    oriented = [name for name, m in used.items() if m.symmetry != "isotropic"]
    if oriented and axis is None:
        raise InputError(
            f"{', '.join(oriented)} needs a long axis in every cell.",
            "Its stiffness depends on the direction.",
            "Give axis, (m, 3).",
        )
    for name, array in (("density", density), ("axis", axis), ("remaining", remaining)):
        if array is not None and len(array) != len(index):
            raise InputError(
                f"{name} has {len(array)} rows for {len(index)} cells.",
                "Every cell needs its own.",
                f"Give {name} with {len(index)} rows.",
            )


def _scale(
    materials: tuple[MaterialData, ...],
    index: NDArray[np.int64],
    density: Floats | None,
    remaining: Floats | None,
    floor: float,
    *,
    warn: bool,
) -> Floats | None:
    if remaining is None and (density is None or not any(m.density_law for m in materials)):
        return None
    scale = np.ones_like(remaining if density is None else density, dtype=np.float64)
    for i, material in enumerate(materials):
        cells = index == i
        if not cells.any():
            continue
        if material.density_law and density is not None:
            left = density[cells] if remaining is None else density[cells] * remaining[cells]
            scale[cells] = elastic_modulus(left, material.density_law, floor=floor, warn=warn) / material.axial_modulus
        elif material.density_exponent is not None and remaining is not None:
            weakened = remaining[cells] ** material.density_exponent
            scale[cells] = np.maximum(weakened, floor / material.axial_modulus)
    return scale


def axes_along(axis: Floats) -> Floats:
    """Right-handed orthonormal axes (m, 3, 3) whose third row is along `axis` (m, 3).

    The first two rows are any perpendicular pair, continuous in `axis` away from its negative z direction: enough for
    transversely isotropic materials.

    Notes
    -----
    Duff et al., *Building an orthonormal basis, revisited*, J. Computer Graphics Techniques 2017;6:1-8.
    """
    direction = np.asarray(axis, dtype=np.float64)
    length = np.linalg.norm(direction, axis=1, keepdims=True)
    if not (np.isfinite(length).all() and (length > 0).all()):
        raise InputError(
            "The long axis of a cell has no length or is not finite.",
            "The stiffness of cortical bone cannot be turned into it.",
            "Check the axis field of the bone.",
        )
    x, y, z = (direction / length).T
    sign = np.where(z >= 0, 1.0, -1.0)
    a = -1.0 / (sign + z)
    b = x * y * a
    first = np.stack([1.0 + sign * x * x * a, sign * b, -sign * x], axis=1)
    second = np.stack([b, sign + y * y * a, -y], axis=1)
    return np.stack([first, second, np.stack([x, y, z], axis=1)], axis=1)
