"""Out-of-balance forces, tangent and bordered solution of one inelastic model under proportional load.

Unknowns are those of `femsim.fem.constraints` and the load factor: all forces and all prescribed displacements of the
load case are multiplied by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.errors import SolveError
from femsim.fem import linear, operators
from femsim.fem.constraints import Plan, plan
from femsim.fem.linear_bridge import constrained
from femsim.fem.model import Model
from femsim.fem.nonlinear.laws import Inelastic
from femsim.fem.nonlinear.state import Points, Response, State, points_of
from femsim.fem.preflight import examine
from femsim.fem.solve import Right, _expand, _gather, _release, _right
from femsim.fem.workspace import Grid, Workspace

Floats = NDArray[np.float64]

#: Smallest slope of the strength in the tangent, relative to the elastic slope. The consistent tangent is not clipped:
#: also where material softens, its matrix is positive definite as long as what is around holds the model up. At a
#: plastic limit load and beyond the peak it is not: with the other one it always is, but where material softens the
#: iteration converges linearly.
CONSISTENT, POSITIVE = -np.inf, 1e-4
#: The preconditioner is made anew when the iteration takes longer by this factor than when it was new.
TIRED = 1.6
#: Iterations of the linear solver: so many times those of a new preconditioner with the consistent tangent, which may
#: turn out not to be positive definite, and so many otherwise.
PATIENCE, MOST = 8, 1000


@dataclass(frozen=True, eq=False)
class Trial:
    """One state of the iteration: unknowns (count, 3), load factor, response, free forces that do not balance."""

    unknowns: Floats
    factor: float
    displacement: Floats
    strain: Floats
    response: Response
    inner: Floats
    residual: Floats

    @property
    def norm(self) -> float:
        """Norm of the out-of-balance forces, N."""
        return float(np.linalg.norm(self.residual))


@dataclass(eq=False)
class Balance:
    """The equations of one load case. Keeps sparsity and the structure of the linear solver between iterations."""

    model: Model
    grid: Grid
    scheme: Plan
    points: Points
    right: Right
    solver: str
    tolerance: float
    threads: int
    blocks: Floats | None = None
    prepared: Any = None
    solves: int = 0
    iterations: int = 0
    last: Floats | None = None
    fresh: int = 0
    most: int = 0
    clip: float = CONSISTENT
    unit: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.unit = _expand(self.scheme, self.right.held)

    @property
    def forces(self) -> Floats:
        """Generalised forces (count, 3) of the load case at factor one."""
        return _gather(self.scheme, self.right.external, self.right.reference)

    def trial(self, unknowns: Floats, factor: float, state: State) -> Trial:
        """Evaluate a state of the iteration."""
        displacement = _expand(self.scheme, unknowns + factor * self.right.held)
        strain = operators.strain(self.grid, self.model.material, displacement)
        response = self.points.respond(strain, state, clip=self.clip)
        inner = operators.internal_forces(self.grid, self.model.material, response.stress)
        general = _gather(self.scheme, factor * self.right.external - inner, factor * self.right.reference)
        return Trial(unknowns, factor, displacement, strain, response, inner, _release(self.scheme, general))

    def scale(self, trial: Trial) -> float:
        """What the residual is measured against: the larger of the forces of loads and of supports, N."""
        outer = trial.factor * self.right.external
        return max(float(np.linalg.norm(outer)), float(np.linalg.norm(trial.inner)), 1e-12)

    def directions(self, trial: Trial) -> tuple[Floats, Floats]:
        """Corrections (count, 3) of the unknowns for the residual, and for one unit of the load factor."""
        self.blocks = self.points.stiffness(trial.response.tangent, self.blocks)
        system = constrained(self.scheme, self.grid, self.blocks)
        forces = self.right.external
        if self.unit.any():
            strain = operators.strain(self.grid, self.model.material, self.unit)
            stress = np.einsum("mqij,mqj->mqi", trial.response.tangent, strain)
            forces = forces - operators.internal_forces(self.grid, self.model.material, stress)
        load = _release(self.scheme, _gather(self.scheme, forces, self.right.reference))
        if self.prepared is not None:
            # the blocks were written over; their sum need not tell, as rigid motions make that of an element vanish
            self.prepared = replace(self.prepared, total=float("nan"))
        back = self._solve(system, trial.residual, None)
        ahead = self._solve(system, load, self.last)
        self.last = ahead
        self.solves += 1
        return back, ahead

    def _solve(self, system: linear.System, rhs: Floats, guess: Floats | None) -> Floats:
        """One right-hand side (count, 3).

        The solver of the linear sub-space is that of an earlier tangent, as long as the iteration does not take much
        longer for it.
        """
        tired = self.most > TIRED * self.fresh + 2
        sure = self.clip == POSITIVE or not self.fresh
        limit = MOST if sure else PATIENCE * (self.fresh + 5)
        result = linear.solve(
            system, rhs[None], method=self.solver, tolerance=self.tolerance,
            guess=None if guess is None else guess[None], reuse=self.prepared, threads=self.threads,
            keep_vertices=not tired, limit=limit,
        )  # fmt: skip
        count = int(result.iterations.sum())
        if guess is None:  # the residual; the load starts from an earlier solution
            self.fresh = count if tired or not self.fresh else self.fresh
            self.most = count
        self.prepared = result.prepared
        self.iterations += count
        return result.x[0]

    def moved(self, change: Floats, factor: float) -> Floats:
        """Change of the displacement (n, 3) of a change of the unknowns and of the load factor."""
        if self.scheme.transform is None:
            return change + factor * self.right.held
        whole = (change + factor * self.right.held).ravel()
        return np.asarray(self.scheme.transform @ whole).reshape(-1, 3)

    def work(self, displacement: Floats, unknowns: Floats, factor: float) -> float:
        """Work of the loads of factor one on a displacement, N mm (forces on couplings included)."""
        total = float((self.right.external * displacement).sum())
        reference = self.right.reference
        if len(reference):
            total += float((reference * (unknowns + factor * self.right.held)[self.scheme.nodes :]).sum())
        return total

    @property
    def driven(self) -> bool:
        """Whether displacements are prescribed and no forces."""
        return bool(self.right.held.any())

    def hold(self, inner: Floats) -> float:
        """Work of the support forces on the prescribed displacements of factor one, N mm."""
        return float((inner * self.unit).sum())


def balance_of(
    model: Model, case: str, laws: Inelastic, workspace: Workspace, *, solver: str, tolerance: float,
    threads: int | None,
) -> Balance:  # fmt: skip
    """Set the equations up.

    Raises
    ------
    SolveError
        For what `fem.preflight` finds, and for stress-free strain, which does not grow with a load factor.
    """
    grid = workspace.grid_of(model, threads)
    scheme = plan(model.supports, model.points, model.cells, grid.element)
    examine(model, grid, scheme)
    if case not in model.loads:
        raise SolveError(
            f"The model has no load case {case!r}.", "There is nothing to follow.", f"Use one of {list(model.loads)}."
        )
    right = _right(model, grid, scheme, model.loads[case])
    if right.stress_free is not None or scheme.offset.any():
        raise SolveError(
            f"Load case {case!r} holds stress-free strain, or a constraint with a constant.",
            "All loads of a path grow by one factor; these would not.",
            "Leave them out.",
        )
    if not (right.external.any() or right.reference.any() or right.held.any()):
        raise SolveError(f"Load case {case!r} loads nothing.", "There is no path.", "Give it a load.")
    if right.held.any() and (right.external.any() or right.reference.any()):
        raise SolveError(
            f"Load case {case!r} has both forces and prescribed displacements.",
            "One factor makes both grow, and there is no one load to report.",
            "Prescribe displacements or give forces.",
        )
    prepared = None if workspace.prepared is None else workspace.prepared.without_factors()
    points = points_of(grid, model.material, laws)
    return Balance(
        model, grid, scheme, points, right, solver, tolerance, workspace.thread_count(threads), None, prepared
    )
