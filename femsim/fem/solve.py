"""From a model to its solutions."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import InputError, SolveError
from femsim.fem import linear, operators
from femsim.fem.constraints import Plan, plan, prescribed
from femsim.fem.forces import nodal_forces, vector
from femsim.fem.linear_bridge import constrained
from femsim.fem.loads import CouplingForce, ImposedDisplacement, Load, label
from femsim.fem.model import Model
from femsim.fem.preflight import examine
from femsim.fem.solution import CouplingMotion, Equilibrium, Solution, SolverLog
from femsim.fem.strainfree import stress_free_strain
from femsim.fem.workspace import Grid, Workspace, fingerprint

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Right:
    """Right-hand side of one load case.

    Attributes
    ----------
    external : (n, 3)
        Nodal forces of the loads.
    reference : (count - n, 3)
        Forces on the reference nodes of couplings (moments divided by the radius).
    free_stress : None or (n, 3)
        Nodal forces of the stress-free strain.
    stress_free : None or (m, q, 6)
        That strain.
    held : (count, 3)
        Prescribed part of the unknowns.
    """

    external: Floats
    reference: Floats
    free_stress: Floats | None
    stress_free: Floats | None
    held: Floats

    @property
    def forces(self) -> Floats:
        """All nodal forces, (n, 3)."""
        return self.external if self.free_stress is None else self.external + self.free_stress


def solve(
    model: Model,
    *,
    solver: str = "auto",
    tolerance: float = 1e-8,
    workspace: Workspace | None = None,
    guess: Mapping[str, Floats] | None = None,
    threads: int | None = None,
) -> dict[str, Solution]:
    """Solve all load cases of a model with one matrix.

    Parameters
    ----------
    model : Model
        What to solve.
    solver : {"auto", "direct", "multigrid", "scipy"}
        Linear solver; "auto" chooses by size, memory and number of load cases. "scipy" needs nothing compiled and is
        several times slower.
    tolerance : float
        On the true relative residual of iterative solvers.
    workspace : Workspace, optional
        Memory of an earlier call: the same mesh keeps its pattern, the same matrix its factorisation.
    guess : mapping of str to (n, 3), optional
        Displacements to start iterations from, by load case.
    threads : int, optional
        Threads; default as many as the process may use, at most 4.

    Returns
    -------
    dict of str to Solution
        By load case.

    Raises
    ------
    SolveError, MaterialError, MeshError, InputError
        Before the solve for what `preflight` finds; after it where the solver did not converge.
    """
    if not (0.0 < tolerance < 1.0):
        raise InputError(
            f"tolerance = {tolerance!r} is not between 0 and 1.", "It is a relative residual.", "Use about 1e-8."
        )
    if not model.loads:
        raise SolveError("The model has no load case.", "There is nothing to solve for.", "Give loads={name: (...)}.")
    space = workspace if workspace is not None else Workspace()
    clock = _Clock()
    known = space.grid
    grid = space.grid_of(model, threads)
    clock.lap("pattern")
    scheme = plan(model.supports, model.points, model.cells, grid.element)
    examine(model, grid, scheme, space.held if known is grid else None)
    space.held = scheme
    clock.lap("preflight")
    rights = {name: _right(model, grid, scheme, case) for name, case in model.loads.items()}
    clock.lap("loads")
    reused = _prepare_matrix(model, grid, scheme, space)
    if known is grid:
        reused = ("pattern", *reused)
    clock.lap("assembly")
    unknowns = _reduced(model, grid, scheme, rights)
    if guess is None and known is grid and space.previous:
        guess = {name: u for name, u in space.previous.items() if name in rights}
    if guess:
        reused = (*reused, "guess")
    start = _starts(guess, model, scheme, rights)
    result = linear.solve(
        space.system, unknowns, method=solver, tolerance=tolerance, guess=start, reuse=space.prepared,
        threads=space.thread_count(threads),
    )  # fmt: skip
    space.prepared = result.prepared
    clock.lap("solve")
    found = {
        name: _finish(model, grid, scheme, name, rights[name], i, result, clock, reused)
        for i, name in enumerate(rights)
    }
    space.previous = {name: solution.displacement for name, solution in found.items()}
    return found


class _Clock:
    """Wall time of each phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now


def _right(model: Model, grid: Grid, scheme: Plan, case: Sequence[Load]) -> Right:
    """Forces and prescribed displacements of one load case."""
    external = np.zeros((scheme.nodes, 3))
    reference = np.zeros((scheme.count - scheme.nodes, 3))
    overrides: dict[str, ArrayLike] = {}
    for load in case:
        external += nodal_forces(load, grid.points, grid.cells, grid.element, grid.volume)
        if isinstance(load, CouplingForce):
            _add_reference(load, scheme, reference)
        elif isinstance(load, ImposedDisplacement):
            overrides[load.support] = load.value
    strain = stress_free_strain(model, case)
    forces = None
    if strain is not None:
        forces = operators.internal_forces(grid, model.material, operators.stress(grid, model.material, strain))
    return Right(external, reference, forces, strain, prescribed(scheme, overrides, model.supports))


def _add_reference(load: CouplingForce, scheme: Plan, reference: Floats) -> None:
    found = [c for c in scheme.couplings if c.name == load.coupling]
    if not found:
        names = ", ".join(repr(c.name) for c in scheme.couplings) or "none"
        raise InputError(
            f"{label(load)} acts on the coupling {load.coupling!r}, which does not exist.",
            f"Couplings of this model: {names}.",
            "Add a RigidCoupling of that name, or use RemoteForce on nodes.",
        )
    row = found[0].node - scheme.nodes
    reference[row] += vector(load.force, 1, label(load))[0]
    reference[row + 1] += vector(load.moment, 1, label(load))[0] / found[0].radius


def matrix_key(model: Model, grid: Grid, scheme: Plan) -> str:
    """Hash of everything the constrained matrix depends on."""
    material = model.material
    parts: list[object] = [grid.key, material.base, material.index, material.scale, material.axes]
    parts += [np.array(material.projection), scheme.free, scheme.skew, scheme.projector]
    if scheme.transform is not None:
        parts += [scheme.transform.data, scheme.transform.indices, scheme.transform.indptr]
    return fingerprint(parts)


def _prepare_matrix(model: Model, grid: Grid, scheme: Plan, space: Workspace) -> tuple[str, ...]:
    """Assemble and constrain the matrix unless the workspace holds this very one."""
    key = matrix_key(model, grid, scheme)
    if space.matrix_key == key and space.system is not None:
        return ("matrix", "factorisation")
    space.matrix_key, space.system = "", None
    if space.prepared is not None:
        space.prepared = space.prepared.without_factors()
    space.blocks = operators.stiffness(grid, model.material, space.blocks)
    space.system = constrained(scheme, grid, space.blocks)
    space.matrix_key = key
    return ()


def _expand(scheme: Plan, unknowns: Floats) -> Floats:
    """Displacements (n, 3) of the unknowns (count, 3)."""
    if scheme.transform is None:
        return unknowns
    return (scheme.transform @ unknowns.ravel()).reshape(-1, 3) + scheme.offset


def _gather(scheme: Plan, forces: Floats, reference: Floats | None = None) -> Floats:
    """Generalised forces (count, 3) on the unknowns."""
    out = forces if scheme.transform is None else (scheme.transform.T @ forces.ravel()).reshape(-1, 3)
    if reference is not None and len(reference):
        out = out.copy()
        out[scheme.nodes :] += reference
    return out


def _release(scheme: Plan, forces: Floats) -> Floats:
    """The part of generalised forces that acts on free unknowns."""
    out = np.where(scheme.free, forces, 0.0)
    if len(scheme.skew):
        out[scheme.skew] = np.einsum("sij,sj->si", scheme.projector, forces[scheme.skew])
    return out


def _reduced(model: Model, grid: Grid, scheme: Plan, rights: Mapping[str, Right]) -> Floats:
    """Right-hand sides (cases, count, 3) of the constrained system."""
    out = np.empty((len(rights), scheme.count, 3))
    for i, right in enumerate(rights.values()):
        forces = right.forces
        known = _expand(scheme, right.held)
        if known.any():
            strain = operators.strain(grid, model.material, known)
            stress = operators.stress(grid, model.material, strain)
            forces = forces - operators.internal_forces(grid, model.material, stress)
        out[i] = _release(scheme, _gather(scheme, forces, right.reference))
    return out


def _starts(
    guess: Mapping[str, Floats] | None, model: Model, scheme: Plan, rights: Mapping[str, Right]
) -> Floats | None:
    """Initial unknowns from displacements of earlier solutions."""
    if not guess:
        return None
    out = np.zeros((len(rights), scheme.count, 3))
    for i, (name, right) in enumerate(rights.items()):
        if name not in guess:
            continue
        known = np.asarray(guess[name], float)
        if known.shape != model.points.shape or not np.isfinite(known).all():
            raise InputError(
                f"guess[{name!r}] has shape {known.shape}, or is not finite.",
                "Iterations start from displacements of this mesh.",
                f"Give {model.points.shape}.",
            )
        out[i, : scheme.nodes] = known
        out[i] = _release(scheme, out[i] - right.held)
    return out


def _finish(
    model: Model, grid: Grid, scheme: Plan, name: str, right: Right, row: int, result: linear.Result, clock: _Clock,
    reused: tuple[str, ...],
) -> Solution:  # fmt: skip
    """Displacements, reactions and checks of one load case."""
    unknowns = result.x[row] + right.held
    displacement = _expand(scheme, unknowns)
    if not np.isfinite(displacement).all():
        raise SolveError(
            f"Load case {name!r}: the displacements are not finite.",
            "The matrix is singular, or nearly so: a part is loose or a modulus is extreme.",
            "Look at fem.preflight(model) and at the range of the moduli.",
        )
    strain = operators.strain(grid, model.material, displacement)
    elastic = strain if right.stress_free is None else strain - right.stress_free
    stress = operators.stress(grid, model.material, elastic)
    inner = operators.internal_forces(grid, model.material, stress)
    excess = inner - right.external
    general = _gather(scheme, excess, -right.reference)
    loose = _release(scheme, general)
    reaction = general - loose
    checks = _checks(grid, scheme, right, displacement, excess, loose, elastic, stress)
    couplings = {
        c.name: CouplingMotion(
            unknowns[c.node], unknowns[c.node + 1] / c.radius, reaction[c.node], reaction[c.node + 1] * c.radius
        )
        for c in scheme.couplings
    }
    log = SolverLog(
        result.method, int(scheme.free.sum()), int(result.iterations[row]), float(result.residuals[row]),
        dict(clock.seconds), result.memory_bytes + grid.pattern.bytes, reused,
    )  # fmt: skip
    real = np.ascontiguousarray(reaction[: scheme.nodes])
    solution = Solution(model, name, displacement, real, checks, log, right.stress_free, couplings, grid)
    # They had to be worked out for the checks; kept, they need not be worked out again.
    solution.__dict__.update(strain=strain, elastic_strain=elastic, stress=stress)
    return solution


def _checks(
    grid: Grid, scheme: Plan, right: Right, displacement: Floats, excess: Floats, loose: Floats, elastic: Floats,
    stress: Floats,
) -> Equilibrium:  # fmt: skip
    """Equilibrium from the nodal forces of the stresses, cell by cell."""
    holding = np.where(scheme.touched[:, None], excess, 0.0)
    total = right.external + holding
    arm = grid.points - grid.points.mean(axis=0)
    size = float(np.linalg.norm(arm, axis=1).max())
    magnitude = max(float(np.linalg.norm(v, axis=1).sum()) for v in (right.external, holding))
    scale = magnitude if magnitude > 0.0 else 1.0
    moment = np.cross(arm, total).sum(axis=0) / (scale * size)
    twice = float(np.einsum("mqi,mqi,mq->", stress, elastic, grid.volume))
    work = float((displacement * (right.external + excess)).sum())
    if right.stress_free is not None:
        work -= float(np.einsum("mqi,mqi,mq->", stress, right.stress_free, grid.volume))
    sides = [right.forces, holding, right.reference]
    norm = max(float(np.linalg.norm(v)) for v in sides) or 1.0
    return Equilibrium(
        total.sum(axis=0) / scale,
        moment,
        abs(work - twice) / twice if twice > 0.0 else 0.0,
        float(np.linalg.norm(loose)) / norm,
    )
