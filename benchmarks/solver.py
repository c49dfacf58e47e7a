"""The linear solver against other codes on meshes of the project: ``python benchmarks/solver.py``.

The default femur with its lesion and catheters, straight-sided tet10, 17 GPa / 0.5 GPa / 5 MPa / 2.5 GPa, the distal
end held and the hip and muscle forces of walking. From mesh arrays to displacements and nodal stresses; every run is a
process of its own, one after the other, on two threads. Codes that are not there are skipped and named.

    python benchmarks/solver.py                                   femsim alone, 125 and 390 thousand unknowns
    python benchmarks/solver.py --sizes 390 --calculix --peers /path/to/python
    python benchmarks/solver.py --sizes 125 390 1000 3000

`--peers` is the interpreter of an environment with scikit-fem (and pypardiso or pyamg), sfepy and NGSolve.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
THREADS = "2"
MODULI = {"cortical_bone": 17000.0, "trabecular_bone": 500.0, "tumour_tissue": 5.0}
CEMENT = 2500.0
POISSON = 0.3
#: Element size near the lesion, mm, at which the default femur has about so many unknowns, and how it falls with them
#: (the cortex is a shell). The first guess only.
NEAR = {"unknowns": 237_807.0, "near": 2.0, "ratio": 3.1}
SHRINK = 0.55


# ------------------------------------------------------------------------------------------------------------ problems


def problem(target: int, folder: Path) -> Path:
    """The problem with about `target` unknowns, made once and kept in `folder`."""
    path = folder / f"femur_{target}.npz"
    near = NEAR["near"] * (NEAR["unknowns"] / target) ** SHRINK
    for _ in range(6):
        if path.exists():
            break
        made = folder / "try.npz"
        subprocess.run([sys.executable, str(HERE / "solver.py"), "--make", f"{near:.4f}", str(made)], check=True)
        count = unknowns(np.load(made))
        if abs(count / target - 1.0) < 0.12:
            made.rename(path)
        near *= (count / target) ** SHRINK
    if not path.exists():
        made.rename(path)
    return path


def unknowns(data: Any) -> int:
    """Displacements to solve for: those of the held nodes (a third of this bone's nodes) are not among them."""
    return 3 * (len(data["points"]) - len(data["fixed"]))


def make(near: float, path: Path) -> None:
    """Mesh the default femur and write the arrays of the problem."""
    from femsim import Case, fem, treatment
    from femsim.fem.forces import nodal_forces
    from femsim.study.problem import build
    from femsim.study.progress import Progress

    case = Case()
    size = case.mesh.model_copy(update={"near": near, "far": NEAR["ratio"] * near})
    case = case.model_copy(update={"mesh": size})
    strategies = treatment.named(treatment.default_strategies())
    built = build(case, strategies, Progress())
    mesh = built.mesh
    label = next(name for name, one in strategies.items() if isinstance(one, treatment.CementFilledCatheter))
    names, index = treatment.paint(mesh, built.setup.rules[label])
    cells, points = mesh.cells, mesh.points.copy()
    ends = fem.mid_parents(cells, "tet10", len(points))
    points = points[ends].mean(axis=1)  # straight edges, which every code can read
    held = np.concatenate([np.asarray(s.nodes) for s in built.loading.supports if isinstance(s, fem.Fixed)])
    fixed = np.flatnonzero(np.isin(ends, held).all(axis=1) & np.isin(np.arange(len(points)), held))
    volume = fem.quadrature_volumes(points, cells, "tet10")
    force = np.zeros_like(points)
    for load in built.loading.loads:
        force += nodal_forces(load, points, cells, fem.element("tet10"), volume)
    force[fixed] = 0.0
    moduli = np.array([MODULI.get(name, CEMENT) for name in names])
    np.savez(path, points=points, cells=cells, material=index, moduli=moduli, poisson=POISSON, fixed=fixed, force=force)


# -------------------------------------------------------------------------------------------------------------- femsim


def model_of(data: Any, factor: np.ndarray | float = 1.0, cases: int = 1) -> Any:
    """The problem as a `femsim.fem.Model`; further load cases turn the force about the long axis."""
    from femsim import fem

    base = np.array([fem.isotropic(e, float(data["poisson"])) for e in data["moduli"] * factor])
    nodes = np.flatnonzero(data["force"].any(axis=1))
    loads = {}
    for k in range(cases):
        c, s = np.cos(k), np.sin(k)
        turned = data["force"][nodes] @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
        loads[f"case {k}"] = [fem.NodalForce(nodes, turned)]
    material = fem.Material(base, data["material"])
    return fem.Model(data["points"], data["cells"], material, [fem.Fixed(data["fixed"])], loads)


def run_femsim(data: Any, task: str) -> tuple[np.ndarray, dict[str, Any]]:
    """One task in this process: "one", "six" load cases, "again", "second" material map, or "assembly"."""
    from femsim import fem

    told: dict[str, Any] = {}
    start = time.perf_counter()
    if task == "assembly":
        return np.zeros(0), _assembly(data)
    space = fem.Workspace()
    found = fem.solve(model_of(data, cases=6 if task == "six" else 1), workspace=space)
    for solution in found.values():
        fem.recover(solution)
    told["seconds"] = time.perf_counter() - start
    if task == "again":
        del found, solution, space
        space, start = fem.Workspace(), time.perf_counter()
        found = fem.solve(model_of(data), workspace=space)
        fem.recover(found["case 0"])
        told["seconds"] = time.perf_counter() - start
    if task == "second":
        start = time.perf_counter()
        changed = model_of(data, np.where(data["moduli"] < 10.0, 500.0, 1.0) * 0.9)  # the lesion becomes cement
        second = fem.solve(changed, workspace=space)["case 0"]
        fem.recover(second)
        told["second"] = time.perf_counter() - start
        told["second iterations"] = second.log.iterations
    first = found["case 0"]
    told |= {"how": first.log.solver, "iterations": first.log.iterations, "phases": first.log.seconds}
    told |= _traffic(space, first.log)
    return first.displacement, told


def _assembly(data: Any) -> dict[str, Any]:
    """Seconds for pattern and matrix, and for another material on the same pattern, per 300 000 tetrahedra."""
    from femsim import fem
    from femsim.fem import operators
    from femsim.fem.workspace import make_grid

    model = model_of(data)
    few = fem.Model(model.points, model.cells[:64], fem.Material(model.material.base, model.material.index[:64]))
    operators.stiffness(make_grid(few, int(THREADS)), few.material)  # reads the compiled kernels
    scale = 300_000 / len(model.cells)
    start = time.perf_counter()
    grid = make_grid(model, int(THREADS))
    pattern = time.perf_counter()
    blocks = operators.stiffness(grid, model.material)
    first = time.perf_counter()
    operators.stiffness(grid, fem.Material(0.5 * model.material.base, model.material.index), blocks)
    again = time.perf_counter()
    return {
        "pattern": scale * (pattern - start),
        "first": scale * (first - start),
        "moduli": scale * (again - first),
        "seconds": again - start,
    }


def _traffic(space: Any, log: Any) -> dict[str, float]:
    """Bytes that one iteration has to move, and what the memory moves in a second."""
    factors = space.prepared.factors
    lower = getattr(getattr(space.prepared.structure, "lower", None), "indices", None)
    if lower is None:
        return {}
    # the matrix once in double and twice in single precision with its indices, and some 20 vectors
    fine = len(lower) * ((72 + 4) + 2 * (36 + 4)) + len(factors.diagonal) * (72 + 2 * 36 + 3 * (12 * 4 + 8 * 8))
    below = 2 * factors.vertices.memory
    big = np.ones(30_000_000)
    big.sum()
    start = time.perf_counter()
    big.sum()
    rate = big.nbytes / (time.perf_counter() - start)
    return {"bytes": float(fine + below), "read": rate, "cg": log.seconds.get("solve", 0.0)}


# ------------------------------------------------------------------------------------------------------------ CalculiX


def write_deck(data: Any, path: Path) -> None:
    """The problem as a CalculiX deck; its fields are 20 characters wide at most."""
    points, cells = data["points"], data["cells"]
    with path.open("w", encoding="ascii") as out:
        out.write("*NODE,NSET=ALL\n")
        np.savetxt(out, np.column_stack([np.arange(1, len(points) + 1), points]), fmt="%d,%.12e,%.12e,%.12e")
        for k, modulus in enumerate(data["moduli"]):
            mine = np.flatnonzero(data["material"] == k)
            out.write(f"*ELEMENT,TYPE=C3D10,ELSET=M{k}\n")
            np.savetxt(out, np.column_stack([mine + 1, cells[mine] + 1]), fmt="%d", delimiter=",")
            out.write(f"*MATERIAL,NAME=MAT{k}\n*ELASTIC\n{modulus},{float(data['poisson'])}\n")
            out.write(f"*SOLID SECTION,ELSET=M{k},MATERIAL=MAT{k}\n")
        out.write("*BOUNDARY\n")
        np.savetxt(out, data["fixed"] + 1, fmt="%d,1,3")
        out.write("*STEP\n*STATIC,SOLVER=SPOOLES\n*CLOAD\n")
        for node in np.flatnonzero(data["force"].any(axis=1)):
            for c in range(3):
                out.write(f"{node + 1},{c + 1},{data['force'][node, c]:.12e}\n")
        out.write("*NODE PRINT,NSET=ALL\nU\n*EL FILE\nS\n*END STEP\n")


def run_calculix(data: Any, folder: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """Wall time of ``ccx`` on a deck, reading and writing included."""
    write_deck(data, folder / "bone.inp")
    start = time.perf_counter()
    environment = os.environ | {"OMP_NUM_THREADS": THREADS, "CCX_NPROC_EQUATION_SOLVER": THREADS}
    subprocess.run(["ccx", "bone"], cwd=folder, check=True, stdout=subprocess.DEVNULL, env=environment)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    found = np.zeros((len(data["points"]), 3))
    with (folder / "bone.dat").open(encoding="ascii") as lines:
        for line in lines:
            part = line.split()
            if len(part) == 4 and part[0].isdigit():
                found[int(part[0]) - 1] = [float(v) for v in part[1:]]
    return found, {"seconds": seconds, "peak": peak, "how": "SPOOLES"}


# --------------------------------------------------------------------------------------------------------- the harness


def own_process(python: str, arguments: list[str]) -> dict[str, Any] | None:
    """Run this or the peers' script; what it printed last, or None and a message."""
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), THREADS
    )
    done = subprocess.run([python, *arguments], capture_output=True, text=True, env=os.environ | threads)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"  skipped: {' '.join(arguments[:2])}: {last}", file=sys.stderr)
        return None
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def bench(path: Path, options: argparse.Namespace, work: Path) -> tuple[int, float]:
    """All codes on one problem; its unknowns and femsim's seconds."""
    data = np.load(path)
    print(f"\n## {unknowns(data)} unknowns, {len(data['points'])} nodes, {len(data['cells'])} tet10\n", flush=True)
    own = str(HERE / "solver.py")
    rows: dict[str, dict[str, Any]] = {}
    fields: dict[str, np.ndarray] = {}
    tasks = ["one"] if options.only_one else ["one", "again", "six", "second", "assembly"]
    for task in tasks:
        told = own_process(sys.executable, [own, "--run", task, str(path), str(work / "femsim.npz")])
        if told is None:
            raise SystemExit("femsim itself failed.")
        rows[f"femsim {task}"] = told
        if task == "one":
            fields["femsim one"] = np.load(work / "femsim.npz")["displacement"]
    if options.calculix and shutil.which("ccx"):
        told = own_process(sys.executable, [own, "--run", "calculix", str(path), str(work / "ccx.npz")])
        if told is not None:
            rows["CalculiX"], fields["CalculiX"] = told, np.load(work / "ccx.npz")["displacement"]
    elif options.calculix:
        print("  skipped: CalculiX: ccx is not installed", file=sys.stderr)
    for code in options.codes if options.peers else ():
        out = str(work / "peer.npz")
        told = own_process(options.peers, [str(HERE / "solver_peers.py"), code, str(path), out])
        if told is not None:
            rows[code], fields[code] = told, np.load(out)["displacement"]
    report(rows, fields)
    return unknowns(data), float(rows["femsim one"]["seconds"])


def ratios(rows: dict[str, dict[str, Any]]) -> str:
    """How femsim stands against CalculiX, the best other code and the leanest direct solver."""
    one = rows["femsim one"]
    others = {name: row for name, row in rows.items() if not name.startswith("femsim")}
    said = []
    if "CalculiX" in others:
        said.append(f"CalculiX takes {others['CalculiX']['seconds'] / one['seconds']:.1f} times as long (goal: 15)")
    free = {name: row for name, row in others.items() if name != "CalculiX"}
    if free:
        best = min(free, key=lambda name: float(free[name]["seconds"]))
        said.append(
            f"the best other, {best}, {free[best]['seconds'] / one['seconds']:.1f} times (goal: 5); the slowest "
            f"{max(row['seconds'] for row in free.values()) / one['seconds']:.1f} times"
        )
    direct = {n: r for n, r in others.items() if any(w in r["how"] for w in ("SPOOLES", "Pardiso", "cholesky"))}
    if direct:
        lean = min(direct, key=lambda name: float(direct[name]["peak"]))
        said.append(
            f"femsim's peak is {one['peak'] / direct[lean]['peak']:.2f} of that of the leanest direct solver, {lean} "
            "(goal: 0.5)"
        )
    return "; ".join(said)


def report(rows: dict[str, dict[str, Any]], fields: dict[str, np.ndarray]) -> None:
    """Print the table of one size and the ratios that matter."""
    one = rows["femsim one"]
    reference = fields["femsim one"]
    print("| code | solver | s | times femsim | peak GiB | max difference |\n|---|---|--:|--:|--:|--:|")
    for name, row in rows.items():
        if name != "femsim one" and name.startswith("femsim"):
            continue
        gap = abs(fields[name] - reference).max() / abs(reference).max()
        print(
            f"| {name} | {row['how']} | {row['seconds']:.2f} | {row['seconds'] / one['seconds']:.1f} | "
            f"{row['peak']:.2f} | {gap:.1e} |"
        )
    if summary := ratios(rows):
        print(f"\n{summary}.")
    if "femsim six" in rows:
        six, second, assembly = rows["femsim six"], rows["femsim second"], rows["femsim assembly"]
        again = float(rows["femsim again"]["seconds"])
        less = f", {rows['CalculiX']['seconds'] / again:.1f} times less than CalculiX" if "CalculiX" in rows else ""
        print(f"\nThese are processes that start and load compiled code; femsim once more takes {again:.2f} s{less}.")
        print(f"\nSix load cases cost {six['seconds'] / one['seconds']:.2f} times one (peak {six['peak']:.2f} GiB).")
        print(
            f"A second material map costs {second['second'] / second['seconds']:.2f} times the first "
            f"({second['second iterations']} iterations)."
        )
        print(
            f"Assembly, per 300 000 tet10: {assembly['first']:.2f} s (of which pattern {assembly['pattern']:.2f} s); "
            f"other moduli {assembly['moduli']:.2f} s."
        )
    print("Where femsim's time goes: " + ", ".join(f"{k} {v:.2f} s" for k, v in one["phases"].items()) + ".")
    if "bytes" in one:
        per = one["bytes"] / one["read"]
        print(
            f"The limit: {one['iterations']} iterations of {one['bytes'] / 1e6:.0f} MB; one core reads "
            f"{one['read'] / 1e9:.1f} GB/s, so {one['iterations'] * per:.2f} s of memory traffic on one core, "
            f"{one['iterations'] * per / 2:.2f} s on two."
        )


def run(task: str, problem_path: Path, result: Path) -> None:
    """A task in this process; prints what it took as JSON."""
    data = dict(np.load(problem_path))
    if task == "calculix":
        with tempfile.TemporaryDirectory() as folder:
            displacement, told = run_calculix(data, Path(folder))
    else:
        displacement, told = run_femsim(data, task)
        told["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    np.savez(result, displacement=displacement)
    print(json.dumps(told))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[125, 390], help="thousand unknowns")
    parser.add_argument("--calculix", action="store_true", help="run ccx as well")
    parser.add_argument("--peers", help="Python of an environment with the other codes")
    parser.add_argument("--codes", nargs="+", default=["scikit-fem", "NGSolve", "sfepy"])
    parser.add_argument("--only-one", action="store_true", help="leave out six cases, second map and assembly")
    parser.add_argument("--meshes", type=Path, default=Path(tempfile.gettempdir()) / "femsim_benchmark")
    parser.add_argument("--make", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make(float(options.make[0]), Path(options.make[1]))
        return
    if options.run:
        run(options.run[0], Path(options.run[1]), Path(options.run[2]))
        return
    options.meshes.mkdir(parents=True, exist_ok=True)
    small = problem(125_000, options.meshes)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for task in ("one", "six", "second"):  # compiled kernels are cached before anything is measured
            own_process(sys.executable, [str(HERE / "solver.py"), "--run", task, str(small), str(work / "x.npz")])
        done = [bench(problem(1000 * size, options.meshes), options, work) for size in options.sizes]
    for (n, seconds), (more, longer) in itertools.pairwise(done):
        print(f"\nFrom {n} to {more} unknowns the time grows as n^{np.log(longer / seconds) / np.log(more / n):.2f}.")


if __name__ == "__main__":
    main()
