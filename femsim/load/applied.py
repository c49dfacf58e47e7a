"""A load case on one mesh: supports, loads, and how its stiffness is measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.errors import SolveError
from femsim.fem.forces import distribute
from femsim.fem.loads import RemoteForce
from femsim.fem.supports import Fixed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Patch:
    """A force and a moment on nodes.

    Attributes
    ----------
    name : str
    nodes : (p,) int64
    weights : (p,) float64
        mm2.
    point : (3,) float64
        Where the force acts, mm.
    force, moment : (3,) float64
        N, N mm.
    """

    name: str
    nodes: Ints
    weights: Floats
    point: Floats
    force: Floats
    moment: Floats

    def load(self) -> RemoteForce:
        """As a load of the solver: statically equivalent nodal forces that do not stiffen the patch."""
        return RemoteForce(self.nodes, self.point, self.force, self.moment, self.weights, self.name)

    def nodal_forces(self, points: Floats) -> Floats:
        """Forces (p, 3) N on `nodes`, from the points (n, 3) of the mesh."""
        return distribute(self.load(), points[self.nodes])

    def motion(self, points: Floats, displacement: Floats) -> tuple[Floats, Floats]:
        """Weighted mean translation (3,) mm of the loaded point, and rotation (3,) rad, of the patch.

        They are the ones on which the force and the moment do the work that the nodal forces do.
        """
        at, w = points[self.nodes], self.weights / self.weights.sum()
        centre = w @ at
        arm, u = at - centre, displacement[self.nodes]
        mean = w @ u
        inertia = np.einsum("i,ij,ij->", w, arm, arm) * np.eye(3) - np.einsum("i,ij,ik->jk", w, arm, arm)
        spin = np.linalg.pinv(inertia, rcond=1e-8, hermitian=True) @ (w @ np.cross(arm, u - mean))
        return mean + np.cross(spin, self.point - centre), spin


@dataclass(frozen=True, eq=False)
class Applied:
    """A load case on one mesh.

    Attributes
    ----------
    name, description : str
        Key of the load case; a line for people.
    supports, loads : tuples
        For `femsim.fem.Model`.
    excluded : (m,) bool
        Cells too near to loads and supports for their stress to mean anything.
    patches : tuple of Patch
        Every force and moment, for pictures and checks.
    held : (h,) int64
        Nodes that do not move, for pictures.
    gauge : tuple of (int, float)
        Which patches, with which factor, the deflection is measured on.
    direction : (3,) float64
        Along which it is measured: unit vector of the main force or moment.
    magnitude : float
        Size of the main load, N; N mm where `is_moment`.
    is_moment : bool
    body_weight : float
        N.
    """

    name: str
    description: str
    supports: tuple[Fixed, ...]
    loads: tuple[RemoteForce, ...]
    excluded: NDArray[np.bool_]
    patches: tuple[Patch, ...]
    held: Ints
    gauge: tuple[tuple[int, float], ...]
    direction: Floats
    magnitude: float
    is_moment: bool
    body_weight: float

    @property
    def main(self) -> RemoteForce:
        """The main load; the first of the loads of a bench."""
        return self.loads[self.gauge[0][0]]

    @property
    def force(self) -> Floats:
        """Resultant (3,) of all loads, N."""
        return np.sum([patch.force for patch in self.patches], axis=0)

    def moment(self, about: Floats) -> Floats:
        """Resultant moment (3,) of all loads about a point (3,) mm, N mm."""
        return np.sum([p.moment + np.cross(p.point - about, p.force) for p in self.patches], axis=0)

    def deflection(self, points: Floats, displacement: Floats) -> float:
        """Displacement along the main force, mm, or rotation about the main moment, rad.

        Parameters
        ----------
        points, displacement : (n, 3) float64
            mm.
        """
        which = 1 if self.is_moment else 0
        moved = [factor * self.patches[i].motion(points, displacement)[which] for i, factor in self.gauge]
        return float(np.sum(moved, axis=0) @ self.direction)

    def stiffness(self, points: Floats, displacement: Floats) -> float:
        """Main force over deflection, N/mm; main moment over rotation, N m/deg.

        Raises
        ------
        SolveError
            If the patch did not move along its load.
        """
        moved = self.deflection(points, displacement)
        if not (np.isfinite(moved) and moved > 0.0):
            raise SolveError(
                f"The main load of {self.name} moved its patch by {moved:.3g}.",
                "A load that does no work has no stiffness.",
                "Check the supports and the other loads of the case.",
            )
        value = self.magnitude / moved
        return value / 1000.0 * np.pi / 180.0 if self.is_moment else value
