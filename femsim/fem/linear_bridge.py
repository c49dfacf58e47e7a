"""From the assembled, constrained matrix to the linear solvers, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from femsim.fem.constraints import Plan
from femsim.fem.workspace import Grid

if TYPE_CHECKING:
    from femsim.fem.linear import System

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Blocks:
    """A symmetric matrix of 3 x 3 blocks, full storage."""

    indptr: Ints
    indices: NDArray[np.int32]
    blocks: Floats


def constrained(plan: Plan, grid: Grid, blocks: Floats) -> System:
    """The system of the independent unknowns; `blocks` is overwritten where no transformation is needed."""
    from femsim.fem.constrain_kernels import constrain
    from femsim.fem.linear import System
    from femsim.fem.linear.blocks import shares
    from femsim.fem.linear.team import Team

    matrix = Blocks(grid.pattern.indptr, grid.pattern.indices, blocks)
    if plan.transform is not None:
        matrix = _transformed(plan.transform, plan.count, matrix)
    held = np.full(plan.count, -1, np.int64)
    masked = np.flatnonzero(~plan.free.all(axis=1))
    nodes = np.concatenate([plan.skew, masked])
    held[nodes] = np.arange(len(nodes))
    diagonal = plan.free[masked][:, :, None] * np.eye(3)
    arguments = (matrix.indptr, matrix.indices, held, np.concatenate([plan.projector, diagonal]), matrix.blocks)
    with Team(len(grid.slabs.share)) as team:
        team.share(shares(plan.count), constrain, *arguments)
    return System(matrix.indptr, matrix.indices, matrix.blocks, plan.free, _places(grid, plan), _parents(grid, plan))


def _transformed(transform: sparse.csr_matrix, count: int, matrix: Blocks) -> Blocks:
    """T^T K T, with every diagonal block present (a dependent node has an empty row)."""
    n = len(matrix.indptr) - 1
    full = sparse.bsr_matrix((matrix.blocks, matrix.indices, matrix.indptr), shape=(3 * n, 3 * n))
    change = transform.tobsr((3, 3))
    product = change.T.tobsr((3, 3)) @ (full @ change)
    diagonal = sparse.identity(3 * count, format="csr").tobsr((3, 3))
    # Adding an exact zero on the diagonal puts the missing blocks into the pattern; bsr addition drops zero blocks, so
    # the identity is added and taken off again in place.
    product = (product + diagonal).tobsr((3, 3))
    product.sort_indices()
    blocks = np.ascontiguousarray(product.data)
    rows = np.repeat(np.arange(count), np.diff(product.indptr))
    on = np.flatnonzero(rows == product.indices)
    blocks[on] -= np.eye(3)
    return Blocks(product.indptr.astype(np.int64), product.indices.astype(np.int32), _symmetric(product, blocks))


def _symmetric(product: sparse.bsr_matrix, blocks: Floats) -> Floats:
    """The mean of a matrix and its transpose: the triple product is symmetric to round-off only."""
    count = len(blocks)
    order = sparse.csr_matrix((np.arange(1, count + 1), product.indices, product.indptr)).T.tocsr()
    order.sort_indices()
    return np.ascontiguousarray((blocks + blocks[order.data - 1].transpose(0, 2, 1)) / 2.0)


def _parents(grid: Grid, plan: Plan) -> Ints | None:
    """Parents of the mid-side nodes, extended by the reference nodes of couplings, which are their own."""
    if grid.parents is None or plan.count == plan.nodes:
        return grid.parents
    extra = np.repeat(np.arange(plan.nodes, plan.count)[:, None], 2, axis=1)
    return np.vstack([grid.parents, extra])


def _places(grid: Grid, plan: Plan) -> Floats:
    """Points of the nodes, extended by the reference points of couplings."""
    extra = [np.repeat(c.point[None], 2, axis=0) for c in plan.couplings]
    return np.vstack([grid.points, *extra]) if extra else grid.points
