"""Other codes on the same problem, for ``benchmarks/solver.py``: from mesh arrays to displacements and stresses.

Needs numpy and the code itself, not femsim: the peers live in an environment of their own. Straight-sided tet10, given
as ``points, cells (VTK order), material, moduli, poisson, fixed nodes, nodal force``.

    python solver_peers.py CODE problem.npz result.npz
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import numpy as np

EDGES = ((0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (2, 3))


def scikit_fem(data: Any) -> tuple[np.ndarray, str]:
    """scikit-fem with MKL Pardiso (the fastest solver it can be given) or, without it, pyamg."""
    import skfem
    from skfem.helpers import ddot, eye, sym_grad, trace
    from skfem.models.elasticity import lame_parameters

    points, cells = data["points"], data["cells"]
    corner = np.unique(cells[:, :4])
    number = np.full(len(points), -1)
    number[corner] = np.arange(len(corner))
    mesh = skfem.MeshTet(points[corner].T.copy(), number[cells[:, :4]].T.copy(), sort_t=False)
    basis = skfem.Basis(mesh, skfem.ElementVector(skfem.ElementTetP2()), intorder=2)
    young = data["moduli"][data["material"]]
    lame, shear = (v[:, None] for v in lame_parameters(young, float(data["poisson"])))

    @skfem.BilinearForm
    def stiffness(u, v, w):  # type: ignore[no-untyped-def]
        strain = sym_grad(u)
        return ddot(lame * eye(trace(strain), 3) + 2.0 * shear * strain, sym_grad(v))

    matrix = stiffness.assemble(basis)
    from scipy.spatial import cKDTree

    places = basis.doflocs.T
    node = cKDTree(points).query(places)[1]
    component = np.empty(len(places), int)
    for c in range(3):
        for dofs in (basis.nodal_dofs[c], basis.edge_dofs[c]):
            component[dofs] = c
    force = data["force"][node, component]
    held = np.isin(node, data["fixed"])
    free = np.flatnonzero(~held)
    reduced = matrix[free][:, free]
    found = np.zeros(len(places))
    try:
        from pypardiso import PyPardisoSolver
        from scipy.sparse import triu

        solver = PyPardisoSolver(mtype=2)
        found[free] = solver.solve(triu(reduced, format="csr"), force[free])
        how = "MKL Pardiso, mtype 2"
    except ImportError:
        found[free], how = _amg(reduced, force[free], places[free], component[free])
    out = np.zeros((len(points), 3))
    out[node, component] = found
    field = basis.interpolate(found)
    strain = sym_grad(field)
    stress = lame * eye(trace(strain), 3) + 2.0 * shear * strain
    scalar = skfem.Basis(mesh, skfem.ElementTetP1(), intorder=2)
    for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):
        scalar.project(stress[i, j])
    return out, how


def _amg(matrix: Any, force: np.ndarray, at: np.ndarray, component: np.ndarray) -> tuple[np.ndarray, str]:
    import pyamg

    modes = np.zeros((len(force), 6))
    modes[np.arange(len(force)), component] = 1.0
    for k, (i, j) in enumerate(((1, 2), (2, 0), (0, 1))):
        modes[:, 3 + k] = np.where(component == i, -at[:, j], np.where(component == j, at[:, i], 0.0))
    levels = pyamg.smoothed_aggregation_solver(matrix, B=modes, max_coarse=500)
    return levels.solve(force, tol=1e-8, accel="cg", maxiter=500), "pyamg with rigid-body modes"


def ngsolve(data: Any) -> tuple[np.ndarray, str]:
    """NGSolve: BDDC and conjugate gradients, or its sparse Cholesky factorisation with ``NGSOLVE_DIRECT=1``."""
    import os

    import netgen.meshing as ng
    import ngsolve as ngs

    points, cells = data["points"], data["cells"]
    corner = np.unique(cells[:, :4])
    number = np.full(len(points), -1)
    number[corner] = np.arange(len(corner))
    raw = ng.Mesh(dim=3)
    raw.AddPoints(np.ascontiguousarray(points[corner]))
    raw.Add(ng.FaceDescriptor(surfnr=1, domin=1, bc=1))
    order = []
    for k in range(len(data["moduli"])):
        mine = np.flatnonzero(data["material"] == k)
        order.append(mine)
        raw.SetMaterial(k + 1, f"m{k}")
        # netgen's tetrahedra are the other way round
        raw.AddElements(
            dim=3, index=k + 1, data=np.ascontiguousarray(number[cells[mine][:, [0, 2, 1, 3]]], np.int32), base=0
        )
    mesh = ngs.Mesh(raw)
    direct = bool(os.environ.get("NGSOLVE_DIRECT"))
    with ngs.TaskManager():
        space = ngs.FESpace([ngs.H1(mesh, order=2)] * 3)
        edge = {tuple(sorted(v.nr for v in e.vertices)): e.nr for e in mesh.edges}
        count = space.ndof // 3
        dof = np.empty(len(points), int)
        dof[corner] = np.arange(len(corner))
        both = np.concatenate([cells[:, pair] for pair in EDGES])
        middle, first = np.unique(cells[:, 4:].T.ravel(), return_index=True)
        ends = both[first]
        dof[middle] = len(corner) + np.array([edge[p, q] for p, q in np.sort(number[ends], axis=1).tolist()])
        probe = ngs.GridFunction(ngs.H1(mesh, order=2))
        probe.vec.FV().NumPy()[int(dof[middle[0]])] = 1.0
        bubble = probe(mesh(*points[middle[0]]))
        free = space.FreeDofs()
        for node in data["fixed"].tolist():
            for c in range(3):
                free[c * count + int(dof[node])] = False
        young = ngs.CoefficientFunction([float(e) for e in data["moduli"]])
        nu = float(data["poisson"])
        shear, lame = young / (2 * (1 + nu)), young * nu / ((1 + nu) * (1 - 2 * nu))
        u, v = space.TnT()

        def strain(w):  # type: ignore[no-untyped-def]
            return ngs.Sym(ngs.CoefficientFunction(tuple(ngs.Grad(c) for c in w), dims=(3, 3)))

        def sigma(w):  # type: ignore[no-untyped-def]
            return 2 * shear * strain(w) + lame * ngs.Trace(strain(w)) * ngs.Id(3)

        form = ngs.BilinearForm(space, symmetric=True)
        form += ngs.InnerProduct(sigma(u), strain(v)) * ngs.dx
        pre = None if direct else ngs.Preconditioner(form, "bddc")
        form.Assemble()
        right, solution = ngs.GridFunction(space), ngs.GridFunction(space)
        for c in range(3):
            # the edge functions are hierarchical: a vertex function is a half in the middle of its edges
            mine = right.vec.FV().NumPy()[c * count : (c + 1) * count]
            mine[dof[middle]] = bubble * data["force"][middle, c]
            np.add.at(mine, dof[ends], 0.5 * data["force"][middle, c][:, None])
            mine[dof[corner]] += data["force"][corner, c]
        if direct:
            solution.vec.data = form.mat.Inverse(free, "sparsecholesky") * right.vec
            how = "sparsecholesky"
        else:
            from ngsolve.krylovspace import CGSolver

            solver = CGSolver(form.mat, pre.mat, tol=1e-9, maxiter=2000)
            solution.vec.data = solver * right.vec
            how = f"BDDC, {solver.iterations} iterations"
        stress = ngs.GridFunction(ngs.MatrixValued(ngs.H1(mesh, order=1), symmetric=True))
        stress.Set(sigma(solution.components))
    values = solution.vec.FV().NumPy()
    out = np.stack([values[c * count + dof] for c in range(3)], axis=1)
    out[middle] = bubble * out[middle] + out[ends].mean(axis=1)
    return out, how


def sfepy(data: Any) -> tuple[np.ndarray, str]:
    """sfepy's assembly with pyamg's smoothed aggregation, which it offers as a solver, given the rigid-body modes."""
    from sfepy.base.base import output
    from sfepy.discrete import Equation, Equations, FieldVariable, Integral, Material, Problem
    from sfepy.discrete.fem import FEDomain, Field, Mesh
    from sfepy.mechanics.matcoefs import stiffness_from_youngpoisson
    from sfepy.terms import Term

    output.set_output(quiet=True)
    points, cells = data["points"], data["cells"]
    corner = np.unique(cells[:, :4])
    number = np.full(len(points), -1)
    number[corner] = np.arange(len(corner))
    mesh = Mesh.from_data(
        "bone", points[corner], None, [number[cells[:, :4]].astype(np.int32)], [data["material"]], ["3_4"]
    )
    domain = FEDomain("domain", mesh)
    omega = domain.create_region("Omega", "all")
    field = Field.from_args("displacement", np.float64, "vector", omega, approx_order=2)
    u = FieldVariable("u", "unknown", field)
    v = FieldVariable("v", "test", field, primary_var_name="u")
    table = np.array([stiffness_from_youngpoisson(3, float(e), float(data["poisson"])) for e in data["moduli"]])

    def stiffness(ts, coors, mode=None, term=None, **kwargs):  # type: ignore[no-untyped-def]
        if mode != "qp":
            return None
        per = len(coors) // len(cells)
        return {"D": np.repeat(table[data["material"]], per, axis=0)}

    from scipy.spatial import cKDTree

    node = cKDTree(points).query(field.get_coor())[1]
    material = Material("m", function=stiffness)
    term = Term.new("dw_lin_elastic(m.D, v, u)", Integral("i", order=2), omega, m=material, v=v, u=u)
    problem = Problem("bone", equations=Equations([Equation("balance", term)]))
    problem.time_update()
    problem.update_materials()
    matrix = problem.evaluate(
        "dw_lin_elastic.i.Omega(m.D, v, u)", mode="weak", dw_mode="matrix", integrals={"i": Integral("i", order=2)},
        m=material, v=v, u=u,
    )  # fmt: skip
    free = np.flatnonzero(~np.repeat(np.isin(node, data["fixed"]), 3))
    force = data["force"][node].ravel()[free]
    found = np.zeros(3 * len(node))
    reduced = matrix.tocsr()[free][:, free]
    found[free], how = _amg(reduced, force, np.repeat(points[node], 3, axis=0)[free], free % 3)
    u.set_data(found)
    problem.evaluate(
        "ev_cauchy_stress.i.Omega(m.D, u)", mode="el_avg", integrals={"i": Integral("i", order=2)}, m=material, u=u,
    )  # fmt: skip
    out = np.zeros((len(points), 3))
    out[node] = found.reshape(-1, 3)
    return out, how


CODES = {"scikit-fem": scikit_fem, "NGSolve": ngsolve, "sfepy": sfepy}


def main() -> None:
    """Run one code and write what it found."""
    code, problem, result = sys.argv[1:]
    data = dict(np.load(problem))
    start = time.perf_counter()
    displacement, how = CODES[code](data)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    np.savez(result, displacement=displacement)
    print(json.dumps({"seconds": seconds, "peak": peak, "how": how}))


if __name__ == "__main__":
    main()
