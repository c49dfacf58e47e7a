"""One call for every linear solver: choose, refuse what does not fit, solve, check the true residual."""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from femsim.errors import FemsimWarning, InputError
from femsim.fem.linear.cholesky import Factor, factorise
from femsim.fem.linear.dissection import Dissection, dissect
from femsim.fem.linear.estimate import Estimate, estimate_of, refuse_what_does_not_fit
from femsim.fem.linear.fallback import scipy_factors, scipy_solve
from femsim.fem.linear.multigrid import MAX_ITERATIONS, hierarchy_of, solve_multigrid, structure_of
from femsim.fem.linear.substitution import solve_factored
from femsim.fem.linear.system import Floats, Prepared, Result, System, not_converged, not_finite
from femsim.fem.linear.team import Team

METHODS = ("auto", "direct", "multigrid", "scipy")
#: Below this many nodes a direct solve is faster than setting anything else up.
DIRECT_NODES = 4000
#: Residual above which a direct solution is not believed.
DIRECT_RESIDUAL = 1e-6


def solve(
    system: System,
    rhs: Floats,
    *,
    method: str = "auto",
    tolerance: float = 1e-8,
    guess: Floats | None = None,
    reuse: Prepared | None = None,
    threads: int | None = None,
    keep_vertices: bool = False,
    limit: int = MAX_ITERATIONS,
) -> Result:
    """Solve a symmetric positive definite system for several right-hand sides.

    Parameters
    ----------
    system : System
    rhs : (k, n, 3) float64, N
        Right-hand sides.
    method : {"auto", "direct", "multigrid", "scipy"}
        Sparse Cholesky; conjugate gradients preconditioned on the linear sub-space (needs `system.parents`); or what
        scipy alone can do, several times slower. "auto" takes one of the first two by size, and the last, with a
        warning, where they cannot work on this machine.
    tolerance : float
        On the true relative residual of the iterative method.
    guess : (k, n, 3), optional
        Start of the iteration.
    reuse : Prepared, optional
        From an earlier result. Its structure serves where pattern and supports are the same, its factors where the
        `blocks` array is the same one, unchanged.
    threads : int, optional
        Default: as many as the process may use, at most 4.
    keep_vertices : bool
        Whether the solver of the linear sub-space in `reuse` may serve although the matrix has changed: it is most of
        the setup, and where the matrix has changed little costs few more iterations. The direct method ignores it.
    limit : int
        Largest number of iterations for one right-hand side, where a matrix may turn out not to be positive definite.

    Raises
    ------
    SolveError
        If the matrix is not positive definite, does not fit into memory, or the iteration does not converge.
    InputError
        If an argument is not usable.
    """
    rhs = np.ascontiguousarray(rhs, np.float64)
    _check(system, rhs, method, tolerance, guess)
    count, chosen = threads or _cores(), _choose(system, method, reuse)
    # A process of a sweep must not take the processors of its neighbours. The multigrid has threads of its own, and
    # those of BLAS would spin beside them, waiting for its many small products: twice the processor time.
    with threadpool_limits(1 if chosen == "multigrid" else count, "blas"):
        try:
            return _solve(system, rhs, chosen, tolerance, guess, reuse, count, keep_vertices, limit)
        except (ImportError, OSError, RuntimeError) as error:  # a library that is missing or broken; never a SolveError
            if method != "auto":
                raise
            _warn_of_fallback(chosen, error)
            return _solve(system, rhs, "scipy", tolerance, guess, None, count, False, limit)


def _solve(
    system: System,
    rhs: Floats,
    chosen: str,
    tolerance: float,
    guess: Floats | None,
    reuse: Prepared | None,
    threads: int,
    keep_vertices: bool,
    limit: int,
) -> Result:
    clock = time.perf_counter()
    seconds: dict[str, float] = {}
    total = float(system.blocks.sum())
    if not np.isfinite(total):
        raise not_finite("matrix")
    known, kept = reuse is not None and reuse.method == chosen and reuse.fits(system), None
    if reuse is not None and known:
        structure, factors = reuse.structure, reuse.factors
        if reuse.system.blocks is not system.blocks or reuse.total != total:
            kept = factors.vertices if keep_vertices and factors is not None and chosen == "multigrid" else None
            factors = None
    else:
        structure, factors = _structure(system, chosen, threads), None
    seconds["structure"] = time.perf_counter() - clock
    if factors is None:
        refuse_what_does_not_fit(estimate_of(system, len(rhs), chosen, structure))
        spare = reuse.spare if reuse is not None and known else ()
        with Team(threads) as team:
            if chosen == "multigrid":
                factors = hierarchy_of(system, structure, team, spare, kept)
            else:
                factors = scipy_factors(system) if chosen == "scipy" else _factor(system, structure)
    seconds["factorise"] = time.perf_counter() - clock - seconds["structure"]
    start = time.perf_counter()
    if chosen == "multigrid":
        x, iterations, residuals = solve_multigrid(factors, rhs, tolerance, guess, threads, limit)
    elif chosen == "scipy":
        x, iterations, residuals = scipy_solve(factors, rhs, tolerance, guess)
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
    method : {"auto", "direct", "multigrid", "scipy"}

    Returns
    -------
    Estimate
    """
    chosen = _choose(system, method, None)
    structure = _structure(system, chosen, 1)
    return estimate_of(system, rhs_count, chosen, structure)


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


def _structure(system: System, method: str, threads: int) -> Any:
    """What a method works out from the pattern alone."""
    if method == "multigrid":
        with Team(threads) as team:
            return structure_of(system, team)
    return None if method == "scipy" else dissect(system.indptr, system.indices, system.points)


def _warn_of_fallback(method: str, error: Exception) -> None:
    warnings.warn(
        f'The {method} solver cannot work here ({type(error).__name__}: {error}); solver="scipy" takes its place. '
        "It is several times slower and needs more memory.",
        FemsimWarning,
        stacklevel=4,
    )


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
