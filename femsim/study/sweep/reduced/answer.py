"""Cases of a study that a reduced basis can answer, and their rows.

A group qualifies where its cases differ in elastic constants and loads alone, on the same supports, and where only
stiffness is asked for: the bound certifies the energy, not the strength at a point.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.errors import FemsimError, SolveError
from femsim.fem.elasticity import poisson_equivalent
from femsim.material.assign import PROJECT_ABOVE
from femsim.mesh import in_short
from femsim.study import metrics
from femsim.study.problem import Problem, equations, loaded, mixed_in, painted, strategies_of
from femsim.study.progress import Progress
from femsim.study.sweep import worker
from femsim.study.sweep.reduced.affine import family
from femsim.study.sweep.reduced.basis import Answers, Basis, answer
from femsim.study.sweep.reduced.greedy import build
from femsim.study.sweep.spec import Run
from femsim.study.sweep.tasks import Task

Floats = NDArray[np.float64]

#: Constants that change a stiffness; any other change of a material does not qualify.
_ELASTIC = frozenset(
    [
        "E",
        "nu",
        "E_axial",
        "E_transverse",
        "G_axial",
        "nu_axial",
        "nu_transverse",
        "E1",
        "E2",
        "E3",
        "G12",
        "G13",
        "G23",
        "nu12",
        "nu13",
        "nu23",
    ]
)


def groups(tasks: Sequence[Task], run: Run) -> list[list[Task]]:
    """Tasks that share everything but elastic constants and load, where there are enough of them."""
    if run.reduced == "never" or run.outputs != "stiffness":
        return []
    found: dict[str, list[Task]] = {}
    for one in tasks:
        rest = {key: value for key, value in one.case.items() if key not in ("materials", "load", "name")}
        changed = [
            (name, key, value)
            for name, constants in one.case["materials"].items()
            for key, value in constants.items()
            if key not in _ELASTIC
        ]
        found.setdefault(json.dumps([rest, changed, one.mesh], sort_keys=True, default=str), []).append(one)
    return [group for group in found.values() if len(group) >= run.reduced_from]


def records(
    group: Sequence[Task], memory: worker.Memory, run: Run, tell: Callable[[str], None] | None = None
) -> tuple[list[dict[str, Any]], str]:
    """The records of a group, those of its cases whose bound is under the tolerance, and a note.

    Raises
    ------
    FemsimError
        If the group cannot be answered so; its cases are then solved one by one.
    """
    start, watch = time.perf_counter(), Progress(show=False)
    first = group[0]
    case = first.comparison()
    strategies = strategies_of(case)
    names = list(dict.fromkeys(one.case["load"] for one in group))
    given = memory.meshed(first, case, watch)
    problems = {name: loaded(case.model_copy(update={"load": name}), given, watch) for name in names}
    rows: dict[str, dict[str, dict[str, Any]]] = {one.id: {} for one in group}
    sizes = []
    for strategy in strategies:
        for alike in _same_supports(problems):
            for basis, found, mine in _answers(group, problems, alike, strategy, run):
                sizes.append(basis.size)
                for one, row in _rows(strategy, problems, mine, alike, found):
                    rows[one.id][strategy] = row
    complete = [one for one in group if len(rows[one.id]) == len(strategies)]
    if not complete:
        raise SolveError(
            "Too few of the cases share one treatment of near incompressibility.",
            "Each would need a basis of its own.",
            "Narrow the ranges of the moduli, or solve case by case as is done now.",
        )
    seconds = (time.perf_counter() - start) / len(group)
    made = [_record(one, rows[one.id], problems[one.case["load"]], seconds) for one in complete]
    kept = [one for one in made if max(row["error_bound"] for row in one["rows"]) <= run.reduced_tolerance]
    worst = max((row["error_bound"] for one in kept for row in one["rows"]), default=float("nan"))
    note = (
        f"reduced basis: {len(kept)} cases x {len(strategies)} strategies by {len(sizes)} bases of {min(sizes)} to "
        f"{max(sizes)} vectors, error bound at most {worst:.1e}; {time.perf_counter() - start:.1f} s"
    )
    if tell is not None:
        tell(note)
    return kept, note


def _same_supports(problems: Mapping[str, Problem]) -> list[list[str]]:
    """Loads by what they are held by: one matrix for each."""
    found: dict[str, list[str]] = {}
    for name, problem in problems.items():
        key = "|".join(
            f"{support.components}{np.asarray(support.nodes).tobytes().hex()}{support.axes is None}"
            for support in problem.loading.supports
        )
        found.setdefault(key, []).append(name)
    return list(found.values())


def _answers(
    group: Sequence[Task], problems: Mapping[str, Problem], alike: Sequence[str], strategy: str, run: Run
) -> Iterator[tuple[Basis, Answers, list[Task]]]:
    """The bases of one strategy under loads of the same supports, and their answers to the group.

    A full solution projects the dilatation of materials that are nearly incompressible: other equations, so that
    samples beyond and below that limit need bases of their own. Where one would serve few cases it is not made.
    """
    mine = [one for one in group if one.case["load"] in alike]
    problem = problems[alike[0]]
    data, index = painted(problem, strategy)
    if mixed_in(problem, strategy):
        raise SolveError(
            f"The walls of {strategy} are thinner than the elements and mixed into them.",
            "The stiffness of such an element does not follow its moduli in the way a reduced basis needs.",
            "Use smaller elements near the devices, or solve case by case as is done now.",
        )
    samples = _stiffnesses(mine, [one.name for one in data])
    model = equations(problem, strategy, data, index)
    model = replace(model, loads={name: problems[name].loading.loads for name in alike})
    projected = poisson_equivalent(samples.reshape(-1, 6, 6)).reshape(samples.shape[:2]) > PROJECT_ABOVE
    projected &= np.isin(np.arange(len(data)), index)  # what no element is made of decides nothing
    for pattern in np.unique(projected, axis=0):
        chosen = np.flatnonzero((projected == pattern).all(axis=1))
        if len(chosen) >= run.reduced_from:
            equal = family(replace(model, material=replace(model.material, projected=pattern)), samples[chosen])
            basis = build(equal.equations, equal.thetas, equal.alphas, run.reduced_tolerance)
            yield basis, answer(basis, equal.thetas, equal.alphas), [mine[k] for k in chosen]


def _stiffnesses(group: Sequence[Task], names: Sequence[str]) -> Floats:
    """Stiffness (s, p, 6, 6) of every material in every case."""
    case = group[0].comparison()
    known: dict[str, Floats] = {}
    out = np.empty((len(group), len(names), 6, 6))
    for row, one in enumerate(group):
        for column, name in enumerate(names):
            changes = one.case["materials"].get(name, {})
            key = f"{name}{sorted(changes.items())}"
            if key not in known:
                known[key] = case.model_copy(update={"materials": {name: changes}}).material(name).stiffness()
            out[row, column] = known[key]
    return out


def _rows(
    strategy: str, problems: Mapping[str, Problem], mine: Sequence[Task], alike: Sequence[str], found: Answers
) -> Iterator[tuple[Task, dict[str, Any]]]:
    for number, one in enumerate(mine):
        column = alike.index(one.case["load"])
        loading = problems[one.case["load"]].loading
        work = float(found.work[number, column])
        yield (
            one,
            {
                "strategy": strategy,
                "load": loading.name,
                **metrics.stiffness_of(loading, work / 2.0),
                "unknowns": 3 * len(problems[one.case["load"]].mesh.points),
                "error_bound": float(found.bound[number, column]),
            },
        )


def _record(one: Task, rows: Mapping[str, dict[str, Any]], problem: Problem, seconds: float) -> dict[str, Any]:
    complete = metrics.recovered({name: dict(row) for name, row in rows.items()})
    return {
        "id": one.id,
        "status": "done",
        "method": "reduced",
        "params": dict(one.params),
        "rows": [complete[name] for name in rows],
        "seconds": seconds,
        "peak_memory": None,
        "mesh": dict(in_short(problem.mesh)),
        "hashes": {"case": one.id, "mesh": one.mesh, "matrix": one.matrix},
        "warnings": list(problem.setup.warnings),
    }


def refused(error: FemsimError) -> str:
    """Why a group is solved case by case, in a note."""
    return f"reduced basis: not used, {error.what[:1].lower()}{error.what[1:]}"
