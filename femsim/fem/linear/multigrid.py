"""Conjugate gradients with a multigrid preconditioner: quadratic elements smoothed, linear elements below them.

One application is a block Gauss-Seidel sweep forwards, the correction of the linear (vertex) sub-space by its solver
(`femsim.fem.linear.vertices`), and a sweep backwards: symmetric and positive definite, so that conjugate gradients
apply (Saad 2003 [saad2003]). The sweep forwards starts from zero and leaves the residual in the same pass, so both
sweeps and the product of an iteration read the matrix three times in all, each block once, two of them in single
precision.
"""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.errors import SolveError
from femsim.fem.linear import blocks as store
from femsim.fem.linear.batch import LANES, solve_batch
from femsim.fem.linear.coarse import Coarse, add_interpolated, coarse_space, restrict_residual
from femsim.fem.linear.system import Floats, System, not_converged
from femsim.fem.linear.vertices import VertexCycle, VertexFactor, vertex_solver

#: Iterations after which a solve is given up; meshes of the project need 20 to 60.
MAX_ITERATIONS = 1000


@dataclass(frozen=True, eq=False)
class Structure:
    """What depends on the pattern only."""

    numbering: store.Numbering
    lower: store.LowerBlocks
    coarse: Coarse


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Matrix and preconditioner; `held` is the diagonal at the nodes that are fixed throughout."""

    structure: Structure
    matrix: Floats
    diagonal: Floats
    held: Floats
    single: NDArray[np.float32]
    inverse: NDArray[np.float32]
    vertices: VertexFactor | VertexCycle

    @property
    def memory(self) -> int:
        """Bytes held."""
        arrays = (self.matrix, self.diagonal, self.single, self.inverse, self.structure.lower.indices)
        return sum(a.nbytes for a in arrays) + self.structure.lower.source.nbytes + self.vertices.memory

    @property
    def matrices(self) -> tuple[NDArray[Any], ...]:
        """The two large arrays, which other values of the same structure may be written over."""
        return self.matrix, self.single


def structure_of(system: System) -> Structure:
    """Numbering, patterns and elimination order of a system with parents."""
    numbering = store.number_nodes(system.indptr, system.indices, system.points, np.asarray(system.free.any(axis=1)))
    lower = store.lower_pattern(system.indptr, system.indices, numbering)
    return Structure(numbering, lower, coarse_space(system, numbering))


def hierarchy_of(
    system: System,
    structure: Structure,
    pool: Executor | None = None,
    spare: tuple[NDArray[Any], ...] = (),
    vertices: VertexFactor | VertexCycle | None = None,
) -> Hierarchy:
    """Preconditioner for the values of a system, in the memory of an earlier one (`Hierarchy.matrices`) where given.

    `vertices` of a similar matrix serve where they are given.

    Raises
    ------
    SolveError
        If a diagonal block or the matrix of the linear sub-space is not positive definite.
    """
    double, half = spare if spare else (None, None)
    matrix = store.take_blocks(structure.lower, system.blocks, np.float64, pool, double)
    diagonal = np.ascontiguousarray(system.blocks[structure.lower.diagonal])
    held = system.blocks[_diagonal_places(system, structure)][:, 0, 0]
    lowest = np.linalg.eigvalsh(diagonal)[:, 0]
    if not (lowest > 0.0).all():
        node = int(structure.numbering.old[int(np.argmin(lowest))])
        raise SolveError(
            f"The stiffness at node {node} is not positive definite.",
            "The node has no stiffness in some direction, or an element at it is inverted.",
            "Check the moduli and the mesh quality there.",
        )
    inverse = np.linalg.inv(diagonal).astype(np.float32)
    single = store.take_blocks(structure.lower, system.blocks, np.float32, pool, half)
    if vertices is None:
        vertices = vertex_solver(system, structure.coarse, pool)
    return Hierarchy(structure, matrix, diagonal, held, single, inverse, vertices)


def _diagonal_places(system: System, structure: Structure) -> NDArray[np.int64]:
    """Places of the diagonal blocks of the nodes that are fixed throughout."""
    nodes = np.flatnonzero(structure.numbering.new < 0)
    first = system.indptr[nodes]
    length = system.indptr[nodes + 1] - first
    row = np.repeat(np.arange(len(nodes)), length)
    place = np.repeat(first - np.concatenate([[0], np.cumsum(length)[:-1]]), length) + np.arange(len(row))
    return np.asarray(place[system.indices[place] == nodes[row]])


@dataclass(frozen=True, eq=False)
class _Operators:
    """Matrix and preconditioner as functions of one vector (3 n,) of the solver's numbering."""

    hierarchy: Hierarchy
    pool: Executor | None

    def multiply(self, x: Floats) -> Floats:
        h, y = self.hierarchy, np.zeros_like(x)
        lower = h.structure.lower
        store.over_slabs(
            self.pool, h.structure.numbering.slabs,
            lambda a, b: store.multiply_one(a, b, lower.indptr, lower.indices, h.matrix, h.diagonal, x, y),
        )  # fmt: skip
        return y

    def precondition(self, residual: Floats) -> Floats:
        h = self.hierarchy
        lower, coarse, slabs = h.structure.lower, h.structure.coarse, h.structure.numbering.slabs
        # single precision has a narrow range; the preconditioner is linear, so the size is taken out and put back
        size = float(np.abs(residual).max())
        b = (residual / size).astype(np.float32)
        x, left = np.zeros_like(b), np.zeros_like(b)
        store.over_slabs(
            self.pool, slabs,
            lambda i, j: store.forward_one(i, j, lower.indptr, lower.indices, h.single, h.inverse, b, x, left),
        )  # fmt: skip
        vertex = np.empty(coarse.free.shape, np.float32)
        restrict_residual(left, coarse.parents, coarse.fine, vertex)
        correction = h.vertices.solve(vertex, self.pool)
        add_interpolated(correction, coarse.parents, coarse.fine, x)
        store.over_slabs_backwards(
            self.pool, slabs,
            lambda i, j: store.backward_one(i, j, lower.indptr, lower.indices, h.single, h.inverse, b, x),
        )  # fmt: skip
        return x * np.float64(size)


def pool_of(threads: int) -> AbstractContextManager[Executor | None]:
    """Threads to share work among, or None where there is one."""
    return ThreadPoolExecutor(threads) if threads > 1 else nullcontext(None)


def solve_multigrid(
    hierarchy: Hierarchy, rhs: Floats, tolerance: float, guess: Floats | None, threads: int, limit: int = MAX_ITERATIONS
) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Conjugate gradients for several right-hand sides.

    Parameters
    ----------
    hierarchy : Hierarchy
    rhs : (k, n, 3)
    tolerance : float
        On the true relative residual.
    guess : (k, n, 3) or None
    threads : int
    limit : int
        Largest number of iterations for one right-hand side alone.

    Returns
    -------
    x : (k, n, 3)
    iterations : (k,)
    residuals : (k,)
    """
    numbering = hierarchy.structure.numbering
    x, count, residual = np.zeros_like(rhs), np.zeros(len(rhs), np.int64), np.zeros(len(rhs))
    with pool_of(threads) as pool:
        for first in range(0, len(rhs), LANES):
            part = slice(first, first + LANES)
            start = None if guess is None else guess[part]
            if len(rhs[part]) > 1:
                x[part], count[part], residual[part] = solve_batch(hierarchy, rhs[part], tolerance, start, pool)
                continue
            begin = None if start is None else start[0][numbering.old].ravel()
            right = rhs[first][numbering.old].ravel()
            found, count[first], residual[first] = _cg(_Operators(hierarchy, pool), right, tolerance, begin, limit)
            x[first, numbering.old] = found.reshape(-1, 3)
    out = np.flatnonzero(numbering.new < 0)  # fixed nodes hold a multiple of the identity
    x[:, out] = rhs[:, out] / hierarchy.held[:, None]
    return x, count, residual


def _cg(
    operators: _Operators, b: Floats, tolerance: float, start: Floats | None, limit: int
) -> tuple[Floats, int, float]:
    """Preconditioned conjugate gradients [saad2003, algorithm 9.1], restarted until the true residual is small."""
    norm = float(np.linalg.norm(b))
    x = np.zeros_like(b)
    if norm == 0.0:
        return x, 0, 0.0
    count, residual, r = 0, 1.0, b
    if start is not None:
        # the multiple of the guess that is nearest to the solution in energy, which zero (no guess) is one of
        forces = operators.multiply(start)
        share = float(start @ b) / max(float(start @ forces), np.finfo(float).tiny)
        x = share * start
        r = b - share * forces
        residual = float(np.linalg.norm(r)) / norm
    for _ in range(4):
        if residual <= tolerance:
            return x, count, residual
        # aiming a little lower saves a restart when the recursive residual runs ahead of the true one
        count = _descend(operators, x, r.copy(), 0.9 * tolerance * norm, count, limit)
        r = b - operators.multiply(x)
        before, residual = residual, float(np.linalg.norm(r)) / norm
        if not residual < before or count >= limit:
            break
    if residual <= tolerance:
        return x, count, residual
    raise not_converged(residual, tolerance, count)


def _descend(operators: _Operators, x: Floats, r: Floats, target: float, count: int, limit: int) -> int:
    """Conjugate gradients on x in place until the recursive residual reaches the target."""
    z = operators.precondition(r)
    p, rz = z.copy(), float(r @ z)
    while count < limit:
        q = operators.multiply(p)
        curvature = float(p @ q)
        if not curvature > 0.0 or not np.isfinite(rz):
            break
        alpha = rz / curvature
        x += alpha * p
        r -= alpha * q
        count += 1
        if not float(np.linalg.norm(r)) > target:
            break
        z = operators.precondition(r)
        rz, old = float(r @ z), rz
        p *= rz / old
        p += z
    return count
