"""One bone, one mesh, every strategy: the comparison."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

from femsim.case import Case
from femsim.errors import FemsimError, FemsimWarning
from femsim.study import assumptions, discretisation, metrics
from femsim.study.discretisation import Convergence, Level
from femsim.study.finish import finish
from femsim.study.firsttime import compiling
from femsim.study.problem import Problem, build, loaded, on_mesh, solve_all, strategies_of
from femsim.study.progress import Progress
from femsim.study.result import CaseResult, ComparisonResult
from femsim.treatment import Treatment


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
        Solve everything on meshes of 1.4 and 2 times the element size too, and give every number its discretisation
        error (`femsim.study.discretisation`).
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
        curves, results = metrics.completed(problem, results)
        bars = discretisation_error(problem, results, chosen, watch) if convergence else None
        brackets = assumptions.assumptions(problem, results, chosen, watch) if case.uncertain else None
    told = tuple(dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, FemsimWarning)))
    return finish(problem, results, curves, bars, brackets, told, watch.seconds)


def discretisation_error(
    problem: Problem, results: Mapping[str, CaseResult], strategies: Mapping[str, Treatment], watch: Progress
) -> Convergence | None:
    """Error bars of finished results from the same comparison on coarser meshes."""
    levels = [discretisation.level(problem.mesh, results, {name: one.metrics for name, one in results.items()})]
    for factor in discretisation.COARSER:
        try:
            levels.append(_coarser(problem, strategies, factor, watch))
        except FemsimError as error:
            discretisation.coarser_mesh_failed(factor, error)
    return discretisation.convergence(levels)


def _coarser(problem: Problem, strategies: Mapping[str, Treatment], factor: float, watch: Progress) -> Level:
    """The same bone, solids and load on a mesh of `factor` times the element size; only its notes are told."""
    named = f"{factor:.2g} x size: "
    size = problem.case.mesh.sizes(factor)
    if size.walls == "auto":  # as on the reported mesh
        size = replace(size, walls="homogenise" if problem.mesh.fractions else "resolve")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)
        there = loaded(problem.case, on_mesh(problem.setup, size, watch, named), watch)
        results = metrics.completed(there, solve_all(there, strategies, watch, named))[1]
    for note in there.mesh.notes:
        if note not in problem.mesh.notes and "homogenised" not in note:  # walls are as on the reported mesh
            warnings.warn(f"On the mesh of {factor:.2g} times the element size: {note}", FemsimWarning, stacklevel=2)
    return discretisation.level(there.mesh, results, {name: one.metrics for name, one in results.items()})
