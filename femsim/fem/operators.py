"""Stiffness, strain, stress and internal forces of a model on its grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.fem.material import Material
from femsim.fem.workspace import Grid

Floats = NDArray[np.float64]

_NO_AXES = np.zeros((0, 3, 3))


def _tables(material: Material) -> tuple[Any, ...]:
    """base, index, scale, axes, turn as the kernels take them."""
    turn = np.zeros(len(material.base), bool) if material.axes is None else ~material.isotropic
    axes = _NO_AXES if material.axes is None else material.axes
    return material.base, material.index, material.scale_table(), axes, turn


def stiffness(grid: Grid, material: Material, out: Floats | None = None) -> Floats:
    """Blocks (nnzb, 3, 3) of the stiffness matrix on the pattern of the grid, N/mm.

    Parameters
    ----------
    out : (nnzb, 3, 3) float64, optional
        Memory to write into.
    """
    from femsim.fem import constrain_kernels, kernels

    shape, slabs, pattern = grid.element, grid.slabs, grid.pattern
    blocks = np.empty((len(pattern.indices), 3, 3)) if out is None else out
    common = (grid.points, grid.cells, shape.gradients, shape.weights, *_tables(material))
    projected = material.projection[material.index] if material.projection.any() else None

    def work(slab: int) -> None:
        constrain_kernels.clear(pattern.indptr, slabs.owner, slab, blocks)
        mine, rest = slabs.cells[slab], (slabs.owner, slab, pattern.scatter, blocks)
        if projected is None:
            kernels.assemble(*common, mine, *rest)
            return
        kernels.assemble(*common, mine[~projected[mine]], *rest)
        kernels.assemble_projected(*common, shape.dilatation, mine[projected[mine]], *rest)

    slabs.each(work)
    return blocks


def strain(grid: Grid, material: Material, displacement: Floats) -> Floats:
    """Strain (m, q, 6) of a displacement (n, 3)."""
    from femsim.fem import kernels

    shape, slabs = grid.element, grid.slabs
    out = np.empty((len(grid.cells), shape.points, 6))
    projection = np.array(material.projection)
    common = (grid.points, grid.cells, shape.gradients, shape.weights, material.index, projection, shape.dilatation)
    slabs.each(lambda s: kernels.strains(*common, displacement, slabs.share[s], out))
    return out


def stress(grid: Grid, material: Material, elastic_strain: Floats) -> Floats:
    """Stress (m, q, 6), MPa, of an elastic strain (total less stress-free)."""
    from femsim.fem import kernels

    out = np.empty_like(elastic_strain)
    tables, slabs = _tables(material), grid.slabs
    slabs.each(lambda s: kernels.stresses(*tables, elastic_strain, slabs.share[s], out))
    return out


def internal_forces(grid: Grid, material: Material, stresses: Floats) -> Floats:
    """Nodal forces (n, 3), N, that are in equilibrium with a stress (m, q, 6)."""
    from femsim.fem import kernels

    shape, slabs = grid.element, grid.slabs
    out = np.zeros((len(grid.points), 3))
    projection = np.array(material.projection)
    common = (grid.points, grid.cells, shape.gradients, shape.weights, material.index, projection, shape.dilatation)
    slabs.each(lambda s: kernels.internal_forces(*common, stresses, slabs.cells[s], slabs.owner, s, out))
    return out
