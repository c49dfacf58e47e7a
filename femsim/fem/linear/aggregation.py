"""The level below the vertices: groups of neighbouring vertices that move as rigid bodies, smoothed.

Smoothed aggregation (Vanek, Mandel and Brezina 1996 [vanek1996]) with the six rigid-body motions of every group as its
coarse space. The matrix of the groups is some thirty times smaller than that of the vertices, so that its Cholesky
factor stays small where that of the vertices would dominate time and memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from femsim.fem.linear import batch_kernels as kernels
from femsim.fem.linear import blocks as store
from femsim.fem.linear import one_kernels
from femsim.fem.linear.cholesky import Factor, factorise
from femsim.fem.linear.dissection import dissect
from femsim.fem.linear.substitution import solve_factored
from femsim.fem.linear.system import Floats
from femsim.fem.linear.team import Team

#: Singular values of a group's motions below this, relative to the largest, are motions it does not have (a group of
#: two vertices cannot be seen to turn about their line).
DEPENDENT = 1e-6
#: Neighbours join a group within so many mean distances. At 1 million unknowns 1.0, 1.1 and 1.15 give 2882, 2051 and
#: 1822 groups and 35, 37 and 41 iterations; 1.1 takes 12 % less time than 1.0.
REACH = 1.1
#: Steps of the power iteration for the largest eigenvalue, and what is added because it is approached from below.
POWER_STEPS = 12
POWER_MARGIN = 1.05


@dataclass(frozen=True, eq=False)
class Groups:
    """Vertices put into groups.

    Attributes
    ----------
    group : (v,) int32
        Group of each vertex; -1 where it is fixed.
    centre : (g, 3) float64
        Centroids, mm.
    motion : bsr_matrix (3 v, 6 g)
        Rigid-body motions of the groups, orthonormal, zero at fixed unknowns.
    missing : (g, 6) bool
        Motions a group does not have; their columns are zero.
    """

    group: NDArray[np.int32]
    centre: Floats
    motion: sparse.bsr_matrix
    missing: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class GroupLevel:
    """Interpolation from the groups and the factor of their matrix.

    Attributes
    ----------
    indptr, indices, values : (v + 1,), (.,), (., 3, 6) float32
        Interpolation by block rows, in the numbering of the vertex level.
    factor : Factor
        Of P^T A P, single precision, six unknowns per group.
    """

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    factor: Factor

    @property
    def memory(self) -> int:
        """Bytes held."""
        return self.values.nbytes + self.indices.nbytes + self.factor.memory

    def add_correction(self, residual: NDArray[np.float32], x: NDArray[np.float32], team: Team) -> None:
        """``x += P (P^T A P)^-1 P^T residual`` for vectors (v, 4)."""
        coarse = np.zeros((self.factor.tree.order.size, 6), np.float32)
        rows = (self.indptr, self.indices, self.values)
        one_kernels.restrict_to_groups(*rows, residual, coarse)
        correction = solve_factored(self.factor, coarse.ravel(), team).reshape(-1, 6)
        team.share(store.shares(len(x)), one_kernels.interpolate_from_groups, *rows, correction, x)

    def add_correction_batch(self, residual: NDArray[np.float32], x: NDArray[np.float32], team: Team) -> None:
        """The same for (v, 3, 8)."""
        coarse = np.zeros((self.factor.tree.order.size, 6, residual.shape[2]), np.float32)
        kernels.restrict_groups(self.indptr, self.indices, self.values, residual, coarse)
        correction = solve_factored(self.factor, coarse.reshape(-1, coarse.shape[2]), team).reshape(coarse.shape)
        rows = (self.indptr, self.indices, self.values)
        team.share(store.shares(len(x)), kernels.interpolate_groups, *rows, correction, x)


def group_vertices(indptr: NDArray[Any], indices: NDArray[Any], points: Floats, free: NDArray[np.bool_]) -> Groups:
    """Put neighbours into groups and work out their rigid-body motions.

    Parameters
    ----------
    indptr, indices : block rows of the vertex matrix, both triangles
    points : (v, 3) float64, mm
    free : (v, 3) bool

    Returns
    -------
    Groups
    """
    close = _close(indptr, indices, points)
    group, count = _aggregate(indptr, indices, close, free.any(axis=1))
    mine = np.flatnonzero(group >= 0)  # a vertex that is fixed throughout has no part in any group
    owner, at = group[mine], points[mine]
    members = np.bincount(owner, minlength=count)
    centre = np.stack([np.bincount(owner, at[:, c], count) for c in range(3)], axis=1) / members[:, None]
    motion = _motions(at - centre[owner], owner, count, members) * free[mine][:, :, None]
    gram = np.zeros((count, 6, 6))
    np.add.at(gram, owner, np.einsum("vai,vaj->vij", motion, motion))
    values, vectors = np.linalg.eigh(gram)
    missing = values <= DEPENDENT * values[:, -1:]
    scale = np.where(missing, 0.0, 1.0 / np.sqrt(np.where(missing, 1.0, values)))
    motion = np.einsum("vai,vij->vaj", motion, (vectors * scale[:, None, :])[owner])
    rows = np.concatenate([[0], np.cumsum(group >= 0)]).astype(np.int32)
    shape = (3 * len(points), 6 * count)
    tentative = sparse.bsr_matrix((motion, owner, rows), shape=shape, blocksize=(3, 6))
    return Groups(group, centre, tentative, missing)


def _close(indptr: NDArray[Any], indices: NDArray[Any], points: Floats) -> NDArray[np.bool_]:
    """Neighbours not much farther away than the (geometric) mean of both vertices' mean distances: stiff couplings.

    A shell of one or two elements bends over groups that follow its thickness, and not over larger ones: 53 iterations
    without this, 44 with it (390 000 unknowns), 43 with the factor of the vertex matrix.
    """
    rows = np.repeat(np.arange(len(points)), np.diff(indptr))
    distance = np.linalg.norm(points[rows] - points[indices], axis=1)
    mean = np.bincount(rows, distance, len(points)) / np.maximum(np.diff(indptr) - 1, 1)
    return np.asarray(distance <= REACH * np.sqrt(mean[rows] * mean[indices]))


def _motions(arm: Floats, owner: NDArray[np.int32], count: int, members: NDArray[np.int64]) -> Floats:
    """Three translations and three rotations, scaled by the size of the group, at each vertex: (v, 3, 6)."""
    size = np.sqrt(np.bincount(owner, (arm**2).sum(axis=1), count) / members)
    arm = arm / np.where(size > 0.0, size, 1.0)[owner][:, None]
    motion = np.zeros((len(arm), 3, 6))
    motion[:, range(3), range(3)] = 1.0
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        motion[:, i, 3 + j] = arm[:, k]
        motion[:, i, 3 + k] = -arm[:, j]
    return motion


def group_level(
    groups: Groups,
    indptr: NDArray[Any],
    indices: NDArray[Any],
    blocks: Floats,
    inverse: Floats,
    numbering: store.Numbering,
    team: Team,
) -> GroupLevel:
    """Smooth the motions of the groups and factorise the matrix on them.

    Parameters
    ----------
    groups : Groups
    indptr, indices, blocks : matrix of the vertices, both triangles
    inverse : (v, 3, 3) float64
        Inverses of its diagonal blocks.
    numbering : Numbering
        Of the vertex level.
    team : Team
    """
    size = groups.motion.shape[0]
    matrix = sparse.bsr_matrix((blocks, indices, indptr), shape=(size, size), blocksize=(3, 3))
    change = product(matrix, groups.motion, team)
    rows = np.repeat(np.arange(len(inverse)), np.diff(change.indptr))
    change.data = np.matmul(inverse[rows], change.data)
    weight = 4.0 / 3.0 / largest_eigenvalue(matrix, inverse)
    smooth = (groups.motion - weight * change).tobsr((3, 6))
    coarse = product(smooth.T.tobsr((6, 3)), product(matrix, smooth, team), team)
    tree = dissect(coarse.indptr, coarse.indices, groups.centre)
    factor = factorise(tree, coarse.indptr, coarse.indices, _filled(coarse, groups.missing), np.float32)
    ordered = sparse.bsr_matrix(
        (smooth.data.astype(np.float32), smooth.indices, smooth.indptr), shape=smooth.shape, blocksize=(3, 6)
    )
    ordered = _rows(ordered, numbering.old)
    return GroupLevel(ordered.indptr, ordered.indices, ordered.data, factor)


def product(left: sparse.bsr_matrix, right: sparse.bsr_matrix, team: Team) -> sparse.bsr_matrix:
    """Product of two matrices of blocks, the rows of the left one shared out."""
    high, wide = left.blocksize[0], right.blocksize[1]

    def rows(first: int, end: int) -> sparse.bsr_matrix:
        start, stop = left.indptr[first], left.indptr[end]
        arrays = (left.data[start:stop], left.indices[start:stop], left.indptr[first : end + 1] - start)
        part = sparse.bsr_matrix(arrays, shape=(high * (end - first), left.shape[1]), blocksize=left.blocksize)
        return (part @ right).tobsr((high, wide))

    parts = team.share(store.shares(left.shape[0] // high), rows)
    starts = np.concatenate([[0], np.cumsum([part.indptr[-1] for part in parts])])
    indptr = [part.indptr[:-1] + start for part, start in zip(parts, starts, strict=False)]
    arrays = (
        np.concatenate([part.data for part in parts]),
        np.concatenate([part.indices for part in parts]),
        np.concatenate([*indptr, starts[-1:]]),
    )
    return sparse.bsr_matrix(arrays, shape=(left.shape[0], right.shape[1]), blocksize=(high, wide))


def largest_eigenvalue(matrix: sparse.bsr_matrix, inverse: Floats) -> float:
    """Largest eigenvalue of D^-1 A by the power method, a little above."""
    x = np.random.default_rng(0).standard_normal(matrix.shape[0])
    value = 1.0
    for _ in range(POWER_STEPS):
        x = np.matmul(inverse, (matrix @ x).reshape(-1, 3, 1)).ravel()
        value = float(np.linalg.norm(x))
        x /= value
    return POWER_MARGIN * value


def _filled(coarse: sparse.bsr_matrix, missing: NDArray[np.bool_]) -> Floats:
    """Blocks with a diagonal entry where a group has no such motion."""
    rows = np.repeat(np.arange(len(missing)), np.diff(coarse.indptr))
    on = np.flatnonzero(rows == coarse.indices)
    data = coarse.data.copy()
    where, which = np.nonzero(missing[rows[on]])
    data[on[where], which, which] = 1.0
    return np.asarray(data)


def _rows(matrix: sparse.bsr_matrix, order: NDArray[np.int64]) -> sparse.bsr_matrix:
    """Block rows in another order."""
    length = np.diff(matrix.indptr)[order]
    indptr = np.concatenate([[0], np.cumsum(length)]).astype(np.int32)
    take = np.repeat(matrix.indptr[order] - indptr[:-1], length) + np.arange(indptr[-1])
    data = (np.ascontiguousarray(matrix.data[take]), matrix.indices[take].astype(np.int32), indptr)
    return sparse.bsr_matrix(data, shape=matrix.shape, blocksize=matrix.blocksize)


@njit(cache=True, nogil=True)
def _aggregate(indptr, indices, close, active):  # type: ignore[no-untyped-def]
    """Groups of a vertex and its neighbours; what is left over joins the neighbour met first."""
    n = indptr.size - 1
    group = np.full(n, -1, np.int32)
    count = 0
    for i in range(n):
        alone = active[i] and group[i] < 0
        for p in range(indptr[i], indptr[i + 1]):
            if close[p] and group[indices[p]] >= 0:
                alone = False
                break
        if alone:
            count = _take_neighbours(group, indptr, indices, close, active, i, count)
    first = group.copy()
    for i in range(n):
        if active[i] and first[i] < 0:
            for p in range(indptr[i], indptr[i + 1]):
                if close[p] and first[indices[p]] >= 0:
                    group[i] = first[indices[p]]
                    break
    for i in range(n):
        if active[i] and group[i] < 0:
            count = _take_neighbours(group, indptr, indices, close, active, i, count)
    return group, count


@njit(cache=True, nogil=True)
def _take_neighbours(group, indptr, indices, close, active, i, count):  # type: ignore[no-untyped-def]
    group[i] = count
    for p in range(indptr[i], indptr[i + 1]):
        j = indices[p]
        if close[p] and active[j] and group[j] < 0:
            group[j] = count
    return count + 1
