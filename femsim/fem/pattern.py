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
        _each(len(self.cells), work)


def _each(count: int, work: Callable[[int], None]) -> None:
    """Run ``work(0)`` to ``work(count - 1)``, each in a thread of its own."""
    if count == 1:
        work(0)
        return
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))


def build_pattern(cells: Ints, count: int, threads: int = 1) -> Pattern:
    """Sparsity and scatter map of a mesh.

    Parameters
    ----------
    cells : (m, k) int64
        Nodes of every cell.
    count : int
        Number of nodes, n.
    threads : int
        They share the rows.

    Returns
    -------
    Pattern
        Nodes in no cell have their diagonal block alone.
    """
    from femsim.fem import pattern_kernels as kernels

    start, cell, local = kernels.incidence(cells, count)
    # rows in equal shares of visits, since a node in many cells has a long row
    edges = np.searchsorted(start, np.linspace(0, start[-1], threads + 1)).tolist()
    edges[0], edges[-1] = 0, count
    indptr = np.zeros(count + 1, np.int64)
    _each(threads, lambda t: kernels.row_lengths(edges[t], edges[t + 1], cells, start, cell, indptr))
    np.cumsum(indptr, out=indptr)
    indices = np.empty(indptr[-1], np.int32)
    scatter = np.empty((len(cells), cells.shape[1], cells.shape[1]), np.int32)
    shared = (cells, start, cell, local, indptr, indices, scatter)
    _each(threads, lambda t: kernels.fill_rows(edges[t], edges[t + 1], *shared))
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
