"""One case, solved: what runs in a worker, and what it keeps in memory from one case to the next.

A case gives the same numbers whatever ran before it: what is reused is found by content, and iterations start from the
intact twin of the same case, never from what the worker happened to solve last.
"""

from __future__ import annotations

import time
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim import fem, store
from femsim.case import Comparison
from femsim.errors import FemsimWarning
from femsim.material import MaterialData
from femsim.study import assumptions, metrics
from femsim.study.finish import finish
from femsim.study.interface import BOND
from femsim.study.problem import Meshed, Problem, judged, loaded, meshed, mixed_in, painted, solve_one, strategies_of
from femsim.study.progress import Progress
from femsim.study.result import CaseResult, ComparisonResult
from femsim.study.sweep import peak
from femsim.study.sweep.tasks import Task

#: Meshes that a worker keeps; sweeps come mesh by mesh, so that more than two are hardly ever asked for again.
MESHES = 2
#: Bytes of matrices and hierarchies that a worker keeps for other loads, and of finished solutions.
KEPT = 2**30
#: Under which the warnings of a mesh are kept.
MESH = "mesh"


@dataclass
class Memory:
    """What one worker keeps between cases, by content. Not to be shared by threads."""

    kept: int = KEPT
    bones: OrderedDict[str, Any] = field(default_factory=OrderedDict)
    meshes: OrderedDict[str, Meshed] = field(default_factory=OrderedDict)
    spaces: OrderedDict[tuple[str, str], fem.Workspace] = field(default_factory=OrderedDict)
    solutions: OrderedDict[tuple[str, str], fem.Solution] = field(default_factory=OrderedDict)
    results: OrderedDict[tuple[str, str], CaseResult] = field(default_factory=OrderedDict)
    notes: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    @contextmanager
    def noting(self, mesh: str, what: str) -> Iterator[None]:
        """Keep the warnings of what is made here for the cases that will find it made; they are given as well."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", FemsimWarning)
            yield
        told = [str(one.message) for one in caught if issubclass(one.category, FemsimWarning)]
        self.notes[mesh, what] = tuple(dict.fromkeys(told))
        self.tell(mesh, what)

    def tell(self, mesh: str, what: str) -> None:
        """Give the warnings of something kept once more: they hold for this case too."""
        for note in self.notes.get((mesh, what), ()):
            warnings.warn(note, FemsimWarning, stacklevel=2)

    def meshed(self, task: Task, case: Comparison, watch: Progress) -> Meshed:
        """Bone, solids and mesh of a case."""
        known = self.meshes.get(task.mesh)
        if known is not None:
            self.meshes.move_to_end(task.mesh)
            store.count("bone", reused=True)
            store.count("mesh", reused=True)
            self.tell(task.mesh, MESH)
            return known
        key = store.key([task.case["bone"]])
        bone = self.bones.get(key)
        store.count("bone", reused=bone is not None)
        with self.noting(task.mesh, MESH):
            found = meshed(case, strategies_of(case), watch, bone)
        _keep(self.bones, key, found.setup.bone, MESHES)
        _keep(self.meshes, task.mesh, found, MESHES)
        self._let_go()
        return found

    def _let_go(self) -> None:
        """Matrices, solutions and results of a mesh that was let go are of no use any more."""
        for held in (self.spaces, self.solutions, self.results, self.notes):
            for one in [one for one in held if one[0] not in self.meshes]:
                del held[one]

    def space(self, mesh: str, name: str) -> fem.Workspace:
        """The workspace of a strategy; a new one shares pattern and structure with the others of the mesh."""
        known = self.spaces.get((mesh, name))
        if known is not None:
            self.spaces.move_to_end((mesh, name))
            return known
        sibling = next((one for key, one in self.spaces.items() if key[0] == mesh and one.grid is not None), None)
        made = fem.Workspace()
        if sibling is not None:
            made.grid = sibling.grid
            if sibling.prepared is not None:
                # not its memory, which is of factors that the sibling still has
                made.prepared = replace(sibling.prepared.without_factors(), spare=())
        self.spaces[mesh, name] = made
        return made

    def bound(self) -> None:
        """Let the oldest go where matrices or solutions take more than `kept` bytes."""
        while len(self.spaces) > 1 and sum(_bytes(one) for one in self.spaces.values()) > self.kept:
            self.spaces.popitem(last=False)
        for held in (self.solutions, self.results):
            size = max((_solution_bytes(one) for one in held.values()), default=0)
            while len(held) > 1 and size * len(held) > self.kept // 2:
                held.popitem(last=False)


def _keep(held: OrderedDict[str, Any], key: str, value: Any, count: int) -> None:
    held[key] = value
    held.move_to_end(key)
    while len(held) > count:
        held.popitem(last=False)


def _bytes(space: fem.Workspace) -> int:
    blocks = 0 if space.blocks is None else space.blocks.nbytes
    return blocks + (space.prepared.memory if space.prepared is not None else 0)


def _solution_bytes(one: fem.Solution | CaseResult) -> int:
    cells = len(one.solution.model.cells) if isinstance(one, CaseResult) else len(one.model.cells)
    return 500 * cells  # displacement, scale, axes and the judgement of a quadratic tetrahedron, about


@dataclass(frozen=True, eq=False)
class Outcome:
    """A finished case: the comparison, and what it cost."""

    result: ComparisonResult
    seconds: float
    peak_memory: float
    made: Mapping[str, int]
    reused: Mapping[str, int]


def run(task: Task, memory: Memory, *, threads: int = 1, keep_matrices: bool = False, fields: bool = False) -> Outcome:
    """Solve one case.

    Parameters
    ----------
    task : Task
    memory : Memory
        What earlier cases left.
    threads : int
        Of the solver.
    keep_matrices : bool
        Whether other cases with the same matrices are to come; each strategy then keeps its own.
    fields : bool
        Whether the fields of every strategy are wanted; results kept in memory come without.

    Raises
    ------
    FemsimError
        As `femsim.compare`.
    """
    start, watch = time.perf_counter(), Progress(show=False)
    peak.reset()
    case = task.comparison()
    case = case.model_copy(update={"solver": case.solver.model_copy(update={"threads": threads})})
    strategies = strategies_of(case)
    with store.tally() as counts, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FemsimWarning)
        problem = loaded(case, memory.meshed(task, case, watch), watch)
        results: dict[str, CaseResult] = {}
        first: tuple[str, NDArray[np.float64]] | None = None
        for name in strategies:
            key, results[name] = _strategy(task, problem, name, memory, first, keep_matrices, fields)
            if first is None:
                first = key, results[name].solution.displacement
        curves, results = metrics.completed(problem, results)
        brackets = assumptions.assumptions(problem, results, strategies, watch) if case.uncertain else None
        memory.bound()
    told = tuple(dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, FemsimWarning)))
    result = finish(problem, results, curves, None, brackets, told, watch.seconds)
    return Outcome(result, time.perf_counter() - start, peak.memory(), counts.made, counts.reused)


def _strategy(
    task: Task,
    problem: Problem,
    name: str,
    memory: Memory,
    first: tuple[str, NDArray[np.float64]] | None,
    keep_matrices: bool,
    fields: bool,
) -> tuple[str, CaseResult]:
    """One strategy, from memory where the same equations were solved and judged before."""
    case = problem.case
    data, index = painted(problem, name)
    content = (task.mesh, name, case.load, case.body_mass, case.solver.method, case.solver.tolerance)
    walls = [one for one, _ in mixed_in(problem, name)]
    stiffness = [(one.stiffness(), one.density_law, one.density_exponent) for one in (*data, *walls)]
    solved = store.key([*content, *stiffness, None if first is None else first[0]])
    solution_key = task.mesh, solved
    strengths = [_strengths(one) for one in data]
    bond = _strengths(case.material(BOND))
    verdict = task.mesh, store.key([solved, *strengths, bond, case.risk.model_dump(mode="json")])
    known = memory.results.get(verdict)
    store.count("solve", reused=known is not None or solution_key in memory.solutions)
    if known is not None and not fields:
        memory.results.move_to_end(verdict)
        memory.tell(*solution_key)
        memory.tell(*verdict)
        return solved, known
    solution = memory.solutions.get(solution_key)
    if solution is None:
        with memory.noting(*solution_key):
            space = memory.space(task.mesh, name if keep_matrices else "")
            solution = solve_one(problem, name, data, index, space, None if first is None else first[1])
            store.count("matrix", reused="matrix" in solution.log.reused)
    else:
        memory.tell(*solution_key)
    with memory.noting(*verdict):
        result = judged(problem, name, strategies_of(case)[name], data, index, solution)
    slim = replace(solution)  # without strain and stress, which are worked out again when asked for
    memory.solutions[solution_key] = slim
    memory.results[verdict] = replace(result, solution=slim, fields={})
    return solved, result if fields else memory.results[verdict]


def _strengths(one: MaterialData) -> list[Any]:
    return [one.name, one.kind, one.criterion, {name: value.value for name, value in one.strength.items()}]
