"""Elastic stiffness matrices and the algebra of symmetric tensors in Voigt order.

The order is xx yy zz yz xz xy with engineering shear strain, here and everywhere in femsim.
Formulas: Lekhnitskii, Theory of Elasticity of an Anisotropic Body (1981); Ting, Anisotropic Elasticity (1996), ch. 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import MaterialError

Floats = NDArray[np.float64]

#: Row and column of the tensor for every Voigt component.
VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))

#: The unit tensor.
IDENTITY = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])


def isotropic(E: float, nu: float) -> Floats:
    """Stiffness of an isotropic material.

    Parameters
    ----------
    E : float
        Young's modulus, MPa.
    nu : float
        Poisson's ratio, between -1 and 0.5 (both excluded). Above about 0.45 displacement elements lock: see
        `Material.projected`.

    Returns
    -------
    (6, 6) float64
        MPa.

    Raises
    ------
    MaterialError
        If the values are not finite or the matrix is not positive definite.
    """
    _check_poisson("nu", nu)
    return orthotropic((E, E, E), (nu, nu, nu), (E / (2.0 * (1.0 + nu)),) * 3)


def transversely_isotropic(
    E_axial: float, E_transverse: float, G_axial: float, nu_axial: float, nu_transverse: float
) -> Floats:
    """Stiffness of a transversely isotropic material; axis 3 is the axis of symmetry.

    Parameters
    ----------
    E_axial, E_transverse : float
        Young's moduli along axis 3 and in the plane 12, MPa.
    G_axial : float
        Shear modulus in the planes 13 and 23, MPa.
    nu_axial : float
        Poisson's ratio nu_31: strain across, for a stress along axis 3.
    nu_transverse : float
        Poisson's ratio nu_12 in the plane of isotropy.

    Returns
    -------
    (6, 6) float64
        MPa.

    Raises
    ------
    MaterialError
        If the values are not finite or the matrix is not positive definite.
    """
    if not abs(nu_transverse) < 1.0:  # in a plane of isotropy nu may reach 1; the rest is seen by `orthotropic`
        _check_poisson("nu_transverse", nu_transverse)
    _check_positive("E_axial", E_axial)
    # nu_13 / E_1 = nu_31 / E_3
    nu_13 = nu_axial * E_transverse / E_axial
    return orthotropic(
        (E_transverse, E_transverse, E_axial),
        (nu_13, nu_13, nu_transverse),
        (G_axial, G_axial, E_transverse / (2.0 * (1.0 + nu_transverse))),
    )


def orthotropic(E: Sequence[float], nu: Sequence[float], G: Sequence[float]) -> Floats:
    """Stiffness of an orthotropic material.

    Parameters
    ----------
    E : (3,) float
        Young's moduli E1, E2, E3, MPa.
    nu : (3,) float
        Poisson's ratios nu23, nu13, nu12; nu_ij is the strain along j for a stress along i, nu_ij / E_i = nu_ji / E_j.
    G : (3,) float
        Shear moduli G23, G13, G12, MPa.

    Returns
    -------
    (6, 6) float64
        MPa.

    Raises
    ------
    MaterialError
        If the values are not finite or the matrix is not positive definite.
    """
    for name, value in zip(("E1", "E2", "E3", "G23", "G13", "G12"), (*E, *G), strict=True):
        _check_positive(name, value)
    compliance = np.diag(1.0 / np.array([*E, *G], float))
    for (i, j), ratio in zip(((1, 2), (0, 2), (0, 1)), nu, strict=True):
        compliance[i, j] = compliance[j, i] = -ratio / E[i]
    if not np.isfinite(compliance).all() or np.linalg.eigvalsh(compliance)[0] <= 0.0:
        raise MaterialError(
            f"The constants E = {tuple(E)}, nu = {tuple(nu)}, G = {tuple(G)} give a material that is not stable.",
            "Its strain energy would be negative for some strain: the Poisson's ratios are too large for these moduli.",
            "Check the convention nu_ij = strain along j for a stress along i (nu_ij / E_i = nu_ji / E_j).",
        )
    return checked(np.linalg.inv(compliance))


def anisotropic(constants: ArrayLike) -> Floats:
    """Stiffness from the 21 constants of a general anisotropic material.

    Parameters
    ----------
    constants : (21,) float
        Upper triangle by columns (D11, D12, D22, D13, D23, D33, D14, ... D66), MPa, in femsim's order
        xx yy zz yz xz xy. Abaqus and CalculiX order the shears xy xz yz: permute before.

    Returns
    -------
    (6, 6) float64
        MPa.

    Raises
    ------
    MaterialError
        If there are not 21 finite values or the matrix is not positive definite.
    """
    values = np.asarray(constants, float)
    if values.shape != (21,):
        raise MaterialError(
            f"A general anisotropic material was given {values.size} constants.",
            "A symmetric 6 x 6 matrix has 21.",
            "Give the upper triangle by columns: D11, D12, D22, D13, ... D66.",
        )
    stiffness = np.zeros((6, 6))
    columns, rows = np.tril_indices(6)
    stiffness[rows, columns] = values
    stiffness[columns, rows] = values
    return checked(stiffness)


def checked(stiffness: ArrayLike, name: str = "stiffness") -> Floats:
    """A stiffness matrix made exactly symmetric, if it is one.

    Raises
    ------
    MaterialError
        If it is not 6 x 6, finite, symmetric to 1e-6 and positive definite.
    """
    matrix = np.asarray(stiffness, float)
    if matrix.shape != (6, 6) or not np.isfinite(matrix).all():
        raise MaterialError(
            f"{name} is not a finite 6 x 6 matrix (shape {matrix.shape}).",
            "It maps the six strains to the six stresses.",
            "Make it with isotropic(), transversely_isotropic(), orthotropic() or anisotropic().",
        )
    if np.abs(matrix - matrix.T).max() > 1e-6 * np.abs(matrix).max():
        raise MaterialError(
            f"{name} is not symmetric (difference {np.abs(matrix - matrix.T).max():.3g} MPa).",
            "An elastic material has a symmetric stiffness; an unsymmetric one creates energy.",
            "Give a symmetric matrix.",
        )
    matrix = (matrix + matrix.T) / 2.0
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest <= 1e-12 * np.abs(matrix).max():
        raise MaterialError(
            f"{name} is not positive definite (smallest eigenvalue {smallest:.3g} MPa).",
            "Some strain would cost no energy, or negative energy: the equations have no solution.",
            "Check moduli (> 0) and Poisson's ratios (-1 < nu < 0.5).",
        )
    return matrix


def _check_positive(name: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0.0):
        raise MaterialError(
            f"{name} = {value!r} MPa is not positive.",
            "A modulus of zero or less gives equations without a solution.",
            "Give a positive modulus; for a void use no elements, or a small positive modulus.",
        )


def _check_poisson(name: str, value: float) -> None:
    if not (np.isfinite(value) and -1.0 < value < 0.5):
        raise MaterialError(
            f"{name} = {value!r} is outside -1 < nu < 0.5.",
            "At 0.5 the bulk modulus is infinite, beyond it and below -1 the energy is negative.",
            "Give nu below 0.5; for nearly incompressible matter 0.499 with projected=True.",
        )


def strain_rotation(axes: ArrayLike) -> Floats:
    """Matrices that take engineering strain from global into local axes.

    Parameters
    ----------
    axes : (..., 3, 3) float
        Rows are the unit vectors of the local axes.

    Returns
    -------
    (..., 6, 6) float64
        ``T`` with ``local strain = T @ global strain``; then ``D_global = T.T @ D_local @ T`` and
        ``global stress = T.T @ local stress`` (Bond 1943).
    """
    r = np.asarray(axes, float)
    result = np.empty((*r.shape[:-2], 6, 6))
    for row, (i, j) in enumerate(VOIGT):
        factor = 1.0 if i == j else 2.0
        for column, (k, m) in enumerate(VOIGT):
            if k == m:
                result[..., row, column] = factor * r[..., i, k] * r[..., j, k]
            else:
                value = r[..., i, k] * r[..., j, m] + r[..., i, m] * r[..., j, k]
                result[..., row, column] = value * factor / 2.0
    return result


def poisson_equivalent(base: Floats) -> Floats:
    """Poisson's ratio of the isotropic material with the same Voigt-mean bulk and shear moduli, (p,).

    For an isotropic material this is its Poisson's ratio. It tells nearly incompressible materials from others.
    """
    bulk = base[..., :3, :3].sum(axis=(-2, -1)) / 9.0
    normal = np.trace(base[..., :3, :3], axis1=-2, axis2=-1)
    off = base[..., 0, 1] + base[..., 0, 2] + base[..., 1, 2]
    shear = (normal - off + 3.0 * np.trace(base[..., 3:, 3:], axis1=-2, axis2=-1)) / 15.0
    return np.asarray((3.0 * bulk - 2.0 * shear) / (2.0 * (3.0 * bulk + shear)))


def axial_modulus(base: Floats) -> Floats:
    """Young's modulus along local axis 3, MPa, (p,)."""
    return np.asarray(1.0 / np.linalg.inv(base)[..., 2, 2])


def as_tensor(voigt: ArrayLike, *, strain: bool = False) -> Floats:
    """Symmetric (..., 3, 3) tensors of (..., 6) Voigt vectors; halves the shears of a strain."""
    v = np.asarray(voigt, float)
    factor = 0.5 if strain else 1.0
    result = np.empty((*v.shape[:-1], 3, 3))
    for row, (i, j) in enumerate(VOIGT):
        result[..., i, j] = result[..., j, i] = v[..., row] * (1.0 if i == j else factor)
    return result


def principal(tensor: ArrayLike, *, strain: bool = False) -> tuple[Floats, Floats]:
    """Principal values and directions.

    Parameters
    ----------
    tensor : (..., 6) float
        Stress, or strain with engineering shear if `strain`.
    strain : bool
        Halve the shears.

    Returns
    -------
    values : (..., 3) float64
        Ascending.
    directions : (..., 3, 3) float64
        Unit vectors in the columns: ``directions[..., :, i]`` belongs to ``values[..., i]``.
    """
    values, vectors = np.linalg.eigh(as_tensor(tensor, strain=strain))
    return values, vectors


def von_mises(stress: ArrayLike) -> Floats:
    """Von Mises stress, MPa, (...,), of stresses (..., 6)."""
    s = np.asarray(stress, float)
    normal = (s[..., 0] - s[..., 1]) ** 2 + (s[..., 1] - s[..., 2]) ** 2 + (s[..., 2] - s[..., 0]) ** 2
    return np.sqrt(0.5 * normal + 3.0 * (s[..., 3:] ** 2).sum(axis=-1))
