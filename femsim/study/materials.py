"""What the material map of every strategy on one mesh needs of the bone, evaluated once a mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.anatomy import Bone
from femsim.mesh import Mesh


@dataclass(frozen=True, eq=False)
class Places:
    """The bone's properties over a mesh.

    Attributes
    ----------
    centroids : (m, 3) float64
        Element centroids, mm.
    axis : (m, 3) float64
        Long axis of the cortex at every element.
    density : (m, q) float64
        Apparent density of trabecular bone at the quadrature points, g/cm3, before any lesion.
    """

    centroids: NDArray[np.float64]
    axis: NDArray[np.float64]
    density: NDArray[np.float64]


def places(mesh: Mesh, bone: Bone) -> Places:
    """Evaluate the bone's axis at the centroids and its density at the quadrature points of a mesh."""
    where = fem.quadrature_points(mesh.points, mesh.cells, mesh.kind)
    count, per_cell = where.shape[:2]
    centroids = where.mean(axis=1)
    density = np.asarray(bone.density(where.reshape(-1, 3)), float).reshape(count, per_cell)
    return Places(centroids, bone.axis(centroids), density)
