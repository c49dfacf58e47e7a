"""Solver of the vertex level: its Cholesky factor, or one cycle of smoothing and correction by groups of vertices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.fem.linear import batch_kernels as kernels
from femsim.fem.linear import blocks as store
from femsim.fem.linear import one_kernels
from femsim.fem.linear.aggregation import GroupLevel, group_level
from femsim.fem.linear.cholesky import Factor, factorise
from femsim.fem.linear.coarse import Coarse, coarse_matrix
from femsim.fem.linear.substitution import solve_factored
from femsim.fem.linear.system import Floats, System
from femsim.fem.linear.team import Team

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

    def solve(self, residual: Singles, team: Team) -> Singles:
        """Solution for a right-hand side (v, 4) in the numbering of the level."""
        mine = residual[self.numbering.new, :3] * self.free
        found = solve_factored(self.factor, mine.ravel(), team).reshape(mine.shape) * self.free
        out = np.zeros_like(residual)
        out[:, :3] = found[self.numbering.old]
        return out

    def solve_batch(self, residual: Singles, team: Team) -> Singles:
        """The same for (v, 3, 8)."""
        mine = residual[self.numbering.new] * self.free[:, :, None]
        found = solve_factored(self.factor, mine.reshape(-1, mine.shape[2]), team).reshape(mine.shape)
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

    def solve(self, residual: Singles, team: Team) -> Singles:
        """An approximate solution, symmetric in the right-hand side (v, 4), in the numbering of the level."""
        residual[:, :3] *= self.free
        x, left = np.empty_like(residual), np.empty_like(residual)
        lower, slabs = self.lower, self.numbering.slabs
        shared = (lower.indptr, lower.indices, self.single, self.numbering.place, self.inverse)
        team.forwards(slabs, one_kernels.forward_one, *shared, residual, x, left)
        self.groups.add_correction(left, x, team)
        team.backwards(slabs, one_kernels.backward_one, *shared, residual, x)
        x[:, :3] *= self.free
        return x

    def solve_batch(self, residual: Singles, team: Team) -> Singles:
        """The same for (v, 3, 8)."""
        b = residual * self.free[:, :, None]
        x, left = np.empty_like(b), np.empty_like(b)
        shared = (self.lower.indptr, self.lower.indices, self.single, self.numbering.place, self.inverse)
        team.forwards(self.numbering.slabs, kernels.forward_batch, *shared, b, x, left)
        self.groups.add_correction_batch(left, x, team)
        team.backwards(self.numbering.slabs, kernels.backward_batch, *shared, b, x)
        return x * self.free[:, :, None]


def vertex_solver(system: System, coarse: Coarse, team: Team) -> VertexFactor | VertexCycle:
    """The solver of the vertex level for the values of a system.

    Raises
    ------
    SolveError
        If the vertex matrix is not positive definite.
    """
    matrix = coarse_matrix(system, coarse, team)
    pattern: tuple[Any, Any] = (coarse.indptr, coarse.indices)
    if coarse.tree is not None:
        factor = factorise(coarse.tree, *pattern, matrix, np.float32)
        return VertexFactor(coarse.numbering, coarse.free, factor)
    assert coarse.lower is not None
    assert coarse.groups is not None
    old = coarse.numbering.old
    ordered, _ = store.inverses(matrix[coarse.lower.diagonal])
    inverse: Floats = np.empty_like(ordered)
    inverse[old] = ordered
    groups = group_level(coarse.groups, *pattern, matrix, inverse, coarse.numbering, team)
    single = store.take_blocks(coarse.lower, matrix, np.float32)
    half = store.empty_blocks(len(ordered), np.float32)
    half[:] = ordered
    free = coarse.free[old].astype(np.float32)
    return VertexCycle(coarse.numbering, free, coarse.lower, single, half, groups)
