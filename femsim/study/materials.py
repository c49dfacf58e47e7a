"""What the material map of every strategy on one mesh needs of the bone, evaluated once a mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.anatomy import Bone, PlacedLesion
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
    remaining : (m, q) float64 or None
        Share of that density, and of the cortex's, that permeative lesions leave; None where there are none.
    """

    centroids: NDArray[np.float64]
    axis: NDArray[np.float64]
    density: NDArray[np.float64]
    remaining: NDArray[np.float64] | None = None

    def left(self, healed: bool) -> NDArray[np.float64]:
        """Density (m, q) of a strategy: that of the lesion-free twin, or what the lesions leave."""
        return self.density if healed or self.remaining is None else self.density * self.remaining


def places(mesh: Mesh, bone: Bone, lesions: Sequence[PlacedLesion] = ()) -> Places:
    """Evaluate the bone's axis at the centroids, its density and what lesions leave of it at the quadrature points.

    Where several permeative lesions overlap, the one that leaves least counts.
    """
    where = fem.quadrature_points(mesh.points, mesh.cells, mesh.kind)
    count, per_cell = where.shape[:2]
    centroids = where.mean(axis=1)
    density = np.asarray(bone.density(where.reshape(-1, 3)), float).reshape(count, per_cell)
    shares = [one.density_factor(where.reshape(-1, 3)) for one in lesions if one.permeative]
    remaining = np.min(shares, axis=0).reshape(count, per_cell) if shares else None
    return Places(centroids, bone.axis(centroids), density, remaining)
