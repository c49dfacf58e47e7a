"""What comes back: displacements, and everything that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from femsim.fem import operators
from femsim.fem.model import Model
from femsim.fem.workspace import Grid
from femsim.show import boxed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Equilibrium:
    """How well the solution satisfies what any solution must; all relative, all should be tiny.

    Attributes
    ----------
    force : (3,) float64
        Sum of the loads and of all support forces, over the sum of the magnitudes of the nodal forces.
    moment : (3,) float64
        The same for moments about the centre of the mesh.
    energy_balance : float
        Work of all forces (with the stress-free strains as forces) less twice the strain energy, over the latter.
    residual : float
        Norm of the out-of-balance forces of the free unknowns over that of the loads, recomputed cell by cell from
        the stresses (it shares no matrix with the linear solver).
    """

    force: Floats
    moment: Floats
    energy_balance: float
    residual: float


@dataclass(frozen=True)
class SolverLog:
    """How the equations were solved.

    Attributes
    ----------
    solver : str
        Method of the linear solver.
    unknowns, iterations : int
        Free unknowns; iterations of this load case (0 for a direct solver).
    residual : float
        True relative residual of the linear system.
    seconds : mapping of str to float
        Wall time of each phase of the whole call, all load cases together.
    memory_bytes : int
        Memory of matrix and solver, estimated by what they hold.
    reused : tuple of str
        What came from the workspace: "pattern", "matrix", "factorisation", "guess".
    """

    solver: str
    unknowns: int
    iterations: int
    residual: float
    seconds: Mapping[str, float]
    memory_bytes: int
    reused: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class CouplingMotion:
    """Motion of the reference point of a rigid coupling (mm, rad) and what its support holds (N, N mm)."""

    displacement: Floats
    rotation: Floats
    force: Floats
    moment: Floats


@dataclass(frozen=True, eq=False)
class Solution:
    """Result of one load case.

    Attributes
    ----------
    model : Model
        What was solved.
    case : str
        Name of the load case.
    displacement : (n, 3) float64
        mm.
    reaction : (n, 3) float64
        Forces of the supports on the nodes, N; zero where there is none.
    checks : Equilibrium
        Equilibrium of forces, moments and energy.
    log : SolverLog
        How it was solved.
    stress_free : (m, q, 6) float64 or None
        Initial and thermal strain.
    couplings : mapping of str to CouplingMotion
        By name of the coupling.

    Notes
    -----
    Strain, stress and energy are worked out when first asked for, and kept. To let them go, drop the solution.
    """

    model: Model
    case: str
    displacement: Floats
    reaction: Floats
    checks: Equilibrium
    log: SolverLog
    stress_free: Floats | None
    couplings: Mapping[str, CouplingMotion]
    grid: Grid = field(repr=False)

    @property
    def volume(self) -> Floats:
        """Quadrature volumes, (m, q), mm3."""
        return self.grid.volume

    @cached_property
    def strain(self) -> Floats:
        """Total strain at quadrature points, (m, q, 6), engineering shear."""
        return operators.strain(self.grid, self.model.material, self.displacement)

    @cached_property
    def elastic_strain(self) -> Floats:
        """Strain less the stress-free strain, (m, q, 6)."""
        return self.strain if self.stress_free is None else self.strain - self.stress_free

    @cached_property
    def stress(self) -> Floats:
        """Stress at quadrature points, (m, q, 6), MPa."""
        return operators.stress(self.grid, self.model.material, self.elastic_strain)

    @cached_property
    def energy_density(self) -> Floats:
        """Elastic energy per volume at quadrature points, (m, q), MPa = mJ/mm3."""
        return 0.5 * np.einsum("mqi,mqi->mq", self.stress, self.elastic_strain)

    @property
    def energy(self) -> float:
        """Elastic energy, mJ = N mm."""
        return float((self.energy_density * self.volume).sum())

    def __str__(self) -> str:
        peak = float(np.linalg.norm(self.displacement, axis=1).max())
        log, checks = self.log, self.checks
        seconds = ", ".join(f"{name} {value:.2f} s" for name, value in log.seconds.items())
        return "\n".join(
            [
                f"Solution {self.case!r}: largest displacement {peak:.6g} mm, energy {self.energy:.6g} N mm",
                f"  {log.solver}: {log.unknowns} unknowns, {log.iterations} iterations, residual {log.residual:.1e}, "
                f"about {log.memory_bytes / 2**30:.2f} GiB; {seconds}",
                f"  equilibrium: force {np.abs(checks.force).max():.1e}, moment {np.abs(checks.moment).max():.1e}, "
                f"energy {checks.energy_balance:.1e}, residual {checks.residual:.1e}",
            ]
        )

    def _repr_html_(self) -> str:
        return boxed(self)
