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
    main_patch : int
        Which of the patches is the main load; the first load of a bench.
    magnitude : float
        Size of the main load, N; N mm where `is_moment`.
    is_moment : bool
    body_weight : float
        N.
    exclude : float
        Distance in mm within which elements are `excluded`.
    """

    name: str
    description: str
    supports: tuple[Fixed, ...]
    loads: tuple[RemoteForce, ...]
    excluded: NDArray[np.bool_]
    patches: tuple[Patch, ...]
    held: Ints
    main_patch: int
    magnitude: float
    is_moment: bool
    body_weight: float
    exclude: float = 0.0

    def exclusion(self) -> str:
        """The rule by which elements are not judged, its places and the number of elements, as one sentence."""
        names = dict.fromkeys([*(p.name for p in self.patches), *(s.name for s in self.supports)])
        return (
            f"Strength is not judged in the {int(self.excluded.sum()):,} of {len(self.excluded):,} elements whose "
            f"centre lies within {self.exclude:g} mm of a loaded or held node ({', '.join(names)})."
        )

    @property
    def main(self) -> RemoteForce:
        """The main load; the first of the loads of a bench."""
        return self.loads[self.main_patch]

    @property
    def force(self) -> Floats:
        """Resultant (3,) of all loads, N."""
        return np.sum([patch.force for patch in self.patches], axis=0)

    def moment(self, about: Floats) -> Floats:
        """Resultant moment (3,) of all loads about a point (3,) mm, N mm."""
        return np.sum([p.moment + np.cross(p.point - about, p.force) for p in self.patches], axis=0)

    def work(self, points: Floats, displacement: Floats) -> float:
        """Work (N mm) that all loads do on a displacement (n, 3) mm, at their full size; points (n, 3) mm."""
        return float(sum(np.einsum("ij,ij->", p.nodal_forces(points), displacement[p.nodes]) for p in self.patches))

    def stiffness(self, points: Floats, displacement: Floats) -> float:
        """Stiffness against the whole load case, N/mm; N m/deg where the main load is a moment.

        The square of the main load over the work of all loads. Where one load acts, this is its force over the
        displacement of its patch along it (its moment over the rotation). On a bending bench it is force over the
        deflection from the line of the rollers. Where several act together, as in walking, the displacement of one
        patch along its own force can have any sign (the muscles may push the hip against its force), but the work of
        all of them cannot: it is twice the strain energy, and it never grows when any part becomes stiffer.

        Parameters
        ----------
        points, displacement : (n, 3) float64
            mm.

        Raises
        ------
        SolveError
            If the loads do no work.
        """
        work = self.work(points, displacement)
        if not (np.isfinite(work) and work > 0.0):
            raise SolveError(
                f"The loads of {self.name} do the work {work:.3g} N mm.",
                "In equilibrium it is twice the strain energy, which is positive.",
                "Check that the displacement is that of this load case and that something can move.",
            )
        value = self.magnitude**2 / work
        return value / 1000.0 * np.pi / 180.0 if self.is_moment else value
