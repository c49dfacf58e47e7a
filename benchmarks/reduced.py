"""Reduced basis: 10 000 samples of five moduli under three loads against full solutions of the same mesh.

    python benchmarks/reduced.py [NEAR] [COUNT]
    python benchmarks/reduced.py --study FOLDER [CHECKS]

CPU seconds of one thread. Included are affine terms, the factor of the reference, the basis, and all answers with
their bounds; a full solution is one sample under the three loads by the default solver. The true error of some samples
is measured against direct solutions. The second form does so with random rows of a finished study.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import femsim as fs
from femsim import fem, loads
from femsim.study import Progress, metrics
from femsim.study.problem import build, equations, loaded, painted
from femsim.study.sweep import worker
from femsim.study.sweep.reduced.affine import family
from femsim.study.sweep.reduced.basis import answer
from femsim.study.sweep.reduced.greedy import build as reduced_basis

LOADS = ("torsion", "bending_frontal", "bending_sagittal")
#: Five moduli and their ranges, MPa: the literature's for bone and cement, a factor of three for the tumour.
RANGES = {
    "cortical_bone": {"E_axial": (15000.0, 20000.0), "E_transverse": (10500.0, 13000.0), "G_axial": (3000.0, 4000.0)},
    "pmma": {"E": (1500.0, 3500.0)},
    "tumour_tissue": {"E": (0.5, 1.5)},  # times the value of the library
}


def problem(near: float) -> tuple[fem.Model, Any]:
    """A tube with a lesion half filled with cement, under three loads; and its materials."""
    case = fs.Case(
        bone=fs.Tube(length=120.0),
        lesion=fs.Lesion(site="shaft_middle", diameter=18.0),
        load=LOADS[0],
        mesh=fs.Mesh(near=near, far=2.5 * near),
    )
    made = build(case, {"cement": fs.Cement(fill_fraction=0.5)}, Progress(show=False))
    data, index = painted(made, "cement")
    applied = {name: loads.apply(loads.get(name), made.setup.bone, made.mesh, case.body_mass).loads for name in LOADS}
    return replace(equations(made, "cement", data, index), loads=applied), data


def samples(data: Any, count: int, seed: int = 0) -> np.ndarray:
    """Stiffness (s, p, 6, 6) of every material in every sample."""
    random = np.random.default_rng(seed)
    out = np.empty((count, len(data), 6, 6))
    for column, one in enumerate(data):
        ranges = RANGES.get(one.name, {})
        drawn = {key: low + (high - low) * random.random(count) for key, (low, high) in ranges.items()}
        for row in range(count):
            changes = {
                key: values[row] * (one[key] if one.name == "tumour_tissue" else 1.0) for key, values in drawn.items()
            }
            out[row, column] = one.with_(**changes).stiffness() if changes else one.stiffness()
    return out


def measure(near: float, count: int, checks: int, tolerance: float = 1e-3) -> dict[str, Any]:
    """Cost of all answers in full solutions, and the true error of some against its bound."""
    model, data = problem(near)
    materials = samples(data, count)
    solved = [replace(model, material=replace(model.material, base=one)) for one in materials[:4]]
    fem.solve(solved[0], threads=1)  # compiled before anything is timed
    family(model, materials[:3])
    start = time.process_time()
    for one in solved[1:]:
        fem.solve(one, tolerance=1e-7, threads=1)
    single = (time.process_time() - start) / 3
    start = time.process_time()
    equal = family(model, materials)
    basis = reduced_basis(equal.equations, equal.thetas, equal.alphas, tolerance)
    found = answer(basis, equal.thetas, equal.alphas)
    total = time.process_time() - start
    ratio, largest = 0.0, 0.0
    for row in np.random.default_rng(1).choice(count, checks, replace=False):
        one = replace(model, material=replace(model.material, base=materials[row]))
        matrix = equal.equations.matrix(equal.thetas[row])
        for column, exact in enumerate(fem.solve(one, solver="direct", threads=1).values()):
            error = exact.displacement.ravel() - basis.vectors @ found.coefficients[row, column]
            true = float(np.sqrt(error @ (matrix @ error) / (2.0 * exact.energy)))
            largest, ratio = max(largest, true), max(ratio, true / found.bound[row, column])
    return {
        "unknowns": model.unknowns,
        "samples": count,
        "loads": len(LOADS),
        "vectors": basis.size,
        "bound": float(found.bound.max()),
        "checks": checks,
        "largest_error": largest,
        "largest_error_over_bound": ratio,
        "full_solution_s": single,
        "all_answers_s": total,
        "cost_in_solutions": total / single,
    }


def check(folder: Path, count: int) -> dict[str, Any]:
    """The true error of random rows of a study, each from a full solution of its equations, against its bound.

    The reduced solution is a Galerkin projection: its relative error in the energy norm is the root of what its work
    lacks, and stiffness is inverse to work.
    """
    done, memory = fs.load(folder), worker.Memory()
    frame = done.frame
    rows = frame[frame["method"] == "reduced"].sample(count, random_state=1)
    tasks = {one.id: one for one in done.cases if one.id in set(rows["case"])}
    names = sorted({one.case["load"] for one in tasks.values()})
    found: list[tuple[float, float]] = []
    full: dict[str, float] = {}
    for _, row in rows.sort_values("strategy").iterrows():
        task, strategy = tasks[row["case"]], row["strategy"]
        case, silent = task.comparison(), Progress(show=False)
        given = loaded(case, memory.meshed(task, case, silent), silent)
        model = equations(given, strategy, *painted(given, strategy))
        solution = fem.solve(model, tolerance=1e-8, threads=1)[given.loading.name]
        columns = {f"out.{name}": one for name, one in metrics.stiffness_of(given.loading, solution.energy).items()}
        name = next(one for one in columns if one.endswith("stiffness"))
        found.append((max(row[name] / columns[name] - 1.0, 0.0) ** 0.5, row["error_bound"]))
        if strategy not in full:  # one sample under all loads, as a study without the basis would be solved
            every = {
                name: loads.apply(loads.get(name), given.setup.bone, given.mesh, case.body_mass).loads for name in names
            }
            start = time.process_time()
            fem.solve(replace(model, loads=every), threads=1)
            full[strategy] = time.process_time() - start
    error, bound = np.array(found).T
    total = float(frame.groupby("case")["seconds"].first().sum())
    return {
        "cases": len(frame["case"].unique()),
        "rows": len(frame),
        "bound": float(frame["error_bound"].max()),
        "checks": len(rows),
        "largest_error": float(error.max()),
        "largest_error_over_bound": float((error / bound).max()),
        "loads": len(names),
        "full_solution_s": full,
        "all_answers_s": total,
        "cost_in_solutions": total / sum(full.values()),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--study"]:
        print(json.dumps(check(Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 50), indent=2))
        sys.exit()
    near = float(sys.argv[1]) if len(sys.argv) > 1 else 2.2
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    print(json.dumps(measure(near, count, 50), indent=2))
