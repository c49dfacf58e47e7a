"""A solver of scipy alone, for a machine on which the compiled ones cannot work.

Small systems: SuperLU. Larger ones of quadratic elements: conjugate gradients; the preconditioner is a sweep of damped
block Jacobi, the correction of the linear sub-space by SuperLU, and a sweep again, which is symmetric and positive
definite [saad2003]. Several times slower than the compiled multigrid and in need of more memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from femsim.errors import SolveError
from femsim.fem.linear.system import Floats, System, not_converged

#: Free unknowns up to which SuperLU takes the whole matrix; it needs 20 s and 2 GiB there, and soon far more.
WHOLE = 60_000
#: Iterations after which a solve is given up.
MAX_ITERATIONS = 3000
#: Steps of the power iteration for the largest eigenvalue of the Jacobi sweep, and what is added to it.
POWER_STEPS, POWER_MARGIN = 15, 1.1


@dataclass(frozen=True, eq=False)
class ScipyFactors:
    """Matrix of the free unknowns and what approximates or is its inverse.

    Attributes
    ----------
    free : (k,) int64
        Free unknowns among the 3 n of the system.
    matrix : csr_matrix (k, k)
    diagonal : (3 n,) float64
        Of the whole system: fixed unknowns are alone in their rows.
    apply : callable
        Inverse of the matrix, or the preconditioner.
    exact : bool
        Which of them it is.
    memory : int
        Bytes held.
    """

    free: NDArray[np.int64]
    matrix: sparse.csr_matrix
    diagonal: Floats
    apply: Callable[[Floats], Floats]
    exact: bool
    memory: int


def scipy_factors(system: System) -> ScipyFactors:
    """Factorise a system, or set up the preconditioner where it is large.

    Raises
    ------
    SolveError
        If the matrix is singular, or large and of elements without a linear sub-space.
    """
    free = np.flatnonzero(system.free.ravel())
    whole = sparse.bsr_matrix((system.blocks, system.indices, system.indptr), shape=(3 * system.nodes,) * 2).tocsr()
    matrix = whole[free][:, free].tocsr()
    if len(free) <= WHOLE:
        inner = _factor(matrix)
        held = 12 * (matrix.nnz + inner.L.nnz + inner.U.nnz)
        return ScipyFactors(free, matrix, whole.diagonal(), inner.solve, True, held)
    if system.parents is None:
        raise SolveError(
            f"{len(free)} unknowns of linear elements are too many for scipy's factorisation.",
            'solver = "scipy" has no preconditioner for them.',
            'Use solver="direct", or quadratic elements.',
        )
    return _two_levels(system, free, matrix, whole.diagonal())


def scipy_solve(
    factors: ScipyFactors, rhs: Floats, tolerance: float, guess: Floats | None
) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Solutions (k, n, 3), iterations (k,) and true residuals (k,) for right-hand sides (k, n, 3).

    Raises
    ------
    SolveError
        If it does not converge.
    """
    x = rhs.reshape(len(rhs), -1) / factors.diagonal  # right for the fixed unknowns; the others follow
    count, residual = np.zeros(len(rhs), np.int64), np.zeros(len(rhs))
    for i, b in enumerate(rhs.reshape(len(rhs), -1)[:, factors.free]):
        start = None if guess is None else guess[i].ravel()[factors.free]
        found, count[i] = _one(factors, b, tolerance, start)
        norm = float(np.linalg.norm(b)) or 1.0
        residual[i] = float(np.linalg.norm(b - factors.matrix @ found)) / norm
        if not residual[i] <= max(tolerance, 1e-8 if factors.exact else 0.0):
            raise not_converged(residual[i], tolerance, int(count[i]))
        x[i, factors.free] = found
    return x.reshape(rhs.shape), count, residual


def _one(factors: ScipyFactors, b: Floats, tolerance: float, start: Floats | None) -> tuple[Floats, int]:
    if factors.exact:
        found = factors.apply(b)
        return found + factors.apply(b - factors.matrix @ found), 0
    steps: list[int] = []
    precondition = linalg.LinearOperator(factors.matrix.shape, factors.apply)
    found, _ = linalg.cg(
        factors.matrix, b, x0=start, rtol=0.9 * tolerance, maxiter=MAX_ITERATIONS, M=precondition,
        callback=lambda _: steps.append(1),
    )  # fmt: skip
    return found, len(steps)


def _factor(matrix: sparse.csr_matrix) -> Any:
    try:
        return linalg.splu(
            matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )
    except RuntimeError as error:
        raise SolveError(
            f"The matrix could not be factorised: {error}.",
            "It is singular: a part is free to move, or has no stiffness.",
            "Look at fem.preflight(model) and at the range of the moduli.",
        ) from error


def _two_levels(system: System, free: NDArray[np.int64], matrix: sparse.csr_matrix, own: Floats) -> ScipyFactors:
    """Block Jacobi on all unknowns around SuperLU on the linear sub-space."""
    down = _interpolation(system)[free]
    down = down[:, np.flatnonzero(np.diff(down.tocsc().indptr))].tocsr()
    coarse = _factor((down.T @ (matrix @ down)).tocsr())
    rows = np.repeat(np.arange(system.nodes), np.diff(system.indptr))
    diagonal = np.linalg.inv(system.blocks[rows == system.indices])
    n = np.arange(system.nodes + 1)
    jacobi = sparse.bsr_matrix((diagonal, n[:-1], n), shape=(3 * system.nodes,) * 2).tocsr()[free][:, free]
    x = np.random.default_rng(0).standard_normal(len(free))
    largest = 1.0
    for _ in range(POWER_STEPS):
        x = jacobi @ (matrix @ x)
        largest = float(np.linalg.norm(x))
        x /= largest
    sweep = jacobi * (1.0 / (POWER_MARGIN * largest))

    def apply(residual: Floats) -> Floats:
        x = sweep @ residual
        x += down @ coarse.solve(down.T @ (residual - matrix @ x))
        return np.asarray(x + sweep @ (residual - matrix @ x))

    held = matrix.nnz + down.nnz + coarse.L.nnz + coarse.U.nnz + sweep.nnz
    return ScipyFactors(free, matrix, own, apply, False, 12 * held)


def _interpolation(system: System) -> sparse.csr_matrix:
    """From the vertices, (3 n, 3 v): half of each parent."""
    assert system.parents is not None
    vertices, number = np.unique(system.parents, return_inverse=True)
    rows = (3 * np.repeat(np.arange(system.nodes), 2)[:, None] + np.arange(3)).ravel()
    columns = (3 * number.reshape(-1)[:, None] + np.arange(3)).ravel()
    weights = np.repeat(0.5 * system.free, 2, axis=0).ravel() * system.free[vertices][number.reshape(-1)].ravel()
    matrix = sparse.coo_matrix((weights, (rows, columns)), shape=(3 * system.nodes, 3 * len(vertices))).tocsr()
    matrix.eliminate_zeros()
    return matrix
