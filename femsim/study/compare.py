"""One bone, one mesh, every strategy: the comparison."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim import fem, loads, material, risk, treatment
from femsim.anatomy import Bone
from femsim.case import Case, Comparison
from femsim.errors import FemsimWarning
from femsim.material import MaterialData
from femsim.mesh import Mesh
from femsim.study import metrics
from femsim.study.firsttime import compiling
from femsim.study.materials import Places, places
from femsim.study.nonlinear import ENDS, collapse
from femsim.study.progress import Progress
from femsim.study.result import CaseResult, ComparisonResult
from femsim.study.setup import Setup, prepare
from femsim.study.stages import arrangement_mesh
from femsim.treatment import Treatment


@dataclass(frozen=True, eq=False)
class Problem:
    """One mesh with its supports and loads: what all strategies share."""

    case: Case
    setup: Setup
    mesh: Mesh
    at: Places
    loading: loads.Applied


def compare(
    case: Case,
    strategies: Sequence[Treatment] | Mapping[str, Treatment] | None = None,
    *,
    convergence: bool = False,
    nonlinear: bool | None = None,
    progress: Progress | None = None,
) -> ComparisonResult:
    """Solve every strategy on one mesh of one bone.

    Parameters
    ----------
    case : Case
        Bone, lesion, load, mesh and risk settings.
    strategies : sequence or mapping of Treatment, optional
        What to compare; those of the case file by default. The intact twin is always solved, as the reference.
    convergence : bool
        Solve everything on a mesh of twice the element size too and report the change as the discretisation error.
    nonlinear : bool, optional
        Follow materials that yield and soften to the failure load too; as the case says by default.
    progress : Progress, optional
        Where to tell the stages and their times.

    Returns
    -------
    ComparisonResult

    Raises
    ------
    FemsimError
        With what, why and what to do, before anything is written.
    """
    if nonlinear is not None:
        case = case.model_copy(update={"risk": case.risk.model_copy(update={"nonlinear": nonlinear})})
    chosen = strategies_of(case, strategies)
    watch = progress or Progress()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FemsimWarning)
        with compiling(watch):
            problem = build(case, chosen, watch)
        results = solve_all(problem, chosen, watch)
        coarse = _coarse(case, chosen, watch) if convergence else None
    told = tuple(dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, FemsimWarning)))
    return metrics.finish(problem, results, coarse, told, watch.seconds)


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


def _coarse(case: Case, strategies: Mapping[str, Treatment], watch: Progress) -> dict[str, CaseResult]:
    """The same comparison on a mesh of twice the element size."""
    linear = case.risk.model_copy(update={"nonlinear": False})
    twice = case.model_copy(update={"mesh": case.mesh.scaled(2.0), "risk": linear})
    return solve_all(build(twice, strategies, watch), strategies, watch)


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
    with watch.stage("mesh") as notes:
        made = arrangement_mesh(setup, case.mesh.sizes())
        notes.append(f"{len(made.cells):,} {made.kind} · {3 * len(made.points):,} unknowns")
        for note in made.notes:
            warnings.warn(note, FemsimWarning, stacklevel=2)
        at = places(made, setup.bone, setup.lesions)
    return Meshed(setup, made, at)


def loaded(case: Case, given: Meshed, watch: Progress) -> Problem:
    """A case on its mesh with supports and loads."""
    with watch.stage("loads") as notes:
        loading = loads.apply(loads.get(case.load), given.setup.bone, given.mesh, case.body_mass)
        notes.append(loading.description)
    return Problem(case, given.setup, given.mesh, given.at, loading)


def build(case: Case, strategies: Mapping[str, Treatment], watch: Progress) -> Problem:
    """Everything up to the equations: bone, solids, mesh, loads."""
    return loaded(case, meshed(case, strategies, watch), watch)


def solve_all(problem: Problem, strategies: Mapping[str, Treatment], watch: Progress) -> dict[str, CaseResult]:
    """Solve the strategies in order, each starting from the one before it."""
    workspace = fem.Workspace()
    guess: dict[str, NDArray[np.float64]] | None = None
    results: dict[str, CaseResult] = {}
    for name, one in strategies.items():
        with watch.stage(f"solve {name}") as notes:
            result, guess = _solve(problem, name, one, workspace, guess)
            results[name] = result
            log = result.solution.log
            notes.append(f"{log.solver} · {log.iterations} iterations · residual {log.residual:.0e}")
        if problem.case.risk.nonlinear:
            with watch.stage(f"collapse {name}") as notes:
                results[name], path = collapse(problem, results[name], painted(problem, name)[0], workspace)
                notes.append(f"{len(path.steps)} steps · {path.solves} solves · {ENDS[path.end]}")
    return results


def _solve(
    problem: Problem,
    name: str,
    strategy: Treatment,
    workspace: fem.Workspace,
    guess: Mapping[str, NDArray[np.float64]] | None,
) -> tuple[CaseResult, dict[str, NDArray[np.float64]]]:
    data, index = painted(problem, name)
    settings = problem.case.solver
    solutions = fem.solve(
        equations(problem, name, data, index),
        solver=settings.method,
        tolerance=settings.tolerance,
        threads=settings.threads,
        workspace=workspace,
        guess=guess,
    )
    solution = solutions[problem.loading.name]
    return judged(problem, name, strategy, data, index, solution), {problem.loading.name: solution.displacement}


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
    solid = material.assign(data, index, density=at.density, axis=at.axis, remaining=left)
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
