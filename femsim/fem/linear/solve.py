"""One call for every linear solver: choose, refuse what does not fit, solve, check the true residual."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from femsim.errors import InputError, SolveError
from femsim.fem.linear.batch import LANES
from femsim.fem.linear.cholesky import Factor, factorise, solve_factored
from femsim.fem.linear.dissection import Dissection, dissect
from femsim.fem.linear.multigrid import hierarchy_of, pool_of, solve_multigrid, structure_of
from femsim.fem.linear.system import Floats, Prepared, Result, System, not_converged, not_finite

METHODS = ("auto", "direct", "multigrid")
#: Below this many nodes a direct solve is faster than setting anything else up.
DIRECT_NODES = 4000
#: Residual above which a direct solution is not believed.
DIRECT_RESIDUAL = 1e-6
#: Multiply-adds per second of the factorisation, one core; for estimates of time only.
RATE = 1.0e10
#: Iterations of the multigrid on meshes of bones, for estimates of time only.
ITERATIONS = 60


@dataclass(frozen=True)
class Estimate:
    """Memory and time a solve will take, about.

    Attributes
    ----------
    method : str
    bytes : int
        Beyond the system itself.
    seconds : float
        On one core of a current machine.
    """

    method: str
    bytes: int
    seconds: float


def solve(
    system: System,
    rhs: Floats,
    *,
    method: str = "auto",
    tolerance: float = 1e-8,
    guess: Floats | None = None,
    reuse: Prepared | None = None,
    threads: int | None = None,
) -> Result:
    """Solve a symmetric positive definite system for several right-hand sides.

    Parameters
    ----------
    system : System
    rhs : (k, n, 3) float64, N
        Right-hand sides.
    method : {"auto", "direct", "multigrid"}
        Sparse Cholesky, or conjugate gradients preconditioned on the linear sub-space (needs `system.parents`).
    tolerance : float
        On the true relative residual of the iterative method.
    guess : (k, n, 3), optional
        Start of the iteration.
    reuse : Prepared, optional
        From an earlier result. Its structure serves where pattern and supports are the same, its factors where the
        `blocks` array is the same one, unchanged.
    threads : int, optional
        Default: as many as the process may use, at most 4.

    Raises
    ------
    SolveError
        If the matrix is not positive definite, does not fit into memory, or the iteration does not converge.
    InputError
        If an argument is not usable.
    """
    rhs = np.ascontiguousarray(rhs, np.float64)
    _check(system, rhs, method, tolerance, guess)
    count = threads or _cores()
    with threadpool_limits(count, "blas"):  # a process of a sweep must not take the processors of its neighbours
        return _solve(system, rhs, method, tolerance, guess, reuse, count)


def _solve(
    system: System,
    rhs: Floats,
    method: str,
    tolerance: float,
    guess: Floats | None,
    reuse: Prepared | None,
    threads: int,
) -> Result:
    clock = time.perf_counter()
    seconds: dict[str, float] = {}
    total = float(system.blocks.sum())
    if not np.isfinite(total):
        raise not_finite("matrix")
    chosen = _choose(system, method, reuse)
    known = reuse is not None and reuse.method == chosen and reuse.fits(system)
    if reuse is not None and known:
        structure, factors = reuse.structure, reuse.factors
        if reuse.system.blocks is not system.blocks or reuse.total != total:
            factors = None
    else:
        structure, factors = (structure_of(system) if chosen == "multigrid" else _order(system)), None
    seconds["structure"] = time.perf_counter() - clock
    if factors is None:
        _refuse(_estimate(system, len(rhs), chosen, structure))
        with pool_of(threads) as pool:
            factors = hierarchy_of(system, structure, pool) if chosen == "multigrid" else _factor(system, structure)
    seconds["factorise"] = time.perf_counter() - clock - seconds["structure"]
    start = time.perf_counter()
    if chosen == "multigrid":
        x, iterations, residuals = solve_multigrid(factors, rhs, tolerance, guess, threads)
    else:
        x, residuals = _direct(system, factors, rhs)
        iterations = np.zeros(len(rhs), np.int64)
    seconds["solve"] = time.perf_counter() - start
    prepared = Prepared(chosen, system, structure, factors, total)
    return Result(x, prepared, chosen, iterations, residuals, seconds, prepared.memory)


def estimate(system: System, rhs_count: int = 1, method: str = "auto") -> Estimate:
    """Memory and time a solve would take; works out the elimination order, not the factor.

    Parameters
    ----------
    system : System
    rhs_count : int
    method : {"auto", "direct", "multigrid"}

    Returns
    -------
    Estimate
    """
    chosen = _choose(system, method, None)
    structure = structure_of(system) if chosen == "multigrid" else _order(system)
    return _estimate(system, rhs_count, chosen, structure)


def direct(matrix: sparse.spmatrix, rhs: Floats, coordinates: Floats | None = None) -> Floats:
    """Solve a general symmetric positive definite scipy matrix by Cholesky factorisation.

    Parameters
    ----------
    matrix : (n, n) sparse
    rhs : (n,) or (n, k)
    coordinates : (n, d), optional
        Places of the unknowns; a better elimination order.

    Raises
    ------
    SolveError
        If the matrix is not positive definite or not finite.
    """
    rows = sparse.csr_matrix(matrix)
    if not (np.isfinite(rows.data).all() and np.isfinite(rhs).all()):
        raise not_finite("matrix or right-hand side")
    tree = dissect(rows.indptr, rows.indices, coordinates)
    factor = factorise(tree, rows.indptr, rows.indices, rows.data.astype(float).reshape(-1, 1, 1))
    x = solve_factored(factor, np.asarray(rhs, float))
    return x + solve_factored(factor, np.asarray(rhs - rows @ x))


def _check(system: System, rhs: Floats, method: str, tolerance: float, guess: Floats | None) -> None:
    shape = (system.nodes, 3)
    if method not in METHODS:
        raise InputError(f"solver = {method!r} is not known.", "", f"Choose one of {', '.join(METHODS)}.")
    if method == "multigrid" and system.parents is None:
        raise InputError(
            'solver = "multigrid" needs quadratic elements.',
            "Its coarse level is the linear elements on the same mesh.",
            'Use solver="auto" or "direct".',
        )
    if not 0.0 < tolerance < 1.0:
        raise InputError(
            f"tolerance = {tolerance!r} is not between 0 and 1.", "It is a relative residual.", "Use 1e-8."
        )
    for name, array in (("right-hand side", rhs), ("guess", guess)):
        if array is None:
            continue
        if array.ndim != 3 or array.shape[1:] != shape or array.shape[0] != len(rhs):
            raise InputError(f"The {name} has the shape {array.shape}.", "", f"Give (k, {shape[0]}, 3): k load cases.")
        if not np.isfinite(array).all():
            raise not_finite(name)


def _choose(system: System, method: str, reuse: Prepared | None) -> str:
    if method != "auto":
        return method
    if reuse is not None:
        return reuse.method
    return "direct" if system.parents is None or system.nodes <= DIRECT_NODES else "multigrid"


def _order(system: System) -> Dissection:
    return dissect(system.indptr, system.indices, system.points)


def _estimate(system: System, rhs_count: int, method: str, structure: Any) -> Estimate:
    vectors = 8 * 3 * system.nodes * (2 * rhs_count + 8)
    if method == "direct":
        entries, waiting, operations = _factor_size(structure)
        seconds = operations / RATE + rhs_count * entries / 1e9
        return Estimate(method, int(8 * (entries + waiting) + vectors), float(seconds))
    coarse = structure.coarse
    if coarse.tree is not None:
        entries, waiting, operations = _factor_size(coarse.tree)
    else:  # the groups' matrix is known only with its values; a compact body of g nodes fills about 10 g^(4/3) blocks
        groups = float(len(coarse.groups.centre))
        entries, waiting, operations = 360.0 * groups ** (4 / 3), 0.0, 36.0 * 200.0 * groups**2
        entries += 300.0 * len(coarse.parents) / 7.0  # interpolation and products on the way
    if rhs_count > 1:
        vectors += 8 * 3 * system.nodes * 10 * LANES
    stored = len(structure.lower.indices)
    size = 4 * entries + 8 * waiting + vectors + stored * (72 + 36 + 12) + system.nodes * 200
    passes = 1.0 if rhs_count == 1 else 2.5 * -(-rhs_count // LANES)
    seconds = operations / RATE + 3e-6 * system.nodes + passes * ITERATIONS * (stored * 2e-8 + entries * 1e-9)
    return Estimate(method, int(size), float(seconds))


def _factor_size(tree: Dissection) -> tuple[float, float, float]:
    """Entries of the factor and of waiting updates, and multiply-adds, for three unknowns per node."""
    return 9.0 * tree.factor_entries, 9.0 * tree.update_entries, 27.0 * tree.operations


def _refuse(needed: Estimate) -> None:
    free = available_memory()
    if free is not None and needed.bytes > free:
        raise SolveError(
            f"The {needed.method} solver needs about {needed.bytes / 2**30:.1f} GiB; {free / 2**30:.1f} GiB are free.",
            "It would run out of memory after a long time.",
            "Use a coarser mesh, a larger machine" + (' or solver="multigrid".' if needed.method == "direct" else "."),
        )


def available_memory() -> int | None:
    """Bytes of memory that can be taken without swapping; None where the system does not say."""
    try:
        with open("/proc/meminfo") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return None


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return min(4, len(affinity(0)) if affinity else os.cpu_count() or 1)


def _factor(system: System, tree: Dissection) -> Factor:
    return factorise(tree, system.indptr, system.indices, system.blocks)


def _direct(system: System, factor: Factor, rhs: Floats) -> tuple[Floats, NDArray[np.float64]]:
    size = 3 * system.nodes
    matrix = sparse.bsr_matrix((system.blocks, system.indices, system.indptr), shape=(size, size))
    columns = np.ascontiguousarray(rhs.reshape(len(rhs), size).T)
    x = solve_factored(factor, columns)
    x = x + solve_factored(factor, columns - matrix @ x)  # one step of refinement takes the rounding of the factor out
    norms = np.linalg.norm(columns, axis=0)
    residuals = np.linalg.norm(columns - matrix @ x, axis=0) / np.where(norms > 0.0, norms, 1.0)
    if not (residuals < DIRECT_RESIDUAL).all():
        raise not_converged(float(residuals.max()), DIRECT_RESIDUAL, 0)
    return np.ascontiguousarray(x.T).reshape(rhs.shape), residuals
