"""One bone, one mesh, one load: the equations and the judgement of every strategy."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim import fem, loads, material, risk, treatment
from femsim.anatomy import Bone
from femsim.case import Case, Comparison
from femsim.errors import FemsimWarning, MeshError
from femsim.material import MaterialData
from femsim.mesh import Mesh, MeshSize
from femsim.mesh.report import holes
from femsim.study import metrics
from femsim.study.materials import Places, places
from femsim.study.nonlinear import ENDS, collapse
from femsim.study.progress import Progress
from femsim.study.result import CaseResult
from femsim.study.setup import Setup, prepare
from femsim.study.stages import arrangement_mesh
from femsim.treatment import Treatment

#: Share of the outer surface without cortex under it from which a mesh is refused. Single holes of the thin cortex of
#: joints are reported; a mesh of an intact humerus with 40 % of them failed at a twentieth of its strength.
HOLED = 0.1


@dataclass(frozen=True, eq=False)
class Problem:
    """One mesh with its supports and loads: what all strategies share."""

    case: Case
    setup: Setup
    mesh: Mesh
    at: Places
    loading: loads.Applied


def strategies_of(
    case: Case, given: Sequence[Treatment] | Mapping[str, Treatment] | None = None
) -> dict[str, Treatment]:
    """What is compared, by name, the intact twin first; that of the case where nothing is given."""
    if given is None:
        given = case.strategies if isinstance(case, Comparison) else treatment.default_strategies()
    named = dict(given) if isinstance(given, Mapping) else treatment.named(given)
    intact = next((name for name, one in named.items() if isinstance(one, treatment.Intact)), None)
    first = {intact or "intact": named.pop(intact) if intact else treatment.Intact()}
    return first | named


@dataclass(frozen=True, eq=False)
class Meshed:
    """Bone, solids and mesh: what every load case and every material shares."""

    setup: Setup
    mesh: Mesh
    at: Places


def meshed(case: Case, strategies: Mapping[str, Treatment], watch: Progress, bone: Bone | None = None) -> Meshed:
    """Bone, solids and mesh of a case; the mesh from the store where it was made before."""
    with watch.stage("bone and devices") as notes:
        setup = prepare(case, strategies, bone)
        notes.append(setup.bone.name)
    return on_mesh(setup, case.mesh.sizes(), watch)


def on_mesh(setup: Setup, size: MeshSize, watch: Progress, named: str = "") -> Meshed:
    """The mesh of a bone with its solids; `named` goes before the name of the stage."""
    with watch.stage(f"{named}mesh") as notes:
        made = arrangement_mesh(setup, size)
        notes.append(f"{len(made.cells):,} {made.kind} · {3 * len(made.points):,} unknowns")
        for note in made.notes:
            warnings.warn(note, FemsimWarning, stacklevel=2)
        _check_layers(made, setup, size)
        at = places(made, setup.bone, setup.lesions)
    return Meshed(setup, made, at)


def _check_layers(made: Mesh, setup: Setup, size: MeshSize) -> None:
    """Refuse a mesh in which much of the cortex is missing: its strengths would be those of the holes."""
    layers = {name: setup.arrangement.solids[name] for name in setup.arrangement.layers}
    for one in holes(made, layers, size):
        if one.share > HOLED:
            x, y, z = one.place
            raise MeshError(
                f"The layer over the {one.name} is missing on {100.0 * one.share:.0f} % of the bone's surface in this "
                f"mesh, up to {one.thickness:.2g} mm of it, as at ({x:.0f}, {y:.0f}, {z:.0f}) mm.",
                f"Elements of {size.near:g} to {size.far:g} mm cannot hold it; the bone would break at its holes.",
                "Use a smaller mesh.near and mesh.far.",
            )


def loaded(case: Case, given: Meshed, watch: Progress) -> Problem:
    """A case on its mesh with supports and loads."""
    with watch.stage("loads") as notes:
        loading = loads.apply(loads.get(case.load), given.setup.bone, given.mesh, case.body_mass)
        notes.append(loading.description)
    return Problem(case, given.setup, given.mesh, given.at, loading)


def build(case: Case, strategies: Mapping[str, Treatment], watch: Progress) -> Problem:
    """Everything up to the equations: bone, solids, mesh, loads."""
    return loaded(case, meshed(case, strategies, watch), watch)


def solve_all(
    problem: Problem, strategies: Mapping[str, Treatment], watch: Progress, named: str = ""
) -> dict[str, CaseResult]:
    """Solve the strategies in order, each starting from the one before it; `named` goes before the names of stages."""
    workspace = fem.Workspace()
    start: NDArray[np.float64] | None = None
    results: dict[str, CaseResult] = {}
    for name, one in strategies.items():
        with watch.stage(f"{named}solve {name}") as notes:
            data, index = painted(problem, name)
            solution = solve_one(problem, name, data, index, workspace, start)
            start, log = solution.displacement, solution.log
            results[name] = judged(problem, name, one, data, index, solution)
            notes.append(f"{log.solver} · {log.iterations} iterations · residual {log.residual:.0e}")
        if problem.case.risk.nonlinear:
            with watch.stage(f"{named}collapse {name}") as notes:
                results[name], path = collapse(problem, results[name], data, workspace)
                notes.append(f"{len(path.steps)} steps · {path.solves} solves · {ENDS[path.end]}")
    return results


def solve_one(
    problem: Problem,
    name: str,
    data: Sequence[MaterialData],
    index: NDArray[np.int64],
    workspace: fem.Workspace,
    start: NDArray[np.float64] | None,
) -> fem.Solution:
    """Solve the equations of one strategy; `start` (n, 3) mm is where the iteration begins."""
    settings, loading = problem.case.solver, problem.loading.name
    return fem.solve(
        equations(problem, name, data, index),
        solver=settings.method,
        tolerance=settings.tolerance,
        threads=settings.threads,
        workspace=workspace,
        guess=None if start is None else {loading: start},
    )[loading]


def painted(problem: Problem, name: str) -> tuple[tuple[MaterialData, ...], NDArray[np.int64]]:
    """Materials of a strategy, with the changes of the case, and which of them every element is made of."""
    names, index = treatment.paint(problem.mesh, problem.setup.rules[name])
    return tuple(problem.case.material(one) for one in names), index


def mixed_in(problem: Problem, name: str) -> list[tuple[MaterialData, NDArray[np.float64]]]:
    """Materials of a strategy's homogenised walls, and the share of every element that they take."""
    shares = treatment.mixed(problem.mesh, problem.setup.rules[name])
    return [(problem.case.material(one), share) for one, share in shares]


def equations(problem: Problem, name: str, data: Sequence[MaterialData], index: NDArray[np.int64]) -> fem.Model:
    """The model of one strategy."""
    at = problem.at
    left = None if name in problem.setup.healed else at.remaining
    # the first strategy, the intact twin, holds the most bone: the others would warn of its densities again
    first = name == next(iter(problem.setup.rules))
    solid = material.assign(data, index, density=at.density, axis=at.axis, remaining=left, warn=first)
    return fem.Model(
        points=problem.mesh.points,
        cells=problem.mesh.cells,
        element=problem.mesh.kind,
        material=material.blended(solid, mixed_in(problem, name)),
        supports=problem.loading.supports,
        loads={problem.loading.name: problem.loading.loads},
    )


def judged(
    problem: Problem,
    name: str,
    strategy: Treatment,
    data: Sequence[MaterialData],
    index: NDArray[np.int64],
    solution: fem.Solution,
) -> CaseResult:
    """Strength and the row of the table from a solution."""
    assessment = risk.assess(
        solution,
        data,
        index,
        length=problem.case.risk.averaging_length,
        excluded=problem.loading.excluded,
        density=problem.at.left(name in problem.setup.healed),
        minimum_density=problem.case.risk.minimum_density,
        strength_law=problem.case.risk.strength_law,
        threads=problem.case.solver.threads,
    )
    return metrics.case_result(problem, name, strategy, data, index, solution, assessment)
