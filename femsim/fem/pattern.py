"""The block sparsity of a mesh, the scatter map of its cells, and the slabs in which threads share the work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Int32 = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Pattern:
    """Block sparsity (full storage, sorted columns, diagonal always present) and where element matrices go.

    Attributes
    ----------
    indptr : (n + 1,) int64
        Start of every block row.
    indices : (nnzb,) int32
        Block columns, ascending within a row.
    scatter : (m, k, k) int32
        Position in `indices` of the block of every pair of nodes of every cell.
    """

    indptr: Ints
    indices: Int32
    scatter: Int32

    @property
    def bytes(self) -> int:
        """Memory of the pattern and of one matrix on it."""
        return self.indptr.nbytes + self.indices.nbytes * 19 + self.scatter.nbytes


@dataclass(frozen=True, eq=False)
class Slabs:
    """Which thread owns which node, and which cells each thread has to visit.

    Attributes
    ----------
    owner : (n,) int32
        Slab of every node.
    cells : tuple of (c,) int64
        Cells that touch each slab, ascending.
    share : tuple of (c,) int64
        A partition of the cells, for work that is written per cell.
    """

    owner: Int32
    cells: tuple[Ints, ...]
    share: tuple[Ints, ...]

    def each(self, work: Callable[[int], None]) -> None:
        """Run ``work(slab)`` for every slab, in threads where there are several."""
        if len(self.cells) == 1:
            work(0)
            return
        with ThreadPoolExecutor(len(self.cells)) as pool:
            list(pool.map(work, range(len(self.cells))))


def build_pattern(cells: Ints, count: int) -> Pattern:
    """Sparsity and scatter map of a mesh.

    Parameters
    ----------
    cells : (m, k) int64
        Nodes of every cell.
    count : int
        Number of nodes, n.

    Returns
    -------
    Pattern
        Nodes in no cell have their diagonal block alone.
    """
    from femsim.fem import pattern_kernels as kernels

    start, cell, local = kernels.incidence(cells, count)
    indptr = kernels.row_lengths(cells, start, cell, count)
    np.cumsum(indptr, out=indptr)
    indices = np.empty(indptr[-1], np.int32)
    scatter = np.empty((len(cells), cells.shape[1], cells.shape[1]), np.int32)
    kernels.fill_rows(cells, start, cell, local, indptr, indices, scatter)
    return Pattern(indptr, indices, scatter)


def build_slabs(points: NDArray[np.float64], cells: Ints, threads: int) -> Slabs:
    """Cut the nodes into equal slabs across the longest direction of the mesh."""
    n, m = len(points), len(cells)
    threads = max(1, min(threads, m))
    owner = np.zeros(n, np.int32)
    if threads == 1:
        every = np.arange(m)
        return Slabs(owner, (every,), (every,))
    axis = int(np.ptp(points, axis=0).argmax())
    order = np.argsort(points[:, axis], kind="stable")
    for slab, part in enumerate(np.array_split(order, threads)):
        owner[part] = slab
    touched = owner[cells]
    visits = tuple(np.flatnonzero((touched == slab).any(axis=1)) for slab in range(threads))
    return Slabs(owner, visits, tuple(np.array_split(np.arange(m), threads)))
