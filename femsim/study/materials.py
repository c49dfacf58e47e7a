"""Which material stands where: painting rules over compartments, and moduli at quadrature points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.anatomy import Bone
from femsim.material import MaterialData
from femsim.mesh import Mesh


@dataclass(frozen=True, eq=False)
class Places:
    """What the material map of every strategy on one mesh needs of the geometry, computed once.

    Attributes
    ----------
    centroids : (m, 3) float64
        Element centroids, mm.
    axes : (m, 3, 3) float64
        Right-handed local axes of every element; the third row is the long axis of the cortex.
    density : (m, q) float64
        Apparent density of trabecular bone at the quadrature points, g/cm3, before any lesion.
    """

    centroids: NDArray[np.float64]
    axes: NDArray[np.float64]
    density: NDArray[np.float64]


def places(mesh: Mesh, bone: Bone) -> Places:
    """Evaluate the bone's axis and density over a mesh."""
    corners = mesh.points[mesh.cells[:, : 4 if mesh.kind.startswith("tet") else 8]]
    centroids = corners.mean(axis=1)
    element = fem.element(mesh.kind)
    shape = element.shape_values  # (q, k)
    where = np.einsum("qk,mkd->mqd", shape, mesh.points[mesh.cells])
    count, per_cell = where.shape[:2]
    density = np.asarray(bone.density(where.reshape(-1, 3)), float).reshape(count, per_cell)
    return Places(centroids, local_axes(bone.axis(centroids)), density)


def local_axes(long_axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Right-handed orthonormal axes (m, 3, 3), rows, whose third is `long_axis` (m, 3).

    The two transverse axes are arbitrary, as the cortex is isotropic across its axis.
    """
    third = long_axis / np.linalg.norm(long_axis, axis=1, keepdims=True)
    helper = np.zeros_like(third)
    helper[np.arange(len(third)), np.abs(third).argmin(axis=1)] = 1.0
    first = np.cross(helper, third)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, np.cross(third, first), third], axis=1)


def stiffness(
    index: NDArray[np.int64], materials: tuple[MaterialData, ...], at: Places
) -> tuple[fem.Material, NDArray[np.float64]]:
    """The solver's material, and the mean axial Young's modulus of every element.

    Parameters
    ----------
    index : (m,) int
        Row of `materials` of every element.
    materials : tuple of MaterialData
    at : Places

    Returns
    -------
    material : fem.Material
    modulus : (m,) float64
        MPa.
    """
    base = np.stack([material.stiffness() for material in materials])
    scale = np.ones(at.density.shape)
    modulus = np.array([material.youngs_modulus for material in materials])[index]
    for row, material in enumerate(materials):
        if material.density_law is None:
            continue
        cells = np.flatnonzero(index == row)
        moduli = material.modulus_at(at.density[cells])
        scale[cells] = moduli / material.youngs_modulus
        modulus[cells] = moduli.mean(axis=1)
    return fem.Material(base=base, index=index, scale=scale, axes=at.axes), modulus
