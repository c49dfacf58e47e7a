"""Conjugate gradients with a multigrid preconditioner: quadratic elements smoothed, linear elements below them.

One application is a block Gauss-Seidel sweep forwards, the correction of the linear (vertex) sub-space by its solver
(`femsim.fem.linear.vertices`), and a sweep backwards: symmetric and positive definite, so that conjugate gradients
apply (Saad 2003 [saad2003]). The sweep forwards starts from zero and leaves the residual in the same pass, so both
sweeps and the product of an iteration read the matrix three times in all, each block once, two of them in single
precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from femsim.errors import SolveError
from femsim.fem.linear import blocks as store
from femsim.fem.linear.batch import LANES, solve_batch
from femsim.fem.linear.coarse import Coarse, coarse_space
from femsim.fem.linear.mates import block_inverses, mates_of
from femsim.fem.linear.one import solve_one
from femsim.fem.linear.system import Floats, System
from femsim.fem.linear.team import ALONE, Team
from femsim.fem.linear.vertices import VertexCycle, VertexFactor, vertex_solver

#: Iterations after which a solve is given up; meshes of the project need 20 to 60.
MAX_ITERATIONS = 1000


@dataclass(frozen=True, eq=False)
class Structure:
    """What serves every matrix of a pattern; which nodes move together is chosen for the first."""

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


def structure_of(system: System, team: Team = ALONE) -> Structure:
    """Numbering, patterns and elimination order of a system with parents."""
    active = np.asarray(system.free.any(axis=1))
    numbering = store.number_nodes(system.indptr, system.indices, system.points, active, mates_of(system, team))
    lower, coarse = team.at_once(
        lambda: store.lower_pattern(system.indptr, system.indices, numbering), lambda: coarse_space(system, numbering)
    )
    return Structure(numbering, lower, coarse)


def hierarchy_of(
    system: System,
    structure: Structure,
    team: Team = ALONE,
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
    matrix = store.take_blocks(structure.lower, system.blocks, np.float64, team, double)
    diagonal = np.ascontiguousarray(system.blocks[structure.lower.diagonal])
    held = _held_diagonal(structure.numbering.new, system.indptr, system.indices, system.blocks)
    _, node = store.inverses(diagonal)
    if node >= 0:
        raise SolveError(
            f"The stiffness at node {structure.numbering.old[node]} is not positive definite.",
            "The node has no stiffness in some direction, or an element at it is inverted.",
            "Check the moduli and the mesh quality there.",
        )
    inverse = block_inverses(diagonal, structure.lower, matrix, structure.numbering, team)
    single = store.take_blocks(structure.lower, system.blocks, np.float32, team, half)
    if vertices is None:
        vertices = vertex_solver(system, structure.coarse, team)
    return Hierarchy(structure, matrix, diagonal, held, single, inverse, vertices)


@njit(cache=True)
def _held_diagonal(new, indptr, indices, blocks):  # type: ignore[no-untyped-def]
    """The number on the diagonal of each node that is fixed throughout (`new` is -1)."""
    nodes = np.flatnonzero(new < 0)
    out = np.zeros(len(nodes))
    for k, i in enumerate(nodes):
        for p in range(indptr[i], indptr[i + 1]):
            if indices[p] == i:
                out[k] = blocks[p, 0, 0]
    return out


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
    with Team(threads) as team:
        for first in range(0, len(rhs), LANES):
            part = slice(first, first + LANES)
            start = None if guess is None else guess[part]
            if len(rhs[part]) > 1:
                x[part], count[part], residual[part] = solve_batch(hierarchy, rhs[part], tolerance, start, team)
                continue
            begin = None if start is None else start[0]
            x[first], count[first], residual[first] = solve_one(hierarchy, rhs[first], tolerance, begin, team, limit)
    out = np.flatnonzero(numbering.new < 0)  # fixed nodes hold a multiple of the identity
    x[:, out] = rhs[:, out] / hierarchy.held[:, None]
    return x, count, residual
