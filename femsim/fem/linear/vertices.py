"""Solver of the vertex level: its Cholesky factor, or one cycle of smoothing and correction by groups of vertices."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.fem.linear import batch_kernels as kernels
from femsim.fem.linear import blocks as store
from femsim.fem.linear.aggregation import GroupLevel, group_level
from femsim.fem.linear.cholesky import Factor, factorise, solve_factored
from femsim.fem.linear.coarse import Coarse, coarse_matrix
from femsim.fem.linear.system import Floats, System

Singles = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class VertexFactor:
    """The vertex matrix, factorised."""

    numbering: store.Numbering
    free: NDArray[np.bool_]
    factor: Factor

    @property
    def memory(self) -> int:
        """Bytes held."""
        return self.factor.memory

    def solve(self, residual: Singles, pool: Executor | None) -> Singles:
        """Solution for a right-hand side (v, 3) in the numbering of the level."""
        mine = residual[self.numbering.new] * self.free
        found = solve_factored(self.factor, mine.ravel()).reshape(mine.shape) * self.free
        return np.asarray(found[self.numbering.old])

    def solve_batch(self, residual: Singles, pool: Executor | None) -> Singles:
        """The same for (v, 3, 8)."""
        mine = residual[self.numbering.new] * self.free[:, :, None]
        found = solve_factored(self.factor, mine.reshape(-1, mine.shape[2])).reshape(mine.shape)
        return np.asarray((found * self.free[:, :, None])[self.numbering.old])


@dataclass(frozen=True, eq=False)
class VertexCycle:
    """The vertex matrix, smoothed before and after a correction by groups of vertices."""

    numbering: store.Numbering
    free: Singles
    lower: store.LowerBlocks
    single: Singles
    inverse: Singles
    groups: GroupLevel

    @property
    def memory(self) -> int:
        """Bytes held."""
        return self.single.nbytes + self.inverse.nbytes + self.lower.indices.nbytes + self.groups.memory

    def solve(self, residual: Singles, pool: Executor | None) -> Singles:
        """An approximate solution, symmetric in the right-hand side (v, 3), in the numbering of the level."""
        b = (residual * self.free).ravel()
        x, left = np.zeros_like(b), np.zeros_like(b)
        shared = (self.lower.indptr, self.lower.indices, self.single, self.inverse)
        store.over_slabs(pool, self.numbering.slabs, lambda i, j: store.forward_one(i, j, *shared, b, x, left))
        self.groups.add_correction(left, x)
        store.over_slabs_backwards(pool, self.numbering.slabs, lambda i, j: store.backward_one(i, j, *shared, b, x))
        return x.reshape(-1, 3) * self.free

    def solve_batch(self, residual: Singles, pool: Executor | None) -> Singles:
        """The same for (v, 3, 8)."""
        b = residual * self.free[:, :, None]
        x, left = np.zeros_like(b), np.zeros_like(b)
        shared = (self.lower.indptr, self.lower.indices, self.single, self.inverse)
        store.over_slabs(pool, self.numbering.slabs, lambda i, j: kernels.forward_batch(i, j, *shared, b, x, left))
        self.groups.add_correction_batch(left, x)
        store.over_slabs_backwards(pool, self.numbering.slabs, lambda i, j: kernels.backward_batch(i, j, *shared, b, x))
        return x * self.free[:, :, None]


def vertex_solver(system: System, coarse: Coarse, pool: Executor | None) -> VertexFactor | VertexCycle:
    """The solver of the vertex level for the values of a system.

    Raises
    ------
    SolveError
        If the vertex matrix is not positive definite.
    """
    matrix = coarse_matrix(system, coarse, pool)
    pattern: tuple[Any, Any] = (coarse.indptr, coarse.indices)
    if coarse.tree is not None:
        factor = factorise(coarse.tree, *pattern, matrix, np.float32)
        return VertexFactor(coarse.numbering, coarse.free, factor)
    assert coarse.lower is not None
    assert coarse.groups is not None
    old = coarse.numbering.old
    ordered = np.linalg.inv(matrix[coarse.lower.diagonal])
    inverse: Floats = np.empty_like(ordered)
    inverse[old] = ordered
    groups = group_level(coarse.groups, *pattern, matrix, inverse, coarse.numbering)
    single = store.take_blocks(coarse.lower, matrix, np.float32)
    free = coarse.free[old].astype(np.float32)
    return VertexCycle(coarse.numbering, free, coarse.lower, single, ordered.astype(np.float32), groups)
